"""DICOM files to pydicom datasets: with or without preamble, damaged ones told apart, nothing printed.

Source: DICOM PS3.10, section 7 (file format); PS3.5, section 7 (elements) and annex A (transfer syntaxes).
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset as parse_elements
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from response.errors import InputError
from response.io.dicom_bytes import (
    EXPECTED,
    LARGEST_BYTES,
    MAGIC,
    PREAMBLE,
    UNDEFINED,
    end_of_fragments,
    inflate,
    looks_like_dicom,
    read_bytes,
    shown,
    size_of,
    truncated,
)
from response.io.dicom_values import DAMAGED, plain_text

__all__ = ["LARGEST_BYTES", "UNDEFINED", "looks_like_dicom", "shown", "truncated"]  # handed on from dicom_bytes
__all__ += ["DicomFile", "PixelElement", "open_dicom", "quiet_pydicom", "read_dataset"]

HEAD_BYTES: Final = 1 << 16  # holds the header of nearly every image
LONG_HEAD_BYTES: Final = 1 << 22  # holds those of nearly all segmentations and enhanced images, with all their frames
PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})  # double float, float, and integer pixels

EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
GE_BIG_PIXELS: Final = "1.2.840.113619.5.2"  # private: an implicit little endian header before big endian pixels

_IMPLICIT_SYNTAXES: Final = frozenset({IMPLICIT, GE_BIG_PIXELS})


@dataclass(frozen=True, kw_only=True)
class PixelElement:
    """Where the pixel data of a file stand.

    Attributes
    ----------
    tag
        One of `PIXEL_TAGS`.
    vr
        Value representation as text.
    offset
        Of the value, in bytes from the start of `DicomFile.data` (of the file, where it is not deflated).
    length
        In bytes; `UNDEFINED` where the data are encapsulated (PS3.5, A.4).
    """

    tag: int
    vr: str
    offset: int
    length: int


@dataclass(frozen=True, eq=False, kw_only=True)
class DicomFile:
    """One file, parsed as far as its pixel data.

    Attributes
    ----------
    path
        Of the file.
    dataset
        All elements before the pixel data (or those asked for), with `file_meta`.
    transfer_syntax
        UID; guessed where the file does not say.
    pixels
        Where the pixel data stand; None where there are none.
    size
        Bytes of the file, inflated where it is deflated.
    inflated
        The bytes of the file where its transfer syntax is deflated; else None.
    """

    path: Path
    dataset: Dataset
    transfer_syntax: str
    pixels: PixelElement | None
    size: int
    inflated: bytes | None = None

    def pixel_bytes(self) -> bytes:
        """Return the value of the pixel data: what stands in the file, still compressed.

        Raises
        ------
        InputError
            If there are none, or the file ends within them.
        """
        where = shown(self.path)
        if self.pixels is None:
            raise InputError(where, "no pixel data", "an image", "was the file sent without its pixels?")
        start, length = self.pixels.offset, self.pixels.length
        if length != UNDEFINED and start + length > self.size:
            raise truncated(self.path)
        data = self.inflated if self.inflated is not None else read_bytes(self.path, self.size)
        end = (
            start + length
            if length != UNDEFINED
            else end_of_fragments(data, start, self.path, little=self.transfer_syntax != EXPLICIT_BIG)
        )
        return data[start:end]


def read_dataset(path: Path, *, pixels: bool = True, tags: Sequence[str] | None = None) -> Dataset:
    """Return the dataset of one DICOM file.

    Files without preamble or meta header are read where they really are DICOM. Elements that stand behind the pixel
    data (padding, digital signatures) are left out. Values are converted when they are asked for: do that within
    `quiet_pydicom`, and expect pydicom's errors where a value does not fit its VR, or use `text`, `numbers`, `items`.

    Parameters
    ----------
    path
        The file.
    pixels
        Whether to read the pixel data too.
    tags
        Keywords of the elements wanted; all without it.

    Raises
    ------
    InputError
        If the file cannot be opened, is no DICOM, is cut off, is damaged, or is absurdly large.
    """
    file = open_dicom(Path(path), tags=tags)
    dataset, place = file.dataset, file.pixels
    if pixels and place is not None:
        value = file.pixel_bytes()
        raw = RawDataElement(
            BaseTag(place.tag),
            place.vr,
            place.length,
            value,
            place.offset,
            file.transfer_syntax == IMPLICIT,
            file.transfer_syntax != EXPLICIT_BIG,
        )
        dataset[place.tag] = raw
    return dataset


def open_dicom(path: Path, *, tags: Sequence[str] | None = None, last_tag: int | None = None) -> DicomFile:
    """Parse one file as far as its pixel data, whose bytes are left on the disk.

    Parameters
    ----------
    path
        The file.
    tags
        Keywords of the elements wanted; all without it.
    last_tag
        Stop behind this tag, for speed: the pixel data are not looked for then.

    Raises
    ------
    InputError
        As `read_dataset`.
    """
    parser = _Parser(path, size_of(path), None if tags is None else _tags(tuple(tags)), last_tag)
    try:
        with quiet_pydicom():
            for size in (HEAD_BYTES, LONG_HEAD_BYTES, parser.size):
                parsed = parser.parse(read_bytes(path, size))
                if parsed is not None or parser.size <= size:
                    break
    except MemoryError:
        raise InputError(shown(path), "it claims more than this computer's memory", EXPECTED) from None
    if parsed is None:
        raise truncated(path)
    return parsed


@contextlib.contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom from printing or logging: its warnings quote values, which may name a patient."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.disabled = True
        try:
            yield
        finally:
            logger.disabled = before


# --- Parsing.


class _End:
    """Tells pydicom where to stop, and keeps what it saw last."""

    def __init__(self, last_tag: int | None) -> None:
        self.last_tag = UNDEFINED if last_tag is None else last_tag
        self.seen: tuple[int, str | None, int] | None = None
        self.reached = False

    def __call__(self, tag: BaseTag, vr: str | None, length: int) -> bool:
        number = int(tag)  # a BaseTag compares slowly
        self.seen = (number, vr, length)
        self.reached = number in PIXEL_TAGS or number > self.last_tag
        return self.reached

    def pixels(self, position: int) -> PixelElement | None:
        """Return where the pixel data stand, if they are why parsing stopped at this position."""
        if not self.reached or self.seen is None or self.seen[0] not in PIXEL_TAGS:
            return None
        tag, vr, length = self.seen
        header = 12 if vr in EXPLICIT_VR_LENGTH_32 else 8
        return PixelElement(tag=tag, vr=vr or "OW", offset=position + header, length=length)


@dataclass(frozen=True)
class _Parser:
    path: Path
    size: int
    wanted: list[BaseTag | int] | None
    last_tag: int | None

    def parse(self, data: bytes) -> DicomFile | None:
        """Return the file parsed from its first bytes, or None where they end before the header does."""
        if not looks_like_dicom(data):
            raise InputError(shown(self.path), "no DICOM file", EXPECTED)
        try:
            return self._parse(data)
        except DAMAGED as error:  # their texts may hold values of the patient
            if len(data) < self.size:
                return None
            raise InputError(shown(self.path), f"a damaged header ({type(error).__name__})", EXPECTED) from None

    def _parse(self, data: bytes) -> DicomFile | None:
        stream = BytesIO(data)
        stream.seek(PREAMBLE + 4 if data[PREAMBLE : PREAMBLE + 4] == MAGIC else 0)
        meta = parse_elements(stream, False, True, stop_when=_behind_meta)
        syntax = _transfer_syntax(meta, data[stream.tell() :][:6])
        inflated = None
        if syntax == DEFLATED:
            if len(data) < self.size:
                return None
            data = inflated = inflate(data, stream.tell(), self.path)
            stream = BytesIO(data)
        end = _End(self.last_tag)
        implicit, little = syntax in _IMPLICIT_SYNTAXES, syntax != EXPLICIT_BIG
        dataset = parse_elements(stream, implicit, little, stop_when=end, specific_tags=self.wanted)
        size = len(data) if inflated is not None else self.size
        if not end.reached and (len(data) < size or self._is_cut(dataset, end, stream, data)):
            return None
        dataset.file_meta = FileMetaDataset(meta)
        if not plain_text(meta, "TransferSyntaxUID"):
            dataset.file_meta.TransferSyntaxUID = syntax
        return DicomFile(
            path=self.path,
            dataset=dataset,
            transfer_syntax=syntax,
            pixels=end.pixels(stream.tell()),
            size=size,
            inflated=inflated,
        )

    def _is_cut(self, dataset: Dataset, end: _End, stream: BytesIO, data: bytes) -> bool:
        """Return whether the last element of a file that has no pixel data is not whole."""
        if end.seen is None or stream.tell() > len(data):
            return True
        tag, _, length = end.seen
        if length == UNDEFINED:  # pydicom drops an element whose end it cannot find
            return tag not in dataset and self.wanted is None
        raw = dataset._dict.get(tag)
        if not isinstance(raw, RawDataElement):
            return False
        rest = data[raw.value_tell + length :]
        return len(raw.value or b"") < length or (0 < len(rest) < 8 and any(rest))


@cache
def _tags(keywords: tuple[str, ...]) -> list[BaseTag | int]:
    return [Tag(keyword) for keyword in keywords]


def _behind_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return bool(tag >> 16 != 2)


def _transfer_syntax(meta: Dataset, start: bytes) -> str:
    """Return the transfer syntax; where the file does not say, it is told by the first element of the dataset."""
    if named := plain_text(meta, "TransferSyntaxUID"):
        return named
    if not (start[4:6].isalpha() and start[4:6].isupper()):
        return IMPLICIT
    return EXPLICIT if start[:1] != b"\0" else EXPLICIT_BIG
