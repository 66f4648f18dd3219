"""Which series stands beside another as the one without contrast medium: by headers alone, and never by chance."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from response.findings import Finding
from response.io.dicom_headers import scan
from response.io.images import split_series
from response.io.paired_series import find_unenhanced
from tests.dicom_factory import axial_grid, write_ct_series

GRID = axial_grid((2, 4, 4))
STUDY, FRAME = "1.2.3", "1.2.3.9"
IMAGE = "1.2.3.1"

Series = dict[str, Any]
Found = tuple[list[str], Finding | None]

CT: Series = {"description": "Portal venous", "contrast_agent": "iodine"}
PLAIN: Series = {"description": "Native"}
NO_FRAME: Series = {"FrameOfReferenceUID": None}
MR: Series = {
    "modality": "MR",
    "description": "T1 vibe",
    "contrast_agent": "Gadolinium",
    "tags": {"AcquisitionTime": "101500", "SequenceName": "*fl3d1", "RepetitionTime": 4.0, "EchoTime": 1.5},
}


def mr(**tags: Any) -> Series:
    """Return the series before contrast medium, with other elements."""
    own = {**MR["tags"], "AcquisitionTime": "100000", **tags}
    return {**MR, "contrast_agent": "", "tags": own}


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Found]:
    """Return a function that writes a series and others of its study, and tells which of them is found beside it."""

    def write(number: int, series: Series) -> None:
        told = {"study_uid": STUDY, "frame_of_reference_uid": FRAME, "series_uid": f"1.2.3.{number}", **series}
        write_ct_series(tmp_path / str(number), np.zeros(GRID.shape, np.int16), GRID, **told)

    def look(image: Series, *others: Series) -> Found:
        for number, series in enumerate((image, *others), 1):
            write(number, series)
        series = split_series(scan([tmp_path]).headers)
        found = find_unenhanced(series[IMAGE], series)
        return sorted({path.parent.name for path in found.paths}), found.finding

    return look


CASES = [
    # why, the segmented series, the others, which of them is taken (by number, from 2), whether it is told
    ("CT without contrast medium", CT, [PLAIN], ["2"], False),
    ("nothing else", CT, [], [], False),
    ("contrast medium is not recorded of the segmented one", {}, [PLAIN], [], False),
    ("the segmented one has none either", PLAIN, [PLAIN], [], False),
    ("the segmented one contradicts itself", {**PLAIN, "contrast_agent": "iodine"}, [PLAIN], [], False),
    ("contrast medium is not recorded of the other", CT, [{"description": "Abdomen 5.0"}], [], False),
    ("another phase", CT, [{"description": "Arterial"}], [], False),
    ("the agent is named as none", CT, [{"contrast_agent": "NONE", "description": "without contrast"}], ["2"], False),
    ("headers that contradict each other", CT, [{"description": "Native", "contrast_agent": "iodine"}], [], False),
    ("a computed one", CT, [{"description": "Virtual non-contrast"}], [], False),
    ("a computed one, by its abbreviation", CT, [{"description": "VNC native"}], [], False),
    ("another modality", CT, [{**mr(), "description": "T1 native"}], [], False),
    ("another study", CT, [{**PLAIN, "study_uid": "1.2.4"}], [], False),
    ("another subject", CT, [{**PLAIN, "subject": "S2"}], [], False),
    ("another frame of reference", CT, [{**PLAIN, "frame_of_reference_uid": "9.9"}], [], True),
    ("no frame of reference is told", {**CT, "tags": NO_FRAME}, [{**PLAIN, "tags": NO_FRAME}], [], True),
    ("of two frames, the same one", CT, [{**PLAIN, "frame_of_reference_uid": "9.9"}, PLAIN], ["3"], False),
    ("two", CT, [PLAIN, PLAIN], [], True),
    ("two, of which one has the same kernel", CT, [{**PLAIN, "kernel": "B70f"}, PLAIN], ["3"], False),
    ("two, of which one has the same thickness", CT, [PLAIN, {**PLAIN, "thickness": 1.0}], ["2"], False),
    ("two, and neither is alike", CT, [{**PLAIN, "kernel": "B70f"}, {**PLAIN, "thickness": 1.0}], [], True),
    ("one with another kernel", CT, [{**PLAIN, "kernel": "B70f"}], ["2"], False),
    ("MR, the same sequence before", MR, [mr()], ["2"], False),
    ("MR, said to be before, whenever that was", MR, [{**mr(AcquisitionTime=None), "description": "T1 pre contrast"}],
     ["2"], False),
    ("MR, the same sequence, at no known time", MR, [mr(AcquisitionTime=None)], [], False),
    ("MR, the same sequence after it, of which no agent is told", MR, [mr(AcquisitionTime="103000")], [], False),
    ("MR, said to be before and after", MR, [{**mr(), "description": "T1 native arterial"}], [], False),
    ("MR, at the same time", MR, [mr(AcquisitionTime="101500")], [], False),
    ("MR, whose agent nobody records", {**MR, "contrast_agent": "", "description": "T1 post contrast"}, [mr()], [],
     False),
    ("MR, another sequence", MR, [mr(SequenceName="*tse2d1")], [], False),
    ("MR, an unnamed sequence", MR, [mr(SequenceName=None)], ["2"], False),
    ("MR, TR as rounded", MR, [mr(RepetitionTime=4.03)], ["2"], False),
    ("MR, another TR", MR, [mr(RepetitionTime=4.1)], [], False),
    ("MR, another TE", MR, [mr(EchoTime=2.5)], [], False),
    ("MR, a subtraction", MR, [mr(ImageType=["DERIVED", "PRIMARY", "SUB"])], [], False),
    ("MR, fat is suppressed in one", {**MR, "tags": {**MR["tags"], "ScanOptions": "FS"}}, [mr(ScanOptions="PFP")], [],
     False),
    ("MR, two before", MR, [mr(), mr()], [], True),
    ("PET has none", {"modality": "PT", "contrast_agent": "x"}, [{"modality": "PT", "description": "native"}], [],
     False),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_which_series_is_taken(
    look: Callable[..., Found], case: tuple[str, Series, list[Series], list[str], bool]
) -> None:
    _, image, others, taken, told = case
    found, finding = look(image, *others)
    assert (found, finding is not None) == (taken, told)


def test_several_are_named_with_what_to_do(look: Callable[..., Found]) -> None:
    _, finding = look(CT, PLAIN, PLAIN)
    assert finding is not None
    assert (finding.id, finding.severity, finding.subject) == ("unenhanced_not_used", "info", "S1")
    assert finding.found == "series 1.2.3.2, series 1.2.3.3"
    assert "--pairs" in finding.remedy


def test_a_series_that_cannot_be_read_is_none(look: Callable[..., Found], tmp_path: Path) -> None:
    look(CT, PLAIN)
    series = split_series(scan([tmp_path]).headers)
    for path in (tmp_path / "2").iterdir():
        path.write_bytes(path.read_bytes()[:300])
    assert find_unenhanced(series[IMAGE], series).paths == ()
    for path in (tmp_path / "2").iterdir():
        path.unlink()
    assert find_unenhanced(series[IMAGE], series).paths == ()


def test_nothing_is_opened_where_no_series_may_fit(tmp_path: Path) -> None:
    write_ct_series(tmp_path, np.zeros(GRID.shape, np.int16), GRID, series_uid=IMAGE, **CT)
    series: Mapping[str, Any] = split_series(scan([tmp_path]).headers)
    for path in tmp_path.iterdir():
        path.unlink()
    assert find_unenhanced(series[IMAGE], series).paths == ()
