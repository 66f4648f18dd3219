"""The results folder: whole or not at all, the same bytes each time, and nothing in it that a spreadsheet would run."""

import csv
import errno
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

import response
from response import Assessment, MissingExtraError
from response.errors import OutputError
from response.findings import FINDING_COLUMNS, Finding
from response.io import results
from response.io.results import csv_cell, write_findings, write_results
from response.io.safe_files import staged_file, staged_folder
from response.report import texts
from response.report.tables import timepoint_table
from tests.trials import all_at_once, assessed, from_rows, target

TABLES = ["concordance", "criteria", "findings", "lesions", "subjects", "timepoints"]


@pytest.fixture(scope="module")
def trial() -> Assessment:
    return assessed("T1 liver 30|20 ; NL1 lung -|12", subject="site=4")


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_sheet(path: Path, sheet: str) -> pd.DataFrame:
    return pd.read_excel(path, sheet_name=sheet, engine="openpyxl", dtype=str, keep_default_na=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def tables_of(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in contents(folder).items() if name.endswith(".csv")}


# --- what is written


def test_the_folder_holds_the_tables_and_the_manifest(trial: Assessment, tmp_path: Path) -> None:
    written = write_results(trial, tmp_path / "made" / "here")
    assert [path.name for path in written] == [
        "findings.csv", "lesions.csv", "manifest.json", "subjects.csv", "timepoints.csv",
    ]  # fmt: skip
    assert sorted(contents(tmp_path / "made" / "here")) == [path.name for path in written]
    assert read_csv(written[4]) == list(timepoint_table(trial).rows())


@pytest.mark.parametrize("formats", [["parquet"], ["xlsx"], ["csv", "xlsx", "parquet"]])
def test_findings_and_manifest_are_there_in_every_format(formats: list[str], trial: Assessment, tmp_path: Path) -> None:
    names = {path.name for path in write_results(trial, tmp_path, formats=formats)}
    assert {"findings.csv", "manifest.json"} <= names
    assert ("timepoints.csv" in names) == ("csv" in formats)
    assert ("timepoints.parquet" in names) == ("parquet" in formats)
    assert ("results.xlsx" in names) == ("xlsx" in formats)


def test_every_format_says_the_same(tmp_path: Path) -> None:
    write_results(all_at_once(), tmp_path, formats=["csv", "xlsx", "parquet"])
    for name in TABLES:
        of_csv = pd.read_csv(tmp_path / f"{name}.csv", dtype=str, keep_default_na=False)
        of_parquet = pd.read_parquet(tmp_path / f"{name}.parquet")
        of_excel = pd.read_excel(
            tmp_path / "results.xlsx", sheet_name=name, engine="openpyxl", dtype=str, keep_default_na=False
        )
        assert list(of_csv) == list(of_parquet) == list(of_excel)
        assert len(of_csv) == len(of_parquet) == len(of_excel)
        for column in of_csv:
            cells = of_parquet[column]
            if pd.api.types.is_numeric_dtype(cells):
                numbers = pd.to_numeric(of_csv[column])
                pd.testing.assert_series_equal(numbers, cells, check_dtype=False)
                pd.testing.assert_series_equal(pd.to_numeric(of_excel[column]), cells, check_dtype=False)
            else:
                assert [text.removeprefix("'") for text in of_csv[column]] == list(cells.astype(str)), column
                assert list(of_excel[column]) == list(cells.astype(str)), column


def test_the_same_trial_gives_the_same_bytes_with_and_without_pyarrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(all_at_once(), tmp_path / "one")
    write_results(all_at_once(), tmp_path / "two")
    for module in (texts, results):
        monkeypatch.setattr(module, "arrow", lambda: None)
    write_results(all_at_once(), tmp_path / "plain")
    assert tables_of(tmp_path / "one") == tables_of(tmp_path / "two") == tables_of(tmp_path / "plain")


def test_parquet_without_pyarrow_says_what_is_missing(
    trial: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "arrow", lambda: None)
    with pytest.raises(MissingExtraError, match=r"tumor-response\[parquet\]"):
        write_results(trial, tmp_path / "out", formats=["parquet"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("formats", [["pdf"], []])
def test_an_unknown_format_is_refused(formats: list[str], trial: Assessment, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="csv, xlsx, parquet"):
        write_results(trial, tmp_path, formats=formats)


# --- cells


@pytest.mark.parametrize(
    ("text", "cell", "reason"),
    [
        ("=1+1", "'=1+1", "a formula"),
        ("+SUM(A1)", "'+SUM(A1)", "likewise"),
        ("-cmd|x", "'-cmd|x", "likewise"),
        ("@A1", "'@A1", "likewise"),
        ("\tx", "'\tx", "a tab before a formula is skipped by some"),
        ("-1", "-1", "a plain number is no formula"),
        ("+2.5", "+2.5", "likewise"),
        ("T1;T2", "T1;T2", "nothing to do"),
        ("a,b", '"a,b"', "the separator"),
        ('say "x"', '"say ""x"""', "quote marks are doubled"),
        ("two\nlines", '"two\nlines"', "a line feed within a cell"),
        ('=a,"b"', '"\'=a,""b"""', "all at once"),
        ("", "", "blank"),
    ],
)
def test_texts_in_csv_are_quoted_and_are_no_formulas(text: str, cell: str, reason: str) -> None:
    assert csv_cell(text) == cell, reason


FORMULAS = ["=1+1", "+1+1", "-1-1", "@SUM(A1)", "#N/A"]


def of_formulas() -> Assessment:
    return from_rows([target(text, time, "30", location=text) for text in FORMULAS for time in (0, 1)])


def test_formulas_in_the_input_stay_texts_in_excel(tmp_path: Path) -> None:
    write_results(of_formulas(), tmp_path, formats=["xlsx"])
    book = openpyxl.load_workbook(tmp_path / "results.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value in FORMULAS]
    assert {cell.value for cell in cells} == set(FORMULAS)
    assert {cell.data_type for cell in cells} == {"s"}


def test_formulas_in_the_input_are_defused_in_csv(tmp_path: Path) -> None:
    write_results(of_formulas(), tmp_path)
    subjects = {row["subject"] for row in read_csv(tmp_path / "timepoints.csv")}
    assert subjects == {"'=1+1", "'+1+1", "'-1-1", "'@SUM(A1)", "#N/A"}


def test_numbers_below_0_stay_numbers(trial: Assessment, tmp_path: Path) -> None:
    write_results(trial, tmp_path)
    row = read_csv(tmp_path / "timepoints.csv")[1]
    assert (row["change_from_baseline_mm"], row["change_from_baseline_percent"]) == ("-10", "-33.33")


def test_control_characters_do_not_break_excel(tmp_path: Path) -> None:
    found = from_rows([target("A\x07B", time, "30") for time in (0, 1)])
    write_results(found, tmp_path, formats=["xlsx"])
    assert read_sheet(tmp_path / "results.xlsx", "subjects")["subject"].tolist() == ["AB"]


def test_a_table_longer_than_a_sheet_goes_on_in_another(
    trial: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "EXCEL_ROWS", 3)
    write_results(assessed("T1 liver 30|30|30|30|30"), tmp_path, formats=["xlsx"])
    book = openpyxl.load_workbook(tmp_path / "results.xlsx")
    assert [name for name in book.sheetnames if name.startswith("timepoints")] == [
        "timepoints", "timepoints 2", "timepoints 3",
    ]  # fmt: skip
    assert [book[f"timepoints{part}"].max_row for part in ("", " 2", " 3")] == [3, 3, 2]


# --- the manifest


def test_the_manifest_says_what_was_done(tmp_path: Path) -> None:
    data = tmp_path / "trial.csv"
    data.write_bytes(b"abc")
    rows = [target("A", 0, "30"), target("A", 1, "20"), target("B", 1, "20", role="new")]
    found = from_rows(rows, subjects=[{"subject": "C"}], options='[recist-1.1]\nsticky_pr = "eortc_continue"')
    notes = ["'Patient' is subject"]
    write_results(found, tmp_path / "out", inputs=[data], notes=notes, command=["tumor-response", "assess", "my trial"])
    told = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert told["version"] == response.__version__
    assert told["command"] == "tumor-response assess 'my trial'"
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, the example "abc"
    assert told["inputs"] == [{"path": str(data), "bytes": 3, "sha256": digest}]
    assert told["notes"] == notes
    options = told["criteria"]["recist-1.1"]
    assert options["options"]["confirm_days"] == 28
    assert options["differences"] == {"sticky_pr": {"standard": "recompute", "effective": "eortc_continue"}}
    assert told["counts"]["subjects"] == 3
    assert told["counts"]["timepoints"] == 3
    assert told["counts"]["findings"]["error"] == sum(finding.severity == "error" for finding in found.found)
    assert told["not_scored"] == ["B", "C"]
    assert told["files"] == sorted(contents(tmp_path / "out"))
    assert pd.Timestamp(told["written"]).tzinfo is not None


def test_an_input_that_is_gone_does_not_stop_the_results(trial: Assessment, tmp_path: Path) -> None:
    write_results(trial, tmp_path / "out", inputs=[tmp_path / "gone.csv"])
    told = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert told["inputs"] == [{"path": str(tmp_path / "gone.csv"), "unreadable": "No such file or directory"}]


# --- whole or not at all


def disk_full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupted(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


PLACES: list[tuple[str, Any]] = [
    ("the third table", "lesion_table"),
    ("the manifest", "manifest"),
    ("the first cell", "_CsvWriter"),
]


@pytest.mark.parametrize(("where", "name"), PLACES)
@pytest.mark.parametrize(("fault", "error"), [(disk_full, OutputError), (interrupted, KeyboardInterrupt)])
def test_nothing_partial_is_left_behind(  # noqa: PLR0917
    where: str,
    name: str,
    fault: Callable[..., Any],
    error: type[BaseException],
    trial: Assessment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    write_results(trial, old)
    before = contents(old)
    monkeypatch.setattr(results, name, fault)
    for folder in (old, new):
        with pytest.raises(error):
            write_results(assessed("T1 liver 30|90"), folder)
    assert contents(old) == before, where
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old"], where


def test_a_full_disk_is_told_plainly(trial: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_csv_lines", disk_full)
    with pytest.raises(OutputError, match=r"the disk is full\. Nothing was changed there"):
        write_results(trial, tmp_path / "out")


@pytest.mark.parametrize(("fault", "error"), [(disk_full, OutputError), (interrupted, KeyboardInterrupt)])
def test_a_fault_while_files_are_moved_brings_back_the_old_ones(
    fault: Callable[..., Any],
    error: type[BaseException],
    trial: Assessment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_results(trial, tmp_path)
    before = contents(tmp_path)
    replace = Path.replace

    def replace_all_but_the_subjects(path: Path, to: Path) -> Any:
        moves_in = path.name == "subjects.csv" and to.parent == tmp_path and path.parent.name != "old"
        return fault() if moves_in else replace(path, to)

    monkeypatch.setattr(Path, "replace", replace_all_but_the_subjects)
    with pytest.raises(error):
        write_results(assessed("T1 liver 30|90"), tmp_path)
    assert contents(tmp_path) == before


def test_results_of_an_earlier_run_are_replaced_and_other_files_stay(trial: Assessment, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_results(trial, tmp_path)
    write_results(assessed("T1 liver 30|90"), tmp_path)
    assert read_csv(tmp_path / "timepoints.csv")[1]["overall"] == "PD"
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert len(contents(tmp_path)) == 6


@pytest.mark.parametrize("link", [False, True])
def test_an_input_is_never_written_over(link: bool, trial: Assessment, tmp_path: Path) -> None:
    data = tmp_path / "timepoints.csv"
    data.write_text("collected")
    asked = data
    if link:
        asked = tmp_path / "link.csv"
        asked.hardlink_to(data)
    with pytest.raises(OutputError, match="an input file, which is never written over"):
        write_results(trial, tmp_path, inputs=[asked])
    assert data.read_text() == "collected"
    assert len(contents(tmp_path)) == 1 + link


def test_a_file_in_place_of_the_folder_is_told(trial: Assessment, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="it is a file; expected a folder"):
        write_results(trial, tmp_path / "out")


def test_files_have_the_permissions_that_other_files_of_the_person_have(trial: Assessment, tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        written = write_results(trial, tmp_path / "out")
    finally:
        os.umask(mask)
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o640}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o750


def test_one_file_is_whole_or_not_there(tmp_path: Path) -> None:
    with staged_file(tmp_path / "one.txt") as path:
        path.write_text("whole")
        assert not (tmp_path / "one.txt").exists()
    assert (tmp_path / "one.txt").read_text() == "whole"
    with pytest.raises(ZeroDivisionError), staged_folder(tmp_path) as stage:
        (stage / "one.txt").write_text(str(1 / 0))
    assert contents(tmp_path) == {"one.txt": b"whole"}


# --- findings


@pytest.fixture
def findings() -> Iterator[list[Finding]]:
    yield [
        Finding(id="gap", severity="info", site="2", subject="B", line=7, file="t.csv"),
        Finding(id="gap", severity="error", site="1", subject="A", found="=1+1", sentence="A line, with a comma."),
    ]


def test_findings_are_written_for_the_sites(findings: list[Finding], tmp_path: Path) -> None:
    written = write_findings(findings, tmp_path, formats=("csv", "xlsx"))
    assert [path.name for path in written] == ["findings.csv", "findings.xlsx"]
    rows = read_csv(written[0])
    assert list(rows[0]) == list(FINDING_COLUMNS)
    assert [(row["site"], row["line"], row["found"]) for row in rows] == [("1", "", "'=1+1"), ("2", "7", "")]
    assert read_sheet(written[1], "findings")["found"].tolist()[0] == "=1+1"


def test_no_findings_are_a_table_without_rows(tmp_path: Path) -> None:
    (written,) = write_findings([], tmp_path)
    assert written.read_text() == ",".join(FINDING_COLUMNS) + "\n"
