"""The part of a lesion that takes up contrast medium; by attenuation, on CT alone.

Source: mRECIST, Lencioni and Llovet, Semin Liver Dis 2010;30:52-60 (viable tumour enhances in the arterial phase; its
longest diameter is taken without major intervening areas of necrosis).
"""

from dataclasses import dataclass, field, replace
from math import pi

import numpy as np
from numpy.typing import NDArray

from response.imaging.attenuation import PADDING_BELOW_HU, share, slice_weights
from response.imaging.contrast import phase_told, why_no_enhancement
from response.imaging.crops import crop_of, usable
from response.imaging.diameters import Diameters, measure_diameters
from response.imaging.grid import Grid
from response.imaging.in_plane import smoothed_in_plane
from response.imaging.lesion_mask import LesionMask
from response.imaging.options import MeasureOptions
from response.imaging.volume import Volume


@dataclass(frozen=True, eq=False, kw_only=True)
class Viable:
    """The enhancing part of a lesion.

    Attributes
    ----------
    longest_mm
        Its longest diameter within a slice, that crosses no major necrosis; 0 where nothing enhances, None where that
        cannot be told.
    diameters
        Where it lies; None where there is none.
    fraction
        Enhancing share of the volume, 0 to 1.
    threshold_hu
        What reaches it enhances (option `viable_hu`).
    reason
        Why it cannot be told.
    notes
        What to know about the number, one sentence each.
    """

    longest_mm: float | None = None
    diameters: Diameters | None = field(default=None)
    fraction: float | None = None
    threshold_hu: int
    reason: str = ""
    notes: tuple[str, ...] = ()


def measure_viable(mask: LesionMask, volume: Volume, options: MeasureOptions) -> Viable:
    """Measure the longest diameter of the enhancing part of a lesion.

    1. Within the lesion the image is smoothed in the plane (`viable_smoothing_mm`), for noise would tear tissue apart.
    2. Voxels at or above `viable_hu` enhance.
    3. Islands smaller than a disc of `viable_island_mm` are ignored: necrosis of that size is no major intervening
       area, and enhancement of that size is no measurable tissue.
    4. The longest diameter of what is left, as of any lesion, but within it: separate parts are not bridged and
       no diameter crosses necrosis.

    Parameters
    ----------
    mask
        The lesion, on the grid of the image.
    volume
        The image, CT with contrast medium; where it is not of the arterial phase, a note says so.
    options
        The options named above, and those of diameters.
    """
    threshold = options.viable_hu
    reason = why_no_enhancement(volume.acquisition)
    if reason:
        return Viable(threshold_hu=threshold, reason=reason)
    values = crop_of(mask, volume.voxels)
    known = mask.voxels & usable(values, padding_below=PADDING_BELOW_HU)
    if not known.any():
        return Viable(threshold_hu=threshold, reason="no voxel of it has a value")
    enhancing = known & (smoothed_in_plane(values, known, volume.grid, options.viable_smoothing_mm) >= threshold)
    enhancing = _without_islands(enhancing, mask.voxels, volume.grid, options.viable_island_mm)
    # A lesion that enhances throughout is measured like any other, along the outlines that a person drew.
    part = mask if np.array_equal(enhancing, mask.voxels) else replace(mask, voxels=enhancing, outlines={})
    diameters = measure_diameters(part, volume.grid, replace(options, chords_inside=True))
    by_slice = slice_weights(mask, volume)
    weights = None if by_slice is None else np.broadcast_to(by_slice[:, None, None], enhancing.shape)
    phase = volume.acquisition.phase
    return Viable(
        longest_mm=0.0 if diameters is None else diameters.longest_mm,
        diameters=diameters,
        fraction=share(enhancing & known, known, weights),
        threshold_hu=threshold,
        notes=() if phase == "arterial" else (f"mRECIST asks for the arterial phase; {phase_told(phase)}",),
    )


def _without_islands(
    part: NDArray[np.bool_], whole: NDArray[np.bool_], grid: Grid, island_mm: float
) -> NDArray[np.bool_]:
    """Return a part of a lesion with small holes filled and small pieces dropped, slice by slice."""
    disc = pi / 4 * island_mm**2 / (grid.row_spacing_mm * grid.column_spacing_mm)
    smallest = min(disc, np.count_nonzero(whole, axis=(1, 2)).max() / 4)  # of a tiny lesion nothing would be left
    filled = part | _small(whole & ~part, smallest)
    return np.asarray(filled & ~_small(filled, smallest))


def _small(voxels: NDArray[np.bool_], fewer_than: float) -> NDArray[np.bool_]:
    """Return the voxels in pieces of fewer pixels; pixels that share an edge on a slice belong together."""
    from scipy import ndimage

    in_plane = np.zeros((3, 3, 3), np.bool_)
    in_plane[1] = ndimage.generate_binary_structure(2, 1)
    labels, _ = ndimage.label(voxels, in_plane)
    small = np.bincount(labels.ravel()) < fewer_than
    small[0] = False
    return np.asarray(small[labels])
