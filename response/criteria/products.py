"""Lesions measured by two diameters: what each adds is their product, in whole square micrometres."""

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import NO_SUM, Burden, running_before
from response.criteria.rules import Flags
from response.criteria.some_lesions import SomeLesions, is_one_of, lesions_with, put
from response.criteria.sum_tests import SumTest
from response.criteria.sums import (
    ALL,
    AreaState,
    Chosen,
    Part,
    burden_with,
    narrow_number,
    targets_of,
)
from response.readings import TOO_SMALL_UM
from response.vocabulary import State

_SIZED: Final = (State.MEASURED, State.NORMAL_NODE, State.EQUIVOCAL)
_NO_VALUE: Final = (State.NOT_EVALUABLE, State.MISSING, State.UNKNOWN, State.SPLIT, State.MERGED)


class ProductState(AreaState):
    """What the rules of a criterion that sums products ask; areas are whole square micrometres."""

    @cached_property
    def lesion_grown(self) -> Flags:
        """A target has grown to progression over its own smallest product."""
        return self.block.some(lesion_grown(self.burden, self.test)) & self.block.follow_up


def both_known(one: NDArray[np.int32], two: NDArray[np.int32]) -> Flags:
    """Return where the product of two lengths is known: 0 where the first one is, whatever the second is."""
    return np.asarray((one != NO_NUMBER) & ((two != NO_NUMBER) | (one == 0)))


def product_um2(one: NDArray[np.int32], two: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the products of two lengths, `NO_NUMBER` where one is blank."""
    product: NDArray[np.int64] = np.multiply(one, two, dtype=np.int64)
    np.copyto(product, NO_NUMBER, where=~both_known(one, two))
    return product


def both_lengths(block: Block, tracks: Chosen = ALL) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return longest diameter and perpendicular of all lesions, or of some; whole micrometres, `[track, timepoint]`."""
    return narrow_number(block, "longest_mm", tracks), narrow_number(block, "short_mm", tracks)


def product_burden(burden: Burden) -> Burden:
    """Return the burden with the product of longest diameter and perpendicular as contribution of each target."""
    return burden.once("products", lambda: burden_with(burden, _products_of(burden)))


def _products_of(burden: Burden) -> Part:
    """Return all targets by the product of their longest diameter and perpendicular, in whole square micrometres.

    A target that was measured, but not in both diameters, is not evaluable. One that is too small to measure counts
    5 x 5 mm, or what was measured of it.
    """
    one, two = both_lengths(burden.block)
    sized, known = is_one_of(burden.state, _SIZED) & burden.is_target, both_known(one, two)
    # chosen are lengths, not products, for those are twice as wide
    product: NDArray[np.int64] = np.multiply(one, two * (sized & known), dtype=np.int64)
    small = lesions_with(is_one_of(burden.state, (State.TOO_SMALL,)) & burden.is_target)
    if len(small):
        one, two = (np.where(length > 0, length, TOO_SMALL_UM) for length in both_lengths(burden.block, small))
        default = np.multiply(one, two, dtype=np.int64)
        product[small] = np.where(is_one_of(burden.state[small], (State.TOO_SMALL,)), default, product[small])
    return Part(tracks=ALL, state=put(burden.state, sized & ~known, State.NOT_EVALUABLE), value=product)


def lesion_nadir(burden: Burden, tracks: Chosen = ALL) -> NDArray[np.int64]:
    """Return the smallest contribution of targets before each timepoint, `NO_SUM` where none is known."""
    known = np.array(burden.value_um[tracks], np.int64)
    np.copyto(known, NO_SUM, where=is_one_of(burden.state[tracks], _NO_VALUE) | ~targets_of(burden)[tracks])
    np.copyto(known, NO_SUM, where=~burden.block.is_scored[burden.block.series_of_track[tracks]])
    return running_before(np.minimum, known, NO_SUM)


def back_after_gone(burden: Burden) -> Flags:
    """Return where a target that had nothing left adds to the sum again, `[series, timepoint]`."""
    gone = (burden.value_um == 0) & ~is_one_of(burden.state, _NO_VALUE) & burden.is_target
    tracks = lesions_with(gone)
    back = (lesion_nadir(burden, tracks) == 0) & (burden.value_um[tracks] > 0)
    return SomeLesions(burden.block, tracks, back).by_series()


def lesion_grown(burden: Burden, test: SumTest) -> Flags:
    """Return where a target has grown to progression by itself, over its smallest contribution before or its baseline.

    `[track, timepoint]`; timepoint by timepoint, for all lesions abreast.
    """
    if not burden.sum_um.any():
        return np.zeros(burden.state.shape, np.bool_)
    block, unknown = burden.block, is_one_of(burden.state, _NO_VALUE)
    compared = block.is_baseline if test.from_baseline else block.is_scored
    if not compared.all():
        unknown |= block.per_track(~compared)
    # turned round, so that what all lesions add at a timepoint stands together
    values, unknown = burden.value_um.T.astype(np.int64, order="C"), np.ascontiguousarray(unknown.T)
    grown, smallest = np.zeros(values.shape, np.bool_), np.full(len(burden.state), NO_SUM)
    for place, now in enumerate(values):
        grown[place] = test.grown(now, smallest)
        np.copyto(now, NO_SUM, where=unknown[place])
        np.minimum(smallest, now, out=smallest)
    return grown.T & burden.is_target


def any_target(burden: Burden, chosen: Flags) -> Flags:
    """Return where some target is meant, `[track, timepoint]` to `[series, timepoint]`."""
    return burden.block.some(chosen & burden.is_target)
