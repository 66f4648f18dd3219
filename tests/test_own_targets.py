"""Targets that a criterion measures in another way than RECIST 1.1: which it names, and what each adds to its sum."""

from collections import defaultdict
from decimal import Decimal

import pytest

import response
from response import Assessment
from response.report.tables import lesion_table, timepoint_table
from response.testing.trials import made_up_trial
from tests.trials import assessed

WITHOUT_VOLUME = "T1 liver 40[viable_volume_mm3=1000]|40[viable_volume_mm3=900] ; T2 lung 30[volume_mm3=4000]|30"


def column(assessment: Assessment, name: str, criterion: str) -> list[str]:
    return [row[name] for row in timepoint_table(assessment).rows() if row["criterion"] == criterion]


def values(assessment: Assessment, name: str) -> dict[tuple[str, str], str]:
    """Return a column of the lesions by timepoint and lesion."""
    return {(row["timepoint"], row["lesion"]): row[name] for row in lesion_table(assessment).rows()}


def test_a_target_without_the_number_of_the_criterion_is_named_by_it_alone() -> None:
    found = assessed(WITHOUT_VOLUME, "qeasl", "who")
    assert column(found, "overall", "qeasl") == ["", "NE"]
    assert column(found, "missing_lesions", "qeasl") == ["", "T2"]
    assert column(found, "drivers", "qeasl") == ["", "T2"]
    assert column(found, "missing_lesions", "recist-1.1") == ["", ""]
    assert column(found, "missing_lesions", "who") == ["T1;T2", "T1;T2"]  # no perpendicular diameters
    assert "Driven by T2" in found.explain("S1")


def test_a_target_without_a_diameter_is_missing_to_recist_alone() -> None:
    found = assessed(
        "T1 liver blank[viable_volume_mm3=1000]|blank[viable_volume_mm3=300] ; NT1 bone present|NE", "qeasl"
    )
    assert column(found, "overall", "qeasl") == ["", "PR"]
    assert column(found, "missing_lesions", "qeasl") == ["", "NT1"]
    assert column(found, "missing_lesions", "recist-1.1") == ["T1", "NT1;T1"]


def test_targets_alone_drive_ne_where_one_of_them_was_not_measured() -> None:
    found = assessed(f"{WITHOUT_VOLUME} ; NT1 bone present|NE", "qeasl")
    assert column(found, "missing_lesions", "qeasl") == ["", "NT1;T2"]
    assert column(found, "drivers", "qeasl") == ["", "T2"]


def test_nothing_is_missing_before_the_baseline() -> None:
    volume = "volume_mm3=1000"
    found = assessed(f"T1 liver 40|40[baseline=Y, {volume}]|40[{volume}] ; T2 lung 30|30[{volume}]|30", "qeasl")
    assert column(found, "missing_lesions", "qeasl") == ["", "", "T2"]


def test_a_target_that_adds_nothing_to_either_sum_is_missing_to_recist_alone() -> None:
    found = assessed("T1 liver blank[viable_mm=0]|blank[viable_mm=0]", "mrecist")
    assert column(found, "missing_lesions", "mrecist") == ["", ""]
    assert column(found, "missing_lesions", "recist-1.1") == ["T1", "T1"]


def test_a_target_without_a_volume_at_baseline_drives_every_ne() -> None:
    found = assessed("T1 liver 40[volume_mm3=1000]|40[volume_mm3=900] ; T2 lung 30|30[volume_mm3=4000]", "qeasl")
    assert column(found, "rule", "qeasl")[1] == "qeasl.target.baseline_incomplete"
    assert column(found, "missing_lesions", "qeasl") == ["T2", ""]
    assert column(found, "drivers", "qeasl") == ["", "T2"]


def test_progression_is_driven_by_what_grew_as_the_criterion_measures_it() -> None:
    # 4000 to 10000 mm3: T2 grows by 2000 mm3, T3 by 5000; T1 shrinks by 1000, though its diameter grows
    found = assessed(
        "T1 liver 40[volume_mm3=2000]|60[volume_mm3=1000] ; T2 lung 20[volume_mm3=1000]|20[volume_mm3=3000] ; "
        "T3 lung 20[volume_mm3=1000]|20[volume_mm3=6000]",
        "qeasl",
    )
    assert column(found, "overall", "qeasl") == ["", "PD"]
    assert column(found, "drivers", "qeasl") == ["", "T3;T2"]
    assert column(found, "drivers", "recist-1.1") == ["", "T1"]


def test_the_table_of_lesions_tells_what_each_adds_to_the_sum_of_the_criterion() -> None:
    found = assessed(WITHOUT_VOLUME, "qeasl")
    wanted = {("0", "T1"): "1000", ("0", "T2"): "4000", ("1", "T1"): "900", ("1", "T2"): ""}
    assert values(found, "qeasl_value") == wanted
    found = assessed("T1 liver 33.3x22.2|0", "who")
    assert values(found, "who_value") == {("0", "T1"): "739.26", ("1", "T1"): "0"}  # mm2


@pytest.mark.parametrize("name", ["choi", "irecist", "chun"])
def test_a_criterion_that_adds_what_recist_does_has_no_column(name: str) -> None:
    found = assessed("T1 liver 30@80#3|20@60#1", name)
    assert not [column for column in next(lesion_table(found).batches()) if column.endswith("_value")]


@pytest.mark.parametrize("name", ["who", "lugano", "easl", "qeasl", "mrecist", "rano-2.0", "eortc-pet"])
def test_the_sums_of_criteria_can_be_added_up_again(name: str) -> None:
    found = response.assess(made_up_trial(3).measurements(), ["qeasl", name])
    prefix = name.replace("-", "_").replace(".", "_")
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in lesion_table(found).rows():
        key = row["subject"], row["evaluator"], row["timepoint"]
        sums[key] += Decimal(row[f"{prefix}_value"] or 0)
    told = [row for row in timepoint_table(found).rows() if row["criterion"] == name]
    of_sum = next(column for column in (f"{prefix}_sum", "sum_mm2", "sum_mm") if any(row.get(column) for row in told))
    rows = [row for row in told if row[of_sum]]
    assert len(rows) > 100
    for row in rows:
        found_sum = sums[row["subject"], row["evaluator"], row["timepoint"]]
        assert abs(found_sum - Decimal(row[of_sum])) <= Decimal("0.005"), row  # areas are rounded lesion by lesion
