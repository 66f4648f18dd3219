"""What any criterion must pass, one function each; a failure tells what was expected and what was found instead."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from random import Random
from typing import Any, Final

import numpy as np

from response.arrange import arrange
from response.criteria.burden import NO_SUM
from response.criteria.criterion import Criterion
from response.criteria.rules import Rule
from response.engine import Assessment, assess_timeline
from response.measurements import Measurements
from response.protocol import Options, Protocol, as_toml, differences
from response.registry import STANDARD, find_criterion
from response.report.evidence import Evidence
from response.report.figures import Figures
from response.report.sentences import Decisions, placeholders
from response.report.tables import subject_table, timepoint_table
from response.result import NOT_SCORED
from response.testing.trials import MakeCell, Row, Trial, made_up_trial, rare_trial
from response.vocabulary import MISSING, NA, NE, Response

SEED: Final = 20_240_101
# What the revision of an earlier timepoint may touch stands in columns of its own; a table as a whole may have more.
AS_READ: Final = "target non_target new_lesion overall rule clause sum_mm baseline_mm nadir_mm reason".split()
_LARGEST_TOLD: Final = 5


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
        Columns of the measurement table that only this criterion knows: what makes a cell.
    unreached
        Rules that no trial can reach (`question.rule`, `flag.rule`); one that is reached must not stand here.
    ne_when_complete
        Rules that say NE though everything was assessed, because there is nothing to follow (`question.rule`).
    """

    criterion: Criterion
    trials: Sequence[Trial] = ()
    columns: Mapping[str, MakeCell] = field(default_factory=dict)
    unreached: frozenset[str] = frozenset()
    ne_when_complete: frozenset[str] = frozenset()

    @cached_property
    def trial(self) -> Trial:
        """A made-up trial."""
        return made_up_trial(SEED, columns=self.columns)

    @cached_property
    def assessment(self) -> Assessment:
        """The assessment of the made-up trial."""
        return self.assess(self.trial)

    def assess(self, trial: Trial) -> Assessment:
        """Return the assessment of a trial."""
        return assess_by(self.criterion, trial.measurements(), trial.protocol)

    @cached_property
    def assessments(self) -> Sequence[Assessment]:
        """The assessments of all trials, the made-up ones first."""
        more = [*(made_up_trial(SEED + number, columns=self.columns) for number in (1, 2)), rare_trial()]
        return [self.assessment, *(self.assess(trial) for trial in (*more, *self.trials))]

    def timepoints(self, assessment: Assessment) -> list[Row]:
        """Return the rows of the criterion in the table of timepoints."""
        return [row for row in timepoint_table(assessment).rows() if row["criterion"] == self.criterion.name]

    def subjects(self, assessment: Assessment) -> list[Row]:
        """Return the rows of the criterion in the table of subjects."""
        return [row for row in subject_table(assessment).rows() if row["criterion"] == self.criterion.name]


def _same(one: Sequence[Row], other: Sequence[Row], what: str, columns: Sequence[str] | None = None) -> None:
    """Raise AssertionError where two tables say something else, with the first differences."""
    assert len(one) == len(other), f"{what}: {len(one)} rows against {len(other)}"
    found = [
        f"{row['subject']} at {row.get('timepoint', 'the end')}: {name} is {row[name]!r} against {beside[name]!r}"
        for row, beside in zip(one, other, strict=True)
        for name in (columns or row)
        if row[name] != beside[name]
    ]
    assert not found, f"{what}: {len(found)} cells differ; {'; '.join(found[:_LARGEST_TOLD])}"


def _rules(criterion: Criterion) -> Iterator[tuple[str, Rule[Any]]]:
    for question in criterion.questions:
        yield from ((f"{question.name}.{rule.name}", rule) for rule in question.rules)
    yield from ((f"flag.{rule.name}", rule) for rule in criterion.flags)


# --- what it is


def check_what_it_is(bench: Bench) -> None:
    """It has a name, a title and a source; each rule has an id of its own, a clause and a sentence."""
    criterion = bench.criterion
    assert criterion.name == criterion.name.strip().lower(), f"the name '{criterion.name}' is not in lower case"
    assert " " not in criterion.name, f"the name '{criterion.name}' has a blank"
    assert criterion.title, "there is no title"
    assert criterion.source, "there is no source"
    assert criterion.questions[-1].name == "overall", "the last question is not 'overall'"
    names = [name for name, _ in _rules(criterion)]
    doubles = sorted({name for name in names if names.count(name) > 1})
    assert not doubles, f"two rules have the id {doubles[0] if doubles else ''}"
    bare = [
        name for name, rule in _rules(criterion) if not name.startswith("flag.") and not (rule.clause and rule.sentence)
    ]
    assert not bare, f"rules without clause or sentence: {', '.join(bare)}"


def check_options_are_saved(bench: Bench) -> None:
    """Every option has a default among its choices and says what it decides; a protocol keeps all of them."""
    criterion, kind = bench.criterion, bench.criterion.options
    assert issubclass(kind, Options), f"the options are {kind.__name__}, which is no response.protocol.Options"
    standard: Any = kind()
    for item in fields(standard):
        choices = item.metadata.get("choices", ())
        assert item.metadata.get("doc"), f"option {item.name} does not say what it decides; make it with option(...)"
        assert not choices or item.default in choices, f"option {item.name}: the default is none of its choices"
    for options in (standard, *(kind(**{item.name: choice}) for item in fields(standard) for choice in _choices(item))):
        _keeps(criterion, options)
    kept = bench.assessment.results[criterion.name].options
    assert asdict(kept) == asdict(standard), "the options are not saved with the result"


def _choices(item: Any) -> Sequence[Any]:
    return item.metadata.get("choices", ())  # type: ignore[no-any-return]


def _keeps(criterion: Criterion, options: Any) -> None:
    text = as_toml(criterion.name, options)
    again = Protocol.from_toml(text).options(criterion.name, criterion.options)
    assert again == options, f"a protocol does not keep the options: {differences(options)} became {differences(again)}"


# --- how it behaves


def check_determinism(bench: Bench) -> None:
    """The same trial gives the same results."""
    again = bench.assess(bench.trial)
    _same(bench.timepoints(bench.assessment), bench.timepoints(again), "timepoints of the same trial, twice")
    _same(bench.subjects(bench.assessment), bench.subjects(again), "subjects of the same trial, twice")


def check_row_order(bench: Bench) -> None:
    """The order of the rows of the tables does not matter."""
    other = bench.assess(bench.trial.shuffled(Random(SEED)))
    _same(bench.timepoints(bench.assessment), bench.timepoints(other), "timepoints with the rows in another order")
    _same(bench.subjects(bench.assessment), bench.subjects(other), "subjects with the rows in another order")


def check_other_subjects(bench: Bench) -> None:
    """The data of other subjects change nothing: nothing is taken from a neighbour."""
    half = {row["subject"] for row in bench.trial.subjects[::2]}
    alone = bench.timepoints(bench.assess(bench.trial.only(lambda row: row["subject"] in half)))
    together = [row for row in bench.timepoints(bench.assessment) if row["subject"] in half]
    _same(together, alone, "timepoints with and without other subjects")


def check_other_evaluators(bench: Bench) -> None:
    """The data of another evaluator change nothing."""
    other = made_up_trial(SEED + 9, columns=bench.columns)
    theirs = [{**row, "evaluator": "R2"} for row in other.rows]
    visits = [{**row, "evaluator": "R2"} for row in other.visits]
    both = Trial([*bench.trial.rows, *theirs], [*bench.trial.visits, *visits], bench.trial.subjects)
    ours = [row for row in bench.timepoints(bench.assess(both)) if row["evaluator"] == "R1"]
    _same(bench.timepoints(bench.assessment), ours, "timepoints with and without another evaluator")


def check_later_timepoints(bench: Bench) -> None:
    """A later timepoint never changes an earlier result."""
    numbers = [number.name for number in bench.criterion.numbers]
    last = max(row["timepoint"] for row in bench.trial.rows)
    short = bench.timepoints(bench.assess(bench.trial.only(lambda row: row.get("timepoint") != last)))
    whole = [row for row in bench.timepoints(bench.assessment) if row["timepoint"] != last]
    known = {(row["subject"], row["timepoint"]) for row in short}
    whole = [row for row in whole if (row["subject"], row["timepoint"]) in known]
    _same(whole, short, "timepoints with and without a later one", [*AS_READ, *numbers])


def check_nadir(bench: Bench) -> None:
    """No nadir ever rises."""
    names = [number.name for number in bench.criterion.numbers if "nadir" in number.name]
    for assessment in bench.assessments:
        timeline, result = assessment.timeline, assessment.results[bench.criterion.name]
        later = np.flatnonzero(timeline.series_of_cell[1:] == timeline.series_of_cell[:-1]) + 1
        for name in names:
            values = result.numbers[name]
            rises = later[(values[later] > values[later - 1]) & (values[later] != NO_SUM)]
            assert not len(rises), f"{name} rises from {values[rises[0] - 1]} to {values[rises[0]]} (thousandths)"


def check_recist_is_left_alone(bench: Bench) -> None:
    """RECIST 1.1 beside it says what it says alone, and the lesions stay as they were read."""
    standard = find_criterion(STANDARD)
    alone = assess_by(standard, bench.trial.measurements())
    beside = bench.assessment.results[STANDARD]
    for name in ("state", "value_um", "row"):
        same = getattr(alone.timeline, name) == getattr(bench.assessment.timeline, name)
        assert same.all(), f"it changes the array '{name}' of the timeline"
    for question, codes in alone.results[STANDARD].answers.items():
        assert (codes == beside.answers[question]).all(), f"RECIST 1.1 answers '{question}' otherwise beside it"
    for name, values in alone.results[STANDARD].numbers.items():
        assert (values == beside.numbers[name]).all(), f"RECIST 1.1 has another {name} beside it"


def check_table_without_optional_columns(bench: Bench) -> None:
    """A table with the least columns is scored, whatever comes out."""
    least = ("subject", "timepoint", "date", "lesion", "role", "longest_mm")
    rows = [{name: row[name] for name in least if name in row} for row in bench.trial.rows]
    found = bench.assess(Trial(rows))
    assert bench.timepoints(found), "a table without the optional columns gives no rows"


# --- what it tells


def check_no_silent_ne(bench: Bench) -> None:
    """Where nothing was assessed it is NE, each NE has its reason, and where all was assessed there is none."""
    silent = [row for row in bench.timepoints(bench.assessment) if row["overall"] == NE and not row["reason"]]
    assert not silent, f"NE without a reason: {_places(silent)}"
    blank = _nothing_assessed(bench)
    told = [row for row in blank if row["rule"] != "baseline" and row["overall"] not in (NE, NA)]
    assert not told, f"no lesion was evaluable, but the response is no NE: {_places(told)}"
    whole = bench.timepoints(bench.assess(made_up_trial(SEED, complete=True, columns=bench.columns)))
    excused = {f"{bench.criterion.name}.{rule}" for rule in bench.ne_when_complete}
    undecided = [row for row in whole if row["overall"] == NE and row["rule"] not in excused]
    assert not undecided, f"all was assessed, but the response is NE: {_places(undecided)}"


def _nothing_assessed(bench: Bench) -> list[Row]:
    """Return the timepoints of a trial with one assessment after baseline, at which no lesion was evaluable."""
    rows = [
        row if row["timepoint"] == "0" else {**{name: row[name] for name in _KEYS}, "state": "not_evaluable"}
        for row in bench.trial.rows
        if row["timepoint"] in ("0", "1") and row["role"] != "new"
    ]
    return bench.timepoints(bench.assess(Trial(rows)))


_KEYS: Final = ("subject", "evaluator", "timepoint", "date", "lesion", "role", "organ")


def _places(rows: Sequence[Row]) -> str:
    told = [f"{row['subject']} at {row['timepoint']} ({row['overall']} by {row['rule']})" for row in rows]
    return f"{len(rows)} timepoints, {'; '.join(told[:_LARGEST_TOLD])}"


def check_every_rule_is_reached(bench: Bench) -> None:
    """Every rule decides, and every flag holds, at some timepoint of the trials."""
    reached = set().union(*(_reached(bench.criterion, assessment) for assessment in bench.assessments))
    names = {name for name, _ in _rules(bench.criterion)}
    lost = sorted(names - reached - bench.unreached)
    assert not lost, f"no trial reaches {', '.join(lost)}: add one that does to `trials`, with the options it needs"
    said = sorted((reached & bench.unreached) | (bench.unreached - names))
    assert not said, f"said to be out of reach, but reached or unknown: {', '.join(said)}"


def _reached(criterion: Criterion, assessment: Assessment) -> set[str]:
    result = assessment.results[criterion.name]
    found = {
        f"{question.name}.{question.rules[code].name}"
        for question in criterion.questions
        for code in np.unique(result.answers[question.name]).tolist()
        if code != NOT_SCORED
    }
    held = int(np.bitwise_or.reduce(result.flags, initial=0))
    return found | {f"flag.{rule.name}" for bit, rule in enumerate(criterion.flags) if held >> bit & 1}


def check_every_decision_is_explained(bench: Bench) -> None:
    """Each decision becomes a sentence with its numbers, and `explain` tells the rule of each timepoint."""
    for assessment in bench.assessments:
        _check_sentences(bench, assessment)
    for subject in assessment_subjects(bench.assessment)[:_LARGEST_TOLD]:
        text = bench.assessment.explain(subject)
        rules = [row["rule"] for row in bench.timepoints(bench.assessment) if row["subject"] == subject]
        lost = [rule for rule in rules if rule != "baseline" and rule not in "".join(text.split())]
        assert bench.criterion.title in text, f"explain does not name {bench.criterion.title}"
        assert not lost, f"explain of {subject} does not tell {', '.join(lost)}"


def assessment_subjects(assessment: Assessment) -> list[str]:
    """Return the ids of the subjects of an assessment."""
    return list(assessment.timeline.series.subjects)


def _check_sentences(bench: Bench, assessment: Assessment) -> None:
    result, standard = assessment.results[bench.criterion.name], assessment.results[STANDARD]
    for block in assessment.timeline.blocks():
        evidence = Evidence(block, standard)
        decisions, figures = Decisions(result, evidence), Figures(result, evidence)
        for code, kind in enumerate(decisions.kinds):
            unknown = [name for name in placeholders(kind.template) if not figures.knows(name)]
            assert not unknown, f"{kind.rule} tells {unknown[0]}, which is no number of the criterion: {kind.template}"
            (first, *_) = np.flatnonzero(decisions.code == code)
            (text,) = [str(one) for one in decisions.reasons(np.asarray([first]))]
            assert text.endswith("."), f"{kind.rule} has no reason: {text!r}"


def check_best_response(bench: Bench) -> None:
    """The best response is one that some timepoint has, or says that there is none; no subject is lost."""
    words = bench.criterion.response_words
    excused = {NE, MISSING, words[Response.SD], ""}
    seen: dict[str, set[str]] = {}
    for row in bench.timepoints(bench.assessment):
        seen.setdefault(row["subject"], set()).add(row["overall"])
    for row in bench.subjects(bench.assessment):
        had = seen[row["subject"]]
        assert row["best_response"] in had | excused - {words[Response.SD]}, f"{row['subject']}: {row['best_response']}"
        assert row["confirmed_best_response"] in had | excused, f"{row['subject']}: {row['confirmed_best_response']}"
    assert set(seen) == {row["subject"] for row in bench.subjects(bench.assessment)}, "a subject is lost"


CHECKS: Final[tuple[Callable[[Bench], None], ...]] = (
    check_what_it_is,
    check_options_are_saved,
    check_determinism,
    check_row_order,
    check_other_subjects,
    check_other_evaluators,
    check_later_timepoints,
    check_nadir,
    check_recist_is_left_alone,
    check_table_without_optional_columns,
    check_no_silent_ne,
    check_every_rule_is_reached,
    check_every_decision_is_explained,
    check_best_response,
)
