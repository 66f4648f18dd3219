"""DICOM SR documents made by hand, item by item, as different writers put them; the tests' own, not our writer's."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

Code: TypeAlias = tuple[str, ...]  # value, scheme, and the meaning, which may be left out

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
SEG_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"
COMPREHENSIVE_3D = "1.2.840.10008.5.1.4.1.1.88.34"
ENHANCED = "1.2.840.10008.5.1.4.1.1.88.22"

LONG: Code = ("103339001", "SCT", "Long Axis")
SHORT: Code = ("103340004", "SCT", "Short Axis")
LENGTH: Code = ("410668003", "SCT", "Length")
VOLUME: Code = ("118565006", "SCT", "Volume")
SITE: Code = ("363698007", "SCT", "Finding Site")
LATERALITY: Code = ("272741003", "SCT", "Laterality")
FINDING: Code = ("121071", "DCM", "Finding")
LIVER: Code = ("10200004", "SCT", "Liver")
LUNG: Code = ("39607008", "SCT", "Lung")
TARGET: Code = ("112074", "DCM", "Target Lesion at Baseline")
NON_TARGET: Code = ("112075", "DCM", "Non-Target Lesion at Baseline")
NOT_AT_BASELINE: Code = ("112076", "DCM", "Non-Lesion at Baseline")


def uid(name: str) -> str:
    """Return the same UID for the same name."""
    return str(generate_uid(entropy_srcs=[name]))


def code_item(code: Code) -> Dataset:
    item = Dataset()
    with warnings.catch_warnings():  # of values that are longer than their VR allows, as OHIF writes one
        warnings.simplefilter("ignore")
        item.CodeValue, item.CodingSchemeDesignator = code[:2]
    if len(code) > 2:
        item.CodeMeaning = code[2]
    return item


def item(value_type: str, concept: Code | None, relation: str = "CONTAINS", *children: Dataset) -> Dataset:
    """Return a content item; an empty value type leaves it out."""
    made = Dataset()
    made.RelationshipType = relation
    if value_type:
        made.ValueType = value_type
    if concept:
        made.ConceptNameCodeSequence = [code_item(concept)]
    if children:
        made.ContentSequence = list(children)
    return made


def container(concept: Code, *children: Dataset) -> Dataset:
    made = item("CONTAINER", concept, "CONTAINS", *children)
    made.ContinuityOfContent = "SEPARATE"
    return made


def text(concept: Code, value: str, relation: str = "HAS OBS CONTEXT") -> Dataset:
    made = item("TEXT", concept, relation)
    made.TextValue = value
    return made


def uidref(concept: Code, value: str) -> Dataset:
    made = item("UIDREF", concept, "HAS OBS CONTEXT")
    made.UID = value
    return made


def person(name: str) -> Dataset:
    made = item("PNAME", ("121008", "DCM", "Person Observer Name"), "HAS OBS CONTEXT")
    made.PersonName = name
    return made


def code(concept: Code, value: Code, *children: Dataset, relation: str = "CONTAINS") -> Dataset:
    made = item("CODE", concept, relation, *children)
    made.ConceptCodeSequence = [code_item(value)]
    return made


def num(
    concept: Code, value: str | None, unit: str | None = "mm", *children: Dataset, relation: str = "CONTAINS"
) -> Dataset:
    """Return a NUM item; without a value it has no measured value sequence, without a unit no unit."""
    made = item("NUM", concept, relation, *children)
    if value is not None:
        measured = Dataset()
        measured.NumericValue = value
        if unit is not None:
            measured.MeasurementUnitsCodeSequence = [code_item((unit, "UCUM", unit))]
        made.MeasuredValueSequence = [measured]
    return made


def image(name: str, *, concept: Code | None = None, frame: int = 0, segment: int = 0, seg: bool = False) -> Dataset:
    made = item("IMAGE", concept, "SELECTED FROM")
    reference = Dataset()
    reference.ReferencedSOPClassUID = SEG_CLASS if seg or segment else CT_CLASS
    reference.ReferencedSOPInstanceUID = uid(name)
    if frame:
        reference.ReferencedFrameNumber = frame
    if segment:
        reference.ReferencedSegmentNumber = segment
    made.ReferencedSOPSequence = [reference]
    return made


def scoord(points: Sequence[float], *children: Dataset, kind: str = "POLYLINE") -> Dataset:
    made = item("SCOORD", None, "INFERRED FROM", *children)
    made.GraphicType, made.GraphicData = kind, list(points)
    return made


def scoord3d(points: Sequence[float], *, kind: str = "POLYLINE") -> Dataset:
    made = item("SCOORD3D", None, "INFERRED FROM")
    made.GraphicType, made.GraphicData = kind, list(points)
    made.ReferencedFrameOfReferenceUID = uid("frame of reference")
    return made


def reference(*places: int, relation: str = "INFERRED FROM") -> Dataset:
    """Return an item that refers to another one by its place in the document."""
    made = Dataset()
    made.RelationshipType = relation
    made.ReferencedContentItemIdentifier = list(places)
    return made


def group(
    *children: Dataset,
    tracking_id: str = "",
    tracking_uid: str = "",
    site: Code | None = None,
    side: Code | None = None,
    role: Code | None = None,
) -> Dataset:
    """Return a measurement group as TID 1501 has it."""
    made: list[Dataset] = []
    if tracking_id:
        made.append(text(("112039", "DCM", "Tracking Identifier"), tracking_id))
    if tracking_uid:
        made.append(uidref(("112040", "DCM", "Tracking Unique Identifier"), tracking_uid))
    if site:
        sides = [code(LATERALITY, side, relation="HAS CONCEPT MOD")] if side else []
        made.append(code(SITE, site, *sides, relation="HAS CONCEPT MOD"))
    if role:
        made.append(code(("112016", "DCM", "Baseline Category"), role))
    return container(("125007", "DCM", "Measurement Group"), *made, *children)


def measured(tracking_id: str, longest: str, *more: Dataset, short: str = "", **who: Any) -> Dataset:
    """Return the group of a lesion with its diameters in mm."""
    axes = [num(LONG, longest)] + ([num(SHORT, short)] if short else [])
    return group(*axes, *more, tracking_id=tracking_id, **who)


def report(
    *groups: Dataset,
    context: Sequence[Dataset] = (),
    subject: str = "S1",
    study: str = "study 1",
    date: str = "20240102",
    name: str = "",
    title: Code = ("126000", "DCM", "Imaging Measurement Report"),
    sop_class: str = COMPREHENSIVE_3D,
    template: str = "1500",
    evidence: Sequence[tuple[str, str, str]] = (),
    measurements: Code = ("126010", "DCM", "Imaging Measurements"),
) -> Dataset:
    """Return a document whose groups stand in the imaging measurements container.

    Parameters
    ----------
    groups
        Items of the container.
    context
        Items of the root before it.
    study, name
        Names of the UIDs of study and instance.
    evidence
        Study, series and instance by name.
    """
    made = container(title, *context, container(measurements, *groups))
    del made.RelationshipType
    made.SOPClassUID, made.SOPInstanceUID = sop_class, uid(name or f"{subject} {study}")
    made.Modality, made.PatientID, made.StudyDate = "SR", subject, date
    made.StudyInstanceUID, made.SeriesInstanceUID = uid(study), uid(f"series of {study}")
    if template:
        about = Dataset()
        about.MappingResource, about.TemplateIdentifier = "DCMR", template
        made.ContentTemplateSequence = [about]
    if evidence:
        made.CurrentRequestedProcedureEvidenceSequence = [_evidence(*place) for place in evidence]
    return made


def _evidence(study: str, series: str, instance: str) -> Dataset:
    of_study, of_series, of_instance = Dataset(), Dataset(), Dataset()
    of_instance.ReferencedSOPClassUID, of_instance.ReferencedSOPInstanceUID = CT_CLASS, uid(instance)
    of_series.SeriesInstanceUID, of_series.ReferencedSOPSequence = uid(series), [of_instance]
    of_study.StudyInstanceUID, of_study.ReferencedSeriesSequence = uid(study), [of_series]
    return of_study


def saved(dataset: Dataset, path: Path, *, implicit: bool = False) -> Path:
    """Write a document as a DICOM file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    dataset.file_meta = meta
    dataset.save_as(path, enforce_file_format=True)
    return path
