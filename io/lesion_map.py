"""The map file of lesions, as CSV: which structure of which study is which lesion."""

import csv
from collections.abc import Mapping
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Final

from response.cells import DatePrecision, date_of
from response.errors import InputError
from response.findings import Finding
from response.lesion_map import KEYS, SAYS, STRUCTURE_KEYS, LesionMap, MapEntry
from response.vocabulary import Role, State, YesNo, folded, members_by_text, text_of

_EXPECTED: Final = f"the column lesion and some of {', '.join(KEYS)}; {', '.join(SAYS[1:])} may stand beside them"
_REMEDY: Final = "one line per structure, as in: subject,date,tracking_uid,lesion"
_ALIASES: Final[Mapping[str, str]] = {
    "segment": "number",
    "segment number": "number",
    "roi number": "number",
    "label value": "number",
    "patient": "subject",
    "patient id": "subject",
    "study instance uid": "study",
    "study uid": "study",
    "study date": "date",
    "tracking identifier": "tracking_id",
    "tracking unique identifier": "tracking_uid",
    "segment label": "label",
    "visit": "timepoint",
    "time point": "timepoint",
    "lesion id": "lesion",
}
_EPOCH: Final = date(1970, 1, 1).toordinal()
_ENUMS: Final = {"role": Role, "state": State, "nodal": YesNo}


def read_lesion_map(path: Path | str) -> LesionMap:
    """Read a map of lesions.

    The file is CSV (comma, semicolon or tab) with a header: `lesion`, some of `subject`, `study`, `date`, `timepoint`,
    `file`, `tracking_uid`, `tracking_id`, `number` (or `segment`), `label`, and optionally `role`, `organ`, `nodal` and
    `state`. A line fits an observation where all its keys that are not blank do. Lines that cannot be used are
    findings of the map.

    Raises
    ------
    InputError
        If the file cannot be read, or has no column `lesion` or no other known one.
    """
    path = Path(path)
    rows = _rows(path)
    header = [_column(name) for name in rows[0]] if rows else []
    unknown = [name for name, column in zip(rows[0], header, strict=True) if not column and name] if rows else []
    if "lesion" not in header or not set(header) & set(STRUCTURE_KEYS):
        raise InputError(str(path), f"the columns {', '.join(rows[0]) if rows else 'none'}", _EXPECTED, _REMEDY)
    if len(set(filter(None, header))) != len(list(filter(None, header))):
        raise InputError(str(path), "two columns of one meaning", _EXPECTED, "leave one of them out")
    reader = _Lines(str(path), header)
    if unknown:
        reader.tell(1, "lesion_map_column", "warning", f"Columns of the map are not known: {', '.join(unknown)}.")
    entries = [entry for line, row in enumerate(rows[1:], start=2) if (entry := reader.entry(line, row)) is not None]
    return LesionMap(entries=entries, file=str(path), findings=reader.findings)


class _Lines:
    """Reads the lines of one map."""

    def __init__(self, file: str, header: list[str]) -> None:
        self.file, self.header = file, header
        self.findings: list[Finding] = []

    def entry(self, line: int, row: list[str]) -> MapEntry | None:
        """Return what a line says; None where it is blank or cannot be used."""
        if not any(cell.strip() for cell in row):
            return None
        cells = {name: cell.strip() for name, cell in zip(self.header, row, strict=False) if name}
        faults = [fault for name in (*_ENUMS, "date", "number") for fault in self._normalise(cells, name)]
        if not cells.get("lesion"):
            faults.append("it names no lesion")
        if not any(cells.get(name) for name in STRUCTURE_KEYS):
            faults.append(f"it names no structure by {', '.join(STRUCTURE_KEYS)}")
        if faults:
            self.tell(line, "lesion_map_line", "error", f"Line {line} of the map was not used: {'; '.join(faults)}.")
            return None
        return MapEntry(**cells, line=line)

    def _normalise(self, cells: dict[str, str], name: str) -> list[str]:
        """Write a cell as the measurement table does; return what is wrong with it."""
        text = cells.get(name, "")
        if not text:
            return []
        if name in _ENUMS:
            member = members_by_text(_ENUMS[name]).get(folded(text))
            cells[name] = "" if member is None else {1: "N", 2: "Y"}[member] if name == "nodal" else text_of(member)
            return [] if member is not None else [f"{name} is '{text}'"]
        if name == "number":
            cells[name] = str(int(text)) if text.isdecimal() else ""
            return [] if text.isdecimal() else [f"number is '{text}'"]
        found = date_of(text)
        if found.precision != DatePrecision.DAY:
            return [f"date is '{text}'"]
        cells[name] = date.fromordinal(_EPOCH + found.days).isoformat()
        return []

    def tell(self, line: int, kind: str, severity: str, sentence: str) -> None:
        self.findings.append(
            Finding(
                id=kind,
                severity="error" if severity == "error" else "warning",
                expected=_EXPECTED,
                sentence=sentence,
                remedy="Correct the map file.",
                file=self.file,
                line=line,
            )
        )


def _rows(path: Path) -> list[list[str]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            str(path), (error.strerror or "unreadable").lower(), "a map of lesions", "check the name"
        ) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise InputError(str(path), f"no CSV ({error})", _EXPECTED, _REMEDY) from None


def _column(name: str) -> str:
    words = folded(name)
    return _ALIASES.get(words) or next((column for column in (*KEYS, *SAYS) if folded(column) == words), "")
