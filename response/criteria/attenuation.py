"""Attenuation of the targets, now against baseline, over the lesions measured at both dates.

A lesion that vanished, or whose attenuation was left out (artefact, calcification), leaves both dates, so that
the same lesions are compared. On MR, which has no HU, relative enhancement takes the place of attenuation (`Quantity`).
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER, THOUSAND
from response.criteria.burden import Burden
from response.criteria.criterion import Number
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of
from response.criteria.sums import targets_of, total_of_few
from response.table import TextColumn
from response.vocabulary import State, folded

_WITH_REGION: Final = (State.MEASURED, State.TOO_SMALL, State.NORMAL_NODE, State.EQUIVOCAL)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """What of a lesion is compared with baseline beside its size.

    Attributes
    ----------
    word, unit
        As texts name it.
    stem
        How placeholders of sentences begin: `{hu}`, `{hu_change_percent}`.
    now, baseline, change
        Columns of the results; `now` is that of the measurement table too.
    technique
        Columns that must be as at baseline for the numbers to be comparable.
    modalities
        Folded words of the modalities that give it; empty: any.
    """

    word: str
    unit: str
    stem: str
    now: str
    baseline: str
    change: str
    technique: tuple[str, ...]
    modalities: frozenset[str] = frozenset()

    @property
    def numbers(self) -> tuple[Number, Number]:
        """The numbers of a criterion that compares it."""
        return Number(self.now, self.unit), Number(self.baseline, self.unit)


ATTENUATION: Final = Quantity(
    word="attenuation",
    unit="HU",
    stem="hu",
    now="attenuation_hu",
    baseline="baseline_hu",
    change="change_hu_percent",
    technique=("phase",),
)
RELATIVE_ENHANCEMENT: Final = Quantity(
    word="relative enhancement",
    unit="%",
    stem="relative_enhancement",
    now="relative_enhancement_percent",
    baseline="baseline_relative_enhancement_percent",
    change="change_relative_enhancement_percent",
    technique=("mr_sequence", "scanner", "phase"),
    modalities=frozenset({"mr", "mri"}),
)
QUANTITIES: Final = (ATTENUATION, RELATIVE_ENHANCEMENT)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How a quantity is compared with baseline, as the options of a criterion say.

    Attributes
    ----------
    quantity
        What is compared.
    aggregation
        `mean_of_lesion_means`, `area` or `volume` (weighted means), or `per_lesion` (each lesion must fall).
    same_technique
        Whether another technique than at baseline forbids the comparison.
    least_baseline
        Baseline below which a change has no meaning, in the unit of the quantity.
    """

    quantity: Quantity
    aggregation: str
    same_technique: bool
    least_baseline: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Attenuation:
    """Attenuation, or relative enhancement, of the matched lesions; arrays `[series, timepoint]`, whole thousandths.

    Attributes
    ----------
    now_sum, baseline_sum
        Sum of the lesions' mean attenuation, now and at baseline, over the same lesions.
    lesions
        Number of lesions compared.
    incomplete
        Whether a lesion that is there could not be compared for want of attenuation.
    other_modality
        Whether a lesion that is there was left out for its modality, now or at baseline, which gives no such number.
    mismatch
        Whether the technique (contrast phase; on MR sequence and scanner too) of a compared lesion differs from its
        baseline.
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
    other_modality: Flags
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
        """Return attenuation now and at baseline as they are compared, and what divides both into thousandths.

        Sums and the number of lesions for means of lesions; weighted means, in millionths of the unit, else.
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


def attenuation_of(burden: Burden, comparison: Comparison) -> Attenuation:
    """Return the attenuation of the targets of a block, matched between baseline and each timepoint."""
    block, quantity = burden.block, comparison.quantity
    column = block.timeline.measurements.number(quantity.now)
    now, baseline = block.lesion(column, NO_NUMBER), block.at_baseline(column, NO_NUMBER)[:, None]
    known = targets_of(burden) & (baseline != NO_NUMBER)
    region = targets_of(burden) & is_one_of(burden.state, _WITH_REGION)
    matched = known & region & (now != NO_NUMBER)
    other = _of_other_modality(block, quantity.modalities)
    if other is not None:
        matched &= ~other
    unmatched = known & ~matched  # few as a rule: what they add is taken off what all add
    mismatch = block.some(matched & reduce(np.logical_or, (_differs(block, name) for name in quantity.technique)))
    return Attenuation(
        burden=burden,
        matched=matched,
        now=now,
        baseline=baseline,
        now_sum=block.reduce(np.add, now * matched, dtype=np.int64),
        baseline_sum=_total(block, baseline * known) - total_of_few(block, unmatched, baseline),
        lesions=_total(block, known) - block.count(unmatched),
        incomplete=block.some(region & ~matched),
        other_modality=np.zeros(block.shape, np.bool_) if other is None else block.some(region & other),
        mismatch=mismatch,
        blocked=mismatch if comparison.same_technique else np.zeros(block.shape, np.bool_),
    )


def _total(block: Block, values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the sums of values of the lesions, `[track, 1]` to `[series, 1]`."""
    return np.bincount(block.series_of_track, values[:, 0], minlength=block.series_count).astype(np.int64)[:, None]


def phase_codes(block: Block) -> NDArray[np.int32]:
    """Return the index of each lesion's contrast phase among the texts of that column, `[track, timepoint]`."""
    return _codes_of(block, "phase")


def _text(block: Block, name: str) -> TextColumn:
    """Return a text column of the measurement table, also one that is kept beside those that are read."""
    measured = block.timeline.measurements
    return measured.text[name] if name in measured.text else measured.table.column(name)


def _codes_of(block: Block, name: str) -> NDArray[np.int32]:
    return block.once(f"text:{name}", lambda: block.lesion(_text(block, name).codes, 0))


def _differs(block: Block, name: str) -> Flags:
    """Return where the text of a column is another one than at the lesion's baseline, both being recorded."""
    column = _text(block, name)
    names = [folded(text) for text in column.values]
    if len(set(filter(None, names))) < 2:
        return np.zeros((1, 1), np.bool_)
    lut = np.asarray([names.index(name) if name else -1 for name in names], np.min_scalar_type(-len(names)))
    now, baseline = lut.take(_codes_of(block, name)), lut.take(block.at_baseline(column.codes, 0))[:, None]
    return np.asarray((now >= 0) & (baseline >= 0) & (now != baseline))


def _of_other_modality(block: Block, modalities: frozenset[str]) -> Flags | None:
    """Return which lesions were seen, now or at baseline, by a recorded modality that is none of these; None: none."""
    column = _text(block, "modality")
    other = np.asarray([bool(text) and text not in modalities for text in map(folded, column.values)], np.bool_)
    if not modalities or not other.any():
        return None
    now, baseline = other.take(_codes_of(block, "modality")), other.take(block.at_baseline(column.codes, 0))
    return np.asarray(now | baseline[:, None])
