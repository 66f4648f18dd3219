"""A short coverage-guided fuzz run of every reader: nothing but our own errors, no hang, no bomb (tests/fuzz)."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.readers import READERS

pytestmark = [pytest.mark.slow, pytest.mark.checkout]

SECONDS = 4


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_stands_a_short_fuzz_run(reader: str, root: Path) -> None:
    pytest.importorskip("atheris")
    pytest.importorskip("SimpleITK")
    words = [sys.executable, str(root / "tests" / "fuzz" / "readers.py"), reader, "--seconds", str(SECONDS)]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, errors="replace", check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
