"""Edit checks of single rows: numbers that contradict the state, and what the row leaves out."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER, THOUSAND, thousandths_text
from response.checks.scene import Check, Flags, Scene
from response.findings import Finding, Severity
from response.measurability import SMALLEST_UM
from response.vocabulary import Role, State, text_of

# State -> id, severity, what happens to the number.
_CONTRADICTIONS: Final[dict[State, tuple[str, Severity, str]]] = {
    State.NOT_EVALUABLE: ("number_on_not_evaluable", "error", "the number was not used"),
    State.ABSENT: ("number_on_absent", "error", "the lesion was taken as not evaluable"),
    State.SPLIT: ("number_on_split", "warning", "the number was not used; the fragments count"),
    State.MERGED: ("number_on_merged", "warning", "the number was not used; the lesion that holds the mass counts"),
}


def numbers_against_state(scene: Scene) -> Iterator[Finding]:
    """Diameters beside a state that has none."""
    written = scene.measurements.code("state")
    if not written.any():
        return
    largest = scene.largest
    rows = np.flatnonzero(np.isin(np.arange(len(State)), list(_CONTRADICTIONS))[written])
    rows = rows[largest[rows] >= 0]
    for state, (id_, severity, what) in _CONTRADICTIONS.items():
        chosen = written[rows] == state
        if state == State.ABSENT:
            chosen &= largest[rows] > 0
        hits = scene.used(rows[chosen])

        def make(used: int, state: State = state, id_: str = id_, severity: Severity = severity,
                 what: str = what) -> Finding:  # fmt: skip
            size = f"{thousandths_text(int(largest[scene.rows[used]]))} mm"
            return scene.of_spot(
                int(scene.spots[used]),
                id_,
                severity,
                column="state",
                found=f"{text_of(state)} with {size}",
                expected=f"{text_of(state)} without a number, or a number with the state measured",
                sentence=f"The lesion is {text_of(state).replace('_', ' ')}, but has a diameter of {size}; {what}.",
                remedy="Decide whether the state or the number is right.",
            )

        yield from scene.notes(hits, make)


def large_though_too_small(scene: Scene) -> Iterator[Finding]:
    """Lesions that are too small to measure by their state, with a length that can well be measured."""
    written = scene.measurements.code("state")
    hits = scene.used(np.flatnonzero((written == State.TOO_SMALL) & (scene.lengths > SMALLEST_UM)))

    def make(used: int) -> Finding:
        size = f"{thousandths_text(int(scene.lengths[scene.rows[used]]))} mm"
        return scene.of_spot(
            int(scene.spots[used]),
            "large_though_too_small",
            "warning",
            column="state",
            found=f"too_small with {size}",
            expected=f"a lesion too small to measure of at most {SMALLEST_UM // THOUSAND} mm",
            sentence=f"The lesion is too small to measure, but counts {size}.",
            remedy="Decide whether the state or the number is right; perhaps it is in mm, and the column in cm.",
        )

    yield from scene.notes(hits, make)


def short_longer_than_longest(scene: Scene) -> Iterator[Finding]:
    """Short axes that are longer than the longest diameter."""
    numbers = scene.measurements.numbers
    if "short_mm" not in numbers or "longest_mm" not in numbers:
        return
    short, longest = numbers["short_mm"], numbers["longest_mm"]
    hits = scene.used(np.flatnonzero((longest >= 0) & (short > longest)))

    def make(used: int) -> Finding:
        row = int(scene.rows[used])
        return scene.of_spot(
            int(scene.spots[used]),
            "short_longer_than_longest",
            "warning",
            column="short_mm",
            found=f"{thousandths_text(int(short[row]))} mm, longest {thousandths_text(int(longest[row]))} mm",
            expected="a short axis of at most the longest diameter",
            sentence="The short axis is longer than the longest diameter.",
            remedy="Check both diameters; perhaps they were exchanged.",
        )

    yield from scene.notes(hits, make)


def nodes_without_short_axis(scene: Scene) -> Iterator[Finding]:
    """Nodes with only a longest diameter, which never stands in for the short axis."""
    longest = scene.measurements.numbers.get("longest_mm")
    if longest is None or not scene.timeline.tracks.nodal.any():
        return
    written = scene.measurements.code("state")
    open_state = np.isin(np.arange(len(State)), (State.BLANK, State.MEASURED))
    missing = np.flatnonzero(scene.nodal_rows & (scene.lengths == NO_NUMBER) & (longest > 0))
    missing = missing[open_state[written[missing]]]

    def make(used: int) -> Finding:
        return scene.of_spot(
            int(scene.spots[used]),
            "node_without_short_axis",
            "error",
            column="short_mm",
            found=f"longest diameter {thousandths_text(int(longest[scene.rows[used]]))} mm alone",
            expected="a short axis",
            sentence="A lymph node has no short axis; its longest diameter was not used, so it is not evaluable.",
            remedy="Add the short axis; if the number is the short axis, put it into the column short_mm.",
        )

    yield from scene.notes(scene.used(missing), make)


def progression_state_on_targets(scene: Scene) -> Iterator[Finding]:
    """Unequivocal progression written on a target, where the sum decides."""
    written = scene.measurements.code("state")
    hits = scene.used(np.flatnonzero(written == State.UNEQUIVOCAL_PROGRESSION))
    hits = hits[_is(scene, Role.TARGET, hits)]

    def make(used: int) -> Finding:
        return scene.of_spot(
            int(scene.spots[used]),
            "target_progression_state",
            "warning",
            column="state",
            found="unequivocal_progression",
            expected="measured, with the diameter",
            sentence="Unequivocal progression stands on a target; the sum of the targets decides, not this state.",
            remedy="Record the diameter; unequivocal progression is for non-targets.",
        )

    yield from scene.notes(hits, make)


def new_lesions_without_state(scene: Scene) -> Iterator[Finding]:
    """New lesions that say neither how large nor how certain they are."""
    bare = np.flatnonzero(scene.largest == NO_NUMBER)
    said = (scene.measurements.code("state")[bare] != State.BLANK) | (scene.measurements.code("trend")[bare] != 0)
    hits = scene.used(bare[~said])
    hits = hits[_is(scene, Role.NEW, hits)]

    def make(used: int) -> Finding:
        return scene.of_spot(
            int(scene.spots[used]),
            "new_lesion_without_state",
            "error",
            column="state",
            found="neither a state nor a diameter",
            expected="present (unequivocal), equivocal, resolved, or a diameter",
            sentence="A new lesion has neither a state nor a diameter; it was taken as not evaluable.",
            remedy="Say whether the lesion is present (unequivocal), equivocal or resolved.",
        )

    return scene.notes(hits, make)


def targets_without_number(scene: Scene) -> Iterator[Finding]:
    """Targets after baseline that are seen but have no number, so that they are not evaluable."""
    written = scene.measurements.code("state")
    seen = np.isin(np.arange(len(State)), (State.BLANK, State.MEASURED, State.PRESENT, State.EQUIVOCAL))
    bare = np.flatnonzero(scene.largest == NO_NUMBER)
    hits = scene.used(bare[seen[written[bare]]])
    hits = hits[_is(scene, Role.TARGET, hits) & scene.follow_up[scene.cell[hits]]]
    evaluated = scene.timeline.state[scene.spots[hits]] == State.NOT_EVALUABLE

    def make(used: int) -> Finding:
        state = text_of(State(int(written[scene.rows[used]])))
        return scene.of_spot(
            int(scene.spots[used]),
            "target_without_value",
            "error",
            column="short_mm" if scene.timeline.tracks.nodal[scene.track[used]] else "longest_mm",
            found=f"{state or 'blank'} without a number",
            expected="a diameter, 0 or absent, too_small, or not_evaluable with the reason",
            sentence="A target has a row but no number, so it is not evaluable; blank is never 0.",
            remedy="Add the diameter, or say why there is none.",
        )

    yield from scene.notes(hits[evaluated], make)


def _is(scene: Scene, role: Role, used: NDArray[Any]) -> Flags:
    """Return whether some used rows belong to a lesion of a role, `[n]`."""
    return np.asarray(scene.timeline.tracks.role[scene.track[used]] == role)


def unknown_morphology(scene: Scene) -> Iterator[Finding]:
    """Chun groups other than 1, 2 and 3."""
    column = scene.measurements.text.get("morphology")
    if column is None:
        return
    odd = np.asarray([text not in ("", "1", "2", "3") for text in column.values], np.bool_)

    def make(used: int) -> Finding:
        text = column.text(int(scene.rows[used]))
        return scene.of_spot(
            int(scene.spots[used]),
            "unusable_cell",
            "error",
            column="morphology",
            found=text,
            expected="1, 2 or 3",
            sentence=f"morphology is '{text}'; expected 1, 2 or 3. The cell was taken as blank.",
            remedy="Correct the cell in the source.",
        )

    yield from scene.notes(scene.used(np.flatnonzero(odd[column.codes])), make)


ROW_CHECKS: Final[tuple[Check, ...]] = (
    numbers_against_state,
    large_though_too_small,
    short_longer_than_longest,
    nodes_without_short_axis,
    progression_state_on_targets,
    new_lesions_without_state,
    targets_without_number,
    unknown_morphology,
)
