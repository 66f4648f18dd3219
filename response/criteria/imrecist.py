"""imRECIST, immune-modified RECIST (and irRECIST): the sum of diameters with the measurable new lesions in it.

Source: Hodi et al., J Clin Oncol 2018;36:850-858, doi:10.1200/JCO.2017.75.1644; irRECIST: Nishino et al., Clin Cancer
Res 2013;19:3936-3943, and Bohnsack et al., Ann Oncol 2014;25(suppl 4):iv369. Confirmed in public sources: new lesions
do not define PD, measurable ones join the sum, non-targets only define CR, thresholds and limits are those of RECIST
1.1, and a PD is taken back by an assessment without PD at least four weeks later (PMC6942076, table 3; PMC6936240,
table 2). irRECIST is told in two ways: non-targets only define irCR (PMC6942076), or their progression is irPD
(PMC5994498, table 2): `imrecist_non_target_pd`. Not found: subjects without a target. There were some in a trial that
was read by irRECIST, one of whom progressed by a new lesion, and whose evaluation "may require further attention"
(Nishino et al., Clin Cancer Res 2017;23:4671-4679): here CR where all is gone, PD by new lesions that are measured,
Non-CR/Non-PD else, with a flag (`non_target_only`).

Scope: checkpoint inhibitors, first atezolizumab; iRECIST is what new trials use.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_DATE
from response.criteria.criterion import Criterion, Number, State
from response.criteria.recist import PD_INCREASE_UM
from response.criteria.rules import Flags, Question, Rule, asks
from response.criteria.sums import (
    SumTest,
    baseline_incomplete,
    burden_beside,
    counting_lengths,
    length_numbers,
    length_values,
    missing,
    otherwise,
    shrunk,
)
from response.criteria.total_burden import (
    NON_TARGET_ONLY,
    NewLimits,
    TotalBurdenOptions,
    TotalState,
    confirmed,
    measured_gone,
    needs_confirmation,
    new_measured,
    non_target_progression,
    non_targets_left,
    non_targets_only,
    only_gone,
    other_new,
    progresses,
    unjudged,
    without_confirmation,
)
from response.protocol import option
from response.readings import TARGET_NODE_UM
from response.vocabulary import NON_CR_NON_PD, UNCONFIRMED_PD

NAME: Final = "imrecist"
IMRECIST_TEST: Final = SumTest(partial=(7, 10), progressive=(6, 5), least=PD_INCREASE_UM)  # those of RECIST 1.1
MEASURABLE_UM: Final = 10_000  # smallest new lesion that joins the sum; nodes: 15 mm (RECIST 1.1, section 3.1)
NEW_LIMITS: Final = NewLimits(of_organ=2, most=5)
LATEST_DAYS: Final = 84  # irRECIST: confirmed at least 4 and at most 12 weeks later (PMC6600249, table 2)


@dataclass(frozen=True, kw_only=True)
class ImrecistOptions(TotalBurdenOptions):
    """Every point that imRECIST and irRECIST leave open, with the default and why."""

    imrecist_non_target_pd: bool = option(
        False,
        "whether unequivocal progression of a non-target is PD (irRECIST by some accounts); imRECIST: it only bars CR",
        choices=(True, False),
    )
    confirmation: bool = option(
        False, "whether the confirmed best response is the headline; both are always computed", choices=(True, False)
    )


class ImrecistState(TotalState):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`, lengths in micrometres."""

    @property
    def other_progression(self) -> Flags:
        """Progression of a non-target, where it counts."""
        return self.non_target_progression if self.options.imrecist_non_target_pd else super().other_progression

    @property
    def late(self) -> Flags:
        """The progression is confirmed more than twelve weeks after it began."""
        days = self.block.cell_values(self.block.timeline.visits.first_scan, NO_DATE).astype(np.int64)
        then = np.take_along_axis(days, np.maximum(self.began, 0), axis=1)
        known = (days != NO_DATE) & (then != NO_DATE)
        return np.asarray(self.confirmed & known & (days - then > LATEST_DAYS))


def _size_of_new(block: Block, tracks: NDArray[np.intp]) -> tuple[NDArray[np.int64], Flags]:
    length, nodal = counting_lengths(block, tracks), block.timeline.tracks.nodal[block.track_slice][tracks, None]
    return length, np.asarray(length >= np.where(nodal, TARGET_NODE_UM, MEASURABLE_UM))


def _of_sum(condition: Callable[[ImrecistState], Flags]) -> Callable[[ImrecistState], Flags]:
    return lambda state: condition(state) & state.proven


_GROWN: Final = "the total sum {sum} mm is {growth} mm ({growth_percent} %) over the nadir {nadir} mm"
_NON_TARGET: Final = "unequivocal progression of a non-target lesion"


IMRECIST_RULES: Final = (
    Rule("no_targets", "NE", unjudged, "our choice", "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "RECIST 1.1, 4.4.2",
         "a target lesion was not measured at baseline"),
    Rule("pd", "PD", _of_sum(progresses), "2018, PD", _GROWN, without_confirmation),
    Rule("pd_non_target", "PD", progresses, "irRECIST", _NON_TARGET, without_confirmation),
    Rule("pd_confirmed", "PD", _of_sum(confirmed), "2018, PD", _GROWN + ", again after four weeks", needs_confirmation),
    Rule("pd_non_target_confirmed", "PD", confirmed, "irRECIST", _NON_TARGET + ", after progression four weeks before",
         needs_confirmation),
    Rule("pd_unconfirmed", UNCONFIRMED_PD, _of_sum(progresses), "2018, PD", _GROWN + ", still to be confirmed",
         needs_confirmation),
    Rule("pd_non_target_unconfirmed", UNCONFIRMED_PD, progresses, "irRECIST", _NON_TARGET + ", still to be confirmed",
         needs_confirmation),
    Rule("missing", "NE", missing, "RECIST 1.1, 4.4.2", "{missing} measured lesions could not be assessed"),
    Rule("cr", "CR", only_gone, "2018, CR", "all lesions are gone and there is no new one"),
    Rule("non_target_left", NON_CR_NON_PD, non_targets_left, "our choice",
         "there is no target lesion, and not all lesions are gone, which only bars CR"),
    Rule("non_target_missing", "NE", non_targets_only, "our choice",
         "there is no target lesion, and not all non-target lesions, or not everything new, could be assessed"),
    Rule("pr_unmeasured_left", "PR", measured_gone, "2018, PR",
         "what is measured is gone, but a non-target or new lesion is there or was not assessed"),
    Rule("pr", "PR", shrunk, "2018, PR",
         "the total sum {sum} mm is {shrinkage_percent} % below the baseline {baseline} mm"),
    Rule("sd", "SD", otherwise, "2018, SD",
         "the total sum {sum} mm is neither 30 % below the baseline {baseline} mm nor PD over the nadir {nadir} mm"),
)  # fmt: skip
IMRECIST_FLAGS: Final = (
    Rule("non_target_progression", "", non_target_progression, "2018", _NON_TARGET),
    Rule("new_lesion_not_measured", "", other_new, "2018", "a new lesion that is not measured only bars CR"),
    Rule("late_confirmation", "", asks("late"), "irRECIST",
         "progression confirmed more than twelve weeks after it began"),
    NON_TARGET_ONLY,
)  # fmt: skip


@dataclass(frozen=True)
class Imrecist(Criterion):
    """imRECIST as a criterion of the engine."""

    name: str = NAME
    title: str = "imRECIST"
    source: str = "Hodi et al., J Clin Oncol 2018;36:850-858"
    options: type[ImrecistOptions] = ImrecistOptions
    questions: tuple[Question[Any], ...] = (Question("overall", IMRECIST_RULES),)
    flags: tuple[Rule[Any], ...] = IMRECIST_FLAGS
    numbers: tuple[Number, ...] = length_numbers(NAME)
    offered: bool = False
    test: SumTest = IMRECIST_TEST
    measure: str = "total burden"

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> ImrecistState:
        """Return what the rules ask; lesions are read again, by its own options."""
        burden = burden_beside(block, options, beside)
        new = new_measured(burden, _size_of_new, NEW_LIMITS)
        return ImrecistState(burden, new, options, self.questions, self.test)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: the total sum in thousandths of a mm."""
        return length_values(self.prefix, state)


IMRECIST: Final = Imrecist()
__all__ = ["IMRECIST", "Imrecist", "ImrecistOptions"]
