"""Attenuation of a lesion (HU on CT), or its signal on other images.

Source of the region: Choi et al., J Clin Oncol 2007;25:1753-1759: the whole tumour within its margin, necrosis
included, never its brightest part.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.contrast import is_ct
from response.imaging.crops import crop_of, place_of, usable
from response.imaging.distribution import distribution_of
from response.imaging.extents import thicknesses_mm
from response.imaging.grid import Floats
from response.imaging.lesion_mask import LesionMask
from response.imaging.options import MeasureOptions
from response.imaging.volume import Volume

# CT values below this are padding around the scanned field (-2000, -2048, -3024 ...): air is -1000, and noise in it
# does not reach so far.
PADDING_BELOW_HU: Final = -1500
EVEN_WITHIN: Final = 0.01  # slices whose thicknesses differ by less, relative, count alike: rounding of positions


@dataclass(frozen=True, kw_only=True)
class Attenuation:
    """Values of the voxels of one lesion; in HU where `unit` says so, else in the image's own unit.

    Attributes
    ----------
    mean, sd
        Mean, and standard deviation of the population (divided by the number of voxels, as the voxels of the region are
        all there is). Where slices are spaced unevenly each voxel counts by the thickness of its slice.
    median, p10, p90
        Percentiles with linear interpolation between voxels, weighted alike.
    minimum, maximum
        Extremes.
    voxels
        Number of voxels that were measured.
    area_mm2
        Area of the section: of the region where that is one section, else of the largest section of the lesion.
    roi
        `volume` or `largest_section`.
    unit
        `HU` on CT, else empty.
    not_finite, padding
        Number of voxels left out because they hold no number, or padding.
    """

    mean: float
    sd: float
    median: float
    p10: float
    p90: float
    minimum: float
    maximum: float
    voxels: int
    area_mm2: float
    roi: str
    unit: str
    not_finite: int
    padding: int


def measure_attenuation(
    mask: LesionMask,
    volume: Volume,
    options: MeasureOptions,
    *,
    slice_index: int | None = None,
    section: NDArray[np.bool_] | None = None,
    left_out: NDArray[np.bool_] | None = None,
) -> Attenuation | None:
    """Measure the attenuation of a lesion; None where no voxel of it has a value.

    1. The region is the whole lesion, or one section of it (`attenuation_roi`).
    2. Voxels without a number, and padding, are left out; by option dense parts too (`dense_parts`).

    Parameters
    ----------
    mask
        The lesion, on the grid of the image.
    volume
        The image.
    options
        `attenuation_roi`.
    slice_index
        Slice of the grid with the longest diameter; the one with most voxels if not given.
    section
        The part of the lesion on that slice which has the longest diameter, `[row, column]` of the crop of the mask;
        all of it if not given.
    left_out
        Voxels that do not count, `[slice, row, column]` of the crop of the mask.
    """
    if not mask.voxels.any():
        return None
    region, layer = _region(mask, options, slice_index, section)
    values = crop_of(mask, volume.voxels)[region]
    weights = _weights(region, mask, volume)
    acquisition = volume.acquisition
    finite = usable(values, padding_below=-np.inf)
    kept = usable(values, padding_below=PADDING_BELOW_HU) if is_ct(acquisition) else finite
    counted = kept if left_out is None else kept & ~left_out[region]
    if not counted.any():
        return None
    measured = distribution_of(values[counted], None if weights is None else weights[counted])
    return Attenuation(
        mean=measured.mean,
        sd=measured.sd,
        median=measured.quantile(0.5),
        p10=measured.quantile(0.1),
        p90=measured.quantile(0.9),
        minimum=float(measured.levels[0]),
        maximum=float(measured.levels[-1]),
        voxels=int(np.count_nonzero(counted)),
        area_mm2=float(np.count_nonzero(layer)) * volume.grid.row_spacing_mm * volume.grid.column_spacing_mm,
        roi=options.attenuation_roi,
        unit="HU" if is_ct(acquisition) else "",
        not_finite=int(np.count_nonzero(~finite)),
        padding=int(np.count_nonzero(finite & ~kept)),
    )


def share(part: NDArray[np.bool_], whole: NDArray[np.bool_], weights: Floats | None) -> float | None:
    """Return the share of voxels, by weight; None of nothing."""
    counts = [float(np.count_nonzero(which) if weights is None else weights[which].sum()) for which in (part, whole)]
    return counts[0] / counts[1] if counts[1] > 0 else None


def slice_weights(mask: LesionMask, volume: Volume) -> Floats | None:
    """Return the thickness of the slices of the crop, `[slice]`; None where they are all alike."""
    grid = volume.grid
    thickness = thicknesses_mm(grid, volume.acquisition.slice_thickness_mm)[place_of(mask)[0]]
    if thickness.max() - thickness.min() <= EVEN_WITHIN * thickness.mean():
        return None
    return thickness


def _weights(region: NDArray[np.bool_], mask: LesionMask, volume: Volume) -> Floats | None:
    """Return the weight of each voxel of a region, in its order; None where they are all alike."""
    by_slice = slice_weights(mask, volume)
    return None if by_slice is None else np.repeat(by_slice, np.count_nonzero(region, axis=(1, 2)))


def _region(
    mask: LesionMask, options: MeasureOptions, slice_index: int | None, section: NDArray[np.bool_] | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the region `[slice, row, column]`, and its section `[row, column]`."""
    largest = int(np.argmax(np.count_nonzero(mask.voxels, axis=(1, 2))))
    place = largest if slice_index is None else slice_index - mask.corner[0]
    layer = mask.voxels[place] if section is None else mask.voxels[place] & section
    if options.attenuation_roi == "volume":
        return mask.voxels, layer
    region = np.zeros_like(mask.voxels)
    region[place] = layer
    return region, layer
