"""Which files make one study: by UID, wherever they lie; and what is told where something is missing."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from response.io.studies import Study, find_studies, grouped_by_image
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
