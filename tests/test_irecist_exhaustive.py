"""All combinations of findings over four timepoints through RECIST 1.1 and iRECIST, each as one trial.

The laws that hold in every series, each a function `check_*`; none of them knows how the program walks:

1. A timepoint has one of the words that its kind of disease can have (`check_words`).
2. Until and with the first PD both criteria agree; without a PD there is no iUPD (`check_beginning`).
3. RECIST 1.1 is what it is without iRECIST beside it (`check_recist_beside`).
4. An iUPD has a cause that is PD by RECIST 1.1 (`check_causes`).
5. An iCPD comes only while an iUPD waits; after it nothing changes; a response resets the bar (`check_blocks`).
6. While an iUPD waits, targets that progress by 5 mm more are an iCPD, and an iCPD by a sum is 5 mm (`check_growth`).
7. A scan that comes too early confirms nothing, undoes nothing and sets no nadir (`check_early_scans`, `check_nadirs`).
8. A response is that of the original lesions by tables 1 and 2 of RECIST 1.1 (`check_originals`); iCR means that all is
   gone (`check_complete_response`).
9. A later timepoint changes no earlier one (`check_later_timepoints`).
10. The steps, asked of all timepoints at once, give what the walk gave (`check_steps_asked_again`).
11. iBOR is the best timepoint up to iCPD (`check_best`); the progression has the date of the iUPD that opened the block
    which is confirmed, or open at the end (`check_dates`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from response.cells import NO_DATE
from response.criteria.irecist import IRECIST, IrecistOptions
from response.criteria.recist import RECIST_1_1
from response.engine import Assessment, assess_timeline
from response.protocol import Protocol
from response.registry import find_criteria
from response.report.evidence import Evidence
from response.report.sentences import Decisions
from response.result import Result
from response.timeline import Timeline
from response.vocabulary import Role
from tests.grids import DAY_0, Kind, all_combinations

TARGET = Kind(Role.TARGET, "liver", "100", ("absent", "60", "100", "125", "NE"))
NON_TARGET = Kind(Role.NON_TARGET, "bone", "present", ("absent", "present", "present+", "pd", "NE"))
NEW = Kind(Role.NEW, "lung", "none", ("none", "10", "16", "NE"))
LATE, EARLY = (56, 112, 168, 224), (56, 76, 112, 200)  # without and with a scan that comes too early

GRIDS: Mapping[str, tuple[Sequence[Kind], Sequence[int]]] = {
    "target and new lesion": ((TARGET, NEW), LATE),
    "target and new lesion, with an early scan": ((TARGET, NEW), EARLY),
    "target and non-target": ((TARGET, NON_TARGET), LATE),
    "non-target and new lesion": ((NON_TARGET, NEW), LATE),
}
FULL = (
    TARGET,
    Kind(Role.NON_TARGET, "bone", "present", ("absent", "present", "pd", "NE")),
    Kind(Role.NEW, "lung", "none", ("none", "10", "NE")),
)
FIVE_MM = 5_000
RESPONSES = ("iCR", "iPR", "iSD", "non-iCR/non-iUPD")
WITH_I = {"CR": "iCR", "PR": "iPR", "SD": "iSD", "Non-CR/Non-PD": "non-iCR/non-iUPD", "PD": "iUPD", "NE": "NE"}


@dataclass(frozen=True)
class Grid:
    """A trial of all combinations; categories are texts, `[series, timepoint]`, without the baseline."""

    timeline: Timeline
    results: Mapping[str, Result]
    combinations: int
    days: Sequence[int]  # of the timepoints after the baseline

    def words(self, criterion: str, question: str = "overall") -> Any:
        result = self.results[criterion]
        codes = result.answers[question].reshape(len(self.timeline.series), -1)[:, 1:]
        return np.asarray(result.categories(question))[codes]

    def steps(self) -> Any:
        result = self.results["irecist"]
        codes = result.answers["overall"].reshape(len(self.timeline.series), -1)[:, 1:]
        return np.asarray([rule.name for rule in result.rules("overall")])[codes]

    def numbers(self, criterion: str, name: str) -> Any:
        return self.results[criterion].numbers[name].reshape(len(self.timeline.series), -1)


def grid_of(kinds: Sequence[Kind], days: Sequence[int], first: Sequence[int] | None = None) -> Grid:
    timeline = all_combinations(kinds, days, first)
    criteria = find_criteria(["irecist"])
    options = {item.name: Protocol().options(item.name, item.options) for item in criteria}
    combinations = int(np.prod([len(kind.findings) for kind in kinds]))
    return Grid(timeline, assess_timeline(timeline, criteria, options), combinations, days)


@pytest.fixture(scope="module", params=GRIDS)
def grid(request: pytest.FixtureRequest) -> Grid:
    return grid_of(*GRIDS[request.param])


def check_words(grid: Grid) -> None:
    """Each timepoint has a category, and of those that its kind of disease can have."""
    found = set(np.unique(grid.words("irecist")))
    assert found <= {*RESPONSES, "iUPD", "iCPD", "NE"}
    with_targets = TARGET.role in set(grid.timeline.tracks.role.tolist())
    assert found & ({"non-iCR/non-iUPD"} if with_targets else {"iPR", "iSD"}) == set()


def check_beginning(grid: Grid) -> None:
    """Until and with the first PD both criteria agree; without any PD there is no iUPD."""
    recist, irecist = grid.words("recist-1.1"), grid.words("irecist")
    progressed = np.logical_or.accumulate(recist == "PD", axis=1)
    before = np.concatenate([np.zeros((len(recist), 1), np.bool_), progressed[:, :-1]], axis=1)
    expected = np.vectorize(WITH_I.get, otypes=["U20"])(recist)
    assert (irecist == expected)[~before].all()
    assert (np.isin(irecist, ("iUPD", "iCPD")) & ~progressed).sum() == 0


def check_blocks(grid: Grid) -> None:
    """After iCPD nothing changes; no iCPD without an iUPD that waits; a new iUPD is PD by RECIST 1.1 too."""
    recist, irecist, steps = grid.words("recist-1.1"), grid.words("irecist"), grid.steps()
    waits = np.zeros(len(irecist), np.bool_)
    confirmed = np.zeros(len(irecist), np.bool_)
    for place in range(irecist.shape[1]):
        word, step = irecist[:, place], steps[:, place]
        assert (word[confirmed] == "iCPD").all()
        new = (word == "iCPD") & ~confirmed
        assert waits[new].all()
        opens = (word == "iUPD") & ~waits
        assert (recist[opens, place] == "PD").all()
        assert np.isin(
            step[opens], ("new_lesion", "target_pd", "non_target_pd", "relapse_after_cr", "new_target_pd")
        ).all()
        resets = np.char.startswith(step, "reset_")
        assert (resets == (waits & np.isin(word, RESPONSES))).all()
        confirmed |= new
        waits = np.where(np.isin(word, RESPONSES), False, waits | (word == "iUPD")) & ~confirmed


def waiting(grid: Grid) -> tuple[Any, Any]:
    """Return where an iUPD waits when a timepoint comes, and the place of the iUPD that opened it (-1: none)."""
    irecist = grid.words("irecist")
    opened = np.full(len(irecist), -1)
    found = np.empty(irecist.shape, np.int64)
    for place in range(irecist.shape[1]):
        word = irecist[:, place]
        found[:, place] = opened
        opened = np.where(np.isin(word, RESPONSES), -1, np.where((word == "iUPD") & (opened < 0), place, opened))
    confirmed = np.logical_or.accumulate(irecist == "iCPD", axis=1)
    before = np.concatenate([np.zeros((len(irecist), 1), np.bool_), confirmed[:, :-1]], axis=1)
    return (found >= 0) & ~before, found


def check_causes(grid: Grid) -> None:
    """What opens an iUPD is progression by RECIST 1.1, and the step names it."""
    irecist, steps, (waits, _) = grid.words("irecist"), grid.steps(), waiting(grid)
    opens = (irecist == "iUPD") & ~waits
    target, non_target = grid.words("irecist", "target") == "iUPD", grid.words("irecist", "non_target") == "iUPD"
    new = grid.words("recist-1.1", "new_lesion") == "Yes"
    returned = np.logical_or.accumulate(irecist == "iCR", axis=1)
    for step, cause in (
        ("new_lesion", new),
        ("target_pd", target),
        ("non_target_pd", non_target),
        ("relapse_after_cr", returned),
        ("new_target_pd", new),
        ("new_non_target_pd", new),
    ):
        assert cause[opens & (steps == step)].all(), step
    assert (target | non_target | new | returned)[opens].all()


def check_growth(grid: Grid) -> None:
    """Targets that progress by 5 mm more confirm, whatever made the iUPD; a sum that confirms is 5 mm larger."""
    irecist, steps, (waits, _) = grid.words("irecist"), grid.steps(), waiting(grid)
    sums, reference = (grid.numbers("irecist", name)[:, 1:] for name in ("sum_mm", "iupd_reference_mm"))
    new, new_reference = (grid.numbers("irecist", name)[:, 1:] for name in ("new_sum_mm", "new_reference_mm"))
    further, new_further = sums - reference >= FIVE_MM, new - new_reference >= FIVE_MM
    assert further[steps == "target_further"].all()
    assert new_further[steps == "new_targets_further"].all()
    used = waits & (steps != "too_early")
    grown = used & (grid.words("irecist", "target") == "iUPD") & further
    assert (irecist[grown] == "iCPD").all()
    assert not (used & (grid.words("irecist", "new_lesion") == "No") & (steps == "another_new_lesion")).any()


def check_early_scans(grid: Grid) -> None:
    """Within 26 days of the iUPD (4 weeks less 2) nothing is confirmed and nothing reset; later each scan counts."""
    irecist, steps, (waits, opened) = grid.words("irecist"), grid.steps(), waiting(grid)
    days = np.asarray(grid.days)
    early = waits & (days - days[np.maximum(opened, 0)] < 26)
    assert (irecist[early] == "iUPD").all()
    assert ((steps == "too_early") == early).all()


def check_originals(grid: Grid) -> None:
    """A response is that of the original lesions (RECIST 1.1, tables 1 and 2), none of which progresses."""
    irecist, steps = grid.words("irecist"), grid.steps()
    target, other = grid.words("irecist", "target"), grid.words("irecist", "non_target")
    if not (steps == "too_early").any():
        assert (target == np.vectorize(lambda word: WITH_I.get(word, word), otypes=["U20"])(
            grid.words("recist-1.1", "target"))).all()  # fmt: skip
    gone, alone = np.isin(target, ("iCR", "NA")) & np.isin(other, ("iCR", "NA")), target == "NA"
    for word, holds in (
        ("iCR", gone),
        ("iPR", (target == "iPR") | (target == "iCR")),
        ("iSD", target == "iSD"),
        ("non-iCR/non-iUPD", alone & ((other == "non-iCR/non-iUPD") | gone)),
    ):
        assert holds[irecist == word].all(), word
    answered = np.isin(irecist, RESPONSES)
    assert not ((target == "iUPD") | (other == "iUPD"))[answered].any()
    # iPR of targets that are gone needs a reason: a non-target that is not gone, or a new lesion
    whole = gone & ~alone & (grid.words("recist-1.1", "new_lesion") == "No")
    assert (irecist[whole & answered] == "iCR").all()


def check_recist_beside(grid: Grid) -> None:
    """RECIST 1.1 gives the same answers, numbers, flags and dates where iRECIST is not asked for."""
    alone = find_criteria(["recist-1.1"])
    options = {item.name: Protocol().options(item.name, item.options) for item in alone}
    ours, theirs = grid.results["recist-1.1"], assess_timeline(grid.timeline, alone, options)["recist-1.1"]
    assert all((codes == theirs.answers[question]).all() for question, codes in ours.answers.items())
    assert all((values == theirs.numbers[name]).all() for name, values in ours.numbers.items())
    assert (ours.flags == theirs.flags).all()
    assert (ours.progression_date == theirs.progression_date).all()


def check_later_timepoints(grid: Grid) -> None:
    """A later timepoint never changes an earlier result: all series with the same beginning have the same answers."""
    for criterion, result in grid.results.items():
        first = len(grid.timeline.series) // grid.combinations**3
        answers = result.answers["overall"].reshape(first, *[grid.combinations] * 3, -1)
        for place in range(1, answers.shape[-1] - 1):
            same = answers[..., place].reshape(first * grid.combinations ** (place - 1), -1)
            assert (same == same[:, :1]).all(), (criterion, place)


def check_nadirs(grid: Grid) -> None:
    """The nadir never rises, and is never below that of RECIST 1.1, which uses every scan."""
    ours, theirs = grid.numbers("irecist", "nadir_mm")[:, 1:], grid.numbers("recist-1.1", "nadir_mm")[:, 1:]
    assert (np.diff(ours, axis=1) <= 0).all()
    assert (ours >= theirs).all()
    if not (grid.steps() == "too_early").any():
        assert (ours == theirs).all()


def check_complete_response(grid: Grid) -> None:
    """Before any iCPD an iCR means that all is gone."""
    irecist = grid.words("irecist")
    for question in ("target", "non_target"):
        assert np.isin(grid.words("irecist", question)[irecist == "iCR"], ("iCR", "NA")).all()
    assert (grid.words("irecist", "new_lesion")[irecist == "iCR"] == "No").all()


def check_best(grid: Grid) -> None:
    """IBOR is the best response up to iCPD, else iCPD, else iUPD, else NE."""
    order = [*RESPONSES, "iCPD", "iUPD", "NE"]
    irecist = grid.words("irecist")
    ranks = np.zeros(irecist.shape, np.int64)
    for rank, word in enumerate(order):
        ranks[irecist == word] = rank
    best = Assessment(grid.timeline, grid.results, Protocol()).best["irecist"]
    words = grid.results["irecist"].criterion.response_words
    names = np.asarray([words[code] for code in sorted(words)])
    found = np.concatenate([names[block.best.best] for block in best.blocks])
    assert (found == np.asarray(order)[ranks.min(axis=1)]).all()


def check_dates(grid: Grid) -> None:
    """The progression has the date of the iUPD that opened the block which is confirmed, or open at the end."""
    irecist, (waits, opened) = grid.words("irecist"), waiting(grid)
    places = np.arange(irecist.shape[1])
    first = np.where(irecist == "iCPD", places, places[-1] + 1).min(axis=1)
    confirmed = first <= places[-1]
    start = opened[np.arange(len(irecist)), np.minimum(first, places[-1])]
    last = irecist[:, -1]
    still = np.where(last == "iUPD", np.where(waits[:, -1], opened[:, -1], places[-1]), -1)
    still = np.where(waits[:, -1] & (last == "NE"), opened[:, -1], still)
    place = np.where(confirmed, start, still)
    days = np.asarray(grid.days)[np.maximum(place, 0)] + DAY_0
    expected = np.where(place < 0, NO_DATE, days)
    best = Assessment(grid.timeline, grid.results, Protocol()).best["irecist"]
    assert (np.concatenate([block.best.progression_date for block in best.blocks]) == expected).all()
    assert (irecist[np.flatnonzero(place >= 0), place[place >= 0]] == "iUPD").all()


def check_steps_asked_again(grid: Grid) -> None:
    """The steps, asked of all timepoints at once after the walk, give what the walk gave, which skips some."""
    options = Protocol().options("irecist", IrecistOptions)
    for block in grid.timeline.blocks():
        recist = RECIST_1_1.state(block, Protocol().options("recist-1.1", RECIST_1_1.options), {})
        RECIST_1_1.answer(recist, recist.options)
        state = IRECIST.state(block, options, {"recist-1.1": recist})
        IRECIST.answer(state, options)
        again = IRECIST.questions[-1].answer(state, options)
        assert ((again == state.answers["overall"]) | ~block.follow_up).all()


CHECKS = (
    check_words,
    check_beginning,
    check_recist_beside,
    check_causes,
    check_blocks,
    check_growth,
    check_early_scans,
    check_originals,
    check_later_timepoints,
    check_nadirs,
    check_complete_response,
    check_best,
    check_dates,
    check_steps_asked_again,
)


@pytest.mark.parametrize("check", CHECKS)
def test_all_combinations(check: Any, grid: Grid) -> None:
    check(grid)


def check_explained(grid: Grid) -> None:
    """Each decision names its rule and clause, and has a sentence in which every number is filled in."""
    for block in grid.timeline.blocks():
        for name, result in grid.results.items():
            decisions = Decisions(result, Evidence(block, grid.results["recist-1.1"]))
            for code, kind in enumerate(decisions.kinds):
                cells = np.flatnonzero(decisions.code == code)[:20]
                texts = [str(text) for text in decisions.reasons(cells)]
                assert kind.rule.startswith(f"{name}.") or kind.rule == "baseline"
                assert kind.clause or kind.rule == "baseline", kind.rule
                assert all(text.endswith(".") and "{" not in text and "unknown" not in text for text in texts), texts


def test_every_decision_is_explained_with_its_numbers(grid: Grid) -> None:
    check_explained(grid)


@pytest.mark.parametrize("answer", ["iCR", "iPR", "iSD", "non-iCR/non-iUPD", "iUPD", "iCPD", "NE"])
def test_the_grids_reach_every_answer(answer: str) -> None:
    small = [grid_of((TARGET, NEW), LATE[:3]), grid_of((NON_TARGET, NEW), LATE[:3])]
    assert any((one.words("irecist") == answer).any() for one in small)


@pytest.mark.parametrize("place", [1, 2, 3, 4])
@pytest.mark.parametrize("step", ["icr", "isd", "target_pd", "confirmed_before", "target_ne"])
def test_one_wrong_answer_is_seen(step: str, place: int) -> None:
    kinds, days = GRIDS["target and new lesion"]
    grid = grid_of(kinds, days, [4])  # 60 mm and no new lesion at the first timepoint
    answers = grid.results["irecist"].answers["overall"].reshape(len(grid.timeline.series), -1)
    wrong = [rule.name for rule in grid.results["irecist"].rules("overall")].index(step)
    (series, *_) = np.flatnonzero((grid.words("irecist") == "iPR").all(axis=1))
    answers[series, place] = wrong

    def passes(check: Any) -> bool:
        try:
            check(grid)
        except AssertionError:
            return False
        return True

    assert not all(passes(check) for check in CHECKS)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(math.prod(len(kind.findings) for kind in FULL)))
def test_all_13_million_combinations_of_targets_non_targets_and_new_lesions(first: int) -> None:
    grid = grid_of(FULL, LATE, [first])
    for check in (*CHECKS, check_explained):
        check(grid)
