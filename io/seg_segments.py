"""What the segments of a DICOM segmentation are called and coded as (PS3.3, C.8.20.4)."""

from typing import Final

from pydicom.dataset import Dataset

from response.imaging.lesion_mask import StructureName
from response.io.dicom_values import items, number, text
from response.io.mask_set import FindingList
from response.io.structure_names import NOTHING, Concept, concept, structure_name

_LARGEST_NUMBER: Final = 65535  # US


def read_segments(dataset: Dataset, findings: FindingList) -> dict[int, StructureName]:
    """Return the names of the segments by their numbers, in the order of the file.

    A segment without a number gets its place in the order, where no other one has it.
    """
    described = items(dataset, "SegmentSequence")
    stated = [number(item, "SegmentNumber") for item in described]
    taken = {int(value) for value in stated if 0 < value <= _LARGEST_NUMBER}
    names: dict[int, StructureName] = {}
    for place, (item, value) in enumerate(zip(described, stated, strict=True), start=1):
        label = text(item, "SegmentLabel")
        if value == 0:  # background of a label map
            continue
        key = int(value) if 0 < value <= _LARGEST_NUMBER else place
        if key in names or (key != value and key in taken):
            findings.tell(
                "segment_number_ambiguous",
                "error",
                f"Segment number {key} is described twice; the first description was used.",
                lesion=label,
                found=str(key),
                expected="one segment for each number",
            )
        else:
            names[key] = segment_name(item, key)
    return names


def segment_name(item: Dataset, segment: int) -> StructureName:
    """Return what the item of a segment says about it."""
    kinds, regions = items(item, "SegmentedPropertyTypeCodeSequence"), items(item, "AnatomicRegionSequence")
    modifiers = [
        *(code for kind in kinds[:1] for code in items(kind, "SegmentedPropertyTypeModifierCodeSequence")),
        *(code for region in regions[:1] for code in items(region, "AnatomicRegionModifierSequence")),
    ]
    concepts = [coded_item(code) for code in modifiers]
    side = next((each.meaning for each in concepts if each.meaning.casefold() in {"left", "right", "bilateral"}), "")
    return structure_name(
        number=segment,
        label=text(item, "SegmentLabel") or text(item, "SegmentDescription"),
        category=first_concept(item, "SegmentedPropertyCategoryCodeSequence"),
        kind=first_concept(item, "SegmentedPropertyTypeCodeSequence"),
        region=first_concept(item, "AnatomicRegionSequence"),
        side=side,
        others=concepts,
        tracking_id=text(item, "TrackingID"),
        tracking_uid=text(item, "TrackingUID"),
    )


def coded_item(item: Dataset) -> Concept:
    """Return the concept of a code sequence item (PS3.3, 8.8: the value may be short, long or an address)."""
    value = text(item, "CodeValue") or text(item, "LongCodeValue") or text(item, "URNCodeValue")
    return concept(value, text(item, "CodingSchemeDesignator"), text(item, "CodeMeaning"))


def first_concept(dataset: Dataset, keyword: str) -> Concept:
    """Return the first concept of a code sequence."""
    codes = items(dataset, keyword)
    return coded_item(codes[0]) if codes else NOTHING
