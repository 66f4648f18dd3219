"""Small trials for the tests of results: written in the language of the acceptance tables, or all of those at once."""

from functools import cache

import response
from response import Assessment, Measurements, Protocol
from tests.acceptance import Case, Row, iso_day, load, text_table

TABLES = ("target_response", "overall_response", "vectors", "traps", "edges", "choi", "chun")


def case(lesions: str, **inputs: str) -> Case:
    """Return a case with these lesions; `visits`, `subject`, `days` and `options` as in the acceptance tables."""
    blank = dict.fromkeys(("table", "id", "title", "source", "criterion", "visits", "subject", "days", "options"), "")
    return Case(**{**blank, "id": "trial", "lesions": lesions, **inputs}, expected={})


def assessed(lesions: str, *criteria: str, **inputs: str) -> Assessment:
    """Return the assessment of such a case, by RECIST 1.1 and some other criteria."""
    found = case(lesions, **inputs)
    return response.assess(found.measurements(), criteria=criteria, protocol=found.protocol)


def from_rows(
    rows: list[Row], *, visits: list[Row] | None = None, subjects: list[Row] | None = None, **protocol: str
) -> Assessment:
    """Return the assessment of rows of a measurement table."""
    measurements = Measurements.from_table(
        text_table(rows, "trial.csv"),
        visits=text_table(visits, "visits.csv") if visits else None,
        subjects=text_table(subjects, "subjects.csv") if subjects else None,
    )
    return response.assess(measurements, protocol=Protocol.from_toml(protocol.get("options", "")))


def target(subject: str, timepoint: int, length: str, *, lesion: str = "T1", **more: str) -> Row:
    """Return the row of a target in the liver, 56 days after the timepoint before."""
    return {
        "subject": subject,
        "timepoint": str(timepoint),
        "date": iso_day(56 * timepoint),
        "lesion": lesion,
        "role": "target",
        "organ": "liver",
        "longest_mm": length,
        **more,
    }


@cache
def all_at_once() -> Assessment:
    """Return one trial of all cases of the acceptance tables that need no option, by all three criteria."""
    rows: list[Row] = []
    visits: list[Row] = []
    subjects: list[Row] = []
    for name in TABLES:
        for found in load(name):
            if not found.options:
                for part, whole in (
                    (found.rows(), rows),
                    (found.visit_rows(), visits),
                    (found.subject_rows(), subjects),
                ):
                    whole.extend({**row, "subject": f"{name}-{found.id}-{row['subject']}"} for row in part)
    for row in subjects:
        row.update(site=f"site {len(row['subject']) % 3}")
    subjects.append({"subject": "never measured", "treatment_start": iso_day(0), "site": "site 9"})
    measurements = Measurements.from_table(
        text_table(rows, "trial.csv"), visits=text_table(visits, "v.csv"), subjects=text_table(subjects, "s.csv")
    )
    return response.assess(measurements, criteria=("recist-1.1", "choi", "chun"))
