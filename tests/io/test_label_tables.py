"""Tables of labels in all the forms that programs write; what is wrong in them is told at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from response.errors import InputError
from response.io.label_tables import find_label_table, read_label_table

ITK_SNAP = """################################################
# ITK-SnAP Label Description File
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
################################################
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "Liver"
    2     0  255    0      0.5  1  1    "Lesion 1"
"""
SLICER = """# Color table file labels.ctbl
# 3 values
0 Background 0 0 0 0
1 Liver 221 130 101 255
2 Lesion_1 144 238 144 255
"""
FREESURFER = """#No. Label Name:                            R   G   B   A
0   Unknown                                 0   0   0   0
1   Liver                                   70  130 180 0
2   Lesion 1                                245 245 245 0
"""

TEXTS = [
    # what                              text
    ("CSV", "value,name\n1,Liver\n2,Lesion 1\n"),
    ("TSV of BIDS", "index\tname\tabbreviation\n1\tLiver\tL\n2\tLesion 1\tT1\n"),
    ("semicolons, a BOM, quotes", '\ufeff"Label value";"Name"\n"1";"Liver"\n"2";"Lesion 1"\n'),
    ("other headers", "LabelValue,Label\n1,Liver\n2,Lesion 1\n"),
    ("name before value", "Name,ID\nLiver,1\nLesion 1,2\n"),
    ("the label is the value", "label,name\n1,Liver\n2,Lesion 1\n"),
    ("the label is the name", "index,label\n1,Liver\n2,Lesion 1\n"),
    ("more columns, empty lines", "value,name,colour\n\n1,Liver,red\n\n2,Lesion 1,blue\n,,\n"),
    ("spreadsheets write decimals", "value,name\n1.0,Liver\n2.0,Lesion 1\n"),
    ("background is left out", "value,name\n0,background\n1,Liver\n2,Lesion 1\n"),
    ("Slicer's CSV", "LabelValue,Name,Color_R,Color_G,Color_B\n1,Liver,1,2,3\n2,Lesion 1,1,2,3\n"),
    ("no header", "1,Liver\n2,Lesion 1\n"),
    ("no header, with colons", "1: Liver\n2: Lesion 1\n"),
    ("no header, with blanks", "1 Liver\n2 Lesion 1\n"),
    ("ITK-SNAP", ITK_SNAP),
    ("FreeSurfer", FREESURFER),
    ("JSON, name by value", '{"1": "Liver", "2": "Lesion 1"}'),
    ("JSON, value by name", '{"background": 0, "Liver": 1, "Lesion 1": 2}'),
    ("nnU-Net 1", '{"labels": {"0": "background", "1": "Liver", "2": "Lesion 1"}, "numTraining": 3}'),
    ("nnU-Net 2", '{"channel_names": {"0": "CT"}, "labels": {"background": 0, "Liver": 1, "Lesion 1": 2}}'),
    ("nnU-Net 2 with regions", '{"labels": {"background": 0, "whole": [1, 2], "Liver": 1, "Lesion 1": 2}}'),
    ("JSON records", '[{"value": 1, "name": "Liver"}, {"value": 2, "name": "Lesion 1"}]'),
    ("JSON records by value", '{"1": {"name": "Liver"}, "2": {"name": "Lesion 1", "organ": ""}}'),
]  # fmt: skip


@pytest.mark.parametrize("text", [case[1] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_forms(tmp_path: Path, text: str) -> None:
    table = tmp_path / "labels.txt"
    table.write_text(text, encoding="utf-8")
    found = read_label_table(table)
    assert {value: name.label for value, name in found.items()} == {1: "Liver", 2: "Lesion 1"}
    assert {value: name.is_organ for value, name in found.items()} == {1: True, 2: False}
    assert [name.number for name in found.values()] == [1, 2]


def test_slicer_writes_blanks_as_underscores(tmp_path: Path) -> None:
    (tmp_path / "labels.ctbl").write_text(SLICER)
    found = read_label_table(tmp_path / "labels.ctbl")
    assert [(name.label, name.is_organ) for name in found.values()] == [("Liver", True), ("Lesion_1", False)]


def test_utf_16_of_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("value\tname\n1\tLéber\n", encoding="utf-16")
    assert read_label_table(tmp_path / "labels.txt")[1].label == "Léber"


FIELDS = """value,name,role,organ,lesion,type
1,Liver,,,,
2,upper one,target,Liver,L01,
3,lower one,Non-Target,left kidney,L02,
4,new one,NEW,lung,,
5,Liver,target,,,
6,spleen,,,,lesion
7,dome,,,,organ
8,bladder,,,L08,
9,T3,,,,
"""


def test_role_organ_lesion_and_kind(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(FIELDS)
    found = read_label_table(tmp_path / "labels.csv")
    assert {value: (name.is_organ, name.role, name.site, name.tracking_id) for value, name in found.items()} == {
        1: (True, "", "", ""),
        2: (False, "target", "Liver", "L01"),
        3: (False, "non_target", "left kidney", "L02"),
        4: (False, "new", "lung", ""),
        5: (False, "target", "", ""),
        6: (False, "", "", ""),
        7: (True, "", "", ""),
        8: (False, "", "", "L08"),
        9: (False, "target", "", ""),
    }


def test_a_lesion_id_is_a_name_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("label,lesion\n3,L01\n")
    assert (read_label_table(tmp_path / "labels.csv")[3].label) == "L01"


def test_records_of_json(tmp_path: Path) -> None:
    records = {"1": {"name": "upper", "organ": "liver", "role": "target"}, "2": {"name": "lower", "site": "lung"}}
    (tmp_path / "labels.json").write_text(json.dumps({**records, "comment": {"name": "x"}}))
    found = read_label_table(tmp_path / "labels.json")
    assert [(name.label, name.site, name.role) for name in found.values()] == [
        ("upper", "liver", "target"),
        ("lower", "lung", ""),
    ]


def dcmqi(**more: Any) -> str:
    code = {"CodeValue": "10200004", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Liver"}
    anatomy = {"CodeValue": "123037004", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Anatomical Structure"}
    mass = {"CodeValue": "4147007", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Mass"}
    altered = {
        "CodeValue": "49755003",
        "CodingSchemeDesignator": "SCT",
        "CodeMeaning": "Morphologically Altered Structure",
    }
    organ = {
        "labelID": 1,
        "SegmentLabel": "Liver",
        "SegmentedPropertyCategoryCodeSequence": anatomy,
        "SegmentedPropertyTypeCodeSequence": code,
    }
    lesion = {
        "labelID": 2,
        "SegmentDescription": "second",
        "SegmentedPropertyCategoryCodeSequence": altered,
        "SegmentedPropertyTypeCodeSequence": mass,
        "AnatomicRegionSequence": code,
        "TrackingIdentifier": "L01",
        "TrackingUniqueIdentifier": "1.2.3",
        **more,
    }
    return json.dumps({"ContentCreatorName": "Doe", "segmentAttributes": [[organ], [lesion]]})


def test_dcmqi(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text(dcmqi())
    organ, lesion = read_label_table(tmp_path / "meta.json").values()
    assert (organ.label, organ.is_organ, organ.kind_code) == ("Liver", True, "10200004^SCT")
    assert (lesion.label, lesion.is_organ, lesion.kind) == ("second", False, "Mass")
    assert (lesion.site, lesion.tracking_id, lesion.tracking_uid) == ("Liver", "L01", "1.2.3")


FAULTS = [
    # what                      text                                         message
    ("empty", "", "no label values with names"),
    ("prose", "hello\nworld\n", "no label values with names"),
    ("another table", "subject,timepoint\nS1,1\n", "no label values with names"),
    ("values without names", "value\n1\n2\n", "no label values with names"),
    ("names without values", "name,organ\nupper,liver\n", "no label values with names"),
    ("damaged JSON", '{"1": "Liver', "no label values with names"),
    ("JSON of something else", '{"RepetitionTime": 2.5, "Manufacturer": "x"}', "no label values with names"),
    ("JSON deeper than memory", "[" * 100_000, "no label values with names"),
    ("bytes", "\0\1\2\3", "no label values with names"),
    ("a value twice", "value,name\n1,a\n1,b\n", "label 1 stands 2 times"),
    ("no numbers", "value,name\nx,a\n-3,b\n", "'x' is no label value; '-3' is no label value"),
    ("a fraction", "value,name\n1.5,a\n", "'1.5' is no label value"),
    ("a huge value", "value,name\n99999999999,a\n", "'99999999999' is no label value"),
    ("no role", "value,name,role\n1,a,boss\n", "'boss' is no role"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_faults(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_label_table(table)
    assert error.value.where == str(table)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        read_label_table(tmp_path / "labels.csv")
    with pytest.raises(InputError, match="no file"):
        read_label_table(tmp_path)


PLACES = [
    # label map              table, beside or above it        found
    ("a.nii.gz", "a.csv", True),
    ("a.nii.gz", "a.json", True),
    ("a.seg.nrrd", "a.ctbl", True),
    ("a.seg.nrrd", "a.seg.txt", True),
    ("A.MHA", "A.tsv", True),
    ("a.nii.gz", "labels.csv", True),
    ("a.nii.gz", "dataset.json", True),
    ("a.nii.gz", "../dataset.json", True),
    ("a.nii.gz", "b.csv", False),
    ("a.nii.gz", "../a.csv", False),
    ("a.nii.gz", "measurements.csv", False),
]


@pytest.mark.parametrize(("mask", "table", "found"), PLACES)
def test_where_tables_are_looked_for(tmp_path: Path, mask: str, table: str, found: bool) -> None:
    folder = tmp_path / "labelsTr"
    folder.mkdir()
    (folder / table).write_text("")
    there = find_label_table(folder / mask)
    assert (there is not None and there.samefile(folder / table)) == found


def test_names_as_long_as_a_disk_allows(tmp_path: Path) -> None:
    assert find_label_table(tmp_path / ("a" * 251 + ".nii")) is None


def test_a_table_of_its_own_comes_first(tmp_path: Path) -> None:
    for name in ("labels.csv", "dataset.json", "a.csv"):
        (tmp_path / name).write_text("")
    assert find_label_table(tmp_path / "a.nii.gz") == tmp_path / "a.csv"
