"""The command sr: what it writes, what it tells, and with which exit status."""

import csv
import json
from pathlib import Path
from typing import Any

import pydicom
import pytest

from response.cli import main
from response.io import sr_writing
from tests.sr_trials import Images, groups, lesion_row, measured_rows, values, write_images


def write_table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture
def trial(images: Images, tmp_path: Path) -> Path:
    return write_table(tmp_path / "lesions.csv", measured_rows(images))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "sr"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_sr_writes_a_report_for_each_timepoint(
    trial: Path, images: Images, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sr", str(trial), "-o", str(out), "--images", str(images.folder)]) == 0
    assert names(out) == ["S-1_0.dcm", "S-1_1.dcm"]
    printed = capsys.readouterr()
    assert printed.out == ""
    for told in ("6 rows", "2 reports written", "(and 1 more)", f"{trial}:3: "):  # the node names no image
        assert told in printed.err
    report = pydicom.dcmread(out / "S-1_1.dcm")
    assert list(groups(report)) == ["N1", "NT1", "T1", "recist-1.1 response", "choi response"]


def test_axes_criteria_and_filters_are_taken(trial: Path, images: Images, out: Path) -> None:
    options = ["--axes", "ohif", "--criteria", "recist-1.1", "--subject", "S-1", "--timepoint", "1"]
    assert main(["sr", str(trial), "-o", str(out), "--images", str(images.folder), *options]) == 0
    assert names(out) == ["S-1_1.dcm"]
    found = groups(pydicom.dcmread(out / "S-1_1.dcm"))
    assert "Cornerstone3DTools@^0.1.0:Bidirectional" in found
    assert "choi response" not in found


def test_a_protocol_and_other_tables_are_taken(trial: Path, tmp_path: Path, out: Path) -> None:
    visits, subjects, protocol = tmp_path / "visits.csv", tmp_path / "subjects.csv", tmp_path / "study.toml"
    visits.write_text("subject,timepoint,new_lesions\nS-1,1,unequivocal\n")
    subjects.write_text("subject,study\nS-1,ABC\n")
    protocol.write_text("[recist-1.1]\nmin_sd_days = 100\n")
    tables = ["--visits", str(visits), "--subjects", str(subjects), "--protocol", str(protocol)]
    assert main(["sr", str(trial), "-o", str(out), *tables, "-q"]) == 0
    group = groups(pydicom.dcmread(out / "S-1_1.dcm"))["recist-1.1 response"]
    assert values(group, "overall^99TUMRESP") == ["C35571^NCIt"]  # PD: the visit table tells of a new lesion


def test_quiet_tells_warnings_only(trial: Path, images: Images, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sr", str(trial), "-o", str(out), "--images", str(images.folder), "-q"]) == 0
    assert capsys.readouterr().err == ""
    row = lesion_row(longest_mm="20", sop_instance_uid="1.2.3")
    assert main(["sr", str(write_table(trial, [row])), "-o", str(out), "-q"]) == 0
    assert "not named in full" in capsys.readouterr().err


def test_json_logs_are_one_object_per_line(trial: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sr", str(trial), "-o", str(out), "--log", "json"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    by_event: dict[str, dict[str, Any]] = {entry["event"]: entry for entry in entries}
    assert by_event["written"]["reports"] == 2
    assert {entry["id"] for entry in entries if entry["event"] == "finding"} >= {"no_source_image"}


def test_subjects_that_cannot_be_scored_are_named(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [lesion_row(longest_mm="20"), lesion_row(subject="S-2", timepoint="3", longest_mm="20")]
    (tmp_path / "subjects.csv").write_text("subject,treatment_start\nS-2,2023-01-01\n")  # before every scan
    tables = [str(write_table(tmp_path / "t.csv", rows)), "--subjects", str(tmp_path / "subjects.csv")]
    assert main(["sr", *tables, "-o", str(out)]) == 1
    assert "S-2" in capsys.readouterr().err
    assert names(out) == ["S-1_0.dcm", "S-2_3.dcm"]  # what was measured is reported all the same
    group = groups(pydicom.dcmread(out / "S-2_3.dcm"))["recist-1.1 response"]
    assert values(group, "rule^99TUMRESP") == ["no_baseline"]


def test_a_report_that_fails_is_told(
    trial: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = sr_writing._Writer.report

    def failing(self: Any, record: Any) -> Any:
        if record.timepoint == "1":
            raise ValueError("CANARY")
        return real(self, record)

    monkeypatch.setattr(sr_writing._Writer, "report", failing)
    assert main(["sr", str(trial), "-o", str(out)]) == 1
    assert names(out) == ["S-1_0.dcm"]
    message = capsys.readouterr().err
    assert "could not be made" in message
    assert "CANARY" not in message


NOTHING = [
    (["--subject", "X"], "no measurement"),
    (["--images", "nowhere"], "no such file"),
    (["--criteria", "x"], "unknown criterion"),
    (["--axes", "x"], "axes"),
    (["nowhere.csv"], "nowhere.csv"),
]


@pytest.mark.parametrize(("options", "told"), NOTHING)
def test_where_nothing_can_be_done_nothing_is_written(
    options: list[str], told: str, trial: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sr", str(trial), *options, "-o", str(out)]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_the_extra_is_named_where_highdicom_is_missing(
    trial: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "highdicom", None)
    assert main(["sr", str(trial), "-o", str(out)]) == 2
    assert "tumor-response[dicom]" in capsys.readouterr().err


def test_an_input_is_never_written_over(images: Images, tmp_path: Path) -> None:
    rows = measured_rows(images)[:1]
    table = write_table(tmp_path / "S-1_0.dcm.csv", rows)
    (tmp_path / "S-1_0.dcm").symlink_to(table)
    assert main(["sr", str(table), "-o", str(tmp_path), "-q"]) == 2
    assert table.read_text().startswith("subject")
