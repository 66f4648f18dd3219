"""What comes after a progression measured against that progression: sums, lesions that are new since, what is left."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import NO_SUM, Fact, Sums, facts_at, running, running_before
from response.criteria.recist import RecistState
from response.criteria.rules import Flags
from response.criteria.some_lesions import SomeLesions, is_one_of
from response.criteria.sums import (
    NEW,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Anew:
    """The timepoints after the first progression; arrays `[series, timepoint]`, lengths in um.

    Attributes
    ----------
    after
        Whether the timepoint is after the first progression.
    sum_then
        The sum of the targets at the first progression, `NO_SUM` where a target was missing there.
    smallest_since
        The smallest complete sum from the first progression on, before this timepoint.
    new_since
        Whether an unequivocal new lesion is there that was not known at the first progression.
    new_known
        Whether a new lesion is there that was, or one of those was not assessed.
    """

    after: Flags
    sum_then: Sums
    smallest_since: Sums
    new_since: Flags
    new_known: Flags


def measured_anew(state: RecistState, progressed: Flags) -> Anew:
    """Return the timepoints after the first progression, measured against it.

    Parameters
    ----------
    state
        What a criterion asks of all series of a block.
    progressed
        Where its response is a progression, `[series, timepoint]`.
    """
    block, burden = state.block, state.burden
    first = np.where(progressed.any(axis=1), progressed.argmax(axis=1), block.timepoints)[:, None]
    places = np.arange(block.timepoints)
    known = np.where(burden.all_assessed & (places >= first), burden.sum_um, NO_SUM)
    at_first = np.take_along_axis(known, np.minimum(first, block.timepoints - 1), axis=1)
    tracks = np.flatnonzero(is_one_of(burden.classes, NEW))
    facts = facts_at(burden.classes[tracks], burden.state[tracks])
    there, unseen = (facts & np.uint16(fact) != 0 for fact in (Fact.NEW_UNEQUIVOCAL, Fact.NEW_MISSING))
    until = places <= first[block.series_of_track[tracks]]
    old = running(np.logical_or, there & until)
    listed = state.new_unequivocal & ~burden.has(Fact.NEW_UNEQUIVOCAL)  # by the visit table alone
    listed_old = running(np.logical_or, listed & (places <= first))
    return Anew(
        after=(places > first) & block.follow_up,
        sum_then=np.asarray(np.broadcast_to(at_first, block.shape)),
        smallest_since=running_before(np.minimum, known, NO_SUM),
        new_since=SomeLesions(block, tracks, there & ~old).by_series() | (listed & ~listed_old),
        new_known=SomeLesions(block, tracks, old & (there | unseen)).by_series() | (listed & listed_old),
    )


def left_anew(state: RecistState, anew: Anew) -> Flags:
    """Return where something is left, or not known to be gone, of the lesions known at the first progression."""
    other = Fact.NON_TARGET_PRESENT | Fact.NON_TARGET_MISSING | Fact.NON_TARGET_UNPROVEN
    gone: NDArray[np.bool_] = state.all_assessed & state.all_gone & ~state.burden.has(other)
    return ~gone | anew.new_known | state.new_not_evaluable
