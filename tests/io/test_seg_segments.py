"""What segments say about themselves: codes in either scheme, regions, sides, roles and identity."""

import pytest
from pydicom.dataset import Dataset

from response.io.mask_set import FindingList
from response.io.seg_segments import read_segments, segment_name
from tests.seg_factory import code, item, segment

NEOPLASM = {
    "SegmentedPropertyCategoryCodeSequence": code("M-01000", "SRT", "Morphologically Altered Structure"),
    "SegmentedPropertyTypeCodeSequence": code("M-8FFFF", "SRT", "Neoplasm"),
}


def region(side: str = "") -> list[Dataset]:
    where = code("T-71000", "SRT", "Kidney")
    if side:
        where[0].AnatomicRegionModifierSequence = code("24028007", "SCT", side)
    return where


def test_everything_that_a_segment_may_say() -> None:
    described = segment(
        4,
        "Lesion in the kidney",
        SegmentDescription="not the label",
        TrackingID="K01",
        TrackingUID="1.2.3",
        AnatomicRegionSequence=region("Right"),
        **NEOPLASM,
    )
    name = segment_name(described, 4)
    assert vars(name) == {
        "number": 4,
        "label": "Lesion in the kidney",
        "tracking_id": "K01",
        "tracking_uid": "1.2.3",
        "site": "right Kidney",
        "site_code": "T-71000^SRT",
        "category": "Morphologically Altered Structure",
        "kind": "Neoplasm",
        "kind_code": "M-8FFFF^SRT",
        "is_organ": False,
        "role": "",
    }


@pytest.mark.parametrize(("value", "role"), [("112074", "target"), ("112075", "non_target"), ("112076", "new")])
def test_a_role_that_modifies_the_type(value: str, role: str) -> None:
    kind = code("108369006", "SCT", "Neoplasm")
    kind[0].SegmentedPropertyTypeModifierCodeSequence = code(value, "DCM", "role")
    assert segment_name(segment(1, SegmentedPropertyTypeCodeSequence=kind), 1).role == role


def test_an_organ_and_its_side() -> None:
    kind = code("64033007", "SCT", "Kidney")
    kind[0].SegmentedPropertyTypeModifierCodeSequence = code("7771000", "SCT", "Left")
    category = code("123037004", "SCT", "Anatomical Structure")
    described = segment(1, SegmentedPropertyTypeCodeSequence=kind, SegmentedPropertyCategoryCodeSequence=category)
    name = segment_name(described, 1)
    assert (name.is_organ, name.site, name.site_code) == (True, "left Kidney", "64033007^SCT")


def test_a_description_where_there_is_no_label() -> None:
    assert segment_name(item(SegmentDescription="upper one"), 1).label == "upper one"


def test_long_codes() -> None:
    kind = [item(LongCodeValue="1234567890123456789", CodingSchemeDesignator="SCT", CodeMeaning="Neoplasm")]
    assert segment_name(segment(1, SegmentedPropertyTypeCodeSequence=kind), 1).kind_code == "1234567890123456789^SCT"


@pytest.mark.parametrize("number", [1, 65535])
def test_all_numbers_that_a_segment_may_have(number: int) -> None:
    findings = FindingList("file")
    assert list(read_segments(item(SegmentSequence=[segment(7), segment(number)]), findings)) == [7, number]
    assert findings == []


def test_a_number_that_another_one_has_by_its_place() -> None:
    findings = FindingList("file")
    dataset = item(SegmentSequence=[item(SegmentLabel="first"), segment(1, "second")])
    assert {number: name.label for number, name in read_segments(dataset, findings).items()} == {1: "second"}
    assert [(finding.id, finding.lesion) for finding in findings] == [("segment_number_ambiguous", "first")]
