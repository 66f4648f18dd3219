"""Edit checks of sizes over time: lesions that were exchanged, jumps and back, centimetres for millimetres."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import thousandths_text
from response.checks.scene import Check, Flags, Grouped, Scene
from response.findings import Finding

SWAP_FACTOR: Final = (3, 2)  # each lesion is half as large again, or more, or as much smaller
SWAP_NEAR: Final = (1, 5)  # and ends within a fifth of the other's last size
JUMP_FACTOR: Final = 3
CM_FACTOR: Final = (8, 13)  # a visit is this much smaller than the one before where cm were taken for mm
CM_BELOW_UM: Final = 10_000
CM_FILE: Final = (9, 10)  # with so many of the series it is the file that is in cm, not single subjects


@dataclass(frozen=True, eq=False)
class Jumps:
    """Sizes of targets that are half as large again as the one before, or more, or as much smaller; `[jump]`.

    Attributes
    ----------
    spot
        Where it stands in the timeline.
    track, cell
        The lesion and the timepoint.
    value, last, next
        Length in micrometres now, before, and after (0 where there is none after).
    """

    spot: NDArray[Any]
    track: NDArray[np.int32]
    cell: NDArray[np.int32]
    value: NDArray[np.int32]
    last: NDArray[np.int32]
    next: NDArray[np.int32]

    @classmethod
    def of(cls, scene: Scene) -> "Jumps":
        """Return the jumps of all targets; all later steps look at these few alone."""
        value = scene.timeline.value_um  # above 0 for targets alone, and only where they have a size
        spots = np.flatnonzero(value > 0)
        track, length = scene.track_of_spot[spots], value[spots]
        same = track[1:] == track[:-1]
        up, down = SWAP_FACTOR
        now, before = length[1:], length[:-1]
        places = np.flatnonzero(same & ((down * now >= up * before) | (up * now <= down * before))) + 1
        after = np.append(np.where(same, now, 0), 0)[places] if len(length) else length
        return cls(
            spots[places], track[places], scene.cell_of_spot[spots[places]], length[places], length[places - 1], after
        )

    def told(self, place: int) -> str:
        """Return a jump as a text."""
        return f"{_mm(self.last[place])} to {_mm(self.value[place])} mm"


def lesion_swaps(scene: Scene, jumps: Jumps) -> Iterator[Finding]:
    """Pairs of lesions of one series, each of which takes the size that the other had before."""
    grown = jumps.value > jumps.last
    order = np.argsort(jumps.cell, kind="stable")
    pairs = [np.zeros((0, 2), np.int64)]
    for apart in range(1, len(order)):
        one, other = order[:-apart], order[apart:]
        same = jumps.cell[one] == jumps.cell[other]
        if not same.any():
            break
        near = _near(jumps.value[one], jumps.last[other]) & _near(jumps.value[other], jumps.last[one])
        chosen = np.flatnonzero(same & near & (grown[one] != grown[other]))
        pairs.append(np.stack([one[chosen], other[chosen]], axis=1))
    found = np.concatenate(pairs)

    def make(place: int) -> Finding:
        one, other = found[place].tolist()
        names = scene.lesion_names(np.asarray([jumps.track[one], jumps.track[other]]))
        told = f"{jumps.told(one)} and {jumps.told(other)}"
        file, line = scene.measurements.table.where(int(scene.timeline.row[jumps.spot[one]]))
        return scene.of_cell(
            int(jumps.cell[one]),
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


def _near(value: NDArray[np.int32], other: NDArray[np.int32]) -> Flags:
    part, whole = SWAP_NEAR
    return np.asarray(whole * np.abs(value - other) <= part * other)


def jumps_and_back(scene: Scene, jumps: Jumps) -> Iterator[Finding]:
    """Lesions that are three times, or a third, of their size at one single visit."""
    value, last, after = jumps.value, jumps.last, jumps.next
    larger = (value >= JUMP_FACTOR * last) & (value >= JUMP_FACTOR * after)
    smaller = (JUMP_FACTOR * value <= last) & (JUMP_FACTOR * value <= after)
    # only what comes back to about its old size is a slip of the pen
    back = (after > 0) & (2 * np.maximum(last, after) <= 3 * np.minimum(last, after))

    def make(place: int) -> Finding:
        told = f"{_mm(last[place])}, {_mm(value[place])}, {_mm(after[place])} mm"
        return scene.of_spot(
            int(jumps.spot[place]),
            "implausible_jump",
            "info",
            column="longest_mm",
            found=told,
            expected="a size between those before and after",
            sentence=f"The lesion jumps at this one visit, and back ({told}).",
            remedy="Check the number: a slip of the decimal mark, the unit or the lesion?",
        )

    yield from scene.notes(np.flatnonzero(back & (larger | smaller)), make)


# --- centimetres


def centimetres(scene: Scene, jumps: Jumps) -> Iterator[Finding]:
    """Subjects, or single visits, whose lengths look like centimetres."""
    whole, values, measured = _series_in_cm(scene)
    series = np.flatnonzero(whole)
    part, of = CM_FILE
    if measured > 2 and of * len(series) >= part * measured:
        yield _file_in_cm(len(series), measured)
        return

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
    cells = _cells_in_cm(scene, jumps)
    cells = cells[~whole[scene.timeline.series_of_cell[cells]]]
    items = Grouped(jumps.cell, np.arange(len(jumps.cell)))

    def of_cell(cell: int) -> Finding:
        told = "; ".join(jumps.told(item) for item in items.of(cell)[:5].tolist())
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


def _series_in_cm(scene: Scene) -> tuple[Flags, Grouped, int]:
    """Return which series have only targets below 10 mm at baseline, most of them with decimals; `[series]`.

    Beside it the baseline lengths of all targets by series, and the number of series that have any.
    """
    timeline = scene.timeline
    targets = scene.targets[0]
    series = timeline.series_of_track[targets]
    value = timeline.value_um[timeline.spot_start[targets] + timeline.series.baseline[series]]
    series, value = series[value > 0], value[value > 0]
    count = len(timeline.series)
    lesions = np.bincount(series, minlength=count)
    small = np.bincount(series[value < CM_BELOW_UM], minlength=count)
    decimal = np.bincount(series[value % 1000 != 0], minlength=count)
    fine = np.bincount(series[value % 100 != 0], minlength=count)  # one lesion alone may be small: ask for more
    whole = (small == lesions) & (2 * decimal > lesions) & ((lesions > 1) | (fine > 0))
    return np.asarray(whole), Grouped(series, value), int(np.count_nonzero(lesions))


def _cells_in_cm(scene: Scene, jumps: Jumps) -> NDArray[Any]:
    """Return the timepoints whose lesions are all about a tenth of what they were before."""
    low, high = CM_FACTOR
    tenth = (low * jumps.value <= jumps.last) & (high * jumps.value >= jumps.last) & (jumps.value < CM_BELOW_UM)
    back = (low * jumps.value <= jumps.next) & (jumps.next > 0)
    cells, of = np.unique(jumps.cell[tenth], return_inverse=True)
    hits = np.bincount(of, minlength=len(cells))
    returns = np.bincount(of, weights=back[tenth], minlength=len(cells))
    # one lesion alone may respond as well as that; it must come back
    likely = (hits > 1) | (returns == hits)
    compared = [_compared(scene, cell) if chosen else -1 for cell, chosen in zip(cells.tolist(), likely, strict=True)]
    return np.asarray(cells[likely & (hits == np.asarray(compared, np.int64))])


def _compared(scene: Scene, cell: int) -> int:
    """Return the number of targets with a size at a timepoint and before it."""
    timeline = scene.timeline
    series, place = int(timeline.series_of_cell[cell]), int(timeline.place[cell])
    sizes = [timeline.value_um[timeline.spots(track)][: place + 1] for track in timeline.tracks_of(series)]
    return sum(bool(own[-1] > 0 and (own[:-1] > 0).any()) for own in sizes)


def _mm(value: Any) -> str:
    return thousandths_text(int(value))


def size_checks(scene: Scene) -> Iterator[Finding]:
    """All checks of this module; what looks like cm, or like a swap, is no jump besides."""
    jumps = Jumps.of(scene)
    explained: set[tuple[str, str, str]] = set()
    for check in (centimetres, lesion_swaps):
        for found in check(scene, jumps):
            explained.add((found.subject, found.evaluator, found.timepoint))
            yield found
    for found in jumps_and_back(scene, jumps):
        key = (found.subject, found.evaluator, found.timepoint)
        if key not in explained and (*key[:2], "") not in explained:
            yield found


SIZE_CHECKS: Final[tuple[Check, ...]] = (size_checks,)
