"""Lymphoma and tumours of the brain: which lesions take part, what is named as the cause, and dates."""

from itertools import product

import numpy as np
import pytest

from response.criteria.burden import Burden, facts_at
from response.criteria.rano_state import only_lesions
from response.report.one_series import states_of
from response.report.thresholds import thresholds
from response.vocabulary import State
from tests.acceptance import iso_day
from tests.test_acceptance import assessed
from tests.trials import assessed as trial
from tests.trials import from_rows, target


def test_how_far_a_timepoint_is_from_the_thresholds() -> None:
    found = thresholds(states_of(assessed("rano-bm", "BM08"))["rano-bm"], 2)
    assert found == ["PR at 28 mm or less", "PD at 24 mm or more (from 20 mm), with a target grown by 5 mm"]


SHOWN_LATER = [
    ("growth", "T1 liver 30x20|50x40[date=d60] ; T2 lung 30x20|30x20", 60),
    ("a target that is back", "T1 liver 12x10|0|12x10[date=d115] ; T2 lung 50x40|50x40|50x40", 115),
    ("a lesion that is back", "T1 lung 50x40|50x40|50x40 ; NT1 liver present|absent|present[date=d115]", 115),
]


@pytest.mark.parametrize(("what", "lesions", "day"), SHOWN_LATER, ids=[line[0] for line in SHOWN_LATER])
def test_a_progression_is_dated_to_the_scan_of_the_lesion_that_shows_it(what: str, lesions: str, day: int) -> None:
    frame = trial(lesions, "lugano").subjects
    (found,) = frame[frame["criterion"] == "lugano"]["progression_date"]
    assert str(found)[:10] == iso_day(day), what


DRIVEN = [
    ("rano-bm", "T1 brain 20|30 ; T2 liver 20|60 ; NT1 bone present|pd", "T1"),
    ("rano-bm", "T1 brain 20|20 ; NL1 liver -|30 ; NL2 cerebellum -|8", "NL2"),
    ("irrc", "T1 liver 20x20|40x40 ; T2 lung 20x20|10x10", "T1"),  # it asks nothing of the targets apart
    ("eortc-pet", "T1 liver 30[suv=8]|60[suv=8] ; NL1 lung -|12[suv=6]", "NL1"),
    ("recist-1.1", "T1 liver 30|NE ; NT1 lung present|NE", "T1"),  # NE for the target
    ("rano-2.0", "T1 brain [tissue=enhancing] 20x20|40x20 ; T2 brain [tissue=non_enhancing] 20x20|60x60", "T1"),
]


@pytest.mark.parametrize(("criterion", "lesions", "cause"), DRIVEN)
def test_no_lesion_that_takes_no_part_is_named_as_the_cause(criterion: str, lesions: str, cause: str) -> None:
    frame = trial(lesions, criterion).timepoints
    assert frame[frame["criterion"] == criterion]["drivers"].iloc[-1] == cause


def test_no_lesion_that_takes_no_part_is_named_as_missing_or_new() -> None:
    frame = trial("T1 brain 20|NE ; T2 liver 20|NE ; NL1 liver -|30 ; NL2 cerebellum -|8", "rano-bm").timepoints
    last = frame.groupby("criterion").last()
    assert last["missing_lesions"].to_dict() == {"recist-1.1": "T1;T2", "rano-bm": "T1"}
    assert last["new_lesion_ids"].to_dict() == {"recist-1.1": "NL1;NL2", "rano-bm": "NL2"}


LENGTHS = {"S1": ("30", "20"), "S2": ("40", "40"), "S3": ("25", "60")}


@pytest.mark.parametrize("kept", list(product((False, True), repeat=5)))
def test_series_of_which_some_lesions_are_left_out_are_counted_again(kept: tuple[bool, ...]) -> None:
    rows = [target(name, at, length) for name, lengths in LENGTHS.items() for at, length in enumerate(lengths)]
    rows += [target(name, at, "15", lesion="T2") for name in ("S1", "S3") for at in range(2)]
    block = from_rows(rows).timeline.block(0, 3)
    burden, chosen = Burden.of(block), np.asarray(kept)
    state = burden.state.copy()
    state[-1, -1] = State.EQUIVOCAL
    for states in (burden.state, state):
        found = only_lesions(burden, chosen, states)
        value = burden.value_um * chosen[:, None]
        facts = np.where(chosen[:, None], facts_at(burden.classes, states), 0)
        assert np.array_equal(found.sum_um, block.reduce(np.add, value, dtype=np.int64))
        assert np.array_equal(found.facts, block.reduce(np.bitwise_or, facts))
        assert np.array_equal(found.value_um, value)


SMALLEST = [
    ("T1 liver 10x10|10x10", True),
    ("T1 liver 10.1x10|10.1x10", False),
    ("T1 node [longest_mm=15] 10|10", True),  # of a node the course tells the short axis
    ("T1 node [longest_mm=15.1] 10|10", False),
]


@pytest.mark.parametrize(("lesions", "flagged"), SMALLEST)
def test_a_target_of_lymphoma_too_small_to_measure_is_noted(lesions: str, flagged: bool) -> None:
    frame = trial(lesions, "lugano").timepoints
    flags = frame[frame["criterion"] == "lugano"]["flags"].iloc[-1].split(";")
    assert ("target_below_measurable_size" in flags) == flagged
