"""What the rules of RANO 2.0 ask: sums of the followed tissue, corticosteroids, and progression after radiotherapy."""

from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_DATE, NO_ROW
from response.criteria.burden import Burden, LesionClass, facts_at
from response.criteria.neuro_status import NeuroStatus
from response.criteria.pet import uptake_burden
from response.criteria.products import product_burden
from response.criteria.rules import Flags, Question
from response.criteria.runs import days_since, run_starts
from response.criteria.some_lesions import is_one_of, lesions_with
from response.criteria.sums import (
    NEW,
    TARGETS,
    AreaState,
    SumTest,
    burden_beside,
)
from response.criteria.visit_values import at_baseline, at_places
from response.vocabulary import State as LesionState
from response.vocabulary import Tissue

PRODUCTS: Final = SumTest(partial=(1, 2), progressive=(5, 4))  # -50 %, +25 %, inclusive
VOLUMES: Final = SumTest(partial=(35, 100), progressive=(7, 5))  # -65 %, +40 %, inclusive
MINOR: Final = {"products": (3, 4), "volume": (3, 5)}  # -25 % of the products, -40 % of the volume
MEASURABLE_UM: Final = 10_000  # 10 mm in both diameters
DAYS_OF_WEEK: Final = 7
_BOTH: Final = ("longest_mm", "short_mm")
_UNEQUIVOCAL: Final = (LesionState.PRESENT, LesionState.UNEQUIVOCAL_PROGRESSION)  # a new lesion written to be there


class RanoState(AreaState):
    """What the rules ask of all series of a block; sums in whole square micrometres, or thousandths of a mm3."""

    def __init__(self, burden: Burden, options: Any, questions: tuple[Question[Any], ...]) -> None:
        by_volume = options.rano_measure == "volume"
        super().__init__(burden, options, questions, VOLUMES if by_volume else PRODUCTS)
        self.unit = "mm3" if by_volume else "mm2"

    @cached_property
    def status(self) -> NeuroStatus:
        """Corticosteroids and clinical status."""
        return NeuroStatus(self.block)

    @cached_property
    def minor(self) -> Flags:
        """The sum has shrunk to a minor response."""
        share, of = MINOR[self.options.rano_measure]
        return np.asarray(of * self.burden.sum_um <= share * self.burden.baseline_um)

    @cached_property
    def is_cr(self) -> Flags:
        """All is gone, measurable disease among it, and no corticosteroids are taken."""
        return super().is_cr & ~self.no_targets & self.status.without

    # --- progression soon after radiotherapy

    @cached_property
    def progresses(self) -> Flags:
        """The MRI shows progression."""
        by_mri = self.is_("new_lesion", "Yes") | self.is_("target", "PD") | self.is_("non_target", "PD") | self.returned
        return by_mri & self.block.follow_up

    @cached_property
    def days(self) -> NDArray[np.int32]:
        """Day of the first scan, `NO_DATE` where not known."""
        return self.block.cell_values(self.block.timeline.visits.first_scan, NO_DATE)

    @cached_property
    def radiotherapy_end(self) -> NDArray[np.int32]:
        """Last day of radiotherapy, `NO_DATE` where not recorded; `[series, 1]`."""
        subjects = self.block.timeline.measurements.subjects
        rows = self.block.timeline.series.subject_row[self.block.low : self.block.high, None]
        if subjects is None or not len(subjects):
            return np.full(rows.shape, NO_DATE, np.int32)
        days = subjects.date("radiotherapy_end").days.take(np.maximum(rows, 0))
        return np.where(rows == NO_ROW, NO_DATE, days).astype(np.int32)

    @cached_property
    def early(self) -> Flags:
        """The scan is within twelve weeks after radiotherapy."""
        weeks = self.options.rano_radiotherapy_weeks
        if not weeks or (self.radiotherapy_end == NO_DATE).all():
            return np.zeros(self.shape, np.bool_)
        known = (self.radiotherapy_end != NO_DATE) & (self.days != NO_DATE)
        since = self.days - self.radiotherapy_end
        return np.asarray(known & (since >= 0) & (since <= DAYS_OF_WEEK * weeks))

    @cached_property
    def began(self) -> NDArray[np.intp]:
        """Place of the first progression of the run that a timepoint belongs to, `NOWHERE` before any."""
        ended = self.all_assessed & ~self.progresses & self.block.follow_up
        return run_starts(self.progresses, ended)

    @cached_property
    def after_early(self) -> Flags:
        """The progression began within twelve weeks after radiotherapy, at an earlier scan."""
        if not (self.progresses & self.early).any():
            return np.zeros(self.shape, np.bool_)
        then = at_places(self.early, self.began)
        return np.asarray(self.progresses & then & (self.began < np.arange(self.shape[1])))

    @cached_property
    def confirmed(self) -> Flags:
        """It still is one, four weeks later or more."""
        if not self.after_early.any():
            return self.after_early
        days = days_since(self.block, self.began)
        return np.asarray(self.after_early & (days >= self.options.rano_confirm_days))

    @cached_property
    def open(self) -> Flags:
        """Progression on MRI within twelve weeks after radiotherapy that no later scan has confirmed."""
        return self.progresses & self.early & ~self.confirmed

    @cached_property
    def open_deterioration(self) -> Flags:
        """Clinical deterioration alone within twelve weeks after radiotherapy."""
        return self.status.deteriorated & self.early & ~self.progresses

    @cached_property
    def dated_from(self) -> NDArray[np.intp] | None:
        """Timepoint at which a progression began that was confirmed later; its own for any other."""
        if not self.after_early.any() and self.options.backdate_pd == "date_only":
            return None
        own = np.broadcast_to(np.arange(self.shape[1]), self.shape)
        return np.where(self.after_early, self.began, own)

    # --- targets at baseline

    @cached_property
    def targets_at_baseline(self) -> NDArray[np.intp]:
        """Targets that have a row at baseline, counted from the start of the block."""
        there = self.block.tracks(self.block.timeline.tracks.at_baseline)
        return np.flatnonzero(is_one_of(self.burden.classes, TARGETS) & there)

    @cached_property
    def below_measurable(self) -> NDArray[np.intp]:
        """Those of them that are below 10 mm in a diameter."""
        rows = self.block.baseline_row[self.targets_at_baseline]
        small = np.zeros(len(rows), np.bool_)
        for name in _BOTH:
            length = self.block.timeline.measurements.numbers_of(name, rows)
            small |= (length > 0) & (length < MEASURABLE_UM)
        return self.targets_at_baseline[small]

    @cached_property
    def baseline_too_early(self) -> Flags:
        """The baseline is before the end of radiotherapy, `[series, 1]`."""
        first, end = at_baseline(self.block, self.days), self.radiotherapy_end
        return np.asarray((end != NO_DATE) & (first != NO_DATE) & (first < end))


def rano_burden(block: Block, options: Any, beside: Any) -> Burden:
    """Return the targets of the tissue that is followed, by product or volume, and new lesions from 10 x 10 mm."""
    by_volume = options.rano_measure == "volume"
    read = uptake_burden(block, "volume_mm3") if by_volume else product_burden(burden_beside(block, options, beside))
    return only_lesions(read, of_tissue(block, read.classes, options), _new_states(read))


def only_lesions(burden: Burden, kept: Flags, state: NDArray[np.int8]) -> Burden:
    """Return a burden of some of the lesions, `[track]`, with other states, `[track, timepoint]`.

    Only the series that differ in a lesion are added up again.
    """
    if kept.all() and state is burden.state:
        return burden
    block = burden.block
    differs = np.zeros(block.series_count, np.bool_)
    differs[block.series_of_track[~kept]] = True
    differs[block.series_of_track[lesions_with(state != burden.state)]] = True
    tracks = np.flatnonzero(kept & differs[block.series_of_track])
    series, value = block.series_of_track[tracks], burden.value_um.copy()
    value[~kept & is_one_of(burden.classes, TARGETS)] = 0  # no other lesion adds anything
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    facts, total = burden.facts.copy(), burden.sum_um.copy()
    facts[differs], total[differs] = 0, 0
    if len(starts):
        facts[series[starts]] = np.bitwise_or.reduceat(facts_at(burden.classes[tracks], state[tracks]), starts, axis=0)
        total[series[starts]] = np.add.reduceat(value[tracks], starts, axis=0, dtype=np.int64)
    classes = np.where(kept, burden.classes, LesionClass.UNCOUNTED).astype(np.uint8)
    return replace(burden, classes=classes, state=state, value_um=value, facts=facts, sum_um=total)


def of_tissue(block: Block, classes: NDArray[np.uint8], options: Any) -> Flags:
    """Return the lesions but for targets of the other tissue, by what was measured at baseline; `[track]`."""
    measurements = block.timeline.measurements
    if "tissue" not in measurements.codes:
        return np.ones(len(classes), np.bool_)
    tissue = block.at_baseline(measurements.code("tissue"), Tissue.BLANK)
    other = Tissue.NON_ENHANCING if options.rano_tissue == "enhancing" else Tissue.ENHANCING
    return np.asarray((tissue != other) | ~is_one_of(classes, TARGETS))


def _new_states(burden: Burden) -> NDArray[np.int8]:
    """Return the states with new lesions below 10 x 10 mm doubtful, unless they are written to be there."""
    block = burden.block
    tracks = np.flatnonzero(is_one_of(burden.classes, NEW))
    rows, measurements = block.row[tracks], block.timeline.measurements
    small = np.zeros(rows.shape, np.bool_)
    for name in _BOTH:
        length = measurements.numbers_of(name, rows)
        small |= (length > 0) & (length < MEASURABLE_UM)
    written = measurements.code("state")[rows]
    there = (burden.state[tracks] == LesionState.PRESENT) & (rows != NO_ROW)
    doubtful = there & (small | (written == LesionState.TOO_SMALL)) & ~is_one_of(written, _UNEQUIVOCAL)
    if not doubtful.any():
        return burden.state
    state = burden.state.copy()
    state[tracks] = np.where(doubtful, np.int8(LesionState.EQUIVOCAL), state[tracks])
    return state
