"""The voxels of NIfTI, NRRD and MetaImage files, each byte of them, compressed or not."""

import gzip
import zlib
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from response.errors import InputError
from response.io.dicom_bytes import shown
from response.io.image_claims import DAMAGED, NIFTI, Claim, bad

_CHUNK: Final = 1 << 20


def read_voxels(claim: Claim) -> NDArray[Any]:
    """Return the numbers `[layer, slice, row, column]` of an image file as they are stored, bytes in our order.

    Raises
    ------
    InputError
        If there are fewer than its header claims, or compressed data are damaged.
    """
    try:
        stored = np.empty(claim.voxel_bytes // claim.kind.itemsize, claim.kind.newbyteorder("="))
        with claim.data.open("rb") as file:
            count = _fill(stored.data.cast("B"), file, claim)
    except MemoryError:
        raise bad(claim.path, f"{claim.voxel_bytes} bytes of voxels", "there is not enough memory") from None
    except DAMAGED as error:
        raise bad(claim.path, f"damaged compressed voxels ({type(error).__name__})") from None
    except OSError as error:
        raise InputError(shown(claim.path), f"it cannot be read: {error.strerror}", "an image file") from None
    if count < claim.voxel_bytes:
        raise bad(claim.path, f"{count} bytes of voxels where its header claims {claim.voxel_bytes}")
    if claim.kind.newbyteorder("=") != claim.kind:
        stored.byteswap(inplace=True)
    shape = (*([1] if len(claim.sizes) == 2 else []), *claim.sizes[::-1])
    if claim.layers_first:
        return np.moveaxis(stored.reshape(*shape, claim.layers), -1, 0)
    return stored.reshape(claim.layers, *shape)


def _fill(target: memoryview, file: BinaryIO, claim: Claim) -> int:
    """Fill the target, and return how far that went; compressed streams are read to their end and checksum."""
    if claim.packing == "raw":
        file.seek(claim.offset)
        return _read_into(target, file)
    if claim.packing == "zlib":
        file.seek(claim.offset)
        stream = _ZlibReader(file)
        count, rest = _read_into(target, stream), stream.read(_CHUNK)
        if rest or stream.packed != claim.packed_bytes:
            raise ValueError("a stream of another length")
        return count
    whole = claim.reader == NIFTI
    file.seek(0 if whole else claim.offset)
    packed = gzip.GzipFile(fileobj=file)
    if whole:
        packed.read(claim.offset)
    count = _read_into(target, packed)
    packed.read(_CHUNK)  # the checksum stands at the end
    return count


def _read_into(target: memoryview, stream: Any) -> int:
    done = 0
    while done < len(target) and (part := stream.read(min(_CHUNK, len(target) - done))):
        target[done : done + len(part)] = part
        done += len(part)
    return done


class _ZlibReader:
    """Reads a zlib stream piece by piece; zlib checks its sum at the end.

    Attributes
    ----------
    packed
        How many compressed bytes were used so far.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.engine, self.packed = file, zlib.decompressobj(), 0

    def read(self, size: int) -> bytes:
        """Return the next bytes; none at the end of the stream."""
        while not self.engine.eof:
            given = self.engine.unconsumed_tail or self.file.read(_CHUNK)
            if not given:
                raise EOFError
            part = self.engine.decompress(given, size)
            self.packed += len(given) - len(self.engine.unconsumed_tail) - len(self.engine.unused_data)
            if part:
                return part
        return b""
