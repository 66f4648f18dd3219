"""Laws of diameters on random masks: brute force over all points, all lines and all chords; SimpleITK."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import ndimage

from response.imaging.chords import covers
from response.imaging.contours import Contour, around_pixels
from response.imaging.diameters import measure_diameters
from response.imaging.options import CONVENTIONS, MeasureOptions
from response.imaging.sides import sides_of
from tests.imaging.diameter_shapes import (
    CORNER,
    Bools,
    grid_for,
    in_pixels,
    longest_across,
    longest_of_all,
    mask_of,
    measured,
    met,
)

ALL_EIGHT = np.ones((3, 3), np.bool_)
VOXELS = arrays.arrays(
    np.bool_,
    st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7)),
    elements=st.sampled_from([True, True, True, False]),
)
SPACINGS = st.tuples(*[st.sampled_from([0.5, 0.75, 1.0, 1.3, 2.0])] * 3)


def parts(voxels: Bools) -> list[tuple[int, Bools]]:
    """Return each part of each slice, by SciPy's labels."""
    found = []
    for layer, section in enumerate(voxels):
        labels, number = ndimage.label(section, ALL_EIGHT)
        found += [(layer, labels == label) for label in range(1, number + 1)]
    return found


def contour_of(section: Bools, spacing_mm: tuple[float, float, float], convention: str) -> Contour:
    return around_pixels(sides_of(section[None])[0], spacing_mm[1:], convention)


@given(VOXELS, SPACINGS, st.sampled_from(CONVENTIONS))
def test_the_longest_diameter_is_the_longest_of_all_pairs_of_points(
    voxels: Bools, spacing: tuple[float, float, float], convention: str
) -> None:
    assume(voxels.any())
    found = measured(voxels, convention, spacing_mm=spacing)
    lengths = [(longest_of_all(contour_of(part, spacing, convention).points), layer) for layer, part in parts(voxels)]
    longest = max(length for length, _ in lengths)
    assert found.longest_mm == pytest.approx(longest, abs=1e-9)
    assert found.slice_index == CORNER[0] + min(layer for length, layer in lengths if length >= longest - 1e-9)


@settings(max_examples=60)
@given(VOXELS, SPACINGS, st.sampled_from(CONVENTIONS))
def test_the_perpendicular_is_the_longest_of_a_scan(
    voxels: Bools, spacing: tuple[float, float, float], convention: str
) -> None:
    assume(voxels.any())
    found = measured(voxels, convention, spacing_mm=spacing)
    assume(found.longest_mm > 0)
    contour = contour_of(found.section, spacing, convention)
    axis = in_pixels(found.longest_ends, found, spacing) * spacing[1:]
    assert found.short_mm == pytest.approx(longest_across(contour.points, contour.following, axis), abs=1e-7)
    short = in_pixels(found.short_ends, found, spacing) * spacing[1:]
    assert (axis[1] - axis[0]) @ (short[1] - short[0]) == pytest.approx(0, abs=1e-7)
    assert found.short_mm <= found.longest_mm + 1e-9


def samples_inside(contour: Contour, start: Any, stop: Any) -> bool:
    """Whether a chord stays within or on a contour, by many places on it: crossings of a ray, or at a side."""
    places = start + np.linspace(0, 1, 201)[:, None] * (stop - start)
    one, other = contour.points, contour.points[contour.following]
    for down, across in places:
        side = other - one
        part = ((np.array([down, across]) - one) * side).sum(axis=1) / np.maximum((side**2).sum(axis=1), 1e-300)
        nearest = one + np.clip(part, 0, 1)[:, None] * side
        if np.hypot(*(nearest - (down, across)).T).min() < 1e-7:
            continue
        crosses = (one[:, 0] <= down) != (other[:, 0] <= down)
        at = one[crosses, 1] + (down - one[crosses, 0]) / side[crosses, 0] * side[crosses, 1]
        if np.count_nonzero(at < across) % 2 == 0:
            return False
    return True


SMALL = arrays.arrays(
    np.bool_,
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    elements=st.sampled_from([True, True, False]),
)


@settings(max_examples=60)
@given(SMALL, SPACINGS, st.sampled_from(CONVENTIONS))
def test_inside_the_longest_is_that_of_all_chords_that_stay_within(
    section: Bools, spacing: tuple[float, float, float], convention: str
) -> None:
    assume(section.any())
    found = measured(section[None], convention, spacing_mm=spacing, inside=True)
    contours = [contour_of(part, spacing, convention) for _, part in parts(section[None])]
    pairs = [
        (float(np.hypot(*(contour.points[one] - contour.points[other]))), contour, one, other)
        for contour in contours
        for one, other in combinations(range(len(contour.points)), 2)
    ]
    expected = 0.0
    for length, contour, one, other in sorted(pairs, key=lambda pair: -pair[0]):
        if samples_inside(contour, contour.points[one], contour.points[other]):
            expected = length
            break
    # a perpendicular with ends between points may be longer, and is then the longest
    assert found.longest_mm >= expected - 1e-7
    own = contour_of(found.section, spacing, convention)
    for ends in (found.longest_ends, found.short_ends):
        start, stop = in_pixels(ends, found, spacing) * spacing[1:]
        assert samples_inside(own, start, stop)
    if found.longest_mm > expected + 1e-7:
        assert found.short_mm >= expected - 1e-7


@settings(max_examples=25)
@given(SMALL, st.sampled_from(CONVENTIONS), st.randoms(use_true_random=False))
def test_covers_agrees_with_many_places_on_the_chord(section: Bools, convention: str, random: Any) -> None:
    assume(section.any())
    contour = contour_of(section, (1.0, 1.0, 1.0), convention)
    for _ in range(10):
        start, stop = (
            contour.points[random.randrange(len(contour.points))],
            contour.points[random.randrange(len(contour.points))],
        )
        assert bool(covers(contour, start[None], stop[None])[0]) == samples_inside(contour, start, stop)


@settings(max_examples=40)
@given(SMALL, SPACINGS, st.sampled_from(CONVENTIONS))
def test_inside_the_perpendicular_is_the_longest_stretch_of_a_scan(
    section: Bools, spacing: tuple[float, float, float], convention: str
) -> None:
    assume(section.any())
    found = measured(section[None], convention, spacing_mm=spacing, inside=True)
    assume(found.longest_mm > 0)
    contour = contour_of(found.section, spacing, convention)
    axis = in_pixels(found.longest_ends, found, spacing) * spacing[1:]
    forth = (axis[1] - axis[0]) / np.hypot(*(axis[1] - axis[0]))
    aside = np.array([-forth[1], forth[0]])
    longest = 0.0
    for place, heights in zip(*met(contour.points, contour.following, axis), strict=True):
        ordered = sorted(heights)
        for low, high in combinations(ordered, 2):
            if high - low > longest and samples_inside(
                contour, place * forth + low * aside, place * forth + high * aside
            ):
                longest = high - low
    assert found.short_mm == pytest.approx(longest, abs=1e-6)


@given(VOXELS, SPACINGS)
def test_conventions_are_nested(voxels: Bools, spacing: tuple[float, float, float]) -> None:
    assume(voxels.any())
    centres, contour, middles, edges = (
        measured(voxels, name, spacing_mm=spacing).longest_mm
        for name in ("pixel_centres", "contour", "mid_edges", "pixel_edges")
    )
    assert centres <= contour + 1e-9
    assert contour <= middles + 1e-9
    assert middles <= edges + 1e-9


@given(VOXELS, st.sampled_from(CONVENTIONS))
def test_a_mirrored_or_turned_lesion_has_the_same_diameter(voxels: Bools, convention: str) -> None:
    assume(voxels.any())
    longest = measured(voxels, convention).longest_mm
    for other in (voxels[:, ::-1], voxels[:, :, ::-1], voxels.transpose(0, 2, 1), voxels[::-1]):
        assert measured(other, convention).longest_mm == pytest.approx(longest, rel=1e-12)


@settings(max_examples=30)
@given(VOXELS, SPACINGS)
def test_pixel_centres_equal_simpleitk(voxels: Bools, spacing: tuple[float, float, float]) -> None:
    import SimpleITK

    assume(voxels.any())
    longest = 0.0
    for _, part in parts(voxels):
        image = SimpleITK.GetImageFromArray(part.astype(np.uint8))
        image.SetSpacing(spacing[:0:-1])
        feret = SimpleITK.LabelShapeStatisticsImageFilter()
        feret.ComputeFeretDiameterOn()
        feret.Execute(image)
        longest = max(longest, feret.GetFeretDiameter(1))
    assert measured(voxels, "pixel_centres", spacing_mm=spacing).longest_mm == pytest.approx(longest, abs=1e-9)


def blob(size: int, seed: int) -> NDArray[np.bool_]:
    """Return a lobulated, partly hollow lesion, large enough that slices and points are chosen from."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=(size // 2, size, size)), size / 12)
    place = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in field.shape), indexing="ij"))
    return np.asarray(field / field.std() * 0.35 + 0.7 - (place**2).sum(axis=0) > 0)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_left_out_of_a_large_lesion_does_not_matter(seed: int, convention: str) -> None:
    voxels, spacing = blob(56, seed), (2.0, 0.8, 0.6)
    found = measured(voxels, convention, spacing_mm=spacing)
    longest = max(longest_of_all(contour_of(part, spacing, convention).points) for _, part in parts(voxels))
    assert found.longest_mm == pytest.approx(longest, abs=1e-9)


def test_a_very_large_disc_is_measured_as_by_brute_force() -> None:
    row, column = np.mgrid[-250:251, -250:251]
    voxels = (np.hypot(row + 0.2, column - 0.3) < 249)[None]
    points = contour_of(voxels[0], (1.0, 1.0, 1.0), "contour").points
    rim = points[np.hypot(*points.T) > np.hypot(*points.T).max() - 2] if len(points) > 4000 else points
    assert measured(voxels).longest_mm == pytest.approx(longest_of_all(rim), abs=1e-9)


def test_an_option_that_is_not_about_diameters_changes_nothing() -> None:
    voxels = blob(24, 1)
    plain = measure_diameters(mask_of(voxels), grid_for(voxels), MeasureOptions())
    other = measure_diameters(mask_of(voxels), grid_for(voxels), MeasureOptions(attenuation_roi="largest_section"))
    assert plain is not None
    assert other is not None
    assert np.array_equal(plain.longest_ends, other.longest_ends)
