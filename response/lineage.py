"""Lesions that split, merge, are treated locally, or keep a state without a row.

* A fragment takes the role of the lesion that it split from; the parent then stands for nothing of its own.
* A merged lesion adds nothing; it is gone only when its host is gone, and not evaluable when the host is not.
* Merged, split and proved-no-tumour last into timepoints without a row; so does "not scheduled", with the
  last status seen, which cannot support a complete response.
* A lesion treated locally on study is not evaluable from that day on (RECIST FAQ on surgery and radiotherapy).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE
from response.findings import Finding
from response.timeline import Timeline
from response.vocabulary import Role, State

if TYPE_CHECKING:
    from response.arrange import Arrangement

NO_PARENT: Final = -1
_GENERATIONS: Final = 20  # fragments of fragments; more can only be a circle
_LASTING: Final = (State.MERGED, State.SPLIT, State.RESOLVED)
_UNSEEN: Final = (State.MISSING, State.UNKNOWN)
_GONE: Final = (State.ABSENT, State.NORMAL_NODE, State.RESOLVED)


@dataclass(frozen=True, eq=False)
class Links:
    """Parent of each track (`NO_PARENT` where none), and whether it is a fragment of it; `[track]`."""

    parent: NDArray[np.int32]
    fragment: NDArray[np.bool_]


def link_parents(arranged: "Arrangement", tracks: int) -> Links:
    """Find the parent track of each lesion that names one; an unknown name is a finding."""
    links = Links(np.full(tracks, NO_PARENT, np.int32), np.zeros(tracks, np.bool_))
    parents = arranged.measurements.text_column("parent")
    named = np.asarray([bool(text) for text in parents.values], np.bool_)
    if not named.any():
        return links
    written = arranged.measurements.code("state")
    lesion_rank = {text: place for place, text in enumerate(arranged.lesion.texts)}
    track_of = {
        (int(series), int(lesion)): track
        for track, (series, lesion) in enumerate(zip(arranged.track_series, arranged.track_lesion, strict=True))
    }
    for row in np.flatnonzero(named[parents.codes]).tolist():
        series, track = int(arranged.series_of_row[row]), int(arranged.track_of_row[row])
        parent = track_of.get((series, lesion_rank.get(parents.text(row), -1)), NO_PARENT)
        if parent in (NO_PARENT, track):
            arranged.note_of_row(
                row,
                "unknown_parent",
                column="parent",
                found=parents.text(row),
                expected="the id of another lesion of the subject",
                sentence="The lesion names a parent that is no other lesion of the subject.",
                remedy="Correct the lesion id in the column parent.",
            )
            continue
        links.parent[track] = parent
        links.fragment[track] |= written[row] != State.MERGED
    merged = arranged.track_of_row[(written == State.MERGED) & named[parents.codes]]
    links.fragment[merged] = False
    return links


def fragment_roots(parent: NDArray[np.int32], fragment: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return for each track the lesion that it came from by splitting, once or more often; itself where it did not."""
    roots = np.arange(len(parent), dtype=np.int32)
    fragments = np.flatnonzero(fragment)
    tops = parent[fragments]
    for _ in range(_GENERATIONS):
        if not fragment[tops].any():
            break
        tops = np.where(fragment[tops], parent[tops], tops)
    roots[fragments] = tops
    return roots


class Lineage:
    """Settles the states of lesions that depend on another lesion, another timepoint or a treatment."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.findings: list[Finding] = []
        self.treated: list[int] = []  # spots of lesions that were treated locally before

    def settle(self, state: NDArray[np.int8], value: NDArray[np.int32]) -> None:
        """Change states and values `[spot]` in place."""
        tracks = self.timeline.tracks
        for track in np.flatnonzero(tracks.carries).tolist():
            spots = self.timeline.spots(track)
            self._carry(Role(int(tracks.role[track])), state[spots], value[spots])
        for parent in np.unique(tracks.parent[tracks.fragment]).tolist():
            self._split_by_its_fragments(parent, state)
        self._treat_locally(state, value)
        for track in np.flatnonzero(tracks.carries).tolist():
            self._follow_others(track, state)

    @staticmethod
    def _carry(role: Role, state: NDArray[np.int8], value: NDArray[np.int32]) -> None:
        seen = State.UNKNOWN
        for place, current in enumerate(state.tolist()):
            if current in _UNSEEN and seen in _LASTING:
                state[place], value[place] = seen, 0
            elif current == State.NOT_SCHEDULED:
                state[place] = _unscheduled(role, seen)
            elif current not in (*_UNSEEN, State.NOT_EVALUABLE):  # what was not seen ends nothing
                seen = State(current)

    def _split_by_its_fragments(self, parent: int, state: NDArray[np.int8]) -> None:
        """Take a lesion without a row for split where a fragment of it was looked at."""
        tracks, timeline = self.timeline.tracks, self.timeline
        looked_at = np.zeros(timeline.spots(parent).stop - timeline.spots(parent).start, np.bool_)
        for track in timeline.tracks_of(int(timeline.series_of_track[parent])):
            if tracks.fragment[track] and tracks.parent[track] == parent:
                looked_at |= ~np.isin(state[timeline.spots(track)], _UNSEEN)
        own = state[timeline.spots(parent)]
        own[(own == State.MISSING) & looked_at] = State.SPLIT

    def _treat_locally(self, state: NDArray[np.int8], value: NDArray[np.int32]) -> None:
        days = self.timeline.measurements.date("local_therapy").days
        rows = np.flatnonzero(days != NO_DATE)
        if not len(rows):
            return
        spot_of_row = np.full(len(days), -1, np.int64)
        spots = np.flatnonzero(self.timeline.row >= 0)
        spot_of_row[self.timeline.row[spots]] = spots
        first: dict[int, int] = {}
        for row in rows.tolist():
            track = int(np.searchsorted(self.timeline.spot_start, spot_of_row[row], side="right")) - 1
            if spot_of_row[row] >= 0:
                first[track] = min(int(days[row]), first.get(track, int(days[row])))
        tracks = self.timeline.tracks
        roots = fragment_roots(tracks.parent, tracks.fragment)
        for fragment in np.flatnonzero(tracks.fragment).tolist():  # what is left of a treated lesion is treated
            day = first.get(int(roots[fragment]))
            if day is not None:
                first[fragment] = min(day, first.get(fragment, day))
        for track, day in first.items():
            self._end_at(track, day, state, value)

    def _end_at(self, track: int, day: int, state: NDArray[np.int8], value: NDArray[np.int32]) -> None:
        timeline = self.timeline
        series = int(timeline.series_of_track[track])
        rows = timeline.row[timeline.spots(track)]
        own = np.where(rows < 0, NO_DATE, timeline.measurements.date("date").days[np.maximum(rows, 0)])
        scans = np.where(own == NO_DATE, timeline.visits.first_scan[timeline.cells(series)], own)
        treated = (scans != NO_DATE) & (scans >= day)
        treated[: max(int(timeline.series.baseline[series]), 0) + 1] = False
        treated = np.logical_or.accumulate(treated)  # an undated scan follows the dated ones before it
        spots = np.arange(timeline.spots(track).start, timeline.spots(track).stop)[treated]
        state[spots] = State.NOT_EVALUABLE
        value[spots] = 0
        self.treated += spots.tolist()

    def _follow_others(self, track: int, state: NDArray[np.int8]) -> None:
        """Give merged spots the fate of the mass, and split spots without any fragment none."""
        tracks, timeline = self.timeline.tracks, self.timeline
        spots = timeline.spots(track)
        own = state[spots]
        merged = own == State.MERGED
        if merged.any():
            doubted = _still_doubted(own) & (tracks.role[track] == Role.NEW)
            own[merged] = self._states_of_mass(track, state)[merged]
            own[doubted & (own == State.MERGED)] = State.EQUIVOCAL  # to merge proves no new lesion
        if (own == State.SPLIT).any():
            series = int(timeline.series_of_track[track])
            known = np.zeros(len(own), np.bool_)
            for other in timeline.tracks_of(series):
                if tracks.fragment[other] and tracks.parent[other] == track:
                    known |= state[timeline.spots(other)] != State.UNKNOWN
            own[(own == State.SPLIT) & ~known] = State.NOT_EVALUABLE

    def _states_of_mass(self, track: int, state: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return what the mass that a lesion merged into makes of it at each timepoint.

        A target is measured there only where the mass is measured as a target (RECIST 1.1, section 4.4).
        """
        tracks, timeline = self.timeline.tracks, self.timeline
        hosts = self._hosts(track)
        if not hosts:
            return np.full(timeline.spots(track).stop - timeline.spots(track).start, State.NOT_EVALUABLE, np.int8)
        states = np.stack([state[timeline.spots(host)] for host in hosts])
        nearest = (states != State.MERGED).argmax(axis=0)  # a host may itself merge into another one, but later
        of_host = np.take_along_axis(states, nearest[None], axis=0)[0]
        summed = tracks.counted[hosts] & (tracks.role[hosts] == Role.TARGET)
        unmeasured = ~summed[nearest] & (tracks.role[track] == Role.TARGET)
        lost = unmeasured | np.isin(of_host, (*_UNSEEN, State.NOT_EVALUABLE))
        left = np.where(lost, State.NOT_EVALUABLE, State.MERGED)
        return np.where(np.isin(of_host, _GONE), State.ABSENT, left).astype(np.int8)

    def _hosts(self, track: int) -> list[int]:
        """Return the lesions that it merged into, through a chain of mergers; none where they form a circle."""
        tracks, host = self.timeline.tracks, int(self.timeline.tracks.parent[track])
        hosts: list[int] = []
        while host != NO_PARENT:
            if host in (track, *hosts):
                return []
            hosts.append(host)
            host = NO_PARENT if tracks.fragment[host] else int(tracks.parent[host])
        return hosts


def _still_doubted(states: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return where the last that was seen of a lesion, as such, was equivocal."""
    places = np.arange(1, len(states) + 1)
    doubted, certain = (
        np.maximum.accumulate(np.where(np.isin(states, kinds), places, 0))
        for kinds in ((State.EQUIVOCAL, State.BORDERLINE_NODE), (State.PRESENT, State.UNEQUIVOCAL_PROGRESSION))
    )
    return np.asarray(doubted > certain)


def _unscheduled(role: Role, seen: State) -> State:
    """Return the state of a lesion that was not imaged on purpose, from the last one seen."""
    if role == Role.NEW or seen in (State.UNEQUIVOCAL_PROGRESSION, *_LASTING):
        return seen
    return State.PRESENT if seen in (State.PRESENT, State.EQUIVOCAL) else State.NOT_SCHEDULED
