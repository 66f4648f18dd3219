"""Small trials with images, to be written as DICOM SR."""

import csv
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

import response
from response.engine import Assessment
from response.findings import Finding
from response.imaging.grid import Grid
from response.io.dicom_files import quiet_pydicom
from response.io.sr_writing import write_reports
from tests.dicom_factory import oblique_grid, write_ct_series

CREATED: Final = datetime(2025, 3, 4, 5, 6, 7)
DATES: Final = ("20240102", "20240301")
SLICE: Final = 2
# Row and column of the ends of a long and a short axis on the slice, between pixels too.
LONG: Final = ((4.0, 2.0), (4.0, 8.5))
SHORT: Final = ((2.25, 5.0), (6.0, 5.0))


@dataclass
class Images:
    """CT series of a subject, one for each date, all on one grid."""

    folder: Path
    grid: Grid
    instances: dict[str, Path] = field(default_factory=dict)

    def uid(self, date: str) -> str:
        return str(pydicom.dcmread(self.instances[date], stop_before_pixels=True).SOPInstanceUID)


def write_images(folder: Path, *, subject: str = "S-1", **options: Any) -> Images:
    grid = oblique_grid((5, 16, 12))
    images = Images(folder, grid)
    for date in DATES:
        voxels = np.zeros(grid.shape, np.int16)
        with quiet_pydicom():  # some tests want headers that do not fit
            paths = write_ct_series(folder / date, voxels, grid, subject=subject, study_date=date, **options)
        images.instances[date] = paths[SLICE]
    return images


def ends(grid: Grid, pixels: Sequence[tuple[float, float]], index: int = SLICE) -> list[NDArray[np.float64]]:
    return [grid.points(index, row, column) for row, column in pixels]


def point_text(point: NDArray[np.float64]) -> str:
    return "[" + " ".join(f"{value:.3f}" for value in point) + "]"


def axes_cells(grid: Grid, index: int = SLICE) -> dict[str, str]:
    columns = ("longest_from", "longest_to", "short_from", "short_to")
    points = [*ends(grid, LONG, index), *ends(grid, SHORT, index)]
    return dict(zip(columns, map(point_text, points), strict=True))


def lesion_row(**cells: Any) -> dict[str, str]:
    row = {"subject": "S-1", "timepoint": "0", "date": "2024-01-02", "lesion": "T1", "role": "target"}
    return {**row, "organ": "liver", **{name: str(value) for name, value in cells.items()}}


def measured_rows(images: Images) -> list[dict[str, str]]:
    """Return two timepoints of a target that was measured on the images, of a node and of a non-target."""
    rows = []
    for place, date in enumerate(DATES):
        day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
        at = {"timepoint": str(place), "date": day}
        rows += [
            lesion_row(
                **at,
                **axes_cells(images.grid),
                organ="left lung",
                longest_mm=("10.25", "6.5")[place],
                short_mm="3.375",
                attenuation_hu=("-12.5", "40")[place],
                attenuation_sd_hu="11.25",
                area_mm2="60.5",
                volume_mm3="812.125",
                sop_instance_uid=images.uid(date),
                tracking_uid="1.2.840.99.7",
            ),
            lesion_row(**at, lesion="N1", organ="lymph node", longest_mm="22", short_mm="18"),
            lesion_row(**at, lesion="NT1", role="non_target", organ="spleen", state=("present", "absent")[place]),
        ]
    return rows


def assessed(
    rows: Sequence[Mapping[str, str]], folder: Path, criteria: Sequence[str] | None = ("recist-1.1",), **options: Any
) -> Assessment:
    path = folder / "lesions.csv"
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(rows)
    return response.assess(response.read(path, **options), criteria)


def written(
    rows: Sequence[Mapping[str, str]], folder: Path, criteria: Sequence[str] | None = ("recist-1.1",), **options: Any
) -> tuple[dict[str, pydicom.Dataset], list[Finding]]:
    """Return the reports of a table by file name, and what was told."""
    told: list[Finding] = []
    options = {"created": CREATED, "tell": told.append, **options}
    paths = write_reports(assessed(rows, folder, criteria), folder / "sr", **options)
    return {path.stem: pydicom.dcmread(path) for path in paths}, told


def needs(tool: str, package: str) -> str:
    """Return the path of a program; the test is skipped, and says so, where it is missing."""
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"{tool} is not installed (Debian package {package}): reports are not checked by it")
    return found


def output_of(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


# --- a walk over content, by code, apart from that of the program


def code(dataset: pydicom.Dataset) -> str:
    value = dataset.get("CodeValue") or dataset.get("LongCodeValue")
    return f"{value}^{dataset.CodingSchemeDesignator}"


def name(item: pydicom.Dataset) -> str:
    return code(item.ConceptNameCodeSequence[0])


def children(item: pydicom.Dataset, wanted: str = "") -> list[pydicom.Dataset]:
    return [child for child in item.get("ContentSequence", []) if wanted in ("", name(child))]


def groups(report: pydicom.Dataset) -> dict[str, pydicom.Dataset]:
    """Return the measurement groups by tracking identifier."""
    (measurements,) = children(report, "126010^DCM")
    found = {}
    for group in children(measurements, "125007^DCM"):
        (identifier,) = children(group, "112039^DCM")
        found[identifier.TextValue] = group
    return found


def value(item: pydicom.Dataset) -> str:
    """Return the value of a CODE, TEXT, UIDREF or NUM item as text."""
    if item.ValueType == "CODE":
        return code(item.ConceptCodeSequence[0])
    if item.ValueType == "NUM":
        measured = item.MeasuredValueSequence[0]
        return f"{float(measured.NumericValue):g} {code(measured.MeasurementUnitsCodeSequence[0])}"
    return str(item.get("TextValue") or item.get("UID"))


def values(group: pydicom.Dataset, wanted: str) -> list[str]:
    return [value(item) for item in children(group, wanted)]
