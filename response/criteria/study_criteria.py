"""Criteria of a study: a published one with other thresholds, made from a definition in a protocol file.

Conditions, order and options are those of the published criterion. Rules that the study changes cite the study, and
every sentence tells its thresholds.
"""

import re
from dataclasses import replace
from typing import Any, Final

from response.cells import thousandths_text
from response.criteria.criterion import PER_THOUSANDTH, Criterion, Number
from response.criteria.rules import Question, Rule
from response.criteria.study_definitions import StudyDefinition, unit_of_sum
from response.criteria.sum_tests import SumTest, change_to

# The questions that thresholds decide; a criterion that asks a single one decides there.
_QUESTIONS: Final = frozenset(("target", "injected", "non_injected"))
# Their rules by name: response, progression, and what is left between the two.
_RESPONSE: Final = frozenset(("pr", "irpr"))
_PROGRESSION: Final = frozenset(
    ("pd", "pd_proven", "pd_lesion", "pd_confirmed", "pd_unconfirmed", "irpd", "irpd_confirmed", "irpd_unconfirmed")
)
_BETWEEN: Final = frozenset(("sd", "nc", "irsd", "bounded_pr", "bounded_sd"))
_OF_THE_ORIGINAL: Final = ", which the original calls PD"


def study_criterion(base: Criterion, definition: StudyDefinition) -> Criterion:
    """Return a criterion of a study: `base`, but for what the definition changes; `base` has a `test`."""
    assert base.test is not None
    named = replace(base, name=definition.name, title=definition.title, source=definition.source, test=definition.test)
    changes = _Changes(base, base.test, named, definition.test)
    return replace(
        named,
        based_on=base.name,
        questions=tuple(changes.question(question) for question in base.questions),
        flags=tuple(changes.flag(rule) for rule in base.flags),
        numbers=tuple(_renamed(number, base, named) for number in base.numbers),
        scope=" ".join(filter(None, (changes.told(), base.scope))),
    )


def _renamed(number: Number, base: Criterion, named: Criterion) -> Number:
    start = f"{base.prefix}_"
    own = number.name.startswith(start)
    return replace(number, name=f"{named.prefix}_{number.name.removeprefix(start)}") if own else number


class _Changes:
    """What the thresholds of a study change in the rules of a criterion."""

    def __init__(self, base: Criterion, before: SumTest, named: Criterion, after: SumTest) -> None:
        self.base, self.named, self.unit = base, named, unit_of_sum(base)
        self.before, self.after = before, after
        self.response = _response_part(before) != _response_part(after)
        self.progression = _progression_part(before) != _progression_part(after)

    def question(self, question: Question[Any]) -> Question[Any]:
        """Return a question with its rules."""
        if question.name not in _QUESTIONS and len(self.base.questions) > 1:
            return question
        return Question(question.name, tuple(self.rule(rule) for rule in question.rules))

    def rule(self, rule: Rule[Any]) -> Rule[Any]:
        """Return a rule of a question that the thresholds decide."""
        by_response = self.response and rule.name in _RESPONSE | _BETWEEN
        by_progression = self.progression and rule.name in _PROGRESSION | _BETWEEN
        clause = self.named.source if by_response or by_progression else rule.clause
        return replace(rule, clause=clause, sentence=self.sentence(rule.sentence))

    def flag(self, rule: Rule[Any]) -> Rule[Any]:
        """Return a flag; one that tells a threshold, and may be named after it, tells that of the study."""
        sentence = self.sentence(rule.sentence)
        if sentence == rule.sentence:
            return rule
        old, new = (f"{_percent(test.progressive)}_percent".replace(".", "_") for test in (self.before, self.after))
        name, sentence = rule.name.replace(old, new), sentence.replace(_OF_THE_ORIGINAL, "")
        return replace(rule, name=name, clause=self.named.source, sentence=sentence)

    def sentence(self, text: str) -> str:
        """Return a sentence with the thresholds of the study in place of those of the criterion."""
        before, after = self.before, self.after
        if self.response:
            percent = re.escape(_percent(before.partial))
            text = re.sub(rf"(?<![\d.])(more than )?{percent} %( or more)? below", self._below, text)
        if self.progression:
            step = rf"( and {re.escape(_amount(before, self.unit))})?"
            percent = re.escape(_percent(before.progressive))
            text = re.sub(rf"(?<![\d.])(more than )?{percent} %( or more)?{step}(?! below)", self._over, text)
        if after.from_baseline:
            text = re.sub(r"(over|from) (the )?nadir (\(?)\{nadir\}", r"\1 \2baseline \3{baseline}", text)
            text = text.replace("over its own nadir", "over its own baseline")
        return text

    def _below(self, found: re.Match[str]) -> str:
        percent, or_more = _percent(self.after.partial), found[2] or ""
        return f"{percent} %{or_more} below" if self.after.partial_inclusive else f"more than {percent} % below"

    def _over(self, found: re.Match[str]) -> str:
        or_more = found[2] or ""
        return _growth(self.after, self.unit, "" if self.after.least else or_more)

    def told(self) -> str:
        """Return what the study changes as a sentence."""
        after, parts = self.after, []
        if self.response:
            parts.append(f"PR from {'' if after.partial_inclusive else 'more than '}{_percent(after.partial)} % below")
            parts[-1] += " the baseline"
        if self.progression:
            reference = "baseline" if after.from_baseline else "nadir"
            parts.append(f"PD from {_growth(after, self.unit)} over the {reference}")
        but = f", but with {' and '.join(parts)}" if parts else " with its own thresholds"
        return f"{self.named.title} is {self.base.title}{but} ({self.named.source})."


def _response_part(test: SumTest) -> tuple[Any, ...]:
    return test.partial, test.partial_inclusive


def _progression_part(test: SumTest) -> tuple[Any, ...]:
    return test.progressive, test.inclusive, test.least, test.from_baseline


def _percent(share: tuple[int, int]) -> str:
    return thousandths_text(abs(change_to(share)))


def _amount(test: SumTest, unit: str) -> str:
    return f"{thousandths_text(test.least // PER_THOUSANDTH[unit])} {unit}"


def _growth(test: SumTest, unit: str, or_more: str = "") -> str:
    """Return the growth that is progression, as in "25 % and 5 mm"."""
    percent = f"{_percent(test.progressive)} %"
    if test.inclusive:
        return f"{percent}{or_more}" + (f" and {_amount(test, unit)}" if test.least else "")
    return f"more than {percent}" + (f" and at least {_amount(test, unit)}" if test.least else "")
