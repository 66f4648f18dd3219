"""Makes the synthetic trial of the benchmarks: 13 canonical columns, 8 timepoints, 5 lesions a subject.

    python tests/benchmarks/make_trial.py SUBJECTS FILE.csv|FILE.parquet [--shuffle] [--long]

`--long` gives every ten-thousandth subject 400 timepoints. Seeded: the same call makes the same file.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

TIMEPOINTS, LESIONS, LONG_TIMEPOINTS = 8, 5, 400
LARGEST_TENTHS = 3000
ORGANS = ("liver", "lung", "lymph node", "adrenal gland", "bone")
NODE, NON_TARGET = 2, 4  # places among the lesions


def visits_of(subjects: int, *, long: bool) -> np.ndarray:
    """Return the number of timepoints of each subject."""
    visits = np.full(subjects, TIMEPOINTS)
    if long:
        visits[::10_000] = LONG_TIMEPOINTS
    return visits


def make(subjects: int, *, shuffle: bool = False, long: bool = False) -> pa.Table:
    """Return the trial as a table of dictionary-coded text."""
    rng = np.random.default_rng(20_240_101)
    visits = visits_of(subjects, long=long)
    subject = np.repeat(np.arange(subjects), visits * LESIONS)
    start = np.repeat(np.cumsum(visits * LESIONS) - visits * LESIONS, visits * LESIONS)
    place = np.arange(len(subject)) - start
    timepoint, lesion = place // LESIONS, place % LESIONS
    rows = len(subject)
    base = rng.integers(100, 600, (subjects, LESIONS))[subject, lesion]
    course = np.clip(rng.normal(-0.02, 0.1, rows) - 0.05 * (timepoint % 6), -0.9, 0.9)
    tenths = np.clip(np.rint(base * (1 + course * (timepoint > 0))), 0, LARGEST_TENTHS).astype(np.int64)
    events = rng.random(rows)
    follow_up = timepoint > 0
    state = np.where(lesion == NON_TARGET, 1, 0)
    state[(events < 0.004) & follow_up] = 2
    state[(events > 0.997) & follow_up & (lesion == NON_TARGET)] = 3
    number = np.where((lesion == NON_TARGET) | (state == 2), LARGEST_TENTHS + 1, tenths)
    texts = [f"{n // 10}.{n % 10}" if n % 10 else str(n // 10) for n in range(LARGEST_TENTHS + 1)] + [""]
    days, day = np.unique(np.datetime64("2015-01-01") + (subject % 300) + timepoint * 56, return_inverse=True)
    columns = {
        "subject": _coded(subject, [f"S{number:06d}" for number in range(subjects)]),
        "evaluator": _coded(np.zeros(rows), ["R1"]),
        "timepoint": _coded(timepoint, [str(number) for number in range(int(visits.max()))]),
        "date": _coded(day, [str(text) for text in days]),
        "lesion": _coded(lesion, ["T1", "T2", "N1", "T3", "NT1"]),
        "role": _coded((lesion == NON_TARGET).astype(int), ["target", "non_target"]),
        "organ": _coded(lesion, list(ORGANS)),
        "state": _coded(state, ["", "present", "not_evaluable", "unequivocal_progression"]),
        "longest_mm": _coded(np.where(lesion == NODE, LARGEST_TENTHS + 1, number), texts),
        "short_mm": _coded(np.where(lesion == NODE, number, LARGEST_TENTHS + 1), texts),
        "attenuation_hu": _coded(rng.integers(300, 1200, rows), [f"{n // 10}.{n % 10}" for n in range(1200)]),
        "modality": _coded(np.zeros(rows), ["CT"]),
        "slice_thickness_mm": _coded(np.zeros(rows), ["5"]),
    }
    table = pa.table(columns)
    return table.take(pa.array(rng.permutation(rows))) if shuffle else table


def _coded(codes: Any, texts: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.asarray(codes, np.int32)), pa.array(texts))


def write(table: pa.Table, path: Path) -> None:
    """Write the trial as CSV or Parquet, by the name of the file."""
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(quoting_style="none"))


def main() -> None:
    """Make one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--shuffle", action="store_true")
    parser.add_argument("--long", action="store_true")
    wanted = parser.parse_args()
    write(make(wanted.subjects, shuffle=wanted.shuffle, long=wanted.long), wanted.file)


if __name__ == "__main__":
    main()
