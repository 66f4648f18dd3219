"""The state and the numbers of a lesion at a visit, from all its tests.

A written state (TUMSTATE, LNSTATE) wins over the state of the length that counts (short axis of a node, longest
diameter of any other); a test that was not done says something only where nothing else does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from response.io import sdtm_words as words
from response.io.sdtm_results import NOTHING, LesionResults, Rows
from response.io.sdtm_words import LENGTHS, STATES, Kind, Result
from response.table import TextColumn
from response.vocabulary import Role, State, text_of

Texts = NDArray[np.object_]
Flags = NDArray[np.bool_]

_PRESENT = text_of(State.PRESENT)
_BLANK = ""


@dataclass(eq=False)
class TestTable:
    """The results of all tests, one line per lesion and visit.

    Attributes
    ----------
    codes
        Shape `[kind, line]`; index into `results`, whose last is blank.
    results
        The distinct results.
    """

    __test__ = False  # no class of tests

    codes: NDArray[np.int32]
    results: list[Result]

    @classmethod
    def of(cls, results: LesionResults, pick: Rows) -> "TestTable":
        """Return the table of the picked results, lengths of one line in one unit."""
        blank = len(results.results) - 1
        codes = np.where(pick == NOTHING, blank, results.code[pick]) if len(results.code) else np.full(pick.shape, 0)
        table = cls(codes.astype(np.int32), list(results.results))
        table._use_one_unit()
        return table

    def _use_one_unit(self) -> None:
        """Write all lengths of a line in mm where their units differ, for a line has one unit."""
        units = [result.unit.casefold() if result.value else None for result in self.results]
        number = {unit: place for place, unit in enumerate(dict.fromkeys(units))}
        unit = np.asarray([number[text] for text in units], np.int32)[self.codes[list(LENGTHS)]]
        nothing = number.get(None, NOTHING)
        differ = np.zeros(self.codes.shape[1], np.bool_)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            differ |= (unit[one] != unit[other]) & (unit[one] != nothing) & (unit[other] != nothing)
        for line in np.flatnonzero(differ).tolist():
            for kind in LENGTHS:
                result = self.results[self.codes[kind, line]]
                if result.value:
                    value = words.in_unit(result.value, result.unit, "mm")
                    self.results.append(result._replace(value=value or "", unit="mm"))
                    self.codes[kind, line] = len(self.results) - 1

    def values(self, kind: Kind) -> TextColumn:
        """Return the numbers of a test as a column."""
        return TextColumn(self.codes[kind], [result.value for result in self.results]).normalised()

    def has_any(self, kind: Kind) -> bool:
        """Return whether any line has a number of this test."""
        return any(self.results[code].value for code in np.unique(self.codes[kind]).tolist())

    def units(self) -> TextColumn:
        """Return the unit of the lengths of each line."""
        texts = np.asarray([result.unit if result.value else "" for result in self.results], object)
        unit = texts[self.codes[Kind.LONGEST]]
        for kind in (Kind.SHORT, Kind.DIAMETER):
            unit = np.where(unit == "", texts[self.codes[kind]], unit)
        return TextColumn.of(unit.tolist())

    def reasons(self) -> Texts:
        """Return the first reason of each line."""
        texts = np.asarray([result.reason for result in self.results], object)
        reason = texts[self.codes[0]]
        for codes in self.codes[1:]:
            reason = np.where(reason == "", texts[codes], reason)
        return np.asarray(reason)

    def states(self, role: NDArray[np.int8], nodal: Flags) -> Texts:
        """Return the state of each line: canonical, or one of the words that depend on the role."""
        state = np.asarray([result.state for result in self.results], object)
        soft = np.asarray([result.not_done for result in self.results], np.bool_)
        number = np.asarray([bool(result.value) for result in self.results], np.bool_)
        counting = np.where(nodal, self.codes[Kind.SHORT], self.codes[Kind.LONGEST])
        silent = ~number[counting] & ((state[counting] == _BLANK) | soft[counting])
        single = self.codes[Kind.DIAMETER]
        counting = np.where(silent & (number[single] | (state[single] != _BLANK)), single, counting)
        measured = number[counting]
        written = self._written(state, soft, role, measured)
        # a target with a number, or too small for one, is of course present
        redundant = (role == Role.TARGET) & (written == _PRESENT) & (measured | (state[counting] != _BLANK))
        written[redundant] = _BLANK
        of_length = np.where(soft[counting], _BLANK, state[counting])
        final = np.where(written != _BLANK, written, of_length)
        return np.where((final == _BLANK) & ~measured, self._leftover(state, soft), final)

    def _written(self, state: Texts, soft: Flags, role: NDArray[np.int8], measured: Flags) -> Texts:
        """Return what TUMSTATE says, else LNSTATE where the lesion is no target and has no number."""
        tumour, node = self.codes[Kind.STATE], self.codes[Kind.NODE_STATE]
        written = np.where(soft[tumour], _BLANK, state[tumour])
        # "pathological" is above or below 10 mm: a target needs its number, and a number says more
        of_node = np.where(soft[node] | measured, _BLANK, state[node])
        by_size = np.isin(of_node, (_PRESENT, text_of(State.ABSENT))) & (role == Role.TARGET)
        of_node[by_size] = _BLANK
        return np.where(written == _BLANK, of_node, written)

    def _leftover(self, state: Texts, soft: Flags) -> Texts:
        """Return the first state that any test has where none counts, "not done" included."""
        left = np.full(self.codes.shape[1], _BLANK, object)
        for kind in (*STATES, *LENGTHS):
            said = state[self.codes[kind]]
            if kind in STATES:  # all that these say was weighed before, but that they were not done
                said = np.where(soft[self.codes[kind]], said, _BLANK)
            left = np.where(left == _BLANK, said, left)
        return left


def resolved_words(states: Texts, role: NDArray[np.int8], baseline: Sequence[bool]) -> tuple[Texts, list[int]]:
    """Return states with the words that depend on the role settled, and the lines that a person should look at."""
    new, at_baseline = role == Role.NEW, np.asarray(baseline, np.bool_)
    unequivocal = states == words.UNEQUIVOCAL_WORD
    settled = states.copy()
    settled[unequivocal] = _PRESENT
    progressed = unequivocal & ~new & ~at_baseline
    settled[progressed] = text_of(State.UNEQUIVOCAL_PROGRESSION)
    resolved = states == words.RESOLVED_WORD
    settled[resolved] = text_of(State.ABSENT)
    settled[resolved & new] = text_of(State.RESOLVED)
    settled[states == words.NO_LESION_WORD] = text_of(State.ABSENT)
    return settled, np.flatnonzero(progressed | ((states == words.NO_LESION_WORD) & ~new)).tolist()
