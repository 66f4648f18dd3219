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


PROGRESSIVE_NODULES: Final = (Nodule.NEW, Nodule.GROWING)  # PD by Choi et al. 2007, table 2


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
        "no change": Ancillary.STABLE,
        "more": Ancillary.INCREASED,
        "less": Ancillary.DECREASED,
        "reduced": Ancillary.DECREASED,
        "gone": Ancillary.ABSENT,
        "disappeared": Ancillary.ABSENT,
        "resolved": Ancillary.ABSENT,
        "appeared": Ancillary.NEW,
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


# --- Sites of disease that has no extent to measure (RECIST 1.1, section 3.1.2), by whole words.

_NEVER_MEASURABLE_WORDS: Final[Mapping[LesionType, str]] = {
    LesionType.LEPTOMENINGEAL: r"leptomening\w*|mening(?:eal|eosis) carcinomat\w*|carcinomatous meningitis",
    LesionType.LYMPHANGITIC: r"lymphangi(?:tic|tis|osis)",
    LesionType.ASCITES: r"ascites",
    LesionType.EFFUSION: r"(?:pleural |pericardial )?effusions?|(?:pleural|pericardial) fluid",
    LesionType.INFLAMMATORY_BREAST: r"inflammatory (?:breast|mamma\w*)",
    LesionType.ORGANOMEGALY: r"(?:organo|hepato|spleno|hepatospleno)megaly",
}
_NEVER_MEASURABLE: Final = {kind: re.compile(rf"\b(?:{words})\b") for kind, words in _NEVER_MEASURABLE_WORDS.items()}
# One of these up to two words before: it is not there, or it is beside what is meant.
_BESIDE: Final = frozenset("no without with near beside to above below behind around".split())
_BLASTIC: Final = re.compile(r"\b(?:osteo)?(?:blastic|sclerotic)\b")
_TELLING: Final = re.compile("|".join([*_NEVER_MEASURABLE_WORDS.values(), "blastic|sclerotic"]))
_LYTIC: Final = re.compile(r"\b(?:osteo)?lytic\b|\bmixed\b|\bsoft tissue\b")  # of these a part may be measurable
_BONE: Final = re.compile(r"\b(?:bones?|osseous|skeletal|vertebra\w*|spine|ribs?|sternum|sacrum|femur)\b")


def may_tell_kind(text: str) -> bool:
    """Return whether a text has a word of a kind that is never measurable; `never_measurable_kind` looks closer."""
    return _TELLING.search(folded(text)) is not None


def never_measurable_kind(site: str) -> LesionType:
    """Return the kind of lesion that is never measurable of which the words of a site tell, blank where of none.

    "ascites" tells of one; "no ascites" and "nodule next to ascites" do not. Blastic needs a word of bone beside it.
    """
    words = folded(site)
    for kind, pattern in _NEVER_MEASURABLE.items():
        if any(_BESIDE.isdisjoint(words[: found.start()].split()[-2:]) for found in pattern.finditer(words)):
            return kind
    blastic = _BLASTIC.search(words) and _BONE.search(words) and not _LYTIC.search(words)
    return LesionType.BLASTIC if blastic else LesionType.BLANK


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
UPMD: Final = "UPMD"  # progression that a later PET has to confirm (iPERCIST)
CPMD: Final = "CPMD"

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
    "upmd": UPMD,
    "unconfirmed progressive metabolic disease": UPMD,
    "cpmd": CPMD,
    "confirmed progressive metabolic disease": CPMD,
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


# --- Codes of DICOM content (PS3.16), written `value^scheme`. SRT is the older spelling of SCT; both occur in files.


def coded(value: str, scheme: str) -> str:
    """Return a code as `value^SCHEME`, as the tables below are keyed; older names of the SNOMED scheme are SRT."""
    name = scheme.strip().upper()
    return f"{value.strip()}^{'SRT' if name in ('SNM3', '99SDM') else name}"


ROLE_CODES: Final[Mapping[str, Role]] = {  # CID 6145
    "112074^DCM": Role.TARGET,
    "112075^DCM": Role.NON_TARGET,
    "112076^DCM": Role.NEW,  # non-lesion at baseline
}

LESION_RESPONSE_CODES: Final[Mapping[str, tuple[Role, str]]] = {  # CID 6143 and 6144
    "112041^DCM": (Role.TARGET, CR),
    "112042^DCM": (Role.TARGET, PR),
    "112043^DCM": (Role.TARGET, PD),
    "112044^DCM": (Role.TARGET, SD),
    "112045^DCM": (Role.NON_TARGET, CR),
    "112046^DCM": (Role.NON_TARGET, NON_CR_NON_PD),
    "112047^DCM": (Role.NON_TARGET, PD),
}

QUANTITY_CODES: Final[Mapping[str, str]] = {  # concept names of measurements: CID 7469-7472, 7464, 6141
    "103339001^SCT": "long_axis",
    "G-A185^SRT": "long_axis",
    "103340004^SCT": "short_axis",
    "G-A186^SRT": "short_axis",
    "131189007^SCT": "perpendicular_axis",
    "G-A195^SRT": "perpendicular_axis",
    "81827009^SCT": "diameter",
    "M-02550^SRT": "diameter",
    "410668003^SCT": "length",
    "G-D7FE^SRT": "length",
    "42798000^SCT": "area",
    "G-A166^SRT": "area",
    "131184002^SCT": "area",
    "G-A16A^SRT": "area",
    "99EPADA4^99EPAD": "area",
    "118565006^SCT": "volume",
    "G-D705^SRT": "volume",
    "RID28668^RADLEX": "volume",
    "viable_mm^99TUMRESP": "viable",
    "121216^DCM": "estimated_volume",  # from one, two, or three and more regions; not of a box or sphere around it
    "121217^DCM": "estimated_volume",
    "121218^DCM": "estimated_volume",
    "RNU0^IBSI": "estimated_volume",  # of the mesh; YEKZ counts voxels
    "YEKZ^IBSI": "estimated_volume",
    "112031^DCM": "attenuation",  # which statistic, its modifier says
    "112181^DCM": "mean",
    "112183^DCM": "sd",
    "112179^DCM": "min",
    "112180^DCM": "max",
    "112182^DCM": "median",
    "Q4LE^IBSI": "mean",
    "X6K6^IBSI": "mean",
    "84IY^IBSI": "max",
    "1GSF^IBSI": "min",
    "Y12H^IBSI": "median",
}

STATISTIC_CODES: Final[Mapping[str, str]] = {  # CID 7464: derivation of a measurement, or its concept name
    "373098007^SCT": "mean",
    "R-00317^SRT": "mean",
    "386136009^SCT": "sd",
    "R-10047^SRT": "sd",
    "255605001^SCT": "min",
    "R-404FB^SRT": "min",
    "56851009^SCT": "max",
    "G-A437^SRT": "max",
    "373099004^SCT": "median",
    "R-00319^SRT": "median",
}

LATERALITY_CODES: Final[Mapping[str, str]] = {  # CID 244
    "7771000^SCT": "left",
    "G-A101^SRT": "left",
    "24028007^SCT": "right",
    "G-A100^SRT": "right",
    "51440002^SCT": "bilateral",
    "G-A102^SRT": "bilateral",
    "66459002^SCT": "unilateral",
    "G-A103^SRT": "unilateral",
}

_SRT_LYMPH_NODES: Final = "T-C4"  # all SRT codes that begin so are lymph nodes, and no others are
_ORGAN_SCT_SRT: Final[Mapping[str, str]] = {
    "brain": "12738006 T-A0100",
    "lung": "39607008 T-28000 3341006 T-28100 44029006 T-28500 45653009 T-28820 90572001 T-28830 72481006 T-28300",
    "pleura": "3120008 T-29000 44788007 T-29100 53727004 T-29200",
    "mediastinum": "72410000 T-D3300",
    "liver": "10200004 T-62000",
    "spleen": "78961009 T-C3000",
    "pancreas": "15776009 T-65000",
    "kidney": "64033007 T-71000 9846003 T-71010 18639004 T-71020",
    "adrenal gland": "23451007 T-B3000 29392005 T-B3010 38617004 T-B3020",
    "stomach": "69695003 T-57000",
    "colon": "71854001 T-59300",
    "rectum": "34402009 T-59600",
    "esophagus": "32849002 T-56000",
    "peritoneum": "15425007 T-D4400 27398004 T-D4600",
    "retroperitoneum": "82849001 T-D4900",
    "bladder": "89837001 T-74000",
    "prostate": "41216001 T-92000",
    "uterus": "35039007 T-83000",
    "ovary": "15497006 T-87000",
    "breast": "76752008 T-04000 80248007 T-04030 73056007 T-04020",
    "thyroid": "69748006 T-B6000",
    "bone": "272673000 T-D016E 3138006 113197003 T-11300 51282000 T-11510",
    "skin": "39937001 T-01000",
    LYMPH_NODE: "59441001 818991007 35783009 68171009 47985009 81105003 65349008 61492009 53074004 84219008 8928004 "
    "8334002 62683002 36086000 65690001 54268001 91394001 280824006 28330007 113340006 76838003 245341003 47109002 "
    "279795009 312501005 110550009 127927006 127925003 196662004 90606007",
}
_ORGAN_OF_CODE: Final[Mapping[str, str]] = {
    f"{value}^{'SRT' if value.startswith('T-') else 'SCT'}": organ
    for organ, values in _ORGAN_SCT_SRT.items()
    for value in values.split()
}
_ORGANS: Final = frozenset({*_ORGAN_WORDS.values(), *_ORGAN_SCT_SRT})


def organ_of_code(code: str) -> str:
    """Return the organ that a coded site (`value^SCHEME`) counts as; empty where the code is not known here."""
    value, _, scheme = code.partition("^")
    key = coded(value, scheme)
    nodal = key.startswith(_SRT_LYMPH_NODES) and key.endswith("^SRT")
    return LYMPH_NODE if nodal else _ORGAN_OF_CODE.get(key, "")


def organ_code(organ: str) -> str:
    """Return the SCT code of an organ as `organ_of` names it; empty where there is none here."""
    values = _ORGAN_SCT_SRT.get(organ, "").split()
    return f"{values[0]}^SCT" if values else ""


# --- Codes that we write where DICOM has none (PS3.16, 8.2: private schemes begin with 99).

LOCAL_SCHEME: Final = "99TUMRESP"

CRITERION_CODES: Final[Mapping[str, str]] = {  # CID 6147, extended; a criterion that is not here has a local code
    "recist-1.1": "126081^DCM",
    "choi": f"{NCIT_CRITERION['choi']}^NCIt",
}
STATE_CODES: Final[Mapping[State, str]] = {  # CID 240 and 6118, NCIt; other states have local codes
    State.ABSENT: "272519000^SCT",
    State.PRESENT: "52101004^SCT",
    State.TOO_SMALL: "112133^DCM",
    State.NOT_EVALUABLE: f"{NCIT_RESPONSE[NE]}^NCIt",
}


def known_organ(site: str, code: str = "") -> str:
    """Return the organ of a site, by its code or else its words; empty where neither is known here."""
    words = organ_of(site)
    return organ_of_code(code) or (words if words in _ORGANS else "")


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
IPERCIST_WORDS: Final[Mapping[Response, str]] = {  # iPERCIST 2019: progression is confirmed by a second PET
    **METABOLIC_WORDS,
    Response.UNCONFIRMED_PD: UPMD,
    Response.PD: CPMD,
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
