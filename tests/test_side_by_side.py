"""The criteria side by side: the wide table, and how far the criteria agree. All numbers are worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest

from response.registry import find_criterion
from response.report.concordance import Counts, agreement, cohen_kappa, common_words
from response.report.tables import concordance_table, criteria_table
from tests.trials import all_at_once, assessed, from_rows, target

# SD/PR, PR/PR, SD/PD, SD/SD, NE/NE and PD/PD by RECIST 1.1 and Choi: 22 % smaller, 40 % smaller, 12 % larger, the same,
# not assessed, 30 % larger; the attenuation stays.
SIX = " // ".join(f"T1 liver 100@80|{then}" for then in ("78@80", "60@80", "112@80", "100@80", "NE", "130@80"))


def summary(found: list[dict[str, str]], level: str) -> tuple[str, str, str]:
    (row,) = [row for row in found if (row["level"], row["kind"]) == (level, "summary")]
    return row["n"], row["agreement_percent"], row["kappa"]


def counts(found: list[dict[str, str]], level: str) -> dict[tuple[str, str], int]:
    return {
        (row["response_a"], row["response_b"]): int(row["count"])
        for row in found
        if (row["level"], row["kind"]) == (level, "count")
    }


# --- kappa


@pytest.mark.parametrize(
    ("table", "share", "kappa"),
    [
        # p_o = 35/50, p_e = (25 * 30 + 25 * 20) / 2500 = 1/2: (0.7 - 0.5) / 0.5
        ({("PR", "PR"): 20, ("PR", "SD"): 5, ("SD", "PR"): 10, ("SD", "SD"): 15}, Fraction(7, 10), Fraction(2, 5)),
        # p_o = 6/8; rows PR 3, SD 4, PD 1; columns PR 2, SD 4, PD 2; p_e = (6 + 16 + 2) / 64 = 3/8: (3/8) / (5/8)
        (
            {("PR", "PR"): 2, ("PR", "SD"): 1, ("SD", "SD"): 3, ("SD", "PD"): 1, ("PD", "PD"): 1},
            Fraction(3, 4),
            Fraction(3, 5),
        ),
        # never the same: p_o = 0, p_e = 1/2
        ({("PR", "SD"): 1, ("SD", "PR"): 1}, Fraction(0), Fraction(-1)),
        # one criterion says SD throughout: p_o = p_e = 3/4
        ({("SD", "SD"): 3, ("SD", "PR"): 1}, Fraction(3, 4), Fraction(0)),
        # both say SD throughout: 0 / 0
        ({("SD", "SD"): 3}, Fraction(1), None),
        ({}, None, None),
    ],
)
def test_agreement_and_kappa(table: Counts, share: Fraction | None, kappa: Fraction | None) -> None:
    assert agreement(table) == share
    assert cohen_kappa(table) == kappa


@pytest.mark.parametrize(
    ("criterion", "word", "common"),
    [
        ("irecist", "iCR", "CR"),
        ("irecist", "iUPD", "PD"),
        ("irecist", "iCPD", "PD"),
        ("irecist", "non-iCR/non-iUPD", "Non-CR/Non-PD"),
        ("who", "NC", "SD"),
        ("irrc", "irPR", "PR"),
        ("irrc", "unconfirmed irPD", "PD"),
        ("percist", "CMR", "CR"),
        ("percist", "SMD", "SD"),
        ("recist-1.1", "PR", "PR"),
        ("recist-1.1", "NE", "NE"),
    ],
)
def test_the_words_of_the_criteria_in_common_ones(criterion: str, word: str, common: str) -> None:
    assert common_words(find_criterion(criterion))[word] == common


# --- the trial


def test_the_concordance_of_a_trial() -> None:
    found = list(concordance_table(assessed(SIX, "choi", subject="treatment_start=d0")).rows())
    assert {(row["criterion_a"], row["criterion_b"]) for row in found} == {("recist-1.1", "choi")}
    expected = {("PR", "PR"): 1, ("SD", "PR"): 1, ("SD", "SD"): 1, ("SD", "PD"): 1, ("PD", "PD"): 1, ("NE", "NE"): 1}
    # n = 5 without NE; p_o = 3/5; rows PR 1, SD 3, PD 1; columns PR 2, SD 1, PD 2; p_e = (2 + 3 + 2) / 25;
    # kappa = (15 - 7) / (25 - 7) = 4/9
    for level in ("timepoint", "best"):
        assert counts(found, level) == expected
        assert summary(found, level) == ("5", "60", "0.444")


def test_the_best_response_is_counted_once_per_read() -> None:
    found = list(concordance_table(assessed("T1 liver 100@80|60@80|130@80", "choi")).rows())
    assert counts(found, "timepoint") == {("PR", "PR"): 1, ("PD", "PD"): 1}
    assert counts(found, "best") == {("PR", "PR"): 1}
    assert summary(found, "best") == ("1", "100", "")  # one word throughout: kappa is 0 / 0


def test_a_criterion_with_words_of_its_own_agrees_where_it_means_the_same() -> None:
    found = list(concordance_table(assessed("T1 liver 30|20|40", "irecist")).rows())
    assert counts(found, "timepoint") == {("PR", "PR"): 1, ("PD", "PD"): 1}
    assert summary(found, "timepoint") == ("2", "100", "1")


def test_criteria_without_a_common_scale_have_no_agreement() -> None:
    found = list(concordance_table(assessed("T1 liver 100#3|98#1|97#3", "chun")).rows())
    assert counts(found, "timepoint") == {("SD", "optimal"): 1, ("SD", "none"): 1}
    assert summary(found, "timepoint") == ("2", "", "")


def test_every_pair_of_criteria_has_its_rows() -> None:
    found = concordance_table(assessed("T1 liver 100@80#3|98@80#1", "choi", "chun")).rows()
    pairs = [(row["criterion_a"], row["criterion_b"]) for row in found if row["kind"] == "summary"]
    assert pairs == [("recist-1.1", "choi")] * 2 + [("recist-1.1", "chun")] * 2 + [("choi", "chun")] * 2


def test_a_series_without_baseline_is_not_compared() -> None:
    found = assessed("T1 liver -|30|30", "irecist", subject="treatment_start=d1")
    assert [(row["kind"], row["n"]) for row in concordance_table(found).rows()] == [("summary", "0")] * 2


# --- the wide table


def test_each_timepoint_has_one_row_with_all_criteria() -> None:
    found = list(criteria_table(assessed(SIX, "choi")).rows())
    assert list(found[0]) == [
        *("subject", "site", "evaluator", "accepted", "timepoint", "date", "recist-1.1", "choi", "disagreement"),
    ]  # fmt: skip
    assert [(row["recist-1.1"], row["choi"]) for row in found if row["timepoint"] == "0"] == [("", "")] * 6
    later = [(row["recist-1.1"], row["choi"], row["disagreement"]) for row in found if row["timepoint"] == "1"]
    assert later == [
        ("SD", "PR", "SD by RECIST 1.1 at -22 % in size, PR by Choi at -22 % in size"),
        ("PR", "PR", ""),
        ("SD", "PD", "SD by RECIST 1.1 at +12 % in size, PD by Choi at +12 % in size from 100 mm"),
        ("SD", "SD", ""),
        ("NE", "NE", ""),
        ("PD", "PD", ""),
    ]


def test_each_evaluator_has_rows_of_its_own() -> None:
    rows = [target("A", 0, "30", evaluator=name) for name in ("R1", "R2")]
    rows += [target("A", 1, length, evaluator=name) for name, length in (("R1", "20"), ("R2", "40"))]
    found = from_rows(rows, subjects=[{"subject": "A", "site": "7"}, {"subject": "B", "site": "8"}])
    told = [
        (row["subject"], row["site"], row["evaluator"], row["timepoint"], row["recist-1.1"])
        for row in criteria_table(found).rows()
    ]
    assert told == [
        ("A", "7", "R1", "0", ""),
        ("A", "7", "R1", "1", "PR"),
        ("A", "7", "R2", "0", ""),
        ("A", "7", "R2", "1", "PD"),
        ("B", "8", "", "", "NE"),  # nothing was measured
    ]


def test_the_wide_table_says_what_the_table_of_timepoints_says() -> None:
    found = all_at_once()
    wide = found.criteria
    keys = ["subject", "evaluator", "timepoint", "date"]
    for name in found.results:
        of_criterion = found.timepoints[found.timepoints["criterion"] == name].reset_index(drop=True)
        assert (of_criterion[keys] == wide[keys]).all(axis=None)
        assert of_criterion["overall"].tolist() == wide[name].tolist()
        assert of_criterion["disagreement"].tolist() == wide["disagreement"].tolist()


def test_the_counts_of_a_large_trial_add_up() -> None:
    found = all_at_once()
    table = found.concordance
    scored = int((found.results["choi"].answers["overall"] >= 0).sum())
    of_choi = table[(table["criterion_b"] == "choi") & (table["level"] == "timepoint") & (table["kind"] == "count")]
    assert int(np.nansum(of_choi["count"])) == scored
