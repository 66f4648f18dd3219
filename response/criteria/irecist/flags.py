"""iRECIST: what a person should look at; all flags that hold are told, and none changes a category."""

from collections.abc import Callable
from typing import Final

import numpy as np

from response.criteria.burden import NO_SUM
from response.criteria.irecist.memory import CONFIRMED, PENDING, TARGET, UNKNOWN_DAYS
from response.criteria.irecist.seen import Sight
from response.criteria.irecist.state import IrecistState
from response.criteria.irecist.steps import IRECIST_STEPS
from response.criteria.rules import Flags, Rule
from response.criteria.some_lesions import is_one_of
from response.vocabulary import ICPD, ICR, IPR, ISD, IUPD, NED, NON_ICR_NON_IUPD, Response


def _took(*names: str) -> Callable[[IrecistState], Flags]:
    """Return where one of some steps decided."""
    taken = [index for index, step in enumerate(IRECIST_STEPS) if step.name in names]
    return lambda state: is_one_of(state.answers["overall"], taken)


def _reset(state: IrecistState) -> Flags:
    return state.in_phase(PENDING) & state.is_("overall", ICR, IPR, ISD, NON_ICR_NON_IUPD, NED)


def _reset_by_sum(state: IrecistState) -> Flags:
    return _reset(state) & state.settled_by_sum


def _beyond(state: IrecistState) -> Flags:
    return state.saw(Sight.BEYOND) & ~state.in_phase(CONFIRMED)


def _late(state: IrecistState) -> Flags:
    if state.options.ir_late_policy != "warn":
        return np.zeros(state.shape, np.bool_)
    return state.late & ~_took("too_early")(state)


def _early_but_used(state: IrecistState) -> Flags:
    return state.early & ~_took("too_early")(state)


def _interval_unknown(state: IrecistState) -> Flags:
    unknown: Flags = state.days == UNKNOWN_DAYS
    return state.in_phase(PENDING) & unknown


def _new_lesion_not_followed(state: IrecistState) -> Flags:
    return state.new_missing & ~state.in_phase(CONFIRMED)


def _icr_with_new_lesion(state: IrecistState) -> Flags:
    return state.is_original(Response.CR) & state.new_there & ~state.in_phase(CONFIRMED)


def _unlisted(state: IrecistState) -> Flags:
    return state.unlisted_now


def _by_length(state: IrecistState) -> Flags:
    return _took("new_non_target_further")(state) & state.new_longer_alone


def _without_reference(state: IrecistState) -> Flags:
    nothing: Flags = state.block_um == NO_SUM
    return state.in_phase(PENDING) & state.has_basis(TARGET) & nothing


def _deteriorated(state: IrecistState) -> Flags:
    return state.deteriorated & state.is_("overall", IUPD)


def _maintained(state: IrecistState) -> Flags:
    return state.continues_pr & state.is_("target", IPR, ISD, ICR) & ~state.is_("overall", IUPD, ICPD)


IRECIST_FLAGS: Final = (
    Rule("not_used", "", _took("too_early"), "FAQ early imaging", "the scan is not used: repeat it at 4 to 8 weeks"),
    Rule("early_scan", "", _early_but_used, "FAQ early imaging", "a scan less than 4 weeks after the iUPD was used"),
    Rule("late_scan", "", _late, "FAQ", "the last iUPD was more than 8 weeks ago"),
    Rule("interval_unknown", "", _interval_unknown, "", "without whole dates the interval from the iUPD is not known"),
    Rule("bar_reset", "", _reset, "table 2", "the iUPD before was not confirmed: a new one must be confirmed anew"),
    Rule("reset_by_sum", "", _reset_by_sum, "our choice",
         "the bar is reset by a sum 5 mm smaller in the same category, which no source at hand says"),
    Rule("new_lesion_limit", "", _beyond, "to be checked against the paper",
         "a measurable new lesion counts as non-target: five are targets, two of an organ, as at baseline"),
    Rule("icr_with_new_lesion", "", _icr_with_new_lesion, "table 2", "no iCR while a new lesion is there"),
    Rule("new_lesion_not_followed", "", _new_lesion_not_followed, "table 2",
         "a known new lesion was not assessed: iRECIST needs it followed"),
    Rule("new_lesion_without_row", "", _unlisted, "table 2",
         "a new lesion has no row of its own, so its growth and number cannot be judged"),
    Rule("increase_by_length", "", _by_length, "FAQ new lesions",
         "no trend is recorded: the longer length of a new lesion non-target was taken for an increase"),
    Rule("growth_without_reference", "", _without_reference, "table 2",
         "no complete sum of the targets since the iUPD to compare with"),
    Rule("not_clinically_stable", "", _deteriorated, "text",
         "not clinically stable: this decides on the treatment, not on the response"),
    Rule("confirmed_by_other", "", _took("target_added", "non_target_added", "new_lesion_added"), "FAQ non-target iUPD",
         "confirmed by what had not progressed before; its rule, that of RECIST 1.1, is to be checked with the paper"),
    Rule("response_maintained", "", _maintained, "FAQ managing PR", "an earlier response goes on"),
)  # fmt: skip
