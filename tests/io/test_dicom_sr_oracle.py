"""Reports that highdicom writes (planar and volumetric groups), read by us and by highdicom itself."""

from pathlib import Path
from typing import Any

import pytest

from response.io.dicom_sr import read_report

hd: Any = pytest.importorskip("highdicom")
sr: Any = pytest.importorskip("highdicom.sr")

from pydicom.dataset import Dataset  # noqa: E402
from pydicom.sr.codedict import codes  # noqa: E402
from pydicom.sr.coding import Code  # noqa: E402

from tests.sr_factory import CT_CLASS, SEG_CLASS, uid  # noqa: E402

HU = Code("[hnsf'U]", "UCUM", "Hounsfield unit")
ATTENUATION = Code("112031", "DCM", "Attenuation Coefficient")
LESIONS = [("T1", "20.5", "12.25", "1500", "41.5"), ("T2", "33", "30", "20000", "-3")]


def _measurements(row: tuple[str, ...]) -> list[Any]:
    _, longest, short, volume, mean = row
    return [
        sr.Measurement(name=codes.SCT.LongAxis, value=float(longest), unit=codes.UCUM.Millimeter),
        sr.Measurement(name=codes.SCT.ShortAxis, value=float(short) / 10, unit=codes.UCUM.Centimeter),
        sr.Measurement(name=codes.SCT.Volume, value=float(volume), unit=codes.UCUM.CubicMillimeter),
        sr.Measurement(name=ATTENUATION, value=float(mean), unit=HU, derivation=codes.SCT.Mean),
    ]


def _shared(row: tuple[str, ...]) -> dict[str, Any]:
    return {
        "tracking_identifier": sr.TrackingIdentifier(uid=uid(row[0]), identifier=row[0]),
        "finding_type": codes.SCT.Neoplasm,
        "finding_sites": [sr.FindingSite(anatomic_location=codes.SCT.Kidney, laterality=codes.SCT.Left)],
        "measurements": _measurements(row),
        "qualitative_evaluations": [
            sr.QualitativeEvaluation(
                name=Code("112016", "DCM", "Baseline Category"),
                value=Code("112074", "DCM", "Target Lesion at Baseline"),
            )
        ],
        "time_point_context": sr.TimePointContext(time_point="Week 8", time_point_order=2),
    }


def _groups() -> list[Any]:
    image = sr.SourceImageForRegion(CT_CLASS, uid("ct 1"))
    region = sr.ImageRegion(graphic_type=sr.GraphicTypeValues.CIRCLE, graphic_data=_circle(), source_image=image)
    source = [sr.SourceImageForSegmentation(CT_CLASS, uid("ct 1"))]
    segment = sr.ReferencedSegment(
        sop_class_uid=SEG_CLASS, sop_instance_uid=uid("seg"), segment_number=2, source_images=source
    )
    planar = sr.PlanarROIMeasurementsAndQualitativeEvaluations(referenced_region=region, **_shared(LESIONS[0]))
    volumetric = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        referenced_segment=segment, **_shared(LESIONS[1])
    )
    return [planar, volumetric]


def _circle() -> Any:
    import numpy as np

    return np.asarray([[10.0, 10.0], [11.0, 11.0]])


def _evidence() -> list[Dataset]:
    found = []
    for name, sop_class in (("ct 1", CT_CLASS), ("seg", SEG_CLASS)):
        made = Dataset()
        made.SOPClassUID, made.SOPInstanceUID = sop_class, uid(name)
        made.StudyInstanceUID, made.SeriesInstanceUID = uid("study"), uid(f"series of {name}")
        made.StudyDate, made.StudyTime, made.StudyID = "20240102", "", ""
        made.PatientID, made.PatientName, made.PatientBirthDate, made.PatientSex = "S1", "", "", ""
        made.AccessionNumber, made.ReferringPhysicianName = "", ""
        found.append(made)
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Comprehensive 3D SR of highdicom."""
    observer = sr.ObserverContext(
        observer_type=codes.DCM.Person, observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes("R^One")
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_person_context=observer),
        procedure_reported=Code("25045-6", "LN", "CT unspecified body region"),
        imaging_measurements=_groups(),
    )
    document = sr.Comprehensive3DSR(
        evidence=_evidence(),
        content=content,
        series_instance_uid=uid("sr series"),
        series_number=1,
        sop_instance_uid=uid("sr"),
        instance_number=1,
        manufacturer="tests",
    )
    path = tmp_path_factory.mktemp("sr") / "highdicom.dcm"
    document.save_as(path)
    return path


def test_what_highdicom_wrote_is_read(written: Path) -> None:
    found = read_report(written)
    assert found.findings == []
    for observation, (name, longest, short, volume, mean) in zip(found.observations, LESIONS, strict=True):
        cells = {column: float(observation.cells[column]) for column in ("longest_mm", "short_mm", "volume_mm3")}
        assert cells == {"longest_mm": float(longest), "short_mm": float(short), "volume_mm3": float(volume)}
        assert float(observation.cells["attenuation_hu"]) == float(mean)
        assert (observation.name.tracking_id, observation.name.tracking_uid) == (name, uid(name))
        assert (observation.name.site, observation.cells["location"]) == ("Kidney", "left")
        assert (observation.name.role, observation.name.kind) == ("target", "Neoplasm")
        assert (observation.timepoint, observation.observer, observation.subject) == ("Week 8", "R^One", "S1")
    planar, volumetric = found.observations
    assert (planar.cells["sop_instance_uid"], planar.cells["series_instance_uid"]) == (
        uid("ct 1"),
        uid("series of ct 1"),
    )
    assert (volumetric.name.number, volumetric.cells["segmentation_uid"]) == (2, uid("seg"))


def test_highdicom_reads_the_same_numbers_from_its_own_file(written: Path) -> None:
    document = sr.srread(written)
    groups = [
        *document.content.get_planar_roi_measurement_groups(),
        *document.content.get_volumetric_roi_measurement_groups(),
    ]
    theirs = {
        group.tracking_identifier: {
            float(item.value)
            for item in group.get_measurements()
            if item.name in (codes.SCT.LongAxis, codes.SCT.Volume, ATTENUATION)
        }
        for group in groups
    }
    ours = {
        item.name.tracking_id: {float(item.cells[name]) for name in ("longest_mm", "volume_mm3", "attenuation_hu")}
        for item in read_report(written).observations
    }
    assert theirs == ours
