"""The part of an image that a mask covers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.imaging.lesion_mask import LesionMask


def place_of(mask: LesionMask) -> tuple[slice, slice, slice]:
    """Return where the crop of a mask lies in its image, by slice, row and column."""
    first, size = mask.corner, mask.voxels.shape
    return (
        slice(first[0], first[0] + size[0]),
        slice(first[1], first[1] + size[1]),
        slice(first[2], first[2] + size[2]),
    )


def crop_of(mask: LesionMask, voxels: NDArray[Any]) -> NDArray[Any]:
    """Return a view of the voxels of an image `[slice, row, column]` where a mask lies.

    Raises
    ------
    ValueError
        If the mask reaches beyond the image: it is not on its grid.
    """
    crop = voxels[place_of(mask)]
    if min(mask.corner) < 0 or crop.shape != mask.voxels.shape:
        raise ValueError(f"a mask of {mask.voxels.shape} voxels at {mask.corner} in an image of {voxels.shape}")
    return crop


def usable(values: NDArray[Any], *, padding_below: float) -> NDArray[np.bool_]:
    """Return which values are numbers of the patient: finite, and not the padding around the scanned field."""
    kept = values >= padding_below
    if np.issubdtype(values.dtype, np.floating):
        kept &= np.isfinite(values)
    return np.asarray(kept)
