"""Progression that has to be confirmed: which unconfirmed ones belong together, and what they date.

An unconfirmed progression opens a block. Whatever is not evaluable leaves it open; a response closes it, and the bar is
reset; a confirmed progression ends it, and has the date of its first member (iRECIST: Seymour et al., Lancet Oncol
2017;18:e143-e152, and table 3 there).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.best.dates import Days
from response.cells import NO_DATE
from response.vocabulary import Response

Flags = NDArray[np.bool_]
Places = NDArray[np.int32]

NO_PLACE: Final = -1
_SILENT: Final = (Response.BLANK, Response.NE, Response.ND, Response.NA)  # leave a block open


@dataclass(frozen=True, eq=False)
class Unconfirmed:
    """The blocks of unconfirmed progression of a course.

    Attributes
    ----------
    start
        Shape `[series, timepoint]`: first unconfirmed progression of the block that is open at the timepoint (or that
        it confirms), `NO_PLACE` where none is.
    """

    start: Places

    def dated(self, date: Days, first_scan: Days, progression_date: Days, code: NDArray[np.int8]) -> Days:
        """Return the dates in which the block is minded.

        A PD without a date of its own has that of the first member of its block; a later unconfirmed progression is
        an assessment of its own day.
        """
        follows = (code == Response.UNCONFIRMED_PD) & (self.start != np.arange(code.shape[1]))
        own = np.where(follows & (first_scan != NO_DATE), first_scan, date)
        unsaid = (code == Response.PD) & (progression_date == NO_DATE) & (self.start != NO_PLACE)
        return np.where(unsaid, np.take_along_axis(own, np.maximum(self.start, 0), axis=1), own)

    def led_to(self, confirmed: Places) -> Flags:
        """Return the timepoints of the block that the first PD of each series confirms, that PD itself not."""
        places = np.arange(self.start.shape[1])
        start = self.start[np.arange(len(confirmed)), np.maximum(confirmed, 0)]
        within = (places >= start[:, None]) & (places < confirmed[:, None])
        return np.asarray(within & (start != NO_PLACE)[:, None])

    def progression(self, confirmed: Places, date: Days, usable: Flags) -> Places:
        """Return the timepoint of the progression of each series.

        The first PD, where there is one; but a block that was open when the last usable assessment was made (before
        new therapy) is the progression, if it is earlier; without any PD a block that is open at the end.
        """
        open_then, open_now = self._open(usable), self._open(np.ones(usable.shape, np.bool_))
        found = np.where(confirmed == NO_PLACE, np.where(open_then == NO_PLACE, open_now, open_then), confirmed)
        earlier = (open_then != NO_PLACE) & (_at(date, open_then) < _at(date, confirmed))
        return np.where(earlier, open_then, found).astype(np.int32)

    def _open(self, usable: Flags) -> Places:
        """Return the start of the block that is open after the last usable timepoint; `[series]`."""
        count = self.start.shape[1]
        last = np.where(usable, np.arange(count), NO_PLACE).max(axis=1, initial=NO_PLACE)
        start = self.start[np.arange(len(last)), np.maximum(last, 0)] if count else last
        return np.where(last == NO_PLACE, NO_PLACE, start).astype(np.int32)


def unconfirmed(code: NDArray[np.int8], valid: Flags) -> Unconfirmed | None:
    """Return the blocks of unconfirmed progression of a course; None where no series has any.

    Parameters
    ----------
    code
        `vocabulary.Response` codes, `[series, timepoint]`.
    valid
        Whether there is an assessment that counts on its date.
    """
    if not (valid & (code == Response.UNCONFIRMED_PD)).any():
        return None
    start = np.full(code.shape, NO_PLACE, np.int32)
    open_ = np.full(len(code), NO_PLACE, np.int32)
    for place in range(code.shape[1]):
        here = code[:, place]
        opens = valid[:, place] & (here == Response.UNCONFIRMED_PD) & (open_ == NO_PLACE)
        open_ = np.where(opens, np.int32(place), open_)
        keeps = ~valid[:, place] | np.isin(here, (Response.UNCONFIRMED_PD, Response.PD, *_SILENT))
        open_ = np.where(keeps, open_, np.int32(NO_PLACE))
        start[:, place] = open_
    return Unconfirmed(start)


def _at(date: Days, place: Places) -> Days:
    """Return the date of a timepoint of each series; later than any where there is none."""
    found = date[np.arange(len(place)), np.maximum(place, 0)].astype(np.int64)
    return np.where(place == NO_PLACE, np.iinfo(np.int64).max, found)
