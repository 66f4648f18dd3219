"""Outlines that a person drew (RTSTRUCT), as contours: which polygons are parts, and which are holes in them.

A polygon within another is a hole, one within a hole is a part again (even-odd rule, DICOM PS3.3, C.8.8.6.3).
"""

from collections.abc import Sequence

import numpy as np

from response.imaging.contours import Contour, of_polygons
from response.imaging.grid import Floats
from response.imaging.sides import Bools, Ints


def usable(polygons: Sequence[Floats]) -> list[Floats]:
    """Return the polygons that enclose something, each once, without repeated vertices: `[vertex, 2]` each.

    Fewer than three different vertices enclose nothing. A polygon that stands there twice is taken once: by the
    even-odd rule the two would leave nothing.
    """
    seen: set[bytes] = set()
    kept = []
    for polygon in polygons:
        vertices = np.asarray(polygon, np.float64).reshape(-1, 2)
        vertices = vertices[np.isfinite(vertices).all(axis=1)]
        vertices = vertices[(vertices != np.roll(vertices, 1, axis=0)).any(axis=1)]
        key = vertices.tobytes()
        if len(np.unique(vertices, axis=0)) >= 3 and key not in seen:
            seen.add(key)
            kept.append(vertices)
    return kept


def outlined(polygons: Sequence[Floats]) -> tuple[Contour, Ints]:
    """Return the polygons of a slice as one contour, and which part each of its points belongs to.

    A part is an outer polygon with its holes, numbered from 1; each outer polygon is followed by its holes.

    Parameters
    ----------
    polygons
        Closed polygons, `[vertex, 2]` each; one that crosses another counts as outside it.
    """
    inner = np.array([[_is_within(one, other) for other in polygons] for one in polygons])
    depth = inner.sum(axis=1)
    parts = [
        [outer, *np.flatnonzero(inner[:, outer] & (depth == depth[outer] + 1)).tolist()]
        for outer in np.flatnonzero(depth % 2 == 0).tolist()
    ]
    ordered = [polygons[which] for part in parts for which in part]
    sizes = [sum(len(polygons[which]) for which in part) for part in parts]
    return of_polygons(ordered), np.repeat(np.arange(1, len(parts) + 1), sizes)


def polygons_of(contour: Contour) -> list[Floats]:
    """Return the polygons that a contour of outlines was made of."""
    return np.split(contour.points, np.flatnonzero(np.diff(contour.loops)) + 1)


def _is_within(one: Floats, other: Floats) -> bool:
    """Whether one polygon lies within another: most of its vertices do."""
    if one is other or not _boxes_nest(one, other):
        return False
    return bool(2 * np.count_nonzero(holds(of_polygons([other]), one)) > len(one))


def _boxes_nest(one: Floats, other: Floats) -> bool:
    return bool((one.min(axis=0) >= other.min(axis=0)).all() and (one.max(axis=0) <= other.max(axis=0)).all())


def holds(contour: Contour, places: Floats) -> Bools:
    """Return which places `[place, 2]` lie within a contour (even-odd rule), `[place]`.

    A place on the contour is within where the lesion lies to the right of it or below, as pixels are counted.
    """
    inside = np.zeros(len(places), np.bool_)
    start, stop = contour.points, contour.points[contour.following]
    for some in np.array_split(np.arange(len(places)), max(1, len(places) * len(start) >> 22)):
        down, across = places[some, 0, None], places[some, 1, None]
        crosses = (start[:, 0] <= down) != (stop[:, 0] <= down)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = start[:, 1] + (down - start[:, 0]) / (stop[:, 0] - start[:, 0]) * (stop[:, 1] - start[:, 1])
        inside[some] = np.count_nonzero(crosses & (at <= across), axis=1) % 2 == 1
    return inside
