"""Makes synthetic DICOM images: voxels in modality values and a grid in, files out."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

from response.imaging.grid import Grid

SOP_CLASSES: Final = {"CT": CTImageStorage, "MR": MRImageStorage, "PT": PositronEmissionTomographyImageStorage}
ENHANCED_SOP_CLASSES: Final = {"CT": EnhancedCTImageStorage, "MR": EnhancedMRImageStorage}
Tags = Mapping[str, Any]


def uid_of(*parts: object) -> UID:
    """Return the same UID for the same parts, in every run."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")


def axial_grid(
    shape: tuple[int, int, int] = (5, 16, 12),
    spacing_mm: tuple[float, float, float] = (3.0, 0.75, 0.5),
    origin: Sequence[float] = (-100.0, -120.0, 40.0),
) -> Grid:
    """Return an axial grid: slices ascend to the head, rows to the back, columns to the left."""
    directions = [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    return Grid.of_axes(origin=origin, directions=directions, spacing_mm=spacing_mm, shape=shape)


def oblique_grid(shape: tuple[int, int, int] = (5, 16, 12)) -> Grid:
    """Return a grid turned about all three axes, with three different spacings."""
    a, b, c = np.deg2rad([17.0, -31.0, 8.0])
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    turn_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    columns = turn_z @ turn_y @ turn_x  # the turned x, y and z axes stand in its columns
    directions = [columns[:, 2], columns[:, 1], columns[:, 0]]
    return Grid.of_axes(origin=(12.5, -80.0, 33.0), directions=directions, spacing_mm=(4.0, 0.9, 0.6), shape=shape)


def random_voxels(shape: tuple[int, ...], *, low: int = -1000, high: int = 2000, seed: int = 1) -> NDArray[Any]:
    """Return random whole modality values, int16."""
    return np.random.default_rng(seed).integers(low, high, shape, dtype=np.int16)


def write_ct_series(
    folder: Path,
    voxels: NDArray[Any],
    grid: Grid,
    *,
    slope: float | Sequence[float] = 1,
    intercept: float | Sequence[float] = -1024,
    subject: str = "S1",
    study_date: str = "20240101",
    study_uid: str | None = None,
    series_uid: str | None = None,
    frame_of_reference_uid: str | None = None,
    series_number: int = 1,
    modality: str = "CT",
    description: str = "",
    contrast_agent: str = "",
    kvp: float = 120,
    kernel: str | Sequence[str] = "B30f",
    thickness: float | None = None,
    signed: bool | None = None,
    bits_stored: int = 16,
    transfer_syntax: str = ExplicitVRLittleEndian,
    shuffle: bool = True,
    preamble: bool = True,
    tags: Tags | Sequence[Tags] = (),
) -> list[Path]:
    """Write one file per slice, and return their paths in the order of the slices.

    Parameters
    ----------
    voxels
        Modality values `[slice, row, column]`; stored as `(value - intercept) / slope`, rounded.
    grid
        Where they lie: each slice gets its own origin, so gaps, tilt and uneven spacing come with the grid.
    slope, intercept
        For all slices, or one for each.
    thickness
        SliceThickness; the spacing of the grid without it.
    signed, bits_stored
        How pixels are stored; signed where there are values below 0, without it.
    shuffle
        Whether names and instance numbers are in another order than the slices.
    preamble
        Whether the files have preamble and meta header.
    tags
        More elements by keyword, for all slices or for each; None as a value takes an element away.
    """
    folder.mkdir(parents=True, exist_ok=True)
    slopes, intercepts = np.broadcast_to(slope, len(voxels)), np.broadcast_to(intercept, len(voxels))
    study_uid = study_uid or uid_of(subject, study_date)
    series_uid = series_uid or uid_of(study_uid, modality, series_number)
    names = np.random.default_rng(7).permutation(len(voxels)) if shuffle else np.arange(len(voxels))
    per_slice = [tags] * len(voxels) if isinstance(tags, Mapping) else list(tags) or [{}] * len(voxels)
    paths = []
    for index, plane in enumerate(voxels):
        stored = np.rint((plane.astype(np.float64) - intercepts[index]) / slopes[index])
        dataset = _instance(
            subject=subject,
            study_date=study_date,
            study_uid=study_uid,
            series_uid=series_uid,
            number=series_number,
            modality=modality,
            description=description,
        )
        dataset.SOPClassUID = SOP_CLASSES[modality]
        dataset.SOPInstanceUID = uid_of(series_uid, index)
        dataset.FrameOfReferenceUID = frame_of_reference_uid or uid_of(study_uid, "frame of reference")
        dataset.InstanceNumber = int(names[index]) + 1
        _set_plane(dataset, grid, index)
        dataset.SliceThickness = _decimal(grid.slice_spacing_mm if thickness is None else thickness)
        dataset.RescaleSlope, dataset.RescaleIntercept = _decimal(slopes[index]), _decimal(intercepts[index])
        if modality == "CT":
            dataset.KVP, dataset.ConvolutionKernel = _decimal(kvp), kernel
            dataset.RescaleType = "HU"
        if contrast_agent:
            dataset.ContrastBolusAgent = contrast_agent
        set_pixels(dataset, stored, signed=signed, bits_stored=bits_stored)
        set_tags(dataset, per_slice[index])
        path = folder / f"IM{names[index]:05d}.dcm"
        save(dataset, path, transfer_syntax=transfer_syntax, preamble=preamble)
        paths.append(path)
    return paths


def write_enhanced(
    path: Path,
    voxels: NDArray[Any],
    grid: Grid,
    *,
    order: Sequence[int] | None = None,
    slope: float | Sequence[float] = 1,
    intercept: float | Sequence[float] = -1024,
    per_frame_rescale: bool = False,
    subject: str = "S1",
    study_date: str = "20240101",
    study_uid: str | None = None,
    series_uid: str | None = None,
    modality: str = "CT",
    description: str = "",
    signed: bool | None = None,
    bits_stored: int = 16,
    transfer_syntax: str = ExplicitVRLittleEndian,
    slices: Sequence[int] | None = None,
    frame_tags: Sequence[Mapping[str, Tags]] = (),
    tags: Tags = {},  # noqa: B006
) -> Path:
    """Write one enhanced multi-frame image.

    Parameters
    ----------
    voxels
        Modality values `[frame, row, column]`, in the order of `slices`.
    grid
        Where they lie.
    order
        Which of the frames stands first, second ... in the file; as given without it.
    slices
        Slice of the grid on which each frame lies; one frame for each slice without it.
    per_frame_rescale
        Whether slope and intercept (then one for each frame) stand with each frame; else they are shared.
    frame_tags
        Per frame: items of further functional groups, by keyword of the group's sequence.
    tags
        More elements by keyword.
    """
    order = range(len(voxels)) if order is None else order
    slices = range(len(voxels)) if slices is None else slices
    slopes, intercepts = np.broadcast_to(slope, len(voxels)), np.broadcast_to(intercept, len(voxels))
    study_uid = study_uid or uid_of(subject, study_date)
    series_uid = series_uid or uid_of(study_uid, modality, "enhanced")
    dataset = _instance(
        subject=subject,
        study_date=study_date,
        study_uid=study_uid,
        series_uid=series_uid,
        number=2,
        modality=modality,
        description=description,
    )
    dataset.SOPClassUID = ENHANCED_SOP_CLASSES[modality]
    dataset.SOPInstanceUID = uid_of(series_uid, "multi-frame")
    dataset.FrameOfReferenceUID = uid_of(study_uid, "frame of reference")
    dataset.InstanceNumber = 1
    dataset.NumberOfFrames = len(voxels)
    shared = _item(
        PixelMeasuresSequence=_item(PixelSpacing=_spacing(grid), SliceThickness=_decimal(grid.slice_spacing_mm))
    )
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=_orientation(grid))]
    if not per_frame_rescale:
        shared.PixelValueTransformationSequence = [_rescale(slopes[0], intercepts[0])]
    dataset.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for frame in order:
        item = _item(PlanePositionSequence=_item(ImagePositionPatient=_position(grid, slices[frame])))
        item.FrameContentSequence = [_item(StackID="1", InStackPositionNumber=int(slices[frame]) + 1)]
        if per_frame_rescale:
            item.PixelValueTransformationSequence = [_rescale(slopes[frame], intercepts[frame])]
        for group, elements in (frame_tags[frame] if frame_tags else {}).items():
            set_tags(item, {group: [_item(**elements)]} if group not in item else {})
            set_tags(item[group].value[0], elements)
        frames.append(item)
    dataset.PerFrameFunctionalGroupsSequence = frames
    stored = np.stack([np.rint((voxels[i].astype(np.float64) - intercepts[i]) / slopes[i]) for i in order])
    set_pixels(dataset, stored, signed=signed, bits_stored=bits_stored)
    set_tags(dataset, tags)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(dataset, path, transfer_syntax=transfer_syntax)
    return path


def set_pixels(
    dataset: Dataset, stored: NDArray[Any], *, signed: bool | None = None, bits_stored: int = 16, bits: int = 16
) -> None:
    """Set the pixel data `[row, column]` or `[frame, row, column]`, and the elements that describe them."""
    signed = bool(stored.min() < 0) if signed is None else signed
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits_stored, bits_stored - 1
    dataset.PixelRepresentation = int(signed)
    kind = np.dtype(f"<{'i' if signed else 'u'}{bits // 8}")
    limits = np.iinfo(kind)
    assert limits.min <= stored.min() and stored.max() <= limits.max, "the values do not fit"
    dataset.add_new("PixelData", "OW" if bits > 8 else "OB", stored.astype(kind).tobytes())


def set_tags(dataset: Dataset, tags: Tags) -> None:
    """Set elements by keyword; None takes one away."""
    for keyword, value in tags.items():
        if value is None:
            dataset.pop(keyword, None)
        else:
            setattr(dataset, keyword, value)


def save(dataset: Dataset, path: Path, *, transfer_syntax: str = ExplicitVRLittleEndian, preamble: bool = True) -> None:
    """Write a dataset (with pixels as little endian bytes, if any) in a transfer syntax; compress where it asks so."""
    syntax = UID(transfer_syntax)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax.is_compressed else syntax
    if syntax.is_encapsulated:
        dataset.compress(syntax)
    elif not syntax.is_little_endian and "PixelData" in dataset and dataset.BitsAllocated > 8:
        wide = np.dtype(f"<u{dataset.BitsAllocated // 8}")
        dataset.PixelData = np.frombuffer(dataset.PixelData, wide).byteswap().tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    if preamble:
        dataset.save_as(path, enforce_file_format=True)
        return
    del dataset.file_meta
    dataset.save_as(path, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)


def _instance(
    *, subject: str, study_date: str, study_uid: str, series_uid: str, number: int, modality: str, description: str
) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.StudyDate, dataset.StudyTime = study_date, "101500"
    dataset.AccessionNumber = ""
    dataset.Modality = modality
    dataset.Manufacturer, dataset.ManufacturerModelName = "Synthetic", "Factory"
    dataset.SeriesDescription = description
    dataset.PatientName, dataset.PatientID = "Doe^Synthetic", subject
    dataset.PatientBirthDate, dataset.PatientSex = "", ""
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study_uid, series_uid
    dataset.StudyID, dataset.SeriesNumber = "1", number
    return dataset


def _set_plane(dataset: Dataset, grid: Grid, index: int) -> None:
    dataset.ImagePositionPatient = _position(grid, index)
    dataset.ImageOrientationPatient = _orientation(grid)
    dataset.PixelSpacing = _spacing(grid)


def _position(grid: Grid, index: int) -> list[str]:
    return [_decimal(value) for value in grid.origins[index]]


def _orientation(grid: Grid) -> list[str]:
    return [_decimal(value) for value in (*grid.along_row, *grid.along_column)]


def _spacing(grid: Grid) -> list[str]:
    return [_decimal(grid.row_spacing_mm), _decimal(grid.column_spacing_mm)]


def _rescale(slope: float, intercept: float) -> Dataset:
    return _item(RescaleSlope=_decimal(slope), RescaleIntercept=_decimal(intercept), RescaleType="US")


def _decimal(value: float) -> str:
    """Return a decimal string of at most 16 characters (PS3.5, 6.2)."""
    for digits in range(16, 0, -1):
        text = f"{float(value):.{digits}g}"
        if len(text) <= 16:
            return text
    raise AssertionError(value)


def _item(**elements: Any) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, [value] if isinstance(value, Dataset) else value)
    return item
