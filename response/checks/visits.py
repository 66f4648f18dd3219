"""Edit checks of timepoints: dates, schedule, visits without measurements, responses after new therapy."""

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, NO_ROW, DatePrecision, iso_texts
from response.checks.scene import Check, Flags, Scene, iso
from response.findings import Finding
from response.keys import has_number, is_baseline_label
from response.registry import STANDARD
from response.vocabulary import Response, Role, YesNo

SCANS_APART_DAYS: Final = 28  # scans of one timepoint that lie further apart are probably two timepoints
_CODE: Final = re.compile(r"9\d\d(\.\d+)?")  # 999 and the like are codes of unscheduled visits, not their number
_FIGURES: Final = re.compile(r"\d+(\.\d+)?")
_SUBJECT_DATES: Final = ("treatment_start", "randomisation", "new_therapy", "clinical_progression", "death")


# --- dates


def dates_out_of_order(scene: Scene) -> Iterator[Finding]:
    """Series whose dates and visit labels disagree about the order; told once for each series."""
    visits = scene.timeline.visits
    series, before, after = _disordered(scene)

    def make(place: int) -> Finding:
        names = [visits.labels[visits.label[cell]] for cell in (int(after[place]), int(before[place]))]
        days = [iso(visits.first_scan[cell]) for cell in (int(after[place]), int(before[place]))]
        return scene.of_series(
            int(series[place]),
            "dates_out_of_order",
            "info" if _CODE.fullmatch(names[1]) else "warning",
            column="date",
            found=f"{names[0]} on {days[0]}, {names[1]} on {days[1]}",
            expected="dates in the order of the visits",
            sentence=f"Timepoint {names[0]} is dated {days[0]}, after timepoint {names[1]} ({days[1]}); the dates "
            "decided the order.",
            remedy="Correct the dates, or the visits.",
        )

    return scene.notes(np.arange(len(series)), make)


def _disordered(scene: Scene) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the series whose labels fall back, and the first two cells of each that show it."""
    timeline, visits = scene.timeline, scene.timeline.visits
    kinds = {kind: place for place, kind in enumerate(dict.fromkeys(_kind(label) for label in visits.labels))}
    kind = np.asarray([kinds[_kind(label)] for label in visits.labels], np.int32)[visits.label]
    comparable = np.asarray([has_number(label) for label in visits.labels], np.bool_)[visits.label]
    comparable &= (visits.precision == DatePrecision.DAY) & ~_unscheduled(scene)
    cells = np.flatnonzero(comparable)
    one, other = cells[:-1], cells[1:]
    same = (timeline.series_of_cell[one] == timeline.series_of_cell[other]) & (kind[one] == kind[other])
    wrong = same & (visits.label[one] > visits.label[other])  # labels stand in the order of their numbers
    hits = np.flatnonzero(wrong)
    series, first = np.unique(timeline.series_of_cell[one[hits]], return_index=True)
    return series, one[hits[first]], other[hits[first]]


def _kind(label: str) -> str:
    """Return a label without its figures: labels of one kind can be compared."""
    return "" if is_baseline_label(label) else _FIGURES.sub("#", label.casefold())


def _unscheduled(scene: Scene) -> Flags:
    """Return which timepoints are unscheduled, by the visit table or their label; `[cell]`."""
    visits, table = scene.timeline.visits, scene.measurements.visits
    told = np.asarray(["unsch" in label.casefold() for label in visits.labels], np.bool_)[visits.label]
    if table is not None:
        with_visit = visits.visit_row != NO_ROW
        told[with_visit] |= (table.code("unscheduled") == YesNo.YES)[visits.visit_row[with_visit]]
    return told


def dates_in_future(scene: Scene) -> Iterator[Finding]:
    """Scans, and dates of subjects, after today."""
    last, today = scene.timeline.visits.last_scan, scene.today

    def make(cell: int) -> Finding:
        return scene.of_cell(
            cell,
            "date_in_future",
            "error",
            column="date",
            found=iso(last[cell]),
            expected=f"at most {iso(today)}",
            sentence=f"The scan date {iso(last[cell])} lies in the future.",
            remedy="Correct the date.",
        )

    yield from scene.notes(np.flatnonzero(last > today), make)
    table = scene.measurements.subjects
    for name in _SUBJECT_DATES if table is not None else ():
        assert table is not None
        days = table.date(name).days

        def of_subject(row: int, name: str = name, days: Any = days) -> Finding:
            assert table is not None
            return scene.of_record(
                table,
                row,
                "date_in_future",
                "error",
                column=name,
                found=iso(days[row]),
                expected=f"at most {iso(today)}",
                sentence=f"{name} ({iso(days[row])}) lies in the future.",
                remedy="Correct the date.",
            )

        yield from scene.notes(np.flatnonzero(days > today), of_subject)


def unclear_dates(scene: Scene) -> Iterator[Finding]:
    """Partial dates, and missing ones where no order had to be found without them."""
    visits, timeline = scene.timeline.visits, scene.timeline
    partial = (visits.precision != DatePrecision.DAY) & (visits.first_scan != NO_DATE)
    single = np.diff(timeline.cell_start)[timeline.series_of_cell] == 1  # of several the timeline tells

    def partly(cell: int) -> Finding:
        precision = visits.precision[cell : cell + 1]
        return scene.of_cell(
            cell,
            "date_partial",
            "info",
            column="date",
            found=iso_texts(visits.first_scan[cell : cell + 1], precision)[0],
            expected="a whole date",
            sentence="The scan date is partial; durations count from its first possible day.",
            remedy="Complete the date.",
        )

    def missing(cell: int) -> Finding:
        return scene.of_cell(
            cell,
            "date_missing",
            "info",
            column="date",
            found="blank",
            expected="a scan date",
            sentence="The timepoint has no date.",
            remedy="Add the scan date.",
        )

    yield from scene.notes(np.flatnonzero(partial), partly)
    yield from scene.notes(np.flatnonzero((visits.first_scan == NO_DATE) & single), missing)


def scans_far_apart(scene: Scene) -> Iterator[Finding]:
    """Timepoints whose scans are weeks apart."""
    visits = scene.timeline.visits
    known = (visits.first_scan != NO_DATE) & (visits.last_scan != NO_DATE) & (visits.precision == DatePrecision.DAY)
    days = np.where(known, visits.last_scan.astype(np.int64) - visits.first_scan, 0)

    def make(cell: int) -> Finding:
        first, last = iso(visits.first_scan[cell]), iso(visits.last_scan[cell])
        return scene.of_cell(
            cell,
            "scans_far_apart",
            "warning",
            column="date",
            found=f"{first} to {last}",
            expected=f"at most {SCANS_APART_DAYS} days",
            sentence=f"The scans of this timepoint are {days[cell]} days apart ({first} to {last}).",
            remedy="Check the dates, and whether these are two timepoints.",
        )

    return scene.notes(np.flatnonzero((days > SCANS_APART_DAYS) & (visits.last_scan <= scene.today)), make)


# --- schedule


def out_of_window(scene: Scene) -> Iterator[Finding]:
    """Timepoints outside the window of the schedule (`[schedule]` of the protocol)."""
    every, window = scene.schedule.every_days, scene.schedule.window_days
    if every <= 0:
        return
    timeline, visits = scene.timeline, scene.timeline.visits
    reference = _reference(scene)[timeline.series_of_cell]
    planned = scene.follow_up & (visits.precision == DatePrecision.DAY) & (reference != NO_DATE)
    planned &= ~_unscheduled(scene) & visits.done
    since = np.where(planned, visits.first_scan.astype(np.int64) - reference, 0)
    number = np.maximum((2 * since + every) // (2 * every), 1)  # the planned visit that is nearest
    by_label = _visit_numbers(scene)
    known = planned & (by_label > 0) & ~np.isin(timeline.series_of_cell, _disordered(scene)[0])
    near = np.abs(since - by_label * every) <= window
    if known.any() and 2 * np.count_nonzero(near & known) >= np.count_nonzero(known):
        number = np.where(known, by_label, number)  # the labels do count the visits of the schedule
    away = since - number * every

    def make(cell: int) -> Finding:
        due = int(reference[cell]) + int(number[cell]) * every
        days = f"{abs(int(away[cell]))} days {'late' if away[cell] > 0 else 'early'}"
        return scene.of_cell(
            cell,
            "out_of_window",
            "warning",
            column="date",
            found=f"{iso(visits.first_scan[cell])}, {days}",
            expected=f"{iso(due)}, give or take {window} days",
            sentence=f"The scan is {days}: it was planned for {iso(due)}, give or take {window} days.",
            remedy="Check the date; where it is right, record the deviation.",
        )

    yield from scene.notes(np.flatnonzero(planned & (np.abs(away) > window)), make)


def _reference(scene: Scene) -> NDArray[Any]:
    series, cell = scene.timeline.series, scene.timeline.baseline_cell
    chosen = {
        "treatment_start_or_randomisation": series.start,
        "treatment_start": series.treatment_start,
        "randomisation": series.randomisation,
    }.get(scene.schedule.reference, np.full(len(series), NO_DATE, np.int32))
    baseline = scene.timeline.visits.first_scan[np.maximum(cell, 0)]
    return np.where((chosen == NO_DATE) & (cell >= 0), baseline, chosen)


def _visit_numbers(scene: Scene) -> NDArray[np.int64]:
    """Return which follow-up visit each label says it is, counted from the baseline's; 0 where it does not say."""
    visits, timeline = scene.timeline.visits, scene.timeline
    numbers = np.asarray([int(text) if text.isascii() and text.isdigit() else -1 for text in visits.labels], np.int64)
    number, baseline = numbers[visits.label], timeline.baseline_cell[timeline.series_of_cell]
    of_baseline = np.where(baseline < 0, -1, number[np.maximum(baseline, 0)])
    return np.where((number >= 0) & (of_baseline >= 0), number - of_baseline, 0)


def visits_without_measurements(scene: Scene) -> Iterator[Finding]:
    """Visits that were done, but have no row of any lesion although some are known."""
    timeline = scene.timeline
    known = np.zeros(len(timeline.series), np.bool_)
    disease = timeline.tracks.counted & (timeline.tracks.role != Role.NEW)
    known[timeline.series_of_track[disease]] = True
    empty = scene.follow_up & timeline.visits.done & (scene.rows_of_cell == 0) & known[timeline.series_of_cell]

    def make(cell: int) -> Finding:
        return scene.of_cell(
            cell,
            "visit_without_measurements",
            "info" if scene.after_pd[cell] else "warning",
            found="no row",
            expected="rows of the known lesions, or N in the column done",
            sentence="The visit has no measurements; all lesions were taken as not assessed.",
            remedy="Add the measurements, or mark the visit as not done.",
        )

    return scene.notes(np.flatnonzero(empty), make)


def responses_after_new_therapy(scene: Scene) -> Iterator[Finding]:
    """Responses from the first day of a new therapy on; they do not count for the best response."""
    timeline = scene.timeline
    codes = scene.assessment.results[STANDARD].responses()
    therapy = timeline.series.new_therapy[timeline.series_of_cell]
    scans = timeline.visits.first_scan
    late = scans > therapy if scene.options.same_day_new_therapy == "include" else scans >= therapy
    after = (therapy != NO_DATE) & (scans != NO_DATE) & late
    hits = np.flatnonzero(after & np.isin(codes, (Response.CR, Response.PR)))

    def make(cell: int) -> Finding:
        return scene.of_cell(
            cell,
            "response_after_new_therapy",
            "info",
            column="new_therapy",
            found=f"{Response(int(codes[cell])).name} on {iso(scans[cell])}",
            expected=f"assessments before {iso(therapy[cell])}",
            sentence=f"The response comes after the start of a new therapy ({iso(therapy[cell])}) and does not count.",
            remedy="Check the date of the new therapy.",
        )

    return scene.notes(hits, make)


VISIT_CHECKS: Final[tuple[Check, ...]] = (
    dates_out_of_order,
    dates_in_future,
    unclear_dates,
    scans_far_apart,
    out_of_window,
    visits_without_measurements,
    responses_after_new_therapy,
)
