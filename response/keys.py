"""Dense ids for combined keys, and the order of labels as people read them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.table import TextColumn

_DENSE_LIMIT: Final = 1 << 27  # largest bitmap of keys (bytes); beyond it the keys are sorted instead
_INT32_LIMIT: Final = 1 << 31
_BASELINE_LABELS: Final = frozenset(
    ("baseline", "base", "bl", "screening", "scr", "screen", "pre treatment", "pretreatment", "prior", "pre therapy")
)
_ZERO: Final = re.compile(r"((visit|week|month|cycle|timepoint|tp|time point|v|w) ?)?0+( 0+)?$")
_NUMBER: Final = re.compile(r"(\d+(?:\.\d+)?)")


def combined_keys(high: NDArray[np.int32], low: NDArray[np.int32], count: int, highest: int) -> NDArray[Any]:
    """Return `high * count + low` in the smallest integers that hold it; `highest` is the number of high keys."""
    keys: NDArray[Any] = high.astype(np.int32 if highest * count < _INT32_LIMIT else np.int64)
    keys *= count
    keys += low
    return keys


def rank_among(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of the same key come before each."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    start = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    count = np.diff(np.append(start, len(ordered)))
    rank = np.empty(len(keys), np.int64)
    rank[order] = np.arange(len(keys)) - np.repeat(start, count)
    return rank


def dense_ids(keys: NDArray[Any], size: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number the distinct keys in ascending order.

    Parameters
    ----------
    keys
        Shape `[row]`, whole numbers from 0 to below `size`.
    size
        Number of possible keys.

    Returns
    -------
    ids
        Shape `[row]`; id of each row's key.
    distinct
        Shape `[id]`; the key of each id, ascending.
    """
    if size > 4 * len(keys) and bool((keys[1:] >= keys[:-1]).all()):
        starts = np.concatenate([np.ones(min(len(keys), 1), np.bool_), keys[1:] != keys[:-1]])
        return np.cumsum(starts, dtype=np.int32) - np.int32(1), keys[starts].astype(np.int64)
    if size > max(_DENSE_LIMIT, 4 * len(keys)):
        distinct, ids = np.unique(keys, return_inverse=True)
        return ids.astype(np.int32), distinct
    present = np.zeros(size, np.bool_)
    present[keys] = True
    if present.all():  # every key occurs, so the keys are the ids already
        return keys.astype(np.int32, copy=False), np.arange(size)
    number = np.cumsum(present, dtype=np.int32)
    number -= 1
    return number.take(keys), np.flatnonzero(present)


def rank(texts: Sequence[str], key: Any = None) -> NDArray[np.int32]:
    """Return the place of each text in sorted order, shape `[text]`; equal keys keep the order of the texts."""
    if key is None and all(map(str.__le__, texts, texts[1:])):
        order = np.arange(len(texts))
    elif key is None:
        order = np.argsort(np.asarray(texts, dtype=np.str_), kind="stable") if len(texts) else np.zeros(0, np.int64)
    else:
        order = np.asarray(sorted(range(len(texts)), key=lambda index: (key(texts[index]), texts[index])), np.int64)
    places = np.empty(len(texts), np.int32)
    places[order] = np.arange(len(texts), dtype=np.int32)
    return places


def natural_key(text: str) -> tuple[tuple[int, float, str], ...]:
    """Return a sort key in which "T2" stands before "T10"."""
    parts = _NUMBER.split(text.casefold())
    return tuple((0, float(part), "") if place % 2 else (1, 0.0, part) for place, part in enumerate(parts) if part)


def visit_key(label: str) -> tuple[int, tuple[tuple[int, float, str], ...]]:
    """Return a sort key for visit labels: baseline first, then by the numbers in them."""
    return (0 if is_baseline_label(label) else 1, natural_key(label))


def is_baseline_label(label: str) -> bool:
    """Return whether a visit label says that it is the baseline, by the whole label (visit 0 too)."""
    words = " ".join(re.sub(r"[\W_]+", " ", label.casefold()).split())
    return words in _BASELINE_LABELS or bool(_ZERO.match(words))


def has_number(label: str) -> bool:
    """Return whether a visit label can be ordered without a date: it has a number or says baseline."""
    return is_baseline_label(label) or bool(_NUMBER.search(label))


@dataclass(frozen=True, eq=False)
class RankedTexts:
    """Texts of one column as ranks: `rank_of_row[row]` is the place of the row's text among `texts`."""

    texts: list[str]
    rank_of_row: NDArray[np.int32]

    @classmethod
    def of(cls, column: TextColumn, key: Any = None, extra: Sequence[str] = ()) -> "RankedTexts":
        """Rank the texts of a column, and others that may occur elsewhere."""
        texts = list(dict.fromkeys([*column.values, *extra]))
        places = rank(texts, key)
        ordered = [""] * len(texts)
        for text, place in zip(texts, places, strict=True):
            ordered[place] = text
        index = dict(zip(texts, places, strict=True))
        lut = np.asarray([index[text] for text in column.values], np.int32)
        in_order = bool((lut == np.arange(len(lut))).all())
        return cls(ordered, column.codes if in_order else lut.take(column.codes))

    def ranks(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Return the ranks of other texts, all of which must be known."""
        index = {text: place for place, text in enumerate(self.texts)}
        return np.asarray([index[text] for text in texts], np.int32)
