"""The course of one subject as text: what stands there, the exact distances, and what is refused."""

import csv
from collections.abc import Sequence
from io import StringIO

import pytest

from response.criteria.distances import pr_at_most_um
from response.criteria.recist import RECIST_TEST
from response.engine import Assessment, assess
from response.errors import InputError
from response.measurements import Measurements
from response.protocol import Protocol
from response.report.explain import WIDTH, explain
from response.report.thresholds import choi_pd_from_um
from response.table import TextColumn, TextTable
from tests import trials

HEADER = "subject,evaluator,timepoint,date,lesion,role,organ,state,longest_mm,short_mm,attenuation_hu,morphology"


def table_of(text: str, file: str) -> TextTable:
    header, *rows = list(csv.reader(StringIO(text.strip())))
    padded = [[*row, *[""] * (len(header) - len(row))] for row in rows]
    return TextTable.of({name: TextColumn.of(row[place] for row in padded) for place, name in enumerate(header)}, file)


def assessed(
    rows: str, subjects: str = "", visits: str = "", criteria: Sequence[str] = ("recist-1.1",), protocol: str = ""
) -> Assessment:
    measurements = Measurements.from_table(
        table_of(f"{HEADER}\n{rows.strip()}", "lesions.csv"),
        subjects=table_of(subjects, "subjects.csv") if subjects else None,
        visits=table_of(visits, "visits.csv") if visits else None,
    )
    return assess(measurements, criteria, Protocol.from_toml(protocol))


def plain(text: str) -> str:
    """Return the text without its line breaks and indents, so that a test does not depend on the wrapping."""
    return " ".join(text.split())


RESPONDER = """
P-1,,0,2024-01-01,T1,target,liver,,60,
P-1,,0,2024-01-01,T2,target,lung,,40,
P-1,,1,2024-03-01,T1,target,liver,,42,
P-1,,1,2024-03-01,T2,target,lung,,28,
P-1,,2,2024-05-01,T1,target,liver,,45,
P-1,,2,2024-05-01,T2,target,lung,,29.2,
P-1,,3,2024-07-01,T1,target,liver,,55,
P-1,,3,2024-07-01,T2,target,lung,,29,
P-1,,3,2024-07-01,NL1,new,brain,present,,
"""

# What the course of RESPONDER must say at a timepoint; worked out by hand.
LINES = [
    ("0", "This is the baseline; its sum of diameters is 100 mm.", "the baseline has no response"),
    ("1", "RECIST 1.1: PR", "70 is 30 % below 100, inclusive"),
    ("1", "Rule recist-1.1.target.pr, clause 4.3.1", "the deciding rule is the one of the targets"),
    ("1", "-30 mm (-30 %) from the baseline 100 mm", "change"),
    ("1", "PR at 70 mm or less: reached; PD at 120 mm or more: 50 mm away", "nadir is the baseline: 120"),
    ("2", "PR at 70 mm or less: 4.2 mm away; PD at 84 mm or more: 9.8 mm away", "45 + 29.2 = 74.2; 1.2 x 70 = 84"),
    ("2", "+4.2 mm (+6 %) from the nadir 70 mm (timepoint 1, 2024-03-01)", "the nadir names its visit"),
    ("2", "T1 liver 45 mm -15 mm (-25 %)", "each target, against its own baseline"),
    ("2", "Note: an earlier response goes on", "flags in words"),
    ("2", "New lesions: none recorded", "told, not left out"),
    ("3", "RECIST 1.1: PD", "a new lesion, and 84 is 20 % and 14 mm over 70"),
    ("3", "New lesions: NL1 brain present", "the new lesion"),
    ("3", "Driven by NL1", "the new lesion decides"),
    ("3", "PD at 84 mm or more: reached", "exactly on the threshold"),
    ("3", "recist-1.1.overall.target_pd (PD)", "the other rule that holds"),
]  # fmt: skip


@pytest.mark.parametrize(("timepoint", "expected", "why"), LINES, ids=[line[2] for line in LINES])
def test_a_timepoint_tells(timepoint: str, expected: str, why: str) -> None:
    text = plain(explain(assessed(RESPONDER), "P-1", timepoint))
    assert expected in text
    assert "Best overall response" not in text  # one timepoint was asked for


def test_the_whole_course_ends_with_the_best_response() -> None:
    text = plain(explain(assessed(RESPONDER), "P-1"))
    assert [text.count(f"Timepoint {place},") for place in range(4)] == [1, 1, 1, 1]
    assert "Best overall response RECIST 1.1: PR on 2024-03-01" in text
    assert "Progression on 2024-07-01: A new lesion." in text


def test_no_line_is_longer_than_the_width() -> None:
    assert max(map(len, explain(assessed(RESPONDER), "P-1").splitlines())) <= WIDTH


def test_a_missing_target_is_named_and_pr_needs_a_complete_sum() -> None:
    rows = RESPONDER.replace("P-1,,2,2024-05-01,T2,target,lung,,29.2,", "P-1,,2,2024-05-01,T2,target,lung,NE,,")
    text = plain(explain(assessed(rows), "P-1", "2"))
    assert "Not assessed: T2" in text
    assert "Sum of diameters: 45 mm of the targets that were assessed" in text
    assert "RECIST 1.1: NE" in text
    assert "PR needs a complete sum; PD at 84 mm or more: 39 mm away" in text


def test_nodes_and_non_targets_say_what_they_are() -> None:
    rows = """
    P-1,,0,2024-01-01,N1,target,lymph node,,,20
    P-1,,0,2024-01-01,NT1,non_target,liver,present,,
    P-1,,1,2024-03-01,N1,target,lymph node,,,8
    P-1,,1,2024-03-01,NT1,non_target,liver,present,,
    """.replace("    ", "")
    text = plain(explain(assessed(rows), "P-1", "1"))
    assert "N1 lymph node 8 mm short axis of a node, normal below 10 mm, -12 mm (-60 %)" in text
    assert "Non-target lesions: NT1 liver present" in text
    assert "RECIST 1.1: PR" in text  # a node below 10 mm is CR of the targets, but the non-target persists
    assert "Target lesions CR, non-target lesions Non-CR/Non-PD, new lesions No" in text


def test_a_split_lesion_is_not_gone() -> None:
    header = f"{HEADER},parent"
    rows = """
P-1,,0,2024-01-01,T1,target,liver,,54,,,,
P-1,,1,2024-03-01,T1,target,liver,split,,,,,
P-1,,1,2024-03-01,T1.1,target,liver,,38,,,,T1
P-1,,1,2024-03-01,T1.2,target,liver,,6,,,,T1
"""
    found = assess(Measurements.from_table(table_of(f"{header}\n{rows.strip()}", "lesions.csv")))
    text = plain(explain(found, "P-1", "1"))
    assert "T1 liver split its fragments count" in text
    assert "T1.1 liver 38 mm measured, fragment of T1" in text
    assert "Sum of diameters: 44 mm" in text


def test_an_equivocal_lesion_with_a_number_is_told_so() -> None:
    rows = RESPONDER.replace("NL1,new,brain,present,,", "NL1,new,brain,equivocal,8,")
    text = plain(explain(assessed(rows), "P-1", "3"))
    assert "NL1 brain 8 mm equivocal" in text
    assert "Note: an equivocal new lesion: assess again" in text


POLICIES = [
    ("pd_if_proven", "PR needs a complete sum; PD at 84 mm or more: 39 mm away"),
    ("always_ne", "PR and PD need a complete sum"),
    ("bounded", "the bounds of the missing lesions decide"),
]


@pytest.mark.parametrize(("policy", "told"), POLICIES)
def test_an_incomplete_sum_is_told_by_the_policy(policy: str, told: str) -> None:
    rows = RESPONDER.replace("P-1,,2,2024-05-01,T2,target,lung,,29.2,", "P-1,,2,2024-05-01,T2,target,lung,NE,,")
    found = assessed(rows, protocol=f'[recist-1.1]\nmissing_target_policy = "{policy}"')
    assert told in plain(explain(found, "P-1", "2"))


def test_a_default_that_may_not_prove_pd_does_not_count_towards_it() -> None:
    rows = """
P-1,,0,2024-01-01,T1,target,liver,,12,
P-1,,1,2024-03-01,T1,target,liver,,2,
P-1,,2,2024-05-01,T1,target,liver,too small,,
"""
    # from the nadir 2 mm PD starts at 7 mm; the 5 mm default stands for at most the 2 mm of before
    text = plain(explain(assessed(rows, protocol="[recist-1.1]\ntstm_may_prove_pd = false"), "P-1", "2"))
    assert "PD at 7 mm or more: 5 mm away" in text
    assert "PD at 7 mm or more: 2 mm away" in plain(explain(assessed(rows), "P-1", "2"))


CHOI = """
P-1,,0,2024-01-01,T1,target,liver,,100,,80
P-1,,1,2024-03-01,T1,target,liver,,95,,70
P-1,,2,2024-05-01,T1,target,liver,,95,,68
"""


def test_choi_tells_its_own_thresholds_and_scope() -> None:
    # size: 90 or less; attenuation: 0.85 x 80 = 68 or less; growth: 110 or more
    found = assessed(CHOI, criteria=["choi"])
    first, second = plain(explain(found, "P-1", "1")), plain(explain(found, "P-1", "2"))
    assert "PR by size at 90 mm or less: 5 mm away; PR by attenuation at 68 HU or less: 2 HU away" in first
    assert "PD at 110 mm or more: 15 mm away" in first
    assert "Choi: SD" in first
    assert "PR by attenuation at 68 HU or less: reached" in second
    assert "Choi: PR" in second
    assert "The criteria disagree: SD by RECIST 1.1 at -5 % in size, PR by Choi at -15 % in attenuation." in second
    assert "GIST under imatinib" in first


def test_choi_by_both_still_tells_the_attenuation() -> None:
    found = assessed(CHOI, criteria=["choi"], protocol='[choi]\nchoi_pr_logic = "and"')
    text = plain(explain(found, "P-1", "2"))
    assert "PR by attenuation at 68 HU or less: reached" in text
    assert "Choi: SD" in text


def test_mri_choi_tells_its_own_thresholds_and_scope() -> None:
    # size: 90 or less; relative enhancement: 0.85 x 90 = 76.5 or less; growth: 110 or more
    header = "subject,timepoint,date,lesion,role,organ,longest_mm,relative_enhancement_percent,modality"
    rows = ["S,0,2024-01-01,T1,target,thigh,100,90,MR", "S,1,2024-03-01,T1,target,thigh,97,80,MR"]
    table = table_of("\n".join([header, *rows, "S,2,2024-05-01,T1,target,thigh,97,62,MR"]), "lesions.csv")
    found = assess(Measurements.from_table(table))  # offered, for the table has the column
    first, second = plain(explain(found, "S", "1")), plain(explain(found, "S", "2"))
    assert "PR by size at 90 mm or less: 7 mm away; PR by relative enhancement at 76.5 % or less: 3.5 % away" in first
    assert "PD at 110 mm or more: 13 mm away (unless the relative enhancement fell by 15 %)" in first
    assert "MRI-Choi: SD" in first
    assert "PR by relative enhancement at 76.5 % or less: reached" in second
    line = "SD by RECIST 1.1 at -3 % in size, PR by MRI-Choi at -31.11 % in relative enhancement."
    assert f"The criteria disagree: {line}" in second
    assert "HU" not in second
    assert "tried in soft tissue sarcoma" in first


def test_chun_tells_groups_and_scope() -> None:
    rows = "P-1,,0,2024-01-01,T1,target,liver,,50,,,3\nP-1,,1,2024-03-01,T1,target,liver,,49,,,1"
    text = plain(explain(assessed(rows, criteria=["chun"]), "P-1", "1"))
    assert "morphologic group 1" in text
    assert "Chun: optimal" in text
    assert "colorectal liver metastases" in text
    assert "bevacizumab" in text


THRESHOLDS = [
    # what                                       function          value   expected
    ("PR is 70 % of the baseline",               "pr7",            100_000, 70_000),
    ("PR cuts to the whole micrometre",          "pr7",            33_333,  23_333),  # 23333.1
    ("PD is 20 % over a large nadir",            "pd",             70_000,  84_000),
    ("PD is 5 mm over a small nadir",            "pd",             12_000,  17_000),  # 20 % were 14.4
    ("20 % and 5 mm meet at 25 mm",              "pd",             25_000,  30_000),
    ("PD rises to the next whole micrometre",    "pd",             33_333,  40_000),  # 39999.6
    ("from nothing 5 mm are PD",                 "pd",             0,       5_000),
    ("Choi PR is 90 % of the baseline",          "pr9",            100_000, 90_000),
    ("Choi PD is 10 % over the reference",       "choi",           50_000,  55_000),
    ("Choi PD from nothing is any growth",       "choi",           0,       1),
]  # fmt: skip
FUNCTIONS = {
    "pr7": RECIST_TEST.largest_partial,
    "pr9": lambda um: pr_at_most_um(um, 9),
    "pd": RECIST_TEST.smallest_progressive,
    "choi": choi_pd_from_um,
}


@pytest.mark.parametrize(("what", "function", "value", "expected"), THRESHOLDS, ids=[row[0] for row in THRESHOLDS])
def test_a_threshold_is_exact(what: str, function: str, value: int, expected: int) -> None:
    assert FUNCTIONS[function](value) == expected


def test_the_five_millimetre_rule_is_named_where_it_decides() -> None:
    rows = "P-1,,0,2024-01-01,T1,target,liver,,12,\nP-1,,1,2024-03-01,T1,target,liver,,15,"
    text = plain(explain(assessed(rows), "P-1", "1"))
    assert "PD at 17 mm or more: 2 mm away (5 mm over the nadir 12 mm decides)" in text  # 15 is 25 % over 12, yet SD


TWO_READERS = RESPONDER.replace("P-1,,", "P-1,R1,") + RESPONDER.replace("P-1,,", "P-1,R2,").replace(",60,", ",90,")


def test_every_evaluator_is_told_and_kept_apart() -> None:
    found = assessed(TWO_READERS)
    both = explain(found, "P-1")
    assert "evaluator R1" in both
    assert "evaluator R2" in both
    one = explain(found, "P-1", evaluator="R2")
    assert "evaluator R1" not in one
    assert "its sum of diameters is 130 mm" in one


def test_another_subject_changes_nothing() -> None:
    other = RESPONDER.replace("P-1", "P-0").replace(",60,", ",99,") + RESPONDER.replace("P-1", "P-2")
    subjects = "subject,treatment_start\nP-0,2024-01-01\nP-1,\nP-9,2024-01-01"
    assert explain(assessed(other + RESPONDER, subjects), "P-1") == explain(assessed(RESPONDER), "P-1")


def test_dates_of_the_subject_table_are_told() -> None:
    subjects = "subject,site,treatment_start,new_therapy\nP-1,12,2024-01-05,2024-06-01"
    text = explain(assessed(RESPONDER, subjects), "P-1")
    assert "site 12" in text
    assert "Start of treatment: 2024-01-05" in text
    assert "New therapy: 2024-06-01" in text


def test_a_subject_without_baseline_is_told_so() -> None:
    subjects = "subject,treatment_start\nP-1,2023-01-01"
    rows = "P-1,,1,2024-03-01,T1,target,liver,,42,\nP-1,,2,2024-05-01,T1,target,liver,,45,"
    found = assessed(rows, subjects)
    assert "There is no baseline" in explain(found, "P-1")


REFUSED = [
    # subject timepoint evaluator  in the message
    ("P-11", None, None, "P-1"),
    ("P-1", "9", None, "0, 1, 2, 3"),
    ("P-1", None, "R7", "R1, R2"),
]


@pytest.mark.parametrize(("subject", "timepoint", "evaluator", "told"), REFUSED)
def test_what_is_not_there_is_refused(subject: str, timepoint: str | None, evaluator: str | None, told: str) -> None:
    with pytest.raises(InputError, match=told):
        explain(assessed(TWO_READERS), subject, timepoint, evaluator)


def test_an_unknown_subject_does_not_list_all_others() -> None:
    many = "\n".join(f"SUBJ-{number:04d},,0,2024-01-01,T1,target,liver,,30," for number in range(200))
    with pytest.raises(InputError) as refused:
        explain(assessed(many), "SUBJ-0007x")
    assert "SUBJ-0007" in str(refused.value)
    assert str(refused.value).count("SUBJ-") <= 4  # the one asked for, and three that are close
    with pytest.raises(InputError) as refused:
        explain(assessed(many), "another")
    assert "SUBJ" not in str(refused.value)


def test_rules_about_targets_do_not_hold_where_there_are_none() -> None:
    text = " ".join(trials.assessed("NT1 bone present|present").explain("S1", "1").split())
    assert "Also holds, later in the order: recist-1.1.overall.non_target_only_ne (NE)" in text
    assert "recist-1.1.target." not in text


def test_what_was_not_measured_is_no_response_and_no_distance() -> None:
    text = " ".join(trials.assessed("T1 liver 100|NE").explain("S1", "1").split())
    assert "RECIST 1.1: NE" in text and "PR needs a complete sum" in text
    assert "Also holds" not in text and "away" not in text
    some = " ".join(trials.assessed("T1 liver 60|70 ; T2 lung 40|NE").explain("S1", "1").split())
    assert "PD at 120 mm or more: 50 mm away" in some  # of the measured part, which could prove it


JUDGED = [
    # lesions, criteria, lines under a heading that names the criterion, and under the heading of ancillary findings
    ("T1 liver 50[volume_mm3=20000]|50[volume_mm3=25000]", ["who"], [], ["T1: volume 20 to 25 ml (+25 %)"]),
    ("T1 liver 50[volume_mm3=20000]|50[volume_mm3=25000] ; NT1 bone present[volume_mm3=1000]|present[volume_mm3=1000]",
     ["qeasl"], ["Judged by qEASL:", "T1: volume 20 to 25 ml (+25 %)"],
     ["volume of non-targets 1 ml (1 ml at baseline, 0 %): 1 non-target", "NT1: volume 1 to 1 ml (0 %)"]),
    ("T1 liver 50[volume_mm3=20000,viable_volume_mm3=20000]|50[volume_mm3=25000,viable_volume_mm3=9000]",
     ["qeasl"], ["Judged by qEASL:", "T1: viable volume 20 to 9 ml (-55 %)"], ["T1: volume 20 to 25 ml (+25 %)"]),
    ("T1 liver 50%60[adc=1]|50%50[adc=1]", ["mri-choi"],
     ["Judged by MRI-Choi:", "T1: relative enhancement stable (60 to 50 %)"],
     ["T1: ADC stable (1 to 1 x 10^-3 mm2/s)"]),
    ("T1 liver 50%60|50%50 ; NT1 liver %60present|%60present", ["mri-choi"],
     ["Judged by MRI-Choi:", "T1: relative enhancement stable (60 to 50 %)"],
     ["NT1: relative enhancement stable (60 to 60 %)"]),
    ("T1 liver 50[volume_mm3=20000,adc=1]|50[volume_mm3=25000,adc=1]|NE[volume_mm3=26000]", ["qeasl"],
     ["Judged by qEASL:", "T1: volume 20 to 25 ml (+25 %)"], ["T1: ADC stable (1 to 1 x 10^-3 mm2/s)"]),
]  # fmt: skip


@pytest.mark.parametrize(("lesions", "criteria", "judged", "others"), JUDGED)
def test_what_a_criterion_judges_by_is_no_finding_that_changes_nothing(
    lesions: str, criteria: list[str], judged: list[str], others: list[str]
) -> None:
    text = trials.assessed(lesions, *criteria).explain("S1", "1")
    lines = [line.strip() for line in text.splitlines()]
    assert [line for line in lines if line in judged] == judged
    start = lines.index("Ancillary findings, which change no category:")
    assert lines[start + 1 : start + 1 + len(others)] == others
    assert not [line for line in lines[start:] if line in judged]
