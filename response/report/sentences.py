"""Which rule decided at each timepoint, and its reason as one plain sentence with the numbers.

A sentence is made from the template of the deciding rule. Where the overall response only passes on the answer of
another question, the rule of that question is named: it is the one that decided.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.rules import Flags, Rule
from response.errors import CriterionError
from response.report.evidence import Cells, Evidence
from response.report.figures import Figures
from response.report.texts import Texts, framed, joined, stacked
from response.result import NOT_SCORED, Result
from response.table import TextColumn

OVERALL: Final = "overall"
_PLACEHOLDER: Final = re.compile(r"{(\w+)}")
_SUM_UNIT: Final = re.compile(r"{(?:sum|nadir|reference)}( mm[23]?)\b")  # not every sum has one unit (RANO 2.0)
_CATEGORY_ONLY: Final = "new_lesion"  # "new lesions: NE" says more than a sentence within the sentence


@dataclass(frozen=True)
class Decision:
    """What decided: the id of the rule, its clause, and the sentence still without its numbers."""

    rule: str
    clause: str
    template: str


BASELINE: Final = Decision("baseline", "", "this is the baseline; its sum of diameters is {sum} mm")
BASELINE_WITHOUT_SUM: Final = Decision("baseline", "", "this is the baseline")
BEFORE_BASELINE: Final = Decision("before_baseline", "", "this timepoint lies before the baseline")
NO_BASELINE: Final = Decision("no_baseline", "", "the subject has no baseline, so no response can be computed")
NOT_MEASURED: Final = Decision("no_measurements", "", "there is no measurement of the subject")
_UNSCORED: Final = (BASELINE, BASELINE_WITHOUT_SUM, BEFORE_BASELINE, NO_BASELINE)


def plain_sentence(text: str) -> str:
    """Return a text as a sentence: a capital letter at the start, a full stop at the end."""
    return f"{_capital(text)}." if text else ""


def _capital(text: str) -> str:
    return text if text[1:2].isupper() else f"{text[:1].upper()}{text[1:]}"  # iPR stays as it is written


class Decisions:
    """The deciding rule of each cell of a block by one criterion.

    Attributes
    ----------
    kinds
        The decisions that occur.
    code
        Shape `[cell]`: index into `kinds`.
    """

    def __init__(self, result: Result, evidence: Evidence) -> None:
        self.result, self.evidence = result, evidence
        cells = evidence.block.cell_slice
        self._answers = {name: codes[cells] for name, codes in result.answers.items()}
        self._overall = result.rules(OVERALL)
        # the last first: a question may be quoted by those after it
        self._inner = [question for question in reversed(result.criterion.questions) if question.name != OVERALL]
        keys = self._keys()
        present = np.bincount(keys)
        used = np.flatnonzero(present)
        self.kinds = [self._decision(int(key)) for key in used.tolist()]
        lut = np.zeros(len(present), np.int32)
        lut[used] = np.arange(len(used))
        self.code: NDArray[np.int32] = lut[keys]

    @cached_property
    def followed(self) -> Flags | None:
        """Lesions of the block that the criterion follows, `[track]`; None: all."""
        return self.result.criterion.followed(self.evidence.block, self.result.options)

    def _keys(self) -> NDArray[np.int64]:
        """Return one number per cell: the overall rule and, where its sentence quotes them, the rules it quotes."""
        overall = self._answers[OVERALL].astype(np.int64)
        keys = overall + len(_UNSCORED)
        stride = len(self._overall) + len(_UNSCORED)
        quoting = [(self._overall, overall)]  # a question may be quoted by the overall rule, or by a later question
        for question in self._inner:
            answer = self._answers[question.name].astype(np.int64)
            quoted = _quoted(question.name, quoting)
            keys += stride * np.where(quoted, answer, 0)
            stride *= len(question.rules)
            quoting.append((question.rules, np.where(quoted, answer, NOT_SCORED)))
        return np.where(overall == NOT_SCORED, self._unscored(), keys)

    def _unscored(self) -> NDArray[np.int64]:
        evidence = self.evidence
        with_sum = self.figures.summed if "sum_mm" in self.result.numbers else np.zeros(evidence.cells, np.bool_)
        baseline = np.where(with_sum, 0, 1)
        return np.where(evidence.is_baseline, baseline, np.where(evidence.baseline < 0, 3, 2))

    def _decision(self, key: int) -> Decision:
        if key < len(_UNSCORED):
            return _UNSCORED[key]
        # what lies above the overall rule are the quoted rules, one figure per question
        key, place = divmod(key, len(self._overall) + len(_UNSCORED))
        rule, question = self._overall[place - len(_UNSCORED)], OVERALL
        sentence, clause, deciding = rule.sentence, rule.clause, rule
        for inner in self._inner:
            key, index = divmod(key, len(inner.rules))
            quoted = inner.rules[index]
            if passes_on(deciding.sentence, inner.name):
                deciding, question, clause = quoted, inner.name, quoted.clause
            told = quoted.category if inner.name == _CATEGORY_ONLY else quoted.sentence
            sentence = sentence.replace(f"{{{inner.name}}}", told)
        return Decision(self.result.criterion.rule_id(question, deciding), clause, sentence)

    def rule_ids(self) -> TextColumn:
        """Return the id of the deciding rule of each cell."""
        return TextColumn(self.code, [kind.rule for kind in self.kinds])

    def clauses(self) -> TextColumn:
        """Return the clause of the deciding rule of each cell."""
        return TextColumn(self.code, [kind.clause for kind in self.kinds])

    @cached_property
    def figures(self) -> Figures:
        """The numbers that sentences are filled with."""
        return Figures(self.result, self.evidence)

    def reasons(self, cells: Cells | None = None) -> Texts:
        """Return the reason of each cell (or of some of them) as a sentence."""
        chosen = np.arange(self.evidence.cells) if cells is None else cells
        groups = [(self.code[chosen] == code, kind.template) for code, kind in enumerate(self.kinds)]
        try:
            return filled(groups, self.figures, chosen)
        except CriterionError:
            self._name_the_rule()
            raise

    def _name_the_rule(self) -> None:
        """Raise CriterionError for the first rule whose sentence tells what is no number of the criterion."""
        for kind in self.kinds:
            for name in placeholders(kind.template):
                try:
                    self.figures.texts(name, np.zeros(1, np.int64))
                except CriterionError as error:
                    raise CriterionError(f"the sentence of the rule {kind.rule}: {error}") from None


def _quoted(question: str, quoting: Sequence[tuple[Sequence[Rule[Any]], NDArray[np.int64]]]) -> NDArray[np.bool_]:
    """Return where a question is quoted by one of the rules that are told; `[cell]`, index `NOT_SCORED` for none."""
    found = np.zeros(quoting[0][1].shape, np.bool_)
    for rules, answer in quoting:
        quotes = [f"{{{question}}}" in rule.sentence for rule in rules]
        found |= np.asarray([*quotes, False])[answer]
    return found


def passes_on(sentence: str, question: str) -> bool:
    """Return whether a sentence is nothing but the answer to another question, perhaps with an introduction."""
    quote = f"{{{question}}}"
    return _PLACEHOLDER.findall(sentence) == [question] and (sentence == quote or sentence.endswith(f": {quote}"))


def filled(
    groups: Sequence[tuple[NDArray[np.bool_], str]], figures: Figures, cells: Cells, *, sentences: bool = True
) -> Texts:
    """Return templates filled with the numbers of each cell.

    Parameters
    ----------
    groups
        Which of the cells, and their template.
    figures
        The numbers.
    cells
        Cells of the block; one text is returned for each.
    sentences
        Whether they become sentences, with a capital letter and a full stop.
    """
    pieces: list[list[tuple[NDArray[np.intp], TextColumn]]] = []
    for where, template in groups:
        rows = np.flatnonzero(where)
        for part, text in _without_undefined(rows, template, figures, cells):
            for place, piece in enumerate(_pieces(text, figures, cells[part], sentence=sentences)):
                if place == len(pieces):
                    pieces.append([])
                pieces[place].append((part, piece))
    return joined([stacked(of_place, len(cells)) for of_place in pieces], len(cells))


def _without_undefined(
    rows: NDArray[np.intp], template: str, figures: Figures, cells: Cells
) -> list[tuple[NDArray[np.intp], str]]:
    """Split off the cells whose growth is from 0, where a percentage has no meaning."""
    if "growth_percent}" not in template or not len(rows):
        return [(rows, template)] if len(rows) else []
    zero = figures.reference_um[cells[rows]] == 0
    told = re.sub(r" \({\w*growth_percent} %\)", "", template)
    unit = _SUM_UNIT.search(template)
    told = re.sub(r"{\w*growth_percent} %", f"{{growth}}{unit.group(1) if unit else ''}", told)
    parts = ((rows[~zero], template), (rows[zero], told))
    return [(part, text) for part, text in parts if len(part)]


def _pieces(template: str, figures: Figures, cells: Cells, *, sentence: bool) -> list[TextColumn]:
    """Return a template as one column per number, each with the words around it."""
    words = _PLACEHOLDER.split(template)
    literals, names = words[::2], words[1::2]
    if sentence:
        literals[0] = _capital(literals[0])
        literals[-1] += "."
    if not names:
        return [TextColumn.constant(literals[0], len(cells))]
    last = len(names) - 1
    return [
        framed(figures.texts(name, cells), literals[place], literals[-1] if place == last else "")
        for place, name in enumerate(names)
    ]


def placeholders(template: str) -> list[str]:
    """Return the names that a template leaves to be filled."""
    return _PLACEHOLDER.findall(template)


__all__ = [
    "NOT_MEASURED",
    "Decision",
    "Decisions",
    "filled",
    "passes_on",
    "placeholders",
    "plain_sentence",
]
