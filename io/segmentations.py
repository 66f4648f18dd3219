"""DICOM segmentations (SEG): BINARY, FRACTIONAL and LABELMAP, frames in any order, placed by their positions.

Source: DICOM PS3.3, C.8.20 (segmentation), PS3.3 A.51; supplement 243 (label map segmentation).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from response.errors import InputError
from response.imaging.label_boxes import label_boxes
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.volume import Volume
from response.io.dicom_files import DicomFile, open_dicom, quiet_pydicom, shown
from response.io.dicom_values import DAMAGED, items, number, text
from response.io.mask_pieces import Piece, Pieces, assembled
from response.io.mask_placing import on_image
from response.io.mask_references import check_references, references_of_segmentation
from response.io.mask_set import HALF, FindingList, Masks, reason
from response.io.seg_frames import FrameTable, read_frames
from response.io.seg_pixels import PixelClaim, SegPixels
from response.io.seg_planes import planes_of_frames
from response.io.seg_segments import read_segments

LABELMAP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.66.7"
_LARGEST_FRACTION: Final = 255.0  # where MaximumFractionalValue is missing
_REMEDY: Final = "Export the segmentation again; the other segments were used."


def read_segmentation(path: Path, image: Volume | None = None, *, threshold: float = HALF) -> Masks:
    """Read a DICOM segmentation.

    1. Header, segments and frames are read; positions come from the frames, and only where they lack them from the
       instances of the image that they name.
    2. Of each frame only what is set is unpacked.
    3. What belongs to one segment is put together on the segmentation's own grid,
    4. and brought onto the image's.

    Parameters
    ----------
    path
        The file.
    image
        The image on which it was drawn; without it, masks lie on a grid of their own.
    threshold
        Of a FRACTIONAL segmentation: share of the largest value from which on a voxel counts.

    Raises
    ------
    InputError
        If it cannot be read, has no pixels or no geometry, was drawn on another image, or does not overlap this one.
    MissingExtraError
        If it is compressed and what decompresses it is not installed.
    """
    file, findings = open_dicom(Path(path)), FindingList(shown(Path(path)))
    with quiet_pydicom():
        try:
            return _Reading(file, image, findings, threshold).masks()
        except DAMAGED as error:
            found = f"a damaged header ({reason(error)})"
            raise InputError(findings.file, found, "a DICOM segmentation", "export it again") from None


@dataclass(frozen=True)
class _Kind:
    """How pixels mean segments: `BINARY`, `FRACTIONAL` or `LABELMAP`, and the smallest pixel that counts."""

    name: str
    limit: int
    note: str = ""


class _Reading:
    """One segmentation while it is read."""

    def __init__(self, file: DicomFile, image: Volume | None, findings: FindingList, threshold: float) -> None:
        self.dataset, self.image, self.findings = file.dataset, image, findings
        self.kind = _kind_of(self.dataset, threshold, findings.file)
        self.names = read_segments(self.dataset, findings)
        self.references = references_of_segmentation(self.dataset)
        self.same_slices = image is not None and check_references(self.references, image, findings)
        size = int(number(self.dataset, "Rows", 0)), int(number(self.dataset, "Columns", 0))
        fitting = image if image is not None and image.grid.shape[1:] == size else None
        self.frames = read_frames(self.dataset, list(self.names), fitting)
        _check_count(self.dataset, self.frames, findings)
        claim = PixelClaim(
            rows=size[0],
            columns=size[1],
            frames=len(self.frames.segments),
            bits=int(number(self.dataset, "BitsAllocated", 0)),
        )
        self.pixels = SegPixels(file, claim, findings.file)
        self.planes = planes_of_frames(self.frames, size, findings, has_image=image is not None)

    def masks(self) -> Masks:
        """Return the masks on the grid of the image, or on their own."""
        pieces, lost = self._pieces()
        own = Masks(
            masks=[replace(mask, notes=self._notes(mask)) for mask in self._assembled(pieces, lost)],
            grid=self.planes.grid,
            findings=self.findings,
            referenced_series_uid=self._series(),
            frame_of_reference_uid=self.references.frame_of_reference,
            source=self.findings.file,
        )
        return own if self.image is None else on_image(own, self.image, self.findings, same_slices=self.same_slices)

    def _pieces(self) -> tuple[Pieces, Mapping[int, int]]:
        """Return what is set, by segment number, and how many frames of each segment could not be used."""
        pieces: Pieces = defaultdict(list)
        lost: dict[int, int] = defaultdict(int)
        for segment, piece in self._set_pixels():
            if piece.slice_index < 0 or segment == 0:
                lost[segment] += 1
            else:
                pieces[segment].append(piece)
        for index in self.pixels.damaged:
            lost[-1 if self.kind.name == "LABELMAP" else int(self.frames.segments[index])] += 1
        if lost.get(-1):
            raise InputError(
                self.findings.file,
                f"{lost[-1]} frames of a label map that cannot be read",
                "whole frames",
                "export it again",
            )
        return pieces, lost

    def _set_pixels(self) -> Iterator[tuple[int, Piece]]:
        """Hand out what is set on each frame: segment number, and pixels."""
        if self.kind.name != "LABELMAP":
            for index, (row, column, inside) in self.pixels.crops(self.kind.limit):
                piece = Piece(int(self.planes.slice_of[index]), row, column, inside)
                yield int(self.frames.segments[index]), piece
            return
        for index, plane in self.pixels.planes():
            for label, box in zip(*label_boxes(plane[None]), strict=True):
                (_, row, column), (_, last_row, last_column) = box.tolist()
                inside = plane[row:last_row, column:last_column] == label
                yield int(label), Piece(int(self.planes.slice_of[index]), row, column, inside)

    def _assembled(self, pieces: Pieces, lost: Mapping[int, int]) -> Iterator[LesionMask]:
        """Hand out the masks of all segments that are whole, in the order of their description."""
        for name in self._all_names(pieces, lost):
            if lost.get(name.number):
                self._tell_incomplete(name, lost[name.number])
                pieces.pop(name.number, None)
        if lost.get(0):
            self._tell_nameless(lost[0])
        whole = [name for name in self._all_names(pieces, lost) if not lost.get(name.number)]
        yield from assembled(whole, pieces, self.findings)

    def _all_names(self, pieces: Pieces, lost: Mapping[int, int]) -> Iterable[StructureName]:
        found = sorted({*pieces, *lost} - {*self.names, 0})
        return [*self.names.values(), *(StructureName(number=segment) for segment in found)]

    def _notes(self, mask: LesionMask) -> tuple[str, ...]:
        unknown = () if mask.name.number in self.names else ("its segment number is not described in the file",)
        fraction = (self.kind.note,) if self.kind.note and mask.voxels.size else ()
        return (*mask.notes, *unknown, *fraction)

    def _series(self) -> str:
        ours = self.image.series_instance_uid if self.image is not None else ""
        return ours if ours and ours in self.references.series else next(iter(self.references.series), "")

    def _tell_incomplete(self, name: StructureName, frames: int) -> None:
        self.findings.tell(
            "segment_incomplete",
            "error",
            f"{frames} frames of segment {name.number} '{name.label}' are damaged or lie nowhere; it was not measured.",
            lesion=name.label,
            found=f"{frames} unusable frames",
            expected="all frames whole, with a position",
            remedy=_REMEDY,
        )

    def _tell_nameless(self, frames: int) -> None:
        self.findings.tell(
            "frames_without_segment",
            "error",
            f"{frames} frames do not say to which segment they belong; they were not used.",
            found=f"{frames} frames",
            expected="a segment number for each frame",
            remedy=_REMEDY,
        )


def _kind_of(dataset: Dataset, threshold: float, where: str) -> _Kind:
    name, bits = text(dataset, "SegmentationType").upper(), number(dataset, "BitsAllocated")
    if name == "LABELMAP" or text(dataset, "SOPClassUID") == LABELMAP_CLASS:
        return _Kind("LABELMAP", 1)
    if name == "BINARY" or (not name and bits == 1):
        return _Kind("BINARY", 1)
    if name != "FRACTIONAL":
        raise InputError(where, f"the segmentation type '{name}'", "BINARY, FRACTIONAL or LABELMAP")
    largest = number(dataset, "MaximumFractionalValue", _LARGEST_FRACTION)
    meaning = text(dataset, "SegmentationFractionalType").lower() or "fraction"
    limit = max(1, ceil(threshold * largest))
    return _Kind("FRACTIONAL", limit, f"voxels whose {meaning} is {threshold * 100:g} % or more were counted")


def _check_count(dataset: Dataset, frames: FrameTable, findings: FindingList) -> None:
    """Tell where the number of frames is not what it says; frames without description cannot be used."""
    claimed, described = number(dataset, "NumberOfFrames", 1), len(frames.segments)
    if described == 1 < claimed and not items(dataset, "PerFrameFunctionalGroupsSequence"):
        found = f"{claimed:.0f} frames without description"
        raise InputError(findings.file, found, "functional groups for each frame", "export it again")
    if claimed != described:
        findings.tell(
            "frame_count",
            "error" if claimed > described else "warning",
            f"The file claims {claimed:.0f} frames and describes {described}; those described were used.",
            found=f"{claimed:.0f}",
            expected=str(described),
            remedy="Export the segmentation again.",
        )
    taken = int(np.count_nonzero(frames.from_image))
    if taken:
        findings.tell(
            "position_from_image",
            "info",
            f"{taken} frames have no position; they were placed on the images that they name.",
        )
