"""What is odd about where slices lie is found and told, and never made good in silence."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from response.errors import InputError
from response.imaging.grid import Grid
from response.io.images import read_series
from tests.dicom_factory import axial_grid, oblique_grid, random_voxels, write_ct_series

SHAPE = (8, 6, 5)


def at_heights(heights: Sequence[float], grid: Grid | None = None) -> Grid:
    """Return a grid with slices at these places along the normal, mm."""
    grid = grid or axial_grid((len(heights), 6, 5))
    return replace(grid, origins=grid.origins[0] + np.outer(heights, grid.normal))


def faults_of(tmp_path: Path, grid: Grid, **how: Any) -> tuple[str, ...]:
    how = {"thickness": 0, **how}
    volume = read_series(write_ct_series(tmp_path, random_voxels(grid.shape), grid, **how))
    np.testing.assert_allclose(volume.grid.origins, grid.origins, atol=1e-4)
    return tuple(volume.faults)


@pytest.mark.parametrize("base", [axial_grid(SHAPE), oblique_grid(SHAPE)], ids=["axial", "oblique"])
@pytest.mark.parametrize(
    ("heights", "told"),
    [
        ([0, 3, 6, 9], ""),
        ([0, 3, 6, 12, 15], "1 slice is missing (behind slice 3 of those there are; spacing 3 mm)"),
        ([0, 3, 9, 18, 21, 24, 27], "3 slices are missing (behind slice 2, 3 of those there are; spacing 3 mm)"),
        ([0, 3, 9], "1 slice is missing (behind slice 2 of those there are; spacing 3 mm)"),  # of two gaps, the smaller
        ([0, 3, 6, 9, 12.2], "slices are unevenly spaced (3 to 3.2 mm, median 3 mm)"),
        ([0, 3, 6, 10.5, 13.5], "slices are unevenly spaced (3 to 4.5 mm, median 3 mm)"),  # no multiple
        ([0, 0.62, 1.25, 1.87, 2.5], ""),  # 0.625 mm, written with two decimals
        ([0, 1, 2, 3.05, 4], "slices are unevenly spaced (0.95 to 1.05 mm, median 1 mm)"),
        ([0, 10, 20, 30.19, 40], ""),  # 2 %: within what tables do
        ([0, 10, 20, 30.21, 40], "slices are unevenly spaced (9.79 to 10.21 mm, median 10 mm)"),
        ([5], ""),
        ([0, 100], ""),
    ],
)
def test_gaps(tmp_path: Path, base: Grid, heights: list[float], told: str) -> None:
    grid = at_heights(heights, replace(base, rows=6, columns=5))
    assert faults_of(tmp_path, grid) == ((told,) if told else ())


def sheared(degrees: float) -> Grid:
    """Return a grid under gantry tilt: the table moves along z, the planes are turned about x."""
    angle = np.radians(degrees)
    origins = np.outer(np.arange(8) * 5.0, [0, 0, 1])
    return replace(axial_grid(SHAPE), origins=origins, along_column=np.array([0, np.cos(angle), np.sin(angle)]))


@pytest.mark.parametrize(
    ("degrees", "told"),
    [
        (0, ""),
        (0.05, ""),
        (0.2, "gantry tilt: slices are shifted against each other, by 0.2 degrees"),
        (12.5, "gantry tilt: slices are shifted against each other, by 12.5 degrees"),
        (-20, "gantry tilt: slices are shifted against each other, by 20 degrees"),
    ],
)
def test_gantry_tilt(tmp_path: Path, degrees: float, told: str) -> None:
    grid = sheared(degrees)
    assert faults_of(tmp_path, grid) == ((told,) if told else ())
    # the distance of the planes is less than the way of the table
    assert grid.slice_spacing_mm == pytest.approx(5 * np.cos(np.radians(degrees)))


@pytest.mark.parametrize(("shift_mm", "told"), [(0.005, 0), (0.06, 1)])
def test_rounding_of_close_slices_is_no_tilt(tmp_path: Path, shift_mm: float, told: int) -> None:
    grid = axial_grid((2, 6, 5), (0.625, 0.75, 0.5))  # 0.005 mm from slice to slice make 0.46 degrees
    origins = grid.origins + np.array([[0, 0, 0], [shift_mm, 0, 0]])
    assert len(faults_of(tmp_path, replace(grid, origins=origins))) == told


@pytest.mark.parametrize(("shift_mm", "told"), [(0.09, 0), (0.11, 1)])
def test_slices_out_of_line_by_rounding_are_not_told(tmp_path: Path, shift_mm: float, told: int) -> None:
    grid = axial_grid(SHAPE)
    origins = grid.origins.copy()
    origins[3, 1] += shift_mm
    assert len(faults_of(tmp_path, replace(grid, origins=origins))) == told


def test_slices_out_of_line_are_told(tmp_path: Path) -> None:
    grid = axial_grid(SHAPE)
    origins = grid.origins.copy()
    origins[4, 0] += 2  # another centre of reconstruction
    told = faults_of(tmp_path, replace(grid, origins=origins))
    assert len(told) == 1
    assert "out of line with the others, by up to 2" in told[0]


@pytest.mark.parametrize(
    ("thickness", "told"),
    [
        (3, ""),
        (3.3, ""),
        (3.31, "slices are 3.31 mm thick and 3 mm apart: they overlap"),
        (5, "slices are 5 mm thick and 3 mm apart: they overlap"),
        (1.25, "slices are 1.25 mm thick and 3 mm apart: there are gaps between them"),
        (0, ""),
    ],
)
def test_thickness_unlike_spacing(tmp_path: Path, thickness: float, told: str) -> None:
    assert faults_of(tmp_path, axial_grid(SHAPE), thickness=thickness) == ((told,) if told else ())


def test_spacing_is_never_taken_from_thickness(tmp_path: Path) -> None:
    grid = axial_grid(SHAPE, (2.0, 0.5, 0.5))
    tags = {"SpacingBetweenSlices": "7", "SliceLocation": "1000"}
    paths = write_ct_series(tmp_path, random_voxels(SHAPE), grid, thickness=5, tags=tags)
    assert read_series(paths).grid.slice_spacing_mm == pytest.approx(2)


def test_duplicate_slices_are_left_out_and_told(tmp_path: Path) -> None:
    grid, voxels = axial_grid(SHAPE), random_voxels(SHAPE)
    paths = write_ct_series(tmp_path / "a", voxels, grid, shuffle=False, thickness=0)
    copies = write_ct_series(tmp_path / "b", voxels, grid, shuffle=False, series_number=2)
    import pydicom

    for path in copies[2:4]:  # the same place, other instances
        dataset = pydicom.dcmread(path)
        dataset.SeriesInstanceUID = pydicom.dcmread(paths[0]).SeriesInstanceUID
        dataset.InstanceNumber = 100
        dataset.save_as(path)
    volume = read_series([*copies[2:4], *paths])
    assert np.array_equal(volume.voxels, voxels)
    assert volume.faults == ("2 slices were left out, for others lie at the same place (duplicate slices)",)
    assert volume.sop_instance_uids[2] == pydicom.dcmread(paths[2]).SOPInstanceUID  # the earlier instance number


def test_the_same_instance_twice_is_one(tmp_path: Path) -> None:
    grid, voxels = axial_grid(SHAPE), random_voxels(SHAPE)
    paths = write_ct_series(tmp_path / "a", voxels, grid)
    again = write_ct_series(tmp_path / "b", voxels, grid)
    volume = read_series([*paths, *again[:3]])
    assert np.array_equal(volume.voxels, voxels)
    assert volume.faults == ("3 files hold slices of other files (the same SOP Instance UID)",)


# --- What cannot be placed.


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({"ImagePositionPatient": None}, "without position or orientation"),
        ({"ImageOrientationPatient": None}, "without position or orientation"),
        ({"ImagePositionPatient": ["0", "0"]}, "without position or orientation"),
        ({"PixelSpacing": None}, "no PixelSpacing"),
        ({"PixelSpacing": ["0", "0.5"]}, "PixelSpacing that is no sound length"),
        ({"PixelSpacing": ["0.5", "-0.5"]}, "PixelSpacing that is no sound length"),
        ({"PixelSpacing": ["0.5"]}, "PixelSpacing that is no sound length"),
        ({"PixelSpacing": ["0.5", "0.5", "0.5"]}, "PixelSpacing that is no sound length"),
        ({"ImageOrientationPatient": ["1", "0", "0", "1", "0", "0"]}, "not at right angles"),
        ({"ImageOrientationPatient": ["0", "0", "0", "0", "0", "0"]}, "not at right angles"),
        ({"ImageOrientationPatient": ["2", "0", "0", "0", "2", "0"]}, "not at right angles"),
        ({"ImageOrientationPatient": ["1", "0", "0", "0.1", "0.99", "0"]}, "not at right angles"),
        ({"ImageType": ["DERIVED", "PRIMARY", "MOSAIC"]}, "mosaic"),
    ],
)
def test_a_series_without_sound_geometry_is_refused(tmp_path: Path, tags: dict[str, Any], told: str) -> None:
    paths = write_ct_series(tmp_path, random_voxels(SHAPE), axial_grid(SHAPE), tags=tags)
    with pytest.raises(InputError, match=told) as caught:
        read_series(paths)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"0.75\\0.5", b"nan \\0.5", "PixelSpacing that is no sound length"),
        (b"0.75\\0.5", b"0.75\\inf", "PixelSpacing that is no sound length"),
        (b"0.75\\0.5", b"0,75\\0,5", "PixelSpacing that is no sound length"),
        (b"-100\\-120\\", b"nan \\-120\\", "without position or orientation"),
        (b"1\\0\\0\\0\\1\\0", b"nan\\0\\0\\1\\0", "without position or orientation"),
    ],
)
def test_numbers_that_are_none_are_refused(tmp_path: Path, old: bytes, new: bytes, told: str) -> None:
    grid = axial_grid(SHAPE, (3.0, 0.75, 0.5), (-100, -120, 40))
    paths = write_ct_series(tmp_path, random_voxels(SHAPE), grid)
    for path in paths:
        data = path.read_bytes()
        assert data.count(old) == 1
        path.write_bytes(data.replace(old, new.ljust(len(old))))
    with pytest.raises(InputError, match=told):
        read_series(paths)


def test_directions_askew_by_rounding_are_put_right(tmp_path: Path) -> None:
    tags = {"ImageOrientationPatient": ["0.9998", "0.0175", "0", "-0.0174", "0.9999", "0.0001"]}
    grid = read_series(write_ct_series(tmp_path, random_voxels(SHAPE), axial_grid(SHAPE), tags=tags)).grid
    axes = np.stack([grid.along_row, grid.along_column, grid.normal])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)


def test_a_single_slice_needs_no_place(tmp_path: Path) -> None:
    tags = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    voxels = random_voxels((1, 6, 5))
    volume = read_series(write_ct_series(tmp_path, voxels, axial_grid((1, 6, 5)), tags=tags))
    assert np.array_equal(volume.voxels, voxels)
    assert volume.grid.spacing_mm == (0, 0.75, 0.5)
    assert volume.faults == ("the position of the slice in the patient is not known",)


def test_spacing_at_the_detector_is_told(tmp_path: Path) -> None:
    tags = {"PixelSpacing": None, "ImagerPixelSpacing": ["0.3", "0.2"]}
    volume = read_series(write_ct_series(tmp_path, random_voxels(SHAPE), axial_grid(SHAPE), tags=tags))
    assert volume.grid.spacing_mm[1:] == (0.3, 0.2)
    assert any("at the detector" in fault for fault in volume.faults)


def test_no_files_at_all() -> None:
    with pytest.raises(InputError, match="no files"):
        read_series([])


def test_files_of_several_series_are_refused(tmp_path: Path) -> None:
    grid = axial_grid((1, 6, 5))
    one = write_ct_series(tmp_path / "a", random_voxels(grid.shape), grid)
    two = write_ct_series(tmp_path / "b", random_voxels(grid.shape), grid, series_number=2)
    with pytest.raises(InputError, match="several series"):
        read_series([*one, *two])
