"""The suite that any criterion must pass, run over all built-in ones; and what it says of faulty ones."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from response import Assessment, assess
from response.criteria.criterion import Criterion
from response.criteria.recist import RECIST_1_1, Recist11, RecistOptions
from response.criteria.rules import Question, Rule
from response.protocol import option
from response.registry import BUILT_IN, criterion_names, find_criterion
from response.testing import CHECKS, Bench, CriterionSuite, Trial, assess_by, check_criterion, made_up_trial
from response.testing.trials import MakeCell, rare_trial
from tests.acceptance import TABLES, Case, load
from tests.trials import all_at_once

# What a criterion may call NE though everything was assessed: it has nothing to follow, or says so of deterioration.
NOTHING_TO_FOLLOW: Mapping[str, frozenset[str]] = {
    "choi": frozenset({"overall.no_targets", "overall.deteriorated", "overall.attenuation_missing"}),
    "mchoi": frozenset({"overall.no_targets", "overall.deteriorated", "overall.attenuation_missing"}),
    "mri-choi": frozenset({"overall.no_targets", "overall.deteriorated", "overall.enhancement_missing"}),
    "chun": frozenset({"overall.not_assessable"}),
    "irrc": frozenset({"overall.no_index_lesion"}),
    "imrecist": frozenset({"overall.no_targets"}),
    "rano-bm": frozenset({"overall.nothing_to_follow"}),
    "percist": frozenset({"overall.not_measurable", "overall.no_targets"}),
    "ipercist": frozenset({"percist.not_measurable", "percist.no_targets"}),
    "eortc-pet": frozenset({"overall.no_targets"}),
    "sact": frozenset({"overall.no_targets", "overall.attenuation_missing"}),
    "mass": frozenset({"overall.no_targets"}),
}
# What may decide though a target was not measured: the metastases that were assessed vote (a flag says so), and a fall
# of 40 HU in one lesion is enough.
DECIDES_IN_PART: Mapping[str, frozenset[str]] = {
    "chun": frozenset({"overall.optimal", "overall.incomplete"}),
    "sact": frozenset({"overall.attenuation"}),
}
# What made-up rows have to say, where it is not what the generator writes.
COLUMNS_OF: Mapping[str, Mapping[str, MakeCell]] = {"mri-choi": {"modality": lambda _: "MR"}}


@cache
def cases() -> Mapping[str, list[Case]]:
    """Return the cases of all tables, by criterion."""
    found: dict[str, list[Case]] = {}
    for file in sorted(TABLES.glob("*.csv")):
        header = file.read_text(encoding="utf-8").partition("\n")[0].split(",")
        if {"lesions", "overall"} <= set(header):
            for case in load(file.stem):
                found.setdefault(case.criterion, []).append(case)
    return found


def trials_of(criterion: str) -> list[Trial]:
    """Return the cases of a criterion as trials: all cases with the same options are one."""
    by_options: dict[str, list[Case]] = {}
    for case in cases().get(criterion, []):
        by_options.setdefault(case.options.replace("\\n", "\n"), []).append(case)
    return [_trial(found, options) for options, found in by_options.items()]


def _trial(found: list[Case], options: str) -> Trial:
    def named(case: Case, rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{**row, "subject": f"{case.table}-{case.id}-{row['subject']}"} for row in rows]

    return Trial(
        rows=[row for case in found for row in named(case, case.rows())],
        visits=[row for case in found for row in named(case, case.visit_rows())],
        subjects=[row for case in found for row in named(case, case.subject_rows())],
        options=options,
    )


@cache
def bench_of(name: str) -> Bench:
    nothing, in_part = (excused.get(name, frozenset()) for excused in (NOTHING_TO_FOLLOW, DECIDES_IN_PART))
    return Bench(
        *(find_criterion(name), trials_of(name)),
        ne_when_complete=nothing,
        decides_in_part=in_part,
        columns=COLUMNS_OF.get(name, {}),
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_criterion(name: str, check: Callable[[Bench], None]) -> None:
    check(bench_of(name))


# --- the suite sees faults


def faulty(**changes: Any) -> Criterion:
    return replace(RECIST_1_1, name="faulty", title="Faulty", **changes)


def with_rule(name: str, **changes: Any) -> Criterion:
    """Return RECIST 1.1 with one rule of the overall response changed."""
    questions = [
        Question(
            question.name, tuple(replace(rule, **changes) if rule.name == name else rule for rule in question.rules)
        )
        if question.name == "overall"
        else question
        for question in RECIST_1_1.questions
    ]
    return faulty(questions=tuple(questions))


CALLS = itertools.count(1)


@dataclass(frozen=True)
class Unsteady(Recist11):
    """Gives other numbers each time."""

    name: str = "faulty"

    def values(self, state: Any) -> Mapping[str, Any]:
        numbers = dict(super().values(state))
        return {**numbers, "sum_mm": numbers["sum_mm"] + next(CALLS)}


@dataclass(frozen=True)
class Neighbourly(Recist11):
    """Takes the nadirs of all subjects together."""

    name: str = "faulty"

    def values(self, state: Any) -> Mapping[str, Any]:
        numbers = dict(super().values(state))
        whole = np.sum(numbers["nadir_mm"] % 2**40, axis=0, keepdims=True)
        return {**numbers, "nadir_mm": np.broadcast_to(whole, state.shape)}


@dataclass(frozen=True)
class Misplaced(Recist11):
    """Looks up subjects of the trial by their place in the block."""

    name: str = "faulty"

    def values(self, state: Any) -> Mapping[str, Any]:
        numbers = dict(super().values(state))
        starts = state.block.timeline.cell_start[: state.shape[0], None]
        return {**numbers, "sum_mm": numbers["sum_mm"] + starts}


@dataclass(frozen=True)
class Foreseeing(Recist11):
    """Takes the smallest sum of the whole course for the nadir."""

    name: str = "faulty"

    def values(self, state: Any) -> Mapping[str, Any]:
        numbers = dict(super().values(state))
        lowest = numbers["nadir_mm"].min(axis=1, keepdims=True)
        return {**numbers, "nadir_mm": np.broadcast_to(lowest, state.shape)}


@dataclass(frozen=True)
class Rising(Recist11):
    """Calls the last sum the nadir."""

    name: str = "faulty"

    def values(self, state: Any) -> Mapping[str, Any]:
        numbers = dict(super().values(state))
        return {**numbers, "nadir_mm": numbers["sum_mm"]}


@dataclass(frozen=True)
class Meddling(Recist11):
    """Changes the lesions that all criteria share."""

    name: str = "faulty"

    def state(self, block: Any, options: Any, beside: Mapping[str, Any]) -> Any:
        block.timeline.value_um[:] = 0
        return super().state(block, options, beside)


@dataclass(frozen=True, kw_only=True)
class Undocumented(RecistOptions):
    """Has an option without a word about it, and one whose default is none of its choices."""

    loudness: int = option(3, "", choices=(1, 2))


def _everywhere(state: Any) -> Any:
    return np.ones(state.shape, np.bool_)


FAULTS: list[tuple[Criterion, str, str]] = [
    (faulty(source=""), "what_it_is", "there is no source"),
    (faulty(options=Undocumented), "options_are_saved", "option loudness does not say what it decides"),
    (Unsteady(), "determinism", "sum_mm"),
    (Neighbourly(), "other_subjects", "nadir_mm"),
    (Misplaced(), "one_by_one", "sum_mm"),
    (Foreseeing(), "later_timepoints", "nadir_mm"),
    (Rising(), "nadir", "nadir_mm rises"),
    (Meddling(), "recist_is_left_alone", "it changes the array 'value_um'"),
    (with_rule("target_ne", category="SD"), "no_silent_ne", "no lesion was evaluable, but the response is no NE"),
    (with_rule("sd", category="NE"), "no_silent_ne", "all was assessed, but the response is NE"),
    (with_rule("pr", sentence="{target} of {nothing}"), "every_decision_is_explained", "tells nothing"),
]


@pytest.mark.parametrize(("criterion", "check", "why"), FAULTS, ids=[f"{line[1]}: {line[2]}" for line in FAULTS])
def test_the_suite_sees_a_fault(criterion: Criterion, check: str, why: str) -> None:
    (found,) = [item for item in CHECKS if item.__name__ == f"check_{check}"]
    with pytest.raises(AssertionError, match=why):
        found(Bench(criterion))


def test_the_suite_sees_a_rule_out_of_reach() -> None:
    never: Rule[Any] = Rule("never", "PD", lambda state: np.zeros(state.shape, np.bool_), "table 1", "never")
    questions = (*RECIST_1_1.questions[:-1], Question("overall", (never, *RECIST_1_1.questions[-1].rules)))
    with pytest.raises(AssertionError, match=r"overall\.never"):
        check_reached = next(item for item in CHECKS if item.__name__ == "check_every_rule_is_reached")
        check_reached(Bench(faulty(questions=questions), trials_of("recist-1.1")))


def test_a_rule_that_is_reached_is_not_said_to_be_out_of_reach() -> None:
    check_reached = next(item for item in CHECKS if item.__name__ == "check_every_rule_is_reached")
    with pytest.raises(AssertionError, match=r"said to be out of reach, but reached or unknown: overall\.pr"):
        check_reached(Bench(RECIST_1_1, trials_of("recist-1.1"), unreached=frozenset({"overall.pr"})))


# --- its use


class TestAsAClass(CriterionSuite):
    """The class collects its own tests, as in the tests of another package."""

    criterion = find_criterion("chun")
    trials = trials_of("chun")
    ne_when_complete = NOTHING_TO_FOLLOW["chun"]
    decides_in_part = DECIDES_IN_PART["chun"]


def test_the_class_has_a_test_for_each_check() -> None:
    tests = {name.removeprefix("test_") for name in dir(CriterionSuite) if name.startswith("test_")}
    assert tests == {check.__name__.removeprefix("check_") for check in CHECKS}


def test_the_suite_without_pytest() -> None:
    check_criterion(RECIST_1_1, trials=trials_of("recist-1.1"))
    with pytest.raises(AssertionError, match="there is no title"):
        check_criterion(replace(RECIST_1_1, name="untitled", title=""))


@pytest.mark.checkout
def test_the_suite_needs_no_pytest(root: Path) -> None:
    code = "import sys, response.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_the_same_seed_makes_the_same_trial() -> None:
    assert made_up_trial(7) == made_up_trial(7)
    assert made_up_trial(7).rows != made_up_trial(8).rows


def test_made_up_trials_are_read_without_a_fault() -> None:
    for complete in (False, True):
        assert [finding.sentence for finding in made_up_trial(7, complete=complete).measurements().findings] == []


@cache
def by_all() -> Sequence[Assessment]:
    """Return some trials by every criterion at once, so that each can find what the others made of a block."""
    read = [all_at_once().timeline.measurements, made_up_trial(7).measurements(), rare_trial().measurements()]
    return [assess(measured, criteria=criterion_names()) for measured in read]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_criterion_says_the_same_alone_and_beside_all_others(name: str) -> None:
    for together in by_all():
        alone = assess_by(find_criterion(name), together.timeline.measurements).results[name]
        found = together.results[name]
        for mapping in ("answers", "numbers"):
            one, other = getattr(alone, mapping), getattr(found, mapping)
            assert [key for key in one if not np.array_equal(one[key], other[key])] == []
        for array in ("flags", "progression_date", "adjudicated"):
            assert np.array_equal(getattr(alone, array), getattr(found, array)), array
