"""iRECIST: what does not depend on its walk: RECIST 1.1, the lesions as it sees them, and the visits."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, DatePrecision
from response.criteria.burden import Fact, before
from response.criteria.irecist.memory import NO_DAY, Days
from response.criteria.new_lesions import visit_codes
from response.criteria.recist import OVERALL_RULES, RecistState
from response.criteria.rules import Flags
from response.criteria.steps import Rows, of_part


class Scene:
    """What does not depend on the walk; arrays `[series, timepoint]`.

    Attributes
    ----------
    day, scan
        Day of the first scan, where it is known to the day, and as it stands.
    unlisted
        An unequivocal new lesion is there that has no row.
    progressed
        PD by RECIST 1.1.
    has_unlisted, has_gone, has_early_scans
        Whether there is such a new lesion anywhere, a timepoint at which all targets are gone (or there are none), or a
        scan so soon after another one that it may have to be left out.
    """

    def __init__(self, recist: RecistState, options: Any) -> None:
        block, burden = recist.block, recist.burden
        self.recist = recist
        visits = block.timeline.visits
        whole_day = block.cell_values(visits.precision, 0) == DatePrecision.DAY
        self.day: Days = np.where(whole_day, block.cell_values(visits.first_scan, NO_DATE), NO_DAY)
        self.scan: Days = block.cell_values(visits.first_scan, NO_DATE)
        self.unlisted = recist.new_unequivocal & ~burden.has(Fact.NEW_UNEQUIVOCAL)
        self.has_unlisted = bool(self.unlisted.any())
        self.progressed = np.asarray(recist.is_("overall", "PD") & block.follow_up)
        self.has_gone = bool(recist.is_("target", "CR", "NA").any())
        fewest = options.ir_min_confirm_days - options.ir_tol
        self.has_early_scans = options.ir_early_policy == "ignore" and self._comes_within(fewest)
        self._values: dict[str, NDArray[Any]] = {}

    @cached_property
    def forgets(self) -> Flags:
        """Series in which there is no new lesion and no complete response ever, `[series]`."""
        new = self.recist.new_unequivocal | self.recist.burden.has(Fact.NEW_EQUIVOCAL | Fact.NEW_MISSING)
        return np.asarray(~(new | self.recist.is_cr).any(axis=1))

    def _comes_within(self, days: int) -> bool:
        """Return whether a scan comes within some days of one before, so that it may be left out."""
        day = np.where(self.recist.block.follow_up, self.day, NO_DAY)
        last = before(np.maximum.accumulate(day, axis=1), NO_DAY)
        known = (day != NO_DAY) & (last != NO_DAY)
        return bool((known & (day.astype(np.int64) - last < days)).any())

    def at(self, name: str, part: slice, rows: Rows) -> NDArray[Any]:
        """Return something of RECIST 1.1, of its lesions or of the visit, at some timepoints of some series."""
        if name not in self._values:
            self._values[name] = self._made(name)
        return of_part(self._values[name], part, rows)

    def _made(self, name: str) -> NDArray[Any]:
        block, recist, burden = self.recist.block, self.recist, self.recist.burden
        facts = {"target_disease": Fact.TARGET_DISEASE, "non_target_present": Fact.NON_TARGET_PRESENT}
        if name in facts:
            return burden.has(facts[name])
        if name in ("ned_not_evaluable", "no_lesion_to_follow"):
            return next(rule for rule in OVERALL_RULES if rule.name == name).holds(recist)
        if name in ("new_symptom", "clinical", "new_lesions", "pet"):
            return visit_codes(block, name)
        for owner in (self, recist, burden):
            if hasattr(type(owner), name) or name in vars(owner):
                return np.asarray(getattr(owner, name))
        raise KeyError(name)
