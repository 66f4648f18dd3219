"""iRECIST: RECIST 1.1 for trials of immunotherapy, where progression has to be confirmed.

Source: Seymour et al., Lancet Oncol 2017;18:e143-e152, doi:10.1016/S1470-2045(17)30074-8; "table 2" and "table 3" are
of that paper, "FAQ" is the EORTC list of questions on iRECIST (recist.eortc.org).

Until the first progression iRECIST is RECIST 1.1, with an "i" before each response. The first progression is iUPD,
unconfirmed, and a scan 4 to 8 weeks later decides: further growth, or progression of something that had not progressed
before, makes it iCPD, for good; if instead the disease becomes smaller or stable the bar is reset, and a new iUPD must
come and be confirmed; else it stays iUPD. The options of [recist-1.1] that decide a timepoint hold here too; those of
the best response, such as `confirmation`, are of [irecist].

Read `steps` first, with table 2 at hand; then what the conditions there mean:

* `steps`: the ordered table, and `flags`: what a person should look at.
* `state`: an iUPD that waits: what made it, whether it has settled, how long ago it was; what the walk learns.
* `originals`: the targets and non-targets of the baseline, by RECIST 1.1 (its tables 1 and 2).
* `new_lesions`: which new lesions are targets; `seen`: what they and the non-targets show at a timepoint.
* `memory`: the limits, and what is remembered; `scene`, `view`: where the rest comes from, and how the walk goes
  (`response.criteria.steps`).

Checked against public copies of table 2 (rows 1 to 8 and the beginning of row 9), of table 3 with its legend, and
against the answers of the FAQ; that an iCPD dates the progression to the first iUPD of its block, with NE or iUPD
between, against the iRECIST article of the R package admiralonco. Not found in them, and so to be checked against the
paper before any regulated claim, each with a flag where it decides:

* that no more than five new lesions, two of an organ, are targets (`new_lesion_limit`);
* that what had not progressed before confirms by the rule of RECIST 1.1: the FAQ on non-targets says that new
  progression in other categories can confirm too, and not by which rule (`confirmed_by_other`);
* that there is no iCR while a new lesion is there, but iPR (`icr_with_new_lesion`);
* that an iUPD which nothing follows dates the progression (`progression_unconfirmed` of the subject).

Our choice is where "no change" ends in the same category: at 5 mm less (`reset_by_sum`); and that the increase of a new
lesion non-target without a trend is that of its recorded length (`increase_by_length`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.criteria.burden import NO_SUM
from response.criteria.criterion import Number, State
from response.criteria.irecist.flags import IRECIST_FLAGS
from response.criteria.irecist.memory import CONFIRMED, PENDING, UNKNOWN_DAYS
from response.criteria.irecist.state import IrecistState
from response.criteria.irecist.steps import IRECIST_QUESTIONS, IRECIST_STEPS
from response.criteria.recist import RECIST_1_1, RecistState
from response.criteria.rules import Flags, Question, Rule
from response.criteria.steps import WalkingCriterion
from response.protocol import BestResponseOptions, option
from response.vocabulary import IRECIST_WORDS, Response


@dataclass(frozen=True, kw_only=True)
class IrecistOptions(BestResponseOptions):
    """Every point that iRECIST leaves open beside those of RECIST 1.1, with the default and why."""

    ir_min_confirm_days: int = option(
        28, "days after an iUPD from which a scan can confirm or refute it (4 weeks, table 2)", minimum=0
    )
    ir_tol: int = option(2, "days by which such a scan may come earlier (FAQ on early imaging)", minimum=0)
    ir_early_policy: str = option(
        "ignore",
        "an earlier scan: it is ignored, but for a new lesion with a new symptom (FAQ), or used like any other",
        choices=("ignore", "use"),
    )
    ir_late_policy: str = option(
        "warn", "a scan more than 8 weeks after the last iUPD is used: with a flag, or without", choices=("warn", "use")
    )
    ir_cr_with_nl: str = option(
        "iPR",
        "original lesions gone while a new lesion is there: iPR, or the iUPD stays (iCR needs the new lesions gone)",
        choices=("iPR", "iUPD"),
    )
    ir_new_non_target_growth: str = option(
        "trend_else_length",
        "any increase of a new lesion non-target: the trend says so or, where none is recorded, a longer length; "
        "or the trend alone",
        choices=("trend_else_length", "trend"),
    )
    post_cr_disease: str = option(
        "as_is_warn",
        "disease after iCR is iUPD at its timepoint (as [recist-1.1] decides); the best response leaves it so",
        choices=("as_is_warn",),
    )


@dataclass(frozen=True)
class Irecist(WalkingCriterion):
    """iRECIST as a criterion of the engine."""

    name: str = "irecist"
    title: str = "iRECIST"
    source: str = "Seymour et al., Lancet Oncol 2017;18:e143-e152"
    options: type[IrecistOptions] = IrecistOptions
    questions: tuple[Question[Any], ...] = IRECIST_QUESTIONS
    flags: tuple[Rule[Any], ...] = IRECIST_FLAGS
    numbers: tuple[Number, ...] = (
        Number("sum_mm", "mm"),
        Number("baseline_mm", "mm"),
        Number("nadir_mm", "mm"),
        Number("iupd_reference_mm", "mm"),
        Number("new_sum_mm", "mm"),
        Number("new_reference_mm", "mm"),
        Number("iupd_days", "count"),
    )
    words: Mapping[Response, str] | None = None
    offered: bool = False
    first_dates: tuple[tuple[str, Response], ...] = (
        ("iupd_date", Response.UNCONFIRMED_PD),
        ("icpd_date", Response.PD),
    )
    scope: str = (
        "iRECIST is a consensus on how to handle data in trials of immunotherapy, not on the treatment of a patient."
    )
    walked: tuple[str, ...] = ("target", "overall")
    final: tuple[int, ...] = (CONFIRMED,)

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> IrecistState:  # noqa: ARG002
        """Return what the steps ask; RECIST 1.1 beside it answers what does not depend on the walk."""
        recist = beside["recist-1.1"]
        assert isinstance(recist, RecistState)
        return IrecistState.of(recist, options, self.questions)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint in thousandths."""
        pending = state.in_phase(PENDING)
        return {
            **RECIST_1_1.values(state.recist),
            **({"nadir_mm": state.nadir_um} if state.scene.has_early_scans else {}),
            "iupd_reference_mm": np.where(pending, state.block_um, NO_SUM),
            **_of_new_lesions(state, pending),
            "iupd_days": np.where(state.days == UNKNOWN_DAYS, np.int64(NO_SUM), state.days),
        }


def _of_new_lesions(state: IrecistState, pending: Flags) -> Mapping[str, NDArray[np.int64]]:
    """Return the sum of the new lesion targets, and what it is compared with."""
    if state.seen.new is None:
        nothing = np.broadcast_to(np.int64(NO_SUM), state.shape)
        return {"new_sum_mm": nothing, "new_reference_mm": nothing}
    shown = state.new_summed & ~state.in_phase(CONFIRMED)  # after iCPD nothing is compared any more
    reference = np.where(pending, state.new_block_um, state.new_nadir_um)
    return {
        "new_sum_mm": np.where(shown, state.new_sum_um, NO_SUM),
        "new_reference_mm": np.where(shown, reference, NO_SUM),
    }


IRECIST: Final = Irecist(words=IRECIST_WORDS)
__all__ = ["IRECIST", "IRECIST_STEPS", "Irecist", "IrecistOptions", "IrecistState"]
