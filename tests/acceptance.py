"""The acceptance tables under `tests/tables/`: one row per published case, read and expanded to measurements.

A lesion course is written in one line, as a clinician would note it; lesions are separated by `;`::

    T1 liver 30|0|4 ; T2 node 20|8|NE ; NT1 lung present|absent|pd ; NL1 brain -|-|12

* `T1`, `NT1`, `NL1`, `C1` are a target, a non-target, a new lesion and a candidate for selection.
* The next word is the organ (`_` stands for a blank; `node` is a lymph node, its number is the short axis).
* Then what was found at baseline, at the first timepoint after it, and so on, separated by `|`.

One finding is a number in mm (`30`, exact text), or two (`30x20`, longest x short axis); `@80` adds the attenuation
in HU, `%90` the relative enhancement on MR in percent and `#3` the Chun group. A word is a state (`NE`, `TSTM`,
`absent`, `present`, `pd`, `equivocal`, `resolved`, `split`, `merged>T1`, or `blank` for a row that says nothing), and
may follow a number. `-` means that there is no row.
`[column=value, ...]` sets (or blanks) further columns of that row, or of all rows of the lesion when it stands before
the course; `d60` is the date of day 60. `T1a<T1` is a fragment of T1. Subjects of one table are separated by ` // `.

Day 0 is 2024-01-01, the baseline and the start of treatment; timepoints are 56 days apart unless the row gives `days`.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from response.measurements import Measurements
from response.protocol import Protocol
from response.table import TextColumn, TextTable
from response.vocabulary import is_nodal_site

TABLES: Final = Path(__file__).parent / "tables"
DAY_0: Final = date(2024, 1, 1)
DAYS_APART: Final = 56

INPUTS: Final = ("id", "title", "criterion", "lesions", "visits", "subject", "days", "options", "source")

Row = dict[str, str]

_ROLES: Final = {"T": "target", "NT": "non_target", "NL": "new", "C": "candidate"}
_LESION: Final = re.compile(r"^(?P<name>(?P<role>NT|NL|T|C)\w*)(<(?P<parent>\w+))?\s+(?P<organ>\S+)\s+(?P<course>.+)$")
_FINDING: Final = re.compile(
    r"^(?P<longest>[\d.]+)?(x(?P<short>[\d.]+))?(@(?P<hu>-?[\d.]+))?(%(?P<enhancement>-?[\d.]+))?"
    r"(#(?P<group>\d))?"
    r"\s*(?P<word>[A-Za-z_]+)?(>(?P<host>\w+))?\s*(?P<more>\[.*\])?$"
)
_STATES: Final = {
    "NE": "not_evaluable",
    "TSTM": "too_small",
    "pd": "unequivocal_progression",
    "ns": "not_scheduled",
    "blank": "",
}


@dataclass(frozen=True)
class Case:
    """One row of an acceptance table.

    Attributes
    ----------
    table, id, title, source
        Where it stands, its name in the spec, the reason for it, and where it comes from.
    criterion
        The criterion whose rows are compared.
    lesions, visits, subject, days, options
        The inputs, in the language of this module; `options` is TOML.
    expected
        By column of the results: the expectations per timepoint, separated by `;`.
    """

    table: str
    id: str
    title: str
    source: str
    criterion: str
    lesions: str
    visits: str
    subject: str
    days: str
    options: str
    expected: Mapping[str, str]

    @property
    def protocol(self) -> Protocol:
        """Return the protocol of the row."""
        return Protocol.from_toml(self.options.replace("\\n", "\n"), self.id)

    def day(self, timepoint: int) -> int:
        """Return the study day of a timepoint."""
        return int(self.days.split("|")[timepoint]) if self.days else DAYS_APART * timepoint

    def subjects(self) -> list[str]:
        """Return the ids of the subjects, the first of which is the one that `expected` tells of."""
        return [f"S{number}" for number in range(1, len(self.lesions.split("//")) + 1)]

    def rows(self) -> list[Row]:
        """Return the rows of the measurement table."""
        return [
            {"subject": subject, **row}
            for subject, text in zip(self.subjects(), self.lesions.split("//"), strict=True)
            for lesion in _parts(text)
            for row in self._lesion_rows(lesion)
        ]

    def _lesion_rows(self, text: str) -> Iterator[Row]:
        found = _LESION.match(text)
        if found is None:
            raise ValueError(f"{self.id}: '{text}' is no lesion; expected for example 'T1 liver 30|0'")
        course, general = found["course"], {}
        if course.startswith("["):
            attributes, course = course[1:].split("]", 1)
            general = _columns(attributes)
        organ = found["organ"].replace("_", " ")
        lesion = {
            "lesion": found["name"],
            "role": _ROLES[found["role"]],
            "organ": organ,
            "parent": found["parent"] or "",
        }
        for timepoint, cell in enumerate(_cells(course)):
            if cell != "-":
                finding = _finding(self.id, cell, nodal=is_nodal_site(organ))
                yield {**lesion, **self._when(timepoint), **general, **finding}

    def _when(self, timepoint: int) -> Row:
        return {"timepoint": str(timepoint), "date": iso_day(self.day(timepoint))}

    def visit_rows(self) -> list[Row]:
        """Return the rows of the visit table, written as `1 new_lesions=none, done=N ; 2 pet=positive`."""
        rows = []
        for text in _parts(self.visits):
            timepoint, _, columns = text.partition(" ")
            rows.append({"subject": "S1", **self._when(int(timepoint)), **_columns(columns)})
        return rows

    def subject_rows(self) -> list[Row]:
        """Return the rows of the subject table; every subject starts treatment on day 0."""
        start = {"treatment_start": iso_day(0)}
        return [{"subject": name, **start, **_columns(self.subject)} for name in self.subjects()]

    def measurements(self) -> Measurements:
        """Return the measurements of the row, read through the same door as a file."""
        visits = self.visit_rows()
        return Measurements.from_table(
            text_table(self.rows(), f"{self.id}.csv"),
            visits=text_table(visits, f"{self.id}-visits.csv") if visits else None,
            subjects=text_table(self.subject_rows(), f"{self.id}-subjects.csv"),
        )


def iso_day(day: int) -> str:
    """Return the ISO date of a study day."""
    return (DAY_0 + timedelta(days=day)).isoformat()


def text_table(rows: Sequence[Row], file: str) -> TextTable:
    """Return rows as a table of text; a key that a row lacks is a blank cell."""
    names = dict.fromkeys(["subject", "timepoint", "lesion", "role"] if not rows else [])
    names.update(dict.fromkeys(name for row in rows for name in row))
    return TextTable.of({name: TextColumn.of(row.get(name, "") for row in rows) for name in names}, file)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _cells(course: str) -> list[str]:
    return [cell.strip() for cell in course.split("|")]


def _columns(text: str) -> Row:
    columns = {}
    for part in filter(None, (part.strip() for part in text.strip("[] ").split(","))):
        name, _, value = part.partition("=")
        day = re.fullmatch(r"d(-?\d+)", value.strip())
        columns[name.strip()] = iso_day(int(day[1])) if day else value.strip()
    return columns


def _finding(case: str, cell: str, *, nodal: bool) -> Row:
    found = _FINDING.match(cell)
    if found is None or not cell:
        raise ValueError(f"{case}: '{cell}' is no finding; expected for example 30, NE, absent, 100@80 or -")
    word = found["word"] or ""
    row = {
        "longest_mm": found["longest"] or "",
        "short_mm": found["short"] or "",
        "attenuation_hu": found["hu"] or "",
        "relative_enhancement_percent": found["enhancement"] or "",
        "morphology": found["group"] or "",
        "state": _STATES.get(word, word),
        "parent": found["host"] or "",
    }
    if nodal and not found["short"]:
        row["longest_mm"], row["short_mm"] = "", row["longest_mm"]
    said = {name: text for name, text in row.items() if text}
    return {**said, **_columns(found["more"] or "")}


@cache
def load(name: str) -> list[Case]:
    """Return the cases of `tests/tables/<name>.csv`."""
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [_case(name, row) for row in csv.DictReader(file)]


def _case(table: str, row: Row) -> Case:
    inputs = {key: (row.get(key) or "").strip() for key in INPUTS}
    inputs["criterion"] = inputs["criterion"] or "recist-1.1"
    expected = {key: value.strip() for key, value in row.items() if key not in INPUTS and value and value.strip()}
    return Case(table=table, expected=expected, **inputs)


def expectation_met(expected: str, actual: str) -> bool:
    """Return whether a result is as expected: the text itself, `*` for any, `!PD` for anything but PD.

    Flags are joined by `+`: all that are named must be there, and none that is named with `!`.
    """
    if expected == "*":
        return True
    if expected.startswith("!") and "+" not in expected:
        return actual != expected[1:]
    return actual == expected


def flags_met(expected: str, actual: Sequence[str]) -> bool:
    """Return whether all the flags named (joined by `+`) are there, and none that is named with `!`."""
    wanted = [] if expected in ("*", "") else expected.split("+")
    return all((flag[1:] not in actual) if flag.startswith("!") else (flag in actual) for flag in wanted)
