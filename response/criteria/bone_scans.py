"""Bone scans by the 2+2 rule of PCWG3, and the course of prostate-specific antigen; sources as in `pcwg3`."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, NO_NUMBER, THOUSAND
from response.criteria.burden import NO_SUM, before
from response.criteria.rules import Flags
from response.criteria.visit_values import visit_numbers
from response.timeline import Block

NEW_LESIONS: Final = 2  # new lesions that are progression, and as many more that confirm it
PSA_LEAST: Final = 2_000  # 2 ng/mL over the smallest value, in thousandths
PSA_GROWTH: Final = (5, 4)  # 125 % of the smallest value
NOWHERE: Final = -1


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


_OPEN: Final = (Bone.NEW_AT_FIRST, Bone.NEW_LATER)


@dataclass(frozen=True, eq=False)
class BoneScans:
    """The bone scans of a block; arrays `[series, timepoint]`.

    The steps of a series: (1) The first scan after baseline is the new reference; two new lesions on it are open. (2)
    The next scan, so many days later, confirms them by two more, or shows that they were a flare. (3) From then on,
    two lesions more than on the reference are open, and confirmed if they are still there so many days later.
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
    def course(self) -> tuple[NDArray[np.int8], NDArray[np.intp]]:
        """What each scan says (`Bone`), and the place of the scan that first showed its progression."""
        days = self.block.cell_values(self.block.timeline.visits.first_scan, NO_DATE).astype(np.int64)
        said = np.zeros(self.block.shape, np.int8)
        start = np.full(self.block.shape, NOWHERE, np.intp)
        walk = _Walk(self.block.series_count, self.confirm_days)
        for place in range(self.block.timepoints):
            known = self.block.follow_up[:, place] & (self.new[:, place] != NO_NUMBER)
            said[:, place] = walk.step(place, self.new[:, place], days[:, place], known)
            start[:, place] = np.where(np.isin(said[:, place], _OPEN), place, walk.since)
        gone = (self.total == 0) & np.isin(said, (Bone.NO_PROGRESSION, Bone.FLARE))
        return np.where(gone, np.int8(Bone.NO_LESION), said).astype(np.int8), start

    def says(self, *what: Bone) -> Flags:
        """Return where the scan says one of some things."""
        return np.isin(self.course[0], what)


class _Walk:
    """Where the bone scans of each series stand; arrays `[series]`."""

    def __init__(self, series: int, confirm_days: int) -> None:
        self.confirm_days = confirm_days
        self.reference = np.full(series, NO_NUMBER, np.int64)  # new lesions of the first scan
        self.waiting = np.zeros(series, np.int8)  # `Bone` that is open
        self.since = np.full(series, NOWHERE, np.intp)  # place of the scan that opened it, or of the progression
        self.opened = np.full(series, NO_DATE, np.int64)
        self.progressed = np.zeros(series, np.int8)

    def step(self, place: int, new: NDArray[np.int64], days: NDArray[np.int64], known: Flags) -> NDArray[np.int8]:
        """Take one scan of each series, and return what it says."""
        first = known & (self.reference == NO_NUMBER)
        later = known & ~first & (self.progressed == 0)
        more = later & (new - self.reference >= NEW_LESIONS)
        waited = (days == NO_DATE) | (self.opened == NO_DATE) | (days - self.opened >= self.confirm_days)
        flare_judged = later & (self.waiting == Bone.NEW_AT_FIRST) & waited
        flare_open = later & (self.waiting == Bone.NEW_AT_FIRST) & ~waited
        was_new = later & (self.waiting == Bone.NEW_LATER)
        opens = (first & (new >= NEW_LESIONS)) | (more & (self.waiting == 0))
        ends = (flare_judged & ~more) | (was_new & ~more)
        said = np.where(known, np.int8(Bone.NO_PROGRESSION), np.int8(Bone.NOT_EVALUABLE))
        said[flare_judged & ~more] = Bone.FLARE
        said[(first & (new >= NEW_LESIONS)) | flare_open] = Bone.NEW_AT_FIRST
        said[(more & (self.waiting == 0)) | (was_new & more & ~waited)] = Bone.NEW_LATER
        self.progressed[flare_judged & more] = Bone.TWO_PLUS_TWO
        self.progressed[was_new & more & waited] = Bone.PERSISTING
        self._keep(place, new, days, first=first, opens=opens, ends=ends, said=said)
        return np.where(known & (self.progressed > 0), self.progressed, said).astype(np.int8)

    def _keep(
        self,
        place: int,
        new: NDArray[np.int64],
        days: NDArray[np.int64],
        *,
        first: Flags,
        opens: Flags,
        ends: Flags,
        said: NDArray[np.int8],
    ) -> None:
        self.reference[first] = new[first]
        self.waiting[ends] = 0
        self.waiting[opens] = said[opens]
        self.since[opens], self.opened[opens] = place, days[opens]


@dataclass(frozen=True, eq=False)
class Psa:
    """Prostate-specific antigen against its smallest value; arrays `[series, timepoint]`."""

    block: Block
    confirm_days: int

    @cached_property
    def value(self) -> NDArray[np.int64]:
        """Thousandths of ng/mL, `NO_NUMBER` where not recorded."""
        return visit_numbers(self.block, "psa")

    @cached_property
    def _known(self) -> Flags:
        return np.asarray(self.value != NO_NUMBER) & (self.block.is_baseline | self.block.follow_up)

    @cached_property
    def rises(self) -> Flags:
        """25 % and 2 ng/mL over the smallest value before."""
        least = before(np.minimum.accumulate(np.where(self._known, self.value, NO_SUM), axis=1), NO_SUM)
        share, of = PSA_GROWTH
        grew = (of * self.value >= share * least) & (self.value - least >= PSA_LEAST)
        return np.asarray(grew & self._known & self.block.follow_up)

    @cached_property
    def progressed(self) -> Flags:
        """The rise began so many days before, and each value since confirms it."""
        place = np.broadcast_to(np.arange(self.block.shape[1]), self.block.shape)
        days = self.block.cell_values(self.block.timeline.visits.first_scan, NO_DATE).astype(np.int64)
        fell = self._known & ~self.rises
        last_fall = np.maximum.accumulate(np.where(fell, place, NOWHERE), axis=1)
        last_rise = before(np.maximum.accumulate(np.where(self.rises, place, NOWHERE), axis=1), NOWHERE)
        opens = self.rises & ((last_rise == NOWHERE) | (last_rise < last_fall))
        began = np.maximum.accumulate(np.where(opens, place, NOWHERE), axis=1)
        since = days - np.take_along_axis(days, np.maximum(began, 0), axis=1)
        return np.asarray(self.rises & (began < place) & (since >= self.confirm_days))


def _whole(thousandths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(thousandths == NO_NUMBER, NO_NUMBER, thousandths // THOUSAND)
