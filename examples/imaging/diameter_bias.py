"""How far the diameters of digitised shapes are from the true ones, by convention.

    python examples/imaging/diameter_bias.py [--samples 300] [--tools] [--write diameter_bias.md]

A pixel belongs to a shape if its centre does. Centre, rotation and axis ratio of the shapes are random, from a fixed
seed. Printed is bias (measured less true), mean and standard deviation, in pixels, as tables in Markdown; `--write`
puts them in place of the tables of a file. `--tools` measures with SimpleITK and scikit-image instead.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from response.imaging.chords import perpendicular
from response.imaging.contours import Contour
from response.imaging.diameters import Diameters, measure_diameters
from response.imaging.farthest import farthest_pair
from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.options import CONVENTIONS, MeasureOptions
from response.imaging.sides import STEPS, sides_of

SEED: Final = 20240229
SIZES: Final[Sequence[int]] = (
    10,
    15,
    20,
    30,
    50,
    80,
    120,
)  # longest diameter in pixels, each give or take half a pixel
TINY: Final[Sequence[int]] = (1, 2, 3, 4, 5, 6)
BALLS: Final[Sequence[int]] = (10, 20, 40)
LOBULATED: Final[Sequence[int]] = (15, 30, 60, 120)
RATIOS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # edges of the bins of short axis by longest diameter
SPACINGS: Final = ((1.0, "cubic voxels"), (3.0, "slices 3 pixels apart"))

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Errors(NamedTuple):
    """Measured less true diameters, `[sample]` in pixels."""

    longest: Floats
    short: Floats


@dataclass(frozen=True, kw_only=True)
class Ellipse:
    """A digitised ellipse, and its true diameters in pixels."""

    mask: Bools
    longest: float
    ratio: float


def ellipse(size: float, ratio: float, rng: np.random.Generator) -> Ellipse:
    """Return an ellipse of a size and axis ratio, anywhere and turned by any angle."""
    longest = size + rng.uniform(-0.5, 0.5)
    half = int(longest / 2) + 2
    row, column = np.mgrid[-half : half + 1, -half : half + 1] - rng.uniform(-0.5, 0.5, (2, 1, 1))
    angle = rng.uniform(0, np.pi)
    along, aside = np.cos(angle) * column + np.sin(angle) * row, np.cos(angle) * row - np.sin(angle) * column
    mask = along**2 + (aside / ratio) ** 2 <= (longest / 2) ** 2
    return Ellipse(mask=mask, longest=longest, ratio=ratio)


def measure(voxels: Bools, convention: str) -> Diameters | None:
    """Measure a mask `[slice, row, column]`; lengths are pixels."""
    spacing = (1.0, 1.0, 1.0)
    axes = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
    # one pixel more all around, so that nothing lies at the border of the image
    shape = (voxels.shape[0], voxels.shape[1] + 2, voxels.shape[2] + 2)
    grid = Grid.of_axes(origin=(0, 0, 0), directions=axes, spacing_mm=spacing, shape=shape)
    mask = LesionMask(name=StructureName(), corner=(0, 1, 1), voxels=voxels)
    return measure_diameters(mask, grid, MeasureOptions(diameter_convention=convention))


def errors(shapes: Sequence[Ellipse], convention: str) -> Errors:
    """Return the errors of a convention on ellipses; those that hold no pixel's centre are left out."""
    found = [(measure(shape.mask[None], convention), shape) for shape in shapes if shape.mask.any()]
    return Errors(
        np.array([one.longest_mm - shape.longest for one, shape in found if one]),
        np.array([one.short_mm - shape.longest * shape.ratio for one, shape in found if one]),
    )


def told(values: Floats) -> str:
    """Return mean and standard deviation as a cell."""
    return f"{values.mean():+.2f} ± {values.std():.2f}" if len(values) else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def by_size(sizes: Sequence[int], samples: int) -> Iterator[str]:
    """Yield the tables of longest diameter and short axis by size and convention."""
    found = {}
    for size in sizes:
        rng = np.random.default_rng([SEED, size])
        shapes = [ellipse(size, rng.uniform(RATIOS[0], RATIOS[-1]), rng) for _ in range(samples)]
        found[size] = {convention: errors(shapes, convention) for convention in CONVENTIONS}
    head = ["pixels", *(f"`{convention}`" for convention in CONVENTIONS)]
    for axis in Errors._fields:
        rows = [[str(size), *(told(getattr(one[name], axis)) for name in CONVENTIONS)] for size, one in found.items()]
        yield f"**{axis.capitalize()}**\n\n{table(head, rows)}"


def by_ratio(sizes: Sequence[int], samples: int) -> Iterator[str]:
    """Yield the tables of the default convention by size and axis ratio, and for circles."""
    bins = list(pairwise(RATIOS))
    found = {}
    for size in sizes:
        rng = np.random.default_rng([SEED, size, 1])
        found[size] = [
            errors([ellipse(size, rng.uniform(low, high), rng) for _ in range(samples)], CONVENTIONS[0])
            for low, high in [*bins, (1.0, 1.0)]
        ]
    head = ["pixels", *(f"{low} to {high}" for low, high in bins), "circle"]
    for axis in Errors._fields:
        rows = [[str(size), *(f"{getattr(one, axis).mean():+.2f}" for one in cells)] for size, cells in found.items()]
        yield f"**{axis.capitalize()}**\n\n{table(head, rows)}"


def ellipsoid_errors(size: float, spacing: float, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Return the errors of each convention on one ellipsoid, against the largest of its sections by the slices.

    A slice at height z cuts the ellipsoid x' A x = 1 in an ellipse, whose matrix follows from the blocks of A.
    """
    half_axes = size / 2 * np.array([1.0, *rng.uniform(0.5, 1.0, 2)])
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    matrix = turn @ np.diag(half_axes**-2.0) @ turn.T
    number = int(size / 2) + 3
    levels = np.arange(-number, number + 1) * spacing + rng.uniform(-0.5, 0.5) * spacing
    row, column = np.mgrid[-number : number + 1, -number : number + 1] + rng.uniform(-0.5, 0.5, (2, 1, 1))
    places = np.stack(np.broadcast_arrays(levels[:, None, None], row, column), axis=-1)
    voxels = np.einsum("...i,ij,...j", places, matrix, places) <= 1
    inner = matrix[1:, 1:]
    left = 1 - levels**2 * (matrix[0, 0] - matrix[0, 1:] @ np.linalg.solve(inner, matrix[0, 1:]))
    radii = np.sqrt(left.max() / np.linalg.eigvalsh(inner))  # longest first: eigenvalues ascend
    found = {convention: measure(voxels, convention) for convention in CONVENTIONS}
    return {name: (one.longest_mm - 2 * radii[0], one.short_mm - 2 * radii[1]) for name, one in found.items() if one}


def ellipsoids(sizes: Sequence[int], samples: int) -> Iterator[str]:
    """Yield a table of ellipsoids by size and distance of the slices."""
    rows = []
    for spacing, name in SPACINGS:
        for size in sizes:
            rng = np.random.default_rng([SEED, size, int(spacing), 2])
            found = [ellipsoid_errors(size, spacing, rng) for _ in range(samples)]
            cells = [np.array([one[convention] for one in found]) for convention in CONVENTIONS]
            rows.append([str(size), name, *(f"{told(one[:, 0])}; {told(one[:, 1])}" for one in cells)])
    yield table(["pixels", "slices", *(f"`{convention}`" for convention in CONVENTIONS)], rows)


def lobulated(size: float, rng: np.random.Generator) -> tuple[Bools, float]:
    """Return a mask with three to seven round lobes, and its true longest diameter."""
    lobes, depth, phase = int(rng.integers(3, 8)), rng.uniform(0.05, 0.2), rng.uniform(0, 2 * np.pi)

    def radius(angle: Floats) -> Floats:
        return np.asarray(size / 2 * (1 + depth * np.cos(lobes * angle + phase)) / (1 + depth))

    turn = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    border = radius(turn)[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    pair = farthest_pair(border, np.zeros(len(border), np.intp))
    half = int(size / 2) + 3
    row, column = np.mgrid[-half : half + 1, -half : half + 1] + rng.uniform(-0.5, 0.5, (2, 1, 1))
    mask = np.hypot(row, column) <= radius(np.arctan2(row, column))
    return mask, pair.length_mm if pair else 0.0


def lobes(sizes: Sequence[int], samples: int) -> Iterator[str]:
    """Yield a table of lobulated shapes."""
    rows = []
    for size in sizes:
        rng = np.random.default_rng([SEED, size, 3])
        shapes = [lobulated(size, rng) for _ in range(samples)]
        found = [[(measure(mask[None], name), true) for mask, true in shapes] for name in CONVENTIONS]
        rows.append(
            [str(size), *(told(np.array([one.longest_mm - true for one, true in cells if one])) for cells in found)]
        )
    yield table(["pixels", *(f"`{convention}`" for convention in CONVENTIONS)], rows)


def drawn(text: str) -> Bools:
    """Return a mask from rows of `#` and `.`."""
    return np.array([[letter == "#" for letter in line] for line in text.split()])


KNOWN: Final = (
    ("one pixel", drawn("#")),
    ("two pixels", drawn("##")),
    ("2 x 2", np.ones((2, 2), np.bool_)),
    ("3 x 3", np.ones((3, 3), np.bool_)),
    ("10 x 10", np.ones((10, 10), np.bool_)),
    ("10 x 20", np.ones((10, 20), np.bool_)),
    ("line of 20", np.ones((1, 20), np.bool_)),
    ("oblique line of 20", np.eye(20, dtype=np.bool_)),
)


def known() -> Iterator[str]:
    """Yield a table of simple shapes: longest diameter x short axis."""
    rows = []
    for name, mask in KNOWN:
        found = [measure(mask[None], convention) for convention in CONVENTIONS]
        rows.append([name, *(f"{one.longest_mm:.2f} x {one.short_mm:.2f}" for one in found if one)])
    yield table(["shape", *(f"`{convention}`" for convention in CONVENTIONS)], rows)


def level_set(mask: Bools, sigma: float) -> Contour | None:
    """Return the contour at one half of a mask smoothed by a Gaussian, interpolated between pixel centres."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(np.pad(mask, 4).astype(np.float64), sigma)
    if not (field >= 0.5).any():
        return None
    sides, _ = sides_of((field >= 0.5)[None])
    steps = STEPS[sides.facing]
    pixels = sides.pixels.astype(int)
    inside, outside = field[tuple(pixels.T)], field[tuple((pixels + steps).T)]
    points = sides.pixels + ((inside - 0.5) / (inside - outside))[:, None] * steps
    return Contour(points=points, following=sides.following, loops=sides.loops)


def moved_out(mask: Bools, pixels: float) -> Contour:
    """Return the contour through the centres of border pixels, moved outwards by a part of a pixel."""
    sides, _ = sides_of(mask[None])
    points = sides.pixels + pixels * STEPS[sides.facing]
    return Contour(points=points, following=sides.following, loops=sides.loops)


def contour_errors(shapes: Sequence[Ellipse], contour_of: Callable[[Bools], Contour | None]) -> Errors:
    """Return the errors of a way to find the contour; what it loses measures 0."""
    found = []
    for shape in shapes:
        contour = contour_of(shape.mask)
        pair = farthest_pair(contour.points, contour.loops) if contour else None
        measured = (0.0, 0.0)
        if contour and pair:
            chord = perpendicular(contour, contour.points[[pair.first, pair.second]], inside=False)
            measured = (pair.length_mm, chord.length_mm)
        found.append((measured[0] - shape.longest, measured[1] - shape.longest * shape.ratio))
    return Errors(*np.array(found).T)


def alternatives(samples: int) -> Iterator[str]:
    """Yield a table of ways that were not taken: the largest bias of all sizes and axis ratios, of bins of both."""
    ways: dict[str, Callable[[Sequence[Ellipse]], Errors]] = {
        "`contour`, the default": lambda shapes: errors(shapes, "contour"),
        "level 1/2 of the mask smoothed by a Gaussian of 0.5 pixel": lambda shapes: contour_errors(
            shapes, lambda mask: level_set(mask, 0.5)
        ),
        "... of 0.7 pixel": lambda shapes: contour_errors(shapes, lambda mask: level_set(mask, 0.7)),
        "... of 1 pixel": lambda shapes: contour_errors(shapes, lambda mask: level_set(mask, 1.0)),
        "pixel centres, moved out by 0.25 pixel": lambda shapes: contour_errors(
            shapes, lambda mask: moved_out(mask, 0.25)
        ),
        "pixel centres, moved out by 0.35 pixel": lambda shapes: contour_errors(
            shapes, lambda mask: moved_out(mask, 0.35)
        ),
    }
    rng = np.random.default_rng([SEED, 4])
    ratios = (0.35, 0.55, 0.75, 0.95)
    cells = [[ellipse(size, ratio, rng) for _ in range(samples)] for size in SIZES for ratio in ratios]
    rows = []
    for name, way in ways.items():
        means = np.array([[values.mean() for values in way(shapes)] for shapes in cells])
        per_size = means.reshape(len(SIZES), len(ratios), 2).mean(axis=1)
        worst, largest = np.abs(per_size).max(axis=0), np.abs(means).max(axis=0)
        rows.append([name, *(f"{worst[axis]:.2f}, {largest[axis]:.2f}" for axis in (0, 1))])
    yield table(["where the contour lies", "longest: worst size, worst bin", "short: worst size, worst bin"], rows)


def tools(samples: int) -> Iterator[str]:
    """Yield a table of what other tools read: SimpleITK, and scikit-image, which must be installed."""
    import SimpleITK
    from skimage.measure import regionprops

    feret = SimpleITK.LabelShapeStatisticsImageFilter()
    feret.ComputeFeretDiameterOn()
    rows = []
    for size in SIZES:
        rng = np.random.default_rng([SEED, size])
        shapes = [ellipse(size, rng.uniform(RATIOS[0], RATIOS[-1]), rng) for _ in range(samples)]
        found = []
        for shape in shapes:
            feret.Execute(SimpleITK.GetImageFromArray(shape.mask.astype(np.uint8)))
            region = regionprops(shape.mask.astype(np.uint8))[0]  # type: ignore[no-untyped-call, unused-ignore]
            read = (feret.GetFeretDiameter(1), region.feret_diameter_max, region.axis_major_length)
            found.append((*np.subtract(read, shape.longest), region.axis_minor_length - shape.longest * shape.ratio))
        rows.append([str(size), *(told(one) for one in np.array(found).T)])
    names = ("SimpleITK Feret", "scikit-image Feret", "scikit-image major axis", "scikit-image minor axis")
    yield table(["pixels", *names], rows)


def report(samples: int, *, rows: slice = slice(None)) -> str:
    """Return all tables, with those of their rows that are wanted."""
    few = max(samples // 5, 2)
    parts = {
        "Ellipses, by size": by_size(SIZES[rows], samples),
        "Ellipses, by axis ratio (`contour`)": by_ratio(SIZES[rows], few),
        "Tiny ellipses": by_size(TINY[rows], samples),
        "Ellipsoids: longest; short": ellipsoids(BALLS[rows], few),
        "Lobulated shapes: longest": lobes(LOBULATED[rows], few),
        "Simple shapes: longest x short, in pixels": known(),
        "Other ways to find the contour": alternatives(few // 2 + 1),
    }
    return "\n\n".join(f"### {name}\n\n" + "\n\n".join(tables) for name, tables in parts.items())


def main() -> None:
    """Print the tables, or write them into a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--tools", action="store_true")
    parser.add_argument("--write", type=Path)
    wanted = parser.parse_args()
    text = "\n".join(tools(wanted.samples)) if wanted.tools else report(wanted.samples)
    if wanted.write is None:
        print(text)
        return
    page = wanted.write.read_text(encoding="utf-8")
    marks = "<!-- tools -->" if wanted.tools else "<!-- tables -->"
    page = re.sub(f"{marks}.*{marks}", lambda _: f"{marks}\n\n{text}\n\n{marks}", page, flags=re.DOTALL)
    wanted.write.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
