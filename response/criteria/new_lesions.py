"""Options that decide what a finding at a new site is: node size and FDG-PET (RECIST 1.1, section 4.3.5)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_ROW
from response.criteria.burden import LesionClass
from response.readings import PATHOLOGICAL_NODE_UM
from response.vocabulary import PetCorrelate, PetResult, State, folded

NODE_GROWTH_UM: Final = 5_000  # growth that PCWG3 asks of a node that was below 10 mm
_PET_CT: Final = frozenset(("pet ct", "fdg pet ct"))
_PET: Final = _PET_CT | {"pet", "fdg pet", "pt"}


def new_lesion_states(
    block: Block, classes: NDArray[np.uint8], *, new_node_rule: str, use_pet: bool
) -> NDArray[np.int8] | None:
    """Return the states of a block with the options applied; None where they change nothing.

    Parameters
    ----------
    block, classes
        The block and the `LesionClass` of its tracks.
    new_node_rule
        `equivocal_10_15`, `literal_10` or `pcwg3_like`.
    use_pet
        Whether FDG-PET findings count.
    """
    state = block.spot_values(block.timeline.state, State.UNKNOWN)
    nodes = np.flatnonzero(classes == LesionClass.NEW_NODE)
    pet = _pet_rows(block)
    changes_nodes = bool(len(nodes)) and new_node_rule != "equivocal_10_15"
    if not changes_nodes and pet is None:
        return None
    state = state.copy()
    if changes_nodes:
        for track in nodes.tolist():
            _judge_node(block, track, state[track], new_node_rule)
    if pet is not None:
        new = np.isin(classes, (LesionClass.NEW, LesionClass.NEW_NODE)) & pet.any(axis=1)
        written = block.lesion(block.timeline.measurements.code("state"), State.BLANK)
        for track in np.flatnonzero(new).tolist():
            unsaid = written[track] == State.BLANK
            _judge_pet(block, track, state[track], pet[track], unsaid, use_pet=use_pet)
    return state


def _judge_pet(
    block: Block,
    track: int,
    state: NDArray[np.int8],
    pet: NDArray[np.bool_],
    unsaid: NDArray[np.bool_],
    *,
    use_pet: bool,
) -> None:
    """Judge the FDG-PET findings of one lesion; where PET does not count they are as if they had no row.

    A finding with no state written (`unsaid`) is positive: that is why it has a row.

    A lesion that was nothing but an ignored finding, or a known site, is not missing where it has no row.
    """
    last = State.UNKNOWN
    for place in range(len(state)):
        positive = state[place] in (State.PRESENT, State.BORDERLINE_NODE) or (
            state[place] == State.NOT_EVALUABLE and unsaid[place]
        )
        if pet[place] and not use_pet:
            state[place] = State.MISSING
        elif pet[place] and positive:
            state[place] = _pet_state(block, track, place)
        if state[place] == State.MISSING and last in (State.UNKNOWN, State.RESOLVED):
            state[place] = last
        elif state[place] != State.MISSING:
            last = State(int(state[place]))


def _judge_node(block: Block, track: int, state: NDArray[np.int8], rule: str) -> None:
    if rule == "literal_10":
        state[state == State.BORDERLINE_NODE] = State.PRESENT
        return
    smallest = PATHOLOGICAL_NODE_UM  # a node that nobody measured before was below 10 mm
    for place, row in enumerate(block.row[track].tolist()):
        length = _length(block, row)
        if length < 0:
            continue
        grown = length >= PATHOLOGICAL_NODE_UM and length - smallest >= NODE_GROWTH_UM
        if state[place] in (State.BORDERLINE_NODE, State.PRESENT):
            state[place] = State.PRESENT if grown else State.EQUIVOCAL
        smallest = min(smallest, length)


def _length(block: Block, row: int) -> int:
    if row == NO_ROW:
        return -1
    measured = block.timeline.measurements
    lengths = [measured.numbers[name][row] for name in ("short_mm", "diameter_mm") if name in measured.numbers]
    return max((int(length) for length in lengths), default=-1)


def _pet_rows(block: Block) -> NDArray[np.bool_] | None:
    """Return which spots are FDG-PET findings; None where the table has none."""
    measured = block.timeline.measurements
    modality = measured.text_column("modality")
    is_pet = np.asarray([folded(text) in _PET for text in modality.values], np.bool_)
    if not is_pet.any():
        return None
    # what was measured on PET-CT is a finding of its CT
    with_ct = np.asarray([folded(text) in _PET_CT for text in modality.values], np.bool_)[modality.codes]
    lengths = [measured.number(name) > 0 for name in ("longest_mm", "short_mm", "diameter_mm")]
    return block.lesion(is_pet[modality.codes] & ~(with_ct & np.logical_or.reduce(lengths)), fill=False)


def has_pet_row(block: Block) -> NDArray[np.bool_]:
    """Return where an FDG-PET finding has a row, whatever CT shows of it; `[series, timepoint]`."""
    pet = _pet_rows(block)
    return np.zeros(block.shape, np.bool_) if pet is None else block.reduce(np.logical_or, pet, np.bool_)


def _pet_state(block: Block, track: int, place: int) -> State:
    correlate = PetCorrelate(int(block.timeline.measurements.code("ct_correlate")[block.row[track, place]]))
    if baseline_pet(block)[block.series_of_track[track], 0] == PetResult.NEGATIVE or correlate == PetCorrelate.NEW:
        return State.PRESENT
    if correlate in (PetCorrelate.KNOWN_STABLE, PetCorrelate.KNOWN_PROGRESSING):
        return State.RESOLVED  # a known site: what CT shows of it decides
    return State.EQUIVOCAL  # to be settled by further CT; dated back to the PET if CT then confirms it


def visit_codes(block: Block, name: str) -> NDArray[np.int8]:
    """Return a coded column of the visit table, 0 where there is none; `[series, timepoint]`."""
    return block.once(f"visit_codes:{name}", lambda: _visit_codes(block, name))


def _visit_codes(block: Block, name: str) -> NDArray[np.int8]:
    visits = block.timeline.measurements.visits
    if visits is None or not len(visits):
        return np.zeros(block.shape, np.int8)
    rows = block.cell_values(block.timeline.visits.visit_row, NO_ROW)
    codes: NDArray[np.int8] = visits.code(name).take(np.maximum(rows, 0))
    np.copyto(codes, 0, where=rows == NO_ROW)
    return codes


def baseline_pet(block: Block) -> NDArray[np.int8]:
    """Return the `PetResult` of the baseline, `[series, 1]`."""
    at = np.maximum(block.baseline, 0).astype(np.int64)
    return np.take_along_axis(visit_codes(block, "pet"), at, axis=1)
