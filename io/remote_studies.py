"""Studies on a PACS as tasks: each is fetched into a private folder, measured like a local one, and deleted."""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from response.findings import Finding
from response.imaging.options import MeasureOptions
from response.io.dicomweb import Pacs, PacsError, StudyRef
from response.io.studies import find_studies
from response.io.study_list import read_study_list
from response.io.study_store import StudyResult


@dataclass(frozen=True, kw_only=True)
class RemoteStudy:
    """One study on a PACS; a task of `study_runs`. Credentials are those of the process that measures it.

    Attributes
    ----------
    url
        Root of the service.
    ref
        The study.
    content
        Its series and the number of their instances when the list was made.
    """

    url: str
    ref: StudyRef
    content: str

    @property
    def key(self) -> str:
        """Name of the content, as far as the server tells it."""
        return hashlib.sha256(f"{self.url}\n{self.ref.study_instance_uid}\n{self.content}".encode()).hexdigest()

    @property
    def subject(self) -> str:
        """Patient ID."""
        return self.ref.subject

    @property
    def place(self) -> str:
        """The study, for messages."""
        return f"study {self.ref.study_instance_uid}"

    def measure(self, options: MeasureOptions) -> StudyResult:
        """Fetch the study, measure it, and delete what was fetched."""
        with tempfile.TemporaryDirectory(prefix="tumor-response-", ignore_cleanup_errors=True) as folder:
            with Pacs(self.url) as pacs:
                fetched = pacs.fetch_study(self.ref, folder)
            found = find_studies([Path(folder)])
            results = [study.measure(options) for study in found.studies]
        findings = [*fetched.findings, *found.findings, *(item for result in results for item in result.findings)]
        return StudyResult(
            observations=[
                replace(item, file=self._shown(item.file)) for result in results for item in result.observations
            ],
            findings=[replace(item, file=self._shown(item.file)) for item in findings],
            failed=any(result.failed for result in results)
            or any(item.severity == "error" for item in fetched.findings),
        )

    def _shown(self, file: str) -> str:
        """Return a file without the folder that is gone by then: STUDY_UID/SERIES_UID/SOP_UID.dcm."""
        uid = self.ref.study_instance_uid
        return file[file.index(uid) :] if uid in file else file


def remote_studies(url: str, listed: Path) -> tuple[Sequence[RemoteStudy], Sequence[Finding]]:
    """Return the studies of a study list that a PACS has, and what was found on the way.

    Raises
    ------
    InputError
        If the list cannot be used, or the server cannot be reached.
    MissingExtraError
        If dicomweb-client is not installed.
    """
    entries = read_study_list(listed)
    with Pacs(url) as pacs:
        found = pacs.find_studies(entries)
        notes = [Finding(id="pacs", severity="warning", sentence=note, file=str(listed)) for note in pacs.notes]
        tasks = [RemoteStudy(url=url, ref=ref, content=_content(pacs, ref)) for ref in found.studies]
    return tasks, [*notes, *found.findings]


def _content(pacs: Pacs, ref: StudyRef) -> str:
    try:
        series = sorted((item.series_instance_uid, item.instances) for item in pacs.series_of(ref))
    except PacsError:
        return ""  # it is told, as of this study alone, when the study is to be fetched
    return "\n".join(f"{uid} {instances}" for uid, instances in series)
