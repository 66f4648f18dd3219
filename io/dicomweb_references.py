"""Which image series segmentations refer to, so that only those need to be fetched.

Source: DICOM PS3.3, sections C.12.1 (Common Instance Reference) and C.8.8.5 (Structure Set).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydicom.dataset import Dataset

from response.errors import InputError
from response.io.dicom_files import open_dicom, quiet_pydicom
from response.io.dicom_values import items, text

_TAGS = (
    "StudyInstanceUID",
    "ReferencedSeriesSequence",
    "StudiesContainingOtherReferencedInstancesSequence",
    "ReferencedFrameOfReferenceSequence",
)


def referenced_series(path: Path) -> set[tuple[str, str]]:
    """Return (Study Instance UID, Series Instance UID) of the series that a SEG or RTSTRUCT refers to.

    Empty where the file does not say, or cannot be read.
    """
    try:
        with quiet_pydicom():
            dataset = open_dicom(path, tags=_TAGS).dataset
            return {pair for pair in _pairs(dataset) if all(pair)}
    except InputError:
        return set()


def _pairs(dataset: Dataset) -> Iterator[tuple[str, str]]:
    study = text(dataset, "StudyInstanceUID")
    yield from _series(study, items(dataset, "ReferencedSeriesSequence"))
    for other in items(dataset, "StudiesContainingOtherReferencedInstancesSequence"):
        yield from _series(text(other, "StudyInstanceUID"), items(other, "ReferencedSeriesSequence"))
    for frame in items(dataset, "ReferencedFrameOfReferenceSequence"):
        for other in items(frame, "RTReferencedStudySequence"):
            named = text(other, "ReferencedSOPInstanceUID") or study
            yield from _series(named, items(other, "RTReferencedSeriesSequence"))


def _series(study: str, found: Iterable[Dataset]) -> Iterator[tuple[str, str]]:
    yield from ((study, text(item, "SeriesInstanceUID")) for item in found)
