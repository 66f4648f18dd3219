"""Tables of text, dictionary-coded: what a reader hands to the measurement model.

A column is an array of whole-number codes into its distinct texts. Nothing is converted on the way: "NE",
"<5", "001" and "1,8" arrive as they stood, and each distinct text is converted once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]


class TableError(ValueError):
    """A table that does not hold together, as a program made it; the text names columns and lengths, no cells."""


@dataclass(frozen=True, eq=False)
class TextColumn:
    """One column of text.

    Attributes
    ----------
    codes
        Shape `[row]`; index into `values`, never negative.
    values
        The distinct texts, in any order; surrounding blanks are stripped. A missing cell is the empty text.
    """

    codes: Codes
    values: Sequence[str]

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> "TextColumn":
        """Return the column that holds these texts, one per row; raise TableError for what is neither text nor None."""
        cells = list(texts)
        wrong = {type(cell).__name__ for cell in cells if cell is not None and not isinstance(cell, str)}
        if wrong:
            raise TableError(f"a cell that is {min(wrong)}; expected text or None: numbers as they stood, with str")
        index: dict[str, int] = {}
        codes = [index.setdefault("" if text is None else text.strip(), len(index)) for text in cells]
        return cls(np.asarray(codes, dtype=np.int32), list(index))

    @classmethod
    def constant(cls, text: str, rows: int) -> "TextColumn":
        """Return a column that holds one text in every row."""
        return cls(np.zeros(rows, dtype=np.int32), [text])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.codes)

    def text(self, row: int) -> str:
        """Return the text of one row."""
        return str(self.values[int(self.codes[row])])

    def texts(self) -> list[str]:
        """Return the texts of all rows."""
        values = self.values
        return [values[code] for code in self.codes]

    def take(self, rows: NDArray[Any]) -> "TextColumn":
        """Return the column of the given rows (indices or a mask)."""
        return replace(self, codes=self.codes[rows])

    def normalised(self) -> "TextColumn":
        """Return the same column with distinct texts stripped and merged, for values that came as they were."""
        index: dict[str, int] = {}
        lut = np.asarray([index.setdefault(value.strip(), len(index)) for value in self.values], dtype=np.int32)
        if len(index) == len(self.values) and list(index) == list(self.values):
            return self
        return TextColumn(lut[self.codes], list(index))


@dataclass(frozen=True, eq=False)
class TextTable:
    """A table of text with where each row came from.

    Attributes
    ----------
    columns
        By canonical name (see `columns.COLUMNS`) or, for a plug-in, any other name.
    files
        Names of the files that the rows came from.
    file_codes
        Shape `[row]`; index into `files`.
    lines
        Shape `[row]`; line (or record) number in the file, the header being line 1.
    notes
        What the reader decided and the user should see: columns mapped, delimiter, decimal mark.
    """

    columns: Mapping[str, TextColumn]
    files: Sequence[str]
    file_codes: NDArray[np.int16]
    lines: NDArray[np.int32]
    notes: Sequence[str] = field(default=())

    @classmethod
    def of(
        cls, columns: Mapping[str, TextColumn], file: str, *, lines: Any = None, notes: Sequence[str] = ()
    ) -> "TextTable":
        """Return a table whose rows all came from one file; without `lines` the first row stands on line 2.

        Raises
        ------
        TableError
            As `check`.
        """
        rows = len(next(iter(columns.values()), ()))
        where = np.arange(2, rows + 2, dtype=np.int32) if lines is None else np.asarray(lines, dtype=np.int32)
        made = cls(dict(columns), (file,), np.zeros(rows, dtype=np.int16), where, tuple(notes))
        made.check()
        return made

    def check(self) -> None:
        """Raise TableError where columns, lines and files do not fit together; all faults are told at once."""
        other = {name: type(column).__name__ for name, column in self.columns.items() if type(column) is not TextColumn}
        if other:
            told = ", ".join(f"column {name} is {kind}" for name, kind in other.items())
            raise TableError(f"{told}; expected TextColumn, as TextColumn.of makes it")
        rows = len(next(iter(self.columns.values()), self.lines))
        first = next(iter(self.columns), "lines")
        lengths = {f"column {name}": len(column) for name, column in self.columns.items()}
        lengths |= {"lines": len(self.lines), "file_codes": len(self.file_codes)}
        faults = [
            f"{what} has {length} rows, column {first} {rows}" for what, length in lengths.items() if length != rows
        ]
        codes: dict[str, tuple[NDArray[Any], int]] = {"file_codes": (self.file_codes, len(self.files))}
        codes |= {f"column {name}": (column.codes, len(column.values)) for name, column in self.columns.items()}
        faults += [
            f"{what} has codes beyond its {count} values"
            for what, (code, count) in codes.items()
            if len(code) and not 0 <= code.min() <= code.max() < count
        ]
        if faults:
            raise TableError("; ".join(faults))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lines)

    def column(self, name: str) -> TextColumn:
        """Return a column, all blank where the table has none of that name."""
        found = self.columns.get(name)
        return TextColumn.constant("", len(self)) if found is None else found

    def where(self, row: int) -> tuple[str, int]:
        """Return the file and line of a row."""
        return self.files[self.file_codes[row]], int(self.lines[row])


def concatenate(tables: Sequence[TextTable]) -> TextTable:
    """Return the rows of several tables under each other; a column that one of them lacks is blank there."""
    if len(tables) == 1:
        return tables[0]
    names = dict.fromkeys(name for table in tables for name in table.columns)
    files: list[str] = []
    file_codes = []
    for table in tables:
        file_codes.append(table.file_codes + np.int16(len(files)))
        files.extend(table.files)
    return TextTable(
        {name: _stack([table.column(name) for table in tables]) for name in names},
        files,
        np.concatenate(file_codes),
        np.concatenate([table.lines for table in tables]),
        tuple(note for table in tables for note in table.notes),
    )


def _stack(columns: Sequence[TextColumn]) -> TextColumn:
    index: dict[str, int] = {}
    codes = []
    for column in columns:
        lut = np.asarray([index.setdefault(value, len(index)) for value in column.values], dtype=np.int32)
        codes.append(lut[column.codes])
    return TextColumn(np.concatenate(codes), list(index))
