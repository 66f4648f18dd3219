"""iRECIST: what its walk remembers from timepoint to timepoint, what it sees at each, what stands from the start."""

from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, DatePrecision
from response.criteria.burden import NO_SUM, Fact, before
from response.criteria.irecist_new import NewLesions, Watch
from response.criteria.irecist_non_target import ProgressedNonTargets
from response.criteria.new_lesions import visit_codes
from response.criteria.recist import OVERALL_RULES, RecistState
from response.criteria.rules import Flags
from response.criteria.steps import Rows, of_part
from response.vocabulary import Response

CLEAR, PENDING, CONFIRMED = 0, 1, 2  # no progression to confirm; one to confirm; a confirmed one
TARGET, NON_TARGET, NEW_LESION = 1, 2, 4  # what made the unconfirmed progression: its basis

FURTHER_UM: Final = 5_000  # further increase of a sum that confirms, table 2 (once printed as more than 5 mm)
SETTLED_UM: Final = 5_000  # decrease that tells "smaller" from "no change" where the category stays (our choice)
LATEST_DAYS: Final = 56  # the next assessment should come 4 to 8 weeks after the unconfirmed progression
NO_DAY: Final = np.int32(NO_DATE)
UNKNOWN_DAYS: Final = np.int32(2**30)  # between days of which one is not known; later than any
NOWHERE: Final = np.int32(-1)

Sums = NDArray[np.int64]
Days = NDArray[np.int32]

# What the walk remembers, and what it starts with.
FIRST: Final = {
    "phase": np.int8(CLEAR),
    "basis": np.int8(0),
    "anchor": NOWHERE,  # timepoint of the first unconfirmed progression of the block
    "anchor_day": NO_DAY,
    "anchor_original": np.int8(Response.SD),
    "anchor_sum_um": np.int64(NO_SUM),
    "anchor_relapse": np.bool_(False),
    "last_day": NO_DAY,  # of the last unconfirmed progression that counts
    "reset_day": NO_DAY,
    "original": np.int8(Response.BLANK),  # the last response of the original lesions that could be evaluated
    "nadir_um": np.int64(NO_SUM),
    "block_um": np.int64(NO_SUM),  # smallest sum since the first unconfirmed progression of the block
    "new_nadir_um": np.int64(NO_SUM),
    "new_block_um": np.int64(NO_SUM),
    "complete": np.bool_(False),  # iCR was assigned, and nothing has replaced it
    "responded": np.bool_(False),  # PR or CR of the targets, and no PD since
    "targets_gone": np.bool_(False),
    "unlisted": np.bool_(False),  # a new lesion without a row was there
}


class Seen:
    """What was seen of the lesions at each timepoint, in the light of those before; filled while the walk goes on.

    Arrays `[series, timepoint]`: `sights` (bits of `Sight`), `sum_um` of the new lesion targets assessed, and
    `joins_um`, what those add to it that are counted for the first time.
    """

    def __init__(self, shape: tuple[int, int], new: NewLesions, old: ProgressedNonTargets) -> None:
        self.new, self.old = Watch(new) if len(new) else None, old if len(old) else None
        self.sights = np.zeros(shape, np.uint16)
        nothing = np.broadcast_to(np.int64(0), shape)  # where there is no such lesion one value stands for all
        self.sum_um, self.joins_um = (nothing if self.new is None else np.zeros(shape, np.int64) for _ in range(2))

    def look(self, place: int, *, by_length: bool) -> None:
        """Look at a timepoint."""
        if self.new is not None:
            sights, self.sum_um[:, place], self.joins_um[:, place] = self.new.look(place, by_length=by_length)
            self.sights[:, place] = sights
        if self.old is not None:
            self.sights[:, place] |= self.old.look(place)

    def learn(self, place: int, used: Flags, opened: Flags, relapsed: Flags) -> None:
        """Keep what the timepoint showed: where it counts, and where an unconfirmed progression begins."""
        if self.new is not None:
            self.new.learn(used, opened)
        if self.old is not None:
            self.old.learn(place, opened, relapsed)

    @property
    def anything(self) -> bool:
        """Whether there is any such lesion."""
        return self.new is not None or self.old is not None


class Scene:
    """What does not depend on the walk, column by column in memory; arrays `[series, timepoint]`."""

    def __init__(self, recist: RecistState, options: Any) -> None:
        block, burden = recist.block, recist.burden
        self.recist = recist
        visits = block.timeline.visits
        whole_day = block.cell_values(visits.precision, 0) == DatePrecision.DAY
        self.day: Days = np.where(whole_day, block.cell_values(visits.first_scan, NO_DATE), NO_DAY)
        self.scan: Days = block.cell_values(visits.first_scan, NO_DATE)
        self.unlisted = recist.new_unequivocal & ~burden.has(Fact.NEW_UNEQUIVOCAL)
        self.has_unlisted = bool(self.unlisted.any())
        self.progressed = np.asarray(recist.is_("overall", "PD") & block.follow_up)
        fewest = options.ir_min_confirm_days - options.ir_tol
        self.has_early_scans = options.ir_early_policy == "ignore" and self._comes_within(fewest)
        self._values: dict[str, NDArray[Any]] = {}

    @cached_property
    def forgets(self) -> Flags:
        """Series in which there is no new lesion and no complete response ever, `[series]`."""
        new = self.recist.new_unequivocal | self.recist.burden.has(Fact.NEW_EQUIVOCAL | Fact.NEW_MISSING)
        return np.asarray(~(new | self.recist.is_cr).any(axis=1))

    def _comes_within(self, days: int) -> bool:
        """Return whether a scan comes within some days of one before, so that it may be left out."""
        day = np.where(self.recist.block.follow_up, self.day, NO_DAY)
        last = before(np.maximum.accumulate(day, axis=1), NO_DAY)
        known = (day != NO_DAY) & (last != NO_DAY)
        return bool((known & (day.astype(np.int64) - last < days)).any())

    def at(self, name: str, part: slice, rows: Rows) -> NDArray[Any]:
        """Return something of RECIST 1.1, of its lesions or of the visit, at some timepoints of some series."""
        if name not in self._values:
            self._values[name] = self._made(name)
        return of_part(self._values[name], part, rows)

    def _made(self, name: str) -> NDArray[Any]:
        block, recist, burden = self.recist.block, self.recist, self.recist.burden
        facts = {"target_disease": Fact.TARGET_DISEASE, "non_target_present": Fact.NON_TARGET_PRESENT}
        if name in facts:
            return burden.has(facts[name])
        if name in ("ned_not_evaluable", "no_lesion_to_follow"):
            return next(rule for rule in OVERALL_RULES if rule.name == name).holds(recist)
        if name in ("new_symptom", "clinical", "new_lesions", "pet"):
            return visit_codes(block, name)
        for owner in (self, recist, burden):
            if hasattr(type(owner), name) or name in vars(owner):
                return np.asarray(getattr(owner, name))
        raise KeyError(name)
