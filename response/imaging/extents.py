"""How large a lesion is in space: volume, separate parts, and extents along the axes of the patient."""

from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np

from response.imaging.grid import Floats, Grid
from response.imaging.lesion_mask import LesionMask
from response.imaging.runs import Runs, count_components, runs_of

IN_PLANE: Final = 1e-3  # sine of the angle below which an axis lies in the plane of the slices: 0.06 degrees


@dataclass(frozen=True, kw_only=True)
class Extents:
    """Size of one lesion.

    Attributes
    ----------
    voxels
        Number of voxels.
    volume_mm3
        Volume; None where the thickness of the only slice is not known.
    components
        Number of separate parts; voxels that share a face, an edge or a corner belong together.
    left_right_mm, front_back_mm, head_foot_mm
        Extent along the axes of the patient, from outer edge to outer edge of the voxels; None where it depends on an
        unknown thickness.
    """

    voxels: int
    volume_mm3: float | None
    components: int
    left_right_mm: float | None
    front_back_mm: float | None
    head_foot_mm: float | None

    @property
    def ellipsoid_volume_mm3(self) -> float | None:
        """Volume of the ellipsoid with these three extents, pi / 6 times their product (sarcoma, ESSR 2024)."""
        if self.left_right_mm is None or self.front_back_mm is None or self.head_foot_mm is None:
            return None
        return pi / 6 * self.left_right_mm * self.front_back_mm * self.head_foot_mm


def measure_extents(mask: LesionMask, grid: Grid, *, slice_thickness_mm: float = 0.0) -> Extents:
    """Measure the size of a lesion.

    Parameters
    ----------
    mask
        The lesion.
    grid
        Grid of the mask.
    slice_thickness_mm
        Nominal thickness, used only where the grid has a single slice and so no distance of slices; 0: not known.
    """
    runs = runs_of(mask.voxels)
    if not len(runs.rows):
        return Extents(
            voxels=0, volume_mm3=0.0, components=0, left_right_mm=0.0, front_back_mm=0.0, head_foot_mm=0.0
        )  # fmt: skip
    below, above = _halves_mm(grid, slice_thickness_mm)
    within = slice(mask.corner[0], mask.corner[0] + mask.voxels.shape[0])
    per_slice = np.bincount(runs.slices, weights=runs.lengths, minlength=mask.voxels.shape[0])
    volume = float(per_slice @ (below + above)[within]) * grid.row_spacing_mm * grid.column_spacing_mm
    known = len(grid.origins) > 1 or slice_thickness_mm > 0
    extents = _extents_mm(runs, mask, grid, below, above)
    told = [
        extent if known or abs(normal) < IN_PLANE else None for extent, normal in zip(extents, grid.normal, strict=True)
    ]
    return Extents(
        voxels=int(runs.lengths.sum()),
        volume_mm3=volume if known else None,
        components=count_components(runs),
        left_right_mm=told[0],
        front_back_mm=told[1],
        head_foot_mm=told[2],
    )


def thicknesses_mm(grid: Grid, slice_thickness_mm: float = 0.0) -> Floats:
    """Return how much of the patient each slice stands for, `[slice]`: half the gap to each of its neighbours.

    The first and the last slice reach as far outwards as inwards. A single slice has its nominal thickness, 0 where
    that is not known.
    """
    below, above = _halves_mm(grid, slice_thickness_mm)
    return below + above


def _halves_mm(grid: Grid, slice_thickness_mm: float) -> tuple[Floats, Floats]:
    halves = np.abs(np.diff(grid.depths_mm)) / 2
    if not len(halves):
        halves = np.asarray([max(slice_thickness_mm, 0.0) / 2])
        return halves, halves
    return np.concatenate([halves[:1], halves]), np.concatenate([halves, halves[-1:]])


def _extents_mm(runs: Runs, mask: LesionMask, grid: Grid, below: Floats, above: Floats) -> list[float]:
    """Return the extents `[axis]` of the boxes that are the voxels; only ends of runs can lie outermost."""
    slices, rows = runs.slices + mask.corner[0], runs.rows + mask.corner[1]
    ends = [columns + mask.corner[2] for columns in (runs.first, runs.last)]
    down, across = grid.row_spacing_mm * grid.along_column, grid.column_spacing_mm * grid.along_row
    extents = []
    for axis, normal in enumerate(grid.normal):
        base = grid.origins[slices, axis] + rows * down[axis]
        low, high = (base + columns * across[axis] for columns in (ends if across[axis] >= 0 else ends[::-1]))
        outwards, inwards = (above, below) if normal >= 0 else (below, above)
        high += abs(normal) * outwards[slices]
        low -= abs(normal) * inwards[slices]
        extents.append(float(high.max() - low.min() + abs(down[axis]) + abs(across[axis])))
    return extents
