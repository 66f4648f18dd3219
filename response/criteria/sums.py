"""Criteria that sum something over the targets: how far a sum has shrunk or grown, and the rules that all of them ask.

A criterion says what a lesion adds to the sum (a `Burden`), and by which shares the sum must shrink or grow (a
`SumTest`). Non-target lesions, new lesions and the combination are those of RECIST 1.1, table 1, unless it has rules
of its own for them.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER, THOUSAND, thousandths_text
from response.criteria.burden import NO_SUM, Burden, LesionClass, Sums, facts_at
from response.criteria.criterion import Number
from response.criteria.recist import RecistState, burden_beside
from response.criteria.rules import Flags, Question, Rule
from response.criteria.sum_tests import SumTest
from response.readings import counting_length_um
from response.timeline import NO_ROW, Block
from response.vocabulary import State

TARGETS: Final = (LesionClass.TARGET, LesionClass.TARGET_NODE)
NEW: Final = (LesionClass.NEW, LesionClass.NEW_NODE)


class SumState(RecistState):
    """What the rules of a criterion with a sum ask; arrays `[series, timepoint]`.

    Lengths are whole micrometres; areas, where a criterion sums those, whole square micrometres.
    """

    def __init__(self, burden: Burden, options: Any, questions: tuple[Question[Any], ...], test: SumTest) -> None:
        super().__init__(burden, options, questions, test)

    @cached_property
    def proven(self) -> Flags:
        """The measured part alone has grown to progression: what is missing could only add to it."""
        return self.test.grown(self.burden.sum_um, self.reference)

    @cached_property
    def unmeasured(self) -> NDArray[np.int64]:
        """Number of targets that could not be measured as the criterion measures them."""
        missing = np.isin(self.burden.state, (State.MISSING, State.NOT_EVALUABLE, State.NOT_SCHEDULED, State.PRESENT))
        return self.burden.count(missing & np.isin(self.burden.classes, TARGETS)[:, None])

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
        return f"{thousandths_text(amount)} mm"


class AreaState(SumState):
    """What the rules of a criterion that sums areas ask; areas are whole square micrometres."""

    def told(self, amount: int) -> str:
        """Return a sum with its unit."""
        return f"{thousandths_text(amount // THOUSAND)} mm2"


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


def otherwise(state: Any) -> Flags:
    """Where no rule before holds."""
    return np.ones(state.shape, np.bool_)


def after_cr(state: RecistState) -> Flags:
    """Disease is there after an overall CR."""
    return state.had_cr & state.disease


ADJUDICATE_CR: Final = Rule(
    "adjudicate_cr", "", after_cr, "RECIST 1.1, table 3", "disease after CR: review whether CR was true"
)


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
    baseline = np.asarray(np.broadcast_to(burden.baseline_um, state.shape))
    sums = {"sum_mm2": burden.sum_um, "baseline_mm2": baseline, "nadir_mm2": burden.nadir_um}
    shown = {name: np.where(areas == NO_SUM, NO_SUM, rounded_area(areas)) for name, areas in sums.items()}
    return {**shown, f"{prefix}_unmeasured": state.unmeasured}


def rounded_area(area_um2: Sums) -> Sums:
    """Return areas in whole square micrometres as thousandths of a square millimetre."""
    return (area_um2 + THOUSAND // 2) // THOUSAND


# --- Burdens


def burden_with(burden: Burden, state: NDArray[np.int8], value: NDArray[Any]) -> Burden:
    """Return a burden with other states of the lesions, and other contributions to the sum.

    Parameters
    ----------
    burden
        The lesions as RECIST 1.1 sees them.
    state
        `vocabulary.State`, `[track, timepoint]`.
    value
        What each target adds to the sum, `[track, timepoint]`; 0 where nothing.
    """
    block = burden.block
    counted = value * np.isin(burden.classes, TARGETS)[:, None]
    facts = block.reduce(np.bitwise_or, facts_at(burden.classes, state))
    total = block.reduce(np.add, counted, dtype=np.int64)
    return replace(burden, state=state, value_um=counted, facts=facts, sum_um=total)


def lesion_number(block: Block, name: str) -> NDArray[np.int64]:
    """Return a number column as `[track, timepoint]`, whole thousandths; `NO_NUMBER` where there is none."""
    return block.lesion(block.timeline.measurements.number(name), NO_NUMBER).astype(np.int64)


def counting_lengths(block: Block, tracks: NDArray[np.intp] | None = None) -> NDArray[np.int64]:
    """Return the length that counts of each lesion, or of some: short axis of a node, longest diameter of any other.

    Whole micrometres, `NO_NUMBER` where none is recorded; `[track, timepoint]`.
    """
    chosen = slice(None) if tracks is None else tracks
    row = block.row[chosen]
    nodal = np.broadcast_to(block.timeline.tracks.nodal[block.track_slice][chosen, None], row.shape)
    length = counting_length_um(block.timeline.measurements, nodal, np.maximum(row, 0))
    return np.where(row == NO_ROW, NO_NUMBER, length).astype(np.int64)


__all__ = [
    "ADJUDICATE_CR",
    "NEW",
    "TARGETS",
    "AreaState",
    "SumState",
    "SumTest",
    "after_cr",
    "all_gone",
    "area_numbers",
    "area_values",
    "baseline_incomplete",
    "burden_beside",
    "burden_with",
    "counting_lengths",
    "grown",
    "grown_in_part",
    "length_numbers",
    "length_values",
    "lesion_number",
    "missing",
    "no_targets",
    "otherwise",
    "rounded_area",
    "shrunk",
]
