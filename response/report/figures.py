"""The numbers that reasons are told with: sums, changes, counts of each timepoint, as texts.

A name that is not listed here is looked up among the numbers of the criterion (`sum` is `sum_mm`, `hu` is
`attenuation_hu`, `optimal` of Chun is `chun_optimal`; `sum_over_nadir` is a difference), so that sentences of other
criteria are filled too. `{hu_change_percent}` and the like are the change of what is compared beside size.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.attenuation import QUANTITIES, Quantity
from response.criteria.burden import NO_SUM
from response.errors import CriterionError
from response.report.columns import percent
from response.report.evidence import Cells, Evidence
from response.report.texts import number_texts
from response.result import Result
from response.table import TextColumn

Numbers = NDArray[np.int64]
UNKNOWN: Final = "unknown"
_OVER: Final = "_over_"  # `{sum_over_reference}` is the length `sum` less the length `reference`


class Figures:
    """The numbers of a block by one criterion; arrays `[cell]`, lengths in um, percentages in hundredths."""

    def __init__(self, result: Result, evidence: Evidence) -> None:
        self.result, self.evidence = result, evidence
        self._made: dict[str, Numbers] = {}

    def number(self, name: str) -> Numbers:
        """Return a number of the criterion, by its name."""
        return self.result.numbers[name][self.evidence.block.cell_slice]

    def name_of(self, what: str) -> str:
        """Return the name that a criterion has for a number (`sum`, `baseline`), empty where it has none."""
        return self._own(what).name if self.knows(what) else ""

    @property
    def sum_um(self) -> Numbers:
        """Sum of diameters, or what a criterion sums in their place."""
        return self.number(self._own("sum").name)

    @property
    def baseline_um(self) -> Numbers:
        """Sum at baseline."""
        return self.number(self._own("baseline").name)

    @property
    def nadir_um(self) -> Numbers:
        """Smallest complete sum before."""
        return self.number(self._own("nadir").name)

    @cached_property
    def summed(self) -> NDArray[np.bool_]:
        """Whether the criterion has a sum: it sums nothing, or not where it says so, if the lesions do not allow it."""
        if not self.knows("sum"):
            return np.zeros(self.evidence.cells, np.bool_)
        some = (self.evidence.targets > self.unmeasured) & (self.evidence.baseline >= 0)
        return np.asarray(some & (self.sum_um != NO_SUM))

    @cached_property
    def unmeasured(self) -> Numbers:
        """Number of targets that were not assessed, or not as the criterion measures them (`<name>_unmeasured`)."""
        return self.number(self._own("unmeasured").name) if self.knows("unmeasured") else self.evidence.missing_targets

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Whether the sum is complete, as the criterion measures its targets."""
        return np.asarray(self.summed & (self.unmeasured == 0))

    @cached_property
    def comparable(self) -> NDArray[np.bool_]:
        """Whether the sum of a scored timepoint is complete, and so is that of the baseline."""
        return np.asarray(self.evidence.follow_up & self.complete & self.complete[self.evidence.baseline_cell])

    @property
    def grows_from_baseline(self) -> bool:
        """Whether growth is judged against the baseline: by the option `<name>_pd_reference`, or by a study."""
        options, test = self.result.options, self.result.criterion.test
        if test is not None and test.from_baseline:
            return True
        return any(getattr(options, item.name) == "baseline" for item in fields(options) if _is_reference(item.name))

    @property
    def reference_um(self) -> Numbers:
        """Sum that growth is judged against."""
        return self.baseline_um if self.grows_from_baseline else self.nadir_um

    @property
    def quantity(self) -> Quantity | None:
        """What the criterion compares with baseline beside size; None: nothing."""
        return quantity_of(self.result)

    @cached_property
    def quantity_percent(self) -> Numbers:
        """Change of attenuation, or of what takes its place, against baseline, over the lesions compared."""
        now, baseline = self._matched_sums
        return percent(now - baseline, baseline)

    @cached_property
    def _matched_sums(self) -> tuple[Numbers, Numbers]:
        """Return the sums of attenuation: the means are rounded, and would not always tell what was decided."""
        quantity = self.quantity
        assert quantity is not None
        block = self.evidence.block
        criterion, standard = self.result.criterion, self.evidence.recist
        beside = {standard.criterion.name: standard.criterion.state(block, standard.options, {})}
        found: Any = criterion.state(block, self.result.options, beside)
        compared = getattr(found, "compared_means", None)
        if compared is None:
            return self.number(quantity.now), self.number(quantity.baseline)
        return block.ragged(compared[0]), block.ragged(compared[1])

    def texts(self, name: str, cells: Cells) -> TextColumn:
        """Return a number at some cells as texts.

        Raises
        ------
        CriterionError
            If neither this module nor the criterion knows the name.
        """
        try:
            return self._texts(name, cells)
        except CriterionError as error:
            raise CriterionError(f"{{{name}}} cannot be told: {error}") from None

    def _texts(self, name: str, cells: Cells) -> TextColumn:
        if name in _NAMED:
            made, decimals = _NAMED[name]
            if name not in self._made:
                self._made[name] = made(self)
            return _signed(name, number_texts(self._made[name][cells], decimals))
        if _OVER in name:
            now, reference = (self.number(self._own(part).name)[cells] for part in name.split(_OVER))
            return number_texts(now - reference)
        number = self._own(name)
        values = self.number(number.name)[cells]
        found = number_texts(np.where(values == NO_SUM, 0, values), 0 if number.unit == "count" else 3)
        codes = np.where(values == NO_SUM, len(found.values), found.codes).astype(np.int32)
        return TextColumn(codes, [*found.values, UNKNOWN])

    def knows(self, name: str) -> bool:
        """Return whether a placeholder can be filled."""
        try:
            return name in _NAMED or all(self._own(part) for part in name.split(_OVER))
        except CriterionError:
            return False

    def _own(self, name: str) -> Any:
        criterion = self.result.criterion
        by_name = {number.name: number for number in criterion.numbers}
        with_unit = [f"{name}_{unit}" for unit in ("mm", "mm2", "mm3", "hu", "percent")]
        for known in (name, *with_unit, f"{criterion.prefix}_{name}", f"attenuation_{name}"):
            if known in by_name:
                return by_name[known]
        names = ", ".join((name, *with_unit))
        raise CriterionError(f"criterion '{criterion.name}' has no number {names} or {criterion.prefix}_{name}")


def quantity_of(result: Result) -> Quantity | None:
    """Return what a criterion compares with baseline beside size, by its numbers; None: nothing."""
    return next((item for item in QUANTITIES if {item.now, item.baseline} <= result.numbers.keys()), None)


def _is_reference(name: str) -> bool:
    return name.endswith("_pd_reference")


def _signed(name: str, column: TextColumn) -> TextColumn:
    if not name.endswith("change_percent") and not name.startswith("signed_"):
        return column
    return TextColumn(
        column.codes, [text if text.startswith("-") or text == "0" else f"+{text}" for text in column.values]
    )


def _growth(figures: Figures) -> Numbers:
    return figures.sum_um - figures.reference_um


def _growth_percent(figures: Figures) -> Numbers:
    return percent(_growth(figures), figures.reference_um)


def _change_percent(figures: Figures) -> Numbers:
    return percent(figures.sum_um - figures.baseline_um, figures.baseline_um)


def _assessable(figures: Figures) -> Numbers:
    return figures.number("chun_optimal") + figures.number("chun_incomplete") + figures.number("chun_none")


# Name -> how it is made from the figures of a block, and its decimals.
_NAMED: Final[Mapping[str, tuple[Callable[[Figures], Numbers], int]]] = {
    "growth": (_growth, 3),
    "growth_percent": (_growth_percent, 2),
    "signed_growth_percent": (_growth_percent, 2),
    "reference": (lambda figures: figures.reference_um, 3),
    "change_percent": (_change_percent, 2),
    "shrinkage_percent": (lambda figures: -_change_percent(figures), 2),
    **{f"{item.stem}_change_percent": (lambda figures: figures.quantity_percent, 2) for item in QUANTITIES},
    **{f"{item.stem}_shrinkage_percent": (lambda figures: -figures.quantity_percent, 2) for item in QUANTITIES},
    "missing": (lambda figures: figures.unmeasured, 0),
    "targets": (lambda figures: figures.evidence.targets, 0),
    "assessable": (_assessable, 0),
}
