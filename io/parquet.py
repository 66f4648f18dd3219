"""Parquet files, every column as text; each distinct number, date or truth value is written once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from response.errors import InputError, MissingExtraError
from response.io.raw import RawTable, checked_header
from response.io.text_files import column_of_dictionaries, whole_numbers
from response.io.values import text_of_value
from response.table import TextColumn


def read_parquet(path: Path, *, is_key: Callable[[str], bool]) -> RawTable:
    """Read a Parquet file; a row is its record number plus one, as if a header were line 1.

    Parameters
    ----------
    path
        The file.
    is_key
        Whether rows are put together by the column of this name.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    InputError
        If the file is damaged.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("reading Parquet", "pyarrow", "parquet") from None
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
        names, blank = checked_header(str(path), schema.names)
        texts = [field.name for field in schema if _is_text(field.type)]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            rows = file.metadata.num_rows
            # One column at a time: Arrow's copy of it goes before the next one comes.
            columns = [_column(file.read([name]).column(0), is_key(name)) for name in schema.names]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            str(path), f"a Parquet file that cannot be read ({error})", "a whole Parquet file", "write it again"
        ) from None
    lines = np.arange(2, rows + 2, dtype=np.int32)
    return RawTable(str(path), names, columns, lines, blank_names=blank)


def _is_text(kind: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(kind) or kinds.is_large_string(kind))


def _column(chunked: Any, is_key: bool) -> TextColumn:
    import pyarrow as pa

    wanted = pa.dictionary(pa.int32(), pa.string())
    if chunked.type == wanted and chunked.null_count == 0:
        return _stripped(column_of_dictionaries(chunked.chunks, is_key))
    if not pa.types.is_dictionary(chunked.type):
        chunked = chunked.dictionary_encode()
    chunks = chunked.unify_dictionaries().chunks
    if not chunks:
        return TextColumn(np.zeros(0, np.int32), [])
    # A null has no code; it takes the last one, of the empty text.
    values = [text_of_value(value) for value in _values(chunks[-1].dictionary)] + [""]
    blank = len(values) - 1
    codes = np.concatenate([whole_numbers(chunk.indices.cast(pa.int32()).fill_null(blank)) for chunk in chunks])
    return TextColumn(codes, values).normalised()


def _values(dictionary: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_float32(dictionary.type) or pa.types.is_float16(dictionary.type):
        return dictionary.to_numpy(zero_copy_only=False)  # NumPy keeps the precision, and so the short text
    return dictionary.to_pylist()


def _stripped(column: TextColumn) -> TextColumn:
    return column.normalised() if isinstance(column.values, list) else column
