"""What is said of a few lesions of a block, so that only those are computed: most lesions say nothing of the kind."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.block import Block, of_tracks
from response.criteria.rules import Flags
from response.vocabulary import State


@dataclass(frozen=True, eq=False)
class SomeLesions:
    """Flags of some lesions of a block; every other lesion has none.

    Attributes
    ----------
    block
        The block.
    tracks
        The lesions, counted from the start of the block; `[lesion]`.
    flags
        Shape `[lesion, timepoint]`.
    """

    block: Block
    tracks: NDArray[np.intp]
    flags: Flags

    def by_series(self) -> Flags:
        """Return where one of the lesions has the flag, `[series, timepoint]`."""
        lesion, place = _spots(self.flags)
        found = np.zeros(self.block.shape, np.bool_)
        found[self.block.series_of_track[self.tracks[lesion]], place] = True
        return found

    def count(self) -> NDArray[np.int64]:
        """Return the number of lesions that have the flag, `[series, timepoint]`."""
        lesion, place = _spots(self.flags)
        cell = self.block.series_of_track[self.tracks[lesion]].astype(np.intp) * self.block.timepoints + place
        return np.bincount(cell, minlength=self.block.series_count * self.block.timepoints).reshape(self.block.shape)

    def by_lesion(self) -> Flags:
        """Return the flags of all lesions, `[track, timepoint]`."""
        found = np.zeros(self.block.row.shape, np.bool_)
        found[self.tracks] = self.flags
        return found


def is_one_of(codes: NDArray[Any], members: Iterable[int]) -> Flags:
    """Return where codes are among a few members; comparisons of small integers are faster than a look-up."""
    found = np.zeros(codes.shape, np.bool_)
    for member in members:
        found |= codes == int(member)  # beside a member of an enum numpy would widen all codes to 64 bits
    return found


def lesions_with(flags: Flags) -> NDArray[np.intp]:
    """Return the lesions that have a flag at some timepoint, of flags `[track, timepoint]`."""
    lesion = _spots(flags)[0]
    return lesion[np.diff(lesion, prepend=-1) > 0]


def lesions_of_series(block: Block, chosen: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many lesions of each series are chosen, of flags `[track]` or of the lesions; `[series, 1]`."""
    return np.bincount(block.series_of_track[chosen], minlength=block.series_count)[:, None]


def _spots(flags: Flags) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return lesion and place of each flag, as `np.nonzero` does, but fast where there are few."""
    found = np.flatnonzero(flags)
    lesion = found // max(flags.shape[1], 1)
    return lesion, found - lesion * flags.shape[1]


def put(state: NDArray[np.int8], where: Flags, to: State) -> NDArray[np.int8]:
    """Return states of which some are another one; the same array where none is."""
    if not where.any():
        return state
    # by arithmetic, for numpy chooses spot by spot, which takes ten times as long
    found: NDArray[np.int8] = state * ~where
    found += where * np.int8(to)
    return found


def with_tracks(values: NDArray[Any], tracks: NDArray[np.intp] | slice, those: NDArray[Any]) -> NDArray[Any]:
    """Return values `[track, timepoint]` with others for some tracks; the same array where those are no others."""
    if isinstance(tracks, slice):  # all
        return those
    if not len(those) or np.array_equal(of_tracks(values, tracks), those):
        return values
    kind = np.promote_types(values.dtype, those.dtype)
    found = values.astype(kind, order="C")
    _as_items(found)[tracks] = _as_items(those.astype(kind, order="C", copy=False))
    return found


def _as_items(values: NDArray[Any]) -> NDArray[np.void]:
    """Return the same values with one item for each track, `[track]`: numpy assigns items much faster than rows."""
    return values.view(np.dtype((np.void, values.itemsize * values.shape[1])))[:, 0]
