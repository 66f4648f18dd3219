"""Every command and every piece of Python in the README is run, in the order of the page, in one sandbox.

The lines that make an environment are not run again here: `.ci/run` runs them word for word, which is tested too.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.checkout]

ROOT = Path(__file__).resolve().parent.parent
SHELLS: Final = {"bash", "console", "sh", "shell"}
NOT_RUN: Final = {"csv", "json", "text", "toml"}  # what a file or a screen shows
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
MAIN = "import sys; from response.cli import main; sys.argv[0] = 'tumor-response'; sys.exit(main())"


class Block(NamedTuple):
    """A fenced block of the page."""

    language: str
    text: str


def read_blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [Block(*found) for found in BLOCK.findall(page)]


def command_lines(text: str) -> list[str]:
    """Return the commands of a shell block: continued lines joined, comments, prompts and blank lines left out."""
    lines = text.replace("\\\n", " ").splitlines()
    stripped = (" ".join(line.strip().removeprefix("$ ").split()) for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]


def run_line(line: str, folder: Path) -> None:
    """Run one line as a person would, with this environment in the place of `.venv`."""
    for command in line.split(" && "):
        words = shlex.split(command, comments=True)
        program = words[0].removeprefix(".venv/bin/")
        if program == "tumor-response":
            _run([sys.executable, "-c", MAIN, *words[1:]], folder)
        elif program in {"python", "python3"} and words[1].endswith(".py"):
            _run([sys.executable, *words[1:]], folder)
        elif program in {"cat", "head", "ls"}:
            _run(words, folder)
        elif not _makes_an_environment(program, words[1:]):
            pytest.fail(f"README.md: no test knows how to run {command!r}")


def _makes_an_environment(program: str, words: Sequence[str]) -> bool:
    if (program, *words[:2]) in {("python3", "-m", "venv"), ("python", "-m", "pytest")}:
        return True
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {extra for word in words for found in re.findall(r"\[(.*)\]", word) for extra in found.split(",")}
    return program == "pip" and words[0] == "install" and named <= extras.keys()


def _run(command: Sequence[str], folder: Path) -> None:
    inherited = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=inherited, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, f"README.md: {command}: status {done.returncode}\n{done.stdout}\n{done.stderr}"


README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = read_blocks(README)
LINES = [line for block in BLOCKS if block.language in SHELLS for line in command_lines(block.text)]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty folder with the examples: what a command writes, a later one may read."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


def test_the_page_runs(sandbox: Path) -> None:
    for language, text in BLOCKS:
        if language in SHELLS:
            for line in command_lines(text):
                run_line(line, sandbox)
        elif language == "python":
            _run([sys.executable, "-W", "error", "-c", text], sandbox)
    written = {folder for line in LINES if " assess " in line for folder in re.findall(r" -o (\S+)", line)}
    assert written, "README.md: no command scores a trial"
    for folder in written:
        assert {file.name for file in (sandbox / folder).iterdir()} >= {
            "findings.csv",
            "lesions.csv",
            "manifest.json",
            "subjects.csv",
            "timepoints.csv",
        }


def test_every_block_says_what_it_is() -> None:
    assert {block.language for block in BLOCKS} <= SHELLS | NOT_RUN | {"python"}


def test_the_first_two_commands_start_from_nothing_and_ci_runs_them() -> None:
    score, test = LINES[:2]
    assert score.startswith("python3 -m venv .venv && ")
    assert " && .venv/bin/tumor-response assess examples/" in score
    assert test.startswith("python3 -m venv .venv && ")
    assert test.endswith(" && .venv/bin/python -m pytest")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    # Without `|| exit`, bash overlooks a failure inside the list.
    assert [line for line in ci if line.startswith("python3 -m venv")] == [f"{score} || exit", f"{test} || exit"]


@pytest.mark.parametrize("name", re.findall(r"\]\((?!https?:)([^)#]+)", README))
def test_a_link_leads_somewhere(name: str) -> None:
    assert (ROOT / name).exists()


PLANTED = [
    # language  text                                          what is said
    ("sh", "tumor-response assess no_such_file.csv -o out", "status"),
    ("sh", "make test", "no test knows how to run 'make test'"),
    ("sh", ".venv/bin/pip install '.[no_such_extra]'", "no test knows how to run"),
    ("sh", "tumor-response --version && \\\n  python no_such.py", "no_such.py"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "message"), PLANTED)
def test_a_planted_bad_command_is_found(language: str, text: str, message: str, tmp_path: Path) -> None:
    (block,) = read_blocks(f"Text.\n\n```{language}\n# why\n{text}\n```\n")
    (line,) = command_lines(block.text)
    with pytest.raises((AssertionError, pytest.fail.Exception), match=message):
        run_line(line, tmp_path)
