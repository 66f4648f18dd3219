"""All cells of one lesion: which are there, by what is known of the image and by the options."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.measuring import Scene, measure_lesion, number, point
from response.imaging.options import MeasureOptions
from response.imaging.volume import Acquisition, Volume
from tests.imaging.phantoms import Metastasis, phantom

STANDARD = MeasureOptions()
CORNERS = MeasureOptions(diameter_convention="pixel_edges")
ARTERIAL = Acquisition(modality="CT", phase="arterial", slice_thickness_mm=3.0)
PORTAL = replace(ARTERIAL, phase="portal_venous")
MR = Acquisition(modality="MR", slice_thickness_mm=3.0)

# pixels of 2 mm on slices 3 mm apart; two slices of a box of 6 x 8 pixels
GRID = Grid(
    origins=np.asarray([[0.0, 0.0, 10.0], [0.0, 0.0, 13.0]]),
    along_row=np.asarray((1.0, 0.0, 0.0)),
    along_column=np.asarray((0.0, 1.0, 0.0)),
    row_spacing_mm=2.0,
    column_spacing_mm=2.0,
    rows=20,
    columns=20,
)
BOX = np.zeros((2, 20, 20), np.bool_)
BOX[:, 4:10, 3:11] = True
APART = BOX.copy()
APART[0, 15, 15] = True


def lesion(voxels: NDArray[np.bool_], **name: Any) -> LesionMask:
    return LesionMask(name=StructureName(**name), corner=(0, 0, 0), voxels=voxels)


def scene(acquisition: Acquisition = ARTERIAL, **beside: Any) -> Scene:
    voxels = np.full(BOX.shape, 80.0, np.float32)
    voxels[0, 4:10, 3:5] = 20.0  # 12 of the 96 voxels of the box do not enhance
    return Scene(grid=GRID, volume=Volume(voxels=voxels, grid=GRID, acquisition=acquisition), **beside)


def test_sizes_of_a_box() -> None:
    cells = measure_lesion(lesion(BOX), Scene(grid=GRID, slice_thickness_mm=3.0), CORNERS)
    assert cells["longest_mm"] == "20"  # 12 x 16 mm: 3-4-5
    assert (cells["voxels"], cells["components"]) == ("96", "1")
    assert float(cells["volume_mm3"]) == 96 * 2 * 2 * 3
    assert (cells["extent_lr_mm"], cells["extent_ap_mm"], cells["extent_cc_mm"]) == ("16", "12", "6")
    assert (cells["slice_position_mm"], cells["slice_interval_mm"]) == ("10", "3")
    assert not {"attenuation_hu", "phase", "necrosis_fraction", "viable_mm", "structure"} & set(cells)


def test_a_mask_without_voxels_is_not_evaluable() -> None:
    cells = measure_lesion(lesion(np.zeros_like(BOX)), scene(), STANDARD)
    assert cells == {"state": "not_evaluable", "reason": "empty segment"}


@pytest.mark.parametrize(("voxels", "told"), [(BOX, ""), (APART, "2 separate parts on the slice")])
def test_separate_parts_are_told(voxels: NDArray[np.bool_], told: str) -> None:
    cells = measure_lesion(lesion(voxels), scene(), STANDARD)
    assert cells["diameter_notes"].startswith(told) if told else "parts" not in cells.get("diameter_notes", "")


def test_attenuation_and_necrosis_of_a_box() -> None:
    cells = measure_lesion(lesion(BOX), scene(), STANDARD)
    assert cells["attenuation_hu"] == number((84 * 80 + 12 * 20) / 96) == "72.5"
    assert (cells["attenuation_min_hu"], cells["attenuation_max_hu"], cells["attenuation_voxels"]) == ("20", "80", "96")
    assert cells["necrosis_fraction"] == "0.125"
    assert cells["necrosis_method"] == "voxels below 30 HU"
    assert (cells["phase"], cells["modality"], cells["slice_thickness_mm"]) == ("arterial", "CT", "3")


def test_a_signal_is_no_attenuation() -> None:
    cells = measure_lesion(lesion(BOX), scene(MR), STANDARD)
    assert cells["signal_mean"] == "72.5"
    assert not any(name.startswith("attenuation_") and name.endswith("hu") for name in cells)


# --- a series without contrast medium beside the image: 40 HU; of the 96 voxels of the box 12 do not enhance (20 HU)

PLAIN = replace(ARTERIAL, phase="non_contrast")


def before(acquisition: Acquisition = PLAIN, *, slices: int = 2, bright: float = 40.0) -> Volume:
    """Return that series: 40, but 15 where nothing enhances, and `bright` on 6 voxels of the other slice."""
    voxels = np.full(BOX.shape, 40.0, np.float32)
    voxels[0, 4:10, 3:5] = 15.0
    voxels[1, 4:10, 10] = bright
    return Volume(
        voxels=voxels[:slices],
        grid=replace(GRID, origins=GRID.origins[:slices]),
        acquisition=acquisition,
        series_instance_uid="1.2.3",
    )


def test_what_a_series_without_contrast_medium_adds_on_ct() -> None:
    cells = measure_lesion(lesion(BOX), scene(PORTAL, unenhanced=before()), STANDARD)
    assert cells["enhancement_hu"] == number((84 * 40 + 12 * 5) / 96) == "35.625"
    assert cells["necrosis_fraction"] == "0.125"
    assert cells["necrosis_method"] == "voxels below 30 HU that rise by less than 10 HU with contrast medium"
    assert (cells["calcified_fraction"], cells["haemorrhage_fraction"]) == ("0", "0")
    assert cells["unenhanced_series_uid"] == "1.2.3"
    assert "breathing" in cells["image_notes"]
    assert "relative_enhancement_percent" not in cells


def test_dense_parts_leave_the_attenuation_by_option() -> None:
    sharp = replace(STANDARD, haemorrhage_smoothing_mm=0.0, exclude_haemorrhage=True)
    kept, bleeding, calcified = (
        measure_lesion(lesion(BOX), scene(PORTAL, unenhanced=before(bright=bright)), options)
        for bright, options in ((80.0, STANDARD), (80.0, sharp), (200.0, sharp))
    )
    assert (kept["attenuation_hu"], kept["attenuation_voxels"]) == ("72.5", "96")
    assert bleeding["haemorrhage_fraction"] == number(6 / 96)
    assert (bleeding["attenuation_hu"], bleeding["attenuation_voxels"]) == (number((78 * 80 + 12 * 20) / 90), "90")
    assert (calcified["calcified_fraction"], calcified["attenuation_voxels"]) == (number(6 / 96), "96")


def test_a_series_that_covers_half_of_a_lesion_is_not_used() -> None:
    cells = measure_lesion(lesion(BOX), scene(PORTAL, unenhanced=before(slices=1)), STANDARD)
    assert "the series without contrast medium covers 50 % of the lesion and was not used" in cells["image_notes"]
    assert cells["necrosis_method"] == "voxels below 30 HU"
    assert not {"enhancement_hu", "haemorrhage_fraction", "unenhanced_series_uid"} & set(cells)


def test_what_a_series_without_contrast_medium_adds_on_mr() -> None:
    after = replace(MR, phase="contrast")
    cells = measure_lesion(lesion(BOX), scene(after, unenhanced=before(MR)), replace(STANDARD, viable="always"))
    # mean 72.5 with and (84 x 40 + 12 x 15) / 96 = 36.875 without; the 12 voxels rise from 15 to 20, by a third
    assert cells["relative_enhancement_percent"] == number(100 * (72.5 - 36.875) / 36.875)
    assert (cells["necrosis_fraction"], cells["viable_fraction"]) == ("0", "1")
    assert cells["necrosis_method"] == "MR subtraction, voxels with less than 10 % more signal"
    half = replace(STANDARD, necrosis_enhancement_percent=50)
    dark = measure_lesion(lesion(BOX), scene(after, unenhanced=before(MR)), half)
    assert (dark["necrosis_fraction"], dark["viable_fraction"]) == ("0.125", "0.875")


def test_an_organ_is_not_looked_up_in_another_series() -> None:
    cells = measure_lesion(LIVER, scene(PORTAL, unenhanced=before(bright=200.0)), STANDARD)
    assert cells["calcified_fraction"] == "0"
    assert not {"enhancement_hu", "haemorrhage_fraction", "unenhanced_series_uid"} & set(cells)


@pytest.mark.parametrize(
    ("viable", "acquisition", "measured"),
    [
        ("arterial", ARTERIAL, True),
        ("arterial", PORTAL, False),
        ("always", ARTERIAL, True),
        ("always", PORTAL, True),
        ("never", ARTERIAL, False),
        ("never", PORTAL, False),
    ],
)
def test_when_the_viable_diameter_is_measured(viable: str, acquisition: Acquisition, measured: bool) -> None:
    cells = measure_lesion(lesion(BOX), scene(acquisition), replace(STANDARD, viable=viable))
    assert ("viable_fraction" in cells) is measured


LIVER = LesionMask(name=StructureName(kind="liver", is_organ=True), corner=(0, 0, 0), voxels=np.ones_like(BOX))


@pytest.mark.parametrize(
    ("suggest", "site", "beside", "asked"),
    [
        ("liver", "liver", {}, True),
        ("liver", "lung", {}, False),
        ("liver", "", {}, False),
        ("liver", "", {"liver": LIVER}, True),
        ("liver", "lung", {"liver": LIVER}, False),
        ("always", "lung", {}, True),
        ("never", "liver", {"liver": LIVER}, False),
    ],
)
def test_when_a_chun_group_is_looked_for(suggest: str, site: str, beside: Any, asked: bool) -> None:
    options = replace(STANDARD, suggest_morphology=suggest)
    cells = measure_lesion(lesion(BOX, site=site), scene(PORTAL, **beside), options)
    told = "morphology_suggested" in cells or "no Chun group is suggested" in cells.get("image_notes", "")
    assert told is asked


def test_an_organ_is_sized_and_not_judged() -> None:
    cells = measure_lesion(LIVER, scene(), STANDARD)
    assert cells["structure"] == "organ"
    assert "measurable" not in cells
    assert not {"necrosis_fraction", "necrosis_method"} & set(cells)
    assert "attenuation_hu" in cells


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.0, "0"), (-0.0001, "0"), (12.34567, "12.346"), (12.5, "12.5"), (-3.0, "-3")]
)
def test_numbers_are_told_to_the_thousandth(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_position_is_no_formula() -> None:
    assert point(np.asarray((-1.5, 0.0, 7.0))) == "[-1.5 0 7]"


NORMAL_NODE = "a normal node: its short axis is below 10 mm"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ({"site": "liver"}, "yes"),  # 17.9 mm long
        ({"site": "lymph node"}, NORMAL_NODE),
        ({"kind": "Lymph node"}, NORMAL_NODE),
    ],
)
def test_a_node_is_judged_by_its_short_axis(name: dict[str, str], expected: str) -> None:
    narrow = BOX.copy()
    narrow[:, 4:6] = False  # 8 x 16 mm: 17.9 mm from corner to corner, and 8.9 mm across that
    cells = measure_lesion(lesion(narrow, **name), Scene(grid=GRID, slice_thickness_mm=3.0), CORNERS)
    assert cells["measurable"].startswith(expected)


@pytest.mark.parametrize(("kvp", "told"), [(120.0, "120"), (0.0, None)])
def test_what_the_image_does_not_tell_is_blank(kvp: float, told: str | None) -> None:
    assert measure_lesion(lesion(BOX), scene(replace(ARTERIAL, kvp=kvp)), STANDARD).get("kvp") == told


def test_a_suggested_group_comes_with_its_votes_and_numbers() -> None:
    made = phantom(Metastasis())
    around = Scene(grid=made.volume.grid, volume=made.volume, liver=made.liver, lesions=(made.lesion, *made.others))
    cells = measure_lesion(made.lesion, around, STANDARD)
    assert cells["morphology_suggested"] == "1"
    assert "sharp" in cells["morphology_votes"]
    numbers = dict(text.split(" ", 1) for text in cells["morphology_numbers"].split("; "))
    assert float(numbers["core_hu"]) == pytest.approx(45, abs=1)
    assert numbers["reference"] == "liver"
    assert not {"None", "nan"} & set(numbers.values())
