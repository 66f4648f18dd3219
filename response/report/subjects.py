"""The table of subjects: one row per subject, evaluator and criterion (`subjects.csv`)."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.best.course import NO_PLACE
from response.best.overall import BestFlag, best_names, why_sentences
from response.best_of_series import NO_CELL, BestOfSeries
from response.block import Block
from response.cells import NO_DATE
from response.engine import Assessment
from response.registry import STANDARD
from response.report.columns import (
    Columns,
    NumberColumn,
    blank_texts,
    date_texts,
    interleaved,
    made_ahead,
    percent,
    yes_or_blank,
)
from response.report.evidence import Evidence, first_days
from response.report.sentences import NO_BASELINE, NOT_MEASURED, Decisions, plain_sentence
from response.report.series_columns import series_columns, site_of, unmeasured_subjects
from response.report.texts import as_texts, scattered
from response.result import Result
from response.table import TextColumn
from response.vocabulary import Response

SUBJECT_COLUMNS: Final = (
    "subject evaluator criterion best_response best_response_date confirmed confirmed_best_response "
    "confirmed_best_response_date confirmation_date why_not_better first_response_date progression_date "
    "progression_reason pd_after_new_therapy reference_date last_evaluable_date best_change_percent accepted site flags"
).split()
_NUMBERS: Final = ("best_change_percent",)


class SubjectRows:
    """Makes the rows of one block of series after the other."""

    def __init__(self, assessment: Assessment) -> None:
        self.assessment, self.results = assessment, assessment.results
        self.timeline = assessment.timeline
        declared = [name for result in self.results.values() for name, _ in result.criterion.first_dates]
        self.extra = tuple(dict.fromkeys(declared))

    def batches(self) -> Iterator[Columns]:
        """Hand out the rows, block by block, and at the end those of subjects without any measurement."""
        best = self.assessment.best
        numbered = list(enumerate(self.timeline.blocks()))
        yield from made_ahead(lambda item: self._block_rows(*item, best), numbered)
        yield self._unmeasured_rows()

    def _block_rows(self, number: int, block: Block, best: Any) -> Columns:
        evidence = Evidence(block, self.results[STANDARD])
        series = np.arange(block.low, block.high)
        shared = series_columns(self.timeline, series)
        of_criteria = [
            self._criterion_columns(result, best[name], number, evidence) for name, result in self.results.items()
        ]
        repeat = len(of_criteria)
        rows = {name: interleaved([column] * repeat) for name, column in shared.items()}
        rows |= {
            name: interleaved([columns[name] for columns in of_criteria])
            for name in of_criteria[0]
            if name not in shared
        }
        return {name: rows[name] for name in (*SUBJECT_COLUMNS, *self.extra)}

    def _criterion_columns(self, result: Result, best: BestOfSeries, number: int, evidence: Evidence) -> dict[str, Any]:
        count = evidence.block.series_count
        columns: dict[str, Any] = {"criterion": TextColumn.constant(result.criterion.name, count)}
        if result.criterion.best_order:
            columns |= _by_order(result, best, evidence)
        else:
            columns |= _by_course(result, best, number, evidence)
        columns |= _first_dates(result, evidence)
        blank = {name: blank_texts(count) for name in (*SUBJECT_COLUMNS, *self.extra) if name not in _NUMBERS}
        return {**blank, "best_change_percent": NumberColumn.blank(count, 2), **columns}

    def _unmeasured_rows(self) -> Columns:
        rows, subjects = unmeasured_subjects(self.timeline)
        repeat = len(self.results)
        count = len(rows) * repeat
        best = [getattr(result.options, "missing_as", "NE") for result in self.results.values()]
        turn = np.arange(count, dtype=np.int32) % repeat
        filled: dict[str, Any] = {
            "subject": TextColumn(np.arange(count, dtype=np.int32) // repeat, [*subjects, ""]),
            "site": interleaved([site_of(self.timeline, rows)] * repeat),
            "criterion": TextColumn(turn, list(self.results)),
            "best_response": TextColumn(turn, best),
            "confirmed_best_response": TextColumn(turn, best),
            "why_not_better": TextColumn.constant(plain_sentence(NOT_MEASURED.template), count),
        }
        blank = {name: blank_texts(count) for name in (*SUBJECT_COLUMNS, *self.extra)}
        reason = as_texts(blank_texts(count))  # as it is in every other batch
        return {**blank, "progression_reason": reason, "best_change_percent": NumberColumn.blank(count, 2), **filled}


def _by_course(result: Result, best: BestOfSeries, number: int, evidence: Evidence) -> dict[str, Any]:
    """Return the columns of a criterion with the categories of RECIST."""
    found = best.blocks[number].best
    decisions = Decisions(result, evidence)
    change, known = _best_change(decisions, found.progression_index, evidence)
    names = best_names(result.criterion.response_words)
    words = [names[code] for code in Response]
    return {
        "best_response": TextColumn(found.best.astype(np.int32), words),
        "best_response_date": date_texts(found.best_date),
        "confirmed": TextColumn(found.confirmed.astype(np.int32), ["", "N", "Y"]),
        "confirmed_best_response": TextColumn(found.confirmed_best.astype(np.int32), words),
        "confirmed_best_response_date": date_texts(found.confirmed_date),
        "confirmation_date": date_texts(found.confirmation_date),
        "why_not_better": _why(result, best, number, evidence),
        "first_response_date": date_texts(found.first_response_date),
        "progression_date": date_texts(found.progression_date),
        "progression_reason": _progression_reasons(decisions, found.progression_index, evidence),
        "pd_after_new_therapy": yes_or_blank(found.pd_after_new_therapy),
        "reference_date": date_texts(found.reference_date),
        "last_evaluable_date": date_texts(found.last_evaluable_date),
        "best_change_percent": NumberColumn(change, known, 2),
        "flags": _flags(found.flags),
    }


def _first_dates(result: Result, evidence: Evidence) -> dict[str, TextColumn]:
    """Return the date of the first scan of the first timepoint with some response, by column."""
    visits, cells = evidence.timeline.visits, evidence.block.cell_slice
    found = {}
    for column, response in result.criterion.first_dates:
        days = np.full(evidence.block.series_count, NO_DATE, np.int32)
        precision = np.zeros(len(days), np.int8)
        hits = np.flatnonzero(evidence.responses(result) == response)[::-1]  # backwards: the first one stays
        series = evidence.series[hits] - evidence.block.low
        days[series] = visits.first_scan[cells][hits]
        precision[series] = visits.precision[cells][hits]
        found[column] = date_texts(days, precision)
    return found


def _why(result: Result, best: BestOfSeries, number: int, evidence: Evidence) -> TextColumn:
    block_best = best.blocks[number]
    options: Any = result.options
    sentences = [plain_sentence(text) for text in why_sentences(block_best.course, block_best.best, options)]
    for series in np.flatnonzero(evidence.block.baseline[:, 0] < 0).tolist():
        sentences[series] = plain_sentence(NO_BASELINE.template)
    return TextColumn.of(sentences)


def _first_cells(evidence: Evidence) -> NDArray[np.int64]:
    block = evidence.block
    return np.asarray(evidence.timeline.cell_start[block.low : block.high] - block.cell_slice.start)


def _progression_reasons(decisions: Decisions, place: NDArray[np.int32], evidence: Evidence) -> Any:
    """Return the reason of the timepoint of the first PD of each series."""
    series = np.flatnonzero(place != NO_PLACE)
    cells = _first_cells(evidence)[series] + place[series]
    return scattered(decisions.reasons(cells), series, len(place))


def _best_change(
    decisions: Decisions, progression: NDArray[np.int32], evidence: Evidence
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the smallest complete sum against baseline, up to the first PD and before new therapy; `[series]`."""
    figures, options = decisions.figures, decisions.result.options
    if not figures.knows("sum"):
        return np.zeros(evidence.block.series_count, np.int64), np.zeros(evidence.block.series_count, np.bool_)
    series = evidence.series - evidence.block.low
    last = np.where(progression == NO_PLACE, np.iinfo(np.int32).max, progression)[series]
    same_day = getattr(options, "same_day_new_therapy", "exclude") == "include"
    therapy, scan = evidence.timeline.series.new_therapy[evidence.series], first_days(evidence)
    before = (therapy == NO_DATE) | (scan == NO_DATE) | (scan < therapy) | (same_day & (scan == therapy))
    usable = figures.comparable & (evidence.place <= last) & before & (figures.baseline_um > 0)
    cells = np.flatnonzero(usable)
    nothing = np.iinfo(np.int64).max
    smallest = np.full(evidence.block.series_count, nothing, np.int64)
    np.minimum.at(smallest, series[cells], figures.sum_um[cells])
    known = smallest != nothing
    baseline = np.ones(len(smallest), np.int64)
    baseline[series[cells]] = figures.baseline_um[cells]
    return percent(np.where(known, smallest, baseline) - baseline, baseline), known


def _flags(bits: NDArray[np.uint16]) -> TextColumn:
    distinct, codes = np.unique(bits, return_inverse=True)
    return TextColumn(codes.astype(np.int32), [";".join(BestFlag.texts(value)) for value in distinct.tolist()])


def _by_order(result: Result, best: BestOfSeries, evidence: Evidence) -> dict[str, Any]:
    """Return the columns of a criterion with categories of its own."""
    block, timeline = evidence.block, evidence.timeline
    assert best.cell is not None
    assert best.category is not None
    cell, category = best.cell[block.low : block.high], best.category[block.low : block.high]
    names = [rule.category for rule in result.rules("overall")]
    day = np.where(cell == NO_CELL, NO_DATE, timeline.visits.first_scan[np.maximum(cell, 0)])
    precision = timeline.visits.precision[np.maximum(cell, 0)]
    text = TextColumn(np.where(cell == NO_CELL, len(names), category).astype(np.int32), [*names, "NE"])
    without = np.where(block.baseline[:, 0] < 0, 2, np.where(cell == NO_CELL, 1, 0)).astype(np.int32)
    why = ["", "There is no assessment after baseline.", plain_sentence(NO_BASELINE.template)]
    return {
        "best_response": text,
        "best_response_date": date_texts(day, precision),
        "confirmed_best_response": text,
        "confirmed_best_response_date": date_texts(day, precision),
        "why_not_better": TextColumn(without, why),
        "last_evaluable_date": date_texts(_last_evaluable(result, evidence)),
    }


def _last_evaluable(result: Result, evidence: Evidence) -> NDArray[np.int32]:
    """Return the first scan of the last timepoint with a category other than NE; `[series]`."""
    answers = result.answers["overall"][evidence.block.cell_slice]
    evaluable = np.asarray([*(rule.category != "NE" for rule in result.rules("overall")), False], np.bool_)[answers]
    cells = np.flatnonzero(evaluable)
    days = np.full(evidence.block.series_count, NO_DATE, np.int32)
    days[evidence.series[cells] - evidence.block.low] = first_days(evidence)[cells]  # ascending: the last one stays
    return days
