"""Makes the synthetic trial of the benchmarks: 13 canonical columns, 8 timepoints, 5 lesions a subject.

    python tests/benchmarks/make_trial.py SUBJECTS FILE.csv|FILE.parquet [--shuffle] [--long] [--columns]

`--long` gives every ten-thousandth subject 400 timepoints. `--columns` adds what the other criteria read: both
diameters, enhancing tissue, attenuation, uptake and the like, a new lesion in every tenth subject, and beside the file
a table of visits and one of subjects (`beside`). Seeded: the same call makes the same files.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

TIMEPOINTS, LESIONS, LONG_TIMEPOINTS = 8, 5, 400
LARGEST_TENTHS = 3000
ORGANS = ("liver", "lung", "lymph node", "adrenal gland", "bone")
NODE, NON_TARGET = 2, 4  # places among the lesions
NEW_EVERY, NEW_FROM = 10, 3  # with --columns: every so many subjects have a new lesion, from that timepoint on

# With --columns: range of each number, which follows the size of the lesion with some noise ...
LESION_NUMBERS: Final[Mapping[str, tuple[float, float]]] = {
    "longest_mm": (10, 60), "short_mm": (8, 45), "viable_mm": (0, 40), "viable_short_mm": (0, 30),
    "viable_area_mm2": (0, 1200), "viable_volume_mm3": (0, 40_000), "area_mm2": (20, 1500),
    "volume_mm3": (100, 60_000), "necrosis_fraction": (0, 1), "sul_peak": (1, 12), "tlg": (5, 400), "suv": (1, 15),
    "ablation_zone_mm": (20, 60), "ablation_margin_mm": (0, 12), "relative_enhancement_percent": (20, 160),
}  # fmt: skip
VISIT_NUMBERS: Final[Mapping[str, tuple[float, float]]] = {
    "liver_sul_mean": (1.4, 1.8), "liver_sul_sd": (0.1, 0.3), "uptake_minutes": (55, 70), "steroid_mg": (0, 8),
    "bone_lesions": (0, 12), "new_bone_lesions": (0, 3), "psa": (1, 60), "spleen_mm": (100, 170),
}  # fmt: skip
# ... and words, the first of them for nine of ten.
LESION_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "phase": ("portal venous", "arterial"), "morphology": ("2", "1", "3"), "nodule": ("none", "new"),
    "vascular_pattern": ("typical", "atypical", ""), "lesion_type": ("solid", "cystic"),
    "cytology": ("", "positive"), "zone_enhancement": ("none", "thin_rim", "nodular"), "trend": ("unchanged", ""),
    "enhancement_change": ("none", "fill_in"), "tissue": ("enhancing", "non_enhancing"),
    "modality": ("MR", "CT"), "mr_sequence": ("T1 VIBE", "T1 SE"),
}  # fmt: skip
VISIT_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "new_lesions": ("none", "equivocal"), "clinical": ("stable", "deteriorated"), "pet": ("negative", "positive"),
    "markers": ("normal", "above"), "marrow": ("negative", "positive"),
}  # fmt: skip
COUNTS: Final = ("bone_lesions", "new_bone_lesions", "uptake_minutes")


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


def with_columns(table: pa.Table) -> pa.Table:
    """Return the trial with new lesions, and with the columns that criteria other than RECIST 1.1 read."""
    rng = np.random.default_rng(20_240_102)
    subject, timepoint, lesion = (_codes(table, name) for name in ("subject", "timepoint", "lesion"))
    late = (timepoint >= NEW_FROM) & (subject % NEW_EVERY == 0)
    new = table.filter(pa.array(late & (lesion == 0)))
    for name, text in (("lesion", "NL1"), ("role", "new"), ("state", "")):
        new = _put(new, name, _coded(np.zeros(len(new)), [text]))
    whole = pa.concat_tables([table, new]).unify_dictionaries()
    subject, timepoint, lesion, organ = (_codes(whole, name) for name in ("subject", "timepoint", "lesion", "organ"))
    whole = _put(whole, "organ", _coded(np.where(organ == ORGANS.index("lung"), 0, organ), list(ORGANS)))
    base = rng.random((int(subject.max()) + 1, LESIONS + 1))[subject, lesion]
    size = base * (1 + (timepoint > 0) * (rng.normal(0, 0.1, len(whole)) - 0.05 * (timepoint % 6)))
    for name, (low, high) in LESION_NUMBERS.items():
        whole = _put(whole, name, _number(size, low, high, rng))
    for name, words in LESION_WORDS.items():
        whole = _put(whole, name, _words(len(whole), words, rng))
    injected = (lesion == 0) | (rng.random(len(whole)) < 0.005)  # the first lesion always, others now and then
    return _put(whole, "injected", _coded(injected, ["", "Y"]))


def visits_table(table: pa.Table) -> pa.Table:
    """Return the table of visits that belongs to a trial: a row for each subject and timepoint."""
    rng = np.random.default_rng(20_240_103)
    visits = table.select(["subject", "timepoint"]).group_by(["subject", "timepoint"], use_threads=False).aggregate([])
    for name, (low, high) in VISIT_NUMBERS.items():
        visits = _put(visits, name, _number(rng.random(len(visits)), low, high, rng, whole=name in COUNTS))
    for name, words in VISIT_WORDS.items():
        visits = _put(visits, name, _words(len(visits), words, rng))
    return visits


def subjects_table(table: pa.Table) -> pa.Table:
    """Return the table of subjects that belongs to a trial."""
    subjects = table.select(["subject"]).group_by(["subject"], use_threads=False).aggregate([])
    for name, day in (("treatment_start", "2015-01-02"), ("radiotherapy_end", "2014-12-01")):
        subjects = _put(subjects, name, _coded(np.zeros(len(subjects)), [day]))
    return subjects


def beside(path: Path) -> dict[str, Path]:
    """Return where the tables of visits and of subjects stand that belong to a trial."""
    return {name: path.with_name(f"{path.stem}_{name}{path.suffix}") for name in ("visits", "subjects")}


def _codes(table: pa.Table, name: str) -> np.ndarray:
    return np.asarray(table[name].combine_chunks().indices)


def _put(table: pa.Table, name: str, values: pa.DictionaryArray) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.append_column(name, values) if place < 0 else table.set_column(place, name, values)


def _number(size: Any, low: float, high: float, rng: Any, *, whole: bool = False) -> pa.DictionaryArray:
    texts = [f"{value:.0f}" if whole else f"{value:.1f}" for value in np.linspace(low, high, 200)]
    share = np.clip(size + rng.normal(0, 0.02, len(size)), 0, 1)
    return _coded(np.rint(share * 199), texts)


def _words(rows: int, words: tuple[str, ...], rng: Any) -> pa.DictionaryArray:
    return _coded(np.where(rng.random(rows) < 0.9, 0, rng.integers(0, len(words), rows)), list(words))


def _coded(codes: Any, texts: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.asarray(codes, np.int32)), pa.array(texts))


def write(table: pa.Table, path: Path) -> None:
    """Write the trial as CSV or Parquet, by the name of the file."""
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(quoting_style="none"))


def main() -> None:
    """Make one file, or one with the two beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--shuffle", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--columns", action="store_true")
    wanted = parser.parse_args()
    table = make(wanted.subjects, shuffle=wanted.shuffle, long=wanted.long)
    if wanted.columns:
        files = beside(wanted.file)
        write(visits_table(table), files["visits"])
        write(subjects_table(table), files["subjects"])
    write(with_columns(table) if wanted.columns else table, wanted.file)


if __name__ == "__main__":
    main()
