"""NUM items of measurement reports: which column they fill, in its unit, or why they cannot be used.

Source: DICOM PS3.3, C.18.1 (numeric measurement macro); PS3.16, TID 300, 1419 and CID 7469-7472.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from math import isnan
from typing import Final

from pydicom.dataset import Dataset

from response.io.dicom_values import number, plain_text
from response.io.sr_codes import (
    AREA_UNITS,
    DERIVATION,
    HU_UNITS,
    LENGTH_UNITS,
    QUALIFIERS,
    VOLUME_UNITS,
)
from response.io.sr_content import ContentItem, read_code, sequence
from response.vocabulary import QUANTITY_CODES, STATISTIC_CODES

_LENGTHS: Final = ("longest_mm", "short_mm")
_NEVER_NEGATIVE: Final = (*_LENGTHS, "area_mm2", "volume_mm3", "attenuation_sd_hu")

# Column of each quantity, and its precedence there: the first that a group has counts.
_PLACES: Final[Mapping[str, tuple[str, int]]] = {
    "long_axis": ("longest_mm", 0),
    "diameter": ("longest_mm", 1),
    "length": ("longest_mm", 2),
    "short_axis": ("short_mm", 0),
    "perpendicular_axis": ("short_mm", 1),
    "viable": ("viable_mm", 0),
    "area": ("area_mm2", 0),
    "volume": ("volume_mm3", 0),
    "estimated_volume": ("volume_mm3", 1),
    "mean": ("attenuation_hu", 0),
    "sd": ("attenuation_sd_hu", 0),
    "min": ("attenuation_min_hu", 0),
    "max": ("attenuation_max_hu", 0),
    "median": ("attenuation_median_hu", 0),
}
_UNITS: Final[Mapping[str, Mapping[str, str]]] = {
    **dict.fromkeys((*_LENGTHS, "viable_mm"), LENGTH_UNITS),
    "area_mm2": AREA_UNITS,
    "volume_mm3": VOLUME_UNITS,
}
_EXPECTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(_LENGTHS, "a length in mm, cm, um or m (UCUM)"),
    "area_mm2": "an area in mm2 or cm2 (UCUM)",
    "volume_mm3": "a volume in mm3, cm3, ml or l (UCUM)",
}
_EXPECTED_HU: Final = "attenuation in [hnsf'U] (UCUM)"

_LARGEST_EXPONENT: Final = 40  # 16 characters can claim a number of a million digits
_RELATIVE: Final = Decimal("0.001")  # values closer than this are one value, written in two units


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One NUM item.

    Attributes
    ----------
    item
        Where it stands.
    column
        Column of the measurement table that it fills; empty where it is none of ours.
    rank
        Precedence in that column; 0 first.
    value, step
        In the unit of the column, and one unit of its last digit; None where it cannot be used.
    found, expected
        Value and unit as they stand, and what would be usable.
    fault
        Why it cannot be used; empty where it can.
    is_unit_fault
        Whether that is for its unit.
    was_coded_as_length
        Whether its concept is a length and its unit one of area.
    """

    item: ContentItem
    column: str = ""
    rank: int = 0
    value: Decimal | None = None
    step: Decimal = Decimal(0)
    found: str = ""
    expected: str = ""
    fault: str = ""
    is_unit_fault: bool = False
    was_coded_as_length: bool = False

    def agrees(self, other: "Measurement") -> bool:
        """Return whether two usable values are one, but for how many digits were written."""
        if self.value is None or other.value is None:
            return False
        near = max(self.step / 2, other.step / 2, abs(self.value) * _RELATIVE)
        return abs(self.value - other.value) <= near


@dataclass
class Filled:
    """What the NUM items of one group come to.

    Attributes
    ----------
    chosen
        By column: the measurement that fills it.
    unusable
        Measurements that ought to fill a column and cannot, and items without a value.
    differing
        By column: measurements of equal precedence that contradict each other; the column stays blank.
    superseded
        Usable, but something that counts more fills the column with another value.
    foreign
        Items of quantities that no column holds.
    """

    chosen: dict[str, Measurement] = field(default_factory=dict)
    unusable: list[Measurement] = field(default_factory=list)
    differing: dict[str, list[Measurement]] = field(default_factory=dict)
    superseded: list[Measurement] = field(default_factory=list)
    foreign: list[Measurement] = field(default_factory=list)

    @property
    def lost(self) -> list[Measurement]:
        """Measurements for want of which a column stays blank."""
        gone = [item for item in self.unusable if item.column and item.column not in self.chosen]
        return [*gone, *(item for several in self.differing.values() for item in several)]


def fill_columns(found: Iterable[ContentItem]) -> Filled:
    """Choose for each column the measurement that fills it."""
    filled, usable = Filled(), dict[str, list[Measurement]]()
    for item in found:
        measurement = read_measurement(item)
        if measurement.fault:
            filled.unusable.append(measurement)
        elif not measurement.column:
            filled.foreign.append(measurement)
        else:
            usable.setdefault(measurement.column, []).append(measurement)
    for column, several in usable.items():
        _choose(filled, column, several)
    return filled


def _choose(filled: Filled, column: str, several: list[Measurement]) -> None:
    best = min(item.rank for item in several)
    first = [item for item in several if item.rank == best]
    finest = min(first, key=lambda item: item.step)
    if all(item.agrees(finest) for item in first):
        filled.chosen[column] = finest
        filled.superseded += [item for item in several if item.rank != best and not item.agrees(finest)]
    else:
        filled.differing[column] = first


def read_measurement(item: ContentItem) -> Measurement:
    """Read one NUM item."""
    values = sequence(item.dataset, "MeasuredValueSequence")
    unit = _unit(values)
    value, written, fault = _value(item, values)
    column, rank = _place(item, unit)
    found = Measurement(item=item, column=column, rank=rank, found=f"{written} {unit}".strip() or "no value")
    if fault or value is None:
        return replace(found, fault=fault, expected="a measured value")
    return _in_unit(found, value, unit) if column else found


def _in_unit(found: Measurement, value: Decimal, unit: str) -> Measurement:
    column = found.column
    factor = _UNITS.get(column, HU_UNITS).get(unit)
    if factor is None and column in _LENGTHS and unit in AREA_UNITS:
        found, factor = replace(found, column="area_mm2", rank=0, was_coded_as_length=True), AREA_UNITS[unit]
    if factor is None:
        why = f"its unit is '{unit}'" if unit else "it has no unit"
        return replace(found, fault=why, is_unit_fault=True, expected=_EXPECTED.get(column, _EXPECTED_HU))
    if value < 0 and found.column in _NEVER_NEGATIVE:
        return replace(found, fault="it is negative", expected="a number of at least 0")
    exponent = value.as_tuple().exponent
    step = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    return replace(found, value=value * Decimal(factor), step=step * Decimal(factor))


def number_text(value: Decimal) -> str:
    """Return a number as the measurement table has it: with a decimal point, never with an exponent."""
    whole = f"{value:f}"
    return whole.rstrip("0").rstrip(".") if "." in whole else whole


def _place(item: ContentItem, unit: str) -> tuple[str, int]:
    """Return the column that a quantity fills and its precedence, by the codes of concept and derivation."""
    derived = [STATISTIC_CODES.get(child.value_code, "other") for child in item.own(DERIVATION)]
    statistic = derived[0] if derived else ""
    quantity = QUANTITY_CODES.get(item.code, "")
    if not quantity and unit in HU_UNITS:
        quantity = STATISTIC_CODES.get(item.code, "")
    if quantity == "attenuation":
        quantity = statistic
    elif statistic not in ("", "max") and _PLACES.get(quantity, ("", 0))[0] in _LENGTHS:
        return "", 0  # the mean of several diameters is no diameter
    return _PLACES.get(quantity, ("", 0))


def _value(item: ContentItem, values: Sequence[Dataset]) -> tuple[Decimal | None, str, str]:
    """Return the value of a NUM item, how it is written, and why it cannot be used."""
    written = [plain_text(value, "NumericValue") for value in values]
    qualifier, meaning = read_code(item.dataset, "NumericValueQualifierCodeSequence")
    first = written[0] if written else ""
    if qualifier:
        return None, first, f"it is qualified as {QUALIFIERS.get(qualifier, meaning or qualifier)}"
    if len(set(written)) > 1:
        return None, first, "it has several values"
    if values and not first:
        floating = number(values[0], "FloatingPointValue")
        first = "" if isnan(floating) else repr(floating)
    if not first:
        return None, "", "it has no value"
    value = _decimal(first)
    return value, first, "" if value is not None else f"its value is '{first}'"


def _decimal(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    exponent = found.as_tuple().exponent
    return found if isinstance(exponent, int) and abs(exponent) < _LARGEST_EXPONENT else None


def _unit(values: Sequence[Dataset]) -> str:
    code = read_code(values[0], "MeasurementUnitsCodeSequence")[0] if values else ""
    value, _, scheme = code.partition("^")
    return value if scheme in ("UCUM", "") else f"{value} ({scheme})"
