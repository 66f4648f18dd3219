"""A block: some series of the timeline as dense arrays, `[series, timepoint]` and `[track, timepoint]` for lesions."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_ROW

if TYPE_CHECKING:
    from response.timeline import Timeline

_ALL: Final = slice(None)


def of_tracks(values: NDArray[Any], tracks: NDArray[np.intp] | slice) -> NDArray[Any]:
    """Return values `[track, timepoint]` of some tracks, faster than an index of them does."""
    return values[tracks] if isinstance(tracks, slice) else np.asarray(values.take(tracks, axis=0))


class Block:
    """Some series as dense arrays: `[series, timepoint]`, and `[track, timepoint]` for lesions.

    Timepoints stand left-aligned; where `exists` is false there is none and other arrays hold fillers.
    """

    def __init__(self, timeline: "Timeline", low: int, high: int) -> None:
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
        rows, blank = of_tracks(rows, tracks), None if blank is None else of_tracks(blank, tracks)
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
