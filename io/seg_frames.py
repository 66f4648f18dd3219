"""What each frame of a segmentation is: of which segment, and where it lies in the patient.

Source: DICOM PS3.3, C.8.20.3 (segmentation macros), C.7.6.16.2.1, C.7.6.16.2.3 and C.7.6.16.2.4 (measures, position,
orientation). Values stand with the frame, or once for all; in old files at the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from response.imaging.grid import Floats, Grid
from response.imaging.volume import Volume
from response.io.dicom_values import DAMAGED
from response.io.functional_groups import Group, ParsedGroup, sequence_groups

FARTHEST_MM: Final = 10_000.0  # from the origin of the patient: no scanner reaches there
SPACINGS_MM: Final = (1e-3, 100.0)  # of pixels and slices: from microscopes on; others are in another unit
DIRECTION_TOLERANCE: Final = 0.01  # by which a direction's length or right angle may be off: rounding to two digits


@dataclass(frozen=True)
class PlaneForm:
    """How the pixels of a frame lie.

    Attributes
    ----------
    orientation
        ImageOrientationPatient: six numbers; none where it is missing or damaged.
    spacing_mm
        PixelSpacing: between rows, and between columns; none where it is missing or damaged.
    between_mm
        SpacingBetweenSlices; 0 where it is missing. Slice thickness is something else, and never used.
    """

    orientation: tuple[float, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    between_mm: float = 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class FrameTable:
    """The frames of a segmentation.

    Attributes
    ----------
    segments
        Segment number by frame; 0 where it is not said.
    positions
        Centre of the first pixel `[frame, 3]` in mm; NaN where it is not known.
    forms
        The ways in which pixels lie.
    form_of
        Index of the form by frame.
    from_image
        Frames whose position was taken from the image that they name, for they do not say it themselves.
    """

    segments: NDArray[np.int64]
    positions: Floats
    forms: Sequence[PlaneForm]
    form_of: NDArray[np.int64]
    from_image: NDArray[np.bool_]


def read_frames(dataset: Dataset, segments: Sequence[int], image: Volume | None) -> FrameTable:
    """Return what the frames are.

    Parameters
    ----------
    dataset
        The segmentation.
    segments
        Numbers of the segments that are described: where there is one only, frames need not name it.
    image
        The image, for frames that name an instance of it and no position.
    """
    shared = list(sequence_groups(dataset, "SharedFunctionalGroupsSequence"))[:1]
    frames = list(sequence_groups(dataset, "PerFrameFunctionalGroupsSequence")) or [ParsedGroup(Dataset())]
    reader = _FrameReader([*shared, ParsedGroup(dataset)], segments, _Instances(image))
    rows = [reader.row(frame) for frame in frames]
    return FrameTable(
        segments=np.asarray([row.segment for row in rows], np.int64),
        positions=np.asarray([row.position for row in rows], np.float64).reshape(-1, 3),
        forms=reader.forms,
        form_of=np.asarray([row.form for row in rows], np.int64),
        from_image=np.asarray([row.from_image for row in rows], np.bool_),
    )


@dataclass(frozen=True, slots=True)
class _Row:
    segment: int
    position: tuple[float, ...]
    form: int
    from_image: bool


_UNKNOWN: Final = (np.nan, np.nan, np.nan)


class _FrameReader:
    """Reads one frame after the other."""

    def __init__(self, common: Sequence[Group], segments: Sequence[int], instances: "_Instances") -> None:
        self._common, self._segments, self._instances = common, segments, instances
        self.forms: list[PlaneForm] = []
        self._form_index: dict[PlaneForm, int] = {}
        self._common_form = self._form_of(common)

    def row(self, frame: Group) -> _Row:
        """Return what a frame is; a damaged one is of no segment and nowhere."""
        try:
            return self._row(frame)
        except DAMAGED:
            return _Row(0, _UNKNOWN, self._index(self._common_form), False)

    def _row(self, frame: Group) -> _Row:
        places = [frame, *self._common]
        segment = _values(places, "SegmentIdentificationSequence", "ReferencedSegmentNumber")
        form, position = self._form(frame, places), _values(places, "PlanePositionSequence", "ImagePositionPatient")
        known = position if _is_sound(position, 3) and max(map(abs, position)) <= FARTHEST_MM else _UNKNOWN
        source = self._instances.slice_of(places, form) if known is _UNKNOWN else None
        if source is not None:
            known, form = self._instances.place(source, form)
        only = self._segments[0] if len(self._segments) == 1 else 0
        return _Row(int(segment[0]) if segment else only, known, self._index(form), source is not None)

    def _form(self, frame: Group, places: Sequence[Group]) -> PlaneForm:
        if frame.has("PlaneOrientationSequence") or frame.has("PixelMeasuresSequence"):
            return self._form_of(places)
        return self._common_form

    def _form_of(self, places: Sequence[Group]) -> PlaneForm:
        orientation = _values(places, "PlaneOrientationSequence", "ImageOrientationPatient")
        spacing = _values(places, "PixelMeasuresSequence", "PixelSpacing")
        between = _values(places, "PixelMeasuresSequence", "SpacingBetweenSlices")
        return PlaneForm(
            orientation=orientation if _is_orientation(orientation) else (),
            spacing_mm=spacing if _is_spacing(spacing, 2) else (),
            between_mm=between[0] if _is_spacing(between, 1) else 0.0,
        )

    def _index(self, form: PlaneForm) -> int:
        if form not in self._form_index:
            self._form_index[form] = len(self.forms)
            self.forms.append(form)
        return self._form_index[form]


def _values(places: Sequence[Group], sequence: str, keyword: str) -> tuple[float, ...]:
    """Return the values at the first place that has them: with the frame, shared by all, or at the top."""
    for place in places:
        for group in place.items(sequence)[:1]:
            if found := group.numbers(keyword):
                return found
        if found := place.numbers(keyword):
            return found
    return ()


def _is_sound(values: tuple[float, ...], count: int) -> bool:
    return len(values) == count and bool(np.isfinite(values).all())


def _is_spacing(values: tuple[float, ...], count: int) -> bool:
    return _is_sound(values, count) and SPACINGS_MM[0] <= min(values) and max(values) <= SPACINGS_MM[1]


def _is_orientation(values: tuple[float, ...]) -> bool:
    if not _is_sound(values, 6):
        return False
    row, column = np.asarray(values[:3]), np.asarray(values[3:])
    off = (row @ row - 1, column @ column - 1, row @ column)
    return bool(max(map(abs, off)) <= DIRECTION_TOLERANCE)


class _Instances:
    """The slices of the image by the instances that frames name."""

    def __init__(self, image: Volume | None) -> None:
        self._grid: Grid | None = None if image is None else image.grid
        pairs = zip(image.sop_instance_uids, image.frame_numbers, strict=False) if image is not None else ()
        self._slices = {(uid, int(frame)): index for index, (uid, frame) in enumerate(pairs) if uid}

    def slice_of(self, places: Sequence[Group], form: PlaneForm) -> int | None:
        """Return the only slice that a frame names as its source, or None; also where its pixels lie otherwise."""
        found: set[int | None] = set()
        for place in places if self._fits(form) else ():
            for derivation in place.items("DerivationImageSequence"):
                for source in derivation.items("SourceImageSequence"):
                    found.add(self._slice(source))
        return found.pop() if len(found) == 1 else None

    def _slice(self, source: Group) -> int | None:
        uid = source.text("ReferencedSOPInstanceUID")
        frames = source.numbers("ReferencedFrameNumber") or (0,)
        return self._slices.get((uid, int(frames[0])), self._slices.get((uid, 0)))

    def _fits(self, form: PlaneForm) -> bool:
        if self._grid is None or not self._slices:
            return False
        whole = self.place(0, form)[1]
        axes = np.concatenate([self._grid.along_row, self._grid.along_column])
        spacing = (self._grid.row_spacing_mm, self._grid.column_spacing_mm)
        return bool(
            np.abs(whole.orientation - axes).max() <= DIRECTION_TOLERANCE and np.allclose(whole.spacing_mm, spacing)
        )

    def place(self, index: int, form: PlaneForm) -> tuple[tuple[float, ...], PlaneForm]:
        """Return where a slice of the image lies, and its form where a frame says none."""
        assert self._grid is not None
        directions = (*self._grid.along_row, *self._grid.along_column)
        spacing = (self._grid.row_spacing_mm, self._grid.column_spacing_mm)
        whole = PlaneForm(form.orientation or directions, form.spacing_mm or spacing, form.between_mm)
        return tuple(self._grid.origins[index]), whole
