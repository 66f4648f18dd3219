"""All that a package with a criterion or a reader of its own needs to import; `response.testing` tests it.

The names here stay what they are. Everything else within `response.` is ours to change: a package that imports from
elsewhere may break with the next version. `examples/third_party` is such a package.

A criterion is a `Criterion`: data (an ordered tuple of `Rule` for each `Question`, flags, options, numbers), and two
functions from a `Block` of series to the `State` that the rules ask, and to its numbers. One that sums something over
the target lesions brings a `Burden`, what each target adds, and a `SumTest`, by which shares the sum must shrink or
grow; `SumState` and the conditions below do the rest, and non-targets, new lesions and the combination can be those of
RECIST 1.1. A reader has the two functions of `Reader` and gives a `TextTable`.

Numbers are whole thousandths of their unit (micrometres for mm), so that a threshold is met exactly or not at all.
"""

from response.cells import NO_NUMBER, THOUSAND, thousandths_text
from response.criteria.burden import NO_SUM, Burden, LesionClass
from response.criteria.criterion import Criterion, Number, State
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
from response.criteria.sums import (
    ADJUDICATE_CR,
    TARGETS,
    SumState,
    SumTest,
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
)
from response.errors import InputError
from response.protocol import BestResponseOptions, Options, option
from response.readers import Reader
from response.table import TextColumn, TextTable
from response.timeline import Block
from response.vocabulary import Response
from response.vocabulary import State as LesionState

__all__ = [
    "ADJUDICATE_CR",
    "NEW_LESION_RULES",
    "NON_TARGET_RULES",
    "NO_NUMBER",
    "NO_SUM",
    "OVERALL_RULES",
    "TARGETS",
    "THOUSAND",
    "BestResponseOptions",
    "Block",
    "Burden",
    "CombinationOptions",
    "Criterion",
    "Flags",
    "InputError",
    "LesionClass",
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
    "burden_with",
    "grown",
    "grown_in_part",
    "lesion_number",
    "missing",
    "no_targets",
    "option",
    "otherwise",
    "recist_burden",
    "shrunk",
    "thousandths_text",
]
