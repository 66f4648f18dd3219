"""The spleen as the Lugano classification reads it: its length on CT, from the visit table.

Sources as in `lugano`. Lengths are whole micrometres.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import NO_SUM, before, ever_before, running
from response.criteria.rules import Flags
from response.criteria.visit_values import at_baseline, visit_numbers

SPLEEN_UM: Final = 130_000  # a longer spleen is enlarged: text, section on the spleen
SPLEEN_GROWTH_UM: Final = 20_000  # progression of a spleen that was not enlarged: table 3, PD


@dataclass(frozen=True, eq=False)
class Spleen:
    """Length of the spleen; arrays `[series, timepoint]`, `[series, 1]` at baseline. A spleen that was removed is 0."""

    block: Block
    from_nadir: bool

    @cached_property
    def length(self) -> NDArray[np.int64]:
        """Length, `NO_NUMBER` where not measured."""
        return visit_numbers(self.block, "spleen_mm")

    @cached_property
    def baseline(self) -> NDArray[np.int64]:
        """Length at baseline."""
        return at_baseline(self.block, self.length)

    @cached_property
    def recorded(self) -> Flags:
        """Whether it was measured at baseline."""
        return np.asarray(self.baseline != NO_NUMBER)

    @cached_property
    def enlarged(self) -> Flags:
        """Whether it was enlarged at baseline."""
        return np.asarray(self.baseline > SPLEEN_UM)

    @cached_property
    def measured(self) -> Flags:
        """Measured now, and at baseline."""
        return np.asarray(self.recorded & (self.length != NO_NUMBER))

    @cached_property
    def smallest(self) -> NDArray[np.int64]:
        """Smallest length before, `NO_SUM` where there is none."""
        scored = (self.block.is_baseline | self.block.follow_up) & (self.length != NO_NUMBER)
        return before(running(np.minimum, np.where(scored, self.length, NO_SUM)), NO_SUM)

    @property
    def reference(self) -> NDArray[np.int64]:
        """What growth is judged against."""
        return self.smallest if self.from_nadir else self.baseline

    @cached_property
    def progressed(self) -> Flags:
        """Grown by more than half of its excess over normal; by 2 cm where it was not enlarged."""
        growth = self.length - self.reference
        excess = self.reference - SPLEEN_UM
        return np.asarray(self.measured & np.where(excess > 0, 2 * growth > excess, growth >= SPLEEN_GROWTH_UM))

    @cached_property
    def recurred(self) -> Flags:
        """Enlarged again after it was normal, and 2 cm over its smallest length."""
        if not self.enlarged.any():
            return np.zeros(self.block.shape, np.bool_)
        was_normal = ever_before(self.normal & self.block.follow_up)
        back = (self.length > SPLEEN_UM) & (self.length - self.smallest >= SPLEEN_GROWTH_UM)
        return np.asarray(self.measured & self.enlarged & was_normal & back)

    @cached_property
    def normal(self) -> Flags:
        """Not enlarged now."""
        return np.asarray(self.measured & (self.length <= SPLEEN_UM))

    @cached_property
    def regressed(self) -> Flags:
        """More than half of the excess over normal is gone."""
        return np.asarray(self.measured & (2 * (self.baseline - self.length) > self.baseline - SPLEEN_UM))
