"""Edit checks: what is wrong in the data of an assessment, each finding with row, sentence and remedy.

The checks are functions of a `Scene`, listed in tables; each looks at all rows at once and stops only at its hits.
What one finding explains is not told a second time under another id (`EXPLAINED_BY`).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

from response.checks.ancillary import ANCILLARY_CHECKS
from response.checks.lesions import LESION_CHECKS
from response.checks.misleading import MISLEADING_CHECKS
from response.checks.needs import NEED_CHECKS
from response.checks.radiotherapy import RADIOTHERAPY_CHECKS
from response.checks.rows import ROW_CHECKS
from response.checks.scene import Check, Scene, days_since_1970
from response.checks.series import SERIES_CHECKS
from response.checks.sizes import SIZE_CHECKS
from response.checks.targets import TARGET_CHECKS
from response.checks.visits import VISIT_CHECKS
from response.checks.volumes import VOLUME_CHECKS
from response.compare import compare
from response.findings import Finding
from response.registry import broken_criteria
from response.suggestion import suggestion_findings

if TYPE_CHECKING:
    from response.engine import Assessment

CHECKS: Final[tuple[Check, ...]] = (
    *TARGET_CHECKS,
    *ROW_CHECKS,
    *LESION_CHECKS,
    *SIZE_CHECKS,
    *SERIES_CHECKS,
    *VISIT_CHECKS,
    *ANCILLARY_CHECKS,
    *MISLEADING_CHECKS,
    *RADIOTHERAPY_CHECKS,
    *VOLUME_CHECKS,
    *NEED_CHECKS,
)

# Finding -> findings about the same lesion and timepoint that explain it.
EXPLAINED_BY: Final = {
    "target_without_baseline_value": (
        *("conflicting_rows", "unusable_cell", "number_on_absent", "number_on_not_evaluable"),
        "node_without_short_axis",
    ),
    "target_without_value": ("unusable_cell", "node_without_short_axis", "conflicting_rows"),
    "new_lesion_without_state": ("unusable_cell",),
    "unknown_lesion": ("unknown_parent",),
}
_EXPLAINING: Final = frozenset(id_ for ids in EXPLAINED_BY.values() for id_ in ids)


def check(assessment: "Assessment", *, today: date | None = None) -> list[Finding]:
    """Return everything that is wrong, or worth a look, in the data of an assessment.

    Parameters
    ----------
    assessment
        With the findings of its reading and of its timeline, which come first.
    today
        Later dates lie in the future; the day of the call if not given.

    Returns
    -------
    list of Finding
        Of a check with very many hits only the first are listed, and one finding tells how many more there are.
    """
    scene = Scene(assessment, days_since_1970(today or date.today()))
    found = [*_with_sites(scene), *(finding for make in CHECKS for finding in make(scene)), *broken_criteria()]
    data = _unexplained(found)
    return [*data, *compare(assessment, data), *suggestion_findings(assessment)]


def _with_sites(scene: Scene) -> list[Finding]:
    """Return the findings of reading and timeline with the site of their subject."""
    found = [*scene.measurements.findings, *scene.timeline.findings]
    subjects = scene.measurements.subjects
    if subjects is None or not found:
        return found
    wanted = {finding.subject for finding in found}
    texts = subjects.text_column("subject").texts()
    sites = {text: subjects.text_column("site").text(row) for row, text in enumerate(texts) if text in wanted}
    return [replace(finding, site=finding.site or sites.get(finding.subject, "")) for finding in found]


def _unexplained(found: Iterable[Finding]) -> list[Finding]:
    findings = list(found)
    told = {(finding.id, *_about(finding)) for finding in findings if finding.id in _EXPLAINING}
    return [
        finding
        for finding in findings
        if not any((id_, *_about(finding)) in told for id_ in EXPLAINED_BY.get(finding.id, ()))
    ]


def _about(finding: Finding) -> tuple[str, str, str, str]:
    return finding.subject, finding.evaluator, finding.timepoint, finding.lesion
