"""The result of one criterion at all timepoints of a trial: which rule decided, and the numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE
from response.criteria.burden import NO_SUM
from response.criteria.criterion import Criterion
from response.criteria.rules import Rule
from response.protocol import Options
from response.vocabulary import RESPONSE_NAMES, Response

NOT_SCORED: Final = -1  # rule index of timepoints before and at baseline, and of series without a baseline


@dataclass(frozen=True, eq=False)
class Result:
    """One criterion at all timepoints; arrays `[cell]` in the order of the timeline.

    Attributes
    ----------
    criterion, options
        What was assessed, and how.
    answers
        By question: index of the rule that decided, `NOT_SCORED` where nothing is scored.
    numbers
        By name: in thousandths of the unit, or counts (see `Criterion.numbers`).
    flags
        Bit `i` is set where flag rule `i` holds.
    progression_date
        Date of the progression where the overall response is PD, else `NO_DATE`.
    adjudicated
        `vocabulary.Response` codes of the overall response as later findings revise it.
    own_targets
        Whether targets were measured in another way than by RECIST 1.1, in some series of the block; `[series]`.
    """

    criterion: Criterion
    options: Options
    answers: Mapping[str, NDArray[np.int8]]
    numbers: Mapping[str, NDArray[np.int64]]
    flags: NDArray[np.uint32]
    progression_date: NDArray[np.int32]
    adjudicated: NDArray[np.int8]
    own_targets: NDArray[np.bool_]

    def rules(self, question: str) -> tuple[Rule[Any], ...]:
        """Return the rules of a question."""
        return next(item.rules for item in self.criterion.questions if item.name == question)

    def responses(self, question: str = "overall", cells: slice = slice(None)) -> NDArray[np.int8]:
        """Return the answers to a question as `vocabulary.Response` codes, blank where there is none."""
        return response_lut(self.rules(question), self.criterion.response_words)[self.answers[question][cells]]

    def categories(self, question: str = "overall") -> list[str]:
        """Return the category of each rule of a question, and the empty text for `NOT_SCORED` at the end."""
        return [*(rule.category for rule in self.rules(question)), ""]


def response_lut(rules: Sequence[Rule[Any]], words: Mapping[Response, str] = RESPONSE_NAMES) -> NDArray[np.int8]:
    """Return the `vocabulary.Response` code of each rule, and blank for `NOT_SCORED` at the end."""
    by_word = {word: code for code, word in words.items()}
    codes = [int(by_word.get(rule.category, Response.BLANK)) for rule in rules]
    return np.asarray([*codes, int(Response.BLANK)], np.int8)  # the last one is reached by index -1


def empty_result(criterion: Criterion, options: Options, cells: int, series: int) -> Result:
    """Return a result in which nothing is scored yet; the engine fills in its arrays."""
    return Result(
        criterion,
        options,
        {question.name: np.full(cells, NOT_SCORED, np.int8) for question in criterion.questions},
        {number.name: np.full(cells, NO_SUM, np.int64) for number in criterion.numbers},
        np.zeros(cells, np.uint32),
        np.full(cells, NO_DATE, np.int32),
        np.zeros(cells, np.int8),
        np.zeros(series, np.bool_),
    )
