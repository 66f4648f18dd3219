"""One reader for all kinds of masks: told by content; the public data; what is no mask at all."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import UID

from response.errors import InputError
from response.imaging.volume import Volume
from response.io.image_files import read_image_file
from response.io.images import read_series
from response.io.masks import Masks, read_masks
from tests.dicom_factory import axial_grid, write_ct_series
from tests.io.test_label_maps import drawn_labels, write_map
from tests.io.test_rtstruct import BOX
from tests.io.test_segmentations_frames import SHAPE, frames_of
from tests.rtstruct_factory import Roi, outline, write_structure_set
from tests.seg_factory import on_grid, plain_seg, random_mask, segment, volume_on


def series(folder: Path) -> Volume:
    grid = axial_grid()
    return read_series(write_ct_series(folder, np.zeros(grid.shape, np.int16), grid))


def test_one_lesion_in_three_kinds_of_files_on_a_series(tmp_path: Path) -> None:
    image = series(tmp_path / "ct")
    drawn = np.zeros(SHAPE, np.bool_)
    drawn[1:4, 4:10, 3:9] = True
    contours = [outline(image.grid, index, BOX) for index in (1, 2, 3)]
    paths = [
        plain_seg(tmp_path / "no name", frames_of(drawn), image),
        write_structure_set(tmp_path / "rt.nii.dcm", [Roi("lesion", contours)], image),
        write_map(tmp_path / "map.nii.gz", drawn.astype(np.uint8), image.grid),
    ]
    for path in paths:
        masks = read_masks(path, image)
        assert isinstance(masks, Masks)
        assert masks.grid is image.grid
        assert (masks.masks[0].corner, masks.masks[0].voxels.shape) == ((1, 4, 3), (3, 6, 6))
        assert (on_grid(masks.masks[0], SHAPE) == drawn).all()
        assert masks.masks[0].notes == ()
        assert list(masks.findings) == []
        assert masks.source == str(path)


def test_labels_and_threshold_are_handed_on(tmp_path: Path) -> None:
    path = write_map(tmp_path / "map.nii.gz", drawn_labels(), axial_grid())
    (tmp_path / "names.csv").write_text("1,first\n2,second\n7,third\n")
    named = read_masks(path, labels=tmp_path / "names.csv")
    assert [mask.name.label for mask in named.masks] == ["first", "second", "third"]
    values = np.arange(192).reshape(16, 12)
    path = plain_seg(tmp_path / "seg.dcm", [(1, 0, values)], volume_on(), kind="FRACTIONAL", bits=8)
    assert read_masks(path, threshold=0.25).masks[0].voxels.sum() == 192 - 64
    unused = read_masks(path, labels=tmp_path / "names.csv")
    assert [finding.id for finding in unused.findings if "table" in finding.sentence] == ["label_table_unused"]


def test_what_is_taken_for_an_organ_by_its_name_is_told(tmp_path: Path) -> None:
    drawn = random_mask(SHAPE)
    path = plain_seg(
        tmp_path / "seg.dcm",
        [*frames_of(drawn), *frames_of(drawn, 2)],
        volume_on(),
        segments=[segment(1, "Liver"), segment(2, "Lesion")],
    )
    masks = read_masks(path)
    assert [mask.name.is_organ for mask in masks.masks] == [True, False]
    assert [(finding.id, finding.severity) for finding in masks.findings] == [("taken_for_organs", "info")]
    assert masks.findings[0].sentence.endswith(": Liver.")


def test_what_is_no_mask(tmp_path: Path) -> None:
    image_file = write_ct_series(tmp_path / "ct", np.zeros((1, 16, 12), np.int16), axial_grid((1, 16, 12)))[0]
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    empty = tmp_path / "empty.dcm"
    empty.write_bytes(b"")
    surface = plain_seg(
        tmp_path / "surface.dcm",
        frames_of(random_mask(SHAPE)),
        volume_on(),
        edit=lambda dataset: setattr(dataset, "SOPClassUID", UID("1.2.840.10008.5.1.4.1.1.66.5")),
    )
    cases = [
        (image_file, "DICOM of the modality CT"),
        (text, "no DICOM file"),
        (empty, "an empty file"),
        (surface, "a surface segmentation"),
        (tmp_path, "a folder"),
        (tmp_path / "missing.dcm", "cannot be opened"),
        (tmp_path / "missing.nii.gz", "cannot be opened"),
    ]
    for path, message in cases:
        with pytest.raises(InputError, match=message) as error:
            read_masks(path)
        assert error.value.where == str(path)


def test_files_that_do_not_say_their_class_are_told_by_modality(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image)
    path.write_bytes(path.read_bytes().replace(b"\x08\0\x16\0UI", b"\x08\0\x17\0UI"))  # SOPClassUID to an unknown tag
    assert (on_grid(read_masks(path, image).masks[0], SHAPE) == drawn).all()


# --- Public data.


def test_seg_ct_tiny(shared_data: Path) -> None:
    folder = shared_data / "seg_ct_tiny" / "23x38x3"
    image = read_series(sorted((folder / "image").iterdir()))
    multi_frame = read_series([folder / "multiframe" / "mf.dcm"])
    seg, nrrd = folder / "seg" / "label.seg", folder / "nrrd" / "label.nrrd"
    found = [
        on_grid(read_masks(path, given).masks[0], (3, 38, 23))
        for path in (seg, nrrd)
        for given in (image, multi_frame, None)
    ]
    assert found[0].sum() == 322
    assert all((mask == found[0]).all() for mask in found)
    name = read_masks(seg, image).masks[0].name
    assert (name.label, name.kind, name.kind_code, name.is_organ) == ("Liver", "Liver", "T-62000^SRT", True)
    assert list(read_masks(seg, image).findings) == []
    assert [finding.id for finding in read_masks(seg, multi_frame).findings] == ["other_series"]


def test_seg_ct_mask(shared_data: Path) -> None:
    folder = shared_data / "seg_ct_mask"
    image = read_image_file(folder / "brain2_image.nrrd")
    masks = read_masks(folder / "brain2_label.nrrd", image)
    assert (masks.masks[0].notes, list(masks.findings)) == ((), [])
    values = image.voxels[on_grid(masks.masks[0], image.grid.shape)]
    assert len(values) == 453
    assert values.mean() == pytest.approx(390.7858719646799, abs=1e-9)
    assert (values.min(), values.max(), np.median(values)) == (8, 729, 375)
    with pytest.raises(InputError, match="wholly outside the image"):
        read_masks(folder / "brain2_label.nrrd", volume_on(axial_grid(origin=(500.0, 500.0, 500.0))))


@pytest.mark.slow
@pytest.mark.checkout
def test_the_benchmark_runs_on_a_small_volume(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(root / "tests" / "benchmarks" / "masks.py"), "--slices", "24", "--runs", "1"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "highdicom volume" in done.stdout
