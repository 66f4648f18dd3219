"""Edit checks of scans after radiotherapy: what swells or dies then may look like growth. No category depends on them.

A sarcoma is resected 4 to 6 weeks after preoperative radiotherapy in one trial (Bedi et al., Adv Radiat Oncol 2022,
doi:10.1016/j.adro.2021.100850, abstract read), later in others, and is restaged before that; how long restaging should
wait was not found in a public source: the 4 weeks are of the criteria page (F14).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_DATE, NO_ROW, DatePrecision
from response.checks.scene import Check, Scene
from response.findings import Finding
from response.suggestion import is_sarcoma
from response.vocabulary import folded

SOON_DAYS: Final = 28
_BEFORE_SURGERY: Final = ("neoadjuvant", "preoperative")
_NOT_AFTER: Final = -1  # days of a scan that was not made after radiotherapy, as far as is known


def scans_soon_after_radiotherapy(scene: Scene) -> Iterator[Finding]:
    """Scans of a sarcoma within four weeks after the end of radiotherapy."""
    days = _days_after(scene)

    def make(cell: int) -> Finding | None:
        if not is_sarcoma(scene.about_subject("tumour_type", int(scene.timeline.series_of_cell[cell]))):
            return None
        return scene.of_cell(
            cell,
            "scan_soon_after_radiotherapy",
            "info",
            column="date",
            found=f"{days[cell]} days after radiotherapy",
            expected=f"{SOON_DAYS} days or more",
            sentence=f"The scan was made {days[cell]} days after the end of radiotherapy; swelling and necrosis may "
            "look like growth then.",
            remedy="Restage 4 to 6 weeks after radiotherapy, and look at enhancement; the categories stay.",
        )

    yield from scene.notes(np.flatnonzero(scene.follow_up & (days >= 0) & (days < SOON_DAYS)), make)


def baselines_after_radiotherapy(scene: Scene) -> Iterator[Finding]:
    """Baselines after radiotherapy in a neoadjuvant setting."""
    days, cells = _days_after(scene), scene.timeline.baseline_cell[scene.timeline.baseline_cell >= 0]

    def make(cell: int) -> Finding | None:
        setting = scene.about_subject("setting", int(scene.timeline.series_of_cell[cell]))
        if not any(word in folded(setting).replace(" ", "") for word in _BEFORE_SURGERY):
            return None
        return scene.of_cell(
            cell,
            "baseline_after_radiotherapy",
            "info",
            column="date",
            found=f"{days[cell]} days after radiotherapy",
            expected="a baseline before radiotherapy",
            sentence=f"The baseline was scanned {days[cell]} days after the end of radiotherapy, though the setting is "
            f"{setting}; changes are counted from what the radiotherapy left.",
            remedy="Add the scan before radiotherapy, or check which timepoint is the baseline.",
        )

    yield from scene.notes(cells[days[cells] >= 0], make)


def _days_after(scene: Scene) -> NDArray[np.int64]:
    """Return days from the end of radiotherapy to each scan, `_NOT_AFTER` where they are not known; `[cell]`."""
    timeline, subjects = scene.timeline, scene.measurements.subjects
    visits, row = timeline.visits, timeline.series.subject_row[timeline.series_of_cell]
    if subjects is None or "radiotherapy_end" not in subjects.dates or not len(subjects):
        return np.full(len(visits), _NOT_AFTER, np.int64)
    ended = subjects.dates["radiotherapy_end"]
    end, precision = ended.days[np.maximum(row, 0)], ended.precision[np.maximum(row, 0)]
    known = (row != NO_ROW) & (precision == DatePrecision.DAY) & (visits.precision == DatePrecision.DAY)
    known &= visits.first_scan != NO_DATE
    return np.where(known, np.maximum(visits.first_scan.astype(np.int64) - end, _NOT_AFTER), _NOT_AFTER)


RADIOTHERAPY_CHECKS: Final[tuple[Check, ...]] = (scans_soon_after_radiotherapy, baselines_after_radiotherapy)
