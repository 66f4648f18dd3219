"""What the rules of RECIST 1.1 ask of the lesions of a block of series."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.burden import Burden, Fact, before, ever_before, largest_fragment, lesion_classes
from response.criteria.criterion import State
from response.criteria.new_lesions import baseline_pet, has_pet_row, new_lesion_states, visit_codes
from response.criteria.recist_options import CombinationOptions
from response.criteria.rules import Flags, Question, in_category
from response.criteria.sum_tests import SumTest
from response.vocabulary import Markers, PetResult, VisitNewLesions

CONTINUED: Final = "pr_continued"  # the rule that continues an earlier PR


class RecistState(State):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`, lengths in micrometres."""

    unit: str = "mm"  # of the sum, as it is told

    def __init__(self, burden: Burden, options: Any, questions: tuple[Question[Any], ...], test: SumTest) -> None:
        """Ask about a burden; criteria that combine lesions as RECIST 1.1 does bring their own questions and test."""
        super().__init__(burden.block, questions)
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
        question = self.question("target")
        active = [index for index in question.active(self.options) if question.rules[index].name != CONTINUED]
        codes = question.answer_with(self, active)
        responded = in_category(question.rules, codes, "PR", "CR") & self.block.follow_up
        progressed = in_category(question.rules, codes, "PD") & self.block.follow_up
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
