"""Criteria that sum something over the targets: how far a sum has shrunk or grown, and the rules that all of them ask.

A criterion says what a lesion adds to the sum (a `Burden`), and by which shares the sum must shrink or grow (a
`SumTest`). Non-target lesions, new lesions and the combination are those of RECIST 1.1, table 1, unless it has rules
of its own for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block, of_tracks
from response.cells import NO_NUMBER, NO_ROW, THOUSAND, thousandths_text
from response.criteria.burden import NO_SUM, Burden, Fact, LesionClass, Sums, facts_at
from response.criteria.criterion import PER_THOUSANDTH, Number
from response.criteria.criterion import State as CriterionState
from response.criteria.recist import NEW_LESION_RULES, NON_TARGET_RULES, OVERALL_RULES, RecistState, burden_beside
from response.criteria.rules import Flags, Question, Rule, RuleCodes, otherwise
from response.criteria.some_lesions import is_one_of, lesions_with, with_tracks
from response.criteria.sum_tests import SumTest
from response.readings import counting_length_um

FEW: Final = 16  # where at most every sixteenth lesion differs, those are looked at for themselves
Chosen = NDArray[np.intp] | slice  # some lesions of a block, counted from its start
ALL: Final = slice(None)
TARGETS: Final = (LesionClass.TARGET, LesionClass.TARGET_NODE)
NEW: Final = (LesionClass.NEW, LesionClass.NEW_NODE)
# Questions of RECIST 1.1 that criteria with a sum take over, and what decides them: facts, and options beside those.
_OF_RECIST: Final[Mapping[Question[Any], Fact]] = {
    Question("non_target", NON_TARGET_RULES): Fact.NON_TARGET_PROGRESSION
    | Fact.NON_TARGET_MISSING
    | Fact.NON_TARGET_PRESENT
    | Fact.NON_TARGET_UNPROVEN,
    Question("new_lesion", NEW_LESION_RULES): Fact.NEW_UNEQUIVOCAL | Fact.NEW_EQUIVOCAL | Fact.NEW_MISSING,
}
_ASKED_BY: Final = ("nt_partial_ne", "use_markers", "use_pet")


class SumState(RecistState):
    """What the rules of a criterion with a sum ask; arrays `[series, timepoint]`.

    Lengths are whole micrometres; areas, where a criterion sums those, whole square micrometres.
    """

    def __init__(
        self,
        burden: Burden,
        options: Any,
        questions: tuple[Question[Any], ...],
        test: SumTest,
        beside: Mapping[str, CriterionState] | None = None,
    ) -> None:
        """Ask about a burden; `beside` holds the states of the criteria assessed before."""
        super().__init__(burden, options, questions, test)
        self.standard = (beside or {}).get("recist-1.1")

    def taken_over(self, question: Question[Any]) -> RuleCodes | None:
        """Return the answer of RECIST 1.1 about non-targets or new lesions, where both see them alike."""
        standard = self.standard
        if not isinstance(standard, RecistState) or question not in _OF_RECIST:
            return None
        if any(getattr(self.options, key) != getattr(standard.options, key) for key in _ASKED_BY):
            return None
        other = (self.burden.facts ^ standard.burden.facts) & np.uint16(_OF_RECIST[question])
        return None if other.any() else standard.answers.get(question.name)

    @cached_property
    def proven(self) -> Flags:
        """The measured part alone has grown to progression: what is missing could only add to it."""
        return self.test.grown(self.burden.sum_um, self.reference)

    @cached_property
    def unmeasured(self) -> NDArray[np.int64]:
        """Number of targets that could not be measured as the criterion measures them."""
        return self.burden.unmeasured

    def thresholds(self, place: int) -> list[str]:
        """Return how far a timepoint of a single series is from PR and PD."""
        if self.no_targets[0, 0] or self.baseline_incomplete[0, 0]:
            return []
        found = [self._response_from(int(self.burden.baseline_um[0, 0]))]
        reference = int(self.reference[0, place])
        if reference < NO_SUM:
            found.append(f"{self._progression_from(reference)} (from {self.told(reference)})")
        return found

    def _response_from(self, baseline: int) -> str:
        most = self.test.largest_partial(baseline)
        return f"PR at {self.told(most)} or less" if self.test.partial_inclusive else f"PR below {self.told(most + 1)}"

    def _progression_from(self, reference: int) -> str:
        share, of = self.test.progressive
        least = self.test.smallest_progressive(reference)
        if not self.test.inclusive and least == share * reference // of + 1:
            return f"PD above {self.told(least - 1)}"
        return f"PD at {self.told(least)} or more"

    def told(self, amount: int) -> str:
        """Return a sum with its unit."""
        return f"{thousandths_text(amount // PER_THOUSANDTH.get(self.unit, 1))} {self.unit}"


class AreaState(SumState):
    """What the rules of a criterion that sums areas ask; areas are whole square micrometres."""

    unit: str = "mm2"


# --- Conditions of the rules about targets; a criterion names them in its table.


def no_targets(state: SumState) -> Flags:
    """No target was chosen at baseline."""
    return state.no_targets


def baseline_incomplete(state: SumState) -> Flags:
    """A target was not measured at baseline."""
    return state.baseline_incomplete


def all_gone(state: SumState) -> Flags:
    """All targets were assessed, and are gone."""
    return state.all_assessed & state.all_gone


def grown(state: SumState) -> Flags:
    """The complete sum has grown to progression."""
    return state.all_assessed & state.proven


def grown_in_part(state: SumState) -> Flags:
    """The measured part alone has grown to progression."""
    return state.proven


def missing(state: SumState) -> Flags:
    """A target could not be measured."""
    return ~state.all_assessed


def shrunk(state: SumState) -> Flags:
    """The sum has shrunk to a partial response."""
    return state.partial


def after_cr(state: RecistState) -> Flags:
    """Disease is there after an overall CR."""
    return state.had_cr & state.disease


ADJUDICATE_CR: Final = Rule(
    "adjudicate_cr", "", after_cr, "RECIST 1.1, table 3", "disease after CR: review whether CR was true"
)


def combined(
    target_rules: tuple[Rule[Any], ...], *more: Question[Any], overall: tuple[Rule[Any], ...] = OVERALL_RULES
) -> tuple[Question[Any], ...]:
    """Return the questions of a criterion with rules of its own for the targets: all else is as in RECIST 1.1, table 1.

    `more` are asked before the overall response, which does not ask for them.
    """
    own, others = Question("target", target_rules), Question("non_target", NON_TARGET_RULES)
    return own, others, Question("new_lesion", NEW_LESION_RULES), *more, Question("overall", overall)


# --- Numbers


def length_numbers(prefix: str) -> tuple[Number, ...]:
    """Return the numbers of a criterion that sums lengths; those that only it has begin with `prefix`."""
    sums = (Number("sum_mm", "mm"), Number("baseline_mm", "mm"), Number("nadir_mm", "mm"))
    return (*sums, Number(f"{prefix}_unmeasured", "count"))


def length_values(prefix: str, state: SumState) -> Mapping[str, NDArray[np.int64]]:
    """Return the numbers of `length_numbers` at each timepoint."""
    baseline = np.asarray(np.broadcast_to(state.burden.baseline_um, state.shape))
    sums = {"sum_mm": state.burden.sum_um, "baseline_mm": baseline, "nadir_mm": state.burden.nadir_um}
    return {**sums, f"{prefix}_unmeasured": state.unmeasured}


def area_numbers(prefix: str) -> tuple[Number, ...]:
    """Return the numbers of a criterion that sums areas; those that only it has begin with `prefix`."""
    sums = (Number("sum_mm2", "mm2"), Number("baseline_mm2", "mm2"), Number("nadir_mm2", "mm2"))
    return (*sums, Number(f"{prefix}_unmeasured", "count"))


def area_values(prefix: str, state: SumState) -> Mapping[str, NDArray[np.int64]]:
    """Return the numbers of `area_numbers` at each timepoint; rounded, for they are shown and decide nothing."""
    burden = state.burden
    sums = {"sum_mm2": burden.sum_um, "baseline_mm2": burden.baseline_um, "nadir_mm2": burden.nadir_um}
    rounded = {name: np.where(areas == NO_SUM, NO_SUM, rounded_area(areas)) for name, areas in sums.items()}
    shown = {name: np.asarray(np.broadcast_to(areas, state.shape)) for name, areas in rounded.items()}
    return {**shown, f"{prefix}_unmeasured": state.unmeasured}


def rounded_area(area_um2: Sums) -> Sums:
    """Return areas in whole square micrometres as thousandths of a square millimetre."""
    return (area_um2 + THOUSAND // 2) // THOUSAND


# --- Burdens


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Some lesions as a criterion measures them.

    Attributes
    ----------
    tracks
        Which lesions, counted from the start of the block; `ALL` of them, of which those that are no targets add 0.
    state
        `vocabulary.State` of each, `[lesion, timepoint]`.
    value
        What each adds to the sum, in its unit, `[lesion, timepoint]`; 0 where nothing.
    """

    tracks: Chosen
    state: NDArray[np.int8]
    value: NDArray[Any]


def burden_with(burden: Burden, *parts: Part, state: NDArray[np.int8] | None = None) -> Burden:
    """Return a burden of which some lesions are measured in another way; those in no part add what they did.

    Parameters
    ----------
    burden
        The lesions as another criterion sees them; its facts and sum are those of its own classes, states and values.
    parts
        Lesions that are measured in another way; a later part stands over an earlier one, and `ALL` come first.
    state
        States of all lesions, where those of others than the targets differ too, `[track, timepoint]`.
    """
    state, value = burden.state if state is None else state, burden.value_um
    for part in parts:
        state = with_tracks(state, part.tracks, part.state)
        value = with_tracks(value, part.tracks, part.value)
    same = value is burden.value_um
    if same and state is burden.state:
        return burden
    total = burden.sum_um if same else burden.block.reduce(np.add, value, dtype=np.int64)
    return replace(burden, state=state, value_um=value, facts=facts_with(burden, state), sum_um=total)


def facts_with(burden: Burden, state: NDArray[np.int8]) -> NDArray[np.uint16]:
    """Return the facts of every series; only those with a lesion in another state are asked again."""
    if state is burden.state:
        return burden.facts
    block, other = burden.block, np.asarray(state != burden.state)
    if not other.any():
        return burden.facts
    if np.count_nonzero(other) > state.size // FEW:
        return block.reduce(np.bitwise_or, facts_at(burden.classes, state))
    differs = np.asarray(block.some(other).any(axis=1))
    tracks = np.flatnonzero(differs[block.series_of_track])
    starts = np.flatnonzero(np.diff(block.series_of_track[tracks], prepend=-1))
    facts = burden.facts.copy()
    found = facts_at(burden.classes[tracks], of_tracks(state, tracks))
    facts[differs] = np.bitwise_or.reduceat(found, starts, axis=0)
    return facts


def targets_of(burden: Burden) -> Flags:
    """Return which lesions are targets, `[track, 1]`."""
    return is_one_of(burden.classes, TARGETS)[:, None]


def totals_of(
    block: Block, tracks: NDArray[np.intp], values: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the series that some lesions are of, `[some]`, and the sums of their values, `[some, timepoint]`."""
    series = block.series_of_track[tracks]
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    if not len(starts):
        return series, np.zeros((0, block.timepoints), np.int64)
    return series[starts], np.add.reduceat(values, starts, axis=0, dtype=np.int64)


def total_of(block: Block, tracks: NDArray[np.intp], values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the sums of values of some lesions, `[lesion, timepoint]` to `[series, timepoint]`; 0 in other series."""
    series, totals = totals_of(block, tracks, values)
    found = np.zeros(block.shape, np.int64)
    found[series] = totals
    return found


def total_of_few(block: Block, chosen: Flags, values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the sums of a value of chosen lesions, fast where few are chosen; `[series, timepoint]`.

    Flags are `[track, timepoint]`, values `[track, 1]`.
    """
    tracks = lesions_with(chosen)
    return total_of(block, tracks, values[tracks] * chosen[tracks])


def lesion_number(block: Block, name: str, tracks: Chosen = ALL) -> NDArray[np.int64]:
    """Return a number column, of all lesions or of some, as `[track, timepoint]`.

    Whole thousandths; `NO_NUMBER` where there is none.
    """
    return narrow_number(block, name, tracks).astype(np.int64)


def narrow_number(block: Block, name: str, tracks: Chosen = ALL) -> NDArray[Any]:
    """Return a number column as `lesion_number`, of the type that the table has it in: lengths of 32 bits.

    That of all lesions is read once for all criteria, and cannot be changed.
    """
    column = block.timeline.measurements.numbers.get(name, np.zeros(0, np.int32))
    if tracks is ALL:
        return block.once(f"number:{name}", lambda: block.lesion(column, NO_NUMBER))
    return block.lesion(column, NO_NUMBER, tracks)


def counting_lengths(block: Block, tracks: Chosen = ALL) -> NDArray[np.int64]:
    """Return the length that counts of each lesion, or of some: short axis of a node, longest diameter of any other.

    Whole micrometres, `NO_NUMBER` where none is recorded; `[track, timepoint]`.
    """
    row = block.row[tracks]
    nodal = np.broadcast_to(block.timeline.tracks.nodal[block.track_slice][tracks, None], row.shape)
    length = counting_length_um(block.timeline.measurements, nodal, np.maximum(row, 0))
    return np.where(row == NO_ROW, NO_NUMBER, length).astype(np.int64)


__all__ = [
    "ADJUDICATE_CR",
    "ALL",
    "NEW",
    "TARGETS",
    "AreaState",
    "Chosen",
    "Part",
    "SumState",
    "SumTest",
    "after_cr",
    "all_gone",
    "area_numbers",
    "area_values",
    "baseline_incomplete",
    "burden_beside",
    "burden_with",
    "combined",
    "counting_lengths",
    "grown",
    "grown_in_part",
    "length_numbers",
    "length_values",
    "lesion_number",
    "missing",
    "narrow_number",
    "no_targets",
    "otherwise",
    "rounded_area",
    "shrunk",
    "targets_of",
    "total_of",
    "total_of_few",
    "totals_of",
]
