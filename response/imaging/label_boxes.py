"""Where each label of a label map lies: one pass, in memory that does not grow with what stands in it."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

ROWS_BEFORE_MERGING: Final = 1 << 18  # noise has a run per voxel: what was found is brought together in between


def label_boxes(volume: NDArray[Any]) -> tuple[Ints, Ints]:
    """Return the labels of a label map other than 0, ascending, and their bounding boxes.

    1. Rows without any label are passed over, eight bytes at a time.
    2. The others are cut into runs of one label.
    3. Runs are brought together by label: smallest and largest slice, row and column.

    Parameters
    ----------
    volume
        Integers `[slice, row, column]`.

    Returns
    -------
    labels, boxes
        `[label]`, and `[label, 2, 3]`: the first slice, row and column, and those behind the last.
    """
    used = _used_rows(volume)
    found, waiting = [np.zeros((0, 7), np.int64)], 0
    for index in np.flatnonzero(used.any(axis=1)):
        rows = np.flatnonzero(used[index])
        runs = _runs(volume[index, rows[0] : rows[-1] + 1], int(index), int(rows[0]))
        found.append(runs)
        waiting += len(runs)
        if waiting > ROWS_BEFORE_MERGING:
            found, waiting = [_merged(np.concatenate(found))], 0
    table = _merged(np.concatenate(found))
    return table[:, 0], np.stack([table[:, 1:4], table[:, 4:7] + 1], axis=1)


def _used_rows(volume: NDArray[Any]) -> NDArray[np.bool_]:
    """Return `[slice, row]`: whether a row holds a label."""
    if not volume.size:
        return np.zeros(volume.shape[:2], np.bool_)
    if volume.flags.c_contiguous and volume.shape[2] * volume.itemsize % 8 == 0:
        return np.asarray(np.bitwise_or.reduce(volume.view(np.uint64), axis=2) != 0)
    return np.asarray(volume.any(axis=2))


def _runs(band: NDArray[Any], index: int, first_row: int) -> Ints:
    """Return a row per run of one label: label, slice, row and column of its start, and of its end."""
    starts_here = np.empty(band.shape, np.bool_)
    starts_here[:, 0] = True
    np.not_equal(band[:, 1:], band[:, :-1], out=starts_here[:, 1:])
    starts = np.flatnonzero(starts_here)
    ends = np.append(starts[1:], band.size) - 1
    labels = np.ascontiguousarray(band).ravel()[starts]
    kept = labels != 0
    starts, ends, labels = starts[kept], ends[kept], labels[kept]
    rows = starts // band.shape[1] + first_row
    slices = np.full(len(rows), index)
    columns = [labels, slices, rows, starts % band.shape[1], slices, rows, ends % band.shape[1]]
    return _merged(np.stack([np.asarray(column, np.int64) for column in columns], axis=1))


def _merged(table: Ints) -> Ints:
    """Return one row per label: smallest start and largest end."""
    if not len(table):
        return table
    table = table[np.argsort(table[:, 0], kind="stable")]
    heads = np.flatnonzero(np.append(True, table[1:, 0] != table[:-1, 0]))
    low = np.minimum.reduceat(table[:, :4], heads, axis=0)
    high = np.maximum.reduceat(table[:, 4:], heads, axis=0)
    return np.concatenate([low, high], axis=1)
