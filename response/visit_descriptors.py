"""Numbers of a timepoint as a whole that stand beside the ancillary findings of its lesions, and change no category.

Peritoneal cancer index: the abdomen is divided into 13 regions, each with a score of 0 to 3 for its largest deposit
(none, up to 0.5 cm, up to 5 cm, larger or confluent), 0 to 39 in all (Sugarbaker; confirmed at imaios.com, oncolex.org
and e-promise.org). It was made for surgery; on CT it comes out lower (Koh et al., Ann Surg Oncol 2009;16:327-333,
abstract read). How large a change matters was not found in a public source, so it says nothing of response here.

Volume of the non-targets: see `response.non_target_volumes`. Days since radiotherapy and since the end of treatment
are counted to the first scan of the timepoint, where both dates are known to the day.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_DATE, NO_NUMBER, NO_ROW, THOUSAND, DatePrecision
from response.criteria.burden import running_before
from response.criteria.visit_values import at_baseline, visit_numbers
from response.measurements import Measurements
from response.non_target_volumes import NonTargetVolumes, non_target_volumes
from response.table import TextColumn
from response.timeline import Timeline

PERITONEAL_INDEX: Final = "peritoneal cancer index"
NON_TARGET_VOLUME: Final = "volume of non-targets"
THERAPIES: Final[Mapping[str, str]] = {"radiotherapy": "radiotherapy_end", "treatment": "treatment_end"}
INTERVALS: Final = tuple(f"days after {therapy}" for therapy in THERAPIES)
_ON_IMAGES: Final = "one read on CT is usually lower than one found at surgery"
UNKNOWN: Final = -(2**62)  # no number; volumes in thousandths of a cubic millimetre need 64 bits

Values = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class OfVisits:
    """One number of some timepoints; arrays `[place]`, in the order of the timeline.

    Attributes
    ----------
    name, unit
        What it is, and its unit.
    cell
        Timepoint.
    now, baseline, nadir
        The number now, at baseline, and the smallest one before, in thousandths of the unit times `finer`; `UNKNOWN`
        where there is none. The last two are unknown up to the baseline.
    finer
        How much finer they are than thousandths.
    in_percent
        Whether a change in percent has a meaning.
    from_visits
        Whether it stands in the table of visits.
    note
        What to know about it.
    """

    name: str
    unit: str
    cell: NDArray[np.int64]
    now: Values
    baseline: Values
    nadir: Values
    finer: int = 1
    in_percent: bool = False
    from_visits: bool = False
    note: TextColumn


def has_visit_descriptors(measurements: Measurements) -> bool:
    """Return whether the tables beside the measurements have a number of timepoints that is told."""
    visits, subjects = measurements.visits, measurements.subjects
    index = visits is not None and "peritoneal_index" in visits.numbers
    return index or (subjects is not None and any(name in subjects.dates for name in THERAPIES.values()))


def of_visits(timeline: Timeline) -> Iterator[OfVisits]:
    """Hand out the numbers of timepoints that the tables have, block by block."""
    visits = timeline.measurements.visits
    if visits is not None and "peritoneal_index" in visits.numbers:
        yield from (_peritoneal_index(block) for block in timeline.blocks())
    for volumes in non_target_volumes(timeline):
        yield _volumes(volumes)
    for therapy, column in THERAPIES.items():
        yield from _intervals(timeline, f"days after {therapy}", column)


def _peritoneal_index(block: Block) -> OfVisits:
    index = np.where(block.exists, visit_numbers(block, "peritoneal_index"), NO_NUMBER)
    index = np.where(index == NO_NUMBER, UNKNOWN, index)
    first = np.where(block.baseline < 0, UNKNOWN, at_baseline(block, index))
    highest = np.iinfo(np.int64).max
    scored = np.where(block.is_scored & (index != UNKNOWN), index, highest)
    before = running_before(np.minimum, scored, highest)
    kept = index != UNKNOWN
    cells = _cells(block, kept)
    return OfVisits(
        name=PERITONEAL_INDEX,
        unit="",
        cell=cells,
        now=index[kept],
        baseline=np.where(block.follow_up, first, UNKNOWN)[kept],
        nadir=np.where(block.follow_up & (before < highest), before, UNKNOWN)[kept],
        from_visits=True,
        note=TextColumn.constant(_ON_IMAGES, len(cells)),
    )


def _volumes(found: NonTargetVolumes) -> OfVisits:
    kept = found.lesions > 0
    follow_up = found.block.follow_up[kept]
    counts = zip(found.lesions[kept].tolist(), found.left_out[kept].tolist(), strict=True)
    return OfVisits(
        name=NON_TARGET_VOLUME,
        unit="ml",
        cell=_cells(found.block, kept),
        now=found.now[kept],
        baseline=np.where(follow_up, found.baseline[kept], UNKNOWN),
        nadir=np.where(follow_up, found.smallest[kept], UNKNOWN),
        finer=THOUSAND,
        in_percent=True,
        note=TextColumn.of(compared_text(lesions, left_out) for lesions, left_out in counts),
    )


def compared_text(lesions: int, left_out: int) -> str:
    """Return how many non-targets were added up, and how many were not."""
    told = f"{lesions} non-target{'s' if lesions > 1 else ''}"
    return f"{told}; {left_out} more without a volume now and at baseline left out" if left_out else told


def _intervals(timeline: Timeline, name: str, column: str) -> Iterator[OfVisits]:
    subjects, visits = timeline.measurements.subjects, timeline.visits
    if subjects is None or column not in subjects.dates or not len(subjects):
        return
    row = timeline.series.subject_row[timeline.series_of_cell]
    ended = subjects.dates[column]
    whole = (ended.precision[np.maximum(row, 0)] == DatePrecision.DAY) & (visits.precision == DatePrecision.DAY)
    days = visits.first_scan.astype(np.int64) - ended.days[np.maximum(row, 0)]
    cells = np.flatnonzero(whole & (row != NO_ROW) & (visits.first_scan != NO_DATE) & (days >= 0))
    nothing = np.full(len(cells), UNKNOWN)
    yield OfVisits(
        name=name,
        unit="days",
        cell=cells,
        now=THOUSAND * days[cells],
        baseline=nothing,
        nadir=nothing,
        note=TextColumn.constant("", len(cells)),
    )


def _cells(block: Block, kept: NDArray[Any]) -> NDArray[np.int64]:
    """Return the timepoints that are kept, `[series, timepoint]` to `[place]`."""
    return np.asarray(np.flatnonzero(block.ragged(kept)) + block.cell_slice.start)
