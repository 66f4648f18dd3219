"""PERCIST 1.0: metabolic response of solid tumours on FDG-PET.

Source: Wahl et al., J Nucl Med 2009;50(suppl 1):122S-150S ("2009"); O et al., Radiology 2016;280:576-584 ("2016").
What is followed is SULpeak of the hottest lesion of each date, which need not be the same lesion; sizes play no part.
Confirmed in public tables: 30 % and 0.8 SUL for PMR and PMD, new lesions, total lesion glycolysis by 75 %, and that
CMR and PMR are verified where sizes progress, PMD where they respond (PMC2938069, table 3); the liver threshold, 15
minutes of uptake time, and that no other lesion may grow for PMR (PMC4377159, table 2); that the livers may differ by
20 % of the larger one and 0.3 SUL (2016, quoted in the public repository VoxelTrace; 2009 has "less than 0.3"). Tables
print "more than" 30 % and 75 % where others print "at least", which is used. Not confirmed, and noted where it
decides: the threshold by the blood pool, twice its mean and two standard deviations; the table of 2009 leaves out the
standard deviations, its text has them (VoxelTrace). Our reading: blood pools are compared as livers are.

Scope: solid tumours with uptake above the liver. `ipercist` asks for a second scan after progression.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import NO_SUM, Burden
from response.criteria.criterion import Criterion, Number, State
from response.criteria.pet import (
    MetabolicState,
    narrow_bound,
    total,
    uptake_burden,
    uptake_numbers,
    uptake_values,
)
from response.criteria.pet_background import Background
from response.criteria.recist import NEW_LESION_RULES, CombinationOptions
from response.criteria.rules import Flags, Question, Rule, asks
from response.criteria.sum_tests import SumTest
from response.criteria.sums import (
    baseline_incomplete,
    grown,
    grown_in_part,
    missing,
    no_targets,
    otherwise,
)
from response.criteria.visit_values import at_baseline, lesions_at_baseline
from response.protocol import option
from response.vocabulary import CMR, METABOLIC_WORDS, PMD, PMR, SMD, Response

CHANGE_SUL: Final = 800  # 0.8 SUL, in thousandths (2009)
PERCIST_TEST: Final = SumTest(partial=(7, 10), progressive=(13, 10), least=CHANGE_SUL)  # 30 %, both ways, inclusive
GLYCOLYSIS: Final = (7, 4)  # 175 % of the total lesion glycolysis (2009)
_TABLE: Final = "2009, table 7"


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
        "livers more than 20 % or 0.3 SUL, or uptake times more than 15 minutes apart: note it, or not evaluable",
        choices=("flag", "ne"),
    )
    percist_growing_lesion: str = option(
        "flag",
        "a lesion 30 % and 0.8 SUL over its own baseline, though the hottest one fell: note it, or no PMR (2009)",
        choices=("flag", "smd"),
    )
    use_markers: str = option("off", "tumour markers are no part of it", choices=("off",))
    post_cr_disease: str = option("as_is_warn", "uptake after CMR: the rules decide as ever", choices=("as_is_warn",))


class PercistState(MetabolicState):
    """What the rules ask of all series of a block; the `sum` is SULpeak of the hottest lesion, in thousandths."""

    unit: str = "SUL"
    judged = "overall"  # question that the table of PERCIST answers

    def __init__(
        self,
        burden: Burden,
        background: Background,
        options: Any,
        questions: tuple[Question[Any], ...],
        beside: Mapping[str, State],
    ) -> None:
        """Ask about lesions read by their uptake; RECIST 1.1 may stand beside."""
        super().__init__(burden, options, questions, PERCIST_TEST, beside)
        self.background, self.beside = background, beside

    @property
    def reference(self) -> NDArray[np.int64]:
        """What growth is judged against."""
        if self.options.percist_pd_reference == "nadir":
            return self.burden.nadir_um
        return np.asarray(np.broadcast_to(self.burden.baseline_um, self.shape))

    @cached_property
    def partial(self) -> Flags:
        """The uptake of the hottest lesion fell by 30 % and by 0.8 SUL."""
        return super().partial & (self.burden.baseline_um - self.burden.sum_um >= CHANGE_SUL)

    def _response_from(self, baseline: int) -> str:
        most = min(self.test.largest_partial(baseline), max(baseline - CHANGE_SUL, 0))
        return f"PR at {self.told(most)} or less"

    @property
    def grown(self) -> Flags:
        """Growth of the uptake of the targets."""
        return (self.proven | self.glycolysis_grown) & self.is_(self.judged, PMD)

    @cached_property
    def glycolysis_grown(self) -> Flags:
        """The total lesion glycolysis is 75 % over the baseline."""
        if "tlg" not in self.block.timeline.measurements.numbers:
            return np.zeros(self.shape, np.bool_)
        (now, known), (share, of) = total(self.burden, "tlg"), GLYCOLYSIS
        base = at_baseline(self.block, now)
        both = known & at_baseline(self.block, known) & (base > 0)
        return np.asarray(both & (of * now >= share * base))

    @cached_property
    def growing_lesion(self) -> Flags:
        """The hottest lesion fell enough, but another takes up 30 % and 0.8 SUL more than it did at baseline."""
        if not self.partial.any():
            return self.partial
        base = lesions_at_baseline(self.block, self.burden.value_um).astype(np.int64)
        (share, of), least = self.test.progressive, self.test.least
        least_grown = np.maximum(-(-share * base // of), base + least)
        return self.block.some(self.burden.value_um > narrow_bound(least_grown - 1, base > 0)) & self.partial

    @cached_property
    def below_threshold(self) -> Flags:
        """The hottest lesion of the baseline was not measurable."""
        threshold = at_baseline(self.block, self.background.threshold)
        return self.spread((threshold != NO_NUMBER) & (self.burden.baseline_um < threshold))

    @property
    def incomparable(self) -> Flags:
        """The livers of now and baseline are too far apart, or the uptake times."""
        return self.background.apart | self.background.uptake_time_differs

    def by_size(self, *responses: str) -> Flags:
        """Return where RECIST 1.1 beside has one of some responses."""
        recist = self.beside.get("recist-1.1")
        return np.zeros(self.shape, np.bool_) if recist is None else recist.is_("overall", *responses)


def _ne_if_apart(options: PercistOptions) -> bool:
    return options.percist_incomparable == "ne"


def _smd_if_growing(options: PercistOptions) -> bool:
    return options.percist_growing_lesion == "smd"


PERCIST_RULES: Final = (
    Rule("new_lesion", PMD, asks("new_lesion"), _TABLE, "a new lesion takes up FDG"),
    Rule("non_target_pd", PMD, asks("non_target_progression"), _TABLE,
         "a lesion that is not measured has progressed"),
    Rule("no_targets", "NE", no_targets, _TABLE, "no lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, _TABLE, "SULpeak was not measured at baseline"),
    Rule("cmr", CMR, asks("everything_gone"), _TABLE,
         "no lesion can be told from the background, none takes up as much as the liver, and there is no new one"),
    Rule("not_measurable", "NE", asks("below_threshold"), _TABLE,
         "the hottest lesion of the baseline, SULpeak {baseline}, is below the threshold of measurable uptake"),
    Rule("cmr_unproven", PMR, asks("gone"), _TABLE,
         "no measured lesion can be told from the background, but something else is left or was not looked at"),
    Rule("incomparable", "NE", asks("incomparable"), _TABLE,
         "livers or uptake times of the two dates differ too much to compare the lesions", _ne_if_apart),
    Rule("pmd_glycolysis", PMD, asks("glycolysis_grown"), _TABLE,
         "the total lesion glycolysis is 75 % or more over the baseline"),
    Rule("pmd", PMD, grown, _TABLE,
         "the hottest lesion, SULpeak {sum}, is 30 % and 0.8 SUL or more over the reference (baseline {baseline})"),
    Rule("pmd_proven", PMD, grown_in_part, _TABLE,
         "a lesion was not measured, but another with SULpeak {sum} is 30 % and 0.8 SUL or more over the reference"),
    Rule("missing", "NE", missing, _TABLE, "SULpeak of {missing} of {targets} lesions could not be measured"),
    Rule("growing_lesion", SMD, asks("growing_lesion"), _TABLE,
         "the hottest lesion, SULpeak {sum}, fell by 30 % and 0.8 SUL, but another rose by as much", _smd_if_growing),
    Rule("pmr", PMR, asks("partial"), _TABLE,
         "the hottest lesion, SULpeak {sum}, is 30 % and 0.8 SUL or more below the baseline {baseline}"),
    Rule("smd", SMD, otherwise, _TABLE,
         "SULpeak {sum} of the hottest lesion is neither PMR nor PMD against the baseline {baseline}"),
)  # fmt: skip


def _apart(state: PercistState) -> Flags:
    return state.background.apart


def _uptake_time(state: PercistState) -> Flags:
    return state.background.uptake_time_differs


def _no_threshold(state: PercistState) -> Flags:
    return state.spread(at_baseline(state.block, state.background.threshold) == NO_NUMBER)


def _by_blood_pool(state: PercistState) -> Flags:
    by_liver, known = (
        at_baseline(state.block, level) != NO_NUMBER
        for level in (state.background.by_liver, state.background.threshold)
    )
    return state.spread(known & ~by_liver)


def _growing(state: PercistState) -> Flags:
    return state.growing_lesion & state.is_(state.judged, PMR, SMD)


def _progressed_by_size(state: PercistState) -> Flags:
    return state.is_(state.judged, CMR, PMR) & state.by_size("PD")


def _responded_by_size(state: PercistState) -> Flags:
    return state.is_(state.judged, PMD) & state.by_size("CR", "PR")


PERCIST_FLAGS: Final = (
    Rule("livers_incomparable", "", _apart, "2016",
         "the livers (or blood pools) of the two dates are more than 20 % of the larger one or 0.3 SUL apart"),
    Rule("uptake_time_differs", "", _uptake_time, _TABLE, "uptake times more than 15 minutes apart"),
    Rule("threshold_unknown", "", _no_threshold, _TABLE,
         "neither liver nor blood pool has a mean and a standard deviation at baseline: whether the lesion is "
         "measurable is not known"),
    Rule("threshold_by_blood_pool", "", _by_blood_pool, _TABLE,
         "threshold by the blood pool, twice its mean and its standard deviation (not confirmed against the paper)"),
    Rule("growing_lesion", "", _growing, _TABLE,
         "a lesion takes up 30 % and 0.8 SUL more than at baseline, though the hottest one fell"),
    Rule("progression_by_size", "", _progressed_by_size, _TABLE,
         "the sizes progress by RECIST 1.1: verify the metabolic response by a follow-up scan"),
    Rule("response_by_size", "", _responded_by_size, _TABLE,
         "the sizes respond by RECIST 1.1: verify the metabolic progression by a follow-up scan"),
)  # fmt: skip


@dataclass(frozen=True)
class Percist(Criterion):
    """PERCIST 1.0 as a criterion of the engine."""

    name: str = "percist"
    title: str = "PERCIST 1.0"
    source: str = "Wahl et al., J Nucl Med 2009;50(suppl 1):122S-150S"
    options: type[PercistOptions] = PercistOptions
    questions: tuple[Question[Any], ...] = (
        Question("new_lesion", NEW_LESION_RULES),
        Question("overall", PERCIST_RULES),
    )
    flags: tuple[Rule[Any], ...] = PERCIST_FLAGS
    numbers: tuple[Number, ...] = (*uptake_numbers("percist", "SUL"), Number("percist_threshold", "SUL"))
    needs: str = "sul_peak"
    words: Mapping[Response, str] | None = None
    scope: str = "PERCIST is for solid tumours on FDG-PET."
    measure: str = "SULpeak"

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> PercistState:
        """Return what the rules ask; lesions are read by their uptake."""
        background = Background(block)
        burden = uptake_burden(block, "sul_peak", np.maximum, background.liver)
        return PercistState(burden, background, options, self.questions, beside)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: SULpeak of the hottest lesion in thousandths."""
        threshold = state.background.threshold
        known = np.where(threshold == NO_NUMBER, NO_SUM, threshold)
        return {**uptake_values(self.prefix, state), f"{self.prefix}_threshold": known}


PERCIST: Final = Percist(words=METABOLIC_WORDS)
__all__ = ["PERCIST", "PERCIST_FLAGS", "PERCIST_RULES", "Percist", "PercistOptions", "PercistState"]
