"""Synthetic CT of the liver with segmented lesions, as DICOM: the images of `make_images.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SegmentationStorage, generate_uid

SHAPE: Final = (20, 80, 80)  # slices, rows, columns
SPACING_MM: Final = (3.0, 1.5, 1.5)
NOISE_HU: Final = 10
LIVER_HU, BODY_HU, AIR_HU = 110, 40, -1000

Code = tuple[str, str, str]  # value, scheme, meaning
LIVER: Final[Code] = ("10200004", "SCT", "Liver")
NEOPLASM: Final[Code] = ("108369006", "SCT", "Neoplasm")
STRUCTURE: Final[Code] = ("123037004", "SCT", "Anatomical structure")
ALTERED: Final[Code] = ("49755003", "SCT", "Morphologically abnormal structure")


@dataclass(frozen=True)
class Lesion:
    """A sphere: its name, centre as (slice, row, column), diameter, and attenuation."""

    name: str
    centre: tuple[int, int, int]
    diameter_mm: float
    hu: int


@dataclass(frozen=True)
class Exam:
    """One study: whose, when, and what is in it."""

    subject: str
    date: str
    lesions: Sequence[Lesion]


def write_exam(folder: Path, exam: Exam) -> None:
    """Write the series `ct/` and its segmentation `lesions.dcm`."""
    liver, lesions = _ball((10, 40, 40), 56), [_ball(item.centre, item.diameter_mm) for item in exam.lesions]
    slices = _write_series(folder / "ct", exam, _voxels(liver, lesions, exam))
    masks = [("Liver", liver & ~np.any(lesions, axis=0), STRUCTURE, LIVER)]
    masks += [(item.name, mask, ALTERED, NEOPLASM) for item, mask in zip(exam.lesions, lesions, strict=True)]
    _write_segmentation(folder / "lesions.dcm", exam, masks, slices)


def _ball(centre: tuple[int, int, int], diameter_mm: float) -> NDArray[np.bool_]:
    place = np.indices(SHAPE) - np.asarray(centre)[:, None, None, None]
    away = (place * np.asarray(SPACING_MM)[:, None, None, None]) ** 2
    return np.asarray(away.sum(axis=0) <= (diameter_mm / 2) ** 2)


def _voxels(liver: NDArray[np.bool_], lesions: Sequence[NDArray[np.bool_]], exam: Exam) -> NDArray[np.int16]:
    seed = [int(exam.date), *exam.subject.encode()]
    hu = np.full(SHAPE, float(BODY_HU))
    hu[:, :4] = AIR_HU
    hu[liver] = LIVER_HU
    for item, mask in zip(exam.lesions, lesions, strict=True):
        hu[mask] = item.hu
    return np.rint(hu + np.random.default_rng(seed).normal(0, NOISE_HU, SHAPE)).astype(np.int16)


def _uid(*parts: object) -> str:
    return generate_uid(entropy_srcs=[str(part) for part in ("tumor-response example", *parts)])


def _dataset(exam: Exam, sop_class: str, modality: str, *name: object) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, _uid(exam.subject, exam.date, modality, *name)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PatientID, dataset.PatientName = exam.subject, f"{exam.subject}^"
    dataset.PatientBirthDate = dataset.PatientSex = dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = exam.date
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = "120000"
    dataset.StudyID, dataset.Modality, dataset.Manufacturer = "1", modality, "synthetic"
    dataset.StudyInstanceUID = _uid(exam.subject, exam.date)
    dataset.SeriesInstanceUID = _uid(exam.subject, exam.date, modality, "series")
    dataset.FrameOfReferenceUID = _uid(exam.subject, exam.date, "frame")
    dataset.PositionReferenceIndicator = ""
    dataset.BodyPartExamined, dataset.PatientPosition = "ABDOMEN", "HFS"
    dataset.SeriesNumber = 1 if modality == "CT" else 2
    return dataset


def _write_series(folder: Path, exam: Exam, voxels: NDArray[np.int16]) -> list[Dataset]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for place, pixels in enumerate(voxels):
        image = _dataset(exam, CTImageStorage, "CT", place)
        image.SeriesDescription, image.ContrastBolusAgent = "Portal venous", "iodine"
        image.ImageType, image.KVP, image.ConvolutionKernel = ["ORIGINAL", "PRIMARY", "AXIAL"], 120, "B30f"
        image.InstanceNumber, image.AcquisitionNumber, image.SliceThickness = place + 1, 1, SPACING_MM[0]
        image.ImagePositionPatient = _position(place)
        image.ImageOrientationPatient, image.PixelSpacing = [1, 0, 0, 0, 1, 0], list(SPACING_MM[1:])
        image.Rows, image.Columns = pixels.shape
        _pixels(image, bits=16, signed=1)
        image.RescaleIntercept, image.RescaleSlope, image.RescaleType = 0, 1, "HU"
        image.PixelData = pixels.astype("<i2").tobytes()
        image.save_as(folder / f"{place:03d}.dcm", enforce_file_format=True)
        written.append(image)
    return written


def _position(place: int) -> list[float]:
    return [-60.0, -60.0, SPACING_MM[0] * place]


def _pixels(dataset: Dataset, *, bits: int, signed: int) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, signed


def _item(**values: object) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _code(code: Code) -> Items:
    return Items([_item(CodeValue=code[0], CodingSchemeDesignator=code[1], CodeMeaning=code[2])])


Segment = tuple[str, NDArray[np.bool_], Code, Code]


def _write_segmentation(path: Path, exam: Exam, segments: Sequence[Segment], slices: Sequence[Dataset]) -> None:
    seg = _dataset(exam, SegmentationStorage, "SEG")
    seg.SegmentationType, seg.ContentLabel, seg.ContentDescription = "BINARY", "LESIONS", "Lesions and liver"
    seg.ImageType, seg.InstanceNumber, seg.ContentCreatorName = ["DERIVED", "PRIMARY"], 1, ""
    seg.SoftwareVersions, seg.DeviceSerialNumber, seg.ManufacturerModelName = "1", "1", "make_images.py"
    seg.LossyImageCompression, seg.SegmentsOverlap = "00", "NO"
    seg.Rows, seg.Columns = SHAPE[1:]
    _pixels(seg, bits=1, signed=0)
    seg.SegmentSequence = Items([_segment(exam, number, item) for number, item in enumerate(segments, start=1)])
    references = [
        _item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=image.SOPInstanceUID) for image in slices
    ]
    seg.ReferencedSeriesSequence = Items(
        [_item(SeriesInstanceUID=slices[0].SeriesInstanceUID, ReferencedInstanceSequence=Items(references))]
    )
    _dimensions(seg)
    measures = _item(PixelSpacing=list(SPACING_MM[1:]), SliceThickness=SPACING_MM[0])
    seg.SharedFunctionalGroupsSequence = Items(
        [
            _item(
                PixelMeasuresSequence=Items([measures]),
                PlaneOrientationSequence=Items([_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
            )
        ]
    )
    frames = [
        (number, place)
        for number, (_, mask, _, _) in enumerate(segments, start=1)
        for place in np.flatnonzero(mask.any(axis=(1, 2))).tolist()
    ]
    seg.PerFrameFunctionalGroupsSequence = Items([_frame(number, place, slices[place]) for number, place in frames])
    seg.NumberOfFrames = len(frames)
    bits = np.concatenate([segments[number - 1][1][place].ravel() for number, place in frames])
    packed = np.packbits(bits, bitorder="little").tobytes()
    seg.PixelData = packed + b"\0" * (len(packed) % 2)
    seg.save_as(path, enforce_file_format=True)


def _dimensions(seg: Dataset) -> None:
    """Say what the two dimension indices of each frame count: the segment, and the position."""
    organisation = _uid(seg.SOPInstanceUID, "dimensions")
    seg.DimensionOrganizationSequence = Items([_item(DimensionOrganizationUID=organisation)])
    pointers = (
        ("ReferencedSegmentNumber", "SegmentIdentificationSequence"),
        ("ImagePositionPatient", "PlanePositionSequence"),
    )
    seg.DimensionIndexSequence = Items(
        [
            _item(
                DimensionOrganizationUID=organisation,
                DimensionIndexPointer=tag_for_keyword(index),
                FunctionalGroupPointer=tag_for_keyword(group),
                DimensionDescriptionLabel=index,
            )
            for index, group in pointers
        ]
    )


def _segment(exam: Exam, number: int, segment: Segment) -> Dataset:
    name, _, category, kind = segment
    item = _item(
        SegmentNumber=number,
        SegmentLabel=name,
        SegmentAlgorithmType="MANUAL",
        SegmentedPropertyCategoryCodeSequence=_code(category),
        SegmentedPropertyTypeCodeSequence=_code(kind),
    )
    if kind == NEOPLASM:
        item.TrackingID, item.TrackingUID = name, _uid(exam.subject, name)
        item.AnatomicRegionSequence = _code(LIVER)
    return item


def _frame(number: int, place: int, image: Dataset) -> Dataset:
    source = _item(
        ReferencedSOPClassUID=CTImageStorage,
        ReferencedSOPInstanceUID=image.SOPInstanceUID,
        PurposeOfReferenceCodeSequence=_code(("121322", "DCM", "Source image for image processing operation")),
    )
    derivation = _item(
        SourceImageSequence=Items([source]), DerivationCodeSequence=_code(("113076", "DCM", "Segmentation"))
    )
    return _item(
        DerivationImageSequence=Items([derivation]),
        FrameContentSequence=Items([_item(DimensionIndexValues=[number, place + 1])]),
        PlanePositionSequence=Items([_item(ImagePositionPatient=_position(place))]),
        SegmentIdentificationSequence=Items([_item(ReferencedSegmentNumber=number)]),
    )
