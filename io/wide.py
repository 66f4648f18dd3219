"""Wide tables, with columns per visit, to one row per lesion and visit.

Two shapes: a bare visit as header holds the diameter (`Baseline`, `Week 8`), a quantity with a visit before or
after it holds that quantity (`longest_mm_1`, `Week 8 date`, `HU (Baseline)`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.io.aliases import Meaning, Names
from response.table import TextColumn, TextTable, concatenate

_WORD_VISIT: Final = re.compile(
    r"(baseline|screening|bl|scr|eot|end of treatment|nadir|"
    r"(week|wk|w|month|mo|m|day|d|visit|v|cycle|c|timepoint|tp|follow[ -]?up|fu|scan)"
    r"[ _.]?-?\d+([ _.]?(day|d)[ _.]?\d+)?|"
    r"\d{4}-\d{2}-\d{2}|\d{8})",
    re.IGNORECASE,
)
_NUMBER_AFTER: Final = re.compile(r"^(?P<quantity>.*[^\d\W_].*?)[ _.]?(?P<visit>\d{1,3})$")
_BARE: Final = "diameter_mm"
_MEASURED: Final = frozenset(
    "longest_mm short_mm diameter_mm viable_mm viable_short_mm viable_area_mm2 viable_volume_mm3 ablation_zone_mm "
    "attenuation_hu area_mm2 volume_mm3 morphology state".split()
)
_CONTEXT: Final = frozenset("date unit modality phase slice_thickness_mm".split())  # says nothing about a lesion alone
_PER_VISIT: Final = _MEASURED | _CONTEXT | frozenset("trend nodule necrosis_fraction reason ct_correlate".split())
_ISO_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}")


@dataclass(frozen=True)
class VisitHeader:
    """A header that holds one quantity of one visit."""

    header: str
    visit: str
    meaning: Meaning


def visit_headers(headers: Sequence[str], names: Names) -> list[VisitHeader]:
    """Return the headers that hold one visit each; none unless some quantity stands there for two visits."""
    found = [parsed for header in headers if (parsed := _parsed(header, names)) is not None]
    visits: dict[str, set[str]] = {}
    for item in found:
        visits.setdefault(item.meaning.canonical, set()).add(item.visit)
    return found if any(len(group) > 1 and name in _MEASURED for name, group in visits.items()) else []


def _parsed(header: str, names: Names) -> VisitHeader | None:
    text = header.strip()
    if _WORD_VISIT.fullmatch(text):
        return VisitHeader(header, text, Meaning(_BARE)) if _BARE in names.columns else None
    numbered = _NUMBER_AFTER.match(text)
    candidates = [(numbered["quantity"], numbered["visit"])] if numbered else []
    candidates += [(text[: hit.start()] + " " + text[hit.end() :], hit[0]) for hit in _WORD_VISIT.finditer(text)]
    for quantity, visit in candidates:
        meaning = _quantity(quantity, names)
        if meaning is not None:
            return VisitHeader(header, visit, meaning)
    return None


def _quantity(text: str, names: Names) -> Meaning | None:
    bare = re.sub(r"[\s()\[\]_:,-]+", "", text).casefold()
    if bare in {"mm", "cm"} and _BARE in names.columns:  # "Week 8 (cm)"
        return Meaning(_BARE, bare)
    meaning = names.meaning(text)
    return meaning if meaning is not None and meaning.canonical in _PER_VISIT else None


def melted(table: TextTable, visits: Sequence[VisitHeader]) -> TextTable:
    """Return one row per row and visit; where a row holds nothing at a visit, no row is made.

    The rows of the first visit come first, so that the order of the visits is that of the columns; `lines` still
    says where a row stood.
    """
    fixed = {name: column for name, column in table.columns.items() if name not in {item.header for item in visits}}
    by_visit: dict[str, list[VisitHeader]] = {}
    for item in visits:
        by_visit.setdefault(item.visit, []).append(item)
    parts = [_rows_of_visit(table, fixed, visit, items) for visit, items in by_visit.items()]
    long = concatenate(parts)
    note = (
        f"wide table: {len(visits)} columns of {len(by_visit)} visits ({', '.join(by_visit)}) became "
        f"{len(long)} rows; cells without a value made no row"
    )
    zeros = np.zeros(len(long), np.int16)
    return replace(long, files=table.files, file_codes=zeros, notes=(*table.notes, note))


def _rows_of_visit(
    table: TextTable, fixed: Mapping[str, TextColumn], visit: str, items: Sequence[VisitHeader]
) -> TextTable:
    own = {item.meaning.canonical: table.columns[item.header] for item in items}
    filled = np.zeros(len(table), np.bool_)
    for name, column in own.items():
        if name not in _CONTEXT:
            filled |= _is_filled(column)
    columns = {**fixed, **own}
    taken = {name: column.take(filled) for name, column in columns.items()}
    rows = int(filled.sum())
    taken["timepoint"] = TextColumn.constant(visit, rows)
    if "date" not in taken and _ISO_DAY.fullmatch(visit):
        taken["date"] = taken["timepoint"]
    return TextTable(taken, table.files, table.file_codes[filled], table.lines[filled])


def _is_filled(column: TextColumn) -> NDArray[np.bool_]:
    filled = np.fromiter((bool(value) for value in column.values), np.bool_, len(column.values))
    return filled[column.codes] if len(filled) else np.zeros(0, np.bool_)
