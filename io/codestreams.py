"""Compressed frames: RLE, JPEG (lossless and lossy), JPEG-LS, JPEG 2000 and HTJ2K.

pydicom's decoders go first, then GDCM through SimpleITK. Before that the size that the compressed stream itself claims
is held against that of the header, for a decoder takes memory for what the stream says. Sources: DICOM PS3.5, 8.2 and
A.4; ITU-T T.81, B.2.2 (frame header); T.87, C.2.2; T.800, A.5.1 (SIZ).
"""

import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from response.errors import InputError, MissingExtraError
from response.io.dicom_bytes import shown
from response.io.dicom_files import DicomFile, quiet_pydicom
from response.io.dicom_values import DAMAGED
from response.io.pixel_format import PixelFormat

_EXPECTED: Final = "whole compressed pixel data"
_JPEG_START: Final = b"\xff\xd8"
_JPEG_2000_START: Final = b"\xff\x4f\xff\x51"
_FRAME_HEADERS: Final = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}  # SOFn, and that of JPEG-LS
_JPEG_END: Final = b"\xff\xd9"  # of JPEG 2000 too
_PADDING: Final = 16  # bytes that may stand behind it
_PREFERRED: Final = {
    **dict.fromkeys(JPEGLSTransferSyntaxes, "pyjpegls"),  # four times faster than the one that pydicom tries first
    **dict.fromkeys(JPEG2000TransferSyntaxes, "pylibjpeg"),  # keeps all bits; Pillow, tried first, may not
}
_CODEC_ERRORS: Final = (*DAMAGED, RuntimeError)


class FrameDecoder:
    """Decodes frames; the file of the last one is kept, for the frames of one file come one after the other."""

    def __init__(self) -> None:
        self._file: DicomFile | None = None
        self._frames: list[bytes] = []

    def decode(self, file: DicomFile, index: int, kind: PixelFormat) -> NDArray[Any]:
        """Return the stored pixels `[row, column]` of one frame of a file with encapsulated pixel data.

        Parameters
        ----------
        file
            The file.
        index
            Of the frame, from 0.
        kind
            How its pixels are stored.

        Raises
        ------
        InputError
            If the data are damaged.
        MissingExtraError
            If no installed package can read them.
        """
        if file is not self._file:
            self._file, self._frames = file, _fragments(file, kind)
        if index >= len(self._frames):
            raise InputError(shown(file.path), f"{len(self._frames)} compressed frames", f"at least {index + 1}")
        frame, size = self._frames[index], (kind.rows, kind.columns)
        _check_stream(frame, size, file)
        pixels = _decoded(_single_frame(kind, file.transfer_syntax, frame), file)
        if pixels.shape != size:
            raise InputError(shown(file.path), f"decoded pixels of the shape {pixels.shape}", str(size))
        return pixels


def _fragments(file: DicomFile, kind: PixelFormat) -> list[bytes]:
    """Return the compressed frames of a file."""
    try:
        return list(generate_frames(file.pixel_bytes(), number_of_frames=kind.frames))
    except _CODEC_ERRORS:
        raise InputError(shown(file.path), "damaged fragments of compressed pixel data", _EXPECTED) from None


def _check_stream(frame: bytes, size: tuple[int, int], file: DicomFile) -> None:
    """Refuse a JPEG stream of another size, or without an end: some decoders fill up what is missing, in silence."""
    if not frame:
        raise InputError(shown(file.path), "an empty compressed frame", _EXPECTED)
    claimed = codestream_size(frame)
    if claimed is not None and claimed != size:
        found = f"a compressed image of {claimed[0]} rows and {claimed[1]} columns"
        raise InputError(shown(file.path), found, f"{size[0]} rows and {size[1]} columns, as in the header")
    if _components(frame) != 1:
        raise InputError(shown(file.path), "a compressed image of several numbers per pixel", "one number per pixel")
    if frame.startswith((_JPEG_START, _JPEG_2000_START)) and _JPEG_END not in frame[-_PADDING - 2 :]:
        raise InputError(shown(file.path), "a compressed image that ends too early", _EXPECTED)


def codestream_size(frame: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a JPEG or JPEG 2000 stream claims; None where it is another, or names none."""
    if frame.startswith(_JPEG_2000_START):
        width, height, left, top = (int.from_bytes(frame[at : at + 4], "big") for at in (8, 12, 16, 20))
        return height - top, width - left
    at = _jpeg_frame_header(frame)
    if at is None:
        return None
    return int.from_bytes(frame[at + 5 : at + 7], "big"), int.from_bytes(frame[at + 7 : at + 9], "big")


def _components(frame: bytes) -> int:
    """Return how many numbers per pixel a stream claims; 1 where it does not say."""
    if frame.startswith(_JPEG_2000_START):
        return int.from_bytes(frame[40:42], "big")
    at = _jpeg_frame_header(frame)
    return 1 if at is None else int.from_bytes(frame[at + 9 : at + 10], "big")


def _jpeg_frame_header(frame: bytes) -> int | None:
    """Return where the frame header of a JPEG stream stands."""
    if not frame.startswith(_JPEG_START):
        return None
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker in _FRAME_HEADERS:
            return at
        if marker == 0xFF:  # fill bytes may stand before a marker
            at += 1
        else:
            at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None


def _single_frame(kind: PixelFormat, transfer_syntax: str, frame: bytes) -> Dataset:
    """Return an image of one frame: what decoders need to know, and nothing of a patient."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = kind.rows, kind.columns
    dataset.BitsAllocated, dataset.BitsStored = kind.bits_allocated, kind.bits_stored
    dataset.HighBit, dataset.PixelRepresentation = kind.high_bit, int(kind.signed)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    return dataset


def _decoded(dataset: Dataset, file: DicomFile) -> NDArray[Any]:
    from pydicom.pixels import get_decoder

    syntax = UID(file.transfer_syntax)
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise InputError(
            shown(file.path), f"pixel data compressed as '{syntax.name}'", "a syntax of CT or MR"
        ) from None
    if decoder.is_available:
        wanted = _PREFERRED.get(syntax, "")
        plugin = wanted if wanted in decoder.available_plugins else ""
        try:
            with quiet_pydicom():
                return np.asarray(decoder.as_array(dataset, raw=True, decoding_plugin=plugin)[0])
        except _CODEC_ERRORS as error:
            reason = type(error).__name__
    else:
        reason = "no decoder is installed"
    pixels = _by_gdcm(dataset)
    if pixels is not None:
        return pixels
    if not decoder.is_available:
        raise MissingExtraError(f"reading pixels compressed as '{syntax.name}'", "pylibjpeg", "codecs")
    raise InputError(shown(file.path), f"compressed pixel data that cannot be decoded ({reason})", _EXPECTED)


def _by_gdcm(dataset: Dataset) -> NDArray[Any] | None:
    """Return the pixels as GDCM decodes them, or None where it cannot: of a file without rescale and patient."""
    import SimpleITK

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.dcm"
        before = SimpleITK.ProcessObject.GetGlobalWarningDisplay()
        try:
            SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
            with quiet_pydicom():
                dataset.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=True)
            pixels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path), imageIO="GDCMImageIO"))
        except _CODEC_ERRORS:
            return None
        finally:
            SimpleITK.ProcessObject.SetGlobalWarningDisplay(before)
    return np.asarray(pixels[0] if pixels.ndim == 3 else pixels)
