"""The comparability block: what differs from the first image of the same lesion."""

import pytest

from response.comparable import with_comparability
from tests.acceptance import Row, text_table

FIRST: Row = {
    "subject": "S",
    "lesion": "T1",
    "timepoint": "0",
    "date": "2024-01-01",
    "modality": "CT",
    "phase": "portal_venous",
    "kvp": "120",
    "kernel": "B30f",
    "slice_thickness_mm": "5",
    "slice_interval_mm": "2.5",
}
CASES = [
    # what the follow-up has instead                 what is told                                     why
    ({}, "yes", "the same"),
    ({"kvp": "100"}, "kVp 120 -> 100", ""),
    ({"phase": "arterial", "kernel": "B70f"}, "phase portal_venous -> arterial; kernel B30f -> B70f", "both"),
    ({"slice_interval_mm": "5"}, "slice interval mm 2.5 -> 5", "the same thickness, other positions"),
    ({"modality": ""}, "", "a row without an image"),
    ({"lesion": "T2"}, "", "the first of another lesion"),
    ({"subject": "S2"}, "", "another subject"),
    ({"date": "2023-12-01"}, "", "it is the first now"),
]


@pytest.mark.parametrize(("instead", "expected", "why"), CASES)
def test_follow_up(instead: Row, expected: str, why: str) -> None:
    table = text_table([FIRST, {**FIRST, "timepoint": "1", "date": "2024-03-01", **instead}], "measurements.csv")
    assert with_comparability(table).columns["comparable"].texts()[1] == expected, why


def test_the_first_image_of_a_lesion_is_compared_with_nothing() -> None:
    table = text_table([{**FIRST, "modality": ""}, {**FIRST, "timepoint": "1", "date": "2024-03-01"}], "m.csv")
    assert with_comparability(table).columns["comparable"].texts() == ["", ""]
