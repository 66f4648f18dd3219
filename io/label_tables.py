"""Tables that say what the values of a label map mean: CSV or TSV, ITK-SNAP, 3D Slicer, FreeSurfer, JSON.

A table has the label value and a name; it may have a role, an organ or site, and a lesion id.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from response.errors import InputError
from response.imaging.lesion_mask import StructureName
from response.io.dicom_files import shown
from response.io.image_claims import suffix_of
from response.io.label_entries import Entry, name_of_entry
from response.io.label_json import entries_of_json
from response.io.sniffing import encoding_of
from response.vocabulary import folded

LARGEST_TABLE: Final = 1 << 24  # bytes; FreeSurfer's table of all its labels has 100 KB
_SUFFIXES: Final = (".csv", ".tsv", ".txt", ".ctbl", ".json", ".label", ".lut")
_STEMS: Final = ("labels", "label", "label_table", "labelmap", "dseg")
_DATASET: Final = "dataset.json"  # nnU-Net; beside the folder of the label maps
_EXPECTED: Final = "a table of label values and names"

# Columns by their folded headers, best first. "label" is the value, where there is no better one, else the name.
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "value": (
        *(
            "label value",
            "labelvalue",
            "value",
            "label id",
            "labelid",
            "index",
            "idx",
            "segment number",
            "number",
            "no",
        ),
        *("intensity", "voxel value", "pixel value", "key", "id", "label"),
    ),
    "name": (
        *("name", "label name", "labelname", "structure", "structure name", "segment name", "segment label"),
        *("segmentlabel", "segment", "lesion name", "label", "description", "text"),
    ),
    "role": ("role", "lesion role"),
    "site": ("organ", "site", "location", "anatomic region", "region", "finding site"),
    "lesion": ("lesion", "lesion id", "lesionid", "tracking id", "tracking identifier", "trackingidentifier"),
    "kind": ("type", "kind", "category", "class"),
}
_ITK_SNAP: Final = re.compile(r'\s*(\d+)(?:\s+[\d.]+){6}\s+"(.*)"\s*')
_COLOUR_TABLE: Final = re.compile(r"\s*(\d+)\s+(\S.*?)((?:\s+-?[\d.]+){3,4})\s*")
_PAIR: Final = re.compile(r"\s*(\d+)\s*(?:[,;:=\t]|\s)\s*(\S.*?)\s*")


def read_label_table(path: Path) -> dict[int, StructureName]:
    """Return what label values mean, in the order of the table.

    Raises
    ------
    InputError
        If it cannot be read, or is no table of labels; all faults are told at once.
    """
    path = Path(path)
    text = _text(path)
    entries = entries_of_json(text) if text.lstrip().startswith(("{", "[")) else _entries_of_text(text)
    if not entries:
        raise InputError(shown(path), "no label values with names", _EXPECTED, "columns value and name, as CSV")
    faults = [fault for entry in entries if (fault := entry.fault())]
    if not faults:
        counts = Counter(entry.number for entry in entries)
        faults = [f"label {value} stands {count} times" for value, count in counts.items() if count > 1]
    if faults:
        raise InputError(shown(path), "; ".join(faults[:5]), _EXPECTED, "correct the table")
    return {entry.number: name_of_entry(entry) for entry in entries if entry.number != 0}


def find_label_table(mask: Path) -> Path | None:
    """Return the table that belongs to a label map: of the same name, else of the folder, else nnU-Net's."""
    name = mask.name.lower().removesuffix(suffix_of(mask))
    stems = [mask.name[: len(name)], mask.name[: len(name)].removesuffix(".seg")]
    candidates = [mask.parent / f"{stem}{suffix}" for stem in [*stems, *_STEMS] for suffix in _SUFFIXES]
    candidates += [mask.parent / _DATASET, mask.parent.parent / _DATASET]
    return next((candidate for candidate in candidates if _is_file(candidate)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or a folder that may not be looked into
        return False


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_TABLE or not path.is_file():
            raise InputError(shown(path), "no file, or a very large one", _EXPECTED)
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        found = f"it cannot be opened: {error.strerror if isinstance(error, OSError) else 'an impossible name'}"
        raise InputError(shown(path), found, _EXPECTED) from None
    return content.decode(encoding_of(content), "replace").removeprefix("\ufeff")


def _entries_of_text(text: str) -> list[Entry]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for pattern in (_ITK_SNAP, _COLOUR_TABLE):
        if found := _matching(lines, pattern):
            return found
    return _entries_of_columns(lines) or _matching(lines, _PAIR)


def _matching(lines: Sequence[str], pattern: re.Pattern[str]) -> list[Entry]:
    """Return the entries of lines of one form; none where a line has another."""
    found = [pattern.fullmatch(line) for line in lines]
    return [Entry(match[1], match[2].strip()) for match in found if match] if all(found) else []


def _entries_of_columns(lines: Sequence[str]) -> list[Entry]:
    header = lines[0] if lines else ""
    delimiter = max(",;\t|", key=header.count)
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return []
    columns = _columns([folded(cell) for cell in rows[0]]) if rows else {}
    if "value" not in columns or len(columns) < 2:
        return []
    cells = ({name: row[at].strip() if at < len(row) else "" for name, at in columns.items()} for row in rows[1:])
    return [
        Entry(row["value"], row.get("name", ""), row.get("role", ""), row.get("site", ""), row.get("lesion", ""),
              row.get("kind", ""))
        for row in cells
        if any(row.values())
    ]  # fmt: skip


def _columns(header: Sequence[str]) -> dict[str, int]:
    """Return the position of each column that is there; none is used twice."""
    found: dict[str, int] = {}
    for column, aliases in _COLUMNS.items():
        places = (header.index(alias) for alias in aliases if alias in header)
        place = next((place for place in places if place not in found.values()), None)
        if place is not None:
            found[column] = place
    return found
