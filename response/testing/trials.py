"""Made-up trials: every column of the tables filled in, so that a criterion finds what it needs.

Half of the numbers lie near a threshold that criteria use, where a slip shows. The same seed makes the same trial, and
a column more changes none of the others: each is drawn from a source of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from response.columns import COLUMNS, SUBJECT_COLUMNS, VISIT_COLUMNS, Column
from response.measurements import Measurements
from response.protocol import Protocol
from response.table import TextColumn, TextTable
from response.vocabulary import Role, State, text_of

Row = Mapping[str, str]
MakeCell = Callable[[Random], str]

DAY_0: Final = date(2024, 1, 1)
DAYS_APART: Final = 56  # of the timepoints that are not drawn
ORGANS: Final = ("liver", "lung", "axillary lymph node", "bone", "brain")
SHARES: Final = (0, 5, 9, 10, 20, 50, 65, 70, 85, 90, 100, 110, 115, 120, 125, 140, 150, 173, 250)  # % of the baseline
# Columns that the generator writes itself, or that change what a row is about.
_OWN: Final = frozenset(
    "subject evaluator accepted timepoint date baseline lesion role organ location nodal lesion_type unit source "
    "reason previously_treated local_therapy state trend longest_mm short_mm diameter_mm parent modality phase "
    "slice_thickness_mm ct_correlate morphology".split()
)
_REQUIRED: Final = tuple(name for name, column in COLUMNS.items() if column.required)
_OWN_OF_VISITS: Final = frozenset("subject evaluator timepoint date baseline done new_lesions reason".split())


@dataclass(frozen=True)
class Trial:
    """The tables of a trial as rows of text, and its protocol.

    Attributes
    ----------
    rows
        Of the measurement table (`columns.COLUMNS`; other columns are kept as text).
    visits, subjects
        Of the tables beside it, where there are any.
    options
        The protocol, as TOML.
    """

    rows: Sequence[Row]
    visits: Sequence[Row] = field(default=())
    subjects: Sequence[Row] = field(default=())
    options: str = ""

    @property
    def protocol(self) -> Protocol:
        """The options of the trial."""
        return Protocol.from_toml(self.options)

    def measurements(self) -> Measurements:
        """Return the measurements, read as from a file."""
        return Measurements.from_table(
            _table(self.rows, "trial.csv"),
            visits=_table(self.visits, "visits.csv") if self.visits else None,
            subjects=_table(self.subjects, "subjects.csv") if self.subjects else None,
        )

    def only(self, keep: Callable[[Row], bool]) -> "Trial":
        """Return the trial with only some rows of each table."""
        return replace(
            self,
            rows=[row for row in self.rows if keep(row)],
            visits=[row for row in self.visits if keep(row)],
            subjects=[row for row in self.subjects if keep(row)],
        )

    def shuffled(self, random: Random) -> "Trial":
        """Return the trial with its rows in another order."""
        return replace(
            self,
            rows=random.sample(list(self.rows), len(self.rows)),
            visits=random.sample(list(self.visits), len(self.visits)),
            subjects=random.sample(list(self.subjects), len(self.subjects)),
        )


def _table(rows: Sequence[Row], file: str) -> TextTable:
    names = dict.fromkeys([*(_REQUIRED if file == "trial.csv" else ()), *(name for row in rows for name in row)])
    return TextTable.of({name: TextColumn.of(row.get(name, "") for row in rows) for name in names}, file)


def made_up_trial(
    seed: int = 1,
    *,
    subjects: int = 60,
    timepoints: int = 4,
    complete: bool = False,
    columns: Mapping[str, MakeCell] | None = None,
) -> Trial:
    """Return a made-up trial.

    Parameters
    ----------
    seed
        The same seed makes the same trial.
    subjects, timepoints
        How many; timepoints after baseline.
    complete
        Whether everything was assessed everywhere. Else some lesions are not evaluable, too small, or without a row.
    columns
        Further columns of the measurement table: what makes a cell.
    """
    draw = _Draw(seed)
    made = [_Subject(draw, number, timepoints, complete, columns or {}) for number in range(subjects)]
    return Trial(
        rows=[row for subject in made for row in subject.rows()],
        visits=[row for subject in made for row in subject.visits()],
        subjects=[subject.facts() for subject in made],
    )


def rare_trial() -> Trial:
    """Return a few subjects whose baseline leaves little to follow, as the rules borrowed from RECIST 1.1 know them.

    Their ids say what they are: no disease (and looked for or not), candidates alone, no other lesion than a target,
    a target without any number at baseline, and targets that are gone, with new lesions not looked for.
    """
    numbers = {
        name: _tenths(5 * min(int(column.largest or 1000), 1000))
        for name, column in COLUMNS.items()
        if _is_number(name, column, _OWN)
    }
    found = {"longest_mm": "30", "short_mm": "20", **numbers}
    known = {"role": text_of(Role.TARGET), "lesion": "T0"}
    subjects = {
        "only-target": [{**known, **found}] * 2,
        "baseline-not-measured": [{**known, "state": text_of(State.NOT_EVALUABLE)}, {**known, **found}],
        "only-candidates": [{**known, **found, "role": text_of(Role.CANDIDATE)}] * 2,
        "gone-not-looked-for": [{**known, **found}, {**known, "state": text_of(State.ABSENT)}],
    }
    visits = {
        "no-disease": ("none", "none"),
        "no-disease-not-looked-for": ("none", "not_evaluable"),
        "gone-not-looked-for": ("none", "not_evaluable"),
    }
    return Trial(
        rows=[
            {**_at(subject, place), "organ": "liver", **row}
            for subject, rows in subjects.items()
            for place, row in enumerate(rows)
        ],
        visits=[
            {**_at(subject, place), "new_lesions": word}
            for subject, words in visits.items()
            for place, word in enumerate(words)
        ],
    )


def _at(subject: str, place: int) -> dict[str, str]:
    day = (DAY_0 + timedelta(days=DAYS_APART * place)).isoformat()
    return {"subject": subject, "evaluator": "R1", "timepoint": str(place), "date": day}


class _Draw:
    """Where numbers are drawn from: one source for the course of the disease, and one for each further column."""

    def __init__(self, seed: int) -> None:
        self.seed, self.course = seed, Random(seed)
        self._columns: dict[str, Random] = {}

    def column(self, name: str) -> Random:
        """Return the source of a column."""
        if name not in self._columns:
            self._columns[name] = Random(f"{self.seed} {name}")
        return self._columns[name]


class _Subject:
    """Makes the rows of one subject."""

    def __init__(
        self, draw: _Draw, number: int, timepoints: int, complete: bool, columns: Mapping[str, MakeCell]
    ) -> None:
        self.draw, self.name, self.complete, self.columns = draw, f"S{number:04d}", complete, columns
        self.random = draw.course
        self.days = [0]
        for _ in range(timepoints):
            self.days.append(self.days[-1] + self.random.choice((28, 42, 56, 56, 60)))

    def _when(self, timepoint: int) -> dict[str, str]:
        day = DAY_0 + timedelta(self.days[timepoint])
        return {"subject": self.name, "evaluator": "R1", "timepoint": str(timepoint), "date": day.isoformat()}

    def rows(self) -> Iterator[Row]:
        random = self.random
        for number in range(random.choice((0, 1, 1, 2, 3))):
            yield from self._lesion(f"T{number}", Role.TARGET, first=0)
        for number in range(random.choice((1, 1, 2))):
            yield from self._lesion(f"NT{number}", Role.NON_TARGET, first=0)
        for number in range(random.choice((0, 0, 1, 2))):
            yield from self._lesion(f"NL{number}", Role.NEW, first=random.randint(1, len(self.days) - 1))

    def _lesion(self, lesion: str, role: Role, *, first: int) -> Iterator[Row]:
        random = self.random
        organ = random.choice(ORGANS)
        base = {name: self._base(name, column) for name, column in COLUMNS.items() if _is_number(name, column, _OWN)}
        size = random.choice((120, 200, 300, 400, 1000))
        for timepoint in range(first, len(self.days)):
            about = {
                "lesion": lesion,
                "role": text_of(role),
                "organ": organ,
                "modality": "CT",
                "phase": "portal venous",
            }
            share = 100 if timepoint == first else random.choice(SHARES)
            found = self._finding(role, size, share, follow_up=timepoint > first)
            if found is None:
                continue
            more = {name: _tenths(value * self._share(name, timepoint - first) // 100) for name, value in base.items()}
            coded = {name: self._word(name, column) for name, column in COLUMNS.items() if _is_code(name, column, _OWN)}
            own = {name: make(self.draw.column(name)) for name, make in self.columns.items()}
            group = {"morphology": self.draw.column("morphology").choice("123"), "slice_thickness_mm": "5"}
            yield {**self._when(timepoint), **about, **found, **more, **coded, **group, **own}

    def _finding(self, role: Role, size: int, share: int, *, follow_up: bool) -> dict[str, str] | None:
        """Return size, state and trend; None where the lesion has no row."""
        random = self.random
        lost = follow_up and not self.complete and random.random() < 0.15
        if lost:
            return random.choice((None, {"state": "not_evaluable"}, {"state": "not_evaluable"}))
        number = {"longest_mm": _tenths(size * share // 100), "short_mm": _tenths(size * share // 125)}
        trend = {"trend": random.choice(("", "decreased", "unchanged", "increased")) if follow_up else ""}
        if role == Role.TARGET:
            return number if share or not follow_up else {"state": "absent"}
        if role == Role.NEW:
            unmeasured = number if self.complete else {"state": "present", **trend}
            return random.choice((number, number, unmeasured)) if share else {"state": "absent"}
        words = ("present", "present", "absent", "unequivocal_progression") if follow_up else ("present",)
        word = random.choice(words)
        return {"state": word, **(trend if word != "absent" else {})}

    def _base(self, name: str, column: Column) -> int:
        """Return a number at baseline, in tenths."""
        random, largest = self.draw.column(name), min(int(column.largest or 1000), 1000)
        return random.randint(largest * 2, largest * 8) if largest > 1 else random.randint(2, 8)

    def _share(self, name: str, later: int) -> int:
        return 100 if not later else self.draw.column(name).choice([share for share in SHARES if share <= 125])

    def _word(self, name: str, column: Column) -> str:
        random = self.draw.column(name)
        words = [text_of(member) for member in column.words or () if member]
        return random.choice(("", *words)) if random.random() < 0.5 else ""

    def visits(self) -> Iterator[Row]:
        for timepoint in range(len(self.days)):
            coded = {
                name: self._word(name, column)
                for name, column in VISIT_COLUMNS.items()
                if _is_code(name, column, _OWN_OF_VISITS) and timepoint
            }
            numbers = {
                name: _tenths(self._base(name, column) // 10 * 10 if column.integer else self._base(name, column))
                for name, column in VISIT_COLUMNS.items()
                if _is_number(name, column, _OWN_OF_VISITS)
            }
            yield {**self._when(timepoint), **coded, **numbers}

    def facts(self) -> Row:
        facts = {"subject": self.name, "treatment_start": DAY_0.isoformat(), "site": "A"}
        return {name: text for name, text in facts.items() if name in SUBJECT_COLUMNS}


def _is_number(name: str, column: Column, own: frozenset[str]) -> bool:
    return column.kind == "number" and name not in own


def _is_code(name: str, column: Column, own: frozenset[str]) -> bool:
    return column.kind == "code" and name not in own


def _tenths(value: int) -> str:
    return f"{value // 10}.{value % 10}" if value % 10 else str(value // 10)
