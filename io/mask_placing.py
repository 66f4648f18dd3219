"""Masks on their own grid are brought onto the grid of an image."""

from dataclasses import replace

from response.errors import InputError
from response.imaging.lesion_mask import LesionMask
from response.imaging.placed import Placed
from response.imaging.regrid import GridMismatchError, Regridding, plan_regridding
from response.imaging.volume import Volume
from response.io.mask_pieces import Budget
from response.io.mask_set import FindingList, Masks


def on_image(own: Masks, image: Volume, findings: FindingList, *, same_slices: bool) -> Masks:
    """Return masks on the grid of an image.

    Parameters
    ----------
    own
        Masks on their own grid.
    image
        The image.
    findings
        Takes what could not be placed.
    same_slices
        Whether the masks were drawn on the slices of this image.

    Raises
    ------
    InputError
        If the two grids do not overlap, or their voxel sizes differ absurdly.
    """
    try:
        plan = plan_regridding(own.grid, image.grid, same_slices=same_slices)
    except GridMismatchError as error:
        raise InputError(own.source, error.found, error.expected, "give the image on which they were drawn") from None
    placed = (_placed(mask, plan, findings) for mask in own.masks)
    budget = Budget(findings)  # slices that the mask leaves out may lie in between
    return replace(
        own,
        masks=[mask for mask in placed if mask is not None and budget.allows(mask.name, mask.voxels.shape)],
        grid=image.grid,
        findings=findings,
        is_own_grid=False,
    )


def _placed(mask: LesionMask, plan: Regridding, findings: FindingList) -> LesionMask | None:
    if not mask.voxels.size:
        return mask
    placed = plan.place(mask.corner, mask.voxels)
    if not placed.voxels.size:
        _tell_lost(mask, placed, findings)
        return None
    notes = [plan.note] if plan.note else []
    if placed.outside:
        notes.append(f"{placed.outside} of {int(mask.voxels.sum())} voxels lie where the image has none")
    # outlines belong to the slices on which they were drawn
    return replace(mask, corner=placed.corner, voxels=placed.voxels, outlines={}, notes=(*mask.notes, *notes))


def _tell_lost(mask: LesionMask, placed: Placed, findings: FindingList) -> None:
    where = "lies wholly outside the image" if placed.outside else "is smaller than one voxel of the image"
    findings.tell(
        "mask_off_image",
        "error",
        f"The mask '{mask.name.label or mask.name.number}' {where}; it was not measured.",
        lesion=mask.name.label,
        remedy="Give the image on which it was drawn.",
    )
