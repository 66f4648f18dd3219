"""What the criteria of hepatocellular carcinoma share: enhancing tissue, portal nodes, new nodules, fluid.

Source: Lencioni & Llovet, Semin Liver Dis 2010;30:52-60, doi:10.1055/s-0030-1247132; Llovet & Lencioni, J Hepatol
2020;72:288-306. Confirmed in public reviews: enhancing tissue alone is measured, and response means its disappearance
(tables in PMC6287184 and PMC3094725); nodes count from 2 cm, fluid needs proof by cytology or pathology, and a nodule
without the typical pattern does not count until it has grown or shows it (Forner and others on radiologic response in
HCC, pparpathway.com). Not found in them, and so to be checked against the paper: 10 mm as the size of a new nodule and
as its growth (`HCC_NODULE_UM`, `HCC_GROWTH_UM`).
"""

import re
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import Burden, LesionClass
from response.criteria.rules import Flags
from response.criteria.sums import NEW, counting_lengths, lesion_number
from response.lineage import fragment_roots
from response.readings import PATHOLOGICAL_NODE_UM, counting_length_um
from response.timeline import NO_ROW, Block
from response.vocabulary import Cytology, LesionType, State, VascularPattern, folded, organ_of

HCC_NODULE_UM: Final = 10_000  # smallest new nodule that can be called HCC, with the typical pattern
HCC_GROWTH_UM: Final = 10_000  # growth that makes a nodule without the typical pattern HCC
PORTAL_NODE_UM: Final = 20_000  # short axis from which a node of the porta hepatis is malignant
_PORTAL: Final = re.compile(r"\b(porta hepatis|hepatic hilum|liver hilum|periportal|hepatoduodenal|portacaval)\b")
_FLUID: Final = (LesionType.EFFUSION, LesionType.ASCITES)
_SEEN: Final = (State.MEASURED, State.PRESENT, State.EQUIVOCAL, State.TOO_SMALL, State.BORDERLINE_NODE)
_NOT_TARGETS: Final = (LesionClass.NON_TARGET, *NEW)


def described_rows(block: Block) -> NDArray[np.int64]:
    """Return for each track the first row that it has, 0 where it has none; `[track]`."""
    first = (block.row != NO_ROW).argmax(axis=1)
    return np.asarray(np.maximum(block.row[np.arange(len(block.row)), first], 0), np.int64)


def _by_site(block: Block, test: Any) -> Flags:
    """Return the tracks whose organ, or location, passes a test; `[track]`."""
    rows = described_rows(block)
    if not len(rows):
        return np.zeros(0, np.bool_)
    found = np.zeros(len(rows), np.bool_)
    for name in ("organ", "location"):
        column = block.timeline.measurements.text_column(name)
        found |= np.asarray([test(text) for text in column.values], np.bool_)[column.codes[rows]]
    return found


def intrahepatic(block: Block) -> Flags:
    """Return the lesions of the liver itself, `[track]`."""
    nodal = block.timeline.tracks.nodal[block.track_slice]
    return _by_site(block, lambda text: organ_of(text) == "liver") & ~nodal


def portal_nodes(block: Block) -> Flags:
    """Return the nodes of the porta hepatis, `[track]`."""
    nodal = block.timeline.tracks.nodal[block.track_slice]
    return _by_site(block, lambda text: bool(_PORTAL.search(folded(text)))) & nodal


def measured_by_enhancement(block: Block, known: Flags) -> Flags:
    """Return the intrahepatic lesions whose enhancing tissue was measured at baseline, and their fragments; `[track]`.

    Parameters
    ----------
    block
        The block.
    known
        Whether a measure of enhancing tissue is recorded, `[track, timepoint]`.
    """
    place = np.maximum(block.per_track(block.baseline), 0).astype(np.int64)
    chosen = np.take_along_axis(known, place, axis=1)[:, 0] & intrahepatic(block)
    tracks, part = block.timeline.tracks, block.track_slice
    if not tracks.fragment[part].any():
        return chosen
    root = fragment_roots(tracks.parent, tracks.fragment)[part] - part.start
    return np.asarray(chosen[root])


def enhancing_states(block: Block, state: NDArray[np.int8], chosen: Flags, viable: NDArray[np.int64]) -> NDArray[Any]:
    """Return the states of targets that are measured by their enhancing tissue.

    No enhancing tissue is no tumour; a lesion that was seen, but whose enhancing tissue was not measured, is not
    evaluable; one of which nothing else was measured than that is measured.
    """
    written = block.lesion(block.timeline.measurements.code("state"), State.BLANK)
    unwritten = np.isin(written, (State.BLANK, State.MEASURED)) & (block.row != NO_ROW)
    longest = counting_length_um(block.timeline.measurements, np.zeros(len(block.timeline.measurements), np.bool_))
    unsized = block.lesion(longest, NO_NUMBER) == NO_NUMBER
    only = (state == State.NOT_EVALUABLE) & unwritten & unsized & (viable != NO_NUMBER)
    seen = (np.isin(state, (State.MEASURED, State.TOO_SMALL, State.EQUIVOCAL)) | only) & chosen[:, None]
    found = np.where(only & chosen[:, None], np.int8(State.MEASURED), state)
    found = np.where(seen & (viable == NO_NUMBER) & (state != State.TOO_SMALL), np.int8(State.NOT_EVALUABLE), found)
    return np.where(seen & (viable == 0), np.int8(State.ABSENT), found).astype(np.int8)


def without_enhancement(burden: Burden, viable: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the states of a block, in which an intrahepatic non-target without enhancing tissue is gone."""
    non_target = (burden.classes == LesionClass.NON_TARGET) & intrahepatic(burden.block)
    bare = non_target[:, None] & (viable == 0) & np.isin(burden.state, _SEEN)
    return np.where(bare, np.int8(State.ABSENT), burden.state).astype(np.int8)


def hcc_states(burden: Burden, *, unknown_is_typical: bool) -> NDArray[np.int8]:
    """Return the states of a block with what HCC asks of nodes, new nodules, non-targets and fluid; `[track, time]`.

    1. An intrahepatic non-target without enhancing tissue (`viable_mm` 0) is gone.
    2. A new node of the porta hepatis is equivocal below 20 mm.
    3. A new intrahepatic nodule is HCC from 10 mm with the typical pattern, or after growth by 10 mm; else equivocal.
    4. Fluid that is new or worse is equivocal until cytology is positive, and no tumour where it is negative.

    Parameters
    ----------
    burden
        The lesions as RECIST 1.1 sees them.
    unknown_is_typical
        Whether a nodule of which no pattern is recorded is taken for typical.
    """
    block, state = burden.block, without_enhancement(burden, lesion_number(burden.block, "viable_mm"))
    liver, node = intrahepatic(block), portal_nodes(block)
    tracks = np.flatnonzero(np.isin(burden.classes, NEW) & node)
    if len(tracks):
        short = counting_lengths(block, tracks)
        small = (short >= PATHOLOGICAL_NODE_UM) & (short < PORTAL_NODE_UM) & (state[tracks] == State.PRESENT)
        state[tracks] = np.where(small, np.int8(State.BORDERLINE_NODE), state[tracks])
    tracks = np.flatnonzero((burden.classes == LesionClass.NEW) & liver)
    if len(tracks):
        state[tracks] = _nodules(block, tracks, state[tracks], unknown_is_typical=unknown_is_typical)
    return _fluid(burden, state)


def _nodules(
    block: Block, tracks: NDArray[np.intp], state: NDArray[np.int8], *, unknown_is_typical: bool
) -> NDArray[np.int8]:
    """Return the states of new intrahepatic nodules: HCC or equivocal; once it is HCC it stays that."""
    measured, row = block.timeline.measurements, block.row[tracks]
    length = counting_lengths(block, tracks)
    pattern = np.where(row == NO_ROW, VascularPattern.BLANK, measured.code("vascular_pattern")[np.maximum(row, 0)])
    written = np.where(row == NO_ROW, State.BLANK, measured.code("state")[np.maximum(row, 0)])
    said = (pattern == VascularPattern.BLANK) & (unknown_is_typical | (written == State.PRESENT))
    typical = ((pattern == VascularPattern.TYPICAL) | said) & ((length >= HCC_NODULE_UM) | (length == NO_NUMBER))
    known = length != NO_NUMBER
    smallest = np.minimum.accumulate(np.where(known, length, np.int64(2**40)), axis=1)
    seen = np.isin(state, _SEEN)
    hcc = np.logical_or.accumulate(seen & (typical | (known & (length - smallest >= HCC_GROWTH_UM))), axis=1)
    return np.where(seen, np.where(hcc, np.int8(State.PRESENT), np.int8(State.EQUIVOCAL)), state).astype(np.int8)


def _fluid(burden: Burden, state: NDArray[np.int8]) -> NDArray[np.int8]:
    block = burden.block
    measured = block.timeline.measurements
    kind = measured.code("lesion_type")
    if not np.isin(kind, _FLUID).any():
        return state
    fluid = np.isin(block.lesion(kind, LesionType.BLANK), _FLUID).any(axis=1, keepdims=True)
    proof = block.lesion(measured.code("cytology"), Cytology.BLANK)
    worse = (state == State.UNEQUIVOCAL_PROGRESSION) | (
        np.isin(burden.classes, NEW)[:, None] & np.isin(state, (State.PRESENT, State.EQUIVOCAL))
    )
    worse &= fluid & np.isin(burden.classes, _NOT_TARGETS)[:, None] & (proof != Cytology.POSITIVE)
    benign = worse & (proof == Cytology.NEGATIVE) & np.isin(burden.classes, NEW)[:, None]
    state = np.where(worse, np.int8(State.EQUIVOCAL), state)
    return np.where(benign, np.int8(State.RESOLVED), state).astype(np.int8)
