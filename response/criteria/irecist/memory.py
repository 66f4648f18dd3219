"""iRECIST: the phases of its walk, what can make an iUPD, the limits of the paper, and what the walk remembers."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE
from response.criteria.burden import NO_SUM
from response.vocabulary import Response

CLEAR, PENDING, CONFIRMED = 0, 1, 2  # no progression to confirm; one to confirm; a confirmed one
TARGET, NON_TARGET, NEW_LESION = 1, 2, 4  # what made the unconfirmed progression: its basis

FURTHER_UM: Final = 5_000  # further increase of a sum that confirms, table 2 (once printed as more than 5 mm)
SETTLED_UM: Final = 5_000  # decrease that tells "smaller" from "no change" where the category stays (our choice)
LATEST_DAYS: Final = 56  # the next assessment should come 4 to 8 weeks after the unconfirmed progression
NO_DAY: Final = np.int32(NO_DATE)
UNKNOWN_DAYS: Final = np.int32(2**30)  # between days of which one is not known; later than any
NOWHERE: Final = np.int32(-1)

Sums = NDArray[np.int64]
Days = NDArray[np.int32]

# What the walk remembers, and what it starts with.
FIRST: Final = {
    "phase": np.int8(CLEAR),
    "basis": np.int8(0),
    "anchor": NOWHERE,  # timepoint of the first unconfirmed progression of the block
    "anchor_day": NO_DAY,
    "anchor_original": np.int8(Response.SD),
    "anchor_sum_um": np.int64(NO_SUM),
    "anchor_relapse": np.bool_(False),
    "last_day": NO_DAY,  # of the last unconfirmed progression that counts
    "reset_day": NO_DAY,
    "original": np.int8(Response.BLANK),  # the last response of the original lesions that could be evaluated
    "nadir_um": np.int64(NO_SUM),
    "block_um": np.int64(NO_SUM),  # smallest sum since the first unconfirmed progression of the block
    "new_nadir_um": np.int64(NO_SUM),
    "new_block_um": np.int64(NO_SUM),
    "complete": np.bool_(False),  # iCR was assigned, and nothing has replaced it
    "responded": np.bool_(False),  # PR or CR of the targets, and no PD since
    "targets_gone": np.bool_(False),
    "unlisted": np.bool_(False),  # a new lesion without a row was there
}
