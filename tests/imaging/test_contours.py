"""Contours of sections: by hand on small masks, against SciPy's labels, and as laws on random ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import ndimage

from response.imaging.contours import Contour, around_pixels, of_polygons
from response.imaging.options import CONVENTIONS
from response.imaging.sides import parts_of, sides_of
from tests.imaging.diameter_shapes import drawn

Bools = NDArray[np.bool_]
ALL_EIGHT = np.ones((3, 3), np.bool_)
SECTIONS = arrays.arrays(
    np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([True, True, False])
)


def traced(section: Bools, convention: str, spacing_mm: tuple[float, float] = (1.0, 1.0)) -> Contour:
    return around_pixels(sides_of(section[None])[0], spacing_mm, convention)


def as_set(contour: Contour) -> set[tuple[float, float]]:
    return {(float(down), float(across)) for down, across in contour.points}


# The points of a mask, by convention, as rows and columns.
BY_HAND = [
    ("one pixel: its own size", "#", "contour", {(-0.5, 0), (0, 0.5), (0.5, 0), (0, -0.5)}),
    ("one pixel: a point", "#", "pixel_centres", {(0, 0)}),
    ("one pixel: middles", "#", "mid_edges", {(-0.5, 0), (0, 0.5), (0.5, 0), (0, -0.5)}),
    ("one pixel: corners", "#", "pixel_edges", {(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)}),
    ("a hole has points too", "### #.# ###", "pixel_centres",
     {(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)}),
    ("nothing within", "### ### ###", "pixel_centres",
     {(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)}),
    ("the corner of a box stays: it turns by more", "## ##", "contour",
     {(-0.5, 0), (-0.5, 1), (0, 1.5), (1, 1.5), (1.5, 1), (1.5, 0), (1, -0.5), (0, -0.5)}),
]  # fmt: skip


@pytest.mark.parametrize(("why", "text", "convention", "expected"), BY_HAND, ids=[case[0] for case in BY_HAND])
def test_points_by_hand(why: str, text: str, convention: str, expected: set[tuple[float, float]]) -> None:
    assert as_set(traced(drawn(text)[0], convention)) == expected


def test_the_spacing_of_rows_goes_down_and_that_of_columns_across() -> None:
    contour = traced(drawn("#")[0], "pixel_edges", (2.0, 0.5))
    assert as_set(contour) == {(-1, -0.25), (-1, 0.25), (1, 0.25), (1, -0.25)}


def test_a_smooth_border_is_moved_between_centres_and_middles_only() -> None:
    row, column = np.mgrid[-12:13, -12:13]
    sides, _ = sides_of((np.hypot(row, column) <= 11.3)[None])
    offset = np.abs(around_pixels(sides, (1.0, 1.0), "contour").points - sides.pixels).sum(axis=1)
    assert (offset <= 0.5 + 1e-12).all()
    assert offset.min() < 0.45  # something was smoothed


def test_the_smoothed_contour_of_a_mirrored_mask_is_mirrored() -> None:
    mask = np.random.default_rng(1).random((30, 40)) < 0.9
    row, column = np.mgrid[:30, :40]
    mask &= np.hypot(row - 15, (column - 20) * 0.8) < 14
    plain, turned = traced(mask, "contour").points, traced(mask[:, ::-1].T, "contour").points
    back = np.stack([turned[:, 1], 39 - turned[:, 0]], axis=1)
    assert np.allclose(sorted(plain.round(9).tolist()), sorted(back.round(9).tolist()), atol=1e-8)


@given(SECTIONS)
def test_each_contour_is_closed_and_encloses_its_pixels(section: Bools) -> None:
    contour = traced(section, "pixel_edges")
    assert sorted(contour.following) == list(range(len(contour.points)))
    assert np.allclose(np.abs(contour.points[contour.following] - contour.points).sum(axis=1), 1)  # along one pixel
    assert np.isclose(contour.area().sum(), np.count_nonzero(section))


@given(SECTIONS)
def test_parts_touch_at_a_side_or_a_corner(section: Bools) -> None:
    expected, number = ndimage.label(section, ALL_EIGHT)
    assert np.array_equal(parts_of(section), expected)
    contour = traced(section, "pixel_edges")
    areas = np.bincount(contour.loops, contour.area(), minlength=1)
    assert np.count_nonzero(areas > 0) == number  # one outer contour each
    holes = ndimage.label(np.pad(~section, 1, constant_values=True))[1] - 1  # the background is 4-connected
    assert np.count_nonzero(areas < 0) == holes


@given(SECTIONS, st.sampled_from(CONVENTIONS))
def test_sections_of_a_stack_are_traced_as_each_alone(section: Bools, convention: str) -> None:
    stack = np.stack([section, np.ones_like(section), section])
    sides, bounds = sides_of(stack)
    for which, one in enumerate(stack):
        found = around_pixels(sides.between(bounds[which], bounds[which + 1]), (1.0, 1.0), convention)
        alone = traced(one, convention)
        assert np.array_equal(found.points, alone.points)
        assert np.array_equal(found.following, alone.following)
        assert np.array_equal(found.loops, alone.loops)


def test_ranks_count_down_along_each_contour() -> None:
    contour = traced(drawn("##### #...# ##### ..... ##...")[0], "mid_edges")
    ranks = contour.ranks()
    for first in np.unique(contour.loops):
        assert sorted(ranks[contour.loops == first]) == list(range(np.count_nonzero(contour.loops == first)))
    after = ranks[contour.following]
    assert ((after == ranks - 1) | (ranks == 0)).all()


def test_polygons_are_taken_as_they_are() -> None:
    square = np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0]])
    contour = of_polygons([square, square[::-1] / 2])
    assert contour.following.tolist() == [1, 2, 3, 0, 5, 6, 7, 4]
    assert contour.loops.tolist() == [0, 0, 0, 0, 4, 4, 4, 4]
    assert np.abs(np.bincount(contour.loops, contour.area())[[0, 4]]).tolist() == [16, 4]
