"""What 3D Slicer says about the segments of a segmentation, in the header of its NRRD file (.seg.nrrd).

Segments may overlap: then they stand in several layers, and a label value means one segment in each.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from response.imaging.lesion_mask import StructureName
from response.io.image_claims import HEADER_BYTES
from response.io.structure_names import NOTHING, Concept, concept, structure_name

_FIELD: Final = re.compile(r"Segment(\d+)_(\w+):=(.*)")
_TERMS: Final = "TerminologyEntry:"


@dataclass(frozen=True, kw_only=True)
class SlicerSegment:
    """One segment.

    Attributes
    ----------
    layer
        Index of its layer.
    name
        What is said about it; its number is the label value.
    """

    layer: int
    name: StructureName


def read_slicer_segments(path: Path) -> list[SlicerSegment]:
    """Return the segments that the header of a file describes; none where it is no NRRD file, or says nothing."""
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES)
    if not start.startswith(b"NRRD000"):
        return []
    header = re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0].decode("utf-8", "replace")
    fields: dict[int, dict[str, str]] = {}
    for line in header.splitlines():
        if found := _FIELD.match(line):
            fields.setdefault(int(found[1]), {})[found[2]] = found[3].strip()
    described = sorted((index, values) for index, values in fields.items() if "Name" in values or "ID" in values)
    return [_segment(index, values) for index, values in described]


def _segment(index: int, values: dict[str, str]) -> SlicerSegment:
    # Before 2020 each segment had a layer of its own, in which its voxels are 1, and neither was written.
    layer, number = (values.get(name, "") for name in ("Layer", "LabelValue"))
    terms = next((tag for tag in values.get("Tags", "").split("|") if tag.startswith(_TERMS)), "")
    category, kind, modifier, region, side = _concepts(terms)
    return SlicerSegment(
        layer=int(layer) if layer.isdecimal() else index,
        name=structure_name(
            number=int(number) if number.isdecimal() else 1,
            label=values.get("Name", "") or values.get("ID", ""),
            category=category,
            kind=kind,
            region=region,
            side=side.meaning or _side_of(modifier),
            others=[modifier, side],
        ),
    )


def _concepts(terms: str) -> tuple[Concept, Concept, Concept, Concept, Concept]:
    """Return category, type, its modifier, region and its modifier of an entry.

    An entry is `context~category~type~modifier~region context~region~modifier`, a concept `scheme^value^meaning`.
    """
    parts = [*terms.removeprefix(_TERMS).split("~"), *[""] * 7]
    category, kind, modifier, region, side = (_concept(parts[place]) for place in (1, 2, 3, 5, 6))
    return category, kind, modifier, region, side


def _concept(text: str) -> Concept:
    scheme, value, meaning, *_ = [*text.split("^"), "", "", ""]
    return concept(value, scheme, meaning) if value.strip() else NOTHING


def _side_of(modifier: Concept) -> str:
    return modifier.meaning if modifier.meaning.casefold() in {"left", "right", "bilateral"} else ""
