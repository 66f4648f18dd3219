"""Enhanced multi-frame CT and MR: frames in any order, several stacks in one file, values shared or per frame."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from response.errors import InputError
from response.io.images import read_series
from tests.dicom_factory import axial_grid, oblique_grid, random_voxels, uid_of, write_enhanced

GRID = oblique_grid((4, 6, 5))
VOXELS = random_voxels(GRID.shape, seed=1)
OTHER = random_voxels(GRID.shape, seed=2)
BOTH = np.concatenate([VOXELS, OTHER])
TWICE = [0, 1, 2, 3, 0, 1, 2, 3]
MUDDLED = [6, 1, 4, 3, 0, 5, 2, 7]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_frames_are_sorted_by_place(tmp_path: Path, order: Sequence[int], modality: str) -> None:
    path = write_enhanced(tmp_path / "mf.dcm", VOXELS, GRID, order=order, modality=modality)
    volume = read_series([path])
    assert np.array_equal(volume.voxels, VOXELS)
    np.testing.assert_allclose(volume.grid.origins, GRID.origins, atol=1e-6)
    np.testing.assert_allclose(volume.grid.along_row, GRID.along_row, atol=1e-6)
    np.testing.assert_allclose(volume.grid.spacing_mm, GRID.spacing_mm, atol=1e-6)
    assert volume.frame_numbers == tuple(order.index(slice_) + 1 for slice_ in range(4))
    assert set(volume.sop_instance_uids) == {uid_of(volume.series_instance_uid, "multi-frame")}
    assert volume.acquisition.modality == modality
    assert volume.acquisition.slice_thickness_mm == GRID.slice_spacing_mm
    assert volume.faults == ()


def test_rescale_per_frame(tmp_path: Path) -> None:
    slopes, intercepts = [1, 2, 0.5, 1], [-1024, 0, 10, -3]
    values = np.stack([s * (plane + 1100.0) + i for s, i, plane in zip(slopes, intercepts, VOXELS, strict=True)])
    path = write_enhanced(
        tmp_path / "mf.dcm",
        values,
        GRID,
        order=[3, 0, 2, 1],
        slope=slopes,
        intercept=intercepts,
        per_frame_rescale=True,
    )
    volume = read_series([path])
    assert volume.voxels.dtype == np.float32
    assert np.array_equal(volume.voxels, values)


def test_one_frame_has_a_number(tmp_path: Path) -> None:
    volume = read_series([write_enhanced(tmp_path / "mf.dcm", VOXELS[:1], axial_grid((1, 6, 5)))])
    assert volume.frame_numbers == (1,)


def several(group: str, *values: dict[str, Any]) -> list[dict[str, dict[str, Any]]]:
    """Return, for frames of two sets, an item of one functional group each."""
    return [{group: value} for value in values for _ in range(4)]


@pytest.mark.parametrize(
    ("group", "first", "second", "words"),
    [
        ("FrameContentSequence", {"StackID": "1"}, {"StackID": "2"}, "stack"),
        ("FrameContentSequence", {"TemporalPositionIndex": 1}, {"TemporalPositionIndex": 2}, "temporal position"),
        ("FrameContentSequence", {"FrameAcquisitionNumber": 1}, {"FrameAcquisitionNumber": 2}, "acquisition number"),
        ("MRDiffusionSequence", {"DiffusionBValue": 0.0}, {"DiffusionBValue": 800.0}, "b-value"),
        ("MREchoSequence", {"EffectiveEchoTime": 4.6}, {"EffectiveEchoTime": 9.2}, "echo time"),
        (
            "MRImageFrameTypeSequence",
            {"FrameType": ["ORIGINAL", "PRIMARY", "T1", "NONE"]},
            {"FrameType": ["DERIVED", "PRIMARY", "MAP", "NONE"]},
            "image type",
        ),
        (
            "ContrastBolusUsageSequence",
            {"ContrastBolusAgentPhase": "PRE_CONTRAST"},
            {"ContrastBolusAgentPhase": "PORTAL_VENOUS"},
            "contrast phase",
        ),
        (
            "FrameContentSequence",
            {"FrameAcquisitionDateTime": "20240101100000"},
            {"FrameAcquisitionDateTime": "20240101100500"},
            "order of acquisition only",
        ),
    ],
)
def test_volumes_in_one_file_are_never_mixed(
    tmp_path: Path, group: str, first: dict[str, Any], second: dict[str, Any], words: str
) -> None:
    path = write_enhanced(
        tmp_path / "mf.dcm",
        BOTH,
        GRID,
        slices=TWICE,
        order=MUDDLED,
        modality="MR",
        frame_tags=several(group, first, second),
    )
    volume = read_series([path])
    assert any(np.array_equal(volume.voxels, voxels) for voxels in (VOXELS, OTHER))
    assert volume.faults == (f"4 slices were left out, of another volume than the 4 read (different {words})",)


def test_the_contrast_phase_of_the_frames_read_counts(tmp_path: Path) -> None:
    phases = several(
        "ContrastBolusUsageSequence",
        {"ContrastBolusAgentPhase": "ARTERIAL"},
        {"ContrastBolusAgentPhase": "PORTAL_VENOUS"},
    )
    path = write_enhanced(tmp_path / "mf.dcm", BOTH[:7], GRID, slices=TWICE[:7], frame_tags=phases)
    volume = read_series([path])
    assert np.array_equal(volume.voxels, VOXELS)
    assert volume.acquisition.phase == "arterial"


def test_stacks_that_lie_one_after_the_other_are_one_volume(tmp_path: Path) -> None:
    grid = axial_grid((8, 6, 5))
    stacks = several("FrameContentSequence", {"StackID": "1"}, {"StackID": "2"})
    volume = read_series([write_enhanced(tmp_path / "mf.dcm", BOTH, grid, order=MUDDLED, frame_tags=stacks)])
    assert np.array_equal(volume.voxels, BOTH)
    assert volume.faults == ()


@pytest.mark.parametrize(("shift_mm", "slices"), [(16.0, 8), (0.0, 4)], ids=["a concatenation", "the same places"])
def test_several_files(tmp_path: Path, shift_mm: float, slices: int) -> None:
    series = {"series_uid": uid_of("series")}
    above = replace(GRID, origins=GRID.origins + shift_mm * GRID.normal)
    paths = [write_enhanced(tmp_path / "1.dcm", VOXELS, GRID, order=[1, 0, 3, 2], **series)]
    paths += [write_enhanced(tmp_path / "2.dcm", OTHER, above, tags={"SOPInstanceUID": uid_of(2)}, **series)]
    volume = read_series(paths[::-1])
    assert len(volume.voxels) == slices
    assert np.array_equal(volume.voxels[:4], VOXELS)
    assert len(volume.faults) == (slices == 4)


def test_duplicate_frames_are_left_out(tmp_path: Path) -> None:
    path = write_enhanced(tmp_path / "mf.dcm", BOTH[:5], GRID, slices=TWICE[:5], order=[4, 0, 1, 2, 3])
    volume = read_series([path])
    assert len(volume.voxels) == 4
    assert volume.faults == ("1 slice was left out, for others lie at the same place (duplicate slices)",)


def edited(path: Path, edit: Any) -> Path:
    dataset = pydicom.dcmread(path)
    edit(dataset)
    dataset.save_as(path)
    return path


def without_positions(dataset: Dataset) -> None:
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence


def without_spacing(dataset: Dataset) -> None:
    del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence


def too_few_headers(dataset: Dataset) -> None:
    dataset.PerFrameFunctionalGroupsSequence.pop()


def too_many_frames(dataset: Dataset) -> None:
    dataset.NumberOfFrames = 5
    dataset.PerFrameFunctionalGroupsSequence.append(dataset.PerFrameFunctionalGroupsSequence[0])


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (without_positions, "4 slices without position"),
        (without_spacing, "no PixelSpacing"),
        (too_few_headers, "3 headers for 4 frames"),
        (too_many_frames, "240 bytes of pixels where the header claims 300"),
    ],
)
def test_damaged_functional_groups(tmp_path: Path, edit: Any, told: str) -> None:
    path = edited(write_enhanced(tmp_path / "mf.dcm", VOXELS, GRID), edit)
    with pytest.raises(InputError, match=told):
        read_series([path])


def test_legacy_converted_images_keep_what_classic_headers_said(tmp_path: Path) -> None:
    def convert(dataset: Dataset) -> None:
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.2"
        shared = Dataset()
        shared.KVP, shared.ConvolutionKernel, shared.ContrastBolusAgent = "110", "I31f", "Ultravist"
        dataset.SharedFunctionalGroupsSequence[0].UnassignedSharedConvertedAttributesSequence = [shared]
        for index, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
            own = Dataset()
            own.AcquisitionNumber = 1 + index % 2
            frame.UnassignedPerFrameConvertedAttributesSequence = [own]

    grid = axial_grid((4, 6, 5))
    path = edited(write_enhanced(tmp_path / "mf.dcm", VOXELS, grid, slices=[0, 0, 1, 1]), convert)
    volume = read_series([path])
    assert (volume.acquisition.kvp, volume.acquisition.kernel, volume.acquisition.phase) == (110, "I31f", "contrast")
    assert np.array_equal(volume.voxels, VOXELS[::2])
    assert any("acquisition number" in fault for fault in volume.faults)


def test_a_header_of_many_frames_is_longer_than_the_first_piece(tmp_path: Path) -> None:
    grid, voxels = axial_grid((600, 4, 4)), random_voxels((600, 4, 4))
    path = write_enhanced(tmp_path / "mf.dcm", voxels, grid)
    assert path.stat().st_size > 1 << 16
    assert np.array_equal(read_series([path]).voxels, voxels)
