"""How a series was acquired: contrast phase by codes, words and time; kernel, voltage, thickness."""

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from response.imaging.volume import Acquisition
from response.io.acquisition import phases_in, read_acquisition
from response.io.planes import Elements
from tests.dicom_factory import axial_grid, random_voxels, set_tags, write_ct_series

NONE, ART, PV, LATE, GIVEN = {"non_contrast"}, {"arterial"}, {"portal_venous"}, {"delayed"}, {"contrast"}


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        # portal venous
        ("Abdomen portal venous 5.0 B30f", PV),
        ("ABD_PORTALVENÖS", PV),
        ("Abdomen portalvenoes 3mm", PV),
        ("Abdomen pv-Phase", PV),
        ("Abd/Pelv PVP 2.5", PV),
        ("TAP veineux", PV),
        ("AP temps portal", PV),
        ("fase portale", PV),
        ("Fase venosa abdomen", PV),
        ("Porto-venous", PV),
        ("portovenosa", PV),
        ("Venous phase", PV),
        ("PORTAL", PV),
        ("Lever portaal veneus", PV),
        ("venøs fase", PV),
        ("Cardiac PV mapping", set()),  # pulmonary veins
        ("MR venography", set()),
        ("iv contrast intravenous", GIVEN),
        # arterial
        ("Liver ARTERIAL", ART),
        ("late arterial phase", ART),
        ("spätarteriell", ART),
        ("Abdomen arteriell 1.5", ART),
        ("artérielle tardive", ART | LATE),
        ("Fase arteriosa", ART),
        ("foie temps artériel", ART),
        ("ABD ART 3.0", ART),
        ("coronary arteries", set()),
        ("artefact", set()),
        # non-contrast
        ("Abdomen nativ", NONE),
        ("NATIVE", NONE),
        ("CT chest w/o contrast", NONE),
        ("Chest without contrast", NONE),
        ("NON-CONTRAST", NONE),
        ("noncon", NONE),
        ("Thorax ohne KM", NONE),
        ("sans injection", NONE),
        ("SIN CONTRASTE", NONE),
        ("senza mdc", NONE),
        ("Unenhanced", NONE),
        ("5/5mm Plain", NONE),
        ("T1 pre Gd", NONE),
        ("pre-contrast", NONE),
        ("zonder contrast", NONE),
        # delayed
        ("Delayed 5 min", LATE),
        ("Nephrographic phase", LATE),
        ("nephro", LATE),
        ("Spätphase", LATE),
        ("spätvenös", LATE),
        ("temps tardif", LATE),
        ("excretory", LATE),
        ("Equilibrium", LATE),
        ("fase tardia", LATE),
        # given, of unknown phase
        ("CT ABDOMEN W CONTRAST", GIVEN),
        ("Thorax mit KM", GIVEN),
        ("Abdomen avec injection", GIVEN),
        ("T1 post Gd", GIVEN),
        ("con contraste", GIVEN),
        # a protocol of both says nothing of one series
        ("ABD W/WO CONTRAST", set()),
        ("Abdomen with and without contrast", set()),
        ("mit und ohne KM", set()),
        ("avec et sans injection", set()),
        # several
        ("arterial + portal venous", ART | PV),
        # nothing
        ("Thorax 1.0 B70f", set()),
        ("Topogram 0.6", set()),
        ("flow phase contrast", set()),
        ("", set()),
    ],
)
def test_words_for_phases(description: str, expected: set[str]) -> None:
    assert phases_in(description) == expected


def acquisition(**tags: Any) -> tuple[Acquisition, list[str]]:
    dataset = Dataset()
    dataset.Modality = "CT"
    set_tags(dataset, tags)
    return read_acquisition(Elements(dataset, {}, {}))


@pytest.mark.parametrize(
    ("tags", "phase"),
    [
        ({}, ""),
        ({"ContrastBolusAgent": "Ultravist 370"}, "contrast"),
        ({"ContrastBolusAgent": "NONE"}, ""),
        ({"ContrastBolusAgent": "Iomeron", "SeriesDescription": "portal"}, "portal_venous"),
        ({"SeriesDescription": "nativ"}, "non_contrast"),
        ({"ProtocolName": "Abdomen arterial"}, "arterial"),
        ({"ProtocolName": "Liver arterial portal delayed"}, ""),  # of all series of the examination
        ({"ProtocolName": "Liver arterial portal delayed", "SeriesDescription": "Delayed"}, "delayed"),
        ({"ContrastBolusAgentPhase": "PORTAL_VENOUS"}, "portal_venous"),
        ({"ContrastBolusAgentPhase": "POST_CONTRAST", "SeriesDescription": "arterial"}, "arterial"),
        ({"ContrastBolusStartTime": "101500", "AcquisitionTime": "101514.99"}, ""),
        ({"ContrastBolusStartTime": "101500", "AcquisitionTime": "101515"}, "arterial"),
        ({"ContrastBolusStartTime": "101500", "AcquisitionTime": "101545"}, "arterial"),
        ({"ContrastBolusStartTime": "101500", "AcquisitionTime": "101546"}, ""),
        ({"ContrastBolusStartTime": "101500", "AcquisitionTime": "101555"}, "portal_venous"),
        ({"ContrastBolusStartTime": "101500.5", "AcquisitionTime": "101640.5"}, "portal_venous"),
        ({"ContrastBolusStartTime": "095930", "AcquisitionTime": "100040"}, "portal_venous"),  # over the hour
        ({"ContrastBolusStartTime": "101500", "AcquisitionTime": "101800"}, "delayed"),
        ({"ContrastBolusStartTime": "101500", "AcquisitionTime": "103600"}, ""),  # an injection of another scan
        ({"ContrastBolusStartTime": "101500", "AcquisitionTime": "101400"}, ""),
        ({"ContrastBolusStartTime": "1015", "AcquisitionTime": "101555"}, ""),
        ({"Modality": "PT", "SeriesDescription": "venous"}, ""),
    ],
)
def test_contrast_phase(tags: dict[str, str], phase: str) -> None:
    found, faults = acquisition(**tags)
    assert (found.phase, faults) == (phase, [])


@pytest.mark.parametrize(
    "tags",
    [
        {"SeriesDescription": "arterial", "ContrastBolusStartTime": "101500", "AcquisitionTime": "101610"},
        {"SeriesDescription": "arterial", "ContrastBolusAgentPhase": "PORTAL_VENOUS"},
        {"SeriesDescription": "nativ", "ContrastBolusAgent": "Ultravist"},
        {"SeriesDescription": "portal", "ProtocolName": "Abdomen arterial"},
        {"SeriesDescription": "arterial + portal venous"},
    ],
)
def test_headers_that_contradict_each_other_give_no_phase(tags: dict[str, str]) -> None:
    found, faults = acquisition(**tags)
    assert found.phase == ""
    assert len(faults) == 1
    assert faults[0].startswith("the headers contradict each other on the contrast phase (")


def test_the_agent_may_be_coded() -> None:
    code = Dataset()
    code.CodeMeaning = "Iohexol"
    found, _ = acquisition(ContrastBolusAgentSequence=[code])
    assert (found.contrast_agent, found.phase) == ("Iohexol", "contrast")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"KVP": "120", "ConvolutionKernel": ["I31f", "3"]}, {"kvp": 120, "kernel": "I31f\\3"}),
        ({"KVP": None, "ConvolutionKernel": ""}, {"kvp": 0, "kernel": ""}),
        ({"KVP": "0", "SliceThickness": "0.625"}, {"kvp": 0, "slice_thickness_mm": 0.625}),
        ({"SliceThickness": "-1"}, {"slice_thickness_mm": 0}),
        (
            {"Manufacturer": "SIEMENS", "ManufacturerModelName": "SOMATOM Force"},
            {"manufacturer": "SIEMENS SOMATOM Force"},
        ),
        ({"Manufacturer": "", "ManufacturerModelName": "Ingenia"}, {"manufacturer": "Ingenia"}),
        ({"SequenceName": "*fl3d1", "ScanningSequence": "GR"}, {"sequence": "*fl3d1"}),
        ({"PulseSequenceName": "VIBE"}, {"sequence": "VIBE"}),
        ({"ScanningSequence": ["SE", "IR"], "SequenceVariant": "SK"}, {"sequence": "SE\\IR SK"}),
        ({"SeriesDescription": "Leber ä"}, {"description": "Leber ä"}),
    ],
)
def test_other_facts(tags: dict[str, Any], expected: dict[str, Any]) -> None:
    found, _ = acquisition(SpecificCharacterSet="ISO_IR 192", **tags)
    assert {name: getattr(found, name) for name in expected} == expected


def test_the_acquisition_of_a_series(tmp_path: Path) -> None:
    from response.io.images import read_series

    how: dict[str, Any] = {"description": "Abdomen portal venous", "contrast_agent": "Ultravist", "kvp": 100}
    paths = write_ct_series(tmp_path, random_voxels((2, 4, 4)), axial_grid((2, 4, 4)), kernel=["Br40", "3"], **how)
    assert read_series(paths).acquisition == Acquisition(
        modality="CT",
        phase="portal_venous",
        kvp=100,
        kernel="Br40\\3",
        slice_thickness_mm=3,
        contrast_agent="Ultravist",
        description="Abdomen portal venous",
        manufacturer="Synthetic Factory",
    )
