"""Volumetric response: the volumes of the target lesions in place of their diameters.

Source: the thresholds of RECIST carried over to spheres, as in Schiavon et al., PLoS ONE 2012;7:e48372,
doi:10.1371/journal.pone.0048372. A sphere whose diameter falls by 30 % keeps 0.7^3 = 34.3 % of its volume; one whose
diameter grows by 20 % has 1.2^3 = 172.8 %. Found in public: a table of the AJNR with 66 % for PR and 73 % for PD from
RECIST, 65 % and 40 % from Macdonald's products, against baseline and nadir. PR is rounded to
65 % or 66 % by different authors, so both, and 40 %, are options.

The sources say nothing about the 5 mm that RECIST 1.1 asks for as well, so they are not asked for here. A lesion with a
volume is measured, with a diameter or without; one with a diameter, but without a volume, is not evaluable. What RECIST
1.1 could not evaluate for another reason is not evaluable here either.
A node below 10 mm is normal, but its volume still counts. Non-targets, new lesions and the combination: RECIST 1.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.plugins import (
    ADJUDICATE_CR,
    NEW_LESION_RULES,
    NON_TARGET_RULES,
    OVERALL_RULES,
    Block,
    Burden,
    CombinationOptions,
    Criterion,
    Flags,
    Number,
    Question,
    Rule,
    State,
    SumState,
    SumTest,
    all_gone,
    baseline_incomplete,
    grown,
    grown_in_part,
    lesion_number,
    missing,
    no_targets,
    option,
    otherwise,
    recist_burden,
    shrunk,
    targets_measured,
)

NAME: Final = "volumetric"
SOURCE: Final = "Schiavon 2012"
PREFIX: Final = NAME.replace("-", "_").replace(".", "_")  # of the names of its numbers, which are columns
WHOLE: Final = 100  # percent
PR_PERCENT: Final = 65
PD_PERCENT: Final = 73


def volumetric_test(pr_percent: int, pd_percent: int) -> SumTest:
    """Return by which shares the sum must shrink or grow, for percentages that are whole numbers."""
    return SumTest(partial=(WHOLE - pr_percent, WHOLE), progressive=(WHOLE + pd_percent, WHOLE))


VOLUMETRIC_TEST: Final = volumetric_test(PR_PERCENT, PD_PERCENT)

NEAR_PERCENT: Final = 5  # within 5 % of the baseline or nadir from a threshold is worth a second look (our choice)


@dataclass(frozen=True, kw_only=True)
class VolumetricOptions(CombinationOptions):
    """What the sources leave open, with the default and why; what is not named here is as in RECIST 1.1."""

    volumetric_pr_percent: int = option(
        PR_PERCENT, "fall of the sum of volumes for PR: 0.7^3 rounded to 65 % (as from -50 % of a product) or to 66 %",
        choices=(65, 66),
    )  # fmt: skip
    volumetric_pd_percent: int = option(
        PD_PERCENT, "growth of the sum of volumes for PD: 73 % (+20 % of a diameter) or 40 % (+25 % of a product)",
        choices=(73, 40),
    )  # fmt: skip


def volume_burden(block: Block, options: VolumetricOptions) -> Burden:
    """Return the lesions as RECIST 1.1 reads them, but what a target adds is its volume (thousandths of a mm3)."""
    return targets_measured(recist_burden(block, options), lesion_number(block, "volume_mm3"))


class VolumetricState(SumState):
    """What the rules ask of all series of a block, `[series, timepoint]`; sums are thousandths of a mm3."""

    unit: str = "mm3"  # of the sum, in the thresholds that `explain` tells


def _near_threshold(state: VolumetricState) -> Flags:
    sums, baseline, nadir = state.burden.sum_um, state.burden.baseline_um, state.reference
    (partial, of), (progressive, _) = state.test.partial, state.test.progressive
    near_pr = abs(of * sums - partial * baseline) <= NEAR_PERCENT * baseline
    near_pd = abs(of * sums - progressive * nadir) <= NEAR_PERCENT * nadir
    return (near_pr | near_pd) & state.all_assessed & state.is_("target", "PR", "SD", "PD")


TARGET_RULES: Final = (
    Rule("no_targets", "NA", no_targets, SOURCE, "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, SOURCE, "a target lesion has no volume at baseline"),
    Rule("cr", "CR", all_gone, SOURCE, "all target lesions are gone"),
    Rule("pd", "PD", grown, SOURCE,
         "the sum of volumes has grown to {sum} mm3 from the nadir {nadir} mm3 ({growth_percent} %)"),
    Rule("pd_proven", "PD", grown_in_part, "RECIST 1.1, 4.4.2",
         "the measured part alone has grown to {sum} mm3 from the nadir {nadir} mm3 ({growth_percent} %)"),
    Rule("missing", "NE", missing, SOURCE, "{missing} of {targets} target lesions have no volume"),
    Rule("pr", "PR", shrunk, SOURCE,
         "the sum of volumes {sum} mm3 is {shrinkage_percent} % below the baseline {baseline} mm3"),
    Rule("sd", "SD", otherwise, SOURCE,
         "the sum of volumes {sum} mm3 changed by {change_percent} % from the baseline {baseline} mm3"),
)  # fmt: skip
FLAGS: Final = (
    ADJUDICATE_CR,
    Rule("near_threshold", "", _near_threshold, "", "within 5 % of the baseline or nadir from a threshold"),
)


@dataclass(frozen=True)
class Volumetric(Criterion):
    """Volumetric response as a criterion."""

    name: str = NAME
    title: str = "Volumetric"
    source: str = "Schiavon et al., PLoS ONE 2012;7:e48372"
    options: type[VolumetricOptions] = VolumetricOptions
    questions: tuple[Question[Any], ...] = (
        Question("target", TARGET_RULES),
        Question("non_target", NON_TARGET_RULES),
        Question("new_lesion", NEW_LESION_RULES),
        Question("overall", OVERALL_RULES),
    )
    flags: tuple[Rule[Any], ...] = FLAGS
    numbers: tuple[Number, ...] = (
        *(Number(f"{PREFIX}_{what}", "mm3") for what in ("sum", "baseline", "nadir")),
        Number(f"{PREFIX}_unmeasured", "count"),
    )
    needs: str = "volume_mm3"
    scope: str = "Volumetric response takes the thresholds of RECIST for spheres; it is no published guideline."
    measure: str = "volume"
    test: SumTest = VOLUMETRIC_TEST  # what a study's own criterion may change
    threshold_options: tuple[tuple[str, str], ...] = (
        ("volumetric_pr_percent", "pr_percent"),
        ("volumetric_pd_percent", "pd_percent"),
    )

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> VolumetricState:  # noqa: ARG002
        """Return what the rules ask; the options choose the thresholds, but for a study that defines its own."""
        chosen = volumetric_test(options.volumetric_pr_percent, options.volumetric_pd_percent)
        test = self.test if self.based_on else chosen
        return VolumetricState(volume_burden(block, options), options, self.questions, test)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint, as `numbers` names them; a study's own criterion has its own prefix."""
        burden = state.burden
        return {
            f"{self.prefix}_sum": burden.sum_um,
            f"{self.prefix}_baseline": np.broadcast_to(burden.baseline_um, state.shape),
            f"{self.prefix}_nadir": burden.nadir_um,
            f"{self.prefix}_unmeasured": state.unmeasured,
        }


VOLUMETRIC: Final = Volumetric()
