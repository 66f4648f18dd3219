"""The tables of results, made batch by batch from an assessment."""

from collections.abc import Sequence
from typing import Any

from response.engine import Assessment
from response.findings import FINDING_COLUMNS, SEVERITIES, Finding
from response.report.ancillary import ANCILLARY_COLUMNS, AncillaryRows
from response.report.columns import NumberColumn, ResultTable
from response.report.concordance import CONCORDANCE_COLUMNS, concordance_columns
from response.report.lesions import LESION_COLUMNS, LesionRows
from response.report.side_by_side import CRITERIA_COLUMNS, CriteriaRows
from response.report.subjects import SUBJECT_COLUMNS, SubjectRows
from response.report.timepoints import TIMEPOINT_COLUMNS, TimepointRows
from response.table import TextColumn

__all__ = [
    "ANCILLARY_COLUMNS",
    "CONCORDANCE_COLUMNS",
    "CRITERIA_COLUMNS",
    "LESION_COLUMNS",
    "SUBJECT_COLUMNS",
    "TIMEPOINT_COLUMNS",
    "ResultTable",
    "ancillary_table",
    "concordance_table",
    "criteria_table",
    "finding_table",
    "lesion_table",
    "subject_table",
    "timepoint_table",
]


def timepoint_table(assessment: Assessment) -> ResultTable:
    """Return one row per subject, evaluator, timepoint and criterion (columns of `timepoints.csv`).

    Rows stand in the order of subject, evaluator, time and criterion; subjects of the subject table without any
    measurement follow at the end, one row per criterion.
    """
    return ResultTable(TimepointRows(assessment).batches)


def subject_table(assessment: Assessment) -> ResultTable:
    """Return one row per subject, evaluator and criterion (columns of `subjects.csv`)."""
    return ResultTable(SubjectRows(assessment).batches)


def lesion_table(assessment: Assessment) -> ResultTable:
    """Return one row per subject, evaluator, timepoint and lesion (columns of `lesions.csv`)."""
    return ResultTable(LesionRows(assessment).batches)


def criteria_table(assessment: Assessment) -> ResultTable:
    """Return one row per subject, evaluator and timepoint with the response by each criterion (`criteria.csv`).

    Rows stand in the order of subject, evaluator and time; subjects of the subject table without any measurement follow
    at the end.
    """
    return ResultTable(CriteriaRows(assessment).batches)


def concordance_table(assessment: Assessment) -> ResultTable:
    """Return how far each pair of criteria agrees over the trial (columns of `concordance.csv`)."""
    return ResultTable(lambda: [concordance_columns(assessment)])


def ancillary_table(assessment: Assessment) -> ResultTable:
    """Return one row per subject, evaluator, timepoint, lesion and ancillary finding (columns of `ancillary.csv`)."""
    return ResultTable(AncillaryRows(assessment).batches)


def finding_table(findings: Sequence[Finding], *, for_sites: bool = False) -> ResultTable:
    """Return one row per finding (columns of `findings.csv`).

    Parameters
    ----------
    findings
        In any order.
    for_sites
        Sort by site and subject, so that each site gets its own part; else the worst come first.
    """
    rank = {severity: place for place, severity in enumerate(SEVERITIES)}

    def order(finding: Finding) -> tuple[Any, ...]:
        severity = rank[finding.severity]
        where = (finding.site, finding.subject, finding.evaluator)
        rest = (finding.timepoint, finding.lesion, finding.id, finding.column, finding.file, finding.line)
        return (*where, severity, *rest) if for_sites else (severity, *where, *rest)

    ordered = sorted(findings, key=order)
    columns: dict[str, Any] = {
        name: TextColumn.of(str(getattr(finding, name)) for finding in ordered)
        for name in FINDING_COLUMNS
        if name != "line"
    }
    columns["line"] = _lines(ordered)
    return ResultTable(lambda: [columns])


def _lines(findings: Sequence[Finding]) -> NumberColumn:
    import numpy as np

    lines = np.asarray([finding.line for finding in findings], np.int64)
    return NumberColumn(lines, lines > 0, 0)
