"""PCWG3: response of metastatic prostate cancer, soft tissue and bone together.

Source: Scher et al., J Clin Oncol 2016;34:1402-1418, doi:10.1200/JCO.2015.64.2702. Soft tissue is RECIST 1.1, but a
new node must reach 10 mm and grow by 5 mm. Confirmed in a public source (admiralonco, vignette on PCWG3, after
PharmaSUG 2024 DS-287): the 2+2 rule for the first scan after baseline, persistence on the next scan from then on, six
weeks for both, the dates, the table that combines soft tissue and bone, row by row, and that a last PDu stays PDu at
its timepoint and is SD (or, more conservatively, PD) as best response. There the open progression of a scan is later
written over; here it stands, and the confirmed one is dated back to it. A rise of prostate-specific antigen by 25 %
and 2 ng/mL over its smallest value is confirmed for PCWG2 (PMC2684851, table 2). Not found in a public source, and
noted where they decide: the growth of nodes, and the three weeks to the value that confirms a rise (in notes only).
Our reading: a bone scan that comes too early to confirm says what it shows and decides nothing.

Scope: castration-resistant prostate cancer. Lesions of the bone scan stand in the visit table, not among the lesions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_DATE, NO_NUMBER
from response.criteria.bone_scans import Bone, BoneScans
from response.criteria.burden import NO_SUM, Burden, LesionClass
from response.criteria.criterion import Criterion, Number, State
from response.criteria.new_lesions import new_lesion_states
from response.criteria.psa import Psa
from response.criteria.recist import (
    NEW_LESION_RULES,
    NON_TARGET_RULES,
    OVERALL_RULES,
    RECIST_TEST,
    TARGET_RULES,
    RecistOptions,
    RecistState,
    recist_burden,
)
from response.criteria.rules import Flags, Question, Rule, RuleCodes, answered, asks
from response.criteria.some_lesions import is_one_of
from response.criteria.sums import (
    ADJUDICATE_CR,
    burden_with,
    otherwise,
)
from response.criteria.visit_values import at_baseline
from response.protocol import option
from response.vocabulary import NON_PD, PCWG3_WORDS, PDU, Response
from response.vocabulary import State as LesionState

FLARE_DAYS: Final = 84  # the first scan is expected within twelve weeks (vignette: 8 to 12 weeks)


@dataclass(frozen=True, kw_only=True)
class Pcwg3Options(RecistOptions):
    """Every point that PCWG3 leaves open, with the default and why; those of RECIST 1.1 are for soft tissue."""

    pcwg3_confirm_days: int = option(
        42, "smallest number of days to the bone scan that confirms (six weeks), inclusive", minimum=0
    )
    pcwg3_psa_days: int = option(
        21, "smallest number of days to the value that confirms a rise of PSA (three weeks), inclusive", minimum=0
    )
    pcwg3_last_pdu: str = option(
        "sd",
        "PDu that no later scan settles, as best response: SD (vignette), PD (conservative), or PDu as it stands",
        choices=("sd", "pd", "pdu"),
    )
    new_node_rule: str = option(
        "pcwg3_like",
        "a new node: 10 mm and 5 mm growth, or as in RECIST 1.1 (10 to below 15 mm is equivocal, or 10 mm is enough)",
        choices=("pcwg3_like", "equivocal_10_15", "literal_10"),
    )


class Pcwg3State(RecistState):
    """What the rules ask of all series of a block; arrays `[series, timepoint]`.

    Attributes
    ----------
    standard
        RECIST 1.1 beside, where it judges the targets and non-targets by the same options; None where it does not.
    """

    def __init__(
        self, burden: Burden, options: Any, questions: tuple[Question[Any], ...], standard: RecistState | None
    ) -> None:
        super().__init__(burden, options, questions, RECIST_TEST)
        self.standard = standard

    def known(self, question: str) -> RuleCodes | None:
        """Return the answers that RECIST 1.1 beside has given already; None where it has not."""
        if self.standard is None:
            return None
        if question in ("target", "non_target"):
            return self.standard.answers[question]
        same = {"soft_tissue": "overall", "new_lesion": "new_lesion"} if self.burden is self.standard.burden else {}
        return self.standard.answers.get(same.get(question, ""))

    @property
    def sums(self) -> Burden:
        """The burden whose sums have been made."""
        return self.burden if self.standard is None else self.standard.burden

    @cached_property
    def bone(self) -> BoneScans:
        """The bone scans."""
        return BoneScans(self.block, self.options.pcwg3_confirm_days)

    @cached_property
    def psa(self) -> Psa:
        """Prostate-specific antigen."""
        return Psa(self.block, self.options.pcwg3_psa_days)

    @property
    def dated_from(self) -> NDArray[np.intp] | None:
        """Timepoint whose scan first showed the progression: that of bone where soft tissue shows none."""
        return self._shown_from

    @cached_property
    def _shown_from(self) -> NDArray[np.intp]:
        own = np.broadcast_to(np.arange(self.shape[1]), self.shape)
        by_bone = self.is_("bone", "PD") & ~self.is_("soft_tissue", "PD")
        return np.where(by_bone, self.bone.start, own).astype(np.intp)

    @cached_property
    def first_scan_late(self) -> Flags:
        """The first bone scan after baseline is more than twelve weeks after it."""
        if not self.bone.known.any():
            return self.bone.known
        days = self.block.cell_values(self.block.timeline.visits.first_scan, NO_DATE).astype(np.int64)
        base = at_baseline(self.block, days)
        return np.asarray(self.bone.first & (days != NO_DATE) & (base != NO_DATE) & (days - base > FLARE_DAYS))

    @property
    def psa_rise(self) -> Flags:
        """A rise of PSA that is still to be confirmed."""
        return self.psa.rises & ~self.psa.progressed

    @property
    def node_by_growth(self) -> Flags:
        """A new node was judged by its growth."""
        nodes = np.flatnonzero(self.burden.classes == LesionClass.NEW_NODE)
        found = np.zeros(self.shape, np.bool_)
        if self.options.new_node_rule == "pcwg3_like" and len(nodes):
            seen = (LesionState.PRESENT, LesionState.EQUIVOCAL, LesionState.BORDERLINE_NODE)
            lesion, place = np.nonzero(is_one_of(self.burden.state[nodes], seen))
            found[self.block.series_of_track[nodes[lesion]], place] = True
        return found

    def thresholds(self, place: int) -> list[str]:  # noqa: ARG002
        """Return nothing: those of soft tissue stand with RECIST 1.1."""
        return []


def _bone(*what: Bone) -> Callable[[Pcwg3State], Flags]:
    return lambda state: is_one_of(state.bone.says, what)


BONE_RULES: Final = (
    Rule("not_evaluable", "NE", _bone(Bone.NOT_EVALUABLE), "bone", "there is no bone scan"),
    Rule("two_plus_two", "PD", _bone(Bone.TWO_PLUS_TWO), "bone, 2+2",
         "two or more new lesions on the first bone scan, and two or more in addition six weeks later"),
    Rule("persisting", "PD", _bone(Bone.PERSISTING), "bone, after the first scan",
         "two or more lesions that the first bone scan did not show, still there six weeks later"),
    Rule("new_at_first", PDU, _bone(Bone.NEW_AT_FIRST), "bone, 2+2",
         "{new_bone} new lesions on the first bone scan, to be confirmed by two more"),
    Rule("new_later", PDU, _bone(Bone.NEW_LATER), "bone, after the first scan",
         "two or more lesions that the first bone scan did not show, to be confirmed by a later scan"),
    Rule("no_lesion", "NED", _bone(Bone.NO_LESION), "bone", "no lesion on the bone scan"),
    Rule("flare", NON_PD, _bone(Bone.FLARE), "bone, 2+2",
         "the new lesions of the first bone scan were a flare: fewer than two more followed"),
    Rule("non_pd", NON_PD, otherwise, "bone", "no progression on the bone scan"),
)  # fmt: skip


def _pair(soft: str, *bone: str) -> Callable[[Pcwg3State], Flags]:
    return lambda state: state.is_("soft_tissue", soft) & (state.is_("bone", *bone) if bone else True)


def _cr_with_targets(state: Pcwg3State) -> Flags:
    return state.is_("soft_tissue", "CR") & ~state.no_targets


_TABLE: Final = "soft tissue and bone"
OVERALL_TABLE: Final = (
    Rule("soft_tissue_pd", "PD", _pair("PD"), _TABLE, "progression of soft tissue: {soft_tissue}"),
    Rule("bone_pd", "PD", answered("bone", "PD"), _TABLE, "progression of bone: {bone}"),
    Rule("soft_tissue_ne", "NE", _pair("NE"), _TABLE, "{soft_tissue}"),
    Rule("ned_non_pd", "Non-CR/Non-PD", _pair("NED", NON_PD), _TABLE, "no soft tissue disease, and {bone}"),
    Rule("ned_pdu", PDU, _pair("NED", PDU), _TABLE, "no soft tissue disease, and {bone}"),
    Rule("ned_without_bone", "NE", _pair("NED"), _TABLE, "no soft tissue disease, and {bone}"),
    Rule("sd", "SD", _pair("SD"), _TABLE, "{soft_tissue}"),
    Rule("non_cr_non_pd", "Non-CR/Non-PD", _pair("Non-CR/Non-PD"), _TABLE, "{soft_tissue}"),
    Rule("pr", "PR", _pair("PR"), _TABLE, "{soft_tissue}"),
    Rule("cr", "CR", _pair("CR", "NED"), _TABLE, "{soft_tissue}, and {bone}"),
    Rule("cr_but_bone", "PR", _cr_with_targets, _TABLE, "soft tissue is gone, but {bone}"),
    Rule("cr_of_non_targets_but_bone", "Non-CR/Non-PD", otherwise, _TABLE,
         "soft tissue, of which there was no target, is gone, but {bone}"),
)  # fmt: skip
PCWG3_QUESTIONS: Final = (
    Question("target", TARGET_RULES),
    Question("non_target", NON_TARGET_RULES),
    Question("new_lesion", NEW_LESION_RULES),
    Question("soft_tissue", OVERALL_RULES),
    Question("bone", BONE_RULES),
    Question("overall", OVERALL_TABLE),
)


def _psa_progressed(state: Pcwg3State) -> Flags:
    return state.psa.progressed


PCWG3_FLAGS: Final = (
    ADJUDICATE_CR,
    Rule("psa_progression", "", _psa_progressed, "PSA",
         "PSA is 25 % and 2 ng/mL over its smallest value, three weeks on (rule not checked against the paper)"),
    Rule("psa_rise", "", asks("psa_rise"), "PSA",
         "PSA is 25 % and 2 ng/mL over its smallest value, to be confirmed (rule not checked against the paper)"),
    Rule("node_growth_not_confirmed", "", asks("node_by_growth"), "soft tissue",
         "a new node is judged by 10 mm and 5 mm of growth, which was not confirmed against the paper"),
    Rule("first_bone_scan_late", "", asks("first_scan_late"), "bone, 2+2",
         "the first bone scan is more than twelve weeks after the baseline, where a flare is not expected any more"),
)  # fmt: skip


@dataclass(frozen=True)
class Pcwg3(Criterion):
    """PCWG3 as a criterion of the engine."""

    name: str = "pcwg3"
    title: str = "PCWG3"
    source: str = "Scher et al., J Clin Oncol 2016;34:1402-1418"
    options: type[Pcwg3Options] = Pcwg3Options
    questions: tuple[Question[Any], ...] = PCWG3_QUESTIONS
    flags: tuple[Rule[Any], ...] = PCWG3_FLAGS
    numbers: tuple[Number, ...] = (
        *(Number(f"{name}_mm", "mm") for name in ("sum", "baseline", "nadir")),
        Number("pcwg3_new_bone", "count"),
        Number("pcwg3_psa", "ng/mL"),
    )
    words: Mapping[Response, str] | None = None
    offered: bool = False
    scope: str = "PCWG3 is for metastatic prostate cancer; lesions of bone scans are counted, not measured."

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> Pcwg3State:
        """Return what the rules ask; soft tissue is read again where its options differ from those of RECIST 1.1."""
        recist = beside.get("recist-1.1")
        if not isinstance(recist, RecistState) or not _alike(options, recist.options):
            return Pcwg3State(recist_burden(block, options), options, self.questions, None)
        return Pcwg3State(_with_new_nodes(recist, options), options, self.questions, recist)

    def answer(self, state: Any, options: Any) -> None:
        """Ask the questions in order; what RECIST 1.1 beside has answered is not asked again."""
        for question in self.questions:
            known = state.known(question.name)
            state.answers[question.name] = question.answer(state, options) if known is None else known

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint: lengths and PSA in thousandths, new lesions of bone."""
        sums, bone, psa = state.sums, state.bone.new, state.psa.value
        return {
            "sum_mm": sums.sum_um,
            "baseline_mm": np.asarray(np.broadcast_to(sums.baseline_um, state.shape)),
            "nadir_mm": sums.nadir_um,
            "pcwg3_new_bone": np.where(bone == NO_NUMBER, NO_SUM, bone),
            "pcwg3_psa": np.where(psa == NO_NUMBER, NO_SUM, psa),
        }


def _alike(options: Any, standard: Any) -> bool:
    """Return whether targets and non-targets are judged by the same options."""
    names = (item.name for item in fields(RecistOptions) if item.name != "new_node_rule")
    return all(getattr(options, name) == getattr(standard, name) for name in names)


def _with_new_nodes(recist: RecistState, options: Pcwg3Options) -> Burden:
    """Return the lesions as RECIST 1.1 reads them, but for new nodes where they are judged in another way."""
    burden = recist.burden
    alike = options.new_node_rule == recist.options.new_node_rule
    if alike or not (burden.classes == LesionClass.NEW_NODE).any():
        return burden
    block, rule = burden.block, options.new_node_rule
    states = new_lesion_states(block, burden.classes, new_node_rule=rule, use_pet=options.use_pet)
    as_read = block.spot_values(block.timeline.state, LesionState.UNKNOWN)
    return burden_with(burden, state=as_read if states is None else states)


PCWG3: Final = Pcwg3(words=PCWG3_WORDS)
__all__ = ["PCWG3", "Pcwg3", "Pcwg3Options", "Pcwg3State"]
