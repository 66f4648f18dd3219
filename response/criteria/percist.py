"""PERCIST 1.0: metabolic response of solid tumours on FDG-PET.

Source: Wahl et al., J Nucl Med 2009;50(suppl 1):122S-150S ("2009"); O et al., Radiology 2016;280:576-584 ("2016").
What is followed is SULpeak of the hottest lesion of each date, which need not be the same lesion; sizes play no part.
Confirmed in public tables: 30 % and 0.8 SUL for PMR and PMD, new lesions, total lesion glycolysis of up to five
lesions by 75 % (PMC2938069, table 3), the liver threshold, the liver within 20 % and 0.3 SUL and 15 minutes of uptake
time (PMC4377159, table 2). Some tables print "more than 30 %" where others print "at least", which is used; growth
against the baseline stands in one (pacs.de, PERCIST). Not found in a public table, and noted where it decides: that
2.0 times the blood pool and two standard deviations are the threshold where the liver is diseased.

Scope: solid tumours with uptake above the liver. iPERCIST, which asks for a second scan after progression, is not
here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import NO_SUM, Burden, Fact, Sums
from response.criteria.criterion import Criterion, Number, State
from response.criteria.pet import hottest, total, uptake_burden
from response.criteria.recist import NEW_LESION_RULES, CombinationOptions
from response.criteria.rules import Flags, Question, Rule
from response.criteria.sums import (
    SumState,
    SumTest,
    baseline_incomplete,
    grown,
    grown_in_part,
    lesion_number,
    missing,
    no_targets,
    otherwise,
)
from response.criteria.visit_values import any_lesion, at_baseline, visit_numbers
from response.protocol import option
from response.timeline import Block
from response.vocabulary import CMR, METABOLIC_WORDS, PMD, PMR, SMD, Response
from response.vocabulary import State as LesionState

NAME: Final = "percist"
CHANGE_SUL: Final = 800  # 0.8 SUL, in thousandths (2009, table 9)
PERCIST_TEST: Final = SumTest(partial=(7, 10), progressive=(13, 10), least=CHANGE_SUL)  # 30 %, both ways, inclusive
GLYCOLYSIS: Final = (7, 4)  # 175 % of the total lesion glycolysis (2009, table 9)
LIVER_SHARE: Final = (1, 5)  # the livers of both dates within 20 % (2009, table 9)
LIVER_SUL: Final = 300  # and within 0.3 SUL
UPTAKE_MINUTES: Final = 15_000  # 15 minutes, in thousandths: largest difference of uptake times (2009, table 9)


@dataclass(frozen=True, kw_only=True)
class PercistOptions(CombinationOptions):
    """Every point that PERCIST leaves open, with the default and why."""

    percist_pd_reference: str = option(
        "baseline",
        "growth of the uptake: over the baseline (2009), or over the smallest uptake before",
        choices=("baseline", "nadir"),
    )
    percist_incomparable: str = option(
        "flag",
        "livers of the two dates more than 20 % or 0.3 SUL apart: note it, or not evaluable",
        choices=("flag", "ne"),
    )
    use_markers: str = option("off", "tumour markers are no part of it", choices=("off",))
    post_cr_disease: str = option("as_is_warn", "uptake after CMR: the rules decide as ever", choices=("as_is_warn",))


class PercistState(SumState):
    """What the rules ask of all series of a block; the `sum` is SULpeak of the hottest lesion, in thousandths."""

    @property
    def reference(self) -> Sums:
        """What growth is judged against."""
        if self.options.percist_pd_reference == "nadir":
            return self.burden.nadir_um
        return np.asarray(np.broadcast_to(self.burden.baseline_um, self.shape))

    @cached_property
    def partial(self) -> Flags:
        """The uptake of the hottest lesion fell by 30 % and by 0.8 SUL."""
        fell = self.burden.baseline_um - self.burden.sum_um
        return self.test.responded(self.burden.sum_um, self.burden.baseline_um) & (fell >= CHANGE_SUL)

    @property
    def grown(self) -> Flags:
        """Growth of the uptake of the targets."""
        return (self.proven | self.glycolysis_grown) & self.is_("overall", PMD)

    @cached_property
    def glycolysis_grown(self) -> Flags:
        """The total lesion glycolysis is 75 % over the baseline."""
        now, known = total(self.block, self.burden, "tlg")
        share, of = GLYCOLYSIS
        base = at_baseline(self.block, now)
        both = known & at_baseline(self.block, known) & (base > 0)
        return np.asarray(both & (of * now >= share * base))

    @cached_property
    def liver(self) -> NDArray[np.int64]:
        """Mean SUL of the liver."""
        return visit_numbers(self.block, "liver_sul_mean")

    @cached_property
    def threshold(self) -> NDArray[np.int64]:
        """SUL from which a lesion of the date is measurable, `NO_NUMBER` where the liver was not measured."""
        sd = visit_numbers(self.block, "liver_sul_sd")
        # twice the threshold is a whole number of thousandths
        by_liver = np.where(
            (self.liver != NO_NUMBER) & (sd != NO_NUMBER), (3 * self.liver + 4 * sd + 1) // 2, NO_NUMBER
        )
        return np.where(by_liver != NO_NUMBER, by_liver, self._by_blood_pool)

    @cached_property
    def _by_blood_pool(self) -> NDArray[np.int64]:
        mean, sd = (visit_numbers(self.block, f"blood_pool_sul_{name}") for name in ("mean", "sd"))
        return np.where((mean != NO_NUMBER) & (sd != NO_NUMBER), 2 * mean + 2 * sd, NO_NUMBER)

    @cached_property
    def below_threshold(self) -> Flags:
        """The hottest lesion of the baseline was not measurable."""
        threshold = at_baseline(self.block, self.threshold)
        return self.spread((threshold != NO_NUMBER) & (self.burden.baseline_um < threshold))

    @cached_property
    def livers_apart(self) -> Flags:
        """The livers of now and baseline are 20 % or 0.3 SUL apart."""
        base = at_baseline(self.block, self.liver)
        apart, (share, of) = abs(self.liver - base), LIVER_SHARE
        known = (self.liver != NO_NUMBER) & (base != NO_NUMBER)
        return np.asarray(known & ((of * apart > share * base) | (apart >= LIVER_SUL)))

    @cached_property
    def above_liver(self) -> Flags:
        """A lesion that is said to be gone takes up as much as the liver."""
        gone = self.burden.state == LesionState.ABSENT
        liver = self.block.per_track(self.liver)
        uptake = lesion_number(self.block, "sul_peak")
        return any_lesion(self.block, gone & (liver != NO_NUMBER) & (uptake >= liver))

    @cached_property
    def others_left(self) -> Flags:
        """A lesion that is not measured is there or was not looked at, or new lesions could not be looked for."""
        left = Fact.NON_TARGET_PRESENT | Fact.NON_TARGET_MISSING | Fact.NON_TARGET_UNPROVEN
        return self.burden.has(left) | ~self.no_new_lesion

    def told(self, amount: int) -> str:
        """Return an uptake with its unit."""
        return super().told(amount).replace(" mm", " SUL")


def metabolic(condition: str) -> Callable[[Any], Flags]:
    """Return the condition of that name of the state."""
    return lambda state: np.asarray(getattr(state, condition))


def new_lesion(state: Any) -> Flags:
    """Return where a new lesion takes up."""
    return np.asarray(state.is_("new_lesion", "Yes"))


def non_target_progression(state: SumState) -> Flags:
    """Return where a lesion that is not measured progresses."""
    return state.burden.has(Fact.NON_TARGET_PROGRESSION)


def _gone(state: PercistState) -> Flags:
    return state.all_assessed & state.all_gone & ~state.above_liver


def _all_gone(state: PercistState) -> Flags:
    return _gone(state) & ~state.others_left


def _incomparable(state: PercistState) -> Flags:
    return state.livers_apart


def _ne_if_apart(options: Any) -> bool:
    return bool(options.percist_incomparable == "ne")


PERCIST_RULES: Final = (
    Rule("new_lesion", PMD, new_lesion, "2009, table 9", "a new lesion takes up FDG"),
    Rule("non_target_pd", PMD, non_target_progression, "2009, table 9", "a lesion that is not measured has progressed"),
    Rule("no_targets", "NE", no_targets, "2009, table 9", "no lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "2009, table 9", "SULpeak was not measured at baseline"),
    Rule("cmr", CMR, _all_gone, "2009, table 9",
         "no lesion can be told from the background, none takes up as much as the liver, and there is no new one"),
    Rule("not_measurable", "NE", metabolic("below_threshold"), "2009, table 9",
         "the hottest lesion of the baseline, SULpeak {baseline}, is below the threshold of measurable uptake"),
    Rule("pmd_glycolysis", PMD, metabolic("glycolysis_grown"), "2009, table 9",
         "the total lesion glycolysis is 75 % or more over the baseline"),
    Rule("pmd", PMD, grown, "2009, table 9",
         "the hottest lesion, SULpeak {sum}, is 30 % and 0.8 SUL or more over the reference (baseline {baseline})"),
    Rule("pmd_proven", PMD, grown_in_part, "2009, table 9",
         "a lesion was not measured, but another with SULpeak {sum} is 30 % and 0.8 SUL or more over the reference"),
    Rule("missing", "NE", missing, "2009, table 9", "SULpeak of {missing} of {targets} lesions could not be measured"),
    Rule("incomparable", "NE", _incomparable, "2009, table 9",
         "the livers of the two dates differ too much to compare the lesions", _ne_if_apart),
    Rule("cmr_unproven", PMR, _gone, "2009, table 9",
         "no measured lesion can be told from the background, but something else is left or was not looked at"),
    Rule("pmr", PMR, metabolic("partial"), "2009, table 9",
         "the hottest lesion, SULpeak {sum}, is 30 % and 0.8 SUL or more below the baseline {baseline}"),
    Rule("smd", SMD, otherwise, "2009, table 9",
         "SULpeak {sum} of the hottest lesion is neither PMR nor PMD against the baseline {baseline}"),
)  # fmt: skip


def _blood_pool(state: PercistState) -> Flags:
    liver = at_baseline(state.block, state.liver)
    return state.spread((liver == NO_NUMBER) & (at_baseline(state.block, state.threshold) != NO_NUMBER))


def _no_threshold(state: PercistState) -> Flags:
    return state.spread(at_baseline(state.block, state.threshold) == NO_NUMBER)


def _uptake_time(state: PercistState) -> Flags:
    minutes = visit_numbers(state.block, "uptake_minutes")
    base = at_baseline(state.block, minutes)
    return np.asarray((minutes != NO_NUMBER) & (base != NO_NUMBER) & (abs(minutes - base) > UPTAKE_MINUTES))


PERCIST_FLAGS: Final = (
    Rule("livers_incomparable", "", _incomparable, "2009, table 9",
         "the livers of the two dates are more than 20 % or 0.3 SUL apart"),
    Rule("uptake_time_differs", "", _uptake_time, "2009, table 9", "uptake times more than 15 minutes apart"),
    Rule("threshold_unknown", "", _no_threshold, "2009, table 9",
         "neither liver nor blood pool was measured at baseline: whether the lesion is measurable is not known"),
    Rule("threshold_by_blood_pool", "", _blood_pool, "2009, table 9",
         "threshold by the blood pool, twice its mean and its standard deviation (not confirmed against the paper)"),
)  # fmt: skip


@dataclass(frozen=True)
class Percist(Criterion):
    """PERCIST 1.0 as a criterion of the engine."""

    name: str = NAME
    title: str = "PERCIST 1.0"
    source: str = "Wahl et al., J Nucl Med 2009;50(suppl 1):122S-150S"
    options: type[PercistOptions] = PercistOptions
    questions: tuple[Question[Any], ...] = (
        Question("new_lesion", NEW_LESION_RULES),
        Question("overall", PERCIST_RULES),
    )
    flags: tuple[Rule[Any], ...] = PERCIST_FLAGS
    numbers: tuple[Number, ...] = (
        *(Number(f"percist_{name}", "SUL") for name in ("sum", "baseline", "nadir", "threshold")),
        Number("percist_unmeasured", "count"),
    )
    needs: str = "sul_peak"
    words: Mapping[Response, str] | None = None
    scope: str = "PERCIST is for solid tumours on FDG-PET."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> PercistState:  # noqa: ARG002
        """Return what the rules ask; lesions are read by their uptake."""
        burden = uptake_burden(block, "sul_peak")
        return PercistState(replace(burden, sum_um=hottest(burden)), options, self.questions, PERCIST_TEST)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: SULpeak of the hottest lesion in thousandths."""
        threshold = np.where(state.threshold == NO_NUMBER, NO_SUM, state.threshold)
        return {**uptake_values(NAME, state.burden, state), "percist_threshold": threshold}


def uptake_values(prefix: str, burden: Burden, state: SumState) -> dict[str, NDArray[np.int64]]:
    """Return uptake now, at baseline and at its smallest, and the number of targets that were not measured."""
    baseline = np.asarray(np.broadcast_to(burden.baseline_um, state.shape))
    sums = {"sum": burden.sum_um, "baseline": baseline, "nadir": burden.nadir_um, "unmeasured": state.unmeasured}
    return {f"{prefix}_{name}": values for name, values in sums.items()}


PERCIST: Final = Percist(words=METABOLIC_WORDS)
__all__ = ["PERCIST", "Percist", "PercistOptions", "PercistState", "uptake_values"]
