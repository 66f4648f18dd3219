"""What the rows of TU, TR and RS have in common: subject, evaluator, timepoint, date; and columns put together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from response.errors import InputError
from response.findings import Finding
from response.io import sdtm_words as words
from response.keys import dense_ids
from response.table import TextColumn, TextTable

T = TypeVar("T")

RESULTS: Final = ("ORRES", "STRESC")


def combined(*columns: TextColumn) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number the distinct combinations of columns.

    Returns
    -------
    ids
        Shape `[row]`.
    first
        Shape `[id]`; the first row of each combination.
    """
    ids = columns[0].codes
    for column in columns[1:]:
        count = max(len(column.values), 1)
        keys = ids.astype(np.int64) * count + column.codes
        ids, _ = dense_ids(keys, (int(ids.max(initial=0)) + 1) * count)
    size = int(ids.max(initial=-1)) + 1
    first = np.full(size, -1, np.int64)
    first[ids[::-1]] = np.arange(len(ids) - 1, -1, -1)  # written last, the first row stays
    used = first >= 0
    return (np.cumsum(used, dtype=np.int32) - 1)[ids].astype(np.int32), first[used]


def looked_up(function: Callable[..., T], *columns: TextColumn) -> tuple[NDArray[np.int32], list[T]]:
    """Apply a function to each distinct combination of texts; return the code of each row, and the results."""
    ids, first = combined(*columns)
    texts = [column.take(first).texts() for column in columns]
    return ids, [function(*cells) for cells in zip(*texts, strict=True)]


def joined(function: Callable[..., str], *columns: TextColumn) -> TextColumn:
    """Return the column of a text function of other columns."""
    ids, texts = looked_up(function, *columns)
    return TextColumn(ids, texts).normalised()


@dataclass(frozen=True, eq=False)
class Keys:
    """The keys of the rows of one domain; all `[row]`.

    Attributes
    ----------
    subject, evaluator, timepoint, date, accepted
        As in the canonical tables.
    evaluator_role
        --EVAL alone, to link results of one person with tumours that name none.
    baseline_level
        See `sdtm_words.baseline_level`.
    """

    subject: TextColumn
    evaluator: TextColumn
    evaluator_role: TextColumn
    timepoint: TextColumn
    date: TextColumn
    accepted: TextColumn
    baseline_level: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Domain:
    """All rows of one domain, over all files.

    Attributes
    ----------
    prefix
        TU, TR or RS.
    table
        Columns by SDTM name.
    keys
        Of its rows.
    """

    prefix: str
    table: TextTable
    keys: Keys
    _columns: dict[str, TextColumn] = field(default_factory=dict, repr=False)

    def column(self, name: str) -> TextColumn:
        """Return a column by its name without prefix (`LNKID`), blank where the files have none."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self.table.column(self.prefix + name)
        return found

    def finding(self, row: int, **parts: Any) -> Finding:
        """Return a finding about one row."""
        file, line = self.table.where(row)
        about = {
            "severity": "error",
            "subject": self.keys.subject.text(row),
            "evaluator": self.keys.evaluator.text(row),
            "timepoint": self.keys.timepoint.text(row),
            "file": file,
            "line": line,
        }
        return Finding(**{**about, **parts})

    def unusable_rows(self) -> tuple[NDArray[np.bool_], list[Finding]]:
        """Return which rows have no subject or, but for RS, no timepoint; each is a finding."""
        unusable = np.zeros(len(self.table), np.bool_)
        findings = []
        wanted = [("USUBJID", self.keys.subject, "a subject id")]
        if self.prefix != "RS":
            wanted.append(("VISITNUM", self.keys.timepoint, "a visit number, or a visit, or a date"))
        for name, column, expected in wanted:
            blank = np.asarray([not value for value in column.values], np.bool_)[column.codes] & ~unusable
            unusable |= blank
            findings += [self._unusable_row(int(row), name, expected) for row in np.flatnonzero(blank)]
        return unusable, findings

    def _unusable_row(self, row: int, column: str, expected: str) -> Finding:
        return self.finding(
            row,
            id="unusable_row",
            column=column,
            expected=expected,
            sentence=f"{column} is blank; expected {expected}. The row was left out.",
            remedy="Correct the row in the source.",
        )


def check_columns(prefix: str, table: TextTable) -> None:
    """Raise InputError for a data set without rows, or without the variables that it cannot be read without."""
    file = ", ".join(table.files)
    if not len(table):
        raise InputError(file, f"an empty {prefix} data set", "one row per result", "was the export complete?")
    needed: list[tuple[str, ...]] = [("USUBJID",), tuple(f"{prefix}{name}" for name in RESULTS)]
    if prefix == "TU":
        needed.append(("TULNKID",))
    else:
        needed.append((f"{prefix}TESTCD",))
    if prefix == "TR":
        needed[1] = (*needed[1], "TRSTRESN")
        needed += [("TRLNKID", "TRGRPID"), ("VISITNUM", "VISIT", "TRDTC")]
    missing = [" or ".join(names) for names in needed if not set(names) & set(table.columns)]
    if missing:
        raise InputError(
            file,
            f"{prefix} without the column {', '.join(missing)}",
            f"the SDTM variables {', '.join(' or '.join(names) for names in needed)}",
            "add the variable to the export",
        )


class KeyReader:
    """Reads the keys of all domains alike, so that their rows meet."""

    def __init__(self, tables: Sequence[tuple[str, TextTable]]) -> None:
        self.notes: list[str] = []
        self._number_of_visit = _visit_numbers([table for _, table in tables])
        self._only_evaluator = self._sole_evaluator(tables)

    def _sole_evaluator(self, tables: Sequence[tuple[str, TextTable]]) -> str:
        """Return the only evaluator there is, to stand where one is left blank; else nothing."""
        columns = [self._evaluator(prefix, table) for prefix, table in tables]
        named = {column.values[code] for column in columns for code in np.unique(column.codes)}
        only = next(iter(named - {""}), "")
        if "" in named and len(named) == 2:
            self.notes.append(f"evaluator: rows that name none were taken for {only}, the only one there is")
        return only if len(named - {""}) == 1 else ""

    @staticmethod
    def _evaluator(prefix: str, table: TextTable) -> TextColumn:
        return joined(words.evaluator_of, table.column(f"{prefix}EVAL"), table.column(f"{prefix}EVALID"))

    def domain(self, prefix: str, table: TextTable) -> Domain:
        """Return a domain with its keys."""
        role = table.column(f"{prefix}EVAL")
        date = joined(words.day_of, table.column(f"{prefix}DTC"))
        flags = [table.column(prefix + name) for name in ("BLFL", "LOBXFL")]
        level_ids, levels = looked_up(words.baseline_level, table.column("VISIT"), *flags)
        keys = Keys(
            subject=table.column("USUBJID"),
            evaluator=joined(lambda text: text or self._only_evaluator, self._evaluator(prefix, table)),
            evaluator_role=joined(lambda text: text or self._only_evaluator, role),
            timepoint=joined(self._timepoint, table.column("VISITNUM"), table.column("VISIT"), date),
            date=date,
            accepted=joined(lambda text: "Y" if text.upper() == "Y" else "", table.column(f"{prefix}ACPTFL")),
            baseline_level=np.asarray(levels, np.int8)[level_ids],
        )
        return Domain(prefix, table, keys)

    def _timepoint(self, number: str, visit: str, date: str) -> str:
        return words.visit_number(number) or self._number_of_visit.get(visit, visit) or date


def _visit_numbers(tables: Sequence[TextTable]) -> dict[str, str]:
    """Return the number of each visit label that has one number only, for rows that have the label alone."""
    numbers: dict[str, set[str]] = {}
    for table in tables:
        number, visit = table.column("VISITNUM"), table.column("VISIT")
        _, first = combined(number, visit)
        for row in first.tolist():
            if number.text(row) and visit.text(row):
                numbers.setdefault(visit.text(row), set()).add(words.visit_number(number.text(row)))
    return {visit: next(iter(found)) for visit, found in numbers.items() if len(found) == 1}
