"""Which criteria a subject's tumour type and treatment suggest (`indications`), beside RECIST 1.1, which stays."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_ROW
from response.criteria.criterion import Criterion
from response.findings import Finding
from response.indications import INDICATIONS, SARCOMA, Indication
from response.registry import find_criterion
from response.vocabulary import folded, organ_of

if TYPE_CHECKING:
    from response.engine import Assessment
    from response.measurements import Records

FINDING: Final = "criterion_suggested"

# What comes before a word, and after it, and says that it is not so.
_NOT: Final = ("no", "not", "non", "without", "prior", "previous", "pre", "post", "after", "history of", "suspected")
_NOT_GIVEN: Final = (
    *(*_NOT, "previously treated with", "pretreated with", "refractory to", "resistant to", "intolerant to"),
    *("progressed on", "progression on", "failed", "failure of", "stopped", "discontinued"),
)
_NOT_GIVEN_AFTER: Final = (
    "naive",
    "free",
    "refractory",
    "resistant",
    "intolerant",
    "pretreated",
    "experienced",
    "failure",
)


def suggested(tumour_type: str, treatment: str) -> list[Indication]:
    """Return what a tumour type and a treatment, both free text, speak for.

    Some hold only with a lesion in their organ, or with their number in the measurement table.
    """
    tumour, given = _words(tumour_type), _words(treatment)
    return [
        item
        for item in INDICATIONS
        if (not item.tumours or _says(tumour, item.tumours) or _codes(tumour_type, item.codes))
        and (not item.also or _says(tumour, item.also))
        and (not item.treatments or _is_given(given, item.treatments))
        and not _says(tumour, item.unless)
    ]


def is_sarcoma(tumour_type: str) -> bool:
    """Return whether a tumour type, free text, is a sarcoma of soft tissue."""
    return _says(_words(tumour_type), ("sarcoma", *SARCOMA))


def is_of_liver(tumour_type: str) -> bool:
    """Return whether lesions of the liver are no metastases: by hepatocellular carcinoma, or lymphoma."""
    return any(item.criterion in ("mrecist", "lugano") for item in suggested(tumour_type, ""))


def suggestion_findings(assessment: "Assessment") -> list[Finding]:
    """Return one finding per distinct tumour type, treatment and criterion, with the number of subjects."""
    subjects = assessment.timeline.measurements.subjects
    if subjects is None:
        return []
    found: list[Finding] = []
    for rows, tumour_type, treatment in _groups(subjects):
        chosen: dict[str, tuple[Indication, NDArray[np.intp]]] = {}
        for item in _with_numbers(suggested(tumour_type, treatment), assessment):
            of_item = rows if not item.organ else rows[_with_lesion_in(item.organ, assessment, rows)]
            if len(of_item) and item.criterion not in chosen:
                chosen[item.criterion] = item, of_item
        found += [_finding(item, tumour_type, treatment, len(of_item), assessment) for item, of_item in chosen.values()]
    return found


def suggestion_lines(assessment: "Assessment", series: int) -> Iterator[str]:
    """Hand out a line for each criterion that the subject of a series suggests."""
    timeline = assessment.timeline
    subjects, row = timeline.measurements.subjects, int(timeline.series.subject_row[series])
    if subjects is None or row < 0:
        return
    tumour_type, treatment = (subjects.text_column(name).text(row) for name in ("tumour_type", "treatment"))
    told = set()
    for item in _with_numbers(suggested(tumour_type, treatment), assessment):
        if item.criterion in told or (item.organ and not _seen_in(item.organ, assessment, series)):
            continue
        told.add(item.criterion)
        about = _about(item, tumour_type, treatment)
        title = find_criterion(item.criterion).title
        yield f"Suggested for {about} beside RECIST 1.1: {title} ({item.source}); {_whether(item, assessment)}"


# --- words


def _words(text: str) -> str:
    return re.sub(r"\btumor", "tumour", folded(text))


def _says(text: str, words: tuple[str, ...]) -> bool:
    return bool(words) and _pattern(words, _NOT, ()).search(text) is not None


def _is_given(text: str, words: tuple[str, ...]) -> bool:
    return _pattern(words, _NOT_GIVEN, _NOT_GIVEN_AFTER).search(text) is not None


def _codes(text: str, codes: tuple[str, ...]) -> bool:
    return bool(codes) and _code_pattern(codes).search(text) is not None


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...], before: tuple[str, ...], after: tuple[str, ...]) -> re.Pattern[str]:
    denied = "".join(rf"(?<!\b{word} )" for word in before)
    denied_after = rf"(?! (?:{'|'.join(after)})\b)" if after else ""
    return re.compile(rf"{denied}\b(?:{'|'.join(map(re.escape, words))})s?\b{denied_after}")


@lru_cache(maxsize=64)
def _code_pattern(codes: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of codes: a letter begins one of ICD-10, of which more figures may follow; else ICD-O-3."""
    sites = [re.escape(code).replace(r"\.", r"\.?") for code in codes if code[0].isalpha()]
    kinds = [rf"{code}\d{{{4 - len(code)}}}/\d" for code in codes if code[0].isdigit()]
    parts = [*(rf"{site}(?:\.?\w{{1,2}})?" for site in sites), *(rf"M?-?{kind}" for kind in kinds)]
    return re.compile(rf"\b(?:{'|'.join(parts)})\b", re.IGNORECASE)


# --- subjects


def _groups(subjects: "Records") -> list[tuple[NDArray[np.intp], str, str]]:
    """Return the rows of the subject table with each tumour type and treatment, and how the first one writes them."""
    tumours, treatments = (subjects.text_column(name) for name in ("tumour_type", "treatment"))
    keys = []
    for column in (tumours, treatments):
        index: dict[str, int] = {}
        keys.append(np.asarray([index.setdefault(_words(text), len(index)) for text in column.values], np.int64))
    joint = keys[0][tumours.codes] * (len(treatments.values) + 1) + keys[1][treatments.codes]
    _, first, place = np.unique(joint, return_index=True, return_inverse=True)
    order = np.argsort(place, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(place, minlength=len(first)))[:-1]) if len(first) else []
    groups = [(rows, tumours.text(int(rows[0])), treatments.text(int(rows[0]))) for rows in parts]
    return sorted(groups, key=lambda group: (_words(group[1]), _words(group[2])))


def _with_lesion_in(organ: str, assessment: "Assessment", rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which subjects, rows of the subject table, have a lesion in an organ."""
    measured = assessment.timeline.measurements
    named, organs = measured.text_column("subject"), measured.text_column("organ")
    there = np.asarray([organ_of(text) == organ for text in organs.values], np.bool_)[organs.codes]
    ids = {named.values[code] for code in np.unique(named.codes[there]).tolist()}
    assert measured.subjects is not None
    of_row = measured.subjects.text_column("subject")
    return np.asarray([of_row.text(int(row)) in ids for row in rows], np.bool_)


def _with_numbers(items: list[Indication], assessment: "Assessment") -> list[Indication]:
    """Return what is suggested whatever was measured, or for numbers that the measurement table has."""
    measured = assessment.timeline.measurements
    return [item for item in items if not item.column or measured.has_any(item.column)]


def _seen_in(organ: str, assessment: "Assessment", series: int) -> bool:
    timeline = assessment.timeline
    tracks = slice(int(timeline.track_start[series]), int(timeline.track_start[series + 1]))
    rows = timeline.row[int(timeline.spot_start[tracks.start]) : int(timeline.spot_start[tracks.stop])]
    organs = timeline.measurements.text_column("organ")
    return any(organ_of(organs.text(row)) == organ for row in rows[rows != NO_ROW].tolist())


# --- what is told


def _finding(item: Indication, tumour_type: str, treatment: str, count: int, assessment: "Assessment") -> Finding:
    criterion = find_criterion(item.criterion)
    counted = f"{count} subject{'' if count == 1 else 's'}"
    needs = f"; it needs the column {criterion.needs}" if criterion.needs else ""
    asks = f"To see both, ask for it (--criteria {item.criterion}){needs}. RECIST 1.1 stays."
    both = "Read both side by side; RECIST 1.1 stays."
    texts = "; ".join(text for text in (tumour_type, treatment) if text)
    return Finding(
        id=FINDING,
        severity="info",
        column="tumour_type" if item.tumours else "treatment",
        found=f"{criterion.title} for {texts}: {counted}, {_whether(item, assessment)}",
        expected=f"{criterion.title} beside RECIST 1.1",
        sentence=f"{_capital(_about(item, tumour_type, treatment))} ({counted}) suggests {criterion.title} beside "
        f"RECIST 1.1 ({item.source}); it was {_whether(item, assessment)}.",
        remedy=both if _assessed_as(item, assessment) else asks,
    )


def _about(item: Indication, tumour_type: str, treatment: str) -> str:
    told = [f"tumour type '{tumour_type}'"] if item.tumours else []
    told += [f"treatment '{treatment}'"] if item.treatments else []
    return " with ".join(told)


def _assessed_as(item: Indication, assessment: "Assessment") -> list[Criterion]:
    """Return the criterion as it was assessed: itself, or what a study made of it."""
    assessed = [result.criterion for result in assessment.results.values()]
    return [criterion for criterion in assessed if item.criterion in (criterion.name, criterion.based_on)]


def _whether(item: Indication, assessment: "Assessment") -> str:
    assessed = _assessed_as(item, assessment)
    if not assessed:
        return "not assessed in this run"
    if any(criterion.name == item.criterion for criterion in assessed):
        return "assessed in this run"
    return f"assessed in this run as {', '.join(criterion.title for criterion in assessed)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
