"""Items of long DICOM sequences, read from their bytes where pydicom has left them unparsed, which is ten times faster.

A segmentation has an item per frame, and of each only a position and a number are needed; a structure set has an item
per contour.
Source: DICOM PS3.5, sections 7.1 (elements), 7.5 (sequences) and 6.2 (value representations).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from response.io.dicom_values import items, numbers, text

_KEYWORDS: Final = {  # tag, and VR for files that do not write it
    "SharedFunctionalGroupsSequence": (0x52009229, "SQ"),
    "PerFrameFunctionalGroupsSequence": (0x52009230, "SQ"),
    "ReferencedSeriesSequence": (0x00081115, "SQ"),
    "ReferencedInstanceSequence": (0x0008114A, "SQ"),
    "SeriesInstanceUID": (0x0020000E, "UI"),
    "PlanePositionSequence": (0x00209113, "SQ"),
    "PlaneOrientationSequence": (0x00209116, "SQ"),
    "PixelMeasuresSequence": (0x00289110, "SQ"),
    "SegmentIdentificationSequence": (0x0062000A, "SQ"),
    "DerivationImageSequence": (0x00089124, "SQ"),
    "SourceImageSequence": (0x00082112, "SQ"),
    "ImagePositionPatient": (0x00200032, "DS"),
    "ImageOrientationPatient": (0x00200037, "DS"),
    "PixelSpacing": (0x00280030, "DS"),
    "SpacingBetweenSlices": (0x00180088, "DS"),
    "ReferencedSegmentNumber": (0x0062000B, "US"),
    "ReferencedSOPInstanceUID": (0x00081155, "UI"),
    "ReferencedFrameNumber": (0x00081160, "IS"),
    "ROIContourSequence": (0x30060039, "SQ"),
    "ContourSequence": (0x30060040, "SQ"),
    "ContourGeometricType": (0x30060042, "CS"),
    "ContourData": (0x30060050, "DS"),
    "ReferencedROINumber": (0x30060084, "IS"),
}
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED: Final = 0xFFFFFFFF
_BINARY: Final = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_LONG: Final = frozenset(vr.encode() for vr in EXPLICIT_VR_LENGTH_32)


class Group(Protocol):
    """An item of a sequence, or a dataset; values that are missing or damaged are "nothing"."""

    def items(self, keyword: str) -> "Sequence[Group]":
        """Return the items of a sequence in it."""
        ...

    def has(self, keyword: str) -> bool:
        """Return whether an element is there."""
        ...

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Return the values of an element as numbers."""
        ...

    def text(self, keyword: str) -> str:
        """Return a value as text."""
        ...


@dataclass(frozen=True, slots=True)
class ParsedGroup:
    """A dataset that pydicom has parsed."""

    dataset: Dataset

    def items(self, keyword: str) -> Sequence[Group]:
        """Return the items of a sequence in it."""
        return [ParsedGroup(item) for item in items(self.dataset, keyword)]

    def has(self, keyword: str) -> bool:
        """Return whether an element is there."""
        return keyword in self.dataset

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Return the values of an element as numbers."""
        return numbers(self.dataset, keyword)

    def text(self, keyword: str) -> str:
        """Return a value as text."""
        return text(self.dataset, keyword)


def sequence_groups(dataset: Dataset, keyword: str) -> Sequence[Group]:
    """Return the items of a top-level sequence, unparsed where they are.

    Raises
    ------
    struct.error
        If the bytes are no sequence.
    """
    raw = dataset.get_item(_KEYWORDS[keyword][0])
    if not isinstance(raw, RawDataElement) or not isinstance(raw.value, bytes) or raw.VR == "UN":
        return ParsedGroup(dataset).items(keyword)
    reader = _Reader(raw.value, raw.is_implicit_VR, "<" if raw.is_little_endian else ">")
    return reader.items(0, len(raw.value))


class _Reader:
    """Walks through the elements in some bytes."""

    def __init__(self, data: bytes, implicit: bool, order: str) -> None:
        self.data, self.implicit, self.order = data, implicit, order
        self._tag = struct.Struct(f"{order}HH").unpack_from
        self._short = struct.Struct(f"{order}H").unpack_from
        self._long = struct.Struct(f"{order}I").unpack_from

    def items(self, start: int, end: int) -> "list[RawGroup]":
        """Return the items of a sequence between two places; the second may be that of its delimiter."""
        found = []
        while start + 8 <= end:
            tag, _, begin, stop, start = self._element(start, end)
            if tag == _SEQUENCE_END:
                break
            if tag != _ITEM:
                raise struct.error("no item")
            found.append(RawGroup(self, begin, stop))
        return found

    def elements(self, start: int, end: int) -> dict[int, tuple[bytes, int, int]]:
        """Return VR, start and end of the value of each element between two places."""
        found = {}
        while start + 8 <= end:
            tag, vr, begin, stop, start = self._element(start, end)
            if tag == _ITEM_END:
                break
            found[tag] = (vr, begin, stop)
        return found

    def _element(self, start: int, end: int) -> tuple[int, bytes, int, int, int]:
        """Return tag and VR of the element at a place, start and end of its value, and where the next one stands."""
        group, element = self._tag(self.data, start)
        tag, vr, begin = group << 16 | element, b"", start + 8
        if group == 0xFFFE or self.implicit:
            length = self._long(self.data, start + 4)[0]
        else:
            vr = self.data[start + 4 : start + 6]
            if vr in _LONG:
                length, begin = self._long(self.data, start + 8)[0], start + 12
            else:
                length = self._short(self.data, start + 6)[0]
        if length == _UNDEFINED:
            stop, after = self._end(begin, end, _ITEM_END if tag == _ITEM else _SEQUENCE_END)
            return tag, vr, begin, stop, after
        if begin + length > end:
            raise struct.error("an element beyond its item")
        return tag, vr, begin, begin + length, begin + length

    def _end(self, start: int, end: int, delimiter: int) -> tuple[int, int]:
        """Return where the delimiter of an item or a sequence without length stands, and where it ends."""
        while start + 8 <= end:
            tag, _, _, _, after = self._element(start, end)
            if tag == delimiter:
                return start, after
            start = after
        raise struct.error("no delimiter")


class RawGroup:
    """An item that is still bytes."""

    __slots__ = ("_elements", "_end", "_reader", "_start")

    def __init__(self, reader: _Reader, start: int, end: int) -> None:
        self._reader, self._start, self._end = reader, start, end
        self._elements: dict[int, tuple[bytes, int, int]] | None = None

    def _place(self, tag: int) -> tuple[bytes, int, int]:
        """Return VR, start and end of the value of an element; all nothing where it is missing."""
        if self._elements is None:
            self._elements = self._reader.elements(self._start, self._end)
        return self._elements.get(tag, (b"", 0, 0))

    def _value(self, keyword: str) -> tuple[str, bytes]:
        """Return VR and bytes of an element."""
        tag, usual = _KEYWORDS[keyword]
        vr, start, end = self._place(tag)
        known = vr.decode("latin-1") if vr != b"UN" else ""  # pydicom writes a long value so, whatever it is
        return known or usual, self._reader.data[start:end]

    def items(self, keyword: str) -> Sequence[Group]:
        """Return the items of a sequence in it."""
        vr, start, end = self._place(_KEYWORDS[keyword][0])
        if vr == b"UN":  # its content is always in the implicit form (PS3.5, 6.2.2)
            return _Reader(self._reader.data, True, "<").items(start, end)
        return self._reader.items(start, end) if vr in {b"", b"SQ"} else []

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Return the values of an element as numbers."""
        vr, value = self._value(keyword)
        if vr in _BINARY:
            count = len(value) // struct.calcsize(_BINARY[vr])
            return struct.unpack_from(f"{self._reader.order}{count}{_BINARY[vr]}", value)
        try:
            return tuple(map(float, value.rstrip(b" \0").split(b"\\"))) if value else ()
        except ValueError:
            return ()

    def has(self, keyword: str) -> bool:
        """Return whether an element is there."""
        return self._place(_KEYWORDS[keyword][0])[2] > 0

    def text(self, keyword: str) -> str:
        """Return a value as text."""
        return self._value(keyword)[1].decode("latin-1").strip(" \0")
