"""How far a timepoint is from the next threshold of each criterion, in exact numbers."""

from typing import Any, Final

from response.cells import thousandths_text
from response.criteria.burden import NO_SUM, UNMEASURED, Burden
from response.criteria.choi import ChoiState
from response.criteria.criterion import State
from response.criteria.distances import at_least, at_most, grown_from_um, mm, pr_at_most_um
from response.criteria.recist import RecistState
from response.criteria.some_lesions import is_one_of
from response.criteria.sum_tests import change_to

_NO_PR: Final = "PR needs a complete sum"


def thresholds(state: State, place: int) -> list[str]:
    """Return the thresholds of a timepoint of a single series, and the distance to each.

    Parameters
    ----------
    state
        What the rules of a criterion ask of a block of one series.
    place
        Place of a scored timepoint.

    Returns
    -------
    list of str
        Empty for a criterion without thresholds, and where there is nothing to compare with.
    """
    if type(state).thresholds is not State.thresholds:  # it has its own
        return state.thresholds(place)
    if isinstance(state, RecistState):
        return _recist(state, place)
    return _choi(state, place) if isinstance(state, ChoiState) else state.thresholds(place)


def choi_pd_from_um(reference_um: int) -> int:
    """Return the smallest sum that is 10 % over the reference, and over it at all."""
    return grown_from_um(reference_um, 11, 1)


def _recist(state: RecistState, place: int) -> list[str]:
    burden, test = state.burden, state.test
    if _without_sums(state):
        return []
    sum_um, baseline, reference = _at(burden.sum_um, place), _at(burden.baseline_um, 0), _at(state.reference, place)
    complete = bool(burden.all_assessed[0, place])
    if not complete and state.options.missing_target_policy != "pd_if_proven":
        never = state.options.missing_target_policy == "always_ne"
        return ["PR and PD need a complete sum" if never else "the bounds of the missing lesions decide"]
    found = [at_most("PR", test.largest_partial(baseline), sum_um)] if complete else [_NO_PR]
    if reference < NO_SUM and (complete or _measured(burden, place)):
        start = test.smallest_progressive(reference)
        share = f"{'' if test.inclusive else 'more than '}{thousandths_text(change_to(test.progressive))} %"
        why = share if start > reference + test.least else f"{mm(test.least)} mm"
        over = f"over the {'baseline' if test.from_baseline else 'nadir'} {mm(reference)} mm"
        proving = _at(state.pd_sum_um, place)  # without default values, where the protocol says so
        found.append(at_least("PD", start, proving, f"{why} {over} decides"))
    return found


def _choi(state: ChoiState, place: int) -> list[str]:
    burden = state.burden
    if _without_sums(state.recist):
        return []
    sum_um, baseline, reference = (
        _at(burden.sum_um, place),
        _at(burden.baseline_um, 0),
        _at(state.reference_um, place),
    )
    complete = bool(burden.all_assessed[0, place])
    found = [at_most("PR by size", pr_at_most_um(baseline, 9), sum_um)] if complete else [_NO_PR]
    found.append(_attenuation(state, place))
    if reference < NO_SUM and (complete or _measured(burden, place)):
        start = choi_pd_from_um(reference)
        found.append(at_least("PD", start, sum_um, f"unless the {state.comparison.quantity.word} fell by 15 %"))
    return found


def _attenuation(state: ChoiState, place: int) -> str:
    quantity = state.comparison.quantity
    if bool(state.density_missing[0, place]):
        return f"PR by {quantity.word}: it could not be compared"
    if state.comparison.aggregation != "mean_of_lesion_means":
        reached = "reached" if bool(state.density_pr[0, place]) else "not reached"
        return f"PR by {quantity.word} 15 % below the baseline: {reached}"
    now, base, lesions = (
        _at(values, place)
        for values in (state.attenuation.now_sum, state.attenuation.baseline_sum, state.attenuation.lesions)
    )
    limit = 85 * base // (100 * lesions)  # of the mean; cut to the thousandth
    excess = 100 * now - 85 * base
    unit = quantity.unit
    told = "reached" if excess <= 0 else f"{thousandths_text(-(-excess // (100 * lesions)))} {unit} away"
    return f"PR by {quantity.word} at {thousandths_text(limit)} {unit} or less: {told}"


def _measured(burden: Burden, place: int) -> bool:
    """Return whether some target of a single series was assessed."""
    return bool((burden.is_target & ~is_one_of(burden.state, UNMEASURED))[:, place].any())


def _without_sums(state: RecistState) -> bool:
    return bool(state.no_targets[0, 0] or state.baseline_incomplete[0, 0])


def _at(values: Any, place: int) -> int:
    return int(values[0, place])
