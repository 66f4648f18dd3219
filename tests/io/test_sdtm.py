"""SDTM TU, TR and RS to canonical rows. Meaning of codes: CDISC terminology and RECIST 1.1 supplement."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from response.errors import InputError
from response.io.sdtm import is_sdtm, read_sdtm, sdtm_domain
from response.measurements import Measurements
from tests.io.sdtm_trials import Row, ids_of, read, rows_of, rs, tr, tu, write

# What one lesion becomes at visit 2, from all its tests there.
ONE_LESION: list[tuple[str, Row, Sequence[Row], tuple[str, str, str]]] = [
    # why, TU, TR, then state, longest and short diameter
    ("longest diameter and perpendicular stay apart", tu("L1"),
     [tr("L1", "2", "LDIAM", "20"), tr("L1", "2", "LPERP", "12")], ("", "20", "12")),
    ("present says nothing beside a number", tu("L1"),
     [tr("L1", "2", "LDIAM", "20"), tr("L1", "2", "TUMSTATE", "PRESENT")], ("", "20", "")),
    ("absent stands, also beside a number", tu("L1"),
     [tr("L1", "2", "LDIAM", "20"), tr("L1", "2", "TUMSTATE", "ABSENT")], ("absent", "20", "")),
    ("too small, standardised to 5", tu("L1"),
     [tr("L1", "2", "LDIAM", "TOO SMALL TO MEASURE", TRSTRESC="5", TRSTRESN="5", TRSTRESU="mm")],
     ("too_small", "5", "")),
    ("too small without any number", tu("L1"), [tr("L1", "2", "LDIAM", "TOO SMALL TO MEASURE")], ("too_small", "", "")),
    ("<5 is too small, with its number", tu("L1"), [tr("L1", "2", "LDIAM", "<5")], ("too_small", "5", "")),
    ("4 mm is a number, not too small", tu("L1"), [tr("L1", "2", "LDIAM", "4")], ("", "4", "")),
    ("not done", tu("L1"), [tr("L1", "2", "LDIAM", TRSTAT="NOT DONE", TRREASND="SCAN NOT PERFORMED")],
     ("not_evaluable", "", "")),
    ("NE with a value stays NE", tu("L1"), [tr("L1", "2", "LDIAM", "NE", TRSTRESN="20", TRSTRESU="mm")],
     ("not_evaluable", "20", "")),
    ("NE without a value", tu("L1"), [tr("L1", "2", "LDIAM", "NE")], ("not_evaluable", "", "")),
    ("a perpendicular not done does not matter where the diameter counts", tu("L1"),
     [tr("L1", "2", "LDIAM", "20"), tr("L1", "2", "LPERP", TRSTAT="NOT DONE")], ("", "20", "")),
    ("a diameter not done does not matter for a node", tu("L1", loc="LYMPH NODE"),
     [tr("L1", "2", "LPERP", "18"), tr("L1", "2", "LDIAM", TRSTAT="NOT DONE")], ("", "", "18")),
    ("a node whose short axis is not done is not evaluable", tu("L1", loc="LYMPH NODE"),
     [tr("L1", "2", "LPERP", TRSTAT="NOT DONE"), tr("L1", "2", "LDIAM", "30")], ("not_evaluable", "30", "")),
    ("the number of a target node says more than pathological", tu("L1", loc="LYMPH NODE"),
     [tr("L1", "2", "LPERP", "8"), tr("L1", "2", "LNSTATE", "NON-PATHOLOGICAL")], ("", "", "8")),
    ("a target node needs its number", tu("L1", loc="LYMPH NODE"),
     [tr("L1", "2", "LNSTATE", "NON-PATHOLOGICAL")], ("", "", "")),
    ("a non-target node that is normal is gone", tu("L1", "NON-TARGET", "LYMPH NODE"),
     [tr("L1", "2", "LNSTATE", "NON-PATHOLOGICAL", "NON-TARGET")], ("absent", "", "")),
    ("a pathological non-target node is present", tu("L1", "NON-TARGET", "LYMPH NODE"),
     [tr("L1", "2", "LNSTATE", "PATHOLOGICAL", "NON-TARGET")], ("present", "", "")),
    ("unequivocal progression", tu("L1", "NON-TARGET"),
     [tr("L1", "2", "TUMSTATE", "UNEQUIVOCAL PROGRESSION", "NON-TARGET")], ("unequivocal_progression", "", "")),
    ("unequivocal alone is progression of a known lesion, with a finding", tu("L1", "NON-TARGET"),
     [tr("L1", "2", "TUMSTATE", "UNEQUIVOCAL", "NON-TARGET")], ("unequivocal_progression", "", "")),
    ("unequivocal is certain for a new lesion", tu("L1", "NEW", visit="2"),
     [tr("L1", "2", "TUMSTATE", "UNEQUIVOCAL", "NEW")], ("present", "", "")),
    ("equivocal new lesion", tu("L1", "NEW", visit="2"), [tr("L1", "2", "TUMSTATE", "EQUIVOCAL", "NEW")],
     ("equivocal", "", "")),
    ("a new lesion that resolved was no tumour", tu("L1", "NEW", visit="2"),
     [tr("L1", "2", "TUMSTATE", "RESOLVED", "NEW")], ("resolved", "", "")),
    ("a known lesion that resolved is gone", tu("L1", "NON-TARGET"),
     [tr("L1", "2", "TUMSTATE", "RESOLVED", "NON-TARGET")], ("absent", "", "")),
    ("0 mm stays 0", tu("L1"), [tr("L1", "2", "LDIAM", "0")], ("", "0", "")),
]  # fmt: skip


@pytest.mark.parametrize(("why", "tumour", "results", "expected"), ONE_LESION, ids=[case[0] for case in ONE_LESION])
def test_the_tests_of_a_lesion_become_one_row(
    why: str, tumour: Row, results: Sequence[Row], expected: tuple[str, str, str], tmp_path: Path
) -> None:
    group = results[0]["TRGRPID"]
    before = [] if group == "NEW" else [tr("L1", "1", "LPERP", "20", group), tr("L1", "1", "LDIAM", "20", group)]
    tables = read(tmp_path, tu=[tumour], tr=[*before, *results])
    at_visit = [row[1:] for row in rows_of(tables, "timepoint", "state", "longest_mm", "short_mm") if row[0] == "2"]
    assert at_visit == [expected], why


UNITS = [
    ("standard unit", {"TRORRES": "1.8", "TRORRESU": "cm", "TRSTRESN": "18", "TRSTRESU": "mm"}, ("18", "mm")),
    ("only collected", {"TRORRES": "1.8", "TRORRESU": "cm", "TRSTRESN": "", "TRSTRESC": ""}, ("1.8", "cm")),
    (
        "standard number without unit, as collected",
        {"TRORRES": "1.8", "TRORRESU": "cm", "TRSTRESN": "1.8", "TRSTRESU": ""},
        ("1.8", "cm"),
    ),
    (
        "standard number without unit, converted: not centimetres",
        {"TRORRES": "1.8", "TRORRESU": "cm", "TRSTRESN": "18", "TRSTRESU": ""},
        ("18", ""),
    ),
]


@pytest.mark.parametrize(("why", "cells", "expected"), UNITS, ids=[case[0] for case in UNITS])
def test_a_number_keeps_the_unit_it_was_written_in(
    why: str, cells: Row, expected: tuple[str, str], tmp_path: Path
) -> None:
    tables = read(tmp_path, tu=[tu("L1")], tr=[{**tr("L1", "1", "LDIAM", "1"), **cells}])
    assert rows_of(tables, "longest_mm", "unit") == [expected], why


def test_lengths_of_one_row_are_brought_to_one_unit(tmp_path: Path) -> None:
    cm = {"TRORRESU": "cm", "TRSTRESU": "cm"}
    tables = read(tmp_path, tu=[tu("L1")], tr=[tr("L1", "1", "LDIAM", "2.4", **cm), tr("L1", "1", "LPERP", "12")])
    assert rows_of(tables, "longest_mm", "short_mm", "unit") == [("24", "12", "mm")]


def test_an_unknown_unit_is_a_finding_and_no_number(tmp_path: Path) -> None:
    tables = read(tmp_path, tu=[tu("L1")], tr=[tr("L1", "1", "LDIAM", "2", TRORRESU="inch", TRSTRESU="inch")])
    assert rows_of(tables, "longest_mm") == [("",)]
    (finding,) = tables.findings
    assert (finding.id, finding.found, finding.line) == ("unusable_cell", "2 inch", 2)


def test_other_measurements_have_their_columns(tmp_path: Path) -> None:
    results = [
        tr("L1", "1", "DIAMETER", "20"),
        tr("L1", "1", "ATTENUAT", "-12", TRSTRESN="-12", TRSTRESU="HU"),
        tr("L1", "1", "VOLUME", "4.2", TRSTRESU="mL"),
    ]
    tables = read(tmp_path, tu=[tu("L1")], tr=results)
    assert rows_of(tables, "diameter_mm", "attenuation_hu", "volume_mm3") == [("20", "-12", "4200")]


ROLES = [
    ("TARGET", "target"), ("TARGET LESION", "target"), ("NON-TARGET", "non_target"), ("NON TARGET", "non_target"),
    ("NONTARGET", "non_target"), ("NEW", "new"), ("NEW LESION", "new"), ("NEW NON-TARGET", "new"),
    ("NEW TARGET", "new"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "role"), ROLES)
def test_roles(text: str, role: str, tmp_path: Path) -> None:
    tables = read(tmp_path, tu=[tu("L1", text)], tr=[tr("L1", "1", "TUMSTATE", "PRESENT", "")])
    assert rows_of(tables, "role") == [(role,)]


def test_the_organ_says_which_lesion_is_nodal(tmp_path: Path) -> None:
    tumours = [tu("L1", loc="LYMPH NODE, AXILLARY"), tu("L2", TULAT="LEFT", TUMETHOD="MRI")]
    tables = read(tmp_path, tu=tumours, tr=[tr("L1", "1", "LPERP", "20"), tr("L2", "1", "LDIAM", "20")])
    assert rows_of(tables, "lesion", "nodal", "location", "modality") == [
        ("L1", "Y", "LYMPH NODE, AXILLARY", ""),
        ("L2", "N", "LIVER, LEFT", "MRI"),
    ]


def test_previous_irradiation_comes_from_its_own_rows(tmp_path: Path) -> None:
    tumours = [
        tu("L1"), tu("L1", "Y", TUTESTCD="PREVIR"),
        tu("L2"), tu("L2", "Y", TUTESTCD="PREVIR"), tu("L2", "Y", TUTESTCD="PREVIRP"), tu("L3", TUPREVIR="Y"),
    ]  # fmt: skip
    tables = read(tmp_path, tu=tumours, tr=[tr(lesion, "1", "LDIAM", "20") for lesion in ("L1", "L2", "L3")])
    assert rows_of(tables, "lesion", "previously_treated") == [("L1", "yes"), ("L2", "progressed_since"), ("L3", "yes")]


# --- Visits and dates.


def test_visits_and_dates(tmp_path: Path) -> None:
    results = [
        tr("L1", "1.0", result="20", VISIT="SCREENING", TRDTC="2014-01-02T10:30"),
        tr("L1", "9.2", result="20", VISIT="UNSCHEDULED 9.2", TRDTC="2014-02"),
        tr("L1", "10", result="20", VISIT="WEEK 10"),
        tr("L1", "", result="21", VISIT="FOLLOW-UP"),
    ]
    tables = read(tmp_path, tu=[tu("L1")], tr=results)
    assert rows_of(tables, "timepoint", "date", "baseline") == [
        ("1", "2014-01-02", "Y"),
        ("10", "", ""),
        ("9.2", "2014-02", ""),
        ("FOLLOW-UP", "", ""),
    ]


def test_a_visit_without_number_gets_that_of_its_label(tmp_path: Path) -> None:
    results = [tr("L1", "1", result="20"), tr("L1", "", "LPERP", "10", VISIT="SCREENING")]
    assert rows_of(read(tmp_path, tu=[tu("L1")], tr=results), "timepoint", "short_mm") == [("1", "10")]


BASELINES = [
    ("a flag wins over the label", [("1", "SCREENING", ""), ("2", "CYCLE 1", "Y")], ["2"]),
    ("baseline wins over screening", [("1", "SCREENING", ""), ("2", "BASELINE", "")], ["2"]),
    ("screening where there is no baseline", [("1", "SCREENING", ""), ("2", "WEEK 6", "")], ["1"]),
    ("post-baseline is none", [("1", "DAY 1", ""), ("2", "POST-BASELINE WEEK 6", "")], []),
]


@pytest.mark.parametrize(("why", "visits", "expected"), BASELINES, ids=[case[0] for case in BASELINES])
def test_the_baseline_visit_is_marked(
    why: str, visits: list[tuple[str, str, str]], expected: list[str], tmp_path: Path
) -> None:
    results = [tr("L1", number, result="20", VISIT=label, TRLOBXFL=flag) for number, label, flag in visits]
    tables = read(tmp_path, tu=[tu("L1")], tr=results)
    assert [visit for visit, mark in rows_of(tables, "timepoint", "baseline") if mark == "Y"] == expected, why


# --- Evaluators.


def test_evaluators_never_mix(tmp_path: Path) -> None:
    one = {"TREVAL": "INDEPENDENT ASSESSOR", "TREVALID": "RADIOLOGIST 1"}
    two = {"TREVAL": "INDEPENDENT ASSESSOR", "TREVALID": "RADIOLOGIST 2", "TRACPTFL": "Y"}
    tumours = [
        tu("L1"),
        tu("L1", "NON-TARGET", TUEVAL="INDEPENDENT ASSESSOR", TUEVALID="RADIOLOGIST 1"),
        tu("L1", "NEW", visit="2", TUEVAL="INDEPENDENT ASSESSOR", TUEVALID="RADIOLOGIST 2"),
    ]
    results = [
        tr("L1", "1", result="20"),
        tr("L1", "1", "TUMSTATE", "PRESENT", "NON-TARGET", **one),
        tr("L1", "2", "TUMSTATE", "PRESENT", "NEW", **two),
    ]
    collected = [
        rs("OVRLRESP", "PD", RSEVAL="INDEPENDENT ASSESSOR", RSEVALID="RADIOLOGIST 2", RSACPTFL="Y"),
        rs("OVRLRESP", "SD"),
    ]
    tables = read(tmp_path, tu=tumours, tr=results, rs=collected)
    assert rows_of(tables, "evaluator", "role", "accepted") == [
        ("INDEPENDENT ASSESSOR RADIOLOGIST 1", "non_target", ""),
        ("INDEPENDENT ASSESSOR RADIOLOGIST 2", "new", "Y"),
        ("INVESTIGATOR", "target", ""),
    ]
    assert tables.collected is not None
    said = zip(*(tables.collected.column(name).texts() for name in ("evaluator", "overall")), strict=True)
    assert sorted(said) == [("INDEPENDENT ASSESSOR RADIOLOGIST 2", "PD"), ("INVESTIGATOR", "SD")]
    assert ids_of(tables) == []


def test_a_tumour_without_evaluator_serves_all(tmp_path: Path) -> None:
    results = [tr("L1", "1", result="20"), tr("L1", "1", result="22", TREVAL="INDEPENDENT ASSESSOR")]
    tables = read(tmp_path, tu=[tu("L1", TUEVAL="")], tr=results)
    assert rows_of(tables, "evaluator", "organ", "longest_mm") == [
        ("INDEPENDENT ASSESSOR", "LIVER", "22"),
        ("INVESTIGATOR", "LIVER", "20"),
    ]


# --- Duplicates.


def test_identical_results_count_once(tmp_path: Path) -> None:
    results = [tr("L1", "1", result="20", TRSEQ="1"), tr("L1", "1", result="20.0", TRSEQ="9")]
    tables = read(tmp_path, tu=[tu("L1")], tr=results)
    assert rows_of(tables, "longest_mm") == [("20",)]
    (finding,) = tables.findings
    assert (finding.id, finding.severity, finding.line) == ("duplicate_row", "info", 3)


def test_contradicting_results_stay_visible(tmp_path: Path) -> None:
    results = [tr("L1", "1", result="20"), tr("L1", "1", "LPERP", "10"), tr("L1", "1", result="22")]
    tables = read(tmp_path, tu=[tu("L1")], tr=results)
    assert rows_of(tables, "longest_mm", "short_mm") == [("20", "10"), ("22", "10")]
    assert tables.measurements.lines.tolist() == [2, 4]


# --- New, unknown and unnamed lesions.


def test_a_new_lesion_of_tu_alone_is_a_row(tmp_path: Path) -> None:
    tumours = [tu("L1"), tu("NEW01", "NEW", visit="3", TUDTC="2014-03-01"), tu("NEW02", "NEW EQUIVOCAL", visit="3")]
    tables = read(tmp_path, tu=tumours, tr=[tr("L1", "1", result="20")])
    new = [row for row in rows_of(tables, "lesion", "role", "timepoint", "state", "date") if row[1] == "new"]
    assert new == [("NEW01", "new", "3", "present", "2014-03-01"), ("NEW02", "new", "3", "equivocal", "")]
    file, line = tables.measurements.where(1)
    assert (Path(file).name, line) == ("tu.csv", 3)
    assert tables.measurements.column("source").text(1) == f"{file}:3"


def test_a_known_tumour_without_baseline_result_is_still_there(tmp_path: Path) -> None:
    # A target that was never measured at baseline makes the sum incomplete; it must not just be missing.
    tumours = [tu("L1"), tu("L2"), tu("N1", "NON-TARGET")]
    tables = read(tmp_path, tu=tumours, tr=[tr("L1", "1", result="20")])
    assert rows_of(tables, "lesion", "state", "baseline") == [
        ("L1", "", "Y"),
        ("L2", "not_evaluable", "Y"),
        ("N1", "present", "Y"),
    ]


UNKNOWN = [
    ("role of TRGRPID", "TARGET", [("X9", "target")], "warning"),
    ("no role at all: left out", "", [], "error"),
]


@pytest.mark.parametrize(("why", "group", "expected", "severity"), UNKNOWN, ids=[case[0] for case in UNKNOWN])
def test_results_of_a_lesion_that_tu_does_not_know(
    why: str, group: str, expected: list[tuple[str, str]], severity: str, tmp_path: Path
) -> None:
    results = [tr("L1", "1", result="20"), tr("X9", "1", "LDIAM", "20", group)]
    tables = read(tmp_path, tu=[tu("L1")], tr=results)
    assert [row for row in rows_of(tables, "lesion", "role") if row[0] == "X9"] == expected, why
    assert [(finding.id, finding.severity, finding.line) for finding in tables.findings] == [
        ("unknown_lesion", severity, 3)
    ]


def test_tr_alone_works_by_its_groups(tmp_path: Path) -> None:
    results = [
        tr("L1", "1", result="20"),
        tr("L2", "1", "LPERP", "18"),
        tr("N1", "1", "TUMSTATE", "PRESENT", "NON-TARGET"),
        tr("E1", "2", "TUMSTATE", "PRESENT", "NEW"),
    ]
    tables = read(tmp_path, tr=results)
    assert rows_of(tables, "lesion", "role", "nodal") == [
        ("E1", "new", ""),
        ("L1", "target", ""),
        ("L2", "target", "Y"),  # only the short axis was measured, as CDISC does for nodes
        ("N1", "non_target", ""),
    ]
    assert any("no TU" in note for note in tables.notes)


def test_a_role_that_changes_is_a_finding(tmp_path: Path) -> None:
    tables = read(tmp_path, tu=[tu("L1")], tr=[tr("L1", "1", result="20"), tr("L1", "2", "LDIAM", "20", "NON-TARGET")])
    assert rows_of(tables, "role") == [("target",), ("target",)]
    assert ids_of(tables) == ["role_conflict"]


def test_results_without_link_id(tmp_path: Path) -> None:
    results = [
        tr("L1", "1", result="20"),
        tr("", "2", "TUMSTATE", "NO", "NEW"),  # there is no new lesion
        tr("", "3", "TUMSTATE", "UNEQUIVOCAL", "NEW", TRSEQ="17"),  # must not be overlooked
        tr("", "2", "SUMDIAM", "20"),  # a sum is no lesion
    ]
    tables = read(tmp_path, tu=[tu("L1")], tr=results)
    assert rows_of(tables, "lesion", "timepoint", "state") == [("L1", "1", ""), ("NEW-17", "3", "present")]
    assert ids_of(tables) == ["missing_link_id"]


# --- Fragments and masses.


def test_a_split_lesion(tmp_path: Path) -> None:
    tumours = [
        tu("T04"), tu("T04.1", TUTESTCD="TUSPLIT", visit="3"), tu("T04.2", TUTESTCD="TUSPLIT", visit="3"),
    ]  # fmt: skip
    results = [
        tr("T04", "1", result="40"),
        tr("T04.1", "3", result="15"),
        tr("T04.2", "3", result="12"),
        tr("T04.1", "4", result="16"),
        tr("T04", "4", TRSTAT="NOT DONE", TRREASND="TUMOR SPLIT"),
    ]
    tables = read(tmp_path, tu=tumours, tr=results)
    assert rows_of(tables, "timepoint", "lesion", "role", "parent", "state", "longest_mm") == [
        ("1", "T04", "target", "", "", "40"),
        ("3", "T04", "target", "", "split", ""),
        ("3", "T04.1", "target", "T04", "", "15"),
        ("3", "T04.2", "target", "T04", "", "12"),
        ("4", "T04", "target", "", "split", ""),
        ("4", "T04.1", "target", "T04", "", "16"),
    ]
    assert ids_of(tables) == []


MERGED = [
    ("both targets", "TARGET", "T02", "T03"),
    ("the target carries the mass, whatever the order of names", "NON-TARGET", "T03", "T02"),
]


@pytest.mark.parametrize(("why", "role", "host", "part"), MERGED, ids=[case[0] for case in MERGED])
def test_a_merged_lesion(why: str, role: str, host: str, part: str, tmp_path: Path) -> None:
    check_merged(role, host, part, tmp_path, told=True)
    check_merged(role, host, part, tmp_path, told=False)


def check_merged(role: str, host: str, part: str, tmp_path: Path, *, told: bool) -> None:
    tumours = [tu("T02", role), tu("T03"), tu("T02/T03", TUTESTCD="TUMERGE", visit="3")]
    done = {"TRSTAT": "NOT DONE", "TRREASND": "TUMOR MERGED"}
    results = [
        tr("T02", "1", result="20", group=role),
        tr("T03", "1", result="10"),
        tr("T02/T03", "3", result="35"),
        *([tr("T02", "3", group=role, **done), tr("T03", "3", **done)] if told else []),
    ]
    tables = read(tmp_path, tu=tumours, tr=results)
    at_visit = [
        row[1:] for row in rows_of(tables, "timepoint", "lesion", "state", "parent", "longest_mm") if row[0] == "3"
    ]
    assert at_visit == sorted([(host, "", "", "35"), (part, "merged", host, "")])
    assert ids_of(tables) == []


def test_a_mass_that_nobody_measured_is_a_finding(tmp_path: Path) -> None:
    results = [tr("T02", "1", result="20"), tr("T02", "2", TRSTAT="NOT DONE", TRREASND="TUMOR MERGED")]
    assert ids_of(read(tmp_path, tu=[tu("T02")], tr=results)) == ["unknown_parent"]


# --- Unusable rows and cells.

UNUSABLE = [
    ("a subject is needed", {"USUBJID": ""}, "unusable_row", "USUBJID"),
    ("a visit is needed", {"VISITNUM": "", "VISIT": ""}, "unusable_row", "VISITNUM"),
    ("an unknown word is no length", {"TRORRES": "big", "TRSTRESC": "big", "TRSTRESN": ""}, "unusable_cell", "TRORRES"),
]


@pytest.mark.parametrize(("why", "cells", "name", "column"), UNUSABLE, ids=[case[0] for case in UNUSABLE])
def test_unusable_rows_are_listed(why: str, cells: Row, name: str, column: str, tmp_path: Path) -> None:
    tables = read(tmp_path, tu=[tu("L1")], tr=[tr("L1", "1", result="20"), {**tr("L1", "2", result="20"), **cells}])
    (finding,) = tables.findings
    assert (finding.id, finding.column, finding.line, Path(finding.file).name) == (name, column, 3, "tr.csv"), why
    assert finding.expected
    assert finding.remedy


def test_an_unknown_state_is_listed_and_blank(tmp_path: Path) -> None:
    results = [tr("N1", "1", "TUMSTATE", "SOMEHOW", "NON-TARGET")]
    tables = read(tmp_path, tu=[tu("N1", "NON-TARGET")], tr=results)
    assert rows_of(tables, "state") == [("",)]
    assert [(finding.id, finding.found) for finding in tables.findings] == [("unusable_cell", "SOMEHOW")]


# --- RS.


def collected_of(tables: object, *names: str) -> list[tuple[str, ...]]:
    table = tables.collected  # type: ignore[attr-defined]
    return sorted(zip(*(table.column(name).texts() for name in names), strict=True))


def test_collected_responses_of_a_visit_are_one_row(tmp_path: Path) -> None:
    responses = [
        rs("TRGRESP", "PR", RSDTC="2014-02"),
        rs("NTRGRESP", "NON-CR/NON-PD"),
        rs("NEWLPROG", "N"),
        rs("OVRLRESP", "PR", RSCAT="RECIST 1.1"),
        rs("BESTRESP", "PR", visit=""),
        rs("SYMPTDTR", "Y"),
    ]
    tables = read(tmp_path, tr=[tr("L1", "2", result="20"), tr("", "2", "SUMDIAM", "20")], rs=responses)
    names = (
        "timepoint",
        "date",
        "criterion",
        "target",
        "non_target",
        "new_lesion",
        "overall",
        "sum_mm",
        "best_response",
    )
    assert collected_of(tables, *names) == [
        ("", "", "recist-1.1", "", "", "", "", "", "PR"),
        ("2", "2014-02", "recist-1.1", "PR", "Non-CR/Non-PD", "No", "PR", "20", ""),
    ]
    assert any("SYMPTDTR (1 rows)" in note for note in tables.notes)
    assert ids_of(tables) == []


def test_rs_alone_has_no_measurements(tmp_path: Path) -> None:
    tables = read(tmp_path, rs=[rs("OVRLRESP", "CR"), rs("OVRLRESP", "NED", "3")])
    assert len(tables.measurements) == 0
    assert collected_of(tables, "timepoint", "overall") == [("2", "CR"), ("3", "NED")]


CRITERIA = [
    ("RECIST 1.1", "recist-1.1"), ("RECIST", "recist-1.1"), ("RECIST V1.1", "recist-1.1"), ("", "recist-1.1"),
    ("CHOI", "choi"), ("iRECIST", "irecist"), ("mRECIST", "mrecist"), ("Modified RECIST", None), ("RECIST 1.0", None),
    ("LUGANO CLASSIFICATION", "lugano"), ("IMWG", None), ("PCWG3 AND RECIST 1.1", None), ("GCIG CA-125", None),
    ("ECOG", None),
]  # fmt: skip


@pytest.mark.parametrize(("category", "criterion"), CRITERIA)
def test_other_criteria_are_refused_by_name(category: str, criterion: str | None, tmp_path: Path) -> None:
    responses = [rs("OVRLRESP", "NE", RSCAT=category), rs("OVRLRESP", "NE", "3", RSCAT=category)]
    tables = read(tmp_path, rs=responses)
    if criterion is None:
        assert tables.collected is None
        assert [(finding.id, finding.found) for finding in tables.findings] == [("other_criterion", category)]
    else:
        assert collected_of(tables, "timepoint", "criterion") == [("2", criterion), ("3", criterion)]


@pytest.mark.parametrize("text", ["CHECK", "iSD", "CR?", ""])
def test_an_unknown_response_is_kept_out(text: str, tmp_path: Path) -> None:
    tables = read(tmp_path, rs=[rs("OVRLRESP", text), rs("OVRLRESP", "SD", "3")])
    assert collected_of(tables, "timepoint", "overall") == [("3", "SD")]
    (finding,) = tables.findings
    assert (finding.id, finding.line) == ("unusable_cell", 2)
    assert finding.sentence.startswith(f"OVRLRESP is '{text}'," if text else "OVRLRESP is blank,")


def test_responses_that_contradict_each_other_are_both_kept(tmp_path: Path) -> None:
    tables = read(tmp_path, rs=[rs("OVRLRESP", "SD"), rs("OVRLRESP", "SD"), rs("OVRLRESP", "PD")])
    assert collected_of(tables, "overall") == [("PD",), ("SD",)]
    assert ids_of(tables) == ["contradicting_responses"]


# --- Laws.


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    tumours = [tu("T01"), tu("T02"), tu("T03", loc="LYMPH NODE"), tu("T02.1", TUTESTCD="TUSPLIT", visit="3")]
    results = [
        tr(lesion, visit, code, "20") for lesion in ("T01", "T03") for visit in "123" for code in ("LDIAM", "LPERP")
    ]
    results += [tr("T02", "1", result="30"), tr("T02.1", "3", result="11")]
    names = ("timepoint", "lesion", "role", "nodal", "state", "longest_mm", "short_mm", "parent", "baseline")
    straight = rows_of(read(tmp_path, tu=tumours, tr=results), *names)
    random.Random(7).shuffle(results)
    assert rows_of(read(tmp_path, tu=tumours[::-1], tr=results), *names) == straight


def test_another_evaluator_changes_nothing(tmp_path: Path) -> None:
    mine = [tr("L1", "1", result="20"), tr("L1", "2", result="25")]
    theirs = [{**row, "TREVAL": "INDEPENDENT ASSESSOR", "TRORRES": "9", "TRSTRESN": "9"} for row in mine]
    names = ("evaluator", "timepoint", "longest_mm")
    alone = rows_of(read(tmp_path, tu=[tu("L1")], tr=mine), *names)
    both = rows_of(read(tmp_path, tu=[tu("L1")], tr=[*theirs, *mine]), *names)
    assert [row for row in both if row[0] == "INVESTIGATOR"] == alone


# --- Files.


def test_a_file_is_known_by_what_it_holds(tmp_path: Path) -> None:
    named = write(tmp_path, "TR", [tr("L1", "1")], name="anything.txt")
    supp = tmp_path / "supp.csv"
    supp.write_text("RDOMAIN,USUBJID,IDVAR,QNAM,QVAL\nTR,S1,TRSEQ,REASNE,x\n")
    plain = tmp_path / "tr.csv"
    plain.write_text("subject,timepoint,lesion,role,longest_mm\nS1,1,T1,target,20\n")
    adam = tmp_path / "adtr.csv"
    adam.write_text("USUBJID,PARAMCD,AVAL,TRTESTCD\nS1,SDIAM,20,LDIAM\n")
    nothing = tmp_path / "gone.csv"
    assert [sdtm_domain(path) for path in (named, supp, plain, adam, nothing)] == ["TR", "SUPPTR", None, None, None]
    assert [is_sdtm(path) for path in (named, supp, plain, adam, nothing)] == [True, True, False, False, False]


def test_other_domains_are_passed_over_with_a_note(tmp_path: Path) -> None:
    dm = tmp_path / "dm.csv"
    dm.write_text("DOMAIN,USUBJID,ARM\nDM,S1,A\n")
    tables = read_sdtm([write(tmp_path, "TR", [tr("L1", "1", result="20")]), dm])
    assert any(str(dm) in note and "not used" in note for note in tables.notes)
    with pytest.raises(InputError, match="TU, TR or RS"):
        read_sdtm([dm])


# --- The public data.


def public(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "sdtm_recist").glob("*.csv"))


def test_the_public_trial(shared_data: Path) -> None:
    tables = read_sdtm(public(shared_data))
    # By hand from the CSV: 8 subjects, one row per lesion and visit; 13 non-target states stand twice.
    assert len({row[0] for row in rows_of(tables, "subject")}) == 8
    assert len(set(rows_of(tables, "subject", "timepoint", "lesion"))) == len(tables.measurements)
    assert set(ids_of(tables)) == {"duplicate_row"}
    node = [row[2:] for row in rows_of(tables, "subject", "lesion", "timepoint", "longest_mm", "short_mm", "nodal")
            if row[:2] == ("01-701-1015", "T02")]  # fmt: skip
    assert node == [("1", "33.28", "32.0", "Y"), ("2", "35.7", "34.0", "Y"), ("4", "7.49", "7.0", "Y")]
    assert ("01-701-1015", "3", "2014-02") in rows_of(tables, "subject", "timepoint", "date")
    assert tables.collected is not None
    assert len(tables.collected) == 22


def test_the_public_trial_has_no_unusable_cell(shared_data: Path) -> None:
    tables = read_sdtm(public(shared_data))
    measurements = Measurements.from_table(tables.measurements, collected=tables.collected)
    assert list(measurements.findings) == []
