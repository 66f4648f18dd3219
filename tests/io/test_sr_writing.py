"""Reports are written as the standard has them: what stands in them, checked by other programs and by hand."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.codedict import codes

import response
from response.errors import InputError, MissingExtraError, OutputError
from response.io import sr_writing
from response.io.sr_concepts import laterality_code
from response.io.sr_uids import safe_name
from response.io.sr_writing import write_reports
from tests.sr_trials import (
    CREATED,
    DATES,
    LONG,
    SHORT,
    Images,
    assessed,
    axes_cells,
    children,
    code,
    ends,
    groups,
    lesion_row,
    measured_rows,
    name,
    needs,
    output_of,
    point_text,
    values,
    write_images,
    written,
)

COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.33"
COMPREHENSIVE_3D = "1.2.840.10008.5.1.4.1.1.88.34"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def reports(images: Images, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pydicom.Dataset]:
    folder = tmp_path_factory.mktemp("trial")
    return written(measured_rows(images), folder, criteria=None, images=images.folder)[0]


@pytest.fixture
def follow_up(reports: dict[str, pydicom.Dataset]) -> pydicom.Dataset:
    return reports["S-1_1"]


# --- one lesion


def test_there_is_a_report_for_each_timepoint(reports: dict[str, pydicom.Dataset]) -> None:
    assert list(reports) == ["S-1_0", "S-1_1"]
    assert {report.SOPClassUID for report in reports.values()} == {COMPREHENSIVE}
    assert {name(report) for report in reports.values()} == {"126000^DCM"}
    assert len({report.SOPInstanceUID for report in reports.values()}) == 2


LESION_ITEMS = [
    # lesion, concept, values, why
    ("T1", "112040^DCM", ["1.2.840.99.7"], "the tracking UID of the table is kept"),
    ("T1", "121071^DCM", ["52988006^SCT"], "the finding is a lesion"),
    ("T1", "363698007^SCT", ["39607008^SCT"], "lung"),
    ("T1", "112016^DCM", ["112074^DCM"], "target lesion at baseline"),
    ("NT1", "112016^DCM", ["112075^DCM"], "non-target lesion at baseline"),
    ("T1", "103339001^SCT", ["6.5 mm^UCUM"], "long axis"),
    ("T1", "103340004^SCT", ["3.375 mm^UCUM"], "short axis"),
    ("T1", "42798000^SCT", ["60.5 mm2^UCUM"], "area"),
    ("T1", "118565006^SCT", ["812.125 mm3^UCUM"], "volume"),
    ("T1", "112031^DCM", ["40 [hnsf'U]^UCUM", "11.25 [hnsf'U]^UCUM"], "mean attenuation and its SD"),
    ("N1", "103339001^SCT", ["22 mm^UCUM"], "the longest diameter of a node is kept"),
    ("N1", "103340004^SCT", ["18 mm^UCUM"], "and its short axis, which counts"),
    ("N1", "363698007^SCT", ["59441001^SCT"], "lymph node"),
    ("NT1", "103339001^SCT", [], "no number where the table has none"),
    ("NT1", "state^99TUMRESP", ["272519000^SCT"], "absent"),
    ("T1", "370129005^SCT", ["126081^DCM"], "measured for RECIST 1.1"),
]


@pytest.mark.parametrize(("lesion", "concept", "expected", "why"), LESION_ITEMS, ids=[row[3] for row in LESION_ITEMS])
def test_a_lesion_has(follow_up: pydicom.Dataset, lesion: str, concept: str, expected: list[str], why: str) -> None:
    assert values(groups(follow_up)[lesion], concept) == expected


def test_the_statistic_stands_as_derivation(follow_up: pydicom.Dataset) -> None:
    found = [values(item, "121401^DCM") for item in children(groups(follow_up)["T1"], "112031^DCM")]
    assert found == [["373098007^SCT"], ["386136009^SCT"]]  # mean, standard deviation


def test_the_method_modifies_the_group(follow_up: pydicom.Dataset) -> None:
    # TID 1501, row 5; highdicom 0.28 writes it as a part of the group
    for group in groups(follow_up).values():
        assert [item.RelationshipType for item in children(group, "370129005^SCT")] == ["HAS CONCEPT MOD"]


def test_the_side_is_a_modifier_of_the_site(follow_up: pydicom.Dataset) -> None:
    (site,) = children(groups(follow_up)["T1"], "363698007^SCT")
    assert values(site, "272741003^SCT") == ["7771000^SCT"]  # left
    (site,) = children(groups(follow_up)["N1"], "363698007^SCT")
    assert values(site, "272741003^SCT") == []


def test_end_points_are_pixels_of_the_image(follow_up: pydicom.Dataset, images: Images) -> None:
    # highdicom maps patient coordinates to the same pixels, with (0, 0) in the corner of the first one
    header = pydicom.dcmread(images.instances[DATES[1]])
    oracle = highdicom.spatial.ReferenceToImageTransformer(
        header.ImagePositionPatient, header.ImageOrientationPatient, header.PixelSpacing
    )
    for concept, pixels in (("103339001^SCT", LONG), ("103340004^SCT", SHORT)):
        (axis,) = children(groups(follow_up)["T1"], concept)
        (scoord,) = children(axis)
        assert (scoord.ValueType, scoord.RelationshipType, scoord.GraphicType) == (
            "SCOORD",
            "INFERRED FROM",
            "POLYLINE",
        )
        found = np.reshape(scoord.GraphicData, (2, 2))
        assert np.allclose(found, oracle(np.asarray(ends(images.grid, pixels)))[:, :2], atol=2e-3)
        assert np.allclose(found, [(column + 0.5, row + 0.5) for row, column in pixels], atol=2e-3)
        assert children(groups(follow_up)["T1"], "121112^DCM") == []  # the coordinates name the image
        (image,) = children(scoord)
        assert image.RelationshipType == "SELECTED FROM"
        assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == header.SOPInstanceUID
        assert "ReferencedFrameNumber" not in image.ReferencedSOPSequence[0]


def test_a_lesion_without_tracking_uid_has_the_same_in_every_report(reports: dict[str, pydicom.Dataset]) -> None:
    found = [values(groups(report)["N1"], "112040^DCM") for report in reports.values()]
    assert found[0] == found[1]
    assert found[0] != values(groups(reports["S-1_0"])["NT1"], "112040^DCM")
    assert found[0][0].startswith("2.25.")


def test_the_time_point_is_named(reports: dict[str, pydicom.Dataset]) -> None:
    lesion = groups(reports["S-1_1"])["T1"]
    assert values(lesion, "C2348792^UMLS") == values(lesion, "126070^DCM") == values(lesion, "126071^DCM") == ["1"]
    assert values(lesion, "126073^DCM") == ["1 1^UCUM"]
    assert values(lesion, "126072^DCM") == []
    assert values(lesion, "128740^DCM") == ["59 d^UCUM"]  # 2 January to 1 March 2024
    assert values(groups(reports["S-1_0"])["T1"], "126072^DCM") == ["C1442488^UMLS"]  # baseline


# --- responses

RESPONSE_ITEMS = [
    # 6.5 + 18 of 10.25 + 18 mm: -13.3 %
    ("recist-1.1", "121071^DCM", ["112020^DCM"], "response evaluation"),
    ("recist-1.1", "370129005^SCT", ["126081^DCM"], "RECIST 1.1"),
    ("choi", "370129005^SCT", ["C122394^NCIt"], "Choi"),
    ("recist-1.1", "112048^DCM", ["112044^DCM", "112045^DCM"], "target lesion SD is 112044, non-target CR 112045"),
    ("recist-1.1", "new_lesion^99TUMRESP", ["373067005^SCT"], "no new lesion"),
    ("recist-1.1", "overall^99TUMRESP", ["C18213^NCIt"], "overall SD"),
    ("choi", "overall^99TUMRESP", ["C18058^NCIt"], "Choi PR, for size fell by more than 10 %"),
    ("recist-1.1", "overall_adjudicated^99TUMRESP", [], "which no later timepoint revises"),
    ("recist-1.1", "sum_mm^99TUMRESP", ["24.5 mm^UCUM"], "sum of diameters"),
    ("recist-1.1", "baseline_mm^99TUMRESP", ["28.25 mm^UCUM"], "its baseline"),
    ("recist-1.1", "nadir_mm^99TUMRESP", ["28.25 mm^UCUM"], "its nadir"),
    ("recist-1.1", "nadir_timepoint^99TUMRESP", ["0"], "where that was"),
    ("recist-1.1", "112051^DCM", ["-13.27 %^UCUM"], "change from baseline, cut towards zero"),
    ("recist-1.1", "rule^99TUMRESP", ["recist-1.1.target.sd"], "the rule"),
    ("choi", "attenuation_hu^99TUMRESP", ["40 [hnsf'U]^UCUM"], "attenuation of the targets"),
]


@pytest.mark.parametrize(
    ("criterion", "concept", "expected", "why"), RESPONSE_ITEMS, ids=[row[3] for row in RESPONSE_ITEMS]
)
def test_a_response_has(
    follow_up: pydicom.Dataset, criterion: str, concept: str, expected: list[str], why: str
) -> None:
    assert values(groups(follow_up)[f"{criterion} response"], concept) == expected


def test_the_reason_is_the_conclusion(reports: dict[str, pydicom.Dataset]) -> None:
    (reason,) = values(groups(reports["S-1_1"])["recist-1.1 response"], "121077^DCM")
    assert "28.25 mm" in reason
    assert values(groups(reports["S-1_0"])["recist-1.1 response"], "rule^99TUMRESP") == ["baseline"]
    assert values(groups(reports["S-1_0"])["recist-1.1 response"], "overall^99TUMRESP") == []


# target diameters, state of the non-target, new lesion; codes of target, non-target and overall response
CATEGORIES = [
    ("40", "0", "absent", False, ["112041^DCM", "112045^DCM"], "C4870^NCIt", "CR"),
    ("40", "28", "present", False, ["112042^DCM", "112046^DCM"], "C18058^NCIt", "PR, and Non-CR/Non-PD is 112046"),
    ("40", "40", "present", False, ["112044^DCM", "112046^DCM"], "C18213^NCIt", "SD is 112044, not 43"),
    ("40", "48", "present", False, ["112043^DCM", "112046^DCM"], "C35571^NCIt", "PD is 112043, not 44"),
    ("40", "40", "unequivocal_progression", False, ["112044^DCM", "112047^DCM"], "C35571^NCIt", "non-target PD"),
    ("40", "NE", "present", False, ["target_NE^99TUMRESP", "112046^DCM"], "C62222^NCIt", "NE has no code of DICOM"),
    ("40", "40", "present", True, ["112044^DCM", "112046^DCM"], "C35571^NCIt", "a new lesion is PD"),
]


@pytest.mark.parametrize(
    ("before", "now", "state", "new", "lesions", "overall", "why"), CATEGORIES, ids=[row[6] for row in CATEGORIES]
)
def test_each_category_has_its_code(
    *, before: str, now: str, state: str, new: bool, lesions: list[str], overall: str, why: str, tmp_path: Path
) -> None:
    later = {"timepoint": "1", "date": "2024-03-01"}
    rows = [
        lesion_row(longest_mm=before),
        lesion_row(lesion="NT1", role="non_target", state="present"),
        lesion_row(**later, longest_mm=now),
        lesion_row(**later, lesion="NT1", role="non_target", state=state),
        *([lesion_row(**later, lesion="NEW", role="new", state="present")] if new else []),
    ]
    reports, _ = written(rows, tmp_path, timepoint="1")
    group = groups(reports["S-1_1"])["recist-1.1 response"]
    assert values(group, "112048^DCM") == lesions
    assert values(group, "overall^99TUMRESP") == [overall]
    assert values(group, "new_lesion^99TUMRESP") == ["373066001^SCT" if new else "373067005^SCT"]
    if new:
        assert values(groups(reports["S-1_1"])["NEW"], "112016^DCM") == ["112076^DCM"]  # non-lesion at baseline


def test_a_revised_response_stands_beside_the_first(tmp_path: Path) -> None:
    visits = {"0": "20", "1": "0", "2": "4"}  # CR; then something too small for PD, so that it was there all along
    rows = [
        lesion_row(longest_mm=now, timepoint=label, date=f"2024-0{2 * int(label) + 1}-02")
        for label, now in visits.items()
    ]
    assessed(rows, tmp_path)
    study = response.Protocol({"recist-1.1": {"post_cr_disease": "revise_to_pr"}})
    found = response.assess(response.read(tmp_path / "lesions.csv"), ["recist-1.1"], study)
    path = write_reports(found, tmp_path / "sr", timepoint="1")[0]
    group = groups(pydicom.dcmread(path))["recist-1.1 response"]
    assert values(group, "overall^99TUMRESP") == ["C4870^NCIt"]
    assert values(group, "overall_adjudicated^99TUMRESP") == ["C18058^NCIt"]


def test_mri_choi_gives_relative_enhancement_in_percent(tmp_path: Path) -> None:
    rows = [
        lesion_row(**at, organ="thigh", modality="MR", longest_mm="100", relative_enhancement_percent=number)
        for at, number in (({"timepoint": "0"}, "90"), ({"timepoint": "1", "date": "2024-03-01"}, "62.5"))
    ]
    reports, _ = written(rows, tmp_path, ["mri-choi"])
    group = groups(reports["S-1_1"])["mri-choi response"]
    assert values(group, "relative_enhancement_percent^99TUMRESP") == ["62.5 %^UCUM"]
    assert values(group, "baseline_relative_enhancement_percent^99TUMRESP") == ["90 %^UCUM"]
    assert values(group, "change_relative_enhancement_percent^99TUMRESP") == ["-30.55 %^UCUM"]  # cut towards zero
    assert values(group, "overall^99TUMRESP") == ["C18058^NCIt"]  # PR


@pytest.mark.parametrize(
    ("criterion", "cells", "column", "expected"),
    [
        ("who", {"short_mm": "10"}, "sum_mm2", "200 mm2^UCUM"),  # 20 x 10 mm
        ("qeasl", {"viable_volume_mm3": "2500.5"}, "qeasl_sum", "2500.5 mm3^UCUM"),
        ("qeasl", {"viable_volume_mm3": "2500.5"}, "qeasl_unmeasured", "0 1^UCUM"),
        ("percist", {"sul_peak": "7.5"}, "percist_sum", "7.5 1^UCUM"),
    ],
)
def test_a_sum_has_its_unit(criterion: str, cells: dict[str, str], column: str, expected: str, tmp_path: Path) -> None:
    rows = [lesion_row(**at, longest_mm="20", **cells) for at in ({}, {"timepoint": "1", "date": "2024-03-01"})]
    reports, _ = written(rows, tmp_path, criteria=[criterion])
    group = groups(reports["S-1_1"])[f"{criterion} response"]
    assert values(group, f"{column}^99TUMRESP") == [expected]


def test_chun_has_local_codes(tmp_path: Path) -> None:
    rows = [
        lesion_row(longest_mm="20", morphology="3"),
        lesion_row(longest_mm="20", morphology="1", timepoint="1", date="2024-03-01"),
    ]
    reports, _ = written(rows, tmp_path, criteria=["chun"])
    group = groups(reports["S-1_1"])["chun response"]
    assert values(group, "370129005^SCT") == ["chun^99TUMRESP"]
    assert values(group, "overall^99TUMRESP") == ["overall_optimal^99TUMRESP"]
    assert values(groups(reports["S-1_1"])["T1"], "morphology^99TUMRESP") == ["1"]


STATES = {
    "absent": "272519000^SCT",
    "present": "52101004^SCT",
    "too_small": "112133^DCM",
    "not_evaluable": "C62222^NCIt",
    "not_scheduled": "not_scheduled^99TUMRESP",
    "equivocal": "equivocal^99TUMRESP",
    "unequivocal_progression": "unequivocal_progression^99TUMRESP",
    "resolved": "resolved^99TUMRESP",
}


def test_each_state_has_its_code(tmp_path: Path) -> None:
    rows = [lesion_row(lesion=state, role="non_target", state=state) for state in STATES]
    found = groups(written(rows, tmp_path)[0]["S-1_0"])
    assert {state: values(found[state], "state^99TUMRESP") for state in STATES} == {k: [v] for k, v in STATES.items()}


# Codes of templates that are in no context group, so in no dictionary of pydicom: TID 1502; NCIt for responses.
OTHER_CODES = {"C2348792^UMLS", *(f"{value}^NCIt" for value in "C4870 C18058 C18213 C35571 C62222 C122394".split())}


def test_every_code_of_a_standard_is_in_its_dictionary(reports: dict[str, pydicom.Dataset]) -> None:
    known = {
        f"{value}^{scheme}"
        for scheme, spellings in concepts.items()
        for entries in spellings.values()
        for value in entries
    }
    found = {code(item) for report in reports.values() for item in _codes(report)}
    ours = {item for item in found if item.endswith("^99TUMRESP")}
    assert found - ours - known - OTHER_CODES == {"en-US^RFC5646"}


def _codes(dataset: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                if "CodeMeaning" in item:
                    yield item
                yield from _codes(item)


# --- where the image is not at hand

REFERENCE = {
    "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
    "sop_instance_uid": "1.2.3.1",
    "series_instance_uid": "1.2.3.2",
    "study_instance_uid": "1.2.3.3",
}


def _one(tmp_path: Path, **cells: Any) -> tuple[pydicom.Dataset, list[str]]:
    reports, told = written([lesion_row(longest_mm="20", short_mm="9", **cells)], tmp_path)
    return reports["S-1_0"], [finding.id for finding in told]


def test_a_table_with_references_needs_no_image(tmp_path: Path, images: Images) -> None:
    points = axes_cells(images.grid)
    report, told = _one(tmp_path, **points, **REFERENCE, frame_of_reference_uid="1.2.3.4", frame_number="7")
    assert told == []
    assert report.SOPClassUID == COMPREHENSIVE_3D
    assert report.StudyInstanceUID == "1.2.3.3"
    (axis,) = children(groups(report)["T1"], "103339001^SCT")
    (scoord,) = children(axis)
    assert (scoord.ValueType, scoord.GraphicType) == ("SCOORD3D", "POLYLINE")
    assert scoord.ReferencedFrameOfReferenceUID == "1.2.3.4"
    assert np.allclose(np.reshape(scoord.GraphicData, (2, 3)), ends(images.grid, LONG), atol=1e-3)
    (source,) = children(groups(report)["T1"], "121112^DCM")
    (reference,) = source.ReferencedSOPSequence
    assert (reference.ReferencedSOPInstanceUID, reference.ReferencedFrameNumber) == ("1.2.3.1", 7)
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence
    assert evidence.StudyInstanceUID == "1.2.3.3"
    (series,) = evidence.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == "1.2.3.2"
    assert [item.ReferencedSOPInstanceUID for item in series.ReferencedSOPSequence] == ["1.2.3.1"]


def test_a_frame_of_reference_without_points_makes_no_third_dimension(tmp_path: Path) -> None:
    report, _ = _one(tmp_path, **REFERENCE, frame_of_reference_uid="1.2.3.4")
    assert report.SOPClassUID == COMPREHENSIVE
    assert values(groups(report)["T1"], "frame_of_reference_uid^99TUMRESP") == ["1.2.3.4"]


def test_without_any_reference_the_report_has_no_evidence(tmp_path: Path, images: Images) -> None:
    report, told = _one(tmp_path, **axes_cells(images.grid))
    assert told == ["no_source_image", "no_frame_of_reference"]
    assert report.SOPClassUID == COMPREHENSIVE
    assert "CurrentRequestedProcedureEvidenceSequence" not in report
    assert "PertinentOtherEvidenceSequence" not in report
    group = groups(report)["T1"]
    assert all(not children(axis) for axis in children(group, "103339001^SCT"))
    assert values(group, "longest_from^99TUMRESP") == [axes_cells(images.grid)["longest_from"]]  # kept as a text


@pytest.mark.parametrize("missing", ["sop_class_uid", "series_instance_uid", "study_instance_uid"])
@pytest.mark.parametrize("wrong", ["", "not a UID", "1.2.03"])
def test_an_image_that_is_not_named_in_full_is_not_referred_to(missing: str, wrong: str, tmp_path: Path) -> None:
    report, told = _one(tmp_path, **{**REFERENCE, missing: wrong})
    assert told == ["incomplete_reference"]
    assert "CurrentRequestedProcedureEvidenceSequence" not in report
    assert values(groups(report)["T1"], "sop_instance_uid^99TUMRESP") == ["1.2.3.1"]


def test_images_fill_in_what_the_table_lacks(images: Images, tmp_path: Path) -> None:
    row = lesion_row(longest_mm="20", sop_instance_uid=images.uid(DATES[0]))
    reports, told = written([row], tmp_path, images=images.folder)
    assert told == []
    header = pydicom.dcmread(images.instances[DATES[0]])
    (evidence,) = reports["S-1_0"].CurrentRequestedProcedureEvidenceSequence
    (series,) = evidence.ReferencedSeriesSequence
    assert (evidence.StudyInstanceUID, series.SeriesInstanceUID) == (header.StudyInstanceUID, header.SeriesInstanceUID)
    assert series.ReferencedSOPSequence[0].ReferencedSOPClassUID == header.SOPClassUID


def test_an_image_that_is_not_there_is_told(images: Images, tmp_path: Path) -> None:
    row = lesion_row(longest_mm="20", short_mm="9", **axes_cells(images.grid), **REFERENCE)
    reports, told = written([row], tmp_path, images=images.folder)
    assert [finding.id for finding in told] == ["image_not_found"]
    assert told[0].line == 2
    assert values(groups(reports["S-1_0"])["T1"], "longest_to^99TUMRESP") != []


def test_points_off_the_image_stay_in_the_patient(images: Images, tmp_path: Path) -> None:
    aside = images.grid.points(2, 4.0, 12.25)  # the image ends half a pixel behind the centre of column 11
    beside = {**axes_cells(images.grid), "longest_to": point_text(aside)}
    for cells, why in ((axes_cells(images.grid, 3), "on the next slice"), (OUTSIDE, "far away"), (beside, "beside it")):
        row = lesion_row(longest_mm="20", short_mm="9", sop_instance_uid=images.uid(DATES[0]), **cells)
        reports, told = written([row], tmp_path, images=images.folder)
        assert [finding.id for finding in told] == ["points_off_image"], why
        assert reports["S-1_0"].SOPClassUID == COMPREHENSIVE_3D
        (axis,) = children(groups(reports["S-1_0"])["T1"], "103339001^SCT")
        assert [item.ValueType for item in children(axis)] == ["SCOORD3D"]


OUTSIDE = {
    "longest_from": "[1000 1000 1000]",
    "longest_to": "[1010 1000 1000]",
    "short_from": "[1000 990 1000]",
    "short_to": "[1000 1010 1000]",
}


@pytest.mark.parametrize(
    "text", ["12 13", "[1 2]", "[1 2 3 4]", "[1 2 x]", "[nan 1 2]", "[1e30 0 0]", "[1,2 3]", "[inf inf inf]"]
)
def test_an_end_point_that_is_none_stays_a_text(text: str, images: Images, tmp_path: Path) -> None:
    cells = {**axes_cells(images.grid), "longest_from": text, "sop_instance_uid": images.uid(DATES[0])}
    reports, told = written([lesion_row(longest_mm="20", short_mm="9", **cells)], tmp_path, images=images.folder)
    assert [finding.id for finding in told] == ["unusable_point"]
    group = groups(reports["S-1_0"])["T1"]
    assert values(group, "longest_from^99TUMRESP") == [text]
    assert [item.ValueType for item in children(children(group, "103340004^SCT")[0])] == ["SCOORD"]


# --- patient and study


def test_patient_and_study_come_from_the_image(tmp_path: Path) -> None:
    tags = {"PatientName": "Doe^Jane", "PatientBirthDate": "19600102", "PatientSex": "F", "StudyTime": "101500"}
    images = write_images(tmp_path / "images", tags={**tags, "StudyID": "77", "AccessionNumber": "A-1"})
    reports, _ = written(measured_rows(images), tmp_path, images=images.folder)
    report, header = reports["S-1_1"], pydicom.dcmread(images.instances[DATES[1]])
    for keyword in (*tags, "StudyID", "AccessionNumber", "PatientID", "StudyInstanceUID", "StudyDate"):
        assert report[keyword].value == header[keyword].value, keyword
    assert report.SeriesInstanceUID != header.SeriesInstanceUID
    assert "ClinicalTrialSubjectID" not in report
    assert "Doe" not in "".join(path.name for path in (tmp_path / "sr").iterdir())


def test_another_patient_id_leaves_the_subject_of_the_trial(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", subject="MRN 4711")
    reports, _ = written(measured_rows(images), tmp_path, images=images.folder)
    assert (reports["S-1_0"].PatientID, reports["S-1_0"].ClinicalTrialSubjectID) == ("MRN 4711", "S-1")


def test_without_an_image_the_subject_is_the_patient(tmp_path: Path) -> None:
    report, _ = _one(tmp_path)
    assert (report.PatientID, str(report.PatientName), report.StudyDate) == ("S-1", "", "20240102")
    assert report.StudyInstanceUID.startswith("2.25.")


DATE_CASES = [("2024-03", "", "a month is no date"), ("2024", "", "nor is a year"), ("2024-01-02", "20240102", "a day")]


@pytest.mark.parametrize(("date", "expected", "why"), DATE_CASES, ids=[row[2] for row in DATE_CASES])
def test_a_partial_date_is_no_study_date(date: str, expected: str, why: str, tmp_path: Path) -> None:
    reports, _ = written([lesion_row(longest_mm="20", date=date)], tmp_path)
    assert reports["S-1_0"].StudyDate == expected
    assert values(groups(reports["S-1_0"])["T1"], "date^99TUMRESP") == ([date] if not expected else [])


def test_the_evaluator_is_the_observer(tmp_path: Path) -> None:
    rows = [lesion_row(longest_mm="20", evaluator=who) for who in ("READER 1", "Reader=2^x")]
    reports, _ = written(rows, tmp_path)
    names = [children(report, "121008^DCM")[0].PersonName for report in reports.values()]
    assert [str(found) for found in names] == ["READER 1", "Reader 2 x"]
    uids = [values(groups(report)["T1"], "112040^DCM") for report in reports.values()]
    assert uids[0] != uids[1]  # another reader's T1 may be another lesion
    assert all(values(report, "121013^DCM") == ["tumor-response"] for report in reports.values())


# --- identity


def test_a_tracking_uid_stands_for_the_rows_that_lack_it(tmp_path: Path) -> None:
    later = {"timepoint": "1", "date": "2024-03-01"}
    rows = [lesion_row(longest_mm="20", tracking_uid="1.2.9"), lesion_row(longest_mm="20", **later)]
    reports, _ = written(rows, tmp_path)
    assert [values(groups(report)["T1"], "112040^DCM") for report in reports.values()] == [["1.2.9"], ["1.2.9"]]


def test_a_lesion_of_several_tracking_uids_lends_none(tmp_path: Path) -> None:
    rows = [
        lesion_row(longest_mm="20", timepoint=label, date=f"2024-0{label}-02", tracking_uid=uid)
        for label, uid in (("1", "1.2.8"), ("2", "1.2.9"), ("3", ""))
    ]
    reports, _ = written(rows, tmp_path)
    found = [values(groups(report)["T1"], "112040^DCM")[0] for report in reports.values()]
    assert found[:2] == ["1.2.8", "1.2.9"]
    assert found[2].startswith("2.25.")


SIDES = [
    ("left lung", "", "7771000^SCT", "left"),
    ("lung", "Right upper lobe", "24028007^SCT", "right, in the location"),
    ("kidneys", "bilateral", "51440002^SCT", "both, by one word"),
    ("lung", "left and right", None, "two sides are none"),
    ("liver", "leftover", None, "not a part of a word"),
]


@pytest.mark.parametrize(("organ", "location", "expected", "why"), SIDES, ids=[row[3] for row in SIDES])
def test_a_side_is_a_whole_word(organ: str, location: str, expected: str | None, why: str) -> None:
    found = laterality_code(organ, location)
    assert (found and f"{found.value}^{found.scheme_designator}") == expected


@pytest.mark.parametrize("bad", ["x", "1.2.", "1." + "2" * 70, ""])
def test_a_tracking_uid_that_is_none_is_replaced(bad: str, tmp_path: Path) -> None:
    report, _ = _one(tmp_path, tracking_uid=bad)
    assert values(groups(report)["T1"], "112040^DCM")[0].startswith("2.25.")


def test_one_uid_for_two_lesions_tells_nothing_apart(tmp_path: Path) -> None:
    rows = [lesion_row(longest_mm="20", lesion=lesion, tracking_uid="1.2.9") for lesion in ("T1", "T2")]
    reports, _ = written(rows, tmp_path)
    found = [values(group, "112040^DCM")[0] for lesion, group in groups(reports["S-1_0"]).items() if lesion[0] == "T"]
    assert len(set(found)) == 2
    assert "1.2.9" not in found


def test_the_only_diameter_of_a_node_is_its_short_axis(tmp_path: Path) -> None:
    rows = [lesion_row(lesion="N", organ="lymph node", diameter_mm="16"), lesion_row(diameter_mm="20")]
    reports, _ = written(rows, tmp_path)
    found = groups(reports["S-1_0"])
    assert values(found["N"], "103340004^SCT") == ["16 mm^UCUM"]
    assert values(found["N"], "103339001^SCT") == []
    assert values(found["T1"], "103339001^SCT") == ["20 mm^UCUM"]


# --- multi-frame images


def test_a_frame_is_named_or_found(tmp_path: Path) -> None:
    from tests.dicom_factory import oblique_grid, write_enhanced

    grid = oblique_grid((5, 16, 12))
    path = write_enhanced(tmp_path / "images" / "enhanced.dcm", np.zeros(grid.shape, np.int16), grid)
    header = pydicom.dcmread(path)
    number = _frame_at(header, grid.origins[2])
    for named in ("", str(number)):
        row = lesion_row(longest_mm="20", short_mm="9", sop_instance_uid=header.SOPInstanceUID, **axes_cells(grid))
        reports, told = written([{**row, "frame_number": named}], tmp_path, images=tmp_path / "images")
        assert told == []
        (scoord,) = children(children(groups(reports["S-1_0"])["T1"], "103339001^SCT")[0])
        assert np.allclose(scoord.GraphicData, [2.5, 4.5, 9.0, 4.5], atol=2e-3)
        assert children(scoord)[0].ReferencedSOPSequence[0].ReferencedFrameNumber == number


def test_a_frame_that_is_not_named_is_not_guessed(tmp_path: Path) -> None:
    from tests.dicom_factory import oblique_grid, write_enhanced

    grid = oblique_grid((5, 16, 12))
    twice = replace(grid, origins=grid.origins[[2, 2]])  # two phases of one slice
    path = write_enhanced(tmp_path / "images" / "enhanced.dcm", np.zeros(twice.shape, np.int16), twice)
    uid = pydicom.dcmread(path).SOPInstanceUID
    row = lesion_row(longest_mm="20", short_mm="9", sop_instance_uid=uid, **axes_cells(grid))
    reports, told = written([row], tmp_path, images=tmp_path / "images")
    assert [finding.id for finding in told] == ["points_off_image"]
    group = groups(reports["S-1_0"])["T1"]
    assert [item.ValueType for item in children(children(group, "103339001^SCT")[0])] == ["SCOORD3D"]
    (source,) = children(group, "121112^DCM")
    assert "ReferencedFrameNumber" not in source.ReferencedSOPSequence[0]


def _frame_at(header: pydicom.Dataset, origin: Any) -> int:
    positions = [
        frame.PlanePositionSequence[0].ImagePositionPatient for frame in header.PerFrameFunctionalGroupsSequence
    ]
    return 1 + int(np.argmin(np.linalg.norm(np.asarray(positions, float) - origin, axis=1)))


# --- the checks of other programs


@pytest.fixture(scope="module", params=["on images", "in 3D", "as texts", "ohif", "ohif in 3D", "hostile"])
def checked(request: pytest.FixtureRequest, images: Images, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("checked")
    rows = measured_rows(images)
    if "3D" in request.param:
        rows = [
            {**row, **REFERENCE, "frame_of_reference_uid": "1.2.3.4"} if row["lesion"] == "T1" else row for row in rows
        ]
    if request.param == "hostile":
        rows = [
            {**row, "subject": HOSTILE, "lesion": f"{row['lesion']} \\ {HOSTILE}", "organ": HOSTILE} for row in rows
        ]
    on_images = request.param in ("on images", "ohif")
    return write_reports(
        assessed(rows, folder, ["choi"]),
        folder / "sr",
        images=images.folder if on_images else None,
        axes="ohif" if "ohif" in request.param else "standard",
        timepoint="1",
    )


HOSTILE = "../Jürgen\t^=\\ 名前 " + "x" * 90

EXPECTED_WARNINGS = (
    "Unrecognized defined term <99TUMRESP>",  # a private scheme, which the file names
    "Missing attribute or value that would be needed to build DICOMDIR",  # the table knows no study time
)


def test_dciodvfy_finds_no_error(checked: list[Path]) -> None:
    program = needs("dciodvfy", "dicom3tools")
    for path in checked:
        lines = output_of(program, str(path))
        assert "Error" not in "\n".join(lines)
        odd = [
            line
            for line in lines
            if line.startswith("Warning") and not any(known in line for known in EXPECTED_WARNINGS)
        ]
        assert odd == []


PIXELMED = Path("/usr/share/java/pixelmed.jar")
# Its rules are one XSLT of 6 MB, larger than Java allows by itself.
UNLIMITED = [f"-Djdk.xml.{limit}=0" for limit in ("xpathTotalOpLimit", "xpathExprOpLimit", "xpathExprGrpLimit")]


@pytest.mark.slow
@pytest.mark.parametrize("checked", ["on images", "ohif in 3D"], indirect=True)
def test_the_reports_follow_the_template(checked: list[Path]) -> None:
    program = needs("java", "default-jre-headless")
    if not PIXELMED.exists():
        pytest.skip(f"no {PIXELMED} (Debian package libpixelmed-java): reports are not held against TID 1500")
    validator = "com.pixelmed.validate.DicomSRValidator"
    for path in checked:
        lines = output_of(program, "-Xss512m", *UNLIMITED, "-cp", str(PIXELMED), validator, str(path))
        assert "Found Root Template TID_1500 (MeasurementReport)" in lines
        assert "Root Template Validation Complete" in lines
        # TID 1501 is extensible: what is not in it is allowed
        assert [line for line in lines if line.startswith(("Error", "Warning")) and "not in template" not in line] == []


def test_dsrdump_reads_the_reports(checked: list[Path]) -> None:
    program = needs("dsrdump", "dcmtk")
    for path in checked:
        lines = output_of(program, "--print-all-codes", str(path))
        assert not [line for line in lines if line.startswith("E:")]
        assert any("Long " in line and "mm" in line for line in lines)


def test_highdicom_reads_the_reports(checked: list[Path]) -> None:
    for path in checked:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = highdicom.sr.srread(path)
        assert isinstance(report.content, highdicom.sr.MeasurementReport)
        found = report.content.get_image_measurement_groups()
        assert len(found) == 5  # three lesions, RECIST 1.1 and Choi
        lengths = [group.get_measurements(codes.SCT.LongAxis) for group in found]
        assert sorted(item[0].value for item in lengths if item) == [6.5, 22.0]


# --- files


def test_the_same_input_gives_the_same_files(images: Images, tmp_path: Path) -> None:
    found = assessed(measured_rows(images), tmp_path)
    first = write_reports(found, tmp_path / "a", images=images.folder, created=CREATED)
    second = write_reports(found, tmp_path / "b", images=images.folder, created=CREATED)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_later_version_is_another_instance_of_the_series(images: Images, tmp_path: Path) -> None:
    found = assessed(measured_rows(images), tmp_path)
    times = (CREATED, datetime(2025, 3, 4, 5, 6, 8))
    a, b = (
        pydicom.dcmread(write_reports(found, tmp_path / f"{time:%S}", images=images.folder, created=time)[0])
        for time in times
    )
    assert a.SOPInstanceUID != b.SOPInstanceUID
    assert a.SeriesInstanceUID == b.SeriesInstanceUID
    assert (a.ContentDate, a.ContentTime) == ("20250304", "050607")
    assert a.ContentSequence == b.ContentSequence


def test_the_order_of_rows_and_other_subjects_change_nothing(images: Images, tmp_path: Path) -> None:
    rows = measured_rows(images)
    alone, _ = written(rows, tmp_path, images=images.folder)
    others = [lesion_row(subject="A", longest_mm="20"), *reversed(rows), lesion_row(subject="Z", longest_mm="20")]
    among, _ = written(others, tmp_path, images=images.folder)
    assert set(among) == {"A_0", "Z_0", *alone}
    for stem, report in alone.items():
        assert groups(report) == groups(among[stem])


NAMES = [
    ("S-1", "S-1_0.dcm", "a plain id stands as it is"),
    ("../../etc/passwd", None, "no way out of the folder"),
    ("a/b\\c", None, "no separators"),
    ("..", None, "points alone"),
    ("-rf", None, "no option of a command"),
    ("名前", None, "other letters"),
    ("x" * 300, None, "too long for a file name"),
    ("S 1", None, "a blank"),
]


@pytest.mark.parametrize(("subject", "expected", "why"), NAMES, ids=[row[2] for row in NAMES])
def test_file_names_are_safe(subject: str, expected: str | None, why: str, tmp_path: Path) -> None:
    rows = [lesion_row(longest_mm="20", subject=subject)]
    (tmp_path / "in").mkdir()
    before = set(tmp_path.iterdir())
    (path,) = write_reports(assessed(rows, tmp_path / "in"), tmp_path / "sr")
    assert set(tmp_path.iterdir()) - before == {tmp_path / "sr"}
    assert [found.name for found in (tmp_path / "sr").iterdir()] == [path.name]
    assert path.name == (expected or path.name)
    assert path.name.isascii()
    assert len(path.name) < 130
    assert path.name[0].isalnum()


def test_two_ids_never_share_a_name() -> None:
    ids = ["A/B", "A\\B", "A B", "A-B", "A_0", "A", "..", "名前", "", "A\x00B", "x" * 120, "x" * 121]
    assert len({safe_name(subject, "", "0") for subject in ids}) == len(ids)
    assert len({safe_name("A", who) for who in ids}) == len(ids)


def test_ids_that_differ_in_capitals_have_files_of_their_own(tmp_path: Path) -> None:
    # a disk may not tell them apart; nor do the parts of a name tell which part they are
    rows = [lesion_row(longest_mm="20", subject=subject) for subject in ("a", "A")]
    rows += [lesion_row(longest_mm="20", subject="A", evaluator="0", timepoint=timepoint) for timepoint in ("", "0")]
    rows += [lesion_row(longest_mm="20", subject="A_0")]
    paths = write_reports(assessed(rows, tmp_path), tmp_path / "sr")
    assert len({path.name.casefold() for path in paths}) == len(paths) == len(list((tmp_path / "sr").iterdir()))


def test_a_subject_and_a_timepoint_can_be_chosen(images: Images, tmp_path: Path) -> None:
    rows = [*measured_rows(images), lesion_row(subject="S-2", longest_mm="20")]
    assert list(written(rows, tmp_path, subject="S-2")[0]) == ["S-2_0"]
    assert list(written(rows, tmp_path, timepoint="1")[0]) == ["S-1_1"]
    with pytest.raises(InputError, match="no measurement"):
        written(rows, tmp_path, subject="S-3")


# --- what goes wrong


def test_one_report_that_fails_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sr_writing._Writer.report

    def failing(self: Any, record: Any) -> Any:
        if record.subject == "S-2":
            raise ValueError("a value of the patient")
        return real(self, record)

    monkeypatch.setattr(sr_writing._Writer, "report", failing)
    rows = [lesion_row(longest_mm="20", subject=subject) for subject in ("S-1", "S-2", "S-3")]
    reports, told = written(rows, tmp_path)
    assert list(reports) == ["S-1_0", "S-3_0"]
    (finding,) = (finding for finding in told if finding.severity == "error")
    assert (finding.id, finding.subject, finding.found) == ("report_failed", "S-2", "ValueError")
    assert "patient" not in f"{finding.sentence} {finding.remedy}"


def test_where_no_report_can_be_made_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: Any, record: Any) -> Any:
        raise ValueError

    monkeypatch.setattr(sr_writing._Writer, "report", failing)
    found = assessed([lesion_row(longest_mm="20")], tmp_path)
    with pytest.raises(OutputError, match="nothing was written"):
        write_reports(found, tmp_path / "sr")
    assert not (tmp_path / "sr").exists()


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sr_writing._Writer.report

    def interrupted(self: Any, record: Any) -> Any:
        if record.timepoint == "1":
            raise KeyboardInterrupt
        return real(self, record)

    monkeypatch.setattr(sr_writing._Writer, "report", interrupted)
    found = assessed([lesion_row(longest_mm="20"), lesion_row(longest_mm="20", timepoint="1")], tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write_reports(found, tmp_path / "sr")
    assert [path.name for path in tmp_path.iterdir()] == ["lesions.csv"]


def test_odd_files_among_the_images_are_passed_over(images: Images, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "notes.txt").write_text("no DICOM")
    (folder / "empty.dcm").write_bytes(b"")
    whole = images.instances[DATES[0]].read_bytes()
    (folder / "a_cut.dcm").write_bytes(whole[:400])
    (folder / "b_whole.dcm").write_bytes(whole)
    row = lesion_row(longest_mm="20", short_mm="9", sop_instance_uid=images.uid(DATES[0]), **axes_cells(images.grid))
    reports, told = written([row], tmp_path, images=folder)
    assert {finding.id for finding in told} == {"unreadable_image"}
    assert reports["S-1_0"].SOPClassUID == COMPREHENSIVE


NO_GEOMETRY = {
    "no spacing": {"PixelSpacing": None},
    "spacing of 0": {"PixelSpacing": ["0", "0.6"]},
    "negative spacing": {"PixelSpacing": ["0.9", "-0.6"]},
    "axes that are one": {"ImageOrientationPatient": ["1", "0", "0", "1", "0", "0"]},
    "no rows": {"Rows": 0},
    "no position": {"ImagePositionPatient": ["1", "2"]},
}


@pytest.mark.parametrize("tags", NO_GEOMETRY.values(), ids=NO_GEOMETRY)
def test_an_image_without_geometry_is_referred_to_all_the_same(tags: dict[str, Any], tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", tags=tags)
    reports, told = written(measured_rows(images)[:1], tmp_path, images=images.folder)
    assert [finding.id for finding in told] == ["points_off_image"]
    assert reports["S-1_0"].SOPClassUID == COMPREHENSIVE_3D
    assert reports["S-1_0"].CurrentRequestedProcedureEvidenceSequence


def test_headers_that_do_not_fit_do_not_stop_a_report(tmp_path: Path) -> None:
    tags = {"PatientSex": "UNKNOWN", "PatientBirthDate": None, "StudyTime": "99", "StudyID": None, "StudyDate": "1"}
    images = write_images(tmp_path / "images", tags=tags)
    reports, told = written(measured_rows(images), tmp_path, images=images.folder)
    assert {finding.lesion for finding in told} == {"N1"}  # which has no image
    for keyword in tags:
        assert not reports["S-1_0"][keyword].value, keyword


def test_images_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        written([lesion_row(longest_mm="20")], tmp_path, images=tmp_path / "nowhere")


def test_the_axes_have_two_spellings(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="standard, ohif"):
        written([lesion_row(longest_mm="20")], tmp_path, axes="osirix")


def test_the_extra_is_named_where_highdicom_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingExtraError, match=r"tumor-response\[dicom\]"):
        written([lesion_row(longest_mm="20")], tmp_path)


def test_a_missed_visit_has_a_report_of_its_response(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text("subject,timepoint,date,done,unscheduled\nS-1,1,2024-03-01,N,Y\n")
    found = assessed([lesion_row(longest_mm="20")], tmp_path, visits=tmp_path / "visits.csv")
    paths = write_reports(found, tmp_path / "sr")
    report = pydicom.dcmread(paths[1])
    assert list(groups(report)) == ["recist-1.1 response"]
    assert values(groups(report)["recist-1.1 response"], "overall^99TUMRESP") == ["C62222^NCIt"]
    assert values(groups(report)["recist-1.1 response"], "126072^DCM") == ["C1699701^UMLS"]  # unscheduled


def test_nothing_of_a_patient_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: Any) -> None:
    canary = "CANARY"
    images = write_images(
        tmp_path / "images", subject=canary, tags={"PatientName": f"{canary} X", "PatientSex": canary}
    )
    rows = [{**row, "evaluator": canary} for row in measured_rows(images)]
    written(rows, tmp_path, images=images.folder)
    printed = capfd.readouterr()
    assert canary not in printed.out + printed.err + caplog.text
