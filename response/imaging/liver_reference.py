"""The liver around a metastasis: what a lesion is darker than, and how much noise there is anyway."""

from dataclasses import dataclass
from math import log2
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats
from response.imaging.neighbourhood import Neighbourhood, Singles
from response.imaging.options import MeasureOptions

# Parenchyma on portal venous CT, from fatty liver to dense enhancement.
PARENCHYMA_HU: Final = (30.0, 220.0)
MODE_BIN_HU: Final = 10.0  # width of the bins in which the commonest attenuation is sought
BOX_STEPS: Final = 3  # side of the box that is averaged to tell vessels from noise
ENTROPY_BIN_HU: Final = 25.0  # criteria page, 3.4, step 2
SMALLEST_REFERENCE_MM3: Final = 1000.0  # 1 ml: less of the liver is no reference
SMALLEST_SHARE: Final = 0.3  # where less of the surroundings is alike, they are no parenchyma


@dataclass(frozen=True, eq=False, kw_only=True)
class LiverReference:
    """Liver without lesions and vessels, near a lesion.

    Attributes
    ----------
    hu
        Its mean; NaN where there is none.
    noise_hu
        Standard deviation after the smoothing (`chun_smoothing_mm`) that the lesion gets as well.
    entropy
        Of its values in bins of 25 HU, in bits.
    foreign
        Which points of the neighbourhood are no parenchyma, for certain, `[z, y, x]`: vessels, and what is darker than
        any liver (fat, lung, the blurred edge of it).
    source
        `liver`: its mask; `surroundings`: the shell around the lesion, where there is no mask.
    reason
        Why there is none.
    """

    hu: float
    noise_hu: float
    entropy: float
    foreign: NDArray[np.bool_]
    source: str
    reason: str = ""


def measure_liver(around: Neighbourhood, options: MeasureOptions) -> LiverReference:
    """Measure the liver near a lesion.

    1. What is looked at lies at least `chun_lesion_gap_mm` from every lesion: within the liver, or, where there is
       no mask of it, within the shell that the neighbourhood has around the lesion.
    2. Averaged over 3 mm, it is kept where it differs by less than `chun_vessel_hu` from the median (with a mask), or
       from the commonest attenuation of parenchyma (without): so vessels, fissures, fat and lesions that nobody
       marked drop out.
    """
    averaged = _averaged(around.image)
    far = (around.lesions_away_mm >= options.chun_lesion_gap_mm) & np.isfinite(averaged)
    looked_at = far if around.liver is None else far & around.liver
    source = "surroundings" if around.liver is None else "liver"
    level = _level(averaged[looked_at], has_mask=around.liver is not None)
    with np.errstate(invalid="ignore"):  # NaN is in no region
        kept = looked_at & (np.abs(averaged - level) < options.chun_vessel_hu)
        foreign = (averaged > level + options.chun_vessel_hu) | (averaged < PARENCHYMA_HU[0])
    reason = _why_not(kept, looked_at, around.step_mm, source)
    if reason:
        return LiverReference(hu=np.nan, noise_hu=np.nan, entropy=np.nan, foreign=foreign, source=source, reason=reason)
    values = around.image[kept]
    smooth = smoothed_within(around.image, kept, options.chun_smoothing_mm / around.step_mm)
    return LiverReference(
        hu=float(values.mean(dtype=np.float64)),
        noise_hu=float(smooth.std(dtype=np.float64)),
        entropy=entropy_of(values),
        foreign=foreign,
        source=source,
    )


def smoothed_within(image: Singles, region: NDArray[np.bool_], sigma_steps: float) -> Floats:
    """Return the values of a region after smoothing that takes nothing from outside of it, `[point]`."""
    from scipy import ndimage

    (box,) = ndimage.find_objects(region.astype(np.uint8))
    part = region[box]
    mean = image[region].mean(dtype=np.float64)  # about it, so that an even image stays exactly even
    filled = np.where(part, image[box] - mean, 0).astype(np.float32)
    sums, weights = (
        ndimage.gaussian_filter(each, sigma_steps, truncate=3) for each in (filled, part.astype(np.float32))
    )
    return np.asarray(mean + sums[part] / weights[part], np.float64)


def entropy_of(values: Singles) -> float:
    """Return the entropy in bits of values in bins of 25 HU, one of which has their mean in its middle."""
    bins = np.floor((values - values.mean(dtype=np.float64)) / ENTROPY_BIN_HU + 0.5).astype(np.int64)
    shares = np.bincount(bins - bins.min()) / len(bins)
    return float(-sum(share * log2(share) for share in shares.tolist() if share > 0))


def _averaged(image: Singles) -> Singles:
    from scipy import ndimage

    known = np.isfinite(image)
    sums = ndimage.uniform_filter(np.where(known, image, 0).astype(np.float32), BOX_STEPS)
    weights = ndimage.uniform_filter(known.astype(np.float32), BOX_STEPS)
    return np.asarray(np.divide(sums, weights, out=np.full_like(sums, np.nan), where=known & (weights > 0)))


def _level(values: Singles, *, has_mask: bool) -> float:
    if has_mask:
        return float(np.median(values)) if len(values) else np.nan
    tissue = values[(values >= PARENCHYMA_HU[0]) & (values <= PARENCHYMA_HU[1])]
    if not len(tissue):
        return np.nan
    bins = np.floor(tissue / MODE_BIN_HU).astype(np.int64)
    commonest = int(np.argmax(np.bincount(bins)))
    return float(np.median(tissue[np.abs(bins - commonest) <= 1]))


def _why_not(kept: NDArray[np.bool_], looked_at: NDArray[np.bool_], step: float, source: str) -> str:
    count, of = int(np.count_nonzero(kept)), int(np.count_nonzero(looked_at))
    if count * step**3 < SMALLEST_REFERENCE_MM3:
        return (
            "too little liver without lesions near it" if source == "liver" else "too little tissue like liver near it"
        )
    return "the liver near it is not uniform" if count < SMALLEST_SHARE * of else ""
