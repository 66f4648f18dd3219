"""The part of a lesion that does not take up contrast medium, and how much the rest of it does.

Source: ESSR 2024 on sarcoma (necrotic share; of its part 3 only scope and method were read). Necrosis on an image is a
descriptor, no verdict: it may have been there before any treatment.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.attenuation import PADDING_BELOW_HU, share, slice_weights
from response.imaging.contrast import is_ct, phase_told, why_no_enhancement
from response.imaging.crops import crop_of, place_of, usable
from response.imaging.extents import thicknesses_mm
from response.imaging.lesion_mask import LesionMask
from response.imaging.options import MeasureOptions
from response.imaging.volume import Volume

Bools = NDArray[np.bool_]
Singles = NDArray[np.float32]

DARKER_HU: Final = -10.0  # no tissue loses so much by contrast medium: the two series show different places
_MOVED: Final = "with and without contrast medium are compared voxel by voxel: breathing between them shifts tissue"
_DARKER: Final = "it is darker with contrast medium than without: the two series may not lie on each other"
_GAIN: Final = "two MR series are compared as stored, which asks for one gain and one scale"
# Philips scales each series by itself; what undoes it stands in private elements (dcm2niix, issues 463 and 493).
_PHILIPS: Final = "Philips scales each MR series by itself: check that both have one scale"


@dataclass(frozen=True, kw_only=True)
class Necrosis:
    """The non-enhancing part of a lesion.

    Attributes
    ----------
    fraction
        Share of the volume that does not enhance, 0 to 1; None where it cannot be told.
    volume_mm3
        Its volume; None as well where the thickness of the slices is not known.
    method
        How it was told.
    reason
        Why it cannot be told.
    notes
        What to know about the number, one sentence each.
    """

    fraction: float | None = None
    volume_mm3: float | None = None
    method: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Enhancement:
    """What contrast medium adds to the mean of a lesion.

    Attributes
    ----------
    hu
        On CT, in HU; else None.
    percent
        On MR, in percent of the signal without contrast medium; else None.
    notes
        What to know about the number, one sentence each.
    """

    hu: float | None = None
    percent: float | None = None
    notes: tuple[str, ...] = ()


def measure_necrosis(
    mask: LesionMask, volume: Volume, options: MeasureOptions, unenhanced: Singles | None = None
) -> Necrosis:
    """Measure the part of a lesion that does not enhance, voxel by voxel.

    On CT these are the voxels below `necrosis_hu`; with a series without contrast medium beside it, those of them that
    rise by less than `necrosis_enhancement_hu`. So blood and calcification count as enhancing: they are told apart
    (`dense_parts`). On MR, which needs that series, it is the voxels that rise by less than
    `necrosis_enhancement_percent`.

    Noise adds to it: of tissue of 60 HU with a standard deviation of 15 HU, 2 % of the voxels lie below 30 HU. On MR
    noise takes away: of tissue that does not enhance, with noise of 5 % of the signal, 8 % of the voxels rise by 10 %.

    Parameters
    ----------
    mask
        The lesion, on the grid of the image.
    volume
        The image, with contrast medium.
    options
        The options named above.
    unenhanced
        The series without contrast medium at the voxels of the lesion (`paired.values_at`), where there is one.
    """
    reason = why_no_enhancement(volume.acquisition, by_signal=unenhanced is not None)
    if reason:
        return Necrosis(reason=reason)
    values = crop_of(mask, volume.voxels)
    known = mask.voxels & _usable(values, volume)
    if is_ct(volume.acquisition):
        dark, method, notes = _on_ct(values, volume, options, unenhanced)
    else:
        assert unenhanced is not None
        known &= unenhanced > 0
        dark, method, notes = _on_mr(values, options, unenhanced)
    if unenhanced is not None:
        known &= np.isfinite(unenhanced)
    if not known.any():
        return Necrosis(reason="no voxel of it has a value")
    return _told(known & dark, known, mask, volume, method=method, notes=notes)


def measure_enhancement(mask: LesionMask, volume: Volume, unenhanced: Singles) -> Enhancement:
    """Measure what contrast medium adds to the mean of a lesion, over the voxels that both series have.

    On MR: 100 (mean with - mean without) / mean without. Arguments as in `measure_necrosis`.
    """
    if why_no_enhancement(volume.acquisition, by_signal=True):
        return Enhancement()
    values = crop_of(mask, volume.voxels)
    known = mask.voxels & _usable(values, volume) & np.isfinite(unenhanced)
    if not known.any():
        return Enhancement()
    weights = _weights(mask, volume)
    after, before = (
        float(np.average(each[known].astype(np.float64), weights=None if weights is None else weights[known]))
        for each in (values, unenhanced)
    )
    if is_ct(volume.acquisition):
        return Enhancement(hu=after - before, notes=(_DARKER,) if after - before < DARKER_HU else ())
    notes = (_GAIN, *((_PHILIPS,) if "philips" in volume.acquisition.manufacturer.lower() else ()))
    return Enhancement(percent=100 * (after - before) / before, notes=notes) if before > 0 else Enhancement()


def _on_ct(
    values: NDArray[Any], volume: Volume, options: MeasureOptions, unenhanced: Singles | None
) -> tuple[Bools, str, tuple[str, ...]]:
    """Return what does not enhance, how that was told, and what to know about it."""
    dark = values < options.necrosis_hu
    method, notes = f"voxels below {options.necrosis_hu} HU", []
    phase = volume.acquisition.phase
    if phase != "portal_venous":
        notes.append(f"the threshold is for the portal venous phase; {phase_told(phase)}")
    if unenhanced is not None:
        dark &= values - unenhanced < options.necrosis_enhancement_hu
        method += f" that rise by less than {options.necrosis_enhancement_hu} HU with contrast medium"
        notes.append(_MOVED)
    return dark, method, tuple(notes)


def _on_mr(values: NDArray[Any], options: MeasureOptions, unenhanced: Singles) -> tuple[Bools, str, tuple[str, ...]]:
    least = options.necrosis_enhancement_percent
    dark = 100 * (values - unenhanced) < least * unenhanced
    return dark, f"MR subtraction, voxels with less than {least} % more signal", (_MOVED,)


def _told(
    necrotic: Bools, known: Bools, mask: LesionMask, volume: Volume, *, method: str, notes: tuple[str, ...]
) -> Necrosis:
    grid = volume.grid
    thick = thicknesses_mm(grid, volume.acquisition.slice_thickness_mm)[place_of(mask)[0]]
    whole = float(np.count_nonzero(necrotic, axis=(1, 2)) @ thick) * grid.row_spacing_mm * grid.column_spacing_mm
    return Necrosis(
        fraction=share(necrotic, known, _weights(mask, volume)),
        volume_mm3=whole if thick.all() else None,
        method=method,
        notes=notes,
    )


def _weights(mask: LesionMask, volume: Volume) -> NDArray[np.float64] | None:
    by_slice = slice_weights(mask, volume)
    return None if by_slice is None else np.broadcast_to(by_slice[:, None, None], mask.voxels.shape)


def _usable(values: NDArray[Any], volume: Volume) -> Bools:
    return usable(values, padding_below=PADDING_BELOW_HU if is_ct(volume.acquisition) else -np.inf)
