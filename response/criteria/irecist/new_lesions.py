"""iRECIST: the new lesions: which of them are targets (NLT) and which non-targets (NLNT), and how long they are.

They are measured and followed, but never added to the sum of the targets.

Source: Seymour et al., Lancet Oncol 2017;18:e143-e152, doi:10.1016/S1470-2045(17)30074-8, table 2; EORTC, "How do new
lesions define progression?". That at most five new lesions, and two of an organ, are measured (as at baseline) was not
found in the sources at hand, so it is to be checked against the paper (`MOST_TARGETS`, `MOST_OF_ORGAN`).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER, NO_ROW
from response.criteria.burden import Fact, LesionClass, facts_at
from response.criteria.recist import RecistState
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of
from response.keys import rank_among
from response.lineage import fragment_roots
from response.measurability import NotMeasurable, baseline_lesions
from response.readings import TOO_SMALL_UM, counting_length_um
from response.vocabulary import LYMPH_NODE, State, Trend, organ_of

MOST_TARGETS: Final = 5  # new lesion targets in all
MOST_OF_ORGAN: Final = 2  # of one organ
UNMEASURED: Final = 2**30  # no length yet; larger than any
_ZERO: Final = (State.ABSENT, State.RESOLVED, State.UNKNOWN, State.SPLIT, State.MERGED, State.NORMAL_NODE)
_NOT_SEEN: Final = (State.MISSING, State.NOT_EVALUABLE, State.NOT_SCHEDULED)


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
        tracks = np.flatnonzero(is_one_of(burden.classes, (LesionClass.NEW, LesionClass.NEW_NODE)))
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


def _lengths(
    block: Block, tracks: NDArray[np.intp], state: NDArray[np.int8], row: NDArray[np.int32]
) -> tuple[NDArray[np.int64], Flags]:
    """Return what each lesion adds to a sum, and whether that is known; `[lesion, timepoint]`."""
    measurements = block.timeline.measurements
    nodal = block.timeline.tracks.nodal[block.track_slice][tracks]
    written = np.where(row == NO_ROW, State.BLANK, measurements.code("state")[row])
    wide = np.broadcast_to(nodal[:, None], row.shape)
    length = np.where(row == NO_ROW, NO_NUMBER, counting_length_um(measurements, wide, row)).astype(np.int64)
    number = (length != NO_NUMBER) & ~is_one_of(state, (*_NOT_SEEN, State.ABSENT, State.RESOLVED))
    small = (written == State.TOO_SMALL) & ~number & ~is_one_of(state, _NOT_SEEN)
    known = number | small | is_one_of(state, _ZERO)
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
        rank_among(series[order].astype(np.int64) * (int(organ.max(initial=0)) + 1) + organ[order]) < MOST_OF_ORGAN
    ]
    order = order[rank_among(series[order].astype(np.int64)) < MOST_TARGETS]
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
