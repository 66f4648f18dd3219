"""The words of the field, and their codes in DICOM, NCIt and CDISC, in this one place.

Members of the enums are small integers, so that arrays of millions of them are compared fast; member 0
always means "not recorded". The text of a member in files is its name in lower case.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Final, TypeVar


class Role(IntEnum):
    """What a lesion is in the assessment (DICOM CID 6145, CDISC TUORRES)."""

    NONE = 0
    TARGET = 1
    NON_TARGET = 2
    NEW = 3
    CANDIDATE = 4  # a baseline lesion from which targets are to be proposed


class State(IntEnum):
    """State of one lesion at one timepoint; those from MISSING on are found by the timeline, never read."""

    BLANK = 0
    MEASURED = 1
    TOO_SMALL = 2
    ABSENT = 3
    PRESENT = 4
    NOT_EVALUABLE = 5
    NOT_SCHEDULED = 6
    SPLIT = 7
    MERGED = 8
    UNEQUIVOCAL_PROGRESSION = 9
    EQUIVOCAL = 10
    RESOLVED = 11
    MISSING = 12  # known by then, but without a row
    UNKNOWN = 13  # not seen yet
    NORMAL_NODE = 14  # short axis below 10 mm
    BORDERLINE_NODE = 15  # a new node of 10 to below 15 mm


class Trend(IntEnum):
    """Course of a lesion against the last assessment."""

    BLANK = 0
    DECREASED = 1
    UNCHANGED = 2
    INCREASED = 3


class Nodule(IntEnum):
    """Intratumoral nodule (Choi)."""

    BLANK = 0
    NONE = 1
    NEW = 2
    GROWING = 3


class VascularPattern(IntEnum):
    """Pattern of a new liver nodule on dynamic imaging: typical of HCC is arterial enhancement with washout."""

    BLANK = 0
    TYPICAL = 1
    ATYPICAL = 2


class Cytology(IntEnum):
    """What cytology or pathology found in fluid."""

    BLANK = 0
    NEGATIVE = 1
    POSITIVE = 2
    NOT_DONE = 3


class ZoneEnhancement(IntEnum):
    """Enhancement in or within 1 cm of an ablation zone."""

    BLANK = 0
    NONE = 1
    THIN_RIM = 2  # smooth and thin: benign in the first months
    NODULAR = 3  # nodular or irregular: tumour


class Tissue(IntEnum):
    """What of a glioma is measured (RANO)."""

    BLANK = 0
    ENHANCING = 1
    NON_ENHANCING = 2  # on T2 or FLAIR


class EnhancementChange(IntEnum):
    """Enhancement that came back in a lesion against its last scan (SACT, MASS)."""

    BLANK = 0
    NONE = 1
    FILL_IN = 2  # marked fill-in of a centre that did not enhance
    NEW_ENHANCEMENT = 3  # of a mass that was homogeneous, of low attenuation, and did not enhance


class Ancillary(IntEnum):
    """An ancillary finding in a lesion: whether it is there, or how it stands against baseline."""

    BLANK = 0
    ABSENT = 1
    PRESENT = 2
    NEW = 3
    INCREASED = 4
    STABLE = 5
    DECREASED = 6
    NOT_EVALUABLE = 7


class PathologyClass(IntEnum):
    """Class of residual viable cells in the specimen (EORTC-STBSG)."""

    BLANK = 0
    A = 1
    B = 2
    C = 3
    D = 4
    E = 5


class LesionType(IntEnum):
    """Kind of lesion, as far as measurability depends on it (RECIST 1.1, section 3.1)."""

    BLANK = 0
    SOLID = 1
    CYSTIC = 2
    LYTIC_SOFT_TISSUE = 3
    BLASTIC = 4
    EFFUSION = 5
    ASCITES = 6
    LEPTOMENINGEAL = 7
    LYMPHANGITIC = 8
    INFLAMMATORY_BREAST = 9
    SKIN = 10
    ORGANOMEGALY = 11


class LocalTreatment(IntEnum):
    """Whether a lesion was irradiated or treated locally before baseline."""

    BLANK = 0
    NO = 1
    YES = 2
    PROGRESSED_SINCE = 3


class PetCorrelate(IntEnum):
    """What CT shows at a site that is positive on FDG-PET."""

    BLANK = 0
    NEW = 1
    KNOWN_STABLE = 2
    KNOWN_PROGRESSING = 3
    NONE = 4


class YesNo(IntEnum):
    """A flag that may be blank."""

    BLANK = 0
    NO = 1
    YES = 2


class VisitNewLesions(IntEnum):
    """New lesions as a visit table tells them."""

    BLANK = 0
    NONE = 1
    EQUIVOCAL = 2
    UNEQUIVOCAL = 3
    NOT_EVALUABLE = 4


class PetResult(IntEnum):
    """FDG-PET of a visit."""

    BLANK = 0
    NEGATIVE = 1
    POSITIVE = 2
    NOT_DONE = 3


class Markers(IntEnum):
    """Tumour markers of a visit against the upper limit of normal."""

    BLANK = 0
    NORMAL = 1
    ABOVE = 2
    NOT_DONE = 3


class Marrow(IntEnum):
    """Bone marrow of a visit, by morphology (Lugano)."""

    BLANK = 0
    NEGATIVE = 1
    POSITIVE = 2
    INDETERMINATE = 3
    NOT_DONE = 4


class Clinical(IntEnum):
    """Clinical status of a visit."""

    BLANK = 0
    STABLE = 1
    DETERIORATED = 2


E = TypeVar("E", bound=IntEnum)

_SYNONYMS: Final[Mapping[type[IntEnum], Mapping[str, IntEnum]]] = {
    Role: {
        "t": Role.TARGET,
        "tl": Role.TARGET,
        "target lesion": Role.TARGET,
        "nt": Role.NON_TARGET,
        "ntl": Role.NON_TARGET,
        "nontarget": Role.NON_TARGET,
        "non target lesion": Role.NON_TARGET,
        "nl": Role.NEW,
        "new lesion": Role.NEW,
    },
    State: {
        "tstm": State.TOO_SMALL,
        "too small to measure": State.TOO_SMALL,
        "too small": State.TOO_SMALL,
        "ne": State.NOT_EVALUABLE,
        "nd": State.NOT_EVALUABLE,
        "not done": State.NOT_EVALUABLE,
        "not evaluated": State.NOT_EVALUABLE,
        "not assessed": State.NOT_EVALUABLE,
        "unable to assess": State.NOT_EVALUABLE,
        "inevaluable": State.NOT_EVALUABLE,
        "unknown": State.NOT_EVALUABLE,
        "disappeared": State.ABSENT,
        "gone": State.ABSENT,
        "unequivocal": State.PRESENT,
        "progression": State.UNEQUIVOCAL_PROGRESSION,
        "unequivocal pd": State.UNEQUIVOCAL_PROGRESSION,
        "pd": State.UNEQUIVOCAL_PROGRESSION,
        "coalesced": State.MERGED,
        "not a lesion": State.RESOLVED,
        "not tumour": State.RESOLVED,
        "not tumor": State.RESOLVED,
    },
    Trend: {
        "stable": Trend.UNCHANGED,
        "increase": Trend.INCREASED,
        "decrease": Trend.DECREASED,
    },
    Ancillary: {
        "no": Ancillary.ABSENT,
        "none": Ancillary.ABSENT,
        "yes": Ancillary.PRESENT,
        "increase": Ancillary.INCREASED,
        "decrease": Ancillary.DECREASED,
        "unchanged": Ancillary.STABLE,
        "ne": Ancillary.NOT_EVALUABLE,
    },
    Cytology: {
        "benign": Cytology.NEGATIVE,
        "malignant": Cytology.POSITIVE,
        "confirmed": Cytology.POSITIVE,
    },
    ZoneEnhancement: {
        "no": ZoneEnhancement.NONE,
        "rim": ZoneEnhancement.THIN_RIM,
        "irregular": ZoneEnhancement.NODULAR,
        "nodule": ZoneEnhancement.NODULAR,
    },
    EnhancementChange: {
        "central fill in": EnhancementChange.FILL_IN,
        "new": EnhancementChange.NEW_ENHANCEMENT,
    },
    LesionType: {
        "cyst": LesionType.CYSTIC,
        "lytic": LesionType.LYTIC_SOFT_TISSUE,
        "pleural effusion": LesionType.EFFUSION,
        "pericardial effusion": LesionType.EFFUSION,
    },
    YesNo: {
        "y": YesNo.YES,
        "true": YesNo.YES,
        "1": YesNo.YES,
        "n": YesNo.NO,
        "false": YesNo.NO,
        "0": YesNo.NO,
    },
    VisitNewLesions: {
        "no": VisitNewLesions.NONE,
        "n": VisitNewLesions.NONE,
        "yes": VisitNewLesions.UNEQUIVOCAL,
        "y": VisitNewLesions.UNEQUIVOCAL,
        "ne": VisitNewLesions.NOT_EVALUABLE,
    },
}


def folded(text: str) -> str:
    """Return a text in lower case with single blanks for everything that is no letter or figure."""
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


def members_by_text(kind: type[E]) -> dict[str, E]:
    """Return the folded texts that mean each member of an enum (not the blank and the found-only ones)."""
    members = {folded(member.name): member for member in kind if not (kind is State and member >= State.MISSING)}
    for blank in ("blank",) if kind is not Role else ("none",):
        members.pop(blank, None)
    members.update({text: kind(member) for text, member in _SYNONYMS.get(kind, {}).items()})
    return members


def text_of(member: IntEnum) -> str:
    """Return how a member is written in files; the blank member is the empty text."""
    return "" if member == 0 else member.name.lower()


# --- Organs: paired organs and all nodal stations count as one organ each (RECIST 1.1, EORTC paired-organs FAQ).

LYMPH_NODE: Final = "lymph node"

_LATERALITY: Final = frozenset(
    "left right bilateral both l r upper middle lower lobe lobes segment side superior inferior".split()
)
_ORGAN_WORDS: Final[Mapping[str, str]] = {
    "lung": "lung",
    "lungs": "lung",
    "pulmonary": "lung",
    "liver": "liver",
    "hepatic": "liver",
    "kidney": "kidney",
    "kidneys": "kidney",
    "renal": "kidney",
    "adrenal": "adrenal gland",
    "adrenals": "adrenal gland",
    "ovary": "ovary",
    "ovaries": "ovary",
    "breast": "breast",
    "breasts": "breast",
    "brain": "brain",
    "spleen": "spleen",
    "pleura": "pleura",
    "pleural": "pleura",
    "bone": "bone",
    "bones": "bone",
    "pancreas": "pancreas",
    "peritoneum": "peritoneum",
    "peritoneal": "peritoneum",
}
_NODE: Final = re.compile(r"\blymph(atic)? ?(node|gland)s?\b|\b(ln|lns)\b|\blymphadenopathy\b|\bnodal\b|^nodes?$")
_NODAL_STATION: Final = re.compile(
    r"\b(axillary|inguinal|mediastinal|hilar|cervical|supraclavicular|infraclavicular|retroperitoneal|paraaortic|"
    r"para aortic|mesenteric|iliac|subcarinal|paratracheal|portacaval|porta hepatis|pelvic|celiac) (node|nodes)\b"
)


def is_nodal_site(site: str) -> bool:
    """Return whether a free-text site names a lymph node, by whole words ("lymphangitic" and "nodule" do not)."""
    words = folded(site)
    return bool(_NODE.search(words) or _NODAL_STATION.search(words))


def organ_of(site: str) -> str:
    """Return the organ that a site counts as: all nodes are one organ, left and right are one organ."""
    words = folded(site)
    if is_nodal_site(words):
        return LYMPH_NODE
    for word in words.split():
        if word in _ORGAN_WORDS:
            return _ORGAN_WORDS[word]
    return " ".join(word for word in words.split() if word not in _LATERALITY) or words


# --- Response categories.

CR: Final = "CR"
PR: Final = "PR"
SD: Final = "SD"
PD: Final = "PD"
NE: Final = "NE"
NA: Final = "NA"
NED: Final = "NED"
NON_CR_NON_PD: Final = "Non-CR/Non-PD"
MISSING: Final = "MISSING"
NOT_DONE: Final = "ND"
UNCONFIRMED_PD: Final = "unconfirmed PD"

ICR: Final = "iCR"
IPR: Final = "iPR"
ISD: Final = "iSD"
IUPD: Final = "iUPD"
ICPD: Final = "iCPD"
NON_ICR_NON_IUPD: Final = "non-iCR/non-iUPD"

NO_CHANGE: Final = "NC"  # stable disease in the words of WHO
IRCR: Final = "irCR"
IRPR: Final = "irPR"
IRSD: Final = "irSD"
IRPD: Final = "irPD"
UNCONFIRMED_IRPD: Final = "unconfirmed irPD"

CMR: Final = "CMR"
PMR: Final = "PMR"
SMD: Final = "SMD"
PMD: Final = "PMD"

PDU: Final = "PDu"  # progression of bone that a later scan has to confirm (PCWG3)
NON_PD: Final = "Non-PD"  # of bone alone

NCIT_RESPONSE: Final[Mapping[str, str]] = {CR: "C4870", PR: "C18058", SD: "C18213", PD: "C35571", NE: "C62222"}
# OMOP Cancer Modifier has codes of its own for iRECIST; its PD is the confirmed one, and it has none for iUPD.
OMOP_RESPONSE: Final[Mapping[str, str]] = {ICR: "1633954", IPR: "1635284", ISD: "1635887", ICPD: "1633423"}
# CDISC submission values that differ from our words (codelist of oncology response results).
CDISC_RESPONSE: Final[Mapping[str, str]] = {NON_CR_NON_PD: "NON-CR/NON-PD", NON_ICR_NON_IUPD: "NON-iCR/NON-iUPD"}
NCIT_CRITERION: Final[Mapping[str, str]] = {"recist-1.1": "C49164", "choi": "C122394", "percist": "C126039"}

_RESPONSE_TEXTS: Final[Mapping[str, str]] = {
    "cr": CR,
    "complete response": CR,
    "pr": PR,
    "partial response": PR,
    "sd": SD,
    "stable disease": SD,
    "pd": PD,
    "progressive disease": PD,
    "progression": PD,
    "ne": NE,
    "not evaluable": NE,
    "inevaluable": NE,
    "unevaluable": NE,
    "not all evaluated": NE,
    "nd": NOT_DONE,
    "not done": NOT_DONE,
    "na": NA,
    "n a": NA,
    "not applicable": NA,
    "ned": NED,
    "no evidence of disease": NED,
    "non cr non pd": NON_CR_NON_PD,
    "noncr nonpd": NON_CR_NON_PD,
    "incomplete response stable disease": NON_CR_NON_PD,
    "ir sd": NON_CR_NON_PD,
    "missing": MISSING,
    "unconfirmed pd": UNCONFIRMED_PD,
    "nc": NO_CHANGE,
    "no change": NO_CHANGE,
    "ircr": IRCR,
    "irpr": IRPR,
    "irsd": IRSD,
    "irpd": IRPD,
    "unconfirmed irpd": UNCONFIRMED_IRPD,
    "cmr": CMR,
    "complete metabolic response": CMR,
    "pmr": PMR,
    "partial metabolic response": PMR,
    "smd": SMD,
    "stable metabolic disease": SMD,
    "pmd": PMD,
    "progressive metabolic disease": PMD,
    "pdu": PDU,
    "icr": ICR,
    "immune complete response": ICR,
    "ipr": IPR,
    "immune partial response": IPR,
    "isd": ISD,
    "immune stable disease": ISD,
    "iupd": IUPD,
    "immune unconfirmed progressive disease": IUPD,
    "icpd": ICPD,
    "immune confirmed progressive disease": ICPD,
    "non icr non iupd": NON_ICR_NON_IUPD,
    "nonicr noniupd": NON_ICR_NON_IUPD,
}


def response_of(text: str) -> str | None:
    """Return the response category that a collected text names (whole text, never a part), or None."""
    return _RESPONSE_TEXTS.get(folded(text))


class Response(IntEnum):
    """Response categories as small integers, for arrays; see `RESPONSE_NAMES` for their texts."""

    BLANK = 0
    CR = 1
    PR = 2
    SD = 3
    NON_CR_NON_PD = 4
    NED = 5
    PD = 6
    UNCONFIRMED_PD = 7  # progression that a later assessment has to confirm; no response of RECIST 1.1
    NE = 8
    ND = 9
    NA = 10


RESPONSE_NAMES: Final[Mapping[Response, str]] = {
    Response.BLANK: "",
    Response.CR: CR,
    Response.PR: PR,
    Response.SD: SD,
    Response.NON_CR_NON_PD: NON_CR_NON_PD,
    Response.NED: NED,
    Response.PD: PD,
    Response.UNCONFIRMED_PD: UNCONFIRMED_PD,
    Response.NE: NE,
    Response.ND: NOT_DONE,
    Response.NA: NA,
}
RESPONSE_BY_NAME: Final[Mapping[str, Response]] = {name: code for code, name in RESPONSE_NAMES.items()}

# What the words of iRECIST mean (Seymour et al., Lancet Oncol 2017;18:e143-e152): those of RECIST 1.1 with an "i", but
# for progression, which is PD only when it is confirmed.
IRECIST_WORDS: Final[Mapping[Response, str]] = {
    Response.CR: ICR,
    Response.PR: IPR,
    Response.SD: ISD,
    Response.NON_CR_NON_PD: NON_ICR_NON_IUPD,
    Response.UNCONFIRMED_PD: IUPD,
    Response.PD: ICPD,
}


METABOLIC_WORDS: Final[Mapping[Response, str]] = {  # FDG-PET: EORTC 1999, PERCIST 2009
    Response.CR: CMR,
    Response.PR: PMR,
    Response.SD: SMD,
    Response.PD: PMD,
}
PCWG3_WORDS: Final[Mapping[Response, str]] = {Response.UNCONFIRMED_PD: PDU}

# WHO 1981 calls stable disease no change; irRC (Wolchok et al., Clin Cancer Res 2009;15:7412-7420) has an "ir" before
# each response, and a progression that a second assessment has to confirm.
WHO_WORDS: Final[Mapping[Response, str]] = {Response.SD: NO_CHANGE}
IRRC_WORDS: Final[Mapping[Response, str]] = {
    Response.CR: IRCR,
    Response.PR: IRPR,
    Response.SD: IRSD,
    Response.PD: IRPD,
    Response.UNCONFIRMED_PD: UNCONFIRMED_IRPD,
}


def response_code(text: str, words: Mapping[Response, str] = RESPONSE_NAMES) -> Response | None:
    """Return what a collected text means in the words of a criterion: blank for "missing", None where it is none."""
    name = response_of(text)
    if name == MISSING:
        return Response.BLANK
    return next((code for code, word in words.items() if name is not None and word == name), None)


def collected_words(words: Mapping[Response, str]) -> list[str]:
    """Return the words that a collected response may have: RECIST 1.1 has none for a progression not yet confirmed."""
    return [word for word in words.values() if word not in ("", UNCONFIRMED_PD)]
