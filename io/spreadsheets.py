"""Excel sheets, every cell as text: numbers as short as they are exact, dates as ISO, formulas by their result."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from response.errors import InputError
from response.io.raw import RawTable, checked_header
from response.io.values import column_of_values, text_of_value

_TITLE_ROWS: Final = 20  # a header stands within the first rows, perhaps under a title

Rows = list[list[Any]]


def read_spreadsheet(
    path: Path, *, sheet: str | None, is_known: Callable[[str], bool], required: Callable[[Sequence[str]], int]
) -> RawTable:
    """Read one sheet.

    Parameters
    ----------
    path
        An xlsx file (xls, xlsm and xlsb can be read too).
    sheet
        Its name; without it the one sheet that has the required columns.
    is_known
        Whether a header is a known column or alias.
    required
        How many required columns some headers lack.

    Raises
    ------
    InputError
        If the file is damaged, or the sheet is not clear.
    """
    sheets = _sheets(path, sheet)
    used = {name: rows for name, rows in sheets.items() if any(_is_used(row) for row in rows)}
    if not used:
        raise InputError(str(path), "no cell with a value", "a header and rows", "was the export complete?")
    name = _chosen(path, {name: _header_of(rows, is_known) for name, rows in used.items()}, required)
    file = str(path) if len(used) == 1 and sheet is None else f"{path}[{name}]"
    notes = [f"sheet: {name}"] if len(sheets) > 1 else []
    return _table(file, used[name], _header_position(used[name], is_known), notes)


def _sheets(path: Path, sheet: str | None) -> dict[str, Rows]:
    import python_calamine

    try:
        with python_calamine.load_workbook(str(path)) as book:
            names = list(book.sheet_names)
            if sheet is not None and sheet not in names:
                raise InputError(
                    str(path), f"no sheet '{sheet}'", f"one of {', '.join(names)}", "name one of these with --sheet"
                )
            # Blank cells above and left of the used area are kept, so that rows have their line numbers.
            return {
                name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
                for name in names
                if sheet in (None, name)
            }
    except python_calamine.CalamineError as error:
        raise InputError(
            str(path),
            f"an Excel file that cannot be read ({error})",
            "an xlsx file without password",
            "save it as xlsx without a password, or as CSV",
        ) from None


def _chosen(path: Path, headers: dict[str, list[str]], required: Callable[[Sequence[str]], int]) -> str:
    if len(headers) == 1:
        return next(iter(headers))
    complete = [name for name, header in headers.items() if required(header) == 0]
    if len(complete) == 1:
        return complete[0]
    found = "several sheets have" if complete else "no sheet has"
    raise InputError(
        str(path),
        f"{found} the required columns, among {', '.join(complete or headers)}",
        "one sheet to read",
        "name it with --sheet",
    )


def _is_used(row: Sequence[Any]) -> bool:
    return any(text_of_value(cell) for cell in row)


def _header_of(rows: Rows, is_known: Callable[[str], bool]) -> list[str]:
    return [text_of_value(cell) for cell in rows[_header_position(rows, is_known)]]


def _header_position(rows: Rows, is_known: Callable[[str], bool]) -> int:
    """Return the row with the most known headers among the first, else the first that is used."""
    used = [position for position, row in enumerate(rows) if _is_used(row)]
    near = [position for position in used if position < used[0] + _TITLE_ROWS]
    return max(near, key=lambda position: sum(is_known(text_of_value(cell)) for cell in rows[position]))


def _table(file: str, rows: Rows, position: int, notes: list[str]) -> RawTable:
    cells = [text_of_value(cell) for cell in rows[position]]
    width = max((number for number, cell in enumerate(cells, start=1) if cell), default=0)
    body = rows[position + 1 :]
    width = max([width, *(_used_width(row) for row in body)])
    names, blank = checked_header(file, [*cells, *[""] * (width - len(cells))][:width], position + 1)
    columns = [column_of_values(row[column] for row in body) for column in range(width)]
    lines = np.arange(position + 2, position + 2 + len(body), dtype=np.int32)
    if position:
        notes = [*notes, f"header: row {position + 1}"]
    return RawTable(file, names, columns, lines, notes=notes, blank_names=blank)


def _used_width(row: Sequence[Any]) -> int:
    return max((number for number, cell in enumerate(row, start=1) if cell not in (None, "")), default=0)
