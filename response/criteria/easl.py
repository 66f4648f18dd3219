"""EASL criteria for hepatocellular carcinoma: the area of the enhancing tissue.

Source: Bruix et al., J Hepatol 2001;35:421-430 (conference of the European Association for the Study of the Liver).
Confirmed in public tables: CR without enhancing tissue, PR from -50 %, PD "more than 25 %" or new enhancement in a
treated lesion, SD else (PMC3094725, table 1; PMC6287184, table 4). Not found, and so to be checked against the paper:
that growth is against the best response, which is flagged where it decides, and PD by any one lesion (`easl_pd`).
Non-targets, new lesions and the combination are those of RECIST 1.1, which is our choice. The form with volumes is
`qeasl`.

An intrahepatic target adds `viable_area_mm2`, or the product of `viable_mm` and `viable_short_mm`, if that was measured
at baseline; any other target adds the product of its whole diameters.

Scope: hepatocellular carcinoma after locoregional therapy. Lipiodol hides enhancement on CT.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER, THOUSAND
from response.criteria.burden import Burden
from response.criteria.criterion import Criterion, Number, State
from response.criteria.hcc import intrahepatic
from response.criteria.products import ProductState, back_after_gone, product_burden, product_um2
from response.criteria.recist import CombinationOptions
from response.criteria.rules import Flags, Question, Rule, asks, chosen
from response.criteria.sum_tests import SumTest
from response.criteria.sums import (
    ADJUDICATE_CR,
    TARGETS,
    SumState,
    all_gone,
    area_numbers,
    area_values,
    baseline_incomplete,
    burden_beside,
    burden_with,
    combined,
    grown,
    grown_in_part,
    missing,
    no_targets,
    otherwise,
    shrunk,
)
from response.criteria.viable import (
    enhancing_targets,
    measured_by_enhancement,
    number_of_rows,
    with_bare_non_targets,
)
from response.measurements import Measurements
from response.protocol import option
from response.readings import TOO_SMALL_UM

NAME: Final = "easl"
EASL_TEST: Final = SumTest(partial=(1, 2), progressive=(5, 4), inclusive=False)  # -50 %; more than 25 % (table 1)


@dataclass(frozen=True, kw_only=True)
class EaslOptions(CombinationOptions):
    """Every point that the EASL criteria leave open, with the default and why."""

    easl_pd: str = option(
        "sum_from_nadir",
        "growth by more than 25 %: of the sum over its smallest value, or of any lesion over its own (2001)",
        choices=("sum_from_nadir", "any_lesion"),
    )


def viable_area_um2(measured: Measurements, rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the area of the enhancing tissue in whole square micrometres, or the product of its two diameters."""
    area = number_of_rows(measured, "viable_area_mm2", rows)
    blank, found = area == NO_NUMBER, np.multiply(area, THOUSAND, dtype=np.int64)
    if blank.any():
        one, two = (number_of_rows(measured, name, rows[blank]) for name in ("viable_mm", "viable_short_mm"))
        found[blank] = product_um2(one, two)
    return found


def easl_burden(block: Block, options: EaslOptions, beside: Mapping[str, State]) -> Burden:
    """Return the lesions of a block as EASL measures them, areas in whole square micrometres."""
    recist, liver = burden_beside(block, options, beside), intrahepatic(block)
    chosen = measured_by_enhancement(block, liver, viable_area_um2) & (recist.classes == TARGETS[0])
    enhancing = enhancing_targets(recist, np.flatnonzero(chosen), viable_area_um2, TOO_SMALL_UM**2)
    others = product_burden(recist)
    return burden_with(others, enhancing, state=with_bare_non_targets(others, liver, viable_area_um2))


def enhances_again(state: SumState) -> Flags:
    """A target that had no enhancing tissue left has some again."""
    return back_after_gone(state.burden) & state.block.follow_up


TARGET_RULES: Final = (
    Rule("no_targets", "NA", no_targets, "2001", "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "2001", "a target lesion was not measured at baseline"),
    Rule("cr", "CR", all_gone, "2001, CR", "no target lesion shows enhancement (those measured as a whole are gone)"),
    Rule("pd_new_enhancement", "PD", enhances_again, "2001, PD",
         "a target lesion without enhancing tissue enhances again"),
    Rule("pd", "PD", grown, "2001, PD",
         "the viable area {sum} mm2 is {growth_percent} % over the nadir {nadir} mm2",
         chosen("easl_pd", "sum_from_nadir")),
    Rule("pd_proven", "PD", grown_in_part, "RECIST 1.1, 4.4.2",
         "the measured part alone, {sum} mm2, is {growth_percent} % over the nadir {nadir} mm2",
         chosen("easl_pd", "sum_from_nadir")),
    Rule("pd_lesion", "PD", asks("lesion_grown"), "2001, PD (not confirmed)",
         "a target lesion has grown by more than 25 % over its own nadir", chosen("easl_pd", "any_lesion")),
    Rule("missing", "NE", missing, "RECIST 1.1, 4.4.2",
         "the viable area of {missing} of {targets} target lesions could not be measured"),
    Rule("pr", "PR", shrunk, "2001, PR",
         "the viable area {sum} mm2 is {shrinkage_percent} % below the baseline {baseline} mm2"),
    Rule("sd", "SD", otherwise, "2001, SD",
         "the viable area {sum} mm2 changed by {change_percent} % from the baseline, neither PR nor PD"),
)  # fmt: skip
EASL_QUESTIONS: Final = combined(TARGET_RULES)


def _over_the_best_alone(state: ProductState) -> Flags:
    from_baseline = state.test.grown(state.burden.sum_um, state.burden.baseline_um)
    return state.is_("target", "PD") & state.proven & ~from_baseline


EASL_FLAGS: Final = (
    ADJUDICATE_CR,
    Rule("pd_over_best_response", "", _over_the_best_alone, "2001, PD (not confirmed)",
         "growth is more than 25 % over the smallest value, and not over the baseline; that EASL judges it so was not "
         "confirmed against the paper"),
)  # fmt: skip


@dataclass(frozen=True)
class Easl(Criterion):
    """EASL as a criterion of the engine."""

    name: str = NAME
    title: str = "EASL"
    source: str = "Bruix et al., J Hepatol 2001;35:421-430"
    options: type[EaslOptions] = EaslOptions
    questions: tuple[Question[Any], ...] = EASL_QUESTIONS
    flags: tuple[Rule[Any], ...] = EASL_FLAGS
    numbers: tuple[Number, ...] = area_numbers(NAME)
    offered: bool = False
    test: SumTest = EASL_TEST
    measure: str = "viable area"

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> ProductState:
        """Return what the rules ask; lesions are read again, by its own options."""
        return ProductState(easl_burden(block, options, beside), options, self.questions, self.test, beside)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: the viable area in thousandths of a mm2."""
        return area_values(self.prefix, state)


EASL: Final = Easl()
__all__ = ["EASL", "Easl", "EaslOptions"]
