"""TU and TR together: one canonical row per lesion, visit and evaluator."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from response.findings import Finding
from response.io.sdtm_keys import Domain, combined
from response.io.sdtm_results import LesionResults
from response.io.sdtm_rows import RowWriter, Series, Track, Tracked
from response.io.sdtm_tumours import Tumour, Tumours, parent_of, parts_of, role_conflict
from response.io.sdtm_words import Kind, role_of
from response.table import TextTable
from response.vocabulary import Role, text_of


class LesionReader:
    """Brings TU and TR to canonical rows.

    Attributes
    ----------
    findings, notes
        What could not be used, and what was decided.
    """

    def __init__(self, results: LesionResults, tumours: Tumours) -> None:
        self.results, self.tumours = results, tumours
        self.domain: Domain = results.domain
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.tracks: list[Track] = []
        self.by_series: dict[Series, dict[str, Track]] = {}
        self.linked: set[tuple[str, str, str]] = set()

    def read(self) -> TextTable:
        """Return the canonical rows."""
        of_track = self._find_tracks()
        self._add_tumours_alone()
        for tracks in self.by_series.values():
            self._relate(tracks)
        counts_as = self._hosts()[of_track]
        usable = np.asarray([track.role is not Role.NONE for track in self.tracks], np.bool_)[counts_as]
        tracked = Tracked(self.results.take(usable), counts_as[usable], (counts_as != of_track)[usable])
        writer = RowWriter(tracked, self.tracks, self.tumours)
        table = writer.table()
        self.findings += writer.findings
        return table

    # --- Who is who.

    def _find_tracks(self) -> NDArray[np.int32]:
        """Make the track of each lesion; return that of each result."""
        keys, rows = self.domain.keys, self.results.row
        of_track, first = combined(keys.subject.take(rows), keys.evaluator.take(rows), self.results.lesion)
        kinds = np.zeros((len(first), len(Kind)), np.bool_)
        kinds[of_track, self.results.kind] = True
        for number, place in enumerate(first.tolist()):
            self._add_track(int(rows[place]), self.results.lesion.text(place), kinds[number])
        self._report_other_roles(of_track)
        return of_track

    def _add_track(self, row: int, lesion: str, kinds: NDArray[np.bool_]) -> None:
        keys = self.domain.keys
        series = (keys.subject.text(row), keys.evaluator.text(row))
        found = self.tumours.linked(series[0], (series[1], keys.evaluator_role.text(row)), lesion)
        tumour = Tumour() if found is None else self.tumours[found]
        if found is not None:
            self.linked.add(found)
        site = self.domain.column("LOC").text(row)
        if site and not tumour.organ:
            tumour = replace(tumour, organ=site, location=site)
        role = tumour.role or role_of(self.domain.column("GRPID").text(row))
        track = Track(series, lesion, tumour, role, _nodal(tumour, kinds), row)
        self.tracks.append(track)
        self.by_series.setdefault(series, {})[lesion] = track

    def _report_other_roles(self, of_track: NDArray[np.int32]) -> None:
        """Report lesions whose TRGRPID contradicts TU."""
        group = self.domain.column("GRPID").take(self.results.row)
        said = np.asarray([role_of(text) for text in group.values], np.int8)[group.codes]
        role = np.asarray([track.role for track in self.tracks], np.int8)[of_track]
        told = set()
        for place in np.flatnonzero((said != role) & (said != Role.NONE)).tolist():
            track = self.tracks[of_track[place]]
            # a mass or a fragment keeps the group of what it came from
            if of_track[place] not in told and not (track.tumour.split or track.tumour.merged):
                told.add(of_track[place])
                row = int(self.results.row[place])
                self.findings.append(role_conflict(self.domain, row, track.lesion, track.role, Role(said[place])))

    def _add_tumours_alone(self) -> None:
        """Make tracks of the lesions that TU has and TR has not."""
        named = {series[0] for series in self.by_series if series[1]}
        for key, tumour in self.tumours.items():
            subject, evaluator, lesion = key
            series = (subject, evaluator)
            if key in self.linked or tumour.row < 0 or lesion in self.by_series.get(series, {}):
                continue
            if not evaluator and subject in named:
                self.findings.append(self._nobody_read(tumour, lesion))
                continue
            track = Track(series, lesion, tumour, tumour.role, _nodal(tumour, np.zeros(len(Kind), np.bool_)))
            self.tracks.append(track)
            self.by_series.setdefault(series, {})[lesion] = track

    def _nobody_read(self, tumour: Tumour, lesion: str) -> Finding:
        assert self.tumours.domain is not None
        return self.tumours.domain.finding(
            tumour.row,
            id="unusable_row",
            lesion=lesion,
            column="TUEVAL",
            expected="the evaluator, for several read this subject",
            sentence="No evaluator is named for a tumour that has no results. The row was left out.",
            remedy="Name the evaluator in TUEVAL and TUEVALID.",
        )

    # --- Fragments and masses.

    def _relate(self, tracks: dict[str, Track]) -> None:
        """Find the parents of fragments and the hosts of masses of one series."""
        for track in list(tracks.values()):
            parts = parts_of(track.lesion, tracks)
            if parts:
                self._merge(track, [tracks[name] for name in parts])
            elif track.tumour.split or (track.tumour.row < 0 and len(self.tumours)):
                self._split(track, tracks)
        for track in tracks.values():
            linked = track.row >= 0 and self.domain.column("LNKID").text(track.row)
            if linked and track.tumour.row < 0 and not (track.parent or track.parts):
                self._report_unknown(track)

    def _merge(self, mass: Track, parts: list[Track]) -> None:
        # the mass counts as the target where a target is among its parts
        host = next((part for part in parts if part.role is Role.TARGET), parts[0])
        mass.parts, mass.host, mass.role = tuple(part.lesion for part in parts), host.lesion, host.role
        for part in parts:
            part.host = host.lesion

    def _split(self, track: Track, tracks: dict[str, Track]) -> None:
        track.parent = parent_of(track.lesion, track.tumour.group, tracks)
        if track.parent:
            parent = tracks[track.parent]
            track.role = parent.role
            track.nodal = track.nodal or parent.nodal
        elif track.tumour.split:
            self.findings.append(self._about(track, "unknown_parent", "warning", "the lesion that it split from"))

    def _report_unknown(self, track: Track) -> None:
        if track.role is Role.NONE:
            self.findings.append(
                self._about(track, "unknown_lesion", "error", "a lesion of TU, or its role in TRGRPID")
            )
        elif self.tumours:
            self.findings.append(self._about(track, "unknown_lesion", "warning", "a lesion of TU"))

    def _about(self, track: Track, name: str, severity: str, expected: str) -> Finding:
        told = "left out" if track.role is Role.NONE else f"read as {text_of(track.role)}"
        domain = self.domain if track.row >= 0 or self.tumours.domain is None else self.tumours.domain
        return domain.finding(
            track.row if track.row >= 0 else track.tumour.row,
            id=name,
            severity=severity,
            lesion=track.lesion,
            column=f"{domain.prefix}LNKID",
            found=track.lesion,
            expected=expected,
            sentence=f"{domain.prefix}LNKID is '{track.lesion}'; expected {expected}. The lesion was {told}.",
            remedy="Correct the link id, or identify the lesion in TU.",
        )

    def _hosts(self) -> NDArray[np.int32]:
        """Return the track as which each track counts: a mass counts as its host; `[track]`."""
        number = {(track.series, track.lesion): place for place, track in enumerate(self.tracks)}
        counts_as = [number[track.series, track.host if track.parts else track.lesion] for track in self.tracks]
        return np.asarray(counts_as, np.int32)


def _nodal(tumour: Tumour, kinds: NDArray[np.bool_]) -> str:
    """Return whether a lesion is a node: by its organ, else where only the tests of nodes were done on it."""
    if tumour.nodal is not None:
        return "Y" if tumour.nodal else "N"
    other = kinds[Kind.LONGEST] or kinds[Kind.DIAMETER]
    return "Y" if kinds[Kind.NODE_STATE] or (kinds[Kind.SHORT] and not other) else ""
