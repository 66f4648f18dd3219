"""Dates of the timepoints of a series, and their order in time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, DatePrecision
from response.keys import has_number
from response.measurements import DateColumn


def cell_dates(
    dates: DateColumn, cell_of_row: NDArray[np.int32], cells: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]]:
    """Return the first and last date of each cell, and how exact the first is."""
    first = np.full(cells, NO_DATE, np.int32)
    precision = np.zeros(cells, np.int8)
    if not len(dates.days):
        return first, first.copy(), precision
    first[cell_of_row] = dates.days
    differs = first.take(cell_of_row) != dates.days
    if dates.precision.min() == dates.precision.max():
        precision[first != NO_DATE] = dates.precision[0]
    else:
        precision[cell_of_row] = dates.precision
        differs |= precision.take(cell_of_row) != dates.precision
    last = first.copy()
    other = np.flatnonzero(differs)
    if len(other):
        affected = np.unique(cell_of_row[other])
        mask = np.zeros(cells, np.bool_)
        mask[affected] = True
        rows = np.flatnonzero(mask[cell_of_row] & (dates.days != NO_DATE))
        # exact dates before partial ones, so that a partial date decides only where nothing better is known
        rows = rows[np.lexsort((dates.days[rows], -dates.precision[rows], cell_of_row[rows]))]
        of = cell_of_row[rows]
        heads = np.flatnonzero(np.concatenate([[True], of[1:] != of[:-1]]))
        first[of[heads]] = dates.days[rows[heads]]
        precision[of[heads]] = dates.precision[rows[heads]]
        last[of[heads]] = first[of[heads]]
        np.maximum.at(last, of, dates.days[rows])
    return first, last, precision


def time_order(
    labels: Sequence[str], days: NDArray[np.int32], exact: NDArray[np.bool_], first_row: NDArray[np.int64]
) -> list[int]:
    """Return the time order of the timepoints of one series, some of which have no exact date.

    Parameters
    ----------
    labels
        Labels, in the order of their numbers.
    days
        First possible day of each timepoint, `NO_DATE` where unknown.
    exact
        Whether the day is known.
    first_row
        First row of each timepoint: its place in the file, which decides where a label has no number.
    """
    visit_order = np.arange(len(labels)) if orders_by_number(labels) else np.argsort(first_row, kind="stable")
    before = int(np.iinfo(np.int64).min)
    effective = {}
    for place, cell in enumerate(visit_order.tolist()):
        # a partial or missing date stands where its visit stands, but not before its own first day
        before = int(days[cell]) if exact[cell] else max(before, int(days[cell]))
        effective[cell] = (before, place)
    return sorted(effective, key=lambda cell: effective[cell])


def orders_by_number(labels: Sequence[str]) -> bool:
    """Return whether the labels alone say the order of their timepoints."""
    return all(has_number(label) for label in labels)


def in_time_order(
    first: NDArray[np.int32], precision: NDArray[np.int8], same_series: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return for each timepoint but the first whether it follows the one before it for certain."""
    exact = precision == DatePrecision.DAY
    return np.asarray(~same_series | ((first[1:] >= first[:-1]) & exact[1:] & exact[:-1]))
