"""Size, attenuation and structure of metastases of renal cell carcinoma, as SACT and MASS ask for them.

Sizes, new lesions and completeness are those of RECIST 1.1 beside; attenuation is compared over the lesions measured
at baseline and now, lesion by lesion.
"""

from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER, THOUSAND
from response.criteria.attenuation import Attenuation, attenuation_of
from response.criteria.burden import Fact, LesionClass, Sums
from response.criteria.criterion import State
from response.criteria.recist import RecistState
from response.criteria.rules import Flags, Question
from response.criteria.sums import TARGETS, lesion_number
from response.criteria.visit_values import any_lesion, lesions_at_baseline
from response.vocabulary import EnhancementChange, LesionType, folded, organ_of
from response.vocabulary import State as LesionState

SMALL_DROP_MHU: Final = 20_000  # 20 HU, in thousandths (SACT)
MARKED_DROP_MHU: Final = 40_000  # 40 HU (SACT, MASS)
FAVOURABLE: Final = "favourable"
INDETERMINATE: Final = "indeterminate"
UNFAVOURABLE: Final = "unfavourable"


class RenalState(State):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`."""

    def __init__(self, recist: RecistState, options: Any, questions: tuple[Question[Any], ...], reference: str) -> None:
        """Stand beside RECIST 1.1; growth is judged against the `reference`, "nadir" or "baseline"."""
        super().__init__(recist.block, questions)
        self.recist, self.options, self.burden = recist, options, recist.burden
        self._from_nadir = reference == "nadir"

    # --- size

    @property
    def reference(self) -> Sums:
        """Sum that growth is judged against."""
        if self._from_nadir:
            return self.burden.nadir_um
        return np.asarray(np.broadcast_to(self.burden.baseline_um, self.shape))

    def shrunk_to(self, percent: int) -> Flags:
        """Return where the complete sum is at most so many percent of the baseline."""
        fell = 100 * self.burden.sum_um <= percent * self.burden.baseline_um
        return np.asarray(fell & self.burden.all_assessed)

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
    def attenuation(self) -> Attenuation:
        """Attenuation of the lesions measured at baseline and now."""
        return attenuation_of(self.burden, phases_must_match=False)

    @cached_property
    def _drop(self) -> NDArray[np.int64]:
        compared = self._outside_lung & self.attenuation.matched
        drop = self.attenuation.baseline.astype(np.int64) - self.attenuation.now
        return np.where(compared, drop, NO_NUMBER)

    @cached_property
    def _outside_lung(self) -> Flags:
        organ = self.block.timeline.measurements.text_column("organ")
        lung = np.asarray([organ_of(text) == "lung" for text in organ.values], np.bool_)
        return ~self.block.lesion(lung[organ.codes], fill=False)

    @cached_property
    def compared(self) -> NDArray[np.int64]:
        """Number of lesions outside the lung whose attenuation is compared."""
        return self.burden.count(self._drop != NO_NUMBER)

    @cached_property
    def dropped(self) -> NDArray[np.int64]:
        """Number of them whose attenuation fell by 20 HU or more."""
        return self.burden.count(self._drop >= SMALL_DROP_MHU)

    @cached_property
    def half_dropped(self) -> Flags:
        """Half of them or more."""
        return np.asarray((self.compared > 0) & (2 * self.dropped >= self.compared))

    @cached_property
    def marked_drop(self) -> Flags:
        """The attenuation of a lesion outside the lung fell by 40 HU or more."""
        return any_lesion(self.block, self._drop >= MARKED_DROP_MHU)

    @cached_property
    def marked_drop_of_solid(self) -> Flags:
        """The same of a lesion that was mostly solid and enhancing at baseline."""
        return any_lesion(self.block, (self._drop >= MARKED_DROP_MHU) & self._solid)

    # --- structure

    @cached_property
    def _necrosis(self) -> NDArray[np.int64]:
        return lesion_number(self.block, "necrosis_fraction")

    @cached_property
    def _solid(self) -> Flags:
        before = lesions_at_baseline(self.block, self._necrosis)
        kind = self.block.lesion(self.block.timeline.measurements.code("lesion_type"), LesionType.BLANK)
        return np.asarray((2 * before < THOUSAND) & (lesions_at_baseline(self.block, kind) != LesionType.CYSTIC))

    @cached_property
    def _targets(self) -> Flags:
        return np.isin(self.burden.classes, TARGETS)[:, None]

    @cached_property
    def marked_necrosis(self) -> Flags:
        """More than half of what enhanced at baseline in a mostly solid target has become necrotic."""
        before = lesions_at_baseline(self.block, self._necrosis)
        known = (before != NO_NUMBER) & (self._necrosis != NO_NUMBER)
        lost = 2 * (self._necrosis - before) > THOUSAND - before
        return any_lesion(self.block, known & lost & self._solid & self._targets)

    @cached_property
    def structure_known(self) -> Flags:
        """Attenuation or necrosis of some target can be compared with the baseline."""
        before = lesions_at_baseline(self.block, self._necrosis)
        necrosis = (before != NO_NUMBER) & (self._necrosis != NO_NUMBER) & self._targets
        return any_lesion(self.block, necrosis | (self._drop != NO_NUMBER))

    @cached_property
    def _came_back(self) -> NDArray[np.int8]:
        counted = (self.burden.classes != LesionClass.UNCOUNTED)[:, None]
        change = self.block.lesion(self.block.timeline.measurements.code("enhancement_change"), EnhancementChange.BLANK)
        return np.where(counted, change, EnhancementChange.BLANK).astype(np.int8)

    @cached_property
    def filled_in(self) -> Flags:
        """A lesion shows marked central fill-in."""
        return any_lesion(self.block, self._came_back == EnhancementChange.FILL_IN)

    @cached_property
    def newly_enhancing(self) -> Flags:
        """A mass that did not enhance does now."""
        return any_lesion(self.block, self._came_back == EnhancementChange.NEW_ENHANCEMENT)

    # --- what stands in notes only

    @cached_property
    def other_phase(self) -> Flags:
        """Attenuation of another phase than the portal venous one, or than at baseline."""
        phase = self.block.timeline.measurements.text_column("phase")
        other = np.asarray([bool(folded(text)) and "portal" not in folded(text) for text in phase.values], np.bool_)
        seen = self.block.lesion(other[phase.codes], fill=False) & self.attenuation.matched
        return any_lesion(self.block, seen) | self.attenuation.mismatch

    @cached_property
    def left_out(self) -> Flags:
        """A target outside the lung that is there could not be compared."""
        there = self._targets & np.isin(self.burden.state, (LesionState.MEASURED, LesionState.EQUIVOCAL))
        return any_lesion(self.block, there & self._outside_lung & (self._drop == NO_NUMBER))

    @cached_property
    def non_target_progression(self) -> Flags:
        """A non-target progresses unequivocally."""
        return self.burden.has(Fact.NON_TARGET_PROGRESSION)


# --- Conditions of the rules


def new_metastasis(state: RenalState) -> Flags:
    """Return where there is a new metastasis."""
    return state.new_metastasis


def filled_in(state: RenalState) -> Flags:
    """Return where a lesion shows marked central fill-in."""
    return state.filled_in


def newly_enhancing(state: RenalState) -> Flags:
    """Return where a mass that did not enhance does now."""
    return state.newly_enhancing


def no_targets(state: RenalState) -> Flags:
    """Return where no target was chosen at baseline."""
    return state.recist.no_targets


def baseline_incomplete(state: RenalState) -> Flags:
    """Return where a target was not measured at baseline."""
    return state.recist.baseline_incomplete


def enlarged(state: RenalState) -> Flags:
    """Return where the sum has grown by 20 %."""
    return state.enlarged


def shrunk_by_20(state: RenalState) -> Flags:
    """Return where the sum has shrunk by 20 %."""
    return state.shrunk_to(80)


def size_missing(state: RenalState) -> Flags:
    """Return where a target was not assessed."""
    return ~state.burden.all_assessed


def other_phase(state: RenalState) -> Flags:
    """Return where the phase is not that of the criteria."""
    return state.other_phase


def left_out(state: RenalState) -> Flags:
    """Return where a lesion could not be compared."""
    return state.left_out


def non_target_progression(state: RenalState) -> Flags:
    """Return where a non-target progresses, of which the criteria know nothing."""
    return state.non_target_progression


def everywhere(state: RenalState) -> Flags:
    """Return that it holds at all timepoints."""
    return np.ones(state.shape, np.bool_)
