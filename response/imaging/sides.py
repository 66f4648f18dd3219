"""The sides on which pixels of a lesion meet pixels outside it, in the order in which a contour goes along them.

Pixels that touch at a side or at a corner belong together (8-connectivity): a thin lesion that runs obliquely is one
part and not a chain of single pixels. The background is 4-connected accordingly.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

# Sides of a pixel in the order in which a contour goes around it, as steps of row and column: up, right, down, left.
STEPS: Final = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])
# Where a contour goes on from a side, by what lies ahead: nothing, a pixel straight on, one across the corner, or both.
# A row per side of 4 cases: steps along the side and outwards to the next pixel, and which side of it is next.
_FORWARD: Final = np.tile([0, 1, 1, 1], 4)
_OUTWARD: Final = np.tile([0, 0, 1, 1], 4)
_NEXT: Final = (np.repeat(np.arange(4), 4) + np.tile([1, 0, 3, 3], 4)) % 4


@dataclass(frozen=True, eq=False, kw_only=True)
class Sides:
    """Sides that face outside, of one section or of several; sorted by section, pixel and side.

    Attributes
    ----------
    places
        Shape `[side]`: the pixel of the lesion, as row + 1j * column.
    facing
        Shape `[side]`: where outside lies, an index of `STEPS`.
    following
        Shape `[side]`: index of the next side along the contour; the lesion lies to the right.
    loops
        Shape `[side]`: smallest index of a side on the same closed contour.
    """

    places: NDArray[np.complex128]
    facing: Ints
    following: Ints
    loops: Ints

    @property
    def pixels(self) -> NDArray[np.float64]:
        """Row and column of the pixel of the lesion, `[side, 2]`."""
        return self.places.view(np.float64).reshape(-1, 2)

    def between(self, start: int, stop: int) -> "Sides":
        """Return the sides of one section, given where they begin and end."""
        some = slice(start, stop)
        return Sides(
            places=self.places[some],
            facing=self.facing[some],
            following=self.following[some] - start,
            loops=self.loops[some] - start,
        )


def sides_of(sections: Bools) -> tuple[Sides, Ints]:
    """Return the sides of all sections together, and where in them those of each section begin and end.

    Parameters
    ----------
    sections
        Bool `[section, row, column]`.

    Returns
    -------
    Sides, and `[section + 1]` indices: those from `bounds[i]` to before `bounds[i + 1]` belong to section i.
    """
    rows, columns = sections.shape[1] + 2, sections.shape[2] + 2
    padded = np.zeros((len(sections), rows, columns), np.bool_)
    padded[:, 1:-1, 1:-1] = sections
    pixel, facing, following = _walked(padded)
    line, column = np.divmod(pixel, columns)
    places = (line % rows - 1) + 1j * (column - 1)
    bounds = np.searchsorted(line, np.arange(len(sections) + 1) * rows)
    return Sides(places=places, facing=facing, following=following, loops=_smallest_along(following)), bounds


def _walked(padded: Bools) -> tuple[Ints, Ints, Ints]:
    """Return flat index of the pixel, where outside lies, and index of the next side, of all sides."""
    lesion, columns = padded.ravel(), padded.shape[2]
    steps = STEPS @ np.array([columns, 1])
    border = _border(lesion, columns)
    outside = ~lesion[border[:, None] + steps]
    which, facing = np.nonzero(outside)
    pixel = border[which]
    number = np.cumsum(outside.ravel()).reshape(outside.shape) - 1
    place = np.empty(lesion.size, np.intp)
    place[border] = np.arange(len(border))
    forward = steps[(facing + 1) % 4]
    straight = pixel + forward
    case = 4 * facing + lesion[straight] + 2 * lesion[straight + steps[facing]]
    next_pixel = pixel + _FORWARD[case] * forward + _OUTWARD[case] * steps[facing]
    return pixel, facing, number[place[next_pixel], _NEXT[case]]


def _border(lesion: Bools, columns: int) -> Ints:
    """Return the flat indices of the pixels that have a side outside."""
    middle = lesion[columns:-columns]
    within = lesion[2 * columns :] & lesion[: -2 * columns]
    within &= lesion[columns - 1 : -columns - 1]
    within &= lesion[columns + 1 : lesion.size - columns + 1]
    return np.flatnonzero(middle > within) + columns


def _smallest_along(following: Ints) -> Ints:
    """Return for each side the smallest index on its closed contour, `[side]`."""
    smallest, jump = np.arange(len(following)), following
    while True:  # the stretch that has been looked at doubles each time
        smaller = np.minimum(smallest, smallest[jump])
        if (smaller == smallest).all():
            return smallest
        smallest, jump = smaller, jump[jump]


def parts_of(section: Bools) -> Ints:
    """Return which part each pixel of a section belongs to: 0 outside, parts numbered from 1 in raster order."""
    padded = np.zeros((section.shape[0], section.shape[1] + 2), np.int8)
    padded[:, 1:-1] = section
    change = np.diff(padded, axis=1)
    row, start = np.nonzero(change == 1)
    stop = np.nonzero(change == -1)[1]
    label = _joined(len(row), *_touching(row, start, stop, section.shape[1]))
    parts = np.zeros(section.shape, np.intp)
    parts[section] = np.repeat(np.unique(label, return_inverse=True)[1] + 1, stop - start)
    return parts


def _touching(row: Ints, start: Ints, stop: Ints, columns: int) -> tuple[Ints, Ints]:
    """Return pairs of runs of pixels in neighbouring rows that touch at a side or a corner."""
    width = columns + 2
    first, last = row * width + start, row * width + stop - 1
    low = np.searchsorted(last, first + width - 1)
    high = np.searchsorted(first, last + width + 1, side="right")
    count = np.maximum(high - low, 0)
    upper = np.repeat(np.arange(len(row)), count)
    return upper, np.arange(len(upper)) + np.repeat(low - (np.cumsum(count) - count), count)


def _joined(number: int, left: Ints, right: Ints) -> Ints:
    """Return the smallest member of each one's group, where `left[i]` and `right[i]` are of one group.

    Labels jump along the joins, so that the number of rounds grows with the logarithm of the longest chain.
    """
    label: Any = np.arange(number)
    while True:
        smallest = np.minimum(label[left], label[right])
        new = label.copy()
        for ends in (left, right):
            np.minimum.at(new, ends, smallest)
            np.minimum.at(new, label[ends], smallest)
        new = new[new]
        if (new == label).all():
            return np.asarray(label)
        label = new
