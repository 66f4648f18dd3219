"""Frames of one bit per pixel: where a frame has bits, told from the packed bytes, so that only those are unpacked.

Pixels follow one another without gaps, the first one in the lowest bit of the first byte; a frame need not start on
a byte (DICOM PS3.5, section 8.1.1 and annex D).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Crop = tuple[int, int, Bools]  # first row, first column, pixels
WORD_BITS = 64


@dataclass(frozen=True, eq=False)
class PackedFrames:
    """Packed frames of one size.

    Attributes
    ----------
    words
        The bytes, with zeros up to a whole number of words of 64 bits.
    rows, columns
        Size of a frame.
    """

    words: NDArray[np.uint64]
    rows: int
    columns: int

    def crop(self, frame: int) -> Crop | None:
        """Return what is set in a frame, tightly cropped; None where nothing is."""
        size = self.rows * self.columns
        start = frame * size
        first_word = start // WORD_BITS
        used = (self.words[first_word : (start + size - 1) // WORD_BITS + 1] != 0).nonzero()[0]
        if not len(used):
            return None
        low = max(0, (first_word + int(used[0])) * WORD_BITS - start)
        high = min(size, (first_word + int(used[-1]) + 1) * WORD_BITS - start)
        first_row, last_row = low // self.columns, (high - 1) // self.columns
        bits = self._bits(start + first_row * self.columns, (last_row - first_row + 1) * self.columns)
        return crop_of(bits.reshape(-1, self.columns), first_row)

    def _bits(self, start: int, count: int) -> Bools:
        skipped = start % WORD_BITS
        packed = self.words[start // WORD_BITS : (start + count - 1) // WORD_BITS + 1].view(np.uint8)
        return np.unpackbits(packed, bitorder="little", count=skipped + count)[skipped:].view(np.bool_)


def packed_words(data: Any) -> NDArray[np.uint64]:
    """Return bytes as words of 64 bits, with zeros added to the last one."""
    packed = np.frombuffer(data, np.uint8)
    if len(packed) % 8 or packed.ctypes.data % 8:
        padded = np.zeros(-(-len(packed) // 8) * 8, np.uint8)
        padded[: len(packed)] = packed
        packed = padded
    return packed.view(np.uint64)


def crop_of(inside: Bools, first_row: int = 0) -> Crop | None:
    """Return the pixels that are set, tightly cropped; None where none is.

    Parameters
    ----------
    inside
        `[row, column]`.
    first_row
        Row of the frame at which it starts.
    """
    columns = np.logical_or.reduce(inside, axis=0).nonzero()[0]
    if not len(columns):
        return None
    inside = inside[:, columns[0] : columns[-1] + 1]
    rows = np.logical_or.reduce(inside, axis=1).nonzero()[0]
    return first_row + int(rows[0]), int(columns[0]), inside[rows[0] : rows[-1] + 1]
