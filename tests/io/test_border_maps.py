"""Maps of borders as files: label maps that lie over the image, pictures, one table; names that are safe anywhere."""

import csv
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from response.errors import InputError, MissingExtraError, OutputError
from response.imaging.border_map import GRADUAL, KINDS, NOT_JUDGED, RIM, SHARP, BorderMap
from response.imaging.morphology import Suggestion
from response.io import border_maps
from response.io.border_maps import TABLE, check_border_maps, refuse_among_inputs, write_border_maps
from response.io.border_pictures import ANGLES, plane_of, unrolled, write_picture
from response.io.slicer_segments import read_slicer_segments
from response.observed import SuggestedGroup
from tests.imaging.phantoms import PLAIN, SCANS, Metastasis, phantom, suggested
from tests.imaging.test_border_map import ball, oblique


def group_of(suggestion: Suggestion, **names: str) -> SuggestedGroup:
    told = {
        "subject": "S-1",
        "timepoint": "C1",
        "date": "2024-01-02",
        "lesion": "Lesion 1",
        "file": "mask.dcm",
        **names,
    }
    return SuggestedGroup(suggestion=suggestion, **told)


def plain(**names: str) -> SuggestedGroup:
    return group_of(suggested(phantom(PLAIN), with_border=True), **names)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)


def border_of(group: SuggestedGroup) -> BorderMap:
    assert group.suggestion.border is not None
    return group.suggestion.border


# --- label maps


def test_a_label_map_lies_over_the_image_in_the_patient(tmp_path: Path, no_pictures: None) -> None:
    grid = oblique()
    centre = grid.points(16, 45, 36)
    found = ball(grid, centre)
    path = write_border_maps([group_of(found)], tmp_path)[0]
    labels = SimpleITK.ReadImage(str(path))
    array = SimpleITK.GetArrayFromImage(labels)
    border = border_of(group_of(found))
    assert np.array_equal(array, border.labels)
    # The image by SimpleITK's own axes: the label at a point of the patient is that of the voxel of the image there.
    image = SimpleITK.Image(grid.columns, grid.rows, len(grid.origins), SimpleITK.sitkUInt8)
    image.SetOrigin(grid.origins[0].tolist())
    image.SetSpacing((grid.column_spacing_mm, grid.row_spacing_mm, grid.slice_spacing_mm))
    image.SetDirection(np.stack([grid.along_row, grid.along_column, grid.normal], axis=1).ravel().tolist())
    on_image = SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(labels, image, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor)
    )
    assert np.count_nonzero(on_image) == np.count_nonzero(array)
    for slice_index, row, column in np.argwhere(on_image)[::50].tolist():
        point = image.TransformIndexToPhysicalPoint((column, row, slice_index))
        assert np.linalg.norm(np.asarray(point) - centre) == pytest.approx(12, abs=2.5)  # 1.5 mm to both sides
        assert labels.GetPixel(labels.TransformPhysicalPointToIndex(point)) == on_image[slice_index, row, column]


def test_3d_slicer_finds_the_segments_by_name(tmp_path: Path, no_pictures: None) -> None:
    path, _ = write_border_maps([plain()], tmp_path)
    assert path.name == "S-1_2024-01-02_Lesion-1.seg.nrrd"
    segments = read_slicer_segments(path)
    assert [(segment.name.number, segment.name.label) for segment in segments] == [
        (1, "sharp"), (2, "gradual"), (3, "rim"), (4, "not judged")
    ]  # fmt: skip
    image = SimpleITK.ReadImage(str(path))
    assert image.GetMetaData("Segment2_LabelValue") == "3"
    assert image.GetMetaData("Segment1_Color") == "0.901961 0.623529 0.000000"  # E69F00
    columns, rows, slices = image.GetSize()
    assert image.GetMetaData("Segment0_Extent") == f"0 {columns - 1} 0 {rows - 1} 0 {slices - 1}"


# --- the table


def test_the_table_has_all_patches_of_all_lesions(tmp_path: Path, no_pictures: None) -> None:
    rimmed = group_of(suggested(phantom(Metastasis(rim_hu=150), SCANS[2]), with_border=True), lesion='=2+3,"x"')
    groups = [plain(), rimmed]
    write_border_maps(groups, tmp_path)
    with (tmp_path / TABLE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(border_of(group).patches.rays) for group in groups)
    assert {row["map"] for row in rows} == {path.name for path in tmp_path.glob("*.seg.nrrd")}
    assert {row["lesion"] for row in rows} == {"Lesion 1", '\'=2+3,"x"'}  # no formula
    first = rows[0]
    assert (first["subject"], first["timepoint"], first["date"]) == ("S-1", "C1", "2024-01-02")
    centre = [np.mean([float(row[name]) for row in rows]) for name in ("x_mm", "y_mm", "z_mm")]
    assert centre == pytest.approx((0, 0, 0), abs=1)
    assert {row["kind"] for row in rows} <= set(KINDS.values())
    assert all(row["has_rim"] == "Y" for row in rows if row["kind"] == "rim")
    assert all(row["is_sharp"] == "Y" and row["has_rim"] == "N" for row in rows if row["kind"] == "sharp")
    assert all(row["width_mm"] == "" for row in rows if row["kind"] == "not judged")
    assert "nan" not in (tmp_path / TABLE).read_text()


# --- names of files


NAMES = [
    # why                            subject   date          lesion                  name
    ("as they are", "S-1", "2024-01-02", "L1", "S-1_2024-01-02_L1"),
    ("blanks", "S 1", "2024-01-02", "Lesion 1", "S-1_2024-01-02_Lesion-1"),
    ("another folder", "../../etc", "2024-01-02", "a/b\\c", "etc_2024-01-02_a-b-c"),
    ("a name that Windows keeps for itself", "CON", "", "nul:", "CON_C1_nul"),
    ("no date: the timepoint", "S-1", "", "L1", "S-1_C1_L1"),
    ("a zero byte", "S\0", "2024-01-02", "L\n1", "S_2024-01-02_L-1"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "subject", "date", "lesion", "name"), NAMES, ids=[row[0] for row in NAMES])
def test_names_of_files(
    tmp_path: Path, no_pictures: None, *, why: str, subject: str, date: str, lesion: str, name: str
) -> None:
    write_border_maps([plain(subject=subject, date=date, lesion=lesion)], tmp_path / "maps")
    assert {path.name for path in (tmp_path / "maps").iterdir()} == {f"{name}.seg.nrrd", TABLE}
    assert [path.name for path in tmp_path.iterdir()] == ["maps"]


@pytest.mark.parametrize(
    ("why", "names"),
    [
        ("told apart by a letter that no name may have", ({"lesion": "a/b"}, {"lesion": "a\\b"})),
        ("by upper case, which some disks do not tell", ({"lesion": "L1"}, {"lesion": "l1"})),
        ("by what is cut off", ({"lesion": "x" * 300 + "1"}, {"lesion": "x" * 300 + "2"})),
        ("in other letters", ({"lesion": "肝1"}, {"lesion": "肺1"})),
        ("by the timepoint, on one date", ({"timepoint": "C1"}, {"timepoint": "C2"})),
        ("not at all", ({}, {})),
    ],
)
def test_no_map_replaces_another(
    tmp_path: Path, no_pictures: None, *, why: str, names: tuple[dict[str, str], dict[str, str]]
) -> None:
    groups = [plain(**each) for each in names]
    written = write_border_maps(groups, tmp_path)
    assert len({path.name.lower() for path in written}) == 3
    assert all(len(path.name) < 160 and path.name.isascii() for path in written)
    assert written == write_border_maps(groups, tmp_path)  # the same names again
    if names[0] != names[1]:  # and each lesion its own, in whatever order they come
        first = _map_of_each(tmp_path)
        write_border_maps(groups[::-1], tmp_path)
        assert _map_of_each(tmp_path) == first


def _map_of_each(folder: Path) -> set[tuple[str, ...]]:
    with (folder / TABLE).open(newline="", encoding="utf-8") as file:
        return {(row["timepoint"], row["lesion"], row["map"]) for row in csv.DictReader(file)}


# --- pictures


@pytest.mark.parametrize(
    ("why", "suggestion", "names"),
    [
        ("plain", lambda: suggested(phantom(PLAIN), with_border=True), {}),
        ("a name like a formula, and others", lambda: suggested(phantom(PLAIN), with_border=True),
         {"subject": "$\\frac$", "lesion": "肝 \x07\n\udce9" + "x" * 500}),
        ("oblique", lambda: ball(oblique(), oblique().points(16, 45, 36)), {"date": ""}),
    ],
)  # fmt: skip
def test_a_picture_is_drawn(tmp_path: Path, why: str, suggestion: Any, names: dict[str, str]) -> None:
    pytest.importorskip("matplotlib")
    written = write_border_maps([group_of(suggestion(), **names)], tmp_path)
    (picture,) = (path for path in written if path.suffix == ".png")
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
    assert (width, height) == (1300, 740)
    assert len(content) > 20_000


def test_a_lesion_without_a_group_is_drawn_too(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = suggested(phantom(PLAIN), with_border=True)
    write_picture(group_of(replace(found, group=None, reason="too little of its border")), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 20_000


def test_without_matplotlib_there_are_maps_and_a_finding(tmp_path: Path, no_pictures: None) -> None:
    groups = [plain()]
    assert {path.suffix for path in write_border_maps(groups, tmp_path)} == {".nrrd", ".csv"}
    (finding,) = check_border_maps(groups)
    assert (finding.id, finding.severity) == ("border_pictures_missing", "warning")
    assert "tumor-response[plots]" in finding.remedy
    with pytest.raises(MissingExtraError, match="plots"):
        write_picture(groups[0], tmp_path / "a.png")


def test_with_matplotlib_nothing_is_missing() -> None:
    pytest.importorskip("matplotlib")
    assert list(check_border_maps([plain()])) == []


def test_where_no_border_was_measured_there_is_a_finding(tmp_path: Path) -> None:
    assert [finding.id for finding in check_border_maps([])] == ["no_border_maps"]
    assert [path.name for path in write_border_maps([], tmp_path)] == [TABLE]


@pytest.mark.parametrize(
    ("normal", "name"),
    [
        ((0, 0, 1), "axial"),
        ((0, 0, -1), "axial"),
        ((0, 1, 0), "coronal"),
        ((-1, 0, 0), "sagittal"),
        ((0, 0.6, 0.8), "oblique axial"),
    ],
)
def test_planes_are_named_by_the_body(normal: tuple[float, float, float], name: str) -> None:
    assert plane_of(np.asarray(normal)) == name


def test_the_border_unrolled() -> None:
    # On the first slice four voxels around the middle of a square, on the second nothing.
    labels = np.zeros((2, 11, 11), np.uint8)
    labels[0, 5, 10], labels[0, 10, 5], labels[0, 5, 0], labels[0, 0, 5] = SHARP, GRADUAL, RIM, NOT_JUDGED
    found = unrolled(replace(border_of(plain()), labels=labels))
    assert found.shape == (2, ANGLES)
    quarter = ANGLES // 4  # along the rows, along the columns, and back
    assert [int(found[0, turn * quarter]) for turn in range(4)] == [SHARP, GRADUAL, RIM, NOT_JUDGED]
    assert np.count_nonzero(found) == 4


# --- whole or not at all


def test_if_one_file_fails_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(border_maps, "has_matplotlib", lambda: True)
    monkeypatch.setattr(border_maps, "write_picture", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_border_maps([plain()], tmp_path / "maps")
    assert list(tmp_path.iterdir()) == []


def test_maps_are_never_written_where_masks_are_read(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for folder in (tmp_path / "images", tmp_path / "images" / "deep" / "maps", tmp_path / "images" / ".." / "images"):
        with pytest.raises(InputError, match="would take the maps for segmentations"):
            refuse_among_inputs(folder, [tmp_path / "images"])
    refuse_among_inputs(tmp_path / "maps", [tmp_path / "images", tmp_path / "images" / "a.dcm"])
