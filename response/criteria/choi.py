"""Choi criteria: size and attenuation together, made for GIST under imatinib.

Source: Choi et al., J Clin Oncol 2007;25:1753-1759, table 2; Benjamin et al., J Clin Oncol 2007;25:1760-1764.
Modified Choi (both size and attenuation) is `mchoi`; `choi_pr_logic = "and"` is the same here. On MR it is `mri-choi`.
Validated mainly for GIST under imatinib.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER, THOUSAND
from response.criteria.attenuation import ATTENUATION, Attenuation, attenuation_of
from response.criteria.burden import NO_SUM, Burden, Fact, LesionClass
from response.criteria.choi_options import ChoiFamilyOptions, ChoiOptions
from response.criteria.criterion import Criterion, Number, State
from response.criteria.new_lesions import visit_codes
from response.criteria.recist import RecistState, recist_burden
from response.criteria.rules import Flags, Question, Rule, asks, chosen, otherwise
from response.criteria.some_lesions import is_one_of
from response.vocabulary import PROGRESSIVE_NODULES, Clinical, Nodule

_NOT_GONE: Final = Fact.NON_TARGET_PRESENT | Fact.NON_TARGET_MISSING | Fact.NON_TARGET_UNPROVEN


class ChoiState(State):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`."""

    def __init__(
        self, burden: Burden, recist: RecistState, options: ChoiFamilyOptions, questions: tuple[Question[Any], ...]
    ) -> None:
        super().__init__(burden.block, questions)
        self.burden, self.recist, self.options = burden, recist, options
        self.comparison = options.comparison

    @cached_property
    def attenuation(self) -> Attenuation:
        """Attenuation of the lesions measured at baseline and now."""
        return attenuation_of(self.burden, self.comparison)

    @cached_property
    def compared_means(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Attenuation now and at baseline as compared, and what divides both into thousandths of their unit."""
        return self.attenuation.compared(self.comparison.aggregation)

    @property
    def grown(self) -> Flags:
        """Growth that attenuation does not excuse."""
        return _grown_without_response(self) & self.is_("overall", "PD") & ~self.recist.baseline_incomplete

    @cached_property
    def reference_um(self) -> NDArray[np.int64]:
        """Sum that growth is judged against."""
        if self.options.choi_pd_reference == "nadir":
            return self.burden.nadir_um
        return np.asarray(np.broadcast_to(self.burden.baseline_um, self.shape))

    @cached_property
    def density_missing(self) -> Flags:
        """The change of attenuation cannot be judged."""
        return np.asarray(~self.comparable | self.baseline_low | self.attenuation.blocked)

    @cached_property
    def comparable(self) -> Flags:
        """Attenuation is known now and at baseline."""
        return self.attenuation.comparable(self.comparison.aggregation)

    @cached_property
    def baseline_low(self) -> Flags:
        """The baseline attenuation, as compared, is too low for its change to have a meaning."""
        _, baseline, divisor = self.compared_means
        return np.asarray(baseline < self.comparison.least_baseline * THOUSAND * divisor)

    @cached_property
    def density_pr(self) -> Flags:
        """Attenuation fell by 15 % or more."""
        return ~self.density_missing & self.attenuation.fell(self.comparison.aggregation)

    @cached_property
    def size_pr(self) -> Flags:
        """The complete sum fell by 10 % or more."""
        fell = 10 * self.burden.sum_um <= 9 * self.burden.baseline_um  # -10 %, exact and inclusive
        return fell & self.burden.all_assessed & self.burden.baseline_complete

    @cached_property
    def responds(self) -> Flags:
        """PR by size or attenuation, or by both where the protocol asks for both."""
        if self.options.choi_pr_logic == "and":
            return self.size_pr & self.density_pr
        return self.size_pr | self.density_pr

    @cached_property
    def nodule(self) -> Flags:
        """A lesion shows a new or growing intratumoral nodule."""
        return np.zeros(self.shape, np.bool_) if self.showing is None else self.block.some(self.showing)

    @cached_property
    def showing(self) -> Flags | None:
        """Lesions with a new or growing intratumoral nodule, `[track, timepoint]`."""
        if "nodule" not in self.block.timeline.measurements.codes:
            return None
        nodules = self.block.lesion(self.block.timeline.measurements.code("nodule"), Nodule.BLANK)
        counted = ~is_one_of(self.burden.classes, (LesionClass.UNCOUNTED,))[:, None]
        return counted & is_one_of(nodules, PROGRESSIVE_NODULES)


def _new_lesion(state: ChoiState) -> Flags:
    return state.recist.is_("new_lesion", "Yes")


def _non_target_pd(state: ChoiState) -> Flags:
    return state.recist.is_("non_target", "PD")


def _no_targets(state: ChoiState) -> Flags:
    return state.recist.no_targets


def _baseline_incomplete(state: ChoiState) -> Flags:
    return state.recist.baseline_incomplete


def _all_gone(state: ChoiState) -> Flags:
    # As in RECIST 1.1, but for tumour markers, of which Choi knows nothing.
    recist = state.recist
    gone = recist.is_("target", "CR", "NA") & ~recist.no_disease_at_baseline & recist.no_new_lesion
    return gone & ~state.burden.has(_NOT_GONE) & state.block.follow_up


def _grown(state: ChoiState) -> Flags:
    # Holds for a partial sum too: the missing lesions could only add to it.
    sums, reference = state.burden.sum_um, state.reference_um
    return (10 * sums >= 11 * reference) & (sums > reference)  # +10 %, exact and inclusive


def _grown_untested(state: ChoiState) -> Flags:
    return _grown(state) & state.density_missing


def _grown_without_response(state: ChoiState) -> Flags:
    return _grown(state) & ~state.density_pr


def _size_missing(state: ChoiState) -> Flags:
    return ~state.burden.all_assessed


def _blocked(state: ChoiState) -> Flags:
    return _non_target_pd(state) & state.responds


def _size_response(state: ChoiState) -> Flags:
    return state.size_pr & ~_non_target_pd(state)


def _density_response(state: ChoiState) -> Flags:
    return state.density_pr & ~_non_target_pd(state)


def _both_respond(state: ChoiState) -> Flags:
    return _size_response(state) & _density_response(state)


def _deteriorated(state: ChoiState) -> Flags:
    return np.asarray(visit_codes(state.block, "clinical") == Clinical.DETERIORATED)


def _blocks_only(options: Any) -> bool:
    return not options.choi_nt_pd


def _counts_as_pd(options: Any) -> bool:
    return bool(options.choi_nt_pd)


CHOI_RULES: Final = (
    Rule("new_lesion", "PD", _new_lesion, "table 2, PD", "a new lesion"),
    Rule("nodule", "PD", asks("nodule"), "table 2, PD", "a new or growing intratumoral nodule"),
    Rule("non_target_pd", "PD", _non_target_pd, "table 2, PD", "obvious progression of a non-target lesion",
         _counts_as_pd),
    Rule("cr", "CR", _all_gone, "table 2, CR", "all lesions are gone and there is no new lesion"),
    Rule("no_targets", "NE", _no_targets, "table 2", "no lesion whose size and attenuation could be followed"),
    Rule("baseline_incomplete", "NE", _baseline_incomplete, "table 2", "a target lesion was not measured at baseline"),
    Rule("growth_untested", "NE", _grown_untested, "table 2, PD",
         "the sum {sum} mm is {growth_percent} % over {reference} mm, but the attenuation could not be compared"),
    Rule("pd", "PD", _grown_without_response, "table 2, PD",
         "the sum {sum} mm is {growth_percent} % over {reference} mm and the attenuation fell by less than 15 %"),
    Rule("size_missing", "NE", _size_missing, "table 2", "{missing} of {targets} target lesions could not be assessed"),
    Rule("pr_both", "PR", _both_respond, "table 2, PR",
         "the sum is {shrinkage_percent} % below the baseline and the attenuation {hu_shrinkage_percent} %"),
    Rule("pr_size", "PR", _size_response, "table 2, PR",
         "the sum {sum} mm is {shrinkage_percent} % below the baseline {baseline} mm (10 % are enough)",
         chosen("choi_pr_logic", "or")),
    Rule("pr_attenuation", "PR", _density_response, "table 2, PR",
         "the attenuation {hu} HU is {hu_shrinkage_percent} % below the baseline {baseline_hu} HU (15 % are enough)",
         chosen("choi_pr_logic", "or")),
    Rule("attenuation_missing", "NE", asks("density_missing"), "table 2", "the attenuation could not be compared"),
    Rule("deteriorated", "NE", _deteriorated, "table 2, SD", "symptomatic deterioration"),
    Rule("pr_blocked", "SD", _blocked, "table 2, PR", "PR is blocked by progression of a non-target lesion",
         _blocks_only),
    Rule("sd", "SD", otherwise, "table 2, SD",
         "the sum changed by {change_percent} % and the attenuation by {hu_change_percent} %: neither PR nor PD"),
)  # fmt: skip
CHOI_QUESTIONS: Final = (Question("overall", CHOI_RULES),)


def _phase_mismatch(state: ChoiState) -> Flags:
    return state.attenuation.mismatch


def _partly(state: ChoiState) -> Flags:
    return state.comparable & state.attenuation.left_out(state.comparison.aggregation)


def _grown_but_softer(state: ChoiState) -> Flags:
    return _grown(state) & state.density_pr


def _low_baseline(state: ChoiState) -> Flags:
    return state.comparable & state.baseline_low


CHOI_FLAGS: Final = (
    Rule("phase_mismatch", "", _phase_mismatch, "", "another contrast phase than at baseline"),
    Rule("attenuation_incomplete", "", _partly, "", "attenuation was compared in some of the lesions only"),
    Rule("baseline_attenuation_low", "", _low_baseline, "", "the baseline attenuation is too low to compare with"),
    Rule("response_despite_growth", "", _grown_but_softer, "table 2", "growth of 10 % or more, but attenuation fell"),
    Rule("symptomatic_deterioration", "", _deteriorated, "table 2", "symptomatic deterioration"),
)  # fmt: skip


CHOI_SIZES: Final = (Number("sum_mm", "mm"), Number("baseline_mm", "mm"), Number("nadir_mm", "mm"))


@dataclass(frozen=True)
class Choi(Criterion):
    """Choi as a criterion of the engine."""

    name: str = "choi"
    title: str = "Choi"
    source: str = "Choi et al., J Clin Oncol 2007;25:1753-1759"
    options: type[ChoiFamilyOptions] = ChoiOptions
    questions: tuple[Question[Any], ...] = CHOI_QUESTIONS
    flags: tuple[Rule[Any], ...] = CHOI_FLAGS
    numbers: tuple[Number, ...] = (*CHOI_SIZES, *ATTENUATION.numbers)
    needs: str = ATTENUATION.now
    scope: str = "Choi was validated mainly for GIST under imatinib."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> ChoiState:
        """Return what the rules ask; RECIST 1.1 beside it answers for non-targets and new lesions."""
        recist = beside["recist-1.1"]
        assert isinstance(recist, RecistState)
        burden = recist.burden
        if options.choi_node_axis == "longest":
            burden = _with_longest_axis(recist_burden(block, recist.options))
        return ChoiState(burden, recist, options, self.questions)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint in thousandths."""
        burden = state.burden
        now, before, divisor = state.compared_means
        quantity = state.comparison.quantity
        baseline = np.broadcast_to(burden.baseline_um, state.shape)
        return {
            "sum_mm": burden.sum_um,
            "baseline_mm": baseline,
            "nadir_mm": burden.nadir_um,
            quantity.now: np.where(state.comparable, _rounded(now, divisor), NO_SUM),
            quantity.baseline: np.where(state.comparable, _rounded(before, divisor), NO_SUM),
        }


def _rounded(total: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    return (2 * total + count) // (2 * count)


def _with_longest_axis(burden: Burden) -> Burden:
    """Return the burden with the longest diameter of nodes in place of the short axis (RECIST 1.0)."""
    block = burden.block
    longest = block.lesion(block.timeline.measurements.number("longest_mm"), NO_NUMBER)
    node = (burden.classes == LesionClass.TARGET_NODE)[:, None] & (longest != NO_NUMBER) & (burden.value_um > 0)
    value = np.where(node, longest, burden.value_um)
    return Burden(
        block=block,
        classes=burden.classes,
        state=burden.state,
        value_um=value,
        facts=burden.facts,
        sum_um=block.reduce(np.add, value, dtype=np.int64),
    )


CHOI: Final = Choi()
__all__ = ["CHOI", "CHOI_FLAGS", "CHOI_RULES", "CHOI_SIZES", "Choi", "ChoiState"]
