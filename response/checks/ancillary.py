"""Findings of size beside ancillary findings: where guidelines want a second look. No category depends on them.

Size alone misses response in liver metastases (ESGAR 2025) and in sarcoma after radiotherapy (Canter et al., Ann Surg
Oncol 2010;17:2578-2584: median change of diameter 0 %, median necrosis 30 %).
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.ancillary import CHANGED, observed, pathology_classes
from response.cells import NO_NUMBER
from response.checks.scene import Check, Flags, Scene
from response.findings import Finding
from response.timeline import NO_ROW
from response.vocabulary import Ancillary, PathologyClass, text_of

LITTLE_CHANGE: Final = (1, 10)  # within a tenth of the size at baseline, up or down, limits included [P]


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
    little = known & (all_of * np.abs(now - before) <= some * before)
    grown = known & (all_of * (now - before) > some * before) & np.isin(spots, list(necrotic))
    yield from scene.notes(spots[little], partial(_second_look, scene, changed))
    yield from scene.notes(spots[grown], partial(_growth_with_necrosis, scene, changed))


def _second_look(scene: Scene, changed: dict[int, list[str]], spot: int) -> Finding:
    told = ", ".join(changed[spot])
    return scene.of_spot(
        spot,
        "second_look",
        "info",
        found=told,
        expected="size and ancillary findings that change together",
        sentence=f"The size is within 10 % of that at baseline, but other findings changed: {told}.",
        remedy="Take a second look, and consider criteria of attenuation, morphology or enhancement.",
    )


def _growth_with_necrosis(scene: Scene, changed: dict[int, list[str]], spot: int) -> Finding:
    return scene.of_spot(
        spot,
        "growth_with_necrosis",
        "info",
        found=", ".join(changed[spot]),
        expected="growth of viable tumour where size grows",
        sentence="The lesion grew by more than 10 % while necrosis increased: possibly a pseudoprogression.",
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


ANCILLARY_CHECKS: Final[tuple[Check, ...]] = (second_looks, pathology_differences)
