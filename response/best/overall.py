"""Best overall response, with and without confirmation, and the dates of response and progression.

Source: Eisenhauer et al., Eur J Cancer 2009;45:228-247, sections 4.4 to 4.6 and table 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import IntFlag
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.best.confirmation import Confirmed, first_confirmed
from response.best.course import (
    NO_PLACE,
    Codes,
    CountedCourse,
    Flags,
    Places,
    ResponseCourse,
    at_place,
    count_course,
    first_place,
    last_place,
)
from response.best.dates import NEVER, Days
from response.best.reasons import REASONS, WhyNotBetter, why_not_better, why_sentence
from response.cells import NO_DATE
from response.protocol import BestResponseOptions
from response.vocabulary import MISSING, RESPONSE_NAMES, Response, YesNo, collected_words, response_code

__all__ = [
    "BEST_NAMES",
    "BestFlag",
    "BestResponse",
    "BestResponses",
    "ResponseCourse",
    "best_names",
    "best_response_of",
    "best_responses",
    "why_sentences",
]

_NOTHING: Final = np.iinfo(np.int8).max


class BestFlag(IntFlag):
    """What a person should look at; the names in lower case stand in the column `flags`."""

    ADJUDICATE_CR = 1  # disease after CR decides: was it a CR?
    DATE_MISSING = 2  # an assessment that counts has no date
    DATE_PARTIAL = 4  # ... or a partial one: the day that makes durations shortest was taken
    NO_REFERENCE_DATE = 8  # the minimum duration of SD cannot be tested
    PD_AFTER_NEW_THERAPY = 16
    PD_BACKDATED = 32  # the progression date lies before the timepoint of the PD
    AFTER_PD = 64  # assessments after the first PD were left out
    AFTER_NEW_THERAPY = 128  # assessments on or after new therapy were left out
    SAME_DATE = 256  # of several assessments on one date the worst counts
    PROGRESSION_UNCONFIRMED = 512  # the progression date is that of one that nothing confirmed or undid

    @classmethod
    def texts(cls, flags: int) -> list[str]:
        """Return the names of the flags that are set."""
        return [flag.name.lower() for flag in cls if flags & flag and flag.name]


@dataclass(frozen=True, kw_only=True, eq=False)
class BestResponses:
    """Best responses of a block of series; arrays `[series]`.

    Attributes
    ----------
    best, confirmed_best
        `Response` codes without and with confirmation (see `BEST_NAMES`); both stand whatever the headline is.
    best_index, confirmed_index
        Timepoint that gave it; -1 where no assessment counts.
    best_date, confirmed_date
        Days since 1970, `NO_DATE` where unknown. For PD the date that shows it.
    confirmation_index, confirmation_date
        The assessment that confirms a confirmed CR or PR, else -1 and `NO_DATE`.
    confirmed
        `YesNo` codes: whether `best`, if CR or PR, is confirmed; blank for other responses.
    first_response_index, first_response_date
        First CR or PR, under `confirmation` the first that is confirmed.
    progression_index, progression_date
        First PD always, also after new therapy.
    pd_after_new_therapy
        Whether that PD comes on or after new therapy (`same_day_new_therapy`).
    last_evaluable_index, last_evaluable_date
        Last assessment that counts and is not NE.
    reference_date
        Date from which the minimum duration of SD was counted.
    why
        Why the response is not better; `reasons` names it.
    flags
        `BestFlag` bits.
    counted
        What of the course counted.
    """

    best: Codes
    best_index: Places
    best_date: Days
    confirmed_best: Codes
    confirmed_index: Places
    confirmed_date: Days
    confirmation_index: Places
    confirmation_date: Days
    confirmed: Codes
    first_response_index: Places
    first_response_date: Days
    progression_index: Places
    progression_date: Days
    pd_after_new_therapy: Flags
    last_evaluable_index: Places
    last_evaluable_date: Days
    reference_date: Days
    why: WhyNotBetter
    flags: NDArray[np.uint16]
    counted: CountedCourse

    @property
    def reasons(self) -> list[str]:
        """Return the id of why each response is not better, empty where there is none."""
        return [REASONS[code].id for code in self.why.code.tolist()]


def best_names(words: Mapping[Response, str]) -> Mapping[Response, str]:
    """Return the word of a criterion for each best response."""
    return {**words, Response.BLANK: MISSING}  # no assessment, and `missing_as = "MISSING"`


BEST_NAMES: Final = best_names(RESPONSE_NAMES)


def best_responses(course: ResponseCourse, options: BestResponseOptions) -> BestResponses:
    """Return the best overall responses of a block of series, all abreast.

    1. The assessments that count are found (`count_course`): after baseline, up to the first PD, before new therapy.
    2. Unconfirmed: the best of CR, PR, SD, Non-CR/Non-PD, NED, PD, unconfirmed PD, NE; SD and Non-CR/Non-PD only
       from `min_sd_days - min_sd_window_days` after the reference date, inclusive; too early ones are NE.
    3. Confirmed: CR and PR if confirmed (`first_confirmed`); others are SD from the same day on, else NE.
    4. Of equal responses the first gives the date. Nothing that counts: `missing_as`.
    """
    counted = count_course(course, options)
    lasting = _lasting(course, counted, options)
    best, best_index = _best_of(
        np.where(_lasts_or_needs_not(counted.code, lasting), counted.code, Response.NE), counted
    )
    complete, partial = first_confirmed(counted, options)
    confirmed_best, confirmed_index, by = _confirmed_best(counted, lasting, complete, partial)
    best, confirmed_best = (_or_missing(codes, options) for codes in (best, confirmed_best))
    responded = (best == Response.CR) | (best == Response.PR)
    first_response = first_place((counted.code == Response.CR) | (counted.code == Response.PR))
    if options.confirmation:
        first_response = _earlier(complete.index, partial.index)
    evaluable = (counted.code >= Response.CR) & (counted.code <= Response.UNCONFIRMED_PD)
    last_evaluable = last_place(evaluable)
    progression = counted.progression_index
    pd_late = at_place(counted.not_before_therapy.astype(np.int32), progression) == 1
    return BestResponses(
        best=best,
        best_index=best_index,
        best_date=at_place(counted.date, best_index),
        confirmed_best=confirmed_best,
        confirmed_index=confirmed_index,
        confirmed_date=at_place(counted.date, confirmed_index),
        confirmation_index=by,
        confirmation_date=at_place(counted.date, by),
        confirmed=np.where(responded, np.where(confirmed_best == best, YesNo.YES, YesNo.NO), 0).astype(np.int8),
        first_response_index=first_response,
        first_response_date=at_place(counted.date, first_response),
        progression_index=progression,
        progression_date=counted.progression_date,
        pd_after_new_therapy=pd_late,
        last_evaluable_index=last_evaluable,
        last_evaluable_date=at_place(counted.date, last_evaluable),
        reference_date=course.reference_date,
        why=why_not_better(course, counted, best, best_index, confirmed_best, options),
        flags=_flags(course, counted, pd_late),
        counted=counted,
    )


def why_sentences(course: ResponseCourse, result: BestResponses, options: BestResponseOptions) -> list[str]:
    """Return for every series why its best response is not better, as a sentence; empty where nothing is to be said."""
    return why_sentence(course, result.counted, result.why, result.confirmed_best, options)


def _lasting(course: ResponseCourse, counted: CountedCourse, options: BestResponseOptions) -> Flags:
    """Return which assessments come at or after the minimum duration of SD; an unknown date never does."""
    reference = np.where(course.reference_date == NO_DATE, NEVER, course.reference_date)
    minimum = reference + (options.min_sd_days - options.min_sd_window_days)
    return np.asarray((counted.date != NO_DATE) & (counted.date >= minimum[:, None]))


def _lasts_or_needs_not(code: Codes, lasting: Flags) -> Flags:
    return np.asarray(lasting | ((code != Response.SD) & (code != Response.NON_CR_NON_PD)))


def _best_of(category: NDArray[np.int8], counted: CountedCourse) -> tuple[Codes, Places]:
    """Return the best category (the codes are in that order) and the first timepoint that has it."""
    if not category.shape[1]:
        return np.zeros(len(category), np.int8), np.full(len(category), NO_PLACE, np.int32)
    ranked = np.where(counted.code == Response.BLANK, np.int8(_NOTHING), category)
    index = ranked.argmin(axis=1).astype(np.int32)
    best = ranked[np.arange(len(ranked)), index]
    none = best == _NOTHING
    return np.where(none, np.int8(Response.BLANK), best), np.where(none, np.int32(NO_PLACE), index)


def _confirmed_best(
    counted: CountedCourse, lasting: Flags, complete: Confirmed, partial: Confirmed
) -> tuple[Codes, Places, Places]:
    code = counted.code
    category = np.where((code == Response.CR) | (code == Response.PR), np.int8(Response.SD), code)
    best, index = _best_of(np.where(_lasts_or_needs_not(category, lasting), category, Response.NE), counted)
    by = np.full(len(best), NO_PLACE, np.int32)
    for response, found in ((Response.PR, partial), (Response.CR, complete)):
        holds = found.index != NO_PLACE
        best = np.where(holds, np.int8(response), best)
        index, by = np.where(holds, found.index, index), np.where(holds, found.by, by)
    return best, index, by


def _or_missing(best: Codes, options: BestResponseOptions) -> Codes:
    missing = Response.NE if options.missing_as == "NE" else Response.BLANK
    return np.where(best == Response.BLANK, np.int8(missing), best)


def _earlier(first: Places, second: Places) -> Places:
    both = (first != NO_PLACE) & (second != NO_PLACE)
    return np.where(both, np.minimum(first, second), np.maximum(first, second))


def _flags(course: ResponseCourse, counted: CountedCourse, pd_late: Flags) -> NDArray[np.uint16]:
    used = counted.counted
    valid = counted.assessed & ~counted.outdone
    shown_at = at_place(
        np.where(course.first_scan == NO_DATE, course.last_scan, course.first_scan), counted.progression_index
    )
    needs_reference = (counted.code >= Response.CR) & (counted.code <= Response.NON_CR_NON_PD)
    conditions = {
        BestFlag.ADJUDICATE_CR: counted.after_cr,
        BestFlag.DATE_MISSING: (used & (counted.date == NO_DATE)).any(axis=1),
        BestFlag.NO_REFERENCE_DATE: needs_reference.any(axis=1) & (course.reference_date == NO_DATE),
        BestFlag.PD_AFTER_NEW_THERAPY: pd_late,
        BestFlag.PD_BACKDATED: (counted.progression_date != NO_DATE) & (counted.progression_date < shown_at),
        BestFlag.AFTER_PD: (valid & ~used & ~counted.not_before_therapy).any(axis=1),
        BestFlag.AFTER_NEW_THERAPY: (valid & counted.not_before_therapy).any(axis=1),
        BestFlag.SAME_DATE: counted.outdone.any(axis=1),
        BestFlag.PROGRESSION_UNCONFIRMED: _unconfirmed(counted),
    }
    if course.slack_days is not None:
        conditions[BestFlag.DATE_PARTIAL] = (used & (course.slack_days > 0)).any(axis=1)
    flags = np.zeros(len(used), np.uint16)
    for flag, holds in conditions.items():
        flags |= np.where(holds, np.uint16(flag), np.uint16(0))
    return flags


def _unconfirmed(counted: CountedCourse) -> Flags:
    codes = counted.adjudicated.astype(np.int32)
    return np.asarray(at_place(codes, counted.progression_index) == Response.UNCONFIRMED_PD)


@dataclass(frozen=True, kw_only=True)
class BestResponse:
    """Best overall response of one sequence, as texts and dates; the fields mean what those of `BestResponses` mean."""

    best: str
    best_date: date | None
    confirmed_best: str
    confirmed_date: date | None
    confirmation_date: date | None
    confirmed: str
    first_response_date: date | None
    progression_date: date | None
    pd_after_new_therapy: bool
    last_evaluable_date: date | None
    why_not_better: str
    reason: str
    flags: tuple[str, ...]


def best_response_of(
    sequence: Sequence[tuple[date | None, str]],
    reference: date | None,
    options: BestResponseOptions | None = None,
    *,
    new_therapy: date | None = None,
    progression_dates: Sequence[date | None] | None = None,
    words: Mapping[Response, str] = RESPONSE_NAMES,
) -> BestResponse:
    """Return the best overall response of one sequence of overall responses.

    Parameters
    ----------
    sequence
        Date and response ("CR", "Non-CR/Non-PD", ...) of each assessment after baseline, in time order.
    reference
        Date from which the minimum duration of SD is counted.
    options
        The standard ones if not given.
    new_therapy
        First day of a new anti-cancer therapy.
    progression_dates
        For each assessment that is a back-dated PD the date that shows it.
    words
        The criterion's word for each response, `vocabulary.IRECIST_WORDS` for instance over those of RECIST.

    Raises
    ------
    ValueError
        If a text names no response.
    """
    options = options or BestResponseOptions()
    course = replace(_course_of(sequence, reference, new_therapy, progression_dates, words), words=words)
    names = best_names(words)
    result = best_responses(course, options)
    return BestResponse(
        best=names[Response(result.best[0])],
        best_date=_date(result.best_date),
        confirmed_best=names[Response(result.confirmed_best[0])],
        confirmed_date=_date(result.confirmed_date),
        confirmation_date=_date(result.confirmation_date),
        confirmed=("", "N", "Y")[result.confirmed[0]],
        first_response_date=_date(result.first_response_date),
        progression_date=_date(result.progression_date),
        pd_after_new_therapy=bool(result.pd_after_new_therapy[0]),
        last_evaluable_date=_date(result.last_evaluable_date),
        why_not_better=why_sentences(course, result, options)[0],
        reason=result.reasons[0],
        flags=tuple(BestFlag.texts(int(result.flags[0]))),
    )


def _course_of(
    sequence: Sequence[tuple[date | None, str]],
    reference: date | None,
    new_therapy: date | None,
    progression_dates: Sequence[date | None] | None,
    words: Mapping[Response, str],
) -> ResponseCourse:
    days = np.asarray([[_days(when) for when, _ in sequence]], np.int32).reshape(1, -1)
    codes = np.asarray([[_code(text, words) for _, text in sequence]], np.int8).reshape(1, -1)
    shown = np.full(days.shape, NO_DATE, np.int32)
    if progression_dates is not None:
        shown[0] = [_days(when) for when in progression_dates]
    return ResponseCourse(
        response=codes,
        exists=np.ones(days.shape, np.bool_),
        first_scan=days,
        last_scan=days,
        progression_date=shown,
        reference_date=np.asarray([_days(reference)], np.int32),
        new_therapy=np.asarray([_days(new_therapy)], np.int32),
    )


def _code(text: str, words: Mapping[Response, str]) -> int:
    code = response_code(text, words)
    if code is None:
        raise ValueError(f"'{text}' is no response; expected one of {', '.join(collected_words(words))}")
    return int(code)


def _days(when: date | None) -> int:
    return NO_DATE if when is None else (when - date(1970, 1, 1)).days


def _date(days: Days) -> date | None:
    return None if days[0] == NO_DATE else date.fromordinal(int(days[0]) + date(1970, 1, 1).toordinal())
