"""The HTTP session below the DICOMweb client: bounded in time and size, tried again where that may help.

The client library decodes what it is sent without looking at the kind of the answer, waits for slow ones without end
and follows redirects anywhere. Here every answer is looked at first, and whatever goes wrong becomes a `PacsError`.

Imports requests, so import it only where a server is really asked.
"""

import contextlib
import http.client
import logging
import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urljoin

import requests
import urllib3

from response.io.dicomweb_address import Address, Credentials, PacsError, is_same_origin, refused, status_text
from response.io.multipart import media_type

ATTEMPTS: Final = 4
PAUSE_SECONDS: Final = 0.5  # before the second attempt, doubled before each later one
CONNECT_SECONDS: Final = 10.0
LONGEST_WAIT_SECONDS: Final = 30.0  # even if the server asks for more
LARGEST_ANSWER: Final = 1 << 26  # bytes of a list of studies, series or instances, or of a receipt
SLOWEST_BYTES_A_SECOND: Final = 1024  # a server that is slower, over the time of the timeout, does not really answer
MOST_REDIRECTS: Final = 5

JSON_TYPES: Final = frozenset({"application/dicom+json", "application/json"})
_XML_TYPES: Final = frozenset({"application/dicom+xml", "application/xml", "text/xml"})
_FILE_TYPES: Final = frozenset({"multipart/related", "application/dicom"})
_PIECE: Final = 1 << 16
_JSON: Final = "application/dicom+json"
_LOGGERS: Final = ("dicomweb_client.web", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")
_NETWORK: Final = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    UnicodeError,  # a host name that cannot be one
)

_SLOW: Final = "no answer, or next to none"

# Names of exceptions, what to say, and whether it may pass; the first row that holds one of the names.
# A NewConnectionError is a ConnectTimeoutError too, and all of them may stand behind an SSLError or a ProxyError.
_FAILURES: Final = (
    (
        {"SSLError", "SSLCertVerificationError"},
        "a certificate that cannot be trusted, or no TLS at all",
        "https with a certificate that this computer knows",
        "set REQUESTS_CA_BUNDLE to the certificates of your hospital",
        False,
    ),
    ({"bundle"}, "certificates that cannot be read", "a file of them", "see REQUESTS_CA_BUNDLE", False),
    (
        {"NameResolutionError", "gaierror", "UnicodeError"},
        "an unknown host",
        "a server",
        "is the address right?",
        False,
    ),
    ({"ProxyError"}, "a proxy that does not answer", "a server", "is NO_PROXY set as it should?", True),
    ({"ConnectionRefusedError"}, "nothing that listens", "a server", "is it running? Is the port right?", True),
    ({"NewConnectionError"}, "a host that cannot be reached", "a server", "is this computer in its network?", True),
    ({"ReadTimeout", "ReadTimeoutError", "ConnectTimeout", "ConnectTimeoutError", "TimeoutError"}, _SLOW, "", "", True),
    (set[str](), "a connection that broke off", "a whole answer", "try again later", True),
)


class PacsSession(requests.Session):  # type: ignore[misc]  # requests is not typed
    """Asks one server, and no other.

    Parameters
    ----------
    address, credentials
        Of the server, and who asks it.
    timeout
        Seconds that the server may be silent.
    attempts, pause
        How often a request is made that fails for a reason that may pass, and the seconds before the second time.
    """

    def __init__(
        self,
        address: Address,
        credentials: Credentials | None,
        *,
        timeout: float,
        attempts: int = ATTEMPTS,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        super().__init__()
        self.address, self.timeout, self.attempts, self.pause = address, timeout, attempts, pause
        self.last_status = 0  # of the last answer, which the client library does not hand on
        self.auth = None if credentials is None else _authorisation(credentials)
        self.headers.update({"Accept": _JSON, "Accept-Encoding": "identity", "User-Agent": "tumor-response"})

    def send(self, request: Any, **options: Any) -> Any:
        """Send a request, several times if need be; with `stream` the body of the answer is left to be read.

        Raises
        ------
        PacsError
            If there is no usable answer.
        """
        request.headers.pop("Host", None)  # the client library writes one without the port
        attempts = self.attempts if isinstance(request.body, bytes | str | None) else 1
        for attempt in range(attempts - 1):
            try:
                return self._send_once(request, options)
            except PacsError as error:
                if not error.is_passing:
                    raise
                self.rest(attempt, error.wait_seconds)
        return self._send_once(request, options)

    def rest(self, attempt: int, asked: float = 0.0) -> None:
        """Wait before the next attempt: longer each time, and as long as the server asks, within reason."""
        time.sleep(max(self.pause * 2**attempt, min(asked, LONGEST_WAIT_SECONDS)))

    def _send_once(self, request: Any, options: dict[str, Any]) -> Any:
        with self.told():
            answer = self._without_redirects(request, options)
            try:
                self._check(request, answer)
                if not options.get("stream"):
                    answer._content = self._whole(answer)
            except BaseException:
                answer.close()
                raise
            return answer

    def _without_redirects(self, request: Any, options: dict[str, Any]) -> Any:
        for _ in range(MOST_REDIRECTS):
            answer = self._ask(request, options)
            if not answer.is_redirect:
                return answer
            answer.close()
            request = self._redirected(request, answer)
        raise PacsError(self.address.host, f"more than {MOST_REDIRECTS} redirects", "an answer")

    def _ask(self, request: Any, options: dict[str, Any]) -> Any:
        # Not Session.send, which reads the whole body of a redirect before it can be refused.
        return self.get_adapter(url=request.url).send(
            request,
            stream=True,
            timeout=(min(self.timeout, CONNECT_SECONDS), self.timeout),
            verify=options.get("verify") or True,  # certificates are always checked
            cert=options.get("cert"),
            proxies={} if self.address.is_loopback else options.get("proxies"),
        )

    def _redirected(self, request: Any, answer: Any) -> Any:
        """Return the request for where a redirect leads: within the same server alone, and only to read."""
        target = urljoin(request.url, answer.headers.get("Location", ""))
        remedy = "give the address that the server itself uses"
        if not is_same_origin(request.url, target):
            raise PacsError(
                self.address.host, "a redirect to another server", "an answer of this one", remedy, status=0
            )
        if request.method != "GET":
            raise PacsError(self.address.host, "a redirect of what was to be stored", "an answer", remedy)
        request = request.copy()
        request.prepare_url(target, None)
        return request

    def _check(self, request: Any, answer: Any) -> None:
        """Refuse an answer that is no success, or of another kind than was asked for."""
        host = self.address.host
        status = self.last_status = answer.status_code
        if not 200 <= status < 300:
            wait = answer.headers.get("Retry-After", "")
            body = self._whole(answer) if request.method == "POST" else b""
            raise refused(host, status, wait_seconds=float(wait) if wait.isdecimal() else 0.0, answer=body)
        kind = media_type(answer.headers.get("Content-Type", ""))
        answer.headers["Content-Type"] = kind if kind in JSON_TYPES | _XML_TYPES else answer.headers.get("Content-Type")
        wanted, expected = _wanted(request)
        if status != 204 and kind not in wanted:
            raise PacsError(
                host,
                f"an answer of the type {kind!a}" if kind else "an answer without a type",
                expected,
                "is the address the root of a DICOMweb service? A page to log in, or of a proxy, would look so too",
                status=status,
            )

    def _whole(self, answer: Any) -> bytes:
        body = b"".join(self.pieces(answer, largest=LARGEST_ANSWER))
        if answer.status_code == 200 and not body and answer.request.method == "GET":
            raise PacsError(self.address.host, f"an empty answer with {status_text(200)}", "a list", status=200)
        return body

    def pieces(self, answer: Any, *, largest: int) -> Iterator[bytes]:
        """Yield the body of an answer as it arrives.

        Parameters
        ----------
        answer
            As `send` returned it with `stream`.
        largest
            Number of bytes that are not exceeded.

        Raises
        ------
        PacsError
            If the connection breaks off, or the answer is too slow or too large.
        """
        size, since, since_size = 0, time.monotonic(), 0
        with self.told(), contextlib.closing(answer):
            while piece := _read(answer.raw):
                size += len(piece)
                if size > largest:
                    raise PacsError(self.address.host, f"an answer of more than {largest} bytes", "a smaller one")
                now = time.monotonic()
                if now - since >= self.timeout:
                    if size - since_size < SLOWEST_BYTES_A_SECOND * (now - since):
                        raise self._slow()
                    since, since_size = now, size
                yield piece

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Turn what the network raises into a `PacsError`; what it says may hold the query, with patients in it."""
        with quiet_loggers():
            try:
                yield
            except _NETWORK as error:
                raise self._told(error) from None

    def _told(self, error: Exception) -> PacsError:
        names = _names(error) if type(error) is not OSError else {"bundle"}  # so requests says that it finds none
        found, expected, remedy, is_passing = next(row[1:] for row in _FAILURES if not row[0] or names & row[0])
        return (
            self._slow()
            if found == _SLOW
            else PacsError(self.address.host, found, expected, remedy, is_passing=is_passing)
        )

    def _slow(self) -> PacsError:
        return PacsError(
            self.address.host,
            f"{_SLOW} within {self.timeout:g} s",
            "an answer",
            "try again later",
            is_passing=True,
        )


def _wanted(request: Any) -> tuple[frozenset[str], str]:
    """Return the types of answer that a request is content with, and their name."""
    if request.method == "POST":
        return JSON_TYPES | _XML_TYPES | {""}, "a receipt as DICOM JSON"
    if request.headers.get("Accept", "").startswith("multipart/"):
        return _FILE_TYPES, "DICOM files"
    return JSON_TYPES, "a list as DICOM JSON"


def _authorisation(credentials: Credentials) -> Any:
    if not credentials.token:
        return credentials.user.encode(), credentials.password.encode()

    def sign(request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {credentials.token}"
        return request

    return sign


def _read(raw: Any) -> bytes:
    """Return what has arrived: not waiting until a block is full tells slow answers from silent ones."""
    if hasattr(raw, "read1"):  # urllib3 2.1 and later
        return bytes(raw.read1(_PIECE, decode_content=True))
    return bytes(raw.read(_PIECE, decode_content=True))


def _names(error: BaseException | None) -> set[str]:
    """Return the class names of an error, of their bases, and of what stands behind it."""
    found: set[str] = set()
    todo: list[Any] = [error]
    for _ in range(20):
        if not todo:
            break
        one = todo.pop()
        found |= {kind.__name__ for kind in type(one).__mro__}
        behind = [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
        todo += [other for other in behind if isinstance(other, BaseException)]
    return found


@contextlib.contextmanager
def quiet_loggers() -> Iterator[None]:
    """Keep the libraries from logging: the query of a request names patients, and so may a warning of the server."""

    def drop(_: logging.LogRecord) -> bool:  # one of its own for each use, for uses may be nested
        return False

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addFilter(drop)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(drop)
