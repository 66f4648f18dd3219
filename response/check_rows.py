"""Edit checks of single rows: numbers that contradict the state, and what the row leaves out."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from response.cells import NO_NUMBER, thousandths_text
from response.check_scene import Check, Flags, Scene
from response.findings import Finding, Severity
from response.vocabulary import Role, State, text_of

_LENGTHS: Final = ("longest_mm", "short_mm", "diameter_mm")

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
    largest = _largest(scene)
    for state, (id_, severity, what) in _CONTRADICTIONS.items():
        numbered = largest > 0 if state == State.ABSENT else largest >= 0
        hits = np.flatnonzero(((written == state) & numbered)[scene.rows])

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


def _largest(scene: Scene) -> Any:
    columns = [scene.measurements.numbers[name] for name in _LENGTHS if name in scene.measurements.numbers]
    if not columns:
        return np.full(len(scene.measurements), NO_NUMBER, np.int32)
    largest = columns[0]
    for column in columns[1:]:
        largest = np.maximum(largest, column)
    return largest


def short_longer_than_longest(scene: Scene) -> Iterator[Finding]:
    """Short axes that are longer than the longest diameter."""
    numbers = scene.measurements.numbers
    if "short_mm" not in numbers or "longest_mm" not in numbers:
        return
    short, longest = numbers["short_mm"], numbers["longest_mm"]
    hits = np.flatnonzero(((longest >= 0) & (short > longest))[scene.rows])

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
    open_state = np.isin(written, (State.BLANK, State.MEASURED))
    missing = scene.nodal_rows & (longest > 0) & (scene.lengths == NO_NUMBER) & open_state

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

    yield from scene.notes(np.flatnonzero(missing[scene.rows]), make)


def progression_state_on_targets(scene: Scene) -> Iterator[Finding]:
    """Unequivocal progression written on a target, where the sum decides."""
    written = scene.measurements.code("state")
    if not (written == State.UNEQUIVOCAL_PROGRESSION).any():
        return
    hits = np.flatnonzero((written[scene.rows] == State.UNEQUIVOCAL_PROGRESSION) & _is(scene, Role.TARGET))

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
    bare = (scene.measurements.code("state") == State.BLANK) & (scene.measurements.code("trend") == 0)
    bare &= _largest(scene) == NO_NUMBER
    hits = np.flatnonzero(bare[scene.rows] & _is(scene, Role.NEW))

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
    seen = np.isin(written, (State.BLANK, State.MEASURED, State.PRESENT, State.EQUIVOCAL))
    bare = seen & (_largest(scene) == NO_NUMBER)
    if not bare.any():
        return
    hits = np.flatnonzero(bare[scene.rows] & _is(scene, Role.TARGET) & scene.follow_up[scene.cell])
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


def _is(scene: Scene, role: Role) -> Flags:
    """Return whether a used row belongs to a lesion of a role, `[used]`."""
    return np.asarray((scene.timeline.tracks.role == role)[scene.track])


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

    yield from scene.notes(np.flatnonzero(odd[column.codes][scene.rows]), make)


ROW_CHECKS: Final[tuple[Check, ...]] = (
    numbers_against_state,
    short_longer_than_longest,
    nodes_without_short_axis,
    progression_state_on_targets,
    new_lesions_without_state,
    targets_without_number,
    unknown_morphology,
)
