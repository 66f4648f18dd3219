"""The results folder: tables as CSV, Excel and Parquet, the findings, and a manifest that says what was done."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, Self

from response.errors import OutputError
from response.findings import Finding
from response.io.manifest import manifest
from response.io.safe_files import staged_folder
from response.report.ancillary import has_ancillary
from response.report.columns import Columns, NumberColumn, ResultTable, arrow_batch, cell_texts, rows_of
from response.report.tables import (
    ancillary_table,
    concordance_table,
    criteria_table,
    finding_table,
    lesion_table,
    subject_table,
    timepoint_table,
)
from response.report.texts import arrow, arrow_text, arrow_texts, as_texts, text_list
from response.table import TextColumn

if TYPE_CHECKING:
    from response.engine import Assessment

FORMATS: Final = ("csv", "xlsx", "parquet")
MANIFEST: Final = "manifest.json"
WORKBOOK: Final = "results.xlsx"
EXCEL_ROWS: Final = 1_048_576  # a sheet has no more

# A cell that begins so is a formula to a spreadsheet; a plain number is none, whatever its sign.
_FORMULA: Final = re.compile(r"^[=+\-@\t\r]")
_PLAIN_NUMBER: Final = re.compile(r"^[+-]?\d+([.,]\d+)?$")
_NOT_IN_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TO_QUOTE: Final = re.compile(r'[",\r\n]')


def write_results(
    assessment: "Assessment",
    folder: Path | str,
    *,
    formats: Iterable[str] = ("csv",),
    inputs: Sequence[Path | str] = (),
    notes: Sequence[str] = (),
    command: Sequence[str] | None = None,
) -> list[Path]:
    """Write the results of a trial into a folder, whole or not at all.

    Parameters
    ----------
    assessment
        The trial.
    folder
        Made if needed; files of an earlier run are replaced at the end, all at once.
    formats
        Of the tables: some of `FORMATS`. `findings.csv` and `manifest.json` are always there.
    inputs
        The files that were read, for the manifest; they are never written over.
    notes
        What the reader decided, for the manifest: columns mapped and so on.
    command
        The command line, for the manifest; that of this process if not given.

    Returns
    -------
    list of Path
        The files, in the order of their names.

    Raises
    ------
    OutputError
        If they cannot be written, for instance because the disk is full.
    MissingExtraError
        If Parquet is asked for and pyarrow is not installed.
    """
    chosen = _checked(formats)
    findings = assessment.found
    read, measured = [Path(path) for path in inputs], assessment.timeline.measurements
    with staged_folder(Path(folder), keep=read) as stage:
        tables = {
            "timepoints": timepoint_table(assessment),
            "subjects": subject_table(assessment),
            "lesions": lesion_table(assessment),
            **_comparing(assessment),
            **({"ancillary": ancillary_table(assessment)} if has_ancillary(measured) else {}),
            "findings": finding_table(findings),
        }
        write_tables(tables, stage, [*chosen, *(["findings"] if "csv" not in chosen else [])])
        names = sorted([*(path.name for path in stage.iterdir()), MANIFEST])
        told = manifest(assessment, findings, inputs=read, notes=notes, command=command, files=names)
        (stage / MANIFEST).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [Path(folder) / name for name in names]


def _comparing(assessment: "Assessment") -> dict[str, ResultTable]:
    """Return the tables that compare criteria; one criterion alone has nothing to be compared with."""
    if len(assessment.results) < 2:
        return {}
    return {"criteria": criteria_table(assessment), "concordance": concordance_table(assessment)}


def left_from_before(folder: Path | str, written: Sequence[Path]) -> list[str]:
    """Return the names of results in a folder that an earlier run wrote, and this one did not."""
    tables = ("timepoints", "subjects", "lesions", "criteria", "concordance", "ancillary", "findings")
    names = [f"{table}.{suffix}" for table in tables for suffix in ("csv", "parquet")]
    now = {path.name for path in written}
    return [name for name in (*names, WORKBOOK, "findings.xlsx") if name not in now and (Path(folder) / name).exists()]


def write_findings(
    findings: Sequence[Finding], folder: Path | str, *, formats: Iterable[str] = ("csv",), keep: Sequence[Path] = ()
) -> list[Path]:
    """Write findings as `findings.csv` and `findings.xlsx`, sorted by site and subject, to be sent to the sites.

    Parameters
    ----------
    findings
        In any order.
    folder
        Made if needed.
    formats
        Some of `FORMATS`.
    keep
        Files that are never written over.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    chosen = _checked(formats)
    with staged_folder(Path(folder), keep=keep) as stage:
        table = finding_table(findings, for_sites=True)
        write_tables({"findings": table}, stage, chosen, workbook="findings.xlsx")
        names = sorted(path.name for path in stage.iterdir())
    return [Path(folder) / name for name in names]


def _checked(formats: Iterable[str]) -> list[str]:
    chosen: list[str] = [name for name in FORMATS if name in set(formats)]
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown or not chosen:
        raise OutputError(f"unknown format {', '.join(unknown) or '(none)'}; expected some of {', '.join(FORMATS)}")
    if "parquet" in chosen and arrow() is None:
        from response.errors import MissingExtraError

        raise MissingExtraError("writing Parquet", "pyarrow", "parquet")
    return chosen


# --- tables


class _Writer(Protocol):
    """Writes the batches of one table after the other."""

    def write(self, batch: Columns) -> None: ...

    def close(self) -> None: ...


def write_tables(
    tables: Mapping[str, ResultTable], folder: Path, formats: Sequence[str], *, workbook: str = WORKBOOK
) -> None:
    """Write each table in each format; every batch is made once. Of `findings` as a format: that table as CSV."""
    with _Workbook(folder / workbook) if "xlsx" in formats else nullcontext() as book:
        _write_each(tables, folder, formats, book)


def _write_each(
    tables: Mapping[str, ResultTable], folder: Path, formats: Sequence[str], book: "_Workbook | None"
) -> None:
    for name, table in tables.items():
        with ExitStack() as stack:
            writers: list[_Writer] = []
            if "csv" in formats or name in formats:
                writers.append(_CsvWriter(stack.enter_context((folder / f"{name}.csv").open("wb"))))
            if "parquet" in formats:
                writers.append(_ParquetWriter(folder / f"{name}.parquet"))
            if book is not None:
                writers.append(book.sheet(name))
            for batch in table.batches():
                for writer in writers:
                    writer.write(batch)
            for writer in writers:
                writer.close()


class _CsvWriter:
    """RFC 4180 with a line feed, UTF-8; texts that a spreadsheet would take for formulas get a leading quote mark."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.begun = file, False

    def write(self, batch: Columns) -> None:
        if not self.begun:
            self.file.write((",".join(batch) + "\n").encode())
            self.begun = True
        if rows_of(batch):
            self.file.write(_csv_lines(batch))

    def close(self) -> None:
        """Leave the file to whoever opened it."""


def _csv_lines(batch: Columns) -> bytes:
    columns = [_csv_texts(column) for column in batch.values()]
    pa = arrow()
    if pa is None:
        return "".join([",".join(row) + "\n" for row in zip(*map(text_list, columns), strict=True)]).encode()
    columns[-1] = pa.compute.binary_join_element_wise(columns[-1], arrow_text("\n"), arrow_text(""))
    lines = pa.compute.binary_join_element_wise(*columns, arrow_text(","))
    offsets = lines.buffers()[1], lines.offset
    start, stop = (int(_offset(offsets, place)) for place in (0, len(lines)))
    return bytes(lines.buffers()[2][start:stop])


def _offset(offsets: tuple[Any, int], place: int) -> int:
    import numpy as np

    buffer, shift = offsets
    return int(np.frombuffer(buffer, np.int32, 1, (place + shift) * 4)[0])


def _csv_texts(column: Any) -> Any:
    if isinstance(column, NumberColumn):
        return as_texts(column.text_column())
    if isinstance(column, TextColumn):
        return as_texts(TextColumn(column.codes, [csv_cell(text) for text in column.values]))
    return _guarded(column)


def csv_cell(text: str) -> str:
    """Return a text as a cell of a CSV file: quoted where needed, and never a formula."""
    safe = f"'{text}" if _FORMULA.match(text) and not _PLAIN_NUMBER.match(text) else text
    return '"' + safe.replace('"', '""') + '"' if _TO_QUOTE.search(safe) else safe


def _guarded(texts: Any) -> Any:
    """Return long texts as cells; only those that need it are looked at one by one."""
    pa = arrow()
    if pa is None or not isinstance(texts, pa.Array):
        import numpy as np

        return np.asarray([*(csv_cell(text) for text in text_list(texts)), ""], object)[:-1]
    odd = pa.compute.match_substring_regex(texts, r'[",\r\n]|^[=+\-@\t]')
    if not pa.compute.any(odd).as_py():
        return texts
    replaced = arrow_texts([csv_cell(text) for text in texts.filter(odd).to_pylist()])
    return pa.compute.replace_with_mask(texts, odd, replaced)


class _ParquetWriter:
    """Parquet with dictionaries for coded texts; statistics are left out, for no one filters by a sentence."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer: Any = None

    def write(self, batch: Columns) -> None:
        import pyarrow.parquet

        made = arrow_batch(batch)
        if self.writer is None:
            coded = [name for name, column in batch.items() if isinstance(column, TextColumn)]
            plain = {name for name, column in batch.items() if isinstance(column, (TextColumn, NumberColumn))}
            packed = {name: "none" if name in plain else "lz4" for name in batch}  # numbers pack badly, codes are small
            self.writer = pyarrow.parquet.ParquetWriter(
                self.path, made.schema, compression=packed, use_dictionary=coded, write_statistics=False
            )
        self.writer.write_batch(made)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


class _Workbook:
    """One Excel file, a sheet per table; a table with more rows than a sheet goes on in another one."""

    def __init__(self, path: Path) -> None:
        from openpyxl import Workbook

        self.path = path
        self.book = Workbook(write_only=True)

    def sheet(self, name: str) -> "_SheetWriter":
        return _SheetWriter(self.book, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        """Save the workbook; after a failure close its sheets, which would complain when they are thrown away."""
        try:
            if not failed:
                self.book.save(self.path)
                return
        except BaseException:
            self._abandon()
            raise
        self._abandon()

    def _abandon(self) -> None:
        for sheet in self.book.worksheets:
            with suppress(Exception):  # a sheet that was closed before, or a full disk: it is not kept anyway
                sheet.close()


class _SheetWriter:
    def __init__(self, book: Any, name: str) -> None:
        self.book, self.name = book, name
        self.sheets = 0
        self.rows = EXCEL_ROWS
        self.target: Any = None

    def write(self, batch: Columns) -> None:
        columns = [_excel_cells(column) for column in batch.values()]
        for row in zip(*columns, strict=True) if rows_of(batch) else ():
            if self.rows >= EXCEL_ROWS:
                self._begin(batch)
            self.target.append([self._cell(value) for value in row])
            self.rows += 1
        if self.target is None:
            self._begin(batch)

    def _begin(self, batch: Columns) -> None:
        self.sheets += 1
        self.target = self.book.create_sheet(self.name if self.sheets == 1 else f"{self.name} {self.sheets}")
        self.target.freeze_panes = "A2"
        self.target.append(list(batch))
        self.rows = 1

    def _cell(self, value: Any) -> Any:
        if not isinstance(value, str) or value[:1] not in ("=", "#"):
            return value
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(self.target, value=value)
        cell.data_type = "s"  # a text, whatever it looks like
        return cell

    def close(self) -> None:
        """Leave the workbook to be saved."""


def _excel_cells(column: Any) -> list[Any]:
    if isinstance(column, NumberColumn):
        values = column.values if not column.decimals else column.floats()
        return [value if known else None for value, known in zip(values.tolist(), column.known.tolist(), strict=True)]
    return [_NOT_IN_XML.sub("", text) or None for text in cell_texts(column)]
