"""The bytes of a DICOM file: whether it is one, and what can be said before it is parsed.

Source: DICOM PS3.10, section 7 (file format); PS3.5, section 7 (elements), A.4 and A.5 (encapsulated, deflated).
"""

import os
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from struct import Struct
from typing import Final

from response.errors import InputError

LARGEST_BYTES: Final = 1 << 33  # twice what an element can say of its length (32 bit): no file is larger in earnest
LARGEST_INFLATED: Final = 1 << 31  # of a deflated file; a small file may claim any size
UNDEFINED: Final = 0xFFFFFFFF  # length of an element that ends by a delimiter
PREAMBLE: Final = 128
MAGIC: Final = b"DICM"
EXPECTED: Final = "a readable DICOM file"

_ITEM: Final = 0xFFFEE000
_SEQUENCE_END: Final = 0xFFFEE0DD


def shown(path: Path) -> str:
    """Return a path as one printable line: line ends, controls and bytes that are no UTF-8 are escaped."""
    text = os.fsdecode(path)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def truncated(path: Path) -> InputError:
    """Return the error for a file that ends too early."""
    return InputError(shown(path), "the file ends too early", "a whole DICOM file", "was the transfer complete?")


def looks_like_dicom(head: bytes) -> bool:
    """Return whether a file that starts with these bytes is DICOM: by its prefix, or its first element."""
    if head[PREAMBLE : PREAMBLE + 4] == MAGIC:
        return True
    if len(head) < 8 or head[:2] not in {b"\x02\0", b"\x08\0", b"\0\x08"}:
        return False
    big = head[0] == 0
    element = int.from_bytes(head[2:4], "big" if big else "little")
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    length = int.from_bytes(head[4:8], "big" if big else "little")
    return element <= 0x0070 and (explicit or (not big and length < 1024))  # the first elements are short texts


def size_of(path: Path) -> int:
    """Return the size of a regular file; a pipe or a device would be waited for without end."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(shown(path), "no regular file", EXPECTED)
    if status.st_size == 0:
        raise InputError(shown(path), "an empty file", EXPECTED, "was the transfer complete?")
    if status.st_size > LARGEST_BYTES:
        raise InputError(shown(path), f"{status.st_size} bytes", f"at most {LARGEST_BYTES} bytes")
    return status.st_size


def read_bytes(path: Path, size: int) -> bytes:
    """Return the first bytes of a file: as many as these, or all that there are."""
    try:
        with path.open("rb", buffering=0) as stream:
            return _read_up_to(stream.read, size)
    except OSError as error:
        raise _unreadable(path, error) from None


def _read_up_to(read: Callable[[int], bytes | None], size: int) -> bytes:
    first = read(size) or b""
    if len(first) == size:
        return first
    parts, left = [first], size - len(first)
    while left and (part := read(left)):  # one call of the system reads 2 GiB at most
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _unreadable(path: Path, error: Exception) -> InputError:
    why = (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
    return InputError(shown(path), f"the file cannot be opened: {why}", EXPECTED)


def inflate(data: bytes, start: int, path: Path) -> bytes:
    """Return the dataset of a deflated file (PS3.5, A.5), which may claim to be absurdly large."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = engine.decompress(data[start:], LARGEST_INFLATED)
    except zlib.error:
        raise InputError(shown(path), "deflated data that are damaged", EXPECTED) from None
    if engine.unconsumed_tail:
        raise InputError(shown(path), "deflated data without end", f"at most {LARGEST_INFLATED} bytes inflated")
    if not engine.eof:
        raise truncated(path)
    return inflated


def end_of_fragments(data: bytes, start: int, path: Path, *, little: bool) -> int:
    """Return where encapsulated pixel data end (PS3.5, A.4); a missing last delimiter is forgiven."""
    header = Struct("<HHL" if little else ">HHL")
    while start + header.size <= len(data):
        group, element, length = header.unpack_from(data, start)
        tag = group << 16 | element
        if tag == _SEQUENCE_END:
            return start
        if tag != _ITEM or length == UNDEFINED:
            raise InputError(shown(path), "damaged fragments of compressed pixel data", EXPECTED)
        start += header.size + length
    if start == len(data):
        return start
    raise truncated(path)
