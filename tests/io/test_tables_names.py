"""Which column is which: aliases, mapping files, units, labels, and the columns of a wide table."""

from pathlib import Path

import pytest

from response.columns import COLLECTED_COLUMNS, COLUMNS, SUBJECT_COLUMNS, VISIT_COLUMNS
from response.errors import InputError
from response.io.aliases import ALIASES, COMPANIONS
from response.io.tables import ColumnMapping, read_mapping, read_table
from response.measurements import Measurements
from response.table import TextTable

SPECIFICATIONS = (COLUMNS, VISIT_COLUMNS, SUBJECT_COLUMNS, COLLECTED_COLUMNS)


def write(folder: Path, content: str, name: str = "trial.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def rows_of(table: TextTable, *names: str) -> list[tuple[str, ...]]:
    return [tuple(table.columns[name].text(row) for name in names) for row in range(len(table))]


HEADERS = [
    # source                   headers                                                         canonical
    ("pyrecist", "patient_id,study_date,measurement,lesion_label_alias,lesion_category",
     "subject,date,diameter_mm,lesion,role"),
    ("TrialMaster", "SUBJID,RCDT,RCTLSITE,RCTLDIAM,RCTLMOD", "subject,date,organ,diameter_mm,modality"),
    ("OHIF, older", "Patient ID,Study Date,Label,Length (mm),Width (mm)", "subject,date,lesion,longest_mm,short_mm"),
    ("OHIF, newer", "Patient ID,Study Date,Label,Length,Width,Unit", "subject,date,lesion,longest_mm,short_mm,unit"),
    ("SDTM names", "USUBJID,VISIT,TRLNKID,TUORRES,LDIAM,LPERP,TRDTC",
     "subject,timepoint,lesion,role,longest_mm,short_mm,date"),
    ("spaces and capitals", "Subject ID,Visit Name,Lesion No.,Role,Longest Diameter,Short axis [mm]",
     "subject,timepoint,lesion,role,longest_mm,short_mm"),
    ("attenuation", "patient,tp,lesion_id,role,LD,mean_HU", "subject,timepoint,lesion,role,longest_mm,attenuation_hu"),
    ("HU as unit", "patient,tp,lesion_id,role,LD,Density (HU)",
     "subject,timepoint,lesion,role,longest_mm,attenuation_hu"),
    ("square millimetres", "patient,tp,lesion_id,role,Area (mm²)", "subject,timepoint,lesion,role,area_mm2"),
    ("usubjid before subjid", "SUBJID,USUBJID,tp,lesion,role", "SUBJID,subject,timepoint,lesion,role"),
    ("visit before visitnum", "subject,VISITNUM,VISIT,lesion,role", "subject,VISITNUM,timepoint,lesion,role"),
    ("canonical before alias", "subject,timepoint,lesion,label,role", "subject,timepoint,lesion,label,role"),
    ("square cm is no diameter", "subject,timepoint,lesion,role,area_cm2", "subject,timepoint,lesion,role,area_cm2"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "expected"), [case[1:] for case in HEADERS], ids=[case[0] for case in HEADERS])
def test_headers_become_canonical(tmp_path: Path, headers: str, expected: str) -> None:
    cells = [f"202401{day:02d}" for day in range(1, headers.count(",") + 2)]  # distinct, and good dates too
    table = read_table(write(tmp_path, f"{headers}\n{','.join(cells)}\n")).table
    for header, name, cell in zip(headers.split(","), expected.split(","), cells, strict=True):
        assert table.columns[name].text(0) == cell
        assert header == name or f"{name}: column '{header}'" in table.notes


@pytest.mark.parametrize("columns", SPECIFICATIONS)
def test_an_alias_means_one_column(columns: dict[str, object]) -> None:
    aliases = [alias for name, names in ALIASES.items() if name in columns for alias in names.split()]
    assert len(aliases) == len(set(aliases))


def test_aliases_are_of_columns_and_companions_are_aliases() -> None:
    assert set(ALIASES) <= {name for columns in SPECIFICATIONS for name in columns}
    aliases = {alias for names in ALIASES.values() for alias in names.split()}
    assert {alias for group in COMPANIONS for alias in group} <= aliases


def test_unknown_columns_keep_their_names(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "subject,timepoint,lesion,role,SUVmax\nS1,1,T1,target,4.2\n")).table
    assert table.columns["SUVmax"].text(0) == "4.2"
    assert "kept under their own names: 'SUVmax'" in table.notes


def test_the_date_stands_for_a_timepoint_that_is_not_there(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "subject,study_date,lesion,role,LD\nS1,20200101,T1,target,20\n")).table
    assert table.columns["timepoint"].text(0) == "20200101"
    assert any(note.startswith("timepoint: the date") for note in table.notes)


LABELS = [
    # id, labels, and lesion, role, organ of the first row; None: all as they were
    ("number, role, organ", ["1|Target|Lymph_Node", "2|Non-Target|Liver"], ("Target 1", "Target", "Lymph Node")),
    ("role first", ["Target|1", "New|1"], ("Target 1", "Target", None)),
    ("not all of them", ["1|Target|Liver", "Lesion 2"], None),
    ("no role in them", ["1|Liver|left", "2|Lung|right"], None),
]


@pytest.mark.parametrize(("labels", "expected"), [case[1:] for case in LABELS], ids=[case[0] for case in LABELS])
def test_labels_are_taken_apart_where_they_are_clear(
    tmp_path: Path, labels: list[str], expected: tuple[str | None, ...] | None
) -> None:
    body = "".join(f"S1,2020-01-01,{label},20\n" for label in labels)
    table = read_table(write(tmp_path, f"Patient ID,Study Date,Label,Length (mm)\n{body}")).table
    if expected is None:
        assert "role" not in table.columns
        assert table.columns["lesion"].texts() == labels
    else:
        assert (
            tuple(
                column.text(0) if (column := table.columns.get(name)) else None for name in ("lesion", "role", "organ")
            )
            == expected
        )


def test_trialmaster_rows_are_targets_named_by_their_site(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "SUBJID,RCDT,RCTLSITE,RCTLDIAM\nS1,2020-01-01,Liver,20\n")).table
    assert rows_of(table, "lesion", "role", "organ", "diameter_mm") == [("Liver", "target", "Liver", "20")]


def test_roles_in_the_lesion_type_column(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "subject,visit,lesion,lesion type,LD\nS1,1,A,Non-Target,20\n")).table
    assert rows_of(table, "role") == [("Non-Target",)]
    assert "lesion_type" not in table.columns


UNITS = [
    # id                                headers                     cells           unit texts; None: no column
    ("cm in the header", "LD (cm)", "2.1", "cm"),
    ("cm as suffix", "longest_cm", "2.1", "cm"),
    ("mm in the header", "LD (mm)", "21", None),
    ("cm, and a blank unit column", "LD (cm),unit", "2.1,", "cm"),
    ("a unit column alone", "LD,unit", "2.1,cm", "cm"),
]


@pytest.mark.parametrize(("headers", "cells", "unit"), [case[1:] for case in UNITS], ids=[case[0] for case in UNITS])
def test_units(tmp_path: Path, headers: str, cells: str, unit: str | None) -> None:
    path = write(tmp_path, f"subject,timepoint,lesion,role,{headers}\nS1,1,T1,target,{cells}\n")
    table = read_table(path).table
    assert (table.columns["unit"].text(0) if "unit" in table.columns else None) == unit
    assert Measurements.from_table(table).number("longest_mm").tolist() == [21_000]  # 21 mm in micrometres


@pytest.mark.parametrize(
    ("headers", "cells"),
    [("LD (cm),short axis (mm)", "2.1,9"), ("LD (cm),short_mm", "2.1,9"), ("LD (cm),unit", "2.1,mm")],
)
def test_units_that_contradict_each_other(tmp_path: Path, headers: str, cells: str) -> None:
    with pytest.raises(InputError, match=r"cm.*mm"):
        read_table(write(tmp_path, f"subject,timepoint,lesion,role,{headers}\nS1,1,T1,target,{cells}\n"))


MAPPING = """
unit = "cm"
decimal = ","
date_format = "DD/MM/YYYY"
[columns]
subject = "PatNr"
longest_mm = "Groesse"
[values.role]
"1" = "target"
"2" = "non_target"
"""


def test_a_mapping_file_says_everything(tmp_path: Path) -> None:
    mapping = read_mapping(write(tmp_path, MAPPING, "map.toml"))
    body = "PatNr;visit;scan date;lesion;role;Groesse\n7;1;31/12/2020;A;1;2,1\n7;2;2021-02;A;2;2,5\n"
    read = read_table(write(tmp_path, body), mapping=mapping)
    assert read.decimal == ","
    assert rows_of(read.table, "subject", "date", "role", "unit", "longest_mm") == [
        ("7", "2020-12-31", "target", "cm", "2,1"),
        ("7", "2021-02", "non_target", "cm", "2,5"),  # a partial date stays as it is
    ]
    for note in (
        "longest_mm: column 'Groesse'",
        "role: values '1' as target, '2' as non_target",
        "unit: cm, as the mapping says",
    ):
        assert note in read.table.notes


def test_the_mapping_comes_before_names_and_aliases(tmp_path: Path) -> None:
    path = write(tmp_path, "subject,visit,visit2,lesion,role\nS1,a,b,T1,target\n")
    table = read_table(path, mapping={"timepoint": "visit2"}).table
    assert table.columns["timepoint"].text(0) == "b"
    assert table.columns["visit"].text(0) == "a"
    path = write(tmp_path, "subject,timepoint,lesion,role,longest_mm,second read\nS1,1,T1,target,20,21\n")
    table = read_table(path, mapping=ColumnMapping(columns={"longest_mm": "second read"})).table
    assert table.columns["longest_mm"].text(0) == "21"
    assert any("'longest_mm' was left out" in note for note in table.notes)


WRONG_MAPPINGS = [
    # id                      mapping                                            told
    ("unknown canonical", {"longst_mm": "LD"}, "longest_mm"),
    ("missing column", {"longest_mm": "LDD"}, "one of LD"),
]


@pytest.mark.parametrize(
    ("mapping", "told"), [case[1:] for case in WRONG_MAPPINGS], ids=[case[0] for case in WRONG_MAPPINGS]
)
def test_a_mapping_that_does_not_fit(tmp_path: Path, mapping: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_table(write(tmp_path, "subject,visit,lesion,role,LD\nS1,1,T1,target,20\n"), mapping=mapping)


WRONG_FILES = [
    ("no TOML", "columns: x", "no TOML"),
    ("unknown key", 'uint = "cm"', "unknown key 'uint'"),
    ("unknown unit", 'unit = "inch"', "unit 'inch'"),
    ("unknown mark", 'decimal = ";"', "decimal ';'"),
    ("columns of numbers", "[columns]\nsubject = 1", "no table of texts"),
    ("values without a column", '[values]\n"1" = "target"', "values.role"),
]


@pytest.mark.parametrize(("content", "told"), [case[1:] for case in WRONG_FILES], ids=[case[0] for case in WRONG_FILES])
def test_mapping_files_that_are_wrong(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_mapping(write(tmp_path, content, "map.toml"))


def test_all_faults_of_a_mapping_file_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown key 'a'.*unit 'inch'"):
        read_mapping(write(tmp_path, 'a = 1\nunit = "inch"', "map.toml"))
    with pytest.raises(InputError, match="No such file"):
        read_mapping(tmp_path / "absent.toml")


# --- Wide tables. Expected rows: (timepoint, longest or diameter, line), the rows of the first visit first.

WIDE = [
    # id                       headers after subject,lesion,role      cells of two rows              column         rows
    ("a visit per column", "Baseline,Week 8,Week 16", ["30,20,NE", "15,,12"], "diameter_mm",
     [("Baseline", "30", 2), ("Baseline", "15", 3), ("Week 8", "20", 2), ("Week 16", "NE", 2), ("Week 16", "12", 3)]),
    ("numbered quantities", "longest_mm_1,longest_mm_2", ["30,20", "15,12"], "longest_mm",
     [("1", "30", 2), ("1", "15", 3), ("2", "20", 2), ("2", "12", 3)]),
    ("visit after the quantity", "LD_baseline,LD_week8", ["30,20", "15,12"], "longest_mm",
     [("baseline", "30", 2), ("baseline", "15", 3), ("week8", "20", 2), ("week8", "12", 3)]),
    ("cycles", "C1D1,C3D1", ["30,20", ",12"], "diameter_mm", [("C1D1", "30", 2), ("C3D1", "20", 2), ("C3D1", "12", 3)]),
    ("dates", "2020-01-01,2020-03-01", ["30,20", "15,"], "diameter_mm",
     [("2020-01-01", "30", 2), ("2020-01-01", "15", 3), ("2020-03-01", "20", 2)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "cells", "column", "expected"), [case[1:] for case in WIDE], ids=[case[0] for case in WIDE]
)
def test_wide_tables_become_long(
    tmp_path: Path, headers: str, cells: list[str], column: str, expected: list[tuple[str, str, int]]
) -> None:
    body = "".join(f"S1,T{number},target,{row}\n" for number, row in enumerate(cells))
    path = write(tmp_path, f"subject,lesion,role,{headers}\n{body}")
    table = read_table(path).table
    lines = [table.where(row) for row in range(len(table))]
    assert [(*row, line) for row, (_, line) in zip(rows_of(table, "timepoint", column), lines, strict=True)] == expected
    assert {file for file, _ in lines} == {str(path)}
    assert any(note.startswith("wide table") for note in table.notes)


def test_wide_tables_with_dates_and_attenuation(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "subject,lesion,role,organ,Baseline LD (cm),Baseline date,Baseline HU,Week 8 LD (cm),Week 8 date,Week 8 HU\n"
        "S1,T1,target,liver,3.0,2020-01-01,80,2.0,2020-03-01,50\n"
        "S1,N1,new,lung,,2020-01-01,,1.1,2020-03-01,\n",
    )
    table = read_table(path).table
    assert rows_of(table, "lesion", "timepoint", "date", "longest_mm", "attenuation_hu", "unit") == [
        ("T1", "Baseline", "2020-01-01", "3.0", "80", "cm"),
        ("T1", "Week 8", "2020-03-01", "2.0", "50", "cm"),
        ("N1", "Week 8", "2020-03-01", "1.1", "", "cm"),
    ]  # a date alone makes no row


def test_dates_as_headers_are_the_dates(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "subject,lesion,role,2020-01-01,2020-03-01\nS1,T1,target,30,20\n")).table
    assert table.columns["date"].texts() == ["2020-01-01", "2020-03-01"]


def test_a_table_with_a_timepoint_is_long(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "subject,visit,lesion,role,LD_1,LD_2\nS1,1,T1,target,20,21\n")).table
    assert len(table) == 1
    assert {"LD_1", "LD_2"} <= set(table.columns)  # two reads perhaps, but not two visits


def test_numbered_columns_beside_a_date_are_no_visits(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "subject,date,lesion,role,LD_1,LD_2\nS1,2020-01-01,T1,target,20,21\n")).table
    assert rows_of(table, "timepoint", "LD_1", "LD_2") == [("2020-01-01", "20", "21")]
