"""Which image each lesion was measured on, and in which coordinates its axes can be written.

1. The image is the one that `sop_instance_uid` names. Its class, series and study come from its header where that is
   at hand, else from the table; without all of them it cannot be referred to (PS3.3, C.17.2: evidence names them all).
2. Where the header is at hand and the end points lie on the image, they are written as pixel coordinates (SCOORD).
3. Else they are written in patient coordinates (SCOORD3D), where the frame of reference is known.
4. Else they stay texts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from response.findings import Finding
from response.imaging.grid import Floats
from response.io.sr_images import ImageHeader
from response.io.sr_records import LesionRecord, ReportRecord
from response.io.sr_uids import is_uid

AXES: Final[Mapping[str, tuple[str, str]]] = {  # by column of the length: columns of its end points
    "longest_mm": ("longest_from", "longest_to"),
    "short_mm": ("short_from", "short_to"),
}
_NUMBER: Final = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?"
_BETWEEN: Final = r"(?P<mark>\s+|\s*[,;]\s*)"  # the same one twice: "[1,5 2]" may be meant with decimal commas
_POINT: Final = re.compile(rf"\[?\s*({_NUMBER}){_BETWEEN}({_NUMBER})(?P=mark)({_NUMBER})\s*\]?")
_FURTHEST_MM: Final = 1e5  # no scanner is so large; the coordinates are stored as 32 bit


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """One image, or one frame of it, with all that evidence must say."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    frame: int | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class LesionPlace:
    """Where a lesion was measured.

    Attributes
    ----------
    image
        None where it cannot be referred to.
    points
        By column of the length: end points `[2, 2]` in pixels (column, row), or `[2, 3]` in mm (patient, LPS).
    frame_of_reference_uid
        Of coordinates in mm; empty where `points` are pixels of `image`.
    """

    image: ImageReference | None = None
    points: Mapping[str, Floats] = field(default_factory=dict)
    frame_of_reference_uid: str = ""

    @property
    def is_on_image(self) -> bool:
        """Whether the coordinates are pixels of the image."""
        return bool(self.points) and not self.frame_of_reference_uid


class Evidence:
    """Finds the place of each lesion, and collects what could not be said.

    Attributes
    ----------
    headers
        Of images at hand, by SOP Instance UID.
    findings
        What a person should know, in the order of the lesions.
    """

    def __init__(self, headers: Mapping[str, ImageHeader], *, has_images: bool) -> None:
        self.headers, self.has_images = headers, has_images
        self.findings: list[Finding] = []

    def place_of(self, record: ReportRecord, lesion: LesionRecord) -> LesionPlace:
        """Return where a lesion was measured."""
        header = self.headers.get(lesion.cells.get("sop_instance_uid", ""))
        points = self._points(record, lesion)
        image = self._image(record, lesion, header, points)
        pixels = _pixels(header, image, points)
        if pixels:
            return LesionPlace(image=image, points=pixels)
        if not points:
            return LesionPlace(image=image)
        frame_of_reference = _frame_of_reference(lesion, header)
        self._tell_coordinates(record, lesion, header, image, is_known=bool(frame_of_reference))
        if not frame_of_reference:
            return LesionPlace(image=image)
        return LesionPlace(image=image, points=points, frame_of_reference_uid=frame_of_reference)

    # --- the image

    def _image(
        self, record: ReportRecord, lesion: LesionRecord, header: ImageHeader | None, points: Mapping[str, Floats]
    ) -> ImageReference | None:
        cells = lesion.cells
        named = cells.get("sop_instance_uid", "")
        if not named:
            self._tell_no_image(record, lesion)
            return None
        uids = [
            (header.value(keyword) if header else "") or cells.get(column, "")
            for keyword, column in (
                ("SOPClassUID", "sop_class_uid"),
                ("SeriesInstanceUID", "series_instance_uid"),
                ("StudyInstanceUID", "study_instance_uid"),
            )
        ]
        if not all(is_uid(uid) for uid in (named, *uids)):
            self._tell_incomplete(record, lesion, uids)
            return None
        return ImageReference(
            sop_class_uid=uids[0],
            sop_instance_uid=named,
            series_instance_uid=uids[1],
            study_instance_uid=uids[2],
            frame=_frame(cells.get("frame_number", ""), header, points),
        )

    # --- the points

    def _points(self, record: ReportRecord, lesion: LesionRecord) -> dict[str, Floats]:
        found = {}
        for length, columns in AXES.items():
            texts = [lesion.cells.get(column, "") for column in columns]
            ends = [point_of(text) for text in texts]
            if all(end is not None for end in ends) and length in lesion.cells:
                found[length] = np.asarray(ends)
            elif any(text and end is None for text, end in zip(texts, ends, strict=True)):
                self._tell(
                    record,
                    lesion,
                    "unusable_point",
                    severity="warning",
                    column=columns[0],
                    found=" ".join(texts),
                    expected="[x y z] in mm",
                    sentence="An end point of a diameter is no point of three numbers, so it is written as a text.",
                    remedy="Write end points as [x y z], patient coordinates in mm.",
                )
        return found

    # --- what could not be said

    def _tell_no_image(self, record: ReportRecord, lesion: LesionRecord) -> None:
        if any(lesion.cells.get(length) for length in AXES):
            self._tell(
                record,
                lesion,
                "no_source_image",
                severity="info",
                column="sop_instance_uid",
                expected="the SOP Instance UID of the image",
                sentence="The table does not say on which image the lesion was measured; the report names none.",
                remedy="Add the columns sop_instance_uid, sop_class_uid, series_instance_uid and study_instance_uid.",
            )

    def _tell_incomplete(self, record: ReportRecord, lesion: LesionRecord, uids: Sequence[str]) -> None:
        names = ("sop_class_uid", "series_instance_uid", "study_instance_uid")
        missing = [name for name, uid in zip(names, uids, strict=True) if not is_uid(uid)] or ["sop_instance_uid"]
        self._tell(
            record,
            lesion,
            "incomplete_reference",
            severity="warning",
            column=missing[0],
            found=", ".join(uid for uid in uids if uid),
            expected=f"valid UIDs in {', '.join(missing)}",
            sentence="The image of a lesion is not named in full, so the report cannot refer to it.",
            remedy="Pass the images with --images, or add the missing columns.",
        )

    def _tell_coordinates(
        self,
        record: ReportRecord,
        lesion: LesionRecord,
        header: ImageHeader | None,
        image: ImageReference | None,
        *,
        is_known: bool,
    ) -> None:
        where = "in patient coordinates (3D)" if is_known else "as texts, for their frame of reference is not known"
        if header is not None and image is not None:
            finding, why = "points_off_image", "The end points of a diameter do not lie on the image that the row names"
        elif self.has_images and image is not None:
            finding, why = "image_not_found", "The image that a row names is not among the images"
        elif not is_known:
            finding, why = "no_frame_of_reference", "The image of a lesion is not at hand"
        else:
            return  # nobody gave images, and nothing is lost
        self._tell(
            record,
            lesion,
            finding,
            severity="warning" if finding != "no_frame_of_reference" else "info",
            column="sop_instance_uid",
            found=lesion.cells.get("sop_instance_uid", ""),
            sentence=f"{why}; they are written {where}." if header else f"{why}; its end points are written {where}.",
            remedy="Pass the images that were measured with --images.",
        )

    def _tell(self, record: ReportRecord, lesion: LesionRecord, finding: str, **said: str) -> None:
        self.findings.append(
            Finding(
                id=finding,
                subject=record.subject,
                evaluator=record.evaluator,
                timepoint=record.timepoint,
                lesion=lesion.lesion,
                file=lesion.file,
                line=lesion.line,
                **said,  # type: ignore[arg-type]
            )
        )


def point_of(text: str) -> Floats | None:
    """Return the point that `[x y z]` says, in mm, None where it says none."""
    found = _POINT.fullmatch(text.strip())
    if not found:
        return None
    point = np.asarray([float(found[part]) for part in (1, 3, 4)])
    return point if np.all(np.abs(point) < _FURTHEST_MM) else None


def _frame(named: str, header: ImageHeader | None, points: Mapping[str, Floats]) -> int | None:
    """Return the frame of a multi-frame image: as the table says it, else that on which all points lie."""
    number = int(named) if re.fullmatch(r"[0-9]{1,6}", named) else 0
    if header is None:
        return number or None
    if not header.is_multi_frame:
        return None
    if number:
        return number
    return header.frame_of(np.concatenate(list(points.values()))) if points and header.frames else None


def _pixels(
    header: ImageHeader | None, image: ImageReference | None, points: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Return the points as pixels of the image; empty where one of them lies off it."""
    if header is None or image is None or (header.is_multi_frame and image.frame is None):
        return {}
    found = {}
    for length, end_points in points.items():
        pixels = header.on_frame(end_points, image.frame or 1)
        if pixels is None:
            return {}
        found[length] = pixels
    return found


def _frame_of_reference(lesion: LesionRecord, header: ImageHeader | None) -> str:
    named = (header.value("FrameOfReferenceUID") if header else "") or lesion.cells.get("frame_of_reference_uid", "")
    return named if is_uid(named) else ""
