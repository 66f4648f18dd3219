"""Lesions one by one along time: their smallest sizes before, and what they were before; only the lesions that matter.

Lengths are whole micrometres. Most lesions never grow, or never vanish, so a criterion first chooses the few that do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import Burden, LesionClass, ever_before, running_before
from response.criteria.rules import Flags
from response.criteria.some_lesions import SomeLesions, is_one_of, lesions_with
from response.vocabulary import State

NO_LENGTH: Final = 2**31 - 1  # "no known length yet" as a smallest one
SIZED: Final = (State.MEASURED, State.NORMAL_NODE, State.EQUIVOCAL)
KNOWN: Final = (*SIZED, State.TOO_SMALL, State.ABSENT)  # states of a target whose size is known


@dataclass(frozen=True, eq=False)
class LesionCourses:
    """Lesions of a block along time; some of them are named by where they stand in the block, `[lesion]`."""

    burden: Burden

    def ever(self, states: Iterable[State], classes: Iterable[LesionClass]) -> NDArray[np.intp]:
        """Return the lesions of some classes that are ever in one of some states."""
        tracks = np.flatnonzero(is_one_of(self.burden.classes, classes))
        return tracks[lesions_with(is_one_of(self.burden.state.take(tracks, axis=0), states))]

    def before(self, tracks: NDArray[np.intp], state: State) -> Flags:
        """Return where some lesions were in a state at an earlier timepoint after baseline."""
        return ever_before((self.burden.state.take(tracks, axis=0) == int(state)) & self.follow_up(tracks))

    def smallest_before(
        self, tracks: NDArray[np.intp], values: NDArray[Any], nothing: Any, known: Flags | None = None
    ) -> NDArray[Any]:
        """Return the smallest known value of some lesions before each timepoint, `nothing` where there is none.

        Parameters
        ----------
        tracks
            The lesions.
        values
            Their values, `[lesion, timepoint]`.
        nothing
            A number of the same type that is larger than all values.
        known
            Where the values are known; by default where the size of a target is.
        """
        known = self.known(tracks) if known is None else self._at_scored(tracks, known)
        return running_before(np.minimum, np.where(known, values, nothing), nothing)

    def known(self, tracks: NDArray[np.intp]) -> Flags:
        """Return where the sizes of some targets are known, at baseline or later; `[lesion, timepoint]`."""
        return self._at_scored(tracks, is_one_of(self.burden.state.take(tracks, axis=0), KNOWN))

    def _at_scored(self, tracks: NDArray[np.intp], flags: Flags) -> Flags:
        if self._unscored is None:
            return flags
        return np.asarray(flags & ~self._unscored.take(self.burden.block.series_of_track[tracks], axis=0))

    @cached_property
    def _unscored(self) -> Flags | None:
        """Timepoints before the baseline, which never set a nadir; None where there are none."""
        block = self.burden.block
        unscored = block.exists & ~block.is_baseline & ~block.follow_up
        return unscored if unscored.any() else None

    def follow_up(self, tracks: NDArray[np.intp]) -> Flags:
        """Return the timepoints of some lesions that are scored, `[lesion, timepoint]`."""
        return self.burden.block.follow_up.take(self.burden.block.series_of_track[tracks], axis=0)

    def scored(self, tracks: NDArray[np.intp], flags: Flags) -> SomeLesions:
        """Return flags of some lesions, where their timepoints are scored."""
        return SomeLesions(self.burden.block, tracks, flags & self.follow_up(tracks))


def largest_rise(length: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return by how much each lesion ever was over its smallest length before, `[track]`; a blank must be 0.

    It is never less than the true rise, for a blank counts as the smallest length: it chooses the lesions to look at.
    """
    if length.shape[1] > length.shape[0]:
        return np.asarray((length - np.minimum.accumulate(length, axis=1)).max(axis=1))
    by_time = np.ascontiguousarray(length.T)  # many lesions at few timepoints: all lesions abreast
    rise = np.zeros(len(length), np.int32)
    least = by_time[0].copy() if len(by_time) else rise
    for now in by_time[1:]:
        np.maximum(rise, now - least, out=rise)
        np.minimum(least, now, out=least)
    return rise
