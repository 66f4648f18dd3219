"""What was measured of each study, kept beside the output, so that an interrupted run goes on where it stopped."""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from response.findings import Finding
from response.imaging.border_map import BorderMap, BorderPatches
from response.imaging.lesion_mask import StructureName
from response.imaging.morphology import Features, Suggestion, Votes
from response.io.safe_files import staged_file
from response.observations import Observation

UNUSABLE: Final = "file_unusable"  # id of the finding on a file of a study that could not be used
_PACKED: Final = "packed"  # key of an array in JSON


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
            kept = json.loads(self._path(key).read_text(encoding="utf-8"), object_hook=_unpacked)
            return _result(kept)
        except (OSError, ValueError, TypeError, KeyError, zlib.error):
            return None

    def save(self, key: str, result: StudyResult) -> None:
        """Keep the result of a study, whole or not at all."""
        text = json.dumps(asdict(result), ensure_ascii=False, default=_packed)
        with staged_file(self._path(key)) as stage:
            stage.write_text(text, encoding="utf-8", errors="surrogateescape")

    def forget(self) -> None:
        """Delete all that is kept."""
        for path in self.folder.glob("*.json"):
            path.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def _result(kept: dict[str, Any]) -> StudyResult:
    findings = [Finding(**item) for item in kept["findings"]]
    return StudyResult(
        observations=[_observation(item) for item in kept["observations"]], findings=findings, failed=kept["failed"]
    )


def _observation(kept: dict[str, Any]) -> Observation:
    suggestion = kept["suggestion"]
    parts = {
        "name": StructureName(**kept["name"]),
        "suggestion": None if suggestion is None else _suggestion(suggestion),
    }
    return Observation(**{**kept, **parts})


def _suggestion(kept: dict[str, Any]) -> Suggestion:
    border = kept["border"]
    parts = {
        "cut": tuple(border["cut"]),
        "views": tuple(border["views"]),
        "patches": BorderPatches(**border["patches"]),
    }
    return Suggestion(
        **{
            **kept,
            "votes": Votes(**kept["votes"]),
            "features": Features(**kept["features"]),
            "notes": tuple(kept["notes"]),
            "border": BorderMap(**{**border, **parts}),
        }
    )


def _packed(array: Any) -> dict[str, Any]:
    """Return an array for JSON: a map of the border is nearly empty, and packs to a hundredth."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{type(array).__name__} cannot be kept")
    packed = base64.b64encode(zlib.compress(array.tobytes())).decode("ascii")
    return {_PACKED: packed, "type": array.dtype.str, "shape": array.shape}


def _unpacked(kept: dict[str, Any]) -> Any:
    if _PACKED not in kept:
        return kept
    values = np.frombuffer(zlib.decompress(base64.b64decode(kept[_PACKED])), kept["type"])
    return values.reshape(kept["shape"])
