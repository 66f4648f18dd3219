"""Laws that the criteria with sums of their own keep, and how far a timepoint is from their thresholds."""

from decimal import Decimal
from pathlib import Path
from random import Random

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from response import assess, read
from response.criteria.recist import RECIST_1_1
from response.registry import find_criterion
from response.report.one_series import states_of
from response.report.thresholds import thresholds
from response.timeline import Timeline
from tests.acceptance import Row
from tests.test_acceptance import example
from tests.test_laws import AS_READ, assessed, course, rows_of, same, some_courses, timepoints
from tests.trials import target

ALL = ("mrecist", "mchoi", "mri-choi", "who", "irrc", "imrecist", "easl", "qeasl", "itrecist")
LENGTHS = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm")


def with_axes(rows: list[Row]) -> list[Row]:
    """Return rows in which every length has a second one and an enhancing part, and the first lesion is injected."""
    found = []
    for row in rows:
        length = row.get("longest_mm") or row.get("short_mm") or ""
        other = str(Decimal(length) * 4 / 5) if length else ""
        axes = {"short_mm": row.get("short_mm") or other, "longest_mm": row.get("longest_mm") or length}
        volume = str(Decimal(length) ** 3 / 2) if length else ""
        viable = {"viable_mm": other, "viable_short_mm": other, "attenuation_hu": "60" if length else ""}
        viable |= {"viable_volume_mm3": volume, "volume_mm3": volume}
        viable |= {"relative_enhancement_percent": other, "mr_sequence": "T1"}
        injected = {"injected": "Y"} if row["lesion"] == "T1" else {}
        found.append({**row, **{name: text for name, text in {**axes, **viable}.items() if text}, **injected})
    return found


def in_cm(row: Row) -> Row:
    """Return a row with its lengths in cm."""
    return {**row, **{name: str(Decimal(row[name]) / 10) for name in LENGTHS if row.get(name)}, "unit": "cm"}


@some_courses
@given(course(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(lesions: str, random: Random) -> None:
    rows = with_axes(rows_of(lesions))
    one, other = assessed(rows, ALL), assessed(random.sample(rows, len(rows)), ALL)
    same(one.timepoints, other.timepoints)
    same(one.subjects, other.subjects)


@some_courses
@given(course())
def test_cm_and_mm_files_agree(lesions: str) -> None:
    rows = with_axes(rows_of(lesions))
    same(timepoints(rows, ALL), timepoints([in_cm(row) for row in rows], ALL))


@some_courses
@given(course())
def test_a_later_timepoint_never_changes_an_earlier_result(lesions: str) -> None:
    rows = with_axes(rows_of(lesions))
    last = max(row["timepoint"] for row in rows)
    assume(last != "0")
    columns = ["timepoint", "criterion", *AS_READ, "sum_mm2", "nadir_mm2", "itrecist_injected", "itrecist_non_injected"]
    columns += ["qeasl_sum", "qeasl_nadir", "itrecist_anew"]
    short, whole = (timepoints(kept, ALL) for kept in ([row for row in rows if row["timepoint"] != last], rows))
    same(short[columns], whole[whole["timepoint"].astype(str) != last][columns])


@some_courses
@given(course())
def test_the_nadir_never_rises(lesions: str) -> None:
    found = timepoints(with_axes(rows_of(lesions)), ALL)
    for criterion in ALL:
        for column in ("nadir_mm", "nadir_mm2", "qeasl_nadir"):
            values = [Decimal(str(x)) for x in found[found["criterion"] == criterion][column] if not pd.isna(x)]
            assert values == sorted(values, reverse=True)


@some_courses
@given(course(), course())
def test_the_data_of_another_subject_change_nothing(lesions: str, others: str) -> None:
    mine = with_axes(rows_of(lesions))
    theirs = [{**row, "subject": "S0"} for row in with_axes(rows_of(others))]
    alone, together = assessed(mine, ALL), assessed([*theirs, *mine], ALL)
    same(alone.timepoints, together.timepoints.query("subject == 'S1'"))
    same(alone.subjects, together.subjects.query("subject == 'S1'"))


def test_series_together_or_one_by_one_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # many lesions are gone through in another way than few, and series of other lengths beside each other have fillers
    pyarrow = pytest.importorskip("pyarrow")
    from tests.benchmarks.make_trial import beside, make, subjects_table, visits_table, with_columns, write

    table, file = make(60), tmp_path / "trial.parquet"
    for name, made in (("visits", visits_table(table)), ("subjects", subjects_table(table))):
        write(made, beside(file)[name])
    rows = [row for place, row in enumerate(with_columns(table).to_pylist()) if place % 37]
    short = [row for row in rows if row["timepoint"] < "5" or row["subject"] < "S000040"]
    write(pyarrow.Table.from_pylist(short), file)
    measured = read(file, visits=beside(file)["visits"], subjects=beside(file)["subjects"])
    together = assess(measured, [*ALL, "choi", "chun"]).timepoints
    monkeypatch.setattr(Timeline, "blocks", lambda self: (self.block(n, n + 1) for n in range(len(self.series))))
    same(together, assess(measured, [*ALL, "choi", "chun"]).timepoints)


@some_courses
@given(course(), st.randoms(use_true_random=False))
def test_mri_choi_of_relative_enhancement_is_choi_of_the_same_numbers_in_hu(lesions: str, random: Random) -> None:
    rows = rows_of(lesions)
    for row in rows:
        number = random.choice(("", "9.9", "10", "51", "60", "80"))
        row |= {"attenuation_hu": number, "relative_enhancement_percent": number, "modality": "MR"}
    found = timepoints(rows, ("choi", "mri-choi"))
    one, other = (found[found["criterion"] == name] for name in ("choi", "mri-choi"))
    assert one["overall"].tolist() == other["overall"].tolist()
    assert (
        one["rule"].str.replace("attenuation", "enhancement").str.replace("choi.", "mri-choi.").tolist()
        == other["rule"].tolist()
    )


@some_courses
@given(course())
def test_itrecist_is_recist_without_what_itrecist_leaves_out(lesions: str) -> None:
    # with every option at its default the targets are judged by the same thresholds
    found = timepoints(rows_of(lesions), ("itrecist",))
    one, other = (found[found["criterion"] == name] for name in (RECIST_1_1.name, "itrecist"))
    assert one["overall"].tolist() == other["overall"].tolist()


def injected_at_random(subjects: int, random: Random) -> list[Row]:
    """Return rows of subjects with up to five targets, some of them injected at some timepoints."""
    found = []
    for number in range(subjects):
        for lesion in range(random.randint(1, 5)):
            length = random.randint(10, 60)
            for at in range(6):
                read = str(length) if at == 0 or random.random() > 0.15 else random.choice(("0", "NE"))
                injected = {"injected": "Y"} if random.random() < 0.15 else {}
                found.append(target(f"S{number:02}", at, read, lesion=f"T{lesion}", **injected))
                length = max(5, length + random.randint(-20, 12))
    return found


def test_a_group_of_itrecist_is_judged_as_recist_judges_a_trial_of_its_lesions_alone() -> None:
    rows = injected_at_random(40, Random(11))
    found = timepoints(rows, ("itrecist",)).query("criterion == 'itrecist'")
    first = {(row["subject"], row["lesion"]): int(row["timepoint"]) for row in reversed(rows) if "injected" in row}
    alone: list[dict[str, str]] = []
    expected = {}
    for subject, at, *answers in found[["subject", "timepoint", "itrecist_injected", "itrecist_non_injected"]].values:
        for group, answer in zip(("injected", "other"), answers, strict=True):
            name = f"{subject} {at} {group}"
            part = [
                {**row, "subject": name}
                for row in rows
                if row["subject"] == subject and int(row["timepoint"]) <= int(at)
                and (first.get((subject, row["lesion"]), 9) <= int(at)) == (group == "injected")
            ]  # fmt: skip
            if part and int(at):
                alone, expected[name] = [*alone, *part], answer
    last = timepoints(alone, ()).groupby("subject")["target"].last()
    assert set(expected.values()) == {"CR", "PR", "SD", "PD", "NE"}
    assert last.to_dict() == expected


THRESHOLDS = [
    # criterion, course, the told thresholds of the last timepoint
    ("who", "T1 liver 50x40|40x20|40x22", ["PR at 1000 mm2 or less", "PD at 1000 mm2 or more (from 800 mm2)"]),
    ("mrecist", "T1 liver 60[viable_mm=20]|60[viable_mm=20]",
     ["PR at 14 mm or less", "PD at 25 mm or more (from 20 mm)"]),
    ("easl", "T1 liver 60[viable_area_mm2=400]|60[viable_area_mm2=400]",
     ["PR at 200 mm2 or less", "PD above 500 mm2 (from 400 mm2)"]),
    ("itrecist", "T1 liver 50[injected=Y]|45", ["PR at 35 mm or less", "PD at 60 mm or more (from 50 mm)"]),
    ("who", "T1 liver 50|40x20", []),
    ("qeasl", "T1 liver 50[viable_volume_mm3=1000]|50[viable_volume_mm3=500]",
     ["PR at 350 mm3 or less", "PD at 1730 mm3 or more (from 1000 mm3)"]),
]  # fmt: skip


@pytest.mark.parametrize(("criterion", "lesions", "expected"), THRESHOLDS)
def test_how_far_a_timepoint_is_from_the_thresholds(criterion: str, lesions: str, expected: list[str]) -> None:
    found = assessed(example(lesions).rows(), (criterion,))
    assert find_criterion(criterion).name in found.results
    assert thresholds(states_of(found)[criterion], len(found.timeline.visits) - 1) == expected
