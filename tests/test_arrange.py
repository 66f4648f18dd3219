"""From rows to the timeline: series, order of timepoints, baselines, roles and duplicates."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from response.arrange import arrange
from response.measurements import Measurements
from response.table import TextColumn, TextTable
from response.timeline import Timeline
from response.vocabulary import State

COLUMNS = ("subject", "timepoint", "date", "lesion", "role", "longest_mm")


def timeline_of(
    rows: Sequence[tuple[str, ...]],
    columns: tuple[str, ...] = COLUMNS,
    subjects: Sequence[tuple[str, ...]] | None = None,
    visits: Sequence[tuple[str, ...]] | None = None,
) -> Timeline:
    """Return the timeline of rows in the given columns."""
    return arrange(
        Measurements.from_table(
            table(rows, columns),
            subjects=table(subjects, ("subject", "treatment_start")) if subjects else None,
            visits=table(visits, ("subject", "timepoint", "date")) if visits else None,
        )
    )


def table(rows: Sequence[tuple[str, ...]], columns: tuple[str, ...]) -> TextTable:
    """Return a table of text."""
    return TextTable.of({name: TextColumn.of(row[at] for row in rows) for at, name in enumerate(columns)}, "made.csv")


def one_lesion(*visits: tuple[str, str], subject: str = "S1") -> list[tuple[str, ...]]:
    """Return the rows of one target at (label, date) visits."""
    return [(subject, label, date, "T1", "target", "20") for label, date in visits]


def order(timeline: Timeline, series: int = 0) -> list[str]:
    """Return the labels of a series in time order."""
    return [timeline.visits.labels[code] for code in timeline.visits.label[timeline.cells(series)]]


ORDERS = [
    # reason                                             visits as (label, date)                            expected
    ("dates decide, not numbers", [("1", "2024-01-01"), ("999", "2024-02-01"), ("2", "2024-03-01")], ["1", "999", "2"]),
    ("numbers where there is no date", [("10", ""), ("2", ""), ("1", "")], ["1", "2", "10"]),
    ("the file where labels have no number", [("first", ""), ("then", ""), ("after", "")], ["first", "then", "after"]),
    ("baseline stands before week 8", [("Week 8", ""), ("Baseline", "")], ["Baseline", "Week 8"]),
    (
        "a partial date stands where its visit stands",
        [("1", "2024-01-02"), ("2", "2024-01-23"), ("3", "2024-02"), ("4", "2024-03-06")],
        ["1", "2", "3", "4"],
    ),
    (
        "a partial date does not go before its visit",
        [("1", "2024-02-10"), ("2", "2024-02"), ("3", "2024-02-28")],
        ["1", "2", "3"],
    ),
    ("an undated visit between dated ones", [("1", "2024-01-01"), ("2", ""), ("3", "2024-03-01")], ["1", "2", "3"]),
    ("two labels on one date are two timepoints", [("2", "2024-01-09"), ("1", "2024-01-09")], ["1", "2"]),
]


@pytest.mark.parametrize(("visits", "expected"), [case[1:] for case in ORDERS], ids=[case[0] for case in ORDERS])
def test_order_of_timepoints(visits: list[tuple[str, str]], expected: list[str]) -> None:
    assert order(timeline_of(one_lesion(*visits))) == expected


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_decides_nothing_where_dates_are_known(seed: int) -> None:
    rows = one_lesion(*[(str(n), f"2024-{month:02d}-01") for n, month in enumerate((3, 1, 2, 5, 4))])
    shuffled = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    assert order(timeline_of(shuffled)) == order(timeline_of(rows)) == ["1", "2", "0", "4", "3"]


def test_one_label_on_two_dates_is_one_timepoint_with_first_and_last_scan() -> None:
    rows = one_lesion(("1", "2024-01-01"), ("2", "2024-02-05"))
    rows.append(("S1", "2", "2024-02-02", "T2", "target", "9"))
    timeline = timeline_of(rows)
    assert order(timeline) == ["1", "2"]
    first = np.datetime64("2024-02-02").astype(int)
    assert timeline.visits.first_scan[1] == first
    assert timeline.visits.last_scan[1] == first + 3


BASELINES = [
    # reason, visits, treatment start, expected place
    ("the first without anything else", [("1", "2024-01-01"), ("2", "2024-03-01")], "", 0),
    ("the last on the day of treatment start", [("1", "2024-01-01"), ("2", "2024-02-01"), ("3", "2024-03-01")],
     "2024-02-01", 1),
    ("not a day after it", [("1", "2024-01-01"), ("2", "2024-02-02"), ("3", "2024-03-01")], "2024-02-01", 0),
    ("none where all scans are later", [("1", "2024-02-02"), ("2", "2024-03-01")], "2024-02-01", -1),
    ("a late one that is called baseline", [("Baseline", "2024-02-02"), ("2", "2024-03-01")], "2024-02-01", 0),
    ("the last of several so called", [("Screening", "2024-01-01"), ("Baseline", "2024-01-20"), ("2", "2024-03-01")],
     "", 1),
]  # fmt: skip


@pytest.mark.parametrize(("visits", "start", "place"), [c[1:] for c in BASELINES], ids=[c[0] for c in BASELINES])
def test_baseline(visits: list[tuple[str, str]], start: str, place: int) -> None:
    timeline = timeline_of(one_lesion(*visits), subjects=[("S1", start)])
    assert timeline.series.baseline.tolist() == [place]
    assert any(finding.id == "no_baseline" for finding in timeline.findings) == (place < 0)


def test_the_mark_wins_over_the_treatment_start() -> None:
    rows = [(*row, mark) for row, mark in zip(one_lesion(("1", "2024-01-01"), ("2", "2024-02-01")), "Y ", strict=True)]
    timeline = timeline_of(rows, (*COLUMNS, "baseline"), subjects=[("S1", "2024-02-01")])
    assert timeline.series.baseline.tolist() == [0]


def test_a_subject_without_the_baseline_visit_of_the_others_has_none() -> None:
    others = one_lesion(("0", ""), ("1", ""))
    timeline = timeline_of([*others, *one_lesion(("1", ""), ("2", ""), subject="S2")])
    assert timeline.series.baseline.tolist() == [0, -1]


def test_a_first_visit_with_nothing_but_a_new_lesion_is_no_baseline() -> None:
    timeline = timeline_of([("S1", "1", "2024-01-01", "NL1", "new", "12")])
    assert timeline.series.baseline.tolist() == [-1]
    known = timeline_of([("S1", "2", "2024-02-01", "NL1", "new", "12")], visits=[("S1", "1", "2024-01-01")])
    assert known.series.baseline.tolist() == [0]


def test_visits_without_rows_are_timepoints_and_give_missing_dates() -> None:
    timeline = timeline_of(one_lesion(("1", "")), visits=[("S1", "1", "2024-01-01"), ("S1", "2", "2024-03-01")])
    assert order(timeline) == ["1", "2"]
    assert timeline.visits.first_scan[0] == np.datetime64("2024-01-01").astype(int)
    assert timeline.state.tolist() == [State.MEASURED, State.MISSING]


def test_identical_rows_count_once_and_contradicting_ones_not_at_all() -> None:
    rows = one_lesion(("1", "2024-01-01"), ("2", "2024-02-01"))
    same = timeline_of([*rows, rows[1]])
    assert same.value_um.tolist() == [20_000, 20_000]
    assert [finding.id for finding in same.findings] == ["duplicate_row"]
    other = timeline_of([*rows, (*rows[1][:5], "25")])
    assert other.state.tolist() == [State.MEASURED, State.NOT_EVALUABLE]
    assert [finding.id for finding in other.findings] == ["conflicting_rows"]


def test_blocks_of_any_size_hold_the_same() -> None:
    rows = [
        (f"S{subject:02d}", str(visit), f"2024-{visit + 1:02d}-01", f"T{lesion}", "target", str(10 + subject))
        for subject in range(9)
        for visit in range(2 + subject % 4)
        for lesion in range(1 + subject % 3)
    ]
    timeline = timeline_of(rows)
    for largest in (1, 7, 20, 10_000):
        blocks = list(replace(timeline, block_cells=largest).blocks())
        assert [block.low for block in blocks[1:]] == [block.high for block in blocks[:-1]]
        sums = np.concatenate(
            [block.ragged(block.reduce(np.add, block.spot_values(timeline.value_um, 0), np.int64)) for block in blocks]
        )
        expected = [1000 * (10 + subject) * (1 + subject % 3) for subject in range(9) for _ in range(2 + subject % 4)]
        assert sums.tolist() == expected


def test_a_block_of_a_series_without_lesions_sums_to_nothing() -> None:
    timeline = timeline_of(
        [*one_lesion(("1", "2024-01-01"), subject="S1"), *one_lesion(("1", "2024-01-01"), subject="S3")],
        visits=[("S2", "1", "2024-01-01")],
    )
    (block,) = timeline.blocks()
    sums = block.reduce(np.add, block.spot_values(timeline.value_um, 0), np.int64)
    assert sums[:, 0].tolist() == [20_000, 0, 20_000]


def test_a_column_of_a_block_is_blank_where_a_lesion_has_no_row() -> None:
    rows = [
        ("S1", "1", "2024-01-01", "T1", "target", "20"),
        ("S1", "2", "2024-02-01", "T1", "target", "25"),
        ("S1", "2", "2024-02-01", "T2", "target", "30"),
    ]
    (block,) = timeline_of(rows).blocks()
    length = block.timeline.measurements.number("longest_mm")
    assert block.lesion(length, -1).tolist() == [[20_000, 25_000], [-1, 30_000]]
    assert block.lesion(length, -1, np.asarray([1])).tolist() == [[-1, 30_000]]


def test_a_nodal_flag_or_site_in_any_row_makes_the_lesion_a_node() -> None:
    columns = (*COLUMNS, "organ")
    rows = [
        ("S1", "1", "2024-01-01", "T1", "target", "20", ""),
        ("S1", "2", "2024-02-01", "T1", "target", "20", "axillary lymph node"),
        ("S1", "1", "2024-01-01", "T2", "target", "20", "lymphangitic carcinomatosis"),
        ("S1", "2", "2024-02-01", "T2", "target", "20", ""),
    ]
    assert timeline_of(rows, columns).tracks.nodal.tolist() == [True, False]


def test_a_long_series_does_not_blow_up_the_block_of_short_ones() -> None:
    rows = [
        (f"S{subject:03d}", str(visit), "", "T1", "target", "20")
        for subject in range(60)
        for visit in range(300 if subject == 30 else 3)
    ]
    timeline = timeline_of(rows)
    blocks = list(timeline.blocks())
    assert [block.low for block in blocks[1:]] == [block.high for block in blocks[:-1]]
    assert blocks[-1].high == 60
    assert sum(block.series_count * block.timepoints for block in blocks) <= 4 * len(timeline.visits)


def test_acceptance_is_kept_for_each_timepoint() -> None:
    rows = [
        ("S1", "1", "", "T1", "target", "20", "R1", "Y"),
        ("S1", "2", "", "T1", "target", "20", "R1", ""),
        ("S1", "1", "", "T1", "target", "21", "R2", ""),
        ("S1", "2", "", "T1", "target", "21", "R2", "Y"),
        ("S2", "1", "", "T1", "target", "21", "R2", ""),
    ]
    timeline = timeline_of(rows, (*COLUMNS, "evaluator", "accepted"))
    assert timeline.visits.accepted.tolist() == [True, False, False, True, False]
    assert timeline.series.accepted.tolist() == [True, True, False]
