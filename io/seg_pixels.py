"""The pixels of a segmentation, frame by frame: packed, in bytes or words, or compressed.

What the header claims is held against the bytes that are there before anything is unpacked.
Source: DICOM PS3.3, C.8.20.2 (segmentation image); PS3.5, section 8 and annex A (transfer syntaxes).
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.uid import UID

from response.errors import InputError
from response.io.codestreams import FrameDecoder
from response.io.dicom_files import EXPLICIT_BIG, UNDEFINED, DicomFile
from response.io.dicom_values import DAMAGED, number
from response.io.pixel_format import PixelFormat
from response.io.seg_bits import Crop, PackedFrames, crop_of, packed_words

LARGEST_FRAME: Final = 1 << 26  # pixels: 8192 x 8192, more than any CT or MR has
DEFLATED_FRAMES: Final = "1.2.840.10008.1.2.8.1"  # each frame deflated for itself (PS3.5, A.4.13)
RLE: Final = "1.2.840.10008.1.2.5"


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
        If there is not even one frame, or sizes that no segmentation has.
    """

    def __init__(self, file: DicomFile, claim: PixelClaim, where: str) -> None:
        self.damaged: list[int] = []
        self._file, self._claim, self._where = file, claim, where
        _check_claim(claim, where)
        self._is_packed = _is_encapsulated(file, where)
        if self._is_packed:
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
        """Hand out index and pixels `[row, column]` of each frame that is not damaged.

        Raises
        ------
        InputError
            If none of several compressed frames can be read.
        MissingExtraError
            If what decompresses them is not installed.
        """
        shape = (self._claim.rows, self._claim.columns)
        if self._is_packed:
            yield from self._decoded(shape)
            return
        whole = self._as_pixels(self._data, shape[0] * shape[1] * self._frames)
        yield from enumerate(whole.reshape(-1, *shape))

    def _as_pixels(self, data: Any, count: int) -> NDArray[Any]:
        if self._claim.bits == 1:
            return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little", count=count)
        order = ">" if self._file.transfer_syntax == EXPLICIT_BIG else "<"
        return np.frombuffer(data, np.dtype(f"{order}u{self._claim.bits // 8}"), count=count)

    def _decoded(self, shape: tuple[int, int]) -> Iterator[tuple[int, NDArray[Any]]]:
        decode = self._unpacked() if self._is_ours() else self._by_decoder()
        for index in range(self._claim.frames):
            try:
                plane = decode(index).reshape(shape)
            except (*DAMAGED, InputError, zlib.error, MemoryError):
                self.damaged.append(index)
            else:
                yield index, plane
        if len(self.damaged) == self._claim.frames:
            found = f"{self._claim.frames} compressed frames that cannot be read"
            raise InputError(self._where, found, "readable frames", "export it uncompressed")

    def _is_ours(self) -> bool:
        """Return whether frames are compressed in a way that decoders do not know: deflated, or bits in RLE."""
        return self._file.transfer_syntax == DEFLATED_FRAMES or (
            self._file.transfer_syntax == RLE and self._claim.bits == 1
        )

    def _by_decoder(self) -> Callable[[int], NDArray[Any]]:
        bits = max(8, self._claim.bits)
        kind = PixelFormat(
            rows=self._claim.rows,
            columns=self._claim.columns,
            frames=self._claim.frames,
            bits_allocated=bits,
            bits_stored=bits,
            high_bit=bits - 1,
            signed=False,
            big_endian=False,
        )
        decoder = FrameDecoder()
        return lambda index: decoder.decode(self._file, index, kind)

    def _unpacked(self) -> Callable[[int], NDArray[Any]]:
        fragments = list(generate_frames(self._file.pixel_bytes(), number_of_frames=self._claim.frames))
        size = self._claim.rows * self._claim.columns
        if self._file.transfer_syntax == DEFLATED_FRAMES:
            return lambda index: self._as_pixels(_inflated(fragments[index], self._claim.frame_bytes), size)
        return lambda index: self._unpacked_rle(fragments[index], size)

    def _unpacked_rle(self, fragment: bytes, size: int) -> NDArray[Any]:
        """Return a frame of packed bits in one RLE segment; some writers keep a byte per pixel in it."""
        data = _unrolled(fragment, size)
        return np.frombuffer(data, np.uint8, count=size) if len(data) >= size else self._as_pixels(data, size)


def _check_claim(claim: PixelClaim, where: str) -> None:
    pixels = claim.rows * claim.columns
    if not 0 < pixels <= LARGEST_FRAME or claim.frames < 1:
        found = f"{claim.frames} frames of {claim.rows} rows and {claim.columns} columns"
        raise InputError(where, found, f"frames of 1 to {LARGEST_FRAME} pixels")
    if claim.bits not in {1, 8, 16}:
        raise InputError(where, f"{claim.bits} bits per pixel", "1, 8 or 16")


def _is_encapsulated(file: DicomFile, where: str) -> bool:
    """Return whether the pixels are compressed, as the transfer syntax must say too."""
    syntax = UID(file.transfer_syntax)
    packed = file.pixels is not None and file.pixels.length == UNDEFINED
    compressed = syntax == DEFLATED_FRAMES or (syntax.is_transfer_syntax and syntax.is_compressed)
    if packed != compressed:
        found = f"pixels that are {'' if packed else 'not '}encapsulated, of the transfer syntax {syntax.name}"
        raise InputError(where, found, "pixels as the transfer syntax says", "export it again")
    return packed


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
