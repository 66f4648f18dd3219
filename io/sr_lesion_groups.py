"""One lesion as a measurement group of a report (PS3.16, TID 1501): identity, site, role, axes with their end points.

What has a code of a standard is written with it; the other columns of the row follow as texts with a code of our own,
named as the column, so that nothing of the row is lost.

`axes="ohif"` writes the same in the spelling that the OHIF viewer needs to show and to edit the diameters. Looked at:
its extension `cornerstone-dicom-sr` from 2023 to 2026, `@cornerstonejs/adapters` from 2022 to 2026 (2.0.0-beta.21 among
them) and dcmjs (0.29.8 and later).

* Meanings "Long Axis" and "Short Axis": the adapters match them by their text.
* Tracking Identifier `Cornerstone3DTools@^0.1.0:Bidirectional`, or `:Length` where one axis alone has end points: it
  names the tool. The lesion's id stands in a Comment (121106, DCM), the label of later adapters, and as the meaning of
  the Finding, which earlier ones show.
* The first NUM of the group is an axis with its SCOORD, and every NUM has one child: without it nothing of the report
  is shown before OHIF's pull request 5703 of January 2026. A quantity that has no end points of its own refers to an
  axis as its approximate location, so what was derived stands in its name (CID 6141) and not in a modifier.
* No NUM in the time point context, for the same reason.
* An Image Library (see `sr_documents`): the images are looked up in it.
* Adapters before 2025 know pixel coordinates only, so the images should be at hand when the report is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from highdicom.sr import (
    CoordinatesForMeasurement,
    CoordinatesForMeasurement3D,
    FindingSite,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TextContentItem,
    TimePointContext,
    TrackingIdentifier,
)
from pydicom.sr import codes
from pydicom.sr.coding import Code

from response.columns import COLUMNS
from response.io.sr_concepts import (
    APPROXIMATE_LOCATION,
    AREA,
    ATTENUATION,
    BASELINE_CATEGORY,
    COMMENT,
    HU,
    LESION,
    LONG_AXIS,
    MAXIMUM,
    MEAN,
    MEDIAN,
    MINIMUM,
    MM,
    MM2,
    MM3,
    SHORT_AXIS,
    SOURCE,
    STANDARD_DEVIATION,
    VOLUME,
    laterality_code,
    local_code,
    role_code,
    site_code,
    spelled,
    state_code,
)
from response.io.sr_evidence import AXES, ImageReference, LesionPlace
from response.io.sr_records import LesionRecord
from response.io.sr_uids import long_text
from response.vocabulary import folded

TOOL: Final = "Cornerstone3DTools@^0.1.0"  # cornerstone3D, packages/adapters/.../cornerstone3DTag
_LONG, _SHORT, _ONE = "longest_mm", "short_mm", "diameter_mm"


@dataclass(frozen=True)
class _Quantity:
    name: Code
    unit: Code
    derivation: Code | None = None
    ohif: Code | None = None  # name that needs no derivation


_QUANTITIES: Final[Mapping[str, _Quantity]] = {  # the axes first
    _LONG: _Quantity(LONG_AXIS, MM, ohif=spelled(LONG_AXIS, "Long Axis")),
    _SHORT: _Quantity(SHORT_AXIS, MM, ohif=spelled(SHORT_AXIS, "Short Axis")),
    "viable_mm": _Quantity(local_code("viable_mm", "Longest enhancing diameter"), MM),
    "area_mm2": _Quantity(AREA, MM2),
    "volume_mm3": _Quantity(VOLUME, MM3),
    "attenuation_hu": _Quantity(ATTENUATION, HU, MEAN, codes.DCM.MeanAttenuationCoefficient),
    "attenuation_sd_hu": _Quantity(
        ATTENUATION, HU, STANDARD_DEVIATION, codes.DCM.StandardDeviationOfAttenuationCoefficient
    ),
    "attenuation_median_hu": _Quantity(ATTENUATION, HU, MEDIAN, codes.DCM.MedianAttenuationCoefficient),
    "attenuation_min_hu": _Quantity(ATTENUATION, HU, MINIMUM, codes.DCM.MinimumAttenuationCoefficient),
    "attenuation_max_hu": _Quantity(ATTENUATION, HU, MAXIMUM, codes.DCM.MaximumAttenuationCoefficient),
}
_REFERENCES: Final = (
    *("sop_instance_uid", "sop_class_uid", "frame_number", "series_instance_uid", "study_instance_uid"),
)


@dataclass(frozen=True, kw_only=True)
class GroupContext:
    """What the groups of one report share.

    Attributes
    ----------
    time_point
        TID 1502.
    evaluator
        Of the series; the person observer is no more than a name.
    method
        RECIST 1.1, or the first criterion there is (CID 6147).
    study_date
        ISO date that the document says itself.
    ohif
        Whether to write as OHIF needs it.
    """

    time_point: TimePointContext
    evaluator: str
    study_date: str
    method: Code
    ohif: bool


def lesion_group(
    lesion: LesionRecord, place: LesionPlace, tracking: tuple[str, str], context: GroupContext
) -> MeasurementsAndQualitativeEvaluations:
    """Return the measurement group of a lesion.

    Parameters
    ----------
    lesion
        What to write.
    place
        Where it was measured.
    tracking
        Identifier and UID.
    context
        Of the report.
    """
    return _LesionGroup(lesion, place, context).made(tracking)


class _LesionGroup:
    def __init__(self, lesion: LesionRecord, place: LesionPlace, context: GroupContext) -> None:
        self.place, self.context = place, context
        self.lesion, self.cells = lesion, _with_axes(lesion)
        self.tool = self._tool()

    def made(self, tracking: tuple[str, str]) -> MeasurementsAndQualitativeEvaluations:
        identifier, uid = tracking
        group = MeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(uid, f"{TOOL}:{self.tool}" if self.tool else long_text(identifier)),
            time_point_context=self.context.time_point,
            finding_type=local_code(identifier, identifier) if self.tool else LESION,
            method=self.context.method,
            finding_sites=self._sites(),
            measurements=self._measurements(),
            qualitative_evaluations=self._evaluations(),
            source_images=self._source_images(),
        )
        texts = {COMMENT: identifier} if self.tool else {}
        texts |= {local_code(column): text for column, text in self._other_cells().items()}
        add_texts(group, texts)
        mend_method(group)
        return group

    # --- axes and other quantities

    def _tool(self) -> str:
        """Return the tool of OHIF that can show the lesion, empty where none can or nobody asked for it."""
        if not self.context.ohif or not self.place.points:
            return ""
        return "Bidirectional" if len(self.place.points) == len(AXES) else "Length"

    def _measurements(self) -> list[Measurement]:
        found = {column: value for column in _QUANTITIES if (value := _number(self.cells.get(column, ""))) is not None}
        return [self._measurement(column, found[column]) for column in sorted(found, key=self._rank)]

    def _rank(self, column: str) -> tuple[bool, int]:
        return column not in self.place.points, list(_QUANTITIES).index(column)

    def _measurement(self, column: str, value: float) -> Measurement:
        quantity, coordinates = _QUANTITIES[column], self._coordinates(column)
        if not self.context.ohif:
            return Measurement(
                name=quantity.name,
                value=value,
                unit=quantity.unit,
                derivation=quantity.derivation,
                referenced_coordinates=coordinates or None,
            )
        return Measurement(
            name=quantity.ohif or quantity.name,
            value=value,
            unit=quantity.unit,
            method=None if coordinates else self.context.method,
            referenced_coordinates=coordinates or None,
        )

    def _coordinates(self, column: str) -> list[CoordinatesForMeasurement | CoordinatesForMeasurement3D]:
        points, purpose = self.place.points.get(column), SOURCE
        if points is None and self.tool:
            points, purpose = next(iter(self.place.points.values())), APPROXIMATE_LOCATION
        if points is None:
            return []
        if self.place.is_on_image:
            assert self.place.image is not None
            image = SourceImageForRegion(**_reference(self.place.image))
            return [CoordinatesForMeasurement("POLYLINE", points, image, purpose=purpose)]
        frame_of_reference = self.place.frame_of_reference_uid
        return [CoordinatesForMeasurement3D("POLYLINE", points, frame_of_reference, purpose=purpose)]

    def _source_images(self) -> list[SourceImageForMeasurementGroup] | None:
        """Return the image of the group, where no coordinates name it."""
        if self.place.image is None or self.place.is_on_image:
            return None
        return [SourceImageForMeasurementGroup(**_reference(self.place.image))]

    # --- site, role and words

    def _sites(self) -> list[FindingSite] | None:
        organ, location = self.cells.get("organ", ""), self.cells.get("location", "")
        if not organ and not location:
            return None
        return [FindingSite(site_code(organ or location), laterality_code(organ, location))]

    def _evaluations(self) -> list[QualitativeEvaluation]:
        found = [QualitativeEvaluation(BASELINE_CATEGORY, role_code(self.lesion.role))] if self.lesion.role else []
        for column, text in self.cells.items():
            if _is_word(column):
                value = state_code(text) if column == "state" else local_code(text)
                found.append(QualitativeEvaluation(local_code(column), value))
        return found

    def _other_cells(self) -> dict[str, str]:
        """Return the cells that nothing else of the group says."""
        said = {"tracking_uid", "tracking_id"}
        said |= {column for column in _QUANTITIES if _number(self.cells.get(column, "")) is not None}
        if self.place.image is not None:
            said |= {*_REFERENCES}
        if self.place.frame_of_reference_uid:
            said |= {"frame_of_reference_uid", *(end for length in self.place.points for end in AXES[length])}
        if self.cells.get("date") == self.context.study_date:
            said.add("date")
        organ = self.cells.get("organ", "")
        if organ and folded(site_code(organ).meaning) == folded(organ):
            said.add("organ")
        other = {column: text for column, text in self.cells.items() if column not in said and not _is_word(column)}
        return other | ({"evaluator": self.context.evaluator} if self.context.evaluator else {})


def mend_method(group: MeasurementsAndQualitativeEvaluations) -> None:
    """Make the method of a group modify its name (TID 1501, row 5), which highdicom writes as a part of it."""
    for item in group[0].ContentSequence:
        if item.name == codes.SCT.MeasurementMethod:
            item.RelationshipType = "HAS CONCEPT MOD"


def add_texts(group: MeasurementsAndQualitativeEvaluations, texts: Mapping[Code, str]) -> None:
    """Add texts to a group (TID 1501 allows them as qualitative evaluations, highdicom has no argument for them)."""
    for name, text in texts.items():
        group[0].ContentSequence.append(TextContentItem(name, long_text(text), relationship_type="CONTAINS"))


def _with_axes(lesion: LesionRecord) -> dict[str, str]:
    """Return the cells with the only diameter of a table as the axis that it is."""
    cells = dict(lesion.cells)
    axis = _SHORT if lesion.nodal else _LONG
    if _ONE in cells and axis not in cells:
        cells[axis] = cells.pop(_ONE)
    return cells


def _number(text: str) -> float | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _is_word(column: str) -> bool:
    return column in COLUMNS and COLUMNS[column].kind == "code"


def _reference(image: ImageReference) -> dict[str, Any]:
    frames: Sequence[int] | None = [image.frame] if image.frame else None
    return {
        "referenced_sop_class_uid": image.sop_class_uid,
        "referenced_sop_instance_uid": image.sop_instance_uid,
        "referenced_frame_numbers": frames,
    }


__all__ = ["TOOL", "GroupContext", "add_texts", "lesion_group", "mend_method"]
