"""EORTC criteria of 1999: metabolic response on FDG-PET.

Source: Young et al., Eur J Cancer 1999;35:1773-1782. What is followed is the sum of the uptake (SUV by body surface
area) over the regions that were drawn at baseline. Confirmed in public tables: CMR, PMR of 15 to 25 % after one cycle
and of more than 25 % after more, PMD above 25 %, 20 % of the longest extent, new lesions (PMC7046919, table 6;
PMC4377159, table 2). PMC6506740, table 1 prints "at least 25 %" for PMR, which is used; PMD takes more than 25 %. That
the extent is judged lesion by lesion against the baseline, and from 20 % on, is our reading, and is noted where it
decides.

Scope: solid tumours on FDG-PET.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER
from response.criteria.burden import Fact, Sums
from response.criteria.criterion import Criterion, Number, State
from response.criteria.percist import metabolic, new_lesion, non_target_progression, uptake_values
from response.criteria.pet import uptake_burden
from response.criteria.products import any_target
from response.criteria.recist import NEW_LESION_RULES, CombinationOptions
from response.criteria.rules import Flags, Question, Rule
from response.criteria.sums import (
    SumState,
    SumTest,
    baseline_incomplete,
    grown,
    grown_in_part,
    lesion_number,
    missing,
    no_targets,
    otherwise,
    shrunk,
)
from response.criteria.visit_values import lesions_at_baseline
from response.protocol import option
from response.timeline import Block
from response.vocabulary import CMR, METABOLIC_WORDS, PMD, PMR, SMD, Response

NAME: Final = "eortc-pet"
PREFIX: Final = "eortc_pet"
PARTIAL_OF: Final[Mapping[int, tuple[int, int]]] = {25: (3, 4), 15: (17, 20)}  # -25 %, -15 % (1999, table 3)
PROGRESSIVE: Final = (5, 4)  # more than 125 % (1999, table 3)
EXTENT: Final = (6, 5)  # 120 % of the longest extent (1999, table 3)


@dataclass(frozen=True, kw_only=True)
class EortcPetOptions(CombinationOptions):
    """Every point that the EORTC criteria leave open, with the default and why."""

    eortc_pmr_percent: int = option(
        25, "by how much the uptake must fall for PMR: 25 % after more than one cycle, 15 % after one", choices=(25, 15)
    )
    use_markers: str = option("off", "tumour markers are no part of it", choices=("off",))
    post_cr_disease: str = option("as_is_warn", "uptake after CMR: the rules decide as ever", choices=("as_is_warn",))


class EortcPetState(SumState):
    """What the rules ask of all series of a block; the `sum` is the sum of SUV, in thousandths."""

    @property
    def reference(self) -> Sums:
        """What growth is judged against: the baseline."""
        return np.asarray(np.broadcast_to(self.burden.baseline_um, self.shape))

    @property
    def grown(self) -> Flags:
        """Growth of the uptake or its extent."""
        return (self.proven | self.extended) & self.is_("overall", PMD)

    @cached_property
    def extended(self) -> Flags:
        """A lesion extends over 120 % of its longest extent at baseline."""
        length = lesion_number(self.block, "longest_mm")
        base = lesions_at_baseline(self.block, length)
        share, of = EXTENT
        longer = (length != NO_NUMBER) & (base > 0) & (of * length >= share * base)
        return any_target(self.burden, longer) & self.block.follow_up

    @cached_property
    def others_left(self) -> Flags:
        """A lesion that is not measured is there or was not looked at, or new lesions could not be looked for."""
        left = Fact.NON_TARGET_PRESENT | Fact.NON_TARGET_MISSING | Fact.NON_TARGET_UNPROVEN
        return self.burden.has(left) | ~self.no_new_lesion

    def told(self, amount: int) -> str:
        """Return an uptake with its unit."""
        return super().told(amount).replace(" mm", " SUV")


def _gone(state: EortcPetState) -> Flags:
    return state.all_assessed & state.all_gone


def _all_gone(state: EortcPetState) -> Flags:
    return _gone(state) & ~state.others_left


EORTC_PET_RULES: Final = (
    Rule("new_lesion", PMD, new_lesion, "1999, table 3", "a new lesion takes up FDG"),
    Rule("non_target_pd", PMD, non_target_progression, "1999, table 3", "a lesion that is not measured has progressed"),
    Rule("no_targets", "NE", no_targets, "1999, table 3", "no region was defined at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "1999, table 3", "a region was not measured at baseline"),
    Rule("cmr", CMR, _all_gone, "1999, table 3", "no lesion can be told from the background, and there is no new one"),
    Rule("pmd", PMD, grown, "1999, table 3",
         "the sum of SUV {sum} is more than 25 % over the baseline {baseline}"),
    Rule("pmd_proven", PMD, grown_in_part, "1999, table 3",
         "the measured part alone, SUV {sum}, is more than 25 % over the baseline {baseline}"),
    Rule("pmd_extent", PMD, metabolic("extended"), "1999, table 3",
         "the uptake of a lesion extends over 20 % or more beyond its longest extent at baseline"),
    Rule("missing", "NE", missing, "1999, table 3", "{missing} of {targets} regions could not be measured"),
    Rule("cmr_unproven", PMR, _gone, "1999, table 3",
         "no measured lesion can be told from the background, but something else is left or was not looked at"),
    Rule("pmr", PMR, shrunk, "1999, table 3",
         "the sum of SUV {sum} is {shrinkage_percent} % below the baseline {baseline}"),
    Rule("smd", SMD, otherwise, "1999, table 3",
         "the sum of SUV {sum} changed by {change_percent} % from the baseline {baseline}: neither PMR nor PMD"),
)  # fmt: skip
EORTC_PET_FLAGS: Final = (
    Rule("extent_by_our_reading", "", metabolic("extended"), "1999, table 3",
         "a lesion extends 20 % further: judged lesion by lesion from 20 % on (not confirmed against the paper)"),
)  # fmt: skip


@dataclass(frozen=True)
class EortcPet(Criterion):
    """The EORTC criteria for FDG-PET as a criterion of the engine."""

    name: str = NAME
    title: str = "EORTC PET 1999"
    source: str = "Young et al., Eur J Cancer 1999;35:1773-1782"
    options: type[EortcPetOptions] = EortcPetOptions
    questions: tuple[Question[Any], ...] = (
        Question("new_lesion", NEW_LESION_RULES),
        Question("overall", EORTC_PET_RULES),
    )
    flags: tuple[Rule[Any], ...] = EORTC_PET_FLAGS
    numbers: tuple[Number, ...] = (
        *(Number(f"{PREFIX}_{name}", "SUV") for name in ("sum", "baseline", "nadir")),
        Number(f"{PREFIX}_unmeasured", "count"),
    )
    needs: str = "suv"
    words: Mapping[Response, str] | None = None
    scope: str = "The EORTC criteria are for solid tumours on FDG-PET."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> EortcPetState:  # noqa: ARG002
        """Return what the rules ask; lesions are read by their uptake."""
        partial = PARTIAL_OF[options.eortc_pmr_percent]
        test = SumTest(partial=partial, progressive=PROGRESSIVE, inclusive=False)
        return EortcPetState(uptake_burden(block, "suv"), options, self.questions, test)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: the sum of SUV in thousandths."""
        return uptake_values(PREFIX, state.burden, state)


EORTC_PET: Final = EortcPet(words=METABOLIC_WORDS)
__all__ = ["EORTC_PET", "EortcPet", "EortcPetOptions", "EortcPetState"]
