"""MASS, morphology, attenuation, size and structure: response of metastatic renal cell carcinoma.

Source: Smith et al., AJR Am J Roentgenol 2010;194:1470-1478, doi:10.2214/AJR.09.3456. Confirmed in the abstract
(PubMed 20489085): three categories, favourable, indeterminate and unfavourable, on portal venous CT, of target lesions
under sunitinib or sorafenib. The text of the categories was found in no public source, so every answer is noted as not
confirmed. Our reading, besides: a lesion is mostly solid and enhancing if less than half of it was necrotic at
baseline (and it is not recorded as cystic); marked necrosis is more than half of what enhanced then; a new lesion or
enhancement that is back outranks all, and a favourable structure outranks growth.

Scope: clear cell renal cell carcinoma under antiangiogenic therapy, portal venous phase.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.criterion import Criterion, Number, State
from response.criteria.recist import RecistState
from response.criteria.renal import (
    FAVOURABLE,
    INDETERMINATE,
    UNFAVOURABLE,
    RenalState,
    baseline_incomplete,
    enlarged,
    everywhere,
    filled_in,
    left_out,
    new_metastasis,
    newly_enhancing,
    no_targets,
    non_target_progression,
    other_phase,
    shrunk_by_20,
    size_missing,
)
from response.criteria.rules import Flags, Question, Rule
from response.criteria.sact import renal_values
from response.protocol import Options, option
from response.timeline import Block

NAME: Final = "mass"


@dataclass(frozen=True, kw_only=True)
class MassOptions(Options):
    """Every point that MASS leaves open, with the default and why."""

    mass_pd_reference: str = option(
        "nadir",
        "growth of the sum: over its smallest value, or over the baseline (the original read the first CT only)",
        choices=("nadir", "baseline"),
    )


def _necrosis(state: RenalState) -> Flags:
    return state.marked_necrosis


def _marked_drop(state: RenalState) -> Flags:
    return state.marked_drop_of_solid


def _grown_untested(state: RenalState) -> Flags:
    return state.enlarged & ~state.structure_known


def _structure_unknown(state: RenalState) -> Flags:
    return ~state.structure_known


MASS_RULES: Final = (
    Rule("new_lesion", UNFAVOURABLE, new_metastasis, "unfavourable", "a new metastasis"),
    Rule("fill_in", UNFAVOURABLE, filled_in, "unfavourable", "marked central fill-in of a lesion"),
    Rule("new_enhancement", UNFAVOURABLE, newly_enhancing, "unfavourable",
         "new enhancement of a homogeneous mass of low attenuation that did not enhance"),
    Rule("no_targets", "NE", no_targets, "methods", "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "methods", "a target lesion was not measured at baseline"),
    Rule("shrinkage", FAVOURABLE, shrunk_by_20, "favourable",
         "the sum {sum} mm is {shrinkage_percent} % below the baseline {baseline} mm (20 % are enough)"),
    Rule("necrosis", FAVOURABLE, _necrosis, "favourable",
         "more than half of what enhanced in a mostly solid lesion has become necrotic"),
    Rule("attenuation", FAVOURABLE, _marked_drop, "favourable",
         "the attenuation of a mostly solid lesion fell by 40 HU or more"),
    Rule("growth_untested", "NE", _grown_untested, "unfavourable",
         "the sum {sum} mm is 20 % or more over its reference, but neither attenuation nor necrosis could be compared"),
    Rule("growth", UNFAVOURABLE, enlarged, "unfavourable",
         "the sum {sum} mm is 20 % or more over its reference, without marked necrosis or fall of attenuation"),
    Rule("size_missing", "NE", size_missing, "methods", "{missing} of {targets} target lesions could not be assessed"),
    Rule("structure_missing", "NE", _structure_unknown, "methods",
         "neither attenuation nor necrosis of a lesion could be compared with the baseline"),
    Rule("indeterminate", INDETERMINATE, everywhere, "indeterminate",
         "the sum changed by {change_percent} %, without marked necrosis or fall of attenuation"),
)  # fmt: skip


def _answered(state: RenalState) -> Flags:
    return state.is_("overall", FAVOURABLE, INDETERMINATE, UNFAVOURABLE)


def _despite_growth(state: RenalState) -> Flags:
    return state.enlarged & (state.marked_necrosis | state.marked_drop_of_solid)


MASS_FLAGS: Final = (
    Rule("category_not_confirmed", "", _answered, "",
         "the text of the category was not confirmed against the paper"),
    Rule("response_despite_growth", "", _despite_growth, "favourable",
         "the sum grew by 20 %, but a lesion shows marked necrosis or fall of attenuation"),
    Rule("other_phase", "", other_phase, "methods", "another phase than the portal venous one, or than at baseline"),
    Rule("attenuation_incomplete", "", left_out, "methods", "attenuation was compared in some of the lesions only"),
    Rule("non_target_progression", "", non_target_progression, "",
         "unequivocal progression of a non-target lesion, which MASS does not know"),
)  # fmt: skip


@dataclass(frozen=True)
class Mass(Criterion):
    """MASS as a criterion of the engine."""

    name: str = NAME
    title: str = "MASS"
    source: str = "Smith et al., AJR Am J Roentgenol 2010;194:1470-1478"
    options: type[MassOptions] = MassOptions
    questions: tuple[Question[Any], ...] = (Question("overall", MASS_RULES),)
    flags: tuple[Rule[Any], ...] = MASS_FLAGS
    numbers: tuple[Number, ...] = (
        *(Number(f"{name}_mm", "mm") for name in ("sum", "baseline", "nadir")),
        Number("mass_compared", "count"),
        Number("mass_dropped", "count"),
    )
    best_order: tuple[str, ...] = (FAVOURABLE, INDETERMINATE, UNFAVOURABLE, "NE")
    offered: bool = False
    scope: str = "MASS is for renal cell carcinoma under antiangiogenic therapy; its categories were not confirmed."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> RenalState:  # noqa: ARG002
        """Return what the rules ask; RECIST 1.1 stands beside it."""
        recist = beside["recist-1.1"]
        assert isinstance(recist, RecistState)
        return RenalState(recist, options, self.questions, options.mass_pd_reference)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: lengths in thousandths of a mm, and lesions."""
        return renal_values(NAME, state)


MASS: Final = Mass()
__all__ = ["MASS", "Mass", "MassOptions"]
