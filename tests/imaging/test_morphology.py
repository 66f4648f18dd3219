"""The suggested Chun group, on phantoms whose every feature is known (criteria page, section 3.4)."""

from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

from response.imaging.grid import Grid
from response.imaging.interface import measure_interface
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.liver_reference import entropy_of, measure_liver
from response.imaging.morphology import Features, Suggestion, Votes, distances_of, group_of, suggest_group, vote
from response.imaging.neighbourhood import look_around
from response.imaging.options import MeasureOptions
from response.imaging.rays import OFFSETS_MM, Patches, cast_rays
from response.imaging.rim import measure_rim
from response.imaging.volume import Acquisition, Volume
from tests.imaging.phantoms import Metastasis, Phantom, Scan, Surroundings, liver_phantom, mask_of

STANDARD = MeasureOptions()

# One phantom per feature: the first is of group 1, and each of the next differs from it in one thing.
TEXTURE: dict[str, Any] = {"texture_hu": 30.0, "core_hu": 50.0}
PHANTOMS = [
    ("homogeneous, low, sharp, no rim", Metastasis(), 1, ("homogeneous", True, "sharp", "none")),
    ("cyst-like", Metastasis(core_hu=15), 1, ("homogeneous", True, "sharp", "none")),
    ("not low", Metastasis(core_hu=88), 2, ("homogeneous", False, None, "none")),
    ("ill-defined", Metastasis(edge_mm=12), 2, ("homogeneous", True, "ill-defined", "none")),
    ("half of the border ill-defined",
     Metastasis(blurred_edge_mm=12, blurred_share=0.5), 2, ("homogeneous", True, "variable", "none")),
    ("a rim", Metastasis(rim_hu=150), 2, ("homogeneous", True, "sharp", "present")),
    ("texture", Metastasis(**TEXTURE), 2, ("heterogeneous", None, None, "none")),
    ("a little texture, half ill-defined",
     Metastasis(texture_hu=12, core_hu=50, blurred_edge_mm=12, blurred_share=0.5), 2, (None, None, "variable", "none")),
    ("texture and ill-defined", Metastasis(**TEXTURE, edge_mm=12), 3, ("heterogeneous", None, "ill-defined", "none")),
    ("texture and a rim", Metastasis(**TEXTURE, rim_hu=140), 3, ("heterogeneous", None, None, "present")),
]  # fmt: skip
SCANS = [
    Scan(pixel_mm=0.7, slice_mm=1.0, noise_hu=20, seed=1),
    Scan(pixel_mm=0.8, slice_mm=2.5, noise_hu=8, seed=2),
    Scan(pixel_mm=0.9, slice_mm=5.0, noise_hu=14, seed=4),
]
PLAIN = Metastasis(radius_mm=9.0)  # of group 1, and small, so that it costs little time
CENTRES = [(0.0, 0.0, 0.0), (1.3, -2.1, 0.8), (-2.6, 0.4, 2.2)]


@cache
def phantom(lesion: Metastasis, scan: Scan = SCANS[1], around: Surroundings = Surroundings()) -> Phantom:  # noqa: B008
    return liver_phantom(lesion, scan, around)


def suggested(made: Phantom, **more: Any) -> Suggestion:
    return suggest_group(made.lesion, made.volume, **{"liver": made.liver, "others": made.others, **more})


@pytest.mark.parametrize("place", range(len(SCANS)), ids=["1 mm", "2.5 mm", "5 mm"])
@pytest.mark.parametrize(("why", "lesion", "group", "votes"), PHANTOMS, ids=[row[0] for row in PHANTOMS])
def test_the_group_of_phantoms(why: str, lesion: Metastasis, group: int, votes: tuple[Any, ...], place: int) -> None:
    found = suggested(phantom(replace(lesion, centre_mm=CENTRES[place]), SCANS[place]))
    assert found.group == group, (found.votes, found.features)
    told = (found.votes.attenuation, found.votes.low, found.votes.interface, found.votes.rim)
    assert all(expected in (None, vote) for expected, vote in zip(votes, told, strict=True)), found.features


@pytest.mark.parametrize("noise", [8.0, 12.0, 20.0])
@pytest.mark.parametrize("radius", [5.5, 8.0])
def test_small_lesions_of_group_1_are_found_through_noise(radius: float, noise: float) -> None:
    made = phantom(Metastasis(radius_mm=radius, centre_mm=(1.0, 2.0, -1.0)), Scan(slice_mm=2.0, noise_hu=noise, seed=7))
    assert suggested(made).group == 1


def test_the_raw_numbers_are_those_of_the_phantom() -> None:
    made = phantom(Metastasis(), SCANS[0])
    features = suggested(made).features
    assert features is not None
    assert features.core_hu == pytest.approx(45, abs=1)
    assert features.liver_hu == pytest.approx(110, abs=1)
    assert features.contrast_hu == pytest.approx(65, abs=2)
    assert features.entropy_ratio == pytest.approx(1, abs=0.1)  # the same noise in both
    assert features.sharp_share > 0.95
    assert features.rim_share < 0.05
    assert features.rim_over_liver_hu < 0
    assert features.reference == "liver"
    assert features.slice_mm == 1.0


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


def _patches(profile: Any, blur: float = 0.0, count: int = 3) -> Patches:
    return Patches(
        places_mm=np.zeros((count, 3)),
        profiles=np.tile(profile, (count, 1)),
        counts=np.full((count, len(OFFSETS_MM)), 10.0),
        rays=np.full(count, 10.0),
        blur_mm=np.full(count, blur),
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


BESIDE = Metastasis(radius_mm=10, centre_mm=(25.5, 0.0, 0.0))
HARD = [
    ("vessels near it", Metastasis(), Surroundings(vessels=((20, 0, 4), (-18, 5, 3), (0, 25, 6)))),
    ("vessels that touch it", Metastasis(), Surroundings(vessels=((17, 0, 3), (-18, 0, 3)))),
    ("another lesion that touches it", Metastasis(), Surroundings(others=(BESIDE,))),
    ("two other lesions", Metastasis(),
     Surroundings(others=(replace(BESIDE, core_hu=60.0), Metastasis(radius_mm=12, centre_mm=(-10, 26, 0))))),
    ("at the surface, beside the lung", Metastasis(), Surroundings(lung_beyond=16.0)),
    ("in the corner of the image", Metastasis(centre_mm=(28, 28, 0)), Surroundings()),
    ("at the end of the series", Metastasis(centre_mm=(0, 0, 20)), Surroundings()),
]  # fmt: skip


@pytest.mark.parametrize(("why", "lesion", "around"), HARD, ids=[row[0] for row in HARD])
def test_what_lies_around_a_lesion_of_group_1_does_not_change_it(
    why: str, lesion: Metastasis, around: Surroundings
) -> None:
    made = phantom(lesion, around=around)
    found = suggested(made)
    assert found.group == 1, (found.votes, found.features)
    assert found.features is not None
    assert found.features.liver_hu == pytest.approx(110, abs=1.5)
    alone = suggested(made, liver=None)
    assert alone.group == 1, (alone.votes, alone.features)
    assert alone.notes == ("no mask of the liver: the tissue around the lesion stood for it",)
    assert alone.features is not None
    assert alone.features.reference == "surroundings"


def test_another_lesion_that_nobody_marked_does_little() -> None:
    assert suggested(phantom(Metastasis(), around=Surroundings(others=(BESIDE,))), others=()).group == 1


def test_the_lesion_itself_may_be_among_the_others() -> None:
    made = phantom(PLAIN)
    same = replace(made.lesion, voxels=made.lesion.voxels.copy())
    for others in ((made.lesion,), (same,)):
        assert suggested(made, others=others).features == suggested(made).features


def test_a_liver_mask_that_spares_the_lesion_serves_as_well() -> None:
    made = phantom(PLAIN)
    spared = made.liver.voxels.copy()
    part = tuple(slice(a, a + b) for a, b in zip(made.lesion.corner, made.lesion.voxels.shape, strict=True))
    spared[part] &= ~made.lesion.voxels
    found, expected = suggested(made, liver=mask_of(spared)).features, suggested(made).features
    assert found is not None
    assert expected is not None
    assert found.sharp_share == pytest.approx(expected.sharp_share, abs=0.02)
    assert found.width_mm == pytest.approx(expected.width_mm, abs=0.1)
    assert (found.core_hu, found.liver_hu) == (expected.core_hu, expected.liver_hu)


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


# Steps 2 to 6 of section 3.4, on numbers; each row changes what it names.
FEATURES = Features(
    core_hu=45.0, liver_hu=110.0, core_depth_mm=2.0, heterogeneity=1.0, entropy_ratio=1.0, noise_hu=5.0,
    width_mm=2.0, sharp_share=0.9,
    patches=50, rim_over_core_hu=5.0, rim_over_liver_hu=-60.0, rim_share=0.0, reference="liver", slice_mm=2.0,
)  # fmt: skip
BOUNDARIES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("homogeneous up to 1.5", {"heterogeneity": 1.5}, {"attenuation": "homogeneous"}),
    ("mixed above it", {"heterogeneity": 1.51}, {"attenuation": "mixed"}),
    ("mixed up to 2", {"heterogeneity": 2.0}, {"attenuation": "mixed"}),
    ("heterogeneous above it", {"heterogeneity": 2.01}, {"attenuation": "heterogeneous"}),
    ("low from 30 HU below the liver", {"core_hu": 50.0, "liver_hu": 80.0}, {"low": True}),
    ("not low at less", {"core_hu": 50.0, "liver_hu": 79.9}, {"low": False}),
    ("low up to 60 HU", {"core_hu": 60.0}, {"low": True, "cyst_like": False}),
    ("not low above", {"core_hu": 60.1}, {"low": False}),
    ("like a cyst up to 30 HU", {"core_hu": 30.0}, {"cyst_like": True}),
    ("not above", {"core_hu": 30.1}, {"cyst_like": False}),
    ("like a cyst only if low", {"core_hu": 20.0, "liver_hu": 45.0}, {"low": False, "cyst_like": False}),
    ("sharp from 0.7", {"sharp_share": 0.7}, {"interface": "sharp"}),
    ("variable below", {"sharp_share": 0.69}, {"interface": "variable"}),
    ("variable above 0.3", {"sharp_share": 0.31}, {"interface": "variable"}),
    ("ill-defined from there down", {"sharp_share": 0.3}, {"interface": "ill-defined"}),
    ("a rim from a quarter of the border", {"rim_share": 0.25}, {"rim": "present"}),
    ("none below", {"rim_share": 0.24}, {"rim": "none"}),
    ("not told", {"rim_share": float("nan"), "sharp_share": float("nan")}, {"rim": "", "interface": ""}),
]


@pytest.mark.parametrize(("why", "changed", "expected"), BOUNDARIES, ids=[row[0] for row in BOUNDARIES])
def test_votes_at_their_cut_offs(why: str, changed: dict[str, Any], expected: dict[str, Any]) -> None:
    votes = vote(replace(FEATURES, **changed), STANDARD)
    assert {name: getattr(votes, name) for name in expected} == expected


def test_the_group_of_every_combination_of_votes() -> None:
    attenuations, interfaces, rims = (
        ("homogeneous", "mixed", "heterogeneous"), ("sharp", "variable", "ill-defined"), ("none", "present"),
    )  # fmt: skip
    groups = {
        (a, low, i, r): group_of(Votes(attenuation=a, low=low, interface=i, rim=r))
        for a, low, i, r in product(attenuations, (True, False), interfaces, rims)
    }
    assert {key for key, group in groups.items() if group == 1} == {("homogeneous", True, "sharp", "none")}
    assert {key for key, group in groups.items() if group == 3} == {
        ("heterogeneous", low, interface, rim)
        for low in (True, False)
        for interface, rim in (
            ("ill-defined", "none"), ("ill-defined", "present"), ("sharp", "present"), ("variable", "present"),
        )
    }  # fmt: skip
    assert len(groups) == 36


@pytest.mark.parametrize(
    ("why", "changed", "expected"),
    [
        ("each from the nearest of its cut-offs", {},
         {"homogeneity": 0.5 / 1.5, "low": 15 / 60, "interface": 0.2 / 0.7, "rim": 1.0}),
        ("how low it is does not matter in an uneven lesion", {"heterogeneity": 3.0},
         {"homogeneity": 0.5, "interface": 0.2 / 0.7, "rim": 1.0}),
        ("of the two cut-offs of low the one that fails", {"core_hu": 75.0},
         {"homogeneity": 0.5 / 1.5, "low": 15 / 60, "interface": 0.2 / 0.7, "rim": 1.0}),
        ("between two cut-offs", {"sharp_share": 0.36}, {"homogeneity": 0.5 / 1.5, "low": 15 / 60,
         "interface": 0.2, "rim": 1.0}),
        ("on a cut-off", {"rim_share": 0.25},
         {"homogeneity": 0.5 / 1.5, "low": 15 / 60, "interface": 0.2 / 0.7, "rim": 0.0}),
    ],
)  # fmt: skip
def test_distances_to_the_cut_offs(why: str, changed: dict[str, Any], expected: dict[str, float]) -> None:
    features = replace(FEATURES, **changed)
    found = distances_of(features, vote(features, STANDARD), STANDARD)
    assert found == pytest.approx(expected)
    assert Suggestion(group=1, distances=found).distance == pytest.approx(min(expected.values()))


def test_every_cut_off_is_an_option() -> None:
    made = phantom(PLAIN)
    assert suggested(made).group == 1
    for changed in (
        {"chun_homogeneous": 0.1},
        {"chun_low_hu": 40.0},
        {"chun_low_contrast_hu": 70.0},
        {"chun_sharp_mm": 0.0},
        {"chun_sharp_share": 1.1},
        {"chun_contrast_hu": 80.0},
        {"chun_contrast_share": 1.5},
        {"chun_rim_share": 0.0},
    ):
        assert suggested(made, options=MeasureOptions(**changed)).group == 2, changed  # type: ignore[arg-type]
    for changed in ({"chun_smallest_mm": 19.0}, {"chun_thickest_slice_mm": 2.0}):
        assert suggested(made, options=MeasureOptions(**changed)).group is None, changed  # type: ignore[arg-type]


def test_the_votes_read_as_a_text() -> None:
    assert str(Votes(attenuation="mixed", low=False, interface="variable", rim="present")) == (
        "mixed not low; interface variable; rim present"
    )
    low = Votes(attenuation="homogeneous", low=True, interface="sharp", rim="none")
    assert str(low) == "homogeneous low; interface sharp; rim none"
    assert str(replace(low, cyst_like=True)) == "homogeneous cyst-like; interface sharp; rim none"


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
