"""Stored pixels to modality values."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

INT16: Final = np.iinfo(np.int16)


def as_modality_values(values: NDArray[Any]) -> NDArray[Any]:
    """Return values `[slice, row, column]` anew: as int16 where all are whole numbers that fit, else as float32."""
    exact = all(_fits(plane) for plane in values)
    return np.array(values, dtype=np.int16 if exact else np.float32, order="C")


def _fits(plane: NDArray[Any]) -> bool:
    low, high = plane.min(), plane.max()
    if not INT16.min <= low <= high <= INT16.max:  # false for NaN too
        return False
    return plane.dtype.kind in "iub" or bool((np.rint(plane) == plane).all())
