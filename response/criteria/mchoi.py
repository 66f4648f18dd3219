"""Modified Choi criteria: partial response needs both size and attenuation to fall.

Source: Nathan et al., Cancer Biol Ther 2010;9:15-19; the other categories are those of Choi et al., J Clin Oncol
2007;25:1753-1759, table 2. Confirmed in public sources: "both" in place of "or" (radiopaedia.org, Choi response
criteria). Not found in one, and so to be checked against the paper: that the original measured in the arterial phase.
The name is also used for the Choi criteria themselves when applied to renal cell carcinoma (Smith et al., AJR 2010);
these are not meant here.

Scope: renal cell carcinoma under tyrosine kinase inhibitors.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from response.criteria.attenuation import phase_codes
from response.criteria.choi import CHOI_FLAGS, CHOI_RULES, Choi, ChoiState
from response.criteria.choi_options import ChoiOptions
from response.criteria.rules import Flags, Question, Rule
from response.protocol import option
from response.vocabulary import folded

_EITHER: Final = ("pr_size", "pr_attenuation")  # PR by one of the two alone, which the modified criteria do not know


@dataclass(frozen=True, kw_only=True)
class MchoiOptions(ChoiOptions):
    """Every point that the modified Choi criteria leave open: those of Choi, but PR needs both."""

    choi_pr_logic: str = option("and", "PR by size and attenuation: what the criteria modify", choices=("and",))


def _not_arterial(state: ChoiState) -> Flags:
    phase = state.block.timeline.measurements.text_column("phase")
    names = [folded(text).split() for text in phase.values]
    other = np.asarray([bool(name) and "arterial" not in name for name in names], np.bool_)
    if not other.any():
        return np.zeros(state.shape, np.bool_)
    return state.block.some(other.take(phase_codes(state.block)) & state.attenuation.matched)


MCHOI_RULES: Final = tuple(rule for rule in CHOI_RULES if rule.name not in _EITHER)
MCHOI_FLAGS: Final = (
    *CHOI_FLAGS,
    Rule("not_arterial", "", _not_arterial, "methods",
         "attenuation of another phase than the arterial one of the original (not confirmed against the paper)"),
)  # fmt: skip


@dataclass(frozen=True)
class Mchoi(Choi):
    """The modified Choi criteria as a criterion of the engine."""

    name: str = "mchoi"
    title: str = "Modified Choi"
    source: str = "Nathan et al., Cancer Biol Ther 2010;9:15-19"
    options: type[MchoiOptions] = MchoiOptions
    questions: tuple[Question[Any], ...] = (Question("overall", MCHOI_RULES),)
    flags: tuple[Rule[Any], ...] = MCHOI_FLAGS
    offered: bool = False
    scope: str = "The modified Choi criteria were made for renal cell carcinoma under tyrosine kinase inhibitors."


MCHOI: Final = Mchoi()
__all__ = ["MCHOI", "Mchoi", "MchoiOptions"]
