"""NUM items of measurement reports: which column, in which unit, or why not. Codes from DICOM PS3.16 and UCUM."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from response.io.dicom_sr import Report, read_report
from tests.sr_factory import (
    LENGTH,
    LONG,
    SHORT,
    VOLUME,
    Code,
    code,
    code_item,
    group,
    num,
    report,
    saved,
)

HU = "[hnsf'U]"
ATTENUATION: Code = ("112031", "DCM", "Attenuation Coefficient")
DERIVATION: Code = ("121401", "DCM", "Derivation")
MEAN: Code = ("373098007", "SCT", "Mean")


def read(path: Path, *items: Dataset) -> Report:
    made = report(group(*items, tracking_id="L1"))
    made.SpecificCharacterSet = "ISO_IR 192"
    return read_report(saved(made, path / "report.dcm"))


def cells(path: Path, *items: Dataset) -> dict[str, str]:
    """Return the measured cells of one group."""
    found = read(path, *items).observations
    others = {"source", "state", "reason"}
    return {name: text for item in found for name, text in item.cells.items() if name not in others}


def told(path: Path, *items: Dataset) -> list[tuple[str, str]]:
    return [(finding.id, finding.severity) for finding in read(path, *items).findings]


USABLE = [
    ("long axis, SCT", LONG, "20.5", "mm", "longest_mm", "20.5"),
    ("long axis, SRT, in capitals", ("G-A185", "SRT", "LONG AXIS"), "20.5", "mm", "longest_mm", "20.5"),
    ("older name of the SNOMED scheme", ("G-A185", "SNM3", "Long Axis"), "20.5", "mm", "longest_mm", "20.5"),
    ("older still", ("G-A186", "99SDM", "Short Axis"), "9", "mm", "short_mm", "9"),
    ("scheme in small letters", ("103340004", "sct", "short axis"), "9", "mm", "short_mm", "9"),
    ("no meaning at all", ("103340004", "SCT"), "9", "mm", "short_mm", "9"),
    ("a meaning that says otherwise", ("103340004", "SCT", "Long Axis"), "9", "mm", "short_mm", "9"),
    ("perpendicular axis, SCT", ("131189007", "SCT", "Perp."), "9", "mm", "short_mm", "9"),
    ("perpendicular axis, SRT", ("G-A195", "SRT", "Perp."), "9", "mm", "short_mm", "9"),
    ("diameter, SCT", ("81827009", "SCT", "Diameter"), "10.0", "mm", "longest_mm", "10"),
    ("diameter, SRT", ("M-02550", "SRT", "Diameter"), "10.0", "mm", "longest_mm", "10"),
    ("length, SCT", LENGTH, "10", "mm", "longest_mm", "10"),
    ("length, SRT", ("G-D7FE", "SRT", "Length"), "10", "mm", "longest_mm", "10"),
    ("cm", LONG, "2.05", "cm", "longest_mm", "20.5"),
    ("um", LONG, "20500", "um", "longest_mm", "20.5"),
    ("m, with an exponent", LONG, "2.05E-2", "m", "longest_mm", "20.5"),
    ("blanks around the value", LONG, " 20.5 ", "mm", "longest_mm", "20.5"),
    ("area, SCT", ("42798000", "SCT", "Area"), "100", "mm2", "area_mm2", "100"),
    ("area, SRT, cm2", ("G-A166", "SRT", "Area"), "1.5", "cm2", "area_mm2", "150"),
    ("area in superscript", ("42798000", "SCT", "Area"), "100", "mm²", "area_mm2", "100"),
    ("area of a region", ("131184002", "SCT", "Area"), "100", "mm2", "area_mm2", "100"),
    ("volume, SCT", VOLUME, "200", "mm3", "volume_mm3", "200"),
    ("volume, SRT, cm3", ("G-D705", "SRT", "Volume"), "1.5", "cm3", "volume_mm3", "1500"),
    ("volume, ml", VOLUME, "1.5", "ml", "volume_mm3", "1500"),
    ("volume, mL", VOLUME, "1.5", "mL", "volume_mm3", "1500"),
    ("volume, l", VOLUME, "0.0015", "l", "volume_mm3", "1500"),
    ("volume, RadLex (Siemens)", ("RID28668", "RADLEX", "Volume"), "200", "mm3", "volume_mm3", "200"),
    ("volume from one region", ("121216", "DCM", "Volume est."), "200", "mm3", "volume_mm3", "200"),
    ("volume from three regions", ("121217", "DCM", "Volume est."), "200", "mm3", "volume_mm3", "200"),
    ("mesh volume, IBSI", ("RNU0", "IBSI", "Volume of Mesh"), "200", "mm3", "volume_mm3", "200"),
    ("mean as concept, SRT (OHIF)", ("R-00317", "SRT", "Mean"), "-12.5", HU, "attenuation_hu", "-12.5"),
    ("mean as concept, SCT", MEAN, "-12.5", HU, "attenuation_hu", "-12.5"),
    ("mean, IBSI", ("Q4LE", "IBSI", "Mean"), "40", HU, "attenuation_hu", "40"),
    ("mean, DCM", ("112181", "DCM", "Mean AC"), "40", HU, "attenuation_hu", "40"),
    ("SD, SRT", ("R-10047", "SRT", "SD"), "8", HU, "attenuation_sd_hu", "8"),
    ("minimum, SCT", ("255605001", "SCT", "Min"), "-80", HU, "attenuation_min_hu", "-80"),
    ("maximum, SRT", ("G-A437", "SRT", "Max"), "120", HU, "attenuation_max_hu", "120"),
    ("median, SCT", ("373099004", "SCT", "Median"), "41", HU, "attenuation_median_hu", "41"),
    ("HU as some write it", MEAN, "40", "HU", "attenuation_hu", "40"),
]  # why, concept, value, unit; column, text


@pytest.mark.parametrize("case", USABLE, ids=[case[0] for case in USABLE])
def test_a_quantity_fills_its_column(tmp_path: Path, case: tuple[str, Code, str, str, str, str]) -> None:
    _, concept, value, unit, column, text = case
    assert cells(tmp_path, num(concept, value, unit)) == {column: text}


UNUSABLE = [
    # why                                  item                                        id                  severity
    ("unit 1",                             num(LONG, "20.5", "1"),                     "sr_unit_unusable", "error"),
    ("unit px",                            num(LONG, "20.5", "px"),                    "sr_unit_unusable", "error"),
    ("no unit",                            num(LONG, "20.5", None),                    "sr_unit_unusable", "error"),
    ("a volume in mm2",                    num(VOLUME, "20.5", "mm2"),                 "sr_unit_unusable", "error"),
    ("mean of a known code, in SUV",       num(("Q4LE", "IBSI"), "3", "g/ml{SUVbw}"),  "sr_unit_unusable", "error"),
    ("no measured value sequence",         num(LONG, None),                            "sr_no_value",      "error"),
    ("an empty value",                     num(LONG, ""),                              "sr_no_value",      "error"),
    ("negative",                           num(LONG, "-3"),                            "sr_no_value",      "error"),
    ("a value of nothing known here",      num(("111010", "DCM", "Center"), None),     "sr_no_value",      "warning"),
]  # fmt: skip


@pytest.mark.parametrize("case", UNUSABLE, ids=[case[0] for case in UNUSABLE])
def test_what_cannot_be_used_is_told(tmp_path: Path, case: tuple[str, Dataset, str, str]) -> None:
    _, item, kind, severity = case
    assert cells(tmp_path, item) == {}
    assert (kind, severity) in told(tmp_path, item)


def test_a_unit_of_another_scheme_than_ucum_is_not_used(tmp_path: Path) -> None:
    item = num(LONG, "20.5")
    item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodingSchemeDesignator = "99OWN"
    assert cells(tmp_path, item) == {}
    assert told(tmp_path, item) == [("sr_unit_unusable", "error")]


def test_words_in_the_place_of_a_number_are_told(tmp_path: Path) -> None:
    # pydicom writes no such value, but files hold "n/a": the number is overwritten in the file.
    path = saved(report(group(num(LONG, "1234567", "mm"), tracking_id="L1")), tmp_path / "report.dcm")
    path.write_bytes(path.read_bytes().replace(b"1234567 ", b"n/a     "))
    found = read_report(path)
    assert [(finding.id, finding.found) for finding in found.findings] == [("sr_no_value", "n/a mm")]
    assert found.observations[0].cells["state"] == "not_evaluable"
    assert found.observations[0].cells["reason"] == "Long Axis: its value is 'n/a'"


@pytest.mark.parametrize("number", ["NaN", "inf", "1E999", "1E-99", "1,5", "12 mm"])
def test_numbers_that_are_none_are_told(tmp_path: Path, number: str) -> None:
    path = saved(report(group(num(LONG, "1234567", "mm"), tracking_id="L1")), tmp_path / "report.dcm")
    path.write_bytes(path.read_bytes().replace(b"1234567 ", number.ljust(8).encode()))
    assert [finding.id for finding in read_report(path).findings] == ["sr_no_value"]


@pytest.mark.parametrize(
    ("qualifier", "words"),
    [("114000", "not a number"), ("114007", "measurement not attempted"), ("114011", "value indeterminate")],
)
def test_a_qualified_value_is_not_used(tmp_path: Path, qualifier: str, words: str) -> None:
    item = num(LONG, "20")
    item.NumericValueQualifierCodeSequence = [code_item((qualifier, "DCM", "says so"))]
    assert cells(tmp_path, item) == {}
    assert words in read(tmp_path, item).findings[0].sentence


def test_a_qualifier_of_another_scheme_is_told_in_its_own_words(tmp_path: Path) -> None:
    item = num(LONG, "20")
    item.NumericValueQualifierCodeSequence = [code_item(("1", "99OWN", "blurred"))]
    assert "blurred" in read(tmp_path, item).findings[0].sentence


def test_an_empty_measured_value_sequence_is_legal(tmp_path: Path) -> None:
    item = num(LONG, "20")
    item.MeasuredValueSequence = []
    assert told(tmp_path, item) == [("sr_no_value", "error")]
    assert cells(tmp_path, item, num(SHORT, "9")) == {"short_mm": "9"}  # the other one stands


def test_a_floating_point_value_stands_in_for_the_text(tmp_path: Path) -> None:
    item = num(LONG, "")
    item.MeasuredValueSequence[0].FloatingPointValue = 20.25
    assert cells(tmp_path, item) == {"longest_mm": "20.25"}


SD: Code = ("386136009", "SCT", "SD")
DERIVED = [
    ("mean", ATTENUATION, HU, MEAN, ["attenuation_hu"]),
    ("mean, SRT", ATTENUATION, HU, ("R-00317", "SRT", "Mean"), ["attenuation_hu"]),
    ("standard deviation", ATTENUATION, HU, SD, ["attenuation_sd_hu"]),
    ("unknown statistic", ATTENUATION, HU, ("1234", "99OWN", "Kurtosis"), []),
    ("a mean in SUV", MEAN, "g/ml{SUVbw}", MEAN, []),
    ("maximum diameter", LENGTH, "mm", ("56851009", "SCT", "Maximum"), ["longest_mm"]),
    ("mean diameter", LENGTH, "mm", MEAN, []),
    ("minimum diameter", LENGTH, "mm", ("255605001", "SCT", "Minimum"), []),
]  # why, concept, unit, derivation; column


@pytest.mark.parametrize("case", DERIVED, ids=[case[0] for case in DERIVED])
def test_the_derivation_says_which_statistic(tmp_path: Path, case: tuple[str, Code, str, Code, list[str]]) -> None:
    _, concept, unit, derivation, columns = case
    item = num(concept, "40", unit, code(DERIVATION, derivation, relation="HAS CONCEPT MOD"))
    assert cells(tmp_path, item) == dict.fromkeys(columns, "40")


def test_attenuation_without_a_statistic_is_not_guessed(tmp_path: Path) -> None:
    assert cells(tmp_path, num(ATTENUATION, "40", HU)) == {}
    assert told(tmp_path, num(ATTENUATION, "40", HU))[-1][0] == "sr_unknown_measurements"


def test_axes_come_before_diameter_and_length(tmp_path: Path) -> None:
    items = [num(LENGTH, "31"), num(("81827009", "SCT", "Diameter"), "32"), num(LONG, "33")]
    for order in (items, items[::-1]):
        assert cells(tmp_path, *order) == {"longest_mm": "33"}
        assert [kind for kind, _ in told(tmp_path, *order)] == ["sr_superseded"] * 2
    assert cells(tmp_path, *items[:2]) == {"longest_mm": "32"}
    assert told(tmp_path, num(LENGTH, "33"), num(LONG, "33.0")) == []  # the same in other words


def test_axes_stand_in_any_order_and_are_never_swapped(tmp_path: Path) -> None:
    # Scoring tells of a short axis that is longer (short_longer_than_longest); reading keeps what is coded.
    assert cells(tmp_path, num(SHORT, "30"), num(LONG, "20")) == {"longest_mm": "20", "short_mm": "30"}


def test_a_short_axis_may_stand_within_the_long_one(tmp_path: Path) -> None:
    item = num(LONG, "30", "mm", num(SHORT, "20", relation="HAS PROPERTIES"))
    assert cells(tmp_path, item) == {"longest_mm": "30", "short_mm": "20"}


def test_inputs_of_the_same_kind_are_no_second_value(tmp_path: Path) -> None:
    inputs = [num(LONG, text, relation="INFERRED FROM") for text in ("29", "31")]
    assert cells(tmp_path, num(LONG, "30", "mm", *inputs)) == {"longest_mm": "30"}


SAME = [
    ("mm3 and cm3",               [num(VOLUME, "1992", "mm3"), num(VOLUME, "1.99", "cm3")], {"volume_mm3": "1992"}),
    ("the finer one counts",      [num(VOLUME, "1.99", "cm3"), num(VOLUME, "1992.4", "mm3")], {"volume_mm3": "1992.4"}),
    ("half of the last digit apart", [num(VOLUME, "1995", "mm3"), num(VOLUME, "1.99", "cm3")], {"volume_mm3": "1995"}),
    ("just more than that",       [num(VOLUME, "1995.1", "mm3"), num(VOLUME, "1.99", "cm3")], {}),
    ("once more with unit 1",     [num(LONG, "21.9"), num(LONG, "25", "1")],                {"longest_mm": "21.9"}),
    ("differ",                    [num(LONG, "21.9"), num(LONG, "25")],                     {}),
    ("mm3 and cm3 differ",        [num(VOLUME, "1992", "mm3"), num(VOLUME, "2.5", "cm3")],  {}),
    ("both axes coded as length", [num(LENGTH, "30"), num(LENGTH, "20")],                   {}),
]  # fmt: skip


@pytest.mark.parametrize(("why", "items", "expected"), SAME, ids=[case[0] for case in SAME])
def test_a_quantity_that_stands_twice(tmp_path: Path, why: str, items: list[Dataset], expected: dict[str, str]) -> None:
    assert cells(tmp_path, *items) == expected
    assert ("sr_values_differ" in [kind for kind, _ in told(tmp_path, *items)]) is not bool(expected)


def test_an_area_coded_as_length_is_told_by_its_unit(tmp_path: Path) -> None:
    item = num(("G-D7FE", "SRT", "AREA"), "4806.4", "mm2")
    assert cells(tmp_path, item) == {"area_mm2": "4806.4"}
    assert told(tmp_path, item) == [("sr_area_coded_as_length", "warning")]


def test_a_length_of_zero_is_kept_and_told(tmp_path: Path) -> None:
    assert cells(tmp_path, num(LONG, "0")) == {"longest_mm": "0"}
    assert told(tmp_path, num(LONG, "0")) == [("sr_zero_length", "warning")]


def test_unknown_quantities_are_told_once_per_file_by_name(tmp_path: Path) -> None:
    flat = num(("N17B", "IBSI", "Flatness"), "0.6", "1")
    # Siemens: the mean of two diameters and the maximum in three dimensions are no RECIST diameters.
    mean, in_3d = num(("RID50155", "RADLEX", "Mean diameter"), "12"), num(("L0JK", "IBSI", "Max 3D"), "15")
    groups = [group(num(LONG, "10"), flat, mean, in_3d, tracking_id=f"L{number}") for number in range(2)]
    found = read_report(saved(report(*groups), tmp_path / "report.dcm"))
    assert [finding.found for finding in found.findings] == ["Flatness (2), Max 3D (2), Mean diameter (2)"]
    assert [item.cells["longest_mm"] for item in found.observations] == ["10", "10"]


def test_a_lesion_without_any_usable_number_is_not_evaluable(tmp_path: Path) -> None:
    (item,) = read(tmp_path, num(LONG, "20", "px")).observations
    assert item.cells["state"] == "not_evaluable"
    assert item.cells["reason"] == "Long Axis: its unit is 'px'"
    # with another number it is evaluable by that one
    (item,) = read(tmp_path, num(LONG, "20", "px"), num(VOLUME, "3", "ml")).observations
    assert "state" not in item.cells
