"""Tables as people send them, through the command line: nothing is lost in silence, and no subject seems well by it."""

import csv
from pathlib import Path

import pytest

from response.cli import main

HEADER = "subject,timepoint,date,lesion,role,longest_mm"
GOOD = ("GOOD,0,2024-01-02,T1,target,50", "GOOD,1,2024-03-01,T1,target,30")


def written(folder: Path, *rows: str, header: str = HEADER, name: str = "lesions.csv") -> str:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results"


def findings(out: Path) -> list[tuple[str, str]]:
    return [(row["id"], row["line"]) for row in rows_of(out / "findings.csv")]


# --- Rows that do not say whom, when, what or which role.

UNPLACED = [
    # why                      row                                       finding
    ("no subject", ",1,2024-03-01,T1,target,30", "row_without_key"),
    ("no timepoint", "GOOD,,2024-03-02,T1,target,30", "row_without_key"),
    ("no lesion", "GOOD,1,2024-03-01,,target,30", "row_without_key"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "found"), [case[1:] for case in UNPLACED], ids=[case[0] for case in UNPLACED])
def test_a_row_without_its_keys_is_told_and_left_out(tmp_path: Path, out: Path, row: str, found: str) -> None:
    assert main(["assess", written(tmp_path, *GOOD, row), "-o", str(out)]) == 0
    assert findings(out) == [(found, "4")]
    told = [(row["subject"], row["timepoint"], row["overall"]) for row in rows_of(out / "timepoints.csv")]
    assert told == [("GOOD", "0", ""), ("GOOD", "1", "PR")]  # 30 of 50 mm: 40 % less


def test_a_role_that_one_row_lacks_is_that_of_the_other_rows(tmp_path: Path, out: Path) -> None:
    path = written(tmp_path, "P,0,2024-01-02,T1,traget,50", "P,1,2024-03-01,T1,target,30")
    assert main(["assess", path, "-o", str(out)]) == 0
    assert ("row_without_role", "2") in findings(out)
    assert [row["overall"] for row in rows_of(out / "timepoints.csv")] == ["", "PR"]


def test_a_subject_without_any_role_is_not_free_of_disease(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, *GOOD, "P,0,2024-01-02,T1,,50", "P,1,2024-03-01,T1,,30")
    assert main(["assess", path, "-o", str(out)]) == 1
    assert "1 of 2 could not be scored, for want of rows that can be used: P" in capsys.readouterr().err
    assert {row["subject"] for row in rows_of(out / "timepoints.csv")} == {"GOOD"}
    assert findings(out) == [("row_without_role", "4"), ("row_without_role", "5")]


NOTHING = [
    # why                        row                               in the message
    ("no row has a subject", ",0,2024-01-02,T1,target,50", "lesions.csv:2: no subject"),
    ("no row has a role", "P,0,2024-01-02,T1,,50", "no row that can be scored"),
]


@pytest.mark.parametrize(("row", "told"), [case[1:] for case in NOTHING], ids=[case[0] for case in NOTHING])
def test_no_usable_row_at_all_is_status_2(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], row: str, told: str
) -> None:
    assert main(["assess", written(tmp_path, row), "-o", str(out)]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


# --- Dates that stand for the timepoints.

DATED = "subject,date,lesion,role,longest_mm"


def test_a_bad_date_is_no_timepoint(tmp_path: Path, out: Path) -> None:
    # by its figures alone 25/01/2024 would stand after 12/03/2024
    rows = ("P,2024-01-02,T1,target,50", "P,25/01/2024,T1,target,10", "P,2024-03-01,T1,target,30")
    assert main(["assess", written(tmp_path, *rows, header=DATED), "-o", str(out)]) == 0
    assert ("unusable_cell", "3") in findings(out)
    assert ("row_without_key", "3") in findings(out)
    assert [row["timepoint"] for row in rows_of(out / "timepoints.csv")] == ["2024-01-02", "2024-03-01"]


def test_dates_of_which_none_can_be_read_ask_for_their_format(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ("P,25/01/2024,T1,target,50", "P,12/03/2024,T1,target,30")
    path = written(tmp_path, *rows, header=DATED)
    assert main(["assess", path, "-o", str(out)]) == 2
    assert 'date_format = "DD/MM/YYYY"' in capsys.readouterr().err
    (tmp_path / "map.toml").write_text('date_format = "DD/MM/YYYY"\n')
    assert main(["assess", path, "--map", str(tmp_path / "map.toml"), "-o", str(out)]) == 0
    assert [row["date"] for row in rows_of(out / "timepoints.csv")] == ["2024-01-25", "2024-03-12"]


# --- Units.


def test_a_length_in_an_unknown_unit_is_told_as_what_it_is(tmp_path: Path, out: Path) -> None:
    rows = (*(f"{row},mm" for row in GOOD), "P,0,2024-01-02,T1,target,50,px")
    assert main(["assess", written(tmp_path, *rows, header=HEADER + ",unit"), "-o", str(out)]) == 0
    (told,) = [row for row in rows_of(out / "findings.csv") if row["column"] == "unit"]
    assert told["sentence"] == "unit is 'px'; expected mm or cm. The diameters of the row were taken as blank."
