"""Where the criteria disagree at a timepoint, and the number that decides it, in one line.

Each criterion that says something of the disease tells its category and the number that decided it: the change from
baseline for a response or a stable disease, the growth over its reference for a progression, the change of attenuation
where attenuation decided; the reason itself where no number did. Criteria that are not evaluable contradict nothing,
and say nothing.
"""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.attenuation import QUANTITIES
from response.report.evidence import Evidence
from response.report.sentences import Decision, Decisions, filled, placeholders
from response.report.texts import Texts, scattered, strung_together
from response.vocabulary import PD, RESPONSE_NAMES, Response

# What a category says of the disease. Criteria with the same words disagree where the words differ; others where
# they cannot both be true. A timepoint that is not evaluable contradicts nothing.
_COURSES: Final[Mapping[str, frozenset[str]]] = {
    "CR": frozenset({"smaller"}),
    "PR": frozenset({"smaller"}),
    "SD": frozenset({"stable"}),
    "Non-CR/Non-PD": frozenset({"stable", "smaller"}),
    "PD": frozenset({"larger"}),
    "optimal": frozenset({"smaller"}),
    "incomplete": frozenset({"smaller", "stable"}),
    "none": frozenset({"stable", "larger"}),
    "favourable": frozenset({"smaller"}),
    "indeterminate": frozenset({"stable"}),
    "unfavourable": frozenset({"larger"}),
    "local progression": frozenset({"larger"}),  # complete ablation and residual tumour are no course of the disease
}
_SAME_WORDS: Final = frozenset({"CR", "PR", "SD", "PD"})
_LARGER: Final = frozenset({"larger"})

_UNIT: Final = re.compile(r"{sum} (mm[23]?)\b")
_OWN_DIFFERENCE: Final = "_over_"  # growth over a reference of the criterion's own: the sentence tells it


def disagree(one: str, other: str) -> bool:
    """Return whether two categories of different criteria contradict each other."""
    if one in _SAME_WORDS and other in _SAME_WORDS:
        return one != other
    courses, others = _COURSES.get(one), _COURSES.get(other)
    return courses is not None and others is not None and not courses & others


def deciding_figure(decision: Decision, *, category: str = "", measure: str = "size") -> str:
    """Return the template of the number that decides, made from the numbers that the reason tells.

    Parameters
    ----------
    decision
        What decided.
    category
        What it means, in the words of RECIST where it has one.
    measure
        What the criterion sums.
    """
    told, template = placeholders(decision.template), decision.template
    if any(_OWN_DIFFERENCE in name for name in told):
        return f" ({template})"
    figures = []
    if "growth_percent" in told or _is_growth(told, template, category):
        unit = _UNIT.search(template)
        figures.append(
            f"{{signed_growth_percent}} % in {measure} from {{reference}}{f' {unit.group(1)}' if unit else ''}"
        )
    elif any(name in told for name in ("sum", "shrinkage_percent", "change_percent")):
        figures.append(f"{{change_percent}} % in {measure}")
    figures += [
        f"{{{item.stem}_change_percent}} % in {item.word}"
        for item in QUANTITIES
        if any(name.startswith(item.stem) for name in told)
    ]
    return f" at {' and '.join(figures)}" if figures else f" ({template})"


def _is_growth(told: list[str], template: str, category: str) -> bool:
    """Return whether a sum decides a progression, and not by its change from baseline."""
    over_baseline = "baseline" in told and "reference" not in template
    return _COURSES.get(category) == _LARGER and "sum" in told and not over_baseline


def disagreements(decisions: Mapping[str, Decisions], evidence: Evidence) -> Texts:
    """Return one line per cell in which the criteria tell their category and number; blank where they agree."""
    cells = np.flatnonzero(_contradicting(decisions, evidence))
    pieces: list[Texts] = []
    opened = np.zeros(len(cells), np.bool_)
    for item in decisions.values():
        meanings = _meanings(item)
        overall = item.result.answers["overall"][evidence.block.cell_slice][cells]
        speaks = np.asarray([meaning in _COURSES for meaning in meanings], np.bool_)[overall]
        groups = []
        for code in range(len(item.kinds)):
            here = speaks & (item.code[cells] == code)
            if here.any():
                line = _line(item, code, meanings)
                groups += [(here & ~opened, line), (here & opened, f", {line}")]
        opened |= speaks
        pieces.append(filled(groups, item.figures, cells, sentences=False))
    return scattered(strung_together(pieces), cells, evidence.cells)


def _contradicting(decisions: Mapping[str, Decisions], evidence: Evidence) -> NDArray[np.bool_]:
    found = np.zeros(evidence.cells, np.bool_)
    items = list(decisions.values())
    for place, item in enumerate(items):
        for other in items[place + 1 :]:
            mine, theirs = _meanings(item), _meanings(other)
            table = np.asarray([[disagree(one, two) for two in theirs] for one in mine], np.bool_)
            codes, others = (d.result.answers["overall"][evidence.block.cell_slice] for d in (item, other))
            found |= table[codes, others]
    return found


def _meanings(decisions: Decisions) -> list[str]:
    """Return the categories in the words of RECIST where it has one; progression is PD, confirmed or not."""
    of = {word: RESPONSE_NAMES[code] for code, word in decisions.result.criterion.response_words.items()}
    of[decisions.result.criterion.response_words[Response.UNCONFIRMED_PD]] = PD
    return [of.get(category, category) for category in _categories(decisions)]


def _categories(decisions: Decisions) -> list[str]:
    return decisions.result.categories("overall")  # the last one is reached by NOT_SCORED


def _line(decisions: Decisions, code: int, meanings: list[str]) -> str:
    """Return what a criterion says where it took one decision, still without the numbers."""
    result = decisions.result
    overall = int(result.answers["overall"][decisions.evidence.block.cell_slice][np.argmax(decisions.code == code)])
    criterion = result.criterion
    figure = deciding_figure(decisions.kinds[code], category=meanings[overall], measure=criterion.measure)
    return f"{_categories(decisions)[overall]} by {criterion.title}{figure}"
