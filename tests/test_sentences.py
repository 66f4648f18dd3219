"""Reasons: the rule that decided, told with the numbers; every number that a rule asks for can be filled in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import response
from response.criteria.choi import CHOI
from response.criteria.chun import CHUN
from response.criteria.criterion import Criterion, Number
from response.criteria.recist import RECIST_1_1
from response.criteria.rules import Question, Rule
from response.engine import Assessment, assess_timeline
from response.registry import BUILT_IN, STANDARD, find_criterion
from response.report import texts
from response.report.evidence import Evidence
from response.report.figures import Figures
from response.report.sentences import Decisions, passes_on, placeholders, plain_sentence
from response.report.tables import timepoint_table
from response.table import TextColumn
from tests.trials import all_at_once, assessed, case


def reasons(assessment: Assessment, criterion: str = STANDARD) -> list[str]:
    """Return the reasons of all timepoints by a criterion."""
    return [row["reason"] for row in timepoint_table(assessment).rows() if row["criterion"] == criterion]


# --- guards


def unfilled(criterion: Criterion) -> list[str]:
    """Return the placeholders of a criterion's sentences that nothing can fill, with the rule that asks for them."""
    result = replace(next(iter(all_at_once().results.values())), criterion=criterion)
    figures = Figures(result, Evidence(all_at_once().timeline.block(0, 1), result))
    questions = {question.name for question in criterion.questions}
    return [
        f"{question.name}.{rule.name}: {name}"
        for question in criterion.questions
        for rule in question.rules
        for name in placeholders(rule.sentence)
        if name not in questions and not figures.knows(name)
    ]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_placeholder_of_every_rule_can_be_filled(name: str) -> None:
    assert unfilled(find_criterion(name)) == []


def test_a_placeholder_that_nothing_fills_is_seen() -> None:
    rule = Rule("odd", "SD", lambda state: state, "1", "{sum} and {moon_phase}")
    odd = replace(RECIST_1_1, questions=(Question("overall", (rule,)),))
    assert unfilled(odd) == ["overall.odd: moon_phase"]


@pytest.mark.parametrize("criterion", [RECIST_1_1, CHOI, CHUN])
def test_no_reason_is_left_with_a_placeholder_or_without_a_full_stop(criterion: Criterion) -> None:
    told = reasons(all_at_once(), criterion.name)
    assert len(told) > 400
    assert [reason for reason in told if not reason.endswith(".") or reason.endswith("..")] == []
    assert [reason for reason in told if reason[0].islower() or "{" in reason or "unknown" in reason] == []


def test_texts_are_a_sentence() -> None:
    assert plain_sentence("all are gone") == "All are gone."
    assert plain_sentence("") == ""


# --- which rule is named


@pytest.mark.parametrize(
    ("sentence", "question", "expected", "reason"),
    [
        ("{target}", "target", True, "it says nothing else"),
        ("progression of the target lesions: {target}", "target", True, "an introduction adds nothing"),
        ("{non_target}, and there is no target lesion", "non_target", False, "it adds a fact of its own"),
        ("the target lesions are gone, but {non_target}", "non_target", False, "likewise"),
        ("{non_target}; new lesions: {new_lesion}", "new_lesion", False, "two answers decide together"),
        ("a new lesion", "new_lesion", False, "it quotes nothing"),
    ],
)
def test_a_rule_passes_on_what_another_decided(sentence: str, question: str, expected: bool, reason: str) -> None:
    assert passes_on(sentence, question) is expected, reason


@pytest.mark.parametrize(
    ("lesions", "rule", "reason"),
    [
        ("T1 liver 100|40|60", "target.pd",
         "Progression of the target lesions: the sum 60 mm is 20 mm (50 %) over the nadir 40 mm."),
        ("T1 liver 33.0|23.1", "target.pr", "The sum 23.1 mm is 30 % below the baseline 33 mm."),
        ("T1 liver 100|0|12 ; NT1 lung present|present|present", "target.pd",
         "Progression of the target lesions: the sum 12 mm is 12 mm over the nadir 0 mm."),
        ("T1 liver 50|25 ; T2 liver 50|NE", "target.missing", "1 of 2 target lesions could not be assessed."),
        ("T1 liver 50|100 ; T2 liver 50|NE", "target.missing", "1 of 2 target lesions could not be assessed."),
        ("T1 liver 50|106 ; T2 liver 30|NE", "target.pd_proven",
         "Progression of the target lesions: the measured part alone, 106 mm, is 26 mm (32.5 %) over the nadir 80 mm."),
        ("T1 liver 30|30 ; NT1 lung present|pd", "non_target.pd",
         "Unequivocal progression of a non-target lesion."),
        ("T1 liver 30|30 ; NL1 lung -|12", "overall.new_lesion", "A new lesion."),
        ("T1 liver 30|0 ; NT1 lung present|NE", "overall.target_cr_non_target_ne",
         "The target lesions are gone, but not all non-target lesions were evaluated."),
        ("NT1 lung present|NE", "overall.non_target_only_ne",
         "Not all non-target lesions were evaluated; new lesions: No."),
        ("NT1 lung present|present", "overall.non_cr_non_pd",
         "A non-target lesion persists, and there is no target lesion."),
    ],
)  # fmt: skip
def test_reasons_of_recist(lesions: str, rule: str, reason: str) -> None:
    row = [row for row in timepoint_table(assessed(lesions)).rows() if row["criterion"] == STANDARD][-1]
    assert row["rule"] == f"recist-1.1.{rule}"
    assert row["reason"] == reason


@pytest.mark.parametrize(
    ("lesions", "reason"),
    [
        ("T1 liver 100@80|112@80",
         "The sum 112 mm is 12 % over 100 mm and the attenuation fell by less than 15 %."),
        ("T1 liver 100@80|100@68",
         "The attenuation 68 HU is 15 % below the baseline 80 HU (15 % are enough)."),
        ("T1 liver 100@80|95@84", "The sum changed by -5 % and the attenuation by +5 %: neither PR nor PD."),
        # 200 to 170 HU over three lesions is exactly -15 %, though the means 66.667 and 56.667 HU tell of -14.99 %
        ("T1 liver 30@100|30@85 ; T2 liver 30@50|30@42 ; T3 liver 30@50|30@43",
         "The attenuation 56.667 HU is 15 % below the baseline 66.667 HU (15 % are enough)."),
    ],
)  # fmt: skip
def test_reasons_of_choi(lesions: str, reason: str) -> None:
    assert reasons(assessed(lesions, "choi"), "choi")[-1] == reason


@pytest.mark.parametrize(
    ("lesions", "reason"),
    [
        ("T1 thigh 100%90|112%90",
         "The sum 112 mm is 12 % over 100 mm and the relative enhancement fell by less than 15 %."),
        ("T1 thigh 100%90|112",
         "The sum 112 mm is 12 % over 100 mm, but the relative enhancement could not be compared."),
        ("T1 thigh 100%80|100%68",
         "The relative enhancement 68 % is 15 % below the baseline 80 % (15 % are enough)."),
        ("T1 thigh 100%80|88%60", "The sum is 12 % below the baseline and the relative enhancement 25 %."),
        ("T1 thigh 100%80|95%84", "The sum changed by -5 % and the relative enhancement by +5 %: neither PR nor PD."),
    ],
)  # fmt: skip
def test_reasons_of_mri_choi_tell_percent_and_no_hu(lesions: str, reason: str) -> None:
    assert reasons(assessed(lesions, "mri-choi"), "mri-choi")[-1] == reason


def test_growth_by_choi_is_told_from_its_reference() -> None:
    found = assessed("T1 liver 100@80|50@80|112@80", "choi", options='[choi]\nchoi_pd_reference = "baseline"')
    assert reasons(found, "choi")[-1].startswith("The sum 112 mm is 12 % over 100 mm")


def test_reasons_of_chun_count_the_metastases() -> None:
    found = assessed("T1 liver 30#3|30#1 ; T2 liver 30#3|30#2 ; NT1 liver 20#3|20#2", "chun")
    assert reasons(found, "chun")[-1] == "1 optimal, 2 incomplete and 0 without response of 3 metastases."


def test_a_percentage_just_short_of_a_threshold_does_not_read_as_the_threshold() -> None:
    # 29 mm to 34.799 mm is +19.996 %, shown as 19.99 %; to 34.8 mm it is exactly 20 %
    told = reasons(assessed("T1 liver 60|29|34.8"))[-1]
    assert told == "Progression of the target lesions: the sum 34.8 mm is 5.8 mm (20 %) over the nadir 29 mm."
    assert reasons(assessed("T1 liver 100@80|89.999@80", "choi"), "choi")[-1].startswith("The sum 89.999 mm is 10 %")
    assert "-9.99 %" in reasons(assessed("T1 liver 100@80|90.004@80", "choi"), "choi")[-1]


# --- however they are made


@dataclass(frozen=True)
class Counting(Criterion):
    """A criterion of another package, with numbers of its own."""

    name: str = "counting"
    title: str = "Counting"
    source: str = "nowhere"
    options: Any = RECIST_1_1.options
    questions: Any = (
        Question("overall", (Rule("sd", "SD", lambda state: np.ones(state.shape, np.bool_), "1",
                                  "{lesions} lesions of {total_mm} mm, {volume} cm and {mystery}"),)),
    )  # fmt: skip
    flags: Any = ()
    numbers: Any = (
        Number("lesions", "count"),
        Number("total_mm", "mm"),
        Number("counting_volume", "mm"),
        Number("mystery", "mm"),
    )

    def state(self, block: Any, options: Any, beside: Any) -> Any:
        return RECIST_1_1.state(block, options, beside)

    def values(self, state: Any) -> Any:
        sums = state.burden.sum_um
        nothing = np.full(state.shape, 2**50)
        return {"lesions": sums // 1000, "total_mm": sums, "counting_volume": 2 * sums, "mystery": nothing}


def test_the_sentences_of_another_criterion_are_filled_with_its_numbers() -> None:
    measurements = case("T1 liver 30|20.5").measurements()
    timeline = response.assess(measurements).timeline
    options = {name: RECIST_1_1.options() for name in ("recist-1.1", "counting")}
    results = assess_timeline(timeline, [RECIST_1_1, Counting()], options)
    evidence = Evidence(timeline.block(0, 1), results["recist-1.1"])
    told = texts.text_list(Decisions(results["counting"], evidence).reasons())
    assert told == ["This is the baseline.", "20 lesions of 20.5 mm, 41 cm and unknown."]


@pytest.fixture(params=["pyarrow", "plain"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "plain":
        monkeypatch.setattr(texts, "arrow", lambda: None)
    yield


@pytest.mark.usefixtures("either_way")
def test_texts_are_joined_row_by_row() -> None:
    pieces = [TextColumn.of(["a", "b", "a"]), TextColumn.of(["1", "", "3"])]
    assert texts.text_list(texts.joined(pieces, 3)) == ["a1", "b", "a3"]
    assert texts.text_list(texts.joined([], 2)) == ["", ""]


@pytest.mark.usefixtures("either_way")
def test_lists_are_joined_by_semicolons_and_empty_ones_are_blank() -> None:
    names = TextColumn.of(["T2", "T10", "T1"])
    assert texts.text_list(texts.joined_lists(names, np.asarray([0, 2, 0, 1]))) == ["", "T2;T10", "", "T1"]


@pytest.mark.usefixtures("either_way")
def test_texts_are_scattered_among_blanks() -> None:
    found = texts.scattered(texts.as_texts(TextColumn.of(["x", "y"])), np.asarray([3, 1]), 4)
    assert texts.text_list(found) == ["", "y", "", "x"]


@pytest.mark.parametrize("rows", [5, 10_000])
def test_numbers_become_texts_however_many(rows: int) -> None:
    values = np.arange(rows) * 7 - 20
    found = texts.number_texts(values)
    assert [found.text(row) for row in (0, 3, 4)] == ["-0.02", "0.001", "0.008"]
    assert len(found.values) == rows
    assert texts.number_texts(np.asarray([250, -2999]), 2).texts() == ["2.5", "-29.99"]


def test_only_the_texts_that_occur_are_kept() -> None:
    column = TextColumn(np.asarray([900, 3, 900], np.int32), [str(number) for number in range(1000)])
    assert texts.compacted(column).texts() == ["900", "3", "900"]
    assert len(texts.compacted(column).values) == 2
