"""The cases of the other criteria, table by table, each firing the rule that it names; and that none is missing."""

import csv
import importlib
from collections.abc import Iterable
from dataclasses import fields, replace

import pytest

import response
from response.columns import COLUMNS, IMAGING_COLUMNS, SUBJECT_COLUMNS, VISIT_COLUMNS
from response.registry import BUILT_IN, find_criteria
from tests.acceptance import TABLES, Case, expectation_met, load
from tests.test_acceptance import (
    NUMBERS,
    assessed,
    check_timepoints,
    named,
    of_subject,
    same_number,
    told,
    unnamed,
)

CRITERIA = tuple(name for name in BUILT_IN if name not in ("recist-1.1", "choi", "chun", "irecist"))
NUMBER_ENDS = (
    "_mm2",
    "_sum",
    "_sum_mm",
    "_psa",
    "_bone",
    "_threshold",
    "spleen_mm",
    "_enhancement_percent",
)  # columns that only some criteria have
BEST = ("best_response", "confirmed_best_response", "progression_date")

# What the spec lists: table -> ids.
LISTED = {
    "mrecist": ("X01", "X02", "X03"),
    "mchoi": ("C13", "C14", "C15"),
    "who": ("X05",),
    "irrc": ("X06", "X07", "X08", "X09"),
    "easl": ("X04",),
    "lugano": ("X14", "X15", "X16", "X17"),
    "percist": ("X10", "X11", "X12", "X13"),
    "sact": ("X20", "X21"),
    "mass": ("X18", "X19"),
    "rano-2.0": ("X22",),
    "pcwg3": tuple(f"X{number}" for number in range(23, 35)),
}


def cases_of(criteria: Iterable[str] = CRITERIA) -> list[Case]:
    """Return the cases of the tables of some criteria."""
    return [case for table in criteria for case in load(table)]


@pytest.mark.parametrize("case", named(cases_of()))
def test_case(case: Case) -> None:
    for column, expected in case.expected.items():
        if column in BEST and ";" not in expected:  # of the subject, not of each timepoint
            (row,) = of_subject(assessed(case.table, case.id).subjects, case, "S1")
            met = same_number if column in NUMBERS else expectation_met
            assert met(expected, row[column]), f"{case.id} ({case.title}): {column} is {row[column]!r}"
        elif column.endswith(NUMBER_ENDS):
            found = [row[column] for row in told(case, "S1")]
            assert all(map(same_number, expected.split(";"), found[-expected.count(";") - 1 :])), f"{case.id}: {found}"
        else:
            check_timepoints(case, column, expected, told(case, "S1"))


@pytest.mark.parametrize("case", named(cases_of()))
def test_every_row_is_read_without_a_fault_and_tells_its_source(case: Case) -> None:
    assert [finding.sentence for finding in case.measurements().findings] == []
    assert {name for row in case.rows() for name in row} <= {*COLUMNS, *IMAGING_COLUMNS}
    assert {name for row in case.visit_rows() for name in row} <= set(VISIT_COLUMNS)
    assert {name for row in case.subject_rows() for name in row} <= set(SUBJECT_COLUMNS)
    assert case.title
    assert case.source


@pytest.mark.parametrize("case", named(cases_of()))
def test_every_reason_is_a_whole_sentence(case: Case) -> None:
    for row in told(case, "S1"):
        assert row["reason"].endswith(".")
        assert "{" not in row["reason"]
        assert "unknown" not in row["reason"]


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_rule_and_every_flag_has_a_case_that_names_it(criterion: str) -> None:
    (found,) = [item for item in find_criteria([criterion]) if item.name == criterion]
    assert unnamed(found, [case for case in load(criterion) if case.criterion == criterion]) == []


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_rule_without_a_case_is_seen(criterion: str) -> None:
    (found,) = [item for item in find_criteria([criterion]) if item.name == criterion]
    cases = [case for case in load(criterion) if case.criterion == criterion]
    last = found.questions[-1].rules[-1].name
    assert f"overall.{last}" in unnamed(found, [case for case in cases if last not in case.expected.get("rule", "")])


@pytest.mark.parametrize("table", LISTED)
def test_every_case_of_the_spec_is_there(table: str) -> None:
    there = {case.id.rstrip("abcdefgh") for case in load(table)}
    assert set(LISTED[table]) <= there


@pytest.mark.parametrize("criterion", CRITERIA)
def test_ids_are_unique(criterion: str) -> None:
    with (TABLES / f"{criterion}.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_option_tells_why_and_the_module_its_source(criterion: str) -> None:
    (found,) = [item for item in find_criteria([criterion]) if item.name == criterion]
    assert all(item.metadata["doc"] for item in fields(found.options))
    module = importlib.import_module(type(found).__module__)
    assert "Source:" in (module.__doc__ or "")
    assert "Scope:" in (module.__doc__ or "")


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_later_timepoint_never_changes_an_earlier_result(criterion: str) -> None:
    for case in load(criterion):
        rows = case.rows()
        last = max((row["timepoint"] for row in rows), default="0")
        if last < "2":
            continue
        whole = [row["overall"] for row in told(case, "S1")]
        lesions = " ; ".join(part.rpartition("|")[0] for part in case.lesions.split(";"))
        visits = " ; ".join(part for part in case.visits.split(";") if not part.strip().startswith(last))
        short = replace(case, lesions=lesions, visits=visits)
        frame = response.assess(short.measurements(), criteria=(criterion,), protocol=short.protocol).timepoints
        assert [row["overall"] for row in of_subject(frame, case, "S1")] == whole[:-1], case.id
