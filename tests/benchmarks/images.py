"""Measures reading of a CT series against pydicom, plain frombuffer and SimpleITK's series reader.

    python tests/benchmarks/images.py [--slices 300] [--runs 5] [--folder DIR]

Fresh processes, in turn, of which each reads the series as often as there are runs; the first reading, which also
imports and fills caches, is not counted. Printed are medians, ratios to ours, and the peak memory of a process that
reads once, against the size of the series. Nothing is asserted, for machines differ.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
SIDE: Final = 512  # rows and columns


def make(folder: Path, slices: int) -> None:
    """Write a CT series, the same as one enhanced file, one of a fifth of the slices compressed, and one of two."""
    import numpy as np
    from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless

    sys.path.insert(0, str(ROOT))
    from tests.dicom_factory import axial_grid, write_ct_series, write_enhanced

    shape = (slices, SIDE, SIDE)
    grid = axial_grid(shape, (1.0, 0.75, 0.75))
    rows = np.sin(np.arange(SIDE) / 40)
    smooth = 800 * rows[:, None] * rows + 20 * np.random.default_rng(7).standard_normal(shape)  # like a body, and noise
    voxels = smooth.astype(np.int16)
    write_ct_series(folder / "series", voxels, grid)
    write_enhanced(folder / "enhanced" / "mf.dcm", voxels, grid, order=range(slices)[::-1])
    for name, count, syntax in (("two", 2, ExplicitVRLittleEndian), ("jpeg-ls", max(slices // 5, 2), JPEGLSLossless)):
        few = axial_grid((count, SIDE, SIDE), (1.0, 0.75, 0.75))
        write_ct_series(folder / name, voxels[:count], few, transfer_syntax=syntax)


def files_in(folder: Path) -> list[Path]:
    """Return the files of a series in the order of their names, which is not that of the slices."""
    return sorted(folder.iterdir())


def ours(folder: Path) -> Any:
    """Read the series as `measure` does."""
    from response.io.images import read_series

    return read_series(files_in(folder)).voxels


def scan_only(folder: Path) -> Any:
    """Read the headers, as `measure` does first."""
    from response.io.dicom_headers import scan

    return scan([folder])


def headers_only(folder: Path) -> Any:
    """Read the headers with pydicom."""
    import pydicom

    return [pydicom.dcmread(path, stop_before_pixels=True) for path in files_in(folder)]


def pydicom_pixels(folder: Path) -> Any:
    """Decode and rescale with pydicom, sorted by position."""
    import numpy as np
    import pydicom

    datasets = [pydicom.dcmread(path) for path in files_in(folder)]
    datasets.sort(key=lambda dataset: float(dataset.ImagePositionPatient[2]))
    voxels = np.empty((len(datasets), datasets[0].Rows, datasets[0].Columns), np.int16)
    for plane, dataset in zip(voxels, datasets, strict=True):
        plane[...] = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    return voxels


def plain_buffers(folder: Path) -> Any:
    """Do no more than pydicom's parsing, `frombuffer` and adding the intercept."""
    import numpy as np
    import pydicom

    datasets = [pydicom.dcmread(path) for path in files_in(folder)]
    voxels = np.empty((len(datasets), datasets[0].Rows, datasets[0].Columns), np.int16)
    for plane, dataset in zip(voxels, datasets, strict=True):
        plane[...] = np.frombuffer(dataset.PixelData, np.uint16).reshape(plane.shape)
        np.add(plane, np.int16(dataset.RescaleIntercept), out=plane)
    return voxels


def simpleitk(folder: Path) -> Any:
    """Read with SimpleITK's series reader, whose scan puts the files in order."""
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return SimpleITK.GetArrayFromImage(reader.Execute())


WAYS: Final[Mapping[str, tuple[str, Callable[[Path], Any]]]] = {
    "ours": ("series", ours),
    "frombuffer": ("series", plain_buffers),
    "pydicom pixel_array": ("series", pydicom_pixels),
    "SimpleITK series reader": ("series", simpleitk),
    "ours, enhanced file": ("enhanced", ours),
    "ours, JPEG-LS (a fifth)": ("jpeg-ls", ours),
    "pydicom, JPEG-LS (a fifth)": ("jpeg-ls", pydicom_pixels),
    "SimpleITK, JPEG-LS (a fifth)": ("jpeg-ls", simpleitk),
    "our scan": ("series", scan_only),
    "pydicom, headers only": ("series", headers_only),
}
READS_VOXELS: Final = [name for name, (_, way) in WAYS.items() if way not in {scan_only, headers_only}]


def measured(name: str, folder: Path, runs: int) -> dict[str, float]:
    """Run one way in this process; return the median of its seconds, and how much memory one reading added."""
    where, way = WAYS[name]
    way(folder / "two")  # imports
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    way(folder / where)
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        way(folder / where)
        seconds.append(time.perf_counter() - start)
    return {"seconds": statistics.median(seconds), "added_mb": added / 1024}


def in_fresh_process(name: str, folder: Path, runs: int) -> dict[str, float]:
    """Run one way in a process of its own."""
    command = [sys.executable, str(HERE), "--only", name, "--runs", str(runs), "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(folder: Path, slices: int, runs: int) -> None:
    """Print the figures of all ways."""
    if not (folder / "jpeg-ls").is_dir():  # in a process of its own: children are said to have its peak of memory
        words = ["--make", "--slices", str(slices), "--folder", str(folder)]
        subprocess.run([sys.executable, str(HERE), *words], check=True, cwd=ROOT)
    figures = {name: in_fresh_process(name, folder, runs) for name in WAYS}
    series_mb = slices * SIDE * SIDE * 2 / 2**20
    print(f"{slices} slices of {SIDE} x {SIDE}, {series_mb:.0f} MB; median of {runs}")
    for name, (where, _) in WAYS.items():
        seconds, share = figures[name]["seconds"], 0.2 if where == "jpeg-ls" else 1
        own = figures["ours, JPEG-LS (a fifth)" if where == "jpeg-ls" else "ours"]["seconds"]
        memory = f"{figures[name]['added_mb'] / (series_mb * share):5.1f} x series" if name in READS_VOXELS else ""
        print(f"{name:30} {seconds * 1e3:8.0f} ms {seconds / own:7.2f} x ours {memory}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", choices=list(WAYS))
    parser.add_argument("--make", action="store_true")
    given = parser.parse_args()
    if given.make:
        make(given.folder, given.slices)
    elif given.only:
        sys.path.insert(0, str(ROOT))
        print(json.dumps(measured(given.only, given.folder, given.runs)))
    elif given.folder:
        compare(given.folder.resolve(), given.slices, given.runs)
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), given.slices, given.runs)


if __name__ == "__main__":
    main()
