"""Stored pixels to modality values, slice by slice into one array.

Stored values are those of BitsStored below HighBit: what stands in unused bits (old overlays, dirt) is dropped.
MONOCHROME1 and PixelPaddingValue concern display and change no value. Real world value mappings, modality LUTs and
private scales are not applied. Sources: DICOM PS3.5, section 8 and annex A; PS3.3, C.7.6.3 and C.11.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.errors import InputError
from response.io.codestreams import FrameDecoder
from response.io.dicom_bytes import UNDEFINED, shown, truncated
from response.io.dicom_files import DicomFile
from response.io.pixel_format import PixelFormat

INT16: Final = np.iinfo(np.int16)
LARGEST_VOLUME: Final = 1 << 33  # bytes of a whole series; the largest CT series come to 2 GiB


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The pixels of one slice.

    Attributes
    ----------
    file
        Where they stand.
    format
        How they are stored.
    index
        Of the frame in the file, from 0.
    slope, intercept
        Modality value = slope x stored value + intercept (PS3.3, C.11.1.1.2).
    """

    file: DicomFile
    format: PixelFormat
    index: int
    slope: float
    intercept: float

    @property
    def is_whole(self) -> bool:
        """Whether modality values are whole numbers of a common size."""
        return all(value.is_integer() and abs(value) < 1 << 31 for value in (self.slope, self.intercept))

    @property
    def is_plain(self) -> bool:
        """Whether the pixels stand in the file as they are, in pixels of 16 bits."""
        assert self.file.pixels is not None
        return self.file.pixels.length != UNDEFINED and self.format.bits_allocated == 16


def read_frames(frames: Sequence[Frame]) -> NDArray[Any]:
    """Return modality values `[slice, row, column]`: int16 where all are whole numbers that fit, else float32.

    Parameters
    ----------
    frames
        All of one size, in the order wanted.

    Raises
    ------
    InputError
        If pixel data are damaged or cut off, or there is not enough memory.
    MissingExtraError
        If they are compressed in a way that no installed package can read.
    """
    first = frames[0].format
    shape = (len(frames), first.rows, first.columns)
    if 2 * shape[0] * shape[1] * shape[2] > LARGEST_VOLUME:
        raise InputError(shown(frames[0].file.path), f"a claim of {shape} pixels", f"at most {LARGEST_VOLUME} bytes")
    decoder = FrameDecoder()
    try:
        if all(frame.is_whole for frame in frames):
            voxels = np.empty(shape, np.int16)
            if all(_read_whole(frame, plane, decoder) for frame, plane in zip(frames, voxels, strict=True)):
                return voxels
            del voxels
        values = np.empty(shape, np.float32)
        for frame, plane in zip(frames, values, strict=True):
            with np.errstate(over="ignore"):  # an absurd slope gives infinite values, as it should
                plane[...] = _stored(frame, decoder).astype(np.float64) * frame.slope + frame.intercept
    except MemoryError:
        raise InputError(
            shown(frames[0].file.path), f"an image of {shape} pixels", "one that fits the memory"
        ) from None
    return values


def _read_whole(frame: Frame, plane: NDArray[np.int16], decoder: FrameDecoder) -> bool:
    """Fill a plane with modality values; return False where they do not fit."""
    kind = frame.format
    if frame.is_plain:
        stored: NDArray[Any] = plane.view(np.int16 if kind.signed else np.uint16)
        _read_plain(frame, stored)
        stored = _settled(stored, kind, in_place=True)
    else:
        stored = _stored(frame, decoder)
    if not _fits(stored, frame):
        return False
    # Modulo 2**16: exact where the results fit, whatever the steps between do.
    np.copyto(plane, stored.view(np.int16) if frame.is_plain else stored, casting="unsafe")
    if frame.slope != 1:
        plane *= np.int64(frame.slope).astype(np.int16)
    if frame.intercept:
        plane += np.int64(frame.intercept).astype(np.int16)
    return True


def _fits(stored: NDArray[Any], frame: Frame) -> bool:
    """Return whether all modality values fit int16; the pixels are looked at only where their bits leave it open."""
    for ends in (frame.format.limits, (stored.min(), stored.max())):
        values = [int(end) * frame.slope + frame.intercept for end in ends]
        if INT16.min <= min(values) and max(values) <= INT16.max:
            return True
    return False


def _stored(frame: Frame, decoder: FrameDecoder) -> NDArray[Any]:
    """Return the stored values `[row, column]` of one frame, anew."""
    kind = frame.format
    assert frame.file.pixels is not None
    if frame.file.pixels.length == UNDEFINED:
        return _settled(decoder.decode(frame.file, frame.index, kind), kind)
    pixels = np.empty((kind.rows, kind.columns), kind.stored_type.newbyteorder("="))
    _read_plain(frame, pixels)
    return _settled(pixels, kind)


def _read_plain(frame: Frame, pixels: NDArray[Any]) -> None:
    """Read the uncompressed pixels of a frame into an array of their type in the order of this machine."""
    kind, file = frame.format, frame.file
    assert file.pixels is not None
    start = file.pixels.offset + frame.index * kind.frame_bytes
    target = pixels.data.cast("B")
    if file.inflated is not None:
        target[:] = memoryview(file.inflated)[start : start + kind.frame_bytes]
    else:
        _read_into(file, start, target)
    if kind.stored_type.newbyteorder("=") != kind.stored_type:
        pixels.byteswap(inplace=True)


def _read_into(file: DicomFile, start: int, target: memoryview) -> None:
    try:
        with file.path.open("rb", buffering=0) as stream:
            stream.seek(start)
            done = 0
            while done < len(target) and (count := stream.readinto(target[done:])):
                done += count
    except OSError as error:
        raise InputError(shown(file.path), f"it cannot be read: {error.strerror}", "a readable file") from None
    if done < len(target):
        raise truncated(file.path)


def _settled(pixels: NDArray[Any], kind: PixelFormat, *, in_place: bool = False) -> NDArray[Any]:
    """Return the stored values without what stands in unused bits; signs reach up to the highest bit."""
    width = pixels.dtype.itemsize * 8
    above, below = width - 1 - kind.high_bit, kind.high_bit + 1 - kind.bits_stored
    if not above and not below:
        return pixels
    wanted = np.dtype(f"{'i' if kind.signed else 'u'}{width // 8}")
    values = pixels.view(wanted) if in_place else pixels.astype(wanted)
    values <<= above  # out with what is above, and back: an arithmetic shift brings the sign along
    values >>= above + below
    return values


def as_modality_values(values: NDArray[Any]) -> NDArray[Any]:
    """Return values `[slice, row, column]` anew: as int16 where all are whole numbers that fit, else as float32."""
    exact = all(_is_int16(plane) for plane in values)
    return np.array(values, dtype=np.int16 if exact else np.float32, order="C")


def _is_int16(plane: NDArray[Any]) -> bool:
    low, high = plane.min(), plane.max()
    if not INT16.min <= low <= high <= INT16.max:  # false for NaN too
        return False
    return plane.dtype.kind in "iub" or bool((np.rint(plane) == plane).all())
