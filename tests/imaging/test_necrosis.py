"""Necrosis and enhancement with a series without contrast medium beside the image, by hand calculation."""

from dataclasses import replace

import numpy as np
import pytest

from response.imaging.necrosis import measure_enhancement, measure_necrosis
from response.imaging.options import MeasureOptions
from response.imaging.volume import Acquisition
from tests.imaging.test_attenuation import PORTAL, image, mask

STANDARD = MeasureOptions()
MR = Acquisition(modality="MR", phase="contrast")


def singles(values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(values, np.float32)


def test_on_ct_necrosis_is_dark_and_does_not_enhance() -> None:
    #          dark, +5    dark, +10   dark, +9.9  bright, +5  not known
    after = [[[20.0, 25.0, 25.0, 60.0, 10.0]]]
    before = singles([[[15.0, 15.0, 15.1, 55.0, np.nan]]])
    found = measure_necrosis(mask(np.ones((1, 1, 5))), image(after), STANDARD, before)
    assert found.fraction == 2 / 4
    assert found.method == "voxels below 30 HU that rise by less than 10 HU with contrast medium"
    assert found.notes == (
        "with and without contrast medium are compared voxel by voxel: breathing between them shifts tissue",
    )
    strict = replace(STANDARD, necrosis_enhancement_hu=15)
    assert measure_necrosis(mask(np.ones((1, 1, 5))), image(after), strict, before).fraction == 3 / 4


def test_on_mr_necrosis_is_what_the_subtraction_leaves_dark() -> None:
    # 10 % more enhances; without a signal before, nothing can be said
    after = [[[109.0, 110.0, 90.0, 200.0, 50.0]]]
    before = singles([[[100.0, 100.0, 100.0, 100.0, 0.0]]])
    found = measure_necrosis(mask(np.ones((1, 1, 5))), image(after, MR), STANDARD, before)
    assert found.fraction == 2 / 4
    assert found.method == "MR subtraction, voxels with less than 10 % more signal"
    half = replace(STANDARD, necrosis_enhancement_percent=100)
    assert measure_necrosis(mask(np.ones((1, 1, 5))), image(after, MR), half, before).fraction == 3 / 4


@pytest.mark.parametrize(
    ("acquisition", "reason"),
    [
        (Acquisition(modality="MR"), "whether contrast medium was given is not recorded"),
        (Acquisition(modality="MR", phase="non_contrast"), "no contrast medium was given"),
        (Acquisition(modality="PT", phase="contrast"), "enhancement is told by HU, and this is PT"),
    ],
)
def test_without_contrast_medium_nothing_is_told(acquisition: Acquisition, reason: str) -> None:
    lesion, volume, before = mask([[[1, 1]]]), image([[[50.0, 90.0]]], acquisition), singles([[[50.0, 50.0]]])
    assert measure_necrosis(lesion, volume, STANDARD, before).reason == reason
    found = measure_enhancement(lesion, volume, before)
    assert (found.hu, found.percent) == (None, None)


def test_enhancement_on_ct_is_the_mean_of_the_difference() -> None:
    # the second voxel is not known before, and the last is padding after
    before = singles([[[40.0, np.nan, 50.0, 60.0]]])
    found = measure_enhancement(mask(np.ones((1, 1, 4))), image([[[100.0, 500.0, 60.0, -3000.0]]]), before)
    assert found.hu == pytest.approx((60 + 10) / 2)
    assert (found.percent, found.notes) == (None, ())


@pytest.mark.parametrize(("after", "told"), [(29.9, True), (30.0, False)])
def test_a_lesion_that_gets_darker_is_told(after: float, told: bool) -> None:
    found = measure_enhancement(mask([[[1]]]), image([[[after]]]), singles([[[40.0]]]))
    assert any("darker" in note for note in found.notes) is told


def test_enhancement_on_mr_is_relative_to_the_signal_before() -> None:
    # 100 (mean 150 - mean 80) / mean 80; the mean of the ratios would be another number
    before = singles([[[60.0, 100.0]]])
    found = measure_enhancement(mask([[[1, 1]]]), image([[[150.0, 150.0]]], MR), before)
    assert found.percent == pytest.approx(87.5)
    assert found.hu is None
    assert found.notes == ("two MR series are compared as stored, which asks for one gain and one scale",)


@pytest.mark.parametrize(("maker", "told"), [("Philips Ingenia", True), ("Siemens", False)])
def test_the_scale_of_philips_is_told(maker: str, told: bool) -> None:
    volume = image([[[150.0]]], replace(MR, manufacturer=maker))
    assert (
        any("Philips" in note for note in measure_enhancement(mask([[[1]]]), volume, singles([[[100.0]]])).notes)
        is told
    )


@pytest.mark.parametrize("before", [0.0, -5.0, np.nan])
def test_without_signal_before_there_is_no_relative_enhancement(before: float) -> None:
    found = measure_enhancement(mask([[[1]]]), image([[[150.0]]], MR), singles([[[before]]]))
    assert (found.hu, found.percent) == (None, None)


def test_both_weigh_by_thickness() -> None:
    lesion = mask(np.ones((3, 1, 1)))
    volume = image([[[20.0]], [[80.0]], [[20.0]]], PORTAL, [0, 1, 4])  # thicknesses 1, 2, 3
    before = singles([[[15.0]], [[20.0]], [[5.0]]])
    assert measure_necrosis(lesion, volume, STANDARD, before).fraction == pytest.approx(1 / 6)
    assert measure_enhancement(lesion, volume, before).hu == pytest.approx((1 * 5 + 2 * 60 + 3 * 15) / 6)


def test_an_empty_mask_has_neither() -> None:
    volume = image(np.full((1, 3, 3), 80.0))
    nothing = np.zeros((0, 0, 0), np.float32)
    assert measure_necrosis(mask(nothing), volume, STANDARD, nothing).reason == "no voxel of it has a value"
    assert measure_enhancement(mask(nothing), volume, nothing).hu is None
