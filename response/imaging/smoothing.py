"""The default contour: the middles of the sides of pixels, smoothed along the contour.

1. Through each middle and its neighbours on either side a parabola is fitted by least squares (Savitzky and Golay,
   Anal Chem 1964;36:1627-1639): unlike a mean, it does not draw a curved contour inwards.
2. Its reach is the widest of `REACHES` up to which the contour turns little, by at most 71.6 degrees (tangent 3; from
   6 neighbours on 63.4 degrees, tangent 2), and that takes no more than two fifths of the closed contour. Where even
   the narrowest is too wide, as at the end of a thin lesion or the corner of a box, the point stays where it is.
3. The point stays between the centre of its pixel and the middles of the pixel's sides. So the longest diameter is
   never smaller than between pixel centres, nor larger than between the middles of sides (or pixel edges), and of a
   single pixel it is the pixel's own size.

How this was chosen, and what it reaches: examples/imaging/diameter_bias.md.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats
from response.imaging.sides import STEPS, Bools, Ints, Sides

Places = NDArray[np.complex128]  # points as row + 1j * column

REACHES: Final = np.array([2, 3, 4, 6, 8, 12])  # points on either side of the fitted stretch
SQUARED_SECANTS: Final = np.array([10, 10, 10, 5, 5, 5])  # of the largest turn within each
SHARE: Final = (2, 5)  # of a closed contour, the most that a stretch takes
_OUTWARD: Final = STEPS @ [1, 1j]
_DISTANCES: Final = np.arange(int(REACHES[-1]) + 1)
# Of a stretch of 2 r + 1 points the parabola's middle is sum(weight * point) / divisor, in whole numbers.
_WEIGHTS: Final = np.where(
    REACHES[:, None] >= _DISTANCES,
    3.0 * (3 * REACHES**2 + 3 * REACHES - 1)[:, None] - 15.0 * _DISTANCES**2,
    0.0,
)
_DIVISORS: Final = (2.0 * REACHES - 1) * (2 * REACHES + 1) * (2 * REACHES + 3)
_POINTS_AT_ONCE: Final = 1 << 16


def smoothed(sides: Sides, wanted: Ints) -> Floats:
    """Return the points of the sides that are wanted, `[wanted, 2]`: fractional row and column.

    All sums are of whole numbers and so exact in any order: a mirrored lesion has the mirrored contour.
    """
    outward = _OUTWARD[sides.facing]
    middles = 2 * sides.places + outward  # in half pixels
    before = np.empty_like(sides.following)
    before[sides.following] = np.arange(len(before))
    size = np.bincount(sides.loops)[sides.loops]
    blocks = [wanted[start : start + _POINTS_AT_ONCE] for start in range(0, max(len(wanted), 1), _POINTS_AT_ONCE)]
    fitted = [_fitted(middles, size, (sides.following, before), block) for block in blocks]
    points = _kept_in_pixel(np.concatenate(fitted), sides.places[wanted], outward[wanted])
    return points.view(np.float64).reshape(-1, 2)


def _fitted(middles: Places, size: Ints, steps: tuple[Ints, Ints], wanted: Ints) -> Places:
    """Return the middle of the widest parabola allowed, or the point itself, `[wanted]` in half pixels.

    Parameters
    ----------
    middles, size
        Of each side: its middle, in half pixels, and the number of sides of its closed contour.
    steps
        Of each side: the next one, and the one before.
    wanted
        For which sides.
    """
    here, most = middles[wanted], SHARE[0] * size[wanted]
    reaches = REACHES[SHARE[1] * (2 * REACHES + 1) <= most.max(initial=0)]
    if not len(reaches):
        return here
    ahead, behind = (middles[_along(step, wanted, reaches[-1])] for step in steps)
    is_allowed = _turns_little(here, ahead, behind, reaches) & (SHARE[1] * (2 * reaches[:, None] + 1) <= most)
    number = np.count_nonzero(np.logical_and.accumulate(is_allowed, axis=0), axis=0)
    weights = _WEIGHTS[: len(reaches), 1 : reaches[-1] + 1]
    sums = (weights @ (ahead + behind).view(np.float64)).view(np.complex128)
    whole = sums[number - 1, np.arange(len(wanted))] + _WEIGHTS[number - 1, 0] * here
    whole = np.where(number > 0, whole, here)
    # Two real divisions of whole numbers, for a complex one rounds more than once.
    parts = whole.view(np.float64).reshape(-1, 2) / np.where(number > 0, _DIVISORS[number - 1], 1.0)[:, None]
    return parts.view(np.complex128)[:, 0]


def _along(step: Ints, wanted: Ints, number: int) -> Ints:
    """Return the neighbours one, two ... steps away, `[number, wanted]`."""
    reached = np.empty((number, len(wanted)), np.intp)
    reached[0] = step[wanted]
    known = 1
    while known < number:
        more = min(known, number - known)
        reached[known : known + more] = step[reached[:more]]
        known, step = known + more, step[step]
    return reached


def _turns_little(here: Places, ahead: Places, behind: Places, reaches: Ints) -> Bools:
    """Return whether the halves of the stretch of each reach meet at most at the largest turn, `[reach, point]`."""
    arriving, leaving = here - behind[reaches - 1], ahead[reaches - 1] - here
    dot = arriving.real * leaving.real + arriving.imag * leaving.imag
    squares = (arriving.real**2 + arriving.imag**2) * (leaving.real**2 + leaving.imag**2)
    return np.asarray((dot > 0) & (SQUARED_SECANTS[: len(reaches), None] * dot**2 >= squares))


def _kept_in_pixel(fitted: Places, pixel: Places, outward: Places) -> Places:
    """Return points, in pixels, kept between the pixel's centre and the middles of its sides.

    Of the square that centre and middles make, the half towards the side is left and its corners cut: there is always
    a point of the contour beyond the centre of a border pixel, in whatever direction one looks.
    """
    offset = (fitted - 2 * pixel) * outward.conj()  # turned so that outwards is real
    out = np.minimum(np.maximum(offset.real, 0.0), 1.0)
    most = np.minimum(out, 1.0 - out)
    along = np.minimum(np.maximum(offset.imag, -most), most)
    return np.asarray(pixel + 0.5 * (out + 1j * along) * outward)
