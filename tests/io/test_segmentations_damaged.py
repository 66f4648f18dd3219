"""Segmentations that are damaged, or claim more than they hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from response.errors import InputError
from response.io import codestreams, mask_pieces
from response.io.segmentations import read_segmentation
from tests.dicom_factory import axial_grid
from tests.io.test_segmentations_frames import SHAPE, frames_of
from tests.io.test_segmentations_pixels import J2K, JLS
from tests.seg_factory import DEFLATED_FRAMES, on_grid, plain_seg, random_mask, volume_on


def number_of_frames(count: int) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(dataset, "NumberOfFrames", count)


@pytest.mark.parametrize("claimed", [3, 5, 7, 100_000_000])
def test_a_number_of_frames_that_is_wrong(tmp_path: Path, claimed: int) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    masks = read_segmentation(
        plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image, edit=number_of_frames(claimed)), image
    )
    assert (on_grid(masks.masks[0], SHAPE) == drawn).all()
    assert [finding.id for finding in masks.findings] == ([] if claimed == 5 else ["frame_count"])


def test_one_frame_that_is_described_among_several_claimed(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    path = plain_seg(tmp_path / "seg.dcm", [(1, 2, drawn[2])], image, edit=number_of_frames(5))
    masks = read_segmentation(path, image)
    assert (on_grid(masks.masks[0], SHAPE)[2] == drawn[2]).all()
    assert [(finding.id, finding.severity) for finding in masks.findings] == [("frame_count", "error")]


def test_eight_bits_of_no_known_kind(tmp_path: Path) -> None:
    frames = [(1, index, plane * 255) for index, plane in enumerate(random_mask(SHAPE))]
    path = plain_seg(
        tmp_path / "seg.dcm", frames, volume_on(), kind="FRACTIONAL", bits=8, edit=without("SegmentationType")
    )
    with pytest.raises(InputError, match="the segmentation type ''"):
        read_segmentation(path)


def test_missing_frames_cost_only_their_segments(tmp_path: Path) -> None:
    image, drawn = volume_on(axial_grid((5, 17, 13))), random_mask((5, 17, 13))
    frames = [*frames_of(drawn), *frames_of(drawn, 2)]
    whole = np.packbits(np.stack([plane for *_, plane in frames]).ravel(), bitorder="little").tobytes()
    path = plain_seg(tmp_path / "seg.dcm", frames, image, pixels=whole[: 7 * 17 * 13 // 8 + 1])
    masks = read_segmentation(path, image)
    assert [mask.name.number for mask in masks.masks] == [1]
    assert (on_grid(masks.masks[0], drawn.shape) == drawn).all()
    assert [(finding.id, finding.severity, finding.lesion) for finding in masks.findings] == [
        ("segment_incomplete", "error", "Segment 2")
    ]
    assert masks.findings[0].found == "3 unusable frames"


# Where codestreams say how large they are: bytes from their start, and what stands there for frames of 40 x 40.
CLAIMS = [
    (J2K, b"\xff\x4f\xff\x51", 8, b"\0\0\0\x28\0\0\0\x28", b"\0\1\0\0\0\1\0\0"),  # 65536 x 65536
    (J2K, b"\xff\x4f\xff\x51", 40, b"\0\1", b"\x40\0"),  # 16384 components
    (JLS, b"\xff\xd8\xff\xf7", 7, b"\0\x28\0\x28", b"\xff\xff\xff\xff"),
    (JLS, b"\xff\xd8\xff\xf7", 11, b"\1", b"\xff"),
]


@pytest.mark.parametrize("case", CLAIMS)
def test_codestreams_that_claim_more_are_never_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[str, bytes, int, bytes, bytes]
) -> None:
    pytest.importorskip("openjpeg")
    syntax, start, offset, usual, claim = case
    image, drawn = volume_on(axial_grid((5, 40, 40))), random_mask((5, 40, 40))
    frames = [(number, index, drawn[index] * 255) for number in (1, 2) for index in range(5)]
    path = plain_seg(tmp_path / "a.dcm", frames, image, kind="FRACTIONAL", bits=8, transfer_syntax=syntax)
    data = bytearray(path.read_bytes())
    at = [at for at in range(len(data)) if data[at : at + len(start)] == start][6] + offset
    assert data[at : at + len(usual)] == usual
    data[at : at + len(usual)] = claim
    path.write_bytes(data)
    decoded, decode = [], codestreams._decoded

    def counted(*words: Any) -> NDArray[Any]:
        decoded.append(words)
        return decode(*words)

    monkeypatch.setattr(codestreams, "_decoded", counted)
    assert [mask.name.number for mask in read_segmentation(path, image).masks] == [1]
    assert len(decoded) == 9


def test_a_damaged_fragment_costs_only_its_segment(tmp_path: Path) -> None:
    pytest.importorskip("openjpeg")
    image, drawn = volume_on(axial_grid((5, 40, 40))), random_mask((5, 40, 40))
    good = [(number, index, drawn[index] * 255) for number in (1, 2) for index in range(5)]
    intact = plain_seg(tmp_path / "good.dcm", good, image, kind="FRACTIONAL", bits=8, transfer_syntax=J2K)
    data = bytearray(intact.read_bytes())
    starts = [at for at in range(len(data)) if data[at : at + 4] == b"\xff\x4f\xff\x51"]
    data[starts[6] + 8 : starts[6] + 16] = b"\x00\x01\x00\x00" * 2  # 65536 x 65536 pixels
    damaged = tmp_path / "damaged.dcm"
    damaged.write_bytes(data)
    masks = read_segmentation(damaged, image)
    assert [mask.name.number for mask in masks.masks] == [1]
    assert [finding.lesion for finding in masks.findings] == ["Segment 2"]


def test_a_damaged_frame_of_a_label_map_costs_all(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    pixels = encapsulate([b"no deflated data"] * 5, has_bot=False)
    path = plain_seg(
        tmp_path / "seg.dcm",
        frames_of(drawn),
        image,
        kind="LABELMAP",
        bits=8,
        transfer_syntax=DEFLATED_FRAMES,
        pixels=pixels,
    )
    with pytest.raises(InputError, match="5 compressed frames that cannot be read"):
        read_segmentation(path, image)


def set_tags(**values: Any) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        for keyword, value in values.items():
            setattr(dataset, keyword, value)

    return edit


def set_measures(**values: Any) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        set_tags(**values)(dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0])

    return edit


def set_orientation(*values: str) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        groups = dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
        groups.ImageOrientationPatient = list(values)

    return edit


def without(*keywords: str) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        for keyword in keywords:
            dataset.pop(keyword)

    return edit


def with_positions(*values: str) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        for groups in dataset.PerFrameFunctionalGroupsSequence:
            groups.PlanePositionSequence[0].ImagePositionPatient = list(values)

    return edit


REFUSED = [
    # what                       edit                                              message
    ("no rows", set_tags(Rows=0), "0 rows"),
    ("rows without columns", without("Columns"), "16 rows and 0 columns"),
    ("a bomb", set_tags(Rows=65535, Columns=65535), "65535 rows"),
    ("large frames that are not there", set_tags(Rows=8000, Columns=8000), "bytes of pixels"),
    ("bits of no segmentation", set_tags(BitsAllocated=32), "32 bits"),
    ("no bits", without("BitsAllocated"), "0 bits"),
    ("no pixels", without("PixelData"), "no pixel data"),
    ("another type", set_tags(SegmentationType="SURFACE"), "type 'SURFACE'"),
    ("no frame groups", without("PerFrameFunctionalGroupsSequence"), "5 frames without description"),
    ("a spacing of zero", set_measures(PixelSpacing=["0", "0.5"]), "spacing that is missing, zero"),
    ("a spacing that is no number", set_measures(PixelSpacing=["NaN", "0.5"]), "spacing that is missing, zero"),
    ("a spacing below zero", set_measures(PixelSpacing=["-1", "0.5"]), "spacing that is missing, zero"),
    ("a spacing in metres", set_measures(PixelSpacing=["0.0005", "0.0005"]), "no number or absurd"),
    ("an absurd spacing", set_measures(PixelSpacing=["1e300", "1e300"]), "no number or absurd"),
    ("positions out of this world", with_positions("1e300", "0", "0"), "positions that are missing or no numbers"),
    ("one number of spacing", set_measures(PixelSpacing=["1"]), "spacing that is missing, zero"),
    ("no directions", set_orientation("0", "0", "0", "0", "0", "0"), "orientation that is missing"),
    ("parallel directions", set_orientation("1", "0", "0", "1", "0", "0"), "orientation that is missing"),
    ("five numbers of direction", set_orientation("1", "0", "0", "0", "1"), "orientation that is missing"),
    ("positions that are no numbers", with_positions("NaN", "0", "0"), "positions that are missing or no numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_cannot_be_read_at_all(tmp_path: Path, edit: Callable[[Dataset], None], message: str) -> None:
    path = plain_seg(tmp_path / "seg.dcm", frames_of(random_mask(SHAPE)), volume_on(), edit=edit)
    with pytest.raises(InputError, match=message) as error:
        read_segmentation(path)
    assert error.value.where == str(path)


def test_files_cut_off_anywhere_are_refused_in_our_words(tmp_path: Path) -> None:
    path = plain_seg(tmp_path / "seg.dcm", frames_of(random_mask(SHAPE)), volume_on())
    whole = path.read_bytes()
    cut = tmp_path / "cut.dcm"
    for size in range(0, len(whole) - 1, 97):
        cut.write_bytes(whole[:size])
        with pytest.raises(InputError):
            read_segmentation(cut, volume_on())


def test_damaged_bytes_give_a_result_or_our_own_error(tmp_path: Path) -> None:
    image = volume_on()
    path = plain_seg(tmp_path / "seg.dcm", frames_of(random_mask(SHAPE)), image)
    whole = path.read_bytes()
    random, damaged = np.random.default_rng(8), tmp_path / "damaged.dcm"
    for _ in range(150):
        data = bytearray(whole)
        for at in random.integers(132, len(data), 3):
            data[at] = random.integers(256)
        damaged.write_bytes(data)
        try:
            masks = read_segmentation(damaged, image)
        except InputError:
            continue
        assert all(mask.voxels.ndim == 3 for mask in masks.masks)


def test_compressed_pixels_that_are_not_encapsulated(tmp_path: Path) -> None:
    def plainly(dataset: Dataset) -> None:
        dataset["PixelData"].is_undefined_length = False

    drawn = random_mask(SHAPE)
    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), volume_on())
    data = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    path.write_bytes(data)
    with pytest.raises(InputError, match="not encapsulated"):
        read_segmentation(path)


def test_ten_thousand_tiny_components(tmp_path: Path) -> None:
    image = volume_on(axial_grid((4, 100, 100)))
    drawn = np.zeros((4, 100, 100), np.bool_)
    drawn[:, ::2, ::2] = True  # 10,000 single voxels
    masks = read_segmentation(plain_seg(tmp_path / "seg.dcm", frames_of(drawn, slices=range(4)), image), image)
    assert masks.masks[0].voxels.sum() == 10_000


def test_small_files_cannot_claim_all_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = volume_on()
    corners = np.zeros(SHAPE, np.bool_)
    corners[:, 0, 0] = corners[:, -1, -1] = True
    frames = [(number, index, corners[index]) for number in range(1, 5) for index in (0, 4)]
    path = plain_seg(tmp_path / "seg.dcm", frames, image)
    monkeypatch.setattr(mask_pieces, "LARGEST_CROPS", 2 * corners.size)
    masks = read_segmentation(path, image)
    assert [mask.name.number for mask in masks.masks] == [1, 2]
    assert [(finding.id, finding.lesion) for finding in masks.findings] == [
        ("masks_too_large", "Segment 3"),
        ("masks_too_large", "Segment 4"),
    ]
    monkeypatch.setattr(mask_pieces, "LARGEST_CROPS", 2 * corners[0].size)  # on the own grid, without empty slices
    assert [mask.name.number for mask in read_segmentation(path).masks] == [1]
