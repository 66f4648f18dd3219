"""What segmentations and structure sets were drawn on, as they say themselves.

Source: DICOM PS3.3, C.8.20.2 (segmentation), C.7.6.16.2.6 (derivation image), C.12.4 (common instance reference),
C.8.8.5 and C.8.8.6 (structure set, ROI contours).
"""

from collections.abc import Iterator
from pathlib import Path

from pydicom.dataset import Dataset

from response.io.dicom_files import quiet_pydicom, read_dataset
from response.io.dicom_values import items, text


def referenced_series(path: Path) -> tuple[str, ...]:
    """Return the UIDs of the series that a file refers to, in its order.

    Raises
    ------
    InputError
        As `response.io.dicom_files.read_dataset`.
    """
    with quiet_pydicom():
        return tuple(dict.fromkeys(uid for item in _series_items(path) if (uid := text(item, "SeriesInstanceUID"))))


def referenced_instances(path: Path) -> frozenset[str]:
    """Return the SOP Instance UIDs of the images that a file refers to, as a whole or for one frame or contour.

    Raises
    ------
    InputError
        As `response.io.dicom_files.read_dataset`.
    """
    with quiet_pydicom():
        dataset = read_dataset(path, pixels=False)
        found = [image for item in _series_of(dataset) for image in _images_of_series(item)]
        found += [*_images_of_frames(dataset), *_images_of_contours(dataset)]
        return frozenset(uid for image in found if (uid := text(image, "ReferencedSOPInstanceUID")))


def _series_items(path: Path) -> list[Dataset]:
    tags = ("ReferencedSeriesSequence", "ReferencedFrameOfReferenceSequence")
    return _series_of(read_dataset(path, pixels=False, tags=tags))


def _series_of(dataset: Dataset) -> list[Dataset]:
    series = items(dataset, "ReferencedSeriesSequence")
    for frame in items(dataset, "ReferencedFrameOfReferenceSequence"):
        for study in items(frame, "RTReferencedStudySequence"):
            series += items(study, "RTReferencedSeriesSequence")
    return series


def _images_of_series(series: Dataset) -> list[Dataset]:
    return [*items(series, "ReferencedInstanceSequence"), *items(series, "ContourImageSequence")]


def _images_of_frames(dataset: Dataset) -> Iterator[Dataset]:
    groups = [*items(dataset, "SharedFunctionalGroupsSequence"), *items(dataset, "PerFrameFunctionalGroupsSequence")]
    for group in groups:
        for derivation in items(group, "DerivationImageSequence"):
            yield from items(derivation, "SourceImageSequence")


def _images_of_contours(dataset: Dataset) -> Iterator[Dataset]:
    for structure in items(dataset, "ROIContourSequence"):
        for contour in items(structure, "ContourSequence"):
            yield from items(contour, "ContourImageSequence")
