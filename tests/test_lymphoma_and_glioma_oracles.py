"""Lugano and RANO 2.0 against second, plain implementations, on many made-up patients at once."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any

import pytest

import response
from response import Assessment
from response.measurements import Measurements
from response.protocol import Protocol
from tests import glioma_oracle as glioma
from tests import lymphoma_oracle as lymphoma
from tests.acceptance import Row, iso_day, text_table

SEED, PATIENTS, FEW = 20_140_920, 4_000, 1_000
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
    found: list[tuple[Any, object, object]] = []
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
    assert lymphoma_differences(SEED, FEW)


# --- RANO 2.0

RANO_QUESTIONS = ("target", "non_target", "new_lesion", "overall")


def glioma_rows(number: int, patient: glioma.Patient) -> Iterator[Row]:
    """Return the rows of the measurement table."""
    lesions = [("target", f"T{place}", tissue, found) for place, (tissue, found) in enumerate(patient.targets)]
    lesions += [("non_target", f"NT{place}", "", found) for place, found in enumerate(patient.non_targets)]
    lesions += [("new", f"NL{place}", "", found) for place, found in enumerate(patient.new)]
    for role, lesion, tissue, found in lesions:
        for at, one in enumerate(found):
            if one.row:
                fixed = {"lesion": lesion, "role": role, "organ": "brain", "tissue": tissue}
                sizes = {"longest_mm": one.longest, "short_mm": one.short, "volume_mm3": one.volume}
                written = {name: text_of(size) for name, size in sizes.items()}
                state = {"state": WORDS.get(one.word, one.word)}
                yield {**when(number, at, patient.days[at]), **fixed, **written, **state}


def glioma_visits(number: int, patient: glioma.Patient) -> Iterator[Row]:
    """Return the rows of the visit table, one for each timepoint."""
    for at, day in enumerate(patient.days):
        status = {"steroid_mg": text_of(patient.dose[at]), "clinical": patient.clinical[at]}
        yield {**when(number, at, day), **status, "new_lesions": patient.new_by_visit[at]}


def glioma_options(choices: glioma.Choices) -> str:
    """Return the options as a protocol."""
    return f"""[rano-2.0]
rano_tissue = "{choices.tissue}"
rano_measure = "{choices.measure}"
rano_radiotherapy_weeks = {choices.weeks}
rano_confirm_days = {choices.confirm_days}
rano_early_deterioration = "{choices.early_deterioration}"
rano_more_steroids = "{choices.more_steroids}"
"""


def end_of(number: int, patient: glioma.Patient) -> Row:
    """Return the row of the subject table."""
    end = "" if patient.radiotherapy_end is None else iso_day(patient.radiotherapy_end)
    return {"subject": subject(number), "treatment_start": iso_day(0), "radiotherapy_end": end}


@cache
def glioma_trial(seed: int, count: int) -> list[tuple[glioma.Patient, list[tuple[str, ...]], list[int]]]:
    """Return made-up patients, the answers of the program to each, and the day to which each PD is dated."""
    random, told = Random(seed), []
    for choices in glioma.CHOICES:
        patients = [glioma.random_patient(random, choices) for _ in range(count // len(glioma.CHOICES))]
        rows = [row for number, patient in enumerate(patients) for row in glioma_rows(number, patient)]
        visits = [row for number, patient in enumerate(patients) for row in glioma_visits(number, patient)]
        ends = [end_of(number, patient) for number, patient in enumerate(patients)]
        found = assess(rows, visits, "rano-2.0", glioma_options(choices), subjects=ends)
        dates, cells = found.results["rano-2.0"].progression_date, found.timeline.cells
        first = [found.timeline.visits.first_scan[cells(series).start] for series in range(len(patients))]
        days = [
            [int(dates[cell]) - int(first[series]) for cell in range(cells(series).start + 1, cells(series).stop)]
            for series in range(len(patients))
        ]
        told += list(zip(patients, answers_of(found, "rano-2.0", RANO_QUESTIONS), days, strict=True))
    return told


def glioma_differences(seed: int, count: int) -> list[tuple[glioma.Patient, object, object]]:
    """Return the patients on whom the two disagree, with what each says."""
    found: list[tuple[Any, object, object]] = []
    for patient, ours, days in glioma_trial(seed, count):
        read = list(glioma.Reader(patient).read())
        theirs = [
            tuple(
                "Non-CR/Non-PD" if word == "NON" else word
                for word in (one.target, one.non_target, one.new, one.overall)
            )
            for one in read
        ]
        dated = [
            patient.days[one.since] == day
            for one, day in zip(read, days, strict=True)
            if "PD" in one.overall and not _doubted(patient, one.since)
        ]
        if ours != theirs or not all(dated):
            found.append((patient, (ours, days), (theirs, read)))
    return found


def _doubted(patient: glioma.Patient, at: int) -> bool:
    """Return whether something was doubtful before, so that a PD may be dated further back."""
    lesions = [*patient.non_targets, *patient.new]
    words = {course[visit].word for course in lesions for visit in range(1, at)}
    small = any(one.longest is not None and one.row for course in patient.new for one in course[:at])
    return "equivocal" in words or "equivocal" in patient.new_by_visit[:at] or small


def test_rano_and_its_plain_reading_agree() -> None:
    found = glioma_differences(SEED, PATIENTS)
    assert len(found) == 0, f"{len(found)} differ, the first: {found[0]}"


def test_the_patients_with_glioma_reach_every_answer() -> None:
    told = [one for patient, _, _ in glioma_trial(SEED, PATIENTS) for one in glioma.Reader(patient).read()]
    assert {one.overall for one in told} == {"CR", "PR", "SD", "PD", "unconfirmed PD", "NE"}
    assert {one.target for one in told} == {"CR", "PR", "SD", "PD", "NA", "NE"}


RANO_SLIPS: Mapping[str, object] = {
    "disease": False,
    "early": False,
    "more_steroids": False,
    "without_steroids": True,
    "new": "No",
}


@pytest.mark.parametrize("step", RANO_SLIPS)
def test_a_slip_in_glioma_is_seen(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glioma.Reader, step, lambda *_: RANO_SLIPS[step])
    assert glioma_differences(SEED, FEW)
