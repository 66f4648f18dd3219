"""Empty tables to fill in, and the dictionary that says what belongs into each column."""

from collections.abc import Mapping
from typing import Final

from response.columns import COLLECTED_COLUMNS, COLUMNS, SUBJECT_COLUMNS, VISIT_COLUMNS, Column
from response.vocabulary import text_of

TABLES: Final[Mapping[str, Mapping[str, Column]]] = {
    "measurements": COLUMNS,
    "visits": VISIT_COLUMNS,
    "subjects": SUBJECT_COLUMNS,
    "collected": COLLECTED_COLUMNS,
}
DICTIONARY_COLUMNS: Final = ("column", "required", "type", "allowed", "meaning")
_TYPES: Final = {"text": "text", "code": "word", "number": "number", "date": "date"}


def header(table: str) -> list[str]:
    """Return the columns of a table of `TABLES`, those that are required first."""
    columns = TABLES[table]
    return sorted(columns, key=lambda name: not columns[name].required)


def dictionary(table: str) -> list[tuple[str, ...]]:
    """Return one row of `DICTIONARY_COLUMNS` for each column of a table, in the order of its header."""
    columns = TABLES[table]
    return [
        (name, "yes" if column.required else "no", _TYPES[column.kind], _allowed(column), column.meaning)
        for name, column in ((name, columns[name]) for name in header(table))
    ]


def _allowed(column: Column) -> str:
    if column.words is not None:
        # members that the timeline finds are never written by a person
        from response.vocabulary import State

        members = [member for member in column.words if not (column.words is State and member >= State.MISSING)]
        return ", ".join(text for member in members if (text := text_of(member)))
    if column.kind == "date":
        return "YYYY-MM-DD; YYYY-MM or YYYY where no more is known"
    if column.largest is not None:
        return f"from {-column.largest if column.negative else 0} to {column.largest}"
    return ""
