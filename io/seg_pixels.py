"""The pixels of a segmentation, frame by frame: packed, in bytes or words, or compressed.

What the header claims is held against the bytes that are there before anything is unpacked.
Source: DICOM PS3.3, C.8.20.2 (segmentation image); PS3.5, section 8 and annex A (transfer syntaxes).
"""

import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import get_decoder
from pydicom.uid import UID

from response.errors import InputError, MissingExtraError
from response.io.dicom_files import EXPLICIT_BIG, UNDEFINED, DicomFile
from response.io.dicom_values import DAMAGED, number
from response.io.seg_bits import Crop, PackedFrames, crop_of, packed_words

LARGEST_FRAME: Final = 1 << 26  # pixels: 8192 x 8192, more than any CT or MR has
DEFLATED_FRAMES: Final = "1.2.840.10008.1.2.8.1"  # each frame deflated for itself (PS3.5, A.4.13)
RLE: Final = "1.2.840.10008.1.2.5"
_J2K_SIZE: Final = b"\xff\x4f\xff\x51"  # start of codestream, then its size (ISO 15444-1, A.5.1)
_JPEG_START: Final = b"\xff\xd8"
_JPEG_FRAMES: Final = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}  # start of frame; F7: JPEG-LS


@dataclass(frozen=True, kw_only=True)
class PixelClaim:
    """What the header says about the pixels.

    Attributes
    ----------
    rows, columns, frames
        Sizes.
    bits
        Bits allocated: 1, 8 or 16.
    """

    rows: int
    columns: int
    frames: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame, padded to a whole number."""
        return -(-self.rows * self.columns * self.bits // 8)


class SegPixels:
    """The frames of a segmentation, in their order.

    Attributes
    ----------
    damaged
        Indices of frames that are missing or cannot be decompressed; complete once all frames were handed out.

    Parameters
    ----------
    file
        The segmentation.
    claim
        What its header says.
    where
        For messages.

    Raises
    ------
    InputError
        If there is not even one frame, sizes that no segmentation has, or no known transfer syntax.
    MissingExtraError
        If what decompresses them is not installed.
    """

    def __init__(self, file: DicomFile, claim: PixelClaim, where: str) -> None:
        self.damaged: list[int] = []
        self._claim, self._syntax = claim, file.transfer_syntax
        _check_claim(claim, where)
        self._is_packed = _is_encapsulated(file, claim, where)
        if self._is_packed:
            self._data: Any = file.pixel_bytes()
            return
        self._data = _native_bytes(file)
        there = len(self._data) * 8 // (claim.rows * claim.columns * claim.bits)
        if there < 1:
            raise InputError(where, f"{len(self._data)} bytes of pixels", f"{claim.frames} frames", "export it again")
        self._frames = min(there, claim.frames)
        self.damaged = list(range(self._frames, claim.frames))

    def crops(self, limit: int) -> Iterator[tuple[int, Crop]]:
        """Hand out index and content at or above a limit of each frame that has any, tightly cropped."""
        for index, crop in self._crops(limit):
            if crop is not None:
                yield index, crop

    def _crops(self, limit: int) -> Iterator[tuple[int, Crop | None]]:
        if self._claim.bits > 1 or self._is_packed:
            return ((index, crop_of(plane >= limit)) for index, plane in self.planes())
        frames = PackedFrames(packed_words(self._data), self._claim.rows, self._claim.columns)
        return ((index, frames.crop(index)) for index in range(self._frames))

    def planes(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Hand out index and pixels `[row, column]` of each frame that is not damaged."""
        shape = (self._claim.rows, self._claim.columns)
        if self._is_packed:
            yield from self._decoded(shape)
            return
        whole = self._as_pixels(self._data, shape[0] * shape[1] * self._frames)
        yield from enumerate(whole.reshape(-1, *shape))

    def _as_pixels(self, data: Any, count: int) -> NDArray[Any]:
        if self._claim.bits == 1:
            return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little", count=count)
        order = ">" if self._syntax == EXPLICIT_BIG else "<"
        return np.frombuffer(data, np.dtype(f"{order}u{self._claim.bits // 8}"), count=count)

    def _decoded(self, shape: tuple[int, int]) -> Iterator[tuple[int, NDArray[Any]]]:
        fragments = generate_frames(self._data, number_of_frames=self._claim.frames)
        for index in range(self._claim.frames):
            try:
                plane = self._decode(next(fragments), shape)
            except (*DAMAGED, StopIteration, RuntimeError, zlib.error, MemoryError):
                self.damaged.append(index)
            else:
                yield index, plane

    def _decode(self, fragment: bytes, shape: tuple[int, int]) -> NDArray[Any]:
        if self._syntax == DEFLATED_FRAMES:
            return self._as_pixels(_inflated(fragment, self._claim.frame_bytes), shape[0] * shape[1]).reshape(shape)
        if self._syntax == RLE and self._claim.bits == 1:
            return self._unpacked_rle(fragment, shape)
        claimed = _claimed_size(fragment)
        if claimed is not None and claimed != shape:
            raise ValueError("a codestream of another size")
        return _decode_by_pydicom(fragment, self._syntax, shape, max(8, self._claim.bits))

    def _unpacked_rle(self, fragment: bytes, shape: tuple[int, int]) -> NDArray[Any]:
        """Return a frame of packed bits in one RLE segment; some writers keep a byte per pixel in it."""
        data = _unrolled(fragment, shape[0] * shape[1])
        if len(data) >= shape[0] * shape[1]:
            return np.frombuffer(data, np.uint8, count=shape[0] * shape[1]).reshape(shape)
        return self._as_pixels(data, shape[0] * shape[1]).reshape(shape)


def _check_claim(claim: PixelClaim, where: str) -> None:
    pixels = claim.rows * claim.columns
    if not 0 < pixels <= LARGEST_FRAME or claim.frames < 1:
        found = f"{claim.frames} frames of {claim.rows} rows and {claim.columns} columns"
        raise InputError(where, found, f"frames of 1 to {LARGEST_FRAME} pixels")
    if claim.bits not in {1, 8, 16}:
        raise InputError(where, f"{claim.bits} bits per pixel", "1, 8 or 16")


def _is_encapsulated(file: DicomFile, claim: PixelClaim, where: str) -> bool:
    """Return whether the pixels are compressed, once it is known that they can be decompressed."""
    syntax = UID(file.transfer_syntax)
    packed = file.pixels is not None and file.pixels.length == UNDEFINED
    compressed = syntax == DEFLATED_FRAMES or (syntax.is_transfer_syntax and syntax.is_compressed)
    if packed != compressed:
        found = f"pixels that are {'' if packed else 'not '}encapsulated, of the transfer syntax {syntax.name}"
        raise InputError(where, found, "pixels as the transfer syntax says", "export it again")
    if packed and syntax != DEFLATED_FRAMES and not (syntax == RLE and claim.bits == 1):
        _require_decoder(syntax, where)
    return packed


def _require_decoder(syntax: UID, where: str) -> None:
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        found = f"pixels in the transfer syntax {syntax.name}"
        raise InputError(where, found, "one that pydicom can decompress", "export it uncompressed") from None
    if not available:
        raise MissingExtraError(f"reading segmentations compressed as {syntax.name}", "pylibjpeg", "codecs")


def _native_bytes(file: DicomFile) -> Any:
    """Return uncompressed pixel data; from the file straight into an array, for they may be large."""
    place = file.pixels
    if place is None or file.inflated is not None or sys.byteorder != "little":
        data: Any = file.pixel_bytes()
    else:
        if place.offset + place.length > file.size:
            file.pixel_bytes()  # raises
        data = np.fromfile(file.path, np.uint8, count=place.length, offset=place.offset)
    if place is not None and place.vr == "OW" and file.transfer_syntax == EXPLICIT_BIG:
        return _words_swapped(data, file)
    return data


def _words_swapped(data: Any, file: DicomFile) -> Any:
    """Return bytes that stood in big endian words of 16 bits in the order of pixels (PS3.5, 8.1.1)."""
    if number(file.dataset, "BitsAllocated") > 8:
        return data
    pairs = np.frombuffer(data, np.uint8)
    return pairs[: len(pairs) // 2 * 2].reshape(-1, 2)[:, ::-1].ravel()


# --- Compressed frames.


def _inflated(fragment: bytes, size: int) -> bytes:
    data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(fragment, size)
    if len(data) < size:
        raise ValueError("a frame that ends too early")
    return data


def _unrolled(fragment: bytes, most: int) -> bytes:
    """Return the first segment of an RLE frame (PS3.5, annex G)."""
    start, found = int.from_bytes(fragment[4:8], "little"), bytearray()
    while start < len(fragment) - 1 and len(found) < most:
        control, start = fragment[start], start + 1
        if control < 128:
            found += fragment[start : start + control + 1]
            start += control + 1
        elif control > 128:
            found += fragment[start : start + 1] * (257 - control)
            start += 1
    return bytes(found)


def _claimed_size(fragment: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a JPEG or JPEG 2000 codestream claims: it may be a small one of a huge image.

    Of several components per pixel, which no segmentation has, both are 0.
    """
    at = fragment.find(_J2K_SIZE, 0, 256)
    if at >= 0:
        right, bottom, left, top = (int.from_bytes(fragment[at + i : at + i + 4], "big") for i in (8, 12, 16, 20))
        is_grey = fragment[at + 40 : at + 42] == b"\0\1"
        return (bottom - top, right - left) if is_grey else (0, 0)
    at = 2
    while fragment.startswith(_JPEG_START) and at + 9 <= len(fragment) and fragment[at] == 0xFF:
        if fragment[at + 1] in _JPEG_FRAMES:
            rows, columns = (int.from_bytes(fragment[at + i : at + i + 2], "big") for i in (5, 7))
            return (rows, columns) if fragment[at + 9 : at + 10] == b"\1" else (0, 0)
        at += 2 + int.from_bytes(fragment[at + 2 : at + 4], "big")
    return None


def _decode_by_pydicom(fragment: bytes, syntax: str, shape: tuple[int, int], bits: int) -> NDArray[Any]:
    frame, _ = get_decoder(UID(syntax)).as_array(
        encapsulate([fragment]),
        raw=True,
        rows=shape[0],
        columns=shape[1],
        number_of_frames=1,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=bits,
        bits_stored=bits,
        pixel_representation=0,
        pixel_keyword="PixelData",
    )
    return np.asarray(frame).reshape(shape)
