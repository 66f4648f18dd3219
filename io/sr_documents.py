"""A report as a DICOM SR document (TID 1500): patient and study, evidence, observers, and the measurement groups.

Patient and study come from the images that the report refers to, where they are at hand; else the subject stands as
Patient ID. highdicom writes the document; it wants one image at least as evidence, which is taken out again where a
report refers to none (the evidence is then absent, as PS3.3, C.17.2 has it).
"""

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    CodeContentItem,
    Comprehensive3DSR,
    ComprehensiveSR,
    ContainerContentItem,
    DeviceObserverIdentifyingAttributes,
    ImageContentItem,
    LongitudinalTemporalOffsetFromEvent,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    TimePointContext,
)
from pydicom.dataset import Dataset
from pydicom.sr import codes
from pydicom.uid import ComprehensiveSRStorage, ExplicitVRLittleEndian

from response import __version__
from response.io.dicom_files import quiet_pydicom
from response.io.sr_concepts import (
    BASELINE,
    BASELINE_EVENT,
    DAYS,
    IMAGE_LIBRARY,
    IMAGE_LIBRARY_GROUP,
    IMAGING_MEASUREMENT_REPORT,
    MODALITY,
    SOURCE,
    UNSCHEDULED,
    modality_code,
    procedure_code,
)
from response.io.sr_evidence import ImageReference
from response.io.sr_images import COPIED, ImageHeader
from response.io.sr_places import modality_of
from response.io.sr_records import ReportRecord
from response.io.sr_uids import fitted_id, long_string, long_text, person_name, stable_uid
from response.vocabulary import LOCAL_SCHEME

NAME: Final = "tumor-response"
_UTF_8: Final = "ISO_IR 192"
_SERIES_NUMBER: Final = 9500  # behind those of scanners
_SEXES: Final = ("M", "F", "O")
_DATE: Final = re.compile(r"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_TIME: Final = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")
_UNKNOWN: Final = "UNKNOWN"  # DICOM wants a value where nobody knows one


@dataclass(frozen=True, kw_only=True)
class DocumentParts:
    """What a document is made of, beside its groups.

    Attributes
    ----------
    record
        What it reports.
    references
        The images that it refers to, each once, in the order of the lesions.
    header
        Of the first of them that is at hand; None where none is.
    is_3d
        Whether it holds coordinates in mm.
    created
        When it was written.
    """

    record: ReportRecord
    references: Sequence[ImageReference]
    header: ImageHeader | None
    is_3d: bool
    created: datetime


@contextmanager
def quiet_writers() -> Iterator[None]:
    """Keep pydicom and highdicom from printing or logging: they quote values, which may name a patient."""
    logger = logging.getLogger("highdicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with quiet_pydicom():
            yield
    finally:
        logger.setLevel(level)


def document(parts: DocumentParts, groups: Sequence[Any]) -> Dataset:
    """Return the SR document with these measurement groups.

    Its SOP Instance UID is made from what it says and when: writing the same again at the same time gives the same
    UID, and a later version another one. Versions of one report share a series.
    """
    study = _study_uid(parts)
    patient = _patient(parts, study)
    made = Comprehensive3DSR if parts.is_3d else ComprehensiveSR
    report = made(
        evidence=[patient, *(_instance(reference) for reference in parts.references)],
        content=_content(parts, groups),
        series_instance_uid=stable_uid("series", study, *_key(parts.record)),
        series_number=_SERIES_NUMBER,
        series_description=long_string(f"Tumour response {parts.record.timepoint}"),
        sop_instance_uid=stable_uid("unfinished"),
        instance_number=1,
        manufacturer=NAME,
        manufacturer_model_name=NAME,
        software_versions=__version__,
        device_serial_number=__version__,
        is_complete=True,
        coding_schemes=[_local_scheme()],
        specific_character_set=_UTF_8,
        content_date=parts.created.date(),
        content_time=parts.created.time(),
        **({} if parts.is_3d else {"transfer_syntax_uid": ExplicitVRLittleEndian}),
    )
    _set_evidence(report)
    _set_creation(report, parts.created)
    return report


def time_point(record: ReportRecord, *, with_numbers: bool) -> TimePointContext:
    """Return the time point context (TID 1502) of a report."""
    label = long_text(record.timepoint) or "unnamed"
    kind = BASELINE if record.is_baseline else UNSCHEDULED if record.is_unscheduled else None
    offset = None
    if record.days is not None and with_numbers:
        offset = LongitudinalTemporalOffsetFromEvent(record.days, DAYS, BASELINE_EVENT)
    return TimePointContext(
        time_point=label,
        time_point_type=kind,
        time_point_order=record.order if with_numbers else None,
        subject_time_point_identifier=label,
        protocol_time_point_identifier=label,
        temporal_offset_from_event=offset,
    )


def study_date(parts: DocumentParts) -> str:
    """Return the date of the study as ISO text: that of the images, else of the record; empty where it is partial."""
    day = parts.header.value("StudyDate") if parts.header else parts.record.date.replace("-", "")
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if _DATE.fullmatch(day) else ""


def _key(record: ReportRecord) -> tuple[str, ...]:
    return record.trial, record.subject, record.evaluator, record.timepoint


# --- content


def _content(parts: DocumentParts, groups: Sequence[Any]) -> Any:
    modality = _modality(parts)
    report = MeasurementReport(
        observation_context=_observers(parts.record),
        procedure_reported=procedure_code(modality),
        imaging_measurements=list(groups),
        title=IMAGING_MEASUREMENT_REPORT,
    )
    if parts.references:
        content = report[0].ContentSequence
        content.insert(len(content) - 1, _image_library(parts.references))
    return report


def _modality(parts: DocumentParts) -> str:
    classes = [modality_of(reference.sop_class_uid) for reference in parts.references]
    return next((name for name in (*classes, *_modalities(parts.record)) if name), "")


def _modalities(record: ReportRecord) -> list[str]:
    return [lesion.cells.get("modality", "").upper() for lesion in record.lesions]


def _observers(record: ReportRecord) -> ObservationContext:
    device = DeviceObserverIdentifyingAttributes(
        uid=stable_uid("device", __version__), name=NAME, manufacturer_name=NAME, model_name=NAME
    )
    observers = {lesion.cells.get("observer", "") for lesion in record.lesions}
    person = person_name(record.evaluator or (observers.pop() if len(observers) == 1 else ""))
    return ObservationContext(
        observer_person_context=ObserverContext(codes.DCM.Person, PersonObserverIdentifyingAttributes(name=person))
        if person
        else None,
        observer_device_context=ObserverContext(codes.DCM.Device, device),
    )


def _image_library(references: Sequence[ImageReference]) -> ContainerContentItem:
    """Return the library of images (TID 1600), a group for each modality."""
    library = ContainerContentItem(IMAGE_LIBRARY, relationship_type="CONTAINS")
    library.ContentSequence = []
    by_modality: dict[str, list[ImageReference]] = {}
    for reference in references:
        by_modality.setdefault(modality_of(reference.sop_class_uid), []).append(reference)
    for modality, images in by_modality.items():
        group = ContainerContentItem(IMAGE_LIBRARY_GROUP, relationship_type="CONTAINS")
        code = modality_code(modality)
        described = [CodeContentItem(MODALITY, code, relationship_type="HAS ACQ CONTEXT")] if code else []
        seen = {image.sop_instance_uid: image for image in images}
        group.ContentSequence = [
            *described,
            *(
                ImageContentItem(SOURCE, image.sop_class_uid, image.sop_instance_uid, relationship_type="CONTAINS")
                for image in seen.values()
            ),
        ]
        library.ContentSequence.append(group)
    return library


# --- patient, study, evidence


def _study_uid(parts: DocumentParts) -> str:
    if parts.references:
        return parts.references[0].study_instance_uid
    named = {lesion.cells.get("study_instance_uid", "") for lesion in parts.record.lesions} - {""}
    first = next((lesion.cells.get("study_instance_uid", "") for lesion in parts.record.lesions), "")
    return first if len(named) == 1 and first else stable_uid("study", *_key(parts.record), parts.record.date)


def _patient(parts: DocumentParts, study: str) -> Dataset:
    """Return patient and study in the form of an instance, from which highdicom copies them."""
    said = {keyword: parts.header.value(keyword) for keyword in COPIED} if parts.header else {}
    record = parts.record
    patient = Dataset()
    patient.SpecificCharacterSet = _UTF_8
    patient.SOPClassUID, patient.SOPInstanceUID = ComprehensiveSRStorage, stable_uid("patient")
    patient.StudyInstanceUID, patient.SeriesInstanceUID = study, stable_uid("patient", "series")
    patient.PatientID = long_string(said.get("PatientID", "")) or fitted_id(record.subject)
    patient.PatientName = said.get("PatientName", "")
    patient.PatientBirthDate = _fitting(_DATE, said.get("PatientBirthDate", ""))
    patient.PatientSex = sex if (sex := said.get("PatientSex", "")) in _SEXES else ""
    patient.StudyDate = study_date(parts).replace("-", "")
    patient.StudyTime = _fitting(_TIME, said.get("StudyTime", ""))
    for keyword, length in (("StudyID", 16), ("AccessionNumber", 16), ("StudyDescription", 64)):
        setattr(patient, keyword, long_string(said.get(keyword, ""), length))
    patient.ReferringPhysicianName = said.get("ReferringPhysicianName", "")
    _set_trial(patient, record, said)
    return patient


def _set_trial(patient: Dataset, record: ReportRecord, said: Mapping[str, str]) -> None:
    """Set the subject of the trial, where the images name one or have another Patient ID than the subject's."""
    subject = fitted_id(record.subject)
    if not said.get("ClinicalTrialSubjectID") and patient.PatientID == subject:
        return
    patient.ClinicalTrialSponsorName = long_string(said.get("ClinicalTrialSponsorName", "")) or _UNKNOWN
    patient.ClinicalTrialProtocolID = (
        long_string(said.get("ClinicalTrialProtocolID", "")) or long_string(record.trial) or _UNKNOWN
    )
    for keyword in ("ClinicalTrialProtocolName", "ClinicalTrialSiteID", "ClinicalTrialSiteName"):
        setattr(patient, keyword, long_string(said.get(keyword, "")))
    patient.ClinicalTrialSubjectID = subject


def _fitting(pattern: re.Pattern[str], text: str) -> str:
    return text if pattern.fullmatch(text) else ""


def _instance(reference: ImageReference) -> Dataset:
    instance = Dataset()
    instance.SOPClassUID, instance.SOPInstanceUID = reference.sop_class_uid, reference.sop_instance_uid
    instance.SeriesInstanceUID = reference.series_instance_uid
    instance.StudyInstanceUID = reference.study_instance_uid
    return instance


def _set_evidence(report: Dataset) -> None:
    """Take out of the evidence what stood for the patient: no report refers to it."""
    for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"):
        kept = []
        for item in report.get(keyword, []):
            item.ReferencedSeriesSequence = [
                series
                for series in item.ReferencedSeriesSequence
                if series.SeriesInstanceUID != stable_uid("patient", "series")
            ]
            kept += [item] if item.ReferencedSeriesSequence else []
        if kept:
            setattr(report, keyword, kept)
        elif keyword in report:
            delattr(report, keyword)


def _set_creation(report: Dataset, created: datetime) -> None:
    report.InstanceCreationDate, report.InstanceCreationTime = f"{created:%Y%m%d}", f"{created:%H%M%S}"
    report.ContentTime = f"{created:%H%M%S}"
    for equipment in report.get("ContributingEquipmentSequence", []):  # highdicom names itself there
        equipment.ContributionDateTime = f"{created:%Y%m%d%H%M%S}"
    said = BytesIO()
    report.save_as(said, enforce_file_format=True)
    uid = stable_uid("report", hashlib.sha256(said.getvalue()).hexdigest())
    report.SOPInstanceUID = report.file_meta.MediaStorageSOPInstanceUID = uid


def _local_scheme() -> CodingSchemeIdentificationItem:
    return CodingSchemeIdentificationItem(LOCAL_SCHEME, name=NAME, version=__version__, responsible_organization=NAME)
