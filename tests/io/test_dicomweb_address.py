"""Addresses and credentials: what is refused, what is never repeated, and to whom credentials are sent."""

import base64
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from response.errors import InputError, MissingExtraError
from response.io.dicomweb import Pacs
from response.io.dicomweb_address import (
    PASSWORD,
    TOKEN,
    USER,
    checked_address,
    credentials_of,
    is_same_origin,
    status_text,
)
from response.io.study_list import StudyEntry
from tests.pacs_stub import Asked, Reply, archive, listed, serving

SECRETS = (TOKEN, USER, PASSWORD)
ENTRY = StudyEntry(study_instance_uid="1.2.3")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


REFUSED = [
    ("https://anna:CANARY@pacs.example.org/dicom-web", "credentials in it"),
    ("https://anna:CAN/ARY@pacs.example.org", "credentials in it"),
    ("https://CANARY@pacs.example.org", "credentials in it"),
    ("pacs.example.org/dicom-web", "no http or https address"),
    ("ftp://pacs.example.org", "no http or https address"),
    ("file:///etc/passwd", "no http or https address"),
    ("https://", "no http or https address"),
    ("", "no http or https address"),
    ("https://pacs.example.org:port", "no address of a host"),
    ("https://[::1", "no address of a host"),
    ("ftp://pacs\x1b[31m", "'ftp://pacs\\x1b[31m'"),
    ("https://pacs.example.org/dicom-web?x=1", "more than a host and a path"),
    ("https://pacs.example.org/#x", "more than a host and a path"),
    ("https://pacs.example.org/a b", "more than a host and a path"),
]


@pytest.mark.parametrize(("url", "said"), REFUSED)
def test_addresses_that_are_refused(url: str, said: str) -> None:
    with pytest.raises(InputError) as told:
        Pacs(url)
    assert said in str(told.value)
    assert "CANARY" not in str(told.value)
    assert "ARY" not in str(told.value)


ADDRESSES = [
    # address                              host shown            loopback  encrypted  notes
    ("https://pacs.example.org/dicom-web/", "pacs.example.org",   False, True, 0),
    ("http://pacs.example.org:8042/d",      "pacs.example.org:8042", False, False, 1),
    ("http://127.0.0.1:8042/dicom-web",     "127.0.0.1:8042",     True, False, 0),
    ("http://127.8.7.6",                    "127.8.7.6",          True, False, 0),
    ("http://localhost:80/x",               "localhost:80",       True, False, 0),
    ("http://[::1]:8042/x",                 "[::1]:8042",         True, False, 0),
    ("http://10.1.2.3",                     "10.1.2.3",           False, False, 1),
    ("http://localhost.example.org",        "localhost.example.org", False, False, 1),
]  # fmt: skip


@pytest.mark.parametrize(("url", "host", "loopback", "encrypted", "notes"), ADDRESSES)
def test_addresses_that_are_taken(url: str, host: str, loopback: bool, encrypted: bool, notes: int) -> None:
    address = checked_address(url)
    assert (address.host, address.is_loopback, address.is_encrypted) == (host, loopback, encrypted)
    assert not address.url.endswith("/")
    assert len(address.notes) == notes
    assert all("not encrypted" in note and host in note for note in address.notes)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a/x", "https://a:443/y", True),
        ("http://A/x", "http://a:80/y", True),
        ("http://a/x", "https://a/x", False),
        ("http://a/x", "http://b/x", False),
        ("http://a:1/x", "http://a:2/x", False),
        ("http://a/x", "//a/y", False),
        ("http://a/x", "http://a:port/x", False),
    ],
)
def test_what_one_server_is(one: str, other: str, same: bool) -> None:
    assert is_same_origin(one, other) is same


CREDENTIALS = [
    # environment                              user    token   expected (token, user, password)
    ({},                                        None,  None,  None),
    ({TOKEN: " abc\n"},                         None,  None,  ("abc", "", "")),
    ({USER: "anna", PASSWORD: "pass word"},     None,  None,  ("", "anna", "pass word")),
    ({TOKEN: "abc", USER: "anna", PASSWORD: "p"}, None, None, ("abc", "", "")),
    ({TOKEN: "abc", PASSWORD: "p"},             "bea", None,  ("", "bea", "p")),
    ({TOKEN: "abc"},                            None,  "def", ("def", "", "")),
    ({TOKEN: "", USER: ""},                     None,  None,  None),
]  # fmt: skip


@pytest.mark.parametrize(("around", "user", "token", "expected"), CREDENTIALS)
def test_who_asks(
    around: dict[str, str], user: str | None, token: str | None, expected: tuple[str, str, str] | None
) -> None:
    found = credentials_of(user=user, token=token, environment=around)
    assert (None if found is None else (found.token, found.user, found.password)) == expected
    assert "abc" not in repr(found)
    assert "pass word" not in repr(found)


@pytest.mark.parametrize(
    "around",
    [
        {USER: "CANARY"},
        {TOKEN: "CAN\nARY"},
        {TOKEN: "CAN ARY"},
        {TOKEN: "CANÄRY"},
        {USER: "a:CANARY", PASSWORD: "CANARY"},
        {USER: "a", PASSWORD: "CAN\r\nARY"},
    ],
)
def test_credentials_that_cannot_be_sent_are_not_repeated(around: dict[str, str]) -> None:
    with pytest.raises(InputError) as told:
        credentials_of(environment=around)
    assert "CAN" not in str(told.value)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


SENT = [
    ("a token", {TOKEN: "abc"}, "", "Bearer abc"),
    ("user and password", {USER: "änna", PASSWORD: "pässword"}, "", basic("änna", "pässword")),
    ("netrc", {}, "machine 127.0.0.1 login bea password secret\n", basic("bea", "secret")),
    ("the environment before netrc", {TOKEN: "abc"}, "machine 127.0.0.1 login bea password secret\n", "Bearer abc"),
    ("netrc of another host", {}, "machine pacs.example.org login bea password secret\n", None),
    ("nothing", {}, "", None),
]


@pytest.mark.parametrize(("around", "netrc", "expected"), [row[1:] for row in SENT], ids=[row[0] for row in SENT])
def test_what_is_sent(
    around: dict[str, str], netrc: str, expected: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in around.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "netrc").write_text(netrc, encoding="utf-8")
    (tmp_path / "netrc").chmod(0o600)
    with serving(archive([])) as stub, Pacs(stub.url) as pacs:
        pacs.find_studies([ENTRY])
        assert [asked.headers.get("Authorization") for asked in stub.asked] == [expected]
        assert stub.asked[0].headers["Host"] in stub.url  # with its port
        assert "abc" not in repr(pacs)


def test_nothing_is_sent_to_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "abc")
    with serving(archive([])) as other:

        def away(_: Asked) -> Reply:
            return Reply(status=307, headers={"Location": other.url + "/studies"})

        with serving(away) as stub, Pacs(stub.url) as pacs:
            with pytest.raises(InputError, match="a redirect to another server"):
                pacs.find_studies([ENTRY])
            assert len(stub.asked) == 1
        assert other.asked == []


def test_a_redirect_within_the_server_is_followed() -> None:
    def moved(asked: Asked) -> Reply:
        if "/new/" in asked.path:
            return listed([])
        path = asked.path.replace("/dicom-web/", "/dicom-web/new/")
        return Reply(status=301, headers={"Location": f"{path}?StudyInstanceUID=1.2.3"}, body=b"x" * 10)

    with serving(moved) as stub, Pacs(stub.url, token="abc") as pacs:
        assert pacs.find_studies([ENTRY]).studies == ()
        assert stub.paths() == ["/studies", "/new/studies"]
        assert stub.asked[1].headers["Authorization"] == "Bearer abc"


@pytest.mark.parametrize("location", ["/dicom-web/studies", "", "::::", "http://127.0.0.1:port/"])
def test_redirects_without_end_are_refused(location: str) -> None:
    def around(_: Asked) -> Reply:
        return Reply(status=302, headers={"Location": location})

    with serving(around) as stub, Pacs(stub.url) as pacs:
        with pytest.raises(InputError, match="redirect"):
            pacs.find_studies([ENTRY])
        assert len(stub.asked) <= 6


def test_a_proxy_is_not_used_for_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(archive([])) as stub, Pacs(stub.url) as pacs:
        assert pacs.find_studies([ENTRY]).studies == ()


def test_certificates_are_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl to make a certificate with")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([program, *made.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with serving(archive([]), tls=tls) as stub:
        with Pacs(stub.url, token="abc") as pacs, pytest.raises(InputError, match="a certificate that cannot"):
            pacs.find_studies([ENTRY])
        assert stub.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        with Pacs(stub.url, token="abc") as pacs:
            assert pacs.find_studies([ENTRY]).studies == ()


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dicomweb_client.api", None)
    with pytest.raises(MissingExtraError, match=r"tumor-response\[dicomweb\]"):
        Pacs("http://127.0.0.1:1/dicom-web")


def test_an_unknown_status_has_no_phrase() -> None:
    assert status_text(599) == "HTTP status 599"
    assert status_text(404) == "HTTP status 404 (Not Found)"
