"""irRC, immune-related response criteria: total burden of products, new measurable lesions included.

Source: Wolchok et al., Clin Cancer Res 2009;15:7412-7420, doi:10.1158/1078-0432.CCR-09-1624; "table 2" derives the
overall response there. Confirmed in public sources: tables 1 and 2 themselves (copies at
clincancerres.aacrjournals.org, highwire markup 77060 and 77062): new lesions of 5 x 5 mm join the burden, smaller ones
and non-index lesions only bar irCR, thresholds of 50 % and 25 %, and confirmation after four weeks; five lesions of an
organ, ten visceral and five cutaneous (PMC6942076, table 3). Not found: what an assessment between two progressions
means that could not be evaluated (here nothing), and subjects without an index lesion. Those are judged by what table 1
says of the others: irCR where all is gone, irPD where measured new lesions make a burden, Non-CR/Non-PD else, with a
flag (`non_target_only`). Nodes are read as in RECIST 1.1, for irRC has no rule of its own for them.

Scope: immunotherapy, first melanoma under ipilimumab; iRECIST has taken its place in new trials.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.criterion import Criterion, Number, State
from response.criteria.products import both_lengths, product_burden, product_um2
from response.criteria.rules import Flags, Question, Rule
from response.criteria.sums import (
    SumTest,
    area_numbers,
    area_values,
    baseline_incomplete,
    burden_beside,
    missing,
    otherwise,
    shrunk,
)
from response.criteria.total_burden import (
    NON_TARGET_ONLY,
    NewLimits,
    TotalAreaState,
    TotalBurdenOptions,
    TotalState,
    confirmed,
    measured_gone,
    needs_confirmation,
    new_measured,
    non_target_progression,
    non_targets_left,
    non_targets_only,
    only_gone,
    other_new,
    progresses,
    unjudged,
    without_confirmation,
)
from response.vocabulary import IRCR, IRPD, IRPR, IRRC_WORDS, IRSD, NON_CR_NON_PD, UNCONFIRMED_IRPD, Response

NAME: Final = "irrc"
IRRC_TEST: Final = SumTest(partial=(1, 2), progressive=(5, 4))  # -50 % and +25 %, both inclusive (table 2)
MEASURABLE_UM: Final = 5_000  # a new lesion of 5 x 5 mm joins the burden
NEW_LIMITS: Final = NewLimits(of_organ=5, most=10, of_skin=5)


@dataclass(frozen=True, kw_only=True)
class IrrcOptions(TotalBurdenOptions):
    """Every point that irRC leaves open, with the default and why."""


def _size_of_new(block: Block, tracks: NDArray[np.intp]) -> tuple[NDArray[np.int64], Flags]:
    one, two = both_lengths(block, tracks)
    return product_um2(one, two), (one >= MEASURABLE_UM) & (two >= MEASURABLE_UM)


IRRC_RULES: Final = (
    Rule("no_index_lesion", "NE", unjudged, "our choice", "no index lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "table 2", "an index lesion was not measured at baseline"),
    Rule("irpd", IRPD, progresses, "table 2, last line",
         "the total burden {sum} mm2 is {growth_percent} % over the nadir {nadir} mm2", without_confirmation),
    Rule("irpd_confirmed", IRPD, confirmed, "table 2, note",
         "the total burden {sum} mm2 is {growth_percent} % over the nadir {nadir} mm2, again after four weeks",
         needs_confirmation),
    Rule("irpd_unconfirmed", UNCONFIRMED_IRPD, progresses, "table 2, note",
         "the total burden {sum} mm2 is {growth_percent} % over the nadir {nadir} mm2, still to be confirmed",
         needs_confirmation),
    Rule("missing", "NE", missing, "our choice", "{missing} measured lesions could not be assessed in two diameters"),
    Rule("ircr", IRCR, only_gone, "table 2, line 1", "all lesions are gone and there is no new one"),
    Rule("non_index_left", NON_CR_NON_PD, non_targets_left, "table 1, non-index lesions",
         "there is no index lesion, and not all lesions are gone, which only bars irCR"),
    Rule("non_index_missing", "NE", non_targets_only, "our choice",
         "there is no index lesion, and not all non-index lesions, or not everything new, could be assessed"),
    Rule("irpr_unmeasured_left", IRPR, measured_gone, "table 2, lines 2 and 3",
         "what is measured is gone, but a non-index or new lesion is there or was not assessed"),
    Rule("irpr", IRPR, shrunk, "table 2, lines 4 and 5",
         "the total burden {sum} mm2 is {shrinkage_percent} % below the baseline {baseline} mm2"),
    Rule("irsd", IRSD, otherwise, "table 2, lines 6 and 7",
         "the total burden {sum} mm2 changed by {change_percent} % from the baseline, neither irPR nor irPD"),
)  # fmt: skip
IRRC_FLAGS: Final = (
    Rule("non_index_progression", "", non_target_progression, "table 2",
         "unequivocal progression of a non-index lesion, which only bars irCR"),
    Rule("new_lesion_not_measured", "", other_new, "table 2", "a new lesion that is not measured only bars irCR"),
    NON_TARGET_ONLY,
)  # fmt: skip


@dataclass(frozen=True)
class Irrc(Criterion):
    """irRC as a criterion of the engine."""

    name: str = NAME
    title: str = "irRC"
    source: str = "Wolchok et al., Clin Cancer Res 2009;15:7412-7420"
    options: type[IrrcOptions] = IrrcOptions
    questions: tuple[Question[Any], ...] = (Question("overall", IRRC_RULES),)
    flags: tuple[Rule[Any], ...] = IRRC_FLAGS
    numbers: tuple[Number, ...] = area_numbers(NAME)
    words: Mapping[Response, str] | None = None
    offered: bool = False
    test: SumTest = IRRC_TEST
    measure: str = "total burden"

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> TotalState:
        """Return what the rules ask; lesions are read again, by its own options."""
        burden = burden_beside(block, options, beside)
        new = new_measured(burden, _size_of_new, NEW_LIMITS)
        return TotalAreaState(product_burden(burden), new, options, self.questions, self.test)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: the total burden in thousandths of a mm2."""
        return area_values(self.prefix, state)


IRRC: Final = Irrc(words=IRRC_WORDS)
__all__ = ["IRRC", "Irrc", "IrrcOptions"]
