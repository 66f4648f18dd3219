"""Lesions of the liver measured by their enhancing tissue: which they are, what each adds, and when it is gone.

What is measured of the tissue is a `Measure`: the longest diameter (mRECIST), the area (EASL) or the volume (qEASL). An
intrahepatic target is followed by it if it was measured at baseline; any other target as the criterion says.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block, of_tracks
from response.cells import NO_NUMBER, NO_ROW
from response.criteria.burden import Burden, LesionClass
from response.criteria.own_numbers import without_diameter
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of, put, with_tracks
from response.criteria.sums import (
    Part,
)
from response.lineage import fragment_roots
from response.measurements import Measurements
from response.vocabulary import State

SEEN: Final = (State.MEASURED, State.PRESENT, State.EQUIVOCAL, State.TOO_SMALL, State.BORDERLINE_NODE)
_VIABLE: Final = (State.MEASURED, State.EQUIVOCAL, State.TOO_SMALL)  # enhancing tissue counts, where there is some

# What a row measures of enhancing tissue, by rows of the table (`NO_ROW` for none): `NO_NUMBER` where nothing.
Measure = Callable[[Measurements, NDArray[Any]], NDArray[Any]]


def number_of_rows(measured: Measurements, name: str, rows: NDArray[Any]) -> NDArray[np.int32]:
    """Return a number column at some rows, in their shape; `NO_NUMBER` at no row."""
    if name not in measured.numbers:
        return np.full(rows.shape, NO_NUMBER, np.int32)
    found = measured.numbers[name].take(rows)
    np.copyto(found, NO_NUMBER, where=rows == NO_ROW)
    return found


def viable_mm(measured: Measurements, rows: NDArray[Any]) -> NDArray[np.int32]:
    """Return the longest diameter of the enhancing tissue, whole micrometres."""
    return number_of_rows(measured, "viable_mm", rows)


def measured_by_enhancement(block: Block, liver: Flags, measure: Measure) -> Flags:
    """Return the liver lesions whose enhancing tissue was measured at baseline, and their fragments; `[track]`."""
    chosen = (measure(block.timeline.measurements, block.baseline_row) != NO_NUMBER) & liver
    tracks, part = block.timeline.tracks, block.track_slice
    if not tracks.fragment[part].any():
        return np.asarray(chosen)
    root = fragment_roots(tracks.parent, tracks.fragment)[part] - part.start
    return np.asarray(chosen[root])


def enhancing_targets(burden: Burden, tracks: NDArray[np.intp], measure: Measure, too_small: Any) -> Part:
    """Return targets by their enhancing tissue.

    No enhancing tissue is no tumour; a lesion that was seen, but whose enhancing tissue was not measured, is not
    evaluable; one of which nothing else was measured than that is measured.

    Parameters
    ----------
    burden
        The lesions as RECIST 1.1 sees them.
    tracks
        The targets, `[target]`.
    measure
        What is measured of their enhancing tissue.
    too_small
        What one too small to measure adds, where nothing of it was measured.
    """
    viable, state = measure_of(burden.block, tracks, measure), of_tracks(burden.state, tracks)
    known = viable != NO_NUMBER
    lost = is_one_of(state, (State.NOT_EVALUABLE,)) & known
    state = put(state, without_diameter(burden.block, tracks, lost), State.MEASURED)
    state = put(state, is_one_of(state, (State.MEASURED, State.EQUIVOCAL)) & ~known, State.NOT_EVALUABLE)
    value = viable * (is_one_of(state, _VIABLE) & known)
    unsized = is_one_of(state, (State.TOO_SMALL,)) & ~known
    value = np.where(unsized, too_small, value) if unsized.any() else value
    return Part(tracks=tracks, state=put(state, is_one_of(state, _VIABLE) & (viable == 0), State.ABSENT), value=value)


def measure_of(block: Block, tracks: NDArray[np.intp], measure: Measure) -> NDArray[Any]:
    """Return what is measured of the enhancing tissue of some lesions, `[lesion, timepoint]`."""
    return measure(block.timeline.measurements, of_tracks(block.row, tracks))


def with_bare_non_targets(burden: Burden, liver: Flags, measure: Measure) -> NDArray[np.int8]:
    """Return the states of a block in which an intrahepatic non-target without enhancing tissue is gone."""
    tracks = np.flatnonzero(liver & is_one_of(burden.classes, (LesionClass.NON_TARGET,)))
    state, viable = of_tracks(burden.state, tracks), measure_of(burden.block, tracks, measure)
    return with_tracks(burden.state, tracks, put(state, (viable == 0) & is_one_of(state, SEEN), State.ABSENT))
