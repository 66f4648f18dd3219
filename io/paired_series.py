"""Which series of a study stand beside the one on which lesions were segmented: without contrast medium, an ADC map.

Such a series is of the same study, modality and frame of reference; of another frame of reference positions cannot be
compared (DICOM PS3.3, C.7.4.1). What headers do not tell is not guessed: where several series fit, none is taken.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from response.errors import InputError
from response.findings import Finding, Severity
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


@dataclass(frozen=True)
class Beside:
    """A kind of series that stands beside the segmented one.

    Attributes
    ----------
    column
        Of the table of pairs.
    name
        In words.
    """

    column: str
    name: str

    def told(self, why: str) -> str:
        """Return the sentence that none was used."""
        return f"{self.name[0].upper()}{self.name[1:]} was not measured beside the segmented image: {why}."

    def not_used(
        self, image: Header, *, found: str, expected: str, why: str, remedy: str, severity: Severity = "info"
    ) -> Finding:
        """Return the finding that none was used beside the series of a header."""
        return Finding(
            id=f"{self.column}_not_used",
            severity=severity,
            subject=image.subject,
            timepoint=image.timepoint or image.study_date,
            found=found,
            expected=expected,
            sentence=self.told(why),
            remedy=remedy,
            file=str(image.path.parent),
        )


UNENHANCED_SERIES: Final = Beside("unenhanced", "the series without contrast medium")
ADC_MAP: Final = Beside("adc", "the ADC map")


@dataclass(frozen=True, eq=False)
class Chosen:
    """A series beside another one.

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


def find_unenhanced(image: Sequence[Header], series: Mapping[str, Sequence[Header]]) -> Chosen:
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
        return Chosen()
    read = [other for headers in others if (other := _read(headers)) and other.is_clear]
    found = [other for other in read if (_is_plain_ct(other) if other.modality == "CT" else _is_before(own, other))]
    near = [other for other in found if _same_frame(own, other)]
    alike = [other for other in near if _is_made_alike(own, other)] if len(near) > 1 else near
    return _chosen(image[0], alike or near, found, UNENHANCED_SERIES)


def find_adc(image: Sequence[Header], series: Mapping[str, Sequence[Header]]) -> Chosen:
    """Return the series with the ADC map (`is_adc`) that belongs to an MR series; it may be that series itself.

    Arguments as in `find_unenhanced`.
    """
    others = [headers for headers in series.values() if _may_fit(image[0], headers[0])]
    if image[0].modality != "MR":
        return Chosen()
    own, *found = [read if (read := _read(headers)) and is_adc(read.elements) else None for headers in (image, *others)]
    if own is not None:
        return Chosen(paths=own.paths)
    maps = [other for other in found if other is not None]
    frame = image[0].frame_of_reference_uid
    return _chosen(image[0], [other for other in maps if other.frame_of_reference_uid == frame != ""], maps, ADC_MAP)


def is_adc(elements: Elements) -> bool:
    """Return whether an image is a map of the apparent diffusion coefficient, by its ImageType (DIFFUSION, ADC)."""
    return any(word.startswith("ADC") for word in elements.text("ImageType").upper().split("\\"))


def _chosen(image: Header, near: Sequence[_Series], found: Sequence[_Series], what: Beside) -> Chosen:
    """Return the only series that fits, or why none is taken."""
    if len(near) == 1:
        return Chosen(paths=near[0].paths)
    if near:
        return Chosen(finding=_several(image, near, what))
    return Chosen(finding=_elsewhere(image, found, what) if found else None)


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


def _several(image: Header, found: Sequence[_Series], what: Beside) -> Finding:
    return what.not_used(
        image,
        found=", ".join(f"series {other.uid}" for other in found[:_MOST_NAMED]),
        expected="one series",
        why="several series seem to be it",
        remedy=f"Name the segmentation and the series in a table (--pairs, columns mask and {what.column}).",
    )


def _elsewhere(image: Header, found: Sequence[_Series], what: Beside) -> Finding:
    return what.not_used(
        image,
        found=", ".join(f"series {other.uid}" for other in found[:_MOST_NAMED]),
        expected="the frame of reference of the segmented series",
        why="it does not share its frame of reference, so that positions cannot be compared",
        remedy="Nothing need be done; bring both into one frame of reference if its numbers are wanted.",
    )
