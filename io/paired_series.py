"""Which series of a study was taken without contrast medium beside the one on which lesions were segmented.

It is of the same study, modality and frame of reference; another frame of reference says that positions cannot be
compared (DICOM PS3.3, C.7.4.1). What headers do not tell is not guessed: where several series fit, none is taken.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from response.errors import InputError
from response.findings import Finding
from response.imaging.contrast import is_enhanced
from response.imaging.volume import Acquisition
from response.io.acquisition import read_acquisition
from response.io.dicom_files import open_dicom, quiet_pydicom
from response.io.dicom_headers import Header
from response.io.planes import TAGS, Elements, planes_of
from response.vocabulary import folded

# Computed from an image with contrast medium, and so no measurement without it: virtual non-contrast, virtual
# unenhanced. By words, for what scanners write in ImageType was not found in a public source.
_VIRTUAL: Final = re.compile(r"\bvirtual\w*|\bvirtuell\w*|\bvirtuel\w*|\bvnc\b|\bvne\b|\bvue\b")
# One MR sequence: these are equal, as far as both headers have them ...
_SAME_TEXTS: Final = (
    "ImageType",
    "SequenceName",
    "PulseSequenceName",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
)
_SAME_NUMBERS: Final = ("RepetitionTime", "EchoTime", "FlipAngle")  # ... and these but for rounding
_ROUNDING: Final = 0.01  # relative
_MOST_NAMED: Final = 5  # series, in a finding


@dataclass(frozen=True, eq=False)
class Unenhanced:
    """The series without contrast medium beside another one.

    Attributes
    ----------
    paths
        Its files; none where there is no such series, or more than one.
    finding
        Why none was taken, where some seemed to fit.
    """

    paths: tuple[Path, ...] = ()
    finding: Finding | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class _Series:
    headers: Sequence[Header]
    elements: Elements
    acquisition: Acquisition
    is_clear: bool  # whether its headers do not contradict each other on the contrast phase

    @property
    def uid(self) -> str:
        return self.headers[0].series_uid

    @property
    def modality(self) -> str:
        return self.acquisition.modality

    @property
    def frame_of_reference_uid(self) -> str:
        return self.headers[0].frame_of_reference_uid

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(sorted(header.path for header in self.headers))


def find_unenhanced(image: Sequence[Header], series: Mapping[str, Sequence[Header]]) -> Unenhanced:
    """Return the series without contrast medium that belongs to one with it.

    1. CT: the headers say that no contrast medium was given, and the image is not a computed one ("virtual").
    2. MR: it is of the same sequence as far as headers tell (`_SAME_TEXTS`, `_SAME_NUMBERS`), and its headers say that
       no contrast medium was given; or they say nothing, it was acquired first, and those of the other name an agent.
    3. Of several on CT, the only one of the same kernel and thickness.

    Parameters
    ----------
    image
        The series on which lesions were segmented; nothing is looked for unless its headers say that contrast medium
        was given.
    series
        Those of the scan, by UID. One file of each that may fit is opened.
    """
    others = [headers for headers in series.values() if _may_fit(image[0], headers[0])]
    own = _read(image) if others else None
    if own is None or not own.is_clear or is_enhanced(own.acquisition) is not True:
        return Unenhanced()
    read = [other for headers in others if (other := _read(headers)) and other.is_clear]
    found = [other for other in read if (_is_plain_ct(other) if other.modality == "CT" else _is_before(own, other))]
    near = [other for other in found if _same_frame(own, other)]
    if not near:
        return Unenhanced(finding=_elsewhere(image[0], found) if found else None)
    alike = [other for other in near if _is_made_alike(own, other)] if len(near) > 1 else near
    if len(alike) != 1:
        return Unenhanced(finding=_several(image[0], near))
    return Unenhanced(paths=alike[0].paths)


def _may_fit(image: Header, other: Header) -> bool:
    same = (image.subject, image.study_uid, image.modality) == (other.subject, other.study_uid, other.modality)
    return same and other.series_uid != image.series_uid and image.modality in {"CT", "MR"}


def _read(headers: Sequence[Header]) -> _Series | None:
    """Return a series as one of its files describes it; None where that cannot be read, which is told elsewhere."""
    with suppress(InputError), quiet_pydicom():
        file = open_dicom(min(header.path for header in headers), tags=(*TAGS, *_SAME_TEXTS, *_SAME_NUMBERS))
        elements = next(planes_of(file)).elements
        acquisition, faults = read_acquisition(elements)
        return _Series(headers=headers, elements=elements, acquisition=acquisition, is_clear=not faults)
    return None


def _is_plain_ct(other: _Series) -> bool:
    told = f"{folded(other.acquisition.description)} {folded(other.elements.text('ImageType'))}"
    return is_enhanced(other.acquisition) is False and not _VIRTUAL.search(told)


def _is_before(image: _Series, other: _Series) -> bool:
    if not _same_sequence(image.elements, other.elements):
        return False
    enhanced = is_enhanced(other.acquisition)
    came_first = "" < _time(other.elements) < _time(image.elements)
    return enhanced is False or (enhanced is None and bool(image.acquisition.contrast_agent) and came_first)


def _same_sequence(one: Elements, two: Elements) -> bool:
    for keyword in _SAME_TEXTS:
        texts = {elements.text(keyword) for elements in (one, two)} - {""}
        if len(texts) > 1:
            return False
    for keyword in _SAME_NUMBERS:
        numbers = [elements.decimals(keyword)[:1] for elements in (one, two)]
        if all(numbers) and abs(numbers[0][0] - numbers[1][0]) > _ROUNDING * abs(numbers[0][0]):
            return False
    return True


def _time(elements: Elements) -> str:
    """Return when a series was acquired, as DICOM time, which sorts as text; empty where that is not told."""
    time = elements.text("AcquisitionTime") or elements.text("ContentTime")
    return time if re.fullmatch(r"\d{6}(\.\d{1,6})?", time) else ""


def _same_frame(one: _Series, two: _Series) -> bool:
    return one.frame_of_reference_uid == two.frame_of_reference_uid != ""


def _is_made_alike(one: _Series, two: _Series) -> bool:
    kernels, thicknesses = (
        {getattr(series.acquisition, name) for series in (one, two)} for name in ("kernel", "slice_thickness_mm")
    )
    return one.modality == "CT" and len(kernels) == len(thicknesses) == 1


def _several(image: Header, found: Sequence[_Series]) -> Finding:
    return _not_used(
        image,
        found,
        "one series",
        "Several series seem to be the one without contrast medium, so none was measured beside the segmented one.",
        "Name the segmentation and the series in a table (--pairs, columns mask and unenhanced).",
    )


def _elsewhere(image: Header, found: Sequence[_Series]) -> Finding:
    return _not_used(
        image,
        found,
        "the frame of reference of the segmented series",
        "A series without contrast medium was not measured beside the segmented one, for it is of another frame of "
        "reference: their positions cannot be compared.",
        "Nothing need be done; register the series to each other if enhancement is wanted.",
    )


def _not_used(image: Header, found: Iterable[_Series], expected: str, sentence: str, remedy: str) -> Finding:
    named = [f"series {other.uid}" for other in found]
    return Finding(
        id="unenhanced_not_used",
        severity="info",
        subject=image.subject,
        timepoint=image.timepoint or image.study_date,
        found=", ".join(named[:_MOST_NAMED]),
        expected=expected,
        sentence=sentence,
        remedy=remedy,
        file=str(image.path.parent),
    )
