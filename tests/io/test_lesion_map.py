"""The map file of lesions: what a line may say, and what is told of those that cannot be used."""

from pathlib import Path

import pytest

from response.errors import InputError
from response.io.lesion_map import read_lesion_map
from response.lesion_map import LesionMap, MapEntry


def read(tmp_path: Path, text: str, *, encoding: str = "utf-8") -> LesionMap:
    path = tmp_path / "map.csv"
    path.write_text(text, encoding=encoding)
    return read_lesion_map(path)


def test_a_line_says_which_structure_is_which_lesion(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "subject,study,date,timepoint,file,tracking_uid,tracking_id,number,label,lesion,role,organ,nodal,state\n"
        "S1,1.2,2024-01-02,BL,seg.dcm,1.2.3,t,3,x,T1,Target,Liver,yes,ABSENT\n",
    )
    assert found.findings == []
    assert found.entries == [
        MapEntry(
            subject="S1", study="1.2", date="2024-01-02", timepoint="BL", file="seg.dcm", tracking_uid="1.2.3",
            tracking_id="t", number="3", label="x", lesion="T1", role="target", organ="Liver", nodal="Y",
            state="absent", line=2,
        )
    ]  # fmt: skip


FORMS = [
    ("semicolons", "lesion;label\nT1;a,b\n", "a,b"),
    ("tabs", "lesion\tlabel\nT1\tx\n", "x"),
    ("quotes, and a line end within", 'lesion,label\nT1,"a\nb"\n', "a\nb"),
    ("blank lines and blanks around", "lesion , label\n\n T1 , x \n,\n", "x"),
    ("a byte order mark", "\ufefflesion,label\nT1,x\n", "x"),
    ("headers as people write them", "Lesion ID,Segment Label\nT1,x\n", "x"),
    ("short lines", "label,lesion,role\nx,T1\n", "x"),
]


@pytest.mark.parametrize(("why", "text", "label"), FORMS, ids=[case[0] for case in FORMS])
def test_csv_in_all_its_forms(tmp_path: Path, why: str, text: str, label: str) -> None:
    found = read(tmp_path, text)
    assert [(entry.lesion, entry.label) for entry in found.entries] == [("T1", label)]
    assert found.findings == []


def test_a_file_that_excel_wrote_in_the_old_encoding(tmp_path: Path) -> None:
    assert read(tmp_path, "lesion,label\nT1,Läsion\n", encoding="cp1252").entries[0].label == "Läsion"


def test_numbers_and_dates_are_written_as_the_table_has_them(tmp_path: Path) -> None:
    found = read(tmp_path, "lesion,segment,study date\nT1,007,20240102\n")
    assert [(entry.number, entry.date) for entry in found.entries] == [("7", "2024-01-02")]


LINES = [
    ("no lesion", "S1,x,,,,", "names no lesion"),
    ("no structure", "S1,,T1,,,", "names no structure"),
    ("an unknown role", "S1,x,T1,tumour,,", "role is 'tumour'"),
    ("an unknown state", "S1,x,T1,,vanished?,", "state is 'vanished?'"),
    ("a number that is none", "S1,x,T1,,,three", "number is 'three'"),
]


@pytest.mark.parametrize(("why", "line", "words"), LINES, ids=[case[0] for case in LINES])
def test_a_line_that_cannot_be_used_is_told_and_the_others_hold(
    tmp_path: Path, why: str, line: str, words: str
) -> None:
    found = read(tmp_path, f"subject,label,lesion,role,state,number\n{line}\nS1,y,T2,,,\n")
    assert [entry.lesion for entry in found.entries] == ["T2"]
    assert [(finding.id, finding.line, finding.severity) for finding in found.findings] == [
        ("lesion_map_line", 2, "error")
    ]
    assert words in found.findings[0].sentence


def test_a_partial_date_fits_no_study(tmp_path: Path) -> None:
    assert read(tmp_path, "label,lesion,date\nx,T1,2024-01\n").findings[0].id == "lesion_map_line"


def test_an_unknown_column_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, "label,lesion,comment\nx,T1,hello\n")
    assert [(finding.id, finding.severity) for finding in found.findings] == [("lesion_map_column", "warning")]
    assert len(found.entries) == 1


REFUSED = [
    ("empty", ""),
    ("no lesion", "subject,label\nS1,x\n"),
    ("nothing to know a structure by", "subject,date,lesion\nS1,2024-01-02,T1\n"),
    ("two columns of one meaning", "lesion,number,segment\nT1,1,2\n"),
]


@pytest.mark.parametrize(("why", "text"), REFUSED, ids=[case[0] for case in REFUSED])
def test_a_file_that_is_no_map_is_refused(tmp_path: Path, why: str, text: str) -> None:
    with pytest.raises(InputError, match=r"map\.csv"):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_lesion_map(tmp_path / "map.csv")
