"""Segmentations written by highdicom come back voxel by voxel; highdicom reads the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from response.imaging.grid import Grid
from response.io.mask_set import Masks
from response.io.segmentations import read_segmentation
from tests.dicom_factory import axial_grid, oblique_grid, uid_of
from tests.imaging.test_regrid import uneven
from tests.seg_factory import (
    FRAME_OF_REFERENCE,
    LESION,
    LIVER,
    SERIES,
    highdicom_seg,
    on_grid,
    random_mask,
    volume_on,
)


def voxels_of(masks: Masks) -> dict[int, NDArray[np.bool_]]:
    return {mask.name.number: on_grid(mask, masks.grid.shape) for mask in masks.masks}


def odd_grid() -> Grid:
    """Return a grid whose frames do not start on bytes: 7 x 5 pixels."""
    return axial_grid((4, 7, 5), (2.5, 0.9, 0.7))


GRIDS = [axial_grid, oblique_grid, odd_grid, lambda: uneven(oblique_grid()), lambda: axial_grid((1, 16, 12))]
GRID_NAMES = ["axial", "oblique", "frames that start within bytes", "uneven", "one slice"]


@pytest.mark.parametrize("make", GRIDS, ids=GRID_NAMES)
@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_round_trip(tmp_path: Path, make: Callable[[], Grid], kind: str) -> None:
    image = volume_on(make())
    drawn = np.random.default_rng(4).integers(0, 4, image.grid.shape, dtype=np.uint8)
    path = highdicom_seg(tmp_path / "seg.dcm", drawn, image, kind=kind)
    masks = read_segmentation(path, image)
    assert {number: (mask == (drawn == number)).all() for number, mask in voxels_of(masks).items()} == {
        1: True,
        2: True,
        3: True,
    }
    assert masks.grid is image.grid
    assert not masks.is_own_grid
    assert masks.findings == []
    assert [mask.notes for mask in masks.masks] == [()] * 3
    assert (masks.referenced_series_uid, masks.frame_of_reference_uid) == (SERIES, FRAME_OF_REFERENCE)
    assert masks.source == str(path)


def test_crops_are_tight(tmp_path: Path) -> None:
    image = volume_on()
    drawn = np.zeros((*image.grid.shape, 1), np.uint8)
    drawn[1:4, 5:9, 3] = 1
    drawn[2, 5:7, 7] = 1
    mask = read_segmentation(highdicom_seg(tmp_path / "seg.dcm", drawn, image), image).masks[0]
    assert mask.corner == (1, 5, 3)
    assert mask.voxels.shape == (3, 4, 5)
    assert mask.voxels.dtype == np.bool_


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(2, 4), st.integers(3, 9), st.integers(3, 9)),
    segments=st.integers(1, 3),
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.02, 0.3, 0.9]),
)
def test_random_overlapping_segments_of_any_size(
    tmp_path: Path, shape: tuple[int, int, int], segments: int, seed: int, share: float
) -> None:
    image = volume_on(axial_grid(shape))
    drawn = random_mask((*shape, segments), seed, share).astype(np.uint8)
    drawn[0, 0, 0, :] = 1  # highdicom writes no segmentation without any voxel
    masks = read_segmentation(highdicom_seg(tmp_path / "seg.dcm", drawn, image), image)
    assert len(masks.masks) == segments
    for number, mask in voxels_of(masks).items():
        assert (mask == drawn[..., number - 1]).all()


def by_highdicom(path: Path, number: int) -> NDArray[Any]:
    """Return a segment as highdicom reads it, on the slices that hold frames."""
    import highdicom as hd

    volume = hd.seg.segread(path).get_volume(segment_numbers=[number], skip_overlap_checks=True)
    return np.asarray(volume.array[..., 0]) > 0


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_highdicom_reads_the_same_without_an_image(tmp_path: Path, kind: str) -> None:
    image = volume_on(oblique_grid((9, 16, 12)))
    drawn = np.zeros(image.grid.shape, np.uint8)
    drawn[2:4, 3:9, 2:7], drawn[6:8, 4:12, 5:9] = 1, 2
    pixels = drawn if kind != "FRACTIONAL" else np.stack([drawn == 1, drawn == 2], axis=-1).astype(np.float32)
    path = highdicom_seg(tmp_path / "seg.dcm", pixels, image, kind=kind)
    masks = read_segmentation(path)
    assert masks.is_own_grid
    assert masks.grid.shape == (6, 16, 12)  # the slices between the two segments are there, and empty
    assert masks.grid.spacing_mm == pytest.approx(image.grid.spacing_mm)
    assert masks.grid.origins[0] == pytest.approx(image.grid.origins[2])
    for number, mask in voxels_of(masks).items():
        filled = mask.any(axis=(1, 2))
        theirs = by_highdicom(path, number)
        assert (mask[filled] == theirs[theirs.any(axis=(1, 2))]).all()
        assert (mask == (drawn[2:8] == number)).all()


def test_fractions_count_from_half_of_the_largest(tmp_path: Path) -> None:
    image = volume_on()
    fractions = np.random.default_rng(2).random((*image.grid.shape, 1), dtype=np.float32)
    path = highdicom_seg(tmp_path / "seg.dcm", fractions, image, kind="FRACTIONAL")
    stored = np.rint(fractions[..., 0] * 255)
    for threshold, smallest in ((0.5, 128), (0.25, 64), (1.0, 255)):
        masks = read_segmentation(path, image, threshold=threshold)
        assert (voxels_of(masks)[1] == (stored >= smallest)).all()
        assert f"probability is {threshold * 100:g} % or more" in masks.masks[0].notes[0]


@pytest.mark.parametrize("keep_empty", [True, False])
def test_a_segment_without_voxels_is_not_lost(tmp_path: Path, keep_empty: bool) -> None:
    image = volume_on()
    drawn = np.zeros((*image.grid.shape, 3), np.uint8)
    drawn[1, 4:6, 4:6, 0] = drawn[2, 4:6, 4:6, 2] = 1
    masks = read_segmentation(highdicom_seg(tmp_path / "seg.dcm", drawn, image, keep_empty=keep_empty), image)
    assert [(mask.name.number, mask.voxels.size) for mask in masks.masks] == [(1, 4), (2, 0), (3, 4)]
    assert masks.findings == []


def test_what_the_segments_say_about_themselves(tmp_path: Path) -> None:
    image = volume_on()
    drawn = random_mask((*image.grid.shape, 2)).astype(np.uint8)
    path = highdicom_seg(tmp_path / "seg.dcm", drawn, image, codes=[LESION, LIVER], labels=["Target 1", "Liver"])
    lesion, liver = (mask.name for mask in read_segmentation(path, image).masks)
    assert (lesion.label, lesion.tracking_id, lesion.tracking_uid) == ("Target 1", "Lesion 1", uid_of("lesion", 1))
    assert (lesion.category, lesion.kind, lesion.kind_code) == (
        "Morphologically Altered Structure",
        "Neoplasm",
        "108369006^SCT",
    )
    assert (lesion.is_organ, lesion.role) == (False, "target")
    assert (liver.is_organ, liver.role, liver.site, liver.site_code) == (True, "", "Liver", "10200004^SCT")


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80"])
@pytest.mark.parametrize("kind", ["FRACTIONAL", "LABELMAP"])
def test_compressed_by_highdicom(tmp_path: Path, kind: str, syntax: str) -> None:
    pytest.importorskip("openjpeg")
    image = volume_on(axial_grid((3, 64, 48)))
    drawn = np.zeros(image.grid.shape, np.uint8)
    drawn[0:2, 20:30, 10:40], drawn[2, 5:50, 3:9] = 1, 2
    pixels = drawn if kind == "LABELMAP" else np.stack([drawn == 1, drawn == 2], axis=-1).astype(np.float32)
    path = highdicom_seg(tmp_path / "seg.dcm", pixels, image, kind=kind, transfer_syntax=syntax)
    for number, mask in voxels_of(read_segmentation(path, image)).items():
        assert (mask == (drawn == number)).all()
