"""Roles of lesions that come from images and reports: as coded or mapped, else as RECIST 1.1 would have them.

1. A role in the map, or else the first one coded, holds for the whole course of a lesion.
2. Where no lesion of the first timepoint (or the one coded as baseline) has one, targets are proposed there
   (`response.selection`). Where some have one, its others are candidates.
3. A lesion first seen later is new, if all lesions seen before are there too. If one is missing that it could be
   under another name, nobody knows: it gets no role, and the candidates are named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from response.findings import Finding, Severity
from response.measurements import Measurements
from response.observed_rows import Row, rows_by_series
from response.selection import propose_targets
from response.table import TextColumn, TextTable
from response.vocabulary import known_organ

Roles = Literal["propose", "as_coded"]
_MAP: Final = "Say in a map of lesions which is which (--lesion-map), or give it a role in the table."
_CHECK: Final = "Check the role; a role in a map of lesions or in the table wins."
_SELECTED_BY: Final = (
    "organ",
    "location",
    "nodal",
    "longest_mm",
    "short_mm",
    "state",
    "slice_thickness_mm",
    "modality",
)

SeriesKey = tuple[str, str]


@dataclass(eq=False)
class _Course:
    """One lesion of a series: its rows, and their places in the order of the timepoints of the subject."""

    lesion: str
    rows: list[Row]
    places: list[int]

    @property
    def first(self) -> Row:
        return self.rows[0]

    def row_at(self, place: int) -> Row:
        return self.rows[self.places.index(place)]

    def set_role(self, role: str) -> None:
        for row in self.rows:
            row.role = role


def assign_roles(
    rows: Sequence[Row],
    order: Mapping[str, Sequence[str]],
    roles: Roles = "propose",
    *,
    unordered: frozenset[tuple[str, str]] = frozenset(),
) -> list[Finding]:
    """Give all rows of lesions their role, in place; return what was assumed, and what is ambiguous.

    Parameters
    ----------
    rows
        In any order; those of organs stay without.
    order
        Timepoints of each subject in the order of time.
    roles
        `propose`: as above; `as_coded`: what has no coded role is a candidate at the first timepoint, and blank later.
    unordered
        Timepoints of which nobody knows when they were; rows there take the role that their lesion has elsewhere.
    """
    assigning = _Assigning(order, roles)
    ordered = [row for row in rows if (row.subject, row.timepoint) not in unordered]
    for series, own in rows_by_series(ordered).items():
        assigning.add(series, own)
    assigning.select()
    known = {(row.subject, row.evaluator, row.lesion): row.role for row in ordered}
    for row in rows:
        if (row.subject, row.timepoint) in unordered and not row.is_organ:
            row.role = row.said_role or known.get((row.subject, row.evaluator, row.lesion), "") or row.coded_role
    return assigning.findings


class _Assigning:
    def __init__(self, order: Mapping[str, Sequence[str]], roles: Roles) -> None:
        self.order, self.roles = order, roles
        self.findings: list[Finding] = []
        self.to_select: list[tuple[_Course, Row]] = []

    def add(self, series: SeriesKey, rows: Sequence[Row]) -> None:
        """Give the lesions of one series their roles; those to be selected wait for `select`."""
        courses = self._courses(series, rows)
        marked = [
            place
            for course in courses
            for place, row in zip(course.places, course.rows, strict=True)
            if row.cells.get("baseline") == "Y"
        ]
        start = min(marked or [course.places[0] for course in courses])
        coded = [course for course in courses if self._set_coded(course)]
        coded_at_start = any(start in course.places for course in coded)
        for course in courses:
            if course.places[0] > start:
                self._judge_later(course, courses)
            elif course not in coded:
                self._judge_early(course, start, may_select=not coded_at_start)

    def _judge_early(self, course: _Course, start: int, *, may_select: bool) -> None:
        """Let a lesion of the first timepoint, or of one before the baseline, be selected or be a candidate."""
        if self.roles == "propose" and may_select and start in course.places:
            self.to_select.append((course, course.row_at(start)))
            return
        course.set_role("candidate")
        sentence = f"{course.lesion} has no coded role; it is a candidate and not counted."
        self._tell("role_proposed", "info", course.first, sentence, found="candidate", remedy=_CHECK)

    def _courses(self, series: SeriesKey, rows: Sequence[Row]) -> list[_Course]:
        place = {label: number for number, label in enumerate(self.order[series[0]])}
        by_lesion: dict[str, list[Row]] = {}
        for row in sorted(rows, key=lambda row: place[row.timepoint]):
            by_lesion.setdefault(row.lesion, []).append(row)
        return [_Course(name, own, [place[row.timepoint] for row in own]) for name, own in by_lesion.items()]

    def _set_coded(self, course: _Course) -> bool:
        """Set the role that the map or the sources say; return whether they say one."""
        coded = [row.coded_role for row in course.rows if row.coded_role]
        role = course.first.said_role or (coded[0] if coded else "")
        if not role:
            return False
        course.set_role(role)
        if len(set(coded)) > 1 and not course.first.said_role:
            found = ", ".join(dict.fromkeys(coded))
            sentence = f"{course.lesion} is coded as {found} at different timepoints; the first counts."
            self._tell("role_conflict", "error", course.first, sentence, found=found, remedy=_CHECK)
        return True

    # --- lesions first seen after the first timepoint

    def _judge_later(self, course: _Course, courses: Sequence[_Course]) -> None:
        """Tell whether a lesion first seen later is new, or may be an earlier one under another name."""
        missing = [
            other.lesion
            for other in courses
            if other.places[0] < course.places[0]
            and course.places[0] not in other.places
            and not _at_different_sites(other.first, course.first)
        ]
        if course.first.role == "new" or course.first.said_role:
            return
        if missing:
            names = ", ".join(missing)
            done = f"it stays {course.first.role}" if course.first.role else "it got no role and is not counted"
            sentence = (
                f"{course.lesion} is first seen at {course.first.timepoint}, where {names} "
                f"{'is' if len(missing) == 1 else 'are'} missing; it may be one of these under another name, so {done}."
            )
            self._tell("ambiguous_lesion", "error", course.first, sentence, found=names, remedy=_MAP)
        elif not course.first.role and self.roles == "propose":
            course.set_role("new")
            sentence = (
                f"{course.lesion} is first seen at {course.first.timepoint}, where all lesions seen before are found "
                "too (or lie elsewhere); it was taken for a new lesion."
            )
            self._tell("new_lesion_by_identity", "warning", course.first, sentence, found="new", remedy=_CHECK)

    # --- selection of targets

    def select(self) -> None:
        """Propose targets among all lesions that wait for it."""
        by_lesion = {(row.subject, row.evaluator, row.lesion): course for course, row in self.to_select}
        if not by_lesion:
            return
        for proposal in propose_targets(_candidates([row for _, row in self.to_select])):
            course = by_lesion.pop((proposal.subject, proposal.evaluator, proposal.lesion))
            self._propose(course, proposal.proposed_role or "candidate", proposal.reason)
        for course in by_lesion.values():
            self._propose(course, "candidate", "nothing is known to judge it by")

    def _propose(self, course: _Course, role: str, reason: str) -> None:
        course.set_role(role)
        sentence = f"No role is coded; {course.lesion} was taken as {role.replace('_', '-')}: {reason}."
        self._tell("role_proposed", "info", course.first, sentence, found=role, remedy=_CHECK)

    def _tell(self, kind: str, severity: Severity, row: Row, sentence: str, *, found: str, remedy: str) -> None:
        self.findings.append(
            Finding(
                id=kind,
                severity=severity,
                subject=row.subject,
                evaluator=row.evaluator,
                timepoint=row.timepoint,
                lesion=row.lesion,
                column="role",
                found=found,
                sentence=sentence,
                remedy=remedy,
                file=row.file,
            )
        )


def _candidates(rows: Sequence[Row]) -> Measurements:
    """Return the rows of some lesions at baseline as candidates."""
    columns = {
        "subject": [row.subject for row in rows],
        "evaluator": [row.evaluator for row in rows],
        "timepoint": [row.timepoint for row in rows],
        "lesion": [row.lesion for row in rows],
        "role": ["candidate"] * len(rows),
        **{name: [row.cells.get(name, "") for row in rows] for name in _SELECTED_BY},
    }
    return Measurements.from_table(TextTable.of({name: TextColumn.of(texts) for name, texts in columns.items()}, ""))


def _at_different_sites(first: Row, second: Row) -> bool:
    """Return whether the sites of two lesions say that they cannot be one."""
    organs = {known_organ(row.cells.get("organ", "")) for row in (first, second)} - {""}
    sides = {row.side for row in (first, second)} - {""}
    return len(organs) > 1 or len(sides) > 1
