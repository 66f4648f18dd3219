"""What a study says of a criterion of its own: a published one with other thresholds, as a table of its protocol file.

    [criterion.study-x]
    based_on = "recist-1.1"
    title = "RECIST 1.1 with PD at 25 % (study X)"
    source = "protocol X-101, section 8.2"
    pd_percent = 25

A key that is not there is as in the criterion that it is based on. Percentages are exact: 33.3 is 333 thousandths.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from response.cells import THOUSAND
from response.criteria.criterion import PER_THOUSANDTH, Criterion
from response.criteria.sum_tests import SumTest, change_to, share_after
from response.protocol import DEFINITION, OTHER_TABLES, toml_value
from response.vocabulary import folded

# Names that stand for something else in a protocol, in collected responses, or at the head of `criteria.csv`.
RESERVED: Final = frozenset(
    (
        *(*OTHER_TABLES, DEFINITION, "recist", "recist1 1"),
        *("subject", "site", "evaluator", "accepted", "timepoint", "date", "disagreement"),
    )
)
LONGEST_NAME: Final = 40
LONGEST_TEXT: Final = 200
LARGEST_PERCENT: Final = 1000
LARGEST_LEAST: Final[Mapping[str, int]] = {"mm": 1_000, "mm2": 1_000_000, "mm3": 1_000_000_000}
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029{}]")
Shares = tuple[int, int]

# Key -> what it says, in the order in which a definition is written; `pd_least_...` is named after the unit of the sum.
KEYS: Final[Mapping[str, str]] = {
    "based_on": "criterion of which the rest is taken",
    "title": "name for people",
    "source": "where the study says so: the clause of every rule that it changes",
    "pr_percent": "PR: change of the sum from the baseline",
    "pr_inclusive": "whether exactly that is PR",
    "pr_reference": "sum that PR is judged against",
    "pd_percent": "PD: growth of the sum over the reference",
    "pd_inclusive": "whether exactly that is PD",
    "pd_reference": "sum that PD is judged against: the smallest complete one before (nadir), or the baseline",
    "pd_least_mm": "PD: growth in mm that it takes as well",
    "pd_least_mm2": "PD: growth in mm2 that it takes as well",
    "pd_least_mm3": "PD: growth in mm3 that it takes as well",
}


@dataclass(frozen=True, kw_only=True)
class StudyDefinition:
    """A criterion of a study, as far as it differs from the one that it is based on.

    Attributes
    ----------
    name, title, source
        Name in files and protocols, name for people, clause of the study.
    test
        All its thresholds, those of the other criterion where the study says nothing.
    """

    name: str
    title: str
    source: str
    test: SumTest


def offers_thresholds(criterion: Criterion) -> bool:
    """Return whether a study may change how the sum of a criterion is judged: by a `test`, and in a known unit."""
    return criterion.test is not None and any(number.unit in LARGEST_LEAST for number in criterion.numbers)


def unit_of_sum(criterion: Criterion) -> str:
    """Return the unit of what a criterion sums that offers thresholds: mm, mm2 or mm3."""
    return next(number.unit for number in criterion.numbers if number.unit in LARGEST_LEAST)


def definition_of(criterion: Criterion) -> dict[str, Any]:
    """Return the whole definition of a study's criterion: every key with the value that it has."""
    test, unit = criterion.test, unit_of_sum(criterion)
    assert test is not None
    return {
        "based_on": criterion.based_on,
        "title": criterion.title,
        "source": criterion.source,
        "pr_percent": _decimal(change_to(test.partial)),
        "pr_inclusive": test.partial_inclusive,
        "pr_reference": "baseline",
        "pd_percent": _decimal(change_to(test.progressive)),
        "pd_inclusive": test.inclusive,
        "pd_reference": "baseline" if test.from_baseline else "nadir",
        f"pd_least_{unit}": _decimal(test.least // PER_THOUSANDTH[unit]),
    }


def definition_as_toml(criterion: Criterion) -> str:
    """Return the whole definition of a study's criterion as a table of a protocol file."""
    lines = [f"{key} = {toml_value(value)}  # {KEYS[key]}" for key, value in definition_of(criterion).items()]
    return "\n".join([f"[{DEFINITION}.{criterion.name}]", *lines]) + "\n"


def _decimal(thousandths: int) -> int | Decimal:
    whole, rest = divmod(thousandths, THOUSAND)
    return Decimal(thousandths).scaleb(-3).normalize() if rest else whole


# --- reading


def faults_of_name(name: str, taken: Iterable[str]) -> list[str]:
    """Return what is wrong with the name of a study's criterion; `taken` are the names of all others."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        return [
            f"the name '{name}' cannot head a column; expected lower-case letters, figures, '-' and '.', "
            f"at most {LONGEST_NAME}, such as '{_named_like(name)}'"
        ]
    same = next((other for other in taken if folded(other) == folded(name)), None)
    if same is not None:
        return [
            f"the name '{name}' is that of the criterion {same}; expected a name of its own, such as '{name}-study'"
        ]
    if folded(name) in RESERVED:
        return [f"the name '{name}' has a meaning of its own; expected another, such as '{name}-study'"]
    return []


def _named_like(name: str) -> str:
    like = "-".join(folded(name.encode("ascii", "ignore").decode()).split())[:LONGEST_NAME].strip("-")
    return like if _NAME.fullmatch(like) else "study-x"


def read_definition(
    name: str, table: Mapping[str, Any], base: Criterion, options: Mapping[str, Any]
) -> tuple[StudyDefinition, list[str]]:
    """Return a definition, and what is wrong with it.

    Parameters
    ----------
    name, table
        As they stand in the protocol file.
    base
        The criterion that it is based on; it has a `test`.
    options
        Options that the protocol sets for the criterion, in a table of its name.
    """
    reading = _Reading(table, base)
    test = reading.test()
    title = reading.text("title", f"{base.title} ({name})", 'title = "RECIST 1.1 with PD at 25 % (study X)"')
    source = reading.text("source", "", 'source = "protocol X-101, section 8.2"')
    reading.unknown_keys(name)
    standard = base.options()
    reading.faults += [
        f"[{name}] {key} = {toml_value(options[key])}; expected {instead} in [{DEFINITION}.{name}] instead"
        for key, instead in base.threshold_options
        if key in options and options[key] != getattr(standard, key)
    ]
    return StudyDefinition(name=name, title=title, source=source, test=test), reading.faults


class _Reading:
    """Reads the keys of one definition, and collects what is wrong with them."""

    def __init__(self, table: Mapping[str, Any], base: Criterion) -> None:
        self.table, self.base, self.unit = table, base, unit_of_sum(base)
        self.faults: list[str] = []

    def expected(self, key: str, what: str) -> None:
        """Note that a key has another value than expected."""
        self.faults.append(f"{key} = {toml_value(self.table[key])}; expected {what}")

    def test(self) -> SumTest:
        """Return the thresholds."""
        test = self.base.test
        assert test is not None
        least = f"pd_least_{self.unit}"
        self.choice("pr_reference", ("baseline",))
        pr, pd, step = (
            self.number(
                "pr_percent",
                lambda value: -100 < value < 0,
                "a number between -100 and 0, the change from the baseline, as in pr_percent = -30",
            ),
            self.number(
                "pd_percent",
                lambda value: 0 < value <= LARGEST_PERCENT,
                f"a number above 0 and up to {LARGEST_PERCENT}, the growth over the reference, as in pd_percent = 25",
            ),
            self.number(
                least,
                lambda value: 0 <= value <= LARGEST_LEAST[self.unit],
                f"a number of {self.unit} from 0 to {LARGEST_LEAST[self.unit]}, as in {least} = 5",
            ),
        )
        return replace(
            test,
            partial=test.partial if pr is None else share_after(pr),
            progressive=test.progressive if pd is None else share_after(pd),
            least=test.least if step is None else step * PER_THOUSANDTH[self.unit],
            inclusive=self.flag("pd_inclusive", test.inclusive),
            partial_inclusive=self.flag("pr_inclusive", test.partial_inclusive),
            from_baseline=self.choice("pd_reference", ("nadir", "baseline"), test.from_baseline) == "baseline",
        )

    def number(self, key: str, allowed: Callable[[Decimal], bool], what: str) -> int | None:
        """Return a number in thousandths, None where there is none that can be used."""
        if key not in self.table:
            return None
        value = self.table[key]
        exact = Decimal(value) if type(value) in (int, Decimal) else Decimal("NaN")
        if not exact.is_finite() or not allowed(exact):
            self.expected(key, what)
        elif exact * THOUSAND != int(exact * THOUSAND):
            self.expected(key, "at most three decimals")
        else:
            return int(exact * THOUSAND)
        return None

    def flag(self, key: str, standard: bool) -> bool:
        """Return whether something is so."""
        value = self.table.get(key, standard)
        if not isinstance(value, bool):
            self.expected(key, "true or false")
            return standard
        return value

    def choice(self, key: str, choices: tuple[str, ...], standard: bool = False) -> str:
        """Return one of some words."""
        value = self.table.get(key, choices[standard])
        if value not in choices:
            self.expected(key, " or ".join(f'"{choice}"' for choice in choices))
        return str(value)

    def text(self, key: str, standard: str, example: str) -> str:
        """Return a text; `standard` is empty where there has to be one."""
        value = self.table.get(key, standard)
        if not value and key not in self.table:
            self.faults.append(f"{key} is missing; expected a text, as in {example}")
        elif not isinstance(value, str) or not value.strip():
            self.expected(key, f"a text, as in {example}")
        elif _UNPRINTABLE.search(value) or len(value) > LONGEST_TEXT:
            self.expected(key, f"a text of one line, without braces, of at most {LONGEST_TEXT} characters")
        return str(value).strip()

    def unknown_keys(self, name: str) -> None:
        """Note the keys that mean nothing here."""
        known = [key for key in KEYS if not key.startswith("pd_least") or key == f"pd_least_{self.unit}"]
        options = {item.name for item in self.base.options.__dataclass_fields__.values()}
        for key in self.table:
            if key in KEYS and key not in known:
                self.expected(key, f"pd_least_{self.unit}, for {self.base.name} sums {self.unit}")
            elif key in options:
                self.faults.append(f"{key} is an option of {self.base.name}; expected it in a table [{name}]")
            elif key not in KEYS:
                self.faults.append(f"unknown key {key}; known are {', '.join(known)}")
