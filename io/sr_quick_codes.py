"""The code of a code sequence straight from its bytes: two of three sequences of a report are codes of one item.

Source: DICOM PS3.5, 7.1 (elements), 7.5 (sequences); PS3.3, 8 (code sequence macro).
"""

from struct import Struct
from typing import Final

from pydicom.dataelem import RawDataElement
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

_HEAD: Final = Struct("<HHL")  # group, element, length (implicit, and of items)
_LONG_LENGTH: Final = Struct("<L")
_ITEM: Final = (0xFFFE, 0xE000)
_LONG_VRS: Final = frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32)
_WANTED: Final = {0x0100: 0, 0x0102: 1, 0x0104: 2}  # code value, scheme designator, meaning
_OTHER_VALUES: Final = (0x0119, 0x0120)  # long code value, URN code value


def quick_code(raw: RawDataElement) -> tuple[str, str, str] | None:
    """Return value, scheme and meaning of the first item of an unread code sequence.

    None where it is not as plain as nearly all are: one item of known length, little endian, ASCII, with a short
    value. pydicom reads those that are not.
    """
    data = raw.value
    if not raw.is_little_endian or not isinstance(data, bytes) or len(data) < _HEAD.size:
        return None
    group, element, length = _HEAD.unpack_from(data)
    if (group, element) != _ITEM or length + _HEAD.size > len(data):
        return None
    return _fields(data, _HEAD.size + length, implicit=raw.is_implicit_VR)


def _fields(data: bytes, end: int, *, implicit: bool) -> tuple[str, str, str] | None:
    found = ["", "", ""]
    place = _HEAD.size
    while place + _HEAD.size <= end:
        group, element, length = _HEAD.unpack_from(data, place)
        place += _HEAD.size
        if not implicit:
            vr, length = data[place - 4 : place - 2], length >> 16
            if vr in _LONG_VRS:
                length = _LONG_LENGTH.unpack_from(data, place)[0] if place + 4 <= end else end
                place += 4
        if place + length > end or (group == 8 and element in _OTHER_VALUES):
            return None
        if group == 8 and element in _WANTED:
            text = data[place : place + length]
            if not text.isascii() or b"\x1b" in text:  # an escape starts another character set
                return None
            found[_WANTED[element]] = text.decode("ascii").strip("\0 ")
        place += length
    return (found[0], found[1], found[2]) if found[0] and place == end else None
