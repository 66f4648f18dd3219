"""Label tables in JSON: values by name or names by value, nnU-Net's dataset.json, dcmqi's description of segments."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from response.io.label_entries import Entry
from response.io.structure_names import NOTHING, Concept, concept

_NAMES: Final = ("name", "label", "SegmentLabel", "SegmentDescription", "description")
_VALUES: Final = ("value", "labelID", "label_value", "labelValue", "index", "id", "label")


def entries_of_json(text: str) -> list[Entry]:
    """Return the labels of a JSON text; none where it holds something else."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return list(_entries(content))


def _entries(content: Any) -> Iterator[Entry]:
    if isinstance(content, list):
        for record in content:
            # dcmqi: a list for each file, of a list for each of its segments
            yield from _entries(record) if isinstance(record, list) else _of_record(record)
        return
    if not isinstance(content, dict):
        return
    for key in ("segmentAttributes", "labels"):
        if isinstance(content.get(key), dict | list):
            yield from _entries(content[key])
            return
    for key, value in content.items():
        yield from _of_pair(key, value)


def _of_pair(key: str, value: Any) -> Iterator[Entry]:
    """Return the label of a pair: name by value, record by value, or value by name.

    nnU-Net's regions, which are several values, have no value of their own.
    """
    if key.strip().isdecimal() and isinstance(value, str):
        yield Entry(key.strip(), value)
    elif key.strip().isdecimal() and isinstance(value, dict):
        yield from _of_record({"value": key.strip(), **value})
    elif _is_whole(value):
        yield Entry(str(value), key)


def _of_record(record: Any) -> Iterator[Entry]:
    if not isinstance(record, dict):
        return
    value = next((record[key] for key in _VALUES if _is_whole(record.get(key))), None)
    if value is None:
        return
    name = next((record[key] for key in _NAMES if isinstance(record.get(key), str) and record[key].strip()), "")
    yield Entry(
        str(value),
        name,
        role=_text(record, "role"),
        site=_text(record, "organ") or _text(record, "site"),
        lesion=_text(record, "lesion") or _text(record, "TrackingIdentifier"),
        kind=_text(record, "kind"),
        category=_concept(record.get("SegmentedPropertyCategoryCodeSequence")),
        property_type=_concept(record.get("SegmentedPropertyTypeCodeSequence")),
        region=_concept(record.get("AnatomicRegionSequence")),
        uid=_text(record, "TrackingUniqueIdentifier"),
    )


def _is_whole(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, str) and value.strip().isdecimal()
    )


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value.strip() if isinstance(value, str) else str(value) if _is_whole(value) else ""


def _concept(code: Any) -> Concept:
    code = code[0] if isinstance(code, list) and code else code
    if not isinstance(code, dict):
        return NOTHING
    return concept(_text(code, "CodeValue"), _text(code, "CodingSchemeDesignator"), _text(code, "CodeMeaning"))
