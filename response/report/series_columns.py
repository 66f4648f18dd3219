"""What the tables of results say of a series: subject, site, evaluator, and from which day its days are counted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, DatePrecision
from response.report.columns import blank_texts, yes_or_blank
from response.table import TextColumn
from response.timeline import Timeline


def series_columns(timeline: Timeline, series: NDArray[Any]) -> dict[str, TextColumn]:
    """Return the columns `subject`, `site`, `evaluator` and `accepted` of some series, one per row.

    Parameters
    ----------
    timeline
        The trial.
    series
        Shape `[row]`, of neighbouring series: only their subjects come along.
    """
    subject = timeline.series.subject[series]
    low, high = (int(subject.min()), int(subject.max()) + 1) if len(subject) else (0, 0)
    return {
        "subject": TextColumn(subject - np.int32(low), timeline.series.subjects[low:high]),
        "site": site_of(timeline, timeline.series.subject_row[series]),
        "evaluator": TextColumn(timeline.series.evaluator[series], timeline.series.evaluators),
        "accepted": yes_or_blank(timeline.series.accepted[series]),
    }


def site_of(timeline: Timeline, subject_row: NDArray[Any]) -> TextColumn:
    """Return the site that the subject table gives, blank where it gives none; one per row of `subject_row`."""
    subjects = timeline.measurements.subjects
    if subjects is None or not subjects.has("site"):
        return blank_texts(len(subject_row))
    sites = subjects.text_column("site")
    codes = np.where(subject_row < 0, len(sites.values), sites.codes[subject_row])
    return TextColumn(codes.astype(np.int32), [*sites.values, ""])


def start_days(timeline: Timeline) -> NDArray[np.int32]:
    """Return the day from which study days are counted, `NO_DATE` where it is not a whole date; `[series]`."""
    start = timeline.series.start.copy()
    subjects = timeline.measurements.subjects
    if subjects is None:
        return start
    row = timeline.series.subject_row
    treated = timeline.series.treatment_start != NO_DATE
    precision = np.where(
        treated, subjects.date("treatment_start").precision[row], subjects.date("randomisation").precision[row]
    )
    start[precision != DatePrecision.DAY] = NO_DATE
    return start


def unmeasured_subjects(timeline: Timeline) -> tuple[NDArray[np.int64], list[str]]:
    """Return the rows and ids of the subject table that the timeline does not know, by id."""
    subjects = timeline.measurements.subjects
    if subjects is None:
        return np.zeros(0, np.int64), []
    known = set(timeline.series.subjects)
    rows = {text: row for row, text in enumerate(subjects.text_column("subject").texts()) if text and text not in known}
    return np.asarray([rows[text] for text in sorted(rows)], np.int64), sorted(rows)
