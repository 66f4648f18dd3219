"""Diameters of outlines that a person drew (RTSTRUCT): by hand, and brute force on random polygons."""

from math import hypot, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from response.imaging.contours import of_polygons
from response.imaging.diameters import Diameters, measure_diameters
from response.imaging.grid import Floats
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.options import CONVENTIONS, MeasureOptions
from response.imaging.polygons import fill_polygons
from tests.imaging.diameter_shapes import CORNER, grid_for, in_pixels, longest_across, longest_of_all

SHAPE = (4, 60, 60)


def box(top: float, bottom: float, left: float, right: float) -> Floats:
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]])


def drawn_mask(polygons_by_layer: dict[int, list[Floats]]) -> LesionMask:
    """Return the mask of outlines given in the coordinates of the crop, as a reader of structure sets makes it."""
    voxels = np.zeros(SHAPE, np.bool_)
    for layer, polygons in polygons_by_layer.items():
        (row, column), pixels = fill_polygons(polygons, SHAPE[1:])
        voxels[layer, row : row + pixels.shape[0], column : column + pixels.shape[1]] = pixels
    outlines = {
        layer + CORNER[0]: [polygon + CORNER[1:] for polygon in polygons]
        for layer, polygons in polygons_by_layer.items()
    }
    return LesionMask(name=StructureName(), corner=CORNER, voxels=voxels, outlines=outlines)


def measured(
    mask: LesionMask, *, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0), inside: bool = False
) -> Diameters:
    found = measure_diameters(mask, grid_for(mask.voxels, spacing_mm), MeasureOptions(chords_inside=inside))
    assert found is not None
    return found


FRAME = [box(10, 50, 10, 50), box(15, 45, 15, 45)]
SEAM = [[30, 10], [30, 20], [40, 20], [40, 40], [20, 40], [20, 20], [30, 20], [30, 10]]
KEYHOLE = np.array([[10, 10], [10, 50], [50, 50], [50, 10], *SEAM], np.float64)
HORSESHOE = np.array([[10, 10], [50, 10], [50, 50], [10, 50], [10, 40], [40, 40], [40, 20], [10, 20]], np.float64)
ACROSS = 40 * sqrt(2)
REPEATED = np.vstack([box(10, 20, 10, 20), [[10, 10]]])
BY_HAND = [
    # why, polygons, longest, short, area, parts, leaves
    ("a box", [box(10, 20, 10, 30)], hypot(10, 20), 10 * hypot(10, 20) / 20, 200, 1, False),
    ("vertices between centres", [box(10.2, 20.3, 10.4, 30.1)], hypot(10.1, 19.7), None, 10.1 * 19.7, 1, False),
    ("a hole is not lesion", FRAME, ACROSS, ACROSS, 700, 1, True),
    ("a hole, first and the other way round", [FRAME[1][::-1], FRAME[0]], ACROSS, ACROSS, 700, 1, True),
    ("an island in a hole is a part", [*FRAME, box(25, 35, 25, 35)], ACROSS, ACROSS, 700, 2, True),
    ("a hole tied to the border by a seam", [KEYHOLE], ACROSS, ACROSS, 1200, 1, True),
    ("parts are not bridged", [box(10, 20, 10, 20), box(10, 20, 21, 40)], hypot(10, 19), None, 190, 2, False),
    ("a horseshoe", [HORSESHOE], ACROSS, None, 1000, 1, True),
    ("closed by repeating the first vertex", [REPEATED], 10 * sqrt(2), None, 100, 1, False),
]


@pytest.mark.parametrize("case", BY_HAND, ids=[str(case[0]) for case in BY_HAND])
def test_by_hand(case: tuple[str, list[Floats], float, float | None, float, int, bool]) -> None:
    _, polygons, longest, short, area, parts, leaves = case
    found = measured(drawn_mask({1: polygons}))
    assert found.slice_index == CORNER[0] + 1
    assert found.longest_mm == pytest.approx(longest)
    assert short is None or found.short_mm == pytest.approx(short)
    assert found.area_mm2 == pytest.approx(area)
    assert (found.components, found.leaves_lesion, found.convention) == (parts, leaves, "outline")


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_convention_of_masks_does_not_matter(convention: str) -> None:
    mask = drawn_mask({0: [box(10.2, 20.3, 10.4, 30.1)]})
    found = measure_diameters(mask, grid_for(mask.voxels), MeasureOptions(diameter_convention=convention))
    assert found is not None
    assert found.longest_mm == pytest.approx(hypot(10.1, 19.7))
    assert found.convention == "outline"


def test_spacing_and_patient_coordinates() -> None:
    found = measured(drawn_mask({1: [box(10, 20, 10, 30)]}), spacing_mm=(3.0, 0.5, 2.0))
    assert found.longest_mm == pytest.approx(hypot(5, 40))
    assert found.area_mm2 == pytest.approx(200)
    assert in_pixels(found.longest_ends, found, (3.0, 0.5, 2.0)) == pytest.approx(np.array([[10, 10], [20, 30]]))


def test_the_longest_of_all_slices_counts_and_of_equal_ones_the_lowest() -> None:
    short, long = [box(10, 20, 10, 20)], [box(10, 20, 10, 30)]
    assert measured(drawn_mask({0: short, 2: long, 3: long})).slice_index == CORNER[0] + 2


def test_the_section_is_that_of_the_measured_part() -> None:
    mask = drawn_mask({0: [box(10, 20, 10, 20), box(30, 40, 10, 50), box(33, 36, 20, 40)]})
    found = measured(mask)
    expected = mask.voxels[0].copy()
    expected[:25] = False
    assert np.array_equal(found.section, expected)
    assert found.area_mm2 == pytest.approx(10 * 40 - 3 * 20)


INSIDE = [
    ("a frame: along its outer side", FRAME, 40.0),
    ("a keyhole: the seam is no border", [KEYHOLE], 40.0),
    ("a horseshoe: across one leg", [HORSESHOE], hypot(40, 10)),
    ("two parts: the longer one", [box(10, 12, 10, 20), box(30, 32, 10, 30)], hypot(2, 20)),
]


@pytest.mark.parametrize(("why", "polygons", "longest"), INSIDE, ids=[case[0] for case in INSIDE])
def test_chords_stay_inside(why: str, polygons: list[Floats], longest: float) -> None:
    found = measured(drawn_mask({0: polygons}), inside=True)
    assert found.longest_mm == pytest.approx(longest, abs=1e-6)
    assert not found.leaves_lesion
    assert found.short_mm <= found.longest_mm + 1e-9


def test_a_border_that_wavers_by_less_than_half_a_pixel_is_not_left() -> None:
    wavering = np.array([[20, 10], [20.4, 20], [20, 30], [20.4, 40], [20, 50], [22, 50], [22, 10]])
    assert not measured(drawn_mask({0: [wavering]})).leaves_lesion
    notched = wavering + (wavering[:, :1] == 20.4) * np.array([1.0, 0.0])  # the same, bent inwards by more than a pixel
    assert measured(drawn_mask({0: [notched]})).leaves_lesion


def with_outlines(mask: LesionMask, polygons: list[Floats]) -> LesionMask:
    return LesionMask(name=mask.name, corner=mask.corner, voxels=mask.voxels, outlines={CORNER[0]: polygons})


def test_an_outline_that_stands_there_twice_is_taken_once() -> None:
    square = box(20, 30, 20, 30)
    mask = with_outlines(drawn_mask({0: [square]}), [square, np.roll(square[::-1], 1, axis=0)])
    assert measured(mask).area_mm2 == pytest.approx(100)


def test_outlines_that_enclose_nothing_leave_the_mask() -> None:
    mask = with_outlines(
        drawn_mask({0: [box(20, 30, 20, 30)]}), [np.array([[20.0, 20.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])]
    )
    assert measured(mask).convention == "contour"


def test_outlines_on_slices_without_voxel_are_passed_over_and_told() -> None:
    mask = drawn_mask({0: [box(20, 30, 20, 30)], 2: [box(20.2, 20.6, 5, 55)]})
    assert not mask.voxels[2].any()
    found = measured(mask)
    assert found.longest_mm == pytest.approx(10 * sqrt(2))
    assert any("1 outlines were passed over" in note for note in found.notes)


def test_without_voxels_there_is_nothing() -> None:
    mask = drawn_mask({0: [box(20.2, 20.6, 5, 55)]})
    assert measure_diameters(mask, grid_for(mask.voxels), MeasureOptions()) is None


def test_outlines_that_cross_are_parts_of_their_own() -> None:
    found = measured(drawn_mask({0: [box(10, 20, 10, 20), box(15, 25, 15, 26)]}))
    assert found.longest_mm == pytest.approx(hypot(10, 11))
    assert found.components == 2


def test_an_outline_of_many_vertices() -> None:
    turn = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    found = measured(drawn_mask({0: [30 + 25 * np.stack([np.sin(turn), np.cos(turn)], axis=1)]}))
    assert found.longest_mm == pytest.approx(50, abs=1e-6)
    assert found.area_mm2 == pytest.approx(np.pi * 25**2, rel=1e-6)


def test_a_hostile_zigzag_comes_to_an_end() -> None:
    rows = np.linspace(5, 55, 6000)
    zigzag = np.stack([rows, np.where(np.arange(6000) % 2, 5.0, 55.0)], axis=1)
    found = measured(drawn_mask({0: [np.vstack([zigzag, [[57, 5], [4, 3]]])]}))
    assert 45 < found.short_mm <= found.longest_mm


STARS = st.lists(st.floats(3, 25), min_size=3, max_size=14)


@settings(max_examples=60)
@given(STARS, st.sampled_from([(1.0, 1.0, 1.0), (2.0, 0.5, 1.5)]))
def test_vertices_and_sides_by_brute_force(radii: list[float], spacing: tuple[float, float, float]) -> None:
    turn = np.arange(len(radii)) * (2 * np.pi / len(radii)) + 0.1
    polygon = 30 + np.array(radii)[:, None] * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    mask = drawn_mask({0: [polygon]})
    assume(mask.voxels.any())
    found = measured(mask, spacing_mm=spacing)
    contour = of_polygons([polygon * spacing[1:]])
    assert found.longest_mm == pytest.approx(longest_of_all(contour.points))
    axis = in_pixels(found.longest_ends, found, spacing) * spacing[1:]
    assert found.short_mm == pytest.approx(longest_across(contour.points, contour.following, axis), abs=1e-6)
