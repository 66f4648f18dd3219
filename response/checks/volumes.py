"""Edit checks of non-targets by their volume, beside what the reader said of them. No category depends on them.

Source, and what is compared with what: `response.non_target_volumes`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import THOUSAND, thousandths_text
from response.checks.scene import Check, Scene
from response.findings import Finding
from response.non_target_volumes import GROWTH, NonTargetVolumes, non_target_volumes
from response.registry import STANDARD
from response.result import Result
from response.visit_descriptors import compared_text
from response.vocabulary import RESPONSE_NAMES, Response

_LIMIT: Final = f"{GROWTH[0] - GROWTH[1]} %"
_ALONE: Final = (
    f"Where all disease is non-measurable, {_LIMIT} in volume is the example of PD (RECIST 1.1, section 4.3.4)."
)
_WITH_TARGETS: Final = (
    "Beside target lesions it takes a substantial worsening of the whole disease (RECIST 1.1, section 4.3.4)."
)


@dataclass(frozen=True, eq=False)
class _Told:
    """Volumes of one block beside the responses that were read; arrays `[cell]` of the block."""

    volumes: NonTargetVolumes
    non_target: NDArray[np.int8]
    target: NDArray[np.int8]

    @classmethod
    def of(cls, volumes: NonTargetVolumes, result: Result) -> "_Told":
        """Return the volumes of a block with the responses by RECIST 1.1."""
        cells = volumes.block.cell_slice
        return cls(volumes, result.responses("non_target", cells), result.responses("target", cells))

    def hits(self, chosen: NDArray[Any]) -> NDArray[np.int64]:
        """Return the places among the cells of the block at which something holds, `[series, timepoint]`."""
        return np.flatnonzero(self.volumes.block.ragged(chosen))

    def number(self, name: str, place: int) -> int:
        """Return a number of the volumes at a place."""
        return int(self.volumes.block.ragged(getattr(self.volumes, name))[place])

    def change(self, place: int) -> str:
        """Return the volumes at their smallest and now, in ml, and the change in percent, cut towards zero."""
        before, now = self.number("smallest", place), self.number("now", place)
        hundredths = abs(now - before) * 10_000 // before if before else 0
        sign = "-" if now < before else "+" if hundredths else ""
        share = f", {sign}{thousandths_text(10 * hundredths)} %" if before else ""
        return f"{_ml(before)} to {_ml(now)} ml{share}"

    def compared(self, place: int) -> str:
        """Return which lesions were compared."""
        return compared_text(self.number("lesions", place), self.number("left_out", place))


def _ml(volume: int) -> str:
    return thousandths_text(round(volume / THOUSAND))


def non_targets_by_volume(scene: Scene) -> Iterator[Finding]:
    """Non-targets whose volume rose as much as would be PD, though none was read; and PD though no volume did."""
    result = scene.assessment.results[STANDARD]
    for volumes in non_target_volumes(scene.timeline):
        told, first = _Told.of(volumes, result), volumes.block.cell_slice.start
        before_pd = ~scene.after_pd[volumes.block.cell_slice]
        is_pd = (told.non_target == Response.PD) & before_pd
        follow_up = volumes.block.follow_up
        grown = told.hits(follow_up & volumes.grown)
        unchanged = told.hits(follow_up & (volumes.lesions > 0) & (volumes.left_out == 0) & ~volumes.some_grown)

        def grew(place: int, told: _Told = told, first: int = first) -> Finding:
            read = RESPONSE_NAMES[Response(int(told.non_target[place]))]
            change = told.change(place)
            return scene.of_cell(
                first + place,
                "non_target_volume_grew",
                "info",
                column="volume_mm3",
                found=change,
                expected=f"below +{_LIMIT}, or non-target PD",
                sentence=f"The volume of the non-targets rose from its smallest ({change}; {told.compared(place)}); "
                f"their response was read as {read}. "
                f"{_ALONE if told.target[place] == Response.NA else _WITH_TARGETS}",
                remedy="Judge whether that is an unequivocal progression; the response stands as it was read.",
            )

        def stayed(place: int, told: _Told = told, first: int = first) -> Finding:
            change = told.change(place)
            return scene.of_cell(
                first + place,
                "non_target_pd_without_growth",
                "info",
                column="volume_mm3",
                found=change,
                expected=f"a volume that rose by {_LIMIT} or more",
                sentence=f"Non-target PD was read, but no non-target is {_LIMIT} or more above its smallest volume "
                f"before (all together {change}).",
                remedy="Look again whether the progression is unequivocal; the response stands as it was read.",
            )

        yield from scene.notes(grown[(before_pd & ~is_pd)[grown]], grew)
        yield from scene.notes(unchanged[is_pd[unchanged]], stayed)


VOLUME_CHECKS: Final[tuple[Check, ...]] = (non_targets_by_volume,)
