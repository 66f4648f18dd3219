"""Collected responses beside the computed ones: which timepoint each row means, and what its texts say."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE
from response.checks.scene import Flags, Scene
from response.measurements import Records
from response.registry import STANDARD
from response.table import TextColumn
from response.vocabulary import (
    MISSING,
    NA,
    NE,
    NED,
    NON_CR_NON_PD,
    NOT_DONE,
    SD,
    VisitNewLesions,
    YesNo,
    folded,
    members_by_text,
    response_of,
)

NOWHERE: Final = -1
QUESTIONS: Final = ("overall", "target", "non_target", "new_lesion")
UNKNOWN: Final = "?"  # a text that names no response

_NEW_LESION: Final = {
    VisitNewLesions.NONE: "No",
    VisitNewLesions.UNEQUIVOCAL: "Yes",
    VisitNewLesions.EQUIVOCAL: "Equivocal",
    VisitNewLesions.NOT_EVALUABLE: NE,
}
_AS_COMPARED: Final = {
    ("", NOT_DONE): NE,
    ("", MISSING): NE,
    ("non_target", SD): NON_CR_NON_PD,
    ("overall", NA): "",
    ("target", NED): NA,
    ("non_target", NED): NA,
}
_NO_ANSWER: Final = frozenset(("", "na", "n a", "not applicable"))


def new_lesion_of(text: str) -> str:
    """Return "Yes", "No", "Equivocal" or "NE" for what a text says about new lesions."""
    words = folded(text)
    if words in _NO_ANSWER:
        return ""
    if response_of(text) in (NE, NOT_DONE):
        return NE
    flag = members_by_text(YesNo).get(words)
    if flag:
        return "Yes" if flag == YesNo.YES else "No"
    found = members_by_text(VisitNewLesions).get(words)
    return _NEW_LESION[found] if found else UNKNOWN


def answer_of(question: str, text: str) -> str:
    """Return the response that a collected text names, as it is compared; blank where it says nothing.

    Not done and missing are compared as NE; a non-target "SD" means Non-CR/Non-PD.
    """
    if question == "new_lesion":
        return new_lesion_of(text)
    name = response_of(text) if text else ""
    return UNKNOWN if name is None else _AS_COMPARED.get((question, name), _AS_COMPARED.get(("", name), name))


@dataclass(frozen=True, eq=False)
class Match:
    """Where each collected row belongs; arrays `[row]`.

    Attributes
    ----------
    scene, records
        The assessment, and the collected responses.
    """

    scene: Scene
    records: Records

    def rows_of(self, criterion: str) -> Flags:
        """Return which rows are of a criterion; a blank criterion is RECIST 1.1."""
        column = self.records.text_column("criterion")
        known = {"": STANDARD, "recist": STANDARD, "recist1 1": STANDARD, folded(criterion): criterion}
        own = self.scene.assessment.results[criterion].criterion
        known |= {folded(own.title): criterion} if own.based_on else {}  # as `names_by_text` has it
        return np.asarray([known.get(folded(text)) == criterion for text in column.values], np.bool_)[column.codes]

    @cached_property
    def series(self) -> NDArray[np.int64]:
        """Series of the timeline, `NOWHERE` where there is none or more than one can be meant."""
        of = self.scene.timeline.series
        subject = _codes(self.records.text_column("subject"), of.subjects)
        evaluator = _codes(self.records.text_column("evaluator"), of.evaluators)
        keys = of.subject.astype(np.int64) * len(of.evaluators) + of.evaluator
        named = (subject >= 0) & (evaluator >= 0)
        found = _find(keys, np.where(named, subject * len(of.evaluators) + evaluator, NOWHERE))
        blank = _says(self.records.text_column("evaluator"), "")
        only, chosen = self._default_series(len(of.subjects))
        other = np.where(blank, chosen[subject], only[subject])
        return np.where((found < 0) & (subject >= 0), other, found)

    @cached_property
    def of_several(self) -> Flags:
        """Whether a row names no evaluator, and more than one series of its subject can be meant."""
        subject = _codes(self.records.text_column("subject"), self.scene.timeline.series.subjects)
        blank = _says(self.records.text_column("evaluator"), "")
        return np.asarray((self.series == NOWHERE) & (subject >= 0) & blank)

    def _default_series(self, subjects: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return each subject's one series without evaluator, and the one that a blank evaluator means."""
        of = self.scene.timeline.series
        place = np.arange(len(of))
        count = np.bincount(of.subject, minlength=subjects)
        accepted = np.bincount(of.subject[of.accepted], minlength=subjects)
        sole = np.full(subjects, NOWHERE, np.int64)
        sole[of.subject] = place
        sole = np.where(count == 1, sole, NOWHERE)
        taken = np.full(subjects, NOWHERE, np.int64)
        taken[of.subject[of.accepted]] = place[of.accepted]
        unnamed = np.asarray([not text for text in of.evaluators], np.bool_)[of.evaluator]
        blank = np.full(subjects, NOWHERE, np.int64)
        blank[of.subject[unnamed]] = place[unnamed]
        return np.where(sole == blank, sole, NOWHERE), np.where(accepted == 1, taken, sole)

    @cached_property
    def cell(self) -> NDArray[np.int64]:
        """Timepoint of the timeline: by its label, else by its date; `NOWHERE` where there is none."""
        timeline, visits = self.scene.timeline, self.scene.timeline.visits
        labels = _codes(self.records.text_column("timepoint"), visits.labels, fold=True)
        keys = timeline.series_of_cell.astype(np.int64) * len(visits.labels) + visits.label
        known = (self.series >= 0) & (labels >= 0) & ~_says(self.records.text_column("timepoint"), "")
        found = _find(keys, np.where(known, self.series * len(visits.labels) + labels, NOWHERE))
        return np.where(found < 0, self._cell_by_date(), found)

    def _cell_by_date(self) -> NDArray[np.int64]:
        timeline, visits = self.scene.timeline, self.scene.timeline.visits
        days = self.records.date("date").days
        if not len(visits):
            return np.full(len(days), NOWHERE, np.int64)
        span = 1 << 33
        keys = timeline.series_of_cell.astype(np.int64) * span + visits.first_scan
        order = np.argsort(keys, kind="stable")
        place = np.searchsorted(keys[order], self.series * span + days, side="right") - 1
        cell = order[np.maximum(place, 0)]
        inside = (visits.first_scan[cell] <= days) & (days <= visits.last_scan[cell]) & (days != NO_DATE)
        inside &= (timeline.series_of_cell[cell] == self.series) & (visits.first_scan[cell] != NO_DATE)
        return np.where(inside & (self.series >= 0), cell, NOWHERE)

    @cached_property
    def answers(self) -> Mapping[str, "Answers"]:
        """What the rows say to each question of RECIST 1.1."""
        return {
            question: Answers.of(question, self.records.text_column(_column(self.records, question)))
            for question in QUESTIONS
        }

    def text(self, question: str, row: int) -> str:
        """Return what a row says to a question."""
        answers = self.answers[question]
        return answers.names[int(answers.codes[row])]


def _column(records: Records, question: str) -> str:
    return "response" if question == "overall" and not records.has("overall") else question


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers as codes into names; name 0 is blank, name 1 a text that names no response."""

    codes: NDArray[np.int32]
    names: list[str]

    @classmethod
    def of(cls, question: str, column: TextColumn) -> "Answers":
        """Return what the texts of a column say."""
        texts = [answer_of(question, text) for text in column.values]
        names = list(dict.fromkeys(["", UNKNOWN, *texts]))
        lut = np.asarray([names.index(text) for text in texts], np.int32)
        return cls(lut[column.codes], names)

    def differs_from(self, names: list[str], codes: NDArray[Any], question: str) -> Flags:
        """Return where a row says another thing than an answer, `names[codes]`; not where either says nothing."""
        same = np.asarray([[agree(question, own, other) for other in names] for own in self.names], np.bool_)
        return np.asarray(~same[self.codes, codes])


def agree(question: str, collected: str, computed: str) -> bool:
    """Return whether a collected answer agrees with a computed one; nothing said agrees with everything."""
    if collected in ("", UNKNOWN) or computed == "":
        return True
    if question == "new_lesion" and computed == "Equivocal":
        return collected in ("Equivocal", "No")  # an equivocal lesion is not yet a new one
    return collected == computed


def _codes(column: TextColumn, texts: Any, *, fold: bool = False) -> NDArray[np.int64]:
    """Return the place of each row's text among other texts, `NOWHERE` where it is not there."""
    places = {text: place for place, text in enumerate(texts)}
    similar = {folded(text): place for text, place in places.items()} if fold else {}
    found = [places.get(text, similar.get(folded(text), NOWHERE) if fold else NOWHERE) for text in column.values]
    return np.asarray(found, np.int64)[column.codes]


def _says(column: TextColumn, text: str) -> Flags:
    return np.asarray([value == text for value in column.values], np.bool_)[column.codes]


def _find(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each wanted key, `NOWHERE` where it is not there."""
    if not len(keys):
        return np.full(len(wanted), NOWHERE, np.int64)
    order = np.argsort(keys, kind="stable")
    place = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    return np.where(keys[order][place] == wanted, order[place], NOWHERE)
