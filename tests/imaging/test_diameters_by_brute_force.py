"""In-plane diameters against brute force over all pixels, shapes of known size, and the public case."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from response.imaging.diameters import measure_diameters
from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.options import CONVENTIONS, MeasureOptions
from tests.dicom_factory import axial_grid, oblique_grid

Bools = NDArray[np.bool_]
CORNERS = [(-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5)]
SIDES = [(-0.5, 0.0), (0.5, 0.0), (0.0, -0.5), (0.0, 0.5)]
REACH = {"pixel_centres": [(0.0, 0.0)], "mid_edges": SIDES, "pixel_edges": CORNERS}


def lesion(voxels: Bools) -> LesionMask:
    return LesionMask(name=StructureName(label="L"), corner=(0, 0, 0), voxels=voxels)


def grid_of(voxels: Bools, row_mm: float = 1.0, column_mm: float = 1.0) -> Grid:
    return axial_grid(voxels.shape, (2.0, row_mm, column_mm))


def farthest_mm(voxels: Bools, grid: Grid, convention: str) -> float:
    """Return the longest distance between points of one part on one slice, by trying all pairs."""
    best = 0.0
    for layer in voxels:
        labels, count = ndimage.label(layer, np.ones((3, 3)))
        for number in range(1, count + 1):
            pixels = np.argwhere(labels == number)
            points = np.concatenate([pixels + np.asarray(shift) for shift in REACH[convention]])
            points = points * (grid.row_spacing_mm, grid.column_spacing_mm)
            away = np.linalg.norm(points[:, None] - points[None], axis=-1)
            best = max(best, float(away.max()))
    return best


masks = st.builds(
    lambda seed, size, share: np.random.default_rng(seed).random((2, *size)) < share,
    st.integers(0, 10_000),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.sampled_from([0.2, 0.5, 0.8]),
).filter(lambda voxels: bool(voxels.any()))
spacings = st.sampled_from([(1.0, 1.0), (0.7, 1.3), (2.5, 0.4)])


@pytest.mark.parametrize("convention", REACH)
@given(voxels=masks, spacing=spacings)
@settings(max_examples=150)
def test_the_longest_diameter_is_that_of_all_pairs(
    voxels: Bools, spacing: tuple[float, float], convention: str
) -> None:
    grid = grid_of(voxels, *spacing)
    found = measure_diameters(lesion(voxels), grid, MeasureOptions(diameter_convention=convention))
    assert found is not None
    assert found.longest_mm == pytest.approx(farthest_mm(voxels, grid, convention), abs=1e-9)


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(voxels=masks, spacing=spacings)
@settings(max_examples=100)
def test_diameters_hold_what_they_promise(voxels: Bools, spacing: tuple[float, float], convention: str) -> None:
    grid = grid_of(voxels, *spacing)
    options = MeasureOptions(diameter_convention=convention)
    found = measure_diameters(lesion(voxels), grid, options)
    again = measure_diameters(lesion(np.asfortranarray(voxels)), grid, options)
    assert found is not None
    assert again is not None
    assert np.array_equal(found.longest_ends, again.longest_ends)
    assert np.array_equal(found.short_ends, again.short_ends)
    axis, across = found.longest_ends[1] - found.longest_ends[0], found.short_ends[1] - found.short_ends[0]
    assert np.linalg.norm(axis) == pytest.approx(found.longest_mm, abs=1e-9)
    assert np.linalg.norm(across) == pytest.approx(found.short_mm, abs=1e-9)
    assert abs(float(axis @ across)) <= 1e-6 * max(found.longest_mm * found.short_mm, 1)  # a right angle
    assert found.short_mm <= found.longest_mm + 1e-9
    assert found.section.any()
    assert not (found.section & ~voxels[found.slice_index]).any()
    lower, upper = (farthest_mm(voxels, grid, name) for name in ("pixel_centres", "pixel_edges"))
    assert lower - 1e-9 <= found.longest_mm <= upper + 1e-9


def ellipse(long: float, short: float, seed: int) -> Bools:
    """Return a digitised ellipse with random centre and rotation; a pixel is in if its centre is."""
    rng = np.random.default_rng(seed)
    size = int(long) + 8
    turn, centre = rng.uniform(0, np.pi), size / 2 + rng.uniform(-0.5, 0.5, 2)
    y, x = np.indices((size, size)) - centre[:, None, None]
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return np.asarray((2 * u / long) ** 2 + (2 * v / short) ** 2 <= 1)[None]


@pytest.mark.parametrize("long", [10, 20, 40, 80, 120])
def test_the_default_has_little_bias_on_ellipses(long: int) -> None:
    errors = []
    for seed, ratio in product(range(60), (0.4, 0.7, 1.0)):
        voxels = ellipse(long, long * ratio, seed)
        found = measure_diameters(lesion(voxels), grid_of(voxels), MeasureOptions())
        assert found is not None
        errors.append((found.longest_mm - long, found.short_mm - long * ratio))
    bias_long, bias_short = np.mean(errors, axis=0)
    assert abs(bias_long) <= 0.15
    assert abs(bias_short) <= 0.25


def shape(*rows: str) -> Bools:
    return np.asarray([[mark == "#" for mark in row] for row in rows])[None]


SHAPES = [
    # rows                             longest, short (pixel edges)      parts leaves  why
    (("####",), 17**0.5, None, 1, False, "a line of four pixels"),
    (("#",), 2**0.5, 2**0.5, 1, False, "a single pixel"),
    (("##..", "....", "..##"), 5**0.5, None, 2, False, "two parts are not bridged"),
    (("#...", "....", "####"), 17**0.5, None, 2, False, "the longer part"),
    (("#..#", "#..#", "####"), 5.0, None, 1, True, "a cup: the diagonal leaves it"),
    (("###", "#.#", "###"), 18**0.5, None, 1, True, "a ring: the diagonal crosses its hole"),
]


@pytest.mark.parametrize(("rows", "longest", "short", "parts", "leaves", "why"), SHAPES)
def test_shape(  # noqa: PLR0917
    rows: tuple[str, ...], longest: float, short: float | None, parts: int, leaves: bool, why: str
) -> None:
    voxels = shape(*rows)
    found = measure_diameters(lesion(voxels), grid_of(voxels), MeasureOptions(diameter_convention="pixel_edges"))
    assert found is not None
    assert found.longest_mm == pytest.approx(longest), why
    assert short is None or found.short_mm == pytest.approx(short), why
    assert (found.components, found.leaves_lesion) == (parts, leaves), why


def test_chords_inside_stay_inside() -> None:
    voxels = shape("#..#", "#..#", "####")
    options = MeasureOptions(diameter_convention="pixel_edges", chords_inside=True)
    found = measure_diameters(lesion(voxels), grid_of(voxels), options)
    assert found is not None
    assert not found.leaves_lesion
    # by hand: the diagonal of the bottom row, 4 x 1; from corner to corner of the arms 5 leaves the cup
    assert found.longest_mm == pytest.approx(17**0.5)


def test_the_slice_with_the_longest_diameter_is_taken_and_the_first_of_equal_ones() -> None:
    voxels = np.zeros((5, 6, 6), np.bool_)
    voxels[1, 2, 1:3], voxels[2, 2, 1:5], voxels[4, 3, 1:5] = True, True, True
    found = measure_diameters(lesion(voxels), grid_of(voxels), MeasureOptions())
    assert found is not None
    assert found.slice_index == 2


def test_ends_on_an_oblique_grid() -> None:
    grid = oblique_grid((3, 16, 12))
    voxels = np.zeros(grid.shape, np.bool_)
    voxels[1, 4, 2:9] = True
    found = measure_diameters(lesion(voxels), grid, MeasureOptions(diameter_convention="pixel_centres"))
    assert found is not None
    first = grid.origins[1] + 4 * grid.row_spacing_mm * grid.along_column + 2 * grid.column_spacing_mm * grid.along_row
    last = first + 6 * grid.column_spacing_mm * grid.along_row
    ends = sorted(found.longest_ends.tolist())
    np.testing.assert_allclose(ends, sorted([first.tolist(), last.tolist()]), atol=1e-9)


def test_no_voxel_has_no_diameter() -> None:
    assert measure_diameters(lesion(np.zeros((1, 2, 2), np.bool_)), axial_grid((1, 2, 2)), MeasureOptions()) is None


def test_outlines_are_measured_by_their_vertices() -> None:
    voxels = np.ones((1, 4, 8), np.bool_)
    outline = np.array([[-0.25, 0.0], [-0.25, 7.1], [3.0, 7.1], [3.0, 0.0]])
    mask = LesionMask(name=StructureName(), corner=(0, 0, 0), voxels=voxels, outlines={0: [outline]})
    found = measure_diameters(mask, grid_of(voxels), MeasureOptions())
    assert found is not None
    assert found.convention == "outline"
    assert found.longest_mm == pytest.approx(np.hypot(3.25, 7.1))
    assert found.area_mm2 == pytest.approx(3.25 * 7.1)


def test_the_public_case(shared_data: Path) -> None:
    import csv

    import SimpleITK

    folder = shared_data / "seg_ct_mask"
    (truth,) = csv.DictReader((folder / "truth.csv").read_text().splitlines())
    image = SimpleITK.ReadImage(str(folder / "brain2_label.nrrd"))
    voxels = SimpleITK.GetArrayFromImage(image) == 1
    spacing = image.GetSpacing()
    grid = axial_grid(voxels.shape, (spacing[2], spacing[1], spacing[0]))
    bracket = (float(truth["inplane_centre_to_centre"]), float(truth["inplane_corner_to_corner"]))
    longest = {}
    for convention in CONVENTIONS:
        found = measure_diameters(lesion(voxels), grid, MeasureOptions(diameter_convention=convention))
        assert found is not None
        longest[convention] = found.longest_mm
    assert longest["pixel_centres"] == pytest.approx(bracket[0], abs=1e-4)
    assert longest["pixel_edges"] == pytest.approx(bracket[1], abs=1e-4)
    assert longest["mid_edges"] == pytest.approx(float(truth["rerun_Maximum2DDiameterSlice"]), abs=1e-4)
    assert bracket[0] < longest["contour"] < bracket[1]
