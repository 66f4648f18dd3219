"""The date of progression of a timepoint, and what a later finding changes about earlier timepoints.

PD is dated to the earliest scan that shows it. An equivocal new lesion, or a suspected progression of known
disease, that later proves true dates the PD back to the scan that first showed it (RECIST 1.1, sections 4.3.5
and 4.4.4); the response of earlier timepoints is never rewritten, the revision stands beside it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, NO_ROW
from response.criteria.burden import Burden, Fact, LesionClass, ever_before, facts_at
from response.criteria.criterion import State as CriterionState
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of
from response.vocabulary import State

_SHOWING: Final = Fact.NEW_UNEQUIVOCAL | Fact.NON_TARGET_PROGRESSION  # progression by itself
_NEVER: Final = np.iinfo(np.int32).max
_NOWHERE: Final = -1


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
    several = first != block.cell_values(visits.last_scan, NO_DATE)
    doubted = ever_before(burden.has(Fact.NEW_EQUIVOCAL | Fact.SUSPECTED))
    searched = progressed & (several | doubted)
    if searched.any():
        chosen = np.flatnonzero(searched.any(axis=1))
        shown = _first_day_shown(burden, chosen, state)
        dates[chosen] = np.where(searched[chosen] & (shown != _NEVER), shown, dates[chosen])
    if state.dated_after is None:
        return dates
    return np.where(progressed & (dates != NO_DATE) & (dates < state.dated_after), first, dates).astype(np.int32)


def _first_day_shown(burden: Burden, series: NDArray[np.intp], state: CriterionState) -> NDArray[np.int32]:
    """Return the first day on which a lesion of some series showed progression, `_NEVER` where none has a date.

    `[series, timepoint]`, of those series only: each lesion that shows it at a timepoint, from the scan that first cast
    doubt on it.
    """
    block = burden.block
    meant = np.zeros(block.series_count, np.bool_)
    meant[series] = True
    tracks = np.flatnonzero(block.per_track(meant))
    place = np.searchsorted(series, block.series_of_track[tracks])
    showing = np.full((len(series), block.timepoints), _SHOWING, np.uint16)
    showing[state.grown[series]] |= np.uint16(Fact.TARGET_DISEASE)
    showing[state.returned[series]] |= np.uint16(Fact.TARGET_DISEASE | Fact.NON_TARGET_PRESENT)
    shows = facts_at(burden.classes[tracks], burden.state[tracks]) & showing[place] != 0
    days = _days(burden, tracks, _first_doubted(burden, tracks))
    found = np.where(shows & (days != NO_DATE), days, _NEVER)
    if state.showing is not None:
        days = _days(burden, tracks, np.broadcast_to(np.arange(block.timepoints), found.shape))
        found = np.where(state.showing[tracks] & (days != NO_DATE), np.minimum(days, found), found)
    earliest = np.full(showing.shape, _NEVER, np.int32)
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    if len(starts):
        earliest[place[starts]] = np.minimum.reduceat(found, starts, axis=0)
    return earliest


def _first_doubted(burden: Burden, tracks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the place of the first of the run of equivocal findings that leads to each timepoint; its own if none."""
    states = burden.state[tracks]
    doubtful = is_one_of(states, (State.EQUIVOCAL, State.BORDERLINE_NODE))
    unseen = is_one_of(states, (State.MISSING, State.NOT_EVALUABLE, State.NOT_SCHEDULED))
    new = is_one_of(burden.classes[tracks], (LesionClass.NEW, LesionClass.NEW_NODE))
    goes_on = doubtful | unseen | (new[:, None] & is_one_of(states, (State.PRESENT,)))
    follows = np.arange(states.shape[1]) > burden.block.per_track(burden.block.baseline)[tracks]
    found = np.empty(states.shape, np.intp)
    began = np.full(len(tracks), _NOWHERE)
    for place in range(states.shape[1]):
        found[:, place] = np.where(began == _NOWHERE, place, began)
        began = np.where(doubtful[:, place] & (began == _NOWHERE), place, began)
        began = np.where(goes_on[:, place] & follows[:, place], began, _NOWHERE)
    return found


def _days(burden: Burden, tracks: NDArray[np.intp], places: NDArray[np.intp]) -> NDArray[np.int32]:
    """Return the day of each lesion's scan at a place: that of its row, else the first one of the timepoint."""
    block = burden.block
    rows = np.take_along_axis(block.row[tracks], places, axis=1)
    scans = block.cell_values(block.timeline.visits.first_scan, NO_DATE)[block.series_of_track[tracks]]
    dated = block.timeline.measurements.date("date").days
    own = np.where(rows == NO_ROW, NO_DATE, dated.take(np.maximum(rows, 0)) if len(dated) else NO_DATE)
    return np.where(own == NO_DATE, np.take_along_axis(scans, places, axis=1), own).astype(np.int32)


def relabelled(dates: NDArray[np.int32], scans: NDArray[np.int32], progressed: Flags) -> Flags:
    """Return the timepoints before a PD that its back-dating covers, `[series, timepoint]`."""
    # the earliest progression date of this or any later timepoint
    known = np.where(progressed & (dates != NO_DATE), dates, _NEVER)
    coming = np.minimum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((scans != NO_DATE) & (scans >= coming) & ~progressed)
