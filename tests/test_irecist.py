"""iRECIST: table 3 of the paper cell by cell, dates of progression, collected responses, what `explain` tells."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import product

import pandas as pd
import pytest

import response
from response.best.overall import BestResponse, best_response_of
from response.criteria.irecist import IRECIST, IRECIST_STEPS, IrecistOptions
from response.vocabulary import IRECIST_WORDS, RESPONSE_NAMES
from tests.acceptance import iso_day, load
from tests.trials import assessed

WORDS = {**RESPONSE_NAMES, **IRECIST_WORDS}
DAY_0 = date(2024, 1, 1)
ANY = "iCR iPR iSD non-iCR/non-iUPD iUPD iCPD NE"

# Table 3 as printed: the responses that may stand at timepoints 1 to 5, and the best one. Targets at baseline, no
# confirmation of iCR and iPR required.
TABLE_3 = [
    (("iCR", "iCR iPR iUPD NE", "iCR iPR iUPD NE", "iUPD", "iCPD"), "iCR"),
    (("iUPD", "iPR iSD NE", "iCR", "iCR iUPD NE", "iCR iPR iSD iUPD iCPD NE"), "iCR"),
    (("iUPD", "iPR", "iPR iSD iUPD NE", "iPR iSD iUPD NE iCPD", "iPR iSD iUPD NE iCPD"), "iPR"),
    (("iUPD", "iSD NE", "iPR", "iPR iSD iUPD NE", "iPR iSD iUPD iCPD NE"), "iPR"),
    (("iUPD", "iSD", "iSD iUPD NE", "iSD iUPD iCPD NE", "iSD iUPD iCPD NE"), "iSD"),
    (("iUPD", "iCPD", ANY, ANY, ANY), "iCPD"),
    (("iUPD", "iUPD", "iCPD", ANY, ANY), "iCPD"),
    (("iUPD", "NE", "NE", "NE", "NE"), "iUPD"),
]


def courses(row: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Return every course that a row of table 3 allows."""
    return product(*(cell.split() for cell in row))


def best_of(course: Sequence[str], days_apart: int = 56) -> BestResponse:
    """Return the best response of a course; the timepoints are eight weeks apart."""
    sequence = [(DAY_0 + timedelta(days_apart * (place + 1)), word) for place, word in enumerate(course)]
    return best_response_of(sequence, DAY_0, IrecistOptions(), words=WORDS)


@pytest.mark.parametrize(("row", "best"), TABLE_3, ids=[f"example {number}" for number in range(1, 9)])
def test_every_allowed_cell_of_table_3(row: Sequence[str], best: str) -> None:
    wrong = [course for course in courses(row) if best_of(course).best != best]
    assert wrong == []


def test_table_3_from_a_table_of_collected_responses() -> None:
    every = [(course, best) for row, best in TABLE_3 for course in courses(row)]
    rows = [
        (f"S{subject:04d}", str(place), iso_day(56 * place), word)
        for subject, (course, _) in enumerate(every)
        for place, word in enumerate(course, 1)
    ]
    table = pd.DataFrame(rows, columns=["subject", "timepoint", "date", "overall"]).assign(criterion="irecist")
    starts = pd.DataFrame({"subject": sorted(set(table["subject"])), "treatment_start": iso_day(0)})
    found = response.best_response(table, subjects=starts).set_index("subject")["best_response"]
    wrong = [course for subject, (course, best) in enumerate(every) if found[f"S{subject:04d}"] != best]
    assert wrong == []


# Without targets there is no iPR and no iSD (table 3, legend; criteria page, 4.1 and 4.6).
WITHOUT_TARGETS = [
    ("non-iCR/non-iUPD iUPD iCR", "iCR"),
    ("iUPD iCR NE", "iCR"),
    ("non-iCR/non-iUPD iUPD iCPD", "non-iCR/non-iUPD"),
    ("iUPD NE non-iCR/non-iUPD iUPD iCPD", "non-iCR/non-iUPD"),
    ("iUPD iUPD iCPD non-iCR/non-iUPD", "iCPD"),
    ("iUPD iCPD iCR", "iCPD"),
    ("NE iUPD NE", "iUPD"),
    ("NE NE", "NE"),
]


@pytest.mark.parametrize(("course", "best"), WITHOUT_TARGETS, ids=[line[0] for line in WITHOUT_TARGETS])
def test_the_best_response_without_targets(course: str, best: str) -> None:
    assert best_of(course.split()).best == best


def test_table_3_is_taken_whole() -> None:
    assert [len(list(courses(row))) for row, _ in TABLE_3] == [16, 54, 100, 40, 48, 343, 49, 1]


# --- dates of progression (criteria page, 4.6)

DATES = [
    # course, timepoint that dates the progression (0: none), flagged as unconfirmed, why
    ("iUPD iUPD iCPD", 1, False, "the first iUPD of the block"),
    ("iSD iSD iUPD iPR iPR iUPD iCPD", 6, False, "the first block was reset"),
    ("iUPD NE iCPD", 1, False, "NE may lie between"),
    ("iUPD NE iUPD NE iCPD", 1, False, "NE and iUPD may lie between"),
    ("iUPD iPR", 0, False, "reset, and nothing since"),
    ("iUPD", 1, True, "nothing follows"),
    ("iUPD NE NE", 1, True, "nothing that is evaluable follows"),
    ("iUPD iUPD iUPD", 1, True, "never confirmed, never refuted"),
    ("iUPD iSD NE iUPD NE", 4, True, "the second block is open"),
    ("iCPD", 1, False, "collected without its iUPD"),
    ("iPR NE iCPD", 3, False, "no iUPD is open"),
    ("NE NE", 0, False, "no progression"),
]


@pytest.mark.parametrize(("course", "place", "unconfirmed", "why"), DATES, ids=[line[0] for line in DATES])
def test_the_date_of_progression(course: str, place: int, unconfirmed: bool, why: str) -> None:
    found = best_of(course.split())
    assert found.progression_date == (DAY_0 + timedelta(56 * place) if place else None), why
    assert ("progression_unconfirmed" in found.flags) == unconfirmed


def test_new_therapy_leaves_an_open_iupd_as_the_progression() -> None:
    days = [DAY_0 + timedelta(56 * place) for place in (1, 2, 3, 4)]
    for later in ("iPR iPR iPR", "iPR iUPD iCPD", "iUPD iUPD iCPD"):
        sequence = list(zip(days, ["iUPD", *later.split()], strict=True))
        found = best_response_of(sequence, DAY_0, IrecistOptions(), new_therapy=days[0] + timedelta(5), words=WORDS)
        assert found.progression_date == days[0], later
        assert found.first_response_date is None


def test_an_iupd_after_new_therapy_still_dates_the_progression() -> None:
    days = [DAY_0 + timedelta(56 * place) for place in (1, 2)]
    sequence = list(zip(days, ["iSD", "iUPD"], strict=True))
    found = best_response_of(sequence, DAY_0, IrecistOptions(), new_therapy=days[0] + timedelta(5), words=WORDS)
    assert found.progression_date == days[1]
    assert {"pd_after_new_therapy", "progression_unconfirmed"} <= set(found.flags)


def test_the_response_begins_with_the_first_icr_or_ipr() -> None:
    found = best_of("iSD iPR iUPD iPR iUPD iCPD".split())
    assert found.first_response_date == DAY_0 + timedelta(56 * 2)
    assert found.progression_date == DAY_0 + timedelta(56 * 5)
    assert found.best == "iPR"


def test_the_iupd_that_is_confirmed_is_not_left_out() -> None:
    assert "after_pd" not in best_of("iSD iUPD NE iUPD iCPD".split()).flags
    assert "after_pd" in best_of("iSD iUPD iCPD iCPD".split()).flags


def test_the_last_evaluable_assessment_may_be_an_iupd() -> None:
    assert best_of("iSD iUPD iUPD NE".split()).last_evaluable_date == DAY_0 + timedelta(56 * 3)


@pytest.mark.parametrize(
    ("course", "confirmed"),
    [
        ("iPR iPR", "iPR"),
        ("iCR NE iCR", "iCR"),
        ("iUPD iPR iCR", "iPR"),
        ("iPR iUPD iPR", "iSD"),
        ("iPR iCPD", "iSD"),
        ("iPR iSD iPR", "iPR"),
        ("iPR NE NE iPR", "iSD"),
        ("iCR iUPD iCR", "iSD"),
        ("iUPD iCR iCR", "iCR"),
        ("iUPD iSD iPR iPR iUPD iCPD", "iPR"),
    ],
)
def test_confirmation_of_a_response_as_in_recist(course: str, confirmed: str) -> None:
    assert best_of(course.split()).confirmed_best == confirmed


@pytest.mark.parametrize(
    ("sums", "options", "first_response", "confirmed"),
    [
        ("100|125|60|60|75", "", 112, "iPR"),
        ("100|60|80|60|60", "[irecist]\nconfirmation = true", 168, "iPR"),  # the first was not confirmed
        ("100|125|60|90|75", "[irecist]\nconfirmation = true", None, "iSD"),
        ("100|125|60|90|75", "[recist-1.1]\nconfirmation = true", 112, "iSD"),
    ],
)
def test_confirmation_of_a_response_is_an_option(
    sums: str, options: str, first_response: int | None, confirmed: str
) -> None:
    found = assessed(f"T1 liver {sums}", "irecist", options=options).subjects.set_index("criterion").loc["irecist"]
    assert found["best_response"] == "iPR"
    assert found["confirmed_best_response"] == confirmed
    assert found["first_response_date"] == ("" if first_response is None else iso_day(first_response))


# --- results


def test_both_criteria_stand_beside_each_other() -> None:
    found = assessed("T1 liver 100|125|60 ; NL1 lung -|10|10", "irecist")
    assert list(found.results) == ["recist-1.1", "irecist"]
    rows = found.timepoints.set_index(["criterion", "timepoint"])["overall"]
    assert [rows["recist-1.1"][label] for label in ("1", "2")] == ["PD", "PD"]
    assert [rows["irecist"][label] for label in ("1", "2")] == ["iUPD", "iPR"]


def test_irecist_is_assessed_only_when_it_is_asked_for() -> None:
    found = assessed("T1 liver 100|125")
    assert "irecist" not in response.assess(found.timeline.measurements).results


def test_the_table_of_subjects_has_the_dates_of_irecist() -> None:
    found = assessed("T1 liver 100|125|130 // T1 liver 100|125|60 // T1 liver 100|90|90", "irecist").subjects
    ours = found[found["criterion"] == "irecist"]
    assert ours["iupd_date"].tolist() == [iso_day(56), iso_day(56), ""]
    assert ours["icpd_date"].tolist() == [iso_day(112), "", ""]
    assert ours["progression_date"].tolist() == [iso_day(56), "", ""]
    assert set(found.loc[found["criterion"] == "recist-1.1", ["iupd_date", "icpd_date"]].to_numpy().ravel()) == {""}


def test_a_later_iupd_is_an_assessment_of_its_own_day() -> None:
    found = assessed("T1 liver 100|125|126", "irecist").subjects.set_index("criterion").loc["irecist"]
    assert found["last_evaluable_date"] == iso_day(112)
    assert found["progression_date"] == iso_day(56)
    therapy = assessed("T1 liver 100|90|125|126", "irecist", subject="new_therapy=d130")
    found = therapy.subjects.set_index("criterion").loc["irecist"]
    assert found["last_evaluable_date"] == iso_day(112)
    assert found["progression_date"] == iso_day(112)
    assert "after_new_therapy" in found["flags"]


def test_without_irecist_there_are_no_columns_of_its_own() -> None:
    found = assessed("T1 liver 100|125|130")
    assert {"iupd_date", "icpd_date"} & set(found.subjects.columns) == set()
    assert {"iupd_days", "new_sum_mm"} & set(found.timepoints.columns) == set()


def test_the_numbers_of_the_timepoints() -> None:
    found = assessed("T1 liver 100|125|121|126 ; NL1 lung -|12|13|14", "irecist").timepoints
    ours = found[found["criterion"] == "irecist"].iloc[1:]
    assert ours["iupd_days"].tolist()[1:] == [56, 112]
    assert ours["iupd_reference_mm"].tolist()[1:] == [125, 121]
    assert ours["new_sum_mm"].tolist() == [12, 13, 14]
    assert ours["new_reference_mm"].tolist()[1:] == [12, 12]
    assert pd.isna(ours["iupd_reference_mm"].iloc[0])


# What `explain` must say of a timepoint; worked out by hand.
TOLD = [
    ("T1 liver 100|125", "1", "the sum 125 mm is 25 mm (25 %) over the nadir 100 mm"),
    ("T1 liver 100|125|130", "2", "The sum 130 mm is 5 mm over 125 mm, the smallest since the iUPD."),
    ("T1 liver 100|125|130", "2", "iRECIST: iCPD, progression dated 2024-02-26"),
    ("T1 liver 100|125", "1", "Rule irecist.target.pd, clause RECIST 1.1, 4.3.1"),
    ("T1 liver 100|125|126", "2", "56 days after the iUPD nothing has grown enough to confirm it"),
    ("T1 liver 100|125|126", "2", "iCPD at 130 mm or more: 4 mm away (5 mm over 125 mm, the smallest since the iUPD)"),
    ("T1 liver 100|125|60", "2", "The sum 60 mm is 40 % below the baseline 100 mm; the iUPD is not confirmed"),
    ("T1 liver 100|125|60", "2", "Note: the iUPD before was not confirmed: a new one must be confirmed anew"),
    ("T1 liver 100|100|100 ; NL1 lung -|10|15", "2",
     "The sum of the new lesion targets, 15 mm, is 5 mm over 10 mm, the smallest since the iUPD."),
    ("T1 liver 100|100|100 ; NL1 lung -|10|12", "2",
     "iCPD at 15 mm of new lesion targets or more: 3 mm away (5 mm over 10 mm, the smallest since the iUPD)"),
    ("T1 liver 100|100|100 ; NL1 lung -|10|10 ; NL2 bone -|-|12", "2", "Driven by NL1, NL2"),
    ("T1 liver 100|100|60|60 ; NL1 lung -|20|20|25", "3",
     "The sum of the known new lesion targets, 25 mm, is 5 mm over its nadir 20 mm."),
    ("T1 liver 100|100|60|60 ; NL1 lung -|20|20|24", "3", "iUPD at 25 mm of new lesion targets or more: 1 mm away"),
    ("T1 liver 25|25", "1", "iUPD at 30 mm or more: 5 mm away (5 mm over the nadir 25 mm decides)"),
    ("T1 liver 30|30", "1", "iUPD at 36 mm or more: 6 mm away (20 % over the nadir 30 mm decides)"),
    ("T1 liver 100|90", "1", "iPR at 70 mm or less: 20 mm away; iUPD at 120 mm or more: 30 mm away"),
    ("T1 liver 100|125|130|60", "3", "Progression was confirmed before."),
]  # fmt: skip


@pytest.mark.parametrize(("lesions", "timepoint", "expected"), TOLD, ids=[f"{line[0]} {line[2][:30]}" for line in TOLD])
def test_explain_tells_each_step_with_its_numbers(lesions: str, timepoint: str, expected: str) -> None:
    text = " ".join(assessed(lesions, "irecist").explain("S1", timepoint).split())
    assert expected in text, text


@pytest.mark.parametrize(
    ("lesions", "timepoint", "nothing_of"),
    [
        ("NT1 bone present|present", "1", "iUPD at"),  # no target
        ("T1 liver NE|30|31", "2", "iUPD at"),  # no baseline to compare with
        ("T1 liver 100|100 ; NL1 lung -|12", "1", "of new lesion targets or more"),  # the first time
        ("NT1 bone present|pd|pd ; NL1 lung -|-|12", "2", "iCPD at"),  # neither targets nor new lesions made the iUPD
    ],
)
def test_explain_tells_no_threshold_of_what_is_not_there(lesions: str, timepoint: str, nothing_of: str) -> None:
    found = assessed(lesions, "irecist").explain("S1", timepoint)
    ours = " ".join(found.split()).split("iRECIST:")[-1]
    assert nothing_of not in ours


def test_explain_tells_of_an_early_scan() -> None:
    found = assessed("T1 liver 100|125|130", "irecist", days="0|56|70")
    text = " ".join(found.explain("S1", "2").split())
    assert "The scan came 14 days after the iUPD, which is too early: it is not used, and is to be repeated." in text
    assert "Note: the scan is not used: repeat it at 4 to 8 weeks" in text


def test_the_whole_course_tells_the_unconfirmed_progression() -> None:
    text = " ".join(assessed("T1 liver 100|125", "irecist").explain("S1").split())
    assert "iRECIST: iUPD on 2024-02-26" in text
    assert "Note: no later assessment confirmed the progression, or undid it" in text


# --- collected responses


def collected(**columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({name: list(values) for name, values in columns.items()})


def test_the_best_response_of_collected_responses() -> None:
    table = collected(
        subject=["S1"] * 4,
        criterion=["iRECIST"] * 4,
        timepoint=["1", "2", "3", "4"],
        date=[iso_day(56 * place) for place in (1, 2, 3, 4)],
        overall=["iSD", "IUPD", "NE", "iCPD"],
    )
    (row,) = response.best_response(table, subjects=collected(subject=["S1"], treatment_start=[iso_day(0)])).to_dict(
        "records"
    )
    assert row["criterion"] == "irecist"
    assert row["best_response"] == "iSD"
    assert row["progression_date"] == iso_day(112)
    assert row["iupd_date"] == iso_day(112)
    assert row["icpd_date"] == iso_day(224)


def test_a_response_of_recist_is_none_of_irecist() -> None:
    from response.api import best_of

    table = collected(subject=["S1"], criterion=["irecist"], timepoint=["1"], date=[iso_day(56)], overall=["PR"])
    found, _ = best_of(table)
    (finding,) = found.findings
    assert finding.found == "PR"
    assert "one of iCR, iPR, iSD, non-iCR/non-iUPD" in finding.expected


def test_collected_irecist_responses_are_compared() -> None:
    found = assessed("T1 liver 100|125|130", "irecist")
    table = collected(subject=["S1", "S1"], criterion=["iRECIST"] * 2, timepoint=["1", "2"], overall=["iUPD", "iUPD"])
    measurements = found.timeline.measurements
    from response.measurements import Measurements
    from response.table import TextColumn, TextTable

    beside = TextTable.of({str(name): TextColumn.of(table[name]) for name in table}, "collected.csv")
    with_collected = Measurements.from_table(measurements.table, collected=beside)
    findings = response.assess(with_collected, ["irecist"]).findings
    assert findings.loc[findings["id"] == "overall_differs", "found"].tolist() == ["iUPD by irecist"]


# --- the criterion as a whole


def rows_of_table_2(text: str) -> set[int]:
    """Return the rows that a clause names: "table 2, rows 6, 8 and 9" or "table 2, rows 7 to 9"."""
    found = re.match(r"table 2, (?:rows?|last row) ?([\d, toand]*)", text)
    if found is None:
        return set()
    numbers = [int(number) for number in re.findall(r"\d+", found[1])] or [10]
    return set(range(numbers[0], numbers[-1] + 1)) if " to " in found[1] else set(numbers)


def test_each_row_of_table_2_has_cases_and_its_steps_name_it() -> None:
    named = {step.name: rows_of_table_2(step.clause) for step in IRECIST_STEPS}
    seen: set[int] = set()
    for case in load("irecist"):
        for row in rows_of_table_2(case.source):
            seen.add(row)
            taken = [rule.split("+")[-1].removeprefix("overall.") for rule in case.expected["rule"].split(";")]
            assert row in named[taken[-1]], f"{case.id}: {taken[-1]} does not name row {row}"
    assert seen == set(range(1, 11))


def test_a_new_lesion_is_compared_with_nothing_when_it_appears() -> None:
    found = assessed("T1 liver 100|100|100|100 ; NL1 lung -|-|12|13", "irecist").timepoints
    ours = found[found["criterion"] == "irecist"].set_index("timepoint")
    assert ours["new_sum_mm"].loc["2"] == 12
    assert pd.isna(ours["new_reference_mm"].loc["2"])
    assert ours["new_reference_mm"].loc["3"] == 12


def test_the_options_of_section_8_have_their_defaults() -> None:
    options = IrecistOptions()
    assert (options.ir_min_confirm_days, options.ir_tol, options.ir_early_policy) == (28, 2, "ignore")
    assert (options.ir_late_policy, options.ir_cr_with_nl) == ("warn", "iPR")


def test_ids_of_rules() -> None:
    names = [IRECIST.rule_id(question.name, rule) for question in IRECIST.questions for rule in question.rules]
    assert len(set(names)) == len(names)
    assert {"irecist.target.pd", "irecist.overall.reset_to_ipr", "irecist.overall.target_further"} <= set(names)


FLAGS = [
    # course                                          flags of each timepoint after baseline
    ("T1 liver 100|100|125|60|62", ["", "", "bar_reset", "response_maintained"]),
    ("T1 liver 100|60|NE", ["", ""]),
    ("T1 liver 100|60|68 ; NL1 lung -|-|12", ["", ""]),
    ("T1 liver 100|125[date=d56]|125[date=d66]|125[date=d100]", ["", "not_used pd_backdated", "pd_backdated"]),
    ("T1 liver 100|100[date=d56]|90[date=d66] ; NL1 lung -|12|12", ["", "not_used pd_backdated"]),
    ("T1 liver 100|100[date=2024-03]|125[date=2024-04]|126[date=2024-06]", ["", "", "interval_unknown pd_backdated"]),
    # three new lesions of an organ, of which two are measured; after iCPD nothing of the kind is asked any more
    ("T1 liver 100|100|100|100 ; NL1 bone -|12|12|12 ; NL2 bone -|12|12|12 ; NL3 bone -|12|12|12 ; NL4 lung -|-|12|12",
     ["new_lesion_limit", "new_lesion_limit pd_backdated", "pd_backdated"]),
    ("T1 liver 100|125|131|131 ; NL1 lung -|-|12|-", ["", "pd_backdated", "pd_backdated"]),
    ("T1 liver 100|125|131|0 ; NL1 lung -|-|12|12", ["", "pd_backdated", "pd_backdated"]),
]  # fmt: skip


@pytest.mark.parametrize(("lesions", "flags"), FLAGS)
def test_these_flags_and_no_others(lesions: str, flags: list[str]) -> None:
    frame = assessed(lesions, "irecist").timepoints
    told = frame[frame["criterion"] == "irecist"]["flags"].tolist()
    assert [text.replace(";", " ") for text in told] == ["", *flags]
