"""Names of labels in the header extension of a NIfTI file, as Connectome Workbench and TotalSegmentator write them.

Source: NIfTI-1 header extensions (nifti1.h, "NIFTI-1 EXTENDED HEADERS"); label table of the Caret XML.
"""

import gzip
import html
import re
import zlib
from pathlib import Path
from typing import Final

from response.imaging.lesion_mask import StructureName
from response.io.image_claims import HEADER_BYTES
from response.io.label_entries import Entry, name_of_entry

_LABEL: Final = re.compile(r'<Label\b[^>]*\bKey="(\d+)"[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]*)')
_HEADERS: Final = {b"\x5c\x01\0\0": 348, b"\0\0\x01\x5c": 348, b"\x1c\x02\0\0": 540, b"\0\0\x02\x1c": 540}


def read_nifti_labels(path: Path) -> dict[int, StructureName]:
    """Return the names that the header of a NIfTI file gives to labels; none where it is no NIfTI, or says nothing."""
    size, start = _start(path)
    if not size or start[size : size + 1] in {b"", b"\0"}:  # the first byte behind the header: are there extensions?
        return {}
    text = start[size + 4 :].decode("utf-8", "replace").partition("</LabelTable>")[0]
    entries = [Entry(value, html.unescape(name).strip()) for value, name in _LABEL.findall(text)]
    names: dict[int, StructureName] = {}
    for entry in entries:
        if not entry.fault() and entry.number:
            names.setdefault(entry.number, name_of_entry(entry))
    return names


def _start(path: Path) -> tuple[int, bytes]:
    """Return the size of the header, or 0, and the first bytes of the file, inflated."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
            if start[:2] == b"\x1f\x8b":
                file.seek(0)
                with gzip.open(file) as inflated:
                    start = inflated.read(HEADER_BYTES)
            elif start in _HEADERS:
                start += file.read(HEADER_BYTES)
    except (OSError, EOFError, zlib.error):
        return 0, b""
    return _HEADERS.get(start[:4], 0), start
