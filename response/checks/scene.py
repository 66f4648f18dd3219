"""What the edit checks look at: the rows of the timeline with their lesion and timepoint, and how a hit is noted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER, NO_ROW, iso_texts
from response.criteria.recist import RecistOptions
from response.findings import Finding, Severity
from response.measurability import BaselineLesions, baseline_lesions
from response.measurements import Measurements, Records
from response.protocol import Schedule
from response.readings import counting_length_um
from response.registry import STANDARD
from response.timeline import Timeline
from response.vocabulary import Response, Role

if TYPE_CHECKING:
    from response.engine import Assessment

LARGEST_PER_CHECK: Final = 10_000  # more of one kind are told in one sentence: nobody queries them one by one
_EPOCH: Final = date(1970, 1, 1).toordinal()

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Scene:
    """An assessment as the edit checks look at it.

    A *used row* is a row that stands at a timepoint of a lesion; the others are duplicates. Arrays `[used]` are in
    the order of series, lesion and time.
    """

    assessment: "Assessment"
    today: int

    @property
    def timeline(self) -> Timeline:
        """The timeline."""
        return self.assessment.timeline

    @property
    def measurements(self) -> Measurements:
        """The table."""
        return self.timeline.measurements

    @cached_property
    def options(self) -> RecistOptions:
        """Options of RECIST 1.1."""
        options = self.assessment.results[STANDARD].options
        assert isinstance(options, RecistOptions)
        return options

    @cached_property
    def schedule(self) -> Schedule:
        """Visit schedule of the protocol."""
        return self.assessment.protocol.options("schedule", Schedule)

    # --- used rows

    @cached_property
    def spots(self) -> Rows:
        """Spot of each used row, `[used]`."""
        return np.flatnonzero(self.timeline.row != NO_ROW)

    @cached_property
    def rows(self) -> NDArray[np.int32]:
        """Row of the measurement table, `[used]`."""
        return self.timeline.row[self.spots]

    @cached_property
    def track(self) -> NDArray[np.int32]:
        """Track of each used row, `[used]`."""
        return self.track_of_spot[self.spots]

    @cached_property
    def cell(self) -> NDArray[np.int32]:
        """Cell of each used row, `[used]`."""
        return self.cell_of_spot[self.spots]

    @cached_property
    def follows(self) -> Flags:
        """Whether a used row has the same lesion as the one before it, `[used]`."""
        same = np.zeros(len(self.track), np.bool_)
        same[1:] = self.track[1:] == self.track[:-1]
        return same

    @cached_property
    def track_of_spot(self) -> NDArray[np.int32]:
        """Track of each spot, `[spot]`."""
        counts = np.diff(self.timeline.spot_start)
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

    @cached_property
    def cell_of_spot(self) -> NDArray[np.int32]:
        """Cell of each spot, `[spot]`."""
        timeline = self.timeline
        offset = timeline.cell_start[timeline.series_of_track] - timeline.spot_start[:-1]
        cells = offset.astype(np.int32)[self.track_of_spot]
        cells += np.arange(len(cells), dtype=np.int32)
        return cells

    @cached_property
    def nodal_rows(self) -> Flags:
        """Whether the short axis of the row counts, `[row]`."""
        nodal = np.zeros(len(self.measurements), np.bool_)
        tracks = self.timeline.tracks.nodal
        if tracks.any():
            nodal[self.rows] = tracks[self.track]
        return nodal

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """Length that counts of each row of the table, in micrometres; `[row]`."""
        return counting_length_um(self.measurements, self.nodal_rows)

    def used(self, rows: NDArray[Any]) -> Rows:
        """Return the used rows among some rows of the table, in the order of the table."""
        if not len(rows):
            return np.zeros(0, np.int64)
        found = self._used_of_row[rows]
        return np.asarray(found[found >= 0])

    @cached_property
    def _used_of_row(self) -> Rows:
        found = np.full(len(self.measurements), -1, np.int64)
        found[self.rows] = np.arange(len(self.rows))
        return found

    @cached_property
    def largest(self) -> NDArray[np.int32]:
        """Largest length of each row of the table, whichever counts; `[row]`, `NO_NUMBER` where there is none."""
        names = ("longest_mm", "short_mm", "diameter_mm")
        columns = [self.measurements.numbers[name] for name in names if name in self.measurements.numbers]
        if not columns:
            return np.full(len(self.measurements), NO_NUMBER, np.int32)
        return np.asarray(reduce(np.maximum, columns))

    @cached_property
    def longest(self) -> NDArray[np.int32]:
        """Longest diameter of each row of the table, in micrometres; `[row]`."""
        return counting_length_um(self.measurements, np.zeros(len(self.measurements), np.bool_))

    # --- tracks and cells

    @cached_property
    def baseline_row(self) -> NDArray[np.int32]:
        """Row of each lesion at baseline, `NO_ROW` where there is none; `[track]`."""
        timeline = self.timeline
        place = timeline.series.baseline[timeline.series_of_track]
        spot = timeline.spot_start[:-1] + np.maximum(place, 0)
        return np.where(place < 0, NO_ROW, timeline.row[spot]).astype(np.int32)

    def baseline_tracks(self, role: Role) -> Rows:
        """Return the lesions of a role that have a row at baseline; fragments stand for their parent."""
        tracks = self.timeline.tracks
        return np.flatnonzero((tracks.role == role) & tracks.at_baseline & ~tracks.fragment)

    @cached_property
    def targets(self) -> tuple[Rows, BaselineLesions]:
        """The targets of baseline, and whether each is measurable."""
        targets = self.baseline_tracks(Role.TARGET)
        nodal, rows = self.timeline.tracks.nodal[targets], self.baseline_row[targets]
        rule = self.options.node_slice_rule
        return targets, baseline_lesions(self.measurements, rows, nodal, node_slice_rule=rule, read_sites=True)

    @cached_property
    def follow_up(self) -> Flags:
        """Whether a cell comes after the baseline of a series that has one, `[cell]`."""
        baseline = self.timeline.series.baseline[self.timeline.series_of_cell]
        return np.asarray((baseline >= 0) & (self.timeline.place > baseline))

    @cached_property
    def rows_of_cell(self) -> NDArray[np.int64]:
        """Number of used rows of each cell, `[cell]`."""
        return np.bincount(self.cell, minlength=len(self.timeline.visits))

    @cached_property
    def after_pd(self) -> Flags:
        """Whether a cell comes after the first PD by RECIST 1.1 of its series, `[cell]`."""
        timeline, result = self.timeline, self.assessment.results[STANDARD]
        progressed = np.flatnonzero(result.responses() == Response.PD)
        first = np.full(len(timeline.series), len(timeline.visits), np.int64)
        np.minimum.at(first, timeline.series_of_cell[progressed], progressed)
        return np.asarray(np.arange(len(timeline.visits)) > first[timeline.series_of_cell])

    # --- findings

    def notes(
        self, hits: NDArray[Any], make: Callable[[int], Finding | None], largest: int = LARGEST_PER_CHECK
    ) -> Iterator[Finding]:
        """Yield the finding of each hit; of very many only the first, and one that tells how many more there are."""
        last = None
        for hit in islice(hits.tolist(), largest):
            found = make(hit)
            if found is not None:
                last = found
                yield found
        if len(hits) > largest and last is not None:
            rest = len(hits) - largest
            yield Finding(
                id=last.id,
                severity=last.severity,
                column=last.column,
                expected=last.expected,
                found=f"{rest} more",
                sentence=f"{rest} more findings of this kind are not listed one by one.",
                remedy=last.remedy,
            )

    def of_series(self, series: int, id_: str, severity: Severity, **texts: Any) -> Finding:
        """Return a finding about a series."""
        of = self.timeline.series
        about = {"subject": of.subjects[of.subject[series]], "evaluator": of.evaluators[of.evaluator[series]]}
        return Finding(id=id_, severity=severity, site=self.site(series), **{**about, **texts})

    def of_cell(self, cell: int, id_: str, severity: Severity, **texts: Any) -> Finding:
        """Return a finding about a timepoint of a series."""
        label = self.timeline.visits.labels[self.timeline.visits.label[cell]]
        return self.of_series(int(self.timeline.series_of_cell[cell]), id_, severity, **{"timepoint": label, **texts})

    def of_track(self, track: int, id_: str, severity: Severity, **texts: Any) -> Finding:
        """Return a finding about a lesion."""
        name = self.timeline.tracks.lesions[self.timeline.tracks.lesion[track]]
        return self.of_series(int(self.timeline.series_of_track[track]), id_, severity, lesion=name, **texts)

    def of_spot(self, spot: int, id_: str, severity: Severity, **texts: Any) -> Finding:
        """Return a finding about a lesion at a timepoint; with file and line where it has a row there."""
        row, cell = int(self.timeline.row[spot]), int(self.cell_of_spot[spot])
        label = self.timeline.visits.labels[self.timeline.visits.label[cell]]
        file, line = self.measurements.table.where(row) if row != NO_ROW else ("", 0)
        track = int(self.track_of_spot[spot])
        return self.of_track(track, id_, severity, timepoint=label, file=file, line=line, **texts)

    def of_baseline(self, track: int, id_: str, severity: Severity, **texts: Any) -> Finding:
        """Return a finding about a lesion at baseline."""
        timeline = self.timeline
        place = max(int(timeline.series.baseline[timeline.series_of_track[track]]), 0)
        return self.of_spot(int(timeline.spot_start[track]) + place, id_, severity, **texts)

    def site(self, series: int) -> str:
        """Return the site of the subject of a series."""
        return self.about_subject("site", series)

    def about_subject(self, column: str, series: int) -> str:
        """Return a text of the subject table about the subject of a series, blank where there is none."""
        row, subjects = int(self.timeline.series.subject_row[series]), self.measurements.subjects
        texts = None if subjects is None else subjects.text.get(column)
        return "" if row == NO_ROW or texts is None else texts.text(row)

    def of_record(self, records: Records, row: int, id_: str, severity: Severity, **texts: Any) -> Finding:
        """Return a finding about a row of another table, such as the subject table."""
        file, line = records.table.where(row)
        about = {
            name: records.text[name].text(row) for name in ("subject", "evaluator", "timepoint") if name in records.text
        }
        return Finding(id=id_, severity=severity, file=file, line=line, **{**about, **texts})

    def lesion_names(self, tracks: NDArray[Any]) -> str:
        """Return names of lesions for a sentence, the first few of many."""
        names = [self.timeline.tracks.lesions[self.timeline.tracks.lesion[track]] for track in tracks[:8].tolist()]
        return ", ".join(names) + (" ..." if len(tracks) > 8 else "")


class Grouped:
    """Items by a key, found without looking through all of them."""

    def __init__(self, keys: NDArray[Any], items: NDArray[Any]) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys, self._items = keys[order], items[order]

    def of(self, key: int) -> NDArray[Any]:
        """Return the items of a key, in their order."""
        low, high = np.searchsorted(self._keys, [key, key + 1])
        return self._items[low:high]


Check = Callable[[Scene], Iterator[Finding]]


def days_since_1970(day: date) -> int:
    """Return a date as the tables keep it."""
    return day.toordinal() - _EPOCH


def iso(day: Any) -> str:
    """Return a day as an ISO text."""
    return iso_texts(np.asarray([day], np.int32))[0]
