"""SACT, size and attenuation CT criteria: early response of metastatic renal cell carcinoma.

Source: Smith et al., AJR Am J Roentgenol 2010;194:157-165, doi:10.2214/AJR.09.2941. Confirmed in the abstract (PubMed
20028918): favourable response, long-axis sizes, volumetric mean attenuation, and that a fall of 40 HU or more in one
lesion marks good outcome. The text of the three categories was found in no public source, so every answer is noted as
not confirmed. Our reading, besides: half of the lesions outside the lung means half of those whose attenuation is
known at both dates; growth outranks a fall of attenuation; nodes count by their short axis.

Scope: clear cell renal cell carcinoma under sorafenib or sunitinib, first CT after the start, portal venous phase.
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
from response.protocol import Options, option
from response.timeline import Block

NAME: Final = "sact"


@dataclass(frozen=True, kw_only=True)
class SactOptions(Options):
    """Every point that SACT leaves open, with the default and why."""

    sact_pd_reference: str = option(
        "nadir",
        "growth of the sum: over its smallest value, or over the baseline (the original read one CT only)",
        choices=("nadir", "baseline"),
    )


def _shrunk_and_dropped(state: RenalState) -> Flags:
    return state.shrunk_to(90) & state.half_dropped


def _marked_drop(state: RenalState) -> Flags:
    return state.marked_drop


def _nothing_compared(state: RenalState) -> Flags:
    return np.asarray(state.compared == 0)


SACT_RULES: Final = (
    Rule("new_lesion", UNFAVOURABLE, new_metastasis, "unfavourable", "a new metastasis"),
    Rule("fill_in", UNFAVOURABLE, filled_in, "unfavourable", "marked central fill-in of a lesion"),
    Rule("new_enhancement", UNFAVOURABLE, newly_enhancing, "unfavourable",
         "new enhancement of a homogeneous mass of low attenuation that did not enhance"),
    Rule("no_targets", "NE", no_targets, "methods", "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "methods", "a target lesion was not measured at baseline"),
    Rule("growth", UNFAVOURABLE, enlarged, "unfavourable", "the sum {sum} mm is 20 % or more over its reference"),
    Rule("shrinkage", FAVOURABLE, shrunk_by_20, "favourable",
         "the sum {sum} mm is {shrinkage_percent} % below the baseline {baseline} mm (20 % are enough)"),
    Rule("shrinkage_and_attenuation", FAVOURABLE, _shrunk_and_dropped, "favourable",
         "the sum is {shrinkage_percent} % below the baseline, and the attenuation of {dropped} of {compared} lesions "
         "outside the lung fell by 20 HU or more"),
    Rule("attenuation", FAVOURABLE, _marked_drop, "favourable",
         "the attenuation of a lesion outside the lung fell by 40 HU or more"),
    Rule("size_missing", "NE", size_missing, "methods", "{missing} of {targets} target lesions could not be assessed"),
    Rule("attenuation_missing", "NE", _nothing_compared, "methods",
         "the attenuation of no lesion outside the lung could be compared with the baseline"),
    Rule("indeterminate", INDETERMINATE, everywhere, "indeterminate",
         "the sum changed by {change_percent} %, and the attenuation of {dropped} of {compared} lesions fell by 20 HU"),
)  # fmt: skip


def _drop_despite_growth(state: RenalState) -> Flags:
    return state.enlarged & state.marked_drop


def _answered(state: RenalState) -> Flags:
    return state.is_("overall", FAVOURABLE, INDETERMINATE, UNFAVOURABLE)


SACT_FLAGS: Final = (
    Rule("category_not_confirmed", "", _answered, "",
         "the text of the category was not confirmed against the paper"),
    Rule("growth_with_falling_attenuation", "", _drop_despite_growth, "",
         "the sum grew by 20 %, but the attenuation of a lesion fell by 40 HU"),
    Rule("other_phase", "", other_phase, "methods", "another phase than the portal venous one, or than at baseline"),
    Rule("attenuation_incomplete", "", left_out, "methods", "attenuation was compared in some of the lesions only"),
    Rule("non_target_progression", "", non_target_progression, "",
         "unequivocal progression of a non-target lesion, which SACT does not know"),
)  # fmt: skip


@dataclass(frozen=True)
class Sact(Criterion):
    """SACT as a criterion of the engine."""

    name: str = NAME
    title: str = "SACT"
    source: str = "Smith et al., AJR Am J Roentgenol 2010;194:157-165"
    options: type[SactOptions] = SactOptions
    questions: tuple[Question[Any], ...] = (Question("overall", SACT_RULES),)
    flags: tuple[Rule[Any], ...] = SACT_FLAGS
    numbers: tuple[Number, ...] = (
        *(Number(f"{name}_mm", "mm") for name in ("sum", "baseline", "nadir")),
        Number("sact_compared", "count"),
        Number("sact_dropped", "count"),
    )
    best_order: tuple[str, ...] = (FAVOURABLE, INDETERMINATE, UNFAVOURABLE, "NE")
    offered: bool = False
    scope: str = "SACT is for renal cell carcinoma under antiangiogenic therapy; its categories were not confirmed."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> RenalState:  # noqa: ARG002
        """Return what the rules ask; RECIST 1.1 stands beside it."""
        recist = beside["recist-1.1"]
        assert isinstance(recist, RecistState)
        return RenalState(recist, options, self.questions, options.sact_pd_reference)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: lengths in thousandths of a mm, and lesions."""
        return renal_values(NAME, state)


def renal_values(prefix: str, state: RenalState) -> dict[str, NDArray[np.int64]]:
    """Return the sums of diameters and the numbers of lesions compared, and of those that fell by 20 HU."""
    burden = state.burden
    baseline = np.asarray(np.broadcast_to(burden.baseline_um, state.shape))
    sums = {"sum_mm": burden.sum_um, "baseline_mm": baseline, "nadir_mm": burden.nadir_um}
    return {**sums, f"{prefix}_compared": state.compared, f"{prefix}_dropped": state.dropped}


SACT: Final = Sact()
__all__ = ["SACT", "Sact", "SactOptions", "renal_values"]
