"""A criterion on the test bench: its trials, their assessments, and the rows and states that checks look at."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from response.arrange import arrange
from response.block import Block
from response.criteria.criterion import Criterion, State
from response.criteria.rules import Rule
from response.engine import Assessment, assess_timeline
from response.errors import CriterionError
from response.measurements import Measurements
from response.protocol import Protocol
from response.registry import STANDARD, find_criterion
from response.report.tables import subject_table, timepoint_table
from response.testing.trials import MakeCell, Row, Trial, made_up_trial, rare_trial

SEED: Final = 20_240_101
LARGEST_TOLD: Final = 5


def assess_by(criterion: Criterion, measurements: Measurements, protocol: Protocol | None = None) -> Assessment:
    """Return the assessment of a trial by RECIST 1.1 and a criterion, whether it is registered or not."""
    protocol = protocol or Protocol()
    criteria = [find_criterion(STANDARD)]
    if criterion.name != STANDARD:
        criteria.append(criterion)
    options = {item.name: protocol.options(item.name, item.options) for item in criteria}
    timeline = arrange(measurements)
    return Assessment(timeline, assess_timeline(timeline, criteria, options), protocol)


@dataclass
class Bench:
    """A criterion on the test bench.

    Attributes
    ----------
    criterion
        What is tested.
    trials
        Trials that, together with made-up ones, reach all its rules, with the options that those need.
    columns
        Columns of the measurement table that only this criterion knows: what makes a cell. It makes no blank: that is a
        measurement that is missing, and the suite takes away the column that the criterion `needs` where it tries that.
    unreached
        Rules that no trial can reach (`question.rule`, `flag.rule`); one that is reached must not stand here.
    ne_when_complete
        Rules that say NE though everything was assessed, because there is nothing to follow (`question.rule`).
    decides_in_part
        Rules that may decide though a target was not measured, because what they ask was seen (`question.rule`).
    """

    criterion: Criterion
    trials: Sequence[Trial] = ()
    columns: Mapping[str, MakeCell] = field(default_factory=dict)
    unreached: frozenset[str] = frozenset()
    ne_when_complete: frozenset[str] = frozenset()
    decides_in_part: frozenset[str] = frozenset()

    @cached_property
    def trial(self) -> Trial:
        """A made-up trial."""
        return made_up_trial(SEED, columns=self.columns)

    @cached_property
    def complete_trial(self) -> Trial:
        """A made-up trial in which everything was assessed."""
        return made_up_trial(SEED, complete=True, columns=self.columns)

    @cached_property
    def assessment(self) -> Assessment:
        """The assessment of the made-up trial."""
        return self.assess(self.trial)

    def assess(self, trial: Trial) -> Assessment:
        """Return the assessment of a trial; what the criterion gives wrong is an AssertionError."""
        with _as_a_failure():
            return assess_by(self.criterion, trial.measurements(), trial.protocol)

    @cached_property
    def assessments(self) -> Sequence[Assessment]:
        """The assessments of all trials, the made-up ones first."""
        more = [*(made_up_trial(SEED + number, columns=self.columns) for number in (1, 2)), rare_trial()]
        return [self.assessment, *(self.assess(trial) for trial in (*more, *self.trials))]

    def one_by_one(self, assessment: Assessment) -> Assessment:
        """Return the same assessment, made again with each series in a block of its own."""
        criteria = [result.criterion for result in assessment.results.values()]
        options = {name: result.options for name, result in assessment.results.items()}
        timeline = replace(assessment.timeline, block_cells=1)
        return Assessment(timeline, assess_timeline(timeline, criteria, options), assessment.protocol)

    def states(self, assessment: Assessment) -> Iterator[tuple[Block, Any]]:
        """Hand out what the rules of the criterion asked, block by block, made again; its questions are answered."""
        standard, own = assessment.results[STANDARD], assessment.results[self.criterion.name]
        for block in assessment.timeline.blocks():
            beside: dict[str, State] = {}
            for result in (standard, own):
                state = result.criterion.state(block, result.options, beside)
                beside[result.criterion.name] = state
                result.criterion.answer(state, result.options)
            yield block, beside[self.criterion.name]

    def timepoints(self, assessment: Assessment) -> list[Row]:
        """Return the rows of the criterion in the table of timepoints."""
        with _as_a_failure():
            return [row for row in timepoint_table(assessment).rows() if row["criterion"] == self.criterion.name]

    def subjects(self, assessment: Assessment) -> list[Row]:
        """Return the rows of the criterion in the table of subjects."""
        with _as_a_failure():
            return [row for row in subject_table(assessment).rows() if row["criterion"] == self.criterion.name]


@contextmanager
def _as_a_failure() -> Iterator[None]:
    """Make a failure of the test of what a criterion gives wrong, or of a sentence that tells what is no number."""
    try:
        yield
    except CriterionError as error:
        raise AssertionError(str(error)) from error.__cause__


def rules_of(criterion: Criterion) -> Iterator[tuple[str, Rule[Any]]]:
    """Hand out the rules of a criterion with their short ids, `question.rule` or `flag.rule`."""
    for question in criterion.questions:
        yield from ((f"{question.name}.{rule.name}", rule) for rule in question.rules)
    yield from ((f"flag.{rule.name}", rule) for rule in criterion.flags)


def places_of(rows: Sequence[Row]) -> str:
    """Return where some rows stand, for a message."""
    told = [f"{row['subject']} at {row['timepoint']} ({row['overall']} by {row['rule']})" for row in rows]
    return f"{len(rows)} timepoints, {'; '.join(told[:LARGEST_TOLD])}"
