"""How far the criteria agree over a trial: cross tables, agreement and Cohen's kappa (`concordance.csv`).

Of each pair of criteria, at the timepoints (`timepoint`) and for the best responses (`best`):

1. What is compared are the reads that both criteria scored: each subject, evaluator and timepoint after baseline, or
   each subject and evaluator. A subject with two evaluators counts twice, as two reads by both criteria, and so do the
   timepoints after a progression. The best response is the confirmed one where the options of the criterion ask for
   that.
2. The words of a criterion are read as the responses of RECIST 1.1 that they stand for (`Criterion.words`): iCR, irCR
   and CMR as CR, NC as SD. Progression that is not confirmed (iUPD, PDu, unconfirmed irPD) is PD, as it is where the
   criteria are said to disagree. Words of a criterion's own (Chun's "optimal") stay as they are.
3. A row of kind `count` for every pair of responses that occurs: all reads, the ones that are not evaluable too.
4. A row of kind `summary`: `n` reads in which both responses are evaluable (neither NE, ND, NA nor missing), the share
   of them in which the responses are the same, and kappa = (p_o - p_e) / (1 - p_e) with p_e from the margins (Cohen,
   Educ Psychol Meas 1960;20:37-46). `weighted_kappa` counts how far apart the responses are (Cohen, Psychol Bull
   1968;70:213-220), with weights that fall evenly over the scale CR, PR, SD, PD (Cicchetti & Allison, Am J EEG Technol
   1971;11:101-109): PR against SD is a third of CR against PD. Non-CR/Non-PD stands at SD, as in the best response. A
   word without a place on the scale (NED) disagrees wholly with every other one.
   All three stay blank where the two criteria share no scale, or nothing is evaluable; kappa also where both have one
   and the same response throughout, for it is 0 / 0 there.
5. A row of kind `responders`, also where the scales differ: the same reads, each only as a response or none. CR, PR,
   Chun's "optimal", and "favourable" of SACT and MASS are a response, everything else that is evaluable is none. It is
   missing where a criterion has no such word (ablation).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from response.best.overall import best_names
from response.best_of_series import BestOfSeries
from response.criteria.criterion import Criterion
from response.engine import Assessment
from response.report.columns import Columns, NumberColumn
from response.result import Result
from response.table import TextColumn
from response.vocabulary import CR, MISSING, NA, NE, NON_CR_NON_PD, NOT_DONE, PD, PR, RESPONSE_NAMES, SD, Response

CONCORDANCE_COLUMNS: Final = (
    *("criterion_a", "criterion_b", "level", "kind", "response_a", "response_b", "count"),
    *("n", "agreement_percent", "kappa", "weighted_kappa"),
)
NOT_EVALUABLE: Final = frozenset({NE, NOT_DONE, NA, MISSING})
SCALE: Final[Mapping[str, int]] = {CR: 0, PR: 1, SD: 2, NON_CR_NON_PD: 2, PD: 3}  # from best to worst
Counts = Mapping[tuple[str, str], int]
Level = Literal["timepoint", "best"]
Kind = Literal["count", "summary", "responders"]
RESPONSES: Final = frozenset({CR, PR, "optimal", "favourable"})


@dataclass(frozen=True)
class Row:
    """One row of the table; None is blank."""

    criterion_a: str
    criterion_b: str
    level: Level
    kind: Kind
    response_a: str = ""
    response_b: str = ""
    count: int | None = None
    n: int | None = None
    agreement_percent: Fraction | None = None
    kappa: Fraction | None = None
    weighted_kappa: Fraction | None = None


@dataclass(frozen=True, eq=False)
class _Words:
    """What a criterion said of each read: `codes` into `words`, of which the empty one is nothing; `[read]`."""

    codes: NDArray[np.int64]
    words: Sequence[str]


def agreement(counts: Counts) -> Fraction | None:
    """Return the share of reads with one response by both criteria, of a cross table; None where there is no read."""
    n = sum(counts.values())
    return Fraction(sum(count for (one, other), count in counts.items() if one == other), n) if n else None


def cohen_kappa(counts: Counts) -> Fraction | None:
    """Return Cohen's kappa of a cross table, unweighted; None where it is 0 / 0."""
    return _kappa(counts, lambda one, other: Fraction(one != other))


def weighted_kappa(counts: Counts, scale: Mapping[str, int]) -> Fraction | None:
    """Return Cohen's kappa with weights that fall evenly along a scale; None where it is 0 / 0.

    Parameters
    ----------
    counts
        The cross table.
    scale
        Place of each word, from 0. A word without a place is as far from every other word as the ends are from each
        other.
    """
    longest = max(scale.values()) - min(scale.values())

    def apart(one: str, other: str) -> Fraction:
        if one in scale and other in scale:
            return Fraction(abs(scale[one] - scale[other]), longest)
        return Fraction(one != other)

    return _kappa(counts, apart)


def _kappa(counts: Counts, apart: Callable[[str, str], Fraction]) -> Fraction | None:
    """Return 1 less the distance observed over that expected from the margins (the same number as from the shares)."""
    n = sum(counts.values())
    rows, columns = Counter[str](), Counter[str]()
    for (one, other), count in counts.items():
        rows[one] += count
        columns[other] += count
    observed = sum((count * apart(*pair) for pair, count in counts.items()), Fraction())
    expected = sum((rows[one] * columns[other] * apart(one, other) for one in rows for other in columns), Fraction())
    return 1 - n * observed / expected if expected else None


def concordance_columns(assessment: Assessment) -> Columns:
    """Return the table, one row after the other."""
    rows = list(_rows(assessment))
    texts = ("criterion_a", "criterion_b", "level", "kind", "response_a", "response_b")
    columns: dict[str, TextColumn | NumberColumn] = {
        name: TextColumn.of(str(getattr(row, name)) for row in rows) for name in texts
    }
    columns["count"] = _numbers([row.count for row in rows], 0)
    columns["n"] = _numbers([row.n for row in rows], 0)
    columns["agreement_percent"] = _numbers([row.agreement_percent for row in rows], 2)
    columns["kappa"] = _numbers([row.kappa for row in rows], 3)
    columns["weighted_kappa"] = _numbers([row.weighted_kappa for row in rows], 3)
    return {name: columns[name] for name in CONCORDANCE_COLUMNS}


def _rows(assessment: Assessment) -> Iterator[Row]:
    scored = assessment.timeline.series.baseline >= 0
    levels: dict[Level, dict[str, _Words]] = {"timepoint": {}, "best": {}}
    for name, result in assessment.results.items():
        levels["timepoint"][name] = _at_timepoints(result)
        levels["best"][name] = _best(result, assessment.best[name], scored)
    for one, other in combinations(assessment.results.values(), 2):
        for level, words in levels.items():
            names = one.criterion.name, other.criterion.name
            counts = _counts(words[names[0]], words[names[1]])
            for (a, b), count in counts.items():
                yield Row(*names, level, "count", a, b, count)
            yield _summary(names, level, counts, _shared_scale(one.criterion, other.criterion))
            if all(RESPONSES & set(words[name].words) for name in names):
                yield _responders(names, level, counts)


def _shared_scale(one: Criterion, other: Criterion) -> Mapping[str, int] | None:
    """Return the scale that two criteria answer on, from best to worst; None where they have different ones."""
    if one.best_order != other.best_order:
        return None
    own = [word for word in one.best_order if word not in NOT_EVALUABLE]
    return {word: place for place, word in enumerate(own)} if own else SCALE


def _responders(names: tuple[str, str], level: Level, counts: Counts) -> Row:
    told = Counter[tuple[str, str]]()
    for (one, other), count in _evaluable(counts).items():
        told["response" if one in RESPONSES else "none", "response" if other in RESPONSES else "none"] += count
    share = agreement(told)
    return Row(
        *names,
        level,
        "responders",
        n=sum(told.values()),
        agreement_percent=None if share is None else 100 * share,
        kappa=cohen_kappa(told),
    )


def _evaluable(counts: Counts) -> Counts:
    return {pair: count for pair, count in counts.items() if not NOT_EVALUABLE & set(pair)}


def _summary(names: tuple[str, str], level: Level, counts: Counts, scale: Mapping[str, int] | None) -> Row:
    evaluable = _evaluable(counts)
    n = sum(evaluable.values())
    if scale is None:
        return Row(*names, level, "summary", n=n)
    share = agreement(evaluable)
    return Row(
        *names,
        level,
        "summary",
        n=n,
        agreement_percent=None if share is None else 100 * share,
        kappa=cohen_kappa(evaluable),
        weighted_kappa=weighted_kappa(evaluable, scale),
    )


def _counts(one: _Words, other: _Words) -> Counts:
    """Return how often each pair of words occurs where both criteria have one, by the words."""
    stride = len(other.words)
    joint = np.bincount(one.codes * stride + other.codes, minlength=len(one.words) * stride)
    found: Counter[tuple[str, str]] = Counter()
    for place in np.flatnonzero(joint).tolist():
        pair = one.words[place // stride], other.words[place % stride]
        if all(pair):
            found[pair] += int(joint[place])  # several rules may give one word
    return {pair: found[pair] for pair in sorted(found, key=lambda pair: (_place(pair[0]), _place(pair[1])))}


def _place(word: str) -> tuple[int, str]:
    words = list(RESPONSE_NAMES.values())
    return (words.index(word), "") if word in words else (len(words), word)


# --- what each criterion said, in common words


def common_words(criterion: Criterion) -> Mapping[str, str]:
    """Return the response of RECIST 1.1 that each word of a criterion stands for."""
    words = criterion.response_words
    return {word: RESPONSE_NAMES[code] for code, word in words.items()} | {words[Response.UNCONFIRMED_PD]: PD}


def _at_timepoints(result: Result) -> _Words:
    common, categories = common_words(result.criterion), result.categories()  # NOT_SCORED reaches the last one
    answers = result.answers["overall"].astype(np.int64)
    words = [common.get(category, category) for category in categories]
    return _Words(np.where(answers < 0, len(words) - 1, answers), words)


def _best(result: Result, best: BestOfSeries, scored: NDArray[np.bool_]) -> _Words:
    """Return the best response of each series, in common words; blank where there is no baseline."""
    if best.category is not None:
        words = [*(rule.category for rule in result.rules("overall")), NE]
        codes = np.where(best.category < 0, len(words) - 1, best.category)
    else:
        common, names = common_words(result.criterion), best_names(result.criterion.response_words)
        words = [common.get(names[code], names[code]) for code in Response]
        confirmed = getattr(result.options, "confirmation", False)
        found = [block.best.confirmed_best if confirmed else block.best.best for block in best.blocks]
        codes = np.concatenate(found) if found else np.zeros(0, np.int8)
    return _Words(np.where(scored, codes, len(words)).astype(np.int64), [*words, ""])


def _numbers(values: Sequence[Fraction | int | None], decimals: int) -> NumberColumn:
    known = np.asarray([value is not None for value in values], np.bool_)
    whole = [0 if value is None else round(value * 10**decimals) for value in values]
    return NumberColumn(np.asarray(whole, np.int64), known, decimals)


__all__ = [
    "CONCORDANCE_COLUMNS",
    "NOT_EVALUABLE",
    "RESPONSES",
    "SCALE",
    "agreement",
    "cohen_kappa",
    "common_words",
    "concordance_columns",
    "weighted_kappa",
]
