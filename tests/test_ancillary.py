"""Ancillary findings: expected values by hand from the words and numbers of small trials; they change no category."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from pandas.api.types import is_numeric_dtype

from response.ancillary import KINDS, PRESENT_FRACTION, pathology_classes, status_by_numbers
from response.checks.ancillary import LITTLE_CHANGE
from response.descriptors import DESCRIPTORS
from response.engine import Assessment
from response.io.results import left_from_before, write_results
from response.registry import criterion_names
from response.report.tables import ANCILLARY_COLUMNS, ancillary_table, timepoint_table
from response.vocabulary import Ancillary, PathologyClass, text_of
from tests.trials import assessed, from_rows, target


def rows_of(assessment: Assessment) -> list[dict[str, str]]:
    return [{str(name): str(value) for name, value in row.items()} for row in assessment.ancillary.to_dict("records")]


def told(lesions: str) -> list[tuple[str, str, str, str]]:
    """Return timepoint, finding, status and indication of each row after the baseline."""
    rows = [row for row in rows_of(assessed(lesions)) if row["timepoint"] != "0"]
    return [(row["timepoint"], row["finding"], row["status"], row["indication"]) for row in rows]


def follow_up(column: str, then: str, now: str) -> list[tuple[str, str, str, str]]:
    return told(f"T1 liver 50[{column}={then}]|50[{column}={now}]")


# word at baseline, word now, status: the whole table, by hand
WORDS = [
    ("absent", "absent", "absent"),
    ("absent", "present", "new"),
    ("absent", "new", "new"),
    ("absent", "increased", "new"),
    ("absent", "stable", "absent"),
    ("absent", "decreased", "not_evaluable"),
    ("absent", "not_evaluable", "not_evaluable"),
    ("absent", "", "not_evaluable"),
    ("present", "absent", "decreased"),
    ("present", "present", "stable"),
    ("present", "new", "increased"),
    ("present", "increased", "increased"),
    ("present", "stable", "stable"),
    ("present", "decreased", "decreased"),
    ("present", "not_evaluable", "not_evaluable"),
    ("present", "", "not_evaluable"),
    ("", "absent", "absent"),
    ("", "present", "not_evaluable"),
    ("", "new", "new"),
    ("", "increased", "increased"),
    ("", "stable", "stable"),
    ("", "decreased", "decreased"),
    ("not_evaluable", "present", "not_evaluable"),
    ("not_evaluable", "increased", "increased"),
]


@pytest.mark.parametrize(("then", "now", "status"), WORDS)
def test_words_against_baseline(then: str, now: str, status: str) -> None:
    assert [row[2] for row in follow_up("fibrosis_finding", then, now)] == [status]


# column, at baseline, now, status; on the tolerance and just off it
NUMBERS = [
    ("necrosis_fraction", "0.049", "0.149", "new"),
    ("necrosis_fraction", "0.049", "0.148", "stable"),
    ("necrosis_fraction", "0.05", "0.15", "increased"),
    ("necrosis_fraction", "0.05", "0.01", "stable"),  # it was there, and fell by less than a tenth
    ("necrosis_fraction", "0.5", "0.599", "stable"),
    ("necrosis_fraction", "0.5", "0.4", "decreased"),
    ("necrosis_fraction", "0.5", "0.401", "stable"),
    ("necrosis_fraction", "0.01", "0.049", "absent"),
    ("necrosis_fraction", "0.01", "0.05", "stable"),
    ("necrosis_fraction", "0.5", "", "not_evaluable"),
    ("necrosis_fraction", "", "0.5", "not_evaluable"),
    ("calcified_fraction", "0.009", "0.059", "new"),
    ("calcified_fraction", "0.01", "0.06", "increased"),
    ("calcified_fraction", "0.01", "0.059", "stable"),
    ("haemorrhage_fraction", "0.049", "0.149", "new"),
    ("haemorrhage_fraction", "0.05", "0.15", "increased"),
    ("haemorrhage_fraction", "0.05", "0.149", "stable"),
    ("viable_fraction", "0.9", "0.8", "decreased"),
    ("viable_fraction", "0.3", "0.4", "increased"),
    ("enhancement_hu", "40", "30", "decreased"),
    ("enhancement_hu", "40", "30.001", "stable"),
    ("enhancement_hu", "9.9", "19.9", "new"),
    ("enhancement_hu", "-5", "9.9", "absent"),
    ("enhancement_hu", "-5", "10", "new"),
    ("enhancement_hu", "10", "20", "increased"),
    ("enhancement_hu", "2", "9", "absent"),
    ("relative_enhancement_percent", "9", "29", "new"),
    ("relative_enhancement_percent", "90", "70", "decreased"),
    ("relative_enhancement_percent", "90", "70.001", "stable"),
    ("relative_enhancement_percent", "-5", "9.9", "absent"),
    ("adc", "1", "1.27", "increased"),  # 27 % of the baseline
    ("adc", "1", "1.269", "stable"),
    ("adc", "2", "1.46", "decreased"),
    ("adc", "2", "1.461", "stable"),
    ("adc", "0", "0", "stable"),
    ("adc", "0", "0.1", "increased"),
]


@pytest.mark.parametrize(("column", "then", "now", "status"), NUMBERS)
def test_numbers_against_baseline(column: str, then: str, now: str, status: str) -> None:
    assert [row[2] for row in follow_up(column, then, now)] == [status]


# finding, more, less: the direction that the sources, or the project, give
DIRECTIONS = [
    ("necrosis_finding", "necrosis", "supports", "argues against"),
    ("fibrosis_finding", "fibrosis", "supports", "neither"),
    ("cystic_finding", "cystic change", "supports", "neither"),
    ("calcification_finding", "calcification", "supports", "neither"),
    ("haemorrhage_finding", "haemorrhage", "supports", "neither"),
    ("interface_finding", "sharp interface", "supports", "argues against"),
    ("rim_finding", "thick rim", "argues against", "supports"),
    ("fat_finding", "fat", "neither", "neither"),
    ("enhancement_finding", "enhancement", "argues against", "supports"),
]


@pytest.mark.parametrize(("column", "finding", "more", "less"), DIRECTIONS)
def test_what_each_finding_says_of_response(column: str, finding: str, more: str, less: str) -> None:
    assert follow_up(column, "present", "increased") == [("1", finding, "increased", more)]
    assert follow_up(column, "absent", "new") == [("1", finding, "new", more)]
    assert follow_up(column, "present", "decreased") == [("1", finding, "decreased", less)]
    assert follow_up(column, "present", "stable") == [("1", finding, "stable", "neither")]
    assert follow_up(column, "present", "not_evaluable") == [("1", finding, "not_evaluable", "")]


def test_every_kind_of_finding_has_its_direction_in_a_case() -> None:
    assert set(KINDS) - {"viable fraction", "ADC", "relative enhancement"} == {case[1] for case in DIRECTIONS}
    assert follow_up("adc", "1", "1.5") == [("1", "ADC", "increased", "supports")]
    assert follow_up("adc", "1.5", "1") == [("1", "ADC", "decreased", "argues against")]
    name = "relative enhancement"
    assert follow_up("relative_enhancement_percent", "90", "40") == [("1", name, "decreased", "supports")]
    assert follow_up("relative_enhancement_percent", "40", "90") == [("1", name, "increased", "argues against")]
    assert follow_up("viable_fraction", "0.9", "0.5") == [("1", "viable fraction", "decreased", "supports")]
    assert follow_up("viable_fraction", "0.1", "0.5") == [("1", "viable fraction", "increased", "argues against")]


# word and number at baseline, word and number now, status
BOTH = [
    ("present", "0.2", "present", "0.4", "increased"),  # numbers refine "present" then and now
    ("present", "0.2", "stable", "0.4", "stable"),  # a word that tells the change wins
    ("", "0.2", "increased", "", "increased"),
    ("absent", "0.2", "present", "0.2", "new"),  # the reader saw none at baseline
    ("present", "", "present", "0.4", "stable"),  # a number without one at baseline says nothing
    ("present", "0.4", "", "0.2", "decreased"),
    ("absent", "", "", "0.4", "new"),  # the reader saw none: 0 at baseline
    ("absent", "", "", "0.049", "absent"),
    ("absent", "0.3", "", "0.4", "increased"),  # but a number at baseline counts
    ("not_evaluable", "", "", "0.4", "not_evaluable"),
    ("present", "", "", "0.4", "not_evaluable"),
]


@pytest.mark.parametrize(("word", "number", "word_now", "number_now", "status"), BOTH)
def test_words_and_numbers_together(word: str, number: str, word_now: str, number_now: str, status: str) -> None:
    then = f"necrosis_finding={word},necrosis_fraction={number}"
    now = f"necrosis_finding={word_now},necrosis_fraction={number_now}"
    assert [row[2] for row in told(f"T1 liver 50[{then}]|50[{now}]")] == [status]


def test_a_status_refers_to_the_baseline_and_not_to_the_last_timepoint() -> None:
    found = told("T1 liver 50[necrosis_fraction=0.2]|50[necrosis_fraction=0.6]|50[necrosis_fraction=0.35]")
    assert [row[2] for row in found] == ["increased", "increased"]


def test_up_to_the_baseline_there_is_no_status() -> None:
    rows = rows_of(
        assessed("T1 liver 50[rim_finding=absent]|50[rim_finding=present,baseline=Y]|50[rim_finding=absent]")
    )
    assert [(row["recorded"], row["status"], row["indication"]) for row in rows] == [
        ("absent", "", ""),
        ("present", "", ""),
        ("absent", "decreased", "supports"),
    ]


def test_a_new_lesion_has_no_baseline() -> None:
    rows = rows_of(assessed("T1 liver 50|50 ; NL1 liver -|20[rim_finding=present]"))
    assert [(row["lesion"], row["status"], row["why"]) for row in rows] == [
        ("NL1", "not_evaluable", "not known at baseline")
    ]


def test_why_a_lesion_tells_nothing() -> None:
    for now, why in (
        ("0", "the lesion is no longer visible"),
        ("NE", "the lesion was not evaluable"),
        ("50", "not recorded"),
    ):
        rows = rows_of(assessed(f"T1 liver 50[rim_finding=present]|{now}"))
        assert [(row["status"], row["why"]) for row in rows if row["timepoint"] == "1"] == [("not_evaluable", why)]


def test_why_a_finding_is_not_evaluable() -> None:
    for then, now, why in (
        ("present", "not_evaluable", "read as not evaluable"),
        ("present", "", "not recorded"),
        ("absent", "decreased", "contradicts the baseline"),
        ("", "present", "not known at baseline"),
    ):
        rows = rows_of(assessed(f"T1 liver 50[rim_finding={then}]|50[rim_finding={now}]"))
        assert [row["why"] for row in rows if row["timepoint"] == "1"] == [why]


def test_only_lesions_in_which_a_finding_was_recorded_have_rows() -> None:
    rows = rows_of(assessed("T1 liver 50|50[fat_finding=present] ; T2 lung 30|30"))
    assert [(row["timepoint"], row["lesion"], row["finding"]) for row in rows] == [
        ("0", "T1", "fat"),
        ("1", "T1", "fat"),
    ]


def test_rows_are_in_the_order_of_time_lesion_and_finding() -> None:
    both = "rim_finding=present,necrosis_finding=present"
    rows = rows_of(assessed(f"T2 lung 30[{both}]|30[{both}] ; T1 liver 50[{both}]|50[{both}]"))
    assert [(row["timepoint"], row["lesion"], row["finding"]) for row in rows] == [
        (time, lesion, finding)
        for time in ("0", "1")
        for lesion in ("T1", "T2")
        for finding in ("necrosis", "thick rim")
    ]


# viable cells in percent, class: on and just below each limit
CLASSES = [("0", "A"), ("0.001", "B"), ("0.999", "B"), ("1", "C"), ("9.999", "C"), ("10", "D"), ("49.999", "D")]
CLASSES += [("50", "E"), ("100", "E")]


@pytest.mark.parametrize(("percent", "expected"), CLASSES)
def test_class_of_pathology(percent: str, expected: str) -> None:
    assert text_of(PathologyClass(int(pathology_classes(np.asarray([round(float(percent) * 1000)]))[0]))).upper() == (
        expected
    )
    (row,) = rows_of(assessed(f"T1 liver 50|50[pathology_viable_percent={percent}]"))
    assert (row["finding"], row["pathology_class"], row["status"], row["timepoint"]) == ("pathology", expected, "", "1")


def test_a_class_without_a_percentage_stands_as_read() -> None:
    (row,) = rows_of(assessed("T1 liver 50|50[pathology_class=d]"))
    assert (row["pathology_class"], row["value"]) == ("D", "nan")


VOLUME = "T1 liver 50[necrosis_finding=absent,volume_mm3={}]|50[necrosis_finding=new,volume_mm3={}]"
ELLIPSOID = (
    "T1 liver 50[necrosis_finding=absent,extent_ap_mm=10,extent_cc_mm=10,extent_lr_mm={}]"
    "|50[necrosis_finding=new,extent_ap_mm=10,extent_cc_mm=10,extent_lr_mm={}]"
)
# lesions, ids found; an id stands for one finding
LOOKS = [
    ("T1 liver 50[necrosis_finding=absent]|55[necrosis_finding=new]", ["second_look"]),
    ("T1 liver 50[necrosis_finding=absent]|45[necrosis_finding=new]", ["second_look"]),
    ("T1 liver 50[necrosis_finding=absent]|44.9[necrosis_finding=new]", []),
    ("T1 liver 50[necrosis_finding=absent]|55.1[necrosis_finding=new]", ["growth_with_necrosis"]),
    ("T1 liver 50[necrosis_finding=present]|55.1[necrosis_finding=decreased]", []),
    # 1.1 cubed is 1.331; the volume as measured goes before the ellipsoid
    (VOLUME.format("1000", "1331"), ["second_look"]),
    (VOLUME.format("1000", "1331.001"), ["growth_with_necrosis"]),
    (ELLIPSOID.format("10", "14"), ["growth_with_necrosis"]),
    (ELLIPSOID.format("10,volume_mm3=900", "14,volume_mm3=900"), ["second_look"]),
    ("T1 liver 50[rim_finding=absent,volume_mm3=1000]|50[rim_finding=new,volume_mm3=9000]", ["second_look"]),
    (
        "T1 lung 20|20 ; NT1 liver present[necrosis_finding=absent,volume_mm3=1000]"
        "|present[necrosis_finding=new,volume_mm3=1400]",
        ["growth_with_necrosis"],
    ),
    ("T1 liver 50[rim_finding=absent]|55.1[rim_finding=new]", []),
    ("T1 liver 50[rim_finding=present]|50[rim_finding=stable]", []),
    ("T1 liver 50[rim_finding=present]|50[rim_finding=not_evaluable]", []),
    ("T1 liver 50[rim_finding=present]|50[rim_finding=absent]", ["second_look"]),
    ("T1 node 50x20[rim_finding=present]|90x21[rim_finding=absent]", ["second_look"]),  # its short axis counts
    ("T1 liver NE[necrosis_finding=absent]|50[necrosis_finding=new] ; T2 lung 20|20", []),  # its size was not known
    ("T1 lung 20|20 ; NL1 lung -|20[rim_finding=new]", []),  # nor that of a new lesion
    # a lesion without a size that is there as before
    ("NT1 liver present[rim_finding=present]|present[rim_finding=absent]", ["second_look"]),
    ("NT1 liver present[rim_finding=present]|present[rim_finding=absent,trend=unchanged]", ["second_look"]),
    ("NT1 liver present[rim_finding=present]|present[rim_finding=absent,trend=increased]", []),
    ("NT1 liver present[rim_finding=present]|present[rim_finding=absent,trend=decreased]", []),
    ("NT1 liver present[rim_finding=present]|absent[rim_finding=absent]", ["metastasis_disappeared"]),
    ("T1 liver 50 ; NL1 liver -|present[rim_finding=new]|present[rim_finding=new]", []),
    # pathology
    ("T1 liver 50|50[pathology_viable_percent=3]", []),
    ("T1 liver 50|50[pathology_viable_percent=3,pathology_class=D]", ["pathology_class_differs"]),
    ("T1 liver 50|50[pathology_viable_percent=3,pathology_class=C]", []),
    ("T1 liver 50|50[pathology_class=C]", []),
    # shares: 105 % for rounding by eye
    ("T1 liver 50[viable_fraction=0.65,necrosis_fraction=0.4]", []),
    ("T1 liver 50[viable_fraction=0.651,necrosis_fraction=0.4]", ["shares_above_whole"]),
    ("T1 liver 50[viable_fraction=1,necrosis_fraction=]", []),
    # dense parts; the attenuation stands after @
    ("T1 liver 50@60[calcification_finding=absent]|30@60[calcification_finding=new]", ["dense_parts"]),
    ("T1 liver 50@60[calcified_fraction=0.1]|30@60[calcified_fraction=0.2]", ["dense_parts"]),
    ("T1 liver 50@60[haemorrhage_fraction=0.1]|30@60[haemorrhage_fraction=0.2]", ["dense_parts"]),
    ("T1 liver 50@60[haemorrhage_finding=present]|30@60[haemorrhage_finding=increased]", ["dense_parts"]),
    ("T1 liver 50@60[haemorrhage_finding=present]|30@60[haemorrhage_finding=decreased]", []),
    ("T1 liver 50@60[fibrosis_finding=absent]|30@60[fibrosis_finding=new]", []),
    ("T1 liver 50@60[calcification_finding=absent]|30[calcification_finding=new]", []),
    ("T1 liver 50[calcification_finding=absent]|30@60[calcification_finding=new]", []),
    ("T1 liver 50 ; NL1 liver -|30@60[calcification_finding=new] ; T2 lung 50@60|50@60", []),
    # groups
    ("T1 liver 50#3[morphology_suggested=3]|30#1[morphology_suggested=2]", ["morphology_differs"]),
    ("T1 liver 50#3[morphology_suggested=3]|30#1[morphology_suggested=]", []),
    ("T1 liver 50#3|30#1", []),
    ("T1 liver 50[morphology_suggested=3]|30[morphology_suggested=1]", []),
    ("T1 liver 50#3[morphology_suggested=3]|30[morphology_suggested=1]", []),
    # gone
    ("T1 liver 50|0|0", ["metastasis_disappeared"]),  # told once
    ("T1 liver 50|0|NE|0", ["metastasis_disappeared"]),
    ("T1 liver 50|0 ; T2 liver 40|0", ["metastasis_disappeared"] * 2),
    ("T1 lung 50|0", []),
    ("T1 node 50x20|9x5", []),
    ("T1 liver 50|50 ; NL1 liver -|20|0", []),
    ("T1 liver 50|50 ; T2 liver -|0", []),  # it was not there at baseline
    ("T1 liver 50|50 ; T2 liver [role=candidate] 20|0", []),
    ("T1 liver 50|0 [baseline=Y]|0", []),
]
ANCILLARY_IDS = {
    *("second_look", "growth_with_necrosis", "pathology_class_differs", "shares_above_whole", "dense_parts"),
    *("morphology_differs", "metastasis_disappeared", "ancillary_contradiction", "scan_soon_after_radiotherapy"),
}


def found_in(lesions: str, **inputs: str) -> list[str]:
    return [found.id for found in assessed(lesions, "choi", "chun", **inputs).found if found.id in ANCILLARY_IDS]


@pytest.mark.parametrize(("lesions", "expected"), LOOKS)
def test_lesions_that_are_worth_a_look(lesions: str, expected: list[str]) -> None:
    assert found_in(lesions) == expected


@pytest.mark.parametrize(
    ("tumour_type", "told"),
    [("colorectal_cancer", True), ("", True), ("HCC", False), ("hepatocellular_carcinoma", False), ("lymphoma", False)],
)
def test_a_primary_of_the_liver_is_no_metastasis(tumour_type: str, told: bool) -> None:
    found = found_in("T1 liver 50|0", subject=f"tumour_type={tumour_type}")
    assert found == ["metastasis_disappeared"] * told


def test_a_subject_that_the_subject_table_does_not_know_has_no_tumour_type() -> None:
    rows = [target(name, place, length) for name in ("A", "B") for place, length in ((0, "50"), (1, "0"))]
    found = from_rows(rows, subjects=[{"subject": "A", "tumour_type": "HCC", "radiotherapy_end": "2024-02-20"}]).found
    assert [item.subject for item in found if item.id == "metastasis_disappeared"] == ["B"]


def test_dense_parts_name_the_criteria_that_compare_attenuation() -> None:
    lesions = "T1 liver 50@60[calcification_finding=absent]|30@60[calcification_finding=new]"
    (found,) = [found for found in assessed(lesions, "choi", "sact", "who").found if found.id == "dense_parts"]
    assert found.sentence == (
        "Attenuation is compared (Choi, SACT), but calcification is new: dense parts may hide a fall."
    )
    assert not [found for found in assessed(lesions, "who").found if found.id == "dense_parts"]


BLED = "haemorrhage_finding=absent]|100%60[haemorrhage_finding"


@pytest.mark.parametrize(
    ("lesions", "told"),
    [
        (f"T1 thigh 100%90[{BLED}=new]", True),
        (f"T1 thigh 100%90[{BLED}=absent]", False),
        ("T1 thigh 100%90[haemorrhage_finding=present]|100%60[haemorrhage_finding=increased]", True),
        ("T1 thigh 100%90[haemorrhage_finding=present]|100%60[haemorrhage_finding=decreased]", False),
        ("T1 thigh 100%90[haemorrhage_finding=absent]|100[haemorrhage_finding=new]", False),  # nothing is compared
        ("T1 thigh 100%90[calcification_finding=absent]|100%60[calcification_finding=new]", False),  # it is dark
        ("T1 thigh 100%90|100%60 ; NL1 thigh -|20%60[haemorrhage_finding=new]", False),  # it has no baseline
    ],
)
def test_what_is_bright_before_contrast_medium_may_feign_a_fall_of_relative_enhancement(
    lesions: str, told: bool
) -> None:
    found = [found for found in assessed(lesions, "mri-choi").found if found.id == "bright_parts"]
    assert [(item.lesion, item.column) for item in found] == [("T1", "relative_enhancement_percent")] * told
    assert all("Relative enhancement is compared (MRI-Choi), but haemorrhage is" in item.sentence for item in found)
    assert not [found for found in assessed(lesions, "who").found if found.id == "bright_parts"]


def test_the_place_of_a_metastasis_that_disappeared_is_kept() -> None:
    lesions = "T1 liver 50[location=segment 7]|0[location=segment 6]"
    (found,) = [found for found in assessed(lesions).found if found.id == "metastasis_disappeared"]
    assert (found.lesion, found.timepoint, found.found, found.severity) == ("T1", "1", "not visible, segment 7", "info")
    assert "(segment 7)" in found.sentence
    assert "55 of 66" in found.sentence
    assert {row["overall"] for row in timepoint_table(assessed(lesions)).rows()} == {"", "CR"}  # it stands as it is


@pytest.mark.parametrize(
    ("tumour_type", "days", "told"),
    [
        ("leiomyosarcoma", "d28", False),  # day 56 is 28 days later: on the limit
        ("leiomyosarcoma", "d29", True),
        ("leiomyosarcoma", "d56", True),
        ("leiomyosarcoma", "d57", False),
        ("sarcoma", "d40", True),
        ("glioblastoma", "d40", False),
        ("", "d40", False),
    ],
)
def test_scans_soon_after_radiotherapy(tumour_type: str, days: str, told: bool) -> None:
    found = found_in("T1 thigh 50|50", subject=f"tumour_type={tumour_type}, radiotherapy_end={days}")
    assert found == ["scan_soon_after_radiotherapy"] * told


def test_a_partial_date_of_radiotherapy_says_nothing() -> None:
    assert found_in("T1 thigh 50|50", subject="tumour_type=sarcoma, radiotherapy_end=2024-02") == []


# words then and now, numbers then and now, whether they contradict each other; the limit of presence is 5 %, that of
# change 10 %
CONTRADICTIONS = [
    ("absent", "stable", "0", "0.6", True),  # the number is new
    ("present", "stable", "0.2", "0.3", True),
    ("present", "stable", "0.2", "0.299", False),
    ("present", "stable", "0.4", "0.2", True),
    ("present", "increased", "0.4", "0.2", True),
    ("present", "increased", "0.4", "0.4", False),  # the reader sees what the number does not tell
    ("present", "decreased", "0.2", "0.4", True),
    ("present", "decreased", "0.4", "0.2", False),
    ("present", "present", "0.2", "0.4", False),  # "present" says nothing of the change
    ("absent", "present", "0", "0.4", False),
    ("absent", "new", "0.4", "0.1", True),
    ("absent", "absent", "0.5", "0.5", True),  # seen by the number at both
    ("absent", "absent", "0.149", "0.149", False),
    ("absent", "absent", "0.15", "0.15", True),
    ("present", "absent", "0.4", "0", False),
    ("", "", "0.2", "0.6", False),
    ("present", "stable", "0.2", "", False),
    ("present", "not_evaluable", "0.2", "0.6", False),
]


@pytest.mark.parametrize(("then", "now", "number_then", "number_now", "contradict"), CONTRADICTIONS)
def test_words_that_numbers_contradict(
    then: str, now: str, number_then: str, number_now: str, contradict: bool
) -> None:
    lesions = (
        f"T1 liver 50[necrosis_finding={then},necrosis_fraction={number_then}]"
        f"|20[necrosis_finding={now},necrosis_fraction={number_now}]"
    )
    assert found_in(lesions) == ["ancillary_contradiction"] * contradict


def test_a_contradiction_says_what_stands_against_what() -> None:
    now = "necrosis_finding=stable,necrosis_fraction=0.6"
    lesions = f"T1 liver 50[necrosis_finding=absent,necrosis_fraction=0]|20[{now}]"
    (found,) = [found for found in assessed(lesions).found if found.id == "ancillary_contradiction"]
    assert (found.severity, found.column, found.line, found.lesion) == ("warning", "necrosis_finding", 3, "T1")
    assert found.sentence == (
        "By the word of the reader necrosis went from absent to stable, by the number from 0 to 0.6; "
        "the word was taken."
    )


# column, cell, whether it is read, and as what
CELLS = [
    ("necrosis_fraction", "45 %", "0.45"),
    ("necrosis_fraction", "45%", "0.45"),
    ("necrosis_fraction", "100 %", "1.0"),
    ("necrosis_fraction", "0 %", "0.0"),
    ("necrosis_fraction", "1", "1.0"),
    ("pathology_viable_percent", "20 %", "20.0"),
    ("necrosis_fraction", "130 %", ""),
    ("necrosis_fraction", "-5 %", ""),
    ("necrosis_fraction", "1.3", ""),
    ("necrosis_fraction", "45", ""),
    ("necrosis_fraction", "-0.2", ""),
    ("necrosis_fraction", "%", ""),
    ("necrosis_fraction", "half", ""),
    ("pathology_viable_percent", "130", ""),
    ("enhancement_hu", "40 %", ""),
    ("rim_finding", "maybe", ""),
    ("rim_finding", "thick", ""),
    ("pathology_class", "F", ""),
    ("adc", "1200", ""),  # in 10^-6 mm2/s
]


@pytest.mark.parametrize(("column", "cell", "read"), CELLS)
def test_cells_that_cannot_be_read_are_findings(column: str, cell: str, read: str) -> None:
    found = assessed(f"T1 liver 50|50[{column}={cell}]")
    values = [str(row["value"]) for row in rows_of(found) if row["timepoint"] == "1"]
    assert values == ([read] if read else [])
    unusable = [item for item in found.found if item.id == "unusable_cell"]
    assert len(unusable) == (0 if read else 1)
    for item in unusable:
        assert (item.severity, item.subject, item.timepoint, item.lesion) == ("error", "S1", "1", "T1")
        assert (item.column, item.found, item.line, item.file) == (column, cell, 3, "trial.csv")
        assert item.expected
        assert item.expected in item.sentence
        assert item.remedy


def test_a_second_look_says_where_and_what() -> None:
    lesions = "T1 liver 50[rim_finding=present,fat_finding=absent]|52[rim_finding=absent,fat_finding=new]"
    (found,) = [found for found in assessed(lesions).found if found.id == "second_look"]
    assert (found.severity, found.timepoint, found.lesion, found.line) == ("info", "1", "T1", 3)
    assert found.found == "thick rim decreased, fat new"
    some, all_of = LITTLE_CHANGE
    assert f"{100 * some // all_of} %" in found.sentence


RICH = (
    "T1 liver 50@60[necrosis_finding=absent,rim_finding=present,viable_fraction=0.9]"
    "|48@40[necrosis_finding=new,rim_finding=absent,viable_fraction=0.2]"
    "|80@70[necrosis_finding=increased,enhancement_finding=increased,pathology_viable_percent=80]"
    " ; NT1 lung present[calcification_finding=absent]|present[calcification_finding=new]|present"
)


def test_they_change_no_category_of_any_criterion() -> None:
    names = criterion_names()  # MASS asks for necrosis_fraction, a number of its own: it is no part of this trial
    plain = re.sub(r"\[.*?\]", "", RICH)
    with_, without = (list(timepoint_table(assessed(text, *names)).rows()) for text in (RICH, plain))
    assert with_ == without
    assert {row["overall"] for row in with_} >= {"SD", "PD"}


def test_the_file_is_written_only_where_there_is_something_to_tell(tmp_path: Path) -> None:
    write_results(assessed(RICH), tmp_path)
    with (tmp_path / "ancillary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ANCILLARY_COLUMNS
    assert [row["change"] for row in rows if row["finding"] == "viable fraction" and row["timepoint"] == "1"] == [
        "-0.7"
    ]
    written = write_results(assessed("T1 liver 50|40"), tmp_path)
    assert "ancillary.csv" not in {path.name for path in written}
    assert "ancillary.csv" in left_from_before(tmp_path, written)


@pytest.mark.parametrize("column", ["rim_finding=absent", "volume_mm3=9000", "pathology_class=A", "adc=1"])
def test_the_file_is_written_for_any_of_the_columns(column: str, tmp_path: Path) -> None:
    assert "ancillary.csv" in {path.name for path in write_results(assessed(f"T1 liver 50[{column}]|50"), tmp_path)}


def test_without_any_column_the_table_is_empty_but_has_its_columns() -> None:
    frame = assessed("T1 liver 50|40").ancillary
    assert (len(frame), list(frame)) == (0, ANCILLARY_COLUMNS)
    numeric = {name for name in frame if is_numeric_dtype(frame[name])}
    of_nadir = {"nadir_value", "change_from_nadir", "change_from_nadir_percent"}
    assert numeric == {"value", "baseline_value", "change", "change_percent", "line", *of_nadir}
    # as where there are rows
    full = assessed("T1 liver 50[necrosis_fraction=0.1]|40[necrosis_fraction=0.5]").ancillary
    assert {name for name in full if is_numeric_dtype(full[name])} == numeric


def test_explain_tells_them_beside_the_lesions() -> None:
    text = " ".join(assessed(RICH).explain("S1").split())
    assert "Ancillary findings, which change no category:" in text
    assert "T1: necrosis new, supports response (ESGAR 2025 on the liver; a descriptor)" in text
    assert "T1: viable fraction decreased (0.9 to 0.2), supports response" in text
    assert "T1: not evaluable, not recorded: thick rim" in text
    assert "T1: pathology class E (EORTC-STBSG), 80 % viable cells" in text
    assert "Ancillary" not in assessed("T1 liver 50|40").explain("S1")


# --- descriptors


def sizes_of(lesions: str) -> dict[tuple[str, str], tuple[str, str, str, str]]:
    """Return value, change, percent and unit of each timepoint and descriptor, as the file has them."""
    return {
        (row["timepoint"], row["finding"]): (row["value"], row["change"], row["change_percent"], row["unit"])
        for row in ancillary_table(assessed(lesions)).rows()
        if row["finding"] in DESCRIPTORS
    }


def test_three_planes_and_the_ellipsoid() -> None:
    then, now = "extent_lr_mm=60,extent_ap_mm=50,extent_cc_mm=100", "extent_lr_mm=66,extent_ap_mm=50,extent_cc_mm=100"
    found = sizes_of(f"T1 thigh 100[{then}]|100[{now}]")
    # pi / 6 * 60 * 50 * 100 = 157 079.6 mm3; * 66 / 60 = 172 787.6 mm3, which is 10 % more
    assert found["0", "ellipsoid volume"] == ("157.08", "", "", "ml")
    assert found["1", "ellipsoid volume"] == ("172.788", "15.708", "10", "ml")
    assert found["1", "extent left to right"] == ("66", "6", "10", "mm")
    assert found["1", "extent front to back"] == ("50", "0", "0", "mm")
    assert ("1", "volume") not in found


def test_an_extent_that_is_missing_leaves_no_ellipsoid() -> None:
    found = sizes_of("T1 thigh 100[extent_lr_mm=60,extent_ap_mm=50,extent_cc_mm=100]|90[extent_lr_mm=60]")
    assert ("1", "extent left to right") in found
    assert ("1", "ellipsoid volume") not in found
    assert ("1", "extent head to foot") not in found


def test_a_volume_beyond_all_bounds_is_left_blank() -> None:
    found = sizes_of("T1 thigh 100[extent_lr_mm=1999,extent_ap_mm=1999,extent_cc_mm=1999]")  # more than 2147 l
    assert ("0", "extent left to right") in found
    assert ("0", "ellipsoid volume") not in found


def test_necrotic_and_viable_volumes() -> None:
    then = "volume_mm3=200000,necrosis_fraction=0.2,viable_fraction=0.8"
    now = "volume_mm3=300000,necrosis_fraction=0.75,viable_fraction=0.25"
    found = sizes_of(f"T1 thigh 100[{then}]|120[{now}]")
    assert found["1", "volume"] == ("300", "100", "50", "ml")
    assert found["1", "necrotic volume"] == ("225", "185", "462.5", "ml")  # 40 ml before
    assert found["1", "viable volume"] == ("75", "-85", "-53.12", "ml")  # 160 ml before; -53.125 %
    assert found["0", "viable to necrotic ratio"] == ("4", "", "", "")
    assert found["1", "viable to necrotic ratio"] == ("0.333", "-3.667", "-91.67", "")


def test_calcified_and_haemorrhagic_volumes() -> None:
    then = "volume_mm3=20000,calcified_fraction=0.05,haemorrhage_fraction=0"
    now = "volume_mm3=30000,calcified_fraction=0.1,haemorrhage_fraction=0.25"
    found = sizes_of(f"T1 liver 50[{then}]|50[{now}]")
    assert found["1", "calcified volume"] == ("3", "2", "200", "ml")  # 1 ml before
    assert found["1", "haemorrhagic volume"][:2] == ("7.5", "7.5")


def test_shares_are_of_the_ellipsoid_where_no_volume_was_measured() -> None:
    extents = "extent_lr_mm=60,extent_ap_mm=50,extent_cc_mm=100"
    found = sizes_of(f"T1 thigh 100[{extents},necrosis_fraction=0.5,volume_mm3=]|100[{extents},volume_mm3=100000]")
    assert found["0", "necrotic volume"][0] == "78.54"
    assert ("1", "necrotic volume") not in found
    assert found["1", "volume"][:3] == ("100", "", "")  # not measured at baseline


def test_a_viable_volume_that_was_measured_goes_before_its_share() -> None:
    shares = "volume_mm3=100000,viable_fraction=0.5"
    found = sizes_of(f"T1 liver 50[{shares},viable_volume_mm3=40000]|50[{shares},viable_volume_mm3=]")
    assert found["0", "viable volume"][0] == "40"
    assert found["1", "viable volume"][:3] == ("50", "10", "25")
    assert sizes_of("T1 liver 50[viable_volume_mm3=40000]")["0", "viable volume"][0] == "40"


def test_without_necrosis_there_is_no_ratio() -> None:
    assert ("0", "viable to necrotic ratio") not in sizes_of("T1 thigh 90[necrosis_fraction=0,viable_fraction=1]")


def test_descriptors_have_neither_status_nor_direction() -> None:
    rows = [
        row
        for row in ancillary_table(assessed("T1 liver 50[volume_mm3=9000]|60[volume_mm3=18000]")).rows()
        if row["finding"] == "volume"
    ]
    assert [(row["status"], row["indication"], row["why"]) for row in rows] == [("", "", "")] * 2
    assert found_in("T1 liver 50[volume_mm3=9000]|50[volume_mm3=90000]") == []


def test_a_change_in_percent_needs_a_baseline_above_nothing() -> None:
    rows = list(ancillary_table(assessed("T1 liver 50[necrosis_fraction=0]|50[necrosis_fraction=0.5]")).rows())
    assert [(row["change"], row["change_percent"]) for row in rows] == [("", ""), ("0.5", "")]
    rows = list(ancillary_table(assessed("T1 liver 50[enhancement_hu=-4]|50[enhancement_hu=40]")).rows())
    assert [(row["change"], row["change_percent"]) for row in rows] == [("", ""), ("44", "")]


# --- notes


def note_of(then: str, now: str) -> str:
    rows = ancillary_table(assessed(f"T1 liver 50[{then}]|50[{now}]")).rows()
    notes = {row["note"] for row in rows if row["timepoint"] == "1"}
    assert len(notes) == 1
    return notes.pop()


NOTES = [
    ("enhancement_hu=50,phase=portal venous", "enhancement_hu=5,phase=portal venous", ""),
    ("enhancement_hu=50,phase=portal venous", "enhancement_hu=5,phase=Portal_Venous", ""),
    ("enhancement_hu=50,phase=portal venous", "enhancement_hu=5,phase=", ""),
    (
        "enhancement_hu=50,phase=portal venous",
        "enhancement_hu=5,phase=arterial",
        "phase is arterial, and was portal venous at baseline",
    ),
    (
        "enhancement_hu=50,modality=CT,phase=portal venous",
        "enhancement_hu=5,modality=MR,phase=arterial",
        "modality is MR, and was CT at baseline; phase is arterial, and was portal venous at baseline",
    ),
    ("adc=1", "adc=2", "it depends on scanner and sequence: compare it on one scanner only"),
    ("necrosis_fraction=0.1", "necrosis_fraction=0.5,necrosis_method=below 30 HU", "measured by: below 30 HU"),
    (
        "necrosis_fraction=0.1,necrosis_method=by eye",
        "necrosis_fraction=0.5,necrosis_method=below 30 HU",
        "method is below 30 HU, and was by eye at baseline",
    ),
    ("rim_finding=absent", "rim_finding=new,necrosis_method=by eye", ""),  # not of the rim
    (
        "calcified_fraction=0.1,dense_parts_method=from 300 HU on",
        "calcified_fraction=0.5,dense_parts_method=from 130 HU on",
        "method is from 130 HU on, and was from 300 HU on at baseline",
    ),
    ("necrosis_fraction=0.1", "necrosis_fraction=0.5,dense_parts_method=by eye", ""),  # not of the necrosis
    ("rim_finding=absent", "rim_finding=new,comparable=yes", ""),
    (
        "rim_finding=absent",
        "rim_finding=new,comparable=kVp 120 -> 100",
        "the image differs from the first: kVp 120 -> 100",
    ),
]


@pytest.mark.parametrize(("then", "now", "note"), NOTES)
def test_what_to_know_before_comparing_with_baseline(then: str, now: str, note: str) -> None:
    assert note_of(then, now) == note


def test_there_is_no_note_up_to_the_baseline_or_without_one() -> None:
    rows = list(ancillary_table(assessed("T1 liver 50[adc=1,phase=arterial]|50[adc=2,phase=arterial]")).rows())
    assert [bool(row["note"]) for row in rows] == [False, True]
    rows = list(ancillary_table(assessed("T1 liver 50|50 ; NL1 liver -|20[rim_finding=present,phase=arterial]")).rows())
    assert [row["note"] for row in rows] == [""]


def test_explain_tells_what_changed_first_and_gathers_the_rest() -> None:
    then = "fat_finding=absent,fibrosis_finding=absent,rim_finding=present,phase=portal venous,volume_mm3=10000"
    now = "fat_finding=absent,fibrosis_finding=absent,rim_finding=absent,phase=arterial,volume_mm3=12500"
    lines = assessed(f"T1 liver 50[{then}]|50[{now}] ; T2 liver 30[rim_finding=present]|0").explain("S1").splitlines()
    start = [place for place, line in enumerate(lines) if line == "  Ancillary findings, which change no category:"]
    assert lines[start[0] + 1 : start[0] + 4] == [
        "    T1: fibrosis absent, thick rim present, fat absent",
        "    T1: volume 10 ml",
        "    T2: thick rim present",
    ]
    assert lines[start[1] + 1 : start[1] + 6] == [
        "    T1: thick rim decreased, supports response (groups of Chun 2009)",
        "    T1: fibrosis absent, fat absent",
        "    T1: volume 10 to 12.5 ml (+25 %)",
        "    T2: not evaluable, the lesion is no longer visible: thick rim",
        "    Note on T1: phase is arterial, and was portal venous at baseline",
    ]


def test_explain_tells_numbers_alone_and_what_is_not_recorded() -> None:
    now = "necrosis_fraction=0.2,enhancement_hu=50,rim_finding="
    text = assessed(f"T1 liver 50[{now}]|50[rim_finding=absent]").explain("S1")
    assert "    T1: necrosis 0.2, thick rim not recorded, enhancement 50 HU\n" in text


def test_explain_has_notes_only_where_something_changed() -> None:
    then, now = "phase=arterial", "phase=portal venous"
    for before, after, noted in (
        ("rim_finding=absent", "rim_finding=absent", False),
        ("rim_finding=absent", "rim_finding=new", True),
        ("volume_mm3=9000", "volume_mm3=9000", False),
        ("volume_mm3=9000", "volume_mm3=9001", True),
        ("volume_mm3=", "volume_mm3=9001", False),
    ):
        text = assessed(f"T1 liver 50[{before},{then}]|50[{after},{now}]").explain("S1")
        assert ("Note on T1: phase is portal venous" in text) is noted


def test_explain_tells_the_three_planes_as_one() -> None:
    extents = "extent_lr_mm=60,extent_ap_mm=50,extent_cc_mm=100"
    text = " ".join(assessed(f"T1 thigh 100[{extents}]|100[{extents}]").explain("S1").split())
    assert (
        "T1: 60 x 50 x 100 mm (left-right x front-back x head-foot), ellipsoid volume 157.08 to 157.08 ml (0 %)" in text
    )
    assert "T1: extent left to right 60 mm" in assessed("T1 thigh 100[extent_lr_mm=60]").explain("S1")


def test_explain_tells_how_long_after_therapy_a_scan_was_made() -> None:
    about = "setting=neoadjuvant, radiotherapy_end=d20, treatment_end=d56, tumour_type=leiomyosarcoma"
    lines = assessed("T1 thigh 50|50", subject=about).explain("S1").splitlines()
    assert lines[1:5] == [
        "Setting: neoadjuvant",
        "Start of treatment: 2024-01-01",
        "End of radiotherapy: 2024-01-21",
        "End of treatment: 2024-02-26",
    ]
    titles = [line for line in lines if line.startswith("Timepoint")]
    assert "after" not in titles[0]
    assert titles[1].endswith(", 36 days after radiotherapy, 0 days after treatment")
    partial = assessed("T1 thigh 50|50", subject="radiotherapy_end=2024-01").explain("S1")
    assert "radiotherapy" not in partial


def test_explain_tells_where_a_metastasis_was_and_that_its_absence_proves_nothing() -> None:
    lesions = "T1 liver 50[location=segment 7]|0[location=segment 7] ; T2 lung 30|0 ; NT1 liver present|absent"
    lines = assessed(lesions).explain("S1").splitlines()
    told = [line for line in lines if line.startswith("    T1  ")]
    assert told[0] == "    T1  liver, segment 7  50 mm"
    assert told[1].startswith(
        "    T1  liver, segment 7  0 mm  gone, -50 mm (-100 %), no longer visible, which proves no"
    )
    assert not any("proves" in line for line in lines if line.startswith("    T2  "))
    for tumour_type, count in (("CRLM", 2), ("HCC", 0)):
        text = " ".join(assessed(lesions, subject=f"tumour_type={tumour_type}").explain("S1").split())
        assert text.count("proves no pathological complete response") == count


def test_the_place_of_a_metastasis_is_kept_where_its_row_no_longer_tells_it() -> None:
    rows = [
        target("A", 0, "50", location="segment 7"),
        target("A", 1, "0", organ="", location=""),
        target("A", 2, "0", organ="liver", location="segment 6"),
    ]
    found = from_rows(rows)
    places = [(row["organ"], row["location"]) for row in found.lesions.to_dict("records")]
    assert places == [("liver", "segment 7"), ("liver", "segment 7"), ("liver", "segment 6")]
    assert found.explain("A", "1").count("T1  liver, segment 7  0 mm  gone, -50 mm (-100 %), no longer visible") == 1


@pytest.mark.parametrize(
    ("percent", "told", "note"),
    [("0", False, "and pathology found no viable cells"), ("0.5", True, "which proves no pathological")],
)
def test_pathology_proves_what_imaging_does_not(percent: str, told: bool, note: str) -> None:
    lesions = f"T1 liver 50|0|0[pathology_viable_percent={percent}] ; T2 lung 30|30|30"
    assert found_in(lesions) == ["metastasis_disappeared"] * told
    text = " ".join(assessed(lesions).explain("S1").split())
    assert text.count(f"no longer visible, {note}") == 2


def test_a_nodule_is_told_of_its_lesion_and_is_behind_pd_by_choi() -> None:
    lesions = (
        "T1 liver 50@60[nodule=none]|40@30[nodule=new] ; T2 liver 40@60[nodule=none]|30@30[nodule=none]"
        " ; NT1 lung present|present[nodule=growing]"
    )
    found = assessed(lesions, "choi")
    rows = {row["criterion"]: row for row in timepoint_table(found).rows() if row["timepoint"] == "1"}
    assert (rows["choi"]["overall"], rows["choi"]["drivers"]) == ("PD", "NT1;T1")  # as in the table of lesions
    assert (rows["recist-1.1"]["overall"], rows["recist-1.1"]["drivers"]) == ("SD", "")
    text = found.explain("S1")
    assert "30 HU, new intratumoral nodule" in text
    assert "present  growing intratumoral nodule" in text
    assert "Driven by NT1, T1" in text
    assert {row["lesion"]: row["nodule"] for row in found.lesions.to_dict("records") if row["timepoint"] == "1"} == {
        "T1": "new",
        "T2": "none",
        "NT1": "growing",
    }


def test_a_nodule_in_a_lesion_that_progressed_anyway_is_named_once() -> None:
    found = assessed("T1 liver 50@60|50@60 ; NT1 lung present|pd[nodule=new]", "choi")
    assert [row["drivers"] for row in timepoint_table(found).rows() if row["timepoint"] == "1"] == ["NT1", "NT1"]


def test_growth_with_necrosis_says_by_what_the_lesion_grew() -> None:
    for lesions, how in (
        (VOLUME.format("1000", "1400"), "by more than 33 % in volume, as 10 % in diameter, while"),
        ("T1 liver 50[necrosis_finding=absent]|56[necrosis_finding=new]", "by more than 10 % while"),
        (VOLUME.format("1000", "1400").replace("|50", "|56"), "by more than 10 % while"),
    ):
        (found,) = [found for found in assessed(lesions).found if found.id == "growth_with_necrosis"]
        assert found.sentence == f"The lesion grew {how} necrosis increased: possibly a pseudoprogression."


def test_explain_writes_the_power_of_ten_of_a_unit_as_a_factor() -> None:
    text = " ".join(assessed("T1 thigh 50[adc=1.1]|50[adc=1.6]").explain("S1").split())
    assert "ADC 1.1 x 10^-3 mm2/s" in text
    assert "ADC increased (1.1 to 1.6 x 10^-3 mm2/s)" in text


def test_the_shape_of_numbers_is_kept() -> None:
    now = np.full((2, 3), PRESENT_FRACTION, np.int32)
    found = status_by_numbers(now, now, KINDS["necrosis"])
    assert found.shape == (2, 3)
    assert (found == Ancillary.STABLE).all()
