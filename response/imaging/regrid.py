"""A mask on another grid is brought onto the grid of the image: exactly where it can be, else by nearest neighbour.

Nothing goes by index: voxels are placed by their positions in the patient.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from response.errors import ResponseError
from response.imaging.grid import Floats, Grid
from response.imaging.placed import Bools, Corner, Placed, empty_mask, tight
from response.imaging.resample import ROUNDING_VOXELS, NearestNeighbour

# In voxels. Writers round positions to 0.01 mm, and directions to five digits, which over 512 voxels adds up to less;
# a mask that really belongs to another grid is off by more in some corner.
SAME_PLACE_VOXELS: Final = 0.1
ABSURD_FACTOR: Final = 20.0  # between voxel sizes: no mask is drawn that coarsely or finely, but units get mixed up

Ints = NDArray[np.int64]


class GridMismatchError(ResponseError):
    """Two grids that cannot belong to one patient position.

    Attributes
    ----------
    found, expected
        For an `InputError`.
    """

    def __init__(self, found: str, expected: str) -> None:
        self.found, self.expected = found, expected
        super().__init__(f"{found}; expected {expected}")


class Regridding(Protocol):
    """How masks of one grid come onto another one."""

    @property
    def note(self) -> str:
        """What is done to the voxels, as half a sentence; empty where they coincide."""
        ...

    def place(self, corner: Corner, voxels: Bools) -> Placed:
        """Return a cropped mask of the one grid on the other."""
        ...


def plan_regridding(own: Grid, image: Grid, *, same_slices: bool = False) -> Regridding:
    """Return how masks come from their own grid onto the grid of the image.

    1. Where slices coincide, and rows and columns do too but for their order and direction, voxels are moved.
    2. Otherwise each voxel of the image takes the voxel of the mask in which its centre lies.

    Parameters
    ----------
    own
        Grid of the masks.
    image
        Grid of the image.
    same_slices
        Whether the masks are known to have been drawn on the slices of this image: then slices of the image that lie
        between slices of the mask are empty, and are not filled from their neighbours.

    Raises
    ------
    GridMismatchError
        If the two do not overlap, or their voxel sizes differ absurdly.
    """
    _refuse_absurd(own, image)
    _refuse_apart(own, image)
    direct = _direct(own, image, same_slices)
    if direct is not None:
        return direct
    moved = (
        f"resampled by nearest neighbour: its voxels are {_size(own)} mm, those of the image {_size(image)} mm, and "
        "they do not coincide"
    )
    return NearestNeighbour(own, image, "" if _is_permutation(own, image) else moved)


# --- Refusals.


def _refuse_absurd(own: Grid, image: Grid) -> None:
    # sorted, for axes may be exchanged; a single slice says nothing of its distance to others
    ours, theirs = ([size for size in grid.spacing_mm if size > 0] for grid in (own, image))
    if len(ours) != len(theirs):
        ours, theirs = list(own.spacing_mm[1:]), list(image.spacing_mm[1:])
    if any(max(pair) > ABSURD_FACTOR * min(pair) for pair in zip(sorted(ours), sorted(theirs), strict=True)):
        raise GridMismatchError(
            f"voxels of {_size(own)} mm, on an image with voxels of {_size(image)} mm", "voxels of similar size"
        )


def _refuse_apart(own: Grid, image: Grid) -> None:
    """Raise where a plane at right angles to an axis of either grid parts the two."""
    for grid in (own, image):
        axes = _axes(grid)
        (low, high), (other_low, other_high) = (_extent(each, axes) for each in (own, image))
        if (low > other_high).any() or (other_low > high).any():
            raise GridMismatchError("masks that lie wholly outside the image", "masks of this image")


def _extent(grid: Grid, axes: Floats) -> tuple[Floats, Floats]:
    """Return the smallest and largest position along axes, with half a voxel around the centres."""
    ends = [grid.points(index, [0, 0, grid.rows - 1, grid.rows - 1], [0, grid.columns - 1] * 2) for index in (0, -1)]
    along = np.concatenate(ends) @ axes.T
    thickness, *others = grid.spacing_mm
    half = np.abs(axes @ _axes(grid).T) @ [thickness or min(others), *others] / 2
    return along.min(axis=0) - half, along.max(axis=0) + half


def _axes(grid: Grid) -> Floats:
    return np.stack([grid.normal, grid.along_column, grid.along_row])


def _size(grid: Grid) -> str:
    sizes = (grid.column_spacing_mm, grid.row_spacing_mm, grid.slice_spacing_mm)
    return " x ".join(f"{size:.4g}" if size else "?" for size in sizes)


# --- Voxels that coincide.


@dataclass(frozen=True, eq=False)
class _Moved:
    """Voxels that coincide.

    Attributes
    ----------
    slice_of
        By slice of the mask's grid: the slice of the image, or -1.
    turn
        `[2, 2]`: rows and columns of the image that one row, and one column, of the mask goes.
    starts
        `[slice, 2]`: row and column of the image at which the first voxel of each slice of the mask lies.
    image
        Grid of the image.
    """

    slice_of: Ints
    turn: Ints
    starts: Ints
    image: Grid
    note: str = ""

    def place(self, corner: Corner, voxels: Bools) -> Placed:
        """Return a cropped mask of the one grid on the other."""
        if not voxels.size:
            return empty_mask()
        here = slice(corner[0], corner[0] + len(voxels))
        ends = np.stack([corner[1:], np.asarray(corner[1:]) + voxels.shape[1:] - 1])
        firsts = self.starts[here] + (ends @ self.turn.T).min(axis=0)
        turned = self._turned(voxels)
        slices = self.slice_of[here]
        if not self._is_one_block(slices, firsts, turned.shape):
            return self._slice_by_slice(slices, firsts, turned)
        block = turned if slices[-1] >= slices[0] else turned[::-1]
        return Placed(corner=(int(slices.min()), int(firsts[0, 0]), int(firsts[0, 1])), voxels=block)

    def _turned(self, voxels: Bools) -> Bools:
        if self.turn[0, 0] == 0:
            voxels = voxels.transpose(0, 2, 1)
        rows, columns = (slice(None, None, int(sign)) for sign in self.turn.sum(axis=1))
        return voxels[:, rows, columns]

    def _is_one_block(self, slices: Ints, firsts: Ints, shape: tuple[int, ...]) -> bool:
        steps = np.diff(slices)
        in_order = slices.min() >= 0 and ((steps == 1).all() or (steps == -1).all())
        inside = (firsts >= 0).all() and (firsts + shape[1:] <= [self.image.rows, self.image.columns]).all()
        return bool(in_order and inside and (firsts == firsts[0]).all())

    def _slice_by_slice(self, slices: Ints, firsts: Ints, turned: Bools) -> Placed:
        """Return a mask that leaves the image, or whose slices are not next to each other or lie shifted."""
        size = [self.image.rows, self.image.columns]
        low = np.clip(firsts, 0, size).min(axis=0)
        high = np.clip(firsts + turned.shape[1:], 0, size).max(axis=0)
        on_image = np.flatnonzero(slices >= 0)
        if not len(on_image):
            return empty_mask(int(turned.sum()))
        first = int(slices[on_image].min())
        block = np.zeros((int(slices.max()) - first + 1, *(high - low)), np.bool_)
        outside = int(turned.sum())
        for index in on_image:
            begin = np.maximum(low - firsts[index], 0)
            at = firsts[index] + begin - low
            part = turned[index, begin[0] :, begin[1] :][
                : max(0, high[0] - low[0] - at[0]), : max(0, high[1] - low[1] - at[1])
            ]
            block[slices[index] - first, at[0] : at[0] + part.shape[0], at[1] : at[1] + part.shape[1]] |= part
            outside -= int(part.sum())
        return tight(Placed(corner=(first, int(low[0]), int(low[1])), voxels=block, outside=outside))


def _direct(own: Grid, image: Grid, same_slices: bool) -> _Moved | None:
    """Return how voxels are moved, or None where they do not coincide."""
    steps = np.stack([own.along_column * own.row_spacing_mm, own.along_row * own.column_spacing_mm], axis=1)
    sizes = np.asarray([image.row_spacing_mm, image.column_spacing_mm])
    turn = np.stack([image.along_column, image.along_row]) @ steps / sizes[:, None]
    whole, far = np.rint(turn), np.asarray([own.rows - 1, own.columns - 1])
    unit = image.slice_spacing_mm or own.slice_spacing_mm or 1.0
    if not _is_signed_permutation(whole) or np.abs(image.normal @ steps) @ far / unit > SAME_PLACE_VOXELS:
        return None
    slice_of = _matching_slices(own, image, unit, same_slices)
    if slice_of is None:
        return None
    pairs = zip(own.origins, slice_of, strict=True)
    starts = np.stack([image.in_plane(origin, max(0, int(index))) for origin, index in pairs])
    drift = np.abs(starts - np.rint(starts)) + np.abs(turn - whole) @ far
    if drift[slice_of >= 0].max() > SAME_PLACE_VOXELS:
        return None
    return _Moved(slice_of, whole.astype(np.int64), np.rint(starts).astype(np.int64), image)


def _is_signed_permutation(whole: Floats) -> bool:
    return bool((np.abs(whole).sum(axis=0) == 1).all() and (np.abs(whole).sum(axis=1) == 1).all())


def _matching_slices(own: Grid, image: Grid, unit: float, same_slices: bool) -> Ints | None:
    """Return the slice of the image at each slice of the mask, or -1; None where they are not the same slices."""
    ours, theirs = own.origins @ image.normal, image.depths_mm
    middles = (theirs[1:] + theirs[:-1]) / 2
    nearest = np.searchsorted(middles, ours)
    distances = np.abs(theirs[nearest] - ours)
    matched = distances <= SAME_PLACE_VOXELS * unit
    within_a_slice = distances <= unit * (0.5 + ROUNDING_VOXELS)  # else it lies beyond the image, or in a gap of it
    if not matched.any() or (within_a_slice & ~matched).any():
        return None
    between = np.flatnonzero((theirs > ours.min()) & (theirs < ours.max()))
    if not same_slices and len(np.setdiff1d(between, nearest[matched])):
        return None
    return np.where(matched, nearest, -1)


def _is_permutation(own: Grid, image: Grid) -> bool:
    """Return whether the voxels of even grids coincide but for the order of all three axes."""
    if not (_is_even(own) and _is_even(image)):
        return False
    steps = _steps(image)
    turn = np.linalg.solve(steps, _steps(own))
    start = np.linalg.solve(steps, own.origins[0] - image.origins[0])
    drift = np.abs(start - np.rint(start)) + np.abs(turn - np.rint(turn)) @ (np.asarray(own.shape) - 1)
    return _is_signed_permutation(np.rint(turn)) and bool(drift.max() <= SAME_PLACE_VOXELS)


def _steps(grid: Grid) -> Floats:
    """Return the vectors to the next slice, row and column, one per column."""
    rows, columns = grid.along_column * grid.row_spacing_mm, grid.along_row * grid.column_spacing_mm
    return np.stack([grid.origins[1] - grid.origins[0], rows, columns], axis=1)


def _is_even(grid: Grid) -> bool:
    if len(grid.origins) < 2:
        return False
    steps = np.diff(grid.origins, axis=0)
    return bool(np.abs(steps - steps[0]).max() <= SAME_PLACE_VOXELS * grid.slice_spacing_mm)
