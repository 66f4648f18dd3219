"""Measurements and responses to DICOM SR: one report (TID 1500) per subject, evaluator and timepoint."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from response.errors import InputError, MissingExtraError, OutputError
from response.findings import Finding
from response.io.dicom_values import DAMAGED
from response.io.safe_files import staged_folder
from response.io.sr_evidence import Evidence, ImageReference, LesionPlace
from response.io.sr_images import ImageHeader, read_headers
from response.io.sr_records import LesionRecord, ReportRecord, report_records
from response.io.sr_uids import fitted_id, is_uid, safe_name, stable_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from response.engine import Assessment
    from response.io.sr_documents import DocumentParts
    from response.io.sr_lesion_groups import GroupContext

Axes = Literal["standard", "ohif"]
AXES: Final[tuple[Axes, ...]] = ("standard", "ohif")
Tell = Callable[[Finding], None]


def write_reports(
    assessment: "Assessment",
    folder: Path | str,
    *,
    images: Path | str | Sequence[Path] | None = None,
    axes: Axes = "standard",
    subject: str | None = None,
    timepoint: str | None = None,
    created: datetime | None = None,
    keep: Sequence[Path] = (),
    tell: Tell | None = None,
) -> list[Path]:
    """Write the measurements and responses of a trial as DICOM SR, whole or not at all.

    1. Each report is a Measurement Report (TID 1500), a Comprehensive SR, or a Comprehensive 3D SR where it holds
       patient coordinates.
    2. Each lesion with a row at the timepoint is a measurement group: tracking, site, role, axes and other quantities.
       End points are pixel coordinates of the image where its header is at hand (see `sr_evidence`).
    3. Each criterion is a measurement group with its responses, sums, rule and reason.
    4. The tracking UID is the row's; else the one that all other rows of the lesion have; else one made of trial,
       subject, evaluator and lesion, the same in every run.

    Parameters
    ----------
    assessment
        The trial.
    folder
        Made if needed; reports of an earlier run with the same names are replaced, all at once.
    images
        Files or folders with the DICOM images that the table refers to (`sop_instance_uid`).
    axes
        `standard`, or `ohif`: as the OHIF viewer reads them (see `sr_lesion_groups`).
    subject, timepoint
        Only these.
    created
        Date and time of the reports; now, if not given. The same input and time give the same files, byte by byte.
    keep
        Files that are never written over.
    tell
        Called with each finding: an image that is not there, end points that are not on it, a report that could not
        be made while the others were.

    Returns
    -------
    list of Path
        The files, in the order of subject, evaluator and time.

    Raises
    ------
    InputError
        If no timepoint is chosen, or there are no such images.
    MissingExtraError
        If highdicom is not installed.
    OutputError
        If nothing could be written.
    """
    _need_highdicom()
    if axes not in AXES:
        raise InputError("axes", f"'{axes}'", f"one of {', '.join(AXES)}")
    told = tell or (lambda _finding: None)
    paths = [Path(images)] if isinstance(images, Path | str) else list(images or ())
    evidence = Evidence(_headers(assessment, paths, told), has_images=bool(paths))
    writer = _Writer(assessment, evidence, axes, created or datetime.now())
    records = [record for record in report_records(assessment) if _is_wanted(record, subject, timepoint)]
    if not records:
        raise InputError("the chosen subject and timepoint", "no measurement", "a subject and timepoint of the tables")
    with staged_folder(Path(folder), keep=keep) as stage:
        names = list(writer.write(records, stage, told))
        if not names:
            raise OutputError(f"{folder}: no report could be made of {len(records)} timepoints; nothing was written")
    return [Path(folder) / name for name in names]


def _need_highdicom() -> None:
    try:
        import highdicom  # noqa: F401
    except ImportError:
        raise MissingExtraError("writing DICOM SR", "highdicom", "dicom") from None


def _is_wanted(record: ReportRecord, subject: str | None, timepoint: str | None) -> bool:
    return subject in (None, record.subject) and timepoint in (None, record.timepoint)


def _headers(assessment: "Assessment", images: Sequence[Path], tell: Tell) -> Mapping[str, ImageHeader]:
    wanted = {text for text in assessment.timeline.measurements.text_column("sop_instance_uid").values if text}
    headers: dict[str, ImageHeader] = {}
    for path in images:
        found, findings = read_headers(path, wanted - headers.keys())
        headers |= found
        for finding in findings:
            tell(finding)
    return headers


@dataclass
class _Writer:
    assessment: "Assessment"
    evidence: Evidence
    axes: Axes
    created: datetime
    used: Counter[str] = field(default_factory=Counter)

    def write(self, records: Sequence[ReportRecord], stage: Path, tell: Tell) -> Iterator[str]:
        """Write the reports, and hand out their names."""
        for record in records:
            if fitted_id(record.subject) != record.subject:
                tell(_changed(record))
            try:
                report = self.report(record)
            except (*DAMAGED, AttributeError) as error:
                tell(_failed(record, error))
                continue
            finally:
                for finding in self.evidence.findings:
                    tell(finding)
                self.evidence.findings.clear()
            name = self._name(record)
            report.save_as(stage / name, enforce_file_format=True)
            yield name

    def _name(self, record: ReportRecord) -> str:
        name = safe_name(record.subject, record.evaluator, record.timepoint)
        self.used[name.casefold()] += 1  # a disk may not tell capitals from small letters
        again = self.used[name.casefold()]
        return f"{name}.dcm" if again == 1 else f"{name}_{again}.dcm"

    def report(self, record: ReportRecord) -> "Dataset":
        """Return one report as a dataset."""
        from response.io.sr_documents import DocumentParts, document, quiet_writers

        with quiet_writers():
            places = [(lesion, self.evidence.place_of(record, lesion)) for lesion in record.lesions]
            references = list(dict.fromkeys(place.image for _, place in places if place.image is not None))
            parts = DocumentParts(
                record=record,
                references=references,
                header=self._header(references),
                is_3d=any(place.frame_of_reference_uid for _, place in places),
                created=self.created,
            )
            return document(parts, list(self._groups(parts, places)))

    def _header(self, references: Sequence[ImageReference]) -> ImageHeader | None:
        found = (self.evidence.headers.get(reference.sop_instance_uid) for reference in references)
        return next((header for header in found if header is not None), None)

    def _groups(self, parts: "DocumentParts", places: Sequence[tuple[LesionRecord, LesionPlace]]) -> Iterator[Any]:
        from response.io.sr_concepts import criterion_code
        from response.io.sr_lesion_groups import lesion_group
        from response.io.sr_response_groups import response_group

        record, context = parts.record, self._context(parts)
        shared = Counter(uid for lesion in record.lesions for uid in _uids(lesion)[:1])
        for lesion, place in places:
            yield lesion_group(lesion, place, (lesion.lesion, _tracking_uid(record, lesion, shared)), context)
        for name, row in record.responses.items():
            criterion = self.assessment.results[name].criterion
            numbers = {number.name: number.unit for number in criterion.numbers if not number.name.endswith("_mm")}
            tracking = f"{name} response", stable_uid("response", name, record.trial, record.subject, record.evaluator)
            yield response_group(criterion_code(name, criterion.title), row, numbers, tracking, context)

    def _context(self, parts: "DocumentParts") -> "GroupContext":
        from response.io.sr_concepts import criterion_code
        from response.io.sr_documents import study_date, time_point
        from response.io.sr_lesion_groups import GroupContext

        ohif = self.axes == "ohif"
        first, result = next(iter(self.assessment.results.items()))
        method = criterion_code(first, result.criterion.title)
        return GroupContext(
            time_point=time_point(parts.record, with_numbers=not ohif),
            evaluator=parts.record.evaluator,
            study_date=study_date(parts),
            method=method,
            ohif=ohif,
        )


def _uids(lesion: LesionRecord) -> list[str]:
    """Return the tracking UIDs that may stand for a lesion, the row's own first."""
    own = lesion.cells.get("tracking_uid", "")
    others = lesion.tracking_uids if len(lesion.tracking_uids) == 1 else ()
    return [uid for uid in (own, *others) if is_uid(uid)]


def _tracking_uid(record: ReportRecord, lesion: LesionRecord, shared: Mapping[str, int]) -> str:
    """Return the tracking UID of a lesion; one that two lesions of a report have tells them apart no more."""
    named = [uid for uid in _uids(lesion)[:1] if shared[uid] == 1]
    return named[0] if named else stable_uid("lesion", record.trial, record.subject, record.evaluator, lesion.lesion)


def _changed(record: ReportRecord) -> Finding:
    return Finding(
        id="subject_id_changed",
        severity="warning",
        subject=record.subject,
        timepoint=record.timepoint,
        column="subject",
        expected="at most 64 characters on one line, without backslash",
        sentence="A subject id is no Patient ID of DICOM; a mark stands in the report for what was cut off.",
        remedy="Read such reports back with a mapping of the ids.",
    )


def _failed(record: ReportRecord, error: Exception) -> Finding:
    return Finding(
        id="report_failed",
        severity="error",
        subject=record.subject,
        evaluator=record.evaluator,
        timepoint=record.timepoint,
        found=type(error).__name__,
        sentence="The report of a timepoint could not be made; the others were.",
        remedy="Look for odd characters in its cells, and tell the authors of the program.",
        file=record.lesions[0].file if record.lesions else "",
        line=record.lesions[0].line if record.lesions else 0,
    )
