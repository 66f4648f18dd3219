"""Studies from a PACS and results to it, over DICOMweb: QIDO-RS, WADO-RS and STOW-RS.

Built on dicomweb-client, the extra `dicomweb`, which is imported when a server is asked for the first time.

Source: DICOM PS3.18, sections 10.4 (retrieve), 10.5 (store) and 10.6 (search).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from response.errors import InputError, MissingExtraError
from response.io.dicomweb_address import PacsError, checked_address, credentials_of
from response.io.dicomweb_fetch import Fetched, SeriesFetcher, private_folder
from response.io.dicomweb_references import referenced_series
from response.io.dicomweb_search import (
    SeriesRef,
    StudyRef,
    StudySearch,
    search_instances,
    search_series,
    search_studies,
)
from response.io.dicomweb_store import BATCH_BYTES, Stored, store_files
from response.io.study_list import StudyEntry, is_uid

__all__ = ["Fetched", "Pacs", "PacsError", "SeriesRef", "Stored", "StudyRef", "StudySearch"]

TIMEOUT_SECONDS: Final = 60.0

IMAGES: Final = frozenset({"CT", "MR", "PT"})
MASKS: Final = frozenset({"SEG", "RTSTRUCT"})
REPORTS: Final = frozenset({"SR"})
_UNTOLD: Final = frozenset({""})  # a server that does not say the modality: it may be any of them


class Pacs:
    """One DICOMweb server; use it as a context manager, or close it.

    Credentials come from the environment (`TUMOR_RESPONSE_DICOMWEB_TOKEN`, or `TUMOR_RESPONSE_DICOMWEB_USER` and
    `TUMOR_RESPONSE_DICOMWEB_PASSWORD`), else from the user's netrc. They are sent to this server alone and stand in no
    message. Certificates of https are always checked, against those that `REQUESTS_CA_BUNDLE` names where it is set.
    Requests that fail for a reason that may pass are made again, at most `attempts` times. Not for several threads.

    Parameters
    ----------
    url
        Root of the service: what stands before `/studies`, such as `https://pacs.example.org/dicom-web`.
    user
        Instead of the name in the environment; the password comes from there.
    token
        Instead of the one in the environment, for programs that ask for their own.
    timeout
        Seconds that the server may be silent.
    attempts, pause
        How often a request is made at most, and the seconds before the second time; doubled each time after.

    Attributes
    ----------
    notes
        What the user should know: that the connection is not encrypted.

    Raises
    ------
    InputError
        If the address is none or holds credentials, or a user comes without a password.
    MissingExtraError
        If dicomweb-client is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        token: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        attempts: int = 4,
        pause: float = 0.5,
    ) -> None:
        self.address = checked_address(url)
        self.notes = self.address.notes
        credentials = credentials_of(user=user, token=token)
        try:
            from dicomweb_client.api import DICOMwebClient

            from response.io.dicomweb_session import PacsSession
        except ImportError:
            raise MissingExtraError("reading from a PACS", "dicomweb-client", "dicomweb") from None
        self._session = PacsSession(self.address, credentials, timeout=timeout, attempts=attempts, pause=pause)
        # With larger chunks than a batch the client sends a length, which every server understands.
        self._client = DICOMwebClient(self.address.url, session=self._session, chunk_size=2 * BATCH_BYTES)
        self._client.set_http_retry_params(retry=False)  # the session does, and in fewer cases

    def __repr__(self) -> str:
        return f"Pacs({self.address.host!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def find_studies(self, entries: Sequence[StudyEntry]) -> StudySearch:
        """Look for the studies of a study list (QIDO-RS).

        An entry with a Study Instance UID finds that study; one with an accession number all studies that have it, if
        they are of one subject; one with a subject all studies of that Patient ID, between its dates. Each result is
        compared with its entry, for servers give more than was asked for.

        Returns
        -------
        StudySearch
            The studies in the order of the list, each once; and findings on entries that found none
            (`study_not_found`), that disagree with what was found (`study_disagrees`), that could be several subjects'
            (`ambiguous_accession_number`), or that the server refused to look for (`search_refused`).

        Raises
        ------
        PacsError
            If the server cannot be reached, does not let the user in, or is no DICOMweb server.
        """
        with self._told():
            return search_studies(self._client.search_for_studies, entries, self.address.host)

    def series_of(self, study: StudyRef | str, *, all_modalities: bool = False) -> list[SeriesRef]:
        """Return the series of a study that can be of use (QIDO-RS): CT, MR, PT, SEG, RTSTRUCT and SR.

        Parameters
        ----------
        study
            The study, or its Study Instance UID.
        all_modalities
            Whether to return the others too.

        Raises
        ------
        PacsError
            As `find_studies`.
        """
        uid = study if isinstance(study, str) else study.study_instance_uid
        if not is_uid(uid):
            raise InputError("a study of the PACS", "a Study Instance UID that is none", "figures with dots")

        def ask(**query: Any) -> Any:
            return self._client.search_for_series(study_instance_uid=uid, **query)

        with self._told():
            series = search_series(ask, uid, self.address.host)
        wanted = IMAGES | MASKS | REPORTS | _UNTOLD
        return [one for one in series if all_modalities or one.modality in wanted]

    def fetch_study(
        self,
        study: StudyRef,
        folder: Path | str,
        *,
        all_images: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Fetched:
        """Fetch the files of a study that measuring needs (WADO-RS).

        1. Segmentations and reports (SEG, RTSTRUCT, SR) are fetched always.
        2. Image series are fetched if a segmentation refers to them, in whatever study they are. If a segmentation does
           not say to which series it refers, all CT, MR and PT series of the study are fetched.

        The files go into `folder/STUDY_UID/SERIES_UID/SOP_UID.dcm`, byte for byte as the server sends them; only this
        user can read `folder/STUDY_UID`. Each gets its name when it is whole and belongs to its study. Files that are
        there from an earlier, broken run are not fetched again.

        Parameters
        ----------
        study
            The study.
        folder
            Made if needed, for this user alone. Delete it when the study is measured: it holds patient data.
        all_images
            Whether to fetch all CT, MR and PT series.
        progress
            Takes the number of files that are there, after each series.

        Returns
        -------
        Fetched
            All files of the study in the folder, and findings on what could not be fetched (`instance_not_fetched`,
            `series_not_fetched`, `study_without_series`).

        Raises
        ------
        PacsError
            If the server cannot be reached, lets the user not in, or fails again and again; what was fetched stays.
        OutputError
            If files cannot be written.
        """
        series = self.series_of(study)
        target = private_folder(Path(folder), study.study_instance_uid)
        fetcher = SeriesFetcher(self._session, self.address.url, target, study)
        files: set[Path] = set()

        def fetch(wanted: Sequence[SeriesRef]) -> list[Path]:
            found = []
            for one in wanted:
                found += self._fetch_series(fetcher, one)
                if progress is not None:
                    progress(len(files) + len(found))
            files.update(found)
            return found

        if not series:
            fetcher.tell_empty()
        masks = fetch([one for one in series if one.modality in MASKS | _UNTOLD])
        fetch([one for one in series if one.modality in REPORTS])
        fetch(_images(series, masks, all_images=all_images))
        return Fetched(files=tuple(sorted(files)), findings=tuple(fetcher.findings))

    def store(self, paths: Sequence[Path | str]) -> Stored:
        """Store files on the server (STOW-RS), in batches; what is there already counts as stored.

        Returns
        -------
        Stored
            The files that are on the server now, and the others, each with the reason: it cannot be read, or the server
            refused it.

        Raises
        ------
        PacsError
            If the server cannot be reached or takes nothing at all, before anything was stored.
        """

        def post(datasets: Sequence[Any]) -> tuple[Any, int]:
            return self._client.store_instances(datasets), self._session.last_status

        with self._told():
            return store_files(post, [Path(path) for path in paths])

    def _fetch_series(self, fetcher: SeriesFetcher, series: SeriesRef) -> list[Path]:
        def ask(**query: Any) -> Any:
            return self._client.search_for_instances(
                study_instance_uid=series.study_instance_uid, series_instance_uid=series.series_instance_uid, **query
            )

        with self._told():
            named = is_uid(series.study_instance_uid) and is_uid(series.series_instance_uid)
            listed = search_instances(ask, series, self.address.host) if named else None
            return fetcher.fetch(series, listed or None)  # an empty list of a series that is there says nothing

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Keep the libraries from logging, and turn an answer that the client cannot decode into a `PacsError`."""
        from response.io.dicomweb_session import quiet_loggers

        with quiet_loggers():
            try:
                yield
            except (ValueError, RecursionError):  # of the JSON decoder; its text quotes nothing, but its object does
                found = "an answer that is no JSON"
                raise PacsError(self.address.host, found, "a list as DICOM JSON", status=200) from None


def _images(series: Sequence[SeriesRef], masks: Sequence[Path], *, all_images: bool) -> list[SeriesRef]:
    """Return the image series that are wanted: all, or those that the segmentations refer to."""
    images = [one for one in series if one.modality in IMAGES]
    referenced = [referenced_series(mask) for mask in masks]
    if all_images or not all(referenced):
        return images
    # By series alone: structures of some writers name a study in a way of their own.
    known = {one.series_instance_uid: one for one in series}
    found = {
        uid: known.get(uid) or SeriesRef(study_instance_uid=study, series_instance_uid=uid)
        for study, uid in sorted(set[tuple[str, str]]().union(*referenced))
    }
    return list(found.values())
