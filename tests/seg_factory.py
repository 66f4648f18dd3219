"""Makes segmentations for tests: by highdicom where it can, by plain pydicom for what other programs write."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sr.coding import Code
from pydicom.uid import UID, CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, SegmentationStorage

from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask
from response.imaging.volume import Volume
from response.io.dicom_files import quiet_pydicom
from tests.dicom_factory import axial_grid, uid_of

LABELMAP_STORAGE: Final = UID("1.2.840.10008.5.1.4.1.1.66.7")
DEFLATED_FRAMES: Final = "1.2.840.10008.1.2.8.1"
STAND_IN: Final = "1.2.840.10008.1.2.4.50"  # of the same length: pydicom 3.0 does not know the one above
SERIES: Final = uid_of("series")
FRAME_OF_REFERENCE: Final = uid_of("frame of reference")
LESION: Final = (Code("49755003", "SCT", "Morphologically Altered Structure"), Code("108369006", "SCT", "Neoplasm"))
LIVER: Final = (Code("123037004", "SCT", "Anatomical Structure"), Code("10200004", "SCT", "Liver"))

Bools = NDArray[np.bool_]
Edit = Callable[[Dataset], object]


def item(**elements: Any) -> Dataset:
    """Return a dataset of elements by keyword."""
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def volume_on(
    grid: Grid | None = None, *, series: str = SERIES, frame_of_reference: str = FRAME_OF_REFERENCE
) -> Volume:
    """Return an image in memory, all 0, with an instance for each slice."""
    grid = grid or axial_grid()
    slices = len(grid.origins)
    return Volume(
        voxels=np.zeros(grid.shape, np.int16),
        grid=grid,
        series_instance_uid=series,
        study_instance_uid=uid_of("study"),
        frame_of_reference_uid=frame_of_reference,
        sop_instance_uids=[uid_of(series, index) for index in range(slices)],
        frame_numbers=[0] * slices,
        sop_class_uid=CTImageStorage,
    )


def source_images(image: Volume) -> list[Dataset]:
    """Return a dataset without pixels for each slice of an image, as highdicom wants them."""
    return [_source(image, index) for index in range(len(image.grid.origins))]


def _source(image: Volume, index: int) -> Dataset:
    grid = image.grid
    dataset = item(
        SOPClassUID=CTImageStorage,
        SOPInstanceUID=image.sop_instance_uids[index],
        StudyInstanceUID=image.study_instance_uid,
        SeriesInstanceUID=image.series_instance_uid,
        FrameOfReferenceUID=image.frame_of_reference_uid,
        PositionReferenceIndicator="",
        PatientID="S1",
        PatientName="Test^Subject",
        PatientBirthDate="",
        PatientSex="",
        StudyDate="20240101",
        StudyTime="",
        StudyID="",
        AccessionNumber="",
        ReferringPhysicianName="",
        Modality="CT",
        InstanceNumber=index + 1,
        Rows=grid.rows,
        Columns=grid.columns,
        BitsAllocated=16,
        PixelSpacing=spacing_of(grid),
        SliceThickness=1.0,
        ImagePositionPatient=position_of(grid, index),
        ImageOrientationPatient=orientation_of(grid),
    )
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def decimals(values: Any) -> list[str]:
    """Return numbers as DICOM decimal strings of 16 characters at most."""
    return [f"{value:.9f}"[:16] for value in values]


def spacing_of(grid: Grid) -> list[str]:
    return decimals([grid.row_spacing_mm, grid.column_spacing_mm])


def position_of(grid: Grid, index: int) -> list[str]:
    return decimals(grid.origins[index])


def orientation_of(grid: Grid) -> list[str]:
    return decimals([*grid.along_row, *grid.along_column])


# --- highdicom.


def highdicom_seg(
    path: Path,
    masks: NDArray[Any],
    image: Volume,
    *,
    kind: str = "BINARY",
    codes: Sequence[tuple[Code, Code]] = (),
    labels: Sequence[str] = (),
    keep_empty: bool = False,
    transfer_syntax: str = ExplicitVRLittleEndian,
    **options: Any,
) -> Path:
    """Write masks `[slice, row, column, segment]` (or a label map without the last axis) with highdicom."""
    import highdicom as hd

    count = masks.shape[3] if masks.ndim == 4 else int(masks.max())
    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=labels[number - 1] if labels else f"Segment {number}",
            segmented_property_category=(codes[number - 1] if codes else LESION)[0],
            segmented_property_type=(codes[number - 1] if codes else LESION)[1],
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            tracking_uid=uid_of("lesion", number),
            tracking_id=f"Lesion {number}",
        )
        for number in range(1, count + 1)
    ]
    segmentation = hd.seg.Segmentation(
        source_images=source_images(image),
        pixel_array=masks,
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid=uid_of("segmentations"),
        series_number=9,
        sop_instance_uid=uid_of("segmentation", kind),
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
        omit_empty_frames=not keep_empty,
        transfer_syntax_uid=transfer_syntax,
        **options,
    )
    segmentation.save_as(path)
    return path


# --- Plain pydicom: everything that other programs may write.


def plain_seg(
    path: Path,
    frames: Sequence[tuple[int, int, NDArray[Any]]],
    image: Volume,
    *,
    kind: str = "BINARY",
    bits: int = 1,
    segments: Sequence[Dataset] | None = None,
    transfer_syntax: str = ExplicitVRLittleEndian,
    edit: Edit | None = None,
    edit_frame: Callable[[int, Dataset], object] | None = None,
    pixels: bytes | None = None,
) -> Path:
    """Write a segmentation frame by frame.

    Parameters
    ----------
    frames
        Segment number, slice of the image, and pixels `[row, column]`.
    segments
        Items of the segment sequence; one with number and label for each segment without it.
    edit, edit_frame
        Change the dataset, and the functional groups of each frame (by index), before it is written.
    pixels
        Pixel data in the place of those of the frames.
    """
    with quiet_pydicom():  # it warns of the values that shall be wrong
        dataset = _seg_header(image, frames, kind, bits)
        numbers = sorted({number for number, _, _ in frames if number})
        dataset.SegmentSequence = [segment(number) for number in numbers] if segments is None else list(segments)
        groups = [_frame_groups(number, index, image, is_labelmap=kind == "LABELMAP") for number, index, _ in frames]
        for index, group in enumerate(groups if edit_frame is not None else ()):
            edit_frame(index, group)  # type: ignore[misc]
        dataset.PerFrameFunctionalGroupsSequence = groups
        stored = packed([plane for _, _, plane in frames], bits, transfer_syntax) if pixels is None else pixels
        dataset.add_new("PixelData", "OW" if bits == 16 else "OB", stored)
        dataset["PixelData"].is_undefined_length = _is_encapsulated(transfer_syntax)
        if edit is not None:
            edit(dataset)
        return save_as(dataset, path, transfer_syntax)


def _is_encapsulated(transfer_syntax: str) -> bool:
    return transfer_syntax == DEFLATED_FRAMES or bool(UID(transfer_syntax).is_compressed)


def segment(number: int, label: str = "", **elements: Any) -> Dataset:
    """Return the item of a segment without codes, as syngo.via writes them."""
    return item(SegmentNumber=number, SegmentLabel=label or f"Segment {number}", **elements)


def code(value: str, scheme: str, meaning: str) -> list[Dataset]:
    return [item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]


def _seg_header(image: Volume, frames: Sequence[tuple[int, int, NDArray[Any]]], kind: str, bits: int) -> Dataset:
    rows, columns = frames[0][2].shape
    dataset = item(
        SOPClassUID=LABELMAP_STORAGE if kind == "LABELMAP" else SegmentationStorage,
        SOPInstanceUID=uid_of("plain segmentation"),
        SeriesInstanceUID=uid_of("segmentations"),
        StudyInstanceUID=image.study_instance_uid,
        FrameOfReferenceUID=image.frame_of_reference_uid,
        Modality="SEG",
        PatientID="S1",
        PatientName="Test^Subject",
        SegmentationType=kind,
        NumberOfFrames=len(frames),
        Rows=rows,
        Columns=columns,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=bits,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelRepresentation=0,
    )
    if kind == "FRACTIONAL":
        dataset.SegmentationFractionalType, dataset.MaximumFractionalValue = "PROBABILITY", 255
    dataset.ReferencedSeriesSequence = [
        item(
            SeriesInstanceUID=image.series_instance_uid,
            ReferencedInstanceSequence=[_reference(uid) for uid in image.sop_instance_uids],
        )
    ]
    dataset.SharedFunctionalGroupsSequence = [
        item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=orientation_of(image.grid))],
            PixelMeasuresSequence=[item(PixelSpacing=spacing_of(image.grid), SliceThickness=9.0)],
        )
    ]
    return dataset


def _reference(uid: str) -> Dataset:
    return item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=uid)


def _frame_groups(number: int, index: int, image: Volume, *, is_labelmap: bool) -> Dataset:
    groups = item(
        PlanePositionSequence=[item(ImagePositionPatient=position_of(image.grid, index))],
        DerivationImageSequence=[item(SourceImageSequence=[_reference(image.sop_instance_uids[index])])],
    )
    if not is_labelmap:
        groups.SegmentIdentificationSequence = [item(ReferencedSegmentNumber=number)]
    return groups


def packed(planes: Sequence[NDArray[Any]], bits: int, transfer_syntax: str) -> bytes:
    """Return pixel data: bits without gaps between frames, or bytes; compressed where the transfer syntax asks so."""
    if transfer_syntax == DEFLATED_FRAMES:
        frames = [_deflated(packed([plane], bits, ExplicitVRLittleEndian)) for plane in planes]
        return bytes(encapsulate(frames, has_bot=False))
    if UID(transfer_syntax).is_compressed:
        return bytes(encapsulate([_compressed(plane, bits, transfer_syntax) for plane in planes], has_bot=False))
    stacked = np.stack(planes)
    if bits == 1:
        data = np.packbits(stacked.astype(np.uint8).ravel(), bitorder="little").tobytes()
    else:
        order = ">" if transfer_syntax == ExplicitVRBigEndian else "<"
        data = stacked.astype(f"{order}u{bits // 8}").tobytes()
    return data + b"\0" * (len(data) % 2)


def _deflated(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


def _compressed(plane: NDArray[Any], bits: int, transfer_syntax: str) -> bytes:
    from pydicom.pixels import get_encoder

    frame = plane.astype(f"u{max(bits, 8) // 8}")
    return bytes(
        get_encoder(UID(transfer_syntax)).encode(
            frame.tobytes(),
            rows=frame.shape[0],
            columns=frame.shape[1],
            number_of_frames=1,
            samples_per_pixel=1,
            photometric_interpretation="MONOCHROME2",
            bits_allocated=frame.itemsize * 8,
            bits_stored=frame.itemsize * 8,
            pixel_representation=0,
        )
    )


def save_as(dataset: Dataset, path: Path, transfer_syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write a dataset whose pixel data are already in the given transfer syntax."""
    written = STAND_IN if transfer_syntax == DEFLATED_FRAMES else transfer_syntax
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = UID(written)
    dataset.save_as(path, enforce_file_format=True)
    if written != transfer_syntax:
        path.write_bytes(path.read_bytes().replace(STAND_IN.encode(), DEFLATED_FRAMES.encode() + b"\0", 1))
    return path


# --- Masks in memory.


def on_grid(mask: LesionMask, shape: tuple[int, ...]) -> Bools:
    """Return a cropped mask on its whole grid."""
    whole = np.zeros(shape, np.bool_)
    whole[tuple(slice(start, start + size) for start, size in zip(mask.corner, mask.voxels.shape, strict=True))] = (
        mask.voxels
    )
    return whole


def random_mask(shape: tuple[int, ...], seed: int = 0, share: float = 0.3) -> Bools:
    """Return random voxels."""
    return np.random.default_rng(seed).random(shape) < share


def with_grid(image: Volume, **changes: Any) -> Volume:
    """Return an image in memory on a changed grid."""
    grid = Grid(**{**vars(image.grid), **changes})
    return replace(image, grid=grid, voxels=np.zeros(grid.shape, np.int16))
