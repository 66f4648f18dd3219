"""Nodes, extranodal lesions and spleen as the Lugano classification reads them on CT.

Sources as in `lugano`. Lengths are whole micrometres, areas whole square micrometres.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import NO_SUM, Burden, LesionClass, before, ever_before
from response.criteria.products import lesion_nadir, product_burden
from response.criteria.rules import Flags
from response.criteria.sums import TARGETS, burden_with, lesion_number
from response.criteria.visit_values import at_baseline, visit_numbers
from response.readings import TOO_SMALL_UM
from response.timeline import NO_ROW, Block
from response.vocabulary import State, Trend

NODE_UM: Final = 15_000  # a longer node is abnormal: table 3, CR, PD and new lesions
EXTRANODAL_UM: Final = 10_000  # a longer extranodal lesion is measurable, or new by size: table 3, new lesions
GROWTH: Final = (3, 2)  # 150 % of the smallest product: table 3, PD
SMALL_LESION_UM: Final = 20_000  # up to this length 5 mm of growth are enough, above it 10 mm: table 3, PD
SMALL_GROWTH_UM: Final = 5_000
LARGE_GROWTH_UM: Final = 10_000
SPLEEN_UM: Final = 130_000  # a longer spleen is enlarged: text, section on the spleen
SPLEEN_GROWTH_UM: Final = 20_000  # progression of a spleen that was not enlarged: table 3, PD

_NODES: Final = (LesionClass.TARGET_NODE, LesionClass.NON_TARGET_NODE)
_SEEN: Final = (State.MEASURED, State.NORMAL_NODE, State.PRESENT, State.BORDERLINE_NODE)
_SIZED: Final = (State.MEASURED, State.NORMAL_NODE, State.EQUIVOCAL)


def lymphoma_burden(burden: Burden) -> Burden:
    """Return the lesions of a block as Lugano measures them: products of targets, nodes normal up to 15 mm."""
    products = product_burden(burden)
    longest, short = (lesion_number(burden.block, name) for name in ("longest_mm", "short_mm"))
    nodes = np.isin(burden.classes, _NODES)[:, None]
    state = products.state.copy()
    seen = np.isin(state, _SEEN)
    normal = nodes & seen & (longest != NO_NUMBER) & (longest <= NODE_UM)
    abnormal = nodes & seen & (longest > NODE_UM)
    target = (burden.classes == LesionClass.TARGET_NODE)[:, None]
    state[normal] = State.NORMAL_NODE
    state[abnormal & target] = State.MEASURED
    state[abnormal & ~target] = State.PRESENT
    state = _new_states(burden, state, np.maximum(longest, short))
    return burden_with(burden, state, products.value_um)


def _new_states(burden: Burden, state: NDArray[np.int8], size: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the states with new lesions judged by size: a small extranodal one is doubtful unless it is written."""
    written = burden.block.lesion(burden.block.timeline.measurements.code("state"), State.BLANK)
    seen = np.isin(state, _SEEN) & (size > 0)
    new = (burden.classes == LesionClass.NEW)[:, None]
    node = (burden.classes == LesionClass.NEW_NODE)[:, None]
    small = new & seen & (size <= EXTRANODAL_UM) & (written == State.BLANK)
    judged = np.where(small, np.int8(State.EQUIVOCAL), state)
    judged = np.where(node & seen & (size <= NODE_UM), np.int8(State.NORMAL_NODE), judged)
    return np.where(node & seen & (size > NODE_UM), np.int8(State.PRESENT), judged).astype(np.int8)


@dataclass(frozen=True, eq=False)
class LesionGrowth:
    """Targets one by one against their own smallest values; arrays `[track, timepoint]`."""

    burden: Burden

    @cached_property
    def _lengths(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return _known_length(self.burden, "longest_mm"), _known_length(self.burden, "short_mm")

    @cached_property
    def progressed(self) -> Flags:
        """Longer than 15 mm, 50 % over the smallest product, and 5 or 10 mm over a smallest diameter."""
        longest, short = self._lengths
        least, least_short = (_smallest_before(self.burden, length) for length in (longest, short))
        step = np.where(least <= SMALL_LESION_UM, SMALL_GROWTH_UM, LARGE_GROWTH_UM)
        longer = (longest != NO_SUM) & (least != NO_SUM) & (longest - least >= step)
        wider = (short != NO_SUM) & (least_short != NO_SUM) & (short - least_short >= step)
        share, of = GROWTH
        nadir = lesion_nadir(self.burden)
        product = self.burden.value_um.astype(np.int64)
        grew = (nadir != NO_SUM) & (of * product >= share * nadir)
        return np.asarray(self._followed & (longest != NO_SUM) & (longest > NODE_UM) & grew & (longer | wider))

    @cached_property
    def regrown(self) -> Flags:
        """Back after it could not be seen any more, at the size of a new lesion."""
        longest = self._lengths[0]
        node = (self.burden.classes == LesionClass.TARGET_NODE)[:, None]
        large = (longest != NO_SUM) & (longest > np.where(node, NODE_UM, EXTRANODAL_UM))
        return np.asarray(self._followed & large & _gone_before(self.burden))

    @cached_property
    def _followed(self) -> Flags:
        targets = np.isin(self.burden.classes, TARGETS)[:, None]
        return np.asarray(targets & self.burden.block.per_track(self.burden.block.follow_up))


def non_target_regrown(burden: Burden) -> Flags:
    """Return the non-measured lesions that are back after they were gone, `[track, timepoint]`."""
    non_target = np.isin(burden.classes, (LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE))[:, None]
    return np.asarray(non_target & (burden.state == State.PRESENT) & _gone_before(burden))


def non_target_increased(burden: Burden) -> Flags:
    """Return the non-measured lesions that have increased, short of progression; `[track, timepoint]`."""
    trend = burden.block.lesion(burden.block.timeline.measurements.code("trend"), Trend.BLANK)
    non_target = np.isin(burden.classes, (LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE))[:, None]
    return np.asarray(non_target & (trend == Trend.INCREASED))


def below_measurable(burden: Burden) -> Flags:
    """Return the targets that were too short at baseline, `[track, 1]`: nodes up to 15 mm, others up to 10 mm."""
    block = burden.block
    place = np.maximum(block.per_track(block.baseline), 0).astype(np.int64)
    longest = np.take_along_axis(_known_length(burden, "longest_mm"), place, axis=1)
    least = np.where(burden.classes == LesionClass.TARGET_NODE, NODE_UM, EXTRANODAL_UM)[:, None]
    return np.asarray(np.isin(burden.classes, TARGETS)[:, None] & (longest != NO_SUM) & (longest <= least))


def _known_length(burden: Burden, name: str) -> NDArray[np.int64]:
    """Return a length of each lesion; 0 where it is gone, 5 mm where too small, `NO_SUM` where not known."""
    block = burden.block
    length = lesion_number(block, name)
    known = np.isin(burden.state, _SIZED) & (length != NO_NUMBER) & (block.row != NO_ROW)
    small = burden.state == State.TOO_SMALL
    gone = burden.state == State.ABSENT
    found = np.where(known, length, np.where(gone, 0, NO_SUM))
    return np.where(small, np.where(length > 0, length, TOO_SMALL_UM), found)


def _smallest_before(burden: Burden, length: NDArray[np.int64]) -> NDArray[np.int64]:
    scored = burden.block.per_track(burden.block.is_baseline | burden.block.follow_up)
    return before(np.minimum.accumulate(np.where(scored, length, NO_SUM), axis=1), NO_SUM)


def _gone_before(burden: Burden) -> Flags:
    return ever_before(np.asarray((burden.state == State.ABSENT) & burden.block.per_track(burden.block.follow_up)))


@dataclass(frozen=True, eq=False)
class Spleen:
    """Length of the spleen; arrays `[series, timepoint]`, `[series, 1]` at baseline."""

    block: Block
    from_nadir: bool

    @cached_property
    def length(self) -> NDArray[np.int64]:
        """Length, `NO_NUMBER` where not measured."""
        return visit_numbers(self.block, "spleen_mm")

    @cached_property
    def baseline(self) -> NDArray[np.int64]:
        """Length at baseline."""
        return at_baseline(self.block, self.length)

    @cached_property
    def recorded(self) -> Flags:
        """Whether it was measured at baseline."""
        return np.asarray(self.baseline != NO_NUMBER)

    @cached_property
    def enlarged(self) -> Flags:
        """Whether it was enlarged at baseline."""
        return np.asarray(self.baseline > SPLEEN_UM)

    @cached_property
    def measured(self) -> Flags:
        """Measured now, and at baseline."""
        return np.asarray(self.recorded & (self.length != NO_NUMBER))

    @cached_property
    def _smallest(self) -> NDArray[np.int64]:
        scored = (self.block.is_baseline | self.block.follow_up) & (self.length != NO_NUMBER)
        return before(np.minimum.accumulate(np.where(scored, self.length, NO_SUM), axis=1), NO_SUM)

    @cached_property
    def reference(self) -> NDArray[np.int64]:
        """What growth is judged against."""
        return np.where(self.recorded & self.from_nadir, self._smallest, self.baseline)

    @cached_property
    def progressed(self) -> Flags:
        """Grown by more than half of its excess over normal; by 2 cm where it was not enlarged."""
        growth = self.length - self.reference
        excess = self.reference - SPLEEN_UM
        return np.asarray(self.measured & np.where(excess > 0, 2 * growth > excess, growth >= SPLEEN_GROWTH_UM))

    @cached_property
    def recurred(self) -> Flags:
        """Enlarged again after it was normal, and 2 cm over its smallest length."""
        was_normal = ever_before(self.measured & (self.length <= SPLEEN_UM) & self.block.follow_up)
        back = (self.length > SPLEEN_UM) & (self.length - self._smallest >= SPLEEN_GROWTH_UM)
        return np.asarray(self.measured & self.enlarged & was_normal & back)

    @cached_property
    def normal(self) -> Flags:
        """Not enlarged now."""
        return np.asarray(self.measured & (self.length <= SPLEEN_UM))

    @cached_property
    def regressed(self) -> Flags:
        """More than half of the excess over normal is gone."""
        return np.asarray(self.measured & (2 * (self.baseline - self.length) > self.baseline - SPLEEN_UM))
