"""The map of the border, on lesions of which every part is known (criteria page, section 6, F9)."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from response.imaging.border_map import GRADUAL, KINDS, NOT_JUDGED, RIM, SHARP, UNKNOWN_HU, BorderMap
from response.imaging.grid import Grid
from response.imaging.morphology import Suggestion, suggest_group
from response.imaging.volume import Acquisition, Volume
from tests.imaging.phantoms import AXES, PLAIN, SCANS, Metastasis, Phantom, Surroundings, mask_of, phantom, suggested

RADIUS_MM = 15.0
SHELL_SLACK_MM = 1.0  # the border of a mask of voxels is not that of the ball: half a step and half a pixel


def mapped(made: Phantom, **more: Any) -> BorderMap:
    border = suggested(made, with_border=True, **more).border
    assert border is not None
    return border


def places(border: BorderMap) -> NDArray[Any]:
    """Return where the labelled voxels lie, `[voxel, 3]`, LPS."""
    index = np.argwhere(border.labels)
    return np.asarray(border.origin_mm + (index * border.spacing_mm) @ border.directions)


def kinds(border: BorderMap) -> NDArray[Any]:
    return border.labels[border.labels > 0]


def share(found: NDArray[Any], kind: int) -> float:
    return float(np.mean(found == kind))


@pytest.mark.parametrize(
    ("why", "lesion", "kind"),
    [
        ("sharp all around", Metastasis(), SHARP),
        ("gradual", Metastasis(edge_mm=12), GRADUAL),
        ("a rim wins over a sharp border", Metastasis(rim_hu=150), RIM),
        ("and over a gradual one", Metastasis(rim_hu=170, rim_mm=5, edge_mm=5), RIM),
    ],
)
def test_the_whole_border_is_of_one_kind(why: str, lesion: Metastasis, kind: int) -> None:
    border = mapped(phantom(lesion, SCANS[0]))
    assert share(kinds(border), kind) > 0.9
    assert border.shares[KINDS[kind]] > 0.9
    assert sum(border.shares.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("why", "lesion", "there", "elsewhere"),
    [
        ("a rim on one half", Metastasis(rim_hu=150, rim_share=0.5), RIM, SHARP),
        ("gradual on one half", Metastasis(blurred_edge_mm=12, blurred_share=0.5), GRADUAL, SHARP),
        ("a rim on a quarter", Metastasis(rim_hu=150, rim_share=0.25), RIM, SHARP),
    ],
)
@pytest.mark.parametrize("scan", SCANS, ids=["1 mm", "2.5 mm", "5 mm"])
def test_each_part_lies_where_it_was_made(why: str, lesion: Metastasis, there: int, elsewhere: int, scan: Any) -> None:
    # The phantom has it where the angle to the x axis is at most 180 degrees times the share.
    border = mapped(phantom(lesion, scan))
    at = places(border)
    angle = np.degrees(np.abs(np.arctan2(at[:, 1], at[:, 0])))
    half = 180 * max(lesion.rim_share if lesion.rim_hu else 0, lesion.blurred_share)
    around_middle = np.abs(at[:, 2]) <= 5
    inside, outside = (kinds(border)[around_middle & which] for which in (angle < half - 20, angle > half + 20))
    assert share(inside, there) > 0.8  # a patch is up to 7.5 mm wide, and noise of 14 HU makes some wrong
    assert share(outside, there) < 0.1
    assert share(outside, elsewhere) > 0.8


def test_on_thick_slices_the_ends_are_not_judged_and_the_belt_is() -> None:
    border = mapped(phantom(Metastasis(), SCANS[2]))
    height = np.abs(places(border)[:, 2])
    assert share(kinds(border)[height >= 12], NOT_JUDGED) > 0.85
    assert share(kinds(border)[height <= 5], SHARP) > 0.85
    thin = mapped(phantom(Metastasis(), SCANS[0]))
    assert share(kinds(thin), NOT_JUDGED) < 0.05


def test_the_border_against_lung_is_not_judged() -> None:
    border = mapped(phantom(Metastasis(), SCANS[1], Surroundings(lung_beyond=16.0)))
    at = places(border)
    beside = np.abs(at[:, 2]) <= 5
    assert share(kinds(border)[beside & (at[:, 0] > 12)], NOT_JUDGED) > 0.9
    assert share(kinds(border)[beside & (at[:, 0] < 0)], SHARP) > 0.95


def test_where_no_group_is_suggested_the_map_tells_why() -> None:
    made = phantom(Metastasis(), SCANS[1])
    far = np.linalg.norm(_points(made.volume.grid), axis=-1) >= 22  # what stands for liver does not touch the lesion
    found = suggested(made, liver=mask_of(far), with_border=True)
    assert found.group is None
    assert found.border is not None
    assert found.border.shares == {"sharp": 0.0, "gradual": 0.0, "rim": 0.0, "not judged": 1.0}
    assert set(kinds(found.border).tolist()) == {NOT_JUDGED}


def test_the_map_is_made_on_request_and_changes_nothing() -> None:
    made = phantom(PLAIN)
    assert suggested(made).border is None
    assert suggested(made, with_border=True) == suggested(made)
    refused = suggested(phantom(PLAIN, replace(SCANS[1], phase="arterial")), with_border=True)
    assert (refused.group, refused.border) == (None, None)


def test_it_covers_the_lesion_and_1_cm_on_the_voxels_of_the_image() -> None:
    made = phantom(Metastasis(centre_mm=(-2.6, 0.4, 2.2)), SCANS[1])
    border, grid = mapped(made), made.volume.grid
    assert np.allclose(border.directions, AXES)
    assert np.allclose(border.spacing_mm, (2.5, 0.8, 0.8))
    corner = (border.origin_mm - grid.origins[0])[::-1] / border.spacing_mm
    assert np.allclose(corner, np.rint(corner))
    first = np.rint(corner).astype(int)
    last = border.origin_mm[::-1] + (np.asarray(border.labels.shape) - 1) * border.spacing_mm
    for low, high, middle, step in zip(border.origin_mm[::-1], last, (2.2, 0.4, -2.6), (2.5, 0.8, 0.8), strict=True):
        assert middle - low == pytest.approx(25, abs=1 + step)
        assert high - middle == pytest.approx(25, abs=1 + step)
    part = made.volume.voxels[tuple(slice(a, a + n) for a, n in zip(first, border.labels.shape, strict=True))]
    slices, rows, columns = border.cut
    assert np.array_equal(border.views[0], part[slices])
    assert np.array_equal(border.views[1], part[:, rows])
    assert np.array_equal(border.views[2], part[:, :, columns])
    centre = border.origin_mm + (np.asarray(border.cut) * border.spacing_mm) @ border.directions
    assert np.abs(centre - (-2.6, 0.4, 2.2)).max() <= 1.5  # half a slice, and a pixel


def test_what_lies_beside_the_image_is_shown_as_air_and_has_no_label() -> None:
    made = phantom(Metastasis(centre_mm=(28, 28, 0)))
    border = mapped(made)
    last = border.origin_mm[0] + (border.labels.shape[2] - 1) * 0.8
    assert last > 42  # the field ends there
    outside = border.views[0][:, -3:]
    assert (outside == UNKNOWN_HU).all()


def test_at_the_end_of_the_series_the_map_ends_too() -> None:
    border = mapped(phantom(Metastasis(centre_mm=(0, 0, 20))))
    top = border.origin_mm[2] + (border.labels.shape[0] - 1) * border.spacing_mm[0]
    assert top == pytest.approx(28.75)  # centre of the last of 24 slices of 2.5 mm


def test_the_table_of_patches() -> None:
    border = mapped(phantom(Metastasis(rim_hu=150, rim_share=0.5, centre_mm=(1.3, -2.1, 0.8)), SCANS[0]))
    found = border.patches
    at = np.stack([found.x_mm, found.y_mm, found.z_mm], axis=1) - (1.3, -2.1, 0.8)
    assert np.linalg.norm(at, axis=1) == pytest.approx(np.full(len(at), RADIUS_MM), abs=1.5)
    angle = np.degrees(np.abs(np.arctan2(at[:, 1], at[:, 0])))
    belt = np.abs(at[:, 2]) < 8
    rimmed, plain = belt & (angle < 70), belt & (angle > 110)
    assert found.has_rim[rimmed].mean() > 0.9
    assert np.median(found.peak_over_liver_hu[rimmed]) == pytest.approx(150 - 110, abs=12)
    assert np.median(found.peak_over_core_hu[rimmed]) == pytest.approx(150 - 45, abs=15)
    assert found.rays[plain & found.has_rim].sum() < 0.02 * found.rays[plain].sum()  # noise, in patches of few rays
    assert np.nanmedian(found.contrast_hu[plain]) == pytest.approx(65, abs=5)
    assert np.nanmedian(found.width_mm[plain]) <= 2
    assert set(found.kind[found.has_rim].tolist()) == {RIM}
    assert set(found.kind[found.is_sharp & ~found.has_rim].tolist()) == {SHARP}
    assert np.isnan(found.width_mm[found.kind == NOT_JUDGED]).all()
    assert found.blur_mm.max() <= 3.0
    assert found.rays.min() >= 1


# --- other grids: a ball of 45 HU in liver of 110 HU, sampled at the points of any grid


def _points(grid: Grid) -> NDArray[Any]:
    rows, columns = np.meshgrid(np.arange(grid.rows), np.arange(grid.columns), indexing="ij")
    return np.stack([grid.points(index, rows, columns) for index in range(len(grid.origins))])


def ball(grid: Grid, centre: NDArray[Any]) -> Suggestion:
    """Return what is suggested for a ball with a radius of 12 mm, with its map."""
    distance = np.linalg.norm(_points(grid) - centre, axis=-1)
    noise = np.random.default_rng(0).normal(0, 4, distance.shape)
    voxels = np.rint(110 - 65 / (1 + np.exp((distance - 12) / 0.4)) + noise).astype(np.int16)
    acquisition = Acquisition(modality="CT", phase="portal_venous", slice_thickness_mm=2.0)
    volume = Volume(voxels=voxels, grid=grid, acquisition=acquisition)
    return suggest_group(mask_of(distance <= 12), volume, with_border=True)


TURNED = np.asarray([(0.48, 0.64, 0.6), (0.8, -0.6, 0.0), (-0.36, -0.48, 0.8)])  # rows: slice, row, column axis


def oblique() -> Grid:
    return Grid.of_axes(
        origin=(7.0, -3.0, 11.0), directions=TURNED, spacing_mm=(2.0, 0.7, 0.9), shape=(32, 92, 72)
    )  # fmt: skip


def _uneven() -> Grid:
    steps = np.cumsum([0.0, *([2.0] * 12), *([3.0] * 4), *([2.0] * 12)])
    return replace(oblique(), origins=np.asarray((7.0, -3.0, 11.0)) + steps[:, None] * TURNED[0])


def _tilted() -> Grid:
    even = oblique()
    return replace(even, origins=even.origins + 0.4 * np.arange(32)[:, None] * TURNED[1])  # 11 degrees


@pytest.mark.parametrize("grid", [oblique(), _uneven(), _tilted()], ids=["oblique", "uneven slices", "tilted gantry"])
def test_the_map_lies_over_the_lesion_in_the_patient(grid: Grid) -> None:
    centre = grid.points(16, 45, 36)
    border = ball(grid, centre).border
    assert border is not None
    assert np.allclose(border.directions, TURNED)  # an even grid at right angles, whatever the image has
    away = np.linalg.norm(places(border) - centre, axis=1)
    assert np.abs(away - 12).max() <= 1.5 + SHELL_SLACK_MM
    assert float(away.mean()) == pytest.approx(12, abs=0.4)
    assert np.abs(places(border).mean(axis=0) - centre).max() < 0.5
    middle = border.origin_mm + (np.asarray(border.cut) * border.spacing_mm) @ border.directions
    assert np.abs(middle - centre).max() <= 2.0
    assert share(kinds(border), SHARP) > 0.6
    rows = np.arange(border.labels.shape[1])[:, None] - border.cut[1]
    columns = np.arange(border.labels.shape[2])[None, :] - border.cut[2]
    within = np.hypot(rows * 0.7, columns * 0.9) <= 9
    assert border.views[0][within].mean() == pytest.approx(45, abs=2)
