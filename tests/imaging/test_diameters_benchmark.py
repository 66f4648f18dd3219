"""The benchmark of diameters runs; what it measures is for a person to read, never asserted."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.checkout]


def test_the_benchmark_runs(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(root / "tests" / "benchmarks" / "diameters.py"), "--sizes", "10", "--runs", "1"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "times less" in done.stdout
