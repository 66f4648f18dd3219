"""How any criterion must behave, one function each; a failure tells what was found, and what to do."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final

import numpy as np

from response.criteria.burden import NO_SUM
from response.criteria.criterion import Criterion
from response.criteria.recist import RecistState
from response.engine import Assessment
from response.registry import STANDARD, find_criterion
from response.report.evidence import Evidence
from response.report.figures import Figures
from response.report.sentences import Decisions, placeholders
from response.result import NOT_SCORED
from response.testing.bench import LARGEST_TOLD, SEED, Bench, assess_by, places_of, rules_of
from response.testing.definition import check_numbers, check_options_are_saved, check_what_it_is
from response.testing.study import check_study_of_its_own
from response.testing.trials import Row, Trial, made_up_trial
from response.vocabulary import MISSING, NA, NE, Response

# What the revision of an earlier timepoint may touch stands in columns of its own; a table as a whole may have more.
AS_READ: Final = "target non_target new_lesion overall rule clause sum_mm baseline_mm nadir_mm reason".split()


def _same(
    one: Sequence[Row], other: Sequence[Row], what: str, advice: str, columns: Sequence[str] | None = None
) -> None:
    """Raise AssertionError where two tables say something else, with the first differences and what to do."""
    assert len(one) == len(other), f"{what}: {len(one)} rows against {len(other)}; {advice}"
    found = [
        f"{row['subject']} at {row.get('timepoint', 'the end')}: {name} is {row[name]!r} against {beside[name]!r}"
        for row, beside in zip(one, other, strict=True)
        for name in (columns or row)
        if row[name] != beside[name]
    ]
    assert not found, f"{what}: {len(found)} cells differ; {'; '.join(found[:LARGEST_TOLD])}. {advice}"


# --- how it behaves


def check_determinism(bench: Bench) -> None:
    """The same trial gives the same results."""
    advice = (
        "Rules and numbers may depend on the state alone: nothing drawn, no clock, nothing kept from an earlier call."
    )
    for _ in range(2):
        again = bench.assess(bench.trial)
        told = "of the same trial, assessed again"
        _same(bench.timepoints(bench.assessment), bench.timepoints(again), f"timepoints {told}", advice)
        _same(bench.subjects(bench.assessment), bench.subjects(again), f"subjects {told}", advice)


def check_row_order(bench: Bench) -> None:
    """The order of the rows of the tables does not matter."""
    advice = "Take lesions by what stands in their columns, not by their place: a sum, a smallest, a largest."
    for seed in (SEED, SEED + 1):
        other = bench.assess(bench.trial.shuffled(Random(seed)))
        told = "with the rows in another order"
        _same(bench.timepoints(bench.assessment), bench.timepoints(other), f"timepoints {told}", advice)
        _same(bench.subjects(bench.assessment), bench.subjects(other), f"subjects {told}", advice)


def check_other_subjects(bench: Bench) -> None:
    """The data of other subjects, of longer courses too, change nothing: nothing is taken from a neighbour."""
    advice = (
        "Reduce over the tracks of each series (`block.reduce`) and along its own timepoints (axis 1); beyond the last "
        "timepoint of a series (`block.exists` is false) there are only fillers."
    )
    half = {row["subject"] for row in bench.trial.subjects[::2]}
    short = bench.trial.only(lambda row: row["subject"] not in half or row.get("timepoint", "0") in "012")
    for trial in (bench.trial, short):
        alone = bench.timepoints(bench.assess(trial.only(lambda row: row["subject"] in half)))
        together = [row for row in bench.timepoints(bench.assess(trial)) if row["subject"] in half]
        _same(together, alone, "timepoints with and without other subjects", advice)


def check_one_by_one(bench: Bench) -> None:
    """How many subjects are assessed at once does not matter: a large trial comes in several blocks."""
    advice = (
        "Series and tracks are counted from the start of the block (`block.low`, `block.track_slice`): an array of the "
        "whole timeline must be cut first (`block.tracks`, `block.cell_values`)."
    )
    for assessment in bench.assessments:
        try:
            alone = bench.one_by_one(assessment)
        except Exception as error:
            fault = error.__cause__ or error
            raise AssertionError(
                f"subjects one by one are not scored: {type(fault).__name__}: {fault}. {advice}"
            ) from error
        told = "of all subjects at once against one by one"
        _same(bench.timepoints(assessment), bench.timepoints(alone), f"timepoints {told}", advice)
        _same(bench.subjects(assessment), bench.subjects(alone), f"subjects {told}", advice)


def check_other_evaluators(bench: Bench) -> None:
    """The data of another evaluator change nothing."""
    advice = "A series is a subject as one evaluator saw it: reduce with `block.reduce`, never by subject."
    other = made_up_trial(SEED + 9, columns=bench.columns)
    theirs = [{**row, "evaluator": "R2"} for row in other.rows]
    visits = [{**row, "evaluator": "R2"} for row in other.visits]
    both = Trial([*bench.trial.rows, *theirs], [*bench.trial.visits, *visits], bench.trial.subjects)
    ours = [row for row in bench.timepoints(bench.assess(both)) if row["evaluator"] == "R1"]
    _same(bench.timepoints(bench.assessment), ours, "timepoints with and without another evaluator", advice)


def check_later_timepoints(bench: Bench) -> None:
    """A later timepoint never changes an earlier result."""
    advice = "Look back only: accumulate along the timepoints, and shift by one (`before`) what came earlier."
    numbers = [number.name for number in bench.criterion.numbers]
    last = max(row["timepoint"] for row in bench.trial.rows)
    short = bench.timepoints(bench.assess(bench.trial.only(lambda row: row.get("timepoint") != last)))
    whole = [row for row in bench.timepoints(bench.assessment) if row["timepoint"] != last]
    known = {(row["subject"], row["timepoint"]) for row in short}
    whole = [row for row in whole if (row["subject"], row["timepoint"]) in known]
    _same(whole, short, "timepoints with and without a later one", advice, [*AS_READ, *numbers])


def check_nadir(bench: Bench) -> None:
    """No nadir ever rises: neither one that is told, nor one that rules are judged by."""
    names = [number.name for number in bench.criterion.numbers if "nadir" in number.name]
    for assessment in bench.assessments:
        result = assessment.results[bench.criterion.name]
        for block, state in bench.states(assessment):
            told = {name: block.cell_values(result.numbers[name], NO_SUM) for name in names}
            for name, values in {**told, **_references(state)}.items():
                _never_rises(name, values, block.follow_up)


def _references(state: Any) -> dict[str, Any]:
    """Return what growth of a sum is judged against in a state, by the names it has there; `[series, timepoint]`."""
    burden = getattr(state, "burden", None)
    named = [(state, "state", "nadir_um"), (state, "state", "reference_um"), (burden, "state.burden", "nadir_um")]
    if isinstance(state, RecistState):
        named.append((state, "state", "reference"))
    found = {f"{path}.{name}": getattr(owner, name, None) for owner, path, name in named}
    return {name: values for name, values in found.items() if getattr(values, "shape", None) == state.shape}


def _never_rises(name: str, values: Any, scored: Any) -> None:
    now, then = values[:, 1:], values[:, :-1]
    rises = (now > then) & scored[:, 1:] & (now != NO_SUM)
    first = np.argwhere(rises)[:1].tolist()
    assert not first, (
        f"{name} rises from {then[tuple(first[0])]} to {now[tuple(first[0])]} (thousandths): it has to be the smallest "
        "complete sum so far, baseline included, as `burden.nadir_um` is"
    )


def check_missing_measurements(bench: Bench) -> None:
    """A target that was not measured never makes the response better than it was with its measurement.

    What is written absent needs no measurement, so it is left as it is.
    """
    trial = bench.complete_trial
    measured = (bench.criterion.needs,) if bench.criterion.needs else _DIAMETERS
    excused = {f"{bench.criterion.name}.{rule}" for rule in bench.decides_in_part}
    last = max(row["timepoint"] for row in trial.rows)
    whole = bench.assess(trial)
    rows = [
        {**row, **dict.fromkeys(measured, "")} if _is_of(row, "T0", last) and row.get("state") != "absent" else row
        for row in trial.rows
    ]
    less = bench.assess(replace(trial, rows=rows))
    better = [
        f"{row['subject']} at {row['timepoint']} is {row['overall']} ({row['rule']}), with it {before['overall']}"
        for before, row in zip(bench.timepoints(whole), bench.timepoints(less), strict=True)
        if row["timepoint"] == last
        and row["rule"] not in excused
        and _is_better(bench.criterion, row["overall"], before["overall"])
    ]
    assert not better, (
        f"without {' and '.join(measured)} of a target the response is better: {'; '.join(better[:LARGEST_TOLD])}. "
        "A blank (`NO_NUMBER`) is no 0: make the lesion not evaluable, and put a rule that says NE before PR and SD; a "
        "rule that may decide all the same is named in `decides_in_part`"
    )


def _is_of(row: Row, lesion: str, timepoint: str) -> bool:
    return (row["lesion"], row["timepoint"]) == (lesion, timepoint)


_DIAMETERS: Final = ("longest_mm", "short_mm")
_ORDER: Final = (Response.CR, Response.PR, Response.SD, Response.PD)  # the others are as good as SD, or no response


def _is_better(criterion: Criterion, now: str, before: str) -> bool:
    words = criterion.best_order or [criterion.response_words[response] for response in _ORDER]
    return now in words and before in words and list(words).index(now) < list(words).index(before)


def check_last_rules(bench: Bench) -> None:
    """The last rule of a question is taken where no other holds, so it has to hold there."""
    criterion = bench.criterion
    if type(criterion).answer is not Criterion.answer:  # it asks in an order of its own
        return
    for assessment in bench.assessments:
        options = assessment.results[criterion.name].options
        for block, state in bench.states(assessment):
            for question in criterion.questions:
                last = question.active(options)[-1]
                taken = (state.answers[question.name] == last) & block.follow_up
                fails = taken & ~question.rules[last].holding(state)
                assert not fails.any(), (
                    f"{question.name}.{question.rules[last].name} is taken at {int(fails.sum())} timepoints where it "
                    "does not hold, for it is the last rule: let a rule that always holds (`otherwise`) stand last"
                )


def check_recist_is_left_alone(bench: Bench) -> None:
    """RECIST 1.1 beside it says what it says alone, and the lesions stay as they were read."""
    standard = find_criterion(STANDARD)
    alone = assess_by(standard, bench.trial.measurements())
    beside = bench.assessment.results[STANDARD]
    advice = "take a copy before you change what was read"
    for name in ("state", "value_um", "row"):
        same = getattr(alone.timeline, name) == getattr(bench.assessment.timeline, name)
        assert same.all(), f"it changes the array '{name}' of the timeline; {advice}"
    for kind in ("numbers", "codes"):
        read = getattr(alone.timeline.measurements, kind)
        for name, values in getattr(bench.assessment.timeline.measurements, kind).items():
            assert (values == read[name]).all(), f"it changes the column {name} of the measurements; {advice}"
    for question, codes in alone.results[STANDARD].answers.items():
        assert (codes == beside.answers[question]).all(), f"RECIST 1.1 answers '{question}' otherwise beside it"
    for name, values in alone.results[STANDARD].numbers.items():
        assert (values == beside.numbers[name]).all(), f"RECIST 1.1 has another {name} beside it"


def check_table_without_optional_columns(bench: Bench) -> None:
    """A table with the least columns is scored, whatever comes out."""
    least = ("subject", "timepoint", "date", "lesion", "role", "longest_mm")
    rows = [{name: row[name] for name in least if name in row} for row in bench.trial.rows]
    try:
        found = bench.assess(Trial(rows))
    except Exception as error:
        fault = error.__cause__ or error
        raise AssertionError(
            f"a table without the optional columns is not scored: {type(fault).__name__}: {fault}. Take columns by "
            "`lesion_number` and `measurements.number` or `code`: they give blanks where there is no column"
        ) from error
    assert bench.timepoints(found), "a table without the optional columns gives no rows"


# --- what it tells


def check_no_silent_ne(bench: Bench) -> None:
    """Where nothing was assessed it is NE, each NE has its reason, and where all was assessed there is none."""
    silent = [row for row in bench.timepoints(bench.assessment) if row["overall"] == NE and not row["reason"]]
    assert not silent, f"NE without a reason, so the rule needs a sentence: {places_of(silent)}"
    blank = _nothing_assessed(bench)
    told = [row for row in blank if row["rule"] != "baseline" and row["overall"] not in (NE, NA)]
    assert not told, (
        f"no lesion was evaluable, but the response is no NE: {places_of(told)}. Put a rule that says NE before "
        "those of the response, and let a target without a measurement be not evaluable"
    )
    whole = bench.timepoints(bench.assess(bench.complete_trial))
    excused = {f"{bench.criterion.name}.{rule}" for rule in bench.ne_when_complete}
    undecided = [row for row in whole if row["overall"] == NE and row["rule"] not in excused]
    hint = " What `columns` makes must not be blank." if bench.columns else ""
    assert not undecided, (
        f"all was assessed, but the response is NE: {places_of(undecided)}. If there is nothing to follow, name the "
        f"rule in `ne_when_complete`; else it holds too often.{hint}"
    )


def _nothing_assessed(bench: Bench) -> list[Row]:
    """Return the timepoints of a trial with one assessment after baseline, at which no lesion was evaluable."""
    rows = [
        row if row["timepoint"] == "0" else {**{name: row[name] for name in _KEYS}, "state": "not_evaluable"}
        for row in bench.trial.rows
        if row["timepoint"] in ("0", "1") and row["role"] != "new"
    ]
    return bench.timepoints(bench.assess(Trial(rows)))


_KEYS: Final = ("subject", "evaluator", "timepoint", "date", "lesion", "role", "organ")


def check_every_rule_is_reached(bench: Bench) -> None:
    """Every rule decides, and every flag holds, at some timepoint of the trials."""
    reached = set().union(*(_reached(bench.criterion, assessment) for assessment in bench.assessments))
    names = {name for name, _ in rules_of(bench.criterion)}
    lost = sorted(names - reached - bench.unreached)
    assert not lost, (
        f"no trial reaches {', '.join(lost)}: add one that does to `trials`, with the options it needs. If there is "
        "none, a rule before it holds wherever it does: change the order, or take the rule out"
    )
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
    for subject in assessment_subjects(bench.assessment)[:LARGEST_TOLD]:
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
        had = seen.get(row["subject"], set())
        for name, allowed in (("best_response", had | excused - {words[Response.SD]}),
                              ("confirmed_best_response", had | excused)):  # fmt: skip
            assert row[name] in allowed, (
                f"{name} of {row['subject']} is {row[name]}, and its timepoints have {', '.join(sorted(had))}: every "
                "category of the last question has to be a response in `words`, or to stand in `best_order`"
            )
    lost = sorted(set(seen) ^ {row["subject"] for row in bench.subjects(bench.assessment)})
    assert not lost, f"{', '.join(lost[:LARGEST_TOLD])} stand in one of the tables of timepoints and subjects only"


CHECKS: Final[tuple[Callable[[Bench], None], ...]] = (
    check_what_it_is,
    check_options_are_saved,
    check_numbers,
    check_determinism,
    check_row_order,
    check_other_subjects,
    check_one_by_one,
    check_other_evaluators,
    check_later_timepoints,
    check_nadir,
    check_missing_measurements,
    check_last_rules,
    check_recist_is_left_alone,
    check_table_without_optional_columns,
    check_no_silent_ne,
    check_every_rule_is_reached,
    check_every_decision_is_explained,
    check_best_response,
    check_study_of_its_own,
)
