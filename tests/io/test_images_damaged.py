"""Damaged DICOM images: each gives a volume that is sound, or an error of ours that names the file; nothing else."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from response.errors import InputError, ResponseError
from response.imaging.volume import Volume
from response.io.dicom_headers import scan
from response.io.images import read_series
from tests.dicom_factory import axial_grid, oblique_grid, random_voxels, write_ct_series, write_enhanced

SHAPE = (3, 6, 5)
SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
)


def series(folder: Path, **how: Any) -> list[Path]:
    return write_ct_series(folder, random_voxels(SHAPE), axial_grid(SHAPE), **how)


def assert_sound(volume: Volume) -> None:
    assert volume.voxels.shape == volume.grid.shape
    assert len(volume.sop_instance_uids) == len(volume.frame_numbers) == len(volume.voxels)
    assert np.isfinite(volume.grid.origins).all()
    assert min(volume.grid.row_spacing_mm, volume.grid.column_spacing_mm) > 0
    assert (np.diff(volume.grid.depths_mm) > 0).all()


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("tenth", range(10))
def test_a_slice_cut_off_at_every_tenth(tmp_path: Path, syntax: str, tenth: int) -> None:
    paths = series(tmp_path, transfer_syntax=syntax)
    data = paths[1].read_bytes()
    paths[1].write_bytes(data[: len(data) * tenth // 10])
    with pytest.raises(InputError) as caught:
        read_series(paths)
    assert paths[1].name in str(caught.value)


@pytest.mark.parametrize("tenth", range(10))
def test_a_multi_frame_image_cut_off_at_every_tenth(tmp_path: Path, tenth: int) -> None:
    path = write_enhanced(tmp_path / "mf.dcm", random_voxels(SHAPE), oblique_grid(SHAPE))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * tenth // 10])
    with pytest.raises(InputError):
        read_series([path])


@pytest.mark.parametrize("data", [b"", b"a text\n" * 100, bytes(1000), b"\0" * 128 + b"DICM"])
def test_what_is_no_image_at_all(tmp_path: Path, data: bytes) -> None:
    paths = series(tmp_path)
    paths[0].write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_series(paths)
    assert paths[0].name in str(caught.value)


WRONG_VR = [
    (b"\x28\0\x10\0US", b"\x28\0\x10\0CS"),  # Rows
    (b"\x28\0\x30\0DS", b"\x28\0\x30\0UI"),  # PixelSpacing
    (b"\x28\0\x30\0DS", b"\x28\0\x30\0FD"),
    (b"\x20\0\x32\0DS", b"\x20\0\x32\0SS"),  # ImagePositionPatient
    (b"\x20\0\x37\0DS", b"\x20\0\x37\0AT"),  # ImageOrientationPatient
    (b"\x28\0\x53\x10DS", b"\x28\0\x53\x10PN"),  # RescaleSlope
    (b"\x28\0\x52\x10DS", b"\x28\0\x52\x10ZZ"),  # RescaleIntercept, a VR that does not exist
    (b"\x08\0\x18\0UI", b"\x08\0\x18\0FL"),  # SOPInstanceUID
    (b"\x20\0\x0e\0UI", b"\x20\0\x0e\0\0\0"),  # SeriesInstanceUID, no VR at all
    (b"\x20\0\x13\0IS", b"\x20\0\x13\0DA"),  # InstanceNumber
    (b"\xe0\x7f\x10\0OW", b"\xe0\x7f\x10\0OB"),  # PixelData
    (b"\xe0\x7f\x10\0OW", b"\xe0\x7f\x10\0UN"),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG_VR)
def test_wrong_value_representations(tmp_path: Path, right: bytes, wrong: bytes) -> None:
    paths = series(tmp_path)
    for path in paths:
        data = path.read_bytes()
        assert data.count(right) == 1
        path.write_bytes(data.replace(right, wrong))
    try:
        volume = read_series(paths)
    except ResponseError as error:
        assert str(tmp_path) in str(error)
    else:
        assert_sound(volume)
        assert np.array_equal(volume.voxels, random_voxels(SHAPE))


@pytest.mark.parametrize(
    ("keyword", "is_read"),
    [
        ("SOPClassUID", True),
        ("SOPInstanceUID", True),
        ("SeriesInstanceUID", True),
        ("StudyInstanceUID", True),
        ("FrameOfReferenceUID", True),
        ("PatientID", True),
        ("StudyDate", True),
        ("Modality", True),
        ("ImageType", True),
        ("InstanceNumber", True),
        ("SliceThickness", True),
        ("KVP", True),
        ("SpecificCharacterSet", True),
        ("PhotometricInterpretation", True),
        ("ImagePositionPatient", False),
        ("ImageOrientationPatient", False),
        ("PixelSpacing", False),
        ("Rows", False),
        ("BitsAllocated", False),
        ("PixelData", False),
    ],
)
def test_missing_elements(tmp_path: Path, keyword: str, is_read: bool) -> None:
    import pydicom

    paths = series(tmp_path)
    for path in paths:
        dataset = pydicom.dcmread(path)
        del dataset[keyword]
        dataset.save_as(path)
    if is_read:
        assert np.array_equal(read_series(paths).voxels, random_voxels(SHAPE))
    else:
        with pytest.raises(InputError) as caught:
            read_series(paths)
        assert str(tmp_path) in str(caught.value)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with a few of them changed, cut out, put in or cut off."""
    spoiled = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(spoiled)) if rng.random() < 0.5 else min(132 + rng.randrange(900), len(spoiled) - 1)
        token = rng.choice((b"nan", b"-1", b"99999999", b"\xff\xff\xff\xff", b"\0\0\0\0", b"SQ", b"UN", b"\\"))
        change = rng.randrange(5)
        if change == 0:
            spoiled[at] = rng.randrange(256)
        elif change == 1:
            del spoiled[at : at + rng.randrange(1, 9)]
        elif change == 2:
            spoiled[at : at + len(token)] = token
        elif change == 3:
            spoiled[at:at] = token
        elif rng.random() < 0.3:
            del spoiled[max(at, 1) :]
    return bytes(spoiled)


@pytest.mark.parametrize("kind", [*SYNTAXES, "enhanced", "no preamble"], ids=str)
def test_mutated_files_give_a_sound_volume_or_our_error(
    tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if kind == "enhanced":
        path = write_enhanced(tmp_path / "mf.dcm", random_voxels(SHAPE), oblique_grid(SHAPE), per_frame_rescale=True)
    elif kind == "no preamble":
        path = series(tmp_path, preamble=False)[0]
    else:
        path = series(tmp_path, transfer_syntax=kind, description="portal venous")[0]
    data, rng = path.read_bytes(), random.Random(kind)
    for _ in range(100):
        path.write_bytes(mutated(data, rng))
        scan([path])
        try:
            assert_sound(read_series([path]))
        except ResponseError as error:
            assert path.name in str(error)
    assert capfd.readouterr() == ("", "")
