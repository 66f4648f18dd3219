"""Attenuation of segmented lesions: against NumPy, hand calculation, and the public case with known values."""

import csv
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from response.imaging.attenuation import Attenuation, measure_attenuation
from response.imaging.contrast import is_enhanced
from response.imaging.crops import crop_of
from response.imaging.distribution import distribution_of
from response.imaging.extents import measure_extents
from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.options import MeasureOptions
from response.imaging.volume import Acquisition, Volume

PORTAL = Acquisition(modality="CT", phase="portal_venous")
STANDARD = MeasureOptions()


def image(voxels: object, acquisition: Acquisition = PORTAL, depths: list[float] | None = None) -> Volume:
    values = np.asarray(voxels)
    places = np.arange(len(values), dtype=np.float64) * 2.0 if depths is None else np.asarray(depths)
    grid = Grid(
        origins=places[:, None] * np.asarray((0.0, 0.0, 1.0)),
        along_row=np.asarray((1.0, 0.0, 0.0)),
        along_column=np.asarray((0.0, 1.0, 0.0)),
        row_spacing_mm=0.5,
        column_spacing_mm=0.8,
        rows=values.shape[1],
        columns=values.shape[2],
    )
    return Volume(voxels=values, grid=grid, acquisition=acquisition)


def mask(voxels: object, corner: tuple[int, int, int] = (0, 0, 0)) -> LesionMask:
    return LesionMask(name=StructureName(), corner=corner, voxels=np.asarray(voxels, np.bool_))


def measured(values: object, options: MeasureOptions = STANDARD, **more: Any) -> Attenuation:
    volume = image(values, **more)
    found = measure_attenuation(mask(np.ones(volume.voxels.shape)), volume, options)
    assert found is not None
    return found


def test_the_public_case_has_its_published_values(shared_data: Path) -> None:
    import SimpleITK

    folder = shared_data / "seg_ct_mask"
    (truth,) = csv.DictReader((folder / "truth.csv").read_text(encoding="utf-8").splitlines())
    picture, label = (SimpleITK.ReadImage(str(folder / f"brain2_{name}.nrrd")) for name in ("image", "label"))
    voxels, labelled = SimpleITK.GetArrayFromImage(picture), SimpleITK.GetArrayFromImage(label) > 0
    across, down, through = picture.GetSpacing()
    grid = Grid.of_axes(origin=(0, 0, 0), directions=[(0, 0, 1), (0, 1, 0), (1, 0, 0)],
                        spacing_mm=(through, down, across), shape=voxels.shape)  # fmt: skip
    low, high = np.argwhere(labelled).min(axis=0), np.argwhere(labelled).max(axis=0) + 1
    crop = labelled[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    lesion = mask(crop, tuple(int(a) for a in low))  # type: ignore[arg-type]
    found = measure_attenuation(
        lesion, Volume(voxels=voxels, grid=grid, acquisition=Acquisition(modality="MR")), STANDARD
    )
    assert found is not None
    assert (found.mean, found.minimum, found.maximum, found.median) == (
        float(truth["mean_rerun"]), float(truth["min"]), float(truth["max"]), float(truth["median"]),
    )  # fmt: skip
    assert found.voxels == int(truth["voxels"])
    assert found.unit == ""  # it is an MR: no HU
    assert measure_extents(lesion, grid).volume_mm3 == pytest.approx(float(truth["baseline_VoxelVolume"]), rel=1e-12)


def test_the_numbers_by_hand() -> None:
    # Mean 6; squares of deviations 36 + 16 + 4 + 0 + 144 = 200; the 10th percentile of five lies 0.4 past the first.
    found = measured([[[0, 2, 4, 6, 18]]])
    assert found.mean == 6
    assert found.sd == pytest.approx((200 / 5) ** 0.5)  # divided by 5, not by 4
    assert (found.median, found.minimum, found.maximum, found.voxels) == (4, 0, 18, 5)
    assert found.p10 == pytest.approx(0.8)
    assert found.p90 == pytest.approx(6 + 0.6 * 12)
    assert found.unit == "HU"
    assert found.roi == "volume"


@given(
    arrays.arrays(
        st.sampled_from([np.int16, np.int32, np.uint16, np.float32, np.float64]),
        st.tuples(*[st.integers(1, 4)] * 3),
        elements=st.integers(0, 3000),
    )
)
def test_the_numbers_are_those_of_numpy(values: NDArray[Any]) -> None:
    found = measured(values)
    flat = values.astype(np.float64).ravel()
    assert found.mean == pytest.approx(flat.mean(), rel=1e-12)
    assert found.sd == pytest.approx(flat.std(), rel=1e-9, abs=1e-9)
    expected = np.percentile(flat, (0, 10, 50, 90, 100))
    assert (found.minimum, found.p10, found.median, found.p90, found.maximum) == pytest.approx(tuple(expected))


def test_sums_of_whole_numbers_are_exact() -> None:
    # In float32 the sum of these would be off by several units.
    values = np.full((40, 100, 100), 3071, np.int16)
    values[0, 0, 0] = -1024
    assert measured(values).mean == float(Fraction(3071 * 399_999 - 1024, 400_000))


def test_a_constant_image_has_no_deviation() -> None:
    found = measured(np.full((2, 3, 4), -7, np.int16))
    assert (found.mean, found.sd, found.p10, found.p90) == (-7, 0, -7, -7)


def test_one_voxel_is_all_its_percentiles() -> None:
    found = measured([[[42]]])
    assert (found.mean, found.sd, found.median, found.p10, found.p90) == (42, 0, 42, 42, 42)


@pytest.mark.parametrize(
    ("why", "depths", "mean"),
    [
        ("even slices count alike", [0, 2, 4], 40.0),
        ("positions that are even but for rounding count alike, and exactly", [0, 2, 4.001], 40.0),
        ("thicknesses 2, 3, 4: (2 x 10 + 3 x 40 + 4 x 70) / 9", [0, 2, 6], 420 / 9),
    ],
)
def test_uneven_slices_weigh_by_thickness(why: str, depths: list[float], mean: float) -> None:
    found = measured([[[10]], [[40]], [[70]]], depths=depths)
    assert found.mean == pytest.approx(mean, abs=1e-12)


def test_deviation_and_percentiles_weigh_by_thickness_too() -> None:
    # Two slices of 2 mm and one of 4 mm: as two, two and four voxels of 10, 40 and 70.
    found = measured([[[10]], [[40]], [[70]]], depths=[0, 2, 4])
    uneven = measured([[[10]], [[40]], [[70]]], depths=[0, 1, 4])  # thicknesses 1, 2, 3
    assert found.sd == pytest.approx(np.std([10, 40, 70]))
    assert uneven.sd == pytest.approx(np.std([10, 40, 40, 70, 70, 70]))
    # The middles of the three lie at 0, 1.5 and 4 of 4: half of it, 2, is 0.5 of 2.5 from 40 to 70.
    assert uneven.median == pytest.approx(40 + 30 * 0.5 / 2.5)


@given(st.lists(st.integers(-100, 200), min_size=1, max_size=30))
def test_equal_weights_are_no_weights(values: list[int]) -> None:
    plain, weighed = distribution_of(np.asarray(values)), distribution_of(np.asarray(values), np.full(len(values), 2.5))
    assert weighed.mean == pytest.approx(plain.mean, abs=1e-9)
    assert weighed.sd == pytest.approx(plain.sd, abs=1e-9)
    for part in (0.0, 0.1, 0.5, 0.77, 1.0):
        assert weighed.quantile(part) == pytest.approx(plain.quantile(part), abs=1e-9)


LAYERS = np.asarray([[[1, 1, 1, 9]], [[5, 6, 7, 8]], [[1, 1, 1, 1]]], np.int16)
SHAPE = np.asarray([[[1, 1, 1, 0]], [[1, 1, 1, 1]], [[0, 0, 1, 1]]], np.bool_)


@pytest.mark.parametrize(
    ("why", "more", "mean", "area"),
    [
        ("of itself the slice with most voxels", {}, 6.5, 4),
        ("the slice of the longest diameter", {"slice_index": 2}, 1, 2),
        ("the part on it that has the longest diameter", {"slice_index": 1, "section": [[0, 0, 1, 1]]}, 7.5, 2),
        ("a section reaches not beyond the lesion", {"slice_index": 0, "section": [[1, 1, 1, 1]]}, 1, 3),
    ],
)
def test_the_largest_section_alone(why: str, more: dict[str, Any], mean: float, area: int) -> None:
    more = {name: np.asarray(value, np.bool_) if name == "section" else value for name, value in more.items()}
    found = measure_attenuation(mask(SHAPE), image(LAYERS), MeasureOptions(attenuation_roi="largest_section"), **more)
    assert found is not None
    assert found.mean == mean
    assert found.area_mm2 == pytest.approx(area * 0.5 * 0.8)
    assert found.roi == "largest_section"


def test_slices_are_counted_in_the_image_not_in_the_crop() -> None:
    lesion = mask(SHAPE[1:], (1, 0, 0))
    options = MeasureOptions(attenuation_roi="largest_section")
    found = measure_attenuation(lesion, image(LAYERS), options, slice_index=2)
    assert found is not None
    assert (found.mean, found.voxels) == (1, 2)


def test_a_section_weighs_nothing_by_thickness() -> None:
    options = MeasureOptions(attenuation_roi="largest_section")
    found = measure_attenuation(mask(SHAPE), image(LAYERS, depths=[0, 2, 9]), options)
    assert found is not None
    assert found.mean == pytest.approx(6.5)


@pytest.mark.parametrize(
    ("why", "values", "acquisition", "mean", "lost"),
    [
        ("no number", [10.0, np.nan, 30.0], PORTAL, 20, (1, 0)),
        ("infinite", [10.0, np.inf, -np.inf], PORTAL, 10, (2, 0)),
        ("padding of GE after rescale", [10, -3024, 30], PORTAL, 20, (0, 1)),
        ("padding of -2000", [10, -2000, 30], PORTAL, 20, (0, 1)),
        ("air in the lung is no padding", [-1000, -1024, -1030], PORTAL, -1018, (0, 0)),
        ("the bound itself belongs to the patient", [-1500, -1501], PORTAL, -1500, (0, 1)),
        ("signal of MR may be anything", [-2000, 0], Acquisition(modality="MR"), -1000, (0, 0)),
    ],
)
def test_what_is_no_value_of_the_patient_is_left_out(
    why: str, values: list[float], acquisition: Acquisition, mean: float, lost: tuple[int, int]
) -> None:
    found = measured([[values]], acquisition=acquisition)
    assert found.mean == mean
    assert (found.not_finite, found.padding) == lost  # without a number, and padding
    assert found.voxels == len(values) - sum(lost)


@pytest.mark.parametrize(
    ("why", "lesion", "values"),
    [
        ("no voxel", np.zeros((1, 1, 2)), [[[1, 2]]]),
        ("an empty crop", np.zeros((0, 0, 0)), [[[1, 2]]]),
        ("no voxel has a number", np.ones((1, 1, 2)), [[[np.nan, np.nan]]]),
        ("all is padding", np.ones((1, 1, 2)), [[[-3024, -3024]]]),
    ],
)
def test_without_values_there_is_no_attenuation(why: str, lesion: object, values: object) -> None:
    assert measure_attenuation(mask(lesion), image(values), STANDARD) is None


def test_what_is_left_out_does_not_count() -> None:
    volume, lesion = image([[[100, 129, 130, 900]]]), mask([[[1, 1, 1, 1]]])
    out = np.asarray([[[False, False, True, True]]])
    found = measure_attenuation(lesion, volume, STANDARD, left_out=out)
    assert found is not None
    assert (found.mean, found.voxels, found.maximum) == (114.5, 2, 129)
    assert measure_attenuation(lesion, volume, STANDARD, left_out=~np.zeros_like(out)) is None


def test_what_is_left_out_of_a_section_is_that_of_its_slice() -> None:
    volume = image([[[10, 20]], [[30, 90]]])
    out = np.asarray([[[True, True]], [[False, True]]])
    section = MeasureOptions(attenuation_roi="largest_section")
    found = measure_attenuation(mask(np.ones((2, 1, 2))), volume, section, slice_index=1, left_out=out)
    assert found is not None
    assert (found.mean, found.voxels) == (30, 1)


def test_only_the_crop_is_read_and_memory_order_does_not_matter() -> None:
    values = np.random.default_rng(1).integers(-50, 150, (5, 6, 7)).astype(np.int16)
    lesion = mask(np.random.default_rng(2).random((3, 4, 2)) < 0.5, (2, 1, 5))
    found = measure_attenuation(lesion, image(values), STANDARD)
    again = measure_attenuation(lesion, replace(image(values), voxels=np.asfortranarray(values)), STANDARD)
    assert found == again
    assert found is not None
    assert found.mean == pytest.approx(values[2:5, 1:5, 5:7][lesion.voxels].mean())


@pytest.mark.parametrize("corner", [(4, 0, 0), (0, 0, 6), (-1, 0, 0)])
def test_a_mask_beyond_the_image_is_refused(corner: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="a mask of"):
        crop_of(mask(np.ones((2, 2, 2)), corner), np.zeros((5, 6, 7)))


@pytest.mark.parametrize(
    ("phase", "agent", "expected"),
    [
        ("portal_venous", "", True),
        ("arterial", "NONE", True),  # the phase was worked out from more than the agent
        ("contrast", "", True),
        ("non_contrast", "Ultravist 300", False),
        ("", "", None),
        ("", "Ultravist 300", True),
        ("", "APPLIED", True),
        ("", "none", False),
        ("", " NO ", False),
        ("", "NO CONTRAST", False),
        ("", "ORAL & RECTAL", False),
        ("", "Omnipaque IV & oral", True),
        ("", "Nonionic", True),
    ],
)
def test_contrast_is_told_by_phase_then_by_agent(phase: str, agent: str, expected: bool | None) -> None:
    assert is_enhanced(Acquisition(modality="CT", phase=phase, contrast_agent=agent)) is expected
