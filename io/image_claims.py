"""What the header of a NIfTI, NRRD or MetaImage file says of its voxels: how many, of which kind, and where they stand.

SimpleITK knows the geometry of these files, but fills up voxels that are missing, and passes damaged ones on in
silence. So the voxels are read by what stands here, and both must agree on the sizes.

Sources: NIfTI-1 header (nifti1.h, 2005); NRRD format definition, NRRD0001 to NRRD0005; MetaIO
documentation, tags of MetaImage.
"""

import gzip
import re
import stat
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from response.errors import InputError
from response.io.dicom_bytes import shown
from response.io.nifti_forms import NiftiForms

LARGEST_BYTES: Final = 1 << 33  # of the voxels of one file; the largest CT series come to 2 GiB
LARGEST_HEADER: Final = 1 << 24  # of a NIfTI file with its extensions
HEADER_BYTES: Final = 1 << 20  # text headers end before; those of segmentations list every segment
DAMAGED: Final = (ValueError, LookupError, struct.error, EOFError, OverflowError, zlib.error, gzip.BadGzipFile)
_GZIP: Final = b"\x1f\x8b"

NIFTI: Final = "NiftiImageIO"
NRRD: Final = "NrrdImageIO"
META: Final = "MetaImageIO"
_READERS: Final = {".nii": NIFTI, ".nii.gz": NIFTI, ".nrrd": NRRD, ".nhdr": NRRD, ".mha": META, ".mhd": META}

# Single numbers only; complex numbers and colours are refused.
_NIFTI_TYPES: Final = {
    2: "u1",
    256: "i1",
    4: "i2",
    512: "u2",
    8: "i4",
    768: "u4",
    1024: "i8",
    1280: "u8",
    16: "f4",
    64: "f8",
}
_NRRD_TYPES: Final = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
_META_TYPES: Final = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",  # 32 bits wide in files of every platform
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_META_PLACES: Final = {
    **dict.fromkeys(("Offset", "Position", "Origin", "CenterOfRotation", "ElementSpacing", "ElementSize"), 1),
    **dict.fromkeys(("TransformMatrix", "Rotation", "Orientation"), 2),
}  # how often the rank must be multiplied to give the number of numbers
_FLAGS: Final = {"true": True, "false": False}
_IN_SPACE: Final = frozenset({"domain", "space", "???", "none"})  # kinds of NRRD axes that may lie in space


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a header says.

    Attributes
    ----------
    path, data
        The file, and the one that holds the voxels, which may be another.
    reader
        Name of the reader in SimpleITK.
    offset
        Where the voxels start in `data` (of a compressed NIfTI file: in what it unpacks to).
    packing
        `raw`, `gzip` (of a NIfTI file the whole, else the voxels) or `zlib`.
    packed_bytes
        How many bytes the zlib stream takes.
    kind
        Type of the voxels in the file.
    sizes
        Columns, rows and slices; of two-dimensional images without the last.
    layers
        Numbers per voxel.
    layers_first
        Whether the numbers of one voxel stand together, and not those of one layer.
    slope, intercept
        By which stored numbers become values.
    forms
        What a NIfTI header says of spacing and orientation; None for other files.
    """

    path: Path
    data: Path
    reader: str
    offset: int
    packing: str = "raw"
    packed_bytes: int = 0
    kind: np.dtype[Any]
    sizes: tuple[int, ...]
    layers: int = 1
    layers_first: bool = True
    slope: float = 1.0
    intercept: float = 0.0
    forms: NiftiForms | None = None

    @property
    def voxel_bytes(self) -> int:
        """How many bytes all voxels take."""
        return prod(self.sizes) * self.layers * self.kind.itemsize


def suffix_of(path: Path) -> str:
    """Return which of the known suffixes a file has, in lower case; empty where it has none of them."""
    name = path.name.lower()
    return next((suffix for suffix in (".nii.gz", *_READERS) if name.endswith(suffix)), "")


def read_claim(path: Path) -> Claim:
    """Return what the header of an image file claims.

    Raises
    ------
    InputError
        If the file cannot be opened, its header cannot be understood, it claims an absurd size, or the voxels are no
        single numbers, or packed as nobody packs them (text, bzip2).
    """
    readers = {NIFTI: _nifti_claim, NRRD: _nrrd_claim, META: _meta_claim}
    _require_regular(path, path)
    try:
        claim = readers[_READERS[suffix_of(path)]](path)
    except DAMAGED as error:
        raise bad(path, f"a damaged header ({type(error).__name__})") from None
    except OSError as error:
        raise InputError(shown(path), f"it cannot be read: {error.strerror}", "an image file") from None
    if not 0 < claim.voxel_bytes <= LARGEST_BYTES:
        raise bad(path, f"a header that claims {claim.voxel_bytes} bytes of voxels")
    _require_regular(claim.data, path)
    return claim


def bad(path: Path, found: str, remedy: str = "was the file written completely?") -> InputError:
    """Return the error for a file that is no sound image."""
    return InputError(shown(path), found, "one image of single numbers as NIfTI, NRRD or MetaImage", remedy)


def _require_regular(path: Path, named_by: Path) -> None:
    """Refuse pipes and devices, which would be waited for without end, and what is not there."""
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "an impossible name"
        raise InputError(shown(named_by), f"'{shown(path)}' cannot be opened: {why}", "an image file") from None
    if not is_file:
        raise InputError(shown(named_by), f"'{shown(path)}' is no regular file", "an image file")


# --- NIfTI.


def _nifti_claim(path: Path) -> Claim:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    with gzip.open(path, "rb") if packed else path.open("rb") as file:
        header = file.read(348)
    order = "<" if header[3:4] == b"\0" else ">"  # the first field is the size of the header
    size = struct.unpack_from(f"{order}i", header)[0]
    if size == 540:
        raise bad(path, "a file of NIfTI version 2", "save it as version 1, or as NRRD")
    if size != 348 or header[344:348] != b"n+1\0":
        raise bad(path, "no NIfTI header", "save header and voxels in one file (.nii or .nii.gz)")
    layout = (("8h", 40), ("h", 70), ("f", 108), ("2f", 112))
    (rank, *dims), (code,), (offset,), scale = (struct.unpack_from(order + text, header, at) for text, at in layout)
    if code not in _NIFTI_TYPES:
        raise bad(path, f"voxels of the NIfTI type {code}", "complex numbers and colours cannot be used")
    dims = [*dims[:rank], *[1] * 7][:7]
    if not 1 <= rank <= 7 or min(dims) < 1 or any(dims[at] > 1 for at in (3, 5, 6)):
        raise bad(path, f"an image of the size {dims[:rank]}", "give each time as a file of its own")
    forms = NiftiForms.of_header(header)
    if not forms.is_sound():
        raise bad(path, "a spacing of zero, or an orientation that is no sound number", "correct the header")
    if not size + 4 <= offset <= LARGEST_HEADER or offset != int(offset):
        raise bad(path, f"voxels that start at byte {offset}")
    slope, intercept = scale if isfinite(scale[0]) and scale[0] != 0 else (1.0, 0.0)  # zero or NaN: none is given
    return Claim(
        path=path,
        data=path,
        reader=NIFTI,
        offset=int(offset),
        packing="gzip" if packed else "raw",
        kind=np.dtype(order + _NIFTI_TYPES[code]),
        sizes=tuple(dims[: 2 if rank == 2 else 3]),
        layers=dims[4],
        layers_first=False,
        slope=slope,
        intercept=intercept if isfinite(intercept) else 0.0,
        forms=forms,
    )


# --- NRRD and MetaImage: headers of text.


def _nrrd_claim(path: Path) -> Claim:
    text, offset = _text_header(path, re.compile(rb"\r?\n\r?\n"))
    if not text.startswith("NRRD000"):
        raise bad(path, "no NRRD header")
    lines = [line for line in text.splitlines()[1:] if ":=" not in line]  # those are notes of programs
    fields = {name.lower(): value for name, value in _fields(lines, ":").items()}
    data_file = fields.get("data file", fields.get("datafile", ""))
    _require_one_file(path, data_file)
    _require_plain(path, fields, {"line skip": "0", "lineskip": "0", "byte skip": "0", "byteskip": "0"})
    packing = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}.get(fields["encoding"].lower())
    if packing is None or fields["type"].lower() not in _NRRD_TYPES:
        raise bad(path, "an NRRD encoding other than raw and gzip, or a strange type", "save it as raw or gzip")
    kind = np.dtype(_NRRD_TYPES[fields["type"].lower()])
    is_big = kind.itemsize > 1 and {"little": False, "big": True}[fields["endian"].lower()]
    sizes, layer_axis = _sizes(fields["sizes"]), _layer_axis(path, fields)
    layers = 1 if layer_axis is None else sizes.pop(layer_axis)
    return Claim(
        path=path,
        data=_beside(path, data_file) if data_file else path,
        reader=NRRD,
        offset=0 if data_file else offset,
        packing=packing,
        kind=kind.newbyteorder(">" if is_big else "<"),
        sizes=_spatial(path, sizes),
        layers=layers,
        layers_first=layer_axis == 0,
    )


def _layer_axis(path: Path, fields: Mapping[str, str]) -> int | None:
    """Return which axis does not lie in space: the first or the last, or none of them."""
    rank = int(fields["dimension"])
    kinds = fields.get("kinds", "").lower().split() or ["domain"] * rank
    places = re.findall(r"none|\([^)]*\)", fields.get("space directions", "")) or ["()"] * rank
    if {len(kinds), len(places), len(_sizes(fields["sizes"]))} != {rank}:
        raise bad(path, "an NRRD header with impossible sizes")
    apart = [at for at in range(rank) if kinds[at] not in _IN_SPACE or places[at] == "none"]
    if not apart:
        return None
    if len(apart) > 1 or apart[0] not in {0, rank - 1}:
        raise bad(path, "several axes that do not lie in space", "give each volume as a file of its own")
    return apart[0]


def _meta_claim(path: Path) -> Claim:
    text, offset = _text_header(path, re.compile(rb"ElementDataFile[ \t]*=[^\n]*\n"))
    lines = [line for line in text.splitlines() if line.strip()]
    fields = _fields(lines, "=")
    before = {*list(fields)[: list(fields).index("NDims")]}
    sizes = _sizes(fields["DimSize"])
    if len(fields) != len(lines) or int(fields["NDims"]) != len(sizes) or not before <= {"ObjectType", "Comment"}:
        raise bad(path, "a MetaImage header with impossible sizes, or out of order")
    places = [(fields[name].split(), power) for name, power in _META_PLACES.items() if name in fields]
    if not all(len(numbers) == len(sizes) ** power and _are_sound(numbers) for numbers, power in places):
        raise bad(path, "a position, spacing or direction that is no sound number", "correct the header")
    data_file = fields["ElementDataFile"]
    _require_one_file(path, data_file)
    _require_plain(path, fields, {"HeaderSize": "0", "BinaryData": "True"})
    if fields["ElementType"] not in _META_TYPES:
        raise bad(path, f"voxels of the type {fields['ElementType'][:20]}")
    big = [_flag(fields, name) for name in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")]
    is_local = data_file.upper() == "LOCAL"
    return Claim(
        path=path,
        data=path if is_local else _beside(path, data_file),
        reader=META,
        offset=offset if is_local else 0,
        packing="zlib" if _flag(fields, "CompressedData") else "raw",
        packed_bytes=int(fields.get("CompressedDataSize", "0")),
        kind=np.dtype(_META_TYPES[fields["ElementType"]]).newbyteorder(">" if any(big) else "<"),
        sizes=_spatial(path, sizes),
        layers=int(fields.get("ElementNumberOfChannels", "1")),
    )


def _are_sound(numbers: list[str]) -> bool:
    return all(isfinite(float(number)) for number in numbers)


def _flag(fields: Mapping[str, str], name: str) -> bool:
    return _FLAGS[fields.get(name, "False").lower()]


def _text_header(path: Path, end: re.Pattern[bytes]) -> tuple[str, int]:
    """Return a text header and where it ends; the whole file where nothing follows it."""
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES)
    found = end.search(start)
    if not found and len(start) == HEADER_BYTES:
        raise bad(path, "a header without end")
    stop = found.end() if found else len(start)
    return start[:stop].decode("utf-8", "replace"), stop


def _fields(lines: list[str], separator: str) -> dict[str, str]:
    """Return names and values of a text header; a name that is there twice would be read as one or the other."""
    pairs = [line.split(separator, 1) for line in lines if separator in line and not line.startswith("#")]
    fields = {pair[0].strip(): pair[1].strip() for pair in pairs}
    if len(fields) != len(pairs):
        raise ValueError(lines)
    return fields


def _require_plain(path: Path, fields: Mapping[str, str], usual: Mapping[str, str]) -> None:
    for name, value in usual.items():
        if fields.get(name, value).lower() != value.lower():
            raise bad(path, f"a header with {name} other than {value}", "save it again with another program")


def _require_one_file(path: Path, data_file: str) -> None:
    if data_file.startswith("LIST") or "%" in data_file:
        raise bad(path, "a header for several data files", "save it as one file")


def _sizes(text: str) -> list[int]:
    sizes = [int(size) for size in text.split()]
    if not sizes or min(sizes) < 1:
        raise ValueError(text)
    return sizes


def _spatial(path: Path, sizes: list[int]) -> tuple[int, ...]:
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes = sizes[:-1]
    if not 2 <= len(sizes) <= 3:
        raise bad(path, f"an image of {len(sizes)} dimensions", "give each time as a file of its own")
    return tuple(sizes)


def _beside(path: Path, name: str) -> Path:
    """Return a data file in the folder of its header, or below it: a header may not point elsewhere."""
    folder = path.absolute().parent
    file = folder / name
    if ".." in Path(name).parts or folder not in file.parents:
        raise bad(path, "a header whose voxels stand in another folder", "put both files in one folder")
    return file
