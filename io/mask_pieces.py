"""Pieces of structures, slice by slice, put together to one crop for each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.imaging.lesion_mask import LesionMask, StructureName
from response.io.mask_set import FindingList

# Of all crops of a file, in voxels of one byte: hundreds of organs of a whole body stay below. A small file may hold
# thousands of segments that each span a whole volume.
LARGEST_CROPS: Final = 1 << 32


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What a structure has on one slice.

    Attributes
    ----------
    slice_index, row, column
        Of the first pixel.
    inside
        Bool `[row, column]`.
    """

    slice_index: int
    row: int
    column: int
    inside: NDArray[np.bool_]


Pieces = dict[int, list[Piece]]


class Budget:
    """Counts the voxels of the crops of a file, and refuses what goes beyond `LARGEST_CROPS`."""

    def __init__(self, findings: FindingList) -> None:
        self._findings, self._left = findings, LARGEST_CROPS

    def allows(self, name: StructureName, size: Sequence[int]) -> bool:
        """Return whether a crop of this size still fits; tell it where it does not."""
        voxels = prod(size)
        if voxels <= self._left:
            self._left -= voxels
            return True
        self._findings.tell(
            "masks_too_large",
            "error",
            f"The structure '{name.label or name.number}' was not measured: the structures of this file together span "
            f"more than {LARGEST_CROPS} voxels.",
            lesion=name.label,
            remedy="Split the file.",
        )
        return False


def assembled(names: Iterable[StructureName], pieces: Pieces, findings: FindingList) -> Iterator[LesionMask]:
    """Hand out one mask for each structure; of size 0 where it has no piece.

    Parameters
    ----------
    names
        The structures, in the order wanted.
    pieces
        By number; they are used up.
    findings
        Takes structures that are left out: all together would take too much memory, or frames contradict each other.
    """
    budget = Budget(findings)
    for name in names:
        parts = pieces.pop(name.number, [])
        corner, size = _box(parts)
        if not budget.allows(name, size):
            continue
        voxels, is_clear = _joined(parts, corner, size)
        if is_clear:
            yield LesionMask(name=name, corner=corner, voxels=voxels)
        else:
            _tell_contradiction(name, findings)


def _box(parts: Sequence[Piece]) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return corner and size of the crop around all parts."""
    if not parts:
        return (0, 0, 0), (0, 0, 0)
    low = np.asarray([(part.slice_index, part.row, part.column) for part in parts])
    high = low + [(1, *part.inside.shape) for part in parts]
    first, size = low.min(axis=0).tolist(), (high.max(axis=0) - low.min(axis=0)).tolist()
    return (first[0], first[1], first[2]), (size[0], size[1], size[2])


def _joined(
    parts: Sequence[Piece], corner: tuple[int, int, int], size: tuple[int, int, int]
) -> tuple[NDArray[np.bool_], bool]:
    """Return the crop, and whether no slice has two parts that differ."""
    voxels, first = np.zeros(size, np.bool_), dict[int, Piece]()
    for part in parts:
        if not _is_same(first.setdefault(part.slice_index, part), part):
            return voxels, False
        row, column = part.row - corner[1], part.column - corner[2]
        height, width = part.inside.shape
        voxels[part.slice_index - corner[0], row : row + height, column : column + width] = part.inside
    return voxels, True


def _is_same(one: Piece, other: Piece) -> bool:
    place = (one.row, one.column) == (other.row, other.column)
    return one is other or (place and np.array_equal(one.inside, other.inside))


def _tell_contradiction(name: StructureName, findings: FindingList) -> None:
    findings.tell(
        "frames_contradict",
        "error",
        f"The structure '{name.label or name.number}' was not measured: it has two frames at one place that differ, as "
        "where positions are wrong, or times are mixed.",
        lesion=name.label,
        found="two frames at one place",
        expected="one frame for each slice",
        remedy="Export the segmentation again, one time for each file.",
    )
