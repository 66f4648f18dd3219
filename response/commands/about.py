"""The commands that need no trial: `criteria`, `template` and `protocol`."""

import csv
import io
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from response.commands.logs import Log
from response.commands.options import Debug, LogMode, LogOption, ProtocolFile, Quiet
from response.errors import InputError

if TYPE_CHECKING:
    from response.criteria.criterion import Criterion

_WIDTH = 100


def criteria(
    rules: Annotated[bool, typer.Option("--rules", help="List all rules: id, response, clause, sentence.")] = False,
    protocol: ProtocolFile = None,
    log: LogOption = LogMode.text,  # noqa: ARG001
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """List the criteria, or all their rules. With a protocol file also those that it defines."""
    from response.commands.run import checked_protocol
    from response.registry import broken_criteria, criterion_names, find_criterion

    chosen = checked_protocol(protocol)
    for finding in broken_criteria():
        typer.echo(finding.sentence, err=True)
    found = [find_criterion(name, chosen) for name in criterion_names(chosen)]
    if not rules:
        rows = [(item.name, item.title, str(sum(1 for _ in _rules(item))), _source(item)) for item in found]
        _print_table(("name", "title", "rules", "source"), rows)
        return 0
    _print_table(("rule", "response", "clause", "sentence"), [row for item in found for row in _rules(item)])
    return 0


def _source(criterion: "Criterion") -> str:
    return f"{criterion.source} (based on {criterion.based_on})" if criterion.based_on else criterion.source


def _rules(criterion: "Criterion") -> Iterable[tuple[str, str, str, str]]:
    for question in criterion.questions:
        for rule in question.rules:
            yield criterion.rule_id(question.name, rule), rule.category, rule.clause, rule.sentence
    for rule in criterion.flags:
        yield criterion.rule_id("flag", rule), "flag", rule.clause, rule.sentence


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with aligned columns; the last one is not cut, so that other programs can take it."""
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header) - 1)]
    for row in (header, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        typer.echo("  ".join([*cells, row[-1]]).rstrip())


def template(
    *,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="A .csv or .xlsx file; stdout if not given.")
    ] = None,
    visits: Annotated[bool, typer.Option("--visits", help="The table of visits.")] = False,
    subjects: Annotated[bool, typer.Option("--subjects", help="The table of subjects.")] = False,
    collected: Annotated[bool, typer.Option("--collected", help="The table of collected responses.")] = False,
    quiet: Quiet = False,
    log: LogOption = LogMode.text,
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Write an empty table to fill in. Lesion measurements, or another table, with a data dictionary."""
    from response.commands.template import dictionary, header

    chosen = [name for name, wanted in (("visits", visits), ("subjects", subjects), ("collected", collected)) if wanted]
    if len(chosen) > 1:
        raise InputError("template", f"--{' and --'.join(chosen)}", "one of --visits, --subjects, --collected")
    table = chosen[0] if chosen else "measurements"
    told = Log(log.value, quiet=quiet)
    if out is None:
        typer.echo(",".join(header(table)))
        for name, required, kind, allowed, meaning in dictionary(table):
            told.tell("column", _told(name, required, kind, allowed, meaning), column=name)
        return 0
    for path in _write_template(table, out):
        told.tell("written", f"written: {path}", file=str(path))
    return 0


def _told(name: str, required: str, kind: str, allowed: str, meaning: str) -> str:
    text = f"{name} ({kind}{', required' if required == 'yes' else ''}): {meaning}"
    text += f" [{allowed}]" if allowed else ""
    return textwrap.fill(text, _WIDTH, subsequent_indent="    ", break_long_words=False)


def _write_template(table: str, out: Path) -> list[Path]:
    from response.commands.template import DICTIONARY_COLUMNS, dictionary, header

    explained = [DICTIONARY_COLUMNS, *dictionary(table)]
    if out.suffix.lower() == ".xlsx":
        _write(out, _workbook({table: [header(table)], "dictionary": explained}))
        return [out]
    if out.suffix.lower() != ".csv":
        raise InputError(str(out), f"a name that ends in '{out.suffix}'", "a name that ends in .csv or .xlsx")
    beside = out.with_name(f"{out.stem}_dictionary.csv")
    for path, rows in ((out, [header(table)]), (beside, explained)):
        _write(path, _csv_text(rows).encode())
    return [out, beside]


def _write(path: Path, content: bytes) -> None:
    from response.io.safe_files import staged_file

    with staged_file(path) as stage:
        stage.write_bytes(content)


def _csv_text(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _workbook(sheets: dict[str, Iterable[Sequence[str]]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for row in rows:
            sheet.append(list(row))
        for place, cell in enumerate(sheet[1], start=1):
            cell.font = Font(bold=True)
            longest = max(len(str(other.value or "")) for other in next(sheet.iter_cols(place, place)))
            sheet.column_dimensions[get_column_letter(place)].width = min(longest + 2, 80)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def protocol(
    protocol: ProtocolFile = None,
    log: LogOption = LogMode.text,  # noqa: ARG001
    debug: Debug = False,  # noqa: ARG001
) -> int:
    """Print the effective options as TOML. Says what differs from the standard, and validates a protocol."""
    from response.api import as_protocol, validate
    from response.criteria.study_definitions import definition_as_toml
    from response.imaging.options import MeasureOptions
    from response.protocol import Schedule, as_toml, differences, toml_value
    from response.registry import criterion_names, find_criterion, study_criteria

    chosen = as_protocol(protocol)
    validate(chosen)
    own = study_criteria(chosen)
    options = {name: chosen.options(name, find_criterion(name, chosen).options) for name in criterion_names(chosen)}
    options["schedule"] = chosen.options("schedule", Schedule)
    options["measure"] = chosen.options("measure", MeasureOptions)
    lines = [f"#   [criterion.{name}] {item.scope}" for name, item in own.items()]
    lines += [
        f"#   [{name}] {key} = {toml_value(effective)} (standard: {toml_value(standard)})"
        for name, found in options.items()
        for key, (standard, effective) in differences(found).items()
    ]
    told = "differs from the standard in:" if lines else "is the standard"
    typer.echo("\n".join([f"# The protocol {chosen.name} {told}" if lines else f"# This {told}.", *lines, ""]))
    tables = {name: as_toml(name, found) for name, found in options.items()}
    for name, item in own.items():
        words = f"# options of {item.based_on}, told in its words; the thresholds stand in [criterion.{name}]"
        tables[name] = f"{definition_as_toml(item)}\n{words}\n{tables[name]}"
    typer.echo("\n".join(tables.values()), nl=False)
    sys.stdout.flush()
    return 0
