"""Findings: what is wrong, or worth a look, in the data; each with where it stands and what to do."""

import hashlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["error", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a data manager should look at.

    Attributes
    ----------
    id
        Stable name of the check, a noun: `too_many_targets`.
    severity
        `error`: a value could not be used or a result depends on it; `warning`: probably wrong; `info`: good to know.
    subject, site, evaluator, timepoint, lesion, column
        What it is about; empty where it does not apply.
    found, expected
        As texts.
    sentence, remedy
        For a person: what is wrong, and what to do.
    file, line
        Where the row stands; line 0 where none applies.
    """

    id: str
    severity: Severity
    subject: str = ""
    site: str = ""
    evaluator: str = ""
    timepoint: str = ""
    lesion: str = ""
    column: str = ""
    found: str = ""
    expected: str = ""
    sentence: str = ""
    remedy: str = ""
    file: str = ""
    line: int = 0

    @property
    def key(self) -> str:
        """Return a short stable key: the same finding in a later run of the same data has the same key."""
        about = (self.id, self.subject, self.evaluator, self.timepoint, self.lesion, self.column, self.found)
        return hashlib.sha256("\x1f".join(about).encode()).hexdigest()[:12]


FINDING_COLUMNS: Final = ("id", "key", *(item.name for item in fields(Finding) if item.name != "id"))


def as_frame(findings: list[Finding]) -> "pd.DataFrame":
    """Return findings as a table, the worst first, then by subject, evaluator, timepoint, lesion and id."""
    import pandas as pd  # half a second: only who wants a table pays for it

    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    rows: list[dict[str, Any]] = [
        {name: getattr(finding, name) for name in FINDING_COLUMNS}
        for finding in sorted(
            findings, key=lambda f: (order[f.severity], f.site, f.subject, f.evaluator, f.timepoint, f.lesion, f.id)
        )
    ]
    return pd.DataFrame(rows, columns=list(FINDING_COLUMNS))
