"""What no Chun group is suggested for, and images of all kinds that must not matter."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.morphology import suggest_group
from response.imaging.options import MeasureOptions
from response.imaging.volume import Acquisition, Volume
from tests.imaging.phantoms import (
    PLAIN,
    SCANS,
    STANDARD,
    Metastasis,
    Phantom,
    Scan,
    mask_of,
    phantom,
    suggested,
)


@pytest.mark.parametrize(
    ("why", "acquisition", "reason"),
    [
        ("MR", {"modality": "MR"}, "the groups are for CT, and this is MR"),
        ("no headers", {"modality": ""}, "the groups are for CT, and this is an image of unknown modality"),
        ("arterial", {"phase": "arterial"},
         "the groups are for the portal venous phase, and that of this image is arterial"),
        ("contrast of unknown phase", {"phase": "contrast"},
         "the groups are for the portal venous phase, and that of this image is not recorded"),
        ("unknown", {"phase": ""},
         "the groups are for the portal venous phase, and that of this image is not recorded"),
        ("thick slices by the headers", {"slice_thickness_mm": 5.1}, "slices of 5.1 mm are thicker than 5 mm"),
    ],
)  # fmt: skip
def test_images_that_tell_nothing_are_refused(why: str, acquisition: dict[str, Any], reason: str) -> None:
    made = phantom(PLAIN)
    changed = replace(made.volume, acquisition=replace(made.volume.acquisition, **acquisition))
    found = suggested(replace(made, volume=changed))
    assert (found.group, found.reason, found.features, found.distance) == (None, reason, None, None)


def test_slices_that_lie_far_apart_are_refused_whatever_the_headers_say() -> None:
    made = phantom(PLAIN, Scan(slice_mm=7.0))
    thin = replace(made.volume, acquisition=replace(made.volume.acquisition, slice_thickness_mm=1.0))
    assert suggested(replace(made, volume=thin)).reason == "slices of 7 mm are thicker than 5 mm"


def test_lesions_that_are_too_small_are_refused() -> None:
    made = phantom(Metastasis(radius_mm=4.5))
    assert suggested(made).reason.endswith("mm is below 10 mm")
    assert suggested(made, longest_mm=9.99).reason == "its longest diameter of 10.0 mm is below 10 mm"
    assert suggested(phantom(Metastasis(radius_mm=5.5)), longest_mm=10.0).group is not None
    empty = LesionMask(name=StructureName(), corner=(0, 0, 0), voxels=np.zeros((0, 0, 0), np.bool_))
    assert suggested(replace(made, lesion=empty)).reason == "the mask has no voxels"


def test_a_lesion_without_depth_is_refused() -> None:
    made = phantom(PLAIN)
    plate = np.zeros(made.volume.voxels.shape, np.bool_)
    plate[10:12, 30:60, 50:53] = True  # 2.4 mm thin
    assert suggested(replace(made, lesion=mask_of(plate))).reason == "too few voxels deep inside it"


def test_a_single_slice_is_refused() -> None:
    made = phantom(PLAIN)
    grid = Grid(**{**made.volume.grid.__dict__, "origins": made.volume.grid.origins[:1]})
    one = Volume(voxels=made.volume.voxels[12:13], grid=grid, acquisition=made.volume.acquisition)
    lesion = LesionMask(name=StructureName(), corner=(0, 20, 20), voxels=np.ones((1, 30, 30), np.bool_))
    assert suggest_group(lesion, one).reason == "a single slice does not show the border"


@pytest.mark.parametrize(
    ("why", "hu", "reason"),
    [
        ("in the lung", -850.0, "too little tissue like liver near it"),
        ("in fat", -90.0, "too little tissue like liver near it"),
    ],
)
def test_a_lesion_that_is_not_in_the_liver_is_refused(why: str, hu: float, reason: str) -> None:
    made = phantom(PLAIN)
    inside = np.zeros(made.volume.voxels.shape, np.bool_)
    part = tuple(slice(a, a + b) for a, b in zip(made.lesion.corner, made.lesion.voxels.shape, strict=True))
    inside[part] = made.lesion.voxels
    volume = replace(made.volume, voxels=np.where(inside, made.volume.voxels, hu).astype(np.float32))
    assert suggested(replace(made, volume=volume), liver=None).reason == reason
    far = mask_of(np.indices(inside.shape)[2] < 8)  # a liver, but elsewhere
    assert suggested(replace(made, volume=volume), liver=far).reason == "too little liver without lesions near it"


def test_a_lesion_that_hardly_touches_the_liver_is_refused() -> None:
    made = phantom(PLAIN)
    liver = mask_of(np.indices(made.volume.voxels.shape)[2] > 64)  # begins 9.6 mm from the centre, 52
    assert suggested(made, liver=liver).reason == "too little of its border lies against liver"


def test_an_image_of_coarse_pixels_is_refused() -> None:
    found = suggested(phantom(Metastasis(), Scan(pixel_mm=3.0, slice_mm=5.0)))
    assert found.reason == "pixels or slices are too coarse to show its border"
    assert found.features is not None  # what was measured is told all the same
    assert found.features.core_hu == pytest.approx(45, abs=5)
    assert found.votes.interface == ""
    assert found.distance is None


def test_few_slices_through_a_lesion_are_told() -> None:
    made = phantom(Metastasis(radius_mm=8), SCANS[2])
    assert suggested(made).notes == ("only 4 slices show it, which blurs every feature",)


def test_five_slices_are_enough() -> None:
    made = phantom(Metastasis(radius_mm=11, centre_mm=(0.0, 0.0, 2.5)), SCANS[2])
    assert np.count_nonzero(made.lesion.voxels.any(axis=(1, 2))) == 5
    assert suggested(made).notes == ()


def _with(made: Phantom, voxels: Any) -> Phantom:
    return replace(made, volume=replace(made.volume, voxels=voxels))


def test_voxels_without_a_number_are_passed_over() -> None:
    made = phantom(PLAIN)
    holes = made.volume.voxels.astype(np.float32)
    holes[::5, ::7, ::6] = np.nan
    holes[:, :8] = -3024  # padding
    assert suggested(_with(made, holes)).group == 1


def test_an_image_of_one_value_divides_by_nothing() -> None:
    made = phantom(PLAIN)
    flat = _with(made, np.full(made.volume.voxels.shape, 80, np.int16))
    for options in (STANDARD, MeasureOptions(chun_noise_floor_hu=0.0)):
        found = suggested(flat, options=options)
        assert (found.group, found.votes.attenuation, found.votes.low) == (2, "homogeneous", False)
        assert found.votes.interface == "ill-defined"  # no contrast, so no border
        assert found.features is not None
        assert found.features.entropy_ratio is None


def test_an_image_without_any_number_is_refused() -> None:
    made = phantom(PLAIN)
    blank = _with(made, np.full(made.volume.voxels.shape, np.nan, np.float32))
    assert suggested(blank).reason == "too little liver without lesions near it"
    assert suggested(blank, liver=None).reason == "too little tissue like liver near it"


def test_type_and_memory_order_of_the_voxels_do_not_matter() -> None:
    made = phantom(PLAIN)
    expected = suggested(made).features
    assert suggested(_with(made, made.volume.voxels.astype(np.float32))).features == expected
    assert suggested(_with(made, np.asfortranarray(made.volume.voxels))).features == expected


def test_the_orientation_of_the_slices_does_not_matter() -> None:
    made = phantom(PLAIN)
    turned = np.asarray([(0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0)])
    grid = Grid.of_axes(origin=(5, 6, 7), directions=turned, spacing_mm=made.volume.grid.spacing_mm,
                        shape=made.volume.grid.shape)  # fmt: skip
    found = suggested(replace(made, volume=replace(made.volume, grid=grid))).features
    expected = suggested(made).features
    assert found is not None
    assert expected is not None
    for name in ("core_hu", "liver_hu", "heterogeneity", "sharp_share", "rim_share", "width_mm"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=0.05), name


def test_slices_that_are_shifted_by_a_tilted_gantry_show_the_same() -> None:
    made = phantom(PLAIN)
    shifts = np.arange(made.volume.grid.shape[0]) // 2  # pixels, along the columns: about 9 degrees
    shifts -= shifts[len(shifts) // 2]
    rolled = np.stack([np.roll(layer, -shift, axis=0) for layer, shift in zip(made.volume.voxels, shifts, strict=True)])
    inside = np.zeros(rolled.shape, np.bool_)
    part = tuple(slice(a, a + b) for a, b in zip(made.lesion.corner, made.lesion.voxels.shape, strict=True))
    inside[part] = made.lesion.voxels
    lesion = mask_of(np.stack([np.roll(layer, -shift, axis=0) for layer, shift in zip(inside, shifts, strict=True)]))
    grid = made.volume.grid
    moved = grid.origins + shifts[:, None] * (grid.row_spacing_mm * grid.along_column)
    volume = replace(made.volume, voxels=rolled, grid=Grid(**{**grid.__dict__, "origins": moved}))
    found = suggest_group(lesion, volume, liver=made.liver)
    assert found.group == 1, found.features


def test_slices_that_are_spaced_unevenly_show_the_same() -> None:
    made = phantom(PLAIN, Scan(slice_mm=1.5))
    kept = np.delete(np.arange(made.volume.grid.shape[0]), [14, 17, 22, 26])
    grid = Grid(**{**made.volume.grid.__dict__, "origins": made.volume.grid.origins[kept]})
    inside = np.zeros(made.volume.voxels.shape, np.bool_)
    part = tuple(slice(a, a + b) for a, b in zip(made.lesion.corner, made.lesion.voxels.shape, strict=True))
    inside[part] = made.lesion.voxels
    volume = replace(made.volume, voxels=made.volume.voxels[kept], grid=grid)
    assert suggest_group(mask_of(inside[kept]), volume).group == 1


def test_the_suggestion_looks_at_the_neighbourhood_only() -> None:
    # A memory map that is far larger than the lesion: what lies away from it may be anything.
    made = phantom(Metastasis(radius_mm=8))
    far = made.volume.voxels.astype(np.float32)
    far[:, :20] = far[:, -20:] = np.nan
    assert (
        suggested(_with(made, far)).features == suggested(_with(made, made.volume.voxels.astype(np.float32))).features
    )


def test_an_unnamed_acquisition_is_no_portal_venous_ct() -> None:
    made = phantom(PLAIN)
    assert suggested(replace(made, volume=replace(made.volume, acquisition=Acquisition()))).group is None
