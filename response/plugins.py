"""All that a package with a criterion or a reader of its own needs to import; `response.testing` tests it.

The names here stay what they are. Everything else within `response.` is ours to change: a package that imports from
elsewhere may break with the next version. `examples/third_party` is such a package.

A criterion is a `Criterion`: data (an ordered tuple of `Rule` for each `Question`, flags, options, numbers), and two
functions from a `Block` of series to the `State` that the rules ask, and to its numbers. One that sums something over
the target lesions says what each target adds (`targets_measured`), and by which shares the sum must shrink or grow
(`SumTest`); `SumState` and the conditions below do the rest, and non-targets, new lesions and the combination can be
those of RECIST 1.1. A reader has the two functions of `Reader` and gives a `TextTable`.

Numbers are whole thousandths of their unit (micrometres for mm), so that a threshold is met exactly or not at all.
"""

import numpy as np
from numpy.typing import NDArray

from response.block import Block
from response.cells import NO_NUMBER, THOUSAND, thousandths_text
from response.criteria.burden import NO_SUM, Burden
from response.criteria.criterion import Criterion, Number, State
from response.criteria.own_numbers import without_diameter
from response.criteria.products import any_target
from response.criteria.recist import (
    NEW_LESION_RULES,
    NON_TARGET_RULES,
    OVERALL_RULES,
    CombinationOptions,
    RecistState,
    recist_burden,
)
from response.criteria.rules import Flags, Question, Rule
from response.criteria.some_lesions import put
from response.criteria.sum_tests import SumTest
from response.criteria.sums import (
    ADJUDICATE_CR,
    Part,
    SumState,
    all_gone,
    baseline_incomplete,
    burden_with,
    grown,
    grown_in_part,
    lesion_number,
    missing,
    no_targets,
    otherwise,
    shrunk,
    targets_of,
)
from response.errors import InputError
from response.protocol import BestResponseOptions, Options, option
from response.readers import Reader
from response.readings import SUMMED
from response.table import TextColumn, TextTable
from response.vocabulary import Response
from response.vocabulary import State as LesionState

__all__ = [
    "ADJUDICATE_CR",
    "NEW_LESION_RULES",
    "NON_TARGET_RULES",
    "NO_NUMBER",
    "NO_SUM",
    "OVERALL_RULES",
    "THOUSAND",
    "BestResponseOptions",
    "Block",
    "Burden",
    "CombinationOptions",
    "Criterion",
    "Flags",
    "InputError",
    "LesionState",
    "Number",
    "Options",
    "Question",
    "Reader",
    "RecistState",
    "Response",
    "Rule",
    "State",
    "SumState",
    "SumTest",
    "TextColumn",
    "TextTable",
    "all_gone",
    "any_target",
    "baseline_incomplete",
    "grown",
    "grown_in_part",
    "lesion_number",
    "missing",
    "no_targets",
    "option",
    "otherwise",
    "recist_burden",
    "shrunk",
    "targets_measured",
    "thousandths_text",
]


def targets_measured(read: Burden, value: NDArray[np.int64]) -> Burden:
    """Return the lesions of a block with a number of the criterion's own as what each target adds to the sum.

    Parameters
    ----------
    read
        The lesions as RECIST 1.1 reads them (`recist_burden`).
    value
        What each target measures, in thousandths, `NO_NUMBER` where it was not measured (`lesion_number` gives a
        column so); `[track, timepoint]`. What stands there for other lesions is passed over.

    Returns
    -------
    Burden
        A target that RECIST 1.1 measured, but without such a number, is not evaluable; one with such a number, which
        RECIST 1.1 could not evaluate for want of a diameter alone, is measured. One that is gone, merged into another
        or not evaluable for another reason stays so, and adds nothing. A node of normal size adds its number.
    """
    tracks = np.flatnonzero(targets_of(read))
    state, number = read.state[tracks], value[tracks]
    known = number != NO_NUMBER
    lost = (state == LesionState.NOT_EVALUABLE) & known
    state = put(state, without_diameter(read.block, tracks, lost), LesionState.MEASURED)
    measured = np.isin(state, SUMMED)
    lost = put(state, measured & ~known, LesionState.NOT_EVALUABLE)
    return burden_with(read, Part(tracks=tracks, state=lost, value=np.where(measured & known, number, 0)))
