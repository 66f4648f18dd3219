"""The tables of results: their columns, their rows, and that every number can be found again."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from response import Assessment, Measurements, assess
from response.engine import assess_timeline
from response.findings import Finding
from response.protocol import Protocol
from response.registry import criterion_names, find_criteria
from response.report import texts
from response.report.columns import NumberColumn, ResultTable, percent
from response.report.tables import (
    ancillary_table,
    concordance_table,
    criteria_table,
    finding_table,
    lesion_table,
    subject_table,
    timepoint_table,
)
from response.timeline import BLOCK_CELLS
from tests.acceptance import iso_day, text_table
from tests.trials import all_at_once, assessed, from_rows, target

TIMEPOINTS = (
    "subject, site, evaluator, accepted, timepoint, date, first_scan, last_scan, study_day, criterion, target, "
    "non_target, new_lesion, overall, overall_adjudicated, progression_date, sum_mm, baseline_mm, nadir_mm, "
    "nadir_timepoint, nadir_date, change_from_baseline_mm, change_from_baseline_percent, change_from_nadir_mm, "
    "change_from_nadir_percent, missing_lesions, drivers, new_lesion_ids, rule, clause, reason, response_maintained, "
    "after_pd, flags"
).split(", ")
CHOI = ["attenuation_hu", "baseline_hu", "change_hu_percent"]
CHUN = ["chun_optimal", "chun_incomplete", "chun_none", "chun_not_assessed", "chun_two_level"]
SUBJECTS = (
    "subject, evaluator, criterion, best_response, best_response_date, confirmed, confirmed_best_response, "
    "confirmed_best_response_date, confirmation_date, why_not_better, first_response_date, progression_date, "
    "progression_reason, pd_after_new_therapy, reference_date, last_evaluable_date, best_change_percent, accepted, "
    "site, flags"
).split(", ")
LESIONS = (
    "subject, site, evaluator, accepted, timepoint, date, lesion, role, organ, location, nodal, state, length_mm, "
    "value_mm, why, baseline_mm, nadir_mm, change_from_baseline_mm, change_from_baseline_percent, attenuation_hu, "
    "baseline_hu, morphology, nodule, source, file, line"
).split(", ")


def rows(table: ResultTable, **wanted: str) -> list[dict[str, str]]:
    """Return the rows that have some texts, as a CSV file has them."""
    return [row for row in table.rows() if all(row[name] == text for name, text in wanted.items())]


def column(assessment: Assessment, name: str, criterion: str = "recist-1.1") -> list[str]:
    """Return one column of the timepoints by a criterion."""
    return [row[name] for row in rows(timepoint_table(assessment), criterion=criterion)]


def names(table: ResultTable) -> list[str]:
    return list(next(table.batches()))


# --- columns


def test_the_columns_of_timepoints_are_those_of_the_contract() -> None:
    assert names(timepoint_table(assessed("T1 liver 30|20"))) == [*TIMEPOINTS, "disagreement"]


def test_the_numbers_of_the_other_criteria_follow() -> None:
    whole = timepoint_table(assessed("T1 liver 30@80#3|20@60#1", "choi", "chun"))
    assert names(whole) == [*TIMEPOINTS, *CHOI, *CHUN, "disagreement"]


def test_the_columns_of_subjects_and_lesions() -> None:
    found = assessed("T1 liver 30|20")
    assert names(subject_table(found)) == SUBJECTS
    assert names(lesion_table(found)) == LESIONS


@pytest.mark.parametrize("make", [timepoint_table, subject_table, lesion_table])
def test_every_batch_has_the_same_columns(make: Any) -> None:
    whole = make(all_at_once())
    frame = whole.to_frame()
    assert list(frame.columns) == names(whole)
    assert len(frame) == sum(1 for _ in whole.rows())
    assert whole.to_arrow().num_rows == len(frame)
    assert whole.to_arrow().column_names == list(frame.columns)


# --- timepoints


def test_one_row_per_timepoint_and_criterion_in_time_order() -> None:
    found = rows(timepoint_table(assessed("T1 liver 30@80|20@60|40@60", "choi")))
    told = [(row["timepoint"], row["criterion"], row["overall"]) for row in found]
    assert told == [
        ("0", "recist-1.1", ""),
        ("0", "choi", ""),
        ("1", "recist-1.1", "PR"),
        ("1", "choi", "PR"),
        ("2", "recist-1.1", "PD"),
        ("2", "choi", "PR"),  # +100 % from the nadir, but the attenuation is 25 % below the baseline
    ]


def test_timepoints_that_are_not_scored_say_why() -> None:
    found = assessed("T1 liver 30|30|20", days="-30|0|56")
    assert column(found, "rule") == ["before_baseline", "baseline", "recist-1.1.target.pr"]
    assert column(found, "overall") == ["", "", "PR"]
    assert column(found, "sum_mm") == ["30", "30", "20"]
    assert column(found, "baseline_mm") == ["", "30", "30"]
    assert column(found, "nadir_mm") == ["", "", "30"]
    assert column(found, "change_from_baseline_percent") == ["", "", "-33.33"]


def test_a_series_without_baseline_has_rows_that_say_so() -> None:
    late = [target("S1", week // 8, "30") | {"timepoint": f"week {week}"} for week in (8, 16)]
    found = from_rows(late, subjects=[{"subject": "S1", "treatment_start": iso_day(0)}])
    assert column(found, "rule") == ["no_baseline"] * 2
    assert column(found, "overall") == [""] * 2
    assert column(found, "sum_mm") == [""] * 2
    assert column(found, "reason") == ["The subject has no baseline, so no response can be computed."] * 2
    (row,) = rows(subject_table(found))
    assert row["best_response"] == "NE"
    assert row["why_not_better"] == "The subject has no baseline, so no response can be computed."


def test_a_subject_of_the_subject_table_alone_has_rows_that_say_so() -> None:
    found = from_rows([target("A", 0, "30"), target("A", 1, "20")], subjects=[{"subject": "B", "site": "12"}])
    (row,) = rows(timepoint_table(found), subject="B")
    assert (row["overall"], row["rule"], row["timepoint"], row["site"]) == ("NE", "no_measurements", "", "12")
    (row,) = rows(subject_table(found), subject="B")
    assert (row["best_response"], row["confirmed_best_response"], row["site"]) == ("NE", "NE", "12")
    assert row["why_not_better"] == "There is no measurement of the subject."


def test_of_equal_nadirs_the_earliest_is_named() -> None:
    found = assessed("T1 liver 50|30|NE|30|30|29|40")
    assert column(found, "nadir_timepoint") == ["", "0", "1", "1", "1", "1", "5"]
    assert column(found, "nadir_mm") == ["", "50", "30", "30", "30", "30", "29"]
    assert column(found, "nadir_date")[6] == "2024-10-07"  # day 280


def test_numbers_stand_as_people_write_them() -> None:
    found = assessed("T1 liver 33.0|23.10|136")
    assert column(found, "sum_mm") == ["33", "23.1", "136"]
    assert column(found, "change_from_baseline_mm") == ["", "-9.9", "103"]
    assert column(found, "change_from_baseline_percent") == ["", "-30", "312.12"]
    assert column(found, "change_from_nadir_percent") == ["", "-30", "488.74"]


def test_an_incomplete_sum_is_kept_without_changes() -> None:
    found = assessed("T1 liver 50|25 ; T2 liver 50|NE")
    assert column(found, "sum_mm") == ["100", "25"]
    assert column(found, "change_from_baseline_mm") == ["", ""]
    assert column(found, "missing_lesions") == ["", "T2"]
    assert column(found, "drivers") == ["", "T2"]


@pytest.mark.parametrize(
    ("lesions", "why"),
    [("T1 liver 50|NE", "nothing was measured"), ("NT1 liver present|present", "there is no target")],
)
def test_there_is_no_sum_where_there_is_nothing_to_add(lesions: str, why: str) -> None:
    assert column(assessed(lesions), "sum_mm")[1] == "", why


def test_days_are_counted_from_the_start_of_treatment_without_a_day_0() -> None:
    found = assessed("T1 liver 30|30|30", days="-7|0|56")
    assert column(found, "study_day") == ["-7", "1", "57"]


def test_a_partial_date_stands_as_far_as_it_is_known_and_has_no_study_day() -> None:
    found = from_rows(
        [target("A", 0, "30"), target("A", 1, "20", date="2024-03")],
        subjects=[{"subject": "A", "treatment_start": "2024-01-01"}],
    )
    assert column(found, "date") == ["2024-01-01", "2024-03"]
    assert column(found, "study_day") == ["1", ""]


def test_without_a_start_of_treatment_days_are_counted_from_randomisation() -> None:
    subjects = [{"subject": "A", "randomisation": "2023-12-31"}, {"subject": "B", "treatment_start": "2023-12"}]
    found = from_rows([target("A", 0, "30", baseline="Y"), target("B", 0, "30", baseline="Y")], subjects=subjects)
    assert column(found, "study_day") == ["2", ""]


def test_drivers_of_progression_new_then_unequivocal_then_the_largest_growth() -> None:
    found = assessed(
        "T1 liver 20|20|26 ; T2 liver 20|15|35 ; T3 lung 20|20|12 ; NT2 bone present|present|pd ; "
        "NT1 bone present|present|present ; NL1 brain -|-|present"
    )
    assert column(found, "drivers") == ["", "", "NL1;NT2;T2;T1"]
    assert column(found, "new_lesion_ids") == ["", "", "NL1"]


def test_targets_are_no_drivers_where_their_growth_decides_nothing() -> None:
    found = assessed("T1 liver 20|22 ; NL1 brain -|present")
    assert column(found, "drivers") == ["", "NL1"]


def test_what_is_back_after_complete_response_drives_the_progression() -> None:
    found = assessed("T1 liver 20|0|0 ; NT1 bone present|absent|present")
    assert column(found, "rule")[2] == "recist-1.1.overall.relapse_after_cr"
    assert column(found, "drivers") == ["", "", "NT1"]


def test_a_target_that_was_not_measured_at_baseline_drives_every_ne() -> None:
    found = assessed("T1 liver 20|10 ; T2 liver NE|10")
    assert column(found, "overall") == ["", "NE"]
    assert column(found, "missing_lesions") == ["T2", ""]
    assert column(found, "drivers") == ["", "T2"]


def test_an_equivocal_new_lesion_is_named_where_there_is_no_other() -> None:
    found = assessed("T1 liver 20|20|20 ; NL1 brain -|equivocal|equivocal ; NL2 bone -|-|present")
    assert column(found, "new_lesion") == ["", "Equivocal", "Yes"]
    assert column(found, "new_lesion_ids") == ["", "NL1", "NL2"]


def test_after_the_first_pd_timepoints_are_marked() -> None:
    found = assessed("T1 liver 20|40|60|20 // T1 liver 20|20|20|20")
    marks = [(row["subject"], row["after_pd"]) for row in rows(timepoint_table(found))]
    assert [mark for subject, mark in marks if subject == "S1"] == ["", "", "Y", "Y"]
    assert [mark for subject, mark in marks if subject == "S2"] == [""] * 4


def test_the_rule_is_the_one_that_decided() -> None:
    found = assessed("T1 liver 30|0|0|40 ; NT1 bone present|absent|present|present")
    assert column(found, "rule") == [
        "baseline",
        "recist-1.1.overall.cr",
        "recist-1.1.overall.relapse_after_cr",
        "recist-1.1.target.pd",
    ]
    assert column(found, "clause") == ["", "table 1, row 1; table 2, row 1", "table 3, footnote a", "4.3.1"]


def test_other_criteria_carry_the_answers_they_were_given() -> None:
    found = assessed("T1 liver 30@80#3|20@60#1 ; NT1 bone present|pd ; NL1 brain -|present", "choi", "chun")
    for criterion in ("choi", "chun"):
        assert column(found, "target", criterion)[1] == ""
        assert column(found, "non_target", criterion)[1] == "PD"
        assert column(found, "new_lesion", criterion)[1] == "Yes"
    assert column(found, "sum_mm", "choi")[1] == "20"
    assert column(found, "sum_mm", "chun")[1] == ""


def test_a_sum_of_nothing_that_was_measured_is_blank_and_no_0() -> None:
    # WHO needs two diameters
    found = assessed("T1 liver 30x20|30|absent", "who")
    assert column(found, "overall", "who") == ["", "NE", "CR"]
    assert column(found, "sum_mm2", "who") == ["600", "", "0"]
    found = assessed("T1 liver 30|30x20", "who")
    assert column(found, "sum_mm2", "who") == ["", "600"]
    assert column(found, "baseline_mm2", "who") == ["", ""]


def test_attenuation_and_groups_have_their_columns() -> None:
    found = assessed("T1 liver 30@80#3|30@60#1 ; T2 liver 30@40#3|30@30#2", "choi", "chun")
    assert column(found, "attenuation_hu", "choi") == ["60", "45"]
    assert column(found, "baseline_hu", "choi") == ["60", "60"]
    assert column(found, "change_hu_percent", "choi") == ["", "-25"]
    assert column(found, "attenuation_hu") == ["", ""]
    assert [column(found, name, "chun")[1] for name in CHUN] == ["1", "1", "0", "0", "suboptimal"]


@pytest.mark.parametrize(
    ("lesions", "line"),
    [
        ("T1 liver 100@80|78@80", "SD by RECIST 1.1 at -22 % in size, PR by Choi at -22 % in size"),
        ("T1 liver 100@80|96@55", "SD by RECIST 1.1 at -4 % in size, PR by Choi at -31.25 % in attenuation"),
        ("T1 liver 100@80|112@80", "SD by RECIST 1.1 at +12 % in size, PD by Choi at +12 % in size from 100 mm"),
        ("T1 liver 100@80|60@60", ""),
        ("T1 liver 100@80|NE", ""),
    ],
)
def test_where_the_criteria_disagree_the_number_that_decides_is_told(lesions: str, line: str) -> None:
    assert column(assessed(lesions, "choi"), "disagreement")[1].startswith(line)
    assert bool(column(assessed(lesions, "choi"), "disagreement")[1]) == bool(line)


def test_chun_disagrees_only_where_both_cannot_be_true() -> None:
    found = assessed("T1 liver 100#3|98#1|97#2|97#3", "chun")
    told = column(found, "disagreement")
    assert told[1].startswith("SD by RECIST 1.1 at -2 % in size, optimal by Chun")
    assert told[2:] == ["", ""]


def test_percentages_are_cut_never_rounded_up() -> None:
    # 100.000 mm to 70.004 mm is -29.996 %: rounded it would read as the threshold of PR
    found = assessed("T1 liver 100.000|70.004")
    assert column(found, "change_from_baseline_percent") == ["", "-29.99"]
    assert column(found, "overall") == ["", "SD"]


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**8))
def test_percent_is_exact(part: int, whole: int) -> None:
    exact = abs(Fraction(part * 10_000, whole))
    expected = exact.numerator // exact.denominator * (1 if part >= 0 else -1)
    assert percent(np.asarray([part]), np.asarray([whole])).tolist() == [expected]


# --- subjects


def test_the_subject_table_of_a_course() -> None:
    found = assessed("T1 liver 100|60|65|80 ", subject="site=4", days="0|56|112|168")
    (row,) = rows(subject_table(found))
    assert {name: text for name, text in row.items() if text} == {
        "subject": "S1",
        "criterion": "recist-1.1",
        "best_response": "PR",
        "best_response_date": "2024-02-26",
        "confirmed": "Y",
        "confirmed_best_response": "PR",
        "confirmed_best_response_date": "2024-02-26",
        "confirmation_date": "2024-04-22",
        "first_response_date": "2024-02-26",
        "progression_date": "2024-06-17",
        "progression_reason": (
            "Progression of the target lesions: the sum 80 mm is 20 mm (33.33 %) over the nadir 60 mm."
        ),
        "reference_date": "2024-01-01",
        "last_evaluable_date": "2024-06-17",
        "best_change_percent": "-40",
        "site": "4",
    }


@pytest.mark.parametrize(
    ("lesions", "subject", "change", "reason"),
    [
        ("T1 liver 100|60|80|20", "", "-40", "-80 % comes after the first PD"),
        ("T1 liver 100|90|20", "new_therapy=d60", "-10", "-80 % comes after new therapy"),
        ("T1 liver 50|25|45 ; T2 liver 50|NE|45", "", "-10", "-75 % is an incomplete sum"),
        ("T1 liver 100|104", "", "4", "growth is a change too"),
        ("T1 liver 50|40 ; T2 liver NE|40", "", "", "the baseline is incomplete"),
        ("NT1 liver present|present", "", "", "there is no sum"),
    ],
)
def test_the_best_change_counts_complete_sums_up_to_pd_and_new_therapy(
    lesions: str, subject: str, change: str, reason: str
) -> None:
    (row,) = rows(subject_table(assessed(lesions, subject=subject)))
    assert row["best_change_percent"] == change, reason


def test_a_criterion_with_its_own_categories_has_its_best_one() -> None:
    found = assessed("T1 liver 30#3|30#2|30#1 // T1 liver 30#3|30", "chun")
    best = [(row["best_response"], row["best_response_date"]) for row in rows(subject_table(found), criterion="chun")]
    assert best == [("optimal", "2024-04-22"), ("NE", "2024-02-26")]


# --- lesions


def sums_of_lesions(assessment: Assessment) -> dict[tuple[str, ...], Decimal]:
    """Return the values of the lesions added up, by subject, evaluator and timepoint."""
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in lesion_table(assessment).rows():
        if row["value_mm"]:
            sums[row["subject"], row["evaluator"], row["timepoint"]] += Decimal(row["value_mm"])
    return sums


def test_every_sum_can_be_added_up_again() -> None:
    sums = sums_of_lesions(all_at_once())
    found = [row for row in rows(timepoint_table(all_at_once()), criterion="recist-1.1") if row["sum_mm"]]
    assert len(found) > 300
    for row in found:
        assert sums[row["subject"], row["evaluator"], row["timepoint"]] == Decimal(row["sum_mm"]), row


@pytest.mark.parametrize(
    ("lesions", "lesion", "value", "why"),
    [
        ("T1 liver 30|20", "T1", "20", "measured"),
        ("T1 node 30|20", "T1", "20", "short axis of a node"),
        ("T1 node 30|8", "T1", "8", "short axis of a node, normal below 10 mm"),
        ("T1 liver 30|TSTM", "T1", "5", "5 mm default: too small to measure"),
        ("T1 liver 30|0", "T1", "0", "gone"),
        ("T1 liver 30|NE[reason=motion]", "T1", "", "not evaluable: motion"),
        ("T1 liver 30|- ; T2 lung 30|30", "T1", "", "no row at this visit"),
        ("T1 liver 30|split ; T1a<T1 liver -|12", "T1", "0", "split: its fragments count"),
        ("T1 liver 30|split ; T1a<T1 liver -|12", "T1a", "12", "measured, fragment of T1"),
        ("T1 liver 30|50 ; T2 liver 30|merged>T1", "T2", "0", "merged into T1, which is measured"),
        ("T1 liver 30|30 ; T2 liver -|12", "T2", "", "not counted: no row at baseline"),
        ("T1 liver 30|30 ; NT1 lung present|pd", "NT1", "", "non-target, not in the sum: unequivocal progression"),
        ("T1 liver 30|30 ; NL1 lung -|12", "NL1", "", "new lesion, not in the sum: seen"),
    ],
)
def test_why_a_lesion_adds_what_it_adds(lesions: str, lesion: str, value: str, why: str) -> None:
    (row,) = rows(lesion_table(assessed(lesions)), lesion=lesion, timepoint="1")
    assert (row["value_mm"], row["why"]) == (value, why)


def test_a_lesion_tells_its_changes_and_where_it_stands() -> None:
    found = lesion_table(assessed("T1 liver [location=segment 4] 30@80|20@60|24@60", "choi"))
    (row,) = rows(found, timepoint="2")
    assert {name: text for name, text in row.items() if text} == {
        "subject": "S1",
        "timepoint": "2",
        "date": "2024-04-22",
        "lesion": "T1",
        "role": "target",
        "organ": "liver",
        "location": "segment 4",
        "state": "measured",
        "length_mm": "24",
        "value_mm": "24",
        "why": "measured",
        "baseline_mm": "30",
        "nadir_mm": "20",
        "change_from_baseline_mm": "-6",
        "change_from_baseline_percent": "-20",
        "attenuation_hu": "60",
        "baseline_hu": "80",
        "file": "trial.csv",
        "line": "4",
    }


def test_a_lesion_has_no_row_before_it_was_seen() -> None:
    found = rows(lesion_table(assessed("T1 liver 30|30|30 ; NL1 lung -|12|-")), lesion="NL1")
    assert [(row["timepoint"], row["why"]) for row in found] == [
        ("1", "new lesion, not in the sum: seen"),
        ("2", "new lesion, not in the sum: no row at this visit"),
    ]


# --- however they are made


@pytest.fixture
def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(texts, "arrow", lambda: None)
    for module in ("report.columns",):
        monkeypatch.setattr(f"response.{module}.arrow", lambda: None)
    yield


MAKERS = [timepoint_table, subject_table, lesion_table]


@pytest.mark.parametrize("make", MAKERS)
def test_without_pyarrow_every_text_is_the_same(make: Any, request: pytest.FixtureRequest) -> None:
    with_arrow = list(make(all_at_once()).rows())
    frame = make(all_at_once()).to_frame()
    request.getfixturevalue("without_pyarrow")
    assert list(make(all_at_once()).rows()) == with_arrow
    pd.testing.assert_frame_equal(make(all_at_once()).to_frame(), frame)


@cache
def by_all_criteria(block_cells: int = BLOCK_CELLS) -> Assessment:
    """Return the trial of all cases by all criteria, in blocks of a size."""
    timeline = replace(all_at_once().timeline, block_cells=block_cells)
    criteria, protocol = find_criteria(criterion_names()), Protocol()
    options = {item.name: protocol.options(item.name, item.options) for item in criteria}
    return Assessment(timeline, assess_timeline(timeline, criteria, options), protocol)


@pytest.mark.parametrize("make", [*MAKERS, criteria_table, concordance_table, ancillary_table])
def test_the_size_of_blocks_changes_nothing(make: Any) -> None:
    assert sum(1 for _ in by_all_criteria(block_cells=20).timeline.blocks()) > 50
    assert list(make(by_all_criteria(block_cells=20)).rows()) == list(make(by_all_criteria()).rows())


def test_a_trial_without_rows_has_tables_without_rows() -> None:
    empty = assess(Measurements.from_table(text_table([], "empty.csv")))
    assert all(list(make(empty).rows()) == [] for make in MAKERS)


def test_blank_numbers_are_blank_and_not_0() -> None:
    numbers = NumberColumn(np.asarray([0, 5, -4250]), np.asarray([False, True, True]))
    assert numbers.text_column().texts() == ["", "0.005", "-4.25"]
    assert np.isnan(numbers.floats()[0])


# --- findings


def test_findings_for_the_sites_stand_by_site_and_subject() -> None:
    def finding(site: str, subject: str, severity: Any) -> Finding:
        return Finding(id="x", severity=severity, site=site, subject=subject)

    found = [
        finding("2", "B", "error"),
        finding("1", "C", "error"),
        finding("1", "A", "info"),
        finding("1", "A", "error"),
    ]
    by_site = [(row["site"], row["subject"], row["severity"]) for row in finding_table(found, for_sites=True).rows()]
    assert by_site == [("1", "A", "error"), ("1", "A", "info"), ("1", "C", "error"), ("2", "B", "error")]
    assert [row["severity"] for row in finding_table(found).rows()] == ["error", "error", "error", "info"]
    assert {row["line"] for row in finding_table(found).rows()} == {""}
