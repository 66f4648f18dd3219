"""A criterion that was asked for, but whose column is not filled, is told once: in the findings, and on the console."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from response.cli import main
from response.findings import Finding
from tests.trials import assessed

COLUMN = "subject,timepoint,date,lesion,role,organ,longest_mm"
ROWS = "A,0,2024-01-01,T1,target,liver,20\nA,1,2024-03-01,T1,target,liver,19\nB,0,2024-01-01,T1,target,liver,20\n"


def told(lesions: str, *criteria: str) -> Sequence[Finding]:
    return [item for item in assessed(lesions, *criteria).found if item.id == "criterion_without_column"]


@pytest.mark.parametrize(
    ("lesions", "why"),
    [
        ("T1 liver 20|19 // T1 liver 20|19", "the measurements have no such column"),
        ("T1 liver 20[attenuation_hu=]|19 // T1 liver 20|19", "no row has a value of it"),
    ],
)
def test_it_is_told_once_for_each_criterion(lesions: str, why: str) -> None:
    found = told(lesions, "choi", "mchoi", "who")
    assert [(item.column, item.found) for item in found] == [
        ("attenuation_hu", f"choi: {why}"),
        ("attenuation_hu", f"mchoi: {why}"),
    ]
    assert len({item.key for item in found}) == len(found)
    assert found[0].sentence.startswith(f"Choi needs attenuation_hu, but {why}: ")


def test_it_is_not_told_where_a_single_row_has_a_value() -> None:
    assert told("T1 liver 20|19 // T1 liver 20|19@60", "choi") == []


def test_the_console_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "trial.csv"
    table.write_text(f"{COLUMN}\n{ROWS}", encoding="utf-8")
    assert main(["assess", str(table), "--criteria", "choi", "-o", str(tmp_path / "out")]) == 0
    err = capsys.readouterr().err
    assert err.count("needs attenuation_hu") == 1
    assert "warning: Choi needs attenuation_hu, but the measurements have no such column" in err
    assert main(["assess", str(table), "--criteria", "who", "-o", str(tmp_path / "out")]) == 0
    assert "needs" not in capsys.readouterr().err
