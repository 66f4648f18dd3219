"""Pixels of every kind: transfer syntaxes, unused bits, claims that the file does not keep."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from response.errors import InputError, MissingExtraError, ResponseError
from response.io import codestreams, pixels
from response.io.codestreams import codestream_size
from response.io.images import read_series
from tests.dicom_factory import axial_grid, oblique_grid, random_voxels, save, write_ct_series, write_enhanced

SHAPE = (3, 64, 48)
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
COMPRESSED = (RLELossless, JPEGLSLossless, JPEG2000Lossless)


@pytest.mark.parametrize("syntax", NATIVE + COMPRESSED, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("signed", [False, True])
def test_transfer_syntaxes(tmp_path: Path, syntax: str, signed: bool) -> None:
    grid, voxels = oblique_grid(SHAPE), random_voxels(SHAPE)
    how: dict[str, Any] = {"signed": signed, "intercept": 0 if signed else -1024, "transfer_syntax": syntax}
    assert np.array_equal(read_series(write_ct_series(tmp_path / "one", voxels, grid, **how)).voxels, voxels)
    frames = write_enhanced(tmp_path / "mf.dcm", voxels, grid, order=[2, 0, 1], **how)
    assert np.array_equal(read_series([frames]).voxels, voxels)


@pytest.mark.parametrize("signed", [False, True])
def test_jpeg_lossless(tmp_path: Path, signed: bool) -> None:
    voxels = smooth(SHAPE) - (1000 if signed else 0)
    paths = jpeg_lossless(tmp_path, voxels, signed=signed)
    assert np.array_equal(read_series(paths).voxels, voxels)


def smooth(shape: tuple[int, int, int]) -> NDArray[np.int16]:
    return np.add.outer(np.add.outer(np.arange(shape[0]), np.arange(shape[1])), np.arange(shape[2])).astype(np.int16)


def jpeg_lossless(folder: Path, voxels: NDArray[Any], *, signed: bool) -> list[Path]:
    """Write a series whose pixels GDCM compresses."""
    sitk = pytest.importorskip("SimpleITK")
    paths = write_ct_series(folder, voxels, axial_grid(voxels.shape), intercept=0, signed=signed)
    for path, plane in zip(paths, voxels, strict=True):
        writer = sitk.ImageFileWriter()
        packed = folder / "packed.dcm"
        writer.SetFileName(str(packed))
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor("JPEG")
        writer.Execute(sitk.GetImageFromArray(plane.astype(np.int16 if signed else np.uint16)))
        source, target = pydicom.dcmread(packed), pydicom.dcmread(path)
        assert source.file_meta.TransferSyntaxUID == JPEGLosslessSV1
        target.PixelData = source.PixelData
        target["PixelData"].is_undefined_length = True
        target.file_meta.TransferSyntaxUID = JPEGLosslessSV1
        target.save_as(path)
        packed.unlink()
    return paths


@pytest.mark.parametrize("fault", ["not installed", "broken"])
def test_gdcm_takes_over_where_pydicom_cannot(tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    voxels = smooth(SHAPE) - 1000
    paths = jpeg_lossless(tmp_path, voxels, signed=True)
    without_decoders(monkeypatch, broken=fault == "broken")
    assert np.array_equal(read_series(paths).voxels, voxels)


def without_decoders(monkeypatch: pytest.MonkeyPatch, *, broken: bool = False) -> None:
    class Decoder:
        is_available = broken
        available_plugins = ("pylibjpeg",) if broken else ()

        def as_array(self, *_: object, **__: object) -> None:
            raise RuntimeError("Unable to decode")

    monkeypatch.setattr(pydicom.pixels, "get_decoder", lambda _: Decoder())


def test_a_missing_decoder_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = axial_grid(SHAPE)
    paths = write_ct_series(tmp_path, random_voxels(SHAPE), grid, transfer_syntax=JPEGLSLossless)
    without_decoders(monkeypatch)
    monkeypatch.setattr(codestreams, "_by_gdcm", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"tumor-response\[codecs\]"):
        read_series(paths)


def test_a_syntax_that_is_none_of_ct_is_refused(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path, random_voxels(SHAPE), axial_grid(SHAPE), transfer_syntax=RLELossless)
    dataset = pydicom.dcmread(paths[0])
    dataset.file_meta.TransferSyntaxUID = MPEG2MPML
    dataset.save_as(paths[0])
    with pytest.raises(InputError, match="MPEG2"):
        read_series(paths[:1])


def test_htj2k_is_known_to_a_decoder() -> None:
    # no encoder is at hand; a decoder must be, with the extra
    assert pydicom.pixels.get_decoder(HTJ2KLossless).is_available


# --- Bits.


def rewritten(path: Path, stored: NDArray[Any], **tags: Any) -> Path:
    """Replace the stored pixels of a file, and elements that describe them."""
    dataset = pydicom.dcmread(path)
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = stored.tobytes()
    dataset.save_as(path)
    return path


@pytest.fixture
def slice_path(tmp_path: Path) -> Path:
    grid = axial_grid((1, 3, 4))
    return write_ct_series(tmp_path, np.zeros(grid.shape), grid, intercept=0)[0]


VALUES = np.array([[-2048, -1, 0, 1], [2, 1000, 2047, -1000], [5, 6, 7, 8]])


@pytest.mark.parametrize(
    ("dirt", "high_bit", "shift"),
    [
        (0x0000, 11, 0),
        (0xF000, 11, 0),  # bits above are set: overlays of old, or a sign that should not be there
        (0x5000, 11, 0),
        (0x000F, 15, 4),  # the value stands in the upper bits
        (0x8003, 13, 2),
    ],
)
@pytest.mark.parametrize("signed", [True, False])
def test_unused_bits_are_dropped(slice_path: Path, dirt: int, high_bit: int, shift: int, signed: bool) -> None:
    values = VALUES if signed else VALUES & 0x0FFF
    stored = ((values & 0x0FFF) << shift | dirt).astype("<u2")
    path = rewritten(slice_path, stored, BitsStored=12, HighBit=high_bit, PixelRepresentation=int(signed))
    assert np.array_equal(read_series([path]).voxels[0], values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("u1", [[0, 1, 254, 255]]),
        ("i1", [[-128, -1, 0, 127]]),
        ("i4", [[-1000, 0, 70_000, 2**30]]),
        ("u4", [[0, 1, 5, 3000]]),
    ],
)
@pytest.mark.parametrize("big_endian", [False, True])
def test_pixels_of_8_and_32_bits(slice_path: Path, kind: str, values: list[list[int]], big_endian: bool) -> None:
    stored = np.array(values * 3, kind)
    bits = stored.itemsize * 8
    how = {"BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": int(kind[0] == "i")}
    path = rewritten(slice_path, stored.astype(stored.dtype.newbyteorder("<")), **how)
    if big_endian:
        dataset = Dataset()
        dataset.update(pydicom.dcmread(path))
        dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
        save(dataset, path, transfer_syntax=ExplicitVRBigEndian)
    voxels = read_series([path]).voxels[0]
    assert voxels.dtype == (np.float32 if np.abs(values).max() > 32767 else np.int16)
    assert np.array_equal(voxels, stored)


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({"SamplesPerPixel": 3}, "colour"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colour"),
        ({"BitsAllocated": 12}, "12 bits per pixel"),
        ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, "1 bits per pixel"),
        ({"BitsStored": 17}, "17 bits stored"),
        ({"BitsStored": 0}, "0 bits stored"),
        ({"HighBit": 16}, "up to bit 16"),
        ({"HighBit": 3, "BitsStored": 12}, "up to bit 3"),
        ({"Rows": 0}, "0 rows"),
        ({"Columns": 65535, "Rows": 65535}, "65535 rows"),
        ({"Rows": 16384, "Columns": 16384}, "the header claims 536870912"),
        ({"NumberOfFrames": 2_000_000_000}, "the header claims 48000000000"),
        ({"Rows": 4}, "24 bytes of pixels where the header claims 32"),
    ],
)
def test_formats_that_cannot_be(slice_path: Path, tags: dict[str, Any], told: str) -> None:
    path = rewritten(slice_path, np.zeros((3, 4), "<u2"), **tags)
    with pytest.raises(InputError, match=told):
        read_series([path])


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated", "PixelData"])
def test_missing_descriptions_of_pixels(slice_path: Path, keyword: str) -> None:
    dataset = pydicom.dcmread(slice_path)
    del dataset[keyword]
    dataset.save_as(slice_path)
    with pytest.raises(InputError):
        read_series([slice_path])


@pytest.mark.parametrize("keyword", ["BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"])
def test_what_can_be_told_without_a_description(slice_path: Path, keyword: str) -> None:
    dataset = pydicom.dcmread(slice_path)
    dataset.PixelData = np.arange(12, dtype="<u2").tobytes()
    del dataset[keyword]
    dataset.save_as(slice_path)
    assert np.array_equal(read_series([slice_path]).voxels.ravel(), np.arange(12))


def test_floating_point_pixels_are_refused(slice_path: Path) -> None:
    dataset = pydicom.dcmread(slice_path)
    del dataset["PixelData"]
    dataset.FloatPixelData = np.zeros(12, "<f4").tobytes()
    dataset.save_as(slice_path)
    with pytest.raises(InputError, match="floating point"):
        read_series([slice_path])


# --- Claims and damage.


def test_pixels_cut_off_name_the_file(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path, random_voxels(SHAPE), axial_grid(SHAPE))
    paths[1].write_bytes(paths[1].read_bytes()[:-1])
    with pytest.raises(InputError, match="ends too early") as caught:
        read_series(paths)
    assert paths[1].name in str(caught.value)


def test_a_file_that_shrinks_between_header_and_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_ct_series(tmp_path, random_voxels((1, 8, 8)), axial_grid((1, 8, 8)))[0]
    read = pixels._read_into

    def shrink(*arguments: Any) -> None:
        path.write_bytes(path.read_bytes()[:-10])
        read(*arguments)

    monkeypatch.setattr(pixels, "_read_into", shrink)
    with pytest.raises(InputError, match="ends too early"):
        read_series([path])


def test_a_series_larger_than_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write_ct_series(tmp_path, random_voxels(SHAPE), axial_grid(SHAPE))
    monkeypatch.setattr(pixels, "LARGEST_VOLUME", 2 * 3 * 64 * 48)
    assert read_series(paths).voxels.shape == SHAPE
    monkeypatch.setattr(pixels, "LARGEST_VOLUME", 2 * 3 * 64 * 48 - 1)
    with pytest.raises(InputError, match="at most"):
        read_series(paths)

    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.undo()
    monkeypatch.setattr(pixels, "_read_whole", no_memory)
    with pytest.raises(InputError, match="fits the memory"):
        read_series(paths)


def compressed(tmp_path: Path, syntax: str = JPEGLSLossless) -> Path:
    return write_ct_series(tmp_path, random_voxels((1, 64, 48)), axial_grid((1, 64, 48)), transfer_syntax=syntax)[0]


@pytest.mark.parametrize("syntax", COMPRESSED, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("tenth", range(1, 10))
def test_compressed_frames_cut_off(tmp_path: Path, syntax: str, tenth: int) -> None:
    path = compressed(tmp_path, syntax)
    dataset = pydicom.dcmread(path)
    frame = next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))
    dataset.PixelData = encapsulate([frame[: len(frame) * tenth // 10 // 2 * 2]])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    try:
        volume = read_series([path])
    except ResponseError as error:
        assert path.name in str(error)
    else:  # JPEG 2000 is made to show what has come so far
        assert syntax == JPEG2000Lossless
        assert volume.voxels.shape == (1, 64, 48)


def test_a_compressed_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    path = compressed(tmp_path)
    dataset = pydicom.dcmread(path)
    dataset.Rows, dataset.Columns = 48, 64
    dataset.save_as(path)
    with pytest.raises(InputError, match="64 rows and 48 columns; expected 48 rows and 64 columns"):
        read_series([path])


def test_a_compressed_claim_beyond_all_ratios_is_refused(tmp_path: Path) -> None:
    path = compressed(tmp_path)
    dataset = pydicom.dcmread(path)
    dataset.Rows = dataset.Columns = 16384
    dataset.NumberOfFrames = 1000
    dataset.save_as(path)
    with pytest.raises(InputError, match="plausible compression"):
        read_series([path])


def test_missing_frames_are_noticed(tmp_path: Path) -> None:
    grid = axial_grid(SHAPE)
    path = write_enhanced(tmp_path / "mf.dcm", random_voxels(SHAPE), grid, transfer_syntax=RLELossless)
    dataset = pydicom.dcmread(path)
    frames = list(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=3))
    dataset.PixelData = encapsulate(frames[:2])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    with pytest.raises(InputError):
        read_series([path])


@pytest.mark.parametrize(
    ("stream", "size"),
    [
        (b"\xff\xd8\xff\xe0\0\4ab\xff\xc3\0\x0b\x0c" + struct.pack(">HH", 512, 300), (512, 300)),
        (b"\xff\xd8\xff\xff\xc1\0\x0b\x0c" + struct.pack(">HH", 7, 9), (7, 9)),  # a fill byte
        (b"\xff\xd8\xff\xc4\0\2\xff\xf7\0\x0b\x0c" + struct.pack(">HH", 7, 9), (7, 9)),  # tables first
        (b"\xff\x4f\xff\x51\0\x29\0\0" + struct.pack(">IIII", 310, 520, 10, 20), (500, 300)),
        (b"\xff\xd8\xff\xd9", None),
        (b"\xff\xd8" + b"\xff\xe0\0\0" * 10, None),
        (b"", None),
        (b"RLE", None),
    ],
)
def test_sizes_in_compressed_streams(stream: bytes, size: tuple[int, int] | None) -> None:
    assert codestream_size(stream) == size
