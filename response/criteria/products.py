"""Lesions measured by two diameters: what each adds is their product, in whole square micrometres."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import NO_SUM, Burden, running_before
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of, lesions_with
from response.criteria.sum_tests import SumTest
from response.criteria.sums import Part, burden_with, lesion_number, put, targets_of
from response.readings import TOO_SMALL_UM
from response.timeline import Block
from response.vocabulary import State

_SIZED: Final = (State.MEASURED, State.NORMAL_NODE, State.EQUIVOCAL)
_NO_VALUE: Final = (State.NOT_EVALUABLE, State.MISSING, State.UNKNOWN, State.SPLIT, State.MERGED)


def products_um2(block: Block, first: str, second: str, tracks: NDArray[np.intp] | None = None) -> NDArray[np.int64]:
    """Return the products of two columns of lengths, `NO_NUMBER` where one is blank; `[track, timepoint]`.

    A first length of 0 makes a product of 0, whatever the second is.
    """
    one, two = lesion_number(block, first, tracks), lesion_number(block, second, tracks)
    product = one * two
    np.copyto(product, NO_NUMBER, where=(one == NO_NUMBER) | ((two == NO_NUMBER) & (one != 0)))
    return product


def product_burden(burden: Burden) -> Burden:
    """Return the burden with the product of longest diameter and perpendicular as contribution of each target."""
    return burden_with(burden, products_of(burden, np.flatnonzero(targets_of(burden))))


def products_of(burden: Burden, tracks: NDArray[np.intp]) -> Part:
    """Return targets by the product of their longest diameter and perpendicular, in whole square micrometres.

    A target that was measured, but not in both diameters, is not evaluable. One that is too small to measure counts
    5 x 5 mm, or what was measured of it.
    """
    state = burden.state[tracks]
    product = products_um2(burden.block, "longest_mm", "short_mm", tracks)
    sized, known = is_one_of(state, _SIZED), product != NO_NUMBER
    product *= sized & known
    small = lesions_with(is_one_of(state, (State.TOO_SMALL,)))
    if len(small):
        one, two = (lesion_number(burden.block, name, tracks[small]) for name in ("longest_mm", "short_mm"))
        default = np.where(one > 0, one, TOO_SMALL_UM) * np.where(two > 0, two, TOO_SMALL_UM)
        product[small] = np.where(is_one_of(state[small], (State.TOO_SMALL,)), default, product[small])
    return Part(tracks=tracks, state=put(state, sized & ~known, State.NOT_EVALUABLE), value=product)


def lesion_nadir(burden: Burden) -> NDArray[np.int64]:
    """Return the smallest contribution of each target before each timepoint, `NO_SUM` where none is known."""
    known = burden.value_um.astype(np.int64)
    np.copyto(known, NO_SUM, where=is_one_of(burden.state, _NO_VALUE) | ~targets_of(burden))
    unscored = ~(burden.block.is_baseline | burden.block.follow_up)
    if unscored.any():
        np.copyto(known, NO_SUM, where=burden.block.per_track(unscored))
    return running_before(np.minimum, known, NO_SUM)


def lesion_reference(burden: Burden, test: SumTest) -> NDArray[np.int64]:
    """Return what growth of each target is judged against: its smallest contribution before, or that at baseline."""
    if not test.from_baseline:
        return lesion_nadir(burden)
    place = np.maximum(burden.block.per_track(burden.block.baseline), 0).astype(np.int64)
    state, value = (np.take_along_axis(values, place, axis=1) for values in (burden.state, burden.value_um))
    known = ~is_one_of(state, _NO_VALUE) & targets_of(burden)
    at_baseline = np.where(known, value.astype(np.int64), NO_SUM)
    return np.asarray(np.broadcast_to(at_baseline, burden.state.shape))


def any_target(burden: Burden, chosen: Flags) -> Flags:
    """Return where some target is meant, `[track, timepoint]` to `[series, timepoint]`."""
    return burden.block.some(chosen & targets_of(burden))
