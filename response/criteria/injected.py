"""The injected and the non-injected lesions of intratumoral therapy: two groups, compared with themselves before.

A lesion belongs to the injected ones from its first injection on, or from baseline where it was chosen for it. As
lesions change over, a group is compared at each timepoint with the same lesions before: with their sum at baseline, and
with its smallest complete value since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import NO_SUM, Burden, Fact, Sums, facts_at, running, running_before
from response.criteria.rules import Flags
from response.criteria.some_lesions import SomeLesions, is_one_of, lesions_of_series
from response.criteria.sums import TARGETS, targets_of, totals_of
from response.timeline import Block
from response.vocabulary import YesNo


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """The injected, or the non-injected, lesions of each timepoint; arrays `[series, timepoint]`, lengths in um.

    Attributes
    ----------
    targets
        Number of targets of the group.
    sum_um, baseline_um, nadir_um
        Their sum now, and of the same lesions at baseline and at its smallest complete value before.
    complete
        Whether all of them were assessed.
    gone
        Whether none of them is left.
    progression
        Whether a non-target of the group progresses unequivocally.
    """

    targets: NDArray[np.int64]
    sum_um: Sums
    baseline_um: Sums
    nadir_um: Sums
    complete: Flags
    gone: Flags
    progression: Flags


def injected_lesions(block: Block) -> SomeLesions:
    """Return the lesions that were injected by then, or chosen for it at baseline."""
    measured = block.timeline.measurements
    if "injected" not in measured.codes:
        return SomeLesions(block, np.zeros(0, np.intp), np.zeros((0, block.timepoints), np.bool_))
    injected = is_one_of(block.lesion(measured.code("injected"), YesNo.BLANK), (YesNo.YES,))
    tracks = np.flatnonzero(injected.any(axis=1))
    return SomeLesions(block, tracks, running(np.logical_or, injected[tracks]))


def groups_of(burden: Burden, injected: SomeLesions) -> tuple[Group, Group]:
    """Return the injected and the non-injected lesions of each timepoint; new ones belong to neither."""
    block, facts = burden.block, facts_at(burden.classes, burden.state)
    missing, left, progressing = (
        facts & np.uint16(fact) != 0 for fact in (Fact.TARGET_MISSING, Fact.TARGET_DISEASE, Fact.NON_TARGET_PROGRESSION)
    )
    chosen = is_one_of(burden.classes[injected.tracks], TARGETS)
    tracks, member = injected.tracks[chosen], injected.flags[chosen]
    lost, number = burden.count(missing), lesions_of_series(block, targets_of(burden)[:, 0])
    every = np.arange(block.series_count)
    sums, without, there, targets = (
        _split(block, every, tracks, values, whole)
        for values, whole in (
            (burden.value_um[tracks] * member, burden.sum_um),
            (missing[tracks] & member, lost),
            (left[tracks] & member, burden.count(left)),
            (member, np.broadcast_to(number, block.shape)),
        )
    )
    references = [_reference(burden, every, *group) for group in zip(sums, without, strict=True)]
    _change_over(burden, missing, tracks, member.argmax(axis=1), references)
    by_injected = injected.by_lesion() & progressing
    found = block.some(by_injected), block.some(progressing & ~by_injected)
    injected_ones, others = (
        Group(
            sum_um=sums[group], complete=without[group] == 0, gone=there[group] == 0, targets=targets[group],
            progression=found[group], baseline_um=references[group][0], nadir_um=references[group][1],
        )
        for group in (0, 1)
    )  # fmt: skip
    return injected_ones, others


def _split(
    block: Block, rows: NDArray[np.intp], tracks: NDArray[np.intp], values: NDArray[Any], whole: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the totals of values of some lesions `[some, timepoint]` by series, and what they leave of the whole.

    `rows` are the series that are asked about, those of the lesions among them.
    """
    series, totals = totals_of(block, tracks, values)
    own = np.zeros((len(rows), block.timepoints), np.int64)
    own[np.searchsorted(rows, series)] = totals
    return own, whole[rows] - own


def _change_over(
    burden: Burden,
    missing: Flags,
    tracks: NDArray[np.intp],
    first: NDArray[np.intp],
    references: Sequence[tuple[Sums, Sums]],
) -> None:
    """Put in baseline and nadir of both groups from where a target is injected for the first time after baseline.

    From there on the lesions that are in a group are summed at all timepoints before.

    Parameters
    ----------
    burden, missing
        The lesions; whether each is a target that was not assessed, `[track, timepoint]`.
    tracks, first
        The targets that are ever injected, and the timepoint at which each first is; `[target]`.
    references
        Baseline and nadir of each group, `[series, timepoint]`; those of other series are left as they are.
    """
    block, series, lost = burden.block, burden.block.series_of_track[tracks], burden.count(missing)
    later = first > block.baseline[series, 0]
    for place in np.unique(first[later]).tolist():
        rows = np.unique(series[later & (first == place)])
        now = tracks[np.isin(series, rows) & (first <= place)]
        sums = _split(block, rows, now, burden.value_um[now], burden.sum_um)
        without = _split(block, rows, now, missing[now], lost)
        for (baseline, nadir), *group in zip(references, sums, without, strict=True):
            baseline_now, nadir_now = _reference(burden, rows, *group)
            baseline[rows, place:], nadir[rows, place:] = baseline_now[:, place:], nadir_now[:, place:]


def _reference(burden: Burden, rows: NDArray[np.intp], sums: Sums, lost: NDArray[np.int64]) -> tuple[Sums, Sums]:
    """Return the sum at baseline, and the smallest complete one before, at each timepoint of some series."""
    block, places = burden.block, np.maximum(burden.block.baseline[rows], 0).astype(np.intp)
    known = np.where((lost == 0) & block.is_scored[rows], sums, NO_SUM)
    baseline = np.broadcast_to(np.take_along_axis(sums, places, axis=1), sums.shape)
    return baseline.copy(), running_before(np.minimum, known, NO_SUM)
