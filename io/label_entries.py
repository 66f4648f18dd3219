"""One label of a label table, before it is a name."""

import re
from dataclasses import dataclass, replace
from typing import Final

from response.imaging.lesion_mask import StructureName
from response.io.structure_names import NOTHING, Concept, structure_name
from response.vocabulary import Role, folded, members_by_text

LARGEST_VALUE: Final = (1 << 31) - 1
_WHOLE: Final = re.compile(r"(\d+)(?:\.0*)?")  # spreadsheets write 1.0
_ORGAN_KINDS: Final = frozenset({"organ", "anatomy", "anatomical", "normal", "background"})
_LESION_KINDS: Final = frozenset({"lesion", "tumor", "tumour", "metastasis", "node", "mass", "target"})


@dataclass(frozen=True)
class Entry:
    """Texts of one label.

    Attributes
    ----------
    value
        Label value.
    name
        Its name.
    role
        Target, non-target, new.
    site
        Organ, or where it lies.
    lesion
        Id of the lesion over time.
    kind
        Whether it is an organ or a lesion.
    category, property_type, region
        Coded, where they are.
    uid
        Tracking unique identifier.
    """

    value: str
    name: str = ""
    role: str = ""
    site: str = ""
    lesion: str = ""
    kind: str = ""
    category: Concept = NOTHING
    property_type: Concept = NOTHING
    region: Concept = NOTHING
    uid: str = ""

    def fault(self) -> str:
        """Return what is wrong with it, or an empty text."""
        found = _WHOLE.fullmatch(self.value.strip())
        if not found or int(found[1]) > LARGEST_VALUE:
            return f"'{self.value[:40]}' is no label value"
        if self.role and folded(self.role) not in members_by_text(Role):
            return f"'{self.role[:40]}' is no role (target, non_target, new)"
        return ""

    @property
    def number(self) -> int:
        """Return the label value of an entry without fault."""
        return int(self.value.strip().partition(".")[0])


def name_of_entry(entry: Entry) -> StructureName:
    """Return what an entry says, with what follows from its name; what it says itself wins."""
    name = structure_name(
        number=entry.number,
        label=entry.name or entry.lesion,
        category=entry.category,
        kind=entry.property_type,
        region=entry.region if entry.region != NOTHING else Concept("", entry.site),
        tracking_id=entry.lesion,
        tracking_uid=entry.uid,
    )
    kind, role = folded(entry.kind), members_by_text(Role).get(folded(entry.role), Role.NONE)
    if role != Role.NONE:
        return replace(name, is_organ=False, role=role.name.lower())
    if kind in _ORGAN_KINDS:
        return replace(name, is_organ=True, role="")
    lesion = kind in _LESION_KINDS or bool(entry.lesion)
    return replace(name, is_organ=name.is_organ and not lesion)
