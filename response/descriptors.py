"""Descriptors of lesions beside their size: extents, volumes, and volumes of their parts.

They stand beside the ancillary findings with their change against baseline, but have neither status nor direction: what
grows may be necrosis, and what is necrotic may have been so before treatment (`response.ancillary`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.ancillary import NEITHER, Kind, Observed, placed
from response.cells import NO_NUMBER, THOUSAND
from response.measurements import Measurements
from response.timeline import Timeline


@dataclass(frozen=True)
class Descriptor:
    """A number of a lesion that has no direction.

    Attributes
    ----------
    unit
        Of the number.
    columns
        Columns of the measurement table of which it is made; it is made where one of the groups is whole.
    values
        Its number in each row of the table, in thousandths of the unit, `NO_NUMBER` where unknown; `[row]`.
    """

    unit: str
    columns: tuple[tuple[str, ...], ...]
    values: Callable[[Measurements], NDArray[np.int32]]


_EXTENTS: Final = ("extent_lr_mm", "extent_ap_mm", "extent_cc_mm")
_LARGEST: Final = 2**31 - 1


def _plain(name: str) -> Callable[[Measurements], NDArray[np.int32]]:
    return lambda measurements: measurements.number(name)


def ellipsoid_volumes(measurements: Measurements) -> NDArray[np.int32]:
    """Return the volume of the ellipsoid with the three extents, pi / 6 times their product, in mm3; `[row]`."""
    extents = [measurements.number(name) for name in _EXTENTS]
    known = np.all([extent != NO_NUMBER for extent in extents], axis=0)
    product = np.prod([np.maximum(extent, 0) / THOUSAND for extent in extents], axis=0)
    return _kept(pi / 6 * product, known)


def volumes(measurements: Measurements) -> NDArray[np.int32]:
    """Return the volume as measured, in mm3; `[row]`."""
    measured = measurements.number("volume_mm3")
    return _kept(measured / THOUSAND, measured != NO_NUMBER)


def _part(name: str) -> Callable[[Measurements], NDArray[np.int32]]:
    """Return what makes the volume of a share: of the measured volume, else of the ellipsoid; in mm3."""

    def values(measurements: Measurements) -> NDArray[np.int32]:
        measured, ellipsoid = volumes(measurements), ellipsoid_volumes(measurements)
        volume, share = np.where(measured == NO_NUMBER, ellipsoid, measured), measurements.number(name)
        return _kept(volume / THOUSAND * share, (volume != NO_NUMBER) & (share != NO_NUMBER))

    return values


def viable_volumes(measurements: Measurements) -> NDArray[np.int32]:
    """Return the viable volume as measured, else the viable share of the volume, in mm3; `[row]`."""
    measured = measurements.number("viable_volume_mm3")
    of_share = _part("viable_fraction")(measurements)
    return np.where(measured == NO_NUMBER, of_share, _kept(measured / THOUSAND, measured != NO_NUMBER))


def viable_ratios(measurements: Measurements) -> NDArray[np.int32]:
    """Return the viable over the necrotic share; unknown where nothing is necrotic; `[row]`."""
    viable, necrotic = measurements.number("viable_fraction"), measurements.number("necrosis_fraction")
    known = (viable != NO_NUMBER) & (necrotic > 0)
    return _kept(viable * THOUSAND / np.maximum(necrotic, 1), known)


def _kept(values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.int32]:
    known = known & (values <= _LARGEST)
    return np.where(known, np.rint(np.where(known, values, 0)), NO_NUMBER).astype(np.int32)


# A thousandth of a millilitre is a cubic millimetre. Sarcoma is measured in three planes (scope of ESSR 2024).
DESCRIPTORS: Final[Mapping[str, Descriptor]] = {
    "extent left to right": Descriptor("mm", (("extent_lr_mm",),), _plain("extent_lr_mm")),
    "extent front to back": Descriptor("mm", (("extent_ap_mm",),), _plain("extent_ap_mm")),
    "extent head to foot": Descriptor("mm", (("extent_cc_mm",),), _plain("extent_cc_mm")),
    "ellipsoid volume": Descriptor("ml", (_EXTENTS,), ellipsoid_volumes),
    "volume": Descriptor("ml", (("volume_mm3",),), volumes),
    "necrotic volume": Descriptor(
        "ml",
        (("necrosis_fraction", "volume_mm3"), ("necrosis_fraction", *_EXTENTS)),
        _part("necrosis_fraction"),
    ),
    "calcified volume": Descriptor(
        "ml",
        (("calcified_fraction", "volume_mm3"), ("calcified_fraction", *_EXTENTS)),
        _part("calcified_fraction"),
    ),
    "haemorrhagic volume": Descriptor(
        "ml",
        (("haemorrhage_fraction", "volume_mm3"), ("haemorrhage_fraction", *_EXTENTS)),
        _part("haemorrhage_fraction"),
    ),
    "viable volume": Descriptor(
        "ml",
        (("viable_volume_mm3",), ("viable_fraction", "volume_mm3"), ("viable_fraction", *_EXTENTS)),
        viable_volumes,
    ),
    "viable to necrotic ratio": Descriptor("", (("viable_fraction", "necrosis_fraction"),), viable_ratios),
    "standard deviation of attenuation": Descriptor("HU", (("attenuation_sd_hu",),), _plain("attenuation_sd_hu")),
}


def descriptors_of(measurements: Measurements) -> list[str]:
    """Return the descriptors that the columns of the table make, in the order of `DESCRIPTORS`."""
    return [
        name
        for name, item in DESCRIPTORS.items()
        if any(all(column in measurements.numbers for column in group) for group in item.columns)
    ]


def described(timeline: Timeline) -> list[Observed]:
    """Return every descriptor that can be made from the measurements."""
    measured = timeline.measurements
    return [
        placed(
            timeline, name, Kind(NEITHER, NEITHER, "", unit=DESCRIPTORS[name].unit), DESCRIPTORS[name].values(measured)
        )
        for name in descriptors_of(measured)
    ]
