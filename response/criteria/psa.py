"""Prostate-specific antigen against its smallest value; sources as in `pcwg3`."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import NO_SUM, running_before
from response.criteria.rules import Flags
from response.criteria.runs import days_passed, run_starts
from response.criteria.visit_values import visit_numbers

PSA_LEAST: Final = 2_000  # 2 ng/mL over the smallest value, in thousandths
PSA_GROWTH: Final = (5, 4)  # 125 % of the smallest value


@dataclass(frozen=True, eq=False)
class Psa:
    """Prostate-specific antigen of a block; arrays `[series, timepoint]`."""

    block: Block
    confirm_days: int

    @cached_property
    def value(self) -> NDArray[np.int64]:
        """Thousandths of ng/mL, `NO_NUMBER` where not recorded."""
        return visit_numbers(self.block, "psa")

    @cached_property
    def _known(self) -> Flags:
        return np.asarray(self.value != NO_NUMBER) & (self.block.is_baseline | self.block.follow_up)

    @cached_property
    def rises(self) -> Flags:
        """25 % and 2 ng/mL over the smallest value before, baseline included."""
        if not self._known.any():
            return self._known
        least = running_before(np.minimum, np.where(self._known, self.value, NO_SUM), NO_SUM)
        share, of = PSA_GROWTH
        grew = (of * self.value >= share * least) & (self.value - least >= PSA_LEAST)
        return np.asarray(grew & self._known & self.block.follow_up)

    @cached_property
    def progressed(self) -> Flags:
        """The rise began so many days before, and each value since confirms it."""
        if not self.rises.any():
            return self.rises
        began = run_starts(self.rises, self._known & ~self.rises)
        later = began < np.arange(began.shape[1])
        return self.rises & later & days_passed(self.block, began, self.confirm_days)
