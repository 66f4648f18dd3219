"""Collected responses in the order of series and time, as courses of responses.

A series is subject x evaluator x criterion. Dates order the assessments; one without a whole date stands where
its timepoint does. What is unusable becomes a finding.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.best.course import NO_PLACE, ResponseCourse
from response.best.dates import Days, reference_dates, slack_days
from response.cells import NO_DATE
from response.findings import Finding
from response.keys import has_number, is_baseline_label, rank, visit_key
from response.measurements import DateColumn, Records
from response.protocol import BestResponseOptions, Protocol
from response.registry import STANDARD, names_by_text, words_of
from response.table import TextColumn
from response.vocabulary import Response, YesNo, collected_words, folded, response_code

BLOCK_CELLS: Final = 700_000  # series x timepoints of a block

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CollectedBlock:
    """Series of one criterion and about one length, and the row of each of their assessments (`NO_PLACE`: none)."""

    series: Rows
    row: NDArray[np.int64]

    def gather(self, values: NDArray[Any], fill: int) -> NDArray[Any]:
        """Return the values of rows as `[series, timepoint]`."""
        found = np.full(self.row.shape, fill, values.dtype)
        there = self.row != NO_PLACE
        found[there] = values[self.row[there]]
        return found


@dataclass(frozen=True, eq=False)
class SubjectFacts:
    """What the subject table says of each series; `[series]`."""

    site: list[str]
    treatment_start: Days
    randomisation: Days
    new_therapy: Days


@dataclass(frozen=True, eq=False)
class CollectedResponses:
    """Collected responses by series, and what the subject table says of each.

    Attributes
    ----------
    records
        The rows as they were read.
    response, at_baseline, series
        `[row]`; `Response` code, whether the timepoint is the baseline, and the series (-1 for a row of none).
    subject, evaluator, criterion
        `[series]`, in that order.
    order
        The rows of all series, by series and time.
    facts
        What the subject table says.
    findings
        What was wrong.
    protocol
        Where criteria of the study's own are defined.
    """

    records: Records
    response: NDArray[np.int8]
    at_baseline: NDArray[np.bool_]
    subject: list[str]
    evaluator: list[str]
    criterion: list[str]
    series: NDArray[np.int32]
    order: Rows
    facts: SubjectFacts
    findings: list[Finding]
    protocol: Protocol | None = None

    @classmethod
    def of(cls, records: Records, subjects: Records | None, protocol: Protocol | None = None) -> "CollectedResponses":
        """Return the rows of a table of collected responses by series and time."""
        criteria = _criterion_names(records.text_column("criterion"), protocol)
        response, findings = _responses(records, [words_of(name, protocol) for name in criteria])
        at_baseline = _by_text(records.text_column("timepoint"), is_baseline_label)
        keys, series = _series(records, subjects, criteria)
        findings += _baseline_findings(records, at_baseline & (response != Response.BLANK))
        names = [key[0] for key in keys]
        return cls(
            records,
            response,
            at_baseline,
            names,
            [key[1] for key in keys],
            [key[2] for key in keys],
            series,
            _time_order(records, series),
            _subject_facts(names, subjects),
            findings,
            protocol,
        )

    def accepted(self) -> list[str]:
        """Return "Y" for each series that adjudication accepted, else the empty text."""
        accepted = np.zeros(len(self.subject), np.bool_)
        yes = (self.records.code("accepted") == YesNo.YES) & (self.series >= 0)
        accepted[self.series[yes]] = True
        return ["Y" if flag else "" for flag in accepted.tolist()]

    def blocks(self) -> Iterator[tuple[str, CollectedBlock]]:
        """Yield the series of each criterion, the short ones together, so that a long one costs only its own length."""
        use = self.order[((self.response != Response.BLANK) & ~self.at_baseline)[self.order]]
        owner = self.series[use]
        count = np.bincount(owner, minlength=len(self.subject))
        start = np.concatenate([[0], np.cumsum(count)])
        criterion = np.asarray(self.criterion, dtype=np.str_)
        for name in dict.fromkeys(self.criterion):
            members = np.flatnonzero(criterion == name)
            members = members[np.argsort(count[members], kind="stable")]
            while len(members):
                wide = (np.arange(len(members)) + 1) * np.maximum(count[members], 1)
                size = max(1, int(np.searchsorted(wide, BLOCK_CELLS, side="right")))
                part, members = members[:size], members[size:]
                places = np.arange(count[part].max())[None, :]
                there = places < count[part][:, None]
                row = np.full(there.shape, NO_PLACE, np.int64)
                row[there] = use[(start[part][:, None] + places)[there]]
                yield name, CollectedBlock(part, row)

    def course(self, block: CollectedBlock, options: BestResponseOptions) -> ResponseCourse:
        """Return the responses of a block; of a partial reference date the last possible day counts."""
        dates, facts = self.records.date("date"), self.facts
        days = block.gather(dates.days, NO_DATE)
        return ResponseCourse(
            response=block.gather(self.response, 0),
            exists=block.row != NO_PLACE,
            first_scan=days,
            last_scan=days,
            progression_date=np.full(days.shape, NO_DATE, np.int32),
            reference_date=reference_dates(
                facts.treatment_start[block.series],
                facts.randomisation[block.series],
                self.baseline_values(_last_days(dates), NO_DATE)[block.series],
                options.min_sd_reference,
            ),
            new_therapy=facts.new_therapy[block.series],
            slack_days=slack_days(days, block.gather(dates.precision, 0)),
            words=words_of(self.criterion[int(block.series[0])], self.protocol),
        )

    def baseline_values(self, values: NDArray[Any], fill: int) -> NDArray[Any]:
        """Return the value of the first baseline row of each series; `[series]`."""
        found = np.full(len(self.subject), fill, values.dtype)
        rows = self.order[self.at_baseline[self.order]][::-1]  # backwards, so that the first of a series stays
        found[self.series[rows]] = values[rows]
        return found


def _by_text(column: TextColumn, says: Callable[[str], bool]) -> NDArray[np.bool_]:
    return np.asarray([says(value) for value in column.values], np.bool_)[column.codes]


def _overall(records: Records) -> TextColumn:
    return records.text_column("overall" if records.has("overall") else "response")


def _responses(records: Records, words: Sequence[Mapping[Response, str]]) -> tuple[NDArray[np.int8], list[Finding]]:
    """Return the response of each row; a text that names none, by the words of its criterion, is NE and a finding."""
    overall = _overall(records)
    criterion = records.text_column("criterion")
    shape = (len(words), len(overall.values))
    found = [response_code(text, own) if text else Response.BLANK for own in words for text in overall.values]
    codes = np.asarray([Response.NE if code is None else code for code in found], np.int8).reshape(shape)
    none = np.asarray([code is None for code in found], np.bool_).reshape(shape)
    unknown = np.flatnonzero(none[criterion.codes, overall.codes]).tolist()
    findings = [_unknown_response(records, row, words[criterion.codes[row]]) for row in unknown]
    return codes[criterion.codes, overall.codes], findings


def _unknown_response(records: Records, row: int, words: Mapping[Response, str]) -> Finding:
    overall = _overall(records)
    expected = ", ".join(collected_words(words))
    return _finding(
        records,
        row,
        id="unknown_response",
        severity="error",
        column="overall",
        found=overall.text(row),
        expected=f"one of {expected}",
        sentence=f"the overall response is '{overall.text(row)}', which is none of {expected}; it counts as NE.",
        remedy="Correct the response in the source.",
    )


def _finding(records: Records, row: int, **what: str) -> Finding:
    file, line = records.table.where(row)
    about = {name: records.text_column(name).text(row) for name in ("subject", "evaluator", "timepoint")}
    return Finding(**about, **what, file=file, line=line)  # type: ignore[arg-type]


def _baseline_findings(records: Records, rows: NDArray[np.bool_]) -> list[Finding]:
    return [
        _finding(
            records,
            row,
            id="baseline_response",
            severity="warning",
            column="overall",
            found=_overall(records).text(row),
            expected="no response at baseline",
            sentence="A response stands at a baseline timepoint; it was left out.",
            remedy="Remove the response, or correct the timepoint.",
        )
        for row in np.flatnonzero(rows).tolist()
    ]


def _criterion_names(column: TextColumn, protocol: Protocol | None) -> list[str]:
    """Return the criterion of each distinct text: ours by their names, blank for the standard, others as they stand."""
    known = {"": STANDARD, "recist": STANDARD, **names_by_text(protocol)}
    return [known.get(folded(value), value) for value in column.values]


def _series(
    records: Records, subjects: Records | None, names: Sequence[str]
) -> tuple[list[tuple[str, str, str]], NDArray[np.int32]]:
    """Return the series, sorted, and that of each row; a row per subject (no timepoint, no response) is of none."""
    criteria = records.text_column("criterion")
    columns = [records.text_column("subject"), records.text_column("evaluator")]
    rows = zip(columns[0].codes.tolist(), columns[1].codes.tolist(), criteria.codes.tolist(), strict=True)
    text_blank = _by_text(records.text_column("timepoint"), lambda text: not text)
    used = ~(text_blank & _by_text(_overall(records), lambda text: not text))
    codes = list(rows)
    of_code = {
        code: (columns[0].values[code[0]], columns[1].values[code[1]], names[code[2]])
        for code in dict.fromkeys(code for code, use in zip(codes, used.tolist(), strict=True) if use)
    }
    assessed = {key[0] for key in of_code.values()}
    every = set(columns[0].texts()) | (set(subjects.text_column("subject").texts()) if subjects is not None else set())
    lone = {(name, "", STANDARD) for name in every - assessed - {""}}
    keys = sorted({*of_code.values(), *lone})
    place = {key: index for index, key in enumerate(keys)}
    series = [place[of_code[code]] if use else NO_PLACE for code, use in zip(codes, used.tolist(), strict=True)]
    return keys, np.asarray(series, np.int32)


def _time_order(records: Records, series: NDArray[np.int32]) -> Rows:
    """Return the rows that belong to a series, by series and time.

    A row without a whole date takes the date of the dated row before it in the order of the timepoints, and
    stands after it; labels without a number keep the order of the file.
    """
    labels, dates = records.text_column("timepoint"), records.date("date")
    visit = np.arange(len(series))
    if all(has_number(value) for value in labels.values if value):
        visit = rank(labels.values, visit_key)[labels.codes].astype(np.int64)
    rows = np.lexsort((visit, series))
    whole = slack_days(dates.days, dates.precision)[rows] == 0
    whole &= dates.days[rows] != NO_DATE
    last = np.maximum.accumulate(np.where(whole, np.arange(len(rows)), NO_PLACE)) if len(rows) else rows
    same = (last != NO_PLACE) & (series[rows[np.maximum(last, 0)]] == series[rows]) if len(rows) else whole
    when = np.where(same, dates.days[rows[np.maximum(last, 0)]], dates.days[rows]) if len(rows) else dates.days
    sorted_rows = rows[np.lexsort((np.arange(len(rows)), ~whole, when, series[rows]))]
    return np.asarray(sorted_rows[series[sorted_rows] != NO_PLACE])


def _subject_facts(names: Sequence[str], subjects: Records | None) -> SubjectFacts:
    """Return what the subject table says of the subject of each series; of two rows the first counts."""
    if subjects is None or not len(subjects):
        unknown = np.full(len(names), NO_DATE, np.int32)
        return SubjectFacts([""] * len(names), unknown, unknown, unknown)
    row_of = {name: row for row, name in reversed(list(enumerate(subjects.text_column("subject").texts())))}
    rows = np.asarray([row_of.get(name, NO_PLACE) for name in names], np.int64)
    site = subjects.text_column("site")

    def taken(days: Days) -> Days:
        return np.where(rows == NO_PLACE, NO_DATE, days[np.maximum(rows, 0)]).astype(np.int32)

    return SubjectFacts(
        ["" if row == NO_PLACE else site.text(row) for row in rows.tolist()],
        taken(_last_days(subjects.date("treatment_start"))),
        taken(_last_days(subjects.date("randomisation"))),
        taken(subjects.date("new_therapy").days),  # the first possible day: nothing on new therapy counts
    )


def _last_days(dates: DateColumn) -> Days:
    """Return the last possible day of each date, so that no duration is overstated."""
    return np.where(dates.days == NO_DATE, NO_DATE, dates.days + slack_days(dates.days, dates.precision)).astype(
        np.int32
    )
