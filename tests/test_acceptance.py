"""The worked cases of the spec, row by row, through the public door: measurements in, timepoints and subjects out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import pandas as pd
import pytest

import response
from response import Assessment
from response.columns import COLUMNS, SUBJECT_COLUMNS, VISIT_COLUMNS
from response.criteria.criterion import Criterion
from response.registry import find_criteria
from response.selection import select_targets
from tests.acceptance import Case, expectation_met, flags_met, load

SCORED = ("target_response", "overall_response", "vectors", "traps", "options", "edges", "choi", "chun", "irecist")
PER_SUBJECT = {  # column of the cases -> column of the table of subjects
    **{name: name for name in ("best_response", "confirmed_best_response", "best_change_percent", "reference_date")},
    "iupd_date": "iupd_date",
    "icpd_date": "icpd_date",
    "ipd_date": "progression_date",
}
UNSCORED = ("baseline", "before_baseline")  # rules of timepoints that are not scored
NUMBERS = (
    *("sum_mm", "nadir_mm", "best_change_percent", "change_from_baseline_percent"),
    *("change_from_nadir_mm", "change_from_nadir_percent", "attenuation_hu", "baseline_hu", "change_hu_percent"),
)

# What the spec lists: table -> ids. A sub-case adds a letter (O04a, O04b).
LISTED: Mapping[str, Sequence[str]] = {
    "target_response": [f"T{number:02}" for number in range(1, 39)],
    "baseline": [f"B{number:02}" for number in range(1, 13)],
    "overall_response": [f"O{number:02}" for number in range(1, 34)],
    "choi": [f"C{number:02}" for number in range(1, 21)],
    "chun": [f"H{number:02}" for number in range(1, 12)],
    "vectors": [f"V{number:02}" for number in range(1, 17)],
    "irecist": [f"I{number:02}" for number in range(1, 38)],
}
# The traps that are about scoring, by their row in the list; the others concern files, images and agreement.
SCORING_TRAPS = (*range(1, 23), 25, 26, 27, 29, 30)


def all_cases() -> list[Case]:
    """Return the cases of every table that is scored."""
    return [case for table in SCORED for case in load(table)]


def named(cases: Iterable[Case]) -> Sequence[object]:
    """Return the cases as parameters of a test, each with its id."""
    return [pytest.param(case, id=f"{case.table}-{case.id}") for case in cases]


def missing_ids(listed: Iterable[str], cases: Iterable[Case]) -> list[str]:
    """Return the ids of the spec that have no row."""
    there = {re.sub(r"[a-z]+$", "", case.id) for case in cases}
    return [name for name in listed if name not in there]


def text_of(value: Any) -> str:
    """Return a result as the tables write it; a blank one is the empty text."""
    return "" if pd.isna(value) else str(value).removesuffix(" 00:00:00")


def same_number(expected: str, actual: str) -> bool:
    """Return whether two numbers are the same, however they are written."""
    if expected in ("*", "") or actual == "":
        return expected in ("*", actual)
    return Decimal(expected) == Decimal(actual)


@pytest.mark.parametrize("table", LISTED)
def test_every_case_of_the_spec_is_there(table: str) -> None:
    assert missing_ids(LISTED[table], load(table)) == []


def test_both_forms_of_vector_12_are_there() -> None:
    assert {"V12a", "V12b"} <= {case.id for case in load("vectors")}


def test_every_scoring_trap_has_a_case() -> None:
    assert missing_ids([f"X{number:02}" for number in SCORING_TRAPS], load("traps")) == []


def test_the_completeness_test_sees_a_missing_case() -> None:
    assert missing_ids(LISTED["vectors"], [case for case in load("vectors") if case.id != "V07"]) == ["V07"]


@pytest.mark.parametrize("table", [*SCORED, "baseline"])
def test_ids_are_unique_and_every_row_tells_its_reason_and_source(table: str) -> None:
    cases = load(table)
    assert len({case.id for case in cases}) == len(cases)
    assert [case.id for case in cases if not (case.title and case.source)] == []
    assert [case.id for case in cases if not case.expected and case.id != "B06"] == []


@pytest.mark.parametrize("case", named([*all_cases(), *load("baseline")]))
def test_every_row_makes_measurements_without_a_fault(case: Case) -> None:
    assert [finding.sentence for finding in case.measurements().findings] == []
    assert {name for row in case.rows() for name in row} <= set(COLUMNS)
    assert {name for row in case.visit_rows() for name in row} <= set(VISIT_COLUMNS)
    assert {name for row in case.subject_rows() for name in row} <= set(SUBJECT_COLUMNS)


def example(lesions: str, **inputs: str) -> Case:
    """Return a case that stands in no table."""
    blank = dict.fromkeys(("table", "id", "title", "source", "criterion", "visits", "subject", "days", "options"), "")
    return Case(**{**blank, "lesions": lesions, **inputs}, expected={})


def test_one_line_of_a_course_becomes_rows() -> None:
    rows = example("T1 liver 30|0 ; NL1 left_lung -|4 equivocal").rows()
    assert [row["date"] for row in rows] == ["2024-01-01", "2024-02-26", "2024-02-26"]
    assert [row["role"] for row in rows] == ["target", "target", "new"]
    assert [row.get("longest_mm") for row in rows] == ["30", "0", "4"]
    assert rows[2]["organ"] == "left lung"
    assert rows[2]["state"] == "equivocal"


def test_the_number_of_a_node_is_its_short_axis() -> None:
    (row,) = example("T1 axillary_node 18").rows()
    assert row["short_mm"] == "18"
    assert "longest_mm" not in row


def test_what_may_stand_beside_a_number() -> None:
    (row,) = example("T1 liver [slice_thickness_mm=5] 30x20@-8.5#2[phase=portal venous, date=d3]").rows()
    assert row["longest_mm"] == "30"
    assert row["short_mm"] == "20"
    assert row["attenuation_hu"] == "-8.5"
    assert row["morphology"] == "2"
    assert row["phase"] == "portal venous"
    assert row["date"] == "2024-01-04"
    assert row["slice_thickness_mm"] == "5"


def test_words_are_states_and_merged_and_split_lesions_name_their_parent() -> None:
    rows = example("T1 liver 40|split|46 ; T1a<T1 liver -|12 ; T2 liver TSTM|merged>T1|blank").rows()
    told = {(row["lesion"], row["timepoint"]): (row.get("state", ""), row.get("parent", "")) for row in rows}
    assert told["T1", "1"] == ("split", "")
    assert told["T1a", "1"] == ("", "T1")
    assert told["T2", "0"] == ("too_small", "")
    assert told["T2", "1"] == ("merged", "T1")
    assert told["T2", "2"] == ("", "")


def test_days_and_visits_and_dates_of_the_subject() -> None:
    case = example("T1 liver 30|20", days="0|42", visits="1 new_lesions=none, pet=positive", subject="death=d100")
    assert [row["date"] for row in case.rows()] == ["2024-01-01", "2024-02-12"]
    assert case.visit_rows() == [
        {"subject": "S1", "timepoint": "1", "date": "2024-02-12", "new_lesions": "none", "pet": "positive"}
    ]
    assert case.subject_rows()[0]["death"] == "2024-04-10"


@pytest.mark.parametrize("lesions", ["T1 liver", "X1 liver 30", "T1 liver 30||20", "T1 liver thirty 30"])
def test_a_course_that_cannot_be_read_is_told(lesions: str) -> None:
    with pytest.raises(ValueError, match="expected for example"):
        example(lesions, id="slip").rows()


@cache
def assessed(table: str, id_: str) -> Assessment:
    """Return the assessment of a case."""
    (case,) = [case for case in load(table) if case.id == id_]
    return response.assess(case.measurements(), criteria=(case.criterion,), protocol=case.protocol)


def of_subject(frame: pd.DataFrame, case: Case, subject: str) -> list[dict[str, str]]:
    """Return the rows of a subject by the criterion of the case, as texts."""
    chosen = frame[(frame["subject"] == subject) & (frame["criterion"] == case.criterion)]
    return [{str(name): text_of(value) for name, value in row.items()} for row in chosen.to_dict("records")]


def decided(assessment: Assessment, criterion: str, series: int) -> list[set[str]]:
    """Return the rules that decided the questions at each timepoint of a series; none where it is not scored."""
    result, cells = assessment.results[criterion], assessment.timeline.cells(series)
    rules: list[set[str]] = [set() for _ in range(cells.start, cells.stop)]
    for question in result.criterion.questions:
        for place, index in enumerate(result.answers[question.name][cells].tolist()):
            rules[place] |= {f"{question.name}.{question.rules[index].name}"} if index >= 0 else set()
    return rules


TOLD: dict[tuple[str, str, str], list[dict[str, Any]]] = {}  # each case is scored once for all tests


def told(case: Case, subject: str) -> list[dict[str, Any]]:
    """Return the results of a subject at each timepoint, with all the rules that decided there."""
    if (case.table, case.id, subject) not in TOLD:
        assessment = assessed(case.table, case.id)
        rows = of_subject(assessment.timepoints, case, subject)
        rules = decided(assessment, case.criterion, case.subjects().index(subject))
        TOLD[case.table, case.id, subject] = [{**row, "rules": fired} for row, fired in zip(rows, rules, strict=True)]
    return TOLD[case.table, case.id, subject]


def is_met(column: str, want: str, row: Mapping[str, Any]) -> bool:
    """Return whether one result at one timepoint is as expected."""
    if column == "rule":
        return want == "*" or (row["rule"] == want if want in UNSCORED else set(want.split("+")) <= row["rules"])
    if column == "flags":
        return flags_met(want, re.split(r"[;,\s]+", row["flags"]))
    return same_number(want, row[column]) if column in NUMBERS else expectation_met(want, row[column])


def check_timepoints(case: Case, column: str, expected: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Compare the results of one column at the last timepoints with what the row expects of them."""
    wanted = [text.strip() for text in expected.split(";")]
    assert len(wanted) in (len(rows) - 1, len(rows)), f"{case.id} {column}: {len(wanted)} of {len(rows)} timepoints"
    for want, row in zip(wanted, rows[len(rows) - len(wanted) :], strict=True):
        found = sorted(row["rules"]) if column == "rule" else row[column]
        what = f"{case.id} ({case.title}), timepoint {row['timepoint']}: {column} is {found}, expected {want}"
        assert is_met(column, want, row), f"{what}; {row['rule']}: {row['reason']}"


@pytest.mark.parametrize("case", named(all_cases()))
def test_case(case: Case) -> None:
    for column, expected in case.expected.items():
        for subject, wanted in zip(case.subjects(), expected.split("//"), strict=False):
            if column in PER_SUBJECT:
                (row,) = of_subject(assessed(case.table, case.id).subjects, case, subject)
                met, found = same_number if column in NUMBERS else expectation_met, row[PER_SUBJECT[column]]
                assert met(wanted.strip(), found), f"{case.id} ({case.title}): {column} is {found!r}"
            else:
                check_timepoints(case, column, wanted, told(case, subject))


@pytest.mark.parametrize("case", named(all_cases()))
def test_the_baseline_is_not_scored(case: Case) -> None:
    for subject in case.subjects():
        rows = told(case, subject)
        assert [row["overall"] for row in rows if row["rule"] == "baseline"] == [""]
        assert all((row["rule"] in UNSCORED) == (row["overall"] == "") for row in rows)


@pytest.mark.parametrize("case", named(all_cases()))
def test_the_rule_of_a_timepoint_is_one_that_decided_it(case: Case) -> None:
    for row in (row for subject in case.subjects() for row in told(case, subject) if row["rule"] not in UNSCORED):
        assert row["rule"].removeprefix(f"{case.criterion}.") in row["rules"]
        assert row["reason"].endswith(".")


def test_a_rule_without_a_case_is_seen() -> None:
    (found,) = [item for item in find_criteria(["chun"]) if item.name == "chun"]
    cases = [case for case in load("chun") if case.id != "H13l"]
    assert unnamed(found, cases) == ["overall.all_none"]


@pytest.mark.parametrize("criterion", ["recist-1.1", "choi", "chun", "irecist"])
def test_every_rule_and_every_flag_has_a_case_that_names_it(criterion: str) -> None:
    (found,) = [item for item in find_criteria([criterion]) if item.name == criterion]
    cases = [case for case in all_cases() if case.criterion == criterion]
    assert unnamed(found, cases) == []


def unnamed(criterion: Criterion, cases: Iterable[Case]) -> list[str]:
    """Return the rules and flags of a criterion that no case names."""
    words = {word for case in cases for column in ("rule", "flags") for word in _words(case.expected.get(column, ""))}
    rules = [f"{question.name}.{rule.name}" for question in criterion.questions for rule in question.rules]
    return [name for name in [*rules, *(flag.name for flag in criterion.flags)] if name not in words]


def _words(text: str) -> list[str]:
    return re.split(r"[;+/\s]+", text)


def with_expected(column: str) -> list[Case]:
    """Return the baseline cases that expect something of a column."""
    return [case for case in load("baseline") if column in case.expected]


@pytest.mark.parametrize("case", named(with_expected("findings")))
def test_measurability_of_targets(case: Case) -> None:
    findings = response.assess(case.measurements(), protocol=case.protocol).findings
    ids = [str(name) for name in findings["id"]]
    assert flags_met("+".join(case.expected["findings"].split()), ids), f"{case.id} ({case.title}): {ids}"


@pytest.mark.parametrize("case", named(with_expected("targets")))
def test_selection_of_targets(case: Case) -> None:
    proposed = select_targets(case.measurements(), protocol=case.protocol)
    targets = proposed[proposed["proposed_role"] == "target"]
    assert set(targets["lesion"]) == set(case.expected["targets"].split()) - {"none"}
    assert sum((Decimal(str(size)) for size in targets["diameter_mm"]), Decimal(0)) == Decimal(case.expected["sum_mm"])
