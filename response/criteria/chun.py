"""Chun CT morphologic criteria: groups of liver metastases on portal venous CT, against baseline.

Source: Chun et al., JAMA 2009;302:2338-2344, table 1; two-level form: Shindoh et al., J Clin Oncol 2012;30:4566-4572.
Developed for colorectal liver metastases under chemotherapy with bevacizumab. Progression is no category of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import LesionClass, before, running
from response.criteria.criterion import Criterion, Number, State
from response.criteria.recist import RecistState
from response.criteria.rules import Flags, Question, Rule, chosen, otherwise
from response.criteria.some_lesions import SomeLesions, is_one_of
from response.criteria.sums import (
    total_of,
)
from response.protocol import Options, option
from response.readings import counting_length_um
from response.vocabulary import LocalTreatment, organ_of
from response.vocabulary import State as LesionState

SMALLEST_LESION_UM: Final = 10_000  # metastases of at least 10 mm take part
NOT_ASSESSABLE, NONE, INCOMPLETE, OPTIMAL = -1, 0, 1, 2
_TAKE_PART: Final = (LesionClass.TARGET, LesionClass.NON_TARGET)

# Response of one metastasis, by group at the reference (row) and now (column); index 0 is "no group".
LESION_RESPONSE: Final = np.asarray(
    [
        # none            group 1         group 2         group 3
        [NOT_ASSESSABLE, NOT_ASSESSABLE, NOT_ASSESSABLE, NOT_ASSESSABLE],
        [NOT_ASSESSABLE, NOT_ASSESSABLE, NONE, NONE],  # 1 -> 1 is not defined: an option
        [NOT_ASSESSABLE, OPTIMAL, NONE, NONE],
        [NOT_ASSESSABLE, OPTIMAL, INCOMPLETE, NONE],
    ],
    np.int8,
)  # fmt: skip
TWO_LEVELS: Final[Mapping[str, str]] = {"optimal": "optimal", "incomplete": "suboptimal", "none": "suboptimal"}


@dataclass(frozen=True, kw_only=True)
class ChunOptions(Options):
    """Every point that the morphologic criteria leave open, with the default and why."""

    chun_baseline_group1: str = option(
        "not_assessable",
        "group 1 at baseline and now: leaves the vote, no response, or optimal",
        choices=("not_assessable", "none", "optimal_maintained"),
    )
    chun_aggregation: str = option(
        "median",
        "several metastases: lower median (the majority where there is one), strict majority, largest, worst, all",
        choices=("median", "majority", "largest_lesion", "worst", "all"),
    )
    chun_lesions: str = option(
        "liver_10mm",
        "which metastases: all of the liver of at least 10 mm, or the RECIST targets of the liver",
        choices=("liver_10mm", "recist_targets"),
    )
    chun_reference: str = option("baseline", "compared with baseline or the assessment before",
                                 choices=("baseline", "previous"))  # fmt: skip
    chun_pd_override: str = option(
        "flag_only", "PD by RECIST 1.1: a flag, or no response", choices=("flag_only", "none_if_pd")
    )


class ChunState(State):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`."""

    def __init__(self, recist: RecistState, options: ChunOptions) -> None:
        super().__init__(recist.block, CHUN_QUESTIONS)
        self.recist, self.burden, self.options = recist, recist.burden, options

    @cached_property
    def metastases(self) -> NDArray[np.intp]:
        """The lesions that take part, counted from the start of the block."""
        block, tracks, measured = self.block, self.block.timeline.tracks, self.block.timeline.measurements
        parts = (LesionClass.TARGET,) if self.options.chun_lesions == "recist_targets" else _TAKE_PART
        chosen = np.flatnonzero(is_one_of(self.burden.classes, parts) & tracks.at_baseline[block.track_slice])
        row = block.baseline_row[chosen]
        organ = measured.text_column("organ")
        liver = np.asarray([not text or organ_of(text) == "liver" for text in organ.values], np.bool_)
        longest = self._longest(row)
        large = (longest == NO_NUMBER) | (longest >= SMALLEST_LESION_UM)
        treated = is_one_of(measured.code("previously_treated").take(row), (LocalTreatment.YES,))
        return np.asarray(chosen[liver.take(organ.codes.take(row)) & large & ~treated])

    def _longest(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        return counting_length_um(self.block.timeline.measurements, np.zeros(len(rows), np.bool_), rows)

    # --- of each metastasis, `[metastasis, timepoint]`

    @cached_property
    def groups(self) -> NDArray[np.int8]:
        """Its group, 0 where none is recorded."""
        column = self.block.timeline.measurements.text_column("morphology")
        lut = np.asarray([int(text) if text in ("1", "2", "3") else 0 for text in column.values], np.int8)
        if not lut.any():
            return np.zeros((len(self.metastases), self.block.timepoints), np.int8)
        blank = next((code for code, text in enumerate(column.values) if not text), len(lut))
        found = np.append(lut, np.int8(0)).take(self.block.lesion(column.codes, blank, self.metastases))
        return found * ~is_one_of(self._states, (LesionState.NOT_EVALUABLE,))

    @cached_property
    def _states(self) -> NDArray[np.int8]:
        return self.burden.state[self.metastases]

    @cached_property
    def reference(self) -> NDArray[np.int8]:
        """The group that it is compared with, 0 where there is none."""
        series, groups = self.block.series_of_track[self.metastases], self.groups
        if self.options.chun_reference == "previous":
            known = np.where(self.block.is_scored[series], groups, 0)
            place = running(np.maximum, np.where(known > 0, np.arange(groups.shape[1]), 0))
            return before(np.take_along_axis(known, place, axis=1), 0)
        place = np.maximum(self.block.baseline[series], 0).astype(np.intp)
        return np.asarray(np.broadcast_to(np.take_along_axis(groups, place, axis=1), groups.shape))

    @cached_property
    def gone(self) -> Flags:
        """Whether it had a group at the reference, and is no longer visible."""
        return (self.reference > 0) & is_one_of(self._states, (LesionState.ABSENT, LesionState.NORMAL_NODE))

    @cached_property
    def lesion_response(self) -> NDArray[np.int8]:
        """Its response."""
        answers = LESION_RESPONSE.ravel().take(self.reference * len(LESION_RESPONSE) + self.groups)
        if self.options.chun_baseline_group1 != "not_assessable":
            kept = OPTIMAL if self.options.chun_baseline_group1 == "optimal_maintained" else NONE
            answers[(self.reference == 1) & (self.groups == 1)] = kept
        answers[self.gone] = OPTIMAL
        return answers

    # --- of each series, `[series, timepoint]`

    def count(self, chosen: Flags) -> NDArray[np.int64]:
        """Return the number of metastases that are chosen."""
        return total_of(self.block, self.metastases, chosen)

    def some(self, chosen: Flags) -> Flags:
        """Return where a metastasis is chosen."""
        return SomeLesions(self.block, self.metastases, chosen).by_series()

    @cached_property
    def optimal(self) -> NDArray[np.int64]:
        """Number of metastases with optimal response."""
        return self.count(self.lesion_response == OPTIMAL)

    @cached_property
    def incomplete(self) -> NDArray[np.int64]:
        """Number of metastases with incomplete response."""
        return self.count(self.lesion_response == INCOMPLETE)

    @cached_property
    def none(self) -> NDArray[np.int64]:
        """Number of metastases without response."""
        return self.count(self.lesion_response == NONE)

    @cached_property
    def assessable(self) -> NDArray[np.int64]:
        """Number of metastases that vote."""
        return self.optimal + self.incomplete + self.none

    @cached_property
    def not_assessed(self) -> NDArray[np.int64]:
        """Number of metastases with a group at the reference that do not vote."""
        return self.count((self.reference > 0) & (self.lesion_response == NOT_ASSESSABLE))

    @cached_property
    def largest(self) -> NDArray[np.int8]:
        """Response of the assessable metastasis that was largest at baseline."""
        size = self._longest(self.block.baseline_row[self.metastases]).astype(np.int64)[:, None]
        key = np.full(self.block.row.shape, -1, np.int64)
        votes = self.lesion_response != NOT_ASSESSABLE
        key[self.metastases] = np.where(votes, (size.clip(0) << 2) + self.lesion_response, -1)
        best = self.block.reduce(np.maximum, key, dtype=np.int64, empty=-1)
        return np.where(best < 0, NOT_ASSESSABLE, best & 3).astype(np.int8)


def _not_assessable(state: ChunState) -> Flags:
    return np.asarray(state.assessable == 0)


def _overridden(state: ChunState) -> Flags:
    return state.recist.is_("overall", "PD")


# Median: the lower middle of the sorted votes. At least half of them at or below a category decide for it.


def _median_none(state: ChunState) -> Flags:
    return 2 * state.none >= state.assessable


def _median_incomplete(state: ChunState) -> Flags:
    return 2 * (state.none + state.incomplete) >= state.assessable


def _majority_none(state: ChunState) -> Flags:
    return 2 * state.none > state.assessable


def _majority_incomplete(state: ChunState) -> Flags:
    return 2 * state.incomplete > state.assessable


def _majority_optimal(state: ChunState) -> Flags:
    return 2 * state.optimal > state.assessable


def _largest_is(answer: int) -> Callable[[ChunState], Flags]:
    return lambda state: state.largest == answer


def _worst_none(state: ChunState) -> Flags:
    return state.none > 0


def _worst_incomplete(state: ChunState) -> Flags:
    return state.incomplete > 0


def _all_none(state: ChunState) -> Flags:
    return np.asarray(state.none == state.assessable)


def _all_incomplete(state: ChunState) -> Flags:
    return np.asarray(state.incomplete == state.assessable)


def _all_optimal(state: ChunState) -> Flags:
    return np.asarray(state.optimal == state.assessable)


def _undecided(options: Any) -> bool:
    return options.chun_aggregation in ("majority", "all", "largest_lesion")


def _decided(options: Any) -> bool:
    return not _undecided(options)


def _overrides(options: Any) -> bool:
    return bool(options.chun_pd_override == "none_if_pd")


_VOTES: Final = "{optimal} optimal, {incomplete} incomplete and {none} without response of {assessable} metastases"
CHUN_RULES: Final = (
    Rule("not_assessable", "NE", _not_assessable, "table 1", "no metastasis has a group now and one to compare with"),
    Rule("recist_pd", "none", _overridden, "section 3.3", "progression by RECIST 1.1", _overrides),
    Rule("none", "none", _median_none, "table 1", _VOTES, chosen("chun_aggregation", "median")),
    Rule("incomplete", "incomplete", _median_incomplete, "table 1", _VOTES, chosen("chun_aggregation", "median")),
    Rule("majority_none", "none", _majority_none, "table 1", _VOTES, chosen("chun_aggregation", "majority")),
    Rule("majority_incomplete", "incomplete", _majority_incomplete, "table 1", _VOTES,
         chosen("chun_aggregation", "majority")),
    Rule("majority_optimal", "optimal", _majority_optimal, "table 1", _VOTES, chosen("chun_aggregation", "majority")),
    Rule("largest_none", "none", _largest_is(NONE), "table 1", "no response of the largest metastasis",
         chosen("chun_aggregation", "largest_lesion")),
    Rule("largest_incomplete", "incomplete", _largest_is(INCOMPLETE), "table 1",
         "incomplete response of the largest metastasis", chosen("chun_aggregation", "largest_lesion")),
    Rule("largest_optimal", "optimal", _largest_is(OPTIMAL), "table 1", "optimal response of the largest metastasis",
         chosen("chun_aggregation", "largest_lesion")),
    Rule("worst_none", "none", _worst_none, "table 1", _VOTES, chosen("chun_aggregation", "worst")),
    Rule("worst_incomplete", "incomplete", _worst_incomplete, "table 1", _VOTES, chosen("chun_aggregation", "worst")),
    Rule("all_none", "none", _all_none, "table 1", _VOTES, chosen("chun_aggregation", "all")),
    Rule("all_incomplete", "incomplete", _all_incomplete, "table 1", _VOTES, chosen("chun_aggregation", "all")),
    Rule("all_optimal", "optimal", _all_optimal, "table 1", _VOTES, chosen("chun_aggregation", "all")),
    Rule("undecided", "NE", otherwise, "table 1", _VOTES + ", which decide nothing", _undecided),
    Rule("optimal", "optimal", otherwise, "table 1", _VOTES, _decided),
)  # fmt: skip
CHUN_QUESTIONS: Final = (Question("overall", CHUN_RULES),)


def _worsened(state: ChunState) -> Flags:
    return state.some((state.reference > 0) & (state.groups > state.reference))


def _disappeared(state: ChunState) -> Flags:
    return state.some(state.gone)


def _tie(state: ChunState) -> Flags:
    most = np.maximum(np.maximum(state.optimal, state.incomplete), state.none)
    return (state.assessable > 0) & (2 * most <= state.assessable)


def _left_out(state: ChunState) -> Flags:
    return state.not_assessed > 0


CHUN_FLAGS: Final = (
    Rule("morphologic_worsening", "", _worsened, "table 1", "a metastasis moved to a higher group"),
    Rule("metastasis_disappeared", "", _disappeared, "",
         "a metastasis is no longer visible (complete radiological response is not pathological CR)"),
    Rule("no_majority", "", _tie, "table 1", "no category has the majority of the metastases"),
    Rule("metastases_not_assessed", "", _left_out, "", "some metastases could not take part in the vote"),
    Rule("recist_pd", "", _overridden, "", "progression by RECIST 1.1, which Chun has no category for"),
)  # fmt: skip


@dataclass(frozen=True)
class Chun(Criterion):
    """Chun as a criterion of the engine."""

    name: str = "chun"
    title: str = "Chun"
    source: str = "Chun et al., JAMA 2009;302:2338-2344"
    options: type[ChunOptions] = ChunOptions
    questions: tuple[Question[Any], ...] = CHUN_QUESTIONS
    flags: tuple[Rule[Any], ...] = CHUN_FLAGS
    numbers: tuple[Number, ...] = (
        Number("chun_optimal", "count"),
        Number("chun_incomplete", "count"),
        Number("chun_none", "count"),
        Number("chun_not_assessed", "count"),
    )
    needs: str = "morphology"
    best_order: tuple[str, ...] = ("optimal", "incomplete", "none", "NE")
    levels: Mapping[str, str] | None = None
    scope: str = "Chun was developed for colorectal liver metastases under chemotherapy with bevacizumab."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> ChunState:  # noqa: ARG002
        """Return what the rules ask; RECIST 1.1 stands beside it."""
        recist = beside["recist-1.1"]
        assert isinstance(recist, RecistState)
        return ChunState(recist, options)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the votes of each timepoint."""
        return {
            "chun_optimal": state.optimal,
            "chun_incomplete": state.incomplete,
            "chun_none": state.none,
            "chun_not_assessed": state.not_assessed,
        }


CHUN: Final = Chun(levels=TWO_LEVELS)
__all__ = ["CHUN", "LESION_RESPONSE", "TWO_LEVELS", "Chun", "ChunOptions", "ChunState"]
