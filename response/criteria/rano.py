"""RANO 2.0: response of gliomas on MRI, with corticosteroids and clinical status.

Source: Wen et al., J Clin Oncol 2023;41:5187-5199, doi:10.1200/JCO.23.01059. The sum of products of the targets (or of
their volumes) is judged against the baseline for response and against its smallest value for progression. The baseline
is the MRI about four weeks after radiotherapy in newly diagnosed tumours, that before treatment in recurrent ones:
mark it. Confirmed in public tables, for RANO 2010 and RANO-LGG: 50 % and 25 % of the products, new lesions, four weeks
for CR and PR, minor response from 25 to below 50 % of non-enhancing tumours, 10 x 10 mm (PMC10584081, table 1), and
the rows of corticosteroids and clinical status (PMC6655498, table 1). The MRI after radiotherapy as baseline and
volumes stand in PMC5398984. Not found in a public source, and noted where they decide: the shares of volumes (65 %, 40
% and 40 %), and what confirms a progression of the first 12 weeks after radiotherapy; here, that it still is one 4
weeks on.

Scope: gliomas of adults. Non-enhancing tissue does not count in an enhancing tumour. Minor response is SD with a rule
of its own, for the categories of best response have no place for it. RANO-BM and immunotherapy are not here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, NO_NUMBER
from response.criteria.burden import NO_SUM, Burden, LesionClass, before, facts_at
from response.criteria.criterion import Criterion, Number, State
from response.criteria.new_lesions import visit_codes
from response.criteria.pet import uptake_burden
from response.criteria.products import product_burden
from response.criteria.recist import NEW_LESION_RULES, NON_TARGET_RULES, CombinationOptions, recist_burden
from response.criteria.rules import Flags, Question, Rule
from response.criteria.sums import (
    ADJUDICATE_CR,
    NEW,
    TARGETS,
    AreaState,
    SumTest,
    all_gone,
    baseline_incomplete,
    grown,
    grown_in_part,
    lesion_number,
    missing,
    no_targets,
    otherwise,
    rounded_area,
    shrunk,
)
from response.criteria.visit_values import any_lesion, at_baseline, lesions_at_baseline, visit_numbers
from response.protocol import option
from response.timeline import NO_ROW, Block
from response.vocabulary import UNCONFIRMED_PD, Clinical, Tissue
from response.vocabulary import State as LesionState

NAME: Final = "rano-2.0"
PREFIX: Final = "rano_2_0"
PRODUCTS: Final = SumTest(partial=(1, 2), progressive=(5, 4))  # -50 %, +25 %, inclusive
VOLUMES: Final = SumTest(partial=(35, 100), progressive=(7, 5))  # -65 %, +40 %, inclusive
MINOR: Final = {"products": (3, 4), "volume": (3, 5)}  # -25 % of the products, -40 % of the volume
MEASURABLE_UM: Final = 10_000  # 10 mm in both diameters
MOST_TARGETS: Final = 3
DAYS_OF_WEEK: Final = 7
NOWHERE: Final = -1


@dataclass(frozen=True, kw_only=True)
class RanoOptions(CombinationOptions):
    """Every point that RANO 2.0 leaves open, with the default and why."""

    rano_tissue: str = option("enhancing", "what of the tumour is followed", choices=("enhancing", "non_enhancing"))
    rano_measure: str = option(
        "products", "what is summed: products of two diameters, or volume_mm3", choices=("products", "volume")
    )
    rano_radiotherapy_weeks: int = option(
        12, "weeks after the end of radiotherapy in which a progression has to be confirmed; 0: never", minimum=0
    )
    rano_confirm_days: int = option(28, "smallest number of days to the confirming scan, inclusive", minimum=0)
    use_markers: str = option("off", "tumour markers are no part of it", choices=("off",))
    confirmation: bool = option(
        True, "whether the confirmed best response is the headline (CR and PR last four weeks); both are computed",
        choices=(True, False),
    )  # fmt: skip


def rano_burden(block: Block, options: RanoOptions) -> Burden:
    """Return the targets of the tissue that is followed, by product or volume, and new lesions from 10 x 10 mm."""
    read = uptake_burden(block, "volume_mm3") if options.rano_measure == "volume" else recist_burden(block, options)
    tissue = block.lesion(block.timeline.measurements.code("tissue"), Tissue.BLANK)
    unfollowed = Tissue.NON_ENHANCING if options.rano_tissue == "enhancing" else Tissue.ENHANCING
    left_out = (lesions_at_baseline(block, tissue)[:, 0] == unfollowed) & np.isin(read.classes, TARGETS)
    classes = np.where(left_out, LesionClass.UNCOUNTED, read.classes).astype(np.uint8)
    state = _new_states(read)
    facts = block.reduce(np.bitwise_or, facts_at(classes, state))
    value = np.where(left_out[:, None], 0, read.value_um)
    kept = replace(read, classes=classes, state=state, value_um=value, facts=facts)
    if options.rano_measure == "products":
        return product_burden(kept)
    return replace(kept, sum_um=block.reduce(np.add, kept.value_um, dtype=np.int64))


def _new_states(burden: Burden) -> NDArray[np.int8]:
    """Return the states with new lesions below 10 x 10 mm doubtful, unless they are written to be there."""
    block = burden.block
    written = block.lesion(block.timeline.measurements.code("state"), LesionState.BLANK)
    longest, short = (lesion_number(block, name) for name in ("longest_mm", "short_mm"))
    small = ((longest > 0) & (longest < MEASURABLE_UM)) | ((short > 0) & (short < MEASURABLE_UM))
    new = np.isin(burden.classes, NEW)[:, None] & (burden.state == LesionState.PRESENT)
    doubtful = new & small & (written == LesionState.BLANK)
    return np.where(doubtful, np.int8(LesionState.EQUIVOCAL), burden.state).astype(np.int8)


class RanoState(AreaState):
    """What the rules ask of all series of a block; sums in whole square micrometres, or thousandths of a mm3."""

    @cached_property
    def minor(self) -> Flags:
        """The sum has shrunk to a minor response."""
        share, of = MINOR[self.options.rano_measure]
        return np.asarray(of * self.burden.sum_um <= share * self.burden.baseline_um)

    # --- corticosteroids and clinical status

    @cached_property
    def steroids(self) -> NDArray[np.int64]:
        """Daily dose, `NO_NUMBER` where not recorded."""
        return visit_numbers(self.block, "steroid_mg")

    @cached_property
    def on_steroids(self) -> Flags:
        """Corticosteroids are taken."""
        return np.asarray(self.steroids > 0)

    @cached_property
    def more_steroids(self) -> Flags:
        """More corticosteroids than at baseline."""
        base = at_baseline(self.block, self.steroids)
        return np.asarray((base != NO_NUMBER) & (self.steroids > base))

    @cached_property
    def deteriorated(self) -> Flags:
        """Clinical deterioration."""
        return np.asarray(visit_codes(self.block, "clinical") == Clinical.DETERIORATED)

    # --- progression soon after radiotherapy

    @cached_property
    def progresses(self) -> Flags:
        """The MRI shows progression."""
        by_mri = self.is_("new_lesion", "Yes") | self.is_("target", "PD") | self.is_("non_target", "PD")
        return by_mri & self.block.follow_up

    @cached_property
    def _days(self) -> NDArray[np.int64]:
        return self.block.cell_values(self.block.timeline.visits.first_scan, NO_DATE).astype(np.int64)

    @cached_property
    def radiotherapy_end(self) -> NDArray[np.int64]:
        """Last day of radiotherapy, `NO_DATE` where not recorded; `[series, 1]`."""
        subjects = self.block.timeline.measurements.subjects
        rows = self.block.timeline.series.subject_row[self.block.low : self.block.high, None]
        if subjects is None or not len(subjects):
            return np.full(rows.shape, NO_DATE, np.int64)
        days = subjects.date("radiotherapy_end").days.take(np.maximum(rows, 0))
        return np.where(rows == NO_ROW, NO_DATE, days).astype(np.int64)

    @cached_property
    def early(self) -> Flags:
        """The scan is within twelve weeks after radiotherapy."""
        known = (self.radiotherapy_end != NO_DATE) & (self._days != NO_DATE)
        since = self._days - self.radiotherapy_end
        return np.asarray(known & (since >= 0) & (since <= DAYS_OF_WEEK * self.options.rano_radiotherapy_weeks))

    @cached_property
    def began(self) -> NDArray[np.intp]:
        """Place of the first progression of the run that a timepoint belongs to, `NOWHERE` before any."""
        place = np.broadcast_to(np.arange(self.shape[1]), self.shape)
        ended = self.all_assessed & ~self.progresses & self.block.follow_up
        last_end = np.maximum.accumulate(np.where(ended, place, NOWHERE), axis=1)
        last = before(np.maximum.accumulate(np.where(self.progresses, place, NOWHERE), axis=1), NOWHERE)
        opens = self.progresses & ((last == NOWHERE) | (last < last_end))
        return np.asarray(np.maximum.accumulate(np.where(opens, place, NOWHERE), axis=1), np.intp)

    @cached_property
    def after_early(self) -> Flags:
        """The progression began within twelve weeks after radiotherapy, at an earlier scan."""
        then = np.take_along_axis(self.early, np.maximum(self.began, 0), axis=1)
        return self.progresses & then & (self.began < np.arange(self.shape[1]))

    @cached_property
    def confirmed(self) -> Flags:
        """It still is one, four weeks later or more."""
        then = np.take_along_axis(self._days, np.maximum(self.began, 0), axis=1)
        return np.asarray(self.after_early & (self._days - then >= self.options.rano_confirm_days))

    @cached_property
    def open(self) -> Flags:
        """Progression within twelve weeks after radiotherapy that no later scan has confirmed."""
        return self.progresses & self.early & ~self.confirmed

    @property
    def dated_from(self) -> NDArray[np.intp] | None:
        """Timepoint at which a confirmed progression began; its own for any other."""
        own = np.broadcast_to(np.arange(self.shape[1]), self.shape)
        return np.where(self.after_early & ~self.deteriorated, self.began, own).astype(np.intp)

    def told(self, amount: int) -> str:
        """Return a sum with its unit."""
        if self.options.rano_measure == "products":
            return super().told(amount)
        return super().told(amount * 1000).replace("mm2", "mm3")


def _minor(state: RanoState) -> Flags:
    return state.minor


def _follows_non_enhancing(options: Any) -> bool:
    return bool(options.rano_tissue == "non_enhancing")


TARGET_RULES: Final = (
    Rule("no_targets", "NA", no_targets, "measurable disease", "no target of the tissue that is followed at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "measurable disease",
         "a target was not measured at baseline"),
    Rule("cr", "CR", all_gone, "CR", "all targets are gone"),
    Rule("pd", "PD", grown, "PD", "the sum {sum} is {growth_percent} % over its smallest value {nadir}"),
    Rule("pd_proven", "PD", grown_in_part, "PD",
         "the measured part alone, {sum}, is {growth_percent} % over the smallest sum {nadir}"),
    Rule("missing", "NE", missing, "not evaluable", "{missing} of {targets} targets could not be measured"),
    Rule("pr", "PR", shrunk, "PR", "the sum {sum} is {shrinkage_percent} % below the baseline {baseline}"),
    Rule("minor_response", "SD", _minor, "MR",
         "minor response: the sum {sum} is {shrinkage_percent} % below {baseline}", _follows_non_enhancing),
    Rule("sd", "SD", otherwise, "SD", "the sum {sum} changed by {change_percent} % from the baseline {baseline}"),
)  # fmt: skip


# --- Overall response


def _answered(question: str, *categories: str) -> Callable[[RanoState], Flags]:
    return lambda state: state.is_(question, *categories)


def _of(name: str) -> Callable[[RanoState], Flags]:
    return lambda state: np.asarray(getattr(state, name))


def _relapse(state: RanoState) -> Flags:
    return state.relapse


def _relapse_is_pd(options: Any) -> bool:
    return bool(options.post_cr_disease == "pd")


def _cr(state: RanoState) -> Flags:
    return state.is_cr & ~state.on_steroids


def _responds(state: RanoState) -> Flags:
    return state.is_("target", "CR", "PR") | state.is_cr


def _partial(state: RanoState) -> Flags:
    return state.is_("target", "PR") & ~state.more_steroids


def _responds_on_less(state: RanoState) -> Flags:
    return _responds(state) & ~state.more_steroids


def _only_others(state: RanoState) -> Flags:
    return state.is_("target", "NA") & state.is_("non_target", "Non-CR/Non-PD")


OVERALL_RULES: Final = (
    Rule("clinical_pd", "PD", _of("deteriorated"), "PD", "clinical deterioration"),
    Rule("pd_unconfirmed", UNCONFIRMED_PD, _of("open"), "PD, 12 weeks",
         "progression within 12 weeks after radiotherapy, still to be confirmed"),
    Rule("pd_confirmed", "PD", _of("confirmed"), "PD, 12 weeks",
         "progression that began within 12 weeks after radiotherapy and still is one four weeks later"),
    Rule("new_lesion", "PD", _answered("new_lesion", "Yes"), "PD", "a new lesion"),
    Rule("target_pd", "PD", _answered("target", "PD"), "PD", "{target}"),
    Rule("non_target_pd", "PD", _answered("non_target", "PD"), "PD", "{non_target}"),
    Rule("relapse_after_cr", "PD", _relapse, "PD", "disease is back after complete response", _relapse_is_pd),
    Rule("nothing_to_follow", "NE", _of("no_disease_at_baseline"), "measurable disease",
         "no lesion was recorded at baseline"),
    Rule("cr", "CR", _cr, "CR", "all disease is gone, without corticosteroids, and there is no new lesion"),
    Rule("target_ne", "NE", _answered("target", "NE"), "not evaluable", "{target}"),
    Rule("pr", "PR", _partial, "PR", "{target}"),
    Rule("cr_unproven", "PR", _responds_on_less, "CR",
         "the targets are gone, but corticosteroids are taken, or something else is left or was not looked at"),
    Rule("more_steroids", "SD", _responds, "PR", "the targets respond, but on more corticosteroids than at baseline"),
    Rule("sd", "SD", _answered("target", "SD"), "SD", "{target}"),
    Rule("non_target_only", "Non-CR/Non-PD", _only_others, "RECIST 1.1, table 2",
         "{non_target}, and there is no target"),
    Rule("non_target_ne", "NE", otherwise, "RECIST 1.1, table 2", "{non_target}, and there is no target"),
)  # fmt: skip
RANO_QUESTIONS: Final = (
    Question("target", TARGET_RULES),
    Question("non_target", tuple(rule for rule in NON_TARGET_RULES if rule.name != "marker_above")),
    Question("new_lesion", NEW_LESION_RULES),
    Question("overall", OVERALL_RULES),
)


# --- Flags


def _minor_response(state: RanoState) -> Flags:
    enough = state.is_("target", "SD") & state.minor & state.is_("overall", "SD")
    return np.asarray(enough & (state.options.rano_tissue == "non_enhancing"))


def _by_volume(state: RanoState) -> Flags:
    by_volume = state.options.rano_measure == "volume"
    return np.asarray(state.is_("target", "PR", "PD", "SD") & by_volume)


def _by_early_rule(state: RanoState) -> Flags:
    return state.open | state.confirmed


def _no_steroids_recorded(state: RanoState) -> Flags:
    return np.asarray(_responds(state) & (state.steroids == NO_NUMBER))


def _too_many(state: RanoState) -> Flags:
    there = np.isin(state.burden.classes, TARGETS)[:, None] & (state.block.row != NO_ROW)
    return np.asarray(state.spread(at_baseline(state.block, state.burden.count(there)) > MOST_TARGETS))


def _below_measurable(state: RanoState) -> Flags:
    lengths = [lesion_number(state.block, name) for name in ("longest_mm", "short_mm")]
    small = np.logical_or.reduce([(length > 0) & (length < MEASURABLE_UM) for length in lengths])
    targets = np.isin(state.burden.classes, TARGETS)[:, None]
    return state.spread(at_baseline(state.block, any_lesion(state.block, small & targets)))


def _baseline_too_early(state: RanoState) -> Flags:
    first, end = at_baseline(state.block, state._days), state.radiotherapy_end
    return state.spread((end != NO_DATE) & (first != NO_DATE) & (first < end))


RANO_FLAGS: Final = (
    ADJUDICATE_CR,
    Rule("minor_response", "", _minor_response, "MR", "minor response of a non-enhancing tumour, told as SD"),
    Rule("volume_shares_not_confirmed", "", _by_volume, "volumes",
         "volumes: 65 % for PR, 40 % for PD and minor response were not confirmed against the paper"),
    Rule("confirmation_not_confirmed", "", _by_early_rule, "PD, 12 weeks",
         "what confirms a progression soon after radiotherapy was not confirmed against the paper"),
    Rule("steroids_not_recorded", "", _no_steroids_recorded, "CR, PR",
         "a response without a record of corticosteroids"),
    Rule("more_than_three_targets", "", _too_many, "measurable disease", "more than three targets"),
    Rule("target_below_measurable_size", "", _below_measurable, "measurable disease",
         "a target below 10 x 10 mm at baseline"),
    Rule("baseline_before_radiotherapy_end", "", _baseline_too_early, "baseline",
         "the baseline is before the end of radiotherapy: mark the first MRI after it as baseline"),
)  # fmt: skip


@dataclass(frozen=True)
class Rano(Criterion):
    """RANO 2.0 as a criterion of the engine."""

    name: str = NAME
    title: str = "RANO 2.0"
    source: str = "Wen et al., J Clin Oncol 2023;41:5187-5199"
    options: type[RanoOptions] = RanoOptions
    questions: tuple[Question[Any], ...] = RANO_QUESTIONS
    flags: tuple[Rule[Any], ...] = RANO_FLAGS
    numbers: tuple[Number, ...] = (
        *(Number(f"{PREFIX}_{name}", "mm2") for name in ("sum", "baseline", "nadir")),
        Number(f"{PREFIX}_unmeasured", "count"),
    )
    offered: bool = False
    scope: str = "RANO 2.0 is for gliomas of adults on MRI."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> RanoState:  # noqa: ARG002
        """Return what the rules ask; lesions are read again, by tissue and measure."""
        test = VOLUMES if options.rano_measure == "volume" else PRODUCTS
        return RanoState(rano_burden(block, options), options, self.questions, test)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint in thousandths: sums of products in mm2, or of volumes in mm3."""
        burden = state.burden
        baseline = np.asarray(np.broadcast_to(burden.baseline_um, state.shape))
        sums = {"sum": burden.sum_um, "baseline": baseline, "nadir": burden.nadir_um}
        if state.options.rano_measure == "products":
            sums = {name: np.where(area == NO_SUM, NO_SUM, rounded_area(area)) for name, area in sums.items()}
        shown = {f"{PREFIX}_{name}": values for name, values in sums.items()}
        return {**shown, f"{PREFIX}_unmeasured": state.unmeasured}


RANO: Final = Rano()
__all__ = ["RANO", "Rano", "RanoOptions", "RanoState", "rano_burden"]
