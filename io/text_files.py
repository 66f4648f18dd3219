"""Delimited text files, every cell as it stands: with Arrow, else with pandas, else row by row with care.

The two fast ways know nothing of lines; where a file has rows that do not fit the header, blank lines in
between or line ends inside quotes, it is read again by `read_carefully`, which counts lines.
"""

import csv
import threading
import warnings
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from response.errors import InputError
from response.findings import Finding
from response.io.raw import ArrowTexts, RawTable, checked_header, unusable_row
from response.io.sniffing import DELIMITERS, Layout, binary_file, fallback_encoding, layout_of
from response.table import Codes, TextColumn

_BLOCK_BYTES: Final = 1 << 22  # larger blocks have fewer dictionaries to bring together
_MANY_TEXTS: Final = 2_000_000  # from here on, texts of a column that is no key stay in Arrow's memory
_TAIL_BYTES: Final = 1 << 16

# Columns by which rows are put together: their texts must be distinct, however many there are.
IsKey = Callable[[str], bool]


def read_delimited(
    path: Path,
    head: bytes,
    *,
    delimiter: str | None,
    encoding: str | None,
    is_known: Callable[[str], bool],
    is_key: IsKey,
) -> RawTable:
    """Read a delimited text file.

    Parameters
    ----------
    path, head
        The file and its first bytes.
    delimiter, encoding
        What the user said, else they are found out.
    is_known
        Whether a header is a known column or alias, to find the delimiter.
    is_key
        Whether rows are put together by the column of this header.

    Raises
    ------
    InputError
        If it is no table.
    """
    layout = layout_of(path, head, delimiter=delimiter, encoding=encoding, is_known=is_known)
    try:
        table = _read(path, layout, is_key)
    except UnicodeDecodeError:
        if encoding is not None:
            raise InputError(
                str(path), f"bytes that are not {encoding}", f"text in {encoding}", "change --encoding"
            ) from None
        layout = replace(layout, encoding=fallback_encoding(path.read_bytes()))
        table = _read(path, layout, is_key)
    return replace(table, notes=_layout_notes(layout), delimiter=layout.delimiter)


def _layout_notes(layout: Layout) -> tuple[str, ...]:
    notes = [f"delimiter: {DELIMITERS.get(layout.delimiter, repr(layout.delimiter))}"]
    if layout.encoding not in {"utf-8", "utf-8-sig"}:
        shown = {"cp1252": "Windows-1252 (Latin-1), for it is not UTF-8"}.get(layout.encoding, layout.encoding)
        notes.append(f"encoding: {shown}")
    return tuple(notes)


def _read(path: Path, layout: Layout, is_key: IsKey) -> RawTable:
    names, blank = checked_header(str(path), layout.header, layout.header_line)
    if layout.encoding == "utf-16":
        return read_carefully(path, layout)  # rare and small: Excel's "Unicode text"
    if arrow_is_there():
        columns = _columns_by_arrow(path, layout, names, is_key)
    else:
        columns = _columns_by_pandas(path, layout, len(names))
    if columns is None or any(_holds(column, "\n\r\0") for column in columns):
        return read_carefully(path, layout)
    rows = len(columns[0])
    lines = np.arange(layout.first_line, layout.first_line + rows, dtype=np.int32)
    return RawTable(str(path), names, [_stripped(column) for column in columns], lines, blank_names=blank)


def arrow_is_there() -> bool:
    """Return whether pyarrow is installed."""
    try:
        import pyarrow.csv  # noqa: F401
    except ImportError:
        return False
    return True


def _stripped(column: TextColumn) -> TextColumn:
    return column if isinstance(column.values, ArrowTexts) else column.normalised()


def _holds(column: TextColumn, characters: str) -> bool:
    if isinstance(column.values, ArrowTexts):
        import pyarrow.compute as pc

        return any(pc.any(pc.match_substring(column.values.array, mark)).as_py() for mark in characters)
    joined = "".join(column.values)
    return any(mark in joined for mark in characters)


def _blank_lines_at_end(path: Path) -> int:
    """Return how many blank lines follow the last row (looked for in the last 64 KB)."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        tail = stream.read()
    rest = tail[len(tail.rstrip(b"\r\n")) :].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return max(0, len(rest) - 1)


# --- With Arrow: all columns as dictionaries of text, blocks in parallel.


class _Refused:
    """Counts the rows that Arrow could not fit to the header: blank ones at the end of the file are harmless."""

    def __init__(self, blank_at_end: int) -> None:
        self.blank_at_end, self.blank = blank_at_end, 0
        self._lock = threading.Lock()

    def __call__(self, row: Any) -> str:
        with self._lock:
            self.blank += 1
            return "error" if row.text.strip() or self.blank > self.blank_at_end else "skip"


def _columns_by_arrow(path: Path, layout: Layout, names: Sequence[str], is_key: IsKey) -> list[TextColumn] | None:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    keys = [str(position) for position in range(len(names))]
    try:
        table = pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(
                column_names=keys,
                skip_rows=layout.first_line - 1,
                block_size=_BLOCK_BYTES,
                encoding="utf8" if layout.encoding.startswith("utf-8") else layout.encoding,
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=layout.delimiter,
                ignore_empty_lines=False,
                invalid_row_handler=_Refused(_blank_lines_at_end(path)),
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(keys, pa.dictionary(pa.int32(), pa.string())),
                null_values=[],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise UnicodeDecodeError(layout.encoding, b"", 0, 1, "not UTF-8") from None
        return None
    columns = table.columns
    del table  # each of Arrow's columns can go as soon as ours is made: 40 MB for ten million rows

    def taken(position: int) -> TextColumn:
        chunks, columns[position] = columns[position].chunks, None
        return column_of_dictionaries(chunks, is_key(names[position]))

    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(taken, range(len(names))))


def column_of_dictionaries(chunks: Sequence[Any], is_key: bool) -> TextColumn:
    """Return a column from the chunks of an Arrow column of type `dictionary<int32, string>` without nulls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks = [chunk for chunk in chunks if len(chunk)]
    if not chunks:
        return TextColumn(np.zeros(0, np.int32), [])
    sizes = [len(chunk.dictionary) for chunk in chunks]
    if sum(sizes) > _MANY_TEXTS and not is_key:
        offsets = np.cumsum([0, *sizes[:-1]], dtype=np.int32)
        codes = np.concatenate(
            [whole_numbers(chunk.indices) + offset for chunk, offset in zip(chunks, offsets, strict=True)]
        )
        values = pa.concat_arrays([chunk.dictionary.cast(pa.large_string()) for chunk in chunks])
        return TextColumn(codes, ArrowTexts(pc.utf8_trim_whitespace(values)))
    unified = pa.chunked_array(chunks).unify_dictionaries().chunks
    codes = np.concatenate([whole_numbers(chunk.indices) for chunk in unified])
    return TextColumn(codes, unified[-1].dictionary.to_pylist())


def whole_numbers(indices: Any) -> Codes:
    """Return the numbers of an Arrow int32 array without nulls."""
    # Not Array.to_numpy: it imports pandas, a third of a second.
    return np.frombuffer(indices.buffers()[1], np.int32, len(indices), indices.offset * 4)


# --- With pandas, where Arrow is not installed.


def _columns_by_pandas(path: Path, layout: Layout, width: int) -> list[TextColumn] | None:
    import pandas as pd

    if layout.first_line != layout.header_line + 1:
        return None  # a header over several lines, which pandas counts as one
    if _has_nul_bytes(path):
        return None  # pandas before 3.1 cuts the cell there, in silence
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                sep=layout.delimiter,
                header=None,
                skiprows=layout.first_line - 1,
                dtype="str",  # not "category": pandas 3.1 makes numbers of its texts, and 1 of "001"
                keep_default_na=False,
                skip_blank_lines=False,
                encoding=layout.encoding,
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning):
        return None
    if frame.shape[1] != width:
        return None
    frame = frame.iloc[: len(frame) - _blank_lines_at_end(path)]
    coded = (pd.factorize(series) for _, series in frame.items())
    columns = [TextColumn(codes.astype(np.int32), [str(text) for text in texts]) for codes, texts in coded]
    if any((column.codes < 0).any() for column in columns):
        return None
    # pandas fills short rows up with blank cells.
    doubtful = "" in columns[-1].values and _delimiters_below_header(path, layout) != len(frame) * (width - 1)
    return None if doubtful else columns


def _has_nul_bytes(path: Path) -> bool:
    with path.open("rb") as stream:
        return any(b"\0" in block for block in iter(lambda: stream.read(_BLOCK_BYTES), b""))


def _delimiters_below_header(path: Path, layout: Layout) -> int:
    delimiter = layout.delimiter.encode(layout.encoding.removesuffix("-sig"))
    with path.open("rb") as stream:
        for _ in range(layout.first_line - 1):
            stream.readline()
        return sum(block.count(delimiter) for block in iter(lambda: stream.read(_BLOCK_BYTES), b""))


# --- With care: row by row.


def read_carefully(path: Path, layout: Layout) -> RawTable:
    """Read a text file row by row, with the line on which each row starts; rows that do not fit become findings."""
    names, blank = checked_header(str(path), layout.header, layout.header_line)
    builder = _ColumnBuilder(len(names))
    findings: list[Finding] = []
    lines = array("i")
    try:
        with path.open(encoding=layout.encoding, newline="") as stream:
            reader = csv.reader(stream, delimiter=layout.delimiter)
            start = 1
            for cells in reader:
                line, start = start, reader.line_num + 1
                if line <= layout.header_line or not cells or (len(cells) == 1 and not cells[0].strip()):
                    continue
                if builder.add(cells):
                    lines.append(line)
                else:
                    findings.append(unusable_row(str(path), line, len(cells), len(names)))
    except csv.Error as error:
        raise InputError(
            f"{path}:{reader.line_num}", f"a cell that cannot be read ({error})", "text", "is a quote not closed?"
        ) from None
    columns = builder.columns()
    if any(_holds(column, "\0") for column in columns):
        raise binary_file(path)
    return RawTable(str(path), names, columns, np.asarray(lines, np.int32), findings=findings, blank_names=blank)


class _ColumnBuilder:
    """Collects rows as codes of distinct texts, column by column."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._index: list[dict[str, int]] = [{} for _ in range(width)]
        self._codes = [array("i") for _ in range(width)]

    def add(self, cells: Sequence[str]) -> bool:
        """Add a row; return False where it does not fit the header (blank cells too many do no harm)."""
        if len(cells) != self.width and (len(cells) < self.width or any(cell.strip() for cell in cells[self.width :])):
            return False
        for cell, index, codes in zip(cells, self._index, self._codes, strict=False):
            codes.append(index.setdefault(cell.strip(), len(index)))
        return True

    def columns(self) -> list[TextColumn]:
        """Return the columns."""
        return [
            TextColumn(np.asarray(codes, np.int32), list(index))
            for codes, index in zip(self._codes, self._index, strict=True)
        ]
