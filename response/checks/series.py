"""Edit checks of series: their baseline, their evaluators, and subject ids that are nearly the same."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from response.cells import NO_DATE, NO_ROW, DatePrecision
from response.checks.scene import Check, Scene, iso
from response.findings import Finding
from response.vocabulary import YesNo

# --- baseline


def several_baselines(scene: Scene) -> Iterator[Finding]:
    """Series with more than one timepoint marked as baseline; the last one counts."""
    timeline, measured = scene.timeline, scene.measurements
    marked = np.zeros(len(timeline.visits), np.bool_)
    if "baseline" in measured.codes:
        marked[scene.cell[measured.codes["baseline"][scene.rows] == YesNo.YES]] = True
    if measured.visits is not None:
        with_visit = timeline.visits.visit_row != NO_ROW
        flags = measured.visits.code("baseline") == YesNo.YES
        marked[with_visit] |= flags[timeline.visits.visit_row[with_visit]]
    count = np.bincount(timeline.series_of_cell[marked], minlength=len(timeline.series))

    def make(series: int) -> Finding:
        cells = timeline.cells(series)
        labels = [timeline.visits.labels[code] for code in timeline.visits.label[cells][marked[cells]]]
        return scene.of_series(
            series,
            "several_baselines",
            "warning",
            column="baseline",
            found=", ".join(labels),
            expected="one baseline",
            sentence=f"{len(labels)} timepoints are marked as baseline ({', '.join(labels)}); {labels[-1]} was taken.",
            remedy="Mark one timepoint.",
        )

    return scene.notes(np.flatnonzero(count > 1), make)


def baseline_timing(scene: Scene) -> Iterator[Finding]:
    """Baseline imaging long before, or after, the start of treatment (section 4.1: as close as possible, 4 weeks)."""
    timeline = scene.timeline
    start, cell = timeline.series.start, timeline.baseline_cell
    scan = np.where(cell < 0, NO_DATE, timeline.visits.first_scan[np.maximum(cell, 0)]) if len(cell) else start
    known = (start != NO_DATE) & (scan != NO_DATE)
    known &= (timeline.visits.precision[np.maximum(cell, 0)] == DatePrecision.DAY) if len(cell) else known
    days = np.where(known, start.astype(np.int64) - scan, 0)
    largest = scene.schedule.baseline_days

    def too_old(series: int) -> Finding:
        return scene.of_cell(
            int(cell[series]),
            "baseline_too_old",
            "warning",
            column="date",
            found=f"{iso(scan[series])}, {days[series]} days before the start of treatment",
            expected=f"at most {largest} days before",
            sentence=f"The baseline scan is {days[series]} days older than the start of treatment "
            f"({iso(start[series])}); at most {largest} are allowed.",
            remedy="Check both dates, or look for a later scan before treatment.",
        )

    def too_late(series: int) -> Finding:
        return scene.of_cell(
            int(cell[series]),
            "baseline_after_treatment_start",
            "warning",
            column="date",
            found=f"{iso(scan[series])}, {-days[series]} days after the start of treatment",
            expected=f"on or before {iso(start[series])}",
            sentence=f"The baseline scan lies {-days[series]} days after the start of treatment.",
            remedy="Check both dates, and which scan is the baseline.",
        )

    yield from scene.notes(np.flatnonzero(days > largest), too_old)
    yield from scene.notes(np.flatnonzero(days < 0), too_late)


# --- who


def mixed_evaluators(scene: Scene) -> Iterator[Finding]:
    """Subjects with rows that name an evaluator and rows that do not."""
    series = scene.timeline.series
    blank = np.asarray([not text for text in series.evaluators], np.bool_)[series.evaluator]
    if not blank.any() or blank.all():
        return
    with_rows = np.diff(scene.timeline.track_start) > 0
    unnamed = np.flatnonzero(blank & with_rows)
    hits = unnamed[np.isin(series.subject[unnamed], series.subject[~blank & with_rows])]

    def make(place: int) -> Finding:
        return scene.of_series(
            place,
            "evaluator_mixed",
            "info",
            column="evaluator",
            found="rows with and without evaluator",
            expected="an evaluator on every row, or on none",
            sentence="Some rows of the subject name no evaluator; they were scored as a reading of their own.",
            remedy="Add the evaluator where it is missing.",
        )

    yield from scene.notes(hits, make)


def similar_subjects(scene: Scene) -> Iterator[Finding]:
    """Subject ids that differ only in capitals or blanks."""
    tables = (scene.measurements, scene.measurements.subjects, scene.measurements.collected)
    texts = dict.fromkeys(text for table in tables if table is not None for text in table.text_column("subject").values)
    if len({text.casefold().replace(" ", "") for text in texts}) == len(texts):
        return
    by_fold: dict[str, list[str]] = {}
    for text in texts:
        by_fold.setdefault("".join(text.casefold().split()), []).append(text)
    for names in by_fold.values():
        if len(names) > 1:
            told = " and ".join(f"'{name}'" for name in sorted(names))
            yield Finding(
                id="similar_subjects",
                severity="warning",
                subject=sorted(names)[0],
                column="subject",
                found=told,
                expected="one id for each subject",
                sentence=f"The subject ids {told} differ only in capitals or blanks; they count as different subjects.",
                remedy="Correct the id, if they are one person.",
            )


SERIES_CHECKS: Final[tuple[Check, ...]] = (
    several_baselines,
    baseline_timing,
    mixed_evaluators,
    similar_subjects,
)
