"""From reports and segmentations to the measurement table, and on to a response; expected values by hand."""

import random
from collections.abc import Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Literal

import pytest

import response
from response import Measurements
from response.columns import COLUMNS, IMAGING_COLUMNS
from response.imaging.lesion_mask import StructureName
from response.io.dicom_sr import read_report
from response.lesion_map import LesionMap, MapEntry
from response.observations import Observation
from response.observed import Observed, measurement_table
from response.table import TextTable
from tests.sr_factory import LIVER, LUNG, NON_TARGET, NOT_AT_BASELINE, TARGET, measured, report, saved, uid

NODE = ("59441001", "SCT", "Lymph node")


def seen(
    study: str,
    date: str,
    tracking_id: str,
    longest: str = "",
    *,
    kind: Literal["report", "mask"] = "report",
    cells: dict[str, str] | None = None,
    **more: Any,
) -> Observation:
    """Return what one source says of one lesion in one study; `more` is of the observation, or of the name.

    `finding` is the kind of the structure, for `kind` is that of the observation.
    """
    more["kind"] = more.pop("finding", "")
    own = {key: more.pop(key) for key in ("subject", "timepoint", "observer", "file") if key in more}
    return Observation(
        kind=kind,
        study=study,
        date=date,
        name=StructureName(tracking_id=tracking_id, **more),
        cells={**({"longest_mm": longest} if longest else {}), **(cells or {})},
        **{"subject": "S1", "file": f"{kind} {study}", **own},
    )


def first(tracking_id: str, longest: str = "", **more: Any) -> Observation:
    return seen("a", "2024-01-01", tracking_id, longest, **more)


def second(tracking_id: str, longest: str = "", **more: Any) -> Observation:
    return seen("b", "2024-03-01", tracking_id, longest, **more)


def rows(found: Observed | TextTable, *names: str) -> list[tuple[str, ...]]:
    table = found.table if isinstance(found, Observed) else found
    return [tuple(table.column(name).text(row) for name in names) for row in range(len(table))]


def ids(found: Observed, *, severities: str = "error warning") -> list[str]:
    return [finding.id for finding in found.findings if finding.severity in severities.split()]


def read_all(tmp_path: Path, *reports: Any) -> list[Observation]:
    """Return the observations of some SR documents."""
    return [
        item
        for number, made in enumerate(reports)
        for item in read_report(saved(made, tmp_path / f"{number}.dcm")).observations
    ]


def responses(found: Observed) -> list[tuple[str, str]]:
    frame = response.assess(Measurements.from_table(found.table)).timepoints
    return list(zip(frame["overall"].fillna(""), frame["sum_mm"].map(str), strict=True))


# --- From DICOM SR to a response.


def _course(uids: Sequence[Sequence[str]], names: Sequence[str] = ("T1", "T2"), **role: Any) -> list[Any]:
    """Return three reports of two lesions, 30 and 20 mm, then 20 and 15 mm, then 22 and 20.5 mm.

    Sums 50, 35, 42.5: exactly -30 % is PR; then +21.4 % and +7.5 mm over the nadir is PD.
    """
    sizes = (("30", "20"), ("20", "15"), ("22", "20.5"))
    return [
        report(
            *(
                measured(name, size, tracking_uid=uid(own), site=site, **role)
                for name, size, own, site in zip(names, of_study, of_uids, (LIVER, LUNG), strict=True)
            ),
            study=f"study {number}",
            date=f"2024{2 * number + 1:02d}01",
        )
        for number, (of_study, of_uids) in enumerate(zip(sizes, uids, strict=True))
    ]


STABLE = [("1", "2")] * 3
ALWAYS_NEW = [("1", "2"), ("3", "4"), ("5", "6")]
EXPECTED = [("", "50.0"), ("PR", "35.0"), ("PD", "42.5")]


@pytest.mark.parametrize("uids", [STABLE, ALWAYS_NEW], ids=["stable UIDs", "new UIDs at every timepoint"])
@pytest.mark.parametrize("role", [{"role": TARGET}, {}], ids=["coded roles", "proposed roles"])
def test_three_reports_become_a_partial_response_and_a_progression(
    tmp_path: Path, uids: Sequence[Sequence[str]], role: dict[str, Any]
) -> None:
    found = measurement_table(read_all(tmp_path, *_course(uids, **role)))
    assert responses(found) == EXPECTED
    assert ids(found) == []
    assert rows(found, "timepoint", "lesion", "role", "organ", "longest_mm")[:3] == [
        ("2024-01-01", "T1", "target", "Liver", "30"),
        ("2024-01-01", "T2", "target", "Lung", "20"),
        ("2024-03-01", "T1", "target", "Liver", "20"),
    ]


def _same_names() -> list[Any]:
    """Return the same course where nothing tells the lesions apart: one name, one site, new UIDs."""
    made = _course(ALWAYS_NEW, ("Lesion", "Lesion"))
    for document in made:
        for group in document.ContentSequence[0].ContentSequence:
            group.ContentSequence[2].ConceptCodeSequence[0].CodeValue = LIVER[0]
            group.ContentSequence[2].ConceptCodeSequence[0].CodeMeaning = "Liver"
    return made


def test_the_same_name_for_every_lesion_fails_loudly(tmp_path: Path) -> None:
    found = measurement_table(read_all(tmp_path, *_same_names()))
    told = [finding for finding in found.findings if finding.id == "ambiguous_lesion"]
    assert len(told) == 4  # two lesions in each of two studies
    assert {finding.severity for finding in told} == {"error"}
    assert told[0].found == "Lesion Liver 1, Lesion Liver 2"
    assert "map of lesions" in told[0].remedy
    assert responses(found) == [("", "50.0"), ("NE", "nan"), ("NE", "nan")]  # never a response, nor new lesions


def test_a_map_says_which_is_which(tmp_path: Path) -> None:
    entries = [
        MapEntry(lesion=lesion, tracking_uid=uid(own), line=line)
        for line, (own, lesion) in enumerate(zip("123456", ["T1", "T2"] * 3, strict=True), start=2)
    ]
    found = measurement_table(read_all(tmp_path, *_same_names()), lesion_map=LesionMap(entries=entries))
    assert responses(found) == EXPECTED
    assert ids(found) == []


def test_roles_that_are_coded_at_every_study_help_nothing_where_names_do_not(tmp_path: Path) -> None:
    found = measurement_table(read_all(tmp_path, *(_with_role(document) for document in _same_names())))
    assert ids(found).count("ambiguous_lesion") == 4
    assert [overall for overall, _ in responses(found)] == ["", "NE", "NE"]


def _with_role(document: Any) -> Any:
    from tests.sr_factory import code

    for group in document.ContentSequence[0].ContentSequence:
        group.ContentSequence = [*group.ContentSequence, code(("112016", "DCM"), TARGET)]
    return document


def test_a_new_lesion_is_coded_or_found(tmp_path: Path) -> None:
    base = report(measured("T1", "30", site=LIVER), study="a", date="20240101")
    for role in (None, NOT_AT_BASELINE):
        late = report(
            measured("T1", "30", site=LIVER), measured("N1", "12", site=LIVER, role=role), study="b", date="20240301"
        )
        found = measurement_table(read_all(tmp_path, base, late))
        assert responses(found)[-1][0] == "PD"
        assert ids(found) == ([] if role else ["new_lesion_by_identity"])
        assert rows(found, "lesion", "role")[-2:] == [("N1", "new"), ("T1", "target")]


def test_the_public_reports_become_a_table(shared_data: Path) -> None:
    # One names no patient and no date; no row of it is lost.
    folder = shared_data / "dicom_sr"
    names = ("structured_report.dcm", "sr_document_with_multiple_groups.dcm")
    observations = [item for name in names for item in read_report(folder / name).observations]
    found = measurement_table(observations, organs=True)
    assert len(found.table) == 9
    assert ids(found) == ["observation_without_subject", "study_without_date"]
    assert rows(found, "subject", "lesion", "longest_mm")[1] == ("1CT1", "LungNodule0001", "10")
    Measurements.from_table(found.table)


# --- Timepoints.


def labels(*observations: Observation) -> list[tuple[str, ...]]:
    return rows(measurement_table(observations), "timepoint", "date")


def test_labels_count_where_every_study_has_one() -> None:
    assert labels(first("T", "20", timepoint="Baseline"), second("T", "20", timepoint="Week 8")) == [
        ("Baseline", "2024-01-01"),
        ("Week 8", "2024-03-01"),
    ]


def test_dates_count_where_a_study_has_no_label() -> None:
    found = measurement_table([first("T", "20", timepoint="Baseline"), second("T", "20")])
    assert rows(found, "timepoint") == [("2024-01-01",), ("2024-03-01",)]
    assert "timepoint_labels_not_used" in ids(found, severities="info")


def test_two_studies_on_one_date_are_two_timepoints_unless_labelled() -> None:
    two = [first("A", "20"), seen("b", "2024-01-01", "B", "20")]
    found = measurement_table(two)
    assert rows(found, "timepoint", "lesion") == [("2024-01-01 a", "A"), ("2024-01-01 b", "B")]
    assert "studies_on_one_date" in ids(found)
    merged = [first("A", "20", timepoint="BL"), seen("b", "2024-01-02", "B", "20", timepoint="BL")]
    assert labels(*merged) == [("BL", "2024-01-01"), ("BL", "2024-01-02")]


def test_any_number_of_studies_on_one_date_are_told_apart() -> None:
    made = labels(*(seen(f"{number:02d}", "2024-01-01", f"L{number}", "20") for number in range(28)))
    assert {label.removeprefix("2024-01-01 ") for label, _ in made} == {*ascii_lowercase, "aa", "ab"}


def test_files_without_subject_and_study_are_a_subject_by_their_name() -> None:
    found = measurement_table([seen("", "", "T", "20", subject="", file="a/x.nii")])
    assert rows(found, "subject") == [("unknown a/x.nii",)]
    assert rows(measurement_table([seen("9", "", "T", "20", subject="")]), "subject") == [("unknown 9",)]


def test_a_lesion_is_named_as_its_report_names_it() -> None:
    drawn = first("", "21", kind="mask", tracking_uid="1", label="Tumour", file="a")
    found = measurement_table([drawn, first("T1", "20", tracking_uid="1", file="b")])
    assert rows(found, "lesion") == [("T1",)]


def test_a_label_of_one_source_holds_for_the_whole_study() -> None:
    assert labels(first("A", "20", timepoint="BL"), first("B", "10", kind="mask")) == [("BL", "2024-01-01")] * 2


def test_the_label_of_a_report_comes_before_that_of_an_image() -> None:
    found = measurement_table([first("B", "10", kind="mask", timepoint="V1"), first("A", "20", timepoint="BL")])
    assert rows(found, "lesion", "timepoint", "date") == [("A", "BL", "2024-01-01"), ("B", "BL", "2024-01-01")]
    assert ids(found) == ["timepoint_labels_differ"]


def test_a_report_over_several_timepoints_has_no_dates_for_them() -> None:
    found = measurement_table([first("T", "30", timepoint="BL"), first("T", "20", timepoint="FU1")])
    assert rows(found, "timepoint", "date", "role") == [("BL", "", "target"), ("FU1", "", "target")]
    assert ids(found) == ["several_timepoints_in_study"]


def test_a_date_from_another_file_of_the_study_is_taken() -> None:
    # a lesion that a later report measured on an earlier study, whose own files are there too
    assert labels(first("T", "20"), seen("a", "", "U", "20")) == [("2024-01-01", "2024-01-01")] * 2


def test_dates_of_image_headers_stand_in_for_those_a_report_does_not_know() -> None:
    found = measurement_table(
        [first("T", "20"), seen("b", "", "T", "15")], dates={"b": "2024-03-01", "a": "2020-01-01"}
    )
    assert rows(found, "timepoint", "date") == [("2024-01-01", "2024-01-01"), ("2024-03-01", "2024-03-01")]


def test_studies_without_date_and_label_are_told() -> None:
    found = measurement_table([seen("a", "", "T", "20"), seen("b", "", "T", "15")])
    assert rows(found, "timepoint") == [("",), ("",)]
    assert ids(found) == ["study_without_date"]
    assert found.findings[0].severity == "error"
    assert found.findings[0].sentence.startswith("2 studies have no date and no label; nobody knows")
    alone = measurement_table([seen("a", "", "T", "20")])
    assert rows(alone, "timepoint") == [("undated",)]
    assert alone.findings[0].severity == "warning"
    assert alone.findings[0].sentence == "The study has no date and no label."


def test_a_study_of_unknown_date_is_never_scored_among_others() -> None:
    # As the last timepoint, where it would sort by its label, the 50 mm of a prior study would be progression.
    prior = seen("prior", "", "T", "50", role="target")
    found = measurement_table([prior, first("T", "30", role="target"), second("T", "20", role="target")])
    assert rows(found, "timepoint", "longest_mm", "role")[-1] == ("", "50", "target")
    assert responses(found) == [("", "30.0"), ("PR", "20.0")]
    assert ids(found) == ["study_without_date"]


def test_a_timepoint_of_two_studies_has_the_date_of_the_one_that_has_any() -> None:
    undated = seen("a", "", "T", "20", timepoint="BL")
    assert labels(undated, seen("b", "2024-01-01", "T", "20", timepoint="BL")) == [("BL", "2024-01-01")]


def test_a_study_with_two_dates_is_told() -> None:
    found = measurement_table([first("T", "20"), seen("a", "2024-01-02", "U", "20")])
    assert rows(found, "date") == [("2024-01-01",)] * 2
    assert ids(found) == ["study_dates_differ"]


def test_copies_and_replaced_reports_are_left_out() -> None:
    old = first("T", "20", cells={"source": "1"}, file="old")
    copy = first("T", "20", cells={"source": "1"}, file="older copy")
    new = first("T", "25", cells={"source": "2", "replaces_uid": "1"}, file="new")
    found = measurement_table([old, copy, new])
    assert rows(found, "longest_mm", "source") == [("25", "2")]
    assert ids(found, severities="info")[:2] == ["report_replaced", "report_replaced"]
    assert "replaced by a later report" in found.findings[0].sentence
    twice = measurement_table([old, copy])
    assert ids(twice, severities="info")[0] == "report_twice"
    assert "copy of another file" in twice.findings[0].sentence
    assert len(twice.table) == 1


# --- Roles.


def roles(*observations: Observation, **options: Any) -> dict[str, str]:
    found = measurement_table(observations, **options)
    return dict(rows(found, "lesion", "role"))  # type: ignore[arg-type]


def test_targets_are_proposed_as_recist_selects_them() -> None:
    # the two largest of an organ, five in all, nothing below 10 mm; nodes by their short axis
    lesions = {
        **{f"liver {size}": first(f"liver {size}", size, site="Liver") for size in ("40", "30", "20")},
        "small": first("small", "9", site="Lung"),
        "node": first("node", "25", cells={"short_mm": "16"}, site="Lymph node"),
        "normal": first("normal", "25", cells={"short_mm": "9"}, site="Lymph node"),
        "no diameter": first("no diameter", cells={"volume_mm3": "900"}, site="Lung"),
    }
    assert roles(*lesions.values()) == {
        "liver 40": "target",
        "liver 30": "target",
        "liver 20": "non_target",
        "small": "non_target",
        "node": "target",
        "normal": "candidate",
        "no diameter": "non_target",
    }


def test_every_proposed_role_is_told_with_its_reason() -> None:
    found = measurement_table([first("T", "20", site="Liver")])
    told = [finding for finding in found.findings if finding.id == "role_proposed"]
    assert [(finding.lesion, finding.found, finding.severity) for finding in told] == [("T", "target", "info")]
    assert "20 mm" in told[0].sentence


def test_coded_roles_hold_for_the_whole_course_and_the_others_are_candidates() -> None:
    found = roles(first("T", "20", role="target"), second("T", "18"), first("X", "50"), second("X", "50"))
    assert found == {"T": "target", "X": "candidate"}


def test_the_first_coded_role_counts_and_a_contradiction_is_told() -> None:
    found = measurement_table([first("T", "20", role="target"), second("T", "18", role="non_target")])
    assert rows(found, "role") == [("target",), ("target",)]
    assert ids(found) == ["role_conflict"]


def test_a_role_in_the_map_wins_over_the_coded_one() -> None:
    said = LesionMap(entries=[MapEntry(lesion="NT1", tracking_id="T", role="non_target", organ="Pleura", nodal="N")])
    found = measurement_table([first("T", "20", role="target"), second("T", "18", role="target")], lesion_map=said)
    assert rows(found, "lesion", "role", "organ", "nodal") == [("NT1", "non_target", "Pleura", "N")] * 2
    assert ids(found) == []


def test_as_coded_proposes_nothing() -> None:
    observations = [first("T", "20"), second("T", "20"), second("N", "20")]
    assert roles(*observations, roles="as_coded") == {"T": "candidate", "N": ""}
    assert roles(*observations) == {"T": "target", "N": "new"}


def test_the_timepoint_that_is_coded_as_baseline_is_the_one_where_targets_are_selected() -> None:
    observations = [
        *(first("T", "20", site="Liver"), first("gone", "30", site="Lung")),
        *(second("T", "15", site="Liver", cells={"baseline": "Y"}), second("N", "12", site="Liver")),
        seen("c", "2024-05-01", "T", "15", site="Liver"),
    ]
    found = measurement_table([*observations, seen("c", "2024-05-01", "N", "12", site="Liver")])
    assert set(rows(found, "lesion", "role")) == {("T", "target"), ("gone", "candidate"), ("N", "target")}
    assert [overall for overall, _ in responses(found)] == ["", "", "SD"]


LATER = [
    ("all others are there", [first("A", "20"), second("A", "20"), second("B", "12")], "new"),
    ("one is missing", [first("A", "20"), second("B", "12")], ""),
    ("the missing one lies in another organ",
     [first("A", "20", site="Liver"), second("B", "12", site="Lung")], "new"),
    ("the missing one lies on the other side",
     [first("A", "20", site="Left kidney"), second("B", "12", site="Right kidney")], "new"),
    ("the missing one lies on the same side",
     [first("A", "20", site="Left kidney"), second("B", "12", site="Left kidney")], ""),
    ("the missing one has no site", [first("A", "20"), second("B", "12", site="Lung")], ""),
    ("an organ that is missing is no lesion",
     [first("A", "20"), first("liver", "99", is_organ=True), second("A", "20"), second("B", "12")], "new"),
    ("an empty segment is there", [first("A", "20"), second("A", cells={"voxels": "0"}), second("B", "12")], "new"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "observations", "role"), LATER, ids=[case[0] for case in LATER])
def test_a_lesion_first_seen_later_is_new_only_if_it_can_be_no_other(
    why: str, observations: Sequence[Observation], role: str
) -> None:
    found = measurement_table(observations)
    assert ("B", role) in rows(found, "lesion", "role")
    assert ids(found) == ["new_lesion_by_identity" if role else "ambiguous_lesion"]


def test_a_coded_or_mapped_role_of_a_later_lesion_is_not_doubted() -> None:
    coded = [first("A", "20", role="target"), second("B", "12", role="new")]
    assert ids(measurement_table(coded)) == []
    said = LesionMap(entries=[MapEntry(lesion="B", tracking_id="B", role="non_target")])
    found = measurement_table([first("A", "20", role="target"), second("B", "12")], lesion_map=said)
    assert ids(found) == []
    assert rows(found, "role") == [("target",), ("non_target",)]


def test_an_ambiguous_lesion_is_told_in_a_sentence() -> None:
    found = measurement_table([first("A", "20"), second("B", "12")])
    told = next(finding for finding in found.findings if finding.id == "ambiguous_lesion")
    assert "where A is missing" in told.sentence
    found = measurement_table([first("A", "20"), first("C", "20"), second("B", "12")])
    told = next(finding for finding in found.findings if finding.id == "ambiguous_lesion")
    assert "where A, C are missing" in told.sentence


# --- Reports and segmentations of one lesion.


def test_a_report_wins_and_the_segmentation_fills_its_blanks() -> None:
    said = first("T", "20", cells={"short_mm": "15", "source": "1.2"})
    drawn = first(
        "T", "21", kind="mask", cells={"viable_mm": "19", "volume_mm3": "4000", "longest_from": "[0 0 0]",
                                       "attenuation_hu": "40", "attenuation_sd_hu": "9"},
    )  # fmt: skip
    found = measurement_table([drawn, said])
    names = ("longest_mm", "viable_mm", "volume_mm3", "longest_from", "attenuation_hu", "attenuation_sd_hu", "source")
    assert rows(found, *names) == [("20", "19", "4000", "", "40", "9", "1.2")]
    assert ids(found) == []
    own = first("T", "20", cells={"attenuation_hu": "50"})
    assert rows(measurement_table([own, drawn]), "attenuation_hu", "attenuation_sd_hu") == [("50", "")]


DIFFERENCES = [
    ("exactly 2 mm", "20", "18", []),
    ("2.1 mm and 10.5 %", "20", "17.9", ["report_and_mask_differ"]),
    ("3 mm, exactly 10 %", "30", "27", []),
    ("3.1 mm and 10.3 %", "30", "33.1", ["report_and_mask_differ"]),
    ("30 %, but 1.5 mm", "5", "6.5", []),
]


@pytest.mark.parametrize(("why", "said", "drawn", "expected"), DIFFERENCES, ids=[case[0] for case in DIFFERENCES])
def test_a_difference_is_told_above_2_mm_and_10_percent(why: str, said: str, drawn: str, expected: list[str]) -> None:
    assert ids(measurement_table([first("T", said), first("T", drawn, kind="mask")])) == expected


def test_a_segmentation_stands_in_where_the_report_has_no_usable_number() -> None:
    lost = first("T", cells={"state": "not_evaluable", "reason": "Long axis: its unit is 'px'"})
    found = measurement_table([lost, first("T", "21", kind="mask")])
    assert rows(found, "longest_mm", "state", "reason") == [("21", "", "")]


def test_a_segmentation_without_numbers_changes_no_state() -> None:
    lost = first("T", cells={"state": "not_evaluable", "reason": "Long axis: its unit is 'px'"})
    found = measurement_table([lost, first("T", kind="mask", cells={"voxels": "0"})])
    assert rows(found, "state", "reason") == [("not_evaluable", "Long axis: its unit is 'px'")]
    gone = first("T", cells={"state": "absent"})
    found = measurement_table([gone, first("T", "21", kind="mask")])
    assert rows(found, "state", "longest_mm") == [("absent", "21")]  # the model tells of the contradiction


def test_a_role_of_one_source_is_that_of_the_row() -> None:
    parts = [first("T", "20"), first("T", "21", kind="mask", role="target")]
    assert rows(measurement_table(parts), "role") == [("target",)]
    said = LesionMap(entries=[MapEntry(lesion="L", label="drawn", role="non_target")])
    parts = [first("", "20", tracking_uid="1"), first("", "21", kind="mask", tracking_uid="1", label="drawn")]
    assert rows(measurement_table(parts, lesion_map=said), "lesion", "role") == [("L", "non_target")]


def test_two_sources_that_differ_stay_two_rows_and_are_told() -> None:
    two = [
        first("x", "20", tracking_uid="1", file="a"),
        first("x", "30", tracking_uid="1", file="b"),
    ]
    found = measurement_table(two)
    assert rows(found, "lesion", "longest_mm") == [("x", "20"), ("x", "30")]
    assert ids(found) == ["sources_differ"]
    # the measurement model takes such a lesion for not evaluable, and says so
    assert responses(found)[0][1] in ("nan", "0.0")


def test_two_sources_that_agree_are_one_row() -> None:
    two = [
        first("x", "20", tracking_uid="1", file="a", cells={"volume_mm3": "5"}),
        first("x", "20.0", tracking_uid="1", file="b", cells={"short_mm": "9"}),
    ]
    assert rows(measurement_table(two), "longest_mm", "short_mm", "volume_mm3") == [("20", "9", "5")]


def test_an_empty_segment_is_not_evaluable_never_absent_unless_the_map_says_so() -> None:
    observations = [first("T", "20", kind="mask"), second("T", kind="mask", cells={"voxels": "0"})]
    found = measurement_table(observations)
    assert rows(found, "state", "reason")[1] == ("not_evaluable", "empty segment")
    assert responses(found)[1][0] == "NE"
    said = LesionMap(entries=[MapEntry(lesion="T", tracking_id="T", date="2024-03-01", state="absent")])
    found = measurement_table(observations, lesion_map=said)
    assert rows(found, "state", "reason") == [("", ""), ("absent", "")]
    assert responses(found)[1] == ("CR", "0.0")


def test_two_observers_of_one_lesion_are_two_evaluators_in_all_rows() -> None:
    observations = [
        *(first("T", "20", observer="A", file="1"), first("T", "24", observer="B", file="2")),
        *(second("T", "14", observer="A", file="3"), second("T", "24", observer="B", file="4")),
        first("T", "21", kind="mask", cells={"volume_mm3": "900"}),
    ]
    found = measurement_table(observations)
    assert rows(found, "evaluator", "timepoint", "longest_mm", "volume_mm3", "observer") == [
        ("A", "2024-01-01", "20", "900", "A"),
        ("A", "2024-03-01", "14", "", "A"),
        ("B", "2024-01-01", "24", "900", "B"),
        ("B", "2024-03-01", "24", "", "B"),
    ]
    assert ids(found, severities="info")[0] == "lesion_matched"
    assert "several_observers" in ids(found, severities="info")
    assert [overall for overall, _ in responses(found)] == ["", "PR", "", "SD"]


def test_another_observer_at_the_next_visit_is_no_other_evaluator() -> None:
    found = measurement_table([first("T", "20", observer="A"), second("T", "14", observer="B")])
    assert rows(found, "evaluator", "observer") == [("", "A"), ("", "B")]


# --- Cells.

SITES = [
    ("text", {"site": "Right upper lobe of lung"}, ("Right upper lobe of lung", "", "")),
    ("a node by text", {"site": "Mediastinal lymph node"}, ("Mediastinal lymph node", "", "Y")),
    ("a node by code", {"site": "Mediastinum", "site_code": "62683002^SCT"}, ("lymph node", "Mediastinum", "Y")),
    ("a node by SRT code", {"site": "Ganglion", "site_code": "T-C4360^SRT"}, ("lymph node", "Ganglion", "Y")),
    ("another language", {"site": "Leber", "site_code": "10200004^SCT"}, ("liver", "Leber", "")),
    ("no text", {"site_code": "10200004^SCT"}, ("liver", "", "")),
    ("the finding is a node", {"site": "Neck", "finding": "Lymph node"}, ("Neck", "", "Y")),
    ("the finding is a node, no site", {"kind_code": "59441001^SCT", "finding": "LK"}, ("lymph node", "", "Y")),
    ("a nodule is no node", {"site": "Lung", "finding": "Nodule"}, ("Lung", "", "")),
]


@pytest.mark.parametrize(("why", "name", "expected"), SITES, ids=[case[0] for case in SITES])
def test_organ_location_and_nodal_by_the_site(why: str, name: dict[str, str], expected: tuple[str, ...]) -> None:
    assert rows(measurement_table([first("T", "20", **name)]), "organ", "location", "nodal") == [expected]


def test_organ_and_nodal_hold_for_the_course_of_a_lesion() -> None:
    found = measurement_table([first("T", "20", site="Lymph node", site_code="59441001^SCT"), second("T", "18")])
    assert rows(found, "organ", "nodal") == [("Lymph node", "Y")] * 2


def test_nodes_are_scored_by_their_short_axis(tmp_path: Path) -> None:
    made = [
        report(measured("N", "30", short=short, site=NODE, role=TARGET), study=study, date=date)
        for study, date, short in (("a", "20240101", "20"), ("b", "20240301", "9.9"))
    ]
    assert responses(measurement_table(read_all(tmp_path, *made))) == [("", "20.0"), ("CR", "9.9")]


def test_non_targets_are_never_summed(tmp_path: Path) -> None:
    made = [
        report(
            measured("T", size, site=LIVER, role=TARGET),
            measured("X", "50", site=LUNG, role=NON_TARGET),
            study=study,
            date=date,
        )
        for study, date, size in (("a", "20240101", "50"), ("b", "20240301", "35"))
    ]
    assert responses(measurement_table(read_all(tmp_path, *made))) == [("", "50.0"), ("PR", "35.0")]


def test_organs_stand_in_the_table_only_when_asked_for() -> None:
    observations = [first("T", "20"), first("liver", kind="mask", is_organ=True, cells={"volume_mm3": "1500000"})]
    assert rows(measurement_table(observations), "lesion") == [("T",)]
    assert rows(measurement_table(observations, organs=True), "lesion", "role") == [("T", "target"), ("liver", "")]


def test_what_the_source_calls_a_lesion_stands_in_the_row() -> None:
    item = seen("1.2.3", "2024-01-01", "T", "20", tracking_uid="1.9", number=4, file="seg.dcm", kind="mask")
    names = ("tracking_id", "tracking_uid", "segment_number", "study_instance_uid", "source")
    found = measurement_table([item])
    assert rows(found, *names) == [("T", "1.9", "4", "1.2.3", "seg.dcm")]
    assert found.table.where(0) == ("seg.dcm", 0)
    assert rows(measurement_table([first("T", "20")]), "study_instance_uid") == [("",)]  # a folder is no UID


def test_all_columns_are_known_and_the_required_ones_always_there() -> None:
    found = measurement_table([first("T", "20", cells={"kvp": "120"})])
    assert set(found.table.columns) <= {*COLUMNS, *IMAGING_COLUMNS}
    assert {"subject", "timepoint", "lesion", "role"} <= set(measurement_table([]).table.columns)
    assert len(measurement_table([]).table) == 0


def test_rows_stand_in_order_whatever_the_order_of_the_input() -> None:
    observations = [
        seen(study, date, name, size, subject=subject, site="Liver")
        for subject in ("S2", "S1")
        for study, date, size in (("b", "2024-03-01", "12"), ("a", "2024-01-01", "20"))
        for name in ("T1", "T10", "T2")
    ]
    names = ("subject", "timepoint", "lesion", "longest_mm")
    expected = [
        (subject, timepoint, lesion, size)
        for subject in ("S1", "S2")
        for timepoint, size in (("2024-01-01", "20"), ("2024-03-01", "12"))
        for lesion in ("T1", "T2", "T10")
    ]
    for seed in range(5):
        shuffled = random.Random(seed).sample(observations, len(observations))
        assert rows(measurement_table(shuffled), *names) == expected
