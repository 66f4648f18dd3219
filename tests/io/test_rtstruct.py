"""Structure sets: outlines laid on slices by their positions, filled by the pixel-centre rule, and what is odd."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from response.errors import InputError
from response.imaging.grid import Grid
from response.imaging.volume import Volume
from response.io.mask_set import Masks
from response.io.rtstruct import read_structure_set
from tests.dicom_factory import axial_grid, oblique_grid, uid_of
from tests.imaging.test_regrid import tilted, turned
from tests.rtstruct_factory import Roi, outline, square, with_contour_data, write_structure_set
from tests.seg_factory import on_grid, volume_on, with_grid

Bools = NDArray[np.bool_]
SHAPE = (5, 16, 12)
BOX = square(3.5, 2.5, 9.5, 8.5)  # rows 4 to 9, columns 3 to 8


def boxes(*slices: int) -> Bools:
    mask = np.zeros(SHAPE, np.bool_)
    mask[list(slices), 4:10, 3:9] = True
    return mask


def read(
    tmp_path: Path, rois: Sequence[Roi], image: Volume, *, on: Volume | str | None = "its own", **more: Any
) -> Masks:
    path = write_structure_set(tmp_path / "rt.dcm", rois, image, **more)
    return read_structure_set(path, image if on == "its own" else on)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [axial_grid, oblique_grid, lambda: tilted(axial_grid())])
def test_outlines_on_slices_in_any_order(tmp_path: Path, make: Callable[[], Grid]) -> None:
    image = volume_on(make())
    masks = read(tmp_path, [Roi("lesion", [outline(image.grid, index, BOX) for index in (3, 1, 2)])], image)
    mask = masks.masks[0]
    assert (on_grid(mask, SHAPE) == boxes(1, 2, 3)).all()
    assert (mask.name.number, mask.name.label, mask.notes) == (11, "lesion", ())
    assert sorted(mask.outlines) == [1, 2, 3]
    for polygons in mask.outlines.values():
        assert len(polygons) == 1
        assert polygons[0] == pytest.approx(np.asarray(BOX), abs=1e-4)
    assert masks.findings == []
    assert (masks.is_own_grid, masks.referenced_series_uid) == (False, image.series_instance_uid)
    assert masks.frame_of_reference_uid == image.frame_of_reference_uid


KEYHOLE = [(3.5, 2.5), (3.5, 8.5), (9.5, 8.5), (9.5, 2.5), (6.5, 2.5), (6.5, 4.5), (7.5, 4.5), (7.5, 6.5), (5.5, 6.5),
           (5.5, 4.5), (6.5, 4.5), (6.5, 2.5)]  # fmt: skip

HOLES = [
    # what                 outlines of a slice                        type
    ("an inner contour", [BOX, square(5.5, 4.5, 7.5, 6.5)], "CLOSED_PLANAR"),
    ("exclusive or", [BOX, square(5.5, 4.5, 7.5, 6.5)], "CLOSEDPLANAR_XOR"),
    ("a keyhole", [KEYHOLE], "CLOSED_PLANAR"),
]


@pytest.mark.parametrize(("drawn", "kind"), [case[1:] for case in HOLES], ids=[case[0] for case in HOLES])
def test_holes(tmp_path: Path, drawn: list[list[tuple[float, float]]], kind: str) -> None:
    image = volume_on()
    contours = [outline(image.grid, 2, vertices) for vertices in drawn]
    masks = read(tmp_path, [Roi("lesion", contours, types=[kind] * len(contours))], image)
    expected = boxes(2)
    expected[2, 6:8, 5:7] = False
    assert (on_grid(masks.masks[0], SHAPE) == expected).all()
    assert len(masks.masks[0].outlines[2]) == len(drawn)
    assert masks.masks[0].notes == ()


def test_a_triangle(tmp_path: Path) -> None:
    image = volume_on()
    corner = outline(image.grid, 2, [(2.5, 2.5), (2.5, 6.5), (6.5, 2.5)])
    mask = read(tmp_path, [Roi("lesion", [corner])], image).masks[0]
    assert (mask.corner, mask.notes) == ((2, 3, 3), ())
    assert mask.voxels.astype(int).tolist() == [[[1, 1, 1], [1, 1, 0], [1, 0, 0]]]


def test_two_parts_on_a_slice(tmp_path: Path) -> None:
    image = volume_on()
    parts = [square(0.5, 0.5, 2.5, 2.5), square(10.5, 8.5, 12.5, 10.5)]
    mask = read(tmp_path, [Roi("lesion", [outline(image.grid, 2, part) for part in parts])], image).masks[0]
    expected = np.zeros(SHAPE, np.bool_)
    expected[2, 1:3, 1:3] = expected[2, 11:13, 9:11] = True
    assert (on_grid(mask, SHAPE) == expected).all()
    assert mask.notes == ()


def test_what_overlaps_is_outside_and_told(tmp_path: Path) -> None:
    image = volume_on()
    parts = [square(0.5, 0.5, 4.5, 4.5), square(2.5, 2.5, 6.5, 6.5)]
    mask = read(tmp_path, [Roi("lesion", [outline(image.grid, 2, part) for part in parts])], image).masks[0]
    assert mask.voxels.sum() == 16 + 16 - 2 * 4
    assert "overlap" in mask.notes[0]


def test_a_contour_that_stands_twice_is_used_once(tmp_path: Path) -> None:
    image = volume_on()
    mask = read(tmp_path, [Roi("lesion", [outline(image.grid, 2, BOX)] * 2)], image).masks[0]
    assert (on_grid(mask, SHAPE) == boxes(2)).all()
    assert mask.notes == ("1 contours stand twice, and were used once",)


# --- Where contours lie.

PLACES = [
    # what                                    slices and mm above them                filled        notes
    ("on the slices", [(1, 0), (2, 0)], (1, 2), ""),
    ("a little beside them", [(1, 0.2), (2, 0.2)], (1, 2), ""),
    ("beside them", [(1, 1.2), (2, 1.2)], (1, 2), "1.2 mm beside the slices"),
    ("nearer to the next ones", [(1, 1.8), (2, 1.8)], (2, 3), "1.2 mm beside the slices"),
    ("on every second slice: each stands for two", [(0, 0), (2, 0), (4, 0)], (0, 1, 2, 3, 4), "6 mm apart"),
    ("two, with a slice between", [(1, 0), (3, 0)], (1, 3), "slices without contour"),
    ("a slice is left out", [(0, 0), (1, 0), (3, 0), (4, 0)], (0, 1, 3, 4), "slices without contour"),
    ("two parts far apart", [(0, 0), (4, 0)], (0, 4), ""),
    ("nearer to each other than slices", [(1, 0), (1, 1.0), (2, 0)], (1, 2), "nearer to each other"),
    ("partly beyond the image", [(3, 0), (4, 0), (4, 3.0)], (3, 4), "1 contours lie where the image has no slice"),
]  # fmt: skip


@pytest.mark.parametrize(("places", "slices", "note"), [case[1:] for case in PLACES], ids=[case[0] for case in PLACES])
def test_places(tmp_path: Path, places: list[tuple[int, float]], slices: tuple[int, ...], note: str) -> None:
    image = volume_on(oblique_grid())
    image = with_grid(image, origins=image.grid.origins[0] + 3.0 * np.arange(5)[:, None] * image.grid.normal)
    contours = [outline(image.grid, index, BOX, above_mm=above) for index, above in places]
    masks = read(tmp_path, [Roi("lesion", contours)], image)
    mask = masks.masks[0]
    assert (on_grid(mask, SHAPE) == boxes(*slices)).all()
    assert sorted(mask.outlines) == list(slices)
    assert (note in " ".join(mask.notes)) if note else mask.notes == ()
    assert masks.findings == []


def test_contours_of_one_plane_with_uneven_depths_are_one_plane(tmp_path: Path) -> None:
    # The hole lies 0.1 mm above its outline.
    image = volume_on()
    contours = [outline(image.grid, 2, BOX), outline(image.grid, 2, square(5.5, 4.5, 7.5, 6.5), above_mm=0.1)]
    mask = read(tmp_path, [Roi("lesion", contours)], image).masks[0]
    assert mask.voxels.sum() == 36 - 4


def test_contours_of_another_series_with_thicker_slices(tmp_path: Path) -> None:
    image = volume_on(axial_grid((12, 16, 12), (1.0, 0.75, 0.5)))
    contours = [outline(image.grid, index, BOX, above_mm=0.25) for index in (2, 5, 8)]  # 3 mm apart
    mask = read(tmp_path, [Roi("lesion", contours), Roi("other", contours[:2])], image).masks[0]
    assert sorted(mask.outlines) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert "3 mm apart" in mask.notes[0]


def test_slices_that_the_image_lacks(tmp_path: Path) -> None:
    image = volume_on()
    contours = [outline(image.grid, index, BOX) for index in range(5)]
    part = with_grid(image, origins=image.grid.origins[[0, 1, 3, 4]])
    mask = read(tmp_path, [Roi("lesion", contours)], image, on=part).masks[0]
    assert sorted(mask.outlines) == [0, 1, 2, 3]
    assert mask.notes == ("1 contours lie where the image has no slice",)


def test_contours_beside_the_image(tmp_path: Path) -> None:
    image = volume_on()
    leaving = outline(image.grid, 2, square(12.5, 8.5, 20.5, 20.5))
    beside = outline(image.grid, 2, square(20, 20, 30, 30))
    above = outline(image.grid, 4, BOX, above_mm=30)
    masks = read(tmp_path, [Roi("leaving", [leaving]), Roi("beside", [beside]), Roi("above", [above])], image)
    assert [mask.name.label for mask in masks.masks] == ["leaving"]
    assert masks.masks[0].voxels.sum() == 3 * 3
    assert masks.masks[0].notes == ("contours leave the image at its sides",)
    assert [(finding.id, finding.severity, finding.lesion) for finding in masks.findings] == [
        ("structure_unusable", "error", "beside"),
        ("structure_unusable", "error", "above"),
    ]


def test_a_structure_smaller_than_a_pixel_is_told(tmp_path: Path) -> None:
    image = volume_on()
    rois = [
        Roi("tiny", [outline(image.grid, 2, square(3.2, 3.2, 3.8, 3.8))]),
        Roi("lesion", [outline(image.grid, 2, BOX)]),
    ]
    masks = read(tmp_path, rois, image)
    assert [mask.name.label for mask in masks.masks] == ["lesion"]
    assert "smaller than a pixel" in masks.findings[0].sentence


def test_contours_of_sagittal_slices_on_an_axial_image(tmp_path: Path) -> None:
    image = volume_on(axial_grid((8, 8, 8), (1.0, 1.0, 1.0)))
    sagittal = volume_on(turned(image.grid, (2, 0, 1), (1, 1, 1)))
    contours = [outline(sagittal.grid, index, square(1.5, 2.5, 4.5, 6.5)) for index in (2, 3, 4)]
    masks = read(tmp_path, [Roi("lesion", contours)], sagittal, on=image)
    mask = masks.masks[0]
    assert mask.voxels.sum() == 3 * 3 * 4
    assert mask.outlines == {}
    assert "resampled" in mask.notes[0]


# --- What is left out, and what is damaged.

LEFT_OUT = [
    # type             vertices                      note
    ("POINT", [(5.0, 5.0)], "1 points were left out"),
    ("OPEN_PLANAR", BOX, "1 open contours were left out"),
    ("OPEN_NONPLANAR", BOX, "1 open contours were left out"),
    ("CLOSED_PLANAR", [(1.0, 1.0), (2.0, 2.0)], "1 points were left out"),
]


@pytest.mark.parametrize(("kind", "vertices", "note"), LEFT_OUT)
def test_what_outlines_no_area_is_left_out(
    tmp_path: Path, kind: str, vertices: list[tuple[float, float]], note: str
) -> None:
    image = volume_on()
    extra = outline(image.grid, 3, vertices)
    whole = Roi("lesion", [outline(image.grid, 2, BOX), extra], types=["CLOSED_PLANAR", kind])
    masks = read(tmp_path, [whole, Roi("marker", [extra], types=[kind])], image)
    assert [mask.name.label for mask in masks.masks] == ["lesion"]
    assert (on_grid(masks.masks[0], SHAPE) == boxes(2)).all()
    assert masks.masks[0].notes == (note,)
    assert [(finding.id, finding.severity) for finding in masks.findings] == [("structure_without_area", "info")]


def test_a_structure_without_contours_is_not_lost(tmp_path: Path) -> None:
    image = volume_on()
    masks = read(tmp_path, [Roi("empty"), Roi("lesion", [outline(image.grid, 2, BOX)])], image)
    assert [(mask.name.label, mask.voxels.size) for mask in masks.masks] == [("empty", 0), ("lesion", 36)]


DAMAGED = [
    # what                     contour data
    ("no number", ["1", "2", "NaN", "4", "5", "6", "7", "8", "9"]),
    ("infinite", ["1", "2", "inf", "4", "5", "6", "7", "8", "9"]),
    ("a text", ["1", "2", "x", "4", "5", "6", "7", "8", "9"]),
    ("no whole points", ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]),
    ("nothing", []),
    ("kilometres away", ["1e9", "2", "3", "4", "5", "6", "7", "8", "9"]),
]


@pytest.mark.parametrize("data", [case[1] for case in DAMAGED], ids=[case[0] for case in DAMAGED])
def test_damaged_contours_cost_only_their_structure(tmp_path: Path, data: list[str]) -> None:
    image = volume_on()
    good = outline(image.grid, 2, BOX)

    damage = with_contour_data("\\".join(data).encode())
    masks = read(tmp_path, [Roi("damaged", [good, good * 1.001]), Roi("lesion", [good])], image, edit=damage)
    assert [mask.name.label for mask in masks.masks] == ["lesion"]
    assert [(finding.id, finding.severity, finding.lesion) for finding in masks.findings] == [
        ("structure_unusable", "error", "damaged")
    ]
    assert "1 of its contours" in masks.findings[0].sentence


def test_contours_that_are_no_planes(tmp_path: Path) -> None:
    image = volume_on()
    bent = outline(image.grid, 2, BOX)
    bent[0] += 10 * image.grid.normal
    masks = read(
        tmp_path,
        [Roi("bent", [bent, outline(image.grid, 3, BOX)]), Roi("lesion", [outline(image.grid, 2, BOX)])],
        image,
    )
    assert [mask.name.label for mask in masks.masks] == ["lesion"]
    assert "not parallel to the slices" in masks.findings[0].sentence


def test_contours_that_rise_by_less_than_half_a_slice(tmp_path: Path) -> None:
    image = volume_on()
    bent = outline(image.grid, 2, BOX)
    bent[0] += 1.2 * image.grid.normal  # slices are 3 mm apart
    masks = read(tmp_path, [Roi("lesion", [bent])], image)
    assert (on_grid(masks.masks[0], SHAPE) == boxes(2)).all()


def test_contours_of_no_number(tmp_path: Path) -> None:
    image = volume_on()
    rois = [Roi("lesion", [outline(image.grid, 2, BOX)]), Roi("b", [outline(image.grid, 3, BOX)])]

    def forget(dataset: Dataset) -> None:
        del dataset.ROIContourSequence[1].ReferencedROINumber

    masks = read(tmp_path, rois, image, edit=forget)
    assert [(mask.name.number, mask.name.label, mask.voxels.size) for mask in masks.masks] == [
        (11, "lesion", 36),
        (12, "b", 0),
        (0, "", 36),
    ]


def without(*keywords: str) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        for keyword in keywords:
            dataset.pop(keyword)

    return edit


def test_no_contours_at_all(tmp_path: Path) -> None:
    image = volume_on()
    rois = [Roi("lesion", [outline(image.grid, 2, BOX)])]
    with pytest.raises(InputError, match="no closed contours"):
        read(tmp_path, rois, image, edit=without("ROIContourSequence"))
    with pytest.raises(InputError, match="no closed contours"):
        read(tmp_path, [Roi("lesion")], image)


def test_contours_without_names(tmp_path: Path) -> None:
    image = volume_on()
    rois = [Roi("lesion", [outline(image.grid, 2, BOX)])]
    edit = without("StructureSetROISequence", "RTROIObservationsSequence")
    masks = read(tmp_path, rois, image, edit=edit)
    assert [(mask.name.number, mask.name.label) for mask in masks.masks] == [(11, "")]


def test_contours_in_another_frame_of_reference(tmp_path: Path) -> None:
    image = volume_on()
    contour = [outline(image.grid, 2, BOX)]
    elsewhere = Roi("on MR", contour, elements={"ReferencedFrameOfReferenceUID": uid_of("MR")})
    masks = read(tmp_path, [elsewhere, Roi("on CT", contour)], image)
    assert [mask.name.label for mask in masks.masks] == ["on CT"]
    assert "another frame of reference" in masks.findings[0].sentence
    with pytest.raises(InputError, match="another frame of reference"):
        read(tmp_path, [Roi("lesion", contour)], image, on=volume_on(series="1.2.3", frame_of_reference="1.2.4"))


def test_contours_longer_than_explicit_lengths(tmp_path: Path) -> None:
    # More than 65535 bytes: written as UN, for the length of DS has 16 bits only.
    image = volume_on(axial_grid((3, 200, 200), (3.0, 0.5, 0.5)))
    angles = np.linspace(0, 2 * np.pi, 10_000, endpoint=False)
    circle = [(100 + 80 * np.cos(angle), 100 + 80 * np.sin(angle)) for angle in angles]
    mask = read(tmp_path, [Roi("lesion", [outline(image.grid, 1, circle)])], image).masks[0]
    assert mask.voxels.sum() == pytest.approx(np.pi * 80**2, rel=0.003)


def test_damaged_bytes_give_a_result_or_our_own_error(tmp_path: Path) -> None:
    image = volume_on()
    contours = [outline(image.grid, index, BOX) for index in range(5)]
    path = write_structure_set(tmp_path / "rt.dcm", [Roi("lesion", contours, kind="GTV"), Roi("b", contours)], image)
    whole = path.read_bytes()
    random, damaged = np.random.default_rng(8), tmp_path / "damaged.dcm"
    for turn in range(60):
        data = bytearray(whole if turn % 4 else whole[: random.integers(200, len(whole))])
        for at in random.integers(132, len(data), 3):
            data[at] = random.integers(256)
        damaged.write_bytes(data)
        for given in (image, None):
            try:
                masks = read_structure_set(damaged, given)
            except InputError:
                continue
            assert all(mask.voxels.ndim == 3 for mask in masks.masks)
