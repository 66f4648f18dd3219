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

from response.best.dates import reference_dates, slack_days
from response.best.overall import (
    BEST_NAMES,
    BestFlag,
    BestResponse,
    BestResponses,
    ResponseCourse,
    best_response_of,
    best_responses,
    why_sentences,
)
from response.best.reasons import REASONS
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
        same_day = known == therapy and options.same_day_new_therapy == "exclude"
        if therapy is not None and known is not None and (known > therapy or same_day):
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
            few_sd = between.count("SD") <= options.max_intermediate_sd
            if c[j].response in ends and set(between) <= {"CR", "PR", "NE", "SD"} and not broken and few_sd:
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


def test_hundreds_of_visits() -> None:
    # More than 127 NE and SD between: counts in int8 would wrap round to few again.
    visits = [Visit("PR", 50), *(Visit("SD" if i % 2 else "NE", 51 + i) for i in range(300)), Visit("PR", 400)]
    options = BestResponseOptions(max_nr_ne=149, max_intermediate_sd=150)
    assert told_by(best_responses(block_of([visits], [0], [None]), options), 0)[1] == ("SD", 50)
    options = BestResponseOptions(max_nr_ne=150, max_intermediate_sd=149)
    assert told_by(best_responses(block_of([visits], [0], [None]), options), 0)[1] == ("SD", 50)
    options = BestResponseOptions(max_nr_ne=150, max_intermediate_sd=150)
    assert told_by(best_responses(block_of([visits], [0], [None]), options), 0)[1] == ("PR", 50)


def test_a_block_without_timepoints_or_series() -> None:
    for count in (0, 3):
        result = best_responses(block_of([[]] * count, [0] * count, [None] * count), BestResponseOptions())
        assert result.best.tolist() == [Response.NE] * count
    empty = np.zeros((2, 0), np.int32)
    none = np.full(2, NO_DATE, np.int32)
    course = ResponseCourse(
        response=empty.astype(np.int8),
        exists=empty.astype(np.bool_),
        first_scan=empty,
        last_scan=empty,
        progression_date=empty,
        reference_date=none,
        new_therapy=none,
    )
    result = best_responses(course, BestResponseOptions(missing_as="MISSING"))
    assert [BEST_NAMES[Response(code)] for code in result.confirmed_best] == ["MISSING", "MISSING"]
    assert result.reasons == ["no_assessment", "no_assessment"]
    assert why_sentences(course, result, BestResponseOptions())[0] == "there is no assessment after baseline"


def test_a_blank_response_is_no_assessment() -> None:
    course = block_of([[Visit("PR", 56), Visit("NE", 70), Visit("PR", 84)]], [0], [None])
    course.response[0, course.response[0] == Response.NE] = Response.BLANK
    result = best_responses(course, BestResponseOptions(max_nr_ne=0))
    assert told_by(result, 0) == (("PR", 56), ("PR", 56))


def test_a_response_at_baseline_is_no_assessment() -> None:
    course = block_of([[Visit("CR", 0), Visit("SD", 56), Visit("CR", 84)]], [0], [None])
    course.exists[0, course.first_scan[0] == 0] = False
    assert told_by(best_responses(course, BestResponseOptions()), 0) == (("CR", 84), ("SD", 56))


# --- Confirmation, first response, progression, last evaluable date

OTHER_DATES = [
    # sequence, confirmation, new therapy -> confirmed, first response, progression, after new therapy, last evaluable
    ("d56 PR|d112 PR|d168 PD", False, "", ("Y", "d56", "d168", False, "d168")),
    ("d56 PR|d112 SD|d168 PD", False, "", ("N", "d56", "d168", False, "d168")),
    ("d56 PR|d112 SD|d168 PD", True, "", ("N", "", "d168", False, "d168")),
    ("d56 PR|d112 CR", True, "", ("N", "d56", "", False, "d112")),  # the PR is confirmed, the CR is not
    ("d56 PR|d112 CR|d168 CR", True, "", ("Y", "d56", "", False, "d168")),  # whichever came first
    ("d56 PR|d60 SD|d64 SD|d112 CR|d168 CR", True, "", ("Y", "d112", "", False, "d168")),  # the PR is not confirmed
    ("d56 SD|d112 NE", False, "", ("", "", "", False, "d56")),
    ("d56 NED|d112 ND", False, "", ("", "", "", False, "d56")),
    ("d56 SD|d112 PD|d168 PD", False, "d112", ("", "", "d112", True, "d56")),
    ("d56 SD|d112 PD", False, "d113", ("", "", "d112", False, "d112")),
    ("d56 CR|d112 SD|d168 PD@d100", False, "", ("N", "d56", "d100", False, "d100")),  # before the relapse
    ("d56 CR|d112 SD|d168 PD@d112", False, "", ("N", "d56", "d112", False, "d112")),
    ("d56 CR|d112 SD|d168 PD", False, "", ("N", "d56", "d112", False, "d112")),  # disease after CR
    ("d56 SD|d112 PD|d168 PD@d30", False, "", ("", "", "d112", False, "d112")),  # what follows a PD is not judged
]


@pytest.mark.parametrize(("sequence", "confirmation", "therapy", "expected"), OTHER_DATES)
def test_other_dates(sequence: str, confirmation: bool, therapy: str, expected: tuple[Any, ...]) -> None:
    found = best_of(sequence, BestResponseOptions(confirmation=confirmation), new_therapy=therapy)
    confirmed, response, progression, late, last = expected
    assert found.confirmed == confirmed
    assert (found.first_response_date, found.progression_date) == (day(response), day(progression))
    assert (found.pd_after_new_therapy, found.last_evaluable_date) == (late, day(last))


# --- Reasons: every one is fired, with the numbers of its sentence

REASON_CASES = [
    # id, sequence, new therapy, options, part of the sentence
    ("no_assessment", "", "", {}, "there is no assessment after baseline"),
    ("only_on_new_therapy", "d56 PR", "d28", {}, "before the new therapy of 2024-01-29"),
    ("no_later_assessment", "d56 PR", "", {}, "PR on 2024-02-26 was not confirmed: no later assessment counts"),
    (
        "confirmation_too_early",
        "d56 PR|d83 PR",
        "",
        {},
        "PR on 2024-03-24, 27 days later, is before the 28 days needed",
    ),
    ("confirmation_too_early", "d56 CR|d70 CR|d112 PD", "", {}, "CR on 2024-03-11, 14 days later"),
    ("confirmation_undated", "d56 PR|? PR", "", {}, "without whole dates the next PR may be under 28 days later"),
    ("only_weaker_later", "d56 PR|d112 SD", "", {}, "only weaker assessments follow, the last SD on 2024-04-22"),
    ("only_weaker_later", "d56 CR|d112 NE", "", {}, "the last NE on 2024-04-22"),
    ("progression_next", "d28 PR|d40 PD", "", {}, "PD follows on 2024-02-10, 12 days later; as day 28 from the"),
    ("progression_next", "d56 CR|d112 SD", "", {}, "SD (after CR: PD) follows on 2024-04-22, 56 days later"),
    ("other_response_between", "d56 PR|d84 Non-CR/Non-PD|d112 PR", "", {}, "Non-CR/Non-PD follows on 2024-03-25"),
    ("other_response_between", "d56 CR|d84 SD|d112 CR", "", {"post_cr_disease": "as_is_warn"}, "SD follows on"),
    ("too_many_ne", "d56 PR|d84 NE|d112 NE|d140 PR", "", {}, "more NE than allowed (1) follow by 2024-04-22"),
    ("too_many_sd", "d56 PR|d84 SD|d112 SD|d140 PR", "", {}, "more SD than allowed (1) follow by 2024-04-22"),
    ("sd_too_early", "d41 SD|d50 PD", "", {}, "SD on 2024-02-11, day 41 from the reference date 2024-01-01, is before"),
    ("date_missing", "? SD", "", {}, "SD without a date"),
    ("cr_revised", "d56 CR|d112 PR", "", {"post_cr_disease": "revise_to_pr"}, "CR on 2024-02-26 was revised to PR"),
    ("worse_on_same_date", "d56 PR|d56 SD", "", {}, "PR on 2024-02-26 does not count: a worse assessment"),
    ("on_new_therapy", "d56 SD|d112 PR", "d100", {}, "PR on 2024-04-22 does not count: it is not before"),
    ("after_progression", "d56 PD|d112 PR", "", {}, "the progression of 2024-02-26 comes before it"),
    (
        "sd_too_early",
        "d34 SD",
        "",
        {"min_sd_window_days": 7},
        "day 34 from the reference date 2024-01-01, is before day 35",
    ),
    (
        "progression_next",
        "d28 PR|d40 PD",
        "",
        {"min_sd_window_days": 7},
        "day 28 from the reference date 2024-01-01 is before day 35",
    ),
    ("other_response_between", "d28 PR|d56 Non-CR/Non-PD", "", {}, "is before day 42, it is no SD either"),
    ("cr_revised", "d42 SD|d56 CR|d84 PR|d112 NE", "", {"post_cr_disease": "revise_to_pr"}, "PR on 2024-03-25 shows"),
    (
        "cr_revised",
        "d28 PR|d56 CR|d84 PR|d112 Non-CR/Non-PD",
        "",
        {"post_cr_disease": "revise_to_pr"},
        "Non-CR/Non-PD on 2024-04-22 shows",
    ),
    ("after_progression", "d56 PD|d112 NED", "", {}, "NED on 2024-04-22 does not count"),
    ("", "d56 SD|d112 PD|d168 SD", "", {}, ""),
    ("", "d56 PD", "", {}, ""),
    ("", "d56 PR|d112 PR", "", {}, ""),
    ("", "d56 SD|d112 PD", "", {}, ""),
]


@pytest.mark.parametrize(("reason", "sequence", "therapy", "changes", "part"), REASON_CASES)
def test_why_not_better(reason: str, sequence: str, therapy: str, changes: dict[str, Any], part: str) -> None:
    found = best_of(sequence, BestResponseOptions(**changes), new_therapy=therapy)
    assert found.reason == reason
    assert part in found.why_not_better
    assert bool(found.why_not_better) == bool(reason)


def test_a_response_that_counts_as_sd_is_not_told_to_be_none() -> None:
    assert "no SD" not in best_of("d56 PR|d83 PR").why_not_better


def test_no_reference_date_is_a_reason() -> None:
    found = best_of("d56 SD", reference="?")
    assert found.reason == "no_reference_date"
    assert "SD on 2024-02-26 does not count" in found.why_not_better


def test_places_without_an_assessment_are_no_reason() -> None:
    visits = [[Visit("SD", 56)], [Visit("PD", 56)], [Visit("PR", 56), Visit("PR", 112)]]
    assert best_responses(block_of(visits, [0] * 3, [None] * 3), BestResponseOptions()).reasons == ["", "", ""]


FLAG_CASES = [
    # sequence, reference, all flags
    ("d56 PR|d112 PR", "d0", ()),
    ("d56 NE", "?", ()),
    ("d56 PD", "?", ()),
    ("d56 NED", "?", ()),
    ("d56 CR", "?", ("no_reference_date",)),
    ("d56 Non-CR/Non-PD", "?", ("no_reference_date",)),
    ("d56 PD|d112 PR", "d0", ("after_pd",)),
    ("d56 PR|d56 SD", "d0", ("same_date",)),
    ("? PD", "d0", ("date_missing",)),
    ("d56 SD|d112 PD@d111", "d0", ("pd_backdated",)),
    ("d56 SD|d112 PD@d112", "d0", ()),
]


@pytest.mark.parametrize(("sequence", "reference", "flags"), FLAG_CASES)
def test_flags(sequence: str, reference: str, flags: tuple[str, ...]) -> None:
    assert best_of(sequence, reference=reference).flags == flags


def test_a_pd_with_one_known_scan_date_may_be_back_dated() -> None:
    course = spanning(("PD", 112, 112))
    course.first_scan[...] = NO_DATE
    course.progression_date[0, course.exists[0]] = 56
    assert BestFlag.PD_BACKDATED in BestFlag(int(best_responses(course, BestResponseOptions()).flags[0]))


def test_only_a_partial_date_that_counts_is_told() -> None:
    course = spanning(("PR", 31, 31), ("PD", 59, 59), ("SD", 90, 90))
    course = replace(course, slack_days=np.where(course.first_scan == 90, 28, 0).astype(np.int32))
    assert BestFlag.DATE_PARTIAL not in BestFlag(int(best_responses(course, BestResponseOptions()).flags[0]))


def test_a_partial_date_may_be_too_near_to_confirm() -> None:
    course = spanning(("PR", 31, 31), ("PR", 59, 59), reference=-31)
    course = replace(course, slack_days=np.where(course.first_scan == 31, 28, 0).astype(np.int32))
    assert best_responses(course, BestResponseOptions()).reasons == ["confirmation_undated"]


def test_every_reason_has_a_case() -> None:
    assert {reason.id for reason in REASONS} == {case[0] for case in REASON_CASES} | {"no_reference_date"}


# --- Scans that span days, partial dates, and disease after CR that was judged already


def spanning(*visits: tuple[str, int, int], reference: int = 0) -> ResponseCourse:
    course = block_of([[Visit(response, first) for response, first, _ in visits]], [reference], [None])
    course.last_scan[0][course.exists[0]] = [last for _, _, last in visits]
    return course


SPANS = [
    # rule, PR and its confirmation, distance counted from the latest or the earliest scan
    ("cr_pr_latest_else_earliest", ("PR", 56, 60), ("PR", 80, 88), "PR"),
    ("cr_pr_latest_else_earliest", ("PR", 56, 60), ("PR", 84, 87), "SD"),
    ("always_earliest", ("PR", 56, 60), ("PR", 84, 87), "PR"),
    ("always_latest", ("PR", 56, 60), ("PR", 84, 87), "SD"),
    ("always_earliest", ("PR", 56, 56), ("PR", 83, 90), "SD"),
]


@pytest.mark.parametrize(("rule", "first", "second", "expected"), SPANS)
def test_date_of_a_timepoint_that_spans_days(rule: str, first: Any, second: Any, expected: str) -> None:
    result = best_responses(spanning(first, second), BestResponseOptions(tp_date_rule=rule))
    assert told_by(result, 0)[1][0] == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("cr_pr_latest_else_earliest", "NE"), ("always_earliest", "NE"), ("always_latest", "SD")],
)
def test_sd_is_dated_to_the_earliest_scan(rule: str, expected: str) -> None:
    result = best_responses(spanning(("SD", 41, 42)), BestResponseOptions(tp_date_rule=rule))
    assert told_by(result, 0)[0][0] == expected


@pytest.mark.parametrize("rule", ["cr_pr_latest_else_earliest", "always_earliest", "always_latest"])
def test_pd_is_dated_to_the_scan_that_shows_it_or_the_earliest(rule: str) -> None:
    options = BestResponseOptions(tp_date_rule=rule)
    course = spanning(("PD", 56, 60))
    assert told_by(best_responses(course, options), 0)[0] == ("PD", 56)
    course.progression_date[0, course.exists[0]] = 58
    assert told_by(best_responses(course, options), 0)[0] == ("PD", 58)


def test_one_known_scan_date_is_enough() -> None:
    course = spanning(("SD", 56, 56))
    course.first_scan[...] = NO_DATE
    assert told_by(best_responses(course, BestResponseOptions()), 0)[0] == ("SD", 56)
    course = spanning(("PR", 56, NO_DATE))
    assert told_by(best_responses(course, BestResponseOptions()), 0)[0] == ("PR", 56)


def test_of_a_partial_date_the_day_counts_that_makes_durations_shortest() -> None:
    # PR in February (day 31 to 59), PR on day 87: at least 28 days apart whichever day it was; on day 86 perhaps 27.
    for second, expected in ((87, "PR"), (86, "SD")):
        course = spanning(("PR", 31, 31), ("PR", second, second), reference=-31)
        course = replace(course, slack_days=np.where(course.first_scan == 31, 28, 0).astype(np.int32))
        result = best_responses(course, BestResponseOptions())
        assert told_by(result, 0)[1] == (expected, 31)
        assert BestFlag.DATE_PARTIAL in BestFlag(int(result.flags[0]))
    assert "date_partial" in BestFlag.texts(int(result.flags[0]))


def test_two_partial_dates_of_one_month_are_not_one_date() -> None:
    course = spanning(("PR", 61, 61), ("SD", 61, 61))
    assert told_by(best_responses(course, BestResponseOptions()), 0)[0] == ("SD", 61)
    course = replace(course, slack_days=np.full(course.exists.shape, 30, np.int32))
    assert told_by(best_responses(course, BestResponseOptions()), 0)[0] == ("PR", 61)


def test_disease_after_cr_that_was_judged_already_is_not_recoded() -> None:
    course = block_of([[Visit("CR", 56), Visit("SD", 112), Visit("CR", 168)]], [0], [None])
    result = best_responses(course, BestResponseOptions())
    assert result.progression_date.tolist() == [112]
    assert (result.counted.adjudicated[0] == Response.PD).sum() == 1
    judged = replace(course, judged_after_cr=course.response == Response.SD)
    assert best_responses(judged, BestResponseOptions()).progression_date.tolist() == [NO_DATE]


def test_partial_days_and_reference_dates() -> None:
    days = np.asarray(
        [(date(2024, 2, 1) - date(1970, 1, 1)).days, (date(2024, 1, 1) - date(1970, 1, 1)).days, 5, NO_DATE]
    )
    precision = np.asarray([2, 1, 3, 0], np.int8)
    assert slack_days(days.astype(np.int32), precision).tolist() == [28, 365, 0, 0]
    start, randomised, baseline = (np.asarray(v, np.int32) for v in ([1, NO_DATE, NO_DATE], [2, 2, NO_DATE], [3, 3, 3]))
    for choice, expected in (
        ("treatment_start_or_randomisation", [1, 2, 3]),
        ("treatment_start", [1, 3, 3]),
        ("randomisation", [2, 2, 3]),
        ("baseline", [3, 3, 3]),
    ):
        assert reference_dates(start, randomised, baseline, choice).tolist() == expected


def test_an_unknown_response_is_told() -> None:
    with pytest.raises(ValueError, match="'iCR' is no response"):
        best_of("d56 iCR")


def test_a_criterion_name_with_a_dot_is_one_table() -> None:
    protocol = Protocol.from_toml("[recist-1.1]\nconfirm_days = 30\n[choi]\n[schedule]\nevery_days = 42\n")
    assert set(protocol.tables) == {"recist-1.1", "choi", "schedule"}
    assert protocol.options("recist-1.1", BestResponseOptions).confirm_days == 30
