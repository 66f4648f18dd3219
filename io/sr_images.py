"""Headers of the images that a report refers to, and where a point of the patient lies on them.

Source: DICOM PS3.3, C.7.6.2 (image plane), C.7.6.16.2.3 and 2.4 (planes of multi-frame images), C.18.6 (coordinates).
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from response.errors import InputError
from response.findings import Finding
from response.imaging.grid import Floats, Grid
from response.io.dicom_files import open_dicom, quiet_pydicom, read_dataset, shown
from response.io.dicom_values import items, number, numbers, text

_SOP_INSTANCE: Final = 0x00080018
_PATIENT: Final = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
_STUDY: Final = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
    "StudyDescription",
)
_TRIAL: Final = (
    *("ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID"),
    *("ClinicalTrialSiteName", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID"),
)
_IMAGE: Final = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "Rows", "Columns"),
    *("NumberOfFrames", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"),
)
_FRAMES: Final = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
COPIED: Final = (*_PATIENT, *_STUDY, *_TRIAL)  # what a report takes from the images that it is about

_UNKNOWN_THICKNESS_MM: Final = 1.0  # taken for the thickness of a slice whose header does not say it
_SAME_PLANE_MM: Final = 1e-3  # frames closer than this lie in one plane: phases of one slice
_LARGEST: Final = 0xFFFF  # rows or columns: what US can say
_ROUNDING_MM: Final = 0.1  # coordinates of a table may be rounded so much


@dataclass(frozen=True, eq=False, kw_only=True)
class ImageHeader:
    """What a report needs of one image.

    Attributes
    ----------
    dataset
        The elements that were read (`COPIED` and those of the image).
    frames
        Where each frame lies: grids of one slice; empty where the header does not say it.
    thickness_mm
        Of a slice.
    file
        For messages.
    """

    dataset: Dataset
    frames: Sequence[Grid]
    thickness_mm: float
    file: str

    def value(self, keyword: str) -> str:
        """Return an element as text, empty where there is none."""
        with quiet_pydicom():
            return text(self.dataset, keyword)

    @property
    def is_multi_frame(self) -> bool:
        """Whether a reference must name a frame."""
        return len(self.frames) > 1 or self.value("NumberOfFrames") not in ("", "0", "1")

    def frame_of(self, points: Floats) -> int | None:
        """Return the frame (from 1) on which all points lie, the nearest one; None where there is none, or two."""
        off = [float(_off_plane(frame, points).max()) for frame in self.frames]
        nearest = [place for place, distance in enumerate(off, 1) if distance <= min(off) + _SAME_PLANE_MM]
        return nearest[0] if len(nearest) == 1 and self._holds(self.frames[nearest[0] - 1], points) else None

    def on_frame(self, points: Floats, frame: int) -> Floats | None:
        """Return pixel coordinates (column, row) of points `[point, 3]`, None where one lies off the frame.

        The corner of the first pixel is (0, 0), its centre (0.5, 0.5): PS3.3, C.18.6.1.2.
        """
        if not 1 <= frame <= len(self.frames) or not self._holds(self.frames[frame - 1], points):
            return None
        return _pixels(self.frames[frame - 1], points)

    def _holds(self, frame: Grid, points: Floats) -> bool:
        pixels = _pixels(frame, points)
        inside = (pixels >= 0) & (pixels <= (frame.columns, frame.rows))
        near = _off_plane(frame, points) <= max(self.thickness_mm / 2, _ROUNDING_MM)
        return bool(np.all(near) and np.all(inside))


def _off_plane(frame: Grid, points: Floats) -> Floats:
    return np.asarray(np.abs((points - frame.origins[0]) @ frame.normal))


def _pixels(frame: Grid, points: Floats) -> Floats:
    return np.asarray(frame.in_plane(points, 0)[:, ::-1] + 0.5)


def read_headers(path: Path, wanted: Collection[str]) -> tuple[dict[str, ImageHeader], list[Finding]]:
    """Read the headers of some images.

    Parameters
    ----------
    path
        A file, or a folder of any depth. What is no DICOM is passed over.
    wanted
        SOP Instance UIDs.

    Returns
    -------
    tuple
        Headers by SOP Instance UID, and findings about files that could not be read.

    Raises
    ------
    InputError
        If there is no such file or folder.
    """
    if not path.exists():
        raise InputError(shown(path), "no such file or folder", "the images that were measured")
    headers: dict[str, ImageHeader] = {}
    findings: list[Finding] = []
    for file in _files(path):
        if len(headers) == len(wanted):
            break
        try:
            header = _header(file, wanted)
        except InputError as error:
            if error.found != "no DICOM file":
                findings.append(_unreadable(error))
            continue
        if header is not None:
            headers.setdefault(header.value("SOPInstanceUID"), header)
    return headers, findings


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            yield Path(folder) / name


def _unreadable(error: InputError) -> Finding:
    return Finding(
        id="unreadable_image",
        severity="warning",
        found=error.found,
        expected=error.expected,
        sentence="A DICOM file among the images could not be read, so nothing refers to it.",
        remedy=error.remedy or "Copy the images again.",
        file=error.where,
    )


def _header(file: Path, wanted: Collection[str]) -> ImageHeader | None:
    head = open_dicom(file, tags=["SOPInstanceUID"], last_tag=_SOP_INSTANCE).dataset
    with quiet_pydicom():
        if text(head, "SOPInstanceUID") not in wanted:
            return None
    dataset = read_dataset(file, pixels=False, tags=[*COPIED, *_IMAGE, *_FRAMES])
    with quiet_pydicom():
        frames = list(_frames(dataset))
        thickness = _thickness(dataset)
    for keyword in _FRAMES:  # as large as a small image, and no longer needed
        if keyword in dataset:
            delattr(dataset, keyword)
    return ImageHeader(dataset=dataset, frames=frames, thickness_mm=thickness, file=shown(file))


# --- where frames lie


def _frames(dataset: Dataset) -> Iterator[Grid]:
    shared = items(dataset, "SharedFunctionalGroupsSequence")
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    if not per_frame:
        grid = _grid(dataset, (dataset,))
        yield from [] if grid is None else [grid]
        return
    grids = [_grid(dataset, (frame, *shared)) for frame in per_frame]
    if all(grid is not None for grid in grids):
        yield from (grid for grid in grids if grid is not None)


def _grid(dataset: Dataset, groups: Sequence[Dataset]) -> Grid | None:
    position = _plane(groups, "PlanePositionSequence", "ImagePositionPatient", 3)
    orientation = _plane(groups, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    spacing = _plane(groups, "PixelMeasuresSequence", "PixelSpacing", 2)
    rows, columns = number(dataset, "Rows", 0), number(dataset, "Columns", 0)
    if position is None or orientation is None or spacing is None or not (_is_size(rows) and _is_size(columns)):
        return None
    across, down = orientation[:3], orientation[3:]
    if min(spacing) <= 0 or not np.allclose([across @ across, down @ down, across @ down], [1, 1, 0], atol=1e-3):
        return None
    return Grid(
        origins=position[None],
        along_row=across,
        along_column=down,
        row_spacing_mm=float(spacing[0]),
        column_spacing_mm=float(spacing[1]),
        rows=int(rows),
        columns=int(columns),
    )


def _is_size(count: float) -> bool:
    return 1 <= count <= _LARGEST  # NaN is none


def _plane(groups: Sequence[Dataset], sequence: str, keyword: str, count: int) -> Floats | None:
    """Return an element of the plane from the first functional group that has it, else from the image itself."""
    for group in groups:
        for holder in (*items(group, sequence), group):
            found = numbers(holder, keyword)
            if len(found) == count and np.isfinite(found).all():
                return np.asarray(found)
    return None


def _thickness(dataset: Dataset) -> float:
    groups: Sequence[Dataset] = [
        *items(dataset, "SharedFunctionalGroupsSequence"),
        *items(dataset, "PerFrameFunctionalGroupsSequence")[:1],
        dataset,
    ]
    found = _plane(groups, "PixelMeasuresSequence", "SliceThickness", 1)
    return float(found[0]) if found is not None and found[0] > 0 else _UNKNOWN_THICKNESS_MM


Headers = Mapping[str, ImageHeader]
