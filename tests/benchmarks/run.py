"""Measures scoring against the time that pyarrow needs only to parse the same CSV, in fresh processes.

    python tests/benchmarks/run.py [--subjects 250000] [--runs 5] [--folder DIR] [--criteria irecist,choi] [--columns]

P is the median of processes that only run `pyarrow.csv.read_csv`; ours alternate with them. Printed are ratios
to P and peak memory; nothing is asserted, for machines differ. With `--criteria` the cost of each of them beside
RECIST 1.1 is printed too, in units of that of RECIST 1.1, both as time of the processor, which a busy machine
changes less; `all` stands for all criteria, one by one. With `--columns` they score a trial that has the columns they
read, and one that has not.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROUNDS = 5


def parse_only(file: Path) -> dict[str, float]:
    """Parse the CSV, and nothing else."""
    import pyarrow.csv

    start = time.perf_counter()
    pyarrow.csv.read_csv(file)
    return {"parse": time.perf_counter() - start}


def score(file: Path) -> dict[str, float]:
    """Read, score by RECIST 1.1 and write Parquet; each stage with its seconds."""
    from response import read
    from response.arrange import arrange
    from response.engine import Assessment, assess_timeline
    from response.io.results import write_tables
    from response.protocol import Protocol
    from response.registry import find_criteria
    from response.report.tables import subject_table, timepoint_table

    times = [time.perf_counter()]
    measurements = read(file)
    times.append(time.perf_counter())
    timeline = arrange(measurements)
    times.append(time.perf_counter())
    criteria = find_criteria(["recist-1.1"])
    options = {item.name: Protocol().options(item.name, item.options) for item in criteria}
    assessment = Assessment(timeline, assess_timeline(timeline, criteria, options), Protocol())
    times.append(time.perf_counter())
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        tables = {"timepoints": timepoint_table(assessment), "subjects": subject_table(assessment)}
        write_tables(tables, Path(folder), ["parquet"])
        times.append(time.perf_counter())
    names = ("read", "timeline", "recist", "write")
    return {name: after - before for name, before, after in zip(names, times[:-1], times[1:], strict=True)}


def cost(file: Path, name: str) -> dict[str, float]:
    """Score by RECIST 1.1 alone, and with another criterion beside it, in turns; the processor's seconds of each."""
    from response import read
    from response.arrange import arrange
    from response.engine import assess_timeline
    from response.protocol import Protocol
    from response.registry import find_criteria

    sys.path.insert(0, str(HERE.parent.parent))
    from tests.benchmarks.make_trial import beside

    tables = {kind: path if path.exists() else None for kind, path in beside(file).items()}
    timeline = arrange(read(file, visits=tables["visits"], subjects=tables["subjects"]))
    both = find_criteria([name])
    options = {item.name: Protocol().options(item.name, item.options) for item in both}
    seconds: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for criteria, told in zip((both[:1], both), seconds, strict=True):
            start = time.process_time()
            assess_timeline(timeline, criteria, options)
            told.append(time.process_time() - start)
    alone, together = (min(told) for told in seconds)  # the least disturbed ones
    return {"alone": alone, "added": together - alone}


def in_fresh_process(what: str, file: Path) -> dict[str, float]:
    """Run one measurement in a process of its own; its whole wall time is among the figures."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, __file__, "--only", what, str(file)], check=True, capture_output=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    return {**figures, "wall": time.perf_counter() - start}


def made(folder: Path, subjects: int, name: str, *flags: str) -> Path:
    """Return a benchmark file, made where it is not there yet."""
    file = folder / name
    if not file.exists():
        subprocess.run([sys.executable, HERE / "make_trial.py", str(subjects), file, *flags], check=True)
    return file


def compare(folder: Path, subjects: int, runs: int) -> None:
    """Print the ratios of one size."""
    csv = made(folder, subjects, f"trial_{subjects}.csv")
    files = {
        "csv": csv,
        "parquet": made(folder, subjects, f"trial_{subjects}.parquet"),
        "csv shuffled": made(folder, subjects, f"shuffled_{subjects}.csv", "--shuffle"),
        "csv with long series": made(folder, subjects, f"long_{subjects}.csv", "--long"),
    }
    parses: list[float] = []
    ours: dict[str, list[dict[str, float]]] = {name: [] for name in files}
    for _ in range(runs):
        for name, file in files.items():
            parses.append(in_fresh_process("parse", csv)["wall"])
            ours[name].append(in_fresh_process("score", file))
    p = statistics.median(parses)
    print(f"{subjects * 40:,} rows; P = {p:.2f} s")
    for name, figures in ours.items():
        median = {key: statistics.median(run[key] for run in figures) for key in figures[0]}
        parts = ", ".join(f"{key} {median[key] / p:.2f}" for key in ("read", "timeline", "recist", "write"))
        core = (median["timeline"] + median["recist"]) / p
        print(f"  {name}: timeline + recist {core:.2f} P; whole {median['wall'] / p:.2f} P ({parts}); "
              f"peak {median['peak_mb'] / 1000:.2f} GB")  # fmt: skip


def compare_criteria(folder: Path, subjects: int, names: list[str], *, columns: bool) -> None:
    """Print what each criterion costs beside RECIST 1.1."""
    kinds = {"trial": (), "long": ("--long",)}
    if columns:
        kinds |= {"columns": ("--columns",), "long_columns": ("--long", "--columns")}
    for what, flags in kinds.items():
        file = made(folder, subjects, f"{what}_{subjects}.parquet", *flags)
        for name in names:
            found = in_fresh_process(f"cost:{name}", file)
            ratio = found["added"] / found["alone"]
            print(f"  {what}: {name} costs {ratio:.2f} times RECIST 1.1 ({found['alone']:.2f} s)")


def asked(names: str) -> list[str]:
    """Return the criteria that the command line names."""
    if names == "all":
        from response.registry import STANDARD, criterion_names

        return [name for name in criterion_names() if name != STANDARD]
    return [name for name in names.split(",") if name]


def main() -> None:
    """Measure, or do one measurement of a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, nargs="*", default=[250, 2_500, 25_000, 250_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--criteria", default="")
    parser.add_argument("--columns", action="store_true")
    parser.add_argument("--only", nargs=2)
    wanted = parser.parse_args()
    if wanted.only:
        what, _, name = wanted.only[0].partition(":")
        file = Path(wanted.only[1])
        figures = cost(file, name) if name else (parse_only if what == "parse" else score)(file)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**figures, "peak_mb": peak}))
        return
    with tempfile.TemporaryDirectory() as temporary:
        for subjects in wanted.subjects:
            folder = wanted.folder or Path(temporary)
            if wanted.runs:
                compare(folder, subjects, wanted.runs)
            compare_criteria(folder, subjects, asked(wanted.criteria), columns=wanted.columns)


if __name__ == "__main__":
    main()
