"""Mean ADC of a lesion by hand calculation, in the units that scanners write."""

from itertools import pairwise

import numpy as np
import pytest

from response.imaging.adc import PLAUSIBLE, UNITS, AdcMap, measure_adc
from response.imaging.volume import Acquisition
from tests.imaging.test_attenuation import image, mask

MR = Acquisition(modality="MR")


def adc_of(
    values: object, factor: float | None = None, depths: list[float] | None = None
) -> tuple[float | None, list[str]]:
    crop = np.asarray(values, np.float32)
    volume = image(crop, MR, depths)
    found = measure_adc(mask(np.ones(crop.shape)), volume, AdcMap(volume=volume, factor=factor), crop)
    return found.mean, list(found.notes)


@pytest.mark.parametrize(
    ("values", "unit"),
    [([1000.0, 1500.0], "10^-6 mm2/s"), ([1.0, 1.5], "10^-3 mm2/s"), ([0.001, 0.0015], "mm2/s")],
)
def test_the_unit_is_told_by_its_size(values: list[float], unit: str) -> None:
    mean, notes = adc_of([[values]])
    assert mean == pytest.approx(1.25)
    assert notes == [f"the ADC map does not tell its unit; by its size it is {unit}"]


@pytest.mark.parametrize("value", [20.0, 50.0, 6000.0, 0.05, 0.006, 1e-5])
def test_a_size_that_fits_no_unit_gives_no_number(value: float) -> None:
    mean, (note,) = adc_of([[[value]]])
    assert mean is None
    assert note.startswith("no ADC")


@pytest.mark.parametrize(("value", "mean"), [(0.1, 0.1), (5.0, 5.0), (100.0, 0.1), (5000.0, 5.0)])
def test_the_limits_themselves_are_plausible(value: float, mean: float) -> None:
    assert adc_of([[[value]]])[0] == pytest.approx(mean)


def test_no_number_fits_two_units() -> None:
    low, high = PLAUSIBLE
    factors = sorted(UNITS.values())
    assert all(high / larger < low / smaller for smaller, larger in pairwise(factors))


def test_a_unit_of_the_headers_is_believed() -> None:
    mean, notes = adc_of([[[20.0]]], 1e-3)
    assert mean == pytest.approx(0.02)
    assert notes == []


def test_what_was_not_computed_is_left_out_and_told() -> None:
    mean, notes = adc_of([[[1000.0, 2000.0, 0.0, -5.0]]], 1e-3)
    assert mean == pytest.approx(1.5)
    assert notes == ["the ADC map has no value in 50 % of it"]
    assert adc_of([[[0.0, np.nan]]]) == (None, ["the ADC map has no value in it"])


def test_uneven_slices_weigh_by_thickness() -> None:
    mean, _ = adc_of([[[1000.0]], [[2000.0]], [[1500.0]]], 1e-3, [0, 1, 4])  # thicknesses 1, 2, 3
    assert mean == pytest.approx((1 * 1.0 + 2 * 2.0 + 3 * 1.5) / 6)
