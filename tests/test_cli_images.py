"""The command measure, and assess on folders, from the command line to the files: on the synthetic images."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import response
from response.cli import main
from tests.orthanc import running_orthanc

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder that examples/make_images.py makes."""
    sys.path.insert(0, str(ROOT / "examples"))
    import make_images

    folder = tmp_path_factory.mktemp("images")
    make_images.main(folder)
    yield folder
    sys.path.remove(str(ROOT / "examples"))
    for name in [name for name in sys.modules if name.partition(".")[0] in {"synthetic", "make_images"}]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def measured(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("measured") / "measurements.csv"
    assert main(["measure", str(images), "-o", str(out), "--jobs", "1", "--quiet"]) == 0
    return out


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


# Diameters that examples/make_images.py drew; digitised at 1.5 mm they may be off by a pixel.
DRAWN = [
    # subject    date          lesion      mm  HU
    ("IMG-001", "2024-01-02", "Lesion 1", 30, 60),
    ("IMG-001", "2024-01-02", "Lesion 2", 20, 60),
    ("IMG-001", "2024-03-05", "Lesion 1", 20, 60),
    ("IMG-001", "2024-05-07", "Lesion 2", 12, 60),
    ("IMG-002", "2024-05-07", "Lesion 1", 28, 45),
    ("IMG-003", "2024-05-07", "Lesion 2", 16, 60),
]


@pytest.mark.parametrize("drawn", DRAWN)
def test_a_lesion_is_measured_as_it_was_drawn(measured: Path, drawn: tuple[str, str, str, int, int]) -> None:
    subject, date, lesion, mm, hu = drawn
    table = read(measured)
    (row,) = table[(table["subject"] == subject) & (table["date"] == date) & (table["lesion"] == lesion)].to_dict(
        "records"
    )
    assert float(row["longest_mm"]) == pytest.approx(mm, abs=1.6)
    assert float(row["short_mm"]) == pytest.approx(mm, abs=1.6)
    assert float(row["volume_mm3"]) == pytest.approx(3.14159 / 6 * mm**3, rel=0.08)  # 12 mm in slices of 3 mm
    assert float(row["attenuation_hu"]) == pytest.approx(hu, abs=2)
    assert row["diameter_convention"] == "contour"
    assert (row["modality"], row["phase"], row["kvp"]) == ("CT", "portal_venous", "120")
    is_first = date == "2024-01-02" or subject == "IMG-003"
    assert row["comparable"] == ("" if is_first else "yes")


def test_roles_are_proposed_and_told(measured: Path) -> None:
    table = read(measured)
    roles = {(row.subject, row.lesion): row.role for row in table.itertuples()}
    assert roles == {
        ("IMG-001", "Lesion 1"): "target",
        ("IMG-001", "Lesion 2"): "target",
        ("IMG-002", "Lesion 1"): "target",
        ("IMG-003", "Lesion 1"): "target",
        ("IMG-003", "Lesion 2"): "new",
        **{(f"IMG-00{number}", "Liver"): "" for number in (1, 2, 3)},
    }
    findings = read(measured.with_name("measurements_findings.csv"))
    assert (findings["id"] == "role_proposed").sum() == 4
    assert findings[findings["id"] == "new_lesion_by_identity"][["subject", "lesion"]].values.tolist() == [
        ["IMG-003", "Lesion 2"]
    ]


# By hand from the drawn diameters: 50 -> 32 is -36 %, 24 -> 24 with a new lesion, 30 -> 28 with 75 -> 45 HU.
RESPONSES = [
    ("IMG-001", "recist-1.1", ["PR", "PR"]),
    ("IMG-002", "recist-1.1", ["SD", "SD"]),
    ("IMG-003", "recist-1.1", ["SD", "PD"]),
    ("IMG-001", "choi", ["PR", "PR"]),
    ("IMG-002", "choi", ["PR", "PR"]),
    ("IMG-003", "choi", ["SD", "PD"]),
]


def overall(timepoints: pd.DataFrame, subject: str, criterion: str) -> list[str]:
    rows = timepoints[(timepoints["subject"] == subject) & (timepoints["criterion"] == criterion)]
    return [str(word) for word in rows["overall"].tolist()[1:]]


@pytest.mark.parametrize("source", ["folder", "table"])
def test_images_are_scored(images: Path, measured: Path, tmp_path: Path, source: str) -> None:
    given = images if source == "folder" else measured
    assert main(["assess", str(given), "-o", str(tmp_path), "--quiet"]) == 0
    timepoints = read(tmp_path / "timepoints.csv")
    for subject, criterion, expected in RESPONSES:
        assert overall(timepoints, subject, criterion) == expected, (subject, criterion)
    findings = read(tmp_path / "findings.csv")
    assert findings[findings["severity"] == "error"]["id"].tolist() == []
    if source == "folder":
        assert "Liver" not in set(read(tmp_path / "measurements.csv")["lesion"])
        listed = json.loads((tmp_path / "manifest.json").read_text())
        assert listed["inputs"][0]["path"] == str(images)


def test_the_library_reads_a_folder(images: Path) -> None:
    measurements = response.read(images)
    assessment = response.assess(measurements, criteria=["recist-1.1"])
    assert overall(assessment.timepoints, "IMG-001", "recist-1.1") == ["PR", "PR"]


def test_the_suggested_group_is_used_only_when_asked_for(images: Path, measured: Path, tmp_path: Path) -> None:
    suggested = {(row.subject, row.date): row.morphology_suggested for row in read(measured).itertuples() if row.role}
    assert suggested["IMG-001", "2024-01-02"] == "1"  # 60 HU in a liver of 110 HU, homogeneous, sharp
    assert suggested["IMG-002", "2024-01-02"] == "2"  # 75 HU: homogeneous and sharp, but not low
    assert "chun" not in set(response.assess(response.read(measured)).timepoints["criterion"])
    mapping = tmp_path / "map.toml"
    mapping.write_text('[columns]\nmorphology = "morphology_suggested"\n')
    asked = response.assess(response.read(measured, mapping=mapping))
    assert "chun" in set(asked.timepoints["criterion"])


def test_maps_of_borders_are_written_and_kept(images: Path, measured: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    subject = images / "IMG-001"

    def run(maps: str, *more: str) -> dict[str, bytes]:
        out, folder = str(tmp_path / "m.csv"), tmp_path / maps
        assert main(["measure", str(subject), "-o", out, "--border-maps", str(folder), "--quiet", *more]) == 0
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    first = run("maps", "--jobs", "2")
    assert sorted(first) == sorted(
        [f"IMG-001_{date}_Lesion-{number}.{suffix}" for date in ("2024-01-02", "2024-03-05", "2024-05-07")
         for number in (1, 2) for suffix in ("seg.nrrd", "png")] + ["border_patches.csv"]
    )  # fmt: skip
    table = read(tmp_path / "maps" / "border_patches.csv")
    assert set(table["lesion"]) == {"Lesion 1", "Lesion 2"}
    assert set(table["kind"]) <= {"sharp", "rim", "not judged"}  # they are drawn with sharp borders
    kept = tmp_path / ".tumor-response-studies-m"
    before = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert run("again") == first
    assert {path: path.stat().st_mtime_ns for path in kept.iterdir()} == before  # nothing was measured again
    everything = read(measured)
    pd.testing.assert_frame_equal(
        read(tmp_path / "m.csv"), everything[everything["subject"] == "IMG-001"].reset_index(drop=True), check_like=True
    )


def test_without_the_option_there_are_no_maps(images: Path, tmp_path: Path) -> None:
    assert main(["measure", str(images / "IMG-001"), "-o", str(tmp_path / "m.csv"), "--jobs", "1", "--quiet"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["m.csv", "m_findings.csv"]
    kept = [json.loads(path.read_text()) for path in (tmp_path / ".tumor-response-studies-m").iterdir()]
    assert {item["suggestion"] for study in kept for item in study["observations"]} == {None}


def test_maps_among_the_images_are_refused(images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, maps = str(tmp_path / "m.csv"), str(images / "maps")
    assert main(["measure", str(images), "-o", out, "--border-maps", maps]) == 2
    assert "the next run would take the maps for segmentations" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_where_no_border_is_measured_a_finding_says_so(images: Path, tmp_path: Path) -> None:
    protocol = tmp_path / "p.toml"
    protocol.write_text('[measure]\nsuggest_morphology = "never"\n')
    given = ["measure", str(images / "IMG-002"), "-o", str(tmp_path / "m.csv"), "--protocol", str(protocol)]
    assert main([*given, "--border-maps", str(tmp_path / "maps"), "--jobs", "1", "--quiet"]) == 0
    assert "no_border_maps" in set(read(tmp_path / "m_findings.csv")["id"])
    assert [path.name for path in (tmp_path / "maps").iterdir()] == ["border_patches.csv"]


def test_one_bad_study_does_not_stop_the_others(images: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    for study in ("20240102", "20240305"):
        for file in (images / "IMG-002" / study).rglob("*.dcm"):
            target = folder / file.relative_to(images)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    bad = folder / "IMG-002" / "20240305" / "lesions.dcm"
    bad.write_bytes(bad.read_bytes()[:-20_000])
    out = tmp_path / "m.csv"
    assert main(["measure", str(folder), "-o", str(out), "--jobs", "1", "--quiet"]) == 1
    assert set(read(out)["date"]) == {"2024-01-02"}
    findings = read(tmp_path / "m_findings.csv")
    assert findings[findings["severity"] == "error"]["file"].tolist() == [str(bad)]
    bad.write_bytes((images / "IMG-002" / "20240305" / "lesions.dcm").read_bytes())
    assert main(["measure", str(folder), "-o", str(out), "--jobs", "1", "--quiet"]) == 0
    assert set(read(out)["date"]) == {"2024-01-02", "2024-03-05"}


REFUSED = [
    # words                                         what is said
    (["measure", "no_such_folder", "-o", "m.csv"], "no_such_folder"),
    (["measure", ".", "-o", "m.xlsx"], "a name that ends in .csv"),
    (["measure", ".", "-o", "m.csv"], "no segmentation and no measurement report among 0 files"),
    (["measure", "-o", "m.csv"], "no segmentation"),
    (["measure", ".", "-o", "m.csv", "--dicomweb", "http://127.0.0.1:1"], "both"),
    (["measure", ".", "-o", "m.csv", "--studies", "list.csv"], "both"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_what_cannot_be_done_is_told(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_input_is_never_written_over(images: Path, tmp_path: Path) -> None:
    lesions = tmp_path / "map.csv"
    lesions.write_text("subject,label,lesion\nIMG-001,Lesion 1,T1\n")
    before = lesions.read_text()
    assert main(["measure", str(images / "IMG-001"), "-o", str(lesions), "--lesions", str(lesions), "--quiet"]) == 2
    assert lesions.read_text() == before


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_processes_do_not_change_the_table(images: Path, measured: Path, tmp_path: Path, jobs: str) -> None:
    out = tmp_path / "m.csv"
    assert main(["measure", str(images), "-o", str(out), "--jobs", jobs, "--quiet"]) == 0
    assert out.read_bytes() == measured.read_bytes()


@pytest.mark.slow
def test_a_pacs_gives_the_same_measurements_and_takes_the_reports(images: Path, measured: Path, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    from response.io.dicomweb import Pacs

    mine = images / "IMG-002" / "20240102"
    local = tmp_path / "local.csv"
    assert main(["measure", str(mine), "-o", str(local), "--jobs", "1", "--quiet"]) == 0
    (study,) = set(read(local)["study_instance_uid"])
    listed = tmp_path / "studies.csv"
    listed.write_text(f"study_instance_uid\n{study}\n1.2.3.4\n")
    with running_orthanc(tmp_path) as url:
        with Pacs(url) as pacs:
            assert pacs.store(sorted(mine.rglob("*.dcm"))).failed == ()
        out = tmp_path / "remote.csv"
        words = ["--dicomweb", url, "--studies", str(listed), "--jobs", "1", "--quiet"]
        assert main(["measure", "-o", str(out), *words]) == 1  # a line of the list finds no study
        assert "study_not_found" in set(read(tmp_path / "remote_findings.csv")["id"])
        reports = tmp_path / "reports"
        assert main(["sr", str(local), "-o", str(reports), "--dicomweb", url, "--quiet"]) == 0
        with Pacs(url) as pacs:
            assert "SR" in {series.modality for series in pacs.series_of(study)}
    without_place = [name for name in read(local).columns if name != "source"]
    assert read(out)[without_place].equals(read(local)[without_place])
