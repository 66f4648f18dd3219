"""ADC maps beside MR: which series it is, in which unit, and the mean of a lesion from files to the number."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from response.imaging.options import MeasureOptions
from response.io.adc_maps import read_adc_map
from response.io.images import read_series
from response.io.studies import find_studies
from response.io.study_measuring import measure_study
from tests.dicom_factory import axial_grid, write_ct_series
from tests.seg_factory import highdicom_seg, item

STUDY, FRAME = "1.2.3", "1.2.3.9"
GRID = axial_grid((6, 20, 24), (3.0, 0.75, 0.5))
COARSE = axial_grid((8, 12, 12), (3.0, 2.0, 2.0), (-101.0, -121.0, 37.0))
BOX = np.zeros(GRID.shape, np.bool_)
BOX[1:5, 4:14, 6:18] = True
ADC = {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]}


def write(folder: Path, number: int, value: float, grid: Any = COARSE, **told: Any) -> list[Path]:
    known = {
        "study_uid": STUDY, "frame_of_reference_uid": FRAME, "series_uid": f"1.2.3.{number}", "modality": "MR",
        "intercept": 0, "tags": ADC, **told,
    }  # fmt: skip
    return write_ct_series(folder / f"series{number}", np.full(grid.shape, value), grid, **known)


def write_segmented(folder: Path, **told: Any) -> None:
    paths = write(folder, 1, 300, GRID, **{"tags": {"ImageType": ["ORIGINAL", "PRIMARY", "M"]}, **told})
    highdicom_seg(folder / "lesions.dcm", BOX[..., None].astype(np.uint8), read_series(paths))


def measured(folder: Path, **more: Any) -> tuple[Mapping[str, str], list[str]]:
    found = find_studies([folder], **more)
    (study,) = found.studies
    result = measure_study(study, MeasureOptions())
    (lesion,) = result.observations
    return lesion.cells, [finding.id for finding in (*found.findings, *result.findings)]


def mapping(unit: str, slope: float = 1.0, intercept: float = 0.0) -> dict[str, Any]:
    unit_code = item(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning=unit)
    one = item(RealWorldValueSlope=slope, RealWorldValueIntercept=intercept, MeasurementUnitsCodeSequence=[unit_code])
    return {**ADC, "RealWorldValueMappingSequence": [one]}


def test_the_map_of_a_study(tmp_path: Path) -> None:
    write_segmented(tmp_path)
    write(tmp_path, 2, 1250)
    write(tmp_path, 3, 700, tags={"ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]})
    cells, findings = measured(tmp_path)
    assert (cells["adc"], cells["adc_series_uid"], findings) == ("1.25", "1.2.3.2", [])
    assert "by its size it is 10^-6 mm2/s" in cells["image_notes"]


def test_a_lesion_that_was_segmented_on_the_map_itself(tmp_path: Path) -> None:
    write_segmented(tmp_path, tags=ADC)
    cells, findings = measured(tmp_path)
    assert (cells["adc"], cells["adc_series_uid"], findings) == ("0.3", "1.2.3.1", [])


@pytest.mark.parametrize(
    ("why", "others"),
    [
        ("two maps", [{}, {}]),
        ("of another frame of reference", [{"frame_of_reference_uid": "9.9"}]),
    ],
)
def test_a_map_that_is_not_used_is_told(why: str, others: list[dict[str, Any]], tmp_path: Path) -> None:
    write_segmented(tmp_path)
    for number, told in enumerate(others, 2):
        write(tmp_path, number, 1250, **told)
    cells, findings = measured(tmp_path)
    assert "adc" not in cells
    assert findings == ["adc_not_used"]


def test_without_a_frame_of_reference_no_map_is_taken(tmp_path: Path) -> None:
    write_segmented(tmp_path)
    for path in (tmp_path / "series1").iterdir():
        _edit(path, FrameOfReferenceUID="")
    for path in write(tmp_path, 2, 1250):
        _edit(path, FrameOfReferenceUID="")
    cells, findings = measured(tmp_path)
    assert "adc" not in cells
    assert findings == ["adc_not_used"]


def test_the_table_names_a_map(tmp_path: Path) -> None:
    write_segmented(tmp_path)
    write(tmp_path, 2, 1250)
    write(tmp_path, 3, 900)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("subject,mask,adc\nS1,lesions.dcm,series3\n")
    assert measured(tmp_path, pairs=pairs)[0]["adc"] == "0.9"


def test_a_map_is_not_looked_for_beside_ct(tmp_path: Path) -> None:
    write_segmented(tmp_path, modality="CT")
    write(tmp_path, 2, 1250)
    cells, findings = measured(tmp_path)
    assert "adc" not in cells
    assert findings == []


def test_a_broken_map_costs_nothing_else(tmp_path: Path) -> None:
    write_segmented(tmp_path)
    paths = write(tmp_path, 2, 1250)
    paths[2].write_bytes(paths[2].read_bytes()[:-10])
    cells, findings = measured(tmp_path)
    assert "adc" not in cells
    assert cells["signal_mean"] == "300"
    assert findings == ["file_unusable"]


UNITS = [
    # rescale slope and intercept, the mapping, modality value, 10^-3 mm2/s
    ("um2/s of stored values", 1, 0, mapping("um2/s"), 1250, 1.25),
    ("stored values are half of the modality values", 2, 0, mapping("um2/s", 1.0), 1250, 0.625),
    ("slope and intercept of both", 2, -100, mapping("10-6.mm2/s", 3.0, 50.0), 1100, (600 * 3 + 50) / 1000),
    ("mm2/s", 1, 0, mapping("mm2/s", 1e-6), 1250, 1.25),
    ("um2/ms", 1, 0, mapping("um2/ms", 0.001), 1250, 1.25),
]


@pytest.mark.parametrize("case", UNITS, ids=[case[0] for case in UNITS])
def test_a_real_world_value_mapping_is_applied(case: Any, tmp_path: Path) -> None:
    _, slope, intercept, tags, value, expected = case
    adc = read_adc_map(write(tmp_path, 2, value, slope=slope, intercept=intercept, tags=tags))
    assert adc.factor is not None
    assert adc.volume.voxels.mean() * adc.factor == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "tags", [ADC, mapping("1"), mapping("um2/s", float("inf")), mapping("um2/s", 1.0, float("nan"))]
)
def test_without_a_unit_the_values_stay_what_they_are(tags: dict[str, Any], tmp_path: Path) -> None:
    adc = read_adc_map(write(tmp_path, 2, 1250, tags=tags))
    assert (adc.factor, adc.volume.voxels.mean()) == (None, 1250)


def test_slices_that_differ_in_their_mapping_have_no_common_one(tmp_path: Path) -> None:
    tags = [mapping("um2/s", 1.0 + index) for index in range(len(COARSE.origins))]
    assert read_adc_map(write(tmp_path, 2, 1250, tags=tags)).factor is None


def test_of_a_series_with_other_images_the_map_is_read(tmp_path: Path) -> None:
    trace = {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "TRACEW"]}
    write(tmp_path / "a", 2, 1250, tags=ADC)
    longer = axial_grid((12, 12, 12), (3.0, 2.0, 2.0), (-101.0, -121.0, 37.0))
    for number, path in enumerate(write(tmp_path / "b", 2, 40, longer, tags=trace)):
        _edit(path, SOPInstanceUID=f"1.2.3.2.{number}")
        path.rename(tmp_path / "a" / "series2" / f"trace{path.name}")
    adc = read_adc_map(sorted((tmp_path / "a" / "series2").iterdir()))
    assert adc.volume.voxels.mean() == 1250


def _edit(path: Path, **elements: Any) -> None:
    import pydicom

    dataset = pydicom.dcmread(path)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
