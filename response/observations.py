"""What a report or a segmentation says of one lesion in one study, before lesions are matched over time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from response.imaging.lesion_mask import StructureName

if TYPE_CHECKING:
    from response.imaging.morphology import Suggestion


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One lesion in one study, as one source has it.

    Attributes
    ----------
    kind
        `report`: a person measured (DICOM SR); `mask`: measured here on a segmentation.
    subject
        Patient ID, or Clinical Trial Subject ID where there is one.
    study
        Study Instance UID, or the folder of a study that is no DICOM.
    date
        ISO date of the study, or empty.
    timepoint
        Label of the timepoint where the source has one (Clinical Trial Time Point ID, TID 1502), else empty.
    observer
        Who measured, where the source says so.
    name
        What the source says about the lesion's identity, site and role.
    cells
        Texts by column of the measurement table (`columns.COLUMNS` and `columns.IMAGING_COLUMNS`), all but
        those that stand in the other attributes. Numbers with a decimal point, lengths in mm.
    file
        Where it was read, for messages.
    suggestion
        The suggested Chun group with the map of the border, where that was asked for and could be made.
    """

    kind: Literal["report", "mask"]
    subject: str
    study: str
    date: str
    timepoint: str = ""
    observer: str = ""
    name: StructureName
    cells: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    suggestion: "Suggestion | None" = field(default=None, compare=False, repr=False)
