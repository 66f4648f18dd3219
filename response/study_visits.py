"""Which studies are which timepoints: labels and dates of observations, before lesions are matched over time.

1. Reports that came twice, or were replaced by a later one, are left out.
2. The source's own labels count where every study of the subject has one; studies with the same label are one
   timepoint. Else the date of the study is its timepoint, with a, b, ... where two studies have one date.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase
from typing import Final

from response.findings import Finding, Severity
from response.keys import visit_key
from response.observations import Observation

UNDATED: Final = "undated"
_UNKNOWN: Final = "unknown"  # subject of files that name none

StudyKey = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Observations, each with its subject, timepoint and (where known) date.

    Attributes
    ----------
    observations
        Ordered by subject, timepoint, kind and file.
    order
        Timepoints of each subject in the order of time.
    unordered
        Subject and timepoint of studies without date and label, where the subject has others: nobody knows whether
        they come before or after these.
    findings
        What was left out or assumed.
    """

    observations: Sequence[Observation]
    order: Mapping[str, Sequence[str]]
    unordered: frozenset[tuple[str, str]]
    findings: Sequence[Finding]


def place_visits(observations: Iterable[Observation], dates: Mapping[str, str] | None = None) -> Placed:
    """Give every observation its timepoint.

    Parameters
    ----------
    observations
        In any order.
    dates
        ISO dates by study, as other files have them (image headers); for studies whose observations have none.
    """
    return _Placing(observations, dates or {}).placed()


class _Placing:
    def __init__(self, observations: Iterable[Observation], known_dates: Mapping[str, str]) -> None:
        self.findings: list[Finding] = []
        self.known_dates = known_dates
        self.observations = self._with_subject(self._current(list(observations)))
        self.dates: dict[StudyKey, str] = {}
        self.labels: dict[StudyKey, list[str]] = {}
        self.first: dict[StudyKey, Observation] = {}
        self._read_studies()
        self.studies = Counter(subject for subject, _ in self.dates)

    def placed(self) -> Placed:
        timepoints = self._timepoints()
        placed = []
        for item in self.observations:
            key = (item.subject, item.study)
            several = len(self.labels[key]) > 1
            label = timepoints[key, item.timepoint if several else ""]
            placed.append(replace(item, timepoint=label, date="" if several else self.dates[key]))
        order = _order(placed)
        rank = {subject: {label: place for place, label in enumerate(labels)} for subject, labels in order.items()}
        placed.sort(
            key=lambda item: (item.subject, rank[item.subject][item.timepoint], item.kind != "report", item.file)
        )
        unordered = {
            (subject, label)
            for subject, labels in order.items()
            for label in labels
            if len(labels) > 1 and label.startswith(UNDATED)
        }
        return Placed(observations=placed, order=order, unordered=frozenset(unordered), findings=self.findings)

    # --- what is left out

    def _current(self, observations: list[Observation]) -> list[Observation]:
        """Leave out copies of a report, and reports that another one replaces."""
        first: dict[str, str] = {}
        for item in sorted(observations, key=lambda item: item.file):
            if item.kind == "report" and item.cells.get("source"):
                first.setdefault(item.cells["source"], item.file)
        replaced = {uid for item in observations for uid in item.cells.get("replaces_uid", "").split()}
        current, told = [], set[str]()
        for item in observations:
            source = item.cells.get("source", "") if item.kind == "report" else ""
            kind = "report_twice" if source and first[source] != item.file else ""
            if source in replaced and source:
                kind = "report_replaced"
            if not kind:
                current.append(item)
            elif item.file not in told:
                told.add(item.file)
                self._tell_left_out(kind, item)
        return current

    def _tell_left_out(self, kind: str, item: Observation) -> None:
        why = "is a copy of another file" if kind == "report_twice" else "was replaced by a later report"
        sentence = f"A report {why}; its measurements were not used."
        self._tell(kind, "info", item, sentence, remedy="None needed.")

    def _with_subject(self, observations: list[Observation]) -> list[Observation]:
        made, told = [], set[str]()
        for item in observations:
            if item.subject:
                made.append(item)
                continue
            named = replace(item, subject=f"{_UNKNOWN} {item.study or item.file}".strip())
            made.append(named)
            if named.subject not in told:
                told.add(named.subject)
                sentence = "The files of a study name no patient; it counts as a subject of its own."
                self._tell("observation_without_subject", "error", named, sentence, remedy="Fill in the Patient ID.")
        return made

    # --- studies

    def _read_studies(self) -> None:
        dates: dict[StudyKey, set[str]] = defaultdict(set)
        labels: dict[StudyKey, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))  # by file
        for item in sorted(self.observations, key=lambda item: (item.kind == "mask", item.file)):
            key = (item.subject, item.study)
            self.first.setdefault(key, item)
            dates[key].add(item.date)
            if item.timepoint and item.timepoint not in labels[key][item.file]:
                labels[key][item.file].append(item.timepoint)
        for key, item in self.first.items():
            self._set_date(key, item, sorted(dates[key] - {""}))
            self._set_labels(key, item, list(labels[key].values()))

    def _set_date(self, key: StudyKey, item: Observation, known: Sequence[str]) -> None:
        self.dates[key] = known[0] if known else self.known_dates.get(key[1], "")
        if len(known) > 1:
            sentence = f"The files of one study have different dates ({', '.join(known)}); the first was taken."
            self._tell("study_dates_differ", "warning", item, sentence, found=", ".join(known))

    def _set_labels(self, key: StudyKey, item: Observation, by_file: Sequence[Sequence[str]]) -> None:
        """Set the label of a study, a report's before that of a segmentation; several where one report has several."""
        labels = list(dict.fromkeys(label for own in by_file for label in own))
        several = any(len(own) > 1 for own in by_file)
        self.labels[key] = labels if several else labels[:1]
        if len(labels) < 2:
            return
        found = ", ".join(labels)
        if several:
            sentence = f"One study has measurements of several timepoints ({found}); their dates are not known."
            self._tell("several_timepoints_in_study", "warning", item, sentence, found=found)
        else:
            sentence = f"The files of one study name its timepoint differently ({found}); the first was taken."
            self._tell("timepoint_labels_differ", "warning", item, sentence, found=found)

    def _timepoints(self) -> dict[tuple[StudyKey, str], str]:
        """Return the timepoint of each study, and where it has several labels of each of them."""
        found: dict[tuple[StudyKey, str], str] = {}
        by_subject: dict[str, list[StudyKey]] = defaultdict(list)
        for key in self.dates:
            by_subject[key[0]].append(key)
        for keys in by_subject.values():
            by_date = {} if all(self.labels[key] for key in keys) else self._by_date(keys)
            if by_date:
                self._tell_labels(keys)
            for key in keys:
                several = len(self.labels[key]) > 1
                own = UNDATED if several else self.labels[key][0] if not by_date else ""
                found[key, ""] = by_date.get(key) or own
                found.update({(key, label): label for label in self.labels[key] if several})
        return found

    def _by_date(self, keys: Sequence[StudyKey]) -> dict[StudyKey, str]:
        by_date: dict[str, list[StudyKey]] = defaultdict(list)
        for key in sorted(keys):
            by_date[self.dates[key] or UNDATED].append(key)
        found = {}
        for date, several in by_date.items():
            for place, key in enumerate(several):
                found[key] = date if len(several) == 1 else f"{date} {_letters(place)}"
            self._tell_shared(date, several)
        return found

    def _tell_shared(self, date: str, keys: Sequence[StudyKey]) -> None:
        item = self.first[keys[0]]
        if date == UNDATED:
            alone = self.studies[item.subject] == 1
            which = "The study has" if len(keys) == 1 else f"{len(keys)} studies have"
            sentence = f"{which} no date and no label{'' if alone else '; nobody knows its place among the others'}."
            severity: Severity = "warning" if alone else "error"
            self._tell(
                "study_without_date", severity, item, sentence, remedy="Fill in date and timepoint in the table."
            )
        elif len(keys) > 1:
            sentence = f"{len(keys)} studies were made on {date}; each is a timepoint of its own."
            remedy = "If they are one scan, give their rows the same timepoint."
            self._tell("studies_on_one_date", "warning", item, sentence, found=str(len(keys)), remedy=remedy)

    def _tell_labels(self, keys: Sequence[StudyKey]) -> None:
        given = [label for key in keys for label in self.labels[key]]
        if given:
            item = self.first[keys[0]]
            sentence = "Some studies of the subject have no timepoint label, so their dates are the timepoints."
            found = ", ".join(dict.fromkeys(given))
            self._tell("timepoint_labels_not_used", "info", item, sentence, found=found, remedy="None needed.")

    def _tell(self, kind: str, severity: Severity, item: Observation, sentence: str, *, found: str = "",
              remedy: str = "Correct the files, or the rows of the measurement table.") -> None:  # fmt: skip
        self.findings.append(
            Finding(
                id=kind,
                severity=severity,
                subject=item.subject,
                timepoint=item.timepoint or item.date,
                found=found,
                sentence=sentence,
                remedy=remedy,
                file=item.file,
            )
        )


def _order(placed: Sequence[Observation]) -> dict[str, list[str]]:
    """Return the timepoints of each subject, by date where all have one, else by label."""
    first: dict[str, dict[str, str]] = defaultdict(dict)
    for item in placed:
        known = first[item.subject].get(item.timepoint, "")
        first[item.subject][item.timepoint] = min(filter(None, (known, item.date)), default="")
    return {
        subject: sorted(
            dates,
            key=lambda label, dates=dates: (  # type: ignore[misc]
                dates[label] if all(dates.values()) else "",
                visit_key(label),
            ),
        )
        for subject, dates in first.items()
    }


def _letters(place: int) -> str:
    """Return a, b, ..., z, aa, ab, ..."""
    text = ""
    while True:
        text = ascii_lowercase[place % 26] + text
        place = place // 26 - 1
        if place < 0:
            return text
