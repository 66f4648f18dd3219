"""Chords of a contour: the longest at a right angle to a given one, and whether a chord stays within.

A line across the lesion meets it in closed stretches. They are found for all lines at once: between two neighbouring
lines of the sweep no contour begins or ends, so that the sides met there, in order, are in turn an entry and an exit.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from response.imaging.contours import Contour
from response.imaging.farthest import SAME
from response.imaging.grid import Floats
from response.imaging.sides import Bools, Ints

_SIDES_AT_ONCE: Final = 1 << 20
_MOST_CROSSINGS: Final = 1 << 23


class Chord(NamedTuple):
    """Two ends `[2, 2]` in mm (down, across) in the plane of a section, and their distance."""

    length_mm: float
    ends: Floats


class _Best(NamedTuple):
    """The longest chord so far: where along the axis, and from where to where at its side."""

    length_mm: float
    along: float
    start: float
    stop: float


_NONE: Final = _Best(-1.0, 0.0, 0.0, 0.0)


class _Stretches(NamedTuple):
    """Where lines meet the lesion: line, and from where to where along it, each `[stretch]`."""

    line: Ints
    start: Floats
    stop: Floats


class _Sweep(NamedTuple):
    """A contour as lines at a right angle to the axis meet it.

    Attributes
    ----------
    along, height
        Of each point: how far along the axis, and how far to its side, `[point]` in mm.
    level
        On which line of the sweep each point lies, `[point]`.
    lines
        Where along the axis the lines are, `[line]`.
    left, right
        Of each side of the contour: its point on the earlier line, and that on the later one, `[side]`.
    """

    along: Floats
    height: Floats
    level: Ints
    lines: Floats
    left: Ints
    right: Ints


def perpendicular(contour: Contour, axis: Floats, *, inside: bool) -> Chord:
    """Return the longest chord at a right angle to an axis.

    Its ends lie on the contour, on one line that meets the axis (or its continuation) at a right angle; it is no
    caliper width, whose ends need not face each other. The line that gives the longest chord passes through a point
    of the contour, for in between the length changes evenly. Of equal chords the first along the axis is taken.
    Where the contour winds so much that all lines together meet it many million times, fewer lines are drawn, evenly
    spaced, and points are put on the nearest one.

    Parameters
    ----------
    contour
        The contours of one part, holes included.
    axis
        Ends of the longest diameter, `[2, 2]` in mm.
    inside
        Whether the chord must stay within the contour; else it may leave a concave lesion.
    """
    length = float(np.hypot(*(axis[1] - axis[0])))
    if length == 0:
        return Chord(0.0, np.repeat(axis[:1], 2, axis=0))
    forth = (axis[1] - axis[0]) / length
    aside = np.array([-forth[1], forth[0]])
    sweep = _swept(contour, forth, aside)
    best = _NONE
    for met in _stretches_within(sweep, SAME * length) if inside else [_outermost(sweep)]:
        best = _longer(best, met, sweep.lines)
    _, where, start, stop = best
    return Chord(stop - start, where * forth + np.array([[start], [stop]]) * aside)


def _swept(contour: Contour, forth: Floats, aside: Floats) -> _Sweep:
    along, height = _component(contour.points, forth), _component(contour.points, aside)
    order = np.argsort(along, kind="stable")
    ordered = along[order]
    begins = np.ones(len(along), np.bool_)
    # Points that lie on one line but for rounding are put on one.
    begins[1:] = ordered[1:] - ordered[:-1] > SAME * (ordered[-1] - ordered[0] + height.max() - height.min())
    level, lines = np.empty(len(along), np.intp), ordered[begins]
    level[order] = np.cumsum(begins) - 1
    crossings = int(np.abs(level - level[contour.following]).sum())
    if crossings > _MOST_CROSSINGS:
        level, lines = _evenly(along, max(2, len(lines) * _MOST_CROSSINGS // crossings))
    swap = level > level[contour.following]
    points = np.arange(len(level))
    left, right = np.where(swap, contour.following, points), np.where(swap, points, contour.following)
    return _Sweep(along, height, level, lines, left, right)


def _evenly(along: Floats, number: int) -> tuple[Ints, Floats]:
    """Return on which of so many evenly spaced lines each point is put, `[point]`, and where those used lie."""
    step = float(np.ptp(along)) / number
    used, level = np.unique(np.floor((along - along.min()) / step), return_inverse=True)
    return level.astype(np.intp), along.min() + (used + 0.5) * step


def _component(points: Floats, direction: Floats) -> Floats:
    # Written out, for a matrix product may round differently from one shape to the next.
    return np.asarray(points[:, 0] * direction[0] + points[:, 1] * direction[1])


def _outermost(sweep: _Sweep) -> _Stretches:
    """Return the whole stretch of each line from where it first meets the lesion to where it does last."""
    lowest, highest = np.full(len(sweep.lines), np.inf), np.full(len(sweep.lines), -np.inf)
    np.minimum.at(lowest, sweep.level, sweep.height)
    np.maximum.at(highest, sweep.level, sweep.height)
    low, high = sweep.level[sweep.left] + 1, sweep.level[sweep.right]
    for some in _side_blocks(high - low):
        line, side = _gaps(low[some], high[some])
        left, right = sweep.left[some][side], sweep.right[some][side]
        part = (sweep.lines[line] - sweep.along[left]) / (sweep.along[right] - sweep.along[left])
        height = sweep.height[left] + part * (sweep.height[right] - sweep.height[left])
        np.minimum.at(lowest, line, height)
        np.maximum.at(highest, line, height)
    return _Stretches(np.arange(len(sweep.lines)), lowest, highest)


def _side_blocks(crossed: Ints) -> list[Ints]:
    """Return the sides that cross any line between their ends, in blocks that do not cross too many together."""
    crossing = np.flatnonzero(crossed > 0)
    total = np.cumsum(crossed[crossing])
    number = int(total[-1]) // _SIDES_AT_ONCE if len(total) else 0
    if not number:
        return [crossing]
    return np.split(crossing, np.searchsorted(total, np.arange(1, number + 1) * _SIDES_AT_ONCE))


def _stretches_within(sweep: _Sweep, tolerance: float) -> Iterator[_Stretches]:
    """Yield the stretches of all lines that lie within the lesion, a block of neighbouring lines at a time."""
    low, high = sweep.level[sweep.left], sweep.level[sweep.right]
    number = len(sweep.lines)
    step = max(1, number * _SIDES_AT_ONCE // max(int((high - low).sum()), 1))
    for first in range(0, number, step):
        near = np.flatnonzero((low < first + step) & (high >= first))
        yield _merged(_block(sweep, near, first, min(first + step, number)), tolerance)


def _block(sweep: _Sweep, near: Ints, first: int, last: int) -> _Stretches:
    """Return the stretches of the lines from `first` to before `last`, from the sides near them.

    A line is met just before and just after it, for the contour may turn on it, and along sides that lie on it.
    """
    left, right = sweep.left[near], sweep.right[near]
    gap, side = _gaps(np.maximum(sweep.level[left], first - 1), np.minimum(sweep.level[right], last))
    before, after = _heights(sweep, left[side], right[side], gap)
    order = np.lexsort((before + after, gap))
    gap, before, after = gap[order], before[order], after[order]
    flat = sweep.level[left] == sweep.level[right]
    ends = sweep.height[left[flat]], sweep.height[right[flat]]
    line = np.concatenate([gap[::2], gap[::2] + 1, sweep.level[left[flat]]])
    start = np.concatenate([before[::2], after[::2], np.minimum(*ends)])
    stop = np.concatenate([before[1::2], after[1::2], np.maximum(*ends)])
    here = (line >= first) & (line < last)
    return _Stretches(line[here], start[here], stop[here])


def _gaps(start: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """Return the gaps between two lines that each side crosses, from `start` to before `stop`, and the side."""
    count = stop - start
    side = np.repeat(np.arange(len(count)), count)
    return np.arange(len(side)) + np.repeat(start - (np.cumsum(count) - count), count), side


def _heights(sweep: _Sweep, left: Ints, right: Ints, gap: Ints) -> tuple[Floats, Floats]:
    """Return the heights of sides on the line before a gap and on the one after it."""
    slope = (sweep.height[right] - sweep.height[left]) / (sweep.along[right] - sweep.along[left])
    before = sweep.height[left] + (sweep.lines[gap] - sweep.along[left]) * slope
    after = sweep.height[left] + (sweep.lines[gap + 1] - sweep.along[left]) * slope
    before = np.where(sweep.level[left] == gap, sweep.height[left], before)
    return before, np.where(sweep.level[right] == gap + 1, sweep.height[right], after)


def _longer(best: _Best, met: _Stretches, lines: Floats) -> _Best:
    lengths = met.stop - met.start
    longest = float(lengths.max(initial=-1.0))
    if longest <= best.length_mm * (1 + SAME):
        return best
    where = int(np.argmax(lengths >= longest * (1 - SAME)))
    return _Best(float(lengths[where]), float(lines[met.line[where]]), float(met.start[where]), float(met.stop[where]))


def _merged(met: _Stretches, tolerance: float) -> _Stretches:
    """Return the stretches with those joined that overlap or touch."""
    order = np.lexsort((met.start, met.line))
    line, start, stop = met.line[order], met.start[order], met.stop[order]
    # Lines far from each other, so that the farthest stop so far never reaches into the next line.
    apart = 2 * float(np.ptp(np.concatenate([start, stop]))) + 1
    shifted = np.maximum.accumulate(stop + line * apart)
    begins = np.ones(len(line), np.bool_)
    begins[1:] = (start + line * apart)[1:] > shifted[:-1] + tolerance
    firsts = np.flatnonzero(begins)
    return _Stretches(line[firsts], start[firsts], np.maximum.reduceat(stop, firsts))


def covers(contour: Contour, starts: Floats, stops: Floats) -> Bools:
    """Return whether chords stay within the contour or on it, `[chord]`.

    Parameters
    ----------
    contour
        The contours of one part, holes included (even-odd rule).
    starts, stops
        Ends of the chords, `[chord, 2]` in mm.
    """
    chord = stops - starts
    length = np.hypot(chord[:, 0], chord[:, 1])
    forth = chord / np.where(length > 0, length, 1.0)[:, None]
    offset = contour.points - starts[:, None]
    along = offset[..., 0] * forth[:, None, 0] + offset[..., 1] * forth[:, None, 1]
    height = offset[..., 1] * forth[:, None, 0] - offset[..., 0] * forth[:, None, 1]
    tolerance = SAME * float(np.ptp(contour.points, axis=0).sum())
    met = _merged(_met(contour.following, along, height, tolerance), tolerance)
    within = (met.start <= tolerance) & (met.stop >= length[met.line] - tolerance)
    covered = np.zeros(len(length), np.bool_)
    covered[met.line[within]] = True
    return covered


def _met(following: Ints, along: Floats, height: Floats, tolerance: float) -> _Stretches:
    """Return the stretches of lines, from how far along and above each all points are, `[line, point]`."""
    place = np.where(height > tolerance, 1, np.where(height < -tolerance, -1, 0))
    after = place[:, following]
    found = [_met_on(following, along, height, (place == side) != (after == side)) for side in (-1, 1)]
    line, point = np.nonzero((place == 0) & (after == 0))
    ends = along[line, point], along[line, following[point]]
    found.append(_Stretches(line, np.minimum(*ends), np.maximum(*ends)))
    return _Stretches(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _met_on(following: Ints, along: Floats, height: Floats, crossing: Bools) -> _Stretches:
    """Return the stretches just beside the lines, on one side: between each first and second crossing."""
    line, point = np.nonzero(crossing)
    other = following[point]
    rise = height[line, other] - height[line, point]
    part = np.clip(-height[line, point] / rise, 0.0, 1.0)
    at = along[line, point] + part * (along[line, other] - along[line, point])
    order = np.lexsort((at, line))
    line, at = line[order], at[order]
    return _Stretches(line[::2], at[::2], at[1::2])
