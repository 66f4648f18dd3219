"""Many studies: each for itself, in any number of processes or on a cluster, the same results in the same order."""

import os
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from response.errors import InputError
from response.findings import Finding
from response.imaging.lesion_mask import StructureName
from response.imaging.options import MeasureOptions
from response.io.study_runs import run_studies
from response.io.study_store import StudyResult, StudyStore
from response.observations import Observation
from tests.imaging.phantoms import PLAIN, phantom, suggested

OPTIONS = MeasureOptions()


@dataclass(frozen=True)
class Fake:
    """A study that gives one observation, or does something bad; it leaves a mark for each time it is measured."""

    subject: str
    marks: Path
    bad: str = ""

    @property
    def key(self) -> str:
        return self.subject

    @property
    def place(self) -> str:
        return f"folder/{self.subject}"

    def measure(self, options: MeasureOptions) -> StudyResult:
        with (self.marks / self.subject).open("a") as file:
            file.write("x")
        if self.bad == "our error":
            raise InputError("a.dcm", "a truncated file", "a whole one", "copy it again")
        if self.bad == "their error":
            raise ValueError("CANARY^PATIENT")
        if self.bad == "memory":
            raise MemoryError
        if self.bad == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.bad == "interrupt":
            raise KeyboardInterrupt
        cells = {"longest_mm": "12.5", "diameter_convention": options.diameter_convention}
        name = StructureName(label=f"Léa {self.subject}", number=3)
        lesion = Observation(kind="mask", subject=self.subject, study="1.2", date="2024-01-02", name=name, cells=cells)
        return StudyResult(observations=(lesion,), findings=(Finding(id="note", severity="info", line=3),))


def fakes(folder: Path, *bad: tuple[int, str], count: int = 5) -> list[Fake]:
    kinds = dict(bad)
    return [Fake(f"S{place}", folder, kinds.get(place, "")) for place in range(count)]


def measured_times(folder: Path) -> dict[str, int]:
    return {path.name: len(path.read_text()) for path in folder.iterdir()}


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("bad", ["our error", "their error", "memory"])
def test_one_bad_study_is_reported_and_the_others_go_on(tmp_path: Path, bad: str, jobs: int) -> None:
    results = run_studies(fakes(tmp_path, (1, bad)), OPTIONS, jobs=jobs)
    assert [[item.subject for item in result.observations] for result in results] == [
        ["S0"],
        [],
        ["S2"],
        ["S3"],
        ["S4"],
    ]
    assert [result.failed for result in results] == [False, True, False, False, False]
    (finding,) = results[1].findings
    assert (finding.id, finding.severity, finding.subject, finding.file) == ("study_failed", "error", "S1", "folder/S1")
    assert "CANARY" not in finding.sentence


@pytest.mark.slow
def test_a_study_that_kills_its_process_fails_alone(tmp_path: Path) -> None:
    results = run_studies(fakes(tmp_path, (2, "killed"), count=4), OPTIONS, jobs=2)
    assert [result.failed for result in results] == [False, False, True, False]
    assert "killed" in results[2].findings[0].sentence


def test_finished_studies_are_not_measured_again_and_failed_ones_are(tmp_path: Path) -> None:
    marks, store = tmp_path / "marks", StudyStore(tmp_path / "kept")
    marks.mkdir()
    first = run_studies(fakes(marks, (1, "their error")), OPTIONS, store=store, jobs=1)
    second = run_studies(fakes(marks), OPTIONS, store=store, jobs=1)
    assert measured_times(marks) == {"S0": 1, "S1": 2, "S2": 1, "S3": 1, "S4": 1}
    assert [result.failed for result in first] == [False, True, False, False, False]
    assert second[0].observations == list(first[0].observations)
    assert second[0].findings == list(first[0].findings)
    assert not any(result.failed for result in second)


def test_another_option_measures_again(tmp_path: Path) -> None:
    marks, store = tmp_path / "marks", StudyStore(tmp_path / "kept")
    marks.mkdir()
    run_studies(fakes(marks, count=1), OPTIONS, store=store, jobs=1)
    edges = MeasureOptions(diameter_convention="pixel_edges")
    (result,) = run_studies(fakes(marks, count=1), edges, store=store, jobs=1)
    assert measured_times(marks) == {"S0": 2}
    assert result.observations[0].cells["diameter_convention"] == "pixel_edges"


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    marks, store = tmp_path / "marks", StudyStore(tmp_path / "kept")
    marks.mkdir()
    with pytest.raises(KeyboardInterrupt):
        run_studies(fakes(marks, (3, "interrupt")), OPTIONS, store=store, jobs=1)
    run_studies(fakes(marks), OPTIONS, store=store, jobs=1)
    assert measured_times(marks) == {"S0": 1, "S1": 1, "S2": 1, "S3": 2, "S4": 1}


DAMAGE = [
    # what is in the kept file        why it cannot be used
    (b"", "the disk was full"),
    (b"{}", "another layout"),
    (b"[1]", "no object"),
    (b"\xff\xfe", "no text"),
    (b'{"observations": [{"kind": "mask"}], "findings": [], "failed": false}', "an observation without its subject"),
]


@pytest.mark.parametrize(("content", "why"), DAMAGE)
def test_what_was_kept_badly_is_measured_again(tmp_path: Path, content: bytes, why: str) -> None:
    marks, store = tmp_path / "marks", StudyStore(tmp_path / "kept")
    marks.mkdir()
    run_studies(fakes(marks, count=1), OPTIONS, store=store, jobs=1)
    (kept,) = store.folder.glob("*.json")
    kept.write_bytes(content)
    (result,) = run_studies(fakes(marks, count=1), OPTIONS, store=store, jobs=1)
    assert measured_times(marks) == {"S0": 2}, why
    assert len(result.observations) == 1
    store.forget()
    assert list(store.folder.iterdir()) == []


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    run_studies(fakes(tmp_path, count=3), OPTIONS, jobs=1, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.fixture
def cluster() -> Iterator[str]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1", silence_logs=50
    ) as found:
        yield found.scheduler_address


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of distributed itself
def test_a_cluster_gives_the_same_results_in_the_same_order(tmp_path: Path, cluster: str) -> None:
    here = run_studies(fakes(tmp_path, (1, "our error")), OPTIONS, jobs=1)
    there = run_studies(fakes(tmp_path, (1, "our error")), OPTIONS, scheduler=cluster)
    assert there == here


ADDRESSES = [
    ("tcp://127.0.0.1:9", "does not answer"),
    ("nonsense://x", "no address"),
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("address", "message"), ADDRESSES)
def test_a_cluster_that_is_not_there_is_told(
    tmp_path: Path, address: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("response.io.study_runs.CLUSTER_SECONDS", 1)
    with pytest.raises(InputError, match=message):
        run_studies(fakes(tmp_path), OPTIONS, scheduler=address)


def test_a_map_of_the_border_is_kept_whole(tmp_path: Path) -> None:
    found = suggested(phantom(PLAIN), with_border=True)
    lesion = Observation(
        kind="mask", subject="S-1", study="1.2", date="2024-01-02", name=StructureName(number=1), suggestion=found
    )
    store = StudyStore(tmp_path)
    store.save("key", StudyResult(observations=(lesion, replace(lesion, suggestion=None))))
    kept = store.load("key")
    assert kept is not None
    loaded, without = (item.suggestion for item in kept.observations)
    assert without is None
    assert loaded == found  # group, votes, numbers and notes
    assert loaded is not None
    assert loaded.border is not None
    assert found.border is not None
    before, after = asdict(found.border), asdict(loaded.border)
    np.testing.assert_equal(after, before)
    assert after["labels"].dtype == before["labels"].dtype
    assert (tmp_path / "key.json").stat().st_size < 60_000
