"""Best overall response: the acceptance table, a slow oracle in the words of the spec, dates, flags and reasons.

`tests/tables/best_response.csv`: a sequence is `day response` joined by `|`; `d56` is day 56 from 2024-01-01 (day 0,
the reference date of most rows), `?` no date, and `PD@d30` a PD that is back-dated to day 30.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from response.best_response import (
    BEST_NAMES,
    BestFlag,
    BestResponse,
    BestResponses,
    ResponseCourse,
    best_response_of,
    best_responses,
    why_sentences,
)
from response.cells import NO_DATE
from response.protocol import BestResponseOptions, Protocol
from response.vocabulary import RESPONSE_BY_NAME, Response

TABLE = Path(__file__).parent / "tables" / "best_response.csv"
DAY_0 = date(2024, 1, 1)


def read_cases() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def day(text: str) -> date | None:
    if text in ("", "?"):
        return None
    return DAY_0 + timedelta(days=int(text[1:])) if text[0] == "d" else date.fromisoformat(text)


def options_of(toml: str) -> BestResponseOptions:
    text = "[recist-1.1]\n" + toml.replace("\\n", "\n")
    return Protocol.from_toml(text).options("recist-1.1", BestResponseOptions)


def best_of(
    sequence: str, options: BestResponseOptions | None = None, reference: str = "d0", new_therapy: str = ""
) -> BestResponse:
    parts = [part.split(" ", 1) for part in sequence.split("|") if part]
    shown = [day(text.partition("@")[2]) for _, text in parts]
    return best_response_of(
        [(day(when), text.partition("@")[0]) for when, text in parts],
        day(reference),
        options,
        new_therapy=day(new_therapy),
        progression_dates=shown,
    )


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case["id"])
def test_acceptance_table(case: dict[str, str]) -> None:
    found = best_of(case["sequence"], options_of(case["options"]), case["reference"], case["new_therapy"])
    told = (found.best, found.best_date, found.confirmed_best, found.confirmed_date, found.confirmation_date)
    expected = (
        case["best"],
        day(case["best_date"]),
        case["confirmed_best"],
        day(case["confirmed_date"]),
        day(case["confirmation_date"]),
    )
    assert told == expected, case["title"]
    for flag in [] if case["flags"] == "*" else case["flags"].split("+"):
        assert (flag.lstrip("!") in found.flags) != flag.startswith("!"), (flag, found.flags)


def test_every_published_case_is_in_the_table() -> None:
    ids = [case["id"] for case in read_cases()]
    assert len(ids) == len(set(ids))
    published = {f"R{number:02}" for number in range(1, 39)}
    published |= {f"A{number}-{preset}" for number in range(1, 10) for preset in "AB"}
    assert published <= set(ids)


# --- A slow oracle, one series at a time, written from the pseudo-code of criteria.md 1.11 and nothing else.


@dataclass
class Visit:
    """One assessment: its response, its date, and the date that shows a PD; days, None where unknown."""

    response: str
    date: int | None
    shown: int | None = None


WORST = ["ND", "NA", "NE", "NED", "CR", "PR", "SD", "Non-CR/Non-PD", "PD"]
DISEASE = ("PR", "SD", "Non-CR/Non-PD")
Told = tuple[str, int | None]


def worst_of_each_date(visits: Sequence[Visit]) -> list[Visit]:
    kept: list[Visit] = []
    for visit in visits:
        twin = next((other for other in kept if other.date is not None and other.date == visit.date), None)
        if twin is None:
            kept.append(visit)
        elif WORST.index(visit.response) > WORST.index(twin.response):
            kept = [*(other for other in kept if other is not twin), visit]
    return kept


def that_count(visits: Sequence[Visit], therapy: int | None, options: BestResponseOptions) -> list[Visit]:
    """Restrict: up to the first PD, before its date, before new therapy; revise disease after CR."""
    kept = worst_of_each_date(visits)
    cr = pd = False
    relapse = None
    recoded = []
    for visit in kept:
        recode = options.post_cr_disease == "pd" and cr and not pd and visit.response in DISEASE
        recoded.append(Visit("PD", visit.date) if recode else visit)
        relapse = recoded[-1] if recode and relapse is None else relapse
        cr |= visit.response == "CR"
        pd |= visit.response == "PD"
    dated: list[Visit] = []
    for visit in recoded:
        own = visit.shown if visit.response == "PD" and visit.shown is not None else visit.date
        dated.append(Visit(visit.response, own))
    recorded = next((i for i, visit in enumerate(kept) if visit.response == "PD"), None)
    first = next((i for i, visit in enumerate(recoded) if visit is relapse), None) if relapse else None
    if first is None:
        first = recorded
    elif recorded is not None:
        early, late = dated[recorded].date, dated[first].date
        first = recorded if early is not None and late is not None and early < late else first
    counted = []
    before: list[int] = []
    for i, visit in enumerate(dated):
        before += [] if visit.date is None else [visit.date]
        known = visit.date if visit.date is not None else max(before, default=None)
        if therapy is not None and known is not None:
            if known > therapy or (known == therapy and options.same_day_new_therapy == "exclude"):
                continue
        if first is not None and options.after_pd == "stop" and i != first:
            end = dated[first].date
            if i > first or (end is not None and known is not None and known >= end):
                continue
        counted.append(visit)
    if options.post_cr_disease == "revise_to_pr":
        counted = [
            replace(visit, response="PR")
            if visit.response == "CR" and any(later.response in DISEASE for later in counted[i + 1 :])
            else visit
            for i, visit in enumerate(counted)
        ]
    alias = {"NA": "NE", "ND": "NE" if options.not_done_as_ne else "ND"}
    return [replace(visit, response=alias.get(visit.response, visit.response)) for visit in counted]


def oracle_confirmed(c: Sequence[Visit], category: str, options: BestResponseOptions) -> Visit | None:
    for i, first in enumerate(c):
        for j in range(i + 1, len(c)):
            between = [visit.response for visit in c[i + 1 : j]]
            start, end = first.date, c[j].date
            if start is None or end is None or end - start < options.confirm_days:
                continue
            if first.response != category or between.count("NE") > options.max_nr_ne:
                continue
            if category == "CR":
                if c[j].response == "CR" and set(between) <= {"CR", "NE"}:
                    return first
                continue
            ends = {"PR", "CR"} if options.pr_then_cr_counts_for_pr else {"PR"}
            whole = [*between, c[j].response]
            broken = "CR" in whole and "PR" in whole[whole.index("CR") :]
            if c[j].response in ends and set(between) <= {"CR", "PR", "NE", "SD"} and not broken:
                if between.count("SD") <= options.max_intermediate_sd:
                    return first
    return None


def oracle(
    visits: Sequence[Visit], reference: int | None, therapy: int | None, options: BestResponseOptions
) -> tuple[Told, Told]:
    c = that_count(visits, therapy, options)

    def lasts(visit: Visit) -> bool:
        minimum = options.min_sd_days - options.min_sd_window_days
        return visit.date is not None and reference is not None and visit.date >= reference + minimum

    def first_of(*responses: str, lasting: bool = False) -> Visit | None:
        return next((v for v in c if v.response in responses and (not lasting or lasts(v))), None)

    tail = [
        ("Non-CR/Non-PD", first_of("Non-CR/Non-PD", lasting=True)),
        ("NED", first_of("NED")),
        ("PD", first_of("PD")),
        ("NE", next((v for v in c if v.response != "ND"), None)),
        ("ND", first_of("ND")),
        ("NE" if options.missing_as == "NE" else "MISSING", Visit("", None)),
    ]
    plain = [("CR", first_of("CR")), ("PR", first_of("PR")), ("SD", first_of("SD", lasting=True)), *tail]
    strict = [
        ("CR", oracle_confirmed(c, "CR", options)),
        ("PR", oracle_confirmed(c, "PR", options)),
        ("SD", first_of("CR", "PR", "SD", lasting=True)),
        *tail,
    ]
    told = [next((name, visit.date) for name, visit in rules if visit is not None) for rules in (plain, strict)]
    return told[0], told[1]


GAPS = (0, 1, 7, 13, 14, 15, 27, 28, 29, 41, 42, 43, 56)
RESPONSES = ("CR", "CR", "PR", "PR", "PR", "SD", "SD", "NE", "NE", "Non-CR/Non-PD", "PD", "NED", "ND", "NA")


def random_options(rng: np.random.Generator) -> BestResponseOptions:
    def one(*values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    return BestResponseOptions(
        confirm_days=one(28, 28, 14, 0),
        max_nr_ne=one(0, 1, 2),
        max_intermediate_sd=one(0, 1, 2),
        pr_then_cr_counts_for_pr=one(True, True, False),
        min_sd_days=one(42, 28),
        min_sd_window_days=one(0, 7),
        post_cr_disease=one("pd", "revise_to_pr", "as_is_warn"),
        after_pd=one("stop", "stop", "continue"),
        missing_as=one("NE", "MISSING"),
        not_done_as_ne=one(True, False),
        same_day_new_therapy=one("exclude", "include"),
    )


def random_visits(rng: np.random.Generator) -> list[Visit]:
    now, visits = 0, []
    for _ in range(int(rng.integers(0, 9))):
        now += int(rng.choice(GAPS))
        visit = Visit(str(rng.choice(RESPONSES)), None if rng.random() < 0.04 else now)
        if visit.response == "PD" and rng.random() < 0.5:
            visit.shown = now - int(rng.choice(GAPS))
        visits.append(visit)
    return visits


def block_of(
    all_visits: Sequence[Sequence[Visit]],
    reference: Sequence[int | None],
    therapy: Sequence[int | None],
    shift: int = 0,
) -> ResponseCourse:
    """Put sequences abreast; holes between the assessments must not matter, so each series begins with some."""
    width = max((len(visits) for visits in all_visits), default=0) + 3
    shape = (len(all_visits), width)
    response, exists = np.zeros(shape, np.int8), np.zeros(shape, np.bool_)
    first, shown = np.full(shape, NO_DATE, np.int32), np.full(shape, NO_DATE, np.int32)
    for row, visits in enumerate(all_visits):
        places = [place + (row + shift) % 2 + (place > 2) for place in range(len(visits))]
        for place, visit in zip(places, visits, strict=True):
            response[row, place], exists[row, place] = RESPONSE_BY_NAME[visit.response], True
            first[row, place] = NO_DATE if visit.date is None else visit.date
            shown[row, place] = NO_DATE if visit.shown is None else visit.shown

    def days(values: Sequence[int | None]) -> Any:
        return np.asarray([NO_DATE if value is None else value for value in values], np.int32)

    return ResponseCourse(
        response=response,
        exists=exists,
        first_scan=first,
        last_scan=first.copy(),
        progression_date=shown,
        reference_date=days(reference),
        new_therapy=days(therapy),
    )


def told_by(result: BestResponses, row: int) -> tuple[Told, Told]:
    def pair(code: Any, when: Any) -> Told:
        return BEST_NAMES[Response(code)], None if when == NO_DATE else int(when)

    return (
        pair(result.best[row], result.best_date[row]),
        pair(result.confirmed_best[row], result.confirmed_date[row]),
    )


@pytest.mark.parametrize("seed", range(60))
def test_random_sequences_against_the_oracle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    options = random_options(rng)
    all_visits = [random_visits(rng) for _ in range(120)]
    reference = [None if rng.random() < 0.03 else int(rng.choice((-30, -1, 0, 0))) for _ in all_visits]
    therapy = [int(rng.choice((28, 56, 84, 120))) if rng.random() < 0.3 else None for _ in all_visits]
    course = block_of(all_visits, reference, therapy, seed)
    result = best_responses(course, options)
    for row, visits in enumerate(all_visits):
        expected = oracle(visits, reference[row], therapy[row], options)
        assert told_by(result, row) == expected, (visits, reference[row], therapy[row], options)
