"""iPERCIST: PERCIST under immunotherapy, where a later PET has to confirm a progression.

Source: Goldfarb et al., EJNMMI Res 2019;9:8, doi:10.1186/s13550-019-0473-1 ("2019"). Confirmed in public tables: the
thresholds are those of PERCIST; progression (by 30 % of SULpeak, or a new lesion) is unconfirmed, UPMD, and confirmed,
CPMD, by a second PET four to eight weeks later (PMC7046919, table 6; PMC9028862, table 3); PMR or SMD instead resets
it (PMC8484219, table 2; PMC8855498, table 3). Our reading: progression is confirmed where PERCIST sees PMD again, so a
new lesion that is still there confirms itself; a PET that comes too early leaves it open, a late one confirms it and is
noted; what could not be evaluated neither confirms nor resets.

Scope: solid tumours on FDG-PET under immunotherapy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_DATE
from response.criteria.criterion import Number, State
from response.criteria.percist import (
    PERCIST,
    PERCIST_FLAGS,
    PERCIST_RULES,
    Percist,
    PercistOptions,
    PercistState,
)
from response.criteria.pet import uptake_numbers
from response.criteria.recist import NEW_LESION_RULES
from response.criteria.rules import Flags, Question, Rule, RuleCodes, asks
from response.criteria.runs import Places, days_passed, days_since, run_starts
from response.criteria.sums import (
    otherwise,
)
from response.protocol import option
from response.vocabulary import CMR, CPMD, IPERCIST_WORDS, PMD, PMR, SMD, UPMD

_OF_PERCIST: Final = {"percist": "overall", "new_lesion": "new_lesion"}  # our question, and the same of PERCIST
LATEST_DAYS: Final = 56  # confirmed at most eight weeks later (2019)


@dataclass(frozen=True, kw_only=True)
class IpercistOptions(PercistOptions):
    """Every point that iPERCIST leaves open, with the default and why; those of PERCIST are among them."""

    ipercist_confirm_days: int = option(
        28, "smallest number of days to the PET that confirms a progression (four weeks), inclusive", minimum=0
    )


class IpercistState(PercistState):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`.

    Attributes
    ----------
    percist
        PERCIST, which has been asked the same of the same lesions.
    """

    judged = "percist"

    def __init__(self, percist: PercistState, options: Any, questions: tuple[Question[Any], ...]) -> None:
        super().__init__(percist.burden, percist.background, options, questions, percist.beside)
        self.percist = percist

    def taken_over(self, question: Question[Any]) -> RuleCodes | None:
        """Return what PERCIST has answered."""
        return self.percist.answers.get(_OF_PERCIST.get(question.name, ""))

    @property
    def grown(self) -> Flags:
        """Growth of the uptake of the targets."""
        return self.percist.grown

    @property
    def growing_lesion(self) -> Flags:
        """A lesion takes up more, though the hottest one fell."""
        return self.percist.growing_lesion

    @property
    def unmeasured(self) -> NDArray[np.int64]:
        """Number of targets whose uptake could not be measured."""
        return self.percist.unmeasured

    @cached_property
    def progresses(self) -> Flags:
        """PERCIST sees PMD."""
        return self.is_(self.judged, PMD) & self.block.follow_up

    @cached_property
    def began(self) -> Places:
        """Place of the first PMD of the run that a timepoint belongs to; a response resets it."""
        return run_starts(self.progresses, self.is_(self.judged, CMR, PMR, SMD) & self.block.follow_up)

    @cached_property
    def confirmed(self) -> Flags:
        """PMD again, so many days after the first one."""
        again = self.progresses & (self.began < np.arange(self.shape[1]))
        return again & days_passed(self.block, self.began, self.options.ipercist_confirm_days)

    @property
    def late(self) -> Flags:
        """The progression is confirmed more than eight weeks after it began."""
        days = days_since(self.block, self.began)
        return np.asarray(self.confirmed & (days != NO_DATE) & (days > LATEST_DAYS))

    @property
    def dated_from(self) -> NDArray[np.intp] | None:
        """Timepoint at which the progression began."""
        return self.began


def _is(category: str) -> Callable[[IpercistState], Flags]:
    return lambda state: state.is_(state.judged, category)


IPERCIST_RULES: Final = (
    Rule("cpmd", CPMD, asks("confirmed"), "2019, CPMD", "progression, for the second time after four weeks: {percist}"),
    Rule("upmd", UPMD, asks("progresses"), "2019, UPMD", "progression, still to be confirmed: {percist}"),
    Rule("cmr", CMR, _is(CMR), "2019, CMR", "{percist}"),
    Rule("pmr", PMR, _is(PMR), "2019, PMR", "{percist}"),
    Rule("smd", SMD, _is(SMD), "2019, SMD", "{percist}"),
    Rule("not_evaluable", "NE", otherwise, "2019", "{percist}"),
)  # fmt: skip
IPERCIST_FLAGS: Final = (
    *PERCIST_FLAGS,
    Rule("late_confirmation", "", asks("late"), "2019", "progression confirmed more than eight weeks after it began"),
)


@dataclass(frozen=True)
class Ipercist(Percist):
    """iPERCIST as a criterion of the engine."""

    name: str = "ipercist"
    title: str = "iPERCIST"
    source: str = "Goldfarb et al., EJNMMI Res 2019;9:8"
    options: type[IpercistOptions] = IpercistOptions
    questions: tuple[Question[Any], ...] = (
        Question("new_lesion", NEW_LESION_RULES),
        Question("percist", PERCIST_RULES),
        Question("overall", IPERCIST_RULES),
    )
    flags: tuple[Rule[Any], ...] = IPERCIST_FLAGS
    numbers: tuple[Number, ...] = (*uptake_numbers("ipercist", "SUL"), Number("ipercist_threshold", "SUL"))
    offered: bool = False
    scope: str = "iPERCIST is for solid tumours on FDG-PET under immunotherapy."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> IpercistState:
        """Return what the rules ask, of PERCIST beside where it has the same options."""
        percist = beside.get("percist")
        if not isinstance(percist, PercistState) or not _alike(options, percist.options):
            percist = PERCIST.state(block, options, beside)
            PERCIST.answer(percist, options)
        return IpercistState(percist, options, self.questions)


def _alike(options: IpercistOptions, of_percist: PercistOptions) -> bool:
    """Return whether all that PERCIST leaves open is chosen alike."""
    names = [item.name for item in fields(PercistOptions)]
    return all(getattr(options, name) == getattr(of_percist, name) for name in names)


IPERCIST: Final = Ipercist(words=IPERCIST_WORDS)
__all__ = ["IPERCIST", "Ipercist", "IpercistOptions", "IpercistState"]
