"""The border of a lesion: its width, its rim, and where the core begins below it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from response.imaging.interface import measure_interface
from response.imaging.liver_reference import entropy_of, measure_liver
from response.imaging.neighbourhood import look_around
from response.imaging.rays import OFFSETS_MM, Patches, cast_rays
from response.imaging.rim import measure_rim
from tests.imaging.phantoms import (
    PLAIN,
    SCANS,
    STANDARD,
    Metastasis,
    Scan,
    phantom,
    suggested,
)


@pytest.mark.parametrize(("width", "slack"), [(1.0, 0.8), (4.0, 0.8), (6.0, 0.9), (9.0, 1.5)])
@pytest.mark.parametrize("scan", SCANS[:2], ids=["1 mm", "2.5 mm"])
def test_the_width_of_the_border_is_that_of_the_phantom(scan: Scan, width: float, slack: float) -> None:
    features = suggested(phantom(Metastasis(edge_mm=width), scan)).features
    assert features is not None
    assert features.width_mm == pytest.approx(width, abs=slack)


@pytest.mark.parametrize(
    ("why", "width", "contrast", "expected"),
    [
        ("narrow", 2.0, 60.0, 1.0),
        ("wide", 8.0, 60.0, 0.0),
        ("narrow, without contrast", 2.0, 14.0, 0.0),
        ("narrow, with just enough", 2.0, 16.0, 1.0),
        ("a bright lesion has a border as well", 2.0, -60.0, 1.0),
    ],
)
def test_profiles_of_known_width(why: str, width: float, contrast: float, expected: float) -> None:
    profile = 40 + contrast / (1 + np.exp(-(OFFSETS_MM - 0.5) * 2 * np.log(9) / width))
    found = measure_interface(_patches(profile), contrast, STANDARD)
    assert found.sharp_share == expected
    assert found.median_mm == pytest.approx(width, rel=0.16)  # the widths that are tried are 15 % apart
    assert found.contrast_hu == pytest.approx(contrast, rel=0.05)


def test_a_small_step_on_a_long_way_is_texture() -> None:
    profile = 40 + 30 / (1 + np.exp(-OFFSETS_MM * 2 * np.log(9)))
    assert measure_interface(_patches(profile), 30.0, STANDARD).sharp_share == 1.0
    assert measure_interface(_patches(profile), 70.0, STANDARD).sharp_share == 0.0


def test_the_blur_of_the_image_is_taken_off() -> None:
    profile = 40 + 60 / (1 + np.exp(-OFFSETS_MM * 2 * np.log(9) / 5.0))
    sharp, blurred = (measure_interface(_patches(profile, blur), 60.0, STANDARD) for blur in (0.0, 4.0))
    assert sharp.median_mm == pytest.approx(5, rel=0.16)
    assert blurred.median_mm == pytest.approx(3, rel=0.3)  # 5^2 - 4^2 = 3^2
    assert (sharp.sharp_share, blurred.sharp_share) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("why", "within", "without", "rays", "known", "used"),
    [
        ("all of it", 12, 12, 10, 10, 3),
        ("3 mm on both sides are enough", 6, 6, 10, 10, 3),
        ("too little within", 5, 6, 10, 10, 0),
        ("too little without", 6, 5, 10, 10, 0),
        ("half of the rays are enough", 12, 12, 10, 5, 3),
        ("fewer are not", 12, 12, 10, 4, 0),
        ("four rays make a patch", 12, 12, 4, 4, 3),
        ("three do not", 12, 12, 3, 3, 0),
    ],
)  # fmt: skip
def test_patches_that_can_be_used(why: str, within: int, without: int, rays: int, known: int, used: int) -> None:  # noqa: PLR0917
    there = np.abs(OFFSETS_MM + 0.25 * (within - without)) <= 0.25 * (within + without)
    profile = np.where(there, 40 + 60 / (1 + np.exp(-OFFSETS_MM * 4)), np.nan)
    patches = replace(
        _patches(profile), rays=np.full(3, float(rays)), counts=np.full((3, len(OFFSETS_MM)), float(known))
    )
    assert measure_interface(patches, 60.0, STANDARD).used == used


def _patches(profile: Any, blur: float = 0.0, count: int = 3) -> Patches:
    return Patches(
        places_mm=np.zeros((count, 3)),
        profiles=np.tile(profile, (count, 1)),
        counts=np.full((count, len(OFFSETS_MM)), 10.0),
        rays=np.full(count, 10.0),
        blur_mm=np.full(count, blur),
        starts_mm=np.zeros((count, 3)),
        of_ray=np.arange(count),
    )


def test_a_ramp_of_partial_volume_is_no_rim() -> None:
    # From sharp to as gradual as it may be, at the thickest slices: the way up to the liver is never a peak.
    for width in (1.0, 3.0, 6.0, 10.0):
        features = suggested(phantom(Metastasis(edge_mm=width), SCANS[2])).features
        assert features is not None
        assert features.rim_over_core_hu > 5  # there is a ramp in the shell
        assert features.rim_share < 0.15


@pytest.mark.parametrize(
    ("why", "lesion", "vote"),
    [
        ("thin", Metastasis(rim_hu=150, rim_mm=1.5), "present"),
        ("over two fifths of the border", Metastasis(rim_hu=150, rim_share=0.4), "present"),
        ("over a tenth", Metastasis(rim_hu=150, rim_share=0.1), "none"),
        ("as bright as the liver: not to be told from it", Metastasis(rim_hu=110), "none"),
    ],
)
def test_rims(why: str, lesion: Metastasis, vote: str) -> None:
    assert suggested(phantom(lesion)).votes.rim == vote


def test_a_rim_outside_of_the_mask_is_seen() -> None:
    # Many segmentations hold the dark part alone.
    made = phantom(Metastasis(rim_hu=150))
    spare = replace(made, lesion=phantom(Metastasis(radius_mm=12)).lesion)
    assert suggested(spare).votes.rim == "present"


@pytest.mark.parametrize(
    ("why", "lesion", "depth"),
    [
        ("sharp and without a rim: 2 mm as the page says", PLAIN, 2.0),
        ("a rim must not make it uneven", replace(PLAIN, rim_hu=150), 3.7),
        ("nor a gradual border", replace(PLAIN, edge_mm=12), 3.7),
    ],
)
def test_the_core_begins_below_what_the_border_is_like(why: str, lesion: Metastasis, depth: float) -> None:
    features = suggested(phantom(lesion)).features
    assert features is not None
    assert features.core_depth_mm == pytest.approx(depth, abs=0.5 * (depth > 2))  # 0.45 of the radius


def test_the_ends_of_a_lesion_on_thick_slices_hold_its_rim_and_are_no_core() -> None:
    found = suggested(phantom(Metastasis(radius_mm=10, rim_hu=150), SCANS[2]))
    assert found.votes.attenuation == "homogeneous", found.features


@pytest.mark.parametrize(
    ("why", "peak", "core", "share"),
    [
        ("10 HU over the liver", 110.0, 40.0, 1.0),
        ("less", 109.9, 40.0, 0.0),
        ("20 HU over the core", 110.0, 90.0, 1.0),
        ("less", 110.0, 90.1, 0.0),
    ],
)
def test_a_peak_at_its_cut_offs(why: str, peak: float, core: float, share: float) -> None:
    made = phantom(PLAIN)
    around = look_around(made.lesion, made.volume, None, (), 15.0)
    profile = np.where(OFFSETS_MM > 0.5, 100.0, np.where(OFFSETS_MM >= -2, peak, 40.0))
    assert measure_rim(around, _patches(profile), core, 100.0, STANDARD).share == share


@pytest.mark.parametrize(("place", "seen"), [(-3.0, True), (0.0, True), (2.0, True), (-5.0, False)])
def test_a_peak_counts_near_the_border_only(place: float, seen: bool) -> None:
    made = phantom(PLAIN)
    around = look_around(made.lesion, made.volume, None, (), 15.0)
    profile = np.where(np.abs(OFFSETS_MM - place) <= 0.5, 140.0, np.where(place < OFFSETS_MM, 100.0, 40.0))
    assert measure_rim(around, _patches(profile), 40.0, 100.0, STANDARD).share == float(seen)


@pytest.mark.parametrize(("rays", "share"), [(5.0, 1.0), (4.0, float("nan"))])
def test_a_rim_asks_for_the_liver_beside_half_of_the_patch(rays: float, share: float) -> None:
    # At the surface of the liver a few of ten rays end in its blurred edge, against which the liver looks like a peak.
    made = phantom(PLAIN)
    around = look_around(made.lesion, made.volume, None, (), 15.0)
    profile = np.where(OFFSETS_MM > 3, 80.0, np.where(OFFSETS_MM >= -2, 110.0, 40.0))
    counts = np.tile(np.where(OFFSETS_MM > 3, rays, 10.0), (3, 1))
    found = measure_rim(around, replace(_patches(profile), counts=counts), 40.0, 100.0, STANDARD)
    assert found.share == pytest.approx(share, nan_ok=True)


def test_the_depth_below_the_border_is_that_of_a_ball() -> None:
    made = phantom(Metastasis(), SCANS[0])
    around = look_around(made.lesion, made.volume, None, (), 15.0)
    places = np.stack(np.meshgrid(*(o + around.step_mm * np.arange(n) for o, n in
                      zip(around.origin_mm, around.depth_mm.shape, strict=True)), indexing="ij"), axis=-1)  # fmt: skip
    error = around.depth_mm - (15 - np.linalg.norm(places, axis=-1))
    assert float(np.abs(error).mean()) < 0.4
    assert float(np.abs(error).max()) < 1.2


def test_rays_start_at_the_border_and_point_outwards() -> None:
    made = phantom(Metastasis(), SCANS[0])
    around = look_around(made.lesion, made.volume, made.liver, (), 15.0)
    patches = cast_rays(around, measure_liver(around, STANDARD), 1.0, STANDARD)
    assert float(np.abs(np.linalg.norm(patches.places_mm, axis=1) - 15).max()) < 1.0
    assert (patches.profiles[:, -1] - patches.profiles[:, 0]).min() > 20  # liver without, lesion within


@pytest.mark.parametrize(
    ("why", "values", "expected"),
    [
        ("one value", [50.0] * 8, 0.0),
        ("two values far apart: one bit", [0.0, 100.0] * 4, 1.0),
        ("four: two bits", [0.0, 100.0, 200.0, 300.0] * 2, 2.0),
        ("within one bin of 25 HU about the mean", [45.0, 55.0] * 4, 0.0),
    ],
)
def test_entropy_in_bits(why: str, values: list[float], expected: float) -> None:
    assert entropy_of(np.asarray(values, np.float32)) == pytest.approx(expected)
