"""Where the border of a lesion is sharp, gradual or rimmed, as a picture in the space of the patient.

It shows what the votes of the suggested Chun group (`morphology`) are made of, so that a reader can look at the image
in the same place. A published map of interface and rim was not found in a public source; this one is as little
validated as the suggestion itself.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats, Grid
from response.imaging.interface import Interface
from response.imaging.neighbourhood import Neighbourhood
from response.imaging.rays import LEFT_OUT, Patches
from response.imaging.rim import Rim

MARGIN_MM: Final = 10.0  # around the lesion
SHELL_MM: Final = 1.5  # to both sides of the border; a pixel where that is larger
UNKNOWN_HU: Final = -1024  # in views, beside the image: shown as air

SHARP, GRADUAL, RIM, NOT_JUDGED = 1, 2, 3, 4
KINDS: Final = {SHARP: "sharp", GRADUAL: "gradual", RIM: "rim", NOT_JUDGED: "not judged"}

Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False, kw_only=True)
class BorderPatches:
    """The patches of a border as columns, `[patch]`; NaN where a number is not known.

    Attributes
    ----------
    x_mm, y_mm, z_mm
        Middle of each in patient coordinates, LPS.
    kind
        One of `KINDS`.
    width_mm, contrast_hu, is_sharp
        Of the interface (`interface.Interface`).
    blur_mm
        Width that a perfect edge would have there.
    peak_over_core_hu, peak_over_liver_hu, has_rim
        Of the rim (`rim.Rim`).
    rays
        Number of rays, which tells its area.
    """

    x_mm: Floats
    y_mm: Floats
    z_mm: Floats
    kind: Labels
    width_mm: Floats
    contrast_hu: Floats
    blur_mm: Floats
    is_sharp: NDArray[np.bool_]
    has_rim: NDArray[np.bool_]
    peak_over_core_hu: Floats
    peak_over_liver_hu: Floats
    rays: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class BorderMap:
    """The border of one lesion, on the grid of the image (an even one where slices are uneven or tilted).

    Attributes
    ----------
    labels
        `[slice, row, column]`: `KINDS` near the border, else 0.
    origin_mm
        Centre of voxel [0, 0, 0], LPS, `[3]`.
    directions
        Unit vectors of growing slice, row and column index, `[3, 3]`, one per row.
    spacing_mm
        Between slices, rows and columns, `[3]`.
    cut
        Slice with the largest section of the lesion, and row and column through the middle of that section.
    views
        The image in HU at these: `[row, column]`, `[slice, column]` and `[slice, row]`.
    shares
        Share of the whole border by kind, as `KINDS` names them.
    patches
        What was measured, patch by patch.
    """

    labels: Labels
    origin_mm: Floats
    directions: Floats
    spacing_mm: Floats
    cut: tuple[int, int, int]
    views: tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.int16]]
    shares: dict[str, float]
    patches: BorderPatches


def map_border(around: Neighbourhood, grid: Grid, patches: Patches, interface: Interface, rim: Rim) -> BorderMap:
    """Return the map of a border that was measured.

    1. A patch with a rim is `rim`, whatever its width; one that is narrow enough and has contrast `sharp`; any other of
       which the width is known `gradual`; the rest `not judged`.
    2. Voxels of the image within 1.5 mm of the border get the kind of the nearest ray; where that was left out, for
       slices blur the border there, they are `not judged` too.
    """
    kind = np.full(len(patches.rays), NOT_JUDGED, np.uint8)
    kind[np.isfinite(interface.width_mm)] = GRADUAL
    kind[interface.is_sharp] = SHARP
    kind[rim.has_rim] = RIM
    of_ray = np.full(len(patches.of_ray), NOT_JUDGED, np.uint8)
    used = patches.of_ray != LEFT_OUT
    of_ray[used] = kind[patches.of_ray[used]]
    axes = _axes(around, grid)
    depth = _depth_mm(around, axes)
    cut = _cut(depth)
    directions = np.stack([grid.normal, grid.along_column, grid.along_row])
    return BorderMap(
        labels=_labels(depth, axes, max(SHELL_MM, *grid.spacing_mm[1:]), patches.starts_mm, of_ray),
        origin_mm=np.asarray([axis[0] for axis in axes]) @ directions,
        directions=directions,
        spacing_mm=np.asarray(grid.spacing_mm),
        cut=cut,
        views=(_view(around, axes, cut, 0), _view(around, axes, cut, 1), _view(around, axes, cut, 2)),
        shares={name: float(np.mean(of_ray == label)) for label, name in KINDS.items()},
        patches=_columns(patches.places_mm @ directions, kind, patches, interface, rim),
    )


def _axes(around: Neighbourhood, grid: Grid) -> tuple[Floats, Floats, Floats]:
    """Return where slices, rows and columns of the map lie along normal, columns and rows: those of the image."""
    inside = np.argwhere(around.depth_mm > 0)
    low = around.origin_mm + inside.min(axis=0) * around.step_mm - MARGIN_MM
    high = around.origin_mm + inside.max(axis=0) * around.step_mm + MARGIN_MM
    depths = grid.depths_mm
    first = int(np.searchsorted(depths[:-1], low[0]))
    corner = grid.origins[first]
    starts = np.asarray([depths[first], corner @ grid.along_column, corner @ grid.along_row])
    steps = np.asarray(grid.spacing_mm)
    before = np.floor((low - starts) / steps) * (0, 1, 1)
    starts = starts + before * steps
    ends = np.minimum(high, (depths[-1] + steps[0] / 2, np.inf, np.inf))
    slices, rows, columns = (
        start + step * np.arange(1 + int((end - start) / step))
        for start, end, step in zip(starts, ends, steps, strict=True)
    )
    return slices, rows, columns


def _depth_mm(around: Neighbourhood, axes: tuple[Floats, Floats, Floats]) -> Floats:
    from scipy import ndimage

    places = (axis - origin for axis, origin in zip(axes, around.origin_mm, strict=True))
    index = np.stack(np.meshgrid(*(place / around.step_mm for place in places), indexing="ij"))
    return np.asarray(ndimage.map_coordinates(around.depth_mm, index, order=1, mode="nearest"), np.float64)


def _labels(
    depth: Floats, axes: tuple[Floats, Floats, Floats], shell_mm: float, starts: Floats, of_ray: Labels
) -> Labels:
    from scipy.spatial import KDTree

    labels = np.zeros(depth.shape, np.uint8)
    near = np.nonzero(np.abs(depth) <= shell_mm)
    if len(starts) and len(near[0]):
        places = np.stack([axis[index] for axis, index in zip(axes, near, strict=True)], axis=1)
        _, ray = KDTree(starts).query(places)
        labels[near] = of_ray[ray]
    return labels


def _cut(depth: Floats) -> tuple[int, int, int]:
    inside = depth > 0
    best = int(np.argmax(np.count_nonzero(inside, axis=(1, 2))))
    rows, columns = np.nonzero(inside[best])
    if not len(rows):  # thinner than a slice, and between two
        return best, depth.shape[1] // 2, depth.shape[2] // 2
    return best, round(float(rows.mean())), round(float(columns.mean()))


def _view(
    around: Neighbourhood, axes: tuple[Floats, Floats, Floats], cut: tuple[int, int, int], axis: int
) -> NDArray[np.int16]:
    """Return the image at one index of one axis; on an even grid these are its own voxels."""
    flat = [axes[other] if other != axis else axes[other][[cut[other]]] for other in range(3)]
    values = around.sampler.at(np.meshgrid(*flat, indexing="ij", sparse=True)).squeeze(axis)
    return np.rint(np.where(np.isfinite(values), values, UNKNOWN_HU)).clip(-32768, 32767).astype(np.int16)


def _columns(places: Floats, kind: Labels, patches: Patches, interface: Interface, rim: Rim) -> BorderPatches:
    return BorderPatches(
        x_mm=places[:, 0],
        y_mm=places[:, 1],
        z_mm=places[:, 2],
        kind=kind,
        width_mm=interface.width_mm,
        contrast_hu=interface.contrast_hu,
        blur_mm=patches.blur_mm,
        is_sharp=interface.is_sharp,
        has_rim=rim.has_rim,
        peak_over_core_hu=rim.peak_over_core_hu,
        peak_over_liver_hu=rim.peak_over_liver_hu,
        rays=patches.rays,
    )
