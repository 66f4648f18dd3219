"""One series may hold several volumes: they are kept apart, the right one is read, and the others are told of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from response.imaging.grid import Grid
from response.imaging.options import MeasureOptions
from response.imaging.volume import Volume
from response.io.images import read_series
from response.io.studies import find_studies
from tests.dicom_factory import axial_grid, oblique_grid, random_voxels, uid_of, write_ct_series
from tests.seg_factory import plain_seg

GRID = axial_grid((4, 6, 5))
FIRST, SECOND = random_voxels(GRID.shape, seed=1), random_voxels(GRID.shape, seed=2)


def moved(grid: Grid, height_mm: float) -> Grid:
    return replace(grid, origins=grid.origins + height_mm * grid.normal)


def turned(shape: tuple[int, int, int], along_row: Sequence[float], along_column: Sequence[float]) -> Grid:
    return replace(axial_grid(shape), along_row=np.array(along_row, float), along_column=np.array(along_column, float))


class Mixed:
    """A series put together from several sets of slices."""

    def __init__(self, folder: Path, modality: str = "CT") -> None:
        self.folder, self.modality = folder, modality
        self.paths: list[Path] = []
        self.sets = 0

    def add(self, voxels: NDArray[Any], grid: Grid, tags: Any = (), **how: Any) -> list[Path]:
        """Add a set of slices, and return its files."""
        self.sets += 1
        paths = write_ct_series(
            self.folder / str(self.sets),
            voxels,
            grid,
            series_uid=uid_of(self.sets),
            modality=self.modality,
            tags=tags,
            **how,
        )

        for path in paths:
            dataset = pydicom.dcmread(path)
            dataset.SeriesInstanceUID = uid_of("mixed")
            dataset.save_as(path)
        self.paths += paths
        return paths

    def read(self, **how: Any) -> Volume:
        """Read the series, its files in a reproducible muddle."""
        order = np.random.default_rng(3).permutation(len(self.paths))
        return read_series([self.paths[index] for index in order], **how)


def left_out(count: int, read: int, words: str) -> str:
    return f"{count} slices were left out, of another volume than the {read} read (different {words})"


@pytest.mark.parametrize(
    ("tags", "words", "modality"),
    [
        ({"AcquisitionNumber": (1, 2)}, "acquisition number", "CT"),  # two passes of contrast
        ({"ImageType": (["ORIGINAL", "PRIMARY", "AXIAL"], ["DERIVED", "SECONDARY", "AXIAL"])}, "image type", "CT"),
        ({"KVP": ("80", "140")}, "tube voltage", "CT"),  # dual energy
        ({"ConvolutionKernel": ("B20f", "B70f")}, "kernel", "CT"),
        ({"TemporalPositionIdentifier": (1, 2)}, "temporal position", "MR"),
        ({"EchoNumbers": (1, 2), "EchoTime": ("10", "90")}, "echo, echo time", "MR"),
        ({"EchoTime": ("10", "90")}, "echo time", "MR"),
        ({"TriggerTime": ("0", "300")}, "trigger time", "MR"),
        ({"DiffusionBValue": (0.0, 800.0)}, "b-value", "MR"),
        ({"SequenceName": ("*ep_b0", "*ep_b800t")}, "sequence", "MR"),
        ({"AcquisitionTime": ("100000", "100500")}, "order of acquisition only", "CT"),
        ({"InstanceNumber": (1, 2)}, "order of acquisition only", "CT"),
    ],
)
def test_volumes_at_the_same_places_are_never_mixed(
    tmp_path: Path, tags: Mapping[str, tuple[Any, Any]], words: str, modality: str
) -> None:
    series = Mixed(tmp_path, modality)
    series.add(FIRST, GRID, {keyword: values[0] for keyword, values in tags.items()})
    second = series.add(SECOND, GRID, {keyword: values[1] for keyword, values in tags.items()})
    volume = series.read()
    assert np.array_equal(volume.voxels, FIRST)  # of equals, the earlier
    assert volume.faults == (left_out(4, 4, words),)
    wanted = series.read(instances=lambda: {uid_of(uid_of(2), 1)})
    assert np.array_equal(wanted.voxels, SECOND)
    assert len(second) == 4


def test_the_larger_volume_is_read(tmp_path: Path) -> None:
    series = Mixed(tmp_path)
    series.add(FIRST[:3], axial_grid((3, 6, 5)), {"AcquisitionNumber": 1})
    series.add(SECOND, GRID, {"AcquisitionNumber": 2})
    assert np.array_equal(series.read().voxels, SECOND)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        (oblique_grid((2, 6, 5)), "pixel spacing, orientation"),
        (axial_grid((2, 8, 5)), "size"),
        (axial_grid((2, 6, 5), (3.0, 0.9, 0.5)), "pixel spacing"),
        (
            replace(axial_grid((2, 6, 5)), along_row=np.array([0, 1.0, 0]), along_column=np.array([0, 0, -1.0])),
            "orientation",
        ),
    ],
)
def test_slices_unlike_the_others_are_left_out(tmp_path: Path, grid: Grid, words: str) -> None:
    series = Mixed(tmp_path)
    series.add(FIRST, GRID, thickness=3)
    series.add(random_voxels(grid.shape), grid, thickness=3)
    volume = series.read()
    assert np.array_equal(volume.voxels, FIRST)
    assert volume.faults == (left_out(2, 4, words),)


def test_another_frame_of_reference_is_another_volume(tmp_path: Path) -> None:
    series = Mixed(tmp_path)
    series.add(FIRST, GRID)
    series.add(SECOND[:2], moved(axial_grid((2, 6, 5)), 12), frame_of_reference_uid="1.2.3")
    volume = series.read()
    assert np.array_equal(volume.voxels, FIRST)
    assert volume.faults == (left_out(2, 4, "frame of reference"),)


def test_a_scout_without_position_is_left_out(tmp_path: Path) -> None:
    series = Mixed(tmp_path)
    series.add(FIRST, GRID)
    tags = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    series.add(SECOND[:1], axial_grid((1, 6, 5)), tags)
    volume = series.read()
    assert np.array_equal(volume.voxels, FIRST)
    assert volume.faults == ("1 slice was left out, of another volume than the 4 read (different position (missing))",)


def test_several_orientations_are_told_in_one_sentence(tmp_path: Path) -> None:
    series = Mixed(tmp_path, "MR")
    series.add(FIRST, GRID)
    for row, column in (((0, 1, 0), (0, 0, -1)), ((1, 0, 0), (0, 0, -1))):
        series.add(SECOND[:1], turned((1, 6, 5), row, column))
    assert series.read().faults == (left_out(2, 4, "orientation"),)


# --- What belongs together although something differs.


def test_chest_and_abdomen_in_two_acquisitions_are_one_volume(tmp_path: Path) -> None:
    series = Mixed(tmp_path)
    series.add(FIRST, GRID, {"AcquisitionNumber": 1})
    series.add(SECOND, moved(GRID, 12), {"AcquisitionNumber": 2})
    volume = series.read()
    assert np.array_equal(volume.voxels, np.concatenate([FIRST, SECOND]))
    assert volume.faults == ()


def test_acquisitions_that_share_one_slice_are_two_volumes(tmp_path: Path) -> None:
    series = Mixed(tmp_path)
    series.add(FIRST, GRID, {"AcquisitionNumber": 1})
    series.add(SECOND, moved(GRID, 9), {"AcquisitionNumber": 2})
    assert series.read().faults == (left_out(4, 4, "acquisition number"),)


@pytest.mark.parametrize(
    "tags",
    [
        [{"AcquisitionNumber": number} for number in (4, 1, 3, 2)],  # step and shoot
        [{"TriggerTime": str(time)} for time in (10, 870, 10, 870)],  # triggered by breath
        [{"EchoTime": text} for text in ("4.7", "4.76", "4.7", "4.76")],
        [{"TemporalPositionIdentifier": number} for number in (1, 2, 3, 4)],  # a count of slices
        [{"AcquisitionTime": f"10150{number}"} for number in (3, 2, 1, 0)],
    ],
)
def test_what_changes_from_slice_to_slice_makes_no_volumes(tmp_path: Path, tags: list[dict[str, Any]]) -> None:
    volume = read_series(write_ct_series(tmp_path, FIRST, GRID, modality="MR", tags=tags))
    assert np.array_equal(volume.voxels, FIRST)
    assert volume.faults == ()


@pytest.mark.parametrize(
    ("modality", "away_mm", "slices", "told"),
    [
        ("MR", 1.5, 8, ()),  # concatenations: odd and even slices one set after the other
        ("MR", 1.0, 4, (left_out(4, 4, "acquisition number"),)),  # not in the middle between the others
        ("MR", 0.0, 4, (left_out(4, 4, "acquisition number"),)),
        ("CT", 1.5, 4, (left_out(4, 4, "acquisition number"),)),  # a second pass half a slice away
    ],
)
def test_interleaved_acquisitions(
    tmp_path: Path, modality: str, away_mm: float, slices: int, told: tuple[str, ...]
) -> None:
    series = Mixed(tmp_path, modality)
    series.add(FIRST, GRID, {"AcquisitionNumber": 1}, thickness=0)
    series.add(SECOND, moved(GRID, away_mm), {"AcquisitionNumber": 2}, thickness=0)
    volume = series.read()
    assert len(volume.voxels) == slices
    assert volume.faults == told
    assert np.array_equal(volume.voxels[:: slices // 4], FIRST)


def test_kernels_are_apart_even_where_no_place_repeats(tmp_path: Path) -> None:
    series = Mixed(tmp_path)
    series.add(FIRST, GRID, {"ConvolutionKernel": "B20f"}, thickness=0)
    series.add(SECOND, moved(GRID, 1.5), {"ConvolutionKernel": "B70f"}, thickness=0)
    volume = series.read()
    assert np.array_equal(volume.voxels, FIRST)
    assert volume.faults == (left_out(4, 4, "kernel"),)


def test_single_slices_of_one_place_are_apart(tmp_path: Path) -> None:
    series = Mixed(tmp_path)
    series.add(FIRST[:1], axial_grid((1, 6, 5)), {"ConvolutionKernel": "B20f"})
    series.add(SECOND[:1], axial_grid((1, 6, 5)), {"ConvolutionKernel": "B70f"})
    volume = series.read()
    assert np.array_equal(volume.voxels, FIRST[:1])
    assert volume.faults == ("1 slice was left out, of another volume than the 1 read (different kernel)",)


def test_a_segmentation_is_measured_on_the_volume_it_was_drawn_on(tmp_path: Path) -> None:
    grid = axial_grid((4, 16, 16))
    arterial, venous = np.full(grid.shape, 40, np.int16), np.full(grid.shape, 110, np.int16)
    series = Mixed(tmp_path / "images")
    series.add(arterial, grid, {"AcquisitionNumber": 1})
    series.add(venous, grid, {"AcquisitionNumber": 2})
    drawn_on = series.read(instances=lambda: {uid_of(uid_of(2), 0)})
    lesion = np.zeros((16, 16), bool)
    lesion[4:12, 4:12] = True
    plain_seg(tmp_path / "lesions.dcm", [(1, 1, lesion), (1, 2, lesion)], drawn_on)
    (study,) = find_studies([tmp_path]).studies
    (observation,) = study.measure(MeasureOptions()).observations
    assert float(observation.cells["attenuation_hu"]) == 110
