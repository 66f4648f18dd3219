"""The closed contours of a section: one point for each side on which a pixel of the lesion meets one outside it.

Pixels that touch at a side or at a corner belong together (8-connectivity): a thin lesion that runs obliquely is one
part and not a chain of single pixels. The background is 4-connected accordingly.

All conventions walk along the same sides and differ only in where the point of a side lies:

`pixel_centres`
    the centre of the border pixel;
`mid_edges`
    the middle of the side, as in the meshes of marching squares (pyradiomics);
`pixel_edges`
    the corner at which the side begins;
`contour`
    the middle of the side, smoothed along the contour, see `_smoothed`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

# Sides of a pixel in the order in which a contour goes around it, as steps of row and column: up, right, down, left.
_SIDES: Final = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])
# Points on either side of the fitted stretch, from narrow to wide; chosen with examples/imaging/diameter_bias.py.
_REACHES: Final = (2, 3, 4, 6, 8, 12)
# A stretch is as straight as a parabola needs it while its halves meet at less than 63 degrees: cos^2 at least 1/5.
_SQUARED_COSINE: Final = (1, 5)


@dataclass(frozen=True, eq=False, kw_only=True)
class Contour:
    """The closed contours of one section, or of one part of it, holes included.

    Attributes
    ----------
    points
        Shape `[point, 2]`: mm down the rows and across the columns, from the centre of the first pixel of the crop.
    following
        Shape `[point]`: index of the next point of the same closed contour; the lesion lies on one side throughout.
    loops
        Shape `[point]`: smallest index of a point on the same closed contour.
    pixels
        Shape `[point, 2]`: row and column, in the crop, of the border pixel; empty for the outlines of a person.
    """

    points: Floats
    following: Ints
    loops: Ints
    pixels: Ints

    def part(self, wanted: Bools) -> "Contour":
        """Return the contours whose points are wanted `[point]`: all points of a closed contour, or none."""
        place = np.cumsum(wanted) - 1
        return Contour(
            points=self.points[wanted],
            following=place[self.following[wanted]],
            loops=place[self.loops[wanted]],
            pixels=self.pixels[wanted] if len(self.pixels) else self.pixels,
        )

    def between(self, start: int, stop: int) -> "Contour":
        """Return the contours of one section, given where its points begin and end."""
        some = slice(start, stop)
        return Contour(
            points=self.points[some],
            following=self.following[some] - start,
            loops=self.loops[some] - start,
            pixels=self.pixels[some],
        )

    def ranks(self) -> Ints:
        """Return how many points lie from each point on to the first of its closed contour, `[point]`."""
        own = np.arange(len(self.loops))
        is_first = own == self.loops
        rank, jump = (~is_first).astype(np.intp), np.where(is_first, own, self.following)
        while (jump != self.loops).any():
            rank, jump = rank + rank[jump], jump[jump]
        return np.asarray(rank)

    def area(self) -> Floats:
        """Return each point's share of the enclosed area in mm2, `[point]` (shoelace rule): holes are negative."""
        down, across = self.points.T
        return np.asarray(0.5 * (across * down[self.following] - down * across[self.following]))


def trace(sections: Bools, spacing_mm: tuple[float, float], convention: str) -> tuple[Contour, Ints]:
    """Return the contours of all sections together, and where in it those of each section begin and end.

    Parameters
    ----------
    sections
        Bool `[section, row, column]`.
    spacing_mm
        Between rows, and between columns.
    convention
        Where the point of a side lies, see the head of this module.

    Returns
    -------
    Contours, and `[section + 1]` indices: points `bounds[i]` to before `bounds[i + 1]` belong to section i.
    """
    rows, columns = sections.shape[1] + 2, sections.shape[2] + 2
    padded = np.zeros((len(sections), rows, columns), np.bool_)
    padded[:, 1:-1, 1:-1] = sections
    pixel, side, following = _sides(padded)
    place = np.stack([pixel // columns % rows - 1, pixel % columns - 1], axis=1)
    points = _points(place, side, following, convention) * spacing_mm
    bounds = np.searchsorted(pixel, np.arange(len(sections) + 1) * (rows * columns))
    return Contour(points=points, following=following, loops=_smallest_along(following), pixels=place), bounds


def _smallest_along(following: Ints) -> Ints:
    """Return for each point the smallest index on its closed contour, `[point]`."""
    smallest, jump = np.arange(len(following)), following
    while True:  # the stretch that has been looked at doubles each time
        smaller = np.minimum(smallest, smallest[jump])
        if (smaller == smallest).all():
            return smallest
        smallest, jump = smaller, jump[jump]


def _sides(padded: Bools) -> tuple[Ints, Ints, Ints]:
    """Return flat index of the pixel, side, and index of the following side, of all sides that face outside."""
    lesion, columns = padded.ravel(), padded.shape[2]
    steps = _SIDES @ np.array([columns, 1])
    middle = slice(columns, -columns)
    within = lesion[middle] & lesion[2 * columns :] & lesion[: -2 * columns]
    within &= lesion[columns - 1 : -columns - 1] & lesion[columns + 1 : lesion.size - columns + 1]
    border = np.flatnonzero(lesion[middle] & ~within) + columns
    outside = ~lesion[border[:, None] + steps]
    which, side = np.nonzero(outside)
    pixel = border[which]
    number = np.cumsum(outside.ravel()).reshape(outside.shape) - 1
    row_of = np.empty(lesion.size, np.intp)
    row_of[border] = np.arange(len(border))
    # Going on along the side, the next pixel lies across the corner, straight on, or is the same one.
    onward = (side + 1) % 4
    straight = pixel + steps[onward]
    across = straight + steps[side]
    is_across, is_straight = lesion[across], lesion[straight]
    next_pixel = np.where(is_across, across, np.where(is_straight, straight, pixel))
    next_side = np.where(is_across, (side + 3) % 4, np.where(is_straight, side, onward))
    return pixel, side, number[row_of[next_pixel], next_side]


def _points(place: Ints, side: Ints, following: Ints, convention: str) -> Floats:
    """Return the point of each side in pixels."""
    if convention == "pixel_centres":
        return place.astype(np.float64)
    if convention == "pixel_edges":
        return np.asarray(place + 0.5 * (_SIDES[side] + _SIDES[(side + 3) % 4]))
    if convention == "mid_edges":
        return np.asarray(place + 0.5 * _SIDES[side])
    return _smoothed(place, side, following)


def _smoothed(place: Ints, side: Ints, following: Ints) -> Floats:
    """Return the middles of the sides, smoothed along the contour: `[point, 2]` in pixels.

    1. Through each point and its neighbours on either side a parabola is fitted by least squares (Savitzky and Golay,
       Anal Chem 1964;36:1627-1639): unlike a mean it does not draw a curved contour inwards.
    2. Its reach is the widest of `_REACHES` up to which the contour turns by less than 63 degrees; where it turns more
       within the narrowest, as at the end of a thin lesion or the corner of a box, the point stays where it is.
    3. The point stays in the quarter of its pixel that faces the side. So the longest diameter is never smaller than
       between pixel centres and never larger than between pixel edges.

    The sums are whole numbers in half pixels, exact in whatever order: mirrored lesions have mirrored contours.
    """
    outward = _SIDES[side].astype(np.float64)
    doubled = 2 * place + outward
    middle = doubled[:, 0] + 1j * doubled[:, 1]  # one complex number per point, for half the gathering
    fitted, ahead, behind = middle, following, _inverse(following)
    backward, going = behind, np.ones(len(middle), np.bool_)
    plain, squares = middle, np.zeros_like(middle)
    for reach in range(1, _REACHES[-1] + 1):
        both = middle[ahead] + middle[behind]
        plain, squares = plain + both, squares + reach**2 * both
        if reach in _REACHES:
            going = going & _is_straight(middle - middle[behind], middle[ahead] - middle)
            if not going.any():
                break
            fitted = np.where(going, _parabola(plain, squares, reach), fitted)
        ahead, behind = following[ahead], backward[behind]
    offset = np.stack([fitted.real, fitted.imag], axis=1) - 2 * place
    return np.asarray(place + 0.5 * _within_quarter(offset, outward))


def _inverse(following: Ints) -> Ints:
    before = np.empty_like(following)
    before[following] = np.arange(len(following))
    return before


def _is_straight(arriving: Any, leaving: Any) -> Bools:
    dot = arriving.real * leaving.real + arriving.imag * leaving.imag
    lengths = (arriving.real**2 + arriving.imag**2) * (leaving.real**2 + leaving.imag**2)
    return np.asarray((dot > 0) & (_SQUARED_COSINE[1] * dot**2 >= _SQUARED_COSINE[0] * lengths))


def _parabola(plain: Any, squares: Any, reach: int) -> Any:
    """Return the value at the middle of the parabola through 2 reach + 1 points, from their sums."""
    whole = 3 * ((3 * reach**2 + 3 * reach - 1) * plain - 5 * squares)
    divisor = (2 * reach - 1) * (2 * reach + 1) * (2 * reach + 3)
    return whole.real / divisor + 1j * (whole.imag / divisor)


def _within_quarter(offset: Floats, outward: Floats) -> Floats:
    """Return offsets from the pixel's centre, in half pixels, kept within the quarter that faces the side."""
    aside = outward[:, ::-1]
    out = np.clip((offset * outward).sum(axis=1), 0.0, 1.0)
    along = np.clip((offset * aside).sum(axis=1), -out, out)
    return np.asarray(out[:, None] * outward + along[:, None] * aside)


def parts_of(section: Bools) -> Ints:
    """Return which part each pixel of a section belongs to: 0 outside, parts numbered from 1 in raster order.

    Runs of pixels along the rows are joined where they touch; labels then jump along the joins, so the number of
    rounds grows with the logarithm of the longest chain.
    """
    padded = np.zeros((section.shape[0], section.shape[1] + 2), np.int8)
    padded[:, 1:-1] = section
    change = np.diff(padded, axis=1)
    row, start = np.nonzero(change == 1)
    stop = np.nonzero(change == -1)[1]
    label = _joined(len(row), *_touching(row, start, stop, section.shape[1]))
    numbers = np.unique(label, return_inverse=True)[1] + 1
    out = np.zeros(section.shape, np.intp)
    out[section] = np.repeat(numbers, stop - start)
    return out


def _touching(row: Ints, start: Ints, stop: Ints, columns: int) -> tuple[Ints, Ints]:
    """Return pairs of runs in neighbouring rows that touch at a side or a corner."""
    width = columns + 2
    first, last = row * width + start, row * width + stop - 1
    low = np.searchsorted(last, first + width - 1)
    high = np.searchsorted(first, last + width + 1, side="right")
    count = np.maximum(high - low, 0)
    upper = np.repeat(np.arange(len(row)), count)
    lower = np.arange(len(upper)) + np.repeat(low - (np.cumsum(count) - count), count)
    return upper, lower


def _joined(number: int, left: Ints, right: Ints) -> Ints:
    """Return the smallest member of each one's group, where `left[i]` and `right[i]` are of one group."""
    label = np.arange(number)
    while True:
        smallest = np.minimum(label[left], label[right])
        new = label.copy()
        for ends in (left, right):
            np.minimum.at(new, ends, smallest)
            np.minimum.at(new, label[ends], smallest)
        new = new[new]
        if np.array_equal(new, label):
            return label
        label = new


def of_polygons(polygons: Sequence[Floats]) -> Contour:
    """Return closed polygons, each `[vertex, 2]` in mm, as one contour; nothing is smoothed."""
    points = np.concatenate(polygons)
    lengths = np.array([len(polygon) for polygon in polygons])
    following = np.arange(1, len(points) + 1)
    ends = np.cumsum(lengths)
    following[ends - 1] = ends - lengths
    loops = np.repeat(ends - lengths, lengths)
    return Contour(points=points, following=following, loops=loops, pixels=np.empty((0, 2), np.intp))
