"""Canonical rows of lesions: tests put together, states settled; fragments, masses and bare tumours added."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from response.findings import Finding
from response.io.sdtm_keys import combined, joined
from response.io.sdtm_results import LesionResults, SideBySide, side_by_side
from response.io.sdtm_states import TestTable, Texts, resolved_words
from response.io.sdtm_tumours import Tumour, Tumours
from response.io.sdtm_words import Kind
from response.table import TextColumn, TextTable, concatenate
from response.vocabulary import Role, State, text_of

Series = tuple[str, str]  # subject, evaluator
Spot = tuple[int, str]  # track, timepoint

_STANDING_IN: Final = {Role.TARGET: State.NOT_EVALUABLE, Role.NON_TARGET: State.PRESENT, Role.NEW: State.PRESENT}
_MERGED: Final = text_of(State.MERGED)
_SPLIT: Final = text_of(State.SPLIT)


@dataclass(eq=False)
class Track:
    """One lesion of one series.

    Attributes
    ----------
    series, lesion
        Who, and which.
    tumour
        As TU identifies it.
    role
        Of TU, else of TRGRPID.
    nodal
        `Y`, `N` or blank.
    row
        First row of TR, -1 where only TU has it.
    parent
        The lesion that it split from.
    host
        The lesion under whose id the mass is measured that this one is a part of, or that it is.
    parts
        The lesions that this mass is made of; it has no rows of its own.
    """

    series: Series
    lesion: str
    tumour: Tumour
    role: Role
    nodal: str
    row: int = -1
    parent: str = ""
    host: str = ""
    parts: tuple[str, ...] = ()

    def is_bare(self, *, has_baseline: bool) -> bool:
        """Return whether TU may be the only one to tell of the lesion at the visit where it was identified."""
        identified = self.tumour.row >= 0 and not (self.tumour.split or self.parts) and self.role is not Role.NONE
        return identified and (self.role is Role.NEW or not has_baseline)


@dataclass(frozen=True, eq=False)
class Tracked:
    """Results with the track as which each counts, and whether it was measured on a mass; `[result]`."""

    results: LesionResults
    track: NDArray[np.int32]
    of_mass: NDArray[np.bool_]

    def take(self, keep: NDArray[np.bool_]) -> "Tracked":
        """Return those of a mask."""
        return Tracked(self.results.take(keep), self.track[keep], self.of_mass[keep])


class _Fate(NamedTuple):
    """What becomes of a lesion: state, the lesion it merged into, and the line that tells it."""

    state: str
    parent: str
    beside: int


class RowWriter:
    """Writes the canonical rows.

    Attributes
    ----------
    findings
        Repeated and contradicting results, and states that a person should look at.
    """

    def __init__(self, tracked: Tracked, tracks: list[Track], tumours: Tumours) -> None:
        self.tracks, self.tumours = tracks, tumours
        self.findings: list[Finding] = []
        self.number = {(track.series, track.lesion): place for place, track in enumerate(tracks)}
        self.extra: list[dict[str, Any]] = []
        self.tracked = _without_what_the_mass_replaces(tracked)
        results = self.tracked.results
        self.domain = results.domain
        self.timepoint = self.domain.keys.timepoint.take(results.row)
        self.group, first = combined(_numbers(self.tracked.track, len(tracks)), self.timepoint)
        self.side: SideBySide = side_by_side(results, self.group, len(first))
        self.line_track = self.tracked.track[self.side.first]
        self.tests = TestTable.of(results, self.side.pick)
        self._find_baselines()

    def _find_baselines(self) -> None:
        """Mark the baseline visits of each series: by a flag, else by the label of the visit."""
        keys, rows = self.domain.keys, self.tracked.results.row
        subject, evaluator = keys.subject.take(rows), keys.evaluator.take(rows)
        series, _ = combined(subject, evaluator)
        visit, first = combined(subject, evaluator, self.timepoint)
        level = np.zeros(len(first), np.int8)
        np.maximum.at(level, visit, keys.baseline_level[rows])
        of_series = np.zeros(int(series.max(initial=-1)) + 1, np.int8)
        np.maximum.at(of_series, series, keys.baseline_level[rows])
        marked = (level > 0) & (level == of_series[series[first]])
        self.line_baseline = marked[visit[self.side.first]]
        self.visits: dict[Series, dict[str, bool]] = {}
        for number, place in enumerate(first.tolist()):
            visits = self.visits.setdefault((subject.text(place), evaluator.text(place)), {})
            visits[self.timepoint.text(place)] = bool(marked[number])

    def table(self) -> TextTable:
        """Return the canonical rows."""
        role = np.asarray([track.role for track in self.tracks], np.int8)[self.line_track]
        nodal = np.asarray([track.nodal == "Y" for track in self.tracks], np.bool_)[self.line_track]
        states, doubtful = resolved_words(self.tests.states(role, nodal), role, self.line_baseline)
        self.parents = np.asarray([track.parent for track in self.tracks], object)[self.line_track]
        self.findings += [self._doubtful(line, states[line]) for line in doubtful]
        self._report_repeated()
        self._merge(states)
        self._split(states)
        self._add_tumours()
        table = self._table(states)
        return concatenate([table, self._extra_table()]) if self.extra else table

    # --- Findings.

    def _finding(self, line: int, **parts: Any) -> Finding:
        lesion = self.tracks[self.line_track[line]].lesion
        return self.domain.finding(int(self.tracked.results.row[self.side.first[line]]), lesion=lesion, **parts)

    def _doubtful(self, line: int, state: str) -> Finding:
        return self._finding(
            line,
            id="ambiguous_state",
            severity="warning",
            column="TRORRES",
            found=self.domain.column("ORRES").text(int(self.tracked.results.row[self.side.first[line]])),
            expected="PRESENT, ABSENT or UNEQUIVOCAL PROGRESSION",
            sentence=f"The state of this known lesion can be read in two ways; it was taken as {state}.",
            remedy="Write the state in full.",
        )

    def _report_repeated(self) -> None:
        for group, place in self.side.repeated.items():
            row = int(self.tracked.results.row[place])
            self.findings.append(
                self.domain.finding(
                    row,
                    id="duplicate_row",
                    severity="info",
                    lesion=self.tracks[self.line_track[group]].lesion,
                    column="TRTESTCD",
                    found=self.domain.column("TESTCD").text(row),
                    expected="one row per lesion, visit and test",
                    sentence="The same result of the lesion stands twice at this visit; it was counted once.",
                    remedy="Delete one of the rows.",
                )
            )

    # --- Masses and fragments.

    def _lines_of(self, tracks: Iterable[int]) -> dict[Spot, list[int]]:
        """Return the lines of a few tracks by track and timepoint."""
        found: dict[Spot, list[int]] = {}
        for line in np.flatnonzero(np.isin(self.line_track, list(tracks))).tolist():
            spot = (int(self.line_track[line]), self.timepoint.text(int(self.side.first[line])))
            found.setdefault(spot, []).append(line)
        return found

    def _merge(self, states: Texts) -> None:
        """Give the parts of a mass the state merged wherever the mass was measured."""
        masses = [track for track in self.tracks if track.parts]
        numbers = {self.number[mass.series, part] for mass in masses for part in mass.parts}
        lines = self._lines_of(numbers)
        of_mass = set(self.group[self.tracked.of_mass].tolist())
        for mass in masses:
            host = self.number[mass.series, mass.host]
            spots = [spot for spot, found in lines.items() if spot[0] == host and self.side.group[found[0]] in of_mass]
            for spot in spots:
                for part in mass.parts:
                    if part != mass.host:
                        other = (self.number[mass.series, part], spot[1])
                        self._set(states, lines, other, _Fate(_MERGED, mass.host, lines[spot][0]))
        for line in np.flatnonzero((states == _MERGED) & (self.parents == "")).tolist():
            track = self.tracks[self.line_track[line]]
            self.parents[line] = track.host if track.host != track.lesion else ""
            if not self.parents[line]:
                self.findings.append(self._merged_into_nothing(line))

    def _merged_into_nothing(self, line: int) -> Finding:
        return self._finding(
            line,
            id="unknown_parent",
            severity="warning",
            column="TRLNKID",
            expected="a link id such as T02/T03 for the mass",
            sentence="The lesion merged, but the mass is not measured at this visit.",
            remedy="Add the measurement of the mass.",
        )

    def _split(self, states: Texts) -> None:
        """Give the parent of fragments the state split wherever a fragment was read."""
        fragments = [place for place, track in enumerate(self.tracks) if track.parent]
        parents = {self.number[self.tracks[place].series, self.tracks[place].parent] for place in fragments}
        lines = self._lines_of([*fragments, *parents])
        for (place, timepoint), found in list(lines.items()):
            track = self.tracks[place]
            if track.parent:
                parent = (self.number[track.series, track.parent], timepoint)
                self._set(states, lines, parent, _Fate(_SPLIT, "", found[0]))

    def _set(self, states: Texts, lines: dict[Spot, list[int]], spot: Spot, fate: "_Fate") -> None:
        """Set the state of a lesion at a visit; without a row there, it gets one that stands where another does."""
        state, parent = fate.state, fate.parent
        for line in lines.get(spot, ()):
            if line >= 0:
                states[line], self.parents[line] = state, parent
        if spot not in lines:
            lines[spot] = [-1]
            row = int(self.tracked.results.row[self.side.first[fate.beside]])
            file, number = self.domain.table.where(row)
            track, keys = self.tracks[spot[0]], self.domain.keys
            cells = {"state": state, "parent": parent, "date": keys.date.text(row), "accepted": keys.accepted.text(row)}
            self._add(track, spot[1], file, number, cells)

    # --- Tumours of TU without results.

    def _add_tumours(self) -> None:
        domain = self.tumours.domain
        if domain is None:
            return
        at_baseline = set(self.line_track[self.line_baseline].tolist())
        bare = [place for place, track in enumerate(self.tracks) if track.is_bare(has_baseline=place in at_baseline)]
        seen = self._lines_of(bare)
        for place in bare:
            track = self.tracks[place]
            tumour = track.tumour
            timepoint = self._visit_of(track, domain.keys.timepoint.text(tumour.row))
            if (place, timepoint) in seen:
                continue
            file, number = domain.table.where(tumour.row)
            same_visit = timepoint == domain.keys.timepoint.text(tumour.row)
            cells = {
                "state": text_of(State.EQUIVOCAL if tumour.equivocal else _STANDING_IN[track.role]),
                "reason": "no result in TR" if track.role is Role.TARGET else "",
                "date": domain.keys.date.text(tumour.row) if same_visit else "",
                "accepted": domain.keys.accepted.text(tumour.row),
                "baseline": domain.keys.baseline_level[tumour.row] > 0,
            }
            self._add(track, timepoint, file, number, cells)

    def _visit_of(self, track: Track, timepoint: str) -> str:
        """Return the visit at which a tumour was identified; a known one belongs to a visit that has results."""
        visits = self.visits.get(track.series, {})
        if track.role is Role.NEW or timepoint in visits or not visits:
            return timepoint
        return next((visit for visit, marked in visits.items() if marked), next(iter(visits)))

    # --- Tables.

    def _add(self, track: Track, timepoint: str, file: str, line: int, cells: dict[str, Any]) -> None:
        visits = self.visits.get(track.series)
        baseline = visits.get(timepoint, False) if visits else cells.get("baseline", False)
        self.extra.append(
            {
                **_of_tumour(track),
                "timepoint": timepoint,
                "modality": track.tumour.modality,
                **cells,
                "baseline": "Y" if baseline else "",
                "source": f"{file}:{line}",
                "file": file,
                "line": line,
            }
        )

    def _extra_table(self) -> TextTable:
        names = dict.fromkeys(name for row in self.extra for name in row if name not in {"file", "line"})
        columns = {name: TextColumn.of(row.get(name, "") for row in self.extra) for name in names}
        files = list(dict.fromkeys(row["file"] for row in self.extra))
        return TextTable(
            columns,
            files,
            np.asarray([files.index(row["file"]) for row in self.extra], np.int16),
            np.asarray([row["line"] for row in self.extra], np.int32),
        )

    def _table(self, states: Texts) -> TextTable:
        keys, rows, first = self.domain.keys, self.tracked.results.row, self.side.first
        per_track = [_of_tumour(track) for track in self.tracks]
        names = list(per_track[0]) if per_track else list(_of_tumour(Track(("", ""), "", Tumour(), Role.NONE, "")))
        columns = {name: TextColumn.of(cells[name] for cells in per_track).take(self.line_track) for name in names}
        of_results = self._first_of_group(self.domain.column("METHOD").take(rows))
        of_tumours = TextColumn.of(track.tumour.modality for track in self.tracks).take(self.line_track)
        columns |= {
            "accepted": self._first_of_group(keys.accepted.take(rows)),
            "timepoint": self.timepoint.take(first),
            "date": self._first_of_group(keys.date.take(rows)),
            "baseline": TextColumn(self.line_baseline.astype(np.int32), ["", "Y"]),
            "state": TextColumn.of(states.tolist()),
            "longest_mm": self.tests.values(Kind.LONGEST),
            "short_mm": self.tests.values(Kind.SHORT),
            "unit": self.tests.units(),
            "parent": TextColumn.of(self.parents.tolist()),
            "modality": joined(lambda *methods: next(filter(None, methods), ""), of_results, of_tumours),
            "reason": TextColumn.of(self.tests.reasons().tolist()),
        }
        for name, kind in _OPTIONAL.items():
            if self.tests.has_any(kind):
                columns[name] = self.tests.values(kind)
        return self._in_file_order(columns, rows[first])

    def _in_file_order(self, columns: dict[str, TextColumn], rows: NDArray[np.int64]) -> TextTable:
        """Return the table with its lines as they stand in the files; `rows` of TR are `[line]`."""
        table, order = self.domain.table, np.argsort(rows, kind="stable")
        columns = {name: column.take(order) for name, column in columns.items()}
        file_codes, lines = table.file_codes[rows[order]], table.lines[rows[order]]
        files = [table.files[code] for code in file_codes.tolist()]
        columns["source"] = TextColumn.of(f"{file}:{line}" for file, line in zip(files, lines.tolist(), strict=True))
        return TextTable(columns, table.files or ("",), file_codes, lines)

    def _first_of_group(self, column: TextColumn) -> TextColumn:
        """Return the first text of each line's group that is not blank."""
        written = np.flatnonzero(np.asarray([bool(text) for text in column.values], np.bool_)[column.codes])[::-1]
        codes = np.full(int(self.group.max(initial=-1)) + 1, len(column.values), np.int32)
        codes[self.group[written]] = column.codes[written]
        return TextColumn(codes[self.side.group], [*column.values, ""]).normalised()


_OPTIONAL: Final = {"diameter_mm": Kind.DIAMETER, "attenuation_hu": Kind.ATTENUATION, "volume_mm3": Kind.VOLUME}


def _of_tumour(track: Track) -> dict[str, str]:
    return {
        "subject": track.series[0],
        "evaluator": track.series[1],
        "lesion": track.lesion,
        "role": text_of(track.role),
        "organ": track.tumour.organ,
        "location": track.tumour.location,
        "nodal": track.nodal,
        "previously_treated": track.tumour.previously_treated,
    }


def _numbers(codes: NDArray[np.int32], count: int) -> TextColumn:
    return TextColumn(codes, [""] * count)


def _without_what_the_mass_replaces(tracked: Tracked) -> Tracked:
    """Leave out that the host itself was "not done" at a visit where the mass was measured under its id."""
    if not tracked.of_mass.any():
        return tracked
    timepoint = tracked.results.domain.keys.timepoint.take(tracked.results.row)
    group, first = combined(_numbers(tracked.track, int(tracked.track.max()) + 1), timepoint)
    replaced = np.zeros(len(first), np.bool_)
    replaced[group[tracked.of_mass]] = True
    has_number = np.asarray([bool(result.value) for result in tracked.results.results], np.bool_)
    return tracked.take(~replaced[group] | tracked.of_mass | has_number[tracked.results.code])
