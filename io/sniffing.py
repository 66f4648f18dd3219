"""What kind of file is this? Told by its content, for names lie: type, encoding, delimiter, header."""

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from zipfile import BadZipFile, ZipFile

from response.errors import InputError

HEAD_BYTES: Final = 1 << 20  # enough for any header
DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "'|'"}
_DELIMITER_WORDS: Final = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}

FileKind = Literal["text", "excel", "parquet"]

_OTHER_KINDS: Final = (
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
    (b"%PDF", "a PDF", "export the table as CSV"),
    (b"HEADER RECORD*****", "a SAS transport file", "give TU and TR together, as SDTM"),
    (b"{", "a JSON file", "give TU and TR together, as SDTM Dataset-JSON"),
    (b"<", "an HTML or XML file", "save it as xlsx or CSV"),
)
_EXPECTED: Final = "a table as CSV, TSV, xlsx or Parquet"


_DICOM_MARK: Final = slice(128, 132), b"DICM"  # DICOM PS3.10, 7.1


def holds_images(path: Path) -> bool:
    """Return whether a path is measured, and not read as a table: a folder, or a DICOM file."""
    if path.is_dir():
        return True
    place, mark = _DICOM_MARK
    try:
        with path.open("rb") as stream:
            return stream.read(place.stop)[place] == mark
    except OSError:
        return False  # the reader of tables tells why


def kind_of_file(path: Path, head: bytes) -> FileKind:
    """Return what a file is by its first bytes.

    Raises
    ------
    InputError
        If it is empty, or no table.
    """
    if not head.strip():
        raise InputError(str(path), "an empty file", _EXPECTED, "was the export complete?")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"\xd0\xcf\x11\xe0"):  # xls, or an xlsx behind a password
        return "excel"
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    for start, kind, remedy in _OTHER_KINDS:
        if head.startswith(start):
            raise InputError(str(path), kind, _EXPECTED, remedy)
    if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise binary_file(path)
    return "text"


def binary_file(path: Path) -> InputError:
    """Return the error for a file that is no text."""
    return InputError(str(path), "a binary file (it holds NUL bytes)", _EXPECTED, "is it the right file?")


def _kind_of_zip(path: Path) -> FileKind:
    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
    except BadZipFile:
        raise InputError(str(path), "a damaged xlsx or zip file", _EXPECTED, "copy or export it again") from None
    if any(name.startswith("xl/workbook") for name in names):
        return "excel"
    raise InputError(str(path), "a zip file that is no xlsx", _EXPECTED, "unpack it first")


def encoding_of(head: bytes) -> str:
    """Return the encoding that the first bytes of a text file suggest."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        # Not final: the head may end in the middle of a character.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=False)
    except UnicodeDecodeError:
        return fallback_encoding(head)
    return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"


def fallback_encoding(content: bytes) -> str:
    """Return the encoding of a text that is not UTF-8: Windows-1252, or Latin-1 where it has bytes unknown to that."""
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out.

    Attributes
    ----------
    delimiter, encoding
        As Python names them.
    header
        The cells of the header, as they stand.
    header_line
        Line on which the header stands.
    first_line
        Line after the header.
    """

    delimiter: str
    encoding: str
    header: Sequence[str]
    header_line: int
    first_line: int


def layout_of(
    path: Path, head: bytes, *, delimiter: str | None, encoding: str | None, is_known: Callable[[str], bool]
) -> Layout:
    """Return the layout of a text file.

    Parameters
    ----------
    path
        For messages.
    head
        The first bytes of the file.
    delimiter, encoding
        What the user said, else they are found out.
    is_known
        Whether a header is one of the columns that are looked for, or an alias of one.

    Raises
    ------
    InputError
        If no delimiter makes columns of the header.
    """
    encoding = _checked_encoding(path, encoding or encoding_of(head))
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head, final=False)
    asked = _DELIMITER_WORDS.get(delimiter, delimiter) if delimiter else _declared_delimiter(text)
    if asked is not None and len(asked) != 1:
        raise InputError(str(path), f"the delimiter '{asked}'", "one character, or tab", "change --delimiter")
    best = asked or max(DELIMITERS, key=lambda candidate: _merit(text, candidate, is_known))
    layout = _with_header(path, text, best, encoding)
    if len(layout.header) == 1 and not is_known(layout.header[0]):
        _refuse_one_column(path, layout, asked)
    return layout


def _checked_encoding(path: Path, encoding: str) -> str:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise InputError(
            str(path), f"the unknown encoding '{encoding}'", "one such as utf-8, latin-1, utf-16", "change --encoding"
        ) from None
    return encoding


def _declared_delimiter(text: str) -> str | None:
    # Excel writes and reads a first line "sep=;".
    first = text[:8].splitlines()[:1]
    return first[0][4] if first and first[0].startswith("sep=") and len(first[0]) == 5 else None


def _with_header(path: Path, text: str, delimiter: str, encoding: str) -> Layout:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not cells[0].startswith("sep="):
                return Layout(delimiter, encoding, cells, start, reader.line_num + 1)
            start = reader.line_num + 1
    except csv.Error:
        pass
    raise InputError(str(path), "no header", "column names in the first line", "is it the right file?")


def _merit(text: str, delimiter: str, is_known: Callable[[str], bool]) -> tuple[int, float, int]:
    """Return how well a delimiter splits the first lines: known headers, rows of the header's width, columns."""
    sample = io.StringIO("\n".join(text[:100_000].splitlines()[:20]), newline="")
    try:
        rows = [row for row in csv.reader(sample, delimiter=delimiter) if any(row)]
    except csv.Error:
        return 0, 0.0, 0
    if not rows or len(rows[0]) < 2:
        return 0, 0.0, 0
    known = sum(is_known(cell) for cell in rows[0])
    return known, sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0])


def _refuse_one_column(path: Path, layout: Layout, asked: str | None) -> None:
    name = layout.header[0][:60]
    if asked:
        found = f"one column only, '{name}', with the delimiter {DELIMITERS.get(asked, repr(asked))}"
    else:
        found = f"one column only, '{name}'"
    raise InputError(
        f"{path}:{layout.header_line}",
        found,
        f"columns separated by {', '.join(DELIMITERS.values())}",
        "pass --delimiter" if asked is None else "change --delimiter",
    )
