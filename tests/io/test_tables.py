"""Text tables: layout, lines, decimal marks, the same table by every way of reading, and broken input."""

import sys
from pathlib import Path
from typing import Any

import pytest

from response.columns import COLLECTED_COLUMNS, SUBJECT_COLUMNS
from response.errors import InputError
from response.io import raw as raw_module
from response.io import sniffing, text_files
from response.io.tables import ReadTable, read_table, read_tables
from response.measurements import Measurements
from response.table import TextTable

HEADER = "subject,timepoint,lesion,role,longest_mm"


@pytest.fixture(params=["arrow", "pandas"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Read with pyarrow, and as if it were not installed."""
    if request.param == "pandas":
        monkeypatch.setitem(sys.modules, "pyarrow.csv", None)
    return str(request.param)


def write(folder: Path, content: str | bytes, name: str = "trial.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows_of(table: TextTable) -> list[tuple[str, ...]]:
    names = list(table.columns)
    return [tuple(table.columns[name].text(row) for name in names) for row in range(len(table))]


LAYOUTS = [
    # id                                  content                                                       a note
    ("comma", f"{HEADER}\nS1,1,T1,target,21.5\n".encode(), "delimiter: comma"),
    ("semicolon", f"{HEADER}\nS1,1,T1,target,21.5\n".replace(",", ";").encode(), "delimiter: semicolon"),
    ("tab", f"{HEADER}\nS1,1,T1,target,21.5\n".replace(",", "\t").encode(), "delimiter: tab"),
    ("bar", f"{HEADER}\nS1,1,T1,target,21.5\n".replace(",", "|").encode(), "delimiter: '|'"),
    ("UTF-8 with BOM", f"{HEADER}\nS1,1,T1,target,21.5\n".encode("utf-8-sig"), "delimiter: comma"),
    ("UTF-16", f"{HEADER}\nS1,1,T1,target,21.5\n".encode("utf-16"), "encoding: utf-16"),
    ("Windows line ends", f"{HEADER}\r\nS1,1,T1,target,21.5\r\n".encode(), "delimiter: comma"),
    ("no line end at the end", f"{HEADER}\nS1,1,T1,target,21.5".encode(), "delimiter: comma"),
    ("quotes", b'"subject","timepoint","lesion","role","longest_mm"\n"S1","1","T1","target","21.5"\n', "comma"),
    ("blanks around cells", b"subject, timepoint ,lesion,role,longest_mm\n S1,1 ,T1, target,21.5 \n", "comma"),
    ("Excel's sep line", f"sep=;\n{HEADER}\nS1,1,T1,target,21.5\n".replace(",", ";").encode(), "semicolon"),
    ("blank lines at the end", f"{HEADER}\nS1,1,T1,target,21.5\n\n\n".encode(), "comma"),
    ("blank rows of a spreadsheet", f"{HEADER}\nS1,1,T1,target,21.5\n,,,,\n,,,,\n".encode(), "comma"),
    ("blank columns of a spreadsheet", f"{HEADER},,\nS1,1,T1,target,21.5,,\n".encode(), "comma"),
    ("delimiters too many at the end of a row", f"{HEADER}\nS1,1,T1,target,21.5,,\n".encode(), "comma"),
]


@pytest.mark.parametrize(("content", "note"), [case[1:] for case in LAYOUTS], ids=[case[0] for case in LAYOUTS])
def test_layouts_give_the_same_table(tmp_path: Path, engine: str, content: bytes, note: str) -> None:
    read = read_table(write(tmp_path, content))
    assert list(read.table.columns) == HEADER.split(",")
    assert rows_of(read.table) == [("S1", "1", "T1", "target", "21.5")]
    assert note in " ".join(read.table.notes)
    assert not read.findings


def test_texts_stay_as_they_are(tmp_path: Path, engine: str) -> None:
    cells = ["NA", "001", "null", "NaN", "1e5", "", "True", "=1+1", "<5", "2020-01-01"]
    path = write(tmp_path, HEADER + "\n" + "".join(f"S1,1,{cell or 'x'},target,{cell}\n" for cell in cells))
    assert read_table(path).table.columns["longest_mm"].texts() == cells


def test_a_formula_is_a_finding_and_never_a_number(tmp_path: Path) -> None:
    read = read_table(write(tmp_path, f"{HEADER}\nS1,1,T1,target,=1+1\n"))
    (finding,) = Measurements.from_table(read.table).findings
    assert (finding.found, finding.line, finding.column) == ("=1+1", 2, "longest_mm")


def test_latin_1_is_read_and_told(tmp_path: Path, engine: str) -> None:
    read = read_table(
        write(tmp_path, "subject,timepoint,lesion,role,organ\nS1,1,T1,target,Nebenniere für\n".encode("latin-1"))
    )
    assert read.table.columns["organ"].text(0) == "Nebenniere für"
    assert any("Latin-1" in note for note in read.table.notes)


def test_latin_1_far_down_is_read_too(tmp_path: Path, engine: str) -> None:
    rows = "S1,1,T1,target,Leber und Milz mit langem Text\n" * 40_000  # the first bad byte lies beyond what is sniffed
    content = "subject,timepoint,lesion,role,organ\n" + rows + "S1,1,T1,target,Hüfte\n"
    read = read_table(write(tmp_path, content.encode("latin-1")))
    assert read.table.columns["organ"].text(40_000) == "Hüfte"
    assert any("Latin-1" in note for note in read.table.notes)


LINES = [
    # id, body, lines of the good rows, of the bad
    ("rows one after another", "S1,1,T1,target,1\nS1,2,T1,target,2\n", [2, 3], []),
    ("a blank line between", "S1,1,T1,target,1\n\nS1,2,T1,target,2\n", [2, 4], []),
    ("a line end inside quotes", 'S1,1,"T\n1",target,1\nS1,2,T1,target,2\n', [2, 4], []),
    ("a row too long", "S1,1,T1,target,1,x\nS1,2,T1,target,2\n", [3], [2]),
    ("a row too short", "S1,1,T1,target,1\nS1,2\nS1,3,T1,target,2\n", [2, 4], [3]),
    ("a quoted delimiter fits", 'S1,1,"T1, left",target,1\n', [2], []),
    ("a blank row between", "S1,1,T1,target,1\n,,,,\nS1,2,T1,target,2\n", [2, 4], []),
]


@pytest.mark.parametrize(("body", "good", "bad"), [case[1:] for case in LINES], ids=[case[0] for case in LINES])
def test_lines_are_those_of_the_file(tmp_path: Path, engine: str, body: str, good: list[int], bad: list[int]) -> None:
    path = write(tmp_path, f"{HEADER}\n{body}")
    read = read_table(path)
    assert read.table.lines.tolist() == good
    assert [(finding.id, finding.file, finding.line) for finding in read.findings] == [
        ("unusable_row", str(path), line) for line in bad
    ]


def test_a_header_with_a_line_end_shifts_the_lines(tmp_path: Path, engine: str) -> None:
    path = write(tmp_path, '\nsubject,timepoint,lesion,role,"longest\n_mm"\nS1,1,T1,target,5\nS1,2,T1,target,6\n')
    read = read_table(path)
    assert read.table.lines.tolist() == [4, 5]
    assert read.table.columns["longest_mm"].texts() == ["5", "6"]


DECIMALS = [
    # id                                       delimiter cells                       mark
    ("points", ",", ["1.5", "2"], "."),
    ("commas in quotes, no points", ",", ["1,5", "2"], ","),
    ("commas beside semicolons", ";", ["1,5", "2"], ","),
    ("commas beside semicolons, one point", ";", ["1,5", "2.5"], ","),
    ("points beside semicolons", ";", ["1.5", "2"], "."),
    ("both: ambiguous, the cell fails later", ",", ["1,5", "2.5"], "."),
    ("only thousands: ambiguous", ",", ["1,500", "1,250"], "."),
    ("words do not count", ";", ["NE", "<5"], "."),
    ("below a limit with a comma", "\t", ["<2,5", "7"], ","),
]


@pytest.mark.parametrize(
    ("delimiter", "cells", "mark"), [case[1:] for case in DECIMALS], ids=[case[0] for case in DECIMALS]
)
def test_the_decimal_mark_is_found(tmp_path: Path, delimiter: str, cells: list[str], mark: str) -> None:
    rows = [["subject", "timepoint", "lesion", "role", "longest_mm"]]
    rows += [["S1", str(number), "T1", "target", f'"{cell}"'] for number, cell in enumerate(cells)]
    read = read_table(write(tmp_path, "\n".join(delimiter.join(row) for row in rows)))
    assert read.decimal == mark
    assert any("decimal" in note for note in read.table.notes) == any("," in cell for cell in cells)
    assert read_table(write(tmp_path, "\n".join(delimiter.join(row) for row in rows)), decimal=".").decimal == "."


def test_tables_with_other_decimal_marks_stand_under_each_other(tmp_path: Path) -> None:
    first = write(tmp_path, f"{HEADER}\nS1,1,T1,target,21.5\n", "a.csv")
    second = write(tmp_path, f"{HEADER}\nS2,1,T1,target,'\n".replace(",", ";").replace("'", "9,5"), "b.csv")
    read = read_tables([first, second])
    assert (read.decimal, read.table.columns["longest_mm"].texts()) == (".", ["21.5", "9.5"])
    assert read.table.where(1) == (str(second), 2)
    assert f"{first}: delimiter: comma" in read.table.notes


def test_many_distinct_texts_give_the_same_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, f"{HEADER},source\n" + "".join(f"S{i},1,T1,target,{i}, uid.{i} \n" for i in range(50)))
    monkeypatch.setattr(text_files, "_MANY_TEXTS", 10)
    lazy = read_table(path).table
    assert isinstance(lazy.columns["source"].values, raw_module.ArrowTexts)
    assert isinstance(lazy.columns["subject"].values, list)  # rows are put together by it
    assert lazy.columns["source"].texts() == [f"uid.{i}" for i in range(50)]
    assert list(lazy.columns["source"].values[3:5]) == ["uid.3", "uid.4"]


def test_other_kinds_of_tables(tmp_path: Path) -> None:
    subjects = read_table(write(tmp_path, "USUBJID,SITEID,TRTSDT\nS1,7,2020-01-01\n"), columns=SUBJECT_COLUMNS)
    assert list(subjects.table.columns) == ["subject", "site", "treatment_start"]
    only = read_table(write(tmp_path, "subject\nS1\nS2\n"), columns=SUBJECT_COLUMNS)
    assert only.table.columns["subject"].texts() == ["S1", "S2"]
    collected = read_table(
        write(tmp_path, "SUBJID,RCDT,RCRESP,RCTLSUM\nS1,2020-01-01,2,40\n"), columns=COLLECTED_COLUMNS
    )
    assert list(collected.table.columns) == ["subject", "date", "overall", "sum_mm", "timepoint"]


BROKEN = [
    # id                         content                                              found             told
    ("empty file", b"", "an empty file", "export"),
    ("blanks only", b"\n\n  \n", "an empty file", "export"),
    ("header only", HEADER.encode() + b"\n", "no rows", "one row per lesion"),
    ("header and blank lines", HEADER.encode() + b"\n\n,,,,\n", "no rows", "one row per lesion"),
    ("no delimiter at all", b"subject timepoint lesion\nS1 1 T1\n", "one column only", "--delimiter"),
    ("NUL bytes", b"subject,timepoint\0\x01\x02\nS1,1\n", "binary", "is it the right file"),
    ("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary", "CSV"),
    ("zip that is no xlsx", b"PK\x03\x04 and so on", "zip", "copy or export it again"),
    ("gzip", b"\x1f\x8b\x08\0", "gzip", "unpack"),
    ("web page named csv", b"<html><table></table></html>", "HTML", "xlsx or CSV"),
    ("10,000 columns", ",".join(f"c{i}" for i in range(10_000)).encode() + b"\n1\n", "10000 columns", "at most"),
    (
        "duplicate headers",
        b"subject,timepoint,lesion,role,lesion\nS1,1,T1,target,T1\n",
        "two headers 'lesion'",
        "3 and 5",
    ),
    ("two aliases of one column", b"patient,subject_id,lesion\nS1,S1,T1\n", "'patient' and 'subject_id'", "subject"),
    ("no row fits", b"subject,timepoint,lesion,role\nS1,1\nS2,1\n", "none of the rows", "4 cells"),
    (
        "a quote that is never closed",
        f'{HEADER}\nS1,1,"T1,target,5\n'.encode() + b"S1,2,T1,target,5\n" * 9999,
        "a cell",
        "quote",
    ),
]


@pytest.mark.parametrize(("content", "found", "told"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_broken_files_are_refused_with_what_to_do(
    tmp_path: Path, engine: str, content: bytes, found: str, told: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert caught.value.where.startswith(str(path))
    assert found in str(caught.value)
    assert told in str(caught.value)


def test_a_wrong_delimiter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"one column only.*semicolon.*change --delimiter"):
        read_table(write(tmp_path, f"{HEADER}\nS1,1,T1,target,5\n"), delimiter=";")


def test_a_delimiter_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\nS1,1,T1,target,5\n".replace(",", "\t"))
    assert len(read_table(path, delimiter="tab").table) == 1


def test_nul_bytes_far_down_are_found(tmp_path: Path, engine: str) -> None:
    path = write(tmp_path, HEADER.encode() + b"\n" + b"S1,1,T1,target,5\n" * 70_000 + b"S1,1,T\0,target,5\n")
    with pytest.raises(InputError, match="binary"):
        read_table(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="a folder"):
        read_table(tmp_path)


def test_a_file_or_folder_without_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything, so that a mode of 000 proves nothing
    with pytest.raises(InputError, match="may not be read"):
        read_table(tmp_path / "locked" / "trial.csv")


def test_a_file_that_vanishes_while_it_is_read(tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, f"{HEADER}\nS1,1,T1,target,5\n")
    sniffed = sniffing.layout_of

    def sniff_then_vanish(*args: Any, **options: Any) -> sniffing.Layout:
        layout = sniffed(*args, **options)
        path.unlink()
        return layout

    monkeypatch.setattr("response.io.text_files.layout_of", sniff_then_vanish)
    with pytest.raises(InputError, match="no such file"):
        read_table(path)


def test_a_wrong_encoding_is_told(tmp_path: Path, engine: str) -> None:
    path = write(tmp_path, f"{HEADER}\nS1,1,Tü,target,5\n".encode("latin-1"))
    with pytest.raises(InputError, match="not utf-8"):
        read_table(path, encoding="utf-8")
    with pytest.raises(InputError, match="unknown encoding"):
        read_table(path, encoding="utf-ate")


def test_a_missing_column_brings_a_hint(tmp_path: Path) -> None:
    read = read_table(write(tmp_path, "subject,timepoint,lesion,lesion_catgory,longest_mm\nS1,1,T1,target,5\n"))
    assert "role: no such column; did you mean 'lesion_catgory'?" in read.table.notes
    with pytest.raises(InputError, match="no column role"):
        Measurements.from_table(read.table)


def test_both_engines_give_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = ["5", "05", " 7.25", "NE", "", "é", "-", "1,5"]
    body = "".join(f'S{i % 3},{i},"T{i % 2}",target,"{cells[i % 8]}"\n' for i in range(200))
    path = write(tmp_path, f"{HEADER}\n{body}")

    def read() -> tuple[list[tuple[str, ...]], list[int], ReadTable]:
        result = read_table(path)
        return rows_of(result.table), result.table.lines.tolist(), result

    with_arrow = read()
    monkeypatch.setitem(sys.modules, "pyarrow.csv", None)
    without = read()
    assert with_arrow[:2] == without[:2]
    assert with_arrow[2].table.notes == without[2].table.notes
    for table in (with_arrow[2].table, without[2].table):
        assert all(len(set(column.values)) == len(column.values) for column in table.columns.values())


def test_columns_of_figures_alone_stay_text(tmp_path: Path, engine: str) -> None:
    # A reader that guesses types would make 1 of the subject 001, and 2.0 of the timepoint 2.
    path = write(tmp_path, f"{HEADER}\n001,2,7,target,5.0\n002,2.1,7,target,5.50\n")
    table = read_table(path).table
    read = [table.columns[name].texts() for name in ("subject", "timepoint", "lesion", "longest_mm")]
    assert read == [["001", "002"], ["2", "2.1"], ["7", "7"], ["5.0", "5.50"]]
