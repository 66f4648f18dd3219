"""How long the longest diameter on each slice can be at most, from the ends of its rows alone."""

from typing import Final

import numpy as np

from response.imaging.contours import Bools
from response.imaging.farthest import DIRECTIONS, SHORTENING
from response.imaging.grid import Floats
from response.imaging.runs import runs_of

_PIXELS_AT_ONCE: Final = 1 << 20


def width_bounds(sections: Bools, spacing_mm: tuple[float, float], convention: str) -> tuple[Floats, Floats]:
    """Return bounds of the longest diameter on each slice, `[slice]` in mm; -inf where a slice is empty.

    The lower one holds where a slice has one part: it is the largest distance of two pixel centres in any of some
    directions. The upper one holds always: it is half a percent above that, and by up to one pixel's diagonal more
    where the contour runs around the pixel centres.

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
    width = np.concatenate([_widths(block, spacing_mm) for block in blocks])
    beyond = 0.0 if convention == "pixel_centres" else np.abs(DIRECTIONS.T * spacing_mm).sum(axis=1)
    return width.max(axis=1), (width + beyond).max(axis=1) / SHORTENING


def _widths(sections: Bools, spacing_mm: tuple[float, float]) -> Floats:
    """Return the width of each slice between pixel centres in each direction, `[slice, direction]` in mm."""
    runs = runs_of(sections)
    down, across = DIRECTIONS * np.asarray(spacing_mm)[:, None]
    width = np.full((len(sections), len(across)), -np.inf)
    if len(runs.slices):
        row = runs.rows[:, None] * down
        first, last = row + runs.first[:, None] * across, row + runs.last[:, None] * across
        begins = np.flatnonzero(np.concatenate([[True], runs.slices[1:] != runs.slices[:-1]]))
        highest = np.maximum.reduceat(np.maximum(first, last), begins)
        width[runs.slices[begins]] = highest - np.minimum.reduceat(np.minimum(first, last), begins)
    return width
