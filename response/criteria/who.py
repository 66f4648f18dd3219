"""WHO criteria: sum of the products of the two largest perpendicular diameters.

Source: World Health Organization, Handbook for reporting results of cancer treatment, 1979; Miller et al., Cancer
1981;47:207-214. Confirmed in public tables: CR, PR and NC, "25 % or more of one or more lesions, or new lesions" for
PD, and confirmation after four weeks (PMC2755245, table 3); others print "more than 25 % from maximum response" of all
(PMC3094725, table 1), so growth is judged on the sum against its smallest value by default (`who_pd`). WHO knows
neither non-targets nor nodes by size: they are read as in RECIST 1.1, and the combination is its table 1. That is our
choice, and so is 5 x 5 mm for a lesion too small to measure.

Scope: solid tumours measured in two dimensions; for older trials, and as the basis of irRC and EASL.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.criterion import Criterion, Number, State
from response.criteria.products import ProductState, product_burden
from response.criteria.recist import (
    OVERALL_RULES,
    CombinationOptions,
)
from response.criteria.rules import Flags, Question, Rule, answered, asks, chosen
from response.criteria.sums import (
    ADJUDICATE_CR,
    SumTest,
    all_gone,
    area_numbers,
    area_values,
    baseline_incomplete,
    burden_beside,
    combined,
    grown,
    grown_in_part,
    missing,
    no_targets,
    otherwise,
    shrunk,
)
from response.protocol import option
from response.vocabulary import NO_CHANGE, WHO_WORDS, Response

NAME: Final = "who"
WHO_TEST: Final = SumTest(partial=(1, 2), progressive=(5, 4))  # -50 % and +25 %, both inclusive (1981)


@dataclass(frozen=True, kw_only=True)
class WhoOptions(CombinationOptions):
    """Every point that the WHO criteria leave open, with the default and why."""

    who_pd: str = option(
        "sum_from_nadir",
        "growth by 25 %: of the sum over its smallest value (later practice), or of any lesion over its own (1981)",
        choices=("sum_from_nadir", "any_lesion"),
    )
    confirmation: bool = option(
        True, "whether the confirmed best response is the headline (1981 asks for it); both are always computed",
        choices=(True, False),
    )  # fmt: skip


TARGET_RULES: Final = (
    Rule("no_targets", "NA", no_targets, "1981", "no measurable lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "1981",
         "a target lesion was not measured in two diameters at baseline"),
    Rule("cr", "CR", all_gone, "1981", "all target lesions are gone"),
    Rule("pd", "PD", grown, "1981",
         "the sum of products {sum} mm2 is {growth_percent} % over the nadir {nadir} mm2",
         chosen("who_pd", "sum_from_nadir")),
    Rule("pd_proven", "PD", grown_in_part, "RECIST 1.1, 4.4.2",
         "the measured part alone, {sum} mm2, is {growth_percent} % over the nadir {nadir} mm2",
         chosen("who_pd", "sum_from_nadir")),
    Rule("pd_lesion", "PD", asks("lesion_grown"), "1981",
         "a target lesion has grown by 25 % or more over its own nadir", chosen("who_pd", "any_lesion")),
    Rule("missing", "NE", missing, "1981",
         "{missing} of {targets} target lesions could not be measured in two diameters"),
    Rule("pr", "PR", shrunk, "1981",
         "the sum of products {sum} mm2 is {shrinkage_percent} % below the baseline {baseline} mm2"),
    Rule("nc", NO_CHANGE, otherwise, "1981",
         "the sum of products {sum} mm2 changed by {change_percent} % from the baseline, neither PR nor PD"),
)  # fmt: skip
WHO_OVERALL_RULES: Final = tuple(
    replace(rule, name="nc", category=NO_CHANGE, holds=answered("target", NO_CHANGE)) if rule.name == "sd" else rule
    for rule in OVERALL_RULES
)
WHO_QUESTIONS: Final = combined(TARGET_RULES, overall=WHO_OVERALL_RULES)


def _one_lesion_only(state: ProductState) -> Flags:
    return state.lesion_grown & ~state.is_("overall", "PD")


WHO_FLAGS: Final = (
    ADJUDICATE_CR,
    Rule("lesion_grew_by_25_percent", "", _one_lesion_only, "1981",
         "a single lesion has grown by 25 %, which the original calls PD"),
)  # fmt: skip


@dataclass(frozen=True)
class Who(Criterion):
    """WHO as a criterion of the engine."""

    name: str = NAME
    title: str = "WHO"
    source: str = "Miller et al., Cancer 1981;47:207-214"
    options: type[WhoOptions] = WhoOptions
    questions: tuple[Question[Any], ...] = WHO_QUESTIONS
    flags: tuple[Rule[Any], ...] = WHO_FLAGS
    numbers: tuple[Number, ...] = area_numbers(NAME)
    words: Mapping[Response, str] | None = None
    offered: bool = False
    test: SumTest = WHO_TEST
    measure: str = "products of diameters"

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> ProductState:
        """Return what the rules ask; lesions are read again, by its own options."""
        burden = product_burden(burden_beside(block, options, beside))
        return ProductState(burden, options, self.questions, self.test, beside)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: the sum of products in thousandths of a mm2."""
        return area_values(self.prefix, state)


WHO: Final = Who(words=WHO_WORDS)
__all__ = ["WHO", "Who", "WhoOptions"]
