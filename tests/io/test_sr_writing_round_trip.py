"""From a table to reports and back: the same measurements, whatever the spelling and wherever the points stand."""

from pathlib import Path

import numpy as np
import pytest

import response
from response.columns import COLUMNS
from response.io.sr_evidence import point_of
from response.io.sr_writing import write_reports
from response.observations import Observation
from response.vocabulary import organ_of
from tests.sr_trials import CREATED, Images, assessed, axes_cells, lesion_row, measured_rows, write_images

KINDS = ["on images", "in 3D", "as texts"]
POINTS = ("longest_from", "longest_to", "short_from", "short_to")
NUMBERS = ("longest_mm", "short_mm", "attenuation_hu", "attenuation_sd_hu", "area_mm2", "volume_mm3")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return write_images(tmp_path_factory.mktemp("images"))


def observations(folder: Path) -> list[Observation]:
    from response.io.dicom_sr import read_report

    return [item for path in sorted(folder.glob("*.dcm")) for item in read_report(path).observations]


def lesion_of(item: Observation) -> str:
    return item.name.label or item.name.tracking_id  # a tool of OHIF takes the identifier


@pytest.mark.parametrize("axes", ["standard", "ohif"])
@pytest.mark.parametrize("kind", KINDS)
def test_measurements_come_back(axes: str, kind: str, images: Images, tmp_path: Path) -> None:
    rows = measured_rows(images)
    if kind == "in 3D":
        rows = [{**row, "frame_of_reference_uid": "1.2.3.4", "sop_instance_uid": ""} for row in rows]
    paths = images.folder if kind == "on images" else None
    write_reports(assessed(rows, tmp_path), tmp_path / "sr", images=paths, axes=axes, created=CREATED)  # type: ignore[arg-type]
    found = {(item.timepoint, lesion_of(item)): item for item in observations(tmp_path / "sr")}
    assert len(found) == len(rows)
    for row in rows:
        item = found[row["timepoint"], row["lesion"]]
        assert (item.subject, item.date, item.name.role) == (row["subject"], row["date"], row["role"])
        assert organ_of(item.name.site) == organ_of(row["organ"])
        if row.get("tracking_uid"):
            assert item.name.tracking_uid == row["tracking_uid"]
        for column in NUMBERS:
            assert item.cells.get(column, "") == row.get(column, ""), column
        assert item.cells.get("state", "") == row.get("state", "")
        _same_points(item, row)
        if kind == "on images" and row["lesion"] == "T1":
            assert item.cells["sop_instance_uid"] == row["sop_instance_uid"]


def _same_points(item: Observation, row: dict[str, str]) -> None:
    for column in POINTS:
        written, read = point_of(row.get(column, "")), point_of(item.cells.get(column, ""))
        assert (written is None) == (read is None), column
        if written is not None and read is not None:
            assert np.allclose(written, read, atol=1e-3)


def test_one_tracking_uid_stands_for_a_lesion_in_all_reports(images: Images, tmp_path: Path) -> None:
    write_reports(assessed(measured_rows(images), tmp_path), tmp_path / "sr", axes="ohif")
    uids: dict[str, set[str]] = {}
    for item in observations(tmp_path / "sr"):
        uids.setdefault(lesion_of(item), set()).add(item.name.tracking_uid)
    assert {lesion: len(found) for lesion, found in uids.items()} == {"T1": 1, "N1": 1, "NT1": 1}


# One cell of each kind that no code of a standard holds.
OTHER_CELLS = {
    "location": "segment 7",
    "nodal": "no",
    "lesion_type": "cystic",
    "previously_treated": "progressed_since",
    "local_therapy": "2023-05",
    "state": "measured",
    "trend": "increased",
    "viable_mm": "12.5",
    "nodule": "growing",
    "morphology": "2",
    "necrosis_fraction": "0.25",
    "modality": "CT",
    "phase": "portal_venous",
    "slice_thickness_mm": "1.25",
    "ct_correlate": "known_stable",
    "reason": "motion; 100 % of it\nsecond line",
    "diameter_convention": "contour",
    "diameter_notes": 'a chord leaves the lesion: "0.4 mm"',
    "attenuation_median_hu": "33.5",
    "attenuation_min_hu": "-100",
    "attenuation_max_hu": "250.125",
    "attenuation_p10_hu": "-5",
    "kernel": "B30f\\2",
    "kvp": "120",
    "comparable": "yes",
    "voxels": "1234",
    "vascular_pattern": "typical",
    "cytology": "positive",
    "injected": "yes",
    "zone_enhancement": "nodular",
    "tissue": "enhancing",
    "pathology_class": "c",
    **{f"{name}_finding": "decreased" for name in ("necrosis", "fibrosis", "cystic", "calcification", "haemorrhage")},
    **{f"{name}_finding": "new" for name in ("interface", "rim", "fat", "enhancement")},
    "enhancement_change": "fill_in",
}


@pytest.mark.parametrize("axes", ["standard", "ohif"])
def test_nothing_of_a_row_is_lost(axes: str, images: Images, tmp_path: Path) -> None:
    row = lesion_row(longest_mm="20", **axes_cells(images.grid), frame_of_reference_uid="1.2.3.4", **OTHER_CELLS)
    write_reports(assessed([row], tmp_path), tmp_path / "sr", axes=axes)  # type: ignore[arg-type]
    (item,) = observations(tmp_path / "sr")
    assert {column: item.cells.get(column) for column in OTHER_CELLS} == OTHER_CELLS


def test_every_column_of_words_has_a_case() -> None:
    words = {name for name, column in COLUMNS.items() if column.kind == "code"}
    assert words - set(OTHER_CELLS) == {"role", "accepted", "baseline"}  # a code of its own; of the timepoint


EVALUATORS = """\
subject,evaluator,timepoint,date,lesion,role,organ,longest_mm
A,R1,0,2024-01-02,T1,target,liver,50
A,R1,1,2024-03-02,T1,target,liver,30
A,R2,0,2024-01-02,T1,target,liver,50
A,R2,1,2024-03-02,T1,target,liver,61
B,R1,0,2024-01-02,T1,target,lung,40
B,R1,1,2024-03-02,T1,target,lung,0
"""


def test_responses_of_each_evaluator_come_back(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(EVALUATORS)
    before = response.assess(response.read(tmp_path / "in.csv"), ["recist-1.1"])
    write_reports(before, tmp_path / "sr")
    after = response.assess(response.read(tmp_path / "sr"), ["recist-1.1"])
    columns = ["subject", "evaluator", "timepoint", "date", "target", "overall", "sum_mm", "nadir_mm", "rule"]
    assert after.timepoints[columns].astype(str).to_dict("records") == before.timepoints[columns].astype(str).to_dict(
        "records"
    )
