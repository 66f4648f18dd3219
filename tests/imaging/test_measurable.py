"""Measurability on an image; the cases B03, B05 to B07 of the criteria page, and the boundaries (RECIST 1.1, 3.1)."""

from typing import Any

import pytest

from response.imaging.measurable import judge_measurability
from response.measurability import NotMeasurable as Why

SLICE = "the thickness of the slices is not known, so the diameter alone was judged"


@pytest.mark.parametrize(
    ("why", "longest", "short", "more", "expected"),
    [
        ("B06: 10.0 mm on slices of 5 mm", 10.0, 8.0, {"slice_thickness_mm": 5.0}, Why.NO),
        ("just below", 9.999, 8.0, {"slice_thickness_mm": 5.0}, Why.SMALL),
        ("B05: 11 mm on slices of 7 mm", 11.0, 8.0, {"slice_thickness_mm": 7.0}, Why.THIN_FOR_SLICE),
        ("exactly twice the slice", 14.0, 8.0, {"slice_thickness_mm": 7.0}, Why.NO),
        ("just above 5 mm twice the slice is asked", 10.1, 8.0, {"slice_thickness_mm": 5.1}, Why.THIN_FOR_SLICE),
        ("the distance of slices counts where it is more", 11.0, 8.0,
         {"slice_thickness_mm": 5.0, "slice_interval_mm": 7.0}, Why.THIN_FOR_SLICE),
        ("and the thickness where that is more", 11.0, 8.0,
         {"slice_thickness_mm": 7.0, "slice_interval_mm": 5.0}, Why.THIN_FOR_SLICE),
        ("small wins over thin", 9.0, 8.0, {"slice_thickness_mm": 7.0}, Why.SMALL),
        ("a node by its short axis", 30.0, 15.0, {"nodal": True, "slice_thickness_mm": 5.0}, Why.NO),
        ("B03: a node of 12 mm", 30.0, 12.0, {"nodal": True, "slice_thickness_mm": 5.0}, Why.SMALL_NODE),
        ("just below 15", 30.0, 14.999, {"nodal": True, "slice_thickness_mm": 5.0}, Why.SMALL_NODE),
        ("B07: a normal node", 30.0, 9.0, {"nodal": True, "slice_thickness_mm": 5.0}, Why.NORMAL_NODE),
        ("a node of 15 mm on thick slices, with a warning", 30.0, 15.0,
         {"nodal": True, "slice_thickness_mm": 8.0}, Why.NO),
        ("a node of 15 mm on thick slices, by option", 30.0, 15.0,
         {"nodal": True, "slice_thickness_mm": 8.0, "node_slice_rule": "max_15_2x_slice"}, Why.THIN_FOR_SLICE),
        ("not measured", None, 9.0, {"slice_thickness_mm": 5.0}, Why.NOT_MEASURED),
        ("a node without a short axis", 20.0, None, {"nodal": True}, Why.NOT_MEASURED),
    ],
)  # fmt: skip
def test_size_decides(
    why: str, longest: float | None, short: float | None, more: dict[str, Any], expected: Why
) -> None:
    assert judge_measurability(longest, short, **{"nodal": False, **more}).why is expected


@pytest.mark.parametrize(
    ("length", "more", "text"),
    [
        (12.0, {"slice_thickness_mm": 5.0}, "yes"),
        (11.0, {"slice_thickness_mm": 7.0}, "smaller than twice the slice thickness (7 mm)"),
        (9.0, {"slice_thickness_mm": 5.0}, "a longest diameter below 10 mm"),
    ],
)
def test_the_text_is_yes_or_the_reason(length: float, more: dict[str, Any], text: str) -> None:
    assert str(judge_measurability(length, 5.0, nodal=False, **more)) == text


def test_what_could_not_be_judged_is_told() -> None:
    assert judge_measurability(12.0, 5.0, nodal=False).notes == (SLICE,)
    assert judge_measurability(12.0, 5.0, nodal=False, slice_interval_mm=1.0).notes == ()
    (note,) = judge_measurability(30.0, 15.0, nodal=True, slice_thickness_mm=8.0).notes
    assert note == "a node with a short axis below twice the slice thickness of 8 mm"
    assert judge_measurability(30.0, 16.0, nodal=True, slice_thickness_mm=8.0).notes == ()
    assert judge_measurability(30.0, 9.0, nodal=True, slice_thickness_mm=5.0).notes == ()  # 5 mm is not thick
