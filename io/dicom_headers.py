"""Which files hold which DICOM objects: headers only, as far as their identity goes.

Sources: DICOM PS3.3, C.7.1 to C.7.4 (patient, trial, study, series, frame of reference), C.8.8.5 (structure sets);
PS3.4, B.5 (SOP classes).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from pydicom.dataset import Dataset

from response.errors import InputError
from response.findings import Finding
from response.io.dicom_bytes import looks_like_dicom, shown
from response.io.dicom_files import open_dicom, quiet_pydicom, read_dataset
from response.io.dicom_references import referenced_instances, referenced_series
from response.io.dicom_values import plain_text
from response.io.folders import Walk
from response.io.image_claims import suffix_of

Kind = Literal["image", "seg", "rtstruct", "report", "other"]

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
IMAGE_CLASSES: Final = frozenset(
    _STORAGE + end for end in ("2", "2.1", "2.2", "4", "4.1", "4.4", "128", "128.1", "130")
)  # CT, MR and PET: of one frame, enhanced, and legacy converted
SECONDARY_CAPTURES: Final = frozenset(_STORAGE + end for end in ("7", "7.2", "7.3"))  # grey ones
SEG_CLASSES: Final = frozenset({_STORAGE + "66.4", _STORAGE + "66.7"})
RTSTRUCT_CLASS: Final = _STORAGE + "481.3"
REPORT_CLASSES: Final = _STORAGE + "88."
DIRECTORY_CLASS: Final = "1.2.840.10008.1.3.10"
IMAGE_MODALITIES: Final = frozenset({"CT", "MR", "PT"})

_DICOM_SUFFIXES: Final = frozenset({".dcm", ".dicom", ".ima"})
_DATES: Final = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime")
_TAGS: Final = (
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    *_DATES,
    "Modality",
    "PatientID",
    "ClinicalTrialSubjectID",
    "ClinicalTrialTimePointID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "ImagePositionPatient",
    "FrameOfReferenceUID",
)
_LAST_TAG: Final = 0x00200052  # FrameOfReferenceUID; what stands behind it is not looked at


@dataclass(frozen=True, kw_only=True)
class Header:
    """What one DICOM file is, and of whom.

    Attributes
    ----------
    path
        Of the file.
    kind
        `image`: a slice or volume of CT, MR or PET (localizers are `other`); `seg`, `rtstruct`; `report`: any DICOM
        SR; `other`: anything else.
    sop_class_uid, sop_instance_uid, study_uid, series_uid, frame_of_reference_uid, modality
        As in the file; empty where they are missing.
    subject
        Clinical Trial Subject ID (0012,0040), or else Patient ID (0010,0020).
    timepoint
        Clinical Trial Time Point ID (0012,0050), or empty.
    study_date
        ISO date of the study, or else of series, acquisition or content; empty where none is a date.
    referenced_series_uids
        Series that a segmentation or structure set refers to: by their UIDs, or else by the instances that it names,
        where they were found in the same scan.
    """

    path: Path
    kind: Kind
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    modality: str = ""
    subject: str = ""
    study_uid: str = ""
    study_date: str = ""
    timepoint: str = ""
    series_uid: str = ""
    frame_of_reference_uid: str = ""
    referenced_series_uids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What was found in files and folders.

    Attributes
    ----------
    headers
        DICOM objects, each once, in the order of folders and names.
    image_files
        NIfTI, NRRD and MetaImage files; they were not opened.
    findings
        Files and folders that could not be read, and objects that are there twice.
    files
        How many files were looked at.
    passed_over
        How many of them are neither DICOM nor images: DICOMDIR, archives, texts ...
    """

    headers: Sequence[Header]
    image_files: Sequence[Path]
    findings: Sequence[Finding]
    files: int
    passed_over: int


def scan(paths: Iterable[Path]) -> Scan:
    """Return what files, and folders of any depth, hold.

    Raises
    ------
    InputError
        If a path is not there. What else cannot be read is a finding.
    """
    walk = Walk(paths)
    scanner = _Scanner(explicit={path.absolute() for path in walk.paths})
    with quiet_pydicom():
        for path in walk:
            scanner.look_at(path)
        headers = list(scanner.with_references())
    return Scan(
        headers=headers,
        image_files=scanner.image_files,
        findings=[*walk.findings, *scanner.findings, *scanner.doubles()],
        files=scanner.files,
        passed_over=scanner.passed_over,
    )


def read_header(path: Path) -> Header:
    """Return what one DICOM file is.

    Raises
    ------
    InputError
        As `response.io.dicom_files.read_dataset`.
    """
    with quiet_pydicom():
        dataset = open_dicom(path, tags=_TAGS, last_tag=_LAST_TAG).dataset
        if not (plain_text(dataset, "SOPClassUID") and plain_text(dataset, "SeriesInstanceUID")):
            dataset = read_dataset(path, pixels=False, tags=_TAGS)  # elements out of order stand behind the last tag
        kind = _kind(dataset)
        return Header(
            path=path,
            kind=kind,
            sop_class_uid=plain_text(dataset, "SOPClassUID"),
            sop_instance_uid=plain_text(dataset, "SOPInstanceUID"),
            modality=plain_text(dataset, "Modality"),
            subject=plain_text(dataset, "ClinicalTrialSubjectID") or plain_text(dataset, "PatientID"),
            study_uid=plain_text(dataset, "StudyInstanceUID"),
            study_date=_date(dataset),
            timepoint=plain_text(dataset, "ClinicalTrialTimePointID"),
            series_uid=plain_text(dataset, "SeriesInstanceUID"),
            frame_of_reference_uid=plain_text(dataset, "FrameOfReferenceUID"),
            referenced_series_uids=referenced_series(path) if kind in {"seg", "rtstruct"} else (),
        )


def _kind(dataset: Dataset) -> Kind:
    sop_class, modality = plain_text(dataset, "SOPClassUID"), plain_text(dataset, "Modality")
    if sop_class in SEG_CLASSES:
        return "seg"
    if sop_class == RTSTRUCT_CLASS:
        return "rtstruct"
    if sop_class.startswith(REPORT_CLASSES):
        return "report"
    placed = sop_class in SECONDARY_CAPTURES and "ImagePositionPatient" in dataset
    is_image = sop_class in IMAGE_CLASSES or ((placed or not sop_class) and modality in IMAGE_MODALITIES)
    is_localizer = "LOCALIZER" in plain_text(dataset, "ImageType").split("\\")
    return "image" if is_image and not is_localizer else "other"


def _date(dataset: Dataset) -> str:
    """Return the first element that holds a date, as ISO date."""
    for keyword in _DATES:
        if found := iso_date(plain_text(dataset, keyword)):
            return found
    return ""


def iso_date(value: str) -> str:
    """Return a DICOM date (PS3.5, 6.2: YYYYMMDD, formerly YYYY.MM.DD) as ISO date; empty where it is none."""
    from datetime import date

    figures = value.replace(".", "")[:8]
    try:
        return date(int(figures[:4]), int(figures[4:6]), int(figures[6:8])).isoformat() if figures.isdigit() else ""
    except ValueError:
        return ""


# --- Many files.


class _Scanner:
    """Looks at one file after the other, and keeps what it found."""

    def __init__(self, explicit: set[Path]) -> None:
        self.explicit = explicit
        self.image_files: list[Path] = []
        self.findings: list[Finding] = []
        self.files = 0
        self.passed_over = 0
        self._headers: dict[str | Path, Header] = {}
        self._doubles: dict[str, list[Path]] = defaultdict(list)

    def look_at(self, path: Path) -> None:
        self.files += 1
        if suffix_of(path):
            self.image_files.append(path)
            return
        try:
            header = read_header(path)
        except InputError as error:
            self._reject(path, error)
            return
        if header.sop_class_uid == DIRECTORY_CLASS:
            self.passed_over += 1
            return
        key = header.sop_instance_uid or path
        if key in self._headers:
            self._doubles[header.series_uid].append(path)
        else:
            self._headers[key] = header

    def _reject(self, path: Path, error: InputError) -> None:
        """Tell of a file that should be DICOM; pass over others."""
        self.passed_over += 1
        if self._should_be_dicom(path):
            self.findings.append(
                Finding(
                    id="file_unreadable",
                    severity="error",
                    found=error.found,
                    expected=error.expected,
                    sentence=f"A file could not be read: {error}.",
                    remedy="Fetch the file again; the others were used.",
                    file=shown(path),
                )
            )

    def _should_be_dicom(self, path: Path) -> bool:
        if path.suffix.lower() in _DICOM_SUFFIXES or path.absolute() in self.explicit:
            return True
        try:
            with path.open("rb") as file:
                return looks_like_dicom(file.read(256))
        except OSError:
            return True  # it may not be opened: whether it is DICOM cannot be known

    def with_references(self) -> Iterator[Header]:
        """Yield the headers; masks that name no series that was found are looked through for instances that were."""
        headers = list(self._headers.values())
        images = {header.sop_instance_uid: header.series_uid for header in headers if header.kind == "image"}
        series = set(images.values())
        for header in headers:
            if header.kind in {"seg", "rtstruct"} and not series.intersection(header.referenced_series_uids):
                yield self._with_series_of_instances(header, images)
            else:
                yield header

    def _with_series_of_instances(self, header: Header, images: dict[str, str]) -> Header:
        try:
            named = Counter(images[uid] for uid in referenced_instances(header.path) if uid in images)
        except InputError:
            return header  # told when it is read
        found = tuple(sorted(named, key=lambda uid: (-named[uid], uid)))
        return replace(header, referenced_series_uids=found or header.referenced_series_uids)

    def doubles(self) -> Iterator[Finding]:
        """Yield a finding per series some of whose instances are there twice."""
        for paths in self._doubles.values():
            yield Finding(
                id="file_twice",
                severity="info",
                found=f"{len(paths)} files",
                expected="each object once",
                sentence=f"{len(paths)} files hold objects that were found before (the same SOP Instance UID), such as "
                f"{shown(paths[0])}; the first of each was used.",
                remedy="Delete the copies if they are not wanted.",
                file=shown(paths[0].parent),
            )
