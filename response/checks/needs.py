"""Edit checks of the criteria that were asked for: the column that one of them needs, but the table does not fill."""

from collections.abc import Iterator
from typing import Final

from response.checks.scene import Check, Scene
from response.findings import Finding

CRITERION_WITHOUT_COLUMN: Final = "criterion_without_column"


def criteria_without_column(scene: Scene) -> Iterator[Finding]:
    """Criteria that need a column in which no row has a value: told once, and not by subject."""
    measured = scene.measurements
    for name, result in scene.assessment.results.items():
        column = result.criterion.needs
        if column and len(measured) and not measured.has_any(column):
            blank = column in measured.table.columns
            why = "no row has a value of it" if blank else "the measurements have no such column"
            yield Finding(
                id=CRITERION_WITHOUT_COLUMN,
                severity="error",
                column=column,
                found=f"{name}: {why}",
                expected=f"values in {column}",
                sentence=f"{result.criterion.title} needs {column}, but {why}: what it says rests on everything else "
                "alone, and is NE where that does not decide.",
                remedy=f"Add {column}, name the column that holds it with --map, or leave {name} out.",
            )


NEED_CHECKS: Final[tuple[Check, ...]] = (criteria_without_column,)
