"""From the headers and words of a file to the canonical columns; every decision becomes a note for the user."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Final

import numpy as np

from response.cells import UNIT_FACTORS, Decimals, date_of
from response.columns import COLLECTED_COLUMNS, COLUMNS, SUBJECT_COLUMNS, VISIT_COLUMNS, Column
from response.errors import InputError
from response.findings import Finding
from response.io.aliases import Meaning, Names, meanings_of, squeezed
from response.io.mapping import ColumnMapping
from response.io.raw import RawTable
from response.io.wide import VisitHeader, melted, visit_headers
from response.table import TextColumn, TextTable
from response.vocabulary import Role, folded, members_by_text

_SAMPLE: Final = 100_000  # distinct texts per column that are looked at for the decimal mark
_COMMA: Final = re.compile(r"[<≤]?\s*[+-]?\d+,\d+\s*\*?")
_POINT: Final = re.compile(r"[<≤]?\s*[+-]?\d+\.\d+\s*\*?")
_THOUSANDS: Final = re.compile(r"[+-]?\d{1,3}(,\d{3})+")

_ANSWERS_ONLY: Final = (
    "non-target and new lesions: not scored, for RCNTLRES and RCNEW are answers and no lesions; give the file with "
    "--collected too to compare them, or add a row for each such lesion"
)


@dataclass(frozen=True, kw_only=True)
class ReadTable:
    """A table that was read.

    Attributes
    ----------
    table
        The text by canonical column; its `notes` say what was mapped and decided.
    decimal
        Decimal mark of its numbers, for `Measurements.from_table`.
    findings
        Rows that could not be used.
    """

    table: TextTable
    decimal: Decimals = "."
    findings: Sequence[Finding] = field(default=())


def canonical_table(
    raw: RawTable, columns: Mapping[str, Column], mapping: ColumnMapping, decimal: Decimals | None
) -> ReadTable:
    """Return a raw table under canonical names.

    1. Columns of single visits are recognised where no column is the timepoint.
    2. Headers become canonical names: mapped ones, canonical ones, aliases; others keep their own.
    3. A wide table becomes a long one.
    4. Words and dates are translated as the mapping says; role, lesion, unit and timepoint are derived where
       the table says them elsewhere.
    5. The decimal mark is found.

    Raises
    ------
    InputError
        If two headers claim one column, a mapped one is missing, or units contradict each other.
    """
    _check_names_of_values(mapping)
    names = Names(columns)
    visits = _visits(raw, names, mapping)
    single = {item.header for item in visits}
    meanings = meanings_of(raw.file, [name for name in raw.names if name not in single], names, mapping.columns)
    table = _renamed(raw, meanings, names, single)
    if visits:
        table = melted(table, visits)
    maker = _Maker(table, columns)
    maker.translate(mapping)
    if "role" in columns and "longest_mm" in columns:
        maker.derive_roles(raw.names)
    if "unit" in columns:
        maker.set_unit({**meanings, **{item.header: item.meaning for item in visits}}, mapping)
    if "timepoint" in columns:
        maker.derive_timepoint()
    maker.hint_at_missing(names)
    mark = decimal or mapping.decimal or maker.found_decimal(raw.delimiter)
    return ReadTable(table=maker.finished(), decimal=mark, findings=raw.findings)


def required_missing(headers: Sequence[str], names: Names) -> list[str]:
    """Return the required columns that neither stand among some headers nor can be derived from them."""
    meanings = {meaning.canonical for header in headers if (meaning := names.meaning(header)) is not None}
    if "date" in meanings or visit_headers(headers, names):
        meanings.add("timepoint")
    if _is_trialmaster(headers):
        meanings |= {"role", "lesion"}
    return [name for name, column in names.columns.items() if column.required and name not in meanings]


def _check_names_of_values(mapping: ColumnMapping) -> None:
    known = {*COLUMNS, *VISIT_COLUMNS, *SUBJECT_COLUMNS, *COLLECTED_COLUMNS}
    unknown = [name for name in mapping.values if name not in known]
    if unknown:
        raise InputError(mapping.source, f"values for the unknown column '{unknown[0]}'", "a canonical column", "")


def _visits(raw: RawTable, names: Names, mapping: ColumnMapping) -> list[VisitHeader]:
    free = [name for name in raw.names if name not in mapping.columns.values()]
    said = {meaning.canonical for name in free if (meaning := names.meaning(name)) is not None} | set(mapping.columns)
    if "timepoint" in said or "timepoint" not in names.columns or "lesion" not in names.columns:
        return []
    visits = visit_headers(free, names)
    # Rows with a date of their own are one visit each; LD_1 and LD_2 are two reads then, perhaps.
    return [item for item in visits if not item.visit.isdecimal()] if "date" in said else visits


def _renamed(raw: RawTable, meanings: Mapping[str, Meaning], names: Names, single: set[str]) -> TextTable:
    columns: dict[str, TextColumn] = {}
    notes = list(raw.notes)
    others = []
    taken = {meaning.canonical for meaning in meanings.values()}
    for header, column in zip(raw.names, raw.columns, strict=True):
        meaning = meanings.get(header)
        if meaning is not None:
            columns[meaning.canonical] = column
            if header != meaning.canonical:
                notes.append(f"{meaning.canonical}: column '{header}'")
        elif header in taken:
            notes.append(f"the column '{header}' was left out, for the mapping takes another one as {header}")
        elif (name := names.imaging(header)) and name not in columns and (name == header or name not in raw.names):
            columns[name] = column
        else:
            columns[header] = column
            others += [] if header in single else [f"'{header}'"]
    if others:
        notes.append(f"kept under their own names: {', '.join(others)}")
    columns = {**{name: columns[name] for name in names.columns if name in columns}, **columns}
    return TextTable.of(columns, raw.file, lines=raw.lines, notes=notes)


def _is_trialmaster(headers: Iterable[str]) -> bool:
    return "rctldiam" in {squeezed(header) for header in headers}


class _Maker:
    """The columns of a table while they are made canonical, with notes on each step."""

    def __init__(self, table: TextTable, specification: Mapping[str, Column]) -> None:
        self.table, self.specification = table, specification
        self.columns = dict(table.columns)
        self.notes = list(table.notes)

    def finished(self) -> TextTable:
        return replace(self.table, columns=self.columns, notes=tuple(self.notes))

    def translate(self, mapping: ColumnMapping) -> None:
        """Replace the user's words by ours, and dates in the user's format by ISO dates."""
        for name, words in mapping.values.items():
            if name not in self.columns:
                continue
            ours = {theirs.strip().casefold(): word for theirs, word in words.items()}
            self._convert(name, lambda text, ours=ours: ours.get(text.casefold(), text))  # type: ignore[misc]
            shown = ", ".join(f"'{key}' as {word}" for key, word in words.items())
            self.notes.append(f"{name}: values {shown}")
        if mapping.date_format:
            for name in self._of_kind("date"):
                self._convert(name, lambda text: _iso_date(text, mapping.strptime_format))
                self.notes.append(f"{name}: dates as {mapping.date_format}")

    def _convert(self, name: str, conversion: Callable[[str], str]) -> None:
        column = self.columns[name]
        self.columns[name] = TextColumn(column.codes, [conversion(text) for text in column.values]).normalised()

    def _of_kind(self, kind: str) -> list[str]:
        return [name for name, column in self.specification.items() if column.kind == kind and name in self.columns]

    def derive_roles(self, headers: Sequence[str]) -> None:
        """Find roles that stand in labels, in a column of lesion types, or in the kind of export."""
        if "role" in self.columns:
            return
        if "lesion" in self.columns:
            self._split_labels()
        elif _is_trialmaster(headers) and "organ" in self.columns:
            self.columns["lesion"] = self.columns["organ"]
            self.columns["role"] = TextColumn.constant("target", len(self.table))
            self.notes.append("lesion: the site of the target lesion (RCTLSITE), for the table names no lesions")
            self.notes.append("role: target in all rows (RCTLDIAM holds target lesions only)")
            self.notes += [_ANSWERS_ONLY] if {squeezed(header) for header in headers} & {"rcnew", "rcntlres"} else []
        types = self.columns.get("lesion_type")
        if "role" not in self.columns and types is not None and _are_roles(types.values):
            self.columns["role"] = self.columns.pop("lesion_type")
            self.notes.append("role: column 'lesion_type', for it holds roles")

    def _split_labels(self) -> None:
        """Take apart labels such as `1|Target|Lymph_Node`, where all labels have that shape."""
        labels = self.columns["lesion"]
        parts = [[part.strip() for part in text.split("|")] for text in labels.values]
        filled = [cells for cells in parts if cells != [""]]
        width = len(filled[0]) if filled else 0
        if width < 2 or any(len(cells) != width for cells in filled):
            return
        places = [place for place in range(width) if _are_roles([cells[place] for cells in filled])]
        if len(places) != 1:
            return
        place = places[0]
        rest = [[cell for other, cell in enumerate(cells) if other != place] for cells in parts]
        roles = [cells[place] if len(cells) == width else "" for cells in parts]
        ids = [f"{role} {cells[0]}".strip() for role, cells in zip(roles, rest, strict=True)]
        self.columns["lesion"] = TextColumn(labels.codes, ids).normalised()
        self.columns["role"] = TextColumn(labels.codes, roles).normalised()
        example = next(text for text in labels.values if text)
        self.notes.append(f"role: taken from labels such as '{example}'; the lesion is role and number")
        if width > 2 and "organ" not in self.columns:
            organs = [cells[1].replace("_", " ") if len(cells) > 1 else "" for cells in rest]
            self.columns["organ"] = TextColumn(labels.codes, organs).normalised()
            self.notes.append(f"organ: taken from labels such as '{example}'")

    def set_unit(self, meanings: Mapping[str, Meaning], mapping: ColumnMapping) -> None:
        """Let a unit in the mapping, or cm in a header, stand in the unit column."""
        lengths = {header: meaning.unit for header, meaning in meanings.items() if self._is_length(meaning)}
        in_cm = [header for header, unit in lengths.items() if unit == "cm"]
        if mapping.unit:
            self._fill_unit(mapping.unit, "as the mapping says")
            return
        if not in_cm:
            return
        in_mm = [header for header, unit in lengths.items() if unit == "mm"]
        if in_mm:
            raise InputError(
                self.table.files[0],
                f"the column '{in_cm[0]}' in cm and '{in_mm[0]}' in mm",
                "one unit for all diameters of a row",
                "bring them to one unit in the source",
            )
        self._refuse_other_units(in_cm[0])
        self._fill_unit("cm", f"as the header '{in_cm[0]}' says; it holds for all diameters of the table")

    def _is_length(self, meaning: Meaning) -> bool:
        column = self.specification.get(meaning.canonical)
        return column is not None and column.length

    def _refuse_other_units(self, header: str) -> None:
        units = self.columns.get("unit")
        for text in () if units is None else units.values:
            if text and UNIT_FACTORS.get(text.casefold()) != UNIT_FACTORS["cm"]:
                raise InputError(
                    self.table.files[0],
                    f"the header '{header}' says cm, and the unit column '{text}'",
                    "one unit",
                    "correct one of them, or pass a mapping file with: unit",
                )

    def _fill_unit(self, unit: str, why: str) -> None:
        if "unit" in self.columns:
            self._convert("unit", lambda text: text or unit)
            self.notes.append(f"unit: {unit} where the unit column is blank, {why}")
        else:
            self.columns["unit"] = TextColumn.constant(unit, len(self.table))
            self.notes.append(f"unit: {unit}, {why}")

    def derive_timepoint(self) -> None:
        """Let the date stand for the timepoint where the table names none; what is no date is no timepoint either.

        Raises
        ------
        InputError
            If none of the dates can be read.
        """
        if "timepoint" in self.columns or "date" not in self.columns:
            return
        date = self.columns["date"]
        bad = {text: None for text in date.values if date_of(text).fault}
        if bad and all(text in bad or not text for text in date.values):
            raise InputError(
                self.table.files[0],
                f"no date that can be read, such as '{next(iter(bad))}', and no other column that names the timepoint",
                "dates as YYYY-MM-DD",
                'say in a mapping file how they are written, as in: date_format = "DD/MM/YYYY"',
            )
        # By their figures alone 25/01/2023 would stand after 12/03/2023.
        self.columns["timepoint"] = TextColumn(
            date.codes, ["" if text in bad else text for text in date.values]
        ).normalised()
        self.notes.append("timepoint: the date, for the table names no timepoint")

    def hint_at_missing(self, names: Names) -> None:
        """Name the columns that look like a required one that is missing."""
        others = [name for name in self.columns if name not in self.specification]
        for name, column in self.specification.items():
            near = names.closest(name, others) if column.required and name not in self.columns else []
            if near:
                quoted = " or ".join(f"'{other}'" for other in near)
                self.notes.append(f"{name}: no such column; did you mean {quoted}?")

    def found_decimal(self, delimiter: str) -> Decimals:
        """Return the decimal mark: a comma where it is the only one, or usual beside semicolons; else a point."""
        texts = [text for name in self._of_kind("number") for text in islice(self.columns[name].values, _SAMPLE)]
        commas = [text for text in texts if _COMMA.fullmatch(text)]
        if not commas:
            return "."
        points = any(_POINT.fullmatch(text) for text in texts)
        only_thousands = all(_THOUSANDS.fullmatch(text) for text in commas)
        if delimiter == ";" or not (points or only_thousands):
            self.notes.append(f"decimal mark: comma, as in '{commas[0]}'")
            return ","
        self.notes.append(f"decimal mark: point, though '{commas[0]}' stands there too; pass --decimal , if it is not")
        return "."


def _are_roles(texts: Iterable[str]) -> bool:
    words = members_by_text(Role)
    filled = [text for text in texts if text]
    return bool(filled) and all(folded(text) in words for text in filled)


def _iso_date(text: str, format_text: str) -> str:
    try:
        return datetime.strptime(text, format_text).date().isoformat()
    except ValueError:
        return text  # may be a partial date; what it is not is told with its cell


def point_decimals(read: ReadTable, columns: Mapping[str, Column]) -> ReadTable:
    """Return a table with decimal commas with points instead, so that it can stand under one with points."""
    if read.decimal == ".":
        return read
    changed = dict(read.table.columns)
    for name, column in columns.items():
        if column.kind == "number" and name in changed:
            values = [text.replace(",", ".") if _COMMA.fullmatch(text) else text for text in changed[name].values]
            changed[name] = TextColumn(np.asarray(changed[name].codes), values).normalised()
    return replace(read, table=replace(read.table, columns=changed), decimal=".")
