"""Diameters of a segmentation of the public data beside the project, against what other tools read there."""

import csv
from pathlib import Path

import numpy as np
import pytest

from response.imaging.diameters import Diameters, measure_diameters
from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.options import CONVENTIONS, MeasureOptions


@pytest.fixture(scope="module")
def truth(shared_data: Path) -> dict[str, str]:
    with (shared_data / "seg_ct_mask" / "truth.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file))


@pytest.fixture(scope="module")
def lesion(shared_data: Path) -> tuple[LesionMask, Grid]:
    import SimpleITK

    image = SimpleITK.ReadImage(str(shared_data / "seg_ct_mask" / "brain2_label.nrrd"))
    voxels = SimpleITK.GetArrayFromImage(image) > 0
    axes = np.array(image.GetDirection()).reshape(3, 3).T[::-1]
    grid = Grid.of_axes(
        origin=image.GetOrigin(), directions=axes, spacing_mm=image.GetSpacing()[::-1], shape=voxels.shape
    )
    return LesionMask(name=StructureName(), corner=(0, 0, 0), voxels=voxels), grid


def measured(lesion: tuple[LesionMask, Grid], convention: str) -> Diameters:
    found = measure_diameters(*lesion, MeasureOptions(diameter_convention=convention))
    assert found is not None
    return found


COLUMNS = [
    ("pixel_centres", "inplane_centre_to_centre", 5e-5),
    ("pixel_edges", "inplane_corner_to_corner", 5e-5),
    ("mid_edges", "rerun_Maximum2DDiameterSlice", 1e-9),  # pyradiomics
]


@pytest.mark.parametrize(("convention", "column", "precision"), COLUMNS)
def test_conventions_read_what_other_tools_do(
    lesion: tuple[LesionMask, Grid], truth: dict[str, str], convention: str, column: str, precision: float
) -> None:
    found = measured(lesion, convention)
    assert found.longest_mm == pytest.approx(float(truth[column]), abs=precision)
    assert found.slice_index == int(truth["slice_of_max"])


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_convention_lies_between_centres_and_corners(
    lesion: tuple[LesionMask, Grid], truth: dict[str, str], convention: str
) -> None:
    lowest, highest = float(truth["inplane_centre_to_centre"]), float(truth["inplane_corner_to_corner"])
    assert lowest - 5e-5 <= measured(lesion, convention).longest_mm <= highest + 5e-5


def test_the_crop_measures_what_the_whole_volume_does(lesion: tuple[LesionMask, Grid]) -> None:
    whole, grid = lesion
    places = np.argwhere(whole.voxels)
    low, high = places.min(axis=0), places.max(axis=0) + 1
    crop = whole.voxels[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    corner = (int(low[0]), int(low[1]), int(low[2]))
    mask = LesionMask(name=StructureName(), corner=corner, voxels=crop)
    one, other = measured((mask, grid), "contour"), measured(lesion, "contour")
    assert one.slice_index == other.slice_index
    assert np.allclose(one.longest_ends, other.longest_ends, atol=1e-9)
    assert np.allclose(one.short_ends, other.short_ends, atol=1e-9)
