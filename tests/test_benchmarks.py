"""The benchmarks run; what they measure is for a person to read, never asserted."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.checkout]


def test_the_benchmark_of_scoring_runs_on_a_small_trial(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    words = ["--subjects", "20", "--runs", "1", "--folder", str(tmp_path), "--criteria", "irecist", "--columns"]
    done = subprocess.run(
        [sys.executable, str(root / "tests" / "benchmarks" / "run.py"), *words],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "timeline + recist" in done.stdout
    assert "irecist costs" in done.stdout
    assert "long_columns: irecist costs" in done.stdout


@pytest.mark.parametrize("name", ["measure"])
def test_the_benchmark_of_measuring_runs_on_a_small_series(name: str, root: Path) -> None:
    pytest.importorskip("highdicom")
    done = subprocess.run(
        [sys.executable, str(root / "tests" / "benchmarks" / f"{name}.py"), "--slices", "40", "--runs", "1"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "x decoding" in done.stdout


def test_the_benchmark_of_reading_images_runs_on_a_small_series(root: Path) -> None:
    pytest.importorskip("jpeg_ls")
    done = subprocess.run(
        [sys.executable, str(root / "tests" / "benchmarks" / "images.py"), "--slices", "5", "--runs", "1"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "SimpleITK series reader" in done.stdout
