"""The examples: trials are made the same at every run, scripts run, planted errors are found, clean data is clean."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import response
from response.protocol import Protocol
from response.registry import BUILT_IN

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
TRIALS = {"gist": ["recist-1.1", "choi"], "crlm": ["recist-1.1", "chun"], "mixed": ["recist-1.1"]}
SCRIPTS = {
    "score_trial.py": "GIST-001",
    "explain_subject.py": "MIX-005",
    "own_table.py": "PR",  # 60 -> 39.7 is PR
    "best_from_collected.py": "A-02",
}
# The kinds of error that the trials must hold at least once.
KINDS = set(
    """duplicate_row conflicting_rows unusable_cell too_many_targets too_many_targets_in_organ nodal_target_too_small
    target_not_measurable non_measurable_target previously_treated_target chest_xray_target new_lesion_at_baseline
    unknown_lesion role_change organ_change lesion_swap dates_out_of_order date_in_future out_of_window
    number_on_not_evaluable number_on_absent baseline_too_old method_change looks_like_cm no_baseline
    target_without_baseline_value cyclic_merge unknown_parent short_longer_than_longest missing_lesion
    response_after_new_therapy overall_differs best_response_differs progression_date_differs""".split()
)


def read_text(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLES / script), *arguments]
    installed = {**os.environ, "PYTHONPATH": str(Path(response.__file__).parent.parent)}
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=installed).stdout


@cache
def assessed(folder: str) -> "response.Assessment":
    where = EXAMPLES / folder
    beside = {name: where / f"{name}.csv" for name in ("visits", "subjects", "collected")}
    found: dict[str, Any] = {name: path for name, path in beside.items() if path.exists()}
    measurements = response.read(where / "measurements.csv", **found)
    protocol = Protocol.from_toml((where / "protocol.toml").read_text(encoding="utf-8"))
    return response.assess(measurements, criteria=TRIALS[Path(folder).parts[0]], protocol=protocol)


def planted() -> list[object]:
    tables = [read_text(EXAMPLES / trial / "errors" / "planted.csv").assign(trial=trial) for trial in TRIALS]
    rows = pd.concat(tables).to_dict("records")
    return [
        pytest.param(row, id="-".join(filter(None, (row["finding"], row["subject"], row["timepoint"], row["lesion"]))))
        for row in rows
    ]


def test_the_committed_trials_are_what_the_script_makes(tmp_path: Path) -> None:
    run("make_trials.py", str(tmp_path))
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    committed = {
        path.relative_to(EXAMPLES): path.read_bytes() for trial in TRIALS for path in (EXAMPLES / trial).rglob("*.*")
    }
    assert made == committed


def test_the_trials_are_small() -> None:
    assert sum(path.stat().st_size for path in EXAMPLES.rglob("*.csv")) < 1_000_000


def test_every_kind_of_error_is_planted() -> None:
    tables = [read_text(EXAMPLES / trial / "errors" / "planted.csv") for trial in TRIALS]
    assert set(pd.concat(tables)["finding"]) == KINDS


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_runs_and_prints(script: str) -> None:
    assert SCRIPTS[script] in run(script)


def test_every_script_is_run_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*SCRIPTS, "make_trials.py", "make_images.py"}


@pytest.mark.parametrize("trial", TRIALS)
def test_responses_are_those_written_down_with_the_course(trial: str) -> None:
    keys = ["subject", "evaluator", "timepoint", "criterion"]
    collected = read_text(EXAMPLES / trial / "collected.csv")
    expected = collected[collected["timepoint"] != ""].set_index(keys)["overall"].to_dict()
    computed = assessed(trial).timepoints.set_index(keys)["overall"].to_dict()
    assert {key: computed.get(key) for key in expected} == expected


def test_morphologic_responses_are_those_written_down_with_the_course() -> None:
    collected = read_text(EXAMPLES / "crlm" / "chun.csv")
    expected = collected.set_index(["subject", "timepoint"])["overall"].to_dict()
    computed = assessed("crlm").timepoints
    chun = computed[computed["criterion"] == "chun"].set_index(["subject", "timepoint"])["overall"].to_dict()
    assert {key: chun.get(key) for key in expected} == expected


@pytest.mark.parametrize("trial", TRIALS)
def test_best_responses_are_those_written_down_with_the_course(trial: str) -> None:
    keys = ["subject", "evaluator", "criterion"]
    collected = read_text(EXAMPLES / trial / "collected.csv")
    wanted = ["best_response", "progression_date"]
    expected = collected[collected["timepoint"] == ""].set_index(keys)[wanted].T.to_dict()
    computed = assessed(trial).subjects.set_index(keys)[wanted].T.to_dict()
    assert {key: computed.get(key) for key in expected} == expected


@pytest.mark.parametrize("trial", TRIALS)
def test_nothing_is_found_in_a_clean_trial(trial: str) -> None:
    findings = assessed(trial).findings
    serious = findings[findings["severity"].isin(["error", "warning"])]
    assert serious[["id", "subject", "timepoint", "lesion", "sentence"]].to_dict("records") == []


@pytest.mark.parametrize("error", planted())
def test_planted_error_is_found(error: dict[str, str]) -> None:
    findings = assessed(f"{error['trial']}/errors").findings
    same = findings[(findings["id"] == error["finding"]) & (findings["subject"] == error["subject"])]
    for column in ("evaluator", "timepoint", "lesion"):
        if error[column]:
            same = same[same[column].isin([error[column], ""])]
    assert len(same) >= 1


@pytest.mark.parametrize("trial", TRIALS)
def test_nothing_is_found_in_subjects_without_planted_error(trial: str) -> None:
    findings = assessed(f"{trial}/errors").findings
    spoilt = set(read_text(EXAMPLES / trial / "errors" / "planted.csv")["subject"])
    serious = findings[findings["severity"].isin(["error", "warning"]) & ~findings["subject"].isin(spoilt)]
    assert serious[["id", "subject", "timepoint", "lesion", "sentence"]].to_dict("records") == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_page_on_criteria_has_a_line_and_a_paragraph_of_each(name: str) -> None:
    glance, each = (EXAMPLES / "criteria.md").read_text(encoding="utf-8").split("## One by one")
    assert f"`{name}`" in "".join(line.split("|")[1] for line in glance.splitlines() if line.startswith("|"))
    assert any(f"(`{name}`" in part for part in each.split("**"))
