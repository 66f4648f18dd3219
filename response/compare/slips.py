"""The usual slips in scoring by hand, each as the criterion with one thing done wrong.

A collected response that differs is explained by the slip that turns the computed responses into the collected
ones: the rules of RECIST 1.1 are asked again with one input, or one answer, changed as the slip changes it.
The list follows what public quality control found (criteria page, 1.13) and the traps of public calculators.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.burden import NO_SUM, Burden, Fact, LesionClass
from response.criteria.recist import (
    NON_TARGET_RULES,
    PD_INCREASE_UM,
    RECIST_QUESTIONS,
    RECIST_TEST,
    TARGET_NAMES,
    RecistOptions,
    RecistState,
    recist_burden,
)
from response.criteria.rules import RuleCodes
from response.measurements import Measurements
from response.readings import TARGET_NODE_UM, counting_length_um
from response.vocabulary import State

_TARGETS: Final = (LesionClass.TARGET, LesionClass.TARGET_NODE)
_NON_TARGETS: Final = (LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE)
_NODES: Final = (LesionClass.TARGET_NODE, LesionClass.NON_TARGET_NODE)
_UNASSESSED: Final = (State.MISSING, State.NOT_EVALUABLE)
_NON_TARGET_NAMES: Final = {rule.name: index for index, rule in enumerate(NON_TARGET_RULES)}

Change = Callable[[RecistState], RecistState | None]
Edit = Callable[[RecistState, RuleCodes], RuleCodes]


@dataclass(frozen=True)
class Slip:
    """One way to go wrong.

    Attributes
    ----------
    name
        Stable word for the cause.
    sentence
        What was probably done, for the query.
    change
        Changes what the rules ask; None where the slip cannot happen in these series.
    edit
        By question: changes its answers, before later questions are asked.
    """

    name: str
    sentence: str
    change: Change | None = None
    edit: Mapping[str, Edit] | None = None


def answers_under(slip: Slip, block: Block, options: RecistOptions) -> Mapping[str, RuleCodes] | None:
    """Return the answers to the questions of RECIST 1.1 under a slip, each `[series, timepoint]`."""
    state: RecistState | None = RecistState(recist_burden(block, options), options, RECIST_QUESTIONS, RECIST_TEST)
    if slip.change is not None and state is not None:
        state = slip.change(state)
    if state is None:
        return None
    for question in RECIST_QUESTIONS:
        codes = question.answer(state, options)
        if slip.edit and question.name in slip.edit:
            codes = slip.edit[question.name](state, codes)
        state.answers[question.name] = codes
    return state.answers


def _set(target: Any, **values: Any) -> None:
    """Put values in the place of computed ones: the cached properties of a state or burden."""
    target.__dict__.update(values)


# --- the sum and what it is compared with


def _baseline_for_nadir(state: RecistState) -> RecistState:
    burden = state.burden
    _set(burden, nadir_um=np.broadcast_to(burden.baseline_um, state.shape))
    return state


def _nadir_for_baseline(state: RecistState) -> RecistState:
    _set(state.burden, baseline_um=state.burden.nadir_um)
    return state


def _incomplete_nadir(state: RecistState) -> RecistState:
    burden = state.burden
    scored = burden.block.is_baseline | burden.block.follow_up
    _set(burden, complete_um=np.where(scored, burden.sum_um, NO_SUM))
    return state


def _baseline_gap(state: RecistState) -> RecistState:
    burden = state.burden
    complete = burden.complete_um
    whole = np.where(burden.block.is_baseline, burden.sum_um, complete)
    _set(burden, baseline_complete=np.ones((state.shape[0], 1), np.bool_), complete_um=whole)
    return state


def _matched_lesions(state: RecistState) -> RecistState | None:
    """Leave missing targets out of the sum and of what it is compared with."""
    burden, block = state.burden, state.burden.block
    missing = np.isin(burden.state, _UNASSESSED) & np.isin(burden.classes, _TARGETS)[:, None]
    if not missing.any():
        return None
    at = np.maximum(block.per_track(block.baseline), 0).astype(np.int64)
    own = np.broadcast_to(np.take_along_axis(burden.value_um, at, axis=1), missing.shape)
    baseline = block.reduce(np.add, np.where(missing, 0, own), dtype=np.int64)
    _set(burden, baseline_um=baseline, nadir_um=np.minimum(burden.nadir_um, baseline))
    _set(burden, all_assessed=burden.block.exists)
    return state


def _missing_as_zero(state: RecistState) -> RecistState | None:
    return _with_states(state, _TARGETS, _UNASSESSED, State.ABSENT)


def _too_small_as_gone(state: RecistState) -> RecistState | None:
    return _with_states(state, _TARGETS, (State.TOO_SMALL,), State.ABSENT, value=0)


def _with_states(
    state: RecistState, classes: Any, found: Any, taken: State, value: int | None = None
) -> RecistState | None:
    """Return the state with some lesion states taken for another."""
    burden = state.burden
    chosen = np.isin(burden.state, found) & np.isin(burden.classes, classes)[:, None]
    return _with(state, chosen, taken, value) if chosen.any() else None


def _with(state: RecistState, chosen: NDArray[np.bool_], taken: State, value: int | None = None) -> RecistState:
    burden = state.burden
    changed = Burden.of(burden.block, np.where(chosen, np.int8(taken), burden.state).astype(np.int8))
    if value is not None:
        changed = _with_values(changed, np.where(chosen, value, burden.value_um))
    return RecistState(changed, state.options, RECIST_QUESTIONS, RECIST_TEST)


def _with_values(burden: Burden, value: NDArray[Any]) -> Burden:
    value = value.astype(np.int32)
    return replace(burden, value_um=value, sum_um=burden.block.reduce(np.add, value, dtype=np.int64))


# --- nodes and non-targets


def _node_as_gone(state: RecistState) -> RecistState | None:
    """Take nodes of 10 to below 15 mm for normal."""
    length = _lengths(state, nodal=True)
    seen = np.isin(state.burden.state, (State.MEASURED, State.PRESENT)) & (length > 0) & (length < TARGET_NODE_UM)
    seen &= np.isin(state.burden.classes, _NODES)[:, None]
    return _with(state, seen, State.NORMAL_NODE) if seen.any() else None


def _normal_node_as_disease(state: RecistState) -> RecistState | None:
    """Ask for a sum of 0 before all is gone."""
    normal = (state.burden.state == State.NORMAL_NODE) & np.isin(state.burden.classes, _NODES)[:, None]
    if not normal.any():
        return None
    targets = normal & np.isin(state.burden.classes, _TARGETS)[:, None]
    changed = _with(state, targets, State.MEASURED)
    return _with(changed, normal & ~targets, State.PRESENT)


def _longest_for_nodes(state: RecistState) -> RecistState | None:
    nodes = np.isin(state.burden.classes, _TARGETS)[:, None] & np.isin(state.burden.classes, _NODES)[:, None]
    length = _lengths(state, nodal=False)
    chosen = nodes & (length > 0) & np.isin(state.burden.state, (State.MEASURED, State.NORMAL_NODE))
    if not chosen.any():
        return None
    changed = _with(state, chosen, State.MEASURED)
    burden = _with_values(changed.burden, np.where(chosen, length, state.burden.value_um))
    return RecistState(burden, state.options, RECIST_QUESTIONS, RECIST_TEST)


def _non_targets_in_sum(state: RecistState) -> RecistState | None:
    length = _lengths(state, nodal=False)
    chosen = np.isin(state.burden.classes, _NON_TARGETS)[:, None] & (length > 0)
    if not chosen.any():
        return None
    value = np.where(chosen, length, state.burden.value_um)
    return RecistState(_with_values(state.burden, value), state.options, RECIST_QUESTIONS, RECIST_TEST)


def _lengths(state: RecistState, *, nodal: bool) -> NDArray[np.int32]:
    """Return the short axis, or the longest diameter, of every lesion; `[track, timepoint]`, 0 where none."""
    measured: Measurements = state.burden.block.timeline.measurements
    column = counting_length_um(measured, np.full(len(measured), nodal))
    return np.asarray(np.maximum(state.burden.block.lesion(column, 0), 0))


# --- answers taken for others


def _target_pd_where(condition: Callable[[RecistState], NDArray[np.bool_]]) -> Mapping[str, Edit]:
    def edit(state: RecistState, codes: RuleCodes) -> RuleCodes:
        open_ = np.isin(codes, [TARGET_NAMES[name] for name in ("pr", "sd", "pr_continued")])
        return np.where(open_ & condition(state), np.int8(TARGET_NAMES["pd"]), codes)

    return {"target": edit}


def _grown_by_percent(state: RecistState) -> NDArray[np.bool_]:
    sums, nadir = state.burden.sum_um, state.burden.nadir_um
    return np.asarray((5 * sums >= 6 * nadir) & (sums > nadir))


def _grown_by_either(state: RecistState) -> NDArray[np.bool_]:
    return _grown_by_percent(state) | (state.burden.sum_um - state.burden.nadir_um >= PD_INCREASE_UM)


def _rounded(state: RecistState, codes: RuleCodes) -> RuleCodes:
    burden = state.burden
    sums, base, nadir = burden.sum_um, burden.baseline_um, burden.nadir_um
    stable = codes == TARGET_NAMES["sd"]
    partial = stable & (1000 * sums <= 705 * base)
    progressive = stable & (1000 * sums >= 1195 * nadir) & (10 * (sums - nadir) >= 9 * PD_INCREASE_UM)
    codes = np.where(partial, np.int8(TARGET_NAMES["pr"]), codes)
    return np.where(progressive, np.int8(TARGET_NAMES["pd"]), codes)


def _exclusive(state: RecistState, codes: RuleCodes) -> RuleCodes:
    burden = state.burden
    sums, base, nadir = burden.sum_um, burden.baseline_um, burden.nadir_um
    at_pr = (codes == TARGET_NAMES["pr"]) & (10 * sums == 7 * base)
    at_pd = (codes == TARGET_NAMES["pd"]) & ((5 * sums == 6 * nadir) | (sums - nadir == PD_INCREASE_UM))
    partial = at_pd & (10 * sums <= 7 * base)
    codes = np.where(at_pr | at_pd, np.int8(TARGET_NAMES["sd"]), codes)
    return np.where(partial, np.int8(TARGET_NAMES["pr"]), codes)


def _continued(state: RecistState, codes: RuleCodes) -> RuleCodes:
    return np.where((codes == TARGET_NAMES["sd"]) & state.continues_pr, np.int8(TARGET_NAMES["pr"]), codes)


def _non_target(found: tuple[str, ...], taken: str) -> Mapping[str, Edit]:
    def edit(state: RecistState, codes: RuleCodes) -> RuleCodes:
        del state
        names = [_NON_TARGET_NAMES[name] for name in found]
        return np.where(np.isin(codes, names), np.int8(_NON_TARGET_NAMES[taken]), codes)

    return {"non_target": edit}


def _without_new(state: RecistState) -> RecistState:
    nothing = np.zeros(state.shape, np.bool_)
    _set(state, new_unequivocal=nothing, new_equivocal=nothing)
    return state


def _equivocal_as_new(state: RecistState) -> RecistState:
    suspected = state.burden.has(Fact.NON_TARGET_PRESENT) & state.burden.has(Fact.SUSPECTED)
    _set(state, new_unequivocal=state.new_unequivocal | state.new_equivocal | suspected)
    return state


def _new_not_looked_for(state: RecistState) -> RecistState:
    _set(state, new_not_evaluable=np.zeros(state.shape, np.bool_))
    return state


def _no_relapse(state: RecistState) -> RecistState:
    _set(state, relapse=np.zeros(state.shape, np.bool_))
    return state


# In the order in which they are tried: of slips that explain equally much the first is named.
SLIPS: Final = (
    Slip("baseline_for_nadir", "growth was judged against the baseline, not against the nadir", _baseline_for_nadir),
    Slip("nadir_for_baseline", "shrinkage was judged against the nadir, not against the baseline", _nadir_for_baseline),
    Slip("five_mm_forgotten", "PD also needs a growth of 5 mm", edit=_target_pd_where(_grown_by_percent)),
    Slip("rounding", "the change was rounded before it was compared with the threshold", edit={"target": _rounded}),
    Slip("or_for_and", "PD needs both 20 % and 5 mm, not one of them", edit=_target_pd_where(_grown_by_either)),
    Slip("threshold_not_inclusive", "a change of exactly the threshold counts", edit={"target": _exclusive}),
    Slip("new_lesion_ignored", "the new lesion was ignored", _without_new),
    Slip("non_target_progression_ignored", "the unequivocal progression of a non-target was ignored",
         edit=_non_target(("pd",), "non_cr_non_pd")),
    Slip("non_target_ignored", "a non-target that is still there, or was not evaluated, was ignored",
         edit=_non_target(("pd", "partly_present", "missing", "non_cr_non_pd", "marker_above"), "cr")),
    Slip("non_target_gap_ignored", "a non-target that was not evaluated was taken as present",
         edit=_non_target(("missing",), "non_cr_non_pd")),
    Slip("equivocal_counted_as_pd", "an equivocal finding was counted as progression", _equivocal_as_new),
    Slip("node_not_below_10", "a node of 10 mm or more was taken for normal", _node_as_gone),
    Slip("cr_needs_sum_zero", "nodes below 10 mm are normal; CR does not need a sum of 0", _normal_node_as_disease),
    Slip("incomplete_sum_as_nadir", "an incomplete sum was taken as the nadir", _incomplete_nadir),
    Slip("missing_lesion_ignored", "a lesion that was not assessed was left out of the comparison", _matched_lesions),
    Slip("missing_counted_as_0", "a lesion that was not assessed was counted as 0", _missing_as_zero),
    Slip("baseline_gap_ignored", "a target without a baseline value was left out", _baseline_gap),
    Slip("too_small_taken_for_gone", "a lesion too small to measure was taken for gone; it counts 5 mm",
         _too_small_as_gone),
    Slip("longest_for_node", "the longest diameter of a node was used, not its short axis", _longest_for_nodes),
    Slip("non_target_in_sum", "diameters of non-targets were added to the sum", _non_targets_in_sum),
    Slip("relapse_after_cr_missed", "disease that comes back after CR is progression", _no_relapse),
    Slip("pr_continued", "an earlier PR was continued, although the sum no longer reaches it",
         edit={"target": _continued}),
    Slip("new_lesion_gap_ignored", "that new lesions could not be looked for was ignored", _new_not_looked_for),
)  # fmt: skip
