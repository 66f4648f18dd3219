"""Readers of other packages: entry points `response.readers`, asked before the built-in ones.

An entry point names an object with `can_read(path) -> bool` and `read(path) -> TextTable`. One that is broken is
named in a finding and passed over, so that it never stops a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, Protocol

from response.errors import InputError, ResponseError
from response.findings import Finding
from response.table import TextTable

GROUP: Final = "response.readers"


class Reader(Protocol):
    """What a package gives to read its own files."""

    def can_read(self, path: Path) -> bool:
        """Return whether a file is of its kind, by what it holds."""

    def read(self, path: Path) -> TextTable:
        """Return the rows of a file under canonical names (`columns.COLUMNS`)."""


@dataclass(frozen=True, eq=False)
class PluggedIn:
    """What the readers of other packages make of a file: a table, or None; and those that are broken."""

    table: TextTable | None = None
    findings: Sequence[Finding] = field(default=())


def reader_for(path: Path) -> PluggedIn:
    """Return the rows of a file by the first reader of another package that can read it.

    Raises
    ------
    InputError
        If two packages bring a reader of one name.
    ResponseError
        What the reader itself raises for a file of its kind.
    """
    broken: list[Finding] = []
    for entry in _entries():
        try:
            reader: Reader = entry.load()
            able = reader.can_read(path)
        except Exception as error:
            broken.append(_broken(entry, error))
            continue
        if not able:
            continue
        try:
            return PluggedIn(_table_of(reader, path), broken)
        except ResponseError:
            raise
        except Exception as error:
            broken.append(_broken(entry, error))
    return PluggedIn(None, broken)


def _table_of(reader: Reader, path: Path) -> TextTable:
    found: object = reader.read(path)
    if not isinstance(found, TextTable):
        raise TypeError(f"{type(found).__name__} is no response.plugins TextTable")
    return found


@lru_cache(maxsize=1)
def _entries() -> tuple[EntryPoint, ...]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        known = found.setdefault(entry.name, entry)
        if known.value != entry.value:
            raise InputError(
                f"reader '{entry.name}'",
                f"brought twice, by {known.value} and {entry.value}",
                "one reader of a name",
                "uninstall one of the packages",
            )
    return tuple(found.values())


def _broken(entry: EntryPoint, error: Exception) -> Finding:
    # The kind of error only: its text may hold what stands in the file.
    return Finding(
        id="broken_reader",
        severity="warning",
        column=entry.name,
        found=type(error).__name__,
        expected="a reader with can_read and read",
        sentence=f"The reader '{entry.name}' ({entry.value}) failed with {type(error).__name__} and was passed over.",
        remedy="Update or uninstall the package that brings it.",
    )
