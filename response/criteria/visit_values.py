"""Numbers of the visit table, at the timepoints of a block and at their baseline."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.rules import Flags
from response.timeline import NO_ROW, Block


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
    return block.some(np.broadcast_to(chosen, block.row.shape))
