"""Criteria that a study defines in its protocol: thresholds by hand, what they cite and tell, and what is refused."""

import csv
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given

import response
from response import Measurements, Protocol, ProtocolError, registry
from response.api import validate
from response.cli import main
from response.criteria.criterion import Criterion, Number
from response.criteria.recist import RECIST_TEST
from response.criteria.rules import Question, Rule, otherwise
from response.criteria.study_criteria import study_criterion
from response.criteria.study_definitions import (
    RESERVED,
    StudyDefinition,
    definition_as_toml,
    definition_of,
    read_definition,
    unit_of_sum,
)
from response.errors import CriterionError
from response.io.manifest import manifest
from response.report.side_by_side import CRITERIA_COLUMNS
from response.report.tables import timepoint_table
from response.testing import CHECKS, Bench, Trial, assess_by, made_up_trial
from tests.acceptance import Row, text_table
from tests.io.sdtm_trials import rs, tr, tu, write
from tests.test_criteria_suite import NOTHING_TO_FOLLOW, trials_of
from tests.test_laws import course, rows_of, some_courses
from tests.test_size_criteria_laws import with_axes
from tests.trials import assessed, case

BASES = tuple(name for name in registry.BUILT_IN if registry.find_criterion(name).test is not None)
SOURCE = "protocol X-101, section 8.2"
ROOT = Path(__file__).parent.parent


def defined(thresholds: str = "", *, based_on: str = "recist-1.1", name: str = "study-x", more: str = "") -> str:
    """Return a protocol file that defines one criterion; thresholds and further tables stand on lines of their own."""
    head = f'[criterion.{name}]\nbased_on = "{based_on}"\nsource = "{SOURCE}"'
    return "\n".join([head, *filter(None, re.split(r"\s*[;\n]\s*", thresholds)), more])


def made(text: str, name: str = "study-x") -> Criterion:
    return registry.find_criterion(name, Protocol.from_toml(text, "study.toml"))


def told(lesions: str, text: str, column: str = "overall", *, base: str = "recist-1.1") -> tuple[list[str], list[str]]:
    """Return what the study's criterion says after baseline, and what the criterion says that it is based on."""
    found = assessed(lesions, base, "study-x", options=text)
    rows = [row for row in timepoint_table(found).rows() if row["rule"] != "baseline"]
    by = {name: [row[column] for row in rows if row["criterion"] == name] for name in ("study-x", base)}
    return by["study-x"], by[base]


# --- thresholds, by hand

CASES = [
    # id, thresholds, lesions, by the study, by RECIST 1.1
    ("PD at exactly +25 %", "pd_percent = 25", "T1 liver 40|50", "PD", "PD"),
    ("+24.9 % is SD, where RECIST 1.1 says PD", "pd_percent = 25", "T1 liver 100|124.9", "SD", "PD"),
    ("+25 % of 19.6 mm is 4.9 mm, and 5 mm it takes", "pd_percent = 25", "T1 liver 19.6|24.5", "SD", "SD"),
    ("+25 % from the nadir, not the baseline", "pd_percent = 25", "T1 liver 100|60|75", "PR;PD", "PR;PD"),
    ("a decimal is exact: 133.3 of 100 mm", "pd_percent = 33.3", "T1 liver 100|133.3", "PD", "PD"),
    ("a decimal is exact: 133.2 of 100 mm", "pd_percent = 33.3", "T1 liver 100|133.2", "SD", "PD"),
    ("a decimal is exact: 39.99 of 30 mm", "pd_percent = 33.3", "T1 liver 30|39.99", "PD", "PD"),
    ("a decimal is exact: 39.989 of 30 mm", "pd_percent = 33.3", "T1 liver 30|39.989", "SD", "PD"),
    ("three decimals: 114.2 mm is 14.2 %", "pd_percent = 14.2", "T1 liver 100|114.2", "PD", "SD"),
    ("three decimals: 14.201 % it is not", "pd_percent = 14.201", "T1 liver 100|114.2", "SD", "SD"),
    ("PR at exactly -33.3 %", "pr_percent = -33.3", "T1 liver 100|66.7", "PR", "PR"),
    ("SD just above -33.3 %", "pr_percent = -33.3", "T1 liver 100|66.8", "SD", "PR"),
    ("PR from -20 %", "pr_percent = -20", "T1 liver 100|80", "PR", "SD"),
    ("more than 30 % for PR: exactly 30 % is SD", "pr_inclusive = false", "T1 liver 100|70", "SD", "PR"),
    ("more than 30 % for PR: 30.1 % is PR", "pr_inclusive = false", "T1 liver 100|69.9", "PR", "PR"),
    ("above 25 % for PD: exactly 25 % is SD", "pd_percent = 25; pd_inclusive = false", "T1 liver 40|50", "SD", "PD"),
    ("above 25 % for PD: 25.25 % is PD", "pd_percent = 25; pd_inclusive = false", "T1 liver 40|50.1", "PD", "PD"),
    ("10 mm of growth: 9.9 mm is SD", "pd_least_mm = 10", "T1 liver 40|49.9", "SD", "PD"),
    ("10 mm of growth: 10 mm is PD", "pd_least_mm = 10", "T1 liver 40|50", "PD", "PD"),
    ("no growth in mm asked for: 12 to 15 mm", "pd_percent = 25; pd_least_mm = 0", "T1 liver 12|15", "PD", "SD"),
    ("a fraction of a mm", "pd_least_mm = 2.5", "T1 liver 12|14.5", "PD", "SD"),
    ("a fraction of a mm, just below", "pd_least_mm = 2.5", "T1 liver 12|14.499", "SD", "SD"),
    ("no growth at all is never PD", "pd_least_mm = 0", "T1 liver 30|0|0 ; NT1 lung present|present|present", "PR;PR",
     "PR;PR"),
    ("nothing of nothing is no growth", "pd_least_mm = 0", "T1 liver 30|0|0 ; T2 lung 10|0|NE", "CR;NE", "CR;NE"),
    ("PD against the baseline: 75 of 100 mm is SD", 'pd_reference = "baseline"', "T1 liver 100|60|75|119.9",
     "PR;SD;SD", "PR;PD;PD"),
    ("PD against the baseline: at exactly +20 %", 'pd_reference = "baseline"', "T1 liver 100|60|120", "PR;PD", "PR;PD"),
    ("the measured part alone, 74 of 60 mm, is PD from 20 %", "pd_percent = 25", "T1 liver 40|74 ; T2 lung 20|NE",
     "NE", "PD"),
    ("the measured part alone, 75 of 60 mm, is PD", "pd_percent = 25", "T1 liver 40|75 ; T2 lung 20|NE", "PD", "PD"),
    ("a new lesion is PD, whatever the sum", "pd_percent = 25", "T1 liver 100|100 ; NL1 lung -|12", "PD", "PD"),
]  # fmt: skip


@pytest.mark.parametrize(("title", "thresholds", "lesions", "study", "recist"), CASES, ids=[case[0] for case in CASES])
def test_thresholds_of_a_study(title: str, thresholds: str, lesions: str, study: str, recist: str) -> None:
    assert told(lesions, defined(thresholds)) == (study.split(";"), recist.split(";"))


OTHERS = [
    # id, based on, thresholds, lesions, by the study, by the criterion that it is based on
    ("WHO: 50 x 40 to 70 x 40 is exactly +40 %", "who", "pd_percent = 40", "T1 liver 50x40|70x40", "PD", "PD"),
    ("WHO: +39.8 % is NC", "who", "pd_percent = 40", "T1 liver 50x40|69.9x40", "NC", "PD"),
    ("WHO: +800 mm2, 1000 it takes", "who", "pd_percent = 40; pd_least_mm2 = 1000", "T1 liver 50x40|70x40", "NC", "PD"),
    ("WHO: +1000 mm2", "who", "pd_percent = 40; pd_least_mm2 = 1000", "T1 liver 50x40|75x40", "PD", "PD"),
    ("WHO: PR from -65 %, exactly", "who", "pr_percent = -65", "T1 liver 50x40|70x10", "PR", "PR"),
    ("WHO: -64.5 % is NC", "who", "pr_percent = -65", "T1 liver 50x40|71x10", "NC", "PR"),
    ("WHO: the sum against the baseline", "who", 'pd_reference = "baseline"', "T1 liver 20x20|10x10|20x24",
     "PR;NC", "PR;PD"),
    ("EASL: exactly 25 % is PD", "easl", "pd_inclusive = true",
     "T1 liver 60[viable_area_mm2=400]|60[viable_area_mm2=500]", "PD", "SD"),
    ("EASL: more than 35 %", "easl", "pd_percent = 35",
     "T1 liver 60[viable_area_mm2=400]|60[viable_area_mm2=540]|60[viable_area_mm2=540.001]", "SD;PD", "PD;PD"),
    ("qEASL: 14 of 8 ml is exactly 75 %", "qeasl", "pd_percent = 75",
     "T1 liver 60[viable_volume_mm3=8000]|60[viable_volume_mm3=13999]|60[viable_volume_mm3=14000]", "SD;PD", "PD;PD"),
    ("qEASL: PR from half of the volume", "qeasl", "pr_percent = -50",
     "T1 liver 60[viable_volume_mm3=8000]|60[viable_volume_mm3=4001]|60[viable_volume_mm3=4000]", "SD;PR", "SD;SD"),
    ("qEASL: 6 ml of growth", "qeasl", "pd_least_mm3 = 6000",
     "T1 liver 60[viable_volume_mm3=8000]|60[viable_volume_mm3=13999]|60[viable_volume_mm3=14000]", "SD;PD", "PD;PD"),
    ("mRECIST: 40 to 49 mm", "mrecist", "pd_percent = 25", "T1 liver 60[viable_mm=40]|60[viable_mm=49]", "SD", "PD"),
    ("mRECIST: 20 % alone", "mrecist", "pd_least_mm = 0", "T1 liver 60[viable_mm=20]|60[viable_mm=24]", "PD", "SD"),
    ("imRECIST: the new lesion makes 125 of 100 mm", "imrecist", "pd_percent = 30",
     "T1 liver 100|105 ; NL1 lung -|20", "SD", "unconfirmed PD"),
    ("irRC: the new lesion makes 2600 of 2000 mm2", "irrc", "pd_percent = 35",
     "T1 liver 50x40|50x40 ; NL1 lung -|30x20", "irSD", "unconfirmed irPD"),
    ("itRECIST: 61 of 50 mm", "itrecist", "pd_percent = 25", "T1 liver 50[injected=Y]|61", "SD", "PD"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "base", "thresholds", "lesions", "study", "other"), OTHERS, ids=[case[0] for case in OTHERS]
)
def test_thresholds_of_a_study_beside_other_criteria(
    *, title: str, base: str, thresholds: str, lesions: str, study: str, other: str
) -> None:
    assert told(lesions, defined(thresholds, based_on=base), base=base) == (study.split(";"), other.split(";"))


def test_any_lesion_against_its_own_baseline() -> None:
    # T1 is 4 mm2 of 4 at baseline, 1 at its nadir, 2 then: +100 % over the nadir, -50 % from the baseline
    lesions = "T1 liver 20x20|10x10|20x10 ; T2 lung 20x20|20x20|20x20"
    option = '[study-x]\nwho_pd = "any_lesion"'
    by_nadir = told(lesions, defined(based_on="who", more=option), base="who")[0]
    by_baseline = told(lesions, defined('pd_reference = "baseline"', based_on="who", more=option), base="who")[0]
    assert (by_nadir, by_baseline) == (["NC", "PD"], ["NC", "NC"])


def test_the_groups_of_itrecist_go_by_the_thresholds_of_the_study() -> None:
    lesions, text = "T1 liver 50[injected=Y]|61", defined("pd_percent = 25", based_on="itrecist")
    found = assessed(lesions, "itrecist", "study-x", options=text).timepoints.set_index(["timepoint", "criterion"])
    assert found.loc[("1", "itrecist"), "itrecist_injected"] == "PD"
    assert found.loc[("1", "study-x"), "study_x_injected"] == "SD"
    against = defined('pd_percent = 25; pd_reference = "baseline"', based_on="itrecist")
    lesions = "T1 liver 50[injected=Y]|20|50"
    assert told(lesions, against, "study_x_injected", base="itrecist")[0] == ["PR", "SD"]


def test_bounds_of_missing_lesions_go_by_the_thresholds_of_the_study() -> None:
    # 52 mm and at most 20: 72 of 60 mm, which is 20 %
    lesions, bounded = "T1 liver 40|52 ; T2 lung 20|NE", 'missing_target_policy = "bounded"'
    text = defined("pd_percent = 25", more=f"[study-x]\n{bounded}\n[recist-1.1]\n{bounded}")
    assert told(lesions, text) == (["SD"], ["NE"])
    # 10 mm and at most 20: between 16.7 and 50 % of 60 mm
    assert told("T1 liver 40|10 ; T2 lung 20|NE", text) == (["PR"], ["PR"])
    of_response = text.replace("pd_percent = 25", "pr_percent = -60")
    assert told("T1 liver 40|10 ; T2 lung 20|NE", of_response) == (["NE"], ["PR"])


def test_lesions_are_read_by_the_options_of_the_study() -> None:
    text = defined(more='[study-x]\nnew_node_rule = "literal_10"')
    assert told("T1 liver 40|40 ; NL1 node -|12", text, "new_lesion") == (["Yes"], ["Equivocal"])
    text = defined(more='[study-x]\nnode_split = "largest"')
    lesions = "T1 node 30|split ; T1a<T1 node -|18 ; T1b<T1 node -|12"
    assert told(lesions, text, "sum_mm") == (["18"], ["30"])


FLAGS = [
    # id, thresholds, lesions, flag, by the study, by RECIST 1.1
    ("124 of 100 mm is 1 mm from 25 %", "pd_percent = 25", "T1 liver 100|124", "borderline", True, False),
    ("120 of 100 mm is 5 mm from 25 %", "pd_percent = 25", "T1 liver 100|120", "borderline", False, True),
    ("79 of 100 mm is 1 mm from -20 %", "pr_percent = -20", "T1 liver 100|79", "borderline", True, False),
    ("121 of 100 mm is 1 mm from 20 %, but 9 mm from 30 mm", "pd_least_mm = 30", "T1 liver 100|121", "borderline",
     False, True),
    # 5 mm that are but a default: without them 20.5 of 15 mm, which is 36.7 %
    ("PD only by a default value", "pd_percent = 40", "T1 liver 14|14|19.5 ; T2 lung 10|1|TSTM",
     "pd_only_by_default_value", True, False),
]  # fmt: skip


@pytest.mark.parametrize(("title", "thresholds", "lesions", "flag", "study", "recist"), FLAGS)
def test_flags_go_by_the_thresholds_of_the_study(
    *, title: str, thresholds: str, lesions: str, flag: str, study: bool, recist: bool
) -> None:
    by_study, by_recist = told(lesions, defined(thresholds), "flags")
    assert (flag in by_study[-1].split(";"), flag in by_recist[-1].split(";")) == (study, recist)


def test_best_response_and_dates_go_by_the_thresholds_of_the_study() -> None:
    found = assessed("T1 liver 100|124|150", "study-x", options=defined("pd_percent = 25"))
    subjects = found.subjects.set_index("criterion")
    assert subjects["best_response"].to_dict() == {"recist-1.1": "PD", "study-x": "SD"}
    assert subjects["progression_date"].to_dict() == {"recist-1.1": "2024-02-26", "study-x": "2024-04-22"}
    assert "50 mm (50 %) over the nadir 100 mm" in str(subjects.loc["study-x", "progression_reason"])


def test_lesions_that_grew_from_the_baseline_drive_progression_against_it() -> None:
    lesions = "T1 liver 50|50|80 ; T2 lung 50|10|45"
    assert told(lesions, defined('pd_reference = "baseline"'), "drivers") == (["", "T1"], ["", "T2;T1"])


# --- what it is


def test_it_may_be_based_on_all_criteria_that_judge_a_sum_by_thresholds() -> None:
    assert {"recist-1.1", "mrecist", "who", "irrc", "imrecist", "easl", "qeasl", "itrecist"} <= set(BASES)
    assert {"choi", "chun", "irecist", "percist", "lugano", "ablation"} & set(BASES) == set()


@pytest.mark.parametrize("base", BASES)
def test_rules_numbers_and_columns_have_the_name_of_the_study(base: str) -> None:
    found, other = made(defined(based_on=base)), registry.find_criterion(base)
    assert [rule.name for question in found.questions for rule in question.rules] == [
        rule.name for question in other.questions for rule in question.rules
    ]
    assert found.rule_id("target", found.questions[0].rules[0]).startswith("study-x.target.")
    assert [number.name for number in found.numbers if number.name.startswith(other.prefix)] == []
    assert (found.based_on, found.options) == (base, other.options)


def test_sums_stand_in_the_result_tables_as_for_other_criteria() -> None:
    found = assessed("T1 liver 50x40|75x40|NE", "who", "study-x", options=defined("pd_percent = 60", based_on="who"))
    rows = [row for row in timepoint_table(found).rows() if row["criterion"] == "study-x"]
    assert [row["sum_mm2"] for row in rows] == ["2000", "3000", ""]
    assert [row["study_x_unmeasured"] for row in rows] == ["0", "0", "1"]
    recist = assessed("T1 liver 50|60", "study-x", options=defined("pd_percent = 25"))
    (row,) = [row for row in timepoint_table(recist).rows() if row["rule"] == "study-x.target.sd"]
    assert (row["sum_mm"], row["change_from_nadir_percent"]) == ("60", "20")


def test_recist_stays_first_and_as_it_is() -> None:
    text = defined("pr_percent = -50; pd_percent = 80", more="[study-x]\nconfirm_days = 42")
    trial = made_up_trial(7)
    alone = response.assess(trial.measurements(), criteria=["recist-1.1"])
    beside = response.assess(trial.measurements(), criteria=["study-x"], protocol=Protocol.from_toml(text))
    assert list(beside.results) == ["recist-1.1", "study-x"]
    rows = beside.timepoints[beside.timepoints["criterion"] == "recist-1.1"].reset_index(drop=True)
    columns = [name for name in alone.timepoints if name != "disagreement"]
    pd.testing.assert_frame_equal(rows[columns], alone.timepoints[columns])
    assert beside.results["study-x"].options.confirm_days == 42  # type: ignore[attr-defined]


def test_a_criterion_of_the_protocol_is_assessed_unless_others_are_asked_for() -> None:
    trial, protocol = made_up_trial(7).measurements(), Protocol.from_toml(defined())
    assert list(response.assess(trial, protocol=protocol).results)[-1] == "study-x"
    assert list(response.assess(trial, criteria=["choi"], protocol=protocol).results) == ["recist-1.1", "choi"]


def test_a_criterion_of_one_study_is_not_there_for_the_next() -> None:
    assessed("T1 liver 50|60", "study-x", options=defined())
    assert "study-x" not in registry.criterion_names()
    assert "study-x" in registry.criterion_names(Protocol.from_toml(defined()))
    with pytest.raises(CriterionError, match=r"unknown criterion 'study-x'; known are recist-1\.1, "):
        assessed("T1 liver 50|60", "study-x")
    with pytest.raises(CriterionError, match=r"unknown criterion 'study-y'; known are recist-1\.1, .*, study-x$"):
        assessed("T1 liver 50|60", "study-y", options=defined())


def test_a_protocol_holds_the_tables_of_schedule_and_images_beside_it() -> None:
    text = defined(more="[schedule]\nevery_days = 56\n[measure]\nhu_percentile = 5")
    assert list(assessed("T1 liver 50|60", "study-x", options=text).results) == ["recist-1.1", "study-x"]


def test_large_areas_are_judged_exactly() -> None:
    # 20 times 2 x 2 m are 8e13 um2, and a threshold has denominators up to 1e5
    lesions = " ; ".join(f"T{number} liver 1000x1000|2000x2000" for number in range(20))
    text = defined("pd_percent = 300.001; pr_percent = -33.301", based_on="who")
    assert told(lesions, text, base="who")[0] == ["NC"]
    assert told(lesions, text.replace("300.001", "300"), base="who")[0] == ["PD"]


def test_several_criteria_of_one_study_stand_side_by_side() -> None:
    text = f"{defined('pd_percent = 25')}\n{defined('pd_percent = 30', name='study-x.2')}"
    found = assessed("T1 liver 100|127", "study-x", "study-x.2", options=text)
    (row,) = found.criteria[found.criteria["timepoint"] == "1"].to_dict("records")
    assert [row[name] for name in ("recist-1.1", "study-x", "study-x.2")] == ["PD", "PD", "SD"]
    assert "SD by RECIST 1.1 (study-x.2) at +27 % in size" in row["disagreement"]


# --- what it tells

ODD = {
    "mm": 'pr_percent = -37.5; pr_inclusive = false; pd_percent = 43.7; pd_least_mm = 7; pd_reference = "baseline"',
    "mm2": 'pr_percent = -37.5; pr_inclusive = false; pd_percent = 43.7; pd_least_mm2 = 7; pd_reference = "baseline"',
    "mm3": 'pr_percent = -37.5; pr_inclusive = false; pd_percent = 43.7; pd_least_mm3 = 7; pd_reference = "baseline"',
}
THRESHOLD_TOLD = re.compile(r"(?<![\d.])(20|25|30|50|65|73) ?(%|percent)|(?<![\d.])(20|25|30|50|65|73)_percent")


def odd(base: str) -> Criterion:
    return made(defined(ODD[unit_of_sum(registry.find_criterion(base))], based_on=base))


@pytest.mark.parametrize("base", BASES)
def test_no_sentence_tells_the_thresholds_of_the_criterion_below(base: str) -> None:
    found = odd(base)
    rules = [rule for question in found.questions for rule in question.rules] + list(found.flags)
    assert [rule.sentence for rule in rules if THRESHOLD_TOLD.search(f"{rule.name} {rule.sentence}")] == []
    assert [rule.sentence for rule in rules if "over the nadir" in rule.sentence] == []


TELLS_A_CHANGE = re.compile(r"\{(growth|growth_percent|shrinkage_percent|change_percent)\}")


@pytest.mark.parametrize("base", BASES)
def test_every_rule_that_tells_how_far_the_sum_has_changed_cites_the_study(base: str) -> None:
    rules = [rule for question in odd(base).questions for rule in question.rules]
    assert [rule.name for rule in rules if TELLS_A_CHANGE.search(rule.sentence) and rule.clause != SOURCE] == []
    assert len([rule for rule in rules if rule.clause == SOURCE]) >= 4


def test_the_guard_sees_the_thresholds_that_it_looks_for() -> None:
    sentences = [rule.sentence for rule in registry.find_criterion("recist-1.1").questions[0].rules]
    assert len([text for text in sentences if THRESHOLD_TOLD.search(text)]) == 1
    assert THRESHOLD_TOLD.search("lesion_grew_by_25_percent")


SENTENCES = [
    # based on, thresholds, lesions, options of the study, what the last timepoint tells
    ("recist-1.1", "pd_percent = 25", "T1 liver 100|124", "",
     "The sum 124 mm is neither 30 % below baseline (100 mm) nor 25 % and 5 mm over nadir (100 mm)."),
    ("recist-1.1", "pr_percent = -20; pd_percent = 25", "T1 liver 100|124", "",
     "The sum 124 mm is neither 20 % below baseline (100 mm) nor 25 % and 5 mm over nadir (100 mm)."),
    ("recist-1.1", "pr_percent = -33.3; pd_percent = 25; pd_least_mm = 0", "T1 liver 100|124", "",
     "The sum 124 mm is neither 33.3 % below baseline (100 mm) nor 25 % over nadir (100 mm)."),
    ("recist-1.1", "pr_inclusive = false; pd_inclusive = false", "T1 liver 100|70", "",
     "The sum 70 mm is neither more than 30 % below baseline (100 mm) nor more than 20 % and at least 5 mm over nadir "
     "(100 mm)."),
    ("recist-1.1", 'pd_reference = "baseline"', "T1 liver 100|60|120", "",
     "The sum 120 mm is 20 mm (20 %) over the baseline 100 mm."),
    ("recist-1.1", 'pd_reference = "baseline"', "T1 liver 40|20|75 ; T2 lung 20|20|NE", "",
     "The measured part alone, 75 mm, is 15 mm (25 %) over the baseline 60 mm."),
    ("mrecist", "pr_percent = -40", "T1 liver 60[viable_mm=20]|60[viable_mm=20]", "",
     "The viable sum 20 mm is neither 40 % below the baseline 20 mm nor PD over the nadir 20 mm."),
    ("who", "pd_percent = 40", "T1 liver 50x40|80x40", 'who_pd = "any_lesion"',
     "A target lesion has grown by 40 % or more over its own nadir."),
    ("easl", "pd_percent = 40", "T1 liver 50x40|80x40", 'easl_pd = "any_lesion"',
     "A target lesion has grown by more than 40 % over its own nadir."),
    ("who", 'pd_percent = 40; pd_least_mm2 = 100; pd_reference = "baseline"', "T1 liver 50x40|80x40",
     'who_pd = "any_lesion"', "A target lesion has grown by 40 % and 100 mm2 over its own baseline."),
]  # fmt: skip


@pytest.mark.parametrize(("base", "thresholds", "lesions", "options", "sentence"), SENTENCES)
def test_sentences_tell_the_thresholds_of_the_study(
    base: str, thresholds: str, lesions: str, options: str, sentence: str
) -> None:
    text = defined(thresholds, based_on=base, more=f"[study-x]\n{options}")
    reason = told(lesions, text, "reason", base=base)[0][-1]
    assert reason.removeprefix("Progression of the target lesions: ").casefold() == sentence.casefold()


def test_flags_are_named_after_the_threshold_of_the_study() -> None:
    text = defined("pd_percent = 33.3", based_on="who")
    lesions = "T1 liver 20x20|27x20 ; T2 lung 50x40|50x40"
    assert told(lesions, text, "flags", base="who") == (["lesion_grew_by_33_3_percent"], ["lesion_grew_by_25_percent"])
    (flag,) = [rule for rule in made(text).flags if rule.name.startswith("lesion_grew")]
    assert (flag.sentence, flag.clause) == ("a single lesion has grown by 33.3 %", SOURCE)


def text_of_course(lesions: str, text: str) -> str:
    return " ".join(assessed(lesions, "study-x", options=text).explain("S1").split())


def test_rules_that_the_study_changes_cite_it_and_no_others() -> None:
    by_rule = {
        f"{question.name}.{rule.name}": rule.clause
        for question in made(defined("pd_percent = 25")).questions
        for rule in question.rules
    }
    changed = {name for name, clause in by_rule.items() if clause == SOURCE}
    assert changed == {f"target.{name}" for name in ("pd", "pd_proven", "bounded_pr", "bounded_sd", "sd")}
    assert (by_rule["target.pr"], by_rule["overall.target_pd"]) == ("4.3.1", "table 1, row 7")
    for threshold in ("pd_least_mm = 10", 'pd_reference = "baseline"', "pd_inclusive = false"):
        of_progression = made(defined(threshold)).questions[0].rules
        assert {rule.name for rule in of_progression if rule.clause == SOURCE} == {
            *("pd", "pd_proven", "bounded_pr", "bounded_sd", "sd")
        }
    of_response = made(defined("pr_percent = -25")).questions[0].rules
    assert {rule.name for rule in of_response if rule.clause == SOURCE} == {"pr", "sd", "bounded_pr", "bounded_sd"}


def test_what_the_criterion_below_says_of_its_scope_is_told_too() -> None:
    base = replace(registry.find_criterion("recist-1.1"), scope="It is for solid tumours.")
    definition = StudyDefinition(name="study-x", title="Study X", source=SOURCE, test=RECIST_TEST)
    assert study_criterion(base, definition).scope == (
        f"Study X is RECIST 1.1 with its own thresholds ({SOURCE}). It is for solid tumours."
    )


@pytest.mark.parametrize("base", BASES)
def test_a_threshold_that_is_as_it_was_changes_no_rule(base: str) -> None:
    whole = definition_of(made(defined(based_on=base)))
    stated = {key: value for key, value in whole.items() if key.startswith(("pr_", "pd_"))}
    text = defined("; ".join(f"{key} = {json.dumps(value)}" for key, value in stated.items()), based_on=base)
    clauses = [rule.clause for question in made(text).questions for rule in question.rules]
    assert clauses == [rule.clause for question in registry.find_criterion(base).questions for rule in question.rules]


def test_the_course_tells_how_far_the_thresholds_of_the_study_are() -> None:
    text = text_of_course("T1 liver 100|124", defined("pd_percent = 25"))
    assert "RECIST 1.1 (study-x): SD" in text
    assert "Rule study-x.target.sd, clause protocol X-101, section 8.2" in text
    assert "PD at 125 mm or more: 1 mm away (25 % over the nadir 100 mm decides)" in text
    assert "PD at 120 mm or more: reached (20 % over the nadir 100 mm decides)" in text  # by RECIST 1.1
    assert text.endswith(
        "RECIST 1.1 (study-x) is RECIST 1.1, but with PD from 25 % and 5 mm over the nadir "
        "(protocol X-101, section 8.2)."
    )


DISTANCES = [
    ("recist-1.1", 'pd_reference = "baseline"', "T1 liver 100|60|70",
     "PR at 70 mm or less: reached; PD at 120 mm or more: 50 mm away (20 % over the baseline 100 mm decides)"),
    ("recist-1.1", "pd_least_mm = 30", "T1 liver 100|100", "PD at 130 mm or more: 30 mm away (30 mm over the nadir"),
    ("recist-1.1", "pr_inclusive = false", "T1 liver 100|70", "PR at 69.999 mm or less: 0.001 mm away"),
    ("recist-1.1", "pd_inclusive = false", "T1 liver 100|120",
     "PD at 120.001 mm or more: 0.001 mm away (more than 20 % over the nadir 100 mm decides)"),
    ("who", "pr_inclusive = false; pd_percent = 40", "T1 liver 50x40|50x40",
     "PR below 1000 mm2; PD at 2800 mm2 or more (from 2000 mm2)"),
    ("who", "pd_inclusive = false", "T1 liver 50x40|50x40", "PD above 2500 mm2 (from 2000 mm2)"),
    ("easl", "pd_least_mm2 = 200", "T1 liver 50[viable_area_mm2=400]|50[viable_area_mm2=400]",
     "PD at 600 mm2 or more (from 400 mm2)"),
    ("easl", "pd_least_mm2 = 50", "T1 liver 50[viable_area_mm2=400]|50[viable_area_mm2=400]",
     "PD above 500 mm2 (from 400 mm2)"),
    ("qeasl", "pd_percent = 75", "T1 liver 50[viable_volume_mm3=8000]|50[viable_volume_mm3=8000]",
     "PR at 2800 mm3 or less; PD at 14000 mm3 or more (from 8000 mm3)"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "thresholds", "lesions", "expected"), DISTANCES)
def test_distances_to_the_thresholds_of_the_study(base: str, thresholds: str, lesions: str, expected: str) -> None:
    assert expected in text_of_course(lesions, defined(thresholds, based_on=base))


# --- laws


def all_bases() -> Protocol:
    return Protocol.from_toml("\n".join(defined(based_on=base, name=f"study-{base}") for base in BASES))


@some_courses
@given(course())
def test_without_a_threshold_of_its_own_it_says_what_the_criterion_below_says(lesions: str) -> None:
    names = [*BASES, *(f"study-{base}" for base in BASES)]
    rows = text_table(with_axes(rows_of(lesions)), "made-up.csv")
    found = response.assess(Measurements.from_table(rows), criteria=names, protocol=all_bases()).timepoints
    for base in BASES:
        one, other = (found[found["criterion"] == name] for name in (base, f"study-{base}"))
        for column in ("target", "overall", "reason", "clause", "flags", "progression_date"):
            assert other[column].tolist() == one[column].tolist()
        assert other["rule"].str.removeprefix("study-").tolist() == one["rule"].tolist()


@pytest.mark.parametrize("base", BASES)
def test_where_the_thresholds_change_an_answer_a_rule_that_cites_the_study_does(base: str) -> None:
    trial = Trial([{**row, **injected(row)} for row in made_up_trial(3).rows])
    study, below = odd(base), registry.find_criterion(base)
    answers = [assess_by(item, trial.measurements()).results[item.name].answers for item in (study, below)]
    changed = 0
    for question in study.questions:
        if question.name == "overall" and len(study.questions) > 1:
            continue
        ours, theirs = (found[question.name] for found in answers)
        for one, other in {pair for pair in zip(ours.tolist(), theirs.tolist(), strict=True) if pair[0] != pair[1]}:
            changed += 1
            assert SOURCE in (question.rules[one].clause, question.rules[other].clause)
    assert changed > 2


def injected(row: Mapping[str, str]) -> Row:
    return {} if row["role"] == "new" else {"injected": "Y"} if row["lesion"] == "T1" else {}


# --- what is refused


def faults(text: str) -> list[str]:
    """Return what is wrong with a protocol, without the name of its file; a criterion asked for says the same."""
    protocol = Protocol.from_toml(text, "study.toml")
    with pytest.raises(ProtocolError) as found:
        validate(protocol)
    assert str(found.value).startswith("study.toml: ")
    return list(found.value.faults)


SUMS = f"expected one of {', '.join(BASES)}"
PR = "expected a number between -100 and 0, the change from the baseline, as in pr_percent = -30"
PD = "expected a number above 0 and up to 1000, the growth over the reference, as in pd_percent = 25"
LEAST = "expected a number of mm from 0 to 1000, as in pd_least_mm = 5"
THREE = "expected at most three decimals"
WRONG_KEYS = [
    # what stands there, what is told of it
    ("pr_percent = 30", f"pr_percent = 30; {PR}"),
    ("pr_percent = 0", f"pr_percent = 0; {PR}"),
    ("pr_percent = -100", f"pr_percent = -100; {PR}"),
    ("pr_percent = nan", f"pr_percent = NaN; {PR}"),
    ('pr_percent = "-30"', f'pr_percent = "-30"; {PR}'),
    ("pr_percent = true", f"pr_percent = true; {PR}"),
    ("pr_percent = [-30]", f"pr_percent = [-30]; {PR}"),
    ("pr_percent = -33.3333", f"pr_percent = -33.3333; {THREE}"),
    ("pd_percent = -25", f"pd_percent = -25; {PD}"),
    ("pd_percent = 0", f"pd_percent = 0; {PD}"),
    ("pd_percent = inf", f"pd_percent = Infinity; {PD}"),
    ("pd_percent = 1000.1", f"pd_percent = 1000.1; {PD}"),
    ("pd_percent = 25.0001", f"pd_percent = 25.0001; {THREE}"),
    ('pd_percent = "25 %"', f'pd_percent = "25 %"; {PD}'),
    ("pd_percent = 2024-01-01", f"pd_percent = 2024-01-01; {PD}"),
    ("pd_least_mm = -1", f"pd_least_mm = -1; {LEAST}"),
    ("pd_least_mm = 5000", f"pd_least_mm = 5000; {LEAST}"),
    ("pd_least_mm = 0.0005", f"pd_least_mm = 0.0005; {THREE}"),
    ("pd_least_mm2 = 100", "pd_least_mm2 = 100; expected pd_least_mm, for recist-1.1 sums mm"),
    ('pd_inclusive = "yes"', 'pd_inclusive = "yes"; expected true or false'),
    ("pr_inclusive = 1", "pr_inclusive = 1; expected true or false"),
    ('pd_reference = "previous"', 'pd_reference = "previous"; expected "nadir" or "baseline"'),
    ('pr_reference = "nadir"', 'pr_reference = "nadir"; expected "baseline"'),
    ("percent_pd = 25", "unknown key percent_pd; known are based_on, title, source, pr_percent, pr_inclusive, "
     "pr_reference, pd_percent, pd_inclusive, pd_reference, pd_least_mm"),
    ("confirm_days = 42", "confirm_days is an option of recist-1.1; expected it in a table [study-x]"),
    ('title = "RECIST 1.1"', "the title 'RECIST 1.1' is that of recist-1.1; expected one of its own"),
    ('title = "choi "', "the title 'choi' is that of choi; expected one of its own"),
    ('title = ""', 'title = ""; expected a text, as in title = "RECIST 1.1 with PD at 25 % (study X)"'),
    ("title = 5", 'title = 5; expected a text, as in title = "RECIST 1.1 with PD at 25 % (study X)"'),
    ('title = "PD at {sum}"', 'title = "PD at {sum}"; expected a text of one line, without braces, of at most 200 '
     "characters"),
    ('title = "a\\nb"', 'title = "a\\nb"; expected a text of one line, without braces, of at most 200 characters'),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), WRONG_KEYS, ids=[line for line, _ in WRONG_KEYS])
def test_a_key_that_cannot_be_is_told_with_what_is_expected(line: str, message: str) -> None:
    assert faults(defined(line)) == [f"[criterion.study-x] {message}"]


WRONG_BASES = [
    ('based_on = "recist"', f'based_on = "recist", which is unknown; {SUMS}'),
    ('based_on = "chun"', f'based_on = "chun", which offers no thresholds that a study could change; {SUMS}'),
    ('based_on = "percist"', f'based_on = "percist", which offers no thresholds that a study could change; {SUMS}'),
    ('based_on = "study-x"', f'based_on = "study-x", which is a criterion of the study itself; {SUMS}, with all that '
     "differs from it"),
    ("based_on = 11", f"based_on = 11, which is unknown; {SUMS}"),
    ('based_on = ["who"]', f'based_on = ["who"], which is unknown; {SUMS}'),
    ("", f"based_on is missing; {SUMS}"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), WRONG_BASES, ids=[line for line, _ in WRONG_BASES])
def test_a_criterion_is_based_on_one_that_judges_a_sum(line: str, message: str) -> None:
    assert faults(f'[criterion.study-x]\nsource = "8.2"\n{line}') == [f"[criterion.study-x] {message}"]


COLUMN = "cannot head a column; expected lower-case letters, figures, '-' and '.', at most 40, such as"
WRONG_NAMES = [
    # the key in TOML, the name, what is told of it
    ('"Study X"', "Study X", f"{COLUMN} 'study-x'"),
    ('"study,x"', "study,x", f"{COLUMN} 'study-x'"),
    ('"=cmd()"', "=cmd()", f"{COLUMN} 'cmd'"),
    ('"../x"', "../x", f"{COLUMN} 'x'"),
    ("101", "101", f"{COLUMN} 'study-x'"),
    ("study_x", "study_x", f"{COLUMN} 'study-x'"),
    ("s" * 41, "s" * 41, f"{COLUMN} '{'s' * 40}'"),
    ("choi", "choi", "is that of the criterion choi; expected a name of its own, such as 'choi-study'"),
    ("recist-1-1", "recist-1-1",
     "is that of the criterion recist-1.1; expected a name of its own, such as 'recist-1-1-study'"),
    ("recist", "recist", "has a meaning of its own; expected another, such as 'recist-study'"),
    ("schedule", "schedule", "has a meaning of its own; expected another, such as 'schedule-study'"),
    ("subject", "subject", "has a meaning of its own; expected another, such as 'subject-study'"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "name", "message"), WRONG_NAMES, ids=[row[1] for row in WRONG_NAMES])
def test_a_name_is_one_of_its_own_that_can_head_a_column(key: str, name: str, message: str) -> None:
    assert faults(defined(name=key)) == [f"[criterion.{name}] the name '{name}' {message}"]


def test_two_definitions_whose_names_read_alike_are_refused() -> None:
    text = f"{defined(name='study-x')}\n{defined(name='study.x')}"
    assert faults(text) == [
        "[criterion.study.x] the name 'study.x' is that of the criterion study-x; expected a name of its own, such as "
        "'study.x-study'"
    ]


def test_two_definitions_with_one_title_are_refused() -> None:
    text = "\n".join(defined("title = 'Study X'", name=name) for name in ("study-x", "study-y"))
    assert faults(text) == ["[criterion.study-y] the title 'Study X' is that of study-x; expected one of its own"]


def test_no_name_is_that_of_a_column_of_the_criteria_side_by_side() -> None:
    assert {*CRITERIA_COLUMNS, "disagreement"} <= RESERVED


def test_a_study_may_not_take_back_in_an_option_what_it_defines() -> None:
    text = defined(based_on="mrecist", more="[study-x]\nmrecist_abs5 = false")
    assert faults(text) == ["[study-x] mrecist_abs5 = false; expected pd_least_mm = 0 in [criterion.study-x] instead"]


def test_an_option_that_stays_as_it_is_takes_nothing_back() -> None:
    assert made(defined(based_on="mrecist", more="[study-x]\nmrecist_abs5 = true")).name == "study-x"


def test_a_sentence_that_tells_growth_from_the_nadir_tells_the_baseline_where_the_study_judges_by_it() -> None:
    told = "the sum has grown to {sum} mm from the nadir {nadir} mm"
    rule: Rule[Any] = Rule("pd", "PD", otherwise, "table 1", told)
    base = replace(registry.find_criterion("recist-1.1"), questions=(Question("target", (rule,)),))
    definition = StudyDefinition(name="x", title="X", source="8.2", test=replace(RECIST_TEST, from_baseline=True))
    (question,) = study_criterion(base, definition).questions
    assert question.rules[0].sentence == "the sum has grown to {sum} mm from the baseline {baseline} mm"


def test_all_faults_are_told_at_once() -> None:
    text = (
        '[criterion.study-x]\nbased_on = "chun"\npd_percent = -1\nlevel = 3\n'
        '[criterion.choi]\nbased_on = "who"\nsource = "8.2"\npd_least_mm = 5\n'
        "[study-x]\nconfirm_days = 42\n[who]\nwho_pd = 1\n[chio]"
    )
    found = faults(text)
    assert [fault.partition("]")[0] for fault in found] == [
        *["[criterion.study-x"] * 4,
        *["[criterion.choi"] * 2,
        "unknown table [chio",
        "[who",
    ]
    starts = ("based_on = ", "pd_percent = -1;", "source is missing;", "unknown key level;")
    for start in starts:
        assert any(fault.startswith(f"[criterion.study-x] {start}") for fault in found)


WRONG_TABLES = [
    ("[criterion]\nbased_on = 'who'", "[criterion] has no name, and holds based_on; expected a table such as "
     "[criterion.study-x]"),
    ("[criterion]", "[criterion] has no name, and holds nothing; expected a table such as [criterion.study-x]"),
    ("[[criterion]]\nname = 'study-x'", "'criterion' stands outside a table; expected tables such as [recist-1.1]"),
]  # fmt: skip


@pytest.mark.parametrize("table", ["criteria.study-x", "criterium.study-x", "Criterion.study-x"])
def test_a_definition_under_another_word_is_told(table: str) -> None:
    with pytest.raises(ProtocolError) as found:
        validate(Protocol.from_toml(f"[{table}]\nbased_on = 'who'", "study.toml"))
    assert found.value.faults == (f"unknown table [{table}]; did you mean [criterion.study-x]?",)


@pytest.mark.parametrize(("text", "message"), WRONG_TABLES)
def test_a_definition_is_a_table_with_a_name(text: str, message: str) -> None:
    with pytest.raises(ProtocolError) as found:
        Protocol.from_toml(text, "study.toml")
    assert found.value.faults == (message,)


def test_what_is_wrong_is_told_wherever_the_criterion_is_used() -> None:
    text = defined("pd_percent = -1")
    with pytest.raises(ProtocolError, match="pd_percent = -1"):
        assessed("T1 liver 50|60", "recist-1.1", options=text)
    collected = pd.DataFrame([{"subject": "1", "timepoint": "1", "date": "2024-03-01", "overall": "PR"}])
    with pytest.raises(ProtocolError, match="pd_percent = -1"):
        response.best_response(collected, protocol=Protocol.from_toml(text))


# --- what is kept of it


def test_a_criterion_of_volumes_takes_growth_in_mm3() -> None:
    numbers = tuple(Number(f"volumes_{part}", "mm3") for part in ("sum", "baseline", "nadir"))
    base = replace(registry.find_criterion("who"), name="volumes", title="Volumes", numbers=numbers)
    table = {"source": SOURCE, "pd_least_mm3": Decimal("1.5"), "pd_least_mm2": 5}
    definition, wrong = read_definition("study-x", table, base, {})
    assert wrong == ["pd_least_mm2 = 5; expected pd_least_mm3, for volumes sums mm3"]
    assert definition.test.least == 1500  # thousandths of a mm3
    assert definition_of(study_criterion(base, definition))["pd_least_mm3"] == Decimal("1.5")


def test_the_largest_thresholds_are_taken() -> None:
    found = definition_of(made(defined("pd_percent = 1000; pr_percent = -99.999; pd_least_mm = 1000")))
    assert (found["pd_percent"], found["pr_percent"], found["pd_least_mm"]) == (1000, Decimal("-99.999"), 1000)


def test_decimals_are_read_exactly_and_options_stay_numbers() -> None:
    protocol = Protocol.from_toml("[criterion.study-x]\npd_percent = 33.3\n[measure]\nhu_percentile = 33.3")
    assert protocol.definitions["study-x"]["pd_percent"] == Decimal("33.3")
    assert protocol.tables["measure"]["hu_percentile"] == 33.3


def test_blanks_around_a_text_are_no_part_of_it() -> None:
    assert made(defined("title = ' Study X '")).title == "Study X"


def test_a_text_has_its_limit() -> None:
    assert made(defined(f'title = "{"x" * 200}"')).title == "x" * 200
    (fault,) = faults(defined(f'title = "{"x" * 201}"'))
    assert "at most 200 characters" in fault


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("thresholds", ["", "odd"])
def test_a_definition_is_made_again_from_what_is_saved_of_it(base: str, thresholds: str) -> None:
    first = odd(base) if thresholds else made(defined(based_on=base))
    again = made(definition_as_toml(first))
    assert definition_of(again) == definition_of(first)
    assert (again.test, again.title, again.source) == (first.test, first.title, first.source)


def test_the_manifest_keeps_exact_decimals_as_numbers() -> None:
    found = assessed("T1 liver 50|60", "study-x", options=defined("pd_percent = 33.3; pd_least_mm = 2.5"))
    kept = json.loads(json.dumps(manifest(found, [])))["criteria"]
    assert kept["study-x"]["definition"] == {
        "based_on": "recist-1.1",
        "title": "RECIST 1.1 (study-x)",
        "source": SOURCE,
        "pr_percent": -30,
        "pr_inclusive": True,
        "pr_reference": "baseline",
        "pd_percent": 33.3,
        "pd_inclusive": True,
        "pd_reference": "nadir",
        "pd_least_mm": 2.5,
    }
    assert "definition" not in kept["recist-1.1"]


def test_a_title_with_quotation_marks_is_kept() -> None:
    first = made(defined("title = 'The \"25 %\" of study X \\ C'"))
    assert made(definition_as_toml(first)).title == first.title == 'The "25 %" of study X \\ C'


# --- collected responses


def test_collected_responses_are_read_in_the_words_of_the_criterion_below() -> None:
    text = defined("pd_percent = 40", based_on="who")
    rows = [
        {"subject": "1", "timepoint": str(number), "date": day, "criterion": "Study X", "overall": word}
        for number, day, word in ((1, "2024-03-01", "NC"), (2, "2024-06-01", "PD"))
    ]
    subjects = pd.DataFrame([{"subject": "1", "treatment_start": "2024-01-01"}])
    found = response.best_response(pd.DataFrame(rows), protocol=Protocol.from_toml(text), subjects=subjects)
    assert found[["criterion", "best_response", "progression_date"]].to_numpy().tolist() == [
        ["study-x", "NC", "2024-06-01"]
    ]


def test_collected_responses_are_compared_with_the_criterion_of_the_study() -> None:
    found = case("T1 liver 100|122|130", options=defined("pd_percent = 25"))
    rows = [{"subject": "S1", "timepoint": str(number), "criterion": "study-x", "overall": "PD"} for number in (1, 2)]
    measurements = response.read(
        pd.DataFrame(found.rows()), subjects=pd.DataFrame(found.subject_rows()), collected=pd.DataFrame(rows)
    )
    findings = response.assess(measurements, protocol=found.protocol).findings
    (told_of,) = findings[findings["id"] == "overall_differs"].to_dict("records")
    assert (told_of["timepoint"], told_of["found"]) == ("1", "PD by study-x")
    assert told_of["expected"].startswith("SD")


@pytest.mark.parametrize("name", ["study-x", "Study X", "STUDY X: PD AT 25 %"])
def test_sdtm_names_the_criterion_of_the_study_by_its_name_or_title(name: str, tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    study.write_text(defined("pd_percent = 40; title = 'Study X: PD at 25 %'", based_on="who"), encoding="utf-8")
    rows = [rs("OVRLRESP", "NC", "2", RSCAT=name), rs("OVRLRESP", "PD", "3", RSCAT=name)]
    lesions = [tr("T1", visit, result=size) for visit, size in (("1", "20"), ("2", "20"), ("3", "20"))]
    files = [write(tmp_path, "TU", [tu("T1")]), write(tmp_path, "TR", lesions), write(tmp_path, "RS", rows)]
    collected = response.read(files, protocol=study).collected
    assert collected is not None
    assert set(collected.text["criterion"].texts()) == {"study-x"}
    assert collected.text["overall"].texts() == ["NC", "PD"]
    assert response.best_response(files[2], protocol=study)["criterion"].tolist() == ["study-x"]
    without = response.read(files)
    assert without.collected is None
    assert "other_criterion" in {finding.id for finding in without.findings}


def test_collected_responses_may_bear_the_title_of_the_study() -> None:
    found = case("T1 liver 100|122", options=defined("pd_percent = 25; title = 'Study X: PD at 25 %'"))
    rows = [{"subject": "S1", "timepoint": "1", "criterion": "STUDY X: PD AT 25 %", "overall": "PD"}]
    measurements = response.read(
        pd.DataFrame(found.rows()), subjects=pd.DataFrame(found.subject_rows()), collected=pd.DataFrame(rows)
    )
    findings = response.assess(measurements, protocol=found.protocol).findings
    assert findings[findings["id"] == "overall_differs"]["found"].tolist() == ["PD by study-x"]


def test_a_response_by_the_criterion_of_the_study_that_does_not_say_so_is_known_for_it() -> None:
    found = case("T1 liver 100|122|130", options=defined("pd_percent = 25"))
    rows = [{"subject": "S1", "timepoint": str(number), "overall": word} for number, word in ((1, "SD"), (2, "PD"))]
    measurements = response.read(
        pd.DataFrame(found.rows()), subjects=pd.DataFrame(found.subject_rows()), collected=pd.DataFrame(rows)
    )
    findings = response.assess(measurements, protocol=found.protocol).findings
    (told_of,) = findings[findings["id"] == "overall_differs"].to_dict("records")
    assert (told_of["found"], told_of["expected"]) == ("SD", "PD (by_study-x)")
    assert "it is the response by study-x" in told_of["sentence"]


def test_only_a_criterion_of_the_study_is_named_as_the_one_that_was_meant() -> None:
    found = case("T1 liver 100|122", options=defined("pd_percent = 25"))
    rows = [{"subject": "S1", "timepoint": "1", "overall": "NE"}]  # as by WHO, for want of a second diameter
    measurements = response.read(
        pd.DataFrame(found.rows()), subjects=pd.DataFrame(found.subject_rows()), collected=pd.DataFrame(rows)
    )
    findings = response.assess(measurements, criteria=["who", "study-x"], protocol=found.protocol).findings
    (expected,) = findings[findings["id"] == "overall_differs"]["expected"]
    assert "by_" not in expected


# --- the suite that every criterion must pass

SUITE = {
    "recist-1.1": 'pd_percent = 25; pr_percent = -33.3; title = "RECIST 1.1 with PD at 25 %"',
    "who": "pd_percent = 20; pd_least_mm2 = 10",
    "imrecist": 'pd_percent = 25; pd_reference = "baseline"',
}


def suite_of(base: str) -> Any:
    trials = [replace(trial, options=trial.options.replace(f"[{base}]", "[study-x]")) for trial in trials_of(base)]
    nothing = NOTHING_TO_FOLLOW.get(base, frozenset())
    return Bench(made(defined(SUITE[base], based_on=base)), trials, ne_when_complete=nothing)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("base", SUITE)
def test_the_suite(base: str, check: Callable[[Any], None]) -> None:
    check(cached_suite(base))


cached_suite = cache(suite_of)


# --- the command line, with the study of the examples

STUDY = ROOT / "examples" / "study_x.toml"
MIXED = ROOT / "examples" / "mixed"
BESIDE = [text for name in ("visits", "subjects") for text in (f"--{name}", str(MIXED / f"{name}.csv"))]
INPUTS = [str(MIXED / "measurements.csv"), *BESIDE]


@pytest.mark.checkout
def test_the_study_of_the_examples_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assess", *INPUTS, "--protocol", str(STUDY), "-o", str(tmp_path / "first")]) == 0
    rows = read_rows(tmp_path / "first" / "timepoints.csv")
    differ = {
        (one["subject"], one["timepoint"], one["overall"], other["overall"])
        for one, other in zip(rows[::2], rows[1::2], strict=True)
        if one["overall"] != other["overall"]
    }
    assert differ == {("MIX-035", "2", "SD", "PD")}  # 15 mm are 25 % over 12 mm, but only 3 mm more
    manifest = json.loads((tmp_path / "first" / "manifest.json").read_text(encoding="utf-8"))
    kept = manifest["criteria"]["study-x"]
    assert kept["definition"]["pd_percent"] == 25
    lines = [f"{key} = {json.dumps(value)}" for key, value in kept["definition"].items()]
    options = [f"{key} = {json.dumps(value)}" for key, value in kept["options"].items()]
    again = tmp_path / "again.toml"
    again.write_text("\n".join(["[criterion.study-x]", *lines, "[study-x]", *options]), encoding="utf-8")
    assert main(["assess", *INPUTS, "--protocol", str(again), "-o", str(tmp_path / "second")]) == 0
    for table in ("timepoints.csv", "subjects.csv", "criteria.csv"):
        assert (tmp_path / "second" / table).read_bytes() == (tmp_path / "first" / table).read_bytes()
    capsys.readouterr()
    assert main(["explain", *INPUTS, "--protocol", str(STUDY), "--subject", "MIX-035", "--timepoint", "2"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Rule study-x.target.pd, clause protocol X-101, section 8.2" in text
    assert "PD at 15 mm or more: reached (25 % over the nadir 12 mm decides)" in text


@pytest.mark.checkout
def test_the_commands_show_the_criterion_of_the_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["criteria", "--protocol", str(STUDY)]) == 0
    assert "protocol X-101, section 8.2 (based on recist-1.1)" in capsys.readouterr().out
    assert main(["criteria", "--rules", "--protocol", str(STUDY)]) == 0
    assert "study-x.target.pd_proven" in capsys.readouterr().out
    assert main(["protocol", "--protocol", str(STUDY)]) == 0
    printed = capsys.readouterr().out
    assert "# [criterion.study-x]" in " ".join(printed.split())
    first, again = (Protocol.from_toml(text) for text in (STUDY.read_text(encoding="utf-8"), printed))
    assert registry.find_criterion("study-x", again).test == registry.find_criterion("study-x", first).test
    assert main(["criteria"]) == 0
    assert "study-x" not in capsys.readouterr().out


@pytest.mark.checkout
def test_a_wrong_definition_ends_the_command_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(defined("pd_percent = -25", name="choi"), encoding="utf-8")
    for command in ("assess", "check"):
        assert main([command, *INPUTS, "--protocol", str(wrong), "-o", str(tmp_path / "out")]) == 2
        said = capsys.readouterr().err
        assert "wrong.toml: [criterion.choi] the name 'choi' is that of the criterion choi" in said
        assert "wrong.toml: [criterion.choi] pd_percent = -25; expected a number above 0" in said
    assert not (tmp_path / "out").exists()


def read_rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
