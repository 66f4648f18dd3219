"""iRECIST: the original lesions, targets and non-targets: their response by RECIST 1.1, without the new lesions.

The target rules of RECIST 1.1 are asked here too. They find the names that they ask for, with the meaning that they
have there, but for the nadir: a scan that came too early does not set it.
"""

from functools import cached_property
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import NO_SUM
from response.criteria.irecist.memory import SETTLED_UM, Sums
from response.criteria.irecist.seen import Sight
from response.criteria.irecist.view import IrecistView, asked_once
from response.criteria.rules import Flags, RuleCodes
from response.criteria.sum_tests import SumTest
from response.vocabulary import ICR, IPR, ISD, IUPD, NON_ICR_NON_IUPD, Response

_NONE: Final = "NA"  # no such lesion at baseline


def of_originals(target: str, non_target: str) -> Response:
    """Return the response of the original lesions, targets and non-targets (RECIST 1.1, tables 1 and 2)."""
    if IUPD in (target, non_target):
        return Response.PD
    if target in (ICR, _NONE) and non_target in (ICR, _NONE):
        return Response.CR
    if target == _NONE:
        return Response.NON_CR_NON_PD if non_target == NON_ICR_NON_IUPD else Response.NE
    return {ICR: Response.PR, IPR: Response.PR, ISD: Response.SD}.get(target, Response.NE)


class Originals(IrecistView):
    """What is asked of the original lesions, targets and non-targets, without the new ones."""

    @cached_property
    def _originals(self) -> dict[tuple[Response, ...], Flags]:
        return {}

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

    # --- the original lesions: targets and non-targets without the new ones

    @cached_property
    def target_pd(self) -> Flags:
        """The targets progress by RECIST 1.1, or are back after iCR."""
        return self.grown | self.target_relapse

    @cached_property
    def non_target_pd(self) -> Flags:
        """Non-targets progress unequivocally, or are back after iCR."""
        return self.non_target_grown | self.non_target_relapse

    @cached_property
    def _relapses(self) -> Flags:
        """Disease after iCR counts as progression by the options of RECIST 1.1."""
        chosen, back = self.recist.options, self.knew("complete")
        if chosen.post_cr_disease != "pd" or not back.any():
            return self.nowhere
        return back & ~self.holds_at("only_nodes") if chosen.node_regrowth_after_cr == "require_sum_rule" else back

    @cached_property
    def target_relapse(self) -> Flags:
        """A target is back after iCR, and has not become clearly smaller since."""
        if self._relapses is self.nowhere:
            return self.nowhere
        settled = self.knew("anchor_relapse") & self.smaller
        return self._relapses & self.holds_at("target_disease") & ~settled

    @cached_property
    def non_target_relapse(self) -> Flags:
        """A non-target is back after iCR, and has not decreased since."""
        if self._relapses is self.nowhere:
            return self.nowhere
        settled = self.knew("anchor_relapse") & ~self.saw(Sight.NON_TARGET_UNSETTLED)
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
        if self._relapses is self.nowhere:
            return self.first_original
        return np.where(self.returned, np.int8(Response.PD), self.first_original)

    @asked_once
    def first_original(self) -> NDArray[np.int8]:
        """Response of the original lesions, were disease after iCR nothing special."""
        return self._original(self.answers["target"])

    @cached_property
    def original_with_all_scans(self) -> NDArray[np.int8]:
        """The same, of all timepoints before the walk, were no scan too early: as it is until the first progression."""
        return self._original(self.recist.answers["target"])

    def _original(self, target: RuleCodes) -> NDArray[np.int8]:
        other, table = self.answers["non_target"], (self.whole or self).originals
        codes: NDArray[np.int8] = table.ravel().take(target.astype(np.int16) * table.shape[1] + other)
        if (nowhere := self.holds_at("no_disease_at_baseline")).any():
            unknown = self.holds_at("ned_not_evaluable") | self.holds_at("no_lesion_to_follow")
            np.copyto(codes, np.where(unknown, np.int8(Response.NE), np.int8(Response.NED)), where=nowhere)
        if (marked := self.holds_at("no_non_targets") & self.holds_at("markers_above")).any():
            np.copyto(codes, np.int8(Response.PR), where=marked & (codes == int(Response.CR)))
        return codes

    @cached_property
    def originals(self) -> NDArray[np.int8]:
        """Response of the original lesions by the answers about targets and non-targets, `[answer, answer]`."""
        answers = (self.question_rules("target"), self.question_rules("non_target"))
        return np.asarray([[of_originals(one.category, other.category) for other in answers[1]] for one in answers[0]],
                          np.int8)  # fmt: skip

    def is_original(self, *responses: Response) -> Flags:
        """Return where the original lesions have one of some responses."""
        if responses not in self._originals:
            found = self.original == int(responses[0])
            for other in responses[1:]:
                found |= self.original == int(other)
            self._originals[responses] = np.asarray(found)
        return self._originals[responses]

    @asked_once
    def grown(self) -> Flags:
        """Progression of the targets by their sum."""
        return self.is_("target", "iUPD")

    @asked_once
    def non_target_grown(self) -> Flags:
        """Unequivocal progression of non-targets."""
        return self.is_("non_target", "iUPD")

    @cached_property
    def returned(self) -> Flags:
        """Disease is back after iCR."""
        return self.target_relapse | self.non_target_relapse
