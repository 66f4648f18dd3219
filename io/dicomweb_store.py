"""Stores files on a DICOMweb server, in batches of bounded size, with an answer for each file.

Source: DICOM PS3.18, section 10.5 (store transaction, STOW-RS), and section I.2 (store instances response).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset

from response.errors import InputError
from response.io.dicom_files import open_dicom, quiet_pydicom
from response.io.dicom_values import DAMAGED, items, number, text
from response.io.dicomweb_address import PacsError

BATCH_FILES: Final = 50
BATCH_BYTES: Final = 1 << 25
MOST_FAILURES: Final = 3  # files of a refused batch that fail alone in the same way: then the others would too

_FATAL: Final = frozenset({0, 401, 403, 404, 407})  # no answer at all, or none of the requests will be taken
_ALL_STORED: Final = frozenset({200, 201, 204})  # 202: some are not, PS3.18, table 10.5.3-1

_ALREADY_THERE: Final = 0x0111  # Duplicate SOP Instance, PS3.7, section C.5.6
# PS3.18, table I.2-2, and PS3.7, annex C.
_REASONS: Final = {
    0x0110: "it could not process it",
    0x0117: "its SOP Instance UID is not valid",
    0x0122: "it does not take this kind of object (SOP class)",
    0x0124: "you are not allowed to store it",
    0x0213: "it has no room for it",
    0xC122: "it does not take this transfer syntax",
}
_REASON_FAMILIES: Final = {
    0xA7: "it has no room for it",
    0xA9: "the object does not conform to its SOP class",
    **dict.fromkeys(range(0xC0, 0xD0), "it does not understand the object"),
}
_UNCONFIRMED: Final = "the server did not say that it stored it"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What became of the files that were to be stored.

    Attributes
    ----------
    ok
        Files that are on the server now; they may have been there before.
    failed
        The others, each with the reason.
    """

    ok: tuple[Path, ...]
    failed: tuple[tuple[Path, str], ...]


@dataclass(frozen=True)
class _File:
    path: Path
    uid: str
    size: int
    dataset: Dataset


Post = Callable[[Sequence[Dataset]], tuple[Dataset, int]]


def store_files(post: Post, paths: Sequence[Path]) -> Stored:
    """Store files; see `response.io.dicomweb.Pacs.store`.

    Parameters
    ----------
    post
        Sends datasets, and returns what the server says of them, and its HTTP status.
    paths
        The files.
    """
    order = list(dict.fromkeys(paths))
    reasons: dict[Path, str] = {}
    for batch in _batches(order, reasons):
        try:
            reasons |= _stored(post, batch)
        except PacsError as error:
            if "" not in reasons.values():
                raise  # nothing was stored so far
            reasons = dict.fromkeys(order, str(error)) | reasons
            break
    return Stored(
        ok=tuple(path for path in order if not reasons[path]),
        failed=tuple((path, reasons[path]) for path in order if reasons[path]),
    )


def _batches(paths: Sequence[Path], reasons: dict[Path, str]) -> Iterator[list[_File]]:
    """Yield the files as read, a few at a time; what cannot be read is told in `reasons`."""
    batch: list[_File] = []
    first: dict[str, Path] = {}
    for path in paths:
        try:
            file = _read(path)
        except InputError as error:
            reasons[path] = error.found
            continue
        if file.uid in first:
            reasons[path] = f"the same SOP Instance UID as {first[file.uid].name}"
            continue
        first[file.uid] = path
        if batch and (len(batch) == BATCH_FILES or sum(one.size for one in batch) + file.size > BATCH_BYTES):
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def _read(path: Path) -> _File:
    """Return a file as it stands, with what may stand behind its pixel data.

    Raises
    ------
    InputError
        If it is no DICOM file, or damaged.
    """
    size = open_dicom(path).size
    with quiet_pydicom():
        try:
            dataset = dcmread(path)
        except DAMAGED as error:
            raise InputError(str(path), f"a damaged file ({type(error).__name__})", "a DICOM file") from None
        uid = text(dataset, "SOPInstanceUID")
    if not uid:
        raise InputError(str(path), "no SOP Instance UID", "a DICOM object")
    return _File(path, uid, size, dataset)


def _stored(post: Post, batch: Sequence[_File]) -> dict[Path, str]:
    """Return the reason why each file was not stored; empty where it was."""
    try:
        with quiet_pydicom():
            receipt, status = post([file.dataset for file in batch])
    except PacsError as error:
        if error.status in _FATAL:
            raise
        reasons = _by_uid(_receipt(error.answer))
        if reasons:
            return {file.path: reasons.get(file.uid, error.found) for file in batch}
        return _one_by_one(post, batch, error.found)
    except DAMAGED as error:
        return _one_by_one(post, batch, f"it cannot be sent, or not be confirmed ({type(error).__name__})")
    reasons = _by_uid(receipt)
    unsaid = "" if status in _ALL_STORED and not reasons else _UNCONFIRMED
    return {file.path: reasons.get(file.uid, unsaid) for file in batch}


def _one_by_one(post: Post, batch: Sequence[_File], found: str) -> dict[Path, str]:
    """Send the files of a refused batch alone: one of them may have been too much, or damaged."""
    if len(batch) == 1:
        return {batch[0].path: found}
    told: dict[Path, str] = {}
    for file in batch:
        told |= _stored(post, [file])
        if len(told) == MOST_FAILURES and set(told.values()) == {found}:
            return dict.fromkeys([file.path for file in batch], found)  # it is not one of the files
    return told


def _receipt(answer: bytes) -> Dataset:
    """Return the body of a refusal as a dataset; an empty one where it is none."""
    try:
        return Dataset.from_json(answer.decode())
    except (*DAMAGED, UnicodeError):
        return Dataset()


def _by_uid(receipt: Dataset) -> dict[str, str]:
    """Return the reason of each failure by SOP Instance UID; empty for what is stored."""
    with quiet_pydicom():
        stored = {text(item, "ReferencedSOPInstanceUID"): "" for item in items(receipt, "ReferencedSOPSequence")}
        failed = {
            text(item, "ReferencedSOPInstanceUID"): _reason(number(item, "FailureReason", 0))
            for item in items(receipt, "FailedSOPSequence")
        }
    return stored | failed


def _reason(code: float) -> str:
    code = int(code) if math.isfinite(code) else 0
    if code == _ALREADY_THERE:
        return ""
    known = _REASONS.get(code) or _REASON_FAMILIES.get(code >> 8, "it gave no reason that is known")
    return f"refused by the server: {known} (failure reason {code:04X})"
