"""Codes that reports are written with, as pydicom has them: `value^scheme` of the vocabulary with its meaning."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from pydicom.sr import codes
from pydicom.sr.coding import Code

from response.io.sr_uids import long_string
from response.vocabulary import (
    CR,
    CRITERION_CODES,
    LATERALITY_CODES,
    LESION_RESPONSE_CODES,
    LOCAL_SCHEME,
    NCIT_RESPONSE,
    NE,
    PD,
    PR,
    ROLE_CODES,
    SD,
    STATE_CODES,
    Role,
    State,
    folded,
    organ_code,
    organ_of,
    text_of,
)

_NCIT_MEANINGS: Final[Mapping[str, str]] = {  # NCIt is no part of the DICOM dictionaries
    **{
        NCIT_RESPONSE[category]: meaning
        for category, meaning in (
            (CR, "Complete Response"),
            (PR, "Partial Response"),
            (SD, "Stable Disease"),
            (PD, "Progressive Disease"),
            (NE, "Not Evaluable"),
        )
    },
    "C122394": "Choi Response Criteria",
}
_CODE_OF_ROLE: Final = {role: code for code, role in ROLE_CODES.items()}
_CODE_OF_RESPONSE: Final = {answer: code for code, answer in LESION_RESPONSE_CODES.items()}
_ROLE_OF_QUESTION: Final = {"target": Role.TARGET, "non_target": Role.NON_TARGET}

IMAGING_MEASUREMENT_REPORT: Final = codes.DCM.ImagingMeasurementReport
RESPONSE_EVALUATION: Final = codes.DCM.ResponseEvaluation
CURRENT_RESPONSE: Final = codes.DCM.CurrentResponse
MEASUREMENT_OF_RESPONSE: Final = codes.DCM.MeasurementOfResponse
CONCLUSION: Final = codes.DCM.Conclusion
COMMENT: Final = codes.DCM.Comment
BASELINE_CATEGORY: Final = codes.DCM.BaselineCategory
LESION: Final = codes.SCT.Lesion
BASELINE: Final = codes.cid6146.Baseline
UNSCHEDULED: Final = codes.cid6146.Unscheduled
BASELINE_EVENT: Final = codes.DCM.Baseline  # CID 280
APPROXIMATE_LOCATION: Final = codes.cid7551.ApproximateSpatialLocation
IMAGE_LIBRARY: Final = codes.DCM.ImageLibrary
IMAGE_LIBRARY_GROUP: Final = codes.DCM.ImageLibraryGroup
SOURCE: Final = Code("260753009", "SCT", "Source")
MODALITY: Final = codes.DCM.Modality

MM: Final = codes.UCUM.Millimeter
MM2: Final = codes.UCUM.SquareMillimeter
MM3: Final = codes.UCUM.CubicMillimeter
HU: Final = codes.UCUM.HounsfieldUnit
PERCENT: Final = codes.UCUM.Percent
NO_UNITS: Final = codes.UCUM.NoUnits
DAYS: Final = codes.UCUM.Day

LONG_AXIS: Final = codes.SCT.LongAxis
SHORT_AXIS: Final = codes.SCT.ShortAxis
AREA: Final = codes.SCT.Area
VOLUME: Final = codes.SCT.Volume
ATTENUATION: Final = codes.DCM.AttenuationCoefficient

MEAN: Final = codes.cid7464.Mean
STANDARD_DEVIATION: Final = codes.cid7464.StandardDeviation
MEDIAN: Final = codes.cid7464.Median
MINIMUM: Final = codes.cid7464.Minimum
MAXIMUM: Final = codes.cid7464.Maximum
TOTAL: Final = codes.cid7464.Total

_PROCEDURES: Final[Mapping[str, Code]] = {  # CID 100
    "CT": codes.cid100.CTUnspecifiedBodyRegion,
    "MR": codes.cid100.MRIUnspecifiedBodyRegion,
    "PT": codes.cid100.PETUnspecifiedBodyRegion,
}
_YES_NO: Final[Mapping[str, Code]] = {"Yes": codes.cid230.Yes, "No": codes.cid230.No}
_MODALITIES: Final[Mapping[str, Code]] = {  # CID 29
    "CT": codes.cid29.ComputedTomography,
    "MR": codes.cid29.MagneticResonance,
    "PT": codes.cid29.PositronEmissionTomography,
}


def local_code(value: str, meaning: str = "") -> Code:
    """Return a code of our own scheme; the meaning is the value with blanks, where none is given."""
    return Code(long_string(value), LOCAL_SCHEME, long_string(meaning or value.replace("_", " ")))


def known_code(text: str) -> Code:
    """Return the code that `value^scheme` names, with the meaning of the DICOM dictionaries."""
    value, _, scheme = text.partition("^")
    meaning = _meanings(scheme).get(value) or _NCIT_MEANINGS[value]
    return Code(value, scheme, meaning)


@cache
def _meanings(scheme: str) -> dict[str, str]:
    """Return the first meaning of each code of a scheme, that of the context groups and not of SNOMED itself."""
    from pydicom.sr._concepts_dict import concepts

    found: dict[str, str] = {}
    for spellings in concepts.get(scheme, {}).values():
        for value, (meaning, groups) in spellings.items():
            if groups or value not in found:
                found[value] = meaning
    return found


def role_code(role: Role) -> Code:
    """Return the code of a role (CID 6145); local where DICOM has none."""
    return known_code(_CODE_OF_ROLE[role]) if role in _CODE_OF_ROLE else local_code(text_of(role))


def state_code(text: str) -> Code:
    """Return the code of a state that is written as text; local where there is no other."""
    code = STATE_CODES.get(State[text.upper()])
    return known_code(code) if code else local_code(text)


def criterion_code(name: str, title: str) -> Code:
    """Return the code of a criterion (CID 6147, NCIt); local where there is none, as for Chun's."""
    return known_code(CRITERION_CODES[name]) if name in CRITERION_CODES else local_code(name, title)


def response_code(question: str, category: str) -> Code:
    """Return the code of an answer.

    Target and non-target response have codes of CID 6144, new lesions of CID 230, the overall response of NCIt; what
    these do not hold has a local code, which names its question: "target: NE" never reads as an overall NE.
    """
    answer = (_ROLE_OF_QUESTION.get(question, Role.NONE), category)
    if answer in _CODE_OF_RESPONSE:
        return known_code(_CODE_OF_RESPONSE[answer])
    if question == "new_lesion" and category in _YES_NO:
        return _YES_NO[category]
    if question == "overall" and category in NCIT_RESPONSE:
        return known_code(f"{NCIT_RESPONSE[category]}^NCIt")
    return local_code(f"{question}_{category}", f"{question.replace('_', ' ')}: {category}")


def site_code(organ: str) -> Code:
    """Return the code of an organ as a person wrote it: SCT where the vocabulary has one, else local."""
    name = organ_of(organ)
    value, _, scheme = organ_code(name).partition("^")
    return Code(value, scheme, name.capitalize()) if value else local_code(folded(organ) or organ, organ)


def laterality_code(*texts: str) -> Code | None:
    """Return the code of the side that some texts name by a whole word (CID 244), None where none or both do."""
    words = {word for text in texts for word in folded(text).split()}
    sides = [side for side in ("left", "right", "bilateral") if side in words]
    if len(sides) != 1:
        return None
    return next(known_code(code) for code, side in LATERALITY_CODES.items() if side == sides[0])


def procedure_code(modality: str) -> Code:
    """Return the code of the procedure that was reported (CID 100)."""
    return _PROCEDURES.get(modality, codes.cid100.ImagingProcedure)


def modality_code(modality: str) -> Code | None:
    """Return the code of a modality (CID 29), None where it is none of ours."""
    return _MODALITIES.get(modality)


def spelled(code: Code, meaning: str) -> Code:
    """Return a code with another spelling of its meaning."""
    return Code(code.value, code.scheme_designator, meaning)
