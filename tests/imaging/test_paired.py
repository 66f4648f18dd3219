"""Another image at the voxels of a lesion: a field that is linear in space must come back exactly, on any grid."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.paired import look_beside, values_at, why_not_unenhanced
from response.imaging.volume import Acquisition, Volume
from tests.dicom_factory import axial_grid, oblique_grid

CT = Acquisition(modality="CT", phase="non_contrast")
PORTAL = Acquisition(modality="CT", phase="portal_venous")
FIELD = np.asarray((0.5, -0.25, 0.125))  # HU per mm along x, y, z
NAME = "the series without contrast medium"
WIDE = axial_grid((12, 60, 60), (3.0, 1.0, 1.0), (-110.0, -130.0, 30.0))


def linear(grid: Grid, acquisition: Acquisition = CT) -> Volume:
    """Return an image whose value is a linear function of the place."""
    rows, columns = np.indices((grid.rows, grid.columns))
    planes = [grid.points(index, rows, columns) @ FIELD for index in range(len(grid.origins))]
    return Volume(voxels=np.asarray(planes, np.float32), grid=grid, acquisition=acquisition)


def lesion(voxels: object, corner: tuple[int, int, int] = (0, 0, 0)) -> LesionMask:
    return LesionMask(name=StructureName(), corner=corner, voxels=np.asarray(voxels, np.bool_))


def expected(mask: LesionMask, grid: Grid) -> NDArray[np.float64]:
    places = np.argwhere(mask.voxels) + mask.corner
    return np.asarray([grid.points(place[0], place[1], place[2]) @ FIELD for place in places])


def turned() -> Grid:
    return replace(oblique_grid((40, 200, 200)), origins=oblique_grid((40, 200, 200)).origins - (150.0, 60.0, 60.0))


BOX = lesion(np.random.default_rng(4).random((3, 4, 5)) < 0.6, (1, 5, 3))
BACKWARDS = replace(
    WIDE,
    origins=WIDE.origins + np.asarray((59.0, 59.0, 0.0)),
    along_row=-WIDE.along_row,
    along_column=-WIDE.along_column,
)
TILTED = replace(WIDE, origins=WIDE.origins + np.arange(12)[:, None] * np.asarray((0.0, 0.7, 0.0)))


@pytest.mark.parametrize(
    ("why", "grid"),
    [
        ("the same grid", axial_grid()),
        ("coarser, shifted by parts of a voxel", WIDE),
        ("thinner slices", axial_grid((40, 60, 60), (0.8, 1.0, 1.0), (-110.3, -130.2, 35.1))),
        ("turned about all axes", turned()),
        ("slices shifted against each other, as under gantry tilt", TILTED),
        ("rows and columns the other way round", BACKWARDS),
    ],
)
def test_a_linear_field_comes_back_on_any_grid(why: str, grid: Grid) -> None:
    own = axial_grid()
    found = values_at(BOX, own, linear(grid))
    assert found[BOX.voxels] == pytest.approx(expected(BOX, own), abs=1e-3)
    assert np.isnan(found[~BOX.voxels]).all()  # beside the lesion nothing is told


def test_between_two_slices_lies_their_mean() -> None:
    other = axial_grid((2, 16, 12), (3.0, 0.75, 0.5), (-100.0, -120.0, 38.5))  # at 38.5 and 41.5; the lesion at 40
    voxels = np.stack([np.full((16, 12), 20.0), np.full((16, 12), 50.0)]).astype(np.float32)
    mask = lesion(np.ones((1, 2, 2)))
    found = values_at(mask, axial_grid(), Volume(voxels=voxels, grid=other, acquisition=CT))
    assert found == pytest.approx(35)


@pytest.mark.parametrize(
    ("why", "low", "high", "known"),
    [
        ("all slices of the lesion", 0, 5, [True] * 5),
        ("the last two slices are missing", 0, 3, [True, True, True, False, False]),
        ("the first is missing", 1, 5, [False, True, True, True, True]),
    ],
)
def test_where_the_other_image_is_not_nothing_is_known(why: str, low: int, high: int, known: list[bool]) -> None:
    grid = axial_grid()
    other = replace(grid, origins=grid.origins[low:high])
    found = values_at(lesion(np.ones(grid.shape)), grid, linear(other))
    assert np.isfinite(found).all(axis=(1, 2)).tolist() == known
    assert np.isfinite(found).any(axis=(1, 2)).tolist() == known


def test_nothing_is_made_up_across_a_gap() -> None:
    grid = axial_grid()
    other = replace(grid, origins=grid.origins[[0, 1, 3, 4]])
    found = values_at(lesion(np.ones(grid.shape)), grid, linear(other))
    assert np.isfinite(found).all(axis=(1, 2)).tolist() == [True, True, False, True, True]


def test_beside_a_gap_the_nearest_slice_counts() -> None:
    # Slices at 40, 43, 49 and 52 mm, the third of the usual 3 mm is missing; the lesion lies 1 mm above the second.
    own, grid = axial_grid(origin=(-100.0, -120.0, 44.0)), axial_grid()
    other = replace(grid, origins=grid.origins[[0, 1, 3, 4]])
    voxels = np.broadcast_to(np.asarray([10.0, 20.0, 80.0, 90.0])[:, None, None], (4, 16, 12)).astype(np.float32)
    found = values_at(lesion(np.ones((1, 2, 2))), own, Volume(voxels=voxels, grid=other, acquisition=CT))
    assert (found == 20).all()


@pytest.mark.parametrize(
    ("image", "other", "told"),
    [
        (PORTAL, CT, ""),
        (Acquisition(modality="CT"), Acquisition(modality="CT"), ""),  # the table says which is which
        (PORTAL, PORTAL, "contrast medium was given"),
        (CT, CT, "the segmented one is without contrast medium too"),
        (PORTAL, Acquisition(modality="MR"), "it is MR, and the segmented one CT"),
        (PORTAL, Acquisition(), "it is of an unknown modality, and the segmented one CT"),
    ],
)
def test_which_series_can_be_the_one_without_contrast_medium(image: Acquisition, other: Acquisition, told: str) -> None:
    why = why_not_unenhanced(linear(axial_grid(), image), linear(axial_grid(), other))
    assert told in why
    assert bool(told) is bool(why)


def test_beside_rows_and_columns_nothing_is_known() -> None:
    grid = axial_grid()
    other = replace(grid, rows=10, columns=8)
    found = values_at(lesion(np.ones(grid.shape)), grid, linear(other))
    assert np.isfinite(found[:, :10, :8]).all()
    assert not np.isfinite(found[:, 10:]).any() and not np.isfinite(found[:, :, 8:]).any()


def test_padding_is_no_value_on_ct() -> None:
    grid = axial_grid()
    volume = replace(linear(grid), voxels=np.full(grid.shape, -2000, np.int16))
    mask = lesion(np.ones((1, 2, 2)))
    assert np.isnan(values_at(mask, grid, volume)).all()
    signal = replace(volume, acquisition=Acquisition(modality="MR"))
    assert (values_at(mask, grid, signal) == -2000).all()


@pytest.mark.parametrize(("missing", "used"), [(1, True), (2, False)])
def test_an_image_that_covers_too_little_is_not_used(missing: int, used: bool) -> None:
    # 20 slices of which 19 are 95 %
    grid = axial_grid((20, 4, 4))
    other = replace(grid, origins=grid.origins[missing:])
    found = look_beside(lesion(np.ones(grid.shape)), grid, linear(other), NAME)
    assert (found.values is not None) is used
    assert found.notes == (() if used else (f"{NAME} covers 90 % of the lesion and was not used",))


def test_an_image_of_another_place_covers_nothing() -> None:
    grid = axial_grid()
    far = replace(grid, origins=grid.origins + 500.0)
    assert look_beside(lesion(np.ones(grid.shape)), grid, linear(far), NAME).notes == (
        f"{NAME} covers 0 % of the lesion and was not used",
    )


def test_a_single_slice_tells_of_its_own_slice_only() -> None:
    grid = axial_grid()
    other = replace(grid, origins=grid.origins[2:3])
    found = values_at(lesion(np.ones(grid.shape)), grid, linear(other))
    assert np.isfinite(found).all(axis=(1, 2)).tolist() == [False, False, True, False, False]
