"""The likely cause of a sum of diameters that differs."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from response.cells import NO_ROW
from response.checks.scene import Scene
from response.compare.matching import Match
from response.registry import STANDARD
from response.vocabulary import Role

Cause = tuple[str, str]
_NEAR_UM: Final = 50  # the rounding of a collected sum to 0.1 mm


def sum_cause(match: Match, row: int) -> Cause | None:
    """Return what was probably added up, as a stable word and a sentence; None where nothing gives the sum."""
    wanted = int(match.records.number("sum_mm")[row])
    for name, sentence, value in _sums(match.scene, int(match.cell[row])):
        if abs(value - wanted) <= _NEAR_UM:
            return name, sentence
    return None


def _sums(scene: Scene, cell: int) -> Iterator[tuple[str, str, int]]:
    """Yield the sums that usual slips give at a timepoint, in micrometres."""
    timeline = scene.timeline
    sums = scene.assessment.results[STANDARD].numbers["sum_mm"]
    total = int(sums[cell])
    yield "centimetres", "one of both is in cm", 10 * total
    yield "centimetres", "one of both is in cm", round(total / 10)
    series = int(timeline.series_of_cell[cell])
    tracks = np.arange(timeline.track_start[series], timeline.track_start[series + 1])
    spots = timeline.spot_start[tracks] + int(timeline.place[cell])
    rows = np.maximum(timeline.row[spots], 0)
    there = timeline.row[spots] != NO_ROW
    counted, role = timeline.tracks.counted[tracks], timeline.tracks.role[tracks]
    targets = counted & (role == Role.TARGET)
    value = np.where(targets, timeline.value_um[spots], 0)
    longest = np.where(there, scene.longest[rows], 0)
    nodes = targets & timeline.tracks.nodal[tracks] & (longest > 0)
    if nodes.any():
        told = "the longest diameter of a node was added, not its short axis"
        yield "longest_for_node", told, int(np.where(nodes, longest, value).sum())
    others = counted & (role == Role.NON_TARGET) & (longest > 0)
    if others.any():
        yield "non_target_in_sum", "diameters of non-targets were added", total + int(longest[others].sum())
    stray = ~counted & (role == Role.TARGET) & there
    if stray.any():
        lengths = np.maximum(scene.lengths[rows], 0)
        told = "a lesion that was not recorded at baseline was added"
        yield "unknown_lesion_in_sum", told, total + int(lengths[stray].sum())
    for track, own in zip(tracks.tolist(), value.tolist(), strict=True):
        if own:
            name = scene.lesion_names(np.asarray([track]))
            yield "lesion_left_out", f"lesion {name} was left out", total - own
    cells = timeline.cells(series)
    for other in range(cells.start, cells.stop):
        if other != cell:
            label = timeline.visits.labels[timeline.visits.label[other]]
            yield "other_timepoint", f"it is the sum of timepoint {label}", int(sums[other])
