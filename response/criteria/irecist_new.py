"""iRECIST: the new lesions, which are measured and followed, but never added to the sum of the targets.

Source: Seymour et al., Lancet Oncol 2017;18:e143-e152, doi:10.1016/S1470-2045(17)30074-8, table 2; EORTC, "How do new
lesions define progression?". That at most five new lesions, and two of an organ, are measured (as at baseline) was not
found in the sources at hand, so it is to be checked against the paper (`MOST_TARGETS`, `MOST_OF_ORGAN`).
"""

from dataclasses import dataclass
from enum import IntFlag
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import Fact, LesionClass, facts_at
from response.criteria.recist import RecistState
from response.criteria.rules import Flags
from response.lineage import fragment_roots
from response.measurability import NotMeasurable, baseline_lesions
from response.readings import TOO_SMALL_UM, counting_length_um
from response.timeline import NO_ROW, Block
from response.vocabulary import LYMPH_NODE, State, Trend, organ_of

MOST_TARGETS: Final = 5  # new lesion targets in all
MOST_OF_ORGAN: Final = 2  # of one organ
UNMEASURED: Final = 2**30  # no length yet; larger than any
_ZERO: Final = (State.ABSENT, State.RESOLVED, State.UNKNOWN, State.SPLIT, State.MERGED, State.NORMAL_NODE)
_NOT_SEEN: Final = (State.MISSING, State.NOT_EVALUABLE, State.NOT_SCHEDULED)


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


@dataclass(frozen=True, eq=False)
class NewLesions:
    """The lesions of a block that were ever an unequivocal new lesion.

    Attributes
    ----------
    block
        The block.
    series
        Series of each, counted from the start of the block; `[lesion]`, ascending.
    root
        The lesion (place among these) that it split from; itself where it did not. `[lesion]`
    target
        Whether it is a new lesion target (NLT): measurable when it appeared, and a place was free. `[lesion]`
    beyond
        Whether it is none only because no place was free. `[lesion]`
    state, fact
        `vocabulary.State` and `Fact` bits, `[lesion, timepoint]`.
    length_um
        What it adds to the sum of the new lesion targets, 0 where it has none; `[lesion, timepoint]`.
    measured
        Whether that length is known (it is where the lesion is gone); `[lesion, timepoint]`.
    trend
        `vocabulary.Trend`, `[lesion, timepoint]`.
    """

    block: Block
    series: NDArray[np.int32]
    root: NDArray[np.int64]
    target: Flags
    beyond: Flags
    state: NDArray[np.int8]
    fact: NDArray[np.uint16]
    length_um: NDArray[np.int64]
    measured: Flags
    trend: NDArray[np.int8]

    @classmethod
    def of(cls, recist: RecistState) -> "NewLesions":
        """Return the new lesions of a block, as RECIST 1.1 with its options sees them."""
        burden, block = recist.burden, recist.block
        tracks = np.flatnonzero(np.isin(burden.classes, (LesionClass.NEW, LesionClass.NEW_NODE)))
        fact = facts_at(burden.classes[tracks], burden.state[tracks])
        ever = (fact & np.uint16(Fact.NEW_UNEQUIVOCAL) != 0).any(axis=1)
        tracks, fact = tracks[ever], fact[ever]
        state, row = burden.state[tracks], block.row[tracks]
        length, measured = _lengths(block, tracks, state, row)
        measurements = block.timeline.measurements
        trend = np.zeros(state.shape, np.int8)
        if "trend" in measurements.codes:
            trend = np.where(row == NO_ROW, Trend.BLANK, measurements.codes["trend"][row]).astype(np.int8)
        root = roots_among(block, tracks)
        target, beyond = _targets(recist, tracks, fact, row)
        return cls(
            block=block,
            series=block.series_of_track[tracks],
            root=root,
            target=target[root],
            beyond=beyond[root],
            state=state,
            fact=fact,
            length_um=length,
            measured=measured,
            trend=trend,
        )

    def __len__(self) -> int:
        """Return the number of lesions."""
        return len(self.series)

    @cached_property
    def owners(self) -> Owners:
        """The series that have them."""
        return Owners(self.series, self.block.series_count)


def _lengths(
    block: Block, tracks: NDArray[np.intp], state: NDArray[np.int8], row: NDArray[np.int32]
) -> tuple[NDArray[np.int64], Flags]:
    """Return what each lesion adds to a sum, and whether that is known; `[lesion, timepoint]`."""
    measurements = block.timeline.measurements
    nodal = block.timeline.tracks.nodal[block.track_slice][tracks]
    written = np.where(row == NO_ROW, State.BLANK, measurements.code("state")[row])
    wide = np.broadcast_to(nodal[:, None], row.shape)
    length = np.where(row == NO_ROW, NO_NUMBER, counting_length_um(measurements, wide, row)).astype(np.int64)
    number = (length != NO_NUMBER) & ~np.isin(state, (*_NOT_SEEN, State.ABSENT, State.RESOLVED))
    small = (written == State.TOO_SMALL) & ~number & ~np.isin(state, _NOT_SEEN)
    known = number | small | np.isin(state, _ZERO)
    return np.where(number, length, np.where(small, TOO_SMALL_UM, 0)), known


def roots_among(block: Block, tracks: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the place among some tracks of the one that each split from; its own where it did not."""
    own = np.arange(len(tracks))
    of_block = block.timeline.tracks
    if not of_block.fragment[block.track_slice][tracks].any():
        return own
    place = {int(track): at for at, track in enumerate(tracks.tolist())}
    roots = fragment_roots(of_block.parent, of_block.fragment)[block.track_slice][tracks] - block.track_slice.start
    return np.asarray([place.get(int(root), at) for at, root in enumerate(roots.tolist())], np.int64)


def _targets(
    recist: RecistState, tracks: NDArray[np.intp], fact: NDArray[np.uint16], row: NDArray[np.int32]
) -> tuple[Flags, Flags]:
    """Return which new lesions are targets, and which only found no place.

    They are measurable when they appear; the first ones come first, then the largest.
    """
    block = recist.block
    measurements = block.timeline.measurements
    chosen, beyond = np.zeros(len(tracks), np.bool_), np.zeros(len(tracks), np.bool_)
    if not len(tracks):
        return chosen, beyond
    first = (fact & np.uint16(Fact.NEW_UNEQUIVOCAL) != 0).argmax(axis=1)
    rows = row[np.arange(len(tracks)), first]
    nodal = block.timeline.tracks.nodal[block.track_slice][tracks]
    lesions = baseline_lesions(measurements, rows, nodal, node_slice_rule=recist.options.node_slice_rule)
    measurable = np.flatnonzero((lesions.why == NotMeasurable.NO) & (rows != NO_ROW))
    series, organ = block.series_of_track[tracks], _organs(block, rows, nodal)
    order = measurable[np.lexsort((measurable, -lesions.length_um[measurable], first[measurable], series[measurable]))]
    order = order[
        _rank(series[order].astype(np.int64) * (int(organ.max(initial=0)) + 1) + organ[order]) < MOST_OF_ORGAN
    ]
    order = order[_rank(series[order].astype(np.int64)) < MOST_TARGETS]
    chosen[order] = True
    beyond[measurable] = ~chosen[measurable]
    return chosen, beyond


def _organs(block: Block, rows: NDArray[Any], nodal: Flags) -> NDArray[np.int64]:
    """Return a number for the organ of each lesion: all nodes are one, left and right are one."""
    organ = block.timeline.measurements.text_column("organ")
    codes, place = np.unique(organ.codes[rows], return_inverse=True)
    names = [organ_of(organ.values[code]) for code in codes.tolist()]
    number = {name: at for at, name in enumerate(dict.fromkeys((LYMPH_NODE, *names)))}
    return np.where(nodal, 0, np.asarray([number[name] for name in names], np.int64)[place])


def _rank(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of the same key come before each."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    start = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    count = np.diff(np.append(start, len(ordered)))
    rank = np.empty(len(keys), np.int64)
    rank[order] = np.arange(len(keys)) - np.repeat(start, count)
    return rank


class Watch:
    """What is known of the new lesions while the timepoints are walked; `[lesion]`, and `[series, 1]` where said.

    `there`: seen at the last assessment that counts and was about it. `joined`: it was ever there, so that the sum of
    the new lesion targets is compared with it in. `smallest`: smallest length since the unconfirmed progression.
    """

    def __init__(self, lesions: NewLesions) -> None:
        count = len(lesions)
        self.lesions = lesions
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
        sights = lesions.owners.sights(
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
        return sights, lesions.owners.total(length * summed), lesions.owners.total(length * fresh)

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
