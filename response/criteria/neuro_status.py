"""Corticosteroids and clinical status of a patient with a tumour of the brain, from the visit table.

Sources as in `rano`. A dose that is not recorded is never 0. Where no dose was recorded up to a timepoint the images
alone are judged; where one was, an unknown dose cannot show that none is taken.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import running, running_before
from response.criteria.new_lesions import visit_codes
from response.criteria.rules import Flags
from response.criteria.visit_values import at_baseline, at_places, visit_numbers
from response.vocabulary import Clinical

NOWHERE: Final = -1  # "at no timepoint" as a place


@dataclass(frozen=True, eq=False)
class NeuroStatus:
    """Corticosteroids and clinical status; arrays `[series, timepoint]`, doses in thousandths of a mg a day."""

    block: Block

    @cached_property
    def dose(self) -> NDArray[np.int64]:
        """Daily dose beyond physiological replacement, `NO_NUMBER` where not recorded."""
        return visit_numbers(self.block, "steroid_mg")

    @cached_property
    def recorded(self) -> Flags:
        """The dose is recorded."""
        return np.asarray(self.dose != NO_NUMBER)

    @cached_property
    def without(self) -> Flags:
        """No corticosteroids are taken, or none were ever recorded."""
        if not self.recorded.any():
            return ~self.recorded
        ever_recorded = running(np.logical_or, self.recorded)
        return np.asarray((self.dose == 0) | ~ever_recorded)

    @cached_property
    def more(self) -> Flags:
        """More corticosteroids than at baseline."""
        if not self.recorded.any():
            return self.recorded
        base = at_baseline(self.block, self.dose)
        return np.asarray((base != NO_NUMBER) & (self.dose > base))

    @cached_property
    def tapered(self) -> Flags:
        """Fewer corticosteroids than when the dose was last recorded."""
        if not self.recorded.any():
            return self.recorded
        place = np.where(self.recorded, np.arange(self.block.timepoints, dtype=np.int32), NOWHERE)
        last = running_before(np.maximum, place, NOWHERE)
        then = at_places(self.dose, last)
        return np.asarray(self.recorded & (last != NOWHERE) & (self.dose < then))

    @cached_property
    def _clinical(self) -> NDArray[np.int8]:
        return visit_codes(self.block, "clinical")

    @cached_property
    def deteriorated(self) -> Flags:
        """Clinical deterioration."""
        return np.asarray(self._clinical == Clinical.DETERIORATED)

    @cached_property
    def clinical_recorded(self) -> Flags:
        """The clinical status is recorded."""
        return np.asarray(self._clinical != Clinical.BLANK)
