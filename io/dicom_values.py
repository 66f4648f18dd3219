"""Values of a pydicom dataset, whatever stands there: what is missing or does not fit its VR is "nothing".

Call these within `response.io.dicom_files.quiet_pydicom`: converting a value may make pydicom print it.
"""

import struct
from typing import Any, Final

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import Tag

DAMAGED: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    struct.error,
    TypeError,
    ValueError,
)  # what pydicom raises on bytes that are not what they claim to be

_SEVERAL: Final = (MultiValue, list, tuple)  # pydicom gives numbers that are no strings as a plain list


def text(dataset: Dataset, keyword: str) -> str:
    """Return a value as text without blanks around it, several joined by a backslash; empty where there is none."""
    value = _value(dataset, keyword)
    if value is None or isinstance(value, bytes | Sequence):
        return ""
    joined = "\\".join(str(part) for part in value) if isinstance(value, _SEVERAL) else str(value)
    return joined.replace("\0", "").strip()


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Return the values as numbers (NaN may stand in a file); empty where there are none, or one is no number."""
    value = _value(dataset, keyword)
    try:
        return tuple(float(part) for part in value) if isinstance(value, _SEVERAL) else (float(value),)
    except (TypeError, ValueError, OverflowError):
        return ()


def number(dataset: Dataset, keyword: str, default: float = float("nan")) -> float:
    """Return the first value as a number, or the default where there is none."""
    found = numbers(dataset, keyword)
    return found[0] if found else default


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; none where it is missing or is no sequence."""
    value = _value(dataset, keyword)
    return list(value) if isinstance(value, Sequence) else []


def has(dataset: Dataset, keyword: str) -> bool:
    """Return whether an element is there, be it empty or unreadable."""
    return _TAG_OF[keyword] in dataset._dict


def _value(dataset: Dataset, keyword: str) -> Any:
    if not has(dataset, keyword):
        return None  # pydicom takes long to say so
    try:
        return dataset.get(keyword)
    except DAMAGED:
        return None


# --- Fast ways for the few elements that are read of every slice: no DataElement is made of them.


def plain_text(dataset: Dataset, keyword: str) -> str:
    """Return a value as `text` does; the keyword must be that of an element of text (UI, CS, DA, LO ...)."""
    raw = _raw(dataset, keyword)
    if raw is None or not raw.isascii() or b"\x1b" in raw:  # an escape starts another character set
        return text(dataset, keyword)
    return raw.decode("ascii").replace("\0", "").strip()


def decimals(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Return values as `numbers` does; the keyword must be that of a decimal or integer string (DS, IS)."""
    raw = _raw(dataset, keyword)
    if raw is None:
        return numbers(dataset, keyword)
    try:
        return tuple(map(float, raw.replace(b"\0", b"").split(b"\\")))
    except ValueError:
        return ()


def whole_number(dataset: Dataset, keyword: str, default: int) -> int:
    """Return the first value as a whole number; the keyword must be that of an unsigned short (US)."""
    raw = dataset._dict.get(_TAG_OF[keyword])
    if isinstance(raw, RawDataElement) and raw.VR in {None, "US"} and raw.value and len(raw.value) == 2:
        return int.from_bytes(raw.value, "little" if raw.is_little_endian else "big")
    value = number(dataset, keyword)
    return int(value) if value.is_integer() else default


def _raw(dataset: Dataset, keyword: str) -> bytes | None:
    raw = dataset._dict.get(_TAG_OF[keyword])
    return raw.value if isinstance(raw, RawDataElement) and isinstance(raw.value, bytes) else None


class _Tags(dict[str, int]):
    def __missing__(self, keyword: str) -> int:
        self[keyword] = tag = int(Tag(keyword))
        return tag


_TAG_OF: Final = _Tags()
