"""Lesions over time: what is joined, by what, and what is left apart because nothing is certain."""

from collections.abc import Sequence
from typing import Any, Literal

import pytest

from response.identity import Identified, identify
from response.imaging.lesion_mask import StructureName
from response.lesion_map import LesionMap, MapEntry
from response.observations import Observation

OHIF = "cornerstoneTools@^4.0.0:Bidirectional"


def seen(
    study: int | str,
    tracking_id: str = "",
    tracking_uid: str = "",
    *,
    kind: Literal["report", "mask"] = "report",
    subject: str = "S1",
    observer: str = "",
    file: str = "",
    cells: dict[str, str] | None = None,
    **name: Any,
) -> Observation:
    """Return what one source says of one lesion in one study."""
    return Observation(
        kind=kind,
        subject=subject,
        study=f"study {study}",
        date=f"2024-0{study}-01" if isinstance(study, int) else "",
        timepoint=f"TP{study}",
        observer=observer,
        name=StructureName(tracking_id=tracking_id, tracking_uid=tracking_uid, **name),
        cells=cells or {},
        file=file or f"{kind} {study}",
    )


def mask(study: int, number: int, label: str = "", **more: Any) -> Observation:
    return seen(study, kind="mask", number=number, label=label, **more)


def same(found: Identified) -> list[list[int]]:
    """Return the observations that are one lesion."""
    groups: dict[str, list[int]] = {}
    for place, lesion in enumerate(found.lesions):
        groups.setdefault(lesion, []).append(place)
    return list(groups.values())


def ids(found: Identified) -> list[str]:
    return [finding.id for finding in found.findings if finding.id != "lesion_matched"]


def how(found: Identified) -> dict[str, str]:
    return {finding.lesion: finding.found for finding in found.findings if finding.id == "lesion_matched"}


CASES: list[tuple[str, Sequence[Observation], list[list[int]]]] = [
    ("the UID, whatever the identifier", [seen(1, "a", "1"), seen(1, "b", "2"), seen(2, "b", "1"), seen(2, "a", "2")],
     [[0, 2], [1, 3]]),
    ("the UID, where all have one identifier",
     [seen(1, OHIF, "1"), seen(1, OHIF, "2"), seen(2, OHIF, "2"), seen(2, OHIF, "1")], [[0, 3], [1, 2]]),
    ("the identifier, where UIDs are new", [seen(1, "T1", "1"), seen(1, "T2", "2"), seen(2, "T2", "3"), seen(2, "T1")],
     [[0, 3], [1, 2]]),
    ("the identifier in other letters", [seen(1, "Target_1"), seen(2, "target 1")], [[0, 1]]),
    ("the identifier, where one has no site", [seen(1, "T1", site="Liver"), seen(2, "T1")], [[0, 1]]),
    ("an organ as SRT and as SCT code",
     [seen(1, "T1", site="Leber", site_code="T-62000^SRT"), seen(2, "T1", site="Liver", site_code="10200004^SCT")],
     [[0, 1]]),
    ("identifier and site, where the identifier is not unique",
     [seen(1, "L", site="Liver"), seen(1, "L", site="Lung"), seen(2, "L", site="Lung"), seen(2, "L", site="Liver")],
     [[0, 3], [1, 2]]),
    ("identifier, site and side",
     [seen(1, "L", site="Lung", cells={"location": "left"}), seen(1, "L", site="Lung", cells={"location": "right"}),
      seen(2, "L", site="Lung", cells={"location": "right"})], [[0], [1, 2]]),
    ("not where it stands twice in a study",
     [seen(1, "L"), seen(1, "L"), seen(2, "L"), seen(2, "L")], [[0], [1], [2], [3]]),
    ("not where one of two is gone", [seen(1, "L"), seen(1, "L"), seen(2, "L")], [[0], [1], [2]]),
    ("not where the site is not unique either",
     [seen(1, "L", site="Liver"), seen(1, "L", site="Liver"), seen(2, "L", site="Liver")], [[0], [1], [2]]),
    ("not by the name of a tool", [seen(1, OHIF, "1"), seen(2, OHIF, "2")], [[0], [1]]),
    ("by the label that somebody typed", [seen(1, OHIF, "1", label="T1"), seen(2, OHIF, "2", label="T1")], [[0, 1]]),
    ("not at another organ", [seen(1, "T1", site="Liver"), seen(2, "T1", site="Lung")], [[0], [1]]),
    ("not on the other side",
     [seen(1, "T1", site="Left lung"), seen(2, "T1", site="Right lung")], [[0], [1]]),
    ("not without any name", [seen(1), seen(2)], [[0], [1]]),
    ("segments by label", [mask(1, 1, "A"), mask(1, 2, "B"), mask(2, 1, "B"), mask(2, 2, "A")], [[0, 3], [1, 2]]),
    ("segments by tracking UID", [mask(1, 1, "A", tracking_uid="1"), mask(2, 5, "B", tracking_uid="1")], [[0, 1]]),
    ("numbers, where all studies have the same", [mask(1, 1), mask(1, 2), mask(2, 2), mask(2, 1)], [[0, 3], [1, 2]]),
    ("numbers of those without a name alone", [mask(1, 1), mask(1, 2, "A"), mask(2, 1)], [[0, 2], [1]]),
    ("not by numbers at other organs", [mask(1, 1, site="Liver"), mask(2, 1, site="Lung")], [[0], [1]]),
    ("numbers in the names of a program",
     [mask(1, 1, "Segment_1"), mask(1, 2, "Segment_2"), mask(2, 2, "Segment_1"), mask(2, 1, "Segment_2")],
     [[0, 2], [1, 3]]),
    ("numbers of segments and of the reports on them",
     [seen(1, "Segment_1"), mask(1, 1, "Segment_1"), seen(2, "Segment_1"), mask(2, 1, "Segment_1")], [[0, 1, 2, 3]]),
    ("not by numbers that are not the same everywhere", [mask(1, 1), mask(1, 2), mask(2, 1)], [[0], [1], [2]]),
    ("not by numbers of a program that differ",
     [mask(1, 1, "Segment_1"), mask(2, 1, "Segment_1"), mask(2, 2, "Segment_2")], [[0], [1], [2]]),
    ("numbers that somebody gave to lesions", [seen(1, "1"), seen(1, "2"), seen(2, "2")], [[0], [1, 2]]),
    ("a report and a segment by UID", [seen(1, "T1", "1"), mask(1, 1, "Tumour", tracking_uid="1")], [[0, 1]]),
    ("a report and a segment by name", [seen(1, "T1"), mask(1, 1, "T1"), seen(2, "T1")], [[0, 1, 2]]),
    ("a report and the segment it was measured on",
     [seen(1, "x", number=2, cells={"segmentation_uid": "9"}), mask(1, 2, "y", cells={"source": "9"}),
      mask(1, 1, "z", cells={"source": "9"})], [[0, 1], [2]]),
    ("two parts of one lesion in a report",
     [seen(1, "a", "1", cells={"longest_mm": "20"}), seen(1, "b", "1", cells={"volume_mm3": "900"})], [[0, 1]]),
    ("two readers of one lesion", [seen(1, "T1", observer="A"), seen(1, "T1", observer="B"), seen(2, "T1")],
     [[0, 1, 2]]),
    ("the same again in another report",
     [seen(1, "T1", cells={"longest_mm": "20"}, file="a"), seen(1, "T1", cells={"longest_mm": "20.0"}, file="b")],
     [[0, 1]]),
    ("not other quantities in another report",
     [seen(1, "T1", cells={"longest_mm": "20"}, file="a"), seen(1, "T1", cells={"volume_mm3": "9"}, file="b")],
     [[0], [1]]),
    ("not another measurement in another report",
     [seen(1, "T1", cells={"longest_mm": "20"}, file="a"), seen(1, "T1", cells={"longest_mm": "30"}, file="b")],
     [[0], [1]]),
    ("never over subjects", [seen(1, "T1", "1"), seen(2, "T1", "1", subject="S2")], [[0], [1]]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "observations", "expected"), CASES, ids=[case[0] for case in CASES])
def test_lesions_are_matched(why: str, observations: Sequence[Observation], expected: list[list[int]]) -> None:
    found = identify(observations)
    lesions = [(item.subject, lesion) for item, lesion in zip(observations, found.lesions, strict=True)]
    groups: dict[tuple[str, str], list[int]] = {}
    for place, lesion in enumerate(lesions):
        groups.setdefault(lesion, []).append(place)
    assert list(groups.values()) == expected


def test_each_lesion_says_how_it_was_matched() -> None:
    found = identify([
        *(seen(1, "A", "1"), seen(1, "B", site="Liver"), seen(1, "C"), mask(1, 4, "D"), mask(1, 5)),
        *(seen(2, "A", "1"), seen(2, "B", site="Liver"), seen(2, "C"), mask(2, 4, "D"), mask(2, 5), seen(2, "E")),
    ])  # fmt: skip
    assert how(found) == {
        "A": "tracking UID",
        "B": "tracking identifier and finding site",
        "C": "tracking identifier",
        "D": "label",
        "5": "number, for all studies have the same",
    }
    assert ids(found) == []


def test_what_was_joined_within_one_study_needs_no_word() -> None:
    assert how(identify([seen(1, "A", "1"), mask(1, 1, "x", tracking_uid="1")])) == {}


def test_the_map_keeps_a_report_from_the_segment_it_was_measured_on() -> None:
    items = [seen(1, "x", number=2, cells={"segmentation_uid": "9"}), mask(1, 2, "y", cells={"source": "9"})]
    entries = [MapEntry(lesion="A", tracking_id="x", line=2), MapEntry(lesion="B", label="y", line=3)]
    assert identify(items, LesionMap(entries=entries)).lesions == ["A", "B"]


def test_a_lesion_may_be_matched_by_one_thing_here_and_another_there() -> None:
    found = identify([seen(1, "A", "1"), seen(2, "A", "1"), seen(3, "A", "2")])
    assert how(found) == {"A": "tracking UID, tracking identifier"}


def test_one_uid_for_two_lesions_of_a_study_is_told_and_not_used() -> None:
    twice = {"longest_mm": "20"}, {"longest_mm": "30"}
    found = identify([seen(1, "A", "1", cells=twice[0]), seen(1, "B", "1", cells=twice[1]), seen(2, "B", "1")])
    assert same(found) == [[0], [1, 2]]  # the identifier still holds
    assert ids(found) == ["tracking_uid_used_twice"]
    assert found.findings[0].severity == "error"
    assert found.findings[0].found == "1"
    assert "(a, b)" in found.findings[0].sentence


def test_one_uid_for_two_segments_of_a_file_is_told() -> None:
    found = identify([mask(1, 1, "A", tracking_uid="1"), mask(1, 2, "B", tracking_uid="1")])
    assert same(found) == [[0], [1]]
    assert ids(found) == ["tracking_uid_used_twice"]


def test_what_was_matched_by_site_is_to_be_checked() -> None:
    found = identify([seen(1, "L", site="Liver"), seen(1, "L", site="Lung"), seen(2, "L", site="Liver")])
    assert ids(found) == ["lesion_matched_by_site"]
    assert identify([seen(1, OHIF, site="Liver"), seen(2, OHIF, site="Liver")]).lesions == ["Liver", "Liver"]


def test_one_identifier_at_two_organs_is_told() -> None:
    found = identify([seen(1, "T1", site="Liver"), seen(2, "T1", site="Lung")])
    assert ids(found) == ["lesion_site_differs"]
    assert found.findings[0].found == "liver, lung"
    sides = identify([seen(1, "T1", site="Left lung"), seen(2, "T1", site="Right lung")])
    assert sides.findings[0].found == "left, right"


NAMES = [
    ("their own", [seen(1, "T1"), seen(1, "T2")], ["T1", "T2"]),
    ("the label before the tool", [seen(1, OHIF, label="liver dome")], ["liver dome"]),
    ("with the site, where several have one", [seen(1, "L", site="Liver"), seen(1, "L", site="Lung")],
     ["L Liver", "L Lung"]),
    ("with a number, where the site is the same", [seen(1, "L", site="Liver"), seen(1, "L", site="Liver")],
     ["L Liver 1", "L Liver 2"]),
    ("no site that the name says already",
     [seen(1, OHIF, label="liver dome", site="Liver"), seen(1, OHIF, label="liver dome", site="Liver")],
     ["liver dome 1", "liver dome 2"]),
    ("by the tool, if by nothing else", [seen(1, OHIF), seen(1, OHIF)], ["Bidirectional 1", "Bidirectional 2"]),
    ("by the number of the segment", [mask(1, 7), mask(1, 8, "Segment_8")], ["7", "Segment_8"]),
    ("by nothing", [seen(1), seen(1)], ["lesion 1", "lesion 2"]),
    ("a number that is taken", [seen(1, "L"), seen(1, "L"), seen(1, "L 1")], ["L 2", "L 3", "L 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("why", "observations", "names"), NAMES, ids=[case[0] for case in NAMES])
def test_every_lesion_of_a_subject_has_a_name_of_its_own(
    why: str, observations: Sequence[Observation], names: list[str]
) -> None:
    assert identify(observations).lesions == names


# --- The explicit map.


def test_the_map_comes_before_uid_and_identifier() -> None:
    observations = [seen(1, "L", "1"), seen(1, "L", "2"), seen(2, "L", "3"), seen(2, "L", "4")]
    entries = [
        *(MapEntry(lesion="A", tracking_uid="1", line=2), MapEntry(lesion="B", tracking_uid="2", line=3)),
        *(MapEntry(lesion="B", tracking_uid="3", line=4), MapEntry(lesion="A", tracking_uid="4", line=5)),
    ]
    found = identify(observations, LesionMap(entries=entries))
    assert found.lesions == ["A", "B", "B", "A"]
    assert how(found) == {"A": "the map of lesions", "B": "the map of lesions"}


def test_what_the_map_does_not_name_follows_by_uid() -> None:
    found = identify([seen(1, "x", "1"), seen(2, "y", "1")], LesionMap(entries=[MapEntry(lesion="A", tracking_id="x")]))
    assert found.lesions == ["A", "A"]


def test_the_map_keeps_apart_what_has_one_uid() -> None:
    entries = [
        MapEntry(lesion="A", tracking_uid="1", timepoint="TP1", line=2),
        MapEntry(lesion="B", tracking_uid="1", timepoint="TP2", line=3),
    ]
    assert identify([seen(1, "x", "1"), seen(2, "x", "1")], LesionMap(entries=entries)).lesions == ["A", "B"]


def test_lines_that_fit_nothing_or_contradict_each_other_are_told() -> None:
    entries = [
        MapEntry(lesion="A", label="x", line=2),
        MapEntry(lesion="B", number="1", line=3),
        MapEntry(lesion="C", subject="S9", label="x", line=4),
    ]
    found = identify([mask(1, 1, "x")], LesionMap(entries=entries, file="map.csv"))
    assert ids(found) == ["lesion_map_conflict", "lesion_map_unused"]
    assert found.findings[0].found == "A, B"
    assert (found.findings[1].file, found.findings[1].line) == ("map.csv", 4)
    assert found.lesions == ["x"]


KEYS = [
    ({"subject": "S1"}, True),
    ({"subject": "S2"}, False),
    ({"date": "2024-01-01"}, True),
    ({"date": "2024-01-02"}, False),
    ({"timepoint": "TP1"}, True),
    ({"study": "study 1"}, True),
    ({"study": "study"}, False),
    ({"file": "SEG.dcm"}, True),
    ({"file": "b/SEG.dcm"}, True),
    ({"file": "a/b/SEG.dcm"}, True),
    ({"file": "EG.dcm"}, False),
    ({"file": "c/SEG.dcm"}, False),
    ({"number": "3"}, True),
    ({"number": "4"}, False),
    ({"label": "x"}, True),
    ({"label": "X"}, False),
    ({"tracking_id": "t"}, True),
    ({"tracking_uid": "1.2"}, False),
]


@pytest.mark.parametrize(("keys", "expected"), KEYS, ids=[str(case[0]) for case in KEYS])
def test_all_keys_of_a_line_must_fit(keys: dict[str, str], expected: bool) -> None:
    item = mask(1, 3, "x", tracking_id="t", file="a/b/SEG.dcm")
    assert MapEntry(**{"lesion": "A", **keys}).fits(item) is expected  # type: ignore[arg-type]


def test_ten_thousand_structures_take_no_time_to_speak_of() -> None:
    # One study with 10,000 parts, and the next: pairwise comparison would take minutes.
    observations = [mask(study, number, f"part {number}") for study in (1, 2) for number in range(1, 10_001)]
    found = identify(observations)
    assert found.lesions[:10_000] == found.lesions[10_000:]
