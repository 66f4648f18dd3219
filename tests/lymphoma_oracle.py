"""A second, plain Lugano classification (CT): one patient at a time, timepoint by timepoint, written from the text.

Source: Cheson et al., J Clin Oncol 2014;32:3059-3068, table 3, as printed in PMC5298348, table 2; where it is silent,
what the documentation of `response.criteria.lugano` says. Lengths are mm, as fractions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

Mm = Fraction | None


@dataclass(frozen=True)
class Finding:
    """One lesion on one scan: both diameters, a word (NE, TSTM, absent, present, pd, equivocal), a trend."""

    longest: Mm = None
    short: Mm = None
    word: str = ""
    trend: str = ""
    row: bool = True


NOTHING = Finding(row=False)
GONE = (Fraction(0), Fraction(0))


@dataclass
class Lesion:
    """A lesion over all timepoints."""

    node: bool
    found: list[Finding]


@dataclass
class Patient:
    """One patient; all lists run over the timepoints. Those before `baseline` are not scored, and set no nadir."""

    baseline: int
    timepoints: int
    targets: list[Lesion] = field(default_factory=list)
    non_targets: list[Lesion] = field(default_factory=list)
    new: list[Lesion] = field(default_factory=list)
    spleen: list[Mm] = field(default_factory=list)
    marrow: list[str] = field(default_factory=list)
    new_by_visit: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Answers:
    """What is said of one timepoint."""

    target: str
    non_target: str
    new: str
    spleen: str
    marrow: str
    overall: str


def sides(one: Finding) -> tuple[Fraction, Fraction] | None:
    """Return both diameters of a target, None where one of them is not known."""
    if not one.row or one.word == "NE":
        return None
    if one.word == "absent":
        return Fraction(0), Fraction(0)
    if one.word == "TSTM":
        return Fraction(5), Fraction(5)
    if one.longest is None or one.short is None:
        return None
    return one.longest, one.short


class Reader:
    """Reads one patient."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient

    def read(self) -> Iterator[Answers]:
        for at in range(self.patient.baseline + 1, self.patient.timepoints):
            yield self.answers(at)

    def earlier(self, at: int) -> range:
        """Return the scored timepoints before, baseline included."""
        return range(self.patient.baseline, at)

    def after_baseline(self, at: int) -> range:
        return range(self.patient.baseline + 1, at)

    # --- targets

    def grown(self, lesion: Lesion, at: int) -> bool:
        now = sides(lesion.found[at])
        known = [found for found in (sides(lesion.found[visit]) for visit in self.earlier(at)) if found is not None]
        if now is None or not known or now[0] <= 15:
            return False
        least, least_short = min(one[0] for one in known), min(one[1] for one in known)
        product = min(one[0] * one[1] for one in known)
        step = 5 if least <= 20 else 10
        larger = now[0] - least >= step or now[1] - least_short >= step
        return now[0] * now[1] >= product * Fraction(3, 2) and larger

    def regrown(self, lesion: Lesion, at: int) -> bool:
        now = sides(lesion.found[at])
        gone = any(sides(lesion.found[visit]) == GONE for visit in self.after_baseline(at))
        return now is not None and gone and now[0] > (15 if lesion.node else 10)

    def target(self, at: int) -> str:
        lesions = self.patient.targets
        if not lesions:
            return "NA"
        if any(self.grown(lesion, at) or self.regrown(lesion, at) for lesion in lesions):
            return "PD"
        base = [sides(lesion.found[self.patient.baseline]) for lesion in lesions]
        now = [sides(lesion.found[at]) for lesion in lesions]
        if None in base:
            return "NE"
        normal = [
            one is not None and (one == GONE or (lesion.node and one[0] <= 15))
            for lesion, one in zip(lesions, now, strict=True)
        ]
        if all(normal):
            return "CR"
        if None in now:
            return "NE"
        total, first = (sum(one[0] * one[1] for one in found if one is not None) for found in (now, base))
        return "PR" if total <= first / 2 else "SD"

    # --- lesions that are not measured, new lesions

    @staticmethod
    def normal_node(lesion: Lesion, one: Finding) -> bool:
        return lesion.node and one.row and not one.word and one.longest is not None and 0 < one.longest <= 15

    def there(self, lesion: Lesion, one: Finding) -> bool:
        seen = one.row and (one.word in ("present", "pd", "equivocal") or (not one.word and bool(one.longest)))
        return seen and not self.normal_node(lesion, one)

    def back(self, lesion: Lesion, at: int) -> bool:
        now = lesion.found[at]
        if not self.there(lesion, now) or now.word in ("pd", "equivocal"):
            return False
        past = [lesion.found[visit] for visit in self.after_baseline(at)]
        if any(one.row and (one.word == "absent" or one.longest == 0) for one in past):
            return True
        lengths = [lesion.found[visit].longest for visit in self.earlier(at) if lesion.found[visit].row]
        known = [length for length in lengths if length]
        normal = any(self.normal_node(lesion, one) for one in past)
        return normal and bool(known) and bool(now.longest) and (now.longest or 0) - min(known) >= 5

    def non_target(self, at: int) -> str:
        lesions = self.patient.non_targets
        if not lesions:
            return "NA"
        if any(lesion.found[at].word == "pd" or self.back(lesion, at) for lesion in lesions):
            return "PD"
        if any(not lesion.found[at].row or lesion.found[at].word == "NE" for lesion in lesions):
            return "NE"
        return "NON" if any(self.there(lesion, lesion.found[at]) for lesion in lesions) else "CR"

    @staticmethod
    def new_lesion(lesion: Lesion, at: int) -> str:
        one = lesion.found[at]
        size = max(one.longest or 0, one.short or 0)
        by_size = {True: "Yes" if size > 15 else "Equivocal" if one.longest is None and size >= 10 else "No",
                   False: "Yes" if size > 10 or one.word == "present" else "Equivocal"}  # fmt: skip
        return next(
            said
            for said, holds in (
                ("No", not any(found.row for found in lesion.found[: at + 1])),
                ("NE", not one.row or one.word == "NE"),
                ("No", one.word == "absent" or one.longest == 0),
                ("Equivocal", one.word == "equivocal"),
                ("Yes", not size),
                (by_size[lesion.node], True),
            )
            if holds
        )

    def new(self, at: int) -> str:
        said = {self.new_lesion(lesion, at) for lesion in self.patient.new}
        said.add({"unequivocal": "Yes", "equivocal": "Equivocal", "not_evaluable": "NE"}.get(
            self.patient.new_by_visit[at], "No"))  # fmt: skip
        return next(word for word in ("Yes", "NE", "Equivocal", "No") if word in said)

    # --- spleen and marrow

    def spleen(self, at: int) -> str:
        base, now = self.patient.spleen[self.patient.baseline], self.patient.spleen[at]
        if base is None:
            return "NA"
        if now is None:
            return "NE"
        excess = base - 130
        if (now - base > excess / 2) if excess > 0 else (now - base >= 20):
            return "PD"
        past = [
            length for length in (self.patient.spleen[visit] for visit in self.after_baseline(at)) if length is not None
        ]
        if excess > 0 and now > 130 and any(length <= 130 for length in past) and now - min([base, *past]) >= 20:
            return "PD"
        if now <= 130:
            return "CR"
        return "PR" if excess > 0 and base - now > excess / 2 else "SD"

    def marrow(self, at: int) -> str:
        past, now = [self.patient.marrow[visit] for visit in self.earlier(at)], self.patient.marrow[at]
        if now == "positive":
            return "PD" if "negative" in past else "SD"
        if now == "negative":
            return "CR"
        return "NE" if past[0] == "positive" else "NA"

    # --- all together

    def answers(self, at: int) -> Answers:
        said = {name: getattr(self, name)(at) for name in ("target", "non_target", "new", "spleen", "marrow")}
        return Answers(**said, overall=self.overall(at, **said))

    def overall(self, at: int, *, target: str, non_target: str, new: str, spleen: str, marrow: str) -> str:
        base = self.patient.spleen[self.patient.baseline]
        enlarged = base is not None and base > 130
        no_lesion = target == "NA" and non_target == "NA"
        involved = enlarged or self.patient.marrow[self.patient.baseline] == "positive"
        responded = target in ("CR", "PR") or (target == "NA" and non_target == "CR")
        responded = responded or (no_lesion and enlarged and spleen in ("CR", "PR"))
        findings = [lesion.found[at] for lesion in self.patient.non_targets]
        increased = any(one.row and one.trend == "increased" for one in findings)
        fine = all(one in ("CR", "NA") for one in (target, non_target, spleen, marrow)) and new != "NE"
        return next(
            said
            for said, holds in (
                ("PD", new == "Yes" or "PD" in (target, non_target, spleen, marrow)),
                ("NE", no_lesion and not involved),
                ("CR", fine),
                ("NE", target == "NE"),
                ("NE", enlarged and spleen == "NE" and (responded or no_lesion)),
                ("SD", responded and (spleen == "SD" or increased)),
                ("PR", responded),
                ("SD", target == "SD" or (no_lesion and "SD" in (spleen, marrow))),
                ("NON", target == "NA" and non_target == "NON"),
                ("NE", True),
            )
            if holds
        )


def random_patient(random: Random) -> Patient:
    """Return a made-up patient, many of whose numbers lie near a threshold."""
    baseline = random.choice((0, 0, 0, 1))
    timepoints = baseline + 1 + random.randint(1, 4)
    patient = Patient(baseline, timepoints)
    patient.targets = [_target(random, patient) for _ in range(random.choice((0, 1, 1, 2, 3)))]
    patient.non_targets = [_non_target(random, patient) for _ in range(random.choice((0, 0, 1, 2)))]
    patient.new = [_new(random, patient) for _ in range(random.choice((0, 0, 0, 1)))]
    with_spleen = random.random() < 0.5
    lengths = (100, 110, 119, 120, 130, 131, 140, 149, 150, 151, 160, 161, 180, 200)
    patient.spleen = [
        Fraction(random.choice(lengths)) if with_spleen and random.random() < 0.9 else None for _ in range(timepoints)
    ]
    words = random.choice((("",), ("negative", ""), ("positive", "negative", "not_done", "indeterminate")))
    patient.marrow = [random.choice(words) for _ in range(timepoints)]
    rare = ("equivocal", "not_evaluable", "unequivocal")
    patient.new_by_visit = [random.choice(rare) if random.random() < 0.05 else "none" for _ in range(timepoints)]
    return patient


def _target(random: Random, patient: Patient) -> Lesion:
    longest, short = (
        Fraction(random.choice((160, 200, 201, 250, 400)), 10),
        Fraction(random.choice((100, 120, 150)), 10),
    )
    found = []
    for at in range(patient.timepoints):
        kind = random.random() if at else 1
        if kind < 0.04 and at != patient.baseline:  # one without a row at baseline is no target
            found.append(NOTHING)
        elif kind < 0.08:
            found.append(random.choice((Finding(word="NE"), Finding(longest=longest), Finding(word="TSTM"))))
        elif kind < 0.2:
            found.append(Finding(word="absent"))
        else:
            if at and random.random() < 0.8:
                step = random.choice((-20, -10, -5, 0, 5, 5, 10, 10)) + Fraction(random.choice((-1, 0, 0, 1)), 10)
                longest = max(longest + step, Fraction(3))
                short = random.choice((short, short + step, longest / 2, longest, 3 * short / 2))
                longest, short = (Fraction(round(length * 10), 10) for length in (longest, min(short, longest)))
            found.append(Finding(longest, max(short, Fraction(1))))
    return Lesion(random.random() < 0.5, found)


def _non_target(random: Random, patient: Patient) -> Lesion:
    node = random.random() < 0.5
    found = []
    for at in range(patient.timepoints):
        words = (
            ("present", "present", "absent", "pd", "NE", "-", "equivocal") if at > patient.baseline else ("present",)
        )
        word = random.choice(words)
        trend = random.choice(("", "", "decreased", "increased")) if word == "present" else ""
        if node and random.random() < 0.5:
            length = Fraction(random.choice((100, 149, 150, 151, 199, 200, 201)), 10)
            found.append(Finding(length, random.choice((Fraction(8), None)), trend=trend))
        else:
            found.append(NOTHING if word == "-" else Finding(word=word, trend=trend))
    return Lesion(node, found)


def _new(random: Random, patient: Patient) -> Lesion:
    node = random.random() < 0.5
    first = random.randint(patient.baseline + 1, patient.timepoints - 1)
    found = [NOTHING] * first
    for _ in range(first, patient.timepoints):
        size = Fraction(random.choice((50, 99, 100, 101, 149, 150, 151, 200)), 10)
        written = random.choice(("", "", "present", "measured"))
        sized = (Finding(size, size - 1, written), Finding(size, None, written), Finding(None, size, written),
                 Finding(size, size / 2, written))  # fmt: skip
        word = random.choice(("present", "equivocal", "NE", "absent", "absent"))
        found.append(random.choice((*sized, Finding(word=word), NOTHING)))
    if not found[first].row:
        found[first] = Finding(word="present")
    return Lesion(node, found)
