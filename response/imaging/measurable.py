"""Whether a lesion is measurable on the image at hand, were it at baseline (RECIST 1.1, section 3.1)."""

from dataclasses import dataclass

import numpy as np

from response.cells import NO_NUMBER, THOUSAND
from response.measurability import REASONS, THICK_SLICE_UM, NotMeasurable, why_not_by_size


@dataclass(frozen=True, kw_only=True)
class Measurability:
    """Whether a lesion is large enough to be measured.

    Attributes
    ----------
    why
        Why not, or `NotMeasurable.NO`.
    slice_mm
        The slice that was reckoned with; 0 where it is not known.
    notes
        What to know beside it, one sentence each.
    """

    why: NotMeasurable
    slice_mm: float
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return `yes`, or the reason why not."""
        if self.why is NotMeasurable.NO:
            return "yes"
        of_slice = f" ({self.slice_mm:g} mm)" if self.why is NotMeasurable.THIN_FOR_SLICE else ""
        return f"{REASONS[self.why][0]}{of_slice}"


def judge_measurability(
    longest_mm: float | None,
    short_mm: float | None,
    *,
    nodal: bool,
    slice_thickness_mm: float = 0.0,
    slice_interval_mm: float = 0.0,
    node_slice_rule: str = "warn",
) -> Measurability:
    """Judge the size of a lesion on CT or MRI.

    Parameters
    ----------
    longest_mm, short_mm
        Longest diameter, which counts, and short axis, which counts for nodes; None where it was not measured.
    nodal
        Whether it is a lymph node.
    slice_thickness_mm, slice_interval_mm
        Nominal thickness and distance of the slices, the larger of which counts; 0: not known.
    node_slice_rule
        `warn`: a node needs 15 mm whatever the slice, with a note where the slice is thick; `max_15_2x_slice`: it needs
        twice the slice as well.
    """
    length = short_mm if nodal else longest_mm
    slice_mm = max(slice_thickness_mm, slice_interval_mm)
    if length is None:
        return Measurability(why=NotMeasurable.NOT_MEASURED, slice_mm=slice_mm)
    length_um, slice_um = round(length * THOUSAND), round(slice_mm * THOUSAND) if slice_mm > 0 else NO_NUMBER
    why = why_not_by_size(
        np.asarray([length_um]), np.asarray([slice_um]), np.asarray([nodal]), node_slice_rule=node_slice_rule
    )
    notes = []
    if slice_mm <= 0:
        notes.append("the thickness of the slices is not known, so the diameter alone was judged")
    if nodal and node_slice_rule == "warn" and slice_um > THICK_SLICE_UM and length_um < 2 * slice_um:
        notes.append(f"a node with a short axis below twice the slice thickness of {slice_mm:g} mm")
    return Measurability(why=NotMeasurable(int(why[0])), slice_mm=slice_mm, notes=tuple(notes))
