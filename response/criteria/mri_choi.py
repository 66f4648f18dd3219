"""Choi criteria on MR: size and contrast enhancement together, for soft tissue sarcoma.

Source: Stacchiotti et al., Radiology 2009;251:447-456 (RECIST and Choi in high-grade sarcoma, contrast enhancement on
MR in place of HU). Categories and thresholds (10 % of size, 15 % of enhancement) are those of Choi et al., J Clin Oncol
2007;25:1753-1759, table 2.

Confirmed in public abstracts: Choi criteria seem to tell responders of soft tissue sarcoma after neoadjuvant treatment
better than RECIST (Gennaro et al., Crit Rev Oncol Hematol 2021;160:103309, a review); but in JCOG0304 no criterion,
modified Choi among them, was associated with pathological response or survival (Tanaka et al., World J Surg Oncol
2018;16:162). Not found in a public source, and so to be checked against the paper: how the enhancement was measured,
and that it is what has to fall by 15 %.

Our choice, where the source was not found: enhancement is `relative_enhancement_percent` of the whole lesion, the rise
of signal by contrast medium in percent of the signal without. Signal of MR has no scale; this ratio still depends on
scanner, sequence, dose and time after injection, so another one than at baseline is flagged. A lesion seen by another
modality than MR has no such number: it leaves the comparison, and is flagged.

Scope: soft tissue sarcoma.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from response.criteria.attenuation import RELATIVE_ENHANCEMENT, Comparison
from response.criteria.choi import CHOI_FLAGS, CHOI_RULES, CHOI_SIZES, Choi, ChoiState
from response.criteria.choi_options import AGGREGATIONS, ChoiFamilyOptions
from response.criteria.criterion import Number
from response.criteria.rules import Flags, Question, Rule
from response.protocol import option


@dataclass(frozen=True, kw_only=True)
class MriChoiOptions(ChoiFamilyOptions):
    """Every point that Choi criteria on MR leave open, with the default and why."""

    choi_pr_logic: str = option("or", "PR by size or relative enhancement, or by both only", choices=("or", "and"))
    mri_choi_aggregation: str = option(
        "mean_of_lesion_means",
        "relative enhancement over several lesions: mean of the lesions, weighted, or each lesion and the worst",
        choices=AGGREGATIONS,
    )
    mri_choi_technique_mismatch: str = option(
        "warn",
        "another sequence, scanner or contrast phase than at baseline: a warning (no source found), or not evaluable",
        choices=("warn", "ne"),
    )
    mri_choi_min_base_percent: int = option(
        10, "relative enhancement at baseline below which a change has no meaning, % (our choice)", minimum=1
    )

    @property
    def comparison(self) -> Comparison:
        """Relative enhancement, on MR."""
        return Comparison(
            quantity=RELATIVE_ENHANCEMENT,
            aggregation=self.mri_choi_aggregation,
            same_technique=self.mri_choi_technique_mismatch == "ne",
            least_baseline=self.mri_choi_min_base_percent,
        )


# Rule or flag of Choi that speaks of attenuation -> its name here, and its sentence.
_OF_ENHANCEMENT: Final = {
    "growth_untested": (
        "growth_untested",
        "the sum {sum} mm is {growth_percent} % over {reference} mm, but the relative enhancement could not be "
        "compared",
    ),
    "pd": (
        "pd",
        "the sum {sum} mm is {growth_percent} % over {reference} mm and the relative enhancement fell by less than "
        "15 %",
    ),
    "pr_both": (
        "pr_both",
        "the sum is {shrinkage_percent} % below the baseline and the relative enhancement "
        "{relative_enhancement_shrinkage_percent} %",
    ),
    "pr_attenuation": (
        "pr_enhancement",
        "the relative enhancement {relative_enhancement} % is {relative_enhancement_shrinkage_percent} % below the "
        "baseline {baseline_relative_enhancement} % (15 % are enough)",
    ),
    "attenuation_missing": ("enhancement_missing", "the relative enhancement could not be compared"),
    "no_targets": ("no_targets", "no lesion whose size and relative enhancement could be followed"),
    "sd": (
        "sd",
        "the sum changed by {change_percent} % and the relative enhancement by "
        "{relative_enhancement_change_percent} %: neither PR nor PD",
    ),
    "phase_mismatch": (
        "technique_mismatch",
        "another sequence, scanner or contrast phase than at baseline, on which the signal depends",
    ),
    "attenuation_incomplete": (
        "enhancement_incomplete",
        "relative enhancement was compared in some of the lesions only",
    ),
    "baseline_attenuation_low": (
        "baseline_enhancement_low",
        "the baseline relative enhancement is too low to compare with",
    ),
    "response_despite_growth": (
        "response_despite_growth",
        "growth of 10 % or more, but relative enhancement fell",
    ),
}


def _of_enhancement(rules: tuple[Rule[Any], ...]) -> tuple[Rule[Any], ...]:
    """Return rules of Choi as they speak of relative enhancement; conditions and order stay."""
    said = [(rule, *_OF_ENHANCEMENT.get(rule.name, (rule.name, rule.sentence))) for rule in rules]
    return tuple(
        replace(rule, name=name, sentence=sentence, clause=rule.clause and f"Choi 2007, {rule.clause}")
        for rule, name, sentence in said
    )


def _not_mr(state: ChoiState) -> Flags:
    return state.attenuation.other_modality


MRI_CHOI_RULES: Final = _of_enhancement(CHOI_RULES)
MRI_CHOI_FLAGS: Final = (
    *_of_enhancement(CHOI_FLAGS),
    Rule("not_mr", "", _not_mr, "", "a lesion that was not seen on MR, now or at baseline, was left out"),
)


@dataclass(frozen=True)
class MriChoi(Choi):
    """The Choi criteria on MR as a criterion of the engine."""

    name: str = "mri-choi"
    title: str = "MRI-Choi"
    source: str = "Stacchiotti et al., Radiology 2009;251:447-456"
    options: type[ChoiFamilyOptions] = MriChoiOptions
    questions: tuple[Question[Any], ...] = (Question("overall", MRI_CHOI_RULES),)
    flags: tuple[Rule[Any], ...] = MRI_CHOI_FLAGS
    numbers: tuple[Number, ...] = (*CHOI_SIZES, *RELATIVE_ENHANCEMENT.numbers)
    needs: str = RELATIVE_ENHANCEMENT.now
    scope: str = (
        "MRI-Choi was tried in soft tissue sarcoma, and is not validated; that its authors measured relative "
        "enhancement was not confirmed."
    )


MRI_CHOI: Final = MriChoi()
__all__ = ["MRI_CHOI", "MriChoi", "MriChoiOptions"]
