"""Typed values of spreadsheets, Parquet files and data frames to text, exactly and as short as can be."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

import numpy as np

from response.table import TextColumn


def text_of_value(value: Any) -> str:
    """Return how a person would write a value: 21.0 as 21, a midnight as its date, nothing as the empty text."""
    if isinstance(value, str):
        return value.strip()
    # Truth values first, for they are whole numbers too.
    for kinds, text_of in _TEXTS:
        if isinstance(value, kinds):
            return text_of(value)
    return "" if value is None or str(value) == "<NA>" else str(value).strip()


def _text_of_bool(value: bool | np.bool_) -> str:
    return "TRUE" if value else "FALSE"


def _text_of_float(value: "float | np.floating[Any]") -> str:
    if np.isnan(value):
        return ""
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"  # a number that no cell accepts, so that it is found
    # str of a NumPy float is the shortest text that gives the same number in its own precision (32.4, not 32.4000015).
    return _text_of_decimal(Decimal(str(value)))


def _text_of_decimal(value: Decimal) -> str:
    if not value.is_finite():
        return ""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def _text_of_datetime(value: datetime) -> str:
    if value != value:  # noqa: PLR0124  (pandas' NaT is a datetime that equals nothing, not even itself)
        return ""
    midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
    return value.date().isoformat() if midnight else value.isoformat(timespec="seconds")


def _text_of_datetime64(value: "np.datetime64") -> str:
    return "" if np.isnat(value) else _text_of_datetime(value.astype("datetime64[us]").item())


def _text_of_day(value: date | time) -> str:
    return value.isoformat()


_TEXTS: Final[Sequence[tuple[Any, Callable[[Any], str]]]] = (
    (bool | np.bool_, _text_of_bool),
    (float | np.floating, _text_of_float),
    (Decimal, _text_of_decimal),
    (np.datetime64, _text_of_datetime64),
    (datetime, _text_of_datetime),
    (date | time, _text_of_day),
)


def column_of_values(values: Iterable[Any]) -> TextColumn:
    """Return a column of typed values, one per row, as text."""
    return TextColumn.of(text_of_value(value) for value in values)
