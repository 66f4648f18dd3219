"""A criterion and a reader of another package: `examples/third_party`, built and installed as it stands.

Nothing of ours knows it; it is found, scores, is listed, explained and saved as our own are. Faults planted in it are
seen by the suite that it runs.
"""

import csv
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import response
from response import plugins
from response.criteria.criterion import Criterion
from response.criteria.rules import Question, Rule
from response.protocol import option
from response.testing import CHECKS, Bench

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "examples" / "third_party"
OURS = Path(response.__file__).resolve().parent

# 35 % of the baseline and 173 % of the smallest sum, by hand; 0.35 * 0.3 and 1.73 * 0.1 miss them as binary floats.
VOLUMES = {
    # subject: volumes, responses, sums
    "CR": (["20000", "absent"], ["CR"], ["20000", "0"]),
    "PR-exact": (["20000", "7000"], ["PR"], ["20000", "7000"]),
    "PR-float": (["0.3", "0.105"], ["PR"], ["0.3", "0.105"]),
    "SD-65": (["20000", "7000.001"], ["SD"], ["20000", "7000.001"]),
    "PD-exact": (["10000", "8000", "13840"], ["SD", "PD"], ["10000", "8000", "13840"]),
    "PD-float": (["0.1", "0.1", "0.173"], ["SD", "PD"], ["0.1", "0.1", "0.173"]),
    "SD-73": (["10000", "8000", "13839.999"], ["SD", "SD"], ["10000", "8000", "13839.999"]),
    "NE": (["20000", ""], ["NE"], ["20000", ""]),
    "NE-then-PR": (["20000", "", "7000"], ["NE", "PR"], ["20000", "", "7000"]),
}
BEST = {"CR": "CR", "PR-exact": "PR", "PR-float": "PR", "SD-65": "SD", "PD-exact": "SD", "PD-float": "SD",
        "SD-73": "SD", "NE": "NE", "NE-then-PR": "PR"}  # fmt: skip
DATES = ("2024-01-08", "2024-03-04", "2024-05-06")
# of patient-7.lesiondesk, by hand: 40 ml, 14 ml (-65 %), 24.22 ml (+73 %); 65, 46.5 (-28.5 %) and 51 mm (+9.7 %)
EXPORT = [("0", "", ""), ("1", "SD", "PR"), ("2", "SD", "PD")]


@dataclass(frozen=True)
class Done:
    """What a command printed, and its status."""

    status: int
    out: str
    err: str


def run(*command: str, cwd: Path, packages: tuple[Path, ...] = ()) -> Done:
    """Run Python with our package and some folders of installed ones, and nothing else of ours, on the path."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST_"))}
    path = os.pathsep.join(map(str, (*packages, OURS.parent)))
    env = inherited | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, env=env, check=False, timeout=600
    )
    return Done(done.returncode, done.stdout, done.stderr)


def succeed(done: Done) -> Done:
    assert done.status == 0, f"status {done.status}\n{done.out}\n{done.err}"
    return done


def install(source: Path, folder: Path) -> Path:
    """Build the wheel of a package and install it into a folder of its own, without the network."""
    offline = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    succeed(run("-m", "pip", "wheel", *offline, "--wheel-dir", str(folder / "dist"), str(source), cwd=folder))
    (wheel,) = (folder / "dist").glob("*.whl")
    succeed(run("-m", "pip", "install", *offline, "--target", str(folder / "site"), str(wheel), cwd=folder))
    return folder / "site"


def package(folder: Path, name: str, entry_points: str, source: str) -> Path:
    """Make a package with one module, and install it."""
    tree = folder / name
    tree.mkdir(parents=True)
    (tree / f"{name}.py").write_text(source, encoding="utf-8")
    (tree / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        f'[project]\nname = "{name.replace("_", "-")}"\nversion = "1"\n{entry_points}\n'
        f'[tool.setuptools]\npy-modules = ["{name}"]\n',
        encoding="utf-8",
    )
    return install(tree, folder)


def fingerprint() -> Mapping[str, str]:
    """Return what stands in each file of our package."""
    files = [file for file in OURS.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    return {str(file.relative_to(OURS)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the sample, built from a copy: its folder stays as it is."""
    folder = tmp_path_factory.mktemp("third-party")
    tree = shutil.copytree(SAMPLE, folder / "tree", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    return install(tree, folder)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table with one target of each subject, of 30 mm at every timepoint."""
    file = tmp_path_factory.mktemp("data") / "volumes.csv"
    lines = ["subject,timepoint,date,lesion,role,organ,longest_mm,volume_mm3,state"]
    for subject, (volumes, _, _) in VOLUMES.items():
        for place, volume in enumerate(volumes):
            cells = ",,absent" if volume == "absent" else f"30,{volume},"
            lines.append(f"{subject},{place},{DATES[place]},T1,target,liver,{cells}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def results(installed: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of the table and of an export that only the package can read."""
    folder = tmp_path_factory.mktemp("results")
    protocol = folder / "protocol.toml"
    protocol.write_text("[volumetric]\nconfirm_days = 42\n", encoding="utf-8")
    export = str(SAMPLE / "data" / "patient-7.lesiondesk")
    command = ("-m", "response", "assess", str(table), export, "--criteria", "volumetric", "--protocol", str(protocol))
    succeed(run(*command, "-o", str(folder / "out"), cwd=folder, packages=(installed,)))
    return folder / "out"


# --- installed


@pytest.mark.slow
def test_nothing_of_ours_knows_the_package() -> None:
    ours = [file.read_text(encoding="utf-8").casefold() for file in OURS.rglob("*.py")]
    named = [word for word in ("volumetric_response", "volumetric-response", "lesiondesk") if word in "".join(ours)]
    assert named == []


@pytest.mark.slow
def test_its_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    for name in ("tests", "data"):
        shutil.copytree(SAMPLE / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(SAMPLE / "pyproject.toml", tmp_path)
    done = succeed(run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path, packages=(installed,)))
    assert f"{len(CHECKS)} passed" not in done.out  # more than the suite
    assert " passed" in done.out


@pytest.mark.slow
def test_it_imports_from_where_plug_ins_may() -> None:
    public = ("response", "response.plugins", "response.testing")
    for file in SAMPLE.rglob("*.py"):
        words = [line.split()[1] for line in file.read_text(encoding="utf-8").splitlines() if line[:5] in _IMPORTS]
        assert {word for word in words if word.partition(".")[0] == "response"} <= set(public), file.name


_IMPORTS = ("from ", "impor")


def test_what_plug_ins_import_is_there() -> None:
    assert sorted(plugins.__all__) == sorted(set(plugins.__all__))
    assert [name for name in plugins.__all__ if not hasattr(plugins, name)] == []


@pytest.mark.slow
def test_responses_are_those_by_hand(results: Path) -> None:
    found: dict[str, tuple[list[str], list[str]]] = {name: ([], []) for name in VOLUMES}
    for row in rows_of(results / "timepoints.csv"):
        if row["criterion"] == "volumetric" and row["subject"] in VOLUMES:
            overall, sums = found[row["subject"]]
            sums.append(row["volumetric_sum"])
            if row["timepoint"] != "0":
                overall.append(row["overall"])
    assert found == {name: (overall, sums) for name, (_, overall, sums) in VOLUMES.items()}


@pytest.mark.slow
def test_the_reasons_tell_the_numbers(results: Path) -> None:
    rows = {
        (row["subject"], row["timepoint"]): row
        for row in rows_of(results / "timepoints.csv")
        if row["criterion"] == "volumetric"
    }
    exact = rows["PR-exact", "1"]
    assert exact["rule"] == "volumetric.target.pr"
    assert exact["reason"] == "The sum of volumes 7000 mm3 is 65 % below the baseline 20000 mm3."
    assert exact["flags"] == "near_threshold"
    assert rows["NE", "1"]["reason"] == "1 of 1 target lesions have no volume."
    assert rows["PD-exact", "2"]["reason"].endswith("has grown to 13840 mm3 from the nadir 8000 mm3 (73 %).")


@pytest.mark.slow
def test_it_stands_beside_recist(results: Path) -> None:
    rows = rows_of(results / "criteria.csv")
    export = [(row["timepoint"], row["recist-1.1"], row["volumetric"]) for row in rows if row["subject"] == "P-07"]
    assert export == EXPORT
    (told,) = [row["disagreement"] for row in rows if (row["subject"], row["timepoint"]) == ("P-07", "2")]
    assert told == "SD by RECIST 1.1 at -21.53 % in size, PD by Volumetric at +73 % in volume from 14000 mm3"
    by_recist = {row["subject"]: row["recist-1.1"] for row in rows if row["timepoint"] == "1"}
    assert by_recist == {**dict.fromkeys(VOLUMES, "SD"), "CR": "CR", "P-07": "SD"}  # 30 mm throughout


@pytest.mark.slow
def test_it_has_best_responses(results: Path) -> None:
    rows = [row for row in rows_of(results / "subjects.csv") if row["criterion"] == "volumetric"]
    assert {row["subject"]: row["best_response"] for row in rows} == {**BEST, "P-07": "PR"}


@pytest.mark.slow
def test_its_options_and_its_package_are_in_the_manifest(results: Path) -> None:
    text = (results / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    (options,) = [item for item in found_in(manifest, "options") if "volumetric_pd_percent" in item]
    assert (options["volumetric_pr_percent"], options["volumetric_pd_percent"]) == (65, 73)
    assert options["confirm_days"] == 42
    assert found_in(manifest, "brought_by") == [
        {"package": "volumetric-response", "version": "0.1.0", "entry_point": "volumetric_response.rules:VOLUMETRIC"}
    ]


def found_in(value: Any, key: str) -> list[Any]:
    """Return what stands under a key, anywhere in a manifest."""
    if isinstance(value, list):
        return [found for item in value for found in found_in(item, key)]
    if not isinstance(value, dict):
        return []
    return [
        *([value[key]] if key in value else []),
        *(found for item in value.values() for found in found_in(item, key)),
    ]


@pytest.mark.slow
def test_the_rows_of_its_reader_know_their_lines(results: Path) -> None:
    rows = [row for row in rows_of(results / "lesions.csv") if row["subject"] == "P-07"]
    assert [(row["lesion"], row["line"]) for row in rows if row["timepoint"] == "1"] == [
        ("A", "7"),
        ("B", "8"),
        ("C", "9"),
    ]
    assert {Path(row["file"]).name for row in rows} == {"patient-7.lesiondesk"}


@pytest.mark.slow
def test_the_other_commands_know_it(installed: Path, table: Path, tmp_path: Path) -> None:
    def told(*command: str) -> str:
        return succeed(run("-m", "response", *command, cwd=tmp_path, packages=(installed,))).out

    assert "Schiavon" in next(line for line in told("criteria").splitlines() if line.startswith("volumetric "))
    assert "volumetric.target.pd_proven" in told("criteria", "--rules")
    assert "[volumetric]\n" in told("protocol")
    assert "volumetric_pd_percent = 73  # growth" in told("protocol")
    course = told("explain", str(table), "--subject", "PD-exact", "--criteria", "volumetric")
    assert "Volumetric: PD" in course
    assert "PR at 3500 mm3 or less; PD at 13840 mm3 or more (from 8000 mm3)" in course


@pytest.mark.slow
def test_our_files_stay_as_they_are(tmp_path: Path, table: Path, installed: Path) -> None:
    before = fingerprint()
    command = ("-m", "response", "assess", str(table), "--criteria", "volumetric", "-o", str(tmp_path / "out"))
    succeed(run(*command, cwd=tmp_path, packages=(installed,)))
    assert fingerprint() == before


# --- two of one name, and broken ones


TAKES_THE_NAME = """
from response.criteria.recist import RECIST_1_1
from dataclasses import replace

THEIRS = replace(RECIST_1_1, name="volumetric", title="Theirs")
"""
BROKEN = 'raise ImportError("no module named lost_library")\n'


@pytest.mark.slow
def test_two_packages_of_one_name_are_an_error(installed: Path, table: Path, tmp_path: Path) -> None:
    entry = '[project.entry-points."response.criteria"]\nvolumetric = "other_package:THEIRS"'
    other = package(tmp_path, "other_package", entry, TAKES_THE_NAME)
    for command in (("criteria",), ("assess", str(table), "--criteria", "volumetric", "-o", str(tmp_path / "out"))):
        done = run("-m", "response", *command, cwd=tmp_path, packages=(installed, other))
        assert done.status == 2, done
        assert "two criteria are named 'volumetric'" in done.err
        assert "volumetric-response: volumetric_response.rules:VOLUMETRIC" in done.err
        assert "other-package: other_package:THEIRS" in done.err
        assert "uninstall volumetric-response or other-package" in done.err
        assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_broken_package_is_named_and_passed_over(installed: Path, table: Path, tmp_path: Path) -> None:
    entries = (
        '[project.entry-points."response.criteria"]\nlost = "lost_package:LOST"\n'
        '[project.entry-points."response.readers"]\nlost = "lost_package:READER"'
    )
    packages = (installed, package(tmp_path, "lost_package", entries, BROKEN))
    told = succeed(run("-m", "response", "criteria", cwd=tmp_path, packages=packages))
    assert "The criterion 'lost' (lost-package: lost_package:LOST) cannot be used and was passed over" in told.err
    assert "ImportError: no module named lost_library" in told.err
    assert not any(line.startswith("lost") for line in told.out.splitlines())
    command = ("-m", "response", "assess", str(table), "--criteria", "volumetric", "-o", "out")
    succeed(run(*command, cwd=tmp_path, packages=packages))
    findings = {(row["id"], row["column"]) for row in rows_of(tmp_path / "out" / "findings.csv")}
    assert {("broken_criterion", "lost"), ("broken_reader", "lost")} <= findings
    asked = run(
        "-m", "response", "assess", str(table), "--criteria", "lost", "-o", "other", cwd=tmp_path, packages=packages
    )
    assert asked.status == 2
    assert "criterion 'lost' (lost-package: lost_package:LOST) cannot be used: loading it failed with Imp" in asked.err


FAILS = """
from dataclasses import dataclass, replace
from response.plugins import *
from response.criteria.recist import Recist11

@dataclass(frozen=True)
class Fails(Recist11):
    name: str = "fails"

    def state(self, block, options, beside):
        raise KeyError("what stands in the data")

FAILS = Fails()
"""


@pytest.mark.slow
def test_a_criterion_that_fails_on_the_data_is_named(table: Path, tmp_path: Path) -> None:
    entry = '[project.entry-points."response.criteria"]\nfails = "failing_package:FAILS"'
    packages = (package(tmp_path, "failing_package", entry, FAILS),)
    command = ("-m", "response", "assess", str(table), "--criteria", "fails", "-o", "out")
    done = run(*command, cwd=tmp_path, packages=packages)
    assert done.status == 2
    line = FAILS.splitlines().index('        raise KeyError("what stands in the data")') + 1
    assert f"criterion 'fails' (package failing-package 1) failed with KeyError at failing_package:{line}" in done.err
    assert "'failing_package'" in done.err
    assert "what stands in the data" not in done.err
    assert "Traceback" not in done.err
    assert "Add --debug to see the traceback; read it before you send it" in done.err
    assert not (tmp_path / "out").exists()
    asked = run(*command, "--debug", cwd=tmp_path, packages=packages)
    assert asked.status == 2
    assert "Traceback" in asked.err
    assert "what stands in the data" in asked.err


# --- faults planted in the sample, and what the suite says


@pytest.fixture(scope="module")
def rules() -> Iterator[Any]:
    """Return the module with the rules of the sample, as it stands in its folder."""
    sys.path.insert(0, str(SAMPLE))
    yield importlib.import_module("volumetric_response.rules")
    sys.path.remove(str(SAMPLE))
    for name in [name for name in sys.modules if name.partition(".")[0] == "volumetric_response"]:
        del sys.modules[name]


Plant = Callable[[Any], Criterion]


def with_target_rules(rules: Any, *changed: Rule[Any]) -> Criterion:
    questions = (Question("target", changed), *rules.VOLUMETRIC.questions[1:])
    return replace(rules.VOLUMETRIC, questions=questions)  # type: ignore[no-any-return]


def with_rule(name: str, **changes: Any) -> Plant:
    """Return what changes one rule about the targets."""

    def plant(rules: Any) -> Criterion:
        table = [replace(rule, **changes) if rule.name == name else rule for rule in rules.TARGET_RULES]
        return with_target_rules(rules, *table)

    return plant


def with_state(make: Callable[[Any], type]) -> Plant:
    """Return what puts another state in place of the sample's."""

    def plant(rules: Any) -> Criterion:
        kind = make(rules)

        @dataclass(frozen=True)
        class Planted(rules.Volumetric):  # type: ignore[misc]
            def state(self, block: Any, options: Any, beside: Any) -> Any:
                state = super().state(block, options, beside)
                return kind(state.burden, options, self.questions, state.test)

        return Planted()

    return plant


def with_numbers(change: Callable[[dict[str, Any], Any], dict[str, Any]]) -> Plant:
    """Return what changes the numbers of a state."""

    def plant(rules: Any) -> Criterion:
        @dataclass(frozen=True)
        class Planted(rules.Volumetric):  # type: ignore[misc]
            def values(self, state: Any) -> Any:
                return change(dict(super().values(state)), state)

        return Planted()

    return plant


DICE = np.random.default_rng(1)  # each throw is another, and the same throws in each run of the tests


def by_chance(state: Any) -> Any:
    return state.partial & (DICE.random(state.shape) < 0.5)


def by_row(state: Any) -> Any:
    return state.partial & (state.block.reduce(np.maximum, state.block.row) % 2 == 0)


def by_last_column(state: Any) -> Any:
    return state.partial & (np.arange(state.shape[1]) < state.shape[1] - 1)


def judged_by_the_last_sum(rules: Any) -> type:
    class Planted(rules.VolumetricState):  # type: ignore[misc]
        @property
        def reference(self) -> Any:
            shifted = np.roll(self.burden.complete_um, 1, axis=1)
            shifted[:, 0] = plugins.NO_SUM
            return shifted

    return Planted


def blank_is_nothing(rules: Any) -> Criterion:
    """A target without a volume adds 0, and nobody notices."""

    @dataclass(frozen=True)
    class Planted(rules.Volumetric):  # type: ignore[misc]
        def state(self, block: Any, options: Any, beside: Any) -> Any:
            test = super().state(block, options, beside).test
            volume = plugins.lesion_number(block, "volume_mm3")
            volume[volume == plugins.NO_NUMBER] = 0
            burden = plugins.targets_measured(plugins.recist_burden(block, options), volume)
            return rules.VolumetricState(burden, options, self.questions, test)

    return Planted()


def meddles(rules: Any) -> Criterion:
    @dataclass(frozen=True)
    class Planted(rules.Volumetric):  # type: ignore[misc]
        def state(self, block: Any, options: Any, beside: Any) -> Any:
            block.timeline.measurements.number("volume_mm3")[:] = 1000
            return super().state(block, options, beside)

    return Planted()


def by_subject(found: dict[str, Any], state: Any) -> dict[str, Any]:
    """Sum over all evaluators of a subject."""
    series = state.block.timeline.series.subject[state.block.low : state.block.high]
    together = np.stack([found["volumetric_sum"][series == one].sum(axis=0) for one in series])
    return {**found, "volumetric_sum": together}


def asks_for_its_column(rules: Any) -> Criterion:
    @dataclass(frozen=True)
    class Planted(rules.Volumetric):  # type: ignore[misc]
        def state(self, block: Any, options: Any, beside: Any) -> Any:
            assert len(block.timeline.measurements.numbers["volume_mm3"])
            return super().state(block, options, beside)

    return Planted()


def unreachable(rules: Any) -> Criterion:
    table = list(rules.TARGET_RULES)
    table.insert(-1, Rule("good_pr", "PR", plugins.shrunk, "table 1", "a good partial response"))
    return with_target_rules(rules, *table)


def without_otherwise(rules: Any) -> Criterion:
    return with_target_rules(rules, *rules.TARGET_RULES[:-1])


def with_options(**fields: Any) -> Plant:
    """Return what gives the sample other options: annotations by name, and what stands in the class."""

    def plant(rules: Any) -> Criterion:
        annotations = {name: type(value.default) for name, value in fields.items() if hasattr(value, "default")}
        space = {**fields, "__annotations__": annotations}
        kind: Any = dataclass(frozen=True, kw_only=True)(type("Planted", (rules.VolumetricOptions,), space))
        return replace(rules.VOLUMETRIC, options=kind)  # type: ignore[no-any-return]

    return plant


def forgets(options: Any) -> None:
    object.__setattr__(options, "volumetric_pd_percent", 73)


def named(**changes: Any) -> Plant:
    return lambda rules: replace(rules.VOLUMETRIC, **changes)


def by_constant_names(found: dict[str, Any], _: Any) -> dict[str, Any]:
    return {f"volumetric_{name.rpartition('_')[-1]}": values for name, values in found.items()}


def under_another_name(rules: Any) -> Criterion:
    return replace(with_numbers(by_constant_names)(rules), name="my-volumes")


def deaf_to_a_study(rules: Any) -> Criterion:
    """Judges by thresholds of its own, whatever a study says."""

    @dataclass(frozen=True)
    class Planted(rules.Volumetric):  # type: ignore[misc]
        def state(self, block: Any, options: Any, beside: Any) -> Any:
            state = super().state(block, options, beside)
            return rules.VolumetricState(state.burden, options, self.questions, rules.VOLUMETRIC_TEST)

    return Planted()


def other_thresholds(rules: Any) -> Criterion:
    """Offers a study other thresholds than it judges by."""
    return replace(rules.VOLUMETRIC, test=rules.volumetric_test(50, 25))  # type: ignore[no-any-return]


def counts_otherwise_for_a_study(rules: Any) -> Criterion:
    @dataclass(frozen=True)
    class Planted(rules.Volumetric):  # type: ignore[misc]
        def values(self, state: Any) -> Any:
            found = dict(super().values(state))
            return {**found, f"{self.prefix}_unmeasured": found[f"{self.prefix}_unmeasured"] + len(self.based_on)}

    return Planted()


FAULTS: list[tuple[str, Plant, str, str]] = [
    ("a rule by chance", with_rule("pr", holds=by_chance), "determinism",
     r"timepoints of the same trial, assessed again: .*'(SD' against 'PR|PR' against 'SD)'.* nothing drawn, no clock"),
    ("a rule by the place of the row", with_rule("pr", holds=by_row), "row_order",
     r"rows in another order: .* Take lesions by what stands in their columns"),
    ("a rule by the length of the longest course", with_rule("pr", holds=by_last_column), "other_subjects",
     r"with and without other subjects: .*`block.exists` is false"),
    ("a sum over all evaluators", with_numbers(by_subject), "other_evaluators",
     r"with and without another evaluator: .* a subject as one evaluator saw it"),
    ("it needs its column", asks_for_its_column, "table_without_optional_columns",
     r"without the optional columns is not scored: KeyError: 'volume_mm3'.*they give blanks"),
    ("judged by the sum before, not the smallest", with_state(judged_by_the_last_sum), "nadir",
     r"state.reference rises from \d+ to \d+ .* smallest complete sum so far"),
    ("the nadir that is told is the last sum",
     with_numbers(lambda found, _: {**found, "volumetric_nadir": found["volumetric_sum"]}), "nadir",
     r"volumetric_nadir rises from \d+ to \d+"),
    ("a nadir of the whole course",
     with_numbers(lambda found, state: {**found, "volumetric_nadir": np.broadcast_to(
         found["volumetric_sum"].min(axis=1, keepdims=True), state.shape)}), "later_timepoints",
     r"volumetric_nadir is .* Look back only"),
    ("a rule that nothing reaches", unreachable, "every_rule_is_reached",
     r"no trial reaches .*target\.good_pr.* add one that does to `trials`.* a rule before it holds"),
    ("NE without a reason", with_rule("missing", sentence=" "), "what_it_is",
     r"rules without clause or sentence: target\.missing"),
    ("NE where all was measured", with_rule("sd", category="NE"), "no_silent_ne",
     r"all was assessed, but the response is NE: .* name the rule in `ne_when_complete`"),
    ("no NE where nothing was", with_rule("missing", category="SD"), "no_silent_ne",
     r"no lesion was evaluable, but the response is no NE: .* Put a rule that says NE before"),
    ("a blank is 0", blank_is_nothing, "missing_measurements",
     r"without volume_mm3 of a target the response is better: .* A blank \(`NO_NUMBER`\) is no 0"),
    ("no rule for what is left", without_otherwise, "last_rules",
     r"target\.pr is taken at \d+ timepoints where it does not hold.*`otherwise`"),
    ("a number that is not told", with_numbers(lambda found, _: {"volumetric_sum": found["volumetric_sum"]}), "numbers",
     r"values\(\) gives no 'volumetric_baseline', which `numbers` declares; it gives no 'volumetric_nadir'"),
    ("a number with a fraction",
     with_numbers(lambda found, _: {**found, "volumetric_sum": found["volumetric_sum"] / 2}), "numbers",
     r"values\(\) gives float64 for 'volumetric_sum'; expected whole thousandths"),
    ("a sentence that tells another number", with_rule("pr", sentence="down to {lowest} mm3"), "numbers",
     r"target\.pr: {lowest} cannot be told: .* has no number .* or volumetric_lowest"),
    ("numbers that no sentence can tell", under_another_name, "numbers",
     r"target\.pd: {sum} cannot be told: .* has no number .* or my_volumes_sum"),
    ("an option that is lost", with_options(__post_init__=forgets), "options_are_saved",
     r"option volumetric_pd_percent = 40 is lost: it became 73"),
    ("an option that no protocol holds", with_options(windows=option((28, 56), "days")), "options_are_saved",
     r"option windows is tuple; a protocol holds true or false, numbers and texts"),
    ("an option without a word", with_options(windows=option(28, "")), "options_are_saved",
     r"option windows does not say what it decides"),
    ("options without those of the best response", named(options=plugins.Options), "options_are_saved",
     r"derive its options from BestResponseOptions, or name its categories in `best_order`"),
    ("an option without a default", with_options(windows=field(metadata={"doc": "days"})), "options_are_saved",
     r"option windows has no default"),
    ("it changes what was read", meddles, "recist_is_left_alone",
     r"it changes the column volume_mm3 of the measurements; take a copy"),
    ("the name of a column", named(name="date"), "what_it_is", "that of a column or table: choose another"),
    ("a name that no option holds", named(name="a,b"), "what_it_is", "cannot stand in --criteria"),
    ("a slip in the column that it needs", named(needs="volume_ml"), "what_it_is",
     "needs 'volume_ml', which is no column"),
    ("a sentence, and not the place in a block", with_rule("pr", sentence="down to {lowest} mm3"), "one_by_one",
     r"^the sentence of the rule volumetric\.target\.pr: {lowest} cannot be told: criterion 'volumetric' has no .*"
     r"or volumetric_lowest$"),
    ("a study's own has no prefix of its own", with_numbers(by_constant_names), "study_of_its_own",
     r"values\(\) gives no 'study_of_the_suite_sum', .* Let values\(\) name .* by `self.prefix`"),
    ("thresholds of a study are passed over", deaf_to_a_study, "study_of_its_own",
     "other thresholds of a study change nothing: let state"),
    ("thresholds that are not those offered", other_thresholds, "study_of_its_own",
     "with the same thresholds gives other responses"),
    ("another number for a study", counts_otherwise_for_a_study, "study_of_its_own",
     "with the same thresholds gives another volumetric_unmeasured"),
    ("thresholds without a unit", named(numbers=()), "study_of_its_own", "no number is in mm or mm2 or mm3"),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "check", "why"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
def test_the_suite_sees_a_fault_in_the_sample(plant: Plant, check: str, why: str, rules: Any) -> None:
    (found,) = [item for item in CHECKS if item.__name__ == f"check_{check}"]
    with pytest.raises(AssertionError, match=why):
        found(Bench(plant(rules)))


@dataclass
class Forgetful(Bench):
    """Changes the best responses, or loses a subject."""

    lost: int = 0

    def subjects(self, assessment: Any) -> list[Any]:
        return [
            {**row, "best_response": row["best_response"] if self.lost else "PRR"} for row in self._kept(assessment)
        ]

    def _kept(self, assessment: Any) -> list[Any]:
        return super().subjects(assessment)[self.lost :]


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        (0, r"best_response of S0000 is PRR, and its timepoints have .* response in `words`"),
        (1, "S0000 stand in one of the tables"),
    ],
)
def test_the_suite_sees_a_fault_in_best_responses(lost: int, why: str, rules: Any) -> None:
    (found,) = [item for item in CHECKS if item.__name__ == "check_best_response"]
    with pytest.raises(AssertionError, match=why):
        found(Forgetful(rules.VOLUMETRIC, lost=lost))


def test_each_check_sees_a_fault() -> None:
    from tests import test_criteria_suite

    seen = {check for _, _, check, _ in FAULTS} | {check for _, check, _ in test_criteria_suite.FAULTS}
    assert {check.__name__.removeprefix("check_") for check in CHECKS} - seen == {"best_response"}  # see above
