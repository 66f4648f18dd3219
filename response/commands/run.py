"""The inputs that the commands share, read and scored once."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from response.commands.logs import Log, Stages
from response.commands.measuring import ImageInputs, measure_with
from response.commands.summaries import tell_notes
from response.errors import OutputError

if TYPE_CHECKING:
    from response.engine import Assessment
    from response.io.measure import Measured
    from response.measurements import Measurements
    from response.protocol import Protocol
    from response.table import TextTable


class Run:
    """The inputs of one run, and what was read of them."""

    def __init__(
        self,
        log: Log,
        *,
        files: Sequence[Path],
        visits: Path | None,
        subjects: Path | None,
        collected: Path | None,
        mapping: Path | None,
        protocol: Path | None,
        images: ImageInputs | None = None,
    ) -> None:
        self.log, self.files, self.mapping, self.protocol = log, files, mapping, protocol
        self.images = images or ImageInputs()
        self.measured: Measured | None = None
        self.visits, self.subjects, self.collected = visits, subjects, collected
        self.notes: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[Path]:
        """All files that are read."""
        others = (*self.images.files, self.visits, self.subjects, self.collected, self.mapping, self.protocol)
        return [*self.files, *(path for path in others if path is not None)]

    @property
    def size(self) -> int | None:
        """Bytes of all files; None where there are folders, which take their time."""
        if any(path.is_dir() for path in self.files):
            return None
        return sum(path.stat().st_size for path in self.inputs if path.is_file())

    def assessment(
        self, stages: Stages, criteria: str | None, decimal: Any, delimiter: str | None, sheet: str | None
    ) -> "Assessment":
        """Read and score; the protocol first, for a slip in it should not cost the reading of a long file."""
        from response.engine import assess as assess_trial
        from response.registry import find_criteria

        options = checked_protocol(self.protocol)
        chosen = None if criteria is None else names_of(criteria)
        find_criteria(chosen or (), options)
        stages.start("reading")
        measurements = self._read(self._sources(stages, options), options, decimal, delimiter, sheet)
        return assess_trial(measurements, chosen, options, progress=stages.start("scoring"))

    def _sources(self, stages: Stages, options: "Protocol") -> "list[Path | TextTable]":
        """Return the tables, and what was measured in the folders."""
        from response.io.sniffing import holds_images

        folders = [path for path in self.files if holds_images(path)]
        sources: list[Path | TextTable] = [path for path in self.files if path not in folders]
        if folders or self.images.pairs is not None:
            self.measured = measure_with(self.log, stages, folders, self.images, options)
            sources.append(self.measured.table)
        return sources

    def _read(
        self,
        sources: "list[Path | TextTable]",
        options: "Protocol",
        decimal: Any,
        delimiter: str | None,
        sheet: str | None,
    ) -> "Measurements":
        from response.api import read

        measurements = read(
            sources,
            visits=self.visits,
            subjects=self.subjects,
            collected=self.collected,
            mapping=self.mapping,
            decimal=None if decimal is None else decimal.value,
            delimiter=tab_of(delimiter),
            sheet=sheet,
            protocol=options,
        )
        if self.measured is not None:
            measurements = replace(measurements, findings=(*self.measured.findings, *measurements.findings))
        self.notes = tuple(measurements.table.notes)
        rows = len(measurements)
        self.log.tell("read", f"read {', '.join(map(str, self.files))}: {rows} rows", rows=rows)
        tell_notes(self.log, self.notes)
        for name in ("visits", "subjects", "collected"):
            table = getattr(measurements, name)
            if table is not None:
                self.notes += tuple(f"{name}: {note}" for note in table.table.notes)
                self.log.tell("read", f"read {name}: {len(table)} rows", table=name, rows=len(table))
                tell_notes(self.log, table.table.notes)
        return measurements


def checked_protocol(path: Path | None) -> "Protocol":
    """Return a protocol file, all of it validated; the standard one for None."""
    from response.api import as_protocol, validate

    options = as_protocol(path)
    if options.tables or options.definitions:
        validate(options)
    return options


def names_of(text: str) -> list[str]:
    """Return the names that an option holds, separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def tab_of(delimiter: str | None) -> str | None:
    """Return the delimiter that an option means."""
    return "\t" if delimiter in ("tab", "\\t") else delimiter


def refuse_unwritable(folder: Path) -> None:
    """Raise OutputError where results could not be written, before any work is done."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise OutputError(f"{folder}: cannot write there, for {there} is a file; expected a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: cannot write there; you have no right to write to {there}")
