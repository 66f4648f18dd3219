"""Locally ablated lesions: what the ablation zone shows, lesion by lesion, and the worst of them.

Source: Ahmed et al., Radiology 2014;273:241-260, doi:10.1148/radiol.14132958 (terms); follow-up of ablation, ECIO-ESOI,
Insights Imaging 2020;11:83 (signs, table 3). Confirmed in public sources: no enhancement is complete ablation, and
nodular or irregular enhancement in or at the zone is tumour: residual while no scan has shown complete ablation, local
progression afterwards; a thin rim is inflammation in the first months, and a sign of tumour once it lasts for three;
growth of the zone is a sign of progression, of the kidney from two months on (ECIO-ESOI, table 3; reviews of follow-up
after radiofrequency ablation). Not found, and so our choice: growth by 20 % and 5 mm, four weeks until the zone is
measured anew, and the worst lesion for the subject.

A lesion takes part from its `local_therapy` on, with `ablation_zone_mm` and `zone_enhancement` (none, thin_rim or
nodular) of each scan; a second treatment starts anew. RECIST 1.1 holds a lesion treated on study for not evaluable, and
goes on to do so beside this.

Scope: thermal ablation of liver, kidney and lung tumours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.ablation_state import AblationState, Zone
from response.criteria.criterion import Criterion, Number, State
from response.criteria.recist import RecistState
from response.criteria.rules import Question, Rule, asks
from response.criteria.sums import (
    otherwise,
)
from response.protocol import Options, option


@dataclass(frozen=True, kw_only=True)
class AblationOptions(Options):
    """Every point that the assessment of ablated lesions leaves open, with the default and why."""

    ablation_baseline_days: int = option(
        28, "days after treatment from which the zone is measured anew (4 to 8 weeks; our choice)", minimum=0
    )
    ablation_rim_days: int = option(
        90, "days after treatment up to which a thin rim is benign (3 months; our choice)", minimum=0
    )
    ablation_margin_mm: int = option(5, "smallest margin that gets no note, in mm (5 to 10 mm is usual)", minimum=0)


def _shows(zone: Zone) -> Any:
    return lambda state: state.worst == zone


ABLATION_RULES: Final = (
    Rule("untreated", "NA", _shows(Zone.UNTREATED), "2014", "no lesion was treated locally before this scan"),
    Rule("local_progression", "local progression", _shows(Zone.PROGRESSED), "2014, local tumour progression",
         "nodular enhancement after complete ablation in {progression} of {treated} treated lesions"),
    Rule("zone_growth", "local progression", _shows(Zone.GROWN), "our choice, not confirmed",
         "the ablation zone of a treated lesion has grown by 20 % and 5 mm since it was measured anew"),
    Rule("residual", "residual tumour", _shows(Zone.RESIDUAL), "2014, residual unablated tumour",
         "nodular enhancement in {residual} of {treated} treated lesions, and no scan has shown complete ablation"),
    Rule("missing", "NE", _shows(Zone.UNKNOWN), "our choice", "the enhancement of a treated lesion was not assessed"),
    Rule("late_rim", "equivocal", _shows(Zone.EQUIVOCAL), "our choice, not confirmed",
         "a thin rim still enhances after the first months"),
    Rule("complete", "complete ablation", otherwise, "2014, complete ablation",
         "no enhancement, or an early thin rim alone, in {complete} of {treated} treated lesions"),
)  # fmt: skip
ABLATION_QUESTIONS: Final = (Question("overall", ABLATION_RULES),)


ABLATION_FLAGS: Final = (
    Rule("small_margin", "", asks("small_margin"), "2014", "a margin below what is usual"),
    Rule("early_scan", "", asks("early"), "our choice", "a scan too early after treatment to measure the zone anew"),
    Rule("zone_without_treatment", "", asks("zone_without_treatment"), "our choice",
         "a zone that enhances is described of a lesion without a date of treatment before: it does not count"),
)  # fmt: skip


@dataclass(frozen=True)
class Ablation(Criterion):
    """The assessment of ablated lesions as a criterion of the engine."""

    name: str = "ablation"
    title: str = "Ablation zone"
    source: str = "Ahmed et al., Radiology 2014;273:241-260"
    options: type[AblationOptions] = AblationOptions
    questions: tuple[Question[Any], ...] = ABLATION_QUESTIONS
    flags: tuple[Rule[Any], ...] = ABLATION_FLAGS
    numbers: tuple[Number, ...] = (
        Number("ablation_treated", "count"),
        Number("ablation_complete", "count"),
        Number("ablation_residual", "count"),
        Number("ablation_progression", "count"),
    )
    needs: str = "zone_enhancement"
    best_order: tuple[str, ...] = ("complete ablation", "equivocal", "residual tumour", "local progression", "NE", "NA")

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> AblationState:  # noqa: ARG002
        """Return what the rules ask; RECIST 1.1 beside it knows the lesions."""
        recist = beside["recist-1.1"]
        assert isinstance(recist, RecistState)
        return AblationState(recist, options, self.questions)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the number of treated lesions of each kind."""
        return {
            "ablation_treated": state.count(*(zone for zone in Zone if zone != Zone.UNTREATED)),
            "ablation_complete": state.count(Zone.COMPLETE),
            "ablation_residual": state.count(Zone.RESIDUAL),
            "ablation_progression": state.count(Zone.PROGRESSED, Zone.GROWN),
        }


ABLATION: Final = Ablation()
__all__ = ["ABLATION", "Ablation", "AblationOptions", "AblationState", "Zone"]
