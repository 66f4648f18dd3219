"""Proposed targets: the baseline cases of the spec (`tests/tables/baseline.csv`), and the choices between lesions."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import response
from response.measurability import NotMeasurable, baseline_lesions
from response.selection import SELECTION_COLUMNS, propose_targets
from response.vocabulary import LesionType
from tests.acceptance import Case, load

B_CASES = [case for case in load("baseline") if "targets" in case.expected]

# id, candidates, proposed targets in the order in which they were taken, why
CASES = [
    ("largest first", "C1 liver 20 ; C2 lung 40 ; C3 bone 30", "C2 C3 C1", "largest"),
    ("every organ before a second one", "C1 liver 50 ; C2 liver 45 ; C3 lung 20 ; C4 bone 15", "C1 C3 C4 C2", "4.2"),
    ("five of six organs", "C1 liver 20 ; C2 lung 21 ; C3 bone 22 ; C4 brain 23 ; C5 kidney 24 ; C6 spleen 25",
     "C6 C5 C4 C3 C2", "the largest of them"),
    ("no second one with six organs",
     "C1 liver 90 ; C2 liver 80 ; C3 lung 20 ; C4 bone 20 ; C5 brain 20 ; C6 kidney 20 ; C7 spleen 15",
     "C1 C3 C4 C5 C6", "representative of all organs"),
    ("nodes of two stations", "C1 axillary_node 30 ; C2 axillary_node 28 ; C3 inguinal_node 16", "C1 C3",
     "EORTC: choose from each chain"),
    ("nodes of one station", "C1 node 30 ; C2 node 28", "C1 C2", "two of the organ"),
    ("cystic last", "C1 liver [lesion_type=cystic] 50 ; C2 liver 20 ; C3 liver 15", "C2 C3", "3.2: not cystic first"),
    ("cystic where nothing else is", "C1 liver [lesion_type=cystic] 50", "C1", "3.2"),
    ("blastic", "C1 bone [lesion_type=blastic] 50 ; C2 liver 12", "C2", "never measurable"),
    ("node by its short axis", "C1 node 40x14 ; C2 node 16x15", "C2", "section 3.1"),
    ("equal sizes keep their order", "C1 lung 20 ; C2 liver 20", "C1 C2", "the same in every run"),
    ("nothing measurable", "C1 liver 9 ; C2 node 12", "", "non-targets only"),
]  # fmt: skip


def case_of(lesions: str, **inputs: str) -> Case:
    blank = dict.fromkeys(("table", "id", "title", "source", "criterion", "visits", "subject", "days", "options"), "")
    return Case(**{**blank, "lesions": lesions, **inputs}, expected={})


def chosen(case: Case) -> pd.DataFrame:
    found = response.select_targets(case.measurements(), protocol=case.protocol)
    assert isinstance(found, pd.DataFrame)
    return found[found["proposed_role"] == "target"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in B_CASES])
def test_cases_of_the_spec(case: Case) -> None:
    targets = chosen(case)
    assert set(targets["lesion"]) == set(case.expected["targets"].split()) - {"none"}
    if "sum_mm" in case.expected:
        assert sum(Decimal(text) for text in targets["diameter_mm"]) == Decimal(case.expected["sum_mm"])


@pytest.mark.parametrize(("lesions", "expected"), [pytest.param(*case[1:3], id=case[0]) for case in CASES])
def test_choice(lesions: str, expected: str) -> None:
    found = propose_targets(case_of(lesions).measurements())
    targets = [item for item in found if item.proposed_role == "target"]
    taken = sorted(targets, key=lambda item: int(item.reason.rpartition("number ")[2].split()[0]))
    assert [item.lesion for item in taken] == expected.split()


@pytest.mark.parametrize(
    ("lesion", "role", "reason"),
    [
        ("C1 node 9", "", "no lesion: a normal node: its short axis is below 10 mm"),
        ("C1 node 12", "non_target", "not measurable: a node with a short axis below 15 mm"),
        ("C1 liver 9", "non_target", "not measurable: a longest diameter below 10 mm"),
        ("C1 liver [slice_thickness_mm=8] 15", "non_target", "not measurable: smaller than twice the slice thickness"),
        ("C1 lung [modality=X-ray] 19", "non_target", "not measurable: below 20 mm on chest X-ray"),
        ("C1 ascites 90", "non_target", "not measurable: by its site of a kind that is never measurable"),
        ("C1 ascites [lesion_type=solid] 90", "target", "90 mm, measurable; number 1 by organ and size"),
        ("C1 liver [modality=ultrasound] 30", "non_target", "not measurable: seen by a method that does not measure"),
        ("C1 pleura [lesion_type=effusion] present", "non_target",
         "not measurable: a kind of lesion that is never measurable"),
        ("C1 liver NE", "non_target", "not measurable: no diameter"),
        ("C1 liver [previously_treated=yes] 30", "non_target", "treated locally before, and no progression since"),
    ],
)  # fmt: skip
def test_every_candidate_that_is_no_target_has_its_reason(lesion: str, role: str, reason: str) -> None:
    (found,) = propose_targets(case_of(lesion).measurements())
    assert (found.proposed_role, found.reason) == (role, reason)


def test_what_is_left_over_is_a_non_target() -> None:
    found = propose_targets(case_of("C1 liver 30 ; C2 liver 25 ; C3 liver 20").measurements())
    assert [(item.lesion, item.proposed_role) for item in found] == [
        ("C1", "target"),
        ("C2", "target"),
        ("C3", "non_target"),
    ]


def test_limits_of_a_protocol() -> None:
    case = case_of("C1 liver 30 ; C2 liver 25 ; C3 lung 20")
    found = response.select_targets(case.measurements(), largest=2, largest_per_organ=1)
    assert list(found[found["proposed_role"] == "target"]["lesion"]) == ["C1", "C3"]


def test_subjects_are_chosen_apart() -> None:
    case = case_of("C1 liver 30 ; C2 liver 25 // C1 liver 50 ; C2 liver 45 ; C3 liver 40")
    found = response.select_targets(case.measurements())
    assert list(found.columns) == list(SELECTION_COLUMNS)
    assert found.groupby("subject")["proposed_role"].apply(list).to_dict() == {
        "S1": ["target", "target"],
        "S2": ["target", "target", "non_target"],
    }


def test_rows_after_baseline_are_no_candidates() -> None:
    found = response.select_targets(case_of("C1 liver 30|60 ; C2 lung -|80").measurements())
    assert list(zip(found["lesion"], found["diameter_mm"], strict=True)) == [("C1", "30")]


def test_a_table_without_candidates_proposes_nothing() -> None:
    assert len(response.select_targets(case_of("T1 liver 30").measurements())) == 0


def test_twice_the_slice_for_nodes_where_the_protocol_asks_for_it() -> None:
    options = '[recist-1.1]\\nnode_slice_rule = "max_15_2x_slice"'
    lesions = "C1 node [slice_thickness_mm=8] 15.9"
    assert len(chosen(case_of(lesions))) == 1
    assert len(chosen(case_of(lesions, options=options))) == 0


def test_words_of_a_site_decide_only_where_they_are_asked_for() -> None:
    # iRECIST judges new lesions by what was recorded, and words of a site change no response
    measurements = case_of("C1 ascites 30 ; C2 ascites [lesion_type=cystic] 30").measurements()
    rows, nodal = np.arange(2), np.zeros(2, np.bool_)
    assert baseline_lesions(measurements, rows, nodal).why.tolist() == [NotMeasurable.NO] * 2
    asked = baseline_lesions(measurements, rows, nodal, read_sites=True)
    assert asked.why.tolist() == [NotMeasurable.SITE, NotMeasurable.NO]
    assert asked.kind.tolist() == [LesionType.ASCITES, LesionType.CYSTIC]
