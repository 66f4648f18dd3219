"""Fetching studies: byte for byte, only what is needed, and whole or told, whatever the server and its network do."""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from response.errors import InputError, OutputError
from response.io import dicomweb_fetch
from response.io.dicomweb import Fetched, Pacs, PacsError, StudyRef
from tests.pacs_stub import Asked, Reply, Route, Stub, archive, instance, listed, multipart, serving

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
STUDY = StudyRef(study_instance_uid="1.1", subject="S1")


def referring(*series: str) -> list[Dataset]:
    items = []
    for uid in series:
        item = Dataset()
        item.SeriesInstanceUID = uid
        items.append(item)
    return items


def ct(series: str, number: int, study: str = "1.1", **more: Any) -> bytes:
    return instance(study, series, f"{series}.{number}", **more)


def seg(uid: str, *series: str, **more: Any) -> bytes:
    more = {"ReferencedSeriesSequence": referring(*series)} | more if series else more
    return instance("1.1", f"{uid}.0", uid, modality="SEG", sop_class=SEG, **more)


def sr(uid: str) -> bytes:
    return instance("1.1", f"{uid}.0", uid, modality="SR", sop_class="1.2.840.10008.5.1.4.1.1.88.33")


CT_A = [ct("1.1.1", number, padding=300) for number in range(1, 6)]
CT_B = [ct("1.1.2", number) for number in range(1, 3)]
MASK = seg("1.1.8", "1.1.1")
REPORT = sr("1.1.9")
FILES = [*CT_A, *CT_B, MASK, REPORT, instance("1.1", "1.1.3", "1.1.3.1", modality="US")]


def fetch(route: Route, folder: Path, *, study: StudyRef = STUDY, **options: Any) -> tuple[Fetched, Stub]:
    with serving(route) as stub, Pacs(stub.url, timeout=0.5, attempts=3, pause=0.001) as pacs:
        return pacs.fetch_study(study, folder, **options), stub


def contents(fetched: Fetched) -> list[bytes]:
    assert all(path.is_file() for path in fetched.files)
    return sorted(path.read_bytes() for path in fetched.files)


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".dcm"]


def told(fetched: Fetched) -> list[tuple[str, str]]:
    return [(finding.id, finding.found) for finding in fetched.findings]


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


# --- Servers and networks that fail.


def first(matches: Callable[[Asked], bool], *replies: Reply, then: Route | None = None) -> Route:
    """Return a server that gives the replies to the first requests that match, and then does well."""
    left = list(replies)

    def route(asked: Asked) -> Reply:
        if matches(asked) and left:
            return left.pop(0)
        return (then or archive(FILES))(asked)

    return route


def is_series(asked: Asked) -> bool:
    return asked.path.endswith("/series/1.1.1")


def is_instance(asked: Asked) -> bool:
    return "/series/1.1.1/instances/" in asked.path


def always(matches: Callable[[Asked], bool], reply: Reply) -> Route:
    return lambda asked: reply if matches(asked) else archive(FILES)(asked)


ALL_OF_A = multipart(CT_A)
CUT = replace(ALL_OF_A, cut=600)  # within the last but one
NO_LENGTH = {"Transfer-Encoding": "identity", "Connection": "close"}
UNTOLD_CUT = replace(ALL_OF_A, body=ALL_OF_A.body[:-600], headers=NO_LENGTH, kind=ALL_OF_A.kind)

RECOVERED = [
    # what                                                  what the server does with the series of images first
    ("a transfer that breaks off",                           [CUT]),
    ("a transfer that ends early without saying so",         [replace(ALL_OF_A, body=ALL_OF_A.body[:-600])]),
    ("out of order for a moment",                            [Reply(status=503), Reply(status=502)]),
    ("out of order for long, but for single files",          [Reply(status=504)] * 3),
    ("hanging up",                                           [Reply(hang_up=True)] * 3),
    ("a page to log in",                                     [Reply(kind="text/html", body=b"<html>")]),
    ("a zip file",                                           [Reply(kind="application/zip", body=b"PK")]),
    ("no boundary",                                          [replace(ALL_OF_A, kind="multipart/related")]),
    ("an empty body",                                        [replace(ALL_OF_A, body=b"")]),
    ("no parts",                                             [multipart([])]),
    ("only some of the files, status 206",                   [multipart(CT_A[:2], status=206)]),
    ("one that is no DICOM among them",                      [multipart([CT_A[0], b"<html>", *CT_A[2:]])]),
    ("one that is cut off among them",                       [multipart([CT_A[0], CT_A[1][:-100], *CT_A[2:]])]),
    ("no wildcard",                                          [Reply(status=406), Reply(status=406)]),
    ("bad request",                                          [Reply(status=400), Reply(status=400)]),
    ("a drip",                                               [replace(ALL_OF_A, slow=0.05)]),
]  # fmt: skip


@pytest.mark.parametrize("replies", [row[1] for row in RECOVERED], ids=[row[0] for row in RECOVERED])
def test_what_is_missing_is_fetched_file_by_file(replies: Sequence[Reply], tmp_path: Path) -> None:
    fetched, stub = fetch(first(is_series, *replies), tmp_path)
    assert contents(fetched) == sorted([*CT_A, MASK, REPORT])
    assert fetched.findings == ()
    assert leftovers(tmp_path) == []
    assert len([asked for asked in stub.asked if is_series(asked)]) <= 3  # bounded


def test_the_transfer_of_one_file_is_tried_again(tmp_path: Path) -> None:
    one = multipart(CT_A[:1])
    route = first(is_instance, replace(one, cut=100), replace(one, body=one.body[:-80]))
    fetched, _ = fetch(lambda asked: Reply(status=500) if is_series(asked) else route(asked), tmp_path)
    assert contents(fetched) == sorted([*CT_A, MASK, REPORT])


GIVEN_UP = [
    # what                        every answer to requests for images             said
    ("breaking off always",        CUT,                                           "a connection that broke off"),
    ("ending early always",        replace(ALL_OF_A, body=ALL_OF_A.body[:700]),   "ends before its last part"),
    ("out of order",               Reply(status=503, body=b"CANARY"),             "HTTP status 503"),
    ("hanging up",                 Reply(hang_up=True),                           "a connection that broke off"),
    ("not allowed",                Reply(status=403, body=b"CANARY"),             "HTTP status 403"),
    ("unknown user",               Reply(status=401, body=b"CANARY"),             "HTTP status 401"),
    ("not found, all of them",     Reply(status=404, body=b"CANARY"),             "HTTP status 404"),
    ("pages to log in",            Reply(kind="text/html", body=b"CANARY"),       "type 'text/html'"),
    ("silence",                    Reply(wait=1),                                 "within 0.5 s"),
    ("to another server",          Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}), "another server"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "said"), [row[1:] for row in GIVEN_UP], ids=[row[0] for row in GIVEN_UP])
def test_a_server_that_keeps_failing_is_given_up(reply: Reply, said: str, tmp_path: Path) -> None:
    with serving(always(lambda asked: is_series(asked) or _one(asked), reply)) as stub:
        with Pacs(stub.url, timeout=0.5, attempts=2, pause=0.001) as pacs, pytest.raises(PacsError) as error:
            pacs.fetch_study(STUDY, tmp_path)
        assert len(stub.asked) < 30
    assert said in str(error.value)
    assert "CANARY" not in str(error.value)
    assert leftovers(tmp_path) == []
    assert (tmp_path / "1.1" / "1.1.8.0" / "1.1.8.dcm").read_bytes() == MASK  # what was fetched stays


def _one(asked: Asked) -> bool:
    return is_instance(asked) and not asked.path.endswith("/instances")


OTHER = "another file, or none that is DICOM and whole"
MISSING = [
    # what                       the answer for one file                      finding
    ("not found",                 Reply(status=404, kind="text/plain"),        "HTTP status 404 (Not Found)"),
    ("the server breaks on it",   Reply(status=500, kind="text/plain"),      "HTTP status 500 (Internal Server Error)"),
    ("a page",                    Reply(kind="text/html", body=b"<html>"),     "an answer of the type 'text/html'"),
    ("no DICOM",                  multipart([b"<html>"]),                      OTHER),
    ("another study's file",      multipart([ct("1.1.1", 3, study="6.6")]),    OTHER),
    ("another file",              multipart([CT_A[0]]),                        OTHER),
    ("a damaged file",            multipart([CT_A[2][:-100]]),                 OTHER),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "found"), [row[1:] for row in MISSING], ids=[row[0] for row in MISSING])
def test_one_file_that_cannot_be_fetched_is_told(reply: Reply, found: str, tmp_path: Path) -> None:
    def route(asked: Asked) -> Reply:
        if asked.path.endswith("/1.1.1.3"):
            return reply
        return multipart([*CT_A[:2], *CT_A[3:]]) if is_series(asked) else archive(FILES)(asked)

    fetched, _ = fetch(route, tmp_path)
    assert contents(fetched) == sorted([*CT_A[:2], *CT_A[3:], MASK, REPORT])
    assert told(fetched) == [("instance_not_fetched", found)]
    (finding,) = fetched.findings
    assert "1.1.1.3" in finding.sentence
    assert finding.severity == "error"
    assert not (tmp_path / "6.6").exists()


def test_one_file_alone_may_come_without_parts(tmp_path: Path) -> None:
    def route(asked: Asked) -> Reply:
        reply = archive(FILES)(asked)
        if is_series(asked):
            return Reply(status=500)
        if _one(asked) and not reply.body.startswith(b"["):
            start = reply.body.index(b"\r\n\r\n") + 4
            return Reply(kind="application/dicom", body=reply.body[start : reply.body.rindex(b"\r\n--")])
        return reply

    fetched, _ = fetch(route, tmp_path)
    assert contents(fetched) == sorted([*CT_A, MASK, REPORT])


def test_the_wildcard_is_given_up_once_for_all(tmp_path: Path) -> None:
    def route(asked: Asked) -> Reply:
        return Reply(status=406) if "transfer-syntax=*" in asked.headers["Accept"] else archive(FILES)(asked)

    fetched, stub = fetch(route, tmp_path)
    assert contents(fetched) == sorted([*CT_A, MASK, REPORT])
    assert len([asked for asked in stub.asked if "transfer-syntax" in asked.headers["Accept"]]) == 1


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_a_server_that_does_not_list_instances(status: int, tmp_path: Path) -> None:
    def route(asked: Asked) -> Reply:
        return Reply(status=status) if asked.path.endswith("/instances") else archive(FILES)(asked)

    fetched, _ = fetch(first(is_series, CUT, then=route), tmp_path)
    assert contents(fetched) == sorted([*CT_A, MASK, REPORT])


def test_a_server_that_lists_no_instances_and_gives_none(tmp_path: Path) -> None:
    def route(asked: Asked) -> Reply:
        if asked.path.endswith("/instances"):
            return Reply(status=204, kind=None)
        return multipart([]) if is_series(asked) else archive(FILES)(asked)

    fetched, _ = fetch(route, tmp_path)
    assert [finding.id for finding in fetched.findings] == ["series_not_fetched"]


def test_a_broken_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    route = always(lambda asked: asked.path.endswith("/1.1.1.3") or is_series(asked), Reply(hang_up=True))
    with pytest.raises(PacsError):
        fetch(route, tmp_path)
    kept = tmp_path / "1.1" / "1.1.1" / "1.1.1.1.dcm"
    before = kept.stat().st_mtime_ns
    (tmp_path / "1.1" / "abc.part").write_bytes(b"what a killed run left")
    fetched, stub = fetch(archive(FILES), tmp_path)
    assert contents(fetched) == sorted([*CT_A, MASK, REPORT])
    got = [path for path in stub.paths() if not path.endswith(("/series", "/instances"))]
    assert got == [f"/studies/1.1/series/1.1.1/instances/1.1.1.{number}" for number in (3, 4, 5)]
    assert kept.stat().st_mtime_ns == before
    assert leftovers(tmp_path) == []


def test_instances_of_other_series_in_a_list_are_passed_over(tmp_path: Path) -> None:
    def route(asked: Asked) -> Reply:
        path = "/dicom-web/studies/1.1/instances" if asked.path.endswith("/instances") else asked.path
        return archive(FILES)(replace(asked, path=path))

    fetched, _ = fetch(route, tmp_path)
    assert contents(fetched) == sorted([*CT_A, MASK, REPORT])
    assert fetched.findings == ()


# --- Hostile answers.


@pytest.mark.parametrize("uid", ["../../outside", "/etc/passwd", "1.1.1/../../x", ".", "1..1", "1" * 100, "a.b"])
def test_hostile_uids_lead_nowhere(uid: str, tmp_path: Path) -> None:
    ours = tmp_path / "ours"

    def route(asked: Asked) -> Reply:
        if asked.path.endswith("/series"):
            items = [
                {"0020000E": {"vr": "UI", "Value": [name]}, "00080060": {"Value": ["CT"]}} for name in (uid, "1.1.1")
            ]
            return listed(items)
        if asked.path.endswith("/instances"):
            return listed([{"00080018": {"vr": "UI", "Value": [name]}} for name in (uid, "1.1.1.1")])
        return multipart([_named(uid), CT_A[0]])

    fetched, stub = fetch(route, ours, all_images=True)
    assert contents(fetched) == [CT_A[0]]
    assert [finding.id for finding in fetched.findings] == ["instance_not_fetched", "series_not_fetched"] or [
        finding.id for finding in fetched.findings
    ] == ["series_not_fetched", "instance_not_fetched"]
    assert list(tmp_path.iterdir()) == [ours]
    assert not any(uid in asked.path for asked in stub.asked if uid != ".")


def _named(uid: str) -> bytes:
    """Return a file whose UIDs were changed behind pydicom's back."""
    good = instance("1.1", "9.9.9.9.9", "8.8.8.8.8")
    return good.replace(b"9.9.9.9.9", uid[:9].ljust(9, "/").encode()).replace(
        b"8.8.8.8.8", uid[:9].ljust(9, "/").encode()
    )


@pytest.mark.parametrize("bad", ["instance", "series"])
def test_a_file_with_one_uid_that_leads_elsewhere_is_not_kept(bad: str, tmp_path: Path) -> None:
    uids = {"instance": b"8.8.8.8.8", "series": b"9.9.9.9.9"}
    file = instance("1.1", "9.9.9.9.9", "8.8.8.8.8").replace(uids[bad], b"../../../")
    fetched, _ = fetch(first(is_series, multipart([file, *CT_A])), tmp_path / "ours")
    assert contents(fetched) == sorted([*CT_A, MASK, REPORT])
    assert {path.stem for path in tmp_path.rglob("*.dcm")} == {path.stem for path in fetched.files}
    assert list(tmp_path.iterdir()) == [tmp_path / "ours"]


PIXELS = {"Rows": 10, "Columns": 10, "BitsAllocated": 8, "PixelData": bytes(100)}
FRAGMENTS = b"\xfe\xff\x00\xe0\0\0\0\0" + b"\xfe\xff\x00\xe0\x04\0\0\0abcd" + b"\xfe\xff\xdd\xe0\0\0\0\0"


@pytest.mark.parametrize(
    ("file", "is_kept"),
    [
        (ct("1.1.1", 3, **PIXELS), True),
        (ct("1.1.1", 3, **PIXELS)[:-1], False),
        (ct("1.1.1", 3, **PIXELS)[:-100] + FRAGMENTS, False),  # 32 bytes instead of the 100 announced
        (ct("1.1.1", 3, **PIXELS)[:-104] + b"\xff" * 4 + FRAGMENTS, True),  # of undefined length
    ],
)
def test_a_file_that_ends_within_its_pixels_is_not_kept(file: bytes, is_kept: bool, tmp_path: Path) -> None:
    others = [*CT_A[:2], *CT_A[3:]]

    def route(asked: Asked) -> Reply:
        if asked.path.endswith("/1.1.1.3"):
            return Reply(kind="application/dicom", body=file)
        return multipart(others) if is_series(asked) else archive(FILES)(asked)

    fetched, _ = fetch(route, tmp_path)
    assert contents(fetched) == sorted([*others, MASK, REPORT, *([file] if is_kept else [])])
    assert len(fetched.findings) == (0 if is_kept else 1)


def test_a_study_whose_uid_leads_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        fetch(archive(FILES), tmp_path / "ours", study=StudyRef(study_instance_uid="../x"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicomweb_fetch, "LARGEST_BYTES", 2000)
    fetched, _ = fetch(archive([ct("1.1.1", 1, padding=5000), ct("1.1.1", 2)]), tmp_path, all_images=True)
    assert [(finding.id, finding.found) for finding in fetched.findings] == [
        ("instance_not_fetched", "a file of more than 2000 bytes")
    ]
    assert contents(fetched) == [ct("1.1.1", 2)]
    assert leftovers(tmp_path) == []
