"""Targets of which no diameter was recorded, but the number that a criterion sums: volumes of a segmentation, say.

RECIST 1.1 cannot evaluate such a target, for a blank diameter may be a lesion that was not looked at. A criterion with
a number of its own can: the number was measured, so the lesion was. That is our choice; no source has a rule for it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.rules import Flags
from response.criteria.some_lesions import is_one_of
from response.readings import counting_length_um
from response.vocabulary import State

_SEEN: Final = (State.BLANK, State.MEASURED, State.PRESENT)  # as written: nothing says that it could not be evaluated


def without_diameter(block: Block, tracks: NDArray[np.intp], where: Flags) -> Flags:
    """Return where targets are not evaluable for want of a diameter alone.

    Not so where the row says that the lesion could not be evaluated, or counts for nothing: it contradicts another
    row, or the lesion was treated locally before.

    Parameters
    ----------
    block
        The block.
    tracks
        The targets, counted from the start of the block; `[target]`.
    where
        Where they are not evaluable, and a number of the criterion's own is known; `[target, timepoint]`.
    """
    found, spots = np.zeros(where.shape, np.bool_), np.flatnonzero(where)  # few, and each has a row
    if len(spots):
        lesions, places = tracks[spots // where.shape[1]], spots % where.shape[1]
        measured, nodal = block.timeline.measurements, block.tracks(block.timeline.tracks.nodal)[lesions]
        barred = np.zeros(block.row.shape, np.bool_)
        barred[block.barred] = True
        rows = block.row[lesions, places]
        unsized = counting_length_um(measured, nodal, rows) == NO_NUMBER
        seen = is_one_of(measured.code("state")[rows], _SEEN)
        found.flat[spots] = unsized & seen & ~barred[lesions, places]
    return found
