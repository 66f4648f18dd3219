"""Options: every ambiguity of a criterion is a named option with a default, a reason and a source.

Each criterion declares a frozen dataclass whose fields are made with `option`. A protocol file in TOML has
one table per criterion with the keys that differ from the standard, `[schedule]` for visit windows, `[measure]` for
images, and a table `[criterion.NAME]` for each criterion of the study's own (`study_definitions`).
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import Field, asdict, dataclass, field, fields
from decimal import Decimal
from difflib import get_close_matches
from math import isnan
from typing import Any, Final, TypeVar

from response.errors import ProtocolError

T = TypeVar("T")
OTHER_TABLES: Final = ("schedule", "measure")  # of a protocol, beside those that are named as a criterion
DEFINITION: Final = "criterion"  # [criterion.NAME] defines one


def option(default: Any, doc: str, *, choices: Sequence[Any] = (), minimum: float | None = None) -> Any:
    """Declare an option of a criterion.

    Parameters
    ----------
    default
        The recommended value; its type is the type of the option.
    doc
        What it decides, with source.
    choices
        The allowed values, where they are a list.
    minimum
        Smallest allowed number.
    """
    return field(default=default, metadata={"doc": doc, "choices": tuple(choices), "minimum": minimum})


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of the options of a criterion; an option class without fields is a criterion without choices."""


@dataclass(frozen=True, kw_only=True)
class BestResponseOptions(Options):
    """Options of the best overall response (RECIST 1.1, section 4.4 to 4.6 and table 3; admiralonco)."""

    confirmation: bool = option(
        False, "whether the confirmed best response is the headline; both are always computed", choices=(True, False)
    )
    confirm_days: int = option(28, "smallest number of days to the confirming assessment, inclusive", minimum=0)
    max_nr_ne: int = option(1, "largest number of NE between a response and its confirmation", minimum=0)
    max_intermediate_sd: int = option(
        1, "largest number of SD between a PR and its confirmation (paper, appendix FAQ); never for CR", minimum=0
    )
    pr_then_cr_counts_for_pr: bool = option(
        True, "whether a CR confirms an earlier PR (table 3, row 6)", choices=(True, False)
    )
    min_sd_days: int = option(42, "smallest number of days from the reference date to an SD", minimum=0)
    min_sd_window_days: int = option(0, "visit window that is subtracted from min_sd_days", minimum=0)
    min_sd_reference: str = option(
        "treatment_start_or_randomisation",
        "date from which SD is counted; baseline where the first is not recorded",
        choices=("treatment_start_or_randomisation", "treatment_start", "randomisation", "baseline"),
    )
    post_cr_disease: str = option(
        "pd",
        "disease after CR: progression (table 3, footnote a), revise the CR to PR, or leave as it is with a warning",
        choices=("pd", "revise_to_pr", "as_is_warn"),
    )
    after_pd: str = option(
        "stop",
        "whether assessments after the first PD count for the best response",
        choices=("stop", "continue"),
    )
    missing_as: str = option(
        "NE", "best response of a subject without any assessment after baseline", choices=("NE", "MISSING")
    )
    not_done_as_ne: bool = option(True, "whether ND counts as NE", choices=(True, False))
    same_day_new_therapy: str = option(
        "exclude", "an assessment on the first day of a new therapy", choices=("exclude", "include")
    )
    tp_date_rule: str = option(
        "cr_pr_latest_else_earliest",
        "date of a timepoint whose scans span days; PD takes always the scan that shows it",
        choices=("cr_pr_latest_else_earliest", "always_earliest", "always_latest"),
    )


# Presets that a criterion's table may name with `preset = "..."`: values in place of the defaults.
PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "admiralonco": {
        "confirmation": True,
        "confirm_days": 28,
        "max_nr_ne": 1,
        "max_intermediate_sd": 0,
        "min_sd_days": 28,
        "post_cr_disease": "as_is_warn",
        "not_done_as_ne": False,
        "missing_as": "MISSING",
    },
}


@dataclass(frozen=True, kw_only=True)
class Schedule(Options):
    """Visit schedule (`[schedule]`), for the check of visits out of window."""

    every_days: int = option(0, "planned days between assessments; 0: no schedule", minimum=0)
    window_days: int = option(7, "days before or after the planned day that are still in the window", minimum=0)
    reference: str = option(
        "treatment_start_or_randomisation",
        "day from which visits are planned",
        choices=("treatment_start_or_randomisation", "treatment_start", "randomisation", "baseline"),
    )
    baseline_days: int = option(28, "largest number of days from baseline imaging to the start of treatment", minimum=0)


@dataclass(frozen=True)
class Protocol:
    """The options of a study.

    Attributes
    ----------
    tables
        By criterion name (and `schedule`): the keys that the study sets.
    name
        Where it came from, for messages and the manifest.
    definitions
        By name: the criteria of the study's own, as they stand in `[criterion.NAME]`, with decimal numbers exact.
    """

    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    name: str = "standard"
    definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def from_toml(cls, text: str, name: str = "protocol") -> "Protocol":
        """Read a protocol from TOML text; keys are validated when a criterion asks for its options."""
        try:
            tables = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise ProtocolError(name, [f"is no TOML: {error}"]) from None
        loose = [key for key, value in tables.items() if not isinstance(value, dict)]
        faults = [f"'{key}' stands outside a table; expected tables such as [recist-1.1]" for key in loose]
        named = ((key, value) for key, value in tables.items() if key not in loose)
        tables = dict(pair for key, value in named for pair in _whole_names(key, value))
        start = f"{DEFINITION}."
        definitions = {key.removeprefix(start): tables.pop(key) for key in list(tables) if key.startswith(start)}
        if DEFINITION in tables:
            keys = ", ".join(tables.pop(DEFINITION)) or "nothing"
            faults.append(
                f"[{DEFINITION}] has no name, and holds {keys}; expected a table such as [{DEFINITION}.study-x]"
            )
        if faults:
            raise ProtocolError(name, faults)
        return cls({key: _with_floats(table) for key, table in tables.items()}, name, definitions)

    def check_names(self, known: Sequence[str]) -> None:
        """Raise ProtocolError for a table of no known criterion."""
        unknown = [name for name in self.tables if name not in known]
        if unknown:
            faults = [f"unknown table [{name}]; {_expected_in_place_of(name, known)}" for name in unknown]
            raise ProtocolError(self.name, faults)

    def options(self, criterion: str, kind: type[T]) -> T:
        """Return the effective options of a criterion.

        Raises
        ------
        ProtocolError
            All unknown keys and impossible values of the table at once.
        """
        table = dict(self.tables.get(criterion, {}))
        known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
        faults: list[str] = []
        preset = table.pop("preset", None)
        if preset is not None and preset not in PRESETS:
            faults.append(f"[{criterion}] preset = {preset!r}; expected one of {', '.join(PRESETS)}")
        preset_values = {key: value for key, value in PRESETS.get(str(preset), {}).items() if key in known}
        table = {key: _as_number(value, known.get(key)) for key, value in table.items()}
        for key, value in table.items():
            faults.extend(_fault(criterion, key, value, known.get(key), list(known)))
        if faults:
            raise ProtocolError(self.name, faults)
        return kind(**{**preset_values, **table})


def _expected_in_place_of(table: str, known: Sequence[str]) -> str:
    start, _, name = table.partition(".")
    if name and get_close_matches(start, [DEFINITION]):
        return f"did you mean [{DEFINITION}.{name}]?"
    return f"expected one of {', '.join(known)}, or [{DEFINITION}.NAME] for a criterion of the study's own"


def _with_floats(table: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: float(value) if isinstance(value, Decimal) else value for key, value in table.items()}


def _whole_names(name: str, table: Any) -> list[tuple[str, Any]]:
    # TOML takes [recist-1.1] for a table "1" within "recist-1"; no option is a table, so the names join again.
    inner = table if isinstance(table, dict) else {}
    parts = [(key, value) for key, value in inner.items() if isinstance(value, dict)]
    flat = {key: value for key, value in inner.items() if not isinstance(value, dict)}
    whole = [(name, flat)] if flat or not parts else []
    return [*whole, *(pair for key, value in parts for pair in _whole_names(f"{name}.{key}", value))]


def _as_number(value: Any, item: Field[Any] | None) -> Any:
    # TOML tells 2 from 2.0, a person does not.
    return float(value) if item is not None and type(item.default) is float and type(value) is int else value


def _fault(criterion: str, key: str, value: Any, item: Field[Any] | None, known: Sequence[str]) -> list[str]:
    if item is None:
        return [f"[{criterion}] unknown option {key}; known are {', '.join(known)}"]
    choices, minimum = item.metadata["choices"], item.metadata["minimum"]
    wanted = type(item.default)
    if type(value) is not wanted or (isinstance(value, float) and isnan(value)) or (choices and value not in choices):
        told = ", ".join(toml_value(choice) for choice in choices) or wanted.__name__
        return [f"[{criterion}] {key} = {value!r}; expected one of {told}" if choices else
                f"[{criterion}] {key} = {value!r}; expected {wanted.__name__}"]  # fmt: skip
    if minimum is not None and value < minimum:
        return [f"[{criterion}] {key} = {value!r}; expected at least {minimum}"]
    return []


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, str | list | dict) else str(value)


def differences(options: Options) -> dict[str, tuple[Any, Any]]:
    """Return the options that differ from the standard: name -> (standard, effective)."""
    standard = asdict(type(options)())
    return {key: (standard[key], value) for key, value in asdict(options).items() if value != standard[key]}


def as_toml(name: str, options: Options) -> str:
    """Return a TOML table with every effective option and its documentation."""
    lines = [f"[{name}]"]
    for item in fields(options):
        choices = item.metadata["choices"]
        told = f" ({' / '.join(toml_value(choice) for choice in choices)})" if choices else ""
        lines.append(f"{item.name} = {toml_value(getattr(options, item.name))}  # {item.metadata['doc']}{told}")
    return "\n".join(lines) + "\n"
