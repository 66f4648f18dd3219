"""Collected responses that contradict each other, whatever was measured (criteria page, 1.13)."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from response.cells import NO_NUMBER, thousandths_text
from response.checks.scene import Flags
from response.compare.matching import NOWHERE, Match
from response.findings import Finding
from response.registry import STANDARD
from response.vocabulary import CR, NE, NON_CR_NON_PD, PD, PR, Response

_REMEDY: Final = "Please check the recorded responses of this timepoint."


def contradictions(match: Match, told: Flags) -> Iterator[Finding]:
    """Yield contradictions within the rows of RECIST 1.1 that no difference tells already (`told`, `[row]`)."""
    rows = match.rows_of(STANDARD) & ~told
    overall = {name: _is(match, "overall", name) for name in (CR, PD, PR)}
    some = ~_is(match, "overall", "")
    stays = _is(match, "non_target", NON_CR_NON_PD, PD, NE)
    new = _is(match, "new_lesion", "Yes")
    caused = new | _is(match, "target", PD, "") | _is(match, "non_target", PD, "") | _is(match, "new_lesion", "")
    caused |= _computed_pd(match)  # such as disease after CR, which no other answer shows
    cases = (
        ("cr_with_non_target_present", overall[CR] & stays, "CR although a non-target is still there or was not "
         "evaluated", "a non-target response of CR or NA, or overall PR"),
        ("new_lesion_but_not_pd", new & some & ~overall[PD], "no PD although a new lesion was recorded", "overall PD"),
        ("pd_without_cause", overall[PD] & ~caused, "PD although neither targets, non-targets nor a new lesion show it",
         "the cause of the progression"),
    )  # fmt: skip
    for id_, holds, what, expected in cases:

        def make(row: int, id_: str = id_, what: str = what, expected: str = expected) -> Finding:
            said = ", ".join(
                f"{name.replace('_', ' ')} {match.text(name, row)}"
                for name in ("overall", "target", "non_target", "new_lesion")
                if match.text(name, row)
            )
            return match.scene.of_record(
                match.records,
                row,
                id_,
                "warning",
                column="overall",
                found=said,
                expected=expected,
                sentence=f"The recorded responses contradict each other: {what} ({said}).",
                remedy=_REMEDY,
            )

        yield from match.scene.notes(np.flatnonzero(rows & holds), make)
    yield from _small_responses(match, rows)


def _computed_pd(match: Match) -> Flags:
    progressed = match.scene.assessment.results[STANDARD].responses() == Response.PD
    return np.asarray((match.cell != NOWHERE) & progressed[match.cell])


def _is(match: Match, question: str, *names: str) -> Flags:
    answers = match.answers[question]
    return np.isin(answers.codes, [place for place, name in enumerate(answers.names) if name in names])


def _small_responses(match: Match, rows: Flags) -> Iterator[Finding]:
    """Yield each collected target PR whose collected sum is less than 30 % below the baseline."""
    scene, sums = match.scene, match.records.number("sum_mm").astype(np.int64)
    result = scene.assessment.results[STANDARD]
    if not match.records.has("sum_mm"):
        return
    partial = _is(match, "target", PR) | (_is(match, "target", "") & _is(match, "overall", PR))
    if scene.options.sticky_pr == "eortc_continue":
        return  # there an earlier PR may go on
    cell = np.maximum(match.cell, 0)
    base = result.numbers["baseline_mm"][cell]
    names = result.categories("target")
    scored = np.asarray([name not in ("", "NA", "NE", CR) for name in names], np.bool_)[result.answers["target"][cell]]
    hits = rows & partial & scored & (match.cell != NOWHERE) & (sums != NO_NUMBER) & (10 * sums > 7 * base) & (base > 0)

    def make(row: int) -> Finding:
        now, before = thousandths_text(int(sums[row])), thousandths_text(int(base[row]))
        return scene.of_record(
            match.records,
            row,
            "pr_below_30",
            "warning",
            column="sum_mm",
            found=f"PR with a sum of {now} mm, baseline {before} mm",
            expected="a sum at least 30 % below the baseline",
            sentence=f"PR was recorded, but the recorded sum of {now} mm is less than 30 % below the baseline of "
            f"{before} mm.",
            remedy=_REMEDY,
        )

    yield from scene.notes(np.flatnonzero(hits), make)
