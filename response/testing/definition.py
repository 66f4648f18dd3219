"""What a criterion must be, before it is asked anything: names, rules, options and numbers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, asdict, fields
from typing import Any, Final

import numpy as np

from response.columns import COLUMNS
from response.criteria.criterion import Criterion
from response.errors import CriterionError
from response.protocol import BestResponseOptions, Options, Protocol, as_toml, differences
from response.registry import BUILT_IN, STANDARD, find_criterion
from response.report.evidence import Evidence
from response.report.figures import Figures
from response.report.sentences import placeholders
from response.report.side_by_side import CRITERIA_COLUMNS
from response.report.timepoints import TIMEPOINT_COLUMNS
from response.testing.bench import Bench, rules_of

_NAME: Final = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_TAKEN: Final = frozenset((*CRITERIA_COLUMNS, "disagreement", "schedule", "measure"))  # columns, tables of a protocol
_GENERAL: Final = frozenset(("sum_mm", "baseline_mm", "nadir_mm"))  # numbers that stand in columns of all criteria
MOST_RULES: Final = 127  # of a question: rules are counted in int8
MOST_FLAGS: Final = 32  # flags are the bits of a uint32
_EXAMPLES: Final[Mapping[type, Callable[[Any], Any]]] = {  # another value of an option, by its type
    bool: lambda value: not value,
    int: lambda value: value + 1,
    float: lambda value: value + 0.5,
    str: lambda value: f"{value} too",
}


def check_what_it_is(bench: Bench) -> None:
    """It has a name, a title and a source; each rule has an id of its own, a clause and a sentence."""
    criterion = bench.criterion
    assert criterion.name == criterion.name.strip().lower(), f"the name '{criterion.name}' is not in lower case"
    assert " " not in criterion.name, f"the name '{criterion.name}' has a blank"
    assert _NAME.fullmatch(criterion.name), (
        f"the name '{criterion.name}' cannot stand in --criteria and as [table] of a protocol: letters and digits, "
        "parted by - or ."
    )
    assert criterion.name not in _TAKEN, f"the name '{criterion.name}' is that of a column or table: choose another"
    assert criterion.title.strip(), "there is no title"
    assert criterion.source.strip(), "there is no source"
    known = not criterion.needs or criterion.needs in COLUMNS or criterion.needs in bench.columns
    assert known, (
        f"it needs '{criterion.needs}', which is no column of the measurement table; if it is, name it in `columns`"
    )
    _check_rules(criterion)


def _check_rules(criterion: Criterion) -> None:
    assert criterion.questions[-1].name == "overall", "the last question is not 'overall'"
    names = [name for name, _ in rules_of(criterion)]
    doubles = sorted({name for name in names if names.count(name) > 1})
    assert not doubles, f"two rules have the id {doubles[0] if doubles else ''}"
    bare = [
        name
        for name, rule in rules_of(criterion)
        if not name.startswith("flag.") and not (rule.clause.strip() and rule.sentence.strip())
    ]
    assert not bare, f"rules without clause or sentence: {', '.join(bare)}"
    long = [question.name for question in criterion.questions if len(question.rules) > MOST_RULES]
    assert not long, f"'{long[0] if long else ''}' has more than {MOST_RULES} rules: ask in two questions"
    assert len(criterion.flags) <= MOST_FLAGS, f"{len(criterion.flags)} flags; there is room for {MOST_FLAGS}"
    words = {*criterion.response_words.values(), *criterion.best_order}
    strange = [
        f"{rule.name} says '{rule.category}'" for rule in criterion.questions[-1].rules if rule.category not in words
    ]
    assert not strange, (
        f"overall.{strange[0] if strange else ''}, which no best response can be: say in `words` what it is of RECIST, "
        "or put all categories into `best_order`"
    )


def check_options_are_saved(bench: Bench) -> None:
    """Every option has a default among its choices and says what it decides; a protocol keeps all of them."""
    criterion, kind = bench.criterion, bench.criterion.options
    assert issubclass(kind, Options), f"the options are {kind.__name__}, which is no response.protocol.Options"
    assert criterion.best_order or issubclass(kind, BestResponseOptions), (
        "its responses are those of RECIST, so it has a best response: derive its options from BestResponseOptions, or "
        "name its categories in `best_order`, the best first"
    )
    bare = [item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING]
    assert not bare, f"option {', '.join(bare)} has no default; make it with option(default, what it decides)"
    standard: Any = kind()
    for item in fields(standard):
        _is_declared(item)
    for item in fields(standard):
        for value in _choices(item) or (_EXAMPLES[type(item.default)](item.default),):
            _keeps(criterion, item.name, value)
    _keeps_all(criterion, standard)
    kept = bench.assessment.results[criterion.name].options
    assert asdict(kept) == asdict(standard), (
        f"the options are not saved with the result as they were set: {differences(kept)}; leave them as they are"
    )


def _is_declared(item: Field[Any]) -> None:
    choices = _choices(item)
    assert item.metadata.get("doc"), f"option {item.name} does not say what it decides; make it with option(...)"
    assert type(item.default) in _EXAMPLES, (
        f"option {item.name} is {type(item.default).__name__}; a protocol holds true or false, numbers and texts"
    )
    assert not choices or item.default in choices, f"option {item.name}: the default is none of its choices"


def _choices(item: Field[Any]) -> tuple[Any, ...]:
    return tuple(item.metadata.get("choices", ()))


def _keeps(criterion: Criterion, name: str, value: Any) -> None:
    options = criterion.options(**{name: value})
    assert getattr(options, name) == value, (
        f"option {name} = {value!r} is lost: it became {getattr(options, name)!r}; leave options as they are set"
    )
    _keeps_all(criterion, options)


def _keeps_all(criterion: Criterion, options: Any) -> None:
    text = as_toml(criterion.name, options)
    again = Protocol.from_toml(text).options(criterion.name, criterion.options)
    assert again == options, f"a protocol does not keep the options: {differences(options)} became {differences(again)}"


def check_numbers(bench: Bench) -> None:
    """Each number that it declares is given at every timepoint, whole (the engine looks); sentences tell no others."""
    criterion = bench.criterion
    for number in criterion.numbers:
        _is_named(number.name)
    for other in map(find_criterion, BUILT_IN):
        units = {number.name: number.unit for number in other.numbers}
        for number in criterion.numbers:
            same = units.get(number.name, number.unit) == number.unit
            assert same, f"{number.name} is in {number.unit}, but in {units[number.name]} by {other.title}: rename it"
    _are_told(bench)


def _is_named(name: str) -> None:
    assert name.isidentifier(), f"the number '{name}' cannot be told as {{{name}}}: letters, digits and _"
    assert name in _GENERAL or name not in TIMEPOINT_COLUMNS, f"the number {name} has the name of another column"


def _are_told(bench: Bench) -> None:
    assessment, criterion = bench.assessment, bench.criterion
    evidence = Evidence(next(assessment.timeline.blocks()), assessment.results[STANDARD])
    figures = Figures(assessment.results[criterion.name], evidence)
    quoted = {question.name for question in criterion.questions}
    for name, rule in rules_of(criterion):
        for told in placeholders(rule.sentence):
            if told not in quoted:
                _is_told(figures, name, told)


def _is_told(figures: Figures, rule: str, told: str) -> None:
    try:
        figures.texts(told, np.zeros(1, np.int64))
    except CriterionError as error:
        raise AssertionError(f"{rule}: {error}") from None
