"""A mask that was brought onto the grid of an image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Corner = tuple[int, int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Placed:
    """A mask on the grid of the image.

    Attributes
    ----------
    corner, voxels
        As in `LesionMask`.
    outside
        Number of voxels of the mask that lie where the image is not.
    """

    corner: Corner
    voxels: Bools
    outside: int = 0


def empty_mask(outside: int = 0) -> Placed:
    """Return a mask without voxels."""
    return Placed(corner=(0, 0, 0), voxels=np.zeros((0, 0, 0), np.bool_), outside=outside)


def tight(placed: Placed) -> Placed:
    """Return a mask without the empty borders of its crop; size 0 where it is empty."""
    bounds = []
    for axis in range(3):
        used = np.flatnonzero(placed.voxels.any(axis=tuple(other for other in range(3) if other != axis)))
        if not len(used):
            return empty_mask(placed.outside)
        bounds.append((int(used[0]), int(used[-1]) + 1))
    corner = (placed.corner[0] + bounds[0][0], placed.corner[1] + bounds[1][0], placed.corner[2] + bounds[2][0])
    voxels = placed.voxels[tuple(slice(*pair) for pair in bounds)]
    return Placed(corner=corner, voxels=voxels, outside=placed.outside)
