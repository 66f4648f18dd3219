"""Diameters by hand: conventions, slices, parts, concave lesions, oblique grids, borders, memory layouts."""

from math import hypot, sqrt
from typing import Any

import numpy as np
import pytest

from response.errors import InputError
from response.imaging.diameters import Diameters, measure_diameters
from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.options import CONVENTIONS, MeasureOptions
from tests.imaging.diameter_shapes import CORNER, ORIGIN, drawn, grid_for, in_pixels, mask_of, measured

ONE, LINE, BOX = "#", "#####", "#### #### ####"
BY_HAND = [
    # why, mask, convention, longest, short (pixels of 1 mm)
    ("a pixel has its own size", ONE, "contour", 1, 1),
    ("a pixel has no extent between its centre and itself", ONE, "pixel_centres", 0, 0),
    ("a pixel from corner to corner", ONE, "pixel_edges", sqrt(2), sqrt(2)),
    ("five in a row: not eroded", LINE, "contour", 5, 1),
    ("five in a row, between centres", LINE, "pixel_centres", 4, 0),
    ("five in a row, middles of sides", LINE, "mid_edges", 5, 1),
    ("five in a row, corner to corner", LINE, "pixel_edges", hypot(5, 1), hypot(5, 1) / 5),
    ("3 x 4 between centres", BOX, "pixel_centres", hypot(2, 3), 2 * hypot(2, 3) / 3),
    ("3 x 4 between corners", BOX, "pixel_edges", 5, 3 * 5 / 4),
    ("3 x 4 between middles: from (0, -.5) to (2, 3.5)", BOX, "mid_edges", hypot(2, 4), None),
    ("a cross: arms are met where they are", "..#.. ..#.. ##### ..#.. ..#..", "pixel_centres", 4, 4),
    ("touching at a corner is one lesion", "#. .#", "pixel_centres", sqrt(2), 0),
    ("apart by a row is two: the longer one", "###. .... ..##", "pixel_centres", 2, 0),
    ("a ring is measured over its hole", "##### #...# #...# #...# #####", "pixel_centres", 4 * sqrt(2), 4 * sqrt(2)),
]


@pytest.mark.parametrize(("why", "text", "convention", "longest", "short"), BY_HAND, ids=[case[0] for case in BY_HAND])
def test_by_hand(why: str, text: str, convention: str, longest: float, short: float | None) -> None:
    found = measured(drawn(text), convention)
    assert found.longest_mm == pytest.approx(longest)
    if short is not None:
        assert found.short_mm == pytest.approx(short)
    assert found.convention == convention


def test_no_voxel_no_diameters() -> None:
    for shape in ((0, 0, 0), (2, 3, 4)):
        voxels = np.zeros(shape, np.bool_)
        assert measure_diameters(mask_of(voxels), grid_for(voxels), MeasureOptions()) is None


def test_rows_and_columns_have_their_own_spacing() -> None:
    # 3 rows 2 mm apart, 4 columns 0.5 mm apart: the diagonal between centres is 4 mm down and 1.5 mm across
    found = measured(drawn(BOX), "pixel_centres", spacing_mm=(3.0, 2.0, 0.5))
    assert found.longest_mm == pytest.approx(hypot(4, 1.5))
    assert found.short_mm == pytest.approx(1.5 * hypot(4, 1.5) / 4)  # of a box: short side by diagonal by long side
    assert found.area_mm2 == pytest.approx(12 * 2.0 * 0.5)


def test_a_single_pixel_of_uneven_sides_has_both_sizes() -> None:
    found = measured(drawn(ONE), "contour", spacing_mm=(3.0, 2.0, 0.5))
    assert (found.longest_mm, found.short_mm) == pytest.approx((2.0, 0.5))


def test_the_longest_diameter_counts_not_the_largest_area() -> None:
    found = measured(drawn("###### ...... ......", "####.. ####.. ####.."), "pixel_centres")
    assert (found.slice_index, found.longest_mm) == (CORNER[0], 5.0)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("inside", [False, True])
def test_of_equal_slices_the_lowest_counts(convention: str, inside: bool) -> None:
    empty, full = "... ... ...", "##. ### .##"
    assert measured(drawn(empty, full, full, empty, full), convention, inside=inside).slice_index == CORNER[0] + 1


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_of_equal_parts_and_pairs_the_first_counts(convention: str) -> None:
    found = measured(drawn("##..## ##..## ...... ##..##"), convention)
    ends = in_pixels(found.longest_ends, found, (1.0, 1.0, 1.0))
    assert (ends < 1.6).all()  # in the first square
    assert tuple(ends[0]) < tuple(ends[1])
    assert found.components == 4


def test_ends_lie_in_the_patient() -> None:
    found = measured(drawn("..... .###.", "##### ....."), "pixel_centres", spacing_mm=(5.0, 2.0, 0.5))
    # slice 3 of the grid, row 3; columns 5 to 9
    z, y = ORIGIN[2] + 3 * 5.0, ORIGIN[1] + 3 * 2.0
    assert found.longest_ends.tolist() == [[ORIGIN[0] + 5 * 0.5, y, z], [ORIGIN[0] + 9 * 0.5, y, z]]


def test_ends_on_an_oblique_grid_by_hand() -> None:
    # Sagittal, the head up: rows go down the patient (-z), columns to the back (+y), slices to the left (+x).
    axes = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))
    grid = Grid.of_axes(origin=(7.0, -50.0, 90.0), directions=axes, spacing_mm=(4.0, 1.5, 0.5), shape=(9, 9, 9))
    mask = LesionMask(name=StructureName(), corner=(1, 2, 3), voxels=drawn("#. #. ##"))
    found = measure_diameters(mask, grid, MeasureOptions(diameter_convention="pixel_centres"))
    assert found is not None
    # from row 2, column 3 to row 4, column 4 of slice 1
    assert found.longest_ends.tolist() == [[11.0, -48.5, 87.0], [11.0, -48.0, 84.0]]
    assert found.longest_mm == pytest.approx(hypot(3.0, 0.5))


def test_chords_are_at_a_right_angle_whatever_the_grid() -> None:
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    row, column = np.mgrid[-9:10, -9:10]
    voxels = ((row / 8.3) ** 2 + (column / 5.1) ** 2 + row * column / 60 <= 1)[None]
    grid = Grid.of_axes(origin=(1.0, 2.0, 3.0), directions=turn, spacing_mm=(5.0, 0.7, 0.9), shape=(9, 40, 40))
    for convention in CONVENTIONS:
        found = measure_diameters(mask_of(voxels), grid, MeasureOptions(diameter_convention=convention))
        assert found is not None
        longest, short = np.diff(found.longest_ends, axis=0)[0], np.diff(found.short_ends, axis=0)[0]
        assert longest @ short == pytest.approx(0, abs=1e-9)
        assert np.linalg.norm(longest) == pytest.approx(found.longest_mm)
        assert np.linalg.norm(short) == pytest.approx(found.short_mm)
        assert np.allclose(np.concatenate([found.longest_ends, found.short_ends]) @ turn[0], grid.origins[2] @ turn[0])


CONCAVE = {
    "a horseshoe": "####### ####### ##...## ##...## ##...##",
    "an L": "##...... ##...... ##...... ##...... ##...... ######## ########",
    "a ring": "####### #.....# #.....# #.....# #.....# #.....# #######",
    "a cleft of one pixel": "#####.##### #####.##### #####.##### #####.##### ###########",
}
CONVEX = {
    "a box": BOX,
    "a line": LINE,
    "an oblique line": "##....... ..###.... .....###. ........#",
    "a diagonal line": "#... .#.. ..#. ...#",
    "a disc": ".###. ##### ##### ##### .###.",
}  # fmt: skip


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("shape", CONCAVE)
def test_a_chord_that_leaves_is_flagged(shape: str, convention: str) -> None:
    assert measured(drawn(CONCAVE[shape]), convention).leaves_lesion


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("shape", CONVEX)
def test_steps_of_the_border_are_no_cleft(shape: str, convention: str) -> None:
    assert not measured(drawn(CONVEX[shape]), convention).leaves_lesion


def test_a_perpendicular_alone_that_leaves_is_flagged() -> None:
    # The long bar is within; across it, between the two prongs of the left end, lies air.
    found = measured(
        drawn("####............... ...#............... ################### ...#............... ####...............")
    )
    assert found.longest_mm > 18
    assert found.leaves_lesion


def inside(text: str, convention: str) -> Diameters:
    return measured(drawn(text), convention, inside=True)


INSIDE = [
    # why, mask, longest between pixel centres that stays within
    ("a ring: along a side", "##### #...# #...# #...# #####", 4.0),
    ("a thick horseshoe: along its outer side", "####### ####### ##...## ##...## ##...## ##...## ##...##", 6.082763),
    ("an L: along its longer arm", "##...... ##...... ##...... ##...... ##...... ######## ########", hypot(7, 1)),
    ("two bars apart: the longer one", "###### ...... ####..", 5.0),
    ("convex: as without the option", BOX, hypot(2, 3)),
]


@pytest.mark.parametrize(("why", "text", "longest"), INSIDE, ids=[case[0] for case in INSIDE])
def test_chords_stay_inside(why: str, text: str, longest: float) -> None:
    found = inside(text, "pixel_centres")
    assert found.longest_mm == pytest.approx(longest, abs=1e-6)
    assert not found.leaves_lesion
    assert found.short_mm <= found.longest_mm + 1e-9


def test_inside_the_slice_counts_on_which_the_longest_stays_within() -> None:
    ring = ".#####. #.....# #.....# #.....# #.....# #.....# .#####."
    bar = "....... ....... ....... ####### ....... ....... ......."
    assert measured(drawn(ring, bar), "pixel_centres").slice_index == CORNER[0]
    found = measured(drawn(ring, bar), "pixel_centres", inside=True)
    assert (found.slice_index, found.longest_mm) == (CORNER[0] + 1, 6.0)


def test_the_section_is_the_measured_part_on_its_slice() -> None:
    voxels = drawn("##.... ......", "####.# ####.#")
    found = measured(voxels)
    assert found.slice_index == CORNER[0] + 1
    assert np.array_equal(found.section, drawn("####.. ####..")[0])
    assert (found.area_mm2, found.components) == (8.0, 2)


def test_a_part_keeps_its_holes_and_loses_what_lies_in_them() -> None:
    text = "####### #.....# #.###.# #.###.# #.....# #######"
    found = measured(drawn(text))
    assert np.array_equal(found.section, drawn("####### #.....# #.....# #.....# #.....# #######")[0])
    assert (found.area_mm2, found.components) == (22.0, 2)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("within", [False, True])
def test_memory_layout_changes_nothing(convention: str, within: bool) -> None:
    rng = np.random.default_rng(7)
    voxels = rng.random((6, 12, 15)) < 0.6
    layouts = {
        "C": voxels,
        "Fortran": np.asfortranarray(voxels),
        "reversed in memory": voxels[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
        "every second of a larger one": np.repeat(voxels, 2, axis=2)[:, :, ::2],
        "a view of bytes": voxels.astype(np.uint8).view(np.bool_),
    }
    found = [measured(one, convention, spacing_mm=(2.0, 0.7, 0.9), inside=within) for one in layouts.values()]
    for one in found[1:]:
        assert np.array_equal(one.longest_ends, found[0].longest_ends)
        assert np.array_equal(one.short_ends, found[0].short_ends)


def test_where_the_crop_lies_changes_nothing() -> None:
    voxels = drawn("##### ##### ##### #####")  # several pairs are equally long
    grid = Grid.of_axes(
        origin=ORIGIN, directions=((0, 0, 1), (0, 1, 0), (1, 0, 0)), spacing_mm=(1, 0.3, 0.3), shape=(1, 900, 900)
    )
    ends = []
    for corner in ((0, 1, 1), (0, 333, 777), (0, 890, 3)):
        mask = LesionMask(name=StructureName(), corner=corner, voxels=voxels)
        found = measure_diameters(mask, grid, MeasureOptions())
        assert found is not None
        ends.append(np.round(found.longest_ends - grid.points(0, corner[1], corner[2]), 6).tolist())
    assert ends[0] == ends[1] == ends[2]


def at_border(corner: tuple[int, int, int], shape: tuple[int, int, int]) -> tuple[str, ...]:
    grid = Grid.of_axes(origin=ORIGIN, directions=((0, 0, 1), (0, 1, 0), (1, 0, 0)), spacing_mm=(1, 1, 1), shape=shape)
    mask = LesionMask(name=StructureName(), corner=corner, voxels=drawn("...... .####. .####. ......"))
    found = measure_diameters(mask, grid, MeasureOptions())
    assert found is not None
    assert found.longest_mm == pytest.approx(sqrt(17))  # cut or not, it is measured
    return found.notes


BORDERS = [
    ("room on all sides", (0, 5, 5), (1, 20, 20), 0),
    ("the crop reaches the border, the lesion does not", (0, 0, 0), (1, 4, 6), 0),
    ("the first row", (0, -1, 5), (1, 20, 20), 1),
    ("the first column", (0, 5, -1), (1, 20, 20), 1),
    ("the last row", (0, 5, 5), (1, 8, 20), 1),
    ("the last column", (0, 5, 5), (1, 20, 10), 1),
]


@pytest.mark.parametrize(("why", "corner", "shape", "notes"), BORDERS, ids=[case[0] for case in BORDERS])
def test_a_lesion_at_the_border_of_the_image_is_told(
    why: str, corner: tuple[int, int, int], shape: tuple[int, int, int], notes: int
) -> None:
    assert len(at_border(corner, shape)) == notes


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), float("inf")])
def test_a_grid_without_spacing_is_refused(spacing: float) -> None:
    grid = grid_for(drawn(BOX), (1.0, 1.0, spacing))
    with pytest.raises(InputError, match="pixels of"):
        measure_diameters(mask_of(drawn(BOX)), grid, MeasureOptions())


def scattered() -> Any:
    mask = np.zeros((1, 300, 300), np.bool_)
    mask[0, ::3, ::3] = True
    mask[0, 150, 150:152] = True
    return mask


@pytest.mark.parametrize("within", [False, True])
def test_ten_thousand_tiny_parts(within: bool) -> None:
    found = measured(scattered(), "contour", inside=within)
    assert (found.longest_mm, found.short_mm, found.components) == pytest.approx((2.0, 1.0, 10_000))
    assert np.argwhere(found.section).tolist() == [[150, 150], [150, 151]]


def test_a_winding_contour_is_searched_through_a_part_of_its_points() -> None:
    row, column = np.mgrid[-150:151, -150:151]
    far = np.hypot(row, column)
    ring = ((far < 149.5) & (far > 140.5))[None]
    found = measured(ring, "mid_edges", inside=True)
    # the longest chord in a ring touches its hole in the middle, 2 sqrt(R^2 - r^2); R and r are known to half a pixel
    assert 2 * sqrt(149.5**2 - 140.5**2) - 2 < found.longest_mm < 2 * sqrt(150**2 - 140**2)
    assert any("was tried as an end" in note for note in found.notes)
