"""The command line: what each command writes, where, and with which exit status."""

import csv
import json
import os
import subprocess
import sys
import tomllib
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import response
from response import __version__
from response.cli import main
from response.columns import COLLECTED_COLUMNS, COLUMNS, SUBJECT_COLUMNS, VISIT_COLUMNS
from response.commands.logs import LONG_WORK_BYTES, Log
from response.registry import criterion_names, find_criterion

TRIAL = """\
subject,timepoint,date,lesion,role,organ,longest_mm,attenuation_hu
S-1,0,2024-01-02,T1,target,liver,50,80
S-1,1,2024-03-01,T1,target,liver,30,60
S-1,2,2024-05-01,T1,target,liver,29,55
S-2,0,2024-01-02,T1,target,liver,40,80
S-2,1,2024-03-01,T1,target,liver,48,79
"""
ALWAYS = ["findings.csv", "lesions.csv", "manifest.json", "subjects.csv", "timepoints.csv"]
RESULTS = sorted([*ALWAYS, "concordance.csv", "criteria.csv"])  # of more than one criterion


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    path = tmp_path / "lesions.csv"
    path.write_text(TRIAL)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def overall(folder: Path, criterion: str = "recist-1.1") -> dict[str, str]:
    return {
        f"{row['subject']}:{row['timepoint']}": row["overall"]
        for row in rows_of(folder / "timepoints.csv")
        if row["criterion"] == criterion
    }


# --- assess


def test_assess_writes_the_folder_and_tells_what_it_did(
    trial: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["assess", str(trial), "-o", str(out)]) == 0
    assert names(out) == RESULTS
    # 30 of 50 is PR; 48 is 20 % and 8 mm over 40
    assert overall(out) == {"S-1:0": "", "S-1:1": "PR", "S-1:2": "PR", "S-2:0": "", "S-2:1": "PD"}
    assert overall(out, "choi") == {"S-1:0": "", "S-1:1": "PR", "S-1:2": "PR", "S-2:0": "", "S-2:1": "PD"}
    printed = capsys.readouterr()
    assert printed.out == ""
    for told in ("5 rows", "delimiter: comma", "scored 2 subjects", "by recist-1.1: PR 1, PD 1", str(out)):
        assert told in printed.err


def test_the_criteria_can_be_chosen(trial: Path, out: Path) -> None:
    assert main(["assess", str(trial), "-o", str(out), "--criteria", "recist-1.1"]) == 0
    assert overall(out, "choi") == {}
    assert names(out) == ALWAYS  # nothing to compare


def test_several_criteria_are_written_side_by_side(trial: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assess", str(trial), "-o", str(out)]) == 0
    wide = {f"{row['subject']}:{row['timepoint']}": row for row in rows_of(out / "criteria.csv")}
    assert {key: row["recist-1.1"] for key, row in wide.items()} == overall(out)
    assert {key: row["choi"] for key, row in wide.items()} == overall(out, "choi")
    (best,) = [row for row in rows_of(out / "concordance.csv") if (row["level"], row["kind"]) == ("best", "summary")]
    assert (best["n"], best["agreement_percent"], best["kappa"]) == ("2", "100", "1")  # PR and PD by both
    capsys.readouterr()
    assert main(["assess", str(trial), "-o", str(out), "--criteria", "recist-1.1"]) == 0
    assert "criteria.csv, concordance.csv" in capsys.readouterr().err  # they are not of this run


def test_every_format_can_be_asked_for(trial: Path, out: Path) -> None:
    pytest.importorskip("pyarrow")
    assert main(["assess", str(trial), "-o", str(out), "--format", "xlsx, parquet"]) == 0
    assert {"results.xlsx", "timepoints.parquet", "findings.csv", "manifest.json"} <= set(names(out))
    assert "timepoints.csv" not in names(out)


def test_several_files_are_one_trial(trial: Path, tmp_path: Path, out: Path) -> None:
    header, *rows = TRIAL.splitlines()
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("\n".join([header, *rows[:3]]) + "\n")
    second.write_text("\n".join([header.replace(",", ";"), *(row.replace(",", ";") for row in rows[3:])]) + "\n")
    assert main(["assess", str(first), str(second), "-o", str(out)]) == 0
    assert overall(out)["S-1:1"] == "PR"
    assert overall(out)["S-2:1"] == "PD"


def test_a_protocol_a_mapping_and_a_decimal_comma_are_taken(tmp_path: Path, out: Path) -> None:
    path, mapping, protocol = tmp_path / "eigene.csv", tmp_path / "map.toml", tmp_path / "study.toml"
    path.write_text(
        "Pat;Visite;Datum;Herd;Art;Organ;Laenge\nA;0;2024-01-02;H1;Ziel;Leber;50,0\nA;1;2024-03-01;H1;Ziel;Leber;34,9\n"
    )
    mapping.write_text(
        '[columns]\nsubject = "Pat"\ntimepoint = "Visite"\ndate = "Datum"\nlesion = "Herd"\nrole = "Art"\n'
        'longest_mm = "Laenge"\n[values.role]\n"Ziel" = "target"\n'
    )
    protocol.write_text("[recist-1.1]\nmin_sd_days = 100\n")
    options = ["--map", str(mapping), "--decimal", ",", "--protocol", str(protocol)]
    assert main(["assess", str(path), "-o", str(out), *options]) == 0
    assert overall(out)["A:1"] == "PR"  # 34.9 is 30.2 % below 50
    manifest = json.loads((out / "manifest.json").read_text())
    assert "min_sd_days" in json.dumps(manifest)
    assert "Laenge" in json.dumps(manifest, ensure_ascii=False)


def test_quiet_tells_nothing_where_all_is_well(trial: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assess", str(trial), "-o", str(out), "--quiet"]) == 0
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""


def test_json_logs_are_one_object_per_line(trial: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assess", str(trial), "-o", str(out), "--log", "json"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert all({"time", "level", "event", "message"} <= set(entry) for entry in entries)
    by_event: dict[str, dict[str, Any]] = {entry["event"]: entry for entry in entries}
    assert by_event["read"]["rows"] == 5
    assert by_event["scored"]["subjects"] == 2
    assert next(entry for entry in entries if entry["event"] == "best")["counts"] == {"PR": 1, "PD": 1}


def test_an_error_is_a_json_object_too(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assess", "nowhere.csv", "-o", str(out), "--log", "json"]) == 2
    entry = json.loads(capsys.readouterr().err)
    assert (entry["level"], entry["event"], entry["kind"]) == ("error", "failed", "InputError")


def test_sdtm_is_recognised(shared_data: Path, out: Path) -> None:
    files = sorted(str(path) for path in (shared_data / "sdtm_recist").glob("*.csv"))
    assert main(["assess", *files, "-o", str(out), "--quiet"]) in {0, 1}
    assert set(overall(out).values()) > {"PD"}


# --- best, check, explain


def test_best_writes_the_subjects(tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    responses, subjects = tmp_path / "responses.csv", tmp_path / "subjects.csv"
    responses.write_text("subject,timepoint,date,response\nA,1,2024-03-01,PR\nA,2,2024-05-01,PR\nA,3,2024-07-01,PD\n")
    subjects.write_text("subject,treatment_start\nA,2024-01-02\nB,2024-01-02\n")
    assert main(["best", str(responses), "--subjects", str(subjects), "-o", str(out)]) == 0
    assert names(out) == ["subjects.csv"]
    first, second = rows_of(out / "subjects.csv")
    assert (first["best_response"], first["confirmed"], first["progression_date"]) == ("PR", "Y", "2024-07-01")
    assert (second["subject"], second["best_response"]) == ("B", "NE")  # only in the subject table
    assert "PR 1" in capsys.readouterr().err


def test_best_takes_options(tmp_path: Path, out: Path) -> None:
    responses, protocol = tmp_path / "responses.csv", tmp_path / "study.toml"
    responses.write_text("subject,timepoint,date,response\nA,1,2024-03-01,PR\nA,2,2024-04-20,PR\n")
    protocol.write_text("[recist-1.1]\nconfirm_days = 56\n")  # 50 days are too few
    assert main(["best", str(responses), "--protocol", str(protocol), "-o", str(out)]) == 0
    assert rows_of(out / "subjects.csv")[0]["confirmed"] == "N"


def test_best_tells_a_text_that_is_no_response(tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    responses = tmp_path / "responses.csv"
    responses.write_text("subject,timepoint,date,response\nA,1,2024-03-01,CHECK\n")
    assert main(["best", str(responses), "-o", str(out)]) == 0
    assert "responses.csv:2" in capsys.readouterr().err


def test_best_needs_responses(trial: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["best", str(trial), "-o", str(out)]) == 2
    assert "overall" in capsys.readouterr().err
    assert not out.exists()


def test_check_writes_findings_for_the_sites(tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lesions.csv"
    path.write_text(TRIAL.replace("S-2,1,2024-03-01,T1,target,liver,48", "S-2,1,2024-03-01,T1,target,liver,inf"))
    assert main(["check", str(path), "-o", str(out)]) == 0
    assert names(out) == ["findings.csv", "findings.xlsx"]
    found = [row for row in rows_of(out / "findings.csv") if row["id"] == "unusable_cell"]
    assert [(row["subject"], row["line"], row["found"]) for row in found] == [("S-2", "6", "inf")]
    message = capsys.readouterr().err
    assert "1 error" in message
    assert "unusable_cell" in message


def test_explain_prints_the_course(trial: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(trial), "--subject", "S-1"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "PR at 35 mm or less: reached" in printed.out  # 70 % of 50
    assert "Best overall response" in printed.out


def test_explain_names_close_subjects_only(trial: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(trial), "--subject", "S-3"]) == 2
    message = capsys.readouterr().err
    assert "S-1" in message
    assert "S-2" in message


# --- criteria, template, protocol


def test_criteria_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["criteria"]) == 0
    text = capsys.readouterr().out
    for name in criterion_names():
        assert name in text
        assert find_criterion(name).source in text


def test_all_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["criteria", "--rules"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]}
    for name in criterion_names():
        criterion = find_criterion(name)
        for question in criterion.questions:
            assert {criterion.rule_id(question.name, rule) for rule in question.rules} <= listed


TEMPLATES = [
    ([], COLUMNS),
    (["--visits"], VISIT_COLUMNS),
    (["--subjects"], SUBJECT_COLUMNS),
    (["--collected"], COLLECTED_COLUMNS),
]


@pytest.mark.parametrize(("options", "columns"), TEMPLATES, ids=["measurements", "visits", "subjects", "collected"])
def test_a_template_has_all_columns_and_a_dictionary(
    options: list[str], columns: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "empty.csv"
    assert main(["template", *options, "-o", str(path)]) == 0
    header = path.read_text().strip().split(",")
    assert set(header) == set(columns)
    explained = rows_of(tmp_path / "empty_dictionary.csv")
    assert [row["column"] for row in explained] == header
    assert {row["column"] for row in explained if row["required"] == "yes"} == {
        name for name, column in columns.items() if column.required
    }
    capsys.readouterr()
    assert main(["template", *options]) == 0  # to stdout
    printed = capsys.readouterr()
    assert printed.out.strip().split(",") == header
    assert "required" in printed.err


def test_a_template_can_be_a_workbook(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    path = tmp_path / "empty.xlsx"
    assert main(["template", "-o", str(path), "-q"]) == 0
    book = load_workbook(path)
    assert book.sheetnames == ["measurements", "dictionary"]
    assert [cell.value for cell in book["measurements"][1]][:4] == ["subject", "timepoint", "lesion", "role"]


def test_a_filled_template_is_read(tmp_path: Path, out: Path) -> None:
    path = tmp_path / "lesions.csv"
    assert main(["template", "-o", str(path), "-q"]) == 0
    header = path.read_text().strip().split(",")
    filled = StringIO()
    writer = csv.DictWriter(filled, header)
    writer.writeheader()
    for row in csv.DictReader(StringIO(TRIAL)):
        writer.writerow(row)
    path.write_text(filled.getvalue())
    assert main(["assess", str(path), "-o", str(out), "-q"]) == 0
    assert overall(out)["S-1:1"] == "PR"


@pytest.mark.parametrize("arguments", [["-o", "empty.docx"], ["--visits", "--subjects"]])
def test_a_template_refuses_what_it_cannot_write(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["template", *arguments]) == 2
    assert names(tmp_path) == []


def test_the_standard_protocol_is_printed_as_toml(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocol"]) == 0
    text = capsys.readouterr().out
    assert "is the standard" in text
    tables = tomllib.loads(text)
    assert tables["recist-1"]["1"]["confirm_days"] == 28
    assert tables["choi"]["choi_pr_logic"] == "or"
    assert tables["schedule"]["baseline_days"] == 28


def test_the_printed_protocol_can_be_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / "study.toml"
    study.write_text('[recist-1.1]\nconfirmation = true\n[choi]\nchoi_pr_logic = "and"\n')
    assert main(["protocol", "--protocol", str(study)]) == 0
    first = capsys.readouterr().out
    assert "[recist-1.1] confirmation = true (standard: false)" in first
    assert '[choi] choi_pr_logic = "and" (standard: "or")' in first
    study.write_text(first)
    assert main(["protocol", "--protocol", str(study)]) == 0
    assert capsys.readouterr().out == first


def test_a_preset_is_spelt_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / "study.toml"
    study.write_text('[recist-1.1]\npreset = "admiralonco"\n')
    assert main(["protocol", "--protocol", str(study)]) == 0
    assert "max_intermediate_sd = 0 (standard: 1)" in capsys.readouterr().out


def test_a_protocol_is_validated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / "study.toml"
    study.write_text("[recist-1.1]\nconfirm = true\n")
    assert main(["protocol", "--protocol", str(study)]) == 2
    assert "unknown option confirm" in capsys.readouterr().err


# --- the program


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tumor-response {__version__}\n"


@pytest.mark.parametrize("command", ["assess", "best", "check", "explain", "sr", "criteria", "template", "protocol"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert "Usage: tumor-response" in capsys.readouterr().out


def test_nothing_is_shown_of_long_work_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Log().stages(LONG_WORK_BYTES) as stages:
        stages.start("reading")(1, 2)
    assert capsys.readouterr().err == ""


def test_the_engine_tells_its_progress(trial: Path) -> None:
    told: list[tuple[int, int]] = []
    response.assess(response.read(trial), progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (2, 2)  # series


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_long_work_is_shown_on_a_terminal() -> None:
    pytest.importorskip("rich")
    terminal = _Terminal()
    with Log(stream=terminal).stages(LONG_WORK_BYTES) as stages:
        stages.start("reading")
        stages.start("scoring")(1, 2)
    assert "scoring" in terminal.getvalue()
    for log in (Log(stream=(silent := _Terminal()), quiet=True), Log("json", stream=silent)):
        with log.stages(LONG_WORK_BYTES) as stages:
            stages.start("reading")
        assert silent.getvalue() == ""


PROBE = """
import sys
from response.cli import main
status = main(sys.argv[1:])
print(status, sorted({"pandas", "openpyxl", "scipy", "rich"} & set(sys.modules)))
"""


@pytest.mark.slow
def test_a_small_trial_in_csv_needs_nothing_heavy(trial: Path, out: Path) -> None:
    # pandas alone costs as much as all the rest of a small run
    command = [sys.executable, "-c", PROBE, "assess", str(trial), "-o", str(out), "-q"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "0 []"
