"""Confirmation of CR and PR by a later assessment.

Source: Eisenhauer et al., Eur J Cancer 2009;45:228-247, section 4.6 and table 3; the counts of NE and SD between are
named as in admiralonco (derive_param_confirmed_bor).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from response.best.course import NO_PLACE, CountedCourse, Flags, Places
from response.best.dates import Days
from response.protocol import BestResponseOptions
from response.vocabulary import Response

Counts = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Confirmed:
    """First confirmed response of a category and the assessment that confirms it; `[series]`, `NO_PLACE` if none."""

    index: Places
    by: Places


@dataclass(frozen=True, eq=False)
class _Steps:
    """Codes and dates of the series at issue, with counts up to and with each timepoint; `[series, timepoint]`."""

    code: NDArray[np.int8]
    date: Days
    latest: Days
    not_evaluable: Counts
    stable: Counts
    foreign_to_cr: Counts
    foreign_to_pr: Counts
    broken_cr: Counts

    @classmethod
    def of(cls, counted: CountedCourse, rows: NDArray[np.intp]) -> "_Steps":
        code = counted.code[rows]
        blank, cr, pr = code == Response.BLANK, code == Response.CR, code == Response.PR
        ne, sd = code == Response.NE, code == Response.SD
        places = np.arange(code.shape[1], dtype=np.int32)
        last_cr = np.maximum.accumulate(np.where(cr, places, NO_PLACE), axis=1)
        return cls(
            code,
            counted.date[rows],
            counted.latest[rows],
            _count(ne),
            _count(sd),
            _count(~(blank | cr | ne)),
            _count(~(blank | cr | pr | ne | sd)),
            np.maximum.accumulate(np.where(pr, last_cr, NO_PLACE), axis=1),
        )


def _count(holds: Flags) -> Counts:
    return np.cumsum(holds, axis=1, dtype=np.int32)


def first_confirmed(counted: CountedCourse, options: BestResponseOptions) -> tuple[Confirmed, Confirmed]:
    """Return the first confirmed CR and the first confirmed PR of every series.

    CR at i is confirmed by CR at j if j is at least `confirm_days` later, all between are CR or NE, and at most
    `max_nr_ne` of them NE. PR at i is confirmed by PR (or CR, `pr_then_cr_counts_for_pr`) at j if j is at least
    `confirm_days` later, all between are CR, PR, SD or NE, at most `max_nr_ne` of them NE and at most
    `max_intermediate_sd` SD, and no PR comes after a CR from i to j.

    Limits: an assessment whose date is unknown neither confirms nor is confirmed; of a partial date the day counts
    that makes the distance shortest.
    """
    responded = (counted.code == Response.CR) | (counted.code == Response.PR)
    rows = np.flatnonzero(responded.sum(axis=1) > 1) if responded.size else np.zeros(0, np.intp)
    steps = _Steps.of(counted, rows) if len(rows) else None
    return (
        _spread(steps, rows, len(responded), _confirms_cr, options),
        _spread(steps, rows, len(responded), _confirms_pr, options),
    )


def _confirms_cr(steps: _Steps, i: int, options: BestResponseOptions) -> Flags:
    now, later = slice(i, i + 1), slice(i + 1, None)
    return np.asarray(
        (steps.code[:, now] == Response.CR)
        & (steps.code[:, later] == Response.CR)
        & (steps.date[:, later] >= steps.latest[:, now] + options.confirm_days)
        & (steps.foreign_to_cr[:, later] == steps.foreign_to_cr[:, now])
        & (steps.not_evaluable[:, later] - steps.not_evaluable[:, now] <= options.max_nr_ne)
    )


def _confirms_pr(steps: _Steps, i: int, options: BestResponseOptions) -> Flags:
    now, later = slice(i, i + 1), slice(i + 1, None)
    confirming = steps.code[:, later] == Response.PR
    if options.pr_then_cr_counts_for_pr:
        confirming |= steps.code[:, later] == Response.CR
    return np.asarray(
        (steps.code[:, now] == Response.PR)
        & confirming
        & (steps.date[:, later] >= steps.latest[:, now] + options.confirm_days)
        & (steps.foreign_to_pr[:, later] == steps.foreign_to_pr[:, now])
        & (steps.not_evaluable[:, later] - steps.not_evaluable[:, now] <= options.max_nr_ne)
        & (steps.stable[:, later] - steps.stable[:, now] <= options.max_intermediate_sd)
        & (steps.broken_cr[:, later] < i)
    )


def _spread(
    steps: _Steps | None,
    rows: NDArray[np.intp],
    series: int,
    confirms: Callable[[_Steps, int, BestResponseOptions], Flags],
    options: BestResponseOptions,
) -> Confirmed:
    index, by = np.full(series, NO_PLACE, np.int32), np.full(series, NO_PLACE, np.int32)
    if steps is None:
        return Confirmed(index, by)
    for i in range(steps.code.shape[1] - 1):  # one timepoint against all later ones: memory stays linear
        pairs = confirms(steps, i, options)
        found = pairs.any(axis=1) & (index[rows] == NO_PLACE)
        index[rows[found]] = i
        by[rows[found]] = i + 1 + pairs[found].argmax(axis=1)
    return Confirmed(index, by)
