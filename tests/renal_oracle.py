"""A second, plain SACT and MASS: one patient at a time, scan by scan, written from the text.

Sources: Smith et al., AJR Am J Roentgenol 2010;194:157-165 and 194:1470-1478, as `response.criteria.sact` and `mass`
tell them. Lengths are mm, attenuation HU, as fractions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

Number = Fraction | None


@dataclass(frozen=True)
class Finding:
    """One lesion on one scan; words are absent, NE, TSTM, equivocal, present, pd."""

    length: Number = None
    word: str = ""
    hu: Number = None
    necrosis: Number = None
    change: str = ""  # fill_in, new_enhancement
    row: bool = True


NOTHING = Finding(row=False)


@dataclass
class Lesion:
    """A lesion over all scans, the baseline first."""

    organ: str
    cystic: bool
    found: list[Finding]


@dataclass
class Patient:
    """One patient."""

    scans: int
    targets: list[Lesion] = field(default_factory=list)
    others: list[Lesion] = field(default_factory=list)
    new: list[Lesion] = field(default_factory=list)


class Reader:
    """Reads one patient; `from_nadir`: growth is over the smallest sum before, not over the baseline."""

    def __init__(self, patient: Patient, *, from_nadir: bool = True) -> None:
        self.patient, self.from_nadir = patient, from_nadir

    # --- size

    def sizes(self, at: int) -> list[Number]:
        return [size_of(lesion.found[at]) for lesion in self.patient.targets]

    def part(self, at: int) -> Fraction:
        return sum((size for size in self.sizes(at) if size is not None), Fraction(0))

    def whole(self, at: int) -> Number:
        return None if None in self.sizes(at) else self.part(at)

    def shrunk(self, at: int, percent: int) -> bool:
        whole, base = self.whole(at), self.part(0)
        return whole is not None and whole <= base * Fraction(100 - percent, 100)

    def grown(self, at: int) -> bool:
        earlier = [whole for whole in map(self.whole, range(at)) if whole is not None]
        reference = min(earlier) if self.from_nadir else self.part(0)
        return self.part(at) >= Fraction(6, 5) * reference and self.part(at) > reference

    # --- attenuation and structure

    def drops(self, at: int) -> list[tuple[Fraction, Lesion]]:
        """Return the fall of attenuation of the targets outside the lung in which it is known."""
        found = []
        for lesion in self.patient.targets:
            before, now = lesion.found[0].hu, lesion.found[at].hu
            seen = lesion.found[at].word in ("", "TSTM", "equivocal") and size_of(lesion.found[at])
            if lesion.organ != "lung" and seen and before is not None and now is not None:
                found.append((before - now, lesion))
        return found

    def still_there(self, at: int) -> int:
        """Return how many targets outside the lung are measured now, or compared although they are tiny."""
        compared = [lesion for _, lesion in self.drops(at)]
        measured = [
            lesion
            for lesion in self.patient.targets
            if lesion.organ != "lung" and lesion.found[at].word in ("", "equivocal") and size_of(lesion.found[at])
        ]
        return len({id(lesion) for lesion in compared + measured})

    @staticmethod
    def is_solid(lesion: Lesion) -> bool:
        return not lesion.cystic and (lesion.found[0].necrosis or 0) < Fraction(1, 2)

    def necrosis(self, at: int) -> list[tuple[Fraction, Fraction, Lesion]]:
        both = ((lesion.found[0].necrosis, lesion.found[at].necrosis, lesion) for lesion in self.patient.targets)
        return [(before, now, lesion) for before, now, lesion in both if before is not None and now is not None]

    def marked_necrosis(self, at: int) -> bool:
        return any(
            now - before > (1 - before) / 2 and self.is_solid(lesion) for before, now, lesion in self.necrosis(at)
        )

    def is_back(self, at: int) -> bool:
        new = [lesion.found[at] for lesion in self.patient.new]
        seen = any(one.row and one.word not in ("absent", "NE", "equivocal") and one.length != 0 for one in new)
        known = [*self.patient.targets, *self.patient.others, *self.patient.new]
        return seen or any(lesion.found[at].change in ("fill_in", "new_enhancement") for lesion in known)

    # --- the categories

    def steps_of_sact(self, at: int) -> Iterator[tuple[str, bool]]:
        drops = [drop for drop, _ in self.drops(at)]
        fallen = sum(drop >= 20 for drop in drops)
        yield "unfavourable", self.is_back(at)
        yield "NE", not self.patient.targets or self.whole(0) is None
        yield "unfavourable", self.grown(at)
        yield "favourable", self.shrunk(at, 20)
        yield "favourable", self.shrunk(at, 10) and fallen > 0 and 2 * fallen >= self.still_there(at)
        yield "favourable", any(drop >= 40 for drop in drops)
        yield "NE", self.whole(at) is None
        yield "NE", not drops and self.still_there(at) > 0
        yield "indeterminate", True

    def steps_of_mass(self, at: int) -> Iterator[tuple[str, bool]]:
        known = bool(self.drops(at) or self.necrosis(at))
        yield "unfavourable", self.is_back(at)
        yield "NE", not self.patient.targets or self.whole(0) is None
        yield "favourable", self.shrunk(at, 20)
        yield "favourable", self.marked_necrosis(at)
        yield "favourable", any(drop >= 40 and self.is_solid(lesion) for drop, lesion in self.drops(at))
        yield "NE", self.grown(at) and not known
        yield "unfavourable", self.grown(at)
        yield "NE", self.whole(at) is None
        yield "NE", not known
        yield "indeterminate", True

    def read(self, criterion: str) -> Iterator[str]:
        steps = self.steps_of_sact if criterion == "sact" else self.steps_of_mass
        for at in range(1, self.patient.scans):
            yield next(answer for answer, holds in steps(at) if holds)


def size_of(one: Finding) -> Number:
    """Return what a target adds to the sum, None where it was not measured."""
    if not one.row or one.word == "NE":
        return None
    if one.word == "absent":
        return Fraction(0)
    if one.word == "TSTM" and not one.length:
        return Fraction(5)
    return one.length


def random_patient(random: Random) -> Patient:
    """Return a made-up patient, half of whose numbers lie near a threshold."""
    scans = random.randint(2, 5)
    targets = [_target(random, scans) for _ in range(random.choice((0, 1, 1, 2, 2, 3, 4)))]
    others = [Lesion("bone", False, _other(random, scans)) for _ in range(random.choice((0, 0, 1)))]
    new = [Lesion("brain", False, _new(random, scans)) for _ in range(random.choice((0, 0, 0, 0, 0, 1)))]
    if not targets and not others:
        targets = [_target(random, scans)]
    return Patient(scans, targets, others, new)


def _target(random: Random, scans: int) -> Lesion:
    base, before = Fraction(random.choice((20, 50, 100))), Fraction(random.choice((60, 100)))
    part = random.choice((None, None, Fraction(0), Fraction(1, 5), Fraction(499, 1000), Fraction(1, 2)))
    found = [Finding(base, "", before if random.random() < 0.85 else None, part)]
    if random.random() < 0.03:
        found = [Finding(word="NE")]
    value = base
    for _ in range(scans - 1):
        kind = random.random()
        near = (base * 4 / 5, base * 9 / 10, base * 6 / 5, value * 6 / 5, base, value, value, value)
        value = random.choice(near) + Fraction(random.choice((-1, 0, 0, 0, 1)), 10)
        value = Fraction(round(max(value, Fraction(1)) * 1000), 1000)
        now = before - random.choice((0, 5, 20, 20, 40)) + Fraction(random.choice((0, 0, 1)), 10)
        dead = random.choice((None, part, Fraction(3, 5), Fraction(601, 1000), Fraction(3, 4), Fraction(9, 10)))
        change = "" if random.random() < 0.97 else random.choice(("fill_in", "new_enhancement", "none"))
        hu = now if random.random() < 0.8 else None
        if kind < 0.06:
            found.append(Finding(word="NE"))
        elif kind < 0.09:
            found.append(NOTHING)
        elif kind < 0.15:
            found.append(Finding(word="absent"))
        elif kind < 0.2:
            found.append(Finding(None, "TSTM", hu))
        elif kind < 0.23:
            found.append(Finding(value, "equivocal", hu))
        else:
            found.append(Finding(value, "", hu, dead, change))
    return Lesion(random.choice(("liver", "kidney", "lung", "bone")), random.random() < 0.1, found)


def _other(random: Random, scans: int) -> list[Finding]:
    words = ("present", "present", "absent", "pd", "NE", "-")
    chosen = (random.choice(words) for _ in range(scans - 1))
    return [Finding(word="present"), *(NOTHING if word == "-" else Finding(word=word) for word in chosen)]


def _new(random: Random, scans: int) -> list[Finding]:
    first = random.randint(1, scans - 1)
    words = ("size", "size", "present", "equivocal", "absent", "NE", "-")
    found = [NOTHING] * first
    for at in range(first, scans):
        word = random.choice(words) if at > first else random.choice(words[:4])
        found.append({"size": Finding(Fraction(12)), "-": NOTHING}.get(word, Finding(word=word)))
    return found
