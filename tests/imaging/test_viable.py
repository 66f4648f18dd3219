"""Enhancing and necrotic parts of lesions, against plane geometry and hand calculation."""

from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from response.imaging.diameters import measure_diameters
from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.necrosis import measure_necrosis
from response.imaging.options import MeasureOptions
from response.imaging.viable import measure_viable
from response.imaging.volume import Acquisition, Volume

ARTERIAL = Acquisition(modality="CT", phase="arterial", slice_thickness_mm=2.0)
PORTAL = Acquisition(modality="CT", phase="portal_venous")
STANDARD = MeasureOptions()
VIABLE_HU, NECROTIC_HU = 100.0, 35.0
PIXEL_MM = 0.8
SIZE = 61

ACROSS = (np.arange(SIZE) - SIZE // 2) * PIXEL_MM
X, Y = ACROSS[None, :], ACROSS[:, None]
RADIUS = np.hypot(X, Y)
DISC = RADIUS <= 15
NOWHERE = np.zeros_like(DISC)


def image(layers: Any, acquisition: Acquisition = ARTERIAL, depths: tuple[float, ...] = ()) -> Volume:
    values = np.asarray(layers, np.float32)
    places = np.asarray(depths or np.arange(len(values)) * 2.0)
    grid = Grid(
        origins=places[:, None] * np.asarray((0.0, 0.0, 1.0)),
        along_row=np.asarray((1.0, 0.0, 0.0)),
        along_column=np.asarray((0.0, 1.0, 0.0)),
        row_spacing_mm=PIXEL_MM,
        column_spacing_mm=PIXEL_MM,
        rows=values.shape[1],
        columns=values.shape[2],
    )
    return Volume(voxels=values, grid=grid, acquisition=acquisition)


def mask(voxels: Any) -> LesionMask:
    return LesionMask(name=StructureName(), corner=(0, 0, 0), voxels=np.asarray(voxels, np.bool_))


def painted(viable: NDArray[np.bool_], *, noise: float = 0.0) -> Any:
    plane = np.where(viable, VIABLE_HU, NECROTIC_HU)
    return [plane + noise * np.random.default_rng(5).standard_normal(plane.shape)]


CHORD = 2 * sqrt(15**2 - 10**2)  # the longest in a ring of these radii: it touches the inner circle


@pytest.mark.parametrize(
    ("why", "viable", "expected"),
    [
        ("all of it enhances", DISC, 30.0),
        ("a ring: no chord crosses the necrosis", RADIUS > 10, CHORD),
        ("necrosis smaller than 3 mm is no major area", np.hypot(X - 3, Y) > 1.1, 30.0),
        ("half of it enhances: along the edge of the necrosis", X + 0 * Y > 0, 30.0),
        ("two nodules: the larger, and no bridge", (np.hypot(X + 9, Y) < 4) | (np.hypot(X - 7, Y) < 5), 10.0),
        ("enhancement smaller than 3 mm is not measured", (np.hypot(X + 9, Y) < 1.0) | (np.hypot(X - 7, Y) < 5), 10.0),
        ("nothing enhances", NOWHERE, 0.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("noise", [0.0, 15.0])
def test_the_longest_diameter_stays_within_what_enhances(
    why: str, viable: NDArray[np.bool_], expected: float, noise: float
) -> None:
    found = measure_viable(mask([DISC]), image(painted(viable, noise=noise)), STANDARD)
    # The edge of necrosis lies where the smoothed image has 60 HU, a little on its side; noise moves it by a pixel.
    assert found.longest_mm == pytest.approx(expected, abs=1.0 if noise == 0 else 1.9)
    assert found.reason == ""
    assert found.notes == ()
    assert (found.diameters is None) is (expected == 0)


def test_a_lesion_that_enhances_throughout_has_its_own_diameter() -> None:
    volume, lesion = image([np.full((SIZE, SIZE), 100.0)]), mask([DISC])
    whole = measure_diameters(lesion, volume.grid, STANDARD)
    found = measure_viable(lesion, volume, STANDARD)
    assert whole is not None
    assert found.longest_mm == whole.longest_mm
    assert found.fraction == 1.0


def test_outlines_are_kept_where_all_of_it_enhances_and_dropped_where_not() -> None:
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    drawn = np.stack([np.sin(turn), np.cos(turn)], axis=1) * (14.6 / PIXEL_MM) + SIZE // 2
    lesion = replace(mask([DISC]), outlines={0: [drawn]})
    whole = measure_viable(lesion, image(painted(DISC)), STANDARD)
    part = measure_viable(lesion, image(painted(RADIUS > 10)), STANDARD)
    assert whole.longest_mm == pytest.approx(29.2, abs=0.01)
    assert part.longest_mm == pytest.approx(CHORD, abs=1.0)


def test_the_slice_with_the_longest_viable_diameter_counts() -> None:
    layers = [*painted(np.hypot(X, Y) < 6), *painted(np.hypot(X, Y) < 9), *painted(NOWHERE)]
    found = measure_viable(mask([DISC, DISC, DISC]), image(layers), STANDARD)
    assert found.diameters is not None
    assert found.diameters.slice_index == 1
    assert found.longest_mm == pytest.approx(18, abs=1.0)


def test_the_threshold_itself_enhances() -> None:
    plane = np.full((SIZE, SIZE), 60.0)
    options = MeasureOptions(viable_smoothing_mm=0.0)
    assert measure_viable(mask([DISC]), image([plane]), options).longest_mm == pytest.approx(30, abs=0.5)
    assert measure_viable(mask([DISC]), image([plane - 0.1]), options).longest_mm == 0.0


def test_a_tiny_lesion_is_not_lost_as_an_island() -> None:
    tiny = RADIUS < 1.2
    assert (measure_viable(mask([tiny]), image(painted(tiny)), STANDARD).longest_mm or 0) > 1.5


def test_smoothing_takes_nothing_from_outside_the_lesion() -> None:
    # Bright liver around a necrotic lesion must not make its border enhance.
    plane = np.where(DISC, NECROTIC_HU, 180.0)
    assert measure_viable(mask([DISC]), image([plane]), STANDARD).longest_mm == 0.0


def test_voxels_without_a_number_do_not_enhance_and_spoil_nothing() -> None:
    plane = painted(np.hypot(X - 7, Y) < 5)[0]
    plane[np.hypot(X + 8, Y) < 3] = np.nan
    found = measure_viable(mask([DISC]), image([plane]), STANDARD)
    assert found.longest_mm == pytest.approx(10, abs=1.0)


@pytest.mark.parametrize(
    ("why", "acquisition", "reason"),
    [
        ("MR has no HU", Acquisition(modality="MR", phase="arterial"), "enhancement is told by HU, and this is MR"),
        ("unknown modality", Acquisition(phase="arterial"), "this is an image of unknown modality"),
        ("no contrast: nothing could enhance, which is no response",
         Acquisition(modality="CT", phase="non_contrast"), "no contrast medium was given"),
        ("not recorded", Acquisition(modality="CT"), "whether contrast medium was given is not recorded"),
    ],
)  # fmt: skip
def test_without_contrast_nothing_is_said(why: str, acquisition: Acquisition, reason: str) -> None:
    volume = image(painted(DISC), acquisition)
    viable = measure_viable(mask([DISC]), volume, STANDARD)
    necrosis = measure_necrosis(mask([DISC]), volume, STANDARD)
    assert reason in viable.reason
    assert reason in necrosis.reason
    assert (viable.longest_mm, viable.fraction, necrosis.fraction, necrosis.volume_mm3) == (None,) * 4


@pytest.mark.parametrize(
    ("phase", "viable", "necrosis"),
    [
        ("arterial", (), ("the threshold is for the portal venous phase; this image is of the arterial phase",)),
        ("portal_venous", ("mRECIST asks for the arterial phase; this image is of the portal venous phase",), ()),
        ("contrast", ("mRECIST asks for the arterial phase; that of this image is not recorded",),
         ("the threshold is for the portal venous phase; that of this image is not recorded",)),
    ],
)  # fmt: skip
def test_another_phase_is_told(phase: str, viable: tuple[str, ...], necrosis: tuple[str, ...]) -> None:
    volume = image(painted(DISC), replace(ARTERIAL, phase=phase))
    assert measure_viable(mask([DISC]), volume, STANDARD).notes == viable
    assert measure_necrosis(mask([DISC]), volume, STANDARD).notes == necrosis


def necrosis_of(values: Any, acquisition: Acquisition = PORTAL, **more: Any) -> Any:
    volume = image(values, acquisition, **more)
    return measure_necrosis(mask(np.ones(volume.voxels.shape)), volume, STANDARD)


def test_the_necrotic_share_by_hand() -> None:
    # 30 HU itself enhances; of four voxels two lie below.
    found = necrosis_of([[[29.9, 30.0], [80.0, -5.0]], [[90.0, 90.0], [90.0, 90.0]]])
    assert found.fraction == pytest.approx(2 / 8)
    assert found.volume_mm3 == pytest.approx(2 * 0.8 * 0.8 * 2)
    assert found.method == "voxels below 30 HU"


def test_the_necrotic_share_weighs_by_thickness() -> None:
    found = necrosis_of([[[10.0]], [[80.0]], [[10.0]]], depths=(0.0, 1.0, 4.0))  # thicknesses 1, 2, 3
    assert found.fraction == pytest.approx(4 / 6)
    assert found.volume_mm3 == pytest.approx(4 * 0.8 * 0.8)


def test_padding_and_missing_numbers_are_no_necrosis() -> None:
    assert necrosis_of([[[np.nan, -3024.0, 10.0, 80.0]]]).fraction == pytest.approx(0.5)
    assert necrosis_of([[[np.nan, -3024.0]]]).reason == "no voxel of it has a value"


def test_the_volume_of_a_single_slice_needs_its_thickness() -> None:
    assert necrosis_of([[[10.0, 80.0]]]).volume_mm3 is None
    thick = replace(PORTAL, slice_thickness_mm=5.0)
    assert necrosis_of([[[10.0, 80.0]]], thick).volume_mm3 == pytest.approx(0.8 * 0.8 * 5)


@pytest.mark.parametrize("shape", [(0, 0, 0), (1, 3, 3)])
def test_an_empty_mask_has_neither(shape: tuple[int, int, int]) -> None:
    volume = image(np.full((1, 3, 3), 80.0))
    assert measure_viable(mask(np.zeros(shape)), volume, STANDARD).reason == "no voxel of it has a value"
    assert measure_necrosis(mask(np.zeros(shape)), volume, STANDARD).reason == "no voxel of it has a value"
