"""The grid of a segmentation, from the positions of its frames: they come in any order and may leave out slices."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.errors import InputError
from response.imaging.grid import Floats, Grid
from response.io.mask_set import FindingList
from response.io.seg_frames import FrameTable, PlaneForm

SAME_PLANE_MM: Final = 0.01  # positions are written with at least two decimals, and no two slices are this near
SAME_FORM: Final = 1e-3  # by which directions and (as share) spacings of frames may differ: each is rounded for itself
SAME_PIXEL: Final = 0.1  # of a pixel, by which frames of one plane may be shifted: rounding
STEP_TOLERANCE: Final = 0.05  # of the spacing, by which a gap may miss a whole number of slices: rounded positions
MOST_SLICES: Final = 1 << 14  # of a grid whose gaps are filled; a whole body at 0.5 mm has 4000


@dataclass(frozen=True, eq=False, kw_only=True)
class Planes:
    """The grid of a segmentation.

    Attributes
    ----------
    grid
        Its slices; even where the gaps between frames allow it.
    slice_of
        Slice by frame; -1 where a frame could not be placed.
    """

    grid: Grid
    slice_of: NDArray[np.int64]


def planes_of_frames(frames: FrameTable, shape: tuple[int, int], findings: FindingList, *, has_image: bool) -> Planes:
    """Return the grid of a segmentation.

    1. Frames without position, or whose pixels lie otherwise than those of most, are left out.
    2. Frames at one depth make one plane.
    3. Slices that no frame shows are put in between, so that the grid is even, as the image's was.

    Parameters
    ----------
    frames
        The frames.
    shape
        Rows and columns.
    findings
        Takes what is to be known.
    has_image
        Whether there is an image, whose slices tell their distance.

    Raises
    ------
    InputError
        If no frame can be placed.
    """
    placed = np.isfinite(frames.positions).all(axis=1)
    usable = [bool(form.orientation and form.spacing_mm) for form in frames.forms]
    placed &= np.asarray(usable)[frames.form_of]
    if not placed.any():
        raise InputError(
            findings.file, _missing(frames), "frames with position, orientation and spacing", "export it again"
        )
    most = Counter(frames.form_of[placed].tolist()).most_common(1)[0][0]
    form = frames.forms[most]
    placed &= np.asarray([_is_alike(each, form) for each in frames.forms])[frames.form_of]
    plane_of, firsts = _planes(frames.positions, placed, form)
    step = _step(firsts @ _normal(form), form.between_mm)
    if not (step or has_image):
        _tell_unknown_spacing(findings)
    origins, slice_of_plane = filled_planes(firsts, _normal(form), step)
    along_row, along_column = _directions(form)
    grid = Grid(
        origins=origins,
        along_row=along_row,
        along_column=along_column,
        row_spacing_mm=form.spacing_mm[0],
        column_spacing_mm=form.spacing_mm[1],
        rows=shape[0],
        columns=shape[1],
    )
    return Planes(grid=grid, slice_of=np.where(plane_of >= 0, slice_of_plane[plane_of], -1))


def _is_alike(one: PlaneForm, other: PlaneForm) -> bool:
    """Return whether the pixels of two frames lie alike, but for rounding."""
    if not (one.orientation and one.spacing_mm):
        return False
    directions = np.abs(np.subtract(one.orientation, other.orientation)).max()
    return bool(directions <= SAME_FORM and np.allclose(one.spacing_mm, other.spacing_mm, rtol=SAME_FORM))


def _missing(frames: FrameTable) -> str:
    if not any(form.spacing_mm for form in frames.forms):
        return "a pixel spacing that is missing, zero, no number or absurd"
    if not any(form.orientation for form in frames.forms):
        return "an orientation that is missing or no pair of directions"
    return "frame positions that are missing or no numbers"


def _directions(form: PlaneForm) -> tuple[Floats, Floats]:
    """Return the unit vectors along rows and columns, at exact right angles."""
    row, column = np.asarray(form.orientation[:3]), np.asarray(form.orientation[3:])
    row = row / np.linalg.norm(row)
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def _normal(form: PlaneForm) -> Floats:
    return np.asarray(np.cross(*_directions(form)))


def _planes(positions: Floats, placed: NDArray[np.bool_], form: PlaneForm) -> tuple[NDArray[np.int64], Floats]:
    """Return the plane of each frame (-1: none), ascending along the normal, and the position of each plane."""
    known = np.flatnonzero(placed)
    depths = positions[known] @ _normal(form)
    order = np.argsort(depths, kind="stable")
    starts = np.append(True, np.diff(depths[order]) > SAME_PLANE_MM)
    plane_of = np.full(len(positions), -1)
    plane_of[known[order]] = np.cumsum(starts) - 1
    firsts = positions[known[order]][starts]
    along_row, along_column = _directions(form)
    shift = positions[known] - firsts[plane_of[known]]
    off = np.maximum(np.abs(shift @ along_column) / form.spacing_mm[0], np.abs(shift @ along_row) / form.spacing_mm[1])
    plane_of[known[off > SAME_PIXEL]] = -1
    return plane_of, firsts


def _tell_unknown_spacing(findings: FindingList) -> None:
    findings.tell(
        "slice_spacing_unknown",
        "warning",
        "All masks lie on one slice, and the distance of slices is not stated: their volume is not known.",
        remedy="Measure them on their image.",
    )


def _step(depths: Floats, stated_mm: float) -> float:
    """Return the distance of the slices, or 0 where it is not known.

    It is the smallest gap between frames. The stated one is used only where there is one plane, or where it divides
    all gaps and these differ, or there is only one: then slices without frames lie between those with them.
    """
    gaps = np.diff(depths)
    smallest = float(gaps.min()) if len(gaps) else 0.0
    if stated_mm <= SAME_PLANE_MM or (len(gaps) and smallest < (2 - STEP_TOLERANCE) * stated_mm):
        return smallest
    is_even = len(gaps) > 1 and float(gaps.max()) - smallest <= STEP_TOLERANCE * smallest
    return smallest if is_even or not _divides(stated_mm, gaps) else stated_mm


def _divides(step: float, gaps: Floats) -> bool:
    counts = gaps / step
    return bool((np.abs(counts - np.rint(counts)) <= STEP_TOLERANCE).all())


def filled_planes(firsts: Floats, normal: Floats, step: float) -> tuple[Floats, NDArray[np.int64]]:
    """Return positions with those of empty slices in between, and the index of each plane among them.

    Parameters
    ----------
    firsts
        Positions of the planes `[plane, 3]`, ascending along the normal.
    normal
        Unit vector.
    step
        Distance of the slices in mm; where it does not divide all gaps, or is 0, nothing is put in between.
    """
    gaps = np.diff(firsts @ normal)
    alone = np.arange(len(firsts))
    if step <= 0 or not _divides(step, gaps):
        return firsts, alone
    if not len(gaps):  # an empty neighbour, for the distance of slices is told by their positions
        return np.concatenate([firsts, firsts + step * normal]), alone
    counts = np.rint(gaps / step).astype(np.int64)
    at = np.concatenate([[0], np.cumsum(counts)])
    if at[-1] >= MOST_SLICES:
        return firsts, alone
    index = np.arange(at[-1] + 1)
    origins = np.stack([np.interp(index, at, firsts[:, axis]) for axis in range(3)], axis=1)
    return origins, at
