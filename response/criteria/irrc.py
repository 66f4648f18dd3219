"""irRC, immune-related response criteria: total burden of products, new measurable lesions included.

Source: Wolchok et al., Clin Cancer Res 2009;15:7412-7420, doi:10.1158/1078-0432.CCR-09-1624; "table 2" derives the
overall response there. Confirmed in public sources: table 2 but for its lines without non-index disease (copy at
clincancerres.aacrjournals.org); 5 x 5 mm, five lesions of an organ, ten visceral and five cutaneous, thresholds of 50 %
and 25 % and confirmation after four weeks (PMC6942076, table 3; PMC5994498, table 2). Not found: what an assessment
between two progressions that could not be evaluated means (here nothing), and subjects without an index lesion (here
NE). Nodes are read as in RECIST 1.1, for irRC has no rule of its own for them.

Scope: immunotherapy, first melanoma under ipilimumab; iRECIST has taken its place in new trials.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.criterion import Criterion, Number, State
from response.criteria.products import product_burden, products_um2
from response.criteria.recist import CombinationOptions
from response.criteria.rules import Flags, Question, Rule
from response.criteria.sums import (
    SumTest,
    area_numbers,
    area_values,
    baseline_incomplete,
    burden_beside,
    lesion_number,
    missing,
    no_targets,
    otherwise,
    shrunk,
)
from response.criteria.total_burden import (
    NewLimits,
    TotalAreaState,
    TotalState,
    confirmed,
    measured_gone,
    needs_confirmation,
    new_measured,
    only_gone,
    progresses,
    without_confirmation,
)
from response.protocol import option
from response.timeline import Block
from response.vocabulary import IRCR, IRPD, IRPR, IRRC_WORDS, IRSD, UNCONFIRMED_IRPD, Response

NAME: Final = "irrc"
IRRC_TEST: Final = SumTest(partial=(1, 2), progressive=(5, 4))  # -50 % and +25 %, both inclusive (table 2)
MEASURABLE_UM: Final = 5_000  # a new lesion of 5 x 5 mm joins the burden
NEW_LIMITS: Final = NewLimits(of_organ=5, most=10, of_skin=5)


@dataclass(frozen=True, kw_only=True)
class TotalBurdenOptions(CombinationOptions):
    """What criteria with a total burden leave open about confirmation."""

    pd_confirmation: bool = option(
        True, "whether a progression has to be confirmed by a consecutive assessment", choices=(True, False)
    )
    pd_confirm_days: int = option(28, "days from which such an assessment confirms (4 weeks), inclusive", minimum=0)
    confirmation: bool = option(
        True, "whether the confirmed best response is the headline; both are always computed", choices=(True, False)
    )
    post_cr_disease: str = option(
        "as_is_warn", "disease after CR is judged by the total burden; the best response leaves it so",
        choices=("as_is_warn",),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class IrrcOptions(TotalBurdenOptions):
    """Every point that irRC leaves open, with the default and why."""


def _size_of_new(block: Block, tracks: NDArray[np.intp]) -> tuple[NDArray[np.int64], Flags]:
    one, two = (lesion_number(block, name, tracks) for name in ("longest_mm", "short_mm"))
    return products_um2(block, "longest_mm", "short_mm", tracks), (one >= MEASURABLE_UM) & (two >= MEASURABLE_UM)


def _non_index_progression(state: TotalState) -> Flags:
    return state.non_target_progression


def _other_new(state: TotalState) -> Flags:
    return state.other_new


IRRC_RULES: Final = (
    Rule("no_index_lesion", "NE", no_targets, "our choice", "no index lesion was chosen at baseline"),
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
    Rule("irpr_unmeasured_left", IRPR, measured_gone, "table 2, lines 2 and 3",
         "what is measured is gone, but a non-index or new lesion is there or was not assessed"),
    Rule("irpr", IRPR, shrunk, "table 2, lines 4 and 5",
         "the total burden {sum} mm2 is {shrinkage_percent} % below the baseline {baseline} mm2"),
    Rule("irsd", IRSD, otherwise, "table 2, lines 6 and 7",
         "the total burden {sum} mm2 changed by {change_percent} % from the baseline, neither irPR nor irPD"),
)  # fmt: skip
IRRC_FLAGS: Final = (
    Rule("non_index_progression", "", _non_index_progression, "table 2",
         "unequivocal progression of a non-index lesion, which only bars irCR"),
    Rule("new_lesion_not_measured", "", _other_new, "table 2", "a new lesion that is not measured only bars irCR"),
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

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> TotalState:
        """Return what the rules ask; lesions are read again, by its own options."""
        burden = burden_beside(block, options, beside)
        new = new_measured(burden, _size_of_new, NEW_LIMITS)
        return TotalAreaState(product_burden(burden), new, options, self.questions, self.test)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: the total burden in thousandths of a mm2."""
        return area_values(self.prefix, state)


IRRC: Final = Irrc(words=IRRC_WORDS)
__all__ = ["IRRC", "Irrc", "IrrcOptions", "TotalBurdenOptions"]
