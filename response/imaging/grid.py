"""Where the voxels of a volume lie in the patient."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Grid:
    """Positions of voxels `[slice, row, column]` in patient coordinates: mm, LPS (DICOM PS3.3, C.7.6.2.1.1).

    Slices are parallel and in ascending order along `normal`. Nothing else is assumed: they may be spaced unevenly,
    or shifted against each other as under gantry tilt.

    Attributes
    ----------
    origins
        Shape `[slice, 3]`: centre of the first voxel (row 0, column 0) of each slice.
    along_row, along_column
        Unit vectors `[3]`: direction in which the column index grows (first triple of ImageOrientationPatient), and
        the row index (second triple).
    row_spacing_mm, column_spacing_mm
        Distance between the centres of neighbouring rows, and of neighbouring columns (PixelSpacing, in this order).
    rows, columns
        Size of each slice.
    """

    origins: Floats
    along_row: Floats
    along_column: Floats
    row_spacing_mm: float
    column_spacing_mm: float
    rows: int
    columns: int

    @classmethod
    def of_axes(cls, *, origin: Any, directions: Any, spacing_mm: Any, shape: tuple[int, int, int]) -> Self:
        """Return an even grid.

        Parameters
        ----------
        origin
            Centre of voxel [0, 0, 0], `[3]`, mm, LPS.
        directions
            Unit vectors of growing slice, row and column index, `[3, 3]`, one per row.
        spacing_mm
            Between slices, rows and columns.
        shape
            Slices, rows, columns.
        """
        first, axes = np.asarray(origin, np.float64), np.asarray(directions, np.float64)
        steps = np.arange(shape[0])[:, None] * (float(spacing_mm[0]) * axes[0])
        return cls(
            origins=first + steps,
            along_row=axes[2],
            along_column=axes[1],
            row_spacing_mm=float(spacing_mm[1]),
            column_spacing_mm=float(spacing_mm[2]),
            rows=shape[1],
            columns=shape[2],
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return len(self.origins), self.rows, self.columns

    @property
    def normal(self) -> Floats:
        """Unit vector `[3]` at right angles to the slices: along_row x along_column."""
        return np.cross(self.along_row, self.along_column)

    @property
    def depths_mm(self) -> Floats:
        """Position of each slice along the normal, `[slice]`."""
        return self.origins @ self.normal

    @property
    def slice_spacing_mm(self) -> float:
        """Median distance between neighbouring slices, from their positions; 0 where there is one slice only."""
        gaps = np.abs(np.diff(self.depths_mm))
        return float(np.median(gaps)) if len(gaps) else 0.0

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Between slices (median), rows and columns."""
        return self.slice_spacing_mm, self.row_spacing_mm, self.column_spacing_mm

    def points(self, slice_index: int, rows: Any, columns: Any) -> Floats:
        """Return patient coordinates `[..., 3]` of (fractional) row and column indices within one slice."""
        down = np.asarray(rows, np.float64)[..., None] * (self.row_spacing_mm * self.along_column)
        across = np.asarray(columns, np.float64)[..., None] * (self.column_spacing_mm * self.along_row)
        return np.asarray(self.origins[slice_index] + down + across, np.float64)

    def in_plane(self, points: Any, slice_index: int) -> Floats:
        """Return (fractional) row and column indices `[..., 2]` of patient coordinates projected on a slice."""
        offset = np.asarray(points, np.float64) - self.origins[slice_index]
        rows = offset @ self.along_column / self.row_spacing_mm
        columns = offset @ self.along_row / self.column_spacing_mm
        return np.stack([rows, columns], axis=-1)
