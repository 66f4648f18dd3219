"""Size of segmented lesions: against hand calculation, brute force over all corners of voxels, and SciPy's labels."""

from itertools import product
from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import ndimage

from response.imaging.extents import measure_extents, thicknesses_mm
from response.imaging.grid import Floats, Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.runs import count_components, runs_of

AXIAL = [(0, 0, 1), (0, 1, 0), (1, 0, 0)]


def even(
    shape: tuple[int, int, int] = (6, 8, 10),
    spacing: tuple[float, float, float] = (2.5, 0.7, 0.8),
    axes: object = AXIAL,
) -> Grid:
    return Grid.of_axes(origin=(-12.0, 3.5, 100.0), directions=axes, spacing_mm=spacing, shape=shape)


def spaced(depths: list[float], rows: int = 4, columns: int = 4) -> Grid:
    return Grid(
        origins=np.asarray([(0.0, 0.0, depth) for depth in depths]),
        along_row=np.asarray((1.0, 0.0, 0.0)),
        along_column=np.asarray((0.0, 1.0, 0.0)),
        row_spacing_mm=1.0,
        column_spacing_mm=1.0,
        rows=rows,
        columns=columns,
    )


def mask(voxels: object, corner: tuple[int, int, int] = (0, 0, 0)) -> LesionMask:
    return LesionMask(name=StructureName(), corner=corner, voxels=np.asarray(voxels, np.bool_))


def box(slices: int, rows: int, columns: int) -> NDArray[np.bool_]:
    return np.ones((slices, rows, columns), np.bool_)


def by_corners(lesion: LesionMask, grid: Grid) -> Floats:
    """Return the extents `[axis]` of all corners of all voxels of an even grid."""
    steps = np.stack([grid.slice_spacing_mm * grid.normal, grid.row_spacing_mm * grid.along_column,
                      grid.column_spacing_mm * grid.along_row])  # fmt: skip
    corners = [
        grid.origins[0] + (np.argwhere(lesion.voxels) + lesion.corner + offset) @ steps
        for offset in product((-0.5, 0.5), repeat=3)
    ]
    every = np.concatenate(corners)
    return np.asarray(every.max(axis=0) - every.min(axis=0))


@pytest.mark.parametrize(
    ("why", "voxels", "corner"),
    [
        ("a box, off the origin", box(2, 3, 4), (1, 2, 3)),
        ("a single voxel", box(1, 1, 1), (5, 7, 9)),
        ("the whole grid: all borders of the image", box(6, 8, 10), (0, 0, 0)),
        ("one slice", box(1, 5, 2), (0, 1, 1)),
        ("two far parts", np.stack([np.eye(4), np.zeros((4, 4)), np.fliplr(np.eye(4))]), (0, 0, 0)),
    ],
)
@pytest.mark.parametrize("turn", [0.0, 0.3, 1.2, 3.0])
def test_extents_are_those_of_all_corners(
    why: str, voxels: NDArray[np.bool_], corner: tuple[int, int, int], turn: float
) -> None:
    about = np.asarray((0.4, -0.5, 0.77)) / np.linalg.norm((0.4, -0.5, 0.77))
    cross = np.cross(np.eye(3), about)
    turned = np.eye(3) + np.sin(turn) * cross + (1 - np.cos(turn)) * cross @ cross  # Rodrigues
    grid = even(axes=np.asarray(AXIAL) @ turned)
    found = measure_extents(mask(voxels, corner), grid)
    expected = by_corners(mask(voxels, corner), grid)
    assert (found.left_right_mm, found.front_back_mm, found.head_foot_mm) == pytest.approx(tuple(expected), abs=1e-9)
    assert found.ellipsoid_volume_mm3 == pytest.approx(pi / 6 * float(np.prod(expected)))
    assert found.volume_mm3 == pytest.approx(np.count_nonzero(voxels) * 2.5 * 0.7 * 0.8)


def test_extents_of_an_axial_box_by_hand() -> None:
    found = measure_extents(mask(box(2, 3, 4), (1, 2, 3)), even())
    assert found.voxels == 24
    assert found.left_right_mm == pytest.approx(4 * 0.8)
    assert found.front_back_mm == pytest.approx(3 * 0.7)
    assert found.head_foot_mm == pytest.approx(2 * 2.5)


def test_slices_along_another_axis_give_the_other_extents() -> None:
    # Coronal slices: rows go from head to foot, slices from front to back.
    grid = even(axes=[(0, 1, 0), (0, 0, -1), (1, 0, 0)])
    found = measure_extents(mask(box(2, 3, 4), (1, 2, 3)), grid)
    assert found.front_back_mm == pytest.approx(2 * 2.5)
    assert found.head_foot_mm == pytest.approx(3 * 0.7)


@pytest.mark.parametrize(
    ("why", "depths", "expected"),
    [
        ("even", [0, 2, 4], [2, 2, 2]),
        ("a slice is missing: its neighbours share the gap", [0, 2, 6, 8], [2, 3, 3, 2]),
        ("the ends reach outwards as far as inwards", [0, 1, 5], [1, 2.5, 4]),
        ("a duplicate", [0, 0, 2], [0, 1, 2]),
        ("a single slice of unknown thickness", [7], [0]),
    ],
)
def test_each_slice_stands_for_half_the_gaps_beside_it(why: str, depths: list[float], expected: list[float]) -> None:
    assert thicknesses_mm(spaced(depths)).tolist() == pytest.approx(expected)


def test_uneven_slices_weigh_by_their_own_thickness() -> None:
    voxels = box(4, 1, 1)
    voxels[3] = False
    found = measure_extents(mask(np.broadcast_to(voxels, (4, 2, 2))), spaced([0, 2, 6, 8]))
    assert found.volume_mm3 == pytest.approx(4 * (2 + 3 + 3))
    assert found.head_foot_mm == pytest.approx(1 + 6 + 1)  # half of 2 below the first, half of 2 above the third


def test_the_slices_of_a_tilted_gantry_are_sheared_boxes() -> None:
    # Each slice is shifted by 0.5 mm against the one before; the gap along the normal is 2 mm.
    grid = spaced([0, 2, 4])
    grid = Grid(**{**grid.__dict__, "origins": grid.origins + np.asarray([(0, 0, 0), (0, 0.5, 0), (0, 1.0, 0)])})
    found = measure_extents(mask(box(3, 2, 2)), grid)
    assert found.volume_mm3 == pytest.approx(3 * 4 * 2)
    assert found.front_back_mm == pytest.approx(2 + 1.0)
    assert found.head_foot_mm == pytest.approx(6)


def test_a_single_slice_needs_its_thickness() -> None:
    without = measure_extents(mask(box(1, 2, 3)), even(shape=(1, 8, 10)))
    assert without.volume_mm3 is None
    assert without.head_foot_mm is None
    assert without.ellipsoid_volume_mm3 is None
    assert without.left_right_mm == pytest.approx(3 * 0.8)  # lies in the plane, whatever the thickness
    known = measure_extents(mask(box(1, 2, 3)), even(shape=(1, 8, 10)), slice_thickness_mm=5.0)
    assert known.volume_mm3 == pytest.approx(2 * 3 * 0.7 * 0.8 * 5)
    assert known.head_foot_mm == pytest.approx(5)


def test_thickness_of_the_headers_is_not_asked_where_there_are_positions() -> None:
    found = measure_extents(mask(box(2, 1, 1)), even(), slice_thickness_mm=99.0)
    assert found.volume_mm3 == pytest.approx(2 * 2.5 * 0.7 * 0.8)


@pytest.mark.parametrize("shape", [(0, 0, 0), (2, 3, 4), (0, 3, 4), (2, 3, 0)])
def test_an_empty_mask_has_no_size(shape: tuple[int, int, int]) -> None:
    found = measure_extents(mask(np.zeros(shape)), even())
    assert (found.voxels, found.volume_mm3, found.components, found.left_right_mm) == (0, 0.0, 0, 0.0)
    assert found.ellipsoid_volume_mm3 == 0.0


@pytest.mark.parametrize(
    ("why", "points", "expected"),
    [
        ("face to face", [(0, 0, 0), (0, 0, 1)], 1),
        ("edge to edge", [(0, 0, 0), (0, 1, 1)], 1),
        ("corner to corner, across slices", [(0, 0, 0), (1, 1, 1)], 1),
        ("corner to corner, the other way", [(1, 0, 2), (0, 1, 1)], 1),
        ("one voxel between, along the row", [(0, 0, 0), (0, 0, 2)], 2),
        ("one row between", [(0, 0, 0), (0, 2, 0)], 2),
        ("one slice between", [(0, 0, 0), (2, 0, 0)], 2),
        ("end of a row and start of the next do not touch", [(0, 0, 2), (0, 1, 0)], 2),
        ("last row of a slice and first of the next do not touch", [(0, 2, 1), (1, 0, 1)], 2),
    ],
)
def test_parts_that_share_a_face_an_edge_or_a_corner_are_one(
    why: str, points: list[tuple[int, int, int]], expected: int
) -> None:
    voxels = np.zeros((3, 3, 3), np.bool_)
    for point in points:
        voxels[point] = True
    assert count_components(runs_of(voxels)) == expected


@given(arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 7)] * 3)))
def test_components_are_those_of_scipy(voxels: NDArray[np.bool_]) -> None:
    assert count_components(runs_of(voxels)) == ndimage.label(voxels, np.ones((3, 3, 3)))[1]


@given(arrays.arrays(np.bool_, st.tuples(*[st.integers(1, 6)] * 3)))
def test_runs_hold_the_voxels(voxels: NDArray[np.bool_]) -> None:
    runs, back = runs_of(voxels), np.zeros_like(voxels)
    for place, row, first, last in zip(runs.slices, runs.rows, runs.first, runs.last, strict=True):
        assert not back[place, row, first : last + 1].any()
        back[place, row, first : last + 1] = True
    assert (back == voxels).all()
    assert runs.lengths.sum() == voxels.sum()


def test_ten_thousand_tiny_parts_are_counted() -> None:
    voxels = np.zeros((44, 44, 44), np.bool_)
    voxels[::2, ::2, ::2] = True
    assert count_components(runs_of(voxels)) == 22**3


def test_a_view_with_holes_in_memory_is_measured_alike() -> None:
    voxels = np.random.default_rng(3).random((6, 8, 10)) < 0.3
    strided = np.asfortranarray(np.repeat(voxels, 2, axis=2))[:, :, ::2]
    assert measure_extents(mask(strided), even()) == measure_extents(mask(voxels), even())
