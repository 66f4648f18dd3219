"""An image series as it was acquired: voxels, where they lie, and how they were made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from response.imaging.grid import Grid


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """How a series was acquired, as far as measurements depend on it; empty or 0 where the headers do not say.

    Attributes
    ----------
    modality
        DICOM defined term: CT, MR, PT.
    phase
        Contrast phase in our words: `non_contrast`, `arterial`, `portal_venous`, `delayed`, `contrast` (given, but of
        unknown phase), or empty.
    kvp
        Peak tube voltage in kV.
    kernel
        Convolution kernel.
    slice_thickness_mm
        Nominal thickness of the slices; their distance is the grid's.
    contrast_agent, description, manufacturer, sequence
        As in the headers (ContrastBolusAgent, SeriesDescription, Manufacturer and model, sequence name of MR).
    """

    modality: str = ""
    phase: str = ""
    kvp: float = 0.0
    kernel: str = ""
    slice_thickness_mm: float = 0.0
    contrast_agent: str = ""
    description: str = ""
    manufacturer: str = ""
    sequence: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Volume:
    """One image series.

    Attributes
    ----------
    voxels
        `[slice, row, column]`, slices ascending along `grid.normal`; modality values (HU on CT), i.e. after rescale.
        int16 where they are whole numbers and fit, else float32.
    grid
        Where the voxels lie.
    acquisition
        How they were made.
    series_instance_uid, study_instance_uid, frame_of_reference_uid
        Empty where the image is no DICOM.
    sop_instance_uids
        Per slice; empty texts where the image is no DICOM.
    frame_numbers
        Per slice, from 1; 0 where the instance has one frame only.
    sop_class_uid
        Of the instances.
    source
        Name of the file or folder, for messages.
    faults
        What is odd about its geometry, one sentence each: missing or duplicate slices, gantry tilt, uneven spacing.
    """

    voxels: NDArray[Any]
    grid: Grid
    acquisition: Acquisition = field(default_factory=Acquisition)
    series_instance_uid: str = ""
    study_instance_uid: str = ""
    frame_of_reference_uid: str = ""
    sop_instance_uids: Sequence[str] = ()
    frame_numbers: Sequence[int] = ()
    sop_class_uid: str = ""
    source: str = ""
    faults: Sequence[str] = ()
