"""The longest chord between two points of a contour that stays within it.

All pairs of points are candidates, the longest first, so the search ends at the first pair that sees each other. What
keeps it short on large and winding contours:

1. A pair is dropped as soon as one of some places along it lies in a cell of a fine raster that no part of the lesion
   reaches: first its middle, then its quarters, and so on. Only what passes is tested exactly.
2. Of contours of more than `MOST_POINTS` points every second, third ... is a candidate, evenly along the contour.
3. After a fixed amount of exact tests the search is given up, and the longest side of the contour taken: this happens
   only where an outline zigzags more finely than the raster.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from response.imaging.chords import covers
from response.imaging.contours import Contour
from response.imaging.farthest import SAME, Pair
from response.imaging.grid import Floats
from response.imaging.sides import Bools, Ints

MOST_POINTS: Final = 2000
_CELLS: Final = 512  # along the longer side of the raster
_HALVINGS: Final = 9  # so that places along a pair are no farther apart than cells
_BAND: Final = 0.97  # pairs are looked at in bands of length: the next one ends at this fraction
_NUMBERS_AT_ONCE: Final = 1 << 17
_MOST_NUMBERS: Final = 1 << 25  # points times pairs that are tested exactly, at most


def thinning(contour: Contour) -> int:
    """Return of how many neighbouring points of a contour one is a candidate: 1 unless the contour is very long."""
    return -(-len(contour.points) // MOST_POINTS)


def longest_inside(contour: Contour, at_least_mm: float = 0.0) -> Pair:
    """Return the longest pair of points whose chord stays within the contour.

    Of pairs of equal length the one whose first point stands first is taken (by row, then column).

    Parameters
    ----------
    contour
        The contours of one part, holes included.
    at_least_mm
        What is shorter is not looked for (but for rounding): if there is nothing longer, any side is returned.
    """
    step = thinning(contour)
    thinned = np.lexsort((contour.ranks(), contour.loops))[::step] if step > 1 else np.arange(len(contour.points))
    order = thinned[np.lexsort((contour.points[thinned, 1], contour.points[thinned, 0]))]
    reached, left = _Raster(contour), _MOST_NUMBERS // len(contour.points)
    for first, second in _bands(contour.points[order], at_least_mm):
        pairs = reached.keep(contour.points, order[first], order[second])
        found = _first_inside(contour, pairs[0][:left], pairs[1][:left])
        left -= len(pairs[0])
        if found is not None:
            return found
        if left <= 0:
            break
    return _longest_side(contour)


def _longest_side(contour: Contour) -> Pair:
    side = contour.points[contour.following] - contour.points
    length = np.hypot(side[:, 0], side[:, 1])
    first = int(length.argmax())
    return Pair(float(length[first]), first, int(contour.following[first]))


def _bands(points: Floats, at_least_mm: float) -> Iterator[tuple[Ints, Ints]]:
    """Yield pairs of points, longest bands first; within a band in order of the points."""
    first, second = np.triu_indices(len(points), 1)
    squares = ((points[first] - points[second]) ** 2).sum(axis=1)
    order = np.argsort(-squares)
    descending = -squares[order]
    smallest = max((at_least_mm * (1 - SAME)) ** 2, -float(descending[0]) * SAME**2)
    start, stop = 0, int(np.searchsorted(descending, -smallest, side="right"))
    while start < stop:
        bottom = descending[start] * _BAND**2
        end = min(int(np.searchsorted(descending, bottom, side="right")), stop)
        band = np.sort(order[start:end])
        yield first[band], second[band]
        start = end


class _Raster:
    """Cells that the lesion may reach; a place in any other lies outside for certain."""

    def __init__(self, contour: Contour) -> None:
        self._corner = contour.points.min(axis=0)
        extent = contour.points.max(axis=0) - self._corner
        self._cell_mm = max(float(extent.max()) / _CELLS, np.finfo(np.float64).tiny)
        starts = self._cells(contour.points)
        shape = starts.max(axis=0).astype(int) + 2
        self._reached = _inside(starts, starts[contour.following], shape)
        self._reached |= _touched(starts, starts[contour.following], shape)

    def _cells(self, points: Floats) -> Floats:
        # A margin of one cell, and a bit, so that no outermost side lies just on the edge of a cell.
        return np.asarray((points - self._corner) / self._cell_mm + 1.25)

    def keep(self, points: Floats, first: Ints, second: Ints) -> tuple[Ints, Ints]:
        """Return the pairs that are not certain to leave the lesion."""
        start, stop = self._cells(points[first]), self._cells(points[second])
        for halving in range(1, _HALVINGS + 1):
            for place in (np.arange(1, 2**halving, 2) / 2**halving).tolist():
                at = (start + place * (stop - start)).astype(np.intp)
                still = self._reached[at[:, 0], at[:, 1]]
                if not still.all():
                    first, second, start, stop = first[still], second[still], start[still], stop[still]
        return first, second


def _inside(starts: Floats, stops: Floats, shape: Ints) -> Bools:
    """Return which cells have their middle within the contour (even-odd rule), bool `[row, column]`."""
    low, high = np.minimum(starts[:, 0], stops[:, 0]), np.maximum(starts[:, 0], stops[:, 0])
    # Middles of rows lie at whole numbers and a half.
    first, last = np.ceil(low - 0.5).astype(np.intp), np.ceil(high - 0.5).astype(np.intp)
    row, side = _counted(first, last - first)
    part = (row + 0.5 - starts[side, 0]) / (stops[side, 0] - starts[side, 0])
    column = np.ceil(starts[side, 1] + part * (stops[side, 1] - starts[side, 1]) - 0.5).astype(np.intp)
    crossings = np.zeros(shape, np.intp)
    np.add.at(crossings, (row, column), 1)
    return np.asarray(np.cumsum(crossings, axis=1) % 2 == 1)


def _touched(starts: Floats, stops: Floats, shape: Ints) -> Bools:
    """Return which cells a side of the contour goes through, bool `[row, column]`.

    Each side is cut where it crosses the edges of cells; the middle of a piece lies in the cell of the piece.
    """
    sides, parts = [np.tile(np.arange(len(starts)), 2)], [np.repeat([0.0, 1.0], len(starts))]
    for axis in (0, 1):
        low, high = np.minimum(starts[:, axis], stops[:, axis]), np.maximum(starts[:, axis], stops[:, axis])
        first = np.ceil(low).astype(np.intp)
        edge, side = _counted(first, np.maximum(np.ceil(high).astype(np.intp) - first, 0))
        sides.append(side)
        parts.append((edge - starts[side, axis]) / np.where(high > low, stops[:, axis] - starts[:, axis], 1.0)[side])
    side, part = np.concatenate(sides), np.concatenate(parts)
    order = np.lexsort((part, side))
    side, part = side[order], part[order]
    middle = 0.5 * (part[1:] + part[:-1])[side[1:] == side[:-1]]
    side = side[1:][side[1:] == side[:-1]]
    at = (starts[side] + middle[:, None] * (stops[side] - starts[side])).astype(np.intp)
    touched = np.zeros(shape, np.bool_)
    touched[at[:, 0], at[:, 1]] = True
    return touched


def _counted(first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Return whole numbers from `first[i]` on, `count[i]` of them, and i, for all i."""
    which = np.repeat(np.arange(len(count)), count)
    return np.arange(len(which)) + np.repeat(first - (np.cumsum(count) - count), count), which


def _first_inside(contour: Contour, first: Ints, second: Ints) -> Pair | None:
    """Return the longest of the pairs that stays within, the first of equal ones."""
    apart = contour.points[first] - contour.points[second]
    length = np.hypot(apart[:, 0], apart[:, 1])
    if not len(length):
        return None
    # Equal but for rounding is equal, and a stable order keeps the first point first.
    order = np.argsort(-np.round(length / length.max(), 9), kind="stable")
    step = max(1, _NUMBERS_AT_ONCE // len(contour.points))
    for start in range(0, len(order), step):
        some = order[start : start + step]
        within = covers(contour, contour.points[first[some]], contour.points[second[some]])
        if within.any():
            which = some[int(np.argmax(within))]
            return Pair(float(length[which]), int(first[which]), int(second[which]))
    return None
