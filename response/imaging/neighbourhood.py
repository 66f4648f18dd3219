"""A lesion and what lies around it, on an even grid of about 1 mm; only the crop of the image that is needed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.attenuation import PADDING_BELOW_HU
from response.imaging.crops import place_of, usable
from response.imaging.grid import Floats, Grid
from response.imaging.lesion_mask import LesionMask
from response.imaging.volume import Volume

STEP_MM: Final = 1.0  # criteria page, 3.4, step 1
MOST_STEPS: Final = 80  # along a lesion; the grid of a larger one is coarser, so that time and memory stay small
SMOOTHING_STEPS: Final = 0.7  # of the mask, against its stairs within a slice ...
SMOOTHING_SLICES: Final = 0.35  # ... and, in distances of slices, against those between slices

Singles = NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Neighbourhood:
    """Arrays `[z, y, x]` on a grid along the normal, the columns and the rows of the image.

    Attributes
    ----------
    sampler
        The image between its voxels.
    origin_mm
        Position of the first point along these three axes.
    step_mm
        Distance of the points.
    image
        The image, NaN where it is not known.
    depth_mm
        Distance to the border of the lesion, positive within.
    lesions_away_mm
        Distance to the nearest lesion, this one or another; 0 within.
    other
        Whether a point lies in another lesion.
    liver
        Whether it lies in the liver; None where there is no mask of it.
    """

    sampler: "Sampler"
    origin_mm: Floats
    step_mm: float
    image: Singles
    depth_mm: Singles
    lesions_away_mm: Singles
    other: NDArray[np.bool_]
    liver: NDArray[np.bool_] | None

    def at(self, array: NDArray[Any], places: Floats) -> NDArray[Any]:
        """Return the values of an array at the nearest points of places `[..., 3]`; those outside get the border's."""
        index = np.rint((places - self.origin_mm) / self.step_mm).astype(np.int64)
        index = np.clip(index, 0, np.asarray(array.shape) - 1)
        return np.asarray(array[index[..., 0], index[..., 1], index[..., 2]])


@dataclass(frozen=True, eq=False, kw_only=True)
class Sampler:
    """A crop of an image, to be asked for values between its voxels.

    Attributes
    ----------
    grid
        Grid of the whole image.
    corner
        Slice, row and column of the first voxel of the crop.
    voxels
        The crop, float32, NaN where nothing is known.
    """

    grid: Grid
    corner: tuple[int, int, int]
    voxels: Singles

    def at(self, places: Sequence[Any]) -> Singles:
        """Return the image at places along normal, columns and rows, in mm, by trilinear interpolation.

        The places are three arrays that broadcast against each other; outside the crop the value is NaN.
        """
        return _interpolated(self.voxels, self.indices(places), np.nan)

    def indices(self, places: Sequence[Any]) -> Floats:
        """Return fractional slice, row and column indices within the crop, `[3, ...]`."""
        grid, depths = self.grid, self.grid.depths_mm
        slices = np.interp(places[0], depths, np.arange(len(depths)), left=-1.0, right=float(len(depths)))
        # Slices may be shifted against each other, as under gantry tilt.
        row_start = np.interp(places[0], depths, grid.origins @ grid.along_column)
        column_start = np.interp(places[0], depths, grid.origins @ grid.along_row)
        rows, columns = (
            (places[1] - row_start) / grid.row_spacing_mm,
            (places[2] - column_start) / grid.column_spacing_mm,
        )
        return np.stack(
            np.broadcast_arrays(*(i - c for i, c in zip((slices, rows, columns), self.corner, strict=True)))
        )


def look_around(
    mask: LesionMask, volume: Volume, liver: LesionMask | None, others: Sequence[LesionMask], margin_mm: float
) -> Neighbourhood:
    """Return a lesion with a margin around it.

    Parameters
    ----------
    mask
        The lesion, with at least one voxel.
    volume
        The image.
    liver
        Mask of the liver, where there is one; it may hold the lesions or spare them.
    others
        The other lesions.
    margin_mm
        How far to look.
    """
    mask = _trimmed(mask)
    low, high = _box_mm(mask, volume.grid)
    step = max(STEP_MM, float((high - low).max()) / MOST_STEPS)
    origin = low - margin_mm
    axes = [first + step * np.arange(int(np.ceil((last + margin_mm - first) / step)) + 1)
            for first, last in zip(origin, high, strict=True)]  # fmt: skip
    places = np.meshgrid(*axes, indexing="ij", sparse=True)
    sampler = _sampler(volume, places)
    indices = sampler.indices(places)
    own = _placed([mask], sampler)
    depth = _depth_mm(_interpolated(own.astype(np.float32), indices, 0.0), volume.grid, step)
    other = _nearest(_placed(others, sampler) & ~own, indices)  # the lesion itself may be among them
    return Neighbourhood(
        sampler=sampler,
        origin_mm=origin,
        step_mm=step,
        image=_interpolated(sampler.voxels, indices, np.nan),
        depth_mm=depth,
        lesions_away_mm=np.minimum(np.maximum(-depth, 0), _away_mm(other, step)),
        other=other,
        liver=None if liver is None else _nearest(_placed([liver], sampler), indices),
    )


def _trimmed(mask: LesionMask) -> LesionMask:
    """Return a mask without empty margins, which would only cost time."""
    bounds = []
    for axis in range(3):
        (filled,) = np.nonzero(mask.voxels.any(axis=tuple({0, 1, 2} - {axis})))
        bounds.append(slice(int(filled[0]), int(filled[-1]) + 1))
    corner = (
        mask.corner[0] + bounds[0].start,
        mask.corner[1] + bounds[1].start,
        mask.corner[2] + bounds[2].start,
    )
    return replace(mask, corner=corner, voxels=mask.voxels[tuple(bounds)])


def _box_mm(mask: LesionMask, grid: Grid) -> tuple[Floats, Floats]:
    """Return the lowest and highest position of the crop of a mask along normal, columns and rows."""
    slices, rows, columns = (np.asarray([part.start, part.stop - 1]) for part in place_of(mask))
    within = slice(slices[0], slices[1] + 1)
    down = (grid.origins[within] @ grid.along_column)[:, None] + rows * grid.row_spacing_mm
    across = (grid.origins[within] @ grid.along_row)[:, None] + columns * grid.column_spacing_mm
    axes = (grid.depths_mm[within], down, across)
    return np.asarray([axis.min() for axis in axes]), np.asarray([axis.max() for axis in axes])


def _sampler(volume: Volume, places: Sequence[Any]) -> Sampler:
    whole = Sampler(grid=volume.grid, corner=(0, 0, 0), voxels=np.zeros((0, 0, 0), np.float32))
    corners = np.meshgrid(*(np.asarray([axis.min(), axis.max()]) for axis in places), indexing="ij")
    reach = whole.indices(corners).reshape(3, -1)
    size = np.asarray(volume.voxels.shape)
    low = np.clip(np.floor(reach.min(axis=1)).astype(np.int64) - 1, 0, size - 1)
    high = np.clip(np.ceil(reach.max(axis=1)).astype(np.int64) + 2, low + 1, size)
    crop = volume.voxels[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    values = np.where(usable(crop, padding_below=PADDING_BELOW_HU), crop, np.nan).astype(np.float32)
    return Sampler(grid=volume.grid, corner=(int(low[0]), int(low[1]), int(low[2])), voxels=values)


def _placed(masks: Sequence[LesionMask], sampler: Sampler) -> NDArray[np.bool_]:
    """Return the union of masks on the crop of a sampler; what lies outside the crop is lost."""
    placed = np.zeros(sampler.voxels.shape, np.bool_)
    for mask in masks:
        first = np.asarray(mask.corner) - sampler.corner
        low, high = np.maximum(first, 0), np.minimum(first + mask.voxels.shape, placed.shape)
        if (low < high).all():
            part = mask.voxels[tuple(slice(a - f, b - f) for a, b, f in zip(low, high, first, strict=True))]
            placed[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] |= part
    return placed


def _nearest(voxels: NDArray[np.bool_], indices: Floats) -> NDArray[np.bool_]:
    """Return the nearest voxels; outside of them nothing is set."""
    if not voxels.any():
        return np.zeros(indices.shape[1:], np.bool_)
    framed = np.pad(voxels, 1)
    slices, rows, columns = (
        np.clip(np.rint(index).astype(np.int64) + 1, 0, size - 1)
        for index, size in zip(indices, framed.shape, strict=True)
    )
    return np.asarray(framed[slices, rows, columns])


def _depth_mm(part: Singles, grid: Grid, step: float) -> Singles:
    """Return the distance to the border of a mask given as 0 to 1, positive within; the border lies between points."""
    from scipy import ndimage

    across = SMOOTHING_STEPS
    along = max(across, SMOOTHING_SLICES * grid.slice_spacing_mm / step)
    inside = ndimage.gaussian_filter(part, (along, across, across)) >= 0.5
    if not inside.any():
        inside = part >= 0.5
    depth = 0.5 - ndimage.distance_transform_edt(~inside)
    for box in ndimage.find_objects(inside.astype(np.uint8)):
        part = np.pad(inside[box], 1)  # a lesion at the end of the grid ends there
        within = ndimage.distance_transform_edt(part)[1:-1, 1:-1, 1:-1] - 0.5
        depth[box] = np.where(inside[box], within, depth[box])
    return np.asarray(depth * step, np.float32)


def _away_mm(voxels: NDArray[np.bool_], step: float) -> Any:
    from scipy import ndimage

    return ndimage.distance_transform_edt(~voxels) * step if voxels.any() else np.inf


def _interpolated(voxels: Singles, indices: Floats, outside: float) -> Singles:
    from scipy import ndimage

    return np.asarray(
        ndimage.map_coordinates(voxels, indices, order=1, mode="constant", cval=outside, prefilter=False), np.float32
    )
