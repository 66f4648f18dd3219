"""The options of RECIST 1.1: every point that the paper leaves open, with the default and why.

Section and table numbers are of Eisenhauer et al., Eur J Cancer 2009;45:228-247.
"""

from dataclasses import dataclass

from response.protocol import BestResponseOptions, option


@dataclass(frozen=True, kw_only=True)
class CombinationOptions(BestResponseOptions):
    """What RECIST 1.1 leaves open about non-targets, new lesions and their combination with the targets (table 1).

    Criteria that measure the targets in another way, and combine them as RECIST 1.1 does, have these options too.
    """

    node_regrowth_after_cr: str = option(
        "pd_flagged",
        "a node of 10 mm or more as the only finding after CR: PD with a flag, or only by the sum",
        choices=("pd_flagged", "require_sum_rule"),
    )
    new_node_rule: str = option(
        "equivocal_10_15",
        "a new node: 10 to below 15 mm is equivocal (EORTC FAQ), 10 mm is enough, or 10 mm and 5 mm growth",
        choices=("equivocal_10_15", "literal_10", "pcwg3_like"),
    )
    backdate_pd: str = option(
        "date_only",
        "an equivocal finding that proves true: date the PD back, or relabel the timepoints too",
        choices=("date_only", "relabel_timepoints"),
    )
    nt_partial_ne: str = option(
        "literal",
        "some non-targets not evaluated: NE (table 2), or Non-CR/Non-PD if any is present",
        choices=("literal", "noncr_if_any_present"),
    )
    new_ne_blocks_cr: bool = option(
        True, "whether a search for new lesions that was not possible forbids CR", choices=(True, False)
    )
    use_markers: str = option(
        "if_supplied", "tumour markers in the non-target response", choices=("if_supplied", "on", "off")
    )
    use_pet: bool = option(False, "FDG-PET for new lesions (section 4.3.5)", choices=(True, False))


@dataclass(frozen=True, kw_only=True)
class RecistOptions(CombinationOptions):
    """Every point that RECIST 1.1 leaves open, with the default and why."""

    missing_target_policy: str = option(
        "pd_if_proven",
        "a missing target: PD where the measured part proves it (section 4.4.2), never, or within bounds",
        choices=("pd_if_proven", "always_ne", "bounded"),
    )
    tstm_may_prove_pd: bool = option(
        True, "whether the default of 5 mm for a lesion too small to measure may make a PD", choices=(True, False)
    )
    sticky_pr: str = option(
        "recompute",
        "a sum that no longer reaches PR: compute it anew, or continue the PR (EORTC FAQ)",
        choices=("recompute", "eortc_continue"),
    )
    target_reappearance: str = option(
        "sum_rule",
        "a target that comes back without overall CR before: the sum decides, or PD",
        choices=("sum_rule", "pd"),
    )
    node_slice_rule: str = option(
        "warn", "nodes on slices above 5 mm: warn, or ask for twice the slice", choices=("warn", "max_15_2x_slice")
    )
    node_split: str = option(
        "sum_short_axes",
        "a node that split: sum of its fragments, or the largest",
        choices=("sum_short_axes", "largest"),
    )
    cavity: str = option("include", "a cavity counts in the diameter (recorded only)", choices=("include", "exclude"))
