"""Texts to values: exact numbers, partial dates and the words of the field, one distinct text at a time.

Lengths become whole micrometres, attenuation whole milli-HU, other numbers whole thousandths; the only
rounding of the program happens here, to the thousandth (design: "exact integers").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from enum import IntEnum
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from response.vocabulary import State, folded, members_by_text

THOUSAND: Final = 1000  # thousandths per unit: micrometres per mm, milli-HU per HU
NO_NUMBER: Final = -(2**31)  # a blank number; the smallest int32, so that it is never a measurement
NO_DATE: Final = -(2**31)
NO_ROW: Final = -1  # no row of a table

UNIT_FACTORS: Final[Mapping[str, int]] = {"": 1, "mm": 1, "millimeter": 1, "millimetre": 1, "cm": 10, "centimeter": 10}
LARGEST_MM: Final = 2000  # nothing in a person is longer; a larger number is a slip of the unit or the decimal mark
LARGEST_MM3: Final = 100_000_000  # nor larger: 100 litres

Decimals = Literal[".", ","]
Whole = np.signedinteger[Any]  # 32 bits where the numbers of a column fit in, else 64

_STATE_TOKENS: Final[Mapping[str, State]] = {
    **{text: state for text, state in members_by_text(State).items() if state is not State.MEASURED},
    "na": State.NOT_EVALUABLE,
    "n a": State.NOT_EVALUABLE,
    "missing": State.NOT_EVALUABLE,
}
_BELOW: Final = re.compile(r"^[<≤]\s*(\d+([.,]\d+)?)\s*(mm)?$")  # "<5": too small to measure
_STARRED: Final = re.compile(r"^(\d+([.,]\d+)?)\s*\*$")  # "5*": the default value, marked
_NUMBER: Final = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$")


@dataclass(frozen=True)
class Cell:
    """What one text of a number column says.

    Attributes
    ----------
    thousandths
        The number in thousandths of its unit, `NO_NUMBER` where there is none.
    state
        The state that a word in a number cell stands for ("NE", "<5", "absent"), else blank.
    fault
        What was expected instead, where the text is unusable.
    """

    thousandths: int = NO_NUMBER
    state: State = State.BLANK
    fault: str = ""


def number_of(
    text: str,
    *,
    decimal: Decimals = ".",
    largest: int | None = None,
    negative: bool = False,
    integer: bool = False,
    factor: int = 1,
) -> Cell:
    """Return what a number cell says.

    Parameters
    ----------
    text
        The cell. Blank is no number, never 0.
    decimal
        The decimal mark of the file.
    largest
        Largest plausible number, in the unit of the column.
    negative
        Whether a number below 0 can be meant (attenuation).
    integer
        Whether only a whole number can be meant (a count, a score).
    factor
        How many units of the column one of the cell is: 10 for a cell in cm of a column in mm.
    """
    if not text:
        return Cell()
    expected = "a number" if decimal == "." else "a number with decimal comma"
    plain = text.replace(",", ".") if decimal == "," else text
    if not _NUMBER.match(plain):
        return _word_of(text, expected, factor)
    try:
        value = Decimal(plain) * factor
        thousandths = int((value * THOUSAND).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    except (InvalidOperation, OverflowError):
        return Cell(fault=expected)
    kinds = (
        (value < 0 and not negative, "a number that is not negative"),
        (largest is not None and abs(value) > largest, f"a number of at most {(largest or 0) // factor}"),
        (integer and value != value.to_integral_value(), "a whole number"),
    )
    fault = next((wanted for wrong, wanted in kinds if wrong), "")
    return Cell(fault=fault) if fault else Cell(thousandths)


def _word_of(text: str, expected: str, factor: int) -> Cell:
    state = _STATE_TOKENS.get(folded(text))
    if state is not None:
        return Cell(state=state)
    below = _BELOW.match(text) or _STARRED.match(text)
    if below:
        value = Decimal(below.group(1).replace(",", ".")) * factor
        return Cell(int(value * THOUSAND) if value <= LARGEST_MM else NO_NUMBER, State.TOO_SMALL)
    if re.fullmatch(r"\d+,\d+", text):
        return Cell(fault=f"{expected} in the unit of the column (decimal comma: pass --decimal ,)")
    return Cell(fault=f"{expected} in the unit of the column")


class DatePrecision(IntEnum):
    """How much of a date is known."""

    NONE = 0
    YEAR = 1
    MONTH = 2
    DAY = 3


_ISO: Final = re.compile(r"^(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?:[T ]\d{2}:?\d{2}.*)?$")
_ISO_UNKNOWN: Final = re.compile(r"-(UN|UNK|UK|XX|--?|\?\?)(?=-|$)", re.IGNORECASE)
_UNKNOWN: Final = "un|unk|uk|xx"
_SAS: Final = re.compile(rf"^(?:(\d{{1,2}}|{_UNKNOWN})?[- /]?([a-z]{{3}}|{_UNKNOWN})[- /]?)(\d{{4}})$", re.IGNORECASE)
_DOTTED: Final = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$")
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1
    )
}
_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class DateCell:
    """What one text of a date column says: days since 1970-01-01 of its first possible day, and how exact."""

    days: int = NO_DATE
    precision: DatePrecision = DatePrecision.NONE
    fault: str = ""


def date_of(text: str) -> DateCell:
    """Return what a date cell says: ISO 8601, YYYYMMDD, 01FEB2014 or 01.02.2014; parts may be unknown (UNFEB2014)."""
    if not text:
        return DateCell()
    expected = "a date as YYYY-MM-DD (YYYY-MM and YYYY may stand for partial dates)"
    parts = _date_parts(text)
    if parts is None:
        return DateCell(fault=expected)
    year, month, day = parts
    try:
        days = date(year, month or 1, day or 1).toordinal() - _EPOCH
    except ValueError:
        return DateCell(fault=expected)
    return DateCell(days, DatePrecision.DAY if day else DatePrecision.MONTH if month else DatePrecision.YEAR)


def _date_parts(text: str) -> tuple[int, int, int] | None:
    iso = _ISO.match(_ISO_UNKNOWN.sub("", text))
    if iso:
        return int(iso[1]), int(iso[2] or 0), int(iso[3] or 0)
    sas = _SAS.match(text)
    if sas and sas[2].lower() in _MONTHS:
        day = sas[1] or ""
        return int(sas[3]), _MONTHS[sas[2].lower()], int(day) if day.isdecimal() else 0
    if sas and sas[2].lower() in _UNKNOWN.split("|") and not (sas[1] or "").isdecimal():
        return int(sas[3]), 0, 0
    dotted = _DOTTED.match(text)
    if dotted:
        return int(dotted[3]), int(dotted[2]), int(dotted[1])
    return None


def iso_texts(days: NDArray[np.int32], precision: NDArray[np.int8] | None = None) -> list[str]:
    """Return dates as ISO texts, cut to what is known of them; shape `[n]`."""
    exact = np.int64(DatePrecision.DAY) if precision is None else precision.astype(np.int64)
    distinct, place = np.unique(np.where(days == NO_DATE, 0, days.astype(np.int64) * 4 + exact), return_inverse=True)
    whole = np.datetime_as_string((distinct // 4).astype("datetime64[D]")).tolist()
    length = np.asarray([0, 4, 7, 10])[distinct % 4].tolist()
    texts = [text[:size] for text, size in zip(whole, length, strict=True)]
    return [texts[code] for code in place.tolist()]


def thousandths_text(value: int) -> str:
    """Return a number of thousandths as people write it: 136, 23.1, -4.25."""
    sign, value = ("-" if value < 0 else ""), abs(int(value))
    whole, rest = divmod(value, THOUSAND)
    return f"{sign}{whole}" + (f".{rest:03d}".rstrip("0") if rest else "")
