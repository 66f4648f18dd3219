"""The library from outside: read a trial from files or data frames, and best responses from collected ones.

What reads the files, and puts them together, stands in `sources`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from response.cells import Decimals
from response.columns import COLLECTED_COLUMNS, COLUMNS, SUBJECT_COLUMNS, Column
from response.errors import InputError, ProtocolError
from response.findings import Finding
from response.measurements import Measurements, Records, read_records
from response.placing import keep_placed, without_repeats
from response.protocol import BestResponseOptions, Options, Protocol, Schedule
from response.sources import BESIDE, SourceReader, as_mapping, joined, listed, part_of
from response.table import TextTable

if TYPE_CHECKING:
    import pandas as pd

    from response.best.of_collected import CollectedBest
    from response.io.tables import ColumnMapping, ReadTable

__all__ = ["best_of", "best_response", "read", "read_protocol"]

PathText: TypeAlias = Path | str
Source: TypeAlias = Union[Path, str, "pd.DataFrame", TextTable]


def read(
    source: "Source | Sequence[Source]",
    *,
    visits: "Source | None" = None,
    subjects: "Source | None" = None,
    collected: "Source | None" = None,
    mapping: "ColumnMapping | Mapping[str, str] | PathText | None" = None,
    decimal: Decimals | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    protocol: "Protocol | PathText | None" = None,
) -> Measurements:
    """Read the lesion measurements of a trial, and the tables beside them.

    1. Each file is offered to the readers of installed packages (entry points `response.readers`), then taken for
       SDTM or for a table by its content. SDTM data sets are read together, for TU and TR belong to each other.
    2. Folders, and DICOM files, are measured: segmentations on their images, and measurement reports.
    3. The rows of several sources stand under each other.
    4. What was mapped is kept in `measurements.table.notes`; what could not be used in `measurements.findings`.

    Parameters
    ----------
    source
        A file, a folder, a data frame, a table that was read before, or several of them: CSV, TSV, xlsx, Parquet,
        SDTM TU, TR and RS; folders of any depth with DICOM, NIfTI, NRRD or MHA, and DICOM SR.
    visits, subjects, collected
        The optional tables. Collected responses of SDTM RS are taken where `collected` is not given.
    mapping
        The user's column by canonical name, or a mapping file (TOML). Columns that the measurements know are theirs;
        words, dates and decimal mark hold for all tables.
    decimal, delimiter, encoding
        Of text files, else found out.
    sheet
        Sheet of an Excel file with measurements.
    protocol
        Protocol, or its file, where criteria of the study's own are defined, which SDTM RS may name.

    Raises
    ------
    InputError
        If a file cannot be read, is no table, or lacks a required column.
    MissingExtraError
        If a file needs an optional package that is not installed.
    """
    study = None if protocol is None else as_protocol(protocol)
    reading = SourceReader(decimal=decimal, delimiter=delimiter, encoding=encoding, protocol=study)
    said = as_mapping(mapping)
    try:
        return _joined_sources(
            reading, source, said, sheet, {"visits": visits, "subjects": subjects, "collected": collected}
        )
    except InputError as error:
        if not reading.failed:
            raise
        from response.readers import with_failed

        told = with_failed(error, reading.failed)
        raise told from told.__cause__


def _joined_sources(
    reading: SourceReader, source: Any, said: "ColumnMapping", sheet: str | None, beside: Mapping[str, Any]
) -> Measurements:
    measured = reading.measurements(listed(source), part_of(said, COLUMNS), sheet)
    tables = {
        name: None if given is None else reading.table(given, BESIDE[name], part_of(said, BESIDE[name]))
        for name, given in beside.items()
    }
    if tables["collected"] is None:
        tables["collected"] = reading.collected
    return joined(measured, tables, reading.findings)


def best_response(
    responses: "Source", protocol: "Protocol | PathText | None" = None, subjects: "Source | None" = None
) -> "pd.DataFrame":
    """Return the best overall response of every subject from responses that were collected.

    Parameters
    ----------
    responses
        Table of collected responses (`columns.COLLECTED_COLUMNS`, or SDTM RS).
    protocol
        Options that differ from the standard, or a protocol file.
    subjects
        Subject table, for the start of treatment and of new therapy. A subject who stands only here gets a row, too.

    Returns
    -------
    DataFrame
        The columns of `subjects.csv`, one row per subject, evaluator and criterion.

    Raises
    ------
    InputError
        If a file cannot be read.
    ProtocolError
        If the protocol has unknown options or impossible values.
    """
    from response.best.of_collected import best_response_frame

    study = as_protocol(protocol)
    records, others, options, _ = _best_inputs(responses, study, subjects, None, None)
    return best_response_frame(records, others, options, protocol=study)


def best_of(
    responses: "Source",
    protocol: "Protocol | PathText | None" = None,
    subjects: "Source | None" = None,
    *,
    decimal: Decimals | None = None,
    delimiter: str | None = None,
) -> "tuple[CollectedBest, tuple[str, ...]]":
    """Return what `best_response` does as columns of text, with its findings, and what was mapped."""
    from response.best.of_collected import best_of_collected

    study = as_protocol(protocol)
    records, others, options, findings = _best_inputs(responses, study, subjects, decimal, delimiter)
    best = best_of_collected(records, others, options, study)
    return replace(best, findings=(*findings, *best.findings)), tuple(records.table.notes)


def _best_inputs(
    responses: "Source",
    protocol: Protocol,
    subjects: "Source | None",
    decimal: Decimals | None,
    delimiter: str | None,
) -> tuple[Records, Records | None, dict[str, BestResponseOptions], list[Finding]]:
    reading = SourceReader(decimal=decimal, delimiter=delimiter, encoding=None, protocol=protocol)
    records, findings = _records(reading.responses(responses), COLLECTED_COLUMNS)
    records = without_repeats(records, COLLECTED_COLUMNS)
    others: Records | None = None
    if subjects is not None:
        others, more = _records(reading.table(subjects, SUBJECT_COLUMNS), SUBJECT_COLUMNS)
        findings = [*findings, *more]
    return records, others, best_options(protocol), [*reading.findings, *findings]


def _records(read: "ReadTable", columns: Mapping[str, Column]) -> tuple[Records, list[Finding]]:
    records, findings = read_records(read.table, columns, read.decimal)
    records, lost = keep_placed(records, columns)
    return records, [*findings, *lost]


def best_options(protocol: Protocol) -> dict[str, BestResponseOptions]:
    """Return the options of the best response by criterion; the whole protocol is validated on the way."""
    from response.registry import criterion_names, find_criterion

    validate(protocol)
    names = criterion_names(protocol)
    options = {name: protocol.options(name, find_criterion(name, protocol).options) for name in names}
    return {name: chosen for name, chosen in options.items() if isinstance(chosen, BestResponseOptions)}


def validate(protocol: Protocol) -> None:
    """Raise ProtocolError for every unknown table, key and value of a protocol at once."""
    from response.imaging.options import MeasureOptions
    from response.registry import criterion_names, find_criterion, study_criteria

    kinds: dict[str, type[Options]] = {name: find_criterion(name).options for name in criterion_names()}
    kinds |= {"schedule": Schedule, "measure": MeasureOptions}
    faults: list[str] = []
    try:
        kinds |= {name: found.options for name, found in study_criteria(protocol).items()}
    except ProtocolError as error:  # the options of a criterion that is not one are not known
        faults.extend(error.faults)
    checks: list[Callable[[], object]] = [partial(protocol.check_names, [*kinds, *protocol.definitions])]
    checks += [partial(protocol.options, name, kind) for name, kind in kinds.items()]
    for check in checks:
        try:
            check()
        except ProtocolError as error:
            faults.extend(error.faults)
    if faults:
        raise ProtocolError(protocol.name, faults)


def as_protocol(protocol: "Protocol | PathText | None") -> Protocol:
    """Return a protocol, from its file where one is named; the standard one for None."""
    if protocol is None:
        return Protocol()
    return protocol if isinstance(protocol, Protocol) else read_protocol(protocol)


def read_protocol(path: PathText) -> Protocol:
    """Read a protocol file (TOML).

    Raises
    ------
    InputError
        If the file cannot be read.
    ProtocolError
        If it is no TOML, or a key stands outside a table.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or "no UTF-8 text"
        raise InputError(str(path), found.lower(), "a protocol file in TOML", "check the name") from None
    return Protocol.from_toml(text, str(path))
