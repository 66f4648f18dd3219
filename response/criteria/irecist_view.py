"""iRECIST: what is there at a timepoint: the sums of the targets with the nadir of the walk, and the new lesions.

Until the first progression iRECIST is RECIST 1.1, so its target rules are asked here too. They find the names that they
ask for, with the meaning that they have there, but for the nadir: a scan that came too early does not set it.
"""

from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import NO_SUM
from response.criteria.irecist_new import NewLesions
from response.criteria.irecist_non_target import ProgressedNonTargets
from response.criteria.irecist_walk import FIRST, FURTHER_UM, Scene, Seen, Sums
from response.criteria.recist import PD_INCREASE_UM, RecistState
from response.criteria.rules import Flags, Question, RuleCodes
from response.criteria.steps import Memory, WalkState
from response.criteria.sum_tests import SumTest
from response.vocabulary import Clinical, PetResult, VisitNewLesions, YesNo

Questions = tuple[Question[Any], ...]


class IrecistView(WalkState):
    """What is there; arrays `[series, timepoint]`, lengths in micrometres."""

    def __init__(
        self, scene: Scene, seen: Seen, options: Any, *, questions: Questions, memory: Memory, part: slice
    ) -> None:
        super().__init__(scene.recist.block, questions, memory, part)
        self.scene, self.seen, self.options = scene, seen, options
        self.recist = scene.recist

    @classmethod
    def of(cls, recist: RecistState, options: Any, questions: Questions) -> Self:
        """Return the state of a block, before the walk."""
        seen = Seen(recist.shape, NewLesions.of(recist), ProgressedNonTargets(recist))
        memory = Memory(recist.shape, FIRST)
        return cls(Scene(recist, options), seen, options, questions=questions, memory=memory, part=slice(None))

    def look(self, place: int) -> None:
        """Look at the lesions of a timepoint."""
        self.seen.look(place, by_length=self.options.ir_new_non_target_growth == "trend_else_length")

    def answered(self, question: str) -> RuleCodes | None:
        """Return the answers of RECIST 1.1, whose rules are asked here, where no scan can be left out."""
        walked = question == "overall" or (question == "target" and self.scene.has_early_scans)
        return None if walked else self.recist.answers.get(question)

    @property
    def ends_early(self) -> bool:
        """After iCPD nothing changes, but for the targets where a scan can be left out."""
        return not self.scene.has_early_scans

    def moment(self, part: slice) -> Self:
        """Return the state of some timepoints."""
        questions = tuple(self._questions.values())
        found = type(self)(self.scene, self.seen, self.options, questions=questions, memory=self.memory, part=part)
        found.answers.update({name: codes[:, part] for name, codes in self.answers.items()})
        return found

    def _at(self, name: str) -> NDArray[Any]:
        return self.scene.at(name, self.part)

    def holds_at(self, name: str) -> Flags:
        """Return where something holds that does not depend on the walk."""
        return self.scene.at(name, self.part)

    def saw(self, name: str) -> Flags:
        """Return where something was seen of the lesions."""
        return self.seen.at(name, self.part)

    def knew(self, name: str) -> Flags:
        """Return where something was known before."""
        return self.known(name)

    # --- what the target rules of RECIST 1.1 ask

    @property
    def burden(self) -> Self:
        """The sums, for the rules of RECIST 1.1."""
        return self

    @property
    def sum_um(self) -> Sums:
        """Sum of diameters of the targets assessed."""
        return self._at("sum_um")

    @property
    def upper_um(self) -> Sums:
        """Sum with each missing target at its largest value so far."""
        return self._at("upper_um")

    @property
    def baseline_um(self) -> Sums:
        """Sum at baseline, `[series, 1]`."""
        return self._at("baseline_um")

    @property
    def nadir_um(self) -> Sums:
        """Smallest complete sum of the assessments that counted before."""
        return self.known("nadir_um") if self.scene.has_early_scans else self._at("nadir_um")

    @property
    def pd_sum_um(self) -> Sums:
        """Sum that may prove progression."""
        return self._at("pd_sum_um")

    @property
    def test(self) -> SumTest:
        """The thresholds."""
        return self.recist.test

    @property
    def reference(self) -> Sums:
        """Sum that growth is judged against."""
        return self.nadir_um

    @property
    def partial(self) -> Flags:
        """The sum has shrunk to a partial response."""
        return self.test.responded(self.sum_um, self.baseline_um)

    @property
    def proven(self) -> Flags:
        """The measured part alone has grown to progression."""
        return self.test.grown(self.pd_sum_um, self.reference)

    @property
    def no_targets(self) -> Flags:
        """No target was chosen at baseline."""
        return self.holds_at("no_targets")

    @property
    def baseline_incomplete(self) -> Flags:
        """A target was not measured at baseline."""
        return self.holds_at("baseline_incomplete")

    @property
    def all_assessed(self) -> Flags:
        """Every target was assessed."""
        return self.holds_at("all_assessed")

    @property
    def all_gone(self) -> Flags:
        """Each assessed target is absent, or a node with short axis below 10 mm."""
        return self.holds_at("all_gone")

    @property
    def had_target_cr(self) -> Flags:
        """All targets were gone at an earlier timepoint that counted."""
        return self.knew("targets_gone") if self.scene.has_early_scans else self.holds_at("had_target_cr")

    @property
    def continues_pr(self) -> Flags:
        """A PR or CR of the targets came before, and no PD since."""
        return self.knew("responded") if self.scene.has_early_scans else self.holds_at("continues_pr")

    # --- non-targets and the visit

    @property
    def ned_not_evaluable(self) -> Flags:
        """There was no disease at baseline, and new lesions could not be looked for."""
        return self.holds_at("ned_not_evaluable")

    @property
    def no_lesion_to_follow(self) -> Flags:
        """No lesion of the baseline can be followed."""
        return self.holds_at("no_lesion_to_follow")

    @property
    def non_target_grew(self) -> Flags:
        """Non-target disease has increased, or a further non-target progresses."""
        return self.saw("non_target_grew")

    @property
    def non_target_missing(self) -> Flags:
        """A non-target behind the unconfirmed progression was not assessed."""
        return self.saw("non_target_missing")

    @property
    def new_symptom(self) -> Flags:
        """The visit was made for a new symptom or sign."""
        return np.asarray(self._at("new_symptom") == YesNo.YES)

    @property
    def deteriorated(self) -> Flags:
        """The subject is not clinically stable."""
        return np.asarray(self._at("clinical") == Clinical.DETERIORATED)

    # --- new lesions

    @cached_property
    def unlisted_now(self) -> Flags:
        """An unequivocal new lesion stands in the visit table, or shows on PET, but has no row."""
        return self.holds_at("unlisted")

    @cached_property
    def unlisted_missing(self) -> Flags:
        """A new lesion without a row was there, and nothing says what has become of it."""
        if not self.scene.has_unlisted:
            return self.unlisted_now
        none = (self._at("new_lesions") == VisitNewLesions.NONE) | (self._at("pet") == PetResult.NEGATIVE)
        doubted: Flags = self._at("new_lesions") == VisitNewLesions.EQUIVOCAL
        found: Flags = none | doubted | self.unlisted_now | self.saw("new_appears")
        return self.knew("unlisted") & ~found

    @cached_property
    def new_appears(self) -> Flags:
        """A new lesion is there that was not there at the assessments before.

        Where a new lesion had no row before, the first one with a row is taken for it.
        """
        unlisted = self.unlisted_now & ~self.saw("new_known")
        return (self.saw("new_appears") | unlisted) & ~self.knew("unlisted")

    @cached_property
    def new_there(self) -> Flags:
        """An unequivocal new lesion is there, old or new."""
        doubted: Flags = self._at("new_lesions") == VisitNewLesions.EQUIVOCAL
        return self.saw("new_there") | self.unlisted_now | (self.knew("unlisted") & doubted)

    @cached_property
    def new_missing(self) -> Flags:
        """A known new lesion was not assessed, or a new lesion target not measured."""
        return self.saw("new_missing") | self.unlisted_missing

    @property
    def new_sum_um(self) -> Sums:
        """Sum of the new lesion targets assessed."""
        return self.seen.at("new_sum_um", self.part)

    @cached_property
    def new_block_um(self) -> Sums:
        """Smallest sum of the new lesion targets since the unconfirmed progression; one that joins counts at once."""
        return self._with_joins("new_block_um")

    @cached_property
    def new_nadir_um(self) -> Sums:
        """Smallest sum of the new lesion targets so far; one that joins counts at once."""
        return self._with_joins("new_nadir_um")

    def _with_joins(self, name: str) -> Sums:
        # so that a lesion that joins does not look like growth
        reference = self.known(name)
        return np.where(reference == NO_SUM, NO_SUM, reference + self.seen.at("new_joins_um", self.part))

    @cached_property
    def new_sum_grew(self) -> Flags:
        """The sum of the new lesion targets is 5 mm or more over the smallest since the unconfirmed progression."""
        return np.asarray(self.new_sum_um - self.new_block_um >= FURTHER_UM)

    @cached_property
    def new_target_pd(self) -> Flags:
        """The new lesion targets progress as targets do: 20 % and 5 mm over their nadir."""
        grown = 5 * self.new_sum_um >= 6 * self.new_nadir_um
        return grown & (self.new_sum_um - self.new_nadir_um >= PD_INCREASE_UM)

    @cached_property
    def new_non_target_grew(self) -> Flags:
        """A new lesion non-target has increased."""
        return self.saw("new_grew") | self.saw("new_longer")

    @property
    def new_longer_alone(self) -> Flags:
        """A new lesion non-target has increased by its length alone: no trend says so."""
        return self.saw("new_longer") & ~self.saw("new_grew")

    @property
    def new_non_target_pd(self) -> Flags:
        """A known new lesion non-target progresses unequivocally."""
        return self.saw("new_worse")

    @property
    def new_summed(self) -> Flags:
        """Some new lesion target counts in their sum."""
        return self.saw("new_summed")

    @cached_property
    def new_pd(self) -> Flags:
        """New lesions progress: a further one, or known ones as targets and non-targets do."""
        return self.new_appears | self.new_target_pd | self.saw("new_worse")
