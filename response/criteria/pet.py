"""Lesions by their uptake of FDG: which are there, and what each adds; sizes play no part."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import Burden, LesionClass, lesion_classes
from response.criteria.sums import NEW, TARGETS, lesion_number
from response.timeline import NO_ROW, Block
from response.vocabulary import State

_OTHERS: Final = (LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE, *NEW)
_BY_UPTAKE: Final = (
    *(State.MEASURED, State.PRESENT, State.NOT_EVALUABLE),
    *(State.NORMAL_NODE, State.BORDERLINE_NODE, State.TOO_SMALL),
)
_WRITTEN: Final = (State.BLANK, State.MEASURED, State.PRESENT)


def uptake_burden(block: Block, column: str) -> Burden:
    """Return the lesions of a block with their uptake as contribution, in thousandths.

    A lesion written `absent` cannot be told from the background. One with an uptake is there, whatever its size; a
    target without one could not be measured.

    Parameters
    ----------
    block
        The block.
    column
        Column of the measurement table with the uptake.
    """
    classes = lesion_classes(block)
    read = block.spot_values(block.timeline.state, State.UNKNOWN)
    written = block.lesion(block.timeline.measurements.code("state"), State.BLANK)
    uptake = lesion_number(block, column)
    open_ = (block.row != NO_ROW) & np.isin(read, _BY_UPTAKE)
    by_uptake = open_ & np.isin(written, _WRITTEN)
    there = by_uptake & (uptake > 0)
    target = np.isin(classes, TARGETS)[:, None]
    other = np.isin(classes, _OTHERS)[:, None]
    state = np.where(there & target, np.int8(State.MEASURED), read)
    state = np.where(there & other, np.int8(State.PRESENT), state)
    state = np.where(by_uptake & (uptake == 0), np.int8(State.ABSENT), state)
    state = np.where(open_ & target & (uptake == NO_NUMBER), np.int8(State.NOT_EVALUABLE), state)
    state = np.where((block.row != NO_ROW) & (written == State.ABSENT), np.int8(State.ABSENT), state).astype(np.int8)
    value = np.where(target & (state == State.MEASURED), uptake, 0)
    return Burden.of(block, state, value.astype(np.int32))


def hottest(burden: Burden) -> NDArray[np.int64]:
    """Return the uptake of the hottest target, 0 where none takes up; `[series, timepoint]`."""
    return burden.block.reduce(np.maximum, burden.value_um, dtype=np.int64)


def total(block: Block, burden: Burden, column: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the sum of a column over the targets that take up, and whether all of them have it."""
    values = lesion_number(block, column)
    takes_up = np.isin(burden.classes, TARGETS)[:, None] & (burden.state == State.MEASURED)
    summed = block.reduce(np.add, np.where(takes_up & (values != NO_NUMBER), values, 0), dtype=np.int64)
    without = block.reduce(np.logical_or, takes_up & (values == NO_NUMBER), np.bool_)
    return summed, np.asarray(~without & burden.all_assessed)
