"""How long the longest diameter on each slice can be at most, from the ends of its rows alone."""

from typing import Final

import numpy as np

from response.imaging.farthest import DIRECTIONS, SHORTENING
from response.imaging.grid import Floats
from response.imaging.runs import runs_of
from response.imaging.sides import Bools

_PIXELS_AT_ONCE: Final = 1 << 20


def width_bounds(sections: Bools, spacing_mm: tuple[float, float], convention: str) -> tuple[Floats, Floats]:
    """Return bounds of the longest diameter on each slice, `[slice]` in mm; -inf where a slice is empty.

    The lower one holds where a slice has one part: it is the largest distance of two pixel centres in any of some
    directions. The upper one holds always: it is half a percent above that, and more by what the contour lies
    outside of pixel centres.

    Parameters
    ----------
    sections
        Bool `[slice, row, column]`.
    spacing_mm
        Between rows, and between columns.
    convention
        That of the contours.
    """
    step = max(1, _PIXELS_AT_ONCE // sections[0].size)
    blocks = [sections[start : start + step] for start in range(0, len(sections), step)]
    width = np.concatenate([_widths(block, spacing_mm) for block in blocks], axis=1)
    beyond = 2 * beyond_centres_mm(spacing_mm, convention)[:, None]
    return width.max(axis=0), (width + beyond).max(axis=0) / SHORTENING


def beyond_centres_mm(spacing_mm: tuple[float, float], convention: str) -> Floats:
    """Return how far the contour lies outside the centre of a border pixel at most, `[direction]`."""
    half = 0.5 * np.abs(DIRECTIONS) * spacing_mm
    if convention == "pixel_centres":
        return np.zeros(len(half))
    return np.asarray(half.sum(axis=1) if convention == "pixel_edges" else half.max(axis=1))


def _widths(sections: Bools, spacing_mm: tuple[float, float]) -> Floats:
    """Return the width of each slice between pixel centres in each direction, `[direction, slice]` in mm."""
    runs = runs_of(sections)
    width = np.full((len(DIRECTIONS), len(sections)), -np.inf)
    if len(runs.slices):
        directions = DIRECTIONS * spacing_mm
        first = directions @ np.stack([runs.rows, runs.first]).astype(np.float64)
        last = directions @ np.stack([runs.rows, runs.last]).astype(np.float64)
        begins = np.flatnonzero(np.concatenate([[True], runs.slices[1:] != runs.slices[:-1]]))
        highest = np.maximum.reduceat(np.maximum(first, last), begins, axis=1)
        width[:, runs.slices[begins]] = highest - np.minimum.reduceat(np.minimum(first, last), begins, axis=1)
    return width
