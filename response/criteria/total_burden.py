"""Total tumour burden: the sum of the targets and of the new lesions that can be measured, and its progression.

New lesions are no progression by themselves here: those that can be measured join the sum from the timepoint at which
they can, and stay in it. A progression of the sum is unconfirmed until a later assessment, so many days after, shows
it again; an assessment in between that shows none takes it back, one that could not be evaluated does not.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import Burden, Fact, facts_at, running
from response.criteria.recist import CombinationOptions
from response.criteria.rules import Flags, Question, Rule
from response.criteria.runs import days_passed, run_starts
from response.criteria.some_lesions import SomeLesions, is_one_of
from response.criteria.sum_tests import SumTest
from response.criteria.sums import (
    NEW,
    AreaState,
    SumState,
    total_of,
)
from response.keys import rank_among
from response.protocol import option
from response.vocabulary import State, organ_of

_SKIN: Final = frozenset(("skin", "cutaneous", "subcutaneous"))
_NOT_SEEN: Final = (State.MISSING, State.NOT_EVALUABLE, State.NOT_SCHEDULED)


@dataclass(frozen=True, kw_only=True)
class TotalBurdenOptions(CombinationOptions):
    """What criteria with a total burden leave open about confirmation, and about subjects without a target."""

    pd_confirmation: bool = option(
        True, "whether a progression has to be confirmed by a consecutive assessment", choices=(True, False)
    )
    pd_confirm_days: int = option(28, "days from which such an assessment confirms (4 weeks), inclusive", minimum=0)
    confirmation: bool = option(
        True, "whether the confirmed best response is the headline; both are always computed", choices=(True, False)
    )
    post_cr_disease: str = option(
        "as_is_warn", "disease after CR is judged by the total burden; the best response leaves it so",
        choices=("as_is_warn",),
    )  # fmt: skip
    non_target_only: str = option(
        "judged",
        "subjects with non-targets alone, for whom no source has a rule: CR, Non-CR/Non-PD, and PD by measured new "
        "lesions, or NE throughout",
        choices=("judged", "ne"),
    )


@dataclass(frozen=True, kw_only=True)
class NewLimits:
    """How many new lesions are measured: of one organ, in all, and of the skin where those are counted apart."""

    of_organ: int
    most: int
    of_skin: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class NewMeasured:
    """The new lesions of a block, those that are measured and the others; arrays `[new lesion, timepoint]`.

    Attributes
    ----------
    tracks
        The new lesions, counted from the start of the block; `[new lesion]`.
    value
        What the lesion adds, in the unit of the sum; 0 where nothing.
    unknown
        Whether it is part of the sum, but what it adds is not known.
    others
        Whether it is an unequivocal new lesion that is not part of the sum.
    """

    tracks: NDArray[np.intp]
    value: NDArray[np.int64]
    unknown: Flags
    others: Flags


# What lesions would add (`NO_NUMBER` where it is not known), and whether their size makes them measurable.
SizeOf = Callable[[Block, NDArray[np.intp]], tuple[NDArray[np.int64], Flags]]


def new_measured(burden: Burden, size_of: SizeOf, limits: NewLimits) -> NewMeasured:
    """Return the new lesions that are measured, the first ones first and then the largest.

    Parameters
    ----------
    burden
        The lesions as RECIST 1.1 sees them.
    size_of
        What lesions add, and whether they are measurable.
    limits
        How many are measured.
    """
    tracks = np.flatnonzero(is_one_of(burden.classes, NEW))
    state, (size, measurable) = burden.state[tracks], size_of(burden.block, tracks)
    there = facts_at(burden.classes[tracks], state) & np.uint16(Fact.NEW_UNEQUIVOCAL) != 0
    joins = running(np.logical_or, there & measurable)
    joins &= _within(burden.block, tracks, joins, size, limits)[:, None]
    seen = there | (is_one_of(state, (State.EQUIVOCAL, State.BORDERLINE_NODE)) & joins)
    known = size != NO_NUMBER
    return NewMeasured(
        tracks=tracks,
        value=np.where(joins & seen & known, size, 0),
        unknown=joins & ((seen & ~known) | is_one_of(state, _NOT_SEEN)),
        others=there & ~joins,
    )


def _within(block: Block, lesions: NDArray[np.intp], joins: Flags, size: NDArray[np.int64], limits: NewLimits) -> Flags:
    """Return which new lesions are within the limits, `[new lesion]`."""
    joining = np.flatnonzero(joins.any(axis=1))
    chosen = np.zeros(len(joins), np.bool_)
    if not len(joining):
        return chosen
    first, tracks = joins[joining].argmax(axis=1), lesions[joining]
    series = block.series_of_track[tracks].astype(np.int64)
    organ, skin = _organs(block, tracks, first)
    order = np.lexsort((tracks, -size[joining, first], first, series))
    kept = order[rank_among((series * (int(organ.max()) + 1) + organ)[order]) < limits.of_organ]
    apart = skin & (limits.of_skin is not None)
    most = np.where(apart[kept], limits.of_skin or 0, limits.most)
    kept = kept[rank_among((2 * series + apart)[kept]) < most]
    chosen[joining[kept]] = True
    return chosen


def _organs(block: Block, tracks: NDArray[np.intp], first: NDArray[np.intp]) -> tuple[NDArray[np.int64], Flags]:
    """Return a number for the organ of each lesion, and whether that is the skin."""
    column = block.timeline.measurements.text_column("organ")
    codes, place = np.unique(column.codes[np.maximum(block.row[tracks, first], 0)], return_inverse=True)
    names = [organ_of(column.values[code]) for code in codes.tolist()]
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    skin = np.asarray([name in _SKIN for name in names], np.bool_)
    return np.asarray([numbers[name] for name in names], np.int64)[place], skin[place]


class TotalState(SumState):
    """What the rules of a criterion with a total burden ask; arrays `[series, timepoint]`."""

    def __init__(
        self, burden: Burden, new: NewMeasured, options: Any, questions: tuple[Question[Any], ...], test: SumTest
    ) -> None:
        """Add the new lesions that are measured to the sum of the targets."""
        self.new = new
        if len(new.tracks):
            facts = burden.facts | np.where(self._some(burden.block, new.unknown), np.uint16(Fact.TARGET_MISSING), 0)
            facts |= np.where(self._some(burden.block, new.value > 0), np.uint16(Fact.TARGET_DISEASE), 0)
            total = burden.sum_um + total_of(burden.block, new.tracks, new.value)
            burden = replace(burden, facts=facts.astype(np.uint16), sum_um=total)
        super().__init__(burden, options, questions, test)

    def _some(self, block: Block, flags: Flags) -> Flags:
        return SomeLesions(block, self.new.tracks, flags).by_series()

    @cached_property
    def unmeasured(self) -> NDArray[np.int64]:
        """Number of targets and measured new lesions that could not be measured."""
        return super().unmeasured + total_of(self.block, self.new.tracks, self.new.unknown)

    @cached_property
    def other_new(self) -> Flags:
        """A new lesion that is not measured is there, or stands in the visit table."""
        listed = self.new_unequivocal & ~self.burden.has(Fact.NEW_UNEQUIVOCAL)
        return np.asarray(self._some(self.block, self.new.others) | listed)

    @cached_property
    def non_target_progression(self) -> Flags:
        """A non-target progresses unequivocally."""
        return self.burden.has(Fact.NON_TARGET_PROGRESSION)

    @cached_property
    def only_gone(self) -> Flags:
        """Nothing is left of what is measured, of the non-targets and of new lesions, and all were looked for."""
        left = Fact.NON_TARGET_PRESENT | Fact.NON_TARGET_MISSING | Fact.NON_TARGET_UNPROVEN
        searched = ~self.new_not_evaluable if self.options.new_ne_blocks_cr else np.ones(self.shape, np.bool_)
        return self.all_assessed & self.all_gone & ~self.burden.has(left) & ~self.other_new & searched

    # --- subjects without a target

    @cached_property
    def unjudged(self) -> Flags:
        """Neither a target nor, where those are judged alone, a non-target was recorded at baseline."""
        return self.no_targets if self.options.non_target_only == "ne" else self.no_disease_at_baseline

    @cached_property
    def non_targets_only(self) -> Flags:
        """Non-targets were recorded at baseline, but no target; and they are judged alone."""
        return self.no_targets & ~self.unjudged

    @cached_property
    def non_targets_left(self) -> Flags:
        """Non-targets alone, of which some are left, or a new lesion is there; and all non-targets were assessed."""
        known = self.burden.has(Fact.NON_TARGET_PRESENT | Fact.NON_TARGET_UNPROVEN)
        known &= ~self.burden.has(Fact.NON_TARGET_MISSING)
        return self.non_targets_only & (known | self.non_target_progression | self.other_new)

    # --- progression and its confirmation

    @cached_property
    def progresses(self) -> Flags:
        """The sum, or the measured part alone, has grown to progression."""
        scored = self.block.follow_up & ~self.unjudged & ~self.baseline_incomplete
        return np.asarray((self.proven | self.other_progression) & scored)

    @property
    def other_progression(self) -> Flags:
        """Progression that is not of the sum."""
        return np.zeros(self.shape, np.bool_)

    @cached_property
    def began(self) -> NDArray[np.intp]:
        """Place of the first progression of the run that a timepoint belongs to, `NOWHERE` before any."""
        taken_back = self.all_assessed & ~self.progresses & self.block.follow_up
        return run_starts(self.progresses, taken_back)

    @cached_property
    def confirmed(self) -> Flags:
        """The progression began so many days before, and nothing took it back."""
        later = self.began < np.arange(self.shape[1])
        waited = days_passed(self.block, self.began, self.options.pd_confirm_days)
        return np.asarray(self.progresses & later & waited)

    @property
    def dated_from(self) -> NDArray[np.intp] | None:
        """Timepoint at which the progression began; its own where none has to be confirmed."""
        return self.began if self.options.pd_confirmation else None

    @property
    def grown(self) -> Flags:
        """Growth of what is measured."""
        return self.progresses & self.proven


class TotalAreaState(TotalState, AreaState):
    """The same for areas, whole square micrometres."""


# --- Conditions of the rules


def confirmed(state: TotalState) -> Flags:
    """Progression, for the second time."""
    return state.confirmed


def progresses(state: TotalState) -> Flags:
    """Progression."""
    return state.progresses


def unjudged(state: TotalState) -> Flags:
    """There is nothing to judge by."""
    return state.unjudged


def non_targets_only(state: TotalState) -> Flags:
    """There are non-targets alone."""
    return state.non_targets_only


def non_targets_left(state: TotalState) -> Flags:
    """There are non-targets alone, and something is left."""
    return state.non_targets_left


def non_target_progression(state: TotalState) -> Flags:
    """A non-target progresses unequivocally."""
    return state.non_target_progression


def other_new(state: TotalState) -> Flags:
    """A new lesion is there that is not measured."""
    return state.other_new


def only_gone(state: TotalState) -> Flags:
    """All disease is gone."""
    return state.only_gone


def measured_gone(state: TotalState) -> Flags:
    """Nothing is left of what is measured."""
    return state.all_assessed & state.all_gone


def needs_confirmation(options: Any) -> bool:
    """Whether a progression has to be confirmed."""
    return bool(options.pd_confirmation)


def without_confirmation(options: Any) -> bool:
    """Whether a progression stands by itself."""
    return not options.pd_confirmation


NON_TARGET_ONLY: Final = Rule(
    "non_target_only",
    "",
    non_targets_only,
    "our choice",
    "no target: judged by non-targets and by new lesions that are measured, for which no source has a rule",
)
