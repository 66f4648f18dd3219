"""Criteria of other packages: found by their name, never two of one name, and a broken one stops nothing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import response
from response import registry
from response.criteria.recist import RECIST_1_1, Recist11
from response.criteria.rules import Question, Rule
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
    ("a text", "it is an object of type str; expected an instance of response.plugins.Criterion"),
    (Recist11, "it is the class Recist11; expected an instance of response.plugins.Criterion"),
    (replace(RECIST_1_1, name="another"), "it has the name 'another' itself; expected that of its entry point"),
]


def test_a_criterion_of_another_package_is_found(bring: Bring) -> None:
    bring(("ours", OURS, "our_package:OURS"))
    assert registry.criterion_names()[-1] == "ours"
    found = assessed("T1 liver 100|50", "ours")
    assert list(found.results) == ["recist-1.1", "ours"]
    assert found.timepoints["overall"].tolist()[2:] == ["PR", "PR"]


def test_two_criteria_of_one_name_are_an_error(bring: Bring) -> None:
    bring(("ours", OURS, "our_package:OURS"), ("ours", OURS, "their_package:OURS"))
    with pytest.raises(CriterionError) as found:
        registry.criterion_names()
    assert str(found.value) == (
        "two criteria are named 'ours': our_package:OURS and their_package:OURS; uninstall our_package or "
        "their_package, or give the criterion of one of them another name"
    )


def test_no_package_takes_the_name_of_a_built_in_criterion(bring: Bring) -> None:
    bring(("choi", OURS, "our_package:OURS"))
    with pytest.raises(CriterionError, match=r"two criteria are named 'choi'.*; uninstall our_package, or give"):
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
    told = "The criterion 'lost' (lost_package:CRITERION) cannot be used and was passed over: "
    assert finding.sentence.startswith(told)
    assert why in finding.sentence
    assert finding.sentence.count("lost_package") == finding.sentence.count("'lost'") == 1


@pytest.mark.parametrize(("found", "why"), BROKEN, ids=[str(line[1]) for line in BROKEN])
def test_a_broken_criterion_that_is_asked_for_is_an_error(found: object, why: str, bring: Bring) -> None:
    bring(("lost", found, "lost_package:CRITERION"))
    with pytest.raises(CriterionError) as error:
        assessed("T1 liver 100|50", "lost")
    assert str(error.value).startswith("criterion 'lost' (lost_package:CRITERION) cannot be used: ")
    assert why in str(error.value)


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
    brought = [registry.brought_by(result.criterion) for result in found.results.values()]
    assert brought == [None, *[registry.Brought("", "", "our_package:OURS")] * 2]
    with pytest.raises(ProtocolError, match=r'based_on = "lost"; criterion .lost. \(lost_.*\) cannot be used'):
        assessed("T1 liver 100|122", "study-x", options=study.format("lost"))
    with pytest.raises(ProtocolError, match="the name 'ours' is that of the criterion ours"):
        assessed("T1 liver 100|122", "ours", options=study.format("who").replace("study-x", "ours"))
    changes: Any = {"test": None}
    bring(("ours", replace(OURS, **changes), "our_package:OURS"))
    with pytest.raises(ProtocolError, match=r'"ours", which offers no thresholds .* \(no `test` is set, or .*\);'):
        assessed("T1 liver 100|122", "study-x", options=study.format("ours"))


# --- what is wrong with what a criterion gives is told, not scored


@dataclass(frozen=True)
class Giving(Recist11):
    """Gives other numbers than RECIST 1.1, or none of them."""

    name: str = "ours"
    title: str = "Ours"
    change: Callable[[dict[str, Any]], Any] = dict

    def values(self, state: Any) -> Any:
        return self.change(dict(super().values(state)))


def without(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: values for key, values in found.items() if key != name}


WRONG_NUMBERS: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("one is missing", lambda found: without(found, "sum_mm"), "values() gives no 'sum_mm', which `numbers` declares"),
    ("one is unknown", lambda found: {**found, "ours_more": found["sum_mm"]},
     "values() gives 'ours_more', which `numbers` does not declare"),
    ("by series", lambda found: {**found, "sum_mm": found["sum_mm"][:, :1]},
     "values() gives int64 of shape (2, 1) for 'sum_mm'; expected an array [series, timepoint] (2, 3)"),
    ("by timepoint", lambda found: {**found, "sum_mm": found["sum_mm"][0]},
     "values() gives int64 of shape (3,) for 'sum_mm'; expected an array [series, timepoint] (2, 3)"),
    ("a number", lambda found: {**found, "sum_mm": 3},
     "values() gives an object of type int for 'sum_mm'; expected an array [series, timepoint] (2, 3)"),
    ("floats", lambda found: {**found, "sum_mm": found["sum_mm"] * 1.5},
     "values() gives float64 for 'sum_mm'; expected whole thousandths of its unit, as int64"),
    ("nothing", lambda _: None, "values() gives an object of type NoneType; expected a dict of arrays by name"),
]  # fmt: skip
TWO_SUBJECTS = "T1 liver 100|50|80 // T1 liver 100|90|95"


@pytest.mark.parametrize(
    ("change", "told"), [line[1:] for line in WRONG_NUMBERS], ids=[line[0] for line in WRONG_NUMBERS]
)
def test_wrong_numbers_are_an_error(change: Callable[[dict[str, Any]], Any], told: str, bring: Bring) -> None:
    bring(("ours", Giving(change=change), "our_package:OURS"))
    with pytest.raises(CriterionError) as found:
        assessed(TWO_SUBJECTS, "ours")
    assert str(found.value).startswith(f"criterion 'ours' (package our_package): {told}")


def test_all_wrong_numbers_are_told_at_once(bring: Bring) -> None:
    bring(("ours", Giving(change=lambda found: {"sum_mm": found["sum_mm"] * 1.5}), "our_package:OURS"))
    with pytest.raises(CriterionError, match=r"gives no 'baseline_mm'.*; it gives no 'nadir_mm'.*; it gives float64"):
        assessed(TWO_SUBJECTS, "ours")


WRONG_FLAGS: list[tuple[str, Callable[[Any], Any], str]] = [
    ("by series", lambda state: np.ones((state.shape[0], 1), np.bool_), "gives bool of shape (2, 1)"),
    ("by timepoint", lambda state: np.ones(state.shape[1], np.bool_), "gives bool of shape (3,)"),
    ("whole numbers", lambda state: np.ones(state.shape, np.int64), "gives int64 of shape (2, 3)"),
    ("bytes", lambda state: np.ones(state.shape, np.int8), "gives int8 of shape (2, 3)"),
    ("one truth", lambda _: True, "gives an object of type bool"),
]


@pytest.mark.parametrize(("holds", "told"), [line[1:] for line in WRONG_FLAGS], ids=[line[0] for line in WRONG_FLAGS])
@pytest.mark.parametrize("place", ["question", "flag"])
def test_a_rule_of_another_shape_is_an_error(place: str, holds: Callable[[Any], Any], told: str, bring: Bring) -> None:
    rule: Rule[Any] = Rule("odd", "PR", holds, "table 1", "an odd rule")
    first, *others = OURS.questions
    asked = replace(OURS, questions=(Question(first.name, (rule, *first.rules)), *others))
    flagged = replace(OURS, flags=(*OURS.flags, rule))
    bring(("ours", asked if place == "question" else flagged, "our_package:OURS"))
    with pytest.raises(CriterionError) as found:
        assessed(TWO_SUBJECTS, "ours")
    name = "target.odd" if place == "question" else "flag.odd"
    expected = "expected an array of bool, [series, timepoint] (2, 3)"
    assert str(found.value) == f"criterion 'ours' (package our_package): the rule {name} {told}; {expected}"


@dataclass(frozen=True)
class Stateless(Recist11):
    """Makes no state."""

    name: str = "ours"

    def state(self, block: Any, options: Any, beside: Any) -> Any:
        return None


def test_a_criterion_without_a_state_is_an_error(bring: Bring) -> None:
    bring(("ours", Stateless(), "our_package:OURS"))
    with pytest.raises(CriterionError, match=r"state\(\) gives an object of type NoneType; expected a State"):
        assessed(TWO_SUBJECTS, "ours")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("nowhere", "has no number nowhere, nowhere_mm, nowhere_mm2, nowhere_mm3, "),
        ("sum_over_nowhere", "has no number nowhere, nowhere_mm, "),
    ],
)
def test_a_sentence_that_tells_no_number_is_named_with_its_rule(told: str, why: str, bring: Bring) -> None:
    first, *others = OURS.questions
    rules = [replace(rule, sentence=f"{{{told}}} mm") if rule.name == "sd" else rule for rule in first.rules]
    bring(("ours", replace(OURS, questions=(Question(first.name, tuple(rules)), *others)), "our_package:OURS"))
    found = assessed("T1 liver 100|95", "ours")
    with pytest.raises(CriterionError) as error:
        assert len(found.timepoints)
    start = f"the sentence of the rule ours.target.sd: {{{told}}} cannot be told: criterion 'ours' {why}"
    assert str(error.value).startswith(start)


def test_a_criterion_may_give_no_number_at_all(bring: Bring) -> None:
    questions = tuple(
        Question(
            one.name,
            tuple(replace(rule, sentence=re.sub(r"{\w+_?\w*}", "so much", rule.sentence)) for rule in one.rules),
        )
        for one in OURS.questions
    )
    bring(("ours", Giving(numbers=(), questions=questions, change=lambda _: {}), "our_package:OURS"))
    found = assessed("T1 liver 100|50|80", "ours")
    assert found.timepoints.query("criterion == 'ours'")["overall"].tolist() == ["", "PR", "PD"]
    assert len(found.subjects) == 2
    assert "Ours: PD" in found.explain("S1", "2")


def test_a_criterion_without_an_overall_question_cannot_be_used(bring: Bring) -> None:
    bring(("ours", replace(OURS, questions=OURS.questions[:-1]), "our_package:OURS"))
    (finding,) = registry.broken_criteria()
    assert finding.found == "its last question is 'new_lesion'; expected 'overall'"
