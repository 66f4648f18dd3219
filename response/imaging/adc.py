"""Mean apparent diffusion coefficient (ADC) of a lesion, from a map that the scanner computed.

ESSR 2024 names ADC among the descriptors of sarcoma (of its part 3 only scope and method were read). What change
exceeds its repeatability: `response.ancillary`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.attenuation import slice_weights
from response.imaging.lesion_mask import LesionMask
from response.imaging.volume import Volume

# By what a map is multiplied to get 10^-3 mm2/s: its usual units. Scanners store whole um2/s (dcm2niix and dicom4qi
# speak of 10^-6 mm2/s), or scale to mm2/s; um2/ms is common in research.
UNITS: Final = {"10^-6 mm2/s": 1e-3, "10^-3 mm2/s": 1.0, "mm2/s": 1e3}
# What a lesion can have, in 10^-3 mm2/s: water of 37 degrees has 3, and noise may add to it. Of the units above never
# more than one brings a number here.
PLAUSIBLE: Final = (0.1, 5.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class AdcMap:
    """A map of the ADC.

    Attributes
    ----------
    volume
        The map, in its own unit.
    factor
        By what it is multiplied to get 10^-3 mm2/s; None where its headers do not tell its unit.
    """

    volume: Volume
    factor: float | None = None


@dataclass(frozen=True, kw_only=True)
class Adc:
    """ADC of one lesion.

    Attributes
    ----------
    mean
        In 10^-3 mm2/s; None where it cannot be told.
    notes
        What to know about it, one sentence each.
    """

    mean: float | None = None
    notes: tuple[str, ...] = ()


def measure_adc(mask: LesionMask, volume: Volume, adc: AdcMap, values: NDArray[np.float32]) -> Adc:
    """Measure the mean ADC of a lesion.

    1. Voxels of 0 and below are left out: scanners write 0 where they did not compute it.
    2. The mean of the others; where slices are spaced unevenly, by the thickness of the slice.
    3. Where headers do not tell the unit of the map, it is the one that makes the mean plausible (`PLAUSIBLE`).

    Parameters
    ----------
    mask
        The lesion, on the grid of the image.
    volume
        The image.
    adc
        The map.
    values
        The map at the voxels of the lesion (`paired.values_at`).
    """
    known = mask.voxels & (values > 0)
    if not known.any():
        return Adc(notes=("the ADC map has no value in it",))
    by_slice = slice_weights(mask, volume)
    weights = None if by_slice is None else np.broadcast_to(by_slice[:, None, None], known.shape)[known]
    mean = float(np.average(values[known].astype(np.float64), weights=weights))
    share = np.count_nonzero(known) / np.count_nonzero(mask.voxels)
    notes = [f"the ADC map has no value in {100 * (1 - share):.0f} % of it"] if share < 1 else []
    if adc.factor is not None:
        return Adc(mean=mean * adc.factor, notes=tuple(notes))
    for unit, factor in UNITS.items():
        if PLAUSIBLE[0] <= mean * factor <= PLAUSIBLE[1]:
            notes.append(f"the ADC map does not tell its unit; by its size it is {unit}")
            return Adc(mean=mean * factor, notes=tuple(notes))
    return Adc(notes=(*notes, f"no ADC: the map does not tell its unit, and a mean of {mean:.3g} fits none"))
