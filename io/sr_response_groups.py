"""The response by one criterion as a measurement group without a region (PS3.16, TID 1501).

Its Finding is Response Evaluation (112020, DCM), its method the criterion (CID 6147). Target and non-target response
are Current Response (112048, DCM) with the codes of CID 6144, the overall response, for which DICOM has no code, is one
of NCIt. Sums are numbers, rule, clause and reason texts, with codes of our own that are named as the columns of
`timepoints.csv`; the reason is the Conclusion (121077, DCM).
"""

from collections.abc import Mapping
from typing import Final

from highdicom.sr import (
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    TrackingIdentifier,
)
from pydicom.sr.coding import Code

from response.io.sr_concepts import (
    CONCLUSION,
    CURRENT_RESPONSE,
    HU,
    MEASUREMENT_OF_RESPONSE,
    MM,
    MM2,
    MM3,
    NO_UNITS,
    PERCENT,
    RESPONSE_EVALUATION,
    TOTAL,
    local_code,
    response_code,
)
from response.io.sr_lesion_groups import GroupContext, add_texts, mend_method

_LESION_QUESTIONS: Final = ("target", "non_target")
_QUESTIONS: Final = (*_LESION_QUESTIONS, "new_lesion", "overall")
_ADJUDICATED: Final = "overall_adjudicated"
_CHANGE: Final = "change_from_baseline_percent"
_OF_THE_REPORT: Final = ("subject", "site", "evaluator", "accepted", "timepoint", "date", "criterion", "study_day")
_UNITS: Final[Mapping[str, Code]] = {"_mm": MM, "_percent": PERCENT, "_hu": HU}
_MEANINGS: Final[Mapping[str, str]] = {
    "sum_mm": "Sum of diameters",
    "baseline_mm": "Sum of diameters at baseline",
    "nadir_mm": "Sum of diameters at nadir",
    "overall": "Overall response",
    "new_lesion": "New lesion",
    _ADJUDICATED: "Overall response, as later timepoints revise it",
}
_SUMS: Final = ("sum_mm", "baseline_mm", "nadir_mm")


def response_group(
    criterion: Code,
    row: Mapping[str, str],
    numbers: Mapping[str, str],
    tracking: tuple[str, str],
    context: GroupContext,
) -> MeasurementsAndQualitativeEvaluations:
    """Return the measurement group of one criterion.

    Parameters
    ----------
    criterion
        Its code.
    row
        Of `timepoints.csv`, without blanks.
    numbers
        The unit of each column that the criteria add to the table; one that is not mm, mm2, mm3, HU or % has no code.
    tracking
        Identifier and UID.
    context
        Of the report.
    """
    measured = [column for column in row if _unit(column, numbers) is not None]
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=tracking[1], identifier=tracking[0]),
        time_point_context=context.time_point,
        finding_type=RESPONSE_EVALUATION,
        method=criterion,
        measurements=[_number(column, row[column], numbers, criterion, context) for column in measured],
        qualitative_evaluations=_answers(row),
    )
    said = (*_OF_THE_REPORT, *_QUESTIONS, _ADJUDICATED, *measured)
    texts = {column: text for column, text in row.items() if column not in said}
    add_texts(group, {CONCLUSION if column == "reason" else local_code(column): text for column, text in texts.items()})
    mend_method(group)
    return group


def _unit(column: str, numbers: Mapping[str, str]) -> Code | None:
    if column in numbers:
        return {"mm": MM, "mm2": MM2, "mm3": MM3, "HU": HU, "%": PERCENT}.get(numbers[column], NO_UNITS)
    return next((unit for suffix, unit in _UNITS.items() if column.endswith(suffix)), None)


def _number(column: str, text: str, numbers: Mapping[str, str], criterion: Code, context: GroupContext) -> Measurement:
    unit = _unit(column, numbers)
    assert unit is not None
    named = MEASUREMENT_OF_RESPONSE if column == _CHANGE else local_code(column, _MEANINGS.get(column, ""))
    return Measurement(
        name=named,
        value=float(text) if "." in text else int(text),
        unit=unit,
        derivation=TOTAL if column in _SUMS and not context.ohif else None,
        method=criterion if context.ohif else None,  # OHIF wants one child
    )


def _answers(row: Mapping[str, str]) -> list[QualitativeEvaluation]:
    found = []
    for question in _QUESTIONS:
        if question in row:
            lesion = question in _LESION_QUESTIONS
            name = CURRENT_RESPONSE if lesion else local_code(question, _MEANINGS[question])
            found.append(QualitativeEvaluation(name, response_code(question, row[question])))
    revised = row.get(_ADJUDICATED, "")
    if revised and revised != row.get("overall"):
        name = local_code(_ADJUDICATED, _MEANINGS[_ADJUDICATED])
        found.append(QualitativeEvaluation(name, response_code("overall", revised)))
    return found
