"""Measurement reports of any writer to observations. Structures as in PS3.16, TID 1500, and as real writers vary it."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from response.errors import InputError
from response.io.dicom_sr import Report, read_report
from response.observations import Observation
from tests.sr_factory import (
    COMPREHENSIVE_3D,
    ENHANCED,
    FINDING,
    LENGTH,
    LIVER,
    LONG,
    LUNG,
    NON_TARGET,
    NOT_AT_BASELINE,
    SHORT,
    SITE,
    TARGET,
    VOLUME,
    Code,
    code,
    code_item,
    container,
    group,
    image,
    item,
    measured,
    num,
    person,
    reference,
    report,
    saved,
    scoord,
    scoord3d,
    text,
    uid,
    uidref,
)

OHIF_LENGTH = "cornerstoneTools@^4.0.0:Length"
RIGHT: Code = ("24028007", "SCT", "Right")
MEASUREMENTS: Code = ("126010", "DCM", "Imaging Measurements")
GROUP: Code = ("125007", "DCM", "Measurement Group")


def read(tmp_path: Path, *groups: Dataset, **about: object) -> Report:
    return read_report(saved(report(*groups, **about), tmp_path / "report.dcm"))  # type: ignore[arg-type]


def only(found: Report) -> Observation:
    (observation,) = found.observations
    return observation


def ids(found: Report) -> list[str]:
    return [finding.id for finding in found.findings]


# --- The public files, as they stand.


def test_a_report_of_a_viewer_with_srt_codes_and_an_item_without_value(shared_data: Path) -> None:
    # dcmjs; highdicom refuses it, for the item "Center" has no measured value sequence.
    found = read_report(shared_data / "dicom_sr" / "structured_report.dcm")
    assert found.is_measurement_report
    measured_cells = [
        {name: text for name, text in observation.cells.items() if name.endswith(("_mm", "_mm2"))}
        for observation in found.observations
    ]
    assert measured_cells == [
        {"area_mm2": "4806.42320110457"},
        {"longest_mm": "93.9", "short_mm": "47"},
        {"longest_mm": "39.366492911614"},
        {"longest_mm": "133.992062006165"},
        {"area_mm2": "3905.35929103307"},
    ]
    assert [observation.name.tracking_id.rpartition(":")[2] for observation in found.observations] == [
        *("EllipticalRoi", "Bidirectional", "Length", "Length", "EllipticalRoi"),
    ]
    assert [image_uid.rpartition(".")[2] for image_uid in _images(found)] == ["11", "11", "11", "12", "12"]
    assert ids(found).count("sr_area_coded_as_length") == 2
    assert ids(found).count("sr_no_value") == 1
    assert {observation.observer for observation in found.observations} == {""}  # unknown^unknown is nobody


def _images(found: Report) -> list[str]:
    return [observation.cells["sop_instance_uid"] for observation in found.observations]


def test_a_report_of_highdicom_with_organs_among_its_groups(shared_data: Path) -> None:
    found = read_report(shared_data / "dicom_sr" / "sr_document_with_multiple_groups.dcm")
    lesion = found.observations[1]
    assert (found.subject, found.date, found.observations[0].observer) == ("1CT1", "2004-01-19", "Doe^John")
    assert [observation.name.is_organ for observation in found.observations] == [False, False, True, True]
    assert (lesion.name.tracking_id, lesion.name.site, lesion.name.kind) == ("LungNodule0001", "Lung", "Nodule")
    assert lesion.name.site_code == "39607008^SCT"
    assert [observation.cells.get("longest_mm") for observation in found.observations] == [None, "10", "20", None]
    assert found.observations[3].cells["volume_mm3"] == "200"
    assert found.observations[0].cells["attenuation_hu"] == "-119.07385253906"
    assert found.observations[0].cells["modality"] == "CT"


def test_an_image_is_no_report(shared_data: Path) -> None:
    found = read_report(shared_data / "dicom_sr" / "ct_image.dcm")
    assert (found.is_measurement_report, len(found.observations), ids(found)) == (
        False,
        0,
        ["not_a_measurement_report"],
    )


# --- What is a measurement report.

LESION = measured("L1", "20", short="10")
OTHERS = [
    ("key objects", "1.2.840.10008.5.1.4.1.1.88.59", ("113000", "DCM", "Of Interest"), "a selection of key images"),
    ("basic text", "1.2.840.10008.5.1.4.1.1.88.11", ("18748-4", "LN", "Diagnostic Imaging Report"), "a report of text"),
    ("mammography CAD", "1.2.840.10008.5.1.4.1.1.88.50", ("111036", "DCM", "Mammography CAD Report"), "CAD"),
    ("chest CAD", "1.2.840.10008.5.1.4.1.1.88.65", ("112000", "DCM", "Chest CAD Report"), "CAD"),
    ("dose", "1.2.840.10008.5.1.4.1.1.88.67", ("113701", "DCM", "X-Ray Radiation Dose Report"), "radiation dose"),
    ("another one", ENHANCED, ("121144", "DCM", "Document Title"), "of another kind"),
]


@pytest.mark.parametrize(("why", "sop_class", "title", "words"), OTHERS, ids=[case[0] for case in OTHERS])
def test_anything_else_gives_no_rows_and_a_line(
    tmp_path: Path, why: str, sop_class: str, title: Code, words: str
) -> None:
    inner = num(LONG, "20")
    about = {"title": title, "sop_class": sop_class, "template": "2000", "measurements": ("121070", "DCM", "Findings")}
    found = read(tmp_path, inner, **about)
    assert (found.is_measurement_report, found.observations, ids(found)) == (False, [], ["not_a_measurement_report"])
    assert words in found.findings[0].sentence
    assert title[2] in found.findings[0].sentence


def test_an_echo_report_has_measurement_groups_too(tmp_path: Path) -> None:
    # TID 5200 puts its numbers in containers of the same code, but tracks no lesion.
    made = report(
        group(num(LENGTH, "45")),
        title=("125200", "DCM", "Adult Echocardiography Procedure Report"),
        template="5200",
        measurements=("121070", "DCM", "Findings"),
    )
    found = read_report(saved(made, tmp_path / "echo.dcm"))
    assert (found.is_measurement_report, found.observations) == (False, [])


KINDS = [
    ("no template", {"template": ""}),
    ("another template", {"template": "9999"}),
    ("oncology title", {"title": ("126001", "DCM", "Oncology Measurement Report"), "template": ""}),
    ("another title", {"title": ("99", "99OWN", "Report"), "template": ""}),
    ("enhanced SR", {"sop_class": ENHANCED}),
    ("comprehensive SR", {"sop_class": "1.2.840.10008.5.1.4.1.1.88.33"}),
    ("extensible SR", {"sop_class": "1.2.840.10008.5.1.4.1.1.88.35"}),
    ("chest CAD with groups", {"sop_class": "1.2.840.10008.5.1.4.1.1.88.65"}),
    ("groups in findings", {"measurements": ("121070", "DCM", "Findings"), "template": "", "title": ("1", "99OWN")}),
]


@pytest.mark.parametrize(("why", "about"), KINDS, ids=[case[0] for case in KINDS])
def test_a_measurement_report_of_any_kind(tmp_path: Path, why: str, about: dict[str, object]) -> None:
    assert only(read(tmp_path, LESION, **about)).cells["longest_mm"] == "20"


@pytest.mark.parametrize("measurements", [("126010", "DCM"), ("121070", "DCM", "Findings")])
@pytest.mark.parametrize("title", [("126000", "DCM"), ("1", "99OWN")])
def test_the_title_or_the_container_is_enough_without_tracking(tmp_path: Path, title: Code, measurements: Code) -> None:
    found = read(tmp_path, group(num(LONG, "20")), title=title, measurements=measurements, template="")
    assert found.is_measurement_report is (title[0] == "126000" or measurements[0] == "126010")


def test_a_report_without_groups_says_so(tmp_path: Path) -> None:
    assert ids(read(tmp_path)) == ["sr_without_groups"]


def test_measurements_outside_groups_are_told(tmp_path: Path) -> None:
    found = read(tmp_path, LESION, num(VOLUME, "3", "ml"))
    assert len(found.observations) == 1
    assert [(finding.id, finding.found) for finding in found.findings] == [
        ("sr_measurement_outside_group", "Volume 3 ml")
    ]


def test_a_file_that_is_no_dicom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.dcm").write_text("subject,timepoint\n")
    with pytest.raises(InputError):
        read_report(tmp_path / "report.dcm")


# --- Groups.


def test_groups_of_any_depth_and_without_tracking(tmp_path: Path) -> None:
    planar, volumetric = group(num(LONG, "10")), group(num(VOLUME, "5", "ml"), tracking_id="V")
    wrapped = container(("126011", "DCM", "Derived Imaging Measurements"), container(MEASUREMENTS, volumetric))
    found = read(tmp_path, planar, wrapped)
    assert [observation.cells.get("longest_mm", "") for observation in found.observations] == ["10", ""]
    assert [observation.name.tracking_id for observation in found.observations] == ["", "V"]


def test_a_nested_group_is_about_the_lesion_around_it(tmp_path: Path) -> None:
    inner = [group(num(LONG, "20")), group(num(VOLUME, "5", "ml"), tracking_uid=uid("other"))]
    outer = group(*inner, tracking_id="L1", tracking_uid=uid("L1"), site=LIVER, role=TARGET)
    found = read(tmp_path, outer)
    assert [observation.name.tracking_uid for observation in found.observations] == [uid("L1"), uid("other")]
    assert {(observation.name.site, observation.name.role) for observation in found.observations} == {
        ("Liver", "target")
    }
    assert "sr_group_without_measurement" not in ids(found)


def test_a_container_that_is_tracked_is_a_group(tmp_path: Path) -> None:
    tracked = container(("99", "99OWN", "Lesion"), text(("112039", "DCM"), "L7"), num(LONG, "20"))
    assert only(read(tmp_path, tracked)).name.tracking_id == "L7"


def test_a_group_without_measurement_is_told_but_one_with_a_role_is_a_lesion(tmp_path: Path) -> None:
    arrow = group(code(FINDING, ("x", "99OWN", "look here")), tracking_id="arrow")
    found = read(tmp_path, arrow, group(tracking_id="NT1", role=NON_TARGET), group(tracking_id="T1", role=TARGET))
    assert [(observation.name.tracking_id, observation.cells.get("state")) for observation in found.observations] == [
        ("NT1", "present"),
        ("T1", None),
    ]
    assert [(finding.id, finding.lesion) for finding in found.findings] == [("sr_group_without_measurement", "arrow")]


ROLES = [
    ("baseline category", code(("112016", "DCM", "Baseline Category"), TARGET), "target"),
    ("finding category", code(("276214006", "SCT", "Finding category"), NON_TARGET), "non_target"),
    ("finding", code(FINDING, NOT_AT_BASELINE), "new"),
    ("an evaluation of their own", code(("1", "99OWN", "Lesion type"), TARGET), "target"),
    ("below the finding", code(FINDING, ("4147007", "SCT", "Mass"), code(("2", "99OWN"), TARGET)), "target"),
    ("ePAD", code(("RDETBD3", "RADELEMENT"), ("S72", "99EPAD", "Non-Target Lesion")), "non_target"),
    ("text says target", text(("1", "99OWN", "Lesion type"), "Target"), ""),
]


@pytest.mark.parametrize(("why", "said", "role"), ROLES, ids=[case[0] for case in ROLES])
def test_roles_by_code_wherever_they_stand(tmp_path: Path, why: str, said: Dataset, role: str) -> None:
    assert only(read(tmp_path, group(num(LONG, "20"), said))).name.role == role


def test_two_roles_of_one_lesion_are_none(tmp_path: Path) -> None:
    found = read(tmp_path, measured("L1", "20", code(FINDING, NON_TARGET), role=TARGET))
    assert only(found).name.role == ""
    assert [(finding.id, finding.found) for finding in found.findings] == [("sr_roles_differ", "non_target, target")]


SITES = [
    ("of the group", group(num(LONG, "9"), site=LIVER), "Liver", ""),
    ("SRT code", group(num(LONG, "9"), code(("G-C0E3", "SRT", "Finding Site"), LIVER)), "Liver", ""),
    ("with its side", group(num(LONG, "9"), site=LUNG, side=RIGHT), "Lung", "right"),
    ("side of the group", group(num(LONG, "9"), code(("G-C171", "SRT"), ("G-A101", "SRT")), site=LUNG), "Lung", "left"),
    ("below the finding", group(num(LONG, "9"), code(FINDING, ("1", "99OWN", "Mass"), code(SITE, LIVER))), "Liver", ""),
    ("of the measurement", group(num(LONG, "9", "mm", code(SITE, LIVER))), "Liver", ""),
    ("part nested below it (Siemens)",
     group(num(LONG, "9"), code(SITE, LUNG, code(SITE, ("45653009", "SCT", "Upper lobe")))), "Lung", "Upper lobe"),
    ("with a modifier below it",
     group(num(LONG, "9"), code(SITE, LUNG, code(("106233006", "SCT"), ("261183002", "SCT", "Upper")))),
     "Lung", "Upper"),
    ("two of them", group(num(LONG, "9"), code(SITE, LUNG), code(SITE, ("3120008", "SCT", "Pleura"))),
     "Lung", "Pleura"),
    ("none", group(num(LONG, "9")), "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("why", "made", "site", "location"), SITES, ids=[case[0] for case in SITES])
def test_finding_sites_wherever_they_stand(tmp_path: Path, why: str, made: Dataset, site: str, location: str) -> None:
    found = only(read(tmp_path, made))
    assert (found.name.site, found.cells.get("location", "")) == (site, location)


ORGANS = [
    ("anatomical structure", code(("276214006", "SCT"), ("91723000", "SCT", "Anatomical Structure")), True),
    ("the same, SRT", code(("R-427CE", "SRT"), ("T-D000A", "SRT", "Anatomical Structure")), True),
    ("reference region (QIN)", code(FINDING, ("C94970", "NCIt", "Reference Region")), True),
    ("finding is the liver", code(FINDING, LIVER), True),
    ("finding is a lymph node", code(FINDING, ("59441001", "SCT", "Lymph Node")), False),
    (
        "lymph node as an anatomical structure",
        code(FINDING, ("59441001", "SCT"), code(("276214006", "SCT"), ("91723000", "SCT"))),
        False,
    ),
    ("finding is a mass", code(FINDING, ("4147007", "SCT", "Mass")), False),
    ("morphologically abnormal", code(("276214006", "SCT"), ("49755003", "SCT", "Abnormal Structure")), False),
]


@pytest.mark.parametrize(("why", "said", "is_organ"), ORGANS, ids=[case[0] for case in ORGANS])
def test_organs_are_no_lesions(tmp_path: Path, why: str, said: Dataset, is_organ: bool) -> None:
    assert only(read(tmp_path, group(num(LONG, "20"), said))).name.is_organ is is_organ


LABELS = [
    ("free text in the finding", code(FINDING, ("CORNERSTONEFREETEXT", "CST4", "T1 liver"))),
    ("free text in the site", code(SITE, ("CS3DTEXT", "99dcmjs", "T1 liver"))),
    ("a comment", text(("121106", "DCM", "Comment"), "T1 liver", "CONTAINS")),
]


@pytest.mark.parametrize(("why", "said"), LABELS, ids=[case[0] for case in LABELS])
def test_the_label_that_somebody_typed_in_ohif(tmp_path: Path, why: str, said: Dataset) -> None:
    name = only(read(tmp_path, group(num(LENGTH, "20"), said, tracking_id=OHIF_LENGTH))).name
    assert (name.label, name.kind, name.site) == ("T1 liver", "", "")


# --- Who, and when.

TIME_POINTS = [
    ("time point", [text(("C2348792", "UMLS", "Time Point"), "TP1"), text(("126070", "DCM"), "1")], "TP1"),
    ("of the protocol", [text(("126071", "DCM"), "Week 8"), text(("126070", "DCM"), "1")], "Week 8"),
    ("of the subject", [text(("126070", "DCM", "Subject Time Point Identifier"), "1")], "1"),
    ("ePAD", [num(("RDETBD2", "Radelement", "Timepoint"), "0", "linear")], "0"),
    ("order alone is no label", [num(("126073", "DCM", "Time Point Order"), "2", "1")], ""),
]


@pytest.mark.parametrize(("why", "said", "label"), TIME_POINTS, ids=[case[0] for case in TIME_POINTS])
def test_time_points_of_the_group_or_the_document(tmp_path: Path, why: str, said: list[Dataset], label: str) -> None:
    in_group = read(tmp_path, measured("L1", "20", *said))
    of_document = read(tmp_path, LESION, context=said)
    assert only(in_group).timepoint == only(of_document).timepoint == label
    assert in_group.findings == of_document.findings == []


def test_the_baseline_is_known_by_the_type_of_the_time_point(tmp_path: Path) -> None:
    kind = code(("126072", "DCM", "Time Point Type"), ("C1442488", "UMLS", "Baseline"), relation="HAS OBS CONTEXT")
    other = code(("126072", "DCM", "Time Point Type"), ("C0032980", "UMLS", "Posttreatment"))
    assert only(read(tmp_path, measured("L1", "20", kind))).cells["baseline"] == "Y"
    assert only(read(tmp_path, LESION, context=[kind])).cells["baseline"] == "Y"
    assert "baseline" not in only(read(tmp_path, measured("L1", "20", other))).cells


def test_the_header_says_subject_and_time_point_of_a_trial(tmp_path: Path) -> None:
    made = report(LESION, subject="hospital id")
    made.ClinicalTrialSubjectID, made.ClinicalTrialTimePointID = "TRIAL-7", "Week 8"
    found = only(read_report(saved(made, tmp_path / "report.dcm")))
    assert (found.subject, found.timepoint, found.date) == ("TRIAL-7", "Week 8", "2024-01-02")


def test_subject_and_date_from_the_content_where_the_header_lacks_them(tmp_path: Path) -> None:
    made_date = item("DATE", ("111060", "DCM", "Study Date"), "HAS ACQ CONTEXT")
    made_date.Date = "20230405"
    library = container(("111028", "DCM", "Image Library"), made_date)
    context = [text(("121030", "DCM", "Subject ID"), "S9"), library]
    found = read(tmp_path, LESION, subject="", date="", context=context)
    assert (found.subject, found.date, only(found).subject) == ("S9", "2023-04-05", "S9")


def test_observers_of_the_group_before_the_document_and_persons_before_devices(tmp_path: Path) -> None:
    device = text(("121013", "DCM", "Device Observer Name"), "Viewer")
    own = measured("L2", "20", person("Reader^Two"))
    found = read(tmp_path, LESION, own, context=[device, person("Reader^One")])
    assert [observation.observer for observation in found.observations] == ["Reader^One", "Reader^Two"]
    assert only(read(tmp_path, LESION, context=[device, person("unknown^unknown")])).observer == "Viewer"


def test_responses_and_the_procedure_are_notes(tmp_path: Path) -> None:
    response = code(("112048", "DCM", "Current Response"), ("112042", "DCM", "Target Lesion Partial Response"))
    overall = code(("112048", "DCM", "Current Response"), ("C18058", "NCIt", "Partial Response"))
    procedure = code(("121058", "DCM", "Procedure reported"), ("24627-2", "LN", "CT Chest"))
    found = read(tmp_path, measured("T1", "20", response), context=[procedure, overall])
    assert found.notes == (
        "procedure reported: CT Chest",
        "the report: Current Response PR",
        "T1: response of target lesions PR",
    )
    assert found.findings == []


def test_a_report_says_which_ones_it_replaces(tmp_path: Path) -> None:
    made = report(LESION, name="second")
    study, series, instance = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPInstanceUID, series.ReferencedSOPSequence = uid("first"), [instance]
    study.ReferencedSeriesSequence, made.PredecessorDocumentsSequence = [series], [study]
    found = only(read_report(saved(made, tmp_path / "report.dcm")))
    assert (found.cells["source"], found.cells["replaces_uid"]) == (uid("second"), uid("first"))


# --- Images, end points, segments.


def test_the_image_of_the_longest_diameter_with_frame_and_series(tmp_path: Path) -> None:
    long_axis = num(LONG, "20", "mm", scoord([1, 2, 3, 4], image("second", frame=7)))
    short_axis = num(SHORT, "10", "mm", scoord([1, 2, 3, 4], image("first")))
    evidence = [("study 1", "series A", "first"), ("study 1", "series B", "second")]
    cells = only(read(tmp_path, group(short_axis, long_axis), evidence=evidence)).cells
    assert (cells["sop_instance_uid"], cells["frame_number"], cells["modality"]) == (uid("second"), "7", "CT")
    assert cells["series_instance_uid"] == uid("series B")
    assert "longest_from" not in cells  # points on the image are no patient coordinates


def test_an_image_beside_the_measurements_counts_if_it_is_the_only_one(tmp_path: Path) -> None:
    one, two = image("one"), image("two")
    assert only(read(tmp_path, group(num(LONG, "20"), one))).cells["sop_instance_uid"] == uid("one")
    assert "sop_instance_uid" not in only(read(tmp_path, group(num(LONG, "20"), one, two))).cells


def test_a_segmentation_is_known_by_its_class_or_by_the_concept(tmp_path: Path) -> None:
    concept: Code = ("121191", "DCM", "Referenced Segment")
    by_class = image("seg", seg=True)
    by_concept = image("seg", concept=concept)  # its class says CT, by mistake
    for reference_item in (by_class, by_concept):
        cells = only(read(tmp_path, group(num(LONG, "20"), reference_item))).cells
        assert (cells["segmentation_uid"], cells.get("sop_instance_uid")) == (uid("seg"), None)


def test_end_points_in_patient_coordinates(tmp_path: Path) -> None:
    ends = num(LONG, "5", "mm", scoord3d([1.5, -2, 0, 4.5, 2, 0.25]))
    others = num(SHORT, "3", "mm", scoord3d([0, 0, 0], kind="POINT"))
    cells = only(read(tmp_path, group(ends, others))).cells
    assert (cells["longest_from"], cells["longest_to"]) == ("[1.5 -2 0]", "[4.5 2 0.25]")
    assert cells["frame_of_reference_uid"] == uid("frame of reference")
    assert "short_from" not in cells


def test_a_reference_stands_for_what_it_names(tmp_path: Path) -> None:
    # 1.1 is the container, 1.1.1 the group, 1.1.1.1 its SCOORD3D, which the number refers to.
    made = group(scoord3d([0, 0, 0, 3, 4, 0]), num(LONG, "5", "mm", reference(1, 1, 1, 1)))
    cells = only(read(tmp_path, made)).cells
    assert (cells["longest_from"], cells["longest_to"]) == ("[0 0 0]", "[3 4 0]")


@pytest.mark.parametrize("places", [(1,), (1, 1), (1, 1, 1, 2), (1, 9, 9), (1, 0), (7, 7)])
def test_references_in_circles_or_to_nowhere_end(tmp_path: Path, places: tuple[int, ...]) -> None:
    made = group(num(SHORT, "3"), num(LONG, "5", "mm", reference(*places)))
    assert only(read(tmp_path, made)).cells["longest_mm"] == "5"


def test_the_segment_that_was_measured(tmp_path: Path) -> None:
    segment = image("seg", concept=("121191", "DCM", "Referenced Segment"), segment=3)
    series = uidref(("121232", "DCM", "Source series for segmentation"), uid("ct series"))
    found = only(read(tmp_path, group(num(VOLUME, "5", "ml"), segment, series)))
    assert (found.name.number, found.cells["segmentation_uid"]) == (3, uid("seg"))
    assert found.cells["series_instance_uid"] == uid("ct series")
    assert "sop_instance_uid" not in found.cells


def test_a_lesion_measured_on_another_study_counts_for_that_one(tmp_path: Path) -> None:
    prior = num(LONG, "20", "mm", scoord([1, 2, 3, 4], image("prior")))
    evidence = [("study 0", "old series", "prior"), ("study 1", "series", "now")]
    now = measured("L2", "10", scoord([1, 2], image("now")))
    found = read(tmp_path, group(prior, tracking_id="L1"), now, evidence=evidence)
    assert [(item.study, item.date) for item in found.observations] == [
        (uid("study 0"), ""),
        (uid("study 1"), "2024-01-02"),
    ]
    assert ids(found) == ["sr_other_study"]


def test_a_report_in_a_study_of_its_own_counts_for_the_study_of_its_images(tmp_path: Path) -> None:
    made = measured("L1", "20", scoord([1, 2, 3, 4], image("ct")))
    found = read(tmp_path, made, evidence=[("images", "series", "ct"), ("images", "series", "ct 2")])
    assert (only(found).study, only(found).date) == (uid("images"), "2024-01-02")
    assert ids(found) == ["sr_study_differs"]


# --- Documents that are not quite right.


def test_missing_value_types_concept_names_and_relationships(tmp_path: Path) -> None:
    made = measured("L1", "20", site=LIVER)
    for child in made.ContentSequence:
        del child.ValueType, child.RelationshipType
    found = only(read(tmp_path, made, Dataset(), item("CONTAINER", None)))
    assert (found.cells["longest_mm"], found.name.site, found.name.tracking_id) == ("20", "Liver", "L1")


def test_empty_sequences(tmp_path: Path) -> None:
    made = group(num(LONG, "20"), tracking_id="L1")
    empty = item("CODE", FINDING)
    empty.ConceptCodeSequence, empty.ContentSequence, empty.ConceptNameCodeSequence = [], [], []
    blank = num(SHORT, "3")
    blank.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = []
    made.ContentSequence = [*made.ContentSequence, empty, blank]
    found = read(tmp_path, made)
    assert only(found).cells["longest_mm"] == "20"
    assert ids(found) == ["sr_unit_unusable"]


def test_long_code_values_and_codes_of_another_language(tmp_path: Path) -> None:
    made = group(num(LONG, "20"), tracking_id="L1")
    concept = made.ContentSequence[1].ConceptNameCodeSequence[0]
    concept.LongCodeValue = concept.CodeValue
    del concept.CodeValue
    site = code(SITE, ("10200004", "SCT", "Foie"))
    made.ContentSequence = [*made.ContentSequence, site]
    found = only(read(tmp_path, made))
    assert (found.cells["longest_mm"], found.name.site, found.name.site_code) == ("20", "Foie", "10200004^SCT")


def test_meanings_in_other_character_sets(tmp_path: Path) -> None:
    made = report(measured("Läsion 1", "20", site=("10200004", "SCT", "Säugetierleber")))
    made.SpecificCharacterSet = "ISO_IR 192"
    found = only(read_report(saved(made, tmp_path / "report.dcm")))
    assert (found.name.tracking_id, found.name.site) == ("Läsion 1", "Säugetierleber")


def test_implicit_little_endian(tmp_path: Path) -> None:
    path = saved(report(measured("L1", "20", site=LIVER)), tmp_path / "report.dcm", implicit=True)
    assert only(read_report(path)).name.site == "Liver"


def test_sequences_of_undefined_length(tmp_path: Path) -> None:
    made = report(measured("L1", "20", site=LIVER))
    _undefine(made)
    found = only(read_report(saved(made, tmp_path / "report.dcm")))
    assert (found.cells["longest_mm"], found.name.site) == ("20", "Liver")


def _undefine(dataset: Dataset) -> None:
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for child in element.value:
                child.is_undefined_length_sequence_item = True
                _undefine(child)


def test_a_tree_deeper_than_any_report_is_cut_and_told(tmp_path: Path) -> None:
    inner = measured("deep", "20")
    for _ in range(80):
        inner = container(("1", "99OWN", "Level"), inner)
    found = read(tmp_path, measured("L1", "10"), inner)
    assert [observation.name.tracking_id for observation in found.observations] == ["L1"]
    assert ids(found) == ["sr_too_large"]


def test_no_warning_or_message_quotes_what_a_report_holds(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = report(measured("CANARY", "20", person("CANARY^NAME")), subject="CANARY-ID")
    made.StudyDate, made.PatientName = "20240102", "CANARY^PATIENT"
    path = saved(made, tmp_path / "report.dcm")
    path.write_bytes(path.read_bytes().replace(b"20240102", b"CANARYDA"))
    found = read_report(path)
    assert found.date == ""
    assert "CANARY" not in "".join(capfd.readouterr())
    assert not any("CANARY-ID" in finding.sentence for finding in found.findings)


def test_the_rest_of_the_header_does_not_matter(tmp_path: Path) -> None:
    made = report(LESION)
    made.ContentTemplateSequence = []
    del made.StudyInstanceUID, made.Modality
    made.SOPClassUID = COMPREHENSIVE_3D
    made.ConceptNameCodeSequence = [code_item(("126000", "DCM"))]
    assert only(read_report(saved(made, tmp_path / "report.dcm"))).study == ""
