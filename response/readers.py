"""Readers of other packages: entry points `response.readers`, asked before the built-in ones.

An entry point names an object with `can_read(path) -> bool` and `read(path) -> TextTable`. One that fails is passed
over, so that it never stops a batch, and is named in a finding; where nothing else can read its file either, in the
error. Which reader read a file stands in the notes of its table. Two that can both read a file are an error: what is
read must not hang on which package was installed first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, Protocol

from response.errors import InputError, ResponseError, place_of_fault
from response.findings import Finding
from response.table import TableError, TextTable

GROUP: Final = "response.readers"


class Reader(Protocol):
    """What a package gives to read its own files."""

    def can_read(self, path: Path) -> bool:
        """Return whether a file is of its kind, by what it holds."""

    def read(self, path: Path) -> TextTable:
        """Return the rows of a file under canonical names (`columns.COLUMNS`)."""


@dataclass(frozen=True, eq=False)
class FailedReader:
    """A reader that failed with an error, and the file, where it had said that it can read that."""

    entry: EntryPoint
    error: Exception
    file: Path | None = None

    @property
    def place(self) -> str:
        """Where the error came up, and its kind; not its text, which may hold what stands in the file."""
        told = place_of_fault(self.error, self.entry.value.partition(":")[0].partition(".")[0])
        return f"{told} ({self.error})" if isinstance(self.error, TableError) else told

    def __str__(self) -> str:
        """Return what happened, in words."""
        did = "said that it can read the file, and failed" if self.file else "failed when it was asked"
        return f"{_named(self.entry)} {did} with {self.place}"

    def finding(self) -> Finding:
        """Return what happened as a finding."""
        return Finding(
            id="broken_reader",
            severity="warning",
            column=self.entry.name,
            found=type(self.error).__name__,
            expected="a reader with can_read and read",
            sentence=f"The {self} and was passed over.",
            remedy="Update or uninstall the package that brings it.",
            file=str(self.file or ""),
        )


@dataclass(frozen=True, eq=False)
class PluggedIn:
    """What the readers of other packages make of a file: a table, or None; and those that failed."""

    table: TextTable | None = None
    failed: Sequence[FailedReader] = field(default=())


def reader_for(path: Path) -> PluggedIn:
    """Return the rows of a file by the reader of another package that can read it; nobody is asked if it is not there.

    Raises
    ------
    InputError
        If two packages bring a reader of one name, or two readers can read the file.
    ResponseError
        What the reader itself raises for a file of its kind.
    """
    failed: list[FailedReader] = []
    read: dict[EntryPoint, TextTable | ResponseError] = {}
    for entry in _entries() if path.exists() else ():
        able = False
        try:
            reader: Reader = entry.load()
            able = reader.can_read(path)
            if able:
                read[entry] = _table_of(reader, path)
        except ResponseError as error:
            read[entry] = error
        except Exception as error:
            failed.append(FailedReader(entry, error, path if able else None))
    if len(read) > 1:
        raise InputError(
            str(path),
            f"a file for {' and for '.join(map(_named, read))}",
            "one reader that can read it",
            "uninstall one of the packages, or give the file as a table",
        )
    for entry, found in read.items():
        if isinstance(found, ResponseError):
            raise found
        return PluggedIn(replace(found, notes=(f"read by {_named(entry)}", *found.notes)), failed)
    return PluggedIn(None, failed)


def with_failed(error: InputError, failed: Sequence[FailedReader]) -> InputError:
    """Return the error of an input with the readers that failed on it; the first is its cause.

    A reader that had said that it can read the file comes first, for then what the built-in ones miss is no matter.
    """
    claimed = [item for item in failed if item.file is not None and str(item.file) in error.where]
    asked = [item for item in failed if item.file is None]
    told = "; ".join(map(str, claimed or asked))
    if claimed:
        found = InputError(
            ", ".join(dict.fromkeys(str(item.file) for item in claimed)),
            told,
            "a reader that reads what it says it can",
            f"update or uninstall its package; without it: {error}",
        )
    else:
        found = InputError(error.where, error.found, error.expected, "; ".join(filter(None, (error.remedy, told))))
    found.__cause__ = next((item.error for item in claimed or asked), None)
    return found


def _table_of(reader: Reader, path: Path) -> TextTable:
    found: object = reader.read(path)
    if not isinstance(found, TextTable):
        raise TableError(f"{type(found).__name__} in place of a response.plugins TextTable")
    found.check()
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
    return tuple(found[name] for name in sorted(found))


def _named(entry: EntryPoint) -> str:
    """Return a reader with its package and version, or with its object where no package is known."""
    origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.value
    return f"reader '{entry.name}' ({origin})"
