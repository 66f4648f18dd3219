"""Whether the image of each row was acquired like the first one of its lesion: the column `comparable`."""

from collections.abc import Mapping
from dataclasses import replace

from response.imaging.comparability import differences
from response.imaging.volume import Acquisition
from response.table import TextColumn, TextTable

YES = "yes"
_WHO = ("subject", "evaluator", "lesion")
_WHAT = (
    *("modality", "phase", "kvp", "kernel", "slice_thickness_mm", "slice_interval_mm", "mr_sequence", "scanner"),
    *("date", "timepoint"),
)


def with_comparability(table: TextTable) -> TextTable:
    """Return a measurement table with the column `comparable`.

    It says `yes`, or what differs from the earliest row of the same lesion that has an image; it is blank in that row
    itself, and where a row has no image.
    """
    columns = {name: table.column(name).texts() for name in (*_WHO, *_WHAT)}
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    first: dict[tuple[str, ...], Mapping[str, str]] = {}
    for row in sorted(rows, key=lambda row: (row["date"], row["timepoint"])):
        if row["modality"]:
            first.setdefault(_who(row), row)
    told = [_told(first.get(_who(row)), row) for row in rows]
    return replace(table, columns={**table.columns, "comparable": TextColumn.of(told)})


def _who(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in _WHO)


def _told(first: Mapping[str, str] | None, row: Mapping[str, str]) -> str:
    if first is None or first is row or not row["modality"]:
        return ""
    found = differences(
        _acquisition(first),
        _acquisition(row),
        first_interval_mm=_number(first["slice_interval_mm"]),
        now_interval_mm=_number(row["slice_interval_mm"]),
    )
    return "; ".join(found) or YES


def _acquisition(row: Mapping[str, str]) -> Acquisition:
    return Acquisition(
        modality=row["modality"],
        phase=row["phase"],
        kvp=_number(row["kvp"]),
        kernel=row["kernel"],
        slice_thickness_mm=_number(row["slice_thickness_mm"]),
        manufacturer=row["scanner"],
        sequence=row["mr_sequence"],
    )


def _number(text: str) -> float:
    return float(text) if text else 0.0
