"""The results of TR: which rows are about a lesion, and all tests of a lesion at a visit side by side."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import number_of
from response.findings import Finding
from response.io import sdtm_words as words
from response.io.sdtm_keys import Domain, looked_up
from response.io.sdtm_words import Kind, Result
from response.table import TextColumn
from response.vocabulary import Role, State, text_of

Rows = NDArray[np.int64]
SumKey = tuple[str, str, str]  # subject, evaluator, timepoint

LESION_KINDS: Final = tuple(kind for kind in Kind if kind < Kind.SUM)
NOTHING: Final = -1


@dataclass(frozen=True, eq=False)
class LesionResults:
    """The rows of TR that are about one lesion at one visit; all `[result]`.

    Attributes
    ----------
    domain
        TR.
    row
        Row of TR.
    kind
        `Kind` of the test.
    code
        Index into `results`.
    results
        The distinct results; the last one is the blank.
    lesion
        Link id, or what stands in for it.
    """

    domain: Domain
    row: Rows
    kind: NDArray[np.int8]
    code: NDArray[np.int32]
    results: Sequence[Result]
    lesion: TextColumn

    def take(self, keep: NDArray[np.bool_]) -> "LesionResults":
        """Return the results of a mask."""
        return LesionResults(
            self.domain, self.row[keep], self.kind[keep], self.code[keep], self.results, self.lesion.take(keep)
        )


@dataclass(eq=False)
class ResultReader:
    """Reads the rows of TR.

    Attributes
    ----------
    findings, notes
        What could not be used, and what was left out on purpose.
    sums
        Collected sums of diameters, in mm.
    """

    domain: Domain
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sums: dict[SumKey, str] = field(default_factory=dict)

    def read(self) -> LesionResults:
        """Return the rows that are about a lesion."""
        unusable, self.findings = self.domain.unusable_rows()
        kind = self._kinds()
        code, results = self._results(kind)
        self._read_sums(np.flatnonzero((kind == Kind.SUM) & ~unusable), code, results)
        keep = np.flatnonzero((kind < Kind.SUM) & ~unusable)
        self._report_faults(keep, code, results)
        lesion, kept = self._lesions(keep, code, results)
        keep = keep[kept]
        return LesionResults(self.domain, keep, kind[keep], code[keep], [*results, Result()], lesion.take(kept))

    def _kinds(self) -> NDArray[np.int8]:
        codes = self.domain.column("TESTCD")
        ids, kinds = looked_up(words.kind_of, codes, self.domain.column("TEST"))
        kind = np.asarray(kinds, np.int8)[ids]
        for other, what in ((Kind.DERIVED, "derived from others"), (Kind.UNKNOWN, "not used")):
            rows = Counter(codes.text(row) for row in np.flatnonzero(kind == other).tolist())
            if rows:
                told = ", ".join(f"{code or 'blank'} ({count} rows)" for code, count in sorted(rows.items()))
                self.notes.append(f"TR tests {what}: {told}")
        return kind

    def _results(self, kind: NDArray[np.int8]) -> tuple[NDArray[np.int32], list[Result]]:
        kinds = TextColumn(kind.astype(np.int32), [str(int(member)) for member in Kind])
        names = ("ORRES", "ORRESU", "STRESC", "STRESN", "STRESU", "STAT", "REASND")

        def read(member: str, *cells: str) -> Result:
            return words.result_of(Kind(int(member)), words.ResultCells(*cells))

        return looked_up(read, kinds, *(self.domain.column(name) for name in names))

    def _read_sums(self, rows: Rows, code: NDArray[np.int32], results: Sequence[Result]) -> None:
        keys, group = self.domain.keys, self.domain.column("GRPID")
        for row in rows.tolist():
            result = results[code[row]]
            value = words.in_unit(result.value, result.unit, "mm") if result.value else None
            if value and words.role_of(group.text(row)) in (Role.NONE, Role.TARGET):
                key = (keys.subject.text(row), keys.evaluator.text(row), keys.timepoint.text(row))
                self.sums.setdefault(key, value)

    def _report_faults(self, rows: Rows, code: NDArray[np.int32], results: Sequence[Result]) -> None:
        faulty = np.asarray([bool(result.fault) for result in results], np.bool_)
        for row in rows[faulty[code[rows]]].tolist():
            result = results[code[row]]
            self.findings.append(
                self.domain.finding(
                    row,
                    id="unusable_cell",
                    lesion=self.domain.column("LNKID").text(row),
                    column="TRORRES",
                    found=result.found,
                    expected=result.fault,
                    sentence=f"{self.domain.column('TESTCD').text(row)} is '{result.found}'; "
                    f"expected {result.fault}. The result was taken as blank.",
                    remedy="Correct the result in the source.",
                )
            )

    def _lesions(
        self, rows: Rows, code: NDArray[np.int32], results: Sequence[Result]
    ) -> tuple[TextColumn, NDArray[np.bool_]]:
        """Return the lesion of each row, and which rows have one; a row without link id falls back on its group."""
        link = self.domain.column("LNKID").take(rows)
        blank = np.asarray([not value for value in link.values], np.bool_)[link.codes]
        kept = np.ones(len(rows), np.bool_)
        if not blank.any():
            return link, kept
        texts = link.texts()
        none_new = 0
        for place in np.flatnonzero(blank).tolist():
            row = int(rows[place])
            if self._says_no_lesion(row, results[code[row]]):
                kept[place], none_new = False, none_new + 1
                continue
            texts[place] = self._stand_in(row)
            kept[place] = bool(texts[place])
            self.findings.append(self._no_link(row, texts[place]))
        if none_new:
            self.notes.append(f"TR rows that say that there is no new lesion: {none_new}")
        return TextColumn.of(texts), kept

    def _says_no_lesion(self, row: int, result: Result) -> bool:
        new = words.role_of(self.domain.column("GRPID").text(row)) is Role.NEW
        return new and result.state in (words.NO_LESION_WORD, text_of(State.ABSENT))

    def _stand_in(self, row: int) -> str:
        """Return TULNKID, else the group; a new lesion gets a name of its own, for it must not be overlooked."""
        group = self.domain.column("GRPID").text(row)
        known = self.domain.table.column("TULNKID").text(row)
        if not known and words.role_of(group) is Role.NEW:
            return f"{group}-{self.domain.column('SEQ').text(row) or row + 2}"
        return known or group

    def _no_link(self, row: int, lesion: str) -> Finding:
        told = f"it was taken for the lesion '{lesion}'" if lesion else "the row was left out"
        return self.domain.finding(
            row,
            id="missing_link_id" if lesion else "unusable_row",
            severity="warning" if lesion else "error",
            lesion=lesion,
            column="TRLNKID",
            expected="the link id of the lesion",
            sentence=f"TRLNKID is blank, so that the result belongs to no known lesion; {told}.",
            remedy="Give the result the link id of its lesion.",
        )


@dataclass(frozen=True, eq=False)
class SideBySide:
    """All tests of a lesion at a visit in one row.

    Attributes
    ----------
    group
        Shape `[line]`; the lesion and visit. Tests with different results give more than one line.
    pick
        Shape `[kind, line]`; index into the results, `NOTHING` where the test was not reported.
    first
        Shape `[line]`; the result that says where the line stands in the file.
    repeated
        By group: a result that says the same as another.
    """

    group: NDArray[np.int32]
    pick: Rows
    first: Rows
    repeated: dict[int, int]


def side_by_side(results: LesionResults, group: NDArray[np.int32], groups: int) -> SideBySide:
    """Put the tests of each group in one line; `group` is `[result]`."""
    cell = group.astype(np.int64) * len(LESION_KINDS) + results.kind
    order = np.argsort(cell, kind="stable")
    begins = np.ones(len(cell), np.bool_)
    begins[1:] = cell[order][1:] != cell[order][:-1]
    pick = np.full((len(LESION_KINDS), groups), NOTHING, np.int64)
    heads = order[begins]
    pick[results.kind[heads], group[heads]] = heads
    variants, repeated = _variants(results, cell, order[~begins], pick)
    first = np.full(groups, NOTHING, np.int64)
    first[group[::-1]] = np.arange(len(group) - 1, -1, -1)
    lines, extra, extra_first = np.arange(groups, dtype=np.int32), [], []
    for (which, _), changes in variants.items():
        column = pick[:, which].copy()
        for place in changes:
            column[results.kind[place]] = place
        extra.append((which, column))
        extra_first.append(changes[0])
    if extra:
        lines = np.concatenate([lines, np.asarray([which for which, _ in extra], np.int32)])
        pick = np.concatenate([pick, np.stack([column for _, column in extra], axis=1)], axis=1)
        first = np.concatenate([first, np.asarray(extra_first, np.int64)])
    return SideBySide(lines, pick, first, repeated)


def _variants(
    results: LesionResults, cell: Rows, places: Rows, pick: Rows
) -> tuple[dict[tuple[int, int], list[int]], dict[int, int]]:
    """Tell repeated results that say the same from those that contradict the first, by group and number."""
    seen: dict[int, list[tuple[str, str, str]]] = {}
    variants: dict[tuple[int, int], list[int]] = defaultdict(list)
    repeated: dict[int, int] = {}
    for place in places.tolist():
        which, kind = divmod(int(cell[place]), len(LESION_KINDS))
        said = seen.setdefault(place_key := int(cell[place]), [_meaning(results, int(pick[kind, which]))])
        meaning = _meaning(results, place)
        if meaning in said:
            repeated.setdefault(which, place)
        else:
            said.append(meaning)
            variants[which, len(seen[place_key]) - 1].append(place)
    return variants, repeated


def _meaning(results: LesionResults, place: int) -> tuple[str, str, str]:
    result = results.results[results.code[place]]
    value = str(number_of(result.value, negative=True).thousandths) if result.value else ""
    return value, result.unit.casefold(), result.state
