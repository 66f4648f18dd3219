"""How values are distributed over the voxels of a region: mean, standard deviation and percentiles."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Distribution:
    """The values of a region, in order.

    Attributes
    ----------
    levels
        The values that occur, ascending; whole numbers stay whole, so that their sums are exact. `[level]`.
    weights
        How many voxels have each, or how much they weigh. `[level]`.
    places, at_places
        Ascending places of the voxels within the whole weight, the first at 0, and the values there: between them
        percentiles are interpolated.
    """

    levels: NDArray[Any]
    weights: NDArray[Any]
    places: Floats
    at_places: NDArray[Any]

    @property
    def mean(self) -> float:
        """Weighted mean."""
        return float((self.levels * self.weights).sum() / self.weights.sum())

    @property
    def sd(self) -> float:
        """Standard deviation of the population."""
        deviations = self.levels - self.mean
        return sqrt(float((deviations**2 * self.weights).sum() / self.weights.sum()))

    def quantile(self, part: float) -> float:
        """Return the value below which a part of the voxels lies; linear between voxels (NumPy's and R's type 7)."""
        return float(np.interp(part * self.places[-1], self.places, self.at_places))


def distribution_of(values: NDArray[Any], weights: Floats | None = None) -> Distribution:
    """Return the distribution of at least one finite value; each counts alike, or by its weight."""
    if weights is not None:
        order = np.argsort(values, kind="stable")
        levels, weights = values[order].astype(np.float64), weights[order]
        places = np.cumsum(weights) - (weights + weights[0]) / 2  # equal weights give the same as counting
        return Distribution(levels=levels, weights=weights, places=places, at_places=levels)
    levels, counts = _levels(values)
    upto = np.cumsum(counts)
    places = np.stack([upto - counts, upto - 1], axis=1).ravel().astype(np.float64)
    return Distribution(levels=levels, weights=counts, places=places, at_places=np.repeat(levels, 2))


def _levels(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    if not np.issubdtype(values.dtype, np.integer):
        return np.sort(values.astype(np.float64)), np.ones(len(values), np.int64)
    if values.dtype.itemsize > 2:
        return np.unique(values.astype(np.int64), return_counts=True)
    lowest = int(values.min())
    counts = np.bincount(values.astype(np.int64) - lowest)  # of 16 bits: ten times faster than to sort
    (there,) = np.nonzero(counts)
    return there + lowest, counts[there]
