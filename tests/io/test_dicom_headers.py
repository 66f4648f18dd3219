"""What folders hold: every DICOM object once, whatever else stands there."""

import os
import socket
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, SecondaryCaptureImageStorage

from response.errors import InputError
from response.io.dicom_headers import Header, iso_date, read_header, scan
from response.io.dicom_references import referenced_instances, referenced_series
from response.io.images import split_series
from tests.dicom_factory import axial_grid, random_voxels, save, set_tags, uid_of, write_ct_series, write_enhanced

GRID = axial_grid((3, 4, 4))
VOXELS = random_voxels(GRID.shape)


def write_object(path: Path, sop_class: str, **tags: object) -> Path:
    """Write an object that has no pixels."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, uid_of(path.name)
    dataset.PatientID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "S1", uid_of("study"), uid_of(path.name, 1)
    dataset.Modality = "OT"
    set_tags(dataset, tags)
    save(dataset, path)
    return path


def item(**tags: object) -> Dataset:
    dataset = Dataset()
    set_tags(dataset, tags)
    return dataset


def kinds(folder: Path) -> dict[str, str]:
    return {header.path.name: header.kind for header in scan([folder]).headers}


def test_a_header_says_whose_and_what_it_is(tmp_path: Path) -> None:
    path = write_ct_series(tmp_path, VOXELS, GRID, subject="S7", study_date="20240229")[0]
    assert read_header(path) == Header(
        path=path,
        kind="image",
        sop_class_uid=CTImageStorage,
        sop_instance_uid=uid_of(uid_of(uid_of("S7", "20240229"), "CT", 1), 0),
        modality="CT",
        subject="S7",
        study_uid=uid_of("S7", "20240229"),
        study_date="2024-02-29",
        series_uid=uid_of(uid_of("S7", "20240229"), "CT", 1),
        frame_of_reference_uid=uid_of(uid_of("S7", "20240229"), "frame of reference"),
    )


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, ("S1", "", "2024-01-01")),
        ({"ClinicalTrialSubjectID": "T-001"}, ("T-001", "", "2024-01-01")),  # before the id of the hospital
        ({"ClinicalTrialSubjectID": ""}, ("S1", "", "2024-01-01")),
        ({"ClinicalTrialTimePointID": "W8"}, ("S1", "W8", "2024-01-01")),
        ({"PatientID": None}, ("", "", "2024-01-01")),
        ({"PatientID": "Müller 7", "SpecificCharacterSet": "ISO_IR 100"}, ("Müller 7", "", "2024-01-01")),
        ({"StudyDate": "", "SeriesDate": "20240203"}, ("S1", "", "2024-02-03")),
        ({"StudyDate": None, "AcquisitionDate": "20240204"}, ("S1", "", "2024-02-04")),
        ({"StudyDate": None, "ContentDate": "20240205"}, ("S1", "", "2024-02-05")),
        ({"StudyDate": None, "AcquisitionDateTime": "20240206101112.5"}, ("S1", "", "2024-02-06")),
        ({"StudyDate": None}, ("S1", "", "")),
    ],
)
def test_subject_timepoint_and_date(tmp_path: Path, tags: dict[str, str], expected: tuple[str, str, str]) -> None:
    header = read_header(write_ct_series(tmp_path, VOXELS, GRID, tags=tags)[0])
    assert (header.subject, header.timepoint, header.study_date) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20240229", "2024-02-29"),
        ("2024.02.29", "2024-02-29"),  # ACR-NEMA
        ("20230229", ""),  # no such day
        ("00000000", ""),
        ("202402", ""),
        ("", ""),
        ("a2240229", ""),
    ],
)
def test_dates(value: str, expected: str) -> None:
    assert iso_date(value) == expected


def test_kinds_of_objects(tmp_path: Path) -> None:
    base = "1.2.840.10008.5.1.4.1.1."
    for name, sop_class in {
        "seg": "66.4",
        "labelmap": "66.7",
        "surface": "66.5",
        "rtstruct": "481.3",
        "dose": "481.2",
        "text": "88.11",
        "measurements": "88.33",
        "dose_report": "88.67",
        "mr": "4",
        "spectroscopy": "4.2",
        "legacy": "2.2",
        "pet": "128",
        "ultrasound": "6.1",
    }.items():
        write_object(tmp_path / name, base + sop_class)
    assert kinds(tmp_path) == {
        **dict.fromkeys(("seg", "labelmap"), "seg"),
        "rtstruct": "rtstruct",
        "mr": "image",
        "pet": "image",
        "legacy": "image",
        **dict.fromkeys(("text", "measurements", "dose_report"), "report"),
        **dict.fromkeys(("surface", "dose", "spectroscopy", "ultrasound"), "other"),
    }


def test_localizers_and_secondary_captures(tmp_path: Path) -> None:
    scout = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    write_object(tmp_path / "scout", CTImageStorage, Modality="CT", **scout)
    write_object(tmp_path / "screen", SecondaryCaptureImageStorage, Modality="CT")
    placed = {"ImagePositionPatient": [0, 0, 0]}
    write_object(tmp_path / "converted", SecondaryCaptureImageStorage, Modality="CT", **placed)
    assert kinds(tmp_path) == {"scout": "other", "screen": "other", "converted": "image"}


def test_elements_out_of_order_are_found(tmp_path: Path) -> None:
    path = write_object(tmp_path / "a", CTImageStorage)
    data = path.read_bytes()
    at = data.index(b"\x20\0\x0d\0UI")
    late = b"\x21\0\x10\0LO\x04\0TEST"  # a private group before the UIDs
    path.write_bytes(data[:at] + late + data[at:])
    assert read_header(path).study_uid == uid_of("study")


def test_series_are_sorted_by_their_uid(tmp_path: Path) -> None:
    one = write_ct_series(tmp_path / "mixed", VOXELS, GRID, series_uid=uid_of("one"))
    for path in one:
        path.rename(path.with_name(f"first_{path.name}"))
    two = write_ct_series(tmp_path / "mixed", VOXELS, GRID, series_uid=uid_of("two"))
    write_object(tmp_path / "mixed" / "report", "1.2.840.10008.5.1.4.1.1.88.33")
    series = split_series(scan([tmp_path]).headers)
    assert {uid: len(headers) for uid, headers in series.items()} == {uid_of("one"): 3, uid_of("two"): 3}
    assert {header.path for header in series[uid_of("two")]} == set(two)


# --- Whatever stands in folders.


def test_what_is_no_dicom_is_counted_and_passed_over(tmp_path: Path) -> None:
    write_ct_series(tmp_path / "deep" / "deeper", VOXELS, GRID)
    write_object(tmp_path / "DICOMDIR", "1.2.840.10008.1.3.10")
    (tmp_path / "export.zip").write_bytes(b"PK\x03\x04 and so on")
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "README").write_bytes(b"")
    for name in ("lesions.nii.gz", "a.NRRD", "b.seg.nrrd", "c.mha", "d.nii", "e.nhdr", "f.mhd"):
        (tmp_path / name).write_bytes(b"not opened")
    found = scan([tmp_path])
    assert (len(found.headers), found.files, found.passed_over, len(found.image_files)) == (3, 14, 4, 7)
    assert found.findings == []


def test_a_file_that_should_be_dicom_is_told(tmp_path: Path) -> None:
    write_ct_series(tmp_path, VOXELS, GRID)
    (tmp_path / "text.dcm").write_text("a text")
    (tmp_path / "empty.DCM").write_bytes(b"")
    whole = sorted(tmp_path.glob("IM*"))[0]
    (tmp_path / "cut").write_bytes(whole.read_bytes()[:300])
    explicit = tmp_path / "table.csv"
    explicit.write_text("a,b\n")
    found = scan([tmp_path, explicit])
    told = {Path(finding.file).name: (finding.id, finding.severity) for finding in found.findings}
    assert told == dict.fromkeys(("text.dcm", "empty.DCM", "cut", "table.csv"), ("file_unreadable", "error"))
    assert len(found.headers) == 3


def test_loops_pipes_sockets_and_dead_links(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write_ct_series(folder / "ct", VOXELS, GRID)
    (folder / "loop").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "dead").symlink_to(tmp_path / "nothing")
    (folder / "again").symlink_to(folder / "ct")
    os.mkfifo(folder / "pipe.dcm")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(folder / "socket"))
        found = scan([folder])
    assert len(found.headers) == 3
    told = {Path(finding.file).name for finding in found.findings}
    assert told == {"self", "dead", "pipe.dcm", "socket"}


def test_hostile_names(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path, VOXELS, GRID)
    for path, name in zip(paths, ("-o", "line\nend", "\udcff\udcfe"), strict=True):
        path.rename(tmp_path / name)
    (tmp_path / "bad\n\udcff.dcm").write_text("no DICOM")
    found = scan([tmp_path])
    assert len(found.headers) == 3
    assert [finding.id for finding in found.findings] == ["file_unreadable"]
    assert found.findings[0].file.isprintable()
    assert found.findings[0].sentence.isprintable()


def test_a_folder_that_may_not_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ct_series(tmp_path / "open", VOXELS, GRID)
    (tmp_path / "shut").mkdir()
    opened = os.scandir

    def guarded(path: Path) -> object:  # root may open everything, so it is made up
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied")
        return opened(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = scan([tmp_path])
    assert [(finding.id, Path(finding.file).name) for finding in found.findings] == [("folder_unreadable", "shut")]
    assert len(found.headers) == 3


def test_our_own_hidden_folders_and_doubles_of_archivers_are_left_alone(tmp_path: Path) -> None:
    write_ct_series(tmp_path / ".tumor-response-0123", VOXELS, GRID, series_uid=uid_of(1))
    write_ct_series(tmp_path / "__MACOSX", VOXELS, GRID, series_uid=uid_of(2))
    write_ct_series(tmp_path / ".hidden", VOXELS, GRID, series_uid=uid_of(3))
    (tmp_path / "._IM1.dcm").write_bytes(b"\0\5\x16\7")
    found = scan([tmp_path])
    assert {header.series_uid for header in found.headers} == {uid_of(3)}
    assert found.findings == []


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        scan([tmp_path / "nothing"])


def test_an_object_that_is_there_twice_is_kept_once(tmp_path: Path) -> None:
    paths = write_ct_series(tmp_path / "a", VOXELS, GRID)
    write_ct_series(tmp_path / "b", VOXELS, GRID)
    found = scan([tmp_path, paths[0], tmp_path / "a"])
    assert [header.path.parent.name for header in found.headers] == ["a"] * 3
    assert [(finding.id, finding.severity, finding.found) for finding in found.findings] == [
        ("file_twice", "info", "3 files")
    ]


def test_the_order_of_the_headers_does_not_depend_on_the_file_system(tmp_path: Path) -> None:
    write_ct_series(tmp_path, np.repeat(VOXELS, 4, axis=0), axial_grid((12, 4, 4)))
    names = [header.path.name for header in scan([tmp_path]).headers]
    assert names == sorted(names)


# --- What masks refer to.

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def frames_of(*uids: str) -> list[Dataset]:
    return [
        item(DerivationImageSequence=[item(SourceImageSequence=[item(ReferencedSOPInstanceUID=uid)])]) for uid in uids
    ]


def test_a_segmentation_names_its_series(tmp_path: Path) -> None:
    image = item(ReferencedSOPInstanceUID=uid_of("image"))
    series = item(SeriesInstanceUID=uid_of("series"), ReferencedInstanceSequence=[image])
    path = write_object(
        tmp_path / "seg",
        SEG,
        ReferencedSeriesSequence=[series, series],
        PerFrameFunctionalGroupsSequence=frames_of(uid_of("frame")),
    )
    assert read_header(path).referenced_series_uids == referenced_series(path) == (uid_of("series"),)
    assert referenced_instances(path) == {uid_of("image"), uid_of("frame")}


def test_a_structure_set_names_its_series(tmp_path: Path) -> None:
    image = item(ReferencedSOPInstanceUID=uid_of("image"))
    series = item(SeriesInstanceUID=uid_of("series"), ContourImageSequence=[image])
    study = item(RTReferencedSeriesSequence=[series])
    contour = item(ContourImageSequence=[item(ReferencedSOPInstanceUID=uid_of("slice"))])
    path = write_object(
        tmp_path / "rtstruct",
        RTSTRUCT,
        ReferencedFrameOfReferenceSequence=[item(RTReferencedStudySequence=[study])],
        ROIContourSequence=[item(ContourSequence=[contour])],
    )
    assert read_header(path).referenced_series_uids == (uid_of("series"),)
    assert referenced_instances(path) == {uid_of("image"), uid_of("slice")}


@pytest.mark.parametrize("named", [(), (uid_of("a series that is not there"),)])
def test_a_mask_that_names_no_series_at_hand_is_placed_by_its_images(tmp_path: Path, named: tuple[str, ...]) -> None:
    one = write_ct_series(tmp_path / "one", VOXELS, GRID, series_uid=uid_of("one"))
    two = write_ct_series(tmp_path / "two", VOXELS, GRID, series_uid=uid_of("two"))
    uids = [read_header(path).sop_instance_uid for path in (one[0], two[0], two[1])]
    series = [item(SeriesInstanceUID=uid) for uid in named]
    write_object(
        tmp_path / "seg", SEG, ReferencedSeriesSequence=series, PerFrameFunctionalGroupsSequence=frames_of(*uids)
    )
    seg = next(header for header in scan([tmp_path]).headers if header.kind == "seg")
    assert seg.referenced_series_uids == (uid_of("two"), uid_of("one"))  # that of most images first


def test_a_mask_without_its_images_keeps_what_it_names(tmp_path: Path) -> None:
    write_object(tmp_path / "seg", SEG, ReferencedSeriesSequence=[item(SeriesInstanceUID=uid_of("gone"))])
    assert scan([tmp_path]).headers[0].referenced_series_uids == (uid_of("gone"),)


def test_an_enhanced_image_is_an_image(tmp_path: Path) -> None:
    header = read_header(write_enhanced(tmp_path / "mf.dcm", VOXELS, GRID))
    assert (header.kind, header.sop_class_uid) == ("image", EnhancedCTImageStorage)
