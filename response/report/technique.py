"""Whether a finding can be compared with baseline: how it was measured, and how the lesion was imaged, then and now.

Attenuation, enhancement and what is made of them depend on the technique (criteria page, F12): the note says what
differs, the status stands as it is.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.ancillary import Observed
from response.cells import NO_ROW
from response.measurements import Measurements
from response.report.texts import distinct_codes
from response.table import TextColumn
from response.vocabulary import folded

COMPARABLE: Final = ("", "yes")  # of the column `comparable`, which measuring writes (`response.comparable`)
_IMAGED: Final = ("modality", "phase")
# Findings and descriptors whose number depends on the threshold, the phase or the hand that found it, and the column
# that tells how.
_METHODS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("necrosis", "viable fraction", "necrotic volume", "viable volume", "viable to necrotic ratio"),
        "necrosis_method",
    ),
    **dict.fromkeys(("calcification", "haemorrhage", "calcified volume", "haemorrhagic volume"), "dense_parts_method"),
}


def technique_notes(found: Observed, measurements: Measurements) -> TextColumn:
    """Return what to know before comparing a finding with baseline; blank up to the baseline; `[place]`."""
    columns = list(_columns(found, measurements))
    keys: list[tuple[int, ...]] = [(0,), (1,)]
    place = found.after.astype(np.int32)
    for column in columns:
        for codes in _pair(column, found):
            place, joint = distinct_codes(place.astype(np.int64) * (len(column[1].values) + 1) + codes + 1)
            first, second = np.divmod(joint, len(column[1].values) + 1)
            keys = [(*keys[one], other - 1) for one, other in zip(first.tolist(), second.tolist(), strict=True)]
    return TextColumn(place, [_note(found, columns, key) for key in keys])


def _columns(found: Observed, measurements: Measurements) -> Iterator[tuple[str, TextColumn]]:
    names = (*_IMAGED, *((_METHODS[found.name],) if found.name in _METHODS else ()))
    yield from ((name, measurements.text[name]) for name in names if name in measurements.text)
    if "comparable" in measurements.table.columns:
        yield "comparable", measurements.table.columns["comparable"]


def _pair(column: tuple[str, TextColumn], found: Observed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the codes now and at baseline, -1 where there is no baseline row; `[place]`."""
    codes = column[1].codes
    then = np.where(found.baseline_row == NO_ROW, -1, codes[np.maximum(found.baseline_row, 0)] if len(codes) else -1)
    return codes[found.row].astype(np.int64), then.astype(np.int64)


def _note(found: Observed, columns: list[tuple[str, TextColumn]], key: tuple[int, ...]) -> str:
    after, *codes = key
    if not after:
        return ""
    notes = [found.kind.note] if found.kind.note else []
    for (name, column), now, then in zip(columns, codes[::2], codes[1::2], strict=True):
        text, before = column.values[now], column.values[then] if then >= 0 else ""
        if name == "comparable":
            notes += [] if folded(text) in COMPARABLE else [f"the image differs from the first: {text}"]
        elif text and before and folded(text) != folded(before):
            label = "method" if name in _METHODS.values() else name
            notes.append(f"{label} is {text}, and was {before} at baseline")
        elif name in _METHODS.values() and text:
            notes.append(f"measured by: {text}")
    return "; ".join(notes)
