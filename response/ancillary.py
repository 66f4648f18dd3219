"""Ancillary findings: what is seen in a lesion beside its size, against baseline. They change no category.

CT and MR changes that reflect fibrosis, necrosis, calcification and haemorrhage are ancillary indicators of response;
cystic change and the interface of tumour and liver are named beside them (Dioguardi Burgio, Ronot, Vilgrain, ESR
Essentials of ESGAR, Eur Radiol 2025, doi:10.1007/s00330-025-11540-1; abstract read). Necrosis is a descriptor: it is
there before treatment too, so it is compared with baseline, and it proves nothing by itself (Sarcoma Academy, Cancers
2025;17:1779). What is marked `[P]` is an assumption of this project.

1. A word of the reader that tells a change wins; "present" then and now is refined by the numbers, where there are any.
2. Without a word, numbers decide, with the tolerances below; what the reader did not see at baseline was 0 there.
3. A lesion in which a finding was ever recorded has it not evaluable wherever it was not recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER, NO_ROW, THOUSAND
from response.measurements import Measurements
from response.timeline import Timeline
from response.vocabulary import Ancillary, PathologyClass, State

SUPPORTS: Final = "supports"
AGAINST: Final = "argues against"
NEITHER: Final = "neither"

PRESENT_FRACTION: Final = THOUSAND // 20  # 5 % of the volume: below it counts as absent [P]
CHANGED_FRACTION: Final = THOUSAND // 10  # a tenth of the volume, up or down, is a change [P]
PRESENT_CALCIFIED: Final = THOUSAND // 100  # 1 % of the volume [P]
CHANGED_CALCIFIED: Final = THOUSAND // 20  # 5 % of the volume [P]
PRESENT_ENHANCEMENT: Final = 10 * THOUSAND  # 10 HU: below it a tissue does not enhance (10 to 15 HU in use) [P]
CHANGED_ENHANCEMENT: Final = 10 * THOUSAND  # 10 HU [P]
PRESENT_RELATIVE: Final = 10 * THOUSAND  # 10 % more signal than without contrast medium [P]
CHANGED_RELATIVE: Final = 20 * THOUSAND  # 20 points of percent [P]
# Change of ADC beyond repeatability: 27 % in lesions of liver and prostate, less in breast (15 %) and brain (8 %);
# the largest for all (QIBA profile of diffusion-weighted MRI, Radiology 2024, PMC11537247, abstract read).
CHANGED_ADC_PERCENT: Final = 27

_ESGAR: Final = "ESGAR 2025 on the liver"
_ASSUMED: Final = "direction assumed"
_ESSR: Final = f"ESSR 2024 names it, {_ASSUMED}"  # of its part 3 only scope and method were read
_SCANNER: Final = "it depends on scanner and sequence: compare it on one scanner only"
_CHUN: Final = "groups of Chun 2009"  # 1: sharp, no rim; 3: ill-defined, may have a rim (JAMA 2009;302:2338-2344)


@dataclass(frozen=True)
class Kind:
    """One kind of ancillary finding.

    Attributes
    ----------
    more, less
        What it says of response where it is new or increased, and where it is decreased or gone.
    source, less_source
        Who says so of more, and of less.
    word, number
        Columns of the measurement table; empty where there is none.
    unit
        Of the number.
    present, changed
        Thousandths of the unit: from which number on it is there, and which difference is a change.
    changed_percent
        Which difference is a change, in percent of the baseline; it takes the place of `changed` where it is not 0.
    note
        What to know about the number.
    """

    more: str
    less: str
    source: str
    word: str = ""
    number: str = ""
    unit: str = ""
    present: int = PRESENT_FRACTION
    changed: int = CHANGED_FRACTION
    less_source: str = _ASSUMED
    changed_percent: int = 0
    note: str = ""


KINDS: Final[Mapping[str, Kind]] = {
    "necrosis": Kind(SUPPORTS, AGAINST, f"{_ESGAR}; a descriptor", "necrosis_finding", "necrosis_fraction", "fraction"),
    "fibrosis": Kind(SUPPORTS, NEITHER, _ESGAR, "fibrosis_finding"),
    "cystic change": Kind(SUPPORTS, NEITHER, _ESGAR, "cystic_finding"),
    "calcification": Kind(
        *(SUPPORTS, NEITHER, _ESGAR, "calcification_finding", "calcified_fraction", "fraction"),
        present=PRESENT_CALCIFIED,
        changed=CHANGED_CALCIFIED,
    ),
    "haemorrhage": Kind(SUPPORTS, NEITHER, _ESGAR, "haemorrhage_finding", "haemorrhage_fraction", "fraction"),
    "sharp interface": Kind(SUPPORTS, AGAINST, f"{_ESGAR}, {_CHUN}", "interface_finding", less_source=_CHUN),
    "thick rim": Kind(AGAINST, SUPPORTS, _CHUN, "rim_finding", less_source=_CHUN),
    "fat": Kind(NEITHER, NEITHER, "", "fat_finding"),  # no direction in the sources
    "enhancement": Kind(
        *(AGAINST, SUPPORTS, _ESSR, "enhancement_finding", "enhancement_hu", "HU"),
        present=PRESENT_ENHANCEMENT,
        changed=CHANGED_ENHANCEMENT,
        less_source=_ESSR,
    ),
    "relative enhancement": Kind(
        *(AGAINST, SUPPORTS, _ESSR),
        number="relative_enhancement_percent",
        unit="%",
        present=PRESENT_RELATIVE,
        changed=CHANGED_RELATIVE,
        less_source=_ESSR,
        note=_SCANNER,
    ),
    "ADC": Kind(
        *(SUPPORTS, AGAINST, _ESSR),
        number="adc",
        unit="10^-3 mm2/s",
        present=0,  # there is always some diffusion
        changed_percent=CHANGED_ADC_PERCENT,
        less_source=_ESSR,
        note=_SCANNER,
    ),
    "viable fraction": Kind(AGAINST, SUPPORTS, _ESSR, number="viable_fraction", unit="fraction", less_source=_ESSR),
}

CHANGED: Final = (Ancillary.NEW, Ancillary.INCREASED, Ancillary.DECREASED)

_A = Ancillary
# By what was there at baseline (absent, present, unknown), then by the word now.
_BY_WORDS: Final[Mapping[Ancillary, Mapping[Ancillary, Ancillary]]] = {
    _A.ABSENT: {
        _A.ABSENT: _A.ABSENT,
        _A.PRESENT: _A.NEW,
        _A.NEW: _A.NEW,
        _A.INCREASED: _A.NEW,
        _A.STABLE: _A.ABSENT,
        _A.DECREASED: _A.NOT_EVALUABLE,  # it contradicts the baseline
    },
    _A.PRESENT: {
        _A.ABSENT: _A.DECREASED,
        _A.PRESENT: _A.STABLE,
        _A.NEW: _A.INCREASED,
        _A.INCREASED: _A.INCREASED,
        _A.STABLE: _A.STABLE,
        _A.DECREASED: _A.DECREASED,
    },
    _A.BLANK: {
        _A.ABSENT: _A.ABSENT,
        _A.PRESENT: _A.NOT_EVALUABLE,
        _A.NEW: _A.NEW,
        _A.INCREASED: _A.INCREASED,
        _A.STABLE: _A.STABLE,
        _A.DECREASED: _A.DECREASED,
    },
}


def status_by_words(now: NDArray[np.int8], baseline: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the status against baseline from the words of the reader, blank where there is no word now; any shape."""
    table = np.full((len(Ancillary), len(Ancillary)), Ancillary.NOT_EVALUABLE, np.int8)
    table[:, Ancillary.BLANK] = Ancillary.BLANK
    for then in Ancillary:
        known = then if then in (Ancillary.ABSENT, Ancillary.PRESENT) else Ancillary.BLANK
        for word, status in _BY_WORDS[known].items():
            table[then, word] = status
    return np.asarray(table[baseline, now])


def status_by_numbers(now: NDArray[np.int32], baseline: NDArray[np.int32], kind: Kind) -> NDArray[np.int8]:
    """Return the status against baseline from numbers in thousandths; not evaluable where one is missing.

    A difference as large as the tolerance is a change; a smaller one is none, even across the limit of presence.
    """
    rise = now.astype(np.int64) - baseline
    if kind.changed_percent:
        changed = (100 * np.abs(rise) >= kind.changed_percent * np.abs(baseline.astype(np.int64))) & (rise != 0)
    else:
        changed = np.abs(rise) >= kind.changed
    conditions = (
        ((now == NO_NUMBER) | (baseline == NO_NUMBER), Ancillary.NOT_EVALUABLE),
        ((now < kind.present) & (baseline < kind.present), Ancillary.ABSENT),
        (changed & (rise > 0) & (baseline < kind.present), Ancillary.NEW),
        (changed & (rise > 0), Ancillary.INCREASED),
        (changed, Ancillary.DECREASED),
    )
    found = np.select([holds for holds, _ in conditions], [int(status) for _, status in conditions], Ancillary.STABLE)
    return found.astype(np.int8)


def status_against_baseline(
    words: tuple[NDArray[np.int8], NDArray[np.int8]], numbers: tuple[NDArray[np.int32], NDArray[np.int32]], kind: Kind
) -> NDArray[np.int8]:
    """Return the status from words and numbers, each now and at baseline; see the steps of the module."""
    said, then = words
    now, before = numbers
    seen_none = (then == Ancillary.ABSENT) & (before == NO_NUMBER)
    by_word = status_by_words(said, then)
    by_number = status_by_numbers(now, np.where(seen_none, 0, before).astype(np.int32), kind)
    refined = _vague(said, then) & (by_number != Ancillary.NOT_EVALUABLE)
    return np.where((said == Ancillary.BLANK) | refined, by_number, by_word).astype(np.int8)


def _vague(said: NDArray[np.int8], then: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return where "present" does not tell a change: it was not absent at baseline."""
    return np.asarray((said == Ancillary.PRESENT) & (then != Ancillary.ABSENT))


def contradictions(
    words: tuple[NDArray[np.int8], NDArray[np.int8]], numbers: tuple[NDArray[np.int32], NDArray[np.int32]], kind: Kind
) -> NDArray[np.bool_]:
    """Return where word and number, each now and at baseline, cannot both be right; any shape.

    The number changed where the word denies a change or tells the opposite one, or it is well above the limit of
    presence where the word is "absent". That a word tells a change too small for the number contradicts nothing.
    """
    said, then = words
    by_word, by_number = status_by_words(said, then), status_by_numbers(*numbers, kind)
    rose = np.isin(by_number, (Ancillary.NEW, Ancillary.INCREASED))
    fell = by_number == Ancillary.DECREASED
    denied = np.isin(by_word, (Ancillary.ABSENT, Ancillary.STABLE)) & (rose | fell)
    opposite = (np.isin(by_word, (Ancillary.NEW, Ancillary.INCREASED)) & fell) | (
        (by_word == Ancillary.DECREASED) & rose
    )
    unseen = (said == Ancillary.ABSENT) & (numbers[0] >= kind.present + kind.changed) & bool(kind.word)
    return np.asarray(((denied | opposite) & ~_vague(said, then)) | unseen)


def indications(kind: Kind, status: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return what each status says of response: index into `INDICATIONS`, which begins with the blank one."""
    table = np.zeros(len(Ancillary), np.int8)
    for found in (Ancillary.ABSENT, Ancillary.STABLE):
        table[found] = INDICATIONS.index(NEITHER)
    table[Ancillary.NEW] = table[Ancillary.INCREASED] = INDICATIONS.index(kind.more)
    table[Ancillary.DECREASED] = INDICATIONS.index(kind.less)
    return np.asarray(table[status])


def source_texts(kind: Kind, status: NDArray[np.int8]) -> tuple[NDArray[np.int8], Sequence[str]]:
    """Return whose word the indication of each status is: index into the texts that stand beside it."""
    texts = ("", kind.source if kind.more != NEITHER else "", kind.less_source if kind.less != NEITHER else "")
    more = np.isin(status, (Ancillary.NEW, Ancillary.INCREASED))
    return np.select([more, status == Ancillary.DECREASED], [1, 2], 0).astype(np.int8), texts


INDICATIONS: Final = ("", SUPPORTS, AGAINST, NEITHER)


def pathology_classes(percent: NDArray[np.int32]) -> NDArray[np.int8]:
    """Return the class of the EORTC-STBSG from viable cells in thousandths of a percent, blank where unknown.

    A: none; B: below 1 %; C: 1 to below 10 %; D: 10 to below 50 %; E: 50 % and more (tiers as in Schaefer et al., Int J
    Radiat Oncol Biol Phys 2017;98:375-383, who found no association with outcome: a descriptor).
    """
    limits = np.asarray([1, 1 * THOUSAND, 10 * THOUSAND, 50 * THOUSAND])
    found = PathologyClass.A + np.searchsorted(limits, percent, side="right")
    return np.where(percent == NO_NUMBER, PathologyClass.BLANK, found).astype(np.int8)


# --- over the timeline


@dataclass(frozen=True, eq=False)
class Observed:
    """One kind of finding, or a descriptor, in every lesion in which it was recorded; `[place]`, by track and time.

    Attributes
    ----------
    spot, track
        Where it stands in the timeline; only spots with a row.
    row, baseline_row
        Rows of the measurement table, `NO_ROW` where there is none.
    after
        Whether it comes after the baseline.
    state
        `vocabulary.State` of the lesion.
    word, baseline_word, status
        `vocabulary.Ancillary`; the status is blank up to the baseline, and of descriptors.
    number, baseline_number
        Thousandths of the unit, `NO_NUMBER` where there is none.
    """

    name: str
    kind: Kind
    spot: NDArray[np.int64]
    track: NDArray[np.int32]
    row: NDArray[np.int32]
    baseline_row: NDArray[np.int32]
    after: NDArray[np.bool_]
    state: NDArray[np.int8]
    word: NDArray[np.int8]
    baseline_word: NDArray[np.int8]
    number: NDArray[np.int32]
    baseline_number: NDArray[np.int32]
    status: NDArray[np.int8]

    @property
    def contradicts(self) -> NDArray[np.bool_]:
        """Where word and number after the baseline cannot both be right."""
        words, numbers = (self.word, self.baseline_word), (self.number, self.baseline_number)
        return self.after & contradictions(words, numbers, self.kind)


def kinds_of(measurements: Measurements) -> list[str]:
    """Return the kinds of finding for which the table has a word or a number, in the order of `KINDS`."""
    return [
        name for name, kind in KINDS.items() if kind.word in measurements.codes or kind.number in measurements.numbers
    ]


def pathology_of(measurements: Measurements) -> NDArray[np.int8]:
    """Return the class of pathology of each row: of the viable cells in percent, else as it was read; `[row]`."""
    classes = pathology_classes(measurements.number("pathology_viable_percent"))
    return np.where(classes == PathologyClass.BLANK, measurements.code("pathology_class"), classes)


def has_pathology(measurements: Measurements) -> bool:
    """Return whether the table has a column of pathology."""
    return "pathology_class" in measurements.codes or "pathology_viable_percent" in measurements.numbers


def observed(timeline: Timeline) -> list[Observed]:
    """Return every kind of finding that the measurements have."""
    return [_observed(timeline, name, KINDS[name]) for name in kinds_of(timeline.measurements)]


def spots_with(timeline: Timeline, recorded: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return spots and tracks of all rows of the lesions of which some row is marked in `recorded`, `[row]`."""
    spot = np.flatnonzero(timeline.row != NO_ROW)
    counts = np.diff(timeline.spot_start)
    track = np.repeat(np.arange(len(counts), dtype=np.int32), counts)[spot]
    chosen = np.zeros(len(counts), np.bool_)
    chosen[track[recorded[timeline.row[spot]]]] = True
    return spot[chosen[track]], track[chosen[track]]


def _observed(timeline: Timeline, name: str, kind: Kind) -> Observed:
    found = placed(timeline, name, kind, timeline.measurements.number(kind.number))
    words, numbers = (found.word, found.baseline_word), (found.number, found.baseline_number)
    status = np.where(found.after, status_against_baseline(words, numbers, kind), Ancillary.BLANK)
    return replace(found, status=status.astype(np.int8))


def placed(timeline: Timeline, name: str, kind: Kind, numbers: NDArray[np.int32]) -> Observed:
    """Return words and numbers of the lesions in which some were recorded, now and at baseline; no status yet.

    Parameters
    ----------
    timeline
        The trial.
    name, kind
        Of the finding.
    numbers
        Its numbers, `[row]` of the measurement table; `NO_NUMBER` where there is none.
    """
    words = timeline.measurements.code(kind.word)
    spot, track = spots_with(timeline, (words != Ancillary.BLANK) | (numbers != NO_NUMBER))
    row = timeline.row[spot]
    baseline = timeline.series.baseline[timeline.series_of_track[track]]
    first = timeline.row[timeline.spot_start[track] + np.maximum(baseline, 0)]
    baseline_row = np.where(baseline < 0, NO_ROW, first).astype(np.int32)
    return Observed(
        name=name,
        kind=kind,
        spot=spot,
        track=track,
        row=row,
        baseline_row=baseline_row,
        after=(baseline >= 0) & (spot - timeline.spot_start[track] > baseline),
        state=timeline.state[spot],
        word=words[row],
        baseline_word=_at(words, baseline_row, Ancillary.BLANK),
        number=numbers[row],
        baseline_number=_at(numbers, baseline_row, NO_NUMBER),
        status=np.zeros(len(spot), np.int8),
    )


def _at(values: NDArray[Any], rows: NDArray[np.int32], fill: int) -> NDArray[Any]:
    found = values[np.maximum(rows, 0)] if len(values) else np.full(len(rows), fill, values.dtype)
    return np.where(rows == NO_ROW, fill, found).astype(values.dtype)


def reasons(found: Observed) -> tuple[NDArray[np.int8], Sequence[str]]:
    """Return why a status is not evaluable: index into the texts that stand beside it, `[place]`."""
    texts = ("", "read as not evaluable", *_NOT_RECORDED, "not known at baseline", "contradicts the baseline")
    unknown_now = (found.word == Ancillary.BLANK) & (found.number == NO_NUMBER)
    contradicts = (found.word == Ancillary.DECREASED) & (found.baseline_word == Ancillary.ABSENT)
    conditions = (
        found.status != Ancillary.NOT_EVALUABLE,
        found.word == Ancillary.NOT_EVALUABLE,
        unknown_now & (found.state == State.ABSENT),
        unknown_now & (found.state == State.NOT_EVALUABLE),
        unknown_now,
        ~contradicts,
    )
    return np.select(conditions, [0, 1, 2, 3, 4, 5], 6).astype(np.int8), texts


_NOT_RECORDED: Final = ("the lesion is no longer visible", "the lesion was not evaluable", "not recorded")
