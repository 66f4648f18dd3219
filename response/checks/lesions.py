"""Edit checks of lesions over time: who they are, whether they are all there, and how they were imaged."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import thousandths_text
from response.checks.scene import Check, Flags, Grouped, Scene
from response.findings import Finding
from response.lineage import NO_PARENT
from response.measurability import THICK_SLICE_UM, Method, methods
from response.table import TextColumn
from response.vocabulary import Role, State, folded, organ_of, text_of


def unknown_lesions(scene: Scene) -> Iterator[Finding]:
    """Targets and non-targets without a baseline row; they are never counted."""
    tracks, timeline = scene.timeline.tracks, scene.timeline
    known_role = np.isin(tracks.role, (Role.TARGET, Role.NON_TARGET))
    has_baseline = timeline.series.baseline[timeline.series_of_track] >= 0
    lost = np.flatnonzero(known_role & ~tracks.counted & has_baseline & ~tracks.at_baseline)
    if not len(lost):
        return
    late = scene.follow_up[scene.cell]
    used = np.flatnonzero(late & np.isin(scene.track, lost))
    first = used[np.unique(scene.track[used], return_index=True)[1]]
    parents = scene.measurements.text_column("parent")

    def make(used: int) -> Finding | None:
        if parents.text(int(scene.rows[used])):
            return None  # a fragment whose parent is not known is told as such
        role = text_of(Role(int(tracks.role[scene.track[used]])))
        return scene.of_spot(
            int(scene.spots[used]),
            "unknown_lesion",
            "error",
            column="lesion",
            found=f"a {role} without a row at baseline",
            expected="a lesion that was recorded at baseline",
            sentence=f"The {role.replace('_', '-')} lesion was not recorded at baseline, so it is never counted.",
            remedy="Correct the lesion id, add the baseline row, or make it a new lesion.",
        )

    yield from scene.notes(first, make)


def role_changes(scene: Scene) -> Iterator[Finding]:
    """Rows whose role is not that of the lesion at baseline; told once for each lesion."""
    tracks = scene.timeline.tracks
    roles = scene.measurements.code("role")[scene.rows]
    own = tracks.role[scene.track]
    differs = (roles != own) & (roles != 0) & (roles != Role.CANDIDATE) & (own != 0) & (own != Role.CANDIDATE)
    differs &= ~tracks.fragment[scene.track]

    def make(used: int) -> Finding:
        was, is_ = text_of(Role(int(own[used]))), text_of(Role(int(roles[used])))
        return scene.of_spot(
            int(scene.spots[used]),
            "role_change",
            "warning",
            column="role",
            found=is_,
            expected=was,
            sentence=f"The lesion was {was} and is {is_} here; a role never changes, so {was} was used.",
            remedy="Correct the role, or the lesion id.",
        )

    return scene.notes(_first_of_each(scene, np.flatnonzero(differs)), make)


def organ_changes(scene: Scene) -> Iterator[Finding]:
    """Lesions that move to another organ; told once for each lesion."""
    column = scene.measurements.text.get("organ")
    if column is None:
        return
    used = _changing(scene, _merged_codes(column, organ_of)[scene.rows])
    code = _merged_codes(column, organ_of)[scene.rows[used]]
    reference = _reference(scene, used)
    differs = (code > 0) & (code[reference] > 0) & (code != code[reference])
    reference_of = dict(zip(used.tolist(), used[reference].tolist(), strict=True))

    def make(used: int) -> Finding:
        reference = column.text(int(scene.rows[reference_of[used]]))
        found = column.text(int(scene.rows[used]))
        return scene.of_spot(
            int(scene.spots[used]),
            "organ_change",
            "warning",
            column="organ",
            found=found,
            expected=reference,
            sentence=f"The lesion was in '{reference}' and is in '{found}' here.",
            remedy="Correct the organ, or the lesion id.",
        )

    yield from scene.notes(_first_of_each(scene, used[differs]), make)


def _merged_codes(column: TextColumn, meaning: Any) -> NDArray[np.int32]:
    """Return a code for the meaning of each row's text, 0 where it is blank; `[row]`."""
    meanings = [meaning(text) if text else "" for text in column.values]
    codes = {text: code for code, text in enumerate(dict.fromkeys(["", *meanings]))}
    return np.asarray([codes[text] for text in meanings], np.int32)[column.codes]


def _changing(scene: Scene, values: NDArray[Any]) -> NDArray[Any]:
    """Return the used rows of the lesions whose value is not the same in all rows."""
    changed = np.zeros(len(values), np.bool_)
    changed[1:] = values[1:] != values[:-1]
    changed &= scene.follows
    if not changed.any():
        return np.zeros(0, np.int64)
    of_track = np.zeros(len(scene.timeline.tracks), np.bool_)
    of_track[scene.track[changed]] = True
    return np.flatnonzero(of_track[scene.track])


def _reference(scene: Scene, used: NDArray[Any]) -> NDArray[Any]:
    """Return for each of some used rows the row at baseline of its lesion, else the first; as places among them."""
    track = scene.track[used]
    heads = np.flatnonzero(np.append([True], track[1:] != track[:-1])) if len(track) else np.zeros(0, np.int64)
    lesion = np.repeat(np.arange(len(heads)), np.diff(np.append(heads, len(track))))
    baseline = scene.timeline.baseline_cell[scene.timeline.series_of_track[track]]
    at = np.flatnonzero(scene.cell[used] == baseline)
    found = heads.copy()
    found[lesion[at]] = at
    return np.asarray(found[lesion])


def _first_of_each(scene: Scene, hits: NDArray[Any]) -> NDArray[Any]:
    """Return the first of some used rows of each lesion."""
    track = scene.track[hits]
    return hits[np.flatnonzero(np.append([True], track[1:] != track[:-1]))] if len(hits) else hits


def missing_lesions(scene: Scene) -> Iterator[Finding]:
    """Known lesions without a row at a timepoint that has rows of others."""
    timeline = scene.timeline
    spots = np.flatnonzero(timeline.state == State.MISSING)
    if not len(spots):
        return
    cell, track = scene.cell_of_spot[spots], scene.track_of_spot[spots]
    expected = timeline.tracks.counted[track] & scene.follow_up[cell] & timeline.visits.done[cell]
    expected &= scene.rows_of_cell[cell] > 0
    new = timeline.tracks.role[track] == Role.NEW
    mild = new | scene.after_pd[cell]
    expected &= ~(new & scene.after_pd[cell])  # new lesions need not be followed after PD

    def make(hit: int) -> Finding:
        role = text_of(Role(int(timeline.tracks.role[track[hit]]))).replace("_", "-")
        return scene.of_spot(
            int(spots[hit]),
            "missing_lesion",
            "info" if mild[hit] else "error" if role == "target" else "warning",
            column="lesion",
            found="no row",
            expected="a row for each lesion that is known",
            sentence=f"The {role} lesion has no row at this timepoint; it was taken as not assessed, never as gone.",
            remedy="Add the measurement, or say why the lesion was not evaluable.",
        )

    yield from scene.notes(np.flatnonzero(expected), make)


def cyclic_merges(scene: Scene) -> Iterator[Finding]:
    """Lesions that merged, through others, into themselves."""
    tracks = scene.timeline.tracks
    told: set[int] = set()
    for track in np.flatnonzero((tracks.parent != NO_PARENT) & ~tracks.fragment).tolist():
        circle = _circle(tracks.parent, track)
        if not circle or told & set(circle):
            continue
        told |= set(circle)
        spots = scene.timeline.spots(track)
        merged = np.flatnonzero(scene.measurements.code("state")[scene.timeline.row[spots]] == State.MERGED)
        names = scene.lesion_names(np.asarray([*circle, track]))
        yield scene.of_spot(
            spots.start + (int(merged[0]) if len(merged) else 0),
            "cyclic_merge",
            "error",
            column="parent",
            found=names.replace(", ", " into "),
            expected="one lesion that holds the mass",
            sentence=f"The lesions {names} merged into each other in a circle; none of them holds the mass.",
            remedy="Measure the mass under one of the lesions, and merge the others into that one.",
        )


def _circle(parent: NDArray[np.int32], track: int) -> list[int]:
    """Return the lesions of the circle that a lesion is part of; none where it is in no circle."""
    way = [track]
    while (host := int(parent[way[-1]])) not in (NO_PARENT, *way):
        way.append(host)
    return way if host == track else []


# --- how it was imaged


def method_changes(scene: Scene) -> Iterator[Finding]:
    """Timepoints with another method, phase or slice thickness than before and than at baseline."""
    for name in ("modality", "phase"):
        column = scene.measurements.text.get(name)
        if column is not None and len(column.values) > 1:
            yield from _changes(scene, name, _merged_codes(column, folded)[scene.rows], _plainly)
    slices = scene.measurements.numbers.get("slice_thickness_mm")
    if slices is not None:
        yield from _changes(scene, "slice_thickness_mm", np.maximum(slices[scene.rows], 0), _markedly)


def _plainly(one: NDArray[Any], other: NDArray[Any]) -> Flags:
    return np.asarray(one != other)


def _markedly(one: NDArray[Any], other: NDArray[Any]) -> Flags:
    """Return where slices differ so that sizes may: one is above 5 mm, or twice the other."""
    larger, smaller = np.maximum(one, other), np.minimum(one, other)
    return np.asarray((larger != smaller) & ((larger > THICK_SLICE_UM) | (larger >= 4 * smaller)))


def _changes(scene: Scene, name: str, values: NDArray[Any], differ: Any) -> Iterator[Finding]:
    """Yield a finding for each timepoint where some lesion differs from its last and its first value."""
    recorded = _changing(scene, values)
    recorded = recorded[values[recorded] > 0]
    if len(recorded):
        recorded = recorded[methods(scene.measurements, scene.rows[recorded]) != Method.PET]
    value, track, cell = values[recorded].astype(np.int64), scene.track[recorded], scene.cell[recorded]
    if not len(value):
        return
    same = np.append([False], track[1:] == track[:-1])
    heads = np.flatnonzero(~same)
    first = np.repeat(heads, np.diff(np.append(heads, len(track))))
    last = np.maximum(np.arange(len(track)) - 1, 0)
    changed = same & differ(value, value[last]) & differ(value, value[first])
    hits = np.flatnonzero(changed)
    places = Grouped(cell[hits], hits)

    texts = scene.measurements.text.get(name)

    def told(place: int) -> str:
        row = int(scene.rows[recorded[place]])
        return f"{thousandths_text(int(value[place]))} mm" if texts is None else texts.text(row)

    def make(cell_: int) -> Finding:
        place = int(places.of(cell_)[0])
        now, before, lesions = told(place), told(int(last[place])), track[places.of(cell_)]
        return scene.of_cell(
            cell_,
            "method_change",
            "warning",
            column=name,
            found=now,
            expected=before,
            sentence=f"{name} is {now} for {scene.lesion_names(lesions)}, and was {before} before; sizes may not be "
            "comparable.",
            remedy="Check the entry; where it is right, judge whether the lesions can be compared.",
        )

    yield from scene.notes(np.unique(cell[hits]), make)


LESION_CHECKS: Final[tuple[Check, ...]] = (
    unknown_lesions,
    role_changes,
    organ_changes,
    missing_lesions,
    cyclic_merges,
    method_changes,
)
