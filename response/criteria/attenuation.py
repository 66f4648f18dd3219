"""Attenuation of the targets, now against baseline, over the lesions measured at both dates.

A lesion that vanished, or whose attenuation was left out (artefact, calcification), leaves both dates, so that
the same lesions are compared.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER, THOUSAND
from response.criteria.burden import Burden
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of
from response.criteria.sums import (
    targets_of,
    total_of_few,
)
from response.vocabulary import State, folded

_WITH_REGION: Final = (State.MEASURED, State.TOO_SMALL, State.NORMAL_NODE, State.EQUIVOCAL)


@dataclass(frozen=True, kw_only=True, eq=False)
class Attenuation:
    """Attenuation of the matched lesions; arrays `[series, timepoint]`, whole milli-HU.

    Attributes
    ----------
    now_sum, baseline_sum
        Sum of the lesions' mean attenuation, now and at baseline, over the same lesions.
    lesions
        Number of lesions compared.
    incomplete
        Whether a lesion that is there could not be compared for want of attenuation.
    mismatch
        Whether the contrast phase of a compared lesion differs from its baseline.
    blocked
        Whether the mismatch forbids the comparison.
    """

    burden: Burden
    matched: Flags
    now: NDArray[np.int32]
    baseline: NDArray[np.int32]
    now_sum: NDArray[np.int64]
    baseline_sum: NDArray[np.int64]
    lesions: NDArray[np.int64]
    incomplete: Flags
    mismatch: Flags
    blocked: Flags

    def fell(self, aggregation: str) -> Flags:
        """Return where attenuation fell by 15 % or more; exact and inclusive.

        Parameters
        ----------
        aggregation
            `mean_of_lesion_means`, `area` or `volume` (weighted means), or `per_lesion` (each lesion must fall).
        """
        if aggregation == "mean_of_lesion_means":  # the numbers of lesions are equal and cancel
            return np.asarray(100 * self.now_sum <= 85 * self.baseline_sum)
        block = self.burden.block
        if aggregation == "per_lesion":
            held = 100 * self.now.astype(np.int64) > 85 * self.baseline.astype(np.int64)
            return ~block.some(self.matched & held)
        now, now_weight, base, base_weight = self._weighted(aggregation)
        return np.asarray(100 * now * base_weight <= 85 * base * now_weight).astype(np.bool_)

    def compared(self, aggregation: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return attenuation now and at baseline as they are compared, and what divides both into milli-HU.

        Sums and the number of lesions for means of lesions; weighted means, in thousandths of a milli-HU, else.
        """
        if aggregation not in ("area", "volume"):
            return self.now_sum, self.baseline_sum, np.maximum(self.lesions, 1)
        now, now_weight, base, base_weight = self._weighted(aggregation)
        means = [
            (THOUSAND * total // np.maximum(weight, 1)).astype(np.int64)
            for total, weight in ((now, now_weight), (base, base_weight))
        ]
        return means[0], means[1], np.full(self.lesions.shape, THOUSAND, np.int64)

    def comparable(self, aggregation: str) -> Flags:
        """Return where some lesion can be compared: with its weight at both dates, if the mean is weighted."""
        if aggregation not in ("area", "volume"):
            return np.asarray(self.lesions > 0)
        return np.asarray(self._weighted(aggregation)[1] > 0).astype(np.bool_)

    def left_out(self, aggregation: str) -> Flags:
        """Return where a lesion that is there could not be compared: for want of attenuation, or of a weight."""
        if aggregation not in ("area", "volume"):
            return self.incomplete
        weight, base_weight = self._weights(aggregation)
        unweighted = self.matched & ((weight <= 0) | (base_weight <= 0))
        return np.asarray(self.incomplete | self.burden.block.some(unweighted))

    def _weights(self, aggregation: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        block = self.burden.block
        column = block.timeline.measurements.number("area_mm2" if aggregation == "area" else "volume_mm3")
        weight, baseline = block.lesion(column, NO_NUMBER), block.at_baseline(column, NO_NUMBER)[:, None]
        return weight.astype(np.int64), baseline.astype(np.int64)

    def _weighted(self, aggregation: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return the weighted sums and the weights, now and at baseline, over the lesions with both weights."""
        block = self.burden.block
        weight, base_weight = self._weights(aggregation)
        usable = self.matched & (weight > 0) & (base_weight > 0)

        def total(values: NDArray[np.int64]) -> NDArray[Any]:
            # Python integers: products of weighted sums pass the range of 64 bits
            return block.reduce(np.add, np.where(usable, values, 0), dtype=np.int64).astype(object)

        return total(self.now * weight), total(weight), total(self.baseline * base_weight), total(base_weight)


def attenuation_of(burden: Burden, *, phases_must_match: bool) -> Attenuation:
    """Return the attenuation of the targets of a block, matched between baseline and each timepoint."""
    block, hu = burden.block, burden.block.timeline.measurements.number("attenuation_hu")
    now, baseline = block.lesion(hu, NO_NUMBER), block.at_baseline(hu, NO_NUMBER)[:, None]
    known = targets_of(burden) & (baseline != NO_NUMBER)
    region = targets_of(burden) & is_one_of(burden.state, _WITH_REGION)
    matched = known & region & (now != NO_NUMBER)
    unmatched = known & ~matched  # few as a rule: what they add is taken off what all add
    mismatch = block.some(matched & _other_phase(block))
    return Attenuation(
        burden=burden,
        matched=matched,
        now=now,
        baseline=baseline,
        now_sum=block.reduce(np.add, now * matched, dtype=np.int64),
        baseline_sum=_total(block, baseline * known) - total_of_few(block, unmatched, baseline),
        lesions=_total(block, known) - block.count(unmatched),
        incomplete=block.some(region & ~matched),
        mismatch=mismatch,
        blocked=mismatch if phases_must_match else np.zeros(block.shape, np.bool_),
    )


def _total(block: Block, values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the sums of values of the lesions, `[track, 1]` to `[series, 1]`."""
    return np.bincount(block.series_of_track, values[:, 0], minlength=block.series_count).astype(np.int64)[:, None]


def phase_codes(block: Block) -> NDArray[np.int32]:
    """Return the index of each lesion's contrast phase among the texts of that column, `[track, timepoint]`."""
    return block.once("phase", lambda: block.lesion(block.timeline.measurements.text_column("phase").codes, 0))


def _other_phase(block: Block) -> Flags:
    """Return where the contrast phase is another one than at the lesion's baseline, both being recorded."""
    phase = block.timeline.measurements.text_column("phase")
    names = [folded(text) for text in phase.values]
    if len(set(filter(None, names))) < 2:
        return np.zeros((1, 1), np.bool_)
    lut = np.asarray([names.index(name) if name else -1 for name in names], np.min_scalar_type(-len(names)))
    now, baseline = lut.take(phase_codes(block)), lut.take(block.at_baseline(phase.codes, 0))[:, None]
    return np.asarray((now >= 0) & (baseline >= 0) & (now != baseline))
