"""Columns of text from rows of an SDTM data set, whatever file they stood in."""

import re
from array import array
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.errors import InputError
from response.findings import Finding
from response.table import TextColumn, TextTable

_UNUSED: Final = re.compile(r"STUDYID|EPOCH|[A-Z]{2}(DY|REFID|SPID|NAM)")  # not worth the memory


class ColumnBuilder:
    """Builds the dictionary-coded columns of a table, some rows at a time.

    Attributes
    ----------
    findings
        Rows that do not fit the header.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path, self.header = path, checked_names(path, names)
        self.used = [place for place, name in enumerate(self.header) if not _UNUSED.fullmatch(name)]
        self.codes = [array("i") for _ in self.used]
        self.indices: list[defaultdict[str, int]] = [defaultdict() for _ in self.used]
        for index in self.indices:
            index.default_factory = index.__len__  # a new text gets the next code
        self.lines = array("i")
        self.findings: list[Finding] = []

    def add(self, first_line: int, rows: list[Sequence[str]], last_line: int) -> None:
        """Add rows; those that do not fit the header become findings."""
        if set(map(len, rows)) == {len(self.header)} and last_line - first_line + 1 == len(rows):
            self.lines.extend(range(first_line, last_line + 1))
        else:
            rows = self._fitting(first_line, rows)
        if rows:
            cells = list(zip(*rows, strict=True))
            for place, codes, index in zip(self.used, self.codes, self.indices, strict=True):
                codes.extend(map(index.__getitem__, cells[place]))

    def _fitting(self, line: int, rows: list[Sequence[str]]) -> list[Sequence[str]]:
        """Return the rows that fit; a line end within quotes makes a row several lines long."""
        fitting = []
        for cells in rows:
            if len(cells) == len(self.header):
                self.lines.append(line)
                fitting.append(cells)
            elif any(cell.strip() for cell in cells):
                self.findings.append(_unusable_record(self.path, line, len(cells), len(self.header)))
            line += 1 + sum(cell.count("\n") for cell in cells)
        return fitting

    def table(self) -> TextTable:
        """Return the table."""
        columns = {
            self.header[place]: TextColumn(_whole(codes), list(index)).normalised()
            for place, codes, index in zip(self.used, self.codes, self.indices, strict=True)
        }
        return TextTable.of(columns, str(self.path), lines=_whole(self.lines))


def _whole(numbers: "array[int]") -> NDArray[np.int32]:
    return np.frombuffer(numbers, np.int32) if numbers else np.zeros(0, np.int32)


def checked_names(path: Path, names: Sequence[str]) -> list[str]:
    """Return column names in capitals; a name that stands twice is an InputError."""
    header = [name.strip().upper() for name in names]
    twice = [name for position, name in enumerate(header) if name and name in header[:position]]
    if twice:
        raise InputError(str(path), f"two columns {twice[0]}", "every column once", "rename or delete one of them")
    return header


def _unusable_record(path: Path, line: int, cells: int, expected: int) -> Finding:
    return Finding(
        id="unusable_row",
        severity="error",
        found=f"{cells} cells",
        expected=f"{expected} cells, as in the header",
        sentence=f"The row has {cells} cells, the header {expected}; the row was left out.",
        remedy="Correct the row in the source; a cell that holds the delimiter needs quotes.",
        file=str(path),
        line=line,
    )
