"""Why a best overall response is not better: one rule per series, and its sentence with dates and days.

The rule is found for all series abreast, as a code into `REASONS`; sentences are made when they are wanted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.best.course import (
    NO_PLACE,
    CountedCourse,
    Flags,
    Places,
    ResponseCourse,
    at_place,
    first_place,
    last_place,
)
from response.cells import NO_DATE, iso_texts
from response.protocol import BestResponseOptions
from response.vocabulary import Response


@dataclass(frozen=True)
class Reason:
    """A reason why the best response is not better; `{}` parts are filled with the numbers of the series."""

    id: str
    sentence: str


_NOT_CONFIRMED: Final = "{response} on {date} was not confirmed: "

REASONS: Final = (
    Reason("", ""),
    Reason("no_assessment", "there is no assessment after baseline"),
    Reason("only_on_new_therapy", "no assessment lies before the new therapy of {therapy}"),
    Reason("no_later_assessment", _NOT_CONFIRMED + "no later assessment counts"),
    Reason(
        "confirmation_too_early",
        _NOT_CONFIRMED + "{other} on {other_date}, {days} days later, is before the {needed} days needed",
    ),
    Reason(
        "confirmation_undated", _NOT_CONFIRMED + "without whole dates the next {other} may be under {needed} days later"
    ),
    Reason("only_weaker_later", _NOT_CONFIRMED + "only weaker assessments follow, the last {other} on {other_date}"),
    Reason("progression_next", _NOT_CONFIRMED + "{other} follows on {other_date}, {days} days later"),
    Reason("other_response_between", _NOT_CONFIRMED + "{other} follows on {other_date}, {days} days later"),
    Reason("too_many_ne", _NOT_CONFIRMED + "more NE than allowed ({allowed_ne}) follow by {other_date}"),
    Reason("too_many_sd", _NOT_CONFIRMED + "more SD than allowed ({allowed_sd}) follow by {other_date}"),
    Reason(
        "sd_too_early",
        "{response} on {date}, day {day} from the reference date {reference}, is before day {minimum}, so NE",
    ),
    Reason("no_reference_date", "{response} on {date} does not count: its minimum duration has no reference date"),
    Reason("date_missing", "{response} without a date cannot be shown to last the minimum duration"),
    Reason("cr_revised", "CR on {date} was revised to PR, for {other} on {other_date} shows disease after it"),
    Reason("worse_on_same_date", "{response} on {date} does not count: a worse assessment has the same date"),
    Reason("on_new_therapy", "{response} on {date} does not count: it is not before the new therapy of {therapy}"),
    Reason("after_progression", "{response} on {date} does not count: the progression of {other_date} comes before it"),
)
_CONFIRMATION: Final = range(3, 11)  # the reasons that tell of a missing confirmation
REASON_CODES: Final = {reason.id: code for code, reason in enumerate(REASONS)}


@dataclass(frozen=True, eq=False)
class WhyNotBetter:
    """Code into `REASONS`, the timepoint that does not count as more, and the other one it names; `[series]`."""

    code: NDArray[np.int8]
    index: Places
    other: Places

    def set(self, where: Flags, reason: str, index: Places, other: Places | None = None) -> None:
        """Set a reason where none stands yet."""
        free = where & (self.code == 0)
        self.code[free] = REASON_CODES[reason]
        self.index[free] = index[free]
        if other is not None:
            self.other[free] = other[free]


def why_not_better(  # noqa: PLR0917
    course: ResponseCourse,
    counted: CountedCourse,
    best: NDArray[np.int8],
    best_index: Places,
    confirmed_best: NDArray[np.int8],
    options: BestResponseOptions,
) -> WhyNotBetter:
    """Return for every series the first reason that applies, from the nearest to the furthest.

    1. Nothing counts: no assessment, or none before new therapy.
    2. The best response, CR or PR, is not confirmed.
    3. SD or Non-CR/Non-PD came before the minimum duration, or that cannot be known.
    4. A CR was revised to PR.
    5. A better response does not count: a worse one on its date, new therapy, progression.
    """
    series = len(best)
    why = WhyNotBetter(
        np.zeros(series, np.int8), np.full(series, NO_PLACE, np.int32), np.full(series, NO_PLACE, np.int32)
    )
    nowhere = np.full(series, NO_PLACE, np.int32)
    none_counts = best_index == NO_PLACE
    why.set(none_counts & ~counted.assessed.any(axis=1), "no_assessment", nowhere)
    why.set(none_counts, "only_on_new_therapy", nowhere)
    responded = (best == Response.CR) | (best == Response.PR)
    _unconfirmed(why, np.flatnonzero(responded & (confirmed_best != best)), counted, best_index, options)
    _too_early(why, course, counted, best)
    revised = first_place(counted.counted & (course.response == Response.CR) & (counted.adjudicated == Response.PR))
    disease = (course.response >= Response.PR) & (course.response <= Response.NON_CR_NON_PD)
    evidence = last_place(counted.counted & disease)
    why.set(revised != NO_PLACE, "cr_revised", revised, evidence)
    better = counted.assessed & ~counted.counted & (course.response < best[:, None]) & (course.response <= Response.NED)
    for holds, reason, other in (
        (counted.outdone, "worse_on_same_date", None),
        (counted.not_before_therapy, "on_new_therapy", None),
        (better, "after_progression", counted.progression_index),  # nothing else leaves an assessment out
    ):
        place = first_place(better & holds)
        why.set(place != NO_PLACE, reason, place, other)
    return why


def _unconfirmed(
    why: WhyNotBetter, rows: NDArray[np.intp], counted: CountedCourse, best_index: Places, options: BestResponseOptions
) -> None:
    """Name what stands between a response and its confirmation: a barrier, or too few days."""
    if not len(rows):
        return
    code, start = counted.code[rows], best_index[rows]
    after = (np.arange(code.shape[1]) > start[:, None]) & (code != Response.BLANK)
    category = code[np.arange(len(rows)), start][:, None]
    same = after & (code == category)
    ne = after & (code == Response.NE)
    sd = after & (code == Response.SD) & (category == Response.PR)
    barriers = (
        ("too_many_ne", ne & (np.cumsum(ne, axis=1, dtype=np.int32) > options.max_nr_ne)),
        ("too_many_sd", sd & (np.cumsum(sd, axis=1, dtype=np.int32) > options.max_intermediate_sd)),
        ("progression_next", after & (code == Response.PD)),
        ("other_response_between", after & ~same & ~ne & ~sd & (code != Response.PD)),
    )
    barrier = first_place(np.logical_or.reduce([holds for _, holds in barriers]))
    open_ = np.arange(code.shape[1]) < np.where(barrier == NO_PLACE, code.shape[1], barrier)[:, None]
    nearest = last_place(same & open_)
    other = np.where(nearest == NO_PLACE, np.where(barrier == NO_PLACE, last_place(after), barrier), nearest)
    reason = np.where(after.any(axis=1), REASON_CODES["only_weaker_later"], REASON_CODES["no_later_assessment"])
    for name, holds in barriers:
        here = (barrier != NO_PLACE) & holds[np.arange(len(rows)), barrier]
        reason = np.where(here, REASON_CODES[name], reason)
    date, other_date = at_place(counted.date[rows], start), at_place(counted.date[rows], nearest)
    known = (date != NO_DATE) & (other_date != NO_DATE) & (other_date < date + options.confirm_days)
    early = np.where(known, REASON_CODES["confirmation_too_early"], REASON_CODES["confirmation_undated"])
    why.code[rows] = np.where(nearest == NO_PLACE, reason, early)
    why.index[rows], why.other[rows] = start, other


def _too_early(why: WhyNotBetter, course: ResponseCourse, counted: CountedCourse, best: NDArray[np.int8]) -> None:
    # Whatever is SD and counts, but gave no SD, failed the minimum duration: nothing else takes it away.
    waiting = (counted.code == Response.SD) | (counted.code == Response.NON_CR_NON_PD)
    place = last_place(waiting & (counted.code < best[:, None]))
    early = place != NO_PLACE
    why.set(early & (course.reference_date == NO_DATE), "no_reference_date", place)
    why.set(early & (at_place(counted.date, place) == NO_DATE), "date_missing", place)
    why.set(early, "sd_too_early", place)


def why_sentence(
    course: ResponseCourse,
    counted: CountedCourse,
    why: WhyNotBetter,
    confirmed_best: NDArray[np.int8],
    options: BestResponseOptions,
) -> list[str]:
    """Return the reasons as sentences, empty where there is none; `[series]`."""
    dates = iso_texts(at_place(counted.date, why.index))
    other_dates = iso_texts(at_place(counted.date, why.other))
    references, therapies = iso_texts(course.reference_date), iso_texts(course.new_therapy)
    sentences = [""] * len(why.code)
    for row in np.flatnonzero(why.code).tolist():
        place, other = int(why.index[row]), int(why.other[row])
        date = int(counted.date[row, place]) if place != NO_PLACE else NO_DATE
        other_date = int(counted.date[row, other]) if other != NO_PLACE else NO_DATE
        numbers = {
            "response": _name(course, counted, row, place),
            "other": _name(course, counted, row, other),
            "date": dates[row] or "an unknown date",
            "other_date": other_dates[row] or "an unknown date",
            "days": "an unknown number of" if NO_DATE in (date, other_date) else other_date - date,
            "day": date - int(course.reference_date[row]),
            "reference": references[row],
            "therapy": therapies[row],
            "needed": options.confirm_days,
            "minimum": options.min_sd_days - options.min_sd_window_days,
            "allowed_ne": options.max_nr_ne,
            "allowed_sd": options.max_intermediate_sd,
        }
        sentences[row] = REASONS[why.code[row]].sentence.format(**numbers)
        sentences[row] += _no_sd_either(
            numbers, why.code[row], confirmed_best[row], date, int(course.reference_date[row])
        )
    return sentences


def _name(course: ResponseCourse, counted: CountedCourse, row: int, place: int) -> str:
    if place == NO_PLACE:
        return "none"
    read, counts = Response(course.response[row, place]), Response(counted.adjudicated[row, place])
    name = course.words[read]
    return name if read in (counts, Response.CR) else f"{name} (after CR: {course.words[counts]})"


def _no_sd_either(numbers: Mapping[str, Any], code: int, confirmed_best: int, date: int, reference: int) -> str:
    """Say why an unconfirmed response does not even count as SD."""
    if code not in _CONFIRMATION or confirmed_best <= Response.SD or NO_DATE in (date, reference):
        return ""
    return "; as day {day} from the reference date {reference} is before day {minimum}, it is no SD either".format(
        **numbers
    )
