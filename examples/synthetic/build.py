"""Builds the tables of a synthetic trial, subject by subject.

A subject has visits; a lesion has one entry per visit: a number in mm (short axis for nodes), a word (the state), a
`Seen` where a cell beside it differs, or None (no row). The responses are written down by whoever designs the course,
never computed: `judge` only adds the sums, dates and best responses that follow from them.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np

EVERY_DAYS = 56
JITTER_DAYS = 3  # well inside the window of 7 days
SUBJECT_COLUMNS = (
    *("subject", "study", "site", "arm", "tumour_type", "treatment", "treatment_start", "randomisation"),
    *("treatment_end", "new_therapy", "death", "last_known_alive", "data_cutoff"),
)
VISIT_COLUMNS = (
    *("subject", "evaluator", "timepoint", "date", "baseline", "done", "unscheduled", "new_lesions", "clinical"),
    "reason",
)
COLLECTED_COLUMNS = (
    *(
        "subject",
        "evaluator",
        "accepted",
        "timepoint",
        "date",
        "criterion",
        "target",
        "non_target",
        "new_lesion",
        "overall",
    ),
    *("sum_mm", "best_response", "progression_date"),
)
GRADE_COLUMNS = ("subject", "timepoint", "date", "overall")
PROTOCOL = f"""\
# Synthetic trial: imaging every {EVERY_DAYS} days from the start of treatment.
[schedule]
every_days = {EVERY_DAYS}
window_days = 7
"""
# From the best response down; what a subject's best response is among its timepoints up to the first PD.
BEST_FIRST = ("CR", "PR", "SD", "Non-CR/Non-PD", "NED", "PD", "NE")

Row = dict[str, str]


@dataclass(frozen=True)
class Seen:
    """What was seen of a lesion at one visit, with cells that differ from those of its other visits."""

    value: float | str
    cells: Mapping[str, str]


Entry = float | str | Seen | None


def seen(value: float | str, **cells: str) -> Seen:
    """Return an entry with cells of its own: `seen("not_evaluable", reason="motion")`."""
    return Seen(value, cells)


@dataclass
class Trial:
    """The tables of a trial; `columns` are those of its measurement table."""

    name: str
    prefix: str
    seed: int
    columns: Sequence[str]
    common: Mapping[str, str]
    measurements: list[Row] = field(default_factory=list)
    subjects: list[Row] = field(default_factory=list)
    visits: list[Row] = field(default_factory=list)
    collected: list[Row] = field(default_factory=list)
    grades: list[Row] = field(default_factory=list)

    def tables(self) -> dict[str, tuple[Sequence[str], list[Row]]]:
        """Return the columns and rows by file name, of those tables that the trial keeps."""
        tables = {
            "measurements.csv": (self.columns, self.measurements),
            "subjects.csv": (SUBJECT_COLUMNS, self.subjects),
            "visits.csv": (VISIT_COLUMNS, self.visits),
            "collected.csv": (COLLECTED_COLUMNS, self.collected),
            "chun.csv": (GRADE_COLUMNS, self.grades),
        }
        return {name: table for name, table in tables.items() if table[1]}

    def write(self, folder: Path) -> None:
        """Write the tables and the protocol into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "protocol.toml").write_text(PROTOCOL, encoding="utf-8", newline="\n")
        for name, (columns, rows) in self.tables().items():
            write_csv(folder / name, columns, rows)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write rows as CSV; a cell that a row lacks is blank, one without a column is an error."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def mm(value: float) -> str:
    """Return a length to the tenth of a millimetre."""
    return f"{value:.1f}"


class Subject:
    """One subject of a trial; random numbers depend on the trial's seed and the subject's number only."""

    def __init__(self, trial: Trial, number: int, visits: int, **cells: str) -> None:
        self.trial = trial
        self.id = f"{trial.prefix}-{number:03d}"
        self.rng = np.random.default_rng([trial.seed, number])
        self.start = date(2022, 2, 1) + timedelta(days=self.whole(0, 480))
        baseline = self.start - timedelta(days=self.whole(4, 20))
        planned = [self.start + timedelta(days=EVERY_DAYS * visit) for visit in range(1, visits + 1)]
        self.dates = [baseline, *(day + timedelta(days=self.whole(-JITTER_DAYS, JITTER_DAYS)) for day in planned)]
        self.labels = [str(visit) for visit in range(visits + 1)]
        self.missed: set[int] = set()
        self.unscheduled: set[int] = set()
        self.slice = ("1", "2.5", "3", "5")[self.whole(0, 3)]
        self.read: Row = {}  # who reads the lesions that are added from now on
        self.row: Row = {
            "subject": self.id,
            "study": trial.name.upper(),
            "site": f"S{self.whole(1, 4):02d}",
            **trial.common,
            "treatment_start": self.start.isoformat(),
            "last_known_alive": (self.dates[-1] + timedelta(days=self.whole(30, 60))).isoformat(),
            "data_cutoff": "2024-12-31",
            **cells,
        }
        trial.subjects.append(self.row)

    def whole(self, low: int, high: int) -> int:
        """Return a random whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def day(self, visit: int, later: int = 0) -> str:
        """Return the date of a visit, or of some days later."""
        return (self.dates[visit] + timedelta(days=later)).isoformat()

    def unscheduled_visit(self, label: str, after: int, days: int) -> None:
        """Add a visit between two planned ones."""
        self.labels.insert(after + 1, label)
        self.dates.insert(after + 1, self.dates[after] + timedelta(days=days))
        self.unscheduled.add(after + 1)

    def read_by(self, evaluator: str, *, accepted: bool = True) -> None:
        """Say who reads the lesions and judges the responses that are added from now on."""
        self.read = {"evaluator": evaluator, "accepted": "Y" if accepted else ""}

    def course(self, baseline: float, factors: Sequence[float]) -> list[float]:
        """Return sizes that follow factors of the baseline to within 1 %; factor 0 must be written as absent."""
        return [baseline, *(round(baseline * factor * (1 + self.whole(-10, 10) / 1000), 1) for factor in factors)]

    def target(self, name: str, organ: str, values: Iterable[Entry], **cells: str) -> None:
        """Add a target lesion."""
        self.lesion(name, "target", organ, values, **cells)

    def non_target(self, name: str, organ: str, values: Iterable[Entry], **cells: str) -> None:
        """Add a non-target lesion."""
        self.lesion(name, "non_target", organ, values, **cells)

    def new(self, name: str, organ: str, first: int, values: Iterable[Entry], **cells: str) -> None:
        """Add a new lesion from a visit on."""
        self.lesion(name, "new", organ, [*[None] * first, *values], **cells)

    def lesion(self, name: str, role: str, organ: str, values: Iterable[Entry], **cells: str) -> None:
        """Add the rows of a lesion, one entry per visit."""
        for visit, entry in enumerate(values):
            if entry is None or visit in self.missed:
                continue
            value, own = (entry.value, entry.cells) if isinstance(entry, Seen) else (entry, {})
            self.trial.measurements.append(
                {
                    "subject": self.id,
                    "timepoint": self.labels[visit],
                    "date": self.day(visit),
                    "lesion": name,
                    "role": role,
                    "organ": organ,
                    "modality": "CT",
                    "phase": "portal venous",
                    "slice_thickness_mm": self.slice,
                    **self.read,
                    **self._size(value, nodal=organ == "lymph node"),
                    **cells,
                    **own,
                }
            )

    def _size(self, value: float | str, *, nodal: bool) -> Row:
        if isinstance(value, str):
            return {"state": value}
        ratio = self.whole(62, 88) / 100
        long, short = (value / ratio, value) if nodal else (value, value * ratio)
        return {"state": "measured", "longest_mm": mm(long), "short_mm": mm(short)}

    def keep_visits(self, *, new_lesions: Mapping[int, str] | None = None, evaluator: str = "", **reasons: str) -> None:
        """Write the visit table of the subject; `reasons` by visit label, as `v2="hospital stay"`."""
        found = new_lesions or {}
        for visit, label in enumerate(self.labels):
            missed = visit in self.missed
            self.trial.visits.append(
                {
                    "subject": self.id,
                    "evaluator": evaluator,
                    "timepoint": label,
                    "date": "" if missed else self.day(visit),
                    "baseline": "Y" if visit == 0 else "",
                    "done": "N" if missed else "Y",
                    "unscheduled": "Y" if visit in self.unscheduled else "",
                    "new_lesions": "" if missed or visit == 0 else found.get(visit, "none"),
                    "clinical": "" if missed else "stable",
                    "reason": reasons.get(f"v{label}", ""),
                }
            )

    def judge(
        self,
        overall: str,
        *,
        target: str = "",
        non_target: str = "",
        new: Sequence[int] = (),
        equivocal: Sequence[int] = (),
        best: str = "",
        progression: int | None = None,
        criterion: str = "recist-1.1",
        parts: bool = True,
    ) -> None:
        """Write the collected responses: one word per follow-up visit, in order.

        Parameters
        ----------
        target, non_target
            As `overall`; blank: as the overall response, and NA.
        new, equivocal
            The visits with an unequivocal, or at most an equivocal new lesion.
        best, progression
            Where they do not follow from the first PD: the best response, and the visit to which PD is dated back.
        parts
            Whether the criterion has target, non-target and new-lesion responses.
        """
        words = overall.split()
        targets, others = target.split() or words, non_target.split() or ["NA"] * len(words)
        for visit, word in enumerate(words, start=1):
            row = {
                "subject": self.id,
                **self.read,
                "timepoint": self.labels[visit],
                "date": "" if visit in self.missed else self.day(visit),
                "criterion": criterion,
                "overall": word,
            }
            if parts:
                found = "NE" if visit in self.missed else "Equivocal" if visit in equivocal else "No"
                found = "Yes" if visit in new else found
                row |= {"target": targets[visit - 1], "non_target": others[visit - 1], "new_lesion": found}
                row["sum_mm"] = self._sum(self.labels[visit])
            self.trial.collected.append(row)
        first_pd = words.index("PD") + 1 if "PD" in words else None
        until = words[:first_pd] or ["NE"]
        dated = first_pd if progression is None else progression
        self.trial.collected.append(
            {
                "subject": self.id,
                **self.read,
                "criterion": criterion,
                "best_response": best or min(until, key=BEST_FIRST.index),
                "progression_date": "" if dated is None else self.day(dated),
            }
        )

    def grade(self, grades: str) -> None:
        """Write the morphologic response at each follow-up visit; its grades are no response categories."""
        for visit, grade in enumerate(grades.split(), start=1):
            row = {"subject": self.id, "timepoint": self.labels[visit], "date": self.day(visit), "overall": grade}
            self.trial.grades.append(row)

    def _sum(self, label: str) -> str:
        """Return the sum of the targets at a visit, blank where one of them was not evaluable."""
        wanted = (self.id, self.read.get("evaluator", ""), label, "target")
        keys = ("subject", "evaluator", "timepoint", "role")
        rows = [row for row in self.trial.measurements if tuple(row.get(key, "") for key in keys) == wanted]
        if not rows or any(row["state"] == "not_evaluable" for row in rows):
            return ""
        return mm(sum(counted(row) for row in rows))


def counted(row: Row) -> float:
    """Return what a target row adds to the sum: 5 mm for one that is too small to measure, 0 for one that is gone."""
    if row["state"] == "too_small":
        return 5.0
    return (
        float(row["short_mm" if row["organ"] == "lymph node" else "longest_mm"]) if row["state"] == "measured" else 0.0
    )
