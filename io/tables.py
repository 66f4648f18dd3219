"""Tables of lesions, visits, subjects or collected responses from CSV, TSV, Excel, Parquet or a data frame."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from response.cells import Decimals
from response.columns import COLUMNS, Column
from response.errors import InputError
from response.io.aliases import Names
from response.io.canonical import ReadTable, canonical_table, point_decimals, required_missing
from response.io.mapping import ColumnMapping, read_mapping
from response.io.raw import RawTable, checked_header
from response.io.sniffing import HEAD_BYTES, kind_of_file
from response.io.values import text_of_value
from response.table import TextColumn, TextTable, concatenate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnMapping", "ReadTable", "read_mapping", "read_table", "read_tables", "table_from_frame"]


def read_table(
    path: Path | str,
    *,
    columns: Mapping[str, Column] = COLUMNS,
    mapping: ColumnMapping | Mapping[str, str] | None = None,
    sheet: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: Decimals | None = None,
) -> ReadTable:
    """Read a table; what kind of file it is, its content says.

    Parameters
    ----------
    path
        A CSV, TSV, xlsx or Parquet file.
    columns
        What is looked for: `COLUMNS`, `VISIT_COLUMNS`, `SUBJECT_COLUMNS` or `COLLECTED_COLUMNS`.
    mapping
        The user's column by canonical name, or all that a mapping file says (`read_mapping`).
    sheet
        Sheet of an Excel file; without it the one with the required columns.
    delimiter, encoding, decimal
        Of a text file, else found out.

    Raises
    ------
    InputError
        If the file cannot be read, is no table, or two of its columns claim one name.
    MissingExtraError
        If it is a Parquet file and pyarrow is not installed.
    """
    path = Path(path)
    said = _as_mapping(mapping)
    reader = _RawReader(columns, said, sheet, delimiter, encoding)
    try:
        raw = reader.read(path)
    except OSError as error:
        raise InputError(
            str(path), _reason(error), "a file that can be read", "check the name, the folder and your rights to it"
        ) from None
    return canonical_table(raw.tidied(), columns, said, decimal)


def read_tables(
    paths: Sequence[Path | str],
    *,
    columns: Mapping[str, Column] = COLUMNS,
    mapping: ColumnMapping | Mapping[str, str] | None = None,
    sheet: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: Decimals | None = None,
) -> ReadTable:
    """Read several tables of one kind and put them under each other; see `read_table`.

    Where some have decimal commas and others points, the commas become points. Notes begin with the file's name.
    """
    parts = [
        read_table(
            path,
            columns=columns,
            mapping=mapping,
            sheet=sheet,
            delimiter=delimiter,
            encoding=encoding,
            decimal=decimal,
        )
        for path in paths
    ]
    if len({part.decimal for part in parts}) > 1:
        parts = [point_decimals(part, columns) for part in parts]
    notes = [
        note if len(parts) == 1 else f"{part.table.files[0]}: {note}" for part in parts for note in part.table.notes
    ]
    whole = concatenate([part.table for part in parts])
    return ReadTable(
        table=TextTable(whole.columns, whole.files, whole.file_codes, whole.lines, tuple(notes)),
        decimal=parts[0].decimal,
        findings=[finding for part in parts for finding in part.findings],
    )


def table_from_frame(
    frame: "pd.DataFrame",
    name: str = "DataFrame",
    *,
    columns: Mapping[str, Column] = COLUMNS,
    mapping: ColumnMapping | Mapping[str, str] | None = None,
) -> ReadTable:
    """Return a data frame as a table: NaN and None are blank, numbers as short as they are exact, dates ISO.

    The first row counts as line 2, as in a file with a header.

    Raises
    ------
    InputError
        As `read_table`.
    """
    names, blank = checked_header(name, [str(column) for column in frame.columns])
    if not len(frame):
        raise InputError(name, "no rows", "one row per lesion and timepoint", "")
    texts = [_column_of_series(frame.iloc[:, position]) for position in range(len(names))]
    lines = np.arange(2, len(frame) + 2, dtype=np.int32)
    raw = RawTable(name, names, texts, lines, blank_names=blank)
    return canonical_table(raw.tidied(), columns, _as_mapping(mapping), None)


def _column_of_series(series: "pd.Series[Any]") -> TextColumn:
    # factorize takes True and 1 of an object column for one value; those columns are walked row by row.
    if series.dtype == object:
        return TextColumn.of(text_of_value(value) for value in series)
    codes, distinct = series.factorize()
    values = [text_of_value(value) for value in np.asarray(distinct)]
    blank = len(values)
    return TextColumn(np.where(codes < 0, blank, codes).astype(np.int32), [*values, ""]).normalised()


def _as_mapping(mapping: ColumnMapping | Mapping[str, str] | None) -> ColumnMapping:
    if isinstance(mapping, ColumnMapping):
        return mapping
    return ColumnMapping(columns=dict(mapping or {}))


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder"
    if isinstance(error, PermissionError):
        return "a file or folder that may not be read"
    return error.strerror or str(error) or "a file that cannot be read"


class _RawReader:
    """Reads a file of any kind, with what is known about the columns looked for."""

    def __init__(
        self,
        columns: Mapping[str, Column],
        mapping: ColumnMapping,
        sheet: str | None,
        delimiter: str | None,
        encoding: str | None,
    ) -> None:
        self.columns, self.sheet, self.delimiter, self.encoding = columns, sheet, delimiter, encoding
        self.names = Names(columns)
        self.mapped = {header: canonical for canonical, header in mapping.columns.items()}

    def read(self, path: Path) -> RawTable:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        kind = kind_of_file(path, head)
        if kind == "excel":
            from response.io.spreadsheets import read_spreadsheet

            return read_spreadsheet(path, sheet=self.sheet, is_known=self._is_known, required=self._lacking)
        if kind == "parquet":
            from response.io.parquet import read_parquet

            return read_parquet(path, is_key=self._is_key)
        from response.io.text_files import read_delimited

        return read_delimited(
            path,
            head,
            delimiter=self.delimiter,
            encoding=self.encoding,
            is_known=self._is_known,
            is_key=self._is_key,
        )

    def _is_known(self, header: str) -> bool:
        return header.strip() in self.mapped or self.names.knows(header)

    def _is_key(self, header: str) -> bool:
        meaning = self.names.meaning(header)
        canonical = self.mapped.get(header) or (meaning.canonical if meaning else "")
        return canonical in self.columns and canonical != "source" and self.columns[canonical].kind != "number"

    def _lacking(self, headers: Sequence[str]) -> int:
        return len(required_missing([self.mapped.get(header, header) for header in headers], self.names))
