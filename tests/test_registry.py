"""Criteria of other packages: found by their name, never two of one name, and a broken one stops nothing."""

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import response
from response import registry
from response.criteria.recist import RECIST_1_1
from response.errors import CriterionError, ProtocolError
from tests.trials import assessed, from_rows, target

Bring = Callable[..., None]


class _Entry(EntryPoint):
    """An entry point whose object, or error, stands in the test."""

    found: object

    def load(self) -> object:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def bring(monkeypatch: pytest.MonkeyPatch) -> Bring:
    """Return a function that brings criteria by entry points: name, what is loaded, and where it stands."""

    def make(*brought: tuple[str, object, str]) -> None:
        entries = []
        for name, found, value in brought:
            entry = _Entry(name, value, registry.GROUP)
            vars(entry)["found"] = found
            entries.append(entry)
        monkeypatch.setattr(registry, "entry_points", lambda group: entries)

    return make


OURS = replace(RECIST_1_1, name="ours", title="Ours", offered=False)
BROKEN = [
    (ImportError("no module named lost"), "ImportError: no module named lost"),
    (SyntaxError("invalid syntax"), "SyntaxError"),
    ("a text", "is no response.criteria Criterion"),
    (replace(RECIST_1_1, name="another"), "has the name 'another' itself"),
]


def test_a_criterion_of_another_package_is_found(bring: Bring) -> None:
    bring(("ours", OURS, "our_package:OURS"))
    assert registry.criterion_names()[-1] == "ours"
    found = assessed("T1 liver 100|50", "ours")
    assert list(found.results) == ["recist-1.1", "ours"]
    assert found.timepoints["overall"].tolist()[2:] == ["PR", "PR"]


def test_two_criteria_of_one_name_are_an_error(bring: Bring) -> None:
    bring(("ours", OURS, "our_package:OURS"), ("ours", OURS, "their_package:OURS"))
    with pytest.raises(CriterionError, match="two criteria are named 'ours': our_package:OURS and their_package:OURS"):
        registry.criterion_names()


def test_no_package_takes_the_name_of_a_built_in_criterion(bring: Bring) -> None:
    bring(("choi", OURS, "our_package:OURS"))
    with pytest.raises(CriterionError, match="two criteria are named 'choi'"):
        assessed("T1 liver 100|50")


def test_the_same_entry_twice_is_one(bring: Bring) -> None:
    bring(("ours", OURS, "our_package:OURS"), ("ours", OURS, "our_package:OURS"))
    assert registry.criterion_names().count("ours") == 1


@pytest.mark.parametrize(("found", "why"), BROKEN, ids=[str(line[1]) for line in BROKEN])
def test_a_broken_criterion_is_named_and_passed_over(found: object, why: str, bring: Bring) -> None:
    bring(("lost", found, "lost_package:CRITERION"))
    assert "lost" not in registry.criterion_names()
    (finding,) = registry.broken_criteria()
    assert (finding.id, finding.column) == ("broken_criterion", "lost")
    assert why in finding.sentence
    assert "lost_package:CRITERION" in finding.sentence


@pytest.mark.parametrize(("found", "why"), BROKEN, ids=[str(line[1]) for line in BROKEN])
def test_a_broken_criterion_that_is_asked_for_is_an_error(found: object, why: str, bring: Bring) -> None:
    bring(("lost", found, "lost_package:CRITERION"))
    with pytest.raises(CriterionError, match="criterion 'lost'"):
        assessed("T1 liver 100|50", "lost")


def test_a_broken_criterion_stops_no_trial(bring: Bring, tmp_path: Path) -> None:
    bring(("lost", ImportError("no module named lost"), "lost_package:CRITERION"), ("ours", OURS, "our_package:OURS"))
    found = assessed("T1 liver 100|50", "ours", options="[ours]\nconfirm_days = 42")
    assert found.timepoints["overall"].tolist()[2:] == ["PR", "PR"]
    assert found.findings["id"].tolist() == ["broken_criterion"]
    table = found.timepoints[["subject", "timepoint", "date", "criterion", "overall"]]
    assert len(response.best_response(table)) == 2


def test_what_is_offered_has_its_column_filled() -> None:
    # 78 mm of 100 mm would be PR by Choi and by MRI-Choi, by size alone
    found = {
        "attenuation_hu": "choi",
        "relative_enhancement_percent": "mri-choi",
        "morphology": "chun",
        "zone_enhancement": "ablation",
    }
    cells = {"attenuation_hu": "80", "relative_enhancement_percent": "0", "morphology": "1", "zone_enhancement": "none"}
    for column, criterion in found.items():
        rows = [target("S1", at, length, **{column: ""}) for at, length in ((0, "100"), (1, "78"))]
        assert list(from_rows(rows).results) == ["recist-1.1"]
        filled = [rows[0] | {column: cells[column]}, rows[1]]
        assert list(from_rows(filled).results) == ["recist-1.1", criterion]


def test_a_criterion_of_another_package_needs_no_other_change(bring: Bring) -> None:
    bring(("ours", OURS, "our_package:OURS"))
    found = assessed("T1 liver 100|50|80 // T1 liver 100|NE", "ours")
    assert set(found.subjects["criterion"]) == {"recist-1.1", "ours"}
    assert "Ours: PR" in found.explain("S1", "1")
    assert "ours.target.pr" in set(found.timepoints["rule"])


def test_a_study_bases_a_criterion_of_its_own_on_one_of_another_package(bring: Bring) -> None:
    bring(("ours", OURS, "our_package:OURS"), ("lost", ImportError("no module named lost"), "lost_package:CRITERION"))
    study = '[criterion.study-x]\nbased_on = "{}"\nsource = "8.2"\npd_percent = 25'
    found = assessed("T1 liver 100|122", "ours", "study-x", options=study.format("ours"))
    assert found.timepoints["overall"].tolist()[3:] == ["PD", "PD", "SD"]
    with pytest.raises(ProtocolError, match=r'based_on = "lost"; criterion .lost. cannot be loaded'):
        assessed("T1 liver 100|122", "study-x", options=study.format("lost"))
    with pytest.raises(ProtocolError, match="the name 'ours' is that of the criterion ours"):
        assessed("T1 liver 100|122", "ours", options=study.format("who").replace("study-x", "ours"))
