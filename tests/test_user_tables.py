"""Tables as people send them, through the command line: nothing is lost in silence, and no subject seems well by it."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from response import Measurements, Protocol, assess
from response.cells import date_of, iso_texts
from response.cli import main
from response.io.mapping import read_mapping
from tests.acceptance import text_table
from tests.trials import from_rows, target

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


PARTIAL = [
    # as data entry writes it   known of it
    ("UNFEB2014", "2014-02"),
    ("UNK-FEB-2014", "2014-02"),
    ("un/feb/2014", "2014-02"),
    ("FEB2014", "2014-02"),
    ("UNUNK2014", "2014"),
    ("UN-UNK-2014", "2014"),
    ("2014-UN-UN", "2014"),
    ("1 Feb 2014", "2014-02-01"),
    ("12UNK2014", ""),  # a day without its month says nothing that can be trusted
    ("XYZ2014", ""),
]


@pytest.mark.parametrize(("text", "known"), PARTIAL)
def test_a_date_with_unknown_parts_stays_partial(text: str, known: str) -> None:
    cell = date_of(text)
    assert iso_texts(np.asarray([cell.days]), np.asarray([cell.precision])) == [known]
    assert bool(cell.fault) == (not known)


# --- Units.


def test_a_length_in_an_unknown_unit_is_told_as_what_it_is(tmp_path: Path, out: Path) -> None:
    rows = (*(f"{row},mm" for row in GOOD), "P,0,2024-01-02,T1,target,50,px")
    assert main(["assess", written(tmp_path, *rows, header=HEADER + ",unit"), "-o", str(out)]) == 0
    (told,) = [row for row in rows_of(out / "findings.csv") if row["column"] == "unit"]
    assert told["sentence"] == "unit is 'px'; expected mm or cm. The diameters of the row were taken as blank."


IN_UNITS = [
    # longest_mm  unit  length in mm   finding
    ("2.3456", "cm", "23.456", ""),  # to the micrometre, as in mm
    ("200", "cm", "2000", ""),
    ("200.1", "cm", "", "longest_mm is '200.1'; expected a number of at most 200. The cell was taken as blank."),
    ("<0.5", "cm", "5", ""),
    ("<5", "cm", "50", "The lesion is too small to measure, but counts 50 mm."),
    ("5", "px", "", "unit is 'px'; expected mm or cm. The diameters of the row were taken as blank."),
    ("NE", "px", "", "unit is 'px'; expected mm or cm. The diameters of the row were taken as blank."),
]


@pytest.mark.parametrize(("text", "unit", "length", "sentence"), IN_UNITS)
def test_a_length_is_read_in_the_unit_of_its_row(text: str, unit: str, length: str, sentence: str) -> None:
    rows = [dict(zip(HEADER.split(","), row.split(","), strict=True)) | {"unit": "mm"} for row in GOOD]
    found = from_rows([*rows[:-1], rows[-1] | {"longest_mm": text, "unit": unit}])
    (last,) = found.lesions.tail(1).to_dict("records")
    assert ("" if pd.isna(last["length_mm"]) else f"{last['length_mm']:g}") == length
    assert sentence in [item.sentence for item in found.found] or not sentence
    if text == "NE":
        assert last["state"] == "not_evaluable" and "target_without_value" not in {item.id for item in found.found}


WORDS = [
    # what the two rows after baseline say                       states
    (({"longest_mm": "NE"}, {"short_mm": "NE"}), ["not_evaluable", "not_evaluable"]),
    (({"longest_mm": "30", "volume_mm3": "NE"}, {"longest_mm": "30"}), ["measured", "measured"]),
]


@pytest.mark.parametrize(("later", "states"), WORDS)
def test_a_word_in_a_diameter_is_the_state_and_in_another_number_it_is_none(
    later: tuple[dict[str, str], ...], states: list[str]
) -> None:
    first = target("A", 0, "30", short_mm="20", volume_mm3="9000")
    blank = {"longest_mm": "", "short_mm": "", "volume_mm3": ""}
    rows = [target("A", place, "") | blank | row for place, row in enumerate(later, 1)]
    found = from_rows([first, *rows])
    assert found.lesions["state"].tolist()[1:] == states
    assert "target_without_value" not in {item.id for item in found.found}


LITRES = [
    # volume_mm3      response by volume: -65 % of 9 litres and half a mm3 is 3 150 000.175 mm3
    ("3150000.175", "PR"),
    ("3150000.176", "SD"),
    ("12600000.7", "PD"),  # +40 %
    ("100000000.001", "NE"),  # more than a person weighs
]


@pytest.mark.parametrize(("volume", "response"), LITRES)
def test_the_volume_of_a_large_tumour_is_exact(volume: str, response: str) -> None:
    rows = [target("A", place, "30", volume_mm3=text) for place, text in enumerate(("9000000.5", volume))]
    measured = Measurements.from_table(text_table(rows, "trial.csv"))
    by_volume = Protocol.from_toml("[rano-2.0]\nrano_measure = 'volume'")
    found = assess(measured, criteria=["rano-2.0"], protocol=by_volume).timepoints
    assert found["overall"].iloc[-1] == response
    assert ("unusable_cell" in {item.id for item in measured.findings}) == (response == "NE")


# --- Collected responses.

PYRECIST = """\
patient_id,study_date,measurement,lesion_label_alias,lesion_category
1,20220601,30,A,target
1,20220901,24,A,target
1,20221201,21,A,target
"""
PYRECIST_COLLECTED = """\
patient_id,current_date,current_burden,classification
1,20220901,24,SD
1,20221201,20,PR
"""


def test_the_evaluation_of_pyrecist_is_compared(tmp_path: Path, out: Path) -> None:
    (tmp_path / "measured.csv").write_text(PYRECIST)
    (tmp_path / "collected.csv").write_text(PYRECIST_COLLECTED)
    measured, collected = str(tmp_path / "measured.csv"), str(tmp_path / "collected.csv")
    assert main(["assess", measured, "--collected", collected, "-o", str(out)]) == 0
    assert findings(out) == [("sum_differs", "3")]  # 21 against 20 mm


EDC = """\
SUBJID,RCDT,RCTLSITE,RCTLDIAM,RCNEW,RCRESP
1,02/01/2024,Liver,30,0,
1,02/01/2024,Lung,20,0,
1,03/03/2024,Liver,29,1,4
1,03/03/2024,Lung,20,1,4
"""
EDC_MAP = 'date_format = "DD/MM/YYYY"\n[values.overall]\n"4" = "PD"\n'


def test_an_export_with_coded_responses_in_each_row_is_compared_once_a_visit(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "edc.csv").write_text(EDC)
    (tmp_path / "map.toml").write_text(EDC_MAP)
    path = str(tmp_path / "edc.csv")
    assert main(["assess", path, "--collected", path, "--map", str(tmp_path / "map.toml"), "-o", str(out)]) == 0
    assert "RCNEW are answers and no lesions" in capsys.readouterr().err
    (told,) = [row for row in rows_of(out / "findings.csv") if row["severity"] == "error"]
    assert (told["id"], told["timepoint"], told["found"]) == ("overall_differs", "2024-03-03", "PD")
    assert "Likely cause (new_lesion_without_row)" in told["sentence"]
    assert "answer on new lesions Yes against No" in told["sentence"]


def test_a_code_that_is_no_response_asks_for_its_meaning(tmp_path: Path, out: Path) -> None:
    path = written(tmp_path, *GOOD)
    coded = written(tmp_path, "GOOD,1,2", header="subject,timepoint,overall", name="coded.csv")
    assert main(["check", path, "--collected", coded, "-o", str(out)]) == 0
    (told,) = [row for row in rows_of(out / "findings.csv") if row["column"] == "overall"]
    assert '[values.overall] "2" = "..."' in told["remedy"]


def test_repeated_rows_of_a_visit_count_once_for_the_best_response(tmp_path: Path, out: Path) -> None:
    # a PR, one NE (max_nr_ne is 1), and the confirming PR; three rows each
    visits = (("2024-01-01", "PR"), ("2024-03-01", "NE"), ("2024-05-01", "PR"))
    rows = [f"P,{date},{lesion},{response}" for date, response in visits for lesion in "ABC"]
    path = written(tmp_path, *rows, header="subject,date,lesion,overall")
    assert main(["best", path, "-o", str(out)]) == 0
    (row,) = rows_of(out / "subjects.csv")
    assert (row["confirmed_best_response"], row["confirmation_date"]) == ("PR", "2024-05-01")


@pytest.mark.parametrize("command", ["assess", "best"])
def test_responses_without_timepoint_and_date_are_refused(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    path = written(tmp_path, "GOOD,PR", header="subject,overall", name="collected.csv")
    given = [path] if command == "best" else [written(tmp_path, *GOOD), "--collected", path]
    assert main([command, *given, "-o", str(out)]) == 2
    assert "no column timepoint or date" in capsys.readouterr().err


def test_a_later_error_does_not_explain_an_earlier_difference(tmp_path: Path, out: Path) -> None:
    path = written(tmp_path, *GOOD, "GOOD,2,2024-05-01,T1,target,ten")
    collected = written(tmp_path, "GOOD,1,CR", header="subject,timepoint,overall", name="collected.csv")
    assert main(["check", path, "--collected", collected, "-o", str(out)]) == 0
    (told,) = [row for row in rows_of(out / "findings.csv") if row["id"] == "overall_differs"]
    assert told["expected"] == "PR (unknown)"


# --- Another run into the same folder.


def test_results_of_an_earlier_run_are_told_and_stay(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, *GOOD)
    assert main(["assess", path, "--format", "csv,xlsx", "-o", str(out)]) == 0
    assert "not of this run" not in capsys.readouterr().err
    assert main(["assess", path, "-o", str(out)]) == 0
    assert "not of this run, but of an earlier one in the same folder: results.xlsx" in capsys.readouterr().err
    assert (out / "results.xlsx").exists()


# --- Failures while a workbook is saved.

FAILING = """\
import sys
import openpyxl.writer.excel
from response.cli import main
from response.io.mapping import read_mapping
from tests.acceptance import text_table
from tests.trials import from_rows, target

def failing(*_):
    raise {error}

openpyxl.writer.excel.ExcelWriter.write_worksheet = failing
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("error", "status"), [("OSError(28, 'full')", 2), ("KeyboardInterrupt", 130)])
def test_a_workbook_that_is_not_saved_ends_without_noise(tmp_path: Path, out: Path, error: str, status: int) -> None:
    # in a process of its own: what was left open complains when Python ends
    script = FAILING.format(error=error)
    command = [sys.executable, "-c", script, "assess", written(tmp_path, *GOOD), "--format", "csv,xlsx", "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "ignored" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()


@pytest.mark.checkout
def test_the_mapping_file_of_the_readme_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    (tmp_path / "map.toml").write_text(page.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    mapping = read_mapping(tmp_path / "map.toml")
    assert (mapping.unit, mapping.decimal, mapping.strptime_format) == ("cm", ",", "%d/%m/%Y")
    assert mapping.values["overall"] == {"2": "PR"}


def test_rows_of_organs_are_left_out_without_a_complaint() -> None:
    rows = [
        {**dict.fromkeys(("organ", "structure"), ""), "subject": "S", "timepoint": str(visit), "lesion": lesion}
        | {"longest_mm": "20", "role": role, "structure": structure}
        for visit in (0, 1)
        for lesion, role, structure in (("T1", "target", ""), ("Liver", "", "organ"), ("Mass", "target", "organ"))
    ]
    measured = Measurements.from_table(text_table(rows, "m.csv"))
    assert measured.text["lesion"].texts() == ["T1", "Mass", "T1", "Mass"]  # who gives an organ a role means it
    assert list(measured.findings) == []
    assert "2 rows of organs, which are no lesions, were left out" in measured.table.notes
