"""The criteria side by side: one row per subject, evaluator and timepoint (`criteria.csv`)."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from response.block import Block
from response.engine import Assessment
from response.registry import STANDARD
from response.report.columns import Columns, blank_texts, date_texts, made_ahead, yes_or_blank
from response.report.disagreement import disagreements
from response.report.evidence import Evidence
from response.report.sentences import Decisions
from response.report.series_columns import series_columns, site_of, unmeasured_subjects
from response.report.texts import as_texts
from response.result import Result
from response.table import TextColumn

# One column per criterion follows, under its name, and `disagreement`.
CRITERIA_COLUMNS: Final = ("subject", "site", "evaluator", "accepted", "timepoint", "date")


class CriteriaRows:
    """Makes the rows of one block after the other."""

    def __init__(self, assessment: Assessment) -> None:
        self.results, self.timeline = assessment.results, assessment.timeline

    def batches(self) -> Iterator[Columns]:
        """Hand out the rows, block by block, and at the end those of subjects without any measurement."""
        yield from made_ahead(self._block_rows, self.timeline.blocks())
        yield self._unmeasured_rows()

    def _block_rows(self, block: Block) -> Columns:
        evidence = Evidence(block, self.results[STANDARD])
        visits, cells = self.timeline.visits, block.cell_slice
        decisions = {name: Decisions(result, evidence) for name, result in self.results.items()}
        shared: dict[str, Any] = {
            **series_columns(self.timeline, evidence.series),
            "accepted": yes_or_blank(visits.accepted[cells]),
            "timepoint": TextColumn(visits.label[cells], visits.labels),
            "date": date_texts(visits.first_scan[cells], visits.precision[cells]),
        }
        told = disagreements(decisions, evidence) if len(decisions) > 1 else as_texts(blank_texts(evidence.cells))
        return {
            **{name: shared[name] for name in CRITERIA_COLUMNS},
            **{name: _overall(result, cells) for name, result in self.results.items()},
            "disagreement": told,
        }

    def _unmeasured_rows(self) -> Columns:
        rows, subjects = unmeasured_subjects(self.timeline)
        blank = blank_texts(len(rows))
        return {
            **dict.fromkeys(CRITERIA_COLUMNS, blank),
            "subject": TextColumn(np.arange(len(rows), dtype=np.int32), [*subjects, ""]),
            "site": site_of(self.timeline, rows),
            **{name: TextColumn.constant("NE", len(rows)) for name in self.results},
            "disagreement": as_texts(blank),
        }


def _overall(result: Result, cells: slice) -> TextColumn:
    categories = result.categories()
    codes = result.answers["overall"][cells].astype(np.int32)
    return TextColumn(np.where(codes < 0, len(categories) - 1, codes).astype(np.int32), categories)


__all__ = ["CRITERIA_COLUMNS", "CriteriaRows"]
