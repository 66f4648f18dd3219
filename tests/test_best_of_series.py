"""Best response of computed courses: relapse judged by the sum, and Chun up to new therapy."""

from collections.abc import Mapping, Sequence

import pandas as pd

import response
from response import Protocol

START = "2024-01-01"


def subjects_of(
    rows: Sequence[Mapping[str, str]], *, options: str = "", criteria: tuple[str, ...] = (), new_therapy: str = ""
) -> pd.DataFrame:
    """Return the table of subjects of one subject's rows."""
    facts = pd.DataFrame([{"subject": "S1", "treatment_start": START, "new_therapy": new_therapy}])
    measurements = response.read(pd.DataFrame([{"subject": "S1", **row} for row in rows]).fillna(""), subjects=facts)
    found = response.assess(measurements, criteria, Protocol.from_toml(options))
    return found.subjects.set_index("criterion")


def node(*short_axes: str) -> list[Mapping[str, str]]:
    """Return the rows of one target node, every two months from the start."""
    return [
        {"timepoint": str(at), "date": f"2024-{1 + 2 * at:02d}-01", "lesion": "T1", "role": "target",
         "organ": "lymph node", "short_mm": value, "longest_mm": value}
        for at, value in enumerate(short_axes)
    ]  # fmt: skip


def test_a_node_left_to_the_sum_rule_is_no_progression_after_cr() -> None:
    found = subjects_of(
        node("20", "8", "11", "12"), options='["recist-1.1"]\nnode_regrowth_after_cr = "require_sum_rule"'
    ).loc["recist-1.1"]
    assert (found["best_response"], found["progression_date"]) == ("CR", "")


def test_by_default_it_is() -> None:
    found = subjects_of(node("20", "8", "11", "12")).loc["recist-1.1"]
    assert (found["best_response"], found["progression_date"]) == ("CR", "2024-05-01")


def test_other_disease_after_cr_is_progression_under_the_sum_rule_too() -> None:
    liver = [
        {"timepoint": str(at), "date": f"2024-{1 + 2 * at:02d}-01", "lesion": "T2", "role": "target",
         "organ": "liver", "longest_mm": value}
        for at, value in enumerate(("20", "0", "4"))
    ]  # fmt: skip
    found = subjects_of(
        [*node("20", "8", "8"), *liver], options='["recist-1.1"]\nnode_regrowth_after_cr = "require_sum_rule"'
    ).loc["recist-1.1"]
    assert (found["best_response"], found["progression_date"]) == ("CR", "2024-05-01")


def metastasis(*groups: str) -> list[Mapping[str, str]]:
    """Return the rows of one liver metastasis of 30 mm with its Chun groups."""
    return [
        {"timepoint": str(at), "date": f"2024-{1 + 2 * at:02d}-01", "lesion": "T1", "role": "target", "organ": "liver",
         "longest_mm": "30", "morphology": group}
        for at, group in enumerate(groups)
    ]  # fmt: skip


def test_the_best_morphologic_response_ends_on_the_day_of_new_therapy() -> None:
    rows = metastasis("3", "2", "1")
    assert subjects_of(rows, criteria=("chun",)).loc["chun", "best_response"] == "optimal"
    on_the_day = subjects_of(rows, criteria=("chun",), new_therapy="2024-05-01")
    assert on_the_day.loc["chun", "best_response"] == "incomplete"
    a_day_later = subjects_of(rows, criteria=("chun",), new_therapy="2024-05-02")
    assert a_day_later.loc["chun", "best_response"] == "optimal"


def test_a_partial_date_that_counts_is_flagged_and_proves_no_confirmation() -> None:
    rows = node("20", "8", "8")
    whole = subjects_of(rows).loc["recist-1.1"]
    assert (whole["confirmed"], whole["flags"]) == ("Y", "")
    partial = subjects_of([rows[0], {**rows[1], "date": "2024-03"}, {**rows[2], "date": "2024-04-15"}])
    assert (partial.loc["recist-1.1", "confirmed"], partial.loc["recist-1.1", "flags"]) == ("N", "date_partial")


def test_months_alone_prove_no_confirmation() -> None:
    rows = [
        {**row, "date": month}
        for row, month in zip(node("20", "8", "8"), ("2024-01", "2024-03", "2024-04"), strict=True)
    ]
    assert subjects_of(rows).loc["recist-1.1", "confirmed"] == "N"
