"""The lesions behind the responses of a block: which are missing, new, progressed or grown, at each timepoint.

Results keep only rules and numbers; this is made again from the timeline when tables and sentences are wanted.
Cells are counted from the start of the block, tracks among all tracks.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_DATE
from response.criteria.burden import NO_SUM, Fact, LesionClass, facts_of, lesion_classes
from response.criteria.new_lesions import new_lesion_states
from response.criteria.rules import Flags
from response.report.texts import Texts, joined_lists
from response.result import Result
from response.table import TextColumn
from response.vocabulary import PROGRESSIVE_NODULES, Nodule, State

Cells = NDArray[np.int64]

MISSING: Final = int(Fact.TARGET_MISSING | Fact.NON_TARGET_MISSING | Fact.NEW_MISSING)
NEW: Final = int(Fact.NEW_UNEQUIVOCAL | Fact.NEW_EQUIVOCAL)
DISEASE: Final = int(Fact.TARGET_DISEASE | Fact.NON_TARGET_PRESENT)
_OUT_OF_SUM: Final = 1 << 14  # a target that is not there to be measured: not known yet, split, or no tumour
_LISTED: Final = MISSING | NEW | int(Fact.NON_TARGET_PROGRESSION) | _OUT_OF_SUM
TARGETS: Final = (LesionClass.TARGET, LesionClass.TARGET_NODE)


def _said(lesion: LesionClass, state: State) -> int:
    out = lesion in TARGETS and state in (State.UNKNOWN, State.SPLIT, State.RESOLVED)
    return int(facts_of(lesion, state)) | (_OUT_OF_SUM if out else 0)


_SAID: Final = np.asarray([[_said(lesion, state) for state in State] for lesion in LesionClass], np.uint16)


@dataclass(frozen=True, eq=False)
class Mentions:
    """Lesions at timepoints: the cell, the track, and what the lesion says there (`Fact` bits); `[mention]`."""

    cell: Cells
    track: Cells
    fact: NDArray[np.uint16]

    def having(self, facts: int) -> "Mentions":
        """Return the mentions that say one of some facts."""
        chosen = self.fact & np.uint16(facts) != 0
        return self.where(chosen)

    def where(self, chosen: Flags) -> "Mentions":
        """Return some of the mentions."""
        return Mentions(self.cell[chosen], self.track[chosen], self.fact[chosen])

    def count(self, cells: int) -> NDArray[np.int64]:
        """Return how many there are at each cell."""
        return np.bincount(self.cell, minlength=cells)


class Evidence:
    """What the lesions of a block say, cell by cell.

    Parameters
    ----------
    block
        Some series of the timeline.
    recist
        The result of RECIST 1.1, whose options decide what a new lesion is.
    """

    def __init__(self, block: Block, recist: Result) -> None:
        self.block, self.recist = block, recist
        self.timeline = block.timeline
        self.cells = block.cell_slice.stop - block.cell_slice.start
        self.series = self.timeline.series_of_cell[block.cell_slice].astype(np.int64)
        self.place = self.timeline.place[block.cell_slice].astype(np.int64)
        self.classes = lesion_classes(block)
        self.is_target = np.isin(self.classes, TARGETS)

    @cached_property
    def _facts(self) -> NDArray[np.uint16]:
        options: Any = self.recist.options
        changed = new_lesion_states(
            self.block, self.classes, new_node_rule=options.new_node_rule, use_pet=options.use_pet
        )
        state = self.block.spot_values(self.timeline.state, State.UNKNOWN) if changed is None else changed
        index = state.astype(np.uint8)
        index += (self.classes * np.uint8(len(State)))[:, None]
        return _SAID.ravel().take(index)

    # --- which timepoints

    @cached_property
    def baseline(self) -> NDArray[np.int64]:
        """Place of the baseline of the series of each cell, -1 where there is none."""
        return self.timeline.series.baseline[self.series].astype(np.int64)

    @cached_property
    def is_baseline(self) -> Flags:
        """Whether the cell is the baseline."""
        return np.asarray(self.place == self.baseline)

    @cached_property
    def follow_up(self) -> Flags:
        """Whether the cell is scored."""
        return (self.baseline >= 0) & (self.place > self.baseline)

    @cached_property
    def shown(self) -> Flags:
        """Whether the cell is the baseline or later."""
        return self.is_baseline | self.follow_up

    @cached_property
    def baseline_cell(self) -> Cells:
        """Baseline cell of the series of each cell; the cell itself where there is none."""
        first = self.timeline.cell_start[self.series] - self.block.cell_slice.start
        return np.where(self.baseline < 0, np.arange(self.cells), first + self.baseline)

    def responses(self, result: Result) -> NDArray[np.int8]:
        """Return the overall response of each cell by a criterion, as `vocabulary.Response` codes."""
        return result.responses(cells=self.block.cell_slice)

    # --- which lesions

    @cached_property
    def listed(self) -> Mentions:
        """Everything that is worth naming, track by track."""
        return self.mentions(self._facts & np.uint16(_LISTED) != 0)

    def mentions(self, chosen: Flags) -> Mentions:
        """Return chosen lesions, `[track, timepoint]`, with what they say."""
        spots = np.flatnonzero(chosen)
        width = max(self.block.timepoints, 1)
        local, place = spots // width, spots % width
        track = local + self.block.track_slice.start
        series = self.timeline.series_of_track[track]
        real = place < np.diff(self.timeline.cell_start)[series]
        cell = self.timeline.cell_start[series] - self.block.cell_slice.start + place
        found = Mentions(cell, track, self._facts.ravel()[spots])
        return found if real.all() else found.where(real)

    @cached_property
    def missing(self) -> Mentions:
        """Known lesions that were not assessed, from the baseline on."""
        found = self.listed.having(MISSING)
        return found.where(self.shown[found.cell])

    @cached_property
    def new(self) -> Mentions:
        """New lesions of scored timepoints: the unequivocal ones, or the equivocal ones where there is no other."""
        found = self.listed.having(NEW)
        found = found.where(self.follow_up[found.cell])
        certain = found.having(int(Fact.NEW_UNEQUIVOCAL))
        doubtful = certain.count(self.cells)[found.cell] == 0
        return found.where(doubtful | (found.fact & np.uint16(Fact.NEW_UNEQUIVOCAL) != 0))

    @cached_property
    def targets(self) -> NDArray[np.int64]:
        """Number of targets that are to be measured at each cell."""
        series = self.timeline.series_of_track[self.block.track_slice][self.is_target] - self.block.low
        of_series = np.bincount(series, minlength=self.block.series_count)
        return of_series[self.series - self.block.low] - self.listed.having(_OUT_OF_SUM).count(self.cells)

    @cached_property
    def missing_targets(self) -> NDArray[np.int64]:
        """Number of targets that were not assessed at each cell."""
        return self.listed.having(int(Fact.TARGET_MISSING)).count(self.cells)

    @cached_property
    def summed(self) -> Flags:
        """Whether some target was assessed, so that there is a sum; not where the series has no baseline."""
        return (self.targets > self.missing_targets) & (self.baseline >= 0)

    @cached_property
    def complete(self) -> Flags:
        """Whether the sum is complete: every target was assessed."""
        return np.asarray(self.summed & (self.missing_targets == 0))

    @cached_property
    def comparable(self) -> Flags:
        """Whether the sum of a scored timepoint is complete, and so is that of the baseline."""
        return self.follow_up & self.complete & self.complete[self.baseline_cell]

    def are_among(self, lesions: Flags, found: Mentions) -> Flags:
        """Return which mentions are of some lesions of the block, `[track]`."""
        return np.asarray(lesions[found.track - self.block.track_slice.start])

    # --- references

    def nadir_cell(self, nadir_um: NDArray[np.int64]) -> Cells:
        """Return the earliest cell whose complete sum is the nadir of each cell, -1 where there is none.

        Parameters
        ----------
        nadir_um
            Shape `[cell]`: the nadir of each cell, `NO_SUM` where there is none yet.
        """
        cells = np.arange(self.cells)
        fell = np.zeros(self.cells, np.bool_)
        fell[1:] = (nadir_um[1:] < nadir_um[:-1]) & (self.place[1:] > 0)
        source = np.maximum.accumulate(np.where(fell, cells - 1, -1)) if self.cells else cells
        first = self.timeline.cell_start[self.series] - self.block.cell_slice.start
        return np.where((source >= first) & self.follow_up & (nadir_um < NO_SUM), source, -1)

    def grown(
        self, cells: Cells, reference: Cells, values: NDArray[Any] | None = None
    ) -> tuple[Mentions, NDArray[np.int64]]:
        """Return the targets that are larger at some cells than at a reference cell of each, and by how much (um).

        By what they add to the sum of diameters, or by other `values`, `[track, timepoint]`.
        """
        timeline, series = self.timeline, self.series[cells]
        first, count = timeline.track_start[series], np.diff(timeline.track_start)[series]
        of = np.repeat(np.arange(len(cells)), count)
        track = first[of] + np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
        targets = self.is_target[track - self.block.track_slice.start]
        of, track = of[targets], track[targets]
        before, after = self.place[reference[of]], self.place[cells[of]]
        if values is None:
            spot = timeline.spot_start[track]
            growth = timeline.value_um[spot + after].astype(np.int64) - timeline.value_um[spot + before]
        else:
            lesion = track - self.block.track_slice.start
            growth = values[lesion, after].astype(np.int64) - values[lesion, before]
        larger = growth > 0
        found = Mentions(cells[of[larger]], track[larger], np.zeros(int(larger.sum()), np.uint16))
        return found, growth[larger]

    def diseased(self, cells: Flags) -> Mentions:
        """Return the lesions that are there at some cells."""
        dense = self.block.cell_values(self._widened(cells), fill=False)
        return self.mentions((self._facts & np.uint16(DISEASE) != 0) & dense[self.block.series_of_track])

    def with_nodule(self, cells: Flags) -> Mentions:
        """Return the lesions that show a new or growing intratumoral nodule at some cells (Choi)."""
        nodules = self.block.lesion(self.timeline.measurements.code("nodule"), Nodule.BLANK)
        counted = (self.classes != LesionClass.UNCOUNTED)[:, None]
        dense = self.block.cell_values(self._widened(cells), fill=False)
        shown = np.isin(nodules, PROGRESSIVE_NODULES) & counted
        return self.mentions(shown & dense[self.block.series_of_track])

    def _widened(self, cells: Flags) -> Flags:
        whole = np.zeros(len(self.timeline.visits), np.bool_)
        whole[self.block.cell_slice] = cells
        return whole

    # --- names

    def names(self, found: Mentions, rank: NDArray[np.int64] | None = None) -> Texts:
        """Return the names of the lesions of each cell, joined, by rank and then as in the table of lesions.

        Parameters
        ----------
        found
            The lesions.
        rank
            Shape `[mention]`: whole numbers from 0 to below 2**23, the smallest first.
        """
        order = self._order(found, rank)
        lesions = self.timeline.tracks.lesion[found.track[order]]
        return joined_lists(TextColumn(lesions, self.timeline.tracks.lesions), found.count(self.cells))

    def _order(self, found: Mentions, rank: NDArray[np.int64] | None) -> NDArray[np.intp]:
        within = found.track - self.timeline.track_start[self.series[found.cell]]
        ranks = np.zeros(len(within), np.int64) if rank is None else rank
        if self.cells >= 1 << 24 or within.max(initial=0) >= 1 << 16:
            return np.lexsort((within, ranks, found.cell))
        # one number per lesion sorts several times faster than three
        return np.argsort((found.cell << 39) | (ranks << 16) | within)


def first_days(evidence: Evidence) -> NDArray[np.int32]:
    """Return the first scan of each cell of a block, days since 1970."""
    return evidence.timeline.visits.first_scan[evidence.block.cell_slice]


def before_new_therapy(evidence: Evidence) -> Flags:
    """Return which cells are before a new therapy; one without a date is."""
    therapy = evidence.timeline.series.new_therapy[evidence.series]
    scan = first_days(evidence)
    return np.asarray((therapy == NO_DATE) | (scan == NO_DATE) | (scan < therapy))
