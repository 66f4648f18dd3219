"""iRECIST: what its steps ask of a timepoint, and what the walk learns from it.

Source: Seymour et al., Lancet Oncol 2017;18:e143-e152, doi:10.1016/S1470-2045(17)30074-8, tables 2 and 3, and the
EORTC list of questions on iRECIST.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE
from response.criteria.burden import NO_SUM
from response.criteria.distances import at_least, at_most, mm
from response.criteria.irecist.memory import (
    CLEAR,
    CONFIRMED,
    FURTHER_UM,
    LATEST_DAYS,
    NEW_LESION,
    NON_TARGET,
    NOWHERE,
    PENDING,
    TARGET,
    UNKNOWN_DAYS,
    Days,
    Sums,
)
from response.criteria.irecist.originals import Originals
from response.criteria.irecist.seen import Sight
from response.criteria.rules import Flags
from response.criteria.steps import Recall
from response.criteria.sum_tests import SumTest
from response.vocabulary import ICPD, ICR, IPR, IUPD, Response


class IrecistState(Originals):
    """What the steps ask of all series of a block; arrays `[series, timepoint]`, lengths in micrometres."""

    # --- the unconfirmed progression

    def has_basis(self, what: int) -> Flags:
        """Return where something is part of what made the unconfirmed progression."""
        return np.asarray(self.known("basis") & np.int8(what) != 0)

    @property
    def block_um(self) -> Sums:
        """Smallest complete sum since the unconfirmed progression."""
        return self.known("block_um")

    @cached_property
    def days(self) -> Days:
        """Days since the first unconfirmed progression; `UNKNOWN_DAYS` where there is none, or a day is not known."""
        return self._since("anchor_day")

    def _since(self, name: str) -> Days:
        """Return the days since a day that is remembered, `UNKNOWN_DAYS` where none waits or a day is not known."""
        now, then = self._at("day"), self.known(name)
        known = (now != NO_DATE) & (then != NO_DATE) & self.in_phase(PENDING)
        return np.where(known, now - then, UNKNOWN_DAYS)

    @cached_property
    def early(self) -> Flags:
        """The scan came too early to be used."""
        return np.asarray(self.days < self.options.ir_min_confirm_days - self.options.ir_tol)

    @cached_property
    def late(self) -> Flags:
        """The last unconfirmed progression is more than eight weeks ago."""
        since = self._since("last_day")
        return np.asarray((since > LATEST_DAYS) & (since != UNKNOWN_DAYS))

    @cached_property
    def settled(self) -> Flags:
        """The unconfirmed progression is not confirmed, and what made it is better: the bar is reset.

        A new lesion must be gone, or the original lesions be in a better category than then, or in the same with a
        clearly smaller sum; a non-target must be gone or have decreased.
        """
        settled = ~self.is_original(Response.PD, Response.NE)
        if self.seen.old is not None:
            settled &= ~(self.has_basis(NON_TARGET) & self.saw(Sight.NON_TARGET_UNSETTLED))
        return settled & self._new_settled if self.has_new else settled

    @property
    def _new_settled(self) -> Flags:
        grown = self.new_sum_grew | self.new_non_target_grew | self.new_appears
        better: Flags = self.original < self.known("anchor_original")
        new_settled = ~self.has_basis(NEW_LESION) | ~self.new_there | better | self.smaller_in_category
        if self.options.ir_cr_with_nl == "iUPD":
            new_settled &= ~(self.is_original(Response.CR) & self.new_there)
        return ~grown & new_settled

    @cached_property
    def smaller_in_category(self) -> Flags:
        """The original lesions have the same response as at the unconfirmed progression, with a smaller sum."""
        same: Flags = self.original == self.known("anchor_original")
        return same & self.smaller

    @property
    def settled_by_sum(self) -> Flags:
        """Only the smaller sum in the same category resets the bar, while the new lesion is there."""
        there = self.has_basis(NEW_LESION) & self.new_there
        return there & self.settled & self.smaller_in_category if there.any() else there

    # --- complete response

    @cached_property
    def icr(self) -> Flags:
        """All disease is gone, and so are the new lesions."""
        return self.is_original(Response.CR) & self.holds_at("is_cr") & ~self.new_there

    @cached_property
    def unproven_alone(self) -> Flags:
        """Without targets all non-targets are gone, but new lesions could not be looked for."""
        gone = self.is_original(Response.CR) & self.is_("target", "NA")
        return gone & ~self.holds_at("is_cr") & ~self.new_there

    # --- for dates and flags

    @cached_property
    def dated_from(self) -> NDArray[np.intp]:
        """Timepoint of the first unconfirmed progression of the block."""
        return self.memory.after("anchor", self.part).astype(np.intp)

    @cached_property
    def dated_after(self) -> Days:
        """Day of the assessment that reset the bar: no progression is dated back beyond it."""
        return self.known("reset_day")

    def thresholds(self, place: int) -> list[str]:
        """Return how far the sums are from what is next: iPR and iUPD, or iCPD of an iUPD that waits."""
        phase = int(self.known("phase")[0, place])
        if phase == CONFIRMED:
            return []
        return self._to_confirm(place) if phase == PENDING else self._to_progress(place)

    def _to_progress(self, place: int) -> list[str]:
        found, nadir, new = [], int(self.nadir_um[0, place]), int(self.new_nadir_um[0, place])
        if not self.no_targets[0, place] and not self.baseline_incomplete[0, place] and nadir != NO_SUM:
            if self.all_assessed[0, place]:
                found.append(
                    at_most(IPR, self.test.largest_partial(int(self.baseline_um[0, 0])), int(self.sum_um[0, place]))
                )
            found.append(_grown(IUPD, self.test, nadir, int(self.pd_sum_um[0, place])))
        if self.new_summed[0, place] and new != NO_SUM:
            found.append(_grown(IUPD, self.test, new, int(self.new_sum_um[0, place]), " of new lesion targets"))
        return found

    def _to_confirm(self, place: int) -> list[str]:
        found = []
        for made, reference, now, of in (
            (TARGET, self.block_um, self.sum_um, ""),
            (NEW_LESION, self.new_block_um, self.new_sum_um, " of new lesion targets"),
        ):
            smallest = int(reference[0, place])
            if self.has_basis(made)[0, place] and smallest not in (0, NO_SUM):
                why = f"5 mm over {mm(smallest)} mm, the smallest since the iUPD"
                found.append(at_least(ICPD, smallest + FURTHER_UM, int(now[0, place]), why, of))
        return found

    # --- what the walk learns

    def learn(self, place: int, used: Flags) -> None:
        """Recall afterwards what follows from the timepoint, of which this is the state."""
        assert self.recall is not None
        before, phase = self.recall.known("phase"), self.recall.afterwards("phase")
        opened = used & (before == CLEAR) & (phase == PENDING)
        reset = used & (before == PENDING) & (phase == CLEAR)
        relapsed = self.returned & opened
        self._learn_sums(self.recall, used, opened)
        self._learn_responses(self.recall, used, reset)
        if opened.any():
            self._open(self.recall, place, opened, relapsed)
        if reset.any():
            self.recall.set("anchor", NOWHERE, reset)
            self.recall.set("anchor_relapse", np.False_, reset)
            if self.may_rest:  # what comes until then is not remembered: `_last_original` looks it up
                self.recall.set("original", np.int8(Response.BLANK), reset)
            self.recall.set("reset_day", self._at("scan"), reset)
        if self.seen.anything:
            self.seen.learn(place, *(self._of_all(flags) for flags in (used, opened, relapsed)))

    def _of_all(self, flags: Flags) -> Flags:
        """Return flags of all series of the block, `[series, 1]`."""
        if self.rows is None:
            return flags
        found = np.zeros((self.block.series_count, 1), np.bool_)
        found[self.rows] = flags
        return found

    def _learn_sums(self, recall: Recall, used: Flags, opened: Flags) -> None:
        complete = np.where(self.all_assessed & used, self.sum_um, NO_SUM)
        if self.scene.has_early_scans:
            recall.set("nadir_um", np.minimum(self.nadir_um, complete))
        recall.set("block_um", np.minimum(np.where(opened, NO_SUM, self.block_um), complete))
        if self.seen.new is None:
            return
        measured = self.new_summed & ~self.saw(Sight.UNMEASURED)
        known = np.where(used & measured, self.new_sum_um, NO_SUM)
        for name in ("new_nadir_um", "new_block_um"):
            reference = np.where(used, getattr(self, name), self.known(name))
            if name == "new_block_um":
                reference = np.where(opened, NO_SUM, reference)
            recall.set(name, np.minimum(reference, known))

    def _learn_responses(self, recall: Recall, used: Flags, reset: Flags) -> None:
        if self.scene.has_early_scans:
            gone = self.all_assessed & self.all_gone & ~self.no_targets
            recall.set("targets_gone", np.True_, used & gone)
            recall.set("responded", np.True_, used & self.is_("target", "iPR", "iCR"))
            recall.set("responded", np.False_, used & self.grown)
        steps, taken = (self.whole or self).steps_with, self.answers["overall"]
        if self.scene.has_gone:
            complete = steps[ICR][taken]
            recall.set("complete", np.False_, reset & ~complete)
            recall.set("complete", np.True_, used & complete)
        recall.set("original", self.original, used & ~self.is_original(Response.NE))
        recall.set("last_day", self._at("day"), used & steps[IUPD][taken])
        if self.scene.has_unlisted:
            known = used & ~self.unlisted_missing
            still = self.unlisted_now | (self.knew("unlisted") & self.new_there & ~self.saw(Sight.THERE))
            recall.set("unlisted", still, known)

    def _open(self, recall: Recall, place: int, opened: Flags, relapsed: Flags) -> None:
        basis = self.target_pd * TARGET + self.non_target_pd * NON_TARGET + self.new_pd * NEW_LESION
        unknown = self.is_original(Response.NE)
        complete = self.all_assessed & ~self.no_targets
        for name, values in (
            ("basis", basis.astype(np.int8)),
            ("anchor", np.int32(place)),
            ("anchor_day", self._at("day")),
            ("anchor_original", np.where(unknown, self._last_original(place), self.original)),
            ("anchor_sum_um", np.where(complete, self.sum_um, NO_SUM)),
            ("anchor_relapse", relapsed),
        ):
            recall.set(name, values, opened)

    def _last_original(self, place: int) -> NDArray[np.int8]:
        """Return the last response of the original lesions that could be evaluated, SD where none could be."""
        last = self.known("original")
        rows = np.flatnonzero((last == Response.BLANK) & self.is_original(Response.NE))
        if not len(rows) or self.whole is None:  # nothing was walked before the first progression
            return last
        series = rows if self.rows is None else self.rows[rows]
        earlier = self.whole.original_with_all_scans[series, :place]
        known = (earlier != Response.NE) & self.block.follow_up[series, :place]
        newest = place - 1 - known[:, ::-1].argmax(axis=1)
        found = np.where(known.any(axis=1), earlier[np.arange(len(rows)), newest], np.int8(Response.SD))
        last = last.copy()
        last[rows, 0] = found
        return last


def _grown(name: str, test: SumTest, nadir_um: int, now_um: int, of: str = "") -> str:
    start, (more, per) = test.smallest_progressive(nadir_um), test.progressive
    why = f"{100 * (more - per) // per} %" if start > nadir_um + test.least else f"{mm(test.least)} mm"
    return at_least(name, start, now_um, f"{why} over the nadir {mm(nadir_um)} mm decides", of)
