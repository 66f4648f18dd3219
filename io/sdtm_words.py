"""The words of SDTM oncology data (TU, TR, RS) in the words of the measurement model.

Codes and texts are those of CDISC controlled terminology and of the RECIST 1.1 disease response supplement.
"""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from enum import IntEnum
from typing import Final, NamedTuple

from response.cells import NO_NUMBER, number_of, thousandths_text
from response.vocabulary import MISSING, Role, State, folded, response_of, text_of

# --- What a row of TR holds.


class Kind(IntEnum):
    """What a test of TR measures; the first three are lengths."""

    LONGEST = 0
    SHORT = 1
    DIAMETER = 2
    STATE = 3
    NODE_STATE = 4
    ATTENUATION = 5
    VOLUME = 6
    SUM = 7
    DERIVED = 8
    UNKNOWN = 9


LENGTHS: Final = (Kind.LONGEST, Kind.SHORT, Kind.DIAMETER)
STATES: Final = (Kind.STATE, Kind.NODE_STATE)

_KIND_BY_CODE: Final[Mapping[str, Kind]] = {
    "LDIAM": Kind.LONGEST,
    "LAXIS": Kind.LONGEST,
    "LONGAXIS": Kind.LONGEST,
    "LPERP": Kind.SHORT,
    "SAXIS": Kind.SHORT,
    "SHRTAXIS": Kind.SHORT,
    "LMAXSP": Kind.SHORT,
    "DIAMETER": Kind.DIAMETER,
    "TUMSTATE": Kind.STATE,
    "LESSTATE": Kind.STATE,
    "LNSTATE": Kind.NODE_STATE,
    "ATTENUAT": Kind.ATTENUATION,
    "ATTEN": Kind.ATTENUATION,
    "DENSITY": Kind.ATTENUATION,
    "HU": Kind.ATTENUATION,
    "MEANHU": Kind.ATTENUATION,
    "VOLUME": Kind.VOLUME,
    "SUMDIAM": Kind.SUM,
}
_KIND_BY_NAME: Final[Mapping[str, Kind]] = {
    "longest diameter": Kind.LONGEST,
    "long axis": Kind.LONGEST,
    "longest perpendicular": Kind.SHORT,
    "short axis": Kind.SHORT,
    "diameter": Kind.DIAMETER,
    "tumor state": Kind.STATE,
    "tumour state": Kind.STATE,
    "lesion state": Kind.STATE,
    "lymph node state": Kind.NODE_STATE,
    "attenuation": Kind.ATTENUATION,
    "volume": Kind.VOLUME,
    "sum of diameter": Kind.SUM,
    "sum of diameters": Kind.SUM,
}
_DERIVED: Final = re.compile(r"^(SUM|PC|AC|MN|MX|NADIR|CHG|PCHG)")  # sums of a group, and changes of them


def kind_of(code: str, name: str) -> Kind:
    """Return what a test measures, by TRTESTCD, else by TRTEST."""
    known = _KIND_BY_CODE.get(code.upper())
    if known is None:
        known = _KIND_BY_NAME.get(folded(name))
    if known is None:
        known = Kind.DERIVED if _DERIVED.match(code.upper()) else Kind.UNKNOWN
    return known


# --- The result of a test.


class Result(NamedTuple):
    """What one result of TR says.

    Attributes
    ----------
    value
        The number as text, in `unit`; empty where there is none.
    unit
        As collected.
    state
        Canonical state, or one of the words that depend on the role of the lesion (`RESOLVED_WORD` ...).
    not_done
        Whether the state only says that this test was not done.
    reason
        Why not.
    fault
        What was expected, where the result is unusable; `found` is the text.
    """

    value: str = ""
    unit: str = ""
    state: str = ""
    not_done: bool = False
    reason: str = ""
    fault: str = ""
    found: str = ""


_NOT_EVALUABLE: Final = text_of(State.NOT_EVALUABLE)
UNEQUIVOCAL_WORD: Final = "unequivocal"  # a new lesion that is certain, or progression of a known one
RESOLVED_WORD: Final = "resolved lesion"  # a new lesion that was no tumour, or a known one that is gone
NO_LESION_WORD: Final = "no lesion"  # "new lesions: no"

_STATES: Final[Mapping[str, str]] = {
    "present": text_of(State.PRESENT),
    "persistent": text_of(State.PRESENT),
    "yes": text_of(State.PRESENT),
    "y": text_of(State.PRESENT),
    "new": text_of(State.PRESENT),
    "pathological": text_of(State.PRESENT),
    "non pathological": text_of(State.ABSENT),
    "nonpathological": text_of(State.ABSENT),
    "normal": text_of(State.ABSENT),
    "no": NO_LESION_WORD,
    "n": NO_LESION_WORD,
    "none": NO_LESION_WORD,
    "unequivocal": UNEQUIVOCAL_WORD,
    "unequivocal progression": text_of(State.UNEQUIVOCAL_PROGRESSION),
    "unequivocal progressive disease": text_of(State.UNEQUIVOCAL_PROGRESSION),
    "progressive disease": text_of(State.UNEQUIVOCAL_PROGRESSION),
    "equivocal progression": text_of(State.EQUIVOCAL),
    "suspected progression": text_of(State.EQUIVOCAL),
    "resolved": RESOLVED_WORD,
    "not assessable": text_of(State.NOT_EVALUABLE),
    "tumor split": text_of(State.SPLIT),
    "tumour split": text_of(State.SPLIT),
    "tumor merged": text_of(State.MERGED),
    "tumour merged": text_of(State.MERGED),
    "lesion split": text_of(State.SPLIT),
    "lesion merged": text_of(State.MERGED),
    "not scheduled": text_of(State.NOT_SCHEDULED),
    "not required per protocol": text_of(State.NOT_SCHEDULED),
}
_EXPECTED_STATE: Final = "PRESENT, ABSENT, EQUIVOCAL, UNEQUIVOCAL PROGRESSION, NOT EVALUABLE or TOO SMALL TO MEASURE"


def state_of_text(text: str) -> str:
    """Return the state that a text names, as `Result.state`; empty where it names none."""
    known = _STATES.get(folded(text))
    return text_of(number_of(text).state) if known is None else known


class ResultCells(NamedTuple):
    """The result of one row of TR: TRORRES, TRORRESU, TRSTRESC, TRSTRESN, TRSTRESU, TRSTAT, TRREASND."""

    original: str
    original_unit: str
    standard: str
    number: str
    unit: str
    status: str
    reason: str


def result_of(kind: Kind, cells: ResultCells) -> Result:
    """Return what the result of a row of TR says, for a test of this kind."""
    if folded(cells.status) in {"not done", "nd"}:
        state = state_of_text(cells.reason) if folded(cells.reason) in _STATES else _NOT_EVALUABLE
        return Result(state=state, not_done=state == _NOT_EVALUABLE, reason=cells.reason or "not done")
    if kind in STATES:
        return _state_result(cells)
    return _number_result(kind, cells)


def _state_result(cells: ResultCells) -> Result:
    state = state_of_text(cells.standard) or state_of_text(cells.original)
    found = cells.standard or cells.original
    return Result(state=state, reason=cells.reason, fault="" if state or not found else _EXPECTED_STATE, found=found)


def _number_result(kind: Kind, cells: ResultCells) -> Result:
    # The collected text wins for the state: "TOO SMALL TO MEASURE" is standardised to 5 (CDISC supplement).
    state = state_of_text(cells.original) or state_of_text(cells.standard)
    found = cells.original or cells.standard or cells.number
    value, unit = _number_and_unit(cells)
    if not value and state:
        inner = number_of(cells.original or cells.standard)  # "<5" has both
        value = "" if inner.thousandths == NO_NUMBER else thousandths_text(inner.thousandths)
    if not value:
        fault = "" if state or not found else "a number, or a word such as TOO SMALL TO MEASURE or NE"
        return Result(state=state, reason=cells.reason, fault=fault, found=found)
    if kind in LENGTHS and in_unit(value, unit, "mm") is None:
        return Result(state=state, reason=cells.reason, fault="a length in mm or cm", found=f"{value} {unit}")
    if kind is Kind.VOLUME:
        volume = in_unit(value, unit, "mm3")
        return Result(volume or "", fault="" if volume else "a volume in mm3, cm3 or mL", found=f"{value} {unit}")
    return Result(value, unit, state, reason=cells.reason)


def _number_and_unit(cells: ResultCells) -> tuple[str, str]:
    """Return the standard result, else the collected one; each with its own unit."""
    standard = next((text for text in (cells.number, cells.standard) if _is_number(text)), "")
    if not standard:
        return (cells.original, cells.original_unit) if _is_number(cells.original) else ("", "")
    if cells.unit:
        return standard, cells.unit
    same = not _is_number(cells.original) or Decimal(cells.original) == Decimal(standard)
    return standard, cells.original_unit if same else ""


def _is_number(text: str) -> bool:
    cell = number_of(text, negative=True)
    return cell.thousandths != NO_NUMBER and cell.state == State.BLANK


_SCALES: Final[Mapping[str, Mapping[str, int]]] = {
    "mm": {"": 1, "mm": 1, "cm": 10},
    "mm3": {"": 1, "mm3": 1, "mm^3": 1, "cm3": 1000, "cm^3": 1000, "ml": 1000, "cc": 1000},
}


def in_unit(value: str, unit: str, wanted: str) -> str | None:
    """Return a number in mm or mm3 exactly; None where the unit is unknown."""
    scale = _SCALES[wanted].get(unit.casefold())
    return None if scale is None else value if scale == 1 else format((Decimal(value) * scale).normalize(), "f")


# --- What a row of TU holds.


def role_of(text: str) -> Role:
    """Return the role that a text names (TUORRES, TRGRPID); `Role.NONE` where it names none."""
    words = set(folded(text).split())
    if "new" in words:
        return Role.NEW
    if "nontarget" in words or {"non", "target"} <= words:
        return Role.NON_TARGET
    return Role.TARGET if words & {"target", "targets"} and "not" not in words else Role.NONE


def is_split(code: str) -> bool:
    """Return whether TUTESTCD says that a lesion is a fragment of another."""
    return "SPLIT" in code.upper()


def is_merged(code: str) -> bool:
    """Return whether TUTESTCD says that a lesion is the mass of others that grew together."""
    return "MERG" in code.upper()


def is_identification(code: str) -> bool:
    """Return whether TUTESTCD identifies a lesion."""
    return not code or "IDENT" in code.upper() or is_split(code) or is_merged(code)


# --- Visits, evaluators, criteria, responses.

_AFTER: Final = re.compile(r"\b(post|after|failure|fail)\b")


def baseline_level(visit: str, *flags: str) -> int:
    """Return how surely a row is of the baseline: 3 by a flag, 2 by "baseline", 1 by "screening", 0 not."""
    if any(flag.upper() == "Y" for flag in flags):
        return 3
    words = set(folded(visit).split())
    if _AFTER.search(folded(visit)):
        return 0
    return 2 if words & {"baseline", "bl"} else int(bool(words & {"screening", "screen", "scr", "pretreatment"}))


def evaluator_of(role: str, person: str) -> str:
    """Return the evaluator: --EVAL, and --EVALID where it tells several apart; the same for TU, TR and RS."""
    return " ".join(f"{role} {person}".split())


def visit_number(text: str) -> str:
    """Return VISITNUM as people write it: 2.0 is 2, 9.2 stays."""
    return re.sub(r"\.0*$|(\.\d*?[1-9])0+$", r"\1", text) if re.fullmatch(r"\d+\.\d*", text) else text


def day_of(text: str) -> str:
    """Return the date of a date and time; partial dates stay as they are."""
    return text.partition("T")[0]


_RECIST: Final = re.compile(r"(?<!\w)recist(1 1)?\b(?!.*\wrecist)")
_OTHER_WORDS: Final = frozenset(
    "modified immune related pcwg pcwg2 pcwg3 ca 125 gcig 0 imwg lugano cheson rano".split()
)


def criterion_of(category: str, ours: Mapping[str, str]) -> str | None:
    """Return the criterion that RSCAT names (RECIST 1.1 where it is blank); None where it is none of ours.

    `ours` are the folded texts that name one (`registry.names_by_text`).
    """
    words = folded(category)
    if not words:
        return "recist-1.1"
    first, *rest = words.split()
    if words in ours:
        return ours[words]
    if first in ours and "and" not in rest:  # of two criteria none can be meant
        return ours[first]
    return "recist-1.1" if _RECIST.search(words) and not _OTHER_WORDS & set(words.split()) else None


COLLECTED_BY_CODE: Final[Mapping[str, str]] = {
    "TRGRESP": "target",
    "NTRGRESP": "non_target",
    "NEWLPROG": "new_lesion",
    "NEWLIND": "new_lesion",
    "OVRLRESP": "overall",
    "BESTRESP": "best_response",
    "BOR": "best_response",
}
_NEW_LESIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("y", "yes", "unequivocal", "pd", "present", "progressive disease"), "Yes"),
    **dict.fromkeys(("n", "no", "none", "absent"), "No"),
    **dict.fromkeys(("ne", "not evaluable", "unknown", "u", "not done"), "NE"),
    "equivocal": "Equivocal",
}


def collected_value(column: str, text: str, words: Collection[str]) -> str | None:
    """Return a collected response in the words of its criterion; None where it is none of them."""
    if "?" in text:
        return None  # a doubt is no category
    if column == "new_lesion":
        return _NEW_LESIONS.get(folded(text))
    name = response_of(text)
    return name if name == MISSING or name in words else None
