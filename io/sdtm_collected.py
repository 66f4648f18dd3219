"""The responses that RS collected (and the sums of TR), one canonical row per subject, evaluator and visit."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from response.findings import Finding
from response.io import sdtm_words as words
from response.io.sdtm_keys import Domain
from response.io.sdtm_results import SumKey
from response.protocol import Protocol
from response.registry import criterion_names, find_criterion, names_by_text, words_of
from response.table import TextColumn, TextTable
from response.vocabulary import NOT_DONE, folded

Key = tuple[str, str, str, str]  # subject, evaluator, timepoint, criterion

_STANDARD: Final = "recist-1.1"
_COLUMNS: Final = ("subject", "evaluator", "accepted", "timepoint", "date", "criterion", "sum_mm")
_RESPONSES: Final = tuple(dict.fromkeys(words.COLLECTED_BY_CODE.values()))


@dataclass(eq=False)
class CollectedReader:
    """Reads RS.

    Attributes
    ----------
    protocol
        Where criteria of the study's own are defined.
    findings, notes
        What could not be used, and what was left out on purpose.
    """

    protocol: Protocol | None = None
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _rows: dict[Key, list[dict[str, Any]]] = field(default_factory=dict)
    _words: dict[str, set[str]] = field(default_factory=dict)

    def read(self, domain: Domain | None, sums: Mapping[SumKey, str]) -> TextTable | None:
        """Return the collected responses; None where there are none."""
        if domain is not None:
            self._read_responses(domain)
        for (subject, evaluator, timepoint), value in sums.items():
            rows = self._rows.setdefault((subject, evaluator, timepoint, _STANDARD), [])
            for row in rows or [self._new_row(rows, (subject, evaluator, timepoint, _STANDARD))]:
                row["sum_mm"] = value
        return self._table()

    def _read_responses(self, domain: Domain) -> None:
        unusable, self.findings = domain.unusable_rows()
        ours = names_by_text(self.protocol)
        criteria = [words.criterion_of(text, ours) for text in domain.column("CAT").values]
        self._words = {name: set(words_of(name, self.protocol).values()) for name in dict.fromkeys(criteria) if name}
        criterion_codes = domain.column("CAT").codes
        self._report_other_criteria(domain, criteria)
        codes = domain.column("TESTCD").texts()
        unused: Counter[str] = Counter()
        for row in np.flatnonzero(~unusable).tolist():
            criterion = criteria[criterion_codes[row]]
            column = words.COLLECTED_BY_CODE.get(codes[row].upper())
            if criterion is not None and column is None:
                unused[codes[row]] += 1
            elif criterion is not None and column is not None:
                self._read_response(domain, row, column, criterion)
        if unused:
            told = ", ".join(f"{code or 'blank'} ({count} rows)" for code, count in sorted(unused.items()))
            self.notes.append(f"RS tests not used: {told}")

    def _report_other_criteria(self, domain: Domain, criteria: list[str | None]) -> None:
        category = domain.column("CAT")
        for code, criterion in enumerate(criteria):
            rows = np.flatnonzero(category.codes == code)
            if criterion is None and len(rows):
                name = category.values[code]
                known = criterion_names(self.protocol)
                ours = ", ".join(find_criterion(name, self.protocol).title for name in known)
                count = f"{len(rows)} responses are" if len(rows) > 1 else "A response is"
                file, line = domain.table.where(int(rows[0]))
                self.findings.append(
                    Finding(
                        id="other_criterion",
                        severity="warning",
                        column="RSCAT",
                        found=name,
                        expected=f"one of {ours}",
                        sentence=f"{count} by {name}, which is none of {ours}; left out.",
                        remedy="Compare them with a tool for that criterion.",
                        file=file,
                        line=line,
                    )
                )

    def _read_response(self, domain: Domain, row: int, column: str, criterion: str) -> None:
        text = domain.column("STRESC").text(row) or domain.column("ORRES").text(row)
        if not text and folded(domain.column("STAT").text(row)) in {"not done", "nd"}:
            text = NOT_DONE if column == "overall" else ""
            if not text:
                return
        value = words.collected_value(column, text, self._words[criterion])
        if value is None:
            self.findings.append(_unusable_response(domain, row, text))
            return
        keys = domain.keys
        timepoint = "" if column == "best_response" else keys.timepoint.text(row)
        if not timepoint and column != "best_response":
            self.findings.append(_no_visit(domain, row))
            return
        key = (keys.subject.text(row), keys.evaluator.text(row), timepoint, criterion)
        self._put(key, column, value, domain, row)

    def _put(self, key: Key, column: str, value: str, domain: Domain, row: int) -> None:
        """Put a response into the row of its visit; a contradicting one gets a row of its own."""
        rows = self._rows.setdefault(key, [])
        said = [other[column] for other in rows if other.get(column)]
        if value in said:
            return
        if said:
            self.findings.append(_contradiction(domain, row, value, said[0]))
        target = next((other for other in rows if not other.get(column)), None)
        if target is None:
            target = self._new_row(rows, key)
        target[column] = value
        target.setdefault("where", domain.table.where(row))
        if column != "best_response":
            target["date"] = target.get("date") or domain.keys.date.text(row)
        target["accepted"] = target.get("accepted") or domain.keys.accepted.text(row)

    @staticmethod
    def _new_row(rows: list[dict[str, Any]], key: Key) -> dict[str, Any]:
        row: dict[str, Any] = dict(zip(("subject", "evaluator", "timepoint", "criterion"), key, strict=True))
        rows.append(row)
        return row

    def _table(self) -> TextTable | None:
        rows = [row for group in self._rows.values() for row in group]
        if not rows:
            return None
        names = [name for name in (*_COLUMNS, *_RESPONSES) if any(row.get(name) for row in rows)]
        where = [row.get("where", ("", 0)) for row in rows]
        files = list(dict.fromkeys(file for file, _ in where))
        number = {file: place for place, file in enumerate(files)}
        return TextTable(
            {name: TextColumn.of(row.get(name, "") for row in rows) for name in ("subject", "timepoint", *names)},
            files,
            np.asarray([number[file] for file, _ in where], np.int16),
            np.asarray([line for _, line in where], np.int32),
        )


def _unusable_response(domain: Domain, row: int, found: str) -> Finding:
    code = domain.column("TESTCD").text(row)
    told = f"'{found}'" if found else "blank"
    return domain.finding(
        row,
        id="unusable_cell",
        column="RSSTRESC",
        found=found,
        expected="CR, PR, SD, NON-CR/NON-PD, NED, PD or NE" if code != "NEWLPROG" else "Y, N or NE",
        sentence=f"{code} is {told}, which is no response category. The response was left out.",
        remedy="Correct the response in the source.",
    )


def _no_visit(domain: Domain, row: int) -> Finding:
    return domain.finding(
        row,
        id="unusable_row",
        column="VISITNUM",
        expected="a visit number, or a visit, or a date",
        sentence="The response belongs to no visit. The row was left out.",
        remedy="Give the response its visit.",
    )


def _contradiction(domain: Domain, row: int, found: str, first: str) -> Finding:
    code = domain.column("TESTCD").text(row)
    return domain.finding(
        row,
        id="contradicting_responses",
        severity="warning",
        column=code,
        found=found,
        expected=first,
        sentence=f"{code} stands twice at this visit, as {first} and as {found}; both were kept.",
        remedy="Delete the wrong row.",
    )
