"""What a NIfTI header says of spacing and orientation, where SimpleITK would settle it in silence.

Source: nifti1.h (2005), "3D image (volume) orientation and location in space", methods 1 to 3.
"""

import math
import struct
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from response.imaging.grid import Floats

AGREEMENT_MM: Final = 0.1  # how far corners of the image may lie apart in both transforms: rounding of the quaternion

# struct formats and offsets: dim, pixdim, codes, quaternion with offset, rows of the matrix
_LAYOUT: Final = (("8h", 40), ("8f", 76), ("2h", 252), ("6f", 256), ("12f", 280))


@dataclass(frozen=True)
class NiftiForms:
    """The fields of a NIfTI header that say where the image lies.

    Attributes
    ----------
    sizes, pixdim
        `[3]`: voxels along the axes, and the spacing that the header gives.
    qform_code, sform_code
        0 where the transform is not given.
    qform, sform
        `[3, 4]`: voxel index to position (mm, RAS).
    """

    sizes: Floats
    pixdim: Floats
    qform_code: int
    sform_code: int
    qform: Floats
    sform: Floats

    @classmethod
    def of_header(cls, header: bytes) -> Self:
        """Return the fields of the first 348 bytes of a file."""
        order = "<" if header[3] == 0 else ">"  # the first field is the size of the header
        dim, pixdim, codes, turn, rows = (
            np.array(struct.unpack_from(f"{order}{format_}", header, offset), np.float64) for format_, offset in _LAYOUT
        )
        return cls(
            sizes=dim[1:4],
            pixdim=pixdim[1:4],
            qform_code=int(codes[0]),
            sform_code=int(codes[1]),
            qform=_qform(pixdim, turn),
            sform=rows.reshape(3, 4),
        )

    def faults(self) -> list[str]:
        """Return what is odd about the orientation, one sentence each."""
        if not self.qform_code and not self.sform_code:
            return ["the NIfTI header says nothing of the orientation (qform_code and sform_code are 0)"]
        if self.qform_code and self.sform_code and not self._distance_mm() <= AGREEMENT_MM:
            return ["the two transforms of the NIfTI header (qform, sform) differ; the choice of SimpleITK was taken"]
        return []

    def is_sound(self) -> bool:
        """Return whether there is a spacing along each axis of several voxels, and the transforms are numbers."""
        has_spacing = (np.isfinite(self.pixdim) & (self.pixdim != 0)) | (self.sizes <= 1)
        forms = [form for code, form in ((self.qform_code, self.qform), (self.sform_code, self.sform)) if code]
        return bool(has_spacing.all()) and all(bool(np.isfinite(form).all()) for form in forms)

    def _distance_mm(self) -> float:
        """Return how far a corner of the image lies from itself, at most, in the two transforms."""
        ends = np.maximum(self.sizes, 1) - 1
        corners = np.array([[*(ends * place), 1] for place in np.ndindex(2, 2, 2)])
        return float(np.abs(corners @ (self.qform - self.sform).T).max())


def _qform(pixdim: Floats, turn: Floats) -> Floats:
    """Return the transform of method 2: a turn as quaternion, spacing, and an offset."""
    b, c, d = map(float, turn[:3])
    a = math.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    handed = np.array([1, 1, -1 if pixdim[0] < 0 else 1])
    with np.errstate(invalid="ignore", over="ignore"):  # what is no number is refused later
        return np.column_stack([rotation * np.abs(pixdim[1:4]) * handed, turn[3:6]])
