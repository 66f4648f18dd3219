"""Where the slices of one volume lie, and what is odd about it. Spacing comes from positions, never from thickness."""

from typing import Final

import numpy as np

from response.errors import InputError
from response.imaging.grid import Floats, Grid
from response.io.stacks import Stack

EVEN_FRACTION: Final = 0.02  # gaps may differ by this part of the spacing ...
EVEN_MM: Final = 0.011  # ... or by this, for some scanners round positions to two decimals
MISSING_FRACTION: Final = 0.1  # of the spacing: how close a gap is to a multiple of it if slices are missing
TILT_DEGREES: Final = 0.1  # below, it is rounding
ROUNDING_MM: Final = 0.05  # over the whole series: what rounding of positions may do
SHIFT_MM: Final = 0.1  # slices out of line with the others by less: rounding
THICKNESS_FRACTION: Final = 0.1  # thickness and spacing are told to differ by more than this part of the spacing


def grid_of(stack: Stack, where: str) -> Grid:
    """Return the grid of a stack.

    Raises
    ------
    InputError
        If its slices have no position or orientation and there are several.
    """
    first = stack.planes[0]
    if stack.has_places:
        assert first.axes is not None
        axes = first.axes
        origins = np.array([plane.position for plane in stack.planes], np.float64)
    elif len(stack.planes) == 1:
        axes, origins = np.eye(3)[:2], np.zeros((1, 3))
    else:
        found = f"{len(stack.planes)} slices without position or orientation"
        raise InputError(where, found, "ImagePositionPatient and ImageOrientationPatient", "their order is not known")
    return Grid(
        origins=origins,
        along_row=axes[0],
        along_column=axes[1],
        row_spacing_mm=first.spacing_mm[0],
        column_spacing_mm=first.spacing_mm[1],
        rows=first.size[0],
        columns=first.size[1],
    )


def geometry_faults(stack: Stack, grid: Grid, thickness_mm: float) -> list[str]:
    """Return what is odd about where the slices lie, one sentence each."""
    if not stack.has_places:
        return ["the position of the slice in the patient is not known"]
    faults = []
    if stack.doubles:
        faults.append(f"{slices_were(stack.doubles)} left out, for others lie at the same place (duplicate slices)")
    if len(stack.planes) > 1:
        faults += _gap_faults(np.diff(grid.depths_mm))
        faults += _shift_faults(grid)
        faults += _thickness_faults(thickness_mm, grid.slice_spacing_mm)
    return faults


def slices_were(count: int) -> str:
    """Return the beginning of a sentence about some slices."""
    return "1 slice was" if count == 1 else f"{count} slices were"


def _gap_faults(gaps: Floats) -> list[str]:
    spacing = float(np.sort(gaps)[(len(gaps) - 1) // 2])  # the lower median: of the gaps 3 and 6 mm, the former
    tolerance = max(EVEN_FRACTION * spacing, EVEN_MM)
    odd = np.abs(gaps - spacing) > tolerance
    steps = np.rint(gaps / spacing)
    missing = odd & (steps >= 2) & (np.abs(gaps - steps * spacing) <= MISSING_FRACTION * spacing)
    faults = []
    if missing.any():
        count = int((steps[missing] - 1).sum())
        places = ", ".join(str(index + 1) for index in np.flatnonzero(missing)[:5])
        verb = "1 slice is" if count == 1 else f"{count} slices are"
        faults.append(f"{verb} missing (behind slice {places} of those there are; spacing {spacing:.4g} mm)")
    if (odd & ~missing).any():
        low, high = gaps[~missing].min(), gaps[~missing].max()
        faults.append(f"slices are unevenly spaced ({low:.4g} to {high:.4g} mm, median {spacing:.4g} mm)")
    return faults


def _shift_faults(grid: Grid) -> list[str]:
    """Tell gantry tilt: a shift within the plane that grows from slice to slice; and slices that are out of line."""
    offsets = grid.origins - grid.origins[0]
    heights = (offsets @ grid.normal)[:, None]
    shifts = offsets - heights * grid.normal
    slope = np.median(np.diff(shifts, axis=0) / np.diff(heights, axis=0), axis=0)  # mm per mm; one odd slice is no tilt
    steepness = float(np.linalg.norm(slope))
    angle = float(np.degrees(np.arctan(steepness)))
    faults = []
    if angle > TILT_DEGREES and steepness * heights[-1, 0] > ROUNDING_MM:
        faults.append(f"gantry tilt: slices are shifted against each other, by {angle:.3g} degrees")
    rest = shifts - heights * slope
    out_of_line = float(np.linalg.norm(rest - np.median(rest, axis=0), axis=1).max())
    if out_of_line > SHIFT_MM:
        faults.append(f"some slices are out of line with the others, by up to {out_of_line:.3g} mm")
    return faults


def _thickness_faults(thickness_mm: float, spacing_mm: float) -> list[str]:
    if thickness_mm <= 0 or abs(thickness_mm - spacing_mm) <= THICKNESS_FRACTION * spacing_mm:
        return []
    told = "they overlap" if thickness_mm > spacing_mm else "there are gaps between them"
    return [f"slices are {thickness_mm:.4g} mm thick and {spacing_mm:.4g} mm apart: {told}"]
