"""Size, attenuation and structure of metastases of renal cell carcinoma, as SACT and MASS ask for them.

Sizes, new lesions and completeness are those of RECIST 1.1 beside. Attenuation is compared lesion by lesion, over the
targets outside the lung that are measured at baseline and now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER, THOUSAND
from response.criteria.burden import Fact, LesionClass, Sums
from response.criteria.criterion import Criterion, Number, State
from response.criteria.recist import RecistState
from response.criteria.rules import Flags, Question, Rule, asks
from response.criteria.some_lesions import is_one_of
from response.criteria.sums import (
    narrow_number,
    targets_of,
)
from response.vocabulary import EnhancementChange, LesionType, folded, organ_of
from response.vocabulary import State as LesionState

SMALL_DROP_MHU: Final = 20_000  # 20 HU, in thousandths (SACT)
MARKED_DROP_MHU: Final = 40_000  # 40 HU (SACT, MASS)
FAVOURABLE: Final = "favourable"
INDETERMINATE: Final = "indeterminate"
UNFAVOURABLE: Final = "unfavourable"
_WITH_REGION: Final = (LesionState.MEASURED, LesionState.TOO_SMALL, LesionState.NORMAL_NODE, LesionState.EQUIVOCAL)
_THERE: Final = (LesionState.MEASURED, LesionState.EQUIVOCAL)


class RenalState(State):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`."""

    def __init__(self, recist: RecistState, options: Any, questions: tuple[Question[Any], ...], reference: str) -> None:
        """Stand beside RECIST 1.1; growth is judged against the `reference`, "nadir" or "baseline"."""
        super().__init__(recist.block, questions)
        self.recist, self.options, self.burden = recist, options, recist.burden
        self._from_nadir = reference == "nadir"
        self._measured = self.block.timeline.measurements

    # --- size

    @property
    def no_targets(self) -> Flags:
        """No target was chosen at baseline."""
        return self.recist.no_targets

    @property
    def baseline_incomplete(self) -> Flags:
        """A target was not measured at baseline."""
        return self.recist.baseline_incomplete

    @property
    def size_missing(self) -> Flags:
        """A target was not assessed."""
        return ~self.burden.all_assessed

    @property
    def reference(self) -> Sums:
        """Sum that growth is judged against."""
        if self._from_nadir:
            return self.burden.nadir_um
        return np.asarray(np.broadcast_to(self.burden.baseline_um, self.shape))

    @cached_property
    def shrunk_by_10(self) -> Flags:
        """The complete sum is 10 % or more below the baseline."""
        return np.asarray((10 * self.burden.sum_um <= 9 * self.burden.baseline_um) & self.burden.all_assessed)

    @cached_property
    def shrunk_by_20(self) -> Flags:
        """The complete sum is 20 % or more below the baseline."""
        return np.asarray((10 * self.burden.sum_um <= 8 * self.burden.baseline_um) & self.burden.all_assessed)

    @cached_property
    def enlarged(self) -> Flags:
        """The sum, or its measured part alone, is 20 % or more over the reference."""
        sums = self.burden.sum_um
        return np.asarray((5 * sums >= 6 * self.reference) & (sums > self.reference))

    @cached_property
    def new_metastasis(self) -> Flags:
        """An unequivocal new lesion."""
        return self.recist.is_("new_lesion", "Yes")

    # --- attenuation

    @cached_property
    def _outside_lung(self) -> Flags:
        """The targets that are not in the lung, `[track]`."""
        organ = self._measured.text_column("organ")
        lung = np.asarray([*(organ_of(text) == "lung" for text in organ.values), False], np.bool_)
        return np.asarray(targets_of(self.burden)[:, 0] & ~lung[self.block.at_baseline(organ.codes, -1)])

    @cached_property
    def _hu_before(self) -> NDArray[np.int32]:
        return np.asarray(self.block.at_baseline(self._measured.number("attenuation_hu"), NO_NUMBER)[:, None])

    @cached_property
    def _hu(self) -> NDArray[np.int32]:
        return narrow_number(self.block, "attenuation_hu")

    @cached_property
    def _compared(self) -> Flags:
        """The lesions outside the lung whose attenuation is known now and at baseline, `[track, timepoint]`."""
        if "attenuation_hu" not in self._measured.numbers:
            return np.zeros(self._hu.shape, np.bool_)
        usable = self._outside_lung[:, None] & (self._hu_before != NO_NUMBER)
        return np.asarray(usable & (self._hu != NO_NUMBER) & is_one_of(self.burden.state, _WITH_REGION))

    @cached_property
    def _marked(self) -> Flags:
        return self._compared & (self._hu_before - self._hu >= MARKED_DROP_MHU)

    @cached_property
    def compared(self) -> NDArray[np.int64]:
        """Number of lesions outside the lung whose attenuation is compared."""
        return self.burden.count(self._compared)

    @cached_property
    def dropped(self) -> NDArray[np.int64]:
        """Number of them whose attenuation fell by 20 HU or more."""
        return self.burden.count(self._compared & (self._hu_before - self._hu >= SMALL_DROP_MHU))

    @cached_property
    def untested(self) -> NDArray[np.int64]:
        """Number of targets outside the lung that are there, but whose attenuation could not be compared."""
        there = is_one_of(self.burden.state, _THERE) & self._outside_lung[:, None]
        return self.burden.count(there & ~self._compared)

    @cached_property
    def half_dropped(self) -> Flags:
        """Of half of the targets outside the lung that are there, or more, the attenuation is known to have fallen."""
        return np.asarray((self.dropped > 0) & (2 * self.dropped >= self.compared + self.untested))

    @property
    def nothing_compared(self) -> Flags:
        """Of no target outside the lung could the attenuation be compared, though one is there."""
        return np.asarray((self.compared == 0) & (self.untested > 0))

    @cached_property
    def marked_drop(self) -> Flags:
        """The attenuation of a lesion outside the lung fell by 40 HU or more."""
        return self.block.some(self._marked)

    @cached_property
    def marked_drop_of_solid(self) -> Flags:
        """The same of a lesion that was mostly solid and enhancing at baseline."""
        return self.block.some(self._marked & self._solid)

    # --- structure

    @cached_property
    def _necrosis_before(self) -> NDArray[np.int32]:
        return np.asarray(self.block.at_baseline(self._measured.number("necrosis_fraction"), NO_NUMBER)[:, None])

    @cached_property
    def _solid(self) -> Flags:
        """The lesions that were mostly solid and enhancing at baseline, `[track, 1]`."""
        kind = self.block.at_baseline(self._measured.code("lesion_type"), LesionType.BLANK)[:, None]
        half = self._necrosis_before >= THOUSAND // 2
        return np.asarray(~half & (kind != LesionType.CYSTIC))

    @cached_property
    def _necrosis(self) -> NDArray[np.int32]:
        return narrow_number(self.block, "necrosis_fraction")

    @cached_property
    def _necrosis_known(self) -> Flags | None:
        """The targets whose necrosis is known now and at baseline, `[track, timepoint]`; None: no necrosis is."""
        if "necrosis_fraction" not in self._measured.numbers:
            return None
        before = targets_of(self.burden) & (self._necrosis_before != NO_NUMBER)
        return np.asarray(before & (self._necrosis != NO_NUMBER))

    @cached_property
    def marked_necrosis(self) -> Flags:
        """More than half of what enhanced at baseline in a mostly solid target has become necrotic."""
        known = self._necrosis_known
        if known is None:
            return np.zeros(self.shape, np.bool_)
        enough = (THOUSAND + self._necrosis_before.astype(np.int64)) // 2  # what was necrotic, and half of the rest
        return self.block.some(known & (self._necrosis > enough) & self._solid)

    @cached_property
    def structure_unknown(self) -> Flags:
        """Neither attenuation nor necrosis of any target can be compared with the baseline."""
        unknown = self.compared == 0
        known = self._necrosis_known
        return np.asarray(unknown if known is None else unknown & ~self.block.some(known))

    @cached_property
    def _enhancement(self) -> NDArray[np.int8] | None:
        changes = self._measured.codes.get("enhancement_change")
        if changes is None:
            return None
        counted = (self.burden.classes != LesionClass.UNCOUNTED)[:, None]
        return np.asarray(self.block.lesion(changes, EnhancementChange.BLANK) * counted)

    def _came_back(self, change: EnhancementChange) -> Flags:
        if self._enhancement is None:
            return np.zeros(self.shape, np.bool_)
        return self.block.some(self._enhancement == change)

    @cached_property
    def filled_in(self) -> Flags:
        """A lesion shows marked central fill-in."""
        return self._came_back(EnhancementChange.FILL_IN)

    @cached_property
    def newly_enhancing(self) -> Flags:
        """A mass that did not enhance does now."""
        return self._came_back(EnhancementChange.NEW_ENHANCEMENT)

    # --- what stands in notes only

    @property
    def answered(self) -> Flags:
        """There is a response."""
        return self.is_("overall", FAVOURABLE, INDETERMINATE, UNFAVOURABLE)

    @cached_property
    def other_phase(self) -> Flags:
        """Attenuation of another phase than the portal venous one, now or at baseline."""
        phase = self._measured.text_column("phase")
        names = [folded(text) for text in phase.values]
        other = np.asarray([*(bool(name) and "portal" not in name for name in names), False], np.bool_)
        if not other.any():
            return np.zeros(self.shape, np.bool_)
        before = other[self.block.at_baseline(phase.codes, -1)][:, None]
        return self.block.some(self._compared & (other.take(self.block.lesion(phase.codes, -1)) | before))

    @property
    def partly_compared(self) -> Flags:
        """A target outside the lung that is there could not be compared."""
        return np.asarray(self.untested > 0)

    @cached_property
    def non_target_progression(self) -> Flags:
        """A non-target progresses unequivocally."""
        return self.burden.has(Fact.NON_TARGET_PROGRESSION)


# --- The rules of both

DISEASE_IS_BACK: Final = (
    Rule("new_lesion", UNFAVOURABLE, asks("new_metastasis"), "unfavourable", "a new metastasis"),
    Rule("fill_in", UNFAVOURABLE, asks("filled_in"), "unfavourable", "marked central fill-in of a lesion"),
    Rule("new_enhancement", UNFAVOURABLE, asks("newly_enhancing"), "unfavourable",
         "new enhancement of a homogeneous mass of low attenuation that did not enhance"),
)  # fmt: skip
NOTHING_TO_COMPARE_WITH: Final = (
    Rule("no_targets", "NE", asks("no_targets"), "methods", "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", asks("baseline_incomplete"), "methods",
         "a target lesion was not measured at baseline"),
)  # fmt: skip
SHRINKAGE: Final = Rule(
    "shrinkage", FAVOURABLE, asks("shrunk_by_20"), "favourable",
    "the sum {sum} mm is {shrinkage_percent} % below the baseline {baseline} mm (20 % are enough)",
)  # fmt: skip
SIZE_MISSING: Final = Rule(
    "size_missing", "NE", asks("size_missing"), "methods", "{missing} of {targets} target lesions could not be assessed"
)
NOT_CONFIRMED: Final = Rule(
    "category_not_confirmed", "", asks("answered"), "", "the text of the category was not confirmed against the paper"
)
NOTES: Final = (
    Rule("other_phase", "", asks("other_phase"), "methods",
         "another phase than the portal venous one, now or at baseline"),
    Rule("attenuation_incomplete", "", asks("partly_compared"), "methods",
         "attenuation was compared in some of the lesions only"),
    Rule("non_target_progression", "", asks("non_target_progression"), "",
         "unequivocal progression of a non-target lesion, which is no part of the criteria"),
)  # fmt: skip


@dataclass(frozen=True)
class RenalCriterion(Criterion):
    """Base of SACT and MASS.

    Attributes
    ----------
    pd_reference
        Name of the option with what growth is judged against.
    """

    best_order: tuple[str, ...] = (FAVOURABLE, INDETERMINATE, UNFAVOURABLE, "NE")
    offered: bool = False
    pd_reference: str = ""

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> RenalState:  # noqa: ARG002
        """Return what the rules ask; RECIST 1.1 stands beside it."""
        recist = beside["recist-1.1"]
        assert isinstance(recist, RecistState)
        return RenalState(recist, options, self.questions, getattr(options, self.pd_reference))

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of `renal_numbers`: lengths in thousandths of a mm, and lesions."""
        burden = state.burden
        baseline = np.asarray(np.broadcast_to(burden.baseline_um, state.shape))
        sums = {"sum_mm": burden.sum_um, "baseline_mm": baseline, "nadir_mm": burden.nadir_um}
        return {**sums, f"{self.prefix}_compared": state.compared, f"{self.prefix}_dropped": state.dropped}


def renal_numbers(prefix: str) -> tuple[Number, ...]:
    """Return the numbers of both: the sums, and how many lesions are compared, and fell by 20 HU."""
    sums = (Number(f"{name}_mm", "mm") for name in ("sum", "baseline", "nadir"))
    return (*sums, Number(f"{prefix}_compared", "count"), Number(f"{prefix}_dropped", "count"))
