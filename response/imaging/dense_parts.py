"""The dense parts of a lesion on CT: calcification and haemorrhage.

Both raise the attenuation of a lesion without any growth of tumour. ESGAR 2025 names them as ancillary findings
(Eur Radiol 2025, doi:10.1007/s00330-025-11540-1, abstract read) and gives no HU. Calcification: Agatston et al., J Am
Coll Cardiol 1990;15:827-832 (130 HU). Haemorrhage: recent blood is dense by its haemoglobin, as 55 of 73 recent
haematomas of the body showed on CT without contrast medium (Radiology 1983;148:3, abstract read); that more than 60 HU
are blood was not found in a guideline, and is a choice of this project.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.attenuation import PADDING_BELOW_HU, share, slice_weights
from response.imaging.contrast import is_ct, is_enhanced
from response.imaging.crops import crop_of, usable
from response.imaging.in_plane import smoothed_in_plane
from response.imaging.lesion_mask import LesionMask
from response.imaging.options import MeasureOptions
from response.imaging.volume import Acquisition, Volume
from response.vocabulary import organ_of

Bools = NDArray[np.bool_]

_CONTRAST: Final = {
    True: "with contrast medium",
    False: "without contrast medium",
    None: "contrast medium not recorded",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class DenseParts:
    """Calcification and haemorrhage of a lesion.

    Attributes
    ----------
    calcified, haemorrhagic
        Their voxels, `[slice, row, column]` of the crop of the mask; no haemorrhage where it cannot be told.
    calcified_fraction, haemorrhage_fraction
        Their share of the volume, 0 to 1; None where it cannot be told.
    method
        How they were told.
    notes
        What to know about the numbers, one sentence each.
    """

    calcified: Bools
    haemorrhagic: Bools
    calcified_fraction: float | None = None
    haemorrhage_fraction: float | None = None
    method: str = ""
    notes: tuple[str, ...] = ()

    def left_out(self, options: MeasureOptions) -> Bools:
        """Return the voxels that the options leave out of the attenuation."""
        out = np.zeros_like(self.calcified)
        if options.exclude_calcification:
            out |= self.calcified
        if options.exclude_haemorrhage:
            out |= self.haemorrhagic
        return out


def find_dense_parts(
    mask: LesionMask, volume: Volume, options: MeasureOptions, unenhanced: NDArray[np.float32] | None = None
) -> DenseParts | None:
    """Find calcification and haemorrhage; None where the values are no HU.

    1. Voxels at or above `calcification_hu` are calcified; on CT with contrast medium at or above
       `calcification_enhanced_hu`.
    2. What is not calcified is smoothed in the plane (`haemorrhage_smoothing_mm`); voxels above `haemorrhage_hu` are
       haemorrhage. That is told without contrast medium only: with it, tissue that enhances is as dense.

    Noise adds to haemorrhage: of tissue of 40 HU with a standard deviation of 15 HU, 9 % of the voxels lie above 60 HU.
    That is why it is smoothed: over pixels of 0.8 mm, 1 mm leaves a quarter of independent noise, and of noise as CT
    has it about half. Small islands are kept, for what they add is below the tolerance of a change, and bleeding may
    be scattered. The blurred border of calcification counts to it. Dense tissue without blood (thyroid, lipiodol)
    reaches 60 HU as well; of bone and of whole organs it is not told.

    Parameters
    ----------
    mask
        The lesion, on the grid of the image.
    volume
        The image.
    options
        The options named above.
    unenhanced
        The series without contrast medium at the voxels of the lesion (`paired.values_at`), where there is one; both
        are told from it.
    """
    acquisition = volume.acquisition
    threshold = calcification_hu(acquisition, options)
    if threshold is None:
        return None
    values, enhanced = crop_of(mask, volume.voxels), is_enhanced(acquisition)
    if unenhanced is not None:
        values, enhanced, threshold = unenhanced, False, options.calcification_hu
    known = mask.voxels & usable(values, padding_below=PADDING_BELOW_HU)
    by_slice = slice_weights(mask, volume) if mask.voxels.size else None
    weights = None if by_slice is None else np.broadcast_to(by_slice[:, None, None], known.shape)
    calcified = known & (values >= threshold)
    bleeding = np.zeros_like(known)
    told = enhanced is False and not mask.name.is_organ and organ_of(mask.name.site) != "bone"
    if told and known.any():
        soft = known & ~calcified
        smoothed = smoothed_in_plane(values, soft, volume.grid, options.haemorrhage_smoothing_mm)
        bleeding = soft & (smoothed > options.haemorrhage_hu)
    method = f"calcification from {threshold} HU on, {_CONTRAST[enhanced]}"
    at_border = ("the blurred border of calcification counts as haemorrhage",)
    return DenseParts(
        calcified=calcified,
        haemorrhagic=bleeding,
        calcified_fraction=share(calcified, known, weights),
        haemorrhage_fraction=share(bleeding, known, weights) if told else None,
        method=f"{method}, haemorrhage above {options.haemorrhage_hu} HU" if told else method,
        notes=at_border if calcified.any() and bleeding.any() else (),
    )


def calcification_hu(acquisition: Acquisition, options: MeasureOptions) -> int | None:
    """Return the threshold of calcification; the higher one where vessels may be bright. None where no HU are."""
    if not is_ct(acquisition):
        return None
    return options.calcification_hu if is_enhanced(acquisition) is False else options.calcification_enhanced_hu
