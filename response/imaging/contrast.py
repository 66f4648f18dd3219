"""Whether contrast medium was given, and so what an attenuation can mean."""

import re
from typing import Final

from response.imaging.volume import Acquisition

CONTRAST: Final = "contrast"  # given, but of unknown phase
ENHANCED: Final = ("arterial", "portal_venous", "delayed", CONTRAST)  # the phases in which vessels are bright
UNENHANCED: Final = "non_contrast"
# What headers say in ContrastBolusAgent where none went into a vein; oral contrast enhances nothing.
_NONE_GIVEN: Final = re.compile(
    r"(none|no|n|non|without|w/o|-+|0|no[\s_]?contrast|non[\s_-]?contrast|oral.*|n/?a)", re.IGNORECASE
)


def is_enhanced(acquisition: Acquisition) -> bool | None:
    """Return whether the image was taken with contrast medium; None where the headers do not say."""
    if acquisition.phase in ENHANCED:
        return True
    agent = acquisition.contrast_agent.strip()
    if acquisition.phase == UNENHANCED or (agent and _NONE_GIVEN.fullmatch(agent)):
        return False
    return True if agent else None


def is_ct(acquisition: Acquisition) -> bool:
    """Return whether the values are Hounsfield units."""
    return acquisition.modality == "CT"


def why_no_enhancement(acquisition: Acquisition, *, by_signal: bool = False) -> str:
    """Return why enhancement cannot be told from an image; empty where it can.

    Parameters
    ----------
    acquisition
        Of the image.
    by_signal
        Whether it is compared with a series without contrast medium, so that MR will do too.
    """
    if not is_ct(acquisition) and not (by_signal and acquisition.modality == "MR"):
        return f"enhancement is told by HU, and this is {acquisition.modality or 'an image of unknown modality'}"
    enhanced = is_enhanced(acquisition)
    if enhanced is None:
        return "whether contrast medium was given is not recorded"
    return "" if enhanced else "no contrast medium was given"


def phase_told(phase: str) -> str:
    """Return in words of which contrast phase an image is."""
    if phase in ("", CONTRAST):
        return "that of this image is not recorded"
    return f"this image is of the {phase.replace('_', ' ')} phase"
