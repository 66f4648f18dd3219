"""Ancillary findings: expected values by hand from the words and numbers of small trials; they change no category."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from response.ancillary import KINDS, PRESENT_FRACTION, pathology_classes, status_by_numbers
from response.checks.ancillary import LITTLE_CHANGE
from response.engine import Assessment
from response.io.results import left_from_before, write_results
from response.registry import criterion_names
from response.report.tables import ANCILLARY_COLUMNS, timepoint_table
from response.vocabulary import Ancillary, PathologyClass, text_of
from tests.trials import assessed


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
    ("viable_fraction", "0.9", "0.8", "decreased"),
    ("viable_fraction", "0.3", "0.4", "increased"),
    ("enhancement_hu", "40", "30", "decreased"),
    ("enhancement_hu", "40", "30.001", "stable"),
    ("enhancement_hu", "9.9", "19.9", "new"),
    ("enhancement_hu", "-5", "9.9", "absent"),
    ("enhancement_hu", "-5", "10", "new"),
    ("enhancement_hu", "10", "20", "increased"),
    ("enhancement_hu", "2", "9", "absent"),
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
    assert set(KINDS) - {"viable fraction"} == {case[1] for case in DIRECTIONS}
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


# lesions, ids found
LOOKS = [
    ("T1 liver 50[necrosis_finding=absent]|55[necrosis_finding=new]", {"second_look"}),
    ("T1 liver 50[necrosis_finding=absent]|45[necrosis_finding=new]", {"second_look"}),
    ("T1 liver 50[necrosis_finding=absent]|44.9[necrosis_finding=new]", set()),
    ("T1 liver 50[necrosis_finding=absent]|55.1[necrosis_finding=new]", {"growth_with_necrosis"}),
    ("T1 liver 50[necrosis_finding=present]|55.1[necrosis_finding=decreased]", set()),
    ("T1 liver 50[rim_finding=absent]|55.1[rim_finding=new]", set()),
    ("T1 liver 50[rim_finding=present]|50[rim_finding=stable]", set()),
    ("T1 liver 50[rim_finding=present]|50[rim_finding=not_evaluable]", set()),
    ("T1 liver 50[rim_finding=present]|50[rim_finding=absent]", {"second_look"}),
    ("T1 node 50x20[rim_finding=present]|90x21[rim_finding=absent]", {"second_look"}),  # its short axis counts
    ("T1 liver 50|50[pathology_viable_percent=3]", set()),
    ("T1 liver 50|50[pathology_viable_percent=3,pathology_class=D]", {"pathology_class_differs"}),
    ("T1 liver 50|50[pathology_viable_percent=3,pathology_class=C]", set()),
]


@pytest.mark.parametrize(("lesions", "expected"), LOOKS)
def test_second_looks(lesions: str, expected: set[str]) -> None:
    ids = {"second_look", "growth_with_necrosis", "pathology_class_differs"}
    assert {found.id for found in assessed(lesions).found} & ids == expected


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


def test_without_any_column_the_table_is_empty_but_has_its_columns() -> None:
    frame = assessed("T1 liver 50|40").ancillary
    assert (len(frame), list(frame)) == (0, ANCILLARY_COLUMNS)


def test_explain_tells_them_beside_the_lesions() -> None:
    text = " ".join(assessed(RICH).explain("S1").split())
    assert "Ancillary findings, which change no category:" in text
    assert "T1: necrosis new, supports response (ESGAR 2025; a descriptor)" in text
    assert "T1: viable fraction decreased (0.9 to 0.2), supports response" in text
    assert "T1: thick rim not evaluable: not recorded" in text
    assert "T1: pathology class E (EORTC-STBSG), 80 % viable cells" in text
    assert "Ancillary" not in assessed("T1 liver 50|40").explain("S1")


def test_the_shape_of_numbers_is_kept() -> None:
    now = np.full((2, 3), PRESENT_FRACTION, np.int32)
    found = status_by_numbers(now, now, KINDS["necrosis"])
    assert found.shape == (2, 3)
    assert (found == Ancillary.STABLE).all()
