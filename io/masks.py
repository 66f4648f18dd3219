"""Masks of any kind: DICOM segmentations and structure sets, and label maps; what a file is, its content says."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from response.errors import InputError
from response.imaging.volume import Volume
from response.io.dicom_files import open_dicom, quiet_pydicom, shown
from response.io.dicom_headers import RTSTRUCT_CLASS, SEG_CLASSES
from response.io.dicom_values import text
from response.io.image_claims import suffix_of
from response.io.mask_set import HALF, FindingList, Masks

__all__ = ["Masks", "read_masks"]

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_EXPECTED: Final = "a DICOM SEG or RTSTRUCT, or a label map as NIfTI, NRRD or MetaImage"
_OTHERS: Final = {
    _STORAGE + "66.5": "a surface segmentation",
    _STORAGE + "66.6": "a tractography result",
    _STORAGE + "30": "a parametric map",
}


def read_masks(
    path: Path, image: Volume | None = None, *, labels: Path | None = None, threshold: float = HALF
) -> Masks:
    """Read all structures that a file holds.

    Parameters
    ----------
    path
        A DICOM SEG or RTSTRUCT, or a label map as NIfTI, NRRD or MetaImage.
    image
        The image on which they were drawn: masks come onto its grid. Without it they lie on their own.
    labels
        Table of what the values of a label map mean; not needed for DICOM.
    threshold
        Of a FRACTIONAL segmentation: share of the largest value from which on a voxel counts.

    Raises
    ------
    InputError
        If the file cannot be read, holds no masks, or its masks do not belong to the image. One structure that cannot
        be used is a finding, not an error.
    MissingExtraError
        If the file is compressed in a way that an optional package decompresses.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(shown(path), "a folder", _EXPECTED, "name the file")
    try:
        masks = _read(path, image, labels, threshold)
    except MemoryError:
        raise InputError(shown(path), "masks that need more than this computer's memory", _EXPECTED) from None
    findings = _organs(masks)
    if labels is not None and not suffix_of(path):
        findings.tell(
            "label_table_unused", "info", "The table of labels was not used: DICOM names its structures itself."
        )
    return replace(masks, findings=[*masks.findings, *findings])


def _read(path: Path, image: Volume | None, labels: Path | None, threshold: float) -> Masks:
    if suffix_of(path):
        from response.io.label_maps import read_label_map

        return read_label_map(path, image, labels=labels)
    with quiet_pydicom():
        dataset = open_dicom(path, tags=("SOPClassUID", "Modality"), last_tag=0x00080060).dataset
        sop_class, modality = text(dataset, "SOPClassUID"), text(dataset, "Modality").upper()
    if sop_class in SEG_CLASSES or (not sop_class and modality == "SEG"):
        from response.io.segmentations import read_segmentation

        return read_segmentation(path, image, threshold=threshold)
    if sop_class == RTSTRUCT_CLASS or (not sop_class and modality == "RTSTRUCT"):
        from response.io.rtstruct import read_structure_set

        return read_structure_set(path, image)
    found = _OTHERS.get(sop_class, f"DICOM of the modality {modality or 'that is not named'}")
    raise InputError(shown(path), found, _EXPECTED)


def _organs(masks: Masks) -> FindingList:
    """Tell which structures were taken for organs by their names alone."""
    findings = FindingList(masks.source)
    named = [mask.name.label for mask in masks.masks if mask.name.is_organ and not mask.name.kind]
    if named:
        shown_names = ", ".join(named[:10]) + (f" and {len(named) - 10} more" if len(named) > 10 else "")
        findings.tell(
            "taken_for_organs",
            "info",
            f"By their names these structures are no lesions: {shown_names}.",
            remedy="Give a lesion among them a role, or a name that says so.",
        )
    return findings
