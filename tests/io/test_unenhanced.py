"""Two series in one study, from files to numbers: the segmented one with contrast medium, and that without."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from response.imaging.grid import Grid
from response.imaging.options import MeasureOptions
from response.io.images import read_series
from response.io.studies import Study, find_studies
from response.io.study_measuring import measure_study
from response.io.study_store import StudyResult
from tests.dicom_factory import axial_grid, write_ct_series
from tests.seg_factory import highdicom_seg

STUDY, FRAME = "1.2.3", "1.2.3.9"
GRID = axial_grid((6, 20, 24), (3.0, 0.75, 0.5))
BOX = np.zeros(GRID.shape, np.bool_)
BOX[1:5, 4:14, 6:18] = True  # 480 voxels, 120 on each slice
STANDARD = MeasureOptions(haemorrhage_smoothing_mm=0.0)


def after() -> NDArray[np.int16]:
    """Return 90 HU in the lesion, but 20 HU in the 120 voxels of its lowest slice."""
    voxels = np.full(GRID.shape, 110, np.int16)
    voxels[BOX] = 90
    voxels[1][BOX[1]] = 20
    return voxels


def before(grid: Grid = GRID) -> NDArray[np.int16]:
    """Return 40 HU, but 15 HU on the lowest slice of the lesion and 75 HU on its highest, by height alone."""
    heights = grid.origins[:, 2]
    lowest, highest = (abs(heights - GRID.origins[index, 2]) < 1 for index in (1, 4))
    by_slice = np.where(lowest, 15, np.where(highest, 75, 40))
    return np.broadcast_to(by_slice[:, None, None], grid.shape).astype(np.int16)


def write(folder: Path, number: int, voxels: NDArray[Any], grid: Grid = GRID, **told: Any) -> list[Path]:
    known = {"study_uid": STUDY, "frame_of_reference_uid": FRAME, "series_uid": f"1.2.3.{number}", **told}
    return write_ct_series(folder / f"series{number}", voxels, grid, **known)


def write_enhanced(folder: Path, **told: Any) -> None:
    """Write the series with contrast medium, and its segmentation."""
    paths = write(folder, 1, after(), **{"description": "Portal venous", "contrast_agent": "iodine", **told})
    highdicom_seg(folder / "lesions.dcm", BOX[..., None].astype(np.uint8), read_series(paths))


def measured(folder: Path, **more: Any) -> tuple[Study, StudyResult, Mapping[str, str], list[str]]:
    found = find_studies([folder], **more)
    (study,) = found.studies
    result = measure_study(study, STANDARD)
    (lesion,) = result.observations
    return study, result, lesion.cells, [finding.id for finding in (*found.findings, *result.findings)]


# By hand: 120 of 480 voxels rise from 15 to 20, 120 from 75 to 90, and 240 from 40 to 90.
RISE = (120 * 5 + 120 * 15 + 240 * 50) / 480
FINER = axial_grid((17, 60, 60), (1.5, 0.7, 0.9), (-110.0, -125.0, 37.0))
TURNED = replace(
    GRID,
    origins=GRID.origins + 23 * 0.5 * GRID.along_row + 19 * 0.75 * GRID.along_column,
    along_row=-GRID.along_row,
    along_column=-GRID.along_column,
)


@pytest.mark.parametrize(("why", "grid"), [("the same grid", GRID), ("turned by 180 degrees", TURNED)])
def test_a_study_with_both_series(why: str, grid: Grid, tmp_path: Path) -> None:
    write_enhanced(tmp_path)
    write(tmp_path, 2, before(grid), grid, description="Native")
    _, _, cells, findings = measured(tmp_path)
    assert findings == []
    assert float(cells["enhancement_hu"]) == RISE == 30
    assert (cells["necrosis_fraction"], cells["haemorrhage_fraction"]) == ("0.25", "0.25")
    assert cells["necrosis_method"] == "voxels below 30 HU that rise by less than 10 HU with contrast medium"
    assert cells["attenuation_hu"] == "72.5"  # (3 x 90 + 20) / 4
    assert cells["unenhanced_series_uid"] == "1.2.3.2"


def test_a_series_on_a_finer_grid_gives_the_same_numbers(tmp_path: Path) -> None:
    # Its slices lie 1.5 mm apart, from 37.0 mm on: the slices of the lesion, at 43, 46, 49 and 52 mm, are among them.
    write_enhanced(tmp_path)
    write(tmp_path, 2, before(FINER), FINER, description="Native")
    _, _, cells, _ = measured(tmp_path)
    assert float(cells["enhancement_hu"]) == pytest.approx(RISE, abs=1e-3)


def test_a_series_that_lacks_slices_of_the_lesion_is_not_used(tmp_path: Path) -> None:
    write_enhanced(tmp_path)
    upper = replace(GRID, origins=GRID.origins[2:])
    write(tmp_path, 2, before(upper), upper, description="Native")
    _, _, cells, findings = measured(tmp_path)
    assert "enhancement_hu" not in cells
    assert "covers 75 % of the lesion and was not used" in cells["image_notes"]
    assert findings == []


def test_haemorrhage_is_left_out_by_option(tmp_path: Path) -> None:
    write_enhanced(tmp_path)
    write(tmp_path, 2, before(), description="Native")
    (study,) = find_studies([tmp_path]).studies
    (lesion,) = measure_study(study, replace(STANDARD, exclude_haemorrhage=True)).observations
    assert (lesion.cells["attenuation_voxels"], lesion.cells["attenuation_hu"]) == ("360", number(240 * 90 + 120 * 20))


def number(total: float) -> str:
    return f"{total / 360:.3f}"


def test_the_key_of_a_study_changes_with_the_series_without_contrast_medium(tmp_path: Path) -> None:
    write_enhanced(tmp_path)
    alone = find_studies([tmp_path]).studies[0]
    paths = write(tmp_path, 2, before(), description="Native")
    both = find_studies([tmp_path]).studies[0]
    keys = [alone.key, both.key]
    assert set(both.files) - set(alone.files) == set(paths)
    paths[0].write_bytes(paths[0].read_bytes() + b"\0")
    assert len({*keys, find_studies([tmp_path]).studies[0].key}) == 3


def test_a_broken_series_beside_it_costs_nothing_else(tmp_path: Path) -> None:
    write_enhanced(tmp_path)
    paths = write(tmp_path, 2, before(), description="Native")
    study, _, _, _ = measured(tmp_path)
    paths[3].write_bytes(paths[3].read_bytes()[:-10])
    result = measure_study(study, STANDARD)
    (lesion,) = result.observations
    assert lesion.cells["necrosis_method"] == "voxels below 30 HU"
    assert not {"enhancement_hu", "unenhanced_series_uid"} & set(lesion.cells)
    assert [(finding.id, finding.severity) for finding in result.findings] == [("file_unusable", "error")]
    twice = measure_study(replace(study, masks=study.masks * 2), STANDARD)
    assert [finding.id for finding in twice.findings] == ["file_unusable"]  # told once for all masks of an image


def test_it_is_not_read_where_no_lesion_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_enhanced(tmp_path)
    write(tmp_path, 2, before(), description="Native")
    (study,) = find_studies([tmp_path]).studies
    read: list[str] = []

    def counted(paths: Any, **more: Any) -> Any:
        read.append(paths[0].parent.name)
        return read_series(paths, **more)

    monkeypatch.setattr("response.io.images.read_series", counted)
    measure_study(study, STANDARD)
    assert read == ["series1", "series2"]
    twice = replace(study, masks=study.masks * 2)
    read.clear()
    measure_study(twice, STANDARD)
    assert read == ["series1", "series2"]  # once for all masks of an image
    empty = np.zeros_like(BOX)[..., None].astype(np.uint8)
    highdicom_seg(tmp_path / "lesions.dcm", empty, read_series(study.masks[0].image), keep_empty=True)
    read.clear()
    measure_study(study, STANDARD)
    assert read == ["series1"]


def test_mr_before_and_after(tmp_path: Path) -> None:
    same = {"SequenceName": "*fl3d1", "RepetitionTime": 4.0}
    write_enhanced(
        tmp_path, modality="MR", description="T1 vibe", contrast_agent="Gd", tags={**same, "AcquisitionTime": "101500"}
    )
    write(tmp_path, 2, before(), modality="MR", description="T1 vibe", tags={**same, "AcquisitionTime": "100000"})
    _, _, cells, findings = measured(tmp_path)
    assert findings == []
    # mean 72.5 after and (15 + 75 + 2 x 40) / 4 = 42.5 before; all voxels rise by more than 10 %
    assert float(cells["relative_enhancement_percent"]) == pytest.approx(100 * 30 / 42.5, abs=1e-3)
    assert (cells["necrosis_fraction"], cells["viable_fraction"]) == ("0", "1")


# --- what the table of pairs says


def table_of(folder: Path, *rows: str, header: str = "subject,image,mask,modality,unenhanced") -> Path:
    path = folder / "pairs.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def test_the_table_chooses_among_several(tmp_path: Path) -> None:
    write_enhanced(tmp_path)
    write(tmp_path, 2, before(), description="Native")
    write(tmp_path, 3, before() + 10, description="Native")
    _, _, cells, findings = measured(tmp_path)
    assert findings == ["unenhanced_not_used"]
    assert "enhancement_hu" not in cells
    pairs = table_of(tmp_path, "S1,,lesions.dcm,,series3")
    _, _, cells, findings = measured(tmp_path, pairs=pairs)
    assert findings == []
    assert (cells["enhancement_hu"], cells["unenhanced_series_uid"]) == ("20", "1.2.3.3")


NAMED = [
    # why, what the headers of the named series say, the finding tells
    ("it has contrast medium", {"description": "Arterial"}, "contrast medium was given"),
    ("another frame of reference", {"description": "Native", "frame_of_reference_uid": "9.9"}, "frame of reference"),
    ("MR beside CT", {"modality": "MR"}, "it is MR, and the segmented one CT"),
]


@pytest.mark.parametrize(("why", "told", "sentence"), NAMED)
def test_a_series_that_the_table_names_wrongly_is_not_used(
    why: str, told: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    write_enhanced(tmp_path)
    write(tmp_path, 2, before(), **told)
    _, result, cells, _ = measured(tmp_path, pairs=table_of(tmp_path, "S1,,lesions.dcm,,series2"))
    (finding,) = result.findings
    assert (finding.id, finding.severity) == ("unenhanced_not_used", "warning")
    assert sentence in finding.sentence
    assert "enhancement_hu" not in cells


def test_a_folder_without_one_series_is_told(tmp_path: Path) -> None:
    write_enhanced(tmp_path)
    (tmp_path / "nothing").mkdir()
    _, _, cells, findings = measured(tmp_path, pairs=table_of(tmp_path, "S1,,lesions.dcm,,nothing"))
    assert findings == ["unenhanced_not_used"]
    assert "enhancement_hu" not in cells


def test_image_files_are_paired_by_the_table(tmp_path: Path) -> None:
    import SimpleITK

    for name, voxels in (("ct", after()), ("plain", before()), ("lesions", BOX.astype(np.uint8))):
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels), str(tmp_path / f"{name}.nii.gz"))
    pairs = table_of(tmp_path, "S7,ct.nii.gz,lesions.nii.gz,CT,plain.nii.gz")
    _, _, cells, findings = measured(tmp_path, pairs=pairs)
    # that the image has contrast medium is said by naming the one without it
    assert (cells["enhancement_hu"], cells["necrosis_fraction"], findings) == ("30", "0.25", [])
    lone = table_of(tmp_path, "S7,ct.nii.gz,lesions.nii.gz,CT,")
    assert "necrosis_fraction" not in measured(tmp_path, pairs=lone)[2]
