"""itRECIST: RECIST for intratumoral immunotherapy, with responses of the injected and the non-injected lesions.

Source: Goldmacher et al., J Clin Oncol 2020;38:2667-2676, doi:10.1200/JCO.19.02985. Confirmed in public sources: four
kinds of lesions (target or non-target, injected or not), one to five targets of each, sums of all targets, of the
injected and of the non-injected ones; a lesion may become injected after baseline, but target and non-target never
change; the overall response comes from targets, non-targets and new lesions (legend of figure 1 and ASCO abstract 3141,
pubmed 32552274; vial.com). Not found, and so to be checked against the paper: the thresholds of the two separate
responses (here those of RECIST 1.1, each group against its own baseline and nadir), and what non-targets mean for them
(here progression of one is PD of its group). Confirmed is as well that assessment goes on after therapy was changed at
the first progression, for the lesions that are injected may change then (ASCO abstract 3141; cancer.fr on the paper);
how it is measured from there was not found. By option (`itrecist_anew`) a response of its own tells it: against the sum
of the first progression, with the lesions that were new until then as known ones. The overall response stays as it is.

`injected` is Y where a lesion is injected at a timepoint, or chosen for it at baseline; from then on it belongs to the
injected ones, and both groups are compared with the same lesions before.

Scope: solid tumours with intratumoral immunotherapy. Ultrasound may measure some subcutaneous lesions there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.anew import Anew, left_anew, measured_anew
from response.criteria.burden import NO_SUM, Fact
from response.criteria.criterion import Criterion, Number, State
from response.criteria.injected import Group, Injected, groups_of, injected_lesions
from response.criteria.recist import OVERALL_RULES, PD_INCREASE_UM, CombinationOptions
from response.criteria.rules import Flags, Question, Rule, answered, asks, in_category
from response.criteria.some_lesions import is_one_of
from response.criteria.sums import (
    ADJUDICATE_CR,
    NEW,
    SumState,
    SumTest,
    all_gone,
    baseline_incomplete,
    burden_beside,
    combined,
    grown,
    grown_in_part,
    length_numbers,
    length_values,
    missing,
    no_targets,
    otherwise,
    shrunk,
)
from response.protocol import option

NAME: Final = "itrecist"
ITRECIST_TEST: Final = SumTest(partial=(7, 10), progressive=(6, 5), least=PD_INCREASE_UM)  # those of RECIST 1.1
MOST_TARGETS: Final = 5  # injected targets, and as many that are not


@dataclass(frozen=True, kw_only=True)
class ItrecistOptions(CombinationOptions):
    """Every point that itRECIST leaves open, with the default and why."""

    itrecist_anew: bool = option(
        False,
        "whether what comes after the first progression is measured against it as well (the paper was not at hand)",
        choices=(True, False),
    )


class ItrecistState(SumState):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`."""

    @cached_property
    def injected(self) -> Injected:
        """Lesions that are ever injected, or were chosen for it at baseline."""
        return injected_lesions(self.block)

    @cached_property
    def _new(self) -> Flags:
        """Which of them are new lesions, `[lesion]`."""
        return is_one_of(self.burden.classes[self.injected.tracks], NEW)

    @cached_property
    def groups(self) -> tuple[Group, Group]:
        """The injected and the other lesions."""
        return groups_of(self, self.injected)

    @cached_property
    def anew(self) -> Anew:
        """What comes after the first overall progression, measured against it."""
        codes = Question("overall", OVERALL_RULES).answer(self, self.options)
        return measured_anew(self, in_category(OVERALL_RULES, codes, "PD") & self.block.follow_up)

    @cached_property
    def newly_injected(self) -> Flags:
        """A lesion, other than a new one, is injected for the first time after baseline."""
        return np.asarray((self.injected.only(~self._new).begun > 0) & self.block.follow_up)

    @cached_property
    def new_injected(self) -> Flags:
        """A new lesion was injected."""
        return self.injected.only(self._new).since.by_series()


Of = Callable[[ItrecistState], Group]


def _none(of: Of) -> Callable[[ItrecistState], Flags]:
    return lambda state: np.asarray((of(state).targets == 0) & ~of(state).progression)


def _progression(of: Of) -> Callable[[ItrecistState], Flags]:
    return lambda state: of(state).progression


def _unknown(of: Of) -> Callable[[ItrecistState], Flags]:
    return lambda state: state.baseline_incomplete | ~(of(state).complete | of(state).grown)


def _gone(of: Of) -> Callable[[ItrecistState], Flags]:
    return lambda state: of(state).gone & of(state).complete


def _larger(of: Of) -> Callable[[ItrecistState], Flags]:
    return lambda state: of(state).grown


def _smaller(of: Of) -> Callable[[ItrecistState], Flags]:
    return lambda state: of(state).shrunk


def _injected(state: ItrecistState) -> Group:
    return state.groups[0]


def _non_injected(state: ItrecistState) -> Group:
    return state.groups[1]


def _group_rules(of: Of, name: str, sums: str) -> tuple[Rule[ItrecistState], ...]:
    """Return the rules of the separate response of a group; their thresholds are not confirmed against the paper."""
    clause = "2020 (thresholds not confirmed)"
    return (
        Rule("none", "NA", _none(of), clause, f"there is no {name} target lesion"),
        Rule("non_target_pd", "PD", _progression(of), clause, f"progression of a {name} non-target lesion"),
        Rule("missing", "NE", _unknown(of), clause, f"not all {name} target lesions were assessed"),
        Rule("cr", "CR", _gone(of), clause, f"all {name} target lesions are gone"),
        Rule("pd", "PD", _larger(of), clause, f"the {name} sum {{{sums}}} mm has grown by 20 % and 5 mm"),
        Rule("pr", "PR", _smaller(of), clause, f"the {name} sum {{{sums}}} mm is 30 % or more below its baseline"),
        Rule("sd", "SD", otherwise, clause, f"the {name} sum {{{sums}}} mm is neither PR nor PD"),
    )


def _not_after(state: ItrecistState) -> Flags:
    return np.asarray(~state.anew.after | state.no_targets)


def _new_since(state: ItrecistState) -> Flags:
    return state.anew.new_since


def _progression_since(state: ItrecistState) -> Flags:
    return state.burden.has(Fact.NON_TARGET_PROGRESSION)


def _gone_since(state: ItrecistState) -> Flags:
    return np.asarray(~left_anew(state, state.anew))


def _grown_since(state: ItrecistState) -> Flags:
    return state.test.grown(state.burden.sum_um, state.anew.smallest_since)


def _unknown_since(state: ItrecistState) -> Flags:
    return np.asarray(~state.all_assessed | (state.anew.sum_then == NO_SUM))


def _smaller_since(state: ItrecistState) -> Flags:
    return state.test.responded(state.burden.sum_um, state.anew.sum_then)


def _anew(options: Any) -> bool:
    return bool(options.itrecist_anew)


def _not_anew(options: Any) -> bool:
    return not options.itrecist_anew


_SINCE: Final = "2020 (not confirmed)"
ANEW_RULES: Final = (
    Rule("not_asked", "NA", otherwise, _SINCE, "nothing is measured anew", _not_anew),
    Rule("not_after_progression", "NA", _not_after, _SINCE,
         "there was no progression before, or there is no target lesion", _anew),
    Rule("new_lesion", "PD", _new_since, _SINCE, "a lesion that is new since the first progression", _anew),
    Rule("non_target_pd", "PD", _progression_since, _SINCE,
         "unequivocal progression of a non-target lesion after the first progression", _anew),
    Rule("cr", "CR", _gone_since, _SINCE,
         "all lesions are gone, and those that were new until the first progression", _anew),
    Rule("pd", "PD", _grown_since, _SINCE,
         "the sum {sum} mm has grown over its smallest value since the first progression", _anew),
    Rule("missing", "NE", _unknown_since, _SINCE,
         "not all target lesions were assessed, now or at the first progression", _anew),
    Rule("pr", "PR", _smaller_since, _SINCE,
         "the sum {sum} mm has shrunk to a response against that of the first progression", _anew),
    Rule("sd", "SD", otherwise, _SINCE, "the sum {sum} mm is neither PR nor PD against the first progression", _anew),
)  # fmt: skip
TARGET_RULES: Final = (
    Rule("no_targets", "NA", no_targets, "2020", "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "RECIST 1.1, 4.4.2",
         "a target lesion was not measured at baseline"),
    Rule("cr", "CR", all_gone, "RECIST 1.1, 4.3.1", "all target lesions, injected or not, are gone"),
    Rule("pd", "PD", grown, "RECIST 1.1, 4.3.1",
         "the sum {sum} mm is {growth} mm ({growth_percent} %) over the nadir {nadir} mm"),
    Rule("pd_proven", "PD", grown_in_part, "RECIST 1.1, 4.4.2",
         "the measured part alone, {sum} mm, is {growth} mm ({growth_percent} %) over the nadir {nadir} mm"),
    Rule("missing", "NE", missing, "RECIST 1.1, 4.4.2", "{missing} of {targets} target lesions could not be assessed"),
    Rule("pr", "PR", shrunk, "RECIST 1.1, 4.3.1",
         "the sum {sum} mm is {shrinkage_percent} % below the baseline {baseline} mm"),
    Rule("sd", "SD", otherwise, "RECIST 1.1, 4.3.1",
         "the sum {sum} mm is neither 30 % below the baseline {baseline} mm nor PD over the nadir {nadir} mm"),
)  # fmt: skip
ITRECIST_QUESTIONS: Final = combined(
    TARGET_RULES,
    Question("injected", _group_rules(_injected, "injected", "injected_sum")),
    Question("non_injected", _group_rules(_non_injected, "non-injected", "non_injected_sum")),
    Question("anew", ANEW_RULES),
)


def _too_many(state: ItrecistState) -> Flags:
    counts = [state.burden.at_baseline(group.targets) for group in state.groups]
    return state.spread(np.maximum(*counts) > MOST_TARGETS)


ITRECIST_FLAGS: Final = (
    ADJUDICATE_CR,
    Rule("measured_anew", "", answered("anew", "CR", "PR", "SD", "PD", "NE"), _SINCE,
         "measured against the first progression too; how itRECIST does that was not confirmed against the paper"),
    Rule("too_many_targets", "", _too_many, "2020, figure 1", "more than five injected or non-injected targets"),
    Rule("newly_injected", "", asks("newly_injected"), "2020, figure 1", "a lesion is injected for the first time"),
    Rule("new_lesion_injected", "", asks("new_injected"), "2020 (not confirmed)",
         "a new lesion is injected; it counts as a new lesion, and in neither group"),
)  # fmt: skip


@dataclass(frozen=True)
class Itrecist(Criterion):
    """itRECIST as a criterion of the engine."""

    name: str = NAME
    title: str = "itRECIST"
    source: str = "Goldmacher et al., J Clin Oncol 2020;38:2667-2676"
    options: type[ItrecistOptions] = ItrecistOptions
    questions: tuple[Question[Any], ...] = ITRECIST_QUESTIONS
    flags: tuple[Rule[Any], ...] = ITRECIST_FLAGS
    numbers: tuple[Number, ...] = (
        *length_numbers(NAME),
        Number("injected_sum_mm", "mm"),
        Number("non_injected_sum_mm", "mm"),
    )
    needs: str = "injected"
    scope: str = (
        "itRECIST is for immunotherapy that is injected into lesions; the thresholds of the responses of injected and "
        "of other lesions were not confirmed against the paper."
    )
    test: SumTest = ITRECIST_TEST

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> ItrecistState:
        """Return what the rules ask; lesions are read again, by its own options."""
        return ItrecistState(burden_beside(block, options, beside), options, self.questions, self.test, beside)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: the three sums in thousandths of a mm."""
        groups = dict(zip(("injected_sum_mm", "non_injected_sum_mm"), state.groups, strict=True))
        sums = {name: np.where(group.targets > 0, group.sum_um, NO_SUM) for name, group in groups.items()}
        return {**length_values(self.prefix, state), **sums}


ITRECIST: Final = Itrecist()
__all__ = ["ITRECIST", "Itrecist", "ItrecistOptions", "ItrecistState"]
