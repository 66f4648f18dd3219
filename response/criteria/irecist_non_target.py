"""iRECIST: the non-target lesions behind an unconfirmed progression, and whether they have grown or settled since.

Source: Seymour et al., Lancet Oncol 2017;18:e143-e152, table 2; EORTC, "If iUPD is driven by non-target disease, how is
progression confirmed at the next assessment?": any further increase confirms, it need not be unequivocal again.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.criteria.burden import Fact, LesionClass, facts_at
from response.criteria.irecist_new import Owners, Sight, roots_among
from response.criteria.recist import RecistState
from response.criteria.rules import Flags
from response.timeline import NO_ROW
from response.vocabulary import Trend

_NON_TARGETS: Final = (LesionClass.NON_TARGET, LesionClass.NON_TARGET_NODE)


class ProgressedNonTargets:
    """The non-targets of the series in which non-targets progress, while the timepoints are walked.

    `held`: the lesions that made the unconfirmed progression, `[lesion]`.
    """

    def __init__(self, recist: RecistState) -> None:
        burden, block = recist.burden, recist.block
        relapse = recist.had_cr & burden.has(Fact.NON_TARGET_PRESENT)
        series = np.asarray((burden.has(Fact.NON_TARGET_PROGRESSION) | relapse).any(axis=1))
        tracks = np.flatnonzero(np.isin(burden.classes, _NON_TARGETS) & series[block.series_of_track])
        fact, row = facts_at(burden.classes[tracks], burden.state[tracks]), block.row[tracks]
        trend = np.zeros(fact.shape, np.int8)
        if "trend" in block.timeline.measurements.codes:
            written = block.timeline.measurements.codes["trend"][row]
            trend = np.where(row == NO_ROW, Trend.BLANK, written).astype(np.int8)
        lost = fact & np.uint16(Fact.NON_TARGET_MISSING | Fact.NON_TARGET_UNPROVEN)
        self.series = block.series_of_track[tracks]
        self.present = fact & np.uint16(Fact.NON_TARGET_PRESENT) != 0
        self.progressed = fact & np.uint16(Fact.NON_TARGET_PROGRESSION) != 0
        self.missing = fact & np.uint16(Fact.NON_TARGET_MISSING) != 0
        self.settled = ((lost == 0) & ~self.present) | (self.present & (trend == Trend.DECREASED))
        self.increased = trend == Trend.INCREASED
        self.root = roots_among(block, tracks)
        self.held = np.zeros(len(tracks), np.bool_)
        self._owners = Owners(self.series, block.series_count)

    def __len__(self) -> int:
        """Return the number of lesions."""
        return len(self.series)

    def look(self, place: int) -> NDArray[np.uint16]:
        """Return what the non-targets of each series show at a timepoint: sights, `[series]`."""
        held = self.held | self.held[self.root]
        more = self.progressed[:, place] & ~held
        return self._owners.sights(
            (Sight.NON_TARGET_GREW, self.increased[:, place] | more),
            (Sight.NON_TARGET_UNSETTLED, held & ~self.settled[:, place]),
            (Sight.NON_TARGET_MISSING, held & self.missing[:, place]),
        )

    def learn(self, place: int, opened: Flags, relapsed: Flags) -> None:
        """Hold the lesions that make an unconfirmed progression.

        Parameters
        ----------
        place
            The timepoint.
        opened
            Where an unconfirmed progression begins, `[series, 1]`.
        relapsed
            Where it is one because disease is back after a complete response, `[series, 1]`.
        """
        shows = self.progressed[:, place] | (self.present[:, place] & relapsed[self.series, 0])
        self.held = np.where(opened[self.series, 0], shows, self.held)
