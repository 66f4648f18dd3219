"""Masks brought from one grid to another, against affine geometry, brute force and SimpleITK."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from response.imaging.grid import Floats, Grid
from response.imaging.regrid import GridMismatchError, plan_regridding
from tests.dicom_factory import axial_grid, oblique_grid

Bools = NDArray[np.bool_]
SHAPE = (5, 16, 12)


def blob(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> Bools:
    """Return random voxels, some on every side."""
    return np.random.default_rng(seed).random(shape) < 0.4


def moved(own: Grid, image: Grid, mask: Bools, *, same_slices: bool = False) -> tuple[Bools, int, str]:
    """Return a mask on the grid of the image, how many voxels are outside, and what is said."""
    plan = plan_regridding(own, image, same_slices=same_slices)
    where = np.argwhere(mask)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    crop = mask[tuple(slice(*pair) for pair in zip(low, high, strict=True))]
    placed = plan.place((int(low[0]), int(low[1]), int(low[2])), crop)
    whole = np.zeros(image.shape, np.bool_)
    whole[tuple(slice(c, c + n) for c, n in zip(placed.corner, placed.voxels.shape, strict=True))] = placed.voxels
    return whole, placed.outside, plan.note


def affine(grid: Grid) -> Floats:
    """Return the matrix from slice, row and column index to patient coordinates, of an even grid."""
    step = grid.origins[1] - grid.origins[0] if len(grid.origins) > 1 else grid.normal
    matrix = np.eye(4)
    matrix[:3, 0] = step
    matrix[:3, 1] = grid.along_column * grid.row_spacing_mm
    matrix[:3, 2] = grid.along_row * grid.column_spacing_mm
    matrix[:3, 3] = grid.origins[0]
    return matrix


def by_affine(own: Grid, image: Grid, mask: Bools) -> Bools:
    """Return where the voxels of a mask stand in an image whose voxels coincide."""
    places = np.argwhere(mask)
    there = (np.linalg.inv(affine(image)) @ affine(own) @ np.c_[places, np.ones(len(places))].T)[:3].T
    index = np.rint(there).astype(int)
    assert np.abs(there - index).max() < 1e-6
    whole = np.zeros(image.shape, np.bool_)
    inside = ((index >= 0) & (index < image.shape)).all(axis=1)
    whole[tuple(index[inside].T)] = True
    return whole


def turned(grid: Grid, order: tuple[int, int, int], signs: tuple[int, int, int]) -> Grid:
    """Return an even grid with the same voxels, whose axes (slice, row, column) stand in another order or direction."""
    matrix, shape = affine(grid), np.asarray(grid.shape)
    axes = [matrix[:3, axis] * sign for axis, sign in zip(order, signs, strict=True)]
    start = matrix[:3, 3] + sum(
        matrix[:3, axis] * (shape[axis] - 1) for axis, sign in zip(order, signs, strict=True) if sign < 0
    )
    spacing = [float(np.linalg.norm(axis)) for axis in axes]
    directions = np.stack([axis / size for axis, size in zip(axes, spacing, strict=True)])
    if np.cross(directions[2], directions[1]) @ directions[0] < 0:  # slices ascend along the normal
        start = start + axes[0] * (shape[order[0]] - 1)
        directions[0] = -directions[0]
    sizes = (int(shape[order[0]]), int(shape[order[1]]), int(shape[order[2]]))
    return Grid.of_axes(origin=start, directions=directions, spacing_mm=spacing, shape=sizes)


ORDERS = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
SIGNS = [(s, r, c) for s in (1, -1) for r in (1, -1) for c in (1, -1)]


@pytest.mark.parametrize("make", [axial_grid, oblique_grid])
@pytest.mark.parametrize("order", ORDERS)
def test_axes_in_any_order_and_direction_are_exact(make: Callable[[], Grid], order: tuple[int, int, int]) -> None:
    image = make()
    for seed, signs in enumerate(SIGNS):
        own = turned(image, order, signs)
        mask = blob(own.shape, seed)
        there, outside, note = moved(own, image, mask)
        assert (there == by_affine(own, image, mask)).all()
        assert there.sum() == mask.sum()
        assert (outside, note) == (0, "")


def test_two_slices_in_another_order_are_exact() -> None:
    image = oblique_grid((2, 7, 6))
    own = turned(image, (1, 2, 0), (1, -1, 1))
    mask = blob(own.shape)
    there, _, note = moved(own, image, mask)
    assert (there == by_affine(own, image, mask)).all()
    assert note == ""


def part(grid: Grid, start: tuple[int, int, int], shape: tuple[int, int, int]) -> Grid:
    """Return a grid of the same voxels that starts elsewhere and has another size; it may reach beyond."""
    matrix = affine(grid)
    origin = matrix[:3, :3] @ start + matrix[:3, 3]
    directions = [grid.normal, grid.along_column, grid.along_row]
    return Grid.of_axes(origin=origin, directions=directions, spacing_mm=grid.spacing_mm, shape=shape)


PARTS = [
    # what                              start        shape
    ("cropped", (1, 3, 2), (3, 8, 6)),
    ("one slice of it", (2, 0, 0), (1, 16, 12)),
    ("larger on all sides", (-2, -3, -4), (9, 22, 20)),
    ("beyond the first slices", (-3, 0, 0), (5, 16, 12)),
    ("beyond rows and columns", (0, 10, 7), (5, 16, 12)),
    ("before rows and columns", (0, -5, -6), (5, 16, 12)),
]


@pytest.mark.parametrize(("start", "shape"), [case[1:] for case in PARTS], ids=[case[0] for case in PARTS])
def test_part_of_the_image_and_beyond(start: tuple[int, int, int], shape: tuple[int, int, int]) -> None:
    for image in (axial_grid(), oblique_grid()):
        own = part(image, start, shape)
        mask = blob(shape)
        there, outside, note = moved(own, image, mask)
        expected = by_affine(own, image, mask)
        assert (there == expected).all()
        assert outside == mask.sum() - expected.sum()
        assert note == ""


def test_a_mask_beside_the_image_on_the_same_grid_is_all_outside() -> None:
    image = axial_grid()
    own = part(image, (0, 0, 0), (5, 16, 30))
    mask = np.zeros(own.shape, np.bool_)
    mask[1:3, 4:6, 20:25] = True
    there, outside, _ = moved(own, image, mask)
    assert not there.any()
    assert outside == 20


def tilted(grid: Grid, shear_mm: float = 1.3) -> Grid:
    """Return a grid whose slices are shifted against each other, as under gantry tilt."""
    shift = np.arange(len(grid.origins))[:, None] * shear_mm * grid.along_column
    return Grid(**{**vars(grid), "origins": grid.origins + shift})


def uneven(grid: Grid) -> Grid:
    depths = np.asarray([0, 2.0, 5.0, 6.5, 12.0])[:, None]
    return Grid(**{**vars(grid), "origins": grid.origins[0] + depths * grid.normal})


@pytest.mark.parametrize("change", [tilted, uneven])
def test_the_same_odd_grid_is_the_same(change: Callable[[Grid], Grid]) -> None:
    image = change(oblique_grid())
    mask = blob()
    there, outside, note = moved(image, image, mask)
    assert (there == mask).all()
    assert (outside, note) == (0, "")


def test_slices_in_gaps_of_the_image_are_outside() -> None:
    own = axial_grid()
    image = Grid(**{**vars(own), "origins": own.origins[[0, 1, 3, 4]]})
    mask = blob()
    there, outside, _ = moved(own, image, mask, same_slices=True)
    assert (there == mask[[0, 1, 3, 4]]).all()
    assert outside == mask[2].sum()


def test_half_a_pixel_of_shift_is_told() -> None:
    image = axial_grid()
    shift = image.along_row * image.column_spacing_mm
    for share, told in ((0.05, False), (0.4, True)):
        own = Grid(**{**vars(image), "origins": image.origins + share * shift})
        mask = blob()
        there, _, note = moved(own, image, mask)
        assert (there == mask).all()
        assert bool(note) == told
        assert ("resampled" in note) == told


# --- Refused.


def far_away(grid: Grid) -> Grid:
    return Grid(**{**vars(grid), "origins": grid.origins + 500 * grid.along_row})


def in_metres(grid: Grid) -> Grid:
    return Grid(
        **{
            **vars(grid),
            "origins": grid.origins / 1000,
            "row_spacing_mm": grid.row_spacing_mm / 1000,
            "column_spacing_mm": grid.column_spacing_mm / 1000,
        }
    )


def above(grid: Grid) -> Grid:
    return Grid(**{**vars(grid), "origins": grid.origins + 100 * grid.normal})


@pytest.mark.parametrize(("change", "found"), [(far_away, "outside"), (above, "outside"), (in_metres, "voxels of")])
def test_grids_that_cannot_belong_together(change: Callable[[Grid], Grid], found: str) -> None:
    for image in (axial_grid(), oblique_grid()):
        with pytest.raises(GridMismatchError, match=found):
            plan_regridding(change(image), image)
        with pytest.raises(GridMismatchError, match=found):
            plan_regridding(image, change(image), same_slices=True)


def test_touching_single_slices_belong_together() -> None:
    image = axial_grid((1, 8, 8), (0.0, 1.0, 1.0), (0, 0, 0.1 + 0.2))
    own = axial_grid((1, 8, 8), (0.0, 1.0, 1.0), (0, 0, 0.3))
    assert moved(own, image, blob(own.shape))[0].any()
