"""The criterion passes the suite that every criterion must pass; thresholds by hand; the reader gives what it read."""

from dataclasses import replace
from pathlib import Path

import pytest
from volumetric_response.lesiondesk import LESIONDESK
from volumetric_response.rules import NAME, VOLUMETRIC

import response
from response.plugins import InputError
from response.testing import CriterionSuite, assess_by, made_up_trial

DATA = Path(__file__).parent.parent / "data"

# By hand, one thousandth of a mm3 decides: 35 % of 20000 is 7000; 173 % of 8000 is 13840; 173 % of 12000 is 20760.
# The node is normal (9 mm), so all targets are gone, although it still has a volume.
EXPECTED = {
    "gone": ["CR"],
    "fallen-by-65": ["PR"],
    "fallen-by-less": ["SD"],
    "grown-by-73": ["SD", "PD"],
    "grown-by-less": ["SD", "SD"],
    "without-volume": ["NE"],
    "without-diameter": ["PR", "NE"],
    "proven-in-part": ["PD"],
    "normal-node": ["CR"],
    "new-lesion": ["PD"],
}


class TestSuite(CriterionSuite):
    """Collects the suite; the second trial reaches the rule that stands under an option alone."""

    criterion = VOLUMETRIC
    trials = (
        replace(made_up_trial(2), options=f'[{NAME}]\nnt_partial_ne = "noncr_if_any_present"'),
        replace(made_up_trial(3), options=f"[{NAME}]\nvolumetric_pr_percent = 66\nvolumetric_pd_percent = 40"),
    )


def responses(options: str = "") -> dict[str, list[str]]:
    """Return the responses after baseline of the subjects in the sample data, under some options."""
    protocol = response.Protocol.from_toml(f"[{NAME}]\n{options}")
    found = assess_by(VOLUMETRIC, response.read(DATA / "measurements.csv"), protocol).timepoints
    later = found[(found["criterion"] == NAME) & (found["timepoint"] != "0")]
    return {str(subject): list(rows["overall"]) for subject, rows in later.groupby("subject")}


def test_thresholds_by_hand() -> None:
    assert responses() == EXPECTED


@pytest.mark.parametrize(
    ("option", "subject", "expected"),
    [
        ("volumetric_pr_percent = 66", "fallen-by-65", ["SD"]),
        ("volumetric_pd_percent = 40", "grown-by-less", ["SD", "PD"]),
    ],
)
def test_an_option_decides(option: str, subject: str, expected: list[str]) -> None:
    assert responses(option) == EXPECTED | {subject: expected}


def test_a_study_bases_a_criterion_of_its_own_on_it() -> None:
    study = '[criterion.study-x]\nbased_on = "volumetric"\nsource = "8.2"\npr_percent = -66\npd_percent = 40'
    found = response.assess(
        response.read(DATA / "measurements.csv"), criteria=["study-x"], protocol=response.Protocol.from_toml(study)
    ).timepoints
    later = found[(found["criterion"] == "study-x") & (found["timepoint"] != "0")]
    overall = {str(subject): list(rows["overall"]) for subject, rows in later.groupby("subject")}
    assert overall == EXPECTED | {"fallen-by-65": ["SD"], "grown-by-less": ["SD", "PD"]}
    assert (later["study_x_sum"] != "").all()


def test_the_reader_gives_the_rows_of_an_export_with_their_lines() -> None:
    table = LESIONDESK.read(DATA / "patient-7.lesiondesk")
    assert table.column("volume_mm3").texts()[:3] == ["30000.000", "10000.000", ""]
    assert (table.column("timepoint").text(3), table.column("date").text(3)) == ("1", "2024-03-04")
    assert table.where(3)[1] == 7


def test_the_reader_leaves_other_files_alone() -> None:
    assert LESIONDESK.can_read(DATA / "patient-7.lesiondesk")
    assert not LESIONDESK.can_read(DATA / "measurements.csv")
    assert not LESIONDESK.can_read(DATA)


@pytest.mark.parametrize("line", ["A target liver 40.0 31.0", "A target liver 40.0 31.0 thirty"])
def test_a_line_that_cannot_be_read_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.lesiondesk"
    file.write_text(f"LesionDesk export of P\nstudy 2024-01-08 0\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"wrong\.lesiondesk:3"):
        LESIONDESK.read(file)
