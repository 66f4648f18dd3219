"""Whether a chord runs outside a concave lesion, by as much as a person would see."""

from typing import Final

import numpy as np

from response.imaging.chords import covers
from response.imaging.contours import Contour
from response.imaging.farthest import SAME
from response.imaging.grid import Floats
from response.imaging.outlines import holds
from response.imaging.sides import Bools

_STEPS_PER_TOLERANCE: Final = 2
_NUMBERS_AT_ONCE: Final = 1 << 21


def leaves_pixels(part: Bools, chords: Floats) -> bool:
    """Return whether any of some chords leaves the pixels of a part.

    A place of the chord belongs to the part if a pixel of it lies less than one pixel away, down and across: the chord
    property by which straight digital lines are known (Rosenfeld, IEEE Trans Comput 1974;C-23:1264-1269). So the
    steps of an oblique border are not taken for a cleft, but a cleft of one pixel is. It is enough to look where the
    chord crosses a row or a column of pixel centres: there one of the two centres beside it must belong to the part.
    Within a pixel of its ends a chord is at the border, and nothing is looked at.

    Parameters
    ----------
    part
        Bool `[row, column]`.
    chords
        Their ends, `[chord, 2, 2]`: row and column; whole numbers are pixel centres.
    """
    if _runs_through(part, chords):
        return False
    padded = np.zeros((part.shape[0] + 4, part.shape[1] + 4), np.bool_)
    padded[2:-2, 2:-2] = part
    lines = np.concatenate([chords, chords[:, :, ::-1]]) + 2  # across the rows of centres, and across the columns
    ahead = np.repeat([[padded.shape[1], 1], [1, padded.shape[1]]], len(chords), axis=0)
    start, stop = lines[:, 0], lines[:, 1]
    low, high = np.minimum(start[:, 0], stop[:, 0]), np.maximum(start[:, 0], stop[:, 0])
    first = np.ceil(low - SAME)
    count = np.where(high - low < SAME, 0, np.floor(high + SAME) - first + 1).astype(np.intp)
    which = np.repeat(np.arange(len(lines)), count)
    row = np.arange(len(which)) + (first - (np.cumsum(count) - count))[which]
    rise = (stop[:, 1] - start[:, 1]) / np.where(count > 0, stop[:, 0] - start[:, 0], 1.0)
    column = start[which, 1] + (row - start[which, 0]) * rise[which]
    places = np.stack([row, column], axis=1)
    at_end = [np.abs(places - end[which]).max(axis=1) < 1 for end in (start, stop)]
    here = row.astype(np.intp) * ahead[which, 0]
    before = here + (column + SAME).astype(np.intp) * ahead[which, 1]
    after = here + np.ceil(column - SAME).astype(np.intp) * ahead[which, 1]
    return not bool((padded.ravel()[before] | padded.ravel()[after] | at_end[0] | at_end[1]).all())


def _runs_through(part: Bools, chords: Floats) -> bool:
    """Whether all places of chords, a quarter of a pixel apart, lie in pixels of the part: then none leaves it."""
    starts, ways = chords[:, :1], chords[:, 1:] - chords[:, :1]
    steps = 4 * int(np.abs(ways).max()) + 4
    places = np.rint(starts + ways * ((np.arange(steps) + 0.5) / steps)[:, None]).astype(np.intp)
    if places.min() < 0 or (places.max(axis=(0, 1)) >= part.shape).any():
        return False
    return bool(part[places[..., 0], places[..., 1]].all())


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
