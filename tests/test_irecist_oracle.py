"""iRECIST against a second, plain implementation, on many made-up courses at once."""

from collections.abc import Mapping, Sequence
from functools import cache
from random import Random

import pytest

import response
from response.measurements import Measurements
from response.protocol import Protocol
from tests.acceptance import Row, iso_day, text_table
from tests.irecist_oracle import Course, Finding, Reader, Told, random_course

SEED, COURSES, LONG_COURSES = 20_170_302, 3_000, 200


def rows_of(name: str, course: Course) -> list[Row]:
    """Return the rows of the measurement table."""
    lesions = [("target", f"T{i}", "liver", found) for i, found in enumerate(course.targets)]
    lesions += [("non_target", f"NT{i}", "pleura", found) for i, found in enumerate(course.non_targets)]
    lesions += [("new", f"NL{i}", organ, found) for i, (organ, found) in enumerate(course.new)]
    rows = []
    for role, lesion, organ, found in lesions:
        for at, one in enumerate(found):
            if one.row:
                fixed = {"subject": name, "timepoint": str(at), "date": iso_day(course.days[at])}
                rows.append({**fixed, "lesion": lesion, "role": role, "organ": organ, **cells(one)})
    return rows


def cells(one: Finding) -> Row:
    """Return how a finding is written in the table."""
    words = {"NE": "not_evaluable", "pd": "unequivocal_progression"}
    number = "" if one.number is None else f"{one.number // 10}.{one.number % 10}"
    return {"longest_mm": number, "state": words.get(one.word, one.word), "trend": one.trend}


def visits_of(name: str, course: Course) -> list[Row]:
    """Return the rows of the visit table, so that every timepoint is there."""
    return [
        {"subject": name, "timepoint": str(at), "date": iso_day(day), "new_symptom": "Y" if course.symptom[at] else ""}
        for at, day in enumerate(course.days)
    ]


def computed(courses: Sequence[Course], tolerance: int) -> list[list[Told]]:
    """Return the answers of the program, all courses in one trial."""
    names = [f"S{number:06d}" for number in range(len(courses))]
    rows = [row for name, course in zip(names, courses, strict=True) for row in rows_of(name, course)]
    visits = [row for name, course in zip(names, courses, strict=True) for row in visits_of(name, course)]
    measurements = Measurements.from_table(text_table(rows, "made-up.csv"), visits=text_table(visits, "visits.csv"))
    protocol = Protocol.from_toml(f"[irecist]\nir_tol = {tolerance}\n")
    found = response.assess(measurements, ["irecist"], protocol)
    result, timeline = found.results["irecist"], found.timeline
    categories, unused = result.categories(), [rule.name for rule in result.rules("overall")].index("too_early")
    answers, nadirs = result.answers["overall"], result.numbers["nadir_mm"]
    return [
        [
            Told(categories[answers[cell]], int(nadirs[cell]) // 100, bool(answers[cell] != unused))
            for cell in range(timeline.cells(series).start + 1, timeline.cells(series).stop)
        ]
        for series in range(len(courses))
    ]


@cache
def trial(seed: int, count: int, *, early: bool = True, longest: int = 6) -> list[tuple[Course, list[Told]]]:
    """Return made-up courses, and the answers of the program to each."""
    random = Random(seed)
    courses = [random_course(random, early=early, longest=longest) for _ in range(count)]
    found: list[tuple[Course, list[Told]]] = []
    for tolerance in (0, 2):
        chosen = [course for course in courses if course.tolerance == tolerance]
        found += zip(chosen, computed(chosen, tolerance), strict=True)
    return found


def differences(
    seed: int, count: int, *, early: bool = True, longest: int = 6
) -> list[tuple[Course, list[Told], list[Told]]]:
    """Return the courses on which the two disagree, with what each says."""
    found = []
    for course, ours in trial(seed, count, early=early, longest=longest):
        theirs = list(Reader(course).read())
        same = [(one.overall, one.used) for one in ours] == [(one.overall, one.used) for one in theirs]
        nadirs = not course.targets or [one.nadir for one in ours] == [one.nadir for one in theirs]
        if not (same and nadirs):
            found.append((course, ours, theirs))
    return found


@pytest.mark.parametrize("early", [True, False])
def test_the_program_and_the_plain_reading_agree(early: bool) -> None:
    # where no scan can come too early the program asks RECIST 1.1 for the targets, and stops after iCPD
    found = differences(SEED, COURSES, early=early)
    assert len(found) == 0, f"{len(found)} differ, the first: {found[0]}"


@pytest.mark.parametrize("early", [True, False])
def test_they_agree_on_long_courses_too(early: bool) -> None:
    # the bar is reset again and again; a series rests in between
    found = differences(SEED, LONG_COURSES, early=early, longest=40)
    assert len(found) == 0, f"{len(found)} differ, the first: {found[0]}"


@pytest.mark.parametrize("early", [True, False])
def test_a_course_alone_is_read_as_it_is_among_others(early: bool) -> None:
    # the series of a block are walked together, and some of them are left out where nothing happens
    courses = trial(SEED, LONG_COURSES, early=early, longest=40)[::10]
    assert len(courses) >= 10
    assert [computed([course], course.tolerance)[0] for course, _ in courses] == [told for _, told in courses]


def test_the_courses_reach_every_answer() -> None:
    told = {one.overall for course, _ in trial(SEED, COURSES) for one in Reader(course).read()}
    assert told == {"iCR", "iPR", "iSD", "non-iCR/non-iUPD", "iUPD", "iCPD", "NE"}


SLIPS: Mapping[str, object] = {
    "may_reset": False,
    "is_smaller": False,
    "unsettled": False,
    "new_sum_grew": None,
    "new_non_target_grew": False,
    "non_target_grew": False,
    "new_worse": False,
    "relapse": frozenset(),
    "lost": frozenset(),
}


@pytest.mark.parametrize("step", SLIPS)
def test_a_slip_is_seen(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reader, step, lambda *_: SLIPS[step])
    assert differences(SEED, COURSES)
