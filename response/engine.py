"""The engine: criteria over the timeline, all series of a block abreast.

For each block the engine makes the state of each criterion, asks its questions in order, and keeps only the
indices of the rules and the numbers; sentences and tables are made from them when they are wanted.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from response.arrange import arrange
from response.best_of_series import BestOfSeries, best_of_series
from response.block import Block
from response.cells import NO_DATE
from response.criteria.criterion import Criterion, State
from response.criteria.given import flags_of, numbers_of
from response.criteria.recist import RecistState
from response.criteria.some_lesions import is_one_of
from response.criteria.visit_values import at_places
from response.errors import CriterionError, ResponseError, place_of_fault
from response.findings import Finding
from response.measurements import Measurements
from response.progression import progression_dates, relabelled
from response.protocol import OTHER_TABLES, Options, Protocol, Schedule
from response.registry import OURS, STANDARD, brought_by, criteria_for, criterion_names, find_criteria, module_of
from response.result import NOT_SCORED, Result, empty_result, response_lut
from response.timeline import Timeline
from response.vocabulary import Response

if TYPE_CHECKING:
    import pandas as pd

THREADS: Final = 2  # numpy lets other threads run; more than two only wait for the memory
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Assessment:
    """The responses of a trial by each criterion.

    Attributes
    ----------
    timeline
        Series, timepoints and lesions.
    results
        By criterion name, RECIST 1.1 first.
    protocol
        The options asked for.
    """

    timeline: Timeline
    results: Mapping[str, Result]
    protocol: Protocol

    @cached_property
    def best(self) -> Mapping[str, BestOfSeries]:
        """Best responses of every series, by criterion name."""
        standard = self.results[STANDARD]
        return {name: best_of_series(self.timeline, result, standard) for name, result in self.results.items()}

    @cached_property
    def timepoints(self) -> "pd.DataFrame":
        """One row per subject, evaluator, timepoint and criterion (columns of `timepoints.csv`)."""
        from response.report.tables import timepoint_table

        return timepoint_table(self).to_frame()

    @cached_property
    def subjects(self) -> "pd.DataFrame":
        """One row per subject, evaluator and criterion (columns of `subjects.csv`)."""
        from response.report.tables import subject_table

        return subject_table(self).to_frame()

    @cached_property
    def lesions(self) -> "pd.DataFrame":
        """One row per subject, evaluator, timepoint and lesion (columns of `lesions.csv`)."""
        from response.report.tables import lesion_table

        return lesion_table(self).to_frame()

    @cached_property
    def criteria(self) -> "pd.DataFrame":
        """The responses of all criteria side by side: a row per subject, evaluator and timepoint (`criteria.csv`)."""
        from response.report.tables import criteria_table

        return criteria_table(self).to_frame()

    @cached_property
    def concordance(self) -> "pd.DataFrame":
        """How far each pair of criteria agrees over the trial (columns of `concordance.csv`)."""
        from response.report.tables import concordance_table

        return concordance_table(self).to_frame()

    @cached_property
    def ancillary(self) -> "pd.DataFrame":
        """One row per subject, evaluator, timepoint, lesion and ancillary finding (columns of `ancillary.csv`)."""
        from response.report.tables import ancillary_table

        return ancillary_table(self).to_frame()

    @cached_property
    def found(self) -> list[Finding]:
        """What is wrong, or worth a look, in the data."""
        from response.checks import check

        return check(self)

    @cached_property
    def findings(self) -> "pd.DataFrame":
        """What is wrong, or worth a look, in the data (columns of `findings.csv`)."""
        from response.findings import as_frame

        return as_frame(self.found)

    def explain(self, subject: str, timepoint: str | None = None, evaluator: str | None = None) -> str:
        """Return a subject's course as a person would tell it, or one timepoint of it."""
        from response.report.explain import explain

        return explain(self, subject, timepoint, evaluator)


def assess(
    measurements: Measurements,
    criteria: Sequence[str] | None = None,
    protocol: Protocol | None = None,
    *,
    progress: Progress | None = None,
) -> Assessment:
    """Return the response of every subject at every timepoint by each criterion.

    Parameters
    ----------
    measurements
        The trial.
    criteria
        Names of criteria; RECIST 1.1 is always assessed, and first. By default those that are offered and whose column
        the table fills, and those that the protocol defines.
    protocol
        Options that differ from the standard, and criteria of the study's own.
    progress
        Called after each block with the number of series that are done, and of all.

    Raises
    ------
    ProtocolError
        If the protocol has unknown options or impossible values, or defines a criterion that cannot be.
    CriterionError
        If a criterion is unknown.
    """
    protocol = protocol or Protocol()
    protocol.check_names([*criterion_names(protocol), *OTHER_TABLES])
    protocol.options("schedule", Schedule)
    chosen = find_criteria(criteria_for(measurements, protocol) if criteria is None else criteria, protocol)
    options = {criterion.name: protocol.options(criterion.name, criterion.options) for criterion in chosen}
    timeline = arrange(measurements)
    return Assessment(timeline, assess_timeline(timeline, chosen, options, progress), protocol)


def assess_timeline(
    timeline: Timeline,
    criteria: Sequence[Criterion],
    options: Mapping[str, Options],
    progress: Progress | None = None,
) -> dict[str, Result]:
    """Return the result of each criterion over a timeline."""
    results = {
        item.name: empty_result(item, options[item.name], len(timeline.visits), len(timeline.series))
        for item in criteria
    }
    with ThreadPoolExecutor(THREADS) as threads:
        for done in threads.map(lambda block: _assess_block(block, results), timeline.blocks()):
            if progress is not None:
                progress(done, len(timeline.series))
    return results


def _assess_block(block: Block, results: Mapping[str, Result]) -> int:
    """Assess a block; return how many series are done when all blocks up to it are."""
    beside: dict[str, State] = {}
    for result in results.values():
        try:
            _ask(block, result, beside)
        except CriterionError as error:
            raise CriterionError(f"{_named(result.criterion)}: {error}") from None
        except Exception as error:
            module = module_of(result.criterion)
            if module == OURS or isinstance(error, ResponseError):
                raise
            fault = f"{_named(result.criterion)} failed with {place_of_fault(error, module)}"
            raise CriterionError(f"{fault}: leave it out, and tell who brings the package '{module}'") from error
    return block.high


def _named(criterion: Criterion) -> str:
    """Return the name of a criterion, with the package that brings it."""
    brought = brought_by(criterion)
    return f"criterion '{criterion.name}'" + (f" (package {brought.told})" if brought else "")


def _ask(block: Block, result: Result, beside: dict[str, State]) -> None:
    state: object = result.criterion.state(block, result.options, beside)
    if not isinstance(state, State):
        told = f"state() gives an object of type {type(state).__name__}"
        raise CriterionError(f"{told}; expected a State of response.plugins")
    beside[result.criterion.name] = state
    result.criterion.answer(state, result.options)
    _keep(block, state, result, beside)


def _keep(block: Block, state: State, result: Result, beside: Mapping[str, State]) -> None:
    cells, scored = block.cell_slice, block.follow_up
    for question, codes in state.answers.items():
        result.answers[question][cells] = block.ragged(np.where(scored, codes, np.int8(NOT_SCORED)))
    for name, values in numbers_of(result.numbers, result.criterion.values(state), block.shape).items():
        result.numbers[name][cells] = block.ragged(values)
    flags = np.zeros(block.shape, np.uint32)
    for bit, rule in enumerate(result.criterion.flags):
        holds = flags_of(f"flag.{rule.name}", rule.holds(state), block.shape)
        if holds.any():
            flags |= (holds & scored).astype(np.uint32) << np.uint32(bit)
    result.flags[cells] = block.ragged(flags)
    result.own_targets[block.low : block.high] = _measures_otherwise(state, beside[STANDARD])
    _keep_progression(block, state, result, beside)


def _measures_otherwise(state: State, standard: State) -> bool:
    """Return whether a criterion sums something over the targets that is not what RECIST 1.1 sums."""
    if not isinstance(state, RecistState) or not isinstance(standard, RecistState):
        return False
    own, recist = state.burden, standard.burden
    if state.unit != standard.unit:
        return True
    if own.value_um is recist.value_um and own.state is recist.state:
        return False
    other = own.is_target & (own.state != recist.state)
    return not np.array_equal(own.value_um, recist.value_um) or bool(other.any())


def _keep_progression(block: Block, state: State, result: Result, beside: Mapping[str, State]) -> None:
    recist = beside[STANDARD]
    assert isinstance(recist, RecistState)
    lut = response_lut(state.question_rules("overall"), result.criterion.response_words)
    codes = lut[state.answers["overall"]]
    progressed = is_one_of(codes, (Response.PD, Response.UNCONFIRMED_PD)) & block.follow_up
    first = progressed if state.dated_from is None else progressed & (state.dated_from == np.arange(codes.shape[1]))
    # a criterion that reads its lesions in another way dates by what it saw
    burden = state.burden if isinstance(state, RecistState) else recist.burden
    dates = progression_dates(burden, first, state)
    adjudicated = np.where(block.follow_up, codes, np.int8(Response.BLANK))
    if getattr(result.options, "backdate_pd", recist.options.backdate_pd) == "relabel_timepoints":
        scans = block.cell_values(block.timeline.visits.last_scan, NO_DATE)  # one of them showed the finding
        later = relabelled(dates, scans, progressed) & block.follow_up
        shown = Response.PD if state.dated_from is None else Response.UNCONFIRMED_PD
        adjudicated = np.where(later, np.int8(shown), adjudicated)
    if state.dated_from is not None:
        dates = np.where(progressed, _dated_back(block, dates, state.dated_from), NO_DATE)
    if getattr(result.options, "post_cr_disease", "") == "revise_to_pr":
        adjudicated = np.where(_revised_cr(adjudicated, _judged(state)), np.int8(Response.PR), adjudicated)
    result.progression_date[block.cell_slice] = block.ragged(dates)
    result.adjudicated[block.cell_slice] = block.ragged(adjudicated)


def _dated_back(block: Block, dates: NDArray[np.int32], place: NDArray[np.intp]) -> NDArray[np.int32]:
    """Return the date at another place: its first scan where that timepoint itself was no progression yet."""
    then = at_places(dates, place)
    scans = at_places(block.cell_values(block.timeline.visits.first_scan, NO_DATE), place)
    return np.where(then == NO_DATE, scans, then).astype(np.int32)


def _judged(state: State) -> NDArray[np.bool_]:
    """Return where disease after CR was left to the sum rule, so that it revises no CR."""
    if isinstance(state, RecistState):
        return state.had_cr & state.disease & ~state.relapse
    return np.zeros(state.shape, np.bool_)


def _revised_cr(codes: NDArray[np.int8], judged: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return each CR that is followed by disease short of PD: small lesions were there all along (table 3, note a).

    What comes after a PD revises nothing.
    """
    disease = is_one_of(codes, (Response.PR, Response.SD, Response.NON_CR_NON_PD)) & ~judged
    places = np.arange(codes.shape[1])
    last = codes.shape[1]
    next_disease, next_pd = (
        np.minimum.accumulate(np.where(found, places, last)[:, ::-1], axis=1)[:, ::-1]
        for found in (disease, codes == Response.PD)
    )
    return np.asarray((codes == Response.CR) & (next_disease < next_pd))
