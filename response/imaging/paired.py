"""Another image of the same anatomy, at the voxels of a lesion: the series without contrast medium, or a map.

The other image is interpolated between its voxels, linearly along all three axes, at the centres of the voxels of the
lesion. Both must lie in one frame of reference (DICOM PS3.3, C.7.4.1). That says that the table did not move, not that
the patient did not: nothing here makes up for breathing between the two.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.attenuation import PADDING_BELOW_HU
from response.imaging.contrast import is_ct, is_enhanced
from response.imaging.crops import usable
from response.imaging.grid import Floats, Grid
from response.imaging.lesion_mask import LesionMask
from response.imaging.resample import ROUNDING_VOXELS, Slabs
from response.imaging.volume import Volume

SMALLEST_COVER: Final = 0.95  # an image that covers less of a lesion is not used for it: a choice of this program
# Slices farther apart than so many times the usual distance have a gap between them, and nothing is made up in it.
GAP: Final = 1.5

Singles = NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Beside:
    """Another image, at the voxels of one lesion.

    Attributes
    ----------
    values
        Its values, `[slice, row, column]` of the crop of the mask, NaN beside the lesion and where nothing is known;
        None where it covers too little of the lesion.
    notes
        Why it was not used, one sentence each.
    """

    values: Singles | None
    notes: tuple[str, ...] = ()


def why_apart(image: Volume, other: Volume) -> str:
    """Return why two images cannot be compared voxel by voxel, as half a sentence; or nothing."""
    kinds = [volume.acquisition.modality or "of an unknown modality" for volume in (image, other)]
    if kinds[0] != kinds[1]:
        return f"it is {kinds[1]}, and the segmented one {kinds[0]}"
    frames = {volume.frame_of_reference_uid for volume in (image, other)} - {""}
    return "it is of another frame of reference, so that positions cannot be compared" if len(frames) > 1 else ""


def why_not_unenhanced(image: Volume, other: Volume) -> str:
    """Return why a series is not the one without contrast medium beside an image, as half a sentence; or nothing."""
    if is_enhanced(other.acquisition):
        return "its headers say that contrast medium was given"
    if is_enhanced(image.acquisition) is False:
        return "the segmented one is without contrast medium too"
    return why_apart(image, other)


def look_beside(mask: LesionMask, grid: Grid, other: Volume, name: str) -> Beside:
    """Return another image at the voxels of a lesion, where it covers nearly all of them (`SMALLEST_COVER`).

    Parameters
    ----------
    mask
        The lesion, with at least one voxel.
    grid
        Grid of the mask.
    other
        The other image, on whatever grid.
    name
        Of the other image, for the note: "the series without contrast medium".
    """
    values = values_at(mask, grid, other)
    covered = np.count_nonzero(np.isfinite(values)) / np.count_nonzero(mask.voxels)
    if covered < SMALLEST_COVER:
        return Beside(values=None, notes=(f"{name} covers {100 * covered:.0f} % of the lesion and was not used",))
    return Beside(values=values)


def values_at(mask: LesionMask, grid: Grid, other: Volume) -> Singles:
    """Return the values of another image at the voxels of a mask, `[slice, row, column]` of its crop.

    They are NaN beside the mask, outside of the other image, between slices that lie too far apart (`GAP`), and next
    to voxels that hold no number, or padding. The outermost voxels reach to their outer edge.
    """
    from scipy import ndimage

    found = np.full(mask.voxels.shape, np.nan, np.float32)
    indices, inside = _indices(_points(mask, grid), other.grid)
    if not inside.any():
        return found
    low = np.floor(indices[:, inside].min(axis=1)).astype(np.int64).clip(0)
    high = np.ceil(indices[:, inside].max(axis=1)).astype(np.int64) + 1
    crop = other.voxels[tuple(slice(*ends) for ends in zip(low, high, strict=True))]
    padding = PADDING_BELOW_HU if is_ct(other.acquisition) else -np.inf
    known = np.where(usable(crop, padding_below=padding), crop, np.nan).astype(np.float32)
    values = ndimage.map_coordinates(known, indices - low[:, None], order=1, mode="nearest", prefilter=False)
    found[mask.voxels] = np.where(inside, values, np.nan)
    return found


def _points(mask: LesionMask, grid: Grid) -> Floats:
    """Return the centres of the voxels of a mask in patient coordinates, `[voxel, 3]`."""
    slices, rows, columns = (index + first for index, first in zip(np.nonzero(mask.voxels), mask.corner, strict=True))
    down = rows[:, None] * (grid.row_spacing_mm * grid.along_column)
    across = columns[:, None] * (grid.column_spacing_mm * grid.along_row)
    return np.asarray(grid.origins[slices] + down + across, np.float64)


def _indices(points: Floats, grid: Grid) -> tuple[Floats, NDArray[np.bool_]]:
    """Return fractional slice, row and column of points, `[3, voxel]`, and which points lie within the image."""
    depths = grid.depths_mm
    nearest, inside = Slabs(depths, grid.slice_spacing_mm).of(points @ grid.normal)
    numbers = np.arange(len(depths))
    between = np.interp(points @ grid.normal, depths, numbers)
    over_a_gap = np.append(np.diff(depths) > GAP * grid.slice_spacing_mm, False)[between.astype(np.int64)]
    slices = np.where(over_a_gap, nearest, between)
    # Slices may be shifted against each other, as under gantry tilt.
    offset = points - np.stack([np.interp(slices, numbers, axis) for axis in grid.origins.T], axis=1)
    rows, columns = (
        offset @ grid.along_column / grid.row_spacing_mm,
        offset @ grid.along_row / grid.column_spacing_mm,
    )
    for index, size in ((rows, grid.rows), (columns, grid.columns)):
        inside &= (index >= -0.5 - ROUNDING_VOXELS) & (index <= size - 0.5 + ROUNDING_VOXELS)
    limits: Any = np.asarray(grid.shape)[:, None] - 1
    return np.clip(np.stack([slices, rows, columns]), 0, limits), inside
