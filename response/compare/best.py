"""Collected best responses and progression dates against computed ones, with the likely cause of each difference."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.best.overall import BEST_NAMES, BestResponse, best_response_of
from response.cells import NO_DATE, DatePrecision, iso_texts
from response.checks.scene import Flags, Grouped, Scene
from response.compare.matching import NOWHERE, UNKNOWN, Answers, Match
from response.findings import Finding
from response.registry import STANDARD
from response.vocabulary import NA, NE, PD, RESPONSE_BY_NAME, Response

_UNSAID: Final = ("", UNKNOWN)
_ORDER: Final = {name: int(code) for name, code in RESPONSE_BY_NAME.items() if Response.CR <= code <= Response.NED}
_EPOCH: Final = date(1970, 1, 1).toordinal()

Cause = tuple[str, str]
FOLLOWS: Final[Cause] = ("follows_from_timepoints", "it follows from the responses recorded at the timepoints")
UNKNOWN_CAUSE: Final[Cause] = ("unknown", "none of the usual slips gives it")


def compare_best(match: Match, cells_that_differ: NDArray[Any]) -> Iterator[Finding]:
    """Yield the differences of best responses and progression dates.

    A difference that follows from responses at timepoints that differ is only told as `info`.
    """
    comparison = _BestComparison(match, cells_that_differ)
    yield from comparison.best_differences()
    yield from comparison.date_differences()


@dataclass(frozen=True, eq=False)
class _BestComparison:
    match: Match
    cells_that_differ: NDArray[Any]

    @property
    def scene(self) -> Scene:
        return self.match.scene

    @cached_property
    def rows(self) -> Flags:
        """Which rows are of RECIST 1.1 and of a series that was scored."""
        series = self.match.series
        scored = self.scene.timeline.series.baseline[series] >= 0
        return np.asarray(self.match.rows_of(STANDARD) & (series != NOWHERE) & scored)

    @cached_property
    def answers(self) -> Answers:
        return Answers.of("overall", self.match.records.text_column("best_response"))

    def _of_series(self, name: str) -> NDArray[Any]:
        blocks = self.scene.assessment.best[STANDARD].blocks
        return np.concatenate([getattr(block.best, name) for block in blocks])

    @cached_property
    def collected_cells(self) -> Grouped:
        """Rows of timepoints by series."""
        said = np.flatnonzero(self.rows & (self.match.cell != NOWHERE) & (self.match.answers["overall"].codes > 1))
        return Grouped(self.match.series[said], said)

    # --- best response

    def best_differences(self) -> Iterator[Finding]:
        """Yield collected best responses that differ, or that are better than any collected timepoint."""
        confirmed = self.scene.options.confirmation
        computed = self._of_series("confirmed_best" if confirmed else "best")
        names = [BEST_NAMES[Response(code)] for code in range(len(Response))]
        as_compared = [NE if name in ("MISSING", "ND", NA) else name for name in names]
        series = self.match.series
        differs = self.rows & self.answers.differs_from(as_compared, computed[series], "overall")
        hits = np.flatnonzero(differs)

        def make(row: int) -> Finding:
            found, expected = self.answers.names[self.answers.codes[row]], as_compared[computed[series[row]]]
            return self._difference(row, "best_response", found, expected, self._best_cause(row, found))

        yield from self.scene.notes(hits, make)
        yield from self._better_than_timepoints(differs)

    def _best_cause(self, row: int, found: str) -> Cause:
        series, options = int(self.match.series[row]), self.scene.options
        if found in self._bests(series, collected=True) and self._some_differ(series):
            return FOLLOWS
        other = "best" if options.confirmation else "confirmed_best"
        if found == BEST_NAMES[Response(int(self._of_series(other)[series]))]:
            needed = "is" if options.confirmation else "is not"
            return ("confirmation", f"confirmation of the response {needed} asked for by the protocol")
        return self._cause_by_trial(series, found)

    def _cause_by_trial(self, series: int, found: str) -> Cause:
        """Return the cause that the best response has when it is found anew in a wrong way."""
        names = [name for _, name in self._sequence(series, collected=False)]
        tries: tuple[tuple[str, str, Callable[[], bool]], ...] = (
            ("minimum_duration", "the minimum duration of stable disease was not applied",
             lambda: found in self._bests(series, min_sd_days=0)),
            ("after_pd_counted", "a timepoint after progression was counted",
             lambda: found in self._bests(series, after_pd="continue")),
            ("after_new_therapy_counted", "a timepoint after the start of a new therapy was counted",
             lambda: found in self._bests(series, new_therapy=False)),
            ("last_timepoint_taken", "the last response was taken, not the best one", lambda: names[-1:] == [found]),
            ("not_the_best", "the response of another timepoint was taken, not the best one", lambda: found in names),
        )  # fmt: skip
        return next(((name, sentence) for name, sentence, gives in tries if gives()), UNKNOWN_CAUSE)

    def _bests(
        self, series: int, *, collected: bool = False, new_therapy: bool = True, **changed: Any
    ) -> tuple[str, ...]:
        """Return the headline best response of a sequence; nothing where there is no assessment."""
        best = self._recomputed(series, collected=collected, new_therapy=new_therapy, **changed)
        if best is None:
            return ()
        return (best.confirmed_best if self.scene.options.confirmation else best.best,)

    def _recomputed(
        self, series: int, *, collected: bool, new_therapy: bool = True, **changed: Any
    ) -> BestResponse | None:
        sequence = self._sequence(series, collected=collected)
        if not sequence:
            return None
        therapy = int(self.scene.timeline.series.new_therapy[series])
        return best_response_of(
            sequence,
            _date(int(self._of_series("reference_date")[series])),
            replace(self.scene.options, **changed),
            new_therapy=_date(therapy) if new_therapy else None,
        )

    def _sequence(self, series: int, *, collected: bool) -> list[tuple[date | None, str]]:
        """Return date and overall response of the timepoints of a series; the collected ones where asked."""
        timeline, result = self.scene.timeline, self.scene.assessment.results[STANDARD]
        names, codes = result.categories(), result.answers["overall"]
        told = {}
        if collected:
            rows = self.collected_cells.of(series).tolist()
            told = {int(self.match.cell[row]): self.match.text("overall", row) for row in rows}
        cells = timeline.cells(series)
        found = []
        for cell in range(cells.start, cells.stop):
            name = told.get(cell, names[codes[cell]])
            if name not in _UNSAID:
                found.append((_date(int(timeline.visits.first_scan[cell])), name))
        return found

    def _some_differ(self, series: int) -> bool:
        cells = self.scene.timeline.cells(series)
        low, high = np.searchsorted(self.cells_that_differ, [cells.start, cells.stop])
        return bool(high > low)

    def _better_than_timepoints(self, told: Flags) -> Iterator[Finding]:
        """Yield collected best responses that no collected timepoint of the series reaches."""
        ranks = {name: _ORDER.get(name, int(Response.PD)) for name in {*self.answers.names, *_ORDER}}
        overall = self.match.answers["overall"]
        rank = np.asarray([ranks.get(name, int(Response.PD)) for name in overall.names], np.int64)[overall.codes]
        best = np.full(len(self.scene.timeline.series), len(Response), np.int64)
        said = self.rows & (overall.codes > 1)
        np.minimum.at(best, self.match.series[said], rank[said])
        own = np.asarray([ranks[name] for name in self.answers.names], np.int64)[self.answers.codes]
        known = self.rows & ~told & (self.answers.codes > 1) & (best[self.match.series] < len(Response))
        hits = np.flatnonzero(known & (own < best[self.match.series]))

        def make(row: int) -> Finding:
            name = self.answers.names[self.answers.codes[row]]
            return replace(
                self._about(row, "best_response_better_than_timepoints", "warning"),
                column="best_response",
                found=name,
                expected="a response that some timepoint has",
                sentence=f"The recorded best response {name} is better than the response of any timepoint.",
                remedy="Please check the best response and the responses of the timepoints.",
            )

        yield from self.scene.notes(hits, make)

    # --- progression date

    def date_differences(self) -> Iterator[Finding]:
        """Yield collected progression dates that differ; a blank one counts where a best response stands beside it."""
        records = self.match.records
        if not records.has("progression_date"):
            return
        dates = records.date("progression_date")
        computed = self._of_series("progression_date")[self.match.series]
        said = dates.days != NO_DATE
        length = np.asarray([0, 4, 7, 10])[dates.precision]
        same = dates.days == computed
        for row in np.flatnonzero(self.rows & said & (dates.precision != DatePrecision.DAY)).tolist():
            texts = iso_texts(np.asarray([dates.days[row], computed[row]], np.int32))
            same[row] = texts[0][: length[row]] == texts[1][: length[row]]
        left_out = ~said & (self.answers.codes > 0) & (computed != NO_DATE)
        hits = np.flatnonzero(self.rows & ((said & ~same) | left_out))

        def make(row: int) -> Finding:
            found = iso_texts(dates.days[row : row + 1], dates.precision[row : row + 1])[0] or "no progression"
            expected = iso_texts(computed[row : row + 1])[0] or "no progression"
            cause = self._date_cause(row, int(dates.days[row]), int(computed[row]))
            return self._difference(row, "progression_date", found, expected, cause)

        yield from self.scene.notes(hits, make)

    def _date_cause(self, row: int, found: int, computed: int) -> Cause:
        series = int(self.match.series[row])
        again = self._recomputed(series, collected=True)
        if again is not None and again.progression_date == _date(found) and self._some_differ(series):
            return FOLLOWS
        if found == NO_DATE:
            return "progression_left_out", "the progression was not recorded"
        return self._cause_by_scan(series, found, computed)

    def _cause_by_scan(self, series: int, found: int, computed: int) -> Cause:
        timeline, result = self.scene.timeline, self.scene.assessment.results[STANDARD]
        cells = timeline.cells(series)
        visits = timeline.visits
        at = (visits.first_scan[cells] <= found) & (found <= visits.last_scan[cells])
        progressed = result.responses()[cells] == Response.PD
        first = int(np.flatnonzero(progressed)[0]) if progressed.any() else -1
        if not at.any():
            return "no_scan_on_that_day", "there is no scan on that day"
        place = int(np.flatnonzero(at)[0])
        if not progressed[place]:
            return "no_progression_there", f"the response at that timepoint is not {PD}"
        if place == first and visits.first_scan[cells][place] != computed:
            return "not_dated_back", "the finding was seen before, so the progression dates from the earlier scan"
        if place == first:
            return "last_scan_taken", "a later scan of the timepoint was taken, not the one that shows it first"
        return "later_progression", "a later timepoint was taken, not the first one with progression"

    # --- findings

    def _about(self, row: int, id_: str, severity: Any) -> Finding:
        file, line = self.match.records.table.where(row)
        return self.scene.of_series(int(self.match.series[row]), id_, severity, file=file, line=line)

    def _difference(self, row: int, column: str, found: str, expected: str, cause: Cause) -> Finding:
        name, sentence = cause
        word = column.replace("_", " ")
        return replace(
            self._about(row, f"{column}_differs", "info" if cause is FOLLOWS else "error"),
            column=column,
            found=found,
            expected=f"{expected} ({name})",
            sentence=f"The {word} was recorded as {found}, but the measurements give {expected}. "
            f"Likely cause ({name}): {sentence}.",
            remedy=f"Please check the recorded {word} and the responses of the timepoints.",
        )


def _date(days: int) -> date | None:
    return None if days == NO_DATE else date.fromordinal(days + _EPOCH)
