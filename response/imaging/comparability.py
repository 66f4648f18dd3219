"""What differs between two acquisitions, so that attenuation or size may differ without any change of the tumour.

Which things matter: phase, slice, tube voltage and contrast medium (criteria page, F12; Choi 2007 asks for the same
phase), and the kernel, which changes edges and noise. Signal of MR depends on sequence and scanner.
"""

from collections.abc import Callable, Sequence
from typing import Final

from response.imaging.contrast import is_enhanced
from response.imaging.volume import Acquisition

KVP_TOLERANCE: Final = 1.0  # kV; headers round the nominal voltage, and no scanner offers steps this small
SLICE_TOLERANCE_MM: Final = 0.1  # headers and positions round: 0.625 is written as 0.6, 1.25 as 1.3

UNKNOWN: Final = "not recorded"


def differences(
    first: Acquisition, now: Acquisition, *, first_interval_mm: float = 0.0, now_interval_mm: float = 0.0
) -> tuple[str, ...]:
    """Return what differs, as short phrases such as `kVp 120 -> 100`; empty where nothing is known to differ.

    A value that one of the two does not record is told (`phase portal_venous -> not recorded`), for it may differ; of
    what neither records nothing is said (`unrecorded` lists it).

    Parameters
    ----------
    first, now
        Acquisition of the timepoint to compare with, and of the one at hand.
    first_interval_mm, now_interval_mm
        Distance of their slices, from positions; 0: not known.
    """
    found = [
        *_of_texts("modality", first.modality, now.modality),
        *_of_texts("phase", first.phase, now.phase),
        *_of_contrast(first, now),
        *_of_numbers("kVp", first.kvp, now.kvp, KVP_TOLERANCE),
        *_of_texts("kernel", first.kernel, now.kernel),
        *_of_numbers("slice thickness mm", first.slice_thickness_mm, now.slice_thickness_mm, SLICE_TOLERANCE_MM),
        *_of_numbers("slice interval mm", first_interval_mm, now_interval_mm, SLICE_TOLERANCE_MM),
    ]
    if "MR" in (first.modality, now.modality):
        found += _of_texts("sequence", first.sequence, now.sequence)
        found += _of_texts("scanner", first.manufacturer, now.manufacturer)
    return tuple(found)


# What attenuation depends on most, and how to see that it is not recorded.
_ASKED: Final[Sequence[tuple[str, Callable[[Acquisition], bool]]]] = (
    ("modality", lambda image: not image.modality),
    ("phase", lambda image: image.modality in ("", "CT") and not image.phase),
    ("kVp", lambda image: image.modality in ("", "CT") and image.kvp <= 0),
    ("sequence", lambda image: image.modality == "MR" and not image.sequence),
)


def unrecorded(first: Acquisition, now: Acquisition) -> tuple[str, ...]:
    """Return what neither acquisition records, so that nobody can tell whether it differs."""
    return tuple(name for name, is_missing in _ASKED if is_missing(first) and is_missing(now))


def _of_texts(name: str, first: str, now: str) -> list[str]:
    # Case and spaces differ between exports of one scanner.
    if " ".join(first.casefold().split()) == " ".join(now.casefold().split()):
        return []
    return [f"{name} {first.strip() or UNKNOWN} -> {now.strip() or UNKNOWN}"]


def _of_numbers(name: str, first: float, now: float, tolerance: float) -> list[str]:
    known = [value if value > 0 else None for value in (first, now)]
    if known[0] is None and known[1] is None:
        return []
    if known[0] is not None and known[1] is not None and abs(known[0] - known[1]) <= tolerance + 1e-9:
        return []
    return [f"{name} {' -> '.join(UNKNOWN if value is None else f'{value:g}' for value in known)}"]


def _of_contrast(first: Acquisition, now: Acquisition) -> list[str]:
    if first.phase and now.phase:
        return []  # told by the phase
    given = [is_enhanced(image) for image in (first, now)]
    if given[0] is None or given[1] is None or given[0] == given[1]:
        return []
    return [f"contrast medium {' -> '.join('given' if each else 'not given' for each in given)}"]
