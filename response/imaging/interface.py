"""How sharp the border between a lesion and the liver is."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats
from response.imaging.options import MeasureOptions
from response.imaging.rays import OFFSETS_MM, Patches

WIDTHS_MM: Final = np.geomspace(0.5, 16.0, 26)  # from 10 to 90 %, that are tried
SHIFTS_MM: Final = np.arange(-4.0, 4.01, 0.5)  # of the edge against the border of the mask, that are tried
OF_SCALE: Final = 2 * np.log(9)  # width from 10 to 90 % of a logistic curve of unit scale
AT_ONCE: Final = 20  # patches: so few that the linear algebra starts no threads, which cost more than they save
LEAST_SAMPLES: Final = 6  # within, and without: 3 mm on both sides
LEAST_RAYS: Final = 4  # a patch of fewer is a corner of the border


@dataclass(frozen=True, eq=False, kw_only=True)
class Interface:
    """Sharpness of the border of a lesion.

    Attributes
    ----------
    width_mm
        Width of the transition from 10 to 90 % in each patch, corrected for the blur of the image; NaN where too
        little of the ray could be used. `[patch]`
    contrast_hu
        Liver minus lesion, by the fitted curve; NaN likewise. `[patch]`
    is_sharp
        Whether a patch is narrow enough and has contrast, `[patch]`.
    sharp_share
        Share of the used border that is sharp; NaN where none could be used.
    median_mm
        Median width over the used border.
    used
        Number of patches that could be used.
    """

    width_mm: Floats
    contrast_hu: Floats
    is_sharp: NDArray[np.bool_]
    sharp_share: float
    median_mm: float
    used: int


def measure_interface(patches: Patches, contrast_hu: float, options: MeasureOptions) -> Interface:
    """Measure the transition from lesion to liver, in every patch of the border.

    1. A logistic curve is fitted to each profile: over all widths and shifts of a fixed list the two levels have a
       closed form, and the curve with the least squares is taken.
    2. The blur of the image in this direction is subtracted in squares.
    3. A patch is sharp if it is not wider than `chun_sharp_mm`, and its contrast is at least `chun_contrast_hu` and the
       share `chun_contrast_share` of `contrast_hu`, that of the core against the liver: a small step on a long way is
       the lesion's own texture.

    Source: criteria page, 3.4, step 4. No such measure was published for the morphologic criteria.
    """
    weights = np.where(np.isfinite(patches.profiles), patches.counts, 0.0)
    used = _can_be_used(patches)
    width, contrast = np.full(len(used), np.nan), np.full(len(used), np.nan)
    sharp = np.zeros(len(used), np.bool_)
    if not used.any():
        return Interface(
            width_mm=width, contrast_hu=contrast, is_sharp=sharp, sharp_share=np.nan, median_mm=np.nan, used=0
        )
    fitted, contrast[used] = _fit(np.nan_to_num(patches.profiles[used]), weights[used])
    width[used] = np.sqrt(np.maximum(fitted**2 - patches.blur_mm[used] ** 2, 0.0))
    enough = max(options.chun_contrast_hu, options.chun_contrast_share * abs(contrast_hu))
    sharp[used] = (width[used] <= options.chun_sharp_mm) & (np.abs(contrast[used]) >= enough)
    return Interface(
        width_mm=width,
        contrast_hu=contrast,
        is_sharp=sharp,
        sharp_share=float(patches.rays[sharp].sum() / patches.rays[used].sum()),
        median_mm=float(np.median(width[used])),
        used=int(used.sum()),
    )


def _can_be_used(patches: Patches) -> NDArray[np.bool_]:
    within, without = (np.count_nonzero(patches.is_seen[:, side], axis=1) for side in (OFFSETS_MM < 0, OFFSETS_MM > 0))
    enough: NDArray[np.bool_] = (within >= LEAST_SAMPLES) & (without >= LEAST_SAMPLES) & (patches.rays >= LEAST_RAYS)
    return enough


def _fit(profiles: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return width and contrast of the best curve of each profile, `[patch]`, by weighted least squares."""
    widths, shifts = np.meshgrid(WIDTHS_MM, SHIFTS_MM, indexing="ij")
    exponents = (OFFSETS_MM[:, None] - shifts.ravel()) * (OF_SCALE / widths.ravel())
    curves = 1 / (1 + np.exp(-np.clip(exponents, -60, 60)))
    fitted = [
        _best(profiles[first : first + AT_ONCE], weights[first : first + AT_ONCE], curves)
        for first in range(0, len(profiles), AT_ONCE)
    ]
    best, contrast = (np.concatenate(each) for each in zip(*fitted, strict=True))
    return widths.ravel()[best], contrast


def _best(profiles: Floats, weights: Floats, curves: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return which curve `[offset, curve]` fits each profile best, and the step that it makes there."""
    total = weights.sum(axis=1, keepdims=True)
    mean = (weights * profiles).sum(axis=1, keepdims=True) / total
    middle = weights @ curves / total
    spread = np.maximum(weights @ curves**2 - total * middle**2, 1e-9)
    together = (weights * (profiles - mean)) @ curves
    best = np.argmax(together**2 / spread, axis=1)
    rows = np.arange(len(best))
    return best, together[rows, best] / spread[rows, best]
