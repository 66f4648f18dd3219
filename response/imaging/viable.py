"""The part of a lesion that takes up contrast medium, and the part that does not; by attenuation, on CT alone.

Sources: mRECIST, Lencioni and Llovet, Semin Liver Dis 2010;30:52-60 (viable tumour enhances in the arterial phase; its
longest diameter is taken without major intervening areas of necrosis); ESSR 2024 on sarcoma (necrotic share).
Necrosis on an image is a descriptor, no verdict: it may have been there before any treatment.
"""

from dataclasses import dataclass, field, replace
from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.imaging.attenuation import PADDING_BELOW_HU, share, slice_weights
from response.imaging.contrast import is_ct, is_enhanced
from response.imaging.crops import crop_of, place_of, usable
from response.imaging.diameters import Diameters, measure_diameters
from response.imaging.extents import thicknesses_mm
from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask
from response.imaging.options import MeasureOptions
from response.imaging.volume import Acquisition, Volume


@dataclass(frozen=True, kw_only=True)
class Necrosis:
    """The non-enhancing part of a lesion.

    Attributes
    ----------
    fraction
        Share of the volume below the threshold, 0 to 1; None where it cannot be told.
    volume_mm3
        Its volume; None as well where the thickness of the slices is not known.
    threshold_hu
        What is below it does not enhance (option `necrosis_hu`).
    reason
        Why it cannot be told.
    notes
        What to know about the number, one sentence each.
    """

    fraction: float | None = None
    volume_mm3: float | None = None
    threshold_hu: int
    reason: str = ""
    notes: tuple[str, ...] = ()


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


def measure_necrosis(mask: LesionMask, volume: Volume, options: MeasureOptions) -> Necrosis:
    """Measure the part of a lesion that does not enhance, voxel by voxel.

    Noise adds to it: of tissue of 60 HU with a standard deviation of 15 HU, 2 % of the voxels lie below 30 HU.
    """
    threshold = options.necrosis_hu
    reason = _why_not(volume.acquisition)
    if reason:
        return Necrosis(threshold_hu=threshold, reason=reason)
    values = crop_of(mask, volume.voxels)[mask.voxels]
    kept = usable(values, padding_below=PADDING_BELOW_HU)
    if not kept.any():
        return Necrosis(threshold_hu=threshold, reason="no voxel of it has a value")
    grid = volume.grid
    counts = np.count_nonzero(mask.voxels, axis=(1, 2))
    thick = thicknesses_mm(grid, volume.acquisition.slice_thickness_mm)[place_of(mask)[0]]
    weights = np.repeat(thick, counts) if slice_weights(mask, volume) is not None else None
    necrotic = kept & (values < threshold)
    whole = float(np.repeat(thick, counts)[necrotic].sum()) * grid.row_spacing_mm * grid.column_spacing_mm
    phase = volume.acquisition.phase
    return Necrosis(
        fraction=share(necrotic, kept, weights),
        volume_mm3=whole if thick.all() else None,
        threshold_hu=threshold,
        notes=() if phase == "portal_venous" else (f"the threshold is for the portal venous phase; {_told(phase)}",),
    )


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
    reason = _why_not(volume.acquisition)
    if reason:
        return Viable(threshold_hu=threshold, reason=reason)
    values = crop_of(mask, volume.voxels)
    known = mask.voxels & usable(values, padding_below=PADDING_BELOW_HU)
    if not known.any():
        return Viable(threshold_hu=threshold, reason="no voxel of it has a value")
    enhancing = known & (_smoothed(values, known, volume.grid, options.viable_smoothing_mm) >= threshold)
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
        notes=() if phase == "arterial" else (f"mRECIST asks for the arterial phase; {_told(phase)}",),
    )


def _why_not(acquisition: Acquisition) -> str:
    if not is_ct(acquisition):
        return f"enhancement is told by HU, and this is {acquisition.modality or 'an image of unknown modality'}"
    enhanced = is_enhanced(acquisition)
    if enhanced is None:
        return "whether contrast medium was given is not recorded"
    return "" if enhanced else "no contrast medium was given"


def _told(phase: str) -> str:
    if phase in ("", "contrast"):
        return "that of this image is not recorded"
    return f"this image is of the {phase.replace('_', ' ')} phase"


def _smoothed(values: NDArray[Any], known: NDArray[np.bool_], grid: Grid, sigma_mm: float) -> NDArray[np.float32]:
    """Return the image smoothed in the plane, from the known voxels alone; 0 far from any."""
    from scipy import ndimage

    sigma = (0.0, sigma_mm / grid.row_spacing_mm, sigma_mm / grid.column_spacing_mm)
    filled = np.where(known, values, 0).astype(np.float32)
    weights = ndimage.gaussian_filter(known.astype(np.float32), sigma)
    sums = ndimage.gaussian_filter(filled, sigma)
    smoothed: NDArray[np.float32] = np.divide(sums, weights, out=np.zeros_like(sums), where=known)
    return smoothed


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
