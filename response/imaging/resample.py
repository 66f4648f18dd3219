"""A mask on another grid, by nearest neighbour: each voxel of the image takes the one in which its centre lies."""

from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats, Grid
from response.imaging.placed import Bools, Corner, Placed, empty_mask, tight

ROUNDING_VOXELS: Final = 1e-6  # positions are rounded; what is half-way but for this is half-way

Ints = NDArray[np.int64]


class NearestNeighbour:
    """How masks of one grid come onto another one, voxel by voxel.

    A centre half-way between two voxels takes the one of the larger index, so that even volumes are kept.

    Parameters
    ----------
    own, image
        Grid of the masks, and of the image.
    note
        What is said about it.
    """

    def __init__(self, own: Grid, image: Grid, note: str) -> None:
        self._own, self._image, self.note = own, image, note
        self._own_slabs = Slabs(own.depths_mm, own.slice_spacing_mm or image.slice_spacing_mm)
        self._image_slabs = Slabs(image.depths_mm, image.slice_spacing_mm or own.slice_spacing_mm)

    def place(self, corner: Corner, voxels: Bools) -> Placed:
        """Return a cropped mask of the one grid on the other."""
        if not voxels.size:
            return empty_mask()
        corners = self._corners(corner, voxels.shape)
        outside = 0 if self._is_inside(corners).all() else self._outside(corner, voxels)
        slices, low, high = self._box(corners)
        if not len(slices):
            return empty_mask(outside)
        block = np.zeros((slices[-1] - slices[0] + 1, *(high - low)), np.bool_)
        rows, columns = np.arange(low[0], high[0]), np.arange(low[1], high[1])
        for index in slices:
            block[index - slices[0]] = self._sampled(index, rows, columns, corner, voxels)
        start = (int(slices[0]), int(low[0]), int(low[1]))
        return tight(Placed(corner=start, voxels=block, outside=outside))

    def _corners(self, corner: Corner, shape: tuple[int, ...]) -> Floats:
        """Return the corners of the slices of a crop, `[point, 3]`."""
        own = self._own
        rows, columns = ((corner[axis] - 0.5, corner[axis] + shape[axis] - 0.5) for axis in (1, 2))
        ends = np.asarray(list(product(rows, columns)))
        slices = range(corner[0], corner[0] + shape[0])
        middles = np.stack([own.points(index, ends[:, 0], ends[:, 1]) for index in slices])
        reach = self._own_slabs.reach[corner[0] : corner[0] + shape[0], :, None, None] * own.normal
        return np.concatenate([middles - reach[:, 0], middles + reach[:, 1]]).reshape(-1, 3)

    def _box(self, corners: Floats) -> tuple[Ints, Ints, Ints]:
        """Return the slices of the image between corners; its first row and column there, and those behind the last."""
        image = self._image
        along = corners @ image.normal
        slices = np.flatnonzero((image.depths_mm >= along.min()) & (image.depths_mm <= along.max()))
        size = [image.rows, image.columns]
        low, high = np.asarray(size), np.zeros(2, np.int64)
        for index in slices:
            places = image.in_plane(corners, int(index))
            low = np.minimum(low, np.clip(np.floor(places.min(axis=0)), 0, size).astype(np.int64))
            high = np.maximum(high, np.clip(np.ceil(places.max(axis=0)) + 1, 0, size).astype(np.int64))
        return (slices if (high > low).all() else slices[:0]), low, high

    def _sampled(self, index: int, rows: Any, columns: Any, corner: Corner, voxels: Bools) -> Bools:
        own = self._own
        points = self._image.points(index, rows[:, None], columns[None, :])
        at, is_inside = self._own_slabs.of(points @ own.normal)
        offset = points - own.origins[at]
        down = offset @ own.along_column / own.row_spacing_mm
        across = offset @ own.along_row / own.column_spacing_mm
        half = 0.5 + ROUNDING_VOXELS
        place = [at, np.floor(down + half).astype(np.int64), np.floor(across + half).astype(np.int64)]
        for axis, size in enumerate(voxels.shape):
            place[axis] -= corner[axis]
            is_inside &= (place[axis] >= 0) & (place[axis] < size)
        return np.asarray(voxels[tuple(np.where(is_inside, each, 0) for each in place)] & is_inside)

    def _outside(self, corner: Corner, voxels: Bools) -> int:
        """Return how many voxels of the mask lie where the image is not."""
        count = 0
        for offset, plane in enumerate(voxels):
            rows, columns = np.nonzero(plane)
            points = self._own.points(corner[0] + offset, rows + corner[1], columns + corner[2])
            count += int(np.count_nonzero(~self._is_inside(points)))
        return count

    def _is_inside(self, points: Floats) -> Bools:
        image = self._image
        at, is_inside = self._image_slabs.of(points @ image.normal)
        offset = points - image.origins[at]
        for axis, spacing, size in (
            (image.along_column, image.row_spacing_mm, image.rows),
            (image.along_row, image.column_spacing_mm, image.columns),
        ):
            place = offset @ axis / spacing
            is_inside &= (place >= -0.5 - ROUNDING_VOXELS) & (place <= size - 0.5 + ROUNDING_VOXELS)
        return is_inside


class Slabs:
    """Slices as slabs along their normal: to half of the distance to their neighbours, but over no gap.

    Parameters
    ----------
    depths_mm
        Positions of the slices along the normal, ascending.
    usual_mm
        Usual distance of the slices; 0 where it is not known.

    Attributes
    ----------
    reach
        `[slice, 2]`: how far each slice reaches down and up, in mm.
    """

    def __init__(self, depths_mm: Floats, usual_mm: float) -> None:
        self._depths = depths_mm
        usual = usual_mm or 1.0
        halves = np.minimum(np.diff(self._depths), usual) / 2
        self.reach = np.stack([np.append(usual / 2, halves), np.append(halves, usual / 2)], axis=1)
        self._rounding = ROUNDING_VOXELS * usual

    def of(self, depths: Floats) -> tuple[Ints, Bools]:
        """Return the nearest slices, and whether they reach there."""
        middles = (self._depths[1:] + self._depths[:-1]) / 2
        at = np.searchsorted(middles, depths + self._rounding, side="right")
        offset = depths - self._depths[at]
        below, above = self.reach[at, 0], self.reach[at, 1]
        return at, (offset >= -below - self._rounding) & (offset < above - self._rounding)
