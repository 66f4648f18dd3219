"""What a run tells at its end: how much was scored, best responses, findings, and who could not be scored."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from response.commands.logs import Log
from response.errors import InputError

if TYPE_CHECKING:
    from response.engine import Assessment
    from response.findings import Finding

DONE: Final = 0
SOME_NOT_SCORED: Final = 1
_MOST_NAMED: Final = 20  # subjects; the others are counted, and findings.csv lists all


def tell_notes(log: Log, notes: Sequence[str]) -> None:
    """Tell what was mapped on reading."""
    for note in notes:
        log.tell("mapped", f"  {note}" if log.mode == "text" else note)


def tell_best(log: Log, found: "Assessment") -> None:
    """Tell how much was scored, and how often each best response was found."""
    series = found.timeline.series
    scored = series.baseline >= 0
    subjects = len(set(series.subject[scored].tolist()))
    reads = int(scored.sum())
    timepoints = len(found.timeline.visits)
    several = f" ({reads} reads)" if reads != subjects else ""
    log.tell(
        "scored",
        f"scored {counted(subjects, 'subject')}{several} at {counted(timepoints, 'timepoint')}",
        subjects=subjects,
        series=reads,
        timepoints=timepoints,
    )
    for criterion, counts in _best_counts(found).items():
        tell_counts(log, criterion, counts)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: 1 subject, 2 subjects."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def place_of(category: str) -> int:
    """Return the place of a response in the order from best to worst."""
    from response.vocabulary import IRECIST_WORDS, RESPONSE_BY_NAME, Response

    known = {**RESPONSE_BY_NAME, **{word: code for code, word in IRECIST_WORDS.items()}}
    return int(known.get(category, Response.NA))


def _best_counts(found: "Assessment") -> dict[str, dict[str, int]]:
    """Return how many series have each best response, the best first, by criterion."""
    from response.best.overall import best_names
    from response.vocabulary import Response

    counts: dict[str, dict[str, int]] = {}
    for name, best_of in found.best.items():
        if best_of.category is not None:
            rules = found.results[name].rules("overall")
            words = Counter(rules[code].category if code >= 0 else "none" for code in best_of.category.tolist())
            order = {category: place for place, category in enumerate(found.results[name].criterion.best_order)}
            counts[name] = dict(sorted(words.items(), key=lambda item: order.get(item[0], len(order))))
            continue
        confirmed = getattr(found.results[name].options, "confirmation", False)
        codes = Counter(
            code
            for block in best_of.blocks
            for code in (block.best.confirmed_best if confirmed else block.best.best).tolist()
        )
        names = best_names(found.results[name].criterion.response_words)
        counts[name] = {names[Response(code)]: codes[code] for code in sorted(codes)}
    return counts


def tell_counts(log: Log, criterion: str, counts: Mapping[str, int]) -> None:
    """Tell how often each best response was found by a criterion."""
    text = ", ".join(f"{name} {count}" for name, count in counts.items())
    log.tell("best", f"best responses by {criterion}: {text}", criterion=criterion, counts=dict(counts))


def tell_findings(log: Log, findings: "Sequence[Finding]", *, by_id: bool = False) -> None:
    """Tell how many findings there are of each severity, and of each kind where asked for.

    What holds for the whole of the results is told as it stands: a criterion without the column that it needs.
    """
    from response.checks.needs import CRITERION_WITHOUT_COLUMN

    for finding in findings:
        if finding.id == CRITERION_WITHOUT_COLUMN:
            log.alert(finding.id, f"{finding.sentence} {finding.remedy}", column=finding.column)
    counts: Counter[str] = Counter(finding.severity for finding in findings)
    words = {"error": "error", "warning": "warning", "info": "note"}
    text = ", ".join(counted(counts[name], word) for name, word in words.items() if counts[name])
    log.tell("findings", f"findings: {text or 'none'}", counts=dict(counts))
    if by_id and log.mode == "text":
        by_kind = Counter((list(words).index(finding.severity), finding.id) for finding in findings)
        for (rank, name), count in sorted(by_kind.items()):
            severity = list(words)[rank]
            log.tell("finding", f"  {count:5d}  {severity:8}{name}")


def _unscored(found: "Assessment") -> list[str]:
    """Return the subjects (and evaluators, where there are several) that could not be scored."""
    series = found.timeline.series
    names = []
    for place in (series.baseline < 0).nonzero()[0].tolist():
        evaluator = series.evaluators[series.evaluator[place]]
        subject = series.subjects[series.subject[place]]
        names.append(f"{subject} ({evaluator})" if evaluator else subject)
    return names


def refuse_without_baseline(found: "Assessment") -> None:
    """Raise InputError where no subject has a baseline, so that there is nothing to write."""
    series = found.timeline.series
    files = ", ".join(found.timeline.measurements.table.files)
    if not len(series):
        raise InputError(
            files,
            "no row that can be scored",
            "rows with subject, timepoint, lesion and role",
            "the command check lists what is wrong",
        )
    if not (series.baseline >= 0).any():
        raise InputError(
            files,
            f"none of the {len(series)} subjects has a baseline",
            "a timepoint on or before the start of treatment, or one marked with Y in the column baseline",
            "the command check lists what is wrong",
        )


def _without_rows(found: "Assessment") -> list[str]:
    """Return the subjects of whom no row could be used, so that they are not in the results."""
    from response.placing import ROWS_LEFT_OUT

    series = found.timeline.series
    known = {series.subjects[code] for code in set(series.subject.tolist())}
    told = (finding.subject for finding in found.timeline.measurements.findings if finding.id in ROWS_LEFT_OUT)
    return sorted({subject for subject in told if subject} - known)


def tell_unscored(log: Log, found: "Assessment") -> int:
    """Name the subjects that could not be scored; return the exit status."""
    lost = _without_rows(found)
    total = len(found.timeline.series) + len(lost)
    status = DONE
    for names, what in ((_unscored(found), "a baseline"), (lost, "rows that can be used")):
        if not names:
            continue
        shown = ", ".join(names[:_MOST_NAMED])
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        log.alert(
            "not_scored",
            f"{len(names)} of {total} could not be scored, for want of {what}: {shown}{more}",
            subjects=names[:_MOST_NAMED],
            count=len(names),
        )
        status = SOME_NOT_SCORED
    return status
