"""A small DICOMweb server on loopback that does what a test wants: it answers well, or fails as real ones do.

`archive` is a well-behaved one, written from the standard (PS3.18, sections 10.4 to 10.6); tests put a fault in front.
"""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

BOUNDARY: Final = "a-boundary_0"
JSON: Final = "application/dicom+json"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What to answer: `cut` bytes of the body less than announced, `slow` seconds before each byte."""

    status: int = 200
    kind: str | None = JSON
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    wait: float = 0.0
    slow: float = 0.0
    hang_up: bool = False


Route = Callable[[Asked], Reply]


@dataclass
class Stub:
    """A running server: its address, and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [request.path.removeprefix("/dicom-web") for request in self.asked]


@contextlib.contextmanager
def serving(route: Route, *, tls: ssl.SSLContext | None = None) -> Iterator[Stub]:
    """Run a server in a thread until the test is over; over https with `tls`."""
    stop = threading.Event()
    stub = Stub("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = _body(self)
            asked = Asked(self.command, parts.path, query, dict(self.headers), body)
            stub.asked.append(asked)
            with contextlib.suppress(OSError):
                _answer(self, route(asked), stop)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of clients that hang up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        stub.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}/dicom-web"
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        try:
            yield stub
        finally:
            stop.set()
            server.shutdown()
            thread.join(5)


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    body = b""
    while size := int(handler.rfile.readline(), 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


def _answer(handler: BaseHTTPRequestHandler, reply: Reply, stop: threading.Event) -> None:
    stop.wait(reply.wait)
    if reply.hang_up:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
        return
    handler.send_response(reply.status)
    if reply.kind is not None:
        handler.send_header("Content-Type", reply.kind)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    if reply.status != 204 and "Transfer-Encoding" not in reply.headers:
        handler.send_header("Content-Length", str(len(reply.body)))
    handler.end_headers()
    if reply.slow:
        _drip(handler, reply, stop)
        return
    handler.wfile.write(reply.body[: len(reply.body) - reply.cut])
    if reply.cut:
        handler.wfile.flush()
        time.sleep(0.01)
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)


def _drip(handler: BaseHTTPRequestHandler, reply: Reply, stop: threading.Event) -> None:
    for at in range(len(reply.body)):
        if stop.wait(reply.slow):
            return
        handler.wfile.write(reply.body[at : at + 1])
        handler.wfile.flush()


# --- A well-behaved server.


def instance(
    study: str,
    series: str,
    uid: str,
    *,
    modality: str = "CT",
    sop_class: str = "1.2.840.10008.5.1.4.1.1.2",
    subject: str = "S1",
    date: str = "20240101",
    accession: str = "A1",
    padding: int = 0,
    **elements: Any,
) -> bytes:
    """Return one small DICOM file without pixels."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = study, series, modality
    dataset.PatientID, dataset.StudyDate, dataset.AccessionNumber = subject, date, accession
    for name, value in elements.items():
        setattr(dataset, name, value)
    if padding:
        dataset.add_new(0xFFFCFFFC, "OB", b"\0" * padding)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID, dataset.file_meta.MediaStorageSOPInstanceUID = sop_class, uid
    with BytesIO() as stream:
        dcmwrite(stream, dataset, enforce_file_format=True)
        return stream.getvalue()


def archive(files: Sequence[bytes], *, page: int = 1000) -> Route:
    """Return a server that has these files; it gives at most `page` results at once."""
    datasets = [(dcmread(BytesIO(file)), file) for file in files]

    def route(asked: Asked) -> Reply:
        if asked.method == "POST":
            return stored(_uids_of(asked))
        steps = asked.path.removeprefix("/dicom-web/").split("/")
        held = [(d, f) for d, f in datasets if _holds(d, steps)]
        if steps[-1] in {"studies", "series", "instances"}:
            return found([d for d, _ in held], asked, page)
        return multipart([file for _, file in held]) if held else Reply(status=404, kind="text/plain", body=b"none")

    return route


def _holds(dataset: Dataset, steps: Sequence[str]) -> bool:
    values = {
        "studies": dataset.StudyInstanceUID,
        "series": dataset.SeriesInstanceUID,
        "instances": dataset.SOPInstanceUID,
    }
    return all(values[name] == uid for name, uid in zip(steps[::2], steps[1::2], strict=False))


def found(datasets: Sequence[Dataset], asked: Asked, page: int = 1000) -> Reply:
    """Return the answer to a search at any level."""
    keys = {"studies": "StudyInstanceUID", "series": "SeriesInstanceUID", "instances": "SOPInstanceUID"}
    level = asked.path.rpartition("/")[2]
    results: dict[str, dict[str, Any]] = {}
    for dataset in datasets:
        if all(_matches(dataset, name, value) for name, value in asked.query.items()):
            item = results.setdefault(str(dataset[keys[level]].value), _item(dataset, level))
            if level == "series":
                item["00201209"]["Value"][0] += 1
    offset, limit = int(asked.query.get("offset", 0)), min(int(asked.query.get("limit", page)), page)
    return listed(list(results.values())[offset : offset + limit])


def _matches(dataset: Dataset, name: str, value: str) -> bool:
    if name in {"limit", "offset", "includefield", "fuzzymatching"}:
        return True
    held = str(dataset.get(name, ""))
    first, dash, last = value.partition("-")
    return (first or held) <= held <= (last or held) if dash and name == "StudyDate" else held == value


def _item(dataset: Dataset, level: str) -> dict[str, Any]:
    item = {
        "0020000D": {"vr": "UI", "Value": [dataset.StudyInstanceUID]},
        "00100020": {"vr": "LO", "Value": [dataset.PatientID]},
        "00080020": {"vr": "DA", "Value": [dataset.StudyDate]},
        "00080050": {"vr": "SH", "Value": [dataset.AccessionNumber]},
    }
    if level != "studies":
        item["0020000E"] = {"vr": "UI", "Value": [dataset.SeriesInstanceUID]}
        item["00080060"] = {"vr": "CS", "Value": [dataset.Modality]}
    if level == "series":
        item["00201209"] = {"vr": "IS", "Value": [0]}
    if level == "instances":
        item["00080018"] = {"vr": "UI", "Value": [dataset.SOPInstanceUID]}
    return item


def listed(items: Iterable[Any], **more: Any) -> Reply:
    return Reply(body=json.dumps(list(items)).encode(), **more)


def multipart(files: Sequence[bytes], **more: Any) -> Reply:
    parts = [f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + file + b"\r\n" for file in files]
    kind = f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'
    return Reply(kind=kind, body=b"".join(parts) + f"--{BOUNDARY}--\r\n".encode(), **more)


def stored(
    ok: Sequence[str] = (), failed: Mapping[str, int] | None = None, *, status: int = 200, kind: str = JSON
) -> Reply:
    """Return a receipt: what was stored, and what was not with its failure reason."""
    receipt: dict[str, Any] = {}
    if ok:
        receipt["00081199"] = {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": [uid]}} for uid in ok]}
    if failed:
        items = [
            {"00081155": {"vr": "UI", "Value": [uid]}, "00081197": {"vr": "US", "Value": [reason]}}
            for uid, reason in failed.items()
        ]
        receipt["00081198"] = {"vr": "SQ", "Value": items}
    return Reply(status=status, kind=kind, body=json.dumps(receipt).encode())


def posted(asked: Asked) -> list[bytes]:
    """Return the files that a request stores."""
    boundary = asked.headers["Content-Type"].split('boundary="')[1].split('"')[0].encode()
    parts = asked.body.split(b"\r\n--" + boundary)[1:-1]
    return [part.split(b"\r\n\r\n", 1)[1] for part in parts]


def _uids_of(asked: Asked) -> list[str]:
    return [str(dcmread(BytesIO(file)).SOPInstanceUID) for file in posted(asked)]
