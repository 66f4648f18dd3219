"""Whether a lesion has a rim of enhancement: a peak at its border, and not merely the way up to the liver."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats
from response.imaging.neighbourhood import Neighbourhood
from response.imaging.options import MeasureOptions
from response.imaging.rays import OFFSETS_MM, Patches

SHELL_MM: Final = 3.0  # inside the border; criteria page, 3.4, step 5
PEAK_MM: Final = (-3.5, 2.5)  # where the peak of a rim may lie: in the shell, or outside of masks that spare the rim
BEYOND_MM: Final = (3.5, 6.0)  # where the liver beside it is looked at
AVERAGED: Final = 3  # samples that are averaged along a ray, against noise


@dataclass(frozen=True, eq=False, kw_only=True)
class Rim:
    """The outermost layer of a lesion.

    Attributes
    ----------
    over_core_hu, over_liver_hu
        Mean of the shell minus that of the core, and minus that of the liver.
    share
        Share of the used border with a rim; NaN where none could be used.
    peak_over_core_hu, peak_over_liver_hu
        Brightest place near the border minus the core, and minus the liver beside it; NaN where not known. `[patch]`
    has_rim
        Whether a patch has one, `[patch]`.
    """

    over_core_hu: float
    over_liver_hu: float
    share: float
    peak_over_core_hu: Floats
    peak_over_liver_hu: Floats
    has_rim: NDArray[np.bool_]


def measure_rim(
    around: Neighbourhood, patches: Patches, core_hu: float, liver_hu: float, options: MeasureOptions
) -> Rim:
    """Look for a rim, in every patch of the border.

    A patch has a rim if its brightest place near the border is brighter than the core by `chun_rim_hu`, and than the
    liver beside it by `chun_rim_peak_hu`: partial volume alone gives a ramp, which does not rise above the liver. So a
    rim that is darker than the liver is not told from a gradual border. As for the interface, a sample counts where at
    least half of the rays have it: at the surface of the liver the last few, blurred with fat, would make a rim.
    """
    shell = around.image[(around.depth_mm > 0) & (around.depth_mm <= SHELL_MM) & np.isfinite(around.image)]
    level = float(shell.mean(dtype=np.float64)) if shell.size else np.nan
    profiles = np.where(patches.is_seen, patches.profiles, np.nan)
    peak = _peak(profiles)
    over_liver = peak - _mean(profiles, patches.is_seen, *BEYOND_MM)
    used = np.isfinite(over_liver)
    has_rim = used & (peak - core_hu >= options.chun_rim_hu) & (over_liver >= options.chun_rim_peak_hu)
    area = patches.rays
    return Rim(
        over_core_hu=level - core_hu,
        over_liver_hu=level - liver_hu,
        share=float(area[has_rim].sum() / area[used].sum()) if used.any() else np.nan,
        peak_over_core_hu=peak - core_hu,
        peak_over_liver_hu=over_liver,
        has_rim=has_rim,
    )


def _mean(profiles: Floats, known: NDArray[np.bool_], first: float, last: float) -> Floats:
    there = np.abs(OFFSETS_MM - (first + last) / 2) <= (last - first) / 2
    counts = np.count_nonzero(known[:, there], axis=1)
    sums = np.where(known[:, there], profiles[:, there], 0.0).sum(axis=1)
    means: Floats = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return means


def _peak(profiles: Floats) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(profiles, AVERAGED, axis=1).mean(axis=2)
    middles = OFFSETS_MM[AVERAGED // 2 : len(OFFSETS_MM) - AVERAGED // 2]
    there = windows[:, (middles >= PEAK_MM[0]) & (middles <= PEAK_MM[1])]
    peak = np.max(there, axis=1, initial=-np.inf, where=np.isfinite(there))
    return np.where(np.isfinite(peak), peak, np.nan)
