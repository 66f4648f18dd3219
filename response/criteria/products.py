"""Lesions measured by two diameters: what each adds is their product, in whole square micrometres."""

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import NO_SUM, Burden, running_before
from response.criteria.rules import Flags
from response.criteria.some_lesions import SomeLesions, is_one_of, lesions_with
from response.criteria.sum_tests import SumTest
from response.criteria.sums import ALL, AreaState, Chosen, Part, burden_with, lesion_number, put, targets_of
from response.readings import TOO_SMALL_UM
from response.timeline import Block
from response.vocabulary import State

_SIZED: Final = (State.MEASURED, State.NORMAL_NODE, State.EQUIVOCAL)
_NO_VALUE: Final = (State.NOT_EVALUABLE, State.MISSING, State.UNKNOWN, State.SPLIT, State.MERGED)


class ProductState(AreaState):
    """What the rules of a criterion that sums products ask; areas are whole square micrometres."""

    @cached_property
    def lesion_grown(self) -> Flags:
        """A target has grown to progression over its own smallest product."""
        return self.block.some(lesion_grown(self.burden, self.test)) & self.block.follow_up


def product_um2(one: NDArray[np.int32], two: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the products of two lengths, `NO_NUMBER` where one is blank.

    A first length of 0 makes a product of 0, whatever the second is.
    """
    product: NDArray[np.int64] = np.multiply(one, two, dtype=np.int64)
    np.copyto(product, NO_NUMBER, where=(one == NO_NUMBER) | ((two == NO_NUMBER) & (one != 0)))
    return product


def products_um2(block: Block, first: str, second: str, tracks: Chosen = ALL) -> NDArray[np.int64]:
    """Return the products of two columns of lengths, as `product_um2`; `[track, timepoint]`."""
    measured = block.timeline.measurements
    one, two = (block.lesion(measured.number(name), NO_NUMBER, tracks) for name in (first, second))
    return product_um2(one, two)


def product_burden(burden: Burden) -> Burden:
    """Return the burden with the product of longest diameter and perpendicular as contribution of each target."""
    return burden_with(burden, products_of(burden))


def products_of(burden: Burden, tracks: Chosen = ALL) -> Part:
    """Return targets by the product of their longest diameter and perpendicular, in whole square micrometres.

    A target that was measured, but not in both diameters, is not evaluable. One that is too small to measure counts
    5 x 5 mm, or what was measured of it.
    """
    state = burden.state[tracks]
    product = products_um2(burden.block, "longest_mm", "short_mm", tracks)
    sized, known = is_one_of(state, _SIZED) & targets_of(burden)[tracks], product != NO_NUMBER
    product *= sized & known
    small = lesions_with(is_one_of(state, (State.TOO_SMALL,)) & targets_of(burden)[tracks])
    if len(small):
        rows = np.arange(len(burden.state))[tracks][small]
        one, two = (lesion_number(burden.block, name, rows) for name in ("longest_mm", "short_mm"))
        default = np.where(one > 0, one, TOO_SMALL_UM) * np.where(two > 0, two, TOO_SMALL_UM)
        product[small] = np.where(is_one_of(state[small], (State.TOO_SMALL,)), default, product[small])
    return Part(tracks=tracks, state=put(state, sized & ~known, State.NOT_EVALUABLE), value=product)


def lesion_nadir(burden: Burden, tracks: Chosen = ALL) -> NDArray[np.int64]:
    """Return the smallest contribution of targets before each timepoint, `NO_SUM` where none is known."""
    known = np.array(burden.value_um[tracks], np.int64)
    np.copyto(known, NO_SUM, where=is_one_of(burden.state[tracks], _NO_VALUE) | ~targets_of(burden)[tracks])
    np.copyto(known, NO_SUM, where=~burden.block.is_scored[burden.block.series_of_track[tracks]])
    return running_before(np.minimum, known, NO_SUM)


def back_after_gone(burden: Burden) -> Flags:
    """Return where a target that had nothing left adds to the sum again, `[series, timepoint]`."""
    gone = (burden.value_um == 0) & ~is_one_of(burden.state, _NO_VALUE) & targets_of(burden)
    tracks = lesions_with(gone)
    back = (lesion_nadir(burden, tracks) == 0) & (burden.value_um[tracks] > 0)
    return SomeLesions(burden.block, tracks, back).by_series()


def lesion_grown(burden: Burden, test: SumTest) -> Flags:
    """Return where a target has grown to progression by itself, over its smallest contribution before or its baseline.

    `[track, timepoint]`; timepoint by timepoint, for all lesions abreast.
    """
    unknown = is_one_of(burden.state, _NO_VALUE) | burden.block.per_track(~burden.block.is_scored)
    place, baseline = np.arange(burden.block.timepoints), burden.block.per_track(burden.block.baseline)
    if test.from_baseline:
        unknown |= place != baseline
    grown = np.zeros(unknown.shape, np.bool_)
    smallest = np.full(len(unknown), NO_SUM)
    for at in place.tolist():
        now = burden.value_um[:, at].astype(np.int64)
        grown[:, at] = test.grown(now, smallest)
        np.copyto(now, NO_SUM, where=unknown[:, at])
        np.minimum(smallest, now, out=smallest)
    return grown & targets_of(burden)


def any_target(burden: Burden, chosen: Flags) -> Flags:
    """Return where some target is meant, `[track, timepoint]` to `[series, timepoint]`."""
    return burden.block.some(chosen & targets_of(burden))
