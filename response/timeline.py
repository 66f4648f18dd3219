"""The timeline: measurements as arrays of all series abreast.

A *series* is one subject as one evaluator saw it, a *track* is one lesion of one series, a *cell* is one
timepoint of one series. Stored ragged (cells by series, lesion states by track and visit); handed out in
dense blocks `[series, timepoint]` and `[track, timepoint]`, cut so that a few long series change nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_DATE
from response.findings import Finding
from response.measurements import Measurements

BLOCK_CELLS: Final = 400_000  # tracks x timepoints of a block: what stays in the cache
MOST_FILLER: Final = 4  # cells of a block for each that holds something: a long series gets a block of its own


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

    def block(self, low: int, high: int) -> Block:
        """Return series `low` to below `high` as dense arrays."""
        return Block(self, low, high)

    def blocks(self) -> Iterator[Block]:
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
