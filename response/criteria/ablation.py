"""Locally ablated lesions: what the ablation zone shows, lesion by lesion, and the worst of them.

Source: Ahmed et al., Radiology 2014;273:241-260, doi:10.1148/radiol.14132958 (terms); follow-up of ablation, ECIO-ESOI,
Insights Imaging 2020;11:83 (signs, table 3). Confirmed in public sources: no enhancement is complete ablation, and
nodular or irregular enhancement in or at the zone is tumour: residual while no scan has shown complete ablation, local
progression afterwards; a thin rim is inflammation in the first months; growth of the zone is a sign of progression
(ECIO-ESOI, table 3; reviews of follow-up after radiofrequency ablation). Not found, and so our choice: growth by 20 %
and 5 mm, four weeks until the zone is measured anew, three months for the rim, and the worst lesion for the subject.

A lesion takes part from its `local_therapy` on, with `ablation_zone_mm` and `zone_enhancement` (none, thin_rim or
nodular) of each scan; a second treatment starts anew. RECIST 1.1 holds a lesion treated on study for not evaluable, and
goes on to do so beside this.

Scope: thermal ablation of liver, kidney and lung tumours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, NO_NUMBER, THOUSAND
from response.criteria.burden import NO_SUM, LesionClass
from response.criteria.criterion import Criterion, Number, State
from response.criteria.recist import RecistState
from response.criteria.rules import Flags, Question, Rule
from response.criteria.sums import SumTest, lesion_number, otherwise
from response.protocol import Options, option
from response.timeline import Block
from response.vocabulary import ZoneEnhancement

ZONE_TEST: Final = SumTest(partial=(0, 1), progressive=(6, 5), least=5_000)  # +20 % and 5 mm over the smallest zone


@dataclass(frozen=True, kw_only=True)
class AblationOptions(Options):
    """Every point that the assessment of ablated lesions leaves open, with the default and why."""

    ablation_baseline_days: int = option(
        28, "days after treatment from which the zone is measured anew (4 to 8 weeks; our choice)", minimum=0
    )
    ablation_rim_days: int = option(
        90, "days after treatment up to which a thin rim is benign (3 months; our choice)", minimum=0
    )
    ablation_margin_mm: int = option(5, "smallest margin that gets no note, in mm (5 to 10 mm is usual)", minimum=0)


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
    """What the rules ask of all series of a block; arrays `[series, timepoint]`."""

    def __init__(self, recist: RecistState, options: AblationOptions) -> None:
        super().__init__(recist.block, ABLATION_QUESTIONS)
        self.recist, self.options = recist, options

    @cached_property
    def since(self) -> NDArray[np.int64]:
        """Days since the last treatment of each lesion, -1 where it was not treated; `[track, timepoint]`."""
        days = self.block.per_track(self.block.cell_values(self.block.timeline.visits.first_scan, NO_DATE))
        known = (self._therapy != NO_DATE) & (days != NO_DATE) & (self._therapy <= days)
        counted = (self.recist.burden.classes != LesionClass.UNCOUNTED)[:, None]
        return np.where(known & counted, days.astype(np.int64) - self._therapy, -1)

    @cached_property
    def _therapy(self) -> NDArray[np.int32]:
        column = self.block.timeline.measurements.date("local_therapy").days
        return np.asarray(np.maximum.accumulate(self.block.lesion(column, NO_DATE), axis=1))

    @cached_property
    def zones(self) -> NDArray[np.int8]:
        """What each lesion shows, as `Zone`; `[track, timepoint]`."""
        zone = lesion_number(self.block, "ablation_zone_mm")
        seen = self.block.lesion(self.block.timeline.measurements.code("zone_enhancement"), ZoneEnhancement.BLANK)
        found = np.zeros(zone.shape, np.int8)
        was_complete, smallest = np.zeros(len(zone), np.bool_), np.full(len(zone), NO_SUM)
        for place in range(zone.shape[1]):
            if place:
                again = self._therapy[:, place] != self._therapy[:, place - 1]
                was_complete &= ~again
                smallest[again] = NO_SUM
            size, days = zone[:, place], self.since[:, place]
            found[:, place] = self._judged(seen[:, place], size, days, was_complete, smallest)
            was_complete |= found[:, place] == Zone.COMPLETE
            measured = (size != NO_NUMBER) & (days >= self.options.ablation_baseline_days)
            smallest = np.where(measured, np.minimum(smallest, size), smallest)
        return found

    def _judged(
        self,
        seen: NDArray[np.int8],
        size: NDArray[np.int64],
        days: NDArray[np.int64],
        was_complete: Flags,
        smallest: NDArray[np.int64],
    ) -> NDArray[np.int8]:
        """Return what lesions show at one timepoint, as `Zone`; all arrays `[track]`."""
        nodular, rim = seen == ZoneEnhancement.NODULAR, seen == ZoneEnhancement.THIN_RIM
        early = days <= self.options.ablation_rim_days
        answers = (
            (Zone.UNTREATED, days < 0),
            (Zone.PROGRESSED, nodular & was_complete),
            (Zone.RESIDUAL, nodular),
            (Zone.GROWN, ZONE_TEST.grown(size, smallest) & (smallest != NO_SUM)),
            (Zone.COMPLETE, (seen == ZoneEnhancement.NONE) | (rim & early)),
            (Zone.EQUIVOCAL, rim),
        )
        return np.select([holds for _, holds in answers], [int(zone) for zone, _ in answers], Zone.UNKNOWN).astype(
            np.int8
        )

    def count(self, *zones: Zone) -> NDArray[np.int64]:
        """Return the number of lesions that show something."""
        return self.block.reduce(np.add, np.isin(self.zones, zones), dtype=np.int64)

    @cached_property
    def worst(self) -> NDArray[np.int8]:
        """What the worst lesion shows, as `Zone`."""
        return self.block.reduce(np.maximum, self.zones)

    @cached_property
    def small_margin(self) -> Flags:
        """The margin of a treated lesion is below what is usual."""
        margin = lesion_number(self.block, "ablation_margin_mm")
        small = (margin != NO_NUMBER) & (margin < self.options.ablation_margin_mm * THOUSAND) & (self.since >= 0)
        return self.block.reduce(np.logical_or, small, np.bool_)


def _shows(zone: Zone) -> Any:
    return lambda state: state.worst == zone


ABLATION_RULES: Final = (
    Rule("untreated", "NA", _shows(Zone.UNTREATED), "2014", "no lesion was treated locally before this scan"),
    Rule("local_progression", "local progression", _shows(Zone.PROGRESSED), "2014, local tumour progression",
         "nodular enhancement after complete ablation in {progression} of {treated} treated lesions"),
    Rule("zone_growth", "local progression", _shows(Zone.GROWN), "our choice, not confirmed",
         "the ablation zone of a treated lesion has grown by 20 % and 5 mm since it was measured anew"),
    Rule("residual", "residual tumour", _shows(Zone.RESIDUAL), "2014, residual unablated tumour",
         "nodular enhancement in {residual} of {treated} treated lesions, and no scan has shown complete ablation"),
    Rule("missing", "NE", _shows(Zone.UNKNOWN), "our choice", "the enhancement of a treated lesion was not assessed"),
    Rule("late_rim", "equivocal", _shows(Zone.EQUIVOCAL), "our choice, not confirmed",
         "a thin rim still enhances after the first months"),
    Rule("complete", "complete ablation", otherwise, "2014, complete ablation",
         "no enhancement, or an early thin rim alone, in {complete} of {treated} treated lesions"),
)  # fmt: skip
ABLATION_QUESTIONS: Final = (Question("overall", ABLATION_RULES),)


def _small_margin(state: AblationState) -> Flags:
    return state.small_margin


def _early(state: AblationState) -> Flags:
    soon = (state.since >= 0) & (state.since < state.options.ablation_baseline_days)
    return state.block.reduce(np.logical_or, soon, np.bool_)


ABLATION_FLAGS: Final = (
    Rule("small_margin", "", _small_margin, "2014", "a margin below what is usual"),
    Rule("early_scan", "", _early, "our choice", "a scan too early after treatment to measure the zone anew"),
)  # fmt: skip


@dataclass(frozen=True)
class Ablation(Criterion):
    """The assessment of ablated lesions as a criterion of the engine."""

    name: str = "ablation"
    title: str = "Ablation zone"
    source: str = "Ahmed et al., Radiology 2014;273:241-260"
    options: type[AblationOptions] = AblationOptions
    questions: tuple[Question[Any], ...] = ABLATION_QUESTIONS
    flags: tuple[Rule[Any], ...] = ABLATION_FLAGS
    numbers: tuple[Number, ...] = (
        Number("ablation_treated", "count"),
        Number("ablation_complete", "count"),
        Number("ablation_residual", "count"),
        Number("ablation_progression", "count"),
    )
    needs: str = "zone_enhancement"
    best_order: tuple[str, ...] = ("complete ablation", "equivocal", "residual tumour", "local progression", "NE", "NA")

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> AblationState:  # noqa: ARG002
        """Return what the rules ask; RECIST 1.1 beside it knows the lesions."""
        recist = beside["recist-1.1"]
        assert isinstance(recist, RecistState)
        return AblationState(recist, options)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the number of treated lesions of each kind."""
        return {
            "ablation_treated": state.count(*(zone for zone in Zone if zone != Zone.UNTREATED)),
            "ablation_complete": state.count(Zone.COMPLETE),
            "ablation_residual": state.count(Zone.RESIDUAL),
            "ablation_progression": state.count(Zone.PROGRESSED, Zone.GROWN),
        }


ABLATION: Final = Ablation()
__all__ = ["ABLATION", "Ablation", "AblationOptions", "AblationState", "Zone"]
