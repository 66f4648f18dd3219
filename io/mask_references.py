"""On which images a segmentation or structure set was drawn, and whether a given image is among them.

A mask is never measured in silence on another image than its own: positions alone do not tell a phase from another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from response.errors import InputError
from response.imaging.volume import Volume
from response.io.dicom_values import items, text
from response.io.functional_groups import Group, ParsedGroup, sequence_groups
from response.io.mask_set import FindingList

_REMEDY: Final = "measure it on the series that it names"


@dataclass(frozen=True, kw_only=True)
class References:
    """What a segmentation or structure set says it was drawn on.

    Attributes
    ----------
    series
        Series Instance UIDs.
    instances
        SOP Instance UIDs.
    frame_of_reference
        UID of the coordinates.
    """

    series: tuple[str, ...] = ()
    instances: frozenset[str] = frozenset()
    frame_of_reference: str = ""


def references_of_segmentation(dataset: Dataset) -> References:
    """Return what a segmentation refers to (PS3.3, C.8.20.2, C.12.4)."""
    series = sequence_groups(dataset, "ReferencedSeriesSequence")
    return _references(
        [(item.text("SeriesInstanceUID"), item.items("ReferencedInstanceSequence")) for item in series],
        text(dataset, "FrameOfReferenceUID"),
    )


def references_of_structure_set(dataset: Dataset, preferred: str = "") -> References:
    """Return what a structure set refers to (PS3.3, C.8.8.5).

    Of several frames of reference the preferred one is returned, if it is among them, else the first.
    """
    frames = items(dataset, "ReferencedFrameOfReferenceSequence")
    series = [
        (text(item, "SeriesInstanceUID"), [ParsedGroup(image) for image in items(item, "ContourImageSequence")])
        for frame in frames
        for study in items(frame, "RTReferencedStudySequence")
        for item in items(study, "RTReferencedSeriesSequence")
    ]
    uids = [text(frame, "FrameOfReferenceUID") for frame in frames]
    uids += [text(item, "ReferencedFrameOfReferenceUID") for item in items(dataset, "StructureSetROISequence")]
    uids.append(text(dataset, "FrameOfReferenceUID"))
    return _references(series, preferred if preferred in uids else next(filter(None, uids), ""))


def _references(series: Sequence[tuple[str, Sequence[Group]]], frame_of_reference: str) -> References:
    return References(
        series=tuple(dict.fromkeys(uid for uid, _ in series if uid)),
        instances=frozenset(
            uid for _, images in series for image in images if (uid := image.text("ReferencedSOPInstanceUID"))
        ),
        frame_of_reference=frame_of_reference,
    )


def check_references(references: References, image: Volume, findings: FindingList) -> bool:
    """Return whether masks were drawn on the slices of this image, once nothing speaks against measuring them on it.

    Raises
    ------
    InputError
        If they were drawn in another frame of reference, or on another series without a common one.
    """
    same = _is_drawn_on(references, image)
    ours, theirs = references.frame_of_reference, image.frame_of_reference_uid
    if same:
        if ours and theirs and ours != theirs:
            findings.tell(
                "other_frame_of_reference",
                "warning",
                "The masks name this image, but another frame of reference; they were placed by position.",
                remedy="Look whether they fit.",
            )
        return True
    if ours and theirs and ours != theirs:
        raise InputError(findings.file, "masks drawn in another frame of reference", "masks of this image", _REMEDY)
    if image.series_instance_uid in references.series and image.series_instance_uid:
        _tell_other_images(findings)
        return False
    named = bool(references.series or references.instances) and bool(image.series_instance_uid)
    if named and not (ours and theirs):
        raise InputError(findings.file, "masks drawn on another series", "masks of this image", _REMEDY)
    _tell_doubt(named, bool(ours and theirs), image, findings)
    return False


def _is_drawn_on(references: References, image: Volume) -> bool:
    """Return whether the image is named; its instances decide, for one series may hold several phases."""
    shown = {uid for uid in image.sop_instance_uids if uid}
    if references.instances and shown:
        return not references.instances.isdisjoint(shown)
    return bool(image.series_instance_uid) and image.series_instance_uid in references.series


def _tell_other_images(findings: FindingList) -> None:
    findings.tell(
        "other_images",
        "warning",
        "The masks name other images of this series, such as those of another phase; they were placed by position.",
        remedy="Look whether they fit.",
    )


def _tell_doubt(named: bool, same_frame: bool, image: Volume, findings: FindingList) -> None:
    if named:
        findings.tell(
            "other_series",
            "warning",
            "The masks were drawn on another series of the same frame of reference, and placed by position: whether "
            "the patient lay and breathed the same is not known.",
            remedy="Measure them on the series that they name, if that is at hand.",
        )
    elif not image.series_instance_uid:
        findings.tell(
            "unnamed_image",
            "info",
            "The image has no identity that the masks could name; they were placed by position.",
        )
    elif not same_frame:
        findings.tell(
            "unnamed_image",
            "warning",
            "The masks say neither on which series nor in which frame of reference they were drawn; they were placed "
            "by position.",
            remedy="Look whether they fit.",
        )
