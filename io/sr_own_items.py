"""What our own reports say beyond the codes of the standards, back to the columns that it came from.

`sr_lesion_groups` writes the other columns of a row as TEXT and CODE items of our own scheme, named as the column.
"""

from typing import Final

from response.columns import COLUMNS, IMAGING_COLUMNS
from response.io.sr_content import ContentItem
from response.vocabulary import LOCAL_SCHEME, STATE_CODES, coded, text_of

RESPONSE_EVALUATION: Final = "112020^DCM"  # the Finding of a group that holds a response and no lesion
_FINDING: Final = "121071^DCM"
_STATES: Final = {coded(*code.split("^")): text_of(state) for state, code in STATE_CODES.items()}


def own_cells(group: ContentItem) -> dict[str, str]:
    """Return the cells that the items of our own scheme in a group hold, by column."""
    found = {}
    for item in group.children:
        column, _, scheme = item.code.partition("^")
        if scheme == LOCAL_SCHEME and (column in COLUMNS or column in IMAGING_COLUMNS):
            text = _word(column, item) if item.value_type == "CODE" else item.words if item.value_type == "TEXT" else ""
            if text:
                found[column] = text
    return found


def is_response(group: ContentItem) -> bool:
    """Return whether a group holds the response by a criterion, and no lesion."""
    return any(item.value_code == RESPONSE_EVALUATION for item in group.children if item.code == _FINDING)


def _word(column: str, item: ContentItem) -> str:
    value, _, scheme = item.value_code.partition("^")
    if column == "state" and item.value_code in _STATES:
        return _STATES[item.value_code]
    return value if scheme == LOCAL_SCHEME else ""
