"""What is fetched of a study: byte for byte, only what is needed, and for this user alone."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from response.errors import OutputError
from tests.pacs_stub import archive, instance
from tests.pacs_study import CT_A, CT_B, FILES, MASK, REPORT, contents, ct, fetch, leftovers, referring, seg, told

# --- What is fetched.

WANTED = [
    # what                                         on the server                       all images  fetched
    ("the series that the mask refers to",          FILES,                              False, [*CT_A, MASK, REPORT]),
    ("all images on request",                       FILES,                              True,
     [*CT_A, *CT_B, MASK, REPORT]),
    ("reports need no images",                      [*CT_A, REPORT],                    False, [REPORT]),
    ("images alone, on request",                    CT_B,                               True,  CT_B),
    ("a mask that refers to two series",            [*CT_A, *CT_B, seg("1.1.7", "1.1.1", "1.1.2")], False,
     [*CT_A, *CT_B, seg("1.1.7", "1.1.1", "1.1.2")]),
    ("a mask that does not say where it belongs",   [*CT_A, *CT_B, seg("1.1.7")],       False,
     [*CT_A, *CT_B, seg("1.1.7")]),
    ("two masks, one of which does not say",        [*CT_A, *CT_B, MASK, seg("1.1.7")], False,
     [*CT_A, *CT_B, MASK, seg("1.1.7")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "all_images", "expected"), [row[1:] for row in WANTED], ids=[row[0] for row in WANTED]
)
def test_what_is_fetched(files: list[bytes], all_images: bool, expected: list[bytes], tmp_path: Path) -> None:
    fetched, _ = fetch(archive(files), tmp_path, all_images=all_images)
    assert contents(fetched) == sorted(expected)
    assert fetched.findings == ()
    assert leftovers(tmp_path) == []


def test_where_files_stand(tmp_path: Path) -> None:
    fetched, _ = fetch(archive(FILES), tmp_path)
    assert fetched.files[0] == tmp_path / "1.1" / "1.1.1" / "1.1.1.1.dcm"
    assert list(fetched.files) == sorted(fetched.files)


def test_a_series_of_another_modality_that_a_mask_refers_to(tmp_path: Path) -> None:
    odd = instance("1.1", "1.1.4", "1.1.4.1", modality="NM")
    fetched, _ = fetch(archive([odd, seg("1.1.7", "1.1.4")]), tmp_path)
    assert contents(fetched) == sorted([odd, seg("1.1.7", "1.1.4")])


def test_a_series_of_another_study_that_a_mask_refers_to(tmp_path: Path) -> None:
    other = Dataset()
    other.StudyInstanceUID, other.ReferencedSeriesSequence = "1.5", referring("1.5.1")
    mask = seg("1.1.7", StudiesContainingOtherReferencedInstancesSequence=[other])
    earlier = [ct("1.5.1", number, study="1.5") for number in (1, 2)]
    fetched, _ = fetch(archive([*CT_A, *earlier, mask]), tmp_path)
    assert contents(fetched) == sorted([*earlier, mask])


@pytest.mark.parametrize("named", ["1.1", "7.7", None])
def test_structures_refer_to_series_in_their_own_way(named: str | None, tmp_path: Path) -> None:
    frame, study = Dataset(), Dataset()
    study.RTReferencedSeriesSequence = referring("1.1.2")
    if named is not None:  # some writers give it a UID of its own
        study.ReferencedSOPInstanceUID = named
    frame.RTReferencedStudySequence = [study]
    structures = instance(
        "1.1", "1.1.6", "1.1.6.1", modality="RTSTRUCT", sop_class="1.2.840.10008.5.1.4.1.1.481.3",
        ReferencedFrameOfReferenceSequence=[frame],
    )  # fmt: skip
    fetched, _ = fetch(archive([*CT_A, *CT_B, structures]), tmp_path)
    assert contents(fetched) == sorted([*CT_B, structures])


def test_a_series_that_a_mask_refers_to_is_not_there(tmp_path: Path) -> None:
    fetched, _ = fetch(archive([*CT_B, MASK]), tmp_path)
    assert contents(fetched) == [MASK]
    assert told(fetched) == [("series_not_fetched", "HTTP status 404 (Not Found)")]


def test_a_study_without_series(tmp_path: Path) -> None:
    fetched, _ = fetch(archive([]), tmp_path)
    assert (fetched.files, [finding.id for finding in fetched.findings]) == ((), ["study_without_series"])


def test_files_of_later_masks_are_counted(tmp_path: Path) -> None:
    counts: list[int] = []
    fetch(archive(FILES), tmp_path, progress=counts.append)
    assert counts == [1, 2, 7]


# --- Who may read it.


def test_only_this_user_can_read_what_is_fetched(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "deep"
    fetch(archive(FILES), folder)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (folder / "1.1").rglob("*") if path.is_dir()}
    assert modes == {0o700}
    assert stat.S_IMODE((folder / "1.1").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*.dcm")} == {0o600}


def test_a_folder_that_is_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "1.1").mkdir(mode=0o777)
    (tmp_path / "1.1").chmod(0o777)
    fetch(archive(FILES), tmp_path)
    assert stat.S_IMODE((tmp_path / "1.1").stat().st_mode) == 0o700


def test_a_folder_that_leads_elsewhere_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "1.1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError):
        fetch(archive(FILES), tmp_path)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(OutputError, match="another user"):
        fetch(archive(FILES), tmp_path)


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("response.io.dicomweb_fetch.os.open", full)
    with pytest.raises(OutputError, match="No space left"):
        fetch(archive(FILES), tmp_path)
