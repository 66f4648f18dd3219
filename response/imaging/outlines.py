"""Outlines that a person drew (RTSTRUCT), as contours: which polygons are parts, and which are holes in them.

A polygon within another is a hole, one within a hole is a part again (even-odd rule, DICOM PS3.3, C.8.8.6.3).
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from response.imaging.contours import Contour, of_polygons
from response.imaging.grid import Floats
from response.imaging.sides import Bools, Ints

_VERTICES_LOOKED_AT: Final = 100


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
        different = np.unique(vertices[:, 0] + 1j * vertices[:, 1])
        key = different.tobytes()
        if len(different) >= 3 and key not in seen:
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
    around = [
        [other for other in others if _is_within(polygons[one], polygons[other])]
        for one, others in enumerate(_boxes_around(polygons))
    ]
    parts = {one: [one] for one, outer in enumerate(around) if len(outer) % 2 == 0}
    for one, outer in enumerate(around):
        whole = [other for other in outer if other in parts]
        if one not in parts and whole:
            parts[max(whole, key=lambda other: len(around[other]))].append(one)  # the innermost one around it
        elif one not in parts:  # outlines that cross one another
            parts[one] = [one]
    ordered = [polygons[which] for part in parts.values() for which in part]
    sizes = [sum(len(polygons[which]) for which in part) for part in parts.values()]
    return of_polygons(ordered), np.repeat(np.arange(1, len(parts) + 1), sizes)


def polygons_of(contour: Contour) -> list[Floats]:
    """Return the polygons that a contour of outlines was made of."""
    return np.split(contour.points, np.flatnonzero(np.diff(contour.loops)) + 1)


def _boxes_around(polygons: Sequence[Floats]) -> Iterator[list[int]]:
    """Yield for each polygon which others have a box around its own."""
    low = np.array([polygon.min(axis=0) for polygon in polygons])
    high = np.array([polygon.max(axis=0) for polygon in polygons])
    for one in range(len(polygons)):
        around = ((low <= low[one]) & (high >= high[one])).all(axis=1)
        around[one] = False
        yield np.flatnonzero(around).tolist()


def _is_within(one: Floats, other: Floats) -> bool:
    """Whether one polygon lies within another: most of its vertices do."""
    some = one[:: -(-len(one) // _VERTICES_LOOKED_AT)]
    return bool(2 * np.count_nonzero(holds(of_polygons([other]), some)) > len(some))


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
