"""The command that measures on images: `measure`."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from response.commands.logs import Log
from response.commands.options import Debug, LogMode, LogOption, ProtocolFile, Quiet
from response.commands.summaries import DONE, SOME_NOT_SCORED, counted, tell_findings
from response.errors import InputError

if TYPE_CHECKING:
    from response.imaging.options import MeasureOptions
    from response.io.measure import Measured
    from response.io.study_runs import StudyTask

_MOST_TOLD: Final = 20  # findings that are told one by one; the file lists all


class RoleMode(StrEnum):
    """Where roles come from."""

    propose = "propose"
    as_coded = "as_coded"


Pairs = Annotated[
    Path | None,
    typer.Option("--pairs", metavar="FILE", help="Table of image files and masks: subject, timepoint, image, mask."),
]
Lesions = Annotated[
    Path | None, typer.Option("--lesions", metavar="FILE", help="Which lesion is which over time, and its role (CSV).")
]
Roles = Annotated[
    RoleMode, typer.Option("--roles", help="Propose roles where none is coded (each is a finding), or leave blank.")
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", metavar="N", min=1, help="Local processes; one per processor if not given.")
]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, instead of local processes.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Measure finished studies again.")]
DicomWeb = Annotated[str | None, typer.Option("--dicomweb", metavar="URL", help="Read the studies from a PACS.")]
StudyList = Annotated[
    Path | None, typer.Option("--studies", metavar="FILE", help="Studies to read from the PACS: UIDs, or a CSV.")
]


def measure(
    *,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH...", help="Folders or files: DICOM, NIfTI, NRRD, MHA; of any depth.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="The measurement table (.csv).", show_default=False)
    ],
    pairs: Pairs = None,
    lesions: Lesions = None,
    roles: Roles = RoleMode.propose,
    protocol: ProtocolFile = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    fresh: Fresh = False,
    dicomweb: DicomWeb = None,
    studies: StudyList = None,
    quiet: Quiet = False,
    log: LogOption = LogMode.text,
    debug: Debug = False,  # noqa: ARG001 (read where the command is guarded)
) -> int:
    """Measure lesions on images. Reads segmentations and reports, and writes the table that assess takes."""
    from response.io.measure import write_measurements

    told = Log(log.value, quiet=quiet)
    if out.suffix.lower() != ".csv":
        raise InputError(str(out), f"a name that ends in '{out.suffix}'", "a name that ends in .csv")
    found = measure_with(
        told,
        paths or [],
        out,
        pairs=pairs,
        lesions=lesions,
        roles=roles,
        protocol=protocol,
        jobs=jobs,
        scheduler=scheduler,
        fresh=fresh,
        remote=_remote(told, dicomweb, studies),
    )
    named = [path for path in (*(paths or []), pairs, lesions, protocol, studies) if path is not None]
    written = write_measurements(found, out, keep=[path for path in named if path.is_file()])
    told.tell("written", f"written: {', '.join(str(path) for path in written)}", files=[str(path) for path in written])
    return SOME_NOT_SCORED if found.failed else DONE


def measure_with(
    log: Log,
    paths: Sequence[Path],
    out: Path,
    *,
    pairs: Path | None = None,
    lesions: Path | None = None,
    roles: RoleMode = RoleMode.propose,
    protocol: Path | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    fresh: bool = False,
    organs: bool = True,
    remote: "Sequence[StudyTask]" = (),
) -> "Measured":
    """Measure with a progress bar, and tell what was found; studies that were finished before are kept."""
    from response.io.measure import measure as measure_studies
    from response.io.measure import store_beside

    store = store_beside(out)
    if fresh:
        store.forget()
    with log.stages(None) as stages:
        found = measure_studies(
            paths,
            options=_options(protocol),
            pairs=pairs,
            lesion_map=lesions,
            roles=roles.value,
            organs=organs,
            remote=remote,
            store=store,
            jobs=jobs,
            scheduler=scheduler,
            progress=stages.start("measuring studies"),
        )
    _tell(log, found)
    return found


def _options(protocol: Path | None) -> "MeasureOptions":
    from response.api import as_protocol, validate
    from response.imaging.options import MeasureOptions
    from response.registry import criterion_names

    chosen = as_protocol(protocol)
    validate(chosen, criterion_names())
    return chosen.options("measure", MeasureOptions)


def _remote(log: Log, url: str | None, studies: Path | None) -> "Sequence[StudyTask]":
    if url is None and studies is None:
        return ()
    if url is None or studies is None:
        given = "--studies without --dicomweb" if url is None else "--dicomweb without --studies"
        raise InputError("options", given, "both: the address of the PACS, and the list of its studies")
    from response.io.remote_studies import remote_studies

    tasks, findings = remote_studies(url, studies)
    for finding in findings:
        log.alert("finding", finding.sentence, id=finding.id)
    return tasks


def _tell(log: Log, found: "Measured") -> None:
    lesions = len(set(zip(*(found.table.column(name).texts() for name in ("subject", "lesion")), strict=True)))
    rows = len(found.table)
    log.tell(
        "measured",
        f"{counted(found.studies, 'study').replace('studys', 'studies')}: {counted(rows, 'row')} "
        f"of {counted(lesions, 'lesion')}",
        studies=found.studies,
        rows=rows,
        lesions=lesions,
        failed=found.failed,
    )
    shown = [finding for finding in found.findings if finding.severity != "info"]
    for finding in shown[:_MOST_TOLD]:
        log.alert("finding", f"{finding.file}: {finding.sentence}".removeprefix(": "), id=finding.id)
    if len(shown) > _MOST_TOLD:
        log.alert("finding", f"and {len(shown) - _MOST_TOLD} more; the file of findings lists all")
    tell_findings(log, found.findings)
