"""Which ancillary findings are more than that: numbers by which a criterion that was assessed judges a lesion.

It judges by the column that it needs, or by what it adds up over the targets, as its own sum shows.
"""

from collections.abc import Mapping

import numpy as np

from response.ancillary import KINDS
from response.cells import NO_NUMBER
from response.criteria.burden import Burden
from response.criteria.criterion import State
from response.criteria.recist import RecistState
from response.criteria.rules import Flags
from response.criteria.sums import lesion_number
from response.descriptors import DESCRIPTORS
from response.engine import Assessment
from response.registry import STANDARD


def judged_findings(assessment: Assessment, states: Mapping[str, State]) -> dict[tuple[str, str], list[str]]:
    """Return the titles of the criteria that judge by a finding, by lesion and finding; of one series.

    Parameters
    ----------
    assessment
        Of one series.
    states
        What the rules of each criterion asked.
    """
    found: dict[tuple[str, str], list[str]] = {}
    names, lesions = assessment.timeline.tracks.lesions, assessment.timeline.tracks.lesion
    standard = states[STANDARD]
    assert isinstance(standard, RecistState)
    for name, result in assessment.results.items():
        state = states[name]
        burden = state.burden if isinstance(state, RecistState) else standard.burden
        for finding, column in _columns(assessment).items():
            judged = _measured(burden, column) if column == result.criterion.needs else _added(burden, column)
            if column == result.criterion.needs or result.own_targets.any():
                for track in np.flatnonzero(judged).tolist():
                    found.setdefault((names[lesions[track]], finding), []).append(result.criterion.title)
    return found


def _columns(assessment: Assessment) -> dict[str, str]:
    """Return the column of numbers of each finding that has one in the table; none of what is made of several."""
    numbers = assessment.timeline.measurements.numbers
    plain = [(name, kind.number) for name, kind in KINDS.items()]
    plain += [(name, group[0]) for name, item in DESCRIPTORS.items() for group in item.columns if len(group) == 1]
    return {name: column for name, column in plain if column in numbers}


def _measured(burden: Burden, column: str) -> Flags:
    """Return the targets of which a number was recorded, `[track]`."""
    return np.asarray((burden.is_target & (lesion_number(burden.block, column) != NO_NUMBER)).any(axis=1))


def _added(burden: Burden, column: str) -> Flags:
    """Return the targets that add this number wherever they add something, `[track]`."""
    adds = burden.is_target & (burden.value_um > 0)
    alike = burden.value_um == lesion_number(burden.block, column)
    return np.asarray(adds.any(axis=1) & (alike | ~adds).all(axis=1))
