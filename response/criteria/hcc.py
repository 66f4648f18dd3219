"""What the criteria of hepatocellular carcinoma share: enhancing tissue, portal nodes, new nodules, fluid.

Source: Lencioni & Llovet, Semin Liver Dis 2010;30:52-60, doi:10.1055/s-0030-1247132; Llovet & Lencioni, J Hepatol
2020;72:288-306. Confirmed in public reviews: enhancing tissue alone is measured, and response means its disappearance
(tables in PMC6287184 and PMC3094725); nodes count from 2 cm, fluid needs proof by cytology or pathology, and a nodule
without the typical pattern does not count until it has grown or shows it (Forner and others on radiologic response in
HCC, pparpathway.com). Not found in them, and so to be checked against the paper: 10 mm as the size of a new nodule and
as its growth (`HCC_NODULE_UM`, `HCC_GROWTH_UM`).
"""

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import Burden, LesionClass, running
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of
from response.criteria.sums import NEW, Part, counting_lengths, put, with_tracks
from response.lineage import fragment_roots
from response.measurements import Measurements
from response.readings import PATHOLOGICAL_NODE_UM
from response.timeline import NO_ROW, Block
from response.vocabulary import Cytology, LesionType, State, VascularPattern, folded, organ_of

HCC_NODULE_UM: Final = 10_000  # smallest new nodule that can be called HCC, with the typical pattern
HCC_GROWTH_UM: Final = 10_000  # growth that makes a nodule without the typical pattern HCC
PORTAL_NODE_UM: Final = 20_000  # short axis from which a node of the porta hepatis is malignant
_PORTAL: Final = re.compile(r"\b(porta hepatis|hepatic hilum|liver hilum|periportal|hepatoduodenal|portacaval)\b")
_FLUID: Final = (LesionType.EFFUSION, LesionType.ASCITES)
_SEEN: Final = (State.MEASURED, State.PRESENT, State.EQUIVOCAL, State.TOO_SMALL, State.BORDERLINE_NODE)
_VIABLE: Final = (State.MEASURED, State.EQUIVOCAL, State.TOO_SMALL)  # enhancing tissue counts, where there is some
_NOT_TARGETS: Final = (LesionClass.NON_TARGET, *NEW)

# What a row measures of enhancing tissue, by rows of the table (`NO_ROW` for none): `NO_NUMBER` where nothing.
Measure = Callable[[Measurements, NDArray[Any]], NDArray[np.int64]]


def number_of_rows(measured: Measurements, name: str, rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return a number column at some rows, in their shape; `NO_NUMBER` at no row."""
    found = measured.numbers_of(name, rows).astype(np.int64)
    np.copyto(found, NO_NUMBER, where=rows == NO_ROW)
    return found


def viable_mm(measured: Measurements, rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the longest diameter of the enhancing tissue, whole micrometres."""
    return number_of_rows(measured, "viable_mm", rows)


# --- Which lesions


def _by_site(block: Block, test: Any) -> Flags:
    """Return the tracks whose organ, or location, passes a test where they were first seen; `[track]`."""
    first = block.timeline.tracks.first[block.track_slice]
    rows = block.row[np.arange(len(first)), first]
    found = np.zeros(len(rows), np.bool_)
    for name in ("organ", "location"):
        column = block.timeline.measurements.text_column(name)
        found |= np.asarray([test(text) for text in column.values], np.bool_)[column.codes.take(rows)]
    return found


def intrahepatic(block: Block) -> Flags:
    """Return the lesions of the liver itself, `[track]`."""
    nodal = block.timeline.tracks.nodal[block.track_slice]
    return np.asarray(_by_site(block, lambda text: organ_of(text) == "liver") & ~nodal)


def portal_nodes(block: Block) -> Flags:
    """Return the nodes of the porta hepatis, `[track]`."""
    nodal = block.timeline.tracks.nodal[block.track_slice]
    return np.asarray(_by_site(block, lambda text: bool(_PORTAL.search(folded(text)))) & nodal)


def measured_by_enhancement(block: Block, liver: Flags, measure: Measure) -> Flags:
    """Return the liver lesions whose enhancing tissue was measured at baseline, and their fragments; `[track]`."""
    chosen = (measure(block.timeline.measurements, block.baseline_row) != NO_NUMBER) & liver
    tracks, part = block.timeline.tracks, block.track_slice
    if not tracks.fragment[part].any():
        return chosen
    root = fragment_roots(tracks.parent, tracks.fragment)[part] - part.start
    return np.asarray(chosen[root])


# --- States and values of lesions by their enhancing tissue


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
    block, measured = burden.block, burden.block.timeline.measurements
    state, viable = burden.state[tracks], measure(measured, block.row[tracks])
    known = viable != NO_NUMBER
    written = block.lesion(measured.code("state"), State.BLANK, tracks)
    unwritten = is_one_of(written, (State.BLANK, State.MEASURED)) & (block.row[tracks] != NO_ROW)
    unsized = counting_lengths(block, tracks) == NO_NUMBER
    only = is_one_of(state, (State.NOT_EVALUABLE,)) & unwritten & unsized & known
    seen = is_one_of(state, _VIABLE) | only
    lost = seen & ~known & ~is_one_of(state, (State.TOO_SMALL,))
    for where, to in ((only, State.MEASURED), (lost, State.NOT_EVALUABLE), (seen & (viable == 0), State.ABSENT)):
        state = put(state, where, to)
    value = np.where(is_one_of(state, _VIABLE), np.where(known, viable, too_small), 0)
    return Part(tracks=tracks, state=state, value=value)


def without_enhancement(burden: Burden, liver: Flags, measure: Measure) -> NDArray[np.int8]:
    """Return the states of a block, in which an intrahepatic non-target without enhancing tissue is gone."""
    tracks = np.flatnonzero(liver & (burden.classes == int(LesionClass.NON_TARGET)))
    viable = measure(burden.block.timeline.measurements, burden.block.row[tracks])
    bare = (viable == 0) & is_one_of(burden.state[tracks], _SEEN)
    return with_tracks(burden.state, tracks, np.where(bare, np.int8(State.ABSENT), burden.state[tracks]))


def hcc_states(burden: Burden, liver: Flags, *, unknown_is_typical: bool) -> NDArray[np.int8]:
    """Return the states of a block with what HCC asks of nodes, new nodules, non-targets and fluid; `[track, time]`.

    1. An intrahepatic non-target without enhancing tissue (`viable_mm` 0) is gone.
    2. A new node of the porta hepatis is equivocal below 20 mm.
    3. A new intrahepatic nodule is HCC from 10 mm with the typical pattern, or after growth by 10 mm; else equivocal.
    4. Fluid that is new or worse is equivocal until cytology is positive, and no tumour where it is negative.

    Parameters
    ----------
    burden
        The lesions as RECIST 1.1 sees them.
    liver
        The lesions of the liver itself, `[track]`.
    unknown_is_typical
        Whether a nodule of which no pattern is recorded is taken for typical.
    """
    block, state = burden.block, without_enhancement(burden, liver, viable_mm)
    new = is_one_of(burden.classes, NEW)
    if new.any():
        tracks = np.flatnonzero(new & portal_nodes(block))
        state = with_tracks(state, tracks, _portal(block, tracks, state[tracks]))
        tracks = np.flatnonzero(new & liver)
        state = with_tracks(
            state, tracks, _nodules(block, tracks, state[tracks], unknown_is_typical=unknown_is_typical)
        )
    tracks = np.flatnonzero(is_one_of(burden.classes, _NOT_TARGETS))
    return with_tracks(state, tracks, _fluid(block, tracks, state[tracks], new[tracks, None]))


def _portal(block: Block, tracks: NDArray[np.intp], state: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the states of new nodes of the porta hepatis."""
    short = counting_lengths(block, tracks)
    small = (short >= PATHOLOGICAL_NODE_UM) & (short < PORTAL_NODE_UM) & (state == State.PRESENT)
    return np.where(small, np.int8(State.BORDERLINE_NODE), state)


def _nodules(
    block: Block, tracks: NDArray[np.intp], state: NDArray[np.int8], *, unknown_is_typical: bool
) -> NDArray[np.int8]:
    """Return the states of new intrahepatic nodules: HCC or equivocal; once it is HCC it stays that."""
    measured = block.timeline.measurements
    length = counting_lengths(block, tracks)
    pattern = block.lesion(measured.code("vascular_pattern"), VascularPattern.BLANK, tracks)
    written = block.lesion(measured.code("state"), State.BLANK, tracks)
    said = (pattern == VascularPattern.BLANK) & (unknown_is_typical | (written == State.PRESENT))
    typical = ((pattern == VascularPattern.TYPICAL) | said) & ((length >= HCC_NODULE_UM) | (length == NO_NUMBER))
    known = length != NO_NUMBER
    smallest = running(np.minimum, np.where(known, length, np.int64(2**40)))
    seen = is_one_of(state, _SEEN)
    hcc = running(np.logical_or, seen & (typical | (known & (length - smallest >= HCC_GROWTH_UM))))
    return np.where(seen, np.where(hcc, np.int8(State.PRESENT), np.int8(State.EQUIVOCAL)), state)


def _fluid(block: Block, tracks: NDArray[np.intp], state: NDArray[np.int8], new: Flags) -> NDArray[np.int8]:
    """Return the states of fluid among non-targets and new lesions."""
    measured = block.timeline.measurements
    fluid = is_one_of(block.lesion(measured.code("lesion_type"), LesionType.BLANK, tracks), _FLUID)
    if not fluid.any():
        return state
    proof = block.lesion(measured.code("cytology"), Cytology.BLANK, tracks)
    worse = (state == State.UNEQUIVOCAL_PROGRESSION) | (new & is_one_of(state, (State.PRESENT, State.EQUIVOCAL)))
    worse &= fluid.any(axis=1, keepdims=True) & (proof != Cytology.POSITIVE)
    state = np.where(worse, np.int8(State.EQUIVOCAL), state)
    return np.where(worse & new & (proof == Cytology.NEGATIVE), np.int8(State.RESOLVED), state)
