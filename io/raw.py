"""What a reader makes of a file before any column has a meaning: headers, columns of text, lines, notes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from response.errors import InputError
from response.findings import Finding
from response.table import TextColumn

MOST_COLUMNS: Final = 1000  # a wide table of a hundred visits has some hundreds; more is no lesion table


@dataclass(frozen=True, eq=False)
class RawTable:
    """The text of one table.

    Attributes
    ----------
    file
        Name of the file, as given.
    names
        The headers, stripped and distinct; a blank header is called `column 7`.
    columns
        One per header.
    lines
        Shape `[row]`; line in the file, the header being line 1.
    notes, findings
        What was decided, and the rows that could not be used.
    delimiter
        Of a text file; else empty.
    blank_names
        Those of `names` whose header is blank.
    """

    file: str
    names: Sequence[str]
    columns: Sequence[TextColumn]
    lines: NDArray[np.int32]
    notes: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    delimiter: str = ""
    blank_names: Sequence[str] = field(default=())

    def tidied(self) -> "RawTable":
        """Return the table without blank rows and without blank columns that have no header.

        Raises
        ------
        InputError
            If no row is left.
        """
        keep = [
            position
            for position, name in enumerate(self.names)
            if name not in self.blank_names or any(_used_values(self.columns[position]))
        ]
        names, columns = [self.names[i] for i in keep], [self.columns[i] for i in keep]
        blank = _blank_rows(columns)
        lines = self.lines
        if blank is not None and blank.any():
            columns, lines = [column.take(~blank) for column in columns], lines[~blank]
        if not len(lines):
            raise _no_rows(self)
        return replace(self, names=names, columns=columns, lines=lines)


def _no_rows(table: RawTable) -> InputError:
    if table.findings:
        first = table.findings[0]
        return InputError(
            f"{table.file}:{first.line}",
            f"none of the rows fits the header: {first.found}",
            first.expected,
            "check the delimiter (--delimiter) and the quotes",
        )
    return InputError(
        table.file, "a header and no rows", "one row per lesion and timepoint", "was the export complete?"
    )


def _used_values(column: TextColumn) -> Iterator[str]:
    return (column.values[code] for code in np.unique(column.codes))


def _blank_rows(columns: Sequence[TextColumn]) -> NDArray[np.bool_] | None:
    """Return which rows are blank throughout, or None; most tables have a column that is never blank."""
    blank: NDArray[np.bool_] | None = None
    for column in sorted(columns, key=lambda column: len(column.values)):
        is_blank = np.fromiter((not value for value in column.values), np.bool_, len(column.values))
        if not is_blank.any():
            return None
        here = is_blank[column.codes]
        blank = here if blank is None else blank & here
    return blank


def checked_header(file: str, cells: Sequence[str], line: int = 1) -> tuple[list[str], list[str]]:
    """Return distinct names for the headers, and which of them were blank.

    Raises
    ------
    InputError
        If there are too many columns, or one name stands twice.
    """
    if len(cells) > MOST_COLUMNS:
        raise InputError(
            f"{file}:{line}",
            f"{len(cells)} columns",
            f"at most {MOST_COLUMNS}",
            "is the table turned on its side, or the delimiter wrong?",
        )
    names = [cell.strip() for cell in cells]
    blank = [f"column {position}" for position, name in enumerate(names, start=1) if not name]
    names = [name or f"column {position}" for position, name in enumerate(names, start=1)]
    twice = [name for position, name in enumerate(names) if name in names[:position]]
    if twice:
        name = twice[0]
        positions = " and ".join(str(position) for position, other in enumerate(names, start=1) if other == name)
        raise InputError(
            f"{file}:{line}",
            f"two headers '{name}' (columns {positions})",
            "every header once",
            "rename or delete one of them",
        )
    return names, blank


def unusable_row(file: str, line: int, cells: int, expected: int) -> Finding:
    """Return the finding for a row that does not fit the header."""
    return Finding(
        id="unusable_row",
        severity="error",
        found=f"{cells} cells",
        expected=f"{expected} cells, as in the header",
        sentence=f"The row has {cells} cells, the header {expected}; the row was left out.",
        remedy="Correct the row in the source; a cell that holds the delimiter needs quotes.",
        file=file,
        line=line,
    )


class ArrowTexts(Sequence[str]):
    """Very many texts, kept as an Arrow array and turned into `str` one by one when asked.

    Used for columns whose texts are nearly all distinct (SOP Instance UIDs): a list would cost gigabytes.
    """

    def __init__(self, array: Any) -> None:
        self.array = array

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.array)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        """Return one text, or some."""
        if isinstance(index, slice):
            return ArrowTexts(self.array[index])
        return str(self.array[int(index)].as_py())

    def __iter__(self) -> Iterator[str]:
        """Return the texts one after the other."""
        for start in range(0, len(self.array), 65_536):
            yield from self.array[start : start + 65_536].to_pylist()
