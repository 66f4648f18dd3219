"""Laws that a clinician would sign, tried on made-up courses of disease; no second implementation of any rule."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import response
from response.measurements import Measurements
from tests.acceptance import Case, Row, text_table

BEST_TO_WORST = ("CR", "PR", "SD", "PD")
ALL = ("recist-1.1", "choi", "chun", "irecist")
# What the revision of an earlier timepoint may touch stands in columns of its own (criteria.md 1.7).
AS_READ = ("target", "non_target", "new_lesion", "overall", "rule", "sum_mm", "nadir_mm", "reason")

some_courses = settings(max_examples=30, deadline=None)

ORGANS = ("liver", "lung", "axillary_node")
Course = list[str]  # one finding per timepoint, as the acceptance tables write them


def tenths(value: int) -> str:
    """Return a length in mm with one decimal."""
    return f"{value // 10}.{value % 10}"


@st.composite
def measured_target(draw: st.DrawFn, timepoints: int) -> tuple[str, Course]:
    """Draw an organ and the measurements of a target that was always measured."""
    organ = draw(st.sampled_from(ORGANS))
    baseline = draw(st.integers(150, 900))
    return organ, [tenths(value) for value in [baseline, *_follow_up(draw, timepoints, baseline)]]


def _follow_up(draw: st.DrawFn, timepoints: int, baseline: int) -> list[int]:
    # Half of the courses move near the thresholds, where a slip shows.
    share = st.sampled_from([0, 5, 10, 60, 70, 80, 90, 100, 110, 120, 150])
    near = [
        baseline * draw(share) // 100 + draw(st.integers(-1, 1)) * draw(st.integers(0, 60)) for _ in range(timepoints)
    ]
    return [max(0, value) for value in near]


@st.composite
def target(draw: st.DrawFn, timepoints: int) -> tuple[str, Course]:
    """Draw a target that may also be missing, too small or gone."""
    organ, course = draw(measured_target(timepoints))
    words = st.sampled_from(["", "", "", "NE", "TSTM", "absent", "-"])
    return organ, [course[0], *(draw(words) or value for value in course[1:])]


NON_TARGET = st.sampled_from(["present", "present", "absent", "NE", "pd", "equivocal", "-"])
NEW = st.sampled_from(["-", "-", "-", "12", "4 equivocal", "NE", "absent"])


@st.composite
def course(draw: st.DrawFn) -> str:
    """Draw the whole course of a subject."""
    timepoints = draw(st.integers(1, 4))
    targets = draw(st.lists(target(timepoints), min_size=0, max_size=3))
    lesions = [f"T{i} {organ} {'|'.join(cells)}" for i, (organ, cells) in enumerate(targets, 1)]
    for i in range(draw(st.integers(0 if lesions else 1, 2))):
        cells = ["present", *draw(st.lists(NON_TARGET, min_size=timepoints, max_size=timepoints))]
        lesions.append(f"NT{i} bone {'|'.join(cells)}")
    for i in range(draw(st.integers(0, 1))):
        cells = ["-", *draw(st.lists(NEW, min_size=timepoints, max_size=timepoints))]
        lesions.append(f"NL{i} brain {'|'.join(cells)}")
    return " ; ".join(lesions)


def rows_of(lesions: str) -> list[Row]:
    """Return the rows of the measurement table of a course."""
    inputs = dict.fromkeys(("table", "id", "title", "source", "visits", "subject", "days", "options"), "")
    return Case(**inputs, criterion="recist-1.1", lesions=lesions, expected={}).rows()


def assessed(rows: Sequence[Row], criteria: Sequence[str] = ("recist-1.1",)) -> Any:
    """Return the assessment of rows of the measurement table."""
    return response.assess(Measurements.from_table(text_table(rows, "made-up.csv")), criteria=tuple(criteria))


def timepoints(rows: Sequence[Row], criteria: Sequence[str] = ("recist-1.1",)) -> pd.DataFrame:
    """Return the timepoints of rows of the measurement table."""
    frame: pd.DataFrame = assessed(rows, criteria).timepoints
    return frame


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Assert that two tables of results say the same."""
    assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True), check_dtype=False)


@some_courses
@given(st.data())
def test_growth_never_improves_a_target_response(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 3))
    targets = data.draw(st.lists(measured_target(count), min_size=1, max_size=3))
    grown, by = data.draw(st.integers(0, len(targets) - 1)), data.draw(st.integers(1, 300))

    def last(extra: int) -> str:
        lesions = [[organ, *cells] for organ, cells in targets]
        lesions[grown][-1] = str(Decimal(lesions[grown][-1]) + Decimal(extra) / 10)
        text = " ; ".join(f"T{i} {organ} {'|'.join(cells)}" for i, (organ, *cells) in enumerate(lesions))
        return str(timepoints(rows_of(text))["target"].iloc[-1])

    assert BEST_TO_WORST.index(last(by)) >= BEST_TO_WORST.index(last(0))


@some_courses
@given(course(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(lesions: str, random: Random) -> None:
    rows = rows_of(lesions)
    shuffled = random.sample(rows, len(rows))
    one, other = assessed(rows, ALL), assessed(shuffled, ALL)
    same(one.timepoints, other.timepoints)
    same(one.subjects, other.subjects)


def in_cm(row: Row) -> Row:
    """Return a row with its lengths in cm."""
    lengths = {name: str(Decimal(row[name]) / 10) for name in ("longest_mm", "short_mm") if row.get(name)}
    return {**row, **lengths, "unit": "cm"}


@some_courses
@given(course())
def test_cm_and_mm_files_agree(lesions: str) -> None:
    rows = rows_of(lesions)
    same(timepoints(rows, ALL), timepoints([in_cm(row) for row in rows], ALL))


@some_courses
@given(course())
def test_a_later_timepoint_never_changes_an_earlier_result(lesions: str) -> None:
    rows = rows_of(lesions)
    last = max(row["timepoint"] for row in rows)
    assume(last != "0")
    short, whole = (timepoints(kept, ALL) for kept in ([row for row in rows if row["timepoint"] != last], rows))
    whole = whole[whole["timepoint"].astype(str) != last]
    same(short[["timepoint", "criterion", *AS_READ]], whole[["timepoint", "criterion", *AS_READ]])


@some_courses
@given(course())
def test_the_nadir_never_rises(lesions: str) -> None:
    nadirs = [
        Decimal(str(value)) for value in timepoints(rows_of(lesions))["nadir_mm"] if not pd.isna(value) and value != ""
    ]
    assert nadirs == sorted(nadirs, reverse=True)


@some_courses
@given(course(), st.integers(1, 4), st.sampled_from(["9", "present"]))
def test_a_new_lesion_never_improves_the_overall_response(lesions: str, first: int, found: str) -> None:
    count = lesions.split(";", maxsplit=1)[0].count("|")
    first = min(first, count)
    new = "|".join(["-"] * first + [found] * (count + 1 - first))
    without, with_new = (timepoints(rows_of(text)) for text in (lesions, f"{lesions} ; NL9 skin {new}"))
    overall = dict(zip(with_new["timepoint"].astype(int), with_new["overall"], strict=True))
    before = dict(zip(without["timepoint"].astype(int), without["overall"], strict=True))
    assert {overall[timepoint] for timepoint in range(first, count + 1)} == {"PD"}
    assert all(overall[timepoint] == before[timepoint] for timepoint in before if timepoint < first)


@some_courses
@given(course(), course())
def test_the_data_of_another_evaluator_change_nothing(lesions: str, others: str) -> None:
    mine = [{**row, "evaluator": "R1"} for row in rows_of(lesions)]
    theirs = [{**row, "evaluator": "R2"} for row in rows_of(others)]
    alone, together = assessed(mine, ALL), assessed([*theirs, *mine], ALL)
    same(alone.timepoints, together.timepoints.query("evaluator == 'R1'"))
    same(alone.subjects, together.subjects.query("evaluator == 'R1'"))


@some_courses
@given(course(), course())
def test_the_data_of_another_subject_change_nothing(lesions: str, others: str) -> None:
    mine = rows_of(lesions)
    theirs = [{**row, "subject": "S0"} for row in rows_of(others)]
    alone, together = assessed(mine, ALL), assessed([*theirs, *mine], ALL)
    same(alone.timepoints, together.timepoints.query("subject == 'S1'"))
    same(alone.subjects, together.subjects.query("subject == 'S1'"))


def test_the_courses_reach_every_category() -> None:
    # A law that never meets a response proves nothing.
    texts = ("T1 liver 30|0", "T1 liver 30|20", "T1 liver 30|30", "T1 liver 30|40", "T1 liver 30|NE")
    assert [str(timepoints(rows_of(text))["target"].iloc[-1]) for text in texts] == ["CR", "PR", "SD", "PD", "NE"]
