"""An explicit mapping of the user's columns, words, unit and dates to ours, from a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast

from response.cells import UNIT_FACTORS, Decimals
from response.errors import InputError

_EXAMPLE: Final = 'as in: [columns] longest_mm = "Length"  [values.role] "1" = "target"  unit = "cm"  decimal = ","'
_SCALARS: Final = ("unit", "decimal", "date_format")
_DATE_WORDS: Final = (("YYYY", "%Y"), ("YY", "%y"), ("MON", "%b"), ("MM", "%m"), ("DD", "%d"))


@dataclass(frozen=True, kw_only=True)
class ColumnMapping:
    """What the user says about a table.

    Attributes
    ----------
    columns
        Their column by canonical name.
    values
        By canonical name: our word by theirs (`{"role": {"1": "target"}}`); compared without regard to case.
    unit
        Unit of all lengths, `mm` or `cm`; empty where the columns say it.
    decimal
        Decimal mark; empty where it is to be found out.
    date_format
        How dates are written, as `DD/MM/YYYY` or `%d/%m/%Y`; empty for the known ways.
    source
        The mapping file, for messages.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unit: str = ""
    decimal: Decimals | Literal[""] = ""
    date_format: str = ""
    source: str = "mapping"

    @property
    def strptime_format(self) -> str:
        """Return the date format as `datetime.strptime` takes it."""
        if "%" in self.date_format:
            return self.date_format
        format_text = self.date_format.upper()
        for word, code in _DATE_WORDS:
            format_text = format_text.replace(word, code)
        return format_text


def read_mapping(path: Path | str) -> ColumnMapping:
    """Read a mapping file.

    The file is TOML: `unit`, `decimal` and `date_format` at the top, `[columns]` with `canonical = "their name"`,
    and `[values.canonical]` with `"their word" = "ours"`. All keys are optional.

    Raises
    ------
    InputError
        If the file cannot be read, or holds something else; all faults are told at once.
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(str(path), error.strerror or "an unreadable file", "a mapping file", _EXAMPLE) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"a text that is no TOML ({error})", "a mapping file", _EXAMPLE) from None
    faults = _faults(content)
    if faults:
        raise InputError(str(path), "; ".join(faults), "a mapping file", _EXAMPLE)
    values = cast("dict[str, dict[str, str]]", content.get("values", {}))
    scalars: dict[str, Any] = {name: content.get(name, "") for name in _SCALARS}
    return ColumnMapping(columns=content.get("columns", {}), values=values, source=str(path), **scalars)


def _faults(content: Mapping[str, Any]) -> list[str]:
    faults = [f"unknown key '{key}'" for key in content if key not in (*_SCALARS, "columns", "values")]
    faults += [f"{name} is no text" for name in _SCALARS if not isinstance(content.get(name, ""), str)]
    if str(content.get("unit", "")).casefold() not in UNIT_FACTORS:
        faults.append(f"unit '{content['unit']}' is not mm or cm")
    if content.get("decimal", "") not in {"", ".", ","}:
        faults.append(f"decimal '{content['decimal']}' is not '.' or ','")
    if not _is_text_table(content.get("columns", {})):
        faults.append("[columns] is no table of texts")
    values = content.get("values", {})
    if not isinstance(values, dict) or not all(_is_text_table(table) for table in values.values()):
        faults.append("[values] holds something else than tables of texts, such as [values.role]")
    return faults


def _is_text_table(table: Any) -> bool:
    return isinstance(table, dict) and all(isinstance(value, str) for value in table.values())
