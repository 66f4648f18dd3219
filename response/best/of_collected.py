"""Best overall response from responses that were collected: the work of the command `best`.

Partial dates stay partial in the results.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from response.best.collected import CollectedBlock, CollectedResponses
from response.best.course import NO_PLACE, Places, at_place, first_place
from response.best.dates import Days
from response.best.overall import BestFlag, BestResponses, ResponseCourse, best_names, best_responses, why_sentences
from response.cells import NO_NUMBER, DatePrecision, iso_texts
from response.findings import Finding
from response.measurements import Records
from response.protocol import BestResponseOptions, Protocol
from response.registry import first_dates_of
from response.vocabulary import Response

if TYPE_CHECKING:
    import pandas as pd

SUBJECT_RESULT_COLUMNS: Final = (
    "subject",
    "evaluator",
    "criterion",
    "best_response",
    "best_response_date",
    "confirmed",
    "confirmed_best_response",
    "confirmed_best_response_date",
    "confirmation_date",
    "why_not_better",
    "first_response_date",
    "progression_date",
    "progression_reason",
    "pd_after_new_therapy",
    "reference_date",
    "last_evaluable_date",
    "best_change_percent",
    "accepted",
    "site",
    "flags",
)
Options = BestResponseOptions | Mapping[str, BestResponseOptions] | None


@dataclass(frozen=True, eq=False)
class CollectedBest:
    """Rows of `subjects.csv` by column (texts, one per series), and what was wrong in the collected responses."""

    columns: Mapping[str, list[str]]
    findings: Sequence[Finding] = field(default=())


def best_response_frame(
    collected: Records,
    subjects: Records | None = None,
    options: Options = None,
    findings: list[Finding] | None = None,
    protocol: Protocol | None = None,
) -> "pd.DataFrame":
    """Return the best responses as a table, one row per subject, evaluator and criterion; all columns are text.

    Parameters
    ----------
    collected
        Rows of `columns.COLLECTED_COLUMNS`; `response` stands for `overall` where only that is there.
    subjects
        Rows of `columns.SUBJECT_COLUMNS`. A subject who stands only here gets a row, too.
    options
        The options, or those of each criterion by its name.
    findings
        Where to put what was wrong; left out if None.
    protocol
        Where criteria of the study's own are defined.
    """
    import pandas as pd

    best = best_of_collected(collected, subjects, options, protocol)
    if findings is not None:
        findings.extend(best.findings)
    return pd.DataFrame(dict(best.columns), dtype="str")


def best_of_collected(
    collected: Records, subjects: Records | None = None, options: Options = None, protocol: Protocol | None = None
) -> CollectedBest:
    """Return the best responses of collected responses (see `best_response_frame`).

    1. Each text is read as a response; one that names none counts as NE and is a finding. Blank is no assessment.
    2. The assessments of each series are put in order; those at baseline are left out.
    3. The minimum duration of SD counts from the date that `min_sd_reference` names, else from the baseline row.
    """
    table = CollectedResponses.of(collected, subjects, protocol)
    columns: dict[str, list[str]] = {name: [""] * len(table.subject) for name in SUBJECT_RESULT_COLUMNS}
    columns.update(subject=table.subject, evaluator=table.evaluator, criterion=table.criterion)
    columns.update(site=table.facts.site, accepted=table.accepted())
    own = [name for criterion in dict.fromkeys(table.criterion) for name, _ in first_dates_of(criterion, protocol)]
    columns.update({name: [""] * len(table.subject) for name in own})
    for name, block in table.blocks():
        chosen = _options_of(name, options)
        course = table.course(block, chosen)
        result = best_responses(course, chosen)
        told = _told(table, block, course, result)
        told["why_not_better"] = why_sentences(course, result, chosen)
        for column, texts in told.items():
            for place, text in zip(block.series.tolist(), texts, strict=True):
                columns[column][place] = text
    return CollectedBest(columns, table.findings)


def _options_of(criterion: str, options: Options) -> BestResponseOptions:
    if isinstance(options, Mapping):
        return options.get(criterion, BestResponseOptions())
    return options or BestResponseOptions()


def _told(
    table: CollectedResponses, block: CollectedBlock, course: ResponseCourse, result: BestResponses
) -> dict[str, list[str]]:
    """Return the columns of a block as texts."""
    own = first_dates_of(table.criterion[int(block.series[0])], table.protocol)

    def dated(index: Places, days: Days) -> list[str]:
        precision = table.records.date("date").precision
        row = _at(block.row, index)
        known = np.full(len(row), DatePrecision.DAY, np.int8)
        known[row >= 0] = precision[row[row >= 0]]
        return iso_texts(days, known)

    return {
        "best_response": _names(result.best, course),
        "best_response_date": dated(result.best_index, result.best_date),
        "confirmed": [("", "N", "Y")[code] for code in result.confirmed.tolist()],
        "confirmed_best_response": _names(result.confirmed_best, course),
        "confirmed_best_response_date": dated(result.confirmed_index, result.confirmed_date),
        "confirmation_date": dated(result.confirmation_index, result.confirmation_date),
        "first_response_date": dated(result.first_response_index, result.first_response_date),
        "progression_date": dated(result.progression_index, result.progression_date),
        "progression_reason": _progression_reasons(table, block, course, result),
        "pd_after_new_therapy": ["Y" if late else "" for late in result.pd_after_new_therapy.tolist()],
        "reference_date": iso_texts(course.reference_date),
        "last_evaluable_date": dated(result.last_evaluable_index, result.last_evaluable_date),
        "best_change_percent": _best_changes(table, block, result),
        "flags": [";".join(BestFlag.texts(flags)) for flags in result.flags.tolist()],
        **{
            name: dated(first := first_place(course.response == response), at_place(course.first_scan, first))
            for name, response in own
        },
    }


def _progression_reasons(
    table: CollectedResponses, block: CollectedBlock, course: ResponseCourse, result: BestResponses
) -> list[str]:
    rows = _at(block.row, result.progression_index)
    labels = table.records.text_column("timepoint")
    told = []
    for series, row in enumerate(rows.tolist()):
        if row < 0:
            told.append("")
            continue
        read = Response(course.response[series, result.progression_index[series]])
        where = f" at timepoint {labels.text(row)}" if labels.text(row) else ""
        after_cr = "" if read in (Response.PD, Response.UNCONFIRMED_PD) else " after CR, which is progression"
        told.append(f"{course.words[read]} was collected{where}{after_cr}")
    return told


def _best_changes(table: CollectedResponses, block: CollectedBlock, result: BestResponses) -> list[str]:
    """Return the smallest sum that counts against the baseline sum, in percent to one decimal."""
    sums = table.records.number("sum_mm").astype(np.int64)
    now, base = block.gather(sums, NO_NUMBER), table.baseline_values(sums, NO_NUMBER)[block.series]
    use = result.counted.counted & (result.counted.code != Response.NE) & (now != NO_NUMBER)
    none = np.iinfo(np.int64).max
    least = np.where(use, now, none).min(axis=1, initial=none)
    pairs = zip(base.tolist(), least.tolist(), strict=True)
    return ["" if first <= 0 or low == none else f"{100 * (low - first) / first:.1f}" for first, low in pairs]


def _names(codes: NDArray[np.int8], course: ResponseCourse) -> list[str]:
    names = best_names(course.words)
    return [names[Response(code)] for code in codes.tolist()]


def _at(rows: NDArray[np.int64], place: Places) -> NDArray[np.int64]:
    if not rows.shape[1]:
        return np.full(len(rows), NO_PLACE, np.int64)
    return np.where(place == NO_PLACE, NO_PLACE, rows[np.arange(len(rows)), np.maximum(place, 0)])
