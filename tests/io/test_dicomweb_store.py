"""Storing on a PACS: an answer for each file, whatever the server says of them."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from response.io import dicomweb_store
from response.io.dicomweb import Pacs, PacsError, Stored
from tests.pacs_stub import Asked, Reply, Route, archive, instance, posted, serving, stored

NAMES = ("a.dcm", "b.dcm", "c.dcm")
UIDS = ("1.1.1.1", "1.1.1.2", "1.1.1.3")
OURS = "the server did not say that it stored it"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in NAMES]
    for path, uid in zip(paths, UIDS, strict=True):
        path.write_bytes(instance("1.1", "1.1.1", uid, modality="SR", padding=20))
    return paths


def store(route: Route, paths: list[Path]) -> tuple[Stored, list[Asked]]:
    with serving(route) as stub, Pacs(stub.url, timeout=10, attempts=2, pause=0.001) as pacs:
        return pacs.store(paths), stub.asked


def told(result: Stored) -> tuple[list[str], list[tuple[str, str]]]:
    return [path.name for path in result.ok], [(path.name, reason) for path, reason in result.failed]


def reason(code: int, words: str) -> str:
    return f"refused by the server: {words} (failure reason {code:04X})"


UID_ELEMENT = '<DicomAttribute tag="00081155" vr="UI" keyword="ReferencedSOPInstanceUID"><Value number="1">{}</Value>'
XML = f"""<NativeDicomModel><DicomAttribute tag="00081198" vr="SQ" keyword="FailedSOPSequence"><Item number="1">
{UID_ELEMENT.format(UIDS[1])}</DicomAttribute>
<DicomAttribute tag="00081197" vr="US" keyword="FailureReason"><Value number="1">272</Value></DicomAttribute></Item>
</DicomAttribute><DicomAttribute tag="00081199" vr="SQ" keyword="ReferencedSOPSequence"><Item number="1">
{UID_ELEMENT.format(UIDS[0])}</DicomAttribute></Item></DicomAttribute></NativeDicomModel>"""
ALL = list(NAMES)
MIXED = stored(UIDS[:1], {UIDS[1]: 0x0110, UIDS[2]: 0xC122}, status=202)
MIXED_REASONS = [
    ("b.dcm", reason(0x0110, "it could not process it")),
    ("c.dcm", reason(0xC122, "it does not take this transfer syntax")),
]
RECEIPTS: list[tuple[str, Reply, list[str], list[tuple[str, str]]]] = [
    ("all", stored(UIDS), ALL, []),
    ("success without a list", Reply(body=b""), ALL, []),
    ("success without a body or a type", Reply(kind=None, body=b""), ALL, []),
    ("no content", Reply(status=204, kind=None), ALL, []),
    ("some, status 202", MIXED, ["a.dcm"], MIXED_REASONS),
    ("some, with a parameter in the type",
     Reply(status=202, kind="application/dicom+json; charset=UTF-8", body=MIXED.body), ["a.dcm"], MIXED_REASONS),
    ("some, as plain JSON", Reply(status=200, kind="application/json", body=MIXED.body), ["a.dcm"], MIXED_REASONS),
    ("some, as XML", Reply(status=202, kind="application/dicom+xml", body=XML.encode()), ["a.dcm"],
     [("b.dcm", reason(0x0110, "it could not process it")), ("c.dcm", OURS)]),
    ("none, status 409", stored((), dict.fromkeys(UIDS, 0xA900), status=409), [],
     [(name, reason(0xA900, "the object does not conform to its SOP class")) for name in NAMES]),
    ("there already, as a failure", stored((), dict.fromkeys(UIDS, 0x0111), status=409), ALL, []),
    ("there already, two of them", stored(UIDS[:1], dict.fromkeys(UIDS[1:], 0x0111), status=202), ALL, []),
    ("an unknown reason", stored(UIDS[:2], {UIDS[2]: 0x9999}, status=202), ["a.dcm", "b.dcm"],
     [("c.dcm", reason(0x9999, "it gave no reason that is known"))]),
    ("one is not in the receipt", stored(UIDS[:2]), ["a.dcm", "b.dcm"], [("c.dcm", OURS)]),
    ("status 202 without a list", Reply(status=202, body=b"{}"), [], [(name, OURS) for name in NAMES]),
    ("status 202 without a body", Reply(status=202, kind=None), [], [(name, OURS) for name in NAMES]),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "ok", "failed"), [row[1:] for row in RECEIPTS], ids=[row[0] for row in RECEIPTS])
def test_receipts(reply: Reply, ok: list[str], failed: list[tuple[str, str]], files: list[Path]) -> None:
    result, asked = store(lambda _: reply, files)
    assert told(result) == (ok, failed)
    assert len(asked) == 1


def test_files_are_sent_as_they_stand(files: list[Path]) -> None:
    _, asked = store(archive([]), files)
    assert posted(asked[0]) == [path.read_bytes() for path in files]
    assert asked[0].path == "/dicom-web/studies"
    assert "Content-Length" in asked[0].headers


def test_files_of_any_transfer_syntax_are_sent_as_they_stand(tmp_path: Path, shared_data: Path) -> None:
    real = sorted(shared_data.rglob("*.dcm"))[:6]
    result, asked = store(archive([]), real)
    assert len(result.ok) == len(real)
    assert posted(asked[0]) == [path.read_bytes() for path in real]


def only(uid: str, reply: Callable[[], Reply]) -> Route:
    """Return a server that answers so to any request with this file."""

    def route(asked: Asked) -> Reply:
        return reply() if any(uid.encode() in file for file in posted(asked)) else archive([])(asked)

    return route


UNCLEAR = "it cannot be sent, or not be confirmed"
ALONE = [
    # what                          answer                                                reason, as it begins
    ("too large",                    Reply(status=413, kind="text/html"),                  "HTTP status 413"),
    ("bad request without a list",   Reply(status=400, kind="text/html", body=b"CANARY"),  "HTTP status 400"),
    ("conflict without a list",      Reply(status=409, kind="text/html", body=b"CANARY"),  "HTTP status 409"),
    ("the server breaks on it",      Reply(status=500, kind="text/html", body=b"CANARY"),  "HTTP status 500"),
    ("a receipt that is none",       Reply(body=b"[CANARY"),                               UNCLEAR),
    ("a receipt of something else",  Reply(body=b'{"00081199": 17}'),                      UNCLEAR),
    ("a page",                       Reply(kind="text/html", body=b"CANARY"),              "an answer of the type"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "found"), [row[1:] for row in ALONE], ids=[row[0] for row in ALONE])
def test_one_file_does_not_stop_the_others(reply: Reply, found: str, files: list[Path]) -> None:
    result, _ = store(only(UIDS[1], lambda: reply), files)
    ok, failed = told(result)
    assert ok == ["a.dcm", "c.dcm"]
    assert [name for name, _ in failed] == ["b.dcm"]
    assert failed[0][1].startswith(found)
    assert "CANARY" not in failed[0][1]


def test_files_that_cannot_be_read_are_told(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("CANARY", encoding="utf-8")
    (tmp_path / "cut.dcm").write_bytes(files[0].read_bytes()[:-30])
    (tmp_path / "twin.dcm").write_bytes(files[0].read_bytes())
    (tmp_path / "nameless.dcm").write_bytes(_without_uid(files[0]))
    others = [tmp_path / name for name in ("text.txt", "cut.dcm", "none.dcm", "twin.dcm", "nameless.dcm")]
    ok, failed = told(store(archive([]), [*files, *others, files[0]])[0])
    assert ok == ALL
    assert dict(failed).keys() == {path.name for path in others}
    assert dict(failed)["twin.dcm"] == "the same SOP Instance UID as a.dcm"
    assert dict(failed)["nameless.dcm"] == "no SOP Instance UID"
    assert "CANARY" not in str(failed)


def _without_uid(path: Path) -> bytes:
    dataset = dcmread(path)
    del dataset.SOPInstanceUID
    with BytesIO() as stream:
        dataset.save_as(stream)
        return stream.getvalue()


def test_batches_are_bounded(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    size = files[0].stat().st_size
    monkeypatch.setattr(dicomweb_store, "BATCH_BYTES", 2 * size)
    assert [len(posted(asked)) for asked in store(archive([]), files)[1]] == [2, 1]
    monkeypatch.setattr(dicomweb_store, "BATCH_BYTES", size - 1)  # a file of any size is sent
    assert [len(posted(asked)) for asked in store(archive([]), files)[1]] == [1, 1, 1]
    monkeypatch.setattr(dicomweb_store, "BATCH_BYTES", 1 << 30)
    monkeypatch.setattr(dicomweb_store, "BATCH_FILES", 2)
    assert [len(posted(asked)) for asked in store(archive([]), files)[1]] == [2, 1]


def test_a_large_file_is_sent_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("response.io.dicomweb.BATCH_BYTES", 100)
    path = tmp_path / "large.dcm"
    path.write_bytes(instance("1.1", "1.1.1", "1.1.1.1", padding=50_000))
    result, asked = store(archive([]), [path])
    assert result.ok == (path,)
    assert posted(asked[0]) == [path.read_bytes()]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(status=401), "HTTP status 401"),
        (Reply(status=403), "HTTP status 403"),
        (Reply(status=404), "HTTP status 404"),
        (Reply(hang_up=True), "broke off"),
        (Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}), "a redirect to another server"),
        (Reply(status=308, headers={"Location": "/dicom-web/studies/"}), "a redirect of what was to be stored"),
    ],
)
def test_a_server_that_takes_nothing(reply: Reply, said: str, files: list[Path]) -> None:
    with pytest.raises(PacsError, match=said):
        store(lambda _: reply, files)


def test_a_server_that_goes_away_in_between(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicomweb_store, "BATCH_FILES", 1)
    result, _ = store(only(UIDS[1], lambda: Reply(hang_up=True)), files)
    ok, failed = told(result)
    assert ok == ["a.dcm"]
    assert [name for name, _ in failed] == ["b.dcm", "c.dcm"]
    assert all("a connection that broke off" in text for _, text in failed)


def test_what_passes_is_tried_again(files: list[Path]) -> None:
    replies: list[Any] = [Reply(status=503, kind="text/html")]

    def route(asked: Asked) -> Reply:
        return replies.pop() if replies else archive([])(asked)

    result, asked = store(route, files)
    assert told(result) == (ALL, [])
    assert asked[0].body == asked[1].body


def test_a_server_that_refuses_everything_is_not_asked_for_each_file(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.dcm" for number in range(20)]
    for number, path in enumerate(paths, 1):
        path.write_bytes(instance("1.1", "1.1.1", f"1.1.1.{number}"))
    result, asked = store(lambda _: Reply(status=400, kind="text/html"), paths)
    assert len(result.failed) == 20
    assert len(asked) == 4


def test_nothing_to_store() -> None:
    assert store(archive([]), []) == (Stored(ok=(), failed=()), [])
