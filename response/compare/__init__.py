"""Collected responses against computed ones: every difference, its likely cause, and a query for the site.

1. Each collected row is matched to a timepoint by subject, evaluator and label, else by its date.
2. What differs at one timepoint is one finding: named after the overall response where that differs, else after
   the target, non-target, new-lesion response or the sum; the others stand in its text.
3. The cause is the slip (`slips.SLIPS`) that turns the computed answers into most of the collected ones.
4. Collected responses that contradict each other are told where no difference tells it already.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER, iso_texts, thousandths_text
from response.checks.scene import Flags, Scene
from response.compare.best import compare_best
from response.compare.causes import UNKNOWN_CAUSE, Cause, Errors, causes_of, error_cause, errors_of
from response.compare.consistency import contradictions
from response.compare.matching import NOWHERE, QUESTIONS, UNKNOWN, Match, agree, answer_of
from response.criteria.burden import NO_SUM
from response.findings import Finding, Severity
from response.registry import STANDARD
from response.result import NOT_SCORED, Result
from response.vocabulary import NE, folded

if TYPE_CHECKING:
    from response.engine import Assessment

_WORDS: Final = {
    "overall": "overall response",
    "target": "target response",
    "non_target": "non-target response",
    "new_lesion": "answer on new lesions",
    "sum": "sum of diameters",
}


def compare(assessment: "Assessment", explaining: Sequence[Finding] = ()) -> list[Finding]:
    """Return every difference between collected and computed responses.

    Parameters
    ----------
    assessment
        With collected responses beside its measurements; without them nothing is compared.
    explaining
        Findings in the data: where no usual slip explains a difference, an error at the same timepoint does.
    """
    collected = assessment.timeline.measurements.collected
    if collected is None or not len(collected) or not len(assessment.timeline.series):
        return []
    match = Match(Scene(assessment, 0), collected)
    comparison = Comparison(match, explaining)
    return [
        *_unknown_texts(match),
        *comparison.differences(),
        *_other_criteria(match, errors_of(explaining)),
        *_unmatched(match),
        *contradictions(match, comparison.differs),
        *compare_best(match, comparison.cells_that_differ),
    ]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Differences by RECIST 1.1 at timepoints; arrays `[row]` of the collected table."""

    match: Match
    explaining: Sequence[Finding]

    @property
    def scene(self) -> Scene:
        """The assessment."""
        return self.match.scene

    @cached_property
    def result(self) -> Result:
        """The computed responses."""
        return self.scene.assessment.results[STANDARD]

    @cached_property
    def comparable(self) -> Flags:
        """Which rows are of RECIST 1.1 and mean a timepoint that was scored."""
        cell = self.match.cell
        scored = self.result.answers["overall"][cell] != NOT_SCORED
        return np.asarray(self.match.rows_of(STANDARD) & (cell != NOWHERE) & scored)

    @cached_property
    def by_question(self) -> Mapping[str, Flags]:
        """Which rows differ, by question, and for the sum."""
        cell, found = self.match.cell, {}
        for question in QUESTIONS:
            names, codes = self.result.categories(question), self.result.answers[question][cell]
            found[question] = self.comparable & self.match.answers[question].differs_from(names, codes, question)
        found["sum"] = self.comparable & self._sum_differs()
        return found

    def _sum_differs(self) -> Flags:
        """Return where complete sums differ by more than the rounding of the collected one."""
        collected, cell = self.match.records.number("sum_mm").astype(np.int64), self.match.cell
        computed = self.result.numbers["sum_mm"][cell]
        names, codes = self.result.categories("target"), self.result.answers["target"][cell]
        complete = np.asarray([name not in ("NA", "NE", "") for name in names], np.bool_)[codes]
        rounding = np.select([collected % 1000 == 0, collected % 100 == 0, collected % 10 == 0], [500, 50, 5], 0)
        return np.asarray(complete & (collected != NO_NUMBER) & (np.abs(collected - computed) > rounding))

    @cached_property
    def differs(self) -> Flags:
        """Which rows differ at all."""
        return np.asarray(np.logical_or.reduce(list(self.by_question.values())))

    @cached_property
    def cells_that_differ(self) -> NDArray[np.int64]:
        """Timepoints whose overall response differs."""
        return np.unique(self.match.cell[self.by_question["overall"]])

    def differences(self) -> Iterator[Finding]:
        """Yield a finding for each row that differs."""
        hits = np.flatnonzero(self.differs)
        causes = causes_of(self.match, self.by_question, hits, self.explaining)

        def make(place: int) -> Finding:
            return self._difference(int(hits[place]), causes[place])

        yield from self.scene.notes(np.arange(len(hits)), make)

    def _difference(self, row: int, cause: Cause) -> Finding:
        cell = int(self.match.cell[row])
        kinds = [kind for kind in (*QUESTIONS, "sum") if self.by_question[kind][row]]
        pairs = {kind: (self._collected(kind, row), self._computed(kind, cell)) for kind in kinds}
        file, line = self.match.records.table.where(row)
        other = "; ".join(f"{_WORDS[kind]} {one} against {two}" for kind, (one, two) in list(pairs.items())[1:])
        found, expected = pairs[kinds[0]]
        return self.scene.of_cell(
            cell,
            f"{kinds[0]}_differs",
            "error" if kinds[0] == "overall" else "warning",
            column="sum_mm" if kinds[0] == "sum" else kinds[0],
            found=found,
            expected=f"{expected} ({cause.name})",
            sentence=f"{self._when(cell)}the {_WORDS[kinds[0]]} was recorded as {found}, but the measurements give "
            f"{expected}{self._numbers(cell)}"
            + (f"; also: {other}" if other else "")
            + f". Likely cause ({cause.name}): {cause.sentence}.",
            remedy="Please check the recorded response and the measurements of this timepoint, and correct what is "
            "wrong or confirm both.",
            file=file,
            line=line,
        )

    def _collected(self, kind: str, row: int) -> str:
        if kind == "sum":
            return f"{thousandths_text(int(self.match.records.number('sum_mm')[row]))} mm"
        return self.match.text(kind, row)

    def _computed(self, kind: str, cell: int) -> str:
        if kind == "sum":
            return f"{thousandths_text(int(self.result.numbers['sum_mm'][cell]))} mm"
        return self.result.categories(kind)[int(self.result.answers[kind][cell])]

    def _when(self, cell: int) -> str:
        visits = self.scene.timeline.visits
        day = iso_texts(visits.first_scan[cell : cell + 1], visits.precision[cell : cell + 1])[0]
        return f"At timepoint {visits.labels[visits.label[cell]]}" + (f" ({day}) " if day else " ")

    def _numbers(self, cell: int) -> str:
        if self._computed("target", cell) == "NA":
            return ""
        told = []
        for name, word in (("sum_mm", "sum"), ("baseline_mm", "baseline"), ("nadir_mm", "nadir")):
            value = int(self.result.numbers[name][cell])
            if value < NO_SUM:
                told.append(f"{word} {thousandths_text(value)} mm")
        return f" ({', '.join(told)})"


def _unknown_texts(match: Match) -> Iterator[Finding]:
    """Yield a finding for each cell that names no response."""
    standard = match.rows_of(STANDARD)
    for question in QUESTIONS:
        answers = match.answers[question]
        hits = np.flatnonzero(standard & (answers.codes == answers.names.index(UNKNOWN)))
        column = match.records.text_column(question if match.records.has(question) else "response")

        def make(row: int, question: str = question, column: Any = column) -> Finding:
            expected = "Yes or No" if question == "new_lesion" else "CR, PR, SD, PD, NE, Non-CR/Non-PD, NED or NA"
            return match.scene.of_record(
                match.records,
                row,
                "unusable_cell",
                "error",
                column=question,
                found=column.text(row),
                expected=expected,
                sentence=f"The collected {_WORDS[question]} is '{column.text(row)}'; expected {expected}. "
                "It was not compared.",
                remedy="Correct the cell in the source, or say in a mapping file what it means, as in: "
                f'[values.{question}] "{column.text(row)}" = "...".',
            )

        yield from match.scene.notes(hits, make)


def _other_criteria(match: Match, errors: Errors) -> Iterator[Finding]:
    """Yield the differences of overall responses by criteria other than RECIST 1.1."""
    for name, result in match.scene.assessment.results.items():
        if name == STANDARD:
            continue
        column = match.records.text_column("overall")
        categories = result.categories()
        computed = result.answers["overall"][match.cell]
        same = np.asarray([[_same_text(text, other) for other in categories] for text in column.values], np.bool_)
        hits = np.flatnonzero(match.rows_of(name) & (match.cell != NOWHERE) & ~same[column.codes, computed])

        def make(row: int, result: Result = result, name: str = name, column: Any = column) -> Finding:
            cell = int(match.cell[row])
            found, expected = column.text(row), result.categories()[result.answers["overall"][cell]]
            file, line = match.records.table.where(row)
            cause = error_cause(match, row, errors) or UNKNOWN_CAUSE
            return match.scene.of_cell(
                cell,
                "overall_differs",
                "error",
                column="overall",
                found=f"{found} by {name}",
                expected=f"{expected} ({cause.name})",
                sentence=f"The response by {name} was recorded as {found}, but the measurements give {expected}. "
                f"Likely cause ({cause.name}): {cause.sentence}.",
                remedy="Please check the recorded response and the measurements of this timepoint.",
                file=file,
                line=line,
            )

        yield from match.scene.notes(hits, make)


def _same_text(collected: str, computed: str) -> bool:
    if not collected or not computed or folded(collected) == folded(computed):
        return True
    name = answer_of("overall", collected)
    return name not in ("", UNKNOWN) and agree("overall", name, computed)


def _unmatched(match: Match) -> Iterator[Finding]:
    """Yield collected responses without measurements, and scored timepoints without a collected response."""
    scene, records = match.scene, match.records
    standard = match.rows_of(STANDARD)
    overall = match.answers["overall"]
    said = np.asarray([name not in ("", NE, UNKNOWN) for name in overall.names], np.bool_)[overall.codes]

    def lost(row: int) -> Finding:
        severity: Severity = "warning"
        why = " at this timepoint." if match.series[row] != NOWHERE else "."
        if match.of_several[row]:
            why = ": it names no evaluator, and of several evaluators none, or more than one, was accepted."
        return scene.of_record(
            records,
            row,
            "collected_without_measurements",
            severity,
            column="overall",
            found=match.text("overall", row),
            expected="measurements of this subject, evaluator and timepoint",
            sentence=f"A response was collected, but there are no measurements for it{why}",
            remedy="Add the measurements, or correct subject, evaluator, timepoint or date of the response.",
        )

    yield from scene.notes(np.flatnonzero(standard & said & (match.cell == NOWHERE)), lost)

    def bare(cell: int) -> Finding:
        return scene.of_cell(
            cell,
            "measurements_without_collected",
            "info",
            column="overall",
            found="no collected response",
            expected="a collected response for each timepoint",
            sentence="The timepoint has measurements, but no response was collected for it.",
            remedy="Ask for the response.",
        )

    yield from scene.notes(_uncollected(match, standard), bare)


def _uncollected(match: Match, standard: Flags) -> NDArray[np.int64]:
    """Return the scored timepoints without a collected row, in series that are collected at all."""
    timeline, result = match.scene.timeline, match.scene.assessment.results[STANDARD]
    collected = np.zeros(len(timeline.visits), np.bool_)
    collected[match.cell[standard & (match.cell != NOWHERE)]] = True
    known = np.zeros(len(timeline.series), np.bool_)
    known[match.series[standard & (match.series != NOWHERE)]] = True
    subjects = np.zeros(len(timeline.series.subjects), np.bool_)
    subjects[timeline.series.subject[known]] = True
    expected = known | ~subjects[timeline.series.subject]  # another evaluator's responses may not be collected
    scored = (result.answers["overall"] != NOT_SCORED) & timeline.visits.done
    return np.flatnonzero(scored & ~collected & expected[timeline.series_of_cell])
