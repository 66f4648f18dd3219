"""The sections of a lesion, slice by slice: contours, separate parts, pixels and area; from a mask or as drawn."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from response.imaging.contours import Contour, around_pixels, points_of
from response.imaging.farthest import SAME, Pair, farthest_pair, most_mm, near_the_rim
from response.imaging.grid import Floats
from response.imaging.leaving import leaves_outline, leaves_pixels
from response.imaging.lesion_mask import LesionMask
from response.imaging.outlines import outlined, polygons_of, usable
from response.imaging.polygons import fill_polygons
from response.imaging.sides import Bools, Ints, Sides, parts_of, sides_of
from response.imaging.widths import beyond_centres_mm, width_bounds

OUTLINE: Final = "outline"  # the convention of what a person drew
_PIXELS_AT_ONCE: Final = 1 << 20
_FEW_VOXELS: Final = 2000  # in so few the slices are looked at faster than chosen from
_FEW_SIDES: Final = 1000  # likewise


class Part(NamedTuple):
    """One part of a section: its contours, holes included, and its pixels, bool `[row, column]`."""

    contour: Contour
    pixels: Bools
    area_mm2: float


@dataclass(frozen=True, eq=False, kw_only=True)
class TracedSection:
    """The lesion on one slice of a mask; its parts are numbered from 1.

    Attributes
    ----------
    layer
        Slice, counted within the crop of the mask.
    mask
        Bool `[row, column]`: the pixels of all parts.
    sides
        Its sides.
    ends, points
        The sides that may be ends of the longest diameter of the lesion, `[end]`, and their points, `[end, 2]` in mm.
    spacing_mm, convention
        Between rows, and between columns; and where the border is taken.
    """

    layer: int
    mask: Bools
    sides: Sides
    ends: Ints
    points: Floats
    spacing_mm: tuple[float, float]
    convention: str

    def farthest(self, at_least_mm: float) -> Pair | None:
        """Return the longest pair of points of one part; None where all are shorter than asked for."""
        pair = farthest_pair(self.points, self.sides.loops[self.ends], at_least_mm)
        return pair and Pair(pair.length_mm, int(self.ends[pair.first]), int(self.ends[pair.second]))

    @cached_property
    def contour(self) -> Contour:
        """The contours of all parts."""
        if len(self.ends) < len(self.sides.facing):
            return around_pixels(self.sides, self.spacing_mm, self.convention)
        return Contour(points=self.points, following=self.sides.following, loops=self.sides.loops)

    @cached_property
    def _labels(self) -> Ints | None:
        return parts_of(self.mask) if self.sides.loops.any() else None  # one contour is one part

    @cached_property
    def numbers(self) -> Ints:
        """Which part each point of the contour belongs to, `[point]`."""
        if self._labels is None:
            return np.ones(len(self.sides.facing), np.intp)
        row, column = self.sides.pixels.astype(np.intp).T
        return np.asarray(self._labels[row, column])

    @cached_property
    def components(self) -> int:
        """How many parts there are."""
        return 1 if self._labels is None else int(self._labels.max())

    def number_of(self, point: int) -> int:
        """Return which part a point of the contour belongs to."""
        return 1 if self._labels is None else int(self.numbers[point])

    def part(self, number: int) -> Part:
        """Return a part; its area is that of its pixels, whatever the convention."""
        contour, pixels = self.contour, self.mask
        if self._labels is not None and self.components > 1:
            contour, pixels = contour.part(self.numbers == number), np.asarray(self._labels == number)
        return Part(contour, pixels, int(np.count_nonzero(pixels)) * self.spacing_mm[0] * self.spacing_mm[1])

    def leaves(self, part: Part, *chords: Floats) -> bool:
        """Return whether any of the chords, `[2, 2]` in mm, runs outside a part."""
        return leaves_pixels(part.pixels, np.stack(chords) / self.spacing_mm)


class TracedSections:
    """The slices of a mask.

    Parameters
    ----------
    voxels
        Bool `[slice, row, column]`, in C order; at least one is set.
    spacing_mm
        Between rows, and between columns.
    convention
        Where the border is taken.
    within
        Whether diameters within the lesion are asked for: the longest may then be on any slice, between any points.
    """

    notes: Sequence[str] = ()

    def __init__(self, voxels: Bools, spacing_mm: tuple[float, float], convention: str, *, within: bool) -> None:
        self.convention = convention
        self._voxels, self._spacing_mm, self._within = voxels, spacing_mm, within

    def promising(self, at_least_mm: Callable[[], float]) -> Iterator[TracedSection]:
        """Yield the sections that may hold a diameter so long, the most promising ones first.

        Parameters
        ----------
        at_least_mm
            Is asked for the longest diameter so far.
        """
        if self._voxels.size < _FEW_VOXELS:
            yield from self._traced(np.flatnonzero(self._voxels.any(axis=(1, 2))), at_least_mm)
            return
        least, most = width_bounds(self._voxels, self._spacing_mm, self.convention)
        order = np.argsort(-most, kind="stable")[: np.count_nonzero(most > -np.inf)]
        at_once = max(1, _PIXELS_AT_ONCE // self._voxels[0].size)
        # If the lesion has one part only, the longest diameter is on one of these.
        stop = min(int(np.count_nonzero(most >= least.max())), at_once)
        while len(order):
            some, order = order[:stop], order[stop:]
            some = some[most[some] >= at_least_mm() * (1 - SAME)]
            if not len(some):
                return
            yield from self._traced(np.sort(some), at_least_mm)
            stop = at_once

    def _traced(self, layers: Ints, at_least_mm: Callable[[], float]) -> Iterator[TracedSection]:
        masks = self._voxels[layers]
        sides, bounds = sides_of(masks)
        kept = self._near_the_rim(sides, at_least_mm())
        if not len(kept):
            return
        points = points_of(sides, self.convention, kept) * self._spacing_mm
        cuts = np.searchsorted(kept, bounds)
        filled = np.flatnonzero(cuts[1:] > cuts[:-1])
        most = most_mm(points, cuts[filled])
        for which in np.argsort(-most, kind="stable").tolist():
            if most[which] < at_least_mm() * (1 - SAME):
                return
            place = int(filled[which])
            first, some = int(bounds[place]), slice(cuts[place], cuts[place + 1])
            yield TracedSection(
                layer=int(layers[place]),
                mask=masks[place],
                sides=sides.between(first, int(bounds[place + 1])),
                ends=kept[some] - first,
                points=points[some],
                spacing_mm=self._spacing_mm,
                convention=self.convention,
            )

    def _near_the_rim(self, sides: Sides, at_least_mm: float) -> Ints:
        """Return the sides whose point may be an end of the longest diameter, wherever in its pixel it lies."""
        if self._within or len(sides.facing) < _FEW_SIDES:
            return np.arange(len(sides.facing))
        centres = sides.pixels * np.asarray(self._spacing_mm)
        beyond = beyond_centres_mm(self._spacing_mm, self.convention)
        return np.sort(near_the_rim(centres, sides.loops, at_least_mm, beyond))


@dataclass(frozen=True, eq=False, kw_only=True)
class DrawnSection:
    """The lesion on one slice as a person drew it; parts are numbered from 1.

    Attributes
    ----------
    layer
        Slice, counted within the crop of the mask.
    contour
        The outlines of all parts.
    numbers
        Which part each point of the contour belongs to, `[point]`.
    mask
        Bool `[row, column]`: the pixels of all parts.
    spacing_mm
        Between rows, and between columns.
    """

    layer: int
    contour: Contour
    numbers: Ints
    mask: Bools
    spacing_mm: tuple[float, float]

    def farthest(self, at_least_mm: float) -> Pair | None:
        """Return the longest pair of vertices of one outline; None where all are shorter than asked for."""
        return farthest_pair(self.contour.points, self.contour.loops, at_least_mm)

    @property
    def components(self) -> int:
        """How many parts there are."""
        return int(self.numbers[-1])

    def number_of(self, point: int) -> int:
        """Return which part a point of the contour belongs to."""
        return int(self.numbers[point])

    def part(self, number: int) -> Part:
        """Return a part; its area is what its outline encloses, less its holes (shoelace rule)."""
        contour = self.contour.part(self.numbers == number)
        areas = np.abs(np.bincount(contour.loops, contour.area()))
        return Part(contour, self._pixels(contour), float(2 * areas[0] - areas.sum()))

    def _pixels(self, contour: Contour) -> Bools:
        """Return the pixels whose centre lies within, by the rule by which the mask was made."""
        polygons = [polygon / self.spacing_mm for polygon in polygons_of(contour)]
        (row, column), inside = fill_polygons(polygons, self.mask.shape)
        pixels = np.zeros_like(self.mask)
        pixels[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
        return np.asarray(pixels & self.mask)

    def leaves(self, part: Part, *chords: Floats) -> bool:
        """Return whether any of the chords, `[2, 2]` in mm, runs outside a part by more than half a pixel."""
        return any(leaves_outline(part.contour, ends, 0.5 * min(self.spacing_mm)) for ends in chords)


class DrawnSections:
    """The slices of outlines; empty where no outline can be used.

    Attributes
    ----------
    convention, notes
        Where the border is taken, and what to know about that.
    """

    convention: Final = OUTLINE

    def __init__(self, mask: LesionMask, spacing_mm: tuple[float, float]) -> None:
        self._mask, self._spacing_mm = mask, spacing_mm
        passed_over = 0
        self._drawn: list[tuple[float, int, list[Floats]]] = []
        filled = set(np.flatnonzero(mask.voxels.any(axis=(1, 2))).tolist())
        for slice_index, drawn in sorted(mask.outlines.items()):
            layer, polygons = slice_index - mask.corner[0], usable(drawn)
            if layer not in filled:
                passed_over += len(polygons)
            elif polygons:
                scaled = [(polygon - mask.corner[1:]) * spacing_mm for polygon in polygons]
                self._drawn.append((max(map(_diagonal, scaled)), layer, scaled))
        told = f"{passed_over} outlines were passed over, for on their slice no pixel has its centre within"
        self.notes: Sequence[str] = (told,) if passed_over else ()

    def __len__(self) -> int:
        return len(self._drawn)

    def promising(self, at_least_mm: Callable[[], float]) -> Iterator[DrawnSection]:
        """Yield the sections that may hold a diameter so long, the most promising ones first; see TracedSections."""
        for most, layer, polygons in sorted(self._drawn, key=lambda drawn: -drawn[0]):
            if most >= at_least_mm() * (1 - SAME):
                contour, numbers = outlined(polygons)
                mask = self._mask.voxels[layer]
                yield DrawnSection(
                    layer=layer, contour=contour, numbers=numbers, mask=mask, spacing_mm=self._spacing_mm
                )


def _diagonal(polygon: Floats) -> float:
    """Return the diagonal of the box around a polygon: the upper bound of its diameter."""
    return float(np.hypot(*np.ptp(polygon, axis=0)))


def sections_of(
    mask: LesionMask, spacing_mm: tuple[float, float], convention: str, *, within: bool
) -> TracedSections | DrawnSections:
    """Return the sections of a lesion that has voxels: along its outlines where it has any, else around its pixels."""
    if mask.outlines:
        drawn = DrawnSections(mask, spacing_mm)
        if len(drawn):
            return drawn
    return TracedSections(np.ascontiguousarray(mask.voxels), spacing_mm, convention, within=within)
