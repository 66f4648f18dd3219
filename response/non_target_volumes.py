"""Volumes of the non-target lesions over time: a help to judge progression that cannot be measured by diameters.

RECIST 1.1 asks whether the increase of non-measurable disease is as large as the one that makes measurable disease PD,
and gives 73 % in volume, as 20 % in diameter, for an example (Eisenhauer et al., Eur J Cancer 2009;45:228-247, section
4.3.4; 1.2 cubed is 1.728). The 73 % were confirmed in the EORTC's questions on iRECIST ("How do new lesions define
progression?"); the sentence of the paper itself was not found in a public source. The reader alone calls progression
unequivocal: no category depends on these numbers.

1. The lesions are the non-targets of baseline. One that is gone has a volume of 0; the volume of one that was not
   evaluable, has split, or is part of another one is not known.
2. At each timepoint those are added up that have a volume at baseline and now; the others are counted as left out.
3. The sum is compared with that of the same lesions at baseline, and with the smallest one at any timepoint from
   baseline on at which each of them has a volume.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import running_before
from response.timeline import Timeline
from response.vocabulary import Role, State

GROWTH: Final = (173, 100)  # PD by volume where it is by diameter, section 4.3.4
_SEEN: Final = (
    State.MEASURED,
    State.TOO_SMALL,
    State.PRESENT,
    State.UNEQUIVOCAL_PROGRESSION,
    State.EQUIVOCAL,
    State.NORMAL_NODE,
)
_MOST: Final = 2**62  # larger than any sum

Flags = NDArray[np.bool_]
Sums = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NonTargetVolumes:
    """Volumes of the non-targets of a block, `[series, timepoint]`, in thousandths of a cubic millimetre.

    Attributes
    ----------
    block
        The series.
    lesions
        Number of lesions that are compared; 0 where none has a volume, and before the baseline.
    left_out
        Number of the other non-targets of baseline.
    now, baseline
        Their volume now and at baseline.
    smallest
        Their smallest volume before, baseline included; that of the baseline itself at baseline.
    grown
        Whether it is 73 % or more above the smallest, which was more than nothing.
    some_grown
        Whether that is so of one of the lesions by itself, or one is back that was gone.
    """

    block: Block
    lesions: NDArray[np.int64]
    left_out: NDArray[np.int64]
    now: Sums
    baseline: Sums
    smallest: Sums
    grown: Flags
    some_grown: Flags


def non_target_volumes(timeline: Timeline) -> Iterator[NonTargetVolumes]:
    """Hand out the volumes of the blocks in which a non-target of baseline has one."""
    if "volume_mm3" not in timeline.measurements.numbers:
        return
    for block in timeline.blocks():
        tracks = block.timeline.tracks
        chosen = (tracks.role == Role.NON_TARGET) & tracks.at_baseline
        lesions = np.flatnonzero(block.tracks(chosen))
        if len(lesions):
            found = _of_block(block, lesions)
            if found.lesions.any():
                yield found


def _of_block(block: Block, lesions: NDArray[np.intp]) -> NonTargetVolumes:
    series, of = np.unique(block.series_of_track[lesions], return_inverse=True)

    def summed(values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return sums over the lesions of each series, `[lesion, timepoint]` to `[series, timepoint]`."""
        sums = np.zeros((block.series_count, values.shape[1]), np.int64)
        np.add.at(sums, series[of], values)
        return sums

    volume, known = _volumes(block, lesions)
    first = np.maximum(block.baseline[:, 0], 0)[series[of]]
    at_first = np.arange(len(lesions)), first
    compared = known & known[at_first][:, None]
    count = summed(compared.astype(np.int64))
    own = running_before(np.minimum, np.where(known, volume, _MOST), _MOST)
    smallest = _smallest(volume, known, compared, summed, count)
    now = summed(np.where(compared, volume, 0))
    baseline = summed(np.where(compared, volume[at_first][:, None], 0))
    smallest = np.where(block.is_baseline, baseline, smallest)
    return NonTargetVolumes(
        block=block,
        lesions=count,
        left_out=np.where(count > 0, summed(np.ones_like(volume)) - count, 0),
        now=now,
        baseline=baseline,
        smallest=smallest,
        grown=(count > 0) & (smallest > 0) & grown(now, smallest),
        some_grown=summed((compared & grown(volume, own)).astype(np.int64)) > 0,
    )


def grown(now: Sums, before: Sums) -> Flags:
    """Return where a volume is 73 % or more above one before, limit included; whatever is back was nothing before."""
    more, of = GROWTH
    known = before < _MOST
    return np.asarray(known & (now > 0) & (of * now >= more * np.where(known, before, 0)))


def _volumes(block: Block, lesions: NDArray[np.intp]) -> tuple[NDArray[np.int64], Flags]:
    """Return the volume of each lesion and where it is known, `[lesion, timepoint]`."""
    state = block.spot_values(block.timeline.state, State.UNKNOWN)[lesions]
    written = block.lesion(block.timeline.measurements.number("volume_mm3"), NO_NUMBER, lesions).astype(np.int64)
    gone = state == State.ABSENT
    known = gone | (np.isin(state, _SEEN) & (written != NO_NUMBER))
    known &= block.is_scored[block.series_of_track[lesions]]
    return np.where(known & ~gone, written, 0), known


def _smallest(
    volume: NDArray[np.int64], known: Flags, compared: Flags, summed: Callable[[Sums], Sums], count: Sums
) -> Sums:
    """Return the smallest sum of the lesions compared at each timepoint, at those before it with all of them."""
    found = np.full(count.shape, _MOST)
    for time in np.flatnonzero(compared.any(axis=0)).tolist():
        own = compared[:, time, None]
        whole = summed((known[:, :time] & own).astype(np.int64)) == count[:, time, None]
        sums = np.where(whole, summed(np.where(own, volume[:, :time], 0)), _MOST)
        found[:, time] = sums.min(axis=1, initial=_MOST)
    return found
