"""Lesions by their uptake of FDG, and what the criteria for FDG-PET share; sizes play no part.

How a lesion is read: with an uptake it is there, whatever its size; without one (0, or written `absent`) it cannot be
told from the background; a target whose uptake was not measured is not evaluable. What is written `absent` although it
takes up as much as the background is still there. Rows that count for nothing (contradictions, lesions after local
therapy) do not count here either.
"""

from dataclasses import replace
from enum import IntEnum
from functools import cached_property
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import Burden, Fact, LesionClass, facts_at, lesion_classes
from response.criteria.criterion import Number
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of
from response.criteria.sums import (
    NEW,
    TARGETS,
    SumState,
    narrow_number,
)
from response.lineage import fragment_roots
from response.vocabulary import PMD, PMR, State

_OTHERS: Final = (LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE, *NEW)
_BY_SIZE: Final = (  # what the size of a lesion, or the lack of one, makes of it
    *(State.MEASURED, State.TOO_SMALL, State.ABSENT, State.PRESENT, State.NOT_EVALUABLE),
    *(State.NORMAL_NODE, State.BORDERLINE_NODE, State.EQUIVOCAL),
)
_NOT_LOOKED_AT: Final = (State.NOT_EVALUABLE, State.NOT_SCHEDULED)
_TAKING_UP: Final = (State.MEASURED, State.EQUIVOCAL)
_LARGEST: Final = 2**31 - 1  # of the numbers of a table
_SEEN: Final = (State.BLANK, State.MEASURED, State.PRESENT, State.TOO_SMALL)


class Uptake(IntEnum):
    """What is recorded of the uptake of a lesion."""

    NOT_MEASURED = 0
    NONE = 1
    SOME = 2


def state_by_uptake(lesion: LesionClass, read: State, written: State, uptake: Uptake) -> State:
    """Return the state of a lesion on FDG-PET.

    Parameters
    ----------
    lesion
        What it is.
    read, written
        Its state as it is by its size, and as it was written.
    uptake
        What is recorded of its uptake.
    """
    if written == State.ABSENT:
        return State.ABSENT
    if read not in _BY_SIZE:  # split, merged, proved no tumour, progressed unequivocally, without a row
        return read
    if lesion in TARGETS:
        return _target_state(written, uptake)
    if lesion in _OTHERS and written in _SEEN and uptake != Uptake.NOT_MEASURED:
        return State.PRESENT if uptake == Uptake.SOME else State.ABSENT
    return read


def _target_state(written: State, uptake: Uptake) -> State:
    if written in _NOT_LOOKED_AT:
        return State.NOT_EVALUABLE
    if uptake == Uptake.SOME:
        return State.EQUIVOCAL if written == State.EQUIVOCAL else State.MEASURED
    return State.ABSENT if uptake == Uptake.NONE else State.NOT_EVALUABLE


def _state_table() -> NDArray[np.int8]:
    """Return `state_by_uptake` of every class of lesion, state read, state written and uptake."""
    table = np.zeros((len(LesionClass), len(State), len(State), len(Uptake)), np.int8)
    for found in product(LesionClass, State, State, Uptake):
        table[found] = state_by_uptake(*found)
    return table


_STATES: Final = _state_table()
_WRITTEN, _READ, _CLASS = (np.uint16(size) for size in np.cumprod(_STATES.shape[:0:-1]))  # steps in the table


def uptake_burden(
    block: Block, column: str, combined: np.ufunc = np.add, background: NDArray[np.int64] | None = None
) -> Burden:
    """Return the lesions of a block with their uptake as contribution, in thousandths.

    Parameters
    ----------
    block
        The block.
    column
        Column of the measurement table with the uptake.
    combined
        What is made of the uptake of the targets: `numpy.add` or `numpy.maximum`.
    background
        Uptake from which a lesion is there although it is written absent, `NO_NUMBER` where it is not known;
        `[series, timepoint]`.
    """
    classes = lesion_classes(block)
    if column in block.timeline.measurements.numbers:
        uptake = narrow_number(block, column)
        state = _states(block, classes, uptake)
        if background is not None:
            _keep_above(block, background, classes, uptake, state)
        value = uptake * (is_one_of(state, _TAKING_UP) & is_one_of(classes, TARGETS)[:, None])
        total = block.reduce(combined, value, dtype=np.int64)
    else:  # nothing adds anything
        state = _states(block, classes)
        value, total = np.zeros(state.shape, np.int32), np.zeros(block.shape, np.int64)
    facts = block.reduce(np.bitwise_or, facts_at(classes, state))
    return Burden(block=block, classes=classes, state=state, value_um=value, facts=facts, sum_um=total)


def _states(block: Block, classes: NDArray[np.uint8], uptake: NDArray[np.int32] | None = None) -> NDArray[np.int8]:
    """Return the states of lesions by their uptake; None: that of no lesion was measured."""
    index = block.spot_values(block.timeline.state, State.UNKNOWN).astype(np.uint16)
    index *= _READ
    index += (classes * _CLASS)[:, None]
    written = block.timeline.measurements.codes.get("state")
    if written is not None:
        index += block.once("written_states", lambda: block.lesion(written, State.BLANK)).astype(np.uint16) * _WRITTEN
    if uptake is not None:
        index += uptake >= 0
        index += uptake > 0
    state = _STATES.ravel().take(index)
    state[block.barred] = State.NOT_EVALUABLE
    return state


def _keep_above(
    block: Block,
    background: NDArray[np.int64],
    classes: NDArray[np.uint8],
    uptake: NDArray[np.int32],
    state: NDArray[np.int8],
) -> None:
    """Keep lesions that are written absent, but take up as much as the background; changes the states in place.

    A target is measured, a non-target present; a new lesion contradicts itself and is not evaluable.
    """
    absent = np.flatnonzero((state == State.ABSENT) & (uptake > 0))
    tracks, places = np.divmod(absent, max(block.timepoints, 1))
    level = background[block.series_of_track[tracks], places]
    above = (level != NO_NUMBER) & (uptake[tracks, places] >= level)
    tracks, places = tracks[above], places[above]
    kept = np.full(len(LesionClass), State.PRESENT, np.int8)
    kept[list(TARGETS)], kept[list(NEW)] = State.MEASURED, State.NOT_EVALUABLE
    state[tracks, places] = kept[classes[tracks]]


def hottest_part(burden: Burden) -> Burden:
    """Return a burden in which of each target that split the hottest part counts, for uptake does not add up."""
    block, tracks = burden.block, burden.block.timeline.tracks
    part = block.track_slice
    fragments = np.flatnonzero(tracks.fragment[part] & is_one_of(burden.classes, TARGETS))
    if not len(fragments):
        return burden
    value = burden.value_um.copy()
    root = fragment_roots(tracks.parent, tracks.fragment)[part][fragments]
    for lesion in np.unique(root).tolist():
        parts = fragments[root == lesion]
        cooler = np.arange(len(parts))[:, None] != value[parts].argmax(axis=0)
        value[parts] = np.where(cooler, 0, value[parts])
    return replace(burden, value_um=value, sum_um=block.reduce(np.add, value, dtype=np.int64))


def narrow_bound(bound: NDArray[np.int64], known: Flags) -> NDArray[np.int32]:
    """Return bounds of lesions, `[track, 1]`, as values are compared with them; none is above one that is not known.

    They are as narrow as the values, for numpy would widen all of those before it compares.
    """
    return np.where(known, np.minimum(bound, _LARGEST), _LARGEST).astype(np.int32)


def total(burden: Burden, column: str) -> tuple[NDArray[np.int64], Flags]:
    """Return the sum of a column over the targets that take up, and whether it is known of all of them."""
    values = narrow_number(burden.block, column)
    takes_up = burden.value_um > 0
    unknown = takes_up & (values == NO_NUMBER)
    summed = burden.block.reduce(np.add, values * (takes_up & ~unknown), dtype=np.int64)
    return summed, np.asarray((~burden.block.some(unknown)) & burden.all_assessed)


class MetabolicState(SumState):
    """What the rules of the criteria for FDG-PET ask; the `sum` is of uptake, in thousandths."""

    unit: str = "SUV"

    @cached_property
    def gone(self) -> Flags:
        """No target can be told from the background."""
        return self.all_assessed & self.all_gone

    @cached_property
    def everything_gone(self) -> Flags:
        """Nor can any other lesion, and new ones were looked for."""
        left = Fact.NON_TARGET_PRESENT | Fact.NON_TARGET_MISSING | Fact.NON_TARGET_UNPROVEN
        return self.gone & ~self.burden.has(left) & self.no_new_lesion

    @cached_property
    def new_lesion(self) -> Flags:
        """A new lesion takes up."""
        return self.is_("new_lesion", "Yes")

    @cached_property
    def non_target_progression(self) -> Flags:
        """A lesion that is not measured progresses."""
        return self.burden.has(Fact.NON_TARGET_PROGRESSION)

    def thresholds(self, place: int) -> list[str]:
        """Return how far a timepoint of a single series is from PMR and PMD."""
        return [text.replace("PR ", f"{PMR} ").replace("PD ", f"{PMD} ") for text in super().thresholds(place)]


def uptake_numbers(prefix: str, unit: str) -> tuple[Number, ...]:
    """Return the numbers of a criterion that follows the uptake."""
    sums = (Number(f"{prefix}_{name}", unit) for name in ("sum", "baseline", "nadir"))
    return (*sums, Number(f"{prefix}_unmeasured", "count"))


def uptake_values(prefix: str, state: SumState) -> dict[str, NDArray[np.int64]]:
    """Return the numbers of `uptake_numbers` at each timepoint, in thousandths."""
    burden = state.burden
    baseline = np.asarray(np.broadcast_to(burden.baseline_um, state.shape))
    sums = {"sum": burden.sum_um, "baseline": baseline, "nadir": burden.nadir_um, "unmeasured": state.unmeasured}
    return {f"{prefix}_{name}": values for name, values in sums.items()}
