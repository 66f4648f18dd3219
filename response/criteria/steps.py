"""Criteria that walk the timepoints: what is decided at one depends on what was decided at those before it.

A walk goes from timepoint to timepoint, all series of a block abreast. It is in a phase (what is known so far); its
rules are steps, which say in which phases they can hold and in which one the walk goes on. What the walk remembers
stands in arrays, as it was before each timepoint, so that the same conditions can be asked at one timepoint while it
walks, and at all of them afterwards (for flags, numbers and `explain`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from response.criteria.criterion import Criterion, State
from response.criteria.rules import Flags, Question, Rule, RuleCodes
from response.timeline import Block

STAYS: Final = -1
S = TypeVar("S", bound="WalkState")


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
        if not self.within:
            return self.holds(state)
        here = state.in_phase(*self.within)
        return here & self.holds(state) if state.comes_in_phase(*self.within) else here


class Memory:
    """What a walk remembers, by name: arrays `[series, timepoint + 1]`, as it is known before each timepoint."""

    def __init__(self, shape: tuple[int, int], first: Mapping[str, Any]) -> None:
        """Start with the same value for all series; its numpy type is that of the array."""
        # column by column in memory: a walk reads and writes whole columns
        self._arrays = {
            name: np.full((shape[0], shape[1] + 1), value, np.asarray(value).dtype, order="F")
            for name, value in first.items()
        }

    def before(self, name: str, part: slice) -> NDArray[Any]:
        """Return what was known before some timepoints."""
        count = self._arrays[name].shape[1] - 1
        return self._arrays[name][:, :count][:, part]

    def after(self, name: str, part: slice) -> NDArray[Any]:
        """Return what was known after some timepoints."""
        return self._arrays[name][:, 1:][:, part]

    def carry(self, place: int) -> None:
        """Know after a timepoint what was known before it."""
        for values in self._arrays.values():
            values[:, place + 1] = values[:, place]

    def carry_on(self, place: int) -> None:
        """Know after a timepoint, and after all that follow, what was known before it."""
        for values in self._arrays.values():
            values[:, place + 1 :] = values[:, place : place + 1]

    def set(self, place: int, name: str, values: Any, where: Flags | None = None) -> None:
        """Know something else after a timepoint; values and `where` have the shape `[series, 1]`."""
        column = self._arrays[name][:, place + 1 : place + 2]
        np.copyto(column, values, where=True if where is None else where, casting="same_kind")


class WalkState(State):
    """What the steps of a walk ask: of all timepoints of a block, or of one of them.

    Attributes
    ----------
    part
        The timepoints that are asked about.
    memory
        What the walk remembers; `phase` is among it.
    """

    def __init__(self, block: Block, questions: tuple[Question[Any], ...], memory: Memory, part: slice) -> None:
        super().__init__(block, questions)
        self.memory, self.part = memory, part
        self._phases: dict[tuple[int, ...], Flags] = {}
        self._comes: dict[tuple[int, ...], bool] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Shape `[series, timepoint]` of the part."""
        series, timepoints = self.block.shape
        return series, len(range(*self.part.indices(timepoints)))

    def known(self, name: str) -> NDArray[Any]:
        """Return what the walk knew before each timepoint."""
        return self.memory.before(name, self.part)

    def in_phase(self, *phases: int) -> Flags:
        """Return where the walk came to the timepoint in one of some phases."""
        if phases not in self._phases:
            phase = self.known("phase")
            found = phase == phases[0]
            for other in phases[1:]:
                found |= phase == other
            self._phases[phases] = found
        return self._phases[phases]

    def comes_in_phase(self, *phases: int) -> bool:
        """Return whether any series comes to any of the timepoints in one of some phases."""
        if phases not in self._comes:
            self._comes[phases] = bool(self.in_phase(*phases).any())
        return self._comes[phases]

    def moment(self, part: slice) -> "WalkState":
        """Return the state of one timepoint, for which the walk knows what was before; or of all that are left."""
        raise NotImplementedError

    def look(self, place: int) -> None:
        """Look at a timepoint in the light of what is known, before its state is made."""

    def answered(self, question: str) -> RuleCodes | None:  # noqa: ARG002
        """Return the answers to a question where they are known without asking, of all timepoints."""
        return None

    @property
    def ends_early(self) -> bool:
        """Whether nothing but the phase decides any more, once all series are in a phase that no step leaves."""
        return False

    def learn(self, moment: Any, place: int, used: Flags) -> None:
        """Put into the memory what follows from a timepoint; phases are there already.

        Parameters
        ----------
        moment
            The state of the timepoint, with its answers.
        place
            Which timepoint it is.
        used
            Shape `[series, 1]`; where it is scored and counts.
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
        The phases that no step leaves.
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
                state.answers[question.name] = np.asfortranarray(codes)
        _Walk(state, left, options, self.final).go()


class _Walk:
    """Goes from timepoint to timepoint, and asks the questions at each."""

    def __init__(
        self, state: WalkState, questions: Sequence[Question[Any]], options: Any, final: Sequence[int]
    ) -> None:
        self.state, self.questions = state, questions
        self.active = [question.active(options) for question in questions]
        steps: Sequence[Any] = questions[-1].rules
        self.then = np.asarray([step.then for step in steps], np.int8)
        self.counts = np.asarray([step.used for step in steps], np.bool_)
        self.final = final
        self.answers = {question.name: np.zeros(state.shape, np.int8, order="F") for question in questions}
        self.scored = np.asfortranarray(state.block.follow_up)

    def go(self) -> None:
        """Walk all timepoints; the rest at once, when no series can leave its phase any more."""
        for place in range(self.state.shape[1]):
            if self.state.ends_early and self._is_over(place):
                self.state.memory.carry_on(place)
                self._ask(self.state.moment(slice(place, None)), slice(place, None))
                break
            self._step(place)
        self.state.answers.update(self.answers)

    def _is_over(self, place: int) -> bool:
        phase = self.state.memory.before("phase", slice(place, place + 1))
        left = self.state.block.visit_counts[:, None] > place
        return bool((np.isin(phase, self.final) | ~left).all())

    def _step(self, place: int) -> None:
        state, part = self.state, slice(place, place + 1)
        here = self.scored[:, part]
        state.memory.carry(place)
        state.look(place)
        moment = state.moment(part)
        if not here.any():
            state.learn(moment, place, here)
            return
        taken = self._ask(moment, part)
        then = self.then[taken]
        state.memory.set(place, "phase", then, here & (then != STAYS))
        state.learn(moment, place, here & self.counts[taken])

    def _ask(self, moment: WalkState, part: slice) -> RuleCodes:
        for question, indices in zip(self.questions, self.active, strict=True):
            moment.answers[question.name] = question.answer_with(moment, indices)
            self.answers[question.name][:, part] = moment.answers[question.name]
        return moment.answers[self.questions[-1].name]
