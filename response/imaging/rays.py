"""Profiles of the image across the border of a lesion, averaged over small patches of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats
from response.imaging.liver_reference import LiverReference
from response.imaging.neighbourhood import Neighbourhood
from response.imaging.options import MeasureOptions

REACH_MM: Final = 6.0  # to both sides of the border; criteria page, 3.4, step 4
STEP_MM: Final = 0.5  # along a ray
PATCH_MM: Final = 4.0  # smallest side of a patch: about 16 rays, for a single one drowns in noise
PATCH_MM_PER_HU: Final = 1.6  # side by noise of the smoothed liver: more noise needs more rays ...
PATCH_PER_RADIUS: Final = 0.5  # ... but of a small lesion several patches must be left
NEAR_BORDER_STEPS: Final = 0.75  # points of the grid nearer to the border than this start a ray
MOST_RAYS: Final = 6000  # of a large lesion every n-th is cast
SLACK_MM: Final = 1.5  # how far the depth of a sample may be from its place on a straight ray
CLEAR_MM: Final = 2.0  # farther out, a vessel or other tissue is no part of the border, and is left out
KERNEL_FWHM_MM: Final = 1.2  # blur in the plane, of soft tissue kernels; headers do not tell it
OF_SIGMA: Final = 2.563  # width of a Gaussian edge from 10 to 90 %, in standard deviations
OF_FWHM: Final = 2.355  # full width at half maximum of a Gaussian, in standard deviations

LEFT_OUT: Final = -1  # in place of the patch of a ray

OFFSETS_MM: Final = np.arange(-REACH_MM, REACH_MM + STEP_MM / 2, STEP_MM)  # along the outward normal


@dataclass(frozen=True, eq=False, kw_only=True)
class Patches:
    """Patches of the border of a lesion; `[patch]`, profiles `[patch, offset]` over `OFFSETS_MM`.

    Attributes
    ----------
    places_mm
        Middle of each, along normal, columns and rows, `[patch, 3]`.
    profiles
        Mean of its rays; NaN where none has a value.
    counts
        Number of rays that have a value at each offset.
    rays
        Number of rays, which tells its area.
    blur_mm
        Width from 10 to 90 % that a perfect edge would have in this direction.
    starts_mm
        Where rays start on the border, those that were left out among them, along the same axes, `[ray, 3]`.
    of_ray
        Patch of each ray, `[ray]`; `LEFT_OUT` where it belongs to none.
    """

    places_mm: Floats
    profiles: Floats
    counts: Floats
    rays: Floats
    blur_mm: Floats
    starts_mm: Floats
    of_ray: NDArray[np.int64]

    @property
    def is_seen(self) -> NDArray[np.bool_]:
        """Whether at least half of the rays of a patch have a value, `[patch, offset]`."""
        return np.isfinite(self.profiles) & (self.counts >= self.rays[:, None] / 2)


def cast_rays(around: Neighbourhood, liver: LiverReference, slice_mm: float, options: MeasureOptions) -> Patches:
    """Cast rays along the normals of the border, and average them over patches.

    1. Normals are the gradient of the distance to the border, smoothed.
    2. Rays across which the image is too blurred by its slices (`chun_blur_mm`) are left out: on thick slices those
       that run along the patient.
    3. A sample is left out where it is not as deep as its place on the ray says (the lesion is thin there, or a
       neighbour is near), in another lesion, outside the liver, or in a vessel or other tissue off the border.
    """
    starts, normals = _starts(around)
    blur = blur_mm(normals, around, slice_mm)
    kept = blur <= options.chun_blur_mm
    places, normals, blur = starts[kept], normals[kept], blur[kept]
    samples = places[:, None] + OFFSETS_MM[:, None] * normals[:, None]
    values = around.sampler.at(tuple(np.moveaxis(samples, -1, 0))).astype(np.float64)
    values[~_belongs(around, liver.foreign, samples)] = np.nan
    largest = max(PATCH_MM, PATCH_PER_RADIUS * float(around.depth_mm.max()))
    side = min(max(PATCH_MM, PATCH_MM_PER_HU * liver.noise_hu), largest)
    of_ray = np.full(len(starts), LEFT_OUT)
    of_ray[kept] = _patch_of(places, normals, side)
    return _patches(starts, of_ray, values, blur)


def blur_mm(normals: Floats, around: Neighbourhood, slice_mm: float) -> Floats:
    """Return how wide a perfect edge becomes along each normal: by kernel, slices, interpolation and averaging."""
    grid = around.sampler.grid
    pixel_mm, gap_mm = max(grid.row_spacing_mm, grid.column_spacing_mm), grid.slice_spacing_mm
    # Variances: a slice is a box (d^2 / 12), linear interpolation a triangle (d^2 / 6), and the border of the mask, by
    # which the rays of a patch are laid side by side, has steps of a pixel or a slice (d^2 / 12).
    across = (KERNEL_FWHM_MM / OF_FWHM) ** 2 + pixel_mm**2 / 6 + pixel_mm**2 / 12
    along = slice_mm**2 / 12 + gap_mm**2 / 6 + gap_mm**2 / 12
    part = normals[:, 0] ** 2
    return np.asarray(OF_SIGMA * np.sqrt(across * (1 - part) + along * part))


def _starts(around: Neighbourhood) -> tuple[Floats, Floats]:
    """Return points on the border and the outward normals there, `[ray, 3]`."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(around.depth_mm, 1.0)
    index = np.argwhere(np.abs(around.depth_mm) <= NEAR_BORDER_STEPS * around.step_mm)
    index = index[:: 1 + len(index) // MOST_RAYS]
    inner = np.clip(index, 1, np.asarray(smooth.shape) - 2)
    slopes = []
    for axis in range(3):
        ahead = np.eye(3, dtype=np.int64)[axis]
        slopes.append(smooth[tuple((inner - ahead).T)] - smooth[tuple((inner + ahead).T)])
    normals = np.stack(slopes, axis=1).astype(np.float64)
    length = np.linalg.norm(normals, axis=1)
    index, normals, length = index[length > 0], normals[length > 0], length[length > 0]
    normals /= length[:, None]
    depth = smooth[tuple(index.T)].astype(np.float64)
    return around.origin_mm + index * around.step_mm + depth[:, None] * normals, normals


def _belongs(around: Neighbourhood, foreign: NDArray[np.bool_], samples: Floats) -> NDArray[np.bool_]:
    depth = around.at(around.depth_mm, samples)
    outside = OFFSETS_MM > 0
    belongs = np.asarray(np.abs(depth + OFFSETS_MM) <= SLACK_MM + around.step_mm / 2)
    belongs &= ~around.at(around.other, samples)
    belongs &= ~(around.at(foreign, samples) & (OFFSETS_MM > CLEAR_MM))
    if around.liver is not None:
        belongs &= around.at(around.liver, samples) | ~outside
    return belongs


def _patch_of(places: Floats, normals: Floats, side_mm: float) -> NDArray[np.int64]:
    """Group rays that start in one box and point along one axis, roughly; return the patch of each."""
    if not len(places):
        return np.zeros(0, np.int64)
    boxes = np.floor((places - places.min(axis=0)) / side_mm).astype(np.int64)
    steepest = np.argmax(np.abs(normals), axis=1)
    upwards = np.take_along_axis(normals, steepest[:, None], axis=1) > 0
    keys = np.concatenate([boxes, steepest[:, None], upwards], axis=1)
    _, patch = np.unique(keys, axis=0, return_inverse=True)
    return np.asarray(patch.ravel(), np.int64)


def _patches(starts: Floats, of_ray: NDArray[np.int64], values: Floats, blur: Floats) -> Patches:
    """Average samples `[ray, offset]` and blur `[ray]` of the rays that belong to a patch."""
    kept = of_ray != LEFT_OUT
    patch = of_ray[kept]
    rays = np.bincount(patch).astype(np.float64)
    known = np.isfinite(values)
    counts, sums = (_summed(patch, each) for each in (known.astype(np.float64), np.where(known, values, 0.0)))
    return Patches(
        places_mm=_summed(patch, starts[kept]) / rays[:, None],
        profiles=np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0),
        counts=counts,
        rays=rays,
        blur_mm=np.bincount(patch, blur) / rays,
        starts_mm=starts,
        of_ray=of_ray,
    )


def _summed(patch: NDArray[np.int64], values: Floats) -> Floats:
    columns = [np.bincount(patch, column) for column in np.ascontiguousarray(values.T)]
    return np.stack(columns, axis=1).astype(np.float64)  # where there are no rays, too
