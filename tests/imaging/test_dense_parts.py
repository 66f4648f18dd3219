"""Calcification and haemorrhage of segmented lesions, by hand calculation."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from response.imaging.dense_parts import DenseParts, calcification_hu, find_dense_parts
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.options import MeasureOptions
from response.imaging.volume import Acquisition
from tests.imaging.test_attenuation import PORTAL, image, mask

STANDARD = MeasureOptions()
SHARP = MeasureOptions(haemorrhage_smoothing_mm=0.0)  # each voxel by itself
PLAIN = Acquisition(modality="CT", phase="non_contrast")


def dense(
    values: object,
    options: MeasureOptions = SHARP,
    *,
    acquisition: Acquisition = PLAIN,
    unenhanced: NDArray[np.float32] | None = None,
    **more: Any,
) -> DenseParts:
    volume = image(values, acquisition, **more)
    found = find_dense_parts(mask(np.ones(volume.voxels.shape)), volume, options, unenhanced)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("why", "acquisition", "expected"),
    [
        ("without contrast medium", PLAIN, 130),
        ("with it", PORTAL, 300),
        ("not known: the higher one, for vessels may be bright", Acquisition(modality="CT"), 300),
        ("none was given, says the agent", Acquisition(modality="CT", contrast_agent="NONE"), 130),
        ("MR has no HU", Acquisition(modality="MR"), None),
        ("an image of unknown modality has none either", Acquisition(), None),
    ],
)
def test_calcification_has_a_threshold_by_contrast(why: str, acquisition: Acquisition, expected: int | None) -> None:
    assert calcification_hu(acquisition, STANDARD) == expected


def test_the_shares_by_hand() -> None:
    # 130 HU itself is calcified; 60 HU itself is no haemorrhage.
    found = dense([[[40, 60, 61, 129], [130, 900, 20, -5]]])
    assert (found.calcified_fraction, found.haemorrhage_fraction) == (2 / 8, 2 / 8)
    assert found.notes == ("the blurred border of calcification counts as haemorrhage",)


@pytest.mark.parametrize(
    ("why", "acquisition", "expected"),
    [
        ("without contrast medium", PLAIN, 0.5),
        ("with it, tissue is as dense", PORTAL, None),
        ("whether it was given is not known", Acquisition(modality="CT"), None),
    ],
)
def test_haemorrhage_is_told_without_contrast_medium_only(
    why: str, acquisition: Acquisition, expected: float | None
) -> None:
    found = dense([[[40, 80]]], acquisition=acquisition)
    assert found.haemorrhage_fraction == expected
    assert ("haemorrhage" in found.method) is (expected is not None)
    assert found.haemorrhagic.any() == bool(expected)


def test_how_it_was_told() -> None:
    before = np.asarray([[[40.0]]], np.float32)
    enhanced, beside, unknown = (
        dense([[[40]]], acquisition=acquisition, unenhanced=unenhanced).method
        for acquisition, unenhanced in ((PORTAL, None), (PORTAL, before), (Acquisition(modality="CT"), None))
    )
    assert enhanced == "calcification from 300 HU on, with contrast medium"
    assert beside == "calcification from 130 HU on, without contrast medium, haemorrhage above 60 HU"
    assert unknown == "calcification from 300 HU on, contrast medium not recorded"


def test_mr_has_no_dense_parts() -> None:
    assert find_dense_parts(mask([[[1]]]), image([[[500]]], Acquisition(modality="MR")), STANDARD) is None


@pytest.mark.parametrize(("name", "told"), [({"is_organ": True}, False), ({"site": "bone"}, False), ({}, True)])
def test_of_bone_and_organs_no_haemorrhage_is_told(name: dict[str, Any], told: bool) -> None:
    lesion = LesionMask(name=StructureName(**name), corner=(0, 0, 0), voxels=np.ones((1, 1, 2), np.bool_))
    found = find_dense_parts(lesion, image([[[80, 200]]], PLAIN), SHARP)
    assert found is not None
    assert (found.haemorrhage_fraction is not None) is told
    assert found.calcified_fraction == 0.5


def test_a_series_without_contrast_medium_tells_both_for_an_enhanced_one() -> None:
    before = np.asarray([[[40.0, 70.0, 130.0, np.nan]]], np.float32)
    found = dense([[[120, 120, 310, 310]]], acquisition=PORTAL, unenhanced=before)
    # the last voxel is not known there, and counts for nothing
    assert found.calcified_fraction == pytest.approx(1 / 3)
    assert found.haemorrhage_fraction == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ({}, [False, False, False]),
        ({"exclude_calcification": True}, [False, False, True]),
        ({"exclude_haemorrhage": True}, [False, True, False]),
        ({"exclude_calcification": True, "exclude_haemorrhage": True}, [False, True, True]),
    ],
)
def test_what_is_left_out_is_an_option(options: dict[str, bool], left_out: list[bool]) -> None:
    wanted = replace(SHARP, **options)  # type: ignore[arg-type]
    assert dense([[[40, 70, 200]]], wanted).left_out(wanted).tolist() == [[left_out]]


def test_the_shares_weigh_by_thickness() -> None:
    found = dense([[[10]], [[80]], [[999]]], depths=[0, 1, 4])  # thicknesses 1, 2, 3
    assert found.calcified_fraction == pytest.approx(3 / 6)
    assert found.haemorrhage_fraction == pytest.approx(2 / 6)


def test_padding_and_missing_numbers_are_no_part_of_it() -> None:
    found = dense([[[np.nan, -3024.0, 70.0, 20.0]]])
    assert (found.calcified_fraction, found.haemorrhage_fraction) == (0, 0.5)
    nothing = dense([[[np.nan, -3024.0]]])
    assert (nothing.calcified_fraction, nothing.haemorrhage_fraction) == (None, None)


def test_noise_is_no_haemorrhage_and_a_clot_is() -> None:
    # 40 HU with a standard deviation of 15 HU: 9 % lie above 60 HU. The clot is a disc of 10 mm in one of 24 mm.
    size = 60
    across = (np.arange(size) - size // 2) * 0.8
    away = np.hypot(across[None, :], (np.arange(size)[:, None] - size // 2) * 0.5)
    noise = 15 * np.random.default_rng(3).standard_normal((2, size, size))
    lesion = mask(np.stack([away <= 12] * 2))
    tissue = image(40 + noise, PLAIN)
    clot = image(np.where(away <= 5, 80, 40) + noise, PLAIN)
    each_voxel = find_dense_parts(lesion, tissue, SHARP)
    smoothed = find_dense_parts(lesion, tissue, STANDARD)
    bleeding = find_dense_parts(lesion, clot, STANDARD)
    assert each_voxel is not None and smoothed is not None and bleeding is not None
    assert each_voxel.haemorrhage_fraction == pytest.approx(0.09, abs=0.015)
    assert smoothed.haemorrhage_fraction == pytest.approx(0, abs=0.002)
    assert bleeding.haemorrhage_fraction == pytest.approx((5 / 12) ** 2, abs=0.02)


def test_smoothing_takes_nothing_from_calcification_or_from_outside() -> None:
    values = np.full((1, 9, 9), 900.0)
    values[0, 2:7, 2:7] = 50.0
    values[0, 4, 4] = 900.0
    lesion = LesionMask(name=StructureName(), corner=(0, 2, 2), voxels=np.ones((1, 5, 5), np.bool_))
    found = find_dense_parts(lesion, image(values, PLAIN), STANDARD)
    assert found is not None
    assert (found.haemorrhage_fraction, found.calcified_fraction) == (0, 1 / 25)
