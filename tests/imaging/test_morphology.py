"""The suggested Chun group, on phantoms whose every feature is known (criteria page, section 3.4)."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from response.imaging.morphology import Features, Suggestion, Votes, distances_of, group_of, vote
from response.imaging.options import MeasureOptions
from tests.imaging.phantoms import (
    PLAIN,
    SCANS,
    STANDARD,
    TEXTURE,
    Metastasis,
    Scan,
    Surroundings,
    mask_of,
    phantom,
    suggested,
)

# One phantom per feature: the first is of group 1, and each of the next differs from it in one thing.
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


CENTRES = [(0.0, 0.0, 0.0), (1.3, -2.1, 0.8), (-2.6, 0.4, 2.2)]


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
    assert features.rim_over_core_hu == pytest.approx(0, abs=12)
    assert features.rim_over_liver_hu == pytest.approx(-65, abs=12)
    assert features.reference == "liver"
    assert features.slice_mm == 1.0


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
