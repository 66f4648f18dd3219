"""The command that writes DICOM structured reports: `sr`."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from response.commands.logs import Log
from response.commands.options import (
    Criteria,
    Debug,
    Decimal,
    Delimiter,
    Files,
    LogMode,
    LogOption,
    MappingFile,
    Out,
    ProtocolFile,
    Quiet,
    Sheet,
    Subjects,
    Visits,
)
from response.commands.run import Run, refuse_unwritable
from response.commands.summaries import SOME_NOT_SCORED, counted, tell_unscored

if TYPE_CHECKING:
    from response.findings import Finding


class Axes(StrEnum):
    """How the axes of a lesion are spelt."""

    standard = "standard"
    ohif = "ohif"


Images = Annotated[
    Path | None,
    typer.Option(
        "--images",
        metavar="PATH",
        help="DICOM images that were measured: a file or folder. Diameters are then drawn on them.",
    ),
]
AxesOption = Annotated[
    Axes, typer.Option("--axes", help="Axes as the standard has them, or as the OHIF viewer reads them.")
]
StoreOn = Annotated[
    str | None, typer.Option("--dicomweb", metavar="URL", help="Store the reports on a PACS, too (STOW-RS).")
]
Subject = Annotated[str | None, typer.Option("--subject", metavar="ID", help="One subject only.")]
Timepoint = Annotated[str | None, typer.Option("--timepoint", metavar="LABEL", help="One timepoint only.")]


def sr(
    *,
    files: Files,
    out: Out,
    images: Images = None,
    axes: AxesOption = Axes.standard,
    subject: Subject = None,
    timepoint: Timepoint = None,
    dicomweb: StoreOn = None,
    visits: Visits = None,
    subjects: Subjects = None,
    criteria: Criteria = None,
    protocol: ProtocolFile = None,
    mapping: MappingFile = None,
    decimal: Decimal = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    quiet: Quiet = False,
    log: LogOption = LogMode.text,
    debug: Debug = False,  # noqa: ARG001 (read where the command is guarded)
) -> int:
    """Write DICOM reports (SR). One for each subject, evaluator and timepoint: measurements and responses."""
    from response.io.sr_writing import write_reports

    run = Run(
        Log(log.value, quiet=quiet),
        files=files,
        visits=visits,
        subjects=subjects,
        collected=None,
        mapping=mapping,
        protocol=protocol,
    )
    refuse_unwritable(out)
    told: list[Finding] = []
    with run.log.stages(run.size) as stages:
        found = run.assessment(stages, criteria, decimal, delimiter, sheet)
        stages.start("writing")
        written = write_reports(
            found,
            out,
            images=[*([] if images is None else [images]), *(path for path in files if path.is_dir())],
            axes=axes.value,
            subject=subject,
            timepoint=timepoint,
            keep=run.inputs,
            tell=told.append,
        )
    lost = _tell_findings(run.log, told)
    run.log.tell(
        "written", f"{counted(len(written), 'report')} written to {out}", folder=str(out), reports=len(written)
    )
    lost += 0 if dicomweb is None else _store(run.log, written, dicomweb)
    return max(tell_unscored(run.log, found), SOME_NOT_SCORED if lost else 0)


def _store(log: Log, reports: "Sequence[Path]", url: str) -> int:
    """Store reports on a PACS; return how many it did not take."""
    from response.io.dicomweb import Pacs

    with Pacs(url) as pacs:
        for note in pacs.notes:
            log.alert("pacs", note)
        stored = pacs.store(reports)
    for path, why in stored.failed:
        log.alert("not_stored", f"{path}: not stored: {why}", file=str(path))
    log.tell("stored", f"{counted(len(stored.ok), 'report')} stored on the PACS", reports=len(stored.ok))
    return len(stored.failed)


def _tell_findings(log: Log, findings: "Sequence[Finding]") -> int:
    """Tell each kind of finding once, with the place of the first; return how many reports were lost."""
    by_kind: dict[str, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(f"{finding.severity} {finding.id} {finding.sentence}", []).append(finding)
    for several in by_kind.values():
        first = several[0]
        where = f"{first.file}:{first.line}: " if first.line else f"{first.file}: " if first.file else ""
        more = f" (and {len(several) - 1} more)" if len(several) > 1 else ""
        tell = log.tell if first.severity == "info" else log.alert
        tell("finding", f"{where}{first.sentence}{more}", id=first.id, severity=first.severity, count=len(several))
    return sum(finding.id == "report_failed" for finding in findings)
