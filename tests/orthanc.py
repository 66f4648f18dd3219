"""Starts a real Orthanc server that only this process can reach: in a network namespace with nothing but loopback.

Orthanc 1.10 listens on every address, whatever its settings say of remote access. So the thread of the test leaves the
network first (`unshare`), starts the server there, and comes back to its own network at the end (`setns`). Sockets that
other threads opened are not touched; processes that the test starts meanwhile see the server too.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

PLUGIN: Final = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
HTTP_PORT: Final = 8042
START_SECONDS: Final = 30

_NEW_NETWORK: Final = 0x40000000  # CLONE_NEWNET, linux/sched.h
_READ_FLAGS, _WRITE_FLAGS, _IS_UP = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP


@contextlib.contextmanager
def running_orthanc(folder: Path, *, users: Mapping[str, str] | None = None, **settings: Any) -> Iterator[str]:
    """Yield the DICOMweb address of an Orthanc server; skip the test where there is none, or no namespace.

    Parameters
    ----------
    folder
        For its database.
    users
        Passwords by user; anyone may ask without it.
    settings
        More of its configuration.
    """
    program = _program()
    with _lonely_network():
        log = folder / "orthanc.log"
        configuration = _configuration(folder, users or {}) | settings
        (folder / "orthanc.json").write_text(json.dumps(configuration), encoding="utf-8")
        with log.open("wb") as stream:
            server = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=stream, stderr=stream)
        try:
            _wait(server, log)
            yield f"http://127.0.0.1:{HTTP_PORT}/dicom-web"
        finally:
            server.kill()  # its database is thrown away; to stop in good order it takes seconds
            server.wait(20)


def _program() -> str:
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")
    if program and PLUGIN.is_file():
        return program
    why = "no Orthanc server with its DICOMweb plug-in: apt-get install orthanc orthanc-dicomweb"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(why)  # .ci/run installs it: a run without it would prove less than it says
    pytest.skip(why)


def _configuration(folder: Path, users: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Name": "tests",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": HTTP_PORT,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": bool(users),
        "RegisteredUsers": dict(users),
        "UnknownSopClassAccepted": True,  # else it refuses label map segmentations
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }


def _wait(server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", HTTP_PORT), timeout=1):
            return
        time.sleep(0.02)
    pytest.fail(f"Orthanc did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


# --- The network namespace.


@contextlib.contextmanager
def _lonely_network() -> Iterator[None]:
    """Put this thread, and the processes that it starts, into a network that consists of loopback alone."""
    if sys.platform != "linux":
        pytest.skip("network namespaces are Linux's")
    system = ctypes.CDLL(None, use_errno=True)
    with contextlib.ExitStack() as stack:
        before = os.open(f"/proc/self/task/{_thread()}/ns/net", os.O_RDONLY)
        stack.callback(os.close, before)
        if system.unshare(_NEW_NETWORK) != 0:
            why = os.strerror(ctypes.get_errno())
            pytest.skip(f"no network namespace for Orthanc, which listens on every address: {why} (run as root)")
        stack.callback(_come_back, system, before)
        _bring_loopback_up()
        yield


def _thread() -> int:
    import threading

    return threading.get_native_id()


def _come_back(system: ctypes.CDLL, before: int) -> None:
    if system.setns(before, _NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "the test cannot come back to its network")


def _bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name = struct.pack("16sh", b"lo", 0)
        _, flags = struct.unpack("16sh", fcntl.ioctl(any_socket, _READ_FLAGS, name))
        fcntl.ioctl(any_socket, _WRITE_FLAGS, struct.pack("16sh", b"lo", flags | _IS_UP))
