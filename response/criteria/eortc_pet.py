"""EORTC criteria of 1999: metabolic response on FDG-PET.

Source: Young et al., Eur J Cancer 1999;35:1773-1782. What is followed is the sum of the uptake (SUV by body surface
area) over the regions that were drawn at baseline. Confirmed in public reprints of its table: CMR, PMR of 15 to 25 %
after one cycle and of more than 25 % after more, PMD by more than 25 %, by more than 20 % of the longest extent and by
new uptake, SMD with neither (Topkan et al., BMC Cancer 2012;12:502, table 2; PMC7046919, table 6; PMC4377159, table
2). PMC6506740, table 1 prints "at least 25 %" for PMR, which is used. Our reading, noted where it decides: the extent
is judged lesion by lesion, against the baseline. Our reading, besides: of a lesion that split the hottest part counts.

Scope: solid tumours on FDG-PET.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.criterion import Criterion, Number, State
from response.criteria.pet import (
    MetabolicState,
    hottest_part,
    narrow_bound,
    uptake_burden,
    uptake_numbers,
    uptake_values,
)
from response.criteria.recist import NEW_LESION_RULES, CombinationOptions
from response.criteria.rules import Flags, Question, Rule, asks
from response.criteria.sum_tests import SumTest
from response.criteria.sums import (
    baseline_incomplete,
    grown,
    grown_in_part,
    missing,
    narrow_number,
    no_targets,
    otherwise,
    shrunk,
)
from response.criteria.visit_values import lesions_at_baseline
from response.protocol import option
from response.vocabulary import CMR, METABOLIC_WORDS, PMD, PMR, SMD, Response

PARTIAL_OF: Final[Mapping[int, tuple[int, int]]] = {25: (3, 4), 15: (17, 20)}  # -25 %, -15 %
PROGRESSIVE: Final = (5, 4)  # more than 125 %
EXTENT: Final = (6, 5)  # more than 120 % of the longest extent
_TABLE: Final = "1999, recommendations"


@dataclass(frozen=True, kw_only=True)
class EortcPetOptions(CombinationOptions):
    """Every point that the EORTC criteria leave open, with the default and why."""

    eortc_pmr_percent: int = option(
        25, "by how much the uptake must fall for PMR: 25 % after more than one cycle, 15 % after one", choices=(25, 15)
    )
    use_markers: str = option("off", "tumour markers are no part of it", choices=("off",))
    post_cr_disease: str = option("as_is_warn", "uptake after CMR: the rules decide as ever", choices=("as_is_warn",))


class EortcPetState(MetabolicState):
    """What the rules ask of all series of a block; the `sum` is the sum of SUV, in thousandths."""

    @property
    def grown(self) -> Flags:
        """Growth of the uptake or its extent."""
        return (self.proven | self.extended) & self.is_("overall", PMD)

    @cached_property
    def extended(self) -> Flags:
        """The uptake of a lesion extends over more than 120 % of its longest extent at baseline."""
        if "longest_mm" not in self.block.timeline.measurements.numbers or not self.burden.value_um.any():
            return np.zeros(self.shape, np.bool_)
        length, (share, of) = narrow_number(self.block, "longest_mm"), EXTENT
        base = lesions_at_baseline(self.block, length).astype(np.int64)
        longest = narrow_bound(share * base // of, base > 0)
        return self.block.some((length > longest) & (self.burden.value_um > 0))


EORTC_PET_RULES: Final = (
    Rule("new_lesion", PMD, asks("new_lesion"), _TABLE, "a new lesion takes up FDG"),
    Rule("non_target_pd", PMD, asks("non_target_progression"), _TABLE,
         "a lesion that is not measured has progressed"),
    Rule("no_targets", "NE", no_targets, _TABLE, "no region was defined at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, _TABLE, "a region was not measured at baseline"),
    Rule("cmr", CMR, asks("everything_gone"), _TABLE,
         "no lesion can be told from the background, and there is no new one"),
    Rule("pmd", PMD, grown, _TABLE,
         "the sum of SUV {sum} is more than 25 % over the baseline {baseline}"),
    Rule("pmd_proven", PMD, grown_in_part, _TABLE,
         "the measured part alone, SUV {sum}, is more than 25 % over the baseline {baseline}"),
    Rule("pmd_extent", PMD, asks("extended"), _TABLE,
         "the uptake of a lesion extends more than 20 % beyond its longest extent at baseline"),
    Rule("missing", "NE", missing, _TABLE, "{missing} of {targets} regions could not be measured"),
    Rule("cmr_unproven", PMR, asks("gone"), _TABLE,
         "no measured lesion can be told from the background, but something else is left or was not looked at"),
    Rule("pmr", PMR, shrunk, _TABLE,
         "the sum of SUV {sum} is {shrinkage_percent} % below the baseline {baseline}"),
    Rule("smd", SMD, otherwise, _TABLE,
         "the sum of SUV {sum} changed by {change_percent} % from the baseline {baseline}: neither PMR nor PMD"),
)  # fmt: skip
EORTC_PET_FLAGS: Final = (
    Rule("extent_by_our_reading", "", asks("extended"), _TABLE,
         "a lesion extends more than 20 % further, judged lesion by lesion against the baseline (not confirmed)"),
)  # fmt: skip


@dataclass(frozen=True)
class EortcPet(Criterion):
    """The EORTC criteria for FDG-PET as a criterion of the engine."""

    name: str = "eortc-pet"
    title: str = "EORTC PET 1999"
    source: str = "Young et al., Eur J Cancer 1999;35:1773-1782"
    options: type[EortcPetOptions] = EortcPetOptions
    questions: tuple[Question[Any], ...] = (
        Question("new_lesion", NEW_LESION_RULES),
        Question("overall", EORTC_PET_RULES),
    )
    flags: tuple[Rule[Any], ...] = EORTC_PET_FLAGS
    numbers: tuple[Number, ...] = uptake_numbers("eortc_pet", "SUV")
    needs: str = "suv"
    words: Mapping[Response, str] | None = None
    scope: str = "The EORTC criteria are for solid tumours on FDG-PET."
    measure: str = "SUV"

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> EortcPetState:
        """Return what the rules ask; lesions are read by their uptake."""
        partial = PARTIAL_OF[options.eortc_pmr_percent]
        test = SumTest(partial=partial, progressive=PROGRESSIVE, inclusive=False, from_baseline=True)
        burden = hottest_part(uptake_burden(block, "suv"))
        return EortcPetState(burden, options, self.questions, test, beside)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: the sum of SUV in thousandths."""
        return uptake_values(self.prefix, state)


EORTC_PET: Final = EortcPet(words=METABOLIC_WORDS)
__all__ = ["EORTC_PET", "EortcPet", "EortcPetOptions", "EortcPetState"]
