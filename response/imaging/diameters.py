"""The longest diameter of a segmented lesion within a slice, and the longest one at a right angle to it.

Source: RECIST 1.1 (Eisenhauer et al., Eur J Cancer 2009;45:228-247), section 4.1 and appendix II: the longest
diameter is measured in the plane in which the images were acquired, and the short axis at a right angle to it.

1. Each slice is measured by itself, and on it each part by itself: parts that do not touch, not even at a corner of
   two pixels, are never bridged.
2. The border is a closed contour; where it lies is the option `diameter_convention` (`contours`). An outline that a
   person drew is taken as it was drawn.
3. The longest diameter joins the two points of one contour that are farthest apart, on the slice where that is most.
   The perpendicular is the longest chord at a right angle to it in the same part.
4. Of equal ones the lowest slice counts, then the first part, then the first point (by row, then column).

The default convention, `contour`, has the least bias on digitised ellipses: examples/imaging/diameter_bias.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from response.errors import InputError
from response.imaging.chords import covers, perpendicular
from response.imaging.contours import Contour
from response.imaging.farthest import SAME, Pair, farthest_pair
from response.imaging.grid import Floats, Grid
from response.imaging.lesion_mask import LesionMask
from response.imaging.options import MeasureOptions
from response.imaging.sections import DrawnSection, DrawnSections, TracedSection, TracedSections, sections_of
from response.imaging.visibility import longest_inside, thinning


@dataclass(frozen=True, eq=False, kw_only=True)
class Diameters:
    """The diameters of one lesion, and where they lie.

    Attributes
    ----------
    slice_index
        Slice of the grid on which they were measured.
    longest_mm, short_mm
        The longest diameter, and the longest chord at a right angle to it. Between pixel centres a single pixel
        measures 0, and a lesion of one row has a short axis of 0.
    longest_ends, short_ends
        Their ends, `[2, 3]`, in patient coordinates (mm, LPS); both ends lie on the contour.
    area_mm2
        Area of the measured part on that slice: its pixels, or what an outline encloses less its holes.
    leaves_lesion
        Whether one of the two runs outside the lesion, which is concave there or has a hole.
    components
        Number of separate parts on that slice.
    section
        The measured part on that slice, bool `[row, column]`, of the shape of the crop of the mask.
    convention
        Where the border was taken: the option, or `outline`.
    notes
        What else to know, one sentence each.
    """

    slice_index: int
    longest_mm: float
    short_mm: float
    longest_ends: Floats
    short_ends: Floats
    area_mm2: float
    leaves_lesion: bool
    components: int
    section: NDArray[np.bool_]
    convention: str
    notes: tuple[str, ...] = ()


class _Found(NamedTuple):
    """The longest diameter so far: the section, and the pair of points of its contour."""

    section: TracedSection | DrawnSection
    pair: Pair


def measure_diameters(mask: LesionMask, grid: Grid, options: MeasureOptions) -> Diameters | None:
    """Measure the longest diameter of a lesion within a slice, and its perpendicular.

    Parameters
    ----------
    mask
        The lesion. Its outlines, where it has any, are measured in place of its pixels.
    grid
        The grid of the image on which the mask lies.
    options
        `diameter_convention`, and `chords_inside`: with it both diameters stay within the contour of the lesion, the
        longest one between two points of the contour that see each other.

    Returns
    -------
    Diameters, or None where the mask has no voxel.

    Raises
    ------
    InputError
        If the grid has no pixel spacing.
    """
    if not mask.voxels.any():
        return None
    spacing = (grid.row_spacing_mm, grid.column_spacing_mm)
    if not all(0 < one < np.inf for one in spacing):
        raise InputError("the image", f"pixels of {spacing[0]} x {spacing[1]} mm", "sizes above 0", "see its headers")
    sections = sections_of(mask, spacing, options.diameter_convention, within=options.chords_inside)
    section, pair = _longest(sections, inside=options.chords_inside)
    part = section.part(section.number_of(pair.first))
    axis = section.contour.points[[pair.first, pair.second]]
    axis, across = _crossed(part.contour, axis, inside=options.chords_inside)
    ends = _in_patient(np.concatenate([axis, across]), mask, grid, section.layer)
    return Diameters(
        slice_index=mask.corner[0] + section.layer,
        longest_mm=_length(axis),
        short_mm=_length(across),
        longest_ends=ends[:2],
        short_ends=ends[2:],
        area_mm2=part.area_mm2,
        leaves_lesion=not options.chords_inside and section.leaves(part, axis, across),
        components=section.components,
        section=part.pixels,
        convention=sections.convention,
        notes=(
            *sections.notes,
            *_border_notes(mask, grid, part.pixels),
            *_search_notes(part.contour, _length(axis), options),
        ),
    )


def _longest(sections: TracedSections | DrawnSections, *, inside: bool) -> _Found:
    """Return the longest diameter of all slices: promising ones first, until no other can hold a longer one."""
    best: _Found | None = None

    def length_mm() -> float:
        return best.pair.length_mm if best else 0.0

    for section in sections.promising(length_mm):
        pair = _longest_inside(section, length_mm()) if inside else section.farthest(length_mm())
        if pair is not None and (best is None or _is_before(section.layer, pair, best)):
            best = _Found(section, pair)
    if best is None:
        raise AssertionError("a section with pixels has a contour")
    return best


def _is_before(layer: int, pair: Pair, best: _Found) -> bool:
    """Whether a diameter is longer than the best so far, or as long and on a lower slice."""
    longer, shorter = pair.length_mm * (1 + SAME), pair.length_mm * (1 - SAME)
    return shorter > best.pair.length_mm or (longer >= best.pair.length_mm and layer < best.section.layer)


def _longest_inside(section: TracedSection | DrawnSection, at_least_mm: float) -> Pair | None:
    """Return the longest diameter of a section that stays within it: part by part, the longest part first."""
    contour, numbers = section.contour, section.numbers
    left = np.ones(len(numbers), np.bool_)
    best: Pair | None = None
    while left.any():
        places = np.flatnonzero(left)
        remaining = contour.part(left)
        pair = farthest_pair(remaining.points, remaining.loops, at_least_mm)
        if pair is None or (best is not None and pair.length_mm <= best.length_mm * (1 + SAME)):
            return best
        this = numbers == numbers[places[pair.first]]
        part, within = contour.part(this), np.flatnonzero(this)
        ends = contour.points[places[[pair.first, pair.second]]]
        if covers(part, ends[:1], ends[1:])[0]:
            found = Pair(pair.length_mm, int(places[pair.first]), int(places[pair.second]))
        else:
            seen = longest_inside(part, at_least_mm)
            found = Pair(seen.length_mm, int(within[seen.first]), int(within[seen.second]))
        if best is None or found.length_mm > best.length_mm * (1 + SAME):
            best, at_least_mm = found, max(found.length_mm, at_least_mm)
        left &= ~this
    return best


def _crossed(part: Contour, axis: Floats, *, inside: bool) -> tuple[Floats, Floats]:
    """Return the ends of the longest diameter and of its perpendicular, each `[2, 2]` in mm.

    The ends of a perpendicular may lie between two points of the contour. Within a concave lesion it can so be longer
    than all chords between points; then it is the longest diameter.
    """
    across = perpendicular(part, axis, inside=inside).ends
    while inside and _length(across) > _length(axis) * (1 + SAME):
        axis, across = across, perpendicular(part, across, inside=inside).ends
    return axis, across


def _length(ends: Floats) -> float:
    return float(np.hypot(*(ends[1] - ends[0])))


def _in_patient(ends: Floats, mask: LesionMask, grid: Grid, layer: int) -> Floats:
    """Return the patient coordinates `[2, 3]` of ends in mm from the first pixel of the crop."""
    rows = ends[:, 0] / grid.row_spacing_mm + mask.corner[1]
    columns = ends[:, 1] / grid.column_spacing_mm + mask.corner[2]
    return grid.points(mask.corner[0] + layer, rows, columns)


def _border_notes(mask: LesionMask, grid: Grid, pixels: NDArray[np.bool_]) -> Iterator[str]:
    """Tell that the measured part lies at the border of the image."""
    first, last = np.asarray(mask.corner[1:]), np.add(mask.corner[1:], pixels.shape) - 1
    if (first > 0).all() and (last < (grid.rows - 1, grid.columns - 1)).all():
        return
    places = np.argwhere(pixels) + first
    if len(places) and ((places == 0) | (places == (grid.rows - 1, grid.columns - 1))).any():
        yield "the lesion reaches the border of the image, which may cut it"


def _search_notes(part: Contour, longest_mm: float, options: MeasureOptions) -> Iterator[str]:
    """Tell where a diameter within the lesion was searched for among a part of the points only."""
    step = thinning(part) if options.chords_inside else 1
    if step > 1:
        pair = farthest_pair(part.points, part.loops, longest_mm)
        if pair is not None and pair.length_mm > longest_mm * (1 + SAME):
            yield f"of {len(part.points)} points of the contour 1 in {step} was tried as an end of the diameter"
