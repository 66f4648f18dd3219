"""What a criterion is: a state, ordered questions, flags and numbers; the engine does the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import THOUSAND
from response.criteria.rules import Flags, Question, Rule, RuleCodes, in_category
from response.criteria.sum_tests import SumTest
from response.protocol import Options
from response.vocabulary import RESPONSE_NAMES, Response

# What criteria sum over the targets, and how much of it (um, um2, thousandths of a mm3) is a thousandth of its unit.
PER_THOUSANDTH: Final[Mapping[str, int]] = {"mm": 1, "mm2": THOUSAND, "mm3": 1, "SUL": 1, "SUV": 1}


@dataclass(frozen=True)
class Number:
    """A number that a criterion gives for each timepoint, kept in thousandths of its unit (counts as they are).

    Attributes
    ----------
    name
        The column of the results.
    unit
        As it is told: "mm", "mm2", "mm3", "HU", "%", or any other; "count" for what is counted. A sum that a study may
        judge by thresholds of its own is in mm, mm2 or mm3.
    """

    name: str
    unit: str


class State:
    """Base of what the rules of a criterion ask; it collects the answers as the questions are asked in order."""

    def __init__(self, block: Block, questions: tuple[Question[Any], ...]) -> None:
        self.block = block
        self._questions = {question.name: question for question in questions}
        self.answers: dict[str, RuleCodes] = {}
        self._asked: dict[tuple[str, ...], Flags] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Shape `[series, timepoint]`."""
        return self.block.shape

    @property
    def grown(self) -> Flags:
        """Where growth of the targets alone is progression: their scans show it."""
        return np.zeros(self.shape, np.bool_)

    @property
    def returned(self) -> Flags:
        """Where disease that is back is progression: the scans of all that is there show it."""
        return np.zeros(self.shape, np.bool_)

    @property
    def showing(self) -> Flags | None:
        """Lesions that show progression by a finding of the criterion's own, `[track, timepoint]`; None: none."""
        return None

    @property
    def dated_from(self) -> NDArray[np.intp] | None:
        """Place of the timepoint whose date is that of the progression, `[series, timepoint]`; None: its own."""
        return None

    @property
    def dated_after(self) -> NDArray[np.int32] | None:
        """Day before which no progression is dated back, `[series, timepoint]`; None: no such day."""
        return None

    def thresholds(self, place: int) -> list[str]:  # noqa: ARG002
        """Return how far a scored timepoint of a single series is from the next thresholds, for `explain`."""
        return []

    def taken_over(self, question: Question[Any]) -> RuleCodes | None:  # noqa: ARG002
        """Return the answer that a state beside it gave to the same question of the same facts; None: there is none."""
        return None

    def question(self, name: str) -> Question[Any]:
        """Return a question by name."""
        return self._questions[name]

    def question_rules(self, question: str) -> tuple[Rule[Any], ...]:
        """Return the rules of a question."""
        return self._questions[question].rules

    def spread(self, values: Flags) -> Flags:
        """Return flags of the series, `[series, 1]`, at every timepoint."""
        return np.asarray(np.broadcast_to(values, self.shape))

    def is_(self, question: str, *categories: str) -> Flags:
        """Return where an earlier question was answered with one of the categories; nowhere if it was not asked."""
        if question not in self.answers:  # a criterion that borrows the state of another may ask less
            return np.zeros(self.shape, np.bool_)
        key = (question, *categories)
        if key not in self._asked:
            self._asked[key] = in_category(self._questions[question].rules, self.answers[question], *categories)
        return self._asked[key]


@dataclass(frozen=True)
class Criterion:
    """Base of a criterion: data, and two functions from a block to what the rules ask.

    Attributes
    ----------
    name, title, source
        Name in files and protocols, name for people, reference.
    options
        Class of the options (`protocol.Options`).
    questions
        Asked in order; the last one is `overall`.
    flags
        Rules of which all that hold are reported.
    numbers
        What `values` returns.
    needs
        Column of the measurement table without which the criterion says nothing; empty: sizes are enough.
    best_order
        Categories from best to worst for criteria without CR and PD; empty: best response as in RECIST.
    levels
        A coarser form of the categories, where the source has one.
    words
        The criterion's own words for the responses of RECIST ("iCR" for CR), for best response and dates; None: it
        uses those of RECIST.
    offered
        Whether one that is built in is assessed without being asked for, where the table fills the column that it
        needs; one of another package is assessed by name alone.
    first_dates
        Columns of the table of subjects, and the response whose first assessment gives their date.
    scope
        What it was made for, and what of it is not confirmed, in sentences that `explain` tells.
    test
        How the sum of the targets is judged, if by thresholds, which a study may change (`study_criteria`): the state
        judges by this, and names of numbers that only the criterion has begin with `prefix`.
    threshold_options
        Options that change the thresholds, and what a study's own criterion says in place of each in its definition.
    measure
        What is summed, as it is told beside other criteria: "+25 % in size".
    based_on
        Criterion that it is, but for its thresholds; empty for one that stands for itself.
    """

    name: str
    title: str
    source: str
    options: type[Options]
    questions: tuple[Question[Any], ...]
    flags: tuple[Rule[Any], ...]
    numbers: tuple[Number, ...]
    needs: str = ""
    best_order: tuple[str, ...] = ()
    levels: Mapping[str, str] | None = None
    words: Mapping[Response, str] | None = None
    offered: bool = True
    first_dates: tuple[tuple[str, Response], ...] = ()
    scope: str = ""
    test: SumTest | None = None
    threshold_options: tuple[tuple[str, str], ...] = ()
    measure: str = "size"
    based_on: str = ""

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> State:
        """Return what the rules ask of a block; `beside` holds the states of criteria assessed before."""
        raise NotImplementedError

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint, each `[series, timepoint]`."""
        raise NotImplementedError

    def answer(self, state: Any, options: Any) -> None:
        """Ask the questions in order, and put the answers (indices of rules) into the state."""
        for question in self.questions:
            known = state.taken_over(question)
            state.answers[question.name] = question.answer(state, options) if known is None else known

    def followed(self, block: Block, options: Any) -> Flags | None:  # noqa: ARG002
        """Return the lesions that take part, `[track]`: no other is named as a cause; None where all do."""
        return None

    @property
    def prefix(self) -> str:
        """How the names of the numbers that only this criterion has begin."""
        return self.name.replace("-", "_").replace(".", "_")

    @property
    def response_words(self) -> Mapping[Response, str]:
        """The word for each response of RECIST: the criterion's own, else that of RECIST."""
        return RESPONSE_NAMES if self.words is None else {**RESPONSE_NAMES, **self.words}

    def rule_id(self, question: str, rule: Rule[Any]) -> str:
        """Return the stable id of a rule."""
        return f"{self.name}.{question}.{rule.name}"
