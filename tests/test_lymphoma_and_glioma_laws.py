"""Laws that Lugano, RANO 2.0 and RANO-BM keep, on made-up courses with two diameters and a table of visits."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import response
from response.measurements import Measurements
from tests.acceptance import Row, iso_day, text_table
from tests.test_laws import AS_READ, course, rows_of, same

some_courses = settings(max_examples=12, deadline=None)  # three criteria at once, and most laws assess twice
ALL = ("lugano", "rano-2.0", "rano-bm")
BEST_TO_WORST = ("CR", "PR", "SD", "Non-CR/Non-PD", "NE", "unconfirmed PD", "PD")
BRAIN = {"lung": "left frontal lobe", "bone": "cerebellum", "brain": "brain"}
NADIRS = ("nadir_mm2", "rano_2_0_nadir", "nadir_mm")


@dataclass(frozen=True)
class Trial:
    """The tables of a trial."""

    rows: Sequence[Row]
    visits: Sequence[Row]
    subjects: Sequence[Row] = ()

    def assess(self) -> Any:
        """Return the assessment."""
        measurements = Measurements.from_table(
            text_table(self.rows, "made-up.csv"),
            visits=text_table(self.visits, "visits.csv"),
            subjects=text_table(self.subjects or [{"subject": "S1"}], "subjects.csv"),
        )
        return response.assess(measurements, criteria=ALL)

    @property
    def timepoints(self) -> pd.DataFrame:
        """Return the results at each timepoint."""
        frame: pd.DataFrame = self.assess().timepoints
        return frame


def with_axes(row: Row) -> Row:
    """Return a row with both diameters, some lesions in the brain."""
    length = row.get("longest_mm") or row.get("short_mm") or ""
    axes = {"longest_mm": length, "short_mm": str(Decimal(length) * 4 / 5)} if length else {}
    return {**row, **axes, "organ": BRAIN.get(row["organ"], row["organ"])}


@st.composite
def trial(draw: st.DrawFn) -> Trial:
    """Draw a subject: lesions, spleen, marrow, corticosteroids, clinical status, the end of radiotherapy."""
    rows = [with_axes(row) for row in rows_of(draw(course()))]
    dates = {row["timepoint"]: row["date"] for row in rows}
    words = {
        "spleen_mm": st.sampled_from(["", "120", "130", "150", "161", "200"]),
        "marrow": st.sampled_from(["", "negative", "positive", "not_done"]),
        "steroid_mg": st.sampled_from(["", "0", "2", "4"]),
        "clinical": st.sampled_from(["", "stable", "stable", "deteriorated"]),
    }
    visits = [
        {"subject": "S1", "timepoint": timepoint, "date": day, **{name: draw(word) for name, word in words.items()}}
        for timepoint, day in sorted(dates.items())
    ]
    end = draw(st.sampled_from(["", iso_day(-28), iso_day(0), iso_day(56)]))
    return Trial(rows, visits, [{"subject": "S1", "radiotherapy_end": end}])


@some_courses
@given(trial(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(found: Trial, random: Random) -> None:
    other = Trial(
        random.sample(found.rows, len(found.rows)), random.sample(found.visits, len(found.visits)), found.subjects
    )
    one, two = found.assess(), other.assess()
    same(one.timepoints, two.timepoints)
    same(one.subjects, two.subjects)


def in_cm(row: Row) -> Row:
    """Return a row with its lengths in cm."""
    lengths = {name: str(Decimal(row[name]) / 10) for name in ("longest_mm", "short_mm") if row.get(name)}
    return {**row, **lengths, "unit": "cm"}


@some_courses
@given(trial())
def test_cm_and_mm_files_agree(found: Trial) -> None:
    other = Trial([in_cm(row) for row in found.rows], found.visits, found.subjects)
    same(found.timepoints, other.timepoints)


@some_courses
@given(trial())
def test_a_later_timepoint_never_changes_an_earlier_result(found: Trial) -> None:
    last = max(row["timepoint"] for row in found.rows)
    assume(last != "0")
    rows, visits = ([row for row in table if row["timepoint"] != last] for table in (found.rows, found.visits))
    columns = [
        "timepoint",
        "criterion",
        *AS_READ,
        "sum_mm2",
        "nadir_mm2",
        "spleen_mm",
        "rano_2_0_sum",
        "progression_date",
    ]
    short, whole = Trial(rows, visits, found.subjects).timepoints, found.timepoints
    same(short[columns], whole[whole["timepoint"].astype(str) != last][columns])


@some_courses
@given(trial())
def test_the_nadir_never_rises(found: Trial) -> None:
    frame = found.timepoints
    for criterion in ALL:
        for column in (name for name in NADIRS if name in frame):
            values = [Decimal(str(x)) for x in frame[frame["criterion"] == criterion][column] if not pd.isna(x)]
            assert values == sorted(values, reverse=True)


@some_courses
@given(trial(), trial())
def test_the_data_of_another_subject_change_nothing(mine: Trial, other: Trial) -> None:
    rows, visits, subjects = (
        [*({**row, "subject": "S0"} for row in theirs), *own]
        for theirs, own in ((other.rows, mine.rows), (other.visits, mine.visits), (other.subjects, mine.subjects))
    )
    alone, together = mine.assess(), Trial(rows, visits, subjects).assess()
    same(alone.timepoints, together.timepoints.query("subject == 'S1'"))
    same(alone.subjects, together.subjects.query("subject == 'S1'"))


@some_courses
@given(trial())
def test_another_reader_changes_nothing(found: Trial) -> None:
    mine, theirs = ([{**row, "evaluator": name} for row in found.rows] for name in ("R1", "R2"))
    shrunk = [{**row, "longest_mm": "1"} if row.get("longest_mm") else row for row in theirs]
    visits = [{**row, "evaluator": "R1"} for row in found.visits]
    alone, together = Trial(mine, visits, found.subjects), Trial([*mine, *shrunk], visits, found.subjects)
    same(alone.timepoints, together.timepoints.query("evaluator == 'R1'"))


def overall(found: Trial, criterion: str) -> list[str]:
    """Return the overall response of the last timepoint by a criterion."""
    frame = found.timepoints
    return [str(word) for word in frame[frame["criterion"] == criterion]["overall"]]


def never_better(worse: Trial, before: Trial, criteria: Sequence[str]) -> None:
    """Assert that what was added improves no response of the last timepoint."""
    for criterion in criteria:
        was, now = overall(before, criterion)[-1], overall(worse, criterion)[-1]
        assert was == "" or BEST_TO_WORST.index(now) >= BEST_TO_WORST.index(was), f"{criterion}: {was}, then {now}"


@some_courses
@given(trial())
def test_a_new_lesion_never_improves_a_response(found: Trial) -> None:
    last = max(row["timepoint"] for row in found.rows)
    (day,) = {row["date"] for row in found.rows if row["timepoint"] == last}
    new = {"subject": "S1", "timepoint": last, "date": day, "lesion": "NL9", "role": "new", "organ": "brain",
           "longest_mm": "20", "short_mm": "20"}  # fmt: skip
    never_better(Trial([*found.rows, new], found.visits, found.subjects), found, ALL)


@some_courses
@given(trial())
def test_deterioration_never_improves_a_response(found: Trial) -> None:
    visits = [*found.visits[:-1], {**found.visits[-1], "clinical": "deteriorated"}]
    never_better(Trial(found.rows, visits, found.subjects), found, ("rano-2.0", "rano-bm"))


@some_courses
@given(trial())
def test_a_larger_spleen_never_improves_a_response(found: Trial) -> None:
    assume(found.visits[-1]["spleen_mm"] != "" and len(found.visits) > 1)
    visits = [*found.visits[:-1], {**found.visits[-1], "spleen_mm": "240"}]
    never_better(Trial(found.rows, visits, found.subjects), found, ("lugano",))


@some_courses
@given(trial())
def test_a_glioma_twice_as_large_throughout_responds_alike(found: Trial) -> None:
    def doubled(row: Row) -> Row:
        names = [name for name in ("longest_mm", "short_mm") if row.get(name) and row["role"] == "target"]
        return {**row, **{name: str(2 * Decimal(row[name])) for name in names}}

    assume(all(row.get("state") != "too_small" for row in found.rows))
    other = Trial([doubled(row) for row in found.rows], found.visits, found.subjects)
    assert overall(found, "rano-2.0") == overall(other, "rano-2.0")
