"""The measurement model: the tables of a trial (`columns`), each cell validated and kept as an exact number or code.

The measurements, the visit and subject tables beside them and the collected responses are read by the same machinery.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import (
    NO_DATE,
    NO_NUMBER,
    UNIT_FACTORS,
    Cell,
    DateCell,
    Decimals,
    Whole,
    date_of,
    number_of,
)
from response.columns import COLLECTED_COLUMNS, COLUMNS, SUBJECT_COLUMNS, VISIT_COLUMNS, Column
from response.errors import InputError
from response.findings import Finding
from response.table import TextColumn, TextTable
from response.vocabulary import folded, members_by_text


@dataclass(frozen=True, eq=False)
class DateColumn:
    """Dates of all rows: first possible day since 1970-01-01 (`NO_DATE` if blank), and `DatePrecision`; `[row]`."""

    days: NDArray[np.int32]
    precision: NDArray[np.int8]

    @classmethod
    def blank(cls, rows: int) -> "DateColumn":
        """Return a column without any date."""
        return cls(np.full(rows, NO_DATE, np.int32), np.zeros(rows, np.int8))


@dataclass(frozen=True, eq=False)
class Records:
    """A table whose cells were read: `text`, `codes` (int8), `numbers` (whole thousandths), `dates`; all `[row]`.

    Only the columns that the file has are there; the accessors give blank arrays for the others.
    """

    table: TextTable
    text: Mapping[str, TextColumn]
    codes: Mapping[str, NDArray[np.int8]]
    numbers: Mapping[str, NDArray[Whole]]
    dates: Mapping[str, DateColumn]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.table)

    def has(self, name: str) -> bool:
        """Return whether the file had this column."""
        return any(name in group for group in (self.text, self.codes, self.numbers, self.dates))

    def has_any(self, name: str) -> bool:
        """Return whether the file had this column, and something in it."""
        if name in self.text:
            return any(self.text[name].values)
        numbers, codes = self.numbers.get(name), self.codes.get(name)
        if numbers is not None:
            return bool((numbers != NO_NUMBER).any())
        return bool(codes.any()) if codes is not None else bool(self.date(name).precision.any())

    def text_column(self, name: str) -> TextColumn:
        """Return a text column."""
        return self.text[name] if name in self.text else TextColumn.constant("", len(self))

    def code(self, name: str) -> NDArray[np.int8]:
        """Return a coded column, 0 where blank."""
        return self.codes[name] if name in self.codes else np.zeros(len(self), np.int8)

    def number(self, name: str) -> NDArray[Whole]:
        """Return a number column in thousandths of its unit, `NO_NUMBER` where blank."""
        return self.numbers[name] if name in self.numbers else np.full(len(self), NO_NUMBER, np.int32)

    def numbers_of(self, name: str, rows: NDArray[Any]) -> NDArray[Whole]:
        """Return the numbers of some rows, in their shape; see `number`."""
        return self.numbers[name][rows] if name in self.numbers else np.full(rows.shape, NO_NUMBER, np.int32)

    def date(self, name: str) -> DateColumn:
        """Return a date column."""
        return self.dates[name] if name in self.dates else DateColumn.blank(len(self))


@dataclass(frozen=True, eq=False)
class Measurements(Records):
    """Lesion measurements of a trial, with what stands beside them.

    Attributes
    ----------
    visits, subjects, collected
        The other tables, where given (`VISIT_COLUMNS`, `SUBJECT_COLUMNS`, `COLLECTED_COLUMNS`).
    findings
        What was wrong in the cells and rows on reading.
    """

    visits: Records | None = None
    subjects: Records | None = None
    collected: Records | None = None
    findings: Sequence[Finding] = field(default=())

    @classmethod
    def from_table(
        cls,
        table: TextTable,
        *,
        visits: TextTable | None = None,
        subjects: TextTable | None = None,
        collected: TextTable | None = None,
        decimal: Decimals = ".",
    ) -> "Measurements":
        """Read the cells of a measurement table and of those beside it.

        Parameters
        ----------
        table
            Columns by canonical name (`COLUMNS`); others are kept as text for plug-ins.
        visits, subjects, collected
            The optional tables.
        decimal
            Decimal mark of the numbers.

        Raises
        ------
        InputError
            If a required column is missing.
        """
        from response.placing import keep_placed, keep_with_role, without_organs, without_repeats

        records, findings = read_records(table, COLUMNS, decimal)
        beside: dict[str, Records | None] = {}
        for name, other, columns in (
            ("visits", visits, VISIT_COLUMNS),
            ("subjects", subjects, SUBJECT_COLUMNS),
            ("collected", collected, COLLECTED_COLUMNS),
        ):
            beside[name] = None
            if other is not None:
                read, more = read_records(other, columns, decimal)
                beside[name], lost = keep_placed(read, columns)
                findings = [*findings, *more, *lost]
        if beside["collected"] is not None:
            beside["collected"] = without_repeats(beside["collected"], COLLECTED_COLUMNS)
        placed, lost = keep_placed(records, COLUMNS)
        measured = cls(placed.table, placed.text, placed.codes, placed.numbers, placed.dates, findings=(), **beside)
        measured, without_role = keep_with_role(without_organs(measured))
        return replace(measured, findings=[*findings, *lost, *without_role])


def read_records(
    table: TextTable, columns: Mapping[str, Column], decimal: Decimals = "."
) -> tuple[Records, list[Finding]]:
    """Read the cells of a table of text by its columns' types; unusable cells become findings and stay blank."""
    missing = [name for name, column in columns.items() if column.required and name not in table.columns]
    if missing:
        raise InputError(
            ", ".join(table.files) or "table",
            f"no column {', '.join(missing)} among {', '.join(list(table.columns)[:20]) or 'none'}",
            f"the columns {', '.join(name for name, column in columns.items() if column.required)}",
            "rename the columns, or pass a mapping file with --map",
        )
    reader = _CellReader(table, decimal)
    text = {name: column for name, column in table.columns.items() if name not in columns}
    for name, column in columns.items():
        if name not in table.columns:
            continue
        if column.kind == "text":
            text[name] = table.columns[name]
        elif column.kind == "code":
            reader.read_code(name, column)
        elif column.kind == "number":
            reader.read_number(name, column)
        else:
            reader.read_date(name)
    reader.apply_words_in_number_cells(has_state="state" in columns)
    return Records(table, text, reader.codes, reader.numbers, reader.dates), reader.findings


_WITH_STATES: Final = ("longest_mm", "short_mm", "diameter_mm")  # a word in them is the state of the lesion
_PERCENTAGE: Final = re.compile(r"-?\d[\d.,]*\s*%$")
_SHARE: Final = "a share from 0 to 1, or a percentage such as 45 %"
Rows = NDArray[np.intp] | slice  # some rows of a table
_ALL: Final = slice(None)
_DATE_REMEDY: Final = "Correct the cell in the source, or say in a mapping file how dates are written (date_format)."


class _CellReader:
    """Reads the columns of one table; each distinct text is converted once."""

    def __init__(self, table: TextTable, decimal: Decimals) -> None:
        self.table, self.decimal = table, decimal
        self.codes: dict[str, NDArray[np.int8]] = {}
        self.numbers: dict[str, NDArray[Whole]] = {}
        self.dates: dict[str, DateColumn] = {}
        self.findings: list[Finding] = []
        self._words: NDArray[np.int8] | None = None

    def read_code(self, name: str, column: Column) -> None:
        assert column.words is not None
        words = members_by_text(column.words)
        texts = self.table.columns[name]
        members = [words.get(folded(value)) for value in texts.values]
        known = ", ".join(dict.fromkeys(member.name.lower() for member in words.values()))
        for code, (value, member) in enumerate(zip(texts.values, members, strict=True)):
            if value and member is None:
                self._unusable(name, code, f"one of {known}")
        lut = np.asarray([0 if member is None else int(member) for member in members], np.int8)
        self.codes[name] = lut[texts.codes]

    def read_number(self, name: str, column: Column) -> None:
        texts = self.table.columns[name]
        numbers, words = np.full(len(self.table), NO_NUMBER, column.whole), None
        for factor, rows in self._by_unit if column.length else [(1, _ALL)]:
            cells = [self._number(name, value, column, factor or 1) for value in texts.values]
            codes = texts.codes[rows]
            if factor:
                numbers[rows] = np.asarray([cell.thousandths for cell in cells], column.whole)[codes]
                for code, cell in enumerate(cells):
                    if cell.fault:
                        self._unusable(name, code, cell.fault, rows=rows)
            if name in _WITH_STATES and any(cell.state for cell in cells):
                words = np.zeros(len(self.table), np.int8) if words is None else words
                words[rows] = np.asarray([cell.state for cell in cells], np.int8)[codes]
        self.numbers[name] = numbers
        if words is not None:
            self._words = words if self._words is None else np.where(words > 0, words, self._words)

    @cached_property
    def _by_unit(self) -> list[tuple[int, Rows]]:
        """Rows by the unit of their lengths: how many mm it has, 0 where that is not known, and which they are."""
        if "unit" not in self.table.columns:
            return [(1, _ALL)]
        units = self.table.columns["unit"]
        factors = [UNIT_FACTORS.get(value.casefold()) for value in units.values]
        for code, factor in enumerate(factors):
            if factor is None:
                self._unusable("unit", code, "mm or cm", done="The diameters of the row were taken as blank.")
        of_row = np.asarray([0 if factor is None else factor for factor in factors], np.int64)[units.codes]
        return [(factor, np.flatnonzero(of_row == factor)) for factor in np.unique(of_row).tolist()]

    def _number(self, name: str, text: str, column: Column, factor: int) -> Cell:
        """Return what a number cell says; a share may be written as a percentage (45 %), a percentage with its sign."""
        is_share = column.largest == 1
        if _PERCENTAGE.match(text) and (is_share or name.endswith("_percent")):
            largest = 100 if is_share else column.largest
            cell = number_of(text[:-1].rstrip(), decimal=self.decimal, largest=largest, negative=column.negative)
            return Cell(round(cell.thousandths / 100)) if is_share and not cell.fault else cell
        cell = number_of(
            text,
            decimal=self.decimal,
            largest=column.largest,
            negative=column.negative,
            integer=column.integer,
            factor=factor,
        )
        return replace(cell, fault=_SHARE) if is_share and cell.fault else cell

    def read_date(self, name: str) -> None:
        texts = self.table.columns[name]
        cells: list[DateCell] = [date_of(value) for value in texts.values]
        for code, cell in enumerate(cells):
            if cell.fault:
                self._unusable(name, code, cell.fault, remedy=_DATE_REMEDY)
        days = np.asarray([cell.days for cell in cells], np.int32)
        precision = np.asarray([cell.precision for cell in cells], np.int8)
        self.dates[name] = DateColumn(days[texts.codes], precision[texts.codes])

    def apply_words_in_number_cells(self, *, has_state: bool) -> None:
        """Let "NE", "<5" or "absent" in a number cell stand for the state where no state is written."""
        if self._words is None or not has_state:
            return
        written = self.codes.get("state")
        self.codes["state"] = self._words if written is None else np.where(written > 0, written, self._words)

    def _unusable(
        self,
        name: str,
        code: int,
        expected: str,
        done: str = "The cell was taken as blank.",
        remedy: str = "Correct the cell in the source.",
        *,
        rows: Rows = _ALL,
    ) -> None:
        texts = self.table.columns[name]
        found = texts.values[code]
        for row in np.arange(len(texts.codes))[rows][texts.codes[rows] == code]:
            file, line = self.table.where(int(row))
            self.findings.append(
                Finding(
                    id="unusable_cell",
                    severity="error",
                    subject=self._text("subject", row),
                    evaluator=self._text("evaluator", row),
                    timepoint=self._text("timepoint", row),
                    lesion=self._text("lesion", row),
                    column=name,
                    found=found,
                    expected=expected,
                    sentence=f"{name} is '{found}'; expected {expected}. {done}",
                    remedy=remedy,
                    file=file,
                    line=line,
                )
            )

    def _text(self, name: str, row: Any) -> str:
        column = self.table.columns.get(name)
        return "" if column is None else column.text(row)
