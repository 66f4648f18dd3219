"""What the uptake of lesions is compared with on FDG-PET: the liver, or the blood pool where the liver is diseased.

Sources as in `percist`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.rules import Flags
from response.criteria.visit_values import at_baseline, has_visit_numbers, visit_numbers

LIVER_SHARE: Final = (1, 5)  # the livers of both dates differ by no more than 20 % of the larger one (2016)
LIVER_SUL: Final = 300  # and by no more than 0.3 SUL, in thousandths (2016)
UPTAKE_MINUTES: Final = 15_000  # 15 minutes, in thousandths: largest difference of uptake times (2009)


@dataclass(frozen=True, eq=False)
class Background:
    """Liver, blood pool and uptake times of a block; arrays `[series, timepoint]`, thousandths of SUL or minutes."""

    block: Block

    @cached_property
    def liver(self) -> NDArray[np.int64]:
        """Mean SUL of the liver, `NO_NUMBER` where it was not measured."""
        return visit_numbers(self.block, "liver_sul_mean")

    @cached_property
    def blood_pool(self) -> NDArray[np.int64]:
        """Mean SUL of the blood pool, `NO_NUMBER` where it was not measured."""
        return visit_numbers(self.block, "blood_pool_sul_mean")

    @cached_property
    def by_liver(self) -> NDArray[np.int64]:
        """1.5 times the liver and two standard deviations, rounded up; `NO_NUMBER` where not known."""
        if not has_visit_numbers(self.block, "liver_sul_sd"):
            return np.full(self.block.shape, NO_NUMBER, np.int64)
        sd = visit_numbers(self.block, "liver_sul_sd")
        known = (self.liver != NO_NUMBER) & (sd != NO_NUMBER)
        return np.where(known, (3 * self.liver + 4 * sd + 1) // 2, NO_NUMBER)

    @cached_property
    def threshold(self) -> NDArray[np.int64]:
        """SUL from which a lesion is measurable, `NO_NUMBER` where not known.

        By the liver; where that was not measured, twice the blood pool and two of its standard deviations.
        """
        if not has_visit_numbers(self.block, "blood_pool_sul_sd"):
            return self.by_liver
        mean, sd = self.blood_pool, visit_numbers(self.block, "blood_pool_sul_sd")
        by_blood_pool = np.where((mean != NO_NUMBER) & (sd != NO_NUMBER), 2 * mean + 2 * sd, NO_NUMBER)
        return np.where(self.by_liver != NO_NUMBER, self.by_liver, by_blood_pool)

    @cached_property
    def apart(self) -> Flags:
        """The livers of now and baseline are too far apart, or the blood pools where a liver was not measured."""
        if not has_visit_numbers(self.block, "liver_sul_mean", "blood_pool_sul_mean"):
            return np.zeros(self.block.shape, np.bool_)
        livers, far = self._known(self.liver), self._far(self.liver)
        if not (self.blood_pool != NO_NUMBER).any():
            return np.asarray(livers & far)
        return np.where(livers, far, self._known(self.blood_pool) & self._far(self.blood_pool))

    @cached_property
    def uptake_time_differs(self) -> Flags:
        """The uptake times of now and baseline are more than 15 minutes apart."""
        if not has_visit_numbers(self.block, "uptake_minutes"):
            return np.zeros(self.block.shape, np.bool_)
        minutes = visit_numbers(self.block, "uptake_minutes")
        return np.asarray(self._known(minutes) & (abs(minutes - at_baseline(self.block, minutes)) > UPTAKE_MINUTES))

    def _known(self, values: NDArray[np.int64]) -> Flags:
        return np.asarray((values != NO_NUMBER) & (at_baseline(self.block, values) != NO_NUMBER))

    def _far(self, values: NDArray[np.int64]) -> Flags:
        base, (share, of) = at_baseline(self.block, values), LIVER_SHARE
        difference = abs(values - base)
        return np.asarray((of * difference > share * np.maximum(values, base)) | (difference > LIVER_SUL))
