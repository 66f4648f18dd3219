"""Excel, Parquet and data frames: typed values as short exact text, sheets, lines, damaged files."""

import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from response.columns import SUBJECT_COLUMNS
from response.errors import InputError, MissingExtraError
from response.io.tables import read_table, table_from_frame
from response.io.values import text_of_value
from response.table import TextTable

HEADER = ["subject", "timepoint", "date", "lesion", "role", "longest_mm"]
ROW = ["001", 1, date(2020, 1, 31), "T1", "target", 21.0]
TEXTS = ("001", "1", "2020-01-31", "T1", "target", "21")


def rows_of(table: TextTable) -> list[tuple[str, ...]]:
    return [tuple(table.columns[name].text(row) for name in HEADER) for row in range(len(table))]


VALUES = [
    # id                        value                            text
    ("whole float", 21.0, "21"),
    ("decimal fraction", 32.4, "32.4"),
    ("sum of floats, exactly", 0.1 + 0.2, "0.30000000000000004"),
    ("single precision", np.float32(32.4), "32.4"),
    ("large", 1e16, "10000000000000000"),
    ("small", 1e-7, "0.0000001"),
    ("minus nothing", -0.0, "0"),
    ("not a number", float("nan"), ""),
    ("infinite", float("-inf"), "-inf"),
    ("whole number", np.int64(7), "7"),
    ("true", True, "TRUE"),
    ("numpy false", np.False_, "FALSE"),
    ("decimal", Decimal("32.40"), "32.4"),
    ("date", date(2020, 1, 31), "2020-01-31"),
    ("midnight", datetime(2020, 1, 31), "2020-01-31"),
    ("time of day", datetime(2020, 1, 31, 8, 5), "2020-01-31T08:05:00"),
    ("numpy date", np.datetime64("2020-01-31"), "2020-01-31"),
    ("pandas time", pd.Timestamp("2020-01-31"), "2020-01-31"),
    ("no time", pd.NaT, ""),
    ("no numpy time", np.datetime64("NaT", "D"), ""),
    ("pandas missing", pd.NA, ""),
    ("nothing", None, ""),
    ("text", " NA ", "NA"),
]


@pytest.mark.parametrize(("value", "text"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES])
def test_values_are_written_as_a_person_would(value: Any, text: str) -> None:
    assert text_of_value(value) == text


def write_book(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("name", ["trial.xlsx", "trial.csv"])  # content counts, not the name
def test_excel(tmp_path: Path, name: str) -> None:
    path = write_book(tmp_path / "trial.xlsx", Data=[HEADER, ROW]).rename(tmp_path / name)
    read = read_table(path)
    assert rows_of(read.table) == [TEXTS]
    assert read.table.where(0) == (str(path), 2)


def test_excel_blank_rows_and_columns_are_dropped_and_lines_kept(tmp_path: Path) -> None:
    path = write_book(tmp_path / "t.xlsx", Data=[[*HEADER, None, " "], ROW, [None] * 6, [*ROW, None, None, ""], [" "]])
    table = read_table(path).table
    assert list(table.columns) == HEADER
    assert table.lines.tolist() == [2, 4]


def test_excel_title_above_the_header(tmp_path: Path) -> None:
    path = write_book(tmp_path / "t.xlsx", Data=[[None], ["Study X, data cut 3"], [], HEADER, ROW])
    table = read_table(path).table
    assert rows_of(table) == [TEXTS]
    assert table.lines.tolist() == [5]
    assert "header: row 4" in table.notes


def test_excel_formulas_count_by_their_result_and_text_stays_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADER)
    sheet.append([*ROW[:5], "'=1+1"])
    sheet["F3"].value, sheet["F3"].data_type = "=1+1", "s"
    sheet["A3"], sheet["F4"], sheet["A4"] = "002", "=F2*2", "003"  # openpyxl writes no result: the cell is blank
    book.save(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx").table.columns["longest_mm"].texts() == ["'=1+1", "=1+1", ""]


def test_excel_takes_the_sheet_with_the_required_columns(tmp_path: Path) -> None:
    path = write_book(
        tmp_path / "t.xlsx", Readme=[["about"], ["text"]], Lesions=[HEADER, ROW], Subjects=[["USUBJID"], ["001"]]
    )
    read = read_table(path)
    assert rows_of(read.table) == [TEXTS]
    assert read.table.where(0) == (f"{path}[Lesions]", 2)
    assert "sheet: Lesions" in read.table.notes
    assert read_table(path, sheet="Subjects", columns=SUBJECT_COLUMNS).table.columns["subject"].texts() == ["001"]


SHEETS = [
    # id                          sheets                                                    asked    told
    ("two would do", {"A": [HEADER, ROW], "B": [HEADER, ROW]}, None, "several sheets.*A, B.*--sheet"),
    ("none would do", {"A": [["x"], [1]], "B": [["y"], [2]]}, None, "no sheet has.*A, B"),
    ("unknown sheet", {"A": [HEADER, ROW]}, "Z", "no sheet 'Z'.*one of A"),
    ("nothing in it", {"A": []}, None, "no cell with a value"),
    ("header only", {"A": [HEADER]}, None, "no rows"),
    ("duplicate headers", {"A": [[*HEADER, "date"], [*ROW, 1]]}, None, "two headers 'date'"),
]


@pytest.mark.parametrize(("sheets", "asked", "told"), [case[1:] for case in SHEETS], ids=[case[0] for case in SHEETS])
def test_excel_files_that_are_refused(tmp_path: Path, sheets: dict[str, Any], asked: str | None, told: str) -> None:
    path = write_book(tmp_path / "t.xlsx", **sheets)
    with pytest.raises(InputError, match=told):
        read_table(path, sheet=asked)


def test_a_damaged_excel_file(tmp_path: Path) -> None:
    path = write_book(tmp_path / "t.xlsx", A=[HEADER, ROW])
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match="damaged"):
        read_table(path)
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000)
    with pytest.raises(InputError, match="without password"):
        read_table(path)


def frame_of(rows: int = 3) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "subject": ["001", "001", None][:rows],
            "timepoint": [1, 2, 3][:rows],
            "date": [pd.Timestamp("2020-01-31"), pd.Timestamp("2020-03-01"), pd.NaT][:rows],
            "lesion": pd.Categorical(["T1", "T1", "T1"])[:rows],
            "role": ["target", " target ", "target"][:rows],
            "longest_mm": [21.0, 32.4, np.nan][:rows],
        }
    )


FRAME_ROWS = [
    ("001", "1", "2020-01-31", "T1", "target", "21"),
    ("001", "2", "2020-03-01", "T1", "target", "32.4"),
    ("", "3", "", "T1", "target", ""),
]


def test_frames() -> None:
    read = table_from_frame(frame_of())
    assert rows_of(read.table) == FRAME_ROWS
    assert read.table.where(2) == ("DataFrame", 4)
    renamed = table_from_frame(frame_of().rename(columns={"subject": "who"}), "trial", mapping={"subject": "who"})
    assert rows_of(renamed.table) == FRAME_ROWS
    assert "subject: column 'who'" in renamed.table.notes


def test_frames_with_mixed_and_extension_columns() -> None:
    frame = frame_of(2)
    frame["accepted"] = pd.array([True, None], dtype="boolean")
    frame["slice_thickness_mm"] = pd.array([5, None], dtype="Int64")
    frame["reason"] = pd.Series([1, True], dtype=object)
    table = table_from_frame(frame).table
    assert table.columns["accepted"].texts() == ["TRUE", ""]
    assert table.columns["slice_thickness_mm"].texts() == ["5", ""]
    assert table.columns["reason"].texts() == ["1", "TRUE"]


def test_a_frame_without_rows() -> None:
    with pytest.raises(InputError, match="no rows"):
        table_from_frame(frame_of(0))


def write_parquet(path: Path, **kinds: Any) -> Path:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.Table.from_pandas(frame_of(), preserve_index=False)
    for name, kind in kinds.items():
        table = table.set_column(table.column_names.index(name), name, table.column(name).cast(kind(pa)))
    pq.write_table(table, path, row_group_size=2)
    return path


PARQUET_KINDS = [
    ("as pandas wrote it", {}),
    ("single precision", {"longest_mm": lambda pa: pa.float32()}),
    ("decimals", {"longest_mm": lambda pa: pa.decimal128(10, 3)}),
    ("days", {"date": lambda pa: pa.date32()}),
    ("long strings", {"role": lambda pa: pa.large_string()}),
    ("small whole numbers", {"timepoint": lambda pa: pa.int8()}),
    ("numbers as text", {"timepoint": lambda pa: pa.string()}),
]


@pytest.mark.parametrize("kinds", [case[1] for case in PARQUET_KINDS], ids=[case[0] for case in PARQUET_KINDS])
def test_parquet(tmp_path: Path, kinds: dict[str, Any]) -> None:
    table = read_table(write_parquet(tmp_path / "t.parquet", **kinds)).table
    assert rows_of(table) == FRAME_ROWS
    assert table.lines.tolist() == [2, 3, 4]


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(InputError, match="cannot be read"):
        read_table(path)


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_parquet(tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"tumor-response\[parquet\]"):
        read_table(path)


def test_the_same_trial_in_every_kind_of_file(tmp_path: Path) -> None:
    frame = frame_of(2)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    paths = [tmp_path / "t.csv", tmp_path / "t.tsv", tmp_path / "t.xlsx", write_parquet(tmp_path / "t.parquet")]
    expected = [tuple(text if text != "21.0" else "21" for text in row) for row in FRAME_ROWS[:2]]
    for path in paths:
        rows = [tuple(text if text != "21.0" else "21" for text in row) for row in rows_of(read_table(path).table)[:2]]
        assert rows == expected  # to_csv writes 21.0
