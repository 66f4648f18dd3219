"""SACT, size and attenuation CT criteria: early response of metastatic renal cell carcinoma.

Source: Smith et al., AJR Am J Roentgenol 2010;194:157-165, doi:10.2214/AJR.09.2941. Confirmed in the abstract (PubMed
20028918): favourable response, long-axis sizes, volumetric mean attenuation, and that a fall of 40 HU or more in one
lesion marks good outcome. The text of the three categories was found in no public source, so every answer is noted as
not confirmed. Our reading, besides: half of the lesions outside the lung are half of the targets that are still there,
and one whose attenuation is not known has not fallen; growth outranks a fall of attenuation; nodes count by their
short axis.

Scope: clear cell renal cell carcinoma under sorafenib or sunitinib, first CT after the start, portal venous phase.
"""

from dataclasses import dataclass
from typing import Any, Final

from response.criteria.criterion import Number
from response.criteria.renal import (
    DISEASE_IS_BACK,
    FAVOURABLE,
    INDETERMINATE,
    NOT_CONFIRMED,
    NOTES,
    NOTHING_TO_COMPARE_WITH,
    SHRINKAGE,
    SIZE_MISSING,
    UNFAVOURABLE,
    RenalCriterion,
    RenalState,
    renal_numbers,
)
from response.criteria.rules import Flags, Question, Rule, asks
from response.criteria.sums import (
    otherwise,
)
from response.protocol import Options, option


@dataclass(frozen=True, kw_only=True)
class SactOptions(Options):
    """Every point that SACT leaves open, with the default and why."""

    sact_pd_reference: str = option(
        "nadir",
        "growth of the sum: over its smallest value, or over the baseline (the original read one CT only)",
        choices=("nadir", "baseline"),
    )


def _shrunk_and_dropped(state: RenalState) -> Flags:
    return state.shrunk_by_10 & state.half_dropped


def _drop_despite_growth(state: RenalState) -> Flags:
    return state.enlarged & state.marked_drop


SACT_RULES: Final = (
    *DISEASE_IS_BACK,
    *NOTHING_TO_COMPARE_WITH,
    Rule("growth", UNFAVOURABLE, asks("enlarged"), "unfavourable",
         "the sum {sum} mm is 20 % or more over its reference"),
    SHRINKAGE,
    Rule("shrinkage_and_attenuation", FAVOURABLE, _shrunk_and_dropped, "favourable",
         "the sum is {shrinkage_percent} % below the baseline, and the attenuation of {dropped} of {compared} lesions "
         "outside the lung fell by 20 HU or more"),
    Rule("attenuation", FAVOURABLE, asks("marked_drop"), "favourable",
         "the attenuation of a lesion outside the lung fell by 40 HU or more"),
    SIZE_MISSING,
    Rule("attenuation_missing", "NE", asks("nothing_compared"), "methods",
         "the attenuation of no lesion outside the lung could be compared with the baseline"),
    Rule("indeterminate", INDETERMINATE, otherwise, "indeterminate",
         "the sum changed by {change_percent} %, and the attenuation of {dropped} of {compared} lesions fell by 20 HU"),
)  # fmt: skip
SACT_FLAGS: Final = (
    NOT_CONFIRMED,
    Rule("growth_with_falling_attenuation", "", _drop_despite_growth, "",
         "the sum grew by 20 %, but the attenuation of a lesion fell by 40 HU"),
    *NOTES,
)  # fmt: skip


@dataclass(frozen=True)
class Sact(RenalCriterion):
    """SACT as a criterion of the engine."""

    name: str = "sact"
    title: str = "SACT"
    source: str = "Smith et al., AJR Am J Roentgenol 2010;194:157-165"
    options: type[SactOptions] = SactOptions
    pd_reference: str = "sact_pd_reference"
    questions: tuple[Question[Any], ...] = (Question("overall", SACT_RULES),)
    flags: tuple[Rule[Any], ...] = SACT_FLAGS
    numbers: tuple[Number, ...] = renal_numbers("sact")
    scope: str = "SACT is for renal cell carcinoma under antiangiogenic therapy; its categories were not confirmed."


SACT: Final = Sact()
__all__ = ["SACT", "Sact", "SactOptions"]
