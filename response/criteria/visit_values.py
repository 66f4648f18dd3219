"""Numbers of the visit table, at the timepoints of a block and at their baseline."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER, NO_ROW
from response.criteria.rules import Flags


def visit_numbers(block: Block, name: str) -> NDArray[np.int64]:
    """Return a number column of the visit table in thousandths, `NO_NUMBER` where blank; `[series, timepoint]`."""
    return block.once(f"visit_numbers:{name}", lambda: _visit_numbers(block, name))


def _visit_numbers(block: Block, name: str) -> NDArray[np.int64]:
    visits = block.timeline.measurements.visits
    if visits is None or name not in visits.numbers or not len(visits):
        return np.full(block.shape, NO_NUMBER, np.int64)
    rows = block.cell_values(block.timeline.visits.visit_row, NO_ROW)
    values: NDArray[np.int64] = visits.numbers[name].take(np.maximum(rows, 0)).astype(np.int64)
    np.copyto(values, NO_NUMBER, where=rows == NO_ROW)
    return values


def has_visit_numbers(block: Block, *names: str) -> bool:
    """Return whether the visit table has one of some number columns."""
    visits = block.timeline.measurements.visits
    return visits is not None and any(name in visits.numbers for name in names)


def at_places(values: NDArray[Any], places: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return the values of each series at places of its own, in their shape; the first one for a place below 0.

    As `numpy.take_along_axis` along time, but by a single index, which takes half the time.
    """
    starts = np.arange(len(values))[:, None] * values.shape[1]
    return np.asarray(values.reshape(-1).take(np.maximum(places, 0) + starts))


def at_baseline(block: Block, values: NDArray[Any]) -> NDArray[Any]:
    """Return the values at baseline, `[series, 1]`, of values `[series, timepoint]`."""
    return at_places(values, block.baseline)


def lesions_at_baseline(block: Block, values: NDArray[Any]) -> NDArray[Any]:
    """Return each lesion's value at baseline, `[track, 1]`, of values `[track, timepoint]`."""
    return at_places(values, block.once("baseline_of_lesions", lambda: block.per_track(block.baseline)))


def any_lesion(block: Block, chosen: Flags) -> Flags:
    """Return where some lesion is meant, `[track, timepoint]` to `[series, timepoint]`."""
    return block.some(np.broadcast_to(chosen, block.row.shape))
