"""One measurement group of a report: what was measured of its lesion, and what cannot be used.

Source: DICOM PS3.16, TID 1410, 1411 and 1501 (measurement groups), 1419 (their measurements).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from response.findings import Finding, Severity
from response.io.sr_codes import TIME_POINTS
from response.io.sr_content import ContentItem, ContentTree
from response.io.sr_names import NamedGroup, is_group
from response.io.sr_numbers import Measurement, fill_columns, number_text
from response.io.sr_own_items import is_response, own_cells
from response.io.sr_places import (
    ImageReference,
    Instance,
    end_points,
    modality_of,
    references_of,
    source_series,
)
from response.observations import Observation
from response.vocabulary import LESION_RESPONSE_CODES, NCIT_RESPONSE, text_of

_ENDS: Final[Mapping[str, str]] = {"longest_mm": "longest", "short_mm": "short"}
_CONTEXT_NUMBERS: Final = frozenset({"126073^DCM", "128740^DCM", *TIME_POINTS[-1]})  # order, offset: no measurements
_RESPONSES: Final[Mapping[str, str]] = {f"{code}^NCIT": name for name, code in NCIT_RESPONSE.items()}
_CORRECT: Final = "Correct the report where it was written, or fill in the measurement table by hand."


@dataclass(frozen=True, kw_only=True)
class Document:
    """What holds for all groups of a report.

    Attributes
    ----------
    tree
        Its content.
    subject, study, date, timepoint, observer, file
        As in `Observation`.
    evidence
        Where the instances belong that it refers to, by SOP Instance UID.
    cells
        Cells that all its lesions have.
    """

    tree: ContentTree
    subject: str
    study: str
    date: str
    timepoint: str
    observer: str
    file: str
    evidence: Mapping[str, Instance]
    cells: Mapping[str, str]


@dataclass
class Group:
    """What one group gave.

    Attributes
    ----------
    observation
        None where the group says nothing that the measurement table holds.
    findings
        What cannot be used.
    foreign
        Number of measurements by name that no column holds.
    notes
        Statements about the lesion that are no measurements (a response), one sentence each.
    """

    observation: Observation | None = None
    findings: list[Finding] = field(default_factory=list)
    foreign: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def numbers_in(item: ContentItem) -> Iterator[ContentItem]:
    """Yield the NUM items of a group, without those of a group within it.

    A NUM may hold others, as a long axis its short axis; one of the same concept is an input to it and is passed over.
    """
    waiting = [(child, frozenset[str]()) for child in reversed(item.children)]
    while waiting:
        child, inputs = waiting.pop()
        if is_group(child) or child.code in _CONTEXT_NUMBERS:
            continue
        if child.value_type == "NUM":
            if child.code in inputs:
                continue
            yield child
            inputs |= {child.code}
        waiting += [(other, inputs) for other in reversed(child.children)]


def responses_in(item: ContentItem, about: str) -> list[str]:
    """Return the responses that an item states, apart from the groups in it, one sentence each."""
    notes = []
    for place in item.below(is_group):
        if place.value_code in LESION_RESPONSE_CODES:
            role, response = LESION_RESPONSE_CODES[place.value_code]
            notes.append(f"{about}: response of {text_of(role).replace('_', '-')} lesions {response}")
        elif place.value_code in _RESPONSES:
            notes.append(f"{about}: {place.meaning} {_RESPONSES[place.value_code]}")
    return notes


def read_group(item: ContentItem, outer: ContentItem | None, document: Document) -> Group:
    """Read one measurement group, which may stand in another one."""
    return _GroupReader(item, outer, document).read()


class _GroupReader:
    def __init__(self, item: ContentItem, outer: ContentItem | None, document: Document) -> None:
        self.item, self.document = item, document
        self.named = NamedGroup(item, outer)
        self.filled = fill_columns(numbers_in(item))
        self.group = Group()

    def read(self) -> Group:
        self.group.notes += responses_in(self.item, self._lesion or "a lesion without a name")
        if is_response(self.item):
            return self.group
        self.group.foreign.update(other.item.meaning for other in self.filled.foreign)
        self._tell_contradictions()
        for lost in self.filled.unusable:
            self._tell_unusable(lost)
        for used in self.filled.chosen.values():
            self._tell_doubts(used)
        holds_groups = any(is_group(child) for child in self.item.below())
        if self.filled.chosen or self.filled.lost or (self.named.name.role and not holds_groups):
            self.group.observation = self._observation()
        elif not holds_groups:
            self._tell_nothing()
        return self.group

    def _observation(self) -> Observation:
        images = [found for found in self._references(self.item) if not found.is_segmentation]
        segment = next((found for found in self._references(self.item) if found.is_segmentation), None)
        image = self._image(images)
        study, date = self._study([image] if image else images)
        numbers = {
            column: number_text(used.value) for column, used in self.filled.chosen.items() if used.value is not None
        }
        cells = {
            **self.document.cells,
            **(numbers or self._state()),
            **self._ends(),
            **self._place(image, images),
            "segmentation_uid": segment.sop_instance if segment else "",
            "location": self.named.location,
            "baseline": "Y" if self.named.is_baseline else self.document.cells.get("baseline", ""),
            **own_cells(self.item),
        }
        return Observation(
            kind="report",
            subject=self.document.subject,
            study=study,
            date=date,
            timepoint=self.named.timepoint or self.document.timepoint,
            observer=self.named.observer or self.document.observer,
            name=replace(self.named.name, number=segment.segment if segment else 0),
            cells={name: text for name, text in cells.items() if text},
            file=self.document.file,
        )

    def _state(self) -> dict[str, str]:
        """Return the state of a lesion without any usable number: not evaluable where one was meant to stand there."""
        if self.filled.lost:
            first = self.filled.lost[0]
            return {"state": "not_evaluable", "reason": f"{first.item.meaning}: {first.fault or 'values that differ'}"}
        return {"state": "present"} if self.named.name.role in ("non_target", "new") else {}

    # --- where it was measured

    def _references(self, item: ContentItem) -> Iterator[ImageReference]:
        return references_of(item, self.document.tree, is_group)

    def _image(self, images: list[ImageReference]) -> ImageReference | None:
        """Return the image of the longest diameter, else of another measurement, else the only one of the group."""
        chosen = self.filled.chosen
        for name in sorted(chosen, key=lambda column: list(_ENDS).index(column) if column in _ENDS else len(_ENDS)):
            for found in self._references(chosen[name].item):
                if not found.is_segmentation:
                    return found
        different = dict.fromkeys((found.sop_instance, found.frame) for found in images)
        return images[0] if len(different) == 1 else None

    def _place(self, image: ImageReference | None, images: list[ImageReference]) -> dict[str, str]:
        evidence = self.document.evidence
        wanted = [image] if image else images
        series = {evidence[found.sop_instance].series for found in wanted if found.sop_instance in evidence}
        own = source_series(self.item, is_group)
        cells = {"series_instance_uid": series.pop() if len(series) == 1 else own}
        if image is not None:
            cells |= {
                "sop_instance_uid": image.sop_instance,
                "sop_class_uid": image.sop_class,
                "frame_number": image.frame,
                "modality": modality_of(image.sop_class),
            }
        return cells

    def _ends(self) -> dict[str, str]:
        cells: dict[str, str] = {}
        for column, prefix in _ENDS.items():
            used = self.filled.chosen.get(column)
            ends = end_points(used.item, self.document.tree) if used else None
            if ends:
                cells |= {f"{prefix}_from": ends[0], f"{prefix}_to": ends[1], "frame_of_reference_uid": ends[2]}
        return cells

    def _study(self, images: list[ImageReference]) -> tuple[str, str]:
        """Return the study of the measured images and its date, which is known of the report's own study only."""
        evidence = self.document.evidence
        studies = {evidence[found.sop_instance].study for found in images if found.sop_instance in evidence} - {""}
        if len(studies) != 1 or self.document.study in studies:
            return self.document.study, self.document.date
        sentence = "The lesion was measured on images of another study than the report's; it counts for that study."
        self._tell("sr_other_study", "warning", sentence, remedy="Give the files of that study too, for its date.")
        return studies.pop(), ""

    # --- what is told

    def _tell_contradictions(self) -> None:
        if len(self.named.roles) > 1:
            names = ", ".join(sorted(map(text_of, self.named.roles)))
            self._tell("sr_roles_differ", "error", f"One lesion is coded as {names}; no role was taken.", names)
        for column, several in self.filled.differing.items():
            found = "; ".join(dict.fromkeys(f"{other.item.meaning} {other.found}" for other in several))
            sentence = f"A measurement stands more than once with different values ({found}); none was taken."
            self._tell("sr_values_differ", "error", sentence, found, expected="one value", column=column)
        for other in self.filled.superseded:
            sentence = f"{other.item.meaning} {other.found} was not used: the group has a more specific measurement."
            self._tell("sr_superseded", "info", sentence, other.found, column=other.column, remedy="None needed.")

    def _tell_unusable(self, lost: Measurement) -> None:
        replaced = lost.column in self.filled.chosen
        severity: Severity = "info" if replaced else "error" if lost.column else "warning"
        sentence = f"{lost.item.meaning} was not used: {lost.fault}{'; another value was' if replaced else ''}."
        kind = "sr_unit_unusable" if lost.is_unit_fault else "sr_no_value"
        self._tell(kind, severity, sentence, lost.found, expected=lost.expected, column=lost.column)

    def _tell_doubts(self, used: Measurement) -> None:
        name = used.item.meaning
        if used.was_coded_as_length:
            sentence = f"{name} is coded as a length, but its unit is one of area; it was taken for an area."
            self._tell("sr_area_coded_as_length", "warning", sentence, used.found, column=used.column)
        if used.value == 0 and used.column in _ENDS:
            sentence = f"{name} is 0: the lesion counts as gone."
            remedy = "If it is not gone, say so in the column state of the measurement table."
            self._tell("sr_zero_length", "warning", sentence, used.found, column=used.column, remedy=remedy)

    def _tell_nothing(self) -> None:
        name = self.named.name
        about = name.kind or name.label or name.site or "no more"
        sentence = f"A measurement group holds no measurement that is used here ({about}); it gave no row."
        self._tell("sr_group_without_measurement", "info", sentence, remedy="None needed, if it is no lesion.")

    @property
    def _lesion(self) -> str:
        return self.named.name.tracking_id or self.named.name.label

    def _tell(self, kind: str, severity: Severity, sentence: str, found: str = "", *, expected: str = "",
              column: str = "", remedy: str = _CORRECT) -> None:  # fmt: skip
        self.group.findings.append(
            Finding(
                id=kind,
                severity=severity,
                subject=self.document.subject,
                timepoint=self.named.timepoint or self.document.timepoint or self.document.date,
                lesion=self._lesion,
                column=column,
                found=found,
                expected=expected,
                sentence=sentence,
                remedy=remedy,
                file=self.document.file,
            )
        )
