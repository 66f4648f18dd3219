"""What the first bytes of a file say, and where compressed pixels end."""

from pathlib import Path

import pytest

from response.errors import InputError
from response.io import dicom_bytes


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (bytes(128) + b"DICM", True),
        (b"\x89PNG" + bytes(124) + b"DICM", True),  # the preamble may be of another format
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100", True),  # explicit
        (b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100", True),  # implicit
        (b"\0\x08\0\x05CS\0\x0aISO_IR 100", True),  # explicit, big endian
        (b"\x02\0\0\0UL\x04\0\x10\0\0\0", True),  # a meta header without preamble
        (b"\x08\0\x70\0LO\x04\0Test", True),
        (b"\x08\0\x80\0LO\x04\0Test", False),  # no first element
        (b"\x08\0\x05\0\0\x04\0\0ISO", False),  # a first text of 1024 bytes
        (b"\0\x08\0\x05\0\0\0\x0aISO_IR 100", False),  # big endian is explicit
        (b"\x08\0\x05\0cs\x0a\0ISO_IR 100", False),
        (b"\x08\0\x05\0C\0\x0a\0ISO_IR 100", False),
        (b"\x10\0\x10\0PN\x04\0Test", False),
        (b"\x08\0\x05", False),
        (b"PK\x03\x04", False),
        (b"", False),
    ],
)
def test_what_looks_like_dicom(head: bytes, expected: bool) -> None:
    assert dicom_bytes.looks_like_dicom(head) is expected


FRAGMENT, END = b"\xfe\xff\0\xe0\x04\0\0\0abcd", b"\xfe\xff\xdd\xe0\0\0\0\0"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (FRAGMENT + FRAGMENT + END + b"more", ""),
        (FRAGMENT + FRAGMENT, ""),  # the last delimiter is forgiven
        (FRAGMENT + FRAGMENT[:-1], "too early"),
        (FRAGMENT + END[:4], "too early"),
        (FRAGMENT + b"rubbish!" + END, "damaged fragments"),
        (FRAGMENT + b"\xfe\xff\0\xe0\xff\xff\xff\xff" + END, "damaged fragments"),
    ],
)
def test_the_end_of_compressed_pixels(data: bytes, told: str) -> None:
    if told:
        with pytest.raises(InputError, match=told):
            dicom_bytes.end_of_fragments(data, 0, Path("x"), little=True)
    else:
        assert dicom_bytes.end_of_fragments(data, 0, Path("x"), little=True) == 2 * len(FRAGMENT)
