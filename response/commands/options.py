"""The options that several commands share, declared once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer


class LogMode(StrEnum):
    """How messages are written."""

    text = "text"
    json = "json"


class DecimalMark(StrEnum):
    """Decimal mark of a text file."""

    point = "."
    comma = ","


_INPUT: Final = "Input"
_RUN: Final = "Messages"

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="Lesion measurements: CSV, TSV, xlsx, Parquet, or SDTM TU, TR and RS.",
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
        "Default: the built-in ones whose columns the table has.",
    ),
]
ProtocolFile = Annotated[
    Path | None, typer.Option("--protocol", metavar="FILE", help="Options that differ from the standard (TOML).")
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
