"""The content tree of a DICOM SR document: items by code, whatever their place, relationship or text.

Source: DICOM PS3.3, C.17.3 (SR document content module); PS3.3, C.18 (content item macros); PS3.16 (codes).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, TypeAlias

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from response.io.dicom_values import DAMAGED, plain_text
from response.io.sr_quick_codes import quick_code
from response.vocabulary import coded

DEEPEST: Final = 64  # levels; templates nest to about 10
LARGEST: Final = 200_000  # content items; a report of 1000 lesions has about 30,000

_SEQUENCES: Final[Mapping[str, BaseTag]] = {
    keyword: Tag(keyword)
    for keyword in (
        *("ConceptNameCodeSequence", "ConceptCodeSequence", "ContentSequence", "MeasuredValueSequence"),
        *("MeasurementUnitsCodeSequence", "NumericValueQualifierCodeSequence", "ReferencedSOPSequence"),
    )
}
_REFERENCE: Final = Tag("ReferencedContentItemIdentifier")
_CODE_VALUES: Final = ("CodeValue", "LongCodeValue", "URNCodeValue")
_HELD: Final[Mapping[str, str]] = {
    "MeasuredValueSequence": "NUM",
    "ConceptCodeSequence": "CODE",
    "TextValue": "TEXT",
    "UID": "UIDREF",
    "GraphicData": "SCOORD",
    "ReferencedSOPSequence": "IMAGE",
    "ContentSequence": "CONTAINER",
}


class ContentItem:
    """One content item; its values are read from the dataset when they are asked for.

    Attributes
    ----------
    dataset
        The item as it stands.
    code
        Its concept name as `value^SCHEME`; empty where it has none.
    value_type
        CONTAINER, NUM, CODE, TEXT, IMAGE, SCOORD ...; where it is missing, by what the item holds, or empty.
    children
        In the order of the document.
    """

    __slots__ = ("_concept", "_value", "children", "code", "dataset", "value_type")

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._concept = read_code(dataset, "ConceptNameCodeSequence")
        self._value: tuple[str, str] | None = None
        self.code = self._concept[0]
        self.value_type = plain_text(dataset, "ValueType") or _by_what_it_holds(dataset)
        self.children: list[ContentItem] = []

    @property
    def meaning(self) -> str:
        """Text of the concept name, else its code."""
        return self._concept[1] or self.code

    @property
    def value_code(self) -> str:
        """Value of a CODE item as `value^SCHEME`; empty where there is none."""
        return self._concept_value[0]

    @property
    def value_meaning(self) -> str:
        """Value of a CODE item as text, else its code."""
        return self._concept_value[1] or self.value_code

    @property
    def _concept_value(self) -> tuple[str, str]:
        if self._value is None:
            self._value = read_code(self.dataset, "ConceptCodeSequence")
        return self._value

    @property
    def words(self) -> str:
        """Value of a TEXT, UIDREF, PNAME, DATE or CODE item as text; empty where there is none."""
        for keyword in ("TextValue", "UID", "PersonName", "Date", "DateTime"):
            found = plain_text(self.dataset, keyword)
            if found:
                return found
        return self.value_meaning

    def below(self, stop: "Stop | None" = None) -> Iterator["ContentItem"]:
        """Yield all items below this one, parents first, but neither those where `stop` holds nor what is in them."""
        waiting = self.children[::-1]
        while waiting:
            item = waiting.pop()
            if stop is not None and stop(item):
                continue
            yield item
            waiting += item.children[::-1]

    def nearest(self, codes: Collection[str], stop: "Stop | None" = None) -> list["ContentItem"]:
        """Return the items below this one with one of the codes, the least deep first, then as they stand."""
        found: list[ContentItem] = []
        level = self.children
        while level:
            level = [item for item in level if stop is None or not stop(item)]
            found += [item for item in level if item.code in codes]
            level = [child for item in level for child in item.children]
        return found

    def own(self, codes: Collection[str]) -> list["ContentItem"]:
        """Return the children with one of the codes."""
        return [item for item in self.children if item.code in codes]


Stop: TypeAlias = Callable[[ContentItem], bool]


class ContentTree:
    """The content of one document.

    Attributes
    ----------
    root
        Its root container.
    is_cut
        Whether it was larger or deeper than `LARGEST` and `DEEPEST`, and the rest was left out.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.root = ContentItem(dataset)
        self.is_cut = False
        self._read()

    def _read(self) -> None:
        waiting, count = [(self.root, 1)], 1
        while waiting:
            item, depth = waiting.pop()
            found = sequence(item.dataset, "ContentSequence")
            if found and (depth >= DEEPEST or count + len(found) > LARGEST):
                self.is_cut = True
                continue
            count += len(found)
            item.children = [ContentItem(child) for child in found]
            waiting += [(child, depth + 1) for child in item.children]

    def referred(self, item: ContentItem) -> ContentItem:
        """Return the item that a by-reference relationship names (PS3.3, C.17.3.2.5); itself where it is none.

        What is referred to is not followed further, so that references in a circle end.
        """
        place = _places(item.dataset)
        if not place:
            return item
        found = self.root
        for number in place[1:]:
            if not 1 <= number <= len(found.children):
                return item
            found = found.children[number - 1]
        return found


def sequence(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence, without asking pydicom for one that is not there: most are not."""
    tag = _SEQUENCES[keyword]
    if tag not in dataset._dict:
        return []
    try:
        value = dataset[tag].value
        return list(value) if isinstance(value, Sequence) else []
    except DAMAGED:
        return []


def _by_what_it_holds(dataset: Dataset) -> str:
    return next((kind for keyword, kind in _HELD.items() if keyword in dataset), "")


def read_code(dataset: Dataset, keyword: str) -> tuple[str, str]:
    """Return the first code of a sequence as `value^SCHEME`, and its meaning; empty texts where there is none."""
    raw = dataset._dict.get(_SEQUENCES[keyword])
    if raw is None:
        return "", ""
    quick = quick_code(raw) if isinstance(raw, RawDataElement) else None
    if quick is not None:
        return coded(quick[0], quick[1]), quick[2]
    found = sequence(dataset, keyword)
    if not found:
        return "", ""
    value = next(filter(None, (plain_text(found[0], name) for name in _CODE_VALUES)), "")
    code = coded(value, plain_text(found[0], "CodingSchemeDesignator")) if value else ""
    return code, plain_text(found[0], "CodeMeaning")


def _places(dataset: Dataset) -> list[int]:
    if _REFERENCE not in dataset._dict:
        return []
    try:
        value = dataset[_REFERENCE].value
        return [int(place) for place in value] if not isinstance(value, int) else []
    except DAMAGED:
        return []
