"""RANO-BM: response of brain metastases on MRI, with corticosteroids and clinical status; the brain stands by itself.

Source: Lin et al., Lancet Oncol 2015;16:e270-e278, doi:10.1016/S1470-2045(15)70057-4. The sum of the longest diameters
of up to five targets in the central nervous system is judged against the baseline for response and against its smallest
value for progression. Confirmed in public tables: the rows of targets, non-targets, new lesions, corticosteroids and
clinical status (PMC6499019, table 4); 30 % and 20 %, at least one lesion grown by 5 mm, four weeks for CR and PR, new
lesions under immunotherapy (PMC7251532, table 2); targets of 10 mm, and 5 mm across, up to five (radiopaedia.org,
RANO-BM).

Not in a source, and so our reading: what the 5 mm of a lesion are judged against (its own smallest diameter, noted
where it decides), and that a lesion without an organ is one of the central nervous system.

Scope: metastases of the brain and spinal cord; what stands elsewhere in the body does not count, and RECIST 1.1 beside
it has those.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.brain_rules import (
    BRAIN_NON_TARGET_RULES,
    STATUS_FLAGS,
    BrainOptions,
    deteriorated,
    partial,
    relapse_is_pd,
    responds,
    responds_on_no_more,
)
from response.criteria.criterion import Criterion, Number, State
from response.criteria.rano_bm_state import RANO_BM_TEST, RanoBmState, cns_burden, of_cns
from response.criteria.recist import NEW_LESION_RULES
from response.criteria.rules import Flags, Question, Rule, answered, asks, chosen
from response.criteria.some_lesions import lesions_of_series
from response.criteria.sums import (
    ADJUDICATE_CR,
    all_gone,
    baseline_incomplete,
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

NAME: Final = "rano-bm"
PREFIX: Final = "rano_bm"
MOST_TARGETS: Final = 5


@dataclass(frozen=True, kw_only=True)
class RanoBmOptions(BrainOptions):
    """Every point that RANO-BM leaves open, with the default and why."""

    rano_bm_new_lesion: str = option(
        "pd", "a new lesion by itself: progression, or none (immunotherapy)", choices=("pd", "no_pd")
    )


TARGET_RULES: Final = (
    Rule("no_targets", "NA", no_targets, "measurable disease", "no target in the central nervous system at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "measurable disease",
         "a target was not measured at baseline"),
    Rule("cr", "CR", all_gone, "target lesions, CR", "all targets are gone"),
    Rule("pd", "PD", grown, "target lesions, PD",
         "the sum {sum} mm is {growth_percent} % over the nadir {nadir} mm, and a target has grown by 5 mm"),
    Rule("pd_proven", "PD", grown_in_part, "target lesions, PD",
         "the measured part alone, {sum} mm, is {growth_percent} % over the nadir {nadir} mm, and a target has grown "
         "by 5 mm"),
    Rule("missing", "NE", missing, "not evaluable", "{missing} of {targets} targets could not be measured"),
    Rule("pr", "PR", shrunk, "target lesions, PR",
         "the sum {sum} mm is {shrinkage_percent} % below the baseline {baseline} mm"),
    Rule("sd", "SD", otherwise, "target lesions, SD",
         "the sum {sum} mm is neither 30 % below the baseline {baseline} mm nor 20 % over the nadir {nadir} mm with a "
         "target grown by 5 mm"),
)  # fmt: skip


# --- Overall response


def _held_by_new_lesion(state: RanoBmState) -> Flags:
    return responds(state) & state.is_("new_lesion", "Yes")


def _only_others(state: RanoBmState) -> Flags:
    return state.is_("target", "NA") & state.is_("non_target", "Non-CR/Non-PD")


def _others_gone_on_steroids(state: RanoBmState) -> Flags:
    gone = state.is_("target", "NA") & state.is_("non_target", "CR")
    return gone & state.no_new_lesion & ~state.status.without


OVERALL_RULES: Final = (
    Rule("clinical_pd", "PD", deteriorated, "PD", "clinical deterioration"),
    Rule("new_lesion", "PD", answered("new_lesion", "Yes"), "PD", "a new lesion of the central nervous system",
         chosen("rano_bm_new_lesion", "pd")),
    Rule("target_pd", "PD", answered("target", "PD"), "PD", "{target}"),
    Rule("non_target_pd", "PD", answered("non_target", "PD"), "PD", "{non_target}"),
    Rule("relapse_after_cr", "PD", asks("relapse"), "PD", "disease is back after complete response", relapse_is_pd),
    Rule("nothing_to_follow", "NE", asks("no_disease_at_baseline"), "measurable disease",
         "no lesion of the central nervous system was recorded at baseline"),
    Rule("cr", "CR", asks("is_cr"), "CR", "all lesions are gone, without corticosteroids, and there is no new lesion"),
    Rule("target_ne", "NE", answered("target", "NE"), "not evaluable", "{target}"),
    Rule("new_lesion_bars_response", "SD", _held_by_new_lesion, "new lesions, immunotherapy",
         "the targets respond, but there is a new lesion, which by itself is no progression",
         chosen("rano_bm_new_lesion", "no_pd")),
    Rule("pr", "PR", partial, "PR", "{target}"),
    Rule("cr_unproven", "PR", responds_on_no_more, "CR",
         "the targets are gone, but corticosteroids are taken or not recorded, or something else is left or was not "
         "looked at"),
    Rule("more_steroids", "SD", responds, "PR", "the targets respond, but on more corticosteroids than at baseline"),
    Rule("sd", "SD", answered("target", "SD"), "SD", "{target}"),
    Rule("non_target_only", "Non-CR/Non-PD", _only_others, "non-target lesions",
         "{non_target}, and there is no target"),
    Rule("non_target_cr_unproven", "Non-CR/Non-PD", _others_gone_on_steroids, "CR",
         "{non_target}, but corticosteroids are taken or not recorded"),
    Rule("non_target_ne", "NE", otherwise, "not evaluable", "{non_target}, and there is no target"),
)  # fmt: skip
RANO_BM_QUESTIONS: Final = (
    Question("target", TARGET_RULES),
    Question("non_target", BRAIN_NON_TARGET_RULES),
    Question("new_lesion", NEW_LESION_RULES),
    Question("overall", OVERALL_RULES),
)


# --- Flags


def _by_own_smallest(state: RanoBmState) -> Flags:
    return state.is_("target", "PD") & state.only_by_own_smallest


def _small_growth(state: RanoBmState) -> Flags:
    return state.sum_grown & ~state.lesion_grown & state.is_("target", "SD", "NE")


def _new_alone(state: RanoBmState) -> Flags:
    return state.is_("new_lesion", "Yes") & ~state.is_("overall", "PD")


def _too_many(state: RanoBmState) -> Flags:
    return state.spread(lesions_of_series(state.block, state.targets_at_baseline) > MOST_TARGETS)


def _below_measurable(state: RanoBmState) -> Flags:
    return state.spread(lesions_of_series(state.block, state.below_measurable) > 0)


def _no_organ(state: RanoBmState) -> Flags:
    return state.spread(state.without_organ)


RANO_BM_FLAGS: Final = (
    ADJUDICATE_CR,
    *STATUS_FLAGS,
    Rule("lesion_growth_by_our_reading", "", _by_own_smallest, "target lesions, PD",
         "a target has grown by 5 mm over its own smallest diameter, but not since the smallest sum (which of them "
         "counts stands in no source)"),
    Rule("no_lesion_grown_by_5_mm", "", _small_growth, "target lesions, PD",
         "the sum has grown by 20 %, but no target by 5 mm"),
    Rule("new_lesion_alone", "", _new_alone, "new lesions, immunotherapy", "a new lesion by itself is no progression"),
    Rule("more_than_five_targets", "", _too_many, "measurable disease", "more than five targets"),
    Rule("target_below_measurable_size", "", _below_measurable, "measurable disease",
         "a target below 10 mm, or below 5 mm across, at baseline"),
    Rule("organ_not_recorded", "", _no_organ, "our choice",
         "a lesion without an organ, taken for one of the central nervous system"),
)  # fmt: skip


@dataclass(frozen=True)
class RanoBm(Criterion):
    """RANO-BM as a criterion of the engine."""

    name: str = NAME
    title: str = "RANO-BM"
    source: str = "Lin et al., Lancet Oncol 2015;16:e270-e278"
    options: type[RanoBmOptions] = RanoBmOptions
    questions: tuple[Question[Any], ...] = RANO_BM_QUESTIONS
    flags: tuple[Rule[Any], ...] = RANO_BM_FLAGS
    numbers: tuple[Number, ...] = length_numbers(PREFIX)
    offered: bool = False
    scope: str = "RANO-BM is for metastases of the central nervous system; lesions elsewhere do not count."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> RanoBmState:
        """Return what the rules ask of the lesions of the central nervous system."""
        return RanoBmState(cns_burden(block, options, beside), options, self.questions, RANO_BM_TEST)

    def followed(self, block: Block, options: Any) -> Flags:  # noqa: ARG002
        """Return the lesions of the central nervous system, `[track]`."""
        return of_cns(block)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint in thousandths of a mm."""
        return length_values(PREFIX, state)


RANO_BM: Final = RanoBm()
__all__ = ["RANO_BM", "RanoBm", "RanoBmOptions", "RanoBmState"]
