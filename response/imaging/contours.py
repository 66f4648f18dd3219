"""The closed contours of a section: one point for each side on which a pixel of the lesion meets one outside it.

All conventions go along the same sides, and differ only in where the point of a side lies:

`contour`
    the middle of the side, smoothed along the contour (`smoothing`);
`pixel_centres`
    the centre of the pixel;
`mid_edges`
    the middle of the side, as in the meshes of marching squares (pyradiomics);
`pixel_edges`
    the corner at which the side begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from response.imaging.grid import Floats
from response.imaging.sides import STEPS, Bools, Ints, Sides
from response.imaging.smoothing import smoothed


@dataclass(frozen=True, eq=False, kw_only=True)
class Contour:
    """The closed contours of one section, or of one part of it, holes included.

    Attributes
    ----------
    points
        Shape `[point, 2]`: mm down the rows and across the columns, from the centre of the first pixel of the crop.
    following
        Shape `[point]`: index of the next point of the same closed contour.
    loops
        Shape `[point]`: smallest index of a point of the same closed contour.
    """

    points: Floats
    following: Ints
    loops: Ints

    def part(self, wanted: Bools) -> "Contour":
        """Return the contours whose points are wanted `[point]`: all points of a closed contour, or none."""
        place = np.cumsum(wanted) - 1
        following, loops = place[self.following[wanted]], place[self.loops[wanted]]
        return Contour(points=self.points[wanted], following=following, loops=loops)

    def ranks(self) -> Ints:
        """Return how many points lie from each point on to the first of its closed contour, `[point]`."""
        own = np.arange(len(self.loops))
        is_first = own == self.loops
        rank, jump = (~is_first).astype(np.intp), np.where(is_first, own, self.following)
        while (jump != self.loops).any():
            rank, jump = rank + rank[jump], jump[jump]
        return np.asarray(rank)

    def area(self) -> Floats:
        """Return each point's share of the enclosed area in mm2, `[point]` (shoelace rule).

        Around a part of a mask the sum is positive, around a hole negative; of outlines it is as they were drawn.
        """
        down, across = self.points.T
        return np.asarray(0.5 * (across * down[self.following] - down * across[self.following]))


def points_of(sides: Sides, convention: str, wanted: Ints) -> Floats:
    """Return the points of the sides that are wanted, `[wanted, 2]`: fractional row and column."""
    if convention == "contour":
        return smoothed(sides, wanted)
    pixel, facing = sides.pixels[wanted], sides.facing[wanted]
    if convention == "mid_edges":
        return np.asarray(pixel + 0.5 * STEPS[facing])
    if convention == "pixel_edges":
        return np.asarray(pixel + 0.5 * (STEPS[facing] + STEPS[(facing + 3) % 4]))
    return pixel


def around_pixels(sides: Sides, spacing_mm: tuple[float, float], convention: str) -> Contour:
    """Return the contours along the sides of a section; the spacing is that of rows, and of columns."""
    points = points_of(sides, convention, np.arange(len(sides.facing))) * spacing_mm
    return Contour(points=points, following=sides.following, loops=sides.loops)


def of_polygons(polygons: Sequence[Floats]) -> Contour:
    """Return closed polygons, each `[vertex, 2]` in mm, as one contour; nothing is smoothed."""
    points = np.concatenate(polygons)
    lengths = np.array([len(polygon) for polygon in polygons])
    ends = np.cumsum(lengths)
    following = np.arange(1, len(points) + 1)
    following[ends - 1] = ends - lengths
    return Contour(points=points, following=following, loops=np.repeat(ends - lengths, lengths))
