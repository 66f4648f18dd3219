"""Label maps in NIfTI, NRRD and MetaImage files: each value is a structure, named by a table or by the file itself."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from response.errors import InputError
from response.imaging.label_boxes import label_boxes
from response.imaging.lesion_mask import LesionMask, StructureName
from response.imaging.volume import Volume
from response.io.dicom_files import shown
from response.io.image_files import read_label_layers
from response.io.label_tables import find_label_table, read_label_table
from response.io.mask_pieces import Budget
from response.io.mask_placing import on_image
from response.io.mask_set import FindingList, Masks
from response.io.nifti_labels import read_nifti_labels
from response.io.slicer_segments import read_slicer_segments

MOST_LABELS: Final = 65535  # 16 bits; lesions numbered one by one are fewer, and images have more values
MANY_LABELS: Final = 150  # whole bodies are cut into 120 organs: from here on it may be an image

Box = tuple[tuple[int, int, int], tuple[int, int, int]]
Boxes = Mapping[tuple[int, int], Box]
Names = Mapping[tuple[int, int], StructureName]  # by layer and label value


def read_label_map(path: Path, image: Volume | None = None, *, labels: Path | None = None) -> Masks:
    """Read a label map.

    Names come from the table given, else from the file (segmentations of 3D Slicer, header extensions of NIfTI), else
    from a table beside it. Of a structure that is named but has no voxel, a mask of size 0 is returned.

    Parameters
    ----------
    path
        NIfTI, NRRD or MetaImage file with whole numbers; overlapping layers as 3D Slicer writes them.
    image
        The image on which it was drawn.
    labels
        Table of the labels; see `response.io.label_tables`.

    Raises
    ------
    InputError
        If map or table cannot be read, it is no label map, or it does not overlap the image.
    """
    path, findings = Path(path), FindingList(shown(Path(path)))
    given = None if labels is None else read_label_table(Path(labels))
    layers, grid = read_label_layers(path)
    boxes = dict(_boxes(layers, findings))
    names = _names(path, given, boxes, findings)
    masks = list(_masks(layers, boxes, names, findings))
    own = Masks(masks=masks, grid=grid, findings=findings, source=findings.file)
    return own if image is None else on_image(own, image, findings, same_slices=False)


def _masks(layers: NDArray[Any], boxes: Boxes, names: Names, findings: FindingList) -> Iterator[LesionMask]:
    if len(boxes) > MANY_LABELS and not names:
        findings.tell(
            "many_labels",
            "warning",
            f"The label map holds {len(boxes)} different labels, and no table names them: it may be an image.",
            remedy="Name the labels in a table, or give the label map.",
        )
    budget = Budget(findings)
    unnamed = [key for key in boxes if key not in names]
    for layer, label in [*names, *unnamed]:
        name = names.get((layer, label), StructureName(number=label))
        low, high = boxes.get((layer, label), ((0, 0, 0), (0, 0, 0)))
        if budget.allows(name, [end - start for start, end in zip(low, high, strict=True)]):
            crop = layers[layer, low[0] : high[0], low[1] : high[1], low[2] : high[2]]
            yield LesionMask(name=name, corner=low, voxels=crop == label)


def _boxes(layers: NDArray[Any], findings: FindingList) -> Iterator[tuple[tuple[int, int], Box]]:
    """Hand out layer, label and bounding box of each label."""
    for layer, volume in enumerate(layers):
        found, boxes = label_boxes(volume)
        if len(found) and found[0] < 0:
            raise InputError(findings.file, "values below 0", "a label map", "was the image given as its mask?")
        if len(found) > MOST_LABELS:
            raise InputError(findings.file, f"{len(found)} different values", "a label map", "is it an image?")
        for label, (low, high) in zip(found.tolist(), boxes.tolist(), strict=True):
            yield (layer, label), ((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _names(path: Path, given: Mapping[int, StructureName] | None, boxes: Boxes, findings: FindingList) -> Names:
    if given is not None:
        return _in_layers(given, boxes)
    segments = read_slicer_segments(path)
    if segments:
        return {(segment.layer, segment.name.number): segment.name for segment in segments}
    if within := read_nifti_labels(path):
        return _in_layers(within, boxes)
    beside = find_label_table(path)
    if beside is None:
        return {}
    try:
        return _in_layers(read_label_table(beside), boxes)
    except InputError as error:
        findings.tell(
            "label_table_unused",
            "info",
            f"The file {shown(Path(beside.name))} beside the label map was not used as its table: {error.found}.",
        )
        return {}


def _in_layers(names: Mapping[int, StructureName], boxes: Boxes) -> Names:
    # a table does not say in which layer; a label that is in several of them has the same name in each
    layers = {label: [layer for layer, other in boxes if other == label] or [0] for label in names}
    return {(layer, label): name for label, name in names.items() for layer in layers[label]}
