"""Nodes and extranodal lesions as the Lugano classification reads them on CT.

Sources as in `lugano`. Lengths are whole micrometres, areas whole square micrometres.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_ROW
from response.criteria.burden import NO_SUM, Burden, LesionClass, running_before
from response.criteria.lesion_courses import KNOWN, NO_LENGTH, SIZED, LesionCourses, largest_rise
from response.criteria.new_lesions import new_lesion_states
from response.criteria.recist import CombinationOptions, RecistState, recist_burden
from response.criteria.rules import Flags
from response.criteria.some_lesions import SomeLesions, is_one_of, put
from response.criteria.sums import (
    NEW,
    TARGETS,
    facts_with,
    narrow_number,
)
from response.criteria.visit_values import lesions_at_baseline
from response.readings import PATHOLOGICAL_NODE_UM, TOO_SMALL_UM
from response.vocabulary import State, Trend

NODE_UM: Final = 15_000  # a longer node is abnormal: table 3, CR, PD and new lesions
EXTRANODAL_UM: Final = 10_000  # a longer extranodal lesion is measurable, or new by size: table 3, new lesions
GROWTH: Final = (3, 2)  # 150 % of the smallest product: table 3, PD
SMALL_LESION_UM: Final = 20_000  # up to this length 5 mm of growth are enough, above it 10 mm: table 3, PD
SMALL_GROWTH_UM: Final = 5_000
LARGE_GROWTH_UM: Final = 10_000

_NODES: Final = {  # nodes known at baseline, and the state of each where it is abnormal
    LesionClass.TARGET_NODE: State.MEASURED,
    LesionClass.NON_TARGET_NODE: State.PRESENT,
}
_NON_TARGETS: Final = (LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE)
_SEEN: Final = (State.MEASURED, State.NORMAL_NODE, State.PRESENT, State.BORDERLINE_NODE)
_OPEN: Final = (State.BLANK, State.MEASURED, State.PRESENT)  # written states that say nothing against a length
_UNEQUIVOCAL: Final = (State.PRESENT, State.UNEQUIVOCAL_PROGRESSION)  # a new lesion that is written to be there


@dataclass(frozen=True, kw_only=True, eq=False)
class LymphomaBurden(Burden):
    """The lesions of a block with products as contributions.

    Attributes
    ----------
    longest_um, short_um
        Both diameters of each lesion, 5 mm where a target is too small to measure; 0 where it is gone, or not known;
        `[track, timepoint]`.
    """

    longest_um: NDArray[np.int32]
    short_um: NDArray[np.int32]


def lymphoma_burden(block: Block, options: CombinationOptions, beside: Mapping[str, Any]) -> LymphomaBurden:
    """Return the lesions of a block as Lugano measures them: products of targets, nodes normal up to 15 mm.

    A target that was measured, but not in both diameters, is not evaluable. One that is too small to measure counts
    5 x 5 mm, or what was measured of it (table 3, PR).
    """
    recist = beside.get("recist-1.1")
    known = recist.burden if isinstance(recist, RecistState) else recist_burden(block, options)
    classes = known.classes
    read = new_lesion_states(block, classes, new_node_rule="equivocal_10_15", use_pet=options.use_pet)
    state = block.spot_values(block.timeline.state, State.UNKNOWN).copy() if read is None else read
    longest, short = (_diameter(block, name) for name in ("longest_mm", "short_mm"))
    _judge_nodes(block, classes, state, longest)
    _judge_new(block, classes, state, longest, short)
    target = known.is_target
    sized = is_one_of(state, SIZED) & target
    half = sized & ((longest == 0) | (short == 0))
    state = put(state, half, State.NOT_EVALUABLE)
    small, counted = np.flatnonzero((state == int(State.TOO_SMALL)) & target), sized & ~half
    counted.reshape(-1)[small] = True
    for length in (longest, short):
        np.multiply(length, ~half, out=length)  # what was measured in one diameter alone has not grown
        lengths = length.reshape(-1)
        lengths[small[lengths[small] == 0]] = TOO_SMALL_UM
    products: NDArray[Any] = np.zeros(state.shape, np.int64)
    total = np.zeros(block.shape, np.int64)
    if counted.any():
        products = np.multiply(longest * counted, short, dtype=np.int64)
        total = block.reduce(np.add, products)
    return LymphomaBurden(
        block=block,
        classes=classes,
        state=state,
        value_um=products,
        facts=facts_with(known, state),
        sum_um=total,
        longest_um=longest,
        short_um=short,
    )


def _diameter(block: Block, name: str) -> NDArray[np.int32]:
    """Return a column of lengths, 0 where blank, or where the row counts for nothing; `[track, timepoint]`."""
    if name not in block.timeline.measurements.numbers:
        return np.zeros(block.row.shape, np.int32)
    length: NDArray[np.int32] = np.maximum(narrow_number(block, name), 0)
    length[block.barred] = 0
    return length


def _seen(block: Block, tracks: NDArray[np.intp], state: NDArray[np.int8], length: NDArray[np.int32]) -> Flags:
    """Return where some lesions were seen with a length, be it not the short axis, which elsewhere counts for a node.

    A length next to `not_evaluable` counts for nothing.
    """
    seen, other = is_one_of(state, _SEEN), state == State.NOT_EVALUABLE
    if other.any():
        seen |= other & is_one_of(block.timeline.measurements.code("state").take(block.row[tracks]), _OPEN)
    return np.asarray(seen & (length > 0))


def _judge_nodes(block: Block, classes: NDArray[np.uint8], state: NDArray[np.int8], longest: NDArray[np.int32]) -> None:
    """Put into the states that a known node is normal up to 15 mm of its longest diameter, and abnormal above."""
    for node, there in _NODES.items():
        nodes = np.flatnonzero(classes == int(node))
        found, length = state.take(nodes, axis=0), longest.take(nodes, axis=0)
        abnormal, too_small = length > NODE_UM, found == int(State.TOO_SMALL)
        seen = _seen(block, nodes, found, length)
        found = put(found, seen & ~abnormal, State.NORMAL_NODE)
        state[nodes] = put(found, (seen | too_small) & abnormal, there)


def _judge_new(
    block: Block,
    classes: NDArray[np.uint8],
    state: NDArray[np.int8],
    longest: NDArray[np.int32],
    short: NDArray[np.int32],
) -> None:
    """Put into the states what the size of a new lesion says of it (table 3, new lesions).

    A node counts from above 15 mm in any axis; of one with a short axis of 10 mm or more, but no longest diameter,
    nobody knows. An extranodal lesion counts from above 10 mm; a smaller one only if it is written to be there.
    """
    new = np.flatnonzero(is_one_of(classes, NEW))
    if not len(new):
        return
    found, node = state[new], (classes[new] == LesionClass.NEW_NODE)[:, None]
    written = block.timeline.measurements.code("state").take(block.row[new])
    size = np.maximum(longest[new], short[new])
    open_node = (longest[new] == 0) & (size >= PATHOLOGICAL_NODE_UM)
    small_node = np.where(open_node, np.int8(State.EQUIVOCAL), np.int8(State.NORMAL_NODE))
    small = np.where(node, small_node, np.int8(State.EQUIVOCAL))
    large = size > np.where(node, NODE_UM, EXTRANODAL_UM)
    there = large | (~node & is_one_of(written, _UNEQUIVOCAL))
    judged = np.where(there, np.int8(State.PRESENT), small)
    unsized = ~node & (found == State.PRESENT) & (size == 0) & (written == State.TOO_SMALL)
    found = np.where(_seen(block, new, found, size), judged, found)
    state[new] = np.where(unsized, np.int8(State.EQUIVOCAL), found)


@dataclass(frozen=True, eq=False)
class LesionGrowth(LesionCourses):
    """Lesions one by one against their own smallest values."""

    burden: LymphomaBurden

    @property
    def progressed(self) -> SomeLesions:
        """Targets longer than 15 mm, 50 % over the smallest product, and 5 or 10 mm over a smallest diameter."""
        tracks, found, _ = self._progressed
        return SomeLesions(self.burden.block, tracks, found)

    @property
    def by_small_step(self) -> SomeLesions:
        """Those of them that were up to 2 cm at their smallest, are longer now, and have grown by less than 10 mm."""
        tracks, _, found = self._progressed
        return SomeLesions(self.burden.block, tracks, found)

    @cached_property
    def _progressed(self) -> tuple[NDArray[np.intp], Flags, Flags]:
        """Targets that may progress; where they do; where they do by 5 mm only, though they are longer than 2 cm."""
        burden, tracks = self.burden, self._risen
        known = self.known(tracks)
        longest, short, product = (
            of.take(tracks, axis=0) for of in (burden.longest_um, burden.short_um, burden.value_um)
        )
        nothing: tuple[Any, ...] = (np.int32(NO_LENGTH), np.int32(NO_LENGTH), np.int64(NO_SUM))
        for sizes, none in zip((longest, short, product), nothing, strict=True):
            np.copyto(sizes, none, where=~known)
        least, least_short, nadir = (
            running_before(np.minimum, sizes, none)
            for sizes, none in zip((longest, short, product), nothing, strict=True)
        )
        share, of = GROWTH
        grew = known & (longest > NODE_UM) & (of * product >= share * nadir) & self.follow_up(tracks)
        rise = np.maximum(longest - least, short - least_short)
        by_small_step = grew & (rise >= SMALL_GROWTH_UM) & (least <= SMALL_LESION_UM)
        by_large_step = grew & (rise >= LARGE_GROWTH_UM)
        return tracks, by_small_step | by_large_step, by_small_step & ~by_large_step & (longest > SMALL_LESION_UM)

    @property
    def _risen(self) -> NDArray[np.intp]:
        """Targets that were ever 5 mm over a smallest diameter: no other can have progressed."""
        burden = self.burden
        if not burden.sum_um.any():  # no target was measured in two diameters
            return np.zeros(0, np.intp)
        risen = np.maximum(largest_rise(burden.longest_um), largest_rise(burden.short_um)) >= SMALL_GROWTH_UM
        return np.flatnonzero(risen & is_one_of(burden.classes, TARGETS))

    @cached_property
    def regrown(self) -> SomeLesions:
        """Targets that are back after they could not be seen any more, at the size of a new lesion."""
        burden = self.burden
        tracks = self.ever((State.ABSENT,), TARGETS)
        least = np.where(burden.classes[tracks] == LesionClass.TARGET_NODE, NODE_UM, EXTRANODAL_UM)[:, None]
        large = is_one_of(burden.state[tracks], KNOWN) & (burden.longest_um[tracks] > least)
        return self.scored(tracks, large & self.before(tracks, State.ABSENT))

    @cached_property
    def non_target_regrown(self) -> SomeLesions:
        """Lesions that are not measured, back after they were gone; a node that was normal, if it grew by 5 mm."""
        burden = self.burden
        tracks = self.ever((State.ABSENT, State.NORMAL_NODE), _NON_TARGETS)
        state, longest = burden.state[tracks], burden.longest_um[tracks]
        least = self.smallest_before(tracks, longest, np.int32(NO_LENGTH), longest > 0)
        normalised = self.before(tracks, State.NORMAL_NODE) & (longest - least >= SMALL_GROWTH_UM)
        return self.scored(tracks, (state == State.PRESENT) & (self.before(tracks, State.ABSENT) | normalised))

    @cached_property
    def non_target_increased(self) -> SomeLesions:
        """Lesions that are not measured and have increased, short of progression."""
        measurements = self.burden.block.timeline.measurements
        written = "trend" in measurements.codes
        tracks = np.flatnonzero(is_one_of(self.burden.classes, _NON_TARGETS) & written)
        rows = self.burden.block.row[tracks]
        trend = measurements.code("trend").take(np.maximum(rows, 0)) if len(tracks) else np.zeros(rows.shape, np.int8)
        return self.scored(tracks, (trend == Trend.INCREASED) & (rows != NO_ROW))

    @cached_property
    def below_measurable(self) -> NDArray[np.intp]:
        """Targets that were too short at baseline: nodes up to 15 mm, others up to 10 mm."""
        burden, block = self.burden, self.burden.block
        there = block.tracks(block.timeline.tracks.at_baseline) & is_one_of(burden.classes, TARGETS)
        state, longest = (lesions_at_baseline(block, of)[:, 0] for of in (burden.state, burden.longest_um))
        short = longest <= EXTRANODAL_UM
        short |= (longest <= NODE_UM) & (burden.classes == int(LesionClass.TARGET_NODE))
        return np.flatnonzero(there & short & is_one_of(state, KNOWN))
