"""What the tests of diameters share: masks drawn as text, grids, and measurements by brute force."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from response.imaging.diameters import Diameters, measure_diameters
from response.imaging.grid import Floats, Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.options import MeasureOptions

AXIAL = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))  # slices, rows, columns
ORIGIN = (-10.0, 20.0, 30.0)
CORNER = (2, 3, 5)  # of crops in their image
Bools = NDArray[np.bool_]


def drawn(*slices: str) -> Bools:
    """Return a mask `[slice, row, column]` from rows of `#` and `.`."""
    return np.array([[[letter == "#" for letter in row] for row in text.split()] for text in slices])


def grid_for(voxels: Bools, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Grid:
    """Return a grid in which the crop lies at CORNER, with room around it."""
    shape = tuple(2 * corner + size for corner, size in zip(CORNER, voxels.shape, strict=True))
    assert len(shape) == 3
    return Grid.of_axes(origin=ORIGIN, directions=AXIAL, spacing_mm=spacing_mm, shape=shape)


def mask_of(voxels: Bools, outlines: dict[int, Sequence[Floats]] | None = None) -> LesionMask:
    return LesionMask(name=StructureName(), corner=CORNER, voxels=voxels, outlines=outlines or {})


def measured(
    voxels: Bools,
    convention: str = "contour",
    *,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    inside: bool = False,
) -> Diameters:
    options = MeasureOptions(diameter_convention=convention, chords_inside=inside)
    found = measure_diameters(mask_of(voxels), grid_for(voxels, spacing_mm), options)
    assert found is not None
    return found


def in_pixels(ends: Floats, found: Diameters, spacing_mm: tuple[float, float, float]) -> Floats:
    """Return row and column in the crop, `[2, 2]`, of ends in patient coordinates on an axial grid."""
    offset = ends - ORIGIN
    assert np.allclose(offset[:, 2], found.slice_index * spacing_mm[0])
    return np.stack([offset[:, 1] / spacing_mm[1] - CORNER[1], offset[:, 0] / spacing_mm[2] - CORNER[2]], axis=1)


def longest_of_all(points: Floats) -> float:
    """Return the longest distance of all pairs of points."""
    return float(np.sqrt(((points[:, None] - points) ** 2).sum(axis=-1)).max())


def met(points: Floats, following: NDArray[np.intp], axis: Floats) -> tuple[Floats, list[list[float]]]:
    """Return where along an axis each point lies, and for each the heights at which its line meets any side."""
    forth = (axis[1] - axis[0]) / np.hypot(*(axis[1] - axis[0]))
    along, height = points @ forth, points @ np.array([-forth[1], forth[0]])
    found = []
    for place in along:
        heights = []
        for one, other in enumerate(following):
            low, high = min(along[one], along[other]), max(along[one], along[other])
            if low - 1e-9 <= place <= high + 1e-9:
                if high - low < 1e-9:
                    heights += [height[one], height[other]]
                else:
                    part = (place - along[one]) / (along[other] - along[one])
                    heights.append(height[one] + part * (height[other] - height[one]))
        found.append(heights)
    return along, found


def longest_across(points: Floats, following: NDArray[np.intp], axis: Floats) -> float:
    """Return the longest chord at a right angle to an axis, by a scan over the lines through all points."""
    return max(max(heights) - min(heights) for heights in met(points, following, axis)[1])
