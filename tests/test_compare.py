"""Collected against computed responses: each slip is made by hand in a small trial, and must be named as the cause."""

from datetime import date
from pathlib import Path

import pytest

import response
from response.checks import check
from response.compare.matching import answer_of, new_lesion_of
from response.compare.slips import SLIPS
from response.findings import Finding
from response.measurements import Measurements
from tests.acceptance import Case, Row, iso_day, text_table

TODAY = date(2025, 6, 1)
QUESTIONS = ("target", "non_target", "new_lesion", "overall")

# What was collected at the last timepoint: target / non-target / new lesions / overall, blank where not collected.
# id, lesions, collected, finding, cause, why the collected response is what the slip gives
SLIP_CASES = [
    ("judged from baseline", "T1 liver 100|40|60", "PR/NA/No/PR", "overall_differs", "baseline_for_nadir",
     "60 is 40 % below 100, but 50 % above the nadir 40"),
    ("PR from the nadir", "T1 liver 100|72|50", "SD/NA/No/SD", "overall_differs", "unknown",
     "-30.6 % from the nadir is PR as well, so no slip gives SD"),
    ("PR against the nadir", "T1 liver 100|60|48", "SD/NA/No/SD", "overall_differs", "nadir_for_baseline",
     "-20 % from the nadir 60, but -52 % from the baseline"),
    ("5 mm forgotten", "T1 liver 20|12|15", "PD/NA/No/PD", "overall_differs", "five_mm_forgotten", "+25 %, but +3 mm"),
    ("5 mm alone", "T1 liver 100|100|110", "PD/NA/No/PD", "overall_differs", "or_for_and", "+10 mm, but +10 %"),
    ("rounded to 30 %", "T1 liver 100|70.4", "PR/NA/No/PR", "overall_differs", "rounding", "-29.6 % is shown as 30 %"),
    ("rounded to 20 %", "T1 liver 100|119.6", "PD/NA/No/PD", "overall_differs", "rounding", "+19.6 %"),
    ("exactly -30 %", "T1 liver 100|70", "SD/NA/No/SD", "overall_differs", "threshold_not_inclusive", "inclusive"),
    ("exactly +20 %", "T1 liver 100|120", "SD/NA/No/SD", "overall_differs", "threshold_not_inclusive", "inclusive"),
    ("new lesion left out", "T1 liver 30|30 ; NL1 lung -|12", "SD/NA/No/SD", "overall_differs", "new_lesion_ignored",
     "table 1, row 9"),
    ("non-target progression left out", "T1 liver 30|30 ; NT1 lung present|pd", "SD/Non-CR\\Non-PD/No/SD",
     "overall_differs", "non_target_progression_ignored", "table 1, row 8"),
    ("non-target left out", "T1 liver 30|0 ; NT1 lung present|present", "CR/CR/No/CR", "overall_differs",
     "non_target_ignored", "table 1, row 2"),
    ("non-target not evaluated", "T1 liver 30|0 ; NT1 lung present|NE", "CR/CR/No/CR", "overall_differs",
     "non_target_ignored", "table 1, row 3"),
    ("non-target taken as present", "T1 liver 30|30 ; NT1 lung present|NE", "SD/Non-CR\\Non-PD/No/SD",
     "non_target_differs", "non_target_gap_ignored", "overall is the same, table 1 row 5"),
    ("equivocal new lesion", "T1 liver 30|30 ; NL1 lung -|6 equivocal", "SD/NA/Yes/PD", "overall_differs",
     "equivocal_counted_as_pd", "1.7: no effect"),
    ("node of 12 mm taken for normal", "T1 node 20|12", "CR/NA/No/CR", "overall_differs", "node_not_below_10",
     "10 mm or more is disease"),
    ("node of 8 mm not taken for normal", "T1 node 20|8", "PR/NA/No/PR", "overall_differs", "cr_needs_sum_zero",
     "below 10 mm is normal"),
    ("missing target as 0", "T1 liver 30|NE ; T2 lung 30|28", "PR/NA/No/PR", "overall_differs",
     "missing_counted_as_0", "28 of 60 is -53 %, but T1 was not assessed"),
    ("missing target left out", "T1 liver 30|- ; T2 lung 30|28", "SD/NA/No/SD", "overall_differs",
     "missing_lesion_ignored", "28 of T2's own 30"),
    ("incomplete nadir", "T1 liver 50|25|50 ; T2 liver 50|NE|50", "PD/NA/No/PD", "overall_differs",
     "incomplete_sum_as_nadir", "25 was no complete sum"),
    ("too small as gone", "T1 liver 30|TSTM", "CR/NA/No/CR", "overall_differs", "too_small_taken_for_gone", "5 mm"),
    ("longest diameter of a node", "T1 node 30x20|26x12", "SD/NA/No/SD", "overall_differs", "longest_for_node",
     "26 of 30, but short axes 12 of 20"),
    ("non-target in the sum", "T1 liver 50|30 ; NT1 lung 50|50 present", "SD/Non-CR\\Non-PD/No/SD", "overall_differs",
     "non_target_in_sum", "80 of 100, but targets 30 of 50"),
    ("relapse after CR", "T1 liver 30|0|4", "PR/NA/No/PR", "overall_differs", "relapse_after_cr_missed",
     "table 3, footnote a"),
    ("PR continued", "T1 liver 100|70|80", "PR/NA/No/PR", "overall_differs", "pr_continued", "EORTC FAQ; recompute"),
    ("SD without targets", "NT1 lung present|present", "NA/Non-CR\\Non-PD/No/SD", "overall_differs",
     "sd_without_targets", "table 2, row 2"),
    ("PD goes on", "T1 liver 30|40|20", "PD/NA/No/PD", "overall_differs", "pd_carried_forward", "20 of 30 is PR"),
    ("nothing explains it", "T1 liver 30|30", "CR/NA/No/CR", "overall_differs", "unknown", "no slip gives CR"),
    ("only the target", "T1 liver 20|12|15 ; NL1 lung -|-|20", "PD/NA/Yes/PD", "target_differs", "five_mm_forgotten",
     "overall PD by the new lesion"),
    ("only the new lesion", "T1 liver 30|40 ; NL1 lung -|20", "PD/NA/No/PD", "new_lesion_differs",
     "new_lesion_ignored", "overall PD by the targets"),
    ("data error", "T1 liver 30|20 absent ; T2 lung 30|30", "SD/NA/No/SD", "overall_differs", "number_on_absent",
     "T1 is not evaluable only because of the contradiction"),
]  # fmt: skip


def case_of(lesions: str, **inputs: str) -> Case:
    blank = dict.fromkeys(("table", "id", "title", "source", "criterion", "visits", "subject", "days", "options"), "")
    return Case(**{**blank, "lesions": lesions, **inputs}, expected={})


def measured(case: Case, collected: list[Row]) -> Measurements:
    columns = ["subject", "timepoint", *QUESTIONS]
    rows = [{**dict.fromkeys(columns, ""), "subject": "S1", **row} for row in collected]
    return Measurements.from_table(
        text_table(case.rows(), "trial.csv"),
        visits=text_table(case.visit_rows(), "visits.csv") if case.visits else None,
        subjects=text_table(case.subject_rows(), "subjects.csv"),
        collected=text_table(rows, "collected.csv"),
    )


def compared(case: Case, collected: list[Row], criteria: tuple[str, ...] = ("recist-1.1",)) -> list[Finding]:
    """Return the findings that compare, or that only the collected responses have."""
    assessment = response.assess(measured(case, collected), criteria=criteria, protocol=case.protocol)
    return [item for item in check(assessment, today=TODAY) if item.file == "collected.csv" or "collected" in item.id]


def collected_row(timepoint: int, text: str) -> Row:
    answers = [part.replace("\\", "/") for part in text.split("/")]
    return {"timepoint": str(timepoint), **dict(zip(QUESTIONS, answers, strict=True))}


def right_rows(case: Case) -> list[Row]:
    """Return the responses that the engine computes, as collected rows."""
    frame = response.assess(case.measurements(), criteria=(), protocol=case.protocol).timepoints
    rows = frame[frame["rule"] != "baseline"].to_dict("records")
    return [{"timepoint": str(row["timepoint"]), **{name: str(row[name]) for name in QUESTIONS}} for row in rows]


@pytest.mark.parametrize(
    ("lesions", "text", "finding", "cause"), [pytest.param(*case[1:5], id=case[0]) for case in SLIP_CASES]
)
def test_cause(lesions: str, text: str, finding: str, cause: str) -> None:
    case = case_of(lesions)
    rows = right_rows(case)
    rows[-1] |= collected_row(int(rows[-1]["timepoint"]), text)
    (found,) = compared(case, rows)
    assert found.id == finding
    assert f"Likely cause ({cause})" in found.sentence
    assert found.expected.endswith(f"({cause})")
    assert found.timepoint == rows[-1]["timepoint"]


def test_every_slip_has_a_case() -> None:
    later = {"baseline_gap_ignored", "new_lesion_gap_ignored"}  # tested below
    assert {slip.name for slip in SLIPS} - later <= {case[4] for case in SLIP_CASES}


@pytest.mark.parametrize("lesions", [case[1] for case in SLIP_CASES])
def test_right_responses_have_no_difference(lesions: str) -> None:
    case = case_of(lesions)
    assert [item.sentence for item in compared(case, right_rows(case))] == []


def test_a_target_without_baseline_value() -> None:
    case = case_of("T1 liver NE|30 ; T2 lung 30|15")
    (found,) = compared(case, [collected_row(1, "SD/NA/No/SD")])
    assert "target_without_baseline_value" in found.sentence


def test_new_lesions_not_looked_for() -> None:
    case = case_of("T1 liver 30|0", visits="1 new_lesions=not_evaluable")
    (found,) = compared(case, [collected_row(1, "CR/NA/NE/CR")])
    assert "new_lesion_gap_ignored" in found.sentence


def test_exchanged_timepoints() -> None:
    case = case_of("T1 liver 100|60|100")  # PR, then PD
    found = compared(case, [collected_row(1, "PD/NA/No/PD"), collected_row(2, "PR/NA/No/PR")])
    assert [item.id for item in found] == ["overall_differs", "overall_differs"]
    assert all("dates_exchanged" in item.sentence for item in found)


def test_the_query_tells_what_differs_with_the_numbers() -> None:
    case = case_of("T1 liver 100|40|60", subject="site=S07")
    rows = right_rows(case)
    rows[-1] |= collected_row(2, "PR/NA/No/PR")
    (found,) = compared(case, rows)
    assert (found.found, found.expected) == ("PR", "PD (baseline_for_nadir)")
    assert found.sentence.startswith(
        "At timepoint 2 (2024-04-22) the overall response was recorded as PR, but the measurements give PD "
        "(sum 60 mm, baseline 100 mm, nadir 40 mm); also: target response PR against PD."
    )
    assert (found.site, found.severity, found.file, found.line) == ("S07", "error", "collected.csv", 3)


# --- sums

SUMS = [
    # id, lesions, collected sum, cause or "" where there is no difference
    ("the same", "T1 liver 30|25.4 ; T2 lung 20|18", "43.4", ""),
    ("rounded", "T1 liver 30|25.4 ; T2 lung 20|18", "43", ""),
    ("one lesion left out", "T1 liver 30|25 ; T2 lung 20|18", "25", "lesion_left_out"),
    ("cm", "T1 liver 30|25 ; T2 lung 20|18", "4.3", "centimetres"),
    ("non-target added", "T1 liver 30|25 ; NT1 lung 20|18 present", "43", "non_target_in_sum"),
    ("longest diameter of a node", "T1 liver 30|25 ; T2 node 30x20|26x18", "51", "longest_for_node"),
    ("unknown lesion added", "T1 liver 30|25 ; T9 lung -|18", "43", "unknown_lesion_in_sum"),
    ("the sum of the baseline", "T1 liver 30|25", "30", "other_timepoint"),
    ("a slip of the pen", "T1 liver 30|25", "27", "unknown"),
    ("not evaluable", "T1 liver 30|NE ; T2 lung 20|18", "50", ""),
]


@pytest.mark.parametrize(("lesions", "collected", "cause"), [pytest.param(*case[1:], id=case[0]) for case in SUMS])
def test_sums(lesions: str, collected: str, cause: str) -> None:
    case = case_of(lesions)
    found = compared(case, [{**row, "sum_mm": collected} for row in right_rows(case)])
    told = [item for item in found if item.id == "sum_differs"]
    assert len(told) == bool(cause)
    assert not cause or told[0].expected.endswith(f"({cause})") or cause in told[0].sentence


# --- best response and progression

BEST = [
    # id, lesions, further inputs, collected best, collected date of progression (day), finding, cause
    ("right", "T1 liver 100|60|60|100", {}, "PR", "168", "", ""),
    ("not the best", "T1 liver 100|80|60|60|100", {}, "SD", "224", "best_response_differs", "not_the_best"),
    ("last response", "T1 liver 100|60|60", {}, "CR", "", "best_response_differs", "unknown"),
    ("confirmation", "T1 liver 100|60|100", {}, "SD", "112", "best_response_differs", "confirmation"),
    ("too early for SD", "T1 liver 100|100", {"days": "0|30"}, "SD", "", "best_response_differs", "minimum_duration"),
    ("after PD", "T1 liver 100|130|60", {}, "PR", "56", "best_response_differs", "after_pd_counted"),
    ("after new therapy", "T1 liver 100|100|60", {"subject": "new_therapy=d100"}, "PR", "", "best_response_differs",
     "after_new_therapy_counted"),
    ("last, not best", "T1 liver 100|60|130", {}, "PD", "112", "best_response_differs", "last_timepoint_taken"),
    ("later progression", "T1 liver 100|130|140", {}, "PD", "112", "progression_date_differs", "later_progression"),
    ("progression left out", "T1 liver 100|130", {}, "PD", "", "progression_date_differs", "progression_left_out"),
    ("no progression there", "T1 liver 100|100|130", {}, "SD", "56", "progression_date_differs",
     "no_progression_there"),
    ("no scan there", "T1 liver 100|100|130", {}, "SD", "60", "progression_date_differs", "no_scan_on_that_day"),
    ("not dated back", "T1 liver 100|100|100 ; NL1 lung -|6 equivocal|12", {}, "SD", "112",
     "best_response_differs progression_date_differs", "not_dated_back"),
    ("partial date", "T1 liver 100|100|130", {}, "SD", "2024-04", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("lesions", "inputs", "collected", "finding", "cause"),
    [pytest.param(*case[1:3], case[3:5], *case[5:], id=case[0]) for case in BEST],
)
def test_best_response_and_progression(
    lesions: str, inputs: dict[str, str], collected: tuple[str, str], finding: str, cause: str
) -> None:
    case = case_of(lesions, **inputs)
    best, day = collected
    when = iso_day(int(day)) if day.isdigit() else day
    found = compared(case, [*right_rows(case), {"best_response": best, "progression_date": when}])
    assert [item.id for item in found] == finding.split()
    assert cause == "" or any(cause in item.sentence for item in found)


def test_what_follows_from_the_timepoints_is_only_told_beside_them() -> None:
    case = case_of("T1 liver 100|80.0|60 ; T2 lung 20|-|20")
    rows = [collected_row(1, "SD/NA/No/SD"), collected_row(2, "SD/NA/No/SD"), {"best_response": "SD"}]
    found = compared(case, rows)
    assert [(item.id, item.severity) for item in found if item.id == "best_response_differs"] == [
        ("best_response_differs", "info")
    ]


def test_a_best_response_that_no_collected_timepoint_has() -> None:
    case = case_of("T1 liver 100|60|60")
    rows = [collected_row(1, "///SD"), collected_row(2, "///SD"), {"best_response": "PR"}]
    assert "best_response_better_than_timepoints" in [item.id for item in compared(case, rows)]


# --- contradictions within the collected responses

CONTRADICTIONS = [
    ("CR beside a non-target", "CR/Non-CR\\Non-PD/No/CR", "cr_with_non_target_present"),
    ("new lesion without PD", "SD/NA/Yes/SD", "new_lesion_but_not_pd"),
    ("PD from nowhere", "SD/NA/No/PD", "pd_without_cause"),
    ("PD by the target", "PD/NA/No/PD", ""),
    ("PD, nothing else collected", "///PD", ""),
]


@pytest.mark.parametrize(("text", "finding"), [pytest.param(*case[1:], id=case[0]) for case in CONTRADICTIONS])
def test_contradictions_without_measurements(text: str, finding: str) -> None:
    found = compared(case_of("T1 liver 30|30"), [collected_row(1, "SD/NA/No/SD"), collected_row(7, text)])
    assert [item.id for item in found if item.id != "collected_without_measurements"] == finding.split()


def test_a_difference_is_not_told_again_as_a_contradiction() -> None:
    case = case_of("T1 liver 30|0 ; NT1 lung present|present")
    (found,) = compared(case, [collected_row(1, "CR/Non-CR\\Non-PD/No/CR")])
    assert found.id == "overall_differs"


# --- which row means which timepoint


def test_rows_are_found_by_date_where_the_label_is_another() -> None:
    rows = [{**collected_row(1, "PD/NA/No/PD"), "timepoint": "WEEK 8", "date": iso_day(56)}]
    (found,) = compared(case_of("T1 liver 30|30"), rows)
    assert (found.id, found.timepoint) == ("overall_differs", "1")


def test_a_label_may_be_written_otherwise() -> None:
    case = case_of("T1 liver 30 [timepoint=Baseline]|30 [timepoint=Week 8]")
    (found,) = compared(case, [{**collected_row(1, "PD/NA/No/PD"), "timepoint": "WEEK_8"}])
    assert found.timepoint == "Week 8"


def test_a_blank_evaluator_means_the_accepted_one() -> None:
    lesions = "T1 liver [evaluator=R1, accepted=Y] 30|30 ; T2 liver [evaluator=R2] 30|40"
    assert compared(case_of(lesions), [collected_row(1, "SD/NA/No/SD")]) == []
    (found,) = compared(case_of(lesions), [{**collected_row(1, "SD/NA/No/SD"), "evaluator": "R2"}])
    assert (found.id, found.evaluator) == ("overall_differs", "R2")


def test_a_blank_evaluator_among_several_is_not_guessed() -> None:
    lesions = "T1 liver [evaluator=R1] 30|30 ; T2 liver [evaluator=R2] 30|40"
    found = [item for item in compared(case_of(lesions), [collected_row(1, "SD/NA/No/SD")]) if item.severity != "info"]
    assert [item.id for item in found] == ["collected_without_measurements"]
    assert "none, or more than one, was accepted" in found[0].sentence


def test_what_has_no_counterpart() -> None:
    case = case_of("T1 liver 30|30|30")
    rows = [
        collected_row(1, "SD/NA/No/SD"),
        collected_row(9, "SD/NA/No/SD"),
        {**collected_row(1, "///PR"), "subject": "S9"},
    ]
    found = {(item.id, item.timepoint, item.subject) for item in compared(case, rows)}
    assert found == {
        ("collected_without_measurements", "9", "S1"),
        ("collected_without_measurements", "1", "S9"),
        ("measurements_without_collected", "2", "S1"),
    }


def test_a_missed_visit_needs_no_measurements() -> None:
    assert (
        compared(case_of("T1 liver 30|30"), [*right_rows(case_of("T1 liver 30|30")), collected_row(2, "///NE")]) == []
    )


def test_an_unknown_text_is_told_and_not_compared() -> None:
    (found,) = compared(case_of("T1 liver 30|30"), [collected_row(1, "SD/NA/No/stable-ish")])
    assert (found.id, found.column, found.found) == ("unusable_cell", "overall", "stable-ish")


def test_a_series_without_baseline_is_not_compared() -> None:
    case = case_of("T1 liver -|30|30", subject="treatment_start=d1")
    assert compared(case, [collected_row(1, "SD/NA/No/SD"), collected_row(2, "SD/NA/No/SD")]) == []


def test_other_criteria_are_compared_by_their_own_words() -> None:
    case = case_of("T1 liver 30@80#3|30@60#1")
    rows = [
        {"timepoint": "1", "criterion": "choi", "overall": "SD"},
        {"timepoint": "1", "criterion": "chun", "overall": "optimal"},
    ]
    found = [item for item in compared(case, rows, ("choi", "chun")) if item.id == "overall_differs"]
    assert [(item.found, item.expected) for item in found] == [("SD by choi", "PR (unknown)")]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Y", "Yes"),
        ("no", "No"),
        ("Unequivocal", "Yes"),
        ("equivocal", "Equivocal"),
        ("NE", "NE"),
        ("NA", ""),
        ("perhaps", "?"),
    ],
)
def test_texts_about_new_lesions(text: str, meaning: str) -> None:
    assert new_lesion_of(text) == meaning


@pytest.mark.parametrize(
    ("question", "text", "meaning"),
    [
        ("overall", "Complete Response", "CR"),
        ("overall", "Non-CR/Non-PD", "Non-CR/Non-PD"),
        ("overall", "NA", ""),
        ("overall", "ND", "NE"),
        ("non_target", "SD", "Non-CR/Non-PD"),
        ("target", "NA", "NA"),
        ("target", "PRs", "?"),
    ],
)
def test_texts_of_responses(question: str, text: str, meaning: str) -> None:
    assert answer_of(question, text) == meaning


def test_public_sdtm_data_has_no_difference(shared_data: Path) -> None:
    files = sorted((shared_data / "sdtm_recist").glob("*.csv"))
    found = check(response.assess(response.read(files)))
    assert [item for item in found if "differs" in item.id or "collected" in item.id] == []
