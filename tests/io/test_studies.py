"""Which files make one study: by UID, wherever they lie; and what is told where something is missing."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from response.io.dicom_headers import Header, Kind, Scan
from response.io.studies import Found, Study, find_studies, grouped_by_image
from tests.dicom_factory import axial_grid, write_ct_series

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

Exam = Callable[..., Path]


@pytest.fixture
def exam(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exam]:
    """Return a function that writes a small CT with its segmentation, as the example does."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    from synthetic import images

    def write(folder: Path, subject: str = "S1", date: str = "20240102") -> Path:
        images.write_exam(folder, images.Exam(subject, date, [images.Lesion("Lesion 1", (10, 40, 28), 20, 60)]))
        return folder

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "synthetic"]:
        del sys.modules[name]


def told(study: Study) -> tuple[str, str, list[tuple[str, int]]]:
    return study.subject, study.date, [(item.mask.name, len(item.image)) for item in study.masks]


def test_studies_are_in_the_order_of_subject_and_date(exam: Exam, tmp_path: Path) -> None:
    exam(tmp_path / "a", "S2")
    exam(tmp_path / "b", "S1", "20240305")
    exam(tmp_path / "c", "S1")
    found = find_studies([tmp_path])
    lesions = [("lesions.dcm", 20)]
    assert [told(study) for study in found.studies] == [
        ("S1", "2024-01-02", lesions),
        ("S1", "2024-03-05", lesions),
        ("S2", "2024-01-02", lesions),
    ]
    assert found.findings == []
    assert found.files == 63


def test_a_segmentation_finds_its_series_wherever_it_lies(exam: Exam, tmp_path: Path) -> None:
    exam(tmp_path / "a")
    (tmp_path / "masks").mkdir()
    (tmp_path / "a" / "lesions.dcm").rename(tmp_path / "masks" / "x")
    together = find_studies([tmp_path])
    apart = find_studies([tmp_path / "masks", tmp_path / "a"])
    assert [told(study) for study in together.studies] == [("S1", "2024-01-02", [("x", 20)])]
    assert [told(study) for study in apart.studies] == [told(study) for study in together.studies]


def test_a_segmentation_without_its_series_is_measured_without_image(exam: Exam, tmp_path: Path) -> None:
    exam(tmp_path / "a")
    for file in (tmp_path / "a" / "ct").iterdir():
        file.unlink()
    found = find_studies([tmp_path])
    assert [told(study) for study in found.studies] == [("S1", "2024-01-02", [("lesions.dcm", 0)])]
    assert [(finding.id, finding.subject) for finding in found.findings] == [("mask_without_image", "S1")]


def test_images_alone_are_told(tmp_path: Path) -> None:
    grid = axial_grid()
    write_ct_series(tmp_path, np.zeros(grid.shape, np.int16), grid, subject="S9")
    found = find_studies([tmp_path])
    assert list(found.studies) == []
    assert [(finding.id, finding.severity, finding.subject) for finding in found.findings] == [
        ("study_without_lesions", "info", "S9")
    ]


def test_a_label_map_beside_one_series_belongs_to_it(tmp_path: Path) -> None:
    grid = axial_grid()
    write_ct_series(tmp_path / "A" / "ct", np.zeros(grid.shape, np.int16), grid, subject="S9")
    (tmp_path / "A" / "lesions.nii.gz").touch()
    found = find_studies([tmp_path])
    assert [told(study) for study in found.studies] == [("S9", "2024-01-01", [("lesions.nii.gz", grid.shape[0])])]


def test_the_key_changes_with_the_files(exam: Exam, tmp_path: Path) -> None:
    exam(tmp_path)
    before, again = (find_studies([tmp_path]).studies[0].key for _ in range(2))
    file = tmp_path / "ct" / "003.dcm"
    file.write_bytes(file.read_bytes() + b"\0")
    (after,) = find_studies([tmp_path]).studies
    assert before == again != after.key


def test_masks_of_one_image_are_measured_together(exam: Exam, tmp_path: Path) -> None:
    exam(tmp_path)
    (tmp_path / "again.dcm").write_bytes((tmp_path / "lesions.dcm").read_bytes()[:-2] + b"\1\0")
    (study,) = find_studies([tmp_path]).studies
    assert len(grouped_by_image(study.masks)) == 1


# --- which series a mask belongs to, from headers alone


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Found]:
    """Return a function that finds studies in headers made by hand."""

    def find(*headers: Header) -> Found:
        found = Scan(headers=headers, image_files=(), findings=(), files=len(headers), passed_over=0)
        monkeypatch.setattr("response.io.studies.scan", lambda _: found)
        return find_studies([tmp_path])

    return find


def header(name: str, kind: Kind = "image", **known: Any) -> Header:
    return Header(path=Path(name), kind=kind, subject="S1", study_uid="1", study_date="2024-01-02", **known)


def seg(**known: Any) -> Header:
    return header("mask", "seg", series_uid="9", **known)


def images_of(found: Found) -> list[str]:
    (study,) = found.studies
    return [path.name for item in study.masks for path in item.image]


FRAMES = [
    pytest.param([], seg(), [], id="no series"),
    pytest.param([("a", "F1")], seg(), ["a"], id="the only series of the study"),
    pytest.param([("a", "F1"), ("b", "F2")], seg(), [], id="no frame of reference to choose by"),
    pytest.param([("a", "F1"), ("b", "F2")], seg(frame_of_reference_uid="F2"), ["b"], id="the one of its frame"),
    pytest.param([("a", "F1"), ("b", "F1")], seg(frame_of_reference_uid="F1"), [], id="two of its frame"),
    pytest.param([("a", ""), ("b", "F2")], seg(), [], id="an empty frame of reference is none"),
    pytest.param([("a", "F1")], seg(frame_of_reference_uid="F2"), ["a"], id="only one, of another frame"),
    pytest.param([("a", "F1")], seg(referenced_series_uids=("b",)), [], id="it names another"),
    pytest.param([("a", "F1"), ("b", "F1")], seg(referenced_series_uids=("x", "b")), ["b"], id="it names one of them"),
]


@pytest.mark.parametrize(("series", "mask", "expected"), FRAMES)
def test_the_series_of_a_mask(
    scanned: Callable[..., Found], series: list[tuple[str, str]], mask: Header, expected: list[str]
) -> None:
    found = scanned(*(header(name, series_uid=name, frame_of_reference_uid=frame) for name, frame in series), mask)
    assert images_of(found) == expected
    assert [finding.id for finding in found.findings] == ([] if expected else ["mask_without_image"])


def test_what_is_no_image_is_no_series_of_a_mask(scanned: Callable[..., Found]) -> None:
    report = header("report", "report", series_uid="8", frame_of_reference_uid="F1", timepoint="W6")
    found = scanned(report, header("scout", "other", series_uid="7"), header("a", series_uid="a"), seg())
    (study,) = found.studies
    assert images_of(found) == ["a"]
    assert (study.reports, study.timepoint) == ((Path("report"),), "W6")
    assert images_of(scanned(report, seg(referenced_series_uids=("8",)))) == []


def test_dates_are_those_of_images(scanned: Callable[..., Found]) -> None:
    late = replace(seg(), study_date="2024-05-05")
    found = scanned(late, header("a", series_uid="a"))
    assert [study.date for study in found.studies] == ["2024-01-02"]
    assert found.dates == {"1": "2024-01-02"}


@pytest.mark.parametrize(("timepoint", "told"), [("W6", "W6"), ("", "2024-01-02")])
def test_findings_tell_the_timepoint_or_else_the_date(scanned: Callable[..., Found], timepoint: str, told: str) -> None:
    for headers in ((seg(timepoint=timepoint),), (header("a", series_uid="a", timepoint=timepoint),)):
        assert [finding.timepoint for finding in scanned(*headers).findings] == [told]


def test_the_place_of_a_study_is_its_folder_or_its_only_file(scanned: Callable[..., Found]) -> None:
    report = header("somewhere/report", "report")
    (alone,) = scanned(report).studies
    (both,) = scanned(report, header("somewhere/other", "report")).studies
    assert (alone.place, both.place) == ("somewhere/report", "somewhere")


def test_pairs_of_a_table_are_not_found_a_second_time(tmp_path: Path) -> None:
    for name in ("scan.nii.gz", "lesions.nii.gz"):
        (tmp_path / name).touch()
    table = tmp_path / "pairs.csv"
    table.write_text("subject,image,mask\nS7,scan.nii.gz,lesions.nii.gz\n")
    found = find_studies([tmp_path], pairs=table)
    assert [(study.subject, told(study)[2]) for study in found.studies] == [("S7", [("lesions.nii.gz", 1)])]
    assert [finding.id for finding in found.findings] == []


def test_a_mask_with_an_image_file_does_not_take_the_series_beside_it(tmp_path: Path) -> None:
    grid = axial_grid()
    write_ct_series(tmp_path / "ct", np.zeros(grid.shape, np.int16), grid, subject="S9")
    for name in ("scan.nii.gz", "lesions.nii.gz"):
        (tmp_path / name).touch()
    table = tmp_path / "pairs.csv"
    table.write_text("subject,image,mask\nS7,scan.nii.gz,lesions.nii.gz\n")
    found = find_studies([tmp_path], pairs=table)
    assert [told(study)[2] for study in found.studies] == [[("lesions.nii.gz", 1)]]
    table.write_text("subject,image,mask\nS7,ct,lesions.nii.gz\n")
    (tmp_path / "scan.nii.gz").unlink()
    found = find_studies([tmp_path], pairs=table)
    assert [told(study) for study in found.studies] == [("S9", "2024-01-01", [("lesions.nii.gz", grid.shape[0])])]
