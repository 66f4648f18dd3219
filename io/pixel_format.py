"""How the pixels of a DICOM image are stored, and whether the file keeps what its header claims.

Source: DICOM PS3.3, C.7.6.3 (image pixel); PS3.5, section 8.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from pydicom.dataset import Dataset

from response.errors import InputError
from response.io.dicom_bytes import UNDEFINED, shown, truncated
from response.io.dicom_files import EXPLICIT_BIG, GE_BIG_PIXELS, DicomFile
from response.io.dicom_values import number, plain_text, whole_number

LARGEST_SIDE: Final = 1 << 14  # rows or columns; detectors and reconstructions of CT and MR stay below a quarter of it
LARGEST_RATIO: Final = 20_000  # of compression; one slice of a single value comes to some thousands with JPEG 2000
_BIG_PIXELS: Final = frozenset({EXPLICIT_BIG, GE_BIG_PIXELS})
_INT_PIXELS: Final = 0x7FE00010


@dataclass(frozen=True, kw_only=True)
class PixelFormat:
    """How pixels are stored (PS3.3, C.7.6.3; PS3.5, 8.1).

    Attributes
    ----------
    rows, columns, frames
        Sizes.
    bits_allocated, bits_stored, high_bit
        As the elements of these names.
    signed
        Whether they are two's complement.
    big_endian
        Whether the first byte is the highest.
    """

    rows: int
    columns: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    big_endian: bool

    @classmethod
    def of_file(cls, file: DicomFile) -> Self:
        """Return the format of a file that holds grey pixels of 8, 16 or 32 bits.

        Raises
        ------
        InputError
            If the elements are missing, impossible, or those of another kind of image; if they claim more than
            stands in the file.
        """
        dataset, where = file.dataset, shown(file.path)
        if file.pixels is None:
            raise InputError(where, "no pixel data", "an image", "was the file sent without its pixels?")
        if file.pixels.tag != _INT_PIXELS:
            raise InputError(where, "floating point pixel data", "whole numbers")
        allocated = whole_number(dataset, "BitsAllocated", 0)
        stored = whole_number(dataset, "BitsStored", allocated)
        found = cls(
            rows=whole_number(dataset, "Rows", 0),
            columns=whole_number(dataset, "Columns", 0),
            frames=max(1, int(number(dataset, "NumberOfFrames", 1))) if "NumberOfFrames" in dataset else 1,
            bits_allocated=allocated,
            bits_stored=stored,
            high_bit=whole_number(dataset, "HighBit", stored - 1),
            signed=whole_number(dataset, "PixelRepresentation", 0) == 1,
            big_endian=file.transfer_syntax in _BIG_PIXELS,
        )
        if fault := found._fault(dataset):
            raise InputError(where, fault, "an image of grey pixels of 8, 16 or 32 bits")
        found._check_claim(file)
        return found

    def _fault(self, dataset: Dataset) -> str:
        if not (0 < self.rows <= LARGEST_SIDE and 0 < self.columns <= LARGEST_SIDE):
            return f"{self.rows} rows and {self.columns} columns"
        if whole_number(dataset, "SamplesPerPixel", 1) != 1:
            return "a colour image"
        if plain_text(dataset, "PhotometricInterpretation") not in {"MONOCHROME1", "MONOCHROME2", ""}:
            return "a colour image"
        if self.bits_allocated not in {8, 16, 32}:
            return f"{self.bits_allocated} bits per pixel"
        if not (
            0 < self.bits_stored <= self.bits_allocated and self.bits_stored - 1 <= self.high_bit < self.bits_allocated
        ):
            return f"{self.bits_stored} bits stored up to bit {self.high_bit} of {self.bits_allocated}"
        return ""

    def _check_claim(self, file: DicomFile) -> None:
        """Hold the claimed sizes against the bytes that are there, before any memory is taken."""
        assert file.pixels is not None
        claimed = self.frame_bytes * self.frames
        there = file.size - file.pixels.offset
        if file.pixels.length != UNDEFINED:
            if min(there, file.pixels.length) < claimed:
                found = f"{min(there, file.pixels.length)} bytes of pixels where the header claims {claimed}"
                raise (
                    truncated(file.path)
                    if there < file.pixels.length
                    else InputError(shown(file.path), found, "as many")
                )
        elif claimed > LARGEST_RATIO * there:
            raise InputError(shown(file.path), f"a claim of {claimed} bytes in {there}", "a plausible compression")

    @property
    def stored_type(self) -> np.dtype[Any]:
        """Type of the pixels as they stand in the file."""
        order, kind = ">" if self.big_endian else "<", "i" if self.signed else "u"
        return np.dtype(f"{order}{kind}{self.bits_allocated // 8}")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.rows * self.columns * self.bits_allocated // 8

    @property
    def limits(self) -> tuple[int, int]:
        """Lowest and highest value that can be stored."""
        span = 1 << self.bits_stored
        return (-span // 2, span // 2 - 1) if self.signed else (0, span - 1)
