"""Where a DICOMweb server is, who asks, and what to say when it does not answer as it should.

Credentials come from the environment or from the user's netrc, never from an address or a command line, which other
people of the computer can read; they stand in no message.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from response.errors import InputError

TOKEN: Final = "TUMOR_RESPONSE_DICOMWEB_TOKEN"
USER: Final = "TUMOR_RESPONSE_DICOMWEB_USER"
PASSWORD: Final = "TUMOR_RESPONSE_DICOMWEB_PASSWORD"

_ROOT: Final = "the root of a DICOMweb service, such as https://pacs.example.org/dicom-web"
_HOW_TO_SIGN_IN: Final = f"set {TOKEN}, or {USER} and {PASSWORD}, or name the host in ~/.netrc"
_IS_IT_THE_ROOT: Final = f"is the address {_ROOT}?"
_REMEDIES: Final = {
    400: _IS_IT_THE_ROOT,
    401: _HOW_TO_SIGN_IN,
    403: "the server knows you, but does not let you do this; ask who runs it",
    404: _IS_IT_THE_ROOT,
    405: _IS_IT_THE_ROOT,
    407: "the proxy wants you to sign in",
    413: "the server takes no files of this size",
    429: "the server is asked too often; try again later",
}
# 501 and 505 say that the server never will.
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 508, 509, 520, 521, 522, 523, 524, 529})


class PacsError(InputError):
    """A DICOMweb server that cannot be reached, or that does not answer as it should.

    Nothing of what the server said stands in the message, for it may name patients.

    Attributes
    ----------
    status
        HTTP status code; 0 where no answer came, or its connection broke.
    is_passing
        Whether it may work when it is tried again.
    wait_seconds
        How long the server asks to wait before that.
    answer
        The body of the answer to a request that stores, for the reasons per instance.
    """

    def __init__(
        self,
        where: str,
        found: str,
        expected: str,
        remedy: str = "",
        *,
        status: int = 0,
        is_passing: bool = False,
        wait_seconds: float = 0.0,
        answer: bytes = b"",
    ) -> None:
        self.status, self.is_passing, self.wait_seconds, self.answer = status, is_passing, wait_seconds, answer
        super().__init__(where, found, expected, remedy)


def refused(where: str, status: int, *, wait_seconds: float = 0.0, answer: bytes = b"") -> PacsError:
    """Return the error for an HTTP status that is no success."""
    return PacsError(
        where,
        status_text(status),
        "an answer",
        _REMEDIES.get(status, ""),
        status=status,
        is_passing=status in _PASSING,
        wait_seconds=wait_seconds,
        answer=answer,
    )


def status_text(status: int) -> str:
    """Return an HTTP status with its standard phrase; the server's own phrase is never shown."""
    try:
        return f"HTTP status {status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return f"HTTP status {status}"


@dataclass(frozen=True, kw_only=True)
class Address:
    """A checked address of a DICOMweb service.

    Attributes
    ----------
    url
        Without a slash at its end.
    host
        Host and port, for messages.
    is_loopback
        Whether the server is on this computer.
    is_encrypted
        Whether it is https.
    """

    url: str
    host: str
    is_loopback: bool
    is_encrypted: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what the user should know about this address."""
        if self.is_encrypted or self.is_loopback:
            return ()
        return (f"{self.host}: http:// is not encrypted: patient data and credentials can be read on the way",)


def checked_address(url: str) -> Address:
    """Return an address that can be asked.

    Raises
    ------
    InputError
        If it holds credentials (which are not repeated), a query or a fragment, or is no http address.
    """
    if "@" in url:
        raise InputError("the DICOMweb address", "credentials in it", _ROOT, _HOW_TO_SIGN_IN)
    where = f"the DICOMweb address '{url if url.isprintable() else ascii(url)}'"
    parts, port = _split(url, where)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(where, "no http or https address", _ROOT)
    if parts.query or parts.fragment or any(char.isspace() or not char.isprintable() for char in url):
        raise InputError(where, "more than a host and a path", _ROOT)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(
        url=url.rstrip("/"),
        host=host if port is None else f"{host}:{port}",
        is_loopback=_is_loopback(parts.hostname),
        is_encrypted=parts.scheme == "https",
    )


def _split(url: str, where: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        raise InputError(where, "no address of a host", _ROOT) from None


def _is_loopback(hostname: str) -> bool:
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return hostname.casefold().rstrip(".") == "localhost"


def is_same_origin(url: str, other: str) -> bool:
    """Return whether two addresses are of one server: scheme, host and port (RFC 6454, section 5)."""
    return _origin(url) == _origin(other)


def _origin(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url)
        standard = {"http": 80, "https": 443}.get(parts.scheme)
        return parts.scheme, parts.hostname or "", parts.port or standard
    except ValueError:
        return None


# --- Credentials.


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who asks: a token, or a user with a password; never shown."""

    token: str = field(default="", repr=False)
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def credentials_of(
    *, user: str | None = None, token: str | None = None, environment: Mapping[str, str] | None = None
) -> Credentials | None:
    """Return who asks, or None where the environment does not say: then requests looks into the user's netrc.

    Parameters
    ----------
    user, token
        Instead of those of the environment; a password comes from the environment alone.
    environment
        That of this process if not given.

    Raises
    ------
    InputError
        If a user comes without a password, or something cannot stand in a header of HTTP.
    """
    around = os.environ if environment is None else environment
    if token is None and user is None:
        token = around.get(TOKEN)
    if token:
        _check(TOKEN, token.strip())
        return Credentials(token=token.strip())
    user = around.get(USER) if user is None else user
    if not user:
        return None
    password = around.get(PASSWORD, "")
    if not password:
        raise InputError(PASSWORD, "nothing", "the password of the user", _HOW_TO_SIGN_IN)
    _check(USER, user)
    _check(PASSWORD, password)
    if ":" in user:
        raise InputError(USER, "a colon", "a name without a colon (RFC 7617)")
    return Credentials(user=user, password=password)


def _check(name: str, value: str) -> None:
    if not value.isprintable() or (name == TOKEN and not (value.isascii() and " " not in value)):
        raise InputError(name, "characters that cannot be sent", "one line of plain characters")
