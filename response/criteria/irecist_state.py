"""iRECIST: what its steps ask of a timepoint, and what the walk learns from it.

Source: Seymour et al., Lancet Oncol 2017;18:e143-e152, doi:10.1016/S1470-2045(17)30074-8, tables 2 and 3, and the
EORTC list of questions on iRECIST. Until the first progression iRECIST is RECIST 1.1, so the rules of RECIST 1.1 are
asked here too: of the original lesions alone, and with a nadir that the walk carries, for a scan that came too early is
not used.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE
from response.criteria.burden import NO_SUM
from response.criteria.distances import at_least, at_most, grown_from_um, mm, pr_at_most_um
from response.criteria.irecist_view import IrecistView
from response.criteria.irecist_walk import (
    CLEAR,
    CONFIRMED,
    FURTHER_UM,
    LATEST_DAYS,
    NEW_LESION,
    NON_TARGET,
    NOWHERE,
    PENDING,
    SETTLED_UM,
    TARGET,
    Days,
    Sums,
)
from response.criteria.recist import PD_INCREASE_UM
from response.criteria.rules import Flags
from response.vocabulary import ICPD, IPR, IUPD, Response


class IrecistState(IrecistView):
    """What the steps ask of all series of a block; arrays `[series, timepoint]`, lengths in micrometres."""

    @cached_property
    def _originals(self) -> dict[tuple[Response, ...], Flags]:
        return {}

    # --- the original lesions: targets and non-targets without the new ones

    @cached_property
    def target_pd(self) -> Flags:
        """The targets progress by RECIST 1.1, or are back after iCR."""
        return self.is_("target", "iUPD") | self.target_relapse

    @cached_property
    def non_target_pd(self) -> Flags:
        """Non-targets progress unequivocally, or are back after iCR."""
        return self.is_("non_target", "iUPD") | self.non_target_relapse

    @cached_property
    def _relapses(self) -> Flags:
        """Disease after iCR counts as progression by the options of RECIST 1.1."""
        chosen = self.recist.options
        if chosen.post_cr_disease != "pd":
            return np.zeros(self.shape, np.bool_)
        back = self.knew("complete")
        return back & ~self.holds_at("only_nodes") if chosen.node_regrowth_after_cr == "require_sum_rule" else back

    @cached_property
    def target_relapse(self) -> Flags:
        """A target is back after iCR, and has not become clearly smaller since."""
        settled = self.knew("anchor_relapse") & self.smaller
        return self._relapses & self.holds_at("target_disease") & ~settled

    @cached_property
    def non_target_relapse(self) -> Flags:
        """A non-target is back after iCR, and has not decreased since."""
        settled = self.knew("anchor_relapse") & ~self.saw("non_target_unsettled")
        return self._relapses & self.holds_at("non_target_present") & ~settled

    @cached_property
    def smaller(self) -> Flags:
        """The sum of the targets is at least 5 mm below that of the unconfirmed progression."""
        anchor = self.known("anchor_sum_um")
        smaller: Flags = (anchor != NO_SUM) & (self.sum_um + SETTLED_UM <= anchor)
        return smaller & self.all_assessed & ~self.no_targets

    @cached_property
    def original(self) -> NDArray[np.int8]:
        """Response of the original lesions, `vocabulary.Response` codes: table 1 and 2 of RECIST 1.1."""
        nowhere = self.holds_at("no_disease_at_baseline")
        gone = self.is_("target", "iCR", "NA") & self.is_("non_target", "iCR", "NA") & ~nowhere
        marked = self.holds_at("no_non_targets") & self.holds_at("markers_above")
        no_targets = self.is_("target", "NA")
        codes = np.full(self.shape, np.int8(Response.NE), order="F")
        for response, holds in (
            (Response.NON_CR_NON_PD, no_targets & self.is_("non_target", "non-iCR/non-iUPD")),
            (Response.SD, self.is_("target", "iSD")),
            (Response.PR, self.is_("target", "iPR", "iCR")),
            (Response.CR, gone & ~marked),
            (Response.NED, nowhere & ~self.holds_at("ned_not_evaluable") & ~self.holds_at("no_lesion_to_follow")),
            (Response.PD, self.target_pd | self.non_target_pd),
        ):
            np.copyto(codes, np.int8(response), where=holds)
        return codes

    @cached_property
    def unproven_alone(self) -> Flags:
        """Without targets all non-targets are gone, but new lesions could not be looked for."""
        gone = self.is_original(Response.CR) & self.is_("target", "NA")
        return gone & ~self.holds_at("is_cr") & ~self.new_there

    def is_original(self, *responses: Response) -> Flags:
        """Return where the original lesions have one of some responses."""
        if responses not in self._originals:
            found = self.original == responses[0]
            for other in responses[1:]:
                found |= self.original == other
            self._originals[responses] = np.asarray(found)
        return self._originals[responses]

    # --- the unconfirmed progression

    def has_basis(self, what: int) -> Flags:
        """Return where something is part of what made the unconfirmed progression."""
        return np.asarray(self.known("basis") & np.int8(what) != 0)

    @property
    def block_um(self) -> Sums:
        """Smallest complete sum since the unconfirmed progression."""
        return self.known("block_um")

    @cached_property
    def days(self) -> Sums:
        """Days since the first unconfirmed progression; `NO_SUM` where there is none, or a day is not known."""
        return self._since("anchor_day")

    def _since(self, name: str) -> Sums:
        now, then = self.scene.at("day", self.part).astype(np.int64), self.known(name).astype(np.int64)
        known = (now != NO_DATE) & (then != NO_DATE) & self.in_phase(PENDING)
        return np.where(known, now - then, NO_SUM)

    @cached_property
    def early(self) -> Flags:
        """The scan came too early to be used."""
        return np.asarray(self.days < self.options.ir_min_confirm_days - self.options.ir_tol)

    @cached_property
    def late(self) -> Flags:
        """The last unconfirmed progression is more than eight weeks ago."""
        since = self._since("last_day")
        return np.asarray((since > LATEST_DAYS) & (since != NO_SUM))

    @cached_property
    def settled(self) -> Flags:
        """The unconfirmed progression is not confirmed, and what made it is better: the bar is reset.

        A new lesion must be gone, or the original lesions be in a better category than then, or in the same with a
        clearly smaller sum; a non-target must be gone or have decreased.
        """
        evaluable = ~self.is_original(Response.PD, Response.NE)
        grown = self.new_sum_grew | self.new_non_target_grew | self.new_appears
        better: Flags = self.original < self.known("anchor_original")
        new_settled = ~self.has_basis(NEW_LESION) | ~self.new_there | better | self.smaller_in_category
        if self.options.ir_cr_with_nl == "iUPD":
            new_settled &= ~(self.is_original(Response.CR) & self.new_there)
        old_settled = ~(self.has_basis(NON_TARGET) & self.saw("non_target_unsettled"))
        return evaluable & ~grown & new_settled & old_settled

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

    # --- for dates and flags

    @cached_property
    def grown(self) -> Flags:
        """Progression of the targets."""
        return self.is_("target", "iUPD")

    @cached_property
    def returned(self) -> Flags:
        """Disease is back after iCR."""
        return self.target_relapse | self.non_target_relapse

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
                found.append(at_most(IPR, pr_at_most_um(int(self.baseline_um[0, 0]), 7), int(self.sum_um[0, place])))
            found.append(_grown(IUPD, nadir, int(self.pd_sum_um[0, place])))
        if self.new_summed[0, place] and new != NO_SUM:
            found.append(_grown(IUPD, new, int(self.new_sum_um[0, place]), " of new lesion targets"))
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

    def learn(self, moment: "IrecistState", place: int, used: Flags) -> None:
        """Remember what follows from a timepoint."""
        part = slice(place, place + 1)
        phase, before = self.memory.after("phase", part), self.memory.before("phase", part)
        opened = used & (phase == PENDING) & (before == CLEAR)
        reset = used & (phase == CLEAR) & (before == PENDING)
        relapsed = moment.returned & opened if opened.any() else opened
        self._learn_sums(moment, place, used, opened)
        if used.any():
            self._learn_responses(moment, place, used, reset)
        if opened.any():
            self._open(moment, place, opened, relapsed)
        if reset.any():
            self.memory.set(place, "anchor", NOWHERE, reset)
            self.memory.set(place, "anchor_relapse", np.False_, reset)
            self.memory.set(place, "reset_day", self.scene.at("scan", part), reset)
        self.seen.learn(place, used, opened, relapsed)

    def _learn_sums(self, moment: "IrecistState", place: int, used: Flags, opened: Flags) -> None:
        scored = used | self.scene.at("is_baseline", slice(place, place + 1))
        complete = np.where(moment.all_assessed & scored, moment.sum_um, NO_SUM)
        self.memory.set(place, "nadir_um", np.minimum(moment.nadir_um, complete))
        block = np.where(opened, NO_SUM, moment.known("block_um"))
        self.memory.set(place, "block_um", np.minimum(block, complete))
        if self.seen.new is None:
            return
        known = np.where(used & ~moment.saw("new_unmeasured"), moment.new_sum_um, NO_SUM)
        for name in ("new_nadir_um", "new_block_um"):
            reference = np.where(used, getattr(moment, name), moment.known(name))
            if name == "new_block_um":
                reference = np.where(opened, NO_SUM, reference)
            self.memory.set(place, name, np.minimum(reference, known))

    def _learn_responses(self, moment: "IrecistState", place: int, used: Flags, reset: Flags) -> None:
        self.memory.set(
            place, "targets_gone", np.True_, used & moment.all_assessed & moment.all_gone & ~moment.no_targets
        )
        self.memory.set(place, "responded", np.True_, used & moment.is_("target", "iPR", "iCR"))
        self.memory.set(place, "responded", np.False_, used & moment.is_("target", "iUPD"))
        self.memory.set(place, "complete", np.False_, reset & ~moment.is_("overall", "iCR"))
        self.memory.set(place, "complete", np.True_, used & moment.is_("overall", "iCR"))
        self.memory.set(place, "original", moment.original, used & ~moment.is_original(Response.NE))
        progressed = used & moment.is_("overall", "iUPD")
        self.memory.set(place, "last_day", self.scene.at("day", moment.part), progressed)
        if self.scene.has_unlisted:
            known = used & ~moment.unlisted_missing
            still = moment.unlisted_now | (moment.knew("unlisted") & moment.new_there & ~moment.saw("new_there"))
            self.memory.set(place, "unlisted", still, known)

    def _open(self, moment: "IrecistState", place: int, opened: Flags, relapsed: Flags) -> None:
        basis = moment.target_pd * TARGET + moment.non_target_pd * NON_TARGET + moment.new_pd * NEW_LESION
        unknown = moment.is_original(Response.NE)
        complete = moment.all_assessed & ~moment.no_targets
        for name, values in (
            ("basis", basis.astype(np.int8)),
            ("anchor", np.int32(place)),
            ("anchor_day", self.scene.at("day", moment.part)),
            ("anchor_original", np.where(unknown, moment.known("original"), moment.original)),
            ("anchor_sum_um", np.where(complete, moment.sum_um, NO_SUM)),
            ("anchor_relapse", relapsed),
        ):
            self.memory.set(place, name, values, opened)


def _grown(name: str, nadir_um: int, now_um: int, of: str = "") -> str:
    start = grown_from_um(nadir_um, 12, PD_INCREASE_UM)
    why = "20 %" if start > nadir_um + PD_INCREASE_UM else "5 mm"
    return at_least(name, start, now_um, f"{why} over the nadir {mm(nadir_um)} mm decides", of)
