"""Edit checks of sizes over time: lesions that were exchanged, jumps and back, centimetres for millimetres."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import thousandths_text
from response.check_scene import Check, Flags, Grouped, Scene
from response.findings import Finding
from response.readings import SUMMED
from response.vocabulary import Role

SWAP_FACTOR: Final = (3, 2)  # each lesion changes by half as much again or more
SWAP_NEAR: Final = (1, 5)  # and ends within a fifth of the other's last size
JUMP_FACTOR: Final = 3
CM_FACTOR: Final = (8, 13)  # a visit is this much smaller than the one before where cm were taken for mm
CM_BELOW_UM: Final = 10_000
_ALL_SERIES: Final = 9  # of ten series: then the file is in cm, not single subjects


@dataclass(frozen=True, eq=False)
class Sizes:
    """The sizes of targets in time order; arrays `[size]`.

    Attributes
    ----------
    used
        Index among the used rows of the scene.
    value
        Length in micrometres, above 0.
    last
        Length of the same lesion before, 0 for its first.
    next
        Length of the same lesion after, 0 for its last.
    """

    used: NDArray[Any]
    track: NDArray[np.int32]
    cell: NDArray[np.int32]
    value: NDArray[np.int64]
    last: NDArray[np.int64]
    next: NDArray[np.int64]

    @classmethod
    def of(cls, scene: Scene) -> "Sizes":
        """Return the sizes of all targets that were measured."""
        timeline = scene.timeline
        state, value = timeline.state[scene.spots], timeline.value_um[scene.spots]
        summed = np.isin(np.arange(int(state.max(initial=0)) + 1), SUMMED)[state]
        used = np.flatnonzero(summed & (value > 0) & (timeline.tracks.role == Role.TARGET)[scene.track])
        track, length = scene.track[used], value[used].astype(np.int64)
        same = track[1:] == track[:-1]
        last, after = np.zeros_like(length), np.zeros_like(length)
        last[1:] = np.where(same, length[:-1], 0)
        after[:-1] = np.where(same, length[1:], 0)
        return cls(used, track, scene.cell[used], length, last, after)


def lesion_swaps(scene: Scene, sizes: Sizes) -> Iterator[Finding]:
    """Pairs of lesions of one series, each of which takes the size that the other had before."""
    up, down = SWAP_FACTOR
    grown = down * sizes.value >= up * sizes.last
    shrunk = up * sizes.value <= down * sizes.last
    jumps = np.flatnonzero((sizes.last > 0) & (grown | shrunk))
    jumps = jumps[np.argsort(sizes.cell[jumps], kind="stable")]
    pairs = []
    for apart in range(1, len(jumps)):
        one, other = jumps[:-apart], jumps[apart:]
        same = sizes.cell[one] == sizes.cell[other]
        if not same.any():
            break
        opposite = grown[one] != grown[other]
        near = _near(sizes.value[one], sizes.last[other]) & _near(sizes.value[other], sizes.last[one])
        chosen = np.flatnonzero(same & opposite & near)
        pairs.append(np.stack([one[chosen], other[chosen]], axis=1))
    found = np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)

    def make(place: int) -> Finding:
        one, other = found[place].tolist()
        names = scene.lesion_names(np.asarray([sizes.track[one], sizes.track[other]]))
        told = " and ".join(f"{_mm(sizes.last[item])} to {_mm(sizes.value[item])} mm" for item in (one, other))
        file, line = scene.measurements.table.where(int(scene.rows[sizes.used[one]]))
        return scene.of_cell(
            int(sizes.cell[one]),
            "lesion_swap",
            "warning",
            lesion=names,
            column="longest_mm",
            found=told,
            expected="each lesion near its own last size",
            sentence=f"The lesions {names} take each other's last sizes ({told}); perhaps they were exchanged.",
            remedy="Check on the images which lesion is which.",
            file=file,
            line=line,
        )

    yield from scene.notes(np.arange(len(found)), make)


def _near(value: NDArray[np.int64], other: NDArray[np.int64]) -> Flags:
    part, whole = SWAP_NEAR
    return np.asarray(whole * np.abs(value - other) <= part * other)


def jumps_and_back(scene: Scene, sizes: Sizes) -> Iterator[Finding]:
    """Lesions that are three times, or a third, of their size at one single visit."""
    known = (sizes.last > 0) & (sizes.next > 0)
    larger = (sizes.value >= JUMP_FACTOR * sizes.last) & (sizes.value >= JUMP_FACTOR * sizes.next)
    smaller = (JUMP_FACTOR * sizes.value <= sizes.last) & (JUMP_FACTOR * sizes.value <= sizes.next)
    # after PD a lesion may well shrink again; what comes back to its old size is a slip of the pen
    back = 2 * np.maximum(sizes.last, sizes.next) <= 3 * np.minimum(sizes.last, sizes.next)

    def make(place: int) -> Finding:
        told = f"{_mm(sizes.last[place])}, {_mm(sizes.value[place])}, {_mm(sizes.next[place])} mm"
        return scene.of_spot(
            int(scene.spots[sizes.used[place]]),
            "implausible_jump",
            "info",
            column="longest_mm",
            found=told,
            expected="a size between those before and after",
            sentence=f"The lesion jumps at this one visit, and back ({told}).",
            remedy="Check the number: a slip of the decimal mark, the unit or the lesion?",
        )

    yield from scene.notes(np.flatnonzero(known & back & (larger | smaller)), make)


def centimetres(scene: Scene, sizes: Sizes) -> Iterator[Finding]:
    """Subjects, or single visits, whose lengths look like centimetres."""
    whole = _series_in_cm(scene, sizes)
    series = np.flatnonzero(whole)
    measured = np.unique(scene.timeline.series_of_cell[sizes.cell])
    if len(measured) > 2 and 10 * len(series) >= _ALL_SERIES * len(measured):
        yield _file_in_cm(len(series), len(measured))
        return

    values = Grouped(scene.timeline.series_of_cell[sizes.cell], sizes.value)

    def of_series(number: int) -> Finding:
        own = values.of(number)
        return scene.of_series(
            number,
            "looks_like_cm",
            "warning",
            column="longest_mm",
            found=f"{_mm(own.min())} to {_mm(own.max())} mm",
            expected="lengths in mm",
            sentence="All targets are below 10 mm at baseline, with decimals; the lengths look like centimetres. They "
            "were read as mm.",
            remedy="Check the unit; add a column unit with cm, or convert the lengths.",
        )

    yield from scene.notes(series, of_series)
    cells = _cells_in_cm(sizes)
    cells = cells[~whole[scene.timeline.series_of_cell[cells]]]

    within = np.flatnonzero(np.isin(sizes.cell, cells))
    items = Grouped(sizes.cell[within], within)

    def of_cell(cell: int) -> Finding:
        own = items.of(cell)
        told = "; ".join(f"{_mm(sizes.last[item])} to {_mm(sizes.value[item])} mm" for item in own[:5].tolist())
        return scene.of_cell(
            cell,
            "looks_like_cm",
            "warning",
            column="longest_mm",
            found=told,
            expected="lengths in mm",
            sentence=f"The lengths of this visit are about a tenth of those before ({told}); they look like "
            "centimetres. They were read as mm.",
            remedy="Check the unit of this visit.",
        )

    yield from scene.notes(cells, of_cell)


def _file_in_cm(series: int, measured: int) -> Finding:
    return Finding(
        id="looks_like_cm",
        severity="warning",
        column="longest_mm",
        found=f"{series} of {measured} subjects with all targets below 10 mm, with decimals",
        expected="lengths in mm",
        sentence="The lengths of the whole table look like centimetres. They were read as mm.",
        remedy="Check the unit; pass it in the mapping file, or add a column unit with cm.",
    )


def _series_in_cm(scene: Scene, sizes: Sizes) -> Flags:
    """Return which series have only targets below 10 mm at baseline, most of them with decimals; `[series]`."""
    timeline = scene.timeline
    count = len(timeline.series)
    at = np.flatnonzero(sizes.cell == timeline.baseline_cell[timeline.series_of_cell[sizes.cell]])
    series, value = timeline.series_of_cell[sizes.cell[at]], sizes.value[at]
    lesions = np.bincount(series, minlength=count)
    small = np.bincount(series[value < CM_BELOW_UM], minlength=count)
    decimal = np.bincount(series[value % 1000 != 0], minlength=count)
    fine = np.bincount(series[value % 100 != 0], minlength=count)  # one lesion alone may be small: ask for more
    return np.asarray((small == lesions) & (2 * decimal > lesions) & ((lesions > 1) | (fine > 0)))


def _cells_in_cm(sizes: Sizes) -> NDArray[Any]:
    """Return the timepoints whose lesions are all about a tenth of what they were before."""
    low, high = CM_FACTOR
    tenth = (low * sizes.value <= sizes.last) & (high * sizes.value >= sizes.last) & (sizes.value < CM_BELOW_UM)
    back = (low * sizes.value <= sizes.next) & (sizes.next > 0)
    cells, of = np.unique(sizes.cell[tenth], return_inverse=True)
    hits = np.bincount(of, minlength=len(cells))
    returns = np.bincount(of, weights=back[tenth], minlength=len(cells))
    known = sizes.last > 0
    total = np.bincount(np.searchsorted(cells, sizes.cell[known & np.isin(sizes.cell, cells)]), minlength=len(cells))
    # one lesion alone may respond as well as that; it must come back
    return np.asarray(cells[(hits == total) & ((hits > 1) | (returns == hits))])


def _mm(value: Any) -> str:
    return thousandths_text(int(value))


def size_checks(scene: Scene) -> Iterator[Finding]:
    """All checks of this module; what looks like cm, or like a swap, is no jump besides."""
    sizes = Sizes.of(scene)
    explained: set[tuple[str, str, str]] = set()
    for check in (centimetres, lesion_swaps):
        for found in check(scene, sizes):
            explained.add((found.subject, found.evaluator, found.timepoint))
            yield found
    for found in jumps_and_back(scene, sizes):
        key = (found.subject, found.evaluator, found.timepoint)
        if key not in explained and (*key[:2], "") not in explained:
            yield found


SIZE_CHECKS: Final[tuple[Check, ...]] = (size_checks,)
