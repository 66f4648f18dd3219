"""A second, plain PERCIST, iPERCIST and EORTC-PET: one patient at a time, scan by scan, written from the text.

Sources: Wahl et al., J Nucl Med 2009;50(suppl 1):122S-150S, table 7, and O et al., Radiology 2016;280:576-584, as told
in PMC2938069, PMC4377159 and PMC7046919; Young et al., Eur J Cancer 1999;35:1773-1782, as reprinted in BMC Cancer
2012;12:502; Goldfarb et al., EJNMMI Res 2019;9:8. Uptake is SUL or SUV, as fractions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

Number = Fraction | None


@dataclass(frozen=True)
class Finding:
    """One lesion on one scan; words are absent, NE, equivocal, present, pd."""

    uptake: Number = None
    word: str = ""
    glycolysis: Number = None
    extent: Number = None
    row: bool = True


NOTHING = Finding(row=False)


@dataclass
class Scan:
    """What the scan says besides the lesions."""

    day: int = 0
    liver: Number = None
    liver_sd: Number = None
    pool: Number = None
    pool_sd: Number = None
    minutes: Number = None
    new: str = ""  # none, equivocal, unequivocal, not_evaluable


@dataclass
class Patient:
    """One patient; findings run over the scans, the baseline first."""

    scans: list[Scan]
    targets: list[list[Finding]] = field(default_factory=list)
    others: list[list[Finding]] = field(default_factory=list)
    new: list[list[Finding]] = field(default_factory=list)


@dataclass(frozen=True)
class Choices:
    """What the protocol says."""

    from_nadir: bool = False
    incomparable_is_ne: bool = False
    growing_bars: bool = False
    confirm_days: int = 28
    early: bool = False  # EORTC after one cycle


class Reader:
    """Reads one patient."""

    def __init__(self, patient: Patient, choices: Choices) -> None:
        self.patient, self.choices = patient, choices

    # --- lesions

    def target(self, lesion: list[Finding], at: int) -> Number:
        """Return the uptake of a target, 0 where it is gone, None where it was not measured."""
        one = lesion[at]
        if not one.row or one.word == "NE":
            return None
        if one.word == "absent":
            return one.uptake if self.over_liver(one, at) else Fraction(0)
        return one.uptake

    def over_liver(self, one: Finding, at: int) -> bool:
        liver = self.patient.scans[at].liver
        return bool(one.uptake) and liver is not None and one.uptake is not None and one.uptake >= liver

    def uptakes(self, at: int) -> list[Number]:
        return [self.target(lesion, at) for lesion in self.patient.targets]

    def other(self, one: Finding, at: int) -> str:
        """Return what a lesion that is not measured does: gone, there, worse or unseen."""
        if not one.row or one.word == "NE":
            return "unseen"
        if one.word == "pd":
            return "worse"
        if one.word == "absent":
            return "there" if self.over_liver(one, at) else "gone"
        if one.uptake is not None:
            return "there" if one.uptake else "gone"
        return "there" if one.word == "present" else "unseen"

    def others(self, at: int) -> set[str]:
        return {self.other(lesion[at], at) for lesion in self.patient.others}

    def new_lesion(self, at: int) -> str:
        """Return Yes, NE, Equivocal or No."""
        seen = {self.patient.scans[at].new}
        for lesion in self.patient.new:
            known = any(one.row for one in lesion[:at])
            one = lesion[at]
            if not one.row:
                seen |= {"not_evaluable"} if known else set()
            elif one.word == "NE" or (one.word == "absent" and self.over_liver(one, at)):
                seen.add("not_evaluable")
            elif one.word == "equivocal":
                seen.add("equivocal")
            elif one.word != "absent" and (one.word == "present" or one.uptake):
                seen.add("equivocal" if one.word == "equivocal" else "unequivocal")
            elif one.word == "" and one.uptake is None:
                seen.add("not_evaluable")
        for word, answer in (("unequivocal", "Yes"), ("not_evaluable", "NE"), ("equivocal", "Equivocal")):
            if word in seen:
                return answer
        return "No"

    def is_gone(self, at: int) -> bool:
        return all(value == 0 for value in self.uptakes(at))

    def everything_gone(self, at: int) -> bool:
        return self.is_gone(at) and self.others(at) <= {"gone"} and self.new_lesion(at) in ("No", "Equivocal")

    # --- PERCIST

    def hottest(self, at: int) -> Fraction:
        return max((value for value in self.uptakes(at) if value is not None), default=Fraction(0))

    def threshold(self) -> Number:
        base = self.patient.scans[0]
        if base.liver is not None and base.liver_sd is not None:
            return Fraction(3, 2) * base.liver + 2 * base.liver_sd
        if base.pool is not None and base.pool_sd is not None:
            return 2 * base.pool + 2 * base.pool_sd
        return None

    def incomparable(self, at: int) -> bool:
        base, now = self.patient.scans[0], self.patient.scans[at]
        for one, other in ((base.liver, now.liver), (base.pool, now.pool)):
            if one is not None and other is not None:
                apart = abs(one - other)
                if apart > Fraction(1, 5) * max(one, other) or apart > Fraction(3, 10):
                    return True
                break  # the blood pool stands in for the liver
        if base.minutes is None or now.minutes is None:
            return False
        return abs(base.minutes - now.minutes) > 15

    def glycolysis(self, at: int) -> Number:
        total = Fraction(0)
        for lesion, uptake in zip(self.patient.targets, self.uptakes(at), strict=True):
            if uptake is None or (uptake > 0 and lesion[at].glycolysis is None):
                return None
            total += lesion[at].glycolysis or 0 if uptake else 0
        return total

    def glycolysis_grew(self, at: int) -> bool:
        base, now = self.glycolysis(0), self.glycolysis(at)
        return base is not None and now is not None and base > 0 and now >= Fraction(7, 4) * base

    def reference(self, at: int) -> Fraction:
        whole = [self.hottest(scan) for scan in range(at) if None not in self.uptakes(scan)]
        return min(whole) if self.choices.from_nadir else self.hottest(0)

    @staticmethod
    def rose(now: Fraction, reference: Fraction) -> bool:
        return now >= Fraction(13, 10) * reference and now - reference >= Fraction(4, 5)

    def fell(self, at: int) -> bool:
        now, base = self.hottest(at), self.hottest(0)
        return now <= Fraction(7, 10) * base and base - now >= Fraction(4, 5)

    def another_rose(self, at: int) -> bool:
        for lesion in self.patient.targets:
            base, now = self.target(lesion, 0), self.target(lesion, at)
            if base and now is not None and self.rose(now, base):
                return True
        return False

    def steps_of_percist(self, at: int) -> Iterator[tuple[str, bool]]:
        threshold, unmeasured = self.threshold(), None in self.uptakes(at)
        yield "PMD", self.new_lesion(at) == "Yes" or "worse" in self.others(at)
        yield "NE", not self.patient.targets or None in self.uptakes(0)
        yield "CMR", self.everything_gone(at)
        yield "NE", threshold is not None and self.hottest(0) < threshold
        yield "PMR", self.is_gone(at)
        yield "NE", self.choices.incomparable_is_ne and self.incomparable(at)
        yield "PMD", self.glycolysis_grew(at) or self.rose(self.hottest(at), self.reference(at))
        yield "NE", unmeasured
        yield "SMD", self.fell(at) and self.choices.growing_bars and self.another_rose(at)
        yield "PMR", self.fell(at)
        yield "SMD", True

    def percist(self, at: int) -> str:
        return first_of(self.steps_of_percist(at))

    def read_percist(self) -> Iterator[str]:
        for at in range(1, len(self.patient.scans)):
            yield self.percist(at)

    # --- iPERCIST

    def read_ipercist(self) -> Iterator[str]:
        began: int | None = None
        for at in range(1, len(self.patient.scans)):
            answer, day = self.percist(at), self.patient.scans[at].day
            if answer == "PMD":
                if began is not None and day - began >= self.choices.confirm_days:
                    yield "CPMD"
                else:
                    began = day if began is None else began
                    yield "UPMD"
            else:
                began = began if answer == "NE" else None
                yield answer

    # --- EORTC

    def total(self, at: int) -> Fraction:
        return sum((value for value in self.uptakes(at) if value is not None), Fraction(0))

    def extended(self, at: int) -> bool:
        for lesion in self.patient.targets:
            base, now = lesion[0].extent, lesion[at].extent
            if base and now is not None and self.target(lesion, at) and now > Fraction(6, 5) * base:
                return True
        return False

    def steps_of_eortc(self, at: int) -> Iterator[tuple[str, bool]]:
        share = Fraction(17, 20) if self.choices.early else Fraction(3, 4)
        yield "PMD", self.new_lesion(at) == "Yes" or "worse" in self.others(at)
        yield "NE", not self.patient.targets or None in self.uptakes(0)
        yield "CMR", self.everything_gone(at)
        yield "PMD", self.total(at) > Fraction(5, 4) * self.total(0) or self.extended(at)
        yield "NE", None in self.uptakes(at)
        yield "PMR", self.is_gone(at) or self.total(at) <= share * self.total(0)
        yield "SMD", True

    def read_eortc(self) -> Iterator[str]:
        for at in range(1, len(self.patient.scans)):
            yield first_of(self.steps_of_eortc(at))


def first_of(steps: Iterator[tuple[str, bool]]) -> str:
    """Return the first answer whose condition holds."""
    return next(answer for answer, holds in steps if holds)


def thousandths(number: Fraction) -> Fraction:
    """Return a number that has three decimals."""
    return Fraction(round(number * 1000), 1000)


def random_patient(random: Random, *, liver: bool = True) -> Patient:
    """Return a made-up patient, half of whose numbers lie near a threshold; `liver`: lesions are compared with it."""
    scans = [Scan()]
    for _ in range(random.randint(1, 4)):
        scans.append(Scan(day=scans[-1].day + random.choice((10, 14, 27, 28, 35, 56, 57))))
    for scan in scans:
        if liver and random.random() < 0.7:
            scan.liver = random.choice(
                (Fraction(8, 5), Fraction(2), Fraction(9, 5), Fraction(1601, 1000), Fraction(19, 10))
            )
            scan.liver_sd = random.choice((Fraction(1, 5), Fraction(1, 5), None))
        if liver and random.random() < 0.4:
            scan.pool = random.choice((Fraction(7, 5), Fraction(17, 10), Fraction(171, 100)))
            scan.pool_sd = random.choice((Fraction(1, 5), None))
        if random.random() < 0.5:
            scan.minutes = random.choice((Fraction(60), Fraction(75), Fraction(751, 10)))
        scan.new = random.choice(("", "", "", "none", "equivocal", "not_evaluable"))
    if random.random() < 0.03:
        scans[-1].new = "unequivocal"
    count = len(scans)
    targets = [_target(random, count) for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3)))]
    others = [_other(random, count) for _ in range(random.choice((0, 0, 0, 1, 2)))]
    new = [_new(random, count) for _ in range(random.choice((0, 0, 0, 0, 1)))]
    if not targets and not others:
        targets = [_target(random, count)]
    return Patient(scans, targets, others, new)


def _target(random: Random, count: int) -> list[Finding]:
    base = random.choice((Fraction(2), Fraction(5, 2), Fraction(14, 5), Fraction(3), Fraction(6), Fraction(8)))
    value, extent, glycolysis = base, Fraction(random.choice((20, 30))), Fraction(100)
    found = [Finding(base, "", glycolysis if random.random() < 0.8 else None, extent)]
    if random.random() < 0.04:
        found = [Finding(None, "NE")]
    for _ in range(count - 1):
        kind = random.random()
        near = (
            *(base * 7 / 10, base * 13 / 10, base - Fraction(4, 5), base + Fraction(4, 5), value * 13 / 10),
            *(base * 3 / 4, base * 5 / 4, base * 17 / 20, base, value),
        )
        value = thousandths(max(random.choice(near) + Fraction(random.choice((-1, 0, 0, 0, 1)), 1000), Fraction(1, 10)))
        more = Fraction(random.choice((100, 174, 175, 176, 60)))
        longer = thousandths(extent * random.choice((1, 1, 1, Fraction(6, 5))))
        longer += Fraction(random.choice((0, 0, 0, 0, 1)), 1000)
        if kind < 0.06:
            found.append(Finding(word="NE"))
        elif kind < 0.09:
            found.append(NOTHING)
        elif kind < 0.2:
            found.append(Finding(word="absent"))
        elif kind < 0.25:
            found.append(Finding(random.choice((Fraction(8, 5), Fraction(2), Fraction(1), Fraction(3))), "absent"))
        elif kind < 0.28:
            found.append(Finding(Fraction(0)))
        elif kind < 0.31:
            found.append(Finding(extent=longer))
        else:
            found.append(Finding(value, random.choice(("", "", "", "equivocal")), more if kind < 0.9 else None, longer))
    return found


SAID = {
    "-": NOTHING,
    "uptake": Finding(Fraction(3)),
    "0": Finding(Fraction(0)),
    "both": Finding(Fraction(2), "absent"),
    "doubt": Finding(Fraction(3), "equivocal"),
}


def _other(random: Random, count: int) -> list[Finding]:
    found = [Finding(word="present")]
    for _ in range(count - 1):
        kind = random.choice(
            ("present", "present", "absent", "absent", "absent", "pd", "NE", "-", "uptake", "0", "both")
        )
        found.append(SAID.get(kind, Finding(word=kind)))
    return found


def _new(random: Random, count: int) -> list[Finding]:
    first = random.randint(1, count - 1)
    found = [NOTHING] * first
    for at in range(first, count):
        kind = random.choice(("uptake", "uptake", "present", "doubt", "absent", "NE", "-", "0", "both"))
        if at == first and kind in ("-", "NE"):
            kind = "uptake"
        found.append(SAID.get(kind, Finding(word=kind)))
    return found
