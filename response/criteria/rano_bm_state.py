"""What the rules of RANO-BM ask: the lesions of the central nervous system, one by one and together."""

import re
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_ROW
from response.criteria.burden import NO_SUM, Burden, Fact, LesionClass, running_before
from response.criteria.lesion_courses import NO_LENGTH, LesionCourses, largest_rise
from response.criteria.neuro_status import NeuroStatus
from response.criteria.new_lesions import visit_codes
from response.criteria.rano_state import only_lesions
from response.criteria.rules import Flags
from response.criteria.sites import by_site
from response.criteria.some_lesions import SomeLesions, is_one_of
from response.criteria.sum_tests import SumTest
from response.criteria.sums import (
    TARGETS,
    SumState,
    burden_beside,
)
from response.vocabulary import Role, VisitNewLesions, folded
from response.vocabulary import State as LesionState

LESION_GROWTH_UM: Final = 5_000  # at least one target must grow by so much: target lesions, PD
RANO_BM_TEST: Final = SumTest(partial=(7, 10), progressive=(6, 5))  # -30 %, +20 %, inclusive
MEASURABLE_UM: Final = {"longest_mm": 10_000, "short_mm": 5_000}  # of a target at baseline
_CNS: Final = re.compile(
    r"\b(brain|brainstem|cerebr\w*|cerebell\w*|intracranial|cns|central nervous system|mening\w*|leptomening\w*|dura|"
    r"dural|pons|pontine|medulla oblongata|midbrain|thalam\w*|hypothalam\w*|basal ganglia|putamen|caudate nucleus|"
    r"corpus callosum|hippocamp\w*|(frontal|parietal|temporal|occipital) lobe|spinal cord|myelon|conus medullaris)\b"
)
_MEASURED: Final = (LesionState.MEASURED, LesionState.EQUIVOCAL)


class RanoBmState(SumState):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`, lengths in whole micrometres."""

    @cached_property
    def status(self) -> NeuroStatus:
        """Corticosteroids and clinical status."""
        return NeuroStatus(self.block)

    @cached_property
    def is_cr(self) -> Flags:
        """All is gone, and no corticosteroids are taken."""
        return super().is_cr & self.status.without

    # --- growth of the targets together, and one by one

    @cached_property
    def sum_grown(self) -> Flags:
        """The sum, or its measured part, has grown to progression."""
        return self.test.grown(self.burden.sum_um, self.reference)

    @cached_property
    def lesion_grown(self) -> Flags:
        """A target has grown by 5 mm over its own smallest diameter."""
        return self._grown_lesions.by_series()

    @cached_property
    def proven(self) -> Flags:
        """The measured part alone has grown to progression, and one target by 5 mm."""
        return self.sum_grown & self.lesion_grown

    @cached_property
    def _grown_lesions(self) -> SomeLesions:
        burden, courses = self.burden, LesionCourses(self.burden)
        targets = np.flatnonzero(is_one_of(burden.classes, TARGETS))
        tracks = targets[largest_rise(burden.value_um[targets]) >= LESION_GROWTH_UM]
        length = burden.value_um[tracks]
        least = courses.smallest_before(tracks, length, np.int32(NO_LENGTH))
        measured = is_one_of(burden.state[tracks], _MEASURED)  # not by the default of one too small to measure
        return courses.scored(tracks, measured & (length - least >= LESION_GROWTH_UM))

    @cached_property
    def only_by_own_smallest(self) -> Flags:
        """No target that has grown by 5 mm has done so since the timepoint of the smallest sum."""
        if not self.lesion_grown.any():
            return self.lesion_grown
        grown, length = self._grown_lesions, self.burden.value_um
        lesion, place = np.nonzero(grown.flags)
        track = grown.tracks[lesion]
        lowest = self._nadir_place[self.block.series_of_track[track], place]
        since = np.zeros(grown.flags.shape, np.bool_)
        since[lesion, place] = length[track, place] - length[track, lowest] >= LESION_GROWTH_UM
        return self.lesion_grown & ~SomeLesions(self.block, grown.tracks, since).by_series()

    @cached_property
    def _nadir_place(self) -> NDArray[np.intp]:
        """Place of the smallest complete sum before each timepoint, the earliest of equal ones."""
        count = self.shape[1]
        sum_and_place = self.burden.complete_um * count + np.arange(count)
        return np.asarray(running_before(np.minimum, sum_and_place, NO_SUM * count) % max(count, 1), np.intp)

    def thresholds(self, place: int) -> list[str]:
        """Return how far a timepoint of a single series is from PR and PD."""
        found = super().thresholds(place)
        return [*found[:1], *(f"{told}, with a target grown by 5 mm" for told in found[1:])]

    # --- new lesions: the visit table does not say where they are

    @cached_property
    def _elsewhere(self) -> Flags:
        """A new lesion outside the central nervous system has a row, which explains what the visit table says."""
        roles = self.block.tracks(self.block.timeline.tracks.role)
        tracks = np.flatnonzero((self.burden.classes == LesionClass.UNCOUNTED) & (roles == Role.NEW))
        rows = self.block.row[tracks] != NO_ROW
        return SomeLesions(self.block, tracks, rows).by_series()

    @cached_property
    def new_unequivocal(self) -> Flags:
        """An unequivocal new lesion has a row, or stands in the visit table while none elsewhere has a row."""
        by_visit = visit_codes(self.block, "new_lesions") == VisitNewLesions.UNEQUIVOCAL
        return np.asarray(self.burden.has(Fact.NEW_UNEQUIVOCAL) | (by_visit & ~self._elsewhere))

    # --- targets at baseline

    @cached_property
    def targets_at_baseline(self) -> NDArray[np.intp]:
        """Targets that have a row at baseline, counted from the start of the block."""
        there = self.block.tracks(self.block.timeline.tracks.at_baseline)
        return np.flatnonzero(is_one_of(self.burden.classes, TARGETS) & there)

    @cached_property
    def below_measurable(self) -> NDArray[np.intp]:
        """Those of them that are below 10 mm, or below 5 mm across."""
        rows = self.block.baseline_row[self.targets_at_baseline]
        small = np.zeros(len(rows), np.bool_)
        for name, least in MEASURABLE_UM.items():
            length = self.block.timeline.measurements.numbers_of(name, rows)
            small |= (length > 0) & (length < least)
        return self.targets_at_baseline[small]

    @cached_property
    def without_organ(self) -> Flags:
        """A lesion that counts has neither organ nor location, `[series, 1]`."""
        counted = self.burden.classes != LesionClass.UNCOUNTED
        return self.block.series_with(counted & ~by_site(self.block, lambda text: bool(text.strip())))


def cns_burden(block: Block, options: Any, beside: Any) -> Burden:
    """Return the lesions of the central nervous system."""
    read = burden_beside(block, options, beside)
    return only_lesions(read, of_cns(block), read.state)


def of_cns(block: Block) -> Flags:
    """Return the lesions of the central nervous system, `[track]`; one without an organ is taken for one of them."""
    return ~by_site(block, lambda text: bool(text.strip())) | by_site(block, _names_cns)


def _names_cns(site: str) -> bool:
    return bool(_CNS.search(folded(site)))
