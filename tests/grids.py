"""Trials of all combinations of findings, built as a timeline without a table of millions of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, NO_ROW, DatePrecision
from response.measurements import Measurements
from response.timeline import Series, Timeline, Tracks, Visits
from response.vocabulary import Role, State
from tests.acceptance import iso_day, text_table

DAY_0 = (np.datetime64("2024-01-01") - np.datetime64("1970-01-01")).astype(int)
_BLANK = {"subject": "S1", "timepoint": "0", "date": iso_day(0)}


@dataclass(frozen=True)
class Kind:
    """A lesion of each subject: its role, organ, what is found at baseline, and what may be found at any timepoint.

    A finding is `absent`, `NE`, `none` (a new lesion that is not there), a number in mm, or a state of a non-target,
    perhaps with a trend: `present+`, `present-`.
    """

    role: Role
    organ: str
    baseline: str
    findings: Sequence[str]


TREND = {"+": "increased", "-": "decreased"}
STATES = {
    "absent": State.ABSENT,
    "NE": State.NOT_EVALUABLE,
    "pd": State.UNEQUIVOCAL_PROGRESSION,
    "present": State.PRESENT,
}


def all_combinations(kinds: Sequence[Kind], days: Sequence[int], first: Sequence[int] | None = None) -> Timeline:
    """Return one series for each combination of findings of some lesions at some timepoints.

    Parameters
    ----------
    kinds
        The lesions.
    days
        Study days of the timepoints after baseline.
    first
        Which combinations (places among those of one timepoint) to take at the first timepoint; all if None.

    Returns
    -------
    Timeline
        The combination at the last timepoint varies fastest.
    """
    alphabet = np.asarray(list(product(*(range(len(kind.findings)) for kind in kinds))))
    chosen = np.arange(len(alphabet)) if first is None else np.asarray(first)
    shape = (len(chosen), *[len(alphabet)] * (len(days) - 1))
    places = np.stack([axis.ravel() for axis in np.indices(shape, np.int32)], axis=1)
    places[:, 0] = chosen[places[:, 0]]
    count, cells, tracks = len(places), len(days) + 1, len(kinds)
    state = np.empty((count, tracks, cells), np.int8)
    value, row = np.zeros(state.shape, np.int32), np.full(state.shape, NO_ROW, np.int32)
    table: list[dict[str, str]] = []
    for track, kind in enumerate(kinds):
        _fill(kind, alphabet[places, track], Spots(state[:, track], value[:, track], row[:, track], table))
    return _timeline(kinds, days, Spots(state, value, row, table))


@dataclass(frozen=True)
class Spots:
    """State, value and row of one lesion of all series, `[series, timepoint]`; and the table that rows point into."""

    state: NDArray[np.int8]
    value: NDArray[np.int32]
    row: NDArray[np.int32]
    table: list[dict[str, str]]


def _fill(kind: Kind, codes: NDArray[Any], spots: Spots) -> None:
    """Fill in the spots of one lesion of all series; `codes` are its findings after baseline."""
    of_states: list[int] = []
    of_values: list[int] = []
    of_rows: list[int] = []
    for text in (*kind.findings, kind.baseline):
        word, trend = (text[:-1], TREND[text[-1]]) if text[-1:] in TREND else (text, "")
        number = word if word[:1].isdigit() else ""
        found = State.UNKNOWN if word == "none" else STATES.get(word, State.MEASURED)
        if kind.role == Role.NEW and number:
            found = State.PRESENT
        of_states.append(int(found))
        of_values.append(int(number) * 1000 if number and kind.role == Role.TARGET else 0)
        of_rows.append(NO_ROW if word == "none" else len(spots.table))
        if word != "none":
            said = "" if number else found.name.lower()
            lesion = f"{kind.role.name}-{len(spots.table)}"
            spots.table.append({**_BLANK, "lesion": lesion, "role": kind.role.name.lower(), "organ": kind.organ,
                          "longest_mm": number, "state": said, "trend": trend})  # fmt: skip
    whole: tuple[tuple[NDArray[Any], list[int]], ...] = (
        (spots.state, of_states),
        (spots.value, of_values),
        (spots.row, of_rows),
    )
    for target, values in whole:
        target[:, 0] = values[-1]
        target[:, 1:] = np.asarray(values[:-1])[codes]
    if kind.role == Role.NEW:  # one that was there and is not is gone, not unknown
        later = spots.state[:, 1:]
        seen = np.logical_or.accumulate(later != State.UNKNOWN, axis=1)
        later[seen & (later == State.UNKNOWN)] = State.ABSENT


def _timeline(kinds: Sequence[Kind], days: Sequence[int], spots: Spots) -> Timeline:
    count = len(spots.state)
    cells, tracks = len(days) + 1, len(kinds)
    whole, lesions = count * cells, count * tracks
    first_scan = np.tile(np.asarray([0, *days], np.int32) + DAY_0, count).astype(np.int32)
    nowhere = np.full(count, NO_DATE, np.int32)
    return Timeline(
        measurements=Measurements.from_table(text_table(spots.table, "grid.csv")),
        series=Series(
            subjects=[f"S{number}" for number in range(count)],
            evaluators=[""],
            subject=np.arange(count, dtype=np.int32),
            evaluator=np.zeros(count, np.int32),
            baseline=np.zeros(count, np.int32),
            accepted=np.zeros(count, np.bool_),
            subject_row=np.full(count, -1, np.int32),
            treatment_start=nowhere,
            randomisation=nowhere,
            new_therapy=nowhere,
        ),
        visits=Visits(
            labels=[str(number) for number in range(cells)],
            label=np.tile(np.arange(cells, dtype=np.int32), count),
            first_scan=first_scan,
            last_scan=first_scan,
            precision=np.full(whole, DatePrecision.DAY, np.int8),
            visit_row=np.full(whole, -1, np.int32),
            done=np.ones(whole, np.bool_),
            accepted=np.zeros(whole, np.bool_),
        ),
        tracks=Tracks(
            lesions=[kind.role.name for kind in kinds],
            lesion=np.tile(np.arange(tracks, dtype=np.int32), count),
            role=np.tile(np.asarray([kind.role for kind in kinds], np.int8), count),
            nodal=np.zeros(lesions, np.bool_),
            counted=np.ones(lesions, np.bool_),
            at_baseline=np.tile(np.asarray([kind.role != Role.NEW for kind in kinds]), count),
            first=np.zeros(lesions, np.int32),
            parent=np.full(lesions, -1, np.int32),
            fragment=np.zeros(lesions, np.bool_),
            carries=np.zeros(lesions, np.bool_),
        ),
        cell_start=np.arange(count + 1, dtype=np.int64) * cells,
        track_start=np.arange(count + 1, dtype=np.int64) * tracks,
        spot_start=np.arange(lesions + 1, dtype=np.int64) * cells,
        row=spots.row.reshape(-1),
        state=spots.state.reshape(-1),
        value_um=spots.value.reshape(-1),
    )
