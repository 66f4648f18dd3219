"""The table of ancillary findings (`ancillary.csv`).

One row per subject, evaluator, timepoint, lesion and finding, for lesions in which the finding was ever recorded; and
one for each descriptor (extents, volumes) that is known there. What is told of the timepoint as a whole has no lesion.
It says what was recorded and how that stands against baseline; no category depends on it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
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
    pathology_of,
    reasons,
    source_texts,
    spots_with,
)
from response.cells import NO_NUMBER, NO_ROW
from response.descriptors import described, descriptors_of
from response.engine import Assessment
from response.measurements import Measurements
from response.report.columns import Columns, NumberColumn, blank_texts, date_texts, percent, yes_or_blank
from response.report.series_columns import series_columns
from response.report.technique import technique_notes
from response.table import TextColumn
from response.timeline import Timeline
from response.visit_descriptors import UNKNOWN, OfVisits, has_visit_descriptors, of_visits
from response.vocabulary import Ancillary, PathologyClass, Role, text_of

ANCILLARY_COLUMNS: Final = (
    "subject site evaluator accepted timepoint date lesion role finding status recorded baseline_recorded value "
    "baseline_value change change_percent nadir_value change_from_nadir change_from_nadir_percent unit indication "
    "indication_source pathology_class why note source file line"
).split()

PATHOLOGY: Final = "pathology"
_PERCENT_VIABLE: Final = "percent viable cells"
PATHOLOGY_SOURCE: Final = "EORTC-STBSG"
_WORDS: Final = [text_of(word) for word in Ancillary]
_FROM_NADIR: Final = ("nadir_value", "change_from_nadir", "change_from_nadir_percent")
_NUMBERS: Final = ("value", "baseline_value", "change", "change_percent", *_FROM_NADIR)


def has_ancillary(measurements: Measurements) -> bool:
    """Return whether there is any column of ancillary findings, descriptors, pathology or numbers of timepoints."""
    of_lesions = bool(kinds_of(measurements) or descriptors_of(measurements)) or has_pathology(measurements)
    return of_lesions or has_visit_descriptors(measurements)


@dataclass(frozen=True, eq=False)
class _Place:
    """Where rows stand; arrays `[row]`.

    Attributes
    ----------
    cell
        Timepoint.
    track, row
        Lesion and row of the measurement table, -1 for what is told of the timepoint as a whole.
    visit_row
        Row of the table of visits, -1 where it does not stand there.
    """

    cell: NDArray[np.int64]
    track: NDArray[np.int32]
    row: NDArray[np.int32]
    visit_row: NDArray[np.int32]


_Columns = dict[str, TextColumn | NumberColumn]
_Part = tuple[_Place, _Columns]


class AncillaryRows:
    """Makes the rows of the whole trial; they are few beside those of the lesions."""

    def __init__(self, assessment: Assessment) -> None:
        self.timeline = assessment.timeline

    def batches(self) -> Iterator[Columns]:
        """Hand out the rows, in the order of subject, evaluator, time, lesion and finding."""
        timeline = self.timeline
        parts = [_of_kind(timeline, found) for found in observed(timeline)]
        parts += [_of_kind(timeline, _known(found)) for found in described(timeline)]
        parts += [_of_pathology(timeline)] if has_pathology(timeline.measurements) else []
        parts += [_of_timepoints(timeline, found) for found in of_visits(timeline)]
        if not parts:
            yield {name: _blank(name) for name in ANCILLARY_COLUMNS}
            return
        cell, track, row, visit_row = (
            np.concatenate([getattr(place, item.name) for place, _ in parts]) for item in fields(_Place)
        )
        order = np.lexsort((np.arange(len(cell)), track, cell))
        own = {name: _stacked([columns[name] for _, columns in parts], order) for name in parts[0][1]}
        columns = {**self._where(_Place(cell[order], track[order], row[order], visit_row[order])), **own}
        yield {name: columns[name] for name in ANCILLARY_COLUMNS}

    def _where(self, place: _Place) -> _Columns:
        """Return subject, timepoint and lesion, and the row of the file."""
        timeline, visits, tracks = self.timeline, self.timeline.visits, self.timeline.tracks
        cell, of_lesion = place.cell, place.track >= 0
        source = timeline.measurements.text_column("source")
        lesion = _at(tracks.lesion, place.track, len(tracks.lesions))
        return {
            **series_columns(timeline, timeline.series_of_cell[cell]),
            "accepted": yes_or_blank(visits.accepted[cell]),
            "timepoint": TextColumn(visits.label[cell], visits.labels),
            "date": date_texts(visits.first_scan[cell], visits.precision[cell]),
            "lesion": TextColumn(lesion, [*tracks.lesions, ""]),
            "role": _coded(np.where(of_lesion, tracks.role[place.track], Role.NONE), [text_of(role) for role in Role]),
            "source": TextColumn(_at(source.codes, place.row, len(source.values)), [*source.values, ""]),
            **self._file(place),
        }

    def _file(self, place: _Place) -> _Columns:
        """Return file and line of the measurement table, or of the table of visits; blank where it is in neither."""
        table, visits = self.timeline.measurements.table, self.timeline.measurements.visits
        files = _at(table.file_codes, place.row, len(table.files))
        lines, texts = _at(table.lines, place.row, 0), [*table.files, ""]
        if visits is not None:
            there = place.visit_row != NO_ROW
            of_visits = _at(visits.table.file_codes, place.visit_row, 0) + len(texts)
            files, lines = (
                np.where(there, of_visits, files),
                np.where(there, _at(visits.table.lines, place.visit_row, 0), lines),
            )
            texts += visits.table.files
        return {"file": _coded(files, texts), "line": NumberColumn(lines.astype(np.int64), lines > 0, 0)}


def _at(values: NDArray[Any], places: NDArray[Any], fill: int) -> NDArray[np.int32]:
    """Return values at some places, a filler where the place is -1."""
    if not len(values):
        return np.full(len(places), fill, np.int32)
    return np.where(places < 0, fill, values[np.maximum(places, 0)].astype(np.int32)).astype(np.int32)


def _of_lesions(timeline: Timeline, spot: NDArray[np.int64], track: NDArray[np.int32]) -> _Place:
    start = timeline.cell_start[timeline.series_of_track[track]]
    cell = start + spot - timeline.spot_start[track]
    return _Place(cell, track, timeline.row[spot], np.full(len(spot), NO_ROW, np.int32))


def _known(found: Observed) -> Observed:
    """Return a descriptor where it has a number."""
    known = found.number != NO_NUMBER
    arrays = {item.name: getattr(found, item.name) for item in fields(found)}
    return replace(found, **{name: array[known] for name, array in arrays.items() if isinstance(array, np.ndarray)})


def _of_kind(timeline: Timeline, found: Observed) -> _Part:
    rows = len(found.spot)
    why, texts = reasons(found)
    now, then = found.number.astype(np.int64), found.baseline_number.astype(np.int64)
    both = (now != NO_NUMBER) & (then != NO_NUMBER) & found.after
    positive = both & (then > 0)
    return (
        _of_lesions(timeline, found.spot, found.track),
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
            **_no_nadir(rows),
            "unit": TextColumn.constant(found.kind.unit, rows),
            "indication": _coded(indications(found.kind, found.status), INDICATIONS),
            "indication_source": _coded(*source_texts(found.kind, found.status)),
            "pathology_class": blank_texts(rows),
            "why": _coded(why, texts),
            "note": technique_notes(found, timeline.measurements),
        },
    )


def _of_pathology(timeline: Timeline) -> _Part:
    """Return what pathology found: it stands for itself, and is not compared with baseline."""
    measured = timeline.measurements
    percent, classes = measured.number("pathology_viable_percent"), pathology_of(measured)
    known = classes != PathologyClass.BLANK
    spot, track = spots_with(timeline, known)
    chosen = known[timeline.row[spot]]
    spot, track = spot[chosen], track[chosen]
    row = timeline.row[spot]
    value, blank = percent[row].astype(np.int64), blank_texts(len(row))
    return (
        _of_lesions(timeline, spot, track),
        {
            **dict.fromkeys(("status", "recorded", "baseline_recorded", "indication", "why", "note"), blank),
            "finding": TextColumn.constant(PATHOLOGY, len(row)),
            "value": NumberColumn(value, value != NO_NUMBER),
            "baseline_value": NumberColumn.blank(len(row)),
            "change": NumberColumn.blank(len(row)),
            "change_percent": NumberColumn.blank(len(row), 2),
            **_no_nadir(len(row)),
            "unit": TextColumn.constant(_PERCENT_VIABLE, len(row)),
            "indication_source": TextColumn.constant(PATHOLOGY_SOURCE, len(row)),
            "pathology_class": _coded(classes[row], [text_of(item).upper() for item in PathologyClass]),
        },
    )


def _of_timepoints(timeline: Timeline, found: OfVisits) -> _Part:
    """Return what is told of timepoints as a whole: it stands against baseline and the smallest number before."""
    rows = len(found.cell)
    blank, lesion = blank_texts(rows), np.full(rows, -1, np.int32)
    visit_row = timeline.visits.visit_row[found.cell] if found.from_visits else np.full(rows, NO_ROW, np.int32)
    return (
        _Place(found.cell, lesion, np.full(rows, NO_ROW, np.int32), visit_row),
        {
            **dict.fromkeys(("status", "recorded", "baseline_recorded", "why"), blank),
            **dict.fromkeys(("indication", "indication_source", "pathology_class"), blank),
            "finding": TextColumn.constant(found.name, rows),
            "value": _number(found.now, found),
            **_against(found, found.baseline, ("baseline_value", "change", "change_percent")),
            **_against(found, found.nadir, _FROM_NADIR),
            "unit": TextColumn.constant(found.unit, rows),
            "note": found.note,
        },
    )


def _against(found: OfVisits, reference: NDArray[np.int64], names: Sequence[str]) -> dict[str, NumberColumn]:
    """Return a number before, and the change since then."""
    both = (found.now != UNKNOWN) & (reference != UNKNOWN)
    change = np.where(both, found.now - np.where(both, reference, 0), UNKNOWN)
    positive = both & (reference > 0) & found.in_percent
    shares = percent(np.where(positive, change, 0), np.where(positive, reference, 0))
    columns = (_number(reference, found), _number(change, found), NumberColumn(shares, positive, 2))
    return dict(zip(names, columns, strict=True))


def _number(values: NDArray[np.int64], found: OfVisits) -> NumberColumn:
    known = values != UNKNOWN
    return NumberColumn(np.rint(np.where(known, values, 0) / found.finer).astype(np.int64), known)


def _no_nadir(rows: int) -> dict[str, NumberColumn]:
    """Return the columns of the nadir, blank: findings of a lesion stand against its baseline."""
    return {name: NumberColumn.blank(rows, 2 if name.endswith("percent") else 3) for name in _FROM_NADIR}


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
