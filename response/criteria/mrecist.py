"""mRECIST for hepatocellular carcinoma: the longest diameter of the enhancing tissue of intrahepatic targets.

Source: Lencioni & Llovet, Semin Liver Dis 2010;30:52-60, doi:10.1055/s-0030-1247132 ("2010"); Llovet & Lencioni,
J Hepatol 2020;72:288-306 ("2020"). An intrahepatic target adds `viable_mm`, the longest diameter of its arterially
enhancing tissue, if that was measured at baseline; every other target (extrahepatic, infiltrative, atypical) adds what
it adds in RECIST 1.1. Non-targets, new lesions and the combination are as in RECIST 1.1, but for nodes of the porta
hepatis, new intrahepatic nodules and fluid (`hcc`). What was confirmed in public sources, and what was not, stands
there too; the thresholds of -30 % and +20 % stand in PMC6287184, table 4, which prints "more than 20 %".

Scope: hepatocellular carcinoma after locoregional or systemic therapy, on arterial phase CT or MRI. Lipiodol hides
enhancement on CT, so MRI is better then; perfusion changes beside a treated lesion are no tumour.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block, of_tracks
from response.cells import NO_NUMBER, NO_ROW
from response.criteria.criterion import Criterion, Number, State
from response.criteria.hcc import PORTAL_NODE_UM, hcc_states, intrahepatic, portal_nodes
from response.criteria.recist import PD_INCREASE_UM, CombinationOptions
from response.criteria.rules import Flags, Question, Rule, asks
from response.criteria.some_lesions import SomeLesions, is_one_of
from response.criteria.sum_tests import SumTest
from response.criteria.sums import (
    ADJUDICATE_CR,
    NEW,
    TARGETS,
    SumState,
    all_gone,
    baseline_incomplete,
    burden_beside,
    burden_with,
    combined,
    counting_lengths,
    grown,
    grown_in_part,
    length_numbers,
    length_values,
    missing,
    no_targets,
    otherwise,
    shrunk,
)
from response.criteria.viable import enhancing_targets, measured_by_enhancement, viable_mm
from response.protocol import option
from response.vocabulary import State as LesionState
from response.vocabulary import VascularPattern

NAME: Final = "mrecist"
MRECIST_TEST: Final = SumTest(  # at most 70 % of the baseline; at least 120 % of the smallest sum (2010, table 2)
    partial=(7, 10), progressive=(6, 5), least=PD_INCREASE_UM
)


@dataclass(frozen=True, kw_only=True)
class MrecistOptions(CombinationOptions):
    """Every point that mRECIST leaves open, with the default and why."""

    mrecist_abs5: bool = option(
        True,
        "whether PD needs 5 mm of growth as well, as RECIST 1.1 does (2020); without it PD is 20 % alone (2010)",
        choices=(True, False),
    )
    mrecist_unknown_pattern: str = option(
        "equivocal",
        "a new liver nodule of which no vascular pattern is recorded: equivocal, or taken for typical of HCC",
        choices=("equivocal", "typical"),
    )


class MrecistState(SumState):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`.

    `liver` says which lesions are of the liver itself, `enhancing` of which of them the enhancing tissue is measured;
    both `[track]`.
    """

    def __init__(self, block: Block, options: MrecistOptions, beside: Mapping[str, State], asked: "Mrecist") -> None:
        """Measure the lesions of a block as mRECIST does."""
        recist = burden_beside(block, options, beside)
        self.liver = intrahepatic(block)
        self.enhancing = measured_by_enhancement(block, self.liver, viable_mm)
        tracks = np.flatnonzero(self.enhancing & (recist.classes == TARGETS[0]))
        targets = enhancing_targets(recist, tracks, viable_mm, of_tracks(recist.value_um, tracks))
        typical = options.mrecist_unknown_pattern == "typical"
        burden = burden_with(recist, targets, state=hcc_states(recist, self.liver, unknown_is_typical=typical))
        test = asked.test if options.mrecist_abs5 else replace(asked.test, least=0)
        super().__init__(burden, options, asked.questions, test, beside)

    @cached_property
    def small_portal_node(self) -> Flags:
        """A target node of the porta hepatis was below 20 mm at baseline."""
        tracks = portal_nodes(self.burden, TARGETS[1])
        place = np.maximum(self.block.baseline[self.block.series_of_track[tracks], 0], 0)
        small = self.burden.value_um[tracks, place] < PORTAL_NODE_UM
        return self.spread(self.block.series_with(tracks[small]))

    @cached_property
    def _new_nodules(self) -> NDArray[np.intp]:
        return np.flatnonzero(is_one_of(self.burden.classes, NEW[:1]) & self.liver)

    @cached_property
    def without_pattern(self) -> Flags:
        """A new liver nodule has a row without a vascular pattern."""
        tracks = self._new_nodules
        code = self.block.timeline.measurements.code("vascular_pattern")
        blank = self.block.lesion(code, VascularPattern.BLANK, tracks) == VascularPattern.BLANK
        return SomeLesions(self.block, tracks, blank & (self.block.row[tracks] != NO_ROW)).by_series()

    @cached_property
    def nodule_counts(self) -> Flags:
        """A new liver nodule that was measured is HCC: by 10 mm and its pattern, or by its growth."""
        tracks = self._new_nodules
        sized = counting_lengths(self.block, tracks) != NO_NUMBER
        present = is_one_of(of_tracks(self.burden.state, tracks), (LesionState.PRESENT,))
        return SomeLesions(self.block, tracks, present & sized).by_series()

    @cached_property
    def by_whole_diameter(self) -> Flags:
        """A liver target is followed by its whole diameter: its enhancing tissue was not measured at baseline."""
        whole = self.liver & ~self.enhancing & (self.burden.classes == TARGETS[0])
        return self.spread(self.block.series_with(whole))


TARGET_RULES: Final = (
    Rule("no_targets", "NA", no_targets, "2010, table 1", "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "2010, table 1",
         "a target lesion was not measured at baseline"),
    Rule("cr", "CR", all_gone, "2010, table 2",
         "no target lesion shows arterial enhancement (those measured as a whole are gone)"),
    Rule("pd", "PD", grown, "2010, table 2; 2020 for 5 mm",
         "the viable sum {sum} mm is {growth} mm ({growth_percent} %) over the nadir {nadir} mm"),
    Rule("pd_proven", "PD", grown_in_part, "RECIST 1.1, 4.4.2",
         "the measured part alone, {sum} mm, is {growth} mm ({growth_percent} %) over the nadir {nadir} mm"),
    Rule("missing", "NE", missing, "RECIST 1.1, 4.4.2",
         "the viable diameter of {missing} of {targets} target lesions could not be measured"),
    Rule("pr", "PR", shrunk, "2010, table 2",
         "the viable sum {sum} mm is {shrinkage_percent} % below the baseline {baseline} mm"),
    Rule("sd", "SD", otherwise, "2010, table 2",
         "the viable sum {sum} mm is neither 30 % below the baseline {baseline} mm nor PD over the nadir {nadir} mm"),
)  # fmt: skip
MRECIST_QUESTIONS: Final = combined(TARGET_RULES)  # 2010, table 3 is table 1 of RECIST 1.1


def _nodule_counts(state: MrecistState) -> Flags:
    return state.nodule_counts & state.is_("overall", "PD")


MRECIST_FLAGS: Final = (
    ADJUDICATE_CR,
    Rule("equivocal_new_lesion", "", asks("new_equivocal"), "2010, new lesions",
         "an equivocal new finding: HCC needs 10 mm with the typical pattern, or growth by 10 mm (sizes not confirmed "
         "against the paper); fluid needs cytology"),
    Rule("new_nodule_is_hcc", "", _nodule_counts, "2010, new lesions",
         "a new liver nodule is HCC by 10 mm with the typical pattern, or by growth of 10 mm (sizes not confirmed "
         "against the paper)"),
    Rule("pattern_not_recorded", "", asks("without_pattern"), "2010, new lesions",
         "a new liver nodule without a vascular pattern on record"),
    Rule("small_portal_node", "", asks("small_portal_node"), "2010, nodes",
         "a target node of the porta hepatis below 20 mm at baseline, which is not malignant by size"),
    Rule("followed_by_whole_diameter", "", asks("by_whole_diameter"), "2010, target lesions",
         "a liver target without a viable diameter at baseline counts its whole diameter"),
)  # fmt: skip


@dataclass(frozen=True)
class Mrecist(Criterion):
    """mRECIST as a criterion of the engine."""

    name: str = NAME
    title: str = "mRECIST (HCC)"
    source: str = "Lencioni & Llovet, Semin Liver Dis 2010;30:52-60; Llovet & Lencioni, J Hepatol 2020;72:288-306"
    options: type[MrecistOptions] = MrecistOptions
    questions: tuple[Question[Any], ...] = MRECIST_QUESTIONS
    flags: tuple[Rule[Any], ...] = MRECIST_FLAGS
    numbers: tuple[Number, ...] = length_numbers(NAME)
    needs: str = "viable_mm"
    scope: str = (
        "mRECIST is for hepatocellular carcinoma; the sizes that make a new liver nodule HCC were not confirmed "
        "against the paper."
    )
    test: SumTest = MRECIST_TEST
    threshold_options: tuple[tuple[str, str], ...] = (("mrecist_abs5", "pd_least_mm = 0"),)
    measure: str = "viable diameter"

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> MrecistState:
        """Return what the rules ask; lesions are read again, by its own options."""
        return MrecistState(block, options, beside, self)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: the viable sum in thousandths of a mm."""
        return length_values(self.prefix, state)


MRECIST: Final = Mrecist()
__all__ = ["MRECIST", "Mrecist", "MrecistOptions", "MrecistState"]
