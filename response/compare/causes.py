"""The likely cause of each difference between collected and computed responses of a timepoint."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.checks.scene import LARGEST_PER_CHECK, Flags, Grouped
from response.compare.matching import QUESTIONS, Match, agree
from response.compare.slips import SLIPS, Slip, answers_under
from response.compare.sums import sum_cause
from response.findings import Finding
from response.registry import STANDARD
from response.result import Result
from response.vocabulary import NE, NON_CR_NON_PD, PD, SD

SERIES_TOGETHER: Final = 1000  # series of one block: asking the rules again costs little more for them than for one


@dataclass(frozen=True)
class Cause:
    """A stable word for a cause, and what was probably done."""

    name: str
    sentence: str


UNKNOWN_CAUSE: Final = Cause("unknown", "none of the usual slips gives the recorded response")
DATES_EXCHANGED: Final = Cause("dates_exchanged", "the responses of two timepoints, or their dates, were exchanged")
CARRIED_FORWARD: Final = Cause("pd_carried_forward", "an earlier PD was carried forward; each timepoint is judged anew")
NEW_WITHOUT_ROW: Final = Cause(
    "new_lesion_without_row", "a new lesion was recorded, but the measurements have none at this timepoint"
)
SD_WITHOUT_TARGETS: Final = Cause("sd_without_targets", "without target lesions stable disease is called Non-CR/Non-PD")

# Findings that make a lesion not evaluable: they explain a computed NE better than any slip.
UNREADABLE: Final = frozenset(
    "conflicting_rows unusable_cell number_on_absent node_without_short_axis target_without_value cyclic_merge "
    "target_without_baseline_value".split()
)
Errors = Mapping[tuple[str, str], Sequence[Finding]]


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
    errors = errors_of(explaining)
    causes = []
    for place, row in enumerate(hits.tolist()):
        collected, computed = match.text("overall", row), _computed(match, "overall", int(match.cell[row]))
        slip, of_study = slips[place], _study_cause(match, row) if differs["overall"][row] else None
        error = error_cause(match, row, errors)
        summed = None if any(differs[question][row] for question in QUESTIONS) else sum_cause(match, row)
        if place in exchanged:
            causes.append(DATES_EXCHANGED)
        elif error is not None and error.name in UNREADABLE and _computed(match, "target", int(match.cell[row])) == NE:
            causes.append(error)  # the lesion is not evaluable here only because of the data
        elif summed is not None:
            causes.append(Cause(*summed))
        elif collected == SD and computed == NON_CR_NON_PD:
            causes.append(SD_WITHOUT_TARGETS)
        elif of_study is not None:
            causes.append(of_study)
        elif slip is not None:
            causes.append(Cause(slip.name, slip.sentence))
        elif collected == PD and match.scene.after_pd[match.cell[row]]:
            causes.append(CARRIED_FORWARD)
        elif match.text("new_lesion", row) == "Yes" and _computed(match, "new_lesion", int(match.cell[row])) == "No":
            causes.append(NEW_WITHOUT_ROW)
        else:
            causes.append(error or UNKNOWN_CAUSE)
    return causes


def _computed(match: Match, question: str, cell: int) -> str:
    return _word(match.scene.assessment.results[STANDARD], question, cell)


def _word(result: Result, question: str, cell: int) -> str:
    return result.categories(question)[int(result.answers[question][cell])]


def _study_cause(match: Match, row: int) -> Cause | None:
    """Return the criterion of the study that gives the recorded response, where there is one."""
    collected, cell = match.text("overall", row), int(match.cell[row])
    for name, result in match.scene.assessment.results.items():
        if result.criterion.based_on and agree("overall", collected, _word(result, "overall", cell)):
            return Cause(f"by_{name}", f"it is the response by {name}, which is to stand in the column criterion then")
    return None


# --- slips


def _slips_of(match: Match, differs: Mapping[str, Flags], hits: NDArray[Any]) -> list[Slip | None]:
    """Return for each hit the slip that explains most of what was collected."""
    timeline = match.scene.timeline
    best, score = np.full(len(hits), -1), np.zeros(len(hits), np.int64)
    collected = _Collected.of(match, differs, hits)
    series, place = timeline.series_of_cell[match.cell[hits]], timeline.place[match.cell[hits]]
    for members, low, high in _blocks(series):
        block, at = timeline.block(low, high), (series[members] - low, place[members])
        for number, slip in enumerate(SLIPS):
            answers = answers_under(slip, block, match.scene.options)
            if answers is None:
                continue
            explained = collected.explained(members, {name: codes[at] for name, codes in answers.items()})
            better = explained > score[members]
            best[members[better]], score[members[better]] = number, explained[better]
    return [None if number < 0 else SLIPS[number] for number in best.tolist()]


def _blocks(series: NDArray[Any]) -> Iterator[tuple[NDArray[Any], int, int]]:
    """Yield the places of some hits, and the series from the first to after the last of them."""
    order = np.argsort(series, kind="stable")
    start = 0
    while start < len(order):
        first = int(series[order[start]])
        end = int(np.searchsorted(series[order], first + SERIES_TOGETHER))
        members = order[start:end]
        yield members, first, int(series[members[-1]]) + 1
        start = end


@dataclass(frozen=True, eq=False)
class _Collected:
    """What was collected at each hit, ready to be compared with answers under a slip.

    Attributes
    ----------
    answers
        By question: code of the collected answer, `[hit]`.
    agrees
        By question: whether an answer agrees with a rule's category, `[answer, rule]`.
    main
        By question: whether the finding is named after it, `[hit]`.
    """

    answers: Mapping[str, NDArray[Any]]
    agrees: Mapping[str, Flags]
    main: Mapping[str, Flags]

    @classmethod
    def of(cls, match: Match, differs: Mapping[str, Flags], hits: NDArray[Any]) -> "_Collected":
        result = match.scene.assessment.results[STANDARD]
        agrees, main = {}, {}
        told = np.zeros(len(hits), np.bool_)
        for question in QUESTIONS:
            names, rules = match.answers[question].names, result.categories(question)
            agrees[question] = np.asarray([[agree(question, own, rule) for rule in rules] for own in names], np.bool_)
            main[question] = differs[question][hits] & ~told
            told |= main[question]
        return cls({question: match.answers[question].codes[hits] for question in QUESTIONS}, agrees, main)

    def explained(self, members: NDArray[Any], answers: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Return how many collected answers a slip gives; 0 where it leaves the main difference as it is."""
        score = np.zeros(len(members), np.int64)
        possible = np.zeros(len(members), np.bool_)
        for question, codes in answers.items():
            met = self.agrees[question][self.answers[question][members], codes]
            possible |= met & self.main[question][members]
            score += met
        return np.where(possible, score, 0)


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


def errors_of(explaining: Sequence[Finding]) -> Errors:
    """Return the errors in the data by subject and evaluator."""
    errors: dict[tuple[str, str], list[Finding]] = {}
    for item in explaining:
        if item.severity == "error":
            errors.setdefault((item.subject, item.evaluator), []).append(item)
    return errors


def error_cause(match: Match, row: int, errors: Errors) -> Cause | None:
    """Return the error in the data that the difference may follow from: of this timepoint, else of an earlier one."""
    if not errors:
        return None
    about = match.scene.of_cell(int(match.cell[row]), "", "info")
    own = errors.get((about.subject, about.evaluator), ())
    here = [item for item in own if item.timepoint == about.timepoint]
    error = next(iter(here or [item for item in own if item.timepoint in _until(match, row)]), None)
    if error is None:
        return None
    where = " ".join(filter(None, (error.lesion and f"of lesion {error.lesion}", error.timepoint and
                                   f"at timepoint {error.timepoint}")))  # fmt: skip
    return Cause(error.id, f"it follows from another finding, {error.id} {where}".rstrip())


def _until(match: Match, row: int) -> set[str]:
    """Return the labels of the timepoints up to that of a row, and the blank one of what concerns the whole series."""
    timeline, cell = match.scene.timeline, int(match.cell[row])
    cells = range(cell - int(timeline.place[cell]), cell + 1)
    return {"", *(timeline.visits.labels[timeline.visits.label[place]] for place in cells)}
