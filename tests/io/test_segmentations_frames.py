"""Frames in any order, with what other programs leave out or turn round; placed by position, never by index."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from response.errors import InputError
from response.imaging.grid import Grid
from response.imaging.volume import Volume
from response.io.segmentations import read_segmentation
from tests.dicom_factory import axial_grid, oblique_grid, uid_of
from tests.imaging.test_regrid import tilted, turned
from tests.seg_factory import (
    decimals,
    item,
    on_grid,
    orientation_of,
    plain_seg,
    random_mask,
    segment,
    spacing_of,
    volume_on,
    with_grid,
)

Bools = NDArray[np.bool_]
SHAPE = (5, 16, 12)


def frames_of(mask: Bools, number: int = 1, slices: range | list[int] = range(5)) -> list[tuple[int, int, Bools]]:
    return [(number, index, mask[index]) for index in slices]


def read_one(path: Path, image: Volume) -> Bools:
    masks = read_segmentation(path, image)
    assert [mask.name.number for mask in masks.masks] == [1]
    return on_grid(masks.masks[0], masks.grid.shape)


# --- Order.


@pytest.mark.parametrize("make", [axial_grid, oblique_grid, lambda: tilted(axial_grid())])
def test_frames_in_any_order(tmp_path: Path, make: Callable[[], Grid]) -> None:
    image, one, two = volume_on(make()), random_mask(SHAPE, 1), random_mask(SHAPE, 2)
    frames = [*frames_of(one), *frames_of(two, 2)]
    order = np.random.default_rng(5).permutation(len(frames))
    masks = read_segmentation(plain_seg(tmp_path / "seg.dcm", [frames[i] for i in order], image), image)
    for mask, drawn in zip(masks.masks, (one, two), strict=True):
        assert (on_grid(mask, SHAPE) == drawn).all()
    assert masks.findings == []


def test_frames_on_part_of_the_slices(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    found = read_one(plain_seg(tmp_path / "seg.dcm", frames_of(drawn, slices=[4, 1]), image), image)
    assert (found[[1, 4]] == drawn[[1, 4]]).all()
    assert not found[[0, 2, 3]].any()


def test_two_frames_at_one_place_must_be_the_same(tmp_path: Path) -> None:
    # They differ where all positions are the first one, or several times stand in one file.
    image, drawn = volume_on(), random_mask(SHAPE, 1)
    other = drawn[3].copy()
    other[5, 5] ^= True
    frames = [(1, 3, drawn[3]), (1, 3, drawn[3]), (2, 3, drawn[3]), (2, 3, other), (2, 1, drawn[1])]
    masks = read_segmentation(plain_seg(tmp_path / "seg.dcm", frames, image), image)
    assert [mask.name.number for mask in masks.masks] == [1]
    assert (on_grid(masks.masks[0], SHAPE)[3] == drawn[3]).all()
    assert [(finding.id, finding.severity, finding.lesion) for finding in masks.findings] == [
        ("frames_contradict", "error", "Segment 2")
    ]


# --- Another orientation or part of the image.


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("signs", [(1, 1, -1), (-1, 1, 1), (1, -1, -1)])
def test_frames_in_another_orientation(
    tmp_path: Path, order: tuple[int, int, int], signs: tuple[int, int, int]
) -> None:
    image = volume_on(oblique_grid())
    turned_image = with_grid(image, **vars(turned(image.grid, order, signs)))
    turned_image = replace(turned_image, sop_instance_uids=[uid_of(i) for i in range(turned_image.grid.shape[0])])
    drawn = random_mask(turned_image.grid.shape)
    frames = frames_of(drawn, slices=range(len(drawn)))
    masks = read_segmentation(plain_seg(tmp_path / "seg.dcm", frames, turned_image), image)
    found = on_grid(masks.masks[0], SHAPE)
    assert found.sum() == drawn.sum()
    for index in np.ndindex(*drawn.shape):
        point = turned_image.grid.points(index[0], index[1], index[2])
        there = int(np.argmin(np.abs(image.grid.depths_mm - point @ image.grid.normal)))
        row, column = np.rint(image.grid.in_plane(point, there)).astype(int)
        assert found[there, row, column] == drawn[index]


def test_frames_that_show_a_part_of_the_slices(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask((6, 5))
    start = image.grid.points(2, 4, 3)
    path = plain_seg(
        tmp_path / "seg.dcm",
        [(1, 2, drawn)],
        image,
        edit_frame=lambda _, groups: setattr(groups, "PlanePositionSequence", [position(start)]),
    )
    found = read_one(path, image)
    assert (found[2, 4:10, 3:8] == drawn).all()
    assert found.sum() == drawn.sum()


def position(point: NDArray[np.float64]) -> Dataset:
    return item(ImagePositionPatient=decimals(point))


def test_frames_with_orientation_and_spacing_of_their_own(tmp_path: Path) -> None:
    image, drawn = volume_on(oblique_grid()), random_mask(SHAPE)

    def move(_index: int, groups: Dataset) -> None:
        groups.PlaneOrientationSequence = [item(ImageOrientationPatient=orientation_of(image.grid))]
        groups.PixelMeasuresSequence = [item(PixelSpacing=spacing_of(image.grid))]

    path = plain_seg(
        tmp_path / "seg.dcm",
        frames_of(drawn),
        image,
        edit_frame=move,
        edit=lambda dataset: dataset.pop("SharedFunctionalGroupsSequence"),
    )
    assert (read_one(path, image) == drawn).all()


def test_frames_in_sequences_of_undefined_length(tmp_path: Path) -> None:
    # pydicom parses these at once; those of a length are left as bytes.
    image, drawn = volume_on(oblique_grid()), random_mask(SHAPE)

    def move(_index: int, groups: Dataset) -> None:
        groups.PlaneOrientationSequence = [item(ImageOrientationPatient=orientation_of(image.grid))]
        groups.PixelMeasuresSequence = [item(PixelSpacing=spacing_of(image.grid))]

    def undefined(dataset: Dataset) -> None:
        del dataset.SharedFunctionalGroupsSequence
        dataset["PerFrameFunctionalGroupsSequence"].is_undefined_length = True

    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image, edit_frame=move, edit=undefined)
    assert (read_one(path, image) == drawn).all()


def test_directions_and_spacings_that_are_rounded_frame_by_frame(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)

    def round_off(index: int, groups: Dataset) -> None:
        last = "0.9999999" if index % 2 else "1"
        groups.PlaneOrientationSequence = [item(ImageOrientationPatient=["1", "0", "0", "0", last, "0"])]
        groups.PixelMeasuresSequence = [item(PixelSpacing=["0.75", "0.5"], SpacingBetweenSlices=f"{3 + index / 100}")]

    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image, edit_frame=round_off)
    assert (read_one(path, image) == drawn).all()


def test_frames_of_another_orientation_than_most_are_told(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)

    def turn(index: int, groups: Dataset) -> None:
        if index == 3:
            groups.PlaneOrientationSequence = [item(ImageOrientationPatient=["0", "1", "0", "1", "0", "0"])]

    path = plain_seg(tmp_path / "seg.dcm", [*frames_of(drawn), (2, 1, drawn[1])], image, edit_frame=turn)
    masks = read_segmentation(path, image)
    assert [mask.name.number for mask in masks.masks] == [2]
    assert [finding.id for finding in masks.findings] == ["segment_incomplete"]


# --- Positions that are missing: by the image that a frame names.


def drop_position(_index: int, groups: Dataset) -> None:
    del groups.PlanePositionSequence


def nan_position(_index: int, groups: Dataset) -> None:
    groups.PlanePositionSequence[0].ImagePositionPatient = ["NaN", "0", "0"]


@pytest.mark.parametrize("edit", [drop_position, nan_position])
def test_positions_from_the_images_that_frames_name(tmp_path: Path, edit: Callable[[int, Dataset], None]) -> None:
    image, drawn = volume_on(oblique_grid()), random_mask(SHAPE)
    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn, slices=[3, 0, 4, 1, 2]), image, edit_frame=edit)
    masks = read_segmentation(path, image)
    assert (on_grid(masks.masks[0], SHAPE) == drawn).all()
    assert [(finding.id, finding.severity) for finding in masks.findings] == [("position_from_image", "info")]


def test_no_geometry_at_all_but_the_images_that_frames_name(tmp_path: Path) -> None:
    image, drawn = volume_on(oblique_grid()), random_mask(SHAPE)
    path = plain_seg(
        tmp_path / "seg.dcm",
        frames_of(drawn),
        image,
        edit_frame=drop_position,
        edit=lambda dataset: dataset.pop("SharedFunctionalGroupsSequence"),
    )
    assert (read_one(path, image) == drawn).all()
    with pytest.raises(InputError, match="pixel spacing that is missing"):
        read_segmentation(path)


def test_frames_with_other_pixels_are_not_placed_by_the_images_that_they_name(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)

    def change(index: int, groups: Dataset) -> None:
        if index == 5:
            drop_position(index, groups)
            groups.PixelMeasuresSequence = [item(PixelSpacing=["0.75", "0.6"])]

    path = plain_seg(tmp_path / "seg.dcm", [*frames_of(drawn), (2, 0, drawn[0])], image, edit_frame=change)
    masks = read_segmentation(path, image)
    assert [mask.name.number for mask in masks.masks] == [1]
    assert [finding.id for finding in masks.findings] == ["segment_incomplete"]


def test_frames_without_a_sound_spacing_are_left_out_even_where_they_are_most(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)

    def change(index: int, groups: Dataset) -> None:
        if index < 3:
            groups.PixelMeasuresSequence = [item(PixelSpacing=["0", "0"])]

    frames = [*frames_of(drawn, slices=[0, 1, 2]), *frames_of(drawn, 2, [3, 4])]
    masks = read_segmentation(plain_seg(tmp_path / "seg.dcm", frames, image, edit_frame=change), image)
    assert [mask.name.number for mask in masks.masks] == [2]
    assert (on_grid(masks.masks[0], SHAPE)[3:] == drawn[3:]).all()


def test_frames_of_a_multi_frame_image(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    image = replace(image, sop_instance_uids=["1.2.3"] * 5, frame_numbers=[3, 1, 5, 2, 4])

    def name_frame(index: int, groups: Dataset) -> None:
        drop_position(index, groups)
        groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber = image.frame_numbers[index]

    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image, edit_frame=name_frame)
    assert (read_one(path, image) == drawn).all()


def test_a_frame_that_names_several_images_is_not_placed_by_them(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)

    def name_all(index: int, groups: Dataset) -> None:
        if index == 2:
            drop_position(index, groups)
            sources = [item(ReferencedSOPInstanceUID=uid) for uid in image.sop_instance_uids]
            groups.DerivationImageSequence[0].SourceImageSequence = sources

    path = plain_seg(tmp_path / "seg.dcm", [*frames_of(drawn), (2, 0, drawn[0])], image, edit_frame=name_all)
    masks = read_segmentation(path, image)
    assert [mask.name.number for mask in masks.masks] == [2]
    assert masks.findings[0].id == "segment_incomplete"
    assert masks.findings[0].found == "1 unusable frames"


# --- Its own grid.


def spacing_stated(millimetres: str) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        measures.SpacingBetweenSlices = millimetres

    return edit


OWN = [
    # what                                            slices          stated   own slices, spacing
    ("slices without frames are filled in", [0, 1, 4], "", 5, 3.0),
    ("all gaps are even: they count, not what is stated", [0, 2, 4], "3.0", 3, 6.0),
    ("two frames far apart: what is stated counts", [0, 4], "3.0", 5, 3.0),
    ("two frames far apart, nothing stated", [0, 4], "", 2, 12.0),
    ("a wrong statement (thickness) does not count", [0, 1, 2], "5.0", 3, 3.0),
    ("a statement that divides no gap does not count", [0, 2, 3], "2.2", 4, 3.0),
    ("one frame, stated: an empty neighbour tells it", [2], "3.0", 2, 3.0),
    ("one frame, nothing stated", [2], "", 1, 0.0),
]


@pytest.mark.parametrize(("slices", "stated", "count", "spacing"), [case[1:] for case in OWN], ids=[c[0] for c in OWN])
def test_own_grid(tmp_path: Path, slices: list[int], stated: str, count: int, spacing: float) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)  # slices are 3 mm apart, and 9 mm thick
    path = plain_seg(
        tmp_path / "seg.dcm",
        frames_of(drawn, slices=slices),
        image,
        edit=spacing_stated(stated) if stated else None,
    )
    masks = read_segmentation(path)
    assert masks.is_own_grid
    assert masks.grid.shape == (count, 16, 12)
    assert masks.grid.slice_spacing_mm == pytest.approx(spacing)
    assert masks.grid.origins[0] == pytest.approx(image.grid.origins[slices[0]])
    assert masks.masks[0].voxels.sum() == drawn[slices].sum()
    assert [finding.id for finding in masks.findings] == (["slice_spacing_unknown"] if not spacing else [])
    assert read_segmentation(path, image).findings == []  # where there is an image, its slices tell


# --- Numbers and names.


def drop_number(_index: int, groups: Dataset) -> None:
    del groups.SegmentIdentificationSequence


def test_a_single_segment_need_not_be_named_by_its_frames(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    path = plain_seg(tmp_path / "seg.dcm", frames_of(drawn), image, edit_frame=drop_number)
    assert (read_one(path, image) == drawn).all()


def test_frames_of_no_segment_among_several_are_told(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    path = plain_seg(
        tmp_path / "seg.dcm",
        [*frames_of(drawn), (2, 0, drawn[0])],
        image,
        edit_frame=lambda index, groups: drop_number(index, groups) if index == 5 else None,
    )
    masks = read_segmentation(path, image)
    assert [(mask.name.number, bool(mask.voxels.size)) for mask in masks.masks] == [(1, True), (2, False)]
    assert [(finding.id, finding.severity) for finding in masks.findings] == [("frames_without_segment", "error")]


def test_numbers_that_are_not_in_a_row(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    path = plain_seg(
        tmp_path / "seg.dcm",
        [(7, 1, drawn[1]), (3, 2, drawn[2]), (9, 0, drawn[0])],
        image,
        segments=[segment(7, "B"), segment(3, "A")],
    )
    masks = read_segmentation(path, image)
    assert [(mask.name.number, mask.name.label) for mask in masks.masks] == [(7, "B"), (3, "A"), (9, "")]
    assert [mask.notes for mask in masks.masks] == [(), (), ("its segment number is not described in the file",)]


def test_segments_without_a_number_have_their_place(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    path = plain_seg(
        tmp_path / "seg.dcm",
        [(1, 1, drawn[1]), (2, 2, drawn[2])],
        image,
        segments=[item(SegmentLabel="A"), item(SegmentLabel="B")],
    )
    assert [(mask.name.number, mask.name.label) for mask in read_segmentation(path, image).masks] == [
        (1, "A"),
        (2, "B"),
    ]


def test_a_number_that_is_described_twice(tmp_path: Path) -> None:
    image, drawn = volume_on(), random_mask(SHAPE)
    path = plain_seg(
        tmp_path / "seg.dcm", frames_of(drawn), image, segments=[segment(1, "first"), segment(1, "second")]
    )
    masks = read_segmentation(path, image)
    assert [mask.name.label for mask in masks.masks] == ["first"]
    assert [(finding.id, finding.lesion) for finding in masks.findings] == [("segment_number_ambiguous", "second")]
