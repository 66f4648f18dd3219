"""A second, plain RANO 2.0: one patient at a time, timepoint by timepoint, written from the text.

Source: Wen et al., J Clin Oncol 2023;41:5187-5199, and the tables that `response.criteria.rano` names; where they are
silent, what its documentation says. Lengths are mm and volumes mm3, as fractions; dates are days.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

Number = Fraction | None


@dataclass(frozen=True)
class Finding:
    """One lesion on one MRI: two diameters or a volume, or a word (NE, TSTM, absent, present, pd, equivocal)."""

    longest: Number = None
    short: Number = None
    volume: Number = None
    word: str = ""
    row: bool = True


NOTHING = Finding(row=False)
Course = list[Finding]


@dataclass(frozen=True)
class Choices:
    """The options of a protocol."""

    tissue: str = "enhancing"
    measure: str = "products"
    weeks: int = 12
    confirm_days: int = 28
    early_deterioration: str = "unconfirmed"
    more_steroids: str = "sd"


@dataclass
class Patient:
    """One patient; all lists run over the timepoints, the baseline first."""

    choices: Choices
    days: list[int]
    radiotherapy_end: int | None = None
    targets: list[tuple[str, Course]] = field(default_factory=list)  # tissue, findings
    non_targets: list[Course] = field(default_factory=list)
    new: list[Course] = field(default_factory=list)
    dose: list[Number] = field(default_factory=list)
    clinical: list[str] = field(default_factory=list)
    new_by_visit: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Answers:
    """What is said of one timepoint, and how far back its progression is dated."""

    target: str
    non_target: str
    new: str
    overall: str
    since: int


class Reader:
    """Reads one patient."""

    def __init__(self, patient: Patient) -> None:
        self.patient, self.choices = patient, patient.choices
        self.followed = [course for tissue, course in patient.targets if not tissue or tissue == self.choices.tissue]
        self.runs: list[int] = []  # first timepoint of each run of progressions on MRI
        self.in_run = False
        self.complete = False  # CR was assigned

    def read(self) -> Iterator[Answers]:
        for at in range(1, len(self.patient.days)):
            yield self.answers(at)

    # --- targets

    def value(self, one: Finding) -> Number:
        """Return what a target adds to the sum, None where it could not be measured."""
        if one.word == "absent":
            return Fraction(0)
        if not one.row or one.word == "NE":
            return None
        if self.choices.measure == "volume":
            return one.volume
        if one.word == "TSTM":
            return Fraction(25)
        return None if one.longest is None or one.short is None else one.longest * one.short

    def values(self, at: int) -> list[Number]:
        return [self.value(course[at]) for course in self.followed]

    def total(self, at: int) -> Number:
        found = self.values(at)
        return None if None in found else sum((one for one in found if one is not None), Fraction(0))

    def target(self, at: int) -> str:
        base = self.total(0)
        if not self.followed:
            return "NA"
        if base is None:
            return "NE"
        volume = self.choices.measure == "volume"
        now, part = self.total(at), sum((one or 0 for one in self.values(at)), Fraction(0))
        nadir = min(total for total in (self.total(visit) for visit in range(at)) if total is not None)
        if now == 0:
            return "CR"
        if part > nadir and part >= nadir * (Fraction(7, 5) if volume else Fraction(5, 4)):
            return "PD"
        if now is None:
            return "NE"
        return "PR" if now <= base * (Fraction(35, 100) if volume else Fraction(1, 2)) else "SD"

    # --- other lesions

    def non_target(self, at: int) -> str:
        found = [course[at] for course in self.patient.non_targets]
        if not found:
            return "NA"
        if any(one.word == "pd" for one in found):
            return "PD"
        if any(not one.row or one.word == "NE" for one in found):
            return "NE"
        return "NON" if any(one.word in ("present", "equivocal") for one in found) else "CR"

    @staticmethod
    def new_lesion(course: Course, at: int) -> str:
        one = course[at]
        small = any(length is not None and length < 10 for length in (one.longest, one.short))
        return next(
            said
            for said, holds in (
                ("No", not any(found.row for found in course[: at + 1])),
                ("NE", not one.row or one.word == "NE"),
                ("No", one.word == "absent"),
                ("Equivocal", one.word == "equivocal" or (small and one.word != "present")),
                ("Yes", True),
            )
            if holds
        )

    def new(self, at: int) -> str:
        said = {self.new_lesion(course, at) for course in self.patient.new}
        by_visit = {"unequivocal": "Yes", "equivocal": "Equivocal", "not_evaluable": "NE"}
        said.add(by_visit.get(self.patient.new_by_visit[at], "No"))
        return next(word for word in ("Yes", "NE", "Equivocal", "No") if word in said)

    def disease(self, at: int) -> bool:
        targets = any(course[at].word == "TSTM" or bool(self.value(course[at])) for course in self.followed)
        return targets or any(course[at].word in ("present", "pd", "equivocal") for course in self.patient.non_targets)

    # --- corticosteroids

    def without_steroids(self, at: int) -> bool:
        doses = self.patient.dose[: at + 1]
        return doses[-1] == 0 or all(dose is None for dose in doses)

    def more_steroids(self, at: int) -> bool:
        base, now = self.patient.dose[0], self.patient.dose[at]
        return base is not None and now is not None and now > base

    # --- soon after radiotherapy

    def early(self, at: int) -> bool:
        end = self.patient.radiotherapy_end
        return end is not None and self.choices.weeks > 0 and 0 <= self.patient.days[at] - end <= 7 * self.choices.weeks

    def answers(self, at: int) -> Answers:
        said = {name: getattr(self, name)(at) for name in ("target", "non_target", "new")}
        relapse = self.complete and self.disease(at)
        on_mri = said["new"] == "Yes" or "PD" in (said["target"], said["non_target"]) or relapse
        if on_mri and not self.in_run:
            self.runs.append(at)
            self.in_run = True
        elif not on_mri and None not in self.values(at):
            self.in_run = False
        since = self.runs[-1] if on_mri and self.early(self.runs[-1]) else at
        overall = self.overall(at, since, on_mri=on_mri, **said)
        self.complete = self.complete or overall == "CR"
        return Answers(**said, overall=overall, since=since)

    def overall(self, at: int, since: int, *, on_mri: bool, target: str, non_target: str, new: str) -> str:
        days = self.patient.days
        confirmed = since < at and days[at] - days[since] >= self.choices.confirm_days
        worse = self.patient.clinical[at] == "deteriorated"
        more, held = self.more_steroids(at), target in ("CR", "PR", "SD")
        gone = target == "CR" and non_target in ("CR", "NA") and new in ("No", "Equivocal")
        return next(
            said
            for said, holds in (
                ("unconfirmed PD", on_mri and self.early(at) and not confirmed),
                ("PD", on_mri and confirmed),
                ("unconfirmed PD", worse and self.early(at) and not on_mri
                 and self.choices.early_deterioration == "unconfirmed"),
                ("PD", worse or on_mri),
                ("NE", target == "NA" and non_target == "NA"),
                ("CR", gone and self.without_steroids(at)),
                ("NE", target == "NE"),
                ("NE", held and more and self.choices.more_steroids == "ne"),
                ("PR", target in ("CR", "PR") and not more),
                ("SD", held),
                ("SD", target == "NA" and non_target in ("NON", "CR")),
                ("NE", True),
            )
            if holds
        )  # fmt: skip


CHOICES = (
    Choices(),
    Choices(early_deterioration="pd", more_steroids="ne"),
    Choices(tissue="non_enhancing", weeks=0),
    Choices(measure="volume", weeks=16, confirm_days=42),
)


def random_patient(random: Random, choices: Choices) -> Patient:
    """Return a made-up patient, many of whose numbers lie near a threshold."""
    days = [0]
    for _ in range(random.randint(1, 5)):
        days.append(days[-1] + random.choice((14, 27, 28, 29, 42, 56)))
    end = random.choice((None, -84, -56, -28, -1, 0, 1, days[1]))
    patient = Patient(choices, days, end)
    patient.targets = [
        (random.choice(("", "enhancing", "enhancing", "non_enhancing")), _target(random, len(days), choices))
        for _ in range(random.choice((0, 1, 1, 2, 3)))
    ]
    patient.non_targets = [_non_target(random, len(days)) for _ in range(random.choice((0, 0, 1, 2)))]
    patient.new = [_new(random, len(days)) for _ in range(random.choice((0, 0, 0, 1)))]
    doses = random.choice(((None,), (0,), (0, None, 2), (0, 2, 4), (4, 4, 8, None)))
    patient.dose = [None if dose is None else Fraction(dose) for dose in random.choices(doses, k=len(days))]
    patient.clinical = random.choices(("", "stable", "stable", "deteriorated"), (4, 4, 4, 1), k=len(days))
    if random.random() < 0.3:  # all is gone at some timepoint, so that it may come back
        at = random.randint(1, len(days) - 1)
        for course in [*(found for _, found in patient.targets), *patient.non_targets]:
            course[at] = Finding(word="absent")
        patient.dose[at], patient.clinical[at] = Fraction(0), "stable"
    rare = ("equivocal", "not_evaluable", "unequivocal")
    patient.new_by_visit = [random.choice(rare) if random.random() < 0.04 else "none" for _ in days]
    return patient


def _target(random: Random, timepoints: int, choices: Choices) -> Course:
    longest, short, volume = Fraction(random.choice((20, 40))), Fraction(random.choice((10, 30))), Fraction(1000)
    found = []
    for at in range(timepoints):
        kind = random.random() if at else 1
        if kind < 0.04:
            found.append(NOTHING)
        elif kind < 0.1:
            found.append(random.choice((Finding(word="NE"), Finding(longest=longest))))
        elif kind < 0.13 and choices.measure == "products":
            found.append(Finding(word="TSTM"))
        elif kind < 0.28:
            found.append(Finding(word="absent"))
        else:
            if at and random.random() < 0.7:
                share = random.choice(
                    (Fraction(1, 2), Fraction(5, 4), Fraction(3, 4), Fraction(7, 5), Fraction(35, 100))
                )
                off = Fraction(random.choice((-1, 0, 0, 1)), 10)
                longest, volume = max(longest * share + off, Fraction(5)), volume * share + off
            longest, volume = Fraction(round(longest * 10), 10), max(Fraction(round(volume * 10), 10), Fraction(1))
            found.append(Finding(longest, short, volume if choices.measure == "volume" else None))
    return found


def _non_target(random: Random, timepoints: int) -> Course:
    words = ("present", "present", "absent", "absent", "pd", "NE", "-", "equivocal")
    later = [random.choice(words) for _ in range(timepoints - 1)]
    return [Finding(word="present"), *(NOTHING if word == "-" else Finding(word=word) for word in later)]


def _new(random: Random, timepoints: int) -> Course:
    first = random.randint(1, timepoints - 1)
    found = [NOTHING] * first
    for _ in range(first, timepoints):
        longest, short = (Fraction(random.choice((80, 99, 100, 120)), 10) for _ in range(2))
        sized = Finding(longest, short, word=random.choice(("", "", "present", "measured")))
        word = random.choice(("present", "absent", "absent", "equivocal", "NE"))
        found.append(random.choice((sized, sized, Finding(word=word), NOTHING)))
    if not found[first].row:
        found[first] = Finding(word="present")
    return found
