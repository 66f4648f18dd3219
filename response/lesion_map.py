"""An explicit map: which structure of which study is which lesion, where the sources do not say it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from response.findings import Finding
from response.observations import Observation

KEYS: Final = ("subject", "study", "date", "timepoint", "file", "tracking_uid", "tracking_id", "number", "label")
STRUCTURE_KEYS: Final = ("tracking_uid", "tracking_id", "number", "label", "file")  # one says which structure is meant
SAYS: Final = ("lesion", "role", "organ", "nodal", "state")


@dataclass(frozen=True, kw_only=True)
class MapEntry:
    """One line: all keys that are not blank must fit.

    Attributes
    ----------
    lesion
        The lesion that the structure is.
    subject, study, date, timepoint, file
        Where it was seen: study by its UID or folder, timepoint by the label that the measurement table has, file by
        its name or the end of its path.
    tracking_uid, tracking_id, number, label
        What the source calls it; the number is of the segment, label value or ROI.
    role, organ, nodal
        Of the lesion, over its whole course; as in the measurement table.
    state
        Of the lesion at the matched timepoints.
    line
        Where it stands in the file.
    """

    lesion: str
    subject: str = ""
    study: str = ""
    date: str = ""
    timepoint: str = ""
    file: str = ""
    tracking_uid: str = ""
    tracking_id: str = ""
    number: str = ""
    label: str = ""
    role: str = ""
    organ: str = ""
    nodal: str = ""
    state: str = ""
    line: int = 0

    def fits(self, observation: Observation) -> bool:
        """Return whether this line is about an observation."""
        name = observation.name
        return (
            self.subject in ("", observation.subject)
            and self.date in ("", observation.date)
            and self.timepoint in ("", observation.timepoint)
            and self.tracking_uid in ("", name.tracking_uid)
            and self.tracking_id in ("", name.tracking_id)
            and self.label in ("", name.label)
            and self.number in ("", str(name.number))
            and _is_end(self.study, observation.study)
            and _is_end(self.file, observation.file)
        )


@dataclass(frozen=True, kw_only=True)
class LesionMap:
    """All lines of a map file.

    Attributes
    ----------
    entries
        In the order of the file.
    file
        Its name.
    findings
        Lines that could not be used.
    """

    entries: Sequence[MapEntry]
    file: str = ""
    findings: Sequence[Finding] = field(default=())


def _is_end(said: str, path: str) -> bool:
    """Return whether a path is the one said, or ends with it in whole parts."""
    if not said or said == path:
        return True
    wanted, found = PurePath(said).parts, PurePath(path).parts
    return bool(wanted) and found[-len(wanted) :] == wanted
