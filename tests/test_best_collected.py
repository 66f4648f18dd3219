"""Best overall response from collected responses: series, order, partial dates, texts, columns."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from response.best.of_collected import SUBJECT_RESULT_COLUMNS, best_response_frame
from response.columns import COLLECTED_COLUMNS, SUBJECT_COLUMNS
from response.findings import Finding
from response.measurements import Records, read_records
from response.protocol import BestResponseOptions
from response.table import TextColumn, TextTable


def records_of(text: str, columns: Mapping[str, Any]) -> Records:
    """Read a small table: the header, then rows, cells separated by commas."""
    header, *rows = [[cell.strip() for cell in line.split(",")] for line in text.strip().splitlines()]
    table = {name: TextColumn.of(row[place] for row in rows) for place, name in enumerate(header)}
    records, faults = read_records(TextTable.of(table, "collected.csv"), columns)
    assert faults == []
    return records


def best_of(
    collected: str, subjects: str = "", options: Any = None, findings: list[Finding] | None = None
) -> pd.DataFrame:
    known = records_of(subjects, SUBJECT_COLUMNS) if subjects else None
    return best_response_frame(records_of(collected, COLLECTED_COLUMNS), known, options, findings)


SUBJECTS = """
subject,site,treatment_start,new_therapy
S1,10,2024-01-01,
S2,20,2024-01-01,2024-05-01
S3,30,2024-01-01,
"""


def test_all_columns_of_a_confirmed_response() -> None:
    collected = """
    subject,evaluator,accepted,timepoint,date,overall,sum_mm
    S1,INV,Y,Baseline,2023-12-20,,100
    S1,INV,Y,1,2024-02-26,PR,60
    S1,INV,Y,2,2024-04-22,PR,45.5
    S1,INV,Y,3,2024-06-17,PD,80
    S1,INV,Y,4,2024-08-12,CR,0
    """
    frame = best_of(collected, SUBJECTS)
    assert tuple(frame.columns) == SUBJECT_RESULT_COLUMNS
    row = frame[frame.subject == "S1"].iloc[0].to_dict()
    assert row == {
        "subject": "S1",
        "evaluator": "INV",
        "criterion": "recist-1.1",
        "best_response": "PR",
        "best_response_date": "2024-02-26",
        "confirmed": "Y",
        "confirmed_best_response": "PR",
        "confirmed_best_response_date": "2024-02-26",
        "confirmation_date": "2024-04-22",
        "why_not_better": "CR on 2024-08-12 does not count: the progression of 2024-06-17 comes before it",
        "first_response_date": "2024-02-26",
        "progression_date": "2024-06-17",
        "progression_reason": "PD was collected at timepoint 3",
        "pd_after_new_therapy": "",
        "reference_date": "2024-01-01",
        "last_evaluable_date": "2024-06-17",
        "best_change_percent": "-54.5",
        "accepted": "Y",
        "site": "10",
        "flags": "after_pd",
    }


def test_evaluators_and_criteria_are_series_of_their_own() -> None:
    collected = """
    subject,evaluator,timepoint,date,criterion,overall
    S1,R1,1,2024-02-26,RECIST 1.1,PR
    S1,R2,1,2024-02-26,recist-1.1,SD
    S1,R1,2,2024-04-22,,PR
    S1,R1,1,2024-02-26,Choi,PD
    """
    frame = best_of(collected, SUBJECTS.replace("S2", "X2").replace("S3", "X3"))
    found = frame[frame.subject == "S1"][["evaluator", "criterion", "confirmed_best_response"]].to_numpy().tolist()
    assert found == [["R1", "choi", "PD"], ["R1", "recist-1.1", "PR"], ["R2", "recist-1.1", "SD"]]


def test_the_accepted_read_is_marked_and_no_other() -> None:
    collected = """
    subject,evaluator,accepted,timepoint,date,overall
    S1,R1,,1,2024-02-26,PR
    S1,R2,Y,1,2024-02-26,SD
    S1,,Y,,,
    """
    frame = best_of(collected)
    assert frame[["evaluator", "accepted"]].to_numpy().tolist() == [["R1", ""], ["R2", "Y"]]


def test_an_undated_first_assessment_does_not_borrow_the_date_of_another_series() -> None:
    collected = """
    subject,timepoint,date,overall
    S1,1,2024-06-17,SD
    S3,1,,PR
    S3,2,2024-02-26,PD
    """
    row = best_of(collected, SUBJECTS).set_index("subject").loc["S3"]
    assert (row.best_response, row["flags"]) == ("PR", "date_missing")


def test_progression_at_the_first_row_is_told() -> None:
    row = best_of("subject,timepoint,date,overall\nS1,7,2024-02-26,PD", SUBJECTS).iloc[0]
    assert row.progression_reason == "PD was collected at timepoint 7"


def test_a_baseline_sum_of_0_gives_no_change() -> None:
    collected = """
    subject,timepoint,date,overall,sum_mm
    S1,Baseline,2024-01-01,,0
    S1,1,2024-02-26,SD,5
    """
    assert best_of(collected, SUBJECTS).best_change_percent.iloc[0] == ""


def test_options_of_each_criterion() -> None:
    collected = """
    subject,timepoint,date,criterion,overall
    S1,1,2024-02-05,recist-1.1,SD
    S1,1,2024-02-05,choi,SD
    """
    frame = best_of(collected, SUBJECTS, {"choi": BestResponseOptions(min_sd_days=35)})
    assert frame[frame.subject == "S1"].set_index("criterion").best_response.to_dict() == {
        "choi": "SD",
        "recist-1.1": "NE",
    }


def test_subjects_without_assessments_get_a_row() -> None:
    collected = """
    subject,timepoint,date,overall,best_response
    S1,1,2024-02-26,SD,
    S1,,,,CR
    S4,,,,PR
    """
    frame = best_of(collected, SUBJECTS, BestResponseOptions(missing_as="MISSING"))
    assert frame[["subject", "best_response"]].to_numpy().tolist() == [
        ["S1", "SD"],
        ["S2", "MISSING"],
        ["S3", "MISSING"],
        ["S4", "MISSING"],
    ]


def test_dates_decide_the_order_not_the_rows_or_labels() -> None:
    collected = """
    subject,timepoint,date,overall
    S1,999,2024-03-25,SD
    S1,2,2024-04-22,PR
    S1,1,2024-02-26,PR
    """
    row = best_of(collected, SUBJECTS, BestResponseOptions(max_intermediate_sd=0)).iloc[0]
    assert (row.confirmed_best_response, row.confirmed_best_response_date) == ("SD", "2024-02-26")


def test_an_undated_assessment_stands_where_its_timepoint_does() -> None:
    collected = """
    subject,timepoint,date,overall
    S1,3,2024-06-17,PR
    S1,10,2024-08-12,PD
    S1,2,,PD
    S1,1,2024-02-26,SD
    """
    row = best_of(collected, SUBJECTS).iloc[0]
    assert (row.best_response, row.progression_date) == ("SD", "")
    assert row.progression_reason == "PD was collected at timepoint 2"
    assert row["flags"] == "date_missing;after_pd"


def test_partial_dates_stay_partial_and_follow_the_visits() -> None:
    collected = """
    subject,timepoint,date,overall
    S1,1,2024-02-26,SD
    S1,2,2024-02,PR
    S1,3,2024-04-22,PR
    """
    row = best_of(collected, SUBJECTS).iloc[0]
    assert (row.best_response, row.best_response_date, row.confirmed) == ("PR", "2024-02", "Y")
    assert row["flags"] == "date_partial"


def test_of_a_partial_reference_date_the_last_possible_day_counts() -> None:
    collected = """
    subject,timepoint,date,overall
    S1,1,2024-03-13,SD
    S2,1,2024-03-14,SD
    """
    subjects = "subject,treatment_start\nS1,2024-01\nS2,2024-01"
    frame = best_of(collected, subjects)
    assert frame.best_response.tolist() == ["SD", "SD"]  # 42 and 43 days from 2024-01-31
    assert best_of(collected.replace("03-13", "03-12"), subjects).best_response.tolist() == ["NE", "SD"]


def test_without_a_subject_table_the_baseline_row_is_the_reference() -> None:
    collected = """
    subject,timepoint,date,overall
    S1,Baseline,2024-01-01,
    S1,1,2024-02-12,SD
    S2,1,2024-02-12,SD
    """
    frame = best_of(collected)
    assert frame.best_response.tolist() == ["SD", "NE"]
    assert frame.reference_date.tolist() == ["2024-01-01", ""]
    assert frame["flags"].tolist() == ["", "no_reference_date"]


def test_new_therapy_cuts_and_flags() -> None:
    collected = """
    subject,timepoint,date,overall
    S2,1,2024-02-26,SD
    S2,2,2024-05-01,PD
    """
    row = best_of(collected, SUBJECTS).set_index("subject").loc["S2"]
    assert (row.best_response, row.progression_date, row.pd_after_new_therapy) == ("SD", "2024-05-01", "Y")


def test_disease_after_cr_is_told_as_the_reason_of_progression() -> None:
    collected = """
    subject,timepoint,date,overall
    S1,1,2024-02-26,CR
    S1,2,2024-04-22,SD
    """
    row = best_of(collected, SUBJECTS).iloc[0]
    assert row.progression_reason == "SD was collected at timepoint 2 after CR, which is progression"
    assert row["flags"] == "adjudicate_cr"


def test_texts_that_are_no_response_are_findings_and_count_as_ne() -> None:
    collected = """
    subject,timepoint,date,overall
    S1,Baseline,2024-01-01,CR
    S1,1,2024-02-26,PR
    S1,2,2024-03-25,iCR
    S1,3,2024-04-22,PR
    """
    findings: list[Finding] = []
    row = best_of(collected, SUBJECTS, BestResponseOptions(max_nr_ne=0), findings).iloc[0]
    assert row.confirmed_best_response == "SD"  # the text between counts as NE
    assert [(item.id, item.line, item.found) for item in findings] == [
        ("unknown_response", 4, "iCR"),
        ("baseline_response", 2, "CR"),
    ]
    assert "'iCR'" in findings[0].sentence


@pytest.mark.parametrize("text", ["Non-CR/Non-PD", "NON-CR/NON-PD", "NonCR/NonPD", "non cr non pd"])
def test_non_cr_non_pd_is_never_a_cr(text: str) -> None:
    row = best_of(f"subject,timepoint,date,overall\nS1,1,2024-02-26,{text}", SUBJECTS).iloc[0]
    assert row.best_response == "Non-CR/Non-PD"


def test_a_bare_response_column_is_the_overall_response() -> None:
    assert best_of("subject,timepoint,date,response\nS1,1,2024-02-26,SD", SUBJECTS).best_response.iloc[0] == "SD"


def test_one_long_series_among_short_ones_changes_nothing() -> None:
    long = "\n".join(f"S1,{number},2024-{1 + number // 28:02}-{1 + number % 28:02},NE" for number in range(1, 300))
    rows = f"subject,timepoint,date,overall\n{long}\nS2,1,2024-02-26,PR\nS2,2,2024-04-22,PR\nS3,1,2024-02-26,SD"
    frame = best_of(rows, SUBJECTS)
    assert frame.confirmed_best_response.tolist() == ["NE", "PR", "SD"]


def test_an_empty_table() -> None:
    frame = best_of("subject,timepoint,overall", SUBJECTS)
    assert frame.best_response.tolist() == ["NE"] * 3
    assert best_of("subject,timepoint,overall").empty
