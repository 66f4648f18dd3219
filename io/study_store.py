"""What was measured of each study, kept beside the output, so that an interrupted run goes on where it stopped."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from response.findings import Finding
from response.imaging.lesion_mask import StructureName
from response.io.safe_files import staged_file
from response.observations import Observation

UNUSABLE: Final = "file_unusable"  # id of the finding on a file of a study that could not be used


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """What one study gave.

    Attributes
    ----------
    observations
        Its lesions.
    findings
        What could not be used, and what to know.
    failed
        Whether nothing could be made of it; it is tried again in the next run.
    """

    observations: Sequence[Observation] = ()
    findings: Sequence[Finding] = ()
    failed: bool = False


class StudyStore:
    """One JSON file per finished study in a folder; named by a key that changes with its files and the options."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str) -> StudyResult | None:
        """Return what was kept of a study; None where there is nothing, or nothing that can be read."""
        try:
            kept = json.loads(self._path(key).read_text(encoding="utf-8"))
            return _result(kept)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def save(self, key: str, result: StudyResult) -> None:
        """Keep the result of a study, whole or not at all."""
        with staged_file(self._path(key)) as stage:
            stage.write_text(json.dumps(asdict(result), ensure_ascii=False), encoding="utf-8", errors="surrogateescape")

    def forget(self) -> None:
        """Delete all that is kept."""
        for path in self.folder.glob("*.json"):
            path.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def _result(kept: dict[str, Any]) -> StudyResult:
    observations = [Observation(**{**item, "name": StructureName(**item["name"])}) for item in kept["observations"]]
    findings = [Finding(**item) for item in kept["findings"]]
    return StudyResult(observations=observations, findings=findings, failed=kept["failed"])
