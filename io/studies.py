"""Which files make one study to measure: masks with the series they refer to, reports, and pairs of image files."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from response.findings import Finding
from response.imaging.options import MeasureOptions
from response.io.dicom_headers import Header, Scan, scan
from response.io.image_pairs import ImagePair, find_pairs, read_pairs
from response.io.series_beside import FilesBeside, SeriesBeside, paths_of
from response.io.study_store import StudyResult

_MASKS: Final = ("seg", "rtstruct")  # kinds of DICOM objects that hold masks


@dataclass(frozen=True, kw_only=True)
class MaskOfImage:
    """A mask file and the image it was drawn on.

    Attributes
    ----------
    mask
        DICOM SEG or RTSTRUCT, or a file with labels.
    image
        The files of its series, or its image file; empty where the image is not at hand.
    labels
        Table of the labels, where one is named.
    modality, phase
        Of an image file that records neither (`image_pairs.ImagePair`).
    beside
        The files of the series that stand beside the image.
    uid
        SOP Instance UID of the mask; empty where it is no DICOM.
    """

    mask: Path
    image: tuple[Path, ...] = ()
    labels: Path | None = None
    modality: str = ""
    phase: str = ""
    beside: FilesBeside = field(default_factory=FilesBeside)
    uid: str = ""


@dataclass(frozen=True, kw_only=True)
class Study:
    """One study of one subject; a task of `study_runs`.

    Attributes
    ----------
    subject, uid, date, timepoint
        As in `observations.Observation`.
    masks
        In the order in which they are measured; those of one image stand together.
    reports
        DICOM SR files.
    """

    subject: str
    uid: str
    date: str
    timepoint: str
    masks: tuple[MaskOfImage, ...] = ()
    reports: tuple[Path, ...] = ()

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """All files, each once."""
        parts = [*self.reports]
        for item in self.masks:
            parts += [item.mask, *item.image, *item.beside.files, *([item.labels] if item.labels else [])]
        return tuple(dict.fromkeys(parts))

    @cached_property
    def key(self) -> str:
        """Name of the content when first asked: identity, and name, size and time of change of every file."""
        digest = hashlib.sha256(repr((self.subject, self.uid, self.date, self.timepoint)).encode())
        for path in self.files:
            stat = path.stat()
            digest.update(f"{path.absolute()}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()

    @property
    def place(self) -> str:
        """Folder or file where it is, for messages."""
        return str(self.files[0].parent) if len(self.files) > 1 else str(self.files[0])

    def measure(self, options: MeasureOptions) -> StudyResult:
        """Measure the study in this process."""
        from response.io.study_measuring import measure_study

        return measure_study(self, options)


@dataclass(frozen=True)
class Found:
    """The studies in some folders, and what was found on the way.

    Attributes
    ----------
    studies
        Those with something to measure.
    findings
        What could not be used, and what to know.
    files
        Number of files looked at.
    dates
        ISO dates by Study Instance UID, as the headers of images have them.
    """

    studies: Sequence[Study]
    findings: Sequence[Finding]
    files: int
    dates: Mapping[str, str]


def find_studies(paths: Sequence[Path], *, pairs: Path | None = None) -> Found:
    """Return the studies in files and folders of any depth, ordered by subject, date and UID.

    1. Headers are read; files of a study belong together by Study Instance UID.
    2. A segmentation goes with the series that it refers to, wherever that lies in the paths; one that names no
       series with the only series of its frame of reference, or else of its study.
    3. Masks in NIfTI, NRRD and MHA are paired with images by table or by name (`image_pairs`); without an image file
       with the only DICOM series in the same folder or below it.
    4. The series without contrast medium and the ADC map beside a series are those of the table, or else the only
       ones that fit (`paired_series`). Of a DICOM segmentation in the table nothing else counts but the image, where
       it does not name one itself.

    Parameters
    ----------
    paths
        Files and folders.
    pairs
        Table of images and masks.

    Raises
    ------
    InputError
        If a path is not there, or the table cannot be used.
    """
    scanned = scan(paths)
    listed = read_pairs(pairs) if pairs is not None else []
    finder = _Finder(scanned, listed)
    named = {path for pair in listed for path in (pair.mask, pair.image, pair.unenhanced, pair.adc) if path is not None}
    found, unpaired = find_pairs([file for file in scanned.image_files if file not in named], paths)
    studies = [*finder.studies(), *finder.paired(found, unpaired)]
    studies.sort(key=lambda study: (study.subject, study.date, study.timepoint, study.uid))
    dates = {header.study_uid: header.study_date for header in scanned.headers if header.kind == "image"}
    return Found(studies, [*scanned.findings, *finder.findings, *finder.beside.findings], scanned.files, dates)


class _Finder:
    """Puts the files of a scan together."""

    def __init__(self, scanned: Scan, listed: Sequence[ImagePair]) -> None:
        masks = {header.path.absolute() for header in scanned.headers if header.kind in _MASKS}
        self.listed = [pair for pair in listed if pair.mask.absolute() not in masks]
        self.said = {pair.mask.absolute(): pair for pair in listed if pair.mask.absolute() in masks}
        self.findings: list[Finding] = []
        self.series: dict[str, list[Header]] = defaultdict(list)
        self.by_study: dict[tuple[str, str], list[Header]] = defaultdict(list)
        for header in scanned.headers:
            if header.kind == "image":
                self.series[header.series_uid].append(header)
            self.by_study[header.subject, header.study_uid].append(header)
        self.beside = SeriesBeside(self.series)

    def studies(self) -> Iterator[Study]:
        for (subject, uid), headers in self.by_study.items():
            masks = [header for header in headers if header.kind in _MASKS]
            reports = [header.path for header in headers if header.kind == "report"]
            if not masks and not reports:
                self.findings.append(_nothing_to_measure(headers[0], len(headers)))
                continue
            placed = sorted((self._with_image(mask) for mask in masks), key=lambda item: (item.image, item.mask))
            first = next((header for header in headers if header.kind == "image"), headers[0])
            yield Study(
                subject=subject,
                uid=uid,
                date=first.study_date,
                timepoint=next((header.timepoint for header in headers if header.timepoint), ""),
                masks=tuple(placed),
                reports=tuple(sorted(reports)),
            )

    def _with_image(self, mask: Header) -> MaskOfImage:
        pair = self.said.get(mask.path.absolute())
        series = [uid for uid in mask.referenced_series_uids if uid in self.series]
        if not series and not mask.referenced_series_uids:
            series = self._only_series(mask)
        if not series and pair is not None:
            series = [headers[0].series_uid for headers in [self._series_beside(pair)] if headers]
        if not series:
            self.findings.append(_image_missing(mask))
            return MaskOfImage(mask=mask.path, uid=mask.sop_instance_uid)
        image = self.series[series[0]]
        return MaskOfImage(
            mask=mask.path,
            image=paths_of(image),
            uid=mask.sop_instance_uid,
            beside=self.beside.of(image, pair),
        )

    def _only_series(self, mask: Header) -> list[str]:
        """Return the only series of the frame of reference, or else of the study, of a mask that names none."""
        own = [header for header in self.by_study[mask.subject, mask.study_uid] if header.kind == "image"]
        frame = {
            header.series_uid
            for header in own
            if mask.frame_of_reference_uid and header.frame_of_reference_uid == mask.frame_of_reference_uid
        }
        for found in (frame, {header.series_uid for header in own}):
            if len(found) == 1:
                return list(found)
        return []

    # --- image files that are no DICOM

    def paired(self, found: Iterable[ImagePair], unpaired: Iterable[Finding]) -> Iterator[Study]:
        without = {finding.file: finding for finding in unpaired}
        by_study: dict[tuple[str, str, str], list[MaskOfImage]] = defaultdict(list)
        for pair in (*self.listed, *found):
            series = self._series_beside(pair)
            who = (pair.subject, pair.timepoint, pair.date)
            image: tuple[Path, ...] = (pair.image,) if pair.image is not None else ()
            if series:
                who = (series[0].subject, series[0].timepoint, series[0].study_date)
                image = paths_of(series)
                without.pop(str(pair.mask), None)
            by_study[who].append(
                MaskOfImage(
                    mask=pair.mask,
                    image=image,
                    labels=pair.labels,
                    modality=pair.modality,
                    phase=pair.phase,
                    beside=self.beside.of(series, pair),
                )
            )
        self.findings += without.values()
        for (subject, timepoint, date), masks in by_study.items():
            masks.sort(key=lambda item: (item.image, item.mask))
            uid = str(masks[0].mask.parent)
            yield Study(subject=subject, uid=uid, date=date, timepoint=timepoint, masks=tuple(masks))

    def _series_beside(self, pair: ImagePair) -> Sequence[Header]:
        """Return the only DICOM series in the folder of a mask, or below it, where the mask has no image file."""
        if pair.image is not None and not pair.image.is_dir():
            return []
        near = self.beside.in_folder(pair.image if pair.image is not None else pair.mask.parent)
        return near[0] if len(near) == 1 else []


def _nothing_to_measure(header: Header, files: int) -> Finding:
    return Finding(
        id="study_without_lesions",
        severity="info",
        subject=header.subject,
        timepoint=header.timepoint or header.study_date,
        found=f"{files} files",
        expected="a segmentation or a measurement report",
        sentence="A study has images, but no segmentation and no measurement report; nothing was measured.",
        remedy="Give the folder of its segmentations too.",
        file=str(header.path.parent),
    )


def _image_missing(mask: Header) -> Finding:
    told = "the series that it refers to is not in these folders" if mask.referenced_series_uids else "it names none"
    return Finding(
        id="mask_without_image",
        severity="warning",
        subject=mask.subject,
        timepoint=mask.timepoint or mask.study_date,
        found="no image",
        expected="the series on which it was drawn",
        sentence=f"A segmentation was measured without its image, so without attenuation: {told}.",
        remedy="Give the folder of the image series too.",
        file=str(mask.path),
    )


def grouped_by_image(masks: Sequence[MaskOfImage]) -> Mapping[tuple[Path, ...], list[MaskOfImage]]:
    """Return masks by their image, so that each image is read once and only one is in memory."""
    groups: dict[tuple[Path, ...], list[MaskOfImage]] = defaultdict(list)
    for item in masks:
        groups[item.image].append(item)
    return groups
