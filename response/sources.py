"""The sources of a trial: which reader takes which, and how what they hold becomes one table.

Readers are looked up when they are needed; the core itself opens no file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from response.cells import Decimals
from response.columns import COLLECTED_COLUMNS, COLUMNS, SUBJECT_COLUMNS, VISIT_COLUMNS, Column
from response.errors import InputError
from response.findings import Finding
from response.measurements import Measurements
from response.protocol import Protocol
from response.table import TextTable, concatenate

if TYPE_CHECKING:
    from response.io.tables import ColumnMapping, ReadTable
    from response.readers import FailedReader

BESIDE: Final[Mapping[str, Mapping[str, Column]]] = {  # the tables beside the measurements
    "visits": VISIT_COLUMNS,
    "subjects": SUBJECT_COLUMNS,
    "collected": COLLECTED_COLUMNS,
}


class SourceReader:
    """Reads the tables of one trial, and gathers what was found on the way."""

    def __init__(
        self, *, decimal: Decimals | None, delimiter: str | None, encoding: str | None, protocol: Protocol | None
    ) -> None:
        self.decimal, self.delimiter, self.encoding, self.protocol = decimal, delimiter, encoding, protocol
        self.findings: list[Finding] = []
        self.collected: ReadTable | None = None  # of SDTM
        self.failed: list[FailedReader] = []  # of other packages

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

        found = read_sdtm(paths, self.protocol)
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
        self.failed.extend(found.failed)
        broken = [item.finding() for item in found.failed]
        self.findings.extend(item for item in broken if item not in self.findings)  # once, not by file
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


def joined(
    measured: "ReadTable", beside: "Mapping[str, ReadTable | None]", findings: Sequence[Finding]
) -> Measurements:
    """Return the measurements of a trial from its tables, in one way to write decimals."""
    from response.io.canonical import point_decimals

    given = {name: table for name, table in beside.items() if table is not None}
    if len({measured.decimal, *(table.decimal for table in given.values())}) > 1:
        measured = point_decimals(measured, COLUMNS)
        given = {name: point_decimals(table, BESIDE[name]) for name, table in given.items()}
    tables: dict[str, TextTable] = {name: table.table for name, table in given.items()}
    found = Measurements.from_table(measured.table, decimal=measured.decimal, **tables)
    return replace(found, findings=(*findings, *found.findings))


def _refuse_unplaced(table: TextTable) -> None:
    """Raise InputError where responses at timepoints come without any timepoint."""
    if {"overall", "response"} & set(table.columns) and not {"timepoint", "date"} & set(table.columns):
        raise InputError(
            ", ".join(table.files),
            f"no column timepoint or date among {', '.join(list(table.columns)[:20])}",
            "the timepoint of each response, or its date",
            "name it timepoint or date",
        )


def part_of(mapping: "ColumnMapping", columns: Mapping[str, Column]) -> "ColumnMapping":
    """Return what a mapping says about one of the tables; a slip in a name is left for the measurements to tell."""
    beside = {name for others in BESIDE.values() for name in others} - set(COLUMNS)
    own = set(mapping.columns) - beside if columns is COLUMNS else beside & set(columns)
    return replace(mapping, columns={name: header for name, header in mapping.columns.items() if name in own})


def as_mapping(mapping: Any) -> "ColumnMapping":
    """Return a mapping of columns, from its file where one is named."""
    from response.io.mapping import ColumnMapping, read_mapping

    if isinstance(mapping, Path | str):
        return read_mapping(mapping)
    return mapping if isinstance(mapping, ColumnMapping) else ColumnMapping(columns=dict(mapping or {}))


def listed(source: Any) -> list[Any]:
    """Return one source or several as a list; raise InputError where there is none, or one is given twice."""
    several = isinstance(source, Sequence) and not isinstance(source, str)
    sources = list(source) if several else [source]
    if not sources:
        raise InputError("input", "no file", "at least one file with measurements", "")
    named = [Path(item).resolve() for item in sources if isinstance(item, Path | str)]
    twice = [path for path in named if named.count(path) > 1]
    if twice:
        raise InputError(str(twice[0]), "given twice", "each file once", "")
    return sources
