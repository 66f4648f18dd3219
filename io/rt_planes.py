"""Contours are laid on slices: those of an image, or those that the contours themselves lie on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats, Grid
from response.imaging.polygons import fill_polygons
from response.imaging.resample import Slabs
from response.io.mask_pieces import Piece
from response.io.seg_bits import crop_of
from response.io.seg_planes import SAME_PLANE_MM, filled_planes

SAME_PLANE_SHARE: Final = 0.2  # of the slice spacing: contours nearer than that lie on one plane
FLAT_SHARE: Final = 0.5  # of the slice spacing: a contour that rises more belongs to no slice
OTHER_SPACING: Final = 1.1  # ratio to the slice spacing from which contours are known to come from other slices
SKIPPED_SLICES: Final = 1.5  # from this many slice spacings between all planes, contours were drawn on some slices only
OWN_PIXEL_MM: Final = 0.5  # of masks without image: a lesion of 10 mm has 20 pixels
MOST_PIXELS: Final = 4000  # along an axis of such a grid
MOST_COMPARED: Final = 32  # contours of one slice that are looked through for overlaps

Filled = tuple[tuple[int, int], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Laid:
    """The contours of one structure on slices.

    Attributes
    ----------
    outlines
        As in `LesionMask`.
    pieces
        The pixels within.
    notes
        What to know, as half sentences.
    outside
        Number of contours that lie where there is no slice.
    tilted
        Number of contours that are not parallel to the slices.
    """

    outlines: Mapping[int, Sequence[Floats]] = field(default_factory=dict)
    pieces: Sequence[Piece] = ()
    notes: Sequence[str] = ()
    outside: int = 0
    tilted: int = 0


def lie_parallel(contours: Sequence[Floats], grid: Grid) -> bool:
    """Return whether most contours are parallel to the slices of a grid."""
    return 2 * len(_flat(contours, grid)) >= len(contours)


def _flat(contours: Sequence[Floats], grid: Grid) -> list[Floats]:
    """Return the contours that are parallel to the slices of a grid."""
    normal, most = grid.normal, FLAT_SHARE * (grid.slice_spacing_mm or 1.0)
    rises = (np.ptp(points @ normal) for points in contours)
    return [points for points, rise in zip(contours, rises, strict=True) if rise <= most]


def drawn_spacing(rois: Iterable[Sequence[Floats]], grid: Grid) -> float:
    """Return the smallest distance in mm between contours of one structure, over all; 0 where hardly any have two."""
    unit = grid.slice_spacing_mm or 1.0
    flat = [_flat(roi, grid) for roi in rois]
    gaps = np.concatenate([np.zeros(0), *(np.diff(_planes(roi, grid.normal, unit)[1]) for roi in flat if roi)])
    return float(gaps.min()) if len(gaps) > 1 else 0.0


def lay_contours(contours: Sequence[Floats], grid: Grid, drawn_mm: float = 0.0) -> Laid:
    """Return contours on the slices of a grid.

    1. Contours at one depth make a plane.
    2. Each slice takes the plane nearest to it, within half of a slice spacing; within half of their own spacing where
       the contours were drawn on slices further apart.
    3. Pixels whose centres lie within an odd number of the contours of the slice are in.

    Parameters
    ----------
    contours
        Closed contours of one structure.
    grid
        The slices.
    drawn_mm
        Distance of the slices on which all structures were drawn, where that is known.
    """
    flat = _flat(contours, grid)
    if not flat:
        return Laid(tilted=len(contours))
    unit = grid.slice_spacing_mm or 1.0
    plane_of, planes = _planes(flat, grid.normal, unit)
    step = _step(planes, unit, drawn_mm)
    taken, has_plane = Slabs(planes, step).of(grid.depths_mm)
    _, has_slice = Slabs(grid.depths_mm, unit).of(planes)
    on_plane = defaultdict(list)
    for points, plane in zip(flat, plane_of.tolist(), strict=True):
        on_plane[plane].append(points)
    outlines = {
        int(index): [grid.in_plane(points, int(index)) for points in on_plane[int(taken[index])]]
        for index in np.flatnonzero(has_plane)
    }
    unused = np.setdiff1d(np.flatnonzero(has_slice), taken[has_plane])
    notes = [*_depth_notes(planes, grid, step, unit, len(unused)), *_outline_notes(outlines, grid)]
    return Laid(
        outlines=outlines,
        pieces=_pieces(outlines, grid),
        notes=notes,
        outside=int(np.count_nonzero(~has_slice[plane_of])),
        tilted=len(contours) - len(flat),
    )


def _planes(contours: Sequence[Floats], normal: Floats, unit: float) -> tuple[NDArray[np.int64], Floats]:
    """Return the plane of each contour, ascending, and the mean depth of each plane."""
    depths = np.asarray([float((points @ normal).mean()) for points in contours])
    tolerance = max(SAME_PLANE_MM, SAME_PLANE_SHARE * unit)
    order = np.argsort(depths, kind="stable")
    plane_of = np.empty(len(depths), np.int64)
    plane_of[order] = np.cumsum(np.append(False, np.diff(depths[order]) > tolerance))
    return plane_of, np.bincount(plane_of, weights=depths) / np.bincount(plane_of)


def _step(planes: Floats, unit: float, drawn_mm: float) -> float:
    """Return the distance for which each plane stands: that of the slices, or their own where all lie further apart."""
    usual = drawn_mm if drawn_mm > OTHER_SPACING * unit else unit
    gaps = np.diff(planes)
    skipped = len(gaps) > 1 and float(gaps.min()) > SKIPPED_SLICES * usual
    return float(gaps.min()) if skipped else usual


def _depth_notes(planes: Floats, grid: Grid, step: float, unit: float, unused: int) -> list[str]:
    notes = []
    if step > unit:
        notes.append(
            f"its contours are {step:.3g} mm apart, and the slices {unit:.3g} mm: each contour was used on all slices "
            "nearest to it"
        )
    elif unused:
        notes.append(f"contours on {unused} planes lie between the slices, nearer to each other than these")
    off = np.abs(grid.depths_mm[None, :] - planes[:, None]).min(axis=1)
    if 0.1 * unit < off.max() <= unit / 2:
        notes.append(f"its contours lie up to {off.max():.3g} mm beside the slices")
    missing = np.rint(np.diff(planes) / step) - 1
    if step <= unit and (missing == 1).any():
        notes.append("slices without contour lie between slices with one")
    return notes


def _outline_notes(outlines: Mapping[int, Sequence[Floats]], grid: Grid) -> list[str]:
    edge = np.asarray([grid.rows, grid.columns]) - 0.5
    leaving = any(((each < -0.5) | (each > edge)).any() for polygons in outlines.values() for each in polygons)
    notes = ["contours leave the image at its sides"] if leaving else []
    if any(_overlap(polygons, grid) for polygons in outlines.values()):
        notes.append("contours of a slice overlap; what two of them share is outside (even-odd rule)")
    return notes


def _overlap(polygons: Sequence[Floats], grid: Grid) -> bool:
    """Return whether two contours overlap in part: one within another is a hole."""
    if not 1 < len(polygons) <= MOST_COMPARED:
        return False
    filled = [fill_polygons([polygon], (grid.rows, grid.columns)) for polygon in polygons]
    for one, other in combinations(filled, 2):
        shared = _shared(one, other)
        if shared and shared < min(int(one[1].sum()), int(other[1].sum())):
            return True
    return False


def _shared(one: Filled, other: Filled) -> int:
    """Return how many pixels two crops of a slice share."""
    low = np.maximum(one[0], other[0])
    high = np.minimum(np.add(one[0], one[1].shape), np.add(other[0], other[1].shape))
    if (high <= low).any():
        return 0
    parts = [inside[tuple(map(slice, low - corner, high - corner))] for corner, inside in (one, other)]
    return int(np.count_nonzero(parts[0] & parts[1]))


def _pieces(outlines: Mapping[int, Sequence[Floats]], grid: Grid) -> list[Piece]:
    pieces = []
    for index, polygons in outlines.items():
        (row, column), filled = fill_polygons(polygons, (grid.rows, grid.columns))
        if (crop := crop_of(filled)) is not None:
            pieces.append(Piece(index, row + crop[0], column + crop[1], crop[2]))
    return pieces


# --- Without an image.


def own_grid(contours: Sequence[Floats], normal: Floats) -> Grid:
    """Return a grid that holds contours: slices on their planes, even where these allow it, and fine pixels."""
    across = np.eye(3)[0] if abs(normal[0]) < 0.9 else np.eye(3)[1]
    along_row = across - (across @ normal) * normal
    along_row /= np.linalg.norm(along_row)
    along_column = np.cross(normal, along_row)
    places = np.concatenate(contours) @ np.stack([along_column, along_row], axis=1)
    low, high = places.min(axis=0), places.max(axis=0)
    pixel = max(OWN_PIXEL_MM, float((high - low).max()) / MOST_PIXELS)
    first, last = np.floor(low / pixel) - 1, np.ceil(high / pixel) + 1
    corner = (first[0] * pixel) * along_column + (first[1] * pixel) * along_row
    planes = _own_planes(contours, normal)
    step = float(np.diff(planes).min()) if len(planes) > 1 else 0.0
    origins, _ = filled_planes(corner + planes[:, None] * normal, normal, step)
    rows, columns = (int(size) for size in last - first + 1)
    return Grid(
        origins=origins,
        along_row=along_row,
        along_column=along_column,
        row_spacing_mm=pixel,
        column_spacing_mm=pixel,
        rows=rows,
        columns=columns,
    )


def _own_planes(contours: Sequence[Floats], normal: Floats) -> Floats:
    """Return the depths of the planes of contours; those much nearer than usual are one, written with rounding."""
    fine = _planes(contours, normal, 0.0)[1]
    return _planes(contours, normal, float(np.median(np.diff(fine))))[1] if len(fine) > 1 else fine
