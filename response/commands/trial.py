"""The commands that read a trial: `assess`, `best`, `check` and `explain`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from response.commands.logs import Log
from response.commands.measuring import ImageInputs
from response.commands.options import (
    Collected,
    Criteria,
    Debug,
    Decimal,
    Delimiter,
    Files,
    Formats,
    Jobs,
    Lesions,
    LogMode,
    LogOption,
    MappingFile,
    Out,
    Pairs,
    ProtocolFile,
    Quiet,
    RoleMode,
    Roles,
    Scheduler,
    Sheet,
    Subjects,
    Visits,
)
from response.commands.run import Run, names_of, refuse_unwritable, tab_of
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
from response.errors import InputError

_FORMATS: Final = ("csv", "xlsx", "parquet")
MEASUREMENTS: Final = "measurements.csv"  # what was measured on images, beside the results


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
    pairs: Pairs = None,
    lesions: Lesions = None,
    roles: Roles = RoleMode.propose,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    quiet: Quiet = False,
    log: LogOption = LogMode.text,
    debug: Debug = False,  # noqa: ARG001 (read where the command is guarded)
) -> int:
    """Score a trial. Writes the response at every timepoint by each criterion, best responses and findings."""
    from response.io.results import left_from_before, write_results

    run = Run(
        Log(log.value, quiet=quiet),
        files=files,
        visits=visits,
        subjects=subjects,
        collected=collected,
        mapping=mapping,
        protocol=protocol,
        images=ImageInputs(
            out=out / MEASUREMENTS, pairs=pairs, lesions=lesions, roles=roles.value, jobs=jobs, scheduler=scheduler
        ),
    )
    wanted = _formats(formats)
    refuse_unwritable(out)
    with run.log.stages(run.size) as stages:
        found = run.assessment(stages, criteria, decimal, delimiter, sheet)
        refuse_without_baseline(found)
        stages.start("writing")
        written = write_results(found, out, formats=wanted, inputs=run.inputs, notes=run.notes)
        if run.measured is not None:
            from response.io.measure import write_measurements

            written += write_measurements(run.measured, out / MEASUREMENTS, keep=run.inputs)
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
    refuse_unwritable(out)
    found, notes = best_of(
        responses, protocol, subjects, decimal=None if decimal is None else decimal.value, delimiter=tab_of(delimiter)
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

    run = Run(
        Log(log.value, quiet=quiet),
        files=files,
        visits=visits,
        subjects=subjects,
        collected=collected,
        mapping=mapping,
        protocol=protocol,
    )
    refuse_unwritable(out)
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
    run = Run(
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


def _formats(text: str) -> list[str]:
    names = [name.lower() for name in names_of(text)]
    unknown = [name for name in names if name not in _FORMATS]
    if unknown or not names:
        raise InputError("--format", unknown[0] if unknown else "nothing", f"some of {', '.join(_FORMATS)}")
    return names
