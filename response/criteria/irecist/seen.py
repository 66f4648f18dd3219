"""iRECIST: what is seen of the new lesions and the non-targets at each timepoint, in the light of those before.

Source: Seymour et al., Lancet Oncol 2017;18:e143-e152, doi:10.1016/S1470-2045(17)30074-8, table 2; EORTC, "How do new
lesions define progression?" and "If iUPD is driven by non-target disease, how is progression confirmed at the next
assessment?": any further increase of non-target disease confirms, it need not be unequivocal again.
"""

from enum import IntFlag
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_ROW
from response.criteria.burden import Fact, LesionClass, facts_at
from response.criteria.irecist.new_lesions import UNMEASURED, NewLesions, roots_among
from response.criteria.recist import RecistState
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of
from response.vocabulary import State, Trend

_NON_TARGETS: Final = (LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE)


class Sight(IntFlag):
    """What some lesion of a series shows at a timepoint, in the light of those before: the new ones, then non-targets.

    The sights of a series are the union over its lesions, one reduction for all of them.
    """

    KNOWN = 1  # a new lesion was there at the last assessment that counts and was about it
    THERE = 2  # ... is there
    APPEARS = 4  # ... and was not at the assessments before
    MISSING = 8  # a known one was not assessed, or a new lesion target not measured
    SUMMED = 16  # a new lesion target counts in their sum
    UNMEASURED = 32  # ... but has no length now
    GREW = 64  # a new lesion non-target has increased: its trend says so
    LONGER = 128  # ... its length does
    WORSE = 256  # ... it progresses unequivocally
    BEYOND = 512  # a measurable one is there that is no target, for all places are taken
    NON_TARGET_GREW = 1024  # a non-target has increased, or a further one progresses
    NON_TARGET_UNSETTLED = 2048  # one that made the unconfirmed progression is neither gone nor smaller
    NON_TARGET_MISSING = 4096  # ... was not assessed


class Owners:
    """The series that have some lesions, to put together what these show.

    Parameters
    ----------
    series
        Series of each lesion, counted from the start of the block; `[lesion]`, ascending.
    count
        How many series the block has.
    """

    def __init__(self, series: NDArray[np.int32], count: int) -> None:
        self._starts = np.flatnonzero(np.diff(series, prepend=-1))
        self._series, self._count = series[self._starts], count

    def sights(self, *shown: tuple[Sight, Flags]) -> NDArray[np.uint16]:
        """Return the sights of each series, `[series]`, of what each lesion shows."""
        bits = np.zeros(len(shown[0][1]), np.uint16)
        for sight, flags in shown:
            bits |= flags * np.uint16(sight)
        return self._put(np.bitwise_or.reduceat(bits, self._starts))

    def total(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the sum over the lesions of each series, `[series]`."""
        return self._put(np.add.reduceat(values, self._starts))

    def _put(self, values: NDArray[Any]) -> NDArray[Any]:
        found = np.zeros(self._count, values.dtype)
        found[self._series] = values
        return found


class Watch:
    """What is known of the new lesions while the timepoints are walked; `[lesion]`, and `[series, 1]` where said.

    `there`: seen at the last assessment that counts and was about it. `joined`: it was ever there, so that the sum of
    the new lesion targets is compared with it in. `smallest`: smallest length since the unconfirmed progression.
    """

    def __init__(self, lesions: NewLesions) -> None:
        count = len(lesions)
        self.lesions = lesions
        self._owners = Owners(lesions.series, lesions.block.series_count)
        self.there, self.joined = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        self.smallest = np.full(count, UNMEASURED, np.int64)

    def look(self, place: int, *, by_length: bool) -> tuple[NDArray[np.uint16], NDArray[np.int64], NDArray[np.int64]]:
        """Return what the new lesions of each series show at a timepoint: sights, sum, and what joins it; `[series]`.

        Parameters
        ----------
        place
            The timepoint.
        by_length
            Whether a new lesion non-target without a trend has increased where its recorded length has.
        """
        lesions = self.lesions
        fact, state = lesions.fact[:, place], lesions.state[:, place]
        length, measured, trend = (values[:, place] for values in (lesions.length_um, lesions.measured, lesions.trend))
        known = self.there | self.there[lesions.root]
        unequivocal = fact & np.uint16(Fact.NEW_UNEQUIVOCAL) != 0
        now = unequivocal | ((fact & np.uint16(Fact.NEW_EQUIVOCAL) != 0) & self.there)
        joins = now & lesions.target & ~self.joined
        fresh = joins & ~self.joined[lesions.root]  # a fragment brings no new length
        summed = lesions.target & (self.joined | joins)
        worse = (state == State.UNEQUIVOCAL_PROGRESSION) & ~lesions.target & known
        longer = (length > self.smallest) & measured & now & (trend == Trend.BLANK) & ~lesions.target & by_length
        missing = fact & np.uint16(Fact.NEW_MISSING) != 0
        self._at = (now, joins, length, measured, missing)
        grew = (trend == Trend.INCREASED) & ~lesions.target & known
        sights = self._owners.sights(
            (Sight.KNOWN, self.there),
            (Sight.THERE, now),
            (Sight.APPEARS, unequivocal & ~known),
            (Sight.MISSING, (missing & self.there) | (now & summed & ~measured)),
            (Sight.SUMMED, summed),
            (Sight.UNMEASURED, summed & ~measured),
            (Sight.GREW, worse | grew),
            (Sight.LONGER, longer & known),
            (Sight.WORSE, worse),
            (Sight.BEYOND, now & lesions.beyond),
        )
        return sights, self._owners.total(length * summed), self._owners.total(length * fresh)

    def learn(self, used: Flags, opened: Flags) -> None:
        """Keep what the timepoint that was looked at last showed.

        Parameters
        ----------
        used
            Whether it counts, `[series, 1]`.
        opened
            Whether an unconfirmed progression begins there, `[series, 1]`.
        """
        now, joins, length, measured, missing = self._at
        counts, begins = used[self.lesions.series, 0], opened[self.lesions.series, 0]
        self.there = np.where(counts & ~missing, now, self.there)
        self.joined |= counts & joins
        before = np.where(begins, UNMEASURED, self.smallest)
        self.smallest = np.where(counts & measured & now, np.minimum(before, length), before)


class ProgressedNonTargets:
    """The non-targets of the series in which non-targets progress, while the timepoints are walked.

    `held`: the lesions that made the unconfirmed progression, `[lesion]`.
    """

    def __init__(self, recist: RecistState) -> None:
        burden, block = recist.burden, recist.block
        relapse = recist.had_cr & burden.has(Fact.NON_TARGET_PRESENT)
        series = np.asarray((burden.has(Fact.NON_TARGET_PROGRESSION) | relapse).any(axis=1))
        tracks = np.flatnonzero(is_one_of(burden.classes, _NON_TARGETS) & series[block.series_of_track])
        fact, row = facts_at(burden.classes[tracks], burden.state[tracks]), block.row[tracks]
        trend = np.zeros(fact.shape, np.int8)
        if "trend" in block.timeline.measurements.codes:
            written = block.timeline.measurements.codes["trend"][row]
            trend = np.where(row == NO_ROW, Trend.BLANK, written).astype(np.int8)
        lost = fact & np.uint16(Fact.NON_TARGET_MISSING | Fact.NON_TARGET_UNPROVEN)
        self.series = block.series_of_track[tracks]
        self.present = fact & np.uint16(Fact.NON_TARGET_PRESENT) != 0
        self.progressed = fact & np.uint16(Fact.NON_TARGET_PROGRESSION) != 0
        self.missing = fact & np.uint16(Fact.NON_TARGET_MISSING) != 0
        self.settled = ((lost == 0) & ~self.present) | (self.present & (trend == Trend.DECREASED))
        self.increased = trend == Trend.INCREASED
        self.root = roots_among(block, tracks)
        self.held = np.zeros(len(tracks), np.bool_)
        self._owners = Owners(self.series, block.series_count)

    def __len__(self) -> int:
        """Return the number of lesions."""
        return len(self.series)

    def look(self, place: int) -> NDArray[np.uint16]:
        """Return what the non-targets of each series show at a timepoint: sights, `[series]`."""
        held = self.held | self.held[self.root]
        more = self.progressed[:, place] & ~held
        return self._owners.sights(
            (Sight.NON_TARGET_GREW, self.increased[:, place] | more),
            (Sight.NON_TARGET_UNSETTLED, held & ~self.settled[:, place]),
            (Sight.NON_TARGET_MISSING, held & self.missing[:, place]),
        )

    def learn(self, place: int, opened: Flags, relapsed: Flags) -> None:
        """Hold the lesions that make an unconfirmed progression.

        Parameters
        ----------
        place
            The timepoint.
        opened
            Where an unconfirmed progression begins, `[series, 1]`.
        relapsed
            Where it is one because disease is back after a complete response, `[series, 1]`.
        """
        shows = self.progressed[:, place] | (self.present[:, place] & relapsed[self.series, 0])
        self.held = np.where(opened[self.series, 0], shows, self.held)


class Seen:
    """What was seen of the lesions at each timepoint, in the light of those before; filled while the walk goes on.

    Arrays `[series, timepoint]`: `sights` (bits of `Sight`), `sum_um` of the new lesion targets assessed, and
    `joins_um`, what those add to it that are counted for the first time.
    """

    def __init__(self, shape: tuple[int, int], new: NewLesions, old: ProgressedNonTargets) -> None:
        self.new, self.old = Watch(new) if len(new) else None, old if len(old) else None
        self.sights = np.zeros(shape, np.uint16)
        nothing = np.broadcast_to(np.int64(0), shape)  # where there is no such lesion one value stands for all
        self.sum_um, self.joins_um = (nothing if self.new is None else np.zeros(shape, np.int64) for _ in range(2))

    def look(self, place: int, *, by_length: bool) -> None:
        """Look at a timepoint."""
        if self.new is not None:
            sights, self.sum_um[:, place], self.joins_um[:, place] = self.new.look(place, by_length=by_length)
            self.sights[:, place] = sights
        if self.old is not None:
            self.sights[:, place] |= self.old.look(place)

    def learn(self, place: int, used: Flags, opened: Flags, relapsed: Flags) -> None:
        """Keep what the timepoint showed: where it counts, and where an unconfirmed progression begins."""
        if self.new is not None:
            self.new.learn(used, opened)
        if self.old is not None:
            self.old.learn(place, opened, relapsed)

    @property
    def anything(self) -> bool:
        """Whether there is any such lesion."""
        return self.new is not None or self.old is not None
