"""Contours of a structure set: closed planar outlines in patient coordinates.

Source: DICOM PS3.3, C.8.8.6 (ROI contours).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from response.imaging.grid import Floats
from response.io.dicom_values import DAMAGED
from response.io.functional_groups import Group, sequence_groups
from response.io.seg_frames import FARTHEST_MM

_CLOSED: Final = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR", ""})  # some writers leave the type out
_LEFT_OUT: Final = {"POINT": "points", "OPEN_PLANAR": "open contours", "OPEN_NONPLANAR": "open contours"}


@dataclass(frozen=True, eq=False)
class RoiContours:
    """The contours of one structure.

    Attributes
    ----------
    number
        ROI number.
    closed
        Closed contours, each `[vertex, 3]` in mm.
    left_out
        Number of contours that outline no area, by what they are: points, open contours.
    damaged
        Number of contours whose coordinates are not whole triples of finite numbers, or of an unknown kind.
    doubled
        Number of contours that stand twice; they are among `closed` once.
    """

    number: int
    closed: list[Floats] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    damaged: int = 0
    doubled: int = 0


def read_contours(dataset: Dataset) -> Iterator[RoiContours]:
    """Hand out the contours of each structure of a structure set."""
    for item in sequence_groups(dataset, "ROIContourSequence"):
        number = item.numbers("ReferencedROINumber")
        yield _contours_of(int(number[0]) if number and np.isfinite(number[0]) else 0, _safely(item, "ContourSequence"))


def _safely(item: Group, keyword: str) -> "Sequence[Group | None]":
    try:
        return item.items(keyword)
    except DAMAGED:
        return [None]


def _contours_of(number: int, items: Iterable[Group | None]) -> RoiContours:
    closed: dict[bytes, Floats] = {}
    left_out: dict[str, int] = {}
    damaged = doubled = 0
    for item in items:
        kind, points = ("", None) if item is None else _contour(item)
        if kind in _LEFT_OUT:
            left_out[_LEFT_OUT[kind]] = left_out.get(_LEFT_OUT[kind], 0) + 1
        elif points is None or kind not in _CLOSED:
            damaged += 1
        elif len(points) < 3:
            left_out["points"] = left_out.get("points", 0) + 1
        elif points.tobytes() in closed:
            doubled += 1
        else:
            closed[points.tobytes()] = points
    return RoiContours(number, list(closed.values()), left_out, damaged, doubled)


def _contour(item: Group) -> tuple[str, Floats | None]:
    """Return the geometric type of a contour and its vertices, or None where they are damaged."""
    try:
        kind, values = item.text("ContourGeometricType").upper(), np.asarray(item.numbers("ContourData"))
    except DAMAGED:
        return "", None
    if not len(values) or len(values) % 3 or not (np.abs(values) <= FARTHEST_MM).all():  # false for NaN
        return kind, None
    return kind, values.reshape(-1, 3)


def plane_normal(contours: Sequence[Floats]) -> Floats | None:
    """Return the unit vector at right angles to contours, upwards to the head, or None where they are no planes.

    It is that of the contour of the largest area (Newell's method); all others must lie parallel.
    """
    normals = np.stack([_area_vector(points) for points in contours])
    areas = np.linalg.norm(normals, axis=1)
    largest = int(np.argmax(areas))
    if areas[largest] <= 0:
        return None
    normal = normals[largest] / areas[largest]
    axis = int(np.argmax(np.abs(normal)))
    if np.abs(normal).max() > 1 - 1e-6:  # rounding: contours of an axial series are axial
        normal = np.eye(3)[axis]
    return np.asarray(normal if normal[axis] > 0 else -normal)


def _area_vector(points: Floats) -> Floats:
    offset = points - points[0]
    return np.asarray(np.cross(offset, np.roll(offset, -1, axis=0)).sum(axis=0) / 2)
