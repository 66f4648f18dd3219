"""What lesion a measurement group is about: tracking, finding, site, side, role, label, time point and observer.

Source: DICOM PS3.16, TID 1410, 1411 and 1501 (measurement groups), 1502 (time points), 1003 (observers), CID 6145.
"""

from collections.abc import Iterator
from typing import Final

from response.imaging.lesion_mask import StructureName
from response.io.dicom_values import plain_text
from response.io.sr_codes import (
    BASELINE_TYPE,
    COMMENT,
    DEVICE_NAMES,
    EPAD_ROLES,
    FINDING,
    FINDING_CATEGORY,
    FINDING_SITE,
    FREE_TEXT_VALUES,
    LATERALITY,
    MEASUREMENT_GROUP,
    NO_LESION,
    PERSON_NAME,
    TIME_POINT_TYPE,
    TIME_POINTS,
    TRACKING_IDENTIFIER,
    TRACKING_UID,
)
from response.io.sr_content import ContentItem, sequence
from response.lesion_names import is_tool_name
from response.vocabulary import LATERALITY_CODES, LYMPH_NODE, ROLE_CODES, Role, organ_of_code, text_of

_TRACKING: Final = TRACKING_IDENTIFIER | TRACKING_UID
_ROLES: Final = {**ROLE_CODES, **EPAD_ROLES}
_NOBODY: Final = frozenset({"unknown", "anonymous", "anon", "none", ""})  # what writers put where a name must stand


def is_group(item: ContentItem) -> bool:
    """Return whether an item is a measurement group: by its code, or a container that is tracked as a lesion."""
    if item.code in MEASUREMENT_GROUP:
        return True
    return item.value_type == "CONTAINER" and bool(item.own(_TRACKING))


def groups_below(root: ContentItem) -> Iterator[tuple[ContentItem, ContentItem | None]]:
    """Yield all measurement groups, and for a nested one the group that it stands in."""
    waiting: list[tuple[ContentItem, ContentItem | None]] = [(root, None)]
    while waiting:
        item, outer = waiting.pop()
        own = is_group(item)
        if own:
            yield item, outer
        waiting += [(child, item if own else outer) for child in reversed(item.children)]


def time_point_in(item: ContentItem) -> str:
    """Return the label of the time point that an item is in, as far as it says so itself; else empty."""
    for codes in TIME_POINTS:
        for place in item.nearest(codes, is_group):
            values = sequence(place.dataset, "MeasuredValueSequence")[:1]
            said = place.words or "".join(plain_text(value, "NumericValue") for value in values)
            if said:
                return said
    return ""


def is_baseline(item: ContentItem) -> bool:
    """Return whether an item says that its time point is the baseline."""
    return any(place.value_code == BASELINE_TYPE for place in item.nearest(TIME_POINT_TYPE, is_group))


def observer_in(item: ContentItem) -> str:
    """Return who made the measurements of an item, a person before a device; empty where nobody is named."""
    for codes in (PERSON_NAME, *DEVICE_NAMES):
        for place in item.nearest(codes, is_group):
            if set(place.words.casefold().split("^")) - _NOBODY:
                return place.words
    return ""


class NamedGroup:
    """What a group says of its lesion; what a nested one does not say, the group around it says.

    Attributes
    ----------
    name
        Identity, finding, site and role; no segment number, for that is a reference.
    roles
        All roles that are coded; more than one is a contradiction, and the name has none then.
    """

    def __init__(self, item: ContentItem, outer: ContentItem | None) -> None:
        self.places = (item,) if outer is None else (item, outer)
        self.roles = self._roles()
        self.sites = [place for place in self._all(FINDING_SITE) if not _is_free_text(place)]
        self.name = self._name()

    @property
    def timepoint(self) -> str:
        """Label of the time point; empty where the group has none."""
        return next(filter(None, map(time_point_in, self.places)), "")

    @property
    def is_baseline(self) -> bool:
        """Whether its time point is coded as the baseline."""
        return any(map(is_baseline, self.places))

    @property
    def observer(self) -> str:
        """Who measured; empty where the group does not say."""
        return next(filter(None, map(observer_in, self.places)), "")

    @property
    def location(self) -> str:
        """The side, then what stands nested under the site, then further sites."""
        sides = [side for place in (*self.sites, *self.places) for side in place.own(LATERALITY)]
        texts = [LATERALITY_CODES.get(side.value_code, side.value_meaning) for side in sides[:1]]
        for site in self.sites[:1]:
            below = [place for place in site.below() if place.value_type == "CODE" and place.code not in LATERALITY]
            texts += [place.value_meaning for place in below]
            texts += [other.value_meaning for other in self.sites[1:] if other.value_code != site.value_code]
        return ", ".join(dict.fromkeys(text for text in texts if text))

    def _name(self) -> StructureName:
        tracking_id, tracking_uid = self._words(TRACKING_IDENTIFIER), self._words(TRACKING_UID)
        kinds = [place for place in self._all(FINDING) if not _is_free_text(place)]
        categories = self._all(FINDING_CATEGORY)
        kind, category, site = (_first(found) for found in (kinds, categories, self.sites))
        role = text_of(next(iter(self.roles))) if len(self.roles) == 1 else ""
        return StructureName(
            label=self._label(tracking_id),
            tracking_id=tracking_id,
            tracking_uid=tracking_uid,
            site=site[0],
            site_code=site[1],
            category=category[0],
            kind=kind[0],
            kind_code=kind[1],
            is_organ=not role and _is_organ(category[1], kind[1]),
            role=role,
        )

    def _all(self, codes: frozenset[str]) -> list[ContentItem]:
        """Return the items with one of the codes, those nearest to the group first, of the group itself if any."""
        return next(filter(None, (place.nearest(codes, is_group) for place in self.places)), [])

    def _words(self, codes: frozenset[str]) -> str:
        return next((place.words for place in self._all(codes) if place.words), "")

    def _label(self, tracking_id: str) -> str:
        """Return the label that somebody typed: OHIF puts it in the place of a finding or a site, or in a comment."""
        typed = [place for place in (*self._all(FINDING), *self._all(FINDING_SITE)) if _is_free_text(place)]
        if typed:
            return typed[0].value_meaning
        return self._words(COMMENT) if is_tool_name(tracking_id) else ""

    def _roles(self) -> set[Role]:
        for place in self.places:
            coded = [item.value_code for item in place.below(is_group) if item.value_type == "CODE"]
            found = {_ROLES[code] for code in coded if code in _ROLES}
            if found:
                return found
        return set()


def _first(found: list[ContentItem]) -> tuple[str, str]:
    """Return meaning and code of the first of some CODE items; empty texts where there is none."""
    return (found[0].value_meaning, found[0].value_code) if found else ("", "")


def _is_free_text(place: ContentItem) -> bool:
    return place.value_code.partition("^")[0] in FREE_TEXT_VALUES


def _is_organ(category: str, kind: str) -> bool:
    organ = organ_of_code(kind)
    if organ == LYMPH_NODE:  # often coded as an anatomical structure; what is measured of it is a lesion
        return False
    return bool({category, kind} & NO_LESION) or (not category and bool(organ))
