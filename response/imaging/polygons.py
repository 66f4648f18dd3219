"""Polygons to pixels: a pixel belongs to an outline where its centre does, by the even-odd rule.

No border pixels are added, so that areas are unbiased: on circles of 4, 8 and 20 pixels' radius and any centre the
rule is off by less than 0.1 % on average; counting every pixel that the outline touches reads 34 %, 16 % and 6 % more.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats

# Vertices are moved by half of this at most. Many programs draw through pixel centres and round to 0.001 mm: without
# it, whether such a border pixel counts would depend on the rounding.
SNAP_PIXELS: Final = 1 / 256
FARTHEST_PIXELS: Final = float(2**20)  # vertices beyond are drawn in to here, for no image is larger
CROSSINGS_AT_ONCE: Final = 1 << 21  # bounds the memory that outlines of millions of vertices need

Bools = NDArray[np.bool_]


def fill_polygons(polygons: Sequence[Floats], shape: tuple[int, int]) -> tuple[tuple[int, int], Bools]:
    """Return the pixels whose centres lie within polygons, cropped to where they may be.

    A centre counts where a ray from it meets the outlines an odd number of times: inner polygons are holes, a keyhole's
    seam counts for nothing, and where two polygons overlap is outside. A centre exactly on the outline counts on its
    upper and left side (small row and column), and not on the other two.

    Parameters
    ----------
    polygons
        Each `[vertex, 2]`: row and column, fractional and finite; whole numbers are pixel centres. They are closed.
    shape
        Rows and columns of the image.

    Returns
    -------
    corner, pixels
        Row and column of the first pixel of the crop, and the crop, bool `[row, column]`.
    """
    edges = _edges(polygons)
    first, last = _box(edges, shape)
    rows, columns = max(0, last[0] - first[0]), max(0, last[1] - first[1])
    if not rows or not columns:
        return (0, 0), np.zeros((0, 0), np.bool_)
    # where an outline crosses a row of centres, all pixels from there on change sides
    toggles = np.zeros(rows * (columns + 1), np.uint8)
    for row, column in _crossings(edges, first[0], last[0]):
        at = np.clip(np.ceil(column), first[1], last[1]).astype(np.int64) - first[1]
        toggles ^= (np.bincount((row - first[0]) * (columns + 1) + at, minlength=len(toggles)) & 1).astype(np.uint8)
    inside = np.cumsum(toggles.reshape(rows, columns + 1)[:, :-1], axis=1, dtype=np.uint8) & 1
    return first, inside.view(np.bool_)


def _edges(polygons: Sequence[Floats]) -> Floats:
    """Return the edges that are not level, `[edge, 2, 2]`: upper and lower end, row and column."""
    drawn = [np.asarray(polygon, np.float64) for polygon in polygons if len(polygon) > 2]
    if not drawn:
        return np.zeros((0, 2, 2))
    starts = _snapped(np.concatenate(drawn))
    ends = _snapped(np.concatenate([np.roll(polygon, -1, axis=0) for polygon in drawn]))
    edges: Floats = np.stack([starts, ends], axis=1)[starts[:, 0] != ends[:, 0]]
    upward = edges[:, 0, 0] > edges[:, 1, 0]
    edges[upward] = edges[upward, ::-1]
    return edges


def _snapped(points: Floats) -> Floats:
    moved: Floats = np.clip(np.rint(points / SNAP_PIXELS) * SNAP_PIXELS, -FARTHEST_PIXELS, FARTHEST_PIXELS)
    return moved


def _box(edges: Floats, shape: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first row and column in which a centre may lie, and those behind the last."""
    if not len(edges):
        return (0, 0), (0, 0)
    low = np.maximum(np.ceil(edges.min(axis=(0, 1))), 0).astype(int)
    high = np.minimum(np.floor(edges.max(axis=(0, 1))) + 1, shape).astype(int)
    return (int(low[0]), int(low[1])), (int(high[0]), int(high[1]))


def _crossings(edges: Floats, first: int, last: int) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Hand out where edges cross the rows from first to before last: rows, and fractional columns, some at a time."""
    begin = np.maximum(np.ceil(edges[:, 0, 0]), first).astype(np.int64)
    counts = np.maximum(np.minimum(np.ceil(edges[:, 1, 0]), last).astype(np.int64) - begin, 0)
    behind = np.cumsum(counts)
    start = 0
    while start < len(edges):
        done = behind[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(behind, done + CROSSINGS_AT_ONCE, side="right")))
        number = counts[start:stop]
        which = np.repeat(np.arange(start, stop), number)
        row = np.arange(len(which)) - np.repeat(behind[start:stop] - number - done, number) + begin[which]
        upper, lower = edges[which, 0], edges[which, 1]
        # in this order exact where an outline passes through a centre
        yield row, upper[:, 1] + (row - upper[:, 0]) * (lower[:, 1] - upper[:, 1]) / (lower[:, 0] - upper[:, 0])
        start = stop
