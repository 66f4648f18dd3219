"""Fetches the files of a study from a DICOMweb server into a private folder, one after the other as they arrive.

Source: DICOM PS3.18, section 10.4 (retrieve transaction, WADO-RS).

The client library would decode each file, hold it three times in memory and write it anew, take a file that was cut
off for a whole one, and give up a series at the first file that it cannot read. So the bytes go to disk as they come, a
file gets its name only when it is whole and belongs to the study, and what is missing then is asked for one by one.
"""

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from response.errors import InputError, OutputError
from response.findings import Finding
from response.io.dicom_files import LARGEST_BYTES, UNDEFINED, open_dicom, quiet_pydicom
from response.io.dicom_values import text
from response.io.dicomweb_address import PacsError
from response.io.dicomweb_search import SeriesRef, StudyRef
from response.io.multipart import MultipartError, boundary_of, media_type, split_parts
from response.io.study_list import is_uid

MOST_FAILURES: Final = 3  # files of a series that fail one after the other: then the server is given up
_LARGEST_SERIES: Final = 1 << 40
_FATAL: Final = frozenset({0, 401, 403, 407})  # no answer at all, or none of the requests will be answered
_NOT_ACCEPTED: Final = frozenset({400, 406, 415})
# As stored; servers that know no wildcard choose themselves (the standard's default: uncompressed, little endian).
_ACCEPTS: Final = (
    'multipart/related; type="application/dicom"; transfer-syntax=*',
    'multipart/related; type="application/dicom"',
)
_UIDS: Final = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What was fetched of a study.

    Attributes
    ----------
    files
        Sorted: all files of the study that are in its folder.
    findings
        What could not be fetched, and why.
    """

    files: tuple[Path, ...]
    findings: tuple[Finding, ...]


def private_folder(folder: Path, name: str) -> Path:
    """Return a sub-folder that only this user can read, made if needed; files of an earlier run stay in it.

    Raises
    ------
    OutputError
        If it cannot be made, or belongs to somebody else.
    """
    target = folder / name
    with _disk(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            target.mkdir(mode=0o700)
        if target.is_symlink() or not target.is_dir():
            raise OutputError(f"{target}: cannot write there; expected a folder")
        if os.name == "posix":
            if target.stat().st_uid != os.geteuid():
                raise OutputError(f"{target}: the folder of another user; expected one of your own")
            target.chmod(0o700)
        for cut_off in target.glob("*.part"):
            cut_off.unlink()
    return target


@dataclass
class SeriesFetcher:
    """Fetches series into one folder, a sub-folder each; a file that is there is not fetched again.

    Attributes
    ----------
    session, root
        The session, and the address of the service.
    folder
        A private folder.
    study
        Whose study it is, for findings.
    findings
        What could not be fetched so far.
    """

    session: Any
    root: str
    folder: Path
    study: StudyRef
    findings: list[Finding] = field(default_factory=list)
    _accept: int = 0

    def fetch(self, series: SeriesRef, expected: set[str] | None) -> list[Path]:
        """Fetch the files of a series that are not there yet.

        Parameters
        ----------
        series
            The series.
        expected
            SOP Instance UIDs of its files; None where the server does not list them.

        Returns
        -------
        list of Path
            All files of the series that are there now, sorted.

        Raises
        ------
        PacsError
            If the server cannot be reached, or fails again and again.
        OutputError
            If the disk is full.
        """
        url = f"{self.root}/studies/{series.study_instance_uid}/series/{series.series_instance_uid}"
        if not (is_uid(series.study_instance_uid) and is_uid(series.series_instance_uid)):
            self._tell(series, "a UID that is none", "series_not_fetched")
        elif expected is None:
            self._fetch_unlisted(series, url)
        elif expected - self._there(series).keys():
            self._fetch_listed(series, url, expected)
        return sorted(self._there(series).values())

    def tell_empty(self) -> None:
        """Add the finding that a study has no series of use."""
        self._add("study_without_series", f"study {self.study.study_instance_uid}", "no series of CT, MR, SEG or SR")

    def _fetch_unlisted(self, series: SeriesRef, url: str) -> None:
        """Fetch a series of unknown size."""
        found = "nothing that is DICOM and belongs to the study"
        try:
            self._fetch_patiently(url, series)
        except PacsError as error:
            self._raise_if_fatal(error)
            found = error.found
        else:
            if self._there(series):
                return
        self._tell(series, found, "series_not_fetched")

    def _fetch_listed(self, series: SeriesRef, url: str, expected: set[str]) -> None:
        """Fetch a series as one, then what is missing one by one."""
        if not self._there(series):
            try:
                self._write_all(self._opened(url), series)
            except PacsError as error:
                if error.status in _FATAL - {0}:
                    raise
        failures = 0
        for uid in sorted(expected - self._there(series).keys()):
            try:
                found = self._fetch_instance(f"{url}/instances/{uid}", uid, series)
                failures = 0
            except PacsError as error:
                self._raise_if_fatal(error)
                failures += 1
                if failures == MOST_FAILURES:
                    raise
                found = error.found
            if found:
                self._tell(series, found, "instance_not_fetched", uid)

    def _fetch_instance(self, url: str, uid: str, series: SeriesRef) -> str:
        """Fetch one file; return what is wrong, or an empty text."""
        if not is_uid(uid):
            return "a UID that is none"
        self._fetch_patiently(url, series)
        return "" if uid in self._there(series) else "another file, or none that is DICOM and whole"

    @staticmethod
    def _raise_if_fatal(error: PacsError) -> None:
        if error.status in _FATAL:
            raise error

    def _tell(self, series: SeriesRef, found: str, name: str, instance: str = "") -> None:
        what = f"instance {instance} of series" if instance else "series"
        about = f"{what} {series.series_instance_uid} of study {series.study_instance_uid}"
        self._add(name, f"{about} was not fetched", found)

    def _add(self, name: str, about: str, found: str) -> None:
        finding = Finding(
            id=name,
            severity="error",
            subject=self.study.subject,
            found=found,
            expected="DICOM files",
            sentence=f"{about}: {self.session.address.host} gave {found}",
            remedy="what needs it is not measured, or not whole: look at the messages of the server, and try again",
            file=self.study.study_instance_uid,
        )
        if finding not in self.findings:
            self.findings.append(finding)

    # --- One answer.

    def _fetch_patiently(self, url: str, series: SeriesRef) -> None:
        """Write the files of an answer; where its transfer breaks off, it is asked for anew, a few times."""
        for attempt in range(self.session.attempts - 1):
            answer = self._opened(url)
            try:
                return self._write_all(answer, series)
            except PacsError as error:
                if not error.is_passing:
                    raise
                self.session.rest(attempt)
        return self._write_all(self._opened(url), series)

    def _write_all(self, answer: Any, series: SeriesRef) -> None:
        """Write the files of one answer as they arrive."""
        content_type = answer.headers.get("Content-Type", "")
        pieces = self.session.pieces(answer, largest=_LARGEST_SERIES)
        with contextlib.closing(pieces):
            if media_type(content_type) == "application/dicom":  # against the standard, but common for one instance
                self._write(pieces, series)
                return
            try:
                for part in split_parts(pieces, boundary_of(content_type)):
                    self._write(part, series)
            except MultipartError as error:
                host = self.session.address.host
                raise PacsError(host, str(error), "a whole answer", status=200, is_passing=True) from None

    def _opened(self, url: str) -> Any:
        try:
            return self._asked(url)
        except PacsError as error:
            if self._accept or error.status not in _NOT_ACCEPTED:
                raise
        self._accept = 1
        try:
            return self._asked(url)
        except PacsError:
            self._accept = 0  # it was not the wildcard
            raise

    def _asked(self, url: str) -> Any:
        return self.session.get(url, headers={"Accept": _ACCEPTS[self._accept]}, stream=True)

    def _write(self, pieces: Iterable[bytes], series: SeriesRef) -> None:
        """Write one file; it is kept when it is whole, and of this study."""
        part = self.folder / f"{secrets.token_hex(8)}.part"
        try:
            size = 0
            with _disk(part), open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:  # noqa: PTH123
                for piece in pieces:
                    size += len(piece)
                    if size > LARGEST_BYTES:
                        host = self.session.address.host
                        raise PacsError(host, f"a file of more than {LARGEST_BYTES} bytes", "a DICOM file", status=200)
                    stream.write(piece)
            self._keep(part, series)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _keep(self, part: Path, series: SeriesRef) -> None:
        """Give a file its name, if it is DICOM, whole, and of the study that was asked for."""
        instance, study, found_series = _uids(part)
        if study != series.study_instance_uid or not (is_uid(instance) and is_uid(found_series)):
            return  # it stays missing, and is told so
        with _disk(self.folder):
            target = self.folder / found_series
            target.mkdir(mode=0o700, exist_ok=True)
            part.replace(target / f"{instance}.dcm")

    def _there(self, series: SeriesRef) -> dict[str, Path]:
        """Return the files of a series by SOP Instance UID."""
        return {path.stem: path for path in (self.folder / series.series_instance_uid).glob("*.dcm")}


def _uids(path: Path) -> tuple[str, ...]:
    """Return the UIDs of a file: instance, study, series; empty texts where it is no DICOM, or cut off."""
    try:
        with quiet_pydicom():
            opened = open_dicom(path, tags=_UIDS)
            pixels = opened.pixels
            if pixels is not None and pixels.length != UNDEFINED and pixels.offset + pixels.length > opened.size:
                return "", "", ""
            return tuple(text(opened.dataset, name) for name in _UIDS)
    except InputError:
        return "", "", ""


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise OutputError(f"{path}: a file of the server could not be written: {why}") from None
