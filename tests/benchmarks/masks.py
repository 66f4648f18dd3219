"""Measures reading of masks against what pydicom, highdicom and SimpleITK need for the same files.

    python tests/benchmarks/masks.py [--slices 300] [--runs 7]

A volume of 512 x 512 pixels with 20 ellipsoid lesions, as SEG (BINARY, LABELMAP), structure set and label map, read
onto the grid of its image. Printed are medians in milliseconds and ratios; nothing is asserted, for machines differ.
"""

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from response.imaging.volume import Volume  # noqa: E402
from response.io.masks import read_masks  # noqa: E402
from tests.dicom_factory import axial_grid  # noqa: E402
from tests.io.test_label_maps import write_map  # noqa: E402
from tests.rtstruct_factory import Roi, outline, write_structure_set  # noqa: E402
from tests.seg_factory import highdicom_seg, volume_on  # noqa: E402

LESIONS = 20


def draw(slices: int) -> tuple[NDArray[np.uint8], list[Any]]:
    """Return a label map, and centre and radii of each lesion."""
    rng = np.random.default_rng(7)
    labels = np.zeros((slices, 512, 512), np.uint8)
    lesions = []
    for number in range(1, LESIONS + 1):
        radii = np.minimum(rng.uniform(5, 40, 3), slices / 2 - 2)
        row, column = divmod(number - 1, 5)
        centre = np.asarray([rng.uniform(radii[0] + 1, slices - radii[0] - 1), 64 + 128 * row, 51 + 102 * column])
        box = tuple(slice(max(0, int(c - r) - 1), int(c + r) + 2) for c, r in zip(centre, radii, strict=True))
        axes = np.ogrid[tuple(slice(part.start, min(part.stop, n)) for part, n in zip(box, labels.shape, strict=True))]
        inside = sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii, strict=True)) <= 1
        labels[box][inside] = number
        lesions.append((centre, radii))
    return labels, lesions


def structure_set(path: Path, lesions: list[Any], image: Volume) -> Path:
    """Write the lesions as contours of 100 vertices."""
    angles = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    rois = []
    for number, (centre, radii) in enumerate(lesions, start=1):
        contours = []
        for index in range(int(np.ceil(centre[0] - radii[0])), int(centre[0] + radii[0]) + 1):
            share = np.sqrt(max(1e-3, 1 - ((index - centre[0]) / radii[0]) ** 2))
            circle = centre[1:] + share * radii[1:] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            contours.append(outline(image.grid, index, [(row, column) for row, column in circle]))
        rois.append(Roi(f"Lesion {number}", contours, kind="GTV"))
    return write_structure_set(path, rois, image)


def median_ms(work: Callable[[], object], runs: int) -> float:
    """Return the median time of some runs, after one that is not counted."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def report(name: str, ours: Callable[[], object], others: Mapping[str, Callable[[], object]], runs: int) -> None:
    """Print the median of our reader, and of others with their ratio to it."""
    own = median_ms(ours, runs)
    print(f"{name:24} ours {own:8.1f} ms")
    for other, work in others.items():
        taken = median_ms(work, runs)
        print(f"{'':24} {other:44} {taken:8.1f} ms  x {taken / own:6.2f}")


def main() -> None:
    """Write the files, read them, and print."""
    import highdicom
    import pydicom
    import SimpleITK

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    labels, lesions = draw(options.slices)
    image = volume_on(axial_grid(labels.shape, (1.0, 0.75, 0.75)))
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("BINARY", "LABELMAP"):
            seg = highdicom_seg(Path(folder) / f"{kind}.dcm", labels, image, kind=kind)
            others: dict[str, Callable[[], object]] = {
                "pydicom pixel_array": lambda path=seg: pydicom.dcmread(path).pixel_array,  # type: ignore[misc]
                "highdicom segread": lambda path=seg: highdicom.seg.segread(path),  # type: ignore[misc]
                "highdicom volume, segments combined": lambda path=seg: highdicom.seg.segread(path).get_volume(  # type: ignore[misc]
                    combine_segments=True, skip_overlap_checks=True
                ),
            }
            report(f"SEG {kind}", lambda path=seg: read_masks(path, image), others, options.runs)  # type: ignore[misc]
        rt = structure_set(Path(folder) / "rt.dcm", lesions, image)
        report("RTSTRUCT", lambda: read_masks(rt, image), {"pydicom, all vertices": lambda: vertices(rt)}, options.runs)
        nifti = write_map(Path(folder) / "labels.nii.gz", labels, image.grid)
        only_read = {"SimpleITK ReadImage": lambda: SimpleITK.ReadImage(str(nifti))}
        report("label map .nii.gz", lambda: read_masks(nifti, image), only_read, options.runs)


def vertices(path: Path) -> list[NDArray[np.float64]]:
    """Return the vertices of all contours as pydicom has them."""
    import pydicom

    return [
        np.asarray(contour.ContourData, np.float64)
        for roi in pydicom.dcmread(path).ROIContourSequence
        for contour in roi.ContourSequence
    ]


if __name__ == "__main__":
    main()
