"""Reports as the OHIF viewer needs them: what its SR reader and Cornerstone3D's adapters look for, and fail on."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.sr_trials import (
    DATES,
    LONG,
    Images,
    axes_cells,
    children,
    lesion_row,
    measured_rows,
    name,
    value,
    values,
    write_images,
    written,
)

BIDIRECTIONAL = "Cornerstone3DTools@^0.1.0:Bidirectional"
LENGTH = "Cornerstone3DTools@^0.1.0:Length"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def report(images: Images, tmp_path_factory: pytest.TempPathFactory) -> pydicom.Dataset:
    rows = measured_rows(images)
    rows[3] |= {
        "viable_mm": "5",
        "attenuation_min_hu": "-20",
        "attenuation_max_hu": "90",
        "attenuation_median_hu": "41",
    }
    folder = tmp_path_factory.mktemp("trial")
    return written(rows, folder, criteria=None, images=images.folder, axes="ohif")[0]["S-1_1"]


def meaning(item: pydicom.Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning)


def ohif_groups(report: pydicom.Dataset) -> list[pydicom.Dataset]:
    """Return the groups as OHIF finds them: by the text of the concept names."""
    (measurements,) = (item for item in report.ContentSequence if meaning(item) == "Imaging Measurements")
    return [item for item in measurements.ContentSequence if meaning(item) == "Measurement Group"]


def tool(group: pydicom.Dataset) -> str:
    (identifier,) = (item for item in group.ContentSequence if meaning(item) == "Tracking Identifier")
    return str(identifier.TextValue)


def numbers(group: pydicom.Dataset) -> list[pydicom.Dataset]:
    return [item for item in group.ContentSequence if item.ValueType == "NUM"]


def test_the_report_is_of_the_one_kind_that_is_shown(report: pydicom.Dataset) -> None:
    assert report.ConceptNameCodeSequence[0].CodeValue == "126000"
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"


def test_every_image_stands_in_the_library(report: pydicom.Dataset, images: Images) -> None:
    # without a library no measurement is loaded
    (library,) = children(report, "111028^DCM")
    (group,) = children(library, "126200^DCM")
    uids = [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in children(group, "260753009^SCT")]
    assert uids == [images.uid(DATES[1])]


def test_a_lesion_is_a_bidirectional_measurement(report: pydicom.Dataset) -> None:
    (group,) = (group for group in ohif_groups(report) if tool(group) == BIDIRECTIONAL)
    assert values(group, "112040^DCM") == ["1.2.840.99.7"]
    found = {meaning(item): item for item in numbers(group)}
    assert list(found)[:2] == ["Long Axis", "Short Axis"]  # the first number gives the image
    for item in list(found.values())[:2]:
        (scoord,) = item.ContentSequence
        assert (scoord.ValueType, scoord.GraphicType, scoord.RelationshipType) == (
            "SCOORD",
            "POLYLINE",
            "INFERRED FROM",
        )
        assert len(scoord.GraphicData) == 4
        (image,) = scoord.ContentSequence
        assert image.ReferencedSOPSequence[0].ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    expected = [pixel + 0.5 for row, column in LONG for pixel in (column, row)]
    assert np.allclose(found["Long Axis"].ContentSequence[0].GraphicData, expected, atol=2e-3)


def test_the_lesion_is_named_in_label_and_finding(report: pydicom.Dataset) -> None:
    (group,) = (group for group in ohif_groups(report) if tool(group) == BIDIRECTIONAL)
    assert values(group, "121106^DCM") == ["T1"]  # the label, in adapters that know comments
    (finding,) = children(group, "121071^DCM")
    assert finding.ConceptCodeSequence[0].CodeMeaning == "T1"  # the label in those that do not
    assert values(group, "363698007^SCT") == ["39607008^SCT"]


def test_every_number_has_exactly_one_child(report: pydicom.Dataset) -> None:
    # until January 2026 OHIF took the child apart without looking whether it is there; of several it finds none
    for group in ohif_groups(report):
        for item in numbers(group):
            (child,) = item.ContentSequence
            if tool(group) == BIDIRECTIONAL:
                assert child.ValueType == "SCOORD", meaning(item)
            else:
                assert child.RelationshipType == "HAS CONCEPT MOD", meaning(item)


def test_what_has_no_end_points_lies_near_the_long_axis(report: pydicom.Dataset) -> None:
    (group,) = (group for group in ohif_groups(report) if tool(group) == BIDIRECTIONAL)
    purposes = {meaning(item): name(item.ContentSequence[0]) for item in numbers(group)}
    assert purposes.pop("Long Axis") == purposes.pop("Short Axis") == "260753009^SCT"
    assert set(purposes.values()) == {"121226^DCM"}  # approximate spatial location


def test_the_statistic_stands_in_the_name(report: pydicom.Dataset) -> None:
    (group,) = (group for group in ohif_groups(report) if tool(group) == BIDIRECTIONAL)
    found = {name(item): value(item) for item in numbers(group)}
    assert found["112181^DCM"] == "40 [hnsf'U]^UCUM"  # mean
    assert found["112183^DCM"] == "11.25 [hnsf'U]^UCUM"  # standard deviation
    assert found["112182^DCM"] == "41 [hnsf'U]^UCUM"  # median
    assert found["112179^DCM"] == "-20 [hnsf'U]^UCUM"  # minimum
    assert found["112180^DCM"] == "90 [hnsf'U]^UCUM"  # maximum


def test_groups_of_one_uid_would_be_merged(report: pydicom.Dataset) -> None:
    uids = [values(group, "112040^DCM")[0] for group in ohif_groups(report)]
    assert len(uids) == len(set(uids)) == 6  # three lesions, RECIST 1.1, Choi and, for its column, mRECIST


def test_what_no_tool_can_show_is_no_tool(report: pydicom.Dataset) -> None:
    assert {tool(group) for group in ohif_groups(report)} == {
        BIDIRECTIONAL,
        "N1",
        "NT1",
        "recist-1.1 response",
        "choi response",
        "mrecist response",
    }


TOOLS = [
    # cells without, tool, names of the axes with end points, why
    ((), BIDIRECTIONAL, ["Long Axis", "Short Axis"], "both axes"),
    (("short_mm", "short_from", "short_to"), LENGTH, ["Long Axis"], "the long axis alone"),
    (("short_from", "short_to"), LENGTH, ["Long Axis"], "a short axis without end points"),
    (("longest_mm", "longest_from", "longest_to"), LENGTH, ["Short Axis"], "the short axis alone"),
    (("longest_from",), LENGTH, ["Short Axis"], "a long axis without end points"),
    (("longest_from", "short_from"), "T1", [], "no end points"),
]


@pytest.mark.parametrize(("without", "expected", "drawn", "why"), TOOLS, ids=[row[3] for row in TOOLS])
def test_the_tool_fits_what_can_be_drawn(
    *, without: tuple[str, ...], expected: str, drawn: list[str], why: str, images: Images, tmp_path: Path
) -> None:
    uid = images.uid(DATES[0])
    row = lesion_row(longest_mm="20", short_mm="9", volume_mm3="70", sop_instance_uid=uid, **axes_cells(images.grid))
    cells = {column: text for column, text in row.items() if column not in without}
    reports, _ = written([cells], tmp_path, images=images.folder, axes="ohif")
    (group,) = (group for group in ohif_groups(reports["S-1_0"]) if "response" not in tool(group))
    assert tool(group) == expected
    own = [meaning(item) for item in numbers(group) if name(item.ContentSequence[0]) == "260753009^SCT"]
    assert own == drawn
    assert all(len(item.ContentSequence) == 1 for item in numbers(group))
    assert [meaning(item) for item in numbers(group)][: len(drawn)] == drawn


def test_without_images_the_axes_are_three_dimensional(images: Images, tmp_path: Path) -> None:
    row = lesion_row(longest_mm="20", short_mm="9", frame_of_reference_uid="1.2.3.4", **axes_cells(images.grid))
    reports, _ = written([row], tmp_path, axes="ohif")
    group = ohif_groups(reports["S-1_0"])[0]
    assert tool(group) == BIDIRECTIONAL
    assert [item.ContentSequence[0].ValueType for item in numbers(group)] == ["SCOORD3D", "SCOORD3D"]
    assert [item.ContentSequence[0].ReferencedFrameOfReferenceUID for item in numbers(group)] == ["1.2.3.4"] * 2
