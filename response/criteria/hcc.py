"""What the criteria of hepatocellular carcinoma share: enhancing tissue, portal nodes, new nodules, fluid.

Source: Lencioni & Llovet, Semin Liver Dis 2010;30:52-60, doi:10.1055/s-0030-1247132; Llovet & Lencioni, J Hepatol
2020;72:288-306. Confirmed in public reviews: enhancing tissue alone is measured, and response means its disappearance
(tables in PMC6287184 and PMC3094725); nodes count from 2 cm, fluid needs proof by cytology or pathology, and a nodule
without the typical pattern does not count until it has grown or shows it (Forner and others on radiologic response in
HCC, pparpathway.com). Not found in them, and so to be checked against the paper: 10 mm as the size of a new nodule and
as its growth (`HCC_NODULE_UM`, `HCC_GROWTH_UM`).
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import Burden, LesionClass, running
from response.criteria.rules import Flags
from response.criteria.sites import by_site
from response.criteria.some_lesions import is_one_of, lesions_with, with_tracks
from response.criteria.sums import (
    NEW,
    counting_lengths,
)
from response.criteria.viable import SEEN, viable_mm, with_bare_non_targets
from response.readings import PATHOLOGICAL_NODE_UM
from response.vocabulary import Cytology, LesionType, State, VascularPattern, folded, organ_of

HCC_NODULE_UM: Final = 10_000  # smallest new nodule that can be called HCC, with the typical pattern
HCC_GROWTH_UM: Final = 10_000  # growth that makes a nodule without the typical pattern HCC
PORTAL_NODE_UM: Final = 20_000  # short axis from which a node of the porta hepatis is malignant
_PORTAL: Final = re.compile(r"\b(porta hepatis|hepatic hilum|liver hilum|periportal|hepatoduodenal|portacaval)\b")
_FLUID: Final = (LesionType.EFFUSION, LesionType.ASCITES)
_NOT_TARGETS: Final = (LesionClass.NON_TARGET, *NEW)


def intrahepatic(block: Block) -> Flags:
    """Return the lesions of the liver itself, `[track]`."""
    nodal = block.timeline.tracks.nodal[block.track_slice]
    return block.once("intrahepatic", lambda: by_site(block, lambda text: organ_of(text) == "liver") & ~nodal)


def portal_nodes(burden: Burden, lesion: LesionClass) -> NDArray[np.intp]:
    """Return the nodes of the porta hepatis of a class, as places of tracks."""
    nodes = is_one_of(burden.classes, (lesion,))
    return np.flatnonzero(by_site(burden.block, lambda text: bool(_PORTAL.search(folded(text)))) & nodes)


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
    block, state = burden.block, with_bare_non_targets(burden, liver, viable_mm)
    new, any_pattern = is_one_of(burden.classes, NEW), unknown_is_typical
    if new.any():
        tracks = portal_nodes(burden, LesionClass.NEW_NODE)
        state = with_tracks(state, tracks, _portal(block, tracks, state[tracks]))
        tracks = np.flatnonzero(new & liver)
        state = with_tracks(state, tracks, _nodules(block, tracks, state[tracks], unknown_is_typical=any_pattern))
    if "lesion_type" not in block.timeline.measurements.codes:
        return state
    tracks = _fluids(block, np.flatnonzero(is_one_of(burden.classes, _NOT_TARGETS)))
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
    seen = is_one_of(state, SEEN)
    hcc = running(np.logical_or, seen & (typical | (known & (length - smallest >= HCC_GROWTH_UM))))
    return np.where(seen, np.where(hcc, np.int8(State.PRESENT), np.int8(State.EQUIVOCAL)), state)


def _fluids(block: Block, tracks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return those of some lesions that are fluid at some timepoint."""
    kind = block.lesion(block.timeline.measurements.code("lesion_type"), LesionType.BLANK, tracks)
    return tracks[lesions_with(is_one_of(kind, _FLUID))]


def _fluid(block: Block, tracks: NDArray[np.intp], state: NDArray[np.int8], new: Flags) -> NDArray[np.int8]:
    """Return the states of fluid, new or a non-target."""
    proof = block.lesion(block.timeline.measurements.code("cytology"), Cytology.BLANK, tracks)
    worse = (state == State.UNEQUIVOCAL_PROGRESSION) | (new & is_one_of(state, (State.PRESENT, State.EQUIVOCAL)))
    worse &= proof != Cytology.POSITIVE
    state = np.where(worse, np.int8(State.EQUIVOCAL), state)
    return np.where(worse & new & (proof == Cytology.NEGATIVE), np.int8(State.RESOLVED), state)
