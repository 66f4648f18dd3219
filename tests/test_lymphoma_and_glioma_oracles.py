"""Lugano and RANO 2.0 against second, plain implementations, on many made-up patients at once."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from random import Random

import pytest

import response
from response import Assessment
from response.measurements import Measurements
from response.protocol import Protocol
from tests import lymphoma_oracle as lymphoma
from tests.acceptance import Row, iso_day, text_table

SEED, PATIENTS = 20_140_920, 4_000
WORDS = {"NE": "not_evaluable", "TSTM": "too_small", "pd": "unequivocal_progression"}


def text_of(number: Fraction | None) -> str:
    """Return a number of at most three decimals as people write it."""
    if number is None:
        return ""
    assert (number * 1000).denominator == 1
    return f"{float(number):.3f}"


def subject(number: int) -> str:
    return f"S{number:05d}"


def when(number: int, at: int, day: int) -> Row:
    return {"subject": subject(number), "timepoint": str(at), "date": iso_day(day)}


def assess(rows: list[Row], visits: list[Row], criterion: str, options: str = "", *, subjects: list[Row]) -> Assessment:
    """Return the assessment of all patients in one trial."""
    measurements = Measurements.from_table(
        text_table(rows, "made-up.csv"),
        visits=text_table(visits, "visits.csv"),
        subjects=text_table(subjects, "subjects.csv"),
    )
    return response.assess(measurements, [criterion], Protocol.from_toml(options))


def answers_of(found: Assessment, criterion: str, questions: Sequence[str]) -> list[list[tuple[str, ...]]]:
    """Return the category of each question at each scored timepoint of each series."""
    result, timeline = found.results[criterion], found.timeline
    categories = {name: result.categories(name) for name in questions}
    told: list[list[tuple[str, ...]]] = []
    for series in range(len(timeline.series)):
        cells = timeline.cells(series)
        first = cells.start + int(timeline.series.baseline[series]) + 1
        told.append([
            tuple(categories[name][result.answers[name][cell]] for name in questions)
            for cell in range(first, cells.stop)
        ])  # fmt: skip
    return told


# --- Lugano

LUGANO_QUESTIONS = ("target", "non_target", "new_lesion", "spleen", "marrow", "overall")


def lymphoma_rows(number: int, patient: lymphoma.Patient) -> Iterator[Row]:
    """Return the rows of the measurement table."""
    groups = (("target", "T", patient.targets), ("non_target", "NT", patient.non_targets), ("new", "NL", patient.new))
    for role, letter, lesions in groups:
        for place, lesion in enumerate(lesions):
            organ = "axillary node" if lesion.node else "liver"
            for at, one in enumerate(lesion.found):
                if one.row:
                    fixed = {"lesion": f"{letter}{place}", "role": role, "organ": organ}
                    sizes = {"longest_mm": text_of(one.longest), "short_mm": text_of(one.short)}
                    state = {"state": WORDS.get(one.word, one.word), "trend": one.trend}
                    yield {**when(number, at, 56 * at), **fixed, **sizes, **state, **_mark(at, patient.baseline)}


def lymphoma_visits(number: int, patient: lymphoma.Patient) -> Iterator[Row]:
    """Return the rows of the visit table, one for each timepoint."""
    for at in range(patient.timepoints):
        organs = {"spleen_mm": text_of(patient.spleen[at]), "marrow": patient.marrow[at]}
        yield {**when(number, at, 56 * at), **organs, "new_lesions": patient.new_by_visit[at]}


def _mark(at: int, baseline: int) -> Row:
    return {"baseline": "Y" if at == baseline else ""}


def start_of(number: int, patient: lymphoma.Patient) -> Row:
    """Return the row of the subject table: treatment starts on the day of the baseline."""
    return {"subject": subject(number), "treatment_start": iso_day(56 * patient.baseline)}


@cache
def lymphoma_trial(seed: int, count: int) -> list[tuple[lymphoma.Patient, list[tuple[str, ...]]]]:
    """Return made-up patients, and the answers of the program to each."""
    random = Random(seed)
    patients = [lymphoma.random_patient(random) for _ in range(count)]
    rows = [row for number, patient in enumerate(patients) for row in lymphoma_rows(number, patient)]
    visits = [row for number, patient in enumerate(patients) for row in lymphoma_visits(number, patient)]
    starts = [start_of(number, patient) for number, patient in enumerate(patients)]
    found = answers_of(assess(rows, visits, "lugano", subjects=starts), "lugano", LUGANO_QUESTIONS)
    return list(zip(patients, found, strict=True))


def lymphoma_differences(seed: int, count: int) -> list[tuple[lymphoma.Patient, object, object]]:
    """Return the patients on whom the two disagree, with what each says."""
    found = []
    for patient, ours in lymphoma_trial(seed, count):
        told = [tuple(vars(one).values()) for one in lymphoma.Reader(patient).read()]
        theirs = [tuple("Non-CR/Non-PD" if word == "NON" else word for word in one) for one in told]
        if ours != theirs:
            found.append((patient, ours, theirs))
    return found


def test_lugano_and_its_plain_reading_agree() -> None:
    found = lymphoma_differences(SEED, PATIENTS)
    assert len(found) == 0, f"{len(found)} differ, the first: {found[0]}"


def test_the_patients_with_lymphoma_reach_every_answer() -> None:
    told = [one for patient, _ in lymphoma_trial(SEED, PATIENTS) for one in lymphoma.Reader(patient).read()]
    assert {one.overall for one in told} == {"CR", "PR", "SD", "PD", "NON", "NE"}
    assert {one.spleen for one in told} == {"NA", "NE", "PD", "CR", "PR", "SD"}
    assert {one.marrow for one in told} == {"NA", "NE", "PD", "CR", "SD"}
    assert {one.new for one in told} == {"Yes", "NE", "Equivocal", "No"}


SLIPS: Mapping[str, object] = {"grown": False, "regrown": False, "back": False, "spleen": "NA", "marrow": "NA"}


@pytest.mark.parametrize("step", SLIPS)
def test_a_slip_in_lymphoma_is_seen(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lymphoma.Reader, step, lambda *_: SLIPS[step])
    assert lymphoma_differences(SEED, PATIENTS)
