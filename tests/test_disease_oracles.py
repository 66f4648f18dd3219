"""PERCIST, iPERCIST, EORTC-PET, SACT, MASS and PCWG3 against plain implementations, on many patients at once."""

from collections.abc import Iterator
from random import Random

import pytest

from response.cells import NO_DATE
from tests import metabolic_oracle as metabolic
from tests import prostate_oracle as prostate
from tests import renal_oracle as renal
from tests.acceptance import Row, iso_day
from tests.test_lymphoma_and_glioma_oracles import answers_of, assess, subject, text_of

PATIENTS = 2_000
WORDS = {"NE": "not_evaluable", "TSTM": "too_small", "pd": "unequivocal_progression"}


def at_scan(number: int, at: int, day: int) -> Row:
    return {"subject": subject(number), "timepoint": str(at), "date": iso_day(day)}


def starts(count: int) -> list[Row]:
    """Return the subject table: treatment starts on the day of the baseline."""
    return [{"subject": subject(number), "treatment_start": iso_day(0)} for number in range(count)]


# --- FDG-PET

METABOLIC = [
    # criterion, how the plain one reads, column of the uptake, choices, options
    ("percist", "read_percist", "sul_peak", metabolic.Choices(), ""),
    ("percist", "read_percist", "sul_peak", metabolic.Choices(from_nadir=True), 'percist_pd_reference = "nadir"'),
    ("percist", "read_percist", "sul_peak", metabolic.Choices(incomparable_is_ne=True, growing_bars=True),
     'percist_incomparable = "ne"\npercist_growing_lesion = "smd"'),
    ("ipercist", "read_ipercist", "sul_peak", metabolic.Choices(), ""),
    ("ipercist", "read_ipercist", "sul_peak", metabolic.Choices(confirm_days=14), "ipercist_confirm_days = 14"),
    ("eortc-pet", "read_eortc", "suv", metabolic.Choices(), ""),
    ("eortc-pet", "read_eortc", "suv", metabolic.Choices(early=True), "eortc_pmr_percent = 15"),
]  # fmt: skip


def metabolic_rows(number: int, patient: metabolic.Patient, column: str) -> Iterator[Row]:
    """Return the rows of the measurement table."""
    groups = (("target", "T", patient.targets), ("non_target", "NT", patient.others), ("new", "NL", patient.new))
    for role, letter, lesions in groups:
        for place, lesion in enumerate(lesions):
            for at, one in enumerate(lesion):
                if one.row:
                    fixed = {"lesion": f"{letter}{place}", "role": role, "organ": "liver"}
                    sizes = {column: text_of(one.uptake), "tlg": text_of(one.glycolysis)}
                    more = {"longest_mm": text_of(one.extent), "state": WORDS.get(one.word, one.word)}
                    yield {**at_scan(number, at, patient.scans[at].day), **fixed, **sizes, **more}


def metabolic_visits(number: int, patient: metabolic.Patient) -> Iterator[Row]:
    """Return the rows of the visit table, one for each scan."""
    for at, scan in enumerate(patient.scans):
        liver = {"liver_sul_mean": text_of(scan.liver), "liver_sul_sd": text_of(scan.liver_sd)}
        pool = {"blood_pool_sul_mean": text_of(scan.pool), "blood_pool_sul_sd": text_of(scan.pool_sd)}
        more = {"uptake_minutes": text_of(scan.minutes), "new_lesions": scan.new}
        yield {**at_scan(number, at, scan.day), **liver, **pool, **more}


@pytest.mark.parametrize(("criterion", "reads", "column", "choices", "options"), METABOLIC)
def test_fdg_pet_and_its_plain_reading_agree(
    criterion: str, reads: str, column: str, choices: metabolic.Choices, options: str
) -> None:
    random = Random(f"{criterion} {options}")
    patients = [metabolic.random_patient(random, liver=criterion != "eortc-pet") for _ in range(PATIENTS)]
    rows = [row for number, patient in enumerate(patients) for row in metabolic_rows(number, patient, column)]
    visits = [row for number, patient in enumerate(patients) for row in metabolic_visits(number, patient)]
    found = assess(rows, visits, criterion, f"[{criterion}]\n{options}", subjects=starts(PATIENTS))
    ours = [[overall for (overall,) in told] for told in answers_of(found, criterion, ("overall",))]
    theirs = [list(getattr(metabolic.Reader(patient, choices), reads)()) for patient in patients]
    differ = [number for number in range(PATIENTS) if ours[number] != theirs[number]]
    assert not differ, f"{len(differ)} differ: {patients[differ[0]]}, {ours[differ[0]]}, {theirs[differ[0]]}"
    assert {word for told in theirs for word in told} >= {"PMR", "SMD", "NE", "CMR"}


# --- Renal cell carcinoma


def renal_rows(number: int, patient: renal.Patient) -> Iterator[Row]:
    """Return the rows of the measurement table."""
    groups = (("target", "T", patient.targets), ("non_target", "NT", patient.others), ("new", "NL", patient.new))
    for role, letter, lesions in groups:
        for place, lesion in enumerate(lesions):
            for at, one in enumerate(lesion.found):
                if one.row:
                    fixed = {"lesion": f"{letter}{place}", "role": role, "organ": lesion.organ}
                    kind = {"lesion_type": "cystic" if lesion.cystic else "", "enhancement_change": one.change}
                    sizes = {"longest_mm": text_of(one.length), "attenuation_hu": text_of(one.hu)}
                    more = {"necrosis_fraction": text_of(one.necrosis), "state": WORDS.get(one.word, one.word)}
                    yield {**at_scan(number, at, 56 * at), **fixed, **kind, **sizes, **more}


@pytest.mark.parametrize("reference", ["nadir", "baseline"])
@pytest.mark.parametrize("criterion", ["sact", "mass"])
def test_criteria_for_renal_cell_carcinoma_and_their_plain_reading_agree(criterion: str, reference: str) -> None:
    random = Random(f"{criterion} {reference}")
    patients = [renal.random_patient(random) for _ in range(PATIENTS)]
    rows = [row for number, patient in enumerate(patients) for row in renal_rows(number, patient)]
    visits = [at_scan(number, at, 56 * at) for number, patient in enumerate(patients) for at in range(patient.scans)]
    options = f'[{criterion}]\n{criterion}_pd_reference = "{reference}"'
    found = assess(rows, visits, criterion, options, subjects=starts(PATIENTS))
    ours = [[overall for (overall,) in told] for told in answers_of(found, criterion, ("overall",))]
    theirs = [list(renal.Reader(patient, from_nadir=reference == "nadir").read(criterion)) for patient in patients]
    differ = [number for number in range(PATIENTS) if ours[number] != theirs[number]]
    assert not differ, f"{len(differ)} differ: {patients[differ[0]]}, {ours[differ[0]]}, {theirs[differ[0]]}"


# --- Prostate cancer


def prostate_rows(number: int, patient: prostate.Patient) -> Iterator[Row]:
    """Return the rows of the measurement table."""
    groups = (("target", "T", patient.targets), ("non_target", "NT", patient.others), ("new", "NL", patient.new))
    for role, letter, lesions in groups:
        for place, lesion in enumerate(lesions):
            for at, one in enumerate(lesion):
                if one.row:
                    fixed = {"lesion": f"{letter}{place}", "role": role, "organ": "liver"}
                    more = {"longest_mm": text_of(one.length), "state": WORDS.get(one.word, one.word)}
                    yield {**at_scan(number, at, patient.days[at]), **fixed, **more}


def prostate_visits(number: int, patient: prostate.Patient) -> Iterator[Row]:
    """Return the rows of the visit table, one for each scan."""
    for at, (day, (total, new)) in enumerate(zip(patient.days, patient.bone, strict=True)):
        bone = {
            "bone_lesions": "" if total is None else str(total),
            "new_bone_lesions": "" if new is None else str(new),
        }
        searched = "none" if patient.searched[at] else "not_evaluable"
        yield {**at_scan(number, at, day), **bone, "new_lesions": searched}


@pytest.mark.parametrize("days", [42, 28])
def test_pcwg3_and_its_plain_reading_agree(days: int) -> None:
    random = Random(days)
    patients = [prostate.random_patient(random) for _ in range(PATIENTS)]
    rows = [row for number, patient in enumerate(patients) for row in prostate_rows(number, patient)]
    visits = [row for number, patient in enumerate(patients) for row in prostate_visits(number, patient)]
    found = assess(rows, visits, "pcwg3", f"[pcwg3]\npcwg3_confirm_days = {days}", subjects=starts(PATIENTS))
    ours = answers_of(found, "pcwg3", ("soft_tissue", "bone", "overall"))
    told = [list(prostate.Reader(patient, days).read()) for patient in patients]
    theirs = [[answers[:3] for answers in one] for one in told]
    differ = [number for number in range(PATIENTS) if ours[number] != theirs[number]]
    assert not differ, f"{len(differ)} differ: {patients[differ[0]]}, {ours[differ[0]]}, {theirs[differ[0]]}"
    timeline, dates = found.timeline, found.results["pcwg3"].progression_date
    for number, patient in enumerate(patients):
        if any(one.word == "equivocal" for lesion in patient.new for one in lesion):
            continue  # an equivocal lesion that proves true dates the progression back (RECIST 1.1, section 4.3.5)
        first = timeline.visits.first_scan[timeline.cells(number)]
        expected = [NO_DATE if shown is None else first[shown] for *_, shown in told[number]]
        assert dates[timeline.cells(number)][1:].tolist() == expected, patient
