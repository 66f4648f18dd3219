"""Whether a chord runs outside a concave lesion, by as much as a person would see."""

from math import ceil, floor
from typing import Final

import numpy as np

from response.imaging.chords import covers
from response.imaging.contours import Bools, Contour
from response.imaging.farthest import SAME
from response.imaging.grid import Floats
from response.imaging.outlines import holds

_STEPS_PER_TOLERANCE: Final = 2
_NUMBERS_AT_ONCE: Final = 1 << 21


def leaves_pixels(part: Bools, chords: Floats) -> bool:
    """Return whether any of some chords leaves the pixels of a part.

    A place of the chord belongs to the part if a pixel of it lies less than one pixel away, down and across: the chord
    property by which straight digital lines are known (Rosenfeld, IEEE Trans Comput 1974;C-23:1264-1269). So the
    steps of an oblique border are not taken for a cleft, but a cleft of one pixel is. It is enough to look where the
    chord crosses a row or a column of pixel centres: there one of the two centres beside it must belong to the part.

    Parameters
    ----------
    part
        Bool `[row, column]`.
    chords
        Their ends, `[chord, 2, 2]`: row and column; whole numbers are pixel centres.
    """
    padded = np.zeros((part.shape[0] + 4, part.shape[1] + 4), np.bool_)
    padded[2:-2, 2:-2] = part
    return any(_meets_outside(padded, chord + 2) or _meets_outside(padded.T, chord[:, ::-1] + 2) for chord in chords)


def _meets_outside(padded: Bools, ends: Floats) -> bool:
    """Whether a chord crosses a row of centres at a place where neither centre beside it belongs to the part."""
    start, left, stop, right = ends.ravel().tolist()
    if start > stop:
        start, left, stop, right = stop, right, start, left
    if stop - start < SAME:
        return False
    row = np.arange(ceil(start - SAME), floor(stop + SAME) + 1)
    column = left + (row - start) * ((right - left) / (stop - start))
    beside = padded[row, (column + SAME).astype(np.intp)] | padded[row, np.ceil(column - SAME).astype(np.intp)]
    return not bool(beside.all())


def leaves_outline(contour: Contour, ends: Floats, tolerance_mm: float) -> bool:
    """Return whether a chord `[2, 2]` in mm runs outside an outline, farther from it than a tolerance."""
    if covers(contour, ends[:1], ends[1:])[0]:
        return False
    steps = int(np.ceil(_STEPS_PER_TOLERANCE * float(np.hypot(*(ends[1] - ends[0]))) / tolerance_mm)) + 1
    places = ends[0] + np.linspace(0, 1, steps)[:, None] * (ends[1] - ends[0])
    places = places[~holds(contour, places)]
    return bool(len(places)) and float(_distance(contour, places).max()) > tolerance_mm


def _distance(contour: Contour, places: Floats) -> Floats:
    """Return the distance of places `[place, 2]` from the nearest side of a contour, `[place]`."""
    start, side = contour.points, contour.points[contour.following] - contour.points
    squares = np.maximum((side**2).sum(axis=1), np.finfo(np.float64).tiny)
    nearest = []
    for some in np.array_split(places, max(1, len(places) * len(start) // _NUMBERS_AT_ONCE)):
        offset = some[:, None] - start
        part = np.clip((offset * side).sum(axis=2) / squares, 0, 1)
        nearest.append(np.sqrt(((offset - part[..., None] * side) ** 2).sum(axis=2)).min(axis=1))
    return np.concatenate(nearest)
