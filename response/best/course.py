"""The course of responses of every series, and which of its timepoints count for the best overall response.

Source: Eisenhauer et al., Eur J Cancer 2009;45:228-247, sections 4.4 to 4.6 and table 3 with its footnote.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.best.dates import NEVER, Days, assessment_dates
from response.best.unconfirmed import unconfirmed
from response.cells import NO_DATE
from response.protocol import BestResponseOptions
from response.vocabulary import RESPONSE_NAMES, Response

Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]
Places = NDArray[np.int32]

NO_PLACE: Final = -1  # no such timepoint

# Of several assessments on one date the worst counts; one that says nothing gives way to one that says something
# (so does admiralonco's flag of the worst assessment per date).
_SEVERITY: Final = np.zeros(len(Response), np.int8)
for _place, _code in enumerate(
    (
        Response.BLANK,
        Response.ND,
        Response.NA,
        Response.NE,
        Response.NED,
        Response.CR,
        Response.PR,
        Response.SD,
        Response.NON_CR_NON_PD,
        Response.UNCONFIRMED_PD,
        Response.PD,
    )
):
    _SEVERITY[_code] = _place


@dataclass(frozen=True, kw_only=True, eq=False)
class ResponseCourse:
    """Overall responses of a block of series; arrays `[series, timepoint]` unless said, timepoints in time order.

    Attributes
    ----------
    response
        `vocabulary.Response` codes, computed or collected, as they were read: never revised.
    exists
        Whether there is an assessment after baseline; a blank response is none.
    first_scan, last_scan
        Days since 1970; `NO_DATE` where unknown.
    progression_date
        Date that shows the progression of a PD (before the timepoint, if back-dated), else `NO_DATE`.
    reference_date
        `[series]`; date from which the minimum duration of SD is counted.
    new_therapy
        `[series]`; first day of a new anti-cancer therapy.
    slack_days
        Days by which the true dates may be later (partial dates stand with their first possible day).
    judged_after_cr
        Timepoints whose disease after CR was judged already (`node_regrowth_after_cr = "require_sum_rule"`):
        `post_cr_disease` leaves them alone.
    words
        The word for each response, for sentences.
    """

    response: Codes
    exists: Flags
    first_scan: Days
    last_scan: Days
    progression_date: Days
    reference_date: Days
    new_therapy: Days
    slack_days: Days | None = None
    judged_after_cr: Flags | None = None
    words: Mapping[Response, str] = field(default_factory=lambda: RESPONSE_NAMES)


@dataclass(frozen=True, kw_only=True, eq=False)
class CountedCourse:
    """What of a course counts; arrays `[series, timepoint]` unless said.

    Attributes
    ----------
    assessed
        Whether there is an assessment.
    outdone
        Whether a worse one of the same date counts instead.
    adjudicated
        The responses after the revision of disease after CR.
    counted
        Assessments up to the first PD and before new therapy.
    code
        `adjudicated` where counted, else blank; ND and NA are NE there (`not_done_as_ne`).
    date, latest
        First and last possible day of the assessment; `NO_DATE` and `NEVER` where unknown.
    not_before_therapy
        Whether the assessment is on or after the first day of a new therapy.
    progression_index, progression_date
        `[series]`; the first PD, also where it comes after new therapy. Where progression has to be confirmed: the
        first PD, which has the date of the first unconfirmed one that led to it, or else the first of those
        unconfirmed ones that nothing confirmed or undid.
    after_cr
        `[series]`; whether a revision of disease after CR decides (`adjudicate_cr`).
    """

    assessed: Flags
    outdone: Flags
    adjudicated: Codes
    counted: Flags
    code: Codes
    date: Days
    latest: Days
    not_before_therapy: Flags
    progression_index: Places
    progression_date: Days
    after_cr: Flags


def first_place(holds: Flags) -> Places:
    """Return the first timepoint at which something holds, `NO_PLACE` where it never does; `[series]`."""
    if not holds.shape[1]:
        return np.full(len(holds), NO_PLACE, np.int32)
    place = holds.argmax(axis=1)
    return np.where(holds[np.arange(len(holds)), place], place, NO_PLACE).astype(np.int32)


def last_place(holds: Flags) -> Places:
    """Return the last timepoint at which something holds, `NO_PLACE` where it never does; `[series]`."""
    mirrored = first_place(holds[:, ::-1])
    return np.where(mirrored == NO_PLACE, NO_PLACE, holds.shape[1] - 1 - mirrored).astype(np.int32)


def at_place(values: NDArray[np.int32], place: Places) -> NDArray[np.int32]:
    """Return the value at one timepoint of each series, `NO_DATE` where there is no such timepoint; `[series]`."""
    if not values.shape[1]:
        return np.full(len(values), NO_DATE, np.int32)
    found = values[np.arange(len(values)), np.maximum(place, 0)]
    return np.where(place == NO_PLACE, NO_DATE, found)


def count_course(course: ResponseCourse, options: BestResponseOptions) -> CountedCourse:
    """Return what of a course counts for the best response.

    1. Of several assessments on one date the worst counts.
    2. Disease after CR becomes PD (`post_cr_disease = "pd"`).
    3. The assessments are dated; one without a date is taken to be no earlier than those before it.
    4. Those up to the first PD count (one on or after the date to which it is back-dated counts only as PD) ...
       An unconfirmed progression stops nothing, and those that led to the first PD count (`unconfirmed`).
    5. ... if they come before new therapy.
    6. A CR before disease becomes PR (`post_cr_disease = "revise_to_pr"`).
    """
    assessed = course.exists & (course.response != Response.BLANK)
    outdone = _outdone(course, assessed)
    valid = assessed & ~outdone
    relapsed = _relapsed(course, valid) if options.post_cr_disease == "pd" else np.zeros(valid.shape, np.bool_)
    adjudicated = np.where(relapsed, np.int8(Response.PD), course.response)
    date = assessment_dates(
        adjudicated, course.first_scan, course.last_scan, course.progression_date, options.tp_date_rule
    )
    floor = np.maximum.accumulate(np.where(valid, date, NO_DATE), axis=1) if date.size else date
    at_least = np.where(date == NO_DATE, floor, date)
    pending = unconfirmed(adjudicated, valid)
    if pending is not None:
        date = pending.dated(date, course.first_scan, course.progression_date, adjudicated)
        at_least = np.where(date == NO_DATE, floor, date)
    progression = _first_progression(valid & (adjudicated == Response.PD), relapsed, date)
    late = _not_before(at_least, course.new_therapy, options)
    counted = valid & ~late
    if options.after_pd == "stop":
        upto = _up_to(progression, at_least, at_place(date, progression))
        counted &= upto if pending is None else upto | pending.led_to(progression)
    after_cr = progression != NO_PLACE
    after_cr &= at_place(relapsed.astype(np.int32), progression) == 1
    if options.post_cr_disease != "pd":
        disease = counted & _is_disease(course)
        revised = counted & (course.response == Response.CR) & _any_later(disease)
        after_cr = revised.any(axis=1)
        if options.post_cr_disease == "revise_to_pr":
            adjudicated = np.where(revised, np.int8(Response.PR), adjudicated)
    if pending is not None:
        progression = pending.progression(progression, date, valid & ~late)
    return CountedCourse(
        assessed=assessed,
        outdone=outdone,
        adjudicated=adjudicated,
        counted=counted,
        code=_codes(adjudicated, counted, options),
        date=date,
        latest=_latest(date, course.slack_days),
        not_before_therapy=assessed & late,
        progression_index=progression,
        progression_date=at_place(date, progression),
        after_cr=after_cr,
    )


def _outdone(course: ResponseCourse, assessed: Flags) -> Flags:
    """Return where a worse assessment has the same, wholly known, first date; of equal ones the first counts."""
    outdone = np.zeros(assessed.shape, np.bool_)
    whole = assessed & (course.first_scan != NO_DATE)
    if course.slack_days is not None:
        whole &= course.slack_days == 0
    severity = _SEVERITY[course.response]
    series = np.arange(len(assessed))
    kept = np.full(len(assessed), NO_PLACE, np.int32)
    for place in range(assessed.shape[1]):
        here = whole[:, place]
        same = here & (kept != NO_PLACE) & (course.first_scan[series, kept] == course.first_scan[:, place])
        worse = severity[:, place] > severity[series, kept]
        outdone[series[same & worse], kept[same & worse]] = True
        outdone[:, place] = same & ~worse
        kept = np.where(here & ~outdone[:, place], place, kept)
    return outdone


def _is_disease(course: ResponseCourse) -> Flags:
    disease = (course.response >= Response.PR) & (course.response <= Response.NON_CR_NON_PD)
    return disease if course.judged_after_cr is None else disease & ~course.judged_after_cr


def _relapsed(course: ResponseCourse, valid: Flags) -> Flags:
    # After a PD nothing is revised: those timepoints are flagged, not judged again.
    complete = _any_earlier(valid & (course.response == Response.CR))
    progressed = _any_earlier(valid & (course.response == Response.PD))
    return valid & _is_disease(course) & complete & ~progressed


def _any_earlier(holds: Flags) -> Flags:
    earlier = np.zeros(holds.shape, np.bool_)
    np.logical_or.accumulate(holds[:, :-1], axis=1, out=earlier[:, 1:])
    return earlier


def _any_later(holds: Flags) -> Flags:
    return _any_earlier(holds[:, ::-1])[:, ::-1]


def _first_progression(progressive: Flags, relapsed: Flags, date: Days) -> Places:
    """Return the first PD; a later one that is back-dated to before a relapse after CR goes before it."""
    relapse, recorded = first_place(relapsed), first_place(progressive & ~relapsed)
    recorded_date, relapse_date = at_place(date, recorded), at_place(date, relapse)
    first = (relapse == NO_PLACE) | ((recorded_date != NO_DATE) & (recorded_date < relapse_date))
    return np.where(first, recorded, relapse)


def _up_to(progression: Places, at_least: Days, progression_date: Days) -> Flags:
    places = np.arange(at_least.shape[1], dtype=np.int32)[None, :]
    last = np.where(progression == NO_PLACE, at_least.shape[1], progression)[:, None]
    date = np.where(progression_date == NO_DATE, NEVER, progression_date)[:, None]
    return np.asarray((places == last) | ((places < last) & (at_least < date)))


def _not_before(at_least: Days, new_therapy: Days, options: BestResponseOptions) -> Flags:
    therapy = np.where(new_therapy == NO_DATE, NEVER, new_therapy)[:, None]
    return np.asarray(at_least >= therapy if options.same_day_new_therapy == "exclude" else at_least > therapy)


def _latest(date: Days, slack_days: Days | None) -> Days:
    return np.where(date == NO_DATE, NEVER, date if slack_days is None else date + slack_days)


def _codes(adjudicated: Codes, counted: Flags, options: BestResponseOptions) -> Codes:
    code = np.where(counted, adjudicated, np.int8(Response.BLANK))
    code[code == Response.NA] = Response.NE
    if options.not_done_as_ne:
        code[code == Response.ND] = Response.NE
    return code
