"""The longest chord between two points of a contour that stays within it.

All pairs of points are candidates, the longest first, so the search ends at the first pair that sees each other. What
keeps it short on large and winding contours:

1. A pair is dropped as soon as one of a few places along it lies in a cell of a fine raster that no part of the
   lesion reaches. Only what passes is tested exactly.
2. Of contours of more than `MOST_POINTS` points every second, third ... is a candidate, evenly along the contour.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from response.imaging.chords import covers
from response.imaging.contours import Contour
from response.imaging.farthest import SAME, Pair
from response.imaging.grid import Floats
from response.imaging.sides import Bools, Ints

MOST_POINTS: Final = 1500
_CELLS: Final = 384  # along the longer side of the raster
_BAND: Final = 0.97  # pairs are looked at in bands of length: the next one ends at this fraction
_LINES_AT_ONCE: Final = 64
_PLACES: Final = tuple(np.arange(1, 2**depth, 2) / 2**depth for depth in range(1, 7))  # halves, quarters, eighths ...


def thinning(contour: Contour) -> int:
    """Return of how many neighbouring points of a contour one is a candidate: 1 unless the contour is very long."""
    return -(-len(contour.points) // MOST_POINTS)


def longest_inside(contour: Contour, at_least_mm: float = 0.0) -> Pair | None:
    """Return the longest pair of points whose chord stays within the contour, or None where all are shorter.

    Of pairs of equal length the one whose first point stands first is taken (by row, then column).

    Parameters
    ----------
    contour
        The contours of one part, holes included.
    at_least_mm
        What is shorter is not looked for (but for rounding).
    """
    thinned = np.flatnonzero(contour.ranks() % thinning(contour) == 0)
    order = thinned[np.lexsort((contour.points[thinned, 1], contour.points[thinned, 0]))]
    reached = _Raster(contour)
    for first, second in _bands(contour.points[order], at_least_mm):
        pairs = reached.keep(contour.points, order[first], order[second])
        found = _first_inside(contour, *pairs)
        if found is not None:
            return found
    return Pair(0.0, int(order[0]), int(order[0])) if at_least_mm == 0 else None


def _bands(points: Floats, at_least_mm: float) -> Iterator[tuple[Ints, Ints]]:
    """Yield pairs of points, longest bands first; within a band in order of the points."""
    down, across = points.T
    squares = np.triu((down[:, None] - down) ** 2 + (across[:, None] - across) ** 2)
    top, bottom = np.inf, float(squares.max())
    smallest = max((at_least_mm * (1 - SAME)) ** 2, bottom * SAME**2)
    while top > smallest > 0:
        bottom = max(bottom * _BAND**2, smallest)
        first, second = np.nonzero((squares >= bottom) & (squares < top))
        yield first, second
        top = bottom


class _Raster:
    """Cells that the lesion may reach; a place in any other lies outside for certain."""

    def __init__(self, contour: Contour) -> None:
        self._corner = contour.points.min(axis=0)
        extent = contour.points.max(axis=0) - self._corner
        self._cell_mm = max(float(extent.max()) / _CELLS, np.finfo(np.float64).tiny)
        shape = (extent / self._cell_mm).astype(int) + 4
        self._reached = _inside_cells(self._cells(contour.points), contour.following, shape)
        self._reached |= _touched(self._cells(contour.points), contour.following, shape)

    def _cells(self, points: Floats) -> Floats:
        return np.asarray((points - self._corner) / self._cell_mm + 1.5)

    def keep(self, points: Floats, first: Ints, second: Ints) -> tuple[Ints, Ints]:
        """Return the pairs that are not certain to leave the lesion."""
        from_, to = self._cells(points[first]), self._cells(points[second])
        for places in _PLACES:
            for place in places.tolist():
                at = (from_ + place * (to - from_)).astype(np.intp)
                still = self._reached[at[:, 0], at[:, 1]]
                if not still.all():
                    first, second, from_, to = first[still], second[still], from_[still], to[still]
        return first, second


def _inside_cells(points: Floats, following: Ints, shape: Ints) -> Bools:
    """Return which cells have their middle within the contour (even-odd rule), bool `[row, column]`."""
    start, stop = points, points[following]
    low, high = np.minimum(start[:, 0], stop[:, 0]), np.maximum(start[:, 0], stop[:, 0])
    # Middles of rows lie at whole numbers and a half.
    first, last = np.ceil(low - 0.5).astype(np.intp), np.ceil(high - 0.5).astype(np.intp)
    count = last - first
    which = np.repeat(np.arange(len(points)), count)
    row = np.arange(len(which)) + np.repeat(first - (np.cumsum(count) - count), count)
    part = (row + 0.5 - start[which, 0]) / (stop[which, 0] - start[which, 0])
    column = np.ceil(start[which, 1] + part * (stop[which, 1] - start[which, 1]) - 0.5).astype(np.intp)
    crossings = np.zeros(shape, np.intp)
    np.add.at(crossings, (row, column), 1)
    return np.asarray(np.cumsum(crossings, axis=1) % 2 == 1)


def _touched(points: Floats, following: Ints, shape: Ints) -> Bools:
    """Return which cells lie at a side of the contour or next to one, bool `[row, column]`."""
    side = points[following] - points
    count = np.ceil(2 * np.abs(side).max(axis=1)).astype(np.intp) + 1
    which = np.repeat(np.arange(len(points)), count)
    step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    at = (points[which] + (step / count[which])[:, None] * side[which]).astype(np.intp)
    touched = np.zeros(shape, np.bool_)
    touched[at[:, 0], at[:, 1]] = True
    wide = touched.copy()
    wide[1:] |= touched[:-1]
    wide[:-1] |= touched[1:]
    touched = wide.copy()
    wide[:, 1:] |= touched[:, :-1]
    wide[:, :-1] |= touched[:, 1:]
    return wide


def _first_inside(contour: Contour, first: Ints, second: Ints) -> Pair | None:
    """Return the longest of the pairs that stays within, the first of equal ones."""
    apart = contour.points[first] - contour.points[second]
    length = np.hypot(apart[:, 0], apart[:, 1])
    if not len(length):
        return None
    # Equal but for rounding is equal, and a stable order keeps the first point first.
    order = np.argsort(-np.round(length / length.max(), 9), kind="stable")
    for start in range(0, len(order), _LINES_AT_ONCE):
        some = order[start : start + _LINES_AT_ONCE]
        within = covers(contour, contour.points[first[some]], contour.points[second[some]])
        if within.any():
            which = some[int(np.argmax(within))]
            return Pair(float(length[which]), int(first[which]), int(second[which]))
    return None
