"""A list of the studies that are wanted from a PACS: a text file of study UIDs, or a table."""

import csv
import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date  # noqa: N812  # `date` is a column
from datetime import timedelta
from pathlib import Path
from typing import Final

from response.cells import DatePrecision, date_of
from response.errors import InputError
from response.io.aliases import squeezed
from response.io.sniffing import DELIMITERS, encoding_of, fallback_encoding, kind_of_file

LARGEST_BYTES: Final = 1 << 26  # a million studies
MOST_FAULTS_SHOWN: Final = 50

_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)+")
_LONGEST_UID: Final = 64  # PS3.5, section 9.1
_EXPECTED: Final = (
    "one Study Instance UID per line, or a table with the columns study_instance_uid, or accession_number, or subject"
)
# As squeezed headers: "Study Instance UID", StudyInstanceUID and study_instance_uid are one.
_COLUMNS: Final[Mapping[str, str]] = {
    "studyinstanceuid": "uid", "studyuid": "uid", "studyinstanceid": "uid", "suid": "uid",
    "accessionnumber": "accession", "accession": "accession", "accessionno": "accession", "accnumber": "accession",
    "subject": "subject", "patientid": "subject", "patient": "subject", "subjectid": "subject", "usubjid": "subject",
    "date": "date", "studydate": "date", "scandate": "date",
    "datefrom": "first", "from": "first", "startdate": "first",
    "dateto": "last", "to": "last", "enddate": "last",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class StudyEntry:
    """One line of a study list: which studies are wanted.

    Attributes
    ----------
    study_instance_uid, accession_number, subject
        At least one is there; the first that is decides which studies are looked for, the others are compared.
        `subject` is the Patient ID.
    first_date, last_date
        ISO dates between which the study was made, both included; empty where there is no limit.
    file, line
        Where it stands.
    """

    study_instance_uid: str = ""
    accession_number: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    first_date: str = ""
    last_date: str = ""
    file: str = ""
    line: int = 0


def is_uid(text: str) -> bool:
    """Return whether a text can be a DICOM UID (PS3.5, section 9.1; leading zeros are forgiven, for they occur)."""
    return uid_fault(text) == ""


def uid_fault(text: str) -> str:
    """Return what keeps a text from being a DICOM UID, or an empty text; the text itself is not repeated."""
    if len(text) > _LONGEST_UID:
        return f"a UID of {len(text)} characters; at most {_LONGEST_UID} are allowed"
    if _UID.fullmatch(text):
        return ""
    if re.fullmatch(r"[0-9]+([.,][0-9]+)?E[+]?[0-9]+", text, re.IGNORECASE):
        return "a UID that a spreadsheet has made a number"
    if set(text) <= set("0123456789."):
        return "no UID (numbers with a dot between them)"
    return "no UID (other characters than figures and dots)"


def read_study_list(path: Path | str) -> list[StudyEntry]:
    """Read which studies are wanted, in the order of the file; what stands there twice is taken once.

    A text file has one Study Instance UID per line. A table (CSV, with commas, semicolons, tabs or `|`) has a header
    with the columns `study_instance_uid`, `accession_number`, `subject` (or `patient_id`), and optionally `date` (a
    day, a month, a year, or two of them with `/` between) or `date_from` and `date_to`; other columns are passed over.
    Blank lines, lines that begin with `#`, and what follows a blank and a `#` are passed over in both.

    Raises
    ------
    InputError
        If the file cannot be read or names no study, or if lines are wrong: all of them are told at once, by number,
        without what stands there, for it may be a name in the wrong place.
    """
    path = Path(path)
    rows = _rows(path, _lines(path))
    faults: list[str] = []
    entries = [entry for line, cells in rows if (entry := _entry(str(path), line, cells, faults))]
    if faults:
        shown = faults[:MOST_FAULTS_SHOWN]
        more = [f"{len(faults) - len(shown)} more"] if len(faults) > len(shown) else []
        raise InputError(str(path), "; ".join([*shown, *more]), _EXPECTED)
    distinct = {replace(entry, line=0): entry for entry in reversed(entries)}
    if not distinct:
        raise InputError(str(path), "no study", _EXPECTED)
    return sorted(distinct.values(), key=lambda entry: entry.line)


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(str(path), error.strerror or "an unreadable file", "a study list") from None
    if len(content) > LARGEST_BYTES:
        raise InputError(str(path), f"more than {LARGEST_BYTES} bytes", "a study list", "is it the right file?")
    if kind_of_file(path, content[:4096]) != "text":
        raise InputError(str(path), "an Excel or Parquet file", _EXPECTED, "save it as CSV")
    try:
        text = content.decode(encoding_of(content))
    except UnicodeDecodeError:
        text = content.decode(fallback_encoding(content), "replace")
    return text.removeprefix("\ufeff").splitlines()


def _rows(path: Path, lines: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the number of each line that says something, and its cells by what they mean."""
    told = [(number, line) for number, line in enumerate(lines, 1) if _has_content(line)]
    header, delimiter = _header(told[0][1]) if told else ([], "")
    if not set(header) & {"uid", "accession", "subject"}:
        if told and any(squeezed(name) in _COLUMNS for name in re.split(r"[,;\t|]", told[0][1])):
            raise InputError(f"{path}:{told[0][0]}", "a header without a column that names studies", _EXPECTED)
        yield from ((number, {"uid": _without_comment(line).strip(" \t\"',;")}) for number, line in told)
        return
    named = [name for name in header if name]
    if len(set(named)) != len(named):
        raise InputError(f"{path}:{told[0][0]}", "two columns of one meaning", _EXPECTED, "rename or delete one")
    for number, line in told[1:]:
        cells = next(csv.reader([_without_comment(line)], delimiter=delimiter), [])
        yield number, _cells(header, cells)


def _cells(header: Sequence[str], cells: Sequence[str]) -> Mapping[str, str]:
    if len(cells) < len(header) or any(cell.strip() for cell in cells[len(header) :]):
        return {"cut": f"{len(cells)} cells, for {len(header)} columns"}
    return {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}


def _has_content(line: str) -> bool:
    return bool(line.strip(" \t,;|\"'")) and not line.lstrip(" \t\"'").startswith("#")


def _without_comment(line: str) -> str:
    return re.sub(r"\s#.*", "", line)


def _header(line: str) -> tuple[list[str], str]:
    """Return what the columns mean (empty where unknown), and the delimiter; no columns if it is no header."""
    best: tuple[list[str], str] = ([], "")
    for delimiter in DELIMITERS:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        meanings = [_COLUMNS.get(squeezed(cell), "") for cell in cells]
        if sum(map(bool, meanings)) > sum(map(bool, best[0])):
            best = (meanings, delimiter)
    return best


def _entry(file: str, line: int, cells: Mapping[str, str], faults: list[str]) -> StudyEntry | None:
    uid, accession, subject = (cells.get(name, "") for name in ("uid", "accession", "subject"))
    wrong = [cells["cut"]] if "cut" in cells else []
    if uid and uid_fault(uid):
        wrong.append(uid_fault(uid))
    if not wrong and not (uid or accession or subject):
        wrong.append("no study, accession number or subject")
    first, last = _dates(cells, wrong)
    faults += [f"line {line}: {fault}" for fault in wrong]
    if wrong:
        return None
    return StudyEntry(
        study_instance_uid=uid,
        accession_number=accession,
        subject=subject,
        first_date=first,
        last_date=last,
        file=file,
        line=line,
    )


def _dates(cells: Mapping[str, str], wrong: list[str]) -> tuple[str, str]:
    """Return the first and the last day that the cells allow."""
    one, _, other = cells.get("date", "").partition("/")
    limits = [(one, other or one), (cells.get("first", ""), cells.get("last", ""))]
    first = [_day(start, wrong, at_end=False) for start, _ in limits if start]
    last = [_day(stop, wrong, at_end=True) for _, stop in limits if stop]
    earliest, latest = max(first, default=""), min(last, default="")
    if earliest and latest and earliest > latest:
        wrong.append("a last date before the first")
    return earliest, latest


def _day(text: str, wrong: list[str], *, at_end: bool) -> str:
    """Return the first or the last day of what may be a day, a month or a year, as ISO text."""
    cell = date_of(text.strip())
    if cell.fault:
        wrong.append(f"no date; expected {cell.fault}")
        return ""
    day = Date(1970, 1, 1) + timedelta(days=cell.days)
    if at_end and cell.precision == DatePrecision.YEAR:
        day = Date(day.year, 12, 31)
    elif at_end and cell.precision == DatePrecision.MONTH:
        day = day.replace(day=monthrange(day.year, day.month)[1])
    return day.isoformat()


def compact(days: Iterable[str]) -> str:
    """Return a range of ISO days as DICOM writes it (PS3.4, section C.2.2.2.5.1), or an empty text for no limits."""
    first, last = (day.replace("-", "") for day in days)
    return f"{first}-{last}" if first != last else first
