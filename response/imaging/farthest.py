"""The two points of a contour that are farthest apart, exactly and without looking at all pairs.

The width of a set of points is taken in a few directions. The farthest pair lies within half a step of one of them, so
that the largest width bounds it from both sides, and only points near enough to the rim in that direction can belong
to it; those are compared in pairs.
"""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from response.imaging.grid import Floats
from response.imaging.sides import Ints

_NUMBER: Final = 16
_FINE_NUMBER: Final = 32


def _directions(number: int) -> Floats:
    """Return unit vectors evenly spread over half a turn, `[direction, 2]`: down, across."""
    angles = np.arange(number) * (np.pi / number)
    return np.stack([np.sin(angles), np.cos(angles)], axis=1)


def _shortening(number: int) -> float:
    """Return what the width in the nearest direction is at least, as a fraction of the distance of two points."""
    return float(np.cos(np.pi / (2 * number)))


DIRECTIONS: Final = _directions(_NUMBER)
SHORTENING: Final = _shortening(_NUMBER)
_FINE_DIRECTIONS: Final = _directions(_FINE_NUMBER)
_FINE_SHORTENING: Final = _shortening(_FINE_NUMBER)
# Lengths that differ by less, relatively, are equal: they differ by rounding only.
SAME: Final = 1e-9
_FEW: Final = 512  # so many points are compared all with all
_VERY_FEW: Final = 128  # and so few without choosing any
_PAIRS_AT_ONCE: Final = 1 << 20


class Pair(NamedTuple):
    """Two points, by index, and their distance in mm."""

    length_mm: float
    first: int
    second: int


def farthest_pair(points: Floats, loops: Ints, at_least_mm: float = 0.0) -> Pair | None:
    """Return the longest pair of points that lie on one closed contour, or None where all are shorter than asked for.

    Of pairs of equal length the one whose first point stands first is taken (by row, then column; then the second
    point). Separate parts are never bridged; a hole cannot hold a longer pair than the contour around it.

    Parameters
    ----------
    points
        Points of a section, `[point, 2]` in mm.
    loops
        Which closed contour each belongs to, `[point]`.
    at_least_mm
        What is shorter need not be found.
    """
    kept = np.arange(len(loops)) if len(loops) < _VERY_FEW else near_the_rim(points, loops, at_least_mm)
    if not len(kept):
        return None
    down, across = points[kept].T
    kept = kept[np.lexsort((across, down, loops[kept]))]
    if len(kept) <= _FEW and loops[kept[0]] == loops[kept[-1]]:
        return _longest_of_few(points, kept)
    begins = np.flatnonzero(np.concatenate([[True], np.diff(loops[kept]) != 0]))
    sizes = np.diff(begins, append=len(kept))
    large = np.flatnonzero(sizes > _FEW)
    found: list[Pair | None] = [
        _longest_of_many(points, kept[begins[one] : begins[one] + sizes[one]]) for one in large.tolist()
    ]
    if len(large) < len(sizes):
        rest = kept[np.repeat(sizes <= _FEW, sizes)]
        found.append(_longest(points, rest, loops[rest]))
    best: Pair | None = None
    for pair in found:
        if pair is not None and (best is None or pair.length_mm > best.length_mm * (1 + SAME)):
            best = pair
    return best


def near_the_rim(points: Floats, loops: Ints, at_least_mm: float, beyond_mm: Floats | float = 0.0) -> Ints:
    """Return the indices of the points that may belong to a longest pair, sorted by loop.

    Parameters
    ----------
    points, loops, at_least_mm
        As for the farthest pair.
    beyond_mm
        How far outside the ones given the points may lie, in each direction, `[direction]`.
    """
    order = np.argsort(loops, kind="stable")
    along = DIRECTIONS @ points[order].T
    loop = loops[order]
    begins = np.concatenate([[True], loop[1:] != loop[:-1]])
    starts = np.flatnonzero(begins)
    highest, lowest = np.maximum.reduceat(along, starts, axis=1), np.minimum.reduceat(along, starts, axis=1)
    wanted = max(float((highest - lowest).max()), at_least_mm) * SHORTENING * (1 - SAME)
    spare = highest - lowest - wanted + 2 * np.reshape(beyond_mm, (-1, 1))
    spare[spare < 0] = -np.inf  # nothing in this direction is long enough
    # Of a direction in which no loop is wide enough no point is kept.
    some = (spare >= 0).any(axis=1)
    loop = np.cumsum(begins) - 1
    high, low = (highest - spare)[some], (lowest + spare)[some]
    along = along[some]
    return np.asarray(order[((along >= high[:, loop]) | (along <= low[:, loop])).any(axis=0)])


def most_mm(points: Floats, starts: Ints) -> Floats:
    """Return an upper bound of the longest distance within each group of points, `[group]`.

    Parameters
    ----------
    points
        Shape `[point, 2]` in mm, sorted by group.
    starts
        Where each group begins; none is empty.
    """
    along = _FINE_DIRECTIONS @ points.T
    width = np.maximum.reduceat(along, starts, axis=1) - np.minimum.reduceat(along, starts, axis=1)
    return np.asarray(width.max(axis=0) / _FINE_SHORTENING)


def _longest_of_few(points: Floats, kept: Ints) -> Pair:
    """Return the first of the longest pairs of kept points, which are of one loop."""
    down, across = points[kept].T
    squares = (down[:, None] - down) ** 2 + (across[:, None] - across) ** 2
    is_longest = squares >= squares.max() * (1 - SAME) ** 2
    first, second = divmod(int(is_longest.argmax()), len(kept))
    return Pair(float(np.sqrt(squares[first, second])), int(kept[first]), int(kept[second]))


def _longest_of_many(points: Floats, kept: Ints) -> Pair:
    """Return the first of the longest pairs of kept points of one loop: those at opposite rims, in fine directions."""
    along = _FINE_DIRECTIONS @ points[kept].T
    highest, lowest = along.max(axis=1), along.min(axis=1)
    spare = highest - lowest - float((highest - lowest).max()) * _FINE_SHORTENING * (1 - SAME)
    best = (0.0, 0, 0)
    for which in np.flatnonzero(spare >= 0).tolist():
        one = np.flatnonzero(along[which] >= highest[which] - spare[which])
        other = np.flatnonzero(along[which] <= lowest[which] + spare[which])
        for some in np.array_split(one, len(one) * len(other) // _PAIRS_AT_ONCE + 1):
            best = _first_of(best, _farthest_between(points[kept], some, other))
    length, first, second = best
    return Pair(length, int(kept[first]), int(kept[second]))


def _farthest_between(points: Floats, one: Ints, other: Ints) -> tuple[float, int, int]:
    """Return the largest distance of a point of one set from one of the other, and the first such pair of points."""
    squares = ((points[one][:, None] - points[other]) ** 2).sum(axis=2)
    at_one, at_other = np.nonzero(squares >= squares.max() * (1 - SAME) ** 2)
    pairs = np.sort(np.stack([one[at_one], other[at_other]], axis=1), axis=1)
    first, second = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))[0]].tolist()
    return float(np.hypot(*(points[first] - points[second]))), first, second


def _first_of(best: tuple[float, int, int], pair: tuple[float, int, int]) -> tuple[float, int, int]:
    """Return the longer pair, or the one whose points come first."""
    if abs(pair[0] - best[0]) <= SAME * best[0]:
        return min(best, pair, key=lambda one: one[1:])
    return max(best, pair)


def _longest(points: Floats, kept: Ints, loops: Ints) -> Pair | None:
    """Return the first of the longest pairs of kept points of one loop; they are sorted by loop."""
    partners = np.searchsorted(loops, loops, side="right") - np.arange(len(kept)) - 1
    best: Pair | None = None
    for start, stop in _blocks(partners):
        first = np.repeat(np.arange(start, stop), partners[start:stop])
        before = np.cumsum(partners[start:stop]) - partners[start:stop]
        second = first + 1 + np.arange(len(first)) - np.repeat(before, partners[start:stop])
        best = _better(best, points[kept[first]] - points[kept[second]], kept[first], kept[second])
    return best


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
    return list(pairwise(np.unique(np.concatenate([[0], cuts, [len(partners)]])).tolist()))
