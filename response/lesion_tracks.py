"""What a lesion is: its role, whether it is a node, whether it counts, and what it came from."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_ROW
from response.lineage import fragment_roots, link_parents
from response.timeline import Tracks
from response.vocabulary import Role, State, YesNo, is_nodal_site

if TYPE_CHECKING:
    from response.arrange import Arrangement


def describe_tracks(arranged: "Arrangement") -> Tracks:
    """Return role, node and lineage of every lesion; the rows must have been placed."""
    count = len(arranged.track_series)
    baseline = arranged.baseline[arranged.track_series]
    spot = arranged.spot_start[:-1] + np.maximum(baseline, 0)
    baseline_row = np.where(baseline >= 0, arranged.row[spot], NO_ROW)
    first = _first_places(arranged, baseline_row, baseline)
    described = np.where(baseline_row >= 0, baseline_row, arranged.row[arranged.spot_start[:-1] + first])
    role = arranged.measurements.code("role").take(described)
    lineage = link_parents(arranged, count)
    root = fragment_roots(lineage.parent, lineage.fragment)
    role = role[root]
    at_baseline = baseline_row >= 0
    of_baseline = at_baseline & np.isin(role, (Role.TARGET, Role.NON_TARGET))
    known = (baseline >= 0) & (first <= baseline)
    counted = of_baseline | ((role == Role.NEW) & ~known)  # what was there at baseline is not new
    counted |= lineage.fragment & counted[root]
    return Tracks(
        lesions=arranged.lesion.texts,
        lesion=arranged.track_lesion,
        role=role.astype(np.int8),
        nodal=_nodal(arranged, described, root),
        counted=counted,
        at_baseline=at_baseline,
        first=first.astype(np.int32),
        parent=lineage.parent,
        fragment=lineage.fragment,
        carries=_carries(arranged, count),
    )


def _first_places(
    arranged: "Arrangement", baseline_row: NDArray[np.int32], baseline: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return the place of the first timepoint with a row of each track."""
    if bool((baseline <= 0).all() and (baseline_row >= 0).all()):
        return np.zeros(len(baseline), np.int64)
    spots = np.flatnonzero(arranged.row >= 0)
    track = np.searchsorted(arranged.spot_start, spots, side="right") - 1
    firsts = np.flatnonzero(np.concatenate([[True], track[1:] != track[:-1]])) if len(track) else track
    return np.asarray(spots[firsts] - arranged.spot_start[:-1], np.int64)


def _nodal(arranged: "Arrangement", described: NDArray[np.int32], root: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which tracks are nodes: by the written flag, else by the organ; of any row where one has none."""
    organ = arranged.measurements.text_column("organ")
    by_organ = np.asarray([YesNo.YES if is_nodal_site(text) else YesNo.BLANK for text in organ.values], np.int8)
    by_row = by_organ.take(organ.codes) if by_organ.any() else np.zeros(arranged.rows, np.int8)
    if "nodal" in arranged.measurements.codes:
        written = arranged.measurements.codes["nodal"]
        by_row = np.where(written != YesNo.BLANK, written, by_row)
    nodal = by_row[described]
    rows = np.flatnonzero(by_row)
    unsaid = rows[nodal[arranged.track_of_row[rows]] == YesNo.BLANK]
    np.maximum.at(nodal, arranged.track_of_row[unsaid], by_row[unsaid])
    return np.asarray(np.where(nodal == YesNo.BLANK, nodal[root], nodal) == YesNo.YES)


def _carries(arranged: "Arrangement", count: int) -> NDArray[np.bool_]:
    written = arranged.measurements.code("state")
    lasting = np.isin(written, (State.MERGED, State.SPLIT, State.RESOLVED, State.NOT_SCHEDULED))
    carries = np.zeros(count, np.bool_)
    carries[arranged.track_of_row[lasting]] = True
    return carries
