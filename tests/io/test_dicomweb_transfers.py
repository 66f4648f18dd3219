"""Fetching from servers and over networks that fail, or mean harm: a study is whole, or what is missing is told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from response.errors import InputError
from response.io import dicomweb_fetch
from response.io.dicomweb import Pacs, PacsError, StudyRef
from tests.pacs_stub import Asked, Reply, Route, archive, instance, listed, multipart, serving
from tests.pacs_study import CT_A, FILES, MASK, REPORT, STUDY, contents, ct, fetch, leftovers, told

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


PIXELS: dict[str, Any] = {"Rows": 10, "Columns": 10, "BitsAllocated": 8, "PixelData": bytes(100)}
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
