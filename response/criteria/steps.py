"""Criteria that walk the timepoints: what is decided at one depends on what was decided at those before it.

A walk goes from timepoint to timepoint, all series of a block abreast. It is in a phase (what is known so far); its
rules are steps, which say in which phases they can hold and in which one the walk goes on. What the walk remembers
stands in arrays, as it was before each timepoint, so that the same conditions can be asked at one timepoint while it
walks, and at all of them afterwards (for flags, numbers and `explain`).

1. The state says what the answers are as long as nothing has happened, and at which timepoint something does
   (`WalkState.beginning`).
2. At each timepoint the series that have come to theirs, and have not left, are asked (a `moment`): the steps of the
   phases that some of them are in, and of these the first that holds.
3. They learn from it: the next phase, and what else the criterion remembers (`WalkState.learn`).
   (It makes no difference to walk a series to which nothing has happened yet.)
4. A series in a phase that no step leaves is left as it is; one to which nothing has happened, as far as is
   remembered, has the answers of the beginning again, until something does (`WalkState.resting`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.criterion import Criterion, State
from response.criteria.rules import Flags, Question, Rule, RuleCodes

STAYS: Final = -1
MOST: Final = 1.5  # where one in so many series is walked it is cheaper to walk them all than to gather some
S = TypeVar("S", bound="WalkState")
Rows = NDArray[np.intp] | None  # some series of a block; None: all


@dataclass(frozen=True)
class Step(Rule[S]):
    """A rule of a walk.

    Attributes
    ----------
    within
        The phases in which it can hold; empty: all.
    then
        The phase in which the walk goes on; `STAYS`: the same.
    used
        Whether the assessment counts in what later ones are compared with.
    """

    within: tuple[int, ...] = ()
    then: int = STAYS
    used: bool = True

    def holding(self, state: S) -> Flags:
        """Return where the walk is in one of the phases, and the step holds."""
        holds = self.holds(state)
        return state.in_phase(*self.within) & holds if self.within and not state.in_one_phase else holds


def of_part(values: NDArray[Any], part: slice, rows: Rows) -> NDArray[Any]:
    """Return the values of some timepoints of some series, of values `[series, timepoint]` or `[series, 1]`."""
    found = values if values.shape[1] == 1 else values[:, part]
    return found if rows is None else np.asarray(found.take(rows, axis=0))


class Memory:
    """What a walk remembers, by name: arrays `[series, timepoint + 1]`, as it is known before each timepoint."""

    def __init__(self, shape: tuple[int, int], first: Mapping[str, Any]) -> None:
        """Start with the same value for all series; its numpy type is that of the array."""
        kinds: dict[np.dtype[Any], list[str]] = {}
        for name, value in first.items():
            kinds.setdefault(np.asarray(value).dtype, []).append(name)
        # those of a type stand together, timepoint by timepoint, so that a walk copies few and whole pieces
        self.groups = [np.empty((len(names), shape[1] + 1, shape[0]), kind) for kind, names in kinds.items()]
        self.place = {name: (at, i) for at, names in enumerate(kinds.values()) for i, name in enumerate(names)}
        for name, value in first.items():
            self._of(name)[:] = value

    def _of(self, name: str) -> NDArray[Any]:
        group, place = self.place[name]
        return np.asarray(self.groups[group][place])

    def start(self, name: str, values: NDArray[Any]) -> None:
        """Know something before each timepoint from the start, `[series, timepoint]`."""
        self._of(name)[:-1] = values.T

    def before(self, name: str, part: slice) -> NDArray[Any]:
        """Return what was known before some timepoints."""
        return self._of(name)[:-1][part].T

    def after(self, name: str, part: slice) -> NDArray[Any]:
        """Return what was known after some timepoints."""
        return self._of(name)[1:][part].T

    def stay(self, place: int, rows: NDArray[np.intp]) -> None:
        """Know of some series, after all timepoints that follow, what is known after one."""
        for group in self.groups:
            group[:, place + 2 :, rows] = group[:, place + 1, rows][:, None]


class Recall:
    """What is remembered of some series when they come to a timepoint, and what after it; each `[series, 1]`."""

    def __init__(self, memory: Memory, place: int, rows: Rows) -> None:
        self._memory, self._at, self._rows = memory, place, rows
        columns = [group[:, place] for group in memory.groups]
        self._before = columns if rows is None else [column.take(rows, axis=1) for column in columns]
        self._after = [column.copy() for column in self._before]

    def known(self, name: str) -> NDArray[Any]:
        """Return what is known when they come."""
        group, place = self._memory.place[name]
        return np.asarray(self._before[group][place][:, None])

    def afterwards(self, name: str) -> NDArray[Any]:
        """Return what is known afterwards."""
        group, place = self._memory.place[name]
        return np.asarray(self._after[group][place][:, None])

    def set(self, name: str, values: Any, where: Flags | None = None) -> None:
        """Know something else afterwards; values and `where` have the shape `[series, 1]`."""
        np.copyto(self.afterwards(name), values, where=True if where is None else where, casting="same_kind")

    def keep(self) -> None:
        """Put what is known afterwards into the memory."""
        for group, values in zip(self._memory.groups, self._after, strict=True):
            if self._rows is None:
                group[:, self._at + 1] = values
            else:
                group[:, self._at + 1, self._rows] = values


class WalkState(State):
    """What the steps of a walk ask: of all timepoints of a block, or of some series at one of them.

    Attributes
    ----------
    part, rows
        The timepoints, and the series, that are asked about.
    memory
        What the walk remembers; `phase` is among it.
    recall
        What of it concerns these series at this timepoint, while the walk is there.
    """

    def __init__(
        self,
        block: Block,
        questions: tuple[Question[Any], ...],
        memory: Memory,
        part: slice = slice(None),
        rows: Rows = None,
    ) -> None:
        super().__init__(block, questions)
        self.memory, self.part, self.rows = memory, part, rows
        self.recall: Recall | None = None
        self.in_one_phase = False  # all series come in the same phase, and only its steps are asked
        self._phases: dict[tuple[int, ...], Flags] = {}
        self._known: dict[str, NDArray[Any]] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Shape `[series, timepoint]` of the part."""
        series, timepoints = self.block.shape
        return series if self.rows is None else len(self.rows), len(range(*self.part.indices(timepoints)))

    def known(self, name: str) -> NDArray[Any]:
        """Return what the walk knew before each timepoint."""
        if self.recall is not None:
            return self.recall.known(name)
        if name not in self._known:  # after the walk whole arrays are asked for, series by series
            self._known[name] = np.ascontiguousarray(self.memory.before(name, self.part))
        return self._known[name]

    def in_phase(self, *phases: int) -> Flags:
        """Return where the walk came to the timepoint in one of some phases."""
        if phases not in self._phases:
            phase = self.known("phase")
            self._phases[phases] = np.logical_or.reduce([phase == one for one in phases])
        return self._phases[phases]

    def beginning(self) -> tuple[Mapping[str, RuleCodes], NDArray[np.intp]]:
        """Return the answers where nothing has happened yet, and the place from which each series must be walked.

        The answers to the questions that are walked, by name, `[series, timepoint]`; the places `[series]`, the number
        of timepoints where a series needs no walk.
        """
        raise NotImplementedError

    def answered(self, question: str) -> RuleCodes | None:  # noqa: ARG002
        """Return the answers to a question where they are known without asking, of all timepoints."""
        return None

    @property
    def idle(self) -> frozenset[str]:
        """Names of steps that hold nowhere in the block, whatever is remembered: they need not be asked."""
        return frozenset()

    @property
    def may_rest(self) -> bool:
        """Whether series may be left where they are: in a phase that no step leaves, or as `resting` says."""
        return False

    def resting(self, place: int, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:  # noqa: ARG002
        """Return which of some series have, after a timepoint, the answers of the beginning again, and until where."""
        nothing = np.zeros(0, np.intp)
        return nothing, nothing

    def look(self, place: int) -> None:
        """Look at a timepoint in the light of what is known, before series are asked there."""

    def moment(self, place: int, rows: Rows) -> "WalkState":
        """Return the state of some series at one timepoint, for which the walk knows what was before."""
        raise NotImplementedError

    def learn(self, place: int, used: Flags) -> None:
        """Recall afterwards what follows from the timepoint, of which this is the state; the phase is there already.

        Parameters
        ----------
        place
            Which timepoint it is.
        used
            Shape `[series, 1]`; where it counts.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class WalkingCriterion(Criterion):
    """Base of a criterion that walks the timepoints.

    Attributes
    ----------
    walked
        The questions whose answers depend on the timepoints before, in order; the last one has the steps. The others
        are asked of all timepoints at once, and first; so are those that the state can answer without a walk.
    final
        The phases that no step leaves, each with a single step.
    """

    walked: tuple[str, ...] = ("overall",)
    final: tuple[int, ...] = ()

    def answer(self, state: Any, options: Any) -> None:
        """Ask the questions, those that are walked timepoint by timepoint."""
        left = []
        for question in self.questions:
            known = state.answered(question.name)
            if known is None and question.name in self.walked:
                left.append(question)
            else:
                codes = question.answer(state, options) if known is None else known
                state.answers[question.name] = codes
        _Walk(state, left, options, self.final).go()


class _Walk:
    """Goes from timepoint to timepoint, and asks the questions at each."""

    def __init__(
        self, state: WalkState, questions: Sequence[Question[Any]], options: Any, final: Sequence[int]
    ) -> None:
        self.state, self.questions, self.final = state, questions, final
        self.active = [question.active(options) for question in questions]
        self.steps: Sequence[Step[Any]] = [step for step in questions[-1].rules if isinstance(step, Step)]
        self.then = np.asarray([step.then for step in self.steps], np.int8)
        self.counts = np.asarray([step.used for step in self.steps], np.bool_)
        self._of_phases: dict[tuple[int, ...], list[int]] = {}
        idle = state.idle
        self.asked = [index for index in self.active[-1] if self.steps[index].name not in idle]

    def go(self) -> None:
        """Walk all timepoints."""
        state = self.state
        codes, first = state.beginning()
        self.answers = {name: np.array(found, np.int8) for name, found in codes.items()}
        self.next = first.copy()  # the place to which each series comes next
        self.told = np.ones(len(first), np.bool_)  # its answer there stands already: that of the beginning
        end = state.shape[1]
        place = int(self.next.min(initial=end))
        while place < end:
            here = self.next == place
            most = MOST * np.count_nonzero(here) >= len(here) and bool(state.block.follow_up[:, place].all())
            self._step(place, None if most else np.flatnonzero(here))
            place = int(self.next.min())
        state.answers.update(self.answers)

    def _step(self, place: int, rows: Rows) -> None:
        state = self.state
        state.look(place)
        moment = state.moment(place, rows)
        moment.recall = recall = Recall(state.memory, place, rows)
        taken = self._ask(moment, place)
        then = self.then[taken]
        recall.set("phase", then, then != STAYS)
        moment.learn(place, self.counts[taken])
        recall.keep()
        here = np.flatnonzero(self.next == place)
        self.told[here] = False
        self.next[here] = np.where(state.block.visit_counts[here] > place + 1, place + 1, state.shape[1])
        if state.may_rest:
            self._rest(place, here)

    def _ask(self, moment: WalkState, place: int) -> RuleCodes:
        rows = slice(None) if moment.rows is None else moment.rows
        told = self.told[rows]
        some, every = bool(told.any()), bool(told.all())
        asked = [] if every else [*self.active[:-1], self._within(moment, ~told)]
        for question, active in zip(self.questions, asked or self.active, strict=True):
            answers = self.answers[question.name]
            codes = answers[rows, place][:, None]
            if not every:
                found = question.answer_with(moment, active)
                codes = np.where(told[:, None], codes, found) if some else found
                answers[rows, place] = codes[:, 0]
            moment.answers[question.name] = codes
        return codes

    def _within(self, moment: WalkState, asked: Flags) -> list[int]:
        """Return the steps that can hold in the phases that the series are in that are asked."""
        phases = tuple(np.flatnonzero(np.bincount(moment.known("phase")[asked, 0])).tolist())
        moment.in_one_phase = len(phases) == 1
        if phases not in self._of_phases:
            within = [step.within or phases for step in self.steps]
            self._of_phases[phases] = [index for index in self.asked if not set(phases).isdisjoint(within[index])]
        return self._of_phases[phases]

    def _rest(self, place: int, here: NDArray[np.intp]) -> None:
        """Leave the series to which nothing happens for a while, or nothing any more."""
        state, end = self.state, self.state.shape[1]
        phase = state.memory.after("phase", slice(place, place + 1))[here, 0]
        for final in self.final:
            rows = here[phase == final]
            if len(rows):
                state.memory.stay(place, rows)
                self.next[rows], self.told[rows] = end, True
                step = next(index for index in self.active[-1] if final in self.steps[index].within)
                self.answers[self.questions[-1].name][rows, place + 1 :] = step
        rows, until = state.resting(place, here)
        if len(rows):
            state.memory.stay(place, rows)
            self.next[rows], self.told[rows] = until, True
