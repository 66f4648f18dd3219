"""iRECIST: how its walk begins, looks and rests, and what is there at a timepoint: the visit, and the new lesions.

Until the first progression iRECIST is RECIST 1.1, literally: the walk of a series begins at its first PD by RECIST 1.1,
with the answers and the memory that RECIST 1.1 leaves. After a reset of the bar it is RECIST 1.1 again until the next.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import NO_SUM
from response.criteria.irecist.memory import CLEAR, FIRST, FURTHER_UM, Sums
from response.criteria.irecist.new_lesions import NewLesions
from response.criteria.irecist.scene import Scene
from response.criteria.irecist.seen import ProgressedNonTargets, Seen, Sight
from response.criteria.recist import RecistState
from response.criteria.rules import Flags, Question, RuleCodes
from response.criteria.steps import Memory, Rows, WalkState, of_part
from response.vocabulary import ICR, IUPD, Clinical, PetResult, VisitNewLesions, YesNo

Questions = tuple[Question[Any], ...]
S = TypeVar("S", bound=np.generic)

# The steps that have another name than the rule of RECIST 1.1 that they are, until the first progression.
STEP_OF_RULE: Final = {
    "cr": "icr",
    "non_cr_non_pd": "non_icr_non_iupd",
    "target_cr_non_target_persists": "target_icr_non_target_persists",
    "target_cr_non_target_ne": "target_icr_non_target_ne",
    "target_cr_unproven": "target_icr_unproven",
    "pr": "ipr",
    "sd": "isd",
}

# The steps that can hold only where a scan comes early, where there is a new lesion, where a non-target progresses or
# is back after iCR, in a subject without targets, or where all targets are gone (or there are none).
STEPS_ABOUT: Final = {
    "early": ("early_new_lesion", "too_early"),
    "new": (
        "new_targets_further",
        "new_non_target_further",
        "another_new_lesion",
        "new_lesion_added",
        "pending_new_lesion_ne",
        "new_lesion",
        "new_target_pd",
        "new_non_target_pd",
        "icr_with_new_lesion",
    ),
    "non_target": ("non_target_further", "non_target_added", "pending_non_target_ne", "non_target_pd"),
    "no_targets": (
        "reset_to_ned",
        "reset_to_non_icr_non_iupd",
        "ned_not_evaluable",
        "no_lesion_to_follow",
        "ned",
        "non_icr_non_iupd",
        "non_target_only_ne",
    ),
    "gone": (
        "reset_to_icr",
        "relapse_after_cr",
        "icr",
        "icr_with_new_lesion",
        "target_icr_non_target_persists",
        "target_icr_non_target_ne",
        "target_icr_unproven",
    ),
}


def asked_once(ask: Callable[[Any], NDArray[S]]) -> cached_property[NDArray[S]]:
    """Make a property of what no walk decides: it is asked of all timepoints at once, and a moment takes its part.

    Where a scan can be left out, the targets are walked: then each moment asks for itself.
    """

    def found(state: Any) -> NDArray[S]:
        if state.whole is None or state.scene.has_early_scans:
            return ask(state)
        return of_part(getattr(state.whole, ask.__name__), state.part, state.rows)

    found.__doc__ = ask.__doc__
    return cached_property(found)


class IrecistView(WalkState):
    """What is there; arrays `[series, timepoint]`, lengths in micrometres.

    Attributes
    ----------
    scene, seen
        What does not depend on the walk, and what was seen of the lesions while it goes on.
    recist
        The state of RECIST 1.1.
    whole
        Of a moment: the state of all timepoints.
    """

    def __init__(self, scene: Scene, seen: Seen, options: Any, questions: Questions, memory: Memory) -> None:
        super().__init__(scene.recist.block, questions, memory)
        self.scene, self.seen, self.options = scene, seen, options
        self.recist = scene.recist
        self.whole: Self | None = None

    @classmethod
    def of(cls, recist: RecistState, options: Any, questions: Questions) -> Self:
        """Return the state of a block, before the walk."""
        seen = Seen(recist.shape, NewLesions.of(recist), ProgressedNonTargets(recist))
        scene, memory = Scene(recist, options), Memory(recist.shape, FIRST)
        memory.start("complete", recist.had_cr)
        if scene.has_early_scans:
            memory.start("nadir_um", recist.burden.nadir_um)
            memory.start("targets_gone", recist.had_target_cr)
            memory.start("responded", recist.continues_pr)
        return cls(scene, seen, options, questions, memory)

    def look(self, place: int) -> None:
        """Look at the lesions of a timepoint."""
        self.seen.look(place, by_length=self.options.ir_new_non_target_growth == "trend_else_length")

    def answered(self, question: str) -> RuleCodes | None:
        """Return the answers of RECIST 1.1, whose rules are asked here, where no scan can be left out."""
        walked = question == "overall" or (question == "target" and self.scene.has_early_scans)
        return None if walked else self.recist.answers.get(question)

    def beginning(self) -> tuple[Mapping[str, RuleCodes], NDArray[np.intp]]:
        """Return the answers of RECIST 1.1, which iRECIST is until its first PD, and the place of that PD."""
        rules = self.recist.question_rules("overall")
        steps = {step.name: index for index, step in enumerate(self.question_rules("overall"))}
        step_of = np.asarray([steps[STEP_OF_RULE.get(rule.name, rule.name)] for rule in rules], np.int8)
        progressed = self.scene.progressed
        first = np.where(progressed.any(axis=1), progressed.argmax(axis=1), self.shape[1])
        answers = {"overall": step_of[self.recist.answers["overall"]]}
        if self.scene.has_early_scans:
            answers["target"] = self.recist.answers["target"]
        return answers, first

    @property
    def idle(self) -> frozenset[str]:
        """Return the steps about what no subject of the block has."""
        has = {
            "early": self.scene.has_early_scans,
            "new": self.has_new,
            "non_target": self.seen.old is not None,
            "no_targets": bool(self.recist.no_targets.any()),
            "gone": self.scene.has_gone,
        }
        return frozenset(name for kind, names in STEPS_ABOUT.items() if not has[kind] for name in names)

    @property
    def may_rest(self) -> bool:
        """Where no scan can be left out, the targets need no walk: nothing but what is remembered decides."""
        return not self.scene.has_early_scans

    def resting(self, place: int, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which series are as RECIST 1.1 has them again, until its next PD: the bar is reset.

        Only those in which no new lesion and no complete response is remembered.
        """
        phase = self.memory.after("phase", slice(place, place + 1))[rows, 0]
        found = rows[(phase == CLEAR) & self.scene.forgets[rows]]
        later = self.scene.progressed[found, place + 1 :]
        some = later.any(axis=1) if len(found) else np.zeros(0, np.bool_)
        until = place + 1 + later.argmax(axis=1) if later.size else np.zeros(len(found), np.intp)
        return found, np.where(some, until, self.shape[1])

    def moment(self, place: int, rows: Rows) -> Self:
        """Return the state of some series at one timepoint."""
        found = type(self)(self.scene, self.seen, self.options, tuple(self._questions.values()), self.memory)
        found.part, found.rows, found.whole = slice(place, place + 1), rows, self
        found.answers.update({name: of_part(codes, found.part, rows) for name, codes in self.answers.items()})
        return found

    def _at(self, name: str) -> NDArray[Any]:
        return self.scene.at(name, self.part, self.rows)

    def holds_at(self, name: str) -> Flags:
        """Return where something holds that does not depend on the walk."""
        return self.scene.at(name, self.part, self.rows)

    def saw(self, sight: Sight) -> Flags:
        """Return where some lesion shows something."""
        if not self.seen.anything:
            return self.nowhere
        return np.asarray(self._sights & np.uint16(sight) != 0)

    @cached_property
    def _sights(self) -> NDArray[np.uint16]:
        return of_part(self.seen.sights, self.part, self.rows)

    @cached_property
    def steps_with(self) -> dict[str, Flags]:
        """Which steps are an iCR, and which an iUPD."""
        steps = self.question_rules("overall")
        return {word: np.asarray([step.category == word for step in steps], np.bool_) for word in (ICR, IUPD)}

    @cached_property
    def nowhere(self) -> Flags:
        """Flags that hold nowhere."""
        return np.zeros(self.shape, np.bool_)

    @property
    def has_new(self) -> bool:
        """Whether the block has any new lesion, with a row or without."""
        return self.seen.new is not None or self.scene.has_unlisted

    def knew(self, name: str) -> Flags:
        """Return where something was known before."""
        return self.known(name)

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
        return self.saw(Sight.NON_TARGET_GREW)

    @property
    def non_target_missing(self) -> Flags:
        """A non-target behind the unconfirmed progression was not assessed."""
        return self.saw(Sight.NON_TARGET_MISSING)

    @property
    def new_symptom(self) -> Flags:
        """The visit was made for a new symptom or sign."""
        return np.asarray(self._at("new_symptom") == int(YesNo.YES))

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
        found: Flags = none | doubted | self.unlisted_now | self.saw(Sight.APPEARS)
        return self.knew("unlisted") & ~found

    @cached_property
    def new_appears(self) -> Flags:
        """A new lesion is there that was not there at the assessments before.

        Where a new lesion had no row before, the first one with a row is taken for it.
        """
        if not self.has_new:
            return self.nowhere
        unlisted = self.unlisted_now & ~self.saw(Sight.KNOWN)
        return (self.saw(Sight.APPEARS) | unlisted) & ~self.knew("unlisted")

    @cached_property
    def new_there(self) -> Flags:
        """An unequivocal new lesion is there, old or new."""
        if not self.has_new:
            return self.nowhere
        doubted: Flags = self._at("new_lesions") == VisitNewLesions.EQUIVOCAL
        return self.saw(Sight.THERE) | self.unlisted_now | (self.knew("unlisted") & doubted)

    @cached_property
    def new_missing(self) -> Flags:
        """A known new lesion was not assessed, or a new lesion target not measured."""
        return self.saw(Sight.MISSING) | self.unlisted_missing if self.has_new else self.nowhere

    @property
    def new_sum_um(self) -> Sums:
        """Sum of the new lesion targets assessed."""
        return of_part(self.seen.sum_um, self.part, self.rows)

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
        reference, joins = self.known(name), of_part(self.seen.joins_um, self.part, self.rows)
        return np.where(reference == NO_SUM, NO_SUM, reference + joins) if joins.any() else reference

    @cached_property
    def new_sum_grew(self) -> Flags:
        """The sum of the new lesion targets is 5 mm or more over the smallest since the unconfirmed progression."""
        if self.seen.new is None:
            return self.nowhere
        return np.asarray(self.new_sum_um - self.new_block_um >= FURTHER_UM)

    @cached_property
    def new_target_pd(self) -> Flags:
        """The new lesion targets progress as targets do: 20 % and 5 mm over their nadir."""
        if self.seen.new is None:
            return self.nowhere
        return self.recist.test.grown(self.new_sum_um, self.new_nadir_um)

    @cached_property
    def new_non_target_grew(self) -> Flags:
        """A new lesion non-target has increased."""
        return self.saw(Sight.GREW) | self.saw(Sight.LONGER)

    @property
    def new_longer_alone(self) -> Flags:
        """A new lesion non-target has increased by its length alone: no trend says so."""
        return self.saw(Sight.LONGER) & ~self.saw(Sight.GREW)

    @property
    def new_non_target_pd(self) -> Flags:
        """A known new lesion non-target progresses unequivocally."""
        return self.saw(Sight.WORSE)

    @property
    def new_summed(self) -> Flags:
        """Some new lesion target counts in their sum."""
        return self.saw(Sight.SUMMED)

    @cached_property
    def new_pd(self) -> Flags:
        """New lesions progress: a further one, or known ones as targets and non-targets do."""
        return self.new_appears | self.new_target_pd | self.saw(Sight.WORSE)
