"""Lesions of the liver measured by their enhancing tissue: which they are, what each adds, and when it is gone.

What is measured of the tissue is a `Measure`: the longest diameter (mRECIST), the area (EASL) or the volume (qEASL). An
intrahepatic target is followed by it if it was measured at baseline; any other target as the criterion says.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import Burden, LesionClass
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of, lesions_with
from response.criteria.sums import Part, counting_lengths, put
from response.lineage import fragment_roots
from response.measurements import Measurements
from response.timeline import NO_ROW, Block
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
    viable, state = measure(burden.block.timeline.measurements, burden.block.row[tracks]), burden.state[tracks]
    known = viable != NO_NUMBER
    state = put(
        state, _only_viable(burden.block, tracks, is_one_of(state, (State.NOT_EVALUABLE,)) & known), State.MEASURED
    )
    state = put(state, is_one_of(state, (State.MEASURED, State.EQUIVOCAL)) & ~known, State.NOT_EVALUABLE)
    state = put(state, is_one_of(state, _VIABLE) & (viable == 0), State.ABSENT)
    value = np.where(known, viable, too_small) * is_one_of(state, _VIABLE)
    return Part(tracks=tracks, state=state, value=value)


def _only_viable(block: Block, tracks: NDArray[np.intp], where: Flags) -> Flags:
    """Return where nothing else was measured of lesions that are not evaluable, and nothing says that they are not."""
    some = lesions_with(where)
    if not len(some):
        return where
    written = block.lesion(block.timeline.measurements.code("state"), State.BLANK, tracks[some])
    unsized = counting_lengths(block, tracks[some]) == NO_NUMBER
    found = np.zeros_like(where)
    found[some] = where[some] & unsized & is_one_of(written, (State.BLANK, State.MEASURED))
    return found


def bare_non_targets(burden: Burden, liver: Flags, measure: Measure) -> Part:
    """Return the intrahepatic non-targets: one without enhancing tissue is gone."""
    tracks = np.flatnonzero(liver & is_one_of(burden.classes, (LesionClass.NON_TARGET,)))
    state, viable = burden.state[tracks], measure(burden.block.timeline.measurements, burden.block.row[tracks])
    bare = (viable == 0) & is_one_of(state, SEEN)
    return Part(tracks=tracks, state=put(state, bare, State.ABSENT), value=np.zeros(state.shape, np.int64))
