"""What one row says of its lesion: the state that counts, and the length that it adds to a sum.

How a row is read (design, "Measurement table"): the written state wins over a number; without one, a target
with a number is measured, a non-target or new lesion with a number is present, 0 is absent. Numbers that
contradict the state make the lesion not evaluable; the checks list them.
"""

from enum import IntEnum
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.measurements import Measurements
from response.vocabulary import Role, State, Trend

TOO_SMALL_UM: Final = 5_000  # default where a target is too small to measure (RECIST 1.1, section 4.4; CDISC)
PATHOLOGICAL_NODE_UM: Final = 10_000  # a node with a smaller short axis is normal (RECIST 1.1, section 4.3.1)
TARGET_NODE_UM: Final = 15_000  # smallest short axis of a measurable node (RECIST 1.1, section 3.1)

# States whose number is part of the sum of a target.
SUMMED: Final = (State.MEASURED, State.NORMAL_NODE, State.TOO_SMALL, State.EQUIVOCAL)


class Size(IntEnum):
    """The number of a row, as far as its state depends on it; nodes have classes of their own."""

    NONE = 0
    ZERO = 1
    POSITIVE = 2
    NODE_NORMAL = 3
    NODE_BORDERLINE = 4
    NODE_PATHOLOGICAL = 5


def state_of(role: Role, written: State, size: Size, *, trend: bool = False) -> State:
    """Return the state that counts for one row.

    Parameters
    ----------
    role
        Role of the lesion.
    written
        State as written, blank where none is.
    size
        Class of the number that counts.
    trend
        Whether a trend is recorded, which says that the lesion was seen.
    """
    if written == State.ABSENT:
        return State.ABSENT if size in (Size.NONE, Size.ZERO) else State.NOT_EVALUABLE
    if written in (State.NOT_EVALUABLE, State.SPLIT, State.MERGED, State.RESOLVED):
        return written
    if role == Role.TARGET:
        return _target_state(written, size)
    if written in (State.NOT_SCHEDULED, State.UNEQUIVOCAL_PROGRESSION, State.EQUIVOCAL):
        return written
    return _seen_state(role, written, size, trend=trend)


def _target_state(written: State, size: Size) -> State:
    if written == State.TOO_SMALL and size < Size.NODE_BORDERLINE:
        return State.TOO_SMALL  # a node with a pathological number was measured
    if size == Size.NONE or written == State.NOT_SCHEDULED:
        return State.NOT_EVALUABLE  # a target without a number cannot be summed
    if size == Size.ZERO:
        return State.ABSENT
    if written == State.EQUIVOCAL:
        return State.EQUIVOCAL
    return State.NORMAL_NODE if size == Size.NODE_NORMAL else State.MEASURED


def _seen_state(role: Role, written: State, size: Size, *, trend: bool) -> State:
    if size == Size.ZERO and written in (State.BLANK, State.MEASURED):
        return State.ABSENT
    if size == Size.NODE_NORMAL:
        return State.NORMAL_NODE
    if role == Role.NEW and size == Size.NODE_BORDERLINE:
        return State.BORDERLINE_NODE
    seen = written in (State.PRESENT, State.MEASURED, State.TOO_SMALL) or size >= Size.POSITIVE or trend
    return State.PRESENT if seen else State.NOT_EVALUABLE


def _state_table() -> NDArray[np.int8]:
    table = np.zeros((len(Role), State.MISSING, len(Size), 2), np.int8)
    for role, written, size, trend in product(Role, list(State)[: State.MISSING], Size, (False, True)):
        table[role, written, size, int(trend)] = state_of(role, written, size, trend=trend)
    return table


def counting_length_um(
    measurements: Measurements, nodal: NDArray[np.bool_], rows: NDArray[Any] | None = None
) -> NDArray[np.int32]:
    """Return the length that counts of each row: short axis of a node, longest diameter of any other.

    `NO_NUMBER` where it is not recorded: the longest diameter never stands in for a short axis.

    Parameters
    ----------
    measurements
        The table.
    nodal
        Whether the row is of a node, `[row]`, or in the shape of `rows`.
    rows
        The rows that are asked about, in any shape; all if None.
    """
    single, longest, short = (
        found if found is None or rows is None else found[rows]
        for found in map(measurements.numbers.get, ("diameter_mm", "longest_mm", "short_mm"))
    )
    longest, short = single if longest is None else longest, single if short is None else short
    nothing = np.full(nodal.shape, NO_NUMBER, np.int32) if longest is None or short is None else None
    longest = nothing if longest is None else longest
    short = nothing if short is None else short
    assert longest is not None
    assert short is not None
    lengths = np.where(nodal, short, longest) if nodal.any() else longest
    if single is not None and single is not longest:
        lengths = np.where(lengths == NO_NUMBER, single, lengths)
    return lengths


def read_rows(
    measurements: Measurements, role: NDArray[np.int8], nodal: NDArray[np.bool_]
) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """Return state and counting length of every row.

    Parameters
    ----------
    measurements
        The table.
    role, nodal
        Shape `[row]`: of the lesion that the row belongs to.

    Returns
    -------
    state
        Shape `[row]`, `vocabulary.State`.
    value_um
        Shape `[row]`, what a target adds to its sum, whole micrometres; 0 where nothing.
    """
    lengths = counting_length_um(measurements, nodal)
    written = measurements.code("state")
    size = size_classes(lengths, nodal)
    if nodal.any():
        size[nodal & (written == State.TOO_SMALL) & (size == Size.NONE)] = Size.NODE_NORMAL
    # one small integer per row: role, written state, size and trend, looked up in the table of `state_of`
    index = role.astype(np.uint16)
    index *= State.MISSING * len(Size) * 2
    index += written.astype(np.uint16) * np.uint16(len(Size) * 2)
    size <<= 1
    if "trend" in measurements.codes:
        size |= measurements.codes["trend"] != Trend.BLANK
    index += size
    table = _state_table().ravel()
    state = table.take(index)
    too_small = state == State.TOO_SMALL
    summed = np.isin(np.arange(len(State)), SUMMED)[state] & (role == Role.TARGET)
    value = np.where(summed, lengths, 0)
    if too_small.any():
        value[too_small & (role == Role.TARGET) & (lengths <= 0)] = TOO_SMALL_UM
    return state, value


def size_classes(lengths_um: NDArray[np.int32], nodal: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the `Size` of each length, shape as given."""
    size = (lengths_um >= 0).astype(np.uint8)
    size += lengths_um > 0
    if nodal.any():
        positive = nodal & (lengths_um > 0)
        size += positive
        size += positive & (lengths_um >= PATHOLOGICAL_NODE_UM)
        size += positive & (lengths_um >= TARGET_NODE_UM)
    return size
