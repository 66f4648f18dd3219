"""MASS, morphology, attenuation, size and structure: response of metastatic renal cell carcinoma.

Source: Smith et al., AJR Am J Roentgenol 2010;194:1470-1478, doi:10.2214/AJR.09.3456. Confirmed in the abstract
(PubMed 20489085): three categories, favourable, indeterminate and unfavourable, on portal venous CT, of target lesions
under sunitinib or sorafenib. The text of the categories was found in no public source, so every answer is noted as not
confirmed. Our reading, besides: a lesion is mostly solid and enhancing if less than half of it was necrotic at
baseline (and it is not recorded as cystic); marked necrosis is more than half of what enhanced then; a new lesion or
enhancement that is back outranks all, and a favourable structure outranks growth.

Scope: clear cell renal cell carcinoma under antiangiogenic therapy, portal venous phase.
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
class MassOptions(Options):
    """Every point that MASS leaves open, with the default and why."""

    mass_pd_reference: str = option(
        "nadir",
        "growth of the sum: over its smallest value, or over the baseline (the original read the first CT only)",
        choices=("nadir", "baseline"),
    )


def _grown_untested(state: RenalState) -> Flags:
    return state.enlarged & state.structure_unknown


def _despite_growth(state: RenalState) -> Flags:
    return state.enlarged & (state.marked_necrosis | state.marked_drop_of_solid)


MASS_RULES: Final = (
    *DISEASE_IS_BACK,
    *NOTHING_TO_COMPARE_WITH,
    SHRINKAGE,
    Rule("necrosis", FAVOURABLE, asks("marked_necrosis"), "favourable",
         "more than half of what enhanced in a mostly solid lesion has become necrotic"),
    Rule("attenuation", FAVOURABLE, asks("marked_drop_of_solid"), "favourable",
         "the attenuation of a mostly solid lesion fell by 40 HU or more"),
    Rule("growth_untested", "NE", _grown_untested, "unfavourable",
         "the sum {sum} mm is 20 % or more over its reference, but neither attenuation nor necrosis could be compared"),
    Rule("growth", UNFAVOURABLE, asks("enlarged"), "unfavourable",
         "the sum {sum} mm is 20 % or more over its reference, without marked necrosis or fall of attenuation"),
    SIZE_MISSING,
    Rule("structure_missing", "NE", asks("structure_unknown"), "methods",
         "neither attenuation nor necrosis of a lesion could be compared with the baseline"),
    Rule("indeterminate", INDETERMINATE, otherwise, "indeterminate",
         "the sum changed by {change_percent} %, without marked necrosis or fall of attenuation"),
)  # fmt: skip
MASS_FLAGS: Final = (
    NOT_CONFIRMED,
    Rule("response_despite_growth", "", _despite_growth, "favourable",
         "the sum grew by 20 %, but a lesion shows marked necrosis or fall of attenuation"),
    *NOTES,
)  # fmt: skip


@dataclass(frozen=True)
class Mass(RenalCriterion):
    """MASS as a criterion of the engine."""

    name: str = "mass"
    title: str = "MASS"
    source: str = "Smith et al., AJR Am J Roentgenol 2010;194:1470-1478"
    options: type[MassOptions] = MassOptions
    pd_reference: str = "mass_pd_reference"
    questions: tuple[Question[Any], ...] = (Question("overall", MASS_RULES),)
    flags: tuple[Rule[Any], ...] = MASS_FLAGS
    numbers: tuple[Number, ...] = renal_numbers("mass")
    scope: str = "MASS is for renal cell carcinoma under antiangiogenic therapy; its categories were not confirmed."


MASS: Final = Mass()
__all__ = ["MASS", "Mass", "MassOptions"]
