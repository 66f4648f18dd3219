"""The manifest of a run: what was done, with what, under which options, and what came out."""

import datetime
import hashlib
import platform
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from response.criteria.study_definitions import definition_of
from response.findings import SEVERITIES, Finding
from response.protocol import Schedule, differences
from response.registry import brought_by
from response.report.series_columns import unmeasured_subjects

if TYPE_CHECKING:
    from response.criteria.criterion import Criterion
    from response.engine import Assessment
    from response.result import Result

_READ_BYTES: Final = 1 << 20


def manifest(
    assessment: "Assessment",
    findings: Sequence[Finding],
    *,
    inputs: Sequence[Path] = (),
    notes: Sequence[str] = (),
    command: Sequence[str] | None = None,
    files: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what was done, with what, under which options, and what came out, as JSON holds it."""
    from response import __version__

    return {
        "tool": "tumor-response",
        "version": __version__,
        "python": platform.python_version(),
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": shlex.join(sys.argv if command is None else command),
        "inputs": [_input(path) for path in inputs],
        "notes": list(notes),
        "protocol": assessment.protocol.name,
        "criteria": {name: _criterion(result) for name, result in assessment.results.items()},
        "schedule": _schedule(assessment),
        "counts": _counts(assessment, findings),
        "not_scored": sorted(_not_scored(assessment)),
        "files": list(files),
    }


def _input(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256()
            size = 0
            while part := file.read(_READ_BYTES):
                digest.update(part)
                size += len(part)
    except OSError as error:
        return {"path": str(path), "unreadable": error.strerror or str(error)}
    return {"path": str(path), "bytes": size, "sha256": digest.hexdigest()}


def _criterion(result: "Result") -> dict[str, Any]:
    brought = brought_by(result.criterion)
    return {
        "title": result.criterion.title,
        "source": result.criterion.source,
        **({"brought_by": asdict(brought)} if brought else {}),
        **({"definition": _definition(result.criterion)} if result.criterion.based_on else {}),
        "options": asdict(result.options),
        "differences": {
            name: {"standard": standard, "effective": effective}
            for name, (standard, effective) in differences(result.options).items()
        },
    }


def _definition(criterion: "Criterion") -> dict[str, Any]:
    """Return the definition of a study's criterion, to be made again from; decimals of at most three figures."""
    whole = definition_of(criterion)
    return {key: float(value) if isinstance(value, Decimal) else value for key, value in whole.items()}


def _schedule(assessment: "Assessment") -> dict[str, Any]:
    return asdict(assessment.protocol.options("schedule", Schedule))


def _counts(assessment: "Assessment", findings: Sequence[Finding]) -> dict[str, Any]:
    timeline = assessment.timeline
    by_severity = Counter(finding.severity for finding in findings)
    return {
        "rows": len(timeline.measurements),
        "subjects": len(set(timeline.series.subject.tolist())) + len(unmeasured_subjects(timeline)[1]),
        "series": len(timeline.series),
        "timepoints": len(timeline.visits),
        "lesions": len(timeline.tracks),
        "findings": {severity: by_severity.get(severity, 0) for severity in SEVERITIES},
    }


def _not_scored(assessment: "Assessment") -> Iterator[str]:
    """Hand out the subjects of whom some evaluator's series has no baseline, or nothing was measured."""
    series = assessment.timeline.series
    yield from {series.subjects[code] for code in series.subject[series.baseline < 0].tolist()}
    yield from unmeasured_subjects(assessment.timeline)[1]
