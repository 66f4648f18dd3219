"""Where the criteria disagree at a timepoint, and the number that decides it, in one line."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
}
_SAME_WORDS: Final = frozenset({"CR", "PR", "SD", "PD"})


def disagree(one: str, other: str) -> bool:
    """Return whether two categories of different criteria contradict each other."""
    if one in _SAME_WORDS and other in _SAME_WORDS:
        return one != other
    courses, others = _COURSES.get(one), _COURSES.get(other)
    return courses is not None and others is not None and not courses & others


def deciding_figure(decision: Decision) -> str:
    """Return the template of the number that decides, made from the numbers that the reason tells."""
    told = placeholders(decision.template)
    size = any(name in told for name in ("sum", "shrinkage_percent", "change_percent"))
    attenuation = any(name.startswith("hu") for name in told)
    figures = []
    if "growth_percent" in told:
        figures.append("{signed_growth_percent} % in size from {reference} mm")
    elif size:
        figures.append("{change_percent} % in size")
    if attenuation:
        figures.append("{hu_change_percent} % in attenuation")
    if figures:
        return f" at {' and '.join(figures)}"
    return f" ({decision.template})"


def disagreements(decisions: Mapping[str, Decisions], evidence: Evidence) -> Texts:
    """Return one line per cell in which each criterion tells its category and number; blank where they agree."""
    cells = np.flatnonzero(_contradicting(decisions, evidence))
    pieces: list[Texts] = []
    for item in decisions.values():
        opening = ", " if pieces else ""
        groups = [(item.code[cells] == code, opening + _line(item, code)) for code in range(len(item.kinds))]
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


def _line(decisions: Decisions, code: int) -> str:
    """Return what a criterion says where it took one decision, still without the numbers."""
    overall = decisions.result.answers["overall"][decisions.evidence.block.cell_slice]
    category = _categories(decisions)[int(overall[np.argmax(decisions.code == code)])]
    return f"{category} by {decisions.result.criterion.title}{deciding_figure(decisions.kinds[code])}"
