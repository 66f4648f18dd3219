"""Smoothing within the slices of a lesion."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Grid


def smoothed_in_plane(
    values: NDArray[Any], known: NDArray[np.bool_], grid: Grid, sigma_mm: float
) -> NDArray[np.float32]:
    """Return an image smoothed in the plane, from the known voxels alone; 0 far from any.

    Parameters
    ----------
    values, known
        The image, and which of its voxels are known, `[slice, row, column]`.
    grid
        Its spacing.
    sigma_mm
        Standard deviation of the Gaussian.
    """
    from scipy import ndimage

    sigma = (0.0, sigma_mm / grid.row_spacing_mm, sigma_mm / grid.column_spacing_mm)
    filled = np.where(known, values, 0).astype(np.float32)
    weights = ndimage.gaussian_filter(known.astype(np.float32), sigma)
    sums = ndimage.gaussian_filter(filled, sigma)
    smoothed: NDArray[np.float32] = np.divide(sums, weights, out=np.zeros_like(sums), where=known)
    return smoothed
