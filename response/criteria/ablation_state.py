"""What the rules of the assessment of ablated lesions ask: what the zone of each treated lesion shows, and the worst.

Only the lesions that are ever treated are looked at. Lengths are whole micrometres.
"""

from enum import IntEnum
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, NO_NUMBER, NO_ROW, THOUSAND
from response.criteria.burden import NO_SUM, LesionClass, running
from response.criteria.criterion import State
from response.criteria.recist import RecistState
from response.criteria.rules import Flags, Question
from response.criteria.some_lesions import SomeLesions, is_one_of, lesions_with
from response.criteria.sum_tests import SumTest
from response.vocabulary import ZoneEnhancement

ZONE_TEST: Final = SumTest(partial=(0, 1), progressive=(6, 5), least=5_000)  # +20 % and 5 mm over the smallest zone
NOT_TREATED: Final = -1
UNDATED: Final = -2  # days since the treatment of a lesion on a scan without a date


class Zone(IntEnum):
    """What a treated lesion shows; the larger one wins for the subject."""

    UNTREATED = 0
    COMPLETE = 1
    EQUIVOCAL = 2  # a thin rim after the first months
    UNKNOWN = 3
    RESIDUAL = 4
    GROWN = 5
    PROGRESSED = 6


class AblationState(State):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`, of treated lesions `[lesion, ...]`."""

    def __init__(self, recist: RecistState, options: Any, questions: tuple[Question[Any], ...]) -> None:
        super().__init__(recist.block, questions)
        self.recist, self.options = recist, options

    # --- treated lesions

    @cached_property
    def _treatment(self) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """The lesions that are ever treated, and the day of their last treatment known at each timepoint."""
        measurements, block = self.block.timeline.measurements, self.block
        if "local_therapy" not in measurements.dates:
            return np.zeros(0, np.intp), np.zeros((0, block.timepoints), np.int32)
        days = block.lesion(measurements.date("local_therapy").days, NO_DATE)
        counted = (self.recist.burden.classes != LesionClass.UNCOUNTED)[:, None]
        tracks = lesions_with((days != NO_DATE) & counted)
        return tracks, running(np.maximum, days[tracks])

    @property
    def tracks(self) -> NDArray[np.intp]:
        """The lesions that are ever treated, counted from the start of the block."""
        return self._treatment[0]

    @cached_property
    def since(self) -> NDArray[np.int64]:
        """Days since the last treatment, `NOT_TREATED` before any, `UNDATED` where the scan has no date."""
        tracks, therapy = self._treatment
        first_scan = self.block.cell_values(self.block.timeline.visits.first_scan, NO_DATE)
        days = first_scan[self.block.series_of_track[tracks]]
        treated = (therapy != NO_DATE) & ((therapy <= days) | (days == NO_DATE))
        since = np.where(days == NO_DATE, UNDATED, days.astype(np.int64) - therapy)
        return np.where(treated, since, NOT_TREATED)

    @cached_property
    def zones(self) -> NDArray[np.int8]:
        """What each treated lesion shows, as `Zone`."""
        tracks, therapy = self._treatment
        size, seen = self._number("ablation_zone_mm"), self._enhancement(tracks)
        found = np.zeros(size.shape, np.int8)
        if not len(tracks):
            return found
        was_complete, smallest = np.zeros(len(size), np.bool_), np.full(len(size), NO_SUM)
        for place in range(size.shape[1]):
            again = therapy[:, place] != therapy[:, max(place - 1, 0)]
            was_complete &= ~again
            smallest[again] = NO_SUM
            now, days = size[:, place], self.since[:, place]
            found[:, place] = self._judged(seen[:, place], now, days, was_complete, smallest)
            was_complete |= found[:, place] == Zone.COMPLETE
            measured = (now != NO_NUMBER) & (days >= self.options.ablation_baseline_days)
            smallest = np.where(measured, np.minimum(smallest, now), smallest)
        return found

    def _judged(
        self,
        seen: NDArray[np.int8],
        size: NDArray[np.int64],
        days: NDArray[np.int64],
        was_complete: Flags,
        smallest: NDArray[np.int64],
    ) -> NDArray[np.int8]:
        """Return what lesions show at one timepoint, as `Zone`; the first that holds; all arrays `[lesion]`."""
        nodular, rim = seen == ZoneEnhancement.NODULAR, seen == ZoneEnhancement.THIN_RIM
        early = days <= self.options.ablation_rim_days
        answers = (
            (Zone.UNTREATED, days == NOT_TREATED),
            (Zone.UNKNOWN, days == UNDATED),
            (Zone.PROGRESSED, nodular & was_complete),
            (Zone.RESIDUAL, nodular),
            (Zone.GROWN, ZONE_TEST.grown(size, smallest)),
            (Zone.COMPLETE, (seen == ZoneEnhancement.NONE) | (rim & early)),
            (Zone.EQUIVOCAL, rim),
        )
        conditions, zones = [holds for _, holds in answers], [np.int8(zone) for zone, _ in answers]
        return np.select(conditions, zones, np.int8(Zone.UNKNOWN))

    def _number(self, name: str) -> NDArray[np.int64]:
        """Return a number of each treated lesion, `NO_NUMBER` where there is none."""
        rows = self.block.row[self.tracks]
        found = self.block.timeline.measurements.numbers_of(name, np.maximum(rows, 0)).astype(np.int64)
        return np.where(rows == NO_ROW, NO_NUMBER, found)

    def _enhancement(self, tracks: NDArray[np.intp]) -> NDArray[np.int8]:
        rows = self.block.row[tracks]
        codes = self.block.timeline.measurements.code("zone_enhancement")
        found = codes.take(np.maximum(rows, 0)) if len(codes) else np.zeros(rows.shape, np.int8)
        return np.where(rows == NO_ROW, np.int8(ZoneEnhancement.BLANK), found)

    # --- the subject

    def count(self, *zones: Zone) -> NDArray[np.int64]:
        """Return the number of lesions that show something."""
        return SomeLesions(self.block, self.tracks, is_one_of(self.zones, zones)).count()

    @cached_property
    def worst(self) -> NDArray[np.int8]:
        """What the worst lesion shows, as `Zone`."""
        found = np.zeros(self.shape, np.int8)
        if len(self.tracks):
            series = self.block.series_of_track[self.tracks]
            starts = np.flatnonzero(np.diff(series, prepend=-1))
            found[series[starts]] = np.maximum.reduceat(self.zones, starts, axis=0)
        return found

    @cached_property
    def small_margin(self) -> Flags:
        """The margin of a treated lesion is below what is usual."""
        margin = self._number("ablation_margin_mm")
        small = (margin != NO_NUMBER) & (margin < self.options.ablation_margin_mm * THOUSAND)
        return SomeLesions(self.block, self.tracks, small & (self.since != NOT_TREATED)).by_series()

    @cached_property
    def early(self) -> Flags:
        """The scan is too early after a treatment to measure the zone anew."""
        soon = (self.since >= 0) & (self.since < self.options.ablation_baseline_days)
        return SomeLesions(self.block, self.tracks, soon).by_series()

    @cached_property
    def zone_without_treatment(self) -> Flags:
        """An ablation zone is described of a lesion that was not treated by then, as far as is known."""
        codes = self.block.lesion(
            self.block.timeline.measurements.code("zone_enhancement"), np.int8(ZoneEnhancement.BLANK)
        )
        described = (codes != ZoneEnhancement.BLANK) & (codes != ZoneEnhancement.NONE)
        described[self.tracks] &= self.since == NOT_TREATED
        return self.block.some(described)
