"""The table of ancillary findings (`ancillary.csv`), and its lines for people.

One row per subject, evaluator, timepoint, lesion and finding, for lesions in which the finding was ever recorded. It
says what was recorded and how that stands against baseline; no category depends on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.ancillary import (
    INDICATIONS,
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
from response.engine import Assessment
from response.measurements import Measurements
from response.report.columns import Columns, NumberColumn, blank_texts, date_texts, yes_or_blank
from response.report.series_columns import series_columns
from response.table import TextColumn
from response.timeline import Timeline
from response.vocabulary import Ancillary, PathologyClass, Role, text_of

ANCILLARY_COLUMNS: Final = (
    "subject site evaluator accepted timepoint date lesion role finding status recorded baseline_recorded value "
    "baseline_value change unit indication indication_source pathology_class why source file line"
).split()

PATHOLOGY: Final = "pathology"
_PERCENT_VIABLE: Final = "percent viable cells"
_PATHOLOGY_SOURCE: Final = "EORTC-STBSG"
_WORDS: Final = [text_of(word) for word in Ancillary]
_NUMBERS: Final = ("value", "baseline_value", "change")
Row = Mapping[str, str]


def has_ancillary(measurements: Measurements) -> bool:
    """Return whether the measurements have any column of ancillary findings or of pathology."""
    return bool(kinds_of(measurements)) or has_pathology(measurements)


class AncillaryRows:
    """Makes the rows of the whole trial; they are few beside those of the lesions."""

    def __init__(self, assessment: Assessment) -> None:
        self.timeline = assessment.timeline

    def batches(self) -> Iterator[Columns]:
        """Hand out the rows, in the order of subject, evaluator, time, lesion and finding."""
        timeline = self.timeline
        parts = [_of_kind(found) for found in observed(timeline)]
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


def _of_kind(found: Observed) -> _Part:
    rows = len(found.spot)
    why, texts = reasons(found)
    after = found.status != Ancillary.BLANK
    now, then = found.number.astype(np.int64), found.baseline_number.astype(np.int64)
    both = (now != NO_NUMBER) & (then != NO_NUMBER) & after
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
            "unit": TextColumn.constant(found.kind.unit, rows),
            "indication": _coded(indications(found.kind, found.status), INDICATIONS),
            "indication_source": _coded(*source_texts(found.kind, found.status)),
            "pathology_class": blank_texts(rows),
            "why": _coded(why, texts),
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
            **dict.fromkeys(("status", "recorded", "baseline_recorded", "indication", "why"), blank),
            "finding": TextColumn.constant(PATHOLOGY, len(row)),
            "value": NumberColumn(value, value != NO_NUMBER),
            "baseline_value": NumberColumn.blank(len(row)),
            "change": NumberColumn.blank(len(row)),
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
        return NumberColumn(values, np.concatenate([column.known for column in columns])[order])
    texts: list[str] = []
    codes = []
    for column in columns:
        codes.append(column.codes + np.int32(len(texts)))
        texts.extend(column.values)
    return TextColumn(np.concatenate(codes)[order].astype(np.int32), texts)


def _blank(name: str) -> TextColumn | NumberColumn:
    if name == "line":
        return NumberColumn.blank(0, 0)
    return NumberColumn.blank(0) if name in _NUMBERS else blank_texts(0)


# --- for people


def ancillary_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Hand out the lines of one timepoint: what was found, and what that says of response."""
    if rows:
        yield "  Ancillary findings, which change no category:"
    for row in rows:
        yield f"    {row['lesion']}: {row['finding']} {_told(row)}"


def _told(row: Row) -> str:
    if row["finding"] == PATHOLOGY:
        value = f", {row['value']} % viable cells" if row["value"] else ""
        return f"class {row['pathology_class']} ({_PATHOLOGY_SOURCE}){value}"
    unit = " HU" if row["unit"] == "HU" else ""
    value = f"{row['value']}{unit}" if row["value"] else ""
    if not row["status"]:
        return ", ".join(filter(None, (row["recorded"].replace("_", " "), value))) or "not recorded"
    if value and row["baseline_value"]:
        value = f"{row['baseline_value']} to {value}"
    numbers = f" ({value})" if value else ""
    why = f": {row['why']}" if row["why"] else ""
    return f"{row['status'].replace('_', ' ')}{numbers}{why}{_meaning(row)}"


def _meaning(row: Row) -> str:
    return (
        "" if row["indication"] in ("", "neither") else f", {row['indication']} response ({row['indication_source']})"
    )
