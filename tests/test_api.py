"""Reading a trial as a library: kinds of files, several at once, data frames, readers of other packages."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import response
from response import readers
from response.errors import InputError, ProtocolError
from response.table import TableError, TextColumn, TextTable

ROWS = [
    ("S-1", "0", "2024-01-02", "T1", "target", "50"),
    ("S-1", "1", "2024-03-01", "T1", "target", "30.5"),
    ("S-2", "0", "2024-01-02", "T1", "target", "40"),
]
NAMES = ["subject", "timepoint", "date", "lesion", "role", "longest_mm"]


def frame_of(rows: Sequence[tuple[str, ...]] = ROWS) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=NAMES)


def text_of(rows: Sequence[tuple[str, ...]] = ROWS, delimiter: str = ",", decimal: str = ".") -> str:
    lines = [delimiter.join(NAMES), *(delimiter.join(row).replace(".", decimal) for row in rows)]
    return "\n".join(lines) + "\n"


def lengths(measurements: response.Measurements) -> list[int]:
    return [int(value) for value in measurements.number("longest_mm")]


UM = [50_000, 30_500, 40_000]
Writer = Callable[[Path], Path]


def _csv(folder: Path) -> Path:
    path = folder / "lesions.csv"
    path.write_text(text_of())
    return path


def _tsv(folder: Path) -> Path:
    path = folder / "lesions.tsv"
    path.write_text(text_of(delimiter="\t"))
    return path


def _comma(folder: Path) -> Path:
    path = folder / "comma.csv"
    path.write_text(text_of(delimiter=";", decimal=","))
    return path


def _excel(folder: Path) -> Path:
    path = folder / "lesions.xlsx"
    frame_of().to_excel(path, index=False)
    return path


def _parquet(folder: Path) -> Path:
    pytest.importorskip("pyarrow")
    path = folder / "lesions.parquet"
    frame_of().to_parquet(path)
    return path


@pytest.mark.parametrize("write", [_csv, _tsv, _comma, _excel, _parquet])
def test_every_kind_of_file_is_read(write: Writer, tmp_path: Path) -> None:
    measurements = response.read(write(tmp_path))
    assert lengths(measurements) == UM
    assert list(measurements.findings) == []


def test_a_data_frame_is_read() -> None:
    assert lengths(response.read(frame_of())) == UM


def test_a_path_may_be_a_text(tmp_path: Path) -> None:
    assert lengths(response.read(str(_csv(tmp_path)))) == UM


def test_files_of_different_kinds_stand_under_each_other(tmp_path: Path) -> None:
    other = [("S-3", "0", "2024-01-02", "T1", "target", "20.5")]
    comma = tmp_path / "comma.csv"
    comma.write_text(text_of(other, ";", ","))
    measurements = response.read([_csv(tmp_path), comma, frame_of(other)])
    assert lengths(measurements) == [*UM, 20_500, 20_500]
    assert measurements.table.where(3) == (str(comma), 2)
    assert any("decimal mark: comma" in note and "comma.csv" in note for note in measurements.table.notes)


def test_tables_beside_may_have_another_decimal_mark(tmp_path: Path) -> None:
    collected = tmp_path / "collected.csv"
    collected.write_text("subject;timepoint;overall;sum_mm\nS-1;1;PR;30,5\n")
    measurements = response.read(_csv(tmp_path), collected=collected)
    assert measurements.collected is not None
    assert measurements.collected.number("sum_mm").tolist() == [30_500]
    assert lengths(measurements) == UM


def test_all_tables_may_be_data_frames() -> None:
    measurements = response.read(
        frame_of(),
        visits=pd.DataFrame({"subject": ["S-1"], "timepoint": ["1"], "new_lesions": ["none"]}),
        subjects=pd.DataFrame({"subject": ["S-1", "S-2"], "site": ["01", "02"]}),
        collected=pd.DataFrame({"subject": ["S-1"], "timepoint": ["1"], "overall": ["PR"]}),
    )
    assert measurements.visits is not None
    assert measurements.subjects is not None
    assert measurements.collected is not None
    assert measurements.subjects.text_column("site").texts() == ["01", "02"]


def test_a_mapping_may_be_a_dict_or_a_file(tmp_path: Path) -> None:
    frame = frame_of().rename(columns={"longest_mm": "Laenge"})
    assert lengths(response.read(frame, mapping={"longest_mm": "Laenge"})) == UM
    path = tmp_path / "map.toml"
    path.write_text('[columns]\nlongest_mm = "Laenge"\n')
    assert lengths(response.read(frame, mapping=path)) == UM


def test_rows_that_do_not_fit_are_findings(tmp_path: Path) -> None:
    path = tmp_path / "lesions.csv"
    path.write_text(text_of() + "S-9,0\n")
    measurements = response.read(path)
    assert lengths(measurements) == UM
    assert [finding.line for finding in measurements.findings] == [5]


def test_sdtm_is_read_together_with_its_collected_responses(shared_data: Path) -> None:
    files = sorted((shared_data / "sdtm_recist").glob("*.csv"))
    measurements = response.read(files)
    assert measurements.collected is not None
    assert len(measurements.collected) > 0
    own = pd.DataFrame({"subject": ["X"], "timepoint": ["1"], "overall": ["PR"]})
    given = response.read(files, collected=own).collected
    assert given is not None
    assert given.text_column("subject").texts() == ["X"]  # what is given counts


REFUSED: list[tuple[str, Any, str]] = [
    ("nothing", [], "no file"),
    ("a file that is not there", "nowhere.csv", "no such file"),
    ("one file twice", ["x.csv", "./x.csv"], "given twice"),
    ("an empty frame", pd.DataFrame(columns=NAMES), "no rows"),
    ("a frame without roles", frame_of().drop(columns="role"), "role"),
]


@pytest.mark.parametrize(("what", "source", "told"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_read_is_refused(what: str, source: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        response.read(source)


def test_responses_alone_are_no_measurements(shared_data: Path) -> None:
    with pytest.raises(InputError, match="best"):
        response.read(shared_data / "sdtm_recist" / "rs_onco_recist_investigator.csv")


# --- best responses of collected ones


COLLECTED = pd.DataFrame(
    [("A", "1", "2024-03-01", "PR"), ("A", "2", "2024-05-01", "PR"), ("A", "3", "2024-07-01", "PD")],
    columns=["subject", "timepoint", "date", "overall"],
)


def test_best_response_of_a_frame_and_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "responses.csv"
    COLLECTED.to_csv(path, index=False)
    for source in (COLLECTED, path, str(path)):
        best = response.best_response(source)
        assert best[["best_response", "confirmed", "progression_date"]].to_numpy().tolist() == [
            ["PR", "Y", "2024-07-01"]
        ]


def test_best_response_takes_a_protocol_and_subjects(tmp_path: Path) -> None:
    protocol = tmp_path / "study.toml"
    protocol.write_text("[recist-1.1]\nconfirm_days = 90\n")
    subjects = pd.DataFrame({"subject": ["A", "B"], "site": ["7", "8"]})
    best = response.best_response(COLLECTED, protocol, subjects).set_index("subject")
    assert best.loc["A", "confirmed"] == "N"  # 61 days are fewer than 90
    assert best.loc["A", "site"] == "7"
    assert best.loc["B", "best_response"] == "NE"


def test_best_response_of_sdtm(shared_data: Path) -> None:
    best = response.best_response(shared_data / "sdtm_recist" / "rs_onco_recist_investigator.csv")
    assert len(best) > 0


def test_best_response_refuses_measurements_and_a_wrong_protocol() -> None:
    with pytest.raises(InputError, match="overall"):
        response.best_response(frame_of())
    with pytest.raises(ProtocolError, match="confirm_dayz"):
        response.best_response(COLLECTED, response.Protocol.from_toml("[recist-1.1]\nconfirm_dayz = 1"))


# --- readers of other packages


class OwnReader:
    """Reads files that begin with OWN."""

    def can_read(self, path: Path) -> bool:
        return path.read_bytes().startswith(b"OWN")

    def read(self, path: Path) -> TextTable:
        columns = {name: TextColumn.of(row[place] for row in ROWS) for place, name in enumerate(NAMES)}
        return TextTable.of(columns, str(path))


class BrokenReader:
    """Cannot even look."""

    def can_read(self, path: Path) -> bool:
        raise RuntimeError(f"no way: {path.read_text()}")


class HalfBrokenReader(OwnReader):
    """Looks, but cannot read."""

    def read(self, path: Path) -> TextTable:
        raise RuntimeError(path.read_text())


class OtherReader(OwnReader):
    """Reads, but gives no table of ours."""

    def read(self, path: Path) -> Any:
        return [path.read_text()]


class GreedyReader(OwnReader):
    """Claims whatever it is asked."""

    def can_read(self, path: Path) -> bool:
        return True


class HalfReader(OwnReader):
    """Gives a table whose columns differ in length."""

    def read(self, path: Path) -> TextTable:
        columns = {"subject": TextColumn.of(["S-1", "S-2"]), "lesion": TextColumn.of(["T1"])}
        return TextTable.of(columns, str(path))


OWN, BROKEN, HALF_BROKEN, OTHER = OwnReader(), BrokenReader(), HalfBrokenReader(), OtherReader()
GREEDY, HALF = GreedyReader(), HalfReader()


class _Entry(EntryPoint):
    """An entry point that is not looked up by name: the tests are no installed package."""

    def load(self) -> Any:
        return globals()[self.value.partition(":")[2]]


@pytest.fixture
def plug_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def install(*entries: tuple[str, str]) -> None:
        found = [_Entry(name, f"package:{value}", readers.GROUP) for name, value in entries]
        monkeypatch.setattr(readers, "entry_points", lambda group: found)
        readers._entries.cache_clear()

    yield install
    readers._entries.cache_clear()


def test_another_reader_is_asked_first(plug_ins: Callable[..., None], tmp_path: Path) -> None:
    plug_ins(("own", "OWN"))
    path = tmp_path / "lesions.own"
    path.write_text("OWN")
    assert lengths(response.read(path)) == UM
    assert lengths(response.read(_csv(tmp_path))) == UM  # not its kind: the built-in one


@pytest.mark.parametrize("value", ["BROKEN", "NOT_THERE"])
def test_a_broken_reader_is_named_and_passed_over(value: str, plug_ins: Callable[..., None], tmp_path: Path) -> None:
    plug_ins(("bad", value), ("own", "OWN"))
    measurements = response.read(_csv(tmp_path))
    assert lengths(measurements) == UM
    assert [finding.id for finding in measurements.findings] == ["broken_reader"]
    assert "'bad'" in measurements.findings[0].sentence
    assert "S-1" not in measurements.findings[0].sentence  # what the error says may be data of patients


def test_a_broken_reader_is_told_once_for_all_files(plug_ins: Callable[..., None], tmp_path: Path) -> None:
    plug_ins(("bad", "BROKEN"))
    paths = [tmp_path / f"{name}.csv" for name in "abc"]
    for path in paths:
        path.write_bytes(_csv(tmp_path).read_bytes())
    findings = response.read(paths).findings
    assert [finding.id for finding in findings].count("broken_reader") == 1


@pytest.mark.parametrize("value", ["HALF_BROKEN", "OTHER"])
def test_the_next_reader_takes_what_a_broken_one_cannot_read(
    value: str, plug_ins: Callable[..., None], tmp_path: Path
) -> None:
    plug_ins(("bad", value), ("own", "OWN"))
    path = tmp_path / "lesions.own"
    path.write_text("OWN")
    measurements = response.read(path)
    assert lengths(measurements) == UM
    assert [finding.id for finding in measurements.findings] == ["broken_reader"]


def test_two_readers_of_one_name_are_an_error(plug_ins: Callable[..., None], tmp_path: Path) -> None:
    plug_ins(("own", "OWN"), ("own", "BROKEN"))
    with pytest.raises(InputError, match="brought twice, by package:OWN and package:BROKEN"):
        response.read(_csv(tmp_path))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("HALF_BROKEN", r" with RuntimeError at [\w.]*test_api[\w.]*:\d+;"),
        ("OTHER", r"\(list in place of a response\.plugins TextTable\)"),
        ("HALF", r"\(column lesion has 1 rows, column subject 2\)"),
    ],
)
def test_a_reader_that_fails_on_its_file_is_named_where_nothing_else_reads_it(
    value: str, why: str, plug_ins: Callable[..., None], tmp_path: Path
) -> None:
    plug_ins(("mine", value))
    path = tmp_path / "lesions.own"
    path.write_text("OWN S-1")
    told = f"lesions.own: reader 'mine' \\(package:{value}\\) said that it can read the file, and failed"
    with pytest.raises(InputError, match=f"{told}.*{why}") as raised:
        response.read(path)
    assert "S-1" not in str(raised.value).partition("without it")[0]
    assert raised.value.__cause__ is not None  # whose traceback is shown with --debug


def test_a_reader_that_fails_when_asked_stands_behind_what_is_wrong(
    plug_ins: Callable[..., None], tmp_path: Path
) -> None:
    plug_ins(("mine", "BROKEN"))
    path = tmp_path / "p7.json"
    path.write_text("{}")
    with pytest.raises(
        InputError, match=r"p7.json: a JSON file; .*'mine'.* failed when it was asked with RuntimeError"
    ):
        response.read(path)


def test_the_notes_name_the_reader_of_a_file(plug_ins: Callable[..., None], tmp_path: Path) -> None:
    plug_ins(("own", "OWN"))
    path = tmp_path / "lesions.own"
    path.write_text("OWN")
    assert response.read(path).table.notes == ("read by reader 'own' (package:OWN)",)
    table = _csv(tmp_path)
    both = response.read([path, table]).table.notes
    assert [note for note in both if "read by" in note] == [f"{path}: read by reader 'own' (package:OWN)"]


@pytest.mark.parametrize("turn", [1, -1])
def test_two_readers_of_one_file_are_an_error_whichever_stands_first(
    turn: int, plug_ins: Callable[..., None], tmp_path: Path
) -> None:
    plug_ins(*[("own", "OWN"), ("greedy", "GREEDY")][::turn])
    path = tmp_path / "lesions.own"
    path.write_text("OWN")
    told = r"a file for reader 'greedy' \(package:GREEDY\) and for reader 'own' \(package:OWN\).*uninstall one"
    with pytest.raises(InputError, match=told):
        response.read(path)


def test_a_greedy_reader_is_not_asked_about_what_is_not_there(plug_ins: Callable[..., None], tmp_path: Path) -> None:
    plug_ins(("greedy", "GREEDY"))
    with pytest.raises(InputError, match="no such file"):
        response.read(tmp_path / "lost.csv")


# --- tables that a reader makes


ONE, TWO = TextColumn.of(["a"]), TextColumn.of(["a", "b"])
TABLE = TextTable.of({"subject": TWO}, "f")
MISMADE = [
    ("columns", lambda: TextTable.of({"subject": TWO, "lesion": ONE}, "f"), "lesion has 1 rows, column subject 2"),
    ("lines", lambda: TextTable.of({"subject": TWO}, "f", lines=[2]), "lines has 1 rows, column subject 2"),
    ("list", lambda: TextTable.of({"subject": ["a", "b"]}, "f"), "column subject is list; expected TextColumn"),  # type: ignore[dict-item]
    ("int", lambda: TextColumn.of(["a", 3]), "a cell that is int; expected text"),  # type: ignore[list-item]
    ("codes", replace(TABLE, columns={"subject": replace(TWO, values=["a"])}).check, "codes beyond its 1 values"),
    ("negative", replace(TABLE, columns={"subject": replace(TWO, codes=TWO.codes - 1)}).check, "codes beyond"),
    ("files", replace(TABLE, file_codes=TABLE.file_codes + 1).check, "file_codes has codes beyond its 1 values"),
    ("file codes", replace(TABLE, file_codes=TABLE.file_codes[:1]).check, "file_codes has 1 rows"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "why"), [row[1:] for row in MISMADE], ids=[row[0] for row in MISMADE])
def test_a_table_that_does_not_hold_together_is_refused(make: Callable[[], object], why: str) -> None:
    with pytest.raises(TableError, match=why):
        make()
