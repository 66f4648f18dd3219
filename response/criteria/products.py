"""Lesions measured by two diameters: what each adds is their product, in whole square micrometres."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import NO_SUM, Burden, before
from response.criteria.rules import Flags
from response.criteria.sum_tests import SumTest
from response.criteria.sums import TARGETS, burden_with, lesion_number
from response.readings import TOO_SMALL_UM
from response.timeline import Block
from response.vocabulary import State

_SIZED: Final = (State.MEASURED, State.NORMAL_NODE, State.EQUIVOCAL)
_NO_VALUE: Final = (State.NOT_EVALUABLE, State.MISSING, State.UNKNOWN, State.SPLIT, State.MERGED)


def products_um2(block: Block, first: str, second: str) -> NDArray[np.int64]:
    """Return the products of two columns of lengths, `NO_NUMBER` where one is blank; `[track, timepoint]`.

    A first length of 0 makes a product of 0, whatever the second is.
    """
    one, two = lesion_number(block, first), lesion_number(block, second)
    known = (one != NO_NUMBER) & (two != NO_NUMBER)
    return np.where(one == 0, 0, np.where(known, one * two, NO_NUMBER))


def product_burden(burden: Burden) -> Burden:
    """Return the burden with the product of longest diameter and perpendicular as contribution of each target.

    A target that was measured, but not in both diameters, is not evaluable. One that is too small to measure counts
    5 x 5 mm, or what was measured of it.
    """
    block = burden.block
    product = products_um2(block, "longest_mm", "short_mm")
    small = burden.state == State.TOO_SMALL
    default = _small_products(block)
    sized = np.isin(burden.state, _SIZED)
    half = sized & (product == NO_NUMBER) & np.isin(burden.classes, TARGETS)[:, None]
    state = np.where(half, np.int8(State.NOT_EVALUABLE), burden.state).astype(np.int8)
    value = np.where(small, default, np.where(sized & ~half, product, 0))
    return burden_with(burden, state, value)


def _small_products(block: Block) -> NDArray[np.int64]:
    one, two = (lesion_number(block, name) for name in ("longest_mm", "short_mm"))
    return np.where(one > 0, one, TOO_SMALL_UM) * np.where(two > 0, two, TOO_SMALL_UM)


def lesion_nadir(burden: Burden) -> NDArray[np.int64]:
    """Return the smallest contribution of each target before each timepoint, `NO_SUM` where none is known."""
    unknown = np.isin(burden.state, _NO_VALUE)
    scored = burden.block.per_track(burden.block.is_baseline | burden.block.follow_up)
    known = np.where(~unknown & scored & np.isin(burden.classes, TARGETS)[:, None], burden.value_um, NO_SUM)
    return before(np.minimum.accumulate(known.astype(np.int64), axis=1), NO_SUM)


def lesion_reference(burden: Burden, test: SumTest) -> NDArray[np.int64]:
    """Return what growth of each target is judged against: its smallest contribution before, or that at baseline."""
    if not test.from_baseline:
        return lesion_nadir(burden)
    place = np.maximum(burden.block.per_track(burden.block.baseline), 0).astype(np.int64)
    state, value = (np.take_along_axis(values, place, axis=1) for values in (burden.state, burden.value_um))
    known = ~np.isin(state, _NO_VALUE) & np.isin(burden.classes, TARGETS)[:, None]
    at_baseline = np.where(known, value.astype(np.int64), NO_SUM)
    return np.asarray(np.broadcast_to(at_baseline, burden.state.shape))


def any_target(burden: Burden, chosen: Flags) -> Flags:
    """Return where some target is meant, `[track, timepoint]` to `[series, timepoint]`."""
    return burden.block.reduce(np.logical_or, chosen & np.isin(burden.classes, TARGETS)[:, None], np.bool_)
