"""DICOM measurement reports to observations: TID 1500 of any writer, by code and never by position or text.

1. A document is a measurement report by its template, its title, its measurements container or its tracked groups.
2. Every measurement group, nested or not, is one lesion; what it says of it, `sr_names` reads, and what was measured,
   `sr_groups`.
3. What cannot be used is a finding, and so is a document of another kind, which gives no rows.

Source: DICOM PS3.16, TID 1500; PS3.3, C.17 (SR documents), C.7.1.3 (trial subject), C.7.2.3 (trial time point).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom.dataset import Dataset

from response.findings import Finding, Severity
from response.io.dicom_files import quiet_pydicom, read_dataset
from response.io.dicom_headers import iso_date
from response.io.dicom_values import items, plain_text
from response.io.sr_codes import (
    IMAGING_MEASUREMENTS,
    PROCEDURE,
    REPORT_TITLES,
    STUDY_DATES,
    SUBJECT_ID,
    TRACKING_IDENTIFIER,
    TRACKING_UID,
)
from response.io.sr_content import ContentItem, ContentTree
from response.io.sr_groups import Document, Group, read_group, responses_in
from response.io.sr_names import groups_below, is_baseline, is_group, observer_in, time_point_in
from response.io.sr_numbers import read_measurement
from response.io.sr_places import Instance, read_evidence
from response.observations import Observation

_MEASUREMENT_REPORT: Final = "1500"  # template identifier
_NAMES_TOLD: Final = 40  # of measurements that no column holds; radiomics writes hundreds
_KINDS: Final[Mapping[str, str]] = {
    "1.2.840.10008.5.1.4.1.1.88.11": "a report of text",
    "1.2.840.10008.5.1.4.1.1.88.50": "a report of mammography CAD",
    "1.2.840.10008.5.1.4.1.1.88.59": "a selection of key images",
    "1.2.840.10008.5.1.4.1.1.88.65": "a report of chest CAD",
    "1.2.840.10008.5.1.4.1.1.88.67": "a report of radiation dose",
    "1.2.840.10008.5.1.4.1.1.88.68": "a report of radiopharmaceutical dose",
    "1.2.840.10008.5.1.4.1.1.88.69": "a report of colon CAD",
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one DICOM file says about lesions.

    Attributes
    ----------
    observations
        One per measurement group with something that the measurement table holds; in the order of the document.
    findings
        What cannot be used, and why.
    is_measurement_report
        Whether it is one at all; no rows come from anything else.
    title
        Concept name of the document.
    subject, study, date
        As in `Observation`; empty where the file does not say.
    sop_instance_uid
        Of the document.
    notes
        Statements that are no measurements: the procedure reported, responses of lesions.
    """

    observations: Sequence[Observation] = ()
    findings: Sequence[Finding] = ()
    is_measurement_report: bool = False
    title: str = ""
    subject: str = ""
    study: str = ""
    date: str = ""
    sop_instance_uid: str = ""
    notes: Sequence[str] = ()


def read_report(path: Path | str) -> Report:
    """Read the measurements of one DICOM file.

    Parameters
    ----------
    path
        Any DICOM file; whatever is no measurement report gives no observations and a finding that says so.

    Raises
    ------
    InputError
        If the file cannot be read, is no DICOM, or is damaged.
    """
    dataset = read_dataset(Path(path), pixels=False)
    with quiet_pydicom():
        return _Reader(dataset, str(path)).read()


class _Reader:
    """Reads one document."""

    def __init__(self, dataset: Dataset, file: str) -> None:
        self.dataset, self.file = dataset, file
        self.tree = ContentTree(dataset)
        self.root = self.tree.root
        self.groups = list(groups_below(self.root))
        self.title = self.root.meaning
        self.subject = (
            plain_text(dataset, "ClinicalTrialSubjectID")
            or plain_text(dataset, "PatientID")
            or _words(self.root, SUBJECT_ID)
        )
        self.study = plain_text(dataset, "StudyInstanceUID")
        self.date = iso_date(plain_text(dataset, "StudyDate")) or self._date_within()
        self.timepoint = time_point_in(self.root) or plain_text(dataset, "ClinicalTrialTimePointID")
        self.findings: list[Finding] = []

    def read(self) -> Report:
        if self.tree.is_cut:
            found = "more content items, or deeper ones, than any report has"
            self._tell("sr_too_large", "error", f"The document has {found}; the rest was not read.", found)
        if not self._is_measurement_report():
            self._tell_other_kind()
            return self._report([])
        document = self._document()
        read = [read_group(item, outer, document) for item, outer in self.groups]
        self.findings += [finding for group in read for finding in group.findings]
        self._tell_outside()
        self._tell_foreign(read)
        if not self.groups:
            self._tell("sr_without_groups", "warning", "The measurement report has no measurement group.", "no group")
        return self._report(read)

    def _report(self, read: Sequence[Group]) -> Report:
        procedure = _words(self.root, PROCEDURE)
        notes = [f"procedure reported: {procedure}"] if procedure else []
        notes += responses_in(self.root, "the report")
        return Report(
            observations=[group.observation for group in read if group.observation is not None],
            findings=self.findings,
            is_measurement_report=self._is_measurement_report(),
            title=self.title,
            subject=self.subject,
            study=self.study,
            date=self.date,
            sop_instance_uid=plain_text(self.dataset, "SOPInstanceUID"),
            notes=(*notes, *(note for group in read for note in group.notes)),
        )

    def _is_measurement_report(self) -> bool:
        template = items(self.dataset, "ContentTemplateSequence")
        if self.root.code in REPORT_TITLES or self.root.nearest(IMAGING_MEASUREMENTS):
            return True
        if template and plain_text(template[0], "TemplateIdentifier") == _MEASUREMENT_REPORT:
            return True
        return any(item.own(TRACKING_IDENTIFIER | TRACKING_UID) for item, _ in self.groups)

    def _document(self) -> Document:
        replaced = [
            plain_text(instance, "ReferencedSOPInstanceUID")
            for study in items(self.dataset, "PredecessorDocumentsSequence")
            for series in items(study, "ReferencedSeriesSequence")
            for instance in items(series, "ReferencedSOPSequence")
        ]
        evidence = read_evidence(self.dataset)
        return Document(
            tree=self.tree,
            subject=self.subject,
            study=self._study_of_images(evidence),
            date=self.date,
            timepoint=self.timepoint,
            observer=observer_in(self.root),
            file=self.file,
            evidence=evidence,
            cells={
                "source": plain_text(self.dataset, "SOPInstanceUID"),
                "replaces_uid": " ".join(filter(None, replaced)),
                "baseline": "Y" if is_baseline(self.root) else "",
            },
        )

    def _study_of_images(self, evidence: Mapping[str, Instance]) -> str:
        """Return the only study that the evidence names: some systems keep their reports in studies of their own."""
        studies = {place.study for place in evidence.values()} - {""}
        if len(studies) != 1 or self.study in studies:
            return self.study
        sentence = "The report is kept in another study than its images; it counts for theirs, with its own date."
        self._tell("sr_study_differs", "warning", sentence, self.study, remedy="Check the date of the timepoint.")
        return studies.pop()

    def _date_within(self) -> str:
        """Return the only date of study or acquisition that the image library gives; empty where there are several."""
        dates = {iso_date(place.words) for place in self.root.nearest(STUDY_DATES)} - {""}
        return dates.pop() if len(dates) == 1 else ""

    # --- what is told

    def _tell_other_kind(self) -> None:
        kind = _KINDS.get(plain_text(self.dataset, "SOPClassUID"), "")
        if not kind:
            is_structured = "ContentSequence" in self.dataset or self.root.code
            kind = "a structured report of another kind" if is_structured else "another DICOM object"
        found = f"{kind} ({self.title})" if self.title else kind
        sentence = f"The file is {found} and no measurement report (TID 1500); it gave no rows."
        self._tell("not_a_measurement_report", "info", sentence, found, remedy="None needed.")

    def _tell_outside(self) -> None:
        """Tell of measurements that stand in no group: nothing says which lesion they belong to."""
        numbers = (item for item in self.root.below(is_group) if item.value_type == "NUM")
        outside = [found for found in map(read_measurement, numbers) if found.column]
        if outside:
            told = "; ".join(f"{found.item.meaning} {found.found}" for found in outside[:_NAMES_TOLD])
            sentence = f"{len(outside)} measurements stand in no measurement group, so their lesion is unknown."
            self._tell("sr_measurement_outside_group", "warning", sentence, told)

    def _tell_foreign(self, read: Sequence[Group]) -> None:
        names = sum((group.foreign for group in read), Counter[str]())
        if names:
            told = ", ".join(f"{name} ({count})" for name, count in sorted(names.items())[:_NAMES_TOLD])
            more = f" and {len(names) - _NAMES_TOLD} more" if len(names) > _NAMES_TOLD else ""
            sentence = f"{names.total()} measurements are of a kind that is not used here: {told}{more}."
            self._tell("sr_unknown_measurements", "info", sentence, f"{told}{more}", remedy="None needed.")

    def _tell(self, kind: str, severity: Severity, sentence: str, found: str, *, remedy: str = "") -> None:
        self.findings.append(
            Finding(
                id=kind,
                severity=severity,
                subject=self.subject,
                timepoint=self.timepoint or self.date,
                found=found,
                sentence=sentence,
                remedy=remedy or "Look at the report with a viewer; fill in the measurement table by hand.",
                file=self.file,
            )
        )


def _words(item: ContentItem, codes: frozenset[str]) -> str:
    return next((place.words for place in item.own(codes) if place.words), "")
