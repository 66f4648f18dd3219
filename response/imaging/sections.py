"""The sections of a lesion, slice by slice: contours, separate parts, pixels and area; from a mask or as drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from response.imaging.contours import Bools, Contour, Ints, parts_of, trace
from response.imaging.farthest import DIRECTIONS, SAME, SHORTENING
from response.imaging.grid import Floats
from response.imaging.leaving import leaves_outline, leaves_pixels
from response.imaging.lesion_mask import LesionMask
from response.imaging.outlines import outlined, polygons_of, usable
from response.imaging.polygons import fill_polygons
from response.imaging.widths import width_bounds

OUTLINE: Final = "outline"  # the convention of what a person drew
_PIXELS_AT_ONCE: Final = 1 << 20


@dataclass(frozen=True, eq=False, kw_only=True)
class TracedSection:
    """The lesion on one slice of a mask; its parts are numbered from 1.

    Attributes
    ----------
    layer
        Slice, counted within the crop of the mask.
    most_mm
        Upper bound of its longest diameter.
    contour
        The contours of all parts.
    mask
        Bool `[row, column]`: the pixels of all parts.
    spacing_mm
        Between rows, and between columns.
    """

    layer: int
    most_mm: float
    contour: Contour
    mask: Bools
    spacing_mm: tuple[float, float]

    @cached_property
    def _labels(self) -> Ints:
        return parts_of(self.mask) if self.contour.loops.any() else self.mask.astype(np.intp)

    @cached_property
    def numbers(self) -> Ints:
        """Which part each point of the contour belongs to, `[point]`."""
        return np.asarray(self._labels[self.contour.pixels[:, 0], self.contour.pixels[:, 1]])

    def pixels(self, number: int) -> Bools:
        """Return the pixels of a part, bool `[row, column]`."""
        return np.asarray(self._labels == number)

    def area_mm2(self, number: int) -> float:
        """Return the area of a part: that of its pixels, whatever the convention."""
        return int(np.count_nonzero(self.pixels(number))) * self.spacing_mm[0] * self.spacing_mm[1]

    def leaves(self, number: int, *chords: Floats) -> bool:
        """Return whether any of the chords, `[2, 2]` in mm, runs outside a part."""
        return leaves_pixels(self.pixels(number), np.stack(chords) / self.spacing_mm)


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
    """

    notes: Sequence[str] = ()

    def __init__(self, voxels: Bools, spacing_mm: tuple[float, float], convention: str) -> None:
        self.convention = convention
        self._voxels, self._spacing_mm = voxels, spacing_mm
        least, self._most_mm = width_bounds(voxels, spacing_mm, convention)
        self._order = np.argsort(-self._most_mm, kind="stable")
        self._at_once = max(1, _PIXELS_AT_ONCE // voxels[0].size)
        # If the lesion has one part only, the longest diameter is on one of these.
        self._next = min(int(np.count_nonzero(self._most_mm >= least.max())), self._at_once)

    def following(self, at_least_mm: float) -> list[TracedSection]:
        """Return the next few sections that may hold so long a diameter, by their upper bound; none at the end."""
        some, self._order = self._order[: self._next], self._order[self._next :]
        self._next = self._at_once
        some = some[self._most_mm[some] >= max(at_least_mm * (1 - SAME), 0.0)]
        return self._traced(some) if len(some) else []

    def _traced(self, layers: Ints) -> list[TracedSection]:
        masks = self._voxels[layers]
        contour, bounds = trace(masks, self._spacing_mm, self.convention)
        along = contour.points @ DIRECTIONS
        width = np.maximum.reduceat(along, bounds[:-1]) - np.minimum.reduceat(along, bounds[:-1])
        most = width.max(axis=1) / SHORTENING
        return [
            TracedSection(
                layer=int(layers[which]),
                most_mm=float(most[which]),
                contour=contour.between(bounds[which], bounds[which + 1]),
                mask=masks[which],
                spacing_mm=self._spacing_mm,
            )
            for which in np.argsort(-most, kind="stable").tolist()
        ]


@dataclass(frozen=True, eq=False, kw_only=True)
class DrawnSection:
    """The lesion on one slice as a person drew it; parts are numbered from 1.

    Attributes
    ----------
    layer
        Slice, counted within the crop of the mask.
    most_mm
        Upper bound of its longest diameter.
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
    most_mm: float
    contour: Contour
    numbers: Ints
    mask: Bools
    spacing_mm: tuple[float, float]

    def _part(self, number: int) -> Contour:
        return self.contour.part(self.numbers == number)

    def pixels(self, number: int) -> Bools:
        """Return the pixels of a part, bool `[row, column]`: those with their centre within, as the mask was made."""
        polygons = [loop / np.asarray(self.spacing_mm) for loop in polygons_of(self._part(number))]
        (row, column), inside = fill_polygons(polygons, self.mask.shape)
        pixels = np.zeros_like(self.mask)
        pixels[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
        return pixels & self.mask

    def area_mm2(self, number: int) -> float:
        """Return the area that the outline of a part encloses, less its holes (shoelace rule)."""
        part = self._part(number)
        areas = np.abs(np.bincount(part.loops, part.area()))
        return float(2 * areas[0] - areas.sum())

    def leaves(self, number: int, *chords: Floats) -> bool:
        """Return whether any of the chords, `[2, 2]` in mm, runs outside a part by more than half a pixel."""
        part = self._part(number)
        return any(leaves_outline(part, ends, 0.5 * min(self.spacing_mm)) for ends in chords)


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
        self._drawn.sort(key=lambda drawn: -drawn[0])
        told = f"{passed_over} outlines were passed over, for on their slice no pixel has its centre within"
        self.notes: Sequence[str] = (told,) if passed_over else ()

    def __len__(self) -> int:
        return len(self._drawn)

    def following(self, at_least_mm: float) -> list[DrawnSection]:
        """Return the next section that may hold so long a diameter, by its upper bound; none at the end."""
        if not self._drawn or self._drawn[0][0] < at_least_mm * (1 - SAME):
            return []
        most_mm, layer, polygons = self._drawn.pop(0)
        contour, numbers = outlined(polygons)
        return [
            DrawnSection(
                layer=layer,
                most_mm=most_mm,
                contour=contour,
                numbers=numbers,
                mask=self._mask.voxels[layer],
                spacing_mm=self._spacing_mm,
            )
        ]


def _diagonal(polygon: Floats) -> float:
    """Return the diagonal of the box around a polygon: the upper bound of its diameter."""
    return float(np.hypot(*np.ptp(polygon, axis=0)))


def sections_of(mask: LesionMask, spacing_mm: tuple[float, float], convention: str) -> TracedSections | DrawnSections:
    """Return the sections of a lesion that has voxels: along its outlines where it has any, else around its pixels."""
    drawn = DrawnSections(mask, spacing_mm) if mask.outlines else ()
    return drawn if len(drawn) else TracedSections(np.ascontiguousarray(mask.voxels), spacing_mm, convention)
