"""The lesions that a row of timepoints names: those behind PD and NE, those not assessed, and the new ones."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import Fact
from response.criteria.rules import Flags
from response.report.evidence import Evidence, Mentions
from response.report.figures import Figures
from response.report.own_targets import OwnTargets
from response.report.sentences import Decisions
from response.report.texts import Texts
from response.vocabulary import Response

_PROGRESSIONS: Final = (Response.PD, Response.UNCONFIRMED_PD)


def lesion_names(evidence: Evidence, followed: Flags | None, own: OwnTargets | None) -> dict[str, Texts]:
    """Return the names of the lesions that were not assessed, and of the new ones, by column.

    Parameters
    ----------
    evidence
        The block.
    followed
        Which of its lesions the criterion follows, `[track]`; None: all.
    own
        The targets as the criterion measures them, if not as RECIST 1.1 does.
    """
    missing = evidence.missing if own is None else own.missing(evidence)
    found = {"missing_lesions": missing, "new_lesion_ids": evidence.new}
    if followed is not None:
        found = {name: mentions.where(evidence.are_among(followed, mentions)) for name, mentions in found.items()}
    return {name: evidence.names(mentions) for name, mentions in found.items()}


def drivers(decisions: Decisions, evidence: Evidence, own: OwnTargets | None) -> tuple[Mentions, NDArray[np.int64]]:
    """Return the lesions behind PD and NE, and their rank within the timepoint.

    PD: new lesions, then non-targets that progressed, and lesions with a new or growing nodule where that decides, then
    targets that grew, the largest growth first; after a complete response what is there again. NE: the lesions that
    were not assessed, or were not at baseline. Targets grow, and are not assessed, as the criterion measures them
    (`own`; None: as RECIST 1.1 does).
    """
    result = decisions.result
    rules = [kind.rule.rsplit(".", 1)[-1] for kind in decisions.kinds]
    responses = evidence.responses(result)
    progressed, undecided = np.isin(responses, _PROGRESSIONS), responses == Response.NE
    by_size = progressed & _grew(decisions, evidence)
    found = [
        (evidence.new.having(int(Fact.NEW_UNEQUIVOCAL)), 0, progressed),
        (evidence.listed.having(int(Fact.NON_TARGET_PROGRESSION)), 1, progressed),
        (_missing(evidence, own, decisions.code, rules), 0, undecided),
    ]
    relapse = progressed & np.isin(decisions.code, [i for i, name in enumerate(rules) if name == "relapse_after_cr"])
    if relapse.any():
        found.append((evidence.diseased(relapse), 2, relapse))
    by_nodule = progressed & np.isin(decisions.code, [i for i, name in enumerate(rules) if name == "nodule"])
    if by_nodule.any():
        known = int(Fact.NEW_UNEQUIVOCAL | Fact.NON_TARGET_PROGRESSION)
        nodules = evidence.with_nodule(by_nodule)
        found.append((nodules.where(nodules.fact & np.uint16(known) == 0), 1, by_nodule))
    parts = [mentions.where(cells[mentions.cell]) for mentions, _, cells in found]
    ranks = [np.full(len(part.cell), rank << 21, np.int64) for part, (_, rank, _) in zip(parts, found, strict=True)]
    if by_size.any() and decisions.figures.knows("nadir"):
        part, rank_of_growth = _grown(decisions.figures, evidence, own, np.flatnonzero(by_size))
        parts.append(part)
        ranks.append(rank_of_growth)
    whole = Mentions(
        np.concatenate([part.cell for part in parts]),
        np.concatenate([part.track for part in parts]),
        np.concatenate([part.fact for part in parts]),
    )
    order, followed = np.concatenate(ranks), decisions.followed
    if followed is None:
        return whole, order
    kept = evidence.are_among(followed, whole)
    return whole.where(kept), order[kept]


def _grew(decisions: Decisions, evidence: Evidence) -> NDArray[np.bool_]:
    """Return where growth of the targets is PD by itself, whatever else is."""
    result = decisions.result
    if "target" in result.answers:
        return np.isin(result.responses("target", evidence.block.cell_slice), _PROGRESSIONS)
    return np.isin(decisions.code, [i for i, kind in enumerate(decisions.kinds) if "growth" in kind.template])


def _grown(
    figures: Figures, evidence: Evidence, own: OwnTargets | None, cells: NDArray[np.intp]
) -> tuple[Mentions, NDArray[np.int64]]:
    nadir = evidence.nadir_cell(figures.nadir_um)[cells]
    reference = evidence.baseline_cell[cells] if figures.grows_from_baseline else nadir
    usable = reference >= 0
    if own is not None:
        lesions, rank = own.grown(evidence, cells[usable], reference[usable])
        return lesions, (2 << 21) + np.minimum(rank, (1 << 21) - 1)
    found, growth = evidence.grown(cells[usable], reference[usable])
    largest_first = (1 << 21) - 1 - np.minimum(growth, (1 << 21) - 1)
    return found, (2 << 21) + largest_first


def _missing(evidence: Evidence, own: OwnTargets | None, code: NDArray[np.int32], rules: Sequence[str]) -> Mentions:
    """Return the lesions that were not assessed; targets alone where some target is missing."""
    missing = evidence.missing if own is None else own.missing(evidence)
    is_target = missing.fact & np.uint16(Fact.TARGET_MISSING) != 0
    targets = missing.where(is_target).count(evidence.cells)
    now = missing.where(is_target | (targets[missing.cell] == 0))
    at_baseline = np.isin(code, [i for i, name in enumerate(rules) if name == "baseline_incomplete"])
    if not at_baseline.any():
        return now
    now = now.where(~at_baseline[now.cell])
    lost = missing.where(is_target & evidence.is_baseline[missing.cell])
    series = evidence.series[lost.cell]
    order = np.argsort(series, kind="stable")
    cells = np.flatnonzero(at_baseline)
    low, high = (np.searchsorted(series[order], evidence.series[cells], side=side) for side in ("left", "right"))
    of = np.repeat(np.arange(len(cells)), high - low)
    place = np.arange(len(of)) - np.repeat(np.cumsum(high - low) - (high - low), high - low) + low[of]
    picked = lost.where(order[place])
    return Mentions(
        np.concatenate([now.cell, cells[of]]),
        np.concatenate([now.track, picked.track]),
        np.concatenate([now.fact, picked.fact]),
    )
