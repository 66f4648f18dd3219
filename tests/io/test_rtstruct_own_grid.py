"""Structure sets without an image: slices on the planes of the contours, fine pixels."""

from pathlib import Path

import numpy as np
import pytest

from tests.dicom_factory import oblique_grid
from tests.io.test_rtstruct import BOX, read
from tests.rtstruct_factory import Roi, outline, square
from tests.seg_factory import volume_on


def test_own_grid(tmp_path: Path) -> None:
    image = volume_on(oblique_grid())
    contours = [outline(image.grid, index, BOX) for index in (0, 1, 3)]
    masks = read(tmp_path, [Roi("lesion", contours)], image, on=None)
    assert masks.is_own_grid
    assert masks.grid.spacing_mm == pytest.approx((4.0, 0.5, 0.5))
    assert np.abs(masks.grid.normal @ image.grid.normal) == pytest.approx(1, abs=1e-6)
    mask = masks.masks[0]
    assert sorted(mask.outlines) == [0, 1, 3]
    area = 6 * 0.9 * 6 * 0.6
    assert mask.voxels.sum() * 0.25 == pytest.approx(3 * area, rel=0.06)
    for index, source in zip((0, 1, 3), contours, strict=True):
        points = masks.grid.points(index, *mask.outlines[index][0].T)
        assert points == pytest.approx(source, abs=1e-4)


def test_own_grid_of_axial_contours_is_axial(tmp_path: Path) -> None:
    image = volume_on()
    contours = [outline(image.grid, index, BOX[::-1]) for index in (1, 2)]  # drawn the other way round
    masks = read(tmp_path, [Roi("lesion", contours)], image, on=None)
    assert masks.grid.normal.tolist() == [0, 0, 1]
    assert masks.grid.along_row.tolist() == [1, 0, 0]
    assert masks.grid.slice_spacing_mm == pytest.approx(3.0)
    assert masks.findings == []


def test_own_grid_of_one_slice_has_no_volume(tmp_path: Path) -> None:
    image = volume_on()
    masks = read(tmp_path, [Roi("lesion", [outline(image.grid, 1, BOX)])], image, on=None)
    assert masks.grid.slice_spacing_mm == 0
    assert [finding.id for finding in masks.findings] == ["slice_spacing_unknown"]


def test_depths_with_rounding_make_no_thin_slices(tmp_path: Path) -> None:
    image = volume_on()
    contours = [outline(image.grid, index, BOX, above_mm=above) for index, above in enumerate((0, 0.02, -0.02, 0, 0))]
    contours.append(outline(image.grid, 2, square(0.5, 0.5, 2.5, 2.5), above_mm=0.03))
    masks = read(tmp_path, [Roi("lesion", contours)], image, on=None)
    assert masks.grid.shape[0] == 5
    assert masks.grid.slice_spacing_mm == pytest.approx(3.0, abs=0.05)
