"""Which observations are one lesion over time; where that is not certain, nothing is joined.

1. The explicit map comes first: structures that it gives one name are one lesion.
2. Then the tracking UID, unless one study has it for two lesions.
3. Then a report and the segment that it was measured on.
4. Then the tracking identifier (or the label that somebody typed), where it is unique in each study and the sites do
   not contradict each other; where it is not unique, together with the finding site.
5. Then the numbers of segments that have no names, where all studies of the subject have the same numbers.

What is left stays apart; `response.observed_roles` tells what may be meant by it. Source of the concepts: DICOM
PS3.16, TID 1501 (112039 Tracking Identifier, 112040 Tracking Unique Identifier, Finding Site).
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from response.findings import Finding, Severity
from response.lesion_map import LesionMap, MapEntry
from response.lesion_names import is_generic, is_tool_name, name_lesions, own_name
from response.observations import Observation
from response.vocabulary import folded, known_organ

_COMPARED: Final = ("longest_mm", "short_mm", "area_mm2", "volume_mm3", "attenuation_hu")
_SIDES: Final = frozenset({"left", "right"})

BY_MAP: Final = "the map of lesions"
BY_UID: Final = "tracking UID"
BY_SEGMENT: Final = "the segment that the report refers to"
BY_IDENTIFIER: Final = "tracking identifier"
BY_LABEL: Final = "label"
BY_SITE: Final = "finding site"
BY_NUMBER: Final = "number, for all studies have the same"

Visit = tuple[str, str]  # study and timepoint: one report may tell of several timepoints


@dataclass(frozen=True, kw_only=True)
class Identified:
    """Which lesion each observation is.

    Attributes
    ----------
    lesions
        Per observation: id of its lesion, stable within the subject.
    entries
        Per observation: the line of the map that fits it, or None.
    findings
        How each lesion was matched, and what is ambiguous.
    """

    lesions: Sequence[str]
    entries: Sequence[MapEntry | None]
    findings: Sequence[Finding]


def identify(observations: Sequence[Observation], lesion_map: LesionMap | None = None) -> Identified:
    """Match lesions over the studies of each subject.

    Parameters
    ----------
    observations
        With subject and timepoint (`study_visits.place_visits`), in the order of time.
    lesion_map
        What the user says.
    """
    findings: list[Finding] = []
    entries = _entries(observations, lesion_map, findings)
    by_subject: dict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(observations):
        by_subject[item.subject].append(place)
    lesions = [""] * len(observations)
    for places in by_subject.values():
        matching = _Matching([observations[place] for place in places], [entries[place] for place in places])
        for place, name in zip(places, matching.names(), strict=True):
            lesions[place] = name
        findings += matching.findings
    return Identified(lesions=lesions, entries=entries, findings=findings)


def _entries(
    observations: Sequence[Observation], lesion_map: LesionMap | None, findings: list[Finding]
) -> list[MapEntry | None]:
    """Return the line of the map that fits each observation; tell lines that fit none, or contradict each other."""
    if lesion_map is None:
        return [None] * len(observations)
    findings += lesion_map.findings
    used: set[int] = set()
    found: list[MapEntry | None] = []
    for item in observations:
        fitting = [entry for entry in lesion_map.entries if entry.fits(item)]
        used |= {entry.line for entry in fitting}
        names = dict.fromkeys(entry.lesion for entry in fitting)
        if len(names) > 1:
            sentence = f"The map gives one structure several names ({', '.join(names)}); none was taken."
            findings.append(_finding("lesion_map_conflict", "error", item, sentence, found=", ".join(names)))
        found.append(_merged(fitting) if len(names) == 1 else None)
    for entry in lesion_map.entries:
        if entry.line not in used:
            findings.append(
                Finding(
                    id="lesion_map_unused",
                    severity="warning",
                    subject=entry.subject,
                    lesion=entry.lesion,
                    sentence=f"Line {entry.line} of the map fits no structure.",
                    remedy="Correct its keys: all that are not blank must fit.",
                    file=lesion_map.file,
                    line=entry.line,
                )
            )
    return found


def _merged(entries: Sequence[MapEntry]) -> MapEntry:
    """Return what several lines of one lesion say together; the first that says something counts."""
    said = {
        name: next((getattr(entry, name) for entry in entries if getattr(entry, name)), "")
        for name in ("role", "organ", "nodal", "state")
    }
    return MapEntry(lesion=entries[0].lesion, line=entries[0].line, **said)


class _Matching:
    """The observations of one subject while they are joined to lesions."""

    def __init__(self, items: Sequence[Observation], entries: Sequence[MapEntry | None]) -> None:
        self.items = items
        self.mapped = [entry.lesion if entry else "" for entry in entries]
        self.lesion = list(range(len(items)))  # number of the lesion of each observation
        self.members = {lesion: [lesion] for lesion in self.lesion}
        self.how: dict[int, list[str]] = defaultdict(list)
        self.findings: list[Finding] = []
        self._by_map()
        self._by_uid()
        self._by_segment()
        self._by_identifier()
        self._by_number()

    def names(self) -> list[str]:
        """Return the id of the lesion of each observation, and tell how it was matched."""
        names = name_lesions(self.items, self.lesion, self.mapped)
        for lesion, members in self.members.items():
            visits, how = self._visits(members[0]), self.how[lesion]
            if len(visits) > 1 and how:
                sentence = f"{names[members[0]]} is one lesion in {len(visits)} studies, by {', '.join(how)}."
                told = _finding("lesion_matched", "info", self.items[members[0]], sentence, found=", ".join(how))
                self.findings.append(_about(told, names[members[0]]))
        return names

    # --- the five ways

    def _by_map(self) -> None:
        for members in self._together(range(len(self.items)), lambda place: self.mapped[place]):
            self._join(members, BY_MAP)

    def _by_uid(self) -> None:
        for members in self._together(range(len(self.items)), lambda place: self.items[place].name.tracking_uid):
            twice = self._twice(members)
            if twice:
                self._tell_twice(twice)
            elif self._may_share(members):
                self._join(members, BY_UID)

    def _twice(self, members: Sequence[int]) -> list[int]:
        """Return observations of one file that have one UID and yet are different lesions."""
        for same in self._together(members, lambda place: (self.items[place].file, _slot(self.items[place]))):
            if not _may_be_one(self._items(same)):
                return same
        return []

    def _by_segment(self) -> None:
        reports = [place for place, item in enumerate(self.items) if item.cells.get("segmentation_uid")]
        masks = {
            (item.cells["source"], item.name.number): place
            for place, item in enumerate(self.items)
            if item.kind == "mask" and item.cells.get("source")
        }
        for place in reports:
            mask = masks.get((self.items[place].cells["segmentation_uid"], self.items[place].name.number))
            if mask is not None and self._may_join([place, mask]):
                self._join([place, mask], BY_SEGMENT)

    def _by_identifier(self) -> None:
        for members in self._together(range(len(self.items)), lambda place: _identifier(self.items[place])):
            self._join_copies(members)
            if len(self._lesions(members)) < 2:
                continue
            named = all(map(own_name, self._items(members)))
            if named and self._may_join(members) and not self._contradict(members):
                self._join(members, self._how(members))
            else:
                self._by_site(members)

    def _join_copies(self, members: Sequence[int]) -> None:
        """Join what two reports of one study say of one identifier in the same words."""
        for same in self._together(members, lambda place: _slot(self.items[place])):
            items = self._items(same)
            common = [name for name in _COMPARED if all(name in item.cells for item in items)]
            several = len({item.file for item in items}) == len(items) > 1
            if several and common and own_name(items[0]) and _may_be_one(items) and self._may_share(same):
                self._join(same, self._how(same))

    def _how(self, places: Sequence[int]) -> str:
        """Return in words by what observations of one identifier are joined."""
        items = self._items(places)
        name = BY_IDENTIFIER if any(item.name.tracking_id for item in items) else BY_LABEL
        return f"{name} and {BY_SITE}" if all(map(_site, items)) else name

    def _by_site(self, members: Sequence[int]) -> None:
        """Join observations of one identifier that stands for several lesions, where sites tell them apart."""
        for same in self._together(members, lambda place: _site(self.items[place])):
            if len(self._lesions(same)) > 1 and self._may_join(same):
                self._join(same, self._how(same))
                sentence = "Several lesions have one identifier, so this one was matched by its finding site too."
                remedy = "Make sure that it is one lesion; if it is not, say in a map of lesions which is which."
                told = _finding("lesion_matched_by_site", "warning", self.items[same[0]], sentence, remedy=remedy)
                self.findings.append(_about(told, self.items[same[0]].name.tracking_id))

    def _by_number(self) -> None:
        """Join segments without names by number, where the subject has the same numbers in every study."""
        unnamed = [place for place, item in enumerate(self.items) if not own_name(item) and _number(item)]
        alone = [place for place in unnamed if len(self._visits(place)) == 1]
        sources = self._together(alone, lambda place: _slot(self.items[place]))
        numbers = [sorted(_number(self.items[place]) for place in source) for source in sources]
        if any(own != numbers[0] or len(set(own)) != len(own) for own in numbers):
            return
        for same in self._together(alone, lambda place: _number(self.items[place])):
            if self._may_join(same) and not self._contradict(same):
                self._join(same, BY_NUMBER)

    # --- joining

    def _together(self, places: Iterable[int], key: Callable[[int], Hashable]) -> list[list[int]]:
        """Return the places that have one key, in their order; those whose key is empty are left out."""
        found: dict[Hashable, list[int]] = defaultdict(list)
        for place in places:
            value = key(place)
            if value or isinstance(value, int):
                found[value].append(place)
        return list(found.values())

    def _visits(self, place: int) -> set[Visit]:
        return {_visit(self.items[other]) for other in self.members[self.lesion[place]]}

    def _lesions(self, places: Iterable[int]) -> set[int]:
        return {self.lesion[place] for place in places}

    def _join(self, places: Sequence[int], how: str) -> None:
        lesions = self._lesions(places)
        if len(lesions) < 2:
            return
        first = min(lesions)
        self.how[first] = list(dict.fromkeys([*(own for lesion in sorted(lesions) for own in self.how[lesion]), how]))
        self.members[first] = sorted(place for lesion in lesions for place in self.members[lesion])
        for lesion in lesions - {first}:
            del self.members[lesion]
        for place in self.members[first]:
            self.lesion[place] = first

    def _may_join(self, places: Iterable[int]) -> bool:
        """Return whether lesions can be one: never two of them in one study, and no two names in the map."""
        lesions = self._lesions(places)
        slots: list[tuple[Visit, str, str]] = []
        mapped: set[str] = set()
        for lesion in lesions:
            own = self.members[lesion]
            slots += {_slot(self.items[place]) for place in own}
            mapped |= {self.mapped[place] for place in own} - {""}
        return len(slots) == len(set(slots)) and len(mapped) < 2

    def _may_share(self, places: Iterable[int]) -> bool:
        return len({self.mapped[place] for place in places} - {""}) < 2

    def _contradict(self, places: Sequence[int]) -> bool:
        """Return whether sites say that these are different lesions, and tell it."""
        organs = {known_organ(item.name.site, item.name.site_code) for item in self._items(places)} - {""}
        sides = {_side(item) for item in self._items(places)} - {""}
        if len(organs) < 2 and len(sides) < 2:
            return False
        found = ", ".join(sorted(organs if len(organs) > 1 else sides))
        sentence = f"One identifier stands at different sites ({found}); these were taken for different lesions."
        told = _finding("lesion_site_differs", "warning", self.items[places[0]], sentence, found=found)
        self.findings.append(_about(told, _identifier(self.items[places[0]])))
        return True

    def _items(self, places: Iterable[int]) -> list[Observation]:
        return [self.items[place] for place in places]

    def _tell_twice(self, places: Sequence[int]) -> None:
        names = ", ".join(_identifier(item) or str(item.name.number) for item in self._items(places))
        sentence = f"One tracking UID stands for {len(places)} lesions of a study ({names}); it was not used to match."
        remedy = "Correct the UIDs, or say in a map of lesions which is which."
        first = self.items[places[0]]
        self.findings.append(
            _finding("tracking_uid_used_twice", "error", first, sentence, found=first.name.tracking_uid, remedy=remedy)
        )


def _identifier(item: Observation) -> str:
    """Return by which name an observation can be matched: its own, else that of the tool, which needs a site too."""
    tool = item.name.tracking_id if is_tool_name(item.name.tracking_id) else ""
    return folded(own_name(item)) or (folded(tool) if not item.name.label else "")


def _number(item: Observation) -> str:
    """Return the number that stands for a name: written in it, or of the segment."""
    name = item.name
    written = next((text for text in (name.tracking_id, name.label) if is_generic(text) and text), "")
    return folded(written) or (str(name.number) if item.kind == "mask" else "")


def _visit(item: Observation) -> Visit:
    return item.study, item.timepoint


def _slot(item: Observation) -> tuple[Visit, str, str]:
    """Return the place that one lesion has only once."""
    return _visit(item), item.kind, item.observer if item.kind == "report" else ""


def _side(item: Observation) -> str:
    words = set(folded(f"{item.name.site} {item.cells.get('location', '')}").split()) & _SIDES
    return words.pop() if len(words) == 1 else ""


def _site(item: Observation) -> str:
    site = folded(item.name.site) or item.name.site_code
    return f"{site} {_side(item)}".strip() if site else ""


def _may_be_one(parts: Sequence[Observation]) -> bool:
    """Return whether parts of one file may tell of one lesion: nothing in them differs."""
    if parts[0].kind == "mask":
        return len(parts) == 1
    if len({_site(part) for part in parts} - {""}) > 1:
        return False
    return all(len({float(part.cells[name]) for part in parts if name in part.cells}) < 2 for name in _COMPARED)


def _finding(
    kind: str, severity: Severity, item: Observation, sentence: str, *, found: str = "", remedy: str = "None needed."
) -> Finding:
    return Finding(
        id=kind,
        severity=severity,
        subject=item.subject,
        timepoint=item.timepoint,
        found=found,
        sentence=sentence,
        remedy=remedy,
        file=item.file,
    )


def _about(finding: Finding, lesion: str) -> Finding:
    return replace(finding, lesion=lesion)
