"""Findings of size beside ancillary findings: where guidelines want a second look. No category depends on them.

Size alone misses response in liver metastases (ESGAR 2025) and in sarcoma after radiotherapy (Canter et al., Ann Surg
Oncol 2010;17:2578-2584: median change of diameter 0 %, median necrosis 30 %).
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.ancillary import CHANGED, Observed, observed, pathology_classes, pathology_of
from response.cells import NO_NUMBER, NO_ROW, THOUSAND, thousandths_text
from response.checks.scene import Check, Flags, Scene
from response.descriptors import ellipsoid_volumes
from response.findings import Finding
from response.suggestion import is_of_liver
from response.vocabulary import Ancillary, PathologyClass, Role, State, Trend, organ_of, text_of

LITTLE_CHANGE: Final = (1, 10)  # within a tenth of the size at baseline, up or down, limits included [P]
WHOLE: Final = THOUSAND + THOUSAND // 20  # viable and necrotic shares together; 5 % for rounding by eye [P]


def second_looks(scene: Scene) -> Iterator[Finding]:
    """Lesions of about the same size as at baseline, or larger, whose ancillary findings changed."""
    changed: dict[int, list[str]] = {}
    necrotic: set[int] = set()
    for found in observed(scene.timeline):
        places = np.flatnonzero(np.isin(found.status, CHANGED))
        for spot, status in zip(found.spot[places].tolist(), found.status[places].tolist(), strict=True):
            changed.setdefault(spot, []).append(f"{found.name} {text_of(Ancillary(status))}")
            if found.name == "necrosis" and status != Ancillary.DECREASED:
                necrotic.add(spot)
    spots = np.asarray(sorted(changed), np.int64)
    now, before = _sizes(scene, spots)
    some, all_of = LITTLE_CHANGE
    known = (now > 0) & (before > 0)
    longer = known & (all_of * (now - before) > some * before)
    larger = _grew_in_volume(scene, spots) & ~longer
    grown = (longer | larger) & np.isin(spots, list(necrotic))
    little = known & (all_of * np.abs(now - before) <= some * before) & ~grown
    as_before = _seen_as_before(scene, spots) & ~known & ~grown
    yield from scene.notes(
        spots[little | as_before], partial(_second_look, scene, changed, set(spots[little].tolist()))
    )
    yield from scene.notes(spots[grown], partial(_growth_with_necrosis, scene, changed, set(spots[larger].tolist())))


def _grew_in_volume(scene: Scene, spots: NDArray[np.int64]) -> Flags:
    """Return which lesions have more than 1.1 cubed of their volume at baseline, as measured, else of the ellipsoid."""
    if not len(spots):
        return np.zeros(0, np.bool_)
    rows, first = scene.timeline.row[spots], scene.baseline_row[scene.track_of_spot[spots]]
    some, all_of = LITTLE_CHANGE
    grew, told = np.zeros(len(spots), np.bool_), np.zeros(len(spots), np.bool_)
    for volumes in (scene.measurements.number("volume_mm3"), ellipsoid_volumes(scene.measurements)):
        now, then = (volumes[np.maximum(place, 0)].astype(np.int64) for place in (rows, first))
        known = (now > 0) & (then > 0) & (first != NO_ROW) & ~told
        grew |= known & (all_of**3 * now > (all_of + some) ** 3 * then)
        told |= known
    return grew


def _seen_as_before(scene: Scene, spots: NDArray[np.int64]) -> Flags:
    """Return which lesions are there now and at baseline, and did not change by the word of the reader; `[spot]`."""
    if not len(spots):
        return np.zeros(0, np.bool_)
    timeline = scene.timeline
    then = _states_at_baseline(scene, scene.track_of_spot[spots])
    trend = scene.measurements.code("trend")[np.maximum(timeline.row[spots], 0)]
    seen = (timeline.state[spots] == State.PRESENT) & (then == State.PRESENT)
    return np.asarray(seen & np.isin(trend, (Trend.BLANK, Trend.UNCHANGED)))


def _states_at_baseline(scene: Scene, tracks: NDArray[Any]) -> NDArray[np.int8]:
    """Return `vocabulary.State` of some lesions at baseline, or at the first timepoint where there is none."""
    timeline = scene.timeline
    place = np.maximum(timeline.series.baseline[timeline.series_of_track[tracks]], 0)
    return np.asarray(timeline.state[timeline.spot_start[tracks] + place])


def _second_look(scene: Scene, changed: dict[int, list[str]], measured: set[int], spot: int) -> Finding:
    told = ", ".join(changed[spot])
    size = "The size is within 10 % of that at baseline" if spot in measured else "The lesion is there as at baseline"
    return scene.of_spot(
        spot,
        "second_look",
        "info",
        found=told,
        expected="size and ancillary findings that change together",
        sentence=f"{size}, but other findings changed: {told}.",
        remedy="Take a second look, and consider criteria of attenuation, morphology or enhancement.",
    )


def _growth_with_necrosis(scene: Scene, changed: dict[int, list[str]], by_volume: set[int], spot: int) -> Finding:
    some, all_of = LITTLE_CHANGE
    share = 100 * ((all_of + some) ** 3 - all_of**3) // all_of**3
    how = f"more than {share} % in volume, as 10 % in diameter," if spot in by_volume else "more than 10 %"
    return scene.of_spot(
        spot,
        "growth_with_necrosis",
        "info",
        found=", ".join(changed[spot]),
        expected="growth of viable tumour where size grows",
        sentence=f"The lesion grew by {how} while necrosis increased: possibly a pseudoprogression.",
        remedy="Look at attenuation (Choi) and enhancement; the categories by size stand as they are.",
    )


def _sizes(scene: Scene, spots: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the length that counts now and at baseline, micrometres, 0 where unknown; `[spot]`."""
    if not len(spots):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    rows = scene.timeline.row[spots]
    return _lengths(scene, rows), _lengths(scene, scene.baseline_row[scene.track_of_spot[spots]])


def _lengths(scene: Scene, rows: NDArray[Any]) -> NDArray[np.int64]:
    length = scene.lengths[np.maximum(rows, 0)].astype(np.int64)
    return np.where((rows == NO_ROW) | (length == NO_NUMBER), 0, length)


def pathology_differences(scene: Scene) -> Iterator[Finding]:
    """Classes of pathology that are not those of the percentage of viable cells beside them."""
    measured = scene.measurements
    if "pathology_class" not in measured.codes or "pathology_viable_percent" not in measured.numbers:
        return
    read = measured.codes["pathology_class"][scene.rows]
    derived = pathology_classes(measured.numbers["pathology_viable_percent"])[scene.rows]
    differs: Flags = (read != PathologyClass.BLANK) & (derived != PathologyClass.BLANK) & (read != derived)

    def make(used: int) -> Finding:
        found, wanted = (text_of(PathologyClass(int(codes[used]))).upper() for codes in (read, derived))
        return scene.of_spot(
            int(scene.spots[used]),
            "pathology_class_differs",
            "warning",
            column="pathology_class",
            found=found,
            expected=wanted,
            sentence=f"pathology_class is {found}; the percentage of viable cells makes it {wanted}, which was taken.",
            remedy="Correct the class or the percentage in the source.",
        )

    yield from scene.notes(np.flatnonzero(differs), make)


def contradicting_findings(scene: Scene) -> Iterator[Finding]:
    """Words of the reader and numbers that cannot both be right; the word was taken."""
    for found in observed(scene.timeline):
        yield from scene.notes(np.flatnonzero(found.contradicts), partial(_contradiction, scene, found))


def _contradiction(scene: Scene, found: Observed, place: int) -> Finding:
    words = [text_of(Ancillary(int(word[place]))) or "blank" for word in (found.baseline_word, found.word)]
    numbers = [
        "blank" if number[place] == NO_NUMBER else thousandths_text(int(number[place]))
        for number in (found.baseline_number, found.number)
    ]
    return scene.of_spot(
        int(found.spot[place]),
        "ancillary_contradiction",
        "warning",
        column=found.kind.word,
        found=f"{found.kind.word} {' to '.join(words)}, {found.kind.number} {' to '.join(numbers)}",
        expected="a word and a number that tell the same",
        sentence=f"By the word of the reader {found.name} went from {words[0]} to {words[1]}, by the number from "
        f"{numbers[0]} to {numbers[1]}; the word was taken.",
        remedy=f"Correct {found.kind.word} or {found.kind.number} in the source, at baseline or here.",
    )


def shares_above_whole(scene: Scene) -> Iterator[Finding]:
    """Viable and necrotic shares that are more than the whole lesion together."""
    shares = [scene.measurements.number(name)[scene.rows] for name in ("viable_fraction", "necrosis_fraction")]
    known = np.all([share != NO_NUMBER for share in shares], axis=0)
    total = np.sum([np.where(known, share, 0).astype(np.int64) for share in shares], axis=0)

    def make(used: int) -> Finding:
        found = " + ".join(thousandths_text(int(share[used])) for share in shares)
        return scene.of_spot(
            int(scene.spots[used]),
            "shares_above_whole",
            "warning",
            column="viable_fraction",
            found=found,
            expected="viable_fraction and necrosis_fraction that are 1 together, or less",
            sentence=f"The viable and the necrotic share, {found}, are more than the whole lesion.",
            remedy="Correct viable_fraction or necrosis_fraction in the source.",
        )

    yield from scene.notes(np.flatnonzero(total > WHOLE), make)


# --- what criteria of morphology should know


def morphology_differs(scene: Scene) -> Iterator[Finding]:
    """Chun groups of the reader that are not the suggested ones, with what the suggestion saw."""
    columns = scene.measurements.table.columns
    if "morphology" not in scene.measurements.text or "morphology_suggested" not in columns:
        return
    read, suggested = scene.measurements.text["morphology"], columns["morphology_suggested"]
    groups = ("1", "2", "3")
    of_read, of_suggested = (
        np.asarray([groups.index(text) + 1 if text in groups else 0 for text in column.values], np.int8)[column.codes]
        for column in (read, suggested)
    )
    differs = (of_read > 0) & (of_suggested > 0) & (of_read != of_suggested)

    def make(used: int) -> Finding:
        row = int(scene.rows[used])
        votes = columns["morphology_votes"].text(row) if "morphology_votes" in columns else ""
        return scene.of_spot(
            int(scene.spots[used]),
            "morphology_differs",
            "info",
            column="morphology",
            found=read.text(row),
            expected=suggested.text(row),
            sentence=f"The group was read as {read.text(row)}; the image suggests {suggested.text(row)}"
            f"{f' ({votes})' if votes else ''}. What was read counts.",
            remedy="Look at attenuation, interface and rim once more; the reader decides.",
        )

    yield from scene.notes(np.flatnonzero(differs[scene.rows]), make)


# --- what is seen, and what it proves


def disappeared_metastases(scene: Scene) -> Iterator[Finding]:
    """Lesions of the liver that can no longer be seen, each told once, with the place where it was.

    Not those of which pathology found that no viable cells were left.
    """
    timeline, tracks = scene.timeline, scene.timeline.tracks
    organ, location = (scene.measurements.text_column(name) for name in ("organ", "location"))
    liver = np.asarray([organ_of(text) == "liver" for text in organ.values], np.bool_)[organ.codes]
    row = scene.baseline_row
    followed = (row != NO_ROW) & np.isin(tracks.role, (Role.TARGET, Role.NON_TARGET)) & ~tracks.nodal
    followed &= liver[np.maximum(row, 0)] & (_states_at_baseline(scene, np.arange(len(row))) != State.ABSENT)
    gone = scene.follow_up[scene.cell_of_spot] & (timeline.state == State.ABSENT) & followed[scene.track_of_spot]
    proved = scene.track[pathology_of(scene.measurements)[scene.rows] == PathologyClass.A]  # no viable cells were left
    spots = np.flatnonzero(gone & ~np.isin(scene.track_of_spot, proved))
    _, first = np.unique(scene.track_of_spot[spots], return_index=True)

    def make(spot: int) -> Finding | None:
        track = int(scene.track_of_spot[spot])
        if is_of_liver(scene.about_subject("tumour_type", int(timeline.series_of_track[track]))):
            return None
        place = location.text(int(row[track]))
        return scene.of_spot(
            spot,
            "metastasis_disappeared",
            "info",
            column="state",
            found=f"not visible{f', {place}' if place else ''}",
            expected="a proof of complete response other than by imaging",
            sentence=f"The lesion of the liver{f' ({place})' if place else ''} can no longer be seen. That proves no "
            "pathological complete response: disease was left, or came back, at 55 of 66 such sites of colorectal "
            "metastases (Benoist et al., J Clin Oncol 2006;24:3939-3945).",
            remedy="Keep the place for the planning of resection, and look again by MRI; the response stands as it is.",
        )

    yield from scene.notes(spots[first], make)


ANCILLARY_CHECKS: Final[tuple[Check, ...]] = (
    second_looks,
    pathology_differences,
    contradicting_findings,
    shares_above_whole,
    morphology_differs,
    disappeared_metastases,
)
