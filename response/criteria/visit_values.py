"""Numbers of the visit table, at the timepoints of a block and at their baseline; some lesions of many."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.rules import Flags
from response.timeline import NO_ROW, Block

_FEW: Final = 32  # one lesion of so many: picking them out is faster than asking all


def visit_numbers(block: Block, name: str) -> NDArray[np.int64]:
    """Return a number column of the visit table in thousandths, `NO_NUMBER` where blank; `[series, timepoint]`."""
    visits = block.timeline.measurements.visits
    if visits is None or name not in visits.numbers or not len(visits):
        return np.full(block.shape, NO_NUMBER, np.int64)
    rows = block.cell_values(block.timeline.visits.visit_row, NO_ROW)
    values: NDArray[np.int64] = visits.numbers[name].take(np.maximum(rows, 0)).astype(np.int64)
    np.copyto(values, NO_NUMBER, where=rows == NO_ROW)
    return values


def at_baseline(block: Block, values: NDArray[Any]) -> NDArray[Any]:
    """Return the values at baseline, `[series, 1]`, of values `[series, timepoint]`."""
    return np.take_along_axis(values, np.maximum(block.baseline, 0).astype(np.int64), axis=1)


def lesions_at_baseline(block: Block, values: NDArray[Any]) -> NDArray[Any]:
    """Return each lesion's value at baseline, `[track, 1]`, of values `[track, timepoint]`."""
    place = np.maximum(block.per_track(block.baseline), 0).astype(np.int64)
    return np.take_along_axis(values, place, axis=1)


def any_lesion(block: Block, chosen: Flags) -> Flags:
    """Return where some lesion is meant, `[track, timepoint]` to `[series, timepoint]`."""
    cells = _few_cells(block, chosen)
    if cells is None:
        return block.reduce(np.logical_or, chosen, np.bool_)
    found = np.zeros(block.shape, np.bool_)
    found.ravel()[cells] = True
    return found


def count_lesions(block: Block, chosen: Flags) -> NDArray[np.int64]:
    """Return how many lesions are meant, `[track, timepoint]` to `[series, timepoint]`."""
    cells = _few_cells(block, chosen)
    if cells is None:
        return block.reduce(np.add, chosen, dtype=np.int64)
    series, timepoints = block.shape
    return np.bincount(cells, minlength=series * timepoints).reshape(block.shape)


def _few_cells(block: Block, chosen: Flags) -> NDArray[np.int64] | None:
    """Return the cell of each lesion that is meant, if they are few."""
    if np.count_nonzero(chosen) * _FEW > chosen.size:
        return None
    tracks, places = np.divmod(np.flatnonzero(chosen), max(block.timepoints, 1))
    return np.asarray(block.series_of_track[tracks] * np.int64(block.timepoints) + places)
