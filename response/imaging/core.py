"""The inside of a lesion, away from its border: how dark and how even it is."""

from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.liver_reference import LiverReference, entropy_of, smoothed_within
from response.imaging.neighbourhood import Neighbourhood
from response.imaging.options import MeasureOptions

DEPTH_SHARE: Final = 0.45  # of the radius of the largest ball in the lesion ...
DEEPEST_MM: Final = 5.0  # ... but no deeper: so far in, neither a rim nor a gradual border makes the core uneven
SMALLEST_MM3: Final = 30.0  # a smaller core tells nothing


@dataclass(frozen=True, kw_only=True)
class Core:
    """The core of a lesion.

    Attributes
    ----------
    depth_mm
        How deep below the border it begins.
    volume_mm3
        Its volume; 0 where nothing is so deep.
    hu
        Its mean; NaN where it is too small.
    sd_hu
        Standard deviation after the smoothing (`chun_smoothing_mm`).
    heterogeneity
        `sd_hu` as multiple of the noise of the liver, or of `chun_noise_floor_hu` if that is more.
    entropy_ratio
        Entropy of the core by that of the liver, in bins of 25 HU; None where the liver has none.
    """

    depth_mm: float
    volume_mm3: float
    hu: float
    sd_hu: float
    heterogeneity: float
    entropy_ratio: float | None


def deep_mm(around: Neighbourhood, options: MeasureOptions) -> float:
    """Return how deep the core of a lesion begins where its border is gradual or has a rim, or may have."""
    return max(options.chun_core_mm, min(DEEPEST_MM, DEPTH_SHARE * float(around.depth_mm.max())))


def measure_core(
    around: Neighbourhood, liver: LiverReference, *, depth_mm: float, slice_mm: float, options: MeasureOptions
) -> Core:
    """Measure the core of a lesion: what lies deep enough, with half a slice to spare where that leaves enough."""
    deep = (around.depth_mm >= depth_mm) & np.isfinite(around.image)
    core = _without_ends(deep, round(slice_mm / 2 / around.step_mm))
    if np.count_nonzero(core) * around.step_mm**3 < SMALLEST_MM3:
        core = deep
    volume = float(np.count_nonzero(core)) * around.step_mm**3
    if volume < SMALLEST_MM3:
        return Core(
            depth_mm=depth_mm, volume_mm3=volume, hu=np.nan, sd_hu=np.nan, heterogeneity=np.nan, entropy_ratio=None
        )  # fmt: skip
    values = around.image[core]
    sd = float(smoothed_within(around.image, core, options.chun_smoothing_mm / around.step_mm).std())
    return Core(
        depth_mm=depth_mm,
        volume_mm3=volume,
        hu=float(values.mean(dtype=np.float64)),
        sd_hu=sd,
        heterogeneity=_multiple(sd, max(liver.noise_hu, options.chun_noise_floor_hu)),
        entropy_ratio=entropy_of(values) / liver.entropy if liver.entropy > 0 else None,
    )


def _multiple(number: float, of: float) -> float:
    if of > 0:
        return number / of
    return inf if number > 0 else 0.0  # an image without noise, and no floor by option


def _without_ends(region: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """Return a region less so many steps at both of its ends along the slices, which hold some of what lies beyond."""
    kept = region.copy()
    for step in range(1, steps + 1):
        kept[step:] &= region[:-step]
        kept[:-step] &= region[step:]
    return kept
