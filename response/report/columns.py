"""Tables of results: ordered columns in batches, handed out as pandas, pyarrow or rows of text.

Numbers stay whole (thousandths of a millimetre, hundredths of a percent) until they leave, so that files say
136 and 23.1 whatever library writes them.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, DatePrecision, iso_texts
from response.report.texts import (
    Texts,
    arrow,
    arrow_codes,
    arrow_numbers,
    arrow_texts,
    as_texts,
    compacted,
    distinct_codes,
    number_texts,
    picked,
    strung,
    text_list,
)
from response.table import TextColumn

if TYPE_CHECKING:
    import pandas as pd

AHEAD: Final = 2  # batches that are made while one is written; as many as there are cores to use
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """A column of numbers that may be blank.

    Attributes
    ----------
    values
        Shape `[row]`, whole numbers of the last decimal place.
    known
        Shape `[row]`; the cell is blank where it is false.
    decimals
        3: thousandths, 2: hundredths, 0: whole numbers.
    """

    values: NDArray[np.int64]
    known: NDArray[np.bool_]
    decimals: int = 3

    @classmethod
    def blank(cls, rows: int, decimals: int = 3) -> "NumberColumn":
        """Return a column without any number."""
        return cls(np.zeros(rows, np.int64), np.zeros(rows, np.bool_), decimals)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    def text_column(self) -> TextColumn:
        """Return the numbers as texts, blank where unknown."""
        found = number_texts(np.where(self.known, self.values, 0), self.decimals)
        return TextColumn(np.where(self.known, found.codes, len(found.values)), [*found.values, ""])

    def floats(self) -> NDArray[np.float64]:
        """Return the numbers in their unit, NaN where blank."""
        return np.where(self.known, self.values / 10**self.decimals, np.nan)


Column = TextColumn | NumberColumn | Texts
Columns = Mapping[str, Any]


def percent(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return hundredths of a percent, cut towards zero: -29.996 % never reads as -30 %; 0 where `whole` is 0.

    Parameters
    ----------
    part, whole
        Shape `[row]`, in one unit; `whole` is not negative.
    """
    # A double quotient of whole numbers below 2**53 never reaches the next whole number, so the cut is exact; it is
    # several times faster than whole division. `test_percent_is_exact` holds this against Python's integers.
    hundredths = np.trunc(10_000.0 * part / np.maximum(whole, 1)).astype(np.int64)
    return np.where(whole > 0, hundredths, 0)


def date_texts(days: NDArray[np.int32], precision: NDArray[Any] | None = None) -> TextColumn:
    """Return dates as ISO texts, cut to what is known of them; `[row]`."""
    exact = np.full(len(days), int(DatePrecision.DAY)) if precision is None else precision.astype(np.int64)
    known = (days != NO_DATE) & (exact > 0)
    codes, distinct = distinct_codes(np.where(known, days.astype(np.int64) * 4 + exact, 0))
    texts = iso_texts((distinct // 4).astype(np.int32), (distinct % 4).astype(np.int8))
    return TextColumn(codes, texts)


def yes_or_blank(flags: NDArray[np.bool_]) -> TextColumn:
    """Return Y where a flag holds, else the empty text."""
    return TextColumn(flags.astype(np.int32), ["", "Y"])


def blank_texts(rows: int) -> TextColumn:
    """Return a column of empty texts."""
    return TextColumn.constant("", rows)


def interleaved(columns: Sequence[Any]) -> Any:
    """Return the rows of several columns of one kind in turns: the first row of each, then the second of each."""
    first = columns[0]
    if len(columns) == 1:
        return first
    if isinstance(first, NumberColumn):
        values = np.stack([column.values for column in columns], axis=1).ravel()
        return NumberColumn(values, np.stack([column.known for column in columns], axis=1).ravel(), first.decimals)
    if all(isinstance(column, TextColumn) for column in columns):
        return _interleaved_texts(columns)
    rows = len(first)
    order = (np.arange(rows)[:, None] + rows * np.arange(len(columns))).ravel()
    texts = [as_texts(column) if isinstance(column, TextColumn) else column for column in columns]
    return picked(strung(texts), order)


def _interleaved_texts(columns: Sequence[TextColumn]) -> TextColumn:
    values: list[str] = []
    codes = []
    for column in columns:
        shared = column.values is columns[0].values
        codes.append(column.codes if shared else column.codes + np.int32(len(values)))
        if not (shared and values):
            values.extend(column.values)
    return TextColumn(np.stack(codes, axis=1).ravel().astype(np.int32), values)


@dataclass(frozen=True, eq=False)
class ResultTable:
    """A table of results; its batches are made when they are asked for, and anew each time.

    Attributes
    ----------
    make
        Makes the batches: each has the same ordered columns (`TextColumn`, `NumberColumn`, or texts). There is at
        least one, which may be empty.
    """

    make: Callable[[], Iterable[Columns]]

    def batches(self) -> Iterator[Columns]:
        """Hand out the batches in the order of the rows; empty ones only where there are no rows at all."""
        first: Columns | None = None
        some = False
        for batch in self.make():
            first = batch if first is None else first
            if rows_of(batch):
                some = True
                yield batch
        if not some and first is not None:
            yield first

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas table: texts as strings, blank texts as "", numbers as floats, blank numbers as NaN."""
        import pandas as pd  # half a second: only who wants a frame pays for it

        frames = [
            pd.DataFrame({name: _series(column) for name, column in batch.items()}, copy=False)
            for batch in self.batches()
        ]
        return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    def to_arrow(self) -> Any:
        """Return a pyarrow table: coded texts as dictionaries, numbers as doubles, counts as integers."""
        pa = _arrow_or_raise()
        return pa.Table.from_batches([arrow_batch(batch) for batch in self.batches()]).unify_dictionaries()

    def rows(self) -> Iterator[dict[str, str]]:
        """Hand out the rows as texts, as they stand in a CSV file."""
        for batch in self.batches():
            texts = [cell_texts(column) for column in batch.values()]
            for row in zip(*texts, strict=True):
                yield dict(zip(batch, row, strict=True))


def rows_of(batch: Columns) -> int:
    """Return the number of rows of a batch."""
    return len(next(iter(batch.values())))


def cell_texts(column: Any) -> list[str]:
    """Return the cells of a column as texts."""
    if isinstance(column, NumberColumn):
        return column.text_column().texts()
    return column.texts() if isinstance(column, TextColumn) else text_list(column)


def arrow_batch(batch: Columns) -> Any:
    """Return a batch as a pyarrow record batch."""
    pa = _arrow_or_raise()
    return pa.RecordBatch.from_arrays([_arrow_array(pa, column) for column in batch.values()], names=list(batch))


def _arrow_or_raise() -> Any:
    found = arrow()
    if found is None:
        from response.errors import MissingExtraError

        raise MissingExtraError("writing Parquet", "pyarrow", "parquet")
    return found


def _arrow_array(pa: Any, column: Any) -> Any:
    if isinstance(column, NumberColumn):
        kind = pa.float64() if column.decimals else pa.int64()
        if not column.known.any():
            return pa.nulls(len(column), kind)
        return arrow_numbers(column.values / 10**column.decimals if column.decimals else column.values, column.known)
    if isinstance(column, TextColumn):
        column = _without_doubles(compacted(column))
        return pa.DictionaryArray.from_arrays(arrow_codes(column.codes), arrow_texts(list(column.values)))
    return column if isinstance(column, pa.Array) else pa.array(column, pa.string())


def _without_doubles(column: TextColumn) -> TextColumn:
    index: dict[str, int] = {}
    if len(set(column.values)) == len(column.values):
        return column
    lut = np.asarray([index.setdefault(value, len(index)) for value in column.values], np.int32)
    return TextColumn(lut[column.codes], list(index))


def _series(column: Any) -> Any:
    import pandas as pd

    if isinstance(column, NumberColumn):
        if column.decimals or not column.known.all():
            return column.floats()
        return column.values
    texts = as_texts(column) if isinstance(column, TextColumn) else column
    plain = texts if isinstance(texts, np.ndarray) else texts.to_numpy(zero_copy_only=False)
    return pd.Series(plain, dtype="str")


def made_ahead(make: Callable[[T], Columns], items: Iterable[T]) -> Iterator[Columns]:
    """Make batches in other threads, a few ahead of the one that is used; a single one without any thread."""
    waiting = list(items)
    if len(waiting) <= 1:
        yield from map(make, waiting)
        return
    with ThreadPoolExecutor(AHEAD) as threads:
        running: deque[Future[Columns]] = deque()
        for item in waiting:
            running.append(threads.submit(make, item))
            if len(running) > AHEAD:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
