"""iRECIST: the steps, one ordered table to lay beside tables 2 and 3 of the paper; `irecist` says what it is.

Source: Seymour et al., Lancet Oncol 2017;18:e143-e152, doi:10.1016/S1470-2045(17)30074-8; "FAQ" is the EORTC list of
questions on iRECIST.

Table 2, row by row ("same": no change from the last timepoint, or a decrease), and the steps that answer it:

===  =============  ================  ===  ================  ====================================================
row  targets        non-targets       new  no iUPD before    an iUPD waits
===  =============  ================  ===  ================  ====================================================
 1   iCR            iCR               no   icr               reset_to_icr
 2   iCR            non-iCR/non-iUPD  no   target_icr_...    reset_to_ipr
 3   iPR            non-iCR/non-iUPD  no   ipr               reset_to_ipr
 4   iSD            non-iCR/non-iUPD  no   isd               reset_to_isd
 5   iUPD, same     iUPD, same        yes  (does not apply)  new_targets_further, new_non_target_further,
                                                             another_new_lesion; else unconfirmed
 6   iSD, iPR, iCR  iUPD              no   non_target_pd     non_target_further; else unconfirmed
 7   iUPD           not iUPD          no   target_pd         target_further; else unconfirmed
 8   iUPD           iUPD              no   target_pd         target_further, non_target_further; else unconfirmed
 9   iUPD           iUPD              yes  new_lesion        those of rows 5 and 8; else unconfirmed
10   not iUPD       not iUPD          yes  new_lesion        those of row 5; else unconfirmed
===  =============  ================  ===  ================  ====================================================

What had not progressed when the iUPD was made confirms by progression itself (`..._added`): FAQ non-target iUPD. An
iUPD that a new lesion made is reset by a better category of the original lesions although the new lesion stays (row 3
against row 5): FAQ new lesions and iPR, scenarios B and F. Confirmed in public copies: rows 1 to 8 and the beginning of
row 9; row 10, from secondary sources, says what the FAQ on new lesions says.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from response.criteria.irecist.memory import CLEAR, CONFIRMED, FURTHER_UM, NEW_LESION, NON_TARGET, PENDING, TARGET
from response.criteria.irecist.state import IrecistState
from response.criteria.recist import NEW_LESION_RULES, NON_TARGET_RULES, TARGET_RULES
from response.criteria.rules import Flags, Question, Rule, always, answered, asks, chosen, otherwise
from response.criteria.steps import Step
from response.vocabulary import (
    CR,
    ICPD,
    ICR,
    IPR,
    ISD,
    IUPD,
    NE,
    NED,
    NON_CR_NON_PD,
    NON_ICR_NON_IUPD,
    PD,
    PR,
    SD,
    Response,
)

_WITH_I: Final = {CR: ICR, PR: IPR, SD: ISD, PD: IUPD, NON_CR_NON_PD: NON_ICR_NON_IUPD}


def _as_in_recist(rule: Rule[Any], *, walked: bool) -> Rule[Any]:
    """Return a rule of RECIST 1.1 with an "i" before its response; the options of RECIST 1.1 say whether it stands.

    One that is `walked` is asked of the state of the walk, which has the names that it asks for; any other of the state
    of RECIST 1.1 itself.
    """

    def holds(state: IrecistState) -> Flags:
        if not rule.when(state.recist.options):
            return np.zeros(state.shape, np.bool_)
        return np.asarray(rule.holds(state) if walked else rule.holds(state.recist)[:, state.part])

    category, clause = _WITH_I.get(rule.category, rule.category), f"RECIST 1.1, {rule.clause}"
    return replace(rule, category=category, holds=holds, clause=clause, when=always)


# --- Conditions


def _early_new_lesion(state: IrecistState) -> Flags:
    return state.early & state.new_symptom & state.new_appears


def _target_further(state: IrecistState) -> Flags:
    # A lower bound where a target is missing: what is missing could only add to it.
    further = state.sum_um - state.block_um >= FURTHER_UM
    return state.has_basis(TARGET) & state.target_pd & further


def _non_target_further(state: IrecistState) -> Flags:
    return state.has_basis(NON_TARGET) & state.non_target_grew


def _new_targets_further(state: IrecistState) -> Flags:
    return state.has_basis(NEW_LESION) & state.new_sum_grew


def _new_non_target_further(state: IrecistState) -> Flags:
    return state.has_basis(NEW_LESION) & state.new_non_target_grew


def _another_new_lesion(state: IrecistState) -> Flags:
    return state.has_basis(NEW_LESION) & state.new_appears


def _target_added(state: IrecistState) -> Flags:
    return ~state.has_basis(TARGET) & state.target_pd


def _non_target_added(state: IrecistState) -> Flags:
    return ~state.has_basis(NON_TARGET) & state.non_target_pd


def _new_lesion_added(state: IrecistState) -> Flags:
    return ~state.has_basis(NEW_LESION) & state.new_pd


def _original_ne(state: IrecistState) -> Flags:
    return state.is_original(Response.NE) | state.unproven_alone


def _new_lesion_ne(state: IrecistState) -> Flags:
    return state.has_basis(NEW_LESION) & state.new_missing


def _non_target_ne(state: IrecistState) -> Flags:
    return state.has_basis(NON_TARGET) & state.non_target_missing


def _persists(state: IrecistState) -> Flags:
    # Without targets there is no iPR: a new lesion that stays keeps the response from iCR (table 2, legend).
    alone = state.is_original(Response.CR) & state.is_("target", "NA") & state.new_there
    return state.is_original(Response.NON_CR_NON_PD) | alone


def _is(*responses: Response) -> Callable[[IrecistState], Flags]:
    return lambda state: state.is_original(*responses)


def _settles(holds: Callable[[IrecistState], Flags]) -> Callable[[IrecistState], Flags]:
    return lambda state: state.settled & holds(state)


def _cr_but(*categories: str) -> Callable[[IrecistState], Flags]:
    return lambda state: state.is_("target", ICR) & state.is_("non_target", *categories)


def _cr_with_new_lesion(state: IrecistState) -> Flags:
    return state.is_original(Response.CR) & state.new_there


# --- The steps: after iCPD; while an iUPD waits to be confirmed; while there is none. The order decides.

_SINCE: Final = "{iupd_days} days after the iUPD"
_NOT_CONFIRMED: Final = "; the iUPD is not confirmed, so the bar is reset"

IRECIST_STEPS: Final = (
    Step("confirmed_before", ICPD, otherwise, "table 3, examples 6 and 7", "progression was confirmed before",
         within=(CONFIRMED,)),
    # --- an iUPD waits: a scan that comes too early
    Step("early_new_lesion", ICPD, _early_new_lesion, "FAQ early imaging",
         f"a further new lesion was found by a scan for a new symptom, {_SINCE}", chosen("ir_early_policy", "ignore"),
         within=(PENDING,), then=CONFIRMED),
    Step("too_early", IUPD, asks("early"), "FAQ early imaging",
         f"the scan came {_SINCE}, which is too early: it is not used, and is to be repeated",
         chosen("ir_early_policy", "ignore"), within=(PENDING,), used=False),
    # --- what confirms it: more of what made it
    Step("target_further", ICPD, _target_further, "table 2, rows 7 to 9",
         "the sum {sum} mm is {sum_over_iupd_reference} mm over {iupd_reference} mm, the smallest since the iUPD",
         within=(PENDING,), then=CONFIRMED),
    Step("non_target_further", ICPD, _non_target_further, "table 2, rows 6, 8 and 9; FAQ non-target iUPD",
         "non-target disease has increased further since the iUPD", within=(PENDING,), then=CONFIRMED),
    Step("new_targets_further", ICPD, _new_targets_further, "table 2, rows 5, 9 and 10; FAQ new lesions",
         "the sum of the new lesion targets, {new_sum} mm, is {new_sum_over_new_reference} mm over {new_reference} mm, "
         "the smallest since the iUPD", within=(PENDING,), then=CONFIRMED),
    Step("new_non_target_further", ICPD, _new_non_target_further, "table 2, rows 5, 9 and 10; FAQ new lesions",
         "a new lesion non-target has increased since the iUPD", within=(PENDING,), then=CONFIRMED),
    Step("another_new_lesion", ICPD, _another_new_lesion, "table 2, rows 5, 9 and 10; FAQ new lesions",
         "a further new lesion", within=(PENDING,), then=CONFIRMED),
    # --- ... or progression of something that had not progressed before
    Step("target_added", ICPD, _target_added, "FAQ non-target iUPD",
         "after an iUPD without them the target lesions progress too, with a sum of {sum} mm",
         within=(PENDING,), then=CONFIRMED),
    Step("non_target_added", ICPD, _non_target_added, "FAQ non-target iUPD",
         "after an iUPD without them non-target lesions progress too", within=(PENDING,), then=CONFIRMED),
    Step("new_lesion_added", ICPD, _new_lesion_added, "FAQ non-target iUPD",
         "after an iUPD without them new lesions progress too", within=(PENDING,), then=CONFIRMED),
    # --- what leaves it open
    Step("pending_ne", NE, _original_ne, "table 3", "the iUPD cannot be judged: {target}; {non_target}",
         within=(PENDING,)),
    Step("pending_new_lesion_ne", NE, _new_lesion_ne, "table 3",
         "the iUPD cannot be judged: a new lesion that made it was not assessed", within=(PENDING,)),
    Step("pending_non_target_ne", NE, _non_target_ne, "table 3",
         "the iUPD cannot be judged: a non-target lesion that made it was not assessed", within=(PENDING,)),
    # --- what resets the bar
    Step("reset_to_icr", ICR, _settles(asks("icr")), "table 2, row 1", "all disease is gone" + _NOT_CONFIRMED,
         within=(PENDING,), then=CLEAR),
    Step("reset_to_ned", NED, _settles(_is(Response.NED)), "convention (NED)",
         "no disease at baseline, and the new lesions are gone" + _NOT_CONFIRMED, within=(PENDING,), then=CLEAR),
    Step("reset_to_non_icr_non_iupd", NON_ICR_NON_IUPD, _settles(_persists), "table 2, legend",
         "non-target disease has settled" + _NOT_CONFIRMED, within=(PENDING,), then=CLEAR),
    Step("reset_to_ipr", IPR, _settles(_is(Response.PR, Response.CR)), "table 2, rows 2 and 3; FAQ new lesions and iPR",
         "{target}" + _NOT_CONFIRMED, within=(PENDING,), then=CLEAR),
    Step("reset_to_isd", ISD, _settles(_is(Response.SD)), "table 2, row 4", "{target}" + _NOT_CONFIRMED,
         within=(PENDING,), then=CLEAR),
    Step("unconfirmed", IUPD, otherwise, "table 2, rows 5 to 10; FAQ new lesions and iPR",
         f"{_SINCE} nothing has grown enough to confirm it, and nothing has become better", within=(PENDING,)),
    # --- none waits: what is a new iUPD
    Step("new_lesion", IUPD, asks("new_appears"), "table 2, rows 9 and 10", "a new lesion",
         within=(CLEAR,), then=PENDING),
    Step("target_pd", IUPD, answered("target", IUPD), "table 2, rows 7 and 8",
         "progression of the target lesions: {target}", within=(CLEAR,), then=PENDING),
    Step("non_target_pd", IUPD, answered("non_target", IUPD), "table 2, row 6", "{non_target}",
         within=(CLEAR,), then=PENDING),
    Step("relapse_after_cr", IUPD, asks("returned"), "RECIST 1.1, table 3, footnote a", "disease is back after iCR",
         within=(CLEAR,), then=PENDING),
    Step("new_target_pd", IUPD, asks("new_target_pd"), "FAQ new lesions",
         "the sum of the known new lesion targets, {new_sum} mm, is {new_sum_over_new_reference} mm over its nadir "
         "{new_reference} mm", within=(CLEAR,), then=PENDING),
    Step("new_non_target_pd", IUPD, asks("new_non_target_pd"), "FAQ new lesions",
         "unequivocal progression of a known new lesion non-target", within=(CLEAR,), then=PENDING),
    # --- ... and what is none: as in RECIST 1.1, tables 1 and 2
    Step("ned_not_evaluable", NE, asks("ned_not_evaluable"), "convention (NED)",
         "no disease at baseline, and new lesions could not be looked for", within=(CLEAR,)),
    Step("no_lesion_to_follow", NE, asks("no_lesion_to_follow"), "convention (NED)",
         "no target or non-target lesion of the baseline can be followed", within=(CLEAR,)),
    Step("ned", NED, _is(Response.NED), "convention (NED)", "no disease at baseline and no new lesion",
         within=(CLEAR,)),
    Step("icr", ICR, asks("icr"), "table 2, row 1", "all known disease is gone and there is no new lesion",
         within=(CLEAR,)),
    Step("non_icr_non_iupd", NON_ICR_NON_IUPD, _persists, "table 2, legend",
         "{non_target}, and there is no target lesion", within=(CLEAR,)),
    Step("non_target_only_ne", NE, answered("target", "NA"), "RECIST 1.1, table 2, row 3",
         "{non_target}; new lesions: {new_lesion}", within=(CLEAR,)),
    Step("icr_with_new_lesion", IPR, _cr_with_new_lesion, "table 2",
         "the original lesions are gone, but a new lesion is there", within=(CLEAR,)),
    Step("target_icr_non_target_persists", IPR, _cr_but(NON_ICR_NON_IUPD), "table 2, row 2",
         "the target lesions are gone, but {non_target}", within=(CLEAR,)),
    Step("target_icr_non_target_ne", IPR, _cr_but(NE), "RECIST 1.1, table 1, row 3",
         "the target lesions are gone, but {non_target}", within=(CLEAR,)),
    Step("target_icr_unproven", IPR, answered("target", ICR), "RECIST 1.1, table 1, row 3",
         "the target lesions are gone, but a marker is above normal or new lesions could not be looked for",
         within=(CLEAR,)),
    Step("ipr", IPR, answered("target", IPR), "table 2, row 3", "{target}", within=(CLEAR,)),
    Step("isd", ISD, answered("target", ISD), "table 2, row 4", "{target}", within=(CLEAR,)),
    Step("target_ne", NE, otherwise, "RECIST 1.1, table 1, row 6", "{target}"),
)  # fmt: skip

IRECIST_QUESTIONS: Final = (
    Question("target", tuple(_as_in_recist(rule, walked=True) for rule in TARGET_RULES)),
    Question("non_target", tuple(_as_in_recist(rule, walked=False) for rule in NON_TARGET_RULES)),
    Question("new_lesion", tuple(_as_in_recist(rule, walked=False) for rule in NEW_LESION_RULES)),
    Question("overall", IRECIST_STEPS),
)
