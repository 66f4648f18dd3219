"""RANO 2.0: response of gliomas on MRI, with corticosteroids and clinical status.

Source: Wen et al., J Clin Oncol 2023;41:5187-5199, doi:10.1200/JCO.23.01059. The sum of products of the targets (or of
their volumes) is judged against the baseline for response and against its smallest value for progression. The baseline
is the MRI about four weeks after radiotherapy in newly diagnosed tumours, that before treatment in recurrent ones:
mark it.

Confirmed in public tables, for RANO 2010 and RANO-LGG: 50 % and 25 % of the products, new lesions, four weeks for CR
and PR, minor response from 25 to below 50 % of non-enhancing tumours, 10 x 10 mm (PMC10584081, table 1); the rows of
corticosteroids and clinical status, and that disease which cannot be measured has no CR (PMC6655498, table 1); growth
counts on stable or increasing corticosteroids (PMC7984693, table 1); clinical decline alone is no progression in the
first 12 weeks after radiotherapy (PMC4530825, table 1). The MRI after radiotherapy as baseline and volumes stand in
PMC5398984. For RANO 2.0 itself: 65 % and 40 % of volumes (CFB-GBM v2.0, section 3.2; cai4cai/rano2.0-assist, whose
notes also say that a stable tumour on more corticosteroids is neither stable nor progressive until the dose is back).
Not found in a public source, and noted where they decide: 40 % of the volume for a minor response, and what confirms a
progression of the first 12 weeks after radiotherapy; here, that it still is one 4 weeks on.

Scope: gliomas of adults. Non-enhancing tissue does not count in an enhancing tumour; a tumour of both is not judged by
both at once. Minor response is SD with a rule of its own, for the categories of best response have no place for it.
A new lesion outside the radiation field, which may be progression at once, and immunotherapy are not here; brain
metastases are in `rano_bm`.
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
from response.criteria.burden import NO_SUM, lesion_classes
from response.criteria.criterion import Criterion, Number, State
from response.criteria.rano_state import RanoState, of_tissue, rano_burden
from response.criteria.recist import NEW_LESION_RULES
from response.criteria.rules import Flags, Question, Rule, answered, asks, chosen
from response.criteria.some_lesions import lesions_of_series
from response.criteria.sums import (
    ADJUDICATE_CR,
    all_gone,
    baseline_incomplete,
    grown,
    grown_in_part,
    missing,
    no_targets,
    otherwise,
    rounded_area,
    shrunk,
)
from response.protocol import option
from response.vocabulary import UNCONFIRMED_PD

NAME: Final = "rano-2.0"
PREFIX: Final = "rano_2_0"
MOST_TARGETS: Final = 3


@dataclass(frozen=True, kw_only=True)
class RanoOptions(BrainOptions):
    """Every point that RANO 2.0 leaves open, with the default and why."""

    rano_tissue: str = option("enhancing", "what of the tumour is followed", choices=("enhancing", "non_enhancing"))
    rano_measure: str = option(
        "products", "what is summed: products of two diameters, or volume_mm3", choices=("products", "volume")
    )
    rano_radiotherapy_weeks: int = option(
        12, "weeks after the end of radiotherapy in which a progression has to be confirmed; 0: never", minimum=0
    )
    rano_confirm_days: int = option(28, "smallest number of days to the confirming scan, inclusive", minimum=0)
    rano_early_deterioration: str = option(
        "unconfirmed",
        "clinical deterioration in those weeks: no progression by itself (RANO 2010), or progression",
        choices=("unconfirmed", "pd"),
    )
    rano_more_steroids: str = option(
        "sd",
        "response or stable tumour on more corticosteroids than at baseline: stable with a note, or not evaluable",
        choices=("sd", "ne"),
    )


TARGET_RULES: Final = (
    Rule("no_targets", "NA", no_targets, "measurable disease", "no target of the tissue that is followed at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "measurable disease",
         "a target was not measured at baseline"),
    Rule("cr", "CR", all_gone, "CR", "all targets are gone"),
    Rule("pd", "PD", grown, "PD", "the sum {sum} is {growth_percent} % over its smallest value {nadir}"),
    Rule("pd_proven", "PD", grown_in_part, "PD",
         "the measured part alone, {sum}, is {growth_percent} % over the smallest sum {nadir}"),
    Rule("missing", "NE", missing, "not evaluable", "{missing} of {targets} targets could not be measured"),
    Rule("pr", "PR", shrunk, "PR", "the sum {sum} is {shrinkage_percent} % below the baseline {baseline}"),
    Rule("minor_response", "SD", asks("minor"), "MR",
         "minor response: the sum {sum} is {shrinkage_percent} % below {baseline}",
         chosen("rano_tissue", "non_enhancing")),
    Rule("sd", "SD", otherwise, "SD", "the sum {sum} changed by {change_percent} % from the baseline {baseline}"),
)  # fmt: skip


# --- Overall response


def _holds_on_more(state: RanoState) -> Flags:
    return state.is_("target", "CR", "PR", "SD") & state.status.more


def _only_others(state: RanoState) -> Flags:
    return state.is_("target", "NA") & state.is_("non_target", "Non-CR/Non-PD", "CR")


OVERALL_RULES: Final = (
    Rule("pd_unconfirmed", UNCONFIRMED_PD, asks("open"), "PD, 12 weeks",
         "progression within 12 weeks after radiotherapy, still to be confirmed"),
    Rule("pd_confirmed", "PD", asks("confirmed"), "PD, 12 weeks",
         "progression that began within 12 weeks after radiotherapy and still is one four weeks later"),
    Rule("clinical_unconfirmed", UNCONFIRMED_PD, asks("open_deterioration"), "PD, 12 weeks",
         "clinical deterioration within 12 weeks after radiotherapy, without progression on MRI",
         chosen("rano_early_deterioration", "unconfirmed")),
    Rule("clinical_pd", "PD", deteriorated, "PD", "clinical deterioration"),
    Rule("new_lesion", "PD", answered("new_lesion", "Yes"), "PD", "a new lesion"),
    Rule("target_pd", "PD", answered("target", "PD"), "PD", "{target}"),
    Rule("non_target_pd", "PD", answered("non_target", "PD"), "PD", "{non_target}"),
    Rule("relapse_after_cr", "PD", asks("relapse"), "PD", "disease is back after complete response", relapse_is_pd),
    Rule("nothing_to_follow", "NE", asks("no_disease_at_baseline"), "measurable disease",
         "no lesion was recorded at baseline"),
    Rule("cr", "CR", asks("is_cr"), "CR", "all disease is gone, without corticosteroids, and there is no new lesion"),
    Rule("target_ne", "NE", answered("target", "NE"), "not evaluable", "{target}"),
    Rule("more_steroids_ne", "NE", _holds_on_more, "SD",
         "the targets do not progress, but on more corticosteroids than at baseline: neither response nor stable",
         chosen("rano_more_steroids", "ne")),
    Rule("pr", "PR", partial, "PR", "{target}"),
    Rule("cr_unproven", "PR", responds_on_no_more, "CR",
         "the targets are gone, but corticosteroids are taken or not recorded, or something else is left or was not "
         "looked at"),
    Rule("more_steroids", "SD", responds, "PR", "the targets respond, but on more corticosteroids than at baseline"),
    Rule("sd", "SD", answered("target", "SD"), "SD", "{target}"),
    Rule("non_target_only", "SD", _only_others, "SD, non-measurable disease",
         "{non_target}, but nothing could be measured at baseline, which allows no more than stable disease"),
    Rule("non_target_ne", "NE", otherwise, "not evaluable", "{non_target}, and there is no target"),
)  # fmt: skip
RANO_QUESTIONS: Final = (
    Question("target", TARGET_RULES),
    Question("non_target", BRAIN_NON_TARGET_RULES),
    Question("new_lesion", NEW_LESION_RULES),
    Question("overall", OVERALL_RULES),
)


# --- Flags


def _minor_response(state: RanoState) -> Flags:
    if state.options.rano_tissue == "enhancing":
        return np.zeros(state.shape, np.bool_)
    return np.asarray(state.is_("target", "SD") & state.minor & state.is_("overall", "SD"))


def _minor_by_volume(state: RanoState) -> Flags:
    return np.asarray(_minor_response(state) & (state.options.rano_measure == "volume"))


def _by_early_rule(state: RanoState) -> Flags:
    return state.open | state.confirmed


def _grown_on_less(state: RanoState) -> Flags:
    return np.asarray(state.is_("target", "PD") & state.status.tapered)


def _too_many(state: RanoState) -> Flags:
    return state.spread(lesions_of_series(state.block, state.targets_at_baseline) > MOST_TARGETS)


def _below_measurable(state: RanoState) -> Flags:
    return state.spread(lesions_of_series(state.block, state.below_measurable) > 0)


def _baseline_too_early(state: RanoState) -> Flags:
    return state.spread(state.baseline_too_early)


RANO_FLAGS: Final = (
    ADJUDICATE_CR,
    Rule("minor_response", "", _minor_response, "MR", "minor response of a non-enhancing tumour, told as SD"),
    Rule("minor_volume_not_confirmed", "", _minor_by_volume, "volumes",
         "40 % of the volume for a minor response was not confirmed against the paper"),
    Rule("confirmation_not_confirmed", "", _by_early_rule, "PD, 12 weeks",
         "what confirms a progression soon after radiotherapy was not confirmed against the paper"),
    *STATUS_FLAGS,
    Rule("growth_on_fewer_steroids", "", _grown_on_less, "PD",
         "the sum has grown on fewer corticosteroids than before, while growth counts on stable or increasing ones"),
    Rule("more_than_three_targets", "", _too_many, "measurable disease", "more than three targets"),
    Rule("target_below_measurable_size", "", _below_measurable, "measurable disease",
         "a target below 10 x 10 mm at baseline"),
    Rule("baseline_before_radiotherapy_end", "", _baseline_too_early, "baseline",
         "the baseline is before the end of radiotherapy: mark the first MRI after it as baseline"),
)  # fmt: skip


@dataclass(frozen=True)
class Rano(Criterion):
    """RANO 2.0 as a criterion of the engine."""

    name: str = NAME
    title: str = "RANO 2.0"
    source: str = "Wen et al., J Clin Oncol 2023;41:5187-5199"
    options: type[RanoOptions] = RanoOptions
    questions: tuple[Question[Any], ...] = RANO_QUESTIONS
    flags: tuple[Rule[Any], ...] = RANO_FLAGS
    numbers: tuple[Number, ...] = (
        *(Number(f"{PREFIX}_{name}", "mm2") for name in ("sum", "baseline", "nadir")),
        Number(f"{PREFIX}_unmeasured", "count"),
    )
    offered: bool = False
    scope: str = "RANO 2.0 is for gliomas of adults on MRI."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> RanoState:
        """Return what the rules ask; lesions are read again, by tissue and measure."""
        return RanoState(rano_burden(block, options, beside), options, self.questions)

    def followed(self, block: Block, options: Any) -> Flags:
        """Return the lesions but for targets of the other tissue, `[track]`."""
        return of_tissue(block, lesion_classes(block), options)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint in thousandths: sums of products in mm2, or of volumes in mm3."""
        burden = state.burden
        sums = {"sum": burden.sum_um, "baseline": burden.baseline_um, "nadir": burden.nadir_um}
        if state.options.rano_measure == "products":
            sums = {name: np.where(area == NO_SUM, NO_SUM, rounded_area(area)) for name, area in sums.items()}
        shown = {f"{PREFIX}_{name}": np.asarray(np.broadcast_to(found, state.shape)) for name, found in sums.items()}
        return {**shown, f"{PREFIX}_unmeasured": state.unmeasured}


RANO: Final = Rano()
__all__ = ["RANO", "Rano", "RanoOptions", "RanoState"]
