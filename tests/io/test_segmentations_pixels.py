"""Pixels in every form that a segmentation may have."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import SegmentationStorage

from response.io.segmentations import read_segmentation
from tests.dicom_factory import axial_grid, set_tags
from tests.io.test_segmentations_frames import SHAPE, frames_of
from tests.seg_factory import DEFLATED_FRAMES, code, on_grid, plain_seg, random_mask, segment, volume_on

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
DEFLATED, RLE, J2K, JLS = (
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.80",
)
Bools = NDArray[np.bool_]

FORMS = [
    # kind         bits  transfer syntax
    ("BINARY", 1, IMPLICIT),
    ("BINARY", 1, EXPLICIT),
    ("BINARY", 1, BIG),
    ("BINARY", 1, DEFLATED),
    ("BINARY", 1, DEFLATED_FRAMES),
    ("BINARY", 1, J2K),
    ("BINARY", 1, JLS),
    ("BINARY", 8, EXPLICIT),  # not allowed, and written
    ("BINARY", 8, RLE),
    ("FRACTIONAL", 8, IMPLICIT),
    ("FRACTIONAL", 8, BIG),
    ("FRACTIONAL", 8, RLE),
    ("FRACTIONAL", 8, J2K),
    ("FRACTIONAL", 8, JLS),
    ("FRACTIONAL", 8, DEFLATED_FRAMES),
    ("LABELMAP", 8, EXPLICIT),
    ("LABELMAP", 8, RLE),
    ("LABELMAP", 16, EXPLICIT),
    ("LABELMAP", 16, BIG),
    ("LABELMAP", 16, RLE),
    ("LABELMAP", 16, J2K),
    ("LABELMAP", 16, DEFLATED_FRAMES),
]


@pytest.mark.parametrize(("kind", "bits", "syntax"), FORMS)
def test_every_form(tmp_path: Path, kind: str, bits: int, syntax: str) -> None:
    image = volume_on(axial_grid((5, 35, 33)))  # frames of 1155 pixels: not whole bytes
    label = 300 if bits == 16 else 1
    drawn = random_mask(image.grid.shape)
    if syntax in {RLE, J2K, JLS}:
        pytest.importorskip("openjpeg")
    scale = {"BINARY": 1, "FRACTIONAL": 255, "LABELMAP": label}[kind]
    frames = [(1, index, drawn[index] * scale) for index in (3, 1, 0, 2, 4)]
    path = plain_seg(
        tmp_path / "seg.dcm", frames, image, kind=kind, bits=bits, transfer_syntax=syntax, segments=[segment(label)]
    )
    masks = read_segmentation(path, image)
    assert [mask.name.number for mask in masks.masks] == [label if kind == "LABELMAP" else 1] or kind != "LABELMAP"
    whole = [mask for mask in masks.masks if mask.voxels.size]
    assert (on_grid(whole[0], drawn.shape) == drawn).all()
    assert masks.findings == []


def rolled(data: bytes) -> bytes:
    """Return one RLE segment (PS3.5, annex G): literal runs, and a header of 64 bytes."""
    parts = [data[start : start + 128] for start in range(0, len(data), 128)]
    body = b"".join(bytes([len(part) - 1]) + part for part in parts)
    return (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56) + body + bytes(len(body) % 2)


@pytest.mark.parametrize("packed", [True, False])
def test_bits_in_rle(tmp_path: Path, packed: bool) -> None:
    image, drawn = volume_on(axial_grid((5, 17, 13))), random_mask((5, 17, 13))

    def bytes_of(plane: Bools) -> bytes:
        bits = plane.astype(np.uint8).ravel()
        return np.packbits(bits, bitorder="little").tobytes() if packed else bits.tobytes()

    pixels = encapsulate([rolled(bytes_of(plane)) for plane in drawn])
    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image, transfer_syntax=RLE, pixels=pixels)
    assert (on_grid(read_segmentation(path, image).masks[0], drawn.shape) == drawn).all()


def test_runs_in_rle(tmp_path: Path) -> None:
    image = volume_on(axial_grid((1, 16, 16)))
    body = bytes([256 - 15, 0xFF, 128, 256 - 15, 0x00])  # 16 bytes of ones, nothing, 16 bytes of zeros
    frame = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56) + body + b"\0"
    frames = [(1, 0, np.zeros((16, 16), np.bool_))]
    path = plain_seg(tmp_path / "seg.dcm", frames, image, transfer_syntax=RLE, pixels=encapsulate([frame]))
    found = on_grid(read_segmentation(path, image).masks[0], (1, 16, 16))
    assert found[0, :8].all()
    assert not found[0, 8:].any()


def test_big_endian_words_of_packed_bits(tmp_path: Path) -> None:
    # As OW, the bytes of each pair are exchanged.
    image, drawn = volume_on(axial_grid((4, 8, 8))), random_mask((4, 8, 8))
    data = np.packbits(drawn.astype(np.uint8).ravel(), bitorder="little").reshape(-1, 2)[:, ::-1].tobytes()

    def as_words(dataset: Dataset) -> None:
        dataset["PixelData"].VR = "OW"

    path = plain_seg(
        tmp_path / "seg.dcm",
        frames_of(drawn, slices=range(4)),
        image,
        transfer_syntax=BIG,
        pixels=data,
        edit=as_words,
    )
    assert (on_grid(read_segmentation(path, image).masks[0], drawn.shape) == drawn).all()


def test_big_endian_words_of_bytes(tmp_path: Path) -> None:
    image, drawn = volume_on(axial_grid((4, 8, 8))), random_mask((4, 8, 8))
    data = (drawn * np.uint8(255)).reshape(-1, 2)[:, ::-1].tobytes()

    def as_words(dataset: Dataset) -> None:
        dataset["PixelData"].VR = "OW"

    frames = [(1, index, plane * 255) for index, plane in enumerate(drawn)]
    path = plain_seg(
        tmp_path / "seg.dcm",
        frames,
        image,
        kind="FRACTIONAL",
        bits=8,
        transfer_syntax=BIG,
        pixels=data,
        edit=as_words,
    )
    assert (on_grid(read_segmentation(path, image).masks[0], drawn.shape) == drawn).all()


FRACTIONS = [
    # MaximumFractionalValue, threshold, smallest value that counts
    (255, 0.5, 128),
    (200, 0.5, 100),  # exactly half counts
    (100, 0.25, 25),
    (1, 0.5, 1),
    (255, 0.0, 1),  # 0 never counts
]


@pytest.mark.parametrize(("largest", "threshold", "smallest"), FRACTIONS)
def test_fractions(tmp_path: Path, largest: int, threshold: float, smallest: int) -> None:
    image = volume_on(axial_grid((1, 16, 16)))
    values = np.arange(256).reshape(16, 16)
    path = plain_seg(
        tmp_path / "seg.dcm",
        [(1, 0, values)],
        image,
        kind="FRACTIONAL",
        bits=8,
        edit=lambda dataset: setattr(dataset, "MaximumFractionalValue", largest),
    )
    mask = read_segmentation(path, image, threshold=threshold).masks[0]
    assert (on_grid(mask, (1, 16, 16))[0] == (values >= smallest)).all()


def test_occupancy_is_said(tmp_path: Path) -> None:
    image = volume_on(axial_grid((1, 16, 16)))
    path = plain_seg(
        tmp_path / "seg.dcm",
        [(1, 0, np.full((16, 16), 200))],
        image,
        kind="FRACTIONAL",
        bits=8,
        edit=lambda dataset: setattr(dataset, "SegmentationFractionalType", "OCCUPANCY"),
    )
    assert read_segmentation(path, image).masks[0].notes == ("voxels whose occupancy is 50 % or more were counted",)


KINDS = [
    # kind        bits  what is changed                                          is a label map
    ("LABELMAP", 8, {"SegmentationType": None}, True),
    ("LABELMAP", 8, {"SOPClassUID": SegmentationStorage}, True),
    ("BINARY", 1, {"SegmentationType": None}, False),
]


@pytest.mark.parametrize(("kind", "bits", "changes", "is_labelmap"), KINDS)
def test_kinds_that_are_only_half_said(
    tmp_path: Path, kind: str, bits: int, changes: dict[str, str | None], is_labelmap: bool
) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    path = plain_seg(
        tmp_path / "seg.dcm",
        [(1, index, drawn[index] * (3 if is_labelmap else 1)) for index in range(5)],
        image,
        kind=kind,
        bits=bits,
        segments=[segment(3 if is_labelmap else 1)],
        edit=lambda dataset: set_tags(dataset, changes),
    )
    masks = read_segmentation(path, image)
    assert [mask.name.number for mask in masks.masks] == [3 if is_labelmap else 1]
    assert (on_grid(masks.masks[0], SHAPE) == drawn).all()


def test_labels_without_description_and_a_described_background(tmp_path: Path) -> None:
    image = volume_on(axial_grid((2, 8, 8)))
    plane = np.zeros((8, 8), np.uint8)
    plane[1:3, 1:3], plane[5:7, 2:6] = 4, 9
    background = segment(0, "Background", SegmentedPropertyTypeCodeSequence=code("125040", "DCM", "Background"))
    path = plain_seg(
        tmp_path / "seg.dcm",
        [(0, 1, plane)],
        image,
        kind="LABELMAP",
        bits=8,
        segments=[background, segment(9, "nine"), segment(11, "none")],
    )
    masks = read_segmentation(path, image)
    assert [(mask.name.number, mask.name.label, mask.voxels.size) for mask in masks.masks] == [
        (9, "nine", 8),
        (11, "none", 0),
        (4, "", 4),
    ]
