"""One segmented structure on the grid of an image, cropped to what it covers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from response.imaging.grid import Floats


@dataclass(frozen=True, kw_only=True)
class StructureName:
    """What a segmentation says about one structure; empty where it does not.

    Attributes
    ----------
    number
        Segment number, label value or ROI number.
    label
        Segment label, ROI name, or name in a label table.
    tracking_id, tracking_uid
        Identity over time (DICOM 112039 and 112040, or the Tracking ID of a SEG segment).
    site
        Finding site or anatomic region, as text.
    site_code
        Its code as `value^scheme`.
    category, kind
        Segmented property category and type, as text ("Morphologically Altered Structure", "Neoplasm").
    kind_code
        Code of the type as `value^scheme`.
    is_organ
        Whether it is coded (or, where it has no code, named) as a normal organ: measured, but no lesion.
    role
        `target`, `non_target` or `new` where it is coded; else empty.
    """

    number: int = 0
    label: str = ""
    tracking_id: str = ""
    tracking_uid: str = ""
    site: str = ""
    site_code: str = ""
    category: str = ""
    kind: str = ""
    kind_code: str = ""
    is_organ: bool = False
    role: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class LesionMask:
    """One structure on the grid of an image.

    Attributes
    ----------
    name
        What the segmentation says about it.
    corner
        Slice, row and column index, in the grid, of the first voxel of the crop.
    voxels
        The crop, bool `[slice, row, column]`; empty (size 0) where the structure has no voxel.
    outlines
        By slice index of the grid: the closed polygons that a person drew (RTSTRUCT), each `[vertex, 2]` as
        fractional row and column index of the grid; holes are separate polygons (even-odd rule). Empty for masks.
    notes
        What was done to bring it onto the grid (resampled, outside the image ...), one sentence each.
    """

    name: StructureName
    corner: tuple[int, int, int]
    voxels: NDArray[np.bool_]
    outlines: Mapping[int, Sequence[Floats]] = field(default_factory=dict)
    notes: Sequence[str] = ()
