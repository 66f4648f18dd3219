"""From rows to the timeline: who is a series, what is a timepoint, which is the baseline, what is a lesion.

1. Rows of one subject and evaluator are a series; rows of one label in it are a timepoint, whatever their dates.
2. Timepoints are ordered by date; undated ones by the number in the label, else by their place in the file.
3. The baseline is the marked timepoint, else the last on or before the start of treatment, else one labelled so,
   else the first.
4. A lesion takes the role that it has at baseline, else where it was first seen.
5. Identical rows of a lesion and timepoint count once; rows that contradict each other make it not evaluable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.baselines import find_baselines
from response.cells import NO_DATE, NO_ROW, DatePrecision
from response.findings import Finding
from response.keys import RankedTexts, combined_keys, dense_ids, natural_key, visit_key
from response.lesion_tracks import describe_tracks
from response.lineage import Lineage
from response.measurements import Measurements, Records
from response.readings import read_rows
from response.timeline import Series, Timeline, Tracks, Visits
from response.visit_order import cell_dates, in_time_order, orders_by_number, time_order
from response.vocabulary import State, YesNo

_SAME_ROW_COLUMNS: Final = ("date", "source")  # may differ between rows that say the same of a lesion


def arrange(measurements: Measurements) -> Timeline:
    """Return the timeline of a trial.

    Parameters
    ----------
    measurements
        With the visit and subject tables beside them, where given.

    Returns
    -------
    Timeline
        Its `findings` say what was decided about duplicates, order and baselines.
    """
    return Arrangement(measurements).timeline()


class Arrangement:
    """The steps from rows to the timeline; each sets the arrays that the next needs."""

    def __init__(self, measurements: Measurements) -> None:
        self.measurements = measurements
        self.rows = len(measurements)
        self.findings: list[Finding] = []

    def timeline(self) -> Timeline:
        """Take all steps."""
        self._find_series()
        self._find_visits()
        self._find_subjects()
        self.baseline = find_baselines(self)
        self._find_tracks()
        self._place_rows()
        timeline = self._read_states()
        return replace(timeline, barred=self.barred, findings=tuple(self.findings))

    # --- 1. series and timepoints

    def _find_series(self) -> None:
        measured, visits = self.measurements, self.measurements.visits
        visit_subjects = visits.text_column("subject").values if visits else ()
        visit_evaluators = visits.text_column("evaluator").values if visits else ()
        self.subject = RankedTexts.of(measured.text_column("subject"), extra=visit_subjects)
        self.evaluator = RankedTexts.of(measured.text_column("evaluator"), extra=visit_evaluators)
        evaluators = len(self.evaluator.texts)
        subjects = len(self.subject.texts)
        keys = self.subject.rank_of_row
        if evaluators > 1:
            keys = combined_keys(keys, self.evaluator.rank_of_row, evaluators, subjects)
        self.visit_rows, visit_keys = self._visit_keys(keys, evaluators)
        both = np.concatenate([keys, visit_keys]) if len(visit_keys) else keys
        ids, self.series_keys = dense_ids(both, subjects * evaluators)
        self.series_of_row, self.series_of_visit = ids[: self.rows], ids[self.rows :]

    def _visit_keys(self, keys: NDArray[Any], evaluators: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return visit rows and their series keys; a visit row without evaluator stands for all of the subject.

        An evaluator's own row comes later and so wins over it.
        """
        visits = self.measurements.visits
        if visits is None or not len(visits):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        subjects = self.subject.ranks(visits.text_column("subject").texts())
        texts = visits.text_column("evaluator").texts()
        plain = subjects * evaluators + self.evaluator.ranks(texts)
        named = np.asarray([bool(text) for text in texts], np.bool_)
        series_of_subject: dict[int, list[int]] = {}
        for key in np.unique(np.concatenate([keys[np.isin(keys // evaluators, subjects)], plain[named]])).tolist():
            series_of_subject.setdefault(key // evaluators, []).append(key)
        pairs: list[tuple[int, int]] = []
        for row in np.argsort(named, kind="stable").tolist():
            own = [int(plain[row])]
            pairs.extend((row, key) for key in (own if named[row] else series_of_subject.get(int(subjects[row]), own)))
        rows, of = zip(*pairs, strict=True)
        return np.asarray(rows, np.int64), np.asarray(of, np.int64)

    def _find_visits(self) -> None:
        measured, visits = self.measurements, self.measurements.visits
        labels = visits.text_column("timepoint").values if visits else ()
        self.label = RankedTexts.of(measured.text_column("timepoint"), visit_key, labels)
        count = len(self.label.texts)
        of_visits = (
            self.label.ranks(visits.text_column("timepoint").texts())[self.visit_rows] if visits else np.zeros(0, int)
        )
        series, label = self.series_of_row, self.label.rank_of_row
        if len(of_visits):
            series = np.concatenate([series, self.series_of_visit])
            label = np.concatenate([label, of_visits])
        keys = combined_keys(series, label, count, len(self.series_keys))
        ids, distinct = dense_ids(keys, len(self.series_keys) * count)
        self.cell_of_row, cell_of_visit = ids[: self.rows], ids[self.rows :]
        self.cell_series = (distinct // count).astype(np.int32)
        self.cell_label = (distinct % count).astype(np.int32)
        self.visit_row = np.full(len(distinct), NO_ROW, np.int32)
        self.visit_row[cell_of_visit] = self.visit_rows
        self._date_cells(visits)
        self._order_cells()

    def _date_cells(self, visits: Records | None) -> None:
        dates = self.measurements.date("date")
        self.first, self.last, self.precision = cell_dates(dates, self.cell_of_row, len(self.cell_series))
        if visits is not None:
            of_visits = visits.date("date")
            undated = (self.first == NO_DATE) & (self.visit_row >= 0)
            rows = self.visit_row[undated]
            self.first[undated] = self.last[undated] = of_visits.days[rows]
            self.precision[undated] = of_visits.precision[rows]

    def _order_cells(self) -> None:
        """Bring the cells of each series into time order; they come in the order of their labels."""
        self.cell_start = np.searchsorted(self.cell_series, np.arange(len(self.series_keys) + 1)).astype(np.int64)
        same = self.cell_series[1:] == self.cell_series[:-1]
        ordered = in_time_order(self.first, self.precision, same)
        if ordered.all():
            return
        labels = [self.label.texts[code] for code in np.unique(self.cell_label)]
        if (self.first == NO_DATE).all() and orders_by_number(labels):
            self._note_undated_file()
            return
        order = self._exact_order(ordered)
        for series in self._inexact_series(ordered):
            cells = np.arange(self.cell_start[series], self.cell_start[series + 1])
            labels = [self.label.texts[code] for code in self.cell_label[cells]]
            exact = self.precision[cells] == DatePrecision.DAY
            order[cells] = cells[time_order(labels, self.first[cells], exact, self._first_row[cells])]
            self._note_undated(cells, labels)
        self._reorder_cells(order)

    def _exact_order(self, ordered: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the order by date of the cells whose series are out of order, all of them as if dated."""
        order = np.arange(len(self.cell_series))
        affected = np.zeros(len(self.series_keys), np.bool_)
        affected[self.cell_series[1:][~ordered]] = True
        cells = np.flatnonzero(affected[self.cell_series])
        order[cells] = cells[np.lexsort((cells, self.first[cells], self.cell_series[cells]))]
        return order

    def _inexact_series(self, ordered: NDArray[np.bool_]) -> list[int]:
        """Return the series out of order with a date that is not known to the day."""
        inexact = np.zeros(len(self.series_keys), np.bool_)
        inexact[self.cell_series[self.precision != DatePrecision.DAY]] = True
        affected = np.unique(self.cell_series[1:][~ordered])
        return [int(series) for series in affected[inexact[affected]]]

    @cached_property
    def _first_row(self) -> NDArray[np.int64]:
        """First row of each cell: its place in the file."""
        first_row = self.rows + self.visit_row.astype(np.int64)
        np.minimum.at(first_row, self.cell_of_row, np.arange(self.rows))
        return first_row

    def _reorder_cells(self, order: NDArray[np.int64]) -> None:
        new_place = np.empty(len(order), np.int32)
        new_place[order] = np.arange(len(order), dtype=np.int32)
        self.cell_of_row = new_place[self.cell_of_row]
        self.cell_label, self.visit_row = self.cell_label[order], self.visit_row[order]
        self.first, self.last, self.precision = self.first[order], self.last[order], self.precision[order]

    def _note_undated_file(self) -> None:
        self.findings.append(
            Finding(
                id="undated_timepoints",
                severity="info",
                found="no date in the table",
                expected="scan dates",
                sentence="No timepoint has a date; all were ordered by the number in the visit label.",
                remedy="Add the scan dates: without them durations cannot be tested.",
                file=", ".join(self.measurements.table.files),
            )
        )

    def _note_undated(self, cells: NDArray[np.int64], labels: Sequence[str]) -> None:
        undated = [label for label, cell in zip(labels, cells, strict=True) if self.first[cell] == NO_DATE]
        if undated and len(cells) > 1:
            how = "the number in the visit label" if orders_by_number(labels) else "their order in the file"
            self.note(
                "undated_timepoints",
                "info",
                int(self.cell_series[cells[0]]),
                found=", ".join(undated[:5]),
                expected="a scan date",
                sentence=f"Timepoints without a date were ordered by {how}.",
                remedy="Add the scan dates.",
            )

    # --- 2. subjects

    def _find_subjects(self) -> None:
        """Find the row of the subject table and its dates for each series."""
        evaluators = len(self.evaluator.texts)
        self.series_subject = (self.series_keys // evaluators).astype(np.int32)
        self.series_evaluator = (self.series_keys % evaluators).astype(np.int32)
        table = self.measurements.subjects
        rows = np.full(len(self.subject.texts), NO_ROW, np.int32)
        dates: dict[str, NDArray[np.int32]] = {}
        if table is not None:
            places = {text: place for place, text in enumerate(self.subject.texts)}
            for row, text in enumerate(table.text_column("subject").texts()):
                if text in places:
                    rows[places[text]] = row
        self.subject_row = rows[self.series_subject]
        for name in ("treatment_start", "randomisation", "new_therapy"):
            days = table.date(name).days if table is not None else np.zeros(0, np.int32)
            known = self.subject_row >= 0
            dates[name] = np.full(len(self.series_subject), NO_DATE, np.int32)
            dates[name][known] = days[self.subject_row[known]]
        dates["start"] = np.where(dates["treatment_start"] == NO_DATE, dates["randomisation"], dates["treatment_start"])
        self.subject_dates: Mapping[str, NDArray[np.int32]] = dates

    # --- 3. lesions

    def _find_tracks(self) -> None:
        self.lesion = RankedTexts.of(self.measurements.text_column("lesion"), natural_key)
        count = len(self.lesion.texts)
        keys = combined_keys(self.series_of_row, self.lesion.rank_of_row, count, len(self.series_keys))
        self.track_of_row, distinct = dense_ids(keys, len(self.series_keys) * count)
        self.track_series = (distinct // count).astype(np.int32)
        self.track_lesion = (distinct % count).astype(np.int32)
        series = np.arange(len(self.series_keys) + 1)
        self.track_start = np.searchsorted(self.track_series, series).astype(np.int64)
        visits = np.diff(self.cell_start)[self.track_series]
        self.spot_start = np.concatenate([[0], np.cumsum(visits)]).astype(np.int64)

    def _place_rows(self) -> None:
        """Put each row on its spot; find where a lesion has more than one row at a timepoint."""
        kind = np.int32 if self.spot_start[-1] < np.iinfo(np.int32).max else np.int64
        offset = (self.spot_start[:-1] - self.cell_start[self.track_series]).astype(kind)
        spots: NDArray[Any] = offset.take(self.track_of_row)
        spots += self.cell_of_row
        self.row = np.full(int(self.spot_start[-1]), NO_ROW, np.int32)
        numbers = np.arange(self.rows, dtype=np.int32)
        self.row[spots] = numbers
        self.conflicts = np.zeros(0, np.int64)
        if np.count_nonzero(self.row != NO_ROW) < self.rows:
            self._settle_duplicates(spots, np.flatnonzero(self.row[spots] != numbers))

    def _settle_duplicates(self, spots: NDArray[Any], doubled: NDArray[np.int64]) -> None:
        contents = self._contents()
        conflicts = set()
        for row in doubled.tolist():
            spot, kept = int(spots[row]), int(self.row[spots[row]])
            same = all(content[row] == content[kept] for content in contents)
            if not same:
                conflicts.add(spot)
            self._note_row(row, kept, same=same)
        self.conflicts = np.asarray(sorted(conflicts), np.int64)

    def _contents(self) -> list[NDArray[Any]]:
        measured = self.measurements
        dates = [column.days for name, column in measured.dates.items() if name not in _SAME_ROW_COLUMNS]
        texts = [column.codes for name, column in measured.text.items() if name not in _SAME_ROW_COLUMNS]
        return [*measured.codes.values(), *measured.numbers.values(), *dates, *texts]

    def _read_states(self) -> Timeline:
        tracks = describe_tracks(self)
        role, nodal = tracks.role.take(self.track_of_row), tracks.nodal.take(self.track_of_row)
        row_state, row_value = read_rows(self.measurements, role, nodal)
        there = self.row >= 0
        whole = bool(there.all())
        row = self.row if whole else np.maximum(self.row, 0)
        state, value = row_state.take(row), row_value.take(row)
        if not whole:
            self._fill_spots_without_row(state, value, there, tracks)
        state[self.conflicts] = State.NOT_EVALUABLE
        value[self.conflicts] = 0
        timeline = Timeline(
            measurements=self.measurements,
            series=self._series(),
            visits=Visits(
                labels=self.label.texts,
                label=self.cell_label,
                first_scan=self.first,
                last_scan=self.last,
                precision=self.precision,
                visit_row=self.visit_row,
                done=self._done(),
                accepted=self._accepted_cells(),
            ),
            tracks=tracks,
            cell_start=self.cell_start,
            track_start=self.track_start,
            spot_start=self.spot_start,
            row=self.row,
            state=state,
            value_um=value,
        )
        lineage = Lineage(timeline)
        lineage.settle(state, value)
        self.barred = np.union1d(self.conflicts, np.asarray(lineage.treated, np.int64))
        return timeline

    def _fill_spots_without_row(
        self, state: NDArray[np.int8], value: NDArray[np.int32], there: NDArray[np.bool_], tracks: Tracks
    ) -> None:
        gaps = np.flatnonzero(~there)
        track = np.searchsorted(self.spot_start, gaps, side="right") - 1
        later = gaps - self.spot_start[track] > tracks.first[track]
        state[gaps] = np.where(later, State.MISSING, State.UNKNOWN)
        value[gaps] = 0

    @cached_property
    def _accepted_series(self) -> NDArray[np.bool_]:
        accepted = np.zeros(len(self.series_keys), np.bool_)
        if "accepted" in self.measurements.codes:
            accepted[self.series_of_row[self.measurements.codes["accepted"] == YesNo.YES]] = True
        return accepted

    def _accepted_cells(self) -> NDArray[np.bool_]:
        """Return which timepoints adjudication accepted: by their rows, and where they have none, by the series."""
        accepted = self._accepted_series[self.cell_series]
        if accepted.any():
            accepted[self.cell_of_row] = False
            accepted[self.cell_of_row[self.measurements.code("accepted") == YesNo.YES]] = True
        return accepted

    def _series(self) -> Series:
        dates = self.subject_dates
        return Series(
            subjects=self.subject.texts,
            evaluators=self.evaluator.texts,
            subject=self.series_subject,
            evaluator=self.series_evaluator,
            baseline=self.baseline,
            accepted=self._accepted_series,
            subject_row=self.subject_row,
            treatment_start=dates["treatment_start"],
            randomisation=dates["randomisation"],
            new_therapy=dates["new_therapy"],
        )

    def _done(self) -> NDArray[np.bool_]:
        done = np.ones(len(self.cell_series), np.bool_)
        if self.measurements.visits is not None:
            with_visit = self.visit_row >= 0
            missed = self.measurements.visits.code("done") == YesNo.NO
            done[with_visit] = ~missed[self.visit_row[with_visit]]
        return done

    # --- findings

    def note(self, id_: str, severity: Any, series: int, **texts: Any) -> None:
        """Note a finding about a series."""
        self.findings.append(
            Finding(
                id=id_,
                severity=severity,
                subject=self.subject.texts[self.series_subject_of(series)],
                evaluator=self.evaluator.texts[int(self.series_keys[series]) % len(self.evaluator.texts)],
                **texts,
            )
        )

    def series_subject_of(self, series: int) -> int:
        """Return the rank of the subject of a series."""
        return int(self.series_keys[series]) // len(self.evaluator.texts)

    def note_of_row(self, row: int, id_: str, severity: Any = "error", **texts: Any) -> None:
        """Note a finding about one row."""
        file, line = self.measurements.table.where(row)
        self.note(
            id_,
            severity,
            int(self.series_of_row[row]),
            timepoint=self.label.texts[self.label.rank_of_row[row]],
            lesion=self.lesion.texts[self.lesion.rank_of_row[row]],
            file=file,
            line=line,
            **texts,
        )

    def _note_row(self, row: int, kept: int, *, same: bool) -> None:
        table = self.measurements.table
        file, _ = table.where(row)
        other_file, other_line = table.where(kept)
        there = f"{other_file}:{other_line}" if other_file != file else f"line {other_line}"
        sentence = (
            f"The row says the same as {there}; it counts once."
            if same
            else f"The row contradicts {there}; the lesion is not evaluable at this timepoint."
        )
        self.note_of_row(
            row,
            "duplicate_row" if same else "conflicting_rows",
            "warning" if same else "error",
            found="two rows of one lesion at one timepoint",
            expected="one row",
            sentence=sentence,
            remedy="Delete the row." if same else "Decide which row is right and delete the other.",
        )
