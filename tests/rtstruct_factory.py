"""Makes structure sets for tests, by plain pydicom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage

from response.imaging.grid import Floats, Grid
from response.imaging.volume import Volume
from response.io.dicom_files import quiet_pydicom
from tests.dicom_factory import uid_of
from tests.seg_factory import item

CLOSED: Final = "CLOSED_PLANAR"


@dataclass
class Roi:
    """A structure to be written.

    Attributes
    ----------
    name, kind
        ROIName and RTROIInterpretedType (empty: no observation).
    contours
        Vertices `[vertex, 3]` in mm, or ready contour data as texts.
    types
        Geometric type of each contour; closed planar without it.
    elements
        More elements of the item of the structure set ROI sequence.
    """

    name: str
    contours: Sequence[Any] = ()
    kind: str = ""
    types: Sequence[str] = ()
    elements: dict[str, Any] = field(default_factory=dict)


def write_structure_set(
    path: Path, rois: Sequence[Roi], image: Volume, *, edit: Callable[[Dataset], object] | None = None
) -> Path:
    """Write a structure set on an image; ROI numbers count from 11."""
    dataset = item(
        SOPClassUID=RTStructureSetStorage,
        SOPInstanceUID=uid_of("structure set"),
        SeriesInstanceUID=uid_of("structure sets"),
        StudyInstanceUID=image.study_instance_uid,
        Modality="RTSTRUCT",
        PatientID="S1",
        PatientName="Test^Subject",
        StructureSetLabel="test",
    )
    images = [item(ReferencedSOPInstanceUID=uid) for uid in image.sop_instance_uids]
    series = item(SeriesInstanceUID=image.series_instance_uid, ContourImageSequence=images)
    study = item(ReferencedSOPInstanceUID=image.study_instance_uid, RTReferencedSeriesSequence=[series])
    frame = item(FrameOfReferenceUID=image.frame_of_reference_uid, RTReferencedStudySequence=[study])
    dataset.ReferencedFrameOfReferenceSequence = [frame]
    dataset.StructureSetROISequence = [
        item(
            ROINumber=number,
            ReferencedFrameOfReferenceUID=image.frame_of_reference_uid,
            ROIName=roi.name,
        )
        for number, roi in enumerate(rois, start=11)
    ]
    for roi_item, roi in zip(dataset.StructureSetROISequence, rois, strict=True):
        for keyword, value in roi.elements.items():
            setattr(roi_item, keyword, value)
    with quiet_pydicom():
        dataset.ROIContourSequence = [_contours(number, roi) for number, roi in enumerate(rois, start=11)]
        dataset.RTROIObservationsSequence = [
            item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType=roi.kind)
            for number, roi in enumerate(rois, start=11)
            if roi.kind
        ]
        if edit is not None:
            edit(dataset)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(path, enforce_file_format=True)
    return path


def _contours(number: int, roi: Roi) -> Dataset:
    types = [*roi.types, *[CLOSED] * len(roi.contours)]
    contours = [
        item(ContourGeometricType=kind, NumberOfContourPoints=len(points) // 3, ContourData=points)
        for kind, points in zip(types, map(_texts, roi.contours), strict=False)
    ]
    return item(ReferencedROINumber=number, **({"ContourSequence": contours} if contours else {}))


def _texts(points: Any) -> list[str]:
    if isinstance(points, np.ndarray):
        return [f"{value:.6f}"[:16] for value in points.ravel()]
    return list(points)


def outline(grid: Grid, index: int, vertices: Sequence[tuple[float, float]], *, above_mm: float = 0.0) -> Floats:
    """Return vertices given as rows and columns of a slice, in patient coordinates, moved along the normal."""
    rows, columns = np.asarray(vertices, float).T
    return grid.points(index, rows, columns) + above_mm * grid.normal


def square(top: float, left: float, bottom: float, right: float) -> list[tuple[float, float]]:
    return [(top, left), (top, right), (bottom, right), (bottom, left)]


def with_contour_data(data: bytes) -> Callable[[Dataset], None]:
    """Return an edit that puts bytes into the second contour of the first structure, whatever they are."""

    def edit(dataset: Dataset) -> None:
        contour = dataset.ROIContourSequence[0].ContourSequence[1]
        padded = data + b" " * (len(data) % 2)
        contour[0x30060050] = RawDataElement(Tag(0x30060050), "DS", len(padded), padded, 0, False, True)

    return edit
