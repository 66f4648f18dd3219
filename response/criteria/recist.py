"""RECIST 1.1: target, non-target, new-lesion and overall response at each timepoint.

Source: Eisenhauer et al., Eur J Cancer 2009;45:228-247, doi:10.1016/j.ejca.2008.10.026.
Section and table numbers below are of that paper; "FAQ" is the EORTC list of questions on RECIST 1.1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.burden import Fact
from response.criteria.criterion import Criterion, Number
from response.criteria.recist_options import CombinationOptions, RecistOptions
from response.criteria.recist_state import CONTINUED, RecistState, burden_beside, recist_burden
from response.criteria.rules import Flags, Question, Rule, answered, asks, chosen, otherwise
from response.criteria.sum_tests import SumTest

PD_INCREASE_UM: Final = 5_000  # at least 5 mm over the nadir, section 4.3.1
RECIST_TEST: Final = SumTest(partial=(7, 10), progressive=(6, 5), least=PD_INCREASE_UM)  # -30 %, +20 %, inclusive
BORDERLINE_UM: Final = 1_000  # within 1 mm of a threshold is worth a second look (our choice)
BORDERLINE_PERCENT: Final = 2  # within 2 percentage points of one, likewise


def shows(facts: Fact) -> Callable[[RecistState], Flags]:
    """Return the condition that any lesion shows one of some facts."""
    return lambda state: state.burden.has(facts)


# --- Target lesions (section 4.3.1); the order is the clinical precedence.


def _complete(state: RecistState) -> Flags:
    return state.all_assessed & state.all_gone


def _progressive(state: RecistState) -> Flags:
    return state.all_assessed & state.proven


def _reappeared(state: RecistState) -> Flags:
    return state.had_target_cr & ~state.all_gone


def _missing(state: RecistState) -> Flags:
    return ~state.all_assessed


def _bounded_partial(state: RecistState) -> Flags:
    # The best case, with the missing lesions at 0, must be PR too and not CR.
    worst_pr = state.test.responded(state.burden.upper_um, state.burden.baseline_um)
    return ~state.all_assessed & worst_pr & ~_worst_pd(state) & ~state.all_gone


def _bounded_stable(state: RecistState) -> Flags:
    # The best case must be SD too: neither PR nor, with nothing left but normal nodes, CR.
    return ~state.all_assessed & ~state.partial & ~_worst_pd(state) & ~state.all_gone


def _worst_pd(state: RecistState) -> Flags:
    return state.test.grown(state.burden.upper_um, state.reference)


def _unless(key: str, value: Any) -> Callable[[Any], bool]:
    return lambda options: getattr(options, key) != value


TARGET_RULES: Final = (
    Rule("no_targets", "NA", asks("no_targets"), "4.3.1", "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", asks("baseline_incomplete"), "4.4.2",
         "a target lesion was not measured at baseline"),
    Rule("cr", "CR", _complete, "4.3.1", "all target lesions are gone (nodes below 10 mm)"),
    Rule("pd", "PD", _progressive, "4.3.1",
         "the sum {sum} mm is {growth} mm ({growth_percent} %) over the nadir {nadir} mm"),
    Rule("pd_proven", "PD", asks("proven"), "4.4.2",
         "the measured part alone, {sum} mm, is {growth} mm ({growth_percent} %) over the nadir {nadir} mm",
         _unless("missing_target_policy", "always_ne")),
    Rule("reappeared", "PD", _reappeared, "4.3.1", "a target lesion is back after all were gone",
         chosen("target_reappearance", "pd")),
    Rule("bounded_pr", "PR", _bounded_partial, "4.4.2",
         "{missing} of {targets} target lesions could not be assessed, but PR holds at their largest values",
         chosen("missing_target_policy", "bounded")),
    Rule("bounded_sd", "SD", _bounded_stable, "4.4.2",
         "{missing} of {targets} target lesions could not be assessed, but neither PR nor PD is within their bounds",
         chosen("missing_target_policy", "bounded")),
    Rule("missing", "NE", _missing, "4.4.2", "{missing} of {targets} target lesions could not be assessed"),
    Rule("pr", "PR", asks("partial"), "4.3.1",
         "the sum {sum} mm is {shrinkage_percent} % below the baseline {baseline} mm"),
    Rule(CONTINUED, "PR", asks("continues_pr"), "FAQ managing PR",
         "the sum {sum} mm no longer reaches PR, but it is no PD either, so the earlier PR goes on",
         chosen("sticky_pr", "eortc_continue")),
    Rule("sd", "SD", otherwise, "4.3.1",
         "the sum {sum} mm is neither 30 % below baseline ({baseline} mm) nor 20 % and 5 mm over nadir ({nadir} mm)"),
)  # fmt: skip
TARGET_NAMES: Final[Mapping[str, int]] = {rule.name: index for index, rule in enumerate(TARGET_RULES)}


# --- Non-target lesions (section 4.3.3)

NON_TARGET_RULES: Final = (
    Rule("no_non_targets", "NA", asks("no_non_targets"), "4.3.3", "no non-target lesion was recorded at baseline"),
    Rule("pd", "PD", shows(Fact.NON_TARGET_PROGRESSION), "4.3.4", "unequivocal progression of a non-target lesion"),
    Rule("partly_present", "Non-CR/Non-PD", shows(Fact.NON_TARGET_PRESENT), "4.3.3", "a non-target lesion persists",
         chosen("nt_partial_ne", "noncr_if_any_present")),
    Rule("missing", "NE", shows(Fact.NON_TARGET_MISSING), "table 2", "not all non-target lesions were evaluated"),
    Rule("non_cr_non_pd", "Non-CR/Non-PD", shows(Fact.NON_TARGET_PRESENT | Fact.NON_TARGET_UNPROVEN), "4.3.3",
         "a non-target lesion persists"),
    Rule("marker_above", "Non-CR/Non-PD", asks("markers_above"), "4.3.3", "a tumour marker is above normal"),
    Rule("cr", "CR", otherwise, "4.3.3", "all non-target lesions are gone (nodes below 10 mm)"),
)  # fmt: skip


# --- New lesions (section 4.3.5)

NEW_LESION_RULES: Final = (
    Rule("unequivocal", "Yes", asks("new_unequivocal"), "4.3.5", "an unequivocal new lesion"),
    Rule("not_evaluable", "NE", asks("new_not_evaluable"), "4.4.2", "new lesions could not be looked for everywhere"),
    Rule("equivocal", "Equivocal", asks("new_equivocal"), "4.3.5", "an equivocal new lesion, to be assessed again"),
    Rule("none", "No", otherwise, "4.3.5", "no new lesion"),
)  # fmt: skip


# --- Overall response (tables 1 and 2, in their order)


def _ned_not_evaluable(state: RecistState) -> Flags:
    if not state.options.new_ne_blocks_cr:
        return state.no_disease_at_baseline & ~state.block.done
    return state.no_disease_at_baseline & state.is_("new_lesion", "NE")


def _unfollowed(state: RecistState) -> Flags:
    return state.no_disease_at_baseline & state.spread(state.burden.has_unfollowed)


def _persists(state: RecistState) -> Flags:
    return state.is_("target", "NA") & state.is_("non_target", "Non-CR/Non-PD")


def _target_cr_and(category: str) -> Callable[[RecistState], Flags]:
    return lambda state: state.is_("target", "CR") & state.is_("non_target", category)


OVERALL_RULES: Final = (
    Rule("new_lesion", "PD", answered("new_lesion", "Yes"), "table 1, row 9", "a new lesion"),
    Rule("target_pd", "PD", answered("target", "PD"), "table 1, row 7", "progression of the target lesions: {target}"),
    Rule("non_target_pd", "PD", answered("non_target", "PD"), "table 1, row 8", "{non_target}"),
    Rule("relapse_after_cr", "PD", asks("relapse"), "table 3, footnote a", "disease is back after complete response",
         chosen("post_cr_disease", "pd")),
    Rule("ned_not_evaluable", "NE", _ned_not_evaluable, "convention (NED)",
         "no disease at baseline, and new lesions could not be looked for"),
    Rule("no_lesion_to_follow", "NE", _unfollowed, "convention (NED)",
         "no target or non-target lesion of the baseline can be followed"),
    Rule("ned", "NED", asks("no_disease_at_baseline"), "convention (NED)", "no disease at baseline and no new lesion"),
    Rule("cr", "CR", asks("is_cr"), "table 1, row 1; table 2, row 1",
         "all known disease is gone and there is no new lesion"),
    Rule("non_cr_non_pd", "Non-CR/Non-PD", _persists, "table 2, row 2", "{non_target}, and there is no target lesion"),
    Rule("non_target_only_ne", "NE", answered("target", "NA"), "table 2, row 3",
         "{non_target}; new lesions: {new_lesion}"),
    Rule("target_cr_non_target_persists", "PR", _target_cr_and("Non-CR/Non-PD"), "table 1, row 2",
         "the target lesions are gone, but {non_target}"),
    Rule("target_cr_non_target_ne", "PR", _target_cr_and("NE"), "table 1, row 3",
         "the target lesions are gone, but {non_target}"),
    Rule("target_cr_unproven", "PR", answered("target", "CR"), "table 1, row 3",
         "the target lesions are gone, but a marker is above normal or new lesions could not be looked for"),
    Rule("pr", "PR", answered("target", "PR"), "table 1, row 4", "{target}"),
    Rule("sd", "SD", answered("target", "SD"), "table 1, row 5", "{target}"),
    Rule("target_ne", "NE", otherwise, "table 1, row 6", "{target}"),
)  # fmt: skip

RECIST_QUESTIONS: Final = (
    Question("target", TARGET_RULES),
    Question("non_target", NON_TARGET_RULES),
    Question("new_lesion", NEW_LESION_RULES),
    Question("overall", OVERALL_RULES),
)


# --- Flags: all that hold count; none changes a category.


def _only_by_default(state: RecistState) -> Flags:
    if not state.burden.has(Fact.TARGET_DEFAULT).any():
        return np.zeros(state.shape, np.bool_)
    held = state.test.grown(state.burden.sum_um - state.burden.default_excess_um, state.reference)
    return state.is_("target", "PD") & ~held & state.proven


def _with_merger(state: RecistState) -> Flags:
    return state.is_("target", "PD") & state.burden.has(Fact.MERGED)


def _maintained(state: RecistState) -> Flags:
    return state.continues_pr & state.is_("target", "PR", "SD", "CR") & ~state.is_("overall", "PD")


def _after_cr(state: RecistState) -> Flags:
    return state.had_cr & state.disease


def _node_after_cr(state: RecistState) -> Flags:
    return state.had_cr & state.only_nodes


def _borderline(state: RecistState) -> Flags:
    burden, test = state.burden, state.test
    sums, base, reference = burden.sum_um, burden.baseline_um, state.reference
    growth, (less, of), (more, per) = sums - reference, test.partial, test.progressive
    from_pr, from_pd = abs(of * sums - less * base), abs(per * sums - more * reference)
    near_pr = (from_pr <= of * BORDERLINE_UM) | (100 * from_pr <= BORDERLINE_PERCENT * of * base)
    near_pd = (from_pd <= per * BORDERLINE_UM) | (100 * from_pd <= BORDERLINE_PERCENT * per * reference)
    near_pd = near_pd & (growth >= test.least - BORDERLINE_UM)
    near_step = (abs(growth - test.least) <= BORDERLINE_UM) & (per * sums >= more * reference)
    return (near_pr | near_pd | near_step) & burden.all_assessed & ~state.no_targets & ~state.baseline_incomplete


def _suspected(state: RecistState) -> Flags:
    return state.burden.has(Fact.SUSPECTED) & ~state.is_("overall", "PD")


RECIST_FLAGS: Final = (
    Rule("pd_only_by_default_value", "", _only_by_default, "4.4", "PD only because a lesion too small counts 5 mm"),
    Rule("pd_with_merged_lesion", "", _with_merger, "4.4", "PD at a timepoint with a merged lesion in the sum"),
    Rule("response_maintained", "", _maintained, "FAQ managing PR", "an earlier response goes on"),
    Rule("adjudicate_cr", "", _after_cr, "table 3, footnote a", "disease after CR: review whether CR was true"),
    Rule("node_regrowth", "", _node_after_cr, "FAQ abnormal lymph node", "a node alone after CR: re-image first"),
    Rule("equivocal_new_lesion", "", asks("new_equivocal"), "4.3.5", "an equivocal new lesion: assess again"),
    Rule("equivocal_progression", "", _suspected, "4.4.4", "suspected progression of known disease: assess again"),
    Rule("borderline", "", _borderline, "", "within 1 mm or 2 % of a threshold"),
)  # fmt: skip


@dataclass(frozen=True)
class Recist11(Criterion):
    """RECIST 1.1 as a criterion of the engine."""

    name: str = "recist-1.1"
    title: str = "RECIST 1.1"
    source: str = "Eisenhauer et al., Eur J Cancer 2009;45:228-247"
    options: type[RecistOptions] = RecistOptions
    questions: tuple[Question[Any], ...] = RECIST_QUESTIONS
    flags: tuple[Rule[Any], ...] = RECIST_FLAGS
    numbers: tuple[Number, ...] = (Number("sum_mm", "mm"), Number("baseline_mm", "mm"), Number("nadir_mm", "mm"))
    test: SumTest = RECIST_TEST

    def state(self, block: Block, options: Any, beside: Mapping[str, Any]) -> RecistState:
        """Return what the rules ask, with the choices of value resolved."""
        return RecistState(burden_beside(block, options, beside), options, self.questions, self.test)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint in thousandths."""
        burden = state.burden
        baseline = np.broadcast_to(burden.baseline_um, state.shape)
        return {"sum_mm": burden.sum_um, "baseline_mm": baseline, "nadir_mm": burden.nadir_um}


RECIST_1_1: Final = Recist11()
__all__ = [
    "RECIST_1_1",
    "RECIST_TEST",
    "CombinationOptions",
    "Recist11",
    "RecistOptions",
    "RecistState",
    "burden_beside",
    "recist_burden",
]
