"""A second, plain PCWG3: one patient at a time, scan by scan, written from the text.

Sources: the vignette on PCWG3 of admiralonco, after PharmaSUG 2024 DS-287, for bone and for the table of soft tissue
and bone; RECIST 1.1, tables 1 and 2, for soft tissue. Lengths are mm, as fractions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

Number = Fraction | None


@dataclass(frozen=True)
class Finding:
    """One lesion of soft tissue on one scan; words are absent, NE, present, pd, equivocal."""

    length: Number = None
    word: str = ""
    row: bool = True


NOTHING = Finding(row=False)


@dataclass
class Patient:
    """One patient; all lists run over the scans, the baseline first. Bone: lesions, and new ones; None: no scan."""

    days: list[int]
    bone: list[tuple[int | None, int | None]]
    searched: list[bool]
    targets: list[list[Finding]] = field(default_factory=list)
    others: list[list[Finding]] = field(default_factory=list)
    new: list[list[Finding]] = field(default_factory=list)


class Reader:
    """Reads one patient."""

    def __init__(self, patient: Patient, confirm_days: int = 42) -> None:
        self.patient, self.confirm_days = patient, confirm_days

    # --- bone

    def new_in_bone(self, at: int) -> int | None:
        total, new = self.patient.bone[at]
        return 0 if new is None and total == 0 else new

    def read_bone(self) -> Iterator[tuple[str, int | None]]:
        """Yield what each scan after baseline says, and the scan that first showed its progression."""
        reference: int | None = None  # new lesions of the first scan
        first = opened = -1
        waits = ""  # first: two more are awaited; later: persistence is
        progressed: int | None = None
        for at in range(1, len(self.patient.days)):
            new, total = self.new_in_bone(at), self.patient.bone[at][0]
            none = "NED" if total == 0 else "Non-PD"
            if new is None:
                yield "NE", None
                continue
            if progressed is not None:
                yield "PD", progressed
                continue
            if reference is None:
                reference, first, opened = new, at, at
                waits = "first" if new >= 2 else ""
                yield ("PDu", None) if waits else (none, None)
                continue
            more = new - reference >= 2
            passed = self.patient.days[at] - self.patient.days[opened] >= self.confirm_days
            if waits == "first" and not passed:
                yield ("PDu" if new >= 2 else none), None
            elif waits == "first":
                waits = ""
                progressed = first if more else None
                yield ("PD", first) if more else (none, None)
            elif waits == "later" and more:
                progressed = opened if passed else None
                yield ("PD", opened) if passed else ("PDu", None)
            else:
                waits, opened = ("later", at) if more else ("", opened)
                yield ("PDu" if more else none), None

    # --- soft tissue

    def sizes(self, at: int) -> list[Number]:
        return [_size_of(lesion[at]) for lesion in self.patient.targets]

    def part(self, at: int) -> Fraction:
        return sum((size for size in self.sizes(at) if size is not None), Fraction(0))

    def target(self, at: int) -> str:
        if not self.patient.targets:
            return "NA"
        return next(answer for answer, holds in self._steps_of_targets(at) if holds)

    def _steps_of_targets(self, at: int) -> Iterator[tuple[str, bool]]:
        missing, part = None in self.sizes(at), self.part(at)
        yield "NE", None in self.sizes(0)
        nadir = min(self.part(scan) for scan in range(at) if None not in self.sizes(scan))
        yield "CR", not missing and part == 0
        yield "PD", part >= Fraction(6, 5) * nadir and part - nadir >= 5
        yield "NE", missing
        yield "PR", part <= Fraction(7, 10) * self.part(0)
        yield "SD", True

    def other(self, at: int) -> str:
        found = [lesion[at] for lesion in self.patient.others]
        words = {one.word if one.row else "NE" for one in found}
        for word, answer in (("pd", "PD"), ("NE", "NE"), ("present", "Non-CR/Non-PD")):
            if word in words:
                return answer
        return "CR" if found else "NA"

    def new_lesion(self, at: int) -> str:
        words = set()
        for lesion in self.patient.new:
            if lesion[at].row:
                words.add(lesion[at].word or "present")
            elif any(one.row for one in lesion[:at]):
                words.add("NE")
        if "present" in words:
            return "Yes"
        if "NE" in words or not self.patient.searched[at]:
            return "NE"
        return "Equivocal" if "equivocal" in words else "No"

    def is_complete(self, at: int) -> bool:
        both = {self.target(at), self.other(at)}
        return both <= {"CR", "NA"} and both != {"NA"} and self.new_lesion(at) in ("No", "Equivocal")

    def disease(self, at: int) -> bool:
        return self.part(at) > 0 or any(lesion[at].word in ("present", "pd") for lesion in self.patient.others)

    def steps_of_soft_tissue(self, at: int) -> Iterator[tuple[str, bool]]:
        target, other, new = self.target(at), self.other(at), self.new_lesion(at)
        nothing = target == other == "NA"
        yield "PD", new == "Yes" or "PD" in (target, other)
        yield "PD", any(self.is_complete(scan) for scan in range(1, at)) and self.disease(at)
        yield "NE", nothing and new == "NE"
        yield "NED", nothing
        yield "CR", self.is_complete(at)
        yield "Non-CR/Non-PD", target == "NA" and other == "Non-CR/Non-PD"
        yield "NE", target == "NA"
        yield "PR", target in ("CR", "PR")
        yield "SD", target == "SD"
        yield "NE", True

    def read(self) -> Iterator[tuple[str, str, str, int | None]]:
        """Yield soft tissue, bone, both together, and the scan that dates a progression."""
        for at, (bone, shown) in enumerate(self.read_bone(), start=1):
            soft = next(answer for answer, holds in self.steps_of_soft_tissue(at) if holds)
            both = self.together(soft, bone)
            dated = at if both == "PDu" or soft == "PD" else shown
            yield soft, bone, both, dated if both in ("PD", "PDu") else None

    def together(self, soft: str, bone: str) -> str:
        if "PD" in (soft, bone):
            return "PD"
        if soft == "NED":
            return {"Non-PD": "Non-CR/Non-PD", "PDu": "PDu"}.get(bone, "NE")
        if soft == "CR" and bone != "NED":
            return "PR" if self.patient.targets else "Non-CR/Non-PD"
        return soft


def _size_of(one: Finding) -> Number:
    if not one.row or one.word == "NE":
        return None
    return Fraction(0) if one.word == "absent" else one.length


def random_patient(random: Random) -> Patient:
    """Return a made-up patient, whose bone scans come at irregular times."""
    days = [0]
    for _ in range(random.randint(1, 6)):
        days.append(days[-1] + random.choice((14, 28, 41, 42, 43, 56, 84)))
    count = len(days)
    new = 0
    bone: list[tuple[int | None, int | None]] = []
    for at in range(count):
        new = max(0, new + random.choice((0, 0, 0, 1, 2, 2, -1, -2))) if at else 0
        total = random.choice((0, 0, 5 + new)) if new == 0 else 5 + new
        scan = random.random()
        bone.append((None, None) if scan < 0.1 else (total, None) if scan < 0.15 else (total, new))
    searched = [random.random() < 0.93 for _ in days]
    kind = random.choice(("bone only", "both", "both", "non-targets"))
    targets = [_target(random, count) for _ in range(random.choice((1, 1, 2)))] if kind == "both" else []
    others = [_other(random, count)] if kind == "non-targets" or random.random() < 0.2 else []
    return Patient(days, bone, searched, targets, others, [_new(random, count)] if random.random() < 0.15 else [])


def _target(random: Random, count: int) -> list[Finding]:
    base = Fraction(random.choice((20, 50)))
    value, found = base, [Finding(base)]
    if random.random() < 0.03:
        found = [Finding(word="NE")]
    for _ in range(count - 1):
        kind = random.random()
        value = random.choice(
            (base * 7 / 10, value * 6 / 5, value + 5, value, value, base, base * 7 / 10 + Fraction(1, 10))
        )
        value = Fraction(round(value * 1000), 1000)
        if kind < 0.05:
            found.append(Finding(word="NE"))
        elif kind < 0.08:
            found.append(NOTHING)
        elif kind < 0.3:
            found.append(Finding(word="absent"))
        else:
            found.append(Finding(value))
    return found


def _other(random: Random, count: int) -> list[Finding]:
    words = ("present", "present", "absent", "absent", "absent", "pd", "NE", "-")
    chosen = (random.choice(words) for _ in range(count - 1))
    return [Finding(word="present"), *(NOTHING if word == "-" else Finding(word=word) for word in chosen)]


def _new(random: Random, count: int) -> list[Finding]:
    first = random.randint(1, count - 1)
    found = [NOTHING] * first + [random.choice((Finding(Fraction(12)), Finding(word="equivocal")))]
    for _ in range(count - first - 1):
        word = random.choice(("size", "equivocal", "absent", "NE", "-"))
        found.append({"size": Finding(Fraction(12)), "-": NOTHING}.get(word, Finding(word=word)))
    return found
