"""Study lists: text or table, as people and spreadsheets write them; all faults at once, without what stands there."""

from pathlib import Path

import pytest

from response.errors import InputError
from response.io.study_list import StudyEntry, compact, is_uid, read_study_list

UID = "1.2.840.113619.2.55.3.1"
Row = tuple[str, str, str, str, str, int]


def rows(path: Path) -> list[Row]:
    return [
        (e.study_instance_uid, e.accession_number, e.subject, e.first_date, e.last_date, e.line)
        for e in read_study_list(path)
    ]


def by_uid(uid: str, line: int) -> Row:
    return (uid, "", "", "", "", line)


TEXTS = [
    # what                                content                                       entries
    ("one UID per line", f"{UID}\n1.2.3\n", [by_uid(UID, 1), by_uid("1.2.3", 2)]),
    ("no line end at the end", "1.2.3", [by_uid("1.2.3", 1)]),
    ("BOM, blank lines, blanks around", f"\ufeff\n\n  {UID} \t\r\n\n", [by_uid(UID, 3)]),
    ("comments, also behind a UID", "# wave 1\n1.2.3 # baseline\n  # more\n", [by_uid("1.2.3", 2)]),
    ("what stands there twice, once", "1.2.3\n1.2.4\n1.2.3\n", [by_uid("1.2.3", 1), by_uid("1.2.4", 2)]),
    ("quotes and a comma at the end", '"1.2.3",\n', [by_uid("1.2.3", 1)]),
    ("a component with a leading zero occurs", "1.2.03\n", [by_uid("1.2.03", 1)]),
    ("a UID of 64 characters", "1." + "2" * 62 + "\n", [by_uid("1." + "2" * 62, 1)]),
    ("a header alone makes it a table", "StudyInstanceUID\n1.2.3\n", [by_uid("1.2.3", 2)]),
    ("a header in words", "Study Instance UID;Note\n1.2.3;urgent\n", [by_uid("1.2.3", 2)]),
    ("accession numbers stay texts", "accession_number\n00123\n", [("", "00123", "", "", "", 2)]),
    ("subject and day", "patient_id,date\nS1,2024-02-03\n", [("", "", "S1", "2024-02-03", "2024-02-03", 2)]),
    ("a month is a range", "subject\tdate\nS1\t2024-02\n", [("", "", "S1", "2024-02-01", "2024-02-29", 2)]),
    ("a year is a range", "subject,date\nS1,2023\n", [("", "", "S1", "2023-01-01", "2023-12-31", 2)]),
    ("the last month that there is", "subject,date\nS1,9999-12\n", [("", "", "S1", "9999-12-01", "9999-12-31", 2)]),
    ("an interval", "subject,date\nS1,20240102/2024-03\n", [("", "", "S1", "2024-01-02", "2024-03-31", 2)]),
    ("two columns of dates", "subject,date from,date_to\nS1,2024-01-02,\n", [("", "", "S1", "2024-01-02", "", 2)]),
    ("no date is no limit", "subject,date\nS1,\n", [("", "", "S1", "", "", 2)]),
    ("a quoted cell", 'subject,date\n"S,1",2024-02-03\n', [("", "", "S,1", "2024-02-03", "2024-02-03", 2)]),
    ("rows of delimiters are blank", "subject,date\n,\nS1,\n", [("", "", "S1", "", "", 3)]),
    ("dates tell two lines of a subject apart", "subject,date\nS1,2024\nS1,2023\nS1,2024\n",
     [("", "", "S1", "2024-01-01", "2024-12-31", 2), ("", "", "S1", "2023-01-01", "2023-12-31", 3)]),
    ("all columns", f"study_uid,accession,subject,date\n{UID},A1,S1,2024-02-03\n",
     [(UID, "A1", "S1", "2024-02-03", "2024-02-03", 2)]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_study_lists_are_read(tmp_path: Path, content: str, expected: list[Row]) -> None:
    path = tmp_path / "studies.txt"
    path.write_bytes(content.encode())
    assert rows(path) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_encodings_of_spreadsheets(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "studies.csv"
    path.write_bytes("Patient ID,Bemerkung\nS1,früh\n".encode(encoding))
    assert rows(path) == [("", "", "S1", "", "", 2)]


FAULTS = [
    # what                               content                              said
    ("letters", "1.2.3\nMiller^Anna\n", ["line 2: no UID"]),
    ("a UID that Excel made a number", "1.2E+15\n", ["line 1: a UID that a spreadsheet has made a number"]),
    ("with a decimal comma", "1,2E+15\n", ["line 1: a UID that a spreadsheet has made a number"]),
    ("a number is no UID", "20240101\n", ["line 1: no UID (numbers with a dot between them)"]),
    ("two dots", "1..2\n", ["line 1: no UID (numbers with a dot between them)"]),
    ("65 characters", "1." + "2" * 63 + "\n", ["line 1: a UID of 65 characters"]),
    ("all faults at once", "x\n1.2.3\ny\n", ["line 1: no UID", "line 3: no UID"]),
    ("two UIDs on a line", "1.2.3 1.2.4\n", ["line 1: no UID"]),
    ("no study in a row", "study_uid,subject,note\n,,x\n", ["line 2: no study, accession number or subject"]),
    ("a row that is cut", "study_uid,subject\n1.2.3\n", ["line 2: 1 cells, for 2 columns"]),
    ("a row that is too long", "study_uid,subject\n1.2.3,S1,x\n", ["line 2: 3 cells, for 2 columns"]),
    ("no date", "subject,date\nS1,soon\n", ["line 2: no date"]),
    ("no day of the calendar", "subject,date\nS1,2023-02-29\n", ["line 2: no date"]),
    ("an interval the wrong way round", "subject,date\nS1,2024/2023\n", ["line 2: a last date before the first"]),
    ("a header that names no studies", "date,note\n2024-01-01,x\n", ["a header without a column that names studies"]),
    ("two columns of one meaning", "subject,patient_id\nS1,S1\n", ["two columns of one meaning"]),
    ("nothing", "\n# nothing\n", ["no study"]),
    ("a header alone", "subject\n", ["no study"]),
    ("an empty file", "", ["an empty file"]),
    ("an HTML page", "<html>", ["an HTML or XML file"]),
    ("an Excel file of the old kind", "\xd0\xcf\x11\xe0", ["an Excel or Parquet file"]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_faults_are_told_by_line(tmp_path: Path, content: str, said: list[str]) -> None:
    path = tmp_path / "studies.txt"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError) as told:
        read_study_list(path)
    assert all(text in str(told.value) for text in said)
    assert "studies.txt" in str(told.value)


def test_what_stands_in_a_wrong_line_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "studies.csv"
    path.write_text("study_uid,subject,date\nCANARY-DOE,CANARY-1,CANARY-2\n", encoding="utf-8")
    with pytest.raises(InputError) as told:
        read_study_list(path)
    assert "CANARY" not in str(told.value)
    path.write_text("subject,accession\nCANARY-DOE,CANARY-1\n", encoding="utf-8")
    assert "CANARY" not in repr(read_study_list(path))


def test_many_faults_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "studies.txt"
    path.write_text("x\n" * 120, encoding="utf-8")
    with pytest.raises(InputError, match=r"line 50: .*; 70 more;"):
        read_study_list(path)
    path.write_text("x\n" * 50, encoding="utf-8")
    with pytest.raises(InputError, match=r"line 50: [^;]*; expected"):
        read_study_list(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_study_list(tmp_path / "none.txt")
    with pytest.raises(InputError, match="directory"):
        read_study_list(tmp_path)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (("2024-01-02", "2024-03-04"), "20240102-20240304"),
        (("2024-01-02", "2024-01-02"), "20240102"),
        (("2024-01-02", ""), "20240102-"),
        (("", "2024-03-04"), "-20240304"),
        (("", ""), ""),
    ],
)
def test_ranges_of_days_as_dicom_writes_them(days: tuple[str, str], expected: str) -> None:
    assert compact(days) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2", True),
        ("1", False),
        ("../1", False),
        ("1.2/", False),
        ("1.2\n", False),
        ("", False),
        ("1.", False),
        ("١.٢", False),
    ],
)
def test_what_can_be_a_uid(text: str, expected: bool) -> None:
    assert is_uid(text) is expected


def test_entries_of_one_meaning_are_equal() -> None:
    assert StudyEntry(subject="S1") == StudyEntry(subject="S1")
