"""Damaged reports: our own error or a report with findings, never anything else, and never slowly."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from response.errors import InputError
from response.io.dicom_sr import read_report
from tests.sr_factory import (
    FINDING,
    LIVER,
    LONG,
    TARGET,
    code,
    container,
    group,
    image,
    measured,
    num,
    report,
    saved,
    scoord,
    scoord3d,
    uid,
)

ROUNDS = 300


def _whole(path: Path, *, implicit: bool = False) -> bytes:
    groups = [
        measured("T1", "20.5", num(LONG, "3", "mm", scoord3d([1, 2, 3, 4, 5, 6])), tracking_uid=uid("1"), site=LIVER),
        measured("T2", "12", scoord([1, 2, 3, 4], image("ct")), short="9", role=TARGET),
        group(code(FINDING, LIVER), tracking_id="x"),
    ]
    made = report(*groups, evidence=[("study 1", "series", "ct")])
    return saved(made, path / "whole.dcm", implicit=implicit).read_bytes()


@pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "left out", "doubled"])
def test_damaged_bytes_give_our_own_error_or_a_report(tmp_path: Path, damage: str, implicit: bool) -> None:
    whole, chance = _whole(tmp_path, implicit=implicit), random.Random(damage)
    path = tmp_path / "damaged.dcm"
    read = 0
    for _ in range(ROUNDS // 4):
        path.write_bytes(_damaged(bytearray(whole), damage, chance))
        try:
            read += read_report(path).is_measurement_report
        except InputError:
            continue
    assert read or damage != "flipped"  # not all damage stops at the lengths


def _damaged(data: bytearray, damage: str, chance: random.Random) -> bytearray:
    start, end = sorted(chance.randrange(132, len(data)) for _ in range(2))
    if damage == "cut":
        return data[:start]
    if damage == "flipped":
        for _ in range(chance.choice((1, 3, 10))):
            data[chance.randrange(132, len(data))] = chance.randrange(256)
    elif damage == "left out":
        del data[start : min(end, start + 40)]
    else:
        data[start:start] = data[start : min(end, start + 40)]
    return data


WRONG = [
    ("a number in the place of a sequence", "ConceptNameCodeSequence", "UL", 7),
    ("text in the place of a sequence", "MeasuredValueSequence", "LO", "20 mm"),
    ("text in the place of coordinates", "GraphicData", "LO", "here"),
    ("a sequence in the place of text", "TextValue", "SQ", []),
    ("numbers in the place of a code value", "ValueType", "FL", 1.5),
]


@pytest.mark.parametrize(("why", "keyword", "vr", "value"), WRONG, ids=[case[0] for case in WRONG])
def test_wrong_value_representations(tmp_path: Path, why: str, keyword: str, vr: str, value: object) -> None:
    made = report(measured("T1", "20"), measured("T2", "12", num(LONG, "12", "mm", scoord3d([1, 2, 3, 4, 5, 6]))))
    _spoil(made.ContentSequence[0].ContentSequence[0], keyword, vr, value)
    found = read_report(saved(made, tmp_path / "report.dcm"))
    assert [item.cells.get("longest_mm") for item in found.observations][-1] == "12"


def _spoil(dataset: Dataset, keyword: str, vr: str, value: object) -> None:
    for child in dataset.ContentSequence:
        if keyword in child or keyword == "GraphicData":
            if keyword in child:
                del child[keyword]
            child.add_new(keyword, vr, value)
            return


def test_a_report_of_thousands_of_lesions_is_read_in_time(tmp_path: Path) -> None:
    groups = [measured(f"L{number}", "20", site=LIVER, tracking_uid=uid("same")) for number in range(500)]
    path = saved(report(*groups), tmp_path / "report.dcm")
    begun = time.perf_counter()
    assert len(read_report(path).observations) == 500
    assert time.perf_counter() - begun < 20  # about 0.5 s; something quadratic would take minutes


def test_more_items_than_any_report_has_are_cut_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("response.io.sr_content.LARGEST", 100)
    many = container(("1", "99OWN", "Many"), *(container(("1", "99OWN")) for _ in range(200)))
    found = read_report(saved(report(measured("L1", "20"), many), tmp_path / "report.dcm"))
    assert [item.name.tracking_id for item in found.observations] == ["L1"]
    assert [finding.id for finding in found.findings] == ["sr_too_large"]


def test_a_tree_of_just_the_largest_size_and_depth_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the root, the container, the group, and its name and number: five items, four levels
    path = saved(report(measured("L1", "20")), tmp_path / "report.dcm")
    for name, value, findings in (
        *(("LARGEST", 5, []), ("LARGEST", 4, ["sr_too_large"])),
        *(("DEEPEST", 4, []), ("DEEPEST", 3, ["sr_too_large"])),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(f"response.io.sr_content.{name}", value)
            assert [finding.id for finding in read_report(path).findings][:1] == findings


def test_fifty_groups_are_read_about_as_fast_as_pydicom_walks_over_them(tmp_path: Path) -> None:
    groups = [
        measured(f"L{number}", "20.5", short="12", site=LIVER, role=TARGET, tracking_uid=uid(str(number)))
        for number in range(50)
    ]
    path = saved(report(*groups), tmp_path / "report.dcm")
    ours, theirs = ([_seconds(work, path) for _ in range(5)] for work in (read_report, _walk))
    assert min(ours) < 2 * min(theirs)  # two thirds of it, when measured: codes are read straight from their bytes


def _seconds(work: Callable[[Path], object], path: Path) -> float:
    begun = time.process_time()
    work(path)
    return time.process_time() - begun


def _walk(path: Path) -> None:
    """Look at the names and values of all items, and no more."""
    waiting = [dcmread(path)]
    while waiting:
        place = waiting.pop()
        for keyword in ("ConceptNameCodeSequence", "ConceptCodeSequence"):
            for found in place.get(keyword, []):
                assert found.CodeValue
        for value in place.get("MeasuredValueSequence", []):
            assert value.MeasurementUnitsCodeSequence[0].CodeValue and value.NumericValue
        waiting += place.get("ContentSequence", [])
