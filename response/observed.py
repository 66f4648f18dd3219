"""From what reports and segmentations say of lesions to the measurement table: one row per lesion and timepoint."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from response.columns import COLUMNS, IMAGING_COLUMNS
from response.findings import Finding
from response.identity import identify
from response.keys import natural_key
from response.lesion_map import LesionMap
from response.observations import Observation
from response.observed_roles import Roles, assign_roles
from response.observed_rows import Row, make_rows
from response.study_visits import place_visits
from response.table import TextColumn, TextTable

if TYPE_CHECKING:
    from response.imaging.morphology import Suggestion


@dataclass(frozen=True, eq=False, kw_only=True)
class SuggestedGroup:
    """The suggested Chun group of one lesion at one timepoint, with the map of its border.

    Attributes
    ----------
    subject, timepoint, date, lesion
        As in the measurement table.
    file
        The mask that it was made on.
    suggestion
        Group, votes, numbers and map.
    """

    subject: str
    timepoint: str
    date: str
    lesion: str
    file: str
    suggestion: "Suggestion"


@dataclass(frozen=True, kw_only=True)
class Observed:
    """A measurement table made from observations.

    Attributes
    ----------
    table
        Its columns are those of `columns.COLUMNS` and `IMAGING_COLUMNS` that occur; the required ones always do.
    findings
        How lesions were matched, which roles were assumed, and what is ambiguous.
    suggestions
        The suggested Chun groups of observations that carry one.
    """

    table: TextTable
    findings: Sequence[Finding]
    suggestions: Sequence[SuggestedGroup] = field(default=())


def measurement_table(
    observations: Iterable[Observation],
    *,
    lesion_map: LesionMap | None = None,
    roles: Roles = "propose",
    organs: bool = False,
    dates: Mapping[str, str] | None = None,
) -> Observed:
    """Return one row per lesion and timepoint.

    1. Studies become timepoints: by their labels where all of a subject have one, else by date.
    2. Lesions are matched over time (`response.identity`); nothing is joined where that is not certain.
    3. A report and a segmentation of one lesion become one row; the report's values win.
    4. Roles are as coded or mapped, else assumed (`response.observed_roles`); each assumption is a finding.

    Parameters
    ----------
    observations
        Of any number of subjects, in any order.
    lesion_map
        Which structure is which lesion, where the sources do not say it.
    roles
        `propose` or `as_coded`.
    organs
        Whether structures that are no lesions stand in the table too, without a role. Leave them out of a table that
        is scored.
    dates
        ISO dates by study, as image headers have them; a report may tell of a study of which it has no date.
    """
    placed = place_visits(observations, dates)
    identified = identify(placed.observations, lesion_map)
    made = make_rows(placed.observations, identified.lesions, identified.entries)
    found = assign_roles(made.rows, placed.order, roles, unordered=placed.unordered)
    place = {
        (subject, label): number for subject, labels in placed.order.items() for number, label in enumerate(labels)
    }
    rows = sorted(
        (row for row in made.rows if organs or not row.is_organ),
        key=lambda row: (
            row.subject,
            row.evaluator,
            place[row.subject, row.timepoint],
            row.is_organ,
            natural_key(row.lesion),
            row.file,
        ),
    )
    findings = [*placed.findings, *identified.findings, *made.findings, *found]
    suggestions = [
        SuggestedGroup(
            subject=item.subject,
            timepoint=item.timepoint,
            date=item.date,
            lesion=lesion,
            file=item.file,
            suggestion=item.suggestion,
        )
        for item, lesion in zip(placed.observations, identified.lesions, strict=True)
        if item.suggestion is not None
    ]
    return Observed(table=_table(rows, placed.unordered), findings=findings, suggestions=suggestions)


def _table(rows: Sequence[Row], unordered: frozenset[tuple[str, str]]) -> TextTable:
    """Return the rows as a table; a timepoint of which nobody knows when it was stays blank, so it is not scored."""
    cells = [
        {
            **row.cells,
            "subject": row.subject,
            "evaluator": row.evaluator,
            "timepoint": "" if (row.subject, row.timepoint) in unordered else row.timepoint,
            "date": row.date,
            "lesion": row.lesion,
            "role": row.role,
        }
        for row in rows
    ]
    occurring = {name for row in cells for name, text in row.items() if text}
    names = [
        name
        for name in (*COLUMNS, *IMAGING_COLUMNS)
        if name in occurring or (name in COLUMNS and COLUMNS[name].required)
    ]
    files = sorted({row.file for row in rows})
    number = {file: place for place, file in enumerate(files)}
    return TextTable(
        columns={name: TextColumn.of(row.get(name, "") for row in cells) for name in names},
        files=files or [""],
        file_codes=np.asarray([number[row.file] for row in rows], np.int32),
        lines=np.zeros(len(rows), np.int32),
    )
