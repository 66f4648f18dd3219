"""Images and label maps that are no DICOM: NIfTI, NRRD and MetaImage, read by SimpleITK.

Their headers say nothing of how the image was made. What they say of where it lies is brought to DICOM's way: LPS,
and slices ascending along the normal.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.errors import InputError
from response.imaging.grid import Floats, Grid
from response.imaging.volume import Volume
from response.io.dicom_bytes import shown
from response.io.image_claims import Claim, check_claim, suffix_of
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
    image, claim = _read_itk(Path(path))
    planes, grid, faults = _placed(image, Path(path))
    return Volume(
        voxels=as_modality_values(planes),
        grid=grid,
        source=shown(Path(path)),
        sop_instance_uids=("",) * len(planes),
        frame_numbers=(0,) * len(planes),
        faults=(*faults, *(claim.forms.faults() if claim.forms else ()), *_plane_faults(grid)),
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
    image, _ = _read_itk(path, layers=True)
    planes, grid, _ = _placed(image, path)
    if planes.dtype.kind == "f":
        if not ((np.abs(planes) < LARGEST_LABEL) & (np.rint(planes) == planes)).all():
            raise InputError(shown(path), "values that are no whole numbers", "a label map")
        planes = planes.astype(np.int32)
    layers = planes[None] if planes.ndim == 3 else np.moveaxis(planes, 3, 0)
    return np.array(layers, order="C"), grid  # anew: SimpleITK's memory goes with its image


# --- SimpleITK.


def _read_itk(path: Path, *, layers: bool = False) -> tuple[Any, Claim]:
    import SimpleITK

    if not is_image_file(path):
        raise InputError(shown(path), "no name of an image file", ".nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd")
    claim = check_claim(path)
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO(claim.reader)
    try:
        with _quiet_itk(), _plain_name(path, claim.data) as name:
            reader.SetFileName(name)
            reader.ReadImageInformation()
            _check_kind(reader, path, layers=layers)
            if len(reader.GetSize()) > 3:
                reader.SetExtractSize([*reader.GetSize()[:3], *[0] * (len(reader.GetSize()) - 3)])
            return reader.Execute(), claim
    except (RuntimeError, MemoryError) as error:
        raise InputError(shown(path), f"SimpleITK cannot read it: {_reason(error)}", _EXPECTED) from None


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


def _check_kind(reader: Any, path: Path, *, layers: bool) -> None:
    """Refuse what is no image of single numbers, by its header alone."""
    import SimpleITK

    size, components = reader.GetSize(), reader.GetNumberOfComponents()
    kind = SimpleITK.GetPixelIDValueAsString(reader.GetPixelID())
    if "complex" in kind or "label" in kind:
        raise InputError(shown(path), f"voxels of the kind '{kind}'", _EXPECTED)
    if components > 1 and not layers:
        raise InputError(shown(path), f"{components} numbers per voxel", _EXPECTED, "give each as a file of its own")
    if not 2 <= len(size) <= 7 or any(extent != 1 for extent in size[3:]):
        raise InputError(shown(path), f"an image of the size {size}", _EXPECTED, "give each time as a file of its own")


def _reason(error: BaseException) -> str:
    """Return the last line of a message of ITK, without its path in the source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1].rpartition("): ")[2][:200]


# --- Geometry.


def _placed(image: Any, path: Path) -> tuple[NDArray[Any], Grid, list[str]]:
    """Return the voxels with slices ascending along the normal, their grid, and what is odd about it."""
    import SimpleITK

    planes = SimpleITK.GetArrayViewFromImage(image)
    rank = image.GetDimension()
    faults = ["a single slice, whose place along the third axis is not known"] if rank == 2 else []
    planes = planes[None] if rank == 2 else planes
    spacing, origin, axes = _axes(image)
    if not (np.isfinite([*spacing, *origin, *axes.ravel()]).all() and (spacing > 0).all()):
        raise InputError(shown(path), "a spacing, origin or direction that is no sound number", "a sound geometry")
    grid, turned, sheared = _grid(planes.shape[:3], origin, axes, spacing, path)
    faults += ["slices are shifted against each other (sheared axes)"] if sheared else []
    return planes[::-1] if turned else planes, grid, faults


def _axes(image: Any) -> tuple[Floats, Floats, Floats]:
    """Return spacing, origin and unit vectors of the column, row and slice index, one vector per row."""
    rank = image.GetDimension()
    spacing, origin, axes = np.ones(3), np.zeros(3), np.eye(3)
    spacing[:rank], origin[:rank] = image.GetSpacing(), image.GetOrigin()
    axes[:rank, :rank] = np.reshape(image.GetDirection(), (rank, rank)).T
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
