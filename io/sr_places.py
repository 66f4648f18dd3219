"""What a measurement group refers to: the image and end points of a measurement, a segment, the study of its images.

Source: DICOM PS3.3, C.18.4 (image reference), C.18.6 and C.18.9 (spatial coordinates), C.17.2 (evidence).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from pydicom.dataset import Dataset

from response.io.dicom_values import items, number, numbers, plain_text
from response.io.sr_codes import REFERENCED_SEGMENT, SOURCE_SERIES
from response.io.sr_content import ContentItem, ContentTree, Stop, sequence

_SEGMENTATIONS: Final = tuple(f"1.2.840.10008.5.1.4.1.1.66.{kind}" for kind in (4, 5, 7))  # voxels, surface, label map
_MODALITIES: Final[Mapping[str, str]] = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
    "1.2.840.10008.5.1.4.1.1.130": "PT",
}


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Where an instance belongs, by the evidence of a report."""

    study: str
    series: str


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """An image, or a segment, that a content item refers to.

    Attributes
    ----------
    sop_class, sop_instance
        UIDs.
    frame
        Number of the frame; empty where the whole instance is meant.
    segment
        Number of the segment; 0 where none is named.
    is_segmentation
        Whether it is a segmentation.
    """

    sop_class: str
    sop_instance: str
    frame: str
    segment: int
    is_segmentation: bool


def read_evidence(dataset: Dataset) -> dict[str, Instance]:
    """Return study and series of every instance that a report names as evidence, by SOP Instance UID."""
    found = {}
    for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"):
        for study in items(dataset, keyword):
            for series in items(study, "ReferencedSeriesSequence"):
                place = Instance(
                    study=plain_text(study, "StudyInstanceUID"), series=plain_text(series, "SeriesInstanceUID")
                )
                for instance in sequence(series, "ReferencedSOPSequence"):
                    found[plain_text(instance, "ReferencedSOPInstanceUID")] = place
    return found


def references_of(item: ContentItem, tree: ContentTree, stop: Stop | None = None) -> Iterator[ImageReference]:
    """Yield the images and segments that an item and all below it refer to, directly or by reference."""
    for place in _with_referred(item, tree, stop):
        if place.value_type == "IMAGE":
            for instance in sequence(place.dataset, "ReferencedSOPSequence")[:1]:
                yield _reference(place, instance)


def source_series(item: ContentItem, stop: Stop | None = None) -> str:
    """Return the series that a segmentation was made on, where a group says so."""
    return next((place.words for place in item.nearest(SOURCE_SERIES, stop)), "")


def end_points(item: ContentItem, tree: ContentTree) -> tuple[str, str, str] | None:
    """Return both ends of a measurement as `[x y z]`, and their frame of reference, where they stand in 3D."""
    for place in _with_referred(item, tree, lambda child: child.value_type == "NUM"):
        if place.value_type == "SCOORD3D":
            values = numbers(place.dataset, "GraphicData")
            if len(values) == 6:
                return (
                    point_text(values[:3]),
                    point_text(values[3:]),
                    plain_text(place.dataset, "ReferencedFrameOfReferenceUID"),
                )
    return None


def point_text(point: Sequence[float]) -> str:
    """Return a point as the measurement table has it, in mm to the thousandth."""
    texts = (f"{value:.3f}".rstrip("0").rstrip(".") for value in point)
    return f"[{' '.join('0' if text == '-0' else text for text in texts)}]"


def modality_of(sop_class: str) -> str:
    """Return the modality of an image by its SOP class; empty where the class is not known here."""
    return _MODALITIES.get(sop_class, "")


def _with_referred(item: ContentItem, tree: ContentTree, stop: Stop | None) -> Iterator[ContentItem]:
    """Yield an item and all below it, and in the place of a reference the image or coordinates that it names."""
    for place in (item, *item.below(stop)):
        target = tree.referred(place)
        if target is place:
            yield place
        elif target.value_type in ("IMAGE", "SCOORD", "SCOORD3D"):  # of anything else the tree could come back here
            yield from (target, *target.children)


def _reference(item: ContentItem, instance: Dataset) -> ImageReference:
    sop_class = plain_text(instance, "ReferencedSOPClassUID")
    segment = number(instance, "ReferencedSegmentNumber", 0.0)
    return ImageReference(
        sop_class=sop_class,
        sop_instance=plain_text(instance, "ReferencedSOPInstanceUID"),
        frame=plain_text(instance, "ReferencedFrameNumber").partition("\\")[0],
        segment=int(segment) if isfinite(segment) else 0,
        is_segmentation=item.code in REFERENCED_SEGMENT or sop_class in _SEGMENTATIONS,
    )
