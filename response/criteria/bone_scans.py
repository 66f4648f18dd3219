"""Bone scans by the 2+2 rule of PCWG3; sources as in `pcwg3`."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER, THOUSAND
from response.criteria.burden import ever_before, running
from response.criteria.rules import Flags
from response.criteria.runs import NOWHERE, Places, days_passed, run_starts
from response.criteria.visit_values import at_places, visit_numbers

NEW_LESIONS: Final = 2  # new lesions that are progression, and as many more that confirm it


class Bone(IntEnum):
    """What a bone scan says."""

    NOT_EVALUABLE = 0
    NO_LESION = 1
    NO_PROGRESSION = 2
    FLARE = 3  # new lesions of the first scan that no further ones followed
    NEW_AT_FIRST = 4  # to be confirmed by further new lesions
    NEW_LATER = 5  # to be confirmed by their persistence
    TWO_PLUS_TWO = 6
    PERSISTING = 7


@dataclass(frozen=True, eq=False)
class BoneScans:
    """The bone scans of a block; arrays `[series, timepoint]`.

    The steps of a series:

    1. The first scan after baseline is the new reference; two new lesions on it are open.
    2. The first scan so many days later confirms them by two more, or shows that they were a flare. A scan that comes
       too early decides nothing.
    3. From then on, two lesions more than on the reference are open; they are confirmed by a scan so many days later
       that shows two more as well, unless a scan in between did not.
    4. Progression stays.
    """

    block: Block
    confirm_days: int

    @cached_property
    def total(self) -> NDArray[np.int64]:
        """Number of lesions, `NO_NUMBER` where not recorded."""
        return _whole(visit_numbers(self.block, "bone_lesions"))

    @cached_property
    def new(self) -> NDArray[np.int64]:
        """Number of lesions that the baseline did not show, `NO_NUMBER` where not recorded."""
        found = _whole(visit_numbers(self.block, "new_bone_lesions"))
        return np.where((found == NO_NUMBER) & (self.total == 0), 0, found)

    @cached_property
    def known(self) -> Flags:
        """A scan after baseline, with the number of new lesions."""
        return np.asarray(self.block.follow_up & (self.new != NO_NUMBER))

    @cached_property
    def first(self) -> Flags:
        """The first scan after baseline."""
        return self.known & ~ever_before(self.known)

    @cached_property
    def _first_place(self) -> Places:
        return np.asarray(self.first.argmax(axis=1)[:, None])

    @cached_property
    def _over_baseline(self) -> Flags:
        return self.known & (self.new >= NEW_LESIONS)

    @cached_property
    def _over_reference(self) -> Flags:
        reference = at_places(self.new, self._first_place)
        return np.asarray(self.known & (self.new - reference >= NEW_LESIONS))

    @cached_property
    def _awaited(self) -> Flags:
        """Scans after the first one, while its new lesions are open; the last of them judges."""
        opened = at_places(self._over_baseline & self.first, self._first_place)
        return np.asarray(self.known & ~self.first & opened & ~ever_before(self._late_enough))

    @cached_property
    def _late_enough(self) -> Flags:
        return self.known & ~self.first & days_passed(self.block, self._first_place, self.confirm_days)

    @cached_property
    def _began(self) -> Places:
        """Where two lesions more than on the reference began to be seen, once those of the first scan are judged."""
        later = self.known & ~self.first & ~self._awaited
        return run_starts(later & self._over_reference, later & ~self._over_reference)

    @cached_property
    def _confirmed(self) -> tuple[Flags, Flags]:
        """Scans that confirm: those of the first scan by two more, and later ones that persist."""
        judged = self._awaited & self._late_enough
        later = self._over_reference & ~self.first & ~self._awaited
        place = np.arange(self.known.shape[1])
        persists = later & (self._began < place) & days_passed(self.block, self._began, self.confirm_days)
        return judged & self._over_reference, persists

    @cached_property
    def says(self) -> NDArray[np.int8]:
        """What each scan says, `Bone`."""
        said = np.zeros(self.known.shape, np.int8)
        if not self.known.any():
            return said
        two_plus_two, persists = self._confirmed
        gone = self.total == 0
        said[self.known] = Bone.NO_PROGRESSION
        said[self._awaited & self._late_enough] = Bone.FLARE
        said[self.known & gone] = Bone.NO_LESION
        said[self._over_baseline & (self.first | (self._awaited & ~self._late_enough))] = Bone.NEW_AT_FIRST
        said[self._over_reference & ~self.first & ~self._awaited] = Bone.NEW_LATER
        said[two_plus_two], said[persists] = Bone.TWO_PLUS_TWO, Bone.PERSISTING
        confirmed = np.where(two_plus_two | persists, said, 0).astype(np.int8)
        progressed = np.where(ever_before(confirmed > 0), 0, confirmed)  # the first one
        stays = running(np.maximum, progressed)
        return np.where(self.known & (stays > 0), stays, said)

    @cached_property
    def start(self) -> Places:
        """Place of the scan that first showed the progression which a timepoint has, `NOWHERE` where it has none."""
        if not self.known.any():
            return np.full(self.known.shape, NOWHERE, np.intp)
        two_plus_two, persists = self._confirmed
        began = np.where(two_plus_two, self._first_place, np.where(persists, self._began, NOWHERE))
        first = np.where(ever_before(two_plus_two | persists), NOWHERE, began)
        return running(np.maximum, first)


def _whole(thousandths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(thousandths == NO_NUMBER, NO_NUMBER, thousandths // THOUSAND)
