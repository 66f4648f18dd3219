"""Codes of the structure of measurement reports (PS3.16, TID 1500 and what it includes), as `value^SCHEME`.

Codes that mean our own words (roles, quantities, sides, organs) stand in `response.vocabulary`.
"""

from collections.abc import Mapping
from typing import Final

from response.vocabulary import Role

IMAGING_MEASUREMENTS: Final = frozenset({"126010^DCM"})
MEASUREMENT_GROUP: Final = frozenset({"125007^DCM"})
REPORT_TITLES: Final = frozenset({"126000^DCM", "126001^DCM", "126002^DCM", "126003^DCM"})  # CID 7021
IMAGE_LIBRARY: Final = frozenset({"111028^DCM"})

TRACKING_IDENTIFIER: Final = frozenset({"112039^DCM"})
TRACKING_UID: Final = frozenset({"112040^DCM"})
FINDING: Final = frozenset({"121071^DCM"})
FINDING_CATEGORY: Final = frozenset({"276214006^SCT", "R-427CE^SRT"})
FINDING_SITE: Final = frozenset({"363698007^SCT", "G-C0E3^SRT"})
LATERALITY: Final = frozenset({"272741003^SCT", "G-C171^SRT"})
DERIVATION: Final = frozenset({"121401^DCM"})
COMMENT: Final = frozenset({"121106^DCM"})

REFERENCED_SEGMENT: Final = frozenset({"121191^DCM", "121214^DCM"})  # a segment, or its frames
SOURCE_SERIES: Final = frozenset({"121232^DCM"})

# Observer context (TID 1001 to 1004), the algorithm (TID 4019), subject context (TID 1007)
PERSON_NAME: Final = frozenset({"121008^DCM"})
DEVICE_NAMES: Final = (frozenset({"121013^DCM"}), frozenset({"121015^DCM"}), frozenset({"121012^DCM"}))
ALGORITHM_NAME: Final = frozenset({"111001^DCM"})
SUBJECT_ID: Final = frozenset({"121030^DCM"})
PROCEDURE: Final = frozenset({"121058^DCM"})
STUDY_DATES: Final = frozenset({"111060^DCM", "126201^DCM"})  # of the study, of the acquisition (TID 1602)

# Time point context (TID 1502), best first: as the reader calls it, as the protocol does, as the subject's list does;
# then what ePAD writes.
TIME_POINTS: Final = (
    frozenset({"C2348792^UMLS"}),
    frozenset({"126071^DCM"}),
    frozenset({"126070^DCM"}),
    frozenset({"RDETBD2^RADELEMENT"}),
)

TIME_POINT_TYPE: Final = frozenset({"126072^DCM"})
BASELINE_TYPE: Final = "C1442488^UMLS"  # CID 6146

EPAD_ROLES: Final[Mapping[str, Role]] = {  # what ePAD codes; the codes of the standard stand in the vocabulary
    "S71^99EPAD": Role.TARGET,
    "S72^99EPAD": Role.NON_TARGET,
    "S73^99EPAD": Role.NEW,
}

# Values that hold a label which somebody typed, in the place of a finding or a site (OHIF, by way of dcmjs)
FREE_TEXT_VALUES: Final = frozenset({"CORNERSTONEFREETEXT", "CS3DTEXT"})

# Findings and categories of what is no lesion: anatomical structure, physical object, reference region
NO_LESION: Final = frozenset(
    {"91723000^SCT", "T-D0005^SRT", "123037004^SCT", "T-D000A^SRT", "260787004^SCT", "A-00004^SRT", "C94970^NCIT"}
)

# UCUM units: millimetres, square and cubic millimetres, or HU, per unit
LENGTH_UNITS: Final[Mapping[str, str]] = {"mm": "1", "cm": "10", "um": "0.001", "m": "1000", "dm": "100"}
AREA_UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("mm2", "mm²"), "1"),
    **dict.fromkeys(("cm2", "cm²"), "100"),
    "um2": "0.000001",
    "m2": "1000000",
}
VOLUME_UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("mm3", "mm³", "ul", "uL"), "1"),
    **dict.fromkeys(("cm3", "cm³", "ml", "mL"), "1000"),
    **dict.fromkeys(("dm3", "l", "L"), "1000000"),
}
HU_UNITS: Final[Mapping[str, str]] = dict.fromkeys(("[hnsf'U]", "[hnsf'u]", "[HNSF'U]", "HU", "{HU}"), "1")

QUALIFIERS: Final[Mapping[str, str]] = {  # CID 42
    "114000^DCM": "not a number",
    "114001^DCM": "negative infinity",
    "114002^DCM": "positive infinity",
    "114003^DCM": "divided by zero",
    "114004^DCM": "underflow",
    "114005^DCM": "overflow",
    "114006^DCM": "measurement failed",
    "114007^DCM": "measurement not attempted",
    "114008^DCM": "calculation failed",
    "114009^DCM": "value out of range",
    "114010^DCM": "value unknown",
    "114011^DCM": "value indeterminate",
}
