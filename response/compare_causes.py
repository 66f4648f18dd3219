"""The likely cause of each difference between collected and computed responses of a timepoint."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.check_scene import LARGEST_PER_CHECK, Flags, Grouped
from response.collected_match import QUESTIONS, Match, agree
from response.criteria.recist import RECIST_QUESTIONS
from response.engine import Result
from response.findings import Finding
from response.registry import STANDARD
from response.slips import SLIPS, Slip, answers_under
from response.vocabulary import NON_CR_NON_PD, PD, SD

SERIES_TOGETHER: Final = 1000  # series of one block: asking the rules again costs little more for them than for one


@dataclass(frozen=True)
class Cause:
    """A stable word for a cause, and what was probably done."""

    name: str
    sentence: str


UNKNOWN_CAUSE: Final = Cause("unknown", "none of the usual slips gives the recorded response")
DATES_EXCHANGED: Final = Cause("dates_exchanged", "the responses of two timepoints, or their dates, were exchanged")
CARRIED_FORWARD: Final = Cause("pd_carried_forward", "an earlier PD was carried forward; each timepoint is judged anew")
SD_WITHOUT_TARGETS: Final = Cause(
    "sd_without_targets", "without target lesions stable disease is called Non-CR/Non-PD"
)


def causes_of(
    match: Match, differs: Mapping[str, Flags], hits: NDArray[Any], explaining: Sequence[Finding]
) -> list[Cause]:
    """Return the likely cause of each hit.

    Parameters
    ----------
    match
        The collected rows and their timepoints.
    differs
        By question (and `sum`): which rows differ.
    hits
        Rows that differ.
    explaining
        Findings in the data.
    """
    hits = hits[:LARGEST_PER_CHECK]
    slips = _slips_of(match, differs, hits)
    exchanged = _exchanged(match, differs["overall"], hits)
    errors = _errors(explaining)
    causes = []
    for place, row in enumerate(hits.tolist()):
        collected, computed = match.text("overall", row), _computed(match, "overall", int(match.cell[row]))
        slip = slips[place]
        if place in exchanged:
            causes.append(DATES_EXCHANGED)
        elif collected == SD and computed == NON_CR_NON_PD:
            causes.append(SD_WITHOUT_TARGETS)
        elif slip is not None:
            causes.append(Cause(slip.name, slip.sentence))
        elif collected == PD and match.scene.after_pd[match.cell[row]]:
            causes.append(CARRIED_FORWARD)
        else:
            causes.append(_by_error(match, row, errors))
    return causes


def _computed(match: Match, question: str, cell: int) -> str:
    result = match.scene.assessment.results[STANDARD]
    return result.categories(question)[result.answers[question][cell]]


# --- slips


def _slips_of(match: Match, differs: Mapping[str, Flags], hits: NDArray[Any]) -> list[Slip | None]:
    """Return for each hit the slip that explains most of what was collected."""
    best: list[tuple[int, Slip | None]] = [(0, None)] * len(hits)
    result = match.scene.assessment.results[STANDARD]
    for members, low, high in _blocks(match, hits):
        block = match.scene.timeline.block(low, high)
        for slip in SLIPS:
            answers = answers_under(slip, block, match.scene.options)
            if answers is None:
                continue
            for place in members:
                row = int(hits[place])
                cell = int(match.cell[row])
                at = (int(match.scene.timeline.series_of_cell[cell]) - low, int(match.scene.timeline.place[cell]))
                score = _explained(match, differs, row, result, {name: int(codes[at]) for name, codes in answers.items()})
                if score > best[place][0]:
                    best[place] = (score, slip)
    return [slip for _, slip in best]


def _blocks(match: Match, hits: NDArray[Any]) -> Iterator[tuple[list[int], int, int]]:
    """Yield the places of some hits, and the series from the first to after the last of them."""
    series = match.scene.timeline.series_of_cell[match.cell[hits]]
    order = np.argsort(series, kind="stable")
    members: list[int] = []
    for place in order.tolist():
        if members and series[place] - series[members[0]] >= SERIES_TOGETHER:
            yield members, int(series[members[0]]), int(series[members[-1]]) + 1
            members = []
        members.append(place)
    if members:
        yield members, int(series[members[0]]), int(series[members[-1]]) + 1


def _explained(match: Match, differs: Mapping[str, Flags], row: int, result: Result, codes: Mapping[str, int]) -> int:
    """Return how many collected answers a slip gives; 0 where it leaves the main difference as it is."""
    score = 0
    main = next((question for question in QUESTIONS if differs[question][row]), "")
    for question in RECIST_QUESTIONS:
        collected = match.text(question.name, row)
        met = agree(question.name, collected, result.categories(question.name)[codes[question.name]])
        if question.name == main and not met:
            return 0
        score += 1 + 4 * (question.name == main) if met else 0
    return score if main else 0


# --- other causes


def _exchanged(match: Match, differs: Flags, hits: NDArray[Any]) -> set[int]:
    """Return the places of hits whose responses are each other's."""
    places = np.flatnonzero(differs[hits])
    by_series = Grouped(match.series[hits[places]], places)
    found = set()
    for series in np.unique(match.series[hits[places]]).tolist():
        own = by_series.of(series).tolist()
        told = {place: match.text("overall", int(hits[place])) for place in own}
        right = {place: _computed(match, "overall", int(match.cell[hits[place]])) for place in own}
        for place in own:
            if any(other != place and told[place] == right[other] and told[other] == right[place] for other in own):
                found.add(place)
    return found


def _errors(explaining: Sequence[Finding]) -> Mapping[tuple[str, str, str], Finding]:
    return {(item.subject, item.evaluator, item.timepoint): item for item in explaining if item.severity == "error"}


def _by_error(match: Match, row: int, errors: Mapping[tuple[str, str, str], Finding]) -> Cause:
    about = match.scene.of_cell(int(match.cell[row]), "", "info")
    error = errors.get((about.subject, about.evaluator, about.timepoint))
    if error is None:
        return UNKNOWN_CAUSE
    lesion = f" of lesion {error.lesion}" if error.lesion else ""
    return Cause(error.id, f"it follows from another finding at this timepoint ({error.id}{lesion})")
