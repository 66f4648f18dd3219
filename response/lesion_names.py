"""Names of lesions: which names of the sources name a lesion at all, and one stable id for each lesion of a subject."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Final

from response.observations import Observation
from response.vocabulary import folded

_TOOL: Final = re.compile(r"[\w.-]+@[\^~]?[\w.-]+:(\w+)")  # OHIF, by way of dcmjs: "cornerstoneTools@^4.0.0:Length"
_GENERIC: Final = re.compile(
    r"((measurements? group|measurement|segment|segmentation|seg|label|roi|region|mask|object|structure) ?)?[0-9 ]*"
)


def is_tool_name(tracking_id: str) -> bool:
    """Return whether a tracking identifier names the tool of a viewer, which is the same for every lesion."""
    return bool(_TOOL.fullmatch(tracking_id))


def is_generic(name: str) -> bool:
    """Return whether a program numbered its structures with such a name ("Segment_1"), so that it names no lesion."""
    return bool(_GENERIC.fullmatch(folded(name)))


def own_name(item: Observation) -> str:
    """Return what the source calls a lesion; empty where it has no name of its own."""
    tracking_id, label = item.name.tracking_id, item.name.label
    if tracking_id.isdecimal():  # to number lesions is to name them, where the number is one of tracking
        return tracking_id
    return next((name for name in (tracking_id, label) if not is_tool_name(name) and not is_generic(name)), "")


def name_lesions(items: Sequence[Observation], lesions: Sequence[int], mapped: Sequence[str]) -> list[str]:
    """Return the id of the lesion of each observation of one subject.

    It is the name in the map, else what the source calls the lesion; with the site, and then a number, where several
    lesions would have one.

    Parameters
    ----------
    items
        In the order of time, which decides about the numbers.
    lesions
        Number of the lesion of each observation.
    mapped
        Name in the map of each observation, or empty.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for place, lesion in enumerate(lesions):
        members[lesion].append(place)
    fixed = {lesion: next((mapped[place] for place in own if mapped[place]), "") for lesion, own in members.items()}
    bases = {lesion: fixed[lesion] or _base([items[place] for place in own]) for lesion, own in members.items()}
    shared = Counter(folded(base) for base in bases.values())
    for lesion, own in members.items():
        if not fixed[lesion] and shared[folded(bases[lesion])] > 1:
            bases[lesion] = _with_site(bases[lesion], [items[place] for place in own])
    names = _numbered(bases, fixed)
    return [names[lesion] for lesion in lesions]


def _numbered(bases: Mapping[int, str], fixed: Mapping[int, str]) -> dict[int, str]:
    """Return names that differ, by a number behind those that several lesions have."""
    shared = Counter(folded(base) for base in bases.values())
    names = {lesion: name for lesion, name in fixed.items() if name}
    used = {folded(name) for name in names.values()}
    for lesion, base in bases.items():
        if lesion not in names and shared[folded(base)] == 1:
            names[lesion] = base
            used.add(folded(base))
    for lesion, base in bases.items():
        if lesion not in names:
            names[lesion] = next(name for number in count(1) if folded(name := f"{base} {number}") not in used)
            used.add(folded(names[lesion]))
    return names


def _base(own: Sequence[Observation]) -> str:
    first = own[0].name
    named = next(filter(None, map(own_name, own)), "")
    if named:
        return named
    tool = _TOOL.fullmatch(first.tracking_id)
    number = str(first.number) if first.number else ""
    generic = first.label or ("" if tool else first.tracking_id) or number
    site = first.site or first.kind
    return generic or site or (tool[1] if tool else "lesion")


def _with_site(base: str, own: Sequence[Observation]) -> str:
    site = next((item.name.site for item in own if item.name.site), "")
    return f"{base} {site}" if site and folded(site) not in folded(base) else base
