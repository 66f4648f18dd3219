"""The criteria that are there: built in, brought by an installed package through an entry point, or a study's own.

Two of one name are an error, for nobody could say which one scored a trial. One that cannot be loaded, or is no
criterion, is passed over wherever all are asked for, and told in a finding; asked for by name it is an error.

A study's own criteria stand in its protocol, and are there only for those who hand that over: nothing is registered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from response.criteria.criterion import Criterion
from response.criteria.study_criteria import study_criterion
from response.criteria.study_definitions import faults_of_name, offers_thresholds, read_definition
from response.errors import CriterionError, ProtocolError
from response.findings import Finding
from response.measurements import Measurements
from response.protocol import DEFINITION, Protocol, toml_value
from response.vocabulary import RESPONSE_NAMES, Response, folded

GROUP: Final = "response.criteria"
BUILT_IN: Final = {
    "recist-1.1": "response.criteria.recist:RECIST_1_1",
    "choi": "response.criteria.choi:CHOI",
    "chun": "response.criteria.chun:CHUN",
    "irecist": "response.criteria.irecist:IRECIST",
    "mrecist": "response.criteria.mrecist:MRECIST",
    "mchoi": "response.criteria.mchoi:MCHOI",
    "mri-choi": "response.criteria.mri_choi:MRI_CHOI",
    "who": "response.criteria.who:WHO",
    "irrc": "response.criteria.irrc:IRRC",
    "imrecist": "response.criteria.imrecist:IMRECIST",
    "lugano": "response.criteria.lugano:LUGANO",
    "percist": "response.criteria.percist:PERCIST",
    "ipercist": "response.criteria.ipercist:IPERCIST",
    "eortc-pet": "response.criteria.eortc_pet:EORTC_PET",
    "sact": "response.criteria.sact:SACT",
    "mass": "response.criteria.mass:MASS",
    "rano-2.0": "response.criteria.rano:RANO",
    "rano-bm": "response.criteria.rano_bm:RANO_BM",
    "pcwg3": "response.criteria.pcwg3:PCWG3",
    "easl": "response.criteria.easl:EASL",
    "qeasl": "response.criteria.qeasl:QEASL",
    "itrecist": "response.criteria.itrecist:ITRECIST",
    "ablation": "response.criteria.ablation:ABLATION",
}
STANDARD: Final = "recist-1.1"  # always assessed, and first: the others stand beside it
OURS: Final = "response"  # the package of the built-in ones
_KIND: Final = "response.plugins.Criterion"
_LAST_QUESTION: Final = "overall"


@dataclass(frozen=True)
class Brought:
    """Which installed package brings a criterion: its name and version, blank if unknown, and the entry point."""

    package: str
    version: str
    entry_point: str

    @property
    def told(self) -> str:
        """Package and version, as far as they are known, else the module."""
        return f"{self.package} {self.version}".strip() or self.entry_point.partition(":")[0]


def criterion_names(protocol: Protocol | None = None) -> list[str]:
    """Return the names of all criteria that work, built-in ones first, those that a protocol defines last."""
    broken = {finding.column for finding in broken_criteria()}
    return [*(name for name in _entries() if name not in broken), *study_criteria(protocol)]


def broken_criteria() -> list[Finding]:
    """Return a finding for each criterion of another package that cannot be used."""
    found = []
    for name, entry in _entries().items():
        if name not in BUILT_IN:
            try:
                _loaded(name, entry)
            except CriterionError as error:
                found.append(_broken(name, entry, str(error)))
    return found


def _broken(name: str, entry: EntryPoint, why: str) -> Finding:
    return Finding(
        id="broken_criterion",
        severity="warning",
        column=name,
        found=why,
        expected=f"an instance of {_KIND} with the name '{name}'",
        sentence=f"The criterion '{name}' ({_origin(entry)}) cannot be used and was passed over: {why}.",
        remedy="Update or uninstall the package that brings it.",
    )


def _brought(entry: EntryPoint) -> Brought:
    known = entry.dist
    return Brought(known.name if known else "", known.version if known else "", entry.value)


def _origin(entry: EntryPoint) -> str:
    """Return where a criterion comes from: the package, where one is known, and the object in it."""
    package = _brought(entry).package
    return f"{package}: {entry.value}" if package else entry.value


def brought_by(criterion: Criterion) -> Brought | None:
    """Return which package brings a criterion, or the one that a study's is based on; None: none, or it is built in."""
    name = criterion.based_on or criterion.name
    entry = None if name in BUILT_IN else _entries().get(name)
    return None if entry is None else _brought(entry)


def module_of(criterion: Criterion) -> str:
    """Return the outermost module in which the faults of a criterion lie."""
    brought = brought_by(criterion)
    where = type(criterion).__module__ if brought is None else brought.entry_point
    return where.partition(":")[0].partition(".")[0]


def find_criterion(name: str, protocol: Protocol | None = None) -> Criterion:
    """Return a criterion by name, also one that a protocol defines.

    Raises
    ------
    CriterionError
        If there is none of that name, two packages bring one, or it cannot be loaded.
    ProtocolError
        If the protocol defines it, but not as it can be.
    """
    if protocol is not None and name in protocol.definitions:
        return study_criteria(protocol)[name]
    entries = _entries()
    if name not in entries:
        known = ", ".join([*entries, *(protocol.definitions if protocol is not None else ())])
        raise CriterionError(f"unknown criterion '{name}'; known are {known}")
    return _load(name, entries[name])


def _load(name: str, entry: EntryPoint) -> Criterion:
    try:
        return _loaded(name, entry)
    except CriterionError as error:
        told = f"criterion '{name}' ({_origin(entry)}) cannot be used: {error}"
        raise CriterionError(told) from error.__cause__


def _loaded(name: str, entry: EntryPoint) -> Criterion:
    """Return the criterion of an entry point; the error says what is wrong with it, and not of which."""
    try:
        found: object = entry.load()
    except Exception as error:
        raise CriterionError(f"loading it failed with {type(error).__name__}: {error}") from error
    if isinstance(found, type):
        raise CriterionError(f"it is the class {found.__name__}; expected an instance of {_KIND}")
    if not isinstance(found, Criterion):
        raise CriterionError(f"it is an object of type {type(found).__name__}; expected an instance of {_KIND}")
    if found.name != name:
        raise CriterionError(f"it has the name '{found.name}' itself; expected that of its entry point")
    asked = [question.name for question in found.questions]
    if asked[-1:] != [_LAST_QUESTION]:
        told = f"its last question is '{asked[-1]}'" if asked else "it asks no question"
        raise CriterionError(f"{told}; expected '{_LAST_QUESTION}'")
    return found


def find_criteria(names: Sequence[str], protocol: Protocol | None = None) -> list[Criterion]:
    """Return criteria by name, RECIST 1.1 first, which is always among them."""
    return [find_criterion(name, protocol) for name in dict.fromkeys((STANDARD, *names))]


def criteria_for(measurements: Measurements, protocol: Protocol | None = None) -> list[str]:
    """Return the built-in criteria that are offered, and whose columns the table fills; then those of the protocol."""
    found = [find_criterion(name) for name in BUILT_IN]
    offered = [item.name for item in found if item.offered and (not item.needs or measurements.has_any(item.needs))]
    return [*offered, *study_criteria(protocol)]


def names_by_text(protocol: Protocol | None = None) -> dict[str, str]:
    """Return the criterion that each folded text of a collected response names: by its name, a study's by its title."""
    titles = {folded(item.title): name for name, item in study_criteria(protocol).items()}
    return titles | {folded(name): name for name in criterion_names(protocol)}


def words_of(criterion: str, protocol: Protocol | None = None) -> Mapping[Response, str]:
    """Return the words of a criterion for the responses; those of RECIST 1.1 for one that is not known."""
    known = criterion in criterion_names(protocol)
    return find_criterion(criterion, protocol).response_words if known else RESPONSE_NAMES


def first_dates_of(criterion: str, protocol: Protocol | None = None) -> tuple[tuple[str, Response], ...]:
    """Return the columns of dates that a criterion adds to the table of subjects; none for one that is not known."""
    return find_criterion(criterion, protocol).first_dates if criterion in criterion_names(protocol) else ()


# --- criteria of a study


def study_criteria(protocol: Protocol | None) -> dict[str, Criterion]:
    """Return the criteria that a protocol defines, by name.

    Raises
    ------
    ProtocolError
        All faults of all definitions at once.
    """
    found: dict[str, Criterion] = {}
    faults: list[str] = []
    if protocol is None or not protocol.definitions:
        return found
    titles = {folded(find_criterion(name).title): name for name in criterion_names()}
    for name in protocol.definitions:
        wrong = faults_of_name(name, [*_entries(), *found])
        made, more = _study_criterion(name, protocol)
        wrong += more
        if made is not None and not wrong:
            same = titles.setdefault(folded(made.title), name)
            wrong += [] if same == name else [f"the title '{made.title}' is that of {same}; expected one of its own"]
        faults += [text if text.startswith("[") else f"[{DEFINITION}.{name}] {text}" for text in wrong]
        if made is not None and not wrong:
            found[name] = made
    if faults:
        raise ProtocolError(protocol.name, faults)
    return found


def _study_criterion(name: str, protocol: Protocol) -> tuple[Criterion | None, list[str]]:
    table, options = protocol.definitions[name], protocol.tables.get(name, {})
    base = _base(table.get("based_on"), protocol)
    if isinstance(base, str):  # what else is wrong is found as if it were based on one with the same unit
        like = find_criterion("who" if "pd_least_mm2" in table else STANDARD)
        return None, [base, *read_definition(name, table, like, options)[1]]
    definition, faults = read_definition(name, table, base, options)
    return (None if faults else study_criterion(base, definition)), faults


def _base(based_on: object, protocol: Protocol) -> Criterion | str:
    """Return the criterion that another is based on, or what is wrong with it."""
    if isinstance(based_on, str) and based_on in _entries():
        try:
            found = find_criterion(based_on)
        except CriterionError as error:
            return f"based_on = {toml_value(based_on)}; {error}"
        if offers_thresholds(found):
            return found
    known = [item.name for item in map(find_criterion, criterion_names()) if offers_thresholds(item)]
    expected = f"expected one of {', '.join(known)}"
    if based_on is None:
        return f"based_on is missing; {expected}"
    told = f"based_on = {toml_value(based_on)}"
    if isinstance(based_on, str) and based_on in protocol.definitions:
        return f"{told}, which is a criterion of the study itself; {expected}, with all that differs from it"
    if isinstance(based_on, str) and based_on in _entries():
        why = "" if based_on in BUILT_IN else " (no `test` is set, or no number is in mm, mm2 or mm3)"
        return f"{told}, which offers no thresholds that a study could change{why}; {expected}"
    return f"{told}, which is unknown; {expected}"


def _entries() -> dict[str, EntryPoint]:
    entries = {name: EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()}
    for entry in entry_points(group=GROUP):
        known = entries.get(entry.name)
        if known is not None and known.value != entry.value:
            both = f"{_origin(known)} and {_origin(entry)}"
            raise CriterionError(f"two criteria are named '{entry.name}': {both}; {_remedy(known, entry)}")
        entries[entry.name] = entry
    return entries


def _remedy(*entries: EntryPoint) -> str:
    """Return what to do about entry points of one name; what is built in cannot be uninstalled."""
    theirs = [entry for entry in entries if BUILT_IN.get(entry.name) != entry.value]
    packages = [_brought(entry).package or entry.value.partition(":")[0] for entry in theirs]
    return f"uninstall {' or '.join(packages)}, or give the criterion of one of them another name"
