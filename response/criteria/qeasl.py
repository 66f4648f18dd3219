"""qEASL, quantitative EASL: the volume of the enhancing tissue in hepatocellular carcinoma.

Source: Lin et al., J Vasc Interv Radiol 2012;23:1629-1637, for the measure; Tacher et al., Radiology 2016;278:275-284,
for its comparison with other criteria. Confirmed in a public source: a fall of volumetric enhancement by 65 % tells
responders (Bonekamp et al., Radiology 2013;268:420-430, PMC3721055); and 65 % and 73 % of a volume are what 30 % and
20 % are of a diameter (AJNR, comparison of response criteria for different measurement approaches). Not found, and so
to be checked against the papers: that PD is growth by 73 %, which is flagged where it decides, and that it is judged
against the smallest volume. Enhancement that is back, non-targets, new lesions and the combination are as in `easl`.

An intrahepatic target adds `viable_volume_mm3` if that was measured at baseline; any other target adds its whole
`volume_mm3`. One too small to measure, of which no volume is known, counts as a sphere of 5 mm, which is our choice.

Scope: hepatocellular carcinoma after locoregional therapy, on arterial phase CT or MRI with segmentations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import Burden
from response.criteria.criterion import Criterion, Number, State
from response.criteria.easl import enhances_again
from response.criteria.hcc import intrahepatic
from response.criteria.recist import CombinationOptions
from response.criteria.rules import Flags, Question, Rule
from response.criteria.some_lesions import is_one_of, lesions_with, with_tracks
from response.criteria.sum_tests import SumTest
from response.criteria.sums import (
    ADJUDICATE_CR,
    TARGETS,
    Part,
    SumState,
    all_gone,
    baseline_incomplete,
    burden_beside,
    burden_with,
    combined,
    grown,
    grown_in_part,
    missing,
    no_targets,
    otherwise,
    shrunk,
)
from response.criteria.viable import (
    enhancing_targets,
    measure_of,
    measured_by_enhancement,
    number_of_rows,
    with_bare_non_targets,
)
from response.measurements import Measurements
from response.vocabulary import State as LesionState

NAME: Final = "qeasl"
QEASL_TEST: Final = SumTest(partial=(7, 20), progressive=(173, 100))  # -65 % and +73 %, both inclusive
TOO_SMALL_VOLUME: Final = 65_450  # thousandths of a mm3: a sphere of 5 mm


@dataclass(frozen=True, kw_only=True)
class QeaslOptions(CombinationOptions):
    """Every point that qEASL leaves open: those of the combination by RECIST 1.1."""


def viable_volume(measured: Measurements, rows: NDArray[Any]) -> NDArray[np.int32]:
    """Return the volume of the enhancing tissue, thousandths of a mm3."""
    return number_of_rows(measured, "viable_volume_mm3", rows)


def whole_volume(measured: Measurements, rows: NDArray[Any]) -> NDArray[np.int32]:
    """Return the volume of the lesion, thousandths of a mm3."""
    return number_of_rows(measured, "volume_mm3", rows)


def qeasl_burden(block: Block, options: QeaslOptions, beside: Mapping[str, State]) -> Burden:
    """Return the lesions of a block as qEASL measures them, in thousandths of a mm3."""
    recist, liver = burden_beside(block, options, beside), intrahepatic(block)
    targets = is_one_of(recist.classes, TARGETS)
    chosen = measured_by_enhancement(block, liver, viable_volume) & (recist.classes == TARGETS[0])
    enhancing = enhancing_targets(recist, np.flatnonzero(chosen), viable_volume, TOO_SMALL_VOLUME)
    whole = _whole(recist, np.flatnonzero(targets & ~chosen))
    return burden_with(recist, enhancing, whole, state=with_bare_non_targets(recist, liver, viable_volume))


def _whole(burden: Burden, tracks: NDArray[np.intp]) -> Part:
    """Return targets by their whole volume; a node that is normal now still has one."""
    part = enhancing_targets(burden, tracks, whole_volume, TOO_SMALL_VOLUME)
    normal = is_one_of(part.state, (LesionState.NORMAL_NODE,))
    nodes = lesions_with(normal)
    volume = measure_of(burden.block, tracks[nodes], whole_volume)
    known = np.where(normal[nodes] & (volume != NO_NUMBER), volume, part.value[nodes])
    return replace(part, value=with_tracks(part.value, nodes, known))


class QeaslState(SumState):
    """What the rules ask of all series of a block; volumes are thousandths of a mm3."""

    unit: str = "mm3"


TARGET_RULES: Final = (
    Rule("no_targets", "NA", no_targets, "EASL 2001", "no target lesion was chosen at baseline"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "EASL 2001",
         "the volume of a target lesion was not measured at baseline"),
    Rule("cr", "CR", all_gone, "EASL 2001, CR",
         "no target lesion shows enhancement (those measured as a whole are gone)"),
    Rule("pd_new_enhancement", "PD", enhances_again, "EASL 2001, PD",
         "a target lesion without enhancing tissue enhances again"),
    Rule("pd", "PD", grown, "PD (not confirmed)",
         "the viable volume {sum} mm3 is {growth_percent} % over the nadir {nadir} mm3"),
    Rule("pd_proven", "PD", grown_in_part, "RECIST 1.1, 4.4.2",
         "the measured part alone, {sum} mm3, is {growth_percent} % over the nadir {nadir} mm3"),
    Rule("missing", "NE", missing, "RECIST 1.1, 4.4.2",
         "the volume of {missing} of {targets} target lesions could not be measured"),
    Rule("pr", "PR", shrunk, "PMC3721055",
         "the viable volume {sum} mm3 is {shrinkage_percent} % below the baseline {baseline} mm3"),
    Rule("sd", "SD", otherwise, "EASL 2001, SD",
         "the viable volume {sum} mm3 changed by {change_percent} % from the baseline, neither PR nor PD"),
)  # fmt: skip
QEASL_QUESTIONS: Final = combined(TARGET_RULES)


def _grown(state: QeaslState) -> Flags:
    return state.is_("target", "PD") & state.proven


QEASL_FLAGS: Final = (
    ADJUDICATE_CR,
    Rule("growth_by_73_percent", "", _grown, "PD (not confirmed)",
         "that a volume progresses by 73 % was not confirmed against the paper"),
)  # fmt: skip


@dataclass(frozen=True)
class Qeasl(Criterion):
    """qEASL as a criterion of the engine."""

    name: str = NAME
    title: str = "qEASL"
    source: str = "Lin et al., J Vasc Interv Radiol 2012;23:1629-1637"
    options: type[QeaslOptions] = QeaslOptions
    questions: tuple[Question[Any], ...] = QEASL_QUESTIONS
    flags: tuple[Rule[Any], ...] = QEASL_FLAGS
    numbers: tuple[Number, ...] = (
        *(Number(f"{NAME}_{part}", "mm3") for part in ("sum", "baseline", "nadir")),
        Number(f"{NAME}_unmeasured", "count"),
    )
    needs: str = "viable_volume_mm3"
    offered: bool = False
    test: SumTest = QEASL_TEST
    measure: str = "viable volume"

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> QeaslState:
        """Return what the rules ask; lesions are read again, by their volumes."""
        return QeaslState(qeasl_burden(block, options, beside), options, self.questions, self.test, beside)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: the viable volume in thousandths of a mm3."""
        burden = state.burden
        baseline = np.asarray(np.broadcast_to(burden.baseline_um, state.shape))
        sums = {"sum": burden.sum_um, "baseline": baseline, "nadir": burden.nadir_um}
        numbers = {**sums, "unmeasured": state.unmeasured}
        return {f"{self.prefix}_{part}": values for part, values in numbers.items()}


QEASL: Final = Qeasl()
__all__ = ["QEASL", "Qeasl", "QeaslOptions", "QeaslState"]
