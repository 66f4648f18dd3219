"""A criterion that offers its thresholds can be the base of a study's own: under another name it says the same."""

from dataclasses import replace
from typing import Any, Final

from response.criteria.criterion import Criterion
from response.criteria.study_criteria import study_criterion
from response.criteria.study_definitions import LARGEST_LEAST, StudyDefinition, offers_thresholds
from response.criteria.sum_tests import SumTest, share_after
from response.engine import Assessment, assess_timeline
from response.errors import CriterionError
from response.protocol import Options
from response.registry import STANDARD, find_criterion
from response.result import Result
from response.testing.bench import Bench

_NAME: Final = "study-of-the-suite"
_NO_RESPONSE: Final = share_after(-99_999)  # -99.999 %
_NO_PROGRESSION: Final = share_after(1_000_000)  # +1000 %


def check_study_of_its_own(bench: Bench) -> None:
    """A study's own criterion with the thresholds of this one says the same, under its own names; others decide."""
    criterion = bench.criterion
    if criterion.test is None or criterion.based_on:
        return
    assert offers_thresholds(criterion), (
        f"`test` is set, but no number is in {' or '.join(LARGEST_LEAST)}: no study could say by how much it grows"
    )
    unchanged = True
    for assessment in bench.assessments:
        before = assessment.results[criterion.name]
        if _sets_thresholds(criterion, before.options):
            continue
        same, other = (
            _by_a_study(criterion, test, assessment, before.options)
            for test in (criterion.test, replace(criterion.test, partial=_NO_RESPONSE, progressive=_NO_PROGRESSION))
        )
        _says_the_same(before, same)
        unchanged &= _answers(before) == _answers(other)
    assert not unchanged, "other thresholds of a study change nothing: let state() judge the sum by `self.test`"


def _sets_thresholds(criterion: Criterion, options: Options) -> bool:
    standard = criterion.options()
    return any(getattr(options, key) != getattr(standard, key) for key, _ in criterion.threshold_options)


def _by_a_study(criterion: Criterion, test: SumTest, assessment: Assessment, options: Options) -> Result:
    """Return what a study's own criterion says of a trial that was assessed."""
    definition = StudyDefinition(name=_NAME, title="A study of the suite", source="protocol", test=test)
    own = study_criterion(criterion, definition)
    standard = assessment.results[STANDARD]
    try:
        found = assess_timeline(
            assessment.timeline, [find_criterion(STANDARD), own], {STANDARD: standard.options, _NAME: options}
        )
    except CriterionError as error:
        raise AssertionError(
            f"a study's own criterion based on it fails: {error}. Let values() name the numbers that only it has by "
            "`self.prefix`, not by a constant"
        ) from error
    return found[_NAME]


def _says_the_same(before: Result, same: Result) -> None:
    assert _answers(before) == _answers(same), (
        "a study's own criterion with the same thresholds gives other responses: let state() judge the sum by "
        "`self.test` alone, or name the options that change it in `threshold_options`"
    )
    for number, renamed in zip(before.criterion.numbers, same.criterion.numbers, strict=True):
        equal = (before.numbers[number.name] == same.numbers[renamed.name]).all()
        assert equal, f"a study's own criterion with the same thresholds gives another {number.name}"


def _answers(result: Result) -> dict[str, Any]:
    return {question: codes.tolist() for question, codes in result.answers.items()}
