"""Images and label maps that are no DICOM: NIfTI, NRRD and MetaImage; SimpleITK tells where they lie.

Their headers say nothing of how the image was made. What they say of where it lies is brought to DICOM's way: LPS,
and slices ascending along the normal.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.errors import InputError
from response.imaging.grid import Floats, Grid
from response.imaging.volume import Volume
from response.io.dicom_bytes import shown
from response.io.image_claims import Claim, read_claim, suffix_of
from response.io.image_voxels import read_voxels
from response.io.pixels import as_modality_values

ANGLE_TOLERANCE: Final = 1e-3  # sine of the angle by which axes may miss a right angle: rounding in text headers
LARGEST_LABEL: Final = 1 << 24  # floats hold whole numbers exactly as far as this
_EXPECTED: Final = "one three-dimensional image of single numbers"


def is_image_file(path: Path) -> bool:
    """Return whether a name is that of an image file that is no DICOM."""
    return bool(suffix_of(Path(path)))


def read_image_file(path: Path) -> Volume:
    """Return the image of a NIfTI, NRRD or MetaImage file; a scale in its header (scl_slope) is applied.

    Slices are the planes of the third axis of the file, whatever its direction in the patient. A two-dimensional
    image is one slice.

    Raises
    ------
    InputError
        If the file cannot be read, or holds something else than one image of single numbers with a sound geometry.
    """
    path = Path(path)
    claim, place = _read_headers(path)
    if claim.layers > 1:
        raise InputError(shown(path), f"{claim.layers} numbers per voxel", _EXPECTED, "give each as a file of its own")
    values = place.ordered(_scaled(read_voxels(claim), claim))[0]
    return Volume(
        voxels=as_modality_values(values),
        grid=place.grid,
        source=shown(path),
        sop_instance_uids=("",) * len(values),
        frame_numbers=(0,) * len(values),
        faults=(*place.faults, *(claim.forms.faults() if claim.forms else ()), *_plane_faults(place.grid)),
    )


def read_label_volume(path: Path) -> tuple[NDArray[Any], Grid]:
    """Return the labels `[slice, row, column]`, whole numbers, of a label map, and where they lie.

    Raises
    ------
    InputError
        As `read_image_file`; also if a value is no whole number, or there are several layers.
    """
    layers, grid = read_label_layers(path)
    if len(layers) > 1:
        raise InputError(shown(Path(path)), f"{len(layers)} layers of labels", "one layer")
    return layers[0], grid


def read_label_layers(path: Path) -> tuple[NDArray[Any], Grid]:
    """Return the labels `[layer, slice, row, column]` of a label map whose structures may overlap, and where they lie.

    3D Slicer writes overlapping segments as components of one image (seg.nrrd).

    Raises
    ------
    InputError
        As `read_label_volume`.
    """
    path = Path(path)
    claim, place = _read_headers(path)
    labels = place.ordered(_scaled(read_voxels(claim), claim))
    if labels.dtype.kind == "f":
        if not ((np.abs(labels) < LARGEST_LABEL) & (np.rint(labels) == labels)).all():
            raise InputError(shown(path), "values that are no whole numbers", "a label map")
        labels = labels.astype(np.int32)
    return np.ascontiguousarray(labels), place.grid


def _scaled(stored: NDArray[Any], claim: Claim) -> NDArray[Any]:
    """Return values; a scale that does nothing leaves whole numbers what they are."""
    if (claim.slope, claim.intercept) == (1.0, 0.0):
        return stored
    with np.errstate(over="ignore", invalid="ignore"):  # an absurd scale gives infinite values, as it should
        return stored * claim.slope + claim.intercept


def _read_headers(path: Path) -> tuple[Claim, "_Place"]:
    if not is_image_file(path):
        raise InputError(shown(path), "no name of an image file", ".nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd")
    claim = read_claim(path)
    return claim, _placed(claim)


# --- SimpleITK.


def _information(claim: Claim) -> Any:
    """Return SimpleITK's reader of a file, which has read the header."""
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO(claim.reader)
    try:
        with _quiet_itk(), _plain_name(claim.path, claim.data) as name:
            reader.SetFileName(name)
            reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(shown(claim.path), f"SimpleITK cannot read it: {_reason(error)}", _EXPECTED) from None
    sizes = (*reader.GetSize(), 1, 1)
    if sizes[:3] != (*claim.sizes, 1)[:3] or any(size != 1 for size in sizes[3:]):
        raise InputError(shown(claim.path), f"a header that SimpleITK reads as the size {reader.GetSize()}", _EXPECTED)
    return reader


@contextlib.contextmanager
def _quiet_itk() -> Iterator[None]:
    import SimpleITK

    shown_before = SimpleITK.ProcessObject.GetGlobalWarningDisplay()
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        SimpleITK.ProcessObject.SetGlobalWarningDisplay(shown_before)


@contextlib.contextmanager
def _plain_name(path: Path, data: Path) -> Iterator[str]:
    """Hand out a name that SimpleITK can take: one with bytes that are no UTF-8 would end the whole program."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder) / f"image{suffix_of(path)}"
            link.symlink_to(path.absolute())
            if data != path:
                (Path(folder) / data.name).symlink_to(data.absolute())
            yield str(link)
    else:
        yield str(path.absolute())


def _reason(error: BaseException) -> str:
    """Return the last line of a message of ITK, without its path in the source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1].rpartition("): ")[2][:200]


# --- Geometry.


@dataclass(frozen=True, eq=False)
class _Place:
    """Where an image lies; `descends` where the slices of the file do."""

    grid: Grid
    descends: bool
    faults: list[str]

    def ordered(self, layers: NDArray[Any]) -> NDArray[Any]:
        """Return layers `[layer, slice, row, column]` of the file with slices in the order of the grid."""
        return layers[:, ::-1] if self.descends else layers


def _placed(claim: Claim) -> _Place:
    """Return where an image lies, and what is odd about it."""
    spacing, origin, axes = _axes(_information(claim))
    numbers = np.array([*spacing, *origin, *axes.ravel()])
    if not (np.isfinite(numbers).all() and (spacing > 0).all() and axes.any(axis=1).all()):
        found = "a spacing, origin or direction that is no sound number"
        raise InputError(shown(claim.path), found, "a sound geometry")
    faults = ["a single slice, whose place along the third axis is not known"] if len(claim.sizes) == 2 else []
    grid, descends, sheared = _grid((*claim.sizes, 1)[2::-1], origin, axes, spacing, claim.path)
    faults += ["slices are shifted against each other (sheared axes)"] if sheared else []
    return _Place(grid, descends, faults)


def _axes(reader: Any) -> tuple[Floats, Floats, Floats]:
    """Return spacing, origin and unit vectors of the column, row and slice index, one vector per row."""
    rank = len(reader.GetSize())
    space = min(rank, 3)
    spacing, origin, axes = np.ones(3), np.zeros(3), np.eye(3)
    spacing[:space], origin[:space] = reader.GetSpacing()[:space], reader.GetOrigin()[:space]
    axes[:space, :space] = np.reshape(reader.GetDirection(), (rank, rank))[:space, :space].T
    return spacing, origin, axes


def _grid(shape: tuple[int, ...], origin: Floats, axes: Floats, spacing: Floats, path: Path) -> tuple[Grid, bool, bool]:
    along_row, along_column, along_slices = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    normal = np.cross(along_row, along_column)
    height = float(along_slices @ normal)
    if abs(along_row @ along_column) > ANGLE_TOLERANCE or abs(height) < 0.5:
        raise InputError(shown(path), "axes that are not at right angles", "a sound geometry")
    grid = Grid.of_axes(
        origin=origin,
        directions=[along_slices, along_column, along_row],
        spacing_mm=spacing[::-1],
        shape=(shape[0], shape[1], shape[2]),
    )
    if height < 0:
        grid = Grid(**{**vars(grid), "origins": grid.origins[::-1]})
    return grid, height < 0, abs(height) < 1 - ANGLE_TOLERANCE**2 and len(grid.origins) > 1


def _plane_faults(grid: Grid) -> list[str]:
    """Tell slices that are not axial: a CT that was saved with its axes exchanged is measured in another plane."""
    main = int(np.argmax(np.abs(grid.normal)))
    return (
        [] if main == 2 else [f"slices are {('sagittal', 'coronal')[main]}, not axial: they are measured as they are"]
    )
