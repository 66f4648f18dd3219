"""Lugano classification 2014 for lymphoma, its part on CT.

Source: Cheson et al., J Clin Oncol 2014;32:3059-3068, doi:10.1200/JCO.2013.54.8800, table 3 (CT-based response).
Growth is judged lesion by lesion against the smallest values of that lesion, shrinkage on the sum of products against
the baseline. Confirmed in public tables: all of CR, PR and PD with the spleen of 15 cm that must exceed 16 cm, 5 x 5 mm
and 0 x 0 mm, nodes at their true size, new and regrown lesions (PMC5298348, table 2, as a whole; medilib.ir, 97480), an
enlarged spleen from 13 cm (ashpublications.net, view-large 10674621). Some tables print "more than" where these print
"at least" for 0.5, 1.0 and 2 cm (ajnr.org, table 71982; view-large 10674621 for the spleen); "at least" is used.

Not in a source, and so our reading: which length makes a lesion "up to 2 cm" (its smallest longest diameter); that a
lesion regrows only after it could not be seen, and at the size of a new lesion, a node that is not measured after it
was normal, by 5 mm; that a spleen recurs at 2 cm over its smallest length; that an enlarged spleen or an involved
marrow that was not looked at allows no CR. Where one of the first three decides, or nothing is known of spleen or
marrow, a flag says so.

Scope: Hodgkin and non-Hodgkin lymphoma that is not FDG-avid, or followed by CT. FDG-PET with the five-point scale,
LYRIC and RECIL are not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER
from response.criteria.burden import NO_SUM
from response.criteria.criterion import Criterion, Number, State
from response.criteria.lugano_state import LuganoState
from response.criteria.lymphoma import lymphoma_burden
from response.criteria.recist import NEW_LESION_RULES, NON_TARGET_RULES, CombinationOptions
from response.criteria.rules import Flags, Question, Rule, answered, asks
from response.criteria.some_lesions import is_one_of, lesions_of_series
from response.criteria.sums import (
    TARGETS,
    all_gone,
    area_numbers,
    area_values,
    baseline_incomplete,
    missing,
    no_targets,
    otherwise,
    shrunk,
)
from response.protocol import option
from response.vocabulary import Marrow

NAME: Final = "lugano"
MOST_TARGETS: Final = 6  # table 3


@dataclass(frozen=True, kw_only=True)
class LuganoOptions(CombinationOptions):
    """Every point that the Lugano classification leaves open on CT, with the default and why."""

    lugano_spleen_reference: str = option(
        "baseline",
        "growth of the spleen: over its length at baseline (table 3), or over its smallest length",
        choices=("baseline", "nadir"),
    )
    new_node_rule: str = option(
        "literal_10", "a new node counts from above 15 mm in any axis (table 3)", choices=("literal_10",)
    )
    use_markers: str = option("off", "tumour markers are no part of it", choices=("off",))
    post_cr_disease: str = option(
        "as_is_warn",
        "disease after CR: nodes may vary, so that regrowth and growth decide, as at any time",
        choices=("as_is_warn",),
    )


# --- Target lesions: up to six dominant nodes and extranodal lesions


TARGET_RULES: Final = (
    Rule("no_targets", "NA", no_targets, "table 3", "no measurable node or lesion was chosen at baseline"),
    Rule("pd_lesion", "PD", asks("lesion_progressed"), "table 3, PD",
         "a lesion above 15 mm has grown by 50 % of its smallest product, and by 5 mm (10 mm if above 20 mm)"),
    Rule("regrowth", "PD", asks("target_regrown"), "table 3, PD", "a lesion that could not be seen any more is back"),
    Rule("baseline_incomplete", "NE", baseline_incomplete, "table 3",
         "a target lesion was not measured in two diameters at baseline"),
    Rule("cr", "CR", all_gone, "table 3, CR", "all nodes are at most 15 mm long and extranodal lesions are gone"),
    Rule("missing", "NE", missing, "table 3",
         "{missing} of {targets} target lesions could not be measured in two diameters"),
    Rule("pr", "PR", shrunk, "table 3, PR",
         "the sum of products {sum} mm2 is {shrinkage_percent} % below the baseline {baseline} mm2"),
    Rule("sd", "SD", otherwise, "table 3, SD",
         "the sum of products {sum} mm2 changed by {change_percent} % from the baseline, and no lesion progresses"),
)  # fmt: skip


# --- Lesions that are not measured


_FIRST: Final = [rule.name for rule in NON_TARGET_RULES].index("pd") + 1
LUGANO_NON_TARGET_RULES: Final = (
    *NON_TARGET_RULES[:_FIRST],
    Rule("regrowth", "PD", asks("non_target_regrown"), "table 3, PD",
         "a lesion that is not measured was gone and is back"),
    *(rule for rule in NON_TARGET_RULES[_FIRST:] if rule.name != "marker_above"),
)  # fmt: skip


# --- Spleen and bone marrow


def _spleen_unknown(state: LuganoState) -> Flags:
    return state.spread(~state.spleen.recorded)


def _spleen_missing(state: LuganoState) -> Flags:
    return ~state.spleen.measured


def _spleen_grown(state: LuganoState) -> Flags:
    return state.spleen.progressed


def _spleen_recurred(state: LuganoState) -> Flags:
    return state.spleen.recurred


def _spleen_normal(state: LuganoState) -> Flags:
    return state.spleen.normal


def _spleen_regressed(state: LuganoState) -> Flags:
    return state.spleen.regressed & state.spleen.enlarged


SPLEEN_RULES: Final = (
    Rule("not_recorded", "NA", _spleen_unknown, "table 3", "the spleen was not measured at baseline"),
    Rule("missing", "NE", _spleen_missing, "table 3", "the spleen was not measured"),
    Rule("pd", "PD", _spleen_grown, "table 3, PD",
         "the spleen of {spleen} mm has grown by more than half of its excess over 130 mm, or by 2 cm if normal"),
    Rule("recurrent", "PD", _spleen_recurred, "table 3, PD", "the spleen of {spleen} mm is enlarged again"),
    Rule("normal", "CR", _spleen_normal, "table 3, CR", "the spleen is not enlarged"),
    Rule("regressed", "PR", _spleen_regressed, "table 3, PR",
         "the spleen of {spleen} mm has lost more than half of its excess over 130 mm"),
    Rule("enlarged", "SD", otherwise, "table 3", "the spleen of {spleen} mm is still enlarged"),
)  # fmt: skip


def _marrow_new(state: LuganoState) -> Flags:
    return state.marrow_is(Marrow.POSITIVE) & state.marrow_was_free


def _marrow_free(state: LuganoState) -> Flags:
    return state.marrow_is(Marrow.NEGATIVE)


def _marrow_never(state: LuganoState) -> Flags:
    involved = is_one_of(state.marrow_at_baseline, (Marrow.POSITIVE,))
    return ~involved & ~state.marrow_is(Marrow.POSITIVE)


def _marrow_unknown(state: LuganoState) -> Flags:
    return ~state.marrow_is(Marrow.POSITIVE)


MARROW_RULES: Final = (
    Rule("new", "PD", _marrow_new, "table 3, PD", "new or recurrent involvement of the bone marrow"),
    Rule("free", "CR", _marrow_free, "table 3, CR", "the bone marrow is free"),
    Rule("never_involved", "NA", _marrow_never, "table 3", "the bone marrow was not known to be involved"),
    Rule("not_shown_free", "NE", _marrow_unknown, "table 3", "the bone marrow was involved, and not shown free"),
    Rule("involved", "SD", otherwise, "table 3", "the bone marrow is involved"),
)  # fmt: skip


# --- Overall response


def _nothing_known(state: LuganoState) -> Flags:
    return state.no_disease_at_baseline & ~state.organs_involved


def _only_organs(state: LuganoState) -> Flags:
    return state.no_disease_at_baseline & state.organs_involved


def _gone(state: LuganoState) -> Flags:
    return state.is_("target", "CR", "NA") & state.is_("non_target", "CR", "NA")


def _complete(state: LuganoState) -> Flags:
    organs = state.is_("spleen", "CR", "NA") & state.is_("marrow", "CR", "NA")
    return _gone(state) & organs & state.no_new_lesion


def _spleen_open(state: LuganoState) -> Flags:
    return (state.shrunk_enough | _only_organs(state)) & state.is_("spleen", "NE") & state.spleen.enlarged


def _held_by_spleen(state: LuganoState) -> Flags:
    return state.shrunk_enough & state.is_("spleen", "SD")


def _held_by_increase(state: LuganoState) -> Flags:
    return state.shrunk_enough & state.non_target_increased


def _organs_persist(state: LuganoState) -> Flags:
    return _only_organs(state) & (state.is_("spleen", "SD") | state.is_("marrow", "SD"))


def _only_non_targets(state: LuganoState) -> Flags:
    return state.is_("target", "NA") & state.is_("non_target", "Non-CR/Non-PD")


OVERALL_RULES: Final = (
    Rule("new_lesion", "PD", answered("new_lesion", "Yes"), "table 3, PD", "a new lesion"),
    Rule("target_pd", "PD", answered("target", "PD"), "table 3, PD", "{target}"),
    Rule("non_target_pd", "PD", answered("non_target", "PD"), "table 3, PD", "{non_target}"),
    Rule("spleen_pd", "PD", answered("spleen", "PD"), "table 3, PD", "{spleen}"),
    Rule("marrow_pd", "PD", answered("marrow", "PD"), "table 3, PD", "{marrow}"),
    Rule("nothing_to_follow", "NE", _nothing_known, "table 3",
         "no lesion was recorded at baseline, and neither an enlarged spleen nor an involved marrow"),
    Rule("cr", "CR", _complete, "table 3, CR",
         "all lesions are gone or normal, spleen and marrow too, and there is no new lesion"),
    Rule("target_ne", "NE", answered("target", "NE"), "table 3", "{target}"),
    Rule("spleen_ne", "NE", _spleen_open, "table 3, PR", "the spleen was enlarged, and was not measured now"),
    Rule("spleen_not_regressed", "SD", _held_by_spleen, "table 3, PR", "the lesions respond, but {spleen}"),
    Rule("non_target_increased", "SD", _held_by_increase, "table 3, PR",
         "the target lesions respond, but a lesion that is not measured has increased"),
    Rule("pr", "PR", answered("target", "PR"), "table 3, PR", "{target}"),
    Rule("cr_unproven", "PR", asks("shrunk_enough"), "table 3, CR",
         "what was measured is gone, normal or regressed, but something is left or was not looked at: {non_target}; "
         "{spleen}; {marrow}"),
    Rule("sd", "SD", answered("target", "SD"), "table 3, SD", "{target}"),
    Rule("organs_sd", "SD", _organs_persist, "table 3, SD", "no lesion was recorded at baseline; {spleen}; {marrow}"),
    Rule("non_target_only", "Non-CR/Non-PD", _only_non_targets, "RECIST 1.1, table 2",
         "{non_target}, and there is no measured lesion"),
    Rule("non_target_ne", "NE", otherwise, "RECIST 1.1, table 2", "{non_target}, and there is no measured lesion"),
)  # fmt: skip
LUGANO_QUESTIONS: Final = (
    Question("target", TARGET_RULES),
    Question("non_target", LUGANO_NON_TARGET_RULES),
    Question("new_lesion", NEW_LESION_RULES),
    Question("spleen", SPLEEN_RULES),
    Question("marrow", MARROW_RULES),
    Question("overall", OVERALL_RULES),
)


# --- Flags


def _too_many(state: LuganoState) -> Flags:
    chosen = is_one_of(state.burden.classes, TARGETS) & state.block.tracks(state.block.timeline.tracks.at_baseline)
    return state.spread(lesions_of_series(state.block, chosen) > MOST_TARGETS)


def _below_measurable(state: LuganoState) -> Flags:
    return state.spread(lesions_of_series(state.block, state.lesions.below_measurable) > 0)


def _regrowth(state: LuganoState) -> Flags:
    return state.target_regrown | state.non_target_regrown


def _small_class(state: LuganoState) -> Flags:
    return state.lesions.by_small_step.by_series()


def _merged(state: LuganoState) -> Flags:
    return state.is_("target", "PD") & state.merged


def _recurred(state: LuganoState) -> Flags:
    return state.spleen.recurred


def _spleen_within_normal(state: LuganoState) -> Flags:
    return np.asarray(state.is_("spleen", "PD") & state.spleen.normal)


def _spleen_unrecorded(state: LuganoState) -> Flags:
    return np.asarray(state.is_("overall", "CR", "PR") & ~state.spleen.recorded)


def _marrow_unrecorded(state: LuganoState) -> Flags:
    known_free = is_one_of(state.marrow_at_baseline, (Marrow.NEGATIVE,))
    return np.asarray(state.is_("overall", "CR") & state.is_("marrow", "NA") & ~known_free)


LUGANO_FLAGS: Final = (
    Rule("more_than_six_targets", "", _too_many, "table 3", "more than six lesions were chosen"),
    Rule("target_below_measurable_size", "", _below_measurable, "table 3",
         "a node of 15 mm or less, or an extranodal lesion of 10 mm or less, was chosen"),
    Rule("equivocal_new_lesion", "", asks("new_equivocal"), "table 3, PD",
         "a doubtful new lesion: an extranodal one up to 10 mm counts only if it is unequivocally lymphoma"),
    Rule("regrowth_by_our_reading", "", _regrowth, "table 3, PD",
         "regrowth: gone, then at the size of a new lesion (how much it takes stands in no source)"),
    Rule("small_lesion_by_our_reading", "", _small_class, "table 3, PD",
         "less than 10 mm of growth, by a lesion that was up to 2 cm at its smallest and is longer now (when it has to "
         "be up to 2 cm stands in no source)"),
    Rule("pd_with_merged_lesion", "", _merged, "table 3, PD", "PD at a timepoint with a merged lesion"),
    Rule("recurrent_spleen_by_our_reading", "", _recurred, "table 3, PD",
         "recurrent splenomegaly: normal, then 2 cm over its smallest length (how much it takes stands in no source)"),
    Rule("spleen_pd_within_normal", "", _spleen_within_normal, "table 3, PD",
         "the spleen has grown by 2 cm, but is not above 13 cm: review whether this is splenomegaly"),
    Rule("spleen_not_recorded", "", _spleen_unrecorded, "table 3, CR, PR",
         "a response without the length of the spleen at baseline"),
    Rule("marrow_not_recorded", "", _marrow_unrecorded, "table 3, CR",
         "a complete response without a record of the bone marrow at baseline"),
)  # fmt: skip


@dataclass(frozen=True)
class Lugano(Criterion):
    """The CT part of the Lugano classification as a criterion of the engine."""

    name: str = NAME
    title: str = "Lugano 2014 (CT)"
    source: str = "Cheson et al., J Clin Oncol 2014;32:3059-3068"
    options: type[LuganoOptions] = LuganoOptions
    questions: tuple[Question[Any], ...] = LUGANO_QUESTIONS
    flags: tuple[Rule[Any], ...] = LUGANO_FLAGS
    numbers: tuple[Number, ...] = (*area_numbers(NAME), Number("spleen_mm", "mm"))
    offered: bool = False
    scope: str = "The Lugano classification is for lymphoma; its part on FDG-PET is not read here."
    measure: str = "products of diameters"

    def state(self, block: Block, options: Any, beside: Mapping[str, State]) -> LuganoState:
        """Return what the rules ask; lesions are read again, by both diameters."""
        return LuganoState(lymphoma_burden(block, options, beside), options, self.questions)

    def values(self, state: Any) -> Mapping[str, NDArray[np.int64]]:
        """Return the numbers of each timepoint, in thousandths: sum of products (mm2) and spleen (mm)."""
        length = state.spleen.length
        return {**area_values(NAME, state), "spleen_mm": np.where(length == NO_NUMBER, NO_SUM, length)}


LUGANO: Final = Lugano()
__all__ = ["LUGANO", "Lugano", "LuganoOptions", "LuganoState"]
