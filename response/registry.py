"""The criteria that are there: built in, or brought by an installed package through an entry point.

Two of one name are an error, for nobody could say which one scored a trial. One that cannot be loaded, or is no
criterion, is passed over wherever all are asked for, and told in a finding; asked for by name it is an error.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from response.criteria.criterion import Criterion
from response.errors import CriterionError
from response.findings import Finding
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
    "percist": "response.criteria.percist:PERCIST",
    "eortc-pet": "response.criteria.eortc_pet:EORTC_PET",
    "sact": "response.criteria.sact:SACT",
    "mass": "response.criteria.mass:MASS",
    "rano-2.0": "response.criteria.rano:RANO",
    "pcwg3": "response.criteria.pcwg3:PCWG3",
    "easl": "response.criteria.easl:EASL",
    "itrecist": "response.criteria.itrecist:ITRECIST",
    "ablation": "response.criteria.ablation:ABLATION",
}
STANDARD: Final = "recist-1.1"  # always assessed, and first: the others stand beside it


def criterion_names() -> list[str]:
    """Return the names of all criteria that work, built-in ones first."""
    broken = {finding.column for finding in broken_criteria()}
    return [name for name in _entries() if name not in broken]


def broken_criteria() -> list[Finding]:
    """Return a finding for each criterion of another package that cannot be used."""
    found = []
    for name, entry in _entries().items():
        if name not in BUILT_IN:
            try:
                _load(name, entry)
            except CriterionError as error:
                found.append(_broken(name, entry, str(error)))
    return found


def _broken(name: str, entry: EntryPoint, why: str) -> Finding:
    return Finding(
        id="broken_criterion",
        severity="warning",
        column=name,
        found=why,
        expected="a response.criteria Criterion of that name",
        sentence=f"The criterion '{name}' ({_origin(entry)}) cannot be used and was passed over: {why}.",
        remedy="Update or uninstall the package that brings it.",
    )


def _origin(entry: EntryPoint) -> str:
    """Return where a criterion comes from: the package, where one is known, and the object in it."""
    package = entry.dist.name if entry.dist is not None else ""
    return f"{package}: {entry.value}" if package else entry.value


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
    return _load(name, entries[name])


def _load(name: str, entry: EntryPoint) -> Criterion:
    try:
        found = entry.load()
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise CriterionError(f"criterion '{name}' cannot be loaded from {entry.value}: {told}") from error
    if not isinstance(found, Criterion):
        raise CriterionError(f"criterion '{name}' from {entry.value} is no response.criteria Criterion")
    if found.name != name:
        raise CriterionError(f"criterion '{name}' from {entry.value} has the name '{found.name}' itself")
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
            raise CriterionError(f"two criteria are named '{entry.name}': {_origin(known)} and {_origin(entry)}")
        entries[entry.name] = entry
    return entries
