"""The criteria side by side: the wide table, and how far the criteria agree. All numbers are worked out by hand."""

import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import response
from response import Assessment
from response.io.results import write_results
from response.registry import BUILT_IN, criterion_names, find_criterion
from response.report.concordance import SCALE, Counts, agreement, cohen_kappa, common_words, weighted_kappa
from response.report.disagreement import disagree
from response.report.tables import concordance_table, criteria_table
from response.testing.trials import made_up_trial
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


# Two neurologists on the diagnosis of multiple sclerosis, patients of Winnipeg and of New Orleans (Westlund & Kurland,
# Am J Hyg 1953;57:380-396, as in Landis & Koch, Biometrics 1977;33:159-174); kappa and weighted kappa as Friendly
# prints them for the function Kappa of R's vcd.
NEUROLOGISTS = [
    ([(38, 5, 0, 1), (33, 11, 3, 0), (10, 14, 5, 6), (3, 7, 3, 10)], "0.208", "0.380"),
    ([(5, 3, 0, 0), (3, 11, 4, 0), (2, 13, 3, 4), (1, 2, 4, 14)], "0.297", "0.477"),
]


@pytest.mark.parametrize(("rows", "kappa", "weighted"), NEUROLOGISTS)
def test_kappa_of_a_published_table(rows: list[tuple[int, ...]], kappa: str, weighted: str) -> None:
    words = ("CR", "PR", "SD", "PD")
    table = {(one, two): n for one, row in zip(words, rows, strict=True) for two, n in zip(words, row, strict=True)}
    assert [f"{float(found or 0):.3f}" for found in (cohen_kappa(table), weighted_kappa(table, SCALE))] == [
        kappa,
        weighted,
    ]


@pytest.mark.parametrize(
    ("table", "weighted"),
    [
        # distances in thirds; observed 1 + 1 = 2; rows PR 3, SD 4, PD 1; columns PR 2, SD 4, PD 2;
        # expected (3*4*1 + 3*2*2 + 4*2*1 + 4*2*1 + 1*2*2 + 1*4*1) / 8 = 48 / 8 = 6; 1 - 2 / 6
        (
            {("PR", "PR"): 2, ("PR", "SD"): 1, ("SD", "SD"): 3, ("SD", "PD"): 1, ("PD", "PD"): 1},
            Fraction(2, 3),
        ),
        # Non-CR/Non-PD stands at SD: nothing apart, as the only difference
        ({("SD", "Non-CR/Non-PD"): 1, ("PD", "PD"): 1}, Fraction(1)),
        # NED has no place: three thirds from PD; rows NED 1, PD 1; columns PD 2; observed 3, expected (1*2*3) / 2
        ({("NED", "PD"): 1, ("PD", "PD"): 1}, Fraction(0)),
        # it agrees with itself: observed 0; expected (1*1*3 + 1*1*3) / 2
        ({("NED", "NED"): 1, ("PD", "PD"): 1}, Fraction(1)),
        ({("SD", "SD"): 3}, None),
        ({}, None),
    ],
)
def test_weighted_kappa(table: Counts, weighted: Fraction | None) -> None:
    assert weighted_kappa(table, SCALE) == weighted


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
    # kappa = (15 - 7) / (25 - 7) = 4/9; one step apart each: observed 2,
    # expected (1*1 + 1*2*2 + 3*2 + 3*2 + 1*2*2 + 1*1) / 5 = 22/5, weighted kappa = 1 - 2 * 5 / 22 = 6/11
    for level in ("timepoint", "best"):
        assert counts(found, level) == expected
        assert summary(found, level) == ("5", "60", "0.444")
        assert [row["weighted_kappa"] for row in found if (row["level"], row["kind"]) == (level, "summary")] == [
            "0.545"
        ]


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


def test_criteria_with_one_scale_of_their_own_agree_on_it() -> None:
    # 20 % smaller is favourable by both; 21 % larger with an attenuation that fell by 45 HU only by MASS
    lesions = "T1 liver 100@100|80@100 // T1 liver 100@100|121@55 // T1 liver 100@100|121@100"
    found = list(concordance_table(assessed(lesions, "sact", "mass")).rows())
    own = [row for row in found if (row["criterion_a"], row["level"]) == ("sact", "timepoint")]
    assert counts(own, "timepoint") == {
        ("favourable", "favourable"): 1,
        ("unfavourable", "favourable"): 1,
        ("unfavourable", "unfavourable"): 1,
    }
    # p_o = 2/3; p_e = (1*2 + 2*1) / 9 = 4/9; kappa 2/5; both at the ends of the scale: the same with weights
    assert summary(own, "timepoint") == ("3", "66.67", "0.4")
    assert [row["weighted_kappa"] for row in own if row["kind"] == "summary"] == ["0.4"]
    others = [row for row in found if row["criterion_a"] == "recist-1.1" and row["kind"] == "summary"]
    assert {(row["agreement_percent"], row["kappa"], row["weighted_kappa"]) for row in others} == {("", "", "")}


def test_one_step_of_a_scale_of_three_is_half_of_it() -> None:
    # favourable by both; SACT indeterminate and MASS favourable, by necrosis
    necrosis = ("necrosis_fraction=0.1", "necrosis_fraction=0.9")
    lesions = f"T1 liver 100@100|80@100 // T1 liver 100@100[{necrosis[0]}]|99@100[{necrosis[1]}]"
    lesions += " // T1 liver 100@100|121@100"
    found = list(concordance_table(assessed(lesions, "sact", "mass")).rows())
    own = [row for row in found if (row["criterion_a"], row["level"]) == ("sact", "timepoint")]
    assert counts(own, "timepoint") == {
        ("favourable", "favourable"): 1,
        ("indeterminate", "favourable"): 1,
        ("unfavourable", "unfavourable"): 1,
    }
    # p_o = 2/3, p_e = (1*2 + 1*1) / 9 = 1/3: kappa 1/2. One step apart: 1/2; expected, by rows favourable 1,
    # indeterminate 1, unfavourable 1 and columns favourable 2, unfavourable 1:
    # (1*1*1 + 1*2/2 + 1*1/2 + 1*2*1) / 3 = 3/2; weighted kappa = 1 - (1/2) / (3/2)
    assert summary(own, "timepoint") == ("3", "66.67", "0.5")
    assert [row["weighted_kappa"] for row in own if row["kind"] == "summary"] == ["0.667"]


def test_the_best_response_of_a_scale_of_its_own_is_that_of_its_first_rule_too() -> None:
    lesions = "T1 liver 100@100|99@100 ; NL1 liver -|20"  # a new metastasis
    found = list(concordance_table(assessed(lesions, "sact", "mass")).rows())
    own = [row for row in found if row["criterion_a"] == "sact"]
    for level in ("timepoint", "best"):
        assert counts(own, level) == {("unfavourable", "unfavourable"): 1}


def test_responders_are_compared_over_different_scales() -> None:
    # RECIST 1.1 and Chun: PR and optimal, SD and optimal, SD and none, SD and incomplete, NE and optimal
    lesions = "T1 liver 100#3|60#1 // T1 liver 100#3|98#1 // T1 liver 100#3|98#3 // T1 liver 100#3|98#2"
    lesions += " // T1 liver 100#3|98#1 ; T2 lung 30|NE"
    found = list(concordance_table(assessed(lesions, "chun")).rows())
    for level in ("timepoint", "best"):
        (row,) = [row for row in found if (row["level"], row["kind"]) == (level, "responders")]
        # p_o = 3/4; RECIST 1 of 4, Chun 2 of 4: p_e = (1*2 + 3*2) / 16 = 1/2
        assert (row["n"], row["agreement_percent"], row["kappa"], row["weighted_kappa"]) == ("4", "75", "0.5", "")


def test_a_criterion_without_a_word_for_response_has_no_responders() -> None:
    found = list(concordance_table(assessed("T1 liver 30|20", "ablation")).rows())
    assert [row["kind"] for row in found if row["kind"] != "count"] == ["summary"] * 2


def test_two_evaluators_are_two_reads() -> None:
    rows = [target("A", 0, "30", evaluator=name) for name in ("R1", "R2")]
    rows += [target("A", 1, length, evaluator=name) for name, length in (("R1", "20"), ("R2", "40"))]
    measured = from_rows(rows).timeline.measurements
    found = list(concordance_table(response.assess(measured, criteria=["irecist"])).rows())
    for level in ("timepoint", "best"):
        assert counts(found, level) == {("PR", "PR"): 1, ("PD", "PD"): 1}


def test_every_pair_of_criteria_has_its_rows() -> None:
    found = concordance_table(assessed("T1 liver 100@80#3|98@80#1", "choi", "chun")).rows()
    pairs = [(row["criterion_a"], row["criterion_b"]) for row in found if row["kind"] == "summary"]
    assert pairs == [("recist-1.1", "choi")] * 2 + [("recist-1.1", "chun")] * 2 + [("choi", "chun")] * 2


def test_a_series_without_baseline_is_not_compared() -> None:
    found = assessed("T1 liver -|30|30", "irecist", subject="treatment_start=d1")
    told = [(row["kind"], row["n"], row["kappa"]) for row in concordance_table(found).rows()]
    assert told == [("summary", "0", ""), ("responders", "0", "")] * 2


# --- the number that decides


# lesions, further criteria, line at the last timepoint; all worked out by hand
LINES = [
    # 50 x 40 = 2000, 55 x 46 = 2530
    (
        "T1 liver 50x40|55x46",
        ["who"],
        "SD by RECIST 1.1 at +10 % in size, PD by WHO at +26.5 % in products of diameters from 2000 mm2",
    ),
    (
        "T1 liver 45[viable_mm=45]|43[viable_mm=20]",
        ["mrecist"],
        "SD by RECIST 1.1 at -4.44 % in size, PR by mRECIST (HCC) at -55.55 % in viable diameter",
    ),
    # the attenuation falls by 25 of 80 HU
    (
        "T1 liver 100@80|78@55",
        ["choi", "mchoi"],
        "SD by RECIST 1.1 at -22 % in size, PR by Choi at -22 % in size and -31.25 % in attenuation, "
        "PR by Modified Choi at -22 % in size and -31.25 % in attenuation",
    ),
    (
        "T1 liver 100@80|95@55",
        ["choi", "mchoi"],
        "SD by RECIST 1.1 at -5 % in size, PR by Choi at -31.25 % in attenuation, "
        "SD by Modified Choi at -5 % in size and -31.25 % in attenuation",
    ),
    # relative enhancement falls by 28 of 90 points, which is 31.1 %
    (
        "T1 thigh 100%90|78%90",
        ["mri-choi"],
        "SD by RECIST 1.1 at -22 % in size, PR by MRI-Choi at -22 % in size",
    ),
    (
        "T1 thigh 100@80%90|97@80%62",
        ["choi", "mri-choi"],
        "SD by RECIST 1.1 at -3 % in size, SD by Choi at -3 % in size and 0 % in attenuation, "
        "PR by MRI-Choi at -31.11 % in relative enhancement",
    ),
    # growth by 20 % over the nadir, but by 3 mm: the change from baseline would have the wrong sign
    (
        "T1 liver 20@100|15@100|18@100",
        ["sact"],
        "SD by RECIST 1.1 at -10 % in size, unfavourable by SACT at +20 % in size from 15 mm",
    ),
    # a criterion that is not evaluable contradicts nothing, and says nothing
    (
        "T1 liver 100@80|112@80",
        ["chun", "choi"],
        "SD by RECIST 1.1 at +12 % in size, PD by Choi at +12 % in size from 100 mm",
    ),
    # not even where it would come first
    (
        "T1 liver 50@80#3|45@78#1[nodule=new] ; T2 lung 30|NE",
        ["choi", "chun"],
        "PD by Choi (a new or growing intratumoral nodule), "
        "optimal by Chun (1 optimal, 0 incomplete and 0 without response of 1 metastases)",
    ),
    # what confirms an iUPD is growth over its own reference
    (
        "T1 liver 30[viable_mm=10]|40[viable_mm=10]|46[viable_mm=10]",
        ["irecist", "mrecist"],
        "PD by RECIST 1.1 at +53.33 % in size from 30 mm, iCPD by iRECIST (the sum 46 mm is 6 mm over 40 mm, the "
        "smallest since the iUPD), SD by mRECIST (HCC) at 0 % in viable diameter",
    ),
    # from nothing there is no percentage; 12 x 10 = 120
    (
        "T1 liver 20x20[viable_mm=20]|0[viable_mm=0]|12x10[viable_mm=0] ; NT1 lung present|present|present",
        ["who", "mrecist"],
        "PD by RECIST 1.1 at 12 mm in size from 0 mm, PD by WHO at 120 mm2 in products of diameters from 0 mm2, "
        "PR by mRECIST (HCC) (the target lesions are gone, but a non-target lesion persists)",
    ),
    (
        "T1 liver 30[suv=8]|30[suv=5]",
        ["eortc-pet"],
        "SD by RECIST 1.1 at 0 % in size, PMR by EORTC PET 1999 at -37.5 % in SUV",
    ),
    (
        "T1 liver 30[suv=8]|30[suv=11]",
        ["eortc-pet"],
        "SD by RECIST 1.1 at 0 % in size, PMD by EORTC PET 1999 at +37.5 % in SUV",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("lesions", "criteria", "line"), LINES)
def test_the_number_that_decides(lesions: str, criteria: list[str], line: str) -> None:
    assert list(criteria_table(assessed(lesions, *criteria)).rows())[-1]["disagreement"] == line


@pytest.mark.parametrize(
    ("reference", "told"), [("nadir", "+23.07 % in size from 19.5 mm"), ("baseline", "+20 % in size from 20 mm")]
)
def test_growth_is_told_over_the_reference_that_the_protocol_asks_for(reference: str, told: str) -> None:
    lesions = "T1 liver 20@100|19.5@100|24@100"  # by less than 5 mm
    found = assessed(lesions, "sact", options=f'[sact]\nsact_pd_reference = "{reference}"')
    assert list(criteria_table(found).rows())[-1]["disagreement"] == (
        f"SD by RECIST 1.1 at +20 % in size, unfavourable by SACT at {told}"
    )


def test_what_is_summed_is_named_unless_it_is_a_length() -> None:
    for name in BUILT_IN:
        sums = [number for number in find_criterion(name).numbers if re.search(r"(^|_)sum(_mm\d?)?$", number.name)]
        if sums and sums[0].unit != "mm" and name != "rano-2.0":  # it sums products or volumes, by an option
            assert find_criterion(name).measure != "size", name


def test_a_criterion_of_the_study_is_told_in_the_measure_of_the_one_that_it_is_based_on() -> None:
    options = """
        [criterion.study-x]
        based_on = "who"
        title = "Study X"
        source = "protocol X"
        pd_percent = 30
        pd_reference = "baseline"
    """
    found = assessed("T1 liver 50x40|48x40|52x52", "study-x", options=options)  # 2000, 1920, 2704
    assert list(criteria_table(found).rows())[-1]["disagreement"] == (
        "SD by RECIST 1.1 at +4 % in size, PD by Study X at +35.2 % in products of diameters from 2000 mm2"
    )


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ("CR", "PR", True),
        ("SD", "SD", False),
        ("PR", "Non-CR/Non-PD", False),
        ("PD", "Non-CR/Non-PD", True),
        ("SD", "optimal", True),
        ("PR", "optimal", False),
        ("SD", "incomplete", False),
        ("PD", "incomplete", True),
        ("SD", "none", False),
        ("PR", "none", True),
        ("SD", "favourable", True),
        ("PR", "favourable", False),
        ("SD", "indeterminate", False),
        ("PR", "indeterminate", True),
        ("PD", "unfavourable", False),
        ("SD", "unfavourable", True),
        ("SD", "local progression", True),
        ("PD", "complete ablation", False),
        ("NE", "PD", False),
        ("NED", "PD", False),
        ("", "PD", False),
    ],
)
def test_which_categories_contradict_each_other(one: str, other: str, contradict: bool) -> None:
    assert disagree(one, other) is disagree(other, one) is contradict


# --- every criterion at once


@cache
def everything() -> Assessment:
    """Return a made-up trial by every criterion."""
    return response.assess(made_up_trial(seed=3, subjects=150).measurements(), criteria=criterion_names())


SMALLER = ("CR", "PR", "iCR", "iPR", "irCR", "irPR", "CMR", "PMR", "favourable", "optimal")
LARGER = ("PD", "iUPD", "iCPD", "irPD", "unconfirmed irPD", "unconfirmed PD", "PDu", "PMD", "unfavourable")


def test_a_response_is_told_by_a_fall_and_a_progression_by_a_rise() -> None:
    found = re.compile(
        r"(?:^|, )([^,()]+?) by ((?:(?! by )[^,(])+?(?: \((?:HCC|CT)\))?) at ([+-]?[\d.]+) (?:%|mm2?|in)"
        r"(?: in size and ([+-][\d.]+) % in attenuation)?"
    )
    seen = Counter[str]()
    for line in everything().criteria["disagreement"]:
        for category, _, number, attenuation in found.findall(line):
            seen[category] += 1
            if category in SMALLER:
                assert number.startswith("-"), line
                assert not attenuation or attenuation.startswith("-"), line
            if category in LARGER:
                assert not number.startswith("-"), line
    assert {"PR", "PD", "iPR", "iUPD", "irPR", "irPD", "PMR", "favourable", "unfavourable"} <= set(seen)


@cache
def every_case() -> Assessment:
    """Return all cases of the acceptance tables that need no option, as one trial, by every criterion."""
    return response.assess(all_at_once().timeline.measurements, criteria=criterion_names())


@pytest.mark.parametrize("make", [everything, every_case])
def test_the_lines_are_whole(make: Callable[[], Assessment]) -> None:
    lines = [line for line in make().criteria["disagreement"] if line]
    assert len(lines) > 100
    for line in lines:
        assert not re.search(r"[{}]|unknown|, ,|^,|  |NE by|,$", line), line
        assert line.count(" by ") >= 2, line


@pytest.mark.parametrize("make", [everything, every_case])
def test_all_criteria_at_once_leave_recist_as_it_is_alone(make: Callable[[], Assessment], tmp_path: Path) -> None:
    beside = make()
    alone = response.assess(beside.timeline.measurements, criteria=())
    shared = [name for name in alone.timepoints if name != "disagreement"]
    of_recist = beside.timepoints[beside.timepoints["criterion"] == "recist-1.1"].reset_index(drop=True)
    assert alone.timepoints[shared].equals(of_recist[shared])
    written = {path.name for path in write_results(beside, tmp_path)}
    assert {"timepoints.csv", "subjects.csv", "lesions.csv", "criteria.csv", "concordance.csv"} <= written
    assert ("ancillary.csv" in written) is (make is everything)  # the cases have none
    assert list(beside.criteria)[6:-1] == list(criterion_names())
    pairs = len(criterion_names()) * (len(criterion_names()) - 1) // 2
    assert len(beside.concordance[beside.concordance["kind"] == "summary"]) == 2 * pairs


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


def test_explain_names_no_other_rule_that_tells_the_same() -> None:
    text = assessed("T1 liver 100#3|98#3", "chun").explain("S1")
    assert "0 optimal, 0 incomplete and 1 without response of 1 metastases." in text
    assert "chun.overall.incomplete" not in text
