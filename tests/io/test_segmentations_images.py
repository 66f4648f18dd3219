"""Whether a segmentation belongs to an image, and what happens where it does only in part."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from response.errors import InputError
from response.imaging.volume import Volume
from response.io.segmentations import read_segmentation
from tests.dicom_factory import axial_grid, oblique_grid, uid_of
from tests.io.test_segmentations_frames import SHAPE, frames_of
from tests.seg_factory import (
    item,
    on_grid,
    plain_seg,
    position_of,
    random_mask,
    volume_on,
    with_grid,
)

# --- On which image.


def other(image: Volume, *, series: bool = True, frame: bool = False, nameless: bool = False) -> Volume:
    """Return the image as another series, in another frame of reference, or without one."""
    uids = [uid_of("other", index) for index in range(5)]
    changed = replace(image, series_instance_uid=uid_of("other"), sop_instance_uids=uids) if series else image
    if frame:
        changed = replace(changed, frame_of_reference_uid=uid_of("other frame"))
    return replace(changed, frame_of_reference_uid="") if nameless else changed


def forget(*keywords: str) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        for keyword in keywords:
            dataset.pop(keyword)

    return edit


SERIES_TAG, FRAME_TAG = "ReferencedSeriesSequence", "FrameOfReferenceUID"
IMAGES = [
    # what                                 image                                        left out           told
    ("its own", lambda i: i, (), None),
    ("another series, same frame", other, (), "other_series"),
    ("another series and frame", lambda i: other(i, frame=True), (), InputError),
    ("its own, but another frame", lambda i: other(i, series=False, frame=True), (), "other_frame_of_reference"),
    ("another series, no frames", lambda i: other(i, nameless=True), (), InputError),
    ("another series, mask without frame", other, (FRAME_TAG,), InputError),
    ("a mask that names no series", lambda i: i, (SERIES_TAG,), None),
    ("a mask that names no series, other frame", lambda i: other(i, frame=True), (SERIES_TAG,), InputError),
    ("a mask that names nothing", lambda i: i, (SERIES_TAG, FRAME_TAG), "unnamed_image"),
    ("an image without identity", lambda i: replace(other(i, nameless=True), series_instance_uid="",
                                                    sop_instance_uids=[""] * 5), (), "unnamed_image"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "left_out", "told"), [case[1:] for case in IMAGES], ids=[case[0] for case in IMAGES]
)
def test_masks_are_measured_on_no_other_image_in_silence(
    tmp_path: Path, change: Callable[[Volume], Volume], left_out: tuple[str, ...], told: str | type[InputError] | None
) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image, edit=forget(*left_out))
    if told is InputError:
        with pytest.raises(InputError, match=r"drawn (on|in) another"):
            read_segmentation(path, change(image))
        return
    masks = read_segmentation(path, change(image))
    assert (on_grid(masks.masks[0], SHAPE) == drawn).all()
    assert [finding.id for finding in masks.findings] == ([told] if told else [])


def test_another_phase_in_the_same_series_is_told(tmp_path: Path) -> None:
    # One series may hold an arterial and a portal venous phase at the same positions.
    image, drawn = volume_on(), random_mask(SHAPE)
    phase = replace(image, sop_instance_uids=[uid_of("portal venous", index) for index in range(5)])
    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image)
    for given in (phase, replace(phase, frame_of_reference_uid="")):
        assert [finding.id for finding in read_segmentation(path, given).findings] == ["other_images"]
    with pytest.raises(InputError, match="another frame of reference"):
        read_segmentation(path, replace(phase, frame_of_reference_uid=uid_of("other frame")))


# --- An image that does not hold all of the mask.


def test_masks_beyond_the_image(tmp_path: Path) -> None:
    image = volume_on()
    drawn = np.zeros(SHAPE, np.bool_)
    drawn[1:4, 4:8, 4:6] = True
    frames = [*frames_of(drawn), *((2, index, drawn[1]) for index in (0, 1)), (3, 4, drawn[1])]
    path = plain_seg(tmp_path / "seg.dcm", frames, image)
    part = with_grid(image, origins=image.grid.origins[2:])
    part = replace(part, sop_instance_uids=image.sop_instance_uids[2:], frame_numbers=[0] * 3)
    masks = read_segmentation(path, part)
    assert [mask.name.number for mask in masks.masks] == [1, 3]
    assert (on_grid(masks.masks[0], (3, 16, 12)) == drawn[2:]).all()
    assert masks.masks[0].notes == ("8 of 24 voxels lie where the image has none",)
    assert masks.masks[1].notes == ()
    assert [(finding.id, finding.severity, finding.lesion) for finding in masks.findings] == [
        ("mask_off_image", "error", "Segment 2")
    ]


def test_a_mask_on_another_grid_is_resampled_with_a_note(tmp_path: Path) -> None:
    image = volume_on(axial_grid((6, 16, 12), (3.0, 1.0, 1.0)))
    fine = volume_on(axial_grid((6, 32, 24), (3.0, 0.5, 0.5), (-100.25, -120.25, 40.0)))
    drawn = np.zeros((6, 32, 24), np.bool_)
    drawn[2:4, 8:16, 6:12] = True
    masks = read_segmentation(plain_seg(tmp_path / "seg.dcm", frames_of(drawn, slices=range(6)), fine), image)
    expected = np.zeros((6, 16, 12), np.bool_)
    expected[2:4, 4:8, 3:6] = True
    assert (on_grid(masks.masks[0], image.grid.shape) == expected).all()
    assert "resampled by nearest neighbour" in masks.masks[0].notes[0]


def test_what_resampling_loses_is_told(tmp_path: Path) -> None:
    image = volume_on(axial_grid((6, 16, 12), (3.0, 1.0, 1.0)))
    fine = volume_on(axial_grid((6, 32, 24), (3.0, 0.5, 0.5), (-100.25, -120.25, 40.0)))
    drawn = np.zeros((6, 32, 24), np.bool_)
    drawn[2, 9, 7] = True  # its centre is nearest to no centre of the image
    with_lesion = frames_of(drawn, slices=range(6))
    masks = read_segmentation(plain_seg(tmp_path / "seg.dcm", with_lesion, fine), image)
    found = [on_grid(mask, image.grid.shape).sum() for mask in masks.masks]
    assert found == [1] or [finding.id for finding in masks.findings] == ["mask_off_image"]


@pytest.mark.parametrize("shift", ["row", "slice"])
def test_masks_wholly_outside_are_refused(tmp_path: Path, shift: str) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    step = 300 * (image.grid.along_row if shift == "row" else image.grid.normal)
    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), with_grid(image, origins=image.grid.origins + step))
    with pytest.raises(InputError, match="wholly outside the image"):
        read_segmentation(path, image)


def test_rows_and_columns_have_their_own_spacing(tmp_path: Path) -> None:
    # 0.75 between rows and 0.5 between columns: where they are exchanged, the mask fits no longer.
    image, drawn = volume_on(), random_mask(SHAPE)

    def exchange(dataset: Dataset) -> None:
        measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        measures.PixelSpacing = measures.PixelSpacing[::-1]

    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image, edit=exchange)
    masks = read_segmentation(path, image)
    assert "resampled" in masks.masks[0].notes[0]
    assert read_segmentation(path).grid.row_spacing_mm == 0.5


def test_positions_rounded_by_their_writer_are_the_same(tmp_path: Path) -> None:
    image, drawn = volume_on(oblique_grid()), random_mask(SHAPE)

    def rounded(index: int, groups: Dataset) -> None:
        place = [f"{float(value):.2f}" for value in position_of(image.grid, index)]
        groups.PlanePositionSequence = [item(ImagePositionPatient=place)]

    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image, edit_frame=rounded)
    masks = read_segmentation(path, image)
    assert (on_grid(masks.masks[0], SHAPE) == drawn).all()
    assert masks.masks[0].notes == ()
