"""What a report says, as plain records: one per subject, evaluator and timepoint of an assessment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from response.cells import NO_DATE, NO_NUMBER, NO_ROW, DatePrecision, iso_texts, thousandths_text
from response.columns import COLUMNS, IMAGING_COLUMNS
from response.measurements import Measurements
from response.report.tables import timepoint_table
from response.vocabulary import Role, YesNo, text_of

if TYPE_CHECKING:
    from response.engine import Assessment

_OF_THE_REPORT: Final = ("subject", "evaluator", "timepoint", "lesion", "role", "unit", "source")


@dataclass(frozen=True, kw_only=True)
class LesionRecord:
    """One lesion at one timepoint, as its row of the measurement table has it.

    Attributes
    ----------
    lesion
        Its id within the series.
    role
        At baseline where the lesion is known there, else where it was first seen.
    nodal
        Whether its short axis counts.
    cells
        Texts by column (`COLUMNS`, `IMAGING_COLUMNS`), without blanks; numbers with a decimal point, lengths in mm.
    tracking_uids
        What the rows of the lesion say at all timepoints, each once.
    file, line
        Where the row stands.
    """

    lesion: str
    role: Role
    nodal: bool
    cells: Mapping[str, str]
    tracking_uids: Sequence[str] = ()
    file: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class ReportRecord:
    """One timepoint of one subject as one evaluator saw it.

    Attributes
    ----------
    subject, evaluator, timepoint
        Of the tables.
    trial
        Study id of the subject table, or empty.
    date
        ISO date of the first scan, as far as it is known.
    order
        Place in time among the timepoints of the series, from 0.
    days
        From the baseline scan; None where one of the dates is not known to the day.
    is_baseline, is_unscheduled
        Of the timeline, and of the visit table.
    lesions
        Those with a row, in the order of their names.
    responses
        By criterion: the row of `timepoints.csv`, without blanks.
    """

    subject: str
    evaluator: str
    timepoint: str
    trial: str
    date: str
    order: int
    days: int | None
    is_baseline: bool
    is_unscheduled: bool
    lesions: Sequence[LesionRecord]
    responses: Mapping[str, Mapping[str, str]]


def report_records(assessment: "Assessment") -> Iterator[ReportRecord]:
    """Hand out a record for each timepoint of each series, in the order of the timeline."""
    rows = timepoint_table(assessment).rows()
    timeline = assessment.timeline
    lesions = _Lesions(assessment)
    for cell in range(len(timeline.visits)):
        responses = {row["criterion"]: _filled(row) for row in islice(rows, len(assessment.results))}
        first = next(iter(responses.values()))
        series = int(timeline.series_of_cell[cell])
        yield ReportRecord(
            subject=timeline.series.subjects[timeline.series.subject[series]],
            evaluator=timeline.series.evaluators[timeline.series.evaluator[series]],
            timepoint=timeline.visits.labels[timeline.visits.label[cell]],
            trial=_trial(assessment, series),
            date=first.get("date", ""),
            order=int(timeline.place[cell]),
            days=_days_from_baseline(assessment, series, cell),
            is_baseline=int(timeline.baseline_cell[series]) == cell,
            is_unscheduled=_is_unscheduled(assessment, cell),
            lesions=lesions.at(series, cell),
            responses=responses,
        )


def _filled(row: Mapping[str, str]) -> dict[str, str]:
    return {column: text for column, text in row.items() if text}


def _trial(assessment: "Assessment", series: int) -> str:
    subjects = assessment.timeline.measurements.subjects
    row = int(assessment.timeline.series.subject_row[series])
    return subjects.text_column("study").text(row) if subjects is not None and row >= 0 else ""


def _days_from_baseline(assessment: "Assessment", series: int, cell: int) -> int | None:
    visits, baseline = assessment.timeline.visits, int(assessment.timeline.baseline_cell[series])
    if baseline < 0 or any(visits.precision[place] != DatePrecision.DAY for place in (baseline, cell)):
        return None
    days = [int(visits.first_scan[place]) for place in (baseline, cell)]
    return None if NO_DATE in days else days[1] - days[0]


def _is_unscheduled(assessment: "Assessment", cell: int) -> bool:
    visits, row = assessment.timeline.measurements.visits, int(assessment.timeline.visits.visit_row[cell])
    return visits is not None and row >= 0 and bool(visits.code("unscheduled")[row] == YesNo.YES)


class _Lesions:
    """Looks up the lesions of a timepoint."""

    def __init__(self, assessment: "Assessment") -> None:
        self.timeline = assessment.timeline
        self.columns = _readers(self.timeline.measurements)
        self.tracking = self.columns.get("tracking_uid", _blank)

    def at(self, series: int, cell: int) -> list[LesionRecord]:
        place = int(self.timeline.place[cell])
        found = []
        for track in self.timeline.tracks_of(series):
            row = int(self.timeline.row[self.timeline.spot_start[track] + place])
            if row != NO_ROW:
                found.append(self._record(track, row))
        return found

    def _record(self, track: int, row: int) -> LesionRecord:
        tracks, table = self.timeline.tracks, self.timeline.measurements.table
        texts = {column: text for column, read in self.columns.items() if (text := read(row))}
        file, line = table.where(row)
        rows = self.timeline.row[self.timeline.spots(track)]
        uids = dict.fromkeys(self.tracking(other) for other in rows[rows != NO_ROW].tolist())
        return LesionRecord(
            lesion=tracks.lesions[tracks.lesion[track]],
            role=Role(int(tracks.role[track])),
            nodal=bool(tracks.nodal[track]),
            cells=texts,
            tracking_uids=[uid for uid in uids if uid],
            file=file,
            line=line,
        )


def _blank(_row: int) -> str:
    return ""


def _readers(measured: Measurements) -> dict[str, Callable[[int], str]]:
    """Return for each column of the table that belongs into a report a function from row to text."""
    names = [name for name in (*COLUMNS, *IMAGING_COLUMNS) if name not in _OF_THE_REPORT and measured.has(name)]
    return {name: _reader(measured, name) for name in names}


def _reader(measured: Measurements, name: str) -> Callable[[int], str]:
    if name in measured.codes:
        codes, words = measured.codes[name], COLUMNS[name].words
        assert words is not None
        return lambda row: text_of(words(int(codes[row])))
    if name in measured.numbers:
        numbers = measured.numbers[name]
        return lambda row: "" if numbers[row] == NO_NUMBER else thousandths_text(int(numbers[row]))
    if name in measured.dates:
        dates = measured.dates[name]
        return lambda row: iso_texts(dates.days[row : row + 1], dates.precision[row : row + 1])[0]
    return measured.text_column(name).text
