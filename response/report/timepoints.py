"""The table of timepoints: one row per subject, evaluator, timepoint and criterion (`timepoints.csv`)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_DATE, DatePrecision
from response.criteria.burden import NO_SUM
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
from response.report.disagreement import disagreements
from response.report.drivers import drivers, lesion_names
from response.report.evidence import Evidence, before_new_therapy, first_days
from response.report.figures import Figures, quantity_of
from response.report.own_targets import own_targets
from response.report.sentences import NOT_MEASURED, Decisions, plain_sentence
from response.report.series_columns import series_columns, site_of, start_days, unmeasured_subjects
from response.report.texts import as_texts, distinct_codes
from response.result import Result
from response.table import TextColumn
from response.vocabulary import Response

QUESTIONS: Final = ("target", "non_target", "new_lesion")
_GENERAL_NUMBERS: Final = ("sum_mm", "baseline_mm", "nadir_mm")

_LONG_TEXTS: Final = ("missing_lesions", "drivers", "new_lesion_ids", "reason")
# The columns of every criterion, in order; extra numbers of the criteria and `disagreement` follow.
TIMEPOINT_COLUMNS: Final = (
    "subject site evaluator accepted timepoint date first_scan last_scan study_day criterion target non_target "
    "new_lesion overall overall_adjudicated progression_date sum_mm baseline_mm nadir_mm nadir_timepoint nadir_date "
    "change_from_baseline_mm change_from_baseline_percent change_from_nadir_mm change_from_nadir_percent "
    "missing_lesions drivers new_lesion_ids rule clause reason response_maintained after_pd flags"
).split()


class TimepointRows:
    """Makes the rows of one block after the other."""

    def __init__(self, assessment: Assessment) -> None:
        self.assessment, self.results = assessment, assessment.results
        self.timeline = assessment.timeline
        self.extra = extra_numbers(assessment)

    def batches(self) -> Any:
        """Hand out the rows, block by block, and at the end those of subjects without any measurement."""
        yield from made_ahead(self.block_rows, self.timeline.blocks())
        yield self.unmeasured_rows()

    def block_rows(self, block: Block) -> Columns:
        """Return the rows of one block, all criteria of a timepoint under each other."""
        evidence = Evidence(block, self.results[STANDARD])
        shared = self._visit_columns(evidence)
        decisions = {name: Decisions(result, evidence) for name, result in self.results.items()}
        names = lesion_names(evidence, None, None)
        of_criteria = [self._criterion_columns(item, evidence, names) for item in decisions.values()]
        disagreement = disagreements(decisions, evidence) if len(decisions) > 1 else blank_texts(evidence.cells)
        repeat = len(of_criteria)
        rows = {name: interleaved([column] * repeat) for name, column in shared.items()}
        rows |= {name: interleaved([columns[name] for columns in of_criteria]) for name in of_criteria[0]}
        rows["disagreement"] = interleaved([disagreement] * repeat)
        return {name: rows[name] for name in (*TIMEPOINT_COLUMNS, *self.extra, "disagreement")}

    # --- what all criteria share

    def _visit_columns(self, evidence: Evidence) -> dict[str, Any]:
        visits, cells = self.timeline.visits, evidence.block.cell_slice
        first = date_texts(visits.first_scan[cells], visits.precision[cells])
        one_day = visits.first_scan[cells] == visits.last_scan[cells]
        last_precision = np.where(one_day, visits.precision[cells], int(DatePrecision.DAY))
        return {
            **series_columns(self.timeline, evidence.series),
            "accepted": yes_or_blank(visits.accepted[cells]),
            "timepoint": TextColumn(visits.label[cells], visits.labels),
            "date": first,
            "first_scan": first,
            "last_scan": first if one_day.all() else date_texts(visits.last_scan[cells], last_precision),
            "study_day": self._study_days(evidence),
        }

    def _study_days(self, evidence: Evidence) -> NumberColumn:
        """Return days from the start of treatment (or randomisation), which is day 1; there is no day 0."""
        start = start_days(self.timeline)[evidence.series]
        scan = first_days(evidence)
        whole = self.timeline.visits.precision[evidence.block.cell_slice] == DatePrecision.DAY
        known = (start != NO_DATE) & (scan != NO_DATE) & whole
        days = scan.astype(np.int64) - start
        return NumberColumn(np.where(known, days + (days >= 0), 0), known, 0)

    # --- what is the criterion's own

    def _criterion_columns(
        self, decisions: Decisions, evidence: Evidence, names_of_all: Mapping[str, Any]
    ) -> dict[str, Any]:
        result, followed = decisions.result, decisions.followed
        own = own_targets(result, evidence)
        shared = followed is None and own is None
        rows = evidence.cells
        return {
            "criterion": TextColumn.constant(result.criterion.name, rows),
            **{question: self._answers(result, question, evidence) for question in QUESTIONS},
            "overall": _texts_of(result, "overall", evidence),
            "overall_adjudicated": _adjudicated(result, evidence),
            "progression_date": date_texts(result.progression_date[evidence.block.cell_slice]),
            **self._sums(decisions.figures, evidence),
            **(names_of_all if shared else lesion_names(evidence, followed, own)),
            "drivers": evidence.names(*drivers(decisions, evidence, own)),
            "rule": decisions.rule_ids(),
            "clause": decisions.clauses(),
            "reason": decisions.reasons(),
            "response_maintained": yes_or_blank(_has_flag(result, "response_maintained", evidence)),
            "after_pd": yes_or_blank(self._after_pd(result, evidence)),
            "flags": _flags(result, evidence),
            **self._extra_columns(decisions.figures, evidence),
        }

    def _answers(self, result: Result, question: str, evidence: Evidence) -> TextColumn:
        if question not in result.answers and question != "target":
            result = self.results[STANDARD]  # what the criterion was given
        return _texts_of(result, question, evidence)

    def _sums(self, figures: Figures, evidence: Evidence) -> dict[str, Any]:
        if any(name not in figures.result.numbers for name in _GENERAL_NUMBERS):
            blank = NumberColumn.blank(evidence.cells)
            text = blank_texts(evidence.cells)
            changes = ("change_from_baseline", "change_from_nadir")
            numbers = dict.fromkeys((*_GENERAL_NUMBERS, *(f"{name}_mm" for name in changes)), blank)
            percents = {f"{name}_percent": NumberColumn.blank(evidence.cells, 2) for name in changes}
            return {**numbers, **percents, "nadir_timepoint": text, "nadir_date": text}
        sums, baseline, nadir = figures.sum_um, figures.baseline_um, figures.nadir_um
        summed = figures.summed
        shown = summed & evidence.shown
        with_nadir = shown & evidence.follow_up & (nadir < NO_SUM)
        comparable = figures.comparable
        above_nadir = evidence.follow_up & figures.complete & (nadir < NO_SUM)
        baseline_known = evidence.shown & summed[evidence.baseline_cell]
        return {
            "sum_mm": NumberColumn(sums, summed),
            "baseline_mm": NumberColumn(baseline, baseline_known),
            "nadir_mm": NumberColumn(nadir, with_nadir | (evidence.follow_up & baseline_known & (nadir < NO_SUM))),
            **self._nadir_visit(nadir, evidence, baseline_known),
            "change_from_baseline_mm": NumberColumn(sums - baseline, comparable),
            "change_from_baseline_percent": _percent_column(sums, baseline, comparable),
            "change_from_nadir_mm": NumberColumn(sums - nadir, above_nadir),
            "change_from_nadir_percent": _percent_column(sums, nadir, above_nadir),
        }

    def _nadir_visit(self, nadir: NDArray[np.int64], evidence: Evidence, known: NDArray[np.bool_]) -> dict[str, Any]:
        visits = self.timeline.visits
        cell = np.where(known, evidence.nadir_cell(nadir), -1)
        at = np.maximum(cell, 0) + evidence.block.cell_slice.start
        labels = [*visits.labels, ""]
        days = np.where(cell < 0, NO_DATE, visits.first_scan[at])
        return {
            "nadir_timepoint": TextColumn(
                np.where(cell < 0, len(visits.labels), visits.label[at]).astype(np.int32), labels
            ),
            "nadir_date": date_texts(days, visits.precision[at]),
        }

    def _after_pd(self, result: Result, evidence: Evidence) -> NDArray[np.bool_]:
        """Return which timepoints come after the first PD; a criterion without PD has that of RECIST 1.1."""
        if result.criterion.best_order:
            result = self.results[STANDARD]
        progressed = evidence.responses(result) == Response.PD
        counts = np.cumsum(progressed)
        before = counts - progressed
        first = self.timeline.cell_start[evidence.series] - evidence.block.cell_slice.start
        return np.asarray(before > before[first]) if len(before) else progressed

    def _extra_columns(self, figures: Figures, evidence: Evidence) -> dict[str, Any]:
        result, cells = figures.result, evidence.block.cell_slice
        own = {number.name: number for number in result.criterion.numbers}
        asked, quantity = question_columns(result), figures.quantity
        columns: dict[str, Any] = {}
        for name, decimals in self.extra.items():
            if name in own and decimals is not None:
                values = result.numbers[name][cells]
                columns[name] = NumberColumn(values, _is_known(name, values, figures), decimals)
            elif quantity is not None and name == quantity.change:
                known = (figures.number(quantity.now) != NO_SUM) & evidence.follow_up
                columns[name] = NumberColumn(
                    figures.quantity_percent, known & (figures.number(quantity.baseline) > 0), 2
                )
            elif decimals is None and name in asked:
                columns[name] = _texts_of(result, asked[name], evidence)
            elif decimals is None:
                columns[name] = _level(result, name, evidence)
            else:
                columns[name] = NumberColumn.blank(evidence.cells, decimals)
        return columns

    # --- subjects of the subject table that have no measurement

    def unmeasured_rows(self) -> Columns:
        """Return one row per criterion for each subject that nothing was measured of."""
        rows, subjects = unmeasured_subjects(self.timeline)
        repeat = len(self.results)
        count = len(rows) * repeat

        def constant(text: str) -> TextColumn:
            return TextColumn.constant(text, count)

        filled: dict[str, Any] = {
            "subject": TextColumn(np.arange(count, dtype=np.int32) // repeat, [*subjects, ""]),
            "site": interleaved([site_of(self.timeline, rows)] * repeat),
            "criterion": TextColumn(np.arange(count, dtype=np.int32) % repeat, list(self.results)),
            "overall": constant("NE"),
            "overall_adjudicated": constant("NE"),
            "rule": constant(NOT_MEASURED.rule),
            "reason": constant(plain_sentence(NOT_MEASURED.template)),
        }
        like = self._column_kinds()
        rows_like = {name: filled[name] if name in filled else _blank_like(kind, count) for name, kind in like.items()}
        return _as_long_texts(rows_like, (*_LONG_TEXTS, *(["disagreement"] if repeat > 1 else [])))

    def _column_kinds(self) -> dict[str, int | None]:
        """Return the decimals of each column in order, None for texts."""
        kinds: dict[str, int | None] = dict.fromkeys(TIMEPOINT_COLUMNS)
        kinds |= {name: 3 for name in TIMEPOINT_COLUMNS if name.endswith("_mm")}
        kinds |= {name: 2 for name in TIMEPOINT_COLUMNS if name.endswith("_percent")}
        return {**kinds, "study_day": 0, **self.extra, "disagreement": None}


def extra_numbers(assessment: Assessment) -> dict[str, int | None]:
    """Return the columns that only some criteria have, with their decimals (None: text)."""
    extra: dict[str, int | None] = {}
    for name, result in assessment.results.items():
        for number in result.criterion.numbers:
            if number.name not in _GENERAL_NUMBERS:
                extra[number.name] = 0 if number.unit == "count" else 3
        quantity = quantity_of(result)
        if quantity is not None:
            extra[quantity.change] = 2
        if result.criterion.levels:
            extra[level_column(name)] = None
        extra |= dict.fromkeys(question_columns(result))
    return extra


def question_columns(result: Result) -> dict[str, str]:
    """Return the columns of the questions that only this criterion asks, and the question of each."""
    names = [question.name for question in result.criterion.questions]
    return {f"{result.criterion.prefix}_{name}": name for name in names if name not in (*QUESTIONS, "overall")}


def level_column(criterion: str) -> str:
    """Return the name of the column with the coarser form of a criterion's categories."""
    return f"{criterion}_two_level"


def _blank_like(decimals: int | None, rows: int) -> Any:
    return blank_texts(rows) if decimals is None else NumberColumn.blank(rows, decimals)


def _as_long_texts(columns: Columns, names: Iterable[str]) -> Columns:
    """Return a batch in which some columns are plain texts, as they are in every other batch."""
    return {name: as_texts(column) if name in names else column for name, column in columns.items()}


def _percent_column(sums: NDArray[np.int64], of: NDArray[np.int64], known: NDArray[np.bool_]) -> NumberColumn:
    usable = known & (of > 0)
    whole = np.where(usable, of, 1)
    return NumberColumn(percent(np.where(usable, sums - of, 0), whole), usable, 2)


def _texts_of(result: Result, question: str, evidence: Evidence) -> TextColumn:
    if question not in result.answers:
        return blank_texts(evidence.cells)
    categories = result.categories(question)
    codes = result.answers[question][evidence.block.cell_slice].astype(np.int32)
    return TextColumn(np.where(codes < 0, len(categories) - 1, codes).astype(np.int32), categories)


def _adjudicated(result: Result, evidence: Evidence) -> TextColumn:
    if result.criterion.best_order:
        return _texts_of(result, "overall", evidence)
    codes = result.adjudicated[evidence.block.cell_slice].astype(np.int32)
    words = result.criterion.response_words
    return TextColumn(codes, [words[code] for code in Response])


def _level(result: Result, column: str, evidence: Evidence) -> TextColumn:
    if level_column(result.criterion.name) != column:
        return blank_texts(evidence.cells)
    overall = _texts_of(result, "overall", evidence)
    levels: Mapping[str, str] = result.criterion.levels or {}
    return TextColumn(overall.codes, [levels.get(text, text) for text in overall.values])


def _is_known(name: str, values: NDArray[np.int64], figures: Figures) -> NDArray[np.bool_]:
    """Return where a criterion has a number of its own: a sum of nothing that was measured is blank, and no 0."""
    evidence, known = figures.evidence, figures.evidence.shown & (values != NO_SUM)
    if name == figures.name_of("sum"):
        return np.asarray(known & (figures.summed | (values > 0)))
    if name == figures.name_of("baseline"):
        return np.asarray(known & (figures.summed[evidence.baseline_cell] | (values > 0)))
    return np.asarray(known)


def _has_flag(result: Result, name: str, evidence: Evidence) -> NDArray[np.bool_]:
    names = [rule.name for rule in result.criterion.flags]
    if name not in names:
        return np.zeros(evidence.cells, np.bool_)
    return np.asarray(result.flags[evidence.block.cell_slice] >> np.uint32(names.index(name)) & np.uint32(1) != 0)


def _flags(result: Result, evidence: Evidence) -> TextColumn:
    """Return the names of the flags that hold, and of what a timepoint's place in time says."""
    cells = evidence.block.cell_slice
    names = [rule.name for rule in result.criterion.flags]
    dates, scans = result.progression_date[cells], first_days(evidence)
    late = evidence.follow_up & ~before_new_therapy(evidence)
    backdated = (dates != NO_DATE) & (scans != NO_DATE) & (dates < scans)
    bits = result.flags[cells].astype(np.int64)
    for name, holds in (("after_new_therapy", late), ("pd_backdated", backdated)):
        bits |= holds.astype(np.int64) << len(names)
        names.append(name)
    codes, distinct = distinct_codes(bits)
    texts = [";".join(name for bit, name in enumerate(names) if value >> bit & 1) for value in distinct.tolist()]
    return TextColumn(codes, texts)


__all__ = ["TIMEPOINT_COLUMNS", "TimepointRows", "extra_numbers", "level_column"]
