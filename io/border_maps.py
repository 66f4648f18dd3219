"""Maps of the borders of lesions as files: a label map and a picture per lesion, and one table of all patches.

Label maps are NRRD with the fields in which 3D Slicer describes segments (its developer guide, "Segmentation labelmap
file format"); other viewers read them as plain label maps.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.errors import InputError
from response.findings import Finding
from response.imaging.border_map import KINDS, BorderMap, BorderPatches
from response.imaging.measuring import number
from response.io.border_pictures import COLOURS, has_matplotlib, write_picture
from response.io.results import csv_cell
from response.io.safe_files import staged_folder
from response.observed import SuggestedGroup

TABLE: Final = "border_patches.csv"
_MAP: Final = ".seg.nrrd"
LONGEST_PART: Final = 40  # characters of subject, date and lesion each, in the name of a file

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.]+")
_LESION_COLUMNS: Final = ("subject", "timepoint", "date", "lesion", "map")


def write_border_maps(groups: Sequence[SuggestedGroup], folder: Path, *, keep: Sequence[Path] = ()) -> list[Path]:
    """Write the maps of the borders into a folder, whole or not at all.

    `border_patches.csv` has a line per patch; its column `map` names the label map of the lesion, `NAME.seg.nrrd`.
    Beside that `NAME.png` shows it, where matplotlib is installed.

    Parameters
    ----------
    groups
        Suggested groups with their maps (`measure.Measured.suggestions`).
    folder
        Made if needed; files of an earlier run with the same names are replaced.
    keep
        The inputs, which are never written over.

    Returns
    -------
    list of Path
        The files, in the order of their names.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    with staged_folder(folder, keep=keep) as stage:
        names = _names(groups)
        for group, name in zip(groups, names, strict=True):
            _write_labels(_border(group), stage / f"{name}{_MAP}")
            if has_matplotlib():
                write_picture(group, stage / f"{name}.png")
        lines = [",".join((*_LESION_COLUMNS, *_patch_columns())), *_lines(groups, names)]
        (stage / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")
        written = sorted(path.name for path in stage.iterdir())
    return [folder / name for name in written]


def refuse_among_inputs(folder: Path, paths: Iterable[Path]) -> None:
    """Raise if the folder of the maps lies in a folder that is read: the next run would take them for masks.

    Raises
    ------
    InputError
        If it does.
    """
    place = folder.resolve()
    for path in paths:
        if path.is_dir() and path.resolve() in (place, *place.parents):
            raise InputError(
                str(folder),
                f"a folder within {path}, which is read",
                "a folder outside of it",
                "the next run would take the maps for segmentations",
            )


def check_border_maps(groups: Sequence[SuggestedGroup]) -> Iterator[Finding]:
    """Hand out what will be missing among the files of the maps."""
    if not groups:
        yield Finding(
            id="no_border_maps",
            severity="warning",
            sentence="No map of a border was made, for of no lesion was the border measured.",
            remedy="Look at the column image_notes: it tells of each lesion why no Chun group is suggested.",
        )
    elif not has_matplotlib():
        yield Finding(
            id="border_pictures_missing",
            severity="warning",
            found="no matplotlib",
            expected="matplotlib",
            sentence="The maps of the borders are written without pictures, for these need matplotlib.",
            remedy="pip install 'tumor-response[plots]', and run it again: the studies are not measured again.",
        )


def _border(group: SuggestedGroup) -> BorderMap:
    border = group.suggestion.border
    if border is None:
        raise ValueError(f"the suggestion for {group.lesion} carries no map of its border (`with_border`)")
    return border


# --- names of files


def _names(groups: Sequence[SuggestedGroup]) -> list[str]:
    """Return a name per lesion, of letters that any disk takes: SUBJECT_DATE_LESION.

    Where two would be one, or one is too long or has no such letter, a part of the hash of the full names is added.
    """
    plain = ["_".join(_safe(part)[:LONGEST_PART] or "unnamed" for part in _parts(group)) for group in groups]
    times = Counter(name.lower() for name in plain)  # for disks that do not tell upper from lower case
    names = []
    for group, name in zip(groups, plain, strict=True):
        tells_all = times[name.lower()] == 1 and all(
            0 < len(part) <= LONGEST_PART for part in map(_safe, _parts(group))
        )
        names.append(name if tells_all else f"{name}_{_hash(group)}")
    seen: Counter[str] = Counter()
    for place, name in enumerate(names):
        seen[name.lower()] += 1
        if seen[name.lower()] > 1:  # two segments of one file were taken for one lesion
            names[place] = f"{name}_{seen[name.lower()]}"
    return names


def _parts(group: SuggestedGroup) -> tuple[str, str, str]:
    return group.subject, group.date or group.timepoint, group.lesion


def _safe(text: str) -> str:
    return _UNSAFE.sub("-", text).strip("-.")


def _hash(group: SuggestedGroup) -> str:
    about = (*_parts(group), group.timepoint, group.file)
    return hashlib.sha256("\x1f".join(about).encode(errors="surrogateescape")).hexdigest()[:8]


# --- label maps


def _write_labels(border: BorderMap, path: Path) -> None:
    import SimpleITK

    image = SimpleITK.GetImageFromArray(border.labels)
    image.SetOrigin(border.origin_mm.tolist())
    image.SetSpacing(border.spacing_mm[::-1].tolist())
    image.SetDirection(border.directions[::-1].T.ravel().tolist())  # its columns are the axes
    for name, value in _slicer_fields(border.labels.shape):
        image.SetMetaData(name, value)
    SimpleITK.WriteImage(image, str(path), useCompression=True)


def _slicer_fields(shape: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    yield "Segmentation_ContainedRepresentationNames", "Binary labelmap"
    yield "Segmentation_SourceRepresentation", "Binary labelmap"
    yield "Segmentation_ReferenceImageExtentOffset", "0 0 0"
    extent = " ".join(f"0 {size - 1}" for size in reversed(shape))
    for index, (label, name) in enumerate(KINDS.items()):
        colour = bytes.fromhex(COLOURS[label].removeprefix("#"))
        of_segment = {
            "ID": name.replace(" ", "_"),
            "Name": name,
            "NameAutoGenerated": "0",
            "Color": " ".join(f"{part / 255:.6f}" for part in colour),
            "ColorAutoGenerated": "0",
            "Extent": extent,
            "LabelValue": str(label),
            "Layer": "0",
            "Tags": "|",
        }
        yield from ((f"Segment{index}_{key}", value) for key, value in of_segment.items())


# --- the table of patches


def _patch_columns() -> list[str]:
    return [item.name for item in fields(BorderPatches)]


def _lines(groups: Sequence[SuggestedGroup], names: Sequence[str]) -> Iterator[str]:
    for group, name in zip(groups, names, strict=True):
        who = (group.subject, group.timepoint, group.date, group.lesion, f"{name}{_MAP}")
        patches = _border(group).patches
        columns = [_cells(column, getattr(patches, column)) for column in _patch_columns()]
        start = ",".join(csv_cell(text) for text in who)
        yield from (f"{start},{','.join(row)}" for row in zip(*columns, strict=True))


def _cells(name: str, values: NDArray[Any]) -> list[str]:
    if name == "kind":
        return [KINDS[int(label)] for label in values]
    if values.dtype == np.bool_:
        return ["Y" if value else "N" for value in values]
    return ["" if np.isnan(value) else number(float(value)) for value in values]
