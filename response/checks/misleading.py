"""Findings in a lesion that mislead the number which a criterion compares with baseline. No category depends on them.

What is dense raises attenuation on CT, and hides a fall of it: calcification and haemorrhage (criteria page, F10). What
is bright before contrast medium lowers relative enhancement on MR, for it is in percent of that signal: haemorrhage,
whose methaemoglobin is bright on T1 (general knowledge, no cut-off was found).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from response.ancillary import observed
from response.cells import NO_NUMBER, NO_ROW
from response.checks.scene import Check, Scene
from response.criteria.attenuation import ATTENUATION, RELATIVE_ENHANCEMENT, Quantity
from response.findings import Finding
from response.vocabulary import Ancillary, text_of


@dataclass(frozen=True, kw_only=True)
class Misleading:
    """What misleads a number that is compared with baseline.

    Attributes
    ----------
    quantity, criteria
        The number, and the criteria that compare it.
    kinds
        Ancillary findings that mislead it where they are new or increased.
    id, expected, effect, remedy
        Of the finding.
    """

    quantity: Quantity
    criteria: tuple[str, ...]
    kinds: tuple[str, ...]
    id: str
    expected: str
    effect: str
    remedy: str


_DENSE: Final = Misleading(
    quantity=ATTENUATION,
    criteria=("choi", "mchoi", "sact", "mass"),
    kinds=("calcification", "haemorrhage"),
    id="dense_parts",
    expected="attenuation of the soft tissue of the lesion",
    effect="dense parts may hide a fall",
    remedy="Measure attenuation without the dense parts (options exclude_calcification and exclude_haemorrhage of "
    "measure; haemorrhage asks for a series without contrast medium), or judge the lesion by eye.",
)
_BRIGHT: Final = Misleading(
    quantity=RELATIVE_ENHANCEMENT,
    criteria=("mri-choi",),
    kinds=("haemorrhage",),
    id="bright_parts",
    expected="relative enhancement of what is not bright before contrast medium",
    effect="what is bright before contrast medium may feign a fall",
    remedy="Measure relative enhancement without the bright parts, or judge the lesion on the subtracted images.",
)


def dense_parts(scene: Scene) -> Iterator[Finding]:
    """Lesions whose attenuation is compared, though calcification or haemorrhage in them is new or increased."""
    return _misled(scene, _DENSE)


def bright_parts(scene: Scene) -> Iterator[Finding]:
    """Lesions whose relative enhancement is compared, though haemorrhage in them is new or increased."""
    return _misled(scene, _BRIGHT)


def _misled(scene: Scene, what: Misleading) -> Iterator[Finding]:
    results, column = scene.assessment.results.values(), what.quantity.now
    titles = [result.criterion.title for result in results if result.criterion.name in what.criteria]
    if not titles or column not in scene.measurements.numbers:
        return
    number = scene.measurements.numbers[column]
    told: dict[int, list[str]] = {}
    for found in observed(scene.timeline):
        if found.name in what.kinds:
            more = np.isin(found.status, (Ancillary.NEW, Ancillary.INCREASED)) & (found.baseline_row != NO_ROW)
            compared = (number[found.row] != NO_NUMBER) & (number[found.baseline_row] != NO_NUMBER)
            for place in np.flatnonzero(more & compared).tolist():
                status = text_of(Ancillary(int(found.status[place])))
                told.setdefault(int(found.spot[place]), []).append(f"{found.name} is {status}")
    subject = f"{what.quantity.word.capitalize()} is compared ({', '.join(titles)})"

    def make(spot: int) -> Finding:
        found = ", ".join(told[spot])
        return scene.of_spot(
            spot,
            what.id,
            "info",
            column=column,
            found=found,
            expected=what.expected,
            sentence=f"{subject}, but {found}: {what.effect}.",
            remedy=what.remedy,
        )

    yield from scene.notes(np.asarray(sorted(told), np.int64), make)


MISLEADING_CHECKS: Final[tuple[Check, ...]] = (dense_parts, bright_parts)
