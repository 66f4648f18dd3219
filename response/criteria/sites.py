"""Lesions by where they are: what their organ, or their location, says."""

from collections.abc import Callable

import numpy as np

from response.block import Block
from response.criteria.rules import Flags
from response.criteria.visit_values import at_places


def by_site(block: Block, test: Callable[[str], bool]) -> Flags:
    """Return the lesions whose organ, or location, passes a test where they were first seen; `[track]`."""
    first = block.tracks(block.timeline.tracks.first)
    rows = block.once("first_rows", lambda: at_places(block.row, first[:, None])[:, 0])
    found, texts = np.zeros(len(first), np.bool_), block.timeline.measurements.text
    for column in (texts[name] for name in ("organ", "location") if name in texts):
        passing = np.asarray([test(text) for text in column.values], np.bool_)
        if passing.any():
            found |= passing.take(column.codes.take(rows))
    return found
