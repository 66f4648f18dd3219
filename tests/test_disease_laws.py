"""Laws that the criteria for one disease or for FDG-PET keep, on made-up patients."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import response
from response.arrange import arrange
from response.criteria.ipercist import IPERCIST, IpercistOptions
from response.criteria.percist import PERCIST, PercistOptions
from response.protocol import Protocol
from tests import metabolic_oracle as metabolic
from tests import prostate_oracle as prostate
from tests import renal_oracle as renal
from tests.acceptance import Row
from tests.test_disease_oracles import (
    at_scan,
    metabolic_rows,
    metabolic_visits,
    prostate_rows,
    prostate_visits,
    renal_rows,
    starts,
)
from tests.test_laws import same
from tests.test_lymphoma_and_glioma_oracles import answers_of, assess
from tests.trials import from_rows, target

CRITERIA = ("percist", "ipercist", "eortc-pet", "sact", "mass", "pcwg3")
BEST_FIRST = {
    "percist": ("CMR", "PMR", "SMD", "NE", "PMD"),
    "eortc-pet": ("CMR", "PMR", "SMD", "NE", "PMD"),
    "sact": ("favourable", "indeterminate", "NE", "unfavourable"),
    "mass": ("favourable", "indeterminate", "NE", "unfavourable"),
}
PATIENTS = 40
Tables = tuple[list[Row], list[Row]]
every_criterion = pytest.mark.parametrize("criterion", CRITERIA)
some_trials = settings(max_examples=4, deadline=None)
seeds = st.integers(0, 10**9)


def patients_of(criterion: str, seed: int) -> list[Any]:
    """Return made-up patients."""
    random = Random(seed)
    made: Callable[[Random], Any] = metabolic.random_patient
    if criterion in ("sact", "mass"):
        made = renal.random_patient
    if criterion == "pcwg3":
        made = prostate.random_patient
    return [made(random) for _ in range(PATIENTS)]


def tables_of(criterion: str, patients: list[Any]) -> Tables:
    """Return the rows of the measurement table and of the visit table."""
    each = [_tables_of(criterion, number, patient) for number, patient in enumerate(patients)]
    return [row for rows, _ in each for row in rows], [row for _, visits in each for row in visits]


def _tables_of(criterion: str, number: int, patient: Any) -> Tables:
    if criterion in ("sact", "mass"):
        visits = [at_scan(number, at, 56 * at) for at in range(patient.scans)]
        return list(renal_rows(number, patient)), visits
    if criterion == "pcwg3":
        return list(prostate_rows(number, patient)), list(prostate_visits(number, patient))
    column = "suv" if criterion == "eortc-pet" else "sul_peak"
    return list(metabolic_rows(number, patient, column)), list(metabolic_visits(number, patient))


def timepoints(criterion: str, tables: Tables) -> pd.DataFrame:
    """Return the rows of the table of timepoints."""
    found = assess(*tables, criterion, subjects=starts(PATIENTS)).timepoints
    return found[found["criterion"] == criterion].reset_index(drop=True)


def last_of(tables: Tables) -> dict[str, str]:
    """Return the last timepoint of each patient."""
    return {row["subject"]: row["timepoint"] for row in sorted(tables[1], key=lambda row: int(row["timepoint"]))}


def on_last_scan(frame: pd.DataFrame, last: dict[str, str]) -> list[str]:
    """Return the response on the last scan of each patient."""
    places = zip(frame["subject"], frame["timepoint"].astype(str), strict=True)
    told = dict(zip(places, frame["overall"], strict=True))
    return [told[place] for place in last.items()]


@every_criterion
@some_trials
@given(seed=seeds, random=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(criterion: str, seed: int, random: Random) -> None:
    rows, visits = tables_of(criterion, patients_of(criterion, seed))
    mixed = random.sample(rows, len(rows)), random.sample(visits, len(visits))
    same(timepoints(criterion, (rows, visits)), timepoints(criterion, mixed))


@every_criterion
@some_trials
@given(seed=seeds)
def test_cm_and_mm_files_agree(criterion: str, seed: int) -> None:
    def in_unit(row: Row, unit: str) -> Row:
        length = round(Decimal(row.get("longest_mm") or "0"), 2)  # cm are read to a hundredth of a millimetre
        told = str(length / 10 if unit == "cm" else length) if row.get("longest_mm") else ""
        return {**row, "longest_mm": told, "unit": unit}

    rows, visits = tables_of(criterion, patients_of(criterion, seed))
    one, other = (timepoints(criterion, ([in_unit(row, unit) for row in rows], visits)) for unit in ("mm", "cm"))
    same(one, other)


@every_criterion
@some_trials
@given(seed=seeds)
def test_a_later_scan_never_changes_an_earlier_result(criterion: str, seed: int) -> None:
    rows, visits = tables_of(criterion, patients_of(criterion, seed))
    last = last_of((rows, visits))
    short = [[row for row in table if row["timepoint"] != last[row["subject"]]] for table in (rows, visits)]
    whole, part = timepoints(criterion, (rows, visits)), timepoints(criterion, (short[0], short[1]))
    earlier = whole["timepoint"].astype(str) != whole["subject"].map(last)
    columns = ["subject", "timepoint", "target", "non_target", "new_lesion", "overall", "rule", "flags", "reason"]
    same(whole[earlier][columns], part[columns])


@every_criterion
@some_trials
@given(seed=seeds)
def test_the_data_of_other_patients_change_nothing(criterion: str, seed: int) -> None:
    patients = patients_of(criterion, seed)
    few, all_ = (timepoints(criterion, tables_of(criterion, some)) for some in (patients[: PATIENTS // 2], patients))
    told = few["subject"].isin({row["subject"] for row in tables_of(criterion, patients[: PATIENTS // 2])[1]})
    same(few[told], all_[all_["subject"].isin(few[told]["subject"])])


@pytest.mark.parametrize("criterion", list(BEST_FIRST))
@some_trials
@given(seed=seeds)
def test_a_new_lesion_is_progression(criterion: str, seed: int) -> None:
    rows, visits = tables_of(criterion, patients_of(criterion, seed))
    last = last_of((rows, visits))
    sizes = {"sul_peak": "4", "suv": "4", "longest_mm": "20"}
    new = [
        {**{name: row[name] for name in ("subject", "timepoint", "date")}, "lesion": "NL9", "role": "new", **sizes}
        for row in visits
        if row["timepoint"] == last[row["subject"]]
    ]
    told = on_last_scan(timepoints(criterion, ([*rows, *new], visits)), last)
    assert set(told) == {BEST_FIRST[criterion][-1]}


def hotter(patient: metabolic.Patient) -> metabolic.Patient:
    """Return a patient whose targets take up more on the last scan; what is gone stays gone."""
    warmed = [
        [*lesion[:-1], replace(lesion[-1], uptake=lesion[-1].uptake + 1 if lesion[-1].uptake else lesion[-1].uptake)]
        for lesion in patient.targets
    ]
    return replace(patient, targets=warmed)


def taller(patient: renal.Patient) -> renal.Patient:
    """Return a patient whose targets are larger on the last scan."""
    grown = []
    for lesion in patient.targets:
        last = lesion.found[-1]
        length = last.length + Fraction(7) if last.length else last.length
        grown.append(replace(lesion, found=[*lesion.found[:-1], replace(last, length=length)]))
    return replace(patient, targets=grown)


WORSE: dict[str, Callable[[Any], Any]] = {"percist": hotter, "eortc-pet": hotter, "sact": taller, "mass": taller}


@pytest.mark.parametrize("criterion", list(WORSE))
@some_trials
@given(seed=seeds)
def test_growth_never_improves_the_response(criterion: str, seed: int) -> None:
    patients = patients_of(criterion, seed)
    tables, grown = (tables_of(criterion, some) for some in (patients, [WORSE[criterion](one) for one in patients]))
    before, after = (on_last_scan(timepoints(criterion, found), last_of(tables)) for found in (tables, grown))
    order = BEST_FIRST[criterion].index
    assert [pair for pair in zip(before, after, strict=True) if order(pair[1]) < order(pair[0])] == []


@some_trials
@given(seed=seeds)
def test_ipercist_is_percist_but_for_the_confirmation(seed: int) -> None:
    tables = tables_of("percist", patients_of("percist", seed))
    plain, confirmed = (timepoints(name, tables)["overall"].tolist() for name in ("percist", "ipercist"))
    assert [{"UPMD": "PMD", "CPMD": "PMD"}.get(word, word) for word in confirmed] == plain


@pytest.mark.parametrize("options", ["", '[percist]\npercist_pd_reference = "nadir"\n'])
@some_trials
@given(seed=seeds)
def test_ipercist_is_the_same_with_percist_beside_it_whatever_the_options_of_that(options: str, seed: int) -> None:
    alone = assess(*tables_of("percist", patients_of("percist", seed)), "ipercist", subjects=starts(PATIENTS))
    beside = response.assess(alone.timeline.measurements, ["percist", "ipercist"], Protocol.from_toml(options))
    one, other = (found.timepoints.query("criterion == 'ipercist'").reset_index(drop=True) for found in (alone, beside))
    own = one.columns.drop("disagreement")  # which tells of the criteria beside
    same(one[own], other[own])


def test_ipercist_asks_percist_beside_it_only_where_that_has_the_same_options() -> None:
    measured = from_rows([target("A", place, "30", sul_peak="5") for place in (0, 1)]).timeline.measurements
    (block,) = arrange(measured).blocks()
    for reference, shared in (("baseline", True), ("nadir", False)):
        percist = PERCIST.state(block, PercistOptions(percist_pd_reference=reference), {})
        found = IPERCIST.state(block, IpercistOptions(), {"percist": percist})
        assert (found.percist is percist) == shared


@some_trials
@given(seed=seeds)
def test_progression_of_bone_stays(seed: int) -> None:
    found = assess(*tables_of("pcwg3", patients_of("pcwg3", seed)), "pcwg3", subjects=starts(PATIENTS))
    for (said,) in (zip(*told, strict=True) for told in answers_of(found, "pcwg3", ("bone",))):
        known = [word for word in said if word != "NE"]
        assert "PD" not in known or set(known[known.index("PD") :]) == {"PD"}
