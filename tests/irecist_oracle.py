"""A second, plain iRECIST: one course at a time, timepoint by timepoint, written from the text and not from the code.

Sources: Seymour et al., Lancet Oncol 2017;18:e143-e152, tables 2 and 3; the EORTC answers on iRECIST; RECIST 1.1 for
what is asked of the original lesions. Lengths are tenths of a millimetre; dates are days.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

FIVE_MM = 50
BETTER = ("CR", "PR", "SD", "NON", "NED", "PD")  # best first
WORDS = {"CR": "iCR", "PR": "iPR", "SD": "iSD", "NON": "non-iCR/non-iUPD", "NED": "NED", "NE": "NE"}


@dataclass(frozen=True)
class Finding:
    """What was found of a lesion: `number` in tenths of a millimetre, or a word; nothing recorded is `row = False`."""

    number: int | None = None
    word: str = ""  # present, absent, NE, pd, resolved, equivocal
    trend: str = ""
    row: bool = True


NOTHING = Finding(row=False)


@dataclass
class Course:
    """A subject; findings by timepoint, the baseline first (new lesions have none there)."""

    days: list[int]
    targets: list[list[Finding]] = field(default_factory=list)
    non_targets: list[list[Finding]] = field(default_factory=list)
    new: list[tuple[str, list[Finding]]] = field(default_factory=list)  # organ, findings
    symptom: list[bool] = field(default_factory=list)
    tolerance: int = 2


@dataclass
class Block:
    """An iUPD that waits: its timepoint, what made it, and what it is compared with."""

    day: int
    basis: set[str]
    original: str
    target_sum: int | None  # at the iUPD
    sums: list[int]  # complete sums of the targets since the iUPD
    visits: list[int]  # timepoints since the iUPD that count
    relapse: bool
    held: set[int]  # the non-targets that made it


@dataclass
class Told:
    """The answer at one timepoint."""

    overall: str
    nadir: int | None
    used: bool


class Reader:
    """Reads one course."""

    def __init__(self, course: Course) -> None:
        self.course = replace(course, new=[(organ, list(_lasting(found))) for organ, found in course.new])
        self.counted: list[int] = []  # follow-up timepoints that count
        self.sums = [value for value in [self.target_sum(0)] if value is not None]
        self.block: Block | None = None
        self.confirmed = False
        self.complete = False  # iCR stands
        self.last_original = "SD"
        self.targets_of_new = self.choose_new_targets()

    # --- the original lesions

    def target_sum(self, at: int) -> int | None:
        found = [lesion[at] for lesion in self.course.targets]
        if not found or any(one.number is None and one.word != "absent" for one in found):
            return None
        return sum(one.number or 0 for one in found)

    def measured_part(self, at: int) -> int:
        return sum(lesion[at].number or 0 for lesion in self.course.targets)

    def target_response(self, at: int) -> str:
        if not self.course.targets:
            return "NA"
        whole, part, nadir = self.target_sum(at), self.measured_part(at), min(self.sums)
        if whole == 0:
            return "CR"
        if part * 5 >= nadir * 6 and part - nadir >= FIVE_MM:
            return "PD"
        if whole is None:
            return "NE"
        return "PR" if whole * 10 <= self.sums[0] * 7 else "SD"

    def non_target_response(self, at: int) -> str:
        found = [lesion[at] for lesion in self.course.non_targets]
        if not found:
            return "NA"
        if any(one.word == "pd" for one in found):
            return "PD"
        if any(not one.row or one.word == "NE" for one in found):
            return "NE"
        return "NON" if any(one.word == "present" for one in found) else "CR"

    def is_smaller(self, at: int) -> bool:
        now = self.target_sum(at)
        then = self.block.target_sum if self.block else None
        return now is not None and then is not None and now <= then - FIVE_MM

    def relapse(self, at: int) -> set[str]:
        """Return what is back after iCR, unless it has settled since the iUPD that it made."""
        if not self.complete:
            return set()
        back = set()
        waits = self.block is not None and self.block.relapse
        if self.measured_part(at) > 0 and not (waits and self.is_smaller(at)):
            back.add("T")
        present = any(lesion[at].word in ("present", "pd") for lesion in self.course.non_targets)
        if present and not (waits and not self.unsettled(at)):
            back.add("NT")
        return back

    def progressed(self, at: int) -> set[str]:
        """Return which of the original categories meet PD now."""
        now = self.relapse(at)
        now |= {"T"} if self.target_response(at) == "PD" else set()
        return now | ({"NT"} if self.non_target_response(at) == "PD" else set())

    def original(self, at: int) -> str:
        """Return the response of the original lesions alone (RECIST 1.1, tables 1 and 2)."""
        target, other = self.target_response(at), self.non_target_response(at)
        if self.progressed(at):
            return "PD"
        if target == "NA" and other == "NA":
            return "NED"
        if target in ("CR", "NA") and other in ("CR", "NA"):
            return "CR"
        if target == "NA":
            return "NON" if other == "NON" else "NE"
        return "PR" if target == "CR" else target

    def unsettled(self, at: int) -> bool:
        """Return whether a non-target behind the iUPD is neither gone nor smaller."""
        held = self.block.held if self.block else set()
        found = [self.course.non_targets[place][at] for place in held]
        return any(not (one.word == "absent" or (one.word in ("present", "pd") and one.trend == "decreased"))
                   for one in found)  # fmt: skip

    # --- the new lesions

    def choose_new_targets(self) -> set[int]:
        """Return the new lesions that are measured: measurable when first seen, five in all, two of an organ."""
        first = {}
        for place, (_, found) in enumerate(self.course.new):
            seen = [at for at, one in enumerate(found) if self.is_certain(one)]
            if seen:
                first[place] = seen[0]
        order = sorted(first, key=lambda place: (first[place], -(self.course.new[place][1][first[place]].number or 0)))
        chosen: list[int] = []
        for place in order:
            organ, found = self.course.new[place]
            size = found[first[place]].number
            fits = sum(self.course.new[other][0] == organ for other in chosen) < 2
            if size is not None and size >= 100 and fits and len(chosen) < 5:
                chosen.append(place)
        return set(chosen)

    @staticmethod
    def is_certain(one: Finding) -> bool:
        seen = one.word in ("present", "pd") or (one.word == "" and bool(one.number)) or bool(one.trend)
        return one.row and one.word not in ("NE", "absent", "resolved", "equivocal") and seen

    def there(self, place: int, upto: list[int]) -> bool:
        """Return whether a new lesion was there when it was last assessed by a timepoint that counts."""
        found = self.course.new[place][1]
        for at in reversed(upto):
            one = found[at]
            if self.is_certain(one):
                return True
            if one.row and one.word == "equivocal":
                return self.there(place, [earlier for earlier in upto if earlier < at])
            if one.row and one.word != "NE":
                return False
        return False

    def known_before(self) -> set[int]:
        return {place for place in range(len(self.course.new)) if self.there(place, self.counted)}

    def known_now(self, at: int) -> set[int]:
        return {place for place in range(len(self.course.new))
                if self.course.new[place][1][at].row and self.course.new[place][1][at].word != "NE"
                and self.there(place, [*self.counted, at])}  # fmt: skip

    def appear(self, at: int) -> set[int]:
        certain = {place for place, (_, found) in enumerate(self.course.new) if self.is_certain(found[at])}
        return certain - self.known_before()

    def lost(self, at: int) -> set[int]:
        """Return the known new lesions that were not assessed, or not measured."""
        found = set()
        for place in self.known_before():
            one = self.course.new[place][1][at]
            if not one.row or one.word == "NE":
                found.add(place)
        for place in self.known_now(at) & self.targets_of_new:
            if self.course.new[place][1][at].number is None:
                found.add(place)
        return found

    def joined_at(self, place: int, at: int) -> int | None:
        """Return the timepoint that counts at which a new lesion target was first there."""
        for visit in [*self.counted, at]:
            if self.is_certain(self.course.new[place][1][visit]):
                return visit
        return None

    def new_length(self, place: int, at: int) -> int | None:
        one = self.course.new[place][1][at]
        if not one.row or one.word == "NE":
            return None
        if one.word in ("absent", "resolved"):
            return 0
        return one.number

    def new_sum(self, at: int, now: int) -> int | None:
        """Return the sum of the new lesion targets known by `now`; one not there yet counts its first length."""
        total = 0
        for place in self.targets_of_new:
            joined = self.joined_at(place, now)
            if joined is None:
                continue
            length = self.new_length(place, max(at, joined))
            if length is None and at < joined:
                length = 0
            if length is None:
                return None
            total += length
        return total

    def new_sum_grew(self, at: int, since: list[int]) -> int | None:
        """Return how much the measured part of the sum is over the smallest since some timepoints."""
        earlier = [value for value in (self.new_sum(visit, at) for visit in since) if value is not None]
        if not earlier:
            return None
        now = sum(
            self.new_length(place, at) or 0 for place in self.targets_of_new if self.joined_at(place, at) is not None
        )
        return now - min(earlier)

    def new_non_target_grew(self, at: int, since: list[int]) -> bool:
        for place in self.known_before() - self.targets_of_new:
            one = self.course.new[place][1][at]
            if one.row and (one.word == "pd" or one.trend == "increased"):
                return True
            lengths = [
                self.course.new[place][1][visit].number
                for visit in since
                if self.there(place, [v for v in self.counted if v <= visit]) and self.new_length(place, visit)
            ]
            known = [length for length in lengths if length is not None]
            there = place in self.known_now(at)
            if there and not one.trend and one.number is not None and known and one.number > min(known):
                return True
        return False

    def new_worse(self, at: int) -> bool:
        return any(self.course.new[place][1][at].word == "pd" for place in self.known_before() - self.targets_of_new)

    def new_progressed(self, at: int) -> bool:
        """Return whether new lesions progress: a further one, or known ones as targets and non-targets do."""
        if self.appear(at) or self.new_worse(at):
            return True
        earlier = [value for value in (self.new_sum(visit, at) for visit in self.counted) if value is not None]
        growth = self.new_sum_grew(at, self.counted)
        return growth is not None and growth >= FIVE_MM and growth * 5 >= min(earlier)

    # --- the walk

    def read(self) -> Iterator[Told]:
        for at in range(1, len(self.course.days)):
            nadir = min(self.sums) if self.sums else None
            overall, used = self.step(at)
            yield Told(overall, nadir, used)
            if used:
                self.counted.append(at)
                whole = self.target_sum(at)
                if whole is not None:
                    self.sums.append(whole)
                    if self.block:
                        self.block.sums.append(whole)
                if self.block:
                    self.block.visits.append(at)

    def step(self, at: int) -> tuple[str, bool]:
        if self.confirmed:
            return "iCPD", True
        original = self.original(at)
        if self.block is None:
            overall = self.clear(at, original)
            self.note(original)
            return overall, True
        early = self.course.days[at] - self.block.day < 28 - self.course.tolerance
        if early:
            if self.course.symptom[at] and self.appear(at):
                self.confirmed = True
                return "iCPD", True
            return "iUPD", False
        overall = self.pending(at, original)
        self.note(original)
        return overall, True

    def note(self, original: str) -> None:
        if original != "NE":
            self.last_original = original

    def clear(self, at: int, original: str) -> str:
        causes = self.progressed(at) | ({"NL"} if self.new_progressed(at) else set())
        if causes:
            relapse = self.relapse(at)
            held = {
                place
                for place, lesion in enumerate(self.course.non_targets)
                if lesion[at].word == "pd" or (relapse and lesion[at].word in ("present", "pd"))
            }
            self.block = Block(
                day=self.course.days[at],
                basis=causes,
                original=self.last_original if original == "NE" else original,
                target_sum=self.target_sum(at),
                sums=[],
                visits=[],
                relapse=bool(relapse),
                held=held,
            )
            return "iUPD"
        return self.response(at, original)

    def response(self, at: int, original: str) -> str:
        """Return the response that is no progression."""
        if original == "CR":
            if not self.known_now(at) and not self.lost(at) and not self.equivocal_missing(at):
                self.complete = True
                return "iCR"
            if self.course.targets:
                return "iPR"
            return "non-iCR/non-iUPD" if self.known_now(at) else "NE"
        return WORDS[original]

    def equivocal_missing(self, at: int) -> bool:
        """Return whether some lesion ever taken for new was not assessed, so that new lesions could not be excluded."""
        for _, found in self.course.new:
            seen = [one for one in found[:at] if one.row]
            if seen and seen[-1].word != "resolved" and (not found[at].row or found[at].word == "NE"):
                return True
            if found[at].row and found[at].word == "NE":
                return True
        return False

    def pending(self, at: int, original: str) -> str:
        block = self.block
        assert block is not None
        if self.confirms(at, block):
            self.confirmed = True
            return "iCPD"
        unseen = "NT" in block.basis and any(self.is_lost(self.course.non_targets[place][at]) for place in block.held)
        if unseen or ("NL" in block.basis and self.lost(at)) or self.response_if(at, original) == "NE":
            return "NE"
        if not self.may_reset(at, original, block):
            return "iUPD"
        self.block = None
        self.complete = False
        return self.response(at, original)

    def response_if(self, at: int, original: str) -> str:
        if original == "PD":
            return "PD"
        before = self.complete
        answer = self.response(at, original)
        self.complete = before
        return answer

    @staticmethod
    def is_lost(one: Finding) -> bool:
        return not one.row or one.word == "NE"

    def confirms(self, at: int, block: Block) -> bool:
        now = self.progressed(at)
        if "T" in block.basis and "T" in now and block.sums and self.measured_part(at) - min(block.sums) >= FIVE_MM:
            return True
        if "NT" in block.basis and self.non_target_grew(at, block):
            return True
        if "NL" in block.basis:
            growth = self.new_sum_grew(at, block.visits)
            if (growth is not None and growth >= FIVE_MM) or self.new_non_target_grew(at, block.visits):
                return True
            if self.appear(at):
                return True
        elif self.new_progressed(at):
            return True
        return bool(now - block.basis)

    def non_target_grew(self, at: int, block: Block) -> bool:
        found = [lesion[at] for lesion in self.course.non_targets]
        more = any(one.word == "pd" and place not in block.held for place, one in enumerate(found))
        return more or any(one.row and one.trend == "increased" for one in found)

    def may_reset(self, at: int, original: str, block: Block) -> bool:
        if original in ("PD", "NE"):
            return False
        growth = self.new_sum_grew(at, block.visits)
        if (growth is not None and growth >= FIVE_MM) or self.new_non_target_grew(at, block.visits) or self.appear(at):
            return False
        if "NL" in block.basis and self.known_now(at):
            better = BETTER.index(original) < BETTER.index(block.original)
            if not better and not (original == block.original and self.is_smaller(at)):
                return False
        return not ("NT" in block.basis and self.unsettled(at))


def _lasting(found: list[Finding]) -> Iterator[Finding]:
    """What proved to be no tumour stays so where it has no row."""
    last = NOTHING
    for one in found:
        if one.row and one.word != "NE":
            last = one
        yield one if one.row or last.word != "resolved" else last


def random_course(random: Random, *, early: bool = True, longest: int = 6) -> Course:
    """Return a made-up course, half of whose numbers lie near a threshold; `early`: scans may come too early."""
    timepoints = random.randint(1, longest)
    days = [0]
    for _ in range(timepoints):
        days.append(days[-1] + random.choice((10, 25, 26, 28, 35, 56, 57, 60) if early else (28, 56, 70)))
    course = Course(days=days, tolerance=random.choice((0, 2)))
    course.symptom = [False, *(random.random() < 0.3 for _ in range(timepoints))]
    course.targets = [_target(random, timepoints) for _ in range(random.choice((0, 1, 1, 1, 2)))]
    course.non_targets = [_non_target(random, timepoints) for _ in range(random.choice((0, 0, 1, 2)))]
    course.new = [_new(random, timepoints) for _ in range(random.choice((0, 0, 1, 1, 2, 3, 7)))]
    if not course.targets and not course.non_targets:
        course.targets = [_target(random, timepoints)]
    return course


def _target(random: Random, timepoints: int) -> list[Finding]:
    base = random.choice((100, 200, 500, 1000))
    found, value = [Finding(base)], base
    for _ in range(timepoints):
        kind = random.random()
        if kind < 0.08:
            found.append(Finding(word="NE"))
        elif kind < 0.12:
            found.append(NOTHING)
        elif kind < 0.25:
            found.append(Finding(0))
            value = 0
        else:
            near = (value * 6 // 5, value * 6 // 5 - 1, value + 50, value + 49, base * 7 // 10, base * 7 // 10 + 1)
            value = random.choice((*near, value, value, base, value - 50, base * 5 // 4, 40))
            value = max(value, 0)
            found.append(Finding(value))
    return found


def _non_target(random: Random, timepoints: int) -> list[Finding]:
    words = ("present", "present", "present", "absent", "absent", "pd", "pd", "NE", "-")
    found = [Finding(word="present")]
    for _ in range(timepoints):
        word = random.choice(words)
        trend = random.choice(("", "unchanged", "decreased", "increased")) if word in ("present", "pd") else ""
        found.append(NOTHING if word == "-" else Finding(word=word, trend=trend))
    return found


def _new(random: Random, timepoints: int) -> tuple[str, list[Finding]]:
    first = random.randint(1, timepoints)
    measured = random.random() < 0.7
    value = random.choice((60, 99, 100, 120, 250))
    found = [NOTHING] * first
    for at in range(first, timepoints + 1):
        kind = random.random()
        if at > first and kind < 0.05:
            found.append(NOTHING)
        elif kind < 0.1:
            found.append(Finding(word=random.choice(("NE", "equivocal"))))
        elif at > first and kind < 0.2:
            found.append(Finding(word=random.choice(("absent", "absent", "resolved"))))
        elif measured and kind < 0.95:
            value = value if at == first else random.choice((value, value, value + 50, value + 49, value + 1,
                                                             value * 6 // 5, max(10, value - 30)))  # fmt: skip
            found.append(Finding(value))
        else:
            word = random.choice(("present", "present", "pd")) if at > first else "present"
            trend = random.choice(("", "unchanged", "increased", "decreased")) if at > first else ""
            found.append(Finding(word=word, trend=trend))
    return random.choice(("brain", "bone", "spleen", "skin")), found
