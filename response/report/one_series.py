"""One series of an assessment as an assessment of its own: what is told of it is made as for a whole trial."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Final, TypeVar

import numpy as np

from response.criteria.criterion import State
from response.engine import Assessment
from response.result import Result
from response.timeline import Series, Timeline, Tracks, Visits

T = TypeVar("T", Series, Visits, Tracks)
_SHARED: Final = ("subjects", "evaluators", "labels", "lesions")  # distinct texts, which the arrays point into


def one_series(assessment: Assessment, series: int) -> Assessment:
    """Return the part of an assessment that is about one series."""
    timeline = assessment.timeline
    cells = timeline.cells(series)
    results = {name: _result_of(result, cells, series) for name, result in assessment.results.items()}
    return Assessment(_timeline_of(timeline, series), results, assessment.protocol)


def states_of(assessment: Assessment) -> Mapping[str, State]:
    """Return what the rules of each criterion asked, made again for the whole assessment as one block."""
    block = assessment.timeline.block(0, len(assessment.timeline.series))
    states: dict[str, State] = {}
    for name, result in assessment.results.items():
        state = result.criterion.state(block, result.options, states)
        states[name] = state
        result.criterion.answer(state, result.options)
    return states


def _timeline_of(timeline: Timeline, series: int) -> Timeline:
    cells = timeline.cells(series)
    tracks = slice(int(timeline.track_start[series]), int(timeline.track_start[series + 1]))
    spots = slice(int(timeline.spot_start[tracks.start]), int(timeline.spot_start[tracks.stop]))
    own_tracks = _cut(timeline.tracks, tracks)
    parent = np.where(own_tracks.parent < 0, own_tracks.parent, own_tracks.parent - tracks.start)
    return replace(
        timeline,
        series=_cut(timeline.series, slice(series, series + 1)),
        visits=_cut(timeline.visits, cells),
        tracks=replace(own_tracks, parent=parent.astype(own_tracks.parent.dtype)),
        cell_start=np.asarray([0, cells.stop - cells.start], np.int64),
        track_start=np.asarray([0, tracks.stop - tracks.start], np.int64),
        spot_start=timeline.spot_start[tracks.start : tracks.stop + 1] - spots.start,
        row=timeline.row[spots],
        state=timeline.state[spots],
        value_um=timeline.value_um[spots],
    )


def _cut(whole: T, part: slice) -> T:
    arrays = {item.name: getattr(whole, item.name)[part] for item in fields(whole) if item.name not in _SHARED}
    return replace(whole, **arrays)


def _result_of(result: Result, cells: slice, series: int) -> Result:
    return replace(
        result,
        answers={name: codes[cells] for name, codes in result.answers.items()},
        numbers={name: values[cells] for name, values in result.numbers.items()},
        flags=result.flags[cells],
        progression_date=result.progression_date[cells],
        adjudicated=result.adjudicated[cells],
        own_targets=result.own_targets[series : series + 1],
    )
