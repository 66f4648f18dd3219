"""What the lesions of a series say together at each timepoint: the facts that size-based criteria ask for.

Each lesion state is a few facts (bits); the facts of a series are the union over its lesions, one reduction
for all of them. The sum of diameters is the second reduction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of
from response.lineage import fragment_roots
from response.readings import TOO_SMALL_UM
from response.vocabulary import Role, State

NO_SUM: Final = 2**50  # "no complete sum yet" as a nadir; small enough that 11 times it stays an int64
Sums = NDArray[np.int64]


class Fact(IntFlag):
    """What one lesion, or any lesion of a series, says at a timepoint."""

    TARGET_MISSING = 1
    TARGET_DISEASE = 2
    TARGET_DEFAULT = 4  # too small to measure: the sum holds the default value
    NODE_DISEASE = 8  # target or non-target
    OTHER_DISEASE = 16
    NON_TARGET_PROGRESSION = 32
    NON_TARGET_MISSING = 64
    NON_TARGET_PRESENT = 128
    NON_TARGET_UNPROVEN = 256  # not scheduled: not present, but no proof of its absence either
    NEW_UNEQUIVOCAL = 512
    NEW_EQUIVOCAL = 1024
    NEW_MISSING = 2048
    SUSPECTED = 4096  # equivocal progression of known disease
    MERGED = 8192


class LesionClass(IntEnum):
    """Role and kind of a lesion, as far as its facts depend on them."""

    UNCOUNTED = 0
    TARGET = 1
    TARGET_NODE = 2
    NON_TARGET = 3
    NON_TARGET_NODE = 4
    NEW = 5
    NEW_NODE = 6


UNMEASURED: Final = (State.MISSING, State.NOT_EVALUABLE, State.NOT_SCHEDULED, State.PRESENT)
_GONE: Final = (State.ABSENT, State.NORMAL_NODE, State.RESOLVED, State.UNKNOWN, State.SPLIT)


def facts_of(lesion: LesionClass, state: State) -> Fact:
    """Return what a lesion of a class says in a state (RECIST 1.1, sections 4.3 and 4.4)."""
    if lesion == LesionClass.UNCOUNTED or state in _GONE:
        return Fact(0)
    node = lesion in (LesionClass.TARGET_NODE, LesionClass.NON_TARGET_NODE)
    disease = Fact.NODE_DISEASE if node else Fact.OTHER_DISEASE
    if state == State.MERGED:
        disease |= Fact.MERGED
    if lesion in (LesionClass.TARGET, LesionClass.TARGET_NODE):
        return _target_facts(state, disease, node=node)
    if lesion in (LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE):
        return _non_target_facts(state, disease)
    return _new_facts(state)


def _target_facts(state: State, disease: Fact, *, node: bool) -> Fact:
    if state == State.TOO_SMALL:  # counts 5 mm, which is a normal node
        return Fact.TARGET_DEFAULT if node else Fact.TARGET_DEFAULT | Fact.TARGET_DISEASE | disease
    if state in (State.MEASURED, State.MERGED):
        return Fact.TARGET_DISEASE | disease
    if state == State.EQUIVOCAL:
        return Fact.TARGET_DISEASE | disease | Fact.SUSPECTED
    return Fact.TARGET_MISSING


def _non_target_facts(state: State, disease: Fact) -> Fact:
    if state in (State.NOT_EVALUABLE, State.MISSING):
        return Fact.NON_TARGET_MISSING
    if state == State.NOT_SCHEDULED:
        return Fact.NON_TARGET_UNPROVEN
    if state == State.UNEQUIVOCAL_PROGRESSION:
        return Fact.NON_TARGET_PROGRESSION | Fact.NON_TARGET_PRESENT | disease
    suspected = Fact.SUSPECTED if state == State.EQUIVOCAL else Fact(0)
    return Fact.NON_TARGET_PRESENT | disease | suspected


def _new_facts(state: State) -> Fact:
    if state in (State.NOT_EVALUABLE, State.MISSING, State.NOT_SCHEDULED):
        return Fact.NEW_MISSING
    return Fact.NEW_EQUIVOCAL if state in (State.EQUIVOCAL, State.BORDERLINE_NODE) else Fact.NEW_UNEQUIVOCAL


_FACTS: Final = np.asarray([[facts_of(lesion, state) for state in State] for lesion in LesionClass], np.uint16)


def facts_at(classes: NDArray[np.uint8], state: NDArray[np.int8]) -> NDArray[np.uint16]:
    """Return the facts of each lesion at each timepoint, `[track, timepoint]`, of classes `[track]` and states."""
    index = state.astype(np.uint8)
    index += (classes * np.uint8(len(State)))[:, None]
    return _FACTS.ravel().take(index)


def lesion_classes(block: Block) -> NDArray[np.uint8]:
    """Return the `LesionClass` of each track of a block, `[track]`."""
    tracks = block.timeline.tracks
    part = block.track_slice
    by_role = np.zeros(len(Role), np.uint8)
    by_role[Role.TARGET], by_role[Role.NON_TARGET], by_role[Role.NEW] = 1, 3, 5
    classes = by_role[tracks.role[part]]
    classes += tracks.nodal[part] & (classes > 0)
    return np.where(tracks.counted[part], classes, LesionClass.UNCOUNTED).astype(np.uint8)


def largest_fragment(block: Block, classes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the contributions `[track, timepoint]` with only the largest fragment of each split node."""
    values = block.spot_values(block.timeline.value_um, 0).copy()
    tracks, part = block.timeline.tracks, block.track_slice
    fragments = np.flatnonzero(tracks.fragment[part] & (classes == LesionClass.TARGET_NODE))
    if not len(fragments):
        return values
    root = fragment_roots(tracks.parent, tracks.fragment)[part][fragments]
    for parent in np.unique(root).tolist():
        siblings = fragments[root == parent]
        largest = values[siblings].argmax(axis=0)
        values[siblings] *= np.arange(len(siblings))[:, None] == largest
    return values


@dataclass(frozen=True, kw_only=True, eq=False)
class Burden:
    """The lesions of every series of a block at every timepoint.

    Arrays share the shape `[series, timepoint]`; lengths are whole micrometres.

    Attributes
    ----------
    block
        The block.
    classes
        `LesionClass` of each track, `[track]`.
    state, value_um
        State and contribution of each lesion, `[track, timepoint]`.
    facts
        Union of the facts of the lesions.
    sum_um
        Sum of diameters of the targets assessed: longest diameter, but short axis for lymph nodes (RECIST 1.1,
        section 4.2). A lower bound of the true sum where a target is missing.
    """

    block: Block
    classes: NDArray[np.uint8]
    state: NDArray[np.int8]
    value_um: NDArray[np.int32]
    facts: NDArray[np.uint16]
    sum_um: Sums

    @classmethod
    def of(
        cls, block: Block, state: NDArray[np.int8] | None = None, value_um: NDArray[np.int32] | None = None
    ) -> "Burden":
        """Return the burden of a block; `state` and `value_um` may stand in for those as read (options change them)."""
        classes = lesion_classes(block)
        state = block.spot_values(block.timeline.state, State.UNKNOWN) if state is None else state
        value = block.spot_values(block.timeline.value_um, 0) if value_um is None else value_um
        lesion_facts = facts_at(classes, state)
        summed = is_one_of(classes, (LesionClass.TARGET, LesionClass.TARGET_NODE))
        counted = value if summed.all() else value * summed[:, None]
        return cls(
            block=block,
            classes=classes,
            state=state,
            value_um=counted,
            facts=block.reduce(np.bitwise_or, lesion_facts),
            sum_um=block.reduce(np.add, counted, dtype=np.int64),
        )

    def has(self, fact: Fact) -> Flags:
        """Return where some lesion says one of the facts."""
        return np.asarray(self.facts & np.uint16(fact) != 0)

    def once(self, name: str, make: Callable[[], "Burden"]) -> "Burden":
        """Return what several criteria make of the burden; it is made once, and must not be changed."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    @cached_property
    def _made(self) -> dict[str, "Burden"]:
        return {}

    def any_lesion(self, *classes: LesionClass) -> Flags:
        """Return whether the series has a baseline lesion of one of the classes, `[series, 1]`."""
        return self.block.series_with(is_one_of(self.classes, classes))

    @cached_property
    def is_target(self) -> Flags:
        """Whether the lesion is a target, `[track, timepoint]`: numpy is slow where `[track, 1]` meets that shape."""
        of_class = is_one_of(np.arange(len(LesionClass)), (LesionClass.TARGET, LesionClass.TARGET_NODE))
        return np.repeat(of_class[:, None], self.block.timepoints, axis=1).take(self.classes, axis=0)

    @cached_property
    def has_targets(self) -> Flags:
        """Whether a target was chosen at baseline, `[series, 1]`."""
        return self.any_lesion(LesionClass.TARGET, LesionClass.TARGET_NODE)

    @cached_property
    def has_non_targets(self) -> Flags:
        """Whether a non-target was recorded at baseline, `[series, 1]`."""
        return self.any_lesion(LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE)

    @cached_property
    def has_unfollowed(self) -> Flags:
        """Whether a known lesion takes no part (no role chosen, or no row at baseline), `[series, 1]`."""
        roles = self.block.timeline.tracks.role[self.block.track_slice]
        return self.block.series_with((self.classes == LesionClass.UNCOUNTED) & (roles != Role.NEW))

    @cached_property
    def all_assessed(self) -> Flags:
        """Whether every target was assessed."""
        return ~self.has(Fact.TARGET_MISSING) & self.block.exists

    @cached_property
    def baseline_complete(self) -> Flags:
        """Whether every target was measured at baseline, `[series, 1]`."""
        return self.at_baseline(self.all_assessed)

    @cached_property
    def baseline_um(self) -> Sums:
        """Sum at baseline, `[series, 1]`."""
        return self.at_baseline(self.sum_um)

    @cached_property
    def complete_um(self) -> Sums:
        """Sum where it is complete, at baseline or later; `NO_SUM` elsewhere."""
        scored = self.block.is_baseline | self.block.follow_up
        return np.where(self.all_assessed & scored, self.sum_um, NO_SUM)

    @cached_property
    def nadir_um(self) -> Sums:
        """Smallest complete sum before the timepoint, baseline included (RECIST 1.1, section 4.3.1)."""
        return running_before(np.minimum, self.complete_um, NO_SUM)

    @cached_property
    def unmeasured(self) -> NDArray[np.int64]:
        """Number of targets that could not be measured."""
        if not self.has(Fact.TARGET_MISSING).any():
            return np.zeros(self.block.shape, np.int64)
        return self.count(is_one_of(self.state, UNMEASURED) & self.is_target)

    @cached_property
    def default_excess_um(self) -> Sums:
        """How much of the sum stands there only because lesions too small to measure count 5 mm.

        It is 5 mm less the lesion's last value, where that was smaller; a default must not make a progression.
        """
        excess = np.zeros(self.block.shape, np.int64)
        rows = np.flatnonzero((self.state == State.TOO_SMALL).any(axis=1) & np.isin(self.classes, (1, 2)))
        for track in rows.tolist():
            last = TOO_SMALL_UM
            for place, state in enumerate(self.state[track].tolist()):
                value = int(self.value_um[track, place])
                if state == State.TOO_SMALL and value == TOO_SMALL_UM:
                    excess[self.block.series_of_track[track], place] += value - min(value, last)
                elif state in (State.MEASURED, State.NORMAL_NODE, State.ABSENT, State.EQUIVOCAL):
                    last = value
        return excess

    @cached_property
    def upper_um(self) -> Sums:
        """Sum with each missing target at its largest value so far: the worst case."""
        largest = running(np.maximum, self.value_um)
        missing = np.isin(self.state, (State.MISSING, State.NOT_EVALUABLE)) & np.isin(self.classes, (1, 2))[:, None]
        return np.asarray(self.sum_um + self.block.reduce(np.add, np.where(missing, largest, 0), dtype=np.int64))

    def at_baseline(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values at baseline, `[series, 1]`."""
        return np.take_along_axis(values, np.maximum(self.block.baseline, 0).astype(np.int64), axis=1)

    def count(self, chosen: Flags) -> NDArray[np.int64]:
        """Return the number of chosen lesions, `[track, timepoint]` to `[series, timepoint]`."""
        return self.block.count(chosen)


def running(ufunc: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
    """Return what a function makes of the values up to each timepoint, as `ufunc.accumulate` does along time."""
    if values.shape[1] > values.shape[0]:
        return np.asarray(ufunc.accumulate(values, axis=1))
    found = values.copy()
    for place in range(1, values.shape[1]):  # many rows of few timepoints: all rows abreast are five times as fast
        ufunc(found[:, place - 1], found[:, place], out=found[:, place])
    return found


def running_before(ufunc: np.ufunc, values: NDArray[Any], first: Any) -> NDArray[Any]:
    """Return what a function makes of `first` and the values before each timepoint."""
    if values.shape[1] > values.shape[0]:
        return before(running(ufunc, values), first)
    found = np.empty_like(values)
    found[:, :1] = first
    for place in range(1, values.shape[1]):
        ufunc(found[:, place - 1], values[:, place - 1], out=found[:, place])
    return found


def before(values: NDArray[Any], first: Any) -> NDArray[Any]:
    """Return the values of the timepoint before, `first` at the first one."""
    shifted = np.empty_like(values)
    shifted[:, :1] = first
    shifted[:, 1:] = values[:, :-1]
    return shifted


def ever_before(flags: Flags) -> Flags:
    """Return whether the flag was set at an earlier timepoint."""
    return running_before(np.logical_or, flags, False) if flags.any() else np.zeros_like(flags)
