"""CT, MR and PET series to volumes: the same voxels at the same places, whatever the files are like."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.uid import CTImageStorage

from response.errors import InputError
from response.imaging.grid import Grid
from response.imaging.volume import Volume
from response.io.images import read_series
from tests.dicom_factory import axial_grid, oblique_grid, random_voxels, uid_of, write_ct_series

SHAPE = (5, 16, 12)


def assert_same_grid(found: Grid, expected: Grid) -> None:
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.origins, expected.origins, atol=1e-6)
    np.testing.assert_allclose(found.along_row, expected.along_row, atol=1e-6)
    np.testing.assert_allclose(found.along_column, expected.along_column, atol=1e-6)
    np.testing.assert_allclose(found.spacing_mm, expected.spacing_mm, atol=1e-6)


def turned(grid: Grid, along_row: Sequence[float], along_column: Sequence[float]) -> Grid:
    """Return an even grid of other directions."""
    row, column = np.array(along_row, float), np.array(along_column, float)
    origins = grid.origins[0] + np.arange(len(grid.origins))[:, None] * grid.slice_spacing_mm * np.cross(row, column)
    return replace(grid, along_row=row, along_column=column, origins=origins)


GRIDS = {
    "axial": axial_grid(SHAPE),
    "anisotropic": axial_grid(SHAPE, (7.0, 0.4, 1.3)),
    "oblique": oblique_grid(SHAPE),
    "coronal": turned(axial_grid(SHAPE), (1, 0, 0), (0, 0, -1)),
    "sagittal": turned(axial_grid(SHAPE), (0, 1, 0), (0, 0, -1)),
    "feet first": turned(axial_grid(SHAPE), (-1, 0, 0), (0, 1, 0)),
    "prone": turned(axial_grid(SHAPE), (-1, 0, 0), (0, -1, 0)),
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())
def test_voxels_and_places_are_those_that_were_written(tmp_path: Path, grid: Grid) -> None:
    voxels = random_voxels(SHAPE)
    volume = read_series(write_ct_series(tmp_path, voxels, grid))
    assert volume.voxels.dtype == np.int16
    assert np.array_equal(volume.voxels, voxels)
    assert_same_grid(volume.grid, grid)
    assert volume.faults == ()


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())
def test_simpleitk_reads_the_same(tmp_path: Path, grid: Grid) -> None:
    sitk = pytest.importorskip("SimpleITK")
    paths = write_ct_series(tmp_path, random_voxels(SHAPE), grid)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image, volume = reader.Execute(), read_series(paths)
    for index in ((0, 0, 0), (4, 15, 11), (2, 7, 3)):
        point = volume.grid.points(index[0], index[1], index[2])
        there = image.TransformPhysicalPointToIndex(tuple(map(float, point)))
        assert image.GetPixel(there) == volume.voxels[index]


def test_slices_are_sorted_by_place_not_by_name_number_or_order(tmp_path: Path) -> None:
    grid, voxels = oblique_grid(SHAPE), random_voxels(SHAPE)
    paths = write_ct_series(tmp_path, voxels, grid, shuffle=True)
    for order in (paths, paths[::-1], sorted(paths), [paths[i] for i in (3, 0, 4, 2, 1)]):
        volume = read_series(order)
        assert np.array_equal(volume.voxels, voxels)
        assert_same_grid(volume.grid, grid)
        assert volume.sop_instance_uids == tuple(uid_of(volume.series_instance_uid, i) for i in range(5))


def test_slices_that_descend_in_the_file_ascend_in_the_volume(tmp_path: Path) -> None:
    grid, voxels = axial_grid(SHAPE), random_voxels(SHAPE)
    downwards = replace(grid, origins=grid.origins[::-1])
    volume = read_series(write_ct_series(tmp_path, voxels[::-1], downwards, shuffle=False))
    assert np.array_equal(volume.voxels, voxels)
    assert (np.diff(volume.grid.depths_mm) > 0).all()


def test_what_the_volume_says_of_itself(tmp_path: Path) -> None:
    grid = axial_grid((2, 4, 4))
    paths = write_ct_series(tmp_path, random_voxels(grid.shape), grid, subject="S3", frame_of_reference_uid="1.2.3")
    volume = read_series(paths)
    assert volume.study_instance_uid == uid_of("S3", "20240101")
    assert volume.series_instance_uid == uid_of(volume.study_instance_uid, "CT", 1)
    assert volume.frame_of_reference_uid == "1.2.3"
    assert volume.sop_class_uid == CTImageStorage
    assert volume.frame_numbers == (0, 0)
    assert volume.source == str(tmp_path)
    assert read_series(paths[:1]).source == str(paths[0])


# --- Modality values.


def stored_as(tmp_path: Path, voxels: NDArray[Any], **how: Any) -> Volume:
    return read_series(write_ct_series(tmp_path, voxels, axial_grid(voxels.shape), **how))


@pytest.mark.parametrize(
    ("slope", "intercept", "kind"),
    [
        (1, -1024, np.int16),
        (1, 0, np.int16),
        (2, -1000, np.int16),
        (1.0, -1024.0, np.int16),
        (-1, 2000, np.int16),
        (0.5, -1024, np.float32),
        (1, -1024.5, np.float32),
    ],
)
def test_rescale(tmp_path: Path, slope: float, intercept: float, kind: type) -> None:
    values = slope * np.arange(600, 780).reshape(5, 6, 6) + intercept
    volume = stored_as(tmp_path, values, slope=slope, intercept=intercept)
    assert volume.voxels.dtype == kind
    assert np.array_equal(volume.voxels, values)


def test_slope_and_intercept_may_change_from_slice_to_slice(tmp_path: Path) -> None:
    slopes, intercepts = [1, 2, 0.25], [-1024, 0, 3.5]  # as on PET
    values = np.stack(
        [slope * np.arange(12).reshape(3, 4) + start for slope, start in zip(slopes, intercepts, strict=True)]
    )
    volume = stored_as(tmp_path, values, slope=slopes, intercept=intercepts, modality="PT")
    assert volume.voxels.dtype == np.float32
    assert np.array_equal(volume.voxels, values)
    assert volume.acquisition.modality == "PT"


def test_values_beyond_16_bits_are_floats(tmp_path: Path) -> None:
    values = np.array([[[0, 40_000]], [[-1024, 5]]])
    volume = stored_as(tmp_path, values)
    assert volume.voxels.dtype == np.float32
    assert np.array_equal(volume.voxels, values)


@pytest.mark.parametrize("extreme", [-32768, 32767])
def test_values_at_the_ends_of_16_bits_are_exact(tmp_path: Path, extreme: int) -> None:
    values = np.array([[[0, extreme]], [[1, 2]]])
    volume = stored_as(tmp_path, values, intercept=0, signed=True)
    assert volume.voxels.dtype == np.int16
    assert np.array_equal(volume.voxels, values)


@pytest.mark.parametrize(
    ("intercept", "kind"),
    [(-32768, np.int16), (-32769, np.float32), (0, np.float32)],
    ids=["the whole range fits", "one too low", "unsigned beyond int16"],
)
def test_the_whole_range_of_unsigned_pixels(tmp_path: Path, intercept: int, kind: type) -> None:
    values = np.array([[[0, 65535]], [[1, 2]]]) + intercept
    volume = stored_as(tmp_path, values, intercept=intercept, signed=False)
    assert volume.voxels.dtype == kind
    assert np.array_equal(volume.voxels, values)


def test_an_absurd_slope_on_an_empty_image_is_no_crash(tmp_path: Path) -> None:
    tags = {"RescaleSlope": "1e300", "RescaleIntercept": "0"}
    assert not stored_as(tmp_path, np.zeros((2, 3, 3)), intercept=0, tags=tags).voxels.any()


def test_mr_without_rescale_holds_what_is_stored(tmp_path: Path) -> None:
    values = np.arange(24).reshape(2, 3, 4)
    tags = {"RescaleSlope": None, "RescaleIntercept": None}
    volume = stored_as(tmp_path, values, intercept=0, modality="MR", tags=tags)
    assert np.array_equal(volume.voxels, values)
    assert volume.faults == ()


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({"RescaleSlope": None, "RescaleIntercept": None}, "no rescale"),
        ({"RescaleType": "MGML"}, "no Hounsfield units but 'MGML'"),
        ({"LossyImageCompression": "01"}, "losses"),
    ],
)
def test_values_that_may_not_be_hounsfield_units_are_told(tmp_path: Path, tags: dict[str, Any], told: str) -> None:
    volume = stored_as(tmp_path, np.arange(24).reshape(2, 3, 4), intercept=0, tags=tags)
    assert len(volume.faults) == 1
    assert told in volume.faults[0]


@pytest.mark.parametrize(
    "tags",
    [
        {"RescaleSlope": "0"},
        {"RescaleSlope": "nan"},
        {"RescaleIntercept": "inf"},
    ],
)
def test_a_rescale_that_makes_no_sense_is_refused(tmp_path: Path, tags: dict[str, str]) -> None:
    paths = write_ct_series(tmp_path, random_voxels((2, 3, 4)), axial_grid((2, 3, 4)))
    (keyword, text), *_ = tags.items()
    tag = {"RescaleSlope": b"\x28\0\x53\x10DS", "RescaleIntercept": b"\x28\0\x52\x10DS"}[keyword]
    data = paths[1].read_bytes()
    at = data.index(tag) + 8
    length = data[at - 2]
    paths[1].write_bytes(data[: at - 2] + bytes([4, 0]) + text.encode().ljust(4) + data[at + length :])
    with pytest.raises(InputError, match=keyword):
        read_series(paths)


def test_monochrome1_and_padding_change_no_value(tmp_path: Path) -> None:
    values = np.arange(24).reshape(2, 3, 4) - 1000
    tags = {"PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 24}
    assert np.array_equal(stored_as(tmp_path, values, tags=tags).voxels, values)


# --- Real files.


def test_series_and_multi_frame_image_of_one_scan_are_the_same(shared_data: Path) -> None:
    folder = shared_data / "seg_ct_tiny" / "23x38x3"
    series = read_series(sorted((folder / "image").iterdir()))
    frames = read_series([folder / "multiframe" / "mf.dcm"])
    assert np.array_equal(series.voxels, frames.voxels)
    assert_same_grid(series.grid, frames.grid)
    assert series.grid.shape == (3, 38, 23)
    np.testing.assert_allclose(series.grid.spacing_mm, (2.5, 0.7, 0.7))
    np.testing.assert_allclose(series.grid.origins[0], (46.4649, 5.01881, -177.75))
    assert frames.frame_numbers == (1, 2, 3)
    assert series.faults == frames.faults == ()


def test_a_real_slice(shared_data: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    path = shared_data / "dicom_sr" / "ct_image.dcm"
    volume, image = read_series([path]), sitk.ReadImage(str(path))
    assert np.array_equal(volume.voxels, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.grid.origins[0], image.GetOrigin())
    assert (volume.acquisition.kvp, volume.acquisition.kernel, volume.acquisition.phase) == (
        120,
        "STANDARD",
        "contrast",
    )
