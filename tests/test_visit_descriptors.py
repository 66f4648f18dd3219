"""Numbers of a timepoint as a whole: peritoneal cancer index, days after therapy. Expected values by hand."""

from pathlib import Path

import pytest

from response.engine import Assessment
from response.io.results import write_results
from response.report.tables import ancillary_table, timepoint_table
from response.visit_descriptors import PERITONEAL_INDEX
from tests.trials import assessed, from_rows, target

LESIONS = "NT1 peritoneum present|present|present|present"
VISITS = "0 peritoneal_index=18 ; 1 peritoneal_index=12 ; 2 peritoneal_index= ; 3 peritoneal_index=15"
NUMBERS = ("value", "baseline_value", "change", "nadir_value", "change_from_nadir")


def index_of(found: Assessment) -> list[tuple[str, ...]]:
    """Return timepoint, value, baseline, change, nadir and change from it of the peritoneal index."""
    rows = ancillary_table(found).rows()
    return [(row["timepoint"], *(row[name] for name in NUMBERS)) for row in rows if row["finding"] == PERITONEAL_INDEX]


def test_index_against_baseline_and_the_smallest_before() -> None:
    assert index_of(assessed(LESIONS, visits=VISITS)) == [
        ("0", "18", "", "", "", ""),
        ("1", "12", "18", "-6", "18", "-6"),
        ("3", "15", "18", "-3", "12", "3"),
    ]


def test_an_index_of_0_is_a_number() -> None:
    visits = "0 peritoneal_index=0 ; 1 peritoneal_index=39"
    assert index_of(assessed("NT1 peritoneum present|present", visits=visits))[1] == ("1", "39", "0", "39", "0", "39")


def test_without_an_index_at_baseline_it_stands_against_the_smallest_alone() -> None:
    visits = "1 peritoneal_index=9 ; 2 peritoneal_index=6 ; 3 peritoneal_index=8"
    assert index_of(assessed(LESIONS, visits=visits)) == [
        ("1", "9", "", "", "", ""),
        ("2", "6", "", "", "9", "-3"),
        ("3", "8", "", "", "6", "2"),
    ]


def test_an_index_before_the_baseline_is_no_reference() -> None:
    lesions = "NT1 peritoneum present|present[baseline=Y]|present|present"
    assert index_of(assessed(lesions, visits="0 peritoneal_index=3 ; 1 peritoneal_index=9 ; 2 peritoneal_index=5")) == [
        ("0", "3", "", "", "", ""),
        ("1", "9", "", "", "", ""),
        ("2", "5", "9", "-4", "9", "-4"),
    ]


def test_the_index_stands_before_the_lesions_and_says_where_it_comes_from() -> None:
    lesions = "T1 liver 30[fat_finding=absent]|30[fat_finding=absent] ; NT1 lung present|present"
    rows = list(ancillary_table(assessed(lesions, visits="1 peritoneal_index=12")).rows())
    assert [(row["timepoint"], row["lesion"], row["finding"]) for row in rows] == [
        ("0", "T1", "fat"),
        ("1", "", PERITONEAL_INDEX),
        ("1", "T1", "fat"),
    ]
    assert [(row["role"], row["file"], row["line"]) for row in rows[1:]] == [
        ("", "trial-visits.csv", "2"),
        ("target", "trial.csv", "3"),
    ]
    assert {(row["status"], row["indication"], row["change_percent"]) for row in rows[1:2]} == {("", "", "")}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("40", "a number of at most 39"),
        ("12.5", "a whole number"),
        ("-1", "a number that is not negative"),
        ("high", "a number in the unit of the column"),
    ],
)
def test_what_is_no_index_is_a_finding(cell: str, expected: str) -> None:
    found = assessed(LESIONS, visits=f"1 peritoneal_index={cell}")
    (item,) = [item for item in found.found if item.id == "unusable_cell"]
    assert (item.severity, item.subject, item.timepoint, item.column) == ("error", "S1", "1", "peritoneal_index")
    assert (item.found, item.expected, item.file, item.line) == (cell, expected, "trial-visits.csv", 2)
    assert index_of(found) == []


@pytest.mark.parametrize("cell", ["0", "39", "12.0"])
def test_an_index_from_0_to_39_is_read(cell: str) -> None:
    found = assessed(LESIONS, visits=f"1 peritoneal_index={cell}")
    assert not [item for item in found.found if item.id == "unusable_cell"]
    assert [row[1] for row in index_of(found)] == [cell.removesuffix(".0")]


def test_it_changes_no_response() -> None:
    with_, without = (assessed(LESIONS, visits=visits) for visits in (VISITS, "0 done=Y"))
    assert list(timepoint_table(with_).rows()) == list(timepoint_table(without).rows())


def test_evaluators_have_their_own_index() -> None:
    rows = [target("A", place, "30", evaluator=reader) for reader in ("R1", "R2") for place in (0, 1)]
    visits = [
        {"subject": "A", "evaluator": "R1", "timepoint": "0", "peritoneal_index": "10"},
        {"subject": "A", "evaluator": "R1", "timepoint": "1", "peritoneal_index": "4"},
        {"subject": "A", "evaluator": "R2", "timepoint": "1", "peritoneal_index": "7"},
    ]
    told = [
        (row["evaluator"], row["timepoint"], row["value"], row["baseline_value"])
        for row in ancillary_table(from_rows(rows, visits=visits)).rows()
    ]
    assert told == [("R1", "0", "10", ""), ("R1", "1", "4", "10"), ("R2", "1", "7", "")]


def test_explain_tells_it_with_the_smallest_where_that_is_not_the_baseline() -> None:
    text = " ".join(assessed(LESIONS, visits=VISITS).explain("S1").split())
    note = "one read on CT is usually lower than one found at surgery"
    assert f"peritoneal cancer index 18: {note}" in text
    assert f"peritoneal cancer index 12 (18 at baseline, -6): {note}" in text
    assert f"peritoneal cancer index 15 (18 at baseline, -3; 12 at its smallest before, +3): {note}" in text


def test_explain_tells_volumes_with_their_change_in_percent() -> None:
    lesions = "NT1 bone present[volume_mm3=20000]|present[volume_mm3=10000]|present[volume_mm3=15000]"
    text = " ".join(assessed(lesions).explain("S1").split())
    assert "volume of non-targets 10 ml (20 ml at baseline, -50 %): 1 non-target" in text
    assert "volume of non-targets 15 ml (20 ml at baseline, -25 %; 10 ml at its smallest before, +50 %)" in text


def test_days_after_therapy() -> None:
    about = "radiotherapy_end=d20, treatment_end=d56, tumour_type=leiomyosarcoma"
    found = assessed("T1 thigh 50|50|50", subject=about)
    told = [(row["timepoint"], row["finding"], row["value"], row["unit"]) for row in ancillary_table(found).rows()]
    assert told == [
        ("1", "days after radiotherapy", "36", "days"),
        ("1", "days after treatment", "0", "days"),
        ("2", "days after radiotherapy", "92", "days"),
        ("2", "days after treatment", "56", "days"),
    ]
    assert "Ancillary" not in found.explain("S1")  # the title of the timepoint has the days


@pytest.mark.parametrize("end", ["2024-01", "", "d57"])
def test_no_days_without_a_whole_date_before_the_scan(end: str) -> None:
    assert list(ancillary_table(assessed("T1 thigh 50|50", subject=f"radiotherapy_end={end}")).rows()) == []


def test_a_subject_without_a_row_in_the_subject_table_has_no_days() -> None:
    rows = [target(name, place, "50") for name in ("A", "B") for place in (0, 1)]
    found = from_rows(rows, subjects=[{"subject": "B", "treatment_end": "2024-01-01"}])
    assert [(row["subject"], row["value"]) for row in ancillary_table(found).rows()] == [("B", "0"), ("B", "56")]


@pytest.mark.parametrize("inputs", [{"visits": "1 peritoneal_index=4"}, {"subject": "treatment_end=d20"}])
def test_the_file_is_written_for_them_alone(inputs: dict[str, str], tmp_path: Path) -> None:
    written = write_results(assessed("T1 liver 50|40", **inputs), tmp_path)
    assert "ancillary.csv" in {path.name for path in written}
