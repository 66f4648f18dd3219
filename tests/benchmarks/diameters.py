"""Measures in-plane diameters against SimpleITK's label shape statistics with Feret diameter, on the same lesions.

    python tests/benchmarks/diameters.py [--sizes 10 30 100] [--runs 5]

Twenty lesions, ellipsoids and lobulated ones in turn, lie in a label volume of 300 x 512 x 512 voxels of
1.0 x 0.75 x 0.75 mm. SimpleITK takes the volume (its Feret diameter is that in 3D: it has none within slices); ours
takes the crop of each lesion, and the time to cut the crops from the volume is told beside it. Printed are medians of
one run, and ratios; nothing is asserted, for machines differ.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.diameters import measure_diameters
from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.options import CONVENTIONS, MeasureOptions

SHAPE: Final = (300, 512, 512)
SPACING_MM: Final = (1.0, 0.75, 0.75)
LESIONS: Final = 20
SEED: Final = 3


def lesion(size: int, lobulated: bool, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return a lesion of about `size` voxels across in a cube of that size."""
    axes = np.arange(size) - (size - 1) / 2
    grid = np.stack(np.meshgrid(axes, axes, axes, indexing="ij"), axis=-1)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    half_axes = size / 2 * np.array([1.0, *rng.uniform(0.6, 1.0, 2)])
    place = (grid + rng.uniform(-0.5, 0.5, 3)) @ turn / half_axes
    limit = np.ones(place.shape[:-1])
    if lobulated:
        waves = np.sin(5 * np.arctan2(place[..., 1], place[..., 0])) * np.cos(
            3 * np.arctan2(place[..., 2], place[..., 0])
        )
        limit = (1 + 0.15 * waves) / 1.15
    return np.asarray(np.sqrt((place**2).sum(axis=-1)) <= limit)


def label_volume(size: int) -> tuple[NDArray[np.uint8], list[tuple[int, int, int]]]:
    """Return a volume with 20 lesions, and the first voxel of each one's cube."""
    rng = np.random.default_rng(SEED)
    labels = np.zeros(SHAPE, np.uint8)
    cells = np.stack(np.meshgrid(*(np.arange(n // size) * size for n in SHAPE), indexing="ij"), axis=-1).reshape(-1, 3)
    corners = [tuple(corner) for corner in rng.permutation(cells)[:LESIONS].tolist()]
    for number, (z, y, x) in enumerate(corners, start=1):
        labels[z : z + size, y : y + size, x : x + size][lesion(size, number % 2 == 0, rng)] = number
    return labels, corners


def crops(labels: NDArray[np.uint8], corners: list[tuple[int, int, int]], size: int) -> list[LesionMask]:
    """Cut the lesions from the volume."""
    places = [tuple(slice(start, start + size) for start in corner) for corner in corners]
    return [
        LesionMask(name=StructureName(number=number), corner=corner, voxels=labels[place] == number)
        for number, (corner, place) in enumerate(zip(corners, places, strict=True), start=1)
    ]


def feret(labels: NDArray[np.uint8]) -> Callable[[], Any]:
    """Return what runs SimpleITK's statistics on the volume."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(labels)
    image.SetSpacing(SPACING_MM[::-1])
    statistics_filter = SimpleITK.LabelShapeStatisticsImageFilter()
    statistics_filter.ComputeFeretDiameterOn()
    return lambda: statistics_filter.Execute(image)


def measure_all(masks: list[LesionMask], grid: Grid, options: MeasureOptions) -> None:
    """Measure the diameters of all lesions."""
    for mask in masks:
        measure_diameters(mask, grid, options)


def seconds(work: Callable[[], Any], runs: int) -> float:
    """Return the median time of a piece of work."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def compare(size: int, runs: int) -> None:
    """Print the figures of one size."""
    labels, corners = label_volume(size)
    grid = Grid.of_axes(
        origin=(0, 0, 0), directions=((0, 0, 1), (0, 1, 0), (1, 0, 0)), spacing_mm=SPACING_MM, shape=SHAPE
    )
    masks = crops(labels, corners, size)
    theirs = seconds(feret(labels), 1 if size > 30 else runs)
    print(f"{size} voxels across: SimpleITK Feret {theirs * 1e3:.0f} ms")
    print(f"  crops {seconds(lambda: crops(labels, corners, size), runs) * 1e3:.1f} ms")
    for convention in CONVENTIONS:
        for inside in (False, True):
            options = MeasureOptions(diameter_convention=convention, chords_inside=inside)
            ours = seconds(partial(measure_all, masks, grid, options), runs)
            told = f"{convention}{', chords inside' if inside else ''}"
            print(f"  {told}: {ours * 1e3:.1f} ms, {theirs / ours:.0f} times less")


def main() -> None:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 30, 100])
    parser.add_argument("--runs", type=int, default=5)
    wanted = parser.parse_args()
    for size in wanted.sizes:
        compare(size, wanted.runs)


if __name__ == "__main__":
    main()
