"""How a series was acquired, from its headers: contrast phase, tube voltage, kernel, thickness.

The phase is told by codes (enhanced images), by words in the descriptions, and by the time from injection to scan.
Where these contradict each other it stays empty, and that is said: which one is right is not for us to guess.

Sources: DICOM PS3.3, C.7.6.4 (contrast / bolus), C.7.6.4b and C.7.6.16.2.20 (enhanced). Delays from the start of the
injection: arterial 20 to 40 s, portal venous 60 to 90 s, delayed from 3 min (CT/MRI LI-RADS 2018, technique), widened
by what slow circulation and short injections change.
"""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Final

from response.imaging.contrast import CONTRAST, UNENHANCED
from response.imaging.volume import Acquisition
from response.io.dicom_values import text
from response.io.planes import Elements
from response.vocabulary import folded

ARTERIAL: Final = "arterial"
PORTAL_VENOUS: Final = "portal_venous"
DELAYED: Final = "delayed"

DELAYS_S: Final[Mapping[str, tuple[float, float]]] = {
    ARTERIAL: (15.0, 45.0),
    PORTAL_VENOUS: (55.0, 100.0),
    DELAYED: (150.0, 1200.0),
}  # seconds from the start of the injection to the scan; between and outside of them it is not told

# Contrast/Bolus Agent Phase (0018,9344), defined terms; those that name no phase of ours are `contrast`.
_CODES: Final[Mapping[str, str]] = {
    "PRE_CONTRAST": UNENHANCED,
    "POST_CONTRAST": CONTRAST,
    "IMMEDIATE": CONTRAST,
    "DYNAMIC": CONTRAST,
    "STEADY_STATE": CONTRAST,
    "DELAYED": DELAYED,
    "ARTERIAL": ARTERIAL,
    "CAPILLARY": CONTRAST,
    "VENOUS": PORTAL_VENOUS,
    "PORTAL_VENOUS": PORTAL_VENOUS,
}

# Words in English, German, French, Spanish, Portuguese, Italian, Dutch and the Nordic languages, in texts of lower
# case with single blanks. Nephrographic, excretory and equilibrium phases come after the portal venous one.
_AGENT: Final = r"(iv |i v )?(contrast\w*|kontrast\w*|con|c|ce|km|enhanced|inj\w*|pdc|civ|mdc|mezzo|iv|gd|gado\w*)"
_WITH_OR_WITHOUT: Final = r"(w|with|w ?o|without|mit|ohne|avec|sans|con|sin|senza)"
_BOTH: Final = re.compile(rf"\b{_WITH_OR_WITHOUT}( and| und| et| y| e)? {_WITH_OR_WITHOUT}( {_AGENT})?\b")
_NO_HINT: Final = re.compile(r"\bphase contrast\b|\bintra ?venous\w*")
_WORDS: Final[Mapping[str, re.Pattern[str]]] = {
    UNENHANCED: re.compile(
        rf"\b(no|non|without|w ?o|ohne|pre|sans|sin|sem|senza|zonder|utan|uden|uten) ?{_AGENT}\b"
        r"|\bunenhanced\b|\bplain\b|\bnativ[eao]?\b|\bnatif\b|\bblanco\b"
    ),
    ARTERIAL: re.compile(r"\w*art[eé]ri(al|el|os[ae])\w*|\bart[eä]r(ie)?fas\w*|\bart\b|\bhap\b"),
    PORTAL_VENOUS: re.compile(
        r"\bport(al|o) ?v[eé](n|in)\w*|\bportal(e|is|fas\w*|phase)?\b|\bpv(p|ph| phase| fase)\b"
        r"|\bven(ous|oes|ös|øs|os|osa|oso|ose|eus|euze)(e[nrs]?|fas\w*|phase)?\b|\bveineu(x|se)\b|\bvenefas\w*"
        r"|^(?!.*\b(card|heart|herz|coeur|cor|atri|pulm|lung|thora|ablat)).*\bpv\b"  # pulmonary veins
    ),
    DELAYED: re.compile(
        r"\bdelay(ed)?\b|\btardi(f|v[aeo]?|a|o|e)\b|\btardía\b|\bsp(ä|ae)t(phase|aufnahme|ven\w*)?\b|\blate phase\b"
        r"|\bequilibri\w*|\bn[eé](ph|f)rogra\w*|\bn[eé](ph|f)ro\b|\bexcr[eé]t\w*|\burogra\w*|\bausscheid\w*"
    ),
}
_GIVEN: Final = re.compile(
    r"\bcontrast\w*|\bkontrast\w*|\bkm\b|\benhanced\b|\binjec\w*|\bmdc\b|\bciv\b|\bcect\b|\bgd\b|\bgado\w*"
)
_NO_AGENT: Final = frozenset({"", "none", "no", "non", "0", "n", "nil", "na", "n a", "no contrast", "ohne", "sans"})
_WITH_PHASES: Final = frozenset({"CT", "MR"})


def read_acquisition(elements: Elements) -> tuple[Acquisition, list[str]]:
    """Return how the series of a slice was acquired, and what its headers contradict themselves in, as sentences."""
    agent = contrast_agent(elements)
    modality = elements.text("Modality")
    phase, faults = contrast_phase(elements, agent) if modality in _WITH_PHASES else ("", [])
    manufacturer = (elements.text("Manufacturer"), elements.text("ManufacturerModelName"))
    acquisition = Acquisition(
        modality=modality,
        phase=phase,
        kvp=_first(elements, "KVP"),
        kernel=elements.text("ConvolutionKernel"),
        slice_thickness_mm=_first(elements, "SliceThickness"),
        contrast_agent=agent,
        description=elements.text("SeriesDescription"),
        manufacturer=" ".join(part for part in manufacturer if part),
        sequence=_sequence(elements),
    )
    return acquisition, faults


def contrast_agent(elements: Elements) -> str:
    """Return the contrast agent, as text or the meaning of its code; empty where the text says that there was none."""
    named = elements.text("ContrastBolusAgent")
    for item in [] if named else elements.items("ContrastBolusAgentSequence")[:1]:
        named = text(item, "CodeMeaning")
    return "" if folded(named) in _NO_AGENT else named


def contrast_phase(elements: Elements, agent: str) -> tuple[str, list[str]]:
    """Return the contrast phase in our words; or empty, with a sentence, where the headers contradict themselves."""
    protocol = phases_in(elements.text("ProtocolName"))
    hints = {
        "phase code": {_CODES.get(elements.text("ContrastBolusAgentPhase"), "")} - {""},
        "series description": phases_in(elements.text("SeriesDescription")),
        "protocol name": protocol if len(protocol) == 1 else set(),  # that of several phases names them all
        "contrast agent": (phases_in(agent) | {CONTRAST}) if agent else set(),
        "time since injection": _phases_by_delay(elements),
    }
    found = {phase for said in hints.values() for phase in said}
    timed = found - {CONTRAST}
    if len(timed) > 1 or found == {CONTRAST, UNENHANCED}:
        told = "; ".join(f"{name}: {' and '.join(sorted(said))}" for name, said in hints.items() if said)
        return "", [f"the headers contradict each other on the contrast phase ({told})"]
    return next(iter(timed or found), ""), []


def phases_in(description: str) -> set[str]:
    """Return the phases that a description names: more than one where it names several, none where it is silent."""
    words = _NO_HINT.sub(" ", _BOTH.sub(" ", folded(description)))
    found = {phase for phase, pattern in _WORDS.items() if pattern.search(words)}
    given = _GIVEN.search(_WORDS[UNENHANCED].sub(" ", words))
    return found or ({CONTRAST} if given else set())


def _phases_by_delay(elements: Elements) -> set[str]:
    start, scan = (_seconds(elements.text(name)) for name in ("ContrastBolusStartTime", "AcquisitionTime"))
    return {phase for phase, (low, high) in DELAYS_S.items() if low <= scan - start <= high}


def _seconds(time: str) -> float:
    """Return a DICOM time (PS3.5, 6.2: HHMMSS.FFFFFF) in seconds of the day; NaN where it is none."""
    if not re.fullmatch(r"\d{6}(\.\d{1,6})?", time):
        return float("nan")
    return int(time[:2]) * 3600 + int(time[2:4]) * 60 + float(time[4:])


def _first(elements: Elements, keyword: str) -> float:
    values = elements.decimals(keyword)
    return values[0] if values and isfinite(values[0]) and values[0] > 0 else 0.0


def _sequence(elements: Elements) -> str:
    for keyword in ("SequenceName", "PulseSequenceName"):
        if name := elements.text(keyword):
            return name
    parts = (elements.text("ScanningSequence"), elements.text("SequenceVariant"))
    return " ".join(part for part in parts if part)
