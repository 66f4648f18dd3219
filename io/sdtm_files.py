"""SDTM data sets as tables of text: CSV, SAS transport (XPT) version 5 and 8, and Dataset-JSON 1.1.

Columns keep their SDTM names in capitals, cells their text; nothing is interpreted here. A file is known by
what it holds, never by its name.
"""

import csv
import json
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, TextIO

import numpy as np

from response.errors import InputError, MissingExtraError
from response.findings import Finding
from response.io.sdtm_columns import ColumnBuilder, checked_names
from response.table import TextColumn, TextTable

Format = Literal["csv", "xpt5", "xpt8", "json", "ndjson"]

_HEAD_BYTES: Final = 1 << 16
_ROWS_AT_ONCE: Final = 50_000
_XPT_RECORD_BYTES: Final = 80  # everything in a transport file is padded to records of this length
_XPT_SIGNATURES: Final[tuple[tuple[bytes, Format], ...]] = (
    (b"HEADER RECORD*******LIBRARY HEADER RECORD", "xpt5"),
    (b"HEADER RECORD*******LIBV8", "xpt8"),
)
_XPT_MEMBER: Final = re.compile(rb"HEADER RECORD\*{7}(MEMBER|MEMBV8) ")
_JSON_SIGNATURE: Final = b'"datasetJSONVersion"'
_TOPICS: Final = {"TUTESTCD": "TU", "TUORRES": "TU", "TRTESTCD": "TR", "RSTESTCD": "RS"}
_DOMAIN: Final = re.compile(r"[A-Z][A-Z0-9]")
_DELIMITERS: Final = ",;\t|"
_WHOLE_FILE: Final = "export or copy the file again"


@dataclass(frozen=True, eq=False)
class Dataset:
    """One SDTM data set.

    Attributes
    ----------
    domain
        `TR`, `TU`, `RS`, `DM`, `SUPPTR` ...
    table
        Columns by SDTM name, in capitals.
    findings
        Rows that do not fit the header.
    """

    domain: str
    table: TextTable
    findings: Sequence[Finding]


def format_of(path: Path) -> Format | None:
    """Return the format of a file by its first bytes; None where it is none of ours, or cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return None
    for signature, name in _XPT_SIGNATURES:
        if head.startswith(signature):
            return name
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{"):
        return "ndjson" if _is_metadata_line(text.split(b"\n", 1)[0]) else "json"
    return None if not text or text.startswith(b"[") or b"\0" in head else "csv"


def _is_metadata_line(line: bytes) -> bool:
    try:
        metadata = json.loads(line)
    except ValueError:
        return False
    return isinstance(metadata, dict) and "rows" not in metadata and "columns" in metadata


def is_signed(path: Path) -> bool:
    """Return whether a file says itself that it is a SAS transport file or Dataset-JSON, readable or not."""
    kind = format_of(path)
    if kind in {"json", "ndjson"}:
        with path.open("rb") as file:
            return _JSON_SIGNATURE in file.read(_HEAD_BYTES)
    return kind in {"xpt5", "xpt8"}


def domain_of(path: Path) -> str | None:
    """Return the SDTM domain of a file by its columns and first row; None where it has none or cannot be read."""
    kind = format_of(path)
    try:
        if kind == "csv":
            header, *first = _first_rows(path)
            return domain_of_columns(header, first[0] if first else [])
        return read_dataset(path).domain if kind else None
    except (InputError, MissingExtraError, OSError, csv.Error):
        return None


def domain_of_columns(names: Sequence[str], first: Sequence[str]) -> str | None:
    """Return the domain that column names and the first row tell; analysis data sets (with PARAMCD) have none."""
    header = [name.strip().upper() for name in names]
    cells = dict(zip(header, (cell.strip().upper() for cell in first), strict=False))
    if "PARAMCD" in header or not set(header) & {"USUBJID", "DOMAIN", "RDOMAIN", *_TOPICS}:
        return None
    if "RDOMAIN" in header and "QNAM" in header:
        return "SUPP" + cells.get("RDOMAIN", "")
    if _DOMAIN.fullmatch(cells.get("DOMAIN", "")):
        return cells["DOMAIN"]
    return next((domain for topic, domain in _TOPICS.items() if topic in header), None)


def read_dataset(path: Path) -> Dataset:
    """Read one SDTM data set.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, or is no SDTM data set.
    MissingExtraError
        If a SAS transport file of version 8 is read without pyreadstat.
    """
    kind = format_of(path)
    readers: dict[Format, Callable[[Path], tuple[TextTable, list[Finding]]]] = {
        "csv": _read_csv,
        "xpt5": _read_xpt5,
        "xpt8": _read_xpt8,
        "json": _read_json,
        "ndjson": _read_ndjson,
    }
    if kind is None:
        raise _not_sdtm(path, "an unreadable, empty or binary file")
    try:
        table, findings = readers[kind](path)
    except OSError as error:
        raise InputError(str(path), error.strerror or "an unreadable file", "an SDTM data set") from None
    first = [column.text(0) if len(table) else "" for column in table.columns.values()]
    domain = domain_of_columns(list(table.columns), first)
    if domain is None:
        raise _not_sdtm(path, f"the columns {', '.join(list(table.columns)[:10]) or 'none'}")
    return Dataset(domain, table, findings)


def _not_sdtm(path: Path, found: str) -> InputError:
    return InputError(
        str(path),
        found,
        "an SDTM data set (TU, TR or RS) as CSV, XPT or Dataset-JSON",
        "is it the right file? Tables with other columns are read without SDTM",
    )


# --- CSV.


def _encoding_of(path: Path) -> str:
    """Return UTF-8 where the file is UTF-8, else Windows-1252."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _delimiter_of(file: TextIO) -> str:
    header = file.readline()
    file.seek(0)
    return max(_DELIMITERS, key=header.count)


def _first_rows(path: Path) -> list[list[str]]:
    # only names and a code are wanted of them: no need to read the file for its encoding
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return list(islice(csv.reader(file, delimiter=_delimiter_of(file)), 2))


def _read_csv(path: Path) -> tuple[TextTable, list[Finding]]:
    with path.open(encoding=_encoding_of(path), newline="") as file:
        reader = csv.reader(file, delimiter=_delimiter_of(file))
        line = 1
        try:
            columns = ColumnBuilder(path, next(reader))
            line = reader.line_num + 1
            while rows := list(islice(reader, _ROWS_AT_ONCE)):
                columns.add(line, list(rows), reader.line_num)
                line = reader.line_num + 1
        except csv.Error as error:
            where = f"{path}:{reader.line_num}"
            raise InputError(where, f"an unreadable row ({error})", "delimited text", _WHOLE_FILE) from None
    return columns.table(), columns.findings


# --- SAS transport.


def _read_xpt5(path: Path) -> tuple[TextTable, list[Finding]]:
    import pandas as pd

    _check_transport(path)
    for encoding in ("utf-8", "cp1252"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # pandas only warns of a file that ends too early
                with pd.read_sas(path, format="xport", encoding=encoding, iterator=True) as reader:
                    frame = reader.read()
                    end = getattr(reader, "record_start", 0) + len(frame) * getattr(reader, "record_length", 0)
        except UnicodeDecodeError:
            continue
        except (ValueError, KeyError, IndexError, TypeError, OverflowError, Warning) as error:
            raise _damaged_transport(path, str(error)) from None
        if end and path.read_bytes()[end:].strip(b" "):
            raise _damaged_transport(path, "the last record is cut off")
        return _table_of_frame(path, frame), []
    raise _damaged_transport(path, "text that is neither UTF-8 nor Windows-1252")


def _read_xpt8(path: Path) -> tuple[TextTable, list[Finding]]:
    try:
        import pyreadstat
    except ImportError:
        raise MissingExtraError("reading a SAS transport file of version 8", "pyreadstat", "sdtm") from None
    _check_transport(path)
    try:
        frame, _ = pyreadstat.read_xport(str(path))
    except (pyreadstat.ReadstatError, UnicodeDecodeError, ValueError) as error:
        raise _damaged_transport(path, str(error)) from None
    return _table_of_frame(path, frame), []


def _check_transport(path: Path) -> None:
    content = path.read_bytes()
    if len(content) % _XPT_RECORD_BYTES:
        raise _damaged_transport(path, f"{len(content)} bytes, cut off within a record of {_XPT_RECORD_BYTES}")
    members = sum(match.start() % _XPT_RECORD_BYTES == 0 for match in _XPT_MEMBER.finditer(content))
    if members != 1:
        raise InputError(str(path), f"{members} data sets in one file", "one data set per file", "write them apart")


def _damaged_transport(path: Path, found: str) -> InputError:
    return InputError(str(path), f"a damaged SAS transport file ({found})", "a whole XPT file", _WHOLE_FILE)


def _table_of_frame(path: Path, frame: Any) -> TextTable:
    names = checked_names(path, [str(name) for name in frame.columns])
    columns = {name: _column_of_series(frame.iloc[:, place]) for place, name in enumerate(names)}
    return TextTable.of(columns, str(path), lines=np.arange(2, len(frame) + 2))


def _column_of_series(series: Any) -> TextColumn:
    codes, values = series.factorize(use_na_sentinel=True)
    texts = [_text_of_number(value) if isinstance(value, float | int) else str(value) for value in values]
    return TextColumn(np.where(codes < 0, len(texts), codes).astype(np.int32), [*texts, ""]).normalised()


def _text_of_number(value: float) -> str:
    # twelve figures: SAS numbers went through base 16, and 20.37 has to come back as 20.37
    return f"{value:.12g}"


# --- Dataset-JSON 1.1.


def _read_json(path: Path) -> tuple[TextTable, list[Finding]]:
    try:
        content = json.loads(path.read_bytes(), parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise _damaged_json(str(path), str(error)) from None
    names = _json_names(path, content)
    rows = content.get("rows")
    if not isinstance(rows, list):
        raise _not_dataset_json(path, "no rows")
    _check_count(path, content, len(rows))
    columns = ColumnBuilder(path, names)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        _add_records(columns, start + 2, rows[start : start + _ROWS_AT_ONCE])
    return columns.table(), columns.findings


def _read_ndjson(path: Path) -> tuple[TextTable, list[Finding]]:
    line, rows = 1, 0
    with path.open(encoding="utf-8-sig") as file:
        try:
            content = json.loads(file.readline(), parse_float=str, parse_int=str)
            columns = ColumnBuilder(path, _json_names(path, content))
            while texts := list(islice(file, _ROWS_AT_ONCE)):
                records = []
                for text in texts:
                    line += 1
                    records.append(json.loads(text, parse_float=str, parse_int=str) if text.strip() else [])
                    rows += bool(records[-1])
                _add_records(columns, line - len(records) + 1, records)
        except ValueError as error:  # broken JSON, and bytes that are no UTF-8
            raise _damaged_json(f"{path}:{line}", str(error)) from None
    _check_count(path, content, rows)
    return columns.table(), columns.findings


def _add_records(columns: ColumnBuilder, first_line: int, records: Sequence[Any]) -> None:
    rows: list[Sequence[str]] = [_json_cells(record) for record in records]
    columns.add(first_line, rows, first_line + len(rows) - 1)


def _json_cells(row: Any) -> list[str]:
    return ["" if cell is None else str(cell) for cell in row] if isinstance(row, list) else []


def _json_names(path: Path, content: Any) -> list[str]:
    columns = content.get("columns") if isinstance(content, dict) else None
    if not isinstance(columns, list):
        old = isinstance(content, dict) and bool({"clinicalData", "referenceData"} & set(content))
        raise _not_dataset_json(path, "Dataset-JSON 1.0" if old else "no columns")
    names = [column.get("name") if isinstance(column, dict) else None for column in columns]
    if not names or not all(isinstance(name, str) for name in names):
        raise _not_dataset_json(path, "columns without names")
    return [str(name) for name in names]


def _check_count(path: Path, content: Any, rows: int) -> None:
    """Refuse a file that announces more records than it holds: it was cut off."""
    records = content.get("records")
    if isinstance(records, str) and records.isdigit() and int(records) > rows:
        raise _damaged_json(str(path), f"{rows} of {records} records")


def _not_dataset_json(path: Path, found: str) -> InputError:
    return InputError(
        str(path), found, "Dataset-JSON 1.1 with columns[] and rows[]", "write the data set as Dataset-JSON 1.1"
    )


def _damaged_json(where: str, found: str) -> InputError:
    return InputError(where, f"JSON that cannot be read ({found})", "a whole Dataset-JSON file", _WHOLE_FILE)
