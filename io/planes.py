"""Slices as the headers of CT, MR and PET images describe them, whether each is a file or a frame of one.

Source: DICOM PS3.3, C.7.6.2 (image plane), C.7.6.16 (functional groups), C.8.2.1, C.8.3.1, C.8.9 (CT, MR, PET),
C.8.13, C.8.15 and C.8.22 (enhanced MR, CT and PET).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from math import isfinite
from typing import Final

import numpy as np
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.valuerep import STR_VR

from response.errors import InputError
from response.imaging.grid import Floats
from response.io.dicom_bytes import shown
from response.io.dicom_files import DicomFile
from response.io.dicom_values import decimals, has, items, plain_text, text
from response.io.pixel_format import PixelFormat
from response.io.pixels import Frame

TAGS: Final = (
    *("ImageType", "SOPClassUID", "SOPInstanceUID", "AcquisitionTime", "ContentTime", "Modality"),
    *("Manufacturer", "ManufacturerModelName", "SeriesDescription", "ContrastBolusAgent", "ScanningSequence"),
    *("SequenceVariant", "SequenceName", "PulseSequenceName", "SliceThickness", "KVP", "EchoTime", "EchoNumbers"),
    *("ProtocolName", "ContrastBolusStartTime", "TriggerTime", "ConvolutionKernel", "DiffusionBValue"),
    *("StudyInstanceUID", "SeriesInstanceUID", "AcquisitionNumber", "InstanceNumber", "ImagePositionPatient"),
    *("ImageOrientationPatient", "FrameOfReferenceUID", "TemporalPositionIdentifier", "TemporalPositionIndex"),
    *("SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "PixelSpacing"),
    *("ImagerPixelSpacing", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "RescaleIntercept"),
    *("RescaleSlope", "RescaleType", "ModalityLUTSequence", "LossyImageCompression", "ContrastBolusAgentSequence"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
)  # what is read of each file

# Functional groups: sequence of the group -> the elements in it that matter here.
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept", "RescaleType"),
    "FrameContentSequence": ("StackID", "TemporalPositionIndex", "FrameAcquisitionNumber", "FrameAcquisitionDateTime"),
    "MREchoSequence": ("EffectiveEchoTime",),
    "MRDiffusionSequence": ("DiffusionBValue",),
    "CTImageFrameTypeSequence": ("FrameType",),
    "MRImageFrameTypeSequence": ("FrameType",),
    "PETFrameTypeSequence": ("FrameType",),
    "CTXRayDetailsSequence": ("KVP",),
    "CTReconstructionSequence": ("ConvolutionKernel",),
    "CardiacSynchronizationSequence": ("NominalCardiacTriggerDelayTime",),
    "ContrastBolusUsageSequence": ("ContrastBolusAgentPhase",),
    # of legacy converted images: what classic headers hold and no other group takes
    "UnassignedSharedConvertedAttributesSequence": TAGS,
    "UnassignedPerFrameConvertedAttributesSequence": TAGS,
}
_ORTHOGONAL: Final = 1e-2  # how far directions may be from unit vectors at right angles: rounding in the files


class Elements:
    """The elements of one frame: those of its own functional groups, then the shared ones, then those of the file."""

    def __init__(self, dataset: Dataset, shared: Mapping[str, Dataset], own: Mapping[str, Dataset]) -> None:
        self._dataset, self._shared, self._own = dataset, shared, own

    def holder(self, keyword: str) -> Dataset:
        """Return the dataset in which an element stands, if anywhere."""
        return self._own.get(keyword) or self._shared.get(keyword) or self._dataset

    def has(self, keyword: str) -> bool:
        """Return whether an element is there."""
        return has(self.holder(keyword), keyword)

    def text(self, keyword: str) -> str:
        """Return an element as text."""
        read = plain_text if _is_text(keyword) else text
        return read(self.holder(keyword), keyword)

    def decimals(self, keyword: str) -> tuple[float, ...]:
        """Return the values of a decimal string."""
        return decimals(self.holder(keyword), keyword)

    def items(self, keyword: str) -> list[Dataset]:
        """Return the items of a sequence."""
        return items(self.holder(keyword), keyword)


@cache
def _is_text(keyword: str) -> bool:
    return dictionary_VR(keyword) in STR_VR


@dataclass(frozen=True, eq=False, kw_only=True)
class Plane:
    """One slice.

    Attributes
    ----------
    frame
        Its pixels.
    elements
        Its header.
    position
        Centre of the first voxel `[3]`, mm, LPS (ImagePositionPatient); None where it is missing.
    axes
        Unit vectors along the row and along the column `[2, 3]` (ImageOrientationPatient); None where it is missing.
    spacing_mm
        Between rows, and between columns.
    frame_number
        From 1; 0 where the file has one frame only.
    """

    frame: Frame
    elements: Elements
    position: Floats | None
    axes: Floats | None
    spacing_mm: tuple[float, float]
    frame_number: int

    @property
    def file(self) -> DicomFile:
        """The file that holds it."""
        return self.frame.file

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.frame.format.rows, self.frame.format.columns


def planes_of(file: DicomFile) -> Iterator[Plane]:
    """Yield the slices of a file that was opened with `TAGS`.

    Raises
    ------
    InputError
        If its pixels cannot be read, or a spacing, a direction or a rescale is no sound number.
    """
    pixels = PixelFormat.of_file(file)
    own = items(file.dataset, "PerFrameFunctionalGroupsSequence")
    if own and len(own) < pixels.frames:
        raise InputError(shown(file.path), f"{len(own)} headers for {pixels.frames} frames", "one for each frame")
    shared = _elements_in(items(file.dataset, "SharedFunctionalGroupsSequence"))
    for index in range(pixels.frames):
        elements = Elements(file.dataset, shared, _elements_in(own[index : index + 1]))
        yield _plane(file, pixels, elements, index, is_one_of_many=pixels.frames > 1 or bool(own))


def _elements_in(groups: list[Dataset]) -> Mapping[str, Dataset]:
    """Return by keyword which item of the functional groups holds an element."""
    found: dict[str, Dataset] = {}
    for group in groups:
        for sequence, keywords in _GROUPS.items():
            for item in items(group, sequence)[:1]:
                found |= {keyword: item for keyword in keywords if has(item, keyword)}
    return found


def _plane(file: DicomFile, pixels: PixelFormat, elements: Elements, index: int, *, is_one_of_many: bool) -> Plane:
    where = shown(file.path)
    return Plane(
        frame=Frame(
            file=file,
            format=pixels,
            index=index,
            slope=_rescale(elements, "RescaleSlope", 1.0, where),
            intercept=_rescale(elements, "RescaleIntercept", 0.0, where),
        ),
        elements=elements,
        position=_position(elements),
        axes=_axes(elements, where),
        spacing_mm=_spacing(elements, where),
        frame_number=index + 1 if is_one_of_many else 0,
    )


def _rescale(elements: Elements, keyword: str, default: float, where: str) -> float:
    if not elements.text(keyword):
        return default
    values = elements.decimals(keyword)
    if len(values) != 1 or not isfinite(values[0]) or (keyword == "RescaleSlope" and values[0] == 0):
        raise InputError(where, f"a {keyword} that is no sound number", "a finite number", "correct the header")
    return values[0]


def _position(elements: Elements) -> Floats | None:
    values = elements.decimals("ImagePositionPatient")
    return np.array(values) if len(values) == 3 and all(map(isfinite, values)) else None


def _axes(elements: Elements, where: str) -> Floats | None:
    values = elements.decimals("ImageOrientationPatient")
    if len(values) != 6 or not all(map(isfinite, values)):
        return None
    axes = _right_angled(values)
    if axes is None:
        raise InputError(where, "directions of row and column that are not at right angles", "a sound orientation")
    return axes


@lru_cache(maxsize=16)  # it is the same for all slices of nearly every series
def _right_angled(values: tuple[float, ...]) -> Floats | None:
    """Return unit vectors at right angles `[2, 3]`; the second is turned where rounding in the file left it askew."""
    across, down = np.reshape(values, (2, 3))
    products = (across @ across - 1, down @ down - 1, across @ down)
    if max(map(abs, products)) > _ORTHOGONAL:
        return None
    across = across / np.linalg.norm(across)
    down = down - (across @ down) * across
    axes = np.stack([across, down / np.linalg.norm(down)])
    axes.flags.writeable = False
    return axes


def _spacing(elements: Elements, where: str) -> tuple[float, float]:
    """Return the distance of rows, and of columns: in the patient, or else at the detector (projections)."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        if elements.has(keyword):
            values = elements.decimals(keyword)
            if len(values) != 2 or not all(isfinite(value) and value > 0 for value in values):
                raise InputError(where, f"a {keyword} that is no sound length", "two lengths above 0 mm")
            return values[0], values[1]
    raise InputError(where, "no PixelSpacing", "an image of known pixel spacing", "lengths cannot be measured on it")
