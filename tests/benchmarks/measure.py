"""Measures `tumor-response measure` against what pydicom needs only to decode the same series and segmentation.

    python tests/benchmarks/measure.py [--slices 300] [--runs 5] [--folder DIR]

Fresh processes, in turn: decoding alone (pydicom's pixel_array of every file, rescaled, and of the SEG), and the whole
command on the same folder. Printed are medians, ratios and peak memory; nothing is asserted, for machines differ.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
LESIONS = 20


def make(folder: Path, slices: int) -> None:
    """Write a CT of 512 x 512 pixels with 20 ellipsoid lesions of 10 to 100 pixels, and its SEG."""
    import highdicom
    import numpy as np
    import pydicom
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    sys.path.insert(0, str(ROOT))
    from tests.dicom_factory import axial_grid, write_ct_series

    rng = np.random.default_rng(7)
    shape = (slices, 512, 512)
    labels = np.zeros(shape, np.uint8)
    for number in range(1, LESIONS + 1):
        radii = np.minimum(rng.uniform(5, 50) * rng.uniform(0.6, 1, 3), slices / 2 - 2)
        row, column = divmod(number - 1, 5)  # each in a field of its own, so that none covers another
        centre = [rng.uniform(radii[0] + 1, slices - radii[0] - 1), 64 + 128 * row, 51 + 102 * column]
        low = [max(int(c - r) - 1, 0) for c, r in zip(centre, radii, strict=True)]
        high = [min(int(c + r) + 2, size) for c, r, size in zip(centre, radii, shape, strict=True)]
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        axes = np.ogrid[box]
        inside = sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii, strict=True)) <= 1
        labels[box][inside] = number
    voxels = rng.integers(-100, 200, shape, dtype=np.int16)
    files = write_ct_series(folder / "ct", voxels, axial_grid(shape, (1.0, 0.75, 0.75)))
    segments = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=f"Lesion {number}",
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Neoplasm,
            algorithm_type="MANUAL",
            tracking_id=f"Lesion {number}",
            tracking_uid=generate_uid(),
        )
        for number in range(1, LESIONS + 1)
    ]
    seg = highdicom.seg.Segmentation(
        source_images=[pydicom.dcmread(file) for file in files],
        pixel_array=labels,
        segmentation_type="BINARY",
        segment_descriptions=segments,
        series_instance_uid=generate_uid(),
        series_number=2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="benchmark",
        manufacturer_model_name="benchmark",
        software_versions="1",
        device_serial_number="1",
    )
    seg.save_as(folder / "lesions.dcm")


def decode(folder: Path) -> dict[str, float]:
    """Decode the series to HU, and the SEG to its frames, with pydicom; nothing else."""
    import numpy as np
    import pydicom

    start = time.perf_counter()
    slices = [pydicom.dcmread(file) for file in sorted((folder / "ct").iterdir())]
    out = np.empty((len(slices), slices[0].Rows, slices[0].Columns), np.float32)
    for place, dataset in enumerate(slices):
        out[place] = dataset.pixel_array * dataset.RescaleSlope + dataset.RescaleIntercept
    del slices
    assert pydicom.dcmread(folder / "lesions.dcm").pixel_array.any()
    return {"seconds": time.perf_counter() - start}


def measure(folder: Path) -> dict[str, float]:
    """Run the command, without its start."""
    from response.cli import main

    out = folder.parent / "measurements.csv"
    start = time.perf_counter()
    assert main(["measure", str(folder), "-o", str(out), "--fresh", "--quiet", "--jobs", "1"]) == 0
    assert len(out.read_text().splitlines()) == LESIONS + 1
    return {"seconds": time.perf_counter() - start}


def numbers(folder: Path) -> dict[str, float]:
    """Take diameters, volumes and HU statistics of all lesions; reading is not counted."""
    from response.imaging.attenuation import measure_attenuation
    from response.imaging.diameters import measure_diameters
    from response.imaging.extents import measure_extents
    from response.imaging.options import MeasureOptions
    from response.io.images import read_series
    from response.io.masks import read_masks

    volume = read_series(sorted((folder / "ct").iterdir()))
    found = read_masks(folder / "lesions.dcm", volume)
    options = MeasureOptions()
    seconds = []
    for _ in range(3):  # the first one imports and warms up
        start = time.perf_counter()
        for mask in found.masks:
            diameters = measure_diameters(mask, found.grid, options)
            assert diameters is not None
            measure_extents(mask, found.grid)
            measure_attenuation(mask, volume, options, slice_index=diameters.slice_index, section=diameters.section)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds[-1]}


def feret(folder: Path) -> dict[str, float]:
    """Take SimpleITK's label shape statistics with Feret diameter of the same lesions; reading is not counted."""
    import numpy as np
    import SimpleITK

    from response.io.images import read_series
    from response.io.masks import read_masks

    found = read_masks(folder / "lesions.dcm", read_series(sorted((folder / "ct").iterdir())))
    labels = np.zeros(found.grid.shape, np.uint8)
    for number, mask in enumerate(found.masks, start=1):
        box = tuple(slice(low, low + size) for low, size in zip(mask.corner, mask.voxels.shape, strict=True))
        labels[box][mask.voxels] = number
    image = SimpleITK.GetImageFromArray(labels)
    image.SetSpacing(found.grid.spacing_mm[::-1])
    start = time.perf_counter()
    statistics_filter = SimpleITK.LabelShapeStatisticsImageFilter()
    statistics_filter.ComputeFeretDiameterOn()
    statistics_filter.Execute(image)
    return {"seconds": time.perf_counter() - start}


WORK = {"decode": decode, "measure": measure, "numbers": numbers, "feret": feret}


def in_fresh_process(what: str, folder: Path) -> dict[str, float]:
    """Do one piece of work in a process of its own; its whole wall time is among the figures."""
    start = time.perf_counter()
    words: Sequence[str] = [sys.executable, str(HERE), "--only", what, str(folder)]
    done = subprocess.run(words, check=True, capture_output=True, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"})
    return {**json.loads(done.stdout.splitlines()[-1]), "wall": time.perf_counter() - start}


def compare(folder: Path, slices: int, runs: int) -> None:
    """Print the ratios."""
    study = folder / "study"
    if not study.exists():
        # in a process of its own too: the peak memory of a child is never below that of its parent
        subprocess.run([sys.executable, str(HERE), "--slices", str(slices), "--make", str(study)], check=True)
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in WORK}
    for _ in range(runs):
        for name in WORK:
            figures[name].append(in_fresh_process(name, study))
    median = {
        name: {key: statistics.median(run[key] for run in found) for key in found[0]} for name, found in figures.items()
    }
    ratio = median["feret"]["seconds"] / median["numbers"]["seconds"]
    print(f"SimpleITK's Feret diameters take {ratio:.0f} x our numbers")
    base = median["decode"]
    series_mb = slices * 512 * 512 * 2 / 1e6
    for name, found in median.items():
        print(
            f"{name}: {found['seconds']:.3f} s = {found['seconds'] / base['seconds']:.2f} x decoding; "
            f"whole process {found['wall']:.2f} s = {found['wall'] / base['wall']:.2f} x; "
            f"peak {found['peak_mb']:.0f} MB = {found['peak_mb'] / series_mb:.1f} x the series"
        )


def main() -> None:
    """Measure, or do one piece of work of a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", nargs=2)
    parser.add_argument("--make", type=Path)
    wanted = parser.parse_args()
    if wanted.make:
        make(wanted.make, wanted.slices)
        return
    if wanted.only:
        what, folder = wanted.only
        found = WORK[what](Path(folder))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**found, "peak_mb": peak}))
        return
    with tempfile.TemporaryDirectory() as temporary:
        compare(wanted.folder or Path(temporary), wanted.slices, wanted.runs)


if __name__ == "__main__":
    main()
