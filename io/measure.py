"""From folders of images, segmentations and reports to one measurement table; the whole of `tumor-response measure`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from response.columns import COLUMNS, IMAGING_COLUMNS
from response.comparable import with_comparability
from response.errors import InputError
from response.findings import Finding
from response.imaging.options import MeasureOptions
from response.io.folders import OWN_FOLDERS
from response.io.results import csv_cell, write_tables
from response.io.safe_files import staged_folder
from response.io.studies import find_studies
from response.io.study_runs import Progressed, StudyTask, run_studies
from response.io.study_store import UNUSABLE, StudyStore
from response.observed import SuggestedGroup, measurement_table
from response.report.tables import finding_table
from response.table import TextColumn, TextTable

Roles = Literal["propose", "as_coded"]
_KEPT: Final = f"{OWN_FOLDERS}-studies-"  # start of the hidden folder that keeps finished studies beside the output


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """What some folders gave.

    Attributes
    ----------
    table
        The measurement table: `measurements.COLUMNS` and `IMAGING_COLUMNS`, as text.
    findings
        What could not be used, what was assumed, and what to know.
    studies, failed
        Number of studies with something to measure, and of those that could not be measured, or not in full.
    files
        Number of files looked at.
    suggestions
        The suggested Chun groups with the maps of the borders, where `border_maps` asks for them
        (`border_maps.write_border_maps`).
    """

    table: TextTable
    findings: Sequence[Finding]
    studies: int
    failed: int
    files: int
    suggestions: Sequence[SuggestedGroup] = ()


def measure(
    paths: Sequence[Path],
    *,
    options: MeasureOptions | None = None,
    pairs: Path | None = None,
    lesion_map: Path | None = None,
    roles: Roles = "propose",
    organs: bool = True,
    remote: Sequence[StudyTask] = (),
    listed: Sequence[Finding] = (),
    store: StudyStore | None = None,
    jobs: int | None = 1,
    scheduler: str | None = None,
    progress: Progressed | None = None,
) -> Measured:
    """Measure all lesions that are segmented, and read all measurement reports, in files and folders of any depth.

    Parameters
    ----------
    paths
        Files and folders: DICOM series with SEG or RTSTRUCT, DICOM SR, NIfTI, NRRD and MHA images with label maps.
    options
        How lesions are measured.
    pairs
        Table of image files and masks (`image_pairs.read_pairs`).
    lesion_map
        Which lesion is which over time, where the files do not say it (`lesion_map.read_lesion_map`).
    roles
        Whether lesions without a coded role get one: targets as RECIST 1.1 selects them at the first study, new
        lesions later. Each such assumption is a finding.
    organs
        Whether structures that are no lesions (a liver) stand in the table too, without a role.
    remote, listed
        Studies of a PACS, and what was found on looking for them (`remote_studies`).
    store, jobs, scheduler, progress
        As in `study_runs.run_studies`.

    Raises
    ------
    InputError
        If there is nothing to measure at all, or an input cannot be used.
    """
    from response.io.lesion_map import read_lesion_map

    said = read_lesion_map(lesion_map) if lesion_map is not None else None
    found = find_studies(paths, pairs=pairs) if paths or pairs else None
    tasks: list[StudyTask] = [*(found.studies if found else ()), *remote]
    findings = [*listed, *(found.findings if found else ())]
    if not tasks:
        raise _nothing(paths, found.files if found else 0)
    results = run_studies(
        tasks, options or MeasureOptions(), store=store, jobs=jobs, scheduler=scheduler, progress=progress
    )
    observations = [observation for result in results for observation in result.observations]
    findings += [finding for result in results for finding in result.findings]
    dates = found.dates if found else None
    observed = measurement_table(observations, lesion_map=said, roles=roles, organs=organs, dates=dates)
    return Measured(
        table=with_comparability(observed.table),
        findings=[*findings, *observed.findings],
        studies=len(tasks),
        failed=sum(result.failed or any(item.id == UNUSABLE for item in result.findings) for result in results),
        files=found.files if found else 0,
        suggestions=observed.suggestions,
    )


def store_beside(out: Path) -> StudyStore:
    """Return the store of a run that writes to `out`: a hidden folder beside it."""
    return StudyStore(out.parent / f"{_KEPT}{out.stem}")


def write_measurements(measured: Measured, out: Path, *, keep: Sequence[Path] = ()) -> list[Path]:
    """Write the table as CSV, and the findings beside it, whole or not at all.

    Raises
    ------
    OutputError
        If they cannot be written, or `out` is one of `keep`, the inputs.
    """
    with staged_folder(out.parent, keep=keep) as stage:
        (stage / out.name).write_text(_csv(measured.table), encoding="utf-8", errors="backslashreplace")
        write_tables({f"{out.stem}_findings": finding_table(measured.findings)}, stage, ["csv"])
        names = sorted(path.name for path in stage.iterdir())
    return [out.parent / name for name in names]


def _csv(table: TextTable) -> str:
    names = [name for name in (*COLUMNS, *IMAGING_COLUMNS) if _is_told(table, name)]
    columns = [_cells(table.columns[name]) for name in names]
    lines = [",".join(names), *(",".join(row) for row in zip(*columns, strict=True))]
    return "\n".join(lines) + "\n"


def _is_told(table: TextTable, name: str) -> bool:
    return name in table.columns and ((name in COLUMNS and COLUMNS[name].required) or any(table.columns[name].values))


def _cells(column: TextColumn) -> list[str]:
    cells = [csv_cell(text) for text in column.values]
    return [cells[code] for code in column.codes.tolist()]


def _nothing(paths: Sequence[Path], files: int) -> InputError:
    return InputError(
        ", ".join(str(path) for path in paths) or "input",
        f"no segmentation and no measurement report among {files} files",
        "DICOM SEG, RTSTRUCT or SR, or label maps in NIfTI, NRRD or MHA",
        "for label maps name images and masks in a table (--pairs)",
    )
