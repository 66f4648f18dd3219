"""Rules as data: a criterion is ordered tables of rules, and the first rule that holds is the result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from response.criteria.given import flags_of

Flags = NDArray[np.bool_]
RuleCodes = NDArray[np.int8]
S = TypeVar("S")


def always(options: Any) -> bool:  # noqa: ARG001
    """Say that a rule stands under every choice of options."""
    return True


def asks(name: str) -> Callable[[Any], Flags]:
    """Return the condition that is the property of that name of the state."""
    return lambda state: np.asarray(getattr(state, name))


def chosen(key: str, *values: Any) -> Callable[[Any], bool]:
    """Return the condition, of a rule, that an option has one of some values."""
    return lambda options: getattr(options, key) in values


def otherwise(state: Any) -> Flags:
    """Hold everywhere: the last rule of a question."""
    return np.ones(state.shape, np.bool_)


@dataclass(frozen=True)
class Rule(Generic[S]):
    """One line of a criterion.

    Attributes
    ----------
    name
        Last part of the rule's id `<criterion>.<question>.<name>`.
    category
        The response where the rule is the first that holds.
    holds
        State of all series -> whether it holds, in the state's shape `[series, timepoint]`.
    clause
        Section, table or figure of the source.
    sentence
        The reason as a sentence, filled with the numbers of the timepoint. `{x}` is the number `x`, `x_<unit>` or
        `<prefix>_x` of the criterion (so `{sum}`, `{baseline}`, `{nadir}`), and `{x_over_y}` is `x` less `y`.
        `{reference}` is what growth is judged against (the nadir, or the baseline where options say so); `{growth}` and
        `{growth_percent}` are the sum over it; `{change_percent}` is the change from the baseline with its sign,
        `{shrinkage_percent}` the fall without; `{missing}` of `{targets}` targets were not measured. `{target}`, or
        another question that was asked before, is the sentence of its answer (of `new_lesion` the category).
    when
        Whether the rule stands under the given options (a choice of rule is made here, never inside `holds`).
    """

    name: str
    category: str
    holds: Callable[[S], Flags]
    clause: str
    sentence: str
    when: Callable[[Any], bool] = always

    def holding(self, state: S) -> Flags:
        """Return where the rule holds, in the state's shape."""
        return self.holds(state)


@dataclass(frozen=True)
class Question(Generic[S]):
    """A question that a criterion answers at each timepoint, by its ordered rules; the last rule always holds."""

    name: str
    rules: tuple[Rule[S], ...]

    def active(self, options: Any) -> list[int]:
        """Return the indices of the rules that stand under the options."""
        return [index for index, rule in enumerate(self.rules) if rule.when(options)]

    def answer(self, state: S, options: Any) -> RuleCodes:
        """Return the index of the first rule that holds, in the state's shape."""
        return self.answer_with(state, self.active(options))

    def answer_with(self, state: S, active: Sequence[int]) -> RuleCodes:
        """Return the index of the first of some rules that holds, in the state's shape."""
        return first_that_holds(self, state, active)


def first_that_holds(question: Question[Any], state: Any, active: Sequence[int]) -> RuleCodes:
    """Return the index of the first of the active rules that holds, in the state's shape.

    The last active rule is taken where no other holds, so it must be one that always holds.
    """
    rules = question.rules
    if not active:
        raise ValueError("no rule is active")
    # below zero by how far a rule stands from the end: the smallest is the first (faster than copying rule by rule)
    found = np.full(state.shape, active[-1] - len(rules), np.int8)
    for index in active:
        holds = flags_of(f"{question.name}.{rules[index].name}", rules[index].holding(state), state.shape)
        np.minimum(found, holds.view(np.int8) * np.int8(index - len(rules)), out=found)
        if holds.all():
            break  # no later rule can be the first
    return found + np.int8(len(rules))


def answered(question: str, *categories: str) -> Callable[[Any], Flags]:
    """Return the condition that an earlier question was answered with one of some categories."""
    return lambda state: state.is_(question, *categories)


def all_that_hold(rules: Sequence[Rule[S]], state: S, active: Sequence[int]) -> dict[str, Flags]:
    """Return for each active rule where it holds, for `explain` and for flags."""
    return {rules[index].name: rules[index].holding(state) for index in active}


def in_category(rules: Sequence[Rule[Any]], codes: RuleCodes, *categories: str) -> Flags:
    """Return where the answered rule has one of the categories."""
    found = np.zeros_like(codes, np.bool_)  # in the same order of memory
    for index, rule in enumerate(rules):  # a few comparisons of small integers are faster than one look-up each
        if rule.category in categories:
            found |= codes == index
    return found
