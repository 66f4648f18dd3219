"""Volumes of the non-targets, and the findings that compare them with what was read: expected values by hand."""

import pytest

from response.report.tables import ancillary_table, timepoint_table
from response.visit_descriptors import NON_TARGET_VOLUME
from tests.trials import assessed, from_rows

IDS = {"non_target_volume_grew", "non_target_pd_without_growth"}


def course(lesion: str, word: str, *volumes: str) -> str:
    """Return a non-target with its volumes in mm3, present at baseline and then what the word says; - for no row."""
    cells = [
        "-"
        if volume == "-"
        else "absent"
        if volume == "gone"
        else f"{word if place else 'present'}[volume_mm3={volume}]"
        for place, volume in enumerate(volumes)
    ]
    return f"{lesion} bone {'|'.join(cells)}"


def volumes_of(lesions: str, **inputs: str) -> list[tuple[str, ...]]:
    """Return value, baseline with change in percent, nadir with change in percent, and the note, by timepoint."""
    names = ("value", "baseline_value", "change_percent", "nadir_value", "change_from_nadir_percent", "note")
    rows = ancillary_table(assessed(lesions, **inputs)).rows()
    return [tuple(row[name] for name in names) for row in rows if row["finding"] == NON_TARGET_VOLUME]


def found_in(lesions: str, **inputs: str) -> list[tuple[str, str]]:
    return [(item.id, item.timepoint) for item in assessed(lesions, **inputs).found if item.id in IDS]


def test_the_sum_of_all_against_baseline_and_the_smallest() -> None:
    one, two = course("NT1", "present", "20000", "10000", "36000"), course("NT2", "present", "5000", "4000", "7250")
    assert volumes_of(f"{one} ; {two}") == [
        ("25", "", "", "", "", "2 non-targets"),
        ("14", "25", "-44", "25", "-44", "2 non-targets"),
        ("43.25", "25", "73", "14", "208.92", "2 non-targets"),  # 29.25 / 14 = 2.08928...
    ]


def test_a_lesion_that_is_gone_adds_nothing_but_counts() -> None:
    lesions = f"{course('NT1', 'present', '8000', 'gone')} ; {course('NT2', 'present', '2000', '3000')}"
    assert volumes_of(lesions)[1] == ("3", "10", "-70", "10", "-70", "2 non-targets")


@pytest.mark.parametrize(
    ("other", "volume"),
    [
        ("NT2 bone present[volume_mm3=9000]|present", "not measured now"),
        ("NT2 bone present|present[volume_mm3=9000]", "not measured at baseline"),
        ("NT2 bone present[volume_mm3=9000]|NE[volume_mm3=9000]", "not evaluable"),
        ("NT2 bone present[volume_mm3=9000]|-", "no row"),
        ("NT2 bone present[volume_mm3=9000]|merged>NT1[volume_mm3=9000]", "part of another one"),
        ("NT2 bone present|absent", "gone, but not measured at baseline"),
    ],
)
def test_lesions_without_a_volume_at_both_dates_are_left_out(other: str, volume: str) -> None:
    lesions = f"{course('NT1', 'present', '2000', '3000')} ; {other}"
    note = "1 non-target; 1 more without a volume now and at baseline left out"
    assert volumes_of(lesions)[1] == ("3", "2", "50", "2", "50", note), volume


def test_targets_new_lesions_and_lesions_unknown_at_baseline_are_none_of_them() -> None:
    others = (
        "T1 liver 30[volume_mm3=9000]|30[volume_mm3=9000] ; NL1 bone -|20[volume_mm3=9000] ; "
        "NT2 bone -|present[volume_mm3=9000]"
    )
    found = volumes_of(f"{course('NT1', 'present', '2000', '3000')} ; {others}")[1]
    assert (found[0], found[-1]) == ("3", "1 non-target")
    assert volumes_of("T1 liver 30[volume_mm3=9000]|30[volume_mm3=9000] ; NT1 bone present|present") == []


def test_the_smallest_is_of_the_same_lesions() -> None:
    # at 1 the second is missing, so that timepoint is no reference for both at 2, but is one for the first alone at 3
    one, two = (
        course("NT1", "present", "2000", "1000", "3000", "3000"),
        course("NT2", "present", "4000", "", "5000", ""),
    )
    found = volumes_of(f"{one} ; {two}")
    assert [row[:5] for row in found[2:]] == [("8", "6", "33.33", "6", "33.33"), ("3", "2", "50", "1", "200")]


def test_timepoints_before_the_baseline_are_no_reference() -> None:
    lesions = "NT1 bone present[volume_mm3=1000]|present[volume_mm3=2000,baseline=Y]|present[volume_mm3=3000]"
    assert [row[:4] for row in volumes_of(lesions)] == [("2", "", "", ""), ("3", "2", "50", "2")]


# non-targets, findings: 73 % on the limit and just off it, against the smallest, by what was read
FINDINGS = [
    ("on the limit", course("NT1", "present", "10000", "17300"), ["grew"]),
    ("just below", course("NT1", "present", "10000", "17299.999"), []),
    ("against the smallest", course("NT1", "present", "10000", "5000", "8650"), ["grew"]),
    ("just below the smallest", course("NT1", "present", "10000", "5000", "8649.999"), []),
    ("read as PD", course("NT1", "pd", "10000", "17300"), []),
    ("read as PD, just below", course("NT1", "pd", "10000", "17299.999"), ["without_growth"]),
    ("PD, but smaller", course("NT1", "pd", "10000", "9000"), ["without_growth"]),
    ("PD told once", course("NT1", "pd", "10000", "9000", "9000"), ["without_growth"]),
    ("PD above its own smallest", course("NT1", "present", "9000", "1000", "1500") + "|pd[volume_mm3=1730]", []),
    ("back from nothing", course("NT1", "present", "9000", "gone", "5000"), []),
    ("PD back from nothing", course("NT1", "pd", "9000", "gone", "5000"), []),
    ("PD of one while another stays gone",
     f"{course('NT1', 'present', '1', 'gone', 'gone')} ; {course('NT2', 'present', '9', '9')}|pd[volume_mm3=9]",
     ["without_growth"]),
    ("no volume now", course("NT1", "pd", "10000", ""), []),
    ("the sum of both", f"{course('NT1', 'present', '10000', '20000')} ; {course('NT2', 'present', '10000', '14600')}",
     ["grew"]),
    ("not the sum", f"{course('NT1', 'present', '10000', '20000')} ; {course('NT2', 'present', '10000', '14599')}", []),
    ("PD by the growth of one", f"{course('NT1', 'pd', '1000', '1730')} ; {course('NT2', 'present', '90000', '90000')}",
     []),
    ("one without a volume grew, perhaps", f"{course('NT1', 'pd', '1000', '1000')} ; NT2 bone present|present", []),
    ("... is left out of growth", f"{course('NT1', 'present', '1000', '2000')} ; NT2 bone present|present", ["grew"]),
    ("after PD", f"{course('NT1', 'present', '1000', '1000', '9000')} ; NL1 liver -|20|20", []),
    ("before PD", f"{course('NT1', 'present', '1000', '9000', '9000')} ; NL1 liver -|-|20", ["grew", "grew"]),
    ("PD by a new lesion alone", f"{course('NT1', 'present', '1000', '1000')} ; NL1 liver -|20", []),
    ("new lesion, and growth", f"{course('NT1', 'present', '1000', '9000')} ; NL1 liver -|20", ["grew"]),
    ("very large volumes", course("NT1", "present", "99000000", "99000000"), []),
]  # fmt: skip


@pytest.mark.parametrize(("lesions", "expected"), [pytest.param(*case[1:], id=case[0]) for case in FINDINGS])
def test_what_volumes_say_beside_what_was_read(lesions: str, expected: list[str]) -> None:
    assert [
        id_.split("_", 2)[2].removeprefix("volume_").removeprefix("pd_") for id_, _ in found_in(lesions)
    ] == expected


def test_a_finding_of_growth_says_what_the_paper_says() -> None:
    alone = f"{course('NT1', 'present', '20000', '36000')} ; NT2 bone present|present"
    (found,) = [item for item in assessed(alone).found if item.id in IDS]
    assert (found.severity, found.timepoint, found.column) == ("info", "1", "volume_mm3")
    assert found.found == "20 to 36 ml, +80 %"
    assert found.sentence == (
        "The volume of the non-targets rose from its smallest (20 to 36 ml, +80 %; 1 non-target; 1 more without a "
        "volume now and at baseline left out); their response was read as Non-CR/Non-PD. Where all disease is "
        "non-measurable, 73 % in volume is the example of PD (RECIST 1.1, section 4.3.4)."
    )
    (found,) = [item for item in assessed(f"{alone} ; T1 liver 30|30").found if item.id in IDS]
    assert found.sentence.endswith(
        "Beside target lesions it takes a substantial worsening of the whole disease (RECIST 1.1, section 4.3.4)."
    )


def test_a_finding_of_no_growth_says_how_much() -> None:
    lesions = f"{course('NT1', 'pd', '20000', '13000')} ; {course('NT2', 'present', '10000', '10001')}"
    (found,) = [item for item in assessed(lesions).found if item.id in IDS]
    assert found.sentence == (
        "Non-target PD was read, but no non-target is 73 % or more above its smallest volume before "
        "(all together 30 to 23.001 ml, -23.33 %)."
    )


def test_they_change_no_response() -> None:
    lesions = "NT1 bone present[volume_mm3=1000]|present[volume_mm3=9000] ; T1 liver 30|30"
    plain = lesions.replace("[volume_mm3=1000]", "").replace("[volume_mm3=9000]", "")
    assert list(timepoint_table(assessed(lesions)).rows()) == list(timepoint_table(assessed(plain)).rows())


def test_subjects_of_different_length_do_not_mix() -> None:
    def rows(subject: str, *volumes: str) -> list[dict[str, str]]:
        about = {"subject": subject, "lesion": "NT1", "role": "non_target", "organ": "bone", "state": "present"}
        return [{**about, "timepoint": str(place), "volume_mm3": volume} for place, volume in enumerate(volumes)]

    long = [*["1000"] * 60, "1730"]  # so much longer than the others that most of them are looked at apart from it
    short = [row for name in "BCDEFGH" for row in rows(name, "5000", "5000", "9000")]
    found = from_rows([*rows("A", *long), *short, *rows("I", "1000", "2000")])
    assert len(list(found.timeline.blocks())) > 1
    told = [(item.subject, item.timepoint) for item in found.found if item.id in IDS]
    assert told == [("A", "60"), *((name, "2") for name in "BCDEFGH"), ("I", "1")]
    values = [row["value"] for row in ancillary_table(found).rows() if row["finding"] == NON_TARGET_VOLUME]
    assert values == [*["1"] * 60, "1.73", *["5", "5", "9"] * 7, "1", "2"]
