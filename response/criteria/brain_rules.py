"""What criteria of tumours of the brain share: options, corticosteroids and clinical status as rules and flags.

Sources as in `rano` and `rano_bm`. Their states have a `status` (`neuro_status.NeuroStatus`).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from response.criteria.recist import NON_TARGET_RULES, CombinationOptions
from response.criteria.rules import Flags, Rule, chosen
from response.protocol import option


@dataclass(frozen=True, kw_only=True)
class BrainOptions(CombinationOptions):
    """What criteria of tumours of the brain leave open, with the default and why."""

    use_markers: str = option("off", "tumour markers are no part of it", choices=("off",))
    confirmation: bool = option(
        True, "whether the confirmed best response is the headline (CR and PR last four weeks); both are computed",
        choices=(True, False),
    )  # fmt: skip


BRAIN_NON_TARGET_RULES: Final = tuple(rule for rule in NON_TARGET_RULES if rule.name != "marker_above")


# --- Conditions of the overall response


def deteriorated(state: Any) -> Flags:
    """Clinical deterioration."""
    return np.asarray(state.status.deteriorated)


relapse_is_pd: Final = chosen("post_cr_disease", "pd")


def responds(state: Any) -> Flags:
    """The targets respond."""
    return np.asarray(state.is_("target", "CR", "PR"))


def partial(state: Any) -> Flags:
    """The targets respond in part, on no more corticosteroids than at baseline."""
    return np.asarray(state.is_("target", "PR") & ~state.status.more)


def responds_on_no_more(state: Any) -> Flags:
    """The targets respond, on no more corticosteroids than at baseline."""
    return np.asarray(responds(state) & ~state.status.more)


# --- Flags


def _steroids_unrecorded(state: Any) -> Flags:
    return np.asarray(state.is_("target", "CR", "PR") & ~state.status.recorded)


def _status_unrecorded(state: Any) -> Flags:
    return np.asarray(state.is_("overall", "CR", "PR") & ~state.status.clinical_recorded)


def _on_more(state: Any) -> Flags:
    return np.asarray(state.is_("overall", "SD") & state.status.more)


STATUS_FLAGS: Final = (
    Rule("steroids_not_recorded", "", _steroids_unrecorded, "CR, PR", "a response without a record of corticosteroids"),
    Rule("clinical_status_not_recorded", "", _status_unrecorded, "CR, PR",
         "a response without a record of the clinical status"),
    Rule("stable_on_more_steroids", "", _on_more, "SD",
         "stable on more corticosteroids than at baseline: stable only once the dose is back"),
)  # fmt: skip
