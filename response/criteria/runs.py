"""Runs of a finding along time: when each began, and whether enough time has passed since; `[series, timepoint]`."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_DATE
from response.criteria.burden import running, running_before
from response.criteria.rules import Flags
from response.criteria.visit_values import at_places

NOWHERE: Final = -1
Places = NDArray[np.intp]


def run_starts(holds: Flags, ends: Flags) -> Places:
    """Return the place of the timepoint that began the run which a timepoint belongs to, `NOWHERE` before any.

    A run begins where the finding holds for the first time, or again after a timepoint that ended it. What neither
    holds nor ends leaves the run open.

    Parameters
    ----------
    holds
        Where the finding holds.
    ends
        Where it is seen not to hold.
    """
    if not holds.any():
        return np.full(holds.shape, NOWHERE, np.intp)
    place = np.arange(1, holds.shape[1] + 1, dtype=np.int32)  # counted from 1, so that 0 is nowhere
    last_end = running(np.maximum, ends * place)
    last = running_before(np.maximum, holds * place, 0)
    opens = holds & ((last == 0) | (last < last_end))
    return running(np.maximum, opens * place).astype(np.intp) + NOWHERE


def days_since(block: Block, since: Places) -> NDArray[np.int32]:
    """Return the days since the timepoint at a place, `NO_DATE` where a date is not known; `[series, timepoint]`.

    Parameters
    ----------
    block
        The block.
    since
        Place of an earlier timepoint, `[series, timepoint]` or `[series, 1]`.
    """
    days = block.cell_values(block.timeline.visits.first_scan, NO_DATE)
    then = at_places(days, since)
    return np.where((days == NO_DATE) | (then == NO_DATE), np.int32(NO_DATE), days - then)


def days_passed(block: Block, since: Places, least: int) -> Flags:
    """Return where at least so many days have passed since the timepoint at a place, or where that is not known."""
    days = days_since(block, since)
    return np.asarray((days == NO_DATE) | (days >= least))
