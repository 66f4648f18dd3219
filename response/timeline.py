"""The timeline: measurements as arrays of all series abreast.

A *series* is one subject as one evaluator saw it, a *track* is one lesion of one series, a *cell* is one
timepoint of one series. Stored ragged (cells by series, lesion states by track and visit); handed out in
dense blocks `[series, timepoint]` and `[track, timepoint]`, cut so that a few long series change nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE
from response.findings import Finding
from response.measurements import Measurements

BLOCK_CELLS: Final = 400_000  # tracks x timepoints of a block: what stays in the cache
MOST_FILLER: Final = 4  # cells of a block for each that holds something: a long series gets a block of its own
FEW: Final = 16  # where at most every sixteenth spot is chosen, going through those is faster than reducing all
NO_ROW: Final = -1
_ALL: Final = slice(None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """The series of a trial; arrays `[series]`, in the order of subject and evaluator.

    Attributes
    ----------
    subject, evaluator
        Index into `subjects` and `evaluators`.
    baseline
        Place of the baseline timepoint among the timepoints of the series, -1 where there is none.
    accepted
        Whether adjudication accepted the series at some timepoint.
    subject_row
        Row of the subject table, -1 where there is none.
    treatment_start, randomisation, new_therapy
        Days since 1970, `NO_DATE` where unknown.
    """

    subjects: Sequence[str]
    evaluators: Sequence[str]
    subject: NDArray[np.int32]
    evaluator: NDArray[np.int32]
    baseline: NDArray[np.int32]
    accepted: NDArray[np.bool_]
    subject_row: NDArray[np.int32]
    treatment_start: NDArray[np.int32]
    randomisation: NDArray[np.int32]
    new_therapy: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of series."""
        return len(self.subject)

    @cached_property
    def start(self) -> NDArray[np.int32]:
        """Start of treatment, or randomisation where only that is recorded; days, `[series]`."""
        return np.where(self.treatment_start == NO_DATE, self.randomisation, self.treatment_start)


@dataclass(frozen=True, kw_only=True, eq=False)
class Visits:
    """The timepoints of all series; arrays `[cell]`, by series and in time order.

    Attributes
    ----------
    labels, label
        The distinct timepoint labels, and the index of each cell's.
    first_scan, last_scan
        Earliest and latest scan date; days since 1970 (`NO_DATE` where unknown).
    precision
        `cells.DatePrecision` of the first scan.
    visit_row
        Row of the visit table, -1 where there is none.
    done
        False where the visit table says that the visit was missed.
    accepted
        Whether adjudication accepted the read of the timepoint.
    """

    labels: Sequence[str]
    label: NDArray[np.int32]
    first_scan: NDArray[np.int32]
    last_scan: NDArray[np.int32]
    precision: NDArray[np.int8]
    visit_row: NDArray[np.int32]
    done: NDArray[np.bool_]
    accepted: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.label)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tracks:
    """The lesions of all series; arrays `[track]`, by series and lesion name.

    Attributes
    ----------
    lesions, lesion
        The distinct lesion names, and the index of each track's.
    role
        `vocabulary.Role`, at baseline where the lesion is known there, else where it was first seen.
    nodal
        Whether the short axis counts.
    counted
        Whether the lesion takes part: a target or non-target of baseline, a fragment of one, or a new lesion.
    at_baseline
        Whether it has a row at the baseline timepoint.
    first
        Place of the first timepoint with a row.
    parent
        Track that it split from or merged into, -1 where there is none.
    fragment
        Whether it split from its parent.
    carries
        Whether some state of it lasts into timepoints without a row (merged, split, resolved, not scheduled).
    """

    lesions: Sequence[str]
    lesion: NDArray[np.int32]
    role: NDArray[np.int8]
    nodal: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    at_baseline: NDArray[np.bool_]
    first: NDArray[np.int32]
    parent: NDArray[np.int32]
    fragment: NDArray[np.bool_]
    carries: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self.lesion)


@dataclass(frozen=True, kw_only=True, eq=False)
class Timeline:
    """Measurements as series, timepoints and tracks.

    Attributes
    ----------
    cell_start, track_start
        Shape `[series + 1]`: the cells and tracks of series `s` are `start[s]:start[s + 1]`.
    spot_start
        Shape `[track + 1]`: the spots (timepoints) of each track among the arrays `[spot]`.
    row
        Shape `[spot]`: row of the measurement table, `NO_ROW` where the lesion has none at the timepoint.
    state
        Shape `[spot]`, `vocabulary.State` as read, missing and unknown included.
    value_um
        Shape `[spot]`: what the lesion contributes to the sum of its role, whole micrometres; 0 where nothing.
    barred
        The spots whose row counts for nothing, whatever it holds: rows that contradict each other, and lesions after
        local therapy.
    findings
        What was found on the way from rows to series.
    block_cells
        How many track-timepoints a block may have.
    """

    measurements: Measurements
    series: Series
    visits: Visits
    tracks: Tracks
    cell_start: NDArray[np.int64]
    track_start: NDArray[np.int64]
    spot_start: NDArray[np.int64]
    row: NDArray[np.int32]
    state: NDArray[np.int8]
    value_um: NDArray[np.int32]
    barred: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    findings: Sequence[Finding] = field(default=())
    block_cells: int = BLOCK_CELLS

    @cached_property
    def series_of_cell(self) -> NDArray[np.int32]:
        """Series of each cell, `[cell]`."""
        return np.repeat(np.arange(len(self.series), dtype=np.int32), np.diff(self.cell_start))

    @cached_property
    def series_of_track(self) -> NDArray[np.int32]:
        """Series of each track, `[track]`."""
        return np.repeat(np.arange(len(self.series), dtype=np.int32), np.diff(self.track_start))

    @cached_property
    def place(self) -> NDArray[np.int32]:
        """Place of each cell in its series, `[cell]`."""
        places = np.arange(len(self.visits), dtype=np.int32)
        return places - self.cell_start[self.series_of_cell].astype(np.int32)

    @cached_property
    def baseline_cell(self) -> NDArray[np.int64]:
        """Cell of the baseline of each series, -1 where there is none; `[series]`."""
        return np.where(self.series.baseline < 0, -1, self.cell_start[:-1] + self.series.baseline)

    def spots(self, track: int) -> slice:
        """Return where the spots of a track stand."""
        return slice(int(self.spot_start[track]), int(self.spot_start[track + 1]))

    def cells(self, series: int) -> slice:
        """Return where the cells of a series stand."""
        return slice(int(self.cell_start[series]), int(self.cell_start[series + 1]))

    def tracks_of(self, series: int) -> range:
        """Return the tracks of a series."""
        return range(int(self.track_start[series]), int(self.track_start[series + 1]))

    def block(self, low: int, high: int) -> "Block":
        """Return series `low` to below `high` as dense arrays."""
        return Block(self, low, high)

    def blocks(self) -> Iterator["Block"]:
        """Hand out all series in blocks of about `block_cells` track-timepoints; one long series may exceed it."""
        visits = np.diff(self.cell_start)
        tracks = np.diff(self.track_start)
        low = 0
        while low < len(self.series):
            high = low + _block_length(visits[low:], tracks[low:], self.block_cells)
            yield Block(self, low, high)
            low = high


def _block_length(visits: NDArray[np.int64], tracks: NDArray[np.int64], largest: int) -> int:
    """Return how many of the series ahead make a block: not too large, and not mostly filler."""
    ahead = slice(0, largest)
    counts = np.maximum(tracks[ahead], 1)
    dense = np.maximum.accumulate(visits[ahead]) * np.cumsum(counts)
    filled = np.cumsum(visits[ahead] * counts)
    fits = (dense <= largest) & (dense <= MOST_FILLER * filled)
    return len(fits) if fits.all() else max(1, int(fits.argmin()))


class Block:
    """Some series as dense arrays: `[series, timepoint]`, and `[track, timepoint]` for lesions.

    Timepoints stand left-aligned; where `exists` is false there is none and other arrays hold fillers.
    """

    def __init__(self, timeline: Timeline, low: int, high: int) -> None:
        self.timeline, self.low, self.high = timeline, low, high
        self._cells = slice(int(timeline.cell_start[low]), int(timeline.cell_start[high]))
        self._tracks = slice(int(timeline.track_start[low]), int(timeline.track_start[high]))
        self._spots = slice(int(timeline.spot_start[self._tracks.start]), int(timeline.spot_start[self._tracks.stop]))
        self.visit_counts = np.diff(timeline.cell_start[low : high + 1])
        self.timepoints = int(self.visit_counts.max(initial=0))
        self.series_count = high - low
        self._uniform = bool((self.visit_counts == self.timepoints).all())
        self._made: dict[str, NDArray[Any]] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Shape `[series, timepoint]`."""
        return self.series_count, self.timepoints

    @property
    def track_slice(self) -> slice:
        """Where the tracks of the block stand among all tracks."""
        return self._tracks

    @cached_property
    def exists(self) -> NDArray[np.bool_]:
        """Whether the timepoint exists, `[series, timepoint]`."""
        return np.asarray(np.arange(self.timepoints) < self.visit_counts[:, None])

    @cached_property
    def baseline(self) -> NDArray[np.int32]:
        """Place of the baseline, -1 where there is none; `[series, 1]`."""
        return self.timeline.series.baseline[self.low : self.high, None]

    @cached_property
    def is_baseline(self) -> NDArray[np.bool_]:
        """Whether the timepoint is the baseline, `[series, timepoint]`."""
        return np.asarray(np.arange(self.timepoints) == self.baseline)

    @cached_property
    def follow_up(self) -> NDArray[np.bool_]:
        """Whether the timepoint exists, is after the baseline and can be scored; `[series, timepoint]`."""
        return np.asarray(self.exists & (np.arange(self.timepoints) > self.baseline) & (self.baseline >= 0))

    @cached_property
    def is_scored(self) -> NDArray[np.bool_]:
        """Whether the timepoint is the baseline or after it, `[series, timepoint]`."""
        return np.asarray(self.is_baseline | self.follow_up)

    @cached_property
    def done(self) -> NDArray[np.bool_]:
        """False where the visit was missed, `[series, timepoint]`."""
        return self.cell_values(self.timeline.visits.done, fill=True)

    @cached_property
    def series_of_track(self) -> NDArray[np.int32]:
        """Series of each track, counted from the start of the block; `[track]`."""
        return self.timeline.series_of_track[self._tracks] - np.int32(self.low)

    def tracks_of(self, series: int) -> range:
        """Return the tracks of one series, both counted from the start of the block."""
        start = self.timeline.track_start[self.low + series : self.low + series + 2] - self._tracks.start
        return range(int(start[0]), int(start[1]))

    @cached_property
    def _layers(self) -> tuple[NDArray[np.intp], list[int], NDArray[np.intp]]:
        """The first tracks of all series, then the second ones and so on; how many each are; and where a series stands.

        Series with more tracks come first, so that those of a layer are the first ones of the layer before.
        """
        start = self.timeline.track_start[self.low : self.high + 1] - self._tracks.start
        count = np.diff(start)
        series = np.argsort(-count, kind="stable")
        sizes = [int(np.count_nonzero(count > layer)) for layer in range(int(count.max(initial=0)))]
        tracks = [start[series[:size]] + layer for layer, size in enumerate(sizes)]
        return np.concatenate([*tracks, np.zeros(0, np.intp)]), sizes, np.argsort(series)

    def once(self, name: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return an array of the block that several criteria ask for; it is made once, and cannot be changed."""
        if name not in self._made:
            made = self._made[name] = make().view()
            made.flags.writeable = False
        return self._made[name]

    def tracks(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the part of an array `[track]` that belongs to the block."""
        return values[self._tracks]

    def cell_values(self, values: NDArray[Any], fill: Any) -> NDArray[Any]:
        """Return an array `[cell]` of the timeline as `[series, timepoint]`."""
        part = values[self._cells]
        if self._uniform:
            return part.reshape(self.shape)
        dense = np.full(self.shape, fill, values.dtype)
        dense[self.exists] = part
        return dense

    def ragged(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return an array `[series, timepoint]` as the cells of the block, the inverse of `cell_values`."""
        return values.reshape(-1) if self._uniform else values[self.exists]

    @property
    def cell_slice(self) -> slice:
        """Where the cells of the block stand among all cells."""
        return self._cells

    def spot_values(self, values: NDArray[Any], fill: Any) -> NDArray[Any]:
        """Return an array `[spot]` of the timeline as `[track, timepoint]`."""
        part = values[self._spots]
        count = self._tracks.stop - self._tracks.start
        if self._uniform:
            return part.reshape(count, self.timepoints)
        dense = np.full((count, self.timepoints), fill, values.dtype)
        dense[self.exists[self.series_of_track]] = part
        return dense

    @cached_property
    def row(self) -> NDArray[np.int32]:
        """Row of the measurement table, `NO_ROW` where there is none; `[track, timepoint]`."""
        return self.spot_values(self.timeline.row, NO_ROW)

    def lesion(self, column: NDArray[Any], fill: Any, tracks: NDArray[np.intp] | slice = _ALL) -> NDArray[Any]:
        """Return a column `[row]` of the measurement table as `[track, timepoint]`, of all tracks or of some."""
        rows, blank = self._rows
        rows, blank = rows[tracks], None if blank is None else blank[tracks]
        if not len(column):
            return np.full(rows.shape, fill, column.dtype)
        values = column.take(rows)
        if blank is not None:
            np.copyto(values, fill, where=blank)
        return values

    @cached_property
    def _rows(self) -> tuple[NDArray[np.intp], NDArray[np.bool_] | None]:
        """Rows to take of a column, as wide as `take` has them, and which of them stand for none; None: no one."""
        blank = self.row == NO_ROW
        return np.maximum(self.row, 0).astype(np.intp), blank if blank.any() else None

    @cached_property
    def barred(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Track and timepoint of the rows that count for nothing, to index arrays `[track, timepoint]`."""
        spots = self.timeline.barred
        spots = spots[(spots >= self._spots.start) & (spots < self._spots.stop)]
        track = np.searchsorted(self.timeline.spot_start, spots, side="right") - 1
        return track - self._tracks.start, spots - self.timeline.spot_start[track]

    def reduce(self, ufunc: np.ufunc, values: NDArray[Any], dtype: Any = None, empty: Any = 0) -> NDArray[Any]:
        """Reduce an array `[track, timepoint]` over the tracks of each series, to `[series, timepoint]`."""
        # all series abreast, track by track: `reduceat` is slow on many short segments
        tracks, sizes, place = self._layers
        layers, found = values.take(tracks, axis=0), np.empty(self.shape, dtype or values.dtype)
        with_tracks = sizes[0] if sizes else 0
        found[:with_tracks], found[with_tracks:] = layers[:with_tracks], empty
        below = with_tracks
        for size in sizes[1:]:
            ufunc(found[:size], layers[below : below + size], out=found[:size])
            below += size
        return found.take(place, axis=0)

    @cached_property
    def baseline_row(self) -> NDArray[np.int32]:
        """Row of the measurement table at baseline, `NO_ROW` where there is none; `[track]`."""
        place = np.maximum(self.baseline[:, 0], 0)[self.series_of_track]
        return self.row[np.arange(len(place)), place] if self.timepoints else np.full(len(place), NO_ROW, np.int32)

    def at_baseline(self, column: NDArray[Any], fill: Any) -> NDArray[Any]:
        """Return a column `[row]` of the measurement table at each lesion's baseline, `[track]`."""
        if not len(column):
            return np.full(len(self.baseline_row), fill, column.dtype)
        return np.where(self.baseline_row == NO_ROW, fill, column.take(np.maximum(self.baseline_row, 0)))

    def count(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the number of chosen lesions, `[track, timepoint]` to `[series, timepoint]`."""
        narrow = np.int16 if len(self._layers[1]) <= np.iinfo(np.int16).max else np.int64
        return self.reduce(np.add, chosen.astype(narrow)).astype(np.int64)

    def some(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return where a lesion is chosen, `[track, timepoint]` to `[series, timepoint]`."""
        return self.reduce(np.logical_or, chosen, np.bool_)

    def series_with(self, chosen: NDArray[Any]) -> NDArray[np.bool_]:
        """Return the series with a chosen lesion, `[series, 1]`, of flags `[track]` or of places of tracks."""
        return np.asarray(np.bincount(self.series_of_track[chosen], minlength=self.series_count) > 0)[:, None]

    def per_track(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return an array `[series, ...]` with each series' values repeated for its tracks."""
        return values[self.series_of_track]
