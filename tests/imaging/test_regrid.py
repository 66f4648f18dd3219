"""Masks brought from one grid to another, against affine geometry, brute force and SimpleITK."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from response.imaging.grid import Floats, Grid
from response.imaging.regrid import GridMismatchError, plan_regridding
from tests.dicom_factory import axial_grid, oblique_grid

Bools = NDArray[np.bool_]
SHAPE = (5, 16, 12)


def blob(shape: tuple[int, ...] = SHAPE, seed: int = 0) -> Bools:
    """Return random voxels that touch no border."""
    mask = np.zeros(shape, np.bool_)
    inner = tuple(slice(1, -1) if size > 2 else slice(None) for size in shape)
    mask[inner] = np.random.default_rng(seed).random(mask[inner].shape) < 0.4
    return mask


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


# --- Other voxels: nearest neighbour.


def by_simpleitk(own: Grid, image: Grid, mask: Bools) -> Bools:
    import SimpleITK

    def itk(grid: Grid, voxels: NDArray[Any]) -> Any:
        found = SimpleITK.GetImageFromArray(voxels.astype(np.uint8))
        found.SetSpacing([*grid.spacing_mm[::-1]])
        found.SetOrigin([*grid.origins[0]])
        found.SetDirection(np.stack([grid.along_row, grid.along_column, grid.normal], axis=1).ravel().tolist())
        return found

    reference = itk(image, np.zeros(image.shape))
    return np.asarray(
        SimpleITK.GetArrayFromImage(
            SimpleITK.Resample(itk(own, mask), reference, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor)
        )
        > 0
    )


def shifted(grid: Grid, spacing_mm: tuple[float, float, float], shape: tuple[int, int, int]) -> Grid:
    """Return a grid of other voxels over another one, with no centre half-way between two others."""
    origin = grid.origins[0] + 0.137 * grid.along_row + 0.271 * grid.along_column + 0.193 * grid.normal
    directions = [grid.normal, grid.along_column, grid.along_row]
    return Grid.of_axes(origin=origin, directions=directions, spacing_mm=spacing_mm, shape=shape)


def rotated(grid: Grid) -> Grid:
    """Return a grid around the same centre, turned by some degrees about two axes."""
    centre = grid.points(len(grid.origins) // 2, grid.rows / 2, grid.columns / 2)
    a, b = np.deg2rad([23.0, -11.0])
    turn = np.asarray([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ np.asarray(
        [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    )
    directions = np.stack([grid.normal, grid.along_column, grid.along_row]) @ turn.T
    middle = (len(grid.origins) // 2) * grid.slice_spacing_mm * directions[0]
    middle = middle + grid.rows / 2 * grid.row_spacing_mm * directions[1]
    middle = middle + grid.columns / 2 * grid.column_spacing_mm * directions[2]
    return Grid.of_axes(
        origin=centre - middle, directions=directions, spacing_mm=grid.spacing_mm, shape=(5, grid.rows, grid.columns)
    )


OTHERS = [
    # what                     mask grid over the image's
    ("coarser", lambda grid: shifted(grid, (7.1, 1.9, 1.7), (3, 7, 5))),
    ("finer", lambda grid: shifted(grid, (1.1, 0.31, 0.29), (12, 40, 30))),
    ("thick slices only", lambda grid: shifted(grid, (8.3, 0.71, 0.53), (3, 16, 12))),
    ("turned", rotated),
    ("sagittal and coarser", lambda grid: turned(shifted(grid, (7.1, 1.9, 1.7), (3, 7, 5)), (2, 0, 1), (1, -1, 1))),
]  # fmt: skip


@pytest.mark.parametrize("make", [axial_grid, oblique_grid])
@pytest.mark.parametrize("other", [case[1] for case in OTHERS], ids=[case[0] for case in OTHERS])
def test_nearest_neighbour_is_that_of_simpleitk(make: Callable[[], Grid], other: Callable[[Grid], Grid]) -> None:
    image = make()
    own = other(image)
    for seed in range(3):
        mask = np.random.default_rng(seed).random(own.shape) < 0.5
        there, _, note = moved(own, image, mask)
        assert (there == by_simpleitk(own, image, mask)).all()
        assert "nearest neighbour" in note


@pytest.mark.parametrize("change", [tilted, uneven])
def test_an_even_mask_on_an_odd_image(change: Callable[[Grid], Grid]) -> None:
    own = shifted(oblique_grid(), (4.0, 0.9, 0.6), SHAPE)
    image = change(oblique_grid())
    mask = np.random.default_rng(3).random(SHAPE) < 0.5
    there, _, note = moved(own, image, mask)
    assert "nearest neighbour" in note
    to_own = np.linalg.inv(affine(own))
    for index in np.ndindex(*SHAPE):
        place = np.rint(to_own @ [*image.points(index[0], index[1], index[2]), 1])[:3].astype(int)
        inside = (place >= 0).all() and (place < SHAPE).all()
        assert there[index] == (bool(mask[tuple(place)]) if inside else False)


def test_thick_slices_fill_the_thin_ones_between_and_keep_the_volume() -> None:
    # Centres of the thin slices are half-way between two thick ones: each goes to one of them, and none to both.
    image = axial_grid((12, 8, 8), (1.0, 1.0, 1.0), (0, 0, 0))
    own = axial_grid((4, 8, 8), (2.0, 1.0, 1.0), (0, 0, 2))
    mask = np.zeros(own.shape, np.bool_)
    mask[1:3, 2:5, 3:6] = True  # slices at 4 and 6 mm
    there, _, note = moved(own, image, mask)
    assert there.sum() == 2 * mask.sum()
    assert np.flatnonzero(there.any(axis=(1, 2))).tolist() == [3, 4, 5, 6]
    assert "2 mm" in note


def test_masks_drawn_on_the_slices_themselves_leave_those_between_empty() -> None:
    image = axial_grid((6, 8, 8), (1.0, 1.0, 1.0), (0, 0, 0))
    own = axial_grid((3, 8, 8), (2.0, 1.0, 1.0), (0, 0, 0))
    mask = blob(own.shape)
    there, _, note = moved(own, image, mask, same_slices=True)
    assert (there[::2] == mask).all()
    assert not there[1::2].any()
    assert note == ""


def test_a_single_slice_goes_to_one_slice_only() -> None:
    image = axial_grid((6, 8, 8), (1.0, 1.0, 1.0), (0, 0, 0))
    for depth, expected in ((2.0, 2), (2.3, 2), (2.6, 3)):
        own = axial_grid((1, 8, 8), (0.0, 1.0, 1.0), (0, 0, depth))
        there, _, note = moved(own, image, blob(own.shape))
        assert np.flatnonzero(there.any(axis=(1, 2))).tolist() == [expected]
        assert bool(note) == (depth != 2.0)


def test_nothing_is_spread_over_a_gap_of_the_mask() -> None:
    image = axial_grid((12, 8, 8), (1.0, 1.0, 1.0), (0, 0, 0.4))
    own = axial_grid((4, 8, 8), (1.0, 1.0, 1.0), (0, 0, 0))
    own = Grid(**{**vars(own), "origins": own.origins + np.asarray([0, 0, 6, 6])[:, None] * own.normal})
    mask = np.ones(own.shape, np.bool_)
    there, _, _ = moved(own, image, mask)
    assert np.flatnonzero(there.any(axis=(1, 2))).tolist() == [0, 1, 8, 9]


def test_outside_is_counted_when_resampled_too() -> None:
    image = axial_grid((4, 8, 8), (1.0, 1.0, 1.0), (0, 0, 0))
    own = axial_grid((4, 8, 8), (1.0, 1.0, 1.0), (5.3, 0, 0))
    mask = np.ones(own.shape, np.bool_)
    _, outside, _ = moved(own, image, mask)
    assert outside == 4 * 8 * 5  # the columns at 8.3 to 12.3 mm; the image ends at 7.5


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


@given(
    st.tuples(*[st.floats(0.4, 2.5)] * 3),
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.integers(0, 10),
)
def test_what_is_inside_takes_the_voxel_in_which_its_centre_lies(
    factors: tuple[float, float, float], shift: tuple[float, float, float], seed: int
) -> None:
    image = oblique_grid((3, 6, 5))
    spacing = tuple(factor * size for factor, size in zip(factors, image.spacing_mm, strict=True))
    directions = [image.normal, image.along_column, image.along_row]
    own = Grid.of_axes(
        origin=image.origins[0] + np.asarray(shift) @ np.stack(directions),
        directions=directions,
        spacing_mm=spacing,
        shape=(4, 7, 6),
    )
    mask = np.random.default_rng(seed).random(own.shape) < 0.5
    try:
        there, _, note = moved(own, image, mask)
    except GridMismatchError:
        return
    if not note:
        return
    places = np.argwhere(np.ones(image.shape, np.bool_))
    index = (np.linalg.inv(affine(own)) @ affine(image) @ np.c_[places, np.ones(len(places))].T)[:3].T
    clear = (np.abs(index - np.floor(index) - 0.5) > 1e-4).all(axis=1)  # not on a border
    nearest = np.rint(index).astype(int)
    inside = ((nearest >= 0) & (nearest < own.shape)).all(axis=1)
    expected = np.zeros(len(places), np.bool_)
    expected[inside] = mask[tuple(nearest[inside].T)]
    assert (there.ravel() == expected)[clear].all()
