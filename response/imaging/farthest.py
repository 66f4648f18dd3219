"""The two points of a contour that are farthest apart, exactly and without looking at all pairs.

The width of a set of points is taken in a few directions. The farthest pair lies within half a step of one of them, so
that the largest width bounds it from both sides, and only points near enough to the rim in that direction can belong
to it; those are compared in pairs.
"""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from response.imaging.contours import Bools, Contour, Ints
from response.imaging.grid import Floats

_DIRECTIONS: Final = 16
_ANGLES: Final = np.arange(_DIRECTIONS) * (np.pi / _DIRECTIONS)
DIRECTIONS: Final = np.stack([np.sin(_ANGLES), np.cos(_ANGLES)])  # [2, direction]: down, across
# What the width in the nearest direction is at least, as a fraction of the distance of two points.
SHORTENING: Final = float(np.cos(np.pi / (2 * _DIRECTIONS)))
# Lengths that differ by less, relatively, are equal: they differ by rounding only.
SAME: Final = 1e-9
_FEW: Final = 512  # so many points are compared all with all
_PAIRS_AT_ONCE: Final = 1 << 20


class Pair(NamedTuple):
    """Two points of a contour, by index, and their distance in mm."""

    length_mm: float
    first: int
    second: int


def farthest_pair(contour: Contour, at_least_mm: float = 0.0) -> Pair | None:
    """Return the longest pair of points that lie on one closed contour, or None where all are shorter than asked for.

    Of pairs of equal length the one whose first point stands first is taken (by row, then column; then the second
    point). Separate parts are never bridged; a hole cannot hold a longer pair than the contour around it.

    Parameters
    ----------
    contour
        One section, with all its parts.
    at_least_mm
        What is shorter is not looked for (but for rounding).
    """
    along = contour.points @ DIRECTIONS
    order = np.argsort(contour.loops, kind="stable")
    kept = order[_near_the_rim(along[order], contour.loops[order], at_least_mm)]
    if not len(kept):
        return None
    loop, points = contour.loops[kept], contour.points[kept]
    kept = kept[np.lexsort((points[:, 1], points[:, 0], loop))]
    return _longest(contour, kept, at_least_mm)


def _near_the_rim(along: Floats, loop: Ints, at_least_mm: float) -> Bools:
    """Return which points, sorted by loop, may belong to a pair of one loop that is long enough, `[point]`.

    Parameters
    ----------
    along
        How far each point lies in each direction, `[point, direction]` in mm.
    loop, at_least_mm
        The loop of each point, and the length asked for.
    """
    begins = np.ones(len(loop), np.bool_)
    begins[1:] = loop[1:] != loop[:-1]
    starts = np.flatnonzero(begins)
    highest, lowest = np.maximum.reduceat(along, starts), np.minimum.reduceat(along, starts)
    wanted = max(float((highest - lowest).max()), at_least_mm) * SHORTENING * (1 - SAME)
    spare = highest - lowest - wanted
    spare[spare < 0] = -np.inf  # nothing in this direction is long enough
    group = np.cumsum(begins) - 1
    at_rim = (along >= (highest - spare)[group]) | (along <= (lowest + spare)[group])
    return np.asarray(at_rim.any(axis=1))


def _longest(contour: Contour, kept: Ints, at_least_mm: float) -> Pair | None:
    """Return the first of the longest pairs of kept points, which are sorted by loop."""
    points, loops = contour.points, contour.loops[kept]
    if len(kept) <= _FEW and loops[0] == loops[-1]:
        return _longest_of_few(points, kept)
    partners = np.searchsorted(loops, loops, side="right") - np.arange(len(kept)) - 1
    best: Pair | None = None
    for start, stop in _blocks(partners):
        first = np.repeat(np.arange(start, stop), partners[start:stop])
        before = np.cumsum(partners[start:stop]) - partners[start:stop]
        second = first + 1 + np.arange(len(first)) - np.repeat(before, partners[start:stop])
        apart = points[kept[first]] - points[kept[second]]
        best = _better(best, apart, kept[first], kept[second])
    if best is None and at_least_mm == 0:
        return Pair(0.0, int(kept[0]), int(kept[0]))
    return best


def _longest_of_few(points: Floats, kept: Ints) -> Pair:
    """Return the first of the longest pairs of points of one loop."""
    down, across = points[kept].T
    squares = (down[:, None] - down) ** 2 + (across[:, None] - across) ** 2
    longest = squares >= squares.max() * (1 - SAME) ** 2
    first, second = divmod(int(longest.argmax()), len(kept))
    return Pair(float(np.sqrt(squares[first, second])), int(kept[first]), int(kept[second]))


def _better(best: Pair | None, apart: Floats, first: Ints, second: Ints) -> Pair | None:
    if not len(apart):
        return best
    squares = apart[:, 0] ** 2 + apart[:, 1] ** 2
    longest = np.sqrt(squares.max())
    if best is not None and longest <= best.length_mm * (1 + SAME):
        return best
    where = int(np.argmax(squares >= (longest * (1 - SAME)) ** 2))
    return Pair(float(np.sqrt(squares[where])), int(first[where]), int(second[where]))


def _blocks(partners: Ints) -> list[tuple[int, int]]:
    """Return ranges of points that have not too many pairs together."""
    total = np.cumsum(partners)
    cuts = np.searchsorted(total, np.arange(1, total[-1] // _PAIRS_AT_ONCE + 1) * _PAIRS_AT_ONCE, side="right")
    edges = np.unique(np.concatenate([[0], cuts, [len(partners)]])).tolist()
    return list(pairwise(edges))
