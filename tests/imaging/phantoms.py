"""Livers with metastases whose every feature is known, as a CT scanner would show them; noise is seeded.

The truth is a formula of the distance to the centre of the lesion. It is averaged over the thickness of each slice,
blurred as by a soft kernel, and given noise that is correlated a little, as noise of CT is.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.morphology import Suggestion, suggest_group
from response.imaging.options import MeasureOptions
from response.imaging.volume import Acquisition, Volume

Places = tuple[Any, Any, Any]  # z, y, x in mm, which broadcast to [slice, row, column]

LIVER_HU = 110.0
FIELD_MM = 84.0  # side of the slices; all of it is liver but for what is put into it
DEPTH_MM = 60.0  # along the slices
AXES = np.asarray([(0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)])  # of slices, rows, columns
LOGISTIC_10_90 = 2 * np.log(9)  # width from 10 to 90 % of a logistic curve of unit scale


@dataclass(frozen=True, kw_only=True)
class Metastasis:
    """A ball in the liver; its centre is relative to that of the field, in mm: x, y, z."""

    radius_mm: float = 15.0
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    core_hu: float = 45.0
    edge_mm: float = 1.0  # from 10 to 90 % of the way to the liver
    blurred_edge_mm: float | None = None  # on the share of the border below
    blurred_share: float = 0.0
    texture_hu: float = 0.0  # standard deviation
    texture_mm: float = 6.0  # width of its blobs
    rim_hu: float | None = None  # brightness of the outermost layer
    rim_mm: float = 3.0
    rim_share: float = 1.0  # share of the sphere that has it


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What else there is; lengths in mm from the centre of the field."""

    others: tuple[Metastasis, ...] = ()
    vessels: tuple[tuple[float, float, float], ...] = ()  # x, y, radius; along z, 170 HU
    lung_beyond: float | None = None  # from this x on


@dataclass(frozen=True, kw_only=True)
class Scan:
    """How the phantom is imaged."""

    pixel_mm: float = 0.8
    slice_mm: float = 2.0
    noise_hu: float = 12.0
    kernel_mm: float = 1.2  # full width at half maximum of the blur in the plane
    seed: int = 0
    phase: str = "portal_venous"
    modality: str = "CT"


ALONE = Surroundings()


@dataclass(frozen=True, eq=False, kw_only=True)
class Phantom:
    volume: Volume
    lesion: LesionMask
    others: tuple[LesionMask, ...]
    liver: LesionMask


def liver_phantom(lesion: Metastasis, scan: Scan, around: Surroundings = ALONE) -> Phantom:
    """Return a liver with a lesion, imaged."""
    rng = np.random.default_rng(scan.seed)
    pixels, slices = round(FIELD_MM / scan.pixel_mm), round(DEPTH_MM / scan.slice_mm)
    truth = np.zeros((slices, pixels, pixels))
    layers = max(1, round(scan.slice_mm / 0.5))
    for layer in (np.arange(layers) + 0.5) / layers - 0.5:
        truth += _truth(_places(scan, slices, pixels, layer), lesion, around, scan.seed)
    sigma = scan.kernel_mm / 2.355 / scan.pixel_mm
    image = ndimage.gaussian_filter(truth / layers, (0, sigma, sigma))
    noise = ndimage.gaussian_filter(rng.standard_normal(image.shape), (0, 0.5, 0.5))
    image += noise * (scan.noise_hu / noise.std())
    origin = -np.asarray([pixels - 1, pixels - 1, slices - 1]) / 2 * (scan.pixel_mm, scan.pixel_mm, scan.slice_mm)
    grid = Grid.of_axes(
        origin=origin,
        directions=AXES,
        spacing_mm=(scan.slice_mm, scan.pixel_mm, scan.pixel_mm),
        shape=(slices, pixels, pixels),
    )
    centres = _places(scan, slices, pixels, 0.0)
    whole = np.asarray(centres[2] < (FIELD_MM if around.lung_beyond is None else around.lung_beyond))
    return Phantom(
        volume=Volume(
            voxels=np.rint(image).astype(np.int16),
            grid=grid,
            acquisition=Acquisition(modality=scan.modality, phase=scan.phase, slice_thickness_mm=scan.slice_mm),
        ),
        lesion=mask_of(_distance(centres, lesion) <= lesion.radius_mm),
        others=tuple(mask_of(_distance(centres, other) <= other.radius_mm) for other in around.others),
        liver=mask_of(np.broadcast_to(whole, image.shape)),
    )


def mask_of(voxels: NDArray[np.bool_], number: int = 1) -> LesionMask:
    """Return a mask cropped to its voxels."""
    if not voxels.any():
        return LesionMask(name=StructureName(number=number), corner=(0, 0, 0), voxels=np.zeros((0, 0, 0), np.bool_))
    (box,) = ndimage.find_objects(voxels.astype(np.uint8))
    corner = (box[0].start, box[1].start, box[2].start)
    return LesionMask(name=StructureName(number=number), corner=corner, voxels=voxels[box].copy())


def _places(scan: Scan, slices: int, pixels: int, layer: float) -> Places:
    z = (np.arange(slices) - (slices - 1) / 2 + layer) * scan.slice_mm
    across = (np.arange(pixels) - (pixels - 1) / 2) * scan.pixel_mm
    return z[:, None, None], across[None, :, None], across[None, None, :]


def _distance(places: Places, lesion: Metastasis) -> Any:
    x, y, z = lesion.centre_mm
    return np.sqrt((places[0] - z) ** 2 + (places[1] - y) ** 2 + (places[2] - x) ** 2)


def _truth(places: Places, lesion: Metastasis, around: Surroundings, seed: int) -> Any:
    value: Any = LIVER_HU
    for x, y, radius in around.vessels:
        across = np.hypot(places[2] - x, places[1] - y)
        value = value + (170.0 - value) * _step(radius - across, 1.0)
    for number, each in enumerate((lesion, *around.others)):
        value = _with_lesion(value, places, each, seed + 100 * number)
    if around.lung_beyond is not None:
        value = value + (-850.0 - value) * _step(places[2] - around.lung_beyond, 1.0)
    return value


def _with_lesion(around: Any, places: Places, lesion: Metastasis, seed: int) -> Any:
    depth = lesion.radius_mm - _distance(places, lesion)
    inner: Any = lesion.core_hu
    if lesion.texture_hu:
        inner = inner + lesion.texture_hu * _texture(places, lesion.texture_mm, seed)
    if lesion.rim_hu is not None:
        rim = _step(lesion.rim_mm - depth, 1.0) * _cap(places, lesion, lesion.rim_share)
        inner = inner + (lesion.rim_hu - inner) * rim
    part = _step(depth, lesion.edge_mm)
    if lesion.blurred_edge_mm is not None:
        cap = _cap(places, lesion, lesion.blurred_share)
        part = part + cap * (_step(depth, lesion.blurred_edge_mm) - part)
    return around + (inner - around) * part


def _cap(places: Places, lesion: Metastasis, part: float) -> Any:
    """Return 1 in a wedge around the z axis that holds a share of the sphere, else 0."""
    x, y, _ = lesion.centre_mm
    angle = np.arctan2(places[1] - y, places[2] - x) + 0 * places[0]
    return (np.abs(angle) <= np.pi * part).astype(np.float64)


def _step(depth: Any, width_mm: float) -> Any:
    return 1 / (1 + np.exp(-np.clip(depth * (LOGISTIC_10_90 / width_mm), -60, 60)))


def _texture(places: Places, width_mm: float, seed: int) -> Any:
    """Return smooth random numbers of unit standard deviation, the same at the same place."""
    step = 1.5
    size = int(FIELD_MM / step) + 4
    coarse = ndimage.gaussian_filter(
        np.random.default_rng(seed + 1).standard_normal((size, size, size)), width_mm / 2.355 / step, mode="wrap"
    )
    coarse /= coarse.std()
    index = np.broadcast_arrays(*((place + FIELD_MM / 2) / step for place in places))
    return ndimage.map_coordinates(coarse, index, order=1, mode="nearest")


STANDARD = MeasureOptions()
TEXTURE: dict[str, Any] = {"texture_hu": 30.0, "core_hu": 50.0}
PLAIN = Metastasis(radius_mm=9.0)  # of group 1, and small, so that it costs little time
SCANS = [
    Scan(pixel_mm=0.7, slice_mm=1.0, noise_hu=20, seed=1),
    Scan(pixel_mm=0.8, slice_mm=2.5, noise_hu=8, seed=2),
    Scan(pixel_mm=0.9, slice_mm=5.0, noise_hu=14, seed=4),
]


@cache
def phantom(lesion: Metastasis, scan: Scan = SCANS[1], around: Surroundings = ALONE) -> Phantom:
    """Return a phantom that tests share; it must not be changed."""
    return liver_phantom(lesion, scan, around)


def suggested(made: Phantom, **more: Any) -> Suggestion:
    """Return the suggestion for a phantom with all its masks, but for what is given."""
    return suggest_group(made.lesion, made.volume, **{"liver": made.liver, "others": made.others, **more})
