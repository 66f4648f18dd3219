"""The commands that read a trial: `assess`, `best`, `check` and `explain`."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from response.commands.logs import Log, Stages
from response.commands.options import (
    Collected,
    Criteria,
    Debug,
    Decimal,
    Delimiter,
    Files,
    Formats,
    LogMode,
    LogOption,
    MappingFile,
    Out,
    ProtocolFile,
    Quiet,
    Sheet,
    Subjects,
    Visits,
)
from response.commands.summaries import (
    DONE,
    place_of,
    refuse_without_baseline,
    tell_best,
    tell_counts,
    tell_findings,
    tell_notes,
    tell_unscored,
)
from response.errors import InputError, OutputError

if TYPE_CHECKING:
    from response.engine import Assessment
    from response.measurements import Measurements
    from response.protocol import Protocol

_FORMATS: Final = ("csv", "xlsx", "parquet")


def assess(
    *,
    files: Files,
    out: Out,
    visits: Visits = None,
    subjects: Subjects = None,
    collected: Collected = None,
    criteria: Criteria = None,
    protocol: ProtocolFile = None,
    mapping: MappingFile = None,
    decimal: Decimal = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    formats: Formats = "csv",
    quiet: Quiet = False,
    log: LogOption = LogMode.text,
    debug: Debug = False,  # noqa: ARG001 (read where the command is guarded)
) -> int:
    """Score a trial. Writes the response at every timepoint by each criterion, best responses and findings."""
    from response.io.results import left_from_before, write_results

    run = _Run(
        Log(log.value, quiet=quiet),
        files=files,
        visits=visits,
        subjects=subjects,
        collected=collected,
        mapping=mapping,
        protocol=protocol,
    )
    wanted = _formats(formats)
    _writable(out)
    with run.log.stages(run.size) as stages:
        found = run.assessment(stages, criteria, decimal, delimiter, sheet)
        refuse_without_baseline(found)
        stages.start("writing")
        written = write_results(found, out, formats=wanted, inputs=run.inputs, notes=run.notes)
    tell_best(run.log, found)
    tell_findings(run.log, found.found)
    run.log.tell("written", f"results are in {out}: {', '.join(path.name for path in written)}", folder=str(out))
    old = left_from_before(out, written)
    if old:
        run.log.alert("left", f"not of this run, but of an earlier one in the same folder: {', '.join(old)}", files=old)
    return tell_unscored(run.log, found)


def best(
    *,
    responses: Annotated[Path, typer.Argument(metavar="RESPONSES", help="Collected responses: a table, or SDTM RS.")],
    out: Out,
    subjects: Subjects = None,
    protocol: ProtocolFile = None,
    decimal: Decimal = None,
    delimiter: Delimiter = None,
    quiet: Quiet = False,
    log: LogOption = LogMode.text,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Best overall response from collected responses. Writes subjects.csv."""
    from response.api import best_of

    told = Log(log.value, quiet=quiet)
    _writable(out)
    found, notes = best_of(
        responses, protocol, subjects, decimal=None if decimal is None else decimal.value, delimiter=_tab(delimiter)
    )
    told.tell("read", f"read {responses}")
    tell_notes(told, notes)
    path = _write_subjects(found.columns, out, [file for file in (responses, subjects, protocol) if file is not None])
    counts: dict[str, Counter[str]] = {}
    for criterion, response in zip(found.columns["criterion"], found.columns["best_response"], strict=True):
        counts.setdefault(criterion, Counter())[response or "none"] += 1
    for criterion, counted in counts.items():
        tell_counts(told, criterion, dict(sorted(counted.items(), key=lambda item: place_of(item[0]))))
    for finding in found.findings:
        where = f"{finding.file}:{finding.line}: " if finding.line else ""
        told.alert("finding", f"{where}{finding.sentence}", id=finding.id, severity=finding.severity)
    told.tell("written", f"written: {path}", file=str(path))
    return DONE


def _write_subjects(columns: Mapping[str, Sequence[str]], folder: Path, keep: Sequence[Path]) -> Path:
    from response.io.results import write_tables
    from response.io.safe_files import staged_folder
    from response.report.columns import ResultTable
    from response.table import TextColumn

    table = ResultTable(lambda: [{name: TextColumn.of(texts) for name, texts in columns.items()}])
    with staged_folder(folder, keep=keep) as stage:
        write_tables({"subjects": table}, stage, ["csv"])
    return folder / "subjects.csv"


def check(
    *,
    files: Files,
    out: Out,
    visits: Visits = None,
    subjects: Subjects = None,
    collected: Collected = None,
    criteria: Criteria = None,
    protocol: ProtocolFile = None,
    mapping: MappingFile = None,
    decimal: Decimal = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    quiet: Quiet = False,
    log: LogOption = LogMode.text,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """List what is wrong in the data. Writes findings.csv and findings.xlsx, sorted for the sites."""
    from response.io.results import write_findings

    run = _Run(
        Log(log.value, quiet=quiet),
        files=files,
        visits=visits,
        subjects=subjects,
        collected=collected,
        mapping=mapping,
        protocol=protocol,
    )
    _writable(out)
    with run.log.stages(run.size) as stages:
        found = run.assessment(stages, criteria, decimal, delimiter, sheet)
        written = write_findings(found.found, out, formats=("csv", "xlsx"), keep=run.inputs)
    tell_findings(run.log, found.found, by_id=True)
    run.log.tell("written", f"findings are in {out}: {', '.join(path.name for path in written)}", folder=str(out))
    return tell_unscored(run.log, found)


def explain(
    *,
    files: Files,
    subject: Annotated[str, typer.Option("--subject", metavar="ID", help="The subject.", show_default=False)],
    timepoint: Annotated[str | None, typer.Option("--timepoint", metavar="LABEL", help="One timepoint only.")] = None,
    evaluator: Annotated[str | None, typer.Option("--evaluator", metavar="NAME", help="One evaluator only.")] = None,
    visits: Visits = None,
    subjects: Subjects = None,
    collected: Collected = None,
    criteria: Criteria = None,
    protocol: ProtocolFile = None,
    mapping: MappingFile = None,
    decimal: Decimal = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    quiet: Quiet = False,  # noqa: ARG001
    log: LogOption = LogMode.text,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Tell the course of one subject. Sums, changes, the rule behind each response, the next threshold."""
    # what was mapped would stand between the lines of the text on a terminal
    run = _Run(
        Log(log.value, quiet=True),
        files=files,
        visits=visits,
        subjects=subjects,
        collected=collected,
        mapping=mapping,
        protocol=protocol,
    )
    with run.log.stages(run.size) as stages:
        found = run.assessment(stages, criteria, decimal, delimiter, sheet)
    typer.echo(found.explain(subject, timepoint, evaluator))
    return DONE


class _Run:
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
    ) -> None:
        self.log, self.files, self.mapping, self.protocol = log, files, mapping, protocol
        self.visits, self.subjects, self.collected = visits, subjects, collected
        self.notes: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[Path]:
        """All files that are read."""
        others = (self.visits, self.subjects, self.collected, self.mapping, self.protocol)
        return [*self.files, *(path for path in others if path is not None)]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.inputs if path.is_file())

    def assessment(
        self, stages: Stages, criteria: str | None, decimal: Any, delimiter: str | None, sheet: str | None
    ) -> "Assessment":
        """Read and score; the protocol first, for a slip in it should not cost the reading of a long file."""
        from response.engine import assess as assess_trial
        from response.registry import find_criteria

        options = self._options()
        chosen = None if criteria is None else _names(criteria)
        find_criteria(chosen or ())
        stages.start("reading")
        measurements = self._read(decimal, delimiter, sheet)
        return assess_trial(measurements, chosen, options, progress=stages.start("scoring"))

    def _options(self) -> "Protocol":
        from response.api import as_protocol, validate
        from response.registry import criterion_names

        options = as_protocol(self.protocol)
        if options.tables:
            validate(options, criterion_names())
        return options

    def _read(self, decimal: Any, delimiter: str | None, sheet: str | None) -> "Measurements":
        from response.api import read

        measurements = read(
            self.files,
            visits=self.visits,
            subjects=self.subjects,
            collected=self.collected,
            mapping=self.mapping,
            decimal=None if decimal is None else decimal.value,
            delimiter=_tab(delimiter),
            sheet=sheet,
        )
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


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _tab(delimiter: str | None) -> str | None:
    return "\t" if delimiter in ("tab", "\\t") else delimiter


def _formats(text: str) -> list[str]:
    names = [name.lower() for name in _names(text)]
    unknown = [name for name in names if name not in _FORMATS]
    if unknown or not names:
        raise InputError("--format", unknown[0] if unknown else "nothing", f"some of {', '.join(_FORMATS)}")
    return names


def _writable(folder: Path) -> None:
    """Raise OutputError where results could not be written, before any work is done."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise OutputError(f"{folder}: cannot write there, for {there} is a file; expected a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: cannot write there; you have no right to write to {there}")
