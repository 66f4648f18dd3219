"""One subject's course as a person would tell it, timepoint by timepoint.

What is told comes from the tables of results, cut to one series; thresholds and the other rules that hold are
made again from the rules themselves.
"""

import difflib
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import numpy as np

from response.cells import NO_DATE, DatePrecision, iso_texts
from response.criteria.criterion import State
from response.criteria.recist import RecistState
from response.criteria.rules import all_that_hold
from response.engine import Assessment
from response.errors import InputError
from response.registry import STANDARD
from response.report.ancillary_lines import ancillary_lines
from response.report.judged import judged_findings
from response.report.one_series import one_series, states_of
from response.report.tables import ancillary_table, lesion_table, subject_table, timepoint_table
from response.report.thresholds import thresholds
from response.result import Result
from response.suggestion import is_of_liver, suggestion_lines
from response.visit_descriptors import THERAPIES
from response.vocabulary import NA, NE, PROGRESSIVE_NODULES, RESPONSE_NAMES, PathologyClass, Response, organ_of, text_of

WIDTH: Final = 100
_RESPONSES: Final = tuple(RESPONSE_NAMES[code] for code in (Response.CR, Response.PR))
_FLAGS: Final = {
    "after_new_therapy": "on or after the start of new therapy",
    "pd_backdated": "the progression is dated back to the scan that first showed it",
}
_BEST_FLAGS: Final = {
    "adjudicate_cr": "disease after CR decides: review whether the CR was true",
    "date_missing": "an assessment that counts has no date",
    "date_partial": "an assessment that counts has a partial date",
    "no_reference_date": "no date to count the minimum duration of SD from",
    "pd_after_new_therapy": "the progression comes after new therapy",
    "pd_backdated": "the progression is dated back to the scan that first showed it",
    "after_pd": "assessments after the first progression were left out",
    "after_new_therapy": "assessments on or after new therapy were left out",
    "same_date": "of several assessments on one date the worst counts",
    "progression_unconfirmed": "no later assessment confirmed the progression, or undid it",
}
Row = Mapping[str, str]


def explain(assessment: Assessment, subject: str, timepoint: str | None = None, evaluator: str | None = None) -> str:
    """Return a subject's course as plain text of at most 100 columns.

    Parameters
    ----------
    assessment
        The trial.
    subject
        Id of the subject.
    timepoint
        Label of the only timepoint to tell; all if None.
    evaluator
        The only evaluator to tell; all if None.

    Raises
    ------
    InputError
        If there is no such subject, timepoint or evaluator.
    """
    places = _series_of(assessment, subject, evaluator)
    told = [_Course(one_series(assessment, place), timepoint).lines() for place in places]
    return "\n\n".join("\n".join(_wrapped(lines)) for lines in told)


def _series_of(assessment: Assessment, subject: str, evaluator: str | None) -> list[int]:
    series = assessment.timeline.series
    names = list(series.subjects)
    code = names.index(subject) if subject in names else -1
    places = (series.subject == code).nonzero()[0].tolist()
    if not places:
        raise InputError(f"subject '{subject}'", "no measurements of this subject", _near(subject, names))
    if evaluator is None:
        return [int(place) for place in places]
    readers = {series.evaluators[series.evaluator[place]]: int(place) for place in places}
    if evaluator not in readers:
        known = ", ".join(name or "(blank)" for name in readers)
        raise InputError(f"evaluator '{evaluator}'", "not one of this subject", known)
    return [readers[evaluator]]


def _near(subject: str, names: Sequence[str]) -> str:
    # Close ids only: a message is no place for the list of all patients.
    close = difflib.get_close_matches(subject, names, n=3)
    return (
        f"a subject of the measurements, for instance {' or '.join(close)}"
        if close
        else "a subject of the measurements"
    )


class _Course:
    """Tells the course of one series."""

    def __init__(self, assessment: Assessment, timepoint: str | None) -> None:
        self.assessment, self.timeline = assessment, assessment.timeline
        self.states: Mapping[str, State] = states_of(assessment)
        cells = len(self.timeline.visits)
        criteria = len(assessment.results)
        # what follows in the table are subjects without any measurement
        rows = list(islice(timepoint_table(assessment).rows(), cells * criteria))
        self.rows = [rows[place * criteria : (place + 1) * criteria] for place in range(cells)]
        self.lesions: dict[str, list[Row]] = {}
        for row in lesion_table(assessment).rows():
            self.lesions.setdefault(row["timepoint"], []).append(row)
        self.ancillary: dict[str, list[Row]] = {}
        for row in ancillary_table(assessment).rows():
            self.ancillary.setdefault(row["timepoint"], []).append(row)
        self.judged = judged_findings(assessment, self.states)
        told = [row for rows in self.ancillary.values() for row in rows]
        self.no_cells = {row["lesion"] for row in told if row["pathology_class"] == _NO_CELLS}
        self.places = self._chosen(timepoint)
        self.whole = timepoint is None
        self.of_liver = is_of_liver(self._about("tumour_type"))

    def _about(self, column: str) -> str:
        """Return a text of the subject table, blank where there is none."""
        subjects, row = self.timeline.measurements.subjects, int(self.timeline.series.subject_row[0])
        return "" if subjects is None or row < 0 else subjects.text_column(column).text(row)

    def _ended(self, column: str) -> int:
        """Return the day of a date of the subject table where it is known to the day, else `NO_DATE`."""
        subjects, row = self.timeline.measurements.subjects, int(self.timeline.series.subject_row[0])
        if subjects is None or row < 0 or column not in subjects.dates:
            return NO_DATE
        ended = subjects.dates[column]
        return int(ended.days[row]) if ended.precision[row] == DatePrecision.DAY else NO_DATE

    def _chosen(self, timepoint: str | None) -> list[int]:
        labels = [rows[0]["timepoint"] for rows in self.rows]
        if timepoint is None:
            return list(range(len(labels)))
        found = [place for place, label in enumerate(labels) if label.casefold() == timepoint.strip().casefold()]
        if not found:
            raise InputError(f"timepoint '{timepoint}'", "not one of this subject", f"one of {', '.join(labels)}")
        return found

    def lines(self) -> Iterator[str]:
        """Hand out the lines, not yet wrapped."""
        yield from self._head()
        for place in self.places:
            yield ""
            yield from self._timepoint(place)
        if self.whole:
            yield ""
            yield from self._best()
        scopes = [result.criterion.scope for result in self.assessment.results.values() if result.criterion.scope]
        if scopes:
            yield ""
            yield from dict.fromkeys(scopes)

    def _head(self) -> Iterator[str]:
        first, series = self.rows[0][0], self.timeline.series
        parts = [f"Subject {first['subject']}"]
        parts += [f"evaluator {first['evaluator']}"] if first["evaluator"] else []
        parts += ["accepted by adjudication"] if first["accepted"] else []
        parts += [f"site {first['site']}"] if first["site"] else []
        yield ", ".join(parts)
        if setting := self._about("setting"):
            yield f"Setting: {setting}"
        for name, days in (
            ("Start of treatment", series.treatment_start),
            ("Randomisation", series.randomisation),
            *((f"End of {name}", np.asarray([self._ended(column)], np.int32)) for name, column in THERAPIES.items()),
            ("New therapy", series.new_therapy),
        ):
            if int(days[0]) != NO_DATE:
                yield f"{name}: {iso_texts(days)[0]}"
        if int(series.baseline[0]) < 0:
            yield "There is no baseline, so no response can be computed."
        yield from suggestion_lines(self.assessment, 0)

    # --- one timepoint

    def _timepoint(self, place: int) -> Iterator[str]:
        rows = self.rows[place]
        first = rows[0]
        yield f"{_title(first)}{self._after_therapy(place)}"
        yield from self._lesions(first["timepoint"])
        yield from ancillary_lines(self.ancillary.get(first["timepoint"], []), self.judged)
        if place > int(self.timeline.series.baseline[0]) >= 0:
            yield from _sum_lines(first, complete=self._is_complete(place))
            for row in rows:
                yield from self._criterion(row, place)
            if first.get("disagreement"):
                yield f"  The criteria disagree: {first['disagreement']}."
        else:
            yield f"  {first['reason']}" if first["reason"] else "  Not scored."

    def _after_therapy(self, place: int) -> str:
        """Return how long after the end of each therapy a scan was made."""
        visits, told = self.timeline.visits, ""
        scan = int(visits.first_scan[place])
        for name, column in THERAPIES.items():
            end = self._ended(column)
            if visits.precision[place] == DatePrecision.DAY and NO_DATE not in (end, scan) and scan >= end:
                told += f", {scan - end} days after {name}"
        return told

    def _is_complete(self, place: int) -> bool:
        recist = self.states[STANDARD]
        assert isinstance(recist, RecistState)
        return bool(recist.all_assessed[0, place])

    def _lesions(self, label: str) -> Iterator[str]:
        of_role: dict[str, list[list[str]]] = {}
        for row in self.lesions.get(label, []):
            of_role.setdefault(row["role"] or "no role", []).append(_lesion_cells(row, self._gone(row)))
        for role in sorted(of_role, key=lambda role: [*_ROLES, role].index(role)):
            lines = of_role[role]
            yield f"  {_ROLES.get(role, role)}:"
            widths = [max(len(line[column]) for line in lines) for column in range(3)]
            for line in lines:
                cells = [line[0].ljust(widths[0]), line[1].ljust(widths[1]), line[2].rjust(widths[2]), *line[3:]]
                yield f"    {'  '.join(cell for cell in cells if cell.strip())}".rstrip()
        if "new" not in of_role:
            yield "  New lesions: none recorded" if label in self.lesions else "  No lesion was recorded."

    def _gone(self, row: Row) -> str:
        """Return what the absence of a metastasis of the liver proves; blank for any other lesion."""
        followed = row["role"] in ("target", "non_target") and row["state"] == "absent" and not self.of_liver
        if not followed or organ_of(row["organ"] or row["location"]) != "liver":
            return ""
        if row["lesion"] in self.no_cells:
            return "no longer visible, and pathology found no viable cells"
        return "no longer visible, which proves no pathological complete response"

    def _criterion(self, row: Row, place: int) -> Iterator[str]:
        name = row["criterion"]
        result = self.assessment.results[name]
        yield f"  {result.criterion.title}: {row['overall'] or 'not scored'}{_dated(row)}"
        yield f"    {row['reason']}"
        clause = f", clause {row['clause']}" if row["clause"] else ""
        yield f"    Rule {row['rule']}{clause}"
        answers = [f"{_QUESTIONS[key]} {row[key]}" for key in _QUESTIONS if row.get(key) and key in result.answers]
        if answers:
            yield f"    {_capital(', '.join(answers))}"
        if row["drivers"]:
            yield f"    Driven by {row['drivers'].replace(';', ', ')}"
        found = thresholds(self.states[name], place)
        if found:
            yield f"    {'; '.join(found)}"
        others = self._others(result, row["rule"], place)
        if others:
            yield f"    Also holds, later in the order: {', '.join(others)}"
        for text in _flag_texts(result, row["flags"]):
            yield f"    Note: {text}"

    def _others(self, result: Result, decided: str, place: int) -> list[str]:
        """Return the rules that hold besides the deciding ones.

        Not the last of a question, which always holds, nor any of a question that does not arise: there are no targets.
        Where a question could not be answered, what was measured alone is no response.
        """
        state, found = self.states[result.criterion.name], []
        for question in result.criterion.questions:
            chosen = question.rules[int(state.answers[question.name][0, place])]
            if chosen.category == NA:
                continue
            holds = all_that_hold(question.rules, state, question.active(result.options)[:-1])
            for rule in question.rules:
                rule_id = result.criterion.rule_id(question.name, rule)
                if rule_id == decided or rule.sentence == chosen.sentence:
                    continue  # it tells nothing else
                if chosen.category == NE and rule.category in _RESPONSES:
                    continue
                if rule.name in holds and holds[rule.name][0, place]:
                    found.append(f"{rule_id} ({rule.category})")
        return found

    # --- the whole course

    def _best(self) -> Iterator[str]:
        yield "Best overall response"
        for row in islice(subject_table(self.assessment).rows(), len(self.assessment.results)):
            result = self.assessment.results[row["criterion"]]
            yield f"  {result.criterion.title}: {row['best_response']}{_on(row['best_response_date'])}{_confirmed(row)}"
            if row["why_not_better"]:
                yield f"    {row['why_not_better']}"
            if row["first_response_date"]:
                yield f"    First response on {row['first_response_date']}"
            if row["progression_date"]:
                yield f"    Progression on {row['progression_date']}: {row['progression_reason']}"
            if row["reference_date"]:
                yield f"    Durations count from {row['reference_date']}"
            for flag in filter(None, row["flags"].split(";")):
                yield f"    Note: {_BEST_FLAGS.get(flag, flag.replace('_', ' '))}"


_NO_CELLS: Final = text_of(PathologyClass.A).upper()
_NODULES: Final = frozenset(text_of(word) for word in PROGRESSIVE_NODULES)
_ROLES: Final = {
    "target": "Target lesions",
    "non_target": "Non-target lesions",
    "new": "New lesions",
    "candidate": "Candidates, which do not count",
}
_QUESTIONS: Final = {"target": "target lesions", "non_target": "non-target lesions", "new_lesion": "new lesions"}


def _title(row: Row) -> str:
    day = f", study day {row['study_day']}" if row["study_day"] else ""
    last = f" to {row['last_scan']}" if row["last_scan"] not in ("", row["date"]) else ""
    after = ", after progression" if row["after_pd"] else ""
    return f"Timepoint {row['timepoint']}{_on(row['date'], ', ')}{last}{day}{after}"


def _lesion_cells(row: Row, gone: str) -> list[str]:
    """Return name, site, value and notes of a lesion; `gone`: what is to be noted of its absence."""
    state, is_target = row["state"].replace("_", " "), row["role"] == "target"
    elsewhere = row["state"] in ("split", "merged")  # it adds 0, but it is not gone
    if is_target and row["value_mm"] and not elsewhere:
        value = f"{row['value_mm']} mm"
    else:
        value = f"{row['length_mm']} mm" if row["length_mm"] and not elsewhere else state
    notes = [note for note in (_why(row, value),) if note]
    if is_target and not elsewhere and row["change_from_baseline_mm"] not in ("", "0"):
        notes.append(f"{_signed(row['change_from_baseline_mm'])} mm{_percent(row['change_from_baseline_percent'])}")
    if row["attenuation_hu"]:
        notes.append(f"{row['attenuation_hu']} HU")
    if row["morphology"]:
        notes.append(f"morphologic group {row['morphology']}")
    if row["nodule"] in _NODULES:
        notes.append(f"{row['nodule']} intratumoral nodule")
    notes += [gone] if gone else []
    site = ", ".join(dict.fromkeys(filter(None, (row["organ"], row["location"]))))
    return [row["lesion"], site, value, ", ".join(notes)]


def _why(row: Row, value: str) -> str:
    """Return why the lesion has its value, as far as the value does not say it."""
    why = row["why"]
    if why.startswith(("non-target", "new lesion")):
        why = why.partition(": ")[2]
    if why in ("measured", "seen", value) or (why == "gone" and value == "absent"):
        return ""
    return why.removeprefix(f"{value}: ").removeprefix(f"{value} ")


def _sum_lines(row: Row, *, complete: bool) -> Iterator[str]:
    if row["missing_lesions"]:
        yield f"  Not assessed: {row['missing_lesions'].replace(';', ', ')}"
    if not row["sum_mm"]:
        return
    yield f"  Sum of diameters: {row['sum_mm']} mm{'' if complete else ' of the targets that were assessed'}"
    if row["change_from_baseline_mm"]:
        change = f"{_signed(row['change_from_baseline_mm'])} mm{_percent(row['change_from_baseline_percent'])}"
        yield f"    {change} from the baseline {row['baseline_mm']} mm"
    if row["change_from_nadir_mm"]:
        change = f"{_signed(row['change_from_nadir_mm'])} mm{_percent(row['change_from_nadir_percent'])}"
        where = f" (timepoint {row['nadir_timepoint']}{_on(row['nadir_date'], ', ')})"
        yield f"    {change} from the nadir {row['nadir_mm']} mm{where}"


def _flag_texts(result: Result, flags: str) -> Iterator[str]:
    sentences = {rule.name: rule.sentence for rule in result.criterion.flags}
    for flag in filter(None, flags.split(";")):
        yield sentences.get(flag) or _FLAGS.get(flag, flag.replace("_", " "))


def _dated(row: Row) -> str:
    shown = row["progression_date"]
    return f", progression dated {shown}" if shown and shown != row["date"] else ""


def _confirmed(row: Row) -> str:
    if row["confirmed"] == "Y":
        return f", confirmed{_on(row['confirmation_date'])}"
    if row["confirmed"] == "N":
        best = row["confirmed_best_response"]
        return f", not confirmed (with confirmation: {best}{_on(row['confirmed_best_response_date'])})"
    return ""


def _on(day: str, before: str = " on ") -> str:
    return f"{before}{day}" if day else ""


def _signed(number: str) -> str:
    return number if number.startswith("-") or number == "0" else f"+{number}"


def _percent(number: str) -> str:
    return f" ({_signed(number)} %)" if number else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _wrapped(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        indent = len(line) - len(line.lstrip())
        yield from textwrap.wrap(line, WIDTH, subsequent_indent=" " * (indent + 2)) or [""]
