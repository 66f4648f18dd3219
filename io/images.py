"""CT, MR and PET series from DICOM: one volume, whatever the order and the kind of the files.

Source: DICOM PS3.3, A.3 and A.38 (CT), A.4 and A.36 (MR), A.21 and A.56 (PET), A.70 to A.72 (legacy converted).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

from response.errors import InputError
from response.imaging.volume import Volume
from response.io.acquisition import read_acquisition
from response.io.dicom_bytes import shown
from response.io.dicom_files import open_dicom, quiet_pydicom
from response.io.dicom_headers import Header
from response.io.pixels import read_frames
from response.io.planes import TAGS, Plane, planes_of
from response.io.slice_geometry import geometry_faults, grid_of, slices_were
from response.io.stacks import Stack, choose, differences, stacks_of

_HU: Final = frozenset({"HU", "US", ""})  # rescale types of CT; US: unspecified, as enhanced and older images say
_CT: Final = "CT"


def split_series(headers: Iterable[Header]) -> dict[str, list[Header]]:
    """Return the images among headers by Series Instance UID, both in the order in which they come."""
    series: dict[str, list[Header]] = defaultdict(list)
    for header in headers:
        if header.kind == "image":
            series[header.series_uid].append(header)
    return dict(series)


def read_series(paths: Sequence[Path], *, instances: Callable[[], Collection[str]] = frozenset) -> Volume:
    """Return the volume that the files of one series hold, or the one multi-frame file.

    1. Headers are read, and slices sorted by position along their normal, never by number or name.
    2. A series may hold several volumes (phases, echoes, orientations, localizers): the one that holds most of
       `instances` is read, or else the one of most slices, and what was left out is told in `faults`.
    3. Pixels are read into one array: modality values, int16 where they are whole numbers that fit, else float32.

    Parameters
    ----------
    paths
        The files, in any order.
    instances
        Gives the SOP Instance UIDs that should be among the slices, as those that a segmentation refers to; asked for
        only where the series holds several volumes.

    Raises
    ------
    InputError
        If a file cannot be read, is no image, or is of another series; if positions, spacing or orientation are
        missing or no sound numbers; if pixel data are damaged or cut off.
    MissingExtraError
        If pixel data are compressed in a way that no installed package can read.
    """
    with quiet_pydicom():
        planes, repeated = _read_planes(paths)
        stacks = stacks_of(planes)
        stack = choose(stacks, instances()) if len(stacks) > 1 else stacks[0]
        left_out = _left_out(stack, stacks)
        if repeated:
            left_out.append(f"{repeated} files hold slices of other files (the same SOP Instance UID)")
        return _volume(stack, left_out, shown(Path(paths[0]) if len(paths) == 1 else Path(paths[0]).parent))


def _read_planes(paths: Sequence[Path]) -> tuple[list[Plane], int]:
    """Return the slices of the files, and how many files hold what was there before."""
    planes: dict[str | Path, list[Plane]] = {}
    for path in paths:
        own = list(planes_of(open_dicom(Path(path), tags=TAGS)))
        planes.setdefault(own[0].elements.text("SOPInstanceUID") or Path(path), own)
    found = [plane for own in planes.values() for plane in own]
    if not found:
        raise InputError("a series", "no files", "the files of one series")
    if len({plane.elements.text("SeriesInstanceUID") for plane in found}) > 1:
        where = shown(found[0].file.path.parent)
        raise InputError(where, "images of several series", "those of one series", "sort them by series first")
    for plane in found:
        _check_kind(plane)
    return found, len(paths) - len(planes)


def _check_kind(plane: Plane) -> None:
    if "MOSAIC" in plane.elements.text("ImageType").split("\\"):
        raise InputError(shown(plane.file.path), "a mosaic of slices", "one slice per image", "export it unmosaiced")


def _volume(stack: Stack, left_out: Sequence[str], where: str) -> Volume:
    first = stack.planes[0]
    grid = grid_of(stack, where)
    acquisition, phase_faults = read_acquisition(first.elements)
    faults = [
        *left_out,
        *geometry_faults(stack, grid, acquisition.slice_thickness_mm),
        *_value_faults(first),
        *phase_faults,
    ]
    elements = first.elements
    return Volume(
        voxels=read_frames([plane.frame for plane in stack.planes]),
        grid=grid,
        acquisition=acquisition,
        series_instance_uid=elements.text("SeriesInstanceUID"),
        study_instance_uid=elements.text("StudyInstanceUID"),
        frame_of_reference_uid=elements.text("FrameOfReferenceUID"),
        sop_instance_uids=tuple(plane.elements.text("SOPInstanceUID") for plane in stack.planes),
        frame_numbers=tuple(plane.frame_number for plane in stack.planes),
        sop_class_uid=elements.text("SOPClassUID"),
        source=where,
        faults=tuple(faults),
    )


def _left_out(stack: Stack, stacks: Sequence[Stack]) -> list[str]:
    """Tell of the other stacks of the series, a sentence for each way in which they differ."""
    counts: Counter[str] = Counter()
    for other in stacks:
        if other is not stack:
            counts[differences(stack, other)] += len(other.planes) + other.doubles
    return [
        f"{slices_were(count)} left out, of another volume than the {len(stack.planes)} read (different {words})"
        for words, count in counts.items()
    ]


def _value_faults(plane: Plane) -> list[str]:
    """Tell what keeps the values of a slice from being what they seem."""
    elements, faults = plane.elements, []
    if not elements.has("PixelSpacing"):
        faults.append("the pixel spacing is that at the detector (a projection), not that in the patient")
    if elements.text("LossyImageCompression") == "01":
        faults.append("the image was compressed with losses")
    if elements.text("Modality") == _CT:
        kind = elements.text("RescaleType")
        if kind.upper() not in _HU:
            faults.append(f"the values are no Hounsfield units but '{kind}'")
        if not elements.has("RescaleSlope") and elements.has("ModalityLUTSequence"):
            faults.append("the values are not Hounsfield units: their look-up table was not applied")
        elif not elements.has("RescaleSlope") and not elements.has("RescaleIntercept"):
            faults.append("no rescale is given: the stored values may not be Hounsfield units")
    return faults
