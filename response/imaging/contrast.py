"""Whether contrast medium was given, and so what an attenuation can mean."""

import re
from typing import Final

from response.imaging.volume import Acquisition

ENHANCED: Final = ("arterial", "portal_venous", "delayed", "contrast")  # the phases in which vessels are bright
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
