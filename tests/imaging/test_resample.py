"""Masks of other voxels come onto an image by nearest neighbour, against SimpleITK and brute force."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from response.imaging.grid import Grid
from response.imaging.regrid import GridMismatchError
from tests.dicom_factory import axial_grid, oblique_grid
from tests.imaging.test_regrid import SHAPE, Bools, affine, blob, moved, tilted, turned, uneven


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


@pytest.mark.parametrize("same_slices", [True, False])
def test_thin_slices_on_thick_ones_are_resampled(same_slices: bool) -> None:
    image = axial_grid((4, 8, 8), (3.0, 1.0, 1.0), (0, 0, 0))
    own = axial_grid((10, 8, 8), (1.0, 1.0, 1.0), (0, 0, 0))
    mask = blob(own.shape)
    there, outside, note = moved(own, image, mask, same_slices=same_slices)
    assert (there == mask[::3]).all()
    assert outside == 0
    assert "resampled" in note


def test_pixels_of_twice_the_size_are_resampled() -> None:
    image = axial_grid((3, 8, 8), (3.0, 1.0, 1.0), (0, 0, 0))
    own = axial_grid((3, 4, 4), (3.0, 2.0, 2.0), (0.5, 0.5, 0))  # each covers four pixels
    mask = blob(own.shape)
    there, _, note = moved(own, image, mask)
    assert (there == mask.repeat(2, axis=1).repeat(2, axis=2)).all()
    assert "resampled" in note


def test_pixels_of_twice_the_size_whose_first_ones_coincide() -> None:
    image = axial_grid((3, 7, 7), (3.0, 1.0, 1.0), (0, 0, 0))
    own = axial_grid((3, 4, 4), (3.0, 2.0, 2.0), (0, 0, 0))
    mask = blob(own.shape)
    there, _, note = moved(own, image, mask)
    nearest = [0, 1, 1, 2, 2, 3, 3]  # half-way goes to the larger index
    assert (there == mask[:, nearest][:, :, nearest]).all()
    assert "resampled" in note


def test_a_mask_that_lies_in_a_gap_of_the_image_only() -> None:
    whole = axial_grid((9, 8, 8), (1.0, 1.0, 1.0), (0, 0, 0))
    image = Grid(**{**vars(whole), "origins": whole.origins[[0, 1, 2, 6, 7, 8]]})
    own = Grid(**{**vars(whole), "origins": whole.origins[[4]]})
    mask = blob(own.shape)
    there, outside, _ = moved(own, image, mask, same_slices=True)
    assert not there.any()
    assert outside == mask.sum()


def test_a_mask_beyond_the_last_slice_by_less_than_half_of_one() -> None:
    image = axial_grid((3, 8, 8), (1.0, 1.0, 1.0), (0, 0, 0))
    own = axial_grid((2, 8, 8), (1.0, 1.0, 1.0), (0, 0, 2.4))
    mask = np.ones(own.shape, np.bool_)
    there, outside, note = moved(own, image, mask)
    assert (there[2]).all()
    assert outside == mask[1].sum()
    assert "resampled" in note


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
