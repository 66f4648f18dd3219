"""RECIST 1.1: target, non-target, new-lesion and overall response at each timepoint.

Source: Eisenhauer et al., Eur J Cancer 2009;45:228-247, doi:10.1016/j.ejca.2008.10.026.
Section and table numbers below are of that paper; "FAQ" is the EORTC list of questions on RECIST 1.1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import Burden, Fact, before, ever_before, largest_fragment, lesion_classes
from response.criteria.criterion import Criterion, Number, State
from response.criteria.new_lesions import baseline_pet, has_pet_row, new_lesion_states, visit_codes
from response.criteria.rules import Flags, Question, Rule, in_category
from response.criteria.sum_tests import SumTest
from response.protocol import BestResponseOptions, option
from response.timeline import Block
from response.vocabulary import Markers, PetResult, VisitNewLesions

PD_INCREASE_UM: Final = 5_000  # at least 5 mm over the nadir, section 4.3.1
RECIST_TEST: Final = SumTest(partial=(7, 10), progressive=(6, 5), least=PD_INCREASE_UM)  # -30 %, +20 %, inclusive
BORDERLINE_UM: Final = 1_000  # within 1 mm of a threshold is worth a second look (our choice)
BORDERLINE_PERCENT: Final = 2  # within 2 percentage points of one, likewise


@dataclass(frozen=True, kw_only=True)
class CombinationOptions(BestResponseOptions):
    """What RECIST 1.1 leaves open about non-targets, new lesions and their combination with the targets (table 1).

    Criteria that measure the targets in another way, and combine them as RECIST 1.1 does, have these options too.
    """

    node_regrowth_after_cr: str = option(
        "pd_flagged",
        "a node of 10 mm or more as the only finding after CR: PD with a flag, or only by the sum",
        choices=("pd_flagged", "require_sum_rule"),
    )
    new_node_rule: str = option(
        "equivocal_10_15",
        "a new node: 10 to below 15 mm is equivocal (EORTC FAQ), 10 mm is enough, or 10 mm and 5 mm growth",
        choices=("equivocal_10_15", "literal_10", "pcwg3_like"),
    )
    backdate_pd: str = option(
        "date_only",
        "an equivocal finding that proves true: date the PD back, or relabel the timepoints too",
        choices=("date_only", "relabel_timepoints"),
    )
    nt_partial_ne: str = option(
        "literal",
        "some non-targets not evaluated: NE (table 2), or Non-CR/Non-PD if any is present",
        choices=("literal", "noncr_if_any_present"),
    )
    new_ne_blocks_cr: bool = option(
        True, "whether a search for new lesions that was not possible forbids CR", choices=(True, False)
    )
    use_markers: str = option(
        "if_supplied", "tumour markers in the non-target response", choices=("if_supplied", "on", "off")
    )
    use_pet: bool = option(False, "FDG-PET for new lesions (section 4.3.5)", choices=(True, False))


@dataclass(frozen=True, kw_only=True)
class RecistOptions(CombinationOptions):
    """Every point that RECIST 1.1 leaves open, with the default and why."""

    missing_target_policy: str = option(
        "pd_if_proven",
        "a missing target: PD where the measured part proves it (section 4.4.2), never, or within bounds",
        choices=("pd_if_proven", "always_ne", "bounded"),
    )
    tstm_may_prove_pd: bool = option(
        True, "whether the default of 5 mm for a lesion too small to measure may make a PD", choices=(True, False)
    )
    sticky_pr: str = option(
        "recompute",
        "a sum that no longer reaches PR: compute it anew, or continue the PR (EORTC FAQ)",
        choices=("recompute", "eortc_continue"),
    )
    target_reappearance: str = option(
        "sum_rule",
        "a target that comes back without overall CR before: the sum decides, or PD",
        choices=("sum_rule", "pd"),
    )
    node_slice_rule: str = option(
        "warn", "nodes on slices above 5 mm: warn, or ask for twice the slice", choices=("warn", "max_15_2x_slice")
    )
    node_split: str = option(
        "sum_short_axes",
        "a node that split: sum of its fragments, or the largest",
        choices=("sum_short_axes", "largest"),
    )
    cavity: str = option("include", "a cavity counts in the diameter (recorded only)", choices=("include", "exclude"))


class RecistState(State):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`, lengths in micrometres."""

    def __init__(
        self,
        burden: Burden,
        options: Any,
        questions: tuple[Question[Any], ...] | None = None,
        test: SumTest = RECIST_TEST,
    ) -> None:
        """Ask about a burden; criteria that combine their lesions as RECIST 1.1 does bring their own questions."""
        super().__init__(burden.block, RECIST_QUESTIONS if questions is None else questions)
        self.burden, self.options, self.test = burden, options, test

    @property
    def grown(self) -> Flags:
        """Progression of the targets."""
        return self.is_("target", "PD")

    @property
    def returned(self) -> Flags:
        """Disease is back after overall CR, and that is progression."""
        return self.relapse if self.options.post_cr_disease == "pd" else super().returned

    # --- targets

    @cached_property
    def no_targets(self) -> Flags:
        """No target was chosen at baseline."""
        return self.spread(~self.burden.has_targets)

    @cached_property
    def baseline_incomplete(self) -> Flags:
        """A target was not measured at baseline."""
        return self.spread(~self.burden.baseline_complete)

    @cached_property
    def all_assessed(self) -> Flags:
        """Every target was assessed."""
        return self.burden.all_assessed

    @cached_property
    def all_gone(self) -> Flags:
        """Each assessed target is absent, or a node with short axis below 10 mm."""
        return ~self.burden.has(Fact.TARGET_DISEASE)

    @cached_property
    def pd_sum_um(self) -> NDArray[np.int64]:
        """Sum that may prove PD: without the default values where the protocol says so."""
        sums = self.burden.sum_um
        return sums if self.options.tstm_may_prove_pd else sums - self.burden.default_excess_um

    @property
    def reference(self) -> NDArray[np.int64]:
        """Sum that growth is judged against: the smallest complete one before, or that of the baseline."""
        if self.test.from_baseline:
            return np.asarray(np.broadcast_to(self.burden.baseline_um, self.shape))
        return self.burden.nadir_um

    @cached_property
    def partial(self) -> Flags:
        """The sum has shrunk to a partial response."""
        return self.test.responded(self.burden.sum_um, self.burden.baseline_um)

    @cached_property
    def proven(self) -> Flags:
        """The measured part alone has grown to progression: what is missing could only add to it (section 4.4.2)."""
        return self.test.grown(self.pd_sum_um, self.reference)

    @cached_property
    def had_target_cr(self) -> Flags:
        """All targets were gone at an earlier timepoint."""
        gone = self.all_assessed & self.all_gone & self.block.follow_up
        return ever_before(gone & ~self.no_targets)

    @cached_property
    def continues_pr(self) -> Flags:
        """A PR or CR of the targets came before, and no PD since."""
        codes = _target_by_arithmetic(self)
        responded = in_category(TARGET_RULES, codes, "PR", "CR") & self.block.follow_up
        progressed = in_category(TARGET_RULES, codes, "PD") & self.block.follow_up
        place = np.arange(1, self.shape[1] + 1)
        last_response = before(np.maximum.accumulate(np.where(responded, place, 0), axis=1), 0)
        last_progress = before(np.maximum.accumulate(np.where(progressed, place, 0), axis=1), 0)
        return np.asarray(last_response > last_progress)

    # --- non-targets, new lesions

    @cached_property
    def markers_above(self) -> Flags:
        """A tumour marker that was above normal at baseline is not normal now."""
        if self.options.use_markers == "off":
            return np.zeros(self.shape, np.bool_)
        markers = visit_codes(self.block, "markers")
        at_baseline = self.burden.at_baseline(markers)
        known_above = (at_baseline == Markers.ABOVE) & (markers != Markers.NORMAL)  # not shown to be normal again
        unknown = (at_baseline == Markers.BLANK) | (at_baseline == Markers.NOT_DONE)
        return np.asarray(known_above | (unknown & (markers == Markers.ABOVE)))

    @cached_property
    def new_unequivocal(self) -> Flags:
        """An unequivocal new lesion has a row, or stands in the visit table."""
        by_visit = visit_codes(self.block, "new_lesions") == VisitNewLesions.UNEQUIVOCAL
        return np.asarray(
            self.burden.has(Fact.NEW_UNEQUIVOCAL) | by_visit | self._pet_turned_positive(PetResult.NEGATIVE)
        )

    @cached_property
    def new_equivocal(self) -> Flags:
        """An equivocal new lesion."""
        by_visit = visit_codes(self.block, "new_lesions") == VisitNewLesions.EQUIVOCAL
        return np.asarray(self.burden.has(Fact.NEW_EQUIVOCAL) | by_visit | self._pet_turned_positive(PetResult.BLANK))

    @cached_property
    def new_not_evaluable(self) -> Flags:
        """New lesions could not be looked for, or a known one was not assessed."""
        by_visit = visit_codes(self.block, "new_lesions") == VisitNewLesions.NOT_EVALUABLE
        return np.asarray(self.burden.has(Fact.NEW_MISSING) | by_visit | ~self.block.done)

    def _pet_turned_positive(self, at_baseline: PetResult) -> Flags:
        if not self.options.use_pet:
            return np.zeros(self.shape, np.bool_)
        positive = visit_codes(self.block, "pet") == PetResult.POSITIVE
        without_row = ~has_pet_row(self.block)
        return np.asarray(positive & without_row & (baseline_pet(self.block) == at_baseline))

    # --- overall

    @cached_property
    def no_non_targets(self) -> Flags:
        """No non-target was recorded at baseline."""
        return self.spread(~self.burden.has_non_targets)

    @cached_property
    def no_disease_at_baseline(self) -> Flags:
        """Neither a target nor a non-target was recorded at baseline."""
        return self.no_targets & self.no_non_targets

    @cached_property
    def no_new_lesion(self) -> Flags:
        """New lesions do not stand against CR."""
        allowed = ("No", "Equivocal") if self.options.new_ne_blocks_cr else ("No", "Equivocal", "NE")
        return self.is_("new_lesion", *allowed)

    @cached_property
    def is_cr(self) -> Flags:
        """Complete response by tables 1 and 2."""
        gone = self.is_("target", "CR", "NA") & self.is_("non_target", "CR", "NA") & ~self.no_disease_at_baseline
        marked = self.no_non_targets & self.markers_above
        unequivocal = self.new_unequivocal
        return gone & self.no_new_lesion & ~marked & ~unequivocal & self.block.follow_up

    @cached_property
    def had_cr(self) -> Flags:
        """Overall CR was assigned at an earlier timepoint."""
        return ever_before(self.is_cr)

    @cached_property
    def disease(self) -> Flags:
        """Some known lesion is there."""
        return self.burden.has(Fact.TARGET_DISEASE | Fact.NON_TARGET_PRESENT)

    @cached_property
    def only_nodes(self) -> Flags:
        """Nodes are the only disease."""
        return self.disease & ~self.burden.has(Fact.OTHER_DISEASE)

    @cached_property
    def relapse(self) -> Flags:
        """Disease is back after overall CR."""
        back = self.had_cr & self.disease
        return back & ~self.only_nodes if self.options.node_regrowth_after_cr == "require_sum_rule" else back


# --- Target lesions (section 4.3.1); the order is the clinical precedence.


def _no_targets(state: RecistState) -> Flags:
    return state.no_targets


def _baseline_incomplete(state: RecistState) -> Flags:
    return state.baseline_incomplete


def _complete(state: RecistState) -> Flags:
    return state.all_assessed & state.all_gone


def _proven(state: RecistState) -> Flags:
    return state.proven


def _progressive(state: RecistState) -> Flags:
    return state.all_assessed & state.proven


def _reappeared(state: RecistState) -> Flags:
    return state.had_target_cr & ~state.all_gone


def _missing(state: RecistState) -> Flags:
    return ~state.all_assessed


def _partial(state: RecistState) -> Flags:
    return state.partial


def _bounded_partial(state: RecistState) -> Flags:
    # The best case, with the missing lesions at 0, must be PR too and not CR.
    worst_pr = state.test.responded(state.burden.upper_um, state.burden.baseline_um)
    return ~state.all_assessed & worst_pr & ~_worst_pd(state) & ~state.all_gone


def _bounded_stable(state: RecistState) -> Flags:
    # The best case must be SD too: neither PR nor, with nothing left but normal nodes, CR.
    return ~state.all_assessed & ~_partial(state) & ~_worst_pd(state) & ~state.all_gone


def _worst_pd(state: RecistState) -> Flags:
    return state.test.grown(state.burden.upper_um, state.reference)


def _continued(state: RecistState) -> Flags:
    return state.continues_pr


def _everywhere(state: Any) -> Flags:
    return np.ones(state.shape, np.bool_)


def _set(key: str, value: Any) -> Callable[[Any], bool]:
    return lambda options: getattr(options, key) == value


def _unset(key: str, value: Any) -> Callable[[Any], bool]:
    return lambda options: getattr(options, key) != value


TARGET_RULES: Final = (
    Rule("no_targets", "NA", _no_targets, "4.3.1", "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", _baseline_incomplete, "4.4.2", "a target lesion was not measured at baseline"),
    Rule("cr", "CR", _complete, "4.3.1", "all target lesions are gone (nodes below 10 mm)"),
    Rule("pd", "PD", _progressive, "4.3.1",
         "the sum {sum} mm is {growth} mm ({growth_percent} %) over the nadir {nadir} mm"),
    Rule("pd_proven", "PD", _proven, "4.4.2",
         "the measured part alone, {sum} mm, is {growth} mm ({growth_percent} %) over the nadir {nadir} mm",
         _unset("missing_target_policy", "always_ne")),
    Rule("reappeared", "PD", _reappeared, "4.3.1", "a target lesion is back after all were gone",
         _set("target_reappearance", "pd")),
    Rule("bounded_pr", "PR", _bounded_partial, "4.4.2",
         "{missing} of {targets} target lesions could not be assessed, but PR holds at their largest values",
         _set("missing_target_policy", "bounded")),
    Rule("bounded_sd", "SD", _bounded_stable, "4.4.2",
         "{missing} of {targets} target lesions could not be assessed, but neither PR nor PD is within their bounds",
         _set("missing_target_policy", "bounded")),
    Rule("missing", "NE", _missing, "4.4.2", "{missing} of {targets} target lesions could not be assessed"),
    Rule("pr", "PR", _partial, "4.3.1", "the sum {sum} mm is {shrinkage_percent} % below the baseline {baseline} mm"),
    Rule("pr_continued", "PR", _continued, "FAQ managing PR",
         "the sum {sum} mm no longer reaches PR, but it is no PD either, so the earlier PR goes on",
         _set("sticky_pr", "eortc_continue")),
    Rule("sd", "SD", _everywhere, "4.3.1",
         "the sum {sum} mm is neither 30 % below baseline ({baseline} mm) nor 20 % and 5 mm over nadir ({nadir} mm)"),
)  # fmt: skip
TARGET_NAMES: Final[Mapping[str, int]] = {rule.name: index for index, rule in enumerate(TARGET_RULES)}


def _target_by_arithmetic(state: RecistState) -> NDArray[np.int8]:
    """Answer the target question without the rule that continues a PR."""
    question = Question("target", TARGET_RULES)
    active = [index for index in question.active(state.options) if TARGET_RULES[index].name != "pr_continued"]
    return question.answer_with(state, active)


# --- Non-target lesions (section 4.3.3)


def _nt_none(state: RecistState) -> Flags:
    return state.no_non_targets


def _nt_progression(state: RecistState) -> Flags:
    return state.burden.has(Fact.NON_TARGET_PROGRESSION)


def _nt_some_present(state: RecistState) -> Flags:
    return state.burden.has(Fact.NON_TARGET_PRESENT)


def _nt_missing(state: RecistState) -> Flags:
    return state.burden.has(Fact.NON_TARGET_MISSING)


def _nt_persists(state: RecistState) -> Flags:
    return state.burden.has(Fact.NON_TARGET_PRESENT | Fact.NON_TARGET_UNPROVEN)


def _nt_marker(state: RecistState) -> Flags:
    return state.markers_above


NON_TARGET_RULES: Final = (
    Rule("no_non_targets", "NA", _nt_none, "4.3.3", "no non-target lesion was recorded at baseline"),
    Rule("pd", "PD", _nt_progression, "4.3.4", "unequivocal progression of a non-target lesion"),
    Rule("partly_present", "Non-CR/Non-PD", _nt_some_present, "4.3.3", "a non-target lesion persists",
         _set("nt_partial_ne", "noncr_if_any_present")),
    Rule("missing", "NE", _nt_missing, "table 2", "not all non-target lesions were evaluated"),
    Rule("non_cr_non_pd", "Non-CR/Non-PD", _nt_persists, "4.3.3", "a non-target lesion persists"),
    Rule("marker_above", "Non-CR/Non-PD", _nt_marker, "4.3.3", "a tumour marker is above normal"),
    Rule("cr", "CR", _everywhere, "4.3.3", "all non-target lesions are gone (nodes below 10 mm)"),
)  # fmt: skip


# --- New lesions (section 4.3.5)


def _new_unequivocal(state: RecistState) -> Flags:
    return state.new_unequivocal


def _new_missing(state: RecistState) -> Flags:
    return state.new_not_evaluable


def _new_equivocal(state: RecistState) -> Flags:
    return state.new_equivocal


NEW_LESION_RULES: Final = (
    Rule("unequivocal", "Yes", _new_unequivocal, "4.3.5", "an unequivocal new lesion"),
    Rule("not_evaluable", "NE", _new_missing, "4.4.2", "new lesions could not be looked for everywhere"),
    Rule("equivocal", "Equivocal", _new_equivocal, "4.3.5", "an equivocal new lesion, to be assessed again"),
    Rule("none", "No", _everywhere, "4.3.5", "no new lesion"),
)  # fmt: skip


# --- Overall response (tables 1 and 2, in their order)


def _new_lesion(state: RecistState) -> Flags:
    return state.is_("new_lesion", "Yes")


def _target_pd(state: RecistState) -> Flags:
    return state.is_("target", "PD")


def _non_target_pd(state: RecistState) -> Flags:
    return state.is_("non_target", "PD")


def _relapse(state: RecistState) -> Flags:
    return state.relapse


def _ned_not_evaluable(state: RecistState) -> Flags:
    if not state.options.new_ne_blocks_cr:
        return state.no_disease_at_baseline & ~state.block.done
    return state.no_disease_at_baseline & state.is_("new_lesion", "NE")


def _unfollowed(state: RecistState) -> Flags:
    return state.no_disease_at_baseline & state.spread(state.burden.has_unfollowed)


def _ned(state: RecistState) -> Flags:
    return state.no_disease_at_baseline


def _cr(state: RecistState) -> Flags:
    return state.is_cr


def _non_target_only(state: RecistState) -> Flags:
    return state.is_("target", "NA")


def _persists(state: RecistState) -> Flags:
    return state.is_("target", "NA") & state.is_("non_target", "Non-CR/Non-PD")


def _target_cr(state: RecistState) -> Flags:
    return state.is_("target", "CR")


def _target_cr_and(category: str) -> Callable[[RecistState], Flags]:
    return lambda state: state.is_("target", "CR") & state.is_("non_target", category)


def _target_pr(state: RecistState) -> Flags:
    return state.is_("target", "PR")


def _target_sd(state: RecistState) -> Flags:
    return state.is_("target", "SD")


OVERALL_RULES: Final = (
    Rule("new_lesion", "PD", _new_lesion, "table 1, row 9", "a new lesion"),
    Rule("target_pd", "PD", _target_pd, "table 1, row 7", "progression of the target lesions: {target}"),
    Rule("non_target_pd", "PD", _non_target_pd, "table 1, row 8", "{non_target}"),
    Rule("relapse_after_cr", "PD", _relapse, "table 3, footnote a", "disease is back after complete response",
         _set("post_cr_disease", "pd")),
    Rule("ned_not_evaluable", "NE", _ned_not_evaluable, "convention (NED)",
         "no disease at baseline, and new lesions could not be looked for"),
    Rule("no_lesion_to_follow", "NE", _unfollowed, "convention (NED)",
         "no target or non-target lesion of the baseline can be followed"),
    Rule("ned", "NED", _ned, "convention (NED)", "no disease at baseline and no new lesion"),
    Rule("cr", "CR", _cr, "table 1, row 1; table 2, row 1", "all known disease is gone and there is no new lesion"),
    Rule("non_cr_non_pd", "Non-CR/Non-PD", _persists, "table 2, row 2", "{non_target}, and there is no target lesion"),
    Rule("non_target_only_ne", "NE", _non_target_only, "table 2, row 3", "{non_target}; new lesions: {new_lesion}"),
    Rule("target_cr_non_target_persists", "PR", _target_cr_and("Non-CR/Non-PD"), "table 1, row 2",
         "the target lesions are gone, but {non_target}"),
    Rule("target_cr_non_target_ne", "PR", _target_cr_and("NE"), "table 1, row 3",
         "the target lesions are gone, but {non_target}"),
    Rule("target_cr_unproven", "PR", _target_cr, "table 1, row 3",
         "the target lesions are gone, but a marker is above normal or new lesions could not be looked for"),
    Rule("pr", "PR", _target_pr, "table 1, row 4", "{target}"),
    Rule("sd", "SD", _target_sd, "table 1, row 5", "{target}"),
    Rule("target_ne", "NE", _everywhere, "table 1, row 6", "{target}"),
)  # fmt: skip

RECIST_QUESTIONS: Final = (
    Question("target", TARGET_RULES),
    Question("non_target", NON_TARGET_RULES),
    Question("new_lesion", NEW_LESION_RULES),
    Question("overall", OVERALL_RULES),
)


# --- Flags: all that hold count; none changes a category.


def _is_pd(state: RecistState) -> Flags:
    return state.is_("overall", "PD")


def _only_by_default(state: RecistState) -> Flags:
    if not state.burden.has(Fact.TARGET_DEFAULT).any():
        return np.zeros(state.shape, np.bool_)
    held = state.test.grown(state.burden.sum_um - state.burden.default_excess_um, state.reference)
    return state.is_("target", "PD") & ~held & state.proven


def _with_merger(state: RecistState) -> Flags:
    return state.is_("target", "PD") & state.burden.has(Fact.MERGED)


def _maintained(state: RecistState) -> Flags:
    return state.continues_pr & state.is_("target", "PR", "SD", "CR") & ~_is_pd(state)


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
    return state.burden.has(Fact.SUSPECTED) & ~_is_pd(state)


RECIST_FLAGS: Final = (
    Rule("pd_only_by_default_value", "", _only_by_default, "4.4", "PD only because a lesion too small counts 5 mm"),
    Rule("pd_with_merged_lesion", "", _with_merger, "4.4", "PD at a timepoint with a merged lesion in the sum"),
    Rule("response_maintained", "", _maintained, "FAQ managing PR", "an earlier response goes on"),
    Rule("adjudicate_cr", "", _after_cr, "table 3, footnote a", "disease after CR: review whether CR was true"),
    Rule("node_regrowth", "", _node_after_cr, "FAQ abnormal lymph node", "a node alone after CR: re-image first"),
    Rule("equivocal_new_lesion", "", _new_equivocal, "4.3.5", "an equivocal new lesion: assess again"),
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


def recist_burden(block: Block, options: CombinationOptions) -> Burden:
    """Return the burden of a block under the options that change lesion states or values."""
    classes = lesion_classes(block)
    states = new_lesion_states(block, classes, new_node_rule=options.new_node_rule, use_pet=options.use_pet)
    largest = getattr(options, "node_split", "") == "largest"
    return Burden.of(block, states, largest_fragment(block, classes) if largest else None)


def burden_beside(block: Block, options: CombinationOptions, beside: Mapping[str, Any]) -> Burden:
    """Return the lesions of a block by the options of a criterion: those of RECIST 1.1 where that reads them alike."""
    recist = beside.get("recist-1.1")
    if isinstance(recist, RecistState) and _read_by(options) == _read_by(recist.options):
        return recist.burden
    return recist_burden(block, options)


def _read_by(options: CombinationOptions) -> tuple[str, bool, bool]:
    """Return the options that change lesion states or values."""
    return options.new_node_rule, options.use_pet, getattr(options, "node_split", "") == "largest"


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
