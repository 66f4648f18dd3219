"""The cases of the criteria for one disease or one kind of imaging, each firing the rule that it names."""

import csv
import importlib
from collections.abc import Iterable
from dataclasses import fields, replace

import pytest

import response
from response.columns import COLUMNS, SUBJECT_COLUMNS, VISIT_COLUMNS
from response.registry import find_criteria
from response.report.one_series import states_of
from response.report.thresholds import thresholds
from tests.acceptance import TABLES, Case, expectation_met, load
from tests.test_acceptance import (
    NUMBERS,
    assessed,
    check_timepoints,
    example,
    named,
    of_subject,
    same_number,
    told,
    unnamed,
)

CRITERIA = ("lugano", "percist", "ipercist", "eortc-pet", "sact", "mass", "rano-2.0", "pcwg3")
NUMBER_ENDS = ("_mm2", "_sum", "_psa", "_bone", "_threshold", "spleen_mm")  # columns that only some criteria have
BEST = ("best_response", "confirmed_best_response", "progression_date")

# What the spec lists: table -> ids.
LISTED = {
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
        if column in BEST:
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
    assert {name for row in case.rows() for name in row} <= set(COLUMNS)
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


# Criteria 5.9: the response of soft tissue, that of bone, and both together, row by row.
SOFT_TISSUE = {
    "PD": "T1 liver 30|30|40",
    "NE": "T1 liver 30|30|NE",
    "NED": "",
    "SD": "T1 liver 30|30|30",
    "Non-CR/Non-PD": "NT1 lung present|present|present",
    "PR": "T1 liver 30|30|20",
    "CR": "T1 liver 30|30|0",
    "CR, no target": "NT1 lung present|present|absent",
}
BONE = {  # lesions and new ones at baseline and two scans after it
    "PD": ("5 0", "7 2", "9 4"),
    "Non-PD": ("5 0", "5 0", "5 0"),
    "PDu": ("5 0", "5 0", "7 2"),
    "NED": ("5 0", "5 0", "0 0"),
    "NE": ("5 0", "5 0", ""),
}
TOGETHER = [
    ("PD", "PD Non-PD PDu NED NE", "PD"),
    ("NE NED SD Non-CR/Non-PD PR CR", "PD", "PD"),
    ("NE", "Non-PD PDu NED NE", "NE"),
    ("NED", "Non-PD", "Non-CR/Non-PD"),
    ("NED", "PDu", "PDu"),
    ("NED", "NED NE", "NE"),
    ("SD", "Non-PD PDu NED NE", "SD"),
    ("Non-CR/Non-PD", "Non-PD PDu NED NE", "Non-CR/Non-PD"),
    ("PR", "Non-PD PDu NED NE", "PR"),
    ("CR", "Non-PD PDu NE", "PR"),
    ("CR, no target", "Non-PD PDu NE", "Non-CR/Non-PD"),
    ("CR", "NED", "CR"),
    ("CR, no target", "NED", "CR"),
]


def pairs() -> list[tuple[str, str, str]]:
    """Return every soft tissue and bone, and what they are together."""
    softs = {soft: [soft] if soft == "CR, no target" else soft.split() for soft, _, _ in TOGETHER}
    return [(one, bone, both) for soft, bones, both in TOGETHER for one in softs[soft] for bone in bones.split()]


@pytest.mark.parametrize(("soft", "bone", "both"), pairs())
def test_soft_tissue_and_bone_together(soft: str, bone: str, both: str) -> None:
    scans = []
    for timepoint, scan in enumerate(BONE[bone]):
        lesions, _, new = scan.partition(" ")
        counts = f", bone_lesions={lesions}, new_bone_lesions={new}" if scan else ""
        scans.append(f"{timepoint} new_lesions=none{counts}")
    case = example(SOFT_TISSUE[soft], criterion="pcwg3", visits=" ; ".join(scans))
    result = response.assess(case.measurements(), criteria=("pcwg3",)).results["pcwg3"]
    found = [
        result.categories(question)[result.answers[question][-1]] for question in ("soft_tissue", "bone", "overall")
    ]
    assert found == [soft.partition(",")[0], bone, both]


def test_every_pair_of_the_table_is_there() -> None:
    softs = {soft for soft in SOFT_TISSUE if soft != "CR, no target"}
    there = {(soft.partition(",")[0], bone) for soft, bone, _ in pairs()}
    assert there == {(soft, bone) for soft in softs for bone in BONE}


@pytest.mark.parametrize(("id_", "unit"), [("X22a", "mm2"), ("GV1", "mm3")])
def test_thresholds_of_gliomas_have_the_unit_of_what_is_summed(id_: str, unit: str) -> None:
    (state,) = [state for name, state in states_of(assessed("rano-2.0", id_)).items() if name == "rano-2.0"]
    pr, pd = thresholds(state, 1)
    assert (pr, pd) == {
        "mm2": ("PR at 600 mm2 or less", "PD at 1500 mm2 or more (from 1200 mm2)"),
        "mm3": ("PR at 350 mm3 or less", "PD at 1400 mm3 or more (from 1000 mm3)"),
    }[unit]


@pytest.mark.parametrize(
    ("table", "id_", "told"),
    [
        ("lugano", "X17", ["PR at 1150 mm2 or less"]),
        ("percist", "X12", ["PMR at 4.2 SUL or less", "PMD at 7.8 SUL or more (from 6 SUL)"]),
        ("percist", "X11", ["PMR at 1.7 SUL or less", "PMD at 3.3 SUL or more (from 2.5 SUL)"]),
        ("ipercist", "IP01", ["PMR at 4.2 SUL or less", "PMD at 7.8 SUL or more (from 6 SUL)"]),
        ("eortc-pet", "E01", ["PMR at 6 SUV or less", "PMD above 10 SUV (from 8 SUV)"]),
        ("pcwg3", "X32", []),
        ("sact", "X20", []),
    ],
)
def test_thresholds_are_told_in_the_unit_of_the_criterion(table: str, id_: str, told: list[str]) -> None:
    assert thresholds(states_of(assessed(table, id_))[table], 1) == told


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
