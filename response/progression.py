"""The date of progression of a timepoint, and what a later finding changes about earlier timepoints.

PD is dated to the earliest scan that shows it. An equivocal new lesion, or a suspected progression of known
disease, that later proves true dates the PD back to the scan that first showed it (RECIST 1.1, sections 4.3.5
and 4.4.4); the response of earlier timepoints is never rewritten, the revision stands beside it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE
from response.criteria.burden import Burden, Fact, LesionClass, ever_before, facts_of
from response.criteria.criterion import State as CriterionState
from response.criteria.rules import Flags
from response.timeline import NO_ROW
from response.vocabulary import State

_NEW: Final = (LesionClass.NEW, LesionClass.NEW_NODE)
_SHOWING: Final = Fact.NEW_UNEQUIVOCAL | Fact.NON_TARGET_PROGRESSION  # progression by itself
_UNSEEN: Final = (State.MISSING, State.NOT_EVALUABLE, State.NOT_SCHEDULED)


def progression_dates(burden: Burden, progressed: Flags, state: CriterionState) -> NDArray[np.int32]:
    """Return the date of progression of each PD timepoint.

    Parameters
    ----------
    burden
        Lesions of the block.
    progressed
        Where the overall response is a progression, `[series, timepoint]`.
    state
        What the criterion says shows it: targets that have grown, disease that is back after CR, lesions that show it
        in a way of the criterion's own; and how far back it may be dated.

    Returns
    -------
    NDArray
        Days since 1970, `NO_DATE` elsewhere; `[series, timepoint]`.
    """
    block = burden.block
    visits = block.timeline.visits
    first = block.cell_values(visits.first_scan, NO_DATE)
    dates = np.where(progressed, first, NO_DATE).astype(np.int32)
    grown, returned, shown = state.grown, state.returned, state.showing
    several = first != block.cell_values(visits.last_scan, NO_DATE)
    doubted = ever_before(burden.has(Fact.NEW_EQUIVOCAL | Fact.SUSPECTED))
    for series, place in np.argwhere(progressed & (several | doubted)).tolist():
        showing = _SHOWING
        showing |= Fact.TARGET_DISEASE if grown[series, place] else Fact(0)
        showing |= Fact.TARGET_DISEASE | Fact.NON_TARGET_PRESENT if returned[series, place] else Fact(0)
        found = _days_showing(burden, series, place, showing)
        if shown is not None:
            found += [_day(burden, track, place) for track in block.tracks_of(series) if shown[track, place]]
        dates[series, place] = min((day for day in found if day != NO_DATE), default=int(first[series, place]))
    if state.dated_after is None:
        return dates
    return np.where(progressed & (dates != NO_DATE) & (dates < state.dated_after), first, dates).astype(np.int32)


def _days_showing(burden: Burden, series: int, place: int, showing: Fact) -> list[int]:
    """Return the dates of the scans of one timepoint on which a lesion says one of the facts."""
    days = []
    for track in burden.block.tracks_of(series):
        facts = facts_of(LesionClass(int(burden.classes[track])), State(int(burden.state[track, place])))
        if facts & showing:
            days.append(_day(burden, track, first_doubted(burden, track, place)))
    return days


def first_doubted(burden: Burden, track: int, place: int) -> int:
    """Return the place of the first timepoint of the run of equivocal findings that leads to `place`."""
    first = place
    doubtful = (State.EQUIVOCAL, State.BORDERLINE_NODE)
    for earlier in range(place - 1, max(int(burden.block.baseline[burden.block.series_of_track[track], 0]), -1), -1):
        state = burden.state[track, earlier]
        if state in doubtful:
            first = earlier
        elif state not in _UNSEEN and not (state == State.PRESENT and burden.classes[track] in _NEW):
            break
    return first


def _day(burden: Burden, track: int, place: int) -> int:
    row = int(burden.block.row[track, place])
    timeline = burden.block.timeline
    day = NO_DATE if row == NO_ROW else int(timeline.measurements.date("date").days[row])
    if day != NO_DATE:
        return day
    series = burden.block.low + int(burden.block.series_of_track[track])
    return int(timeline.visits.first_scan[timeline.cells(series)][place])


def relabelled(dates: NDArray[np.int32], scans: NDArray[np.int32], progressed: Flags) -> Flags:
    """Return the timepoints before a PD that its back-dating covers, `[series, timepoint]`."""
    # the earliest progression date of this or any later timepoint
    known = np.where(progressed & (dates != NO_DATE), dates, np.iinfo(np.int32).max)
    coming = np.minimum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((scans != NO_DATE) & (scans >= coming) & ~progressed)
