"""The options that several commands share, declared once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LogMode(StrEnum):
    """How messages are written."""

    text = "text"
    json = "json"


class DecimalMark(StrEnum):
    """Decimal mark of a text file."""

    point = "."
    comma = ","


class RoleMode(StrEnum):
    """Where roles come from."""

    propose = "propose"
    as_coded = "as_coded"


Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="Lesion measurements: CSV, TSV, xlsx, Parquet, SDTM TU, TR and RS; or folders with images and "
        "segmentations, and DICOM SR.",
        show_default=False,
    ),
]
Visits = Annotated[Path | None, typer.Option("--visits", metavar="FILE", help="Table of visits.")]
Subjects = Annotated[Path | None, typer.Option("--subjects", metavar="FILE", help="Table of subjects.")]
Collected = Annotated[
    Path | None, typer.Option("--collected", metavar="FILE", help="Responses that were collected, to compare with.")
]
Criteria = Annotated[
    str | None,
    typer.Option(
        "--criteria",
        metavar="NAME,...",
        help="Criteria, separated by commas. RECIST 1.1 is always among them. "
        "Default: the built-in ones whose columns the table fills, and those that the protocol defines.",
    ),
]
ProtocolFile = Annotated[
    Path | None,
    typer.Option(
        "--protocol", metavar="FILE", help="Options that differ from the standard, and criteria of the study (TOML)."
    ),
]
MappingFile = Annotated[
    Path | None, typer.Option("--map", metavar="FILE", help="What your columns and words mean (TOML).")
]
Decimal = Annotated[
    DecimalMark | None, typer.Option("--decimal", help="Decimal mark of text files; found out if not given.")
]
Delimiter = Annotated[
    str | None, typer.Option("--delimiter", metavar="CHAR", help="Delimiter of text files ('tab' for a tab).")
]
Sheet = Annotated[str | None, typer.Option("--sheet", metavar="NAME", help="Sheet of an Excel file.")]
Formats = Annotated[
    str, typer.Option("--format", metavar="NAME,...", help="Formats of the results: csv, xlsx, parquet.")
]
Out = Annotated[
    Path, typer.Option("-o", "--out", metavar="DIR", help="Folder of the results; made if needed.", show_default=False)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Tell warnings and errors only.")]
LogOption = Annotated[LogMode, typer.Option("--log", help="Messages as text, or as one JSON object per line.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")]
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
BorderMaps = Annotated[
    Path | None,
    typer.Option(
        "--border-maps",
        metavar="DIR",
        help="Show where the border of each liver metastasis is sharp, gradual or rimmed (suggested Chun group): a "
        "label map and a picture (extra plots) per lesion, and a table.",
    ),
]
DicomWeb = Annotated[str | None, typer.Option("--dicomweb", metavar="URL", help="Read the studies from a PACS.")]
StudyList = Annotated[
    Path | None, typer.Option("--studies", metavar="FILE", help="Studies to read from the PACS: UIDs, or a CSV.")
]
