"""DICOM structure sets (RTSTRUCT): outlines that a person drew, kept as they are and filled to masks.

Source: DICOM PS3.3, C.8.8.5 (structure set), C.8.8.6 (ROI contours), C.8.8.8 (RT ROI observations).
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydicom.dataset import Dataset

from response.errors import InputError
from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.volume import Volume
from response.io.dicom_files import quiet_pydicom, read_dataset, shown
from response.io.dicom_values import DAMAGED, items, number, text
from response.io.mask_pieces import assembled
from response.io.mask_placing import on_image
from response.io.mask_references import check_references, references_of_structure_set
from response.io.mask_set import FindingList, Masks, reason
from response.io.rt_contours import RoiContours, plane_normal, read_contours
from response.io.rt_planes import Laid, drawn_spacing, lay_contours, lie_parallel, own_grid
from response.io.seg_segments import first_concept
from response.io.structure_names import is_lesion_label, role_of_label, structure_name

# Interpreted types (C.8.8.8.1) of what is no lesion. A clinical or planning target volume holds the lesion with a
# margin: it is measured, but counts for none.
_NO_LESION: Final = frozenset(
    "ORGAN AVOIDANCE CONTROL EXTERNAL PTV CTV ITV TREATED_VOLUME IRRAD_VOLUME BOLUS SUPPORT FIXATION MARKER "
    "REGISTRATION ISOCENTER CONTRAST_AGENT CAVITY BRACHY_CHANNEL BRACHY_ACCESSORY BRACHY_SRC_APP BRACHY_CHNL_SHLD "
    "DOSE_REGION DOSE_MEASUREMENT".split()
)
_DEFAULTS: Final = frozenset({"ORGAN", "AVOIDANCE", "CONTROL"})  # programs write them for anything: the name decides
_GROSS_TUMOUR: Final = "GTV"


def read_structure_set(path: Path, image: Volume | None = None) -> Masks:
    """Read a DICOM structure set.

    Contours are laid on the slices of the image by their positions, and filled by the pixel-centre rule; inner
    contours are holes. Without image, slices are the planes of the contours, with pixels of 0.5 mm.

    Parameters
    ----------
    path
        The file.
    image
        The image on which it was drawn.

    Raises
    ------
    InputError
        If it cannot be read, has no closed contours, was drawn on another image, or does not overlap this one.
    """
    path, findings = Path(path), FindingList(shown(Path(path)))
    dataset = read_dataset(path, pixels=False)
    with quiet_pydicom():
        try:
            return _Reading(dataset, image, findings).masks()
        except DAMAGED as error:
            found = f"a damaged structure set ({reason(error)})"
            raise InputError(findings.file, found, "a DICOM structure set", "export it again") from None


class _Reading:
    """One structure set while it is read."""

    def __init__(self, dataset: Dataset, image: Volume | None, findings: FindingList) -> None:
        self.image, self.findings = image, findings
        self.references = references_of_structure_set(
            dataset, image.frame_of_reference_uid if image is not None else ""
        )
        if image is not None:
            check_references(self.references, image, findings)
        self.names = _names(dataset, findings)
        self.frames = _frames_of_reference(dataset)
        self.rois = _by_number(read_contours(dataset))

    def masks(self) -> Masks:
        """Return the masks on the grid of the image, or on their own."""
        contours = [points for roi in self.rois.values() for points in roi.closed]
        if not contours:
            raise InputError(self.findings.file, "no closed contours", "outlined structures", "export it again")
        if self.image is not None and lie_parallel(contours, self.image.grid):
            return self._on(self.image.grid, is_own=False)
        normal = plane_normal(contours)
        if normal is None:
            raise InputError(self.findings.file, "contours without area", "outlined structures", "export it again")
        own = self._on(own_grid(contours, normal), is_own=True)
        if self.image is not None:
            return on_image(own, self.image, self.findings, same_slices=False)
        if own.grid.shape[0] == 1:
            self.findings.tell(
                "slice_spacing_unknown",
                "warning",
                "All contours lie on one slice: their volume is not known.",
                remedy="Measure them on their image.",
            )
        return own

    def _on(self, grid: Grid, *, is_own: bool) -> Masks:
        ours = self.image.series_instance_uid if self.image is not None else ""
        series = ours if ours and ours in self.references.series else next(iter(self.references.series), "")
        return Masks(
            masks=list(self._masks_on(grid)),
            grid=grid,
            findings=self.findings,
            referenced_series_uid=series,
            frame_of_reference_uid=self.references.frame_of_reference,
            is_own_grid=is_own,
            source=self.findings.file,
        )

    def _masks_on(self, grid: Grid) -> Iterator[LesionMask]:
        unnamed = {key: StructureName(number=key) for key in self.rois if key not in self.names}
        drawn_mm = drawn_spacing([roi.closed for roi in self.rois.values()], grid)
        usable: dict[int, tuple[StructureName, RoiContours, Laid]] = {}
        for key, name in {**self.names, **unnamed}.items():
            roi = self.rois.get(key, RoiContours(key))
            laid = lay_contours(roi.closed, grid, drawn_mm) if roi.closed else Laid()
            if self._is_usable(name, roi, laid):
                usable[key] = name, roi, laid
        pieces = {key: list(laid.pieces) for key, (_, _, laid) in usable.items()}
        for mask in assembled([name for name, _, _ in usable.values()], pieces, self.findings):
            _, roi, laid = usable[mask.name.number]
            notes = (*mask.notes, *laid.notes, *_roi_notes(roi, laid))
            yield replace(mask, outlines=laid.outlines, notes=notes)

    def _is_usable(self, name: StructureName, roi: RoiContours, laid: Laid) -> bool:
        """Return whether a structure is whole and on the image; tell it where it is not."""
        ours, theirs = self.references.frame_of_reference, self.frames.get(name.number, "")
        is_elsewhere = bool(ours and theirs and ours != theirs and roi.closed)
        reason = "it was drawn in another frame of reference" if is_elsewhere else _why_not(roi, laid)
        if reason:
            self.findings.tell(
                "structure_unusable" if roi.closed or roi.damaged else "structure_without_area",
                "error" if roi.closed or roi.damaged else "info",
                f"The structure '{name.label or name.number}' was not measured: {reason}.",
                lesion=name.label,
                remedy="Look at it in the program that drew it.",
            )
        return not reason


def _why_not(roi: RoiContours, laid: Laid) -> str:
    """Return why a structure cannot be measured, or an empty text; one without any contour is empty, and usable."""
    if roi.damaged:
        return f"{roi.damaged} of its contours have coordinates that are no numbers, or no whole points"
    if laid.tilted:
        return f"{laid.tilted} of its contours are not parallel to the slices"
    if roi.closed and not laid.outlines:
        return "it lies where the image has no slice"
    if roi.closed and not laid.pieces:
        return "it is smaller than a pixel, or beside the image"
    if roi.left_out and not roi.closed:
        return "it has no closed contour"
    return ""


def _roi_notes(roi: RoiContours, laid: Laid) -> list[str]:
    notes = [f"{count} {kind} were left out" for kind, count in roi.left_out.items()]
    if roi.doubled:
        notes.append(f"{roi.doubled} contours stand twice, and were used once")
    if laid.outside:
        notes.append(f"{laid.outside} contours lie where the image has no slice")
    return notes


def _by_number(contours: Iterator[RoiContours]) -> dict[int, RoiContours]:
    """Return the contours by ROI number; those of one number belong together."""
    found: dict[int, RoiContours] = {}
    for roi in contours:
        before = found.get(roi.number)
        found[roi.number] = roi if before is None else _joined(before, roi)
    return found


def _joined(one: RoiContours, other: RoiContours) -> RoiContours:
    left_out = {
        kind: one.left_out.get(kind, 0) + other.left_out.get(kind, 0) for kind in {**one.left_out, **other.left_out}
    }
    return RoiContours(
        one.number, one.closed + other.closed, left_out, one.damaged + other.damaged, one.doubled + other.doubled
    )


# --- Names.


def _frames_of_reference(dataset: Dataset) -> dict[int, str]:
    """Return the UID of the frame of reference by ROI number: one structure set may have several."""
    return {
        int(number(item, "ROINumber", place)): text(item, "ReferencedFrameOfReferenceUID")
        for place, item in enumerate(items(dataset, "StructureSetROISequence"), start=1)
    }


def _names(dataset: Dataset, findings: FindingList) -> dict[int, StructureName]:
    observed: dict[int, Dataset] = {}
    for item in items(dataset, "RTROIObservationsSequence"):
        observed.setdefault(int(number(item, "ReferencedROINumber", 0)), item)
    names: dict[int, StructureName] = {}
    for place, item in enumerate(items(dataset, "StructureSetROISequence"), start=1):
        key = int(number(item, "ROINumber", place))
        if key in names:
            findings.tell(
                "roi_number_ambiguous",
                "error",
                f"ROI number {key} stands twice; the first name was used.",
                lesion=text(item, "ROIName"),
                found=str(key),
            )
            continue
        names[key] = _name(item, observed.get(key, Dataset()), key)
    return names


def _name(item: Dataset, observation: Dataset, key: int) -> StructureName:
    kind = text(observation, "RTROIInterpretedType").upper()
    label = text(item, "ROIName") or text(observation, "ROIObservationLabel") or text(item, "ROIDescription")
    name = structure_name(
        number=key,
        label=label,
        category=first_concept(observation, "SegmentedPropertyCategoryCodeSequence"),
        kind=first_concept(observation, "RTROIIdentificationCodeSequence"),
        region=first_concept(observation, "AnatomicRegionSequence"),
    )
    drawn_as_lesion = is_lesion_label(label) or bool(role_of_label(label))
    if kind == _GROSS_TUMOUR:
        organ = False
    elif kind in _NO_LESION:
        organ = not (kind in _DEFAULTS and drawn_as_lesion)
    else:
        organ = name.is_organ
    return replace(name, is_organ=organ, kind=name.kind or kind, role="" if organ else role_of_label(label))
