"""The ancillary findings of a timepoint as lines for people."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from response.ancillary import CHANGED, NEITHER
from response.descriptors import DESCRIPTORS
from response.report.ancillary import PATHOLOGY, PATHOLOGY_SOURCE
from response.visit_descriptors import INTERVALS
from response.vocabulary import text_of

Row = Mapping[str, str]


def ancillary_lines(rows: Sequence[Row], judged: Mapping[tuple[str, str], Sequence[str]]) -> Iterator[str]:
    """Hand out the lines of one timepoint: what a criterion judges by, and under another heading what changes nothing.

    Parameters
    ----------
    rows
        Of the table of ancillary findings.
    judged
        Titles of the criteria that judge by a finding, by lesion and finding.
    """
    rows = [row for row in rows if row["finding"] not in INTERVALS]  # the title of the timepoint tells them
    titles = {place: judged.get((row["lesion"], row["finding"]), ()) for place, row in enumerate(rows)}
    for title in dict.fromkeys(title for of_row in titles.values() for title in of_row):
        yield from _under(f"Judged by {title}", [row for place, row in enumerate(rows) if title in titles[place]])
    others = [row for place, row in enumerate(rows) if not titles[place]]
    yield from _under("Ancillary findings, which change no category", others)


def _under(heading: str, rows: Sequence[Row]) -> Iterator[str]:
    """Hand out lines under a heading: the whole timepoint, then lesion by lesion what changed, did not, is unknown.

    How large lesions are comes after that; notes come at the end, and only where something changed.
    """
    if rows:
        yield f"  {heading}:"
    yield from (f"    {_of_timepoint(row)}" for row in rows if not row["lesion"])
    rows = [row for row in rows if row["lesion"]]
    for lesion, of_lesion in groupby(rows, lambda row: row["lesion"]):
        for told in _of_lesion(list(of_lesion)):
            yield f"    {lesion}: {told}"
    changed = [row for row in rows if row["status"] in _CHANGED or row["change"] not in ("", "0")]
    for note in dict.fromkeys(row["note"] for row in changed if row["note"]):
        lesions = dict.fromkeys(row["lesion"] for row in changed if row["note"] == note)
        yield f"    Note on {', '.join(lesions)}: {note}"


_CHANGED: Final = frozenset(text_of(status) for status in CHANGED)
_EXTENTS: Final = tuple(name for name in DESCRIPTORS if name.startswith("extent"))


def _of_timepoint(row: Row) -> str:
    known = [("baseline_value", "change", "at baseline")]
    if row["nadir_value"] != row["baseline_value"]:
        known.append(("nadir_value", "change_from_nadir", "at its smallest before"))
    told = [
        f"{_value({**row, 'value': row[before]})} {when}, {_since(row, change)}"
        for before, change, when in known
        if row[before]
    ]
    note = f": {row['note']}" if row["note"] else ""
    return f"{row['finding']} {_value(row)}{_in_brackets('; '.join(told))}{note}"


def _since(row: Row, change: str) -> str:
    share = row[f"{change}_percent"]
    return f"{_signed(share)} %" if share else _signed(row[change])


def _of_lesion(rows: Sequence[Row]) -> Iterator[str]:
    findings = [row for row in rows if row["finding"] not in DESCRIPTORS]
    telling = [row for row in findings if row["finding"] == PATHOLOGY or row["status"] in _CHANGED]
    yield from (f"{row['finding']} {_told(row)}" for row in telling)
    plain = [row for row in findings if row not in telling and not row["why"]]
    if plain:
        yield ", ".join(f"{row['finding']} {_told(row)}" for row in plain)
    for why in dict.fromkeys(row["why"] for row in findings if row["why"]):
        names = (f"{row['finding']}{_in_brackets(_value(row))}" for row in findings if row["why"] == why)
        yield f"not evaluable, {why}: {', '.join(names)}"
    if sizes := list(_sizes({row["finding"]: row for row in rows})):
        yield ", ".join(sizes)


def _told(row: Row) -> str:
    if row["finding"] == PATHOLOGY:
        value = f", {row['value']} % viable cells" if row["value"] else ""
        return f"class {row['pathology_class']} ({PATHOLOGY_SOURCE}){value}"
    said = (row["status"] or row["recorded"]).replace("_", " ")
    if not said:
        return _value(row) or "not recorded"
    return f"{said}{_in_brackets(_change(row) if row['status'] else _value(row))}{_meaning(row)}"


def _sizes(of: Mapping[str, Row]) -> Iterator[str]:
    """Hand out the descriptors of a lesion, the three extents as one."""
    if all(name in of for name in _EXTENTS):
        planes = " x ".join(of[name]["value"] for name in _EXTENTS)
        yield f"{planes} mm (left-right x front-back x head-foot)"
    for name, row in of.items():
        if name in DESCRIPTORS and (name not in _EXTENTS or not all(extent in of for extent in _EXTENTS)):
            share = f" ({_signed(row['change_percent'])} %)" if row["change_percent"] else ""
            yield f"{name} {_change(row)}{share}"


def _change(row: Row) -> str:
    return f"{row['baseline_value']} to {_value(row)}" if row["value"] and row["change"] else _value(row)


def _value(row: Row) -> str:
    times = " x" if row["unit"].startswith("10^") else ""  # 1.2 x 10^-3 mm2/s
    unit = "" if row["unit"] == "fraction" or not row["value"] else f"{times} {row['unit']}"
    return f"{row['value']}{unit}".rstrip()


def _signed(number: str) -> str:
    return number if number.startswith("-") or number == "0" else f"+{number}"


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _meaning(row: Row) -> str:
    if row["indication"] in ("", NEITHER):
        return ""
    return f", {row['indication']} response ({row['indication_source']})"
