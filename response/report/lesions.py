"""The table of lesions: one row per subject, evaluator, timepoint and lesion (`lesions.csv`).

It says what each lesion adds to the sum, and why: adding up `value_mm` gives every sum of diameters again. For each
criterion that measures targets in another way, a column `<criterion>_value` says what they add to its sum.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER, NO_ROW
from response.criteria.burden import LesionClass
from response.engine import Assessment
from response.readings import TOO_SMALL_UM, counting_length_um
from response.registry import STANDARD
from response.report.columns import (
    Columns,
    NumberColumn,
    blank_texts,
    date_texts,
    made_ahead,
    percent,
    yes_or_blank,
)
from response.report.evidence import Evidence
from response.report.own_targets import ADDED, own_targets
from response.report.series_columns import series_columns
from response.report.texts import compacted
from response.result import Result
from response.table import TextColumn
from response.vocabulary import Nodule, Role, State, text_of

LESION_COLUMNS: Final = (
    "subject site evaluator accepted timepoint date lesion role organ location nodal state length_mm value_mm why "
    "baseline_mm nadir_mm change_from_baseline_mm change_from_baseline_percent attenuation_hu baseline_hu "
    "morphology nodule source file line"
).split()

_WHY_OF_STATE: Final = {
    State.MEASURED: "measured",
    State.TOO_SMALL: "measured, though too small",
    State.ABSENT: "gone",
    State.PRESENT: "seen, no number",
    State.NOT_EVALUABLE: "not evaluable",
    State.NOT_SCHEDULED: "not scheduled",
    State.SPLIT: "split: its fragments count",
    State.MERGED: "merged",
    State.UNEQUIVOCAL_PROGRESSION: "unequivocal progression",
    State.EQUIVOCAL: "measured, progression suspected",
    State.RESOLVED: "proved to be no tumour",
    State.MISSING: "no row at this visit",
    State.NORMAL_NODE: "short axis of a node, normal below 10 mm",
    State.BORDERLINE_NODE: "new node of 10 to below 15 mm",
}
_SEEN: Final = {
    State.PRESENT: "seen",
    State.ABSENT: "gone",
    State.EQUIVOCAL: "equivocal",
    State.NORMAL_NODE: "normal node below 10 mm",
}
_DEFAULT: Final = "5 mm default: too small to measure"
_NODE: Final = "short axis of a node"
_NODE_SUSPECTED: Final = "short axis of a node, progression suspected"
_NO_BASELINE_ROW: Final = "not counted: no row at baseline"
_CANDIDATE: Final = "not counted: a candidate"
_NO_ROLE: Final = "not counted: no role"


class LesionRows:
    """Makes the rows of one block of series after the other."""

    def __init__(self, assessment: Assessment) -> None:
        self.assessment, self.timeline = assessment, assessment.timeline
        measured = self.timeline.measurements
        self.nadir_um = assessment.results[STANDARD].numbers["nadir_mm"]
        nodal = np.zeros(len(measured), np.bool_)
        for_nodes = counting_length_um(measured, ~nodal)
        self.lengths = (counting_length_um(measured, nodal), for_nodes)
        self.hu = measured.numbers.get("attenuation_hu")
        self.own = {own_value(result): result for result in assessment.results.values() if result.own_targets.any()}

    def batches(self) -> Iterator[Columns]:
        """Hand out the rows, block by block."""
        if not len(self.timeline.series):
            yield {name: _blank(name, 0) for name in LESION_COLUMNS}
        yield from made_ahead(self._block_rows, self.timeline.blocks())

    def _block_rows(self, block: Block) -> Columns:
        evidence = Evidence(block, self.assessment.results[STANDARD])
        rows = _Spots(block, evidence)
        visits, tracks = self.timeline.visits, self.timeline.tracks
        cell = rows.cell + block.cell_slice.start
        series = evidence.series[rows.cell]
        columns: dict[str, Any] = {
            **series_columns(self.timeline, series),
            "accepted": yes_or_blank(visits.accepted[cell]),
            "timepoint": TextColumn(visits.label[cell], visits.labels),
            "date": self._dates(rows, cell),
            "lesion": TextColumn(tracks.lesion[rows.track], tracks.lesions),
            "role": TextColumn(tracks.role[rows.track].astype(np.int32), [text_of(role) for role in Role]),
            "nodal": yes_or_blank(tracks.nodal[rows.track]),
            "state": TextColumn(rows.state.astype(np.int32), [text_of(state) for state in State]),
            "why": self._why(rows),
            **self._numbers(rows, evidence),
            **self._origin(rows),
            **{name: _own_values(rows, result, evidence) for name, result in self.own.items()},
        }
        return {name: columns[name] for name in (*LESION_COLUMNS, *self.own)}

    def _dates(self, rows: "_Spots", cell: NDArray[np.int64]) -> TextColumn:
        """Return the scan date of the row, else that of the timepoint."""
        visits, dates = self.timeline.visits, self.timeline.measurements.date("date")
        own = rows.row != NO_ROW
        row = np.maximum(rows.row, 0)
        known = own & (dates.precision[row] > 0) if len(dates.days) else np.zeros(len(own), np.bool_)
        days = np.where(known, dates.days[row], visits.first_scan[cell])
        return date_texts(days, np.where(known, dates.precision[row], visits.precision[cell]))

    def _numbers(self, rows: "_Spots", evidence: Evidence) -> dict[str, Any]:
        baseline, nadir = evidence.baseline_cell[rows.cell], evidence.nadir_cell(self._nadir(evidence))[rows.cell]
        with_baseline = evidence.baseline[rows.cell] >= 0
        first = rows.at(evidence, baseline)
        lowest = rows.at(evidence, np.maximum(nadir, 0))
        at_baseline = with_baseline & first.added & evidence.shown[rows.cell]
        change = rows.added & at_baseline & evidence.follow_up[rows.cell]
        difference = rows.value - first.value
        whole = np.where(change & (first.value > 0), first.value, 1)
        length = self._of_row(self.lengths[0], self.lengths[1], rows)
        return {
            "length_mm": NumberColumn(length, length != NO_NUMBER),
            "value_mm": NumberColumn(rows.value, rows.added & with_baseline),
            "baseline_mm": NumberColumn(first.value, at_baseline),
            "nadir_mm": NumberColumn(lowest.value, (nadir >= 0) & lowest.added & rows.counted_target),
            "change_from_baseline_mm": NumberColumn(difference, change),
            "change_from_baseline_percent": NumberColumn(
                percent(np.where(change, difference, 0), whole), change & (first.value > 0), 2
            ),
            **self._attenuation(rows, first, with_baseline),
        }

    def _nadir(self, evidence: Evidence) -> NDArray[np.int64]:
        return self.nadir_um[evidence.block.cell_slice]

    def _of_row(self, longest: NDArray[np.int32], short: NDArray[np.int32], rows: "_Spots") -> NDArray[np.int64]:
        row = np.maximum(rows.row, 0)
        nodal = self.timeline.tracks.nodal[rows.track]
        length = longest[row] if short is longest or not nodal.any() else np.where(nodal, short[row], longest[row])
        return np.where(rows.row == NO_ROW, NO_NUMBER, length).astype(np.int64)

    def _attenuation(self, rows: "_Spots", first: "_Values", with_baseline: NDArray[np.bool_]) -> dict[str, Any]:
        if self.hu is None:
            blank = NumberColumn.blank(len(rows.cell))
            return {"attenuation_hu": blank, "baseline_hu": blank}
        now = np.where(rows.row == NO_ROW, NO_NUMBER, self.hu[np.maximum(rows.row, 0)]).astype(np.int64)
        then = np.where(first.row == NO_ROW, NO_NUMBER, self.hu[np.maximum(first.row, 0)]).astype(np.int64)
        return {
            "attenuation_hu": NumberColumn(now, now != NO_NUMBER),
            "baseline_hu": NumberColumn(then, (then != NO_NUMBER) & with_baseline),
        }

    def _origin(self, rows: "_Spots") -> dict[str, Any]:
        """Return what the row of the file says; organ and location of the first row where this one does not say it."""
        measured = self.timeline.measurements
        missing = rows.row == NO_ROW
        nodule = np.where(missing, Nodule.BLANK, measured.code("nodule")[rows.row]) if len(measured) else missing
        columns: dict[str, Any] = {
            **{name: self._place(rows, name) for name in ("organ", "location")},
            "nodule": TextColumn(nodule.astype(np.int32), [text_of(word) for word in Nodule]),
        }
        columns |= {name: _text_at(measured.text.get(name), rows.row, missing) for name in ("morphology", "source")}
        table = measured.table
        row = np.maximum(rows.row, 0)
        files = table.file_codes[row].astype(np.int32) if len(table) else row
        return {
            **columns,
            "file": TextColumn(np.where(missing, len(table.files), files).astype(np.int32), [*table.files, ""]),
            "line": NumberColumn(np.where(missing, 0, table.lines[row]).astype(np.int64), ~missing, 0),
        }

    def _place(self, rows: "_Spots", name: str) -> TextColumn:
        """Return where lesions are; the place of one that is gone, and has none in its row, is kept."""
        column = self.timeline.measurements.text.get(name)
        if column is None or not len(column.codes):
            return blank_texts(len(rows.row))
        silent = np.asarray([not text for text in column.values], np.bool_)
        unsaid = (rows.row == NO_ROW) | silent[column.codes[rows.row]]
        return _text_at(column, np.where(unsaid, rows.described, rows.row), np.zeros(len(unsaid), np.bool_))

    # --- why

    def _why(self, rows: "_Spots") -> TextColumn:
        """Return why each lesion adds what it adds, as few words."""
        texts, table = _why_table()
        code = table[rows.classes, rows.state]
        default = rows.counted_target & (rows.state == State.TOO_SMALL) & (rows.value == TOO_SMALL_UM)
        code = np.where(default, texts.index(_DEFAULT), code)
        role = self.timeline.tracks.role[rows.track]
        uncounted = rows.classes == LesionClass.UNCOUNTED
        for text, of_role in ((_CANDIDATE, Role.CANDIDATE), (_NO_ROLE, Role.NONE)):
            code = np.where(uncounted & (role == of_role), texts.index(text), code)
        return self._with_details(rows, TextColumn(code.astype(np.int32), texts))

    def _with_details(self, rows: "_Spots", why: TextColumn) -> TextColumn:
        """Add the reason of a lesion that was not evaluable, the host of a merged one and the origin of a fragment."""
        tracks, measured = self.timeline.tracks, self.timeline.measurements
        reason = measured.text.get("reason")
        told: dict[int, str] = {}
        if reason is not None:
            lost = np.flatnonzero((rows.state == State.NOT_EVALUABLE) & (rows.row != NO_ROW))
            told |= {spot: f": {text}" for spot in lost.tolist() if (text := reason.text(int(rows.row[spot])))}
        for spot in np.flatnonzero(tracks.parent[rows.track] >= 0).tolist():
            track = int(rows.track[spot])
            parent = tracks.lesions[int(tracks.lesion[tracks.parent[track]])]
            if tracks.fragment[track]:
                told[spot] = f"{told.get(spot, '')}, fragment of {parent}"
            elif rows.state[spot] == State.MERGED:
                told[spot] = f" into {parent}, which is measured"
        if not told:
            return why
        texts = [*why.values]
        index = {text: place for place, text in enumerate(texts)}
        codes = why.codes.copy()
        for spot, detail in told.items():
            text = why.values[codes[spot]] + detail
            codes[spot] = index.setdefault(text, len(index))
        return TextColumn(codes, list(index))


class _Values:
    """What lesions add at some timepoint: value in um, whether it counts, and the row; `[row]`."""

    def __init__(self, spots: "_Spots", spot: NDArray[np.int64]) -> None:
        timeline = spots.timeline
        self.row = timeline.row[spot]
        self.state = timeline.state[spot]
        self.value = timeline.value_um[spot].astype(np.int64)
        self.added = spots.counted_target & np.isin(np.arange(len(State)), ADDED)[self.state]


class _Spots(_Values):
    """The lesions of a block, timepoint by timepoint, from when each was first seen."""

    def __init__(self, block: Block, evidence: Evidence) -> None:
        self.timeline = timeline = block.timeline
        tracks_of = np.diff(timeline.track_start)[evidence.series]
        cell = np.repeat(np.arange(evidence.cells), tracks_of)
        within = np.arange(len(cell)) - np.repeat(np.cumsum(tracks_of) - tracks_of, tracks_of)
        track = timeline.track_start[evidence.series[cell]] + within
        spot = timeline.spot_start[track] + evidence.place[cell]
        seen = timeline.state[spot] != State.UNKNOWN
        if not seen.all():
            cell, track, spot = cell[seen], track[seen], spot[seen]
        self.cell, self.track = cell, track
        self.classes = evidence.classes[track - block.track_slice.start]
        self.counted_target = evidence.is_target[track - block.track_slice.start]
        super().__init__(self, spot)

    @property
    def described(self) -> NDArray[np.int32]:
        """Row of the first timepoint of the lesion that has one."""
        start = self.timeline.spot_start[self.track] + self.timeline.tracks.first[self.track]
        return np.asarray(self.timeline.row[start])

    def at(self, evidence: Evidence, cell: NDArray[np.int64]) -> _Values:
        """Return the same lesions at other timepoints of their series."""
        return _Values(self, self.timeline.spot_start[self.track] + evidence.place[cell])


def own_value(result: Result) -> str:
    """Return the name of the column with what lesions add to the sum of a criterion, in the unit of that sum."""
    return f"{result.criterion.prefix}_value"


def _own_values(rows: _Spots, result: Result, evidence: Evidence) -> NumberColumn:
    own = own_targets(result, evidence)
    if own is None:  # it adds what RECIST 1.1 does
        return NumberColumn(rows.value, rows.added & (evidence.baseline[rows.cell] >= 0))
    value, known = own.added(rows.track - evidence.block.track_slice.start, evidence.place[rows.cell])
    return NumberColumn(value, known & (evidence.baseline[rows.cell] >= 0))


def _why_table() -> tuple[list[str], NDArray[np.int32]]:
    """Return the texts, and the code of the text by class and state of a lesion."""
    texts = ["", _DEFAULT, _NO_BASELINE_ROW, _CANDIDATE, _NO_ROLE]
    table = np.zeros((len(LesionClass), len(State)), np.int32)
    for lesion in LesionClass:
        for state in State:
            text = _why(lesion, state)
            if text not in texts:
                texts.append(text)
            table[lesion, state] = texts.index(text)
    return texts, table


def _why(lesion: LesionClass, state: State) -> str:
    if lesion == LesionClass.UNCOUNTED:
        return _NO_BASELINE_ROW
    if lesion == LesionClass.TARGET_NODE and state in (State.MEASURED, State.EQUIVOCAL):
        return _NODE if state == State.MEASURED else _NODE_SUSPECTED
    if lesion in (LesionClass.TARGET, LesionClass.TARGET_NODE):
        return _WHY_OF_STATE.get(state, "")
    kind = "non-target" if lesion in (LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE) else "new lesion"
    return f"{kind}, not in the sum: {_SEEN.get(state, _WHY_OF_STATE.get(state, ''))}"


def _text_at(column: TextColumn | None, row: NDArray[Any], blank: NDArray[np.bool_]) -> TextColumn:
    if column is None or not len(column.codes):
        return blank_texts(len(row))
    codes = np.where(blank, -1, column.codes[np.maximum(row, 0)]).astype(np.int32)
    return compacted(TextColumn(np.where(codes < 0, len(column.values), codes).astype(np.int32), [*column.values, ""]))


def _blank(name: str, rows: int) -> Any:
    if name == "line":
        return NumberColumn.blank(rows, 0)
    if name.endswith("_percent"):
        return NumberColumn.blank(rows, 2)
    return NumberColumn.blank(rows) if name.endswith(("_mm", "_hu")) else blank_texts(rows)
