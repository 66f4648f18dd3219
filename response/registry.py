"""The criteria that are there: built in, or brought by an installed package through an entry point."""

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from response.criteria.criterion import Criterion
from response.errors import CriterionError
from response.measurements import Measurements
from response.vocabulary import RESPONSE_NAMES, Response

GROUP: Final = "response.criteria"
BUILT_IN: Final = {
    "recist-1.1": "response.criteria.recist:RECIST_1_1",
    "choi": "response.criteria.choi:CHOI",
    "chun": "response.criteria.chun:CHUN",
    "irecist": "response.criteria.irecist:IRECIST",
    "mrecist": "response.criteria.mrecist:MRECIST",
    "mchoi": "response.criteria.mchoi:MCHOI",
    "who": "response.criteria.who:WHO",
    "irrc": "response.criteria.irrc:IRRC",
    "imrecist": "response.criteria.imrecist:IMRECIST",
    "lugano": "response.criteria.lugano:LUGANO",
    "easl": "response.criteria.easl:EASL",
    "itrecist": "response.criteria.itrecist:ITRECIST",
    "ablation": "response.criteria.ablation:ABLATION",
}
STANDARD: Final = "recist-1.1"  # always assessed, and first: the others stand beside it


def criterion_names() -> list[str]:
    """Return the names of all criteria, built-in ones first."""
    return list(_entries())


def find_criterion(name: str) -> Criterion:
    """Return a criterion by name.

    Raises
    ------
    CriterionError
        If there is none of that name, two packages bring one, or it cannot be loaded.
    """
    entries = _entries()
    if name not in entries:
        raise CriterionError(f"unknown criterion '{name}'; known are {', '.join(entries)}")
    try:
        found = entries[name].load()
    except Exception as error:
        raise CriterionError(f"criterion '{name}' cannot be loaded from {entries[name].value}: {error}") from error
    if not isinstance(found, Criterion):
        raise CriterionError(f"criterion '{name}' from {entries[name].value} is no response.criteria Criterion")
    return found


def find_criteria(names: Sequence[str]) -> list[Criterion]:
    """Return criteria by name, RECIST 1.1 first, which is always among them."""
    return [find_criterion(name) for name in dict.fromkeys((STANDARD, *names))]


def criteria_for(measurements: Measurements) -> list[str]:
    """Return the built-in criteria that are offered, and whose columns the table has."""
    found = [find_criterion(name) for name in BUILT_IN]
    return [item.name for item in found if item.offered and (not item.needs or measurements.has(item.needs))]


def words_of(criterion: str) -> Mapping[Response, str]:
    """Return the words of a criterion for the responses; those of RECIST 1.1 for one that is not ours."""
    return find_criterion(criterion).response_words if criterion in criterion_names() else RESPONSE_NAMES


def first_dates_of(criterion: str) -> tuple[tuple[str, Response], ...]:
    """Return the columns of dates that a criterion adds to the table of subjects; none for one that is not ours."""
    return find_criterion(criterion).first_dates if criterion in criterion_names() else ()


def _entries() -> dict[str, EntryPoint]:
    entries = {name: EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()}
    for entry in entry_points(group=GROUP):
        known = entries.get(entry.name)
        if known is not None and known.value != entry.value:
            raise CriterionError(f"two criteria are named '{entry.name}': {known.value} and {entry.value}")
        entries[entry.name] = entry
    return entries
