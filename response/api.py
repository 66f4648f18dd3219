"""The library from outside: read a trial from files or data frames, and best responses from collected ones.

Readers are looked up when they are needed; the core itself opens no file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Union

from response.cells import Decimals
from response.errors import InputError, ProtocolError
from response.findings import Finding
from response.measurements import (
    COLLECTED_COLUMNS,
    COLUMNS,
    SUBJECT_COLUMNS,
    VISIT_COLUMNS,
    Column,
    Measurements,
    Records,
    read_records,
)
from response.placing import keep_placed, without_repeats
from response.protocol import BestResponseOptions, Options, Protocol, Schedule
from response.table import TextTable, concatenate

if TYPE_CHECKING:
    import pandas as pd

    from response.best.of_collected import CollectedBest
    from response.io.tables import ColumnMapping, ReadTable

__all__ = ["best_of", "best_response", "read", "read_protocol"]

PathText: TypeAlias = Path | str
Source: TypeAlias = Union[Path, str, "pd.DataFrame", TextTable]
_BESIDE: Final[Mapping[str, Mapping[str, Column]]] = {
    "visits": VISIT_COLUMNS,
    "subjects": SUBJECT_COLUMNS,
    "collected": COLLECTED_COLUMNS,
}


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

    Raises
    ------
    InputError
        If a file cannot be read, is no table, or lacks a required column.
    MissingExtraError
        If a file needs an optional package that is not installed.
    """
    reading = _Reading(decimal=decimal, delimiter=delimiter, encoding=encoding)
    said = _mapping(mapping)
    measured = reading.measurements(_listed(source), _part_of(said, COLUMNS), sheet)
    beside = dict.fromkeys(_BESIDE, None) | {
        name: reading.table(given, _BESIDE[name], _part_of(said, _BESIDE[name]))
        for name, given in (("visits", visits), ("subjects", subjects), ("collected", collected))
        if given is not None
    }
    if beside["collected"] is None:
        beside["collected"] = reading.collected
    return _joined(measured, beside, reading)


def best_response(
    responses: "Source", protocol: "Protocol | PathText | None" = None, subjects: "Source | None" = None
) -> "pd.DataFrame":
    """Return the best overall response of every subject from responses that were collected.

    Parameters
    ----------
    responses
        Table of collected responses (`measurements.COLLECTED_COLUMNS`, or SDTM RS).
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

    records, others, options, _ = _best_inputs(responses, protocol, subjects, None, None)
    return best_response_frame(records, others, options)


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

    records, others, options, findings = _best_inputs(responses, protocol, subjects, decimal, delimiter)
    best = best_of_collected(records, others, options)
    return replace(best, findings=(*findings, *best.findings)), tuple(records.table.notes)


def _best_inputs(
    responses: "Source",
    protocol: "Protocol | PathText | None",
    subjects: "Source | None",
    decimal: Decimals | None,
    delimiter: str | None,
) -> tuple[Records, Records | None, dict[str, BestResponseOptions], list[Finding]]:
    reading = _Reading(decimal=decimal, delimiter=delimiter, encoding=None)
    records, findings = _records(reading.responses(responses), COLLECTED_COLUMNS)
    records = without_repeats(records, COLLECTED_COLUMNS)
    others: Records | None = None
    if subjects is not None:
        others, more = _records(reading.table(subjects, SUBJECT_COLUMNS), SUBJECT_COLUMNS)
        findings = [*findings, *more]
    return records, others, best_options(as_protocol(protocol)), [*reading.findings, *findings]


def _records(read: "ReadTable", columns: Mapping[str, Column]) -> tuple[Records, list[Finding]]:
    records, findings = read_records(read.table, columns, read.decimal)
    records, lost = keep_placed(records, columns)
    return records, [*findings, *lost]


def best_options(protocol: Protocol) -> dict[str, BestResponseOptions]:
    """Return the options of the best response by criterion; the whole protocol is validated on the way."""
    from response.registry import criterion_names, find_criterion

    names = criterion_names()
    validate(protocol, names)
    options = {name: protocol.options(name, find_criterion(name).options) for name in names}
    return {name: chosen for name, chosen in options.items() if isinstance(chosen, BestResponseOptions)}


def validate(protocol: Protocol, names: Sequence[str]) -> None:
    """Raise ProtocolError for every unknown table, key and value of a protocol at once."""
    from response.imaging.options import MeasureOptions
    from response.registry import find_criterion

    kinds: dict[str, type[Options]] = {name: find_criterion(name).options for name in names}
    kinds |= {"schedule": Schedule, "measure": MeasureOptions}
    checks: list[Callable[[], object]] = [partial(protocol.check_names, list(kinds))]
    checks += [partial(protocol.options, name, kind) for name, kind in kinds.items()]
    faults: list[str] = []
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


class _Reading:
    """Reads the tables of one trial, and gathers what was found on the way."""

    def __init__(self, *, decimal: Decimals | None, delimiter: str | None, encoding: str | None) -> None:
        self.decimal, self.delimiter, self.encoding = decimal, delimiter, encoding
        self.findings: list[Finding] = []
        self.collected: ReadTable | None = None  # of SDTM

    def table(
        self,
        source: Any,
        columns: Mapping[str, Column],
        mapping: "ColumnMapping | Mapping[str, str] | None" = None,
        sheet: str | None = None,
    ) -> "ReadTable":
        """Read one table of some kind."""
        from response.io.tables import read_table, table_from_frame

        if not isinstance(source, Path | str):
            found = table_from_frame(source, columns=columns, mapping=mapping)
        else:
            found = read_table(
                source,
                columns=columns,
                mapping=mapping,
                sheet=sheet,
                delimiter=self.delimiter,
                encoding=self.encoding,
                decimal=self.decimal,
            )
        self.findings.extend(found.findings)
        if columns is COLLECTED_COLUMNS:
            _refuse_unplaced(found.table)
        return found

    def measurements(
        self, sources: Sequence[Any], mapping: "ColumnMapping | Mapping[str, str] | None", sheet: str | None
    ) -> "ReadTable":
        """Read all files with measurements, and put their rows under each other."""
        from response.io.sdtm import is_sdtm
        from response.io.sniffing import holds_images

        parts: list[ReadTable] = []
        sdtm: list[Path] = []
        images: list[Path] = []
        for source in sources:
            own = self._as_it_is(source) or self._by_plug_in(source)
            if own is not None:
                parts.append(own)
            elif isinstance(source, Path | str) and holds_images(Path(source)):
                images.append(Path(source))
            elif isinstance(source, Path | str) and is_sdtm(Path(source)):
                sdtm.append(Path(source))
            else:
                parts.append(self.table(source, COLUMNS, mapping, sheet))
        if sdtm:
            parts.insert(0, self._sdtm(sdtm))
        if images:
            parts.append(self._measured(images))
        return _stacked(parts, COLUMNS)

    def responses(self, source: Any) -> "ReadTable":
        """Read collected responses, of SDTM RS or of a table."""
        from response.io.sdtm import is_sdtm

        if isinstance(source, Path | str) and is_sdtm(Path(source)):
            self._sdtm([Path(source)], needs_lesions=False)
            if self.collected is None:
                raise InputError(str(source), "no collected responses", "SDTM RS, or a table of responses", "")
            return self.collected
        found = self.table(source, COLLECTED_COLUMNS)
        if not {"overall", "response"} & set(found.table.columns):
            raise InputError(
                ", ".join(found.table.files),
                f"no column overall among {', '.join(list(found.table.columns)[:20])}",
                "a column of overall responses",
                "name it overall",
            )
        return found

    def _sdtm(self, paths: Sequence[Path], *, needs_lesions: bool = True) -> "ReadTable":
        from response.io.sdtm import read_sdtm
        from response.io.tables import ReadTable

        found = read_sdtm(paths)
        self.findings.extend(found.findings)
        if needs_lesions and not len(found.measurements):
            raise InputError(
                ", ".join(str(path) for path in paths),
                "no measurements in these SDTM data sets",
                "TU and TR",
                "give TU and TR too; for the best response of collected responses use the command best",
            )
        if found.collected is not None:
            self.collected = ReadTable(table=found.collected)
        return ReadTable(table=replace(found.measurements, notes=found.notes))

    def _measured(self, paths: Sequence[Path]) -> "ReadTable":
        from response.io.measure import measure
        from response.io.tables import ReadTable

        found = measure(paths, organs=False)
        self.findings.extend(found.findings)
        return ReadTable(table=found.table)

    @staticmethod
    def _as_it_is(source: Any) -> "ReadTable | None":
        from response.io.tables import ReadTable

        return ReadTable(table=source) if isinstance(source, TextTable) else None

    def _by_plug_in(self, source: Any) -> "ReadTable | None":
        from response.io.tables import ReadTable

        if not isinstance(source, Path | str):
            return None
        from response.readers import reader_for

        found = reader_for(Path(source))
        self.findings.extend(found.findings)
        return None if found.table is None else ReadTable(table=found.table)


def _stacked(parts: "Sequence[ReadTable]", columns: Mapping[str, Column]) -> "ReadTable":
    from response.io.tables import ReadTable

    if len(parts) == 1:
        return parts[0]
    parts = _with_points(parts, columns)
    whole = concatenate([part.table for part in parts])
    notes = tuple(
        note if note.startswith(tuple(part.table.files)) else f"{part.table.files[0]}: {note}"
        for part in parts
        for note in part.table.notes
    )
    return ReadTable(table=replace(whole, notes=notes), decimal=parts[0].decimal)


def _with_points(parts: "Sequence[ReadTable]", columns: Mapping[str, Column]) -> "list[ReadTable]":
    """Return tables with decimal points, where some have points and others commas."""
    from response.io.canonical import point_decimals

    if len({part.decimal for part in parts}) == 1:
        return list(parts)
    return [point_decimals(part, columns) for part in parts]


def _joined(measured: "ReadTable", beside: "Mapping[str, ReadTable | None]", reading: _Reading) -> Measurements:
    from response.io.canonical import point_decimals

    given = {name: table for name, table in beside.items() if table is not None}
    if len({measured.decimal, *(table.decimal for table in given.values())}) > 1:
        measured = point_decimals(measured, COLUMNS)
        given = {name: point_decimals(table, _BESIDE[name]) for name, table in given.items()}
    tables: dict[str, TextTable] = {name: table.table for name, table in given.items()}
    found = Measurements.from_table(measured.table, decimal=measured.decimal, **tables)
    return replace(found, findings=(*reading.findings, *found.findings))


def _refuse_unplaced(table: TextTable) -> None:
    """Raise InputError where responses at timepoints come without any timepoint."""
    if {"overall", "response"} & set(table.columns) and not {"timepoint", "date"} & set(table.columns):
        raise InputError(
            ", ".join(table.files),
            f"no column timepoint or date among {', '.join(list(table.columns)[:20])}",
            "the timepoint of each response, or its date",
            "name it timepoint or date",
        )


def _part_of(mapping: "ColumnMapping", columns: Mapping[str, Column]) -> "ColumnMapping":
    """Return what a mapping says about one of the tables; a slip in a name is left for the measurements to tell."""
    beside = {name for others in _BESIDE.values() for name in others} - set(COLUMNS)
    own = set(mapping.columns) - beside if columns is COLUMNS else beside & set(columns)
    return replace(mapping, columns={name: header for name, header in mapping.columns.items() if name in own})


def _mapping(mapping: Any) -> "ColumnMapping":
    from response.io.mapping import ColumnMapping, read_mapping

    if isinstance(mapping, Path | str):
        return read_mapping(mapping)
    return mapping if isinstance(mapping, ColumnMapping) else ColumnMapping(columns=dict(mapping or {}))


def _listed(source: Any) -> list[Any]:
    several = isinstance(source, Sequence) and not isinstance(source, str)
    sources = list(source) if several else [source]
    if not sources:
        raise InputError("input", "no file", "at least one file with measurements", "")
    named = [Path(item).resolve() for item in sources if isinstance(item, Path | str)]
    twice = [path for path in named if named.count(path) > 1]
    if twice:
        raise InputError(str(twice[0]), "given twice", "each file once", "")
    return sources
