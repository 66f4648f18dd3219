"""The targets of a block as a criterion measures them, where it does so in another way than RECIST 1.1.

Results keep rules and numbers alone; what each lesion added is made again from the criterion, for the blocks in which
it differs (`Result.own_targets`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import UNMEASURED, Burden, Fact
from response.criteria.criterion import PER_THOUSANDTH
from response.criteria.recist import RecistState
from response.criteria.some_lesions import is_one_of
from response.readings import SUMMED
from response.report.evidence import Cells, Evidence, Mentions
from response.result import Result
from response.vocabulary import State

# States whose value, also 0, is part of the sum of a target.
ADDED: Final = (*SUMMED, State.ABSENT, State.MERGED, State.SPLIT, State.RESOLVED)
_MISSING: Final = np.uint16(Fact.TARGET_MISSING)


@dataclass(frozen=True, eq=False)
class OwnTargets:
    """What a criterion made of the lesions of a block.

    Attributes
    ----------
    burden
        The lesions as it measures them.
    per_thousandth
        How much of what they add is a thousandth of the unit that is told.
    """

    burden: Burden
    per_thousandth: int

    def missing(self, evidence: Evidence) -> Mentions:
        """Return the lesions that were not assessed, from the baseline on; targets as the criterion measures them."""
        others = evidence.missing.where(evidence.missing.fact & _MISSING == 0)
        found = evidence.mentions(is_one_of(self.burden.state, UNMEASURED) & self.burden.is_target)
        found = found.where(evidence.shown[found.cell])
        return Mentions(
            np.concatenate([others.cell, found.cell]),
            np.concatenate([others.track, found.track]),
            np.concatenate([others.fact, np.full(len(found.cell), _MISSING)]),
        )

    def grown(self, evidence: Evidence, cells: Cells, reference: Cells) -> tuple[Mentions, NDArray[np.int64]]:
        """Return the targets that add more at some cells than at a reference cell of each, and how many add more."""
        found, growth = evidence.grown(cells, reference, self.burden.value_um)
        return found, np.unique(-growth, return_inverse=True)[1].astype(np.int64)

    def added(self, track: Cells, place: Cells) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return what lesions add, in thousandths, and whether they add it; tracks counted from the block's start."""
        value = self.burden.value_um[track, place].astype(np.int64)
        known = self.burden.is_target[track, place] & is_one_of(self.burden.state[track, place], ADDED)
        return (value + self.per_thousandth // 2) // self.per_thousandth, known


def own_targets(result: Result, evidence: Evidence) -> OwnTargets | None:
    """Return the targets as a criterion measures them; None: as RECIST 1.1 does, or it sums nothing."""
    block, standard = evidence.block, evidence.recist
    if not result.own_targets[block.low : block.high].any():
        return None
    beside = {standard.criterion.name: standard.criterion.state(block, standard.options, {})}
    state = result.criterion.state(block, result.options, beside)
    assert isinstance(state, RecistState)
    return OwnTargets(state.burden, PER_THOUSANDTH.get(state.unit, 1))
