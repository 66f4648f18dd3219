"""The file formats of SDTM: the same trial in each is the same; damaged files are told apart."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from response.errors import InputError, MissingExtraError
from response.io.sdtm import SdtmTables, is_sdtm, read_sdtm, sdtm_domain
from tests.io.sdtm_trials import rows_of, tr, tu, write

TU = [tu("T01", loc="LYMPH NODE"), tu("T02", loc="L\u00c9SION"), tu("T03")]
TR = [
    tr("T01", "1.0", "LPERP", "20.37"),
    tr("T02", "1.0", "LDIAM", "33.28"),
    tr("T03", "1.0", "LDIAM", "18.1"),
    tr("T02", "9.2", "LDIAM", "TOO SMALL TO MEASURE", VISIT="UNSCHEDULED", TRSTRESN="5", TRSTRESU="mm"),
]
NUMBERS = ("VISITNUM", "TRSTRESN")
COLUMNS = ("subject", "evaluator", "timepoint", "lesion", "role", "organ", "nodal", "state", "longest_mm", "short_mm")

Frames = dict[str, pd.DataFrame]


def frames(folder: Path) -> Frames:
    paths = {"TU": write(folder, "TU", TU), "TR": write(folder, "TR", TR)}
    return {domain: pd.read_csv(path, dtype=str, keep_default_na=False) for domain, path in paths.items()}


def numeric(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: pd.to_numeric(frame[name]) for name in NUMBERS if name in frame})


def write_xpt(frame: pd.DataFrame, path: Path, version: int) -> None:
    writer = pytest.importorskip("pyreadstat")
    writer.write_xport(numeric(frame), str(path), table_name=path.stem.upper(), file_format_version=version)


def metadata(domain: str, frame: pd.DataFrame) -> dict[str, Any]:
    columns = [
        {"itemOID": f"IT.{domain}.{name}", "name": name, "label": name, "dataType": "string"} for name in frame.columns
    ]
    return {
        "datasetJSONCreationDateTime": "2025-01-01T00:00:00",
        "datasetJSONVersion": "1.1.0",
        "records": len(frame),
        "name": domain,
        "label": domain,
        "columns": columns,
    }


def cells(frame: pd.DataFrame) -> list[list[Any]]:
    numbers = numeric(frame).astype(object)
    return [[None if pd.isna(cell) else cell for cell in row] for row in numbers.to_numpy().tolist()]


def write_json(domain: str, frame: pd.DataFrame, path: Path) -> None:
    path.write_text(json.dumps({**metadata(domain, frame), "rows": cells(frame)}, ensure_ascii=False), encoding="utf-8")


def write_ndjson(domain: str, frame: pd.DataFrame, path: Path) -> None:
    lines = [metadata(domain, frame), *cells(frame)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


WRITERS: dict[str, Callable[[str, pd.DataFrame, Path], object]] = {
    "xpt v5": lambda _, frame, path: write_xpt(frame, path, 5),
    "xpt v8": lambda _, frame, path: write_xpt(frame, path, 8),
    "dataset-json": write_json,
    "ndjson": write_ndjson,
    "csv, semicolons": lambda _, frame, path: frame.to_csv(path, sep=";", index=False),
    "csv, tabs and small letters": lambda _, frame, path: frame.rename(columns=str.lower).to_csv(
        path, sep="\t", index=False
    ),
    "csv, latin-1": lambda _, frame, path: frame.to_csv(path, index=False, encoding="latin-1"),
    "csv, utf-8 with mark": lambda _, frame, path: frame.to_csv(path, index=False, encoding="utf-8-sig"),
}


def written(folder: Path, form: str) -> list[Path]:
    paths = []
    for domain, frame in frames(folder).items():
        path = folder / f"{domain.lower()}.data"
        WRITERS[form](domain, frame, path)
        paths.append(path)
    return paths


def rounded(tables: SdtmTables) -> list[tuple[str, ...]]:
    return [
        tuple(str(float(cell)) if cell[:1].isdigit() else cell for cell in row) for row in rows_of(tables, *COLUMNS)
    ]


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_gives_the_same(form: str, tmp_path: Path) -> None:
    plain = read_sdtm([write(tmp_path, "TU", TU), write(tmp_path, "TR", TR)])
    paths = written(tmp_path, form)
    tables = read_sdtm(paths)
    assert [sdtm_domain(path) for path in paths] == ["TU", "TR"]
    assert all(is_sdtm(path) for path in paths)
    assert rounded(tables) == rounded(plain)
    assert tables.findings == []
    assert tables.measurements.lines.tolist() == [2, 3, 4, 5]  # row number + 1, in every format
    assert {"33.28", "18.1"} <= set(tables.measurements.column("longest_mm").values)  # no 33.279999
    assert {"1", "9.2"} == set(tables.measurements.column("timepoint").texts())


def test_version_8_says_which_extra_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "xpt v8")[1]
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(MissingExtraError, match=r"tumor-response\[sdtm\]"):
        read_sdtm([path])


def test_rows_that_do_not_fit_the_header_are_findings(tmp_path: Path) -> None:
    path = write(tmp_path, "TR", TR)
    lines = path.read_text().splitlines()
    lines[2] = lines[2] + ",one,more"
    lines.insert(4, "")
    path.write_text("\n".join(lines) + "\n")
    tables = read_sdtm([path])
    assert [(finding.id, finding.line) for finding in tables.findings] == [("unusable_row", 3)]
    assert sorted(tables.measurements.lines.tolist()) == [2, 4, 6]


def test_a_line_end_within_quotes_moves_the_line_numbers(tmp_path: Path) -> None:
    results = [tr("T01", "1", result="20", TRREASND="two\nlines"), tr("T02", "1", result="30")]
    assert read_sdtm([write(tmp_path, "TR", results)]).measurements.lines.tolist() == [2, 4]


def cut(form: str, bytes_from_end: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = written(folder, form)[1]
        path.write_bytes(path.read_bytes()[:-bytes_from_end])
        return path

    return make


def text_file(text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "broken"
        path.write_text(text)
        return path

    return make


def no_column(domain: str, rows: Sequence[Any], *names: str) -> Callable[[Path], Path]:
    return lambda folder: write(
        folder, domain, [{name: cell for name, cell in row.items() if name not in names} for row in rows]
    )


XPT_HEADER = "HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!".ljust(80, "0")
SHORT_NDJSON = '{"datasetJSONVersion":"1.1.0","records":3,"name":"TR","columns":[{"name":"DOMAIN"}]}\n["TR"]\n'
HEADER = "DOMAIN,USUBJID,TRLNKID,TRTESTCD,TRORRES,VISITNUM"
BROKEN: list[tuple[str, Callable[[Path], Path], str]] = [
    ("XPT cut off within a record", cut("xpt v5", 33), "damaged SAS transport file"),
    ("XPT cut off between records, within an observation", cut("xpt v5", 160), "the last record is cut off"),
    ("XPT v8 cut off within a record", cut("xpt v8", 33), "damaged SAS transport file"),
    ("XPT of a header only", text_file(XPT_HEADER), "0 data sets"),
    ("Dataset-JSON cut off", cut("dataset-json", 20), "JSON that cannot be read"),
    ("NDJSON cut off within a line", cut("ndjson", 20), "JSON that cannot be read"),
    ("NDJSON that lacks announced records", text_file(SHORT_NDJSON), "1 of 3 records"),
    ("Dataset-JSON 1.0", text_file('{"datasetJSONVersion":"1.0.0","clinicalData":{}}'), "Dataset-JSON 1.0"),
    ("JSON of something else", text_file('{"patients": []}'), "no columns"),
    ("JSON with columns but no rows", text_file('{\n"columns":[{"name":"DOMAIN"}]}'), "no rows"),
    ("a list of JSON", text_file("[1, 2]"), "unreadable, empty or binary"),
    ("an empty file", text_file(""), "unreadable, empty or binary"),
    ("a binary file", text_file("DOMAIN\0TR"), "unreadable, empty or binary"),
    ("no file", lambda folder: folder / "gone.csv", "unreadable, empty or binary"),
    ("no SDTM columns", text_file("a,b\n1,2\n"), "the columns A, B"),
    ("header only", text_file(HEADER + "\n"), "an empty TR data set"),
    ("two columns of one name", text_file(HEADER + ",TRORRES\nTR,S1,T1,LDIAM,20,1,20\n"), "two columns TRORRES"),
    ("TR without result", no_column("TR", TR, "TRORRES", "TRSTRESC", "TRSTRESN"), "TRORRES or TRSTRESC or TRSTRESN"),
    ("TR without visit", no_column("TR", TR, "VISITNUM", "VISIT"), "VISITNUM or VISIT or TRDTC"),
    ("TR without lesion or group", no_column("TR", TR, "TRLNKID", "TRGRPID"), "TRLNKID or TRGRPID"),
    ("TU without link id", no_column("TU", TU, "TULNKID"), "TULNKID"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "make", "found"), BROKEN, ids=[case[0] for case in BROKEN])
def test_broken_files_are_told_apart(why: str, make: Callable[[Path], Path], found: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    with pytest.raises(InputError) as caught:
        read_sdtm([path])
    error = caught.value
    assert found in error.found, why
    assert str(path) in error.where
    assert error.expected
    assert error.remedy


def test_a_subject_column_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "tr.csv"
    path.write_text("DOMAIN,TRLNKID,TRTESTCD,TRORRES,VISITNUM\nTR,T1,LDIAM,20,1\n")
    with pytest.raises(InputError, match="USUBJID"):
        read_sdtm([path])


def test_a_damaged_transport_file_is_still_for_this_reader(tmp_path: Path) -> None:
    assert is_sdtm(cut("xpt v5", 33)(tmp_path))
    assert is_sdtm(cut("dataset-json", 20)(tmp_path))
    assert not is_sdtm(text_file('{"patients": []}')(tmp_path))
