"""What the header of a NIfTI, NRRD or MetaImage file claims, held against the bytes that are there.

The library that reads these files fills what is missing with zeros, or passes damaged compressed data on in silence;
and a header of a hundred bytes may claim any size. So the claim is checked first: how many bytes of voxels, how they
are packed, and that exactly so many are there and their checksum holds.

Sources: NIfTI-1 header (nifti1.h, 2005) and NIfTI-2; NRRD format definition, NRRD0001 to NRRD0005; MetaIO
documentation, tags of MetaImage.
"""

import gzip
import re
import stat
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, Final

from response.errors import InputError
from response.io.dicom_bytes import shown
from response.io.nifti_forms import NiftiForms

LARGEST_BYTES: Final = 1 << 33  # of the voxels of one file; the largest CT series come to 2 GiB
HEADER_BYTES: Final = 1 << 20  # text headers end before; those of segmentations list every segment
_CHUNK: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"

NIFTI: Final = "NiftiImageIO"
NRRD: Final = "NrrdImageIO"
META: Final = "MetaImageIO"
_READERS: Final = {".nii": NIFTI, ".nii.gz": NIFTI, ".nrrd": NRRD, ".nhdr": NRRD, ".mha": META, ".mhd": META}

_NRRD_BYTES: Final = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t"), 4),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), 8),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), 8),
    "float": 4,
    "double": 8,
}
_META_BYTES: Final = {
    **dict.fromkeys(("MET_CHAR", "MET_UCHAR", "MET_ASCII_CHAR"), 1),
    **dict.fromkeys(("MET_SHORT", "MET_USHORT"), 2),
    **dict.fromkeys(("MET_INT", "MET_UINT", "MET_FLOAT"), 4),
    **dict.fromkeys(("MET_LONG", "MET_ULONG"), 4),  # 32 bits wide in files of every platform
    **dict.fromkeys(("MET_LONG_LONG", "MET_ULONG_LONG", "MET_DOUBLE"), 8),
}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a header says.

    Attributes
    ----------
    reader
        Name of the reader in SimpleITK.
    data
        The file that holds the voxels.
    offset
        Where they start in it (in the inflated stream where the whole file is compressed).
    voxel_bytes
        How many bytes they are.
    packing
        `raw`, `gzip` (a gzip stream), `zlib` (a zlib stream).
    forms
        What a NIfTI header says of spacing and orientation; None for other files.
    """

    reader: str
    data: Path
    offset: int
    voxel_bytes: int
    packing: str = "raw"
    forms: NiftiForms | None = None


def suffix_of(path: Path) -> str:
    """Return which of the known suffixes a file has, in lower case; empty where it has none of them."""
    name = path.name.lower()
    return next((suffix for suffix in (".nii.gz", *_READERS) if name.endswith(suffix)), "")


def check_claim(path: Path) -> Claim:
    """Return what the header claims, once the bytes are found to be there and whole.

    Raises
    ------
    InputError
        If the file cannot be opened, its header cannot be understood, it claims more than there is, its compressed
        data are damaged, or it uses an encoding that nobody uses (text, bzip2).
    """
    path = Path(path)
    readers = {NIFTI: _nifti_claim, NRRD: _nrrd_claim, META: _meta_claim}
    _require_regular(path, path)
    try:
        claim = readers[_READERS[suffix_of(path)]](path)
        if not 0 < claim.voxel_bytes <= LARGEST_BYTES or claim.offset < 0:
            raise _bad(path, f"a header that claims {claim.voxel_bytes} bytes of voxels")
        _require_regular(claim.data, path)
        _check_bytes(path, claim)
    except (ValueError, LookupError, struct.error, EOFError, OverflowError, zlib.error, gzip.BadGzipFile) as error:
        raise _bad(path, f"a damaged file ({type(error).__name__})") from None
    except OSError as error:
        raise InputError(shown(path), f"it cannot be read: {error.strerror}", "an image file") from None
    return claim


def _bad(path: Path, found: str, remedy: str = "was the file written completely?") -> InputError:
    return InputError(shown(path), found, "an image as NIfTI, NRRD or MetaImage", remedy)


def _require_regular(path: Path, named_by: Path) -> None:
    """Refuse pipes and devices, which would be waited for without end, and what is not there."""
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "an impossible name"
        raise InputError(shown(named_by), f"'{shown(path)}' cannot be opened: {why}", "an image file") from None
    if not is_file:
        raise InputError(shown(named_by), f"'{shown(path)}' is no regular file", "an image file")


# --- Headers.


def _nifti_claim(path: Path) -> Claim:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    with gzip.open(path, "rb") if packed else path.open("rb") as file:
        header = file.read(540)
    order = "<" if header[3:4] == b"\0" else ">"  # the first field is the size of the header: 348 or 540
    size = struct.unpack_from(f"{order}i", header)[0]
    if size == 348 and header[344:348] == b"n+1\0":
        rank, *dims = struct.unpack_from(f"{order}8h", header, 40)
        bits = struct.unpack_from(f"{order}h", header, 72)[0]
        offset = int(struct.unpack_from(f"{order}f", header, 108)[0])
    elif size == 540 and header[4:7] == b"n+2":
        bits = struct.unpack_from(f"{order}h", header, 14)[0]
        rank, *dims = struct.unpack_from(f"{order}8q", header, 16)
        offset = struct.unpack_from(f"{order}q", header, 168)[0]
    else:
        raise _bad(path, "no NIfTI header", "save header and voxels in one file (.nii or .nii.gz)")
    if not 1 <= rank <= 7 or any(size < 1 for size in dims[:rank]) or bits % 8:
        raise _bad(path, "a NIfTI header with impossible sizes")
    forms = NiftiForms.of_header(header)
    if not forms.has_spacing():
        raise _bad(path, "a spacing of zero", "correct the header")
    voxels = prod(dims[:rank]) * (bits // 8)
    packing = "gzip" if packed else "raw"
    return Claim(reader=NIFTI, data=path, offset=max(offset, size), voxel_bytes=voxels, packing=packing, forms=forms)


def _nrrd_claim(path: Path) -> Claim:
    text, offset = _text_header(path, re.compile(rb"\r?\n\r?\n"))
    if not text.startswith("NRRD000"):
        raise _bad(path, "no NRRD header")
    fields = {name.strip().lower(): value.strip() for name, value in _pairs(text, r":(?!=)")}
    data_file = fields.get("data file", fields.get("datafile", ""))
    if data_file.startswith("LIST") or "%" in data_file:
        raise _bad(path, "a header for several data files", "save it as one file")
    _require_plain(path, fields, {"line skip": "0", "lineskip": "0", "byte skip": "0", "byteskip": "0"})
    packings = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}
    if fields["encoding"].lower() not in packings:
        raise _bad(path, "an NRRD encoding other than raw and gzip", "save it as raw or gzip")
    return Claim(
        reader=NRRD,
        data=_beside(path, data_file) if data_file else path,
        offset=0 if data_file else offset,
        voxel_bytes=prod(_sizes(fields["sizes"])) * _NRRD_BYTES[fields["type"].lower()],
        packing=packings[fields["encoding"].lower()],
    )


def _meta_claim(path: Path) -> Claim:
    text, offset = _text_header(path, re.compile(rb"ElementDataFile[ \t]*=[^\n]*\n"))
    fields = {name.strip(): value.strip() for name, value in _pairs(text, "=")}
    data_file = fields["ElementDataFile"]
    if data_file.startswith("LIST") or "%" in data_file:
        raise _bad(path, "a header for several data files", "save it as one file")
    _require_plain(path, fields, {"HeaderSize": "0", "BinaryData": "True"})
    local = data_file.upper() == "LOCAL"
    channels = int(fields.get("ElementNumberOfChannels", "1"))
    return Claim(
        reader=META,
        data=path if local else _beside(path, data_file),
        offset=offset if local else 0,
        voxel_bytes=prod(_sizes(fields["DimSize"])) * channels * _META_BYTES[fields["ElementType"]],
        packing="zlib" if fields.get("CompressedData", "False").lower() in {"true", "1"} else "raw",
    )


def _text_header(path: Path, end: re.Pattern[bytes]) -> tuple[str, int]:
    """Return a text header and where it ends; the whole file where nothing follows it."""
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES)
    found = end.search(start)
    if not found and len(start) == HEADER_BYTES:
        raise _bad(path, "a header without end")
    stop = found.end() if found else len(start)
    return start[:stop].decode("utf-8", "replace"), stop


def _pairs(text: str, separator: str) -> list[tuple[str, str]]:
    parts = (re.split(separator, line, maxsplit=1) for line in text.splitlines() if not line.startswith("#"))
    return [(part[0], part[1]) for part in parts if len(part) == 2]


def _require_plain(path: Path, fields: Mapping[str, str], usual: Mapping[str, str]) -> None:
    for name, value in usual.items():
        if fields.get(name, value).lower() != value.lower():
            raise _bad(path, f"a header with {name} other than {value}", "save it again with another program")


def _sizes(text: str) -> list[int]:
    sizes = [int(size) for size in text.split()]
    if not sizes or min(sizes) < 1:
        raise ValueError(text)
    return sizes


def _beside(path: Path, name: str) -> Path:
    """Return a data file in the folder of its header, or below it: a header may not point elsewhere."""
    folder = path.absolute().parent
    file = folder / name
    if ".." in Path(name).parts or folder not in file.parents:
        raise _bad(path, "a header whose voxels stand in another folder", "put both files in one folder")
    return file


# --- Bytes.


def _check_bytes(path: Path, claim: Claim) -> None:
    with claim.data.open("rb") as file:
        file.seek(0 if claim.reader == NIFTI else claim.offset)
        if claim.packing == "raw":
            there = claim.data.stat().st_size - claim.offset
        else:
            there = _inflated_bytes(file, claim) - (claim.offset if claim.reader == NIFTI else 0)
    if there < claim.voxel_bytes:
        raise _bad(path, f"{max(there, 0)} bytes of voxels where its header claims {claim.voxel_bytes}")


def _inflated_bytes(file: BinaryIO, claim: Claim) -> int:
    """Return how many bytes a compressed stream holds, checksum and all; stop counting at more than was claimed."""
    expected = claim.offset + claim.voxel_bytes
    stream: Any = gzip.GzipFile(fileobj=file) if claim.packing == "gzip" else _ZlibReader(file)
    count = 0
    while part := stream.read(_CHUNK):
        count += len(part)
        if count > expected + HEADER_BYTES:
            break
    return count


class _ZlibReader:
    """Reads a zlib stream piece by piece; zlib checks its sum at the end."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.engine = file, zlib.decompressobj()

    def read(self, size: int) -> bytes:
        while not self.engine.eof:
            packed = self.engine.unconsumed_tail or self.file.read(_CHUNK)
            if not packed:
                raise EOFError
            if part := self.engine.decompress(packed, size):
                return part
        return b""
