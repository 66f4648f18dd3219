"""From observations to rows: one per lesion, timepoint and evaluator, put together from reports and segmentations."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from response.findings import Finding, Severity
from response.lesion_map import MapEntry
from response.observations import Observation
from response.vocabulary import LYMPH_NODE, folded, is_nodal_site, known_organ, organ_of_code

EMPTY: Final = "empty segment"
DIFFERENCE_MM: Final = 2.0  # a report and a segmentation differ where their diameters do by more than this
DIFFERENCE_FRACTION: Final = 0.1  # and by more than this share of the report's

_LENGTHS: Final = ("longest_mm", "short_mm")
_NUMBERS: Final = (*_LENGTHS, "viable_mm", "area_mm2", "volume_mm3", "attenuation_hu")
_OF_DIAMETERS: Final = (
    *("longest_mm", "short_mm", "longest_from", "longest_to", "short_from", "short_to", "diameter_convention"),
    *("diameter_notes", "slice_position_mm", "sop_instance_uid", "sop_class_uid", "frame_number"),
)  # they belong together: of one measurement, or not at all
_OF_ATTENUATION: Final = "attenuation_"
_OF_STATE: Final = ("state", "reason")


@dataclass(kw_only=True)
class Row:
    """One row while the table is made.

    Attributes
    ----------
    subject, evaluator, timepoint, date, lesion, file
        As in the measurement table.
    cells
        By column, the others.
    is_organ
        Whether it is no lesion.
    said_role
        Role in the map.
    coded_role
        Role in the sources.
    role
        What it comes to.
    """

    subject: str
    evaluator: str
    timepoint: str
    date: str
    lesion: str
    file: str
    cells: dict[str, str] = field(default_factory=dict)
    is_organ: bool = False
    said_role: str = ""
    coded_role: str = ""
    role: str = ""

    @property
    def side(self) -> str:
        """`left` or `right`, where the site says one of them."""
        words = set(folded(f"{self.cells.get('organ', '')} {self.cells.get('location', '')}").split())
        sides = words & {"left", "right"}
        return sides.pop() if len(sides) == 1 else ""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """All rows, and what was found on putting them together."""

    rows: Sequence[Row]
    findings: Sequence[Finding]


def make_rows(observations: Sequence[Observation], lesions: Sequence[str], entries: Sequence[MapEntry | None]) -> Rows:
    """Put the observations of one lesion at one timepoint together.

    1. Where two observers measured one lesion at one timepoint, each observer of the subject is an evaluator; a report
       may name its evaluator itself, as ours do.
    2. What reports (and what segmentations) say in parts becomes one row; values that differ stay rows of their own.
    3. A segmentation fills what the report of the same lesion leaves blank.
    4. Organ and nodal hold for the whole course of a lesion.
    """
    maker = _Maker()
    groups: dict[tuple[str, str, str], list[tuple[Observation, MapEntry | None]]] = defaultdict(list)
    for item, lesion, entry in zip(observations, lesions, entries, strict=True):
        groups[item.subject, item.timepoint, lesion].append((item, entry))
    evaluated = maker.subjects_with_evaluators(groups)
    for (subject, _, lesion), parts in groups.items():
        maker.add(lesion, parts, with_evaluators=subject in evaluated)
    maker.complete()
    return Rows(rows=maker.rows, findings=maker.findings)


class _Maker:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.findings: list[Finding] = []

    def subjects_with_evaluators(
        self, groups: Mapping[tuple[str, str, str], Sequence[tuple[Observation, MapEntry | None]]]
    ) -> set[str]:
        """Return the subjects of whom two observers measured one lesion at one timepoint, and tell of them."""
        found: set[str] = set()
        for (subject, timepoint, lesion), parts in groups.items():
            observers = {item.observer for item, _ in parts if item.kind == "report"}
            if len(observers) > 1 and subject not in found:
                found.add(subject)
                sentence = f"{len(observers)} observers measured one lesion at one timepoint; each is an evaluator."
                self.findings.append(
                    Finding(
                        id="several_observers",
                        severity="info",
                        subject=subject,
                        timepoint=timepoint,
                        lesion=lesion,
                        found=str(len(observers)),
                        sentence=f"{sentence} Segmentations without a report stand under no evaluator.",
                        remedy="None needed.",
                    )
                )
        return found

    def add(self, lesion: str, parts: Sequence[tuple[Observation, MapEntry | None]], *, with_evaluators: bool) -> None:
        """Add the rows of one lesion at one timepoint."""
        masks = self._folded([_row(item, entry, lesion, "") for item, entry in parts if item.kind == "mask"])
        reports: dict[str, list[Row]] = defaultdict(list)
        for item, entry in parts:
            if item.kind == "report":
                evaluator = item.cells.get("evaluator", "") or (item.observer if with_evaluators else "")
                reports[evaluator].append(_row(item, entry, lesion, evaluator))
        for several in reports.values():
            rows = self._folded(several)
            if len(masks) == 1:
                for row in rows:
                    self._fill(row, masks[0])
            self.rows += rows
        if not reports or len(masks) > 1:
            self.rows += masks

    def complete(self) -> None:
        """Give every row of a lesion its organ, and whether it is nodal, in the whole course."""
        courses: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in self.rows:
            courses[row.subject, row.lesion].append(row)
        for rows in courses.values():
            for name in ("organ", "nodal"):
                said = next((row.cells[name] for row in rows if row.cells.get(name)), "")
                for row in rows:
                    if said and (name == "nodal" or not row.cells.get(name)):
                        row.cells[name] = said
            role = next((row.said_role for row in rows if row.said_role), "")
            is_organ = any(row.is_organ for row in rows) and not any(row.coded_role or row.said_role for row in rows)
            for row in rows:
                row.said_role, row.is_organ = role, is_organ

    def _folded(self, rows: Sequence[Row]) -> list[Row]:
        """Put rows together that contradict each other in no number; tell of those that do."""
        folded_rows: list[Row] = []
        for row in rows:
            same = next((other for other in folded_rows if not _differing(other, row)), None)
            if same is None:
                folded_rows.append(row)
            else:
                _take_blank(same, row, row.cells)
        if len(folded_rows) > 1:
            first = folded_rows[0]
            names = _differing(first, folded_rows[1])
            found = "; ".join(" and ".join(row.cells.get(name, "") for row in folded_rows) for name in names)
            sentence = f"{len(folded_rows)} sources give one lesion at one timepoint different values ({found})."
            remedy = "Keep one row of the table, or say in a map of lesions that they are different lesions."
            self._tell("sources_differ", "error", first, sentence, column=names[0], found=found, remedy=remedy)
        return folded_rows

    def _fill(self, row: Row, mask: Row) -> None:
        """Fill what a report leaves blank from a segmentation; what belongs together comes from one of them."""
        own = dict(mask.cells)
        self._compare(row, mask)
        if any(row.cells.get(name) for name in _LENGTHS):
            own = {name: text for name, text in own.items() if name not in _OF_DIAMETERS}
        if row.cells.get("attenuation_hu"):
            own = {name: text for name, text in own.items() if not name.startswith(_OF_ATTENUATION)}
        if any(row.cells.get(name) for name in _NUMBERS):
            own = {name: text for name, text in own.items() if name not in _OF_STATE}
        elif any(own.get(name) for name in _NUMBERS) and row.cells.get("state") != "absent":
            for name in _OF_STATE:
                row.cells.pop(name, None)
        _take_blank(row, mask, own)

    def _compare(self, row: Row, mask: Row) -> None:
        for name in _LENGTHS:
            if row.cells.get(name) and mask.cells.get(name):
                own, other = float(row.cells[name]), float(mask.cells[name])
                if abs(own - other) > DIFFERENCE_MM and abs(own - other) > DIFFERENCE_FRACTION * own:
                    sentence = f"The report says {own:g} mm and the segmentation {other:g} mm; the report counts."
                    remedy = "Look at the lesion; correct the one that is wrong."
                    found = f"{own:g} and {other:g}"
                    self._tell("report_and_mask_differ", "warning", row, sentence, column=name, found=found,
                               remedy=remedy)  # fmt: skip

    def _tell(self, kind: str, severity: Severity, row: Row, sentence: str, *, column: str, found: str,
              remedy: str) -> None:  # fmt: skip
        self.findings.append(
            Finding(
                id=kind,
                severity=severity,
                subject=row.subject,
                evaluator=row.evaluator,
                timepoint=row.timepoint,
                lesion=row.lesion,
                column=column,
                found=found,
                sentence=sentence,
                remedy=remedy,
                file=row.file,
            )
        )


def _row(item: Observation, entry: MapEntry | None, lesion: str, evaluator: str) -> Row:
    name = item.name
    cells = {
        **item.cells,
        **_site_cells(item),
        "tracking_id": name.tracking_id,
        "tracking_uid": name.tracking_uid,
        "segment_number": str(name.number) if name.number else "",
        "study_instance_uid": item.study if _is_uid(item.study) else "",
        "observer": item.observer,
        "source": item.cells.get("source") or item.file,
    }
    if cells.get("voxels") == "0" and not cells.get("state"):
        cells |= {"state": "not_evaluable", "reason": EMPTY}
    if entry is not None:
        cells |= {key: text for key in ("organ", "nodal") if (text := getattr(entry, key))}
        if entry.state:
            cells |= {"state": entry.state, "reason": ""}
    return Row(
        subject=item.subject,
        evaluator=evaluator,
        timepoint=item.timepoint,
        date=item.date,
        lesion=lesion,
        file=item.file,
        cells={key: text for key, text in cells.items() if text},
        is_organ=name.is_organ,
        said_role=entry.role if entry else "",
        coded_role=name.role,
    )


def _site_cells(item: Observation) -> dict[str, str]:
    """Return organ, nodal and location by the site, or the kind of finding where that is a node."""
    name, location = item.name, item.cells.get("location", "")
    organ = name.site
    coded = organ_of_code(name.site_code)
    if coded and known_organ(name.site) != coded:  # a site in another language, or one that names no organ
        organ, location = coded, ", ".join(filter(None, (name.site, location)))
    nodal = coded == LYMPH_NODE or is_nodal_site(name.site)
    if not nodal and (organ_of_code(name.kind_code) == LYMPH_NODE or is_nodal_site(name.kind)):
        nodal, organ = True, organ or LYMPH_NODE
    return {"organ": organ, "location": location, "nodal": "Y" if nodal else item.cells.get("nodal", "")}


def _differing(first: Row, second: Row) -> list[str]:
    """Return the numbers in which two rows contradict each other."""
    return [
        name
        for name in _NUMBERS
        if first.cells.get(name) and second.cells.get(name) and float(first.cells[name]) != float(second.cells[name])
    ]


def _take_blank(row: Row, other: Row, cells: Mapping[str, str]) -> None:
    has_number = any(row.cells.get(name) for name in _NUMBERS)
    for name, text in cells.items():
        if not (has_number and name in _OF_STATE):
            row.cells.setdefault(name, text)
    row.is_organ = row.is_organ or other.is_organ
    row.said_role, row.coded_role = row.said_role or other.said_role, row.coded_role or other.coded_role
    row.date = row.date or other.date


def _is_uid(text: str) -> bool:
    return bool(text) and set(text) <= set("0123456789.")


def rows_by_series(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """Return the rows of lesions (not of organs) by subject and evaluator."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if not row.is_organ:
            found[row.subject, row.evaluator].append(row)
    return found
