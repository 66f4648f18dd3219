"""Proposes target lesions from the lesions seen at baseline (RECIST 1.1, sections 3.2 and 4.2).

1. Candidates are the baseline rows with the role `candidate`. Lesions that are not measurable, or were treated
   locally before without progression since, are non-targets; normal nodes are no lesions.
2. In each organ the largest come first, those that are not cystic before cystic ones; of nodes the second one
   comes from another station where there is one (EORTC FAQ on paired organs).
3. The first of every organ is taken, the largest organ first, so that all organs are represented; then the second
   of the organs, again the largest first. At most two of an organ and five in all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from response.arrange import arrange
from response.cells import NO_NUMBER, NO_ROW, thousandths_text
from response.measurability import REASONS, BaselineLesions, NotMeasurable, baseline_lesions
from response.measurements import Measurements
from response.protocol import Protocol
from response.timeline import Timeline
from response.vocabulary import LYMPH_NODE, Role, folded, organ_of

if TYPE_CHECKING:
    import pandas as pd

LARGEST_TARGETS: Final = 5  # section 4.2
LARGEST_PER_ORGAN: Final = 2  # section 4.2
SELECTION_COLUMNS: Final = (
    *("subject", "evaluator", "timepoint", "lesion", "organ", "location", "diameter_mm", "proposed_role", "reason"),
)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The role proposed for one candidate.

    Attributes
    ----------
    subject, evaluator, timepoint, lesion, organ, location
        The lesion, as it was recorded at baseline.
    diameter_um
        Length that would count, whole micrometres, `cells.NO_NUMBER` where there is none.
    proposed_role
        `target`, `non_target`, or blank for what is no lesion.
    reason
        Why, for a person.
    """

    subject: str
    evaluator: str
    timepoint: str
    lesion: str
    organ: str
    location: str
    diameter_um: int
    proposed_role: str
    reason: str


@dataclass(frozen=True)
class _Candidate:
    place: int
    organ: str
    station: str
    size_um: int
    cystic: bool

    @property
    def order(self) -> tuple[bool, int, int]:
        """Best first: not cystic, then large, then as in the table."""
        return self.cystic, -self.size_um, self.place


def select_targets(
    measurements: Measurements,
    *,
    protocol: Protocol | None = None,
    largest: int = LARGEST_TARGETS,
    largest_per_organ: int = LARGEST_PER_ORGAN,
) -> "pd.DataFrame":
    """Propose target lesions, and say of each candidate why it is one or not.

    Parameters
    ----------
    measurements
        With rows of the role `candidate` at baseline.
    protocol
        Its `[recist-1.1]` `node_slice_rule` decides about nodes on thick slices.
    largest, largest_per_organ
        Largest number of targets in all and of one organ.

    Returns
    -------
    pandas.DataFrame
        One row per candidate, targets first within a series (columns `SELECTION_COLUMNS`).
    """
    import pandas as pd

    found = propose_targets(measurements, protocol=protocol, largest=largest, largest_per_organ=largest_per_organ)
    rows = [
        {
            **{name: getattr(item, name) for name in SELECTION_COLUMNS if name != "diameter_mm"},
            "diameter_mm": "" if item.diameter_um == NO_NUMBER else thousandths_text(item.diameter_um),
        }
        for item in found
    ]
    return pd.DataFrame(rows, columns=list(SELECTION_COLUMNS))


def propose_targets(
    measurements: Measurements,
    *,
    protocol: Protocol | None = None,
    largest: int = LARGEST_TARGETS,
    largest_per_organ: int = LARGEST_PER_ORGAN,
) -> list[Proposal]:
    """Return the proposals as records; see `select_targets`."""
    from response.criteria.recist import RecistOptions

    timeline = arrange(measurements)
    rule = (protocol or Protocol()).options("recist-1.1", RecistOptions).node_slice_rule
    proposals: list[Proposal] = []
    for tracks, rows in _candidates(timeline):
        nodal = timeline.tracks.nodal[tracks]
        lesions = baseline_lesions(measurements, rows, nodal, node_slice_rule=rule, read_sites=True)
        own = [_candidate(measurements, lesions, place, nodal=bool(nodal[place])) for place in range(len(rows))]
        eligible = [
            item for item in own if lesions.why[item.place] == NotMeasurable.NO and not lesions.treated[item.place]
        ]
        chosen = _choose(eligible, largest, largest_per_organ)
        made = [_proposal(timeline, int(tracks[item.place]), lesions, item, chosen) for item in own]
        proposals += sorted(made, key=lambda item: (item.proposed_role != "target", -item.diameter_um))
    return proposals


def _candidates(timeline: Timeline) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int32]]]:
    """Yield the candidates of each series that has any, and their baseline rows."""
    place = timeline.series.baseline[timeline.series_of_track]
    row = np.where(place < 0, NO_ROW, timeline.row[timeline.spot_start[:-1] + np.maximum(place, 0)])
    tracks = np.flatnonzero((timeline.tracks.role == Role.CANDIDATE) & (row != NO_ROW))
    series = timeline.series_of_track[tracks]
    for own in np.split(tracks, np.flatnonzero(np.diff(series)) + 1):
        if len(own):
            yield own, row[own]


def _candidate(measurements: Measurements, lesions: BaselineLesions, place: int, *, nodal: bool) -> _Candidate:
    row = int(lesions.rows[place])
    site, location = (measurements.text_column(name).text(row) for name in ("organ", "location"))
    organ = LYMPH_NODE if nodal else organ_of(site)
    size, cystic = int(lesions.length_um[place]), bool(lesions.cystic[place])
    return _Candidate(place, organ, folded(f"{site} {location}") if nodal else "", size, cystic)


def _choose(eligible: Sequence[_Candidate], largest: int, per_organ: int) -> list[int]:
    """Return the places of the chosen ones, in the order in which they were taken."""
    by_organ: dict[str, list[_Candidate]] = {}
    for item in sorted(eligible, key=lambda item: item.order):
        by_organ.setdefault(item.organ, []).append(item)
    ranked = [_of_organ(items, per_organ) for items in by_organ.values()]
    turns = [sorted((items[turn] for items in ranked if len(items) > turn), key=lambda item: item.order)
             for turn in range(per_organ)]  # fmt: skip
    return [item.place for turn in turns for item in turn][:largest]


def _of_organ(items: Sequence[_Candidate], count: int) -> list[_Candidate]:
    """Return the best of an organ; of nodes the next one comes from a station that has none yet, if any is left."""
    left, chosen = list(items), list[_Candidate]()
    while left and len(chosen) < count:
        stations = {item.station for item in chosen}
        taken = next((item for item in left if item.station and item.station not in stations), left[0])
        left.remove(taken)
        chosen.append(taken)
    return chosen


def _proposal(
    timeline: Timeline, track: int, lesions: BaselineLesions, item: _Candidate, chosen: Sequence[int]
) -> Proposal:
    measured, series = timeline.measurements, int(timeline.series_of_track[track])
    row, cell = int(lesions.rows[item.place]), int(timeline.baseline_cell[series])
    role, reason = _role(lesions, item, chosen)
    return Proposal(
        subject=timeline.series.subjects[timeline.series.subject[series]],
        evaluator=timeline.series.evaluators[timeline.series.evaluator[series]],
        timepoint=timeline.visits.labels[timeline.visits.label[cell]],
        lesion=timeline.tracks.lesions[timeline.tracks.lesion[track]],
        organ=measured.text_column("organ").text(row),
        location=measured.text_column("location").text(row),
        diameter_um=item.size_um,
        proposed_role=role,
        reason=reason,
    )


def _role(lesions: BaselineLesions, item: _Candidate, chosen: Sequence[int]) -> tuple[str, str]:
    """Return the role proposed for a candidate, and why."""
    why = NotMeasurable(int(lesions.why[item.place]))
    organ = item.organ or "its organ"
    if item.place in chosen:
        number = chosen.index(item.place) + 1
        return "target", f"{lesions.sized(item.place)}, measurable; number {number} by organ and size"
    if why == NotMeasurable.NORMAL_NODE:
        return "", f"no lesion: {REASONS[why][0]}"
    if why != NotMeasurable.NO:
        return "non_target", f"not measurable: {REASONS[why][0]}"
    if lesions.treated[item.place]:
        return "non_target", "treated locally before, and no progression since"
    return "non_target", f"measurable, but others of {organ} or of all organs come first"
