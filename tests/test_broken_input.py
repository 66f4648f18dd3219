"""Broken input through the command line: a clear message, the right exit status, nothing partial, the rest scored."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from response.cli import main

HEADER = "subject,timepoint,date,lesion,role,organ,longest_mm"
GOOD = """\
GOOD-1,0,2024-01-02,T1,target,liver,50
GOOD-1,1,2024-03-01,T1,target,liver,30
"""
CANARY = "CANARY-77"  # an id that has no business in any message


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture(autouse=True)
def _nothing_partial(tmp_path: Path) -> Iterator[None]:
    yield
    assert [path.name for path in tmp_path.rglob(".tumor-response-*")] == []


def written(folder: Path, content: str | bytes, name: str = "lesions.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def overall(folder: Path) -> dict[tuple[str, str], str]:
    return {(row["subject"], row["timepoint"]): row["overall"] for row in rows_of(folder / "timepoints.csv")}


def findings(folder: Path) -> list[str]:
    return [row["id"] for row in rows_of(folder / "findings.csv")]


# --- Files that cannot be used at all: status 2, one message, no results.

UNUSABLE: list[tuple[str, str | bytes, str]] = [
    # what             content                                          in the message
    ("empty file", "", "lesions.csv"),
    ("header only", HEADER + "\n", "no rows"),
    ("blank lines only", "\n\n\n", "lesions.csv"),
    ("binary file", bytes(range(256)) * 40, "lesions.csv"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(200), "lesions.csv"),
    ("a column missing", table("P,0,2024-01-02,T1,liver,50", header=HEADER.replace(",role", "")), "role"),
    ("10,000 columns", table(header=",".join(f"c{place}" for place in range(10_000))) + "1\n", "columns"),
    ("duplicate headers", table(GOOD.strip().splitlines()[0] + ",9", header=HEADER + ",longest_mm"), "longest_mm"),
    ("mixed units in one header", table("P,0,,T1,target,liver,5,5", header=HEADER + ",short_cm"), "cm"),
]


@pytest.mark.parametrize(("what", "content", "told"), UNUSABLE, ids=[row[0] for row in UNUSABLE])
def test_an_unusable_file_is_refused(
    *, what: str, content: str | bytes, told: str, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["assess", str(written(tmp_path, content)), "-o", str(out)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert told in printed.err
    assert printed.err.count("error: ") == 1
    assert "Traceback" not in printed.err
    assert len(printed.err) < 2000  # 10,000 columns are not listed
    assert not out.exists()


def test_a_wrong_delimiter_is_told(tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, table(*GOOD.strip().splitlines()))
    assert main(["assess", str(path), "--delimiter", "|", "-o", str(out)]) == 2
    assert "delimiter" in capsys.readouterr().err
    assert not out.exists()


def test_one_unusable_file_of_two_stops_the_run_before_anything_is_written(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = written(tmp_path, table(*GOOD.strip().splitlines()), "good.csv")
    assert main(["assess", str(good), str(written(tmp_path, "", "empty.csv")), "-o", str(out)]) == 2
    assert "empty.csv" in capsys.readouterr().err
    assert not out.exists()


# --- Rows and cells that cannot be used: they are found, and the rest of the batch is scored.

FOUND = [
    # what                         row of subject BAD                              finding
    ("infinite number", "BAD,1,2024-03-01,T1,target,liver,inf", "unusable_cell"),
    ("not a number", "BAD,1,2024-03-01,T1,target,liver,NaN", "unusable_cell"),
    ("1e400", "BAD,1,2024-03-01,T1,target,liver,1e400", "unusable_cell"),
    ("negative number", "BAD,1,2024-03-01,T1,target,liver,-12", "unusable_cell"),
    ("longer than a person", "BAD,1,2024-03-01,T1,target,liver,25000", "unusable_cell"),
    ("unit in the cell", "BAD,1,2024-03-01,T1,target,liver,1.8 cm", "unusable_cell"),
    ("a date that is none", "BAD,1,2024-02-31,T1,target,liver,20", "unusable_cell"),
    ("a date in the future", "BAD,1,2999-03-01,T1,target,liver,20", "date_in_future"),
    ("formula in a number cell", "BAD,1,2024-03-01,T1,target,liver,=1+1", "unusable_cell"),
    ("an unknown role", "BAD,1,2024-03-01,T1,tagret,liver,20", "unusable_cell"),
]


@pytest.mark.parametrize(("what", "row", "finding"), FOUND, ids=[row[0] for row in FOUND])
def test_an_unusable_cell_is_found_and_the_rest_is_scored(
    *, what: str, row: str, finding: str, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = table("BAD,0,2024-01-02,T1,target,liver,20", row, *GOOD.strip().splitlines())
    assert main(["assess", str(written(tmp_path, content)), "-o", str(out)]) == 0
    assert overall(out)["GOOD-1", "1"] == "PR"  # 30 of 50 mm
    assert finding in findings(out)
    told = next(row for row in rows_of(out / "findings.csv") if row["id"] == finding)
    assert (told["subject"], told["timepoint"]) == ("BAD", "1")
    assert told["line"] == "3" or finding != "unusable_cell"  # a visit has no line of its own
    assert "Traceback" not in capsys.readouterr().err


def test_a_blank_or_infinite_number_is_never_zero(tmp_path: Path, out: Path) -> None:
    content = table("BAD,0,2024-01-02,T1,target,liver,20", "BAD,1,2024-03-01,T1,target,liver,inf")
    assert main(["assess", str(written(tmp_path, content)), "-o", str(out), "-q"]) == 0
    assert overall(out)["BAD", "1"] == "NE"


def test_mixed_units_row_by_row_are_read_by_their_unit(tmp_path: Path, out: Path) -> None:
    rows = ["P,0,2024-01-02,T1,target,liver,50,mm", "P,1,2024-03-01,T1,target,liver,3,cm"]
    path = written(tmp_path, table(*rows, "P,2,2024-05-01,T1,target,liver,3,inch", header=HEADER + ",unit"))
    assert main(["assess", str(path), "-o", str(out), "-q"]) == 0
    assert overall(out)["P", "1"] == "PR"  # 30 of 50 mm
    assert overall(out)["P", "2"] == "NE"
    assert "unusable_cell" in findings(out)


def test_a_subject_without_baseline_is_named_and_the_others_are_scored(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subjects = written(tmp_path, "subject,treatment_start\nLATE-1,2023-06-01\n", "subjects.csv")
    path = written(
        tmp_path, table("LATE-1,1,2024-01-02,T1,target,liver,20", "LATE-1,2,2024-03-01,T1,target,liver,9", GOOD.strip())
    )
    assert main(["assess", str(path), "--subjects", str(subjects), "-o", str(out)]) == 1
    message = capsys.readouterr().err
    assert "1 of 2 could not be scored, for want of a baseline: LATE-1" in message
    assert overall(out)["GOOD-1", "1"] == "PR"
    assert overall(out)["LATE-1", "2"] == ""
    assert "no_baseline" in findings(out)


def test_no_baseline_at_all_is_status_2(tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subjects = written(tmp_path, "subject,treatment_start\nLATE-1,2023-06-01\n", "subjects.csv")
    path = written(tmp_path, table("LATE-1,1,2024-01-02,T1,target,liver,20"))
    assert main(["assess", str(path), "--subjects", str(subjects), "-o", str(out)]) == 2
    assert "baseline" in capsys.readouterr().err
    assert not out.exists()


def test_cyclic_merges_are_found_and_the_rest_is_scored(tmp_path: Path, out: Path) -> None:
    rows = [
        "C,0,2024-01-02,T1,target,liver,20,,",
        "C,0,2024-01-02,T2,target,liver,20,,",
        "C,1,2024-03-01,T1,target,liver,,merged,T2",
        "C,1,2024-03-01,T2,target,liver,,merged,T1",
    ]
    path = written(tmp_path, table(*rows, *(f"{row},," for row in GOOD.splitlines()), header=HEADER + ",state,parent"))
    assert main(["assess", str(path), "-o", str(out), "-q"]) == 0
    assert "cyclic_merge" in findings(out)
    assert overall(out)["GOOD-1", "1"] == "PR"


def test_formulas_of_a_workbook_are_not_run_and_not_passed_on(tmp_path: Path, out: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in table("=1+1,0,2024-01-02,T1,target,liver,20", *GOOD.strip().splitlines()).splitlines():
        sheet.append(row.split(","))
    path = tmp_path / "lesions.xlsx"
    book.save(path)
    status = main(["assess", str(path), "-o", str(out), "-q"])
    assert status in {0, 1}
    assert overall(out)["GOOD-1", "1"] == "PR"
    for result in out.glob("*.csv"):
        assert all(not cell.startswith("=") for row in rows_of(result) for cell in row.values())


def test_a_text_that_looks_like_a_formula_stays_harmless_in_the_results(tmp_path: Path, out: Path) -> None:
    content = table('"=HYPERLINK(""x"")",0,2024-01-02,T1,target,liver,20', GOOD.strip())
    assert main(["assess", str(written(tmp_path, content)), "-o", str(out), "-q"]) == 0
    assert all(not row["subject"].startswith("=") for row in rows_of(out / "subjects.csv"))


# --- Slips on the command line

SLIPS: list[tuple[str, list[str], str]] = [
    # what                 arguments after `assess FILE -o OUT`         in the message
    ("unknown criterion", ["--criteria", "recist-1.1,chio"], "chio"),
    ("unknown format", ["--format", "csv,docx"], "docx"),
    ("a protocol that is not there", ["--protocol", "nowhere.toml"], "nowhere.toml"),
    ("a visit table that is not there", ["--visits", "nowhere.csv"], "nowhere.csv"),
    ("a mapping that is not there", ["--map", "nowhere.toml"], "nowhere.toml"),
    ("unknown option", ["--critera", "choi"], "--criteria"),
    ("a decimal mark that is none", ["--decimal", ";"], "--decimal"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "options", "told"), SLIPS, ids=[row[0] for row in SLIPS])
def test_a_slip_is_told(
    *, what: str, options: list[str], told: str, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, table(GOOD.strip()))
    assert main(["assess", str(path), "-o", str(out), *options]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_all_faults_of_a_protocol_are_told_at_once(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '[recist-1.1]\nconfirm_dayz = 28\nmin_sd_days = -1\n[choi]\nchoi_pr_logic = "xor"\n[lugano]\nx = 1\n'
    protocol = written(tmp_path, text, "study.toml")
    path = written(tmp_path, table(GOOD.strip()))
    assert main(["assess", str(path), "-o", str(out), "--protocol", str(protocol)]) == 2
    message = capsys.readouterr().err
    for told in ("confirm_dayz", "min_sd_days", "choi_pr_logic", "lugano"):
        assert told in message
    assert not out.exists()


def test_a_file_that_is_not_there_is_told(tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assess", str(tmp_path / "gone.csv"), "-o", str(out)]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_file_that_vanishes_between_look_and_read_is_told(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from response.io.sniffing import kind_of_file

    path = written(tmp_path, table(GOOD.strip()))

    def vanish(file: Path, head: bytes) -> Any:
        kind = kind_of_file(file, head)
        file.unlink()
        return kind

    monkeypatch.setattr("response.io.tables.kind_of_file", vanish)
    assert main(["assess", str(path), "-o", str(out)]) == 2
    message = capsys.readouterr().err
    assert "lesions.csv" in message
    assert "Traceback" not in message
    assert not out.exists()


# --- Writing

UNWRITABLE = [("a file in place of the folder", "taken"), ("a folder below a file", "taken/below")]


@pytest.mark.parametrize(("what", "name"), UNWRITABLE, ids=[row[0] for row in UNWRITABLE])
@pytest.mark.parametrize("command", ["assess", "check"])
def test_an_unwritable_output_is_told_before_the_work(
    what: str, name: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, table(GOOD.strip()))
    written(tmp_path, "mine", "taken")
    assert main([command, str(path), "-o", str(tmp_path / name)]) == 2
    message = capsys.readouterr().err
    assert "cannot write" in message
    assert "read " not in message
    assert (tmp_path / "taken").read_text() == "mine"


def failing(error: BaseException) -> Callable[..., Any]:
    def fail(*args: Any, **options: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("earlier", [False, True], ids=["new folder", "over earlier results"])
@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (OSError(28, "No space left on device"), 2, "disk is full"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=["disk full", "interrupt"],
)
def test_writing_is_whole_or_not_at_all(
    *,
    error: BaseException,
    status: int,
    told: str,
    earlier: bool,
    tmp_path: Path,
    out: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from response.io import results

    path = written(tmp_path, table(GOOD.strip()))
    if earlier:
        assert main(["assess", str(path), "-o", str(out), "-q"]) == 0
    before = {file.name: file.read_bytes() for file in out.glob("*")}
    # the tables are written by then, the manifest is not
    monkeypatch.setattr(results, "manifest", failing(error))
    assert main(["assess", str(path), "-o", str(out)]) == status
    message = capsys.readouterr().err
    assert told in message
    assert "Traceback" not in message
    assert {file.name: file.read_bytes() for file in out.glob("*")} == before
    assert out.exists() == earlier


def test_an_input_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, table(GOOD.strip()), "lesions.csv")
    content = path.read_bytes()
    assert main(["assess", str(path), "-o", str(tmp_path)]) == 2
    assert "input" in capsys.readouterr().err
    assert path.read_bytes() == content


# --- What must not be told


def test_an_unexpected_error_tells_its_place_and_no_data(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from response import engine

    monkeypatch.setattr(engine, "arrange", failing(ValueError(f"cannot handle {CANARY}")))
    path = written(tmp_path, table(GOOD.strip()))
    assert main(["assess", str(path), "-o", str(out)]) == 2
    message = capsys.readouterr().err
    assert "ValueError" in message
    assert "--debug" in message
    assert CANARY not in message
    assert "Traceback" not in message
    assert not out.exists()
    assert main(["assess", str(path), "-o", str(out), "--debug"]) == 2
    message = capsys.readouterr().err
    assert "Traceback" in message
    assert CANARY in message


@pytest.mark.parametrize("mode", ["text", "json"])
def test_no_subject_is_named_without_need(
    mode: str, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{CANARY},0,2024-01-02,T1,target,liver,20", f"{CANARY},1,2024-03-01,T1,target,liver,inf"]
    path = written(tmp_path, table(*rows, GOOD.strip()))
    assert main(["assess", str(path), "-o", str(out), "--log", mode]) == 0
    printed = capsys.readouterr()
    assert CANARY not in printed.err + printed.out
    assert CANARY in (out / "findings.csv").read_text()  # where a data manager looks
    if mode == "json":
        assert all(json.loads(line)["level"] for line in printed.err.splitlines())


def test_no_subject_is_named_where_nothing_could_be_done(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, table(f"{CANARY},0,T1,liver,20", header="subject,timepoint,lesion,organ,longest_mm"))
    assert main(["assess", str(path), "-o", str(out)]) == 2
    assert CANARY not in capsys.readouterr().err


# --- In processes of their own


def _run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "response", *arguments]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.slow
def test_a_process_ends_with_the_status(tmp_path: Path, out: Path) -> None:
    path = written(tmp_path, table(GOOD.strip()))
    done = _run("assess", str(path), "-o", str(out), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    empty = _run("assess", str(written(tmp_path, "", "empty.csv")), "-o", str(out / "not"), cwd=tmp_path)
    assert empty.returncode == 2
    assert "Traceback" not in empty.stderr
    assert not (out / "not").exists()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", ["explain", "protocol"])
def test_a_full_disk_behind_stdout_is_told(command: str, tmp_path: Path) -> None:
    path = written(tmp_path, table(GOOD.strip()))
    arguments = {"explain": [str(path), "--subject", "GOOD-1"], "protocol": []}[command]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "response", command, *arguments],
            env=env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def _opened_by_reader(pipe: Path) -> int:
    """Wait until somebody reads the pipe; return its other end."""
    for _ in range(300):
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # no reader yet
            time.sleep(0.1)
    raise AssertionError("nobody read the pipe")


def _heeds_interrupts() -> None:
    # what a shell starts in the background ignores them, and so do the children of the tests
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize(
    ("number", "status", "told"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    ids=["interrupt", "terminate"],
)
def test_a_signal_from_outside_leaves_nothing(
    number: signal.Signals, status: int, told: str, tmp_path: Path, out: Path
) -> None:
    pipe = tmp_path / "slow.csv"
    os.mkfifo(pipe)  # nobody writes into it: the program waits, as for a slow disk
    command = [sys.executable, "-m", "response", "assess", str(pipe), "-o", str(out)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heeds_interrupts,  # noqa: PLW1509
    ) as process:
        try:
            opened = _opened_by_reader(pipe)
            time.sleep(0.5)  # until it waits for the content
            process.send_signal(number)
            _, message = process.communicate(timeout=60)
            os.close(opened)
        finally:
            process.kill()  # or leaving would wait for it for ever
    assert process.returncode == status
    assert told in message
    assert "Traceback" not in message
    assert not out.exists()
