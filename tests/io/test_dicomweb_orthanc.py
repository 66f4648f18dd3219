"""A whole round with a real PACS: Orthanc, in a network of its own (see tests/orthanc.py)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import RLELossless

from response.io.dicomweb import Pacs, PacsError, StudyRef
from response.io.dicomweb_address import PASSWORD, TOKEN, USER
from response.io.study_list import StudyEntry
from tests.dicom_factory import axial_grid, random_voxels, write_ct_series
from tests.orthanc import running_orthanc

pytestmark = pytest.mark.slow

STUDY: Final = "2.25.1001"
SHAPE: Final = (5, 16, 12)
USERS: Final = {"änna": "p:ass wörd"}
TRANSFER: Final[dict[str, Any]] = {"timeout": 10, "attempts": 2, "pause": 0.01}


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as url:
        yield url


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Path]]:
    """Make a study: two CT series, one of them compressed, two segmentations of the first, and a report."""
    folder = tmp_path_factory.mktemp("files")
    grid, voxels = axial_grid(SHAPE), random_voxels(SHAPE)
    ct = write_ct_series(folder / "ct", voxels, grid, study_uid=STUDY, tags={"AccessionNumber": "A17"})
    other = write_ct_series(folder / "other", voxels, grid, study_uid=STUDY, series_number=2)
    _compress(other[0])
    images = [dcmread(path) for path in ct]
    return {
        "ct": ct,
        "other": other,
        "binary": [_write_seg(folder / "binary.dcm", images, label_map=False)],
        "label map": [_write_seg(folder / "label_map.dcm", images, label_map=True)],
        "report": [_write_report(folder / "report.dcm", images)],
    }


def _compress(path: Path) -> None:
    image = dcmread(path)
    image.compress(RLELossless, generate_instance_uid=False)
    image.save_as(path)


def _who() -> dict[str, Any]:
    return {
        "manufacturer": "tests",
        "manufacturer_model_name": "tests",
        "software_versions": "1",
        "device_serial_number": "1",
    }


def _write_seg(path: Path, images: Sequence[Any], *, label_map: bool) -> Path:
    hd = pytest.importorskip("highdicom", reason="it writes the segmentations")
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:4, 4:9, 3:8] = 1
    segment = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="liver lesion",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type="MANUAL",
    )
    kind = hd.seg.SegmentationTypeValues
    seg = hd.seg.Segmentation(
        source_images=images,
        pixel_array=mask,
        segmentation_type=kind.LABELMAP if label_map else kind.BINARY,
        segment_descriptions=[segment],
        series_instance_uid=f"2.25.20{int(label_map)}",
        series_number=20 + label_map,
        sop_instance_uid=f"2.25.30{int(label_map)}",
        instance_number=1,
        omit_empty_frames=False,
        **_who(),
    )
    seg.save_as(path)
    return path


def _write_report(path: Path, images: Sequence[Any]) -> Path:
    hd = pytest.importorskip("highdicom", reason="it writes the report")
    observer = hd.sr.ObservationContext(
        observer_person_context=hd.sr.ObserverContext(
            observer_type=codes.DCM.Person,
            observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name="Tests^Anna"),
        )
    )
    measured = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid="2.25.99", identifier="lesion 1"),
        referenced_region=hd.sr.ImageRegion(
            graphic_type=hd.sr.GraphicTypeValues.POLYLINE,
            graphic_data=np.array([[1.0, 1.0], [5.0, 1.0]]),
            source_image=hd.sr.SourceImageForRegion.from_source_image(images[2]),
        ),
        measurements=[hd.sr.Measurement(name=codes.SCT.Length, value=12.5, unit=codes.UCUM.Millimeter)],
    )
    report = hd.sr.MeasurementReport(
        observation_context=observer,
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[measured],
    )
    document = hd.sr.Comprehensive3DSR(
        evidence=list(images),
        content=report,
        series_instance_uid="2.25.401",
        series_number=40,
        sop_instance_uid="2.25.402",
        instance_number=1,
        manufacturer="tests",
    )
    document.save_as(path)
    return path


@pytest.fixture
def pacs(orthanc: str) -> Iterator[Pacs]:
    with Pacs(orthanc, **TRANSFER) as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def stored(orthanc: str, files: Mapping[str, list[Path]]) -> Sequence[Path]:
    """Store everything once, and see that the server took it."""
    paths = [path for group in files.values() for path in group]
    with Pacs(orthanc, **TRANSFER) as pacs:
        result = pacs.store(paths)
    assert result.failed == ()
    assert list(result.ok) == paths
    return paths


def by_uid(paths: Sequence[Path]) -> dict[str, Path]:
    return {str(dcmread(path, stop_before_pixels=True).SOPInstanceUID): path for path in paths}


def test_what_is_stored_is_found(pacs: Pacs) -> None:
    entries = [
        StudyEntry(study_instance_uid=STUDY),
        StudyEntry(accession_number="A17", subject="S1", first_date="2024-01-01", last_date="2024-01-01"),
        StudyEntry(subject="S1", first_date="2023-12-31", last_date="2024-01-02"),
        StudyEntry(subject="S1", first_date="2024-01-02", line=4),
        StudyEntry(subject="s1", line=5),
        StudyEntry(study_instance_uid="2.25.404", line=6),
    ]
    search = pacs.find_studies(entries)
    assert [(study.study_instance_uid, study.subject, study.date) for study in search.studies] == [
        (STUDY, "S1", "2024-01-01")
    ]
    assert [(finding.id, finding.line) for finding in search.findings] == [
        ("study_not_found", 4),
        ("study_not_found", 5),
        ("study_not_found", 6),
    ]


def test_series_are_listed(pacs: Pacs) -> None:
    series = sorted((one.modality, one.instances) for one in pacs.series_of(STUDY))
    assert series == [("CT", 5), ("CT", 5), ("SEG", 1), ("SEG", 1), ("SR", 1)]


def test_what_is_needed_comes_back_with_the_same_pixels(
    pacs: Pacs, files: Mapping[str, list[Path]], tmp_path: Path
) -> None:
    (study,) = pacs.find_studies([StudyEntry(study_instance_uid=STUDY)]).studies
    fetched = pacs.fetch_study(study, tmp_path)
    sent = by_uid([*files["ct"], *files["binary"], *files["label map"], *files["report"]])
    back = by_uid(fetched.files)
    assert fetched.findings == ()
    assert back.keys() == sent.keys()  # not the other CT series, to which no mask refers
    for uid, path in back.items():
        ours, theirs = dcmread(sent[uid]), dcmread(path)
        assert theirs.get("PixelData") == ours.get("PixelData")
        assert theirs.file_meta.TransferSyntaxUID == ours.file_meta.TransferSyntaxUID


def test_the_label_map_is_one(pacs: Pacs, tmp_path: Path) -> None:
    fetched = pacs.fetch_study(StudyRef(study_instance_uid=STUDY), tmp_path)
    masks = [dcmread(path) for path in fetched.files if dcmread(path).Modality == "SEG"]
    assert {mask.SegmentationType for mask in masks} == {"BINARY", "LABELMAP"}
    (label_map,) = (mask for mask in masks if mask.SegmentationType == "LABELMAP")
    assert label_map.SOPClassUID == "1.2.840.10008.5.1.4.1.1.66.7"
    assert int((label_map.pixel_array == 1).sum()) == 3 * 5 * 5


def test_compressed_files_come_back_as_they_were_stored(
    pacs: Pacs, files: Mapping[str, list[Path]], tmp_path: Path
) -> None:
    fetched = pacs.fetch_study(StudyRef(study_instance_uid=STUDY), tmp_path, all_images=True)
    back, sent = by_uid(fetched.files), by_uid(files["other"])
    assert sent.keys() <= back.keys()
    assert {uid: back[uid].read_bytes() for uid in sent} == {uid: path.read_bytes() for uid, path in sent.items()}
    assert str(dcmread(back[next(iter(by_uid(files["other"][:1])))]).file_meta.TransferSyntaxUID) == RLELossless


def test_storing_again_does_no_harm(pacs: Pacs, files: Mapping[str, list[Path]]) -> None:
    result = pacs.store([*files["report"], *files["ct"][:1]])
    assert (len(result.ok), result.failed) == (2, ())


def test_what_is_no_dicom_is_refused_and_the_rest_stored(
    pacs: Pacs, files: Mapping[str, list[Path]], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("CANARY", encoding="utf-8")
    result = pacs.store([tmp_path / "notes.txt", *files["report"]])
    assert result.ok == tuple(files["report"])
    assert [path.name for path, _ in result.failed] == ["notes.txt"]


def test_an_unknown_study_has_no_files(pacs: Pacs, tmp_path: Path) -> None:
    fetched = pacs.fetch_study(StudyRef(study_instance_uid="2.25.404"), tmp_path)
    assert fetched.files == ()
    assert [finding.id for finding in fetched.findings] == ["study_without_series"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((":8042", ":8043"), "nothing that listens"),
        (("/dicom-web", "/dicom"), "404"),
        (("/dicom-web", ""), "is the address the root"),  # Orthanc's own interface
    ],
)
def test_wrong_addresses(orthanc: str, change: tuple[str, str], said: str) -> None:
    with Pacs(orthanc.replace(*change), **TRANSFER) as pacs, pytest.raises(PacsError) as told:
        pacs.find_studies([StudyEntry(study_instance_uid=STUDY)])
    assert said in str(told.value)


# --- A server that wants to know who asks.


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, orthanc: str) -> Iterator[str]:
    assert orthanc  # it is stopped after this one, whose network lies within its own
    with running_orthanc(tmp_path_factory.mktemp("guarded"), users=USERS) as url:
        yield url


@pytest.mark.parametrize(
    ("around", "netrc", "said"),
    [
        ({USER: "änna", PASSWORD: "p:ass wörd"}, "", ""),
        ({USER: "änna", PASSWORD: "wrong"}, "", "401"),
        ({USER: "bea", PASSWORD: "p:ass wörd"}, "", "401"),
        ({TOKEN: "wrong"}, "", "401"),
        ({}, "", "401"),
        ({}, "machine 127.0.0.1 login bea password wrong", "401"),
    ],
)
def test_who_asks(
    *,
    guarded: str,
    around: Mapping[str, str],
    netrc: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    files: Mapping[str, list[Path]],
) -> None:
    for name in (TOKEN, USER, PASSWORD):
        monkeypatch.delenv(name, raising=False)
    for name, value in around.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "netrc").write_text(netrc, encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Pacs(guarded, **TRANSFER) as pacs:
        if not said:
            assert len(pacs.store(files["report"]).ok) == 1
            assert len(pacs.find_studies([StudyEntry(study_instance_uid=STUDY)]).studies) == 1
            return
        with pytest.raises(PacsError, match=said) as told:
            pacs.store(files["report"])
        with pytest.raises(PacsError, match=said):
            pacs.find_studies([StudyEntry(study_instance_uid=STUDY)])
    assert "TUMOR_RESPONSE_DICOMWEB_TOKEN" in str(told.value)
    assert not any(secret in str(told.value) for secret in ("wrong", "wörd", "änna", "bea"))
