"""Label maps of NIfTI, NRRD and MetaImage files, and the segments of 3D Slicer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from response.errors import InputError
from response.imaging.grid import Grid
from response.io.label_maps import read_label_map
from tests.dicom_factory import axial_grid, oblique_grid
from tests.imaging.test_regrid import turned
from tests.seg_factory import on_grid, volume_on


def write_map(path: Path, labels: NDArray[Any], grid: Grid, metadata: Mapping[str, str] | None = None) -> Path:
    """Write labels `[slice, row, column]`, or `[slice, row, column, layer]`, with SimpleITK."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(labels, isVector=labels.ndim == 4)
    image.SetSpacing([grid.column_spacing_mm, grid.row_spacing_mm, grid.slice_spacing_mm or 1.0])
    image.SetOrigin([*grid.origins[0]])
    image.SetDirection(np.stack([grid.along_row, grid.along_column, grid.normal], axis=1).ravel().tolist())
    for key, value in (metadata or {}).items():
        image.SetMetaData(key, value)
    SimpleITK.WriteImage(image, str(path))
    return path


def drawn_labels(shape: tuple[int, ...] = (5, 16, 12)) -> NDArray[np.uint8]:
    labels = np.zeros(shape, np.uint8)
    labels[1:3, 2:9, 3:7], labels[3, 5:12, 2:9], labels[0, 0, 0] = 1, 2, 7
    return labels


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"])
@pytest.mark.parametrize("make", [axial_grid, oblique_grid])
def test_labels_on_their_image(tmp_path: Path, suffix: str, make: Any) -> None:
    image, labels = volume_on(make()), drawn_labels()
    path = write_map(tmp_path / f"labels{suffix}", labels, image.grid)
    masks = read_label_map(path, image)
    assert [mask.name.number for mask in masks.masks] == [1, 2, 7]
    for mask in masks.masks:
        assert (on_grid(mask, labels.shape) == (labels == mask.name.number)).all()
        assert (mask.notes, mask.name.label) == ((), "")
    assert masks.findings == []
    assert not masks.is_own_grid
    own = read_label_map(path)
    assert own.is_own_grid
    assert own.grid.origins == pytest.approx(image.grid.origins, abs=1e-3)


@pytest.mark.parametrize("signs", [(1, -1, 1), (-1, 1, 1), (1, -1, -1)])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
def test_labels_in_another_orientation(
    tmp_path: Path, order: tuple[int, int, int], signs: tuple[int, int, int]
) -> None:
    # Marks in three places tell every axis and direction.
    image = volume_on(oblique_grid())
    grid = turned(image.grid, order, signs)
    labels = np.zeros(grid.shape, np.uint8)
    marks = {1: (0, 1, 2), 2: (3, 4, 3), 3: (2, 0, 4)}
    for label, place in marks.items():
        labels[place] = label
    masks = read_label_map(write_map(tmp_path / "labels.nii.gz", labels, grid), image)
    for mask in masks.masks:
        point = grid.points(marks[mask.name.number][0], *marks[mask.name.number][1:])
        assert image.grid.points(mask.corner[0], *mask.corner[1:]) == pytest.approx(point, abs=1e-3)
        assert mask.voxels.shape == (1, 1, 1)
        assert mask.notes == ()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(*[st.integers(1, 7)] * 3), st.integers(0, 100), st.sampled_from([np.uint8, np.int16, np.float32]))
def test_random_labels(tmp_path: Path, shape: tuple[int, int, int], seed: int, kind: Any) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, shape).astype(kind)
    masks = read_label_map(write_map(tmp_path / "labels.nrrd", labels, axial_grid(shape)))
    assert [mask.name.number for mask in masks.masks] == sorted(set(labels.ravel().tolist()) - {0})
    for mask in masks.masks:
        assert (on_grid(mask, shape) == (labels == mask.name.number)).all()


# --- Names.


def test_names_of_a_table_that_is_given(tmp_path: Path) -> None:
    path = write_map(tmp_path / "labels.nii.gz", drawn_labels(), axial_grid())
    table = tmp_path / "names.csv"
    table.write_text("value,name,role,organ\n2,upper,target,liver\n1,Liver,,\n5,gone,target,lung\n")
    (tmp_path / "labels.csv").write_text("value,name\n1,not this one\n")
    masks = read_label_map(path, labels=table)
    assert [(mask.name.number, mask.name.label, mask.voxels.size) for mask in masks.masks] == [
        (2, "upper", 49),
        (1, "Liver", 56),
        (5, "gone", 0),
        (7, "", 1),
    ]
    assert [mask.name.role for mask in masks.masks] == ["target", "", "target", ""]
    assert [mask.name.is_organ for mask in masks.masks] == [False, True, False, False]


def test_names_of_a_table_beside(tmp_path: Path) -> None:
    path = write_map(tmp_path / "case_1.nii.gz", drawn_labels(), axial_grid())
    (tmp_path / "dataset.json").write_text('{"labels": {"background": 0, "Liver": 1, "tumor": 2, "cyst": 7}}')
    assert [mask.name.label for mask in read_label_map(path).masks] == ["Liver", "tumor", "cyst"]


def test_a_file_beside_that_is_no_table(tmp_path: Path) -> None:
    path = write_map(tmp_path / "case_1.nii.gz", drawn_labels(), axial_grid())
    (tmp_path / "case_1.json").write_text('{"RepetitionTime": 2.5}')
    masks = read_label_map(path)
    assert [mask.name.label for mask in masks.masks] == ["", "", ""]
    assert [(finding.id, finding.severity) for finding in masks.findings] == [("label_table_unused", "info")]
    with pytest.raises(InputError, match="no label values"):
        read_label_map(path, labels=tmp_path / "case_1.json")


# --- 3D Slicer.

TERMS = (
    "Segmentation.Status:inprogress|TerminologyEntry:Segmentation category and type - 3D Slicer General Anatomy list"
    "~SCT^{category}~SCT^{kind}~^^~Anatomic codes - DICOM master list~SCT^{region}~SCT^{side}|"
)
MASS = TERMS.format(
    category="49755003^Morphologically Altered Structure",
    kind="4147007^Mass",
    region="64033007^Kidney",
    side="7771000^Left",
)
LIVER = TERMS.format(category="123037004^Anatomical Structure", kind="10200004^Liver", region="^", side="^").replace(
    "SCT^^", "^^"
)


def segment_fields(number: int, name: str, value: int, layer: int, tags: str = "") -> dict[str, str]:
    start = f"Segment{number}_"
    return {
        f"{start}ID": f"Segment_{number}",
        f"{start}Name": name,
        f"{start}LabelValue": str(value),
        f"{start}Layer": str(layer),
        f"{start}Extent": "0 1 0 1 0 1",
        f"{start}Tags": tags,
    }


def test_segments_of_slicer_in_one_layer(tmp_path: Path) -> None:
    fields = {
        **segment_fields(0, "Liver", 1, 0, LIVER),
        **segment_fields(1, "Target 1", 2, 0, MASS),
        **segment_fields(2, "empty", 3, 0),
    }
    path = write_map(tmp_path / "a.seg.nrrd", drawn_labels(), axial_grid(), fields)
    (tmp_path / "a.csv").write_text("value,name\n1,not this one\n")
    masks = read_label_map(path)
    assert [(mask.name.number, mask.name.label, mask.voxels.size > 0) for mask in masks.masks] == [
        (1, "Liver", True),
        (2, "Target 1", True),
        (3, "empty", False),
        (7, "", True),
    ]
    liver, lesion = (mask.name for mask in masks.masks[:2])
    assert (liver.is_organ, liver.kind_code) == (True, "10200004^SCT")
    assert (lesion.is_organ, lesion.role, lesion.kind, lesion.site) == (False, "target", "Mass", "left Kidney")
    given = tmp_path / "given.csv"
    given.write_text("value,name\n1,this one\n")
    assert read_label_map(path, labels=given).masks[0].name.label == "this one"


def test_overlapping_segments_of_slicer_in_layers(tmp_path: Path) -> None:
    one, two, three = (np.random.default_rng(seed).random((5, 16, 12)) < 0.4 for seed in range(3))
    layers = np.stack([np.where(one, 1, 0), np.where(three, 2, np.where(two, 1, 0))], axis=-1).astype(np.uint8)
    fields = {
        **segment_fields(0, "one", 1, 0),
        **segment_fields(1, "two", 1, 1),
        **segment_fields(2, "three", 2, 1),
    }
    path = write_map(tmp_path / "a.seg.nrrd", layers, oblique_grid(), fields)
    masks = read_label_map(path, volume_on(oblique_grid()))
    expected = {"one": one, "two": two & ~three, "three": three}
    assert [mask.name.label for mask in masks.masks] == list(expected)
    for mask in masks.masks:
        assert (on_grid(mask, (5, 16, 12)) == expected[mask.name.label]).all()


def test_segments_of_older_slicers_have_a_layer_each(tmp_path: Path) -> None:
    layers = np.stack([drawn_labels() == 1, drawn_labels() == 2], axis=-1).astype(np.uint8)
    fields = {"Segment0_ID": "Segment_1", "Segment0_Name": "first", "Segment1_ID": "Segment_2"}
    masks = read_label_map(write_map(tmp_path / "a.seg.nrrd", layers, axial_grid(), fields))
    assert [(mask.name.label, mask.voxels.sum()) for mask in masks.masks] == [("first", 56), ("Segment_2", 49)]


def test_a_table_names_a_label_in_all_layers(tmp_path: Path) -> None:
    layers = np.stack([drawn_labels(), drawn_labels() == 2], axis=-1).astype(np.uint8)
    path = write_map(tmp_path / "a.nrrd", layers, axial_grid())
    (tmp_path / "a.csv").write_text("value,name\n1,one\n2,two\n9,nine\n")
    assert [(mask.name.label, mask.name.number) for mask in read_label_map(path).masks] == [
        ("one", 1),
        ("one", 1),
        ("two", 2),
        ("nine", 9),
        ("", 7),
    ]


# --- Header extensions of NIfTI.

CARET = """<?xml version="1.0"?> <CaretExtension> <VolumeInformation Index="0"> <LabelTable>
<Label Key="0" Red="0" Green="0" Blue="0" Alpha="0"><![CDATA[???]]></Label>
<Label Key="1" Red="1" Green="0" Blue="0" Alpha="1"><![CDATA[liver]]></Label>
<Label Key="2" Red="0" Green="1" Blue="0" Alpha="1">tumour &amp; rim</Label>
<Label Key="5" Red="0" Green="1" Blue="0" Alpha="1"><![CDATA[spleen]]></Label>
</LabelTable> </VolumeInformation> </CaretExtension>"""


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_names_in_the_header_of_a_nifti_file(tmp_path: Path, suffix: str) -> None:
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(drawn_labels().T, np.diag([-0.5, -0.75, 3, 1]))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, CARET.encode()))
    path = tmp_path / f"labels{suffix}"
    nibabel.save(image, path)
    masks = read_label_map(path)
    assert [(mask.name.number, mask.name.label, mask.name.is_organ) for mask in masks.masks] == [
        (1, "liver", True),
        (2, "tumour & rim", False),
        (5, "spleen", True),
        (7, "", False),
    ]
    assert [int(mask.voxels.sum()) for mask in masks.masks] == [56, 49, 0, 1]


# --- What is no label map, or not of this image.


def test_what_is_no_label_map(tmp_path: Path) -> None:
    grid = axial_grid()
    noise = np.random.default_rng(1)
    cases: dict[str, tuple[NDArray[Any], str]] = {
        "ct": (noise.integers(-1000, 1000, grid.shape).astype(np.int16), "values below 0"),
        "probability": (noise.random(grid.shape).astype(np.float32), "no whole numbers"),
        "huge": (np.arange(70_000, dtype=np.int32).reshape(7, 100, 100), "69999 different values"),
    }
    for name, (values, message) in cases.items():
        path = write_map(tmp_path / f"{name}.nii.gz", values, axial_grid(values.shape))
        with pytest.raises(InputError, match=message):
            read_label_map(path)


def test_many_labels_without_names_are_told(tmp_path: Path) -> None:
    labels = np.arange(960, dtype=np.int16).reshape(5, 16, 12) % 200
    path = write_map(tmp_path / "a.nii.gz", labels, axial_grid())
    masks = read_label_map(path)
    assert len(masks.masks) == 199
    assert [finding.id for finding in masks.findings] == ["many_labels"]


def test_another_grid_is_resampled_and_another_place_refused(tmp_path: Path) -> None:
    image = volume_on(axial_grid((6, 16, 12), (3.0, 1.0, 1.0)))
    fine = axial_grid((6, 32, 24), (3.0, 0.5, 0.5), (-100.25, -120.25, 40.0))
    labels = np.zeros(fine.shape, np.uint8)
    labels[2, 8:16, 6:12] = 1
    masks = read_label_map(write_map(tmp_path / "a.nii.gz", labels, fine), image)
    assert (masks.masks[0].corner, masks.masks[0].voxels.shape) == ((2, 4, 3), (1, 4, 3))
    assert "resampled" in masks.masks[0].notes[0]
    far = axial_grid((6, 16, 12), (3.0, 1.0, 1.0), (500, 0, 0))
    path = write_map(tmp_path / "b.nii.gz", np.ones(far.shape, np.uint8), far)
    with pytest.raises(InputError, match="wholly outside"):
        read_label_map(path, image)


def test_ten_thousand_labels(tmp_path: Path) -> None:
    labels = np.zeros((4, 100, 100), np.uint16)
    labels[:, ::2, ::2] = np.arange(1, 10_001).reshape(4, 50, 50)
    path = write_map(tmp_path / "a.nrrd", labels, axial_grid(labels.shape))
    masks = read_label_map(path)
    assert [mask.name.number for mask in masks.masks] == list(range(1, 10_001))
    assert all(mask.voxels.size == 1 for mask in masks.masks)
