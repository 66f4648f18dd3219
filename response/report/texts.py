"""Long columns of text, made with pyarrow where it is installed, else in plain Python; both give the same texts.

A sentence is a few pieces: each is a column of codes into distinct texts, in which the words between the numbers
already stand, so that a column of sentences is one join.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import thousandths_text
from response.keys import dense_ids
from response.table import TextColumn

Texts = Any  # pyarrow.Array of strings, or an array of Python strings; one per row
SEPARATOR: Final = ";"
_FEW: Final = 4_000  # rows below which sorting is faster than a bitmap


@lru_cache(maxsize=1)
def _installed_arrow() -> ModuleType | None:
    try:
        import pyarrow
        import pyarrow.compute
    except ImportError:
        return None
    return pyarrow  # type: ignore[no-any-return]


def arrow() -> ModuleType | None:
    """Return pyarrow, or None where it is not installed."""
    return _installed_arrow()


def arrow_texts(values: Sequence[str]) -> Any:
    """Return texts as an Arrow array, without pandas: `pyarrow.array` and `pyarrow.scalar` import it, half a second."""
    pa = _installed_arrow()
    assert pa is not None
    data = [value.encode() for value in values]
    offsets = np.zeros(len(data) + 1, np.int64)
    np.cumsum([len(item) for item in data], out=offsets[1:])
    if offsets[-1] >= 1 << 31:
        return pa.array(values, pa.string())
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(b"".join(data))]
    return pa.Array.from_buffers(pa.string(), len(data), buffers)


def arrow_codes(codes: NDArray[Any]) -> Any:
    """Return whole numbers as an Arrow array, without pandas."""
    pa = _installed_arrow()
    assert pa is not None
    wide = codes.dtype.itemsize > 4
    plain = np.ascontiguousarray(codes, np.int64 if wide else np.int32)
    kind = pa.int64() if wide else pa.int32()
    return pa.Array.from_buffers(kind, len(plain), [None, pa.py_buffer(plain)])


def arrow_numbers(values: NDArray[Any], known: NDArray[np.bool_]) -> Any:
    """Return numbers as an Arrow array of int64 or float64, null where not known, without pandas."""
    pa = _installed_arrow()
    assert pa is not None
    real = values.dtype.kind == "f"
    plain = np.ascontiguousarray(values, np.float64 if real else np.int64)
    valid = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(pa.float64() if real else pa.int64(), len(plain), [valid, pa.py_buffer(plain)])


def arrow_text(text: str) -> Any:
    """Return one text as an Arrow scalar, without pandas."""
    return arrow_texts([text])[0]


def distinct_codes(values: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the codes of whole numbers and the distinct numbers, ascending; `[row]` and `[distinct]`."""
    if not len(values):
        return np.zeros(0, np.int32), np.zeros(0, np.int64)
    low = int(values.min())
    span = int(values.max()) - low + 1
    if len(values) < _FEW or span > 64 * len(values):
        found, places = np.unique(values, return_inverse=True)
        return places.astype(np.int32), found.astype(np.int64)
    codes, distinct = dense_ids(values.astype(np.int64) - low, span)
    return codes, distinct + low


def number_texts(values: NDArray[Any], decimals: int = 3) -> TextColumn:
    """Return whole numbers of a decimal place as people write them: 136, 23.1, -4.25.

    Parameters
    ----------
    values
        Shape `[row]`.
    decimals
        3: thousandths, 2: hundredths, 0: counts.
    """
    codes, distinct = distinct_codes(values)
    return TextColumn(codes, [number_text(value, decimals) for value in distinct.tolist()])


@lru_cache(maxsize=1 << 16)
def number_text(value: int, decimals: int) -> str:
    """Return one number of `number_texts`."""
    return thousandths_text(value * 10 ** (3 - decimals))


def framed(column: TextColumn, before: str, after: str) -> TextColumn:
    """Return the texts with something before and after each."""
    return TextColumn(column.codes, [f"{before}{text}{after}" for text in column.values]) if before or after else column


def compacted(column: TextColumn) -> TextColumn:
    """Return the column with only the texts that occur, where it has many others."""
    if len(column.values) <= 2 * len(column.codes) + 16:
        return column
    codes, used = distinct_codes(column.codes)
    return TextColumn(codes, [column.values[code] for code in used.tolist()])


def stacked(groups: Iterable[tuple[NDArray[np.intp], TextColumn]], rows: int) -> TextColumn:
    """Return a column in which each group stands at its rows, and blanks at all others."""
    codes = np.zeros(rows, np.int32)
    values = [""]
    for where, column in groups:
        codes[where] = column.codes + np.int32(len(values))
        values.extend(column.values)
    return TextColumn(codes, values)


def as_texts(column: TextColumn) -> Texts:
    """Return the texts of a column, one per row."""
    column = compacted(column)
    pa = arrow()
    if pa is None:
        return np.asarray([*column.values, ""], dtype=object)[column.codes]
    return arrow_texts(column.values).take(arrow_codes(column.codes))


def joined(pieces: Sequence[TextColumn], rows: int) -> Texts:
    """Return the pieces of each row, one after the other, as one text per row."""
    pa = arrow()
    if not pieces:
        return as_texts(TextColumn.constant("", rows))
    if pa is None or len(pieces) == 1:
        parts = [as_texts(piece) for piece in pieces]
        return parts[0] if len(parts) == 1 else np.asarray(["".join(row) for row in zip(*parts, strict=True)], object)
    return pa.compute.binary_join_element_wise(*(as_texts(piece) for piece in pieces), arrow_text(""))


def joined_lists(names: TextColumn, counts: NDArray[np.int64]) -> Texts:
    """Return one text per list of names, separated by `SEPARATOR`; the empty text for an empty list.

    Parameters
    ----------
    names
        All names, list after list.
    counts
        Shape `[row]`; how many of them each list has.
    """
    offsets = np.concatenate([[0], np.cumsum(counts)])
    pa = arrow()
    if pa is not None:
        return pa.compute.binary_join(
            pa.ListArray.from_arrays(arrow_codes(offsets.astype(np.int32)), as_texts(names)), arrow_text(SEPARATOR)
        )
    texts = names.texts()
    filled = np.full(len(counts), "", object)
    for row in np.flatnonzero(counts).tolist():
        filled[row] = SEPARATOR.join(texts[offsets[row] : offsets[row + 1]])
    return filled


def picked(texts: Texts, rows: NDArray[Any]) -> Texts:
    """Return the texts of some rows."""
    pa = arrow()
    return texts[rows] if pa is None or isinstance(texts, np.ndarray) else texts.take(arrow_codes(rows))


def strung(parts: Sequence[Texts]) -> Texts:
    """Return several columns of texts under each other."""
    if len(parts) == 1:
        return parts[0]
    pa = arrow()
    return np.concatenate(parts) if pa is None else pa.concat_arrays(parts)


def strung_together(columns: Sequence[Texts]) -> Texts:
    """Return the texts of several columns, row by row, as one text per row."""
    pa = arrow()
    if pa is None:
        return np.asarray(["".join(row) for row in zip(*columns, strict=True)] or [""], object)[: len(columns[0])]
    return columns[0] if len(columns) == 1 else pa.compute.binary_join_element_wise(*columns, arrow_text(""))


def scattered(texts: Texts, where: NDArray[Any], rows: int) -> Texts:
    """Return a column in which texts stand at some rows, and blanks at all others."""
    place = np.zeros(rows, np.int64)
    place[where] = np.arange(1, len(where) + 1)
    return picked(strung([as_texts(TextColumn.constant("", 1)), texts]), place)


def text_list(texts: Texts) -> list[str]:
    """Return texts as a list."""
    return list(texts.tolist() if isinstance(texts, np.ndarray) else texts.to_pylist())
