"""Criteria for one disease: the table of PCWG3 row by row, and thresholds in the unit of each criterion."""

import pytest

import response
from response.report.one_series import states_of
from response.report.thresholds import thresholds
from tests.test_acceptance import assessed, example

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
