"""The injected and the non-injected lesions of intratumoral therapy: two groups, compared with themselves before.

A lesion belongs to the injected ones from its first injection on, or from baseline where it was chosen for it. As
lesions change over, a group is compared at each timepoint with the same lesions before: with their sum at baseline, and
with its smallest complete value since.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.burden import NO_SUM, Fact, Sums, facts_at, running, running_before
from response.criteria.rules import Flags
from response.criteria.some_lesions import SomeLesions, is_one_of, lesions_of_series, lesions_with
from response.criteria.sums import (
    TARGETS,
    SumState,
    SumTest,
    targets_of,
)
from response.criteria.visit_values import at_places
from response.vocabulary import YesNo

_LOST: Final = 2**40  # what a target that was not assessed adds to a total: more than all lengths together
_SUM: Final = _LOST - 1  # the bits of a total that are the sum of the targets that were assessed


@dataclass(frozen=True, eq=False)
class Injected:
    """The lesions of a block that are ever injected, or were chosen for it at baseline; arrays `[lesion]`.

    Attributes
    ----------
    block
        The block.
    tracks
        The lesions, counted from the start of the block.
    first
        Place of the first timepoint at which each is injected.
    """

    block: Block
    tracks: NDArray[np.intp]
    first: NDArray[np.intp]

    def only(self, chosen: NDArray[Any]) -> "Injected":
        """Return some of them, by flags or by where they stand."""
        return Injected(self.block, self.tracks[chosen], self.first[chosen])

    @cached_property
    def series(self) -> NDArray[np.int32]:
        """Series of each."""
        return self.block.series_of_track[self.tracks]

    @property
    def since(self) -> SomeLesions:
        """The timepoints from the first injection of each on."""
        return SomeLesions(self.block, self.tracks, np.arange(self.block.timepoints) >= self.first[:, None])

    @property
    def begun(self) -> NDArray[np.int64]:
        """Number of lesions that are injected for the first time, `[series, timepoint]`."""
        cells = self.series.astype(np.intp) * self.block.timepoints + self.first
        return np.bincount(cells, minlength=self.block.series_count * self.block.timepoints).reshape(self.block.shape)


def injected_lesions(block: Block) -> Injected:
    """Return the lesions that are ever injected, or were chosen for it at baseline."""
    measured = block.timeline.measurements
    if "injected" not in measured.codes:
        return Injected(block, np.zeros(0, np.intp), np.zeros(0, np.intp))
    injected = is_one_of(block.lesion(measured.code("injected"), YesNo.BLANK), (YesNo.YES,))
    tracks = lesions_with(injected)
    return Injected(block, tracks, injected.take(tracks, axis=0).argmax(axis=1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """The injected, or the non-injected, lesions of each timepoint; arrays `[series, timepoint]`.

    Attributes
    ----------
    targets
        Number of targets of the group.
    sum_um
        Their sum now, whole micrometres.
    grown, shrunk
        Whether it has grown to progression, or shrunk to a response, over what the same lesions were before.
    facts
        Union of the facts of its lesions.
    """

    targets: NDArray[np.int64]
    sum_um: Sums
    grown: Flags
    shrunk: Flags
    facts: NDArray[np.uint16]

    @property
    def complete(self) -> Flags:
        """Whether all of its targets were assessed."""
        return np.asarray(self.facts & np.uint16(Fact.TARGET_MISSING) == 0)

    @property
    def gone(self) -> Flags:
        """Whether none of its targets is left."""
        return np.asarray(self.facts & np.uint16(Fact.TARGET_DISEASE) == 0)

    @property
    def progression(self) -> Flags:
        """Whether a non-target of the group progresses unequivocally."""
        return np.asarray(self.facts & np.uint16(Fact.NON_TARGET_PROGRESSION) != 0)


def groups_of(state: SumState, injected: Injected) -> tuple[Group, Group]:
    """Return the injected and the non-injected lesions of each timepoint; new ones belong to neither."""
    burden, block = state.burden, state.block
    number, none = lesions_of_series(block, targets_of(burden)[:, 0]), np.zeros(block.shape, np.int64)
    nobody = Group(targets=none, sum_um=none, grown=none > 0, shrunk=none > 0, facts=none.astype(np.uint16))
    everybody = Group(
        targets=np.broadcast_to(number, block.shape), sum_um=burden.sum_um,
        grown=state.proven, shrunk=state.partial, facts=burden.facts,
    )  # fmt: skip
    return _divided(state, injected, nobody, everybody) if len(injected.tracks) else (nobody, everybody)


def _divided(state: SumState, injected: Injected, nobody: Group, everybody: Group) -> tuple[Group, Group]:
    """Return both groups: the injected lesions are nobody, and the others everybody, until a target is injected."""
    burden, facts = state.burden, facts_at(state.burden.classes, state.burden.state)
    lost = facts & np.uint16(Fact.TARGET_MISSING) != 0
    targets = injected.only(is_one_of(burden.classes[injected.tracks], TARGETS))
    spans, number = _spans_of(targets), running(np.add, targets.begun)
    own = spans.totals(burden.value_um, lost)
    every = (burden.sum_um + burden.count(lost) * _LOST).take(spans.series, axis=0)
    now = injected.since.by_lesion()
    own_facts, other_facts = (state.block.reduce(np.bitwise_or, facts * of) for of in (now, ~now))
    return (
        _with_spans(state.test, spans, own, replace(nobody, targets=number, facts=own_facts)),
        _with_spans(
            state.test, spans, every - own, replace(everybody, targets=everybody.targets - number, facts=other_facts)
        ),
    )


@dataclass(frozen=True, eq=False)
class _Spans:
    """The timepoints of a series from one first injection of a target to the next: the same targets are injected.

    A cell is a timepoint of a series, counted through all series of the block.

    Attributes
    ----------
    targets
        The targets that are ever injected, by series and first injection.
    last
        Where the last of the targets that are injected stands among them, `[span]`.
    start, stop
        The cells that belong to each span are those from `start` to below `stop`, `[span]`.
    """

    targets: Injected
    last: NDArray[np.intp]
    start: NDArray[np.intp]
    stop: NDArray[np.intp]

    @cached_property
    def series(self) -> NDArray[np.int32]:
        """Series of each span, `[span]`."""
        return self.targets.series[self.last]

    def totals(self, value_um: NDArray[Any], lost: Flags) -> Sums:
        """Return the sums of the injected targets of each span at every timepoint, and `_LOST` for each not assessed.

        `[span, timepoint]`, of values and flags `[track, timepoint]`.
        """
        tracks = self.targets.tracks
        amounts = value_um.take(tracks, axis=0) + lost.take(tracks, axis=0) * _LOST
        up_to = np.zeros((len(tracks) + 1, amounts.shape[1]), np.int64)
        np.cumsum(amounts, axis=0, out=up_to[1:])
        before = np.searchsorted(self.targets.series, self.series)  # the targets of earlier series
        return up_to.take(self.last + 1, axis=0) - up_to.take(before, axis=0)

    @cached_property
    def of_cell(self) -> NDArray[np.intp]:
        """Which span each of the cells belongs to, `[cell]`."""
        return np.repeat(np.arange(len(self.last)), self.stop - self.start)

    @cached_property
    def cells(self) -> NDArray[np.intp]:
        """The cells of all spans, `[cell]`."""
        length = self.stop - self.start
        return np.arange(len(self.of_cell)) + (self.start - np.cumsum(length) + length).take(self.of_cell)

    @cached_property
    def _own(self) -> NDArray[np.intp]:
        """Where each of the cells stands in an array `[span, timepoint]`, counted through; `[cell]`."""
        timepoints = self.targets.block.timepoints
        return self.cells + (np.arange(len(self.series)) - self.series).take(self.of_cell) * timepoints

    def now(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the spans in their own cells, `[span, timepoint]` to `[cell]`."""
        return values.reshape(-1).take(self._own)

    def put(self, found: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
        """Return values of all series, `[series, timepoint]`, with others in the cells of the spans."""
        found = found.copy()
        found.reshape(-1)[self.cells] = values
        return found


def _spans_of(targets: Injected) -> _Spans:
    """Return the spans of a block."""
    timepoints = targets.block.timepoints
    begun = targets.series.astype(np.intp) * timepoints + targets.first
    order = np.argsort(begun, kind="stable")
    targets, begun = targets.only(order), begun[order]
    last = np.flatnonzero(np.diff(begun, append=-1))
    start, end_of_series = begun[last], (targets.series[last].astype(np.intp) + 1) * timepoints
    return _Spans(targets, last, start, np.minimum(np.append(start[1:], end_of_series[-1:]), end_of_series))


def _with_spans(test: SumTest, spans: _Spans, totals: Sums, group: Group) -> Group:
    """Return a group with its sums in the cells of the spans, of the totals of its targets, `[span, timepoint]`."""
    block, series = spans.targets.block, spans.series
    known = totals.copy()  # one with a target that was not assessed is never the smallest
    np.copyto(known, NO_SUM, where=~block.is_scored.take(series, axis=0))
    now = spans.now(totals) & _SUM
    baseline = (at_places(totals, block.baseline.take(series, axis=0)) & _SUM)[:, 0].take(spans.of_cell)
    reference = baseline if test.from_baseline else spans.now(running_before(np.minimum, known, NO_SUM))
    return replace(
        group,
        sum_um=spans.put(group.sum_um, now),
        grown=spans.put(group.grown, test.grown(now, reference)),
        shrunk=spans.put(group.shrunk, test.responded(now, baseline)),
    )
