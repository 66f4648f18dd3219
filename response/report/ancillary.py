"""The table of ancillary findings (`ancillary.csv`), and its lines for people.

One row per subject, evaluator, timepoint, lesion and finding, for lesions in which the finding was ever recorded; and
one for each descriptor (extents, volumes) that is known there. It says what was recorded and how that stands against
baseline; no category depends on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.ancillary import (
    CHANGED,
    INDICATIONS,
    NEITHER,
    Observed,
    has_pathology,
    indications,
    kinds_of,
    observed,
    pathology_classes,
    reasons,
    source_texts,
    spots_with,
)
from response.cells import NO_NUMBER
from response.descriptors import DESCRIPTORS, described, descriptors_of
from response.engine import Assessment
from response.measurements import Measurements
from response.report.columns import Columns, NumberColumn, blank_texts, date_texts, percent, yes_or_blank
from response.report.series_columns import series_columns
from response.report.technique import technique_notes
from response.table import TextColumn
from response.timeline import Timeline
from response.vocabulary import Ancillary, PathologyClass, Role, text_of

ANCILLARY_COLUMNS: Final = (
    "subject site evaluator accepted timepoint date lesion role finding status recorded baseline_recorded value "
    "baseline_value change change_percent unit indication indication_source pathology_class why note source file line"
).split()

PATHOLOGY: Final = "pathology"
_PERCENT_VIABLE: Final = "percent viable cells"
_PATHOLOGY_SOURCE: Final = "EORTC-STBSG"
_WORDS: Final = [text_of(word) for word in Ancillary]
_NUMBERS: Final = ("value", "baseline_value", "change", "change_percent")
Row = Mapping[str, str]


def has_ancillary(measurements: Measurements) -> bool:
    """Return whether the measurements have any column of ancillary findings, descriptors or pathology."""
    return bool(kinds_of(measurements) or descriptors_of(measurements)) or has_pathology(measurements)


class AncillaryRows:
    """Makes the rows of the whole trial; they are few beside those of the lesions."""

    def __init__(self, assessment: Assessment) -> None:
        self.timeline = assessment.timeline

    def batches(self) -> Iterator[Columns]:
        """Hand out the rows, in the order of subject, evaluator, time, lesion and finding."""
        timeline = self.timeline
        parts = [_of_kind(found, timeline.measurements) for found in observed(timeline)]
        parts += [_of_kind(_known(found), timeline.measurements) for found in described(timeline)]
        parts += [_of_pathology(timeline)] if has_pathology(timeline.measurements) else []
        if not parts:
            yield {name: _blank(name) for name in ANCILLARY_COLUMNS}
            return
        spot = np.concatenate([part[0] for part in parts])
        track = np.concatenate([part[1] for part in parts])
        cell = self._cells(spot, track)
        order = np.lexsort((np.arange(len(spot)), track, cell))
        own = {name: _stacked([part[2][name] for part in parts], order) for name in parts[0][2]}
        columns = {**self._where(spot[order], track[order], cell[order]), **own}
        yield {name: columns[name] for name in ANCILLARY_COLUMNS}

    def _cells(self, spot: NDArray[np.int64], track: NDArray[np.int32]) -> NDArray[np.int64]:
        timeline = self.timeline
        start = timeline.cell_start[timeline.series_of_track[track]]
        return np.asarray(start + spot - timeline.spot_start[track])

    def _where(
        self, spot: NDArray[np.int64], track: NDArray[np.int32], cell: NDArray[np.int64]
    ) -> dict[str, TextColumn | NumberColumn]:
        """Return subject, timepoint and lesion, and the row of the file."""
        timeline, visits, tracks = self.timeline, self.timeline.visits, self.timeline.tracks
        table, row = timeline.measurements.table, timeline.row[spot]
        return {
            **series_columns(timeline, timeline.series_of_track[track]),
            "accepted": yes_or_blank(visits.accepted[cell]),
            "timepoint": TextColumn(visits.label[cell], visits.labels),
            "date": date_texts(visits.first_scan[cell], visits.precision[cell]),
            "lesion": TextColumn(tracks.lesion[track], tracks.lesions),
            "role": TextColumn(tracks.role[track].astype(np.int32), [text_of(role) for role in Role]),
            "source": timeline.measurements.text_column("source").take(row),
            "file": TextColumn(table.file_codes[row].astype(np.int32), table.files),
            "line": NumberColumn(table.lines[row].astype(np.int64), np.ones(len(row), np.bool_), 0),
        }


_Part = tuple[NDArray[np.int64], NDArray[np.int32], dict[str, TextColumn | NumberColumn]]


def _known(found: Observed) -> Observed:
    """Return a descriptor where it has a number."""
    known = found.number != NO_NUMBER
    arrays = {item.name: getattr(found, item.name) for item in fields(found)}
    return replace(found, **{name: array[known] for name, array in arrays.items() if isinstance(array, np.ndarray)})


def _of_kind(found: Observed, measurements: Measurements) -> _Part:
    rows = len(found.spot)
    why, texts = reasons(found)
    now, then = found.number.astype(np.int64), found.baseline_number.astype(np.int64)
    both = (now != NO_NUMBER) & (then != NO_NUMBER) & found.after
    positive = both & (then > 0)
    return (
        found.spot,
        found.track,
        {
            "finding": TextColumn.constant(found.name, rows),
            "status": _coded(found.status, _WORDS),
            "recorded": _coded(found.word, _WORDS),
            "baseline_recorded": _coded(found.baseline_word, _WORDS),
            "value": NumberColumn(now, now != NO_NUMBER),
            "baseline_value": NumberColumn(then, then != NO_NUMBER),
            "change": NumberColumn(np.where(both, now - then, 0), both),
            "change_percent": NumberColumn(
                np.where(positive, percent(now - then, np.maximum(then, 0)), 0), positive, 2
            ),
            "unit": TextColumn.constant(found.kind.unit, rows),
            "indication": _coded(indications(found.kind, found.status), INDICATIONS),
            "indication_source": _coded(*source_texts(found.kind, found.status)),
            "pathology_class": blank_texts(rows),
            "why": _coded(why, texts),
            "note": technique_notes(found, measurements),
        },
    )


def _of_pathology(timeline: Timeline) -> _Part:
    """Return what pathology found: it stands for itself, and is not compared with baseline."""
    measured = timeline.measurements
    percent, read = measured.number("pathology_viable_percent"), measured.code("pathology_class")
    classes = pathology_classes(percent)
    classes = np.where(classes == PathologyClass.BLANK, read, classes)
    known = classes != PathologyClass.BLANK
    spot, track = spots_with(timeline, known)
    chosen = known[timeline.row[spot]]
    spot, track = spot[chosen], track[chosen]
    row = timeline.row[spot]
    value, blank = percent[row].astype(np.int64), blank_texts(len(row))
    return (
        spot,
        track,
        {
            **dict.fromkeys(("status", "recorded", "baseline_recorded", "indication", "why", "note"), blank),
            "finding": TextColumn.constant(PATHOLOGY, len(row)),
            "value": NumberColumn(value, value != NO_NUMBER),
            "baseline_value": NumberColumn.blank(len(row)),
            "change": NumberColumn.blank(len(row)),
            "change_percent": NumberColumn.blank(len(row), 2),
            "unit": TextColumn.constant(_PERCENT_VIABLE, len(row)),
            "indication_source": TextColumn.constant(_PATHOLOGY_SOURCE, len(row)),
            "pathology_class": _coded(classes[row], [text_of(item).upper() for item in PathologyClass]),
        },
    )


def _coded(codes: NDArray[Any], texts: Sequence[str]) -> TextColumn:
    return TextColumn(codes.astype(np.int32), texts)


def _stacked(columns: Sequence[Any], order: NDArray[np.int64]) -> TextColumn | NumberColumn:
    """Return the rows of columns of one kind under each other, in an order."""
    if isinstance(columns[0], NumberColumn):
        values = np.concatenate([column.values for column in columns])[order]
        known = np.concatenate([column.known for column in columns])[order]
        return NumberColumn(values, known, columns[0].decimals)
    texts: list[str] = []
    codes = []
    for column in columns:
        codes.append(column.codes + np.int32(len(texts)))
        texts.extend(column.values)
    return TextColumn(np.concatenate(codes)[order].astype(np.int32), texts)


def _blank(name: str) -> TextColumn | NumberColumn:
    if name == "line":
        return NumberColumn.blank(0, 0)
    return NumberColumn.blank(0, 2 if name.endswith("percent") else 3) if name in _NUMBERS else blank_texts(0)


# --- for people


def ancillary_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Hand out the lines of one timepoint, lesion by lesion: what changed, what did not, what is unknown, how large.

    Notes come at the end, and only where something changed.
    """
    if rows:
        yield "  Ancillary findings, which change no category:"
    for lesion, of_lesion in groupby(rows, lambda row: row["lesion"]):
        for told in _of_lesion(list(of_lesion)):
            yield f"    {lesion}: {told}"
    changed = [row for row in rows if row["status"] in _CHANGED or row["change"] not in ("", "0")]
    for note in dict.fromkeys(row["note"] for row in changed if row["note"]):
        lesions = dict.fromkeys(row["lesion"] for row in changed if row["note"] == note)
        yield f"    Note on {', '.join(lesions)}: {note}"


_CHANGED: Final = frozenset(text_of(status) for status in CHANGED)
_EXTENTS: Final = tuple(name for name in DESCRIPTORS if name.startswith("extent"))


def _of_lesion(rows: Sequence[Row]) -> Iterator[str]:
    findings = [row for row in rows if row["finding"] not in DESCRIPTORS]
    telling = [row for row in findings if row["finding"] == PATHOLOGY or row["status"] in _CHANGED]
    yield from (f"{row['finding']} {_told(row)}" for row in telling)
    plain = [row for row in findings if row not in telling and not row["why"]]
    if plain:
        yield ", ".join(f"{row['finding']} {_told(row)}" for row in plain)
    for why in dict.fromkeys(row["why"] for row in findings if row["why"]):
        names = (f"{row['finding']}{_in_brackets(_value(row))}" for row in findings if row["why"] == why)
        yield f"not evaluable, {why}: {', '.join(names)}"
    if sizes := list(_sizes({row["finding"]: row for row in rows})):
        yield ", ".join(sizes)


def _told(row: Row) -> str:
    if row["finding"] == PATHOLOGY:
        value = f", {row['value']} % viable cells" if row["value"] else ""
        return f"class {row['pathology_class']} ({_PATHOLOGY_SOURCE}){value}"
    said = (row["status"] or row["recorded"]).replace("_", " ")
    if not said:
        return _value(row) or "not recorded"
    return f"{said}{_in_brackets(_change(row) if row['status'] else _value(row))}{_meaning(row)}"


def _sizes(of: Mapping[str, Row]) -> Iterator[str]:
    """Hand out the descriptors of a lesion, the three extents as one."""
    if all(name in of for name in _EXTENTS):
        planes = " x ".join(of[name]["value"] for name in _EXTENTS)
        yield f"{planes} mm (left-right x front-back x head-foot)"
    for name, row in of.items():
        if name in DESCRIPTORS and (name not in _EXTENTS or not all(extent in of for extent in _EXTENTS)):
            share = f" ({_signed(row['change_percent'])} %)" if row["change_percent"] else ""
            yield f"{name} {_change(row)}{share}"


def _change(row: Row) -> str:
    return f"{row['baseline_value']} to {_value(row)}" if row["value"] and row["change"] else _value(row)


def _value(row: Row) -> str:
    unit = "" if row["unit"] == "fraction" or not row["value"] else f" {row['unit']}"
    return f"{row['value']}{unit}".rstrip()


def _signed(number: str) -> str:
    return number if number.startswith("-") or number == "0" else f"+{number}"


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _meaning(row: Row) -> str:
    if row["indication"] in ("", NEITHER):
        return ""
    return f", {row['indication']} response ({row['indication_source']})"
