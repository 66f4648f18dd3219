"""Which timepoint is the baseline of a series.

The marked one, else the last on or before the start of treatment, else one labelled so, else the first.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE
from response.keys import is_baseline_label
from response.vocabulary import Role, YesNo

if TYPE_CHECKING:
    from response.arrange import Arrangement

NO_BASELINE: Final = -1


def find_baselines(arranged: "Arrangement") -> NDArray[np.int32]:
    """Return the place of the baseline of each series, and note where there is none."""
    marked, called = _marks(arranged)
    dated = arranged.first != NO_DATE
    start = arranged.subject_dates["start"][arranged.cell_series]
    before = (start != NO_DATE) & dated & (arranged.first <= start)
    baseline = choose_baselines(arranged.cell_start, (marked, before, called))
    first_cell = np.minimum(arranged.cell_start[:-1], len(arranged.first) - 1)
    late = (arranged.subject_dates["start"] != NO_DATE) & dated[first_cell]  # every scan is after the start
    unlabelled = _lacks_the_baseline_of_others(arranged, called)
    baseline[(baseline < 0) & ~late & ~unlabelled] = 0
    known = marked | called | (arranged.visit_row >= 0) | ~_only_new_lesions(arranged)
    # a timepoint that shows nothing but new lesions, and that nobody marked, is no baseline
    baseline[~known[first_cell + np.maximum(baseline, 0)]] = NO_BASELINE
    for series in np.flatnonzero(baseline == NO_BASELINE).tolist():
        arranged.note(
            "no_baseline",
            "error",
            series,
            found="no timepoint that can be the baseline",
            expected="a timepoint on or before the start of treatment, or one marked as baseline",
            sentence="The subject has no baseline, so no response can be computed.",
            remedy="Add the baseline scan, or mark it with Y in the column baseline.",
        )
    return baseline


def choose_baselines(start: NDArray[np.int64], candidates: Sequence[NDArray[np.bool_]]) -> NDArray[np.int32]:
    """Return the place of the baseline of each series: the last timepoint of the first kind that it has.

    Parameters
    ----------
    start
        Shape `[series + 1]`: where the cells of each series start.
    candidates
        Kinds of candidates, each `[cell]`, the best first.
    """
    baseline = np.full(len(start) - 1, NO_BASELINE, np.int32)
    for flags in reversed(candidates):
        cells = np.flatnonzero(flags)
        series = np.searchsorted(start, cells, side="right") - 1
        last = np.full(len(baseline), NO_BASELINE, np.int32)
        last[series] = cells - start[series]  # ascending, so the last one stays
        baseline = np.where(last == NO_BASELINE, baseline, last)
    return baseline


def _lacks_the_baseline_of_others(arranged: "Arrangement", called: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which series have no visit called baseline in a table where at least half of the series have one."""
    has_one = np.zeros(len(arranged.series_keys), np.bool_)
    has_one[arranged.cell_series[called]] = True
    return ~has_one & (2 * np.count_nonzero(has_one) >= len(has_one))


def _only_new_lesions(arranged: "Arrangement") -> NDArray[np.bool_]:
    """Return which cells have rows of new lesions only."""
    new = np.flatnonzero(arranged.measurements.code("role") == Role.NEW)
    only = np.zeros(len(arranged.cell_series), np.bool_)
    only[arranged.cell_of_row[new]] = True
    if len(new):
        rows = np.flatnonzero(only[arranged.cell_of_row])
        others = rows[arranged.measurements.code("role")[rows] != Role.NEW]
        only[arranged.cell_of_row[others]] = False
    return only


def _marks(arranged: "Arrangement") -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which cells are marked as baseline, and which have a label that says so."""
    measured = arranged.measurements
    marked = np.zeros(len(arranged.cell_series), np.bool_)
    if "baseline" in measured.codes:
        marked[arranged.cell_of_row[measured.codes["baseline"] == YesNo.YES]] = True
    if measured.visits is not None:
        with_visit = arranged.visit_row >= 0
        flags = measured.visits.code("baseline") == YesNo.YES
        marked[with_visit] |= flags[arranged.visit_row[with_visit]]
    called = np.asarray([is_baseline_label(text) for text in arranged.label.texts], np.bool_)
    return marked, called[arranged.cell_label]
