"""The command that measures on images: `measure`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from response.commands.logs import Log
from response.commands.measuring import ImageInputs, measure_with
from response.commands.options import (
    BorderMaps,
    Debug,
    DicomWeb,
    Fresh,
    Jobs,
    Lesions,
    LogMode,
    LogOption,
    Pairs,
    ProtocolFile,
    Quiet,
    RoleMode,
    Roles,
    Scheduler,
    StudyList,
)
from response.commands.run import checked_protocol, refuse_unwritable
from response.commands.summaries import DONE, SOME_NOT_SCORED, counted, tell_findings
from response.errors import InputError

if TYPE_CHECKING:
    from response.findings import Finding
    from response.io.study_runs import StudyTask


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
    border_maps: BorderMaps = None,
    dicomweb: DicomWeb = None,
    studies: StudyList = None,
    quiet: Quiet = False,
    log: LogOption = LogMode.text,
    debug: Debug = False,  # noqa: ARG001 (read where the command is guarded)
) -> int:
    """Measure lesions on images. Reads segmentations and reports, and writes the table that assess takes."""
    from response.io.border_maps import check_border_maps, refuse_among_inputs, write_border_maps
    from response.io.measure import write_measurements

    told = Log(log.value, quiet=quiet)
    if out.suffix.lower() != ".csv":
        raise InputError(str(out), f"a name that ends in '{out.suffix}'", "a name that ends in .csv")
    refuse_unwritable(out.parent)
    if border_maps is not None:
        refuse_among_inputs(border_maps, paths or [])
        refuse_unwritable(border_maps)
    options = checked_protocol(protocol)
    remote, listed = _remote(dicomweb, studies)
    inputs = ImageInputs(
        out=out,
        pairs=pairs,
        lesions=lesions,
        roles=roles.value,
        organs=True,
        remote=remote,
        listed=listed,
        jobs=jobs,
        scheduler=scheduler,
        fresh=fresh,
        border_maps=border_maps is not None,
    )
    with told.stages(None) as stages:
        found = measure_with(told, stages, paths or [], inputs, options)
    named = (*(paths or []), *inputs.files, protocol, studies)
    keep = [path for path in named if path is not None and path.is_file()]
    if border_maps is not None:
        found = replace(found, findings=[*found.findings, *check_border_maps(found.suggestions)])
    written = write_measurements(found, out, keep=keep)
    told_files = [str(path) for path in written]
    if border_maps is not None:
        maps = write_border_maps(found.suggestions, border_maps, keep=keep)
        told_files.append(f"{counted(len(maps), 'file')} in {border_maps}")
        written += maps
    tell_findings(told, found.findings)
    told.tell("written", f"written: {', '.join(told_files)}", files=[str(path) for path in written])
    lost = found.failed or any(finding.severity == "error" for finding in listed)
    return SOME_NOT_SCORED if lost else DONE


def _remote(url: str | None, studies: Path | None) -> "tuple[Sequence[StudyTask], Sequence[Finding]]":
    if url is None and studies is None:
        return (), ()
    if url is None or studies is None:
        given = "--studies without --dicomweb" if url is None else "--dicomweb without --studies"
        raise InputError("options", given, "both: the address of the PACS, and the list of its studies")
    from response.io.remote_studies import remote_studies

    return remote_studies(url, studies)
