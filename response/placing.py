"""Rows that cannot be placed: without subject, timepoint or lesion, or of a lesion whose role nobody says.

Run on the cells as they were read, before anything is computed. What is left out is told, row by row.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from response.columns import Column
from response.errors import InputError
from response.findings import Finding
from response.measurements import Measurements, Records
from response.vocabulary import Role

WITHOUT_KEY: Final = "row_without_key"
WITHOUT_ROLE: Final = "row_without_role"
ROWS_LEFT_OUT: Final = frozenset((WITHOUT_KEY, WITHOUT_ROLE, "unusable_row"))  # findings of rows that may be lost

_NO_ROLE: Final = Role.NONE
AnyRecords = TypeVar("AnyRecords", bound=Records)


def keep_placed(records: AnyRecords, columns: Mapping[str, Column]) -> tuple[AnyRecords, list[Finding]]:
    """Leave out the rows whose keys are blank: the columns of text that the table requires.

    Raises
    ------
    InputError
        If no row is left.
    """
    keys = [name for name, column in columns.items() if column.required and column.kind == "text"]
    if not any("" in records.text_column(name).values for name in keys):
        return records, []  # by the distinct texts alone: millions of rows cost nothing here
    blank = {name: _is_blank(records, name) for name in keys}
    lost = np.logical_or.reduce(list(blank.values()))
    if not lost.any():
        return records, []
    if lost.all():
        file, line = records.table.where(0)
        lacking = next(name for name in keys if blank[name][0])
        raise InputError(
            f"{file}:{line}",
            f"no {lacking}, and no other row can be used either",
            f"rows with {', '.join(keys)}",
            f"fill in {', '.join(keys)}",
        )
    findings = [
        _left_out(records, row, [name for name in keys if blank[name][row]]) for row in np.flatnonzero(lost).tolist()
    ]
    return taken(records, ~lost), findings


def keep_with_role(measured: Measurements) -> tuple[Measurements, list[Finding]]:
    """Give rows without a role that of their lesion's other rows; leave out subjects of whom no lesion has any.

    Without any role a subject would seem free of disease.
    """
    role = measured.code("role")
    without = role == _NO_ROLE
    if not without.any():
        return measured, []
    series = _together(measured.text_column("subject").codes, measured.text_column("evaluator").codes)
    lesion = _together(series, measured.text_column("lesion").codes)
    filled = np.zeros(int(lesion.max()) + 1, np.int8)
    said = np.flatnonzero(~without)[::-1]  # backwards, so that the first row of a lesion stays
    filled[lesion[said]] = role[said]
    role = np.where(without, filled[lesion], role).astype(np.int8)
    known = np.zeros(int(series.max()) + 1, np.bool_)
    known[series[said]] = True
    findings = [_without_role(measured, row, int(role[row])) for row in np.flatnonzero(without).tolist()]
    measured = replace(measured, codes={**measured.codes, "role": role})
    return (measured if known[series].all() else taken(measured, known[series])), findings


def without_organs(measured: Measurements) -> Measurements:
    """Leave out rows of structures that are no lesions, as segmentations hold them beside lesions (a liver); noted."""
    if not measured.has("structure"):
        return measured
    organs = ~_is_blank(measured, "structure") & (measured.code("role") == _NO_ROLE)
    if not organs.any():
        return measured
    kept = taken(measured, ~organs)
    note = f"{int(organs.sum())} rows of organs, which are no lesions, were left out"
    return replace(kept, table=replace(kept.table, notes=(*kept.table.notes, note)))


def without_repeats(records: AnyRecords, columns: Mapping[str, Column]) -> AnyRecords:
    """Return collected responses once each, where they stand in every row of a table with other things in it.

    An export of lesions often repeats the response of the visit in the row of each lesion.
    """
    if not set(records.table.columns) - set(columns):
        return records
    same = np.zeros(len(records), np.int64)
    for name in columns:
        if name in records.table.columns:
            same = _together(same, records.table.columns[name].codes)
    first = np.zeros(len(records), np.bool_)
    first[np.unique(same, return_index=True)[1]] = True
    return records if first.all() else taken(records, first)


def taken(records: AnyRecords, rows: NDArray[np.bool_]) -> AnyRecords:
    """Return some rows of a table."""
    table = records.table
    return replace(
        records,
        table=replace(
            table,
            columns={name: column.take(rows) for name, column in table.columns.items()},
            file_codes=table.file_codes[rows],
            lines=table.lines[rows],
        ),
        text={name: column.take(rows) for name, column in records.text.items()},
        codes={name: codes[rows] for name, codes in records.codes.items()},
        numbers={name: numbers[rows] for name, numbers in records.numbers.items()},
        dates={name: replace(column, days=column.days[rows], precision=column.precision[rows])
               for name, column in records.dates.items()},
    )  # fmt: skip


def _is_blank(records: Records, name: str) -> NDArray[np.bool_]:
    column = records.text_column(name)
    return np.asarray([not value for value in column.values], np.bool_)[column.codes]


def _together(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.int64]:
    """Return a number for each pair of codes, from 0 without gaps."""
    keys = first.astype(np.int64) * (int(second.max(initial=0)) + 1) + second
    return np.asarray(np.unique(keys, return_inverse=True)[1], np.int64)


def _left_out(records: Records, row: int, lacking: list[str]) -> Finding:
    return _of_row(
        records,
        row,
        id=WITHOUT_KEY,
        column=lacking[0],
        found="blank",
        expected=f"{' and '.join(lacking)} in every row",
        sentence=f"The row has no {' and no '.join(lacking)}; it was left out.",
        remedy=f"Fill in {' and '.join(lacking)}, or delete the row.",
    )


def _without_role(measured: Measurements, row: int, role: int) -> Finding:
    done = f"that of its other rows was taken, {Role(role).name.lower()}" if role else "the lesion was not counted"
    return _of_row(
        measured,
        row,
        id=WITHOUT_ROLE,
        column="role",
        found=measured.table.column("role").text(row) or "blank",
        expected="target, non_target, new or candidate",
        sentence=f"The row does not say which role the lesion has; {done}.",
        remedy="Fill in the role.",
    )


def _of_row(records: Records, row: int, **what: str) -> Finding:
    file, line = records.table.where(row)
    about = {name: records.text_column(name).text(row) for name in ("subject", "evaluator", "timepoint", "lesion")}
    return Finding(severity="error", **about, **what, file=file, line=line)
