"""Best overall response of every series by a criterion, from its responses at the timepoints."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from response.best.dates import reference_dates, slack_days
from response.best.overall import BestResponses, ResponseCourse, best_responses
from response.block import Block
from response.cells import NO_DATE, DatePrecision
from response.protocol import BestResponseOptions
from response.result import Result
from response.timeline import Timeline
from response.vocabulary import Response

NO_CELL = -1
_LAST_PDU = {"sd": Response.SD, "pd": Response.PD}  # any other: as it stands


@dataclass(frozen=True, eq=False)
class BlockBest:
    """Best responses of the series of one block, the first of which is series `low`."""

    low: int
    course: ResponseCourse
    best: BestResponses


@dataclass(frozen=True, eq=False)
class BestOfSeries:
    """Best responses of all series by one criterion.

    Attributes
    ----------
    blocks
        For criteria with the categories of RECIST: the best responses, block by block.
    category, cell
        For criteria with categories of their own: rule index of the best answer and the cell that gave it, `[series]`.
    """

    blocks: Sequence[BlockBest] = ()
    category: NDArray[np.int8] | None = None
    cell: NDArray[np.int64] | None = None


def best_of_series(timeline: Timeline, result: Result, standard: Result) -> BestOfSeries:
    """Return the best responses of all series by one criterion; `standard` is RECIST 1.1, which knows progression."""
    if result.criterion.best_order:
        return _best_by_order(timeline, result, standard)
    options = result.options
    assert isinstance(options, BestResponseOptions)
    codes = result.responses()
    blocks = []
    for block in timeline.blocks():
        course = _course(block, codes, result, options)
        blocks.append(BlockBest(block.low, course, best_responses(course, options)))
    return BestOfSeries(tuple(blocks))


def _course(block: Block, codes: NDArray[np.int8], result: Result, options: BestResponseOptions) -> ResponseCourse:
    visits, series = block.timeline.visits, block.timeline.series
    part = slice(block.low, block.high)
    first = block.cell_values(visits.first_scan, NO_DATE)
    precision = block.cell_values(visits.precision, 0)
    partial = bool(((precision != DatePrecision.DAY) & (first != NO_DATE)).any())
    return ResponseCourse(
        response=_with_last_settled(block.cell_values(codes, 0), options),
        exists=block.follow_up,
        first_scan=first,
        last_scan=block.cell_values(visits.last_scan, NO_DATE),
        progression_date=block.cell_values(result.progression_date, NO_DATE),
        reference_date=reference_dates(
            series.treatment_start[part],
            series.randomisation[part],
            _baseline_scans(block),
            options.min_sd_reference,
        ),
        new_therapy=series.new_therapy[part],
        slack_days=slack_days(first, precision) if partial else None,
        judged_after_cr=_judged_after_cr(block, result),
        words=result.criterion.response_words,
    )


def _with_last_settled(code: NDArray[np.int8], options: BestResponseOptions) -> NDArray[np.int8]:
    """Return the responses with an unconfirmed progression that nothing settled as the options count it (PCWG3)."""
    counts_as = _LAST_PDU.get(getattr(options, "pcwg3_last_pdu", ""))
    if counts_as is None:
        return code
    settled = (code >= Response.CR) & (code <= Response.PD)
    settled_later = np.logical_or.accumulate(settled[:, ::-1], axis=1)[:, ::-1]
    return np.where((code == Response.UNCONFIRMED_PD) & ~settled_later, np.int8(counts_as), code)


def _baseline_scans(block: Block) -> NDArray[np.int32]:
    first = block.cell_values(block.timeline.visits.first_scan, NO_DATE)
    if not block.timepoints:
        return np.full(block.series_count, NO_DATE, np.int32)
    place = np.maximum(block.baseline, 0).astype(np.int64)
    return np.asarray(np.take_along_axis(first, place, axis=1)[:, 0])


def _judged_after_cr(block: Block, result: Result) -> NDArray[np.bool_] | None:
    """Return where a node after CR was left to the sum rule, which post-CR disease must not overrule."""
    if getattr(result.options, "node_regrowth_after_cr", "") != "require_sum_rule":
        return None
    bit = [rule.name for rule in result.criterion.flags].index("node_regrowth")
    return block.cell_values((result.flags >> np.uint32(bit)) & 1 == 1, fill=False)


def _best_by_order(timeline: Timeline, result: Result, standard: Result) -> BestOfSeries:
    """Return the best category in the criterion's own order, up to the first PD by RECIST and before new therapy."""
    order = {category: place for place, category in enumerate(result.criterion.best_order)}
    rules = result.rules("overall")
    worst = len(order)
    place_of_rule = np.asarray([*(order.get(rule.category, worst) for rule in rules), worst], np.int64)
    places = place_of_rule[result.answers["overall"]]
    new_therapy = timeline.series.new_therapy[timeline.series_of_cell]
    scans = timeline.visits.first_scan
    late = (new_therapy != NO_DATE) & (scans != NO_DATE) & (scans >= new_therapy)
    count = len(timeline.series)
    progression = np.full(count, len(scans), np.int64)
    progressed = np.flatnonzero(standard.responses() == Response.PD)
    np.minimum.at(progression, timeline.series_of_cell[progressed], progressed)
    late |= np.arange(len(scans)) > progression[timeline.series_of_cell]
    places[late] = worst
    best = np.full(count, worst, np.int64)
    np.minimum.at(best, timeline.series_of_cell, places)
    cell = np.full(count, NO_CELL, np.int64)
    hits = np.flatnonzero((places == best[timeline.series_of_cell]) & (places < worst))[::-1]
    cell[timeline.series_of_cell[hits]] = hits  # descending, so the earliest stays
    category = np.where(cell < 0, np.int8(-1), result.answers["overall"][np.maximum(cell, 0)])
    return BestOfSeries(category=category.astype(np.int8), cell=cell)
